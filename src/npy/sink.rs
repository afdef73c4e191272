//! Bytes out: `begin(&Header)`, then data.
//!
//! ```text
//! begin(header) ─► \x93NUMPY .. {'descr': ..} \n
//! write(bytes)  ─► 00 00 00 00 00 00 f0 3f ..      as often as there is data
//! ```

use std::io::{self, Write};

use crate::error::{Error, ErrorKind, Result};
use crate::format::header::Header;
use crate::io::checked::Checked;
use crate::io::source::in_memory;
use crate::options::WriteOptions;
use crate::options::progress::Meter;

/// Takes one array: the header once, then its data in C order.
pub(crate) trait Sink {
    /// Starts the array: nothing has been written before.
    fn begin(&mut self, header: &Header) -> Result<()>;
    /// Takes the next bytes of data.
    fn write(&mut self, bytes: &[u8]) -> Result<()>;

    /// Whether [`Sink::take_back`] works.
    fn can_take_back(&self) -> bool {
        false
    }

    /// Takes back [`Sink::begin`] and all that was written since.
    fn take_back(&mut self) -> Result<()> {
        Ok(())
    }
}

/// A lone `.npy` on any writer.
pub(crate) struct Plain<W>(pub(crate) W);

impl<W: Write> Sink for Plain<W> {
    fn begin(&mut self, header: &Header) -> Result<()> {
        Ok(Checked(&mut self.0).write_all(&header.to_bytes())?)
    }

    fn write(&mut self, bytes: &[u8]) -> Result<()> {
        Ok(Checked(&mut self.0).write_all(bytes)?)
    }
}

/// A sink that keeps to the options: its bytes are counted, and its header is no longer than allowed.
pub(crate) struct Metered<S> {
    pub(crate) sink: S,
    meter: Meter,
    max_header_size: usize,
}

impl<S: Sink> Metered<S> {
    pub(crate) fn new(sink: S, options: &WriteOptions) -> Self {
        Metered {
            sink,
            meter: Meter::new(&options.progress, None),
            max_header_size: options.max_header_size,
        }
    }

    /// The sink, once all of the array is in it.
    pub(crate) fn end(mut self) -> Result<S> {
        self.meter.end()?;
        Ok(self.sink)
    }
}

impl<S: Sink> Sink for Metered<S> {
    fn begin(&mut self, header: &Header) -> Result<()> {
        header.check_len(self.max_header_size)?;
        self.sink.begin(header)?;
        if self.meter.is_set() {
            let header_len = header.to_bytes().len() as u64;
            self.meter.add(header_len)?;
            self.meter.announce(header.data_len());
        }
        Ok(())
    }

    fn write(&mut self, mut bytes: &[u8]) -> Result<()> {
        while !bytes.is_empty() {
            let (now, rest) = bytes.split_at(in_memory(self.meter.at_once(bytes.len() as u64)));
            self.sink.write(now)?;
            self.meter.add(now.len() as u64)?;
            bytes = rest;
        }
        Ok(())
    }

    fn can_take_back(&self) -> bool {
        // What was counted stays counted.
        !self.meter.is_set() && self.sink.can_take_back()
    }

    fn take_back(&mut self) -> Result<()> {
        self.sink.take_back()
    }
}

/// A file in memory; where there is no more memory, an error.
#[derive(Default)]
pub(crate) struct Memory(pub(crate) Vec<u8>);

impl Memory {
    /// Appends without the abort that the vector's own way ends in.
    pub(crate) fn put(&mut self, bytes: &[u8]) -> Result<()> {
        self.0.try_reserve(bytes.len()).map_err(|_| {
            Error::new(
                ErrorKind::LimitExceeded,
                format_args!(
                    "found {} bytes behind {} to write, expected no more than fit into memory",
                    bytes.len(),
                    self.0.len()
                ),
            )
            .with_hint("`save_*` keeps none in memory")
        })?;
        self.0.extend_from_slice(bytes);
        Ok(())
    }
}

impl Sink for Memory {
    fn begin(&mut self, header: &Header) -> Result<()> {
        self.put(&header.to_bytes())
    }

    fn write(&mut self, bytes: &[u8]) -> Result<()> {
        self.put(bytes)
    }

    fn can_take_back(&self) -> bool {
        true
    }

    fn take_back(&mut self) -> Result<()> {
        self.0.clear();
        Ok(())
    }
}

impl Write for Memory {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.put(bytes)?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Stands behind an [`Out`] that keeps all it gets.
struct Nowhere;

impl Sink for Nowhere {
    fn begin(&mut self, _: &Header) -> Result<()> {
        Ok(())
    }

    fn write(&mut self, _: &[u8]) -> Result<()> {
        Ok(())
    }
}

/// Where elements are put one by one.
pub(crate) trait Put {
    /// Whether this is the room of one element.
    const IS_ROOM: bool;

    /// Takes the next bytes of an element.
    fn put(&mut self, bytes: &[u8]) -> Result<()>;

    /// Puts a number where it belongs in a room; elsewhere it is the next.
    fn put_at(&mut self, offset: usize, bytes: &[u8]) -> Result<()>;

    /// Has the next bytes go there in a room.
    fn go_to(&mut self, offset: usize);

    /// Fills up a fixed-width element.
    fn zeros(&mut self, mut n: u64) -> Result<()> {
        const ZEROS: [u8; 256] = [0; 256];
        while n > 0 {
            let step = in_memory(n).min(ZEROS.len());
            self.put(&ZEROS[..step])?;
            n -= step as u64;
        }
        Ok(())
    }

    /// Has the next `n` bytes filled; `None` where so many never lie together, which are more than [`MAX_ROOM`].
    fn room<R>(&mut self, n: u64, fill: impl FnOnce(&mut Room<'_>) -> Result<R>) -> Option<Result<R>>;
}

/// How much is gathered before it goes to a sink.
pub(crate) const CHUNK: usize = 256 << 10;

/// The largest element that gets a room of its own.
pub(crate) const MAX_ROOM: u64 = 16 * 1024;

/// A sink with a small buffer in front, for values that come one by one.
///
/// ```text
/// buffer   ████████████░░░░░░░░  up to `chunk` bytes
///          0          at
/// ```
pub(crate) struct Out<'s> {
    sink: &'s mut dyn Sink,
    buffer: Vec<u8>,
    at: usize,
    /// As long as the buffer may grow.
    chunk: usize,
    /// What the header announced and the sink has not got, once there was a header.
    left: Option<u64>,
}

impl<'s> Out<'s> {
    pub(crate) fn new(sink: &'s mut dyn Sink) -> Self {
        Out {
            sink,
            buffer: Vec::new(),
            at: 0,
            chunk: CHUNK,
            left: None,
        }
    }

    /// Appends to the first `at` bytes of `buffer`, which grows and is never handed on; [`Out::take`] takes it out.
    #[inline(always)]
    pub(crate) fn appending(buffer: Vec<u8>, at: usize) -> Out<'static> {
        Out {
            // Of no size, so this allocates nothing.
            sink: Box::leak(Box::new(Nowhere)),
            buffer,
            at,
            chunk: usize::MAX,
            left: None,
        }
    }

    /// How many bytes have been gathered.
    #[inline(always)]
    pub(crate) fn len(&self) -> usize {
        self.at
    }

    /// The buffer, which may be longer than what has been gathered.
    #[inline(always)]
    pub(crate) fn take(&mut self) -> Vec<u8> {
        self.at = 0;
        std::mem::take(&mut self.buffer)
    }

    pub(crate) fn begin(&mut self, header: &Header) -> Result<()> {
        self.sink.begin(header)?;
        // Never more than the array itself: many members are tiny.
        self.buffer.resize(in_memory(header.data_len()).min(self.chunk), 0);
        self.left = Some(header.data_len());
        Ok(())
    }

    pub(crate) fn can_take_back(&self) -> bool {
        self.sink.can_take_back()
    }

    /// Takes back the array: another one may begin.
    pub(crate) fn take_back(&mut self) -> Result<()> {
        self.at = 0;
        self.left = None;
        self.sink.take_back()
    }

    /// Hands on what has been gathered.
    pub(crate) fn flush(&mut self) -> Result<()> {
        match std::mem::take(&mut self.at) {
            0 => Ok(()),
            at => {
                self.count(at)?;
                self.sink.write(&self.buffer[..at])
            }
        }
    }

    /// Hands on the rest of an array, which has to be what its header announced.
    pub(crate) fn end(mut self) -> Result<()> {
        self.flush()?;
        match self.left {
            None | Some(0) => Ok(()),
            Some(_) => Err(not_filled()),
        }
    }

    fn count(&mut self, n: usize) -> Result<()> {
        if let Some(left) = &mut self.left {
            *left = left.checked_sub(n as u64).ok_or_else(not_filled)?;
        }
        Ok(())
    }

    /// Sees to it that `n` bytes fit behind `at`, at most a chunk.
    #[cold]
    fn make_room(&mut self, n: usize) -> Result<()> {
        if self.at + n > self.chunk {
            self.flush()?;
        }
        if self.at + n > self.buffer.len() {
            let len = (self.at + n).max(2 * self.buffer.len()).min(self.chunk);
            reserve(&mut self.buffer, len)?;
            self.buffer.resize(len, 0);
        }
        Ok(())
    }
}

/// Makes room for `len` bytes in all. A file decides how wide its rows are, and may ask for more than there is memory.
pub(crate) fn reserve(buffer: &mut Vec<u8>, len: usize) -> Result<()> {
    buffer.try_reserve(len.saturating_sub(buffer.len())).map_err(|_| {
        Error::new(
            ErrorKind::LimitExceeded,
            format_args!("found a row of {len} bytes and more, expected one that fits into memory"),
        )
    })
}

impl Put for Out<'_> {
    const IS_ROOM: bool = false;

    #[inline(always)]
    fn put(&mut self, bytes: &[u8]) -> Result<()> {
        if self.buffer.len() - self.at < bytes.len() {
            if bytes.len() >= self.chunk {
                self.flush()?;
                self.count(bytes.len())?;
                return self.sink.write(bytes);
            }
            self.make_room(bytes.len())?;
        }
        let end = self.at + bytes.len();
        self.buffer[self.at..end].copy_from_slice(bytes);
        self.at = end;
        Ok(())
    }

    #[inline(always)]
    fn put_at(&mut self, _: usize, bytes: &[u8]) -> Result<()> {
        self.put(bytes)
    }

    #[inline(always)]
    fn go_to(&mut self, _: usize) {}

    #[inline(always)]
    fn room<R>(&mut self, n: u64, fill: impl FnOnce(&mut Room<'_>) -> Result<R>) -> Option<Result<R>> {
        if n > MAX_ROOM {
            return None;
        }
        let n = in_memory(n);
        if self.buffer.len() - self.at < n
            && let Err(error) = self.make_room(n)
        {
            return Some(Err(error));
        }
        let end = self.at + n;
        let filled = fill(&mut Room::over(&mut self.buffer[self.at..end]));
        self.at = end;
        Some(filled)
    }
}

/// The bytes of one element; no sink has to be asked.
pub(crate) struct Room<'b> {
    bytes: &'b mut [u8],
    /// Where the next ones go.
    at: usize,
}

impl<'b> Room<'b> {
    /// For one element as long as `bytes`.
    pub(crate) fn over(bytes: &'b mut [u8]) -> Self {
        Room { bytes, at: 0 }
    }

    #[inline(always)]
    fn take(&mut self, n: usize) -> Result<&mut [u8]> {
        let start = self.at;
        let taken = self.bytes.get_mut(start..start + n).ok_or_else(not_filled)?;
        self.at += n;
        Ok(taken)
    }

    /// Puts a text as code points of four bytes into the next `n` bytes; `None` if it is longer.
    pub(crate) fn text(&mut self, text: &str, n: usize) -> Result<Option<()>> {
        if n <= 4 * SHORT
            && let Some(place) = self.bytes.get_mut(self.at..).and_then(<[u8]>::first_chunk_mut)
            && text.len() <= n / 4
            && put_short(text.as_bytes(), place) == Some(true)
        {
            self.at += n;
            return Ok(Some(()));
        }
        let slots = self.take(n)?.as_chunks_mut::<4>().0;
        let len = if text.is_ascii() {
            let Some(slots) = slots.get_mut(..text.len()) else {
                return Ok(None);
            };
            for (slot, byte) in slots.iter_mut().zip(text.as_bytes()) {
                *slot = u32::from(*byte).to_le_bytes();
            }
            text.len()
        } else {
            let mut len = 0;
            for c in text.chars() {
                let Some(slot) = slots.get_mut(len) else {
                    return Ok(None);
                };
                *slot = u32::from(c).to_le_bytes();
                len += 1;
            }
            len
        };
        slots[len..].fill([0; 4]);
        Ok(Some(()))
    }
}

/// Texts up to this length are put with zeros behind them, over which the next one is put.
const SHORT: usize = 16;

/// Puts a text of at most `SHORT` bytes as code points; whether it was ASCII.
///
/// In pieces that may overlap: a loop ends elsewhere for every text, which no processor foresees.
#[inline(always)]
fn put_short(text: &[u8], place: &mut [u8; 4 * SHORT]) -> Option<bool> {
    #[inline(always)]
    fn piece<const N: usize>(text: &[u8], at: usize, units: &mut [[u8; 4]]) -> Option<bool> {
        let from: &[u8; N] = text.get(at..)?.first_chunk()?;
        let to: &mut [_; N] = units.get_mut(at..)?.first_chunk_mut()?;
        for (unit, byte) in to.iter_mut().zip(from) {
            *unit = u32::from(*byte).to_le_bytes();
        }
        Some(from.iter().fold(0, |all, byte| all | byte) < 0x80)
    }
    place.fill(0);
    let units = place.as_chunks_mut::<4>().0;
    let (first, last) = match text.len() {
        0 => (true, true),
        len @ 8.. => (piece::<8>(text, 0, units)?, piece::<8>(text, len - 8, units)?),
        len @ 4.. => (piece::<4>(text, 0, units)?, piece::<4>(text, len - 4, units)?),
        len @ 2.. => (piece::<2>(text, 0, units)?, piece::<2>(text, len - 2, units)?),
        _ => (piece::<1>(text, 0, units)?, true),
    };
    Some(first && last)
}

impl Put for Room<'_> {
    const IS_ROOM: bool = true;

    #[inline(always)]
    fn put(&mut self, bytes: &[u8]) -> Result<()> {
        self.take(bytes.len())?.copy_from_slice(bytes);
        Ok(())
    }

    #[inline(always)]
    fn put_at(&mut self, offset: usize, bytes: &[u8]) -> Result<()> {
        let place = self
            .bytes
            .get_mut(offset..offset + bytes.len())
            .ok_or_else(not_filled)?;
        place.copy_from_slice(bytes);
        Ok(())
    }

    #[inline(always)]
    fn go_to(&mut self, offset: usize) {
        self.at = offset;
    }

    #[inline(always)]
    fn room<R>(&mut self, _: u64, fill: impl FnOnce(&mut Room<'_>) -> Result<R>) -> Option<Result<R>> {
        Some(fill(self))
    }
}

/// Only a value that goes on after it was told to stop gets here.
#[cold]
fn not_filled() -> Error {
    Error::new(
        ErrorKind::InvalidValue,
        "found an element of another size, expected one as on the walk before: the value serialized differently the \
         second time",
    )
}
