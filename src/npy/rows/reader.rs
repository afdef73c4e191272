//! Arrays from a reader, row by row.

use std::fs::File;
use std::io::{self, BufReader, Read, Seek, SeekFrom};
use std::iter::FusedIterator;
use std::marker::PhantomData;
use std::path::Path;

use serde::de::DeserializeOwned;

use crate::error::{Error, ErrorKind, Result};
use crate::format::header::Header;
use crate::io::file;
use crate::io::source::{Metered, Stream, read_grow, truncated};
use crate::npy::rows::walk::{Rows, count};
use crate::options::ReadOptions;
use crate::options::progress::Meter;

/// Reads an array row by row, and the next one behind it, from any reader: a file, a pipe, a socket.
///
/// Nothing behind the array is taken from the reader; of the array at most 64 KiB are read ahead.
///
/// ```
/// let bytes = serde_npz::to_npy_vec(&vec![[1.0, 2.0], [3.0, 4.0]])?;
/// let mut reader = serde_npz::NpyReader::new(&bytes[..])?;
/// assert_eq!(reader.header().shape(), [2, 2]);
/// for row in reader.rows::<[f64; 2]>() {
///     println!("{:?}", row?);
/// }
/// # Ok::<(), serde_npz::Error>(())
/// ```
pub struct NpyReader<R> {
    source: Stream<R>,
    header: Header,
    options: ReadOptions,
    state: State,
    /// How to seek, once it is known that the reader can.
    seek: Option<SeekTo<R>>,
    /// Where the data of this array starts, if its rows are gathered from all over it.
    start: u64,
    meter: Meter,
}

/// [`Seek::seek`] of a reader.
type SeekTo<R> = fn(&mut R, SeekFrom) -> io::Result<u64>;

/// How much of the array has been read.
enum State {
    Nothing,
    Rows(Box<Rows>),
    All,
}

impl NpyReader<BufReader<File>> {
    /// Opens the array at `path`; its content counts, not its suffix.
    ///
    /// ```
    /// # let path = std::env::temp_dir().join(format!("serde_npz-doc-npy-open-{}.npy", std::process::id()));
    /// serde_npz::save_npy(&path, &vec![1.0, 2.0])?;
    /// let mut reader = serde_npz::NpyReader::open(&path)?;
    /// assert_eq!(reader.rows::<f64>().collect::<serde_npz::Result<Vec<_>>>()?, [1.0, 2.0]);
    /// # std::fs::remove_file(&path).unwrap();
    /// # Ok::<(), serde_npz::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// `Io`, and those of [`NpyReader::new`].
    pub fn open(path: impl AsRef<Path>) -> Result<Self> {
        NpyReader::open_with(path, &ReadOptions::new())
    }

    /// As [`NpyReader::open`], with the limits and the casting of `options`.
    ///
    /// ```
    /// use serde_npz::{Casting, NpyReader, ReadOptions};
    ///
    /// # let path = std::env::temp_dir().join(format!("serde_npz-doc-npy-open-with-{}.npy", std::process::id()));
    /// serde_npz::save_npy(&path, &vec![0.5_f64])?;
    /// let mut reader = NpyReader::open_with(&path, &ReadOptions::new().casting(Casting::SameKind))?;
    /// assert_eq!(reader.rows::<f32>().next().unwrap()?, 0.5);
    /// # std::fs::remove_file(&path).unwrap();
    /// # Ok::<(), serde_npz::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// `Io`, and those of [`NpyReader::with_options`].
    pub fn open_with(path: impl AsRef<Path>, options: &ReadOptions) -> Result<Self> {
        let mut reader = NpyReader::with_options(BufReader::new(file::open(path.as_ref())?), options)?;
        reader.seek = Some(Seek::seek);
        Ok(reader)
    }
}

impl<R: Read> NpyReader<R> {
    /// Reads the header; `reader` then stands at the data.
    ///
    /// ```
    /// let bytes = serde_npz::to_npy_vec(&vec![1_u8, 2])?;
    /// assert_eq!(serde_npz::NpyReader::new(&bytes[..])?.header().dtype().to_string(), "|u1");
    /// # Ok::<(), serde_npz::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// Those of [`Header::read`].
    pub fn new(reader: R) -> Result<Self> {
        NpyReader::with_options(reader, &ReadOptions::new())
    }

    /// As [`NpyReader::new`], with the limits and the casting of `options`.
    ///
    /// ```
    /// use serde_npz::{Casting, NpyReader, ReadOptions};
    ///
    /// let bytes = serde_npz::to_npy_vec(&vec![0.5_f64])?;
    /// let options = ReadOptions::new().casting(Casting::SameKind);
    /// let mut reader = NpyReader::with_options(&bytes[..], &options)?;
    /// assert_eq!(reader.rows::<f32>().next().unwrap()?, 0.5);
    /// # Ok::<(), serde_npz::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// Those of [`Header::read_with`].
    pub fn with_options(reader: R, options: &ReadOptions) -> Result<Self> {
        let (mut source, mut meter) = (Stream::new(reader), Meter::new(&options.progress, None));
        let header = Header::read_with(&mut Metered::new(&mut source, &mut meter), options)?;
        meter.announce(header.data_len());
        Ok(NpyReader {
            source,
            header,
            options: options.clone(),
            state: State::Nothing,
            seek: None,
            start: 0,
            meter,
        })
    }

    /// Dtype, shape and order.
    ///
    /// ```
    /// let bytes = serde_npz::to_npy_vec(&1.5)?;
    /// assert!(serde_npz::NpyReader::new(&bytes[..])?.header().shape().is_empty());
    /// # Ok::<(), serde_npz::Error>(())
    /// ```
    pub fn header(&self) -> &Header {
        &self.header
    }

    /// The elements along the first axis, one after another in constant memory.
    ///
    /// Rows of an array in Fortran order are gathered from its columns, 8 MiB of them at a time, from a file that was opened by
    /// its path, and once [`NpyReader::seek`] was called. From any other reader such an array is read whole.
    ///
    /// Another call continues where the last one stopped.
    ///
    /// ```
    /// let bytes = serde_npz::to_npy_vec(&vec![(1_u32, 0.5), (2, 1.5), (3, 2.5)])?;
    /// let mut reader = serde_npz::NpyReader::new(&bytes[..])?;
    /// let first: Vec<(u32, f64)> = reader.rows().take(1).collect::<serde_npz::Result<_>>()?;
    /// let sum: f64 = reader.rows::<(u32, f64)>().map(|row| row.map(|(_, x)| x)).sum::<serde_npz::Result<f64>>()?;
    /// assert_eq!((first, sum), (vec![(1, 0.5)], 4.0));
    /// # Ok::<(), serde_npz::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// Each row is a `Result`; behind an error there are no more rows, and a later call returns it again until
    /// [`NpyReader::seek`] leads away from it. An array without axes has no rows: `TypeMismatch`.
    pub fn rows<T: DeserializeOwned>(&mut self) -> NpyRows<'_, R, T> {
        let refused = self.open_rows().err();
        NpyRows {
            reader: self,
            refused,
            ended: false,
            target: PhantomData,
        }
    }

    /// Goes on to the array right behind this one, as `np.save` called again on one handle leaves it; false at the end.
    ///
    /// The rest of this array is read and dropped.
    ///
    /// ```
    /// let mut file = serde_npz::to_npy_vec(&vec![1.0, 2.0])?;
    /// file.extend(serde_npz::to_npy_vec(&vec![3.0])?);
    ///
    /// let mut reader = serde_npz::NpyReader::new(&file[..])?;
    /// let mut all = Vec::new();
    /// loop {
    ///     all.push(reader.rows().collect::<serde_npz::Result<Vec<f64>>>()?);
    ///     if !reader.next_array()? {
    ///         break;
    ///     }
    /// }
    /// assert_eq!(all, [vec![1.0, 2.0], vec![3.0]]);
    /// # Ok::<(), serde_npz::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// `Truncated` where the rest of this array is not there, those of [`Header::read_with`] for the next one, and an
    /// `Io` that a row had before.
    pub fn next_array(&mut self) -> Result<bool> {
        self.pass()?;
        self.meter = Meter::new(&self.options.progress, None);
        let mut source = Metered::new(&mut self.source, &mut self.meter);
        let Some(header) = Header::read_next(&mut source, &self.options)? else {
            return Ok(false);
        };
        self.meter.announce(header.data_len());
        self.header = header;
        self.state = State::Nothing;
        Ok(true)
    }

    /// Hands the reader back, right behind the array; the rest of the array is read and dropped.
    ///
    /// ```
    /// let mut file = serde_npz::to_npy_vec(&vec![1.0, 2.0])?;
    /// file.extend(b"something else");
    ///
    /// let mut reader = serde_npz::NpyReader::new(&file[..])?;
    /// assert_eq!(reader.rows::<f64>().next().unwrap()?, 1.0);
    /// assert_eq!(reader.finish()?, b"something else");
    /// # Ok::<(), serde_npz::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// `Truncated` where the rest of the array is not there, and an `Io` that a row had before.
    pub fn finish(mut self) -> Result<R> {
        self.pass()?;
        Ok(self.source.into_inner())
    }

    /// Gets ready for rows, if that has not been done.
    fn open_rows(&mut self) -> Result<()> {
        if let State::Nothing = self.state {
            if let Some(seek) = self.seek
                && let Some(rows) = Rows::of_columns(&self.header, &self.options)?
                // A pipe has a path, too, and cannot seek.
                && let Ok(start) = seek(self.source.get_mut(), SeekFrom::Current(0))
            {
                self.start = start;
                self.state = State::Rows(Box::new(rows));
                return Ok(());
            }
            let mut source = Metered::new(&mut self.source, &mut self.meter);
            self.state = State::Rows(Box::new(Rows::open(&self.header, &mut source, &self.options)?));
        }
        Ok(())
    }

    fn next_row<T: DeserializeOwned>(&mut self) -> Option<Result<T>> {
        let State::Rows(rows) = &mut self.state else {
            return None;
        };
        if let Some(seek) = self.seek {
            let (source, meter, start) = (&mut self.source, &mut self.meter, self.start);
            let fetched = rows.fetch(&mut |offset, len, into| {
                seek(source.get_mut(), SeekFrom::Start(start.saturating_add(offset)))?;
                read_grow(&mut Metered::new(source, meter), into, len)
            });
            if let Err(error) = fetched {
                return Some(Err(error));
            }
        }
        rows.next(&mut Metered::new(&mut self.source, &mut self.meter))
            .or_else(|| self.meter.end().err().map(Err))
    }

    /// Reads what is left of the array.
    fn pass(&mut self) -> Result<()> {
        if let (State::Rows(rows), Some(seek)) = (&self.state, self.seek)
            && rows.is_of_columns()
        {
            let end = seek(self.source.get_mut(), SeekFrom::End(0))?;
            let len = self.header.data_len();
            if end - self.start.min(end) < len {
                return Err(truncated(end - self.start.min(end), len));
            }
            seek(self.source.get_mut(), SeekFrom::Start(self.start + len))?;
            self.state = State::All;
            return Ok(());
        }
        let left = self.left()?;
        let got = io::copy(&mut (&mut self.source).take(left), &mut io::sink())?;
        if got < left {
            return Err(truncated(got, left));
        }
        self.state = State::All;
        Ok(())
    }

    /// How many bytes of the array are still in the reader.
    fn left(&self) -> Result<u64> {
        match &self.state {
            State::Nothing => Ok(self.header.data_len()),
            State::Rows(rows) => rows.left(),
            State::All => Ok(0),
        }
    }
}

impl<R: Read + Seek> NpyReader<R> {
    /// Goes to a row, back or forth: the next [`NpyReader::rows`] begins there. Behind the last row there are none.
    ///
    /// ```
    /// use std::io::Cursor;
    ///
    /// let bytes = serde_npz::to_npy_vec(&vec![[1, 2], [3, 4], [5, 6]])?;
    /// let mut reader = serde_npz::NpyReader::new(Cursor::new(bytes))?;
    /// reader.seek(2)?;
    /// assert_eq!(reader.rows::<[i32; 2]>().next().unwrap()?, [5, 6]);
    /// reader.seek(0)?;
    /// assert_eq!(reader.rows::<[i32; 2]>().count(), 3);
    /// # Ok::<(), serde_npz::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// `InvalidValue` for a row that is not there, `TypeMismatch` for an array without axes, `Io`.
    pub fn seek(&mut self, row: u64) -> Result<()> {
        let count = count(&self.header)?;
        if row > count {
            return Err(Error::new(
                ErrorKind::InvalidValue,
                format_args!("found {count} rows, expected row {row} or the end before it"),
            ));
        }
        self.seek = Some(Seek::seek);
        if let State::Rows(rows) = &mut self.state
            && rows.is_of_columns()
        {
            rows.seek(row)?;
            return Ok(());
        }
        let behind = self.header.data_len() - self.left()?;
        let reader = self.source.get_mut();
        let start = reader.stream_position()?.saturating_sub(behind);
        if let State::All = self.state {
            reader.seek(SeekFrom::Start(start))?;
            self.state = State::Nothing;
        }
        self.open_rows()?;
        if let State::Rows(rows) = &mut self.state
            && let Some(offset) = rows.seek(row)?
        {
            self.source
                .get_mut()
                .seek(SeekFrom::Start(start.saturating_add(offset)))?;
        }
        Ok(())
    }
}

impl<R> std::fmt::Debug for NpyReader<R> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("NpyReader")
            .field("header", &self.header)
            .finish_non_exhaustive()
    }
}

/// The rows of an array, from [`NpyReader::rows`].
///
/// ```
/// use serde_npz::{NpyReader, NpyRows};
///
/// struct Log<'r, R> {
///     rows: NpyRows<'r, R, [f64; 2]>,
/// }
///
/// let bytes = serde_npz::to_npy_vec(&vec![[0.0, 1.0], [0.5, 2.0]])?;
/// let mut reader = NpyReader::new(&bytes[..])?;
/// let log = Log { rows: reader.rows() };
/// assert_eq!(log.rows.count(), 2);
/// # Ok::<(), serde_npz::Error>(())
/// ```
#[must_use = "iterators read nothing unless they are consumed"]
pub struct NpyRows<'r, R, T> {
    reader: &'r mut NpyReader<R>,
    refused: Option<Error>,
    ended: bool,
    target: PhantomData<T>,
}

impl<R: Read, T: DeserializeOwned> Iterator for NpyRows<'_, R, T> {
    type Item = Result<T>;

    fn next(&mut self) -> Option<Result<T>> {
        if self.ended {
            return None;
        }
        let row = match self.refused.take() {
            Some(error) => Some(Err(error)),
            None => self.reader.next_row(),
        };
        self.ended = !matches!(row, Some(Ok(_)));
        row
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        match &self.reader.state {
            // The end may be an error, of a callback that ends the call.
            State::Rows(rows) => {
                let ahead = rows.ahead().saturating_add(self.reader.meter.is_set().into());
                (0, usize::try_from(ahead).ok())
            }
            State::Nothing | State::All => (0, Some(self.refused.iter().len())),
        }
    }
}

impl<R: Read, T: DeserializeOwned> FusedIterator for NpyRows<'_, R, T> {}

impl<R, T> std::fmt::Debug for NpyRows<'_, R, T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("NpyRows").finish_non_exhaustive()
    }
}
