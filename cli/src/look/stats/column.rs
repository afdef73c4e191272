//! The numbers that statistics are of: an array, or one field of its records.

use crate::frame::element::{Layout, float, int, uint};

/// One column of an array, and where its numbers lie in an element.
#[derive(Clone)]
pub struct Column {
    /// `None` for an array that is no record.
    pub field: Option<String>,
    pub kind: Kind,
    /// Where its first number lies in an element, how many there are, and how long each is.
    pub offset: usize,
    pub repeat: usize,
    pub size: usize,
    pub big: bool,
    /// How the extremes of times are shown.
    pub layout: Layout,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Float,
    Int,
    Uint,
    Bool,
    Complex,
    /// Times and lengths of time: NaT is their NaN.
    Time,
    /// Texts and bytes are counted alone.
    Other,
}

/// All columns of elements of this layout.
pub fn columns(layout: Layout, size: usize) -> Vec<Column> {
    let mut columns = Vec::new();
    collect(None, layout, 0, size, 1, &mut columns);
    columns
}

fn collect(
    field: Option<String>,
    layout: Layout,
    offset: usize,
    size: usize,
    repeat: usize,
    columns: &mut Vec<Column>,
) {
    let (kind, big) = match &layout {
        Layout::Record(_) if repeat == 1 => {
            let Layout::Record(fields) = layout else { return };
            for inner in fields {
                let name = match &field {
                    Some(outer) => format!("{outer}.{}", inner.name),
                    None => inner.name,
                };
                collect(Some(name), inner.layout, offset + inner.offset, inner.size, 1, columns);
            }
            return;
        }
        Layout::Array { .. } => {
            let Layout::Array {
                item,
                size: inner,
                shape,
            } = layout
            else {
                return;
            };
            let count = shape.iter().fold(1_u64, |n, &len| n.saturating_mul(len));
            let repeat = usize::try_from(count).unwrap_or(usize::MAX).saturating_mul(repeat);
            return collect(field, *item, offset, inner, repeat, columns);
        }
        Layout::Bool => (Kind::Bool, false),
        Layout::Int { big, .. } => (Kind::Int, *big),
        Layout::Uint { big, .. } => (Kind::Uint, *big),
        Layout::Float { big, .. } => (Kind::Float, *big),
        Layout::Complex { big, .. } => (Kind::Complex, *big),
        Layout::Time(dtype) => (Kind::Time, dtype.byte_order() == '>'),
        Layout::Delta { big } => (Kind::Time, *big),
        Layout::Record(_) | Layout::Bytes | Layout::Text { .. } | Layout::Void => (Kind::Other, false),
    };
    columns.push(Column {
        field,
        kind,
        offset,
        repeat,
        size,
        big,
        layout,
    });
}

impl Column {
    /// The bytes of each number in a block of whole elements.
    pub fn parts<'b>(&self, block: &'b [u8], element: usize) -> impl Iterator<Item = &'b [u8]> {
        let (offset, len, size) = (self.offset, self.repeat * self.size, self.size.max(1));
        let elements = block.chunks_exact(element.max(1));
        elements.flat_map(move |element| element.get(offset..offset + len).unwrap_or_default().chunks_exact(size))
    }

    /// The numbers as floats.
    pub fn floats(&self, block: &[u8], element: usize) -> Vec<f64> {
        // The commonest layouts as loops that the processor can do several steps of at once.
        if element == self.size && !self.big {
            match self.size {
                8 => return block.as_chunks().0.iter().map(|&b| f64::from_le_bytes(b)).collect(),
                4 => {
                    return block
                        .as_chunks()
                        .0
                        .iter()
                        .map(|&b| f64::from(f32::from_le_bytes(b)))
                        .collect();
                }
                _ => {}
            }
        }
        let big = self.big;
        self.parts(block, element).map(|bytes| float(bytes, big)).collect()
    }

    pub fn ints(&self, block: &[u8], element: usize) -> Vec<i64> {
        let big = self.big;
        self.parts(block, element).map(|bytes| int(bytes, big)).collect()
    }

    pub fn uints(&self, block: &[u8], element: usize) -> Vec<u64> {
        let big = self.big;
        if self.kind == Kind::Bool {
            return self
                .parts(block, element)
                .map(|bytes| u64::from(bytes != [0]))
                .collect();
        }
        self.parts(block, element).map(|bytes| uint(bytes, big)).collect()
    }

    /// The numbers as floats, whatever they are; NaT is NaN. Complex numbers and texts are none.
    pub fn numbers(&self, block: &[u8], element: usize) -> Vec<f64> {
        match self.kind {
            Kind::Float => self.floats(block, element),
            Kind::Uint if self.size == 1 && element == 1 => block.iter().copied().map(f64::from).collect(),
            Kind::Uint | Kind::Bool => self.uints(block, element).into_iter().map(|v| v as f64).collect(),
            Kind::Int => self.ints(block, element).into_iter().map(|v| v as f64).collect(),
            Kind::Time => {
                let known = |v| if v == i64::MIN { f64::NAN } else { v as f64 };
                self.ints(block, element).into_iter().map(known).collect()
            }
            Kind::Complex | Kind::Other => Vec::new(),
        }
    }

    /// Keys of 64 bits that sort as the numbers do; those of NaN and NaT are left out.
    pub fn keys(&self, block: &[u8], element: usize) -> Vec<u64> {
        const SIGN: u64 = 1 << 63;
        match self.kind {
            Kind::Float => {
                let known = self.floats(block, element).into_iter().filter(|v| !v.is_nan());
                let key = |v: f64| match v.to_bits() {
                    bits if bits & SIGN != 0 => !bits,
                    bits => bits | SIGN,
                };
                known.map(key).collect()
            }
            Kind::Int | Kind::Time => {
                let known = self.ints(block, element).into_iter();
                let time = self.kind == Kind::Time;
                known
                    .filter(|&v| !time || v != i64::MIN)
                    .map(|v| v as u64 ^ SIGN)
                    .collect()
            }
            Kind::Uint | Kind::Bool => self.uints(block, element),
            Kind::Complex | Kind::Other => Vec::new(),
        }
    }

    /// The number of a key.
    pub fn value(&self, key: u64) -> f64 {
        const SIGN: u64 = 1 << 63;
        match self.kind {
            Kind::Float => f64::from_bits(if key & SIGN != 0 { key ^ SIGN } else { !key }),
            Kind::Int | Kind::Time => (key ^ SIGN) as i64 as f64,
            _ => key as f64,
        }
    }
}
