//! [`Value`] from plain Rust types and back.

use half::f16;
use num_complex::Complex;

use crate::error::{Error, ErrorKind, Result};
use crate::format::dtype::Dtype;
use crate::format::header::Header;
use crate::value::{AnyArray, Group, Value};

/// A type whose values are elements of one dtype.
pub(crate) trait Element: Copy {
    fn dtype() -> Dtype;
    fn put(self, data: &mut Vec<u8>);
}

macro_rules! numbers {
    ($($t:ty => $dtype:expr;)*) => {
        $(
            impl Element for $t {
                fn dtype() -> Dtype {
                    $dtype
                }

                fn put(self, data: &mut Vec<u8>) {
                    data.extend_from_slice(&self.to_le_bytes());
                }
            }
        )*
    };
}

numbers! {
    i8 => Dtype::int(1);
    i16 => Dtype::int(2);
    i32 => Dtype::int(4);
    i64 => Dtype::int(8);
    u8 => Dtype::uint(1);
    u16 => Dtype::uint(2);
    u32 => Dtype::uint(4);
    u64 => Dtype::uint(8);
    f16 => Dtype::float(2);
    f32 => Dtype::float(4);
    f64 => Dtype::float(8);
}

impl Element for bool {
    fn dtype() -> Dtype {
        Dtype::bool()
    }

    fn put(self, data: &mut Vec<u8>) {
        data.push(self.into());
    }
}

macro_rules! complex {
    ($($t:ty => $size:literal;)*) => {
        $(
            impl Element for Complex<$t> {
                fn dtype() -> Dtype {
                    Dtype::complex($size)
                }

                fn put(self, data: &mut Vec<u8>) {
                    self.re.put(data);
                    self.im.put(data);
                }
            }
        )*
    };
}

complex! {
    f32 => 8;
    f64 => 16;
}

/// The dtype and the bytes of these elements.
pub(crate) fn vector<T: Element>(items: impl ExactSizeIterator<Item = T>) -> (Dtype, Vec<u8>) {
    let mut data = Vec::with_capacity(items.len() * size_of::<T>());
    items.for_each(|item| item.put(&mut data));
    (T::dtype(), data)
}

/// The dtype and the bytes of these texts, each as wide as the widest.
pub(crate) fn text<'a>(items: impl Iterator<Item = &'a str> + Clone) -> Result<(Dtype, Vec<u8>)> {
    let mut width = 1;
    let mut count = 0_usize;
    let mut bytes = 0_usize;
    for item in items.clone() {
        if item.ends_with('\0') {
            return Err(Error::new(
                ErrorKind::InvalidValue,
                format_args!("found the text {item:?}, expected none that ends in NUL: NumPy strips it"),
            ));
        }
        width = width.max(item.chars().count());
        count += 1;
        bytes += item.len();
    }
    let padded = count.saturating_mul(width).saturating_mul(4);
    if padded > 64 << 20 && padded / 50 > bytes {
        return Err(Error::new(
            ErrorKind::LimitExceeded,
            format_args!(
                "found texts of {bytes} bytes that take {padded} when all are as wide as the widest, expected at most 50 \
                 times as much: put the long ones into a group"
            ),
        ));
    }
    let mut data = Vec::with_capacity(padded);
    for item in items {
        let start = data.len();
        item.chars()
            .for_each(|c| data.extend_from_slice(&u32::from(c).to_le_bytes()));
        data.resize(start + 4 * width, 0);
    }
    let dtype = Dtype::str(width as u64);
    dtype.check_size("a text")?;
    Ok((dtype, data))
}

/// One value, without axes.
fn one<T: Element>(value: T) -> AnyArray {
    let (dtype, data) = vector(std::iter::once(value));
    AnyArray::of(Header::single(dtype), data)
}

fn row<T: Element>(values: &[T]) -> AnyArray {
    let (dtype, data) = vector(values.iter().copied());
    AnyArray::of(Header::vector(dtype, values.len()), data)
}

macro_rules! texts {
    ($($t:ty;)*) => {
        $(
            impl TryFrom<&[$t]> for AnyArray {
                type Error = Error;

                fn try_from(values: &[$t]) -> Result<Self> {
                    let (dtype, data) = text(values.iter().map(|text| -> &str { text }))?;
                    Ok(AnyArray::of(Header::vector(dtype, values.len()), data))
                }
            }

            impl TryFrom<&[$t]> for Value {
                type Error = Error;

                fn try_from(values: &[$t]) -> Result<Self> {
                    AnyArray::try_from(values).map(Value::Array)
                }
            }

            impl TryFrom<Vec<$t>> for Value {
                type Error = Error;

                fn try_from(values: Vec<$t>) -> Result<Self> {
                    AnyArray::try_from(&values[..]).map(Value::Array)
                }
            }
        )*
    };
}

texts! {
    &str;
    String;
}

impl TryFrom<&str> for Value {
    type Error = Error;

    /// One text; it must not end in NUL, which NumPy would strip.
    fn try_from(value: &str) -> Result<Self> {
        let (dtype, data) = text(std::iter::once(value))?;
        Ok(Value::Array(AnyArray::of(Header::single(dtype), data)))
    }
}

impl TryFrom<String> for Value {
    type Error = Error;

    fn try_from(value: String) -> Result<Self> {
        Value::try_from(&value[..])
    }
}

impl From<AnyArray> for Value {
    fn from(array: AnyArray) -> Self {
        Value::Array(array)
    }
}

impl From<Group> for Value {
    fn from(group: Group) -> Self {
        Value::Group(group)
    }
}

macro_rules! both_ways {
    ($($t:ty)*) => {
        $(
            there!($t, AnyArray, std::convert::identity);
            there!($t, Value, Value::Array);
            back!($t);
        )*
    };
}

macro_rules! there {
    ($t:ty, $to:ty, $wrap:expr) => {
        impl From<$t> for $to {
            fn from(value: $t) -> Self {
                ($wrap)(one(value))
            }
        }

        impl From<Vec<$t>> for $to {
            fn from(values: Vec<$t>) -> Self {
                ($wrap)(row(&values))
            }
        }

        impl From<&[$t]> for $to {
            fn from(values: &[$t]) -> Self {
                ($wrap)(row(values))
            }
        }

        impl<const N: usize> From<[$t; N]> for $to {
            fn from(values: [$t; N]) -> Self {
                ($wrap)(row(&values))
            }
        }
    };
}

macro_rules! back {
    ($($t:ty),*) => {
        $(
            impl TryFrom<&Value> for $t {
                type Error = Error;

                fn try_from(value: &Value) -> Result<Self> {
                    value.read()
                }
            }

            impl TryFrom<&Value> for Vec<$t> {
                type Error = Error;

                fn try_from(value: &Value) -> Result<Self> {
                    value.read()
                }
            }

            impl TryFrom<Value> for $t {
                type Error = Error;

                fn try_from(value: Value) -> Result<Self> {
                    value.read()
                }
            }

            impl TryFrom<Value> for Vec<$t> {
                type Error = Error;

                fn try_from(value: Value) -> Result<Self> {
                    value.read()
                }
            }
        )*
    };
}

both_ways! {
    bool i8 i16 i32 i64 u8 u16 u32 u64 f16 f32 f64 Complex<f32> Complex<f64>
}

back!(String);
