//! Where an archive goes: something that can be gone back in, memory, or a stream that cannot.

use std::fs::File;
use std::io::{self, Seek, SeekFrom, Write};

use crate::io::file::AtomicFile;
use crate::npy::sink::Memory;

/// Takes the bytes of an archive in order, and tells how far it is.
pub(crate) trait Output {
    /// Whether [`Output::patch`] works.
    const PATCHES: bool;

    /// Where the next byte goes.
    fn position(&mut self) -> io::Result<u64>;

    fn put(&mut self, bytes: &[u8]) -> io::Result<()>;

    /// Replaces bytes written before.
    fn patch(&mut self, at: u64, bytes: &[u8]) -> io::Result<()>;

    /// So many bytes are to come: room for them may be made at once.
    fn expect(&mut self, _len: u64) {}
}

/// A writer that can seek, with the file that gets its name at the end where there is one.
pub(crate) struct Seeking<W> {
    pub(crate) inner: W,
    pub(crate) target: Option<AtomicFile>,
    /// What the file starts with, until it is there.
    pub(crate) base: Option<Base>,
    /// Asked for once: asking a `BufWriter` after each piece would cost a call each.
    position: Option<u64>,
}

/// The first bytes of another file.
pub(crate) struct Base {
    pub(crate) file: File,
    pub(crate) len: u64,
}

impl<W> Seeking<W> {
    pub(crate) fn new(inner: W, target: Option<AtomicFile>) -> Self {
        Seeking {
            inner,
            target,
            base: None,
            position: None,
        }
    }
}

impl<W: Write + Seek> Output for Seeking<W> {
    const PATCHES: bool = true;

    fn position(&mut self) -> io::Result<u64> {
        if let Some(position) = self.position {
            return Ok(position);
        }
        if let (Some(base), Some(target)) = (self.base.take(), &self.target) {
            target.copy_from(&base.file, 0, base.len)?;
        }
        Ok(*self.position.insert(self.inner.stream_position()?))
    }

    fn put(&mut self, bytes: &[u8]) -> io::Result<()> {
        let position = self.position()?;
        self.inner.write_all(bytes)?;
        self.position = Some(position.saturating_add(bytes.len() as u64));
        Ok(())
    }

    fn patch(&mut self, at: u64, bytes: &[u8]) -> io::Result<()> {
        let position = self.position()?;
        self.inner.seek(SeekFrom::Start(at))?;
        self.inner.write_all(bytes)?;
        self.inner.seek(SeekFrom::Start(position))?;
        Ok(())
    }

    fn expect(&mut self, len: u64) {
        let position = self.position();
        if let (Some(target), Ok(position)) = (&self.target, position) {
            target.reserve(position, len);
        }
    }
}

impl Output for Memory {
    const PATCHES: bool = true;

    fn position(&mut self) -> io::Result<u64> {
        Ok(self.0.len() as u64)
    }

    fn put(&mut self, bytes: &[u8]) -> io::Result<()> {
        Ok(Memory::put(self, bytes)?)
    }

    fn patch(&mut self, at: u64, bytes: &[u8]) -> io::Result<()> {
        let old = usize::try_from(at)
            .ok()
            .and_then(|at| self.0.get_mut(at..)?.get_mut(..bytes.len()));
        old.ok_or(io::ErrorKind::InvalidInput)?.copy_from_slice(bytes);
        Ok(())
    }

    fn expect(&mut self, len: u64) {
        // Where there is not so much, writing will say so.
        if let Ok(len) = usize::try_from(len) {
            let _ = self.0.try_reserve(len);
        }
    }
}

/// A pipe or a socket.
pub(crate) struct Streaming<W> {
    pub(crate) inner: W,
    position: u64,
}

impl<W> Streaming<W> {
    pub(crate) fn new(inner: W) -> Self {
        Streaming { inner, position: 0 }
    }
}

impl<W: Write> Output for Streaming<W> {
    const PATCHES: bool = false;

    fn position(&mut self) -> io::Result<u64> {
        Ok(self.position)
    }

    fn put(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.inner.write_all(bytes)?;
        self.position = self.position.saturating_add(bytes.len() as u64);
        Ok(())
    }

    fn patch(&mut self, _: u64, _: &[u8]) -> io::Result<()> {
        Err(io::ErrorKind::NotSeekable.into())
    }
}
