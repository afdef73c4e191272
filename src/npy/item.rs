//! One element of an array to a value: scalars, texts, bytes, times, complex numbers, records, subarrays.

use std::borrow::Cow;

use half::{bf16, f16};
use serde::de::value::{SeqDeserializer, StrDeserializer};
use serde::de::{DeserializeSeed, Deserializer, IntoDeserializer, MapAccess, SeqAccess, Visitor};
use serde::forward_to_deserialize_any;

use crate::bulk::bad_bool;
use crate::dtype::{Dtype, Field, Kind, Order, Record, TimeBase, TimeUnit};
use crate::error::{Error, ErrorKind, Result};
use crate::header::Header;
use crate::marker::{Marker, RAW};
use crate::npy::cursor::{Bytes, Rules, limit};
use crate::npy::raw::RawAccess;
use crate::npy::time::{NAT, convert, iso};
use crate::options::Casting;

/// An element of known layout.
#[derive(Clone, Copy)]
pub(crate) struct Item<'a, 'de> {
    pub(crate) dtype: &'a Dtype,
    pub(crate) bytes: Bytes<'a, 'de>,
    pub(crate) rules: Rules,
    pub(crate) marker: Option<Marker>,
}

/// A number as it is, whatever its width.
enum Number {
    Int(i64),
    Uint(u64),
    F16(f16),
    F32(f32),
    F64(f64),
}

fn fixed<const N: usize>(bytes: &[u8], order: Order) -> [u8; N] {
    let mut array = [0; N];
    let n = N.min(bytes.len());
    array[..n].copy_from_slice(&bytes[..n]);
    if order == Order::Big {
        array.reverse();
    }
    array
}

pub(crate) fn int(bytes: &[u8], size: u8, order: Order) -> i64 {
    match size {
        1 => i8::from_le_bytes(fixed(bytes, order)).into(),
        2 => i16::from_le_bytes(fixed(bytes, order)).into(),
        4 => i32::from_le_bytes(fixed(bytes, order)).into(),
        _ => i64::from_le_bytes(fixed(bytes, order)),
    }
}

pub(crate) fn uint(bytes: &[u8], size: u8, order: Order) -> u64 {
    match size {
        1 => u8::from_le_bytes(fixed(bytes, order)).into(),
        2 => u16::from_le_bytes(fixed(bytes, order)).into(),
        4 => u32::from_le_bytes(fixed(bytes, order)).into(),
        _ => u64::from_le_bytes(fixed(bytes, order)),
    }
}

fn float(bytes: &[u8], size: u8, order: Order) -> Number {
    match size {
        2 => Number::F16(f16::from_le_bytes(fixed(bytes, order))),
        4 => Number::F32(f32::from_le_bytes(fixed(bytes, order))),
        _ => Number::F64(f64::from_le_bytes(fixed(bytes, order))),
    }
}

/// The text of units in this machine's order that are ASCII, without its padding.
fn ascii(units: &[u8]) -> Option<String> {
    let units = units.as_chunks::<4>().0;
    let unit = |unit: &[u8; 4]| u32::from_ne_bytes(*unit);
    if units.iter().fold(0, |all, next| all | unit(next)) >= 0x80 {
        return None;
    }
    let len = units
        .iter()
        .rposition(|next| unit(next) != 0)
        .map_or(0, |last| last + 1);
    String::from_utf8(units[..len].iter().map(|next| unit(next) as u8).collect()).ok()
}

/// Texts of up to so many characters are put together without memory of their own.
const SHORT: usize = 64;

/// `ascii` in memory at hand; longer texts are not.
fn short_ascii<'b>(units: &[u8], into: &'b mut [u8; SHORT]) -> Option<&'b str> {
    let units = units.as_chunks::<4>().0;
    let into = into.get_mut(..units.len())?;
    let mut all = 0;
    for (slot, unit) in into.iter_mut().zip(units) {
        let unit = u32::from_ne_bytes(*unit);
        all |= unit;
        *slot = unit as u8;
    }
    if all >= 0x80 {
        return None;
    }
    std::str::from_utf8(trim(into)).ok()
}

fn trim(bytes: &[u8]) -> &[u8] {
    let len = bytes.iter().rposition(|&b| b != 0).map_or(0, |last| last + 1);
    &bytes[..len]
}

impl<'a, 'de: 'a> Item<'a, 'de> {
    #[inline(always)]
    fn raw(&self) -> &'a [u8] {
        self.bytes.get()
    }

    #[cold]
    pub(crate) fn mismatch(&self, expected: &str) -> Error {
        let hint = match self.dtype.kind {
            Kind::Float { .. } | Kind::Complex { .. } if expected.contains("f32") => {
                ": `ReadOptions::casting(Casting::SameKind)` rounds"
            }
            _ => "",
        };
        Error::new(
            ErrorKind::TypeMismatch,
            format_args!("found {}, expected {expected}{hint}", self.dtype),
        )
    }

    fn number(&self) -> Option<Number> {
        Some(match self.dtype.kind {
            Kind::Int { size, order } => Number::Int(int(self.raw(), size, order)),
            Kind::Uint { size, order } => Number::Uint(uint(self.raw(), size, order)),
            Kind::Float { size, order } => float(self.raw(), size, order),
            _ => return None,
        })
    }

    /// The count of a datetime or timedelta, in the unit a `with` module asks for.
    fn time(&self) -> Result<Option<i64>> {
        let (unit, order, date) = match self.dtype.kind {
            Kind::Datetime { unit, order } => (unit, order, true),
            Kind::Timedelta { unit, order } => (unit, order, false),
            _ => return Ok(None),
        };
        let count = int(self.raw(), 8, order);
        match (self.marker, date) {
            (Some(Marker::Datetime(base)), true) | (Some(Marker::Timedelta(base)), false) => {
                convert(count, unit, TimeUnit { base, multiple: 1 }, date).map(Some)
            }
            (Some(Marker::Datetime(_) | Marker::Timedelta(_)), _) => {
                Err(self.mismatch(if date { "a timedelta" } else { "a datetime" }))
            }
            _ => Ok(Some(count)),
        }
    }

    #[inline(never)]
    fn integer(&self, expected: &str) -> Result<i128> {
        match self.number() {
            // A marker asks for a time, and a plain integer is none.
            Some(_) if matches!(self.marker, Some(Marker::Datetime(_) | Marker::Timedelta(_))) => {
                Err(self.mismatch("a datetime or timedelta"))
            }
            Some(Number::Int(v)) => Ok(v.into()),
            Some(Number::Uint(v)) => Ok(v.into()),
            Some(_) => Err(self.mismatch(expected)),
            None => match self.time()? {
                Some(count) => Ok(count.into()),
                None => Err(self.mismatch(expected)),
            },
        }
    }

    #[inline(never)]
    fn double(&self) -> Result<f64> {
        match self.number() {
            Some(Number::Int(v)) if i128::from(v) == (v as f64) as i128 => Ok(v as f64),
            Some(Number::Uint(v)) if i128::from(v) == (v as f64) as i128 => Ok(v as f64),
            Some(Number::Int(v)) => Err(inexact(v)),
            Some(Number::Uint(v)) => Err(inexact(v)),
            Some(Number::F16(v)) => Ok(v.to_f64()),
            Some(Number::F32(v)) => Ok(v.into()),
            Some(Number::F64(v)) => Ok(v),
            None => Err(self.mismatch("f64")),
        }
    }

    #[inline(never)]
    fn single(&self) -> Result<f32> {
        match self.number() {
            Some(Number::Int(v)) if i128::from(v) == (v as f32) as i128 => Ok(v as f32),
            Some(Number::Uint(v)) if i128::from(v) == (v as f32) as i128 => Ok(v as f32),
            Some(Number::Int(v)) => Err(inexact(v)),
            Some(Number::Uint(v)) => Err(inexact(v)),
            Some(Number::F16(v)) => Ok(v.to_f32()),
            Some(Number::F32(v)) => Ok(v),
            Some(Number::F64(v)) if self.rules.casting == Casting::SameKind => Ok(v as f32),
            _ => Err(self.mismatch("f32")),
        }
    }

    #[inline]
    fn boolean(&self) -> Result<bool> {
        match (&self.dtype.kind, self.raw()) {
            (Kind::Bool, [0]) => Ok(false),
            (Kind::Bool, [1]) => Ok(true),
            (Kind::Bool, bytes) => Err(bad_bool(bytes.first().copied().unwrap_or_default())),
            _ => Err(self.mismatch("bool")),
        }
    }

    fn chars(&self) -> Result<String> {
        let Kind::Str { order, .. } = self.dtype.kind else {
            return Err(self.mismatch("a text"));
        };
        let units = self
            .raw()
            .chunks_exact(4)
            .map(|unit| u32::from_le_bytes(fixed(unit, order)));
        // Plain text is told by its units together, and needs no look at each for what it may be.
        if order == Order::NATIVE
            && let Some(text) = ascii(self.raw())
        {
            return Ok(text);
        }
        let mut text = String::with_capacity(self.raw().len() / 4);
        let mut zeros = 0;
        for unit in units {
            if unit == 0 {
                zeros += 1;
                continue;
            }
            // NULs inside a text are part of it, those at its end are padding.
            text.extend(std::iter::repeat_n('\0', zeros));
            zeros = 0;
            text.push(char::from_u32(unit).ok_or_else(|| {
                Error::new(
                    ErrorKind::InvalidValue,
                    format_args!(
                        "found the code point {unit:#x}, expected one of Unicode (at most 0x10ffff, no surrogate)"
                    ),
                )
            })?);
        }
        Ok(text)
    }

    /// The bytes of S (without padding) and V (all of them).
    fn plain(&self) -> Option<Bytes<'a, 'de>> {
        match self.dtype.kind {
            Kind::Bytes { .. } => Some(match self.bytes {
                Bytes::Lent(bytes) => Bytes::Lent(trim(bytes)),
                Bytes::Seen(bytes) => Bytes::Seen(trim(bytes)),
            }),
            Kind::Void { .. } => Some(self.bytes),
            _ => None,
        }
    }

    fn text<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        match self.plain() {
            Some(Bytes::Lent(bytes)) => visitor.visit_borrowed_str(utf8(bytes)?),
            Some(Bytes::Seen(bytes)) => visitor.visit_str(utf8(bytes)?),
            None => match self.dtype.kind {
                Kind::Datetime { unit, order } => visitor.visit_string(iso(int(self.raw(), 8, order), unit)?),
                Kind::Str {
                    order: Order::NATIVE, ..
                } => match short_ascii(self.raw(), &mut [0; SHORT]) {
                    Some(text) => visitor.visit_str(text),
                    None => visitor.visit_string(self.chars()?),
                },
                _ => visitor.visit_string(self.chars()?),
            },
        }
    }

    fn bytes<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        match self.plain() {
            Some(Bytes::Lent(bytes)) => visitor.visit_borrowed_bytes(bytes),
            Some(Bytes::Seen(bytes)) => visitor.visit_bytes(bytes),
            None => Err(self.mismatch("bytes")),
        }
    }

    fn sequence<V: Visitor<'de>>(self, visitor: V, len: Option<usize>) -> Result<V::Value> {
        match &self.dtype.kind {
            Kind::Complex { size, order } => {
                self.expect_len(2, len)?;
                let half = Dtype::new(Kind::Float {
                    size: size / 2,
                    order: *order,
                });
                let mut parts = Parts {
                    item: self,
                    dtype: &half,
                    at: 0,
                    len: 2,
                };
                visitor.visit_seq(&mut parts)
            }
            // What no byte proves is counted over the whole array: a few of them in each of many elements add up.
            Kind::Array { .. } if self.dtype.itemsize() == 0 && self.rules.byteless > self.rules.most_byteless => {
                Err(limit(
                    "elements without a byte",
                    self.rules.byteless,
                    self.rules.most_byteless,
                    "any_elements",
                ))
            }
            Kind::Array { item, shape } => {
                let (count, rest) = match &shape[..] {
                    [] => return Item { dtype: item, ..self }.sequence(visitor, len),
                    [count] => (*count, None),
                    [count, rest @ ..] => (
                        *count,
                        Some(Dtype::new(Kind::Array {
                            item: item.clone(),
                            shape: rest.to_vec(),
                        })),
                    ),
                };
                self.expect_len(count, len)?;
                let dtype = rest.as_ref().unwrap_or(item);
                let mut parts = Parts {
                    item: self,
                    dtype,
                    at: 0,
                    len: count,
                };
                let value = visitor.visit_seq(&mut parts)?;
                parts.finish(value)
            }
            Kind::Record(record) if len.is_some() => {
                self.expect_len(record.fields.len() as u64, len)?;
                visitor.visit_seq(Fields {
                    item: self,
                    fields: record.fields.iter(),
                    value: None,
                })
            }
            _ => Err(self.mismatch("a sequence")),
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

    #[inline(always)]
    fn map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        match &self.dtype.kind {
            Kind::Record(Record { fields, .. }) => visitor.visit_map(Fields {
                item: self,
                fields: fields.iter(),
                value: None,
            }),
            _ => Err(self.mismatch("a record or a group")),
        }
    }

    /// `Duration` and `SystemTime` as their own two fields.
    #[inline(never)]
    fn seconds<V: Visitor<'de>>(
        self,
        name: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value> {
        const NANO: TimeUnit = TimeUnit {
            base: TimeBase::Nano,
            multiple: 1,
        };
        let (unit, order, date) = match (&self.dtype.kind, name) {
            (Kind::Timedelta { unit, order }, "Duration") => (*unit, *order, false),
            (Kind::Datetime { unit, order }, "SystemTime") => (*unit, *order, true),
            _ => return self.map(visitor),
        };
        const SECOND: TimeUnit = TimeUnit {
            base: TimeBase::Second,
            multiple: 1,
        };
        let count = int(self.raw(), 8, order);
        let refuse = |found: &str| {
            Error::new(
                ErrorKind::InvalidValue,
                format_args!(
                    "found {found}, expected a {name}: read an i64 with `with::datetime64` or `with::timedelta64`"
                ),
            )
        };
        if count == NAT {
            return Err(refuse("NaT"));
        }
        if count < 0 {
            return Err(refuse("a time before zero"));
        }
        // Whole seconds reach further than nanoseconds.
        let (secs, nanos) = match convert(count, unit, NANO, date) {
            Ok(nanos) => (nanos as u64 / 1_000_000_000, (nanos as u64 % 1_000_000_000) as u32),
            Err(_) => (convert(count, unit, SECOND, date)? as u64, 0),
        };
        let [first, second] = fields else {
            return Err(self.mismatch(name));
        };
        visitor.visit_map(serde::de::value::MapDeserializer::new(
            [(*first, secs), (*second, u64::from(nanos))].into_iter(),
        ))
    }

    /// The element as it lies in the file: an array without axes.
    fn whole(&self) -> Result<RawAccess<'de>> {
        let header = Header::new(self.dtype.clone(), Vec::new(), false)?;
        let data = match self.bytes {
            Bytes::Lent(bytes) => Cow::Borrowed(bytes),
            Bytes::Seen(bytes) => Cow::Owned(bytes.to_vec()),
        };
        Ok(RawAccess::new(&header, data))
    }

    fn half<V: Visitor<'de>>(self, name: &str, visitor: V) -> Result<V::Value> {
        let bits = match (name, &self.dtype.kind) {
            ("f16", Kind::Float { size: 2, order }) => u16::from_le_bytes(fixed(self.raw(), *order)),
            ("bf16", Kind::Void { len: 2 }) => bf16::from_le_bytes(fixed(self.raw(), Order::Little)).to_bits(),
            ("f16", Kind::Float { .. }) if self.rules.casting == Casting::SameKind => {
                f16::from_f64(self.double()?).to_bits()
            }
            _ => return visitor.visit_newtype_struct(self),
        };
        visitor.visit_newtype_struct(IntoDeserializer::<Error>::into_deserializer(bits))
    }
}

pub(crate) fn utf8(bytes: &[u8]) -> Result<&str> {
    std::str::from_utf8(bytes).map_err(|err| {
        Error::new(
            ErrorKind::InvalidValue,
            format_args!("found bytes that are no UTF-8, expected text: {err}"),
        )
        .with_source(err)
    })
}

#[cold]
fn inexact(found: impl std::fmt::Display) -> Error {
    Error::new(
        ErrorKind::InvalidValue,
        format_args!("found the integer {found}, expected one that a float holds exactly"),
    )
}

#[cold]
fn too_large(found: i128, expected: &str) -> Error {
    Error::new(
        ErrorKind::InvalidValue,
        format_args!("found {found}, expected a number that fits {expected}"),
    )
}

macro_rules! integers {
    ($($method:ident $visit:ident $t:ty $(, $kind:ident)?;)*) => {
        $(
            #[inline(always)]
            fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
                // The usual case, without a detour over the widest integer.
                $(if let Kind::$kind { size, order: Order::Little } = self.dtype.kind
                    && usize::from(size) == size_of::<$t>()
                    && self.marker.is_none()
                    && let Some(bytes) = self.raw().first_chunk()
                {
                    return visitor.$visit(<$t>::from_le_bytes(*bytes));
                })?
                let v = self.integer(stringify!($t))?;
                match <$t>::try_from(v) {
                    Ok(v) => visitor.$visit(v),
                    Err(_) => Err(too_large(v, stringify!($t))),
                }
            }
        )*
    };
}

impl<'a, 'de: 'a> Deserializer<'de> for Item<'a, 'de> {
    type Error = Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        match self.dtype.kind {
            Kind::Bool => visitor.visit_bool(self.boolean()?),
            Kind::Int { size, order } => visitor.visit_i64(int(self.raw(), size, order)),
            Kind::Uint { size, order } => visitor.visit_u64(uint(self.raw(), size, order)),
            Kind::Float { size, order } => match float(self.raw(), size, order) {
                Number::F64(v) => visitor.visit_f64(v),
                Number::F32(v) => visitor.visit_f32(v),
                _ => visitor.visit_f32(self.single()?),
            },
            Kind::Datetime { .. } | Kind::Timedelta { .. } => visitor.visit_i64(self.time()?.unwrap_or(NAT)),
            Kind::Str { .. } => visitor.visit_string(self.chars()?),
            Kind::Bytes { .. } | Kind::Void { .. } => self.bytes(visitor),
            Kind::Record(_) => self.map(visitor),
            _ => self.sequence(visitor, None),
        }
    }

    integers! {
        deserialize_i8 visit_i8 i8, Int;
        deserialize_i16 visit_i16 i16, Int;
        deserialize_i32 visit_i32 i32, Int;
        deserialize_i64 visit_i64 i64, Int;
        deserialize_i128 visit_i128 i128;
        deserialize_u8 visit_u8 u8, Uint;
        deserialize_u16 visit_u16 u16, Uint;
        deserialize_u32 visit_u32 u32, Uint;
        deserialize_u64 visit_u64 u64, Uint;
        deserialize_u128 visit_u128 u128;
    }

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        visitor.visit_bool(self.boolean()?)
    }

    #[inline(always)]
    fn deserialize_f32<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        if let Kind::Float {
            size: 4,
            order: Order::Little,
        } = self.dtype.kind
            && let Some(bytes) = self.raw().first_chunk()
        {
            return visitor.visit_f32(f32::from_le_bytes(*bytes));
        }
        visitor.visit_f32(self.single()?)
    }

    #[inline(always)]
    fn deserialize_f64<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        if let Kind::Float {
            size: 8,
            order: Order::Little,
        } = self.dtype.kind
            && let Some(bytes) = self.raw().first_chunk()
        {
            return visitor.visit_f64(f64::from_le_bytes(*bytes));
        }
        visitor.visit_f64(self.double()?)
    }

    fn deserialize_char<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        let text = match self.plain() {
            Some(bytes) => utf8(bytes.get())?.to_owned(),
            None => self.chars()?,
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
        self.text(visitor)
    }

    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        self.text(visitor)
    }

    fn deserialize_identifier<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        self.text(visitor)
    }

    fn deserialize_bytes<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        self.bytes(visitor)
    }

    fn deserialize_byte_buf<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        self.bytes(visitor)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        if self.marker == Some(Marker::Nan) {
            let nan = match self.number() {
                Some(Number::F16(v)) => v.is_nan(),
                Some(Number::F32(v)) => v.is_nan(),
                Some(Number::F64(v)) => v.is_nan(),
                _ => false,
            };
            if nan {
                return visitor.visit_none();
            }
        }
        visitor.visit_some(self)
    }

    fn deserialize_unit<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        match self.dtype.kind {
            Kind::Void { len: 0 } => visitor.visit_unit(),
            _ => Err(self.mismatch("|V0, the marker of `()`")),
        }
    }

    fn deserialize_unit_struct<V: Visitor<'de>>(self, _: &'static str, visitor: V) -> Result<V::Value> {
        self.deserialize_unit(visitor)
    }

    #[inline]
    fn deserialize_newtype_struct<V: Visitor<'de>>(self, name: &'static str, visitor: V) -> Result<V::Value> {
        match name {
            "f16" | "bf16" => self.half(name, visitor),
            RAW => visitor.visit_newtype_struct(self.whole()?),
            _ => visitor.visit_newtype_struct(Item {
                marker: Marker::of(name).or(self.marker),
                ..self
            }),
        }
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        self.sequence(visitor, None)
    }

    fn deserialize_tuple<V: Visitor<'de>>(self, len: usize, visitor: V) -> Result<V::Value> {
        self.sequence(visitor, Some(len))
    }

    fn deserialize_tuple_struct<V: Visitor<'de>>(self, _: &'static str, len: usize, visitor: V) -> Result<V::Value> {
        self.sequence(visitor, Some(len))
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        self.map(visitor)
    }

    // The name is a literal where this is called: inlined there, only one of these arms is left.
    #[inline(always)]
    fn deserialize_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value> {
        match name {
            "Duration" | "SystemTime" => self.seconds(name, fields, visitor),
            "Array" if fields == ["v", "dim", "data"] => visitor.visit_seq(NoAxes { item: self, part: 0 }),
            _ => self.map(visitor),
        }
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value> {
        let mut short = [0; SHORT];
        let text = match (self.plain(), &self.dtype.kind) {
            (Some(bytes), _) => Some(utf8(bytes.get())?),
            (
                None,
                Kind::Str {
                    order: Order::NATIVE, ..
                },
            ) => short_ascii(self.raw(), &mut short),
            _ => None,
        };
        match text {
            Some(text) => {
                let variant: StrDeserializer<'_, Error> = text.into_deserializer();
                visitor.visit_enum(variant)
            }
            None => visitor.visit_enum(self.chars()?.into_deserializer()),
        }
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        visitor.visit_unit()
    }

    fn is_human_readable(&self) -> bool {
        true
    }
}

/// One element as an ndarray without axes: its version, its shape, its only element.
struct NoAxes<'a, 'de> {
    item: Item<'a, 'de>,
    part: u8,
}

impl<'a, 'de: 'a> SeqAccess<'de> for NoAxes<'a, 'de> {
    type Error = Error;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>> {
        self.part += 1;
        match self.part {
            1 => seed.deserialize(1_u8.into_deserializer()).map(Some),
            2 => {
                let none: [u64; 0] = [];
                seed.deserialize(SeqDeserializer::new(none.into_iter())).map(Some)
            }
            3 => {
                let dtype = Dtype::array(self.item.dtype.clone(), 1)?;
                let only = Item {
                    dtype: &dtype,
                    ..self.item
                };
                seed.deserialize(only).map(Some)
            }
            _ => Ok(None),
        }
    }
}

/// The parts of a complex number or the elements of a subarray.
struct Parts<'a, 'de, 'd> {
    item: Item<'a, 'de>,
    dtype: &'d Dtype,
    at: u64,
    len: u64,
}

impl Parts<'_, '_, '_> {
    fn finish<T>(self, value: T) -> Result<T> {
        if self.at == self.len {
            return Ok(value);
        }
        Err(Error::new(
            ErrorKind::TypeMismatch,
            format_args!("found {} elements, expected {} as the target took", self.len, self.at),
        ))
    }
}

impl<'a, 'de: 'a> SeqAccess<'de> for &mut Parts<'a, 'de, '_> {
    type Error = Error;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>> {
        if self.at == self.len {
            return Ok(None);
        }
        let index = self.at;
        let size = self.dtype.itemsize();
        let bytes = self.item.bytes.part(index * size, size);
        self.at += 1;
        let item = Item {
            dtype: self.dtype,
            bytes,
            rules: self.item.rules,
            marker: self.item.marker,
        };
        seed.deserialize(item).map(Some).map_err(|e| e.at_index(index))
    }

    fn size_hint(&self) -> Option<usize> {
        usize::try_from(self.len - self.at).ok()
    }
}

/// The fields of a record, in their order.
struct Fields<'a, 'de, I> {
    item: Item<'a, 'de>,
    fields: I,
    value: Option<&'a Field>,
}

impl<'a, 'de: 'a, I> Fields<'a, 'de, I> {
    #[inline(always)]
    fn field<T: DeserializeSeed<'de>>(&self, field: &'a Field, seed: T) -> Result<T::Value> {
        let bytes = self.item.bytes.part(field.offset, field.size);
        let item = Item {
            dtype: &field.dtype,
            bytes,
            ..self.item
        };
        seed.deserialize(item).map_err(|e| e.at_field(&field.name))
    }
}

impl<'a, 'de: 'a, I: ExactSizeIterator<Item = &'a Field>> MapAccess<'de> for Fields<'a, 'de, I> {
    type Error = Error;

    #[inline(always)]
    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>> {
        self.value = self.fields.next();
        match self.value {
            Some(field) => seed.deserialize(Key(&field.name)).map(Some),
            None => Ok(None),
        }
    }

    #[inline(always)]
    fn next_value_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<T::Value> {
        match self.value.take() {
            Some(field) => self.field(field, seed),
            None => Err(no_key()),
        }
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.fields.len())
    }
}

impl<'a, 'de: 'a, I: ExactSizeIterator<Item = &'a Field>> SeqAccess<'de> for Fields<'a, 'de, I> {
    type Error = Error;

    #[inline(always)]
    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>> {
        match self.fields.next() {
            Some(field) => self.field(field, seed).map(Some),
            None => Ok(None),
        }
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.fields.len())
    }
}

#[cold]
fn no_key() -> Error {
    Error::new(
        ErrorKind::Message,
        "found no field left, expected a key to be taken first",
    )
}

/// The name of a field or member as a map key: text, or what its text stands for.
pub(crate) struct Key<'a>(pub(crate) &'a str);

macro_rules! parsed_keys {
    ($($method:ident $visit:ident $t:ty;)*) => {
        $(
            fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
                match self.0.parse::<$t>() {
                    Ok(v) => visitor.$visit(v),
                    Err(err) => Err(Error::new(
                        ErrorKind::InvalidValue,
                        format_args!("found the key {:?}, expected {}: {err}", self.0, stringify!($t)),
                    )),
                }
            }
        )*
    };
}

impl<'de> Deserializer<'de> for Key<'_> {
    type Error = Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        visitor.visit_str(self.0)
    }

    #[inline(always)]
    fn deserialize_identifier<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        visitor.visit_str(self.0)
    }

    parsed_keys! {
        deserialize_bool visit_bool bool;
        deserialize_i8 visit_i8 i8;
        deserialize_i16 visit_i16 i16;
        deserialize_i32 visit_i32 i32;
        deserialize_i64 visit_i64 i64;
        deserialize_i128 visit_i128 i128;
        deserialize_u8 visit_u8 u8;
        deserialize_u16 visit_u16 u16;
        deserialize_u32 visit_u32 u32;
        deserialize_u64 visit_u64 u64;
        deserialize_u128 visit_u128 u128;
        deserialize_char visit_char char;
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value> {
        let variant: StrDeserializer<'_, Error> = self.0.into_deserializer();
        visitor.visit_enum(variant)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        visitor.visit_some(self)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, _: &'static str, visitor: V) -> Result<V::Value> {
        visitor.visit_newtype_struct(self)
    }

    forward_to_deserialize_any! {
        f32 f64 str string bytes byte_buf unit unit_struct seq tuple tuple_struct map struct ignored_any
    }
}
