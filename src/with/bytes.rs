//! Short byte strings as `|Sn`, NumPy's `bytes_`: codes, tickers, names in ASCII.
//!
//! ```text
//! code: vec![*b"AB", *b"CD"]              |S2 (2,)    [b'AB', b'CD']
//! name: vec!["ab".to_string(), "c".into()]    |S2 (2,)    [b'ab', b'c']
//! ```
//!
//! The types are `Vec<u8>`, `&[u8]`, `[u8; N]`, `String` and `&str` (as UTF-8), and vectors, arrays and slices of
//! these in any depth; an `Option` around one is a field that may be missing (with `#[serde(default)]`).
//! `n` is the length of the longest value, at least 1; shorter ones are padded with NUL.
//!
//! NumPy strips trailing NULs on reading, and so does this module. A `Vec<u8>` or text that ends in NUL
//! would lose it and is refused on writing; a `[u8; N]` knows its length, gets its NULs back and is not.
//! Other formats get the bytes or the text as they are.
//!
//! ```
//! use serde::{Deserialize, Serialize};
//!
//! #[derive(Serialize, Deserialize, Debug, PartialEq)]
//! struct Quote {
//!     #[serde(with = "serde_npz::with::bytes")]
//!     ticker: String,
//!     price: f64,
//! }
//!
//! #[derive(Serialize, Deserialize, Debug, PartialEq)]
//! struct Day {
//!     #[serde(with = "serde_npz::with::bytes")]
//!     venue: Vec<[u8; 4]>,
//!     quotes: Vec<Quote>,
//! }
//!
//! let day = Day {
//!     venue: vec![*b"XETR", *b"BX\0\0"],
//!     quotes: vec![Quote { ticker: "ABCD".into(), price: 1.5 }, Quote { ticker: "E".into(), price: 2.0 }],
//! };
//! let bytes = serde_npz::to_npz_vec(&day)?;
//! assert_eq!(serde_npz::from_npz_slice::<Day>(&bytes)?, day);
//!
//! let mut archive = serde_npz::NpzReader::new(std::io::Cursor::new(bytes))?;
//! assert_eq!(archive.header("venue")?.dtype().to_string(), "|S4");
//! assert_eq!(archive.header("quotes")?.dtype().to_string(), "[('ticker', '|S4'), ('price', '<f8')]");
//! # Ok::<(), serde_npz::Error>(())
//! ```

use std::fmt;

use serde::de::{Deserialize, Deserializer, Error, SeqAccess, Visitor};
use serde::ser::Serializer;

use super::codec::{Codec, Decode, Encode};
use crate::error::is_our_error;
use crate::npy::marker;

/// Writes byte strings of one width.
///
/// ```
/// #[derive(serde::Serialize)]
/// struct Data {
///     #[serde(serialize_with = "serde_npz::with::bytes::serialize")]
///     x: Vec<Vec<u8>>,
/// }
///
/// let data = Data { x: vec![b"a".to_vec(), b"bc".to_vec()] };
/// assert_eq!(serde_npz::to_npz_vec(&data)?.first_chunk(), Some(b"PK"));
/// assert_eq!(serde_json::to_string(&data)?, r#"{"x":[[97],[98,99]]}"#);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
///
/// Those of the serializer; `InvalidValue` for a value that ends in NUL.
pub fn serialize<T: Encode<Fixed> + ?Sized, S: Serializer>(value: &T, serializer: S) -> Result<S::Ok, S::Error> {
    value.encode_field(Fixed, serializer)
}

/// Reads byte strings, without the NULs that pad them.
///
/// ```
/// #[derive(serde::Deserialize)]
/// struct Data {
///     #[serde(deserialize_with = "serde_npz::with::bytes::deserialize")]
///     x: Vec<Vec<u8>>,
/// }
///
/// let data: Data = serde_json::from_str(r#"{"x":[[97],[98,99]]}"#)?;
/// assert_eq!(data.x, [b"a".to_vec(), b"bc".to_vec()]);
/// # Ok::<(), serde_json::Error>(())
/// ```
///
/// # Errors
///
/// Those of the deserializer; a value longer than the array it is read into, or no UTF-8 for a `String`.
pub fn deserialize<'de, T: Decode<'de, Fixed>, D: Deserializer<'de>>(deserializer: D) -> Result<T, D::Error> {
    T::decode_field(Fixed, deserializer)
}

/// The codec of this module: byte strings of one width. See [`Codec`].
///
/// ```
/// use serde_npz::with::Encode;
/// use serde_npz::with::bytes::Fixed;
///
/// fn texts<T: Encode<Fixed>>(_: T) {}
///
/// texts(vec!["AB", "C"]);
/// ```
#[derive(Clone, Copy)]
pub struct Fixed;

impl Codec for Fixed {
    fn marker(self) -> Option<&'static str> {
        Some(marker::BYTES)
    }
}

impl Encode<Fixed> for [u8] {
    fn encode<S: Serializer>(&self, _: Fixed, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_bytes(self)
    }
}

impl Encode<Fixed> for Vec<u8> {
    fn encode<S: Serializer>(&self, _: Fixed, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_bytes(self)
    }
}

impl<'de> Decode<'de, Fixed> for Vec<u8> {
    fn decode<D: Deserializer<'de>>(_: Fixed, deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_byte_buf(Bytes { most: None })
    }
}

impl<const N: usize> Encode<Fixed> for [u8; N] {
    fn encode<S: Serializer>(&self, _: Fixed, serializer: S) -> Result<S::Ok, S::Error> {
        if is_our_error::<S::Error>() {
            let len = self.iter().rposition(|&byte| byte != 0).map_or(0, |last| last + 1);
            serializer.serialize_bytes(&self[..len])
        } else {
            serializer.serialize_bytes(self)
        }
    }
}

impl<'de, const N: usize> Decode<'de, Fixed> for [u8; N] {
    fn decode<D: Deserializer<'de>>(_: Fixed, deserializer: D) -> Result<Self, D::Error> {
        let bytes = deserializer.deserialize_byte_buf(Bytes { most: Some(N) })?;
        // NULs that pad are not handed out, only another format may tell that some are missing.
        if bytes.len() > N || (bytes.len() < N && !is_our_error::<D::Error>()) {
            return Err(D::Error::invalid_length(bytes.len(), &Bytes { most: Some(N) }));
        }
        let mut array = [0; N];
        array[..bytes.len()].copy_from_slice(&bytes);
        Ok(array)
    }
}

impl Encode<Fixed> for str {
    fn encode<S: Serializer>(&self, _: Fixed, serializer: S) -> Result<S::Ok, S::Error> {
        if is_our_error::<S::Error>() {
            serializer.serialize_bytes(self.as_bytes())
        } else {
            serializer.serialize_str(self)
        }
    }
}

impl Encode<Fixed> for String {
    fn encode<S: Serializer>(&self, codec: Fixed, serializer: S) -> Result<S::Ok, S::Error> {
        self.as_str().encode(codec, serializer)
    }
}

impl<'de> Decode<'de, Fixed> for String {
    fn decode<D: Deserializer<'de>>(_: Fixed, deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)
    }
}

struct Bytes {
    most: Option<usize>,
}

impl<'de> Visitor<'de> for Bytes {
    type Value = Vec<u8>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.most {
            Some(most) => write!(f, "a byte string of {most} bytes"),
            None => f.write_str("a byte string"),
        }
    }

    fn visit_bytes<E: Error>(self, bytes: &[u8]) -> Result<Vec<u8>, E> {
        Ok(bytes.to_vec())
    }

    fn visit_byte_buf<E: Error>(self, bytes: Vec<u8>) -> Result<Vec<u8>, E> {
        Ok(bytes)
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Vec<u8>, E> {
        Ok(text.as_bytes().to_vec())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Vec<u8>, A::Error> {
        let mut bytes = Vec::with_capacity(seq.size_hint().unwrap_or(0).min(4096));
        while let Some(byte) = seq.next_element()? {
            bytes.push(byte);
        }
        Ok(bytes)
    }
}
