//! [`Entry`]: what an archive says of a member before any of its data is read; and the iterators over all members.
//!
//! ```text
//! offset            data_offset
//! │                 │
//! ├ \x93NUMPY .. \n ┼ elements ───────────────┤     a stored member: `size` = `compressed_size` bytes
//! ├ deflated ──────────────┤                        a deflated one: `compressed_size` bytes, no data_offset
//! ```

use std::fmt;
use std::io::{Read, Seek};
use std::iter::FusedIterator;
use std::ops::Range;
use std::slice;

use crate::error::{Error, ErrorKind, Result};
use crate::format::dtype::Number;
use crate::format::header::Header;
use crate::io::source::truncated;
use crate::npz::reader::{CentralEntry, HEADERS, NpzReader, left_over};

/// One member of an archive: its names, sizes and checksum, and dtype and shape if it is an array.
///
/// The offsets tell a program that has no file, but can ask a store for byte ranges of one, which range it needs.
///
/// ```
/// use std::io::Cursor;
///
/// let bytes = serde_npz::to_npz_vec(&std::collections::BTreeMap::from([("x", vec![1.0, 2.0])]))?;
/// let entry = serde_npz::NpzReader::new(Cursor::new(&bytes))?.entry("x")?;
/// let start = entry.data_offset().unwrap() as usize;
/// assert_eq!(bytes[start..start + 8], 1.0_f64.to_le_bytes());
/// assert_eq!(entry.unmappable(), None);
/// # Ok::<(), serde_npz::Error>(())
/// ```
pub struct Entry {
    central: CentralEntry,
    offset: Option<u64>,
    /// The header and its length.
    header: Result<(Header, u64)>,
    /// Whether the entry in the directory is damaged.
    is_faulty: bool,
}

/// Why the data of a member cannot be lent as a slice of numbers from a map of the archive.
///
/// ```
/// use serde_npz::{NpzReader, Unmappable, WriteOptions};
///
/// let data = std::collections::BTreeMap::from([("x", vec![0.5; 100])]);
/// let bytes = WriteOptions::new().compressed().to_npz_vec(&data)?;
/// let entry = NpzReader::new(std::io::Cursor::new(bytes))?.entry("x")?;
/// assert_eq!(entry.unmappable(), Some(Unmappable::Compressed));
/// # Ok::<(), serde_npz::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Unmappable {
    /// It has to be inflated first.
    Compressed,
    /// It is a text, or anything else without NumPy's magic; its bytes can be mapped.
    NotAnArray,
    /// The member or its header is damaged or refused: [`Entry::header`] is the error.
    Refused,
    /// Texts, records, times: no [`Element`](crate::Element) has this dtype; its bytes can be mapped.
    Dtype,
    /// The numbers are in the other byte order.
    ByteSwapped,
    /// The data does not begin at a multiple of what its numbers are aligned to, as in most archives of NumPy.
    Misaligned,
}

impl fmt::Display for Unmappable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Unmappable::Compressed => "the member is compressed",
            Unmappable::NotAnArray => "the member is no array",
            Unmappable::Refused => "the member is damaged or refused",
            Unmappable::Dtype => "the elements are no plain numbers",
            Unmappable::ByteSwapped => "the numbers are in the other byte order",
            Unmappable::Misaligned => "the data is not aligned",
        })
    }
}

impl Entry {
    /// The name as NumPy's `files` has it, without one trailing `.npy`.
    ///
    /// ```
    /// # let bytes = serde_npz::to_npz_vec(&std::collections::BTreeMap::from([("x", 1.5)]))?;
    /// let mut npz = serde_npz::NpzReader::new(std::io::Cursor::new(bytes))?;
    /// assert_eq!(npz.entry("x")?.name(), "x");
    /// # Ok::<(), serde_npz::Error>(())
    /// ```
    pub fn name(&self) -> &str {
        self.central.key()
    }

    /// The whole name in the archive.
    ///
    /// ```
    /// # let bytes = serde_npz::to_npz_vec(&std::collections::BTreeMap::from([("x", 1.5)]))?;
    /// let mut npz = serde_npz::NpzReader::new(std::io::Cursor::new(bytes))?;
    /// assert_eq!(npz.entry("x")?.file_name(), "x.npy");
    /// # Ok::<(), serde_npz::Error>(())
    /// ```
    pub fn file_name(&self) -> &str {
        self.central.name()
    }

    /// Dtype, shape and order, or the error that tells why there are none: `NotAnArray`, `Pickle`, a damaged member.
    ///
    /// ```
    /// # let bytes = serde_npz::to_npz_vec(&std::collections::BTreeMap::from([("x", 1.5)]))?;
    /// let mut npz = serde_npz::NpzReader::new(std::io::Cursor::new(bytes))?;
    /// assert_eq!(npz.entry("x")?.header().unwrap().dtype().to_string(), "<f8");
    /// # Ok::<(), serde_npz::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// Those of [`NpzReader::header`].
    pub fn header(&self) -> Result<&Header, &Error> {
        self.header.as_ref().map(|(header, _)| header)
    }

    /// Why [`ReadOptions::skip_unsupported`](crate::ReadOptions::skip_unsupported) leaves the member out; `None` where it
    /// does not: because the member is a value, or because it is damaged.
    ///
    /// The kind is `Pickle` for objects, `UnsupportedDtype` for other dtypes without a counterpart, `UnsupportedVersion`,
    /// `NotAnArray` for anything else than an array or a JSON text, `UnsupportedArchive` for encrypted members and other
    /// compressions than deflate. The data was not read to see if it is whole: [`NpzReader::verify`] does that, where
    /// it can be read.
    ///
    /// ```
    /// # let data = std::collections::BTreeMap::from([("x", 1.5), ("y", 2.5)]);
    /// # let mut bytes = serde_npz::to_npz_vec(&data)?;
    /// # let at = bytes.windows(3).position(|window| window == b"<f8").unwrap();
    /// # bytes[at..at + 3].copy_from_slice(b"|O8");
    /// let mut npz = serde_npz::NpzReader::new(std::io::Cursor::new(bytes))?;
    /// for entry in npz.entries() {
    ///     if let Some(why) = entry.unsupported() {
    ///         println!("{why}"); // x: found Python objects ..
    ///     }
    /// }
    /// # assert_eq!(npz.entries().filter(|entry| entry.unsupported().is_some()).count(), 1);
    /// # Ok::<(), serde_npz::Error>(())
    /// ```
    pub fn unsupported(&self) -> Option<&Error> {
        let err = self.header.as_ref().err().filter(|_| !self.is_faulty)?;
        let lacks_counterpart = match err.kind() {
            ErrorKind::Pickle
            | ErrorKind::UnsupportedDtype
            | ErrorKind::UnsupportedVersion
            | ErrorKind::UnsupportedArchive => true,
            ErrorKind::NotAnArray => !self.file_name().ends_with(".json"),
            _ => false,
        };
        lacks_counterpart.then_some(err)
    }

    /// Whether the bytes are in the archive uncompressed.
    ///
    /// ```
    /// # let bytes = serde_npz::to_npz_vec(&std::collections::BTreeMap::from([("x", 1.5)]))?;
    /// let mut npz = serde_npz::NpzReader::new(std::io::Cursor::new(bytes))?;
    /// assert!(npz.entry("x")?.is_stored());
    /// # Ok::<(), serde_npz::Error>(())
    /// ```
    pub fn is_stored(&self) -> bool {
        self.central.method.is_stored()
    }

    /// The compression by its number in the zip format: 0 stored, 8 deflated; no other is read.
    ///
    /// ```
    /// # let data = std::collections::BTreeMap::from([("x", 1.5)]);
    /// # let bytes = serde_npz::WriteOptions::new().compressed().to_npz_vec(&data)?;
    /// let mut npz = serde_npz::NpzReader::new(std::io::Cursor::new(bytes))?;
    /// assert_eq!(npz.entry("x")?.compression_method(), 8);
    /// # Ok::<(), serde_npz::Error>(())
    /// ```
    pub fn compression_method(&self) -> u16 {
        self.central.method.number()
    }

    /// How many bytes the member has when inflated, its header included.
    ///
    /// ```
    /// # let bytes = serde_npz::to_npz_vec(&std::collections::BTreeMap::from([("x", 1.5)]))?;
    /// let mut npz = serde_npz::NpzReader::new(std::io::Cursor::new(bytes))?;
    /// assert_eq!(npz.entry("x")?.size(), 128 + 8);
    /// # Ok::<(), serde_npz::Error>(())
    /// ```
    pub fn size(&self) -> u64 {
        self.central.size
    }

    /// How many bytes the data of the member takes in the archive, without its headers.
    ///
    /// ```
    /// # let bytes = serde_npz::to_npz_vec(&std::collections::BTreeMap::from([("x", 1.5)]))?;
    /// let mut npz = serde_npz::NpzReader::new(std::io::Cursor::new(bytes))?;
    /// assert_eq!(npz.entry("x")?.compressed_size(), 128 + 8);
    /// # Ok::<(), serde_npz::Error>(())
    /// ```
    pub fn compressed_size(&self) -> u64 {
        self.central.compressed
    }

    /// The CRC-32 of the inflated bytes that the directory claims; the data was not read to compare it.
    ///
    /// ```
    /// # let bytes = serde_npz::to_npz_vec(&std::collections::BTreeMap::from([("x", 1.5)]))?;
    /// let mut npz = serde_npz::NpzReader::new(std::io::Cursor::new(bytes))?;
    /// let raw = npz.raw("x")?;
    /// assert_eq!(npz.entry("x")?.crc(), crc32fast::hash(&raw));
    /// # Ok::<(), serde_npz::Error>(())
    /// ```
    pub fn crc(&self) -> u32 {
        self.central.crc
    }

    /// Where the bytes of the member begin in the archive, compressed or not; `None` where it is damaged.
    ///
    /// ```
    /// # let bytes = serde_npz::to_npz_vec(&std::collections::BTreeMap::from([("x", 1.5)]))?;
    /// let mut npz = serde_npz::NpzReader::new(std::io::Cursor::new(&bytes))?;
    /// let start = npz.entry("x")?.offset().unwrap() as usize;
    /// assert!(bytes[start..].starts_with(b"\x93NUMPY"));
    /// # Ok::<(), serde_npz::Error>(())
    /// ```
    pub fn offset(&self) -> Option<u64> {
        self.offset
    }

    /// Where the elements of a stored array begin in the archive.
    ///
    /// ```
    /// # let bytes = serde_npz::to_npz_vec(&std::collections::BTreeMap::from([("x", 1.5)]))?;
    /// let mut npz = serde_npz::NpzReader::new(std::io::Cursor::new(bytes))?;
    /// assert_eq!(npz.entry("x")?.data_offset().unwrap() % 64, 0);
    /// # Ok::<(), serde_npz::Error>(())
    /// ```
    pub fn data_offset(&self) -> Option<u64> {
        let (_, header_len) = self.header.as_ref().ok()?;
        let stored = self.offset.filter(|_| self.central.method.is_stored());
        stored.map(|offset| offset + header_len)
    }

    /// Why `NpzMmap::array` cannot lend the data; `None` where it can.
    ///
    /// ```
    /// # let bytes = serde_npz::to_npz_vec(&std::collections::BTreeMap::from([("x", "a text")]))?;
    /// let mut npz = serde_npz::NpzReader::new(std::io::Cursor::new(bytes))?;
    /// assert_eq!(npz.entry("x")?.unmappable(), Some(serde_npz::Unmappable::Dtype));
    /// # Ok::<(), serde_npz::Error>(())
    /// ```
    pub fn unmappable(&self) -> Option<Unmappable> {
        if !self.central.method.is_stored() {
            return Some(Unmappable::Compressed);
        }
        let header = match &self.header {
            Ok((header, _)) => header,
            Err(err) if err.kind() == ErrorKind::NotAnArray => return Some(Unmappable::NotAnArray),
            Err(_) => return Some(Unmappable::Refused),
        };
        let Some(number) = Number::of(header.dtype()) else {
            return Some(Unmappable::Dtype);
        };
        if Number::native(header.dtype()).is_none() {
            return Some(Unmappable::ByteSwapped);
        }
        let alignment = number.alignment();
        match self.data_offset() {
            None => Some(Unmappable::Refused),
            Some(offset) if offset % alignment != 0 && header.data_len() > 0 => Some(Unmappable::Misaligned),
            Some(_) => None,
        }
    }
}

impl<R: Read + Seek> NpzReader<R> {
    /// What the archive says of one member. Only its headers are read, or of a compressed member the first bytes: 4 KiB in
    /// nearly all cases.
    ///
    /// ```
    /// # let bytes = serde_npz::to_npz_vec(&std::collections::BTreeMap::from([("x", 1.5)]))?;
    /// let mut npz = serde_npz::NpzReader::new(std::io::Cursor::new(bytes))?;
    /// assert!(npz.entry("x")?.header().unwrap().shape().is_empty());
    /// # Ok::<(), serde_npz::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// `MissingMember`, and `Io`; a damaged member is an entry whose [`header`](Entry::header) is the error.
    pub fn entry(&mut self, name: &str) -> Result<Entry> {
        let index = self.require(name)?;
        let entry = self.describe(index);
        match entry.header {
            Err(err) if err.kind() == ErrorKind::Io => Err(err),
            _ => Ok(entry),
        }
    }

    /// All members in the archive's order, as [`entry`](NpzReader::entry) describes each.
    ///
    /// ```
    /// let data = std::collections::BTreeMap::from([("a", vec![1.5]), ("b", vec![])]);
    /// let bytes = serde_npz::to_npz_vec(&data)?;
    /// let mut npz = serde_npz::NpzReader::new(std::io::Cursor::new(bytes))?;
    /// for entry in npz.entries() {
    ///     let header = entry.header().unwrap();
    ///     println!("{} {} {:?}", entry.name(), header.dtype(), header.shape());
    /// }
    /// # Ok::<(), serde_npz::Error>(())
    /// ```
    pub fn entries(&mut self) -> NpzEntries<'_, R> {
        NpzEntries {
            left: 0..self.len(),
            npz: self,
        }
    }

    /// Whether a member is one that [`Entry::unsupported`] tells of.
    pub(crate) fn is_unsupported(&mut self, index: usize) -> Result<bool> {
        let entry = self.describe(index);
        match entry.header {
            Err(err) if err.kind() == ErrorKind::Io => Err(err),
            _ => Ok(entry.unsupported().is_some()),
        }
    }

    fn describe(&mut self, index: usize) -> Entry {
        let central = self.central_entries()[index].clone();
        let at_member = |err: Error| err.without_path().at_member(central.key());
        let (offset, header) = match self.locate(index, HEADERS) {
            Ok(offset) => {
                let header = self.header_here(index).and_then(|(header, header_len)| {
                    let (found, expected) = (central.size.saturating_sub(header_len), header.data_len());
                    match found {
                        _ if found < expected => Err(truncated(found, expected)),
                        _ if found > expected => Err(left_over(found - expected)),
                        _ => Ok((header, header_len)),
                    }
                });
                (Some(offset), header.map_err(at_member))
            }
            Err(err) => (None, Err(at_member(err))),
        };
        Entry {
            central,
            offset,
            header,
            is_faulty: self.is_faulty(index),
        }
    }
}

impl fmt::Debug for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Entry")
            .field("file_name", &self.file_name())
            .field("size", &self.size())
            .field("compressed_size", &self.compressed_size())
            .field("compression_method", &self.compression_method())
            .field("crc", &self.crc())
            .field("offset", &self.offset())
            .field("data_offset", &self.data_offset())
            .field("header", &self.header())
            .finish()
    }
}

/// The names of all members, from [`NpzReader::names`].
///
/// ```
/// let bytes = serde_npz::to_npz_vec(&std::collections::BTreeMap::from([("a", 1), ("b", 2)]))?;
/// let npz = serde_npz::NpzReader::new(std::io::Cursor::new(bytes))?;
/// let mut names: serde_npz::NpzNames<'_> = npz.names();
/// assert_eq!((names.len(), names.next_back()), (2, Some("b")));
/// # Ok::<(), serde_npz::Error>(())
/// ```
#[derive(Clone)]
#[must_use = "iterators are lazy"]
pub struct NpzNames<'a>(slice::Iter<'a, CentralEntry>);

impl<R> NpzReader<R> {
    /// The names of all members in the archive's order, as NumPy's `files`: without one trailing `.npy`.
    ///
    /// ```
    /// use std::io::Cursor;
    ///
    /// let bytes = serde_npz::to_npz_vec(&std::collections::BTreeMap::from([("a", 1), ("b", 2)]))?;
    /// let npz = serde_npz::NpzReader::new(Cursor::new(bytes))?;
    /// assert!(npz.names().eq(["a", "b"]));
    /// # Ok::<(), serde_npz::Error>(())
    /// ```
    pub fn names(&self) -> NpzNames<'_> {
        NpzNames(self.directory.entries.iter())
    }
}

impl<'a> Iterator for NpzNames<'a> {
    type Item = &'a str;

    fn next(&mut self) -> Option<&'a str> {
        self.0.next().map(CentralEntry::key)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.0.size_hint()
    }
}

impl DoubleEndedIterator for NpzNames<'_> {
    fn next_back(&mut self) -> Option<Self::Item> {
        self.0.next_back().map(CentralEntry::key)
    }
}

impl ExactSizeIterator for NpzNames<'_> {}

impl FusedIterator for NpzNames<'_> {}

impl fmt::Debug for NpzNames<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.clone()).finish()
    }
}

/// All members, each as an [`Entry`], from [`NpzReader::entries`].
///
/// ```
/// use std::io::{Read, Seek};
/// use serde_npz::NpzEntries;
///
/// fn stored<R: Read + Seek>(entries: NpzEntries<'_, R>) -> usize {
///     entries.filter(|entry| entry.is_stored()).count()
/// }
///
/// let bytes = serde_npz::to_npz_vec(&std::collections::BTreeMap::from([("a", 1), ("b", 2)]))?;
/// let mut npz = serde_npz::NpzReader::new(std::io::Cursor::new(bytes))?;
/// assert_eq!(stored(npz.entries()), 2);
/// # Ok::<(), serde_npz::Error>(())
/// ```
#[must_use = "iterators read nothing unless they are consumed"]
pub struct NpzEntries<'r, R> {
    npz: &'r mut NpzReader<R>,
    left: Range<usize>,
}

impl<R: Read + Seek> Iterator for NpzEntries<'_, R> {
    type Item = Entry;

    fn next(&mut self) -> Option<Entry> {
        let index = self.left.next()?;
        Some(self.npz.describe(index))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.left.size_hint()
    }
}

impl<R: Read + Seek> ExactSizeIterator for NpzEntries<'_, R> {}

impl<R: Read + Seek> FusedIterator for NpzEntries<'_, R> {}

impl<R> fmt::Debug for NpzEntries<'_, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NpzEntries")
            .field("left", &self.left.len())
            .finish_non_exhaustive()
    }
}
