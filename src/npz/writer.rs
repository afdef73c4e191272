//! Names to zip entries: one member at a time, of a size known beforehand.
//!
//! ```text
//! 0    PK\3\4  x.npy  sizes (zip64)  padding      the local header of a stored member ends at a multiple of 64
//! 64·k \x93NUMPY .. header | data                 so the data of the array starts at one as well
//! ..   PK\1\2  x.npy  sizes, CRC, offset          the directory, written only by `finish`
//! ..   PK\5\6  count, size and offset of it
//!
//! NpzWriter ─► container: names, failures ─► entries: order, headers ─► output
//!                                            entry: one member; deflate: threads
//! ```

mod append;
pub(crate) mod container;
mod deflate;
mod entries;
mod entry;
pub(crate) mod members;
pub(crate) mod output;
mod raw;
#[cfg(test)]
mod tests;

use std::fmt;
use std::fs::File;
use std::io::{BufWriter, Seek, Write};
use std::path::Path;

use self::container::Container;
use self::output::Seeking;
use crate::error::Result;
use crate::io::file;
use crate::io::file::AtomicFile;
use crate::options::WriteOptions;

/// So many bytes are collected before they go to a file; larger pieces go there directly.
pub(crate) const BUFFER: usize = 128 << 10;

/// Writes an archive member by member.
///
/// ```
/// use std::io::Cursor;
///
/// let mut npz = serde_npz::NpzWriter::new(Cursor::new(Vec::new()));
/// npz.add("x", &vec![1.0, 2.0])?;
/// npz.add("n", &7)?;
/// let bytes = npz.finish()?.into_inner();
/// # assert_eq!(serde_npz::NpzReader::new(Cursor::new(bytes))?.len(), 2);
/// # Ok::<(), serde_npz::Error>(())
/// ```
#[must_use = "the archive is not complete unless `finish` is called"]
pub struct NpzWriter<W: Write + Seek> {
    pub(crate) container: Container<Seeking<W>>,
}

impl NpzWriter<BufWriter<File>> {
    /// Creates `path`, with `.npz` appended if it is missing; the file appears there when [`NpzWriter::finish`] returns.
    ///
    /// ```
    /// # let dir = std::env::temp_dir().join(format!("serde_npz-doc-create-{}", std::process::id()));
    /// # std::fs::create_dir_all(&dir).unwrap();
    /// # let path = dir.join("data");
    /// let mut npz = serde_npz::NpzWriter::create(&path)?;
    /// npz.add("x", &vec![1.0, 2.0])?;
    /// npz.finish()?;
    /// # assert!(dir.join("data.npz").exists());
    /// # std::fs::remove_dir_all(&dir).unwrap();
    /// # Ok::<(), serde_npz::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// `Io` if no file can be created beside `path`, or if `path` is not a file.
    pub fn create(path: impl AsRef<Path>) -> Result<Self> {
        Self::create_with(path, &WriteOptions::new())
    }

    /// As [`NpzWriter::create`], with the compression, separator, threads and durability of `options`.
    ///
    /// ```
    /// use serde_npz::{NpzWriter, WriteOptions};
    ///
    /// # let path = std::env::temp_dir().join(format!("serde_npz-doc-create-with-{}.npz", std::process::id()));
    /// let mut npz = NpzWriter::create_with(&path, &WriteOptions::new().compressed().durable(true))?;
    /// npz.add("zeros", &vec![0.0; 10_000])?;
    /// npz.finish()?;
    /// # assert!(std::fs::metadata(&path).unwrap().len() < 1000);
    /// # std::fs::remove_file(&path).unwrap();
    /// # Ok::<(), serde_npz::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// Those of [`NpzWriter::create`].
    pub fn create_with(path: impl AsRef<Path>, options: &WriteOptions) -> Result<Self> {
        let path = file::with_suffix(path.as_ref(), ".npz")?;
        let (target, handle) = AtomicFile::create(&path, options.durable)?;
        Ok(Self::on_file(target, handle, options))
    }

    pub(crate) fn on_file(target: AtomicFile, handle: File, options: &WriteOptions) -> Self {
        let output = Seeking::new(BufWriter::with_capacity(BUFFER, handle), Some(target));
        NpzWriter {
            container: Container::new(output, options),
        }
    }
}

impl<W: Write + Seek> NpzWriter<W> {
    /// An archive of stored members, written from where `writer` stands, which should be the start of an empty file.
    ///
    /// ```
    /// let npz = serde_npz::NpzWriter::new(std::io::Cursor::new(Vec::new()));
    /// assert_eq!(npz.finish()?.into_inner().len(), 22);
    /// # Ok::<(), serde_npz::Error>(())
    /// ```
    pub fn new(writer: W) -> Self {
        Self::with_options(writer, &WriteOptions::new())
    }

    /// As [`NpzWriter::new`], with the compression, separator and threads of `options`.
    ///
    /// ```
    /// use std::io::Cursor;
    /// use serde_npz::{NpzWriter, WriteOptions};
    ///
    /// let mut npz = NpzWriter::with_options(Cursor::new(Vec::new()), &WriteOptions::new().compressed());
    /// npz.add("zeros", &vec![0.0; 10_000])?;
    /// assert!(npz.finish()?.into_inner().len() < 1000);
    /// # Ok::<(), serde_npz::Error>(())
    /// ```
    pub fn with_options(writer: W, options: &WriteOptions) -> Self {
        NpzWriter {
            container: Container::new(Seeking::new(writer, None), options),
        }
    }

    /// Writes the directory, without which there is no archive, and returns the writer.
    ///
    /// ```
    /// use std::io::Cursor;
    ///
    /// let mut bytes = Vec::new();
    /// let mut npz = serde_npz::NpzWriter::new(Cursor::new(&mut bytes));
    /// npz.add("x", &1.5)?;
    /// npz.finish()?;
    /// assert!(bytes.starts_with(b"PK"));
    /// # Ok::<(), serde_npz::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// `Io`, or the error that ended an earlier member half way. There is no archive then.
    pub fn finish(self) -> Result<W> {
        let Seeking { mut inner, target, .. } = self.container.finish()?;
        inner.flush()?;
        if let Some(target) = target {
            target.commit()?;
        }
        Ok(inner)
    }
}

impl<W: Write + Seek> fmt::Debug for NpzWriter<W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NpzWriter")
            .field("members", &self.container.len())
            .finish_non_exhaustive()
    }
}
