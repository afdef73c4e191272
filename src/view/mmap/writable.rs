//! [`NpyMmapMut`]: a mapped array whose elements can be changed, in place or in memory alone.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::ops::RangeBounds;
use std::path::Path;

use memmap2::MmapMut;
use serde::Deserialize;

use super::{Npy, failed, map};
use crate::error::{Error, ErrorKind, Result};
use crate::format::header::Header;
use crate::io::file;
use crate::options::ReadOptions;
use crate::view::{ArrayView, ArrayViewMut, Element};

/// A `.npy` file mapped to be changed: in place, in memory alone, or made anew.
///
/// | NumPy's `mmap_mode` | here | changes reach the file |
/// |---|---|---|
/// | `'r+'` | [`NpyMmapMut::open_in_place`] | yes |
/// | `'c'` | [`NpyMmapMut::open_copy_on_write`] | no |
/// | `'w+'` of `open_memmap` | [`NpyMmapMut::create`] | yes; an existing file is never touched |
///
/// What [`NpyMmap`](crate::NpyMmap#when-the-file-changes) says of files that others change holds here, too.
///
/// ```
/// use serde_npz::NpyMmapMut;
///
/// # let path = std::env::temp_dir().join(format!("serde_npz-doc-npy-mmap-mut-{}.npy", std::process::id()));
/// let mut map = NpyMmapMut::create::<f64>(&path, &[1000, 3])?;
/// map.array_mut::<f64>()?.row_mut(7)?.as_mut_slice().copy_from_slice(&[1.0, 2.0, 3.0]);
/// map.flush()?;
/// assert_eq!(serde_npz::load_npy::<Vec<[f64; 3]>>(&path)?[7], [1.0, 2.0, 3.0]);
/// # drop(map);
/// # std::fs::remove_file(&path).unwrap();
/// # Ok::<(), serde_npz::Error>(())
/// ```
#[derive(Debug)]
pub struct NpyMmapMut {
    map: MmapMut,
    npy: Npy,
    /// `None` where changes do not reach it.
    file: Option<File>,
}

impl NpyMmapMut {
    /// Maps an existing array to be changed where it lies: NumPy's `'r+'`. The file keeps its length, dtype and shape.
    ///
    /// ```
    /// # let path = std::env::temp_dir().join(format!("serde_npz-doc-npy-mmap-in-place-{}.npy", std::process::id()));
    /// serde_npz::save_npy(&path, &vec![1, 2, 3])?;
    /// let mut map = serde_npz::NpyMmapMut::open_in_place(&path)?;
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
    /// Those of [`NpyMmap::open`](crate::NpyMmap::open).
    pub fn open_in_place(path: impl AsRef<Path>) -> Result<Self> {
        let path = path.as_ref();
        let file = OpenOptions::new()
            .read(true)
            .write(true)
            .open(path)
            .map_err(|err| failed("opening", path, err))?;
        let map = map::in_place(&file, path)?;
        let npy = Npy::new(&map, &ReadOptions::new())?;
        Ok(NpyMmapMut {
            map,
            npy,
            file: Some(file),
        })
    }

    /// Maps an existing array to be changed in memory alone: NumPy's `'c'`. The file has to be readable only.
    ///
    /// ```
    /// # let path = std::env::temp_dir().join(format!("serde_npz-doc-npy-mmap-cow-{}.npy", std::process::id()));
    /// serde_npz::save_npy(&path, &vec![1, 2, 3])?;
    /// let mut map = serde_npz::NpyMmapMut::open_copy_on_write(&path)?;
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
    pub fn open_copy_on_write(path: impl AsRef<Path>) -> Result<Self> {
        let path = path.as_ref();
        let map = map::copy_on_write(&file::open(path)?, path)?;
        let npy = Npy::new(&map, &ReadOptions::new())?;
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
    /// let map = NpyMmapMut::create::<u16>(&path, &[4, 2])?;
    /// assert_eq!(map.array::<u16>()?.as_slice(), [0; 8]);
    /// assert_eq!(NpyMmapMut::create::<u16>(&path, &[4, 2]).unwrap_err().kind(), ErrorKind::Io);
    /// # drop(map);
    /// # std::fs::remove_file(&path).unwrap();
    /// # Ok::<(), serde_npz::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// `Io`, above all where the path exists: remove it first if it may go, or change it with
    /// [`open_in_place`](Self::open_in_place). `LimitExceeded` for 2^63 bytes and more.
    pub fn create<T: Element>(path: impl AsRef<Path>, shape: &[usize]) -> Result<Self> {
        let shape = shape.iter().map(|&axis| axis as u64).collect();
        Self::create_like(path, &Header::new(T::dtype(), shape, false)?)
    }

    /// As [`NpyMmapMut::create`], with the dtype, shape and order of another array: of records, too.
    ///
    /// ```
    /// use serde_npz::{Header, NpyMmapMut};
    ///
    /// # let path = std::env::temp_dir().join(format!("serde_npz-doc-npy-mmap-like-{}.npy", std::process::id()));
    /// let bytes = serde_npz::to_npy_vec(&vec![(1_u32, 0.5); 3])?;
    /// let map = NpyMmapMut::create_like(&path, &Header::read(&mut &bytes[..])?)?;
    /// assert_eq!(map.read::<Vec<(u32, f64)>>()?, [(0, 0.0); 3]);
    /// # drop(map);
    /// # std::fs::remove_file(&path).unwrap();
    /// # Ok::<(), serde_npz::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// Those of [`NpyMmapMut::create`].
    pub fn create_like(path: impl AsRef<Path>, header: &Header) -> Result<Self> {
        let path = path.as_ref();
        let file = OpenOptions::new()
            .read(true)
            .write(true)
            // NumPy empties what is there, which nobody wants twice.
            .create_new(true)
            .open(path)
            .map_err(|err| match err.kind() {
                io::ErrorKind::AlreadyExists => exists(path, err),
                _ => failed("creating", path, err),
            })?;
        fill(file, path, header).inspect_err(|_| {
            // It was made here a moment ago; the first error is the one to tell.
            let _ = fs::remove_file(path);
        })
    }

    /// Dtype, shape and order.
    ///
    /// ```
    /// # let path = std::env::temp_dir().join(format!("serde_npz-doc-npy-mmap-mut-header-{}.npy", std::process::id()));
    /// let map = serde_npz::NpyMmapMut::create::<bool>(&path, &[4, 2])?;
    /// assert_eq!(map.header().shape(), [4, 2]);
    /// # drop(map);
    /// # std::fs::remove_file(&path).unwrap();
    /// # Ok::<(), serde_npz::Error>(())
    /// ```
    pub fn header(&self) -> &Header {
        &self.npy.header
    }

    /// The array as it lies in the map, to be read.
    ///
    /// ```
    /// # let path = std::env::temp_dir().join(format!("serde_npz-doc-npy-mmap-mut-array-{}.npy", std::process::id()));
    /// let map = serde_npz::NpyMmapMut::create::<i64>(&path, &[2])?;
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

    /// The array as it lies in the map, to be changed.
    ///
    /// ```
    /// # let path = std::env::temp_dir().join(format!("serde_npz-doc-npy-mmap-mut-mut-{}.npy", std::process::id()));
    /// let mut map = serde_npz::NpyMmapMut::create::<i64>(&path, &[2])?;
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
    /// let map = serde_npz::NpyMmapMut::create::<i64>(&path, &[2])?;
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
    /// let map = serde_npz::NpyMmapMut::create::<i32>(&path, &[2])?;
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
    /// let map = serde_npz::NpyMmapMut::create::<i32>(&path, &[9, 2])?;
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

    /// Brings all changes onto the disk.
    ///
    /// Without it they get there when the system likes; every other program sees them at once all the same. Of a
    /// copy-on-write map there is nothing to bring.
    ///
    /// ```
    /// # let path = std::env::temp_dir().join(format!("serde_npz-doc-npy-mmap-mut-flush-{}.npy", std::process::id()));
    /// let mut map = serde_npz::NpyMmapMut::create::<u8>(&path, &[3])?;
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

/// Header and zeros into an empty file, which is then mapped.
fn fill(mut file: File, path: &Path, header: &Header) -> Result<NpyMmapMut> {
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
    file.write_all(&bytes)
        .and_then(|()| file.set_len(len))
        .map_err(|err| failed("writing", path, err))?;
    let map = map::in_place(&file, path)?;
    // As long as this process said itself, whatever others may allow in headers.
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
            "found a file at `{}`, expected none: `open_in_place` changes it, and a new one needs another name or this one \
             removed",
            path.to_string_lossy().escape_debug()
        ),
    )
    .with_source(err)
}
