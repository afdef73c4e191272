//! A number of any width from its bytes, in either byte order.

use half::f16;
use num_complex::Complex;

use crate::format::cast::AnyNumber;
use crate::format::dtype::{Dtype, Field, Kind, Order, halves};
use crate::io::source::in_memory;

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

pub(super) fn float(bytes: &[u8], size: u8, order: Order) -> AnyNumber {
    match size {
        2 => AnyNumber::F16(f16::from_le_bytes(fixed(bytes, order))),
        4 => AnyNumber::F32(f32::from_le_bytes(fixed(bytes, order))),
        _ => AnyNumber::F64(f64::from_le_bytes(fixed(bytes, order))),
    }
}

/// The number of these bytes, if their dtype is one of numbers.
#[inline(always)]
pub(super) fn any_number(dtype: &Dtype, bytes: &[u8]) -> Option<AnyNumber> {
    match dtype.kind {
        Kind::Int { size, order } => Some(AnyNumber::Int(int(bytes, size, order))),
        Kind::Uint { size, order } => Some(AnyNumber::Uint(uint(bytes, size, order))),
        Kind::Float { size, order } => Some(float(bytes, size, order)),
        _ => other_number(dtype, bytes),
    }
}

/// As [`any_number`], for those that are seldom converted.
#[cold]
#[inline(never)]
fn other_number(dtype: &Dtype, bytes: &[u8]) -> Option<AnyNumber> {
    Some(match dtype.kind {
        Kind::Bool => AnyNumber::Bool(bytes != [0]),
        Kind::Complex { size, order } => {
            let (re, im) = bytes.split_at(bytes.len() / 2);
            match size {
                8 => {
                    let part = |bytes| f32::from_le_bytes(fixed(bytes, order));
                    AnyNumber::C64(Complex::new(part(re), part(im)))
                }
                _ => {
                    let part = |bytes| f64::from_le_bytes(fixed(bytes, order));
                    AnyNumber::C128(Complex::new(part(re), part(im)))
                }
            }
        }
        Kind::Record(ref record) => wide(halves(record)?, bytes),
        _ => return None,
    })
}

/// The integer of 128 bits that a record of two halves is.
fn wide([lo, hi]: [&Field; 2], record: &[u8]) -> AnyNumber {
    let half = |field: &Field| {
        let start = in_memory(field.offset);
        let bytes = record.get(start..start + 8).unwrap_or_default();
        match field.dtype.kind {
            Kind::Uint { order, .. } | Kind::Int { order, .. } => u64::from_le_bytes(fixed(bytes, order)),
            _ => 0,
        }
    };
    let bits = u128::from(half(lo)) | u128::from(half(hi)) << 64;
    match hi.dtype.kind {
        Kind::Int { .. } => AnyNumber::I128(bits.cast_signed()),
        _ => AnyNumber::U128(bits),
    }
}
