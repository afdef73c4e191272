//! Files mapped into memory: arrays larger than memory, members of an archive without a copy.
//!
//! ```text
//! x.npy   ─ header ─┬─ 64 k: data ───┐                NpyMmap, NpyMmapMut
//!                   └ &[T] of the map┘
//! x.npz   ─ local header, padding, header ─┬─ 64 k: data ─┬─ .. ─ directory      NpzMmap
//! ```

mod map;
mod npz;
mod writable;

use std::fmt;
use std::ops::{Range, RangeBounds};
use std::path::Path;

use memmap2::Mmap;
use serde::Deserialize;

pub use self::npz::NpzMmap;
pub use self::writable::NpyMmapMut;
use crate::error::Result;
use crate::format::header::Header;
use crate::io::file;
use crate::io::source::{Slice, truncated};
use crate::npy::de::read_array;
use crate::options::ReadOptions;
use crate::view::{ArrayView, Element, read_rows};

/// A `.npy` file mapped to be read, as `np.load(path, mmap_mode='r')`: only what is touched is read from the disk.
///
/// Mapping is `unsafe`: see [Safety](NpyMmap#safety), which also names the safe alternatives.
///
/// ```
/// use serde_npz::NpyMmap;
///
/// # let path = std::env::temp_dir().join(format!("serde_npz-doc-npy-mmap-{}.npy", std::process::id()));
/// serde_npz::save_npy(&path, &vec![[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]])?;
/// // SAFETY: nothing else writes to the file.
/// let map = unsafe { NpyMmap::open(&path)? };
/// let view = map.array::<f64>()?;
/// assert_eq!(view.shape(), [3, 2]);
/// assert_eq!(view.row(1)?.as_slice(), [3.0, 4.0]);
/// # drop(map);
/// # std::fs::remove_file(&path).unwrap();
/// # Ok::<(), serde_npz::Error>(())
/// ```
///
/// # Safety
///
/// A map shows the file as it is now, not as it was when it was opened. So whoever maps a file promises that nobody
/// changes or cuts it off while the map lives: neither another program nor this one, through a `File`, another map or
/// [`NpyWriter::append`](crate::NpyWriter::append). If it happens all the same, elements change under a `&[T]`, which is
/// undefined behaviour, and touching what was cut off ends the process (`SIGBUS` on Unix).
///
/// The promise is easy to keep for files that are written once and then replaced as a whole, as `save_npy` and `save_npz`
/// do: a map keeps the old file after the name went to a new one. It cannot be given for files that others write in place
/// ([`NpyMmapMut`], `np.save` over an existing file, `rsync --inplace`), nor for files that strangers may write to.
///
/// Safe alternatives copy what they read:
///
/// | instead of a map | |
/// |---|---|
/// | some rows of a large array | [`NpyReader`](crate::NpyReader): `seek` and `rows`; [`NpzReader::rows`](crate::NpzReader::rows) |
/// | some members of an archive | [`NpzReader::get`](crate::NpzReader::get) |
/// | a whole file | [`load_npy`](crate::load_npy), [`load_npz`](crate::load_npz) |
/// | arrays that borrow | [`from_npy_slice`](crate::from_npy_slice), [`from_npz_slice`](crate::from_npz_slice) of the bytes of [`std::fs::read`]: an [`ArrayView`] lends from them |
pub struct NpyMmap {
    map: Mmap,
    npy: Npy,
}

impl NpyMmap {
    /// Maps the array at `path`; its content decides, not its suffix.
    ///
    /// ```
    /// # let path = std::env::temp_dir().join(format!("serde_npz-doc-npy-mmap-open-{}.npy", std::process::id()));
    /// serde_npz::save_npy(&path, &vec![1, 2, 3])?;
    /// // SAFETY: nothing else writes to the file.
    /// assert_eq!(unsafe { serde_npz::NpyMmap::open(&path)? }.header().shape(), [3]);
    /// # std::fs::remove_file(&path).unwrap();
    /// # Ok::<(), serde_npz::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// `Io`, those of [`Header::read`], and `Truncated` for a file shorter than its header announces. A longer one is
    /// taken: other arrays may follow.
    ///
    /// # Safety
    ///
    /// While the map lives, nobody may change the file or cut it off: see [Safety](NpyMmap#safety).
    pub unsafe fn open(path: impl AsRef<Path>) -> Result<Self> {
        // SAFETY: the caller gives the same promise.
        unsafe { Self::open_with(path, &ReadOptions::new()) }
    }

    /// As [`NpyMmap::open`], with the greatest header and the casting of `options`.
    ///
    /// ```
    /// use serde_npz::{NpyMmap, ReadOptions};
    ///
    /// # let path = std::env::temp_dir().join(format!("serde_npz-doc-npy-mmap-with-{}.npy", std::process::id()));
    /// serde_npz::save_npy(&path, &vec![1, 2, 3])?;
    /// // SAFETY: nothing else writes to the file.
    /// assert!(unsafe { NpyMmap::open_with(&path, &ReadOptions::new().max_header_size(10)) }.is_err());
    /// # std::fs::remove_file(&path).unwrap();
    /// # Ok::<(), serde_npz::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// Those of [`NpyMmap::open`].
    ///
    /// # Safety
    ///
    /// While the map lives, nobody may change the file or cut it off: see [Safety](NpyMmap#safety).
    pub unsafe fn open_with(path: impl AsRef<Path>, options: &ReadOptions) -> Result<Self> {
        let path = path.as_ref();
        // SAFETY: the caller promises that nobody changes the file while the map lives.
        let map = unsafe { map::read(&file::open(path)?, path)? };
        let npy = Npy::new(&map, options)?;
        Ok(NpyMmap { map, npy })
    }

    /// Dtype, shape and order.
    ///
    /// ```
    /// # let path = std::env::temp_dir().join(format!("serde_npz-doc-npy-mmap-header-{}.npy", std::process::id()));
    /// serde_npz::save_npy(&path, &vec![1_u8, 2])?;
    /// // SAFETY: nothing else writes to the file.
    /// assert_eq!(unsafe { serde_npz::NpyMmap::open(&path)? }.header().dtype().to_string(), "|u1");
    /// # std::fs::remove_file(&path).unwrap();
    /// # Ok::<(), serde_npz::Error>(())
    /// ```
    pub fn header(&self) -> &Header {
        &self.npy.header
    }

    /// The array, lent without a copy.
    ///
    /// A view of `bool` looks at every byte once: anything but 0 and 1 is no `bool`.
    ///
    /// ```
    /// # let path = std::env::temp_dir().join(format!("serde_npz-doc-npy-mmap-array-{}.npy", std::process::id()));
    /// serde_npz::save_npy(&path, &vec![1.0, 2.0])?;
    /// // SAFETY: nothing else writes to the file.
    /// let map = unsafe { serde_npz::NpyMmap::open(&path)? };
    /// assert_eq!(map.array::<f64>()?.as_slice(), [1.0, 2.0]);
    /// # drop(map);
    /// # std::fs::remove_file(&path).unwrap();
    /// # Ok::<(), serde_npz::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// `TypeMismatch` for another dtype, the other byte order, or misaligned data: [`read`](NpyMmap::read) copies
    /// and converts. `InvalidValue` for a byte that is no bool.
    pub fn array<T: Element>(&self) -> Result<ArrayView<'_, T>> {
        ArrayView::lend(&self.npy.header, self.bytes())
    }

    /// The data as bytes, whatever the dtype.
    ///
    /// ```
    /// # let path = std::env::temp_dir().join(format!("serde_npz-doc-npy-mmap-bytes-{}.npy", std::process::id()));
    /// serde_npz::save_npy(&path, "é")?;
    /// // SAFETY: nothing else writes to the file.
    /// assert_eq!(unsafe { serde_npz::NpyMmap::open(&path)? }.bytes(), [0xe9, 0, 0, 0]);
    /// # std::fs::remove_file(&path).unwrap();
    /// # Ok::<(), serde_npz::Error>(())
    /// ```
    pub fn bytes(&self) -> &[u8] {
        self.npy.bytes(&self.map)
    }

    /// The whole array as any type, copied and converted as [`from_npy_slice`](crate::from_npy_slice) does.
    ///
    /// ```
    /// # let path = std::env::temp_dir().join(format!("serde_npz-doc-npy-mmap-read-{}.npy", std::process::id()));
    /// serde_npz::save_npy(&path, &vec![1_i16, 2])?;
    /// // SAFETY: nothing else writes to the file.
    /// let map = unsafe { serde_npz::NpyMmap::open(&path)? };
    /// assert!(map.array::<f64>().is_err());
    /// assert_eq!(map.read::<Vec<f64>>()?, [1.0, 2.0]);
    /// # drop(map);
    /// # std::fs::remove_file(&path).unwrap();
    /// # Ok::<(), serde_npz::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// Those of [`from_npy_slice`](crate::from_npy_slice).
    pub fn read<'a, T: Deserialize<'a>>(&'a self) -> Result<T> {
        self.npy.read(&self.map)
    }

    /// A part of the first axis as any type: of records and texts, too, nothing else is touched. Rows of an array in Fortran
    /// order are gathered from its columns.
    ///
    /// ```
    /// # let path = std::env::temp_dir().join(format!("serde_npz-doc-npy-mmap-rows-{}.npy", std::process::id()));
    /// serde_npz::save_npy(&path, &vec![(1_u32, 0.5), (2, 1.5), (3, 2.5)])?;
    /// // SAFETY: nothing else writes to the file.
    /// let map = unsafe { serde_npz::NpyMmap::open(&path)? };
    /// assert_eq!(map.read_rows::<Vec<(u32, f64)>>(1..)?, [(2, 1.5), (3, 2.5)]);
    /// # drop(map);
    /// # std::fs::remove_file(&path).unwrap();
    /// # Ok::<(), serde_npz::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// Those of [`read`](NpyMmap::read) and of [`ArrayView::slice`].
    pub fn read_rows<'a, T: Deserialize<'a>>(&'a self, range: impl RangeBounds<usize>) -> Result<T> {
        self.npy.read_rows(&self.map, range)
    }
}

impl fmt::Debug for NpyMmap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.npy.debug("NpyMmap", f)
    }
}

/// Where a mapped array lies in its file.
struct Npy {
    header: Header,
    /// Where the data lies in the map.
    data: Range<usize>,
    options: ReadOptions,
}

impl Npy {
    fn new(map: &[u8], options: &ReadOptions) -> Result<Self> {
        let mut rest = map;
        let header = Header::read_with(&mut rest, options)?;
        let start = map.len() - rest.len();
        match usize::try_from(header.data_len()) {
            Ok(len) if len <= rest.len() => Ok(Npy {
                header,
                data: start..start + len,
                options: options.clone(),
            }),
            _ => Err(truncated(rest.len() as u64, header.data_len())),
        }
    }

    fn debug(&self, name: &str, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct(name)
            .field("header", &self.header)
            .finish_non_exhaustive()
    }

    fn bytes<'a>(&self, map: &'a [u8]) -> &'a [u8] {
        &map[self.data.clone()]
    }

    fn read<'a, T: Deserialize<'a>>(&self, map: &'a [u8]) -> Result<T> {
        read_array(self.header.clone(), &mut Slice(self.bytes(map)), &self.options)
    }

    fn read_rows<'a, T: Deserialize<'a>>(&self, map: &'a [u8], range: impl RangeBounds<usize>) -> Result<T> {
        read_rows(&self.header, self.bytes(map), range, &self.options)
    }
}
