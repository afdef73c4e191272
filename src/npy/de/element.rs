//! One element of an array to a value: a scalar, text, bytes, time, complex number, record or subarray.

use serde::de::value::StrDeserializer;
use serde::de::{Deserializer, IntoDeserializer, Visitor};

use self::complex::RealAccess;
pub(crate) use self::complex::{ExpectComplex, hand, hand_some};
use self::convert::converted;
pub(crate) use self::convert::is_optional_time;
pub(crate) use self::number::{int, uint};
use self::parts::{OrderedRecordAccess, RecordAccess, SubarrayAccess, explain};
pub(crate) use self::text::utf8;
use self::text::{SHORT, short_ascii};
use crate::error::{Cause, Error, ErrorKind, Result};
use crate::format::dtype::{Dtype, Kind, Masked, Order};
use crate::format::time::NAT;
use crate::npy::de::array::{ArrayBody, ArrayDeserializer, with_array_of, with_body};
use crate::npy::de::data::Bytes;
use crate::npy::de::plan::{Plan, holds_any_array, may_be_derived, may_be_ordered};
use crate::npy::marker::{JSON, Marker, NDARRAY_FIELDS, ORDERED, RAW};
use crate::npy::whole::Number;

mod complex;
mod convert;
mod number;
mod parts;
mod text;

/// One element, its dtype and its bytes.
#[derive(Clone, Copy)]
pub(crate) struct ElementDeserializer<'a, 'de> {
    pub(crate) dtype: &'a Dtype,
    /// The plan of the whole array.
    pub(crate) plan: &'a Plan,
    pub(crate) bytes: Bytes<'a, 'de>,
    /// What it is, if it is a plain number in the byte order of this machine and not inside a `with` module.
    pub(crate) number: Option<Number>,
    pub(crate) marker: Option<Marker>,
}

impl<'a, 'de: 'a> ElementDeserializer<'a, 'de> {
    #[inline(always)]
    fn raw(&self) -> &'a [u8] {
        self.bytes.get()
    }

    /// A part of this element, or the same bytes under another dtype.
    #[inline]
    fn part<'b>(&self, dtype: &'b Dtype, plan: &'b Plan, bytes: Bytes<'b, 'de>) -> ElementDeserializer<'b, 'de> {
        ElementDeserializer {
            dtype,
            plan,
            bytes,
            number: self.number_of(dtype),
            marker: self.marker,
        }
    }

    /// What a part of this dtype is, as in `number`.
    fn number_of(&self, dtype: &Dtype) -> Option<Number> {
        match self.marker {
            None => Number::native(dtype),
            Some(_) => None,
        }
    }

    /// The one element of a subarray whose axes all have length 1, where `squeeze` lets it stand for the array.
    #[inline(always)]
    fn squeezed(self) -> Self {
        if self.plan.squeeze {
            self.part(only_element(self.dtype), self.plan, self.bytes)
        } else {
            self
        }
    }

    /// Whether a sequence that is asked for is one along the axes of a subarray, or has a field as its only element.
    fn is_squeezable(&self) -> bool {
        // The elements of an array have been told apart along its axes.
        self.plan.squeeze && !std::ptr::eq(self.dtype, &raw const self.plan.dtype)
    }

    #[cold]
    pub(crate) fn mismatch(&self, expected: &str) -> Error {
        Error::new(
            ErrorKind::TypeMismatch,
            format_args!("found {}, expected {expected}", self.dtype),
        )
    }

    /// This element without its mask, if it has one and is there.
    fn unmasked(self, masked: &'a Masked) -> Option<Self> {
        let Masked { value, mask, .. } = masked;
        let is_there = self.bytes.part(mask.offset, mask.size).get() != [0];
        is_there.then(|| ElementDeserializer {
            number: value.number.filter(|_| self.marker.is_none()),
            ..self.part(&value.dtype, self.plan, self.bytes.part(value.offset, value.size))
        })
    }

    /// This element for a target that is no Option.
    #[inline]
    fn there(self) -> Result<Self> {
        let item = self.squeezed();
        match &item.dtype.kind {
            Kind::Masked(masked) => item
                .unmasked(masked)
                .map(Self::squeezed)
                .ok_or_else(|| none_found(masked)),
            _ => Ok(item),
        }
    }

    /// This element for a target that takes it as it lies in the file: a whole element with its mask, a field without.
    fn raw_item(self) -> Result<Self> {
        match &self.dtype.kind {
            Kind::Masked(masked) if masked.value.name.is_empty() => Ok(self),
            _ => self.there(),
        }
    }

    fn sequence<V: Visitor<'de>>(self, visitor: V, len: Option<usize>) -> Result<V::Value> {
        if self.marker == Some(Marker::Complex) {
            return self.complex(visitor, len);
        }
        match &self.dtype.kind {
            Kind::Masked(_) => self.there()?.sequence(visitor, len),
            Kind::Record(record) if let Some(value) = record.only_value(len) => self
                .part(&value.dtype, self.plan, self.bytes.part(value.offset, value.size))
                .sequence(visitor, len),
            Kind::Complex { size, order } => {
                self.expect_len(2, len)?;
                let half = Dtype::new(Kind::Float {
                    size: size / 2,
                    order: *order,
                });
                let mut parts = SubarrayAccess {
                    item: self,
                    dtype: &half,
                    size: half.itemsize(),
                    plan: self.plan,
                    number: self.number_of(&half),
                    at: 0,
                    len: 2,
                };
                visitor.visit_seq(&mut parts)
            }
            Kind::Array { .. } if self.plan.squeeze => self.array_sequence(visitor, len),
            Kind::Array { item, shape } => {
                if self.dtype.itemsize() == 0 {
                    self.plan.charge_zero_sized()?;
                }
                let (count, rest) = match &shape[..] {
                    [] => return self.part(item, self.plan, self.bytes).sequence(visitor, len),
                    [count] => (*count, None),
                    [count, rest @ ..] => {
                        let rest = Dtype::new(Kind::Array {
                            item: item.clone(),
                            shape: rest.to_vec(),
                        });
                        (*count, Some(self.plan.of(rest)?))
                    }
                };
                self.expect_len(count, len)?;
                let dtype = rest.as_ref().map_or(&**item, |rest| &rest.dtype);
                let mut parts = SubarrayAccess {
                    item: self,
                    dtype,
                    size: dtype.itemsize(),
                    number: self.number_of(dtype),
                    plan: rest.as_ref().unwrap_or(self.plan),
                    at: 0,
                    len: count,
                };
                let value = visitor.visit_seq(&mut parts)?;
                parts.finish(value)
            }
            Kind::Void { len: count } => {
                self.expect_len(*count, len)?;
                let byte = Dtype::void(1);
                let mut parts = SubarrayAccess {
                    item: self,
                    dtype: &byte,
                    size: 1,
                    plan: self.plan,
                    number: None,
                    at: 0,
                    len: *count,
                };
                let value = visitor.visit_seq(&mut parts)?;
                parts.finish(value)
            }
            Kind::Record(record) if len.is_some() => {
                self.expect_len(record.fields.len() as u64, len)?;
                visitor.visit_seq(RecordAccess::new(self, record, &[]))
            }
            _ if self.is_squeezable() => self.array_sequence(visitor, len),
            _ => Err(self.mismatch("a sequence").with_cause(Cause::Axes)),
        }
    }

    /// A sequence along the axes of the element as an array.
    fn array_sequence<V: Visitor<'de>>(self, visitor: V, len: Option<usize>) -> Result<V::Value> {
        self.as_array(|array| match len {
            Some(len) => array.deserialize_tuple(len, visitor),
            None => array.deserialize_seq(visitor),
        })
    }

    /// The tuple of a complex number; a real number is one without an imaginary part.
    fn complex<V: Visitor<'de>>(self, visitor: V, len: Option<usize>) -> Result<V::Value> {
        let item = ElementDeserializer { marker: None, ..self }.squeezed();
        match item.dtype.kind {
            Kind::Bool | Kind::Int { .. } | Kind::Uint { .. } | Kind::Float { .. } => visitor.visit_seq(RealAccess {
                next: ElementDeserializer {
                    number: item.number_of(item.dtype),
                    ..item
                },
            }),
            _ => item.sequence(visitor, len),
        }
    }

    fn expect_len(&self, found: u64, expected: Option<usize>) -> Result<()> {
        match expected {
            Some(expected) if expected as u64 != found => Err(Error::new(
                ErrorKind::TypeMismatch,
                format_args!("found {} of {found} elements, expected {expected}", self.dtype),
            )),
            _ => Ok(()),
        }
    }

    fn map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        match &self.dtype.kind {
            Kind::Record(record) => visitor.visit_map(RecordAccess::new(self, record, &[])),
            Kind::Masked(_) => self.there()?.map(visitor),
            Kind::Array { .. } if self.squeezed().dtype != self.dtype => self.squeezed().map(visitor),
            _ => Err(self.mismatch("a record or a group")),
        }
    }

    /// A struct of these fields.
    #[inline(always)]
    fn record<V: Visitor<'de>>(self, names: &'static [&'static str], visitor: V) -> Result<V::Value> {
        match &self.dtype.kind {
            Kind::Record(record)
                if may_be_derived::<V>() && self.plan.is_ordered::<V>(record, names) && self.marker.is_none() =>
            {
                let mut fields = OrderedRecordAccess {
                    item: &self,
                    fields: record.fields.iter(),
                };
                let result = visitor.visit_seq(&mut fields);
                let left = fields.fields.len();
                if result.is_ok() && left == 0 {
                    result
                } else {
                    explain(self.dtype, left, result)
                }
            }
            _ => self.by_name(names, visitor),
        }
    }

    /// A struct whose order of fields is not known yet. Not inlined: the loop over the elements stays small.
    #[inline(never)]
    fn by_name<V: Visitor<'de>>(self, names: &'static [&'static str], visitor: V) -> Result<V::Value> {
        let record = match &self.dtype.kind {
            Kind::Record(record) => record,
            Kind::Masked(masked) => return self.masked_by_name(masked, names, visitor),
            _ => {
                let item = self.squeezed();
                return match item.dtype.kind {
                    Kind::Record(_) | Kind::Masked(_) => item.by_name(names, visitor),
                    _ => self.map(visitor),
                };
            }
        };
        if self.marker.is_some() || !may_be_ordered::<V>(record, names) {
            return visitor.visit_map(RecordAccess::new(self, record, names));
        }
        let mut fields = RecordAccess::new(self, record, names);
        let value = visitor.visit_map(&mut fields)?;
        if fields.in_order == record.fields.len() {
            self.plan.remember::<V>(record);
        }
        Ok(value)
    }

    fn masked_by_name<V: Visitor<'de>>(
        self,
        masked: &'a Masked,
        names: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value> {
        match &masked.value.dtype.kind {
            // The target has a field of its own for the mask.
            Kind::Record(record) if names.contains(&&*masked.mask.name) => {
                let item = self.part(&masked.value.dtype, self.plan, self.bytes);
                visitor.visit_map(RecordAccess::new(item, record, names).with_mask(&masked.mask))
            }
            _ => self.there()?.record(names, visitor),
        }
    }

    /// Runs `body` on the element as an array: without axes, or with those of a subarray.
    fn as_array<T>(self, body: impl FnOnce(ArrayDeserializer<'_, '_, 'de>) -> Result<T>) -> Result<T> {
        with_body(body, |body| self.run_as_array(body))
    }

    fn run_as_array(self, body: ArrayBody<'_, 'de>) -> Result<()> {
        with_array_of(self.dtype, Vec::new(), self.plan, self.bytes, |array| {
            body(array.marked(self.marker))
        })
    }
}

/// The dtype of the one element of a subarray whose axes all have length 1; any other dtype as it is.
#[cold]
fn only_element(mut dtype: &Dtype) -> &Dtype {
    while let Kind::Array { item, shape } = &dtype.kind
        && shape.iter().all(|&axis| axis == 1)
    {
        dtype = item;
    }
    dtype
}

/// The calls of a `Deserializer` that mean the same as another one, for all that read arrays.
macro_rules! same_calls {
    () => {
        fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
            self.deserialize_str(visitor)
        }

        fn deserialize_byte_buf<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
            self.deserialize_bytes(visitor)
        }

        fn deserialize_unit_struct<V: Visitor<'de>>(self, _: &'static str, visitor: V) -> Result<V::Value> {
            self.deserialize_unit(visitor)
        }

        fn deserialize_tuple_struct<V: Visitor<'de>>(
            self,
            _: &'static str,
            len: usize,
            visitor: V,
        ) -> Result<V::Value> {
            self.deserialize_tuple(len, visitor)
        }

        fn is_human_readable(&self) -> bool {
            true
        }
    };
}

pub(crate) use same_calls;

macro_rules! integers {
    ($($method:ident $visit:ident $t:ty $(, $number:ident)?;)*) => {
        $(
            #[inline(always)]
            fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
                // The usual case needs no conversion.
                $(if self.number == Some(Number::$number)
                    && let Some(bytes) = self.raw().first_chunk()
                {
                    return visitor.$visit(<$t>::from_ne_bytes(*bytes));
                })?
                visitor.$visit(converted(self, |item| item.integer::<$t>())?)
            }
        )*
    };
}

impl<'a, 'de: 'a> Deserializer<'de> for ElementDeserializer<'a, 'de> {
    type Error = Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        match self.dtype.kind {
            Kind::Masked(ref masked) => match self.unmasked(masked) {
                None => visitor.visit_none(),
                Some(item) => match &item.dtype.kind {
                    Kind::Record(record) if record.only_value(None).is_some() => item.sequence(visitor, None),
                    _ => item.deserialize_any(visitor),
                },
            },
            // The field of a record of which only None has been seen, or a unit.
            Kind::Void { len: 0 } if !std::ptr::eq(self.dtype, &self.plan.dtype) => visitor.visit_unit(),
            Kind::Bool => visitor.visit_bool(self.boolean()?),
            Kind::Int { size, order } => visitor.visit_i64(int(self.raw(), size, order)),
            Kind::Uint { size, order } => visitor.visit_u64(uint(self.raw(), size, order)),
            Kind::Float { size: 8, .. } => visitor.visit_f64(self.cast()?),
            Kind::Float { .. } => visitor.visit_f32(self.cast()?),
            Kind::Datetime { .. } | Kind::Timedelta { .. } => visitor.visit_i64(self.time()?.unwrap_or(NAT)),
            Kind::Str { .. } => visitor.visit_string(self.chars()?),
            Kind::Bytes { .. } => self.text_or_bytes(visitor),
            Kind::Void { .. } => self.bytes(visitor),
            Kind::Record(_) => self.map(visitor),
            _ => self.sequence(visitor, None),
        }
    }

    integers! {
        deserialize_i8 visit_i8 i8, I8;
        deserialize_i16 visit_i16 i16, I16;
        deserialize_i32 visit_i32 i32, I32;
        deserialize_i64 visit_i64 i64, I64;
        deserialize_i128 visit_i128 i128;
        deserialize_u8 visit_u8 u8, U8;
        deserialize_u16 visit_u16 u16, U16;
        deserialize_u32 visit_u32 u32, U32;
        deserialize_u64 visit_u64 u64, U64;
        deserialize_u128 visit_u128 u128;
    }

    same_calls!();

    #[inline(always)]
    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        visitor.visit_bool(self.boolean()?)
    }

    #[inline(always)]
    fn deserialize_f32<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        if self.number == Some(Number::F32)
            && let Some(bytes) = self.raw().first_chunk()
        {
            return visitor.visit_f32(f32::from_ne_bytes(*bytes));
        }
        visitor.visit_f32(converted(self, |item| item.cast())?)
    }

    #[inline(always)]
    fn deserialize_f64<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        if self.number == Some(Number::F64)
            && let Some(bytes) = self.raw().first_chunk()
        {
            return visitor.visit_f64(f64::from_ne_bytes(*bytes));
        }
        visitor.visit_f64(converted(self, |item| item.cast())?)
    }

    fn deserialize_char<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        let item = self.there()?;
        let text = match item.plain() {
            Some(bytes) => utf8(bytes.get())?.to_owned(),
            None => item.chars()?,
        };
        let mut chars = text.chars();
        match (chars.next(), chars.next()) {
            (Some(c), None) => visitor.visit_char(c),
            _ => Err(Error::new(
                ErrorKind::InvalidValue,
                format_args!("found the text {text:?}, expected exactly one character"),
            )),
        }
    }

    fn deserialize_str<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        self.there()?.text(visitor)
    }

    fn deserialize_identifier<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        self.there()?.text(visitor)
    }

    fn deserialize_bytes<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        self.there()?.bytes(visitor)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        if let Kind::Masked(masked) = &self.dtype.kind {
            return match self.unmasked(masked) {
                Some(item) => hand_some(visitor, item),
                None => visitor.visit_none(),
            };
        }
        let may_be_none = !holds_any_array::<V::Value>();
        if may_be_none && self.squeezed().is_none() {
            return visitor.visit_none();
        }
        hand_some(visitor, self)
    }

    fn deserialize_unit<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        match self.dtype.kind {
            Kind::Masked(_) => self.there()?.deserialize_unit(visitor),
            Kind::Void { len: 0 } => visitor.visit_unit(),
            _ => Err(self.mismatch("|V0, the marker of `()`")),
        }
    }

    #[inline]
    fn deserialize_newtype_struct<V: Visitor<'de>>(self, name: &'static str, visitor: V) -> Result<V::Value> {
        match name {
            "f16" | "bf16" => self.there()?.half(name, visitor),
            RAW => self.raw_item()?.as_array(|array| array.tagged(visitor)),
            JSON => {
                let item = self.raw_item()?;
                match item.as_array(|array| array.json())? {
                    Some(text) => visitor.visit_byte_buf(text),
                    None => visitor.visit_newtype_struct(item),
                }
            }
            _ => visitor.visit_newtype_struct(match Marker::of(name) {
                None => self,
                marker => ElementDeserializer {
                    number: None,
                    marker,
                    ..self
                },
            }),
        }
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        self.sequence(visitor, None)
    }

    fn deserialize_tuple<V: Visitor<'de>>(self, len: usize, visitor: V) -> Result<V::Value> {
        self.sequence(visitor, Some(len))
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        self.map(visitor)
    }

    // Derived code calls this with a literal name: inlined, all arms but one disappear.
    #[inline(always)]
    fn deserialize_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value> {
        match name {
            "Duration" | "SystemTime" => self.there()?.seconds(name, fields, visitor),
            "Array" if fields == NDARRAY_FIELDS => self.there()?.as_array(|array| array.ndarray(visitor)),
            ORDERED => self.raw_item()?.as_array(|array| array.ordered(fields, visitor)),
            _ => self.record(fields, visitor),
        }
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value> {
        let item = self.there()?;
        let mut short = [0; SHORT];
        let text = match (item.plain(), &item.dtype.kind) {
            (Some(bytes), _) => Some(utf8(bytes.get())?),
            (
                None,
                Kind::Str {
                    order: Order::NATIVE, ..
                },
            ) => short_ascii(item.raw(), &mut short),
            _ => None,
        };
        match text {
            Some(text) => {
                let variant: StrDeserializer<'_, Error> = text.into_deserializer();
                visitor.visit_enum(variant)
            }
            None => visitor.visit_enum(item.chars()?.into_deserializer()),
        }
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        visitor.visit_unit()
    }
}

#[cold]
fn none_found(masked: &Masked) -> Error {
    Error::new(
        ErrorKind::TypeMismatch,
        format_args!(
            "found None, as the mask {:?} is False, expected a value",
            masked.mask.name
        ),
    )
    .with_hint("an `Option` takes both")
}
