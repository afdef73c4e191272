//! A plain value out of a `Serialize`: the bits of a half float, the seconds of a duration, the axes of an ndarray,
//! the key of a map.

use serde::Serialize;
use serde::ser::{Impossible, Serializer};

use crate::error::{Error, ErrorKind, Result};
use crate::npy::layout::compound::{compound, refusals};

/// The integer that `value` is, if it is an unsigned one.
pub(crate) fn unsigned<T: Serialize + ?Sized>(value: &T) -> Option<u64> {
    match value.serialize(ANY) {
        Ok(Captured::Unsigned(v)) => Some(v),
        _ => None,
    }
}

/// The integers that `value` is a sequence or tuple of.
pub(crate) fn dims<T: Serialize + ?Sized>(value: &T) -> Option<Vec<u64>> {
    match value.serialize(ANY) {
        Ok(Captured::Dims(dims)) => Some(dims),
        _ => None,
    }
}

/// The text of a map key: strings, integers, bools, chars and unit variants, as serde_json turns them to text.
pub(crate) fn key<K: Serialize + ?Sized>(key: &K) -> Result<String> {
    Ok(match key.serialize(ANY)? {
        Captured::Unsigned(v) => v.to_string(),
        Captured::Text(text) => text,
        Captured::Dims(_) | Captured::Bytes(_) | Captured::Same => return Err(no_plain_value()),
    })
}

/// Whether the text of a map key is `name`.
pub(crate) fn is_key<K: Serialize + ?Sized>(key: &K, name: &str) -> bool {
    matches!(
        key.serialize(Capture {
            newtypes: 0,
            name: Some(name)
        }),
        Ok(Captured::Same)
    )
}

/// Whether two names are equal; mostly they are one and the same literal.
#[inline]
pub(crate) fn same_name(a: &str, b: &str) -> bool {
    a.len() == b.len() && (std::ptr::eq(a, b) || a == b)
}

/// The bytes of a text or of bytes.
pub(crate) fn bytes<T: Serialize + ?Sized>(value: &T) -> Option<Vec<u8>> {
    match value.serialize(ANY) {
        Ok(Captured::Bytes(bytes)) => Some(bytes),
        Ok(Captured::Text(text)) => Some(text.into_bytes()),
        _ => None,
    }
}

enum Captured {
    Unsigned(u64),
    Text(String),
    Dims(Vec<u64>),
    Bytes(Vec<u8>),
    /// The text that was asked for.
    Same,
}

#[derive(Clone, Copy)]
struct Capture<'a> {
    /// Those around the value, which could be endless.
    newtypes: u32,
    /// The one text that is looked for.
    name: Option<&'a str>,
}

const ANY: Capture<'static> = Capture {
    newtypes: 0,
    name: None,
};

const MAX_NEWTYPES: u32 = 64;

macro_rules! take {
    ($($method:ident($t:ty) $captured:ident $via:ident;)*) => {
        $(fn $method(self, v: $t) -> Result<Captured> { Ok(Captured::$captured(v.$via())) })*
    };
}

#[cold]
fn no_plain_value() -> Error {
    Error::new(
        ErrorKind::UnsupportedType,
        "found a map key that is no plain value, expected a string, an integer, a bool, a char or a unit variant",
    )
}

impl Capture<'_> {
    #[cold]
    fn refuse(self, _: &str) -> Error {
        no_plain_value()
    }
}

impl Serializer for Capture<'_> {
    type Ok = Captured;
    type Error = Error;
    type SerializeSeq = Dims;
    type SerializeTuple = Dims;
    type SerializeTupleStruct = Impossible<Captured, Error>;
    type SerializeTupleVariant = Impossible<Captured, Error>;
    type SerializeMap = Impossible<Captured, Error>;
    type SerializeStruct = Impossible<Captured, Error>;
    type SerializeStructVariant = Impossible<Captured, Error>;

    take! {
        serialize_u8(u8) Unsigned into;
        serialize_u16(u16) Unsigned into;
        serialize_u32(u32) Unsigned into;
        serialize_u64(u64) Unsigned into;
        serialize_i8(i8) Text to_string;
        serialize_i16(i16) Text to_string;
        serialize_i32(i32) Text to_string;
        serialize_i64(i64) Text to_string;
        serialize_i128(i128) Text to_string;
        serialize_u128(u128) Text to_string;
        serialize_bool(bool) Text to_string;
        serialize_char(char) Text to_string;
        serialize_bytes(&[u8]) Bytes to_vec;
    }

    refusals!(
        serialize_f32 serialize_f64 serialize_none serialize_some serialize_unit serialize_unit_struct
        serialize_newtype_variant serialize_tuple_struct serialize_tuple_variant serialize_map serialize_struct
        serialize_struct_variant
    );

    fn serialize_str(self, v: &str) -> Result<Captured> {
        if self.name == Some(v) {
            return Ok(Captured::Same);
        }
        Ok(Captured::Text(v.to_owned()))
    }

    fn serialize_unit_variant(self, _: &'static str, _: u32, variant: &'static str) -> Result<Captured> {
        Ok(Captured::Text(variant.to_owned()))
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(self, _: &'static str, value: &T) -> Result<Captured> {
        if self.newtypes >= MAX_NEWTYPES {
            return Err(no_plain_value());
        }
        value.serialize(Capture {
            newtypes: self.newtypes + 1,
            ..self
        })
    }

    fn serialize_seq(self, _: Option<usize>) -> Result<Dims> {
        Ok(Dims(Vec::new()))
    }

    fn serialize_tuple(self, _: usize) -> Result<Dims> {
        Ok(Dims(Vec::new()))
    }
}

/// No array has more axes; whoever goes on is no ndarray.
const MAX_DIMS: usize = 64;

struct Dims(Vec<u64>);

impl Dims {
    fn push<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<()> {
        match unsigned(value) {
            Some(len) if self.0.len() < MAX_DIMS => self.0.push(len),
            _ => return Err(no_plain_value()),
        }
        Ok(())
    }

    fn finish(self) -> Result<Captured> {
        Ok(Captured::Dims(self.0))
    }
}

compound!(Dims => Captured, Error: SerializeSeq serialize_element, SerializeTuple serialize_element);
