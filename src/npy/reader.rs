//! One array from a reader, row by row.

use std::fs::File;
use std::io::{BufReader, Read};
use std::path::Path;

use serde::de::DeserializeOwned;

use crate::error::{Error, ErrorKind, Result};
use crate::file;
use crate::header::Header;
use crate::npy::cursor::{Cursor, limit};
use crate::npy::de::Array;
use crate::options::ReadOptions;
use crate::source::Stream;

/// Reads an array row by row.
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
        NpyReader::new(BufReader::new(file::open(path.as_ref())?))
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
    pub fn with_options(mut reader: R, options: &ReadOptions) -> Result<Self> {
        let header = Header::read_with(&mut reader, options)?;
        Ok(NpyReader {
            source: Stream::new(reader),
            header,
            options: options.clone(),
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

    /// The elements along the first axis, one after another in constant memory (an array in Fortran order is read whole).
    ///
    /// ```
    /// let bytes = serde_npz::to_npy_vec(&vec![(1_u32, 0.5), (2, 1.5)])?;
    /// let mut reader = serde_npz::NpyReader::new(&bytes[..])?;
    /// let sum: f64 = reader.rows::<(u32, f64)>().map(|row| row.map(|(_, x)| x)).sum::<serde_npz::Result<f64>>()?;
    /// assert_eq!(sum, 2.0);
    /// # Ok::<(), serde_npz::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// Each row is a `Result`; behind an error there are no more rows. An array without axes has no rows: `TypeMismatch`.
    pub fn rows<T: DeserializeOwned>(&mut self) -> impl Iterator<Item = Result<T>> {
        let count = self.header.shape().first().copied();
        let byteless = self.header.count() == 0 || self.header.dtype().itemsize() == 0;
        let max = self.options.limits.any_elements;
        let opened = match count {
            None => Err(Error::new(
                ErrorKind::TypeMismatch,
                "found an array without axes, expected rows",
            )),
            Some(count) if byteless && count > max => Err(limit("rows without a byte", count, max, "any_elements")),
            Some(_) => Cursor::new(self.header.clone(), &mut self.source, &self.options),
        };
        Rows {
            opened: Some(opened),
            row: 0,
            count: count.unwrap_or(1),
            target: std::marker::PhantomData,
        }
    }
}

impl<R> std::fmt::Debug for NpyReader<R> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("NpyReader")
            .field("header", &self.header)
            .finish_non_exhaustive()
    }
}

struct Rows<'s, T> {
    /// `None` behind an error.
    opened: Option<Result<Cursor<'s, 's>>>,
    row: u64,
    count: u64,
    target: std::marker::PhantomData<T>,
}

impl<T: DeserializeOwned> Iterator for Rows<'_, T> {
    type Item = Result<T>;

    fn next(&mut self) -> Option<Result<T>> {
        if self.row == self.count {
            return None;
        }
        let result = match self.opened.take()? {
            Err(error) => Err(error),
            Ok(mut cursor) => {
                let row = T::deserialize(Array::row(&mut cursor)).map_err(|e| e.at_index(self.row));
                if row.is_ok() {
                    self.opened = Some(Ok(cursor));
                }
                row
            }
        };
        self.row += 1;
        Some(result)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        let left = usize::try_from(self.count - self.row).unwrap_or(usize::MAX);
        (0, Some(left))
    }
}
