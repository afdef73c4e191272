//! One node of the tree of names as serde's `Deserializer`: a group, an array or a JSON text.

mod access;
mod columns;
mod explain;

use std::sync::Arc;

use serde::de::value::StringDeserializer;
use serde::de::{Deserialize, Deserializer, IntoDeserializer, Visitor};

use self::access::{GroupAccess, GroupDeserializer, ListAccess, VariantDeserializer};
use crate::error::{Error, ErrorKind, Result};
use crate::format::header::Header;
use crate::npy::de::array::json::json_value;
use crate::npy::de::array::masked::{Mask, MaskedDeserializer};
use crate::npy::de::array::{ArrayBody, ArrayDeserializer, with_body};
use crate::npy::de::budget::{Budget, limit};
use crate::npy::de::element::{ExpectComplex, hand_some, same_calls};
use crate::npy::de::raw::OneEntry;
use crate::npy::de::with_array;
use crate::npy::marker::{JSON, Marker, NDARRAY_FIELDS, ORDERED, VALUE};
use crate::npz::de::WHOLE_KEYS;
use crate::npz::de::claims::Claims;
use crate::npz::de::names::lies_in;
use crate::npz::de::ragged::Rows;
use crate::npz::de::store::Members;
use crate::npz::ser::masked::MASK;
use crate::npz::ser::ragged::{OFFSETS, VALUES};
use crate::npz::tree::{ROOT, Tree, numbered};

/// The state of one call that reads an archive or a part of it, shared by all its nodes.
pub(super) struct Reading<'a, 'de> {
    store: &'a mut (dyn Members<'de> + 'a),
    tree: &'a Tree,
    claims: Claims,
    budget: Arc<Budget>,
    /// The group whose members were taken to the last one, most recently.
    read_to_end: Option<usize>,
    /// The array that was read most recently without the group of its name.
    only_array: Option<usize>,
}

impl<'a, 'de> Reading<'a, 'de> {
    pub(super) fn new(store: &'a mut (dyn Members<'de> + 'a), tree: &'a Tree) -> Self {
        Reading {
            budget: Budget::new(&store.options().limits),
            store,
            tree,
            claims: Claims::default(),
            read_to_end: None,
            only_array: None,
        }
    }

    /// What stands between the names of a path.
    fn separator(&mut self) -> char {
        self.store.options().separator.unwrap_or('/')
    }

    /// The children of a group that no field of a struct has claimed, in the order of the archive.
    fn children(&self, at: usize) -> Vec<(&'a str, usize)> {
        let children = self.tree.children(at);
        children.filter(|(_, child)| !self.claims.hides(*child)).collect()
    }

    /// The arrays and texts in a group, however deep, by their path from its parent on; the last one first.
    fn within(&self, group: usize) -> Vec<(&'a str, usize)> {
        let (mut left, mut found) = (vec![group], Vec::new());
        while let Some(at) = left.pop() {
            let node = self.tree.node(at);
            if at != group && (node.array.is_some() || node.json.is_some()) {
                found.push((self.tree.path_from(at, group), at));
            }
            left.extend(self.children(at).iter().rev().map(|(_, child)| *child));
        }
        found.reverse();
        found
    }
}

/// A node of the tree as a value.
pub(super) struct NodeDeserializer<'r, 'a, 'de> {
    reading: &'r mut Reading<'a, 'de>,
    at: usize,
    /// How many groups are around it.
    depth: u64,
    marker: Option<Marker>,
    /// The form in which a `with` module may have written the next sequence.
    form: Option<Marker>,
    /// Whether a value takes only the array where there is a group of the same name.
    array_first: bool,
}

impl<'r, 'a, 'de> NodeDeserializer<'r, 'a, 'de> {
    pub(super) fn new(reading: &'r mut Reading<'a, 'de>, at: usize) -> Self {
        NodeDeserializer {
            reading,
            at,
            depth: 0,
            marker: None,
            form: None,
            array_first: false,
        }
    }

    /// A node within this group.
    fn child(&mut self, at: usize) -> NodeDeserializer<'_, 'a, 'de> {
        NodeDeserializer {
            reading: &mut *self.reading,
            at,
            depth: self.depth,
            marker: self.marker,
            form: self.form,
            array_first: false,
        }
    }

    /// Whether there is an array or a JSON text here, whatever else there is.
    fn holds_value(&self) -> bool {
        let node = self.reading.tree.node(self.at);
        node.array.is_some() || node.json.is_some()
    }

    fn is_array(&self) -> bool {
        self.reading.tree.node(self.at).array.is_some()
    }

    /// Whether there is a JSON text here, and nothing else.
    fn is_text(&self) -> bool {
        self.reading.tree.node(self.at).json.is_some() && !self.is_group()
    }

    fn is_group(&self) -> bool {
        self.at == ROOT || self.reading.claims.leaves_children(self.reading.tree, self.at)
    }
}

impl<'r, 'a, 'de> NodeDeserializer<'r, 'a, 'de> {
    fn deeper(&mut self) -> Result<()> {
        self.depth += 1;
        let max = self.reading.store.options().limits.depth;
        // The root does not count as a group within a group.
        if self.depth > max + 1 {
            Err(limit("levels of groups", self.depth - 1, max, "depth"))
        } else {
            Ok(())
        }
    }

    /// Runs `body` on the array under this key.
    fn array<T>(self, body: impl FnOnce(ArrayDeserializer<'_, '_, 'de>) -> Result<T>) -> Result<T> {
        with_body(body, |body| self.run_on_array(body))
    }

    fn run_on_array(self, body: ArrayBody<'_, 'de>) -> Result<()> {
        let node = self.reading.tree.node(self.at);
        match (node.array, node.json) {
            (Some(_), Some(_)) => Err(twice()),
            (Some(index), None) => {
                let options = self.reading.store.options().clone();
                let marker = self.marker;
                let budget = Arc::clone(&self.reading.budget);
                self.reading.store.read_member(index, &mut |source| {
                    let header = Header::read_member(&mut &mut *source, &options)?;
                    with_array(header, source, &options, &budget, |array| body(array.marked(marker)))
                })
            }
            (None, Some(_)) => Err(
                Error::new(ErrorKind::NotAnArray, "found a JSON text, expected an array")
                    .with_hint("read it with `with::json`, or `NpzReader::raw`"),
            ),
            (None, None) => Err(no_array()),
        }
    }

    /// Enters this group. Returns its children by name, and the nodes further in that a field of a struct names by its
    /// path. `fields` are the only names that will be asked for, if that is known.
    fn enter(&mut self, fields: Option<&'static [&'static str]>) -> Result<Vec<(&'a str, usize)>> {
        self.verify_left_out(fields)?;
        self.deeper()?;
        let reading = &mut *self.reading;
        let separator = reading.store.options().separator;
        let claimed = fields.map_or_else(Vec::new, |fields| {
            reading.claims.claim(reading.tree, self.at, fields, separator)
        });
        let mut children = reading.children(self.at);
        children.extend(claimed);
        let (tree, store) = (self.reading.tree, &mut *self.reading.store);
        let asked = |(name, _): &&(&str, usize)| fields.is_none_or(|fields| fields.contains(name));
        let asked = children.iter().filter(asked);
        store.announce(&mut asked.clone().flat_map(|(_, at)| tree.members(*at)));
        store.plan(&mut asked.filter_map(|(_, at)| tree.node(*at).array));
        Ok(children)
    }

    fn map<V: Visitor<'de>>(mut self, fields: Option<&'static [&'static str]>, visitor: V) -> Result<V::Value> {
        let children = self.enter(fields)?;
        visitor.visit_map(GroupAccess::new(self, children, fields.is_none()))
    }

    /// At the root: checks the members that the tree leaves out, those of `fields` or all of them.
    fn verify_left_out(&mut self, fields: Option<&[&str]>) -> Result<()> {
        if self.at != ROOT {
            return Ok(());
        }
        let separator = self.reading.store.options().separator;
        self.reading.store.verify_left_out(self.reading.tree, &|key| {
            fields.is_none_or(|fields| fields.iter().any(|field| lies_in(key, field, separator)))
        })
    }

    /// The children of this group as the elements of a list.
    fn list(&self) -> Result<Vec<usize>> {
        let children = self.reading.children(self.at);
        // `np.savez(*args)` names the arrays of a positional archive `arr_0`, `arr_1`, ..
        let list = match self.at {
            ROOT => numbered(&children, "arr_").or_else(|| numbered(&children, "")),
            _ => numbered(&children, ""),
        };
        list.or_else(|| children.is_empty().then(Vec::new)).ok_or_else(|| {
            Error::new(
                ErrorKind::TypeMismatch,
                "found a group whose names are not 0, 1, .., expected a list",
            )
            .with_hint(
                "read it as a struct or a map; `ReadOptions::separator(None)` takes names with a separator as whole keys",
            )
        })
    }

    fn sequence<V: Visitor<'de>>(self, visitor: V, len: Option<usize>) -> Result<V::Value> {
        let mut elements = self.elements(len)?;
        let value = visitor.visit_seq(&mut elements)?;
        elements.finish().map(|()| value)
    }

    /// The children of this group one after another, if they are a list of this length.
    fn elements(mut self, len: Option<usize>) -> Result<ListAccess<'r, 'a, 'de>> {
        self.verify_left_out(None)?;
        self.deeper()?;
        let list = self.list()?;
        if let Some(len) = len
            && len != list.len()
        {
            return Err(Error::new(
                ErrorKind::TypeMismatch,
                format_args!("found a list of {} members, expected {len}", list.len()),
            ));
        }
        let (tree, store) = (self.reading.tree, &mut *self.reading.store);
        store.announce(&mut list.iter().flat_map(|&at| tree.members(at)));
        store.plan(&mut list.iter().filter_map(|&at| tree.node(at).array));
        Ok(ListAccess::new(self, list))
    }

    /// The text of a JSON member.
    fn json(&mut self) -> Result<Option<Vec<u8>>> {
        let node = self.reading.tree.node(self.at);
        match (node.json, node.array) {
            (Some(_), Some(_)) => Err(twice()),
            (Some(index), None) => self.reading.store.read_raw(index).map(Some),
            (None, _) => Ok(None),
        }
    }

    /// Reads whatever is here, as a map whose only key says which it is: an array, a JSON text or a group.
    fn deserialize_value<V: Visitor<'de>>(mut self, visitor: V) -> Result<V::Value> {
        if self.is_group() {
            if !self.array_first || !self.holds_value() {
                return visitor.visit_map(OneEntry::new(VALUE, GroupDeserializer(self)));
            }
            self.reading.only_array = Some(self.at);
        }
        if let Some(text) = self.json()? {
            let text = String::from_utf8(text).map_err(|err| {
                Error::new(
                    ErrorKind::InvalidValue,
                    format_args!("found a JSON text that is no UTF-8: {err}"),
                )
                .with_hint("`NpzReader::raw` reads its bytes")
            })?;
            let text: StringDeserializer<Error> = text.into_deserializer();
            return visitor.visit_map(OneEntry::new(JSON, text));
        }
        self.array(|array| {
            if array.is_empty_group() {
                return visitor.visit_map(OneEntry::new(VALUE, array));
            }
            array.deserialize_newtype_struct(VALUE, visitor)
        })
    }

    /// The members of this group that make the form which a `with` module gives to a sequence, if it has that.
    fn form(&self) -> Option<Formed> {
        let form = self.form.filter(|_| !self.is_array())?;
        let children = self.reading.children(self.at);
        let find = |name| children.iter().find(|(child, _)| *child == name).map(|(_, at)| *at);
        match form {
            Marker::Ragged => Some(Formed::Ragged(find(VALUES)?, find(OFFSETS)?)),
            Marker::Masked => Some(Formed::Masked(find(VALUES)?, find(MASK)?)),
            _ if children.is_empty() || numbered(&children, "").is_some() => None,
            _ => Some(Formed::Columns),
        }
    }

    /// This group as the sequence that has been written in a form.
    fn formed<V: Visitor<'de>>(mut self, formed: Formed, len: Option<usize>, visitor: V) -> Result<V::Value> {
        self.form = None;
        match formed {
            Formed::Ragged(values, offsets) => self.ragged(values, offsets, visitor),
            Formed::Masked(values, mask) => {
                let mask = self.mask(mask)?;
                let masked = self
                    .child(values)
                    .array(|array| MaskedDeserializer::new(array, &mask)?.sequence(len, visitor));
                masked.map_err(|e| e.at_member(VALUES))
            }
            Formed::Columns => {
                self.verify_left_out(None)?;
                self.deeper()?;
                columns::rows(self, len, visitor)
            }
        }
    }

    fn mask(&mut self, at: usize) -> Result<Mask> {
        let mask = NodeDeserializer {
            marker: None,
            ..self.child(at)
        };
        mask.array(Mask::read).map_err(|e| e.at_member(MASK))
    }

    fn offsets(&mut self, at: usize) -> Result<Vec<u64>> {
        let offsets = NodeDeserializer {
            marker: None,
            ..self.child(at)
        };
        Vec::deserialize(offsets).map_err(|e| e.at_member(OFFSETS))
    }

    /// `values` and `offsets` as rows of unequal lengths.
    fn ragged<V: Visitor<'de>>(mut self, values: usize, offsets: usize, visitor: V) -> Result<V::Value> {
        self.depth += 1;
        let offsets = self.offsets(offsets)?;
        self.child(values)
            .array(|array| Rows::new(array, &offsets)?.deserialize_any(visitor))
            .map_err(|e| e.at_member(VALUES))
    }
}

/// A sequence in the form that a `with` module gave it, and the nodes of its members.
#[derive(Clone, Copy)]
enum Formed {
    Ragged(usize, usize),
    Masked(usize, usize),
    Columns,
}

#[cold]
fn twice() -> Error {
    Error::new(
        ErrorKind::DuplicateName,
        "found both an array and a JSON text for this key, expected one of them",
    )
}

#[cold]
fn no_array() -> Error {
    Error::new(ErrorKind::TypeMismatch, "found a group of members, expected one array").with_hint(WHOLE_KEYS)
}

impl ExpectComplex for NodeDeserializer<'_, '_, '_> {
    fn expect_complex(self) -> Self {
        NodeDeserializer {
            marker: Some(Marker::Complex),
            ..self
        }
    }
}

macro_rules! arrays {
    ($($method:ident)*) => {
        $(
            fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
                self.array(|array| array.$method(visitor))
            }
        )*
    };
}

impl<'de> Deserializer<'de> for NodeDeserializer<'_, '_, 'de> {
    type Error = Error;

    fn deserialize_any<V: Visitor<'de>>(mut self, visitor: V) -> Result<V::Value> {
        if let Some(text) = self.json()? {
            return json_value(&text, |json| json.deserialize_any(visitor));
        }
        if self.is_array() {
            return self.array(|array| array.deserialize_any(visitor));
        }
        if let Some(formed) = self.form() {
            return self.formed(formed, None, visitor);
        }
        if numbered(&self.reading.children(self.at), "").is_some() {
            return self.sequence(visitor, None);
        }
        self.map(None, visitor)
    }

    arrays! {
        deserialize_bool
        deserialize_i8 deserialize_i16 deserialize_i32 deserialize_i64 deserialize_i128
        deserialize_u8 deserialize_u16 deserialize_u32 deserialize_u64 deserialize_u128
        deserialize_f32 deserialize_f64
        deserialize_char deserialize_str deserialize_identifier deserialize_bytes
    }

    same_calls!();

    fn deserialize_unit<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        if self.at == ROOT {
            return visitor.visit_unit();
        }
        self.array(|array| array.deserialize_unit(visitor))
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        if self.is_array() && !self.is_group() {
            return self.array(|array| array.deserialize_option(visitor));
        }
        hand_some(visitor, self)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(mut self, name: &'static str, visitor: V) -> Result<V::Value> {
        match Marker::of(name) {
            Some(Marker::Json) => match self.json()? {
                Some(text) => visitor.visit_byte_buf(text),
                None if self.is_array() && !self.is_group() => {
                    self.array(|array| array.deserialize_newtype_struct(name, visitor))
                }
                None => visitor.visit_newtype_struct(self),
            },
            Some(Marker::List) => visitor.visit_newtype_struct(self),
            Some(Marker::Ragged | Marker::Masked | Marker::Columns) => {
                self.form = Marker::of(name);
                visitor.visit_newtype_struct(self)
            }
            Some(Marker::Value) => self.deserialize_value(visitor),
            Some(Marker::Raw) if self.is_group() && !self.is_array() => {
                GroupDeserializer(self).deserialize_any(visitor)
            }
            Some(Marker::Raw) => {
                if self.array_first && self.is_group() {
                    self.reading.only_array = Some(self.at);
                }
                self.array(|array| array.deserialize_newtype_struct(name, visitor))
            }
            marker => {
                self.marker = marker.or(self.marker);
                if matches!(name, "f16" | "bf16") {
                    return self.array(|array| array.deserialize_newtype_struct(name, visitor));
                }
                visitor.visit_newtype_struct(self)
            }
        }
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        if self.is_array() || self.is_text() {
            return self.array(|array| array.deserialize_seq(visitor));
        }
        if let Some(formed) = self.form() {
            return self.formed(formed, None, visitor);
        }
        self.sequence(visitor, None)
    }

    fn deserialize_tuple<V: Visitor<'de>>(self, len: usize, visitor: V) -> Result<V::Value> {
        if self.is_array() || self.is_text() {
            return self.array(|array| array.deserialize_tuple(len, visitor));
        }
        if let Some(formed) = self.form() {
            return self.formed(formed, Some(len), visitor);
        }
        self.sequence(visitor, Some(len))
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        if self.is_group() {
            return self.map(None, visitor);
        }
        self.array(|array| array.deserialize_map(visitor))
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value> {
        if self.is_group() && name != ORDERED {
            let is_ndarray = name == "Array" && fields == NDARRAY_FIELDS;
            if is_ndarray
                && !self
                    .reading
                    .children(self.at)
                    .iter()
                    .any(|(name, _)| fields.contains(name))
            {
                return Err(no_array());
            }
            return self.map(Some(fields), visitor);
        }
        self.array(|array| array.deserialize_struct(name, fields, visitor))
    }

    fn deserialize_enum<V: Visitor<'de>>(
        mut self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value> {
        if !self.is_group() {
            return self.array(|array| array.deserialize_enum(name, variants, visitor));
        }
        self.verify_left_out(None)?;
        self.deeper()?;
        match &self.reading.children(self.at)[..] {
            &[(name, at)] => visitor.visit_enum(VariantDeserializer {
                name,
                content: NodeDeserializer { at, ..self },
            }),
            children => Err(Error::new(
                ErrorKind::TypeMismatch,
                format_args!(
                    "found a group of {} members, expected one: the variant of the enum {name}",
                    children.len()
                ),
            )),
        }
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        visitor.visit_unit()
    }
}
