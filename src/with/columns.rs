//! A sequence of structs as a group of one array for each field, as data frames keep them.
//!
//! ```text
//! x: vec![Row { id: 7, at: [0.5, 1.0], temp: None }, ..]    x/id            <u4 (2,)
//!                                                           x/at            <f8 (2, 2)
//!                                                           x/temp/values   <f8 (2,)
//!                                                           x/temp/values?  |b1 (2,)
//! ```
//!
//! For vectors, slices and arrays of structs, or of tuples (fields `f0`, `f1`). Each column is what a sequence of the field's
//! values is by itself: an array, a structured array where the field is a struct, or a list. A column of Options is masked, as
//! [`with::masked`](crate::with::masked) does it, whether there is a `None` in it or not; `with` beside the field chooses
//! another form. No rows at all are the marker of an empty group. Every row is serialized once for each of its fields, and nothing is gathered in memory.
//!
//! Reading takes the columns that the struct asks for, each of them whole. The other direction works too: a structured array
//! is read into a `Vec` of structs as without this module, and, also without it, into a struct of vectors.
//!
//! In pandas it is `pd.DataFrame({k.removeprefix('x/'): z[k] for k in z if k.startswith('x/')})` where no column is masked.
//! Other formats get the structs as they are. They do not come back through serde's buffer (`flatten`, untagged and
//! internally tagged enums).
//!
//! ```
//! use serde::{Deserialize, Serialize};
//!
//! #[derive(Serialize, Deserialize, Debug, PartialEq)]
//! struct Body {
//!     name: String,
//!     position: [f64; 3],
//!     radius: Option<f32>,
//! }
//!
//! #[derive(Serialize, Deserialize, Debug, PartialEq)]
//! struct System {
//!     #[serde(with = "serde_npz::with::columns")]
//!     bodies: Vec<Body>,
//! }
//!
//! let sun = Body { name: "sun".into(), position: [0.0; 3], radius: Some(6.957e8) };
//! let probe = Body { name: "probe".into(), position: [1.5e11, 0.0, 0.0], radius: None };
//! let system = System { bodies: vec![sun, probe] };
//! let bytes = serde_npz::to_npz_vec(&system)?;
//! assert_eq!(serde_npz::from_npz_slice::<System>(&bytes)?, system);
//!
//! let mut archive = serde_npz::NpzReader::new(std::io::Cursor::new(bytes))?;
//! assert_eq!(archive.header("bodies/position")?.shape(), [2, 3]);
//! assert_eq!(archive.get::<Vec<bool>>("bodies/radius/values?")?, [true, false]);
//! # Ok::<(), serde_npz::Error>(())
//! ```

use serde::de::{Deserialize, Deserializer};
use serde::ser::{Serialize, Serializer};

use super::codec::unmark;
use crate::npy::marker::COLUMNS;

/// Writes one array for each field.
///
/// ```
/// #[derive(serde::Serialize, serde::Deserialize)]
/// struct Data {
///     #[serde(with = "serde_npz::with::columns")]
///     x: Vec<(u8, f64)>,
/// }
///
/// let data = Data { x: vec![(7, 0.5)] };
/// assert_eq!(serde_npz::to_npz_vec(&data)?.first_chunk(), Some(b"PK"));
/// assert_eq!(serde_json::to_string(&data)?, r#"{"x":[[7,0.5]]}"#);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
///
/// Those of the serializer; `UnsupportedType` for elements that are no structs, `InvalidValue` for rows of unequal fields.
pub fn serialize<T: Serialize + ?Sized, S: Serializer>(value: &T, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_newtype_struct(COLUMNS, value)
}

/// Reads the rows back from their fields.
///
/// ```
/// #[derive(serde::Serialize, serde::Deserialize)]
/// struct Data {
///     #[serde(with = "serde_npz::with::columns")]
///     x: Vec<(u8, f64)>,
/// }
///
/// let data: Data = serde_json::from_str(r#"{"x":[[7,0.5]]}"#)?;
/// assert_eq!(data.x, vec![(7, 0.5)]);
/// # Ok::<(), serde_json::Error>(())
/// ```
///
/// # Errors
///
/// Those of the deserializer; `TypeMismatch` for columns of unequal lengths.
pub fn deserialize<'de, T: Deserialize<'de>, D: Deserializer<'de>>(deserializer: D) -> Result<T, D::Error> {
    unmark(COLUMNS, deserializer)
}
