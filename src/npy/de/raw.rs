//! Arrays for the types that hold them whole: what they are given inside the newtype
//! [`RAW`](crate::npy::marker::RAW), and how they read it.
//!
//! ```text
//! {"$serde_npz::raw": {"descr": "<f8", "dim": [2, 3], "fortran": false, "data": ..}}
//! ```
//!
//! The inner map is the struct [`ORDERED`]. Its data comes as bytes or as numbers, as the target asks once it knows the dtype.

use std::borrow::Cow;
use std::fmt;

use serde::de::{self, Deserialize, DeserializeSeed, Deserializer, IgnoredAny, MapAccess, Visitor};

use crate::error::{Error, ErrorKind, Result, into_custom};
use crate::format::dtype::Dtype;
use crate::format::header::Header;
use crate::npy::de::key::Key;
use crate::npy::marker::{ORDERED, WHOLE_FIELDS};

/// A map of one entry, whose key tells what the value is.
pub(crate) struct OneEntry<D> {
    key: Option<&'static str>,
    value: Option<D>,
}

impl<D> OneEntry<D> {
    pub(crate) fn new(key: &'static str, value: D) -> Self {
        OneEntry {
            key: Some(key),
            value: Some(value),
        }
    }
}

impl<'de, D: Deserializer<'de, Error = Error>> MapAccess<'de> for OneEntry<D> {
    type Error = Error;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>> {
        self.key.take().map(|key| seed.deserialize(Key(key))).transpose()
    }

    fn next_value_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<T::Value> {
        match self.value.take() {
            Some(value) => seed.deserialize(value),
            None => Err(Error::new(
                ErrorKind::Message,
                "found no value, expected a key to be taken first",
            )),
        }
    }
}

/// An array as it lies in the file. What comes under the key `RAW` is read as this.
pub(crate) struct WholeArray<'de> {
    pub(crate) header: Header,
    pub(crate) data: Cow<'de, [u8]>,
}

impl<'de> Deserialize<'de> for WholeArray<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        struct Parts;

        impl<'de> Visitor<'de> for Parts {
            type Value = WholeArray<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("the parts of an array")
            }

            fn visit_newtype_struct<D: Deserializer<'de>>(
                self,
                deserializer: D,
            ) -> std::result::Result<Self::Value, D::Error> {
                deserializer.deserialize_map(self)
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> std::result::Result<Self::Value, A::Error> {
                let header = next_header::<Vec<u64>, _>(&mut map)?;
                let data = next_data(&mut map, &header)?;
                Ok(WholeArray { header, data })
            }
        }

        deserializer.deserialize_struct(ORDERED, WHOLE_FIELDS, Parts)
    }
}

/// All entries of the struct `ORDERED` before its data. As the type of the shape says, it has one axis or any number.
pub(crate) fn next_header<'de, S, A>(map: &mut A) -> std::result::Result<Header, A::Error>
where
    S: Deserialize<'de> + Into<Vec<u64>>,
    A: MapAccess<'de>,
{
    fn next<'de, A: MapAccess<'de>, T: Deserialize<'de>>(map: &mut A) -> std::result::Result<T, A::Error> {
        map.next_key::<IgnoredAny>()?;
        map.next_value()
    }
    let descr: String = next(map)?;
    let dtype: Dtype = descr.parse().map_err(into_custom)?;
    let shape: S = next(map)?;
    let fortran = next(map)?;
    Header::new(dtype, shape.into(), fortran).map_err(into_custom)
}

/// The data behind [`next_header`] as bytes, borrowed where they can be.
pub(crate) fn next_data<'de, A: MapAccess<'de>>(
    map: &mut A,
    header: &Header,
) -> std::result::Result<Cow<'de, [u8]>, A::Error> {
    map.next_key::<IgnoredAny>()?;
    let Data(data) = map.next_value()?;
    if header.data_len() != data.len() as u64 {
        return Err(de::Error::invalid_length(
            data.len(),
            &"as many bytes as dtype and shape need",
        ));
    }
    Ok(data)
}

/// Bytes, borrowed where they can be.
struct Data<'de>(Cow<'de, [u8]>);

impl<'de> Deserialize<'de> for Data<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        struct Bytes;

        impl<'de> Visitor<'de> for Bytes {
            type Value = Data<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("bytes")
            }

            fn visit_borrowed_bytes<E: de::Error>(self, v: &'de [u8]) -> std::result::Result<Self::Value, E> {
                Ok(Data(Cow::Borrowed(v)))
            }

            fn visit_bytes<E: de::Error>(self, v: &[u8]) -> std::result::Result<Self::Value, E> {
                self.visit_byte_buf(v.to_vec())
            }

            fn visit_byte_buf<E: de::Error>(self, v: Vec<u8>) -> std::result::Result<Self::Value, E> {
                Ok(Data(Cow::Owned(v)))
            }
        }

        deserializer.deserialize_byte_buf(Bytes)
    }
}
