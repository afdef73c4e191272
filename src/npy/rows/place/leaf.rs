//! One value of a row in the form that the file has for it.

use num_complex::Complex;
use serde::Deserialize;

use super::{Step, Unfit};
use crate::error::{Error, ErrorKind, Result};
use crate::format::dtype::{Dtype, Kind, Order, halves};
use crate::format::header::Header;
use crate::format::time::convert_count;
use crate::io::source::in_memory;
use crate::npy::de::budget::Budget;
use crate::npy::de::data::Bytes;
use crate::npy::de::element::{ElementDeserializer, int};
use crate::npy::de::plan::Plan;
use crate::npy::whole::Number;
use crate::options::{Limits, ReadOptions};

/// One value, or several that lie behind each other as they are.
pub(crate) struct Leaf {
    from: Dtype,
    /// Its bytes in the row.
    pub(super) size: u64,
    pub(super) to: Dtype,
    way: Way,
}

#[derive(Clone, Copy, PartialEq)]
enum Way {
    /// The same bytes, in the other byte order where `turned` numbers of so many bytes are.
    Copy {
        turned: Option<usize>,
    },
    Number,
    /// An integer as a record of two halves.
    Wide,
    /// A text or bytes, padded with NUL.
    Text,
    Time {
        date: bool,
    },
}

impl Leaf {
    /// Whether the bytes stay as they are.
    pub(super) fn is_same(&self) -> bool {
        self.way == Way::Copy { turned: None } && self.size == self.to.itemsize()
    }

    pub(super) fn of(from: Dtype, size: u64, to: &Dtype) -> Result<Step, Unfit> {
        let way = match (&from.kind, &to.kind) {
            (Kind::Bytes { .. }, Kind::Bytes { .. }) | (Kind::Str { .. }, Kind::Str { .. }) => Way::copy(to),
            (Kind::Void { len: a }, Kind::Void { len: b }) if a == b => Way::copy(to),
            (Kind::Bf16, Kind::Void { len: 2 } | Kind::Bf16) => Way::copy(to),
            (Kind::Uint { size: 1, .. }, Kind::Void { len: 1 }) => Way::copy(to),
            (Kind::Datetime { unit: a, .. }, Kind::Datetime { unit: b, .. })
            | (Kind::Timedelta { unit: a, .. }, Kind::Timedelta { unit: b, .. })
                if a == b =>
            {
                Way::copy(to)
            }
            (Kind::Datetime { .. }, Kind::Datetime { .. }) => Way::Time { date: true },
            (Kind::Timedelta { .. }, Kind::Timedelta { .. }) => Way::Time { date: false },
            (Kind::Str { .. }, Kind::Bytes { .. } | Kind::Void { .. }) => Way::Text,
            (Kind::Bytes { .. }, Kind::Str { .. }) | (Kind::Void { .. }, Kind::Bytes { .. }) => Way::Text,
            (Kind::Record(a), Kind::Record(b)) if a == b => Way::copy(to),
            (_, Kind::Record(record)) if halves(record).is_some() => Way::Wide,
            _ => match (Number::of(&from), Number::of(to)) {
                (Some(a), Some(b)) if a == b => Way::copy(to),
                (Some(_), Some(_)) => Way::Number,
                _ if is_wide(&from) && Number::of(to).is_some() => Way::Number,
                _ => return Err(Unfit),
            },
        };
        let leaf = Leaf {
            from,
            size,
            to: to.clone(),
            way,
        };
        // Zero is a number of every kind: what refuses it refuses all numbers of this one.
        let probe = || {
            let (zero, mut into) = (vec![0; in_memory(leaf.size)], vec![0; in_memory(leaf.to.itemsize())]);
            match way {
                Way::Wide => leaf.wide(&zero, &mut into, &plan_for(&leaf.from)),
                _ => leaf.number(&zero, &mut into, &plan_for(&leaf.from)),
            }
        };
        match way {
            Way::Number | Way::Wide if probe().is_err() => Err(Unfit),
            _ => Ok(Step::Leaf(leaf)),
        }
    }

    pub(super) fn put(&self, bytes: &[u8], into: &mut [u8], plan: &Plan) -> Result<()> {
        let put = match self.way {
            Way::Copy { turned } => {
                let len = bytes.len().min(into.len());
                into[..len].copy_from_slice(&bytes[..len]);
                if let Some(unit) = turned {
                    into.chunks_exact_mut(unit).for_each(<[u8]>::reverse);
                }
                return Ok(());
            }
            Way::Number => self.number(bytes, into, plan),
            Way::Wide => self.wide(bytes, into, plan),
            Way::Text => self.text(bytes, into, plan),
            Way::Time { date } => self.time(bytes, into, date),
        };
        put.map_err(|error| self.explain(&error))
    }

    /// A number as the file has it, if it survives that as it would on reading.
    fn number(&self, bytes: &[u8], into: &mut [u8], plan: &Plan) -> Result<()> {
        let element = self.element(bytes, plan);
        macro_rules! put {
            ($t:ty) => {
                into.copy_from_slice(&<$t>::deserialize(element)?.to_le_bytes())
            };
        }
        match Number::of(&self.to) {
            Some(Number::Bool) => into.copy_from_slice(&[u8::from(bool::deserialize(element)?)]),
            Some(Number::I8) => put!(i8),
            Some(Number::I16) => put!(i16),
            Some(Number::I32) => put!(i32),
            Some(Number::I64) => put!(i64),
            Some(Number::U8) => put!(u8),
            Some(Number::U16) => put!(u16),
            Some(Number::U32) => put!(u32),
            Some(Number::U64) => put!(u64),
            Some(Number::F32) => put!(f32),
            Some(Number::F64) => put!(f64),
            Some(Number::C64) => {
                let Complex { re, im } = Complex::<f32>::deserialize(element)?;
                into.copy_from_slice(&[re.to_le_bytes(), im.to_le_bytes()].concat());
            }
            Some(Number::C128) => {
                let Complex { re, im } = Complex::<f64>::deserialize(element)?;
                into.copy_from_slice(&[re.to_le_bytes(), im.to_le_bytes()].concat());
            }
            Some(Number::F16) | None => into.copy_from_slice(&to_half(element)?),
        }
        if let Some(unit) = turned(&self.to) {
            into.chunks_exact_mut(unit).for_each(<[u8]>::reverse);
        }
        Ok(())
    }

    /// An integer as two halves, if it fits.
    fn wide(&self, bytes: &[u8], into: &mut [u8], plan: &Plan) -> Result<()> {
        let Kind::Record(record) = &self.to.kind else {
            return Ok(());
        };
        let Some([lo, hi]) = halves(record) else {
            return Ok(());
        };
        let element = self.element(bytes, plan);
        let value = match hi.dtype.kind {
            Kind::Int { .. } => i128::deserialize(element)?.to_le_bytes(),
            _ => u128::deserialize(element)?.to_le_bytes(),
        };
        for (half, bytes) in [lo, hi].into_iter().zip(value.chunks_exact(8)) {
            let into = &mut into[in_memory(half.offset)..][..8];
            into.copy_from_slice(bytes);
            if turned(&half.dtype).is_some() {
                into.reverse();
            }
        }
        Ok(())
    }

    fn text(&self, bytes: &[u8], into: &mut [u8], plan: &Plan) -> Result<()> {
        if let Kind::Str { len, .. } = self.to.kind {
            let text = String::deserialize(self.element(bytes, plan))?;
            if text.chars().count() as u64 > len {
                return Err(too_long(
                    format_args!("the text {text:?}"),
                    format_args!("{len} characters"),
                ));
            }
            for (c, unit) in text.chars().zip(into.as_chunks_mut().0) {
                *unit = u32::from(c).to_le_bytes();
            }
            if let Some(unit) = turned(&self.to) {
                into.chunks_exact_mut(unit).for_each(<[u8]>::reverse);
            }
            return Ok(());
        }
        let text;
        let bytes = match self.from.kind {
            Kind::Str { .. } => {
                text = String::deserialize(self.element(bytes, plan))?;
                text.as_bytes()
            }
            _ => bytes,
        };
        let exact = matches!(self.to.kind, Kind::Void { .. });
        if bytes.len() > into.len() || exact && bytes.len() != into.len() {
            let expected = if exact { "" } else { "at most " };
            return Err(too_long(
                format_args!("{} bytes of {}", bytes.len(), describe(&self.from)),
                format_args!("{expected}{}", into.len()),
            ));
        }
        if !exact && bytes.last() == Some(&0) {
            return Err(Error::new(
                ErrorKind::InvalidValue,
                "found bytes with a NUL at the end, expected none: NumPy pads with NUL and would drop it",
            ));
        }
        into[..bytes.len()].copy_from_slice(bytes);
        Ok(())
    }

    fn time(&self, bytes: &[u8], into: &mut [u8], date: bool) -> Result<()> {
        let (
            Kind::Datetime { unit: from, .. } | Kind::Timedelta { unit: from, .. },
            Kind::Datetime { unit: to, .. } | Kind::Timedelta { unit: to, .. },
        ) = (&self.from.kind, &self.to.kind)
        else {
            return Ok(());
        };
        let count = convert_count(int(bytes, 8, Order::Little), *from, *to, date)?;
        into.copy_from_slice(&count.to_le_bytes());
        if let Some(unit) = turned(&self.to) {
            into.chunks_exact_mut(unit).for_each(<[u8]>::reverse);
        }
        Ok(())
    }

    fn element<'a>(&'a self, bytes: &'a [u8], plan: &'a Plan) -> ElementDeserializer<'a, 'a> {
        ElementDeserializer {
            dtype: &self.from,
            plan,
            bytes: Bytes::Seen(bytes),
            number: None,
            marker: None,
        }
    }

    #[cold]
    fn explain(&self, error: &Error) -> Error {
        Error::new(
            error.kind(),
            format_args!("found a value of {} for {} in the file: {error}", self.from, self.to),
        )
    }
}

#[cold]
fn too_long(found: std::fmt::Arguments<'_>, expected: std::fmt::Arguments<'_>) -> Error {
    Error::new(
        ErrorKind::InvalidValue,
        format_args!("found {found}, expected {expected}"),
    )
}

/// Whether this is the record of two halves that an integer of 128 bits is.
fn is_wide(dtype: &Dtype) -> bool {
    matches!(&dtype.kind, Kind::Record(record) if halves(record).is_some())
}

fn describe(dtype: &Dtype) -> &'static str {
    match dtype.kind {
        Kind::Str { .. } => "text in UTF-8",
        _ => "bytes",
    }
}

/// A half float out of an integer: reading narrows no other float either.
fn to_half(element: ElementDeserializer<'_, '_>) -> Result<[u8; 2]> {
    match element.dtype.kind {
        Kind::Float { .. } | Kind::Complex { .. } => Err(element.mismatch("f16")),
        _ => {
            let exact = f32::deserialize(element)?;
            let half = half::f16::from_f32(exact);
            if half.to_f32() == exact {
                Ok(half.to_le_bytes())
            } else {
                Err(Error::new(
                    ErrorKind::InvalidValue,
                    format_args!("found the integer {exact}, expected one that a float holds exactly"),
                ))
            }
        }
    }
}

impl Way {
    fn copy(to: &Dtype) -> Way {
        Way::Copy { turned: turned(to) }
    }
}

/// By the rules by which numbers are read unless told otherwise.
pub(super) fn plan_for(dtype: &Dtype) -> Plan {
    Plan::new(
        &Header::single(dtype.clone()),
        &ReadOptions::new(),
        &Budget::new(&Limits::new()),
    )
}

/// How many bytes form one number of a big-endian type.
fn turned(dtype: &Dtype) -> Option<usize> {
    match dtype.kind {
        Kind::Int {
            size,
            order: Order::Big,
        }
        | Kind::Uint {
            size,
            order: Order::Big,
        }
        | Kind::Float {
            size,
            order: Order::Big,
        } => Some(size.into()),
        Kind::Complex {
            size,
            order: Order::Big,
        } => Some(usize::from(size) / 2),
        Kind::Str { order: Order::Big, .. } => Some(4),
        Kind::Datetime { order: Order::Big, .. } | Kind::Timedelta { order: Order::Big, .. } => Some(8),
        _ => None,
    }
}
