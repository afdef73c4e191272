//! A row into an array whose dtype is decided already: by a file that grows, or by the header it was created with.
//!
//! ```text
//! push(&Step { id: 7, t: 0.5 })       id <u4 │ t <f4             the row as it would be written by itself
//! the file has t >f8, id <i2, pad     t >f8 │ id <i2 │ padding   each value converted as on reading, in its place
//! ```

use num_complex::Complex;
use serde::Deserialize;

use crate::error::{Error, ErrorKind, Result};
use crate::format::dtype::{Dtype, Kind, Order, Record};
use crate::format::header::Header;
use crate::format::time::convert_count;
use crate::io::source::in_memory;
use crate::npy::de::budget::Budget;
use crate::npy::de::data::Bytes;
use crate::npy::de::element::{ElementDeserializer, int};
use crate::npy::de::plan::Plan;
use crate::npy::layout::scalar::ScalarLayout;
use crate::npy::layout::tree::Layout;
use crate::npy::whole::Number;
use crate::options::{Limits, ReadOptions};

/// The elements of an array that a part of the row goes to: those along `axes`, outermost first.
#[derive(Clone, Copy)]
pub(super) struct Target<'f> {
    pub(super) axes: &'f [u64],
    pub(super) dtype: &'f Dtype,
}

impl<'f> Target<'f> {
    /// The first axis, and what lies along it.
    fn split(self) -> Option<(u64, Target<'f>)> {
        match (self.axes, &self.dtype.kind) {
            ([len, axes @ ..], _) => Some((*len, Target { axes, ..self })),
            ([], Kind::Array { item, shape }) => Target {
                axes: shape,
                dtype: item,
            }
            .split(),
            _ => None,
        }
    }

    /// What each element is, if there are no axes.
    fn element(self) -> Option<&'f Dtype> {
        match (self.axes, &self.dtype.kind) {
            ([], Kind::Array { item, shape }) => Target {
                axes: shape,
                dtype: item,
            }
            .element(),
            ([], _) => Some(self.dtype),
            _ => None,
        }
    }

    fn size(self) -> u64 {
        let count = self.axes.iter().fold(1_u64, |n, &len| n.saturating_mul(len));
        count.saturating_mul(self.dtype.itemsize())
    }
}

/// How the packed bytes of a row get into their places.
pub(super) enum Step {
    Leaf(Leaf),
    /// One after the other, each in the next `stride` bytes.
    Repeat {
        len: u64,
        stride: u64,
        item: Box<Step>,
    },
    /// In the order of the row, within `size` bytes.
    Fields {
        size: u64,
        fields: Vec<FieldStep>,
    },
}

/// A field of a record, or an item of a tuple, which has no name.
pub(super) struct FieldStep {
    name: Option<String>,
    offset: u64,
    step: Step,
}

/// One value, or several that lie behind each other as they are.
pub(super) struct Leaf {
    from: Dtype,
    /// Its bytes in the row.
    size: u64,
    to: Dtype,
    way: Way,
}

#[derive(Clone, Copy, PartialEq)]
enum Way {
    /// The same bytes, in the other byte order where `turned` numbers of so many bytes are.
    Copy {
        turned: Option<usize>,
    },
    Number,
    /// A text or bytes, padded with NUL.
    Text,
    Time {
        date: bool,
    },
}

/// The row is not of the dtype or shape that is expected.
pub(super) struct Unfit;

/// How a row laid out as `layout` gets into its place; `layout` becomes the form in which the row is to be encoded.
pub(super) fn plan(layout: &mut Layout, target: Target<'_>) -> Result<Step, Unfit> {
    if let Layout::Axis { len, item, tuple: true } = layout
        && let Some(Kind::Record(record)) = target.element().map(|dtype| &dtype.kind)
        && record.fields.len() as u64 == *len
    {
        let fields = (0..*len).map(|i| (format!("f{i}").into(), (**item).clone()));
        *layout = Layout::Record {
            fields: fields.collect(),
            tuple: true,
        };
    }
    match layout {
        Layout::Axis { len, item, .. } => along(&[*len], item, target),
        Layout::Ndarray { shape, item } => along(shape, item, target),
        Layout::Record { fields, tuple: true } if target.element().is_none() => {
            let (len, rest) = target.split().ok_or(Unfit)?;
            if fields.len() as u64 != len {
                return Err(Unfit);
            }
            let stride = rest.size();
            let mut steps = Vec::with_capacity(fields.len());
            for (offset, (_, field)) in (0..).map(|i| i * stride).zip(fields) {
                steps.push(FieldStep {
                    name: None,
                    offset,
                    step: plan(field, rest)?,
                });
            }
            Ok(Step::Fields {
                size: target.size(),
                fields: steps,
            })
        }
        Layout::Record { fields, tuple } => {
            let Some(Kind::Record(record)) = target.element().map(|dtype| &dtype.kind) else {
                return Err(Unfit);
            };
            if fields.len() != record.fields.len() {
                return Err(Unfit);
            }
            let mut steps = Vec::with_capacity(fields.len());
            for (index, (name, field)) in fields.iter_mut().enumerate() {
                let index = if *tuple {
                    index
                } else {
                    position(record, name).ok_or(Unfit)?
                };
                let (axes, into) = (&[][..], &record.fields[index]);
                let dtype = &into.dtype;
                steps.push(FieldStep {
                    name: (!*tuple).then(|| into.name.clone()),
                    offset: into.offset,
                    step: plan(field, Target { axes, dtype })?,
                });
            }
            Ok(Step::Fields {
                size: record.itemsize,
                fields: steps,
            })
        }
        Layout::Scalar(leaf) | Layout::Maybe(leaf) => scalar(leaf, target),
        Layout::Unit | Layout::None { .. } => Leaf::of(Dtype::void(0), 0, target.element().ok_or(Unfit)?),
        Layout::Empty(_) | Layout::Group | Layout::Misfit(_) => Err(Unfit),
    }
}

/// The field of this name, or of this title.
fn position(record: &Record, name: &str) -> Option<usize> {
    let named = record.fields.iter().position(|field| field.name == name);
    named.or_else(|| {
        record
            .fields
            .iter()
            .position(|field| field.title.as_deref() == Some(name))
    })
}

/// The elements along the axes of `shape`.
fn along(shape: &[u64], item: &mut Layout, target: Target<'_>) -> Result<Step, Unfit> {
    let count: u64 = shape.iter().product();
    if let (&[len], Layout::Scalar(ScalarLayout::Number(Number::U8)), Some(dtype)) = (shape, &*item, target.element())
        && let Kind::Void { .. } = dtype.kind
    {
        return Leaf::of(Dtype::void(len), len, dtype);
    }
    let halves;
    let mut rest = target;
    if let (&[2], Some(Kind::Complex { size, order })) = (shape, target.element().map(|dtype| &dtype.kind)) {
        halves = Dtype::new(Kind::Float {
            size: size / 2,
            order: *order,
        });
        rest = Target {
            axes: &[],
            dtype: &halves,
        };
    } else {
        for &len in shape {
            let (expected, inner) = rest.split().ok_or(Unfit)?;
            if len != expected {
                return Err(Unfit);
            }
            rest = inner;
        }
    }
    Ok(Step::Repeat {
        len: count,
        stride: rest.size(),
        item: Box::new(match count {
            // Rows without an element fit any type.
            0 => Step::nothing(),
            _ => plan(item, rest)?,
        }),
    })
}

fn scalar(leaf: &mut ScalarLayout, target: Target<'_>) -> Result<Step, Unfit> {
    let Some(dtype) = target.element() else {
        let (len, rest) = target.split().ok_or(Unfit)?;
        let item = rest.element().ok_or(Unfit)?;
        return match *leaf {
            ScalarLayout::Raw(size) if size == len && item.kind == Dtype::uint(1).kind => {
                Leaf::of(Dtype::void(len), len, &Dtype::void(len))
            }
            ScalarLayout::Number(number @ (Number::C64 | Number::C128)) if len == 2 => {
                let half = if number == Number::C64 {
                    Number::F32
                } else {
                    Number::F64
                };
                Ok(Step::Repeat {
                    len,
                    stride: rest.size(),
                    item: Box::new(Leaf::of(half.dtype(), half.size(), item)?),
                })
            }
            _ => Err(Unfit),
        };
    };
    *leaf = widened(*leaf, dtype);
    Leaf::of(leaf.dtype(), leaf.size(), dtype)
}

/// A scalar with what the file decides and not the row: how wide texts are, and of which float a NaN for None is.
fn widened(leaf: ScalarLayout, dtype: &Dtype) -> ScalarLayout {
    match (leaf, &dtype.kind) {
        // A character takes a byte at least.
        (
            ScalarLayout::Str { text, .. },
            &(Kind::Str { len: width, .. } | Kind::Bytes { len: width } | Kind::Void { len: width }),
        ) => ScalarLayout::Str { width, text },
        (ScalarLayout::Bytes(_), &Kind::Bytes { len }) => ScalarLayout::Bytes(len),
        (ScalarLayout::Bytes(_), &Kind::Str { len, .. }) => ScalarLayout::Bytes(len.saturating_mul(4)),
        (ScalarLayout::Nan, Kind::Float { .. }) => ScalarLayout::Number(Number::of(dtype).unwrap_or(Number::F64)),
        (leaf, _) => leaf,
    }
}

impl Leaf {
    fn of(from: Dtype, size: u64, to: &Dtype) -> Result<Step, Unfit> {
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
            _ => match (Number::of(&from), Number::of(to)) {
                (Some(a), Some(b)) if a == b => Way::copy(to),
                (Some(_), Some(_)) => Way::Number,
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
            leaf.number(&zero, &mut into, &plan_for(&leaf.from))
        };
        match way {
            Way::Number if probe().is_err() => Err(Unfit),
            _ => Ok(Step::Leaf(leaf)),
        }
    }

    fn put(&self, bytes: &[u8], into: &mut [u8], plan: &Plan) -> Result<()> {
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

impl Step {
    fn nothing() -> Step {
        Step::Fields {
            size: 0,
            fields: Vec::new(),
        }
    }

    /// The bytes of the row that this takes, if it leaves them as they are.
    pub(super) fn packed(&self) -> Option<u64> {
        match self {
            Step::Leaf(leaf) => {
                (leaf.way == Way::Copy { turned: None } && leaf.size == leaf.to.itemsize()).then_some(leaf.size)
            }
            Step::Repeat { len, stride, item } => item
                .packed()
                .filter(|size| size == stride || *len == 0)
                .map(|size| size.saturating_mul(*len)),
            Step::Fields { size, fields } => {
                let mut end = 0;
                for field in fields {
                    if field.offset != end {
                        return None;
                    }
                    end += field.step.packed()?;
                }
                (end == *size).then_some(end)
            }
        }
    }

    /// Puts a packed row into its place, which is zero.
    pub(super) fn place(&self, mut row: &[u8], into: &mut [u8]) -> Result<()> {
        self.put(&mut row, into, &plan_for(&Dtype::bool()))
    }

    fn put(&self, row: &mut &[u8], into: &mut [u8], plan: &Plan) -> Result<()> {
        match self {
            Step::Leaf(leaf) => {
                let (bytes, rest) = row.split_at(in_memory(leaf.size).min(row.len()));
                *row = rest;
                leaf.put(bytes, &mut into[..in_memory(leaf.to.itemsize())], plan)
            }
            Step::Repeat { len, stride, item } => {
                let stride = in_memory(*stride);
                (0..in_memory(*len)).try_for_each(|i| {
                    let put = item.put(row, &mut into[i * stride..(i + 1) * stride], plan);
                    put.map_err(|error| error.at_index(i as u64))
                })
            }
            Step::Fields { fields, .. } => fields.iter().enumerate().try_for_each(|(index, field)| {
                let put = field.step.put(row, &mut into[in_memory(field.offset)..], plan);
                put.map_err(|error| match &field.name {
                    Some(name) => error.at_field(name),
                    None => error.at_index(index as u64),
                })
            }),
        }
    }
}

/// By the rules by which numbers are read unless told otherwise.
fn plan_for(dtype: &Dtype) -> Plan {
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
