//! One fixed-size value, as serde hands it out and as it lies in an array.

use half::{bf16, f16};

use crate::error::{Error, ErrorKind, Result};
use crate::format::dtype::{Dtype, Kind, TimeBase, TimeUnit, Wide};
use crate::format::time::NAT;
use crate::io::source::in_memory;
use crate::npy::layout::mixed::{Mixed, Real};
use crate::npy::layout::tally::Thing;
use crate::npy::marker::Marker;
use crate::npy::sink::Put;
use crate::npy::whole::{AnyComplex, Element, Number, Optional, OptionalScalar};

/// What `Duration` and `SystemTime` are written in.
const NANO: TimeUnit = TimeUnit {
    base: TimeBase::Nano,
    multiple: 1,
};

/// A value without parts, on its way out.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Scalar<'a> {
    Bool(bool),
    I8(i8),
    I16(i16),
    I32(i32),
    I64(i64),
    /// The lower and the higher half.
    I128(u64, i64),
    U8(u8),
    U16(u16),
    U32(u32),
    U64(u64),
    /// The lower and the higher half.
    U128(u64, u64),
    F16(u16),
    Bf16(u16),
    F32(f32),
    F64(f64),
    C64(f32, f32),
    C128(f64, f64),
    Char(char),
    Str(&'a str),
    Raw(&'a [u8]),
    /// Nanoseconds of a `Duration`.
    Nanos(i64),
    /// Nanoseconds of a `SystemTime`.
    Epoch(i64),
}

/// The layout of a value without parts.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum ScalarLayout {
    Number(Number),
    /// 128 bits, as a record of two halves.
    Wide(Wide),
    /// Numbers of several kinds.
    Mixed(Mixed),
    Bf16,
    /// `width` code points at most, `text` bytes of text over all values.
    Str {
        width: u64,
        text: u64,
    },
    /// `|Vn`: exactly `n` bytes each.
    Raw(u64),
    /// `|Sn`: at most `n` bytes each.
    Bytes(u64),
    Datetime(TimeUnit),
    Timedelta(TimeUnit),
    /// A None that is to be NaN, of a float not yet known.
    Nan,
}

impl ScalarLayout {
    /// The bytes of one value.
    pub(crate) fn size(self) -> u64 {
        match self {
            ScalarLayout::Number(number) => number.size(),
            ScalarLayout::Wide(_) => 16,
            ScalarLayout::Mixed(mixed) => mixed.number().map_or(0, Number::size),
            ScalarLayout::Bf16 => 2,
            ScalarLayout::Str { width, .. } => width.saturating_mul(4),
            ScalarLayout::Raw(len) | ScalarLayout::Bytes(len) => len,
            ScalarLayout::Datetime(_) | ScalarLayout::Timedelta(_) | ScalarLayout::Nan => 8,
        }
    }

    /// Whether NaN is one of its values.
    pub(crate) fn is_float(self) -> bool {
        matches!(
            self,
            ScalarLayout::Number(Number::F16 | Number::F32 | Number::F64) | ScalarLayout::Nan
        )
    }

    /// The NaN that a None is inside `with::nan`, where what its type tells says that it is one of floats.
    pub(crate) fn nan(told: Option<Optional>) -> Option<ScalarLayout> {
        match told {
            None | Some(Optional::Vector) => Some(ScalarLayout::Nan),
            Some(Optional::Scalar(OptionalScalar::Element(Element::Number(
                float @ (Number::F16 | Number::F32 | Number::F64),
            )))) => Some(ScalarLayout::Number(float)),
            Some(_) => None,
        }
    }

    /// Appends what stands for None: a quiet NaN, NaT, 0, False, an empty text.
    pub(crate) fn none(self, into: &mut Vec<u8>) {
        let (bytes, parts) = match self {
            ScalarLayout::Number(Number::F16) => (&f16::NAN.to_le_bytes()[..], 1),
            ScalarLayout::Number(Number::F32) => (&f32::NAN.to_le_bytes()[..], 1),
            ScalarLayout::Number(Number::C64) => (&f32::NAN.to_le_bytes()[..], 2),
            ScalarLayout::Number(Number::F64) | ScalarLayout::Nan => (&f64::NAN.to_le_bytes()[..], 1),
            ScalarLayout::Number(Number::C128) => (&f64::NAN.to_le_bytes()[..], 2),
            ScalarLayout::Bf16 => (&bf16::NAN.to_le_bytes()[..], 1),
            ScalarLayout::Datetime(_) | ScalarLayout::Timedelta(_) => (&NAT.to_le_bytes()[..], 1),
            leaf => (&[0][..], in_memory(leaf.size())),
        };
        (0..parts).for_each(|_| into.extend_from_slice(bytes));
    }

    /// What a walk counts a value of this layout as.
    pub(crate) fn thing(self) -> Thing {
        match self {
            ScalarLayout::Number(number) => Thing::of_number(number),
            ScalarLayout::Mixed(_) | ScalarLayout::Bf16 | ScalarLayout::Nan => Thing::Float,
            ScalarLayout::Str { .. } | ScalarLayout::Raw(_) | ScalarLayout::Bytes(_) => Thing::Text,
            ScalarLayout::Wide(_) | ScalarLayout::Datetime(_) | ScalarLayout::Timedelta(_) => Thing::Integer,
        }
    }

    /// Widens this layout for one more value, of the layout `leaf`; returns whether the two are of one kind.
    pub(crate) fn widen(&mut self, leaf: ScalarLayout) -> bool {
        match (self, leaf) {
            (ScalarLayout::Str { width, text }, ScalarLayout::Str { width: w, text: t }) => {
                *width = w.max(*width);
                *text = text.saturating_add(t);
                true
            }
            (ScalarLayout::Bytes(width), ScalarLayout::Bytes(w)) => {
                *width = w.max(*width);
                true
            }
            (seen, leaf) => *seen == leaf,
        }
    }

    pub(crate) fn dtype(self) -> Dtype {
        match self {
            ScalarLayout::Number(number) => number.dtype(),
            ScalarLayout::Wide(wide) => wide.dtype(),
            ScalarLayout::Mixed(mixed) => mixed.number().map_or(Dtype::void(0), Number::dtype),
            ScalarLayout::Bf16 => Dtype::new(Kind::Bf16),
            ScalarLayout::Str { width, .. } => Dtype::str(width.max(1)),
            ScalarLayout::Raw(len) => Dtype::void(len),
            ScalarLayout::Bytes(len) => Dtype::bytes(len.max(1)),
            ScalarLayout::Datetime(unit) => Dtype::datetime(unit),
            ScalarLayout::Timedelta(unit) => Dtype::timedelta(unit),
            ScalarLayout::Nan => Dtype::float(8),
        }
    }
}

/// An error for a text that NumPy would give back without its end.
#[inline]
pub(super) fn check_end(text: &str) -> Result<()> {
    if text.as_bytes().last() == Some(&0) {
        return Err(ends_in_nul(format_args!("the text {text:?}")));
    }
    Ok(())
}

impl From<AnyComplex> for Scalar<'_> {
    fn from(complex: AnyComplex) -> Self {
        match complex {
            AnyComplex::C64(c) => Scalar::C64(c.re, c.im),
            AnyComplex::C128(c) => Scalar::C128(c.re, c.im),
        }
    }
}

impl From<i128> for Scalar<'_> {
    #[expect(clippy::cast_possible_truncation, reason = "the lower half is what is asked for")]
    fn from(v: i128) -> Self {
        Scalar::I128(v as u64, (v >> 64) as i64)
    }
}

impl From<u128> for Scalar<'_> {
    #[expect(clippy::cast_possible_truncation, reason = "the lower half is what is asked for")]
    fn from(v: u128) -> Self {
        Scalar::U128(v as u64, (v >> 64) as u64)
    }
}

impl Scalar<'_> {
    /// Numbers and bools stream without a measuring walk.
    #[inline(always)]
    pub(crate) fn number(&self) -> Option<Number> {
        Some(match self {
            Scalar::Bool(_) => Number::Bool,
            Scalar::I8(_) => Number::I8,
            Scalar::I16(_) => Number::I16,
            Scalar::I32(_) => Number::I32,
            Scalar::I64(_) => Number::I64,
            Scalar::U8(_) => Number::U8,
            Scalar::U16(_) => Number::U16,
            Scalar::U32(_) => Number::U32,
            Scalar::U64(_) => Number::U64,
            Scalar::F16(_) => Number::F16,
            Scalar::F32(_) => Number::F32,
            Scalar::F64(_) => Number::F64,
            Scalar::C64(..) => Number::C64,
            Scalar::C128(..) => Number::C128,
            _ => return None,
        })
    }

    pub(crate) fn zero(number: Number) -> Self {
        match number {
            Number::Bool => Scalar::Bool(false),
            Number::I8 => Scalar::I8(0),
            Number::I16 => Scalar::I16(0),
            Number::I32 => Scalar::I32(0),
            Number::I64 => Scalar::I64(0),
            Number::U8 => Scalar::U8(0),
            Number::U16 => Scalar::U16(0),
            Number::U32 => Scalar::U32(0),
            Number::U64 => Scalar::U64(0),
            Number::F16 => Scalar::F16(0),
            Number::F32 => Scalar::F32(0.0),
            Number::F64 => Scalar::F64(0.0),
            Number::C64 => Scalar::C64(0.0, 0.0),
            Number::C128 => Scalar::C128(0.0, 0.0),
        }
    }

    /// The value, of a kind that may be mixed with others.
    pub(crate) fn real(&self) -> Option<Real> {
        Some(match *self {
            Scalar::I8(v) => Real::Int(v.into()),
            Scalar::I16(v) => Real::Int(v.into()),
            Scalar::I32(v) => Real::Int(v.into()),
            Scalar::I64(v) => Real::Int(v.into()),
            Scalar::U8(v) => Real::Int(v.into()),
            Scalar::U16(v) => Real::Int(v.into()),
            Scalar::U32(v) => Real::Int(v.into()),
            Scalar::U64(v) => Real::Int(v.into()),
            Scalar::F16(bits) => Real::Float(f16::from_bits(bits).into()),
            Scalar::F32(v) => Real::Float(v.into()),
            Scalar::F64(v) => Real::Float(v),
            _ => return None,
        })
    }

    /// What a walk counts this as.
    #[inline(always)]
    pub(crate) fn thing(&self) -> Thing {
        match self {
            Scalar::Bool(_) => Thing::Bool,
            Scalar::F16(_) | Scalar::Bf16(_) | Scalar::F32(_) | Scalar::F64(_) => Thing::Float,
            Scalar::C64(..) | Scalar::C128(..) => Thing::Complex,
            Scalar::Char(_) | Scalar::Str(_) | Scalar::Raw(_) => Thing::Text,
            _ => Thing::Integer,
        }
    }

    /// Inside `with::nan` a NaN stands for None.
    pub(crate) fn check_not_nan(&self) -> Result<()> {
        let nan = match *self {
            Scalar::F32(v) => v.is_nan(),
            Scalar::F64(v) => v.is_nan(),
            Scalar::F16(bits) => f16::from_bits(bits).is_nan(),
            _ => false,
        };
        if nan {
            return Err(Error::new(
                ErrorKind::InvalidValue,
                "found Some(NaN) inside `with::nan`, expected a number: it would be read back as None",
            ));
        }
        Ok(())
    }

    /// Beside a `flatten` and inside of one a value may be read through serde's buffer, which has no integers of 128 bits.
    pub(crate) fn check_buffered(&self) -> Result<()> {
        match self {
            Scalar::I128(..) | Scalar::U128(..) => Err(Error::new(
                ErrorKind::UnsupportedType,
                format_args!(
                    "found {} in a struct with `flatten`, expected an integer of at most 64 bits: serde keeps flattened \
                     fields in a buffer that has none of 128",
                    self.describe()
                ),
            )
            .with_hint("use a struct without `flatten`, or a text")),
            _ => Ok(()),
        }
    }

    /// The NaN that stands for None among floats of this layout.
    pub(crate) fn nan(leaf: ScalarLayout) -> Scalar<'static> {
        match leaf {
            ScalarLayout::Number(Number::F16) => Scalar::F16(f16::NAN.to_bits()),
            ScalarLayout::Number(Number::F32) => Scalar::F32(f32::NAN),
            _ => Scalar::F64(f64::NAN),
        }
    }

    /// The layout this value asks for, and whether it may be written at all.
    pub(crate) fn layout(&self, marker: Option<Marker>) -> Result<ScalarLayout> {
        if let Some(number) = self.number() {
            return self.marked(number, marker);
        }
        match *self {
            Scalar::I128(..) => Ok(ScalarLayout::Wide(Wide::I128)),
            Scalar::U128(..) => Ok(ScalarLayout::Wide(Wide::U128)),
            Scalar::Bf16(_) => Ok(ScalarLayout::Bf16),
            Scalar::Char('\0') => Err(ends_in_nul("the char '\\0'")),
            Scalar::Char(c) => Ok(ScalarLayout::Str {
                width: 1,
                text: c.len_utf8() as u64,
            }),
            Scalar::Str(text) if marker == Some(Marker::Bytes) => Scalar::Raw(text.as_bytes()).layout(marker),
            Scalar::Str(text) => {
                check_end(text)?;
                Ok(ScalarLayout::Str {
                    width: text.chars().count().max(1) as u64,
                    text: text.len() as u64,
                })
            }
            Scalar::Raw(bytes) if marker == Some(Marker::Bytes) => match bytes.last() {
                Some(0) => Err(ends_in_nul("bytes")),
                _ => Ok(ScalarLayout::Bytes(bytes.len().max(1) as u64)),
            },
            Scalar::Raw([]) => Err(Error::new(
                ErrorKind::InvalidValue,
                "found empty bytes in a sequence or record, expected at least one byte: NumPy has no |V0 data",
            )
            .with_hint("use `with::ragged` for bytes of any length")),
            Scalar::Raw(bytes) => Ok(ScalarLayout::Raw(bytes.len() as u64)),
            Scalar::Epoch(_) => Ok(ScalarLayout::Datetime(NANO)),
            _ => Ok(ScalarLayout::Timedelta(NANO)),
        }
    }

    fn marked(&self, number: Number, marker: Option<Marker>) -> Result<ScalarLayout> {
        match (marker, number) {
            (Some(Marker::Float16), Number::F32 | Number::F64) => Ok(ScalarLayout::Number(Number::F16)),
            (Some(Marker::Float32), Number::F64) => Ok(ScalarLayout::Number(Number::F32)),
            (Some(Marker::Datetime(base)), Number::I64) => Ok(ScalarLayout::Datetime(TimeUnit { base, multiple: 1 })),
            (Some(Marker::Timedelta(base)), Number::I64) => Ok(ScalarLayout::Timedelta(TimeUnit { base, multiple: 1 })),
            _ => Ok(ScalarLayout::Number(number)),
        }
    }

    /// Writes the value in the layout `leaf`, which `Scalar::layout` or a union of several gave.
    ///
    /// Inlined, so that a caller who knows the sort of scalar is left with one comparison and one store.
    #[inline(always)]
    pub(crate) fn put<P: Put>(&self, leaf: ScalarLayout, out: &mut P) -> Result<()> {
        if let ScalarLayout::Number(number) = leaf
            && self.number() == Some(number)
        {
            return self.put_number(out);
        }
        self.put_other(leaf, out)
    }

    /// Writes a number as it is.
    #[cfg_attr(not(debug_assertions), inline(always))]
    pub(crate) fn put_number<P: Put>(&self, out: &mut P) -> Result<()> {
        match *self {
            Scalar::Bool(v) => out.put(&[u8::from(v)]),
            Scalar::I8(v) => out.put(&v.to_le_bytes()),
            Scalar::I16(v) => out.put(&v.to_le_bytes()),
            Scalar::I32(v) => out.put(&v.to_le_bytes()),
            Scalar::I64(v) => out.put(&v.to_le_bytes()),
            Scalar::U8(v) => out.put(&v.to_le_bytes()),
            Scalar::U16(v) | Scalar::F16(v) => out.put(&v.to_le_bytes()),
            Scalar::U32(v) => out.put(&v.to_le_bytes()),
            Scalar::U64(v) => out.put(&v.to_le_bytes()),
            Scalar::F32(v) => out.put(&v.to_le_bytes()),
            Scalar::F64(v) => out.put(&v.to_le_bytes()),
            Scalar::C64(re, im) => {
                out.put(&re.to_le_bytes())?;
                out.put(&im.to_le_bytes())
            }
            Scalar::C128(re, im) => {
                out.put(&re.to_le_bytes())?;
                out.put(&im.to_le_bytes())
            }
            _ => Err(changed(self.describe(), "a number")),
        }
    }

    /// Writes what is no number, or becomes one of another sort.
    fn put_other<P: Put>(&self, leaf: ScalarLayout, out: &mut P) -> Result<()> {
        match (*self, leaf) {
            (number, ScalarLayout::Mixed(mixed)) => match number.real().and_then(|real| mixed.bytes(real)) {
                Some((bytes, len)) => out.put(&bytes[..len]),
                None => Err(changed(self.describe(), leaf.dtype())),
            },
            (Scalar::I64(v), ScalarLayout::Datetime(_) | ScalarLayout::Timedelta(_)) => out.put(&v.to_le_bytes()),
            (Scalar::I128(lo, hi), ScalarLayout::Wide(Wide::I128)) => {
                out.put(&lo.to_le_bytes())?;
                out.put(&hi.to_le_bytes())
            }
            (Scalar::U128(lo, hi), ScalarLayout::Wide(Wide::U128)) => {
                out.put(&lo.to_le_bytes())?;
                out.put(&hi.to_le_bytes())
            }
            (Scalar::Bf16(v), ScalarLayout::Bf16) => out.put(&v.to_le_bytes()),
            (Scalar::F32(v), ScalarLayout::Number(Number::F16)) => out.put(&narrow(f16::from_f32(v), v.into())?),
            (Scalar::F64(v), ScalarLayout::Number(Number::F16)) => out.put(&narrow(f16::from_f32(to_odd(v)), v)?),
            (Scalar::F64(v), ScalarLayout::Number(Number::F32)) => out.put(&single(v)?),
            (Scalar::Char(c), ScalarLayout::Str { width, .. }) => {
                let left = width.checked_sub(1).ok_or_else(|| too_long(1, width))?;
                out.put(&u32::from(c).to_le_bytes())?;
                out.zeros(left * 4)
            }
            (Scalar::Str(text), ScalarLayout::Str { width, .. }) => {
                let too_long = || too_long(text.chars().count() as u64, width);
                let size = width.saturating_mul(4);
                if let Some(put) = out.room(size, |room| room.text(text, crate::io::source::in_memory(size))) {
                    return put?.ok_or_else(too_long);
                }
                let mut left = width;
                for c in text.chars() {
                    left = left.checked_sub(1).ok_or_else(too_long)?;
                    out.put(&u32::from(c).to_le_bytes())?;
                }
                out.zeros(left * 4)
            }
            (Scalar::Str(text), ScalarLayout::Bytes(_)) => Scalar::Raw(text.as_bytes()).put(leaf, out),
            (Scalar::Raw(bytes), ScalarLayout::Raw(len)) if bytes.len() as u64 == len => out.put(bytes),
            (Scalar::Raw(bytes), ScalarLayout::Bytes(len)) => {
                let left = len
                    .checked_sub(bytes.len() as u64)
                    .ok_or_else(|| too_long(bytes.len() as u64, len))?;
                out.put(bytes)?;
                out.zeros(left)
            }
            (Scalar::Nanos(v), ScalarLayout::Timedelta(_)) | (Scalar::Epoch(v), ScalarLayout::Datetime(_)) => {
                out.put(&v.to_le_bytes())
            }
            _ => Err(changed(self.describe(), leaf.dtype())),
        }
    }

    pub(crate) fn describe(&self) -> &'static str {
        match self {
            Scalar::Bool(_) => "a bool",
            Scalar::I8(_) => "an i8",
            Scalar::I16(_) => "an i16",
            Scalar::I32(_) => "an i32",
            Scalar::I64(_) => "an i64",
            Scalar::I128(..) => "an i128",
            Scalar::U8(_) => "a u8",
            Scalar::U16(_) => "a u16",
            Scalar::U32(_) => "a u32",
            Scalar::U64(_) => "a u64",
            Scalar::U128(..) => "a u128",
            Scalar::F16(_) => "an f16",
            Scalar::Bf16(_) => "a bf16",
            Scalar::F32(_) => "an f32",
            Scalar::F64(_) => "an f64",
            Scalar::C64(..) | Scalar::C128(..) => "a complex number",
            Scalar::Char(_) => "a char",
            Scalar::Str(_) => "a text",
            Scalar::Raw(_) => "bytes",
            Scalar::Nanos(_) => "a Duration",
            Scalar::Epoch(_) => "a SystemTime",
        }
    }
}

/// An f32 that rounds to the same half float as `from`: inexact ones end in an odd bit, so that nothing is rounded twice.
#[expect(clippy::cast_possible_truncation, reason = "the rounding is looked at below")]
fn to_odd(from: f64) -> f32 {
    let near = from as f32;
    if f64::from(near) == from || !near.is_finite() {
        return near;
    }
    let below = if f64::from(near).abs() > from.abs() {
        near.to_bits() - 1
    } else {
        near.to_bits()
    };
    f32::from_bits(below | 1)
}

fn narrow(half: f16, from: f64) -> Result<[u8; 2]> {
    if half.is_infinite() && from.is_finite() {
        return Err(Error::new(
            ErrorKind::InvalidValue,
            format_args!("found {from}, expected a float that fits <f2 (65504 at most)"),
        ));
    }
    Ok(half.to_le_bytes())
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "rounding is what `with::float32` asks for"
)]
fn single(from: f64) -> Result<[u8; 4]> {
    let near = from as f32;
    if near.is_infinite() && from.is_finite() {
        return Err(Error::new(
            ErrorKind::InvalidValue,
            format_args!("found {from}, expected a float that fits <f4 (3.4e38 at most)"),
        ));
    }
    Ok(near.to_le_bytes())
}

#[cold]
fn ends_in_nul(found: impl std::fmt::Display) -> Error {
    Error::new(
        ErrorKind::InvalidValue,
        format_args!("found {found} with a NUL at the end, expected none: NumPy pads with NUL and would drop it"),
    )
}

#[cold]
pub(super) fn too_long(found: u64, expected: u64) -> Error {
    Error::new(
        ErrorKind::InvalidValue,
        format_args!("found {found} characters, expected at most {expected}, the width that was fixed before"),
    )
    .with_hint("state a larger one beforehand with `NpyWriter::create_like`")
}

/// The value serialized differently the second time.
#[cold]
pub(crate) fn changed(found: impl std::fmt::Display, expected: impl std::fmt::Display) -> Error {
    Error::new(
        ErrorKind::InvalidValue,
        format_args!(
            "found {found}, expected {expected} as on the walk before: the value serialized differently the second time"
        ),
    )
}

/// A sequence has not the length with which it was begun.
#[cold]
pub(crate) fn miscounted(found: u64, announced: u64) -> Error {
    Error::new(
        ErrorKind::InvalidValue,
        format_args!("found {found} elements in a sequence, expected {announced} as its `Serialize` announced"),
    )
}

/// The `Serializer` methods of every scalar, handed on to `self.scalar(..)`.
macro_rules! scalars {
    () => {
        scalars!(bool => Bool serialize_bool, i8 => I8 serialize_i8, i16 => I16 serialize_i16, i32 => I32 serialize_i32,
            i64 => I64 serialize_i64, u8 => U8 serialize_u8, u16 => U16 serialize_u16, u32 => U32 serialize_u32,
            u64 => U64 serialize_u64, f32 => F32 serialize_f32, f64 => F64 serialize_f64, char => Char serialize_char,
            &str => Str serialize_str);

        fn serialize_i128(self, v: i128) -> Result<Self::Ok> {
            self.scalar(v.into())
        }

        fn serialize_u128(self, v: u128) -> Result<Self::Ok> {
            self.scalar(v.into())
        }

        fn serialize_unit_variant(self, _: &'static str, _: u32, variant: &'static str) -> Result<Self::Ok> {
            self.scalar(Scalar::Str(variant))
        }
    };
    ($($t:ty => $scalar:ident $method:ident),*) => {
        $(
            #[inline(always)]
            fn $method(self, v: $t) -> Result<Self::Ok> {
                self.scalar(Scalar::$scalar(v))
            }
        )*
    };
}
pub(crate) use scalars;
