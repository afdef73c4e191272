//! Half precision: `f32` and `f64`, in any depth, as `<f2`.
//!
//! ```text
//! vec![0.5_f32, 0.1]    <f2 (2,)    [0.5, 0.09998]
//! ```
//!
//! Numbers are rounded to the nearest half, ties to even; that is the loss asked for. A finite number
//! that would round to infinity (65520 and more) is refused. Reading is exact, and takes any dtype that
//! would be taken without this module. Other formats get the floats as they are.
//!
//! ```
//! use serde::{Deserialize, Serialize};
//!
//! #[derive(Serialize, Deserialize)]
//! struct Layer {
//!     #[serde(with = "serde_npz::with::float16")]
//!     weights: Vec<f32>,
//! }
//!
//! let bytes = serde_npz::to_npz_vec(&Layer { weights: vec![0.5, -2.0] })?;
//! let mut archive = serde_npz::NpzReader::new(std::io::Cursor::new(&bytes[..]))?;
//! assert_eq!(archive.header("weights")?.dtype().to_string(), "<f2");
//! assert_eq!(serde_npz::from_npz_slice::<Layer>(&bytes)?.weights, [0.5, -2.0]);
//! # Ok::<(), serde_npz::Error>(())
//! ```

use serde::de::{Deserialize, Deserializer};
use serde::ser::{Serialize, Serializer};

use super::codec::unmark_floats;
use crate::npy::marker::FLOAT16;

/// Writes floats in half precision.
///
/// ```
/// #[derive(serde::Serialize, serde::Deserialize)]
/// struct Data {
///     #[serde(with = "serde_npz::with::float16")]
///     x: Vec<f32>,
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
/// Those of the serializer; `InvalidValue` for a finite number past the range of half precision.
pub fn serialize<T: Serialize + ?Sized, S: Serializer>(value: &T, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_newtype_struct(FLOAT16, value)
}

/// Reads floats of any precision that fits.
///
/// ```
/// #[derive(serde::Serialize, serde::Deserialize)]
/// struct Data {
///     #[serde(with = "serde_npz::with::float16")]
///     x: Vec<f32>,
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
    unmark_floats(FLOAT16, false, deserializer)
}
