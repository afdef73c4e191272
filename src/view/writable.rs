//! [`ArrayViewMut`]: a view whose elements can be changed in place.

use std::fmt;
use std::ops::RangeBounds;

use super::strides::Strided;
use super::{ArrayView, Element, Elements};
#[cfg(feature = "mmap")]
use super::{check_aligned, check_fit, check_len, layout, no_elements};
use crate::error::Result;
#[cfg(feature = "mmap")]
use crate::format::header::Header;

/// An array whose elements are a slice that can be changed: see [`ArrayView`].
///
/// ```
/// let mut elements = [1, 2, 3, 4];
/// let mut view = serde_npz::ArrayViewMut::new(&mut elements, &[2, 2])?;
/// view.row_mut(1)?.as_mut_slice().fill(7);
/// assert_eq!(elements, [1, 2, 7, 7]);
/// # Ok::<(), serde_npz::Error>(())
/// ```
pub struct ArrayViewMut<'a, T> {
    elements: &'a mut [T],
    layout: Strided,
}

impl<'a, T: Element> ArrayViewMut<'a, T> {
    /// A slice in C order, the last axis running fastest, as an array of `shape`.
    ///
    /// ```
    /// let mut elements = [0.0; 6];
    /// serde_npz::ArrayViewMut::new(&mut elements, &[2, 3])?;
    /// # Ok::<(), serde_npz::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// `InvalidValue` where the shape has more or fewer elements.
    pub fn new(elements: &'a mut [T], shape: &[usize]) -> Result<Self> {
        let layout = Strided::new(shape, false, elements.len())?;
        Ok(ArrayViewMut { elements, layout })
    }

    /// The same elements as an [`ArrayView`], with all its methods.
    ///
    /// ```
    /// let mut elements = [1, 2];
    /// let view = serde_npz::ArrayViewMut::new(&mut elements, &[2])?;
    /// assert_eq!(view.view().get(&[1]), Some(2));
    /// # Ok::<(), serde_npz::Error>(())
    /// ```
    pub fn view(&self) -> ArrayView<'_, T> {
        ArrayView {
            elements: Elements::Lent(self.elements),
            layout: self.layout.clone(),
        }
    }

    /// The lengths of the axes; none for a single value.
    ///
    /// ```
    /// assert_eq!(serde_npz::ArrayViewMut::new(&mut [1, 2, 3], &[3, 1])?.shape(), [3, 1]);
    /// # Ok::<(), serde_npz::Error>(())
    /// ```
    pub fn shape(&self) -> &[usize] {
        &self.layout.shape
    }

    /// All elements as they lie in memory, in C or Fortran order.
    ///
    /// ```
    /// let mut elements = [1, 2];
    /// serde_npz::ArrayViewMut::new(&mut elements, &[2])?.as_mut_slice()[0] = 5;
    /// assert_eq!(elements, [5, 2]);
    /// # Ok::<(), serde_npz::Error>(())
    /// ```
    pub fn as_mut_slice(&mut self) -> &mut [T] {
        self.elements
    }

    /// The element at an index of as many numbers as there are axes.
    ///
    /// ```
    /// let mut elements = [1, 2, 3, 4];
    /// let mut view = serde_npz::ArrayViewMut::new(&mut elements, &[2, 2])?;
    /// if let Some(corner) = view.get_mut(&[1, 1]) {
    ///     *corner = 0;
    /// }
    /// assert_eq!(elements, [1, 2, 3, 0]);
    /// # Ok::<(), serde_npz::Error>(())
    /// ```
    pub fn get_mut(&mut self, index: &[usize]) -> Option<&mut T> {
        self.elements.get_mut(self.layout.offset(index)?)
    }

    /// The row at an index of the first axis.
    ///
    /// ```
    /// let mut elements = [1, 2, 3, 4];
    /// serde_npz::ArrayViewMut::new(&mut elements, &[2, 2])?.row_mut(0)?.as_mut_slice()[1] = 9;
    /// assert_eq!(elements, [1, 9, 3, 4]);
    /// # Ok::<(), serde_npz::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// Those of [`ArrayView::row`], and `TypeMismatch` for an array of several axes in Fortran order, whose rows are
    /// scattered.
    pub fn row_mut(&mut self, index: usize) -> Result<ArrayViewMut<'_, T>> {
        let (pieces, layout) = self.layout.row(index)?;
        let range = pieces.to_lend(&self.layout)?;
        Ok(ArrayViewMut {
            elements: &mut self.elements[range],
            layout,
        })
    }

    /// A part of the first axis.
    ///
    /// ```
    /// let mut elements = [1, 2, 3, 4];
    /// serde_npz::ArrayViewMut::new(&mut elements, &[4])?.slice_mut(1..3)?.as_mut_slice().fill(0);
    /// assert_eq!(elements, [1, 0, 0, 4]);
    /// # Ok::<(), serde_npz::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// Those of [`ArrayView::row`], and `TypeMismatch` for an array of several axes in Fortran order, whose rows are
    /// scattered.
    pub fn slice_mut(&mut self, range: impl RangeBounds<usize>) -> Result<ArrayViewMut<'_, T>> {
        let (pieces, layout) = self.layout.slice(range)?;
        let range = pieces.to_lend(&self.layout)?;
        Ok(ArrayViewMut {
            elements: &mut self.elements[range],
            layout,
        })
    }

    /// Lends the data of an array without a copy.
    #[cfg(feature = "mmap")]
    pub(crate) fn lend(header: &Header, data: &'a mut [u8]) -> Result<Self> {
        check_len(header, data)?;
        check_fit::<T>(header)?;
        if data.is_empty() {
            return Ok(ArrayViewMut {
                elements: &mut [],
                layout: layout(header, 0)?,
            });
        }
        check_aligned::<T>(data)?;
        // Checked before `cast_mut`, which would keep `data` borrowed for the error's message.
        if T::cast(data).is_none() {
            return Err(no_elements::<T>(data));
        }
        let elements = T::cast_mut(data).unwrap_or_default();
        let layout = layout(header, elements.len())?;
        Ok(ArrayViewMut { elements, layout })
    }
}

impl<T: Element> fmt::Debug for ArrayViewMut<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.view().debug("ArrayViewMut", f)
    }
}
