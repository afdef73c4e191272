//! Values that come through serde's buffer, for the modules of floats: nothing is rounded, and NaN is None where it stands for
//! that.
//!
//! ```text
//! file  <f8 0.1    buffer  F64(0.1)    f32   an error, as without the buffer
//! file  <f8 nan    buffer  F64(nan)    Option<f64> inside `with::nan`   None
//! ```
//!
//! `flatten`, untagged and internally tagged enums keep every float as an `f64` or `f32` as it lies in the file, and serde rounds what is taken
//! out. Our own deserializers have checked each number before.

use std::any::type_name;
use std::fmt;

use serde::de::value::{MapAccessDeserializer, SeqAccessDeserializer};
use serde::de::{
    DeserializeSeed, Deserializer, EnumAccess, Error, IntoDeserializer, MapAccess, SeqAccess, Unexpected,
    VariantAccess, Visitor,
};

use crate::error::is_our_error;

/// Whether a value of our own deserializers comes from `D` by way of serde's buffer.
pub(super) fn is_buffered<'de, D: Deserializer<'de>>() -> bool {
    is_our_error::<D::Error>() && !type_name::<D>().starts_with("serde_npz::")
}

/// What is around a value in the buffer, or in one of its parts.
#[derive(Clone, Copy)]
pub(super) struct Exact<D> {
    pub(super) inner: D,
    /// In an `Option`, NaN is None.
    pub(super) nan: bool,
}

impl<D> Exact<D> {
    fn with<T>(&self, inner: T) -> Exact<T> {
        Exact { inner, nan: self.nan }
    }
}

/// A float type, by how many binary digits it has.
const SINGLE: Option<u32> = Some(f32::MANTISSA_DIGITS);
const DOUBLE: Option<u32> = Some(f64::MANTISSA_DIGITS);

macro_rules! forward {
    ($($method:ident($($arg:ident: $t:ty),*) $digits:expr;)*) => { $(
        fn $method<V: Visitor<'de>>(self $(, $arg: $t)*, visitor: V) -> Result<V::Value, D::Error> {
            let visitor = ExactVisitor { visitor, nan: self.nan, digits: $digits };
            self.inner.$method($($arg,)* visitor)
        }
    )* };
}

impl<'de, D: Deserializer<'de>> Deserializer<'de> for Exact<D> {
    type Error = D::Error;

    forward! {
        deserialize_any() None;
        deserialize_bool() None;
        deserialize_i8() None;
        deserialize_i16() None;
        deserialize_i32() None;
        deserialize_i64() None;
        deserialize_i128() None;
        deserialize_u8() None;
        deserialize_u16() None;
        deserialize_u32() None;
        deserialize_u64() None;
        deserialize_u128() None;
        deserialize_f32() SINGLE;
        deserialize_f64() DOUBLE;
        deserialize_char() None;
        deserialize_str() None;
        deserialize_string() None;
        deserialize_bytes() None;
        deserialize_byte_buf() None;
        deserialize_unit() None;
        deserialize_unit_struct(name: &'static str) None;
        deserialize_newtype_struct(name: &'static str) None;
        deserialize_seq() None;
        deserialize_tuple(len: usize) None;
        deserialize_tuple_struct(name: &'static str, len: usize) None;
        deserialize_map() None;
        deserialize_struct(name: &'static str, fields: &'static [&'static str]) None;
        deserialize_enum(name: &'static str, variants: &'static [&'static str]) None;
        deserialize_identifier() None;
        deserialize_ignored_any() None;
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, D::Error> {
        let nan = self.nan;
        self.inner
            .deserialize_option(OptionVisitor(Exact { inner: visitor, nan }))
    }

    fn is_human_readable(&self) -> bool {
        self.inner.is_human_readable()
    }
}

/// A visitor that is handed nothing but what its type holds exactly.
struct ExactVisitor<V> {
    visitor: V,
    nan: bool,
    /// How many binary digits the float has that is asked for.
    digits: Option<u32>,
}

impl<V> ExactVisitor<V> {
    fn part<T>(&self, inner: T) -> Exact<T> {
        Exact { inner, nan: self.nan }
    }

    fn check_integer<E: Error>(&self, size: u64, found: Unexpected<'_>) -> Result<(), E> {
        let places = size
            .checked_ilog2()
            .map_or(0, |highest| highest + 1 - size.trailing_zeros());
        match self.digits {
            Some(digits) if places > digits => Err(inexact(found)),
            _ => Ok(()),
        }
    }
}

#[cold]
fn inexact<E: Error>(found: Unexpected<'_>) -> E {
    E::invalid_type(found, &"a number that the type holds exactly")
}

macro_rules! plain {
    ($($method:ident $t:ty;)*) => { $(
        fn $method<E: Error>(self, v: $t) -> Result<V::Value, E> {
            self.visitor.$method(v)
        }
    )* };
}

impl<'de, V: Visitor<'de>> Visitor<'de> for ExactVisitor<V> {
    type Value = V::Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.visitor.expecting(f)
    }

    plain! {
        visit_bool bool;
        visit_i8 i8;
        visit_i16 i16;
        visit_u8 u8;
        visit_u16 u16;
        visit_i128 i128;
        visit_u128 u128;
        visit_f32 f32;
        visit_char char;
        visit_str &str;
        visit_borrowed_str &'de str;
        visit_string String;
        visit_bytes &[u8];
        visit_borrowed_bytes &'de [u8];
        visit_byte_buf Vec<u8>;
    }

    fn visit_i32<E: Error>(self, v: i32) -> Result<V::Value, E> {
        self.visit_i64(v.into())
    }

    fn visit_i64<E: Error>(self, v: i64) -> Result<V::Value, E> {
        self.check_integer(v.unsigned_abs(), Unexpected::Signed(v))?;
        self.visitor.visit_i64(v)
    }

    fn visit_u32<E: Error>(self, v: u32) -> Result<V::Value, E> {
        self.visit_u64(v.into())
    }

    fn visit_u64<E: Error>(self, v: u64) -> Result<V::Value, E> {
        self.check_integer(v, Unexpected::Unsigned(v))?;
        self.visitor.visit_u64(v)
    }

    #[expect(
        clippy::cast_possible_truncation,
        reason = "whether it is rounded is what is looked at"
    )]
    fn visit_f64<E: Error>(self, v: f64) -> Result<V::Value, E> {
        if self.digits == SINGLE && !v.is_nan() && f64::from(v as f32) != v {
            return Err(inexact(Unexpected::Float(v)));
        }
        self.visitor.visit_f64(v)
    }

    fn visit_none<E: Error>(self) -> Result<V::Value, E> {
        self.visitor.visit_none()
    }

    fn visit_unit<E: Error>(self) -> Result<V::Value, E> {
        self.visitor.visit_unit()
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<V::Value, D::Error> {
        let part = self.part(deserializer);
        self.visitor.visit_some(part)
    }

    fn visit_newtype_struct<D: Deserializer<'de>>(self, deserializer: D) -> Result<V::Value, D::Error> {
        let part = self.part(deserializer);
        self.visitor.visit_newtype_struct(part)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, seq: A) -> Result<V::Value, A::Error> {
        let part = self.part(seq);
        self.visitor.visit_seq(part)
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<V::Value, A::Error> {
        let part = self.part(map);
        self.visitor.visit_map(part)
    }

    fn visit_enum<A: EnumAccess<'de>>(self, data: A) -> Result<V::Value, A::Error> {
        let part = self.part(data);
        self.visitor.visit_enum(part)
    }
}

impl<'de, A: SeqAccess<'de>> SeqAccess<'de> for Exact<A> {
    type Error = A::Error;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, A::Error> {
        let seed = self.with(seed);
        self.inner.next_element_seed(seed)
    }

    fn size_hint(&self) -> Option<usize> {
        self.inner.size_hint()
    }
}

impl<'de, A: MapAccess<'de>> MapAccess<'de> for Exact<A> {
    type Error = A::Error;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, A::Error> {
        self.inner.next_key_seed(seed)
    }

    fn next_value_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<T::Value, A::Error> {
        let seed = self.with(seed);
        self.inner.next_value_seed(seed)
    }

    fn size_hint(&self) -> Option<usize> {
        self.inner.size_hint()
    }
}

impl<'de, A: EnumAccess<'de>> EnumAccess<'de> for Exact<A> {
    type Error = A::Error;
    type Variant = Exact<A::Variant>;

    fn variant_seed<T: DeserializeSeed<'de>>(self, seed: T) -> Result<(T::Value, Self::Variant), A::Error> {
        let nan = self.nan;
        let (variant, content) = self.inner.variant_seed(seed)?;
        Ok((variant, Exact { inner: content, nan }))
    }
}

impl<'de, A: VariantAccess<'de>> VariantAccess<'de> for Exact<A> {
    type Error = A::Error;

    fn unit_variant(self) -> Result<(), A::Error> {
        self.inner.unit_variant()
    }

    fn newtype_variant_seed<T: DeserializeSeed<'de>>(self, seed: T) -> Result<T::Value, A::Error> {
        let seed = self.with(seed);
        self.inner.newtype_variant_seed(seed)
    }

    fn tuple_variant<V: Visitor<'de>>(self, len: usize, visitor: V) -> Result<V::Value, A::Error> {
        let visitor = ExactVisitor {
            visitor,
            nan: self.nan,
            digits: None,
        };
        self.inner.tuple_variant(len, visitor)
    }

    fn struct_variant<V: Visitor<'de>>(
        self,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, A::Error> {
        let visitor = ExactVisitor {
            visitor,
            nan: self.nan,
            digits: None,
        };
        self.inner.struct_variant(fields, visitor)
    }
}

impl<'de, T: DeserializeSeed<'de>> DeserializeSeed<'de> for Exact<T> {
    type Value = T::Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<T::Value, D::Error> {
        let nan = self.nan;
        self.inner.deserialize(Exact {
            inner: deserializer,
            nan,
        })
    }
}

/// The visitor of an `Option`, around one that reads what is in it.
struct OptionVisitor<V>(Exact<V>);

impl<'de, V: Visitor<'de>> Visitor<'de> for OptionVisitor<V> {
    type Value = V::Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.inner.expecting(f)
    }

    fn visit_none<E: Error>(self) -> Result<V::Value, E> {
        self.0.inner.visit_none()
    }

    fn visit_unit<E: Error>(self) -> Result<V::Value, E> {
        self.0.inner.visit_unit()
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<V::Value, D::Error> {
        if self.0.nan {
            return deserializer.deserialize_any(SomeVisitor(self.0));
        }
        let part = self.0.with(deserializer);
        self.0.inner.visit_some(part)
    }
}

/// Looks at a value in an `Option`: NaN is none, all else is handed on.
struct SomeVisitor<V>(Exact<V>);

impl<'de, V: Visitor<'de>> SomeVisitor<V> {
    fn some<D: Deserializer<'de>>(self, value: D) -> Result<V::Value, D::Error> {
        let part = self.0.with(value);
        self.0.inner.visit_some(part)
    }
}

macro_rules! some {
    ($($method:ident $t:ty;)*) => { $(
        fn $method<E: Error>(self, v: $t) -> Result<V::Value, E> {
            self.some(v.into_deserializer())
        }
    )* };
}

impl<'de, V: Visitor<'de>> Visitor<'de> for SomeVisitor<V> {
    type Value = V::Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.inner.expecting(f)
    }

    some! {
        visit_bool bool;
        visit_i8 i8;
        visit_i16 i16;
        visit_i32 i32;
        visit_i64 i64;
        visit_u8 u8;
        visit_u16 u16;
        visit_u32 u32;
        visit_u64 u64;
        visit_char char;
        visit_str &str;
        visit_string String;
    }

    fn visit_f32<E: Error>(self, v: f32) -> Result<V::Value, E> {
        if v.is_nan() {
            return self.0.inner.visit_none();
        }
        self.some(v.into_deserializer())
    }

    fn visit_f64<E: Error>(self, v: f64) -> Result<V::Value, E> {
        if v.is_nan() {
            return self.0.inner.visit_none();
        }
        self.some(v.into_deserializer())
    }

    fn visit_bytes<E: Error>(self, v: &[u8]) -> Result<V::Value, E> {
        self.some(v.into_deserializer())
    }

    fn visit_byte_buf<E: Error>(self, v: Vec<u8>) -> Result<V::Value, E> {
        self.visit_bytes(&v)
    }

    fn visit_borrowed_str<E: Error>(self, v: &'de str) -> Result<V::Value, E> {
        self.some(serde::de::value::BorrowedStrDeserializer::new(v))
    }

    fn visit_borrowed_bytes<E: Error>(self, v: &'de [u8]) -> Result<V::Value, E> {
        self.some(serde::de::value::BorrowedBytesDeserializer::new(v))
    }

    fn visit_none<E: Error>(self) -> Result<V::Value, E> {
        self.0.inner.visit_none()
    }

    fn visit_unit<E: Error>(self) -> Result<V::Value, E> {
        self.0.inner.visit_none()
    }

    fn visit_newtype_struct<D: Deserializer<'de>>(self, deserializer: D) -> Result<V::Value, D::Error> {
        self.some(deserializer)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, seq: A) -> Result<V::Value, A::Error> {
        self.some(SeqAccessDeserializer::new(seq))
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<V::Value, A::Error> {
        self.some(MapAccessDeserializer::new(map))
    }
}
