//! The parts of an array: along one axis, its elements, or none.

use serde::de::{self, DeserializeSeed, SeqAccess};

use super::ArrayDeserializer;
use crate::error::{Error, ErrorKind, Result};
use crate::npy::de::data::ArrayData;
use crate::npy::de::element::{ElementDeserializer, hand};
use crate::npy::de::plan::Plan;
use crate::npy::marker::Marker;
use crate::npy::whole::{ElementSource, Number};

/// The parts of an array along one axis.
pub(crate) struct AxisAccess<'a, 's, 'de> {
    array: ArrayDeserializer<'a, 's, 'de>,
    axis: usize,
    at: u64,
    /// `None` as long as the first element may show how many axes the target asks for.
    len: Option<u64>,
}

impl<'a, 's, 'de> AxisAccess<'a, 's, 'de> {
    /// `len` parts, from which on the axes from `axis` on are left.
    pub(crate) fn new(array: ArrayDeserializer<'a, 's, 'de>, axis: usize, len: u64) -> Self {
        AxisAccess {
            array,
            axis,
            at: 0,
            len: Some(len),
        }
    }

    /// The parts along the next axis of an array that is open: it is not settled which axes are seen.
    pub(super) fn open(array: ArrayDeserializer<'a, 's, 'de>) -> Self {
        AxisAccess {
            axis: array.axis + 1,
            array,
            at: 0,
            len: None,
        }
    }

    fn len(&self) -> u64 {
        if let Some(len) = self.len {
            return len;
        }
        // An axis more than the file has is of length 1, and of an open one nothing is known but whether it is empty.
        let len = self.array.data.shape().get(self.axis - 1).copied().unwrap_or(1);
        if self.array.data.is_open() { len.min(1) } else { len }
    }

    /// The value once all parts have been taken.
    pub(super) fn finish<T>(self, value: T) -> Result<T> {
        if self.at < self.len() {
            return Err(self.array.not_taken(self.at));
        }
        Ok(value)
    }
}

impl<'de> SeqAccess<'de> for &mut AxisAccess<'_, '_, 'de> {
    type Error = Error;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>> {
        if self.at == self.len() {
            return Ok(None);
        }
        let index = self.at;
        self.at += 1;
        let array = ArrayDeserializer {
            data: &mut *self.array.data,
            axis: self.axis,
            len: None,
            marker: self.array.marker,
        };
        let part = hand(seed, array);
        if self.len.is_none() {
            self.array.data.settle_whole();
            // What was asked for first has shown that there is nothing.
            if self.len() == 0 {
                self.at = 0;
                return Ok(None);
            }
        }
        part.map(Some).map_err(|e| e.at_index(index))
    }

    fn size_hint(&self) -> Option<usize> {
        usize::try_from(self.len())
            .ok()?
            .checked_sub(usize::try_from(self.at).ok()?)
    }
}

/// The elements along the last axis.
pub(super) struct ElementAccess<'a, 's, 'de> {
    pub(super) data: &'a mut ArrayData<'s, 'de>,
    pub(super) plan: &'a Plan,
    pub(super) itemsize: u64,
    pub(super) number: Option<Number>,
    pub(super) marker: Option<Marker>,
    pub(super) at: u64,
    pub(super) len: u64,
}

impl<'de> ElementSource<'de> for &mut ElementAccess<'_, '_, 'de> {
    fn left(&self) -> u64 {
        self.len - self.at
    }

    #[cfg_attr(not(debug_assertions), inline(always))]
    fn next<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<T::Value> {
        let index = self.at;
        self.at += 1;
        let element = ElementDeserializer {
            dtype: &self.plan.dtype,
            plan: self.plan,
            bytes: self.data.take(self.itemsize).map_err(|e| e.at_index(index))?,
            number: self.number,
            marker: self.marker,
        };
        hand(seed, element).map_err(|e| e.at_index(index))
    }
}

impl ElementAccess<'_, '_, '_> {
    /// How many elements are certain to come, none of which can be borrowed from the input.
    pub(super) fn known(&self) -> usize {
        let bytes = self.data.copied_len();
        let known = bytes.checked_div(self.itemsize).unwrap_or(0).min(self.len);
        usize::try_from(known).unwrap_or(0)
    }
}

impl<'de> SeqAccess<'de> for &mut ElementAccess<'_, '_, 'de> {
    type Error = Error;

    #[cfg_attr(not(debug_assertions), inline(always))]
    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>> {
        if self.at == self.len {
            return Ok(None);
        }
        self.next(seed).map(Some)
    }

    fn size_hint(&self) -> Option<usize> {
        usize::try_from(self.len - self.at).ok()
    }
}

/// No elements, no fields.
pub(crate) struct Nothing;

impl<'de> SeqAccess<'de> for Nothing {
    type Error = Error;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, _: T) -> Result<Option<T::Value>> {
        Ok(None)
    }
}

impl<'de> de::MapAccess<'de> for Nothing {
    type Error = Error;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, _: K) -> Result<Option<K::Value>> {
        Ok(None)
    }

    fn next_value_seed<T: DeserializeSeed<'de>>(&mut self, _: T) -> Result<T::Value> {
        Err(Error::new(
            ErrorKind::Message,
            "found no member, expected a key to be taken first",
        ))
    }
}
