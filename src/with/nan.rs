//! Missing floats as NaN: `None` among `Option<f64>` and `Option<f32>`, in any depth.
//!
//! ```text
//! vec![Some(0.5), None]            <f8 (2,)    [0.5, nan]
//! Vec<Row { t: u32, v: Option<f32> }>    [('t', '<u4'), ('v', '<f4')] (n,)
//! ```
//!
//! Without it a `None` in a sequence is refused and, inside a struct, has a mask of its own beside it. NumPy
//! sees plain floats; `np.isnan` finds the missing ones. `Some(NaN)` is refused on writing, since it
//! would come back as `None`. Other formats get the options as they are: `null` in JSON.
//!
//! Where serde itself keeps a value for later (`flatten`, untagged and internally tagged enums), it
//! does not say which floats are optional: a NaN then comes back as `Some(NaN)`.
//!
//! ```
//! use serde::{Deserialize, Serialize};
//!
//! #[derive(Serialize, Deserialize, Debug, PartialEq)]
//! struct Reading {
//!     id: u32,
//!     level: Option<f32>,
//! }
//!
//! #[derive(Serialize, Deserialize, Debug, PartialEq)]
//! struct Log {
//!     #[serde(with = "serde_npz::with::nan")]
//!     mean: Vec<Option<f64>>,
//!     #[serde(with = "serde_npz::with::nan")]
//!     rows: Vec<Reading>,
//! }
//!
//! let log = Log {
//!     mean: vec![Some(0.5), None],
//!     rows: vec![Reading { id: 1, level: None }, Reading { id: 2, level: Some(4.0) }],
//! };
//! let bytes = serde_npz::to_npz_vec(&log)?;
//! assert_eq!(serde_npz::from_npz_slice::<Log>(&bytes)?, log);
//!
//! let mut archive = serde_npz::NpzReader::new(std::io::Cursor::new(bytes))?;
//! assert!(archive.get::<Vec<f64>>("mean")?[1].is_nan());
//! assert_eq!(archive.header("rows")?.dtype().to_string(), "[('id', '<u4'), ('level', '<f4')]");
//! # Ok::<(), serde_npz::Error>(())
//! ```

use serde::de::{Deserialize, Deserializer};
use serde::ser::{Serialize, Serializer};

use super::codec::unmark_floats;
use crate::npy::marker::NAN;

/// Writes `None` as NaN.
///
/// ```
/// #[derive(serde::Serialize, serde::Deserialize)]
/// struct Data {
///     #[serde(with = "serde_npz::with::nan")]
///     x: Vec<Option<f64>>,
/// }
///
/// let data = Data { x: vec![Some(1.5), None] };
/// assert_eq!(serde_npz::to_npz_vec(&data)?.first_chunk(), Some(b"PK"));
/// assert_eq!(serde_json::to_string(&data)?, r#"{"x":[1.5,null]}"#);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
///
/// Those of the serializer; `InvalidValue` for `Some(NaN)`.
pub fn serialize<T: Serialize + ?Sized, S: Serializer>(value: &T, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_newtype_struct(NAN, value)
}

/// Reads NaN as `None`.
///
/// ```
/// #[derive(serde::Serialize, serde::Deserialize)]
/// struct Data {
///     #[serde(with = "serde_npz::with::nan")]
///     x: Vec<Option<f64>>,
/// }
///
/// let data: Data = serde_json::from_str(r#"{"x":[1.5,null]}"#)?;
/// assert_eq!(data.x, vec![Some(1.5), None]);
/// # Ok::<(), serde_json::Error>(())
/// ```
///
/// # Errors
///
/// Those of the deserializer; `TypeMismatch` for what does not fit the type.
pub fn deserialize<'de, T: Deserialize<'de>, D: Deserializer<'de>>(deserializer: D) -> Result<T, D::Error> {
    unmark_floats(NAN, true, deserializer)
}
