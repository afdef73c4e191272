//! Values of any shape, many of them alike: one walk and two agree about each.

use half::f16;
use num_complex::Complex;
use proptest::prelude::*;
use serde::ser::{
    SerializeMap, SerializeSeq, SerializeStruct, SerializeStructVariant, SerializeTuple, SerializeTupleStruct,
    SerializeTupleVariant, Serializer,
};
use serde::{Serialize, ser};

use crate::agreed::agreed;

/// Any value serde can be given.
#[derive(Clone, Debug)]
enum Dyn {
    Bool(bool),
    U8(u8),
    I32(i32),
    U64(u64),
    F32(f32),
    F64(f64),
    F16(f16),
    Complex(Complex<f32>),
    Char(char),
    Str(&'static str),
    Bytes(&'static [u8]),
    Unit,
    None,
    Some(Box<Dyn>),
    Newtype(Box<Dyn>),
    Nan(Box<Dyn>),
    Variant(&'static str),
    NewtypeVariant(Box<Dyn>),
    TupleVariant(Vec<Dyn>),
    StructVariant(Vec<Dyn>),
    Struct(&'static str, u8, Vec<Dyn>),
    Flat(u8, Vec<Dyn>),
    Map(Vec<Dyn>),
    Tuple(Vec<Dyn>),
    TupleStruct(Vec<Dyn>),
    Seq(bool, Vec<Dyn>),
}

const NAMES: [[&str; 4]; 6] = [
    ["x", "y", "z", "w"],
    ["y", "x", "z", "w"],
    ["secs", "nanos", "z", "w"],
    ["secs_since_epoch", "nanos_since_epoch", "z", "w"],
    ["v", "dim", "data", "w"],
    ["f0", "f1", "f2", "f3"],
];

impl Serialize for Dyn {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Dyn::Bool(v) => serializer.serialize_bool(*v),
            Dyn::U8(v) => serializer.serialize_u8(*v),
            Dyn::I32(v) => serializer.serialize_i32(*v),
            Dyn::U64(v) => serializer.serialize_u64(*v),
            Dyn::F32(v) => serializer.serialize_f32(*v),
            Dyn::F64(v) => serializer.serialize_f64(*v),
            Dyn::F16(v) => v.serialize(serializer),
            Dyn::Complex(v) => v.serialize(serializer),
            Dyn::Char(v) => serializer.serialize_char(*v),
            Dyn::Str(v) => serializer.serialize_str(v),
            Dyn::Bytes(v) => serializer.serialize_bytes(v),
            Dyn::Unit => serializer.serialize_unit(),
            Dyn::None => serializer.serialize_none(),
            Dyn::Some(v) => serializer.serialize_some(&**v),
            Dyn::Newtype(v) => serializer.serialize_newtype_struct("Newtype", &**v),
            Dyn::Nan(v) => serde_npz::with::nan::serialize(&**v, serializer),
            Dyn::Variant(name) => serializer.serialize_unit_variant("Data", 0, name),
            Dyn::NewtypeVariant(v) => serializer.serialize_newtype_variant("Data", 1, "Newtype", &**v),
            Dyn::TupleVariant(parts) => {
                let mut out = serializer.serialize_tuple_variant("Data", 2, "Tuple", parts.len())?;
                parts.iter().try_for_each(|part| out.serialize_field(part))?;
                out.end()
            }
            Dyn::StructVariant(parts) => {
                let mut out = serializer.serialize_struct_variant("Data", 3, "Struct", parts.len())?;
                let mut parts = parts.iter().zip(NAMES[0]);
                parts.try_for_each(|(part, name)| out.serialize_field(name, part))?;
                out.end()
            }
            Dyn::Struct(name, names, parts) => {
                let mut out = serializer.serialize_struct(name, parts.len())?;
                let mut parts = parts.iter().zip(NAMES[usize::from(*names)]);
                parts.try_for_each(|(part, name)| out.serialize_field(name, part))?;
                out.end()
            }
            Dyn::Flat(names, parts) => {
                let mut out = serializer.serialize_map(None)?;
                let mut parts = parts.iter().zip(NAMES[usize::from(*names)]);
                // As derive does: the key itself is a `str`.
                parts.try_for_each(|(part, name)| out.serialize_entry::<str, _>(name, part))?;
                out.end()
            }
            Dyn::Map(parts) => serializer.collect_map(NAMES[0].into_iter().zip(parts)),
            Dyn::Tuple(parts) => {
                let mut out = serializer.serialize_tuple(parts.len())?;
                parts.iter().try_for_each(|part| out.serialize_element(part))?;
                out.end()
            }
            Dyn::TupleStruct(parts) => {
                let mut out = serializer.serialize_tuple_struct("Parts", parts.len())?;
                parts.iter().try_for_each(|part| out.serialize_field(part))?;
                ser::SerializeTupleStruct::end(out)
            }
            Dyn::Seq(known, parts) => {
                let mut out = serializer.serialize_seq(known.then_some(parts.len()))?;
                parts.iter().try_for_each(|part| out.serialize_element(part))?;
                out.end()
            }
        }
    }
}

/// A small generator of its own: one seed is one value.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % sides
    }

    fn leaf(&mut self) -> Dyn {
        match self.roll(20) {
            0 => Dyn::Bool(self.roll(2) == 1),
            1..=4 => Dyn::U8(self.roll(200) as u8),
            5 => Dyn::I32(self.roll(99) as i32 - 50),
            6 => Dyn::U64(self.roll(99)),
            7 => Dyn::F32(self.roll(99) as f32),
            8..=10 => Dyn::F64(self.roll(99) as f64),
            11 => Dyn::F64(f64::NAN),
            12 => Dyn::F16(f16::from_f32(0.5)),
            13 => Dyn::Complex(Complex::new(1.0, 2.0)),
            14 => Dyn::Char('é'),
            15 => Dyn::Str(["", "a", "abc"][self.roll(3) as usize]),
            16 => Dyn::Bytes([&b"ab"[..], b"abc"][self.roll(2) as usize]),
            17 => Dyn::Unit,
            18 => Dyn::None,
            _ => Dyn::Variant(["A", "Long"][self.roll(2) as usize]),
        }
    }

    fn parts(&mut self, depth: u64) -> Vec<Dyn> {
        let alike = self.roll(3) == 0;
        let first = self.value(depth - 1);
        let len = 1 + self.roll(3);
        let mut parts = vec![first];
        for _ in 1..len {
            let next = if alike { parts[0].clone() } else { self.value(depth - 1) };
            parts.push(next);
        }
        parts
    }

    fn value(&mut self, depth: u64) -> Dyn {
        if depth == 0 || self.roll(2) == 0 {
            return self.leaf();
        }
        let names = match self.roll(4) {
            0 => self.roll(NAMES.len() as u64) as u8,
            _ => 0,
        };
        match self.roll(24) {
            0 => Dyn::Some(Box::new(self.value(depth - 1))),
            1..=2 => Dyn::Newtype(Box::new(self.value(depth - 1))),
            3 => Dyn::Nan(Box::new(self.value(depth - 1))),
            4 => Dyn::Nan(Box::new(Dyn::Some(Box::new(self.value(depth - 1))))),
            5 => Dyn::NewtypeVariant(Box::new(self.value(depth - 1))),
            6 => Dyn::TupleVariant(self.parts(depth)),
            7 => Dyn::StructVariant(self.parts(depth)),
            8 => Dyn::Map(self.parts(depth)),
            9 => Dyn::Seq(self.roll(2) == 0, self.parts(depth)),
            10 => Dyn::Seq(true, Vec::new()),
            11 => Dyn::Struct(
                ["Duration", "SystemTime", "Array"][self.roll(3) as usize],
                names,
                self.parts(depth),
            ),
            12 => Dyn::Struct("Duration", 2, vec![Dyn::U64(self.roll(9)), Dyn::U64(self.roll(9))]),
            13 => Dyn::Struct("SystemTime", 3, vec![Dyn::U64(self.roll(9)), Dyn::U64(self.roll(9))]),
            14 => Dyn::Flat(names, self.parts(depth)),
            15..=16 => Dyn::TupleStruct(self.parts(depth)),
            17..=19 => Dyn::Tuple(self.parts(depth)),
            _ => Dyn::Struct("Record", names, self.parts(depth)),
        }
    }

    /// The same kinds, other numbers; now and then something else in one place.
    fn alike(&mut self, value: &mut Dyn, odds: u64) {
        if odds > 0 && self.roll(odds) == 0 {
            *value = match self.roll(4) {
                0 => Dyn::Newtype(Box::new(value.clone())),
                1 => Dyn::Some(Box::new(value.clone())),
                2 => Dyn::None,
                _ => self.value(1),
            };
            return;
        }
        match value {
            Dyn::U8(v) => *v = self.roll(200) as u8,
            Dyn::F64(v) => *v = self.roll(99) as f64,
            Dyn::Some(v) | Dyn::Newtype(v) | Dyn::Nan(v) | Dyn::NewtypeVariant(v) => self.alike(v, odds),
            Dyn::TupleVariant(parts)
            | Dyn::StructVariant(parts)
            | Dyn::Struct(_, _, parts)
            | Dyn::Flat(_, parts)
            | Dyn::Map(parts)
            | Dyn::Tuple(parts)
            | Dyn::TupleStruct(parts)
            | Dyn::Seq(_, parts) => {
                if odds > 0 && self.roll(odds * 2) == 0 && parts.len() < 4 {
                    parts.push(Dyn::U8(1));
                } else if odds > 0 && self.roll(odds * 2) == 0 {
                    parts.pop();
                }
                parts.iter_mut().for_each(|part| self.alike(part, odds));
            }
            _ => {}
        }
    }

    fn rows(&mut self) -> Dyn {
        let mut first = Dyn::Struct("Record", 0, self.parts(3));
        if self.roll(4) == 0 {
            first = self.value(3);
        }
        let odds = [0, 40, 15, 6][self.roll(4) as usize];
        let mut elements = vec![first.clone()];
        for _ in 0..1 + self.roll(4) {
            let mut next = first.clone();
            self.alike(&mut next, odds);
            elements.push(next);
        }
        let rows = Dyn::Seq(self.roll(8) > 0, elements);
        if self.roll(4) > 0 {
            return rows;
        }
        let mut more = vec![rows.clone()];
        for _ in 0..self.roll(3) {
            let mut next = rows.clone();
            self.alike(&mut next, odds);
            more.push(next);
        }
        Dyn::Seq(true, more)
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4000))]

    #[test]
    fn one_walk_and_two_agree(seed in any::<u64>()) {
        let mut dice = Dice(seed);
        dice.roll(2);
        let rows = dice.rows();
        if let Err(panic) = std::panic::catch_unwind(|| drop(agreed(&rows))) {
            let text = panic.downcast_ref::<String>().cloned().unwrap_or_default();
            prop_assert!(false, "{text}\n{rows:#?}");
        }
    }
}
