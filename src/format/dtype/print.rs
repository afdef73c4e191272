//! A dtype as the `descr` of a header: what NumPy's `dtype_to_descr` gives, through Python's `repr`.
//!
//! ```text
//! <f8      [('x', '<f8'), ('', '|V4'), (('title', 'id'), '<u4', (2,))]
//! ```

use std::fmt::{self, Write};

use super::printable::is_printable;
use super::{Dtype, Field, Kind, Order, Record, TimeBase, TimeUnit};

impl fmt::Display for Dtype {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.kind {
            Kind::Bool => f.write_str("|b1"),
            Kind::Int { size, order } => number(f, 'i', *size, *order),
            Kind::Uint { size, order } => number(f, 'u', *size, *order),
            Kind::Float { size, order } => number(f, 'f', *size, *order),
            Kind::Complex { size, order } => number(f, 'c', *size, *order),
            Kind::Bytes { len } => write!(f, "|S{len}"),
            Kind::Str { len, order } => write!(f, "{order}U{len}"),
            Kind::Void { len } => write!(f, "|V{len}"),
            Kind::Bf16 => f.write_str("<V2"),
            Kind::Datetime { unit, order } => write!(f, "{order}M8{unit}"),
            Kind::Timedelta { unit, order } => write!(f, "{order}m8{unit}"),
            Kind::Record(record) if record.fields.iter().any(Field::is_masked) => self.without_masks().fmt(f),
            Kind::Record(record) => record.fmt(f),
            Kind::Masked(_) => self.without_masks().fmt(f),
            Kind::Array { item, shape } => write!(f, "({}, {})", Repr(item), Tuple(shape)),
        }
    }
}

/// A dtype as it stands in a header: a lone type in quotes.
pub(crate) struct Repr<'a>(pub(crate) &'a Dtype);

impl fmt::Display for Repr<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.kind {
            Kind::Record(_) | Kind::Array { .. } => self.0.fmt(f),
            _ => write!(f, "'{}'", self.0),
        }
    }
}

impl fmt::Debug for Dtype {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "dtype({})", Repr(self))
    }
}

impl fmt::Debug for Field {
    /// As an entry of a record: `('x', '<f8')`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

/// A shape, or other words, as Python prints a tuple: `()`, `(3,)`, `(3, 4)`.
pub(crate) struct Tuple<'a, T>(pub(crate) &'a [T]);

impl<T: fmt::Display> fmt::Display for Tuple<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_char('(')?;
        for (i, n) in self.0.iter().enumerate() {
            if i > 0 {
                f.write_str(", ")?;
            }
            write!(f, "{n}")?;
        }
        f.write_str(if self.0.len() == 1 { ",)" } else { ")" })
    }
}

impl fmt::Display for Record {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_char('[')?;
        let mut separator = "";
        let mut end = 0;
        for field in &self.fields {
            if field.offset > end {
                write!(f, "{separator}('', '|V{}')", field.offset - end)?;
                separator = ", ";
            }
            write!(f, "{separator}{field}")?;
            separator = ", ";
            end = field.offset + field.dtype.itemsize();
        }
        if self.itemsize > end {
            write!(f, "{separator}('', '|V{}')", self.itemsize - end)?;
        }
        f.write_char(']')
    }
}

impl fmt::Display for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.title {
            Some(title) => write!(f, "(({}, {}), ", Text(title), Text(&self.name))?,
            None => write!(f, "({}, ", Text(&self.name))?,
        }
        match &self.dtype.kind {
            Kind::Array { item, shape } => write!(f, "{}, {})", Repr(item), Tuple(shape)),
            _ => write!(f, "{})", Repr(&self.dtype)),
        }
    }
}

/// Text as Python's `repr` prints it.
pub(crate) struct Text<'a>(pub(crate) &'a str);

impl fmt::Display for Text<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let quote = if self.0.contains('\'') && !self.0.contains('"') {
            '"'
        } else {
            '\''
        };
        f.write_char(quote)?;
        for c in self.0.chars() {
            match c {
                '\\' => f.write_str("\\\\")?,
                '\n' => f.write_str("\\n")?,
                '\r' => f.write_str("\\r")?,
                '\t' => f.write_str("\\t")?,
                c if c == quote => write!(f, "\\{c}")?,
                c if is_printable(c) => f.write_char(c)?,
                c => match u32::from(c) {
                    code @ ..=0xff => write!(f, "\\x{code:02x}")?,
                    code @ ..=0xffff => write!(f, "\\u{code:04x}")?,
                    code => write!(f, "\\U{code:08x}")?,
                },
            }
        }
        f.write_char(quote)
    }
}

fn number(f: &mut fmt::Formatter<'_>, letter: char, size: u8, order: Order) -> fmt::Result {
    match size {
        1 => write!(f, "|{letter}1"),
        _ => write!(f, "{order}{letter}{size}"),
    }
}

impl fmt::Display for Order {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_char(match self {
            Order::Little => '<',
            Order::Big => '>',
        })
    }
}

impl fmt::Display for TimeUnit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.base, self.multiple) {
            (TimeBase::Generic, _) => Ok(()),
            (base, 1) => write!(f, "[{}]", base.symbol()),
            (base, multiple) => write!(f, "[{multiple}{}]", base.symbol()),
        }
    }
}

impl TimeBase {
    /// As it stands in the brackets of a type.
    pub(super) fn symbol(self) -> &'static str {
        match self {
            TimeBase::Year => "Y",
            TimeBase::Month => "M",
            TimeBase::Week => "W",
            TimeBase::Day => "D",
            TimeBase::Hour => "h",
            TimeBase::Minute => "m",
            TimeBase::Second => "s",
            TimeBase::Milli => "ms",
            TimeBase::Micro => "us",
            TimeBase::Nano => "ns",
            TimeBase::Pico => "ps",
            TimeBase::Femto => "fs",
            TimeBase::Atto => "as",
            TimeBase::Generic => "generic",
        }
    }
}
