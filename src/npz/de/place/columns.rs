//! A group of one array for each field as a sequence of structs, for `with::columns`.
//!
//! ```text
//! x/id <u4 (2,)    x/temp/values <f4 (2,)    x/temp/values? |b1 (2,)    Row { id, temp: Some(..) }, Row { id, temp: None }
//! ```
//!
//! A column is read whole when the first row asks for it; the others are never read.

use serde::de::{DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};

use super::{Formed, NodeDeserializer};
use crate::error::{Error, ErrorKind, Result};
use crate::io::source::in_memory;
use crate::npy::de::array::masked::{Mask, Maybe};
use crate::npy::de::array::with_array_of;
use crate::npy::de::data::Bytes;
use crate::npy::de::element::ElementDeserializer;
use crate::npy::de::key::Key;
use crate::npy::de::plan::Plan;
use crate::npy::marker::Marker;
use crate::npz::tree::numbered;

/// Hands the rows of the columns in a group to a visitor.
pub(super) fn rows<'de, V: Visitor<'de>>(
    group: NodeDeserializer<'_, '_, 'de>,
    expected: Option<usize>,
    visitor: V,
) -> Result<V::Value> {
    let mut rows = Table::new(group, expected)?;
    let value = visitor.visit_seq(&mut rows)?;
    rows.finish().map(|()| value)
}

#[cold]
fn mismatch(found: std::fmt::Arguments<'_>, expected: std::fmt::Arguments<'_>) -> Error {
    Error::new(
        ErrorKind::TypeMismatch,
        format_args!("found {found}, expected {expected}"),
    )
}

/// The columns, and the row that is read.
struct Table<'r, 'a, 'de> {
    group: NodeDeserializer<'r, 'a, 'de>,
    names: Vec<(&'a str, usize)>,
    /// Those that have been asked for.
    columns: Vec<Option<Column>>,
    at: u64,
    /// How many rows there are, once a column has been read.
    len: Option<u64>,
}

/// One column in memory.
enum Column {
    Array(Box<ArrayColumn>),
    /// A member for each row.
    List(Vec<usize>),
}

struct ArrayColumn {
    plan: Plan,
    shape: Vec<u64>,
    bytes: Vec<u8>,
    mask: Option<Mask>,
}

impl<'r, 'a, 'de> Table<'r, 'a, 'de> {
    fn new(group: NodeDeserializer<'r, 'a, 'de>, expected: Option<usize>) -> Result<Self> {
        let mut names = group.reading.children(group.at);
        if numbered(&names, "f").is_some() {
            // The items of tuples: f10 comes behind f9.
            names.sort_by_key(|&(name, _)| (name.len(), name));
        }
        let mut table = Table {
            columns: names.iter().map(|_| None).collect(),
            names,
            group,
            at: 0,
            len: None,
        };
        let len = table.count()?;
        match expected {
            Some(expected) if expected as u64 != len => Err(mismatch(
                format_args!("columns of {len} rows"),
                format_args!("{expected}"),
            )),
            _ => Ok(table),
        }
    }

    /// An error unless all rows have been taken.
    fn finish(&self) -> Result<()> {
        match self.len {
            Some(len) if self.at < len => Err(mismatch(
                format_args!("columns of {len} rows"),
                format_args!("{} as the target took", self.at),
            )),
            _ => Ok(()),
        }
    }

    /// How many rows there are. Only a column that has been read proves it; the first will do whose elements can be read.
    fn count(&mut self) -> Result<u64> {
        let mut unsupported = None;
        for column in 0..self.names.len() {
            match self.load(column) {
                Ok(()) => return Ok(self.len.unwrap_or_default()),
                Err(error) if matches!(error.kind(), ErrorKind::Pickle | ErrorKind::UnsupportedDtype) => {
                    unsupported.get_or_insert(error);
                }
                Err(error) => return Err(error),
            }
        }
        match unsupported {
            Some(error) => Err(error),
            None => Ok(0),
        }
    }

    fn load(&mut self, index: usize) -> Result<()> {
        if self.columns[index].is_some() {
            return Ok(());
        }
        let (name, at) = self.names[index];
        let column = self.read(at).map_err(|e| e.at_member(name))?;
        let len = match &column {
            Column::Array(array) => array.shape.first().copied(),
            Column::List(list) => Some(list.len() as u64),
        };
        let Some(len) = len else {
            let found = mismatch(format_args!("an array without axes"), format_args!("a column of rows"));
            return Err(found.at_member(name));
        };
        let expected = *self.len.get_or_insert(len);
        if len != expected {
            let found = mismatch(
                format_args!("a column of {len} rows"),
                format_args!("{expected} as in those before"),
            );
            return Err(found.at_member(name));
        }
        self.columns[index] = Some(column);
        Ok(())
    }

    fn read(&mut self, at: usize) -> Result<Column> {
        let mut node = self.group.child(at);
        if !node.is_group() {
            return node.array_column(None).map(|array| Column::Array(Box::new(array)));
        }
        node.form = Some(Marker::Masked);
        match node.form() {
            Some(Formed::Masked(values, mask)) => {
                let mask = node.mask(mask)?;
                let array = node.child(values).array_column(Some(mask));
                array.map(|array| Column::Array(Box::new(array)))
            }
            _ => node.list().map(Column::List),
        }
    }

    /// The value of one column in this row.
    fn value<T: DeserializeSeed<'de>>(&mut self, index: usize, seed: T) -> Result<T::Value> {
        self.load(index)?;
        let (name, row) = (self.names[index].0, self.at);
        let value = match &self.columns[index] {
            Some(Column::Array(array)) => array.value(in_memory(row), self.group.marker, seed),
            Some(Column::List(list)) => match list.get(in_memory(row)) {
                Some(&at) => seed.deserialize(self.group.child(at)),
                None => Err(mismatch(format_args!("no element"), format_args!("one for each row"))),
            },
            None => Err(mismatch(
                format_args!("no column"),
                format_args!("one that has been read"),
            )),
        };
        value.map_err(|e| e.at_index(row).at_member(name))
    }
}

impl<'de> NodeDeserializer<'_, '_, 'de> {
    /// This array as a column.
    fn array_column(self, mask: Option<Mask>) -> Result<ArrayColumn> {
        self.array(|array| {
            if let Some(mask) = &mask {
                mask.check(&array.dims())?;
            }
            array.into_parts().map(|(plan, shape, bytes)| ArrayColumn {
                plan,
                shape,
                bytes,
                mask,
            })
        })
    }
}

impl ArrayColumn {
    fn value<'de, T: DeserializeSeed<'de>>(&self, row: usize, marker: Option<Marker>, seed: T) -> Result<T::Value> {
        if self.mask.as_ref().is_some_and(|mask| !mask.is_there(row)) {
            return seed.deserialize(Maybe::<ElementDeserializer<'_, 'de>>(None));
        }
        let axes = self.shape.get(1..).unwrap_or_default();
        let size = in_memory(self.plan.dtype.itemsize() * axes.iter().product::<u64>());
        let bytes = Bytes::Seen(self.bytes.get(row * size..(row + 1) * size).unwrap_or_default());
        if !axes.is_empty() {
            return with_array_of(&self.plan.dtype, axes.to_vec(), &self.plan, bytes, |array| {
                let array = array.marked(marker);
                match &self.mask {
                    Some(_) => seed.deserialize(Maybe(Some(array))),
                    None => seed.deserialize(array),
                }
            });
        }
        let element = ElementDeserializer {
            dtype: &self.plan.dtype,
            plan: &self.plan,
            bytes,
            number: self.plan.number.filter(|_| marker.is_none()),
            marker,
        };
        match &self.mask {
            Some(_) => seed.deserialize(Maybe(Some(element))),
            None => seed.deserialize(element),
        }
    }
}

impl<'de> SeqAccess<'de> for &mut Table<'_, '_, 'de> {
    type Error = Error;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>> {
        if Some(self.at) == self.len || self.len.is_none() {
            return Ok(None);
        }
        let row = seed.deserialize(RowDeserializer(self))?;
        self.at += 1;
        Ok(Some(row))
    }

    fn size_hint(&self) -> Option<usize> {
        usize::try_from(self.len? - self.at).ok()
    }
}

/// One row.
struct RowDeserializer<'t, 'r, 'a, 'de>(&'t mut Table<'r, 'a, 'de>);

impl<'t, 'r, 'a, 'de> RowDeserializer<'t, 'r, 'a, 'de> {
    fn access(self, asked: Option<&'static [&'static str]>) -> RowAccess<'t, 'r, 'a, 'de> {
        RowAccess {
            table: self.0,
            asked,
            next: 0,
        }
    }
}

impl<'de> Deserializer<'de> for RowDeserializer<'_, '_, '_, 'de> {
    type Error = Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        self.0.group.reading.budget.take_one_by_one(self.0.names.len() as u64)?;
        visitor.visit_map(self.access(None))
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value> {
        visitor.visit_map(self.access(Some(fields)))
    }

    fn deserialize_tuple<V: Visitor<'de>>(self, len: usize, visitor: V) -> Result<V::Value> {
        let found = self.0.names.len();
        if found != len {
            return Err(mismatch(format_args!("{found} columns"), format_args!("{len}")));
        }
        visitor.visit_seq(self.access(None))
    }

    fn deserialize_tuple_struct<V: Visitor<'de>>(self, _: &'static str, len: usize, visitor: V) -> Result<V::Value> {
        self.deserialize_tuple(len, visitor)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, _: &'static str, visitor: V) -> Result<V::Value> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        visitor.visit_some(self)
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        visitor.visit_unit()
    }

    fn is_human_readable(&self) -> bool {
        true
    }

    serde::forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit unit_struct seq map
        enum identifier
    }
}

/// The columns of one row, by name or one after another.
struct RowAccess<'t, 'r, 'a, 'de> {
    table: &'t mut Table<'r, 'a, 'de>,
    asked: Option<&'static [&'static str]>,
    next: usize,
}

impl<'de> MapAccess<'de> for RowAccess<'_, '_, '_, 'de> {
    type Error = Error;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>> {
        while let Some(&(name, _)) = self.table.names.get(self.next) {
            if self.asked.is_none_or(|asked| asked.contains(&name)) {
                return seed.deserialize(Key(name)).map(Some);
            }
            self.next += 1;
        }
        Ok(None)
    }

    fn next_value_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<T::Value> {
        let column = self.next;
        if column == self.table.names.len() {
            return Err(Error::new(
                ErrorKind::Message,
                "found no column left, expected a key to be taken first",
            ));
        }
        self.next += 1;
        self.table.value(column, seed)
    }
}

impl<'de> SeqAccess<'de> for RowAccess<'_, '_, '_, 'de> {
    type Error = Error;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>> {
        if self.next == self.table.names.len() {
            return Ok(None);
        }
        self.next += 1;
        self.table.value(self.next - 1, seed).map(Some)
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.table.names.len() - self.next)
    }
}
