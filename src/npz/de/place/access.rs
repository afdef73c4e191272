//! A group as serde asks for it: a map, a list, a variant.

use serde::de::{DeserializeSeed, Deserializer, EnumAccess, MapAccess, SeqAccess, VariantAccess, Visitor};

use super::NodeDeserializer;
use crate::error::{Error, ErrorKind, Result};
use crate::npy::de::key::Key;

/// A group as a map, even where its names are those of a list. If it is an array as well, that has the name ''.
pub(super) struct GroupDeserializer<'r, 'a, 'de>(pub(super) NodeDeserializer<'r, 'a, 'de>);

impl<'de> Deserializer<'de> for GroupDeserializer<'_, '_, 'de> {
    type Error = Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        let GroupDeserializer(mut group) = self;
        let mut children = group.enter(None)?;
        if group.holds_value() {
            children.insert(0, ("", group.at));
        }
        visitor.visit_map(GroupAccess::new(group, children, true))
    }

    serde::forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option unit unit_struct
        newtype_struct seq tuple tuple_struct map struct enum identifier ignored_any
    }
}

/// The members of a group by name.
///
/// A [`Value`](crate::Value) of a name that is both array and group takes the array. What is in the group comes behind it
/// under whole names: `block`, `block/w`.
pub(super) struct GroupAccess<'r, 'a, 'de> {
    group: NodeDeserializer<'r, 'a, 'de>,
    children: std::vec::IntoIter<(&'a str, usize)>,
    value: Option<(&'a str, usize)>,
    /// Whether names may be asked for that are no children: not by a struct, whose names are fixed.
    any_name: bool,
    /// What is left of a group whose name is an array, too, the last one first.
    beside: Vec<(&'a str, usize)>,
    /// Whether the value is one of those.
    is_beside: bool,
}

impl<'r, 'a, 'de> GroupAccess<'r, 'a, 'de> {
    pub(super) fn new(group: NodeDeserializer<'r, 'a, 'de>, children: Vec<(&'a str, usize)>, any_name: bool) -> Self {
        GroupAccess {
            group,
            children: children.into_iter(),
            value: None,
            any_name,
            beside: Vec::new(),
            is_beside: false,
        }
    }
}

impl<'de> MapAccess<'de> for GroupAccess<'_, '_, 'de> {
    type Error = Error;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>> {
        let beside = self.beside.pop();
        self.is_beside = beside.is_some();
        self.value = beside.or_else(|| self.children.next());
        if self.children.len() == 0 && self.beside.is_empty() {
            self.group.reading.read_to_end = Some(self.group.at);
        }
        match self.value {
            Some((name, _)) => seed.deserialize(Key(name)).map(Some).map_err(|e| e.at_member(name)),
            None => Ok(None),
        }
    }

    fn next_value_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<T::Value> {
        let Some((name, at)) = self.value.take() else {
            return Err(Error::new(
                ErrorKind::Message,
                "found no member, expected a key to be taken first",
            ));
        };
        let child = NodeDeserializer {
            array_first: self.any_name,
            ..self.group.child(at)
        };
        let read = child.read(seed);
        // All of the group is beside the outermost array in it.
        if self.group.reading.only_array.take() == Some(at) && at != self.group.at && !self.is_beside {
            self.beside = self.group.reading.within(at);
        }
        read.map_err(|err| err.in_group(name, self.group.reading.separator()))
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.children.len() + self.beside.len())
    }
}

/// The members of a list by number.
pub(super) struct ListAccess<'r, 'a, 'de> {
    group: NodeDeserializer<'r, 'a, 'de>,
    elements: std::vec::IntoIter<usize>,
    next: u64,
}

impl<'r, 'a, 'de> ListAccess<'r, 'a, 'de> {
    pub(super) fn new(group: NodeDeserializer<'r, 'a, 'de>, elements: Vec<usize>) -> Self {
        ListAccess {
            group,
            elements: elements.into_iter(),
            next: 0,
        }
    }

    /// An error unless all elements have been taken.
    pub(super) fn finish(self) -> Result<()> {
        match self.elements.len() {
            0 => Ok(()),
            left => Err(Error::new(
                ErrorKind::TypeMismatch,
                format_args!(
                    "found {left} members more in a list, expected {} as the target took",
                    self.next
                ),
            )),
        }
    }
}

impl<'de> SeqAccess<'de> for &mut ListAccess<'_, '_, 'de> {
    type Error = Error;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>> {
        let Some(at) = self.elements.next() else {
            self.group.reading.read_to_end = Some(self.group.at);
            return Ok(None);
        };
        let number = self.next;
        self.next += 1;
        let read = self.group.child(at).read(seed).map(Some);
        read.map_err(|err| err.in_group(&number.to_string(), self.group.reading.separator()))
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.elements.len())
    }
}

/// A group of one as a data-carrying variant.
pub(super) struct VariantDeserializer<'r, 'a, 'de> {
    pub(super) name: &'a str,
    pub(super) content: NodeDeserializer<'r, 'a, 'de>,
}

impl<'de> EnumAccess<'de> for VariantDeserializer<'_, '_, 'de> {
    type Error = Error;
    type Variant = Self;

    fn variant_seed<V: DeserializeSeed<'de>>(self, seed: V) -> Result<(V::Value, Self)> {
        let value = seed.deserialize(Key(self.name))?;
        Ok((value, self))
    }
}

impl<'de> VariantAccess<'de> for VariantDeserializer<'_, '_, 'de> {
    type Error = Error;

    fn unit_variant(self) -> Result<()> {
        self.content
            .array(|array| serde::Deserialize::deserialize(array))
            .map_err(|e| e.at_member(self.name))
    }

    fn newtype_variant_seed<T: DeserializeSeed<'de>>(self, seed: T) -> Result<T::Value> {
        let read = self.content.read(seed);
        read.map_err(|e| e.at_member(self.name))
    }

    fn tuple_variant<V: Visitor<'de>>(self, len: usize, visitor: V) -> Result<V::Value> {
        self.content
            .deserialize_tuple(len, visitor)
            .map_err(|e| e.at_member(self.name))
    }

    fn struct_variant<V: Visitor<'de>>(self, fields: &'static [&'static str], visitor: V) -> Result<V::Value> {
        self.content
            .deserialize_struct("", fields, visitor)
            .map_err(|e| e.at_member(self.name))
    }
}
