//! Any value as a JSON text: the member `x.json`.
//!
//! ```text
//! x: Settings { name: "a", steps: None }    x.json    {"name":"a","steps":null}
//! ```
//!
//! For settings and other data that are no arrays. NumPy has them with `json.loads(z['x.json'])`; here
//! the member answers to `x`. A field that is `None` is `null`. Other formats get the value as it is.
//!
//! A text is read as well wherever else people keep it: `np.savez(file, x=json.dumps(settings))` makes a text without axes,
//! others keep bytes, or an array of `u1`, `i1` or `S1`. What is no such text is read as without this module.
//!
//! ```
//! use serde::{Deserialize, Serialize};
//!
//! #[derive(Serialize, Deserialize, Debug, PartialEq)]
//! struct Settings {
//!     name: String,
//!     steps: Vec<(String, Option<u32>)>,
//! }
//!
//! #[derive(Serialize, Deserialize)]
//! struct Run {
//!     #[serde(with = "serde_npz::with::json")]
//!     settings: Settings,
//!     loss: Vec<f64>,
//! }
//!
//! let settings = Settings { name: "first".into(), steps: vec![("warm".into(), None)] };
//! let bytes = serde_npz::to_npz_vec(&Run { settings, loss: vec![0.5] })?;
//! let mut archive = serde_npz::NpzReader::new(std::io::Cursor::new(&bytes[..]))?;
//! assert_eq!(archive.raw("settings.json")?, br#"{"name":"first","steps":[["warm",null]]}"#);
//!
//! let back: Run = serde_npz::from_npz_slice(&bytes)?;
//! assert_eq!(back.settings.name, "first");
//! # Ok::<(), serde_npz::Error>(())
//! ```

use std::fmt;
use std::marker::PhantomData;

use serde::de::{self, Deserialize, Deserializer, Visitor};
use serde::ser::{Serialize, Serializer};

use crate::error::into_custom;
use crate::npy::de::array::json::json_value;
use crate::npy::marker::JSON;

/// Writes the JSON text.
///
/// ```
/// #[derive(serde::Serialize, serde::Deserialize)]
/// struct Data {
///     #[serde(with = "serde_npz::with::json")]
///     x: Vec<Option<u8>>,
/// }
///
/// let data = Data { x: vec![Some(1), None] };
/// assert_eq!(serde_npz::to_npz_vec(&data)?.first_chunk(), Some(b"PK"));
/// assert_eq!(serde_json::to_string(&data)?, r#"{"x":[1,null]}"#);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
///
/// Those of the serializer; `InvalidValue` for what JSON cannot hold, such as a map with sequences as keys.
pub fn serialize<T: Serialize + ?Sized, S: Serializer>(value: &T, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_newtype_struct(JSON, value)
}

/// Reads the JSON text.
///
/// ```
/// #[derive(serde::Serialize, serde::Deserialize)]
/// struct Data {
///     #[serde(with = "serde_npz::with::json")]
///     x: Vec<Option<u8>>,
/// }
///
/// let data: Data = serde_json::from_str(r#"{"x":[1,null]}"#)?;
/// assert_eq!(data.x, vec![Some(1), None]);
/// # Ok::<(), serde_json::Error>(())
/// ```
///
/// # Errors
///
/// Those of the deserializer; `InvalidValue` with the line and column where the text is no JSON or does not fit the type.
pub fn deserialize<'de, T: Deserialize<'de>, D: Deserializer<'de>>(deserializer: D) -> Result<T, D::Error> {
    deserializer.deserialize_newtype_struct(JSON, Text(PhantomData))
}

/// Takes the text from our own formats as its bytes, and the value from others.
struct Text<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for Text<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON text")
    }

    fn visit_byte_buf<E: de::Error>(self, text: Vec<u8>) -> Result<T, E> {
        json_value(&text, |json| T::deserialize(json)).map_err(into_custom)
    }

    fn visit_newtype_struct<D: Deserializer<'de>>(self, deserializer: D) -> Result<T, D::Error> {
        T::deserialize(deserializer)
    }
}
