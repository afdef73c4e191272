//! One array to a value: each axis is a sequence; within the last axis are the elements.

mod access;
mod columns;
pub(crate) mod json;
pub(crate) mod masked;
mod squeeze;

use std::any::TypeId;

use serde::de::{Deserializer, Visitor};

use self::access::ElementAccess;
pub(crate) use self::access::{AxisAccess, Nothing};
pub(crate) use self::columns::with_array_of;
use crate::error::{Cause, Error, ErrorKind, Result};
use crate::format::dtype::{Kind, MAX_AXES, Order, Tuple};
use crate::npy::de::data::ArrayData;
use crate::npy::de::element::{ElementDeserializer, ExpectComplex, hand_some, is_optional_time, same_calls, utf8};
use crate::npy::de::ndarray::NdarrayAccess;
use crate::npy::de::ordered::Ordered;
use crate::npy::de::plan::{holds_any_array, visits};
use crate::npy::de::raw::OneEntry;
use crate::npy::marker::{Marker, NDARRAY_FIELDS, ORDERED, RAW};
use crate::npy::whole;
use crate::npy::whole::{Number, Plain, VecMaker};

/// An array from some axis on.
pub(crate) struct ArrayDeserializer<'a, 's, 'de> {
    pub(super) data: &'a mut ArrayData<'s, 'de>,
    /// The axes already entered.
    pub(super) axis: usize,
    /// The length of the next axis where this is only a part of it: a row of a ragged array.
    pub(super) len: Option<u64>,
    pub(super) marker: Option<Marker>,
}

impl<'a, 's, 'de> ArrayDeserializer<'a, 's, 'de> {
    pub(crate) fn new(data: &'a mut ArrayData<'s, 'de>) -> Self {
        ArrayDeserializer {
            data,
            axis: 0,
            len: None,
            marker: None,
        }
    }

    /// The same array inside a `with` module.
    pub(crate) fn marked(self, marker: Option<Marker>) -> Self {
        ArrayDeserializer { marker, ..self }
    }

    /// One row: everything at one index of the first axis.
    pub(crate) fn row(data: &'a mut ArrayData<'s, 'de>) -> Self {
        data.open(1);
        ArrayDeserializer {
            data,
            axis: 1,
            len: None,
            marker: None,
        }
    }

    /// The next `len` elements along the first axis, as an array of their own.
    pub(crate) fn cut(&mut self, len: u64) -> ArrayDeserializer<'_, 's, 'de> {
        self.data.settle_whole();
        ArrayDeserializer {
            data: &mut *self.data,
            axis: self.axis,
            len: Some(len),
            marker: self.marker,
        }
    }

    pub(crate) fn first_axis(&self) -> Option<u64> {
        self.shape().first().copied()
    }

    pub(super) fn shape(&self) -> &[u64] {
        self.data.shape().get(self.axis..).unwrap_or_default()
    }

    /// The shape of this part.
    pub(crate) fn dims(&self) -> Vec<u64> {
        let mut shape = self.shape().to_vec();
        if let (Some(len), Some(first)) = (self.len, shape.first_mut()) {
            *first = len;
        }
        shape
    }

    pub(crate) fn is_element(&self) -> bool {
        self.shape().is_empty()
    }

    pub(crate) fn kind(&self) -> &Kind {
        &self.data.header.dtype().kind
    }

    /// The number of elements in this part.
    pub(super) fn count(&self) -> u64 {
        match (self.len, self.shape()) {
            (Some(len), [_, rest @ ..]) => len * rest.iter().product::<u64>(),
            (_, shape) => shape.iter().product(),
        }
    }

    #[cold]
    pub(super) fn mismatch(&self, expected: &str) -> Error {
        let header = &self.data.header;
        Error::new(
            ErrorKind::TypeMismatch,
            format_args!(
                "found an array of {} with the shape {}, expected {expected}",
                header.dtype(),
                Tuple(self.shape())
            ),
        )
        .with_cause((self.axis > 0).then_some(Cause::Axes))
    }

    /// The next element.
    #[inline]
    fn element(self) -> Result<ElementDeserializer<'a, 'de>> {
        let plan = self.data.plan;
        Ok(ElementDeserializer {
            dtype: &plan.dtype,
            plan,
            bytes: self.data.take(plan.dtype.itemsize())?,
            number: plan.number.filter(|_| self.marker.is_none()),
            marker: self.marker,
        })
    }

    fn sequence<V: Visitor<'de>>(mut self, visitor: V, expected: Option<usize>) -> Result<V::Value> {
        if self.data.is_open() {
            if self.is_element_sequence(expected) && self.data.settle_if(self.axis, &|_| true) {
                // One element.
            } else if self.is_last_axis() {
                self.data.settle_whole();
            } else {
                return self.open_sequence(visitor);
            }
        }
        if self.is_complex() && !self.is_element() {
            // A pair of floats.
            self.marker = None;
        }
        let Some(&axis) = self.shape().first() else {
            let element = self.element()?;
            return match expected {
                Some(len) => element.deserialize_tuple(len, visitor),
                None => element.deserialize_seq(visitor),
            };
        };
        let len = self.len.unwrap_or(axis);
        if let Some(expected) = expected
            && expected as u64 != len
        {
            return Err(self.mismatch(&format!("{expected} elements along the first axis")));
        }
        let rest = &self.shape()[1..];
        self.charge_zero_sized(len, rest)?;
        if rest.is_empty() {
            return self.elements(len, visitor);
        }
        let axis = self.axis + 1;
        let mut parts = AxisAccess::new(self, axis, len);
        let value = visitor.visit_seq(&mut parts)?;
        parts.finish(value)
    }

    /// A sequence of an array that is open: its first element shows along which axis it goes.
    fn open_sequence<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        if self.axis == MAX_AXES {
            // A type that holds sequences of itself would ask for more and more of them.
            return Err(self.mismatch("at most 64 axes"));
        }
        if let [len, rest @ ..] = self.shape() {
            self.charge_zero_sized(*len, rest)?;
        }
        let mut parts = AxisAccess::open(self);
        let value = visitor.visit_seq(&mut parts)?;
        parts.finish(value)
    }

    /// Charges the budget for a loop over `len` parts of the shape `rest`, if the parts are zero-sized.
    ///
    /// The length of the file says nothing about such parts: a header of 128 bytes may announce 2^40 of them.
    pub(super) fn charge_zero_sized(&self, len: u64, rest: &[u64]) -> Result<()> {
        let zero_sized = rest.contains(&0) || self.data.header.dtype().itemsize() == 0;
        // Inner axes are charged together with the outermost one.
        if !zero_sized || self.axis > 0 {
            return Ok(());
        }
        let visits = len.saturating_mul(visits(rest).saturating_add(1));
        self.data.plan.budget.take_zero_sized(visits)
    }

    /// Charges the budget for a target that asks for anything.
    fn charge_one_by_one(&self) -> Result<()> {
        if self.axis > 0 {
            return Ok(());
        }
        let budget = &self.data.plan.budget;
        budget.take_one_by_one(self.count())?;
        // The sequences around the elements take memory too: with axes of length 1, more than the elements themselves.
        budget.take_sequences(self.shape().split_last().map_or(0, |(_, outer)| visits(outer)))
    }

    /// The elements along the last axis.
    pub(crate) fn elements<V: Visitor<'de>>(self, len: u64, visitor: V) -> Result<V::Value> {
        let plan = self.data.plan;
        let mut elements = ElementAccess {
            itemsize: plan.dtype.itemsize(),
            number: plan.number.filter(|_| self.marker.is_none()),
            plan,
            marker: self.marker,
            data: &mut *self.data,
            at: 0,
            len,
        };
        let known = elements.known();
        let value = whole::visit_elements(visitor, &mut elements, known)?;
        let taken = elements.at;
        if taken < len {
            return Err(self.not_taken(taken));
        }
        Ok(value)
    }

    #[cold]
    fn not_taken(&self, taken: u64) -> Error {
        self.mismatch(&format!("{taken} elements along the first axis, as the target took"))
    }

    /// An ndarray asks for its version, its shape, and all its elements as one sequence.
    pub(super) fn ndarray<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        visitor.visit_seq(NdarrayAccess::new(self))
    }

    /// The fields of the struct `ORDERED`, for the types that ask for it: as a newtype, which no derived struct takes, so
    /// that this is not compiled for the structs of users.
    pub(super) fn ordered<V: Visitor<'de>>(self, fields: &'static [&'static str], visitor: V) -> Result<V::Value> {
        visitor.visit_newtype_struct(Ordered { array: self, fields })
    }

    /// The whole array under the key `RAW`, for the types that ask for this newtype: as a map, which no other newtype takes.
    pub(super) fn tagged<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        visitor.visit_map(OneEntry::new(RAW, self.marked(None)))
    }

    /// The fast path for an array of this shape, if `V` makes a vector of its elements or of its rows.
    pub(super) fn vec_maker<V: Visitor<'de>>(&self, shape: &[u64]) -> Option<VecMaker<V>> {
        whole::vec_maker(self.plain()?, row_of(shape)?)
    }

    /// Settles, of an array that is open, as many axes as this visitor makes a vector of.
    fn settle_for(&mut self, visitor: TypeId) {
        let (plain, axis) = (self.plain(), self.axis);
        let fits = |shape: &[u64]| {
            let row = shape.get(axis..).and_then(row_of);
            plain
                .zip(row)
                .is_some_and(|(plain, row)| whole::makes(plain, row, visitor))
        };
        let _ = self.data.settle_if(axis + 1, &fits) || self.data.settle_if(axis + 2, &fits);
    }

    /// What every element is. `None` inside a `with` module, which has to see each of them.
    fn plain(&self) -> Option<Plain> {
        match self.kind() {
            _ if self.marker.is_some() => None,
            Kind::Str {
                len: len @ 1..,
                order: Order::NATIVE,
            } => Some(Plain::Text(usize::try_from(*len).ok()?)),
            _ => Number::of(self.data.header.dtype()).map(Plain::Number),
        }
    }

    /// The data of a whole array in C order.
    pub(crate) fn c_order_bytes(self) -> Result<Vec<u8>> {
        self.data.take_buf(self.data.header.data_len())
    }

    fn bytes(self) -> Result<Vec<u8>> {
        let len = self.count();
        self.data.take_buf(len)
    }

    fn is_bytes(&self) -> bool {
        self.shape().len() == 1 && self.is_of_bytes()
    }

    fn is_of_bytes(&self) -> bool {
        matches!(self.kind(), Kind::Uint { size: 1, .. } | Kind::Void { len: 1 })
    }

    fn is_complex(&self) -> bool {
        self.marker == Some(Marker::Complex)
    }

    fn is_marker(&self) -> bool {
        self.axis == 0 && self.is_element() && matches!(self.kind(), Kind::Void { len: 0 })
    }

    pub(crate) fn is_empty_group(&self) -> bool {
        self.axis == 0 && self.shape() == [0] && matches!(self.kind(), Kind::Void { len: 0 })
    }

    fn visit_bytes<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        let len = self.count();
        if let Some(lent) = self.data.lent(len) {
            return visitor.visit_borrowed_bytes(lent);
        }
        visitor.visit_byte_buf(self.bytes()?)
    }

    /// The text of a row of UTF-8, as `with::ragged` keeps it.
    fn visit_row<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        let len = self.count();
        if let Some(lent) = self.data.lent(len) {
            return visitor.visit_borrowed_str(utf8(lent)?);
        }
        let bytes = self.bytes()?;
        visitor.visit_str(utf8(&bytes)?)
    }

    fn is_ragged_text(&self) -> bool {
        self.len.is_some() && self.is_bytes()
    }
}

impl ExpectComplex for ArrayDeserializer<'_, '_, '_> {
    fn expect_complex(self) -> Self {
        self.marked(Some(Marker::Complex))
    }
}

macro_rules! scalars {
    ($($method:ident $expected:literal;)*) => {
        $(
            fn $method<V: Visitor<'de>>(mut self, visitor: V) -> Result<V::Value> {
                self.settle(0)?;
                if !self.is_element() {
                    return Err(self.mismatch($expected));
                }
                self.element()?.$method(visitor)
            }
        )*
    };
}

impl<'a, 's, 'de: 'a> Deserializer<'de> for ArrayDeserializer<'a, 's, 'de> {
    type Error = Error;

    fn deserialize_any<V: Visitor<'de>>(mut self, visitor: V) -> Result<V::Value> {
        if self.axis > self.data.header.shape().len() {
            self.settle(0)?;
        }
        self.data.settle_whole();
        if self.is_marker() {
            return visitor.visit_unit();
        }
        if self.is_empty_group() {
            return visitor.visit_map(Nothing);
        }
        if self.is_element() {
            return self.element()?.deserialize_any(visitor);
        }
        self.charge_one_by_one()?;
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

    same_calls!();

    fn deserialize_str<V: Visitor<'de>>(mut self, visitor: V) -> Result<V::Value> {
        self.settle(0)?;
        if self.is_ragged_text() {
            return self.visit_row(visitor);
        }
        if !self.is_element() {
            return Err(self.mismatch("one text"));
        }
        self.element()?.deserialize_str(visitor)
    }

    fn deserialize_bytes<V: Visitor<'de>>(mut self, visitor: V) -> Result<V::Value> {
        let of_bytes = self.is_of_bytes();
        self.data.settle_if(self.axis + 1, &|_| of_bytes);
        self.settle(0)?;
        if self.is_bytes() {
            return self.visit_bytes(visitor);
        }
        if !self.is_element() {
            return Err(self.mismatch("bytes: one row of |u1, or one S or V"));
        }
        self.element()?.deserialize_bytes(visitor)
    }

    fn deserialize_option<V: Visitor<'de>>(mut self, visitor: V) -> Result<V::Value> {
        if self.data.is_open() && (whole::is_optional_scalar::<V::Value>() || is_optional_time::<V::Value>()) {
            self.settle(0)?;
        }
        if self.is_marker() {
            return visitor.visit_none();
        }
        let may_be_none = self.marker == Some(Marker::Nan)
            || matches!(self.data.plan.dtype.kind, Kind::Masked(_))
            || matches!(self.kind(), Kind::Datetime { .. } | Kind::Timedelta { .. }) && !holds_any_array::<V::Value>();
        if self.is_element() && may_be_none {
            return self.element()?.deserialize_option(visitor);
        }
        hand_some(visitor, self)
    }

    fn deserialize_unit<V: Visitor<'de>>(mut self, visitor: V) -> Result<V::Value> {
        self.settle(0)?;
        if !self.is_element() {
            return Err(self.mismatch("the marker of `()`, 0-d |V0"));
        }
        self.element()?.deserialize_unit(visitor)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(mut self, name: &'static str, visitor: V) -> Result<V::Value> {
        let is_half = matches!(name, "f16" | "bf16");
        if is_half {
            self.settle(0)?;
        }
        if self.is_element() && is_half {
            return self.element()?.deserialize_newtype_struct(name, visitor);
        }
        let marker = Marker::of(name);
        if matches!(marker, Some(Marker::Raw | Marker::Value)) {
            return self.tagged(visitor);
        }
        if marker == Some(Marker::Json) {
            if self.may_be_json() {
                return visitor.visit_byte_buf(self.json_text()?);
            }
            return visitor.visit_newtype_struct(self);
        }
        visitor.visit_newtype_struct(ArrayDeserializer {
            marker: marker.or(self.marker),
            ..self
        })
    }

    fn deserialize_seq<V: Visitor<'de>>(mut self, visitor: V) -> Result<V::Value> {
        if self.axis == 0 && self.len.is_none() && !self.is_element() {
            // An array without elements is an empty vector of scalars, whatever its other axes are.
            let empty = self.shape()[0] == 0 || (self.count() == 0 && whole::collects_scalars(typeid::of::<V>()));
            if empty {
                return visitor.visit_seq(Nothing);
            }
        }
        if self.data.is_open() {
            self.settle_for(typeid::of::<V>());
        }
        if let Some(maker) = self.vec_maker::<V>(self.shape()) {
            let len = self.len.unwrap_or_else(|| self.shape()[0]);
            return maker.collect(len, &mut self.data.native_order());
        }
        self.sequence(visitor, None)
    }

    fn deserialize_tuple<V: Visitor<'de>>(self, len: usize, visitor: V) -> Result<V::Value> {
        self.sequence(visitor, Some(len))
    }

    fn deserialize_map<V: Visitor<'de>>(mut self, visitor: V) -> Result<V::Value> {
        if self.is_empty_group() {
            return visitor.visit_map(Nothing);
        }
        if self.has_columns() {
            return self.columns(None, visitor);
        }
        self.settle(0)?;
        if !self.is_element() {
            return Err(self.mismatch("a group, one record, or an array of records"));
        }
        self.element()?.deserialize_map(visitor)
    }

    fn deserialize_struct<V: Visitor<'de>>(
        mut self,
        name: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value> {
        if name == "Array" && fields == NDARRAY_FIELDS {
            return self.ndarray(visitor);
        }
        if name == ORDERED {
            return self.ordered(fields, visitor);
        }
        if self.is_empty_group() {
            return visitor.visit_map(Nothing);
        }
        if self.has_columns() {
            return self.columns(Some(fields), visitor);
        }
        self.settle(0)?;
        if !self.is_element() {
            return self.deserialize_map(visitor);
        }
        self.element()?.deserialize_struct(name, fields, visitor)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        mut self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value> {
        self.settle(0)?;
        if !self.is_element() {
            return Err(self.mismatch("the name of a variant, or a group of one"));
        }
        self.element()?.deserialize_enum(name, variants, visitor)
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        self.data.settle_whole();
        let bytes = self.count() * self.data.header.dtype().itemsize();
        self.data.skip(bytes)?;
        visitor.visit_unit()
    }
}

/// The length of each row in an array of this shape, if its elements or its rows may be those of a vector.
fn row_of(shape: &[u64]) -> Option<Option<usize>> {
    match shape {
        [_] => Some(None),
        [_, row] => Some(Some(usize::try_from(*row).ok()?)),
        _ => None,
    }
}

/// Runs `run` with a body that does what `body` does, and returns what that has made. So `run` is compiled once, not for
/// every type that is read.
pub(crate) fn with_body<'de, T>(
    body: impl FnOnce(ArrayDeserializer<'_, '_, 'de>) -> Result<T>,
    run: impl FnOnce(ArrayBody<'_, 'de>) -> Result<()>,
) -> Result<T> {
    let (mut body, mut value) = (Some(body), None);
    run(&mut |array| {
        if let Some(body) = body.take() {
            value = Some(body(array)?);
        }
        Ok(())
    })?;
    value.ok_or_else(|| Error::new(ErrorKind::Message, "the array was not read"))
}

/// What takes an array, once.
pub(crate) type ArrayBody<'b, 'de> = &'b mut dyn FnMut(ArrayDeserializer<'_, '_, 'de>) -> Result<()>;
