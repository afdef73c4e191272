//! One array: the verbs.

pub(crate) mod de;
mod file;
pub(crate) mod layout;
pub(crate) mod marker;
pub(crate) mod raw;
pub(crate) mod rows;
pub(crate) mod ser;
pub(crate) mod sink;
mod transcode;
#[allow(unsafe_code)]
pub(crate) mod whole;

use std::io::{BufReader, Read, Write};
use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use self::de::read_array;
use self::file::FileSink;
use self::ser::write::write_array;
use self::sink::{Memory, Metered, Plain};
use crate::error::Result;
use crate::format::header::Header;
use crate::io::file::{AtomicFile, open_sized, with_suffix};
use crate::io::source;
use crate::io::source::{Slice, Source, Stream};
use crate::options::progress::Meter;
use crate::options::{ReadOptions, WriteOptions};

/// Writes a value as one array, as `np.save` to an open file.
///
/// Where this is an error, the writer may have got part of an array; [`save_npy`] leaves nothing behind.
///
/// ```
/// let mut file = Vec::new();
/// serde_npz::to_npy_writer(&mut file, &vec![1.0, 2.0, 3.0])?;
/// assert!(file.starts_with(b"\x93NUMPY"));
/// # Ok::<(), serde_npz::Error>(())
/// ```
///
/// # Errors
///
/// `UnsupportedType` for a value of several arrays, `Ragged`, `MixedTypes`, `InvalidValue`, `Io`.
pub fn to_npy_writer<W: Write, T: Serialize + ?Sized>(writer: W, value: &T) -> Result<()> {
    WriteOptions::new().to_npy_writer(writer, value)
}

/// Writes a value as one array in memory.
///
/// ```
/// let bytes = serde_npz::to_npy_vec(&vec![[1, 2], [3, 4]])?;
/// assert_eq!(serde_npz::from_npy_slice::<Vec<[i32; 2]>>(&bytes)?, [[1, 2], [3, 4]]);
/// # Ok::<(), serde_npz::Error>(())
/// ```
///
/// # Errors
///
/// Those of [`to_npy_writer`].
pub fn to_npy_vec<T: Serialize + ?Sized>(value: &T) -> Result<Vec<u8>> {
    WriteOptions::new().to_npy_vec(value)
}

/// Saves a value as one array, as `np.save`: `.npy` is appended where the path lacks it. Returns the path written.
///
/// The file appears whole under its name, or not at all.
///
/// ```
/// # let path = std::env::temp_dir().join(format!("serde_npz-doc-save-npy-{}", std::process::id()));
/// let written = serde_npz::save_npy(&path, &vec![1.0, 2.0, 3.0])?;
/// assert_eq!(written, path.with_extension("npy"));
/// # std::fs::remove_file(&written).unwrap();
/// # Ok::<(), serde_npz::Error>(())
/// ```
///
/// # Errors
///
/// Those of [`to_npy_writer`]; the path then holds what it held before.
pub fn save_npy<T: Serialize + ?Sized>(path: impl AsRef<Path>, value: &T) -> Result<PathBuf> {
    WriteOptions::new().save_npy(path, value)
}

/// Reads one array; the reader then stands right behind it, where the next one may follow.
///
/// ```
/// let mut file = serde_npz::to_npy_vec(&vec![1.0, 2.0])?;
/// file.extend(serde_npz::to_npy_vec(&"next")?);
/// let mut rest = &file[..];
/// let first: Vec<f64> = serde_npz::from_npy_reader(&mut rest)?;
/// let second: String = serde_npz::from_npy_reader(&mut rest)?;
/// assert_eq!((first, second.as_str()), (vec![1.0, 2.0], "next"));
/// # Ok::<(), serde_npz::Error>(())
/// ```
///
/// # Errors
///
/// `BadMagic`, `BadHeader`, `UnsupportedVersion`, `UnsupportedDtype`, `Pickle`, `Truncated`, `LimitExceeded`,
/// `TypeMismatch`, `InvalidValue`, `Io`.
pub fn from_npy_reader<R: Read, T: DeserializeOwned>(reader: R) -> Result<T> {
    ReadOptions::new().from_npy_reader(reader)
}

/// Reads one array from memory, lending texts and bytes where it can.
///
/// ```
/// let bytes = serde_npz::to_npy_vec(&vec![1_u8, 2, 3])?;
/// let values: Vec<u16> = serde_npz::from_npy_slice(&bytes)?;
/// assert_eq!(values, [1, 2, 3]);
/// # Ok::<(), serde_npz::Error>(())
/// ```
///
/// # Errors
///
/// Those of [`from_npy_reader`].
pub fn from_npy_slice<'de, T: Deserialize<'de>>(bytes: &'de [u8]) -> Result<T> {
    ReadOptions::new().from_npy_slice(bytes)
}

/// Loads one array, as `np.load` of a `.npy`; the content counts, not the suffix.
///
/// ```
/// # let path = std::env::temp_dir().join(format!("serde_npz-doc-load-npy-{}.npy", std::process::id()));
/// serde_npz::save_npy(&path, &vec![1.0, 2.0])?;
/// let values: Vec<f64> = serde_npz::load_npy(&path)?;
/// assert_eq!(values, [1.0, 2.0]);
/// # std::fs::remove_file(&path).unwrap();
/// # Ok::<(), serde_npz::Error>(())
/// ```
///
/// # Errors
///
/// Those of [`from_npy_reader`].
pub fn load_npy<T: DeserializeOwned>(path: impl AsRef<Path>) -> Result<T> {
    ReadOptions::new().load_npy(path)
}

impl WriteOptions {
    /// As [`to_npy_writer`].
    ///
    /// ```
    /// serde_npz::WriteOptions::new().to_npy_writer(Vec::new(), &1.5)?;
    /// # Ok::<(), serde_npz::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// Those of [`to_npy_writer`].
    pub fn to_npy_writer<W: Write, T: Serialize + ?Sized>(&self, writer: W, value: &T) -> Result<()> {
        let mut sink = Metered::new(Plain(writer), self);
        write_array(value, &mut sink)?;
        Ok(sink.end()?.0.flush()?)
    }

    /// As [`to_npy_vec`].
    ///
    /// ```
    /// let bytes = serde_npz::WriteOptions::new().to_npy_vec(&1.5)?;
    /// # Ok::<(), serde_npz::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// Those of [`to_npy_writer`].
    pub fn to_npy_vec<T: Serialize + ?Sized>(&self, value: &T) -> Result<Vec<u8>> {
        let mut sink = Metered::new(Memory::default(), self);
        write_array(value, &mut sink)?;
        Ok(sink.end()?.0)
    }

    /// As [`save_npy`].
    ///
    /// ```
    /// # let path = std::env::temp_dir().join(format!("serde_npz-doc-options-save-npy-{}.npy", std::process::id()));
    /// serde_npz::WriteOptions::new().durable(true).save_npy(&path, &vec![1.5])?;
    /// # std::fs::remove_file(&path).unwrap();
    /// # Ok::<(), serde_npz::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// Those of [`save_npy`].
    pub fn save_npy<T: Serialize + ?Sized>(&self, path: impl AsRef<Path>, value: &T) -> Result<PathBuf> {
        let path = with_suffix(path.as_ref(), ".npy")?;
        let (target, handle) = AtomicFile::create(&path, self.durable)?;
        let mut sink = Metered::new(FileSink::new(target, handle), self);
        write_array(value, &mut sink)?;
        sink.end()?.commit()?;
        Ok(path)
    }
}

impl ReadOptions {
    /// As [`from_npy_reader`].
    ///
    /// ```
    /// let bytes = serde_npz::to_npy_vec(&1.5)?;
    /// let value: f64 = serde_npz::ReadOptions::new().from_npy_reader(&bytes[..])?;
    /// # Ok::<(), serde_npz::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// Those of [`from_npy_reader`].
    pub fn from_npy_reader<R: Read, T: DeserializeOwned>(&self, reader: R) -> Result<T> {
        self.read(&mut Stream::new(reader))
    }

    /// As [`from_npy_slice`].
    ///
    /// ```
    /// let bytes = serde_npz::to_npy_vec(&1.5)?;
    /// let value: f64 = serde_npz::ReadOptions::new().from_npy_slice(&bytes)?;
    /// # Ok::<(), serde_npz::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// Those of [`from_npy_reader`].
    pub fn from_npy_slice<'de, T: Deserialize<'de>>(&self, bytes: &'de [u8]) -> Result<T> {
        self.read(&mut Slice(bytes))
    }

    /// As [`load_npy`].
    ///
    /// ```
    /// # let path = std::env::temp_dir().join(format!("serde_npz-doc-options-load-npy-{}.npy", std::process::id()));
    /// serde_npz::save_npy(&path, &1.5)?;
    /// let value: f64 = serde_npz::ReadOptions::new().load_npy(&path)?;
    /// # std::fs::remove_file(&path).unwrap();
    /// # Ok::<(), serde_npz::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// Those of [`from_npy_reader`].
    pub fn load_npy<T: DeserializeOwned>(&self, path: impl AsRef<Path>) -> Result<T> {
        let (file, len) = open_sized(path.as_ref())?;
        self.read(&mut Stream::with_known_len(BufReader::new(file), len))
    }

    pub(crate) fn read<'de, T: Deserialize<'de>>(&self, source: &mut dyn Source<'de>) -> Result<T> {
        if !self.progress.is_set() {
            let header = Header::read_with(&mut &mut *source, self)?;
            return read_array(header, source, self);
        }
        let mut meter = Meter::new(&self.progress, None);
        let mut source = source::Metered::new(source, &mut meter);
        let header = Header::read_with(&mut source, self)?;
        source.announce(header.data_len());
        let value = read_array(header, &mut source, self)?;
        meter.end()?;
        Ok(value)
    }
}
