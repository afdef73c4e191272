//! Random values of serde's data model with what has to come back of them, and what NumPy has to see.

use std::collections::BTreeMap;

use proptest::prelude::*;
use serde::ser::{SerializeMap, SerializeStruct};
use serde::{Serialize, Serializer};

use crate::common::Any;

/// A group, an array or a list.
#[derive(Clone, Debug)]
pub enum Node {
    Group(BTreeMap<String, Node>),
    List(Vec<Node>),
    Array(Array),
    Records(Vec<Record>),
    Marker,
}

/// Numbers or texts in C order, handed on as nested sequences.
#[derive(Clone, Debug)]
pub struct Array {
    pub shape: Vec<usize>,
    pub items: Items,
}

#[derive(Clone, Debug)]
pub enum Items {
    Bool(Vec<bool>),
    I8(Vec<i8>),
    I16(Vec<i16>),
    I32(Vec<i32>),
    I64(Vec<i64>),
    U8(Vec<u8>),
    U16(Vec<u16>),
    U32(Vec<u32>),
    U64(Vec<u64>),
    F32(Vec<f32>),
    F64(Vec<f64>),
    Text(Vec<String>),
}

#[derive(Clone, Debug)]
pub struct Record {
    pub id: u32,
    pub name: String,
    pub at: [f64; 2],
    pub flag: bool,
}

/// Runs the same expression on the items of any kind.
macro_rules! each {
    ($items:expr, $list:ident => $body:expr) => {
        match $items {
            Items::Bool($list) => $body,
            Items::I8($list) => $body,
            Items::I16($list) => $body,
            Items::I32($list) => $body,
            Items::I64($list) => $body,
            Items::U8($list) => $body,
            Items::U16($list) => $body,
            Items::U32($list) => $body,
            Items::U64($list) => $body,
            Items::F32($list) => $body,
            Items::F64($list) => $body,
            Items::Text($list) => $body,
        }
    };
}

impl Serialize for Node {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Node::Group(entries) => {
                let mut map = serializer.serialize_map(Some(entries.len()))?;
                for (key, value) in entries {
                    map.serialize_entry(key, value)?;
                }
                map.end()
            }
            Node::List(items) => serializer.collect_seq(items),
            Node::Array(array) => array.serialize(serializer),
            Node::Records(rows) => serializer.collect_seq(rows),
            Node::Marker => serializer.serialize_unit(),
        }
    }
}

impl Serialize for Array {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        each!(&self.items, list => Rows(&self.shape, list).serialize(serializer))
    }
}

struct Rows<'a, T>(&'a [usize], &'a [T]);

impl<T: Serialize> Serialize for Rows<'_, T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match *self.0 {
            [] => self.1[0].serialize(serializer),
            [_] => self.1.serialize(serializer),
            [n, ref rest @ ..] => {
                let len: usize = rest.iter().product();
                serializer.collect_seq((0..n).map(|i| Rows(rest, &self.1[i * len..(i + 1) * len])))
            }
        }
    }
}

impl Serialize for Record {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut fields = serializer.serialize_struct("Record", 4)?;
        fields.serialize_field("id", &self.id)?;
        fields.serialize_field("name", &self.name)?;
        fields.serialize_field("at", &self.at)?;
        fields.serialize_field("flag", &self.flag)?;
        fields.end()
    }
}

impl Node {
    /// What `deserialize_any` has to hand out of it.
    pub fn any(&self) -> Any {
        match self {
            Node::Group(entries) => Any::Map(entries.iter().map(|(key, node)| (key.clone(), node.any())).collect()),
            Node::List(items) => Any::Seq(items.iter().map(Node::any).collect()),
            Node::Array(array) => array.any(),
            Node::Records(rows) => Any::Seq(rows.iter().map(Record::any).collect()),
            Node::Marker => Any::Unit,
        }
    }

    /// Its members as NumPy has to see them: name, value, dtype and shape.
    pub fn members(&self, name: &str, into: &mut Vec<(String, Any, String, Vec<usize>)>) {
        let below = |key: &str| format!("{name}/{key}");
        match self {
            Node::Group(entries) if entries.is_empty() => {
                into.push((name.to_owned(), Any::Seq(Vec::new()), "|V0".to_owned(), vec![0]));
            }
            Node::Group(entries) => entries.iter().for_each(|(key, node)| node.members(&below(key), into)),
            Node::List(items) => {
                items
                    .iter()
                    .enumerate()
                    .for_each(|(i, node)| node.members(&below(&i.to_string()), into));
            }
            Node::Array(array) => into.push((name.to_owned(), array.any(), array.dtype(), array.seen())),
            Node::Records(rows) => {
                let width = rows
                    .iter()
                    .map(|row| row.name.chars().count())
                    .max()
                    .unwrap_or(0)
                    .max(1);
                let dtype = format!("[('id', '<u4'), ('name', '<U{width}'), ('at', '<f8', (2,)), ('flag', '|b1')]");
                into.push((name.to_owned(), self.any(), dtype, vec![rows.len()]));
            }
            Node::Marker => into.push((name.to_owned(), Any::Bytes(Vec::new()), "|V0".to_owned(), vec![])),
        }
    }
}

impl Array {
    fn dtype(&self) -> String {
        // Rows of a private type without elements: nothing tells what they would have held.
        if let [outer @ .., _] = &self.shape[..]
            && outer.contains(&0)
        {
            return "<f8".to_owned();
        }
        match &self.items {
            Items::Bool(_) => "|b1",
            Items::I8(_) => "|i1",
            Items::I16(_) => "<i2",
            Items::I32(_) => "<i4",
            Items::I64(_) => "<i8",
            Items::U8(_) => "|u1",
            Items::U16(_) => "<u2",
            Items::U32(_) => "<u4",
            Items::U64(_) => "<u8",
            Items::F32(_) => "<f4",
            Items::F64(_) => "<f8",
            Items::Text(texts) => {
                return format!(
                    "<U{}",
                    texts.iter().map(|text| text.chars().count()).max().unwrap_or(0).max(1)
                );
            }
        }
        .to_owned()
    }

    /// Sequences say nothing of the axes behind an empty one.
    fn seen(&self) -> Vec<usize> {
        match self.shape.iter().position(|&n| n == 0) {
            Some(empty) => self.shape[..=empty].to_vec(),
            None => self.shape.clone(),
        }
    }

    fn any(&self) -> Any {
        let flat: Vec<Any> = match &self.items {
            Items::Bool(list) => list.iter().map(|&v| Any::Bool(v)).collect(),
            Items::I8(list) => list.iter().map(|&v| Any::Int(v.into())).collect(),
            Items::I16(list) => list.iter().map(|&v| Any::Int(v.into())).collect(),
            Items::I32(list) => list.iter().map(|&v| Any::Int(v.into())).collect(),
            Items::I64(list) => list.iter().map(|&v| Any::Int(v)).collect(),
            Items::U8(list) => list.iter().map(|&v| Any::Uint(v.into())).collect(),
            Items::U16(list) => list.iter().map(|&v| Any::Uint(v.into())).collect(),
            Items::U32(list) => list.iter().map(|&v| Any::Uint(v.into())).collect(),
            Items::U64(list) => list.iter().map(|&v| Any::Uint(v)).collect(),
            Items::F32(list) => list.iter().map(|&v| Any::Float(v.into())).collect(),
            Items::F64(list) => list.iter().map(|&v| Any::Float(v)).collect(),
            Items::Text(list) => list.iter().cloned().map(Any::Str).collect(),
        };
        nest(&self.shape, &flat)
    }
}

fn nest(shape: &[usize], flat: &[Any]) -> Any {
    match *shape {
        [] => flat[0].clone(),
        [n, ref rest @ ..] => {
            let len: usize = rest.iter().product();
            Any::Seq((0..n).map(|i| nest(rest, &flat[i * len..(i + 1) * len])).collect())
        }
    }
}

impl Record {
    fn any(&self) -> Any {
        Any::Map(vec![
            ("id".into(), Any::Uint(self.id.into())),
            ("name".into(), Any::Str(self.name.clone())),
            ("at".into(), Any::Seq(self.at.iter().map(|&v| Any::Float(v)).collect())),
            ("flag".into(), Any::Bool(self.flag)),
        ])
    }
}

/// Texts of any script that do not end in NUL, now and then with one inside.
pub fn text() -> impl Strategy<Value = String> {
    prop_oneof![4 => "\\PC{0,6}", 1 => "[\\x00-\\x1f]{0,3}[a-z]", 1 => Just(String::new())]
}

/// Floats of every sort that is equal to itself.
pub fn float64() -> impl Strategy<Value = f64> {
    use proptest::num::f64::{INFINITE, NEGATIVE, NORMAL, POSITIVE, SUBNORMAL, ZERO};
    POSITIVE | NEGATIVE | NORMAL | SUBNORMAL | ZERO | INFINITE
}

pub fn float32() -> impl Strategy<Value = f32> {
    use proptest::num::f32::{INFINITE, NEGATIVE, NORMAL, POSITIVE, SUBNORMAL, ZERO};
    POSITIVE | NEGATIVE | NORMAL | SUBNORMAL | ZERO | INFINITE
}

fn array() -> impl Strategy<Value = Array> {
    proptest::collection::vec(0..4_usize, 0..4).prop_flat_map(|shape| {
        let n: usize = shape.iter().product();
        let many = move || n..=n;
        use proptest::collection::vec;
        let items = prop_oneof![
            vec(any::<bool>(), many()).prop_map(Items::Bool),
            vec(any::<i8>(), many()).prop_map(Items::I8),
            vec(any::<i16>(), many()).prop_map(Items::I16),
            vec(any::<i32>(), many()).prop_map(Items::I32),
            vec(any::<i64>(), many()).prop_map(Items::I64),
            vec(any::<u8>(), many()).prop_map(Items::U8),
            vec(any::<u16>(), many()).prop_map(Items::U16),
            vec(any::<u32>(), many()).prop_map(Items::U32),
            vec(any::<u64>(), many()).prop_map(Items::U64),
            vec(float32(), many()).prop_map(Items::F32),
            vec(float64(), many()).prop_map(Items::F64),
            vec(text(), many()).prop_map(Items::Text),
        ];
        items.prop_map(move |items| Array {
            shape: shape.clone(),
            items,
        })
    })
}

fn record() -> impl Strategy<Value = Record> {
    (any::<u32>(), text(), [float64(), float64()], any::<bool>()).prop_map(|(id, name, at, flag)| Record {
        id,
        name,
        at,
        flag,
    })
}

/// Keys that no sequence's index looks like.
fn key() -> impl Strategy<Value = String> {
    "[a-zé重🦀][ a-z0-9.\\\\'-]{0,6}[a-z]"
}

pub fn node() -> impl Strategy<Value = Node> {
    let leaf = prop_oneof![
        6 => array().prop_map(Node::Array),
        2 => proptest::collection::vec(record(), 1..4).prop_map(Node::Records),
        1 => Just(Node::Marker),
    ];
    leaf.prop_recursive(4, 24, 4, |inner| {
        let group = proptest::collection::btree_map(key(), inner, 0..4)
            .prop_map(Node::Group)
            .boxed();
        prop_oneof![
            2 => group.clone(),
            1 => proptest::collection::vec(group, 1..4).prop_map(Node::List),
        ]
    })
}

/// The root of an archive: never empty, as an empty one is no less a sequence than a map.
pub fn root() -> impl Strategy<Value = Node> {
    proptest::collection::btree_map(key(), node(), 1..6).prop_map(Node::Group)
}
