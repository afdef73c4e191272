//! Single precision: `f64`, in any depth, as `<f4`.
//!
//! ```text
//! vec![0.5_f64, 0.1]    <f4 (2,)    [0.5, 0.1]
//! ```
//!
//! For code that computes in `f64` and files that need half the room. Numbers are rounded to the nearest `f32`, ties to
//! even; that is the loss asked for. A finite number that would round to infinity (above 3.4e38) is refused. Reading is
//! exact, and takes any dtype that would be taken without this module. Other formats get the floats as they are.
//!
//! ```
//! use serde::{Deserialize, Serialize};
//! use std::collections::BTreeMap;
//!
//! #[derive(Serialize, Deserialize)]
//! struct Layer {
//!     #[serde(with = "serde_npz::with::float32")]
//!     weights: BTreeMap<String, Vec<f64>>,
//! }
//!
//! let bytes = serde_npz::to_npz_vec(&Layer { weights: BTreeMap::from([("dense".to_string(), vec![0.5, 0.1])]) })?;
//! let mut archive = serde_npz::NpzReader::new(std::io::Cursor::new(&bytes[..]))?;
//! assert_eq!(archive.header("weights/dense")?.dtype().to_string(), "<f4");
//! assert_eq!(serde_npz::from_npz_slice::<Layer>(&bytes)?.weights["dense"], [0.5, 0.1_f32.into()]);
//! # Ok::<(), serde_npz::Error>(())
//! ```

use serde::de::{Deserialize, Deserializer};
use serde::ser::{Serialize, Serializer};

use super::codec::unmark_floats;
use crate::npy::marker::FLOAT32;

/// Writes floats in single precision.
///
/// ```
/// #[derive(serde::Serialize, serde::Deserialize)]
/// struct Data {
///     #[serde(with = "serde_npz::with::float32")]
///     x: Vec<f64>,
/// }
///
/// let data = Data { x: vec![1.5, 2.0] };
/// assert_eq!(serde_npz::to_npz_vec(&data)?.first_chunk(), Some(b"PK"));
/// assert_eq!(serde_json::to_string(&data)?, r#"{"x":[1.5,2.0]}"#);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
///
/// Those of the serializer; `InvalidValue` for a finite number past the range of single precision.
pub fn serialize<T: Serialize + ?Sized, S: Serializer>(value: &T, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_newtype_struct(FLOAT32, value)
}

/// Reads floats of any precision that fits.
///
/// ```
/// #[derive(serde::Serialize, serde::Deserialize)]
/// struct Data {
///     #[serde(with = "serde_npz::with::float32")]
///     x: Vec<f64>,
/// }
///
/// let data: Data = serde_json::from_str(r#"{"x":[1.5,2.0]}"#)?;
/// assert_eq!(data.x, vec![1.5, 2.0]);
/// # Ok::<(), serde_json::Error>(())
/// ```
///
/// # Errors
///
/// Those of the deserializer; `TypeMismatch` for what does not fit the type.
pub fn deserialize<'de, T: Deserialize<'de>, D: Deserializer<'de>>(deserializer: D) -> Result<T, D::Error> {
    unmark_floats(FLOAT32, false, deserializer)
}
