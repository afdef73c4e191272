//! What stands between the zip writer and the file: once shut, nothing passes.
//!
//! ```text
//! NpzWriter -> zip::ZipWriter -> Gate -> file
//!     Shutter - - - - - - - - - - ^      shut on failure, and before the zip writer is dropped
//! ```

use std::io::{self, Seek, SeekFrom, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Shuts the gate when it is dropped, or before.
pub(super) struct Shutter(Arc<AtomicBool>);

impl Shutter {
    pub(super) fn shut(&self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

impl Drop for Shutter {
    fn drop(&mut self) {
        self.shut();
    }
}

/// Passes on what is written until it is shut, by its [`Shutter`] or by the first error; then it takes everything
/// and keeps nothing, so that the zip writer has nothing to complain about when it is dropped.
pub(super) struct Gate<W> {
    inner: W,
    /// Where the next byte goes: asking a `BufWriter` would flush it.
    position: Option<u64>,
    end: u64,
    shut: Arc<AtomicBool>,
}

impl<W: Write + Seek> Gate<W> {
    pub(super) fn new(inner: W) -> (Self, Shutter) {
        let shut = Arc::new(AtomicBool::new(false));
        let shutter = Shutter(Arc::clone(&shut));
        (
            Gate {
                inner,
                position: None,
                end: 0,
                shut,
            },
            shutter,
        )
    }

    pub(super) fn into_inner(self) -> W {
        self.inner
    }

    fn is_shut(&self) -> bool {
        self.shut.load(Ordering::Relaxed)
    }

    fn moved_to(&mut self, position: u64) -> u64 {
        self.position = Some(position);
        self.end = self.end.max(position);
        position
    }

    fn watch<T>(&self, result: io::Result<T>) -> io::Result<T> {
        if let Err(err) = &result
            && err.kind() != io::ErrorKind::Interrupted
        {
            self.shut.store(true, Ordering::Relaxed);
        }
        result
    }
}

impl<W: Write + Seek> Write for Gate<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let before = self.stream_position()?;
        if self.is_shut() {
            return Ok(bytes.len());
        }
        let result = self.inner.write(bytes);
        let written = self.watch(result)?;
        self.moved_to(before.saturating_add(written as u64));
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        if self.is_shut() {
            return Ok(());
        }
        let result = self.inner.flush();
        self.watch(result)
    }
}

impl<W: Write + Seek> Seek for Gate<W> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        if self.is_shut() {
            // Always behind everything: the zip writer takes sizes from differences of positions.
            return Ok(self.end);
        }
        let result = self.inner.seek(to);
        let position = self.watch(result)?;
        Ok(self.moved_to(position))
    }

    fn stream_position(&mut self) -> io::Result<u64> {
        match self.position.filter(|_| !self.is_shut()) {
            Some(position) => Ok(position),
            None if self.is_shut() => Ok(self.end),
            None => {
                let result = self.inner.stream_position();
                let position = self.watch(result)?;
                Ok(self.moved_to(position))
            }
        }
    }
}
