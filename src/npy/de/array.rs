//! One array to a value: an axis is a sequence, behind the last axis come the elements.

use std::borrow::Cow;
use std::rc::Rc;

use serde::de::{self, DeserializeSeed, Deserializer, SeqAccess, Visitor};

use crate::error::{Error, ErrorKind, Result};
use crate::format::dtype::Kind;
use crate::format::header::Header;
use crate::npy::de::cursor::{Cursor, limit};
use crate::npy::de::element::{Item, utf8};
use crate::npy::de::ndarray::Parts;
use crate::npy::de::ordered::Ordered;
use crate::npy::de::plan::{Plan, stops};
use crate::npy::de::raw::RawAccess;
use crate::npy::marker::{Marker, ORDERED};
use crate::npy::whole;
use crate::npy::whole::{Collector, Number};

/// An array from some axis on.
pub(crate) struct Array<'a, 's, 'de> {
    pub(super) cursor: &'a mut Cursor<'s, 'de>,
    /// The axes already entered.
    pub(super) axis: usize,
    /// How long the next axis is, where it is cut: a row of a ragged array.
    pub(super) len: Option<u64>,
    pub(super) marker: Option<Marker>,
}

impl<'a, 's, 'de> Array<'a, 's, 'de> {
    pub(crate) fn new(cursor: &'a mut Cursor<'s, 'de>) -> Self {
        Array {
            cursor,
            axis: 0,
            len: None,
            marker: None,
        }
    }

    pub(crate) fn marked(cursor: &'a mut Cursor<'s, 'de>, marker: Option<Marker>) -> Self {
        Array {
            cursor,
            axis: 0,
            len: None,
            marker,
        }
    }

    /// One row: what lies behind the first axis.
    pub(crate) fn row(cursor: &'a mut Cursor<'s, 'de>) -> Self {
        Array {
            cursor,
            axis: 1,
            len: None,
            marker: None,
        }
    }

    /// The next `len` elements along the first axis, as an array of their own.
    pub(crate) fn cut(&mut self, len: u64) -> Array<'_, 's, 'de> {
        Array {
            cursor: &mut *self.cursor,
            axis: self.axis,
            len: Some(len),
            marker: self.marker,
        }
    }

    pub(crate) fn first_axis(&self) -> Option<u64> {
        self.shape().first().copied()
    }

    pub(super) fn shape(&self) -> &[u64] {
        self.cursor.header.shape().get(self.axis..).unwrap_or_default()
    }

    /// The shape of this part.
    pub(super) fn dims(&self) -> Vec<u64> {
        let mut shape = self.shape().to_vec();
        if let (Some(len), Some(first)) = (self.len, shape.first_mut()) {
            *first = len;
        }
        shape
    }

    pub(crate) fn is_item(&self) -> bool {
        self.shape().is_empty()
    }

    pub(crate) fn kind(&self) -> &Kind {
        &self.cursor.header.dtype().kind
    }

    /// The elements from here on, as many as there are in this part.
    fn count(&self) -> u64 {
        match (self.len, self.shape()) {
            (Some(len), [_, rest @ ..]) => len * rest.iter().product::<u64>(),
            (_, shape) => shape.iter().product(),
        }
    }

    #[cold]
    pub(super) fn mismatch(&self, expected: &str) -> Error {
        let header = &self.cursor.header;
        Error::new(
            ErrorKind::TypeMismatch,
            format_args!(
                "found an array of {} with the shape {}, expected {expected}",
                header.dtype(),
                Shape(self.shape())
            ),
        )
    }

    /// Runs `body` on the element that is next.
    fn item<T>(self, body: impl FnOnce(Item<'_, 'de>) -> Result<T>) -> Result<T>
    where
        'de: 'a,
    {
        let plan = Rc::clone(&self.cursor.plan);
        let bytes = self.cursor.take(plan.dtype.itemsize())?;
        body(Item {
            dtype: &plan.dtype,
            plan: &plan,
            bytes,
            number: plan.number.filter(|_| self.marker.is_none()),
            marker: self.marker,
        })
    }

    fn sequence<V: Visitor<'de>>(self, visitor: V, expected: Option<usize>) -> Result<V::Value> {
        let Some(&axis) = self.shape().first() else {
            return self.item(|item| match expected {
                Some(len) => item.deserialize_tuple(len, visitor),
                None => item.deserialize_seq(visitor),
            });
        };
        let len = self.len.unwrap_or(axis);
        if let Some(expected) = expected
            && expected as u64 != len
        {
            return Err(self.mismatch(&format!("{expected} elements along the first axis")));
        }
        let rest = &self.shape()[1..];
        self.check_byteless(len, rest)?;
        if rest.is_empty() {
            return self.items(len, visitor);
        }
        let mut elements = Elements {
            axis: self.axis + 1,
            array: self,
            at: 0,
            len,
        };
        let value = visitor.visit_seq(&mut elements)?;
        if elements.at < len {
            return Err(elements.array.mismatch(&format!(
                "{} elements along the first axis, as the target took",
                elements.at
            )));
        }
        Ok(value)
    }

    /// Bounds the walk over `len` parts of the shape `rest`.
    ///
    /// Parts that hold no byte are not proven by anything: 2^40 of them are no reason to loop.
    pub(super) fn check_byteless(&self, len: u64, rest: &[u64]) -> Result<()> {
        let byteless = rest.contains(&0) || self.cursor.header.dtype().itemsize() == 0;
        let stops = len.saturating_mul(stops(rest).saturating_add(1));
        let most = self.cursor.plan.rules.most_byteless;
        if byteless && stops > most {
            return Err(limit("elements without a byte", stops, most, "any_elements"));
        }
        Ok(())
    }

    /// The elements along the last axis.
    pub(crate) fn items<V: Visitor<'de>>(self, len: u64, visitor: V) -> Result<V::Value> {
        let plan = Rc::clone(&self.cursor.plan);
        let mut items = Items {
            itemsize: plan.dtype.itemsize(),
            number: plan.number.filter(|_| self.marker.is_none()),
            plan: &plan,
            marker: self.marker,
            cursor: &mut *self.cursor,
            at: 0,
            len,
        };
        let value = visitor.visit_seq(&mut items)?;
        let taken = items.at;
        if taken < len {
            return Err(self.mismatch(&format!("{taken} elements along the first axis, as the target took")));
        }
        Ok(value)
    }

    /// An ndarray asks for its version, its shape, and its elements in one row.
    fn ndarray<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        visitor.visit_seq(Parts {
            array: Some(self),
            part: 0,
            axes: 0,
        })
    }

    /// How to make all that `V` would make of these elements at once, where it is a vector of just them.
    fn whole_rows<V: Visitor<'de>>(&self) -> Option<Collector<V>> {
        let number = self.number()?;
        match self.shape() {
            [_] => whole::collector_of(number, None),
            [_, row] => whole::collector_of(number, Some(usize::try_from(*row).ok()?)),
            _ => None,
        }
    }

    /// The plain number that every element is, where no `with` module wants to see it.
    pub(crate) fn number(&self) -> Option<Number> {
        self.marker.is_none().then(|| Number::of(self.cursor.header.dtype()))?
    }

    fn bytes(self) -> Result<Vec<u8>> {
        let len = self.count();
        self.cursor.take_buf(len)
    }

    /// All of it as it lies in the file; a part of it in C order.
    fn raw(self) -> Result<RawAccess<'de>> {
        if self.axis == 0 && self.len.is_none() {
            let data = self.cursor.whole()?;
            return Ok(RawAccess::new(&self.cursor.header, data));
        }
        let header = Header::new(self.cursor.header.dtype().clone(), self.dims(), false)?;
        let data = match self.cursor.lent(header.data_len()) {
            Some(lent) => Cow::Borrowed(lent),
            None => Cow::Owned(self.cursor.take_buf(header.data_len())?),
        };
        Ok(RawAccess::new(&header, data))
    }

    fn is_bytes(&self) -> bool {
        self.shape().len() == 1 && matches!(self.kind(), Kind::Uint { size: 1, .. })
    }

    fn is_marker(&self) -> bool {
        self.axis == 0 && self.is_item() && matches!(self.kind(), Kind::Void { len: 0 })
    }

    pub(crate) fn is_empty_group(&self) -> bool {
        self.axis == 0 && self.shape() == [0] && matches!(self.kind(), Kind::Void { len: 0 })
    }

    fn visit_bytes<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        let len = self.count();
        if let Some(lent) = self.cursor.lent(len) {
            return visitor.visit_borrowed_bytes(lent);
        }
        visitor.visit_byte_buf(self.bytes()?)
    }

    /// The text of a row of UTF-8, as `with::ragged` keeps it.
    fn visit_row<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        let len = self.count();
        if let Some(lent) = self.cursor.lent(len) {
            return visitor.visit_borrowed_str(utf8(lent)?);
        }
        let bytes = self.bytes()?;
        visitor.visit_str(utf8(&bytes)?)
    }

    fn is_ragged_text(&self) -> bool {
        self.len.is_some() && self.is_bytes()
    }
}

/// A shape as Python prints it.
pub(crate) struct Shape<'a>(pub(crate) &'a [u64]);

impl std::fmt::Display for Shape<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.0 {
            [len] => write!(f, "({len},)"),
            shape => {
                f.write_str("(")?;
                for (i, len) in shape.iter().enumerate() {
                    write!(f, "{}{len}", if i > 0 { ", " } else { "" })?;
                }
                f.write_str(")")
            }
        }
    }
}

macro_rules! scalars {
    ($($method:ident $expected:literal;)*) => {
        $(
            fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
                if !self.is_item() {
                    return Err(self.mismatch($expected));
                }
                self.item(|item| item.$method(visitor))
            }
        )*
    };
}

impl<'a, 's, 'de: 'a> Deserializer<'de> for Array<'a, 's, 'de> {
    type Error = Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        if self.is_marker() {
            return visitor.visit_unit();
        }
        if self.is_empty_group() {
            return visitor.visit_map(Nothing);
        }
        if self.is_item() {
            return self.item(|item| item.deserialize_any(visitor));
        }
        let max = self.cursor.plan.rules.any_elements;
        let count = self.count();
        if self.axis == 0 && count > max {
            return Err(limit(
                "elements to be handed out one by one",
                count,
                max,
                "any_elements",
            ));
        }
        // What they lie in counts as well, and is more than they are where axes are of length 1.
        let sequences = self.shape().split_last().map_or(0, |(_, outer)| stops(outer));
        if self.axis == 0 && sequences > max {
            return Err(limit(
                "sequences to be handed out one by one",
                sequences,
                max,
                "any_elements",
            ));
        }
        self.sequence(visitor, None)
    }

    scalars! {
        deserialize_bool "one bool";
        deserialize_i8 "one i8";
        deserialize_i16 "one i16";
        deserialize_i32 "one i32";
        deserialize_i64 "one i64";
        deserialize_i128 "one i128";
        deserialize_u8 "one u8";
        deserialize_u16 "one u16";
        deserialize_u32 "one u32";
        deserialize_u64 "one u64";
        deserialize_u128 "one u128";
        deserialize_f32 "one f32";
        deserialize_f64 "one f64";
        deserialize_char "one char";
        deserialize_identifier "one text";
    }

    fn deserialize_str<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        if self.is_ragged_text() {
            return self.visit_row(visitor);
        }
        if !self.is_item() {
            return Err(self.mismatch("one text"));
        }
        self.item(|item| item.deserialize_str(visitor))
    }

    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        self.deserialize_str(visitor)
    }

    fn deserialize_bytes<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        if self.is_bytes() {
            return self.visit_bytes(visitor);
        }
        if !self.is_item() {
            return Err(self.mismatch("bytes: one row of |u1, or one S or V"));
        }
        self.item(|item| item.deserialize_bytes(visitor))
    }

    fn deserialize_byte_buf<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        self.deserialize_bytes(visitor)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        if self.is_marker() {
            return visitor.visit_none();
        }
        if self.is_item() && self.marker == Some(Marker::Nan) {
            return self.item(|item| item.deserialize_option(visitor));
        }
        visitor.visit_some(self)
    }

    fn deserialize_unit<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        if !self.is_item() {
            return Err(self.mismatch("the marker of `()`, 0-d |V0"));
        }
        self.item(|item| item.deserialize_unit(visitor))
    }

    fn deserialize_unit_struct<V: Visitor<'de>>(self, _: &'static str, visitor: V) -> Result<V::Value> {
        self.deserialize_unit(visitor)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, name: &'static str, visitor: V) -> Result<V::Value> {
        if self.is_item() && matches!(name, "f16" | "bf16") {
            return self.item(|item| item.deserialize_newtype_struct(name, visitor));
        }
        let marker = Marker::of(name);
        if matches!(marker, Some(Marker::Raw | Marker::Value)) {
            return visitor.visit_newtype_struct(self.raw()?);
        }
        visitor.visit_newtype_struct(Array {
            marker: marker.or(self.marker),
            ..self
        })
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        if self.axis == 0 && self.len.is_none() && !self.is_item() {
            // An array of no elements is an empty sequence whatever its other axes, where the target has no place for them.
            let empty = self.shape()[0] == 0 || (self.count() == 0 && whole::collects_scalars::<V>());
            if empty {
                return visitor.visit_seq(Nothing);
            }
        }
        if let Some(whole) = self.whole_rows::<V>() {
            let len = self.len.unwrap_or_else(|| self.shape()[0]);
            return whole.collect(len, &mut self.cursor.fill_numbers());
        }
        self.sequence(visitor, None)
    }

    fn deserialize_tuple<V: Visitor<'de>>(self, len: usize, visitor: V) -> Result<V::Value> {
        self.sequence(visitor, Some(len))
    }

    fn deserialize_tuple_struct<V: Visitor<'de>>(self, _: &'static str, len: usize, visitor: V) -> Result<V::Value> {
        self.sequence(visitor, Some(len))
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        if self.is_empty_group() {
            return visitor.visit_map(Nothing);
        }
        if !self.is_item() {
            return Err(self.mismatch("a group or one record"));
        }
        self.item(|item| item.deserialize_map(visitor))
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value> {
        if name == "Array" && fields == ["v", "dim", "data"] {
            return self.ndarray(visitor);
        }
        if name == ORDERED {
            return visitor.visit_map(Ordered::new(self));
        }
        if !self.is_item() {
            return self.deserialize_map(visitor);
        }
        self.item(|item| item.deserialize_struct(name, fields, visitor))
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value> {
        if !self.is_item() {
            return Err(self.mismatch("the name of a variant, or a group of one"));
        }
        self.item(|item| item.deserialize_enum(name, variants, visitor))
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        let bytes = self.count() * self.cursor.header.dtype().itemsize();
        self.cursor.skip(bytes)?;
        visitor.visit_unit()
    }

    fn is_human_readable(&self) -> bool {
        true
    }
}

/// The parts of an array, each of which starts at the same axis.
pub(crate) struct Elements<'a, 's, 'de> {
    pub(super) array: Array<'a, 's, 'de>,
    pub(super) axis: usize,
    pub(super) at: u64,
    pub(super) len: u64,
}

impl<'de> SeqAccess<'de> for &mut Elements<'_, '_, 'de> {
    type Error = Error;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>> {
        if self.at == self.len {
            return Ok(None);
        }
        let index = self.at;
        self.at += 1;
        let array = Array {
            cursor: &mut *self.array.cursor,
            axis: self.axis,
            len: None,
            marker: self.array.marker,
        };
        seed.deserialize(array).map(Some).map_err(|e| e.at_index(index))
    }

    fn size_hint(&self) -> Option<usize> {
        usize::try_from(self.len - self.at).ok()
    }
}

/// The elements along the last axis, each of the same layout.
struct Items<'a, 's, 'de> {
    cursor: &'a mut Cursor<'s, 'de>,
    plan: &'a Plan,
    itemsize: u64,
    number: Option<Number>,
    pub(super) marker: Option<Marker>,
    at: u64,
    len: u64,
}

impl<'de> SeqAccess<'de> for &mut Items<'_, '_, 'de> {
    type Error = Error;

    #[inline]
    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>> {
        if self.at == self.len {
            return Ok(None);
        }
        let index = self.at;
        self.at += 1;
        let item = Item {
            dtype: &self.plan.dtype,
            plan: self.plan,
            bytes: self.cursor.take(self.itemsize).map_err(|e| e.at_index(index))?,
            number: self.number,
            marker: self.marker,
        };
        seed.deserialize(item).map(Some).map_err(|e| e.at_index(index))
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
