//! The parts of an element: fields of a record, elements of a subarray, real and imaginary part.

use serde::de::{DeserializeSeed, MapAccess, SeqAccess};

use super::{ElementDeserializer, hand};
use crate::error::{Error, ErrorKind, Result};
use crate::format::dtype::{Dtype, Field, Kind, Record};
use crate::npy::de::key::Key;
use crate::npy::de::plan::{Plan, variant_index};
use crate::npy::whole::Number;

/// The parts of a complex number or the elements of a subarray.
pub(super) struct SubarrayAccess<'a, 'de, 'd> {
    pub(super) item: ElementDeserializer<'a, 'de>,
    pub(super) dtype: &'d Dtype,
    pub(super) size: u64,
    pub(super) plan: &'d Plan,
    pub(super) number: Option<Number>,
    pub(super) at: u64,
    pub(super) len: u64,
}

impl SubarrayAccess<'_, '_, '_> {
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

impl<'a, 'de: 'a> SeqAccess<'de> for &mut SubarrayAccess<'a, 'de, '_> {
    type Error = Error;

    #[inline]
    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>> {
        if self.at == self.len {
            return Ok(None);
        }
        let index = self.at;
        let bytes = self.item.bytes.part(index * self.size, self.size);
        self.at += 1;
        let item = ElementDeserializer {
            dtype: self.dtype,
            plan: self.plan,
            bytes,
            number: self.number,
            marker: self.item.marker,
        };
        hand(seed, item).map(Some).map_err(|e| e.at_index(index))
    }

    fn size_hint(&self) -> Option<usize> {
        usize::try_from(self.len - self.at).ok()
    }
}

/// The fields of a record, by name or one after another.
pub(super) struct RecordAccess<'a, 'de> {
    item: ElementDeserializer<'a, 'de>,
    fields: std::slice::Iter<'a, Field>,
    /// The field whose value comes next, and where it is.
    value: Option<(&'a Field, u64)>,
    /// The names that the target knows its fields by, where it tells.
    names: &'static [&'static str],
    /// The mask of the field before, and where it is, if the target has a field of its own for that.
    mask: Option<(&'a Field, u64)>,
    /// How many fields in a row, from the first on, are the fields of the target at the same position.
    pub(super) in_order: usize,
}

impl<'a, 'de: 'a> RecordAccess<'a, 'de> {
    pub(super) fn new(item: ElementDeserializer<'a, 'de>, record: &'a Record, names: &'static [&'static str]) -> Self {
        RecordAccess {
            item,
            fields: record.fields.iter(),
            value: None,
            names,
            mask: None,
            in_order: 0,
        }
    }

    /// The same fields, and before them the mask of the whole element.
    pub(super) fn with_mask(self, mask: &'a Field) -> Self {
        RecordAccess {
            mask: Some((mask, mask.offset)),
            ..self
        }
    }

    /// The next field, and where it is.
    #[inline(always)]
    fn next(&mut self) -> Option<(&'a Field, u64)> {
        if self.mask.is_some() {
            return self.mask.take();
        }
        let field = self.fields.next()?;
        match &field.dtype.kind {
            // A target that knows the mask by its name knows the value without.
            Kind::Masked(masked) if self.names.contains(&&*masked.mask.name) => {
                self.mask = Some((&masked.mask, field.offset + masked.mask.offset));
                Some((&masked.value, field.offset + masked.value.offset))
            }
            _ => Some((field, field.offset)),
        }
    }

    /// The name by which the target knows a field: its title, if the target has a field of that name, and none of the
    /// field's own.
    #[inline]
    fn name(&self, field: &'a Field) -> &'a str {
        match &field.title {
            Some(title) if self.names.contains(&&**title) && !self.names.contains(&&*field.name) => title,
            _ => &field.name,
        }
    }

    #[inline(always)]
    fn field<T: DeserializeSeed<'de>>(&self, (field, offset): (&'a Field, u64), seed: T) -> Result<T::Value> {
        let bytes = self.item.bytes.part(offset, field.size);
        let item = ElementDeserializer {
            dtype: &field.dtype,
            bytes,
            number: field.number.filter(|_| self.item.marker.is_none()),
            ..self.item
        };
        hand(seed, item).map_err(|e| e.at_field(&field.name))
    }
}

impl<'a, 'de: 'a> MapAccess<'de> for RecordAccess<'a, 'de> {
    type Error = Error;

    #[inline(always)]
    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>> {
        let taken = self.item.dtype.fields().len() - self.fields.len();
        self.value = self.next();
        let Some((field, _)) = self.value else { return Ok(None) };
        let key = seed.deserialize(Key(self.name(field)))?;
        self.in_order += usize::from(self.in_order == taken && variant_index(&key) == Some(taken));
        Ok(Some(key))
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

impl<'a, 'de: 'a> SeqAccess<'de> for RecordAccess<'a, 'de> {
    type Error = Error;

    #[inline(always)]
    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>> {
        match self.next() {
            Some(field) => self.field(field, seed).map(Some),
            None => Ok(None),
        }
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.fields.len())
    }
}

/// The fields of a record for a struct that is known to take them in this order.
pub(super) struct OrderedRecordAccess<'i, 'a, 'de> {
    pub(super) item: &'i ElementDeserializer<'a, 'de>,
    pub(super) fields: std::slice::Iter<'a, Field>,
}

/// The error of a record read in order: the last field that was taken is the one that failed.
#[cold]
pub(super) fn explain<T>(record: &Dtype, left: usize, result: Result<T>) -> Result<T> {
    let taken = record.fields().len() - left;
    match result {
        Err(error) => Err(match record.fields()[..taken].last() {
            Some(field) => error.at_field(&field.name),
            None => error,
        }),
        // Two names in the file are names (an alias, say) of one field of the target.
        Ok(_) => Err(Error::new(
            ErrorKind::TypeMismatch,
            format_args!("found {record}, expected {left} fields less: some are names of one and the same"),
        )),
    }
}

/// Returned past the end. Derived visitors never ask for it.
static NOTHING: Field = Field {
    name: String::new(),
    title: None,
    offset: 0,
    size: 0,
    number: None,
    dtype: Dtype::new(Kind::Void { len: 0 }),
};

// Kept tiny so that it is inlined into the loop over the elements: errors get the name of their field afterwards, in
// `explain`, and a field past the end is `NOTHING` instead of a case of its own.
impl<'a, 'de: 'a> SeqAccess<'de> for &mut OrderedRecordAccess<'_, 'a, 'de> {
    type Error = Error;

    #[inline(always)]
    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>> {
        let field = self.fields.next().unwrap_or(&NOTHING);
        let item = ElementDeserializer {
            dtype: &field.dtype,
            bytes: self.item.bytes.part(field.offset, field.size),
            number: field.number,
            ..*self.item
        };
        hand(seed, item).map(Some)
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
