//! Rows to bytes: the header of an array of them, and the rows that have not been written yet.
//!
//! ```text
//! push(&[1.0, 2.0])    the first row decides the layout: <f8, (0, 2)
//! push(&[3.0, 4.0])    every further row is compared with it while it is encoded
//! gathered()           00 00 00 00 00 00 f0 3f ..    both, one behind the other
//! ```
//!
//! Where a file or a header decides the dtype, rows that have another one are converted: see [`place`](super::place).
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
use crate::npy::rows::place::Step;
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
    /// The dtype was decided before the first row.
    stated: bool,
    /// The most characters of the header.
    max_header_size: usize,
    /// How a row of the layout gets into its place, if it is not put there as it is.
    step: Option<Step>,
    /// A row on its way into its place.
    packed: Vec<u8>,
}

impl RowEncoder {
    /// Sets the most characters that the header of a first row may have.
    pub(super) fn bound_header(&mut self, max_header_size: usize) {
        self.max_header_size = max_header_size;
    }

    /// For rows of an array whose layout the first one decides.
    pub(crate) fn new(max_header_size: usize) -> Self {
        RowEncoder {
            max_header_size,
            ..RowEncoder::default()
        }
    }

    /// For rows of an array with this header, behind those that it has.
    pub(super) fn stated(head: Head) -> Self {
        RowEncoder {
            rows: head.header().shape().first().copied().unwrap_or_default(),
            stated: true,
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
        if pushed.is_ok() && self.step.is_none() {
            self.rows += 1;
            return Ok(());
        }
        let pushed = match pushed {
            Err(error) => self.push_again(row, start, error),
            pushed => pushed,
        };
        self.finish_row(start, pushed)
    }

    /// Brings a row into its place, or takes out one that was refused.
    #[cold]
    fn finish_row(&mut self, start: usize, pushed: Result<()>) -> Result<()> {
        match pushed.and_then(|()| self.place(start)) {
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

    /// A row that is not laid out as the one before: where the dtype was decided beforehand, it may be converted in
    /// another way; elsewhere measuring tells why it was refused, which encoding does not.
    #[cold]
    fn push_again<T: Serialize + ?Sized>(&mut self, row: &T, start: usize, error: Error) -> Result<()> {
        match (&self.head, &self.layout) {
            (Some(head), Some((layout, _))) if head.has_room(self.rows) => {
                if self.stated {
                    self.gathered.len = start;
                    return self.push_first(row);
                }
                let found = measure(row).and_then(|found| fit::next(found, layout));
                Err(found.err().unwrap_or(error))
            }
            _ => Err(error),
        }
    }

    #[cold]
    fn push_first<T: Serialize + ?Sized>(&mut self, row: &T) -> Result<()> {
        let found = measure(row)?;
        let (layout, step) = match &self.head {
            Some(head) => {
                head.check(self.rows)?;
                let (layout, step) = fit::in_file(found, head.header())?;
                (layout, step.packed().is_none().then_some(step))
            }
            None => (fit::first(found)?, None),
        };
        let slots = Slots::of_rows(&layout);
        self.gathered.put(row, &slots)?;
        if self.head.is_none() {
            self.head = Some(Head::new(fit::header(&layout, 0)?, self.max_header_size)?);
        }
        self.layout = Some((layout, slots));
        self.step = step;
        Ok(())
    }

    /// Brings the row at `start` from our order into its place.
    fn place(&mut self, start: usize) -> Result<()> {
        let (Some(head), Some(step)) = (&self.head, &self.step) else {
            return Ok(());
        };
        let (dtype, shape) = (head.header().dtype(), head.header().shape());
        let len = shape.iter().skip(1).product::<u64>() * dtype.itemsize();
        self.packed.clear();
        self.packed.extend_from_slice(&self.gathered.bytes()[start..]);
        step.place(&self.packed, self.gathered.replace(start, in_memory(len))?)
    }

    /// Decides the layout of an array that no row came for: `<f8`.
    pub(crate) fn settle(&mut self) -> Result<()> {
        if self.head.is_none() {
            let header = fit::header(&Layout::Scalar(ScalarLayout::Number(Number::F64)), 0)?;
            self.head = Some(Head::new(header, self.max_header_size)?);
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
