//! A number of any width from its bytes, in either byte order.

use half::f16;

use crate::format::dtype::{Field, Kind, Order};
use crate::npy::de::data::Bytes;

/// A number of any width, widened within its kind.
pub(super) enum Widest {
    Int(i64),
    Uint(u64),
    F16(f16),
    F32(f32),
    F64(f64),
}

pub(super) fn fixed<const N: usize>(bytes: &[u8], order: Order) -> [u8; N] {
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

pub(super) fn float(bytes: &[u8], size: u8, order: Order) -> Widest {
    match size {
        2 => Widest::F16(f16::from_le_bytes(fixed(bytes, order))),
        4 => Widest::F32(f32::from_le_bytes(fixed(bytes, order))),
        _ => Widest::F64(f64::from_le_bytes(fixed(bytes, order))),
    }
}

/// An integer of 128 bits.
pub(super) enum Wide {
    I128(i128),
    U128(u128),
}

impl Wide {
    /// From the record of two halves around these fields.
    pub(super) fn of([lo, hi]: [&Field; 2], record: Bytes<'_, '_>) -> Wide {
        let half = |field: &Field| {
            let bytes = record.part(field.offset, field.size).get();
            match field.dtype.kind {
                Kind::Uint { order, .. } | Kind::Int { order, .. } => u64::from_le_bytes(fixed(bytes, order)),
                _ => 0,
            }
        };
        let bits = u128::from(half(lo)) | u128::from(half(hi)) << 64;
        match hi.dtype.kind {
            Kind::Int { .. } => Wide::I128(bits.cast_signed()),
            _ => Wide::U128(bits),
        }
    }

    /// As an integer of another type, where it fits.
    pub(super) fn narrow<T: TryFrom<i128> + TryFrom<u128>>(&self) -> Option<T> {
        match *self {
            Wide::I128(v) => v.try_into().ok(),
            Wide::U128(v) => v.try_into().ok(),
        }
    }

    /// As a float, where one with so many binary digits holds it exactly.
    pub(super) fn float(&self, digits: u32) -> Option<f64> {
        let (size, float) = match *self {
            Wide::I128(v) => (v.unsigned_abs(), v as f64),
            Wide::U128(v) => (v, v as f64),
        };
        let places = size
            .checked_ilog2()
            .map_or(0, |highest| highest + 1 - size.trailing_zeros());
        (places <= digits).then_some(float)
    }
}

impl std::fmt::Display for Wide {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Wide::I128(v) => v.fmt(f),
            Wide::U128(v) => v.fmt(f),
        }
    }
}
