//! [`NpzMmap`]: a mapped archive that lends its stored members.

use std::fmt;
use std::io::Cursor as IoCursor;
use std::ops::RangeBounds;
use std::path::Path;

use memmap2::Mmap;
use serde::Deserialize;

use super::map;
use crate::error::{Error, ErrorKind, Result};
use crate::format::header::Header;
use crate::io::file;
use crate::io::source::truncated;
use crate::npz::de::{get_lent, read_lent};
use crate::npz::reader::entry::NpzNames;
use crate::npz::reader::{NpzReader, left_over};
use crate::options::ReadOptions;
use crate::view::{ArrayView, Element, read_rows};

/// A `.npz` file mapped to be read: stored arrays are lent without a copy, which NumPy cannot do.
///
/// Opening reads only the directory, however large the archive is. Every stored member of an archive that this crate wrote
/// is aligned and can be lent; members of NumPy's archives begin at any offset, and about every eighth of them is aligned
/// for an `f64`.
///
/// | | checksum of the member |
/// |---|---|
/// | [`array`](NpzMmap::array), [`bytes`](NpzMmap::bytes), [`read_rows`](NpzMmap::read_rows) | on request: [`verify`](NpzMmap::verify) reads the member once |
/// | after [`open_verified`](NpzMmap::open_verified) | of all members, when opened |
/// | [`get`](NpzMmap::get), [`deserialize`](NpzMmap::deserialize) | always, before a value is handed out |
///
/// Mapping is `unsafe`: see [Safety](crate::NpyMmap#safety). [`NpzReader`] needs no map, and
/// [`from_npz_slice`](crate::from_npz_slice) lends from bytes in memory.
///
/// ```
/// use serde_npz::NpzMmap;
///
/// # let path = std::env::temp_dir().join(format!("serde_npz-doc-npz-mmap-{}.npz", std::process::id()));
/// serde_npz::save_npz(&path, &std::collections::BTreeMap::from([("x", vec![[1.0, 2.0], [3.0, 4.0]])]))?;
/// // SAFETY: nothing else writes to the file.
/// let map = unsafe { NpzMmap::open(&path)? };
/// let x = map.array::<f64>("x")?;
/// assert_eq!(x.row(1)?.as_slice(), [3.0, 4.0]);
/// assert!(x.borrowed().is_some()); // no copy
/// # drop(map);
/// # std::fs::remove_file(&path).unwrap();
/// # Ok::<(), serde_npz::Error>(())
/// ```
pub struct NpzMmap {
    map: Mmap,
    npz: NpzReader<()>,
}

impl NpzMmap {
    /// Maps the archive at `path` and reads its directory; members and their checksums are not looked at.
    ///
    /// ```
    /// # let path = std::env::temp_dir().join(format!("serde_npz-doc-npz-mmap-open-{}.npz", std::process::id()));
    /// serde_npz::save_npz(&path, &std::collections::BTreeMap::from([("x", 1)]))?;
    /// // SAFETY: nothing else writes to the file.
    /// assert_eq!(unsafe { serde_npz::NpzMmap::open(&path)? }.len(), 1);
    /// # std::fs::remove_file(&path).unwrap();
    /// # Ok::<(), serde_npz::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// Those of [`NpzReader::open`].
    ///
    /// # Safety
    ///
    /// While the map lives, nobody may change the file or cut it off: see [Safety](crate::NpyMmap#safety).
    pub unsafe fn open(path: impl AsRef<Path>) -> Result<Self> {
        // SAFETY: the caller gives the same promise.
        unsafe { Self::open_with(path, &ReadOptions::new()) }
    }

    /// As [`NpzMmap::open`], and reads every member once to check its checksum.
    ///
    /// ```
    /// # let path = std::env::temp_dir().join(format!("serde_npz-doc-npz-mmap-verified-{}.npz", std::process::id()));
    /// serde_npz::save_npz(&path, &std::collections::BTreeMap::from([("x", vec![1.5; 100])]))?;
    /// let mut bytes = std::fs::read(&path)?;
    /// bytes[500] ^= 1; // somewhere in the data
    /// std::fs::write(&path, bytes)?;
    /// // SAFETY: nothing else writes to the file.
    /// let err = unsafe { serde_npz::NpzMmap::open_verified(&path) }.unwrap_err();
    /// assert_eq!((err.kind(), err.path()), (serde_npz::ErrorKind::CorruptArchive, "x"));
    /// # std::fs::remove_file(&path).unwrap();
    /// # Ok::<(), serde_npz::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// Those of [`NpzMmap::open`] and of [`NpzMmap::verify`] for any member.
    ///
    /// # Safety
    ///
    /// While the map lives, nobody may change the file or cut it off: see [Safety](crate::NpyMmap#safety).
    pub unsafe fn open_verified(path: impl AsRef<Path>) -> Result<Self> {
        // SAFETY: the caller gives the same promise.
        unsafe { Self::open_verified_with(path, &ReadOptions::new()) }
    }

    /// As [`NpzMmap::open_verified`], with the limits, the casting and the separator of `options`.
    ///
    /// ```
    /// use serde_npz::{Limits, NpzMmap, ReadOptions};
    ///
    /// # let path = std::env::temp_dir().join(format!("serde_npz-doc-npz-mmap-verified-with-{}.npz", std::process::id()));
    /// serde_npz::save_npz(&path, &std::collections::BTreeMap::from([("x", vec![1.5; 100])]))?;
    /// let options = ReadOptions::new().limits(Limits::new().member_bytes(100));
    /// // SAFETY: nothing else writes to the file.
    /// let err = unsafe { NpzMmap::open_verified_with(&path, &options) }.unwrap_err();
    /// assert_eq!((err.kind(), err.path()), (serde_npz::ErrorKind::LimitExceeded, "x"));
    /// # std::fs::remove_file(&path).unwrap();
    /// # Ok::<(), serde_npz::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// Those of [`NpzMmap::open_verified`].
    ///
    /// # Safety
    ///
    /// While the map lives, nobody may change the file or cut it off: see [Safety](crate::NpyMmap#safety).
    pub unsafe fn open_verified_with(path: impl AsRef<Path>, options: &ReadOptions) -> Result<Self> {
        // SAFETY: the caller gives the same promise.
        let npz = unsafe { NpzMmap::open_with(path, options)? };
        npz.reader().verify_all()?;
        Ok(npz)
    }

    /// As [`NpzMmap::open`], with the limits, the casting and the separator of `options`.
    ///
    /// ```
    /// use serde_npz::{NpzMmap, ReadOptions};
    ///
    /// # let path = std::env::temp_dir().join(format!("serde_npz-doc-npz-mmap-with-{}.npz", std::process::id()));
    /// serde_npz::save_npz(&path, &std::collections::BTreeMap::from([("a/b", 1)])).unwrap_err();
    /// let keys = serde_npz::WriteOptions::new().separator(None);
    /// keys.save_npz(&path, &std::collections::BTreeMap::from([("a/b", 1)]))?;
    /// // SAFETY: nothing else writes to the file.
    /// let map = unsafe { NpzMmap::open_with(&path, &ReadOptions::new().separator(None))? };
    /// assert_eq!(map.get::<i32>("a/b")?, 1);
    /// # drop(map);
    /// # std::fs::remove_file(&path).unwrap();
    /// # Ok::<(), serde_npz::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// Those of [`NpzMmap::open`].
    ///
    /// # Safety
    ///
    /// While the map lives, nobody may change the file or cut it off: see [Safety](crate::NpyMmap#safety).
    pub unsafe fn open_with(path: impl AsRef<Path>, options: &ReadOptions) -> Result<Self> {
        let path = path.as_ref();
        // SAFETY: the caller promises that nobody changes the file while the map lives.
        let map = unsafe { map::read(&file::open(path)?, path)? };
        let npz = NpzReader::with_options(IoCursor::new(&map[..]), options)?.through(());
        Ok(NpzMmap { map, npz })
    }

    /// The names of all members in the archive's order, as [`NpzReader::names`].
    ///
    /// ```
    /// # let path = std::env::temp_dir().join(format!("serde_npz-doc-npz-mmap-names-{}.npz", std::process::id()));
    /// serde_npz::save_npz(&path, &std::collections::BTreeMap::from([("a", 1), ("b", 2)]))?;
    /// // SAFETY: nothing else writes to the file.
    /// assert!(unsafe { serde_npz::NpzMmap::open(&path)? }.names().eq(["a", "b"]));
    /// # std::fs::remove_file(&path).unwrap();
    /// # Ok::<(), serde_npz::Error>(())
    /// ```
    pub fn names(&self) -> NpzNames<'_> {
        self.npz.names()
    }

    /// How many members there are.
    ///
    /// ```
    /// # let path = std::env::temp_dir().join(format!("serde_npz-doc-npz-mmap-len-{}.npz", std::process::id()));
    /// serde_npz::save_npz(&path, &std::collections::BTreeMap::from([("a", 1), ("b", 2)]))?;
    /// // SAFETY: nothing else writes to the file.
    /// assert_eq!(unsafe { serde_npz::NpzMmap::open(&path)? }.len(), 2);
    /// # std::fs::remove_file(&path).unwrap();
    /// # Ok::<(), serde_npz::Error>(())
    /// ```
    pub fn len(&self) -> usize {
        self.npz.len()
    }

    /// Whether the archive has no members.
    ///
    /// ```
    /// # let path = std::env::temp_dir().join(format!("serde_npz-doc-npz-mmap-empty-{}.npz", std::process::id()));
    /// serde_npz::save_npz(&path, &())?;
    /// // SAFETY: nothing else writes to the file.
    /// assert!(unsafe { serde_npz::NpzMmap::open(&path)? }.is_empty());
    /// # std::fs::remove_file(&path).unwrap();
    /// # Ok::<(), serde_npz::Error>(())
    /// ```
    pub fn is_empty(&self) -> bool {
        self.npz.is_empty()
    }

    /// Whether a member of this name is there; groups are not members.
    ///
    /// ```
    /// # let path = std::env::temp_dir().join(format!("serde_npz-doc-npz-mmap-has-{}.npz", std::process::id()));
    /// serde_npz::save_npz(&path, &std::collections::BTreeMap::from([("a", 1)]))?;
    /// // SAFETY: nothing else writes to the file.
    /// assert!(unsafe { serde_npz::NpzMmap::open(&path)? }.contains("a"));
    /// # std::fs::remove_file(&path).unwrap();
    /// # Ok::<(), serde_npz::Error>(())
    /// ```
    pub fn contains(&self, name: &str) -> bool {
        self.npz.contains(name)
    }

    /// Dtype, shape and order of an array; its data is not touched.
    ///
    /// ```
    /// # let path = std::env::temp_dir().join(format!("serde_npz-doc-npz-mmap-header-{}.npz", std::process::id()));
    /// serde_npz::save_npz(&path, &std::collections::BTreeMap::from([("a", [1_u8, 2])]))?;
    /// // SAFETY: nothing else writes to the file.
    /// assert_eq!(unsafe { serde_npz::NpzMmap::open(&path)? }.header("a")?.shape(), [2]);
    /// # std::fs::remove_file(&path).unwrap();
    /// # Ok::<(), serde_npz::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// Those of [`NpzReader::header`].
    pub fn header(&self, name: &str) -> Result<Header> {
        self.reader().header(name)
    }

    /// A stored array, lent without a copy. Its checksum is not compared: see [`verify`](NpzMmap::verify).
    ///
    /// A view of `bool` looks at every byte once: anything but 0 and 1 is no `bool`.
    ///
    /// ```
    /// # let path = std::env::temp_dir().join(format!("serde_npz-doc-npz-mmap-array-{}.npz", std::process::id()));
    /// serde_npz::save_npz(&path, &std::collections::BTreeMap::from([("a", [1.0, 2.0])]))?;
    /// // SAFETY: nothing else writes to the file.
    /// let map = unsafe { serde_npz::NpzMmap::open(&path)? };
    /// assert_eq!(map.array::<f64>("a")?.as_slice(), [1.0, 2.0]);
    /// # drop(map);
    /// # std::fs::remove_file(&path).unwrap();
    /// # Ok::<(), serde_npz::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// `UnsupportedArchive` for a compressed member, `TypeMismatch` for another dtype, the other byte order, or data at
    /// a misaligned offset: [`get`](NpzMmap::get) copies and converts. `MissingMember`, `NotAnArray`, `CorruptArchive`, and
    /// `InvalidValue` for a byte that is no bool.
    pub fn array<T: Element>(&self, name: &str) -> Result<ArrayView<'_, T>> {
        let lend = || {
            let (header, data) = self.stored(name)?;
            ArrayView::lend(&header, data)
        };
        lend().map_err(|err| err.without_path().at_member(name))
    }

    /// A part of the first axis of a stored array as any type: of records and texts, too, nothing else is touched. Rows of an
    /// array in Fortran order are gathered from its columns.
    ///
    /// Its checksum is not compared: see [`verify`](NpzMmap::verify).
    ///
    /// ```
    /// # let path = std::env::temp_dir().join(format!("serde_npz-doc-npz-mmap-rows-{}.npz", std::process::id()));
    /// serde_npz::save_npz(&path, &std::collections::BTreeMap::from([("a", vec![(1_u32, 0.5), (2, 1.5), (3, 2.5)])]))?;
    /// // SAFETY: nothing else writes to the file.
    /// let map = unsafe { serde_npz::NpzMmap::open(&path)? };
    /// assert_eq!(map.read_rows::<Vec<(u32, f64)>>("a", 1..)?, [(2, 1.5), (3, 2.5)]);
    /// # drop(map);
    /// # std::fs::remove_file(&path).unwrap();
    /// # Ok::<(), serde_npz::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// `UnsupportedArchive` for a compressed member, those of [`get`](NpzMmap::get) and of [`ArrayView::slice`].
    pub fn read_rows<'a, T: Deserialize<'a>>(&'a self, name: &str, range: impl RangeBounds<usize>) -> Result<T> {
        let read = || {
            let (header, data) = self.stored(name)?;
            read_rows(&header, data, range, self.npz.options())
        };
        read().map_err(|err| err.at_member(name))
    }

    /// The data of a stored array as bytes, whatever its dtype, without its checksum.
    ///
    /// ```
    /// # let path = std::env::temp_dir().join(format!("serde_npz-doc-npz-mmap-bytes-{}.npz", std::process::id()));
    /// serde_npz::save_npz(&path, &std::collections::BTreeMap::from([("a", "é")]))?;
    /// // SAFETY: nothing else writes to the file.
    /// assert_eq!(unsafe { serde_npz::NpzMmap::open(&path)? }.bytes("a")?, [0xe9, 0, 0, 0]);
    /// # std::fs::remove_file(&path).unwrap();
    /// # Ok::<(), serde_npz::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// `UnsupportedArchive` for a compressed member, `MissingMember`, `NotAnArray`, `CorruptArchive`.
    pub fn bytes(&self, name: &str) -> Result<&[u8]> {
        match self.stored(name) {
            Ok((_, data)) => Ok(data),
            Err(err) => Err(err.without_path().at_member(name)),
        }
    }

    /// One array or group as any type, checked and converted as [`NpzReader::get`] does; what the type borrows is lent.
    ///
    /// ```
    /// # let path = std::env::temp_dir().join(format!("serde_npz-doc-npz-mmap-get-{}.npz", std::process::id()));
    /// serde_npz::save_npz(&path, &std::collections::BTreeMap::from([("a", [1_i16, 2])]))?;
    /// // SAFETY: nothing else writes to the file.
    /// let map = unsafe { serde_npz::NpzMmap::open(&path)? };
    /// assert!(map.array::<f64>("a").is_err());
    /// assert_eq!(map.get::<Vec<f64>>("a")?, [1.0, 2.0]);
    /// # drop(map);
    /// # std::fs::remove_file(&path).unwrap();
    /// # Ok::<(), serde_npz::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// Those of [`NpzReader::get`].
    pub fn get<'a, T: Deserialize<'a>>(&'a self, name: &str) -> Result<T> {
        get_lent(self.reader(), name)
    }

    /// The whole archive as one value, as [`from_npz_slice`](crate::from_npz_slice) reads it.
    ///
    /// Arrays it borrows are lent, members it does not ask for are not touched.
    ///
    /// ```
    /// use serde::Deserialize;
    /// use serde_npz::{ArrayView, NpzMmap};
    ///
    /// #[derive(Deserialize)]
    /// struct Run<'a> {
    ///     dt: f64,
    ///     #[serde(borrow)]
    ///     x: ArrayView<'a, f32>,
    /// }
    ///
    /// # let path = std::env::temp_dir().join(format!("serde_npz-doc-npz-mmap-de-{}.npz", std::process::id()));
    /// # #[derive(serde::Serialize)]
    /// # struct Save { dt: f64, x: Vec<f32> }
    /// # serde_npz::save_npz(&path, &Save { dt: 0.5, x: vec![1.0, 2.0] })?;
    /// // SAFETY: nothing else writes to the file.
    /// let map = unsafe { NpzMmap::open(&path)? };
    /// let run: Run = map.deserialize()?;
    /// assert_eq!(run.x.borrowed(), Some(&[1.0, 2.0][..]));
    /// # assert_eq!(run.dt, 0.5);
    /// # drop(map);
    /// # std::fs::remove_file(&path).unwrap();
    /// # Ok::<(), serde_npz::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// Those of [`from_npz_slice`](crate::from_npz_slice).
    pub fn deserialize<'a, T: Deserialize<'a>>(&'a self) -> Result<T> {
        read_lent(self.reader())
    }

    /// Reads a member to its end and checks it, as [`NpzReader::verify`].
    ///
    /// ```
    /// # let path = std::env::temp_dir().join(format!("serde_npz-doc-npz-mmap-verify-{}.npz", std::process::id()));
    /// serde_npz::save_npz(&path, &std::collections::BTreeMap::from([("a", [1, 2])]))?;
    /// // SAFETY: nothing else writes to the file.
    /// let map = unsafe { serde_npz::NpzMmap::open(&path)? };
    /// map.verify("a")?;
    /// # drop(map);
    /// # std::fs::remove_file(&path).unwrap();
    /// # Ok::<(), serde_npz::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// Those of [`NpzReader::verify`].
    pub fn verify(&self, name: &str) -> Result<()> {
        self.reader().verify(name)
    }

    fn reader(&self) -> NpzReader<IoCursor<&[u8]>> {
        self.npz.through(IoCursor::new(&self.map[..]))
    }

    /// Header and data of a stored array.
    fn stored(&self, name: &str) -> Result<(Header, &[u8])> {
        let mut npz = self.reader();
        let index = npz.require(name)?;
        let Some(range) = npz.stored_range(index)? else {
            return Err(Error::new(
                ErrorKind::UnsupportedArchive,
                "found a compressed member, expected a stored one, which can be lent without a copy",
            )
            .with_hint("`get` inflates a copy"));
        };
        let member = usize::try_from(range.start).ok().zip(usize::try_from(range.end).ok());
        let Some(member) = member.and_then(|(start, end)| self.map.get(start..end)) else {
            return Err(truncated(self.map.len() as u64, range.end));
        };
        let mut data = member;
        let header = Header::read_member(&mut data, npz.options())?;
        match data.len() as u64 {
            len if len < header.data_len() => Err(truncated(len, header.data_len())),
            len if len > header.data_len() => Err(left_over(len - header.data_len())),
            _ => Ok((header, data)),
        }
    }
}

impl fmt::Debug for NpzMmap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NpzMmap")
            .field("members", &self.len())
            .finish_non_exhaustive()
    }
}
