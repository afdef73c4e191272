//! Values of any shape: whatever calls a `Serialize` can make of a serializer, kept as a tree.

use std::cell::Cell;

use arbitrary::Arbitrary;
use serde::Serialize;
use serde::ser::{
    SerializeMap, SerializeSeq, SerializeStruct, SerializeStructVariant, SerializeTuple, SerializeTupleStruct,
    SerializeTupleVariant, Serializer,
};

/// Names of structs, variants and fields: plain ones, ones that mean something to the crate, ones that it refuses.
const NAMES: &[&str] = &[
    "a", "b", "c", "x", "y", "0", "1", "arr_0", "Array", "v", "dim", "data", "Duration", "secs", "nanos", "SystemTime",
    "secs_since_epoch", "nanos_since_epoch", "f16", "bf16", "Complex", "a/b", "x?", "", "n\0l", "name.npy", "..", "ü",
    "$serde_npz::nan", "$serde_npz::float16", "$serde_npz::bytes", "$serde_npz::list", "$serde_npz::ragged",
    "$serde_npz::json", "$serde_npz::raw", "$serde_npz::value", "$serde_npz::ordered", "$serde_npz::M8[ns]",
    "$serde_npz::m8[s]", "$serde_npz::pairs", "$serde_json::private::Number",
];

/// One of [`NAMES`].
#[derive(Arbitrary, Clone, Copy, Debug)]
pub struct Name(u8);

impl Name {
    fn get(self) -> &'static str {
        NAMES[usize::from(self.0) % NAMES.len()]
    }
}

/// How many elements a sequence announces.
#[derive(Arbitrary, Clone, Copy, Debug)]
pub enum Announced {
    Right,
    Nothing,
    Wrong(u8),
}

impl Announced {
    fn of(self, len: usize) -> Option<usize> {
        match self {
            Announced::Right => Some(len),
            Announced::Nothing => None,
            Announced::Wrong(n) => Some(n.into()),
        }
    }
}

/// A value by the calls it makes.
#[derive(Arbitrary, Debug)]
pub enum Node {
    Unit,
    Bool(bool),
    I8(i8),
    I16(i16),
    I32(i32),
    I64(i64),
    I128(i128),
    U8(u8),
    U16(u16),
    U32(u32),
    U64(u64),
    U128(u128),
    F32(f32),
    F64(f64),
    Char(char),
    Str(String),
    Bytes(Vec<u8>),
    None,
    Some(Box<Node>),
    UnitStruct(Name),
    UnitVariant(Name, u32, Name),
    Newtype(Name, Box<Node>),
    NewtypeVariant(Name, u32, Name, Box<Node>),
    Seq(Announced, Vec<Node>),
    /// The same element again and again, as in a real array.
    Repeat(u8, Box<Node>),
    Tuple(Vec<Node>),
    TupleStruct(Name, Vec<Node>),
    TupleVariant(Name, u32, Name, Vec<Node>),
    Map(Announced, Vec<(Node, Node)>),
    Struct(Name, Vec<(Name, Node)>),
    StructVariant(Name, u32, Name, Vec<(Name, Node)>),
    /// What flatten makes of a struct.
    Flat(Vec<(Name, Node)>),
    Numbers(Vec<f64>),
    Rows(Vec<[i32; 2]>),
    Texts(Vec<String>),
    /// One value at the first serialization, another one from then on.
    Unsteady(#[arbitrary(default)] Cell<bool>, Box<Node>, Box<Node>),
}

impl Serialize for Node {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Node::Unit => serializer.serialize_unit(),
            Node::Bool(v) => serializer.serialize_bool(*v),
            Node::I8(v) => serializer.serialize_i8(*v),
            Node::I16(v) => serializer.serialize_i16(*v),
            Node::I32(v) => serializer.serialize_i32(*v),
            Node::I64(v) => serializer.serialize_i64(*v),
            Node::I128(v) => serializer.serialize_i128(*v),
            Node::U8(v) => serializer.serialize_u8(*v),
            Node::U16(v) => serializer.serialize_u16(*v),
            Node::U32(v) => serializer.serialize_u32(*v),
            Node::U64(v) => serializer.serialize_u64(*v),
            Node::U128(v) => serializer.serialize_u128(*v),
            Node::F32(v) => serializer.serialize_f32(*v),
            Node::F64(v) => serializer.serialize_f64(*v),
            Node::Char(v) => serializer.serialize_char(*v),
            Node::Str(v) => serializer.serialize_str(v),
            Node::Bytes(v) => serializer.serialize_bytes(v),
            Node::None => serializer.serialize_none(),
            Node::Some(v) => serializer.serialize_some(v),
            Node::UnitStruct(name) => serializer.serialize_unit_struct(name.get()),
            Node::UnitVariant(name, index, variant) => {
                serializer.serialize_unit_variant(name.get(), *index, variant.get())
            }
            Node::Newtype(name, v) => serializer.serialize_newtype_struct(name.get(), v),
            Node::NewtypeVariant(name, index, variant, v) => {
                serializer.serialize_newtype_variant(name.get(), *index, variant.get(), v)
            }
            Node::Seq(announced, items) => {
                let mut seq = serializer.serialize_seq(announced.of(items.len()))?;
                for item in items {
                    seq.serialize_element(item)?;
                }
                seq.end()
            }
            Node::Repeat(n, item) => serializer.collect_seq((0..*n).map(|_| item)),
            Node::Tuple(items) => {
                let mut tuple = serializer.serialize_tuple(items.len())?;
                for item in items {
                    tuple.serialize_element(item)?;
                }
                tuple.end()
            }
            Node::TupleStruct(name, items) => {
                let mut tuple = serializer.serialize_tuple_struct(name.get(), items.len())?;
                for item in items {
                    tuple.serialize_field(item)?;
                }
                tuple.end()
            }
            Node::TupleVariant(name, index, variant, items) => {
                let mut tuple =
                    serializer.serialize_tuple_variant(name.get(), *index, variant.get(), items.len())?;
                for item in items {
                    tuple.serialize_field(item)?;
                }
                tuple.end()
            }
            Node::Map(announced, entries) => {
                let mut map = serializer.serialize_map(announced.of(entries.len()))?;
                for (key, value) in entries {
                    map.serialize_entry(key, value)?;
                }
                map.end()
            }
            Node::Struct(name, fields) => {
                let mut object = serializer.serialize_struct(name.get(), fields.len())?;
                for (field, value) in fields {
                    object.serialize_field(field.get(), value)?;
                }
                object.end()
            }
            Node::StructVariant(name, index, variant, fields) => {
                let mut object =
                    serializer.serialize_struct_variant(name.get(), *index, variant.get(), fields.len())?;
                for (field, value) in fields {
                    object.serialize_field(field.get(), value)?;
                }
                object.end()
            }
            Node::Flat(fields) => {
                let mut map = serializer.serialize_map(None)?;
                for (field, value) in fields {
                    map.serialize_entry(field.get(), value)?;
                }
                map.end()
            }
            Node::Numbers(v) => v.serialize(serializer),
            Node::Rows(v) => v.serialize(serializer),
            Node::Texts(v) => v.serialize(serializer),
            Node::Unsteady(again, first, then) => {
                let value = if again.replace(true) { then } else { first };
                value.serialize(serializer)
            }
        }
    }
}

impl Node {
    /// The elements of a sequence, to be written row by row.
    pub fn elements(&self) -> Option<&[Node]> {
        match self {
            Node::Seq(_, items) => Some(items),
            _ => None,
        }
    }

    /// About how many calls a serialization makes: repeated repetitions are soon more than a fuzzer has time for.
    pub fn calls(&self) -> u64 {
        let sum = |parts: &mut dyn Iterator<Item = u64>| parts.fold(1_u64, u64::saturating_add);
        match self {
            Node::Some(v) | Node::Newtype(_, v) | Node::NewtypeVariant(.., v) => v.calls().saturating_add(1),
            Node::Repeat(n, v) => v.calls().saturating_mul(u64::from(*n)).saturating_add(1),
            Node::Seq(_, items) | Node::Tuple(items) | Node::TupleStruct(_, items) | Node::TupleVariant(.., items) => {
                sum(&mut items.iter().map(Node::calls))
            }
            Node::Map(_, entries) => sum(&mut entries.iter().map(|(key, value)| key.calls().saturating_add(value.calls()))),
            Node::Struct(_, fields) | Node::StructVariant(.., fields) | Node::Flat(fields) => {
                sum(&mut fields.iter().map(|(_, value)| value.calls()))
            }
            Node::Unsteady(_, first, then) => first.calls().max(then.calls()),
            _ => 1,
        }
    }

    /// Whether every serialization makes the same calls, and as many as it announces.
    pub fn is_steady(&self) -> bool {
        match self {
            Node::Unsteady(..) | Node::Seq(Announced::Wrong(_), _) | Node::Map(Announced::Wrong(_), _) => false,
            Node::Some(v) | Node::Newtype(_, v) | Node::NewtypeVariant(.., v) | Node::Repeat(_, v) => v.is_steady(),
            Node::Seq(_, items) | Node::Tuple(items) | Node::TupleStruct(_, items) | Node::TupleVariant(.., items) => {
                items.iter().all(Node::is_steady)
            }
            Node::Map(_, entries) => entries.iter().all(|(key, value)| key.is_steady() && value.is_steady()),
            Node::Struct(_, fields) | Node::StructVariant(.., fields) | Node::Flat(fields) => {
                fields.iter().all(|(_, value)| value.is_steady())
            }
            _ => true,
        }
    }
}
