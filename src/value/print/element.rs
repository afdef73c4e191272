//! One element as text. The elements that are shown decide together how wide and how exact each is.

use crate::format::dtype::{Dtype, Kind, Order, Text, TimeBase, TimeUnit, Tuple};
use crate::format::time::{NAT, iso};
use crate::io::source::in_memory;
use crate::npy::de::element::{int, uint};
use crate::value::print::float::{Column, Sign, float, imaginary, short};
use crate::value::print::{BYTELESS, EDGE, THRESHOLD};

/// How the elements of one dtype are written.
pub(crate) enum Format {
    /// Padded to the width of `False`, or not.
    Bool {
        padded: bool,
    },
    Number {
        width: usize,
        read: Number,
    },
    Float {
        size: u8,
        order: Order,
        column: Column,
    },
    Complex {
        size: u8,
        order: Order,
        re: Column,
        im: Column,
    },
    Str {
        order: Order,
    },
    Bytes,
    Void,
    Datetime {
        width: usize,
        unit: TimeUnit,
        order: Order,
    },
    Timedelta {
        width: usize,
        order: Order,
    },
    /// Each field at its offset, of its length.
    Record(Vec<(usize, usize, Format)>),
    Sub {
        shape: Vec<u64>,
        size: usize,
        item: Box<Format>,
    },
}

#[derive(Clone, Copy)]
pub(crate) enum Number {
    Int(u8, Order),
    Uint(u8, Order),
}

impl Number {
    fn text(self, bytes: &[u8]) -> String {
        match self {
            Number::Int(size, order) => int(bytes, size, order).to_string(),
            Number::Uint(size, order) => uint(bytes, size, order).to_string(),
        }
    }
}

impl Format {
    /// The format for these elements.
    pub(crate) fn new(dtype: &Dtype, elements: &[&[u8]], padded: bool) -> Self {
        let floats = |size: u8, order: Order, start: usize| {
            let part = move |element: &&[u8]| float(&element[start.min(element.len())..], size, order);
            elements.iter().map(part).collect::<Vec<_>>()
        };
        match &dtype.kind {
            Kind::Bool => Format::Bool { padded },
            Kind::Int { size, order } => Format::number(Number::Int(*size, *order), elements),
            Kind::Uint { size, order } => Format::number(Number::Uint(*size, *order), elements),
            Kind::Float { size, order } => Format::Float {
                size: *size,
                order: *order,
                column: Column::new(&floats(*size, *order, 0), Sign::Minus),
            },
            Kind::Complex { size, order } => {
                let half = size / 2;
                Format::Complex {
                    size: half,
                    order: *order,
                    re: Column::new(&floats(half, *order, 0), Sign::Minus),
                    im: Column::new(&floats(half, *order, half.into()), Sign::Plus),
                }
            }
            Kind::Str { order, .. } => Format::Str { order: *order },
            Kind::Bytes { .. } => Format::Bytes,
            Kind::Void { .. } | Kind::Bf16 | Kind::Masked(_) => Format::Void,
            Kind::Datetime { unit, order } => Format::Datetime {
                width: widest(elements, |element| datetime(element, *unit, *order)),
                unit: *unit,
                order: *order,
            },
            Kind::Timedelta { order, .. } => Format::Timedelta {
                width: widest(elements, |element| timedelta(element, *order)),
                order: *order,
            },
            Kind::Record(record) => {
                let fields = record.fields.iter().map(|field| {
                    let (start, len) = (in_memory(field.offset), in_memory(field.dtype.itemsize()));
                    let parts: Vec<&[u8]> = elements.iter().map(|element| part(element, start, len)).collect();
                    (start, len, Format::new(&field.dtype, &parts, padded))
                });
                Format::Record(fields.collect())
            }
            Kind::Array { .. } => {
                let (item, shape) = dtype.base();
                let size = in_memory(item.itemsize());
                let items: Vec<&[u8]> = match size {
                    0 => Vec::new(),
                    size => elements.iter().flat_map(|element| element.chunks_exact(size)).collect(),
                };
                Format::Sub {
                    shape,
                    size,
                    item: Box::new(Format::new(item, &items, true)),
                }
            }
        }
    }

    fn number(read: Number, elements: &[&[u8]]) -> Self {
        Format::Number {
            width: widest(elements, |element| read.text(element)),
            read,
        }
    }

    /// One element.
    pub(crate) fn word(&self, element: &[u8]) -> String {
        match self {
            Format::Bool { padded } => match element {
                [0] => "False".into(),
                _ if *padded => " True".into(),
                _ => "True".into(),
            },
            Format::Number { width, read } => format!("{:>width$}", read.text(element)),
            Format::Float { size, order, column } => column.word(float(element, *size, *order)),
            Format::Complex { size, order, re, im } => {
                let (first, second) = element.split_at(element.len() / 2);
                let im = im.word(float(second, *size, *order));
                let digits = im.trim_end_matches(' ');
                let blanks = &im[digits.len()..];
                format!("{}{digits}j{blanks}", re.word(float(first, *size, *order)))
            }
            Format::Str { order } => Text(&text(element, *order)).to_string(),
            Format::Bytes => bytes(element),
            Format::Void => void(element),
            Format::Datetime { width, unit, order } => format!("{:>width$}", datetime(element, *unit, *order)),
            Format::Timedelta { width, order } => format!("{:>width$}", timedelta(element, *order)),
            Format::Record(fields) => {
                let words = fields
                    .iter()
                    .map(|(start, len, field)| field.word(part(element, *start, *len)));
                Tuple(&words.collect::<Vec<_>>()).to_string()
            }
            Format::Sub { shape, size, item } => {
                let mut word = String::new();
                subarray(shape, element, *size, &|element| item.word(element), &mut word);
                word
            }
        }
    }
}

fn widest(elements: &[&[u8]], word: impl Fn(&[u8]) -> String) -> usize {
    let width = |element: &&[u8]| word(element).chars().count();
    elements.iter().map(width).max().unwrap_or(0)
}

/// A lone element, without quotes or padding, as NumPy prints an array without axes.
pub(crate) fn alone(dtype: &Dtype, element: &[u8]) -> String {
    match &dtype.kind {
        Kind::Str { order, .. } => text(element, *order),
        Kind::Datetime { unit, order } => match datetime(element, *unit, *order) {
            quoted if quoted.starts_with('\'') => quoted.trim_matches('\'').to_owned(),
            other => other,
        },
        Kind::Timedelta { unit, order } => match int(element, 8, *order) {
            NAT => "NaT".into(),
            count => format!("{} {}", i128::from(count) * i128::from(unit.multiple), name(unit.base)),
        },
        _ => part_alone(dtype, element),
    }
}

/// A lone element or a part of one.
fn part_alone(dtype: &Dtype, element: &[u8]) -> String {
    match &dtype.kind {
        Kind::Float { size, order } => short(float(element, *size, *order), true),
        Kind::Complex { size, order } => {
            let (re, im) = element.split_at(element.len() / 2);
            let (re, im) = (float(re, size / 2, *order), float(im, size / 2, *order));
            imaginary(re, im)
        }
        Kind::Record(record) => {
            let words = record.fields.iter().map(|field| {
                let (start, len) = (in_memory(field.offset), in_memory(field.dtype.itemsize()));
                part_alone(&field.dtype, part(element, start, len))
            });
            Tuple(&words.collect::<Vec<_>>()).to_string()
        }
        Kind::Array { .. } => {
            let mut word = String::new();
            let (item, shape) = dtype.base();
            let size = in_memory(item.itemsize());
            subarray(&shape, element, size, &|element| part_alone(item, element), &mut word);
            word
        }
        _ => Format::new(dtype, &[element], false).word(element),
    }
}

fn part(element: &[u8], start: usize, len: usize) -> &[u8] {
    element.get(start..start.saturating_add(len)).unwrap_or_default()
}

/// The axes of a subarray, elided in the middle where it is large.
fn subarray(shape: &[u64], element: &[u8], size: usize, item: &dyn Fn(&[u8]) -> String, word: &mut String) {
    let count = shape.iter().product::<u64>();
    if (size == 0 || count == 0) && shape.iter().fold(1, |n: u64, &axis| n.saturating_mul(axis.max(1))) > BYTELESS {
        word.push_str("[...]");
        return;
    }
    items(shape, element, size, count > THRESHOLD, item, word);
}

fn items(shape: &[u64], element: &[u8], size: usize, elided: bool, item: &dyn Fn(&[u8]) -> String, word: &mut String) {
    let [axis, rest @ ..] = shape else {
        word.push_str(&item(element));
        return;
    };
    let step = in_memory(rest.iter().product()).saturating_mul(size);
    let cut = elided && *axis > 2 * EDGE;
    word.push('[');
    for i in 0..*axis {
        if cut && i == EDGE {
            word.push_str(", ...");
        }
        if cut && (EDGE..axis - EDGE).contains(&i) {
            continue;
        }
        if i > 0 {
            word.push_str(", ");
        }
        items(
            rest,
            part(element, in_memory(i).saturating_mul(step), step),
            size,
            elided,
            item,
            word,
        );
    }
    word.push(']');
}

/// A text without its padding; an invalid character becomes U+FFFD.
fn text(element: &[u8], order: Order) -> String {
    let units = element.chunks_exact(4).map(|unit| u32::try_from(uint(unit, 4, order)));
    let text: String = units
        .map(|unit| {
            unit.ok()
                .and_then(char::from_u32)
                .unwrap_or(char::REPLACEMENT_CHARACTER)
        })
        .collect();
    text.trim_end_matches('\0').to_owned()
}

/// Bytes as Python prints them, without their padding.
fn bytes(element: &[u8]) -> String {
    let len = element.iter().rposition(|&b| b != 0).map_or(0, |last| last + 1);
    let element = &element[..len];
    let quote = if element.contains(&b'\'') && !element.contains(&b'"') {
        b'"'
    } else {
        b'\''
    };
    let mut word = format!("b{}", char::from(quote));
    for &byte in element {
        match byte {
            b'\\' => word.push_str("\\\\"),
            b'\n' => word.push_str("\\n"),
            b'\r' => word.push_str("\\r"),
            b'\t' => word.push_str("\\t"),
            b if b == quote => word.extend(['\\', char::from(b)]),
            b' '..=b'~' => word.push(char::from(byte)),
            _ => word.push_str(&format!("\\x{byte:02x}")),
        }
    }
    word.push(char::from(quote));
    word
}

/// Every byte in capitals, unlike those of a bytes literal.
fn void(element: &[u8]) -> String {
    let digits: String = element.iter().map(|byte| format!("\\x{byte:02X}")).collect();
    format!("b'{digits}'")
}

fn datetime(element: &[u8], unit: TimeUnit, order: Order) -> String {
    let count = int(element, 8, order);
    match iso(count, unit) {
        Ok(text) => format!("'{text}'"),
        Err(_) => count.to_string(),
    }
}

fn timedelta(element: &[u8], order: Order) -> String {
    match int(element, 8, order) {
        NAT => "'NaT'".into(),
        count => count.to_string(),
    }
}

fn name(base: TimeBase) -> &'static str {
    match base {
        TimeBase::Year => "years",
        TimeBase::Month => "months",
        TimeBase::Week => "weeks",
        TimeBase::Day => "days",
        TimeBase::Hour => "hours",
        TimeBase::Minute => "minutes",
        TimeBase::Second => "seconds",
        TimeBase::Milli => "milliseconds",
        TimeBase::Micro => "microseconds",
        TimeBase::Nano => "nanoseconds",
        TimeBase::Pico => "picoseconds",
        TimeBase::Femto => "femtoseconds",
        TimeBase::Atto => "attoseconds",
        TimeBase::Generic => "generic time units",
    }
}
