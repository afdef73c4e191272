//! The numbers and bools that have a Rust type of their own.

use super::{Dtype, Kind, Order};

/// Calls a macro with every number's type and its [`Number`].
macro_rules! for_each_number {
    ($do:ident!($($arg:tt)*)) => {
        $do! { ($($arg)*)
            bool => Bool, i8 => I8, i16 => I16, i32 => I32, i64 => I64, u8 => U8, u16 => U16, u32 => U32, u64 => U64,
            half::f16 => F16, f32 => F32, f64 => F64,
            num_complex::Complex<f32> => C64, num_complex::Complex<f64> => C128 }
    };
}
pub(crate) use for_each_number;

/// The plain numbers: fixed width, every one a row of the mapping table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Number {
    Bool,
    I8,
    I16,
    I32,
    I64,
    U8,
    U16,
    U32,
    U64,
    F16,
    F32,
    F64,
    C64,
    C128,
}

impl Number {
    /// The number of an element of this layout, in either byte order.
    pub(crate) fn of(dtype: &Dtype) -> Option<Self> {
        Some(match dtype.kind {
            Kind::Bool => Number::Bool,
            Kind::Int { size: 1, .. } => Number::I8,
            Kind::Int { size: 2, .. } => Number::I16,
            Kind::Int { size: 4, .. } => Number::I32,
            Kind::Int { size: 8, .. } => Number::I64,
            Kind::Uint { size: 1, .. } => Number::U8,
            Kind::Uint { size: 2, .. } => Number::U16,
            Kind::Uint { size: 4, .. } => Number::U32,
            Kind::Uint { size: 8, .. } => Number::U64,
            Kind::Float { size: 2, .. } => Number::F16,
            Kind::Float { size: 4, .. } => Number::F32,
            Kind::Float { size: 8, .. } => Number::F64,
            Kind::Complex { size: 8, .. } => Number::C64,
            Kind::Complex { size: 16, .. } => Number::C128,
            _ => return None,
        })
    }

    /// The number of an element of this layout, if its bytes in a file are those in the memory of this machine.
    pub(crate) fn native(dtype: &Dtype) -> Option<Self> {
        let number = Number::of(dtype)?;
        match dtype.kind {
            // A single byte has no order.
            _ if number.size() == 1 => Some(number),
            Kind::Int { order, .. }
            | Kind::Uint { order, .. }
            | Kind::Float { order, .. }
            | Kind::Complex { order, .. }
                if order != Order::NATIVE =>
            {
                None
            }
            _ => Some(number),
        }
    }

    /// What the address of a slice of these numbers has to be a multiple of.
    pub(crate) fn alignment(self) -> u64 {
        match self {
            Number::C64 | Number::C128 => self.size() / 2,
            _ => self.size(),
        }
    }

    /// The bytes of one number.
    pub(crate) fn size(self) -> u64 {
        match self {
            Number::Bool | Number::I8 | Number::U8 => 1,
            Number::I16 | Number::U16 | Number::F16 => 2,
            Number::I32 | Number::U32 | Number::F32 => 4,
            Number::I64 | Number::U64 | Number::F64 | Number::C64 => 8,
            Number::C128 => 16,
        }
    }

    pub(crate) fn dtype(self) -> Dtype {
        match self {
            Number::Bool => Dtype::bool(),
            Number::I8 => Dtype::int(1),
            Number::I16 => Dtype::int(2),
            Number::I32 => Dtype::int(4),
            Number::I64 => Dtype::int(8),
            Number::U8 => Dtype::uint(1),
            Number::U16 => Dtype::uint(2),
            Number::U32 => Dtype::uint(4),
            Number::U64 => Dtype::uint(8),
            Number::F16 => Dtype::float(2),
            Number::F32 => Dtype::float(4),
            Number::F64 => Dtype::float(8),
            Number::C64 => Dtype::complex(8),
            Number::C128 => Dtype::complex(16),
        }
    }
}
