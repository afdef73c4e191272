//! Row by row into one array whose length is known at the end, or never: it may grow again.
//!
//! ```text
//! push    ─► header of (0, ..) with the first row, then data
//! flush   ─► data to the disk, then the number of rows into the header: (0, 3) becomes (99, 3) in one small write
//! finish  ─► the same; NumPy leaves room for 21 digits
//! append  ─► behind the data of a file: what a killed writer left behind the counted rows is cut off
//! ```
//!
//! Whoever is killed between any two of these leaves a file with the number of rows of one flush or of the next.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use serde::Serialize;

use crate::error::{Error, ErrorKind, Result};
use crate::format::header::{Header, MAGIC};
use crate::io::file::{AtomicFile, open_to_grow, with_suffix};
use crate::io::source::read_full;
use crate::npy::layout::measure::measure;
use crate::npy::layout::node::Node;
use crate::npy::layout::scalar::Leaf;
use crate::npy::rows::fit;
use crate::npy::rows::head::Head;
use crate::npy::ser::array::Item;
use crate::npy::sink::{Out, Sink};
use crate::npy::whole::Number;
use crate::options::{ReadOptions, WriteOptions};

/// How much is gathered before it goes to the underlying writer.
const PIECE: usize = 64 * 1024;

/// Writes an array row by row, to a new file, to any writer that seeks, or behind the rows of an existing file.
///
/// The first row fixes dtype, row shape and string width. Without rows the array is `<f8` of shape (0,).
///
/// Rows are there for others once [`flush`](NpyWriter::flush) or [`finish`](NpyWriter::finish) has returned. A program
/// that ends at any moment, killed or not, leaves a file that can be read, with the rows of the last flush at least; those
/// of a writer that is dropped without either are lost. One writer at a time: nothing keeps two of them from a file.
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
pub struct NpyWriter<W: Write + Seek> {
    inner: W,
    /// Where the header starts.
    start: u64,
    /// How many bytes of data `inner` has got; `None` before the header.
    written: Option<u64>,
    /// From the first row on, or from the file that grows.
    head: Option<Head>,
    /// The layout of a row, from the first one on.
    row: Option<Node>,
    /// The bytes of the newest row, which goes out whole or not at all.
    bytes: Vec<u8>,
    /// Rows that `inner` has not got yet.
    pending: Vec<u8>,
    rows: u64,
    /// The rows the header tells of.
    shown: u64,
    failed: Option<Error>,
    disk: Option<Disk>,
}

/// What is behind a writer that is a file.
struct Disk {
    /// Until the file has its name.
    target: Option<AtomicFile>,
    file: File,
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
        let (target, handle) = AtomicFile::create(&with_suffix(path.as_ref(), ".npy"), options.durable)?;
        NpyWriter::on_disk(handle, Some(target), options.durable)
    }

    /// Goes on with the array at `path` along its first axis, in place.
    ///
    /// `.npy` is appended to the path where a file of that name is there. Rows have to be as those in the file: dtype,
    /// shape, and texts no longer than its width. Byte order and padding of the file are kept. Only the array of a
    /// writer without rows, `<f8` of shape (0,), takes what the first row brings.
    ///
    /// What lies behind the array is what a killed writer had not counted yet, and is cut off. Another array there, as
    /// `np.save` to one handle leaves it, is an error.
    ///
    /// ```
    /// use serde_npz::NpyWriter;
    ///
    /// # let path = std::env::temp_dir().join(format!("serde_npz-doc-npy-append-{}.npy", std::process::id()));
    /// serde_npz::save_npy(&path, &vec![[1, 2], [3, 4]])?;
    /// let mut log = NpyWriter::append(&path)?;
    /// log.push(&[5, 6])?;
    /// log.finish()?;
    /// assert_eq!(serde_npz::load_npy::<Vec<[i32; 2]>>(&path)?, [[1, 2], [3, 4], [5, 6]]);
    /// # std::fs::remove_file(&path).unwrap();
    /// # Ok::<(), serde_npz::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// `Io` where no file is there; `TypeMismatch` for an array without axes, in Fortran order, or with another one behind
    /// it; `Truncated` for a file that is cut off; `BadHeader` where the number of rows cannot be changed in place; those of
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
        let path = existing(path.as_ref());
        let mut file = open_to_grow(&path)?;
        let found = Found::read(&mut file)?;
        let len = file.metadata()?.len();
        let end = found.end(len, &mut file)?;
        if found.is_fresh() {
            // Another header may be longer: the file is made anew, and takes its name with the first row flushed.
            let (target, handle) = AtomicFile::create(&path, options.durable)?;
            return NpyWriter::on_disk(handle, Some(target), options.durable);
        }
        let head = Head::found(found.bytes, found.header)?;
        if len > end {
            file.set_len(end)?;
        }
        let mut writer = NpyWriter::on_disk(file, None, options.durable)?;
        writer.go_on(head)?;
        Ok(writer)
    }

    fn on_disk(file: File, target: Option<AtomicFile>, durable: bool) -> Result<Self> {
        let disk = Disk {
            target,
            file: file.try_clone()?,
            durable,
        };
        let mut writer = NpyWriter::starting(file, 0);
        writer.disk = Some(disk);
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
    pub fn new(mut inner: W) -> Result<Self> {
        let start = inner.stream_position()?;
        Ok(NpyWriter::starting(inner, start))
    }

    fn starting(inner: W, start: u64) -> Self {
        NpyWriter {
            inner,
            start,
            written: None,
            head: None,
            row: None,
            bytes: Vec::new(),
            pending: Vec::new(),
            rows: 0,
            shown: 0,
            failed: None,
            disk: None,
        }
    }

    /// Takes up an array that is there already.
    fn go_on(&mut self, head: Head) -> Result<()> {
        let header = head.header();
        self.rows = header.shape().first().copied().unwrap_or_default();
        self.shown = self.rows;
        self.written = Some(header.data_len());
        self.inner.seek(SeekFrom::Start(
            self.start + head.bytes().len() as u64 + header.data_len(),
        ))?;
        self.head = Some(head);
        Ok(())
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
    /// `MixedTypes`, `Ragged` or `InvalidValue` for a row unlike the first; `LimitExceeded` where a foreign header has no
    /// room for one more digit. Such a row is not written, and the writer goes on. `Io` ends the writer: later calls
    /// return it again.
    pub fn push<T: Serialize + ?Sized>(&mut self, row: &T) -> Result<()> {
        self.usable()?;
        let index = self.rows;
        self.encode(row).map_err(|e| e.at_index(index))?;
        self.rows += 1;
        if self.pending.len() + self.bytes.len() <= PIECE {
            self.pending.extend_from_slice(&self.bytes);
            return Ok(());
        }
        let written = self.hand_on().and_then(|()| self.write());
        self.keep(written)
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

    /// How many rows there are by now, those that were in the file before included.
    ///
    /// ```
    /// let mut writer = serde_npz::NpyWriter::new(std::io::Cursor::new(Vec::new()))?;
    /// writer.extend([1.5, 2.5])?;
    /// assert_eq!(writer.rows(), 2);
    /// # Ok::<(), serde_npz::Error>(())
    /// ```
    pub fn rows(&self) -> u64 {
        self.rows
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
        if self.head.is_none() {
            self.head = Some(Head::new(fit::header(&Node::Leaf(Leaf::Number(Number::F64)), 0)?)?);
        }
        self.show()?;
        Ok(self.inner)
    }

    /// The row as it lies in the file, into `bytes`.
    fn encode<T: Serialize + ?Sized>(&mut self, row: &T) -> Result<()> {
        self.bytes.clear();
        let (Some(head), Some(node)) = (&self.head, &self.row) else {
            return self.encode_first(row);
        };
        head.check(self.rows)?;
        if let Err(error) = put(row, node, &mut self.bytes) {
            // The walk along a known layout sees only that the row leaves it; measuring tells how.
            return Err(measure(row)
                .and_then(|found| fit::next(found, node))
                .err()
                .unwrap_or(error));
        }
        arrange(head.header(), &mut self.bytes)
    }

    fn encode_first<T: Serialize + ?Sized>(&mut self, row: &T) -> Result<()> {
        let found = measure(row)?;
        let node = match &self.head {
            Some(head) => {
                head.check(self.rows)?;
                fit::in_file(found, head.header())?
            }
            None => fit::first(found)?,
        };
        put(row, &node, &mut self.bytes)?;
        match &self.head {
            Some(head) => arrange(head.header(), &mut self.bytes)?,
            None => self.head = Some(Head::new(fit::header(&node, 0)?)?),
        }
        self.row = Some(node);
        Ok(())
    }

    /// Brings data and number of rows to where readers see them, in this order.
    fn show(&mut self) -> Result<()> {
        self.hand_on()?;
        self.inner.flush()?;
        let named = self.disk.as_ref().is_some_and(|disk| disk.target.is_none());
        if self.shown != self.rows {
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
            && self.head.is_some()
            && let Some(target) = disk.target.take()
        {
            target.commit()?;
        }
        Ok(())
    }

    /// Hands the rows that wait to the underlying writer, and the header before them.
    fn hand_on(&mut self) -> Result<()> {
        let Some(head) = &self.head else { return Ok(()) };
        let written = match &mut self.written {
            Some(written) => written,
            none => {
                self.inner.write_all(head.bytes())?;
                none.insert(0)
            }
        };
        self.inner.write_all(&self.pending)?;
        *written += self.pending.len() as u64;
        self.pending.clear();
        Ok(())
    }

    /// Hands on the newest row behind those that waited: a large one without a detour.
    fn write(&mut self) -> Result<()> {
        if self.bytes.len() < PIECE {
            self.pending.extend_from_slice(&self.bytes);
            return Ok(());
        }
        self.inner.write_all(&self.bytes)?;
        if let Some(written) = &mut self.written {
            *written += self.bytes.len() as u64;
        }
        Ok(())
    }

    /// Writes the number of rows into the header.
    fn count(&mut self) -> Result<()> {
        let (Some(head), Some(written)) = (&mut self.head, self.written) else {
            return Ok(());
        };
        let (changed, before) = head.set(self.rows);
        let at = self.start + changed.start as u64;
        let end = self.start + head.bytes().len() as u64 + written;
        let counted = patch(&mut self.inner, at, &head.bytes()[changed]);
        if counted.is_err() {
            // Half a number would be a wrong one. Where this fails too, there is no more to be done.
            let _ = patch(&mut self.inner, at, &before);
        }
        counted?;
        self.inner.seek(SeekFrom::Start(end))?;
        self.shown = self.rows;
        Ok(())
    }

    fn sync(&self) -> Result<()> {
        match &self.disk {
            Some(disk) => Ok(disk.file.sync_data()?),
            None => Ok(()),
        }
    }

    /// An error that leaves the position unknown is the last thing this writer has to say.
    fn keep(&mut self, result: Result<()>) -> Result<()> {
        if let Err(error) = &result {
            self.failed = Some(error.again());
        }
        result
    }

    fn usable(&self) -> Result<()> {
        match &self.failed {
            Some(error) => Err(error.again()),
            None => Ok(()),
        }
    }
}

impl<W: Write + Seek> std::fmt::Debug for NpyWriter<W> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("NpyWriter")
            .field("rows", &self.rows)
            .finish_non_exhaustive()
    }
}

fn patch<W: Write + Seek>(inner: &mut W, at: u64, bytes: &[u8]) -> std::io::Result<()> {
    inner.seek(SeekFrom::Start(at))?;
    inner.write_all(bytes)?;
    inner.flush()
}

/// The row as it is in a packed, little-endian array.
fn put<T: Serialize + ?Sized>(row: &T, node: &Node, bytes: &mut Vec<u8>) -> Result<()> {
    let mut sink = Bytes(bytes);
    let mut out = Out::new(&mut sink);
    Item {
        out: &mut out,
        node,
        marker: None,
        slots: None,
    }
    .value(row)?;
    out.flush()
}

/// The same row as the file has it.
fn arrange(header: &Header, bytes: &mut Vec<u8>) -> Result<()> {
    let dtype = header.dtype();
    let size = dtype.itemsize();
    if size == 0 || !fit::differs(dtype) {
        return Ok(());
    }
    let len = header.shape().iter().skip(1).product::<u64>() * size;
    let mut arranged = Vec::new();
    reserve(&mut arranged, len as usize)?;
    arranged.resize(len as usize, 0);
    let mut packed = &bytes[..];
    for element in arranged.chunks_exact_mut(size as usize) {
        fit::place(dtype, &mut packed, element);
    }
    *bytes = arranged;
    Ok(())
}

/// The file tells how wide a row is: more than there is memory for is no reason to end the program.
fn reserve(bytes: &mut Vec<u8>, len: usize) -> Result<()> {
    bytes.try_reserve(len).map_err(|_| {
        Error::new(
            ErrorKind::LimitExceeded,
            format_args!("found a row of {len} bytes and more, expected one that fits into memory"),
        )
    })
}

/// One row, before it is known to be whole.
struct Bytes<'b>(&'b mut Vec<u8>);

impl Sink for Bytes<'_> {
    fn begin(&mut self, _: &Header) -> Result<()> {
        Ok(())
    }

    fn write(&mut self, bytes: &[u8]) -> Result<()> {
        reserve(self.0, bytes.len())?;
        self.0.extend_from_slice(bytes);
        Ok(())
    }
}

/// The file that [`NpyWriter::create`] makes of this name, or else the one of this very name.
fn existing(path: &Path) -> PathBuf {
    let suffixed = with_suffix(path, ".npy");
    if suffixed.exists() || !path.exists() {
        suffixed
    } else {
        path.to_owned()
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
        if header.shape().is_empty() {
            return Err(not_growing("an array without axes"));
        }
        if header.fortran_order() && header.shape().len() > 1 {
            return Err(not_growing(
                "an array in Fortran order, which grows along its last axis,",
            ));
        }
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

#[cold]
fn not_growing(found: &str) -> Error {
    Error::new(
        ErrorKind::TypeMismatch,
        format_args!(
            "found {found}, expected a file with one array that can grow along its first axis: `load_npy` and `save_npy` \
             make it one"
        ),
    )
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
