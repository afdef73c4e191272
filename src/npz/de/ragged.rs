//! Reads rows of unequal lengths from their values and offsets.

use serde::de::{DeserializeSeed, Deserializer, SeqAccess, Visitor};

use crate::error::{Error, ErrorKind, Result};
use crate::npy::de::array::ArrayDeserializer;

/// The rows of a ragged array.
pub(crate) struct Rows<'b, 'a, 's, 'de> {
    array: ArrayDeserializer<'a, 's, 'de>,
    /// Where each row starts, and where the last one ends.
    offsets: &'b [u64],
}

impl<'b, 'a, 's, 'de> Rows<'b, 'a, 's, 'de> {
    /// Checks that the offsets cut the values into rows without a gap.
    pub(crate) fn new(array: ArrayDeserializer<'a, 's, 'de>, offsets: &'b [u64]) -> Result<Self> {
        let values = array.first_axis();
        let ascending = offsets.is_sorted();
        match (offsets.first(), offsets.last(), values) {
            (Some(0), Some(&end), Some(len)) if ascending && end == len => Ok(Rows { array, offsets }),
            _ => Err(Error::new(
                ErrorKind::InvalidValue,
                format_args!(
                    "found offsets that do not fit {} values, expected them to rise from 0 to that number",
                    values.unwrap_or_default()
                ),
            )),
        }
    }
}

impl<'de> Deserializer<'de> for Rows<'_, '_, '_, 'de> {
    type Error = Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        let mut each = Each {
            array: self.array,
            offsets: self.offsets,
            at: 0,
        };
        let value = visitor.visit_seq(&mut each)?;
        if each.at + 1 < each.offsets.len() {
            return Err(Error::new(
                ErrorKind::TypeMismatch,
                format_args!(
                    "found {} rows, expected {} as the target took",
                    each.offsets.len() - 1,
                    each.at
                ),
            ));
        }
        Ok(value)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        visitor.visit_some(self)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, _: &'static str, visitor: V) -> Result<V::Value> {
        visitor.visit_newtype_struct(self)
    }

    serde::forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit unit_struct
        seq tuple tuple_struct map struct enum identifier ignored_any
    }
}

struct Each<'b, 'a, 's, 'de> {
    array: ArrayDeserializer<'a, 's, 'de>,
    offsets: &'b [u64],
    at: usize,
}

impl<'de> SeqAccess<'de> for &mut Each<'_, '_, '_, 'de> {
    type Error = Error;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>> {
        let Some(&[start, end]) = self.offsets.get(self.at..self.at + 2) else {
            return Ok(None);
        };
        let row = self.at as u64;
        self.at += 1;
        seed.deserialize(self.array.cut(end - start))
            .map(Some)
            .map_err(|e| e.at_index(row))
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.offsets.len() - 1 - self.at)
    }
}
