//! Real numbers for targets that are complex numbers.
//!
//! A `Complex<f64>` asks for a tuple of two floats, as a pair of coordinates does, and no coordinates are made of one number.
//! What tells the two apart is the type that a seed is for. So [`hand`] stands wherever a seed is handed a deserializer of
//! this crate: it has a complex number ask inside the marker [`COMPLEX`].

use std::fmt;
use std::marker::PhantomData;

use num_complex::Complex;
use serde::de::{DeserializeSeed, Deserializer, IntoDeserializer, SeqAccess, Visitor};
use serde::forward_to_deserialize_any;

use super::ElementDeserializer;
use crate::error::{Error, Result};
use crate::npy::marker::COMPLEX;

/// `seed.deserialize(deserializer)`, in which a complex number may be a real one.
#[inline(always)]
pub(crate) fn hand<'de, T, D>(seed: T, deserializer: D) -> Result<T::Value, D::Error>
where
    T: DeserializeSeed<'de>,
    D: Deserializer<'de>,
{
    let id = typeid::of::<T>();
    if id == typeid::of::<PhantomData<Complex<f64>>>() || id == typeid::of::<PhantomData<Complex<f32>>>() {
        return seed.deserialize(AsComplex(deserializer));
    }
    seed.deserialize(deserializer)
}

/// `visitor.visit_some(deserializer)`, likewise.
#[inline(always)]
pub(crate) fn hand_some<'de, V, D>(visitor: V, deserializer: D) -> Result<V::Value, D::Error>
where
    V: Visitor<'de>,
    D: Deserializer<'de>,
{
    let id = typeid::of::<V::Value>();
    if id == typeid::of::<Option<Complex<f64>>>() || id == typeid::of::<Option<Complex<f32>>>() {
        return visitor.visit_some(AsComplex(deserializer));
    }
    visitor.visit_some(deserializer)
}

/// Asks for a tuple inside the marker.
struct AsComplex<D>(D);

impl<'de, D: Deserializer<'de>> Deserializer<'de> for AsComplex<D> {
    type Error = D::Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, D::Error> {
        self.0.deserialize_any(visitor)
    }

    fn deserialize_tuple<V: Visitor<'de>>(self, len: usize, visitor: V) -> Result<V::Value, D::Error> {
        self.0.deserialize_newtype_struct(COMPLEX, Inside { len, visitor })
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option unit unit_struct
        newtype_struct seq tuple_struct map struct enum identifier ignored_any
    }
}

struct Inside<V> {
    len: usize,
    visitor: V,
}

impl<'de, V: Visitor<'de>> Visitor<'de> for Inside<V> {
    type Value = V::Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.visitor.expecting(f)
    }

    fn visit_newtype_struct<D: Deserializer<'de>>(self, deserializer: D) -> Result<V::Value, D::Error> {
        deserializer.deserialize_tuple(self.len, self.visitor)
    }
}

/// A real number and the imaginary part that it has not.
pub(super) struct RealAccess<'a, 'de> {
    pub(super) real: Option<ElementDeserializer<'a, 'de>>,
}

impl<'a, 'de: 'a> SeqAccess<'de> for RealAccess<'a, 'de> {
    type Error = Error;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>> {
        match self.real.take() {
            Some(real) => seed.deserialize(real).map(Some),
            None => seed.deserialize(0_f32.into_deserializer()).map(Some),
        }
    }

    fn size_hint(&self) -> Option<usize> {
        Some(2)
    }
}
