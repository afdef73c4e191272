//! Floats as NumPy writes them: the shortest digits that tell a value from its neighbours, at most eight behind the
//! point, padded so that the points of a column stand below each other.

use half::f16;

use crate::format::dtype::Order;
use crate::npy::de::element::uint;

/// Digits behind the point.
const PRECISION: usize = 8;

/// A float of the width it was stored in, which decides what its shortest digits are.
#[derive(Clone, Copy)]
pub(crate) enum Float {
    F16(f16),
    F32(f32),
    F64(f64),
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "so many bytes are read as there are in the number"
)]
pub(crate) fn float(bytes: &[u8], size: u8, order: Order) -> Float {
    let bytes = bytes.get(..size.into()).unwrap_or_default();
    match size {
        2 => Float::F16(f16::from_bits(uint(bytes, 2, order) as u16)),
        4 => Float::F32(f32::from_bits(uint(bytes, 4, order) as u32)),
        _ => Float::F64(f64::from_bits(uint(bytes, 8, order))),
    }
}

/// Which signs are written.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Sign {
    Minus,
    /// Always one: imaginary parts.
    Plus,
}

impl Float {
    fn value(self) -> f64 {
        match self {
            Float::F16(v) => v.to_f64(),
            Float::F32(v) => v.into(),
            Float::F64(v) => v,
        }
    }

    /// From here on scientific notation is shorter.
    fn cutoff(self) -> f64 {
        match self {
            Float::F16(_) => 1e3,
            Float::F32(_) => 1e6,
            Float::F64(_) => 1e8,
        }
    }

    /// From here on the repr of a lone value is scientific.
    fn lone_cutoff(self) -> f64 {
        match self {
            Float::F16(_) => 1e3,
            Float::F32(_) => 1e6,
            Float::F64(_) => 1e16,
        }
    }

    /// The shortest digits, `d.ddde-5` without trailing zeros.
    fn shortest(self) -> String {
        let abs = self.value().abs();
        match self {
            Float::F64(_) => even(format!("{abs:e}"), abs, |text| text.parse() == Ok(abs)),
            Float::F32(v) => even(format!("{:e}", v.abs()), abs, |text| text.parse() == Ok(v.abs())),
            Float::F16(v) => {
                let fits = |digits: &usize| {
                    let text = format!("{abs:.digits$e}");
                    text.parse()
                        .is_ok_and(|read| f16::from_f64(read) == f16::from_f64(v.to_f64().abs()))
                };
                let digits = (0..5).find(fits).unwrap_or(5);
                format!("{abs:.digits$e}")
            }
        }
    }

    /// Digits before and after the point, without trailing zeros and at most `max` after it.
    fn positional(self, max: usize) -> (String, String) {
        let shortest = self.shortest();
        let (mantissa, exponent) = shortest.split_once('e').unwrap_or((&shortest, "0"));
        let exponent: i32 = exponent.parse().unwrap_or(0);
        let behind = mantissa.split_once('.').map_or(0, |(_, digits)| digits.len());
        let [behind, most] = [behind, max].map(|n| i32::try_from(n).unwrap_or(i32::MAX));
        let places = behind.saturating_sub(exponent);
        if places > most {
            return trimmed(&format!("{:.max$}", self.value().abs()));
        }
        let digits: String = mantissa.chars().filter(|&c| c != '.').collect();
        let point = exponent + 1;
        let text = if point <= 0 {
            format!("0.{}{digits}", "0".repeat(point.unsigned_abs() as usize))
        } else if digits.len() <= point as usize {
            format!("{digits}{}.", "0".repeat(point as usize - digits.len()))
        } else {
            format!("{}.{}", &digits[..point as usize], &digits[point as usize..])
        };
        trimmed(&text)
    }

    /// Digits before and behind the point and the exponent, at most `max` behind the point.
    fn scientific(self, max: usize) -> (String, String, i32) {
        let mut text = self.shortest();
        let behind = |text: &str| text.find('e').unwrap_or(text.len()).saturating_sub(2);
        if behind(&text) > max {
            text = format!("{:.max$e}", self.value().abs());
        }
        let (mantissa, exponent) = text.split_once('e').unwrap_or((&text, "0"));
        let (whole, fraction) = trimmed(mantissa);
        (whole, fraction, exponent.parse().unwrap_or(0))
    }

    fn sign(self, sign: Sign) -> &'static str {
        match sign {
            _ if self.value().is_nan() => match sign {
                Sign::Plus => "+",
                Sign::Minus => "",
            },
            _ if self.value().is_sign_negative() => "-",
            Sign::Plus => "+",
            Sign::Minus => "",
        }
    }
}

/// The shortest digits of a value: where two texts are equally near, Rust takes the greater one, and NumPy the even one.
fn even(shortest: String, value: f64, is_same: impl Fn(&str) -> bool) -> String {
    let end = shortest.find('e').unwrap_or(shortest.len());
    let digits = end.saturating_sub(2);
    let rounded = format!("{value:.digits$e}");
    if is_same(&rounded) { rounded } else { shortest }
}

/// The text before and after the point, without trailing zeros.
fn trimmed(text: &str) -> (String, String) {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    (whole.to_owned(), fraction.trim_end_matches('0').to_owned())
}

/// `e+05`, with at least `digits` digits.
fn exponent(exponent: i32, digits: usize) -> String {
    let sign = if exponent < 0 { '-' } else { '+' };
    format!("e{sign}{:0digits$}", exponent.unsigned_abs())
}

/// How the floats of one column are written.
pub(crate) struct Column {
    sign: Sign,
    /// Digits of the exponent.
    scientific: Option<usize>,
    left: usize,
    right: usize,
    /// Digits behind the point in scientific notation.
    precision: usize,
}

impl Column {
    pub(crate) fn new(values: &[Float], sign: Sign) -> Self {
        let finite = || values.iter().filter(|float| float.value().is_finite());
        let absolutes = || finite().map(|float| float.value().abs()).filter(|&abs| abs != 0.0);
        let max = absolutes().fold(0.0, f64::max);
        let min = absolutes().fold(f64::INFINITY, f64::min);
        let cutoff = values.first().map_or(1e8, |float| float.cutoff());
        let spread = max >= cutoff || min < 0.0001 || max / min > 1000.0;
        let mut column = Column {
            sign,
            scientific: None,
            left: 0,
            right: 0,
            precision: PRECISION,
        };
        if max > 0.0 && spread {
            let mut digits = 2;
            column.precision = 0;
            for float in finite() {
                let (whole, fraction, power) = float.scientific(PRECISION);
                column.left = column.left.max(float.sign(sign).len() + whole.len());
                column.precision = column.precision.max(fraction.len());
                digits = digits.max(power.unsigned_abs().to_string().len());
            }
            column.scientific = Some(digits);
            column.right = digits + 2 + column.precision;
        } else {
            for float in finite() {
                let (whole, fraction) = float.positional(PRECISION);
                column.left = column.left.max(float.sign(sign).len() + whole.len());
                column.right = column.right.max(fraction.len());
            }
        }
        if values.iter().any(|float| !float.value().is_finite()) {
            let signed = sign == Sign::Plus || values.iter().any(|float| float.value() == f64::NEG_INFINITY);
            column.left = column
                .left
                .max((3 + usize::from(signed)).saturating_sub(column.right + 1));
        }
        column
    }

    pub(crate) fn word(&self, float: Float) -> String {
        let value = float.value();
        let sign = float.sign(self.sign);
        let (left, right) = (self.left, self.right);
        if !value.is_finite() {
            let name = if value.is_nan() { "nan" } else { "inf" };
            let width = left + right + 1;
            return format!("{:>width$}", format!("{sign}{name}"));
        }
        match self.scientific {
            Some(digits) => {
                let precision = self.precision;
                let (mut whole, mut fraction, mut power) = float.scientific(precision);
                if fraction.len() < precision {
                    // NumPy fills up with the digits that follow, not with zeros: 1.00000001e-01 for an f32.
                    let text = format!("{:.precision$e}", value.abs());
                    let (mantissa, exponent) = text.split_once('e').unwrap_or((&text, "0"));
                    (whole, fraction) = trimmed(mantissa);
                    power = exponent.parse().unwrap_or(0);
                }
                format!(
                    "{:>left$}.{fraction:0<precision$}{}",
                    format!("{sign}{whole}"),
                    exponent(power, digits)
                )
            }
            None => {
                let (whole, fraction) = float.positional(PRECISION);
                format!("{:>left$}.{fraction:<right$}", format!("{sign}{whole}"))
            }
        }
    }
}

/// A lone float as Python's `repr`; `point` keeps `1.0`.
pub(crate) fn short(float: Float, point: bool) -> String {
    let value = float.value();
    let sign = float.sign(Sign::Minus);
    let abs = value.abs();
    if value.is_nan() {
        return "nan".into();
    }
    if value.is_infinite() {
        return format!("{sign}inf");
    }
    if abs == 0.0 || (1e-4..float.lone_cutoff()).contains(&abs) {
        let (whole, fraction) = float.positional(400);
        return match (fraction.is_empty(), point) {
            (true, true) => format!("{sign}{whole}.0"),
            (true, false) => format!("{sign}{whole}"),
            (false, _) => format!("{sign}{whole}.{fraction}"),
        };
    }
    let (whole, fraction, power) = float.scientific(400);
    let point = if fraction.is_empty() { "" } else { "." };
    format!("{sign}{whole}{point}{fraction}{}", exponent(power, 2))
}

/// A lone complex number: `(1+2j)`, `2j`.
pub(crate) fn imaginary(re: Float, im: Float) -> String {
    let second = short(im, false);
    if re.value() == 0.0 && re.value().is_sign_positive() {
        return format!("{second}j");
    }
    let plus = if second.starts_with('-') { "" } else { "+" };
    format!("({}{plus}{second}j)", short(re, false))
}
