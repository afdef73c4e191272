//! Types of serde's data model.

use proptest::prelude::*;

/// A type, as its `Serialize` and `Deserialize` would be derived.
#[derive(Clone, Debug)]
pub enum Type {
    Bool,
    /// Of so many bytes.
    Int(u8),
    Uint(u8),
    F32,
    F64,
    Char,
    Text,
    Bytes,
    Unit,
    UnitStruct,
    Option(Box<Type>),
    Newtype(Box<Type>),
    Seq(Box<Type>),
    Tuple(Vec<Type>),
    TupleStruct(Vec<Type>),
    Struct(Vec<Type>),
    Map(Box<Type>, Box<Type>),
    Enum(Vec<Variant>),
}

#[derive(Clone, Debug)]
pub enum Variant {
    Unit,
    Newtype(Type),
    Tuple(Vec<Type>),
    Struct(Vec<Type>),
}

pub const FIELDS: [&str; 5] = ["a", "b", "c", "d", "e"];
pub const VARIANTS: [&str; 4] = ["Red", "Green", "Blue", "Dark"];

/// The root of an archive.
pub fn root() -> impl Strategy<Value = Type> {
    proptest::collection::vec(ty(), 1..4).prop_map(Type::Struct)
}

fn scalar() -> impl Strategy<Value = Type> {
    prop_oneof![
        Just(Type::Bool),
        prop::sample::select(vec![1, 2, 4, 8, 16]).prop_map(Type::Int),
        prop::sample::select(vec![1, 2, 4, 8, 16]).prop_map(Type::Uint),
        Just(Type::F32),
        Just(Type::F64),
        Just(Type::Char),
        Just(Type::Text),
    ]
}

fn ty() -> impl Strategy<Value = Type> {
    let leaf = prop_oneof![
        12 => scalar(),
        1 => Just(Type::Bytes),
        1 => Just(Type::Unit),
        1 => Just(Type::UnitStruct),
    ];
    leaf.prop_recursive(4, 24, 4, |inner| {
        let many = || proptest::collection::vec(inner.clone(), 1..5);
        prop_oneof![
            4 => inner.clone().prop_map(|ty| Type::Seq(ty.into())),
            3 => inner.clone().prop_map(|ty| Type::Option(ty.into())),
            1 => inner.clone().prop_map(|ty| Type::Newtype(ty.into())),
            2 => many().prop_map(Type::Tuple),
            1 => proptest::collection::vec(inner.clone(), 2..5).prop_map(Type::TupleStruct),
            4 => many().prop_map(Type::Struct),
            2 => (key(), inner.clone()).prop_map(|(key, ty)| Type::Map(key.into(), ty.into())),
            2 => proptest::collection::vec(variant(inner.clone().boxed()), 1..4).prop_map(Type::Enum),
        ]
    })
}

fn variant(ty: BoxedStrategy<Type>) -> impl Strategy<Value = Variant> {
    prop_oneof![
        2 => Just(Variant::Unit),
        1 => ty.clone().prop_map(Variant::Newtype),
        1 => proptest::collection::vec(ty.clone(), 2..4).prop_map(Variant::Tuple),
        1 => proptest::collection::vec(ty, 1..4).prop_map(Variant::Struct),
    ]
}

/// What may be the key of a map.
fn key() -> impl Strategy<Value = Type> {
    prop_oneof![
        4 => Just(Type::Text),
        1 => prop::sample::select(vec![1, 2, 4, 8, 16]).prop_map(Type::Int),
        1 => prop::sample::select(vec![1, 2, 4, 8, 16]).prop_map(Type::Uint),
        1 => Just(Type::Char),
        1 => Just(Type::Bool),
        1 => Just(Type::Enum(vec![Variant::Unit; 3])),
    ]
}
