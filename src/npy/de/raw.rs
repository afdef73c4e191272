//! Arrays as they lie in a file, for the types that hold them whole: read back as header and data.
//!
//! ```text
//! {"$serde_npz::raw": (b"\x93NUMPY..{'descr': '<f8', ..}\n", b"\x00\x00..")}     what a visitor inside RAW is given
//! ```

use std::borrow::Cow;
use std::fmt;

use serde::de::value::{BorrowedBytesDeserializer, BytesDeserializer, StrDeserializer};
use serde::de::{DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, de, forward_to_deserialize_any};

use crate::error::{Error, Result};
use crate::format::header::Header;
use crate::npy::marker::RAW;
use crate::options::{Limits, ReadOptions};

/// An array as a map of the one key [`RAW`], for whoever asked for it by that marker.
pub(crate) struct RawAccess<'de> {
    header: Vec<u8>,
    data: Cow<'de, [u8]>,
    part: u8,
}

impl<'de> RawAccess<'de> {
    pub(crate) fn new(header: &Header, data: Cow<'de, [u8]>) -> Self {
        RawAccess {
            header: header.to_bytes(),
            data,
            part: 0,
        }
    }
}

impl<'de> Deserializer<'de> for RawAccess<'de> {
    type Error = Error;

    fn deserialize_any<V: Visitor<'de>>(mut self, visitor: V) -> Result<V::Value> {
        visitor.visit_map(&mut self)
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option unit unit_struct
        newtype_struct seq tuple tuple_struct map struct enum identifier ignored_any
    }
}

impl<'de> MapAccess<'de> for &mut RawAccess<'de> {
    type Error = Error;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>> {
        if self.part > 0 {
            return Ok(None);
        }
        seed.deserialize(StrDeserializer::new(RAW)).map(Some)
    }

    fn next_value_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<T::Value> {
        seed.deserialize(Parts(self))
    }
}

/// The pair of header and data.
struct Parts<'r, 'de>(&'r mut RawAccess<'de>);

impl<'de> Deserializer<'de> for Parts<'_, 'de> {
    type Error = Error;

    fn deserialize_any<V: Visitor<'de>>(mut self, visitor: V) -> Result<V::Value> {
        visitor.visit_seq(&mut self)
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option unit unit_struct
        newtype_struct seq tuple tuple_struct map struct enum identifier ignored_any
    }
}

impl<'de> SeqAccess<'de> for &mut Parts<'_, 'de> {
    type Error = Error;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>> {
        self.0.part += 1;
        match self.0.part {
            1 => seed.deserialize(BytesDeserializer::new(&self.0.header)).map(Some),
            2 => match std::mem::take(&mut self.0.data) {
                Cow::Borrowed(data) => seed.deserialize(BorrowedBytesDeserializer::new(data)).map(Some),
                Cow::Owned(data) => seed.deserialize(OwnedBytes(data)).map(Some),
            },
            _ => Ok(None),
        }
    }
}

struct OwnedBytes(Vec<u8>);

impl<'de> Deserializer<'de> for OwnedBytes {
    type Error = Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        visitor.visit_byte_buf(self.0)
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option unit unit_struct
        newtype_struct seq tuple tuple_struct map struct enum identifier ignored_any
    }
}

/// What [`RawAccess`] hands out under its key: the value of the entry is read as this.
pub(crate) struct RawParts<'de> {
    pub(crate) header: Header,
    pub(crate) data: Cow<'de, [u8]>,
}

impl<'de> Deserialize<'de> for RawParts<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        struct Pair;

        impl<'de> Visitor<'de> for Pair {
            type Value = RawParts<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("the header of an array and its data")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> std::result::Result<Self::Value, A::Error> {
                let short = || de::Error::invalid_length(0, &"the header of an array and its data");
                let Data(header) = seq.next_element()?.ok_or_else(short)?;
                let Data(data) = seq.next_element()?.ok_or_else(short)?;
                let options = ReadOptions::new()
                    .limits(Limits::unlimited())
                    .max_header_size(usize::MAX);
                let header = Header::read_with(&mut &header[..], &options).map_err(de::Error::custom)?;
                if header.data_len() != data.len() as u64 {
                    return Err(de::Error::invalid_length(
                        data.len(),
                        &"as many bytes as the header announces",
                    ));
                }
                Ok(RawParts { header, data })
            }
        }

        deserializer.deserialize_tuple(2, Pair)
    }
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

        deserializer.deserialize_bytes(Bytes)
    }
}
