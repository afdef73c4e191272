//! Which number may become which other one. Everything that reads numbers goes by this one table.
//!
//! ```text
//! from \ to   bool          integer       float                            complex
//! bool        Safe          Safe          Safe                             Safe
//! integer     Safe: 0, 1    Safe          Safe                             Safe
//! float       Exact: 0, 1   Exact         wider: Safe, else Exact;         as its real part
//!                                         SameKind rounds
//! complex     Exact, the real part of a number without an imaginary one    part by part
//! ```
//!
//! Every conversion keeps the value or is an error, except that `SameKind` rounds floats. What is kept: the sign of zero,
//! so that -0.0 is no integer and no bool, and -0.0 is no missing imaginary part; infinities; and that a number is NaN, of
//! whose payload as many bits as fit.

use std::fmt;

use half::{bf16, f16};
use num_complex::Complex;

use crate::options::Casting;

/// A number as a file has it, widened only where nothing tells the widths apart.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum AnyNumber {
    Bool(bool),
    Int(i64),
    Uint(u64),
    /// A record of two halves.
    I128(i128),
    U128(u128),
    F16(f16),
    F32(f32),
    F64(f64),
    C64(Complex<f32>),
    C128(Complex<f64>),
}

/// Why a number does not become another one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Uncast {
    /// Such numbers are not converted at this level.
    Kind,
    /// This one does not survive.
    Value,
}

/// A type that numbers of any dtype may become.
pub(crate) trait Cast: Sized {
    /// As errors call it.
    const NAME: &'static str;

    fn cast(number: AnyNumber, casting: Casting) -> Result<Self, Uncast>;
}

impl AnyNumber {
    /// As an integer of another width, where it fits; `None` for floats and complex numbers.
    fn integer<T: TryFrom<i128> + TryFrom<u128>>(self) -> Option<Option<T>> {
        let value: i128 = match self {
            AnyNumber::Bool(v) => v.into(),
            AnyNumber::Int(v) => v.into(),
            AnyNumber::Uint(v) => v.into(),
            AnyNumber::I128(v) => v,
            AnyNumber::U128(v) => return Some(v.try_into().ok()),
            _ => return None,
        };
        Some(value.try_into().ok())
    }

    /// The size of an integer, and whether it is negative.
    fn magnitude(self) -> Option<(u128, bool)> {
        match self {
            AnyNumber::U128(v) => Some((v, false)),
            _ => self.integer::<i128>()?.map(|v| (v.unsigned_abs(), v < 0)),
        }
    }

    /// The real part of a float, or of a complex number that has no imaginary one.
    fn real(self) -> Option<f64> {
        match self {
            AnyNumber::F16(v) => Some(v.into()),
            AnyNumber::F32(v) => Some(v.into()),
            AnyNumber::F64(v) => Some(v),
            AnyNumber::C64(v) if v.im.to_bits() == 0 => Some(v.re.into()),
            AnyNumber::C128(v) if v.im.to_bits() == 0 => Some(v.re),
            _ => None,
        }
    }
}

impl fmt::Display for AnyNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            AnyNumber::Bool(v) => fmt::Display::fmt(v, f),
            AnyNumber::Int(v) => fmt::Display::fmt(v, f),
            AnyNumber::Uint(v) => fmt::Display::fmt(v, f),
            AnyNumber::I128(v) => fmt::Display::fmt(v, f),
            AnyNumber::U128(v) => fmt::Display::fmt(v, f),
            // As Rust writes them: 3.0, -0.0, 1e300.
            AnyNumber::F16(v) => fmt::Debug::fmt(&v.to_f32(), f),
            AnyNumber::F32(v) => fmt::Debug::fmt(v, f),
            AnyNumber::F64(v) => fmt::Debug::fmt(v, f),
            AnyNumber::C64(v) => write!(f, "{:?}{:+?}i", v.re, v.im),
            AnyNumber::C128(v) => write!(f, "{:?}{:+?}i", v.re, v.im),
        }
    }
}

/// A value that only `Exact` converts, if it survives.
fn exact<T>(value: Option<T>, casting: Casting) -> Result<T, Uncast> {
    match casting {
        Casting::Exact => value.ok_or(Uncast::Value),
        Casting::Safe | Casting::SameKind => Err(Uncast::Kind),
    }
}

/// A float that is an integer, as one.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "the bounds are compared before"
)]
fn whole<T: TryFrom<i128> + TryFrom<u128>>(value: f64) -> Option<T> {
    const END: f64 = (1_u128 << 127) as f64;
    if value.fract() != 0.0 || (value == 0.0 && value.is_sign_negative()) {
        None
    } else if (-END..END).contains(&value) {
        AnyNumber::I128(value as i128).integer()?
    } else if (END..2.0 * END).contains(&value) {
        AnyNumber::U128(value as u128).integer()?
    } else {
        None
    }
}

/// As [`Cast::cast`] of an integer, for numbers that are seldom converted.
#[inline(never)]
fn whole_number<T: TryFrom<i128> + TryFrom<u128>>(number: AnyNumber, casting: Casting) -> Result<T, Uncast> {
    match number.integer() {
        Some(value) => value.ok_or(Uncast::Value),
        None => exact(number.real().and_then(whole), casting),
    }
}

impl Cast for bool {
    const NAME: &'static str = "bool";

    fn cast(number: AnyNumber, casting: Casting) -> Result<Self, Uncast> {
        let bit = |value: u8| (value < 2).then_some(value == 1);
        match number.integer() {
            Some(value) => value.and_then(bit).ok_or(Uncast::Value),
            None => exact(number.real().and_then(whole).and_then(bit), casting),
        }
    }
}

macro_rules! integers {
    ($($t:ident)*) => { $(
        impl Cast for $t {
            const NAME: &'static str = stringify!($t);

            #[inline(always)]
            fn cast(number: AnyNumber, casting: Casting) -> Result<Self, Uncast> {
                // The usual integers without a detour through wider ones.
                match number {
                    AnyNumber::Int(v) => v.try_into().map_err(|_| Uncast::Value),
                    AnyNumber::Uint(v) => v.try_into().map_err(|_| Uncast::Value),
                    _ => whole_number(number, casting),
                }
            }
        }
    )* };
}

integers!(i8 i16 i32 i64 i128 u8 u16 u32 u64 u128);

/// From the first binary digit that is set to the last one.
fn digits(size: u128) -> u32 {
    size.checked_ilog2()
        .map_or(0, |highest| highest + 1 - size.trailing_zeros())
}

/// A float of any width.
trait Float: Sized {
    const NAME: &'static str;

    /// The float that `number` is, if every one of its dtype is such a float.
    fn wider(number: AnyNumber) -> Option<Self>;

    /// The nearest one.
    fn round(value: f64) -> Self;

    fn to_f64(&self) -> f64;

    /// Whether a value is just this float.
    #[inline]
    fn is(&self, value: f64) -> bool {
        let found = self.to_f64();
        found.to_bits() == value.to_bits() || (found.is_nan() && value.is_nan())
    }
}

macro_rules! floats {
    ($($t:ident: [$($wider:ident)*], $round:expr;)*) => { $(
        impl Float for $t {
            const NAME: &'static str = stringify!($t);

            #[inline]
            fn wider(number: AnyNumber) -> Option<$t> {
                match number {
                    $(AnyNumber::$wider(v) => Some(v.into()),)*
                    _ => None,
                }
            }

            #[inline]
            fn round(value: f64) -> $t {
                let round: fn(f64) -> $t = $round;
                round(value)
            }

            #[inline]
            fn to_f64(&self) -> f64 {
                (*self).into()
            }
        }
    )* };
}

#[expect(clippy::cast_possible_truncation, reason = "rounding is what is asked for")]
fn to_f32(value: f64) -> f32 {
    value as f32
}

/// An `f32` that rounds to a narrower float as the value itself does: what is not exact gets an odd last bit, so that it is
/// no tie. Rounding to the nearest `f32` first, as processors do that have no other way, may make it one.
fn to_odd(value: f64) -> f32 {
    let near = to_f32(value);
    let back = f64::from(near);
    if back == value || value.is_nan() {
        return near;
    }
    let toward_zero = near.to_bits() - u32::from(back.abs() > value.abs());
    f32::from_bits(toward_zero | 1)
}

floats! {
    f16: [F16], |value| f16::from_f32(to_odd(value));
    bf16: [], |value| bf16::from_f32(to_odd(value));
    f32: [F16 F32], to_f32;
    f64: [F16 F32 F64], |value| value;
}

impl<T: Float> Cast for T {
    const NAME: &'static str = <T as Float>::NAME;

    #[inline(always)]
    fn cast(number: AnyNumber, casting: Casting) -> Result<Self, Uncast> {
        if let Some(float) = T::wider(number) {
            return Ok(float);
        }
        // Every integer of so many digits is an f64.
        const DIGITS: u64 = 1 << f64::MANTISSA_DIGITS;
        let small = match number {
            AnyNumber::Int(v) if v.unsigned_abs() <= DIGITS => Some(v as f64),
            AnyNumber::Uint(v) if v <= DIGITS => Some(v as f64),
            _ => None,
        };
        if let Some(value) = small {
            let float = T::round(value);
            return if float.is(value) { Ok(float) } else { Err(Uncast::Value) };
        }
        T::cast_any(number, casting)
    }
}

/// As [`Cast::cast`] of a float, for numbers that are seldom converted.
trait CastAny: Float {
    fn cast_any(number: AnyNumber, casting: Casting) -> Result<Self, Uncast>;
}

impl<T: Float> CastAny for T {
    #[inline(never)]
    fn cast_any(number: AnyNumber, casting: Casting) -> Result<Self, Uncast> {
        if let Some((size, negative)) = number.magnitude() {
            let value = if negative { -(size as f64) } else { size as f64 };
            let float = T::round(value);
            let exact = digits(size) <= f64::MANTISSA_DIGITS && float.is(value);
            return exact.then_some(float).ok_or(Uncast::Value);
        }
        let is_real = !matches!(number, AnyNumber::C64(_) | AnyNumber::C128(_));
        let rounded = number.real().map(|value| (T::round(value), value));
        match rounded {
            Some((float, _)) if is_real && casting == Casting::SameKind => Ok(float),
            Some((float, value)) if float.is(value) => exact(Some(float), casting),
            _ => exact(None, casting),
        }
    }
}
