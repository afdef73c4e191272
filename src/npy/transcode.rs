//! Arrays that a type holds whole, shown to the serializers of other formats: nested sequences of their elements.

use std::cell::Cell;
use std::fmt;

use serde::de::{self, DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use serde::ser::{self, Serialize, SerializeMap, SerializeSeq, Serializer};

use crate::error::{into_ser_custom, is_our_error};
use crate::io::source::Slice;
use crate::npy::de::budget::Budget;
use crate::npy::de::with_array;
use crate::npy::raw::{RawArray, RawText};
use crate::options::{Limits, ReadOptions};

impl Serialize for RawArray<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        let mut bytes = Vec::new();
        let gathered = self.data.each(&mut |piece| {
            bytes.extend_from_slice(piece);
            Ok(())
        });
        gathered.map_err(into_ser_custom)?;
        // Elements without a byte are no reason to write without end: 2^40 of them cost their holder nothing.
        let limits = if bytes.is_empty() {
            Limits::new()
        } else {
            Limits::unlimited()
        };
        let options = ReadOptions::new().limits(limits);
        let budget = Budget::new(&options.limits);
        with_array(self.header.clone(), &mut Slice(&bytes), &options, &budget, |array| {
            Ok(transcode(array, serializer))
        })
        .map_err(into_ser_custom)?
    }
}

impl Serialize for RawText<'_> {
    /// Our serializers ask for the text itself; those of other formats are given what it says.
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        if is_our_error::<S::Error>() {
            return serializer.serialize_str(self.0);
        }
        let mut text = serde_json::Deserializer::from_str(self.0);
        let done = transcode(&mut text, serializer)?;
        text.end().map_err(ser::Error::custom)?;
        Ok(done)
    }
}

/// Hands the value of a deserializer to a serializer. An error of the serializer is returned as it is, and not as what
/// the deserializer makes of it: callers look into it, to see that a disk is full.
fn transcode<'de, D: Deserializer<'de>, S: Serializer>(
    deserializer: D,
    serializer: S,
) -> std::result::Result<S::Ok, S::Error> {
    let mut failure = None;
    let forward = Forward {
        serializer,
        failure: &mut failure,
    };
    deserializer
        .deserialize_any(forward)
        .map_err(|err| failure.unwrap_or_else(|| ser::Error::custom(err)))
}

/// Keeps the error of a serializer, and stops the deserializer with one of its own.
fn stop<T, F, E: de::Error>(result: std::result::Result<T, F>, failure: &mut Option<F>) -> std::result::Result<T, E> {
    result.map_err(|err| {
        *failure = Some(err);
        E::custom("the serializer failed")
    })
}

/// Hands what it is given to a serializer.
struct Forward<'f, S: Serializer> {
    serializer: S,
    failure: &'f mut Option<S::Error>,
}

macro_rules! forward {
    ($($visit:ident $serialize:ident $t:ty;)*) => {
        $(
            fn $visit<E: de::Error>(self, v: $t) -> std::result::Result<S::Ok, E> {
                stop(self.serializer.$serialize(v), self.failure)
            }
        )*
    };
}

impl<'de, S: Serializer> Visitor<'de> for Forward<'_, S> {
    type Value = S::Ok;

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

    fn visit_unit<E: de::Error>(self) -> std::result::Result<S::Ok, E> {
        stop(self.serializer.serialize_unit(), self.failure)
    }

    fn visit_none<E: de::Error>(self) -> std::result::Result<S::Ok, E> {
        stop(self.serializer.serialize_none(), self.failure)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> std::result::Result<S::Ok, A::Error> {
        let Forward { serializer, failure } = self;
        let mut out = stop(serializer.serialize_seq(seq.size_hint()), failure)?;
        while seq
            .next_element_seed(IntoSeq {
                out: &mut out,
                failure: &mut *failure,
            })?
            .is_some()
        {}
        stop(out.end(), failure)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> std::result::Result<S::Ok, A::Error> {
        let Forward { serializer, failure } = self;
        let mut out = stop(serializer.serialize_map(map.size_hint()), failure)?;
        while let Some(key) = map.next_key::<String>()? {
            stop(out.serialize_key(&key), failure)?;
            map.next_value_seed(IntoMap {
                out: &mut out,
                failure: &mut *failure,
            })?;
        }
        stop(out.end(), failure)
    }
}

struct IntoSeq<'a, S: SerializeSeq> {
    out: &'a mut S,
    failure: &'a mut Option<S::Error>,
}

impl<'de, S: SerializeSeq> DeserializeSeed<'de> for IntoSeq<'_, S> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> std::result::Result<(), D::Error> {
        stop(self.out.serialize_element(&Transcode::new(deserializer)), self.failure)
    }
}

struct IntoMap<'a, S: SerializeMap> {
    out: &'a mut S,
    failure: &'a mut Option<S::Error>,
}

impl<'de, S: SerializeMap> DeserializeSeed<'de> for IntoMap<'_, S> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> std::result::Result<(), D::Error> {
        stop(self.out.serialize_value(&Transcode::new(deserializer)), self.failure)
    }
}

/// A value that is read while it is written, once.
struct Transcode<D>(Cell<Option<D>>);

impl<D> Transcode<D> {
    fn new(deserializer: D) -> Self {
        Transcode(Cell::new(Some(deserializer)))
    }
}

impl<'de, D: Deserializer<'de>> Serialize for Transcode<D> {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        let Some(deserializer) = self.0.take() else {
            return Err(ser::Error::custom(
                "found an element asked for twice, expected one pass over an array",
            ));
        };
        transcode(deserializer, serializer)
    }
}
