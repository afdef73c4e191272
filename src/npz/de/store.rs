//! The bytes of members: borrowed from an archive in memory, copied from any other; checked to the end in both cases.

use std::io::{Cursor as IoCursor, Read, Seek};

use crate::error::{Error, ErrorKind, Result};
use crate::io::source::{Slice, Source, Stream};
use crate::npz::de::names::verify_left_out;
use crate::npz::reader::{NpzReader, left_over};
use crate::npz::tree::Tree;
use crate::options::ReadOptions;

/// What takes the bytes of a member. It is no type parameter, so that reading is compiled once, not for every type read.
pub(super) type Body<'b, 'de> = &'b mut dyn FnMut(&mut dyn Source<'de>) -> Result<()>;

/// Where the members of an archive are read from.
pub(super) trait Store<'de> {
    type Inner: Read + Seek;

    fn reader(&mut self) -> &mut NpzReader<Self::Inner>;

    fn options(&self) -> &ReadOptions;

    /// Runs `body` once on the bytes of a member. Only after this has returned have all bytes been checked.
    fn read(&mut self, index: usize, body: Body<'_, 'de>) -> Result<()>;
}

/// What the nodes of an archive ask of its [`Store`]. They hold it as a trait object: a type that is read is compiled once,
/// not for every reader.
pub(super) trait Members<'de> {
    fn options(&self) -> &ReadOptions;
    fn announce(&mut self, members: &mut dyn Iterator<Item = usize>);
    fn plan(&mut self, members: &mut dyn Iterator<Item = usize>);
    fn verify_left_out(&mut self, tree: &Tree, asked: &dyn Fn(&str) -> bool) -> Result<()>;
    fn read_raw(&mut self, index: usize) -> Result<Vec<u8>>;
    /// As [`Store::read`].
    fn read_member(&mut self, index: usize, body: Body<'_, 'de>) -> Result<()>;
}

impl<'de, S: Store<'de>> Members<'de> for S {
    fn options(&self) -> &ReadOptions {
        Store::options(self)
    }

    fn announce(&mut self, members: &mut dyn Iterator<Item = usize>) {
        self.reader().announce(members);
    }

    fn plan(&mut self, members: &mut dyn Iterator<Item = usize>) {
        self.reader().plan(members);
    }

    fn verify_left_out(&mut self, tree: &Tree, asked: &dyn Fn(&str) -> bool) -> Result<()> {
        verify_left_out(self.reader(), tree, asked)
    }

    fn read_raw(&mut self, index: usize) -> Result<Vec<u8>> {
        self.reader().read_raw(index)
    }

    fn read_member(&mut self, index: usize, body: Body<'_, 'de>) -> Result<()> {
        self.read(index, body)
    }
}

/// Any reader: members are copied.
pub(super) struct Reader<'r, R>(pub(super) &'r mut NpzReader<R>);

impl<'de, R: Read + Seek> Store<'de> for Reader<'_, R> {
    type Inner = R;

    fn reader(&mut self) -> &mut NpzReader<R> {
        self.0
    }

    fn options(&self) -> &ReadOptions {
        self.0.options()
    }

    fn read(&mut self, index: usize, body: Body<'_, 'de>) -> Result<()> {
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

    fn options(&self) -> &ReadOptions {
        self.reader.options()
    }

    fn read(&mut self, index: usize, body: Body<'_, 'de>) -> Result<()> {
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
        body(&mut slice)?;
        match slice.0.len() {
            0 => Ok(()),
            left => Err(left_over(left as u64)),
        }
    }
}

fn read_member<'de, R: Read + Seek>(reader: &mut NpzReader<R>, index: usize, body: Body<'_, 'de>) -> Result<()> {
    let mut member = reader.member(index)?;
    let known_len = member.known_len();
    body(&mut Stream::with_known_len(&mut member, known_len))?;
    member.finish()
}

/// Reads bytes that have been checked and do not live longer than this call.
fn read_bytes<'de>(bytes: &[u8], body: Body<'_, 'de>) -> Result<()> {
    let mut rest = bytes;
    body(&mut Stream::with_known_len(&mut rest, bytes.len() as u64))?;
    match rest.len() {
        0 => Ok(()),
        left => Err(left_over(left as u64)),
    }
}
