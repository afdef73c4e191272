//! Zip entries to names and back: what an archive holds, and the bytes of one member.
//!
//! ```text
//! PK\3\4 x.npy .. | PK\3\4 y.npy .. | PK\1\2 x.npy, y.npy | PK\5\6
//!                                     directory::Directory, read once by `new`
//! member::Member, on request          key -> entry -> offset
//! ```
//!
//! The public methods name the member in their errors. Those for other modules do not: the caller knows the way to the
//! value.

mod check;
pub(crate) mod data;
pub(super) mod directory;
pub(crate) mod entry;
pub(super) mod inflate;
pub(crate) mod kept;
pub(super) mod member;
mod prefetch;
mod progress;
mod window;

use std::fmt;
use std::fs::File;
use std::io::{BufReader, Read, Seek, SeekFrom};
use std::ops::Range;
use std::path::Path;
use std::sync::{Arc, OnceLock};

use crc32fast::Hasher;

pub(crate) use self::directory::CentralEntry;
use self::directory::Directory;
use self::inflate::Inflater;
pub(crate) use self::member::Member;
use self::prefetch::Prefetch;
pub(crate) use self::window::Window;
use crate::error::{Error, ErrorKind, Result};
use crate::format::header::{Header, MAGIC};
use crate::io::checked::Checked;
use crate::io::source::in_memory;
use crate::io::{file, source};
use crate::npz::tree::Tree;
use crate::npz::zip::{EndRecord, LocalHeader};
use crate::options::ReadOptions;
use crate::options::progress::Meter;

/// Nearly always enough for the local header of a member and the header of its array.
const HEADERS: u64 = 4 << 10;

/// Reads the members of an archive one by one, each on request only.
///
/// ```
/// use std::io::Cursor;
/// use serde_npz::NpzReader;
///
/// let bytes = serde_npz::to_npz_vec(&std::collections::BTreeMap::from([("x", vec![1.0, 2.0])]))?;
/// let mut npz = NpzReader::new(Cursor::new(bytes))?;
/// assert_eq!(npz.names().collect::<Vec<_>>(), ["x"]);
/// assert_eq!(npz.header("x")?.shape(), [2]);
/// # Ok::<(), serde_npz::Error>(())
/// ```
pub struct NpzReader<R> {
    reader: Window<R>,
    /// Memory for the names of local headers.
    scratch: Vec<u8>,
    directory: Arc<Directory>,
    options: ReadOptions,
    inflater: Option<Inflater>,
    /// Members that are inflated before they are asked for.
    prefetch: Option<Prefetch>,
    /// Bytes handed out so far, for `Limits::total_bytes`.
    bytes_used: u64,
    /// Counts the bytes of one call; what looks at headers only is none.
    meter: Meter,
    /// The names as groups, once a value has been asked for.
    tree: Arc<OnceLock<Arc<Tree>>>,
}

impl NpzReader<BufReader<File>> {
    /// Opens the archive at `path`; its content decides, not its suffix.
    ///
    /// ```
    /// # let path = std::env::temp_dir().join(format!("serde_npz-doc-open-{}.npz", std::process::id()));
    /// serde_npz::save_npz(&path, &std::collections::BTreeMap::from([("x", 1.5)]))?;
    /// let npz = serde_npz::NpzReader::open(&path)?;
    /// assert!(npz.contains("x"));
    /// # std::fs::remove_file(&path).unwrap();
    /// # Ok::<(), serde_npz::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// `Io` where the file cannot be opened, and those of [`NpzReader::new`].
    pub fn open(path: impl AsRef<Path>) -> Result<Self> {
        Self::open_with(path, &ReadOptions::new())
    }

    /// As [`NpzReader::open`], with the separator, the limits and the casting of `options`.
    ///
    /// ```
    /// use serde_npz::{NpzReader, ReadOptions};
    ///
    /// # let path = std::env::temp_dir().join(format!("serde_npz-doc-npz-open-with-{}.npz", std::process::id()));
    /// serde_npz::save_npz(&path, &std::collections::BTreeMap::from([("x", 1)]))?;
    /// let mut reader = NpzReader::open_with(&path, &ReadOptions::new().separator(None))?;
    /// assert_eq!(reader.get::<i32>("x")?, 1);
    /// # std::fs::remove_file(&path).unwrap();
    /// # Ok::<(), serde_npz::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// Those of [`NpzReader::open`].
    pub fn open_with(path: impl AsRef<Path>, options: &ReadOptions) -> Result<Self> {
        Self::with_options(BufReader::new(file::open(path.as_ref())?), options)
    }
}

impl<R: Read + Seek> NpzReader<R> {
    /// Reads the directory of the archive that is all of `reader`.
    ///
    /// ```
    /// use std::io::Cursor;
    /// use serde_npz::{ErrorKind, NpzReader};
    ///
    /// let err = NpzReader::new(Cursor::new("just a text")).unwrap_err();
    /// assert_eq!(err.kind(), ErrorKind::BadMagic);
    /// ```
    ///
    /// # Errors
    ///
    /// `BadMagic` for anything that does not start as an archive, `CorruptArchive` and `UnsupportedArchive` where there is
    /// no directory that leads through the file, `LimitExceeded` for too many members, `Io`. A damaged entry of the
    /// directory, or a key that comes twice, is an error only where it is asked for.
    pub fn new(reader: R) -> Result<Self> {
        Self::with_options(reader, &ReadOptions::new())
    }

    /// As [`NpzReader::new`], with the limits, the casting and the separator of `options`.
    ///
    /// ```
    /// use std::io::Cursor;
    /// use serde_npz::{Limits, NpzReader, ReadOptions};
    ///
    /// let bytes = serde_npz::to_npz_vec(&std::collections::BTreeMap::from([("x", 1), ("y", 2)]))?;
    /// let options = ReadOptions::new().limits(Limits::new().members(1));
    /// assert!(NpzReader::with_options(Cursor::new(bytes), &options).is_err());
    /// # Ok::<(), serde_npz::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// Those of [`NpzReader::new`].
    pub fn with_options(mut reader: R, options: &ReadOptions) -> Result<Self> {
        check_start(&mut reader)?;
        let directory = Directory::read(&mut Checked(&mut reader), options)?;
        Ok(NpzReader {
            reader: Window::new(reader),
            scratch: Vec::new(),
            directory: Arc::new(directory),
            options: options.clone(),
            inflater: None,
            prefetch: None,
            bytes_used: 0,
            meter: Meter::default(),
            tree: Arc::default(),
        })
    }

    /// The header of an array; its data is not read.
    ///
    /// ```
    /// use std::io::Cursor;
    ///
    /// let bytes = serde_npz::to_npz_vec(&std::collections::BTreeMap::from([("x", vec![[1_i64, 2]])]))?;
    /// let header = serde_npz::NpzReader::new(Cursor::new(bytes))?.header("x")?;
    /// assert_eq!((header.dtype().to_string(), header.shape()), ("<i8".to_owned(), &[1, 2][..]));
    /// # Ok::<(), serde_npz::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// `MissingMember`, `NotAnArray` for a member without NumPy's magic, those of
    /// [`Header::read`](crate::Header::read), and those of a corrupt member.
    pub fn header(&mut self, name: &str) -> Result<Header> {
        let index = self.require(name)?;
        match self.read_header(index) {
            Ok((header, _)) => Ok(header),
            Err(err) => Err(err.at_member(name)),
        }
    }

    /// The bytes of a member as they are, array or not, checked against its CRC.
    ///
    /// ```
    /// use std::io::Cursor;
    ///
    /// let bytes = serde_npz::to_npz_vec(&std::collections::BTreeMap::from([("x", 1.5)]))?;
    /// let raw = serde_npz::NpzReader::new(Cursor::new(bytes))?.raw("x")?;
    /// assert_eq!(serde_npz::from_npy_slice::<f64>(&raw)?, 1.5);
    /// # Ok::<(), serde_npz::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// `MissingMember`, `CorruptArchive`, `UnsupportedArchive`, `LimitExceeded`, `Io`.
    pub fn raw(&mut self, name: &str) -> Result<Vec<u8>> {
        let index = self.require(name)?;
        let raw = self.metered(vec![index], |npz| npz.read_raw(index));
        raw.map_err(|err| err.at_member(name))
    }

    /// Reads a member to its end and checks it, keeping nothing.
    ///
    /// ```
    /// use std::io::Cursor;
    ///
    /// let bytes = serde_npz::to_npz_vec(&std::collections::BTreeMap::from([("x", vec![1.5; 100])]))?;
    /// serde_npz::NpzReader::new(Cursor::new(bytes))?.verify("x")?;
    /// # Ok::<(), serde_npz::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// `MissingMember`, `CorruptArchive`, `UnsupportedArchive`, `LimitExceeded`, `Io`.
    pub fn verify(&mut self, name: &str) -> Result<()> {
        let index = self.require(name)?;
        let verified = self.metered(vec![index], |npz| npz.verify_member(index));
        verified.map_err(|err| err.at_member(name))
    }

    /// The bytes of a member, read one after another; an error at once if they exceed the limits.
    pub(crate) fn member(&mut self, index: usize) -> Result<Member<'_, Window<R>>> {
        self.directory.check_unique(index)?;
        let allowed = self.allowed();
        self.start(index, allowed)
    }

    /// A member of any size, of which only the first bytes are wanted, to see what it is.
    pub(crate) fn peek(&mut self, index: usize) -> Result<Member<'_, Window<R>>> {
        self.meter = Meter::default();
        self.locate(index, HEADERS)?;
        self.member_here(index)
    }

    /// Where the bytes of a stored member lie, for callers that have the whole archive in memory; see
    /// [`NpzReader::check_crc`].
    pub(crate) fn stored_range(&mut self, index: usize) -> Result<Option<Range<u64>>> {
        self.directory.check_unique(index)?;
        let entry = self.directory.entry(index)?;
        if !entry.method.is_stored() {
            return Ok(None);
        }
        let size = entry.size;
        check_size(size, self.allowed())?;
        let start = self.locate(index, u64::MAX)?;
        self.bytes_used = self.bytes_used.saturating_add(size);
        Ok(Some(start..start + size))
    }

    /// Appends `len` bytes of the archive from an offset on.
    pub(crate) fn read_at(&mut self, offset: u64, len: u64, into: &mut Vec<u8>) -> Result<()> {
        self.reader.focus(offset, offset.saturating_add(len));
        source::read_grow(&mut self.reader, into, len)?;
        self.meter.add(len)
    }

    /// The header of an array and how many bytes it takes.
    pub(crate) fn read_header(&mut self, index: usize) -> Result<(Header, u64)> {
        self.locate(index, HEADERS)?;
        self.header_here(index)
    }

    /// As [`NpzReader::read_header`], once the member has been located.
    fn header_here(&mut self, index: usize) -> Result<(Header, u64)> {
        let options = self.options.clone();
        self.meter = Meter::default();
        let mut counted = self.member_here(index)?.take(u64::MAX);
        let header = Header::read_member(&mut counted, &options)?;
        Ok((header, u64::MAX - counted.limit()))
    }

    pub(crate) fn read_raw(&mut self, index: usize) -> Result<Vec<u8>> {
        let size = self.directory.entry(index)?.size;
        let mut member = self.member(index)?;
        // The size is no bare claim: it was compared with the compressed bytes and with what they can be inflated to.
        let mut bytes = Vec::new();
        if let Ok(size) = usize::try_from(size) {
            // If there is not so much memory, reading will say so.
            let _ = bytes.try_reserve_exact(size);
        }
        source::read_grow(&mut member, &mut bytes, size)?;
        member.finish()?;
        Ok(bytes)
    }

    fn start(&mut self, index: usize, allowed: u64) -> Result<Member<'_, Window<R>>> {
        let entry = self.directory.entry(index)?;
        check_size(entry.size, allowed)?;
        self.meter.enter(entry.key());
        self.locate(index, u64::MAX)?;
        self.member_here(index)
    }

    /// The bytes of a member that has been located.
    fn member_here(&mut self, index: usize) -> Result<Member<'_, Window<R>>> {
        let entry = self.directory.entry(index)?;
        Ok(Member::new(
            &mut self.reader,
            entry,
            &mut self.inflater,
            &mut self.bytes_used,
            &mut self.meter,
        ))
    }
}

impl<R> NpzReader<R> {
    /// How many members there are.
    ///
    /// ```
    /// let bytes = serde_npz::to_npz_vec(&std::collections::BTreeMap::from([("a", 1), ("b", 2)]))?;
    /// assert_eq!(serde_npz::NpzReader::new(std::io::Cursor::new(bytes))?.len(), 2);
    /// # Ok::<(), serde_npz::Error>(())
    /// ```
    pub fn len(&self) -> usize {
        self.directory.entries.len()
    }

    /// Whether the archive has no members.
    ///
    /// ```
    /// let npz = serde_npz::NpzWriter::new(std::io::Cursor::new(Vec::new()));
    /// assert!(serde_npz::NpzReader::new(npz.finish()?)?.is_empty());
    /// # Ok::<(), serde_npz::Error>(())
    /// ```
    pub fn is_empty(&self) -> bool {
        self.directory.entries.is_empty()
    }

    /// Whether a member of this name is there, with or without `.npy` behind it; groups are not members.
    ///
    /// ```
    /// let bytes = serde_npz::to_npz_vec(&std::collections::BTreeMap::from([("a", 1)]))?;
    /// let npz = serde_npz::NpzReader::new(std::io::Cursor::new(bytes))?;
    /// assert!(npz.contains("a") && npz.contains("a.npy") && !npz.contains("b"));
    /// # Ok::<(), serde_npz::Error>(())
    /// ```
    pub fn contains(&self, name: &str) -> bool {
        self.find(name).is_some()
    }

    /// The same archive through another reader: its directory is not read again, and limits are counted from zero.
    #[cfg(feature = "mmap")]
    pub(crate) fn through<S>(&self, reader: S) -> NpzReader<S> {
        NpzReader {
            reader: Window::new(reader),
            scratch: Vec::new(),
            directory: Arc::clone(&self.directory),
            options: self.options.clone(),
            inflater: None,
            prefetch: None,
            bytes_used: 0,
            meter: Meter::default(),
            tree: Arc::clone(&self.tree),
        }
    }

    pub(crate) fn inner(&self) -> &R {
        self.reader.inner()
    }

    pub(crate) fn central_entries(&self) -> &[CentralEntry] {
        &self.directory.entries
    }

    /// Whether a member has exactly this key.
    pub(crate) fn has_key(&self, key: &str) -> bool {
        self.find(key)
            .is_some_and(|index| self.directory.entries[index].key() == key)
    }

    pub(crate) fn find(&self, key: &str) -> Option<usize> {
        self.directory.find(key)
    }

    pub(crate) fn tree(&self) -> Option<Arc<Tree>> {
        self.tree.get().cloned()
    }

    pub(crate) fn keep_tree(&mut self, tree: Tree) -> Arc<Tree> {
        Arc::clone(self.tree.get_or_init(|| Arc::new(tree)))
    }

    pub(crate) fn options(&self) -> &ReadOptions {
        &self.options
    }

    /// Checks bytes that were lent by [`NpzReader::stored_range`], which has to come before they are used.
    pub(crate) fn check_crc(&mut self, index: usize, bytes: &[u8]) -> Result<()> {
        let entry = self.directory.entry(index)?;
        self.meter.enter(entry.key());
        let mut hasher = Hasher::new();
        let mut rest = bytes;
        while !rest.is_empty() {
            let (now, behind) = rest.split_at(in_memory(self.meter.at_once(rest.len() as u64)));
            hasher.update(now);
            self.meter.add(now.len() as u64)?;
            rest = behind;
        }
        member::compare(hasher.finalize(), entry)
    }

    /// Whether another member of the same key is taken instead.
    pub(crate) fn is_hidden(&self, index: usize) -> bool {
        self.directory.is_hidden(index)
    }

    /// Whether something is wrong with the member's entry in the directory.
    pub(crate) fn is_faulty(&self, index: usize) -> bool {
        self.directory.fault(index).is_some()
    }

    pub(crate) fn require(&self, name: &str) -> Result<usize> {
        let found = self.find(name).ok_or_else(|| {
            Error::missing(
                format_args!("found no member of this name among the {}, expected one", self.len()),
                name,
                self.names(),
            )
            .with_hint("`names()` lists those there are")
        });
        let index = found.and_then(|index| self.directory.check_unique(index).map(|()| index));
        index.map_err(|err| err.at_member(name))
    }

    /// The largest size that the next member may have.
    fn allowed(&self) -> u64 {
        let limits = &self.options.limits;
        limits
            .member_bytes
            .min(limits.total_bytes.saturating_sub(self.bytes_used))
    }
}

impl<R> fmt::Debug for NpzReader<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NpzReader")
            .field("members", &self.len())
            .finish_non_exhaustive()
    }
}

/// The first bytes tell an archive from an array and from anything else, as `np.load` decides.
fn check_start<R: Read + Seek>(reader: &mut R) -> Result<()> {
    reader.seek(SeekFrom::Start(0))?;
    let mut start = [0; MAGIC.len()];
    let got = source::read_full(reader, &mut start)?;
    let start = &start[..got];
    if start.starts_with(LocalHeader::SIGNATURE) || start.starts_with(EndRecord::SIGNATURE) {
        return Ok(());
    }
    let found = if start == MAGIC {
        "a single array (.npy)".to_owned()
    } else if start.is_empty() {
        "no bytes".to_owned()
    } else {
        format!("`{}` at the start", start.escape_ascii())
    };
    let error = Error::new(
        ErrorKind::BadMagic,
        format_args!("found {found}: not an npz file, expected one that starts with `PK\\x03\\x04`"),
    );
    Err(if start == MAGIC {
        error.with_hint("`load_npy` and `from_npy_*` read a single array")
    } else {
        error
    })
}

pub(super) fn check_size(size: u64, allowed: u64) -> Result<()> {
    if size <= allowed {
        return Ok(());
    }
    Err(Error::new(
        ErrorKind::LimitExceeded,
        format_args!("found a member of {size} bytes, expected at most {allowed}"),
    )
    .with_hint("`Limits::member_bytes` and `Limits::total_bytes` allow more"))
}

/// The error for a member with bytes behind its array.
#[cold]
pub(crate) fn left_over(left: u64) -> Error {
    Error::new(
        ErrorKind::CorruptArchive,
        format_args!("found {left} bytes left over behind the array's data, expected none"),
    )
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::*;
    use crate::npz::writer::NpzWriter;
    use crate::options::{Limits, WriteOptions};

    const DATA: [u8; 1000] = [7; 1000];

    fn archive(options: &WriteOptions) -> Vec<u8> {
        let mut npz = NpzWriter::with_options(Cursor::new(Vec::new()), options);
        npz.container.begin("x.npy", DATA.len() as u64).unwrap();
        npz.container.write(&DATA).unwrap();
        npz.container.end().unwrap();
        npz.finish().unwrap().into_inner()
    }

    #[test]
    fn members_left_early_are_refused_or_skipped() {
        for options in [WriteOptions::new(), WriteOptions::new().compressed()] {
            let mut npz = NpzReader::new(Cursor::new(archive(&options))).unwrap();
            for taken in [0, 1, 999, 1000] {
                let mut buf = vec![0; taken];
                let mut member = npz.member(0).unwrap();
                member.read_exact(&mut buf).unwrap();
                assert_eq!(buf, DATA[..taken]);
                let finished = member.finish();
                if taken == 1000 {
                    finished.unwrap();
                } else {
                    let err = finished.unwrap_err();
                    assert_eq!((err.kind(), err.path()), (ErrorKind::CorruptArchive, ""));
                    assert!(err.to_string().contains("left over"), "{err}");
                }
                let mut member = npz.member(0).unwrap();
                member.read_exact(&mut buf).unwrap();
                member.skip_to_end().unwrap();
            }
            assert_eq!(npz.member(1).err().unwrap().kind(), ErrorKind::MissingMember);
        }
    }

    #[test]
    fn skipping_finds_damage_too() {
        let mut bytes = archive(&WriteOptions::new());
        bytes[700] ^= 1;
        let mut npz = NpzReader::new(Cursor::new(bytes)).unwrap();
        assert_eq!(
            npz.member(0).unwrap().skip_to_end().unwrap_err().kind(),
            ErrorKind::CorruptArchive
        );
    }

    #[test]
    fn stored_members_tell_where_they_lie() {
        let bytes = archive(&WriteOptions::new());
        let mut npz = NpzReader::new(Cursor::new(&bytes)).unwrap();
        let range = npz.stored_range(0).unwrap().unwrap();
        assert_eq!(range.start % 64, 0);
        let lent = &bytes[range.start as usize..range.end as usize];
        assert_eq!(lent, DATA);
        npz.check_crc(0, lent).unwrap();
        assert_eq!(
            npz.check_crc(0, &lent[1..]).unwrap_err().kind(),
            ErrorKind::CorruptArchive
        );

        let limits = ReadOptions::new().limits(Limits::new().total_bytes(1999));
        let mut npz = NpzReader::with_options(Cursor::new(&bytes), &limits).unwrap();
        npz.stored_range(0).unwrap();
        assert_eq!(npz.stored_range(0).unwrap_err().kind(), ErrorKind::LimitExceeded);

        let mut npz = NpzReader::new(Cursor::new(archive(&WriteOptions::new().compressed()))).unwrap();
        assert_eq!(npz.stored_range(0).unwrap(), None);
    }

    #[test]
    fn entries_are_what_the_directory_says() {
        let npz = NpzReader::new(Cursor::new(archive(&WriteOptions::new().compressed()))).unwrap();
        let entry = &npz.central_entries()[npz.find("x").unwrap()];
        assert_eq!((&**entry.name(), entry.key(), entry.size), ("x.npy", "x", 1000));
        assert!(!entry.method.is_stored() && entry.compressed < 100 && entry.crc == crc32fast::hash(&DATA));
        assert_eq!(npz.options().limits, Limits::new());
    }
}
