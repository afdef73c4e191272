//! Row by row into one array whose length is known at the end.
//!
//! ```text
//! create  ─► room for the header
//! push    ─► header of (0, ..) with the first row, then data
//! finish  ─► the header again, with the number of rows; NumPy leaves 21 digits for it
//! ```

use std::fs::File;
use std::io::{BufWriter, Seek, SeekFrom, Write};
use std::path::Path;

use serde::Serialize;

use crate::error::{Error, ErrorKind, Result};
use crate::file::{AtomicFile, with_suffix};
use crate::header::Header;
use crate::npy::measure::measure;
use crate::npy::node::Node;
use crate::npy::scalar::Leaf;
use crate::npy::ser::Item;
use crate::sink::{Out, Sink};

/// Writes an array row by row.
///
/// The first row fixes dtype, row shape and string width. Without rows the array is `<f8` of shape (0,).
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
    start: u64,
    /// The layout of a row, from the first one on.
    row: Option<Node>,
    rows: u64,
    failed: Option<Error>,
    target: Option<AtomicFile>,
}

impl NpyWriter<BufWriter<File>> {
    /// Creates `path`, with `.npy` appended where it lacks that; the file appears there when [`NpyWriter::finish`] returns.
    ///
    /// ```
    /// # let dir = std::env::temp_dir().join(format!("serde_npz-doc-npy-create-{}", std::process::id()));
    /// # std::fs::create_dir_all(&dir).unwrap();
    /// # let path = dir.join("log");
    /// let mut log = serde_npz::NpyWriter::create(&path)?;
    /// log.push(&1.5)?;
    /// log.finish()?;
    /// assert_eq!(serde_npz::load_npy::<_, Vec<f64>>(path.with_extension("npy"))?, [1.5]);
    /// # std::fs::remove_dir_all(&dir).unwrap();
    /// # Ok::<(), serde_npz::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// `Io` if no file can be made beside `path`.
    pub fn create(path: impl AsRef<Path>) -> Result<Self> {
        let (target, handle) = AtomicFile::create(&with_suffix(path.as_ref(), ".npy"), false)?;
        let mut writer = NpyWriter::new(BufWriter::new(handle))?;
        writer.target = Some(target);
        Ok(writer)
    }
}

impl<W: Write + Seek> NpyWriter<W> {
    /// Starts an array where `inner` stands.
    ///
    /// ```
    /// let writer = serde_npz::NpyWriter::new(std::io::Cursor::new(Vec::new()))?;
    /// let bytes = writer.finish()?.into_inner();
    /// assert!(serde_npz::from_npy_slice::<Vec<f64>>(&bytes)?.is_empty());
    /// # Ok::<(), serde_npz::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// `Io` where `inner` cannot seek.
    pub fn new(mut inner: W) -> Result<Self> {
        let start = inner.stream_position()?;
        Ok(NpyWriter {
            inner,
            start,
            row: None,
            rows: 0,
            failed: None,
            target: None,
        })
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
    /// `MixedTypes`, `Ragged` or `InvalidValue` for a row unlike the first; it is not written, and the writer goes on.
    /// `Io` ends the writer: later calls return it again.
    pub fn push<T: Serialize + ?Sized>(&mut self, row: &T) -> Result<()> {
        self.usable()?;
        let index = self.rows;
        let node = measure(row)
            .and_then(|node| self.fit(node))
            .map_err(|e| e.at_index(index))?;
        // A row goes out whole or not at all, but for a failing writer.
        let mut bytes = Bytes(Vec::new());
        let mut out = Out::new(&mut bytes);
        Item {
            out: &mut out,
            node: &node,
            marker: None,
        }
        .value(row)
        .map_err(|e| e.at_index(index))?;
        out.flush()?;
        if self.row.is_none() {
            let header = header(&node, 0)?;
            self.write(&header.to_bytes())?;
            self.row = Some(node);
        }
        self.write(&bytes.0)?;
        self.rows += 1;
        Ok(())
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

    /// Hands all rows so far to the underlying writer.
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
    /// `Io`.
    pub fn flush(&mut self) -> Result<()> {
        self.usable()?;
        let flushed = self.inner.flush();
        self.io(flushed)
    }

    /// Writes the number of rows into the header and hands the underlying writer back, behind the array.
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
        let node = self
            .row
            .take()
            .unwrap_or(Node::Leaf(Leaf::Number(crate::bulk::Number::F64)));
        let header = header(&node, self.rows)?;
        self.inner.seek(SeekFrom::Start(self.start))?;
        self.inner.write_all(&header.to_bytes())?;
        let data = i64::try_from(header.data_len()).unwrap_or(i64::MAX);
        self.inner.seek(SeekFrom::Current(data))?;
        self.inner.flush()?;
        if let Some(target) = self.target.take() {
            target.commit()?;
        }
        Ok(self.inner)
    }

    /// The layout for a row measured as `node`: that of the first row, which has to hold it.
    fn fit(&self, node: Node) -> Result<Node> {
        match node {
            Node::Fault(fault) => return Err(fault.into_error()),
            Node::Group | Node::None { .. } => return Err(no_row("a value of several members")),
            Node::Unit => return Err(no_row("()")),
            _ => {}
        }
        let Some(first) = &self.row else { return Ok(node) };
        match first.clone().union(node, 0) {
            Node::Fault(fault) => Err(fault.into_error().without_path()),
            Node::Group => Err(Error::new(
                ErrorKind::MixedTypes,
                "found a row of another layout, expected one like the first",
            )),
            // The width of texts and bytes is fixed; a longer one fails when it is written.
            _ => Ok(first.clone()),
        }
    }

    fn write(&mut self, bytes: &[u8]) -> Result<()> {
        let written = self.inner.write_all(bytes);
        self.io(written)
    }

    fn io(&mut self, result: std::io::Result<()>) -> Result<()> {
        result.map_err(|err| {
            let error = Error::from(err);
            self.failed = Some(error.again());
            error
        })
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

fn header(row: &Node, rows: u64) -> Result<Header> {
    Node::Axis {
        len: rows,
        item: Box::new(row.clone()),
        tuple: false,
    }
    .header()
}

#[cold]
fn no_row(found: &str) -> Error {
    Error::new(
        ErrorKind::UnsupportedType,
        format_args!("found {found}, expected a row of fixed layout: a scalar, a record, or a sequence of them"),
    )
}

/// One row, before it is known to be whole.
struct Bytes(Vec<u8>);

impl Sink for Bytes {
    fn begin(&mut self, _: &Header) -> Result<()> {
        Ok(())
    }

    fn write(&mut self, bytes: &[u8]) -> Result<()> {
        self.0.extend_from_slice(bytes);
        Ok(())
    }
}
