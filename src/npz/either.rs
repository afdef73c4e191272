//! An array or an archive, whichever it is: the verbs of `np.load`.

use std::io::{self, BufRead, BufReader, Read, Seek};
use std::path::Path;

use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::error::Result;
use crate::io::checked::Checked;
use crate::io::file::open_sized;
use crate::io::source::Stream;
use crate::npz::reader::NpzReader;
use crate::options::ReadOptions;

/// Loads a `.npy` or a `.npz` as one value, as `np.load` does: the first bytes say which it is, not the suffix.
///
/// ```
/// use serde_npz::Value;
///
/// # let path = std::env::temp_dir().join(format!("serde_npz-doc-load-{}.npy", std::process::id()));
/// serde_npz::save_npy(&path, &[1.0, 2.0])?;
/// match serde_npz::load(&path)? {
///     Value::Array(array) => println!("an array of shape {:?}", array.shape()),
///     other => println!("{other}"),
/// }
/// # std::fs::remove_file(&path).unwrap();
/// # Ok::<(), serde_npz::Error>(())
/// ```
///
/// # Errors
///
/// Those of [`from_npz_reader`](crate::from_npz_reader) for a file that begins as a zip archive, else those of
/// [`from_npy_reader`](crate::from_npy_reader).
pub fn load<T: DeserializeOwned>(path: impl AsRef<Path>) -> Result<T> {
    ReadOptions::new().load(path)
}

/// Reads an array or an archive, whichever begins where the reader is.
///
/// ```
/// use std::collections::BTreeMap;
/// use std::io::Cursor;
///
/// let bytes = serde_npz::to_npz_vec(&BTreeMap::from([("x", 1.5)]))?;
/// let data: BTreeMap<String, f64> = serde_npz::from_reader(Cursor::new(bytes))?;
/// assert_eq!(data["x"], 1.5);
/// # Ok::<(), serde_npz::Error>(())
/// ```
///
/// # Errors
///
/// Those of [`load`].
pub fn from_reader<R: Read + Seek, T: DeserializeOwned>(reader: R) -> Result<T> {
    ReadOptions::new().from_reader(reader)
}

/// Reads an array or an archive from memory, lending texts and bytes where it can.
///
/// ```
/// let bytes = serde_npz::to_npy_vec(&vec![1_u8, 2, 3])?;
/// let values: Vec<u16> = serde_npz::from_slice(&bytes)?;
/// assert_eq!(values, [1, 2, 3]);
/// # Ok::<(), serde_npz::Error>(())
/// ```
///
/// # Errors
///
/// Those of [`load`].
pub fn from_slice<'de, T: Deserialize<'de>>(bytes: &'de [u8]) -> Result<T> {
    ReadOptions::new().from_slice(bytes)
}

impl ReadOptions {
    /// As [`load`](crate::load).
    ///
    /// ```
    /// # let path = std::env::temp_dir().join(format!("serde_npz-doc-options-load-{}.npy", std::process::id()));
    /// serde_npz::save_npy(&path, &1.5)?;
    /// let value: f64 = serde_npz::ReadOptions::new().load(&path)?;
    /// # std::fs::remove_file(&path).unwrap();
    /// # Ok::<(), serde_npz::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// Those of [`load`](crate::load).
    pub fn load<T: DeserializeOwned>(&self, path: impl AsRef<Path>) -> Result<T> {
        let (file, len) = open_sized(path.as_ref())?;
        let mut reader = BufReader::new(file);
        match begins_archive(&mut reader)? {
            true => NpzReader::with_options(reader, self)?.deserialize(),
            false => self.read(&mut Stream::with_known_len(reader, len)),
        }
    }

    /// As [`from_reader`](crate::from_reader).
    ///
    /// ```
    /// let bytes = serde_npz::to_npy_vec(&1.5)?;
    /// let value: f64 = serde_npz::ReadOptions::new().from_reader(std::io::Cursor::new(bytes))?;
    /// # Ok::<(), serde_npz::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// Those of [`load`](crate::load).
    pub fn from_reader<R: Read + Seek, T: DeserializeOwned>(&self, reader: R) -> Result<T> {
        // The buffer of the standard library would panic where a count is greater than what was asked for.
        let mut reader = BufReader::new(Checked(reader));
        match begins_archive(&mut reader)? {
            true => self.from_npz_reader(reader),
            false => self.from_npy_reader(reader),
        }
    }

    /// As [`from_slice`](crate::from_slice).
    ///
    /// ```
    /// let bytes = serde_npz::to_npy_vec(&1.5)?;
    /// let value: f64 = serde_npz::ReadOptions::new().from_slice(&bytes)?;
    /// # Ok::<(), serde_npz::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// Those of [`load`](crate::load).
    pub fn from_slice<'de, T: Deserialize<'de>>(&self, bytes: &'de [u8]) -> Result<T> {
        match is_archive(bytes) {
            true => self.from_npz_slice(bytes),
            false => self.from_npy_slice(bytes),
        }
    }
}

/// Whether an archive begins where the reader is, which stays there.
fn begins_archive(reader: &mut impl BufRead) -> Result<bool> {
    loop {
        match reader.fill_buf() {
            Ok(start) => return Ok(is_archive(start)),
            Err(err) if err.kind() == io::ErrorKind::Interrupted => {}
            Err(err) => return Err(err.into()),
        }
    }
}

/// A zip archive begins with `PK`, an array with `\x93NUMPY`. A reader may have given only one byte so far, and one is
/// enough.
fn is_archive(start: &[u8]) -> bool {
    start.first() == Some(&b'P')
}
