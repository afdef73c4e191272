//! The bytes of members: borrowed from an archive in memory, copied from any other; checked to the end in both cases.

use std::io::{Cursor as IoCursor, Read, Seek};

use crate::error::{Error, ErrorKind, Result};
use crate::io::source::{Slice, Source, Stream};
use crate::npz::reader::{NpzReader, left_over};

/// Where the members of an archive are read from.
pub(super) trait Store<'de> {
    type Inner: Read + Seek;

    fn reader(&mut self) -> &mut NpzReader<Self::Inner>;

    /// Runs `body` on the bytes of a member. Its value is returned only after all bytes have been checked.
    fn read<T>(&mut self, index: usize, body: impl FnOnce(&mut dyn Source<'de>) -> Result<T>) -> Result<T>;
}

/// Any reader: members are copied.
pub(super) struct Reader<'r, R>(pub(super) &'r mut NpzReader<R>);

impl<'de, R: Read + Seek> Store<'de> for Reader<'_, R> {
    type Inner = R;

    fn reader(&mut self) -> &mut NpzReader<R> {
        self.0
    }

    fn read<T>(&mut self, index: usize, body: impl FnOnce(&mut dyn Source<'de>) -> Result<T>) -> Result<T> {
        match self.0.take_prefetched(index) {
            Some(bytes) => read_bytes(&bytes?, body),
            None => read_member(self.0, index, body),
        }
    }
}

/// An archive in memory: stored members are borrowed.
pub(super) struct Lender<'de> {
    pub(super) reader: NpzReader<IoCursor<&'de [u8]>>,
    pub(super) bytes: &'de [u8],
}

impl<'de> Lender<'de> {
    pub(super) fn new(reader: NpzReader<IoCursor<&'de [u8]>>) -> Self {
        let bytes = reader.inner().get_ref();
        Lender { bytes, reader }
    }
}

impl<'de> Store<'de> for Lender<'de> {
    type Inner = IoCursor<&'de [u8]>;

    fn reader(&mut self) -> &mut NpzReader<Self::Inner> {
        &mut self.reader
    }

    fn read<T>(&mut self, index: usize, body: impl FnOnce(&mut dyn Source<'de>) -> Result<T>) -> Result<T> {
        let Some(range) = self.reader.stored_range(index)? else {
            return Reader(&mut self.reader).read(index, body);
        };
        let ends = usize::try_from(range.start).ok().zip(usize::try_from(range.end).ok());
        let Some(bytes) = ends.and_then(|(start, end)| self.bytes.get(start..end)) else {
            return Err(Error::new(
                ErrorKind::Truncated,
                "found the archive's end inside a member, expected all of it",
            ));
        };
        self.reader.check_crc(index, bytes)?;
        let mut slice = Slice(bytes);
        let value = body(&mut slice)?;
        match slice.0.len() {
            0 => Ok(value),
            left => Err(left_over(left as u64)),
        }
    }
}

pub(super) fn read_member<'de, R: Read + Seek, T>(
    reader: &mut NpzReader<R>,
    index: usize,
    body: impl FnOnce(&mut dyn Source<'de>) -> Result<T>,
) -> Result<T> {
    let mut member = reader.member(index)?;
    let known_len = member.known_len();
    let value = body(&mut Stream::with_known_len(&mut member, known_len))?;
    member.finish()?;
    Ok(value)
}

/// Reads bytes that have been checked and do not live longer than this call.
pub(super) fn read_bytes<'de, T>(bytes: &[u8], body: impl FnOnce(&mut dyn Source<'de>) -> Result<T>) -> Result<T> {
    let mut rest = bytes;
    let value = body(&mut Stream::with_known_len(&mut rest, bytes.len() as u64))?;
    match rest.len() {
        0 => Ok(value),
        left => Err(left_over(left as u64)),
    }
}
