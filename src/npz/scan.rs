//! Members without the directory: found by their local headers, and checked against their checksums.
//!
//! ```text
//! PK\3\4 a.npy .. | PK\3\4 b.npy .. | PK\3\4 c.np            the file ends here: no directory, no end record
//! a: whole          b: whole          c: cut off
//! ```
//!
//! What is inside a member is none of the archive's members, even if it is an archive itself. Memory does not grow with the
//! file, and no byte is read more often than [`MOST_AGAIN`] says, whatever the headers claim.

mod member;
mod search;
#[cfg(test)]
mod tests;

use std::fmt;
use std::fs::File;
use std::io::{BufReader, Read, Seek, SeekFrom};
use std::path::Path;

use self::search::Effort;
use crate::error::{Error, ErrorKind, Result};
use crate::io::{file, source};
use crate::npz::reader::data::NpzStream;
use crate::npz::reader::directory::find_end;
use crate::npz::reader::inflate::Inflater;
use crate::npz::reader::{CentralEntry, Member, Window};
use crate::npz::zip::{CentralHeader, EndRecord, Fields, LocalHeader};
use crate::options::ReadOptions;
use crate::options::progress::Meter;

/// How many times the length of the file may be read again, as damaged members are taken for one another's data.
const MOST_AGAIN: u64 = 16;

/// Looks for the members of a damaged or truncated archive, one after another.
///
/// [`NpzReader`](crate::NpzReader) opens what has a directory at its end. A download that broke off has none, but its members
/// stand there all the same, each with a header and a checksum of its own.
///
/// ```
/// use std::io::{Cursor, Read};
/// use serde_npz::{NpzReader, NpzScan, NpzWriter};
///
/// let mut bytes = serde_npz::to_npz_vec(&std::collections::BTreeMap::from([("a", [1, 2]), ("b", [3, 4])]))?;
/// bytes.truncate(bytes.len() - 200);
/// assert!(NpzReader::new(Cursor::new(&bytes)).is_err());
///
/// let mut scan = NpzScan::new(Cursor::new(&bytes))?;
/// let mut rescued = NpzWriter::new(Cursor::new(Vec::new()));
/// while let Some(member) = scan.next_member()? {
///     match member.fault() {
///         None => rescued.add_raw(member.file_name(), member.size(), scan.stream(&member)?)?,
///         Some(fault) => eprintln!("lost: {fault}"),
///     }
/// }
/// let mut npz = NpzReader::new(rescued.finish()?)?;
/// assert_eq!(npz.get::<[i32; 2]>("a")?, [1, 2]);
/// # Ok::<(), serde_npz::Error>(())
/// ```
pub struct NpzScan<R> {
    reader: Window<R>,
    len: u64,
    /// Where the search goes on.
    at: u64,
    /// Whether the last bytes are those of an archive that was written to its end.
    has_end: bool,
    /// Whether an end record was passed over, or a directory since the last member.
    passed_end: bool,
    passed_directory: bool,
    effort: Effort,
    found: u64,
    options: ReadOptions,
    inflater: Option<Inflater>,
    /// Bytes of members that were checked, for `Limits::total_bytes`; and that were handed out after that.
    bytes_used: u64,
    streamed: u64,
    /// Of the members: the scan itself tells of the bytes of the file.
    untold: Meter,
    scratch: Vec<u8>,
}

/// A member that [`NpzScan`] has found: whole, or with what is wrong with it.
///
/// ```
/// use std::io::Cursor;
///
/// let bytes = serde_npz::to_npz_vec(&std::collections::BTreeMap::from([("x", vec![1.0, 2.0])]))?;
/// let member = serde_npz::NpzScan::new(Cursor::new(&bytes))?.next_member()?.unwrap();
/// assert!(member.fault().is_none());
/// assert_eq!((member.name(), member.file_name(), member.size()), ("x", "x.npy", 128 + 16));
/// assert!(bytes[member.offset() as usize..].starts_with(b"\x93NUMPY"));
/// # Ok::<(), serde_npz::Error>(())
/// ```
pub struct ScannedMember {
    entry: CentralEntry,
    /// Where its bytes begin, behind the local header.
    data: u64,
    fault: Option<Error>,
}

impl NpzScan<BufReader<File>> {
    /// Opens the file at `path`, whatever it starts with.
    ///
    /// ```
    /// # let path = std::env::temp_dir().join(format!("serde_npz-doc-scan-{}.npz", std::process::id()));
    /// serde_npz::save_npz(&path, &std::collections::BTreeMap::from([("x", 1.5)]))?;
    /// let mut scan = serde_npz::NpzScan::open(&path)?;
    /// assert_eq!(scan.next_member()?.unwrap().name(), "x");
    /// # std::fs::remove_file(&path).unwrap();
    /// # Ok::<(), serde_npz::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// `Io`.
    pub fn open(path: impl AsRef<Path>) -> Result<Self> {
        Self::new(BufReader::new(file::open(path.as_ref())?))
    }
}

impl<R: Read + Seek> NpzScan<R> {
    /// Gets ready to scan all of `reader`; nothing but its last bytes is read.
    ///
    /// ```
    /// let mut scan = serde_npz::NpzScan::new(std::io::Cursor::new("just a text"))?;
    /// assert!(scan.next_member()?.is_none());
    /// # Ok::<(), serde_npz::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// `Io`.
    pub fn new(reader: R) -> Result<Self> {
        Self::with_options(reader, &ReadOptions::new())
    }

    /// As [`NpzScan::new`], with the limits of `options`, and its callback for progress: it is told of the bytes of the file.
    ///
    /// ```
    /// use std::io::Cursor;
    /// use serde_npz::{ErrorKind, Limits, NpzScan, ReadOptions};
    ///
    /// let bytes = serde_npz::to_npz_vec(&std::collections::BTreeMap::from([("x", vec![0_u8; 100])]))?;
    /// let options = ReadOptions::new().limits(Limits::new().member_bytes(100));
    /// let member = NpzScan::with_options(Cursor::new(bytes), &options)?.next_member()?.unwrap();
    /// assert_eq!(member.fault().unwrap().kind(), ErrorKind::LimitExceeded);
    /// # Ok::<(), serde_npz::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// `Io`.
    pub fn with_options(reader: R, options: &ReadOptions) -> Result<Self> {
        let mut reader = Window::new(reader);
        let len = reader.seek(SeekFrom::End(0))?;
        let mut tail = Vec::new();
        let tail_len = len.min((EndRecord::LEN + usize::from(u16::MAX)) as u64);
        reader.seek(SeekFrom::Start(len - tail_len))?;
        source::read_grow(&mut reader, &mut tail, tail_len)?;
        reader.focus(0, u64::MAX);
        Ok(NpzScan {
            reader,
            len,
            at: 0,
            has_end: find_end(&tail).is_ok(),
            passed_end: false,
            passed_directory: false,
            effort: Effort::new(Meter::new(&options.progress, Some(len))),
            found: 0,
            options: options.clone(),
            inflater: None,
            bytes_used: 0,
            streamed: 0,
            untold: Meter::default(),
            scratch: Vec::new(),
        })
    }

    /// Finds the next member and reads it to its end; `None` behind the last one.
    ///
    /// One that is damaged, cut off, or not to be read by this crate has a [`fault`](ScannedMember::fault), and the scan goes on
    /// behind it. The same name may come more than once: NumPy takes the last one.
    ///
    /// ```
    /// use std::io::Cursor;
    /// use serde_npz::{ErrorKind, NpzScan};
    ///
    /// let mut bytes = serde_npz::to_npz_vec(&std::collections::BTreeMap::from([("a", vec![1_u8; 50]), ("b", vec![2; 50])]))?;
    /// let damaged = bytes.windows(50).position(|bytes| bytes == [1; 50]).unwrap();
    /// bytes[damaged] = 7;
    /// let mut scan = NpzScan::new(Cursor::new(bytes))?;
    /// let [a, b] = [scan.next_member()?.unwrap(), scan.next_member()?.unwrap()];
    /// assert_eq!(a.fault().unwrap().kind(), ErrorKind::CorruptArchive);
    /// assert!(b.fault().is_none() && scan.next_member()?.is_none());
    /// # Ok::<(), serde_npz::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// `Io`; `LimitExceeded` for too many members; `Cancelled`.
    pub fn next_member(&mut self) -> Result<Option<ScannedMember>> {
        loop {
            if self.effort.again > self.len.saturating_mul(MOST_AGAIN).saturating_add(1 << 20) {
                self.at = self.at.max(self.effort.read_to);
            }
            let Some((offset, signature)) = self.search()? else {
                self.at = self.len;
                self.effort.meter.end()?;
                return Ok(None);
            };
            self.at = offset + signature.len() as u64;
            match &signature {
                LocalHeader::SIGNATURE => {
                    if let Some(member) = self.member(offset)? {
                        self.passed_directory = false;
                        self.count()?;
                        return Ok(Some(member));
                    }
                }
                CentralHeader::SIGNATURE => self.pass_directory(offset)?,
                _ => self.pass_end(offset)?,
            }
        }
    }

    fn count(&mut self) -> Result<()> {
        self.found += 1;
        let most = self.options.limits.members;
        if self.found <= most {
            return Ok(());
        }
        self.at = self.len;
        Err(Error::new(
            ErrorKind::LimitExceeded,
            format_args!("found more than {most} members, expected at most so many"),
        )
        .with_hint("`Limits::members` allows more"))
    }

    /// Passes over an entry of a directory: a name in it may look like anything.
    fn pass_directory(&mut self, offset: u64) -> Result<()> {
        let mut fixed = [0; CentralHeader::LEN];
        if self.read_at(offset, &mut fixed)? == fixed.len()
            && let Ok(header) = CentralHeader::parse(&fixed)
        {
            let end = offset + (CentralHeader::LEN + header.variable_len()) as u64;
            if self.is_record(end)? {
                self.at = end;
            }
        }
        self.passed_directory = true;
        Ok(())
    }

    /// Passes over an end record, and over its comment where that is the end of the file.
    fn pass_end(&mut self, offset: u64) -> Result<()> {
        let mut fixed = [0; EndRecord::LEN];
        if self.read_at(offset, &mut fixed)? == fixed.len() {
            let end = offset + fixed.len() as u64;
            self.passed_end = true;
            self.passed_directory = true;
            if end.saturating_add(Fields(&fixed[20..]).u16().into()) == self.len {
                self.at = self.len;
            }
        }
        Ok(())
    }

    /// The bytes of a member that was found whole, inflated; its checksum is compared once more at the end.
    ///
    /// ```
    /// use std::io::{Cursor, Read};
    ///
    /// let bytes = serde_npz::to_npz_vec(&std::collections::BTreeMap::from([("x", 1.5)]))?;
    /// let mut scan = serde_npz::NpzScan::new(Cursor::new(bytes))?;
    /// let member = scan.next_member()?.unwrap();
    /// let mut array = Vec::new();
    /// scan.stream(&member)?.read_to_end(&mut array)?;
    /// assert_eq!(serde_npz::from_npy_slice::<f64>(&array)?, 1.5);
    /// # Ok::<(), serde_npz::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// The member's fault, if it has one. Those of a read are `CorruptArchive` where the file has changed meanwhile, and
    /// `Io`, each as an [`io::Error`](std::io::Error) that holds an [`Error`](crate::Error).
    pub fn stream<'r>(&'r mut self, member: &'r ScannedMember) -> Result<NpzStream<'r, R>> {
        if let Some(fault) = &member.fault {
            return Err(fault.duplicate());
        }
        self.reader.seek(SeekFrom::Start(member.data))?;
        let bytes = Member::new(
            &mut self.reader,
            &member.entry,
            &mut self.inflater,
            &mut self.streamed,
            &mut self.untold,
        );
        Ok(NpzStream::new(bytes, member.name()))
    }
}

impl<R> NpzScan<R> {
    /// Whether the file ends before the end of the archive. Once the scan is through, this is known for certain.
    ///
    /// ```
    /// use std::io::Cursor;
    ///
    /// let bytes = serde_npz::to_npz_vec(&std::collections::BTreeMap::from([("x", 1.5)]))?;
    /// let mut scan = serde_npz::NpzScan::new(Cursor::new(&bytes[..bytes.len() - 1]))?;
    /// while scan.next_member()?.is_some() {}
    /// assert!(scan.is_cut_off());
    /// # Ok::<(), serde_npz::Error>(())
    /// ```
    pub fn is_cut_off(&self) -> bool {
        !self.has_end && !self.passed_end
    }

    /// Whether the directory, or its beginning, has been seen behind the last member: then no further member has stood there.
    ///
    /// ```
    /// use std::io::Cursor;
    ///
    /// let bytes = serde_npz::to_npz_vec(&std::collections::BTreeMap::from([("x", 1.5)]))?;
    /// let mut scan = serde_npz::NpzScan::new(Cursor::new(&bytes[..bytes.len() - 1]))?;
    /// while scan.next_member()?.is_some() {}
    /// assert!(scan.has_directory());
    /// # Ok::<(), serde_npz::Error>(())
    /// ```
    pub fn has_directory(&self) -> bool {
        self.passed_directory
    }

    /// How many bytes the file has.
    ///
    /// ```
    /// let scan = serde_npz::NpzScan::new(std::io::Cursor::new([0; 10]))?;
    /// assert_eq!(scan.file_len(), 10);
    /// # Ok::<(), serde_npz::Error>(())
    /// ```
    pub fn file_len(&self) -> u64 {
        self.len
    }
}

impl<R> fmt::Debug for NpzScan<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NpzScan")
            .field("at", &self.at)
            .field("file_len", &self.len)
            .field("found", &self.found)
            .finish_non_exhaustive()
    }
}

impl ScannedMember {
    /// NumPy's name of the member: without one trailing `.npy`.
    ///
    /// ```
    /// # let bytes = serde_npz::to_npz_vec(&std::collections::BTreeMap::from([("x", 1.5)]))?;
    /// # let mut scan = serde_npz::NpzScan::new(std::io::Cursor::new(bytes))?;
    /// assert_eq!(scan.next_member()?.unwrap().name(), "x");
    /// # Ok::<(), serde_npz::Error>(())
    /// ```
    pub fn name(&self) -> &str {
        self.entry.key()
    }

    /// The whole name in the archive.
    ///
    /// ```
    /// # let bytes = serde_npz::to_npz_vec(&std::collections::BTreeMap::from([("x", 1.5)]))?;
    /// # let mut scan = serde_npz::NpzScan::new(std::io::Cursor::new(bytes))?;
    /// assert_eq!(scan.next_member()?.unwrap().file_name(), "x.npy");
    /// # Ok::<(), serde_npz::Error>(())
    /// ```
    pub fn file_name(&self) -> &str {
        self.entry.name()
    }

    /// How many bytes the member has, inflated. Of one with a fault this is a claim.
    ///
    /// ```
    /// # let bytes = serde_npz::to_npz_vec(&std::collections::BTreeMap::from([("x", 1.5)]))?;
    /// # let mut scan = serde_npz::NpzScan::new(std::io::Cursor::new(bytes))?;
    /// assert_eq!(scan.next_member()?.unwrap().size(), 128 + 8);
    /// # Ok::<(), serde_npz::Error>(())
    /// ```
    pub fn size(&self) -> u64 {
        self.entry.size
    }

    /// How many bytes it takes in the file, without its header. Of one with a fault this is a claim.
    ///
    /// ```
    /// # let bytes = serde_npz::to_npz_vec(&std::collections::BTreeMap::from([("x", 1.5)]))?;
    /// # let mut scan = serde_npz::NpzScan::new(std::io::Cursor::new(bytes))?;
    /// assert_eq!(scan.next_member()?.unwrap().compressed_size(), 128 + 8);
    /// # Ok::<(), serde_npz::Error>(())
    /// ```
    pub fn compressed_size(&self) -> u64 {
        self.entry.compressed
    }

    /// The compression by its number in the zip format: 0 is stored, 8 deflated.
    ///
    /// ```
    /// # let bytes = serde_npz::to_npz_vec(&std::collections::BTreeMap::from([("x", 1.5)]))?;
    /// # let mut scan = serde_npz::NpzScan::new(std::io::Cursor::new(bytes))?;
    /// assert_eq!(scan.next_member()?.unwrap().compression_method(), 0);
    /// # Ok::<(), serde_npz::Error>(())
    /// ```
    pub fn compression_method(&self) -> u16 {
        self.entry.method.number()
    }

    /// Where its bytes begin in the file, compressed or not.
    ///
    /// ```
    /// # let bytes = serde_npz::to_npz_vec(&std::collections::BTreeMap::from([("x", 1.5)]))?;
    /// # let mut scan = serde_npz::NpzScan::new(std::io::Cursor::new(bytes))?;
    /// assert_eq!(scan.next_member()?.unwrap().offset(), 64);
    /// # Ok::<(), serde_npz::Error>(())
    /// ```
    pub fn offset(&self) -> u64 {
        self.data
    }

    /// What is wrong with it; `None` where all of its bytes are there and have its checksum.
    ///
    /// ```
    /// # let bytes = serde_npz::to_npz_vec(&std::collections::BTreeMap::from([("x", 1.5)]))?;
    /// # let mut scan = serde_npz::NpzScan::new(std::io::Cursor::new(bytes))?;
    /// assert!(scan.next_member()?.unwrap().fault().is_none());
    /// # Ok::<(), serde_npz::Error>(())
    /// ```
    pub fn fault(&self) -> Option<&Error> {
        self.fault.as_ref()
    }
}

impl fmt::Debug for ScannedMember {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ScannedMember")
            .field("file_name", &self.file_name())
            .field("size", &self.size())
            .field("compressed_size", &self.compressed_size())
            .field("compression_method", &self.compression_method())
            .field("offset", &self.offset())
            .field("fault", &self.fault())
            .finish()
    }
}
