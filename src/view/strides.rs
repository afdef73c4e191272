//! Shape and order of elements without gaps.

use std::ops::{Bound, Range, RangeBounds};

use crate::error::{Error, ErrorKind, Result};
use crate::format::dtype::Tuple;

/// The place of each element.
///
/// ```text
/// (2, 3), C order:       00 01 02 10 11 12     strides 3, 1
/// (2, 3), Fortran order: 00 10 01 11 02 12     strides 1, 2
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Strided {
    pub(super) shape: Vec<usize>,
    pub(super) fortran: bool,
}

impl Strided {
    /// Elements of this shape, which have to be `len` in number.
    pub(super) fn new(shape: &[usize], fortran: bool, len: usize) -> Result<Self> {
        let count = shape.iter().try_fold(1_usize, |n, &axis| n.checked_mul(axis));
        // Beside an empty axis the others may have any length.
        let count = if shape.contains(&0) { Some(0) } else { count };
        if count != Some(len) {
            return Err(Error::new(
                ErrorKind::InvalidValue,
                format_args!(
                    "found {len} elements, expected as many as the shape {} has",
                    Tuple(shape)
                ),
            ));
        }
        Ok(Strided {
            shape: shape.to_vec(),
            fortran,
        })
    }

    /// How many elements apart two neighbours along each axis are.
    pub(super) fn strides(&self) -> Vec<usize> {
        let mut strides = vec![0; self.shape.len()];
        let mut stride = 1_usize;
        let mut set = |axis: usize| {
            strides[axis] = stride;
            // Too large only where some axis is empty and no element is ever reached.
            stride = stride.saturating_mul(self.shape[axis]);
        };
        if self.fortran {
            (0..self.shape.len()).for_each(&mut set);
        } else {
            (0..self.shape.len()).rev().for_each(&mut set);
        }
        strides
    }

    /// Where the element of this index lies.
    pub(super) fn offset(&self, index: &[usize]) -> Option<usize> {
        if index.len() != self.shape.len() || index.iter().zip(&self.shape).any(|(at, axis)| at >= axis) {
            return None;
        }
        let step = |offset: usize, (at, axis): (&usize, &usize)| offset * axis + at;
        let pairs = index.iter().zip(&self.shape);
        Some(if self.fortran {
            pairs.rev().fold(0, step)
        } else {
            pairs.fold(0, step)
        })
    }

    /// Where the part `range` of the first axis lies, and its layout.
    pub(super) fn slice(&self, range: impl RangeBounds<usize>) -> Result<(Pieces, Strided)> {
        let axis = self.rows()?;
        let start = match range.start_bound() {
            Bound::Included(&start) => Some(start),
            Bound::Excluded(start) => start.checked_add(1),
            Bound::Unbounded => Some(0),
        };
        let end = match range.end_bound() {
            Bound::Included(end) => end.checked_add(1),
            Bound::Excluded(&end) => Some(end),
            Bound::Unbounded => Some(axis),
        };
        let (start, end) = match (start, end) {
            (Some(start), Some(end)) if start <= end && end <= axis => (start, end),
            _ => {
                return Err(outside(
                    format_args!("found the rows {:?} to {:?}", range.start_bound(), range.end_bound()),
                    axis,
                ));
            }
        };
        let mut part = self.clone();
        part.shape[0] = end - start;
        Ok((self.pieces(start..end), part))
    }

    /// Where a row lies, and its layout.
    pub(super) fn row(&self, index: usize) -> Result<(Pieces, Strided)> {
        let axis = self.rows()?;
        if index >= axis {
            return Err(outside(format_args!("found the row {index}"), axis));
        }
        let layout = Strided {
            shape: self.shape[1..].to_vec(),
            fortran: self.fortran,
        };
        Ok((self.pieces(index..index + 1), layout))
    }

    /// The length of the first axis.
    pub(super) fn rows(&self) -> Result<usize> {
        self.shape.first().copied().ok_or_else(|| {
            Error::new(ErrorKind::TypeMismatch, "found an array without axes, expected rows")
                .with_hint("`as_slice` holds its one element")
        })
    }

    /// Whether the elements of a row lie apart: one in each column.
    pub(super) fn is_scattered(&self) -> bool {
        !self.is_c()
    }

    fn pieces(&self, rows: Range<usize>) -> Pieces {
        if self.is_scattered() {
            return Pieces {
                start: rows.start,
                len: rows.len(),
                step: self.shape[0],
                count: self.row_len(),
            };
        }
        let row = self.row_len();
        Pieces {
            start: rows.start * row,
            len: rows.len() * row,
            step: 0,
            count: 1,
        }
    }

    /// How many elements a row has.
    pub(super) fn row_len(&self) -> usize {
        if self.shape.contains(&0) {
            return 0;
        }
        self.shape[1..].iter().product()
    }

    /// The axes in the opposite order over the same elements.
    pub(super) fn transposed(&self) -> Strided {
        Strided {
            shape: self.shape.iter().rev().copied().collect(),
            fortran: !self.fortran,
        }
    }

    /// Whether the elements are in C order; they may be in Fortran order as well.
    pub(super) fn is_c(&self) -> bool {
        !self.fortran || self.shape.contains(&0) || self.shape.iter().filter(|&&axis| axis != 1).count() < 2
    }
}

/// The elements of some rows: one piece, or one in each column.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Pieces {
    start: usize,
    len: usize,
    /// How far the starts of two pieces are apart.
    step: usize,
    count: usize,
}

impl Pieces {
    /// The range of the only piece.
    pub(super) fn only(&self) -> Option<Range<usize>> {
        (self.count == 1).then(|| self.start..self.start + self.len)
    }

    /// As [`only`](Self::only), or an error for rows that cannot be lent.
    pub(super) fn to_lend(&self, layout: &Strided) -> Result<Range<usize>> {
        self.only().ok_or_else(|| {
            Error::new(
                ErrorKind::TypeMismatch,
                format_args!(
                    "found the shape {} in Fortran order, whose rows are scattered, expected C order",
                    Tuple(&layout.shape)
                ),
            )
            .with_hint("`as_mut_slice` and `get_mut` reach every element")
        })
    }

    /// Elements of `size` bytes each, counted in bytes.
    #[cfg(feature = "mmap")]
    pub(super) fn in_bytes(&self, size: usize) -> Pieces {
        Pieces {
            start: self.start * size,
            len: self.len * size,
            step: self.step * size,
            count: self.count,
        }
    }

    pub(super) fn ranges(&self) -> impl Iterator<Item = Range<usize>> {
        let Pieces {
            start,
            len,
            step,
            count,
        } = *self;
        (0..count).map(move |piece| {
            let start = start + piece * step;
            start..start + len
        })
    }

    /// How long all of them are together.
    pub(super) fn total(&self) -> usize {
        self.len * self.count
    }
}

#[cold]
fn outside(found: std::fmt::Arguments<'_>, axis: usize) -> Error {
    Error::new(
        ErrorKind::InvalidValue,
        format_args!("{found}, expected them among the {axis} there are"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn indices_and_strides() {
        let c = Strided::new(&[2, 3], false, 6).unwrap();
        let f = Strided::new(&[2, 3], true, 6).unwrap();
        assert_eq!((c.strides(), f.strides()), (vec![3, 1], vec![1, 2]));
        assert_eq!((c.offset(&[1, 2]), f.offset(&[1, 2])), (Some(5), Some(5)));
        assert_eq!((c.offset(&[1, 0]), f.offset(&[1, 0])), (Some(3), Some(1)));
        for outside in [&[2, 0][..], &[0, 3], &[0], &[0, 0, 0], &[]] {
            assert_eq!((c.offset(outside), f.offset(outside)), (None, None));
        }
        assert_eq!(Strided::new(&[], false, 1).unwrap().offset(&[]), Some(0));
    }

    #[test]
    fn shapes_have_to_fit() {
        assert!(Strided::new(&[2, 3], false, 5).is_err());
        assert!(Strided::new(&[usize::MAX, 2], false, 5).is_err());
        let empty = Strided::new(&[usize::MAX, 2, 0], false, 0).unwrap();
        assert_eq!(empty.slice(5..7).unwrap().0.only(), Some(0..0));
        assert_eq!(empty.strides().len(), 3);
        assert!(Strided::new(&[0], false, 1).is_err());
        assert!(Strided::new(&[], false, 0).is_err());
    }

    #[test]
    fn parts_of_the_first_axis() {
        let layout = Strided::new(&[4, 3], false, 12).unwrap();
        let only = |(pieces, _): (Pieces, Strided)| pieces.only();
        let (pieces, part) = layout.slice(1..3).unwrap();
        assert_eq!((pieces.only(), &part.shape[..]), (Some(3..9), &[2, 3][..]));
        assert_eq!(layout.slice(..).map(only).unwrap(), (Some(0..12)));
        assert_eq!(layout.slice(2..=3).map(only).unwrap(), (Some(6..12)));
        assert_eq!(layout.slice(4..).map(only).unwrap(), (Some(12..12)));
        #[expect(clippy::reversed_empty_ranges, reason = "it has to be refused")]
        let refused = [layout.slice(3..2), layout.slice(2..5), layout.slice(..=usize::MAX)];
        assert!(refused.iter().all(Result::is_err));
        assert_eq!(layout.row(3).map(only).unwrap(), Some(9..12));
        assert!(layout.row(4).is_err());
        let fortran = Strided::new(&[4, 3], true, 12).unwrap();
        let (pieces, part) = fortran.slice(1..3).unwrap();
        assert!(pieces.ranges().eq([1..3, 5..7, 9..11]));
        assert_eq!((pieces.total(), part.shape), (6, vec![2, 3]));
        assert!(fortran.row(3).unwrap().0.ranges().eq([3..4, 7..8, 11..12]));
        assert_eq!(fortran.transposed().row(2).map(only).unwrap(), Some(8..12));
        // Both orders are the same.
        assert_eq!(
            Strided::new(&[1, 3], true, 3).unwrap().row(0).map(only).unwrap(),
            Some(0..3)
        );
        // One axis has no order.
        assert!(Strided::new(&[4], true, 4).unwrap().slice(1..).is_ok());
    }
}
