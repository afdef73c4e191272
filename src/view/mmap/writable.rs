//! [`NpyMmapMut`]: a mapped array whose elements can be changed, in place or only in memory.

use std::fmt;
use std::fs;
use std::io::{self, Write};
use std::ops::RangeBounds;
use std::path::Path;

use memmap2::MmapMut;
use serde::Deserialize;

use super::{Npy, map};
use crate::error::{Error, ErrorKind, Result};
use crate::format::header::Header;
use crate::io::file::{self, Locked, failed};
use crate::options::ReadOptions;
use crate::view::{ArrayView, ArrayViewMut, Element};

/// A `.npy` file mapped to be changed: in place, only in memory, or newly created.
///
/// | NumPy's `mmap_mode` | here | changes reach the file |
/// |---|---|---|
/// | `'r+'` | [`NpyMmapMut::open_in_place`] | yes |
/// | `'c'` | [`NpyMmapMut::open_copy_on_write`] | no |
/// | `'w+'` of `open_memmap` | [`NpyMmapMut::create`] | yes; an existing file is never touched |
///
/// Mapping is `unsafe`: see [Safety](crate::NpyMmap#safety). A file that is changed in place is locked as long as the map
/// lives: a second `open_in_place` is refused, and so is a writer that appends to it.
///
/// ```
/// use serde_npz::NpyMmapMut;
///
/// # let path = std::env::temp_dir().join(format!("serde_npz-doc-npy-mmap-mut-{}.npy", std::process::id()));
/// // SAFETY: nothing else writes to the file.
/// let mut map = unsafe { NpyMmapMut::create::<f64>(&path, &[1000, 3])? };
/// map.array_mut::<f64>()?.row_mut(7)?.as_mut_slice().copy_from_slice(&[1.0, 2.0, 3.0]);
/// map.flush()?;
/// assert_eq!(serde_npz::load_npy::<Vec<[f64; 3]>>(&path)?[7], [1.0, 2.0, 3.0]);
/// # drop(map);
/// # std::fs::remove_file(&path).unwrap();
/// # Ok::<(), serde_npz::Error>(())
/// ```
pub struct NpyMmapMut {
    map: MmapMut,
    npy: Npy,
    /// Locked as long as the map lives; `None` where changes do not reach it.
    file: Option<Locked>,
}

impl NpyMmapMut {
    /// Maps an existing array to be changed where it lies: NumPy's `'r+'`. The file keeps its length, dtype and shape.
    ///
    /// ```
    /// # let path = std::env::temp_dir().join(format!("serde_npz-doc-npy-mmap-in-place-{}.npy", std::process::id()));
    /// serde_npz::save_npy(&path, &vec![1, 2, 3])?;
    /// // SAFETY: nothing else writes to the file.
    /// let mut map = unsafe { serde_npz::NpyMmapMut::open_in_place(&path)? };
    /// map.array_mut::<i32>()?.as_mut_slice()[0] = 10;
    /// map.flush()?;
    /// assert_eq!(serde_npz::load_npy::<Vec<i32>>(&path)?, [10, 2, 3]);
    /// # drop(map);
    /// # std::fs::remove_file(&path).unwrap();
    /// # Ok::<(), serde_npz::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// Those of [`NpyMmap::open`](crate::NpyMmap::open), and `Io` for a file that another such map or a writer has locked.
    ///
    /// # Safety
    ///
    /// While the map lives, the file may be changed only through this map, must not be cut off, and must be in no other
    /// map: see [Safety](crate::NpyMmap#safety).
    pub unsafe fn open_in_place(path: impl AsRef<Path>) -> Result<Self> {
        // SAFETY: the caller gives the same promise.
        unsafe { Self::open_in_place_with(path, &ReadOptions::new()) }
    }

    /// As [`NpyMmapMut::open_in_place`], with the greatest header and the casting of `options`.
    ///
    /// ```
    /// use serde_npz::{Casting, NpyMmapMut, ReadOptions};
    ///
    /// # let path = std::env::temp_dir().join(format!("serde_npz-doc-npy-mmap-in-place-with-{}.npy", std::process::id()));
    /// serde_npz::save_npy(&path, &vec![0.1, 0.5])?;
    /// // SAFETY: nothing else writes to the file.
    /// let map = unsafe { NpyMmapMut::open_in_place_with(&path, &ReadOptions::new().casting(Casting::SameKind))? };
    /// assert_eq!(map.read::<Vec<f32>>()?, [0.1, 0.5]);
    /// # drop(map);
    /// # std::fs::remove_file(&path).unwrap();
    /// # Ok::<(), serde_npz::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// Those of [`NpyMmapMut::open_in_place`].
    ///
    /// # Safety
    ///
    /// While the map lives, the file may be changed only through this map, must not be cut off, and must be in no other
    /// map: see [Safety](crate::NpyMmap#safety).
    pub unsafe fn open_in_place_with(path: impl AsRef<Path>, options: &ReadOptions) -> Result<Self> {
        let path = path.as_ref();
        let file = file::open_to_change(path)?;
        // SAFETY: the caller promises that the file is changed only through this map.
        let map = unsafe { map::in_place(&file, path)? };
        let npy = Npy::new(&map, options)?;
        Ok(NpyMmapMut {
            map,
            npy,
            file: Some(file),
        })
    }

    /// Maps an existing array to be changed only in memory: NumPy's `'c'`. The file need not be writable.
    ///
    /// ```
    /// # let path = std::env::temp_dir().join(format!("serde_npz-doc-npy-mmap-cow-{}.npy", std::process::id()));
    /// serde_npz::save_npy(&path, &vec![1, 2, 3])?;
    /// // SAFETY: nothing else writes to the file.
    /// let mut map = unsafe { serde_npz::NpyMmapMut::open_copy_on_write(&path)? };
    /// map.array_mut::<i32>()?.as_mut_slice()[0] = 10;
    /// assert_eq!(map.array::<i32>()?.as_slice(), [10, 2, 3]);
    /// assert_eq!(serde_npz::load_npy::<Vec<i32>>(&path)?, [1, 2, 3]);
    /// # drop(map);
    /// # std::fs::remove_file(&path).unwrap();
    /// # Ok::<(), serde_npz::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// Those of [`NpyMmap::open`](crate::NpyMmap::open).
    ///
    /// # Safety
    ///
    /// While the map lives, nobody may change the file or cut it off: see [Safety](crate::NpyMmap#safety).
    pub unsafe fn open_copy_on_write(path: impl AsRef<Path>) -> Result<Self> {
        // SAFETY: the caller gives the same promise.
        unsafe { Self::open_copy_on_write_with(path, &ReadOptions::new()) }
    }

    /// As [`NpyMmapMut::open_copy_on_write`], with the greatest header and the casting of `options`.
    ///
    /// ```
    /// use serde_npz::{Casting, NpyMmapMut, ReadOptions};
    ///
    /// # let path = std::env::temp_dir().join(format!("serde_npz-doc-npy-mmap-cow-with-{}.npy", std::process::id()));
    /// serde_npz::save_npy(&path, &vec![0.1, 0.5])?;
    /// // SAFETY: nothing else writes to the file.
    /// let map = unsafe { NpyMmapMut::open_copy_on_write_with(&path, &ReadOptions::new().casting(Casting::SameKind))? };
    /// assert_eq!(map.read::<Vec<f32>>()?, [0.1, 0.5]);
    /// # drop(map);
    /// # std::fs::remove_file(&path).unwrap();
    /// # Ok::<(), serde_npz::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// Those of [`NpyMmap::open`](crate::NpyMmap::open).
    ///
    /// # Safety
    ///
    /// While the map lives, nobody may change the file or cut it off: see [Safety](crate::NpyMmap#safety).
    pub unsafe fn open_copy_on_write_with(path: impl AsRef<Path>, options: &ReadOptions) -> Result<Self> {
        let path = path.as_ref();
        // SAFETY: the caller promises that nobody changes the file while the map lives.
        let map = unsafe { map::copy_on_write(&file::open(path)?, path)? };
        let npy = Npy::new(&map, options)?;
        Ok(NpyMmapMut { map, npy, file: None })
    }

    /// Makes a new file of zeros in C order and maps it: `'w+'` of NumPy's `open_memmap`.
    ///
    /// The file appears at once and takes space on the disk as it is filled. On a full disk a store into the map ends the
    /// process (`SIGBUS` on Unix), as it does NumPy.
    ///
    /// ```
    /// use serde_npz::{ErrorKind, NpyMmapMut};
    ///
    /// # let path = std::env::temp_dir().join(format!("serde_npz-doc-npy-mmap-create-{}.npy", std::process::id()));
    /// // SAFETY: nothing else writes to the file.
    /// let map = unsafe { NpyMmapMut::create::<u16>(&path, &[4, 2])? };
    /// assert_eq!(map.array::<u16>()?.as_slice(), [0; 8]);
    /// // SAFETY: nothing else writes to the file.
    /// assert_eq!(unsafe { NpyMmapMut::create::<u16>(&path, &[4, 2]) }.unwrap_err().kind(), ErrorKind::Io);
    /// # drop(map);
    /// # std::fs::remove_file(&path).unwrap();
    /// # Ok::<(), serde_npz::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// `Io`, above all where the path exists: remove it first if it may go, or change it with
    /// [`open_in_place`](Self::open_in_place). `LimitExceeded` for 2^63 bytes and more.
    ///
    /// # Safety
    ///
    /// While the map lives, the file may be changed only through this map, must not be cut off, and must be in no other
    /// map: see [Safety](crate::NpyMmap#safety).
    pub unsafe fn create<T: Element>(path: impl AsRef<Path>, shape: &[usize]) -> Result<Self> {
        let shape = shape.iter().map(|&axis| axis as u64).collect();
        // SAFETY: the caller gives the same promise.
        unsafe { Self::create_like(path, &Header::new(T::dtype(), shape, false)?) }
    }

    /// As [`NpyMmapMut::create`], with the dtype, shape and order of another array: of records, too.
    ///
    /// ```
    /// use serde_npz::{Header, NpyMmapMut};
    ///
    /// # let path = std::env::temp_dir().join(format!("serde_npz-doc-npy-mmap-like-{}.npy", std::process::id()));
    /// let bytes = serde_npz::to_npy_vec(&vec![(1_u32, 0.5); 3])?;
    /// // SAFETY: nothing else writes to the file.
    /// let map = unsafe { NpyMmapMut::create_like(&path, &Header::read(&mut &bytes[..])?)? };
    /// assert_eq!(map.read::<Vec<(u32, f64)>>()?, [(0, 0.0); 3]);
    /// # drop(map);
    /// # std::fs::remove_file(&path).unwrap();
    /// # Ok::<(), serde_npz::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// Those of [`NpyMmapMut::create`].
    ///
    /// # Safety
    ///
    /// While the map lives, the file may be changed only through this map, must not be cut off, and must be in no other
    /// map: see [Safety](crate::NpyMmap#safety).
    pub unsafe fn create_like(path: impl AsRef<Path>, header: &Header) -> Result<Self> {
        let path = path.as_ref();
        // NumPy would empty a file that is there.
        let file = file::create_to_change(path).map_err(|err| match err.kind() {
            io::ErrorKind::AlreadyExists => exists(path, err),
            _ => failed("creating", path, err),
        })?;
        // SAFETY: the caller promises that the file is changed only through this map.
        unsafe { fill(file, path, header) }.inspect_err(|_| {
            // The file was made here a moment ago. The error to report is the first one.
            let _ = fs::remove_file(path);
        })
    }

    /// Dtype, shape and order.
    ///
    /// ```
    /// # let path = std::env::temp_dir().join(format!("serde_npz-doc-npy-mmap-mut-header-{}.npy", std::process::id()));
    /// // SAFETY: nothing else writes to the file.
    /// let map = unsafe { serde_npz::NpyMmapMut::create::<bool>(&path, &[4, 2])? };
    /// assert_eq!(map.header().shape(), [4, 2]);
    /// # drop(map);
    /// # std::fs::remove_file(&path).unwrap();
    /// # Ok::<(), serde_npz::Error>(())
    /// ```
    pub fn header(&self) -> &Header {
        &self.npy.header
    }

    /// The array, lent to be read.
    ///
    /// ```
    /// # let path = std::env::temp_dir().join(format!("serde_npz-doc-npy-mmap-mut-array-{}.npy", std::process::id()));
    /// // SAFETY: nothing else writes to the file.
    /// let map = unsafe { serde_npz::NpyMmapMut::create::<i64>(&path, &[2])? };
    /// assert_eq!(map.array::<i64>()?.as_slice(), [0, 0]);
    /// # drop(map);
    /// # std::fs::remove_file(&path).unwrap();
    /// # Ok::<(), serde_npz::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// Those of [`NpyMmap::array`](crate::NpyMmap::array).
    pub fn array<T: Element>(&self) -> Result<ArrayView<'_, T>> {
        ArrayView::lend(&self.npy.header, self.bytes())
    }

    /// The array, lent to be changed.
    ///
    /// ```
    /// # let path = std::env::temp_dir().join(format!("serde_npz-doc-npy-mmap-mut-mut-{}.npy", std::process::id()));
    /// // SAFETY: nothing else writes to the file.
    /// let mut map = unsafe { serde_npz::NpyMmapMut::create::<i64>(&path, &[2])? };
    /// map.array_mut::<i64>()?.as_mut_slice()[1] = 5;
    /// assert_eq!(map.array::<i64>()?.as_slice(), [0, 5]);
    /// # drop(map);
    /// # std::fs::remove_file(&path).unwrap();
    /// # Ok::<(), serde_npz::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// Those of [`NpyMmap::array`](crate::NpyMmap::array).
    pub fn array_mut<T: Element>(&mut self) -> Result<ArrayViewMut<'_, T>> {
        ArrayViewMut::lend(&self.npy.header, &mut self.map[self.npy.data.clone()])
    }

    /// The data as bytes, whatever the dtype.
    ///
    /// ```
    /// # let path = std::env::temp_dir().join(format!("serde_npz-doc-npy-mmap-mut-bytes-{}.npy", std::process::id()));
    /// // SAFETY: nothing else writes to the file.
    /// let map = unsafe { serde_npz::NpyMmapMut::create::<i64>(&path, &[2])? };
    /// assert_eq!(map.bytes(), [0; 16]);
    /// # drop(map);
    /// # std::fs::remove_file(&path).unwrap();
    /// # Ok::<(), serde_npz::Error>(())
    /// ```
    pub fn bytes(&self) -> &[u8] {
        self.npy.bytes(&self.map)
    }

    /// The whole array as any type, copied and converted as [`from_npy_slice`](crate::from_npy_slice) does.
    ///
    /// ```
    /// # let path = std::env::temp_dir().join(format!("serde_npz-doc-npy-mmap-mut-read-{}.npy", std::process::id()));
    /// // SAFETY: nothing else writes to the file.
    /// let map = unsafe { serde_npz::NpyMmapMut::create::<i32>(&path, &[2])? };
    /// assert_eq!(map.read::<Vec<f64>>()?, [0.0, 0.0]);
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

    /// A part of the first axis as any type; nothing else is touched.
    ///
    /// ```
    /// # let path = std::env::temp_dir().join(format!("serde_npz-doc-npy-mmap-mut-rows-{}.npy", std::process::id()));
    /// // SAFETY: nothing else writes to the file.
    /// let map = unsafe { serde_npz::NpyMmapMut::create::<i32>(&path, &[9, 2])? };
    /// assert_eq!(map.read_rows::<Vec<[i32; 2]>>(7..)?, [[0, 0], [0, 0]]);
    /// # drop(map);
    /// # std::fs::remove_file(&path).unwrap();
    /// # Ok::<(), serde_npz::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// Those of [`read`](NpyMmapMut::read) and of [`ArrayView::slice`].
    pub fn read_rows<'a, T: Deserialize<'a>>(&'a self, range: impl RangeBounds<usize>) -> Result<T> {
        self.npy.read_rows(&self.map, range)
    }

    /// Writes all changes to the disk.
    ///
    /// Without this call the system writes them at a time of its own choice; other programs see them at once in any case.
    /// For a copy-on-write map this does nothing.
    ///
    /// ```
    /// # let path = std::env::temp_dir().join(format!("serde_npz-doc-npy-mmap-mut-flush-{}.npy", std::process::id()));
    /// // SAFETY: nothing else writes to the file.
    /// let mut map = unsafe { serde_npz::NpyMmapMut::create::<u8>(&path, &[3])? };
    /// map.array_mut::<u8>()?.as_mut_slice().fill(1);
    /// map.flush()?;
    /// # drop(map);
    /// # std::fs::remove_file(&path).unwrap();
    /// # Ok::<(), serde_npz::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// `Io`.
    pub fn flush(&self) -> Result<()> {
        let Some(file) = &self.file else { return Ok(()) };
        self.map.flush()?;
        // The length of a new file is not part of its pages.
        Ok(file.sync_all()?)
    }
}

impl fmt::Debug for NpyMmapMut {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.npy.debug("NpyMmapMut", f)
    }
}

/// Writes header and zeros into an empty file, and maps it.
///
/// # Safety
///
/// That of [`map::in_place`].
unsafe fn fill(file: Locked, path: &Path, header: &Header) -> Result<NpyMmapMut> {
    let bytes = header.to_bytes();
    let len = header.data_len().checked_add(bytes.len() as u64);
    let Some(len) = len.filter(|&len| len <= i64::MAX as u64) else {
        return Err(Error::new(
            ErrorKind::LimitExceeded,
            format_args!(
                "found {} bytes of data, expected a file of less than 2^63",
                header.data_len()
            ),
        ));
    };
    (&*file)
        .write_all(&bytes)
        .and_then(|()| file.set_len(len))
        .map_err(|err| failed("writing", path, err))?;
    // SAFETY: the caller gives the same promise.
    let map = unsafe { map::in_place(&file, path)? };
    // This process wrote the header itself: no limit is needed.
    let npy = Npy::new(&map, &ReadOptions::new().max_header_size(usize::MAX))?;
    Ok(NpyMmapMut {
        map,
        npy,
        file: Some(file),
    })
}

#[cold]
fn exists(path: &Path, err: io::Error) -> Error {
    Error::new(
        ErrorKind::Io,
        format_args!(
            "found a file at `{}`, expected none",
            path.to_string_lossy().escape_debug()
        ),
    )
    .with_hint("`open_in_place` changes it, and a new one needs another name or this one removed")
    .with_source(err)
}
