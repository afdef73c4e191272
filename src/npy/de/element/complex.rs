//! Real numbers for targets that are complex numbers.
//!
//! A `Complex<f64>` asks for a tuple of two floats, as a pair of coordinates does, and no coordinates are made of one number.
//! What tells the two apart is the type that a seed is for. So [`hand`] stands wherever a seed is handed a deserializer of
//! this crate: it tells the deserializer, by [`Marker::Complex`], that a complex number asks.

use std::marker::PhantomData;

use num_complex::Complex;
use serde::de::{DeserializeSeed, Deserializer, SeqAccess, Visitor};

use super::ElementDeserializer;
use crate::error::{Error, Result};
use crate::format::dtype::{Dtype, Kind, Order};
use crate::npy::de::data::Bytes;
use crate::npy::marker::Marker;
use crate::npy::whole::Number;

/// A deserializer of this crate, which can be told that it is asked for a complex number. It stays of its type: a wrapper
/// would be one more deserializer that every type of a user is compiled for.
pub(crate) trait ExpectComplex {
    fn expect_complex(self) -> Self;
}

impl ExpectComplex for ElementDeserializer<'_, '_> {
    fn expect_complex(self) -> Self {
        ElementDeserializer {
            number: None,
            marker: Some(Marker::Complex),
            ..self
        }
    }
}

/// `seed.deserialize(deserializer)`, in which a complex number may be a real one.
#[inline(always)]
pub(crate) fn hand<'de, T, D>(seed: T, deserializer: D) -> Result<T::Value, D::Error>
where
    T: DeserializeSeed<'de>,
    D: Deserializer<'de> + ExpectComplex,
{
    let id = typeid::of::<T>();
    let is_complex = id == typeid::of::<PhantomData<Complex<f64>>>() || id == typeid::of::<PhantomData<Complex<f32>>>();
    seed.deserialize(match is_complex {
        true => deserializer.expect_complex(),
        false => deserializer,
    })
}

/// `visitor.visit_some(deserializer)`, likewise.
#[inline(always)]
pub(crate) fn hand_some<'de, V, D>(visitor: V, deserializer: D) -> Result<V::Value, D::Error>
where
    V: Visitor<'de>,
    D: Deserializer<'de> + ExpectComplex,
{
    let id = typeid::of::<V::Value>();
    let is_complex = id == typeid::of::<Option<Complex<f64>>>() || id == typeid::of::<Option<Complex<f32>>>();
    visitor.visit_some(match is_complex {
        true => deserializer.expect_complex(),
        false => deserializer,
    })
}

/// The imaginary part of a real number.
static ZERO: Dtype = Dtype::new(Kind::Float {
    size: 4,
    order: Order::NATIVE,
});

/// A real number and the imaginary part that it has not.
pub(super) struct RealAccess<'a, 'de> {
    pub(super) next: ElementDeserializer<'a, 'de>,
}

impl<'a, 'de: 'a> SeqAccess<'de> for RealAccess<'a, 'de> {
    type Error = Error;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>> {
        let part = self.next;
        self.next = ElementDeserializer {
            dtype: &ZERO,
            bytes: Bytes::Lent(&[0; 4]),
            number: Some(Number::F32),
            ..part
        };
        seed.deserialize(part).map(Some)
    }

    fn size_hint(&self) -> Option<usize> {
        Some(2)
    }
}
