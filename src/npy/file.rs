//! A file for exactly one array: what goes to this sink comes in large chunks, so that nothing is gathered here.

use std::fs::File;
use std::io::Seek;

use crate::error::Result;
use crate::format::header::Header;
use crate::io::file::AtomicFile;
use crate::npy::sink::{Plain, Sink};

/// The file beside its target, until it is whole.
pub(super) struct FileSink {
    target: AtomicFile,
    handle: Plain<File>,
}

impl FileSink {
    pub(super) fn new(target: AtomicFile, handle: File) -> Self {
        FileSink {
            target,
            handle: Plain(handle),
        }
    }

    /// Gives the file its name.
    pub(super) fn commit(self) -> Result<()> {
        self.target.commit()
    }
}

impl Sink for FileSink {
    fn begin(&mut self, header: &Header) -> Result<()> {
        let bytes = header.to_bytes();
        self.target
            .reserve(0, header.data_len().saturating_add(bytes.len() as u64));
        self.handle.write(&bytes)
    }

    fn write(&mut self, bytes: &[u8]) -> Result<()> {
        self.handle.write(bytes)
    }

    fn can_take_back(&self) -> bool {
        true
    }

    fn take_back(&mut self) -> Result<()> {
        self.handle.0.set_len(0)?;
        self.handle.0.rewind()?;
        Ok(())
    }
}
