//! The element layout as a tree: `parse(print(d)) == d`.
//!
//! ```text
//! [('x', '<f8'), ('', '|V4'), ('id', '<u4', (2,))]
//!
//! ├──── x: f8 ────┼─ padding ─┼─ id[0] ─┼─ id[1] ─┤
//! 0               8           12        16        20 = itemsize
//! ```

use std::fmt;
use std::str::FromStr;

use crate::error::{Error, ErrorKind, Result};
use crate::format::literal;
use crate::format::literal::Literal;

mod masked;
mod number;
mod parse;
mod print;
mod printable;
mod record;
mod spelling;
#[cfg(test)]
mod tests;
mod wide;

pub(crate) use masked::{MASK, Masked, VALUE};
pub(crate) use number::{Number, for_each_number};
pub(crate) use print::{Repr, Text, Tuple};
use record::RecordBuilder;
pub(crate) use wide::{Wide, halves};

/// Records nested deeper are refused, so that recursion over a [`Dtype`] is bounded.
const MAX_LEVELS: usize = 32;

/// NumPy allows no more, in an array as in a subarray.
pub(crate) const MAX_AXES: usize = 64;

/// NumPy counts the bytes of one element in a C `int`.
const MAX_ITEMSIZE: u64 = i32::MAX as u64;

/// The layout of one element, as NumPy's `dtype`.
///
/// `Display` prints it exactly as NumPy's header does, the quotes around a lone type left out.
///
/// ```
/// use serde_npz::Header;
///
/// let bytes = serde_npz::to_npy_vec(&vec![1.5, 2.5]).unwrap();
/// let header = Header::read(&mut &bytes[..]).unwrap();
/// assert_eq!(header.dtype().to_string(), "<f8");
/// ```
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Dtype {
    pub(crate) kind: Kind,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Kind {
    /// `|b1`: one byte, 0 or 1.
    Bool,
    /// `|i1`, `<i2` .. `<i8`: `size` bytes.
    Int { size: u8, order: Order },
    /// `|u1`, `<u2` .. `<u8`.
    Uint { size: u8, order: Order },
    /// `<f2`, `<f4`, `<f8`.
    Float { size: u8, order: Order },
    /// `<c8`, `<c16`: `size` is that of the whole number.
    Complex { size: u8, order: Order },
    /// `|Sn`: `n` bytes, padded with NUL.
    Bytes { len: u64 },
    /// `<Un`: `n` code points of four bytes each, padded with NUL.
    Str { len: u64, order: Order },
    /// `|Vn`: `n` bytes without a meaning.
    Void { len: u64 },
    /// `<V2`: a bfloat16 on its way out, as ml_dtypes writes it; read back it is `|V2`, as for NumPy.
    Bf16,
    /// `<M8[unit]`: i64 since 1970-01-01.
    Datetime { unit: TimeUnit, order: Order },
    /// `<m8[unit]`.
    Timedelta { unit: TimeUnit, order: Order },
    /// Named fields at their offsets.
    Record(Record),
    /// A subarray: `item` is never itself a subarray.
    Array { item: Box<Dtype>, shape: Vec<u64> },
    /// A value and its mask, while elements are read: in no header.
    Masked(Box<Masked>),
}

/// Byte order; that of single bytes is always `Little`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Order {
    Little,
    Big,
}

impl Order {
    /// That of the machine this runs on.
    pub(crate) const NATIVE: Order = if cfg!(target_endian = "big") {
        Order::Big
    } else {
        Order::Little
    };
}

/// `[25us]`: `multiple` 25 of `base` Microsecond; generic is printed without brackets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct TimeUnit {
    pub(crate) base: TimeBase,
    pub(crate) multiple: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum TimeBase {
    Year,
    Month,
    Week,
    Day,
    Hour,
    Minute,
    Second,
    Milli,
    Micro,
    Nano,
    Pico,
    Femto,
    Atto,
    Generic,
}

/// Fields in ascending order; bytes between and behind them are padding.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Record {
    pub(crate) fields: Vec<Field>,
    pub(crate) itemsize: u64,
}

/// One field of a record.
///
/// ```
/// let dtype: serde_npz::Dtype = "[('x', '<f8')]".parse()?;
/// assert_eq!(dtype.fields()[0].name(), "x");
/// # Ok::<(), serde_npz::Error>(())
/// ```
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Field {
    pub(crate) name: String,
    pub(crate) title: Option<String>,
    pub(crate) offset: u64,
    /// Cache: the itemsize of `dtype`, needed for this field in every element.
    pub(crate) size: u64,
    /// Cache: the plain number that each value is, likewise.
    pub(crate) number: Option<Number>,
    pub(crate) dtype: Dtype,
}

impl Field {
    /// The name of the field.
    ///
    /// ```
    /// let dtype: serde_npz::Dtype = "[('x', '<f8')]".parse()?;
    /// assert_eq!(dtype.fields()[0].name(), "x");
    /// # Ok::<(), serde_npz::Error>(())
    /// ```
    pub fn name(&self) -> &str {
        &self.name
    }

    /// NumPy's second name for the field, where it has one.
    ///
    /// ```
    /// let dtype: serde_npz::Dtype = "[(('seconds since start', 't'), '<f8')]".parse()?;
    /// assert_eq!(dtype.fields()[0].title(), Some("seconds since start"));
    /// # Ok::<(), serde_npz::Error>(())
    /// ```
    pub fn title(&self) -> Option<&str> {
        self.title.as_deref()
    }

    /// Where in the record it starts.
    ///
    /// ```
    /// let dtype: serde_npz::Dtype = "[('x', '<f8'), ('y', '<f8')]".parse()?;
    /// assert_eq!(dtype.fields()[1].offset(), 8);
    /// # Ok::<(), serde_npz::Error>(())
    /// ```
    pub fn offset(&self) -> u64 {
        self.offset
    }

    /// The layout of the field.
    ///
    /// ```
    /// let dtype: serde_npz::Dtype = "[('x', '<f8')]".parse()?;
    /// assert_eq!(dtype.fields()[0].dtype().to_string(), "<f8");
    /// # Ok::<(), serde_npz::Error>(())
    /// ```
    pub fn dtype(&self) -> &Dtype {
        &self.dtype
    }
}

impl FromStr for Dtype {
    type Err = Error;

    /// Reads what `Display` prints: a lone type without quotes, or the list of a record.
    fn from_str(text: &str) -> Result<Dtype> {
        if text.starts_with(['[', '(']) {
            Dtype::from_literal(&literal::parse(text, false)?)
        } else {
            Dtype::from_literal(&Literal::Str(text.to_owned()))
        }
    }
}

impl Dtype {
    /// The bytes of one element.
    ///
    /// ```
    /// use serde_npz::Header;
    ///
    /// let bytes = serde_npz::to_npy_vec(&["ab", "c"]).unwrap();
    /// let header = Header::read(&mut &bytes[..]).unwrap();
    /// assert_eq!((header.dtype().to_string().as_str(), header.dtype().itemsize()), ("<U2", 8));
    /// ```
    pub fn itemsize(&self) -> u64 {
        match &self.kind {
            Kind::Bool => 1,
            Kind::Int { size, .. }
            | Kind::Uint { size, .. }
            | Kind::Float { size, .. }
            | Kind::Complex { size, .. } => u64::from(*size),
            Kind::Bytes { len } | Kind::Void { len } => *len,
            Kind::Bf16 => 2,
            Kind::Str { len, .. } => len.saturating_mul(4),
            Kind::Datetime { .. } | Kind::Timedelta { .. } => 8,
            Kind::Record(record) => record.itemsize,
            // Checked when it was made: the product fits.
            Kind::Array { item, shape } => shape.iter().product::<u64>().saturating_mul(item.itemsize()),
            Kind::Masked(masked) => masked.size,
        }
    }

    /// NumPy's letter for what the elements are.
    ///
    /// `b` bool, `i` and `u` integers, `f` floats, `c` complex numbers, `M` and `m` times, `S` bytes, `U` text, `V` records,
    /// subarrays and bytes without a meaning.
    ///
    /// ```
    /// let dtype: serde_npz::Dtype = "<M8[ns]".parse()?;
    /// assert_eq!(dtype.kind(), 'M');
    /// # Ok::<(), serde_npz::Error>(())
    /// ```
    pub fn kind(&self) -> char {
        match self.kind {
            Kind::Bool => 'b',
            Kind::Int { .. } => 'i',
            Kind::Uint { .. } => 'u',
            Kind::Float { .. } => 'f',
            Kind::Complex { .. } => 'c',
            Kind::Bytes { .. } => 'S',
            Kind::Str { .. } => 'U',
            Kind::Datetime { .. } => 'M',
            Kind::Timedelta { .. } => 'm',
            Kind::Void { .. } | Kind::Bf16 | Kind::Record(_) | Kind::Array { .. } | Kind::Masked(_) => 'V',
        }
    }

    /// The byte order as NumPy writes it: `<` little, `>` big, `|` where there is none, as for single bytes and records.
    ///
    /// ```
    /// let orders = |text: &str| Ok::<_, serde_npz::Error>(text.parse::<serde_npz::Dtype>()?.byte_order());
    /// assert_eq!((orders("<f8")?, orders(">U3")?, orders("|S3")?), ('<', '>', '|'));
    /// # Ok::<(), serde_npz::Error>(())
    /// ```
    pub fn byte_order(&self) -> char {
        match self.kind {
            Kind::Int { size: 1, .. } | Kind::Uint { size: 1, .. } => '|',
            Kind::Int { order, .. }
            | Kind::Uint { order, .. }
            | Kind::Float { order, .. }
            | Kind::Complex { order, .. }
            | Kind::Str { order, .. }
            | Kind::Datetime { order, .. }
            | Kind::Timedelta { order, .. } => match order {
                Order::Little => '<',
                Order::Big => '>',
            },
            Kind::Bf16 => '<',
            Kind::Bool
            | Kind::Bytes { .. }
            | Kind::Void { .. }
            | Kind::Record(_)
            | Kind::Array { .. }
            | Kind::Masked(_) => '|',
        }
    }

    /// Whether all its parts are in the byte order of this machine.
    ///
    /// ```
    /// let dtype: serde_npz::Dtype = "[('x', '>f8'), ('tag', '|S4')]".parse()?;
    /// assert_eq!(dtype.is_native(), cfg!(target_endian = "big"));
    /// # Ok::<(), serde_npz::Error>(())
    /// ```
    pub fn is_native(&self) -> bool {
        let native = if Order::NATIVE == Order::Big { '>' } else { '<' };
        match &self.kind {
            Kind::Record(record) => record.fields.iter().all(|field| field.dtype.is_native()),
            Kind::Array { item, .. } => item.is_native(),
            _ => self.byte_order() == '|' || self.byte_order() == native,
        }
    }

    /// The fields of a record in the order of their offsets, padding left out; none for any other type.
    ///
    /// ```
    /// let dtype: serde_npz::Dtype = "[('x', '<f8'), ('', '|V4'), ('id', '<u4', (2,))]".parse()?;
    /// let fields: Vec<_> = dtype.fields().iter().map(|field| (field.name(), field.offset())).collect();
    /// assert_eq!(fields, [("x", 0), ("id", 12)]);
    /// # Ok::<(), serde_npz::Error>(())
    /// ```
    pub fn fields(&self) -> &[Field] {
        match &self.kind {
            Kind::Record(record) => &record.fields,
            _ => &[],
        }
    }

    /// The items and axes of a subarray, which only a field can be. The items may be subarrays themselves.
    ///
    /// ```
    /// let dtype: serde_npz::Dtype = "[('id', '<u4', (2, 3))]".parse()?;
    /// let (item, shape) = dtype.fields()[0].dtype().subarray().unwrap();
    /// assert_eq!((item.to_string().as_str(), shape), ("<u4", &[2, 3][..]));
    /// # Ok::<(), serde_npz::Error>(())
    /// ```
    pub fn subarray(&self) -> Option<(&Dtype, &[u64])> {
        match &self.kind {
            Kind::Array { item, shape } => Some((item, shape)),
            _ => None,
        }
    }

    pub(crate) const fn new(kind: Kind) -> Self {
        Dtype { kind }
    }

    pub(crate) fn bool() -> Self {
        Dtype::new(Kind::Bool)
    }

    pub(crate) fn int(size: u8) -> Self {
        Dtype::new(Kind::Int {
            size,
            order: Order::Little,
        })
    }

    pub(crate) fn uint(size: u8) -> Self {
        Dtype::new(Kind::Uint {
            size,
            order: Order::Little,
        })
    }

    pub(crate) fn float(size: u8) -> Self {
        Dtype::new(Kind::Float {
            size,
            order: Order::Little,
        })
    }

    pub(crate) fn complex(size: u8) -> Self {
        Dtype::new(Kind::Complex {
            size,
            order: Order::Little,
        })
    }

    pub(crate) fn bytes(len: u64) -> Self {
        Dtype::new(Kind::Bytes { len })
    }

    pub(crate) fn str(len: u64) -> Self {
        Dtype::new(Kind::Str {
            len,
            order: Order::Little,
        })
    }

    pub(crate) fn void(len: u64) -> Self {
        Dtype::new(Kind::Void { len })
    }

    pub(crate) fn datetime(unit: TimeUnit) -> Self {
        Dtype::new(Kind::Datetime {
            unit,
            order: Order::Little,
        })
    }

    pub(crate) fn timedelta(unit: TimeUnit) -> Self {
        Dtype::new(Kind::Timedelta {
            unit,
            order: Order::Little,
        })
    }

    /// Fields without padding between them.
    pub(crate) fn record(fields: Vec<(String, Dtype)>) -> Result<Dtype> {
        let mut layout = RecordBuilder::new(fields.len());
        for (name, dtype) in fields {
            if name.is_empty() {
                // NumPy would read it back as padding.
                return Err(Error::new(
                    ErrorKind::InvalidName,
                    "found a field with an empty name, expected at least one character",
                )
                .with_hint("`#[serde(rename = \"..\")]` gives it one"));
            }
            layout.field(name, None, dtype)?;
        }
        layout.finish()
    }

    /// `n` items as one element: one more axis in front where `item` is a subarray already.
    pub(crate) fn array(item: Dtype, n: u64) -> Result<Dtype> {
        if item.is_unsized() {
            return Err(Error::new(
                ErrorKind::UnsupportedType,
                format_args!(
                    "found {n} values without a byte in an element of an array, expected a type with a size: NumPy has no subarray of {item}"
                ),
            ));
        }
        match item.kind {
            Kind::Array { item, mut shape } => {
                shape.insert(0, n);
                Dtype::with_axes(*item, shape)
            }
            kind => Dtype::with_axes(Dtype::new(kind), vec![n]),
        }
    }

    /// A subarray of items, which may be subarrays themselves: NumPy keeps these nested, `('<f4', (2,)), (3,)`.
    fn with_axes(item: Dtype, axes: Vec<u64>) -> Result<Dtype> {
        if axes.is_empty() {
            return Ok(item);
        }
        let (base, inner) = item.base();
        if axes.len() + inner.len() > MAX_AXES {
            return Err(limit(format_args!(
                "found a subarray of {} axes, expected at most the {MAX_AXES} that NumPy allows",
                axes.len() + inner.len()
            )));
        }
        if let Some(axis) = axes.iter().find(|&&axis| axis > MAX_ITEMSIZE) {
            return Err(limit(format_args!(
                "found a subarray axis of {axis}, expected at most the {MAX_ITEMSIZE} that NumPy allows"
            )));
        }
        // Axes beside an empty one count as well: nothing may overflow when they are walked.
        let reach = axes
            .iter()
            .chain(&inner)
            .filter(|&&axis| axis > 0)
            .try_fold(base.itemsize().max(1), |n, &axis| n.checked_mul(axis));
        if reach.is_none_or(|n| n > i64::MAX as u64) {
            return Err(too_large("a subarray"));
        }
        let array = Dtype::new(Kind::Array {
            item: Box::new(item),
            shape: axes,
        });
        array.check_size("a subarray")?;
        Ok(array)
    }

    /// What the elements of a subarray are, and its axes with those of the subarrays in it: the axes that an array of this
    /// type has behind its own ones.
    pub(crate) fn base(&self) -> (&Dtype, Vec<u64>) {
        let (mut base, mut axes) = (self, Vec::new());
        while let Kind::Array { item, shape } = &base.kind {
            axes.extend_from_slice(shape);
            base = item;
        }
        (base, axes)
    }

    /// A string or void type of no width, which stands for "any width" in NumPy's eyes.
    fn is_unsized(&self) -> bool {
        matches!(
            self.kind,
            Kind::Bytes { len: 0 } | Kind::Str { len: 0, .. } | Kind::Void { len: 0 }
        )
    }

    /// Checks that one element is no larger than NumPy accepts.
    pub(crate) fn check_size(&self, what: &str) -> Result<()> {
        if self.itemsize() > MAX_ITEMSIZE {
            Err(too_large(what))
        } else {
            Ok(())
        }
    }

    /// How deep records are nested.
    fn levels(&self) -> usize {
        match &self.kind {
            Kind::Record(record) => {
                1 + record
                    .fields
                    .iter()
                    .map(|field| field.dtype.levels())
                    .max()
                    .unwrap_or(0)
            }
            Kind::Array { item, .. } => item.levels(),
            _ => 0,
        }
    }
}

#[cold]
fn too_deep() -> Error {
    limit(format_args!(
        "found records nested deeper than {MAX_LEVELS} levels, expected no more than that"
    ))
}

#[cold]
fn too_large(what: &str) -> Error {
    limit(format_args!(
        "found {what} of more than {MAX_ITEMSIZE} bytes in one element, expected no more than NumPy allows"
    ))
}

#[cold]
fn limit(message: impl fmt::Display) -> Error {
    Error::new(ErrorKind::LimitExceeded, message)
}
