//! The ways to write a plain dtype besides `<f8`: what `np.dtype` takes as a text, and so `np.load` in a header.
//!
//! ```text
//! float64  double  d  <d          names and letters of NumPy and of C, as they are on Linux with 64 bits
//! <f8,3i4,(2,3)?                  a record with the fields f0, f1, f2, each with a shape if one stands before it
//! ```

use std::borrow::Cow;

use crate::format::literal::{self, Literal};

/// The text as the parser of dtypes has it: a code without byte order, such as `f8`.
///
/// `bare` is what stands behind the byte order, if there is one; names take none.
pub(super) fn code(bare: &str, ordered: bool) -> Cow<'_, str> {
    for (name, letter) in [("datetime64", "M8"), ("timedelta64", "m8")] {
        if let Some(unit) = bare.strip_prefix(name) {
            return Cow::Owned(format!("{letter}{unit}"));
        }
    }
    Cow::Borrowed(match bare {
        "?" => "b1",
        "b" => "i1",
        "B" => "u1",
        "h" => "i2",
        "H" => "u2",
        "i" => "i4",
        "I" => "u4",
        "l" | "q" | "n" | "p" => "i8",
        "L" | "Q" | "N" | "P" => "u8",
        "e" => "f2",
        "f" => "f4",
        "d" => "f8",
        "F" => "c8",
        "D" => "c16",
        "c" => "S1",
        _ if ordered => bare,
        "bool" | "bool_" => "b1",
        "int8" | "byte" => "i1",
        "uint8" | "ubyte" => "u1",
        "int16" | "short" => "i2",
        "uint16" | "ushort" => "u2",
        "int32" | "intc" => "i4",
        "uint32" | "uintc" => "u4",
        "int64" | "int" | "int_" | "intp" | "long" | "longlong" => "i8",
        "uint64" | "uint" | "uintp" | "ulong" | "ulonglong" => "u8",
        "float16" | "half" => "f2",
        "float32" | "single" => "f4",
        "float64" | "float" | "double" => "f8",
        "float128" | "longdouble" => "g",
        "complex64" | "csingle" => "c8",
        "complex128" | "complex" | "cdouble" => "c16",
        "complex256" | "clongdouble" => "G",
        "bytes" | "bytes_" => "S",
        "str" | "str_" | "unicode" => "U",
        "void" => "V",
        "object" | "object_" => "O",
        _ => bare,
    })
}

/// Whether a text is NumPy's short form of a record or subarray: its `_check_for_commastring`.
pub(super) fn is_short_form(text: &str) -> bool {
    let behind_order = text.strip_prefix(BYTE_ORDERS).unwrap_or(text);
    if behind_order.starts_with(|c: char| c.is_ascii_digit()) || behind_order.starts_with("()") {
        return true;
    }
    let mut brackets = 0;
    text.chars().skip(1).any(|c| {
        match c {
            '[' => brackets += 1,
            ']' => brackets -= 1,
            _ => {}
        }
        c == ',' && brackets == 0
    })
}

const BYTE_ORDERS: [char; 4] = ['<', '>', '|', '='];

/// What such a text says, as the literal that says the same: NumPy's `_commastring`. Of each type there may be byte order,
/// shape, byte order and name, then a comma.
pub(super) fn short_form(text: &str) -> Option<Literal> {
    let mut rest = text;
    let mut types = Vec::new();
    let mut is_record = false;
    while !rest.is_empty() {
        let before = take(&mut rest, |c| BYTE_ORDERS.contains(&c), 1);
        let shape = shape(&mut rest);
        let behind = take(&mut rest, |c| BYTE_ORDERS.contains(&c), 1);
        let mut bare = take(&mut rest, |c| c.is_ascii_alphanumeric() || ".?".contains(c), usize::MAX).to_owned();
        bare.push_str(unit(&mut rest));
        let order = match (before, behind) {
            (order, "") | ("", order) => order,
            ("=" | "<", "=" | "<") => "<",
            (before, behind) if before == behind => before,
            _ => return None,
        };
        let item = match order {
            // Names take no byte order, not even that of the machine; and all such files are little-endian.
            ">" => format!(">{bare}"),
            _ => bare,
        };
        // NumPy would read such a type as a short form once more, and `[a,b]` without end.
        if is_short_form(&item) {
            return None;
        }
        let item = Literal::Str(item);
        types.push(match shape {
            "" => item,
            shape => Literal::Tuple(vec![item, axes(shape)?]),
        });
        let behind_spaces = rest.trim_start();
        match behind_spaces.strip_prefix(',') {
            Some(next) => {
                rest = next.trim_start();
                is_record = true;
            }
            None if behind_spaces.is_empty() => break,
            None => return None,
        }
    }
    if !is_record {
        return types.pop();
    }
    let fields = types.into_iter().enumerate();
    Some(Literal::List(
        fields
            .map(|(i, item)| Literal::Tuple(vec![Literal::Str(format!("f{i}")), item]))
            .collect(),
    ))
}

/// Takes at most so many characters that `belong` from the beginning.
fn take<'t>(rest: &mut &'t str, belong: impl Fn(char) -> bool, most: usize) -> &'t str {
    let len = rest
        .chars()
        .take_while(|&c| belong(c))
        .take(most)
        .map(char::len_utf8)
        .sum();
    let (taken, left) = rest.split_at(len);
    *rest = left;
    taken
}

/// Takes the shape before a type, with the spaces around it: `3`, `(2, 3)`.
fn shape<'t>(rest: &mut &'t str) -> &'t str {
    let start = *rest;
    take(rest, |c| c == ' ', usize::MAX);
    take(rest, |c| c == '(', 1);
    take(rest, |c| c.is_ascii_digit() || c == ' ' || c == ',', usize::MAX);
    take(rest, |c| c == ')', 1);
    take(rest, |c| c == ' ', usize::MAX);
    &start[..start.len() - rest.len()]
}

/// Takes the unit of a time: `[ns]`.
fn unit<'t>(rest: &mut &'t str) -> &'t str {
    let len = rest
        .strip_prefix('[')
        .and_then(|inner| inner.find(|c: char| !c.is_ascii_alphanumeric() && c != ',' && c != '.'))
        .filter(|&end| end > 0 && rest[end + 1..].starts_with(']'));
    let (taken, left) = rest.split_at(len.map_or(0, |end| end + 2));
    *rest = left;
    taken
}

/// The axes as Python reads `3`, `2, 3` or `(2, 3)`.
fn axes(shape: &str) -> Option<Literal> {
    let shape = shape.trim();
    let axes = match shape.starts_with('(') {
        true => literal::parse(shape, false),
        false if shape.is_empty() => return None,
        false => literal::parse(&format!("({shape})"), false),
    };
    axes.ok()
}
