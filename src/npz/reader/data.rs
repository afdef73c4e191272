//! [`NpzData`]: the elements of one member as bytes, and [`NpzStream`]: all bytes of a member, both in constant memory; the
//! checksum comes last.

use std::fmt;
use std::io::{self, Read, Seek};

use crate::error::{Error, Result};
use crate::format::header::Header;
use crate::io::source::truncated;
use crate::npz::reader::{Member, NpzReader, Window, left_over};

/// The bytes of an array's elements as they lie in its member, inflated, from [`NpzReader::data`].
///
/// ```
/// use std::io::{Cursor, Read};
///
/// let bytes = serde_npz::to_npz_vec(&std::collections::BTreeMap::from([("x", vec![1.5, 2.5, 3.5])]))?;
/// let mut npz = serde_npz::NpzReader::new(Cursor::new(bytes))?;
/// let mut data = npz.data("x")?;
/// let mut sum = 0.0;
/// let mut element = [0; 8];
/// for _ in 0..data.header().shape()[0] {
///     data.read_exact(&mut element).map_err(serde_npz::Error::from)?;
///     sum += f64::from_le_bytes(element);
/// }
/// // The end is where the checksum is compared.
/// assert_eq!(data.read(&mut element).map_err(serde_npz::Error::from)?, 0);
/// assert_eq!(sum, 7.5);
/// # Ok::<(), serde_npz::Error>(())
/// ```
pub struct NpzData<'r, R> {
    header: Header,
    /// `None` behind the end, and behind an error.
    member: Option<Member<'r, Window<R>>>,
    left: u64,
    name: String,
}

impl<R: Read + Seek> NpzReader<R> {
    /// The elements of an array as bytes, one after another: what `rows` is for a type that is known only at run time.
    ///
    /// The bytes come before the member's checksum is known: the read behind the last one compares it, and is the error
    /// where it is wrong. Dtype, shape and order are those of [`NpzData::header`].
    ///
    /// ```
    /// use std::io::{Cursor, Read};
    ///
    /// let bytes = serde_npz::to_npz_vec(&std::collections::BTreeMap::from([("x", [1_u8, 2, 3])]))?;
    /// let mut npz = serde_npz::NpzReader::new(Cursor::new(bytes))?;
    /// let mut elements = Vec::new();
    /// npz.data("x")?.read_to_end(&mut elements).map_err(serde_npz::Error::from)?;
    /// assert_eq!(elements, [1, 2, 3]);
    /// # Ok::<(), serde_npz::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// `MissingMember`, `NotAnArray`, those of [`Header::read`](crate::Header::read), `LimitExceeded`, `Truncated`,
    /// `CorruptArchive`, `UnsupportedArchive`, `Io`. Those of a read are an [`std::io::Error`] that turns into an
    /// [`Error`](crate::Error) of the same kinds.
    pub fn data(&mut self, name: &str) -> Result<NpzData<'_, R>> {
        self.open_data(name).map_err(|err| err.at_member(name))
    }

    fn open_data(&mut self, name: &str) -> Result<NpzData<'_, R>> {
        let index = self.require(name).map_err(Error::without_path)?;
        let options = self.options().clone();
        let mut member = self.member(index)?;
        let header = Header::read_member(&mut member, &options)?;
        let (found, left) = (member.known_len(), header.data_len());
        match found {
            _ if found < left => return Err(truncated(found, left)),
            _ if found > left => return Err(left_over(found - left)),
            _ => {}
        }
        Ok(NpzData {
            header,
            member: Some(member),
            left,
            name: name.to_owned(),
        })
    }
}

impl<R> NpzData<'_, R> {
    /// Dtype, shape and order of the array.
    ///
    /// ```
    /// # let bytes = serde_npz::to_npz_vec(&std::collections::BTreeMap::from([("x", vec![1.5])]))?;
    /// let mut npz = serde_npz::NpzReader::new(std::io::Cursor::new(bytes))?;
    /// assert_eq!(npz.data("x")?.header().shape(), [1]);
    /// # Ok::<(), serde_npz::Error>(())
    /// ```
    pub fn header(&self) -> &Header {
        &self.header
    }
}

impl<R: Read + Seek> NpzData<'_, R> {
    /// Passes over the next `count` bytes, or over all that are left.
    ///
    /// In a stored member they are not read, and the checksum is no longer compared; a deflated one is inflated all the
    /// same, and is compared.
    ///
    /// ```
    /// use std::io::Read;
    ///
    /// # let bytes = serde_npz::to_npz_vec(&std::collections::BTreeMap::from([("x", [1_u8, 2, 3])]))?;
    /// let mut npz = serde_npz::NpzReader::new(std::io::Cursor::new(bytes))?;
    /// let mut data = npz.data("x")?;
    /// data.skip(2)?;
    /// let mut last = Vec::new();
    /// data.read_to_end(&mut last).map_err(serde_npz::Error::from)?;
    /// assert_eq!(last, [3]);
    /// # Ok::<(), serde_npz::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// Those of a read.
    pub fn skip(&mut self, count: u64) -> Result<()> {
        let count = count.min(self.left);
        let Some(member) = self.member.as_mut().filter(|_| count > 0) else {
            return Ok(());
        };
        match member.skip(count) {
            Ok(()) => {
                self.left -= count;
                Ok(())
            }
            Err(err) => {
                self.member = None;
                Err(err.at_member(&self.name))
            }
        }
    }
}

impl<R: Read + Seek> Read for NpzData<'_, R> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let Some(member) = &mut self.member else {
            return Ok(0);
        };
        if buf.is_empty() {
            return Ok(0);
        }
        let got = match self.left {
            0 => self.member.take().map_or(Ok(()), Member::finish).map(|()| 0),
            _ => match member.read(buf) {
                Err(err) if err.kind() == io::ErrorKind::Interrupted => return Err(err),
                got => got.map_err(Error::from),
            },
        };
        match got {
            Ok(got) => {
                self.left -= got as u64;
                Ok(got)
            }
            Err(err) => {
                self.member = None;
                Err(err.at_member(&self.name).into())
            }
        }
    }
}

impl<R> fmt::Debug for NpzData<'_, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NpzData")
            .field("name", &self.name)
            .field("header", &self.header)
            .field("left", &self.left)
            .finish_non_exhaustive()
    }
}

/// The bytes of one member, inflated, from [`NpzReader::stream`] and [`NpzScan::stream`](crate::NpzScan::stream).
pub struct NpzStream<'r, R> {
    /// `None` once the end has been seen.
    member: Option<Member<'r, Window<R>>>,
    name: String,
}

impl<R: Read + Seek> NpzReader<R> {
    /// The bytes of a member as they are, array or not, one after another: as [`raw`](NpzReader::raw), in constant memory.
    ///
    /// The checksum is compared at the end, once all bytes have been handed out: only when a read has returned `Ok(0)`,
    /// they are known to be right. Until then they may be damaged.
    ///
    /// ```
    /// use std::io::{Cursor, Read};
    /// use serde_npz::{Header, NpzReader};
    ///
    /// let bytes = serde_npz::to_npz_vec(&std::collections::BTreeMap::from([("x", vec![1_u8, 2, 3])]))?;
    /// let mut npz = NpzReader::new(Cursor::new(bytes))?;
    /// let mut stream = npz.stream("x")?;
    /// let header = Header::read(&mut stream)?;
    /// let mut elements = Vec::new();
    /// stream.read_to_end(&mut elements)?;
    /// assert_eq!((header.shape(), &elements[..]), (&[3][..], &[1, 2, 3][..]));
    /// # Ok::<(), serde_npz::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// `MissingMember`, `CorruptArchive` where the two headers of the member differ, `UnsupportedArchive`, `LimitExceeded`,
    /// `Io`. Reading returns such errors as an
    /// [`io::Error`](std::io::Error) that holds an [`Error`](crate::Error).
    pub fn stream(&mut self, name: &str) -> Result<NpzStream<'_, R>> {
        let index = self.require(name)?;
        let member = self.member(index).map_err(|err| err.at_member(name))?;
        Ok(NpzStream::new(member, name))
    }
}

impl<'r, R> NpzStream<'r, R> {
    pub(crate) fn new(member: Member<'r, Window<R>>, name: &str) -> Self {
        NpzStream {
            member: Some(member),
            name: name.to_owned(),
        }
    }
}

impl<R: Read + Seek> Read for NpzStream<'_, R> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let Some(member) = &mut self.member else { return Ok(0) };
        if buf.is_empty() {
            return Ok(0);
        }
        if member.known_len() > 0 {
            return member.read(buf);
        }
        let finished = self.member.take().map_or(Ok(()), Member::finish);
        finished.map(|()| 0).map_err(|err| err.at_member(&self.name).into())
    }
}

impl<R> fmt::Debug for NpzStream<'_, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NpzStream")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::io::Cursor;

    use super::*;
    use crate::error::ErrorKind;
    use crate::options::WriteOptions;

    fn archive(options: &WriteOptions) -> Vec<u8> {
        let x: Vec<u32> = (0..100_000).collect();
        options.to_npz_vec(&BTreeMap::from([("x", x)])).unwrap()
    }

    #[test]
    fn parts_are_what_the_whole_has_at_their_place() {
        for options in [WriteOptions::new(), WriteOptions::new().compressed()] {
            let mut npz = NpzReader::new(Cursor::new(archive(&options))).unwrap();
            let mut data = npz.data("x").unwrap();
            let mut element = [0; 4];
            for (skip, expected) in [(0_u64, 0_u32), (9, 10), (70_000, 70_011), (0, 70_012)] {
                data.skip(4 * skip).unwrap();
                data.read_exact(&mut element).unwrap();
                assert_eq!(u32::from_le_bytes(element), expected);
            }
            data.skip(u64::MAX).unwrap();
            assert_eq!(data.read(&mut element).unwrap(), 0);
            assert_eq!(data.read(&mut element).unwrap(), 0);
            // The reader goes on with other members.
            drop(data);
            assert_eq!(npz.get::<Vec<u32>>("x").unwrap().len(), 100_000);
        }
    }

    #[test]
    fn a_wrong_checksum_is_the_error_at_the_end() {
        let mut bytes = archive(&WriteOptions::new());
        bytes[5000] ^= 1;
        let mut npz = NpzReader::new(Cursor::new(bytes)).unwrap();
        let mut all = Vec::new();
        let err: Error = npz.data("x").unwrap().read_to_end(&mut all).unwrap_err().into();
        assert_eq!((err.kind(), err.path()), (ErrorKind::CorruptArchive, "x"));
        assert_eq!(all.len(), 400_000);
        // What was not read is not compared.
        let mut data = npz.data("x").unwrap();
        data.skip(1).unwrap();
        data.read_to_end(&mut all).unwrap();
    }
}
