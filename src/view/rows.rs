//! Rows of an array in memory: one after another, or some of them as any type. In Fortran order they are gathered.

use std::fmt;
use std::iter::FusedIterator;
use std::ops::Range;
#[cfg(feature = "mmap")]
use std::ops::RangeBounds;

#[cfg(feature = "mmap")]
use super::layout;
use super::strides::Strided;
use super::{ArrayView, Element};
#[cfg(feature = "mmap")]
use crate::error::Result;
#[cfg(feature = "mmap")]
use crate::format::header::Header;
#[cfg(feature = "mmap")]
use crate::io::source::{Slice, Stream, in_memory};
#[cfg(feature = "mmap")]
use crate::npy::de::read_array;
#[cfg(feature = "mmap")]
use crate::options::ReadOptions;

/// The rows of an [`ArrayView`], from [`ArrayView::rows`].
///
/// ```
/// let view = serde_npz::ArrayView::new(&[1, 2, 3, 4], &[2, 2])?;
/// let mut rows = view.rows()?;
/// assert_eq!(rows.len(), 2);
/// assert_eq!(rows.next_back().unwrap().as_slice(), [3, 4]);
/// # Ok::<(), serde_npz::Error>(())
/// ```
#[derive(Clone)]
#[must_use = "iterators are lazy"]
pub struct ArrayRows<'a, T: Element> {
    view: ArrayView<'a, T>,
    left: Range<usize>,
    /// Rows that lie apart in the array, copied together, and the index of the first of them.
    block: Option<(usize, ArrayView<'a, T>)>,
}

impl<'a, T: Element> ArrayRows<'a, T> {
    pub(super) fn new(view: ArrayView<'a, T>, rows: usize) -> Self {
        ArrayRows {
            view,
            left: 0..rows,
            block: None,
        }
    }

    /// The row at an index; if it has to be copied, then with rows of `near` beside it.
    fn row(&mut self, index: usize, near: Range<usize>) -> Option<ArrayView<'a, T>> {
        if !self.view.layout.is_scattered() {
            return self.view.row(index).ok();
        }
        if let Some((first, block)) = &self.block
            && let Some(at) = index.checked_sub(*first)
            && let Ok(row) = block.row(at)
        {
            return Some(row);
        }
        let block = self.view.slice(near.clone()).ok()?;
        let shape = block.shape().to_vec();
        let elements = block.to_vec();
        let layout = Strided::new(&shape, false, elements.len()).ok()?;
        let (first, block) = self.block.insert((near.start, ArrayView::own(elements, layout)));
        block.row(index - *first).ok()
    }

    /// How many rows are copied together: some, so that each part of the array's memory is looked at once.
    fn together(&self) -> usize {
        let row = self.view.layout.row_len().saturating_mul(size_of::<T>()).max(1);
        (BLOCK / row).max(16)
    }
}

/// So many bytes of rows are copied together, at least.
const BLOCK: usize = 64 * 1024;

impl<'a, T: Element> Iterator for ArrayRows<'a, T> {
    type Item = ArrayView<'a, T>;

    fn next(&mut self) -> Option<Self::Item> {
        let index = self.left.next()?;
        let near = index..self.left.end.min(index.saturating_add(self.together()));
        self.row(index, near)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.left.size_hint()
    }
}

impl<T: Element> DoubleEndedIterator for ArrayRows<'_, T> {
    fn next_back(&mut self) -> Option<Self::Item> {
        let index = self.left.next_back()?;
        let near = self.left.start.max((index + 1).saturating_sub(self.together()))..index + 1;
        self.row(index, near)
    }
}

impl<T: Element> ExactSizeIterator for ArrayRows<'_, T> {}

impl<T: Element> FusedIterator for ArrayRows<'_, T> {}

impl<T: Element> fmt::Debug for ArrayRows<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ArrayRows")
            .field("left", &self.left.len())
            .finish_non_exhaustive()
    }
}

/// Reads a part of the first axis of an array as any type, and touches nothing else of its data.
#[cfg(feature = "mmap")]
pub(crate) fn read_rows<'a, T: ::serde::Deserialize<'a>>(
    header: &Header,
    data: &'a [u8],
    range: impl RangeBounds<usize>,
    options: &ReadOptions,
) -> Result<T> {
    let whole = layout(header, usize::try_from(header.count()).unwrap_or(usize::MAX))?;
    let (pieces, part) = whole.slice(range)?;
    let shape = part.shape.iter().map(|&axis| axis as u64).collect();
    let header = Header::new(header.dtype().clone(), shape, header.fortran_order())?;
    // The data is in memory, so the bytes of its elements can be counted.
    let pieces = pieces.in_bytes(in_memory(header.dtype().itemsize()));
    if let Some(range) = pieces.only() {
        return read_array(header, &mut Slice(&data[range]), options);
    }
    let known_len = pieces.total() as u64;
    let mut scattered = Scattered {
        now: &[],
        rest: pieces.ranges().map(|range| &data[range]),
    };
    read_array(header, &mut Stream::with_known_len(&mut scattered, known_len), options)
}

/// Slices one behind the other.
#[cfg(feature = "mmap")]
struct Scattered<'a, I> {
    now: &'a [u8],
    rest: I,
}

#[cfg(feature = "mmap")]
impl<'a, I: Iterator<Item = &'a [u8]>> std::io::Read for Scattered<'a, I> {
    fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
        let mut filled = 0;
        while filled < into.len() {
            if self.now.is_empty() {
                let Some(next) = self.rest.next() else { break };
                self.now = next;
            }
            let len = self.now.len().min(into.len() - filled);
            let (piece, rest) = self.now.split_at(len);
            into[filled..filled + len].copy_from_slice(piece);
            (self.now, filled) = (rest, filled + len);
        }
        Ok(filled)
    }
}
