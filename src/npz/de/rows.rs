//! The rows of one member, one at a time: the checksum comes last.

use std::io::{Read, Seek};
use std::iter::FusedIterator;
use std::marker::PhantomData;

use serde::de::DeserializeOwned;

use crate::error::{Error, Result};
use crate::format::header::Header;
use crate::io::source::{Slice, Stream, truncated};
use crate::npy::rows::walk::Rows;
use crate::npz::reader::{Member, NpzReader, Window, left_over};
use crate::options::ReadOptions;

impl<R: Read + Seek> NpzReader<R> {
    /// The elements of an array along its first axis, one after another in constant memory, stored or compressed.
    ///
    /// Rows come before the member's checksum is known: where it is wrong, or bytes are left over, one more item behind
    /// the last row is the error. If you stop before the end you see neither; [`NpzReader::verify`] checks the sum beforehand. Rows of
    /// a stored array in Fortran order are gathered from its columns, 8 MiB of them at a time, and the checksum takes a second
    /// pass; a compressed one is read whole.
    ///
    /// ```
    /// use std::io::Cursor;
    ///
    /// let bytes = serde_npz::to_npz_vec(&std::collections::BTreeMap::from([("x", vec![[1.0, 2.0], [3.0, 4.0]])]))?;
    /// let mut npz = serde_npz::NpzReader::new(Cursor::new(bytes))?;
    /// let mut sum = 0.0;
    /// for row in npz.rows::<[f64; 2]>("x")? {
    ///     let [x, y] = row?;
    ///     sum += x * y;
    /// }
    /// assert_eq!(sum, 14.0);
    /// # Ok::<(), serde_npz::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// `MissingMember`, `NotAnArray`, `TypeMismatch` for an array without axes, those of
    /// [`Header::read`](crate::Header::read), `LimitExceeded`, `CorruptArchive`, `UnsupportedArchive`, `Io`. Each row is a
    /// `Result`; behind an error there are no more rows.
    pub fn rows<T: DeserializeOwned>(&mut self, name: &str) -> Result<NpzRows<'_, R, T>> {
        self.open_rows(name).map_err(|err| err.at_member(name))
    }

    fn open_rows<T>(&mut self, name: &str) -> Result<NpzRows<'_, R, T>> {
        let index = self.require(name).map_err(Error::without_path)?;
        let options = self.options().clone();
        let columns = self.columns(index, &options)?;
        self.start_progress(Some(vec![index]));
        if let Some((rows, data)) = columns {
            return Ok(NpzRows {
                rows,
                source: Some(Place::Columns { reader: self, data }),
                name: name.to_owned(),
                target: PhantomData,
            });
        }
        let mut member = self.member(index)?;
        let header = Header::read_member(&mut member, &options)?;
        let known_len = member.known_len();
        let rows = Rows::open(&header, &mut Stream::with_known_len(&mut member, known_len), &options)?;
        Ok(NpzRows {
            rows,
            source: Some(Place::Member(member)),
            name: name.to_owned(),
            target: PhantomData,
        })
    }

    /// The rows of a large stored array in Fortran order, and where its data lies; `None` for any other.
    fn columns(&mut self, index: usize, options: &ReadOptions) -> Result<Option<(Rows, u64)>> {
        if !self.central_entries()[index].method.is_stored() {
            return Ok(None);
        }
        let (header, before) = self.read_header(index)?;
        let Some(rows) = Rows::of_columns(&header, options)? else {
            return Ok(None);
        };
        let Some(member) = self.stored_range(index)? else {
            return Ok(None);
        };
        let (found, expected) = (member.end - member.start, before.saturating_add(header.data_len()));
        match found.checked_sub(expected) {
            None => Err(truncated(found, expected)),
            Some(0) => Ok(Some((rows, member.start + before))),
            Some(left) => Err(left_over(left)),
        }
    }
}

/// Where rows come from.
enum Place<'r, R> {
    Member(Member<'r, Window<R>>),
    Columns {
        reader: &'r mut NpzReader<R>,
        /// Where the data begins in the archive.
        data: u64,
    },
}

/// The rows of a member, from [`NpzReader::rows`].
///
/// ```
/// use std::io::{Read, Seek};
/// use serde_npz::NpzRows;
///
/// fn largest<R: Read + Seek>(mut rows: NpzRows<'_, R, f64>) -> serde_npz::Result<f64> {
///     rows.try_fold(f64::MIN, |max, row| Ok(max.max(row?)))
/// }
///
/// let bytes = serde_npz::to_npz_vec(&std::collections::BTreeMap::from([("x", vec![1.0, 4.0, 2.0])]))?;
/// let mut npz = serde_npz::NpzReader::new(std::io::Cursor::new(bytes))?;
/// assert_eq!(largest(npz.rows("x")?)?, 4.0);
/// # Ok::<(), serde_npz::Error>(())
/// ```
#[must_use = "iterators read nothing unless they are consumed"]
pub struct NpzRows<'r, R, T> {
    rows: Rows,
    /// `None` behind the end, and behind an error.
    source: Option<Place<'r, R>>,
    name: String,
    target: PhantomData<T>,
}

impl<R: Read + Seek, T: DeserializeOwned> Iterator for NpzRows<'_, R, T> {
    type Item = Result<T>;

    fn next(&mut self) -> Option<Result<T>> {
        let mut source = self.source.take()?;
        let row = match &mut source {
            Place::Member(member) => {
                let known_len = member.known_len();
                self.rows.next(&mut Stream::with_known_len(member, known_len))
            }
            Place::Columns { reader, data } => {
                let fetched = self
                    .rows
                    .fetch(&mut |offset, len, into| reader.read_at(data.saturating_add(offset), len, into));
                match fetched {
                    Ok(()) => self.rows.next(&mut Slice(&[])),
                    Err(error) => Some(Err(error)),
                }
            }
        };
        let item = match (row, source) {
            (Some(Ok(row)), source) => {
                self.source = Some(source);
                return Some(Ok(row));
            }
            (Some(Err(error)), _) => error,
            (None, Place::Member(mut member)) => member.end_progress().and_then(|()| member.finish()).err()?,
            (None, Place::Columns { reader, .. }) => {
                let ended = reader.end_progress();
                // What the rows were read for has been told; this is not told once more.
                let verified = reader.require(&self.name).and_then(|index| reader.verify_member(index));
                ended.and(verified).err()?.without_path()
            }
        };
        Some(Err(item.at_member(&self.name)))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        // One more than there are rows, where the checksum is wrong.
        let ahead = self.source.as_ref().map_or(0, |_| self.rows.ahead().saturating_add(1));
        (0, usize::try_from(ahead).ok())
    }
}

impl<R: Read + Seek, T: DeserializeOwned> FusedIterator for NpzRows<'_, R, T> {}

impl<R, T> std::fmt::Debug for NpzRows<'_, R, T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("NpzRows")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}
