//! Reads a value: our own formats say what it is; from all others it is rebuilt element by element.
//!
//! ```text
//! {"$serde_npz::raw": (header, data)}     an array, by the bytes of its file
//! {"$serde_npz::json": ".."}              a text, as it is
//! {"$serde_npz::value": {..}}             a group
//!
//! [[1, 2], [3, 4]]                        an array of another format: parts that join, from the inside out
//! ```

use std::fmt;

use serde::de::{self, Deserialize, DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};

use crate::error::{Error, ErrorKind, into_custom, is_our_error};
use crate::format::cast::{AnyNumber, Cast};
use crate::format::dtype::{Dtype, MAX_AXES, Wide};
use crate::format::header::Header;
use crate::npy::de::raw::WholeArray;
use crate::npy::marker::{JSON, RAW, VALUE};
use crate::npz::de::WHOLE_KEYS;
use crate::options::{Casting, MAX_GROUPS};
use crate::value::{AnyArray, Group, Value};
use crate::view::Element;

/// Deeper nested values of other formats are refused.
const MAX_DEPTH: u64 = MAX_GROUPS + MAX_AXES as u64;

impl<'de> Deserialize<'de> for Value {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Seed { depth: 0 }.deserialize(deserializer)?.finish()
    }
}

impl<'de> Deserialize<'de> for AnyArray {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        // Of a name that is both array and group this asks for the array.
        let anything = Anything { depth: 0 };
        match deserializer.deserialize_newtype_struct(RAW, anything)?.finish()? {
            Value::Array(array) => Ok(array),
            Value::Group(_) => Err(into_custom(
                Error::new(ErrorKind::TypeMismatch, "found a group, expected one array").with_hint(WHOLE_KEYS),
            )),
            Value::Json(_) => Err(mismatch("a JSON text", "one array")),
        }
    }
}

impl<'de> Deserialize<'de> for Group {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match Value::deserialize(deserializer)? {
            Value::Group(group) => Ok(group),
            Value::Array(_) => Err(mismatch("one array", "a group")),
            Value::Json(_) => Err(mismatch("a JSON text", "a group")),
        }
    }
}

#[cold]
fn mismatch<E: de::Error>(found: &str, expected: &str) -> E {
    into_custom(Error::new(
        ErrorKind::TypeMismatch,
        format_args!("found {found}, expected {expected}"),
    ))
}

/// A value that is being read. Scalars and arrays stay apart until it is known whether they join to one array.
enum Part {
    Scalar(Scalar),
    Array { shape: Vec<u64>, items: Vec<Scalar> },
    Whole(Value),
}

#[derive(Clone)]
enum Scalar {
    Bool(bool),
    Int(i64),
    /// Above `i64::MAX`.
    Uint(u64),
    F32(f32),
    F64(f64),
    Str(String),
}

/// What the elements of one array have in common.
#[derive(Clone, Copy, PartialEq)]
enum Common {
    Bool,
    Int,
    Uint,
    F32,
    F64,
    Str,
}

impl Part {
    fn finish<E: de::Error>(self) -> Result<Value, E> {
        match self {
            Part::Whole(value) => Ok(value),
            Part::Scalar(item) => array(Vec::new(), vec![item]),
            Part::Array { shape, items } => array(shape, items),
        }
    }

    /// The elements of a sequence as one array, where they make one.
    fn join<E: de::Error>(parts: Vec<Part>) -> Result<Part, E> {
        let fits = match parts.first() {
            Some(Part::Scalar(_)) => parts.iter().all(|part| matches!(part, Part::Scalar(_))),
            Some(Part::Array { shape: first, .. }) => {
                first.len() < MAX_AXES
                    && parts
                        .iter()
                        .all(|part| matches!(part, Part::Array { shape, .. } if shape == first))
            }
            Some(Part::Whole(_)) => false,
            None => true,
        };
        if fits && common(parts.iter().flat_map(Part::items)).is_some() {
            let mut shape = vec![parts.len() as u64];
            if let Some(Part::Array { shape: inner, .. }) = parts.first() {
                shape.extend(inner);
            }
            let mut all = Vec::with_capacity(parts.len());
            for part in parts {
                match part {
                    Part::Scalar(item) => all.push(item),
                    Part::Array { items, .. } => all.extend(items),
                    Part::Whole(_) => {}
                }
            }
            return Ok(Part::Array { shape, items: all });
        }
        let mut group = Group::new();
        for (i, part) in parts.into_iter().enumerate() {
            group.insert(i.to_string(), part.finish::<E>()?);
        }
        Ok(Part::Whole(Value::Group(group)))
    }

    fn items(&self) -> &[Scalar] {
        match self {
            Part::Scalar(item) => std::slice::from_ref(item),
            Part::Array { items, .. } => items,
            Part::Whole(_) => &[],
        }
    }
}

/// The one kind that holds all items exactly; no items at all count as floats.
fn common<'a>(items: impl Iterator<Item = &'a Scalar> + Clone) -> Option<Common> {
    let mut found: Option<Common> = None;
    let mut negative = false;
    for item in items.clone() {
        let kind = match item {
            Scalar::Bool(_) => Common::Bool,
            Scalar::Int(v) => {
                negative |= *v < 0;
                Common::Int
            }
            Scalar::Uint(_) => Common::Uint,
            Scalar::F32(_) => Common::F32,
            Scalar::F64(_) => Common::F64,
            Scalar::Str(_) => Common::Str,
        };
        found = Some(match (found, kind) {
            (None, kind) => kind,
            (Some(before), kind) if before == kind => kind,
            (Some(Common::Int | Common::Uint), Common::Int | Common::Uint) => Common::Uint,
            (
                Some(Common::Int | Common::Uint | Common::F32 | Common::F64),
                Common::Int | Common::Uint | Common::F32 | Common::F64,
            ) => Common::F64,
            _ => return None,
        });
    }
    match found {
        Some(Common::Uint) if negative => None,
        Some(Common::F64) if !items.into_iter().all(exact) => None,
        None => Some(Common::F64),
        found => found,
    }
}

fn exact(item: &Scalar) -> bool {
    let number = match *item {
        Scalar::Int(v) => AnyNumber::Int(v),
        Scalar::Uint(v) => AnyNumber::Uint(v),
        _ => return true,
    };
    f64::cast(number, Casting::Safe).is_ok()
}

fn array<E: de::Error>(shape: Vec<u64>, items: Vec<Scalar>) -> Result<Value, E> {
    let kind = common(items.iter());
    let row: AnyArray = match kind {
        Some(Common::Bool) => elements(&items, |item| matches!(item, Scalar::Bool(true))),
        Some(Common::Int) => elements(&items, |item| match *item {
            Scalar::Int(v) => v,
            _ => 0,
        }),
        Some(Common::Uint) => elements(&items, |item| match *item {
            Scalar::Uint(v) => v,
            Scalar::Int(v) => v as u64,
            _ => 0,
        }),
        Some(Common::F32) => elements(&items, |item| match *item {
            Scalar::F32(v) => v,
            _ => 0.0,
        }),
        Some(Common::Str) => {
            let text = |item| match item {
                Scalar::Str(text) => text,
                _ => String::new(),
            };
            let texts: Vec<String> = items.into_iter().map(text).collect();
            AnyArray::new(&texts).map_err(|err| into_custom(err.without_path()))?
        }
        Some(Common::F64) | None => elements(&items, |item| match *item {
            Scalar::F64(v) => v,
            Scalar::F32(v) => v.into(),
            Scalar::Int(v) => v as f64,
            Scalar::Uint(v) => v as f64,
            _ => 0.0,
        }),
    };
    row.reshape(&shape).map(Value::Array).map_err(into_custom)
}

fn elements<T: Element>(items: &[Scalar], element: impl Fn(&Scalar) -> T) -> AnyArray {
    items.iter().map(element).collect::<Vec<_>>().into()
}

/// An integer that is too large for a number of NumPy's.
fn wide(wide: Wide, bytes: [u8; 16]) -> Part {
    Part::Whole(Value::Array(AnyArray::of(Header::single(wide.dtype()), bytes.into())))
}

/// A value within so many sequences and maps.
struct Seed {
    depth: u64,
}

impl<'de> DeserializeSeed<'de> for Seed {
    type Value = Part;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Part, D::Error> {
        if self.depth > MAX_DEPTH {
            return Err(into_custom(Error::new(
                ErrorKind::LimitExceeded,
                format_args!("found a value nested deeper than {MAX_DEPTH} levels, expected no more than that"),
            )));
        }
        deserializer.deserialize_newtype_struct(VALUE, Anything { depth: self.depth })
    }
}

struct Anything {
    depth: u64,
}

/// The members of a group at this depth, of which the first name has been read.
fn members<'de, A: MapAccess<'de>>(depth: u64, first: Option<String>, mut map: A) -> Result<Group, A::Error> {
    let mut group = Group::new();
    let mut next = first;
    while let Some(name) = next {
        let value = map.next_value_seed(Seed { depth: depth + 1 })?.finish::<A::Error>()?;
        if group.get(&name).is_some() {
            return Err(into_custom(Error::new(
                ErrorKind::DuplicateName,
                format_args!("found two members of the name {name:?}, expected each name once"),
            )));
        }
        group.insert(name, value);
        next = map.next_key()?;
    }
    Ok(group)
}

macro_rules! scalars {
    ($($visit:ident $t:ty, $v:ident => $scalar:expr;)*) => {
        $(
            fn $visit<E: de::Error>(self, $v: $t) -> Result<Part, E> {
                Ok(Part::Scalar($scalar))
            }
        )*
    };
}

impl<'de> Visitor<'de> for Anything {
    type Value = Part;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an array, a group or a text")
    }

    scalars! {
        visit_bool bool, v => Scalar::Bool(v);
        visit_i64 i64, v => Scalar::Int(v);
        visit_u64 u64, v => i64::try_from(v).map_or(Scalar::Uint(v), Scalar::Int);
        visit_f32 f32, v => Scalar::F32(v);
        visit_f64 f64, v => Scalar::F64(v);
        visit_str &str, v => Scalar::Str(v.to_owned());
        visit_string String, v => Scalar::Str(v);
    }

    fn visit_i128<E: de::Error>(self, v: i128) -> Result<Part, E> {
        match i64::try_from(v) {
            Ok(v) => self.visit_i64(v),
            Err(_) => Ok(wide(Wide::I128, v.to_le_bytes())),
        }
    }

    fn visit_u128<E: de::Error>(self, v: u128) -> Result<Part, E> {
        match u64::try_from(v) {
            Ok(v) => self.visit_u64(v),
            Err(_) => Ok(wide(Wide::U128, v.to_le_bytes())),
        }
    }

    fn visit_bytes<E: de::Error>(self, v: &[u8]) -> Result<Part, E> {
        self.visit_byte_buf(v.to_vec())
    }

    fn visit_byte_buf<E: de::Error>(self, v: Vec<u8>) -> Result<Part, E> {
        let header = Header::vector(Dtype::uint(1), v.len());
        Ok(Part::Whole(Value::Array(AnyArray::of(header, v))))
    }

    fn visit_unit<E: de::Error>(self) -> Result<Part, E> {
        let header = Header::single(Dtype::void(0));
        Ok(Part::Whole(Value::Array(AnyArray::of(header, Vec::new()))))
    }

    fn visit_none<E: de::Error>(self) -> Result<Part, E> {
        self.visit_unit()
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Part, D::Error> {
        Seed { depth: self.depth + 1 }.deserialize(deserializer)
    }

    fn visit_newtype_struct<D: Deserializer<'de>>(self, deserializer: D) -> Result<Part, D::Error> {
        deserializer.deserialize_any(self)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Part, A::Error> {
        let mut parts = Vec::new();
        while let Some(part) = seq.next_element_seed(Seed { depth: self.depth + 1 })? {
            parts.push(part);
        }
        Part::join(parts)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Part, A::Error> {
        let first: Option<String> = map.next_key()?;
        // From one of our own formats, also through serde's buffer, the key of a map may say what it is.
        Ok(Part::Whole(
            match first.as_deref().filter(|_| is_our_error::<A::Error>()) {
                Some(RAW) => {
                    let parts: WholeArray<'de> = map.next_value()?;
                    Value::Array(AnyArray::of(parts.header, parts.data.into_owned()))
                }
                Some(JSON) => Value::Json(map.next_value()?),
                Some(VALUE) => Value::Group(map.next_value_seed(Members { depth: self.depth })?),
                _ => Value::Group(members(self.depth, first, map)?),
            },
        ))
    }
}

/// Reads the members of a group, in which every name is a plain name.
struct Members {
    depth: u64,
}

impl<'de> DeserializeSeed<'de> for Members {
    type Value = Group;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Group, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Members {
    type Value = Group;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a group")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Group, A::Error> {
        let first = map.next_key()?;
        members(self.depth, first, map)
    }
}
