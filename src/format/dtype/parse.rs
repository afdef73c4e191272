//! A dtype from the `descr` of a header: what NumPy's `descr_to_dtype` takes, as far as a file can hold it.
//!
//! ```text
//! '<f8'  ('<f8', (3,))  [('x', '<f8'), ('', '|V4'), (('title', 'id'), '<u4', (2,))]
//! ```

use std::fmt;

use super::{
    Dtype, Kind, MAX_ITEMSIZE, MAX_LEVELS, Order, RecordBuilder, TimeBase, TimeUnit, limit, spelling, too_deep,
};
use crate::error::{Error, ErrorKind, Result};
use crate::format::literal::{self, Literal, Quoted};

impl Dtype {
    /// Takes what NumPy takes; objects are refused wherever they are, even where no element holds one.
    pub(crate) fn from_literal(descr: &Literal) -> Result<Dtype> {
        dtype(descr, 0)
    }

    /// Makes a dtype from what `np.dtype` takes as a text, or from the `descr` of a header, as `Display` prints it.
    ///
    /// Names that depend on the platform, such as `int` and `long`, mean what they mean on Linux with 64 bits.
    ///
    /// ```
    /// use serde_npz::Dtype;
    ///
    /// assert_eq!(Dtype::parse("float32")?.to_string(), "<f4");
    /// assert_eq!(Dtype::parse(">M8[ms]")?.itemsize(), 8);
    /// assert_eq!(Dtype::parse("[('x', '<f8'), ('tag', '|S4')]")?.fields()[1].offset(), 8);
    /// assert_eq!(Dtype::parse("f8,(2,)u1")?.to_string(), "[('f0', '<f8'), ('f1', '|u1', (2,))]");
    /// # Ok::<(), serde_npz::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// `BadHeader` for what is no dtype, `UnsupportedDtype` for longdouble and others that no reader of this crate knows,
    /// `Pickle` for objects, `LimitExceeded`.
    pub fn parse(text: &str) -> Result<Dtype> {
        match literal::parse(text, false) {
            Ok(descr @ (Literal::Str(_) | Literal::Tuple(_) | Literal::List(_))) => Dtype::from_literal(&descr),
            _ => Dtype::from_literal(&Literal::Str(text.to_owned())),
        }
    }
}

/// `level` is the number of records around it.
fn dtype(descr: &Literal, level: usize) -> Result<Dtype> {
    match descr {
        Literal::Str(text) if spelling::is_short_form(text) => match spelling::short_form(text) {
            Some(literal) => dtype(&literal, level),
            None => Err(unsupported(text)),
        },
        Literal::Str(text) => scalar(text),
        Literal::List(fields) => record(fields, level),
        Literal::Tuple(parts) => match parts.as_slice() {
            [item, shape] => subarray(dtype(item, level)?, shape),
            _ => Err(bad(format_args!("found {}, expected (type, shape)", descr.describe()))),
        },
        other => Err(bad(format_args!(
            "found {}, expected a type, (type, shape) or a list of fields",
            other.describe()
        ))),
    }
}

fn record(fields: &[Literal], level: usize) -> Result<Dtype> {
    if level == MAX_LEVELS {
        return Err(too_deep());
    }
    let mut layout = RecordBuilder::new(fields.len());
    for field in fields {
        let (Literal::Tuple(parts) | Literal::List(parts)) = field else {
            return Err(bad(format_args!(
                "found {} as a field, expected (name, type)",
                field.describe()
            )));
        };
        let (name, descr, shape) = match parts.as_slice() {
            [name, descr] => (name, descr, None),
            [name, descr, shape] => (name, descr, Some(shape)),
            _ => {
                return Err(bad(format_args!(
                    "found {} as a field, expected (name, type) or (name, type, shape)",
                    field.describe()
                )));
            }
        };
        let (name, title) = name_and_title(name)?;
        let dtype = dtype(descr, level + 1)
            .and_then(|dtype| match shape {
                Some(shape) => subarray(dtype, shape),
                None => Ok(dtype),
            })
            .map_err(|err| err.at_field(name))?;
        // NumPy's rule: an empty name with anything that is void to it, and that is a subarray as well.
        let is_padding =
            name.is_empty() && title.is_none() && matches!(dtype.kind, Kind::Void { .. } | Kind::Array { .. });
        if is_padding {
            layout.padding(dtype.itemsize())?;
        } else {
            layout
                .field(name.to_owned(), title.map(str::to_owned), dtype)
                .map_err(|err| match err.kind() {
                    ErrorKind::DuplicateName => bad(format_args!(
                        "found the name {} or its title twice in a record, expected every name and title once",
                        Quoted(name)
                    )),
                    _ => err,
                })?;
        }
    }
    layout.finish()
}

/// `'name'` or `('title', 'name')`.
fn name_and_title(name: &Literal) -> Result<(&str, Option<&str>)> {
    match name {
        Literal::Str(name) => Ok((name, None)),
        Literal::Tuple(both) => match both.as_slice() {
            [Literal::Str(title), Literal::Str(name)] => Ok((name, Some(title))),
            [Literal::None, Literal::Str(name)] => Ok((name, None)),
            _ => Err(bad(format_args!(
                "found {} as the name of a field, expected ('title', 'name')",
                name.describe()
            ))),
        },
        _ => Err(bad(format_args!(
            "found {} as the name of a field, expected a string",
            name.describe()
        ))),
    }
}

fn subarray(item: Dtype, shape: &Literal) -> Result<Dtype> {
    let axes = match shape {
        // `('S', 5)` is a string of five, not five strings: so says NumPy.
        Literal::Int(_) if item.is_unsized() => {
            let len = axis(shape)?;
            let kind = match item.kind {
                Kind::Bytes { .. } => Kind::Bytes { len },
                Kind::Str { order, .. } => Kind::Str { len, order },
                _ => Kind::Void { len },
            };
            let sized = Dtype::new(kind);
            sized.check_size("a type")?;
            return Ok(sized);
        }
        Literal::Int(_) => vec![axis(shape)?],
        Literal::Tuple(axes) | Literal::List(axes) => axes.iter().map(axis).collect::<Result<_>>()?,
        other => {
            return Err(bad(format_args!(
                "found {} as the shape of a subarray, expected a tuple of integers",
                other.describe()
            )));
        }
    };
    if item.is_unsized() {
        return Err(bad(format_args!(
            "found a subarray of '{item}', expected a type with a size"
        )));
    }
    Dtype::with_axes(item, axes)
}

fn axis(axis: &Literal) -> Result<u64> {
    match axis {
        Literal::Int(n) if *n < 0 => Err(bad(format_args!("found a subarray axis of {n}, expected none below 0"))),
        Literal::Int(n) => u64::try_from(*n).map_err(|_| {
            limit(format_args!(
                "found a subarray axis of {n}, expected at most {MAX_ITEMSIZE}"
            ))
        }),
        other => Err(bad(format_args!(
            "found {} as a subarray axis, expected an integer",
            other.describe()
        ))),
    }
}

/// `<f8`: byte order, letter, bytes; for times the unit behind them.
fn scalar(text: &str) -> Result<Dtype> {
    let (order, bare) = match text.split_at_checked(1) {
        Some((">", bare)) => (Order::Big, bare),
        // `=` and `|` both mean little-endian here: files are written on little-endian machines.
        Some(("<" | "=" | "|", bare)) => (Order::Little, bare),
        _ => (Order::Little, text),
    };
    let bare = spelling::code(bare, bare.len() < text.len());
    let Some(letter) = bare.chars().next() else {
        return Err(unsupported(text));
    };
    let rest = &bare[letter.len_utf8()..];
    let by_size = |size: u8| if size == 1 { Order::Little } else { order };
    let kind = match letter {
        'b' if rest == "1" => Kind::Bool,
        'i' | 'u' | 'f' | 'c' => match (letter, u8::try_from(width(text, rest)?)) {
            ('i', Ok(size @ (1 | 2 | 4 | 8))) => Kind::Int {
                size,
                order: by_size(size),
            },
            ('u', Ok(size @ (1 | 2 | 4 | 8))) => Kind::Uint {
                size,
                order: by_size(size),
            },
            ('f', Ok(size @ (2 | 4 | 8))) => Kind::Float { size, order },
            ('c', Ok(size @ (8 | 16))) => Kind::Complex { size, order },
            ('f', Ok(10 | 12 | 16)) | ('c', Ok(20 | 24 | 32)) => return Err(longdouble(text)),
            _ => return Err(unsupported(text)),
        },
        'S' | 'a' => Kind::Bytes {
            len: width(text, rest)?,
        },
        'U' => Kind::Str {
            len: width(text, rest)?,
            order,
        },
        'V' => Kind::Void {
            len: width(text, rest)?,
        },
        'M' => Kind::Datetime {
            unit: time_unit(text, rest)?,
            order,
        },
        'm' => Kind::Timedelta {
            unit: time_unit(text, rest)?,
            order,
        },
        'g' | 'G' if rest.is_empty() => return Err(longdouble(text)),
        'O' if rest.bytes().all(|b| b.is_ascii_digit()) => return Err(pickle(text)),
        'T' if rest.is_empty() => return Err(pickle(text)),
        _ => return Err(unsupported(text)),
    };
    let dtype = Dtype::new(kind);
    dtype.check_size("a type")?;
    Ok(dtype)
}

/// The number after the letter: 0 without digits, saturated where there are too many.
fn width(text: &str, digits: &str) -> Result<u64> {
    digits.bytes().try_fold(0_u64, |n, b| match b {
        b'0'..=b'9' => Ok(n.saturating_mul(10).saturating_add(u64::from(b - b'0'))),
        _ => Err(unsupported(text)),
    })
}

/// What follows the `M` or `m`: `8`, `8[ns]`, `8[25us]`.
fn time_unit(text: &str, rest: &str) -> Result<TimeUnit> {
    let generic = TimeUnit {
        base: TimeBase::Generic,
        multiple: 1,
    };
    let Some(unit) = rest.strip_prefix('8') else {
        return if rest.is_empty() || width(text, rest)? == 8 {
            Ok(generic)
        } else {
            Err(unsupported(text))
        };
    };
    if unit.is_empty() {
        return Ok(generic);
    }
    let Some(unit) = unit.strip_prefix('[').and_then(|unit| unit.strip_suffix(']')) else {
        return Err(unsupported(text));
    };
    let digits = unit.bytes().take_while(u8::is_ascii_digit).count();
    let (digits, symbol) = unit.split_at(digits);
    let base = match symbol {
        "Y" => TimeBase::Year,
        "M" => TimeBase::Month,
        "W" => TimeBase::Week,
        "D" => TimeBase::Day,
        "h" => TimeBase::Hour,
        "m" => TimeBase::Minute,
        "s" => TimeBase::Second,
        "ms" => TimeBase::Milli,
        "us" | "\u{3bc}s" => TimeBase::Micro,
        "ns" => TimeBase::Nano,
        "ps" => TimeBase::Pico,
        "fs" => TimeBase::Femto,
        "as" => TimeBase::Atto,
        "generic" => return Ok(generic),
        _ => return Err(unsupported(text)),
    };
    let multiple = if digits.is_empty() { 1 } else { width(text, digits)? };
    match u32::try_from(multiple) {
        Ok(multiple) if multiple <= i32::MAX as u32 => Ok(TimeUnit { base, multiple }),
        _ => Err(unsupported(text)),
    }
}

#[cold]
fn unsupported(text: &str) -> Error {
    Error::new(
        ErrorKind::UnsupportedDtype,
        format_args!(
            "found the type {}, expected one of |b1, i1..i8, u1..u8, f2, f4, f8, c8, c16, S, U, V, M8[unit], m8[unit]",
            Quoted(text)
        ),
    )
}

#[cold]
fn longdouble(text: &str) -> Error {
    Error::new(
        ErrorKind::UnsupportedDtype,
        format_args!(
            "found longdouble {}, whose bytes depend on the machine, expected floats of at most 8 bytes",
            Quoted(text)
        ),
    )
    .with_hint("`a.astype('f8')` in Python before saving makes it a plain float")
}

#[cold]
fn pickle(text: &str) -> Error {
    Error::new(
        ErrorKind::Pickle,
        format_args!(
            "found objects ({}), which only Python's pickle could read, expected plain data",
            Quoted(text)
        ),
    )
    .with_hint("`ReadOptions::skip_unsupported(true)` leaves such members of an archive out")
}

#[cold]
fn bad(message: impl fmt::Display) -> Error {
    Error::new(ErrorKind::BadHeader, format_args!("the `descr` is no dtype: {message}"))
}
