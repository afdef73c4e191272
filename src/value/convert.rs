//! [`Value`] from plain Rust types and back.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};

use serde::Serialize;

use crate::error::{Error, Result};
use crate::format::dtype::{Dtype, for_each_number};
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

/// Texts as an array as wide as the widest of them.
macro_rules! texts {
    ($($from:ty, |$value:ident| $text:expr;)*) => { $(
        impl TryFrom<$from> for AnyArray {
            type Error = Error;

            /// An error for a text that ends in NUL, which NumPy would strip.
            fn try_from($value: $from) -> Result<Self> {
                AnyArray::new($text)
            }
        }

        impl From<$from> for Value {
            /// What no array of texts can hold, such as a text that ends in NUL, becomes a JSON text.
            fn from($value: $from) -> Self {
                text_value($text)
            }
        }
    )* };
}

fn text_value<T: Serialize + ?Sized>(text: &T) -> Value {
    match (AnyArray::new(text), serde_json::to_string(text)) {
        (Err(_), Ok(json)) => Value::Json(json),
        (Ok(array), _) => Value::Array(array),
        // JSON takes every text.
        (Err(_), Err(_)) => Value::Json("null".into()),
    }
}

texts! {
    &str, |value| value;
    String, |value| &value;
    &String, |value| value;
    Cow<'_, str>, |value| &value;
    Box<str>, |value| &value;
    char, |value| &value;
    &[&str], |values| values;
    &[String], |values| values;
    Vec<&str>, |values| &values;
    Vec<String>, |values| &values;
    &Vec<String>, |values| values;
}

impl<const N: usize> From<[&str; N]> for Value {
    fn from(values: [&str; N]) -> Self {
        Value::from(&values[..])
    }
}

impl<const N: usize> From<[String; N]> for Value {
    fn from(values: [String; N]) -> Self {
        Value::from(&values[..])
    }
}

impl<T: Element> From<&Vec<T>> for Value {
    fn from(values: &Vec<T>) -> Self {
        Value::from(&values[..])
    }
}

impl<T: Element, const N: usize> From<&[T; N]> for Value {
    fn from(values: &[T; N]) -> Self {
        Value::from(&values[..])
    }
}

impl From<()> for Value {
    /// The marker that stands for no value.
    fn from((): ()) -> Self {
        Value::Array(AnyArray::of(Header::single(Dtype::void(0)), Vec::new()))
    }
}

impl<T: Into<Value>> From<Option<T>> for Value {
    /// None is the marker that stands for no value.
    fn from(value: Option<T>) -> Self {
        value.map_or_else(|| Value::from(()), Into::into)
    }
}

impl From<Vec<Value>> for Value {
    /// A list: a group with the names `0`, `1`, ..
    fn from(values: Vec<Value>) -> Self {
        values.into_iter().collect()
    }
}

impl<N: Into<String>, V: Into<Value>> From<BTreeMap<N, V>> for Value {
    fn from(members: BTreeMap<N, V>) -> Self {
        members.into_iter().collect()
    }
}

impl<N: Into<String>, V: Into<Value>, S> From<HashMap<N, V, S>> for Value {
    /// The members are in the order of the map, which is another one in every run of a program.
    fn from(members: HashMap<N, V, S>) -> Self {
        members.into_iter().collect()
    }
}

/// A group.
impl<N: Into<String>, V: Into<Value>> FromIterator<(N, V)> for Value {
    fn from_iter<I: IntoIterator<Item = (N, V)>>(members: I) -> Self {
        Value::Group(Group::from_iter(members))
    }
}

/// A list: a group with the names `0`, `1`, ..
impl FromIterator<Value> for Value {
    fn from_iter<I: IntoIterator<Item = Value>>(values: I) -> Self {
        let values = values.into_iter().enumerate();
        values.map(|(at, value)| (at.to_string(), value)).collect()
    }
}

/// An array of one axis.
impl<T: Element> FromIterator<T> for AnyArray {
    fn from_iter<I: IntoIterator<Item = T>>(values: I) -> Self {
        AnyArray::from(values.into_iter().collect::<Vec<T>>())
    }
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
