//! An array that is there already, and to which rows are added in place.
//!
//! ```text
//! {.. (99, 3) ..} | 99 rows |                      the header tells where the rows end
//! {.. (99, 3) ..} | 99 rows | 1 row and a half     left by a writer that was killed: cut off before new rows come
//! ```

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::Path;
use std::sync::Arc;

use crate::error::{Error, ErrorKind, Result};
use crate::format::header::{Header, MAGIC};
use crate::io::file::{AtomicFile, existing, if_any, open_to_change};
use crate::io::source::read_full;
use crate::npy::rows::fit::{check_growing, not_growing};
use crate::npy::rows::head::Head;
use crate::npy::rows::writer::NpyWriter;
use crate::npy::whole::Number;
use crate::options::{ReadOptions, WriteOptions};

impl NpyWriter<File> {
    /// Adds rows to the array at `path` along its first axis, in place.
    ///
    /// Where there is no file, or an empty one, it is made, as [`create`](NpyWriter::create) does: it appears with the
    /// first flush, or with [`finish`](NpyWriter::finish), and never replaces one that somebody else has made meanwhile.
    /// `.npy` is appended to the path unless there is a file of exactly this name.
    /// Rows are of the shape of those in the file; their values become what the file has, wherever reading it would give them
    /// back: a `u32` goes into `<i4` if it fits, an `f32` into `<f8`, a text into `|S4`, and the fields of a record go by their
    /// names, whatever their order. Byte order and padding of the file are kept. Only an array that nothing is known of,
    /// `<f8` of shape (0,) as a writer without rows and an empty `Vec<f64>` leave it, takes the layout of the first row that
    /// comes.
    ///
    /// Bytes behind the array were left by a writer that was killed before it counted them, and are cut off. Another
    /// array behind it, as `np.save` to one handle leaves it, is an error. The file is locked before anything is read, as
    /// long as the writer lives: see [`NpyWriter`].
    ///
    /// ```
    /// use serde_npz::NpyWriter;
    ///
    /// # let path = std::env::temp_dir().join(format!("serde_npz-doc-npy-append-{}.npy", std::process::id()));
    /// for start in 0..2 {
    ///     let mut log = NpyWriter::append(&path)?;
    ///     log.push(&[start, 5])?;
    ///     log.finish()?;
    /// }
    /// assert_eq!(serde_npz::load_npy::<Vec<[i32; 2]>>(&path)?, [[0, 5], [1, 5]]);
    /// # std::fs::remove_file(&path).unwrap();
    /// # Ok::<(), serde_npz::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// `Io` where another writer or an `NpyMmapMut` has the file locked, and where none can be made; `TypeMismatch` for an
    /// array without axes, in Fortran order, or with another one behind it; `Truncated` for a file that is cut off; `BadHeader` where the number of rows cannot be changed in place; those of
    /// [`Header::read`].
    pub fn append(path: impl AsRef<Path>) -> Result<Self> {
        NpyWriter::append_with(path, &WriteOptions::new())
    }

    /// As [`NpyWriter::append`], with [`WriteOptions::durable`]: what was flushed survives a power cut.
    ///
    /// ```
    /// use serde_npz::{NpyWriter, WriteOptions};
    ///
    /// # let path = std::env::temp_dir().join(format!("serde_npz-doc-npy-append-with-{}.npy", std::process::id()));
    /// serde_npz::save_npy(&path, &vec![1.0, 2.0])?;
    /// let mut log = NpyWriter::append_with(&path, &WriteOptions::new().durable(true))?;
    /// log.push(&3.0)?;
    /// log.flush()?;
    /// assert_eq!(serde_npz::load_npy::<Vec<f64>>(&path)?, [1.0, 2.0, 3.0]);
    /// # std::fs::remove_file(&path).unwrap();
    /// # Ok::<(), serde_npz::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// Those of [`NpyWriter::append`].
    pub fn append_with(path: impl AsRef<Path>, options: &WriteOptions) -> Result<Self> {
        let path = existing(path.as_ref(), ".npy")?;
        // From here on no other writer may cut off what this one has not counted yet.
        let Some(lock) = if_any(open_to_change(&path))? else {
            let (target, handle) = AtomicFile::create_new(&path, options.durable)?;
            return Ok(NpyWriter::replacing(handle, target, options.durable)?.metered(options));
        };
        // The new header may be longer: a new file takes the name when the first rows are flushed.
        let anew = |lock| {
            let (target, handle) = AtomicFile::create_over(Arc::new(lock), &path, options.durable)?;
            Ok(NpyWriter::replacing(handle, target, options.durable)?.metered(options))
        };
        let mut file = lock.try_clone()?;
        let len = file.metadata()?.len();
        if len == 0 {
            return anew(lock);
        }
        let found = Found::read(&mut file)?;
        let end = found.end(len, &mut file)?;
        if found.is_fresh() {
            return anew(lock);
        }
        let head = Head::found(found.bytes, found.header)?;
        if len > end {
            file.set_len(end)?;
        }
        Ok(NpyWriter::adding_to(file, lock, head, options.durable)?.metered(options))
    }
}

/// An array that is to grow: its header, and the bytes of that.
struct Found {
    header: Header,
    bytes: Vec<u8>,
}

impl Found {
    fn read(file: &mut File) -> Result<Self> {
        let mut kept = Kept {
            file,
            bytes: Vec::new(),
        };
        let header = Header::read_with(&mut kept, &ReadOptions::new().max_header_size(usize::MAX))?;
        check_growing(&header)?;
        Ok(Found {
            header,
            bytes: kept.bytes,
        })
    }

    /// Where the array ends in a file of `len` bytes, which may have uncounted rows behind.
    fn end(&self, len: u64, file: &mut File) -> Result<u64> {
        let end = (self.bytes.len() as u64).saturating_add(self.header.data_len());
        if len < end {
            return Err(Error::new(
                ErrorKind::Truncated,
                format_args!("found a file of {len} bytes, expected {end} as its header says: the file is cut off"),
            ));
        }
        let mut next = [0; MAGIC.len()];
        file.seek(SeekFrom::Start(end))?;
        let got = read_full(file, &mut next)?;
        if next[..got] == *MAGIC {
            return Err(not_growing("another array behind the first one"));
        }
        Ok(end)
    }

    /// Whether this is what a writer without rows leaves.
    fn is_fresh(&self) -> bool {
        self.header.shape() == [0] && *self.header.dtype() == Number::F64.dtype()
    }
}

/// Keeps what is read.
struct Kept<'f> {
    file: &'f mut File,
    bytes: Vec<u8>,
}

impl Read for Kept<'_> {
    fn read(&mut self, buf: &mut [u8]) -> std::io::Result<usize> {
        let got = self.file.read(buf)?;
        self.bytes.extend_from_slice(&buf[..got]);
        Ok(got)
    }
}
