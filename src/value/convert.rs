//! [`Value`] from plain Rust types and back.

use crate::error::{Error, Result};
use crate::format::dtype::for_each_number;
use crate::format::header::Header;
use crate::value::{AnyArray, Group, Value};
use crate::view::{Element, file_bytes};

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

impl<T: Element> From<T> for AnyArray {
    fn from(value: T) -> Self {
        AnyArray::of(Header::single(T::dtype()), file_bytes(&[value]).into_owned())
    }
}

impl<T: Element> From<&[T]> for AnyArray {
    fn from(values: &[T]) -> Self {
        AnyArray::of(
            Header::vector(T::dtype(), values.len()),
            file_bytes(values).into_owned(),
        )
    }
}

impl<T: Element> From<Vec<T>> for AnyArray {
    fn from(values: Vec<T>) -> Self {
        AnyArray::from(&values[..])
    }
}

impl<T: Element, const N: usize> From<[T; N]> for AnyArray {
    fn from(values: [T; N]) -> Self {
        AnyArray::from(&values[..])
    }
}

impl<T: Element> From<T> for Value {
    fn from(value: T) -> Self {
        Value::Array(value.into())
    }
}

impl<T: Element> From<&[T]> for Value {
    fn from(values: &[T]) -> Self {
        Value::Array(values.into())
    }
}

impl<T: Element> From<Vec<T>> for Value {
    fn from(values: Vec<T>) -> Self {
        Value::Array(values.into())
    }
}

impl<T: Element, const N: usize> From<[T; N]> for Value {
    fn from(values: [T; N]) -> Self {
        Value::Array(values.into())
    }
}

/// Texts are as wide as the widest; one that ends in NUL is refused, because NumPy would strip it.
macro_rules! texts {
    ($($from:ty => $to:ty, |$value:ident| $text:expr;)*) => { $(
        impl TryFrom<$from> for $to {
            type Error = Error;

            fn try_from($value: $from) -> Result<Self> {
                Ok(AnyArray::new($text)?.into())
            }
        }
    )* };
}

texts! {
    &[&str] => AnyArray, |values| values;
    &[String] => AnyArray, |values| values;
    &[&str] => Value, |values| values;
    &[String] => Value, |values| values;
    Vec<&str> => Value, |values| &values;
    Vec<String> => Value, |values| &values;
    &str => Value, |value| value;
    String => Value, |value| &value;
}

macro_rules! back {
    (() $($t:ty => $number:ident),*) => { $(
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
    )* };
}

for_each_number!(back!());
back!(() isize => I, usize => U, String => Str);
