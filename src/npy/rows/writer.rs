//! A file that grows row by row, and whose number of rows is not known before the end.
//!
//! ```text
//! push    ─► the header of (0, ..) before the first row, then data
//! flush   ─► data to the disk, then the number of rows into the header: (0, 3) becomes (99, 3) in one small write
//! finish  ─► the same; NumPy leaves room for 21 digits
//! truncate ► the smaller number into the header, and to the disk; then the file is cut
//! ```
//!
//! A program that is killed at any moment leaves the number of rows of one flush or of the next.

use std::fs::File;
use std::io::{Seek, SeekFrom, Write};
use std::path::Path;

use serde::Serialize;

use crate::error::{Error, ErrorKind, Result};
use crate::format::header::Header;
use crate::io::checked::Checked;
use crate::io::file::{AtomicFile, Locked, with_suffix};
use crate::npy::rows::encode::RowEncoder;
use crate::npy::rows::head::Head;
use crate::options::WriteOptions;
use crate::options::progress::Meter;

/// Writes an array row by row, to a new file, to any writer that seeks, or behind the rows of an existing file.
///
/// The first row fixes dtype, row shape and string width, unless [`create_like`](NpyWriter::create_like) states them.
/// Without rows the array is `<f8` of shape (0,).
///
/// Others see the rows once [`flush`](NpyWriter::flush) or [`finish`](NpyWriter::finish) has returned. A program that
/// ends at any moment, killed or not, leaves a file that can be read and has at least the rows of the last flush; a
/// writer that is dropped loses the rows since then. A file has one writer at a time: it is locked as long as the writer
/// lives, so that [`append`](NpyWriter::append) refuses a second one. Readers need no lock. A save to the same path is not
/// held up: it replaces the file, and rows that are added to the old one are lost with it.
///
/// ```
/// use std::io::Cursor;
/// use serde_npz::NpyWriter;
///
/// let mut writer = NpyWriter::new(Cursor::new(Vec::new()))?;
/// writer.push(&[1.0, 2.0])?;
/// writer.extend([[3.0, 4.0], [5.0, 6.0]])?;
/// let bytes = writer.finish()?.into_inner();
/// assert_eq!(bytes, serde_npz::to_npy_vec(&vec![[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]])?);
/// # Ok::<(), serde_npz::Error>(())
/// ```
#[must_use = "rows that were pushed are lost unless `finish` or `flush` is called"]
pub struct NpyWriter<W: Write + Seek> {
    inner: W,
    /// Where the header starts.
    start: u64,
    /// How many bytes of data have been written; `None` before the header is.
    written: Option<u64>,
    rows: RowEncoder,
    /// How many rows the header in the file tells of.
    shown: u64,
    failed: Option<Error>,
    disk: Option<Disk>,
    meter: Meter,
}

/// The file under a writer on the disk.
struct Disk {
    /// `None` once the file has its name.
    target: Option<AtomicFile>,
    file: Locked,
    durable: bool,
}

impl NpyWriter<File> {
    /// Creates `path`, with `.npy` appended where it lacks that.
    ///
    /// The file appears there, whole, when the first [`flush`](NpyWriter::flush) with rows or
    /// [`finish`](NpyWriter::finish) returns; dropped before, nothing changes.
    ///
    /// ```
    /// # let dir = std::env::temp_dir().join(format!("serde_npz-doc-npy-create-{}", std::process::id()));
    /// # std::fs::create_dir_all(&dir).unwrap();
    /// # let path = dir.join("log");
    /// let mut log = serde_npz::NpyWriter::create(&path)?;
    /// log.push(&1.5)?;
    /// log.finish()?;
    /// assert_eq!(serde_npz::load_npy::<Vec<f64>>(path.with_extension("npy"))?, [1.5]);
    /// # std::fs::remove_dir_all(&dir).unwrap();
    /// # Ok::<(), serde_npz::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// `Io` if no file can be made beside `path`.
    pub fn create(path: impl AsRef<Path>) -> Result<Self> {
        NpyWriter::create_with(path, &WriteOptions::new())
    }

    /// As [`NpyWriter::create`], with [`WriteOptions::durable`]: what was flushed survives a power cut.
    ///
    /// ```
    /// use serde_npz::{NpyWriter, WriteOptions};
    ///
    /// # let path = std::env::temp_dir().join(format!("serde_npz-doc-npy-create-with-{}.npy", std::process::id()));
    /// let mut log = NpyWriter::create_with(&path, &WriteOptions::new().durable(true))?;
    /// log.push(&1.5)?;
    /// log.finish()?;
    /// # std::fs::remove_file(&path).unwrap();
    /// # Ok::<(), serde_npz::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// Those of [`NpyWriter::create`].
    pub fn create_with(path: impl AsRef<Path>, options: &WriteOptions) -> Result<Self> {
        let (target, handle) = AtomicFile::create(&with_suffix(path.as_ref(), ".npy")?, options.durable)?;
        Ok(NpyWriter::replacing(handle, target, options.durable)?.metered(options))
    }

    /// Keeps the first `rows` rows and drops those behind them, in the file as well.
    ///
    /// A run that was killed goes on from its last checkpoint: the rows that it wrote after that are cut off and written
    /// again. Flush before you save a checkpoint, so that the file never has fewer rows than the checkpoint tells of;
    /// `examples/nbody.rs` does so.
    ///
    /// Killed at any moment, or without power, this leaves the old number of rows or the new one: first the number in the
    /// header becomes smaller and goes to the disk, then the file is cut. As [`flush`](NpyWriter::flush), it makes the rows
    /// that stay visible. dtype and row shape stay as they are, even if no rows do.
    ///
    /// ```
    /// use serde_npz::NpyWriter;
    ///
    /// # let path = std::env::temp_dir().join(format!("serde_npz-doc-npy-truncate-{}.npy", std::process::id()));
    /// serde_npz::save_npy(&path, &vec![1.0, 2.0, 3.0])?;
    /// let mut log = NpyWriter::append(&path)?;
    /// log.truncate(1)?;
    /// log.push(&2.5)?;
    /// log.finish()?;
    /// assert_eq!(serde_npz::load_npy::<Vec<f64>>(&path)?, [1.0, 2.5]);
    /// # std::fs::remove_file(&path).unwrap();
    /// # Ok::<(), serde_npz::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// `InvalidValue` if there are fewer than `rows` rows, and nothing changes; `Io`, which ends the writer: later calls
    /// return it again.
    pub fn truncate(&mut self, rows: u64) -> Result<()> {
        self.usable()?;
        if rows > self.len() {
            return Err(Error::new(
                ErrorKind::InvalidValue,
                format_args!(
                    "found {} rows, expected at least the {rows} that are to stay",
                    self.len()
                ),
            ));
        }
        let cut = self.cut(rows);
        self.keep(cut)
    }

    fn cut(&mut self, rows: u64) -> Result<()> {
        self.write()?;
        let Some(written) = &mut self.written else {
            return Ok(());
        };
        *written = self.rows.truncate(rows);
        self.show()?;
        // A power cut must not leave fewer rows than the header tells of.
        self.sync()?;
        let end = self.start + self.rows.header().map_or(0, <[u8]>::len) as u64 + self.written.unwrap_or_default();
        self.inner.set_len(end)?;
        self.inner.seek(SeekFrom::Start(end))?;
        Ok(())
    }

    /// As [`NpyWriter::create`], with dtype, row shape and width of texts decided beforehand; how many rows `header` tells
    /// of does not matter.
    ///
    /// Rows are converted as in [`NpyWriter::append`]. The file appears with the first [`flush`](NpyWriter::flush), even
    /// without rows.
    ///
    /// ```
    /// use serde_npz::{Dtype, Header, NpyWriter};
    ///
    /// # let path = std::env::temp_dir().join(format!("serde_npz-doc-npy-like-{}.npy", std::process::id()));
    /// let header = Header::new(Dtype::parse("<U8")?, vec![0], false)?;
    /// let mut log = NpyWriter::create_like(&path, &header)?;
    /// log.push("on")?;
    /// log.push("restart")?;
    /// log.finish()?;
    /// assert_eq!(serde_npz::load_npy::<Vec<String>>(&path)?, ["on", "restart"]);
    /// # std::fs::remove_file(&path).unwrap();
    /// # Ok::<(), serde_npz::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// `TypeMismatch` for a header without axes or in Fortran order; those of [`NpyWriter::create`].
    pub fn create_like(path: impl AsRef<Path>, header: &Header) -> Result<Self> {
        NpyWriter::create_like_with(path, header, &WriteOptions::new())
    }

    /// As [`NpyWriter::create_like`], with [`WriteOptions::durable`]: what was flushed survives a power cut.
    ///
    /// ```
    /// use serde_npz::{Dtype, Header, NpyWriter, WriteOptions};
    ///
    /// # let path = std::env::temp_dir().join(format!("serde_npz-doc-npy-like-with-{}.npy", std::process::id()));
    /// let header = Header::new(Dtype::parse("<f8")?, vec![0, 3], false)?;
    /// let mut log = NpyWriter::create_like_with(&path, &header, &WriteOptions::new().durable(true))?;
    /// log.push(&[1, 2, 3])?;
    /// log.finish()?;
    /// assert_eq!(serde_npz::load_npy::<Vec<[f64; 3]>>(&path)?, [[1.0, 2.0, 3.0]]);
    /// # std::fs::remove_file(&path).unwrap();
    /// # Ok::<(), serde_npz::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// Those of [`NpyWriter::create_like`].
    pub fn create_like_with(path: impl AsRef<Path>, header: &Header, options: &WriteOptions) -> Result<Self> {
        let head = Head::without_rows(header, options.max_header_size)?;
        let mut writer = NpyWriter::create_with(path, options)?;
        writer.rows = RowEncoder::stated(head);
        Ok(writer)
    }

    /// A writer on a file that gets its name from `target`.
    pub(super) fn replacing(file: File, target: AtomicFile, durable: bool) -> Result<Self> {
        let mut writer = NpyWriter::starting(file, 0);
        writer.disk = Some(Disk {
            target: Some(target),
            file: Locked::taking_over(&writer.inner)?,
            durable,
        });
        Ok(writer)
    }

    /// A writer that adds rows to the array with this header, at the start of `file`, which is locked.
    pub(super) fn adding_to(mut file: File, lock: Locked, head: Head, durable: bool) -> Result<Self> {
        let data = head.header().data_len();
        file.seek(SeekFrom::Start(head.bytes().len() as u64 + data))?;
        let mut writer = NpyWriter::starting(file, 0);
        writer.disk = Some(Disk {
            target: None,
            file: lock,
            durable,
        });
        writer.written = Some(data);
        writer.rows = RowEncoder::stated(head);
        writer.shown = writer.rows.rows();
        Ok(writer)
    }
}

impl<W: Write + Seek> NpyWriter<W> {
    /// Starts an array where `inner` stands.
    ///
    /// Several arrays in one file: the next one starts where [`NpyWriter::finish`] leaves the writer.
    ///
    /// ```
    /// use std::io::Cursor;
    /// use serde_npz::NpyWriter;
    ///
    /// let mut handle = Cursor::new(Vec::new());
    /// for n in [2, 3] {
    ///     let mut writer = NpyWriter::new(&mut handle)?;
    ///     writer.extend(0..n)?;
    ///     writer.finish()?;
    /// }
    /// serde_npz::to_npy_writer(&mut handle, "the end")?;
    /// let mut rest = &handle.into_inner()[..];
    /// assert_eq!(serde_npz::from_npy_reader::<_, Vec<i32>>(&mut rest)?, [0, 1]);
    /// assert_eq!(serde_npz::from_npy_reader::<_, Vec<i32>>(&mut rest)?, [0, 1, 2]);
    /// # Ok::<(), serde_npz::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// `Io` where `inner` cannot seek.
    pub fn new(inner: W) -> Result<Self> {
        NpyWriter::with_options(inner, &WriteOptions::new())
    }

    /// As [`NpyWriter::new`], with [`WriteOptions::progress`]; the others concern files and archives.
    ///
    /// ```
    /// use std::io::Cursor;
    /// use serde_npz::{NpyWriter, WriteOptions};
    ///
    /// let mut writer = NpyWriter::with_options(Cursor::new(Vec::new()), &WriteOptions::new())?;
    /// writer.push(&1.5)?;
    /// # writer.finish()?;
    /// # Ok::<(), serde_npz::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// Those of [`NpyWriter::new`].
    pub fn with_options(mut inner: W, options: &WriteOptions) -> Result<Self> {
        let start = inner.stream_position()?;
        Ok(NpyWriter::starting(inner, start).metered(options))
    }

    /// Counts bytes for the callback of `options`, and keeps the header within its bound.
    pub(super) fn metered(mut self, options: &WriteOptions) -> Self {
        self.meter = Meter::new(&options.progress, None);
        self.rows.bound_header(options.max_header_size);
        self
    }

    fn starting(inner: W, start: u64) -> Self {
        NpyWriter {
            inner,
            start,
            written: None,
            rows: RowEncoder::new(WriteOptions::new().max_header_size),
            shown: 0,
            failed: None,
            disk: None,
            meter: Meter::default(),
        }
    }

    /// Adds one row: a scalar, a record, or a sequence that is one more axis.
    ///
    /// ```
    /// let mut writer = serde_npz::NpyWriter::new(std::io::Cursor::new(Vec::new()))?;
    /// writer.push(&(1_u32, 0.5))?;
    /// writer.push(&(2_u32, 1.5))?;
    /// let bytes = writer.finish()?.into_inner();
    /// assert_eq!(serde_npz::from_npy_slice::<Vec<(u32, f64)>>(&bytes)?, [(1, 0.5), (2, 1.5)]);
    /// # Ok::<(), serde_npz::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// `MixedTypes`, `Ragged` or `InvalidValue` for a row unlike the first, or one that does not survive in the dtype of the
    /// file; `LimitExceeded` where a foreign header has no
    /// room for one more digit. Such a row is not written, and the writer goes on. `Io` ends the writer: later calls
    /// return it again.
    #[inline]
    pub fn push<T: Serialize + ?Sized>(&mut self, row: &T) -> Result<()> {
        self.usable()?;
        self.rows.push(row)?;
        if self.rows.is_full() {
            self.write_gathered()
        } else {
            Ok(())
        }
    }

    /// Adds one row for each item.
    ///
    /// ```
    /// let mut writer = serde_npz::NpyWriter::new(std::io::Cursor::new(Vec::new()))?;
    /// writer.extend((0..3).map(|i| i * i))?;
    /// let bytes = writer.finish()?.into_inner();
    /// assert_eq!(serde_npz::from_npy_slice::<Vec<i32>>(&bytes)?, [0, 1, 4]);
    /// # Ok::<(), serde_npz::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// Those of [`NpyWriter::push`], for the first row that has one.
    pub fn extend<I>(&mut self, rows: I) -> Result<()>
    where
        I: IntoIterator,
        I::Item: Serialize,
    {
        rows.into_iter().try_for_each(|row| self.push(&row))
    }

    /// How many rows there are so far, including those that were in the file before.
    ///
    /// ```
    /// let mut writer = serde_npz::NpyWriter::new(std::io::Cursor::new(Vec::new()))?;
    /// writer.extend([1.5, 2.5])?;
    /// assert_eq!(writer.len(), 2);
    /// # Ok::<(), serde_npz::Error>(())
    /// ```
    pub fn len(&self) -> u64 {
        self.rows.rows()
    }

    /// Whether there are no rows yet.
    ///
    /// ```
    /// let writer = serde_npz::NpyWriter::new(std::io::Cursor::new(Vec::new()))?;
    /// assert!(writer.is_empty());
    /// # Ok::<(), serde_npz::Error>(())
    /// ```
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Makes all rows so far visible to readers: first their data, then their number.
    ///
    /// For a file the data is on the disk before the number is written, so each call waits for it: flush when rows
    /// are worth it, not after every one. [`WriteOptions::durable`] waits once more, for the number.
    ///
    /// ```
    /// let mut writer = serde_npz::NpyWriter::new(std::io::Cursor::new(Vec::new()))?;
    /// writer.push(&1.5)?;
    /// writer.flush()?;
    /// # Ok::<(), serde_npz::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// `Io`; the array then keeps the number of rows it had, and later calls return the error again.
    pub fn flush(&mut self) -> Result<()> {
        self.usable()?;
        let shown = self.show();
        self.keep(shown)
    }

    /// Flushes, and hands the underlying writer back, behind the array.
    ///
    /// ```
    /// let mut writer = serde_npz::NpyWriter::new(std::io::Cursor::new(Vec::new()))?;
    /// writer.push("ab")?;
    /// let bytes = writer.finish()?.into_inner();
    /// assert_eq!(serde_npz::from_npy_slice::<Vec<String>>(&bytes)?, ["ab"]);
    /// # Ok::<(), serde_npz::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// `Io`, also where an earlier call had it.
    pub fn finish(mut self) -> Result<W> {
        self.usable()?;
        self.rows.settle()?;
        self.write()?;
        self.meter.end()?;
        self.show()?;
        Ok(self.inner)
    }

    /// Makes the rows visible to readers: first their data, then their number.
    fn show(&mut self) -> Result<()> {
        self.write()?;
        self.inner.flush()?;
        let named = self.disk.as_ref().is_some_and(|disk| disk.target.is_none());
        if self.shown != self.rows.rows() {
            if named {
                // Else a power cut could keep the number and lose the data.
                self.sync()?;
            }
            self.count()?;
            if named && self.disk.as_ref().is_some_and(|disk| disk.durable) {
                self.sync()?;
            }
        }
        if let Some(disk) = &mut self.disk
            && self.rows.header().is_some()
            && let Some(target) = disk.target.take()
        {
            target.commit_to_grow()?;
        }
        Ok(())
    }

    #[cold]
    fn write_gathered(&mut self) -> Result<()> {
        let written = self.write();
        self.keep(written)
    }

    /// Writes the rows gathered, and before the first of them the header.
    fn write(&mut self) -> Result<()> {
        let Some(header) = self.rows.header() else {
            return Ok(());
        };
        let written = match &mut self.written {
            Some(written) => written,
            none => {
                Checked(&mut self.inner).write_all(header)?;
                none.insert(0)
            }
        };
        let rows = self.rows.gathered();
        Checked(&mut self.inner).write_all(rows)?;
        let len = rows.len() as u64;
        *written += len;
        self.rows.clear();
        self.meter.add(len)
    }

    /// Writes the number of rows into the header.
    fn count(&mut self) -> Result<()> {
        let Some((changed, before)) = self.rows.count() else {
            return Ok(());
        };
        let header = self.rows.header().unwrap_or_default();
        let at = self.start.saturating_add(changed.start as u64);
        let end = self
            .start
            .saturating_add(header.len() as u64 + self.written.unwrap_or_default());
        let counted = patch(&mut self.inner, at, &header[changed]);
        if counted.is_err() {
            // Half of a number would be another number. If this fails too, nothing more can be done.
            let _ = patch(&mut self.inner, at, &before);
        }
        counted?;
        self.inner.seek(SeekFrom::Start(end))?;
        self.shown = self.rows.rows();
        Ok(())
    }

    fn sync(&self) -> Result<()> {
        match &self.disk {
            Some(disk) => Ok(disk.file.sync_data()?),
            None => Ok(()),
        }
    }

    /// After an error in writing the position is unknown: every later call returns that error again.
    fn keep(&mut self, result: Result<()>) -> Result<()> {
        if let Err(error) = &result {
            self.failed = Some(error.duplicate());
        }
        result
    }

    #[inline]
    fn usable(&self) -> Result<()> {
        match &self.failed {
            Some(error) => Err(error.duplicate()),
            None => Ok(()),
        }
    }
}

impl<W: Write + Seek> std::fmt::Debug for NpyWriter<W> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("NpyWriter")
            .field("rows", &self.len())
            .finish_non_exhaustive()
    }
}

fn patch<W: Write + Seek>(inner: &mut W, at: u64, bytes: &[u8]) -> std::io::Result<()> {
    inner.seek(SeekFrom::Start(at))?;
    Checked(&mut *inner).write_all(bytes)?;
    inner.flush()
}
