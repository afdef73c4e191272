//! One member per element of any kind: `x/0`, `x/1`.
//!
//! ```text
//! x: vec![vec![1.0, 2.0], vec![3.0]]    x/0 <f8 (2,)
//!                                       x/1 <f8 (1,)
//! ```
//!
//! For rows of unequal lengths, elements of unequal kinds, and arrays that shall keep their own names.
//! Only the outermost sequence is taken apart, in each entry of a map. Past 100,000 elements (`max_members` of
//! [`WriteOptions`](crate::WriteOptions)) it is an error: [`with::ragged`](crate::with::ragged) makes two
//! members of any number of rows. Other formats get the sequence as it is. An empty one does not come back through
//! serde's buffer (`flatten`, untagged and internally tagged enums).
//!
//! ```
//! use serde::{Deserialize, Serialize};
//!
//! #[derive(Serialize, Deserialize)]
//! struct Tracks {
//!     #[serde(with = "serde_npz::with::list")]
//!     track: Vec<Vec<f64>>,
//! }
//!
//! let bytes = serde_npz::to_npz_vec(&Tracks { track: vec![vec![1.0, 2.0], vec![3.0]] })?;
//! let archive = serde_npz::NpzReader::new(std::io::Cursor::new(&bytes[..]))?;
//! assert_eq!(archive.names().collect::<Vec<_>>(), ["track/0", "track/1"]);
//! assert_eq!(serde_npz::from_npz_slice::<Tracks>(&bytes)?.track, [vec![1.0, 2.0], vec![3.0]]);
//! # Ok::<(), serde_npz::Error>(())
//! ```

use serde::de::{Deserialize, Deserializer};
use serde::ser::{Serialize, Serializer};

use super::codec::unmark;
use crate::npy::marker::LIST;

/// Writes one member per element.
///
/// ```
/// #[derive(serde::Serialize, serde::Deserialize)]
/// struct Data {
///     #[serde(with = "serde_npz::with::list")]
///     x: Vec<Vec<u8>>,
/// }
///
/// let data = Data { x: vec![vec![1, 2], vec![3]] };
/// assert_eq!(serde_npz::to_npz_vec(&data)?.first_chunk(), Some(b"PK"));
/// assert_eq!(serde_json::to_string(&data)?, r#"{"x":[[1,2],[3]]}"#);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
///
/// Those of the serializer; `UnsupportedType` for what is no sequence, `LimitExceeded` past `max_members`.
pub fn serialize<T: Serialize + ?Sized, S: Serializer>(value: &T, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_newtype_struct(LIST, value)
}

/// Reads the members `0`, `1`, .. of a group.
///
/// ```
/// #[derive(serde::Serialize, serde::Deserialize)]
/// struct Data {
///     #[serde(with = "serde_npz::with::list")]
///     x: Vec<Vec<u8>>,
/// }
///
/// let data: Data = serde_json::from_str(r#"{"x":[[1,2],[3]]}"#)?;
/// assert_eq!(data.x, vec![vec![1, 2], vec![3]]);
/// # Ok::<(), serde_json::Error>(())
/// ```
///
/// # Errors
///
/// Those of the deserializer; `MissingMember` where an index is missing.
pub fn deserialize<'de, T: Deserialize<'de>, D: Deserializer<'de>>(deserializer: D) -> Result<T, D::Error> {
    unmark(LIST, deserializer)
}
