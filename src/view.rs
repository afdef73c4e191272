//! [`ArrayView`]: an array as a slice with a shape, borrowed from a map or a buffer, or an owned copy.
//!
//! ```text
//! file    ─ header ─┬─ 64 k: data ──────────────┐
//! view      dtype ══ T, order native, aligned:  &[T]   shape, order
//!           misaligned, swapped, another dtype: Vec<T>, where a copy is asked for
//! ```

mod element;
#[cfg(feature = "mmap")]
#[allow(unsafe_code, reason = "mapping a file is a promise about all who may write to it")]
pub(crate) mod mmap;
#[cfg(feature = "ndarray-0_17")]
pub(crate) mod ndarray_0_17;
mod rows;
pub(crate) mod serde;
mod strides;
mod writable;

use std::borrow::Cow;
use std::fmt;
use std::ops::{Range, RangeBounds};
use std::sync::Arc;

use self::element::Fit;
pub(crate) use self::element::file_bytes;
pub use self::element::{Element, Sealed};
pub use self::rows::ArrayRows;
#[cfg(feature = "mmap")]
pub(crate) use self::rows::read_rows;
pub(crate) use self::serde::deserialize;
use self::strides::{Pieces, Strided};
pub use self::writable::ArrayViewMut;
use crate::error::{Error, ErrorKind, Result};
use crate::format::dtype::Tuple;
use crate::format::header::Header;
use crate::io::source::{Slice, truncated};
use crate::npy::de::read_array;
use crate::npy::de::transpose::transposed;
use crate::options::ReadOptions;

/// An array of any number of axes whose elements are a slice: lent from a file in memory, or owned.
///
/// The elements stand in the order of the file, C or Fortran, without gaps; cloning and taking parts copies none of
/// them.
///
/// ```
/// use serde_npz::ArrayView;
///
/// let view = ArrayView::new(&[0, 1, 2, 10, 11, 12], &[2, 3])?;
/// assert_eq!(view.get(&[1, 2]), Some(12));
/// assert_eq!(view.row(1)?.as_slice(), [10, 11, 12]);
/// # Ok::<(), serde_npz::Error>(())
/// ```
///
/// As a field it borrows from the bytes it is read from, and owns a copy where they are misaligned, in the other byte
/// order, or of another dtype that converts: see [`with::view`](crate::with::view).
#[derive(Clone)]
pub struct ArrayView<'a, T> {
    elements: Elements<'a, T>,
    layout: Strided,
}

#[derive(Clone)]
enum Elements<'a, T> {
    Lent(&'a [T]),
    Owned { all: Arc<Vec<T>>, part: Range<usize> },
}

impl<'a, T: Element> ArrayView<'a, T> {
    /// A slice in C order, the last axis running fastest, as an array of `shape`.
    ///
    /// ```
    /// let view = serde_npz::ArrayView::new(&[1.0, 2.0, 3.0, 4.0], &[2, 2])?;
    /// let bytes = serde_npz::to_npy_vec(&view)?;
    /// assert_eq!(bytes, serde_npz::to_npy_vec(&[[1.0, 2.0], [3.0, 4.0]])?);
    /// # Ok::<(), serde_npz::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// `InvalidValue` where the shape has more or fewer elements.
    pub fn new(elements: &'a [T], shape: &[usize]) -> Result<Self> {
        let layout = Strided::new(shape, false, elements.len())?;
        Ok(ArrayView {
            elements: Elements::Lent(elements),
            layout,
        })
    }

    /// A slice in Fortran order, the first axis running fastest, as an array of `shape`.
    ///
    /// ```
    /// let view = serde_npz::ArrayView::fortran(&[1, 3, 2, 4], &[2, 2])?;
    /// assert_eq!(view.to_vec(), [1, 2, 3, 4]);
    /// # Ok::<(), serde_npz::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// Those of [`ArrayView::new`].
    pub fn fortran(elements: &'a [T], shape: &[usize]) -> Result<Self> {
        let layout = Strided::new(shape, true, elements.len())?;
        Ok(ArrayView {
            elements: Elements::Lent(elements),
            layout,
        })
    }

    /// The lengths of the axes; none for a single value.
    ///
    /// ```
    /// assert_eq!(serde_npz::ArrayView::new(&[1, 2, 3], &[3, 1])?.shape(), [3, 1]);
    /// # Ok::<(), serde_npz::Error>(())
    /// ```
    pub fn shape(&self) -> &[usize] {
        &self.layout.shape
    }

    /// The distance between neighbours along each axis, in elements; NumPy counts bytes.
    ///
    /// ```
    /// assert_eq!(serde_npz::ArrayView::new(&[0.0; 6], &[2, 3])?.strides(), [3, 1]);
    /// assert_eq!(serde_npz::ArrayView::fortran(&[0.0; 6], &[2, 3])?.strides(), [1, 2]);
    /// # Ok::<(), serde_npz::Error>(())
    /// ```
    pub fn strides(&self) -> Vec<usize> {
        self.layout.strides()
    }

    /// Whether the first axis is the one that runs fastest, as the file says.
    ///
    /// ```
    /// assert!(!serde_npz::ArrayView::new(&[1, 2], &[2])?.fortran_order());
    /// # Ok::<(), serde_npz::Error>(())
    /// ```
    pub fn fortran_order(&self) -> bool {
        self.layout.fortran
    }

    /// How many elements there are.
    ///
    /// ```
    /// assert_eq!(serde_npz::ArrayView::new(&[0_u8; 6], &[2, 3])?.len(), 6);
    /// # Ok::<(), serde_npz::Error>(())
    /// ```
    pub fn len(&self) -> usize {
        self.as_slice().len()
    }

    /// Whether some axis is empty.
    ///
    /// ```
    /// assert!(serde_npz::ArrayView::<f64>::new(&[], &[0, 3])?.is_empty());
    /// # Ok::<(), serde_npz::Error>(())
    /// ```
    pub fn is_empty(&self) -> bool {
        self.as_slice().is_empty()
    }

    /// All elements as they lie in memory, in C order or as [`fortran_order`](Self::fortran_order) says.
    ///
    /// ```
    /// let view = serde_npz::ArrayView::fortran(&[1, 3, 2, 4], &[2, 2])?;
    /// assert_eq!(view.as_slice(), [1, 3, 2, 4]);
    /// # Ok::<(), serde_npz::Error>(())
    /// ```
    pub fn as_slice(&self) -> &[T] {
        match &self.elements {
            Elements::Lent(lent) => lent,
            Elements::Owned { all, part } => &all[part.clone()],
        }
    }

    /// The elements of [`as_slice`](Self::as_slice) for as long as the file is in memory; `None` where they were copied.
    ///
    /// ```
    /// let view = serde_npz::ArrayView::new(&[1, 2], &[2])?;
    /// assert_eq!(view.borrowed(), Some(&[1, 2][..]));
    /// # Ok::<(), serde_npz::Error>(())
    /// ```
    pub fn borrowed(&self) -> Option<&'a [T]> {
        match self.elements {
            Elements::Lent(lent) => Some(lent),
            Elements::Owned { .. } => None,
        }
    }

    /// The element at an index of as many numbers as there are axes.
    ///
    /// ```
    /// let view = serde_npz::ArrayView::new(&[1, 2, 3, 4], &[2, 2])?;
    /// assert_eq!((view.get(&[1, 0]), view.get(&[2, 0]), view.get(&[1])), (Some(3), None, None));
    /// # Ok::<(), serde_npz::Error>(())
    /// ```
    pub fn get(&self, index: &[usize]) -> Option<T> {
        self.as_slice().get(self.layout.offset(index)?).copied()
    }

    /// The row at an index of the first axis; the rest of the file is not touched.
    ///
    /// Of an array of several axes in Fortran order it is a copy: the elements of a row lie apart.
    ///
    /// ```
    /// let view = serde_npz::ArrayView::new(&[1, 2, 3, 4], &[2, 2])?;
    /// assert_eq!(view.row(1)?.as_slice(), [3, 4]);
    /// # Ok::<(), serde_npz::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// `InvalidValue` past the end; `TypeMismatch` for an array without axes.
    pub fn row(&self, index: usize) -> Result<ArrayView<'a, T>> {
        let (pieces, layout) = self.layout.row(index)?;
        Ok(self.part(&pieces, layout))
    }

    /// All rows, one after another. Those of an array of several axes in Fortran order are copied, many at a time.
    ///
    /// ```
    /// let view = serde_npz::ArrayView::new(&[1, 2, 3, 4], &[2, 2])?;
    /// let sums: Vec<i32> = view.rows()?.map(|row| row.as_slice().iter().sum()).collect();
    /// assert_eq!(sums, [3, 7]);
    /// # Ok::<(), serde_npz::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// `TypeMismatch` as for [`row`](Self::row).
    pub fn rows(&self) -> Result<ArrayRows<'a, T>> {
        Ok(ArrayRows::new(self.clone(), self.layout.rows()?))
    }

    /// A part of the first axis; the rest of the file is not touched. It is a copy where [`row`](Self::row) is one.
    ///
    /// ```
    /// let view = serde_npz::ArrayView::new(&[1, 2, 3, 4, 5, 6], &[3, 2])?;
    /// let part = view.slice(1..)?;
    /// assert_eq!((part.shape(), part.as_slice()), (&[2, 2][..], &[3, 4, 5, 6][..]));
    /// # Ok::<(), serde_npz::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// Those of [`row`](Self::row).
    pub fn slice(&self, range: impl RangeBounds<usize>) -> Result<ArrayView<'a, T>> {
        let (pieces, layout) = self.layout.slice(range)?;
        Ok(self.part(&pieces, layout))
    }

    /// The same elements with the axes in the opposite order, as NumPy's `.T`.
    ///
    /// ```
    /// let view = serde_npz::ArrayView::fortran(&[1, 3, 2, 4], &[2, 2])?; // [[1, 2], [3, 4]]
    /// assert_eq!(view.transposed().row(0)?.as_slice(), [1, 3]);
    /// # Ok::<(), serde_npz::Error>(())
    /// ```
    pub fn transposed(&self) -> ArrayView<'a, T> {
        ArrayView {
            elements: self.elements.clone(),
            layout: self.layout.transposed(),
        }
    }

    /// A copy in C order.
    ///
    /// ```
    /// let view = serde_npz::ArrayView::fortran(&[1, 3, 2, 4], &[2, 2])?;
    /// assert_eq!(view.to_vec(), [1, 2, 3, 4]);
    /// # Ok::<(), serde_npz::Error>(())
    /// ```
    pub fn to_vec(&self) -> Vec<T> {
        if self.layout.is_c() {
            self.as_slice().to_vec()
        } else {
            transposed(self.as_slice(), self.shape())
        }
    }

    fn debug(&self, name: &str, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        /// As many as fit into a line of a log; a file may have billions.
        const SHOWN: usize = 8;
        let elements = self.as_slice();
        f.debug_struct(name)
            .field("shape", &self.shape())
            .field("fortran_order", &self.fortran_order())
            .field("first", &&elements[..elements.len().min(SHOWN)])
            .finish_non_exhaustive()
    }

    fn part(&self, pieces: &Pieces, layout: Strided) -> ArrayView<'a, T> {
        let Some(range) = pieces.only() else {
            let mut gathered = Vec::with_capacity(pieces.total());
            for range in pieces.ranges() {
                gathered.extend_from_slice(&self.as_slice()[range]);
            }
            return ArrayView::own(gathered, layout);
        };
        let elements = match &self.elements {
            Elements::Lent(lent) => Elements::Lent(&lent[range]),
            Elements::Owned { all, part } => Elements::Owned {
                all: Arc::clone(all),
                part: part.start + range.start..part.start + range.end,
            },
        };
        ArrayView { elements, layout }
    }

    /// Lends the data of an array without a copy.
    #[cfg(feature = "mmap")]
    pub(crate) fn lend(header: &Header, data: &'a [u8]) -> Result<Self> {
        let elements = lend(header, data)?;
        let layout = layout(header, elements.len())?;
        Ok(ArrayView {
            elements: Elements::Lent(elements),
            layout,
        })
    }

    /// Lends the data if that is possible, else makes a copy, converted as `options` allow.
    pub(crate) fn lend_or_copy(header: &Header, data: Cow<'a, [u8]>, options: &ReadOptions) -> Result<Self> {
        check_len(header, &data)?;
        if element::fit::<T>(header.dtype()) == Fit::Same
            && let Cow::Borrowed(data) = data
            && let Some(lent) = T::cast(data)
        {
            return Ok(ArrayView {
                elements: Elements::Lent(lent),
                layout: layout(header, lent.len())?,
            });
        }
        ArrayView::copy(header, &data, options)
    }

    fn copy(header: &Header, data: &[u8], options: &ReadOptions) -> Result<Self> {
        let copied = match element::fit::<T>(header.dtype()) {
            Fit::Other => convert(header, data, options)?,
            fit => {
                let mut copied = T::copy(data);
                if fit == Fit::Swapped {
                    copied.iter_mut().for_each(|element| *element = element.swapped());
                }
                copied
            }
        };
        ArrayView::owned(header, copied)
    }

    /// The elements of an array in the order of its header.
    fn owned(header: &Header, elements: Vec<T>) -> Result<Self> {
        let layout = layout(header, elements.len())?;
        Ok(ArrayView::own(elements, layout))
    }

    fn own(elements: Vec<T>, layout: Strided) -> Self {
        ArrayView {
            elements: Elements::Owned {
                part: 0..elements.len(),
                all: Arc::new(elements),
            },
            layout,
        }
    }

    /// A slice as an array of one axis.
    pub(crate) fn row_of(elements: &'a [T]) -> Self {
        ArrayView {
            elements: Elements::Lent(elements),
            layout: Strided {
                shape: vec![elements.len()],
                fortran: false,
            },
        }
    }

    /// The elements of an array of one axis. They are copied if another view shares them.
    pub(crate) fn into_row(self) -> Result<Cow<'a, [T]>> {
        if self.shape().len() != 1 {
            return Err(Error::new(
                ErrorKind::TypeMismatch,
                format_args!("found an array of the shape {}, expected one axis", Tuple(self.shape())),
            )
            .with_hint("an `ArrayView` takes any number of axes"));
        }
        Ok(match self.elements {
            Elements::Lent(lent) => Cow::Borrowed(lent),
            Elements::Owned { all, part } => Cow::Owned(match Arc::try_unwrap(all) {
                Ok(all) if part == (0..all.len()) => all,
                Ok(all) => all[part].to_vec(),
                Err(all) => all[part].to_vec(),
            }),
        })
    }
}

impl<T: Element> PartialEq for ArrayView<'_, T> {
    /// Equal shapes and equal elements, in any order in memory.
    fn eq(&self, other: &Self) -> bool {
        self.shape() == other.shape()
            && if self.layout.is_c() == other.layout.is_c() {
                self.as_slice() == other.as_slice()
            } else {
                self.to_vec() == other.to_vec()
            }
    }
}

impl<T: Element> fmt::Debug for ArrayView<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.debug("ArrayView", f)
    }
}

/// The data of an array as elements, or the reason why it cannot be lent.
#[cfg(feature = "mmap")]
fn lend<'a, T: Element>(header: &Header, data: &'a [u8]) -> Result<&'a [T]> {
    check_len(header, data)?;
    check_fit::<T>(header)?;
    if data.is_empty() {
        return Ok(&[]);
    }
    check_aligned::<T>(data)?;
    T::cast(data).ok_or_else(|| no_elements::<T>(data))
}

fn check_len(header: &Header, data: &[u8]) -> Result<()> {
    if data.len() as u64 == header.data_len() {
        Ok(())
    } else {
        Err(truncated(data.len() as u64, header.data_len()))
    }
}

#[cfg(feature = "mmap")]
fn check_fit<T: Element>(header: &Header) -> Result<()> {
    let (found, expected) = (header.dtype(), T::dtype());
    match element::fit::<T>(found) {
        Fit::Same => Ok(()),
        Fit::Swapped => Err(not_lent(format_args!(
            "found {found}, whose bytes are in the other order, expected {expected}"
        ))),
        Fit::Other => Err(not_lent(format_args!("found {found}, expected {expected}"))),
    }
}

#[cfg(feature = "mmap")]
fn check_aligned<T>(data: &[u8]) -> Result<()> {
    let off = data.as_ptr().addr() % align_of::<T>();
    if off == 0 {
        return Ok(());
    }
    Err(not_lent(format_args!(
        "found data that begins {off} bytes behind a multiple of {}, as NumPy's own archives may have it, expected it at \
         a multiple",
        align_of::<T>()
    )))
}

#[cfg(feature = "mmap")]
#[cold]
fn not_lent(why: fmt::Arguments<'_>) -> Error {
    Error::new(
        ErrorKind::TypeMismatch,
        format_args!("{why}: it cannot be lent without a copy"),
    )
    .with_hint("`read`, `get` or `load_*` make a converted copy; archives saved by this crate have their data aligned")
}

/// The error for bytes of the right dtype, length and alignment that are not valid elements: only bools have such.
#[cfg(feature = "mmap")]
#[cold]
fn no_elements<T: Element>(data: &[u8]) -> Error {
    let wrong = data.iter().enumerate().find(|(_, byte)| **byte > 1);
    let (at, byte) = wrong.map_or((0, 0), |(at, byte)| (at, *byte));
    Error::new(
        ErrorKind::InvalidValue,
        format_args!(
            "found the byte {byte} as element {at} of {}, expected 0 or 1",
            T::dtype()
        ),
    )
    .with_hint("`read`, `get` or `load_*` make a copy, in which it is true, as in NumPy")
}

/// Elements of another dtype, in the order of the file.
fn convert<T: Element>(header: &Header, data: &[u8], options: &ReadOptions) -> Result<Vec<T>> {
    let flat = Header::new(header.dtype().clone(), vec![header.count()], false)?;
    read_array(flat, &mut Slice(data), options).map_err(Error::without_path)
}

fn layout(header: &Header, len: usize) -> Result<Strided> {
    let shape: Option<Vec<usize>> = header.shape().iter().map(|&axis| usize::try_from(axis).ok()).collect();
    match shape {
        Some(shape) => Strided::new(&shape, header.fortran_order(), len),
        None => Err(Error::new(
            ErrorKind::LimitExceeded,
            format_args!(
                "found the shape {}, expected axes that fit into memory",
                Tuple(header.shape())
            ),
        )),
    }
}
