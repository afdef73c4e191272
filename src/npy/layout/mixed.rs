//! Numbers of several kinds in one sequence, as a `serde_json::Value` or an untagged enum gives them.
//!
//! ```text
//! [1_u64, -1_i64]    <i8, which holds both kinds, if no value is beyond it
//! [1_u8, -1_i8]      <i2, the smallest that holds all values of both
//! [1_u64, 0.5]       <f8, if it holds every integer exactly
//! ```

use std::ops::RangeInclusive;

use crate::io::source::in_memory;
use crate::npy::whole::Number;

/// The kinds that were met, and what matters of their values.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Mixed {
    /// A bit for each [`Number`].
    kinds: u32,
    /// An integer is negative.
    negative: bool,
    /// An integer is too large for i64.
    beyond: bool,
    /// An integer is none that an f64 holds exactly.
    inexact: bool,
}

/// A number of one of the kinds that may be mixed.
#[derive(Clone, Copy)]
pub(crate) enum Real {
    Int(i128),
    Float(f64),
}

const UNSIGNED: [Number; 4] = [Number::U8, Number::U16, Number::U32, Number::U64];
const SIGNED: [Number; 4] = [Number::I8, Number::I16, Number::I32, Number::I64];
const FLOATS: [Number; 3] = [Number::F16, Number::F32, Number::F64];

impl Mixed {
    /// Numbers of one kind alone; `None` if they mix with no other. No bool is a number.
    pub(crate) fn of(number: Number) -> Option<Mixed> {
        let real = [&UNSIGNED[..], &SIGNED, &FLOATS].concat().contains(&number);
        real.then_some(Mixed {
            kinds: bit(number),
            negative: false,
            beyond: false,
            inexact: false,
        })
    }

    pub(crate) fn and(self, other: Mixed) -> Mixed {
        Mixed {
            kinds: self.kinds | other.kinds,
            negative: self.negative | other.negative,
            beyond: self.beyond | other.beyond,
            inexact: self.inexact | other.inexact,
        }
    }

    /// The kinds that are in both; `None` if there are none.
    pub(crate) fn common(self, other: Mixed) -> Option<Mixed> {
        let kinds = self.kinds & other.kinds;
        (kinds != 0).then_some(Mixed { kinds, ..self })
    }

    /// Notes a value; returns whether it is of one of the kinds.
    #[expect(
        clippy::cast_possible_truncation,
        reason = "a float beyond i128 is no integer of 64 bits"
    )]
    pub(crate) fn note(&mut self, number: Number, value: Real) -> bool {
        if let Real::Int(value) = value {
            self.negative |= value < 0;
            self.beyond |= value > i64::MAX.into();
            self.inexact |= (value as f64) as i128 != value;
        }
        self.kinds & bit(number) != 0
    }

    /// A value as the kind that holds all of them: its bytes, and how many they are.
    #[expect(
        clippy::cast_possible_truncation,
        reason = "as in `note`; no f64 is mixed with what becomes an f32"
    )]
    pub(crate) fn bytes(self, value: Real) -> Option<([u8; 8], usize)> {
        let kind = self.number()?;
        let bytes = match (kind, value) {
            (Number::F64, Real::Float(value)) => value.to_le_bytes(),
            (Number::F64, Real::Int(value)) if (value as f64) as i128 == value => (value as f64).to_le_bytes(),
            (Number::F32, Real::Float(value)) => u64::from((value as f32).to_bits()).to_le_bytes(),
            (kind, Real::Int(value)) if range(kind)?.contains(&value) => *value.to_le_bytes().first_chunk()?,
            _ => return None,
        };
        Some((bytes, in_memory(kind.size())))
    }

    /// The one kind that holds all values exactly, if there is one.
    pub(crate) fn number(self) -> Option<Number> {
        let widest = |kinds: &[Number]| kinds.iter().rev().copied().find(|&n| self.kinds & bit(n) != 0);
        match (widest(&UNSIGNED), widest(&SIGNED), widest(&FLOATS)) {
            (None, None, float) => float,
            (_, _, Some(_)) => (!self.inexact).then_some(Number::F64),
            (Some(one), None, None) | (None, Some(one), None) => Some(one),
            (Some(u), Some(i), None) if u.size() < i.size() => Some(i),
            (Some(Number::U64), Some(_), None) if !self.beyond => Some(Number::I64),
            (Some(Number::U64), Some(_), None) => (!self.negative).then_some(Number::U64),
            (Some(u), Some(_), None) => SIGNED.into_iter().find(|i| i.size() > u.size()),
        }
    }
}

/// The smallest and the largest integer of a kind.
fn range(kind: Number) -> Option<RangeInclusive<i128>> {
    let end = 1_i128 << (kind.size() * 8);
    if SIGNED.contains(&kind) {
        return Some(-end / 2..=end / 2 - 1);
    }
    UNSIGNED.contains(&kind).then_some(0..=end - 1)
}

fn bit(number: Number) -> u32 {
    1 << number as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mixed(kinds: &[Number], values: &[i128]) -> Option<Number> {
        let kinds = kinds.iter().map(|&kind| Mixed::of(kind).unwrap());
        let mut mixed = kinds.reduce(Mixed::and).unwrap();
        for &value in values {
            mixed.note(Number::I64, Real::Int(value));
        }
        mixed.number()
    }

    #[test]
    fn values_keep_their_value() {
        let both = |a, b| Mixed::of(a).unwrap().and(Mixed::of(b).unwrap());
        let signed = both(Number::U8, Number::I8);
        assert_eq!(
            signed.bytes(Real::Int(-2)).unwrap(),
            ([254, 255, 255, 255, 255, 255, 255, 255], 2)
        );
        assert!(signed.bytes(Real::Int(1 << 15)).is_none());
        let floats = both(Number::I64, Number::F32);
        assert_eq!(floats.bytes(Real::Int(3)).unwrap(), (3_f64.to_le_bytes(), 8));
        assert!(floats.bytes(Real::Int((1 << 53) + 1)).is_none());
        let single = both(Number::F16, Number::F32);
        assert_eq!(single.bytes(Real::Float(0.5)).unwrap().0[..4], 0.5_f32.to_le_bytes());
    }

    #[test]
    fn the_kind_that_holds_all() {
        use Number::{F16, F32, F64, I8, I16, I32, I64, U8, U16, U32, U64};
        for (kinds, values, expected) in [
            (&[U8, U16][..], &[][..], Some(U16)),
            (&[I8, I64], &[], Some(I64)),
            (&[U8, I8], &[], Some(I16)),
            (&[U16, I8], &[], Some(I32)),
            (&[U32, I8], &[], Some(I64)),
            (&[U8, I32], &[], Some(I32)),
            (&[U64, I8], &[5, -1], Some(I64)),
            (&[U64, I64], &[i64::MAX.into(), -1], Some(I64)),
            (&[U64, I64], &[u64::MAX.into(), 1], Some(U64)),
            (&[U64, I64], &[u64::MAX.into(), -1], None),
            (&[F16, F32], &[], Some(F32)),
            (&[F32, F64], &[], Some(F64)),
            (&[U64, F32], &[1 << 53], Some(F64)),
            (&[U64, F64], &[(1 << 53) + 1], None),
            (&[I64, U8, F64], &[i64::MIN.into(), 1 << 60], Some(F64)),
        ] {
            assert_eq!(mixed(kinds, values), expected, "{kinds:?} {values:?}");
        }
        assert!(Mixed::of(Number::Bool).is_none() && Mixed::of(Number::C64).is_none());
    }
}
