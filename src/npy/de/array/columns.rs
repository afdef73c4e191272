//! A structured array as a struct of vectors: each field is an array of its own, as `a['x']` is in NumPy.
//!
//! ```text
//! [('id', '<u4'), ('x', '<f8', (2,))] (3,)    Columns { id: <u4 (3,), x: <f8 (3, 2) }
//! ```

use serde::de::{DeserializeSeed, MapAccess, Visitor};

use super::ArrayDeserializer;
use crate::error::{Error, ErrorKind, Result};
use crate::format::dtype::{Dtype, Field, Kind};
use crate::format::header::Header;
use crate::io::source::{Slice, Source, Stream, in_memory};
use crate::npy::de::data::{ArrayData, Bytes};
use crate::npy::de::key::Key;
use crate::npy::de::plan::Plan;
use crate::npy::marker::Marker;

impl<'a, 's, 'de> ArrayDeserializer<'a, 's, 'de> {
    /// Whether this is an array of records, and not a single one in axes that `squeeze` drops.
    pub(super) fn has_columns(&self) -> bool {
        let is_array = matches!(self.data.plan.dtype.kind, Kind::Record(_)) && !self.shape().is_empty();
        is_array && !self.data.may_have(self.axis)
    }

    /// The fields of the records as a map of arrays; `asked` are those that the target takes, if that is known.
    pub(super) fn columns<V: Visitor<'de>>(
        self,
        asked: Option<&'static [&'static str]>,
        visitor: V,
    ) -> Result<V::Value> {
        let plan = self.data.plan;
        let (shape, marker) = (self.dims(), self.marker);
        let len = self.count() * plan.dtype.itemsize();
        visitor.visit_map(ColumnsAccess {
            records: self.data.take_buf(len)?,
            fields: plan.dtype.fields().iter(),
            field: None,
            plan,
            shape,
            marker,
            asked,
        })
    }
}

impl ArrayDeserializer<'_, '_, '_> {
    /// How the elements are read, the shape, and the bytes in C order, for a column whose elements are taken later.
    pub(crate) fn into_parts(self) -> Result<(Plan, Vec<u64>, Vec<u8>)> {
        let shape = self.dims();
        if let Some((&len, rest)) = shape.split_first() {
            self.charge_zero_sized(len, rest)?;
        }
        let plan = self.data.plan.of(self.data.plan.dtype.clone())?;
        let bytes = self.data.take_buf(self.data.header.data_len())?;
        Ok((plan, shape, bytes))
    }
}

/// The fields of an array of records, one array after the other.
struct ColumnsAccess<'s> {
    /// All records in C order.
    records: Vec<u8>,
    plan: &'s Plan,
    shape: Vec<u64>,
    marker: Option<Marker>,
    asked: Option<&'static [&'static str]>,
    fields: std::slice::Iter<'s, Field>,
    field: Option<&'s Field>,
}

impl ColumnsAccess<'_> {
    /// The bytes of one field in all records.
    fn column(&self, field: &Field) -> Vec<u8> {
        let range = in_memory(field.offset)..in_memory(field.offset + field.size);
        let records = self.records.chunks_exact(in_memory(self.plan.dtype.itemsize()).max(1));
        let mut column = Vec::with_capacity(records.len() * range.len());
        for record in records {
            column.extend_from_slice(record.get(range.clone()).unwrap_or_default());
        }
        column
    }
}

impl<'de> MapAccess<'de> for ColumnsAccess<'_> {
    type Error = Error;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>> {
        self.field = self.fields.next();
        match self.field {
            Some(field) => seed.deserialize(Key(&field.name)).map(Some),
            None => Ok(None),
        }
    }

    fn next_value_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<T::Value> {
        let Some(field) = self.field.take() else {
            return Err(Error::new(
                ErrorKind::Message,
                "found no field left, expected a key to be taken first",
            ));
        };
        let value = if self.asked.is_some_and(|asked| !asked.contains(&&*field.name)) {
            seed.deserialize(serde::de::value::UnitDeserializer::new())
        } else {
            let column = self.column(field);
            with_array_of(
                &field.dtype,
                self.shape.clone(),
                self.plan,
                Bytes::Seen(&column),
                |array| seed.deserialize(array.marked(self.marker)),
            )
        };
        value.map_err(|e| e.at_field(&field.name))
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.fields.len())
    }
}

/// Runs `body` on an array of this shape that is a part of another one: its elements, of `dtype`, are `bytes`. The axes of a
/// subarray are further axes.
pub(crate) fn with_array_of<'de, T>(
    dtype: &Dtype,
    mut shape: Vec<u64>,
    plan: &Plan,
    bytes: Bytes<'_, 'de>,
    body: impl FnOnce(ArrayDeserializer<'_, '_, 'de>) -> Result<T>,
) -> Result<T> {
    let (item, own) = dtype.base();
    shape.extend(own);
    let header = Header::new(item.without_masks(), shape, false)?;
    let plan = plan.of(item.clone())?;
    let (mut lent, mut seen);
    let source: &mut dyn Source<'de> = match bytes {
        Bytes::Lent(bytes) => {
            lent = Slice(bytes);
            &mut lent
        }
        Bytes::Seen(bytes) => {
            seen = Stream::with_known_len(bytes, bytes.len() as u64);
            &mut seen
        }
    };
    body(ArrayDeserializer::new(&mut ArrayData::within_limits(
        header, &plan, source,
    )?))
}
