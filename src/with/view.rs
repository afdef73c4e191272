//! Whole arrays of numbers, borrowed from the input where they are aligned, native-endian and of the same dtype.
//!
//! | field | |
//! |---|---|
//! | [`ArrayView<'a, T>`](crate::ArrayView) | any number of axes; borrowed, or a copy |
//! | `Cow<'a, [T]>` | one axis; borrowed, or a copy |
//! | `&'a [T]` | one axis; borrowed, or an error |
//! | `Option` of these | a missing member |
//!
//! They borrow from [`from_npz_slice`](crate::from_npz_slice), [`from_npy_slice`](crate::from_npy_slice) and the maps
//! (`NpzMmap::deserialize`), where the member is stored and aligned and has just this dtype, in the order of this machine:
//! every number that this crate saved uncompressed, given bytes that are aligned themselves, as a map is. Members of
//! NumPy's archives mostly lie at odd offsets; they are copied, and other dtypes converted as
//! [`Casting::Safe`](crate::Casting::Safe) allows. An [`ArrayView`](crate::ArrayView) needs no `with`: it does so by
//! itself.
//!
//! ```
//! use std::borrow::Cow;
//! use serde::{Deserialize, Serialize};
//! use serde_npz::ArrayView;
//!
//! #[derive(Serialize, Deserialize)]
//! struct Run<'a> {
//!     dt: f64,
//!     #[serde(borrow, with = "serde_npz::with::view")]
//!     time: Cow<'a, [f64]>,
//!     #[serde(borrow)]
//!     position: ArrayView<'a, f32>,
//! }
//!
//! let position = [0.0; 6];
//! let run = Run { dt: 0.5, time: Cow::Owned(vec![0.0, 0.5]), position: ArrayView::new(&position, &[2, 3])? };
//! let bytes = serde_npz::to_npz_vec(&run)?; // position: <f4 (2, 3)
//! let back: Run = serde_npz::from_npz_slice(&bytes)?;
//! assert_eq!(back.position.shape(), [2, 3]);
//! # assert_eq!(back.time, run.time);
//! # Ok::<(), serde_npz::Error>(())
//! ```

mod field;

use serde::de::Deserializer;
use serde::ser::Serializer;

use self::field::{Decode, Encode};

/// Writes an array in one piece.
///
/// ```
/// #[derive(serde::Serialize)]
/// struct Data<'a> {
///     #[serde(with = "serde_npz::with::view")]
///     x: &'a [f32],
/// }
///
/// let data = Data { x: &[1.5, 2.0] };
/// assert_eq!(serde_npz::to_npz_vec(&data)?.first_chunk(), Some(b"PK"));
/// assert_eq!(serde_json::to_string(&data)?, r#"{"x":[1.5,2.0]}"#);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
///
/// Those of the serializer.
pub fn serialize<V: Encode + ?Sized, S: Serializer>(value: &V, serializer: S) -> Result<S::Ok, S::Error> {
    value.encode(serializer)
}

/// Reads an array, borrowed where it can be.
///
/// ```
/// use std::borrow::Cow;
///
/// #[derive(serde::Deserialize)]
/// struct Data<'a> {
///     #[serde(borrow, with = "serde_npz::with::view")]
///     x: Cow<'a, [f32]>,
/// }
///
/// let data: Data = serde_json::from_str(r#"{"x":[1.5,2.0]}"#)?;
/// assert_eq!(data.x, vec![1.5, 2.0]);
/// # Ok::<(), serde_json::Error>(())
/// ```
///
/// # Errors
///
/// Those of the deserializer; `TypeMismatch` for a dtype or a number of axes that does not fit, and for a `&[T]` that
/// would have to be a copy.
pub fn deserialize<'de, V: Decode<'de>, D: Deserializer<'de>>(deserializer: D) -> Result<V, D::Error> {
    V::decode(deserializer)
}
