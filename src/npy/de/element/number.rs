//! A number of any width from its bytes, in either byte order.

use half::f16;

use crate::format::dtype::Order;

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
