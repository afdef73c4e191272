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
    pub(super) fn slice(&self, range: impl RangeBounds<usize>) -> Result<(Range<usize>, Strided)> {
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
        let row = self.row_len();
        let mut part = self.clone();
        part.shape[0] = end - start;
        Ok((start * row..end * row, part))
    }

    /// Where a row lies, and its layout.
    pub(super) fn row(&self, index: usize) -> Result<(Range<usize>, Strided)> {
        let axis = self.rows()?;
        if index >= axis {
            return Err(outside(format_args!("found the row {index}"), axis));
        }
        let row = self.row_len();
        let layout = Strided {
            shape: self.shape[1..].to_vec(),
            fortran: self.fortran,
        };
        Ok((index * row..(index + 1) * row, layout))
    }

    /// The length of the first axis, if each of its rows is contiguous.
    pub(super) fn rows(&self) -> Result<usize> {
        match self.shape[..] {
            [] => Err(
                Error::new(ErrorKind::TypeMismatch, "found an array without axes, expected rows")
                    .with_hint("`as_slice` holds its one element"),
            ),
            [_, _, ..] if self.fortran => Err(Error::new(
                ErrorKind::TypeMismatch,
                format_args!(
                    "found the shape {} in Fortran order, whose rows are scattered, expected C order",
                    Tuple(&self.shape)
                ),
            )
            .with_hint("the rows of `transposed()` are its columns, and `to_vec` copies into C order")),
            [axis, ..] => Ok(axis),
        }
    }

    fn row_len(&self) -> usize {
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
        assert_eq!(empty.slice(5..7).unwrap().0, 0..0);
        assert_eq!(empty.strides().len(), 3);
        assert!(Strided::new(&[0], false, 1).is_err());
        assert!(Strided::new(&[], false, 0).is_err());
    }

    #[test]
    fn parts_of_the_first_axis() {
        let layout = Strided::new(&[4, 3], false, 12).unwrap();
        let (range, part) = layout.slice(1..3).unwrap();
        assert_eq!((range, &part.shape[..]), (3..9, &[2, 3][..]));
        assert_eq!(layout.slice(..).unwrap().0, 0..12);
        assert_eq!(layout.slice(2..=3).unwrap().0, 6..12);
        assert_eq!(layout.slice(4..).unwrap().0, 12..12);
        #[expect(clippy::reversed_empty_ranges, reason = "it has to be refused")]
        let refused = [layout.slice(3..2), layout.slice(2..5), layout.slice(..=usize::MAX)];
        assert!(refused.iter().all(Result::is_err));
        assert_eq!(layout.row(3).unwrap().0, 9..12);
        assert!(layout.row(4).is_err());
        let fortran = Strided::new(&[4, 3], true, 12).unwrap();
        assert!(fortran.row(0).unwrap_err().hint().unwrap().contains("transposed"));
        assert_eq!(fortran.transposed().row(2).unwrap().0, 8..12);
        // One axis has no order.
        assert!(Strided::new(&[4], true, 4).unwrap().slice(1..).is_ok());
    }
}
