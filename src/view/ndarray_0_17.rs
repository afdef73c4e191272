//! Views of ndarray 0.17 and ours, each from the other without a copy.

use ndarray::{ArrayView as Theirs, Dimension, Shape, ShapeBuilder};

use super::{ArrayView, Element};
use crate::error::{Error, ErrorKind, Result};

/// The same elements under ndarray's methods, in the order in which they lie.
///
/// ```
/// use ndarray::{ArrayView2, array};
///
/// let view = serde_npz::ArrayView::fortran(&[1, 2, 3, 4, 5, 6], &[2, 3])?;
/// let theirs = ArrayView2::try_from(&view)?;
/// assert_eq!(theirs, array![[1, 3, 5], [2, 4, 6]]);
/// assert_eq!(theirs.as_ptr(), view.as_slice().as_ptr());
/// # Ok::<(), serde_npz::Error>(())
/// ```
///
/// # Errors
///
/// `TypeMismatch` for a view of another number of axes.
impl<'a, T: Element, D: Dimension> TryFrom<&'a ArrayView<'_, T>> for Theirs<'a, T, D> {
    type Error = Error;

    fn try_from(view: &'a ArrayView<'_, T>) -> Result<Self> {
        let shape = view.shape();
        if let Some(axes) = D::NDIM
            && axes != shape.len()
        {
            return Err(Error::new(
                ErrorKind::TypeMismatch,
                format_args!("found a view of {} axes, expected {axes}", shape.len()),
            ));
        }
        let shape = Shape::from(dim::<D>(shape)).set_f(view.fortran_order());
        Theirs::from_shape(shape, view.as_slice()).map_err(|err| {
            Error::new(
                ErrorKind::InvalidValue,
                format_args!("found a view that ndarray does not take, expected one that fits into memory: {err}"),
            )
        })
    }
}

/// The same elements as a view of this crate, where they lie side by side in C or in Fortran order.
///
/// ```
/// let array = ndarray::array![[1, 2, 3], [4, 5, 6]];
/// let view = serde_npz::ArrayView::try_from(array.t())?;
/// assert!(view.fortran_order());
/// assert_eq!((view.shape(), view.as_slice()), (&[3, 2][..], &[1, 2, 3, 4, 5, 6][..]));
/// # Ok::<(), serde_npz::Error>(())
/// ```
///
/// # Errors
///
/// `InvalidValue` for any other layout, which has to be copied first.
impl<'a, T: Element, D: Dimension> TryFrom<Theirs<'a, T, D>> for ArrayView<'a, T> {
    type Error = Error;

    fn try_from(theirs: Theirs<'a, T, D>) -> Result<Self> {
        if let Some(elements) = theirs.to_slice() {
            return ArrayView::new(elements, theirs.shape());
        }
        let shape = theirs.shape().to_vec();
        match theirs.reversed_axes().to_slice() {
            Some(elements) => ArrayView::fortran(elements, &shape),
            None => Err(Error::new(
                ErrorKind::InvalidValue,
                "found an array whose elements do not lie side by side, expected C or Fortran order",
            )
            .with_hint("`as_standard_layout` makes a copy that does")),
        }
    }
}

/// A shape as ndarray has it; the lengths are as many as `D` has axes.
pub(crate) fn dim<D: Dimension>(shape: &[usize]) -> D {
    let mut dim = D::zeros(shape.len());
    for (axis, &len) in shape.iter().enumerate() {
        dim[axis] = len;
    }
    dim
}
