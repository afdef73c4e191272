//! Values beside a mask, which tells for each of them whether it is there.
//!
//! ```text
//! values  [1, 0, 3]    mask  [True, False, True]    Some(1), None, Some(3); 1 and an error for what is no Option
//! ```

use serde::Deserializer;
use serde::de::{DeserializeSeed, SeqAccess, Visitor};

use super::ArrayDeserializer;
use crate::error::{Error, ErrorKind, Result};
use crate::format::dtype::{Kind, Tuple};
use crate::io::source::in_memory;

/// The mask of an array: a byte for each of its elements in C order.
pub(crate) struct Mask {
    shape: Vec<u64>,
    bytes: Vec<u8>,
}

impl Mask {
    pub(crate) fn read(array: ArrayDeserializer<'_, '_, '_>) -> Result<Mask> {
        let shape = array.dims();
        if !matches!(array.kind(), Kind::Bool) && array.count() > 0 {
            return Err(array.mismatch("a mask of bools"));
        }
        let len = array.count();
        let bytes = if len == 0 {
            Vec::new()
        } else {
            array.data.take_buf(len)?
        };
        Ok(Mask { shape, bytes })
    }

    /// Whether the element at this index is there, of a mask with one axis.
    pub(crate) fn is_there(&self, index: usize) -> bool {
        self.bytes.get(index).is_some_and(|&byte| byte != 0)
    }

    /// An error if this is no mask for an array of this shape.
    pub(crate) fn check(&self, shape: &[u64]) -> Result<()> {
        if !self.shape.is_empty() && shape.starts_with(&self.shape) {
            return Ok(());
        }
        Err(Error::new(
            ErrorKind::InvalidValue,
            format_args!(
                "found a mask of the shape {} beside values of the shape {}, expected the first axes of that",
                Tuple(&self.shape),
                Tuple(shape)
            ),
        ))
    }
}

/// The elements of an array, or of a part of it, that may be there.
pub(crate) struct MaskedDeserializer<'m, 'a, 's, 'de> {
    array: ArrayDeserializer<'a, 's, 'de>,
    mask: &'m [u8],
    /// The lengths of the axes that the mask still has.
    axes: &'m [u64],
}

impl<'m, 'a, 's, 'de> MaskedDeserializer<'m, 'a, 's, 'de> {
    pub(crate) fn new(mut array: ArrayDeserializer<'a, 's, 'de>, mask: &'m Mask) -> Result<Self> {
        let shape = array.dims();
        mask.check(&shape)?;
        array.settle(shape.len())?;
        Ok(MaskedDeserializer {
            array,
            mask: &mask.bytes,
            axes: &mask.shape,
        })
    }

    pub(crate) fn sequence<V: Visitor<'de>>(self, expected: Option<usize>, visitor: V) -> Result<V::Value> {
        let mut elements = self.elements(expected)?;
        let value = visitor.visit_seq(&mut elements)?;
        elements.finish().map(|()| value)
    }

    fn elements(self, expected: Option<usize>) -> Result<MaskedAccess<'m, 'a, 's, 'de>> {
        let Some((&len, rest)) = self.axes.split_first() else {
            return Err(self.array.mismatch("a masked array of at least one axis"));
        };
        if expected.is_some_and(|expected| expected as u64 != len) {
            let expected = expected.unwrap_or_default();
            return Err(self
                .array
                .mismatch(&format!("{expected} elements along the first axis")));
        }
        let inner = self.array.shape().get(1..).unwrap_or_default().to_vec();
        self.array.charge_zero_sized(len, &inner)?;
        Ok(MaskedAccess {
            mask: self.mask,
            rest,
            stride: in_memory(rest.iter().product()),
            array: self.array,
            at: 0,
            len,
        })
    }
}

impl<'de> Deserializer<'de> for MaskedDeserializer<'_, '_, '_, 'de> {
    type Error = Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        self.sequence(None, visitor)
    }

    fn deserialize_tuple<V: Visitor<'de>>(self, len: usize, visitor: V) -> Result<V::Value> {
        self.sequence(Some(len), visitor)
    }

    fn deserialize_tuple_struct<V: Visitor<'de>>(self, _: &'static str, len: usize, visitor: V) -> Result<V::Value> {
        self.sequence(Some(len), visitor)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        visitor.visit_some(self)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, _: &'static str, visitor: V) -> Result<V::Value> {
        visitor.visit_newtype_struct(self)
    }

    serde::forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit unit_struct
        seq map struct enum identifier ignored_any
    }
}

/// The parts of a masked array along its first axis.
struct MaskedAccess<'m, 'a, 's, 'de> {
    array: ArrayDeserializer<'a, 's, 'de>,
    mask: &'m [u8],
    /// The axes of the mask within each part, and how many elements these have.
    rest: &'m [u64],
    stride: usize,
    at: u64,
    len: u64,
}

impl MaskedAccess<'_, '_, '_, '_> {
    /// An error unless all elements have been taken.
    fn finish(&self) -> Result<()> {
        if self.at == self.len {
            return Ok(());
        }
        Err(self.array.not_taken(self.at))
    }
}

impl<'de> SeqAccess<'de> for &mut MaskedAccess<'_, '_, '_, 'de> {
    type Error = Error;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>> {
        if self.at == self.len {
            return Ok(None);
        }
        let index = self.at;
        self.at += 1;
        let start = in_memory(index) * self.stride;
        let mask = self.mask.get(start..start + self.stride).unwrap_or_default();
        let array = ArrayDeserializer {
            data: &mut *self.array.data,
            axis: self.array.axis + 1,
            len: None,
            marker: self.array.marker,
        };
        let element = match (self.rest, mask) {
            ([], [0]) => {
                array.deserialize_ignored_any(serde::de::IgnoredAny)?;
                seed.deserialize(Maybe::<ArrayDeserializer<'_, '_, 'de>>(None))
            }
            ([], _) => seed.deserialize(Maybe(Some(array))),
            (axes, mask) => seed.deserialize(MaskedDeserializer { array, mask, axes }),
        };
        element.map(Some).map_err(|e| e.at_index(index))
    }

    fn size_hint(&self) -> Option<usize> {
        usize::try_from(self.len - self.at).ok()
    }
}

/// A value that is there, or is not.
pub(crate) struct Maybe<D>(pub(crate) Option<D>);

impl<'de, D: Deserializer<'de, Error = Error>> Maybe<D> {
    fn there(self) -> Result<D> {
        self.0.ok_or_else(|| {
            Error::new(
                ErrorKind::InvalidValue,
                "found an element that is masked, expected one that is there: read it into an `Option`",
            )
        })
    }
}

macro_rules! forward {
    ($($method:ident($($arg:ident: $t:ty),*))*) => { $(
        fn $method<V: Visitor<'de>>(self $(, $arg: $t)*, visitor: V) -> Result<V::Value> {
            self.there()?.$method($($arg,)* visitor)
        }
    )* };
}

impl<'de, D: Deserializer<'de, Error = Error>> Deserializer<'de> for Maybe<D> {
    type Error = Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        match self.0 {
            Some(value) => value.deserialize_any(visitor),
            None => visitor.visit_none(),
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        match self.0 {
            Some(value) => visitor.visit_some(value),
            None => visitor.visit_none(),
        }
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        match self.0 {
            Some(value) => value.deserialize_ignored_any(visitor),
            None => visitor.visit_unit(),
        }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, name: &'static str, visitor: V) -> Result<V::Value> {
        match self.0 {
            Some(value) => value.deserialize_newtype_struct(name, visitor),
            None => visitor.visit_newtype_struct(self),
        }
    }

    forward! {
        deserialize_bool() deserialize_i8() deserialize_i16() deserialize_i32() deserialize_i64() deserialize_i128()
        deserialize_u8() deserialize_u16() deserialize_u32() deserialize_u64() deserialize_u128() deserialize_f32()
        deserialize_f64() deserialize_char() deserialize_str() deserialize_string() deserialize_bytes()
        deserialize_byte_buf() deserialize_unit() deserialize_unit_struct(name: &'static str) deserialize_seq()
        deserialize_tuple(len: usize) deserialize_tuple_struct(name: &'static str, len: usize) deserialize_map()
        deserialize_struct(name: &'static str, fields: &'static [&'static str])
        deserialize_enum(name: &'static str, variants: &'static [&'static str]) deserialize_identifier()
    }

    fn is_human_readable(&self) -> bool {
        true
    }
}
