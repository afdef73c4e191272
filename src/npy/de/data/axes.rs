//! Axes of length 1 that the target does not ask for: [`ReadOptions::squeeze`](crate::ReadOptions::squeeze).
//!
//! How many axes a target asks for shows only when it asks for an element: until then it may be about to ask for a sequence
//! more. So an array is open at first. Each sequence on the way to the first element is handed out without a length; the
//! first element settles how many axes there are, and with them the lengths of all of those sequences:
//!
//! ```text
//! shape (1, 3), asked for     Vec<f64>                         Vec<Vec<f64>>
//!                             a sequence                       a sequence
//!                             a float: one axis, (3,)          a sequence
//!                                                              a float: two axes, (1, 3)
//! ```
//!
//! Axes of length 1 do not affect the order of the elements, so nothing is moved.

use super::ArrayData;
use crate::error::{Error, ErrorKind, Result};
use crate::format::dtype::Tuple;

/// How the axes of an array are seen.
#[derive(Clone, Debug)]
pub(crate) enum Axes {
    /// As the file has them.
    Whole,
    /// Not settled yet, but for the first ones.
    Open { settled: usize },
    /// Settled: these.
    Squeezed(Vec<u64>),
}

/// A shape of `asked` axes which differs from this one in axes of length 1 alone.
fn squeezed(shape: &[u64], asked: usize) -> Fit {
    let long = shape.iter().filter(|&&axis| axis != 1).count();
    if asked == shape.len() {
        return Fit::One(shape.to_vec());
    }
    if asked < long {
        return Fit::None;
    }
    if long == 0 {
        return Fit::One(vec![1; asked]);
    }
    if asked > shape.len() {
        return Fit::Several;
    }
    if asked == long {
        return Fit::One(shape.iter().copied().filter(|&axis| axis != 1).collect());
    }
    // Some of the axes of length 1 stay. Which of them does not matter where all are side by side.
    let ones = |axis: &&[u64]| axis[0] == 1;
    let runs = shape.chunk_by(|a, b| (*a == 1) == (*b == 1));
    if runs.filter(ones).count() > 1 {
        return Fit::Several;
    }
    let mut dropped = shape.len() - asked;
    let kept = shape.iter().copied().filter(|&axis| {
        let drop = axis == 1 && dropped > 0;
        dropped -= usize::from(drop);
        !drop
    });
    Fit::One(kept.collect())
}

/// In how many ways axes of length 1 can be dropped or added.
#[derive(Debug, PartialEq)]
enum Fit {
    None,
    One(Vec<u64>),
    Several,
}

impl ArrayData<'_, '_> {
    /// The lengths of the axes as the target sees them.
    #[inline]
    pub(crate) fn shape(&self) -> &[u64] {
        match &self.axes {
            Axes::Squeezed(shape) => shape,
            Axes::Whole | Axes::Open { .. } => self.header.shape(),
        }
    }

    pub(crate) fn is_open(&self) -> bool {
        matches!(self.axes, Axes::Open { .. })
    }

    /// Whether the array is open and can be seen with so many axes.
    pub(crate) fn may_have(&self, axes: usize) -> bool {
        matches!(self.fit(axes), Some(Fit::One(_)))
    }

    /// The shape of so many axes, if the array is open and has just one.
    fn fit(&self, asked: usize) -> Option<Fit> {
        let Axes::Open { settled } = self.axes else { return None };
        let (before, shape) = self.header.shape().split_at(settled);
        Some(match squeezed(shape, asked.checked_sub(settled)?) {
            Fit::One(squeezed) => Fit::One([before, &squeezed].concat()),
            fit => fit,
        })
    }

    /// Settles that the target asks for so many axes. Where they do not fit, the array is seen as it is.
    pub(crate) fn settle(&mut self, asked: usize) -> Result<()> {
        let Some(fit) = self.fit(asked) else { return Ok(()) };
        self.axes = match fit {
            Fit::One(shape) => Axes::Squeezed(shape),
            Fit::None => Axes::Whole,
            Fit::Several => {
                let plural = if asked == 1 { "axis" } else { "axes" };
                return Err(Error::new(
                    ErrorKind::TypeMismatch,
                    format_args!(
                        "found the shape {}, expected {asked} {plural}: axes of length 1 can be dropped or added in several \
                         ways",
                        Tuple(self.header.shape())
                    ),
                ));
            }
        };
        Ok(())
    }

    /// Settles that the target asks for so many axes, if there is a shape of so many for which `fits`.
    pub(crate) fn settle_if(&mut self, asked: usize, fits: &dyn Fn(&[u64]) -> bool) -> bool {
        match self.fit(asked) {
            Some(Fit::One(shape)) if fits(&shape) => {
                self.axes = Axes::Squeezed(shape);
                true
            }
            _ => false,
        }
    }

    /// The axes that are not settled, of an array that is open.
    pub(crate) fn open_axes(&self) -> Option<&[u64]> {
        match self.axes {
            Axes::Open { settled } => self.header.shape().get(settled..),
            Axes::Whole | Axes::Squeezed(_) => None,
        }
    }

    /// Settles that the array is seen as it is.
    pub(crate) fn settle_whole(&mut self) {
        if self.is_open() {
            self.axes = Axes::Whole;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_axes_of_length_1_are_dropped_or_added() {
        let one = |shape: &[u64]| Fit::One(shape.to_vec());
        for (shape, asked, fit) in [
            (&[3, 1][..], 1, one(&[3])),
            (&[1, 3], 1, one(&[3])),
            (&[1, 3], 2, one(&[1, 3])),
            (&[1, 1], 0, one(&[])),
            (&[1, 1], 1, one(&[1])),
            (&[], 3, one(&[1, 1, 1])),
            (&[1], 2, one(&[1, 1])),
            (&[3], 2, Fit::Several),
            (&[3], 0, Fit::None),
            (&[2, 3], 1, Fit::None),
            (&[1, 2, 3], 2, one(&[2, 3])),
            (&[2, 1, 3], 2, one(&[2, 3])),
            (&[1, 3, 1], 2, Fit::Several),
            (&[1, 1, 3], 2, one(&[1, 3])),
            (&[3, 1, 1, 1], 3, one(&[3, 1, 1])),
            (&[1, 0], 1, one(&[0])),
            (&[0, 0], 1, Fit::None),
            (&[1, 2, 1, 3, 1], 2, one(&[2, 3])),
        ] {
            assert_eq!(squeezed(shape, asked), fit, "{shape:?} as {asked}");
        }
    }
}
