//! Rows to bytes: the header of an array of them, and the rows that have not been written yet.
//!
//! ```text
//! push(&[1.0, 2.0])    the first row decides the layout: <f8, (0, 2)
//! push(&[3.0, 4.0])    every further row is compared with it while it is encoded
//! gathered()           00 00 00 00 00 00 f0 3f ..    both, one behind the other
//! ```
//!
//! One buffer serves all rows, so that a row costs neither an allocation nor a copy of its own.

use std::mem;
use std::ops::Range;

use serde::Serialize;

use crate::error::{Error, Result};
use crate::io::source::in_memory;
use crate::npy::layout::measure::measure;
use crate::npy::layout::scalar::ScalarLayout;
use crate::npy::layout::tree::Layout;
use crate::npy::rows::fit;
use crate::npy::rows::head::Head;
use crate::npy::ser::slots::Slots;
use crate::npy::sink::{CHUNK, Out, reserve};
use crate::npy::whole;
use crate::npy::whole::Number;

/// Encodes rows of one layout, and holds them until they are written.
#[derive(Default)]
pub(crate) struct RowEncoder {
    /// Known from the first row on, or from the beginning where rows are added to a file.
    head: Option<Head>,
    /// The layout of a row, known from the first one on, and the same as slots.
    layout: Option<(Layout, Slots)>,
    /// How many rows there are, those in the file included.
    rows: u64,
    gathered: Gathered,
    /// Whether the file has another byte order than ours, or padding between fields.
    foreign: bool,
    /// A row in our order, on its way into that of the file.
    packed: Vec<u8>,
}

impl RowEncoder {
    /// For rows that are added to a file with this header.
    pub(super) fn added_to(head: Head) -> Self {
        let dtype = head.header().dtype();
        RowEncoder {
            rows: head.header().shape().first().copied().unwrap_or_default(),
            foreign: dtype.itemsize() > 0 && fit::differs(dtype),
            head: Some(head),
            ..RowEncoder::default()
        }
    }

    pub(crate) fn rows(&self) -> u64 {
        self.rows
    }

    /// The bytes of the header, as [`RowEncoder::count`] left them; `None` as long as nothing decides the layout.
    pub(crate) fn header(&self) -> Option<&[u8]> {
        self.head.as_ref().map(Head::bytes)
    }

    /// The bytes of the rows since [`RowEncoder::clear`].
    pub(crate) fn gathered(&self) -> &[u8] {
        self.gathered.bytes()
    }

    /// Whether enough has been gathered to be worth writing.
    #[inline]
    pub(crate) fn is_full(&self) -> bool {
        self.gathered.len >= CHUNK
    }

    /// Forgets the bytes gathered, once they are written.
    pub(crate) fn clear(&mut self) {
        self.gathered.len = 0;
    }

    /// Keeps the first `rows` rows, where none are gathered. Returns how many bytes these have.
    pub(super) fn truncate(&mut self, rows: u64) -> u64 {
        self.rows = rows;
        let Some(header) = self.head.as_ref().map(Head::header) else {
            return 0;
        };
        let elements: u64 = header.shape().iter().skip(1).product();
        rows * elements * header.dtype().itemsize()
    }

    /// Adds one row. A row with an error is not added.
    #[inline]
    pub(crate) fn push<T: Serialize + ?Sized>(&mut self, row: &T) -> Result<()> {
        let start = self.gathered.len;
        let pushed = match (&self.head, &self.layout) {
            (Some(head), Some((_, slots))) if head.has_room(self.rows) => self.gathered.put(row, slots),
            _ => self.push_first(row),
        };
        if pushed.is_ok() && !self.foreign {
            self.rows += 1;
            return Ok(());
        }
        self.finish_row(start, pushed.map_err(|error| self.explain(row, error)))
    }

    /// Brings a row into the order of the file, or takes out one that was refused.
    #[cold]
    fn finish_row(&mut self, start: usize, pushed: Result<()>) -> Result<()> {
        match pushed.and_then(|()| self.arrange(start)) {
            Ok(()) => {
                self.rows += 1;
                Ok(())
            }
            Err(error) => {
                self.gathered.len = start;
                Err(error.at_index(self.rows))
            }
        }
    }

    /// Why a row was refused: encoding it shows only that it leaves the layout, measuring it tells how.
    #[cold]
    fn explain<T: Serialize + ?Sized>(&self, row: &T, error: Error) -> Error {
        match (&self.head, &self.layout) {
            (Some(head), Some((layout, _))) if head.has_room(self.rows) => {
                let found = measure(row).and_then(|found| fit::next(found, layout));
                found.err().unwrap_or(error)
            }
            _ => error,
        }
    }

    #[cold]
    fn push_first<T: Serialize + ?Sized>(&mut self, row: &T) -> Result<()> {
        let found = measure(row)?;
        let layout = match &self.head {
            Some(head) => {
                head.check(self.rows)?;
                fit::in_file(found, head.header())?
            }
            None => fit::first(found)?,
        };
        let slots = Slots::of_rows(&layout);
        self.gathered.put(row, &slots)?;
        if self.head.is_none() {
            self.head = Some(Head::new(fit::header(&layout, 0)?)?);
        }
        self.layout = Some((layout, slots));
        Ok(())
    }

    /// Brings the row at `start` from our order into that of the file.
    fn arrange(&mut self, start: usize) -> Result<()> {
        match &self.head {
            Some(head) if self.foreign => {
                let (dtype, shape) = (head.header().dtype(), head.header().shape());
                let len = shape.iter().skip(1).product::<u64>() * dtype.itemsize();
                self.packed.clear();
                self.packed.extend_from_slice(&self.gathered.bytes()[start..]);
                let mut packed = &self.packed[..];
                let elements = self.gathered.replace(start, in_memory(len))?;
                elements
                    .chunks_exact_mut(in_memory(dtype.itemsize()))
                    .for_each(|element| fit::place(dtype, &mut packed, element));
                Ok(())
            }
            _ => Ok(()),
        }
    }

    /// Decides the layout of an array that no row came for: `<f8`.
    pub(crate) fn settle(&mut self) -> Result<()> {
        if self.head.is_none() {
            self.head = Some(Head::new(fit::header(
                &Layout::Scalar(ScalarLayout::Number(Number::F64)),
                0,
            )?)?);
        }
        Ok(())
    }

    /// Brings the header up to date; returns where it changed, and what it was there.
    pub(crate) fn count(&mut self) -> Option<(Range<usize>, Vec<u8>)> {
        self.head.as_mut().map(|head| head.set(self.rows))
    }
}

/// The bytes of rows, in a buffer that is never shorter than they are.
#[derive(Default)]
struct Gathered {
    buffer: Vec<u8>,
    len: usize,
}

impl Gathered {
    fn bytes(&self) -> &[u8] {
        &self.buffer[..self.len]
    }

    /// Appends a row in our own order: packed, little-endian.
    #[inline(always)]
    fn put<T: Serialize + ?Sized>(&mut self, row: &T, slots: &Slots) -> Result<()> {
        if let Some((number, bytes)) = whole::number(row)
            && slots.number() == Some(number)
            && let Some(free) = self.buffer.get_mut(self.len..self.len + bytes.len())
        {
            free.copy_from_slice(bytes);
            self.len += bytes.len();
            return Ok(());
        }
        self.serialize(row, slots)
    }

    #[inline(always)]
    fn serialize<T: Serialize + ?Sized>(&mut self, row: &T, slots: &Slots) -> Result<()> {
        let mut lent = Lent {
            out: Out::appending(mem::take(&mut self.buffer), self.len),
            gathered: self,
        };
        slots.put(row, &mut lent.out)?;
        lent.gathered.len = lent.out.len();
        Ok(())
    }

    /// Exchanges what lies behind `start` for `len` zeros, which are to be filled.
    fn replace(&mut self, start: usize, len: usize) -> Result<&mut [u8]> {
        self.len = start + len;
        if self.len > self.buffer.len() {
            reserve(&mut self.buffer, self.len)?;
            self.buffer.resize(self.len, 0);
        }
        let replaced = &mut self.buffer[start..start + len];
        replaced.fill(0);
        Ok(replaced)
    }
}

/// The buffer while a row is put into it: it comes back even if the row panics, and other rows are in it.
struct Lent<'g> {
    gathered: &'g mut Gathered,
    out: Out<'static>,
}

impl Drop for Lent<'_> {
    #[inline(always)]
    fn drop(&mut self) {
        self.gathered.buffer = self.out.take();
    }
}
