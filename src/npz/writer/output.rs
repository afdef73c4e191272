//! Where an archive is written: to a writer that can seek, to memory, or to a stream that only goes forward.

use std::io::{self, Seek, SeekFrom, Write};
use std::sync::Arc;

use crate::io::checked::Checked;
use crate::io::file::{AtomicFile, Locked};
use crate::io::source::in_memory;
use crate::npy::sink::Memory;
use crate::options::progress::Meter;

/// Takes the bytes of an archive in order, and knows its position.
pub(crate) trait Output {
    /// Whether [`Output::patch`] works.
    const PATCHES: bool;

    /// Where the next byte goes.
    fn position(&mut self) -> io::Result<u64>;

    fn put(&mut self, bytes: &[u8]) -> io::Result<()>;

    /// Replaces bytes written before.
    fn patch(&mut self, at: u64, bytes: &[u8]) -> io::Result<()>;

    /// Whether [`Output::cut`] works.
    fn can_cut(&self) -> bool {
        false
    }

    /// Drops everything from `at` on; the next byte goes there.
    fn cut(&mut self, _at: u64) -> io::Result<()> {
        Err(io::ErrorKind::Unsupported.into())
    }

    /// Announces that `len` bytes will follow, so that space for them can be reserved at once.
    fn expect(&mut self, _len: u64) {}
}

/// A writer that can seek; if it is a file that is renamed at the end, with that.
pub(crate) struct Seeking<W> {
    pub(crate) inner: W,
    pub(crate) target: Option<AtomicFile>,
    /// The old members that the file starts with, until they have been copied.
    pub(crate) base: Option<Base>,
    /// Known after the first question: asking a `BufWriter` after each piece would cost a system call each.
    position: Option<u64>,
}

/// The first bytes of another file.
pub(crate) struct Base {
    pub(crate) file: Arc<Locked>,
    pub(crate) len: u64,
    pub(crate) meter: Meter,
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
        if let (Some(mut base), Some(target)) = (self.base.take(), &self.target) {
            target.copy_from(&base.file, 0, base.len, &mut base.meter)?;
        }
        Ok(*self.position.insert(self.inner.stream_position()?))
    }

    fn put(&mut self, bytes: &[u8]) -> io::Result<()> {
        let position = self.position()?;
        Checked(&mut self.inner).write_all(bytes)?;
        self.position = Some(position.saturating_add(bytes.len() as u64));
        Ok(())
    }

    fn patch(&mut self, at: u64, bytes: &[u8]) -> io::Result<()> {
        let position = self.position()?;
        self.inner.seek(SeekFrom::Start(at))?;
        Checked(&mut self.inner).write_all(bytes)?;
        self.inner.seek(SeekFrom::Start(position))?;
        Ok(())
    }

    /// A writer of the caller's cannot be cut: `Write` and `Seek` know no such thing.
    fn can_cut(&self) -> bool {
        self.target.is_some()
    }

    fn cut(&mut self, at: u64) -> io::Result<()> {
        let target = self.target.as_ref().ok_or(io::ErrorKind::Unsupported)?;
        // This also flushes: nothing that is dropped here gets into the file later.
        self.inner.seek(SeekFrom::Start(at))?;
        target.file().set_len(at)?;
        self.position = Some(at);
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

    fn can_cut(&self) -> bool {
        true
    }

    fn cut(&mut self, at: u64) -> io::Result<()> {
        self.0.truncate(in_memory(at));
        Ok(())
    }

    fn expect(&mut self, len: u64) {
        // If there is not so much memory, writing will say so.
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
        Checked(&mut self.inner).write_all(bytes)?;
        self.position = self.position.saturating_add(bytes.len() as u64);
        Ok(())
    }

    fn patch(&mut self, _: u64, _: &[u8]) -> io::Result<()> {
        Err(io::ErrorKind::NotSeekable.into())
    }
}
