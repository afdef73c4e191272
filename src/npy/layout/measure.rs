//! The measuring walk: a value to the layout of its array, before a byte is written.
//!
//! ```text
//! vec![("ab", 1u8), ("c", 2u8)]  ->  Axis 2 of Record { f0: <U2, f1: |u1 }  ->  header ([('f0', '<U2'), ('f1', '|u1')], (2,))
//! vec![Some(vec![1.0]), None]    ->  Group                                  ->  a list, one member each
//! ```

mod check;
mod special;

use std::borrow::Cow;

use serde::Serialize;
use serde::ser::{self, Serializer};

use self::check::Check;
pub(crate) use self::special::{Finished, Special};
use crate::error::{Error, ErrorKind, Result};
use crate::format::dtype::TimeUnit;
use crate::npy::layout::capture;
use crate::npy::layout::capture::unsigned;
use crate::npy::layout::compound::compound;
use crate::npy::layout::node::{Node, fault};
use crate::npy::layout::scalar::{Leaf, Scalar, scalars};
use crate::npy::marker::Marker;
use crate::npy::whole;
use crate::npy::whole::{Element, Number, Whole};

/// Deeper than this nothing can be an array: 64 axes, 32 levels of a dtype.
pub(crate) const MAX_LEVELS: u8 = 100;

/// The layout of `value`.
pub(crate) fn measure<T: Serialize + ?Sized>(value: &T) -> Result<Node> {
    measure_marked(value, None)
}

/// The layout of `value` inside a `with` module.
pub(crate) fn measure_marked<T: Serialize + ?Sized>(value: &T, marker: Option<Marker>) -> Result<Node> {
    Measure::new(marker, false).value(value).map(Node::settled)
}

/// The layout of what a tuple variant holds: that of the tuple.
pub(crate) fn measure_content<T: Serialize + ?Sized>(value: &T, marker: Option<Marker>) -> Result<Node> {
    Measure::new(marker, true).value(value)
}

#[derive(Clone, Copy)]
struct Measure {
    marker: Option<Marker>,
    level: u8,
    /// Directly inside a Some.
    in_option: bool,
    /// A variant stands for the tuple it holds.
    content: bool,
}

impl Measure {
    fn new(marker: Option<Marker>, content: bool) -> Self {
        Measure {
            marker,
            level: 0,
            in_option: false,
            content,
        }
    }

    fn value<T: Serialize + ?Sized>(self, value: &T) -> Result<Node> {
        match whole::complex(value) {
            Some(complex) => self.scalar(complex.into()),
            None => match value.serialize(self)? {
                Node::Leaf(Leaf::Nan) => Ok(Node::Leaf(whole::optional_float::<T>().map_or(Leaf::Nan, Leaf::Number))),
                node => Ok(node),
            },
        }
    }

    fn scalar(self, scalar: Scalar<'_>) -> Result<Node> {
        if self.in_option && self.marker == Some(Marker::Nan) {
            scalar.check_not_nan()?;
        }
        Ok(Node::Leaf(scalar.leaf(self.marker)?))
    }

    /// For the parts of this value, or None where they cannot matter any more.
    fn deeper(self) -> Option<Self> {
        (self.level < MAX_LEVELS).then_some(Measure {
            level: self.level + 1,
            in_option: false,
            ..self
        })
    }

    /// Parts are not looked at: inside an Option, or too deep. A variant among them keeps its name.
    fn parts(self) -> Option<Self> {
        let whole = Measure { content: false, ..self };
        if self.in_option { None } else { whole.deeper() }
    }
}

impl Serializer for Measure {
    type Ok = Node;
    type Error = Error;
    type SerializeSeq = Items;
    type SerializeTuple = Items;
    type SerializeTupleStruct = Items;
    type SerializeTupleVariant = Items;
    type SerializeMap = Fields;
    type SerializeStruct = Fields;
    type SerializeStructVariant = Ignore;

    scalars!();

    fn serialize_bytes(self, v: &[u8]) -> Result<Node> {
        self.scalar(Scalar::Raw(v))
    }

    fn serialize_none(self) -> Result<Node> {
        if self.in_option {
            return Err(nested_none("Some(None)"));
        }
        Ok(match self.marker {
            Some(Marker::Nan) => Node::Leaf(Leaf::Nan),
            _ => Node::None { scalar: false },
        })
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<Node> {
        let Some(inner) = self.deeper() else {
            return Ok(Node::Group);
        };
        Ok(
            match (Measure {
                in_option: true,
                ..inner
            })
            .value(value)?
            {
                Node::Leaf(leaf) if self.marker == Some(Marker::Nan) => Node::Leaf(leaf),
                Node::Leaf(leaf) => Node::Maybe(leaf),
                // Around anything else an Option makes a list, whether Some or None.
                _ => Node::Group,
            },
        )
    }

    fn serialize_unit(self) -> Result<Node> {
        if self.in_option {
            Err(nested_none("Some(())"))
        } else {
            Ok(Node::Unit)
        }
    }

    fn serialize_unit_struct(self, _: &'static str) -> Result<Node> {
        self.serialize_unit()
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(self, name: &'static str, value: &T) -> Result<Node> {
        if let Some(half) = half(name, value) {
            return self.scalar(half);
        }
        let Some(inner) = self.deeper() else {
            return Err(too_deep());
        };
        let inner = Measure {
            in_option: self.in_option,
            ..inner
        };
        match Marker::of(name) {
            Some(marker) if !marker.is_layout() => Ok(Node::Group),
            Some(marker) => Measure {
                marker: Some(marker),
                ..inner
            }
            .value(value),
            None => inner.value(value),
        }
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: &T,
    ) -> Result<Node> {
        Ok(Node::Group)
    }

    fn serialize_seq(self, _: Option<usize>) -> Result<Items> {
        Ok(Items::new(self.parts(), Parts::Union(None)))
    }

    fn serialize_tuple(self, _: usize) -> Result<Items> {
        Ok(Items::new(self.parts(), Parts::Each(Vec::new())))
    }

    fn serialize_tuple_struct(self, _: &'static str, len: usize) -> Result<Items> {
        self.serialize_tuple(len)
    }

    fn serialize_tuple_variant(self, _: &'static str, _: u32, _: &'static str, len: usize) -> Result<Items> {
        let measured = self.serialize_tuple(len)?;
        Ok(if self.content {
            measured
        } else {
            Items {
                measure: None,
                ..measured
            }
        })
    }

    fn serialize_map(self, len: Option<usize>) -> Result<Fields> {
        // serde's flatten asks for a map of unknown length; a real map knows its own.
        let measure = if len.is_none() { self.parts() } else { None };
        Ok(Fields {
            measure,
            name: "",
            in_option: self.in_option,
            fields: Vec::new(),
            special: Special::default(),
        })
    }

    fn serialize_struct(self, name: &'static str, _: usize) -> Result<Fields> {
        // Inside an Option a Duration is still a scalar.
        let inside = Measure {
            in_option: false,
            ..self
        };
        Ok(Fields {
            measure: inside.deeper(),
            name,
            in_option: self.in_option,
            fields: Vec::new(),
            special: Special::default(),
        })
    }

    fn serialize_struct_variant(self, _: &'static str, _: u32, _: &'static str, _: usize) -> Result<Ignore> {
        Ok(Ignore)
    }

    fn collect_seq<I>(self, iter: I) -> Result<Node>
    where
        I: IntoIterator,
        I::Item: Serialize,
    {
        if !self.in_option
            && self.marker.is_none()
            && let Some(whole) = whole::whole(&iter)
        {
            return Ok(Node::Axis {
                len: whole.len as u64,
                item: Box::new(whole_item(&whole)),
                tuple: false,
            });
        }
        let mut items = self.serialize_seq(None)?;
        items.element = whole::element::<I::Item>();
        for item in iter {
            ser::SerializeSeq::serialize_element(&mut items, &item)?;
        }
        ser::SerializeSeq::end(items)
    }

    fn is_human_readable(&self) -> bool {
        true
    }
}

/// What the elements of a whole slice are: numbers, or rows of them.
fn whole_item(whole: &Whole<'_>) -> Node {
    let leaf = Node::Leaf(Leaf::Number(whole.number));
    match whole.row {
        None if whole.len == 0 => Node::Empty(Some(Element::Number(whole.number))),
        None => leaf,
        Some(_) if whole.len == 0 => Node::Empty(None),
        Some(row) => Node::Axis {
            len: row as u64,
            item: Box::new(if row == 0 { Node::Empty(None) } else { leaf }),
            tuple: true,
        },
    }
}

/// The bits of a half float, which its crate hands out as a newtype of u16.
#[inline(always)]
pub(crate) fn half<T: Serialize + ?Sized>(name: &str, value: &T) -> Option<Scalar<'static>> {
    match name {
        "f16" => Some(Scalar::F16(bits(value)?)),
        "bf16" => Some(Scalar::Bf16(bits(value)?)),
        _ => None,
    }
}

fn bits<T: Serialize + ?Sized>(value: &T) -> Option<u16> {
    unsigned(value).and_then(|bits| u16::try_from(bits).ok())
}

#[cold]
pub(crate) fn nested_none(found: &str) -> Error {
    Error::new(
        ErrorKind::UnsupportedType,
        format_args!("found {found}, expected a value inside Some: it could not be told from None when read back"),
    )
}

#[cold]
pub(crate) fn too_deep() -> Error {
    Error::new(
        ErrorKind::LimitExceeded,
        "found more levels of nesting than can be written, expected at most 64 groups and 64 axes",
    )
}

#[cold]
fn units() -> Error {
    Error::new(
        ErrorKind::UnsupportedType,
        "found a sequence of `()`, expected elements that hold something: its length could not be read back safely",
    )
}

/// A sequence or tuple.
pub(crate) struct Items {
    measure: Option<Measure>,
    element: Option<Element>,
    len: u64,
    parts: Parts,
}

enum Parts {
    /// The layouts of all items of a tuple.
    Each(Vec<Node>),
    /// The layout that holds all elements of a sequence so far.
    Union(Option<Node>),
}

impl Items {
    fn new(measure: Option<Measure>, parts: Parts) -> Self {
        Items {
            measure,
            element: None,
            len: 0,
            parts,
        }
    }

    #[inline]
    fn push<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<()> {
        let Some(measure) = self.measure else {
            self.len += 1;
            return Ok(());
        };
        #[cfg(test)]
        if check::tests::off() {
            return self.measured(measure, value);
        }
        if let Parts::Union(Some(seen)) = &mut self.parts {
            if Check::new(seen, measure, false).value(value).is_ok() {
                self.len += 1;
                return Ok(());
            }
            // It may have added the bytes of its texts before it differed.
            let _ = Check::new(seen, measure, true).value(value);
        }
        self.measured(measure, value)
    }

    /// Measures an element that is the first or differs from those before.
    #[cold]
    fn measured<T: Serialize + ?Sized>(&mut self, measure: Measure, value: &T) -> Result<()> {
        let index = self.len;
        self.len += 1;
        let mut node = measure.value(value).map_err(|e| e.at_index(index))?;
        if let Node::None { scalar } = &mut node {
            *scalar = whole::is_optional_scalar::<T>();
        }
        if let Node::Group = node {
            // Nothing that follows can make it an array again.
            self.measure = None;
            return Ok(());
        }
        match &mut self.parts {
            Parts::Each(items) => items.push(node),
            Parts::Union(seen) => {
                *seen = Some(match seen.take() {
                    None => node,
                    Some(seen) => seen.union(node, index),
                });
            }
        }
        Ok(())
    }

    fn finish(self) -> Result<Node> {
        let Some(measure) = self.measure else {
            return Ok(Node::Group);
        };
        let seen = match self.parts {
            Parts::Each(items) => return Ok(tuple(items)),
            Parts::Union(seen) => seen,
        };
        let item = match seen {
            None => measure_empty(self.element, measure.marker),
            Some(Node::Group) => return Ok(Node::Group),
            Some(Node::None { scalar: false }) => return Ok(Node::Group),
            Some(Node::None { scalar: true }) => {
                return Ok(fault(
                    ErrorKind::InvalidValue,
                    "found only None among optional scalars, expected all of them to be Some: use `with::nan` for \
                     floats, or a list of their own with `with::list`"
                        .into(),
                ));
            }
            Some(Node::Unit) => return Err(units()),
            Some(Node::Ndarray { .. }) => return Ok(Node::Group),
            Some(fault @ Node::Fault(_)) => return Ok(fault),
            Some(node) => node.settled(),
        };
        Ok(Node::Axis {
            len: self.len,
            item: Box::new(item),
            tuple: false,
        })
    }
}

/// What an empty sequence holds: the type of its elements tells, or the `with` module around.
fn measure_empty(element: Option<Element>, marker: Option<Marker>) -> Node {
    Node::Leaf(match marker {
        Some(Marker::Float16) => Leaf::Number(Number::F16),
        Some(Marker::Bytes) => Leaf::Bytes(1),
        Some(Marker::Datetime(base)) => Leaf::Datetime(TimeUnit { base, multiple: 1 }),
        Some(Marker::Timedelta(base)) => Leaf::Timedelta(TimeUnit { base, multiple: 1 }),
        _ => return Node::Empty(element),
    })
}

/// A tuple is one more axis where its items are of one fixed-size kind, a record where they differ.
fn tuple(items: Vec<Node>) -> Node {
    if let Some(at) = items.iter().position(|item| matches!(item, Node::Fault(_))) {
        return items.into_iter().nth(at).unwrap_or(Node::Group);
    }
    if !items.iter().all(Node::is_fixed) {
        return Node::Group;
    }
    let len = items.len() as u64;
    let one = items.iter().cloned().reduce(|a, b| a.union(b, 0));
    match one {
        None => Node::Axis {
            len,
            item: Box::new(Node::Empty(None)),
            tuple: true,
        },
        Some(Node::Fault(_) | Node::Group | Node::Unit) => {
            let fields = items
                .into_iter()
                .enumerate()
                .map(|(i, node)| (Cow::Owned(format!("f{i}")), node))
                .collect();
            Node::Record { fields, tuple: true }
        }
        Some(node) => Node::Axis {
            len,
            item: Box::new(node),
            tuple: true,
        },
    }
}

compound!(Items => Node, Error:
    SerializeSeq serialize_element,
    SerializeTuple serialize_element,
    SerializeTupleStruct serialize_field,
    SerializeTupleVariant serialize_field);

/// A struct, or the map that flatten makes of one.
pub(crate) struct Fields {
    measure: Option<Measure>,
    name: &'static str,
    in_option: bool,
    fields: Vec<(Cow<'static, str>, Node)>,
    special: Special,
}

impl Fields {
    fn push<T: Serialize + ?Sized>(&mut self, key: Cow<'static, str>, value: &T) -> Result<()> {
        let Some(measure) = self.measure else { return Ok(()) };
        let mut node = None;
        self.special.take(self.name, &key, value, |value| {
            let found = measure.value(value)?;
            node = Some(found.clone());
            Ok(found)
        })?;
        let node = match node {
            Some(node) => node,
            None => measure.value(value).map_err(|e| e.at_field(&key))?,
        };
        if node.is_fixed() || matches!(node, Node::Fault(_)) || self.name == "Array" {
            self.fields.push((key, node));
        } else {
            self.measure = None;
        }
        Ok(())
    }

    fn finish(self) -> Result<Node> {
        if self.measure.is_none() {
            return Ok(Node::Group);
        }
        match self.special.finish(self.name, self.fields.len())? {
            Some(Finished::Scalar(scalar)) => return Ok(Node::Leaf(scalar.leaf(None)?)),
            Some(Finished::Ndarray(_)) if self.in_option => return Ok(Node::Group),
            Some(Finished::Ndarray(node)) => return Ok(node),
            None => {}
        }
        if self.in_option || !self.fields.iter().all(|(_, node)| node.is_fixed()) {
            let fault = self
                .fields
                .into_iter()
                .map(|(_, node)| node)
                .find(|node| matches!(node, Node::Fault(_)));
            return Ok(if self.in_option {
                Node::Group
            } else {
                fault.unwrap_or(Node::Group)
            });
        }
        Ok(Node::Record {
            fields: self.fields,
            tuple: false,
        })
    }
}

impl ser::SerializeStruct for Fields {
    type Ok = Node;
    type Error = Error;

    fn serialize_field<T: Serialize + ?Sized>(&mut self, key: &'static str, value: &T) -> Result<()> {
        self.push(Cow::Borrowed(key), value)
    }

    fn end(self) -> Result<Node> {
        self.finish()
    }
}

impl ser::SerializeMap for Fields {
    type Ok = Node;
    type Error = Error;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, _: &T) -> Result<()> {
        // Whoever gives key and value apart is a map.
        self.measure = None;
        Ok(())
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, _: &T) -> Result<()> {
        Ok(())
    }

    fn serialize_entry<K: Serialize + ?Sized, V: Serialize + ?Sized>(&mut self, key: &K, value: &V) -> Result<()> {
        // What derive's flatten passes is a `str`: a field. Any other key is an entry of a real map.
        if self.measure.is_none() || !whole::is_str::<K>() {
            self.measure = None;
            return Ok(());
        }
        self.push(Cow::Owned(capture::key(key)?), value)
    }

    fn end(self) -> Result<Node> {
        self.finish()
    }
}

/// A data-carrying variant is a group whatever it carries.
pub(crate) struct Ignore;

impl ser::SerializeStructVariant for Ignore {
    type Ok = Node;
    type Error = Error;

    fn serialize_field<T: Serialize + ?Sized>(&mut self, _: &'static str, _: &T) -> Result<()> {
        Ok(())
    }

    fn end(self) -> Result<Node> {
        Ok(Node::Group)
    }
}
