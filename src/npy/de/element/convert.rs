//! One element as a number, time, text or bytes, converted where the value survives.

use half::{bf16, f16};
use serde::de::value::MapDeserializer;
use serde::de::{IntoDeserializer, Visitor};

use super::number::{any_number, fixed, float, int, uint};
use super::text::{SHORT, short_ascii, trim, utf8};
use super::{ElementDeserializer, only_element};
use crate::error::{Error, ErrorKind, Result};
use crate::format::cast::{AnyNumber, Cast, Uncast};
use crate::format::dtype::{Dtype, Kind, Order, TimeBase, TimeUnit};
use crate::format::time::{NAT, convert_count, iso};
use crate::npy::de::data::Bytes;
use crate::npy::de::plan::Plan;
use crate::npy::marker::Marker;
use crate::npy::whole::{Number, decode, from_code_points};
use crate::options::Casting;

impl<'a, 'de: 'a> ElementDeserializer<'a, 'de> {
    /// The count of a datetime or timedelta, in the unit a `with` module asks for.
    pub(super) fn time(&self) -> Result<Option<i64>> {
        let (unit, order, date) = match self.dtype.kind {
            Kind::Datetime { unit, order } => (unit, order, true),
            Kind::Timedelta { unit, order } => (unit, order, false),
            _ => return Ok(None),
        };
        let count = int(self.raw(), 8, order);
        match (self.marker, date) {
            (Some(Marker::Datetime(base)), true) | (Some(Marker::Timedelta(base)), false) => {
                convert_count(count, unit, TimeUnit { base, multiple: 1 }, date).map(Some)
            }
            (Some(Marker::Datetime(_) | Marker::Timedelta(_)), _) => {
                Err(self.mismatch(if date { "a timedelta" } else { "a datetime" }))
            }
            _ => Ok(Some(count)),
        }
    }

    /// Whether this stands for no value: NaT, NaN inside `with::nan`, and a field of which only None has been seen.
    pub(super) fn is_none(&self) -> bool {
        match self.dtype.kind {
            Kind::Void { len: 0 } => true,
            Kind::Datetime { order, .. } | Kind::Timedelta { order, .. } => int(self.raw(), 8, order) == NAT,
            Kind::Float { size, order } if self.marker == Some(Marker::Nan) => match float(self.raw(), size, order) {
                AnyNumber::F16(v) => v.is_nan(),
                AnyNumber::F32(v) => v.is_nan(),
                AnyNumber::F64(v) => v.is_nan(),
                _ => false,
            },
            _ => false,
        }
    }

    /// This number as one of another type.
    #[inline(always)]
    pub(super) fn cast<T: Cast>(&self) -> Result<T> {
        let Some(number) = any_number(self.dtype, self.raw()) else {
            return Err(self.mismatch(T::NAME));
        };
        // A `with` module asks for a time, and a number is not one.
        if matches!(self.marker, Some(Marker::Datetime(_) | Marker::Timedelta(_))) {
            return Err(self.mismatch("a datetime or timedelta"));
        }
        T::cast(number, self.plan.casting).map_err(|uncast| self.uncast::<T>(number, uncast))
    }

    #[cold]
    #[inline(never)]
    fn uncast<T: Cast>(&self, number: AnyNumber, uncast: Uncast) -> Error {
        let error = match uncast {
            Uncast::Kind => self.mismatch(T::NAME),
            Uncast::Value => does_not_fit(number, T::NAME),
        };
        with_advice::<T>(error, number)
    }

    /// As [`cast`](Self::cast), also from the count of a time and from a byte of raw data.
    pub(super) fn integer<T: Cast + TryFrom<i64>>(&self) -> Result<T> {
        match self.dtype.kind {
            Kind::Datetime { .. } | Kind::Timedelta { .. } => {
                let count = self.time()?.unwrap_or(NAT);
                T::try_from(count).map_err(|_| does_not_fit(AnyNumber::Int(count), T::NAME))
            }
            Kind::Void { len: 1 } if T::NAME == "u8" => {
                let byte = uint(self.raw(), 1, Order::NATIVE);
                T::cast(AnyNumber::Uint(byte), self.plan.casting).map_err(|_| self.mismatch(T::NAME))
            }
            _ => self.cast(),
        }
    }

    #[inline(always)]
    pub(super) fn boolean(self) -> Result<bool> {
        match (self.number, self.raw()) {
            (Some(Number::Bool), [byte]) => Ok(*byte != 0),
            _ => converted(self, |item| item.cast()),
        }
    }

    pub(super) fn chars(&self) -> Result<String> {
        let Kind::Str { order, .. } = self.dtype.kind else {
            return Err(self.mismatch("a text"));
        };
        if order == Order::NATIVE {
            return decode(self.raw());
        }
        let units = self.raw().as_chunks::<4>().0.iter();
        from_code_points(units.map(|unit| u32::from_le_bytes(fixed(unit, order))))
    }

    /// The bytes of an `S` without its padding, or all those of a `V`.
    pub(super) fn plain(&self) -> Option<Bytes<'a, 'de>> {
        match self.dtype.kind {
            Kind::Bytes { .. } => Some(match self.bytes {
                Bytes::Lent(bytes) => Bytes::Lent(trim(bytes)),
                Bytes::Seen(bytes) => Bytes::Seen(trim(bytes)),
            }),
            Kind::Void { .. } => Some(self.bytes),
            _ => None,
        }
    }

    pub(super) fn text<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
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

    /// An `S` as the text that it is to NumPy's users, where it is UTF-8.
    pub(super) fn text_or_bytes<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        match self.plain() {
            Some(bytes) if std::str::from_utf8(bytes.get()).is_ok() => self.text(visitor),
            _ => self.bytes(visitor),
        }
    }

    pub(super) fn bytes<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        match self.plain() {
            Some(Bytes::Lent(bytes)) => visitor.visit_borrowed_bytes(bytes),
            Some(Bytes::Seen(bytes)) => visitor.visit_bytes(bytes),
            None => Err(self.mismatch("bytes")),
        }
    }

    /// `Duration` and `SystemTime` as the two fields that serde gives them.
    #[inline(never)]
    pub(super) fn seconds<V: Visitor<'de>>(
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
                format_args!("found {found}, expected a {name}"),
            )
            .with_hint("read an i64 with `with::datetime64` or `with::timedelta64`")
        };
        if count == NAT {
            return Err(refuse("NaT"));
        }
        if count < 0 {
            return Err(refuse("a time before zero"));
        }
        // Times too far away for nanoseconds may still be whole seconds.
        let (secs, nanos) = match convert_count(count, unit, NANO, date) {
            Ok(nanos) => (nanos as u64 / 1_000_000_000, (nanos as u64 % 1_000_000_000) as u32),
            Err(_) => (convert_count(count, unit, SECOND, date)? as u64, 0),
        };
        let [first, second] = fields else {
            return Err(self.mismatch(name));
        };
        visitor.visit_map(MapDeserializer::new(
            [(*first, secs), (*second, u64::from(nanos))].into_iter(),
        ))
    }

    pub(super) fn half<V: Visitor<'de>>(self, name: &str, visitor: V) -> Result<V::Value> {
        let bits = match (name, &self.dtype.kind) {
            ("bf16", Kind::Void { len: 2 }) => bf16::from_le_bytes(fixed(self.raw(), Order::Little)).to_bits(),
            ("bf16", _) => self.cast::<bf16>()?.to_bits(),
            _ => self.cast::<f16>()?.to_bits(),
        };
        visitor.visit_newtype_struct(IntoDeserializer::<Error>::into_deserializer(bits))
    }
}

/// Whether `T` is an `Option` of a time, which NaT is the None of.
pub(crate) fn is_optional_time<T>() -> bool {
    let id = typeid::of::<T>();
    #[cfg(feature = "chrono")]
    let chrono = id == typeid::of::<Option<chrono::DateTime<chrono::Utc>>>()
        || id == typeid::of::<Option<chrono::NaiveDateTime>>()
        || id == typeid::of::<Option<chrono::NaiveDate>>()
        || id == typeid::of::<Option<chrono::TimeDelta>>();
    #[cfg(not(feature = "chrono"))]
    let chrono = false;
    chrono || id == typeid::of::<Option<std::time::SystemTime>>() || id == typeid::of::<Option<std::time::Duration>>()
}

/// The error of a number that names the levels of conversions that would help.
#[cold]
fn with_advice<T: Cast>(error: Error, number: AnyNumber) -> Error {
    let helps = |level| T::cast(number, level).is_ok();
    match (helps(Casting::Exact), helps(Casting::SameKind)) {
        (true, true) => error.with_hint(
            "`ReadOptions::casting(Casting::Exact)` takes numbers where their value survives, `Casting::SameKind` rounds",
        ),
        (true, false) => {
            error.with_hint("`ReadOptions::casting(Casting::Exact)` takes numbers where their value survives")
        }
        (false, true) => error.with_hint("`ReadOptions::casting(Casting::SameKind)` rounds"),
        (false, false) => error,
    }
}

#[cold]
fn does_not_fit(found: AnyNumber, expected: &str) -> Error {
    Error::new(
        ErrorKind::InvalidValue,
        format_args!("found {found}, expected a number that {expected} holds exactly"),
    )
}

/// A number that is not in the form that is asked for.
///
/// Not inlined, and the parts of the element are passed one by one: so the struct stays in registers in the loop over
/// numbers that need no conversion.
#[inline(always)]
pub(super) fn converted<'a, 'de: 'a, T>(
    item: ElementDeserializer<'a, 'de>,
    convert: impl FnOnce(ElementDeserializer<'_, '_>) -> Result<T>,
) -> Result<T> {
    #[cold]
    #[inline(never)]
    fn apart<T>(
        dtype: &Dtype,
        plan: &Plan,
        bytes: &[u8],
        marker: Option<Marker>,
        convert: impl FnOnce(ElementDeserializer<'_, '_>) -> Result<T>,
    ) -> Result<T> {
        let item = ElementDeserializer {
            // The bytes of a subarray of one element are those of the element.
            dtype: if plan.squeeze { only_element(dtype) } else { dtype },
            plan,
            bytes: Bytes::Seen(bytes),
            number: None,
            marker,
        };
        match item.dtype.kind {
            Kind::Masked(_) => convert(item.there()?),
            _ => convert(item),
        }
    }
    apart(item.dtype, item.plan, item.raw(), item.marker, convert)
}
