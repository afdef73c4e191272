//! Values of these types: random ones, written and read as derived code would.

use std::fmt;

use proptest::collection::vec;
use proptest::prelude::*;
use serde::de::{DeserializeSeed, Deserializer, EnumAccess, Error as _, MapAccess, SeqAccess, VariantAccess, Visitor};
use serde::ser::{
    SerializeMap, SerializeSeq, SerializeStruct, SerializeStructVariant, SerializeTuple, SerializeTupleStruct,
    SerializeTupleVariant,
};
use serde::{Serialize, Serializer};

use super::types::{FIELDS, Type, VARIANTS, Variant};
use crate::tree::text;

#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    Bool(bool),
    Int(i128),
    Uint(u128),
    /// Its bits, so that every NaN is equal to itself.
    F32(u32),
    F64(u64),
    Char(char),
    Text(String),
    Bytes(Vec<u8>),
    Unit,
    None,
    Some(Box<Value>),
    /// Elements, items, or fields; the one inside a newtype.
    Parts(Vec<Value>),
    Map(Vec<(Value, Value)>),
    /// Which variant, and what is in it.
    Variant(usize, Vec<Value>),
}

/// A random value of this type.
pub fn value(ty: &Type) -> BoxedStrategy<Value> {
    let parts = |types: &[Type]| types.iter().map(value).collect::<Vec<_>>();
    match ty {
        Type::Bool => any::<bool>().prop_map(Value::Bool).boxed(),
        Type::Int(bytes) => {
            let shift = 128 - 8 * u32::from(*bytes);
            prop_oneof![any::<i128>(), -2..3_i128, Just(i128::MIN), Just(i128::MAX)]
                .prop_map(move |v| Value::Int(if (-2..3).contains(&v) { v } else { v >> shift }))
                .boxed()
        }
        Type::Uint(bytes) => {
            let shift = 128 - 8 * u32::from(*bytes);
            prop_oneof![any::<u128>(), 0..3_u128, Just(u128::MAX)]
                .prop_map(move |v| Value::Uint(if v < 3 { v } else { v >> shift }))
                .boxed()
        }
        Type::F32 => any::<u32>().prop_map(Value::F32).boxed(),
        Type::F64 => prop_oneof![any::<u64>(), (-3..4).prop_map(|v: i32| f64::from(v).to_bits())]
            .prop_map(Value::F64)
            .boxed(),
        Type::Char => any::<char>().prop_map(Value::Char).boxed(),
        Type::Text => prop_oneof![9 => text(), 1 => any::<String>()]
            .prop_map(Value::Text)
            .boxed(),
        Type::Bytes => vec(any::<u8>(), 0..4).prop_map(Value::Bytes).boxed(),
        Type::Unit | Type::UnitStruct => Just(Value::Unit).boxed(),
        Type::Option(inner) => prop_oneof![
            1 => Just(Value::None),
            2 => value(inner).prop_map(|inner| Value::Some(inner.into())),
        ]
        .boxed(),
        Type::Newtype(inner) => value(inner).prop_map(|inner| Value::Parts(vec![inner])).boxed(),
        Type::Seq(inner) => vec(value(inner), 0..4).prop_map(Value::Parts).boxed(),
        Type::Tuple(types) | Type::TupleStruct(types) | Type::Struct(types) => {
            parts(types).prop_map(Value::Parts).boxed()
        }
        Type::Map(key, inner) => vec((value(key), value(inner)), 0..4)
            .prop_map(|mut entries| {
                let mut keys: Vec<Value> = Vec::new();
                entries.retain(|(key, _)| {
                    let is_new = !keys.contains(key);
                    keys.push(key.clone());
                    is_new
                });
                Value::Map(entries)
            })
            .boxed(),
        Type::Enum(variants) => {
            let each = variants.iter().enumerate().map(|(index, variant)| {
                let inside = match variant {
                    Variant::Unit => Just(Vec::new()).boxed(),
                    Variant::Newtype(inner) => value(inner).prop_map(|inner| vec![inner]).boxed(),
                    Variant::Tuple(types) | Variant::Struct(types) => parts(types).boxed(),
                };
                inside.prop_map(move |inside| Value::Variant(index, inside)).boxed()
            });
            proptest::strategy::Union::new(each).boxed()
        }
    }
}

/// A value and its type.
pub struct Typed<'a>(pub &'a Type, pub &'a Value);

impl Serialize for Typed<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match (self.0, self.1) {
            (_, Value::Bool(v)) => serializer.serialize_bool(*v),
            (Type::Int(1), Value::Int(v)) => serializer.serialize_i8(*v as i8),
            (Type::Int(2), Value::Int(v)) => serializer.serialize_i16(*v as i16),
            (Type::Int(4), Value::Int(v)) => serializer.serialize_i32(*v as i32),
            (Type::Int(8), Value::Int(v)) => serializer.serialize_i64(*v as i64),
            (_, Value::Int(v)) => serializer.serialize_i128(*v),
            (Type::Uint(1), Value::Uint(v)) => serializer.serialize_u8(*v as u8),
            (Type::Uint(2), Value::Uint(v)) => serializer.serialize_u16(*v as u16),
            (Type::Uint(4), Value::Uint(v)) => serializer.serialize_u32(*v as u32),
            (Type::Uint(8), Value::Uint(v)) => serializer.serialize_u64(*v as u64),
            (_, Value::Uint(v)) => serializer.serialize_u128(*v),
            (_, Value::F32(v)) => serializer.serialize_f32(f32::from_bits(*v)),
            (_, Value::F64(v)) => serializer.serialize_f64(f64::from_bits(*v)),
            (_, Value::Char(v)) => serializer.serialize_char(*v),
            (_, Value::Text(v)) => serializer.serialize_str(v),
            (_, Value::Bytes(v)) => serializer.serialize_bytes(v),
            (Type::UnitStruct, _) => serializer.serialize_unit_struct("Nothing"),
            (_, Value::Unit) => serializer.serialize_unit(),
            (_, Value::None) => serializer.serialize_none(),
            (Type::Option(ty), Value::Some(v)) => serializer.serialize_some(&Typed(ty, v)),
            (Type::Newtype(ty), Value::Parts(v)) => serializer.serialize_newtype_struct("Wrapped", &Typed(ty, &v[0])),
            (Type::Seq(ty), Value::Parts(v)) => {
                let mut seq = serializer.serialize_seq(Some(v.len()))?;
                v.iter().try_for_each(|v| seq.serialize_element(&Typed(ty, v)))?;
                seq.end()
            }
            (Type::Tuple(types), Value::Parts(v)) => {
                let mut tuple = serializer.serialize_tuple(v.len())?;
                each(types, v).try_for_each(|v| tuple.serialize_element(&v))?;
                tuple.end()
            }
            (Type::TupleStruct(types), Value::Parts(v)) => {
                let mut tuple = serializer.serialize_tuple_struct("Parts", v.len())?;
                each(types, v).try_for_each(|v| tuple.serialize_field(&v))?;
                tuple.end()
            }
            (Type::Struct(types), Value::Parts(v)) => {
                let mut fields = serializer.serialize_struct("Fields", v.len())?;
                FIELDS
                    .iter()
                    .zip(each(types, v))
                    .try_for_each(|(name, v)| fields.serialize_field(name, &v))?;
                fields.end()
            }
            (Type::Map(key, ty), Value::Map(entries)) => {
                let mut map = serializer.serialize_map(Some(entries.len()))?;
                for (k, v) in entries {
                    map.serialize_entry(&Typed(key, k), &Typed(ty, v))?;
                }
                map.end()
            }
            (Type::Enum(variants), Value::Variant(index, v)) => {
                let (name, number) = (VARIANTS[*index], *index as u32);
                match &variants[*index] {
                    Variant::Unit => serializer.serialize_unit_variant("Choice", number, name),
                    Variant::Newtype(ty) => {
                        serializer.serialize_newtype_variant("Choice", number, name, &Typed(ty, &v[0]))
                    }
                    Variant::Tuple(types) => {
                        let mut tuple = serializer.serialize_tuple_variant("Choice", number, name, v.len())?;
                        each(types, v).try_for_each(|v| tuple.serialize_field(&v))?;
                        tuple.end()
                    }
                    Variant::Struct(types) => {
                        let mut fields = serializer.serialize_struct_variant("Choice", number, name, v.len())?;
                        FIELDS
                            .iter()
                            .zip(each(types, v))
                            .try_for_each(|(name, v)| fields.serialize_field(name, &v))?;
                        fields.end()
                    }
                }
            }
            (ty, value) => unreachable!("{value:?} is no {ty:?}"),
        }
    }
}

fn each<'a>(types: &'a [Type], values: &'a [Value]) -> impl Iterator<Item = Typed<'a>> {
    types.iter().zip(values).map(|(ty, value)| Typed(ty, value))
}

impl<'de> DeserializeSeed<'de> for &Type {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        let visitor = TypeVisitor(self);
        match self {
            Type::Bool => deserializer.deserialize_bool(visitor),
            Type::Int(1) => deserializer.deserialize_i8(visitor),
            Type::Int(2) => deserializer.deserialize_i16(visitor),
            Type::Int(4) => deserializer.deserialize_i32(visitor),
            Type::Int(8) => deserializer.deserialize_i64(visitor),
            Type::Int(_) => deserializer.deserialize_i128(visitor),
            Type::Uint(1) => deserializer.deserialize_u8(visitor),
            Type::Uint(2) => deserializer.deserialize_u16(visitor),
            Type::Uint(4) => deserializer.deserialize_u32(visitor),
            Type::Uint(8) => deserializer.deserialize_u64(visitor),
            Type::Uint(_) => deserializer.deserialize_u128(visitor),
            Type::F32 => deserializer.deserialize_f32(visitor),
            Type::F64 => deserializer.deserialize_f64(visitor),
            Type::Char => deserializer.deserialize_char(visitor),
            Type::Text => deserializer.deserialize_string(visitor),
            Type::Bytes => deserializer.deserialize_byte_buf(visitor),
            Type::Unit => deserializer.deserialize_unit(visitor),
            Type::UnitStruct => deserializer.deserialize_unit_struct("Nothing", visitor),
            Type::Option(_) => deserializer.deserialize_option(visitor),
            Type::Newtype(_) => deserializer.deserialize_newtype_struct("Wrapped", visitor),
            Type::Seq(_) => deserializer.deserialize_seq(visitor),
            Type::Tuple(types) => deserializer.deserialize_tuple(types.len(), visitor),
            Type::TupleStruct(types) => deserializer.deserialize_tuple_struct("Parts", types.len(), visitor),
            Type::Struct(types) => deserializer.deserialize_struct("Fields", &FIELDS[..types.len()], visitor),
            Type::Map(..) => deserializer.deserialize_map(visitor),
            Type::Enum(variants) => deserializer.deserialize_enum("Choice", &VARIANTS[..variants.len()], visitor),
        }
    }
}

struct TypeVisitor<'t>(&'t Type);

impl<'de> Visitor<'de> for TypeVisitor<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.0)
    }

    fn visit_bool<E>(self, v: bool) -> Result<Value, E> {
        Ok(Value::Bool(v))
    }

    fn visit_i64<E>(self, v: i64) -> Result<Value, E> {
        Ok(Value::Int(v.into()))
    }

    fn visit_i128<E>(self, v: i128) -> Result<Value, E> {
        Ok(Value::Int(v))
    }

    fn visit_u64<E>(self, v: u64) -> Result<Value, E> {
        Ok(Value::Uint(v.into()))
    }

    fn visit_u128<E>(self, v: u128) -> Result<Value, E> {
        Ok(Value::Uint(v))
    }

    fn visit_f32<E>(self, v: f32) -> Result<Value, E> {
        Ok(Value::F32(v.to_bits()))
    }

    fn visit_f64<E>(self, v: f64) -> Result<Value, E> {
        Ok(Value::F64(v.to_bits()))
    }

    fn visit_char<E>(self, v: char) -> Result<Value, E> {
        Ok(Value::Char(v))
    }

    fn visit_str<E>(self, v: &str) -> Result<Value, E> {
        Ok(Value::Text(v.to_owned()))
    }

    fn visit_bytes<E>(self, v: &[u8]) -> Result<Value, E> {
        Ok(Value::Bytes(v.to_vec()))
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Unit)
    }

    fn visit_none<E>(self) -> Result<Value, E> {
        Ok(Value::None)
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        let Type::Option(inner) = self.0 else {
            return Err(D::Error::custom("an option"));
        };
        Ok(Value::Some(inner.deserialize(deserializer)?.into()))
    }

    fn visit_newtype_struct<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        let Type::Newtype(inner) = self.0 else {
            return Err(D::Error::custom("a newtype"));
        };
        Ok(Value::Parts(vec![inner.deserialize(deserializer)?]))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Value, A::Error> {
        let mut parts = Vec::new();
        match self.0 {
            Type::Seq(inner) => {
                while let Some(part) = seq.next_element_seed(&**inner)? {
                    parts.push(part);
                }
            }
            Type::Tuple(types) | Type::TupleStruct(types) | Type::Struct(types) => {
                for ty in types {
                    parts.push(
                        seq.next_element_seed(ty)?
                            .ok_or_else(|| A::Error::custom("an item is missing"))?,
                    );
                }
            }
            _ => return Err(A::Error::custom("a sequence")),
        }
        Ok(Value::Parts(parts))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Value, A::Error> {
        match self.0 {
            Type::Struct(types) => fields(types, map).map(Value::Parts),
            Type::Map(key, inner) => {
                let mut entries = Vec::new();
                while let Some(entry) = map.next_entry_seed(&**key, &**inner)? {
                    entries.push(entry);
                }
                Ok(Value::Map(entries))
            }
            _ => Err(A::Error::custom("a map")),
        }
    }

    fn visit_enum<A: EnumAccess<'de>>(self, access: A) -> Result<Value, A::Error> {
        let Type::Enum(variants) = self.0 else {
            return Err(A::Error::custom("an enum"));
        };
        let (index, inside) = access.variant_seed(Name(&VARIANTS[..variants.len()]))?;
        let parts = match &variants[index] {
            Variant::Unit => inside.unit_variant().map(|()| Vec::new())?,
            Variant::Newtype(ty) => vec![inside.newtype_variant_seed(ty)?],
            Variant::Tuple(types) => inside.tuple_variant(types.len(), PartsVisitor(types))?,
            Variant::Struct(types) => inside.struct_variant(&FIELDS[..types.len()], PartsVisitor(types))?,
        };
        Ok(Value::Variant(index, parts))
    }
}

/// The fields of a struct, in their order. One that is missing is None, as derived code has it.
fn fields<'de, A: MapAccess<'de>>(types: &[Type], mut map: A) -> Result<Vec<Value>, A::Error> {
    let mut found = vec![None; types.len()];
    while let Some(index) = map.next_key_seed(Name(&FIELDS[..types.len()]))? {
        found[index] = Some(map.next_value_seed(&types[index])?);
    }
    let parts = found.into_iter().zip(types).map(|(value, ty)| match (value, ty) {
        (Some(value), _) => Ok(value),
        (None, Type::Option(_)) => Ok(Value::None),
        (None, _) => Err(A::Error::custom("a field is missing")),
    });
    parts.collect()
}

/// The content of a variant.
struct PartsVisitor<'t>(&'t [Type]);

impl<'de> Visitor<'de> for PartsVisitor<'_> {
    type Value = Vec<Value>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a variant of {:?}", self.0)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Vec<Value>, A::Error> {
        let items = self.0.iter().map(|ty| {
            let item = seq.next_element_seed(ty)?;
            item.ok_or_else(|| A::Error::custom("an item is missing"))
        });
        items.collect()
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Vec<Value>, A::Error> {
        fields(self.0, map)
    }
}

/// The place of a name among these.
struct Name(&'static [&'static str]);

impl<'de> DeserializeSeed<'de> for Name {
    type Value = usize;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<usize, D::Error> {
        deserializer.deserialize_identifier(self)
    }
}

impl Visitor<'_> for Name {
    type Value = usize;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "one of {:?}", self.0)
    }

    fn visit_str<E: serde::de::Error>(self, v: &str) -> Result<usize, E> {
        self.0
            .iter()
            .position(|name| *name == v)
            .ok_or_else(|| E::custom(format_args!("the name {v}")))
    }
}
