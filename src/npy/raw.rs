//! Arrays as they lie in a file, for the types that hold them whole: read back as header and data, and shown to other
//! serializers as nested sequences.
//!
//! ```text
//! {"$serde_npz::raw": (b"\x93NUMPY..{'descr': '<f8', ..}\n", b"\x00\x00..")}     what a visitor inside RAW is given
//! ```

use std::borrow::Cow;
use std::cell::Cell;
use std::fmt;

use serde::de::value::{BorrowedBytesDeserializer, BytesDeserializer, StrDeserializer};
use serde::de::{DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use serde::forward_to_deserialize_any;
use serde::ser::{self, Serialize, SerializeMap, SerializeSeq, Serializer};
use serde::{Deserialize, de};

use crate::error::{Error, Result};
use crate::header::Header;
use crate::marker::RAW;
use crate::npy::cursor::Cursor;
use crate::npy::de::Array;
use crate::options::{Limits, ReadOptions};
use crate::raw::RawArray;
use crate::source::Slice;

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

impl Serialize for RawArray<'_> {
    /// For serializers of other formats: nested sequences of what the elements are.
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        let mut bytes = Vec::new();
        let gathered = self.data.each(&mut |piece| {
            bytes.extend_from_slice(piece);
            Ok(())
        });
        gathered.map_err(ser::Error::custom)?;
        let options = ReadOptions::new().limits(Limits::unlimited());
        let mut source = Slice(&bytes);
        let mut cursor = Cursor::new(self.header.clone(), &mut source, &options).map_err(ser::Error::custom)?;
        Array::new(&mut cursor)
            .deserialize_any(Forward(serializer))
            .map_err(ser::Error::custom)?
    }
}

/// Hands whatever comes to a serializer, whose own error is part of the value.
struct Forward<S>(S);

macro_rules! forward {
    ($($visit:ident $serialize:ident $t:ty;)*) => {
        $(
            fn $visit<E: de::Error>(self, v: $t) -> std::result::Result<Self::Value, E> {
                Ok(self.0.$serialize(v))
            }
        )*
    };
}

impl<'de, S: Serializer> Visitor<'de> for Forward<S> {
    type Value = std::result::Result<S::Ok, S::Error>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an element of an array")
    }

    forward! {
        visit_bool serialize_bool bool;
        visit_i8 serialize_i8 i8;
        visit_i16 serialize_i16 i16;
        visit_i32 serialize_i32 i32;
        visit_i64 serialize_i64 i64;
        visit_u8 serialize_u8 u8;
        visit_u16 serialize_u16 u16;
        visit_u32 serialize_u32 u32;
        visit_u64 serialize_u64 u64;
        visit_f32 serialize_f32 f32;
        visit_f64 serialize_f64 f64;
        visit_char serialize_char char;
        visit_str serialize_str &str;
        visit_bytes serialize_bytes &[u8];
    }

    fn visit_unit<E: de::Error>(self) -> std::result::Result<Self::Value, E> {
        Ok(self.0.serialize_unit())
    }

    fn visit_none<E: de::Error>(self) -> std::result::Result<Self::Value, E> {
        Ok(self.0.serialize_none())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> std::result::Result<Self::Value, A::Error> {
        let mut out = match self.0.serialize_seq(seq.size_hint()) {
            Ok(out) => out,
            Err(err) => return Ok(Err(err)),
        };
        while let Some(done) = seq.next_element_seed(IntoSeq(&mut out))? {
            if let Err(err) = done {
                return Ok(Err(err));
            }
        }
        Ok(out.end())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> std::result::Result<Self::Value, A::Error> {
        let mut out = match self.0.serialize_map(map.size_hint()) {
            Ok(out) => out,
            Err(err) => return Ok(Err(err)),
        };
        while let Some(key) = map.next_key::<String>()? {
            if let Err(err) = out.serialize_key(&key) {
                return Ok(Err(err));
            }
            if let Err(err) = map.next_value_seed(IntoMap(&mut out))? {
                return Ok(Err(err));
            }
        }
        Ok(out.end())
    }
}

struct IntoSeq<'a, S>(&'a mut S);

impl<'de, S: SerializeSeq> DeserializeSeed<'de> for IntoSeq<'_, S> {
    type Value = std::result::Result<(), S::Error>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> std::result::Result<Self::Value, D::Error> {
        Ok(self.0.serialize_element(&Transcode(Cell::new(Some(deserializer)))))
    }
}

struct IntoMap<'a, S>(&'a mut S);

impl<'de, S: SerializeMap> DeserializeSeed<'de> for IntoMap<'_, S> {
    type Value = std::result::Result<(), S::Error>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> std::result::Result<Self::Value, D::Error> {
        Ok(self.0.serialize_value(&Transcode(Cell::new(Some(deserializer)))))
    }
}

/// A value that is read while it is written, once.
struct Transcode<D>(Cell<Option<D>>);

impl<'de, D: Deserializer<'de>> Serialize for Transcode<D> {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        let Some(deserializer) = self.0.take() else {
            return Err(ser::Error::custom(
                "found an element asked for twice, expected one pass over an array",
            ));
        };
        deserializer
            .deserialize_any(Forward(serializer))
            .map_err(ser::Error::custom)?
    }
}
