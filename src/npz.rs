//! An archive of arrays: the verbs.

pub(crate) mod de;
pub(crate) mod either;
pub(crate) mod reader;
pub(crate) mod scan;
pub(crate) mod ser;
pub(crate) mod tree;
pub(crate) mod writer;
pub(crate) mod zip;

use std::io::{Read, Seek, Write};
use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::error::Result;
use crate::io::file::with_suffix;
use crate::npy::sink::Memory;
use crate::npz::reader::NpzReader;
use crate::npz::writer::NpzWriter;
use crate::npz::writer::container::Container;
use crate::npz::writer::output::Streaming;
use crate::options::{ReadOptions, WriteOptions};

/// Writes a value as an archive, one member per field, as `np.savez` to an open file.
///
/// ```
/// use std::collections::BTreeMap;
///
/// let mut file = std::io::Cursor::new(Vec::new());
/// serde_npz::to_npz_writer(&mut file, &BTreeMap::from([("x", vec![1.0, 2.0])]))?;
/// assert!(file.into_inner().starts_with(b"PK"));
/// # Ok::<(), serde_npz::Error>(())
/// ```
///
/// # Errors
///
/// `UnsupportedType` for one array at the root and for types without a counterpart, `Ragged`, `MixedTypes`,
/// `InvalidValue`, `InvalidName`, `DuplicateName`, `LimitExceeded`, `Io`.
pub fn to_npz_writer<W: Write + Seek, T: Serialize + ?Sized>(writer: W, value: &T) -> Result<()> {
    WriteOptions::new().to_npz_writer(writer, value)
}

/// Writes a value as an archive to a pipe or a socket, which cannot seek, as `np.savez` does.
///
/// CRC and sizes of a member that is not small follow its data. Readers find them in the directory, as always; only
/// who wants to unpack while it arrives has to be able to do that.
///
/// ```
/// use std::collections::BTreeMap;
/// use std::io::Write;
///
/// fn send(socket: impl Write) -> serde_npz::Result<()> {
///     serde_npz::to_npz_stream(socket, &BTreeMap::from([("x", vec![0.5; 100_000])]))
/// }
/// let mut received = Vec::new();
/// send(&mut received)?;
/// assert_eq!(serde_npz::from_npz_slice::<BTreeMap<String, Vec<f64>>>(&received)?["x"].len(), 100_000);
/// # Ok::<(), serde_npz::Error>(())
/// ```
///
/// # Errors
///
/// Those of [`to_npz_writer`].
pub fn to_npz_stream<W: Write, T: Serialize + ?Sized>(writer: W, value: &T) -> Result<()> {
    WriteOptions::new().to_npz_stream(writer, value)
}

/// Writes a value as an archive in memory.
///
/// ```
/// use std::collections::BTreeMap;
///
/// let data = BTreeMap::from([("x".to_owned(), vec![1.0, 2.0])]);
/// let bytes = serde_npz::to_npz_vec(&data)?;
/// assert_eq!(serde_npz::from_npz_slice::<BTreeMap<String, Vec<f64>>>(&bytes)?, data);
/// # Ok::<(), serde_npz::Error>(())
/// ```
///
/// # Errors
///
/// Those of [`to_npz_writer`].
pub fn to_npz_vec<T: Serialize + ?Sized>(value: &T) -> Result<Vec<u8>> {
    WriteOptions::new().to_npz_vec(value)
}

/// Saves a value as an archive, as `np.savez`: `.npz` is appended where the path lacks it. Returns the path written.
///
/// The file appears whole under its name, or not at all.
///
/// ```
/// # let path = std::env::temp_dir().join(format!("serde_npz-doc-save-npz-{}", std::process::id()));
/// let written = serde_npz::save_npz(&path, &std::collections::BTreeMap::from([("x", vec![1.0, 2.0])]))?;
/// assert_eq!(written, path.with_extension("npz"));
/// # std::fs::remove_file(&written).unwrap();
/// # Ok::<(), serde_npz::Error>(())
/// ```
///
/// # Errors
///
/// Those of [`to_npz_writer`]; the path then holds what it held before.
pub fn save_npz<T: Serialize + ?Sized>(path: impl AsRef<Path>, value: &T) -> Result<PathBuf> {
    WriteOptions::new().save_npz(path, value)
}

/// Reads a whole archive as one value; members it does not ask for are not read.
///
/// ```
/// use std::collections::BTreeMap;
///
/// let bytes = serde_npz::to_npz_vec(&BTreeMap::from([("x", vec![1.0, 2.0])]))?;
/// let data: BTreeMap<String, Vec<f64>> = serde_npz::from_npz_reader(std::io::Cursor::new(bytes))?;
/// assert_eq!(data["x"], [1.0, 2.0]);
/// # Ok::<(), serde_npz::Error>(())
/// ```
///
/// # Errors
///
/// `BadMagic`, `CorruptArchive`, `UnsupportedArchive`, `MissingMember`, `TypeMismatch`, `InvalidValue`, `LimitExceeded`,
/// those of an array ([`from_npy_reader`](crate::from_npy_reader)), `Io`.
pub fn from_npz_reader<R: Read + Seek, T: DeserializeOwned>(reader: R) -> Result<T> {
    ReadOptions::new().from_npz_reader(reader)
}

/// Reads a whole archive from memory, lending texts and bytes of stored members.
///
/// ```
/// use std::collections::BTreeMap;
///
/// let bytes = serde_npz::to_npz_vec(&BTreeMap::from([("x", 1), ("y", 2)]))?;
/// let data: BTreeMap<String, i64> = serde_npz::from_npz_slice(&bytes)?;
/// assert_eq!(data["y"], 2);
/// # Ok::<(), serde_npz::Error>(())
/// ```
///
/// # Errors
///
/// Those of [`from_npz_reader`].
pub fn from_npz_slice<'de, T: Deserialize<'de>>(bytes: &'de [u8]) -> Result<T> {
    ReadOptions::new().from_npz_slice(bytes)
}

/// Loads a whole archive as one value; the content counts, not the suffix.
///
/// ```
/// use std::collections::BTreeMap;
///
/// # let path = std::env::temp_dir().join(format!("serde_npz-doc-load-npz-{}.npz", std::process::id()));
/// serde_npz::save_npz(&path, &BTreeMap::from([("x", vec![1.0, 2.0])]))?;
/// let data: BTreeMap<String, Vec<f64>> = serde_npz::load_npz(&path)?;
/// assert_eq!(data["x"], [1.0, 2.0]);
/// # std::fs::remove_file(&path).unwrap();
/// # Ok::<(), serde_npz::Error>(())
/// ```
///
/// # Errors
///
/// Those of [`from_npz_reader`].
pub fn load_npz<T: DeserializeOwned>(path: impl AsRef<Path>) -> Result<T> {
    ReadOptions::new().load_npz(path)
}

impl WriteOptions {
    /// As [`to_npz_writer`].
    ///
    /// ```
    /// let data = std::collections::BTreeMap::from([("x", 1.5)]);
    /// serde_npz::WriteOptions::new().compressed().to_npz_writer(std::io::Cursor::new(Vec::new()), &data)?;
    /// # Ok::<(), serde_npz::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// Those of [`to_npz_writer`].
    pub fn to_npz_writer<W: Write + Seek, T: Serialize + ?Sized>(&self, writer: W, value: &T) -> Result<()> {
        let mut npz = NpzWriter::with_options(writer, self);
        ser::write_root(&mut npz.container, value)?;
        npz.finish()?;
        Ok(())
    }

    /// As [`to_npz_stream`].
    ///
    /// ```
    /// let data = std::collections::BTreeMap::from([("x", 1.5)]);
    /// serde_npz::WriteOptions::new().compressed().to_npz_stream(Vec::new(), &data)?;
    /// # Ok::<(), serde_npz::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// Those of [`to_npz_writer`].
    pub fn to_npz_stream<W: Write, T: Serialize + ?Sized>(&self, writer: W, value: &T) -> Result<()> {
        let mut container = Container::new(Streaming::new(writer), self);
        ser::write_root(&mut container, value)?;
        Ok(container.finish()?.inner.flush()?)
    }

    /// As [`to_npz_vec`].
    ///
    /// ```
    /// let data = std::collections::BTreeMap::from([("x", 1.5)]);
    /// let bytes = serde_npz::WriteOptions::new().compressed().to_npz_vec(&data)?;
    /// # Ok::<(), serde_npz::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// Those of [`to_npz_writer`].
    pub fn to_npz_vec<T: Serialize + ?Sized>(&self, value: &T) -> Result<Vec<u8>> {
        let mut container = Container::new(Memory::default(), self);
        ser::write_root(&mut container, value)?;
        Ok(container.finish()?.0)
    }

    /// As [`save_npz`].
    ///
    /// ```
    /// # let path = std::env::temp_dir().join(format!("serde_npz-doc-options-save-npz-{}.npz", std::process::id()));
    /// let data = std::collections::BTreeMap::from([("x", 1.5)]);
    /// serde_npz::WriteOptions::new().compressed().save_npz(&path, &data)?;
    /// # std::fs::remove_file(&path).unwrap();
    /// # Ok::<(), serde_npz::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// Those of [`save_npz`].
    pub fn save_npz<T: Serialize + ?Sized>(&self, path: impl AsRef<Path>, value: &T) -> Result<PathBuf> {
        let path = with_suffix(path.as_ref(), ".npz")?;
        let mut npz = NpzWriter::create_with(&path, self)?;
        ser::write_root(&mut npz.container, value)?;
        npz.finish()?;
        Ok(path)
    }
}

impl ReadOptions {
    /// As [`from_npz_reader`].
    ///
    /// ```
    /// use std::collections::BTreeMap;
    ///
    /// let bytes = serde_npz::to_npz_vec(&BTreeMap::from([("x", 1.5)]))?;
    /// let data: BTreeMap<String, f64> = serde_npz::ReadOptions::new().from_npz_reader(std::io::Cursor::new(bytes))?;
    /// # Ok::<(), serde_npz::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// Those of [`from_npz_reader`].
    pub fn from_npz_reader<R: Read + Seek, T: DeserializeOwned>(&self, reader: R) -> Result<T> {
        NpzReader::with_options(reader, self)?.deserialize()
    }

    /// As [`from_npz_slice`].
    ///
    /// ```
    /// use std::collections::BTreeMap;
    ///
    /// let bytes = serde_npz::to_npz_vec(&BTreeMap::from([("x", 1.5)]))?;
    /// let data: BTreeMap<String, f64> = serde_npz::ReadOptions::new().from_npz_slice(&bytes)?;
    /// # Ok::<(), serde_npz::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// Those of [`from_npz_reader`].
    pub fn from_npz_slice<'de, T: Deserialize<'de>>(&self, bytes: &'de [u8]) -> Result<T> {
        de::read_slice(bytes, self)
    }

    /// As [`load_npz`].
    ///
    /// ```
    /// use std::collections::BTreeMap;
    ///
    /// # let path = std::env::temp_dir().join(format!("serde_npz-doc-options-load-npz-{}.npz", std::process::id()));
    /// serde_npz::save_npz(&path, &BTreeMap::from([("x", 1.5)]))?;
    /// let data: BTreeMap<String, f64> = serde_npz::ReadOptions::new().load_npz(&path)?;
    /// # std::fs::remove_file(&path).unwrap();
    /// # Ok::<(), serde_npz::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// Those of [`from_npz_reader`].
    pub fn load_npz<T: DeserializeOwned>(&self, path: impl AsRef<Path>) -> Result<T> {
        NpzReader::open_with(path.as_ref(), self)?.deserialize()
    }
}
