//! A group as serde asks for it: a map, a list, a variant.

use serde::de::{DeserializeSeed, Deserializer, EnumAccess, MapAccess, SeqAccess, VariantAccess, Visitor};

use super::{Place, Store};
use crate::error::{Error, ErrorKind, Result};
use crate::npy::de::key::Key;

/// A map of one entry, whose key tells what the value is.
pub(super) struct Told<D>(pub(super) &'static str, pub(super) D);

impl<'de, D: Deserializer<'de, Error = Error>> Deserializer<'de> for Told<D> {
    type Error = Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        visitor.visit_map(TellOnce {
            key: Some(self.0),
            value: Some(self.1),
        })
    }

    serde::forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option unit unit_struct
        newtype_struct seq tuple tuple_struct map struct enum identifier ignored_any
    }
}

pub(super) struct TellOnce<D> {
    pub(super) key: Option<&'static str>,
    pub(super) value: Option<D>,
}

impl<'de, D: Deserializer<'de, Error = Error>> MapAccess<'de> for TellOnce<D> {
    type Error = Error;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>> {
        self.key.take().map(|key| seed.deserialize(Key(key))).transpose()
    }

    fn next_value_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<T::Value> {
        match self.value.take() {
            Some(value) => seed.deserialize(value),
            None => Err(Error::new(
                ErrorKind::Message,
                "found no value, expected a key to be taken first",
            )),
        }
    }
}

/// A group as a map, whatever its names are.
pub(super) struct AsMap<'a, S>(pub(super) Place<'a, S>);

impl<'de, S: Store<'de>> Deserializer<'de> for AsMap<'_, S> {
    type Error = Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        self.0.map(None, visitor)
    }

    serde::forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option unit unit_struct
        newtype_struct seq tuple tuple_struct map struct enum identifier ignored_any
    }
}

/// The members of a group by name.
pub(super) struct Members<'a, S> {
    pub(super) place: Place<'a, S>,
    pub(super) children: std::vec::IntoIter<(&'a str, usize)>,
    pub(super) value: Option<(&'a str, usize)>,
}

impl<'de, S: Store<'de>> MapAccess<'de> for Members<'_, S> {
    type Error = Error;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>> {
        self.value = self.children.next();
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
        let place = &mut self.place;
        let child = Place {
            store: &mut *place.store,
            tree: place.tree,
            at,
            depth: place.depth,
            marker: place.marker,
        };
        seed.deserialize(child).map_err(|e| e.at_member(name))
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.children.len())
    }
}

/// The members of a list by number.
pub(super) struct Elements<'a, S> {
    pub(super) place: Place<'a, S>,
    pub(super) list: std::vec::IntoIter<usize>,
    pub(super) at: u64,
}

impl<'de, S: Store<'de>> SeqAccess<'de> for &mut Elements<'_, S> {
    type Error = Error;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>> {
        let Some(at) = self.list.next() else { return Ok(None) };
        let number = self.at;
        self.at += 1;
        let place = &mut self.place;
        let child = Place {
            store: &mut *place.store,
            tree: place.tree,
            at,
            depth: place.depth,
            marker: place.marker,
        };
        seed.deserialize(child)
            .map(Some)
            .map_err(|e| e.at_member(&number.to_string()))
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.list.len())
    }
}

/// A group of one as a data-carrying variant.
pub(super) struct Variant<'a, S> {
    pub(super) name: &'a str,
    pub(super) content: Place<'a, S>,
}

impl<'de, 'a, S: Store<'de>> EnumAccess<'de> for Variant<'a, S> {
    type Error = Error;
    type Variant = Content<'a, S>;

    fn variant_seed<V: DeserializeSeed<'de>>(self, seed: V) -> Result<(V::Value, Self::Variant)> {
        let value = seed.deserialize(Key(self.name))?;
        Ok((
            value,
            Content {
                name: self.name,
                place: self.content,
            },
        ))
    }
}

pub(super) struct Content<'a, S> {
    pub(super) name: &'a str,
    pub(super) place: Place<'a, S>,
}

impl<'de, S: Store<'de>> VariantAccess<'de> for Content<'_, S> {
    type Error = Error;

    fn unit_variant(self) -> Result<()> {
        self.place
            .array(|array| serde::Deserialize::deserialize(array))
            .map_err(|e| e.at_member(self.name))
    }

    fn newtype_variant_seed<T: DeserializeSeed<'de>>(self, seed: T) -> Result<T::Value> {
        seed.deserialize(self.place).map_err(|e| e.at_member(self.name))
    }

    fn tuple_variant<V: Visitor<'de>>(self, len: usize, visitor: V) -> Result<V::Value> {
        self.place
            .deserialize_tuple(len, visitor)
            .map_err(|e| e.at_member(self.name))
    }

    fn struct_variant<V: Visitor<'de>>(self, fields: &'static [&'static str], visitor: V) -> Result<V::Value> {
        self.place
            .deserialize_struct("", fields, visitor)
            .map_err(|e| e.at_member(self.name))
    }
}
