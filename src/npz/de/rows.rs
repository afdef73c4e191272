//! The rows of one member, one at a time: the checksum comes last.

use std::io::{Read, Seek};
use std::iter::FusedIterator;
use std::marker::PhantomData;

use serde::de::DeserializeOwned;

use crate::error::{Error, Result};
use crate::format::header::Header;
use crate::io::source::Stream;
use crate::npy::rows::walk::Rows;
use crate::npz::reader::{Member, NpzReader, Window};

impl<R: Read + Seek> NpzReader<R> {
    /// The elements of an array along its first axis, one after another in constant memory, stored or compressed.
    ///
    /// Rows come before the member's checksum is known: where it is wrong, or bytes are left over, one more item behind
    /// the last row is the error. If you stop before the end you see neither; [`NpzReader::verify`] checks the sum beforehand. An array
    /// in Fortran order is read whole.
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
        let mut member = self.member(index)?;
        let header = Header::read_member(&mut member, &options)?;
        let known_len = member.known_len();
        let rows = Rows::open(&header, &mut Stream::with_known_len(&mut member, known_len), &options)?;
        Ok(NpzRows {
            rows,
            member: Some(member),
            name: name.to_owned(),
            target: PhantomData,
        })
    }
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
    member: Option<Member<'r, Window<R>>>,
    name: String,
    target: PhantomData<T>,
}

impl<R: Read + Seek, T: DeserializeOwned> Iterator for NpzRows<'_, R, T> {
    type Item = Result<T>;

    fn next(&mut self) -> Option<Result<T>> {
        let mut member = self.member.take()?;
        let known_len = member.known_len();
        let item = match self.rows.next(&mut Stream::with_known_len(&mut member, known_len)) {
            Some(Ok(row)) => {
                self.member = Some(member);
                return Some(Ok(row));
            }
            Some(Err(error)) => error,
            None => member.finish().err()?,
        };
        Some(Err(item.at_member(&self.name)))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        // One more than there are rows, where the checksum is wrong.
        let ahead = self.member.as_ref().map_or(0, |_| self.rows.ahead().saturating_add(1));
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
