//! Arrays that a type holds whole, shown to the serializers of other formats: nested sequences of their elements.

use std::cell::Cell;
use std::fmt;

use serde::de::{self, DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use serde::ser::{self, Serialize, SerializeMap, SerializeSeq, Serializer};

use crate::error::Error;
use crate::io::source::Slice;
use crate::npy::de::array::Array;
use crate::npy::de::cursor::Cursor;
use crate::npy::raw::{RawArray, RawText};
use crate::options::{Limits, ReadOptions};

impl Serialize for RawArray<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        let mut bytes = Vec::new();
        let gathered = self.data.each(&mut |piece| {
            bytes.extend_from_slice(piece);
            Ok(())
        });
        gathered.map_err(ser::Error::custom)?;
        // Elements without a byte are no reason to write without end: 2^40 of them cost their holder nothing.
        let limits = if bytes.is_empty() {
            Limits::new()
        } else {
            Limits::unlimited()
        };
        let options = ReadOptions::new().limits(limits);
        let mut source = Slice(&bytes);
        let mut cursor = Cursor::new(self.header.clone(), &mut source, &options).map_err(ser::Error::custom)?;
        Array::new(&mut cursor)
            .deserialize_any(Forward(serializer))
            .map_err(ser::Error::custom)?
    }
}

impl Serialize for RawText<'_> {
    /// As its own text to our serializers, who ask for it; what it says to those of other formats.
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        if typeid::of::<S::Error>() == typeid::of::<Error>() {
            return serializer.serialize_str(self.0);
        }
        let mut text = serde_json::Deserializer::from_str(self.0);
        let done = text.deserialize_any(Forward(serializer)).map_err(ser::Error::custom)?;
        text.end().map_err(ser::Error::custom)?;
        done
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
