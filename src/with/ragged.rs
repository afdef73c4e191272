//! Rows of unequal lengths, and strings of very unequal lengths, in two members.
//!
//! ```text
//! x: vec![vec![1.0, 2.0], vec![], vec![3.0]]    x/values  <f8 (3,)   [1.0, 2.0, 3.0]
//!                                               x/offsets <i8 (4,)   [0, 2, 2, 3]
//! x: vec!["ab", "", "é"]                        x/values  |u1 (4,)   the UTF-8 bytes
//!                                               x/offsets <i8 (4,)   [0, 2, 2, 4]
//! ```
//!
//! Row `i` is `values[offsets[i]:offsets[i + 1]]`; there is one offset more than there are rows. The
//! elements of the rows are scalars or records of one kind. In a map each entry has this form, and what is a sequence of such
//! rows is a list of them. NumPy has the rows back with
//! `np.split(z['x/values'], z['x/offsets'][1:-1])`. Offsets that run backwards, start elsewhere than at 0 or
//! end elsewhere than at the end are refused on reading. Other formats get the rows as they are. They do not come back
//! through serde's buffer (`flatten`, untagged and internally tagged enums).
//!
//! ```
//! use serde::{Deserialize, Serialize};
//!
//! #[derive(Serialize, Deserialize)]
//! struct Corpus {
//!     #[serde(with = "serde_npz::with::ragged")]
//!     tokens: Vec<Vec<u32>>,
//!     #[serde(with = "serde_npz::with::ragged")]
//!     text: Vec<String>,
//! }
//!
//! let corpus = Corpus { tokens: vec![vec![7, 8], vec![], vec![9]], text: vec!["ab".into(), "é".into()] };
//! let bytes = serde_npz::to_npz_vec(&corpus)?;
//! let mut archive = serde_npz::NpzReader::new(std::io::Cursor::new(&bytes[..]))?;
//! assert_eq!(archive.get::<Vec<i64>>("tokens/offsets")?, [0, 2, 2, 3]);
//! assert_eq!(archive.get::<Vec<u8>>("text/values")?, "abé".as_bytes());
//!
//! let back: Corpus = serde_npz::from_npz_slice(&bytes)?;
//! assert_eq!(back.tokens, corpus.tokens);
//! assert_eq!(back.text, corpus.text);
//! # Ok::<(), serde_npz::Error>(())
//! ```

use serde::de::{Deserialize, Deserializer};
use serde::ser::{Serialize, Serializer};

use super::codec::unmark;
use crate::npy::marker::RAGGED;

/// Writes the rows end to end, and where each ends.
///
/// ```
/// #[derive(serde::Serialize, serde::Deserialize)]
/// struct Data {
///     #[serde(with = "serde_npz::with::ragged")]
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
/// Those of the serializer; `UnsupportedType` for what is no sequence of rows, `MixedTypes` where their kinds differ.
pub fn serialize<T: Serialize + ?Sized, S: Serializer>(value: &T, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_newtype_struct(RAGGED, value)
}

/// Reads the rows back.
///
/// ```
/// #[derive(serde::Serialize, serde::Deserialize)]
/// struct Data {
///     #[serde(with = "serde_npz::with::ragged")]
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
/// Those of the deserializer; `InvalidValue` for offsets that do not fit the values.
pub fn deserialize<'de, T: Deserialize<'de>, D: Deserializer<'de>>(deserializer: D) -> Result<T, D::Error> {
    unmark(RAGGED, deserializer)
}
