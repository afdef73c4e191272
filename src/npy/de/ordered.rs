//! An array for types that can hold either order: its shape, its order, and its elements in that order.
//!
//! ```text
//! file   {'descr': '<f8', 'fortran_order': True, 'shape': (2, 3), }   a d b e c f
//! given  {"descr": "<f8", "dim": [2, 3], "fortran": true, "data": [a, d, b, e, c, f]}
//! ```
//!
//! `descr` is for targets that take any dtype; they may ask for `data` as bytes.

use serde::de::value::{SeqDeserializer, StrDeserializer};
use serde::de::{DeserializeSeed, Deserializer, IntoDeserializer, MapAccess, Visitor};
use serde::forward_to_deserialize_any;

use super::ndarray::Flat;
use crate::error::{Error, ErrorKind, Result};
use crate::format::dtype::Kind;
use crate::npy::de::array::ArrayDeserializer;
use crate::npy::marker::PAIRS;

/// An array as the map of these fields.
pub(super) struct Ordered<'a, 's, 'de> {
    pub(super) array: ArrayDeserializer<'a, 's, 'de>,
    pub(super) fields: &'static [&'static str],
}

impl<'de> Deserializer<'de> for Ordered<'_, '_, 'de> {
    type Error = Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        visitor.visit_map(OrderedAccess::new(self.array, self.fields))
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option unit unit_struct
        newtype_struct seq tuple tuple_struct map struct enum identifier ignored_any
    }
}

/// The fields of [`ORDERED`](crate::npy::marker::ORDERED) that the target asked for, one after another.
struct OrderedAccess<'a, 's, 'de> {
    array: Option<ArrayDeserializer<'a, 's, 'de>>,
    fields: std::slice::Iter<'static, &'static str>,
    field: Option<&'static str>,
    /// As many axes as the target asked for in `dim`.
    axes: usize,
    fortran: bool,
}

impl<'a, 's, 'de> OrderedAccess<'a, 's, 'de> {
    fn new(array: ArrayDeserializer<'a, 's, 'de>, fields: &'static [&'static str]) -> Self {
        OrderedAccess {
            array: Some(array),
            fields: fields.iter(),
            field: None,
            axes: 0,
            fortran: false,
        }
    }
}

impl<'de> MapAccess<'de> for OrderedAccess<'_, '_, 'de> {
    type Error = Error;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>> {
        self.field = self.fields.next().copied();
        match self.field {
            Some(field) => seed.deserialize(StrDeserializer::new(field)).map(Some),
            None => Ok(None),
        }
    }

    fn next_value_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<T::Value> {
        match (self.field.take(), &mut self.array) {
            (Some("descr"), Some(array)) => seed.deserialize(array.data.header.dtype().to_string().into_deserializer()),
            (Some("dim"), Some(array)) => seed.deserialize(Axes {
                array,
                axes: &mut self.axes,
                fortran: &mut self.fortran,
            }),
            (Some("fortran"), _) => seed.deserialize(self.fortran.into_deserializer()),
            (Some("data"), array) => match array.take() {
                Some(array) => seed.deserialize(Flat { array, axes: self.axes }),
                None => Err(taken()),
            },
            _ => Err(taken()),
        }
    }
}

#[cold]
fn taken() -> Error {
    Error::new(
        ErrorKind::Message,
        "found the parts of an array taken, expected each of them once behind its key",
    )
}

/// The shape: a tuple of a fixed number of axes, or a sequence of all of them.
struct Axes<'b, 'a, 's, 'de> {
    array: &'b mut ArrayDeserializer<'a, 's, 'de>,
    axes: &'b mut usize,
    fortran: &'b mut bool,
}

impl Axes<'_, '_, '_, '_> {
    fn ranks<T>(&self, asked: usize) -> Result<T> {
        let plural = if asked == 1 { "axis" } else { "axes" };
        Err(self.array.mismatch(&format!("{asked} {plural}")))
    }

    fn visit<'de, V: Visitor<'de>>(self, axes: usize, visitor: V) -> Result<V::Value> {
        let mut shape = self.array.dims();
        // If the target asked for fewer axes, the rest are parts of its elements and have to lie side by side: C order.
        if axes == shape.len() && self.array.axis == 0 && self.array.len.is_none() {
            *self.fortran = self.array.data.keep_order() || self.array.data.header.fortran_order();
        }
        *self.axes = axes;
        shape.truncate(axes);
        visitor.visit_seq(SeqDeserializer::new(shape.into_iter()))
    }
}

impl<'de> Deserializer<'de> for Axes<'_, '_, '_, 'de> {
    type Error = Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        self.array.data.settle_whole();
        let axes = self.array.shape().len();
        self.visit(axes, visitor)
    }

    fn deserialize_tuple<V: Visitor<'de>>(self, len: usize, visitor: V) -> Result<V::Value> {
        self.array.settle(len)?;
        if self.array.shape().len() != len {
            return self.ranks(len);
        }
        self.visit(len, visitor)
    }

    fn deserialize_tuple_struct<V: Visitor<'de>>(self, name: &'static str, len: usize, visitor: V) -> Result<V::Value> {
        let pairs = name == PAIRS
            && matches!(self.array.kind(), Kind::Float { .. })
            && self.array.shape().len() == len + 1
            && self.array.shape().ends_with(&[2]);
        if pairs {
            return self.visit(len, visitor);
        }
        self.deserialize_tuple(len, visitor)
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option unit unit_struct
        newtype_struct seq map struct enum identifier ignored_any
    }
}
