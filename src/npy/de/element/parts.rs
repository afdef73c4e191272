//! What an element consists of: the fields of a record, the elements of a subarray, the parts of a complex number.

use serde::de::value::SeqDeserializer;
use serde::de::{DeserializeSeed, IntoDeserializer, MapAccess, SeqAccess};

use super::Item;
use crate::error::{Error, ErrorKind, Result};
use crate::format::dtype::{Dtype, Field, Kind};
use crate::npy::de::key::Key;
use crate::npy::de::plan::Plan;
use crate::npy::whole::Number;

/// One element as an ndarray without axes: its version, its shape, its only element.
pub(super) struct NoAxes<'a, 'de> {
    pub(super) item: Item<'a, 'de>,
    pub(super) part: u8,
}

impl<'a, 'de: 'a> SeqAccess<'de> for NoAxes<'a, 'de> {
    type Error = Error;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>> {
        self.part += 1;
        match self.part {
            1 => seed.deserialize(1_u8.into_deserializer()).map(Some),
            2 => {
                let none: [u64; 0] = [];
                seed.deserialize(SeqDeserializer::new(none.into_iter())).map(Some)
            }
            3 => {
                let plan = self.item.plan.of(Dtype::array(self.item.dtype.clone(), 1)?);
                let only = self.item.part(&plan.dtype, &plan, self.item.bytes);
                seed.deserialize(only).map(Some)
            }
            _ => Ok(None),
        }
    }
}

/// The parts of a complex number or the elements of a subarray.
pub(super) struct Parts<'a, 'de, 'd> {
    pub(super) item: Item<'a, 'de>,
    pub(super) dtype: &'d Dtype,
    pub(super) size: u64,
    pub(super) plan: &'d Plan,
    pub(super) number: Option<Number>,
    pub(super) at: u64,
    pub(super) len: u64,
}

impl Parts<'_, '_, '_> {
    pub(super) fn finish<T>(self, value: T) -> Result<T> {
        if self.at == self.len {
            return Ok(value);
        }
        Err(Error::new(
            ErrorKind::TypeMismatch,
            format_args!("found {} elements, expected {} as the target took", self.len, self.at),
        ))
    }
}

impl<'a, 'de: 'a> SeqAccess<'de> for &mut Parts<'a, 'de, '_> {
    type Error = Error;

    #[inline]
    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>> {
        if self.at == self.len {
            return Ok(None);
        }
        let index = self.at;
        let bytes = self.item.bytes.part(index * self.size, self.size);
        self.at += 1;
        let item = Item {
            dtype: self.dtype,
            plan: self.plan,
            bytes,
            number: self.number,
            marker: self.item.marker,
        };
        seed.deserialize(item).map(Some).map_err(|e| e.at_index(index))
    }

    fn size_hint(&self) -> Option<usize> {
        usize::try_from(self.len - self.at).ok()
    }
}

/// The fields of a record, in their order.
pub(super) struct Fields<'a, 'de, I> {
    pub(super) item: Item<'a, 'de>,
    pub(super) fields: I,
    pub(super) value: Option<&'a Field>,
}

impl<'a, 'de: 'a, I> Fields<'a, 'de, I> {
    #[inline(always)]
    fn field<T: DeserializeSeed<'de>>(&self, field: &'a Field, seed: T) -> Result<T::Value> {
        let bytes = self.item.bytes.part(field.offset, field.size);
        let item = Item {
            dtype: &field.dtype,
            bytes,
            number: field.number.filter(|_| self.item.marker.is_none()),
            ..self.item
        };
        seed.deserialize(item).map_err(|e| e.at_field(&field.name))
    }
}

impl<'a, 'de: 'a, I: ExactSizeIterator<Item = &'a Field>> MapAccess<'de> for Fields<'a, 'de, I> {
    type Error = Error;

    #[inline(always)]
    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>> {
        self.value = self.fields.next();
        match self.value {
            Some(field) => seed.deserialize(Key(&field.name)).map(Some),
            None => Ok(None),
        }
    }

    #[inline(always)]
    fn next_value_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<T::Value> {
        match self.value.take() {
            Some(field) => self.field(field, seed),
            None => Err(no_key()),
        }
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.fields.len())
    }
}

impl<'a, 'de: 'a, I: ExactSizeIterator<Item = &'a Field>> SeqAccess<'de> for Fields<'a, 'de, I> {
    type Error = Error;

    #[inline(always)]
    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>> {
        match self.fields.next() {
            Some(field) => self.field(field, seed).map(Some),
            None => Ok(None),
        }
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.fields.len())
    }
}

/// The fields of a record for a struct that takes them in just this order.
pub(super) struct InOrder<'i, 'a, 'de> {
    pub(super) item: &'i Item<'a, 'de>,
    pub(super) fields: std::slice::Iter<'a, Field>,
}

/// What went wrong, and in which field: the last one taken.
#[cold]
pub(super) fn explain<T>(record: &Dtype, left: usize, result: Result<T>) -> Result<T> {
    let taken = record.fields().len() - left;
    match result {
        Err(error) => Err(match record.fields()[..taken].last() {
            Some(field) => error.at_field(&field.name),
            None => error,
        }),
        // Names of the target that are two of one of its fields.
        Ok(_) => Err(Error::new(
            ErrorKind::TypeMismatch,
            format_args!("found {record}, expected {left} fields less: some are names of one and the same"),
        )),
    }
}

/// Behind the last field, where nobody asks for one.
static NOTHING: Field = Field {
    name: String::new(),
    title: None,
    offset: 0,
    size: 0,
    number: None,
    dtype: Dtype::new(Kind::Void { len: 0 }),
};

// The less there is to call for each field, the sooner all of it ends up in the loop over the elements: errors get the
// name of their field at the end, and no field is the same as one that is nothing.
impl<'a, 'de: 'a> SeqAccess<'de> for &mut InOrder<'_, 'a, 'de> {
    type Error = Error;

    #[inline(always)]
    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>> {
        let field = self.fields.next().unwrap_or(&NOTHING);
        let item = Item {
            dtype: &field.dtype,
            bytes: self.item.bytes.part(field.offset, field.size),
            number: field.number,
            ..*self.item
        };
        seed.deserialize(item).map(Some)
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.fields.len())
    }
}

#[cold]
fn no_key() -> Error {
    Error::new(
        ErrorKind::Message,
        "found no field left, expected a key to be taken first",
    )
}
