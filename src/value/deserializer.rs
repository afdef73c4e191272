//! A [`Value`] as a deserializer: what reads from an archive reads from it.

use std::io::Cursor;
use std::marker::PhantomData;

use serde::de::{DeserializeOwned, DeserializeSeed, IntoDeserializer};

use crate::error::{Error, ErrorKind, Result};
use crate::io::source::{Slice, Stream};
use crate::npy::de::read_array_seed;
use crate::npz::de::deserializer::{Deserializer, Input};
use crate::npz::reader::NpzReader;
use crate::value::{Value, anything, everything};

impl Value {
    /// Reads the value as any type, by the rules of reading a file: integers convert where they fit, floats widen.
    ///
    /// ```
    /// use serde_npz::Value;
    ///
    /// let value = Value::from(vec![1_i32, 2]);
    /// assert_eq!(value.read::<Vec<f64>>()?, [1.0, 2.0]);
    /// assert!(value.read::<String>().is_err());
    /// # Ok::<(), serde_npz::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// `TypeMismatch`, `InvalidValue`, `MissingMember` and what else the type finds missing.
    pub fn read<T: DeserializeOwned>(&self) -> Result<T> {
        self.read_lent(PhantomData)
    }

    /// Reads the value; what is read borrows nothing.
    fn read_seed<'de, S: DeserializeSeed<'de>>(&self, seed: S) -> Result<S::Value> {
        match self {
            Value::Array(array) => {
                let mut source = Stream::with_known_len(array.bytes(), array.bytes().len() as u64);
                read_array_seed(array.header().clone(), &mut source, &everything(), seed)
            }
            Value::Json(text) => read_json(serde_json::Deserializer::from_reader(text.as_bytes()), seed),
            Value::Group(_) => {
                let archive = Cursor::new(anything().to_npz_vec(self)?);
                seed.deserialize(NpzReader::with_options(archive, &everything())?.deserializer())
            }
        }
    }

    /// Reads the value; what is read may borrow from its array or text. Groups are copied.
    fn read_lent<'de, S: DeserializeSeed<'de>>(&'de self, seed: S) -> Result<S::Value> {
        match self {
            Value::Array(array) => {
                read_array_seed(array.header().clone(), &mut Slice(array.bytes()), &everything(), seed)
            }
            Value::Json(text) => read_json(serde_json::Deserializer::from_str(text), seed),
            Value::Group(_) => self.read_seed(seed),
        }
    }
}

fn read_json<'de, R: serde_json::de::Read<'de>, S: DeserializeSeed<'de>>(
    mut text: serde_json::Deserializer<R>,
    seed: S,
) -> Result<S::Value> {
    seed.deserialize(&mut text)
        .and_then(|value| text.end().map(|()| value))
        .map_err(|err| {
            Error::new(
                ErrorKind::InvalidValue,
                format_args!("found a JSON text that does not fit: {err}"),
            )
            .with_source(err)
        })
}

impl<'de> Input<'de> for Value {
    fn read<S: DeserializeSeed<'de>>(self, seed: S) -> Result<S::Value> {
        self.read_seed(seed)
    }
}

impl<'de> Input<'de> for &'de Value {
    fn read<S: DeserializeSeed<'de>>(self, seed: S) -> Result<S::Value> {
        self.read_lent(seed)
    }
}

/// A value is read like a file.
///
/// ```
/// use serde::Deserialize;
/// use serde::de::IntoDeserializer;
///
/// #[derive(Deserialize)]
/// struct Point {
///     x: f64,
/// }
///
/// let value = serde_npz::to_value(&std::collections::BTreeMap::from([("x", 1.5)]))?;
/// assert_eq!(Point::deserialize(value.into_deserializer())?.x, 1.5);
/// # Ok::<(), serde_npz::Error>(())
/// ```
impl IntoDeserializer<'_, Error> for Value {
    type Deserializer = Deserializer<Value>;

    fn into_deserializer(self) -> Deserializer<Value> {
        Deserializer::new(self)
    }
}

/// A value is read like a file in memory: what a type borrows is lent from an array or a text, but not from within a group.
///
/// ```
/// use serde::Deserialize;
/// use serde::de::IntoDeserializer;
/// use serde_npz::{ArrayView, Value};
///
/// let value = Value::from(vec![1.0, 2.0]);
/// let view = ArrayView::<f64>::deserialize((&value).into_deserializer())?;
/// assert!(view.borrowed().is_some());
/// # Ok::<(), serde_npz::Error>(())
/// ```
impl<'de> IntoDeserializer<'de, Error> for &'de Value {
    type Deserializer = Deserializer<&'de Value>;

    fn into_deserializer(self) -> Deserializer<&'de Value> {
        Deserializer::new(self)
    }
}
