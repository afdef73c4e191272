//! The measuring walk over all elements but the first: most are laid out as those before.
//!
//! ```text
//! seen     Record { id: <u8, name: <U3 }    the elements so far
//! element  { id: 7, name: "abcd" }          the same: name is <U4 from now on
//! element  { id: 8, name: ["x"] }           differs: measured on its own and joined with what was seen
//! ```
//!
//! An element passes only where the union of its layout and the one seen is the one seen, but for the widths of texts,
//! so that it makes no difference to the verdict who looks. Nothing is allocated, and what is wrong with an element is
//! left to the one who measures it.

#[cfg(test)]
pub(super) mod tests;

use std::borrow::Cow;
use std::{fmt, slice};

use serde::Serialize;
use serde::ser::{self, Impossible, Serializer};

use super::{Finished, MAX_LEVELS, Measure, Special, half, measure_empty};
use crate::error::Error;
use crate::npy::layout::capture;
use crate::npy::layout::compound::{compound, refusals};
use crate::npy::layout::node::Node;
use crate::npy::layout::scalar::{Leaf, Scalar, scalars};
use crate::npy::marker::Marker;
use crate::npy::whole;
use crate::npy::whole::Number;

/// The element is not known to be laid out as those before.
#[derive(Debug)]
pub(super) struct Differs;

type Result<T = ()> = std::result::Result<T, Differs>;

impl fmt::Display for Differs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the element differs from those before")
    }
}

impl std::error::Error for Differs {}

impl ser::Error for Differs {
    #[cold]
    fn custom<T: fmt::Display>(_: T) -> Self {
        Differs
    }
}

impl From<Error> for Differs {
    #[cold]
    fn from(_: Error) -> Self {
        Differs
    }
}

#[inline]
fn same(same: bool) -> Result {
    if same { Ok(()) } else { Err(Differs) }
}

/// An element beside the layout of those before; small enough to travel in two registers.
pub(super) struct Check<'n> {
    node: &'n mut Node,
    marker: Option<Marker>,
    level: u8,
    /// Directly inside a Some.
    in_option: bool,
    /// Directly an element of a sequence, where Some(x) and x are one.
    direct: bool,
    /// What a None that is to be NaN would be, as far as the types around it tell.
    none: Option<Number>,
    /// Takes back what an element that differs has added until then.
    undo: bool,
}

impl<'n> Check<'n> {
    /// For an element of a sequence measured by `measure`.
    #[inline(always)]
    pub(super) fn new(seen: &'n mut Node, measure: Measure, undo: bool) -> Self {
        Check {
            node: seen,
            marker: measure.marker,
            level: measure.level,
            in_option: false,
            direct: true,
            none: None,
            undo,
        }
    }

    #[inline(always)]
    pub(super) fn value<T: Serialize + ?Sized>(self, value: &T) -> Result {
        match whole::complex(value) {
            Some(complex) => self.scalar(complex.into()),
            None => whole::serialize(
                value,
                Check {
                    none: whole::optional_float::<T>().or(self.none),
                    ..self
                },
            ),
        }
    }

    #[inline(always)]
    fn scalar(self, scalar: Scalar<'_>) -> Result {
        if let Some(number) = scalar.number()
            && self.marker.is_none()
            && let Node::Leaf(Leaf::Number(seen)) = self.node
        {
            return same(*seen == number);
        }
        self.other(scalar)
    }

    /// A text, anything inside a `with` module, or what differs.
    #[inline(never)]
    fn other(self, scalar: Scalar<'_>) -> Result {
        let (Node::Leaf(seen) | Node::Maybe(seen)) = self.node else {
            return Err(Differs);
        };
        if self.in_option && self.marker == Some(Marker::Nan) {
            scalar.check_not_nan()?;
        }
        match (seen, scalar.leaf(self.marker)?) {
            (Leaf::Str { width, text }, Leaf::Str { width: w, text: t }) => {
                *width = w.max(*width);
                *text = if self.undo {
                    text.saturating_sub(t)
                } else {
                    text.saturating_add(t)
                };
                Ok(())
            }
            (Leaf::Bytes(width), Leaf::Bytes(w)) => {
                *width = w.max(*width);
                Ok(())
            }
            (seen, leaf) => same(*seen == leaf),
        }
    }

    #[cold]
    fn refuse(self, _: &str) -> Differs {
        Differs
    }

    /// One level further in, as far as there may be levels.
    #[inline(always)]
    fn deeper(self) -> Result<Self> {
        if self.level < MAX_LEVELS {
            Ok(Check {
                level: self.level + 1,
                ..self
            })
        } else {
            Err(Differs)
        }
    }

    #[inline(always)]
    fn items(self, tuple: bool) -> Result<Items<'n>> {
        let inner = self.deeper()?;
        if inner.in_option {
            return Err(Differs);
        }
        let empty = matches!(inner.node, Node::Axis { len: 0, .. });
        let parts = match inner.node {
            Node::Axis { len, item, tuple: was } if *was == tuple => Parts::Alike { item, left: *len },
            Node::Record { fields, tuple: true } if tuple => Parts::Each(fields.iter_mut()),
            _ => return Err(Differs),
        };
        Ok(Items {
            parts,
            marker: inner.marker,
            level: inner.level,
            tuple,
            undo: inner.undo,
            differs: false,
            empty,
        })
    }

    #[inline(always)]
    fn fields(self) -> Result<Fields<'n>> {
        let inner = self.deeper()?;
        match inner.node {
            Node::Record { fields, tuple: false } if !inner.in_option => Ok(Fields {
                fields: fields.iter_mut(),
                marker: inner.marker,
                level: inner.level,
                undo: inner.undo,
                differs: false,
                time: None,
            }),
            _ => Err(Differs),
        }
    }
}

impl<'n> Serializer for Check<'n> {
    type Ok = ();
    type Error = Differs;
    type SerializeSeq = Items<'n>;
    type SerializeTuple = Items<'n>;
    type SerializeTupleStruct = Items<'n>;
    type SerializeTupleVariant = Impossible<(), Differs>;
    type SerializeMap = Fields<'n>;
    type SerializeStruct = Fields<'n>;
    type SerializeStructVariant = Impossible<(), Differs>;

    scalars!();
    refusals!(serialize_newtype_variant serialize_tuple_variant serialize_struct_variant);

    #[inline]
    fn serialize_bytes(self, v: &[u8]) -> Result {
        self.scalar(Scalar::Raw(v))
    }

    #[inline(always)]
    fn serialize_none(self) -> Result {
        match (self.marker, &*self.node) {
            (Some(Marker::Nan), Node::Leaf(Leaf::Number(seen))) if !self.in_option => same(self.none == Some(*seen)),
            _ => Err(Differs),
        }
    }

    #[inline(always)]
    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result {
        let fits = match self.node {
            Node::Maybe(_) => true,
            Node::Leaf(_) => self.direct || self.marker == Some(Marker::Nan),
            _ => false,
        };
        if !fits || self.in_option {
            return Err(Differs);
        }
        Check {
            in_option: true,
            none: None,
            ..self.deeper()?
        }
        .value(value)
    }

    #[inline]
    fn serialize_unit(self) -> Result {
        same(!self.in_option && matches!(self.node, Node::Unit))
    }

    #[inline]
    fn serialize_unit_struct(self, _: &'static str) -> Result {
        self.serialize_unit()
    }

    #[inline(always)]
    fn serialize_newtype_struct<T: Serialize + ?Sized>(self, name: &'static str, value: &T) -> Result {
        if let Some(half) = half(name, value) {
            return self.scalar(half);
        }
        let inner = self.deeper()?;
        match Marker::of(name) {
            Some(marker) if !marker.is_layout() => Err(Differs),
            Some(marker) => Check {
                marker: Some(marker),
                ..inner
            }
            .value(value),
            None => inner.value(value),
        }
    }

    #[inline(always)]
    fn serialize_seq(self, _: Option<usize>) -> Result<Items<'n>> {
        self.items(false)
    }

    #[inline(always)]
    fn serialize_tuple(self, _: usize) -> Result<Items<'n>> {
        self.items(true)
    }

    #[inline(always)]
    fn serialize_tuple_struct(self, _: &'static str, _: usize) -> Result<Items<'n>> {
        self.items(true)
    }

    #[inline]
    fn serialize_map(self, len: Option<usize>) -> Result<Fields<'n>> {
        // Only what flatten makes of a struct is a record.
        if len.is_some() { Err(Differs) } else { self.fields() }
    }

    #[inline(always)]
    fn serialize_struct(self, name: &'static str, _: usize) -> Result<Fields<'n>> {
        match (name, &*self.node) {
            ("Duration" | "SystemTime", Node::Leaf(leaf) | Node::Maybe(leaf)) => {
                let leaf = *leaf;
                Ok(Fields {
                    fields: [].iter_mut(),
                    marker: None,
                    level: self.deeper()?.level,
                    undo: false,
                    differs: false,
                    time: Some(Box::new(Time {
                        name,
                        leaf,
                        count: 0,
                        special: Special::default(),
                    })),
                })
            }
            // These may be more than they show here.
            ("Duration" | "SystemTime" | "Array", _) => Err(Differs),
            _ => self.fields(),
        }
    }

    #[inline]
    fn collect_seq<I>(self, iter: I) -> Result
    where
        I: IntoIterator,
        I::Item: Serialize,
    {
        if !self.in_option
            && self.marker.is_none()
            && let Some(whole) = whole::whole(&iter)
        {
            return match self.node {
                Node::Axis {
                    len,
                    item,
                    tuple: false,
                } => same(
                    *len == whole.len as u64
                        && match **item {
                            // Of two empty sequences the first tells the type.
                            Node::Empty(Some(_)) => true,
                            _ => item.is_of(&whole),
                        },
                ),
                _ => Err(Differs),
            };
        }
        let mut items = self.items(false)?;
        for item in iter {
            items.push(&item)?;
        }
        items.finish()
    }

    fn is_human_readable(&self) -> bool {
        true
    }
}

/// What the parts of a sequence or tuple should be.
enum Parts<'n> {
    Alike { item: &'n mut Node, left: u64 },
    Each(slice::IterMut<'n, (Cow<'static, str>, Node)>),
}

impl Parts<'_> {
    #[inline(always)]
    fn next(&mut self) -> Option<&mut Node> {
        match self {
            Parts::Alike { item, left } => {
                *left = left.checked_sub(1)?;
                Some(item)
            }
            Parts::Each(fields) => Some(&mut fields.next()?.1),
        }
    }
}

/// A sequence or tuple.
pub(super) struct Items<'n> {
    parts: Parts<'n>,
    marker: Option<Marker>,
    level: u8,
    tuple: bool,
    undo: bool,
    /// For a value that goes on where it was told to stop.
    differs: bool,
    /// No element is expected.
    empty: bool,
}

impl Items<'_> {
    #[inline(always)]
    fn push<T: Serialize + ?Sized>(&mut self, value: &T) -> Result {
        let result = match self.parts.next() {
            Some(node) => Check {
                node,
                marker: self.marker,
                level: self.level,
                in_option: false,
                direct: !self.tuple,
                none: None,
                undo: self.undo,
            }
            .value(value),
            None => Err(Differs),
        };
        if result.is_err() {
            self.differs = true;
        }
        result
    }

    #[inline(always)]
    fn finish(self) -> Result {
        if self.differs {
            return Err(Differs);
        }
        same(match self.parts {
            Parts::Alike { item, left } => {
                left == 0
                    && match item {
                        Node::Empty(None) => self.tuple,
                        // A `with` module decides what an empty sequence holds.
                        Node::Empty(Some(_)) => self.marker.is_none(),
                        Node::Leaf(seen) if self.empty => {
                            matches!(measure_empty(None, self.marker), Node::Leaf(leaf) if leaf == *seen)
                        }
                        _ => true,
                    }
            }
            Parts::Each(fields) => fields.len() == 0,
        })
    }
}

compound!(Items<'_> => (), Differs:
    SerializeSeq serialize_element,
    SerializeTuple serialize_element,
    SerializeTupleStruct serialize_field);

/// The fields of a record.
pub(super) struct Fields<'n> {
    fields: slice::IterMut<'n, (Cow<'static, str>, Node)>,
    marker: Option<Marker>,
    level: u8,
    undo: bool,
    /// For a value that goes on where it was told to stop.
    differs: bool,
    /// The struct is a time, not a record.
    time: Option<Box<Time>>,
}

struct Time {
    name: &'static str,
    leaf: Leaf,
    count: usize,
    special: Special,
}

impl Time {
    fn push<T: Serialize + ?Sized>(&mut self, key: &str, value: &T) -> Result {
        self.count += 1;
        Ok(self.special.take(self.name, key, value, |_| Ok(Node::Group))?)
    }

    fn finish(self) -> Result {
        match self.special.finish(self.name, self.count)? {
            Some(Finished::Scalar(scalar)) => same(scalar.leaf(None)? == self.leaf),
            _ => Err(Differs),
        }
    }
}

impl Fields<'_> {
    #[inline(always)]
    fn push<T: Serialize + ?Sized>(&mut self, is_key: impl FnOnce(&str) -> bool, value: &T) -> Result {
        let result = match self.fields.next() {
            Some((name, node)) if is_key(name) => Check {
                node,
                marker: self.marker,
                level: self.level,
                in_option: false,
                direct: false,
                none: None,
                undo: self.undo,
            }
            .value(value),
            _ => Err(Differs),
        };
        if result.is_err() {
            self.differs = true;
        }
        result
    }

    #[inline(always)]
    fn finish(self) -> Result {
        same(self.fields.len() == 0 && !self.differs)
    }
}

impl ser::SerializeStruct for Fields<'_> {
    type Ok = ();
    type Error = Differs;

    #[inline(always)]
    fn serialize_field<T: Serialize + ?Sized>(&mut self, key: &'static str, value: &T) -> Result {
        match &mut self.time {
            None => self.push(|name| capture::same_name(name, key), value),
            Some(time) => {
                let result = time.push(key, value);
                self.differs |= result.is_err();
                result
            }
        }
    }

    #[inline(always)]
    fn end(self) -> Result {
        match self.time {
            Some(time) if !self.differs => time.finish(),
            _ => self.finish(),
        }
    }
}

impl ser::SerializeMap for Fields<'_> {
    type Ok = ();
    type Error = Differs;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, _: &T) -> Result {
        self.differs = true;
        Err(Differs)
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, _: &T) -> Result {
        self.differs = true;
        Err(Differs)
    }

    fn serialize_entry<K: Serialize + ?Sized, V: Serialize + ?Sized>(&mut self, key: &K, value: &V) -> Result {
        self.push(|name| whole::is_str::<K>() && capture::is_key(key, name), value)
    }

    #[inline(always)]
    fn end(self) -> Result {
        self.finish()
    }
}
