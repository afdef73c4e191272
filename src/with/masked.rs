//! Values and a mask, for values that may be missing, of any kind.
//!
//! ```text
//! x: vec![Some(7_i32), None]    x/values  <i4 (2,)    [7, 0]
//!                               x/values? |b1 (2,)    [True, False]
//! ```
//!
//! For `Vec<Option<T>>`, nested vectors and arrays of it, where `T` is of fixed size: a scalar, a text, a time, an array such
//! as `[f64; 3]`, a struct of these. True means that the value is there. In the place of `None` stands NaN, NaT, 0, False, an
//! empty text, or a struct of such; nobody needs to look at it. `Some(NaN)` is a value like any other, unlike in
//! [`with::nan`](crate::with::nan). A sequence without an `Option` has a mask of nothing but True.
//!
//! Maps and Options around stay what they are; a field `Option<Vec<Option<T>>>` that is `None` is a marker. Rows that
//! may themselves be missing, `Vec<Option<Vec<Option<T>>>>`, make a list of masked arrays. Fields of a struct do not have
//! the form of what is around the struct.
//!
//! NumPy's masked arrays say True where a value is missing:
//! `np.ma.array(z['x/values'], mask=~z['x/values?'])`, and the other way `x = {'values': m.filled(), 'values?': ~np.ma.getmaskarray(m)}`.
//! An array without a mask is read as well: everything is there. Other formats get the Options as they are. It does not come
//! back through serde's buffer (`flatten`, untagged and internally tagged enums).
//!
//! ```
//! use serde::{Deserialize, Serialize};
//!
//! #[derive(Serialize, Deserialize, Debug, PartialEq)]
//! struct Survey {
//!     #[serde(with = "serde_npz::with::masked")]
//!     age: Vec<Option<u8>>,
//!     #[serde(with = "serde_npz::with::masked")]
//!     answers: Vec<[Option<String>; 2]>,
//! }
//!
//! let survey = Survey {
//!     age: vec![Some(34), None, Some(61)],
//!     answers: vec![[Some("yes".into()), None], [None, None], [Some("no".into()), Some("why".into())]],
//! };
//! let bytes = serde_npz::to_npz_vec(&survey)?;
//! assert_eq!(serde_npz::from_npz_slice::<Survey>(&bytes)?, survey);
//!
//! let mut archive = serde_npz::NpzReader::new(std::io::Cursor::new(bytes))?;
//! assert_eq!(archive.get::<Vec<u8>>("age/values")?, [34, 0, 61]);
//! assert_eq!(archive.get::<Vec<bool>>("age/values?")?, [true, false, true]);
//! assert_eq!(archive.header("answers/values?")?.shape(), [3, 2]);
//! # Ok::<(), serde_npz::Error>(())
//! ```

use serde::de::{Deserialize, Deserializer};
use serde::ser::{Serialize, Serializer};

use super::codec::unmark;
use crate::npy::marker::MASKED;

/// Writes the values and where they are.
///
/// ```
/// #[derive(serde::Serialize, serde::Deserialize)]
/// struct Data {
///     #[serde(with = "serde_npz::with::masked")]
///     x: Vec<Option<i32>>,
/// }
///
/// let data = Data { x: vec![Some(7), None] };
/// assert_eq!(serde_npz::to_npz_vec(&data)?.first_chunk(), Some(b"PK"));
/// assert_eq!(serde_json::to_string(&data)?, r#"{"x":[7,null]}"#);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
///
/// Those of the serializer; `Ragged` for rows of unequal lengths.
pub fn serialize<T: Serialize + ?Sized, S: Serializer>(value: &T, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_newtype_struct(MASKED, value)
}

/// Reads the values that are there.
///
/// ```
/// #[derive(serde::Serialize, serde::Deserialize)]
/// struct Data {
///     #[serde(with = "serde_npz::with::masked")]
///     x: Vec<Option<i32>>,
/// }
///
/// let data: Data = serde_json::from_str(r#"{"x":[7,null]}"#)?;
/// assert_eq!(data.x, vec![Some(7), None]);
/// # Ok::<(), serde_json::Error>(())
/// ```
///
/// # Errors
///
/// Those of the deserializer; `InvalidValue` for a mask that does not fit its values, and for a missing value where the type is
/// no `Option`.
pub fn deserialize<'de, T: Deserialize<'de>, D: Deserializer<'de>>(deserializer: D) -> Result<T, D::Error> {
    unmark(MASKED, deserializer)
}
