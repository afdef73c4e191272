//! Random JSON documents: saved and loaded, equal as numbers are compared, or refused as the table of what is refused says.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Number, Value, json};
use serde_npz::ErrorKind::{InvalidName, InvalidValue, LimitExceeded, Ragged};
use serde_npz::{from_npz_slice, to_npz_vec};

use crate::common::repetitions;

#[derive(Serialize, Deserialize)]
struct Document {
    json: Value,
}

/// Documents as a generator of small numbers makes them: the same ones on every run.
struct Random(u64);

impl Random {
    fn below(&mut self, n: u64) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % n
    }

    fn value(&mut self, depth: u64) -> Value {
        match self.below(if depth == 0 { 7 } else { 11 }) {
            0 => Value::Null,
            1 => json!(self.below(2) == 0),
            2 | 3 => self.number(),
            4 => json!(self.text()),
            5 => json!([]),
            6 => json!({}),
            // An array of one kind, and one of any.
            7 => {
                let kind = self.below(4);
                let len = self.below(4);
                (0..len).map(|_| self.of_kind(kind, depth - 1)).collect()
            }
            8 | 9 => {
                let len = self.below(4);
                (0..len).map(|_| self.value(depth - 1)).collect()
            }
            _ => {
                let len = self.below(4);
                let mut map = Map::new();
                for i in 0..len {
                    let key = if self.below(4) == 0 { i.to_string() } else { self.text() };
                    map.insert(key, self.value(depth - 1));
                }
                Value::Object(map)
            }
        }
    }

    fn of_kind(&mut self, kind: u64, depth: u64) -> Value {
        match kind {
            0 => self.number(),
            1 => json!(self.text()),
            2 => json!([self.number(), self.number()]),
            _ => json!({ "a": self.number(), "b": self.value(depth) }),
        }
    }

    fn number(&mut self) -> Value {
        match self.below(8) {
            0 => json!(self.below(100)),
            1 => json!(-1 - self.below(100) as i64),
            2 => json!(self.below(1000) as f64 / 8.0),
            3 => [json!(0), json!(-0.0), json!(1e308), json!(5e-324), json!(0.1)][self.below(5) as usize].clone(),
            4 => [
                json!(u64::MAX),
                json!(i64::MIN),
                json!(i64::MAX),
                json!((1_u64 << 53) + 1),
            ][self.below(4) as usize]
                .clone(),
            5 => json!(f64::from_bits(self.below(1 << 31) << 32 | self.below(1 << 31))),
            6 => json!(-(self.below(1 << 20) as f64)),
            _ => json!(self.below(1 << 31) << self.below(33)),
        }
    }

    fn text(&mut self) -> String {
        let texts = [
            "a",
            "bc",
            "",
            "é",
            "x.json",
            "a.npy",
            "0",
            "a b",
            "🦀",
            "nul\0in",
            "nul\0",
            "a/b",
            "arr_0",
            "'",
            "long text",
        ];
        // Mostly what is a name too.
        let some = if self.below(8) == 0 { texts.len() } else { 2 };
        texts[self.below(some as u64) as usize].to_owned()
    }
}

fn is_equal(a: &Number, b: &Number) -> bool {
    let int = |n: &Number| n.as_i64().map(i128::from).or_else(|| n.as_u64().map(i128::from));
    match (int(a), int(b)) {
        (Some(a), Some(b)) => a == b,
        (None, None) => a.as_f64().map(f64::to_bits) == b.as_f64().map(f64::to_bits),
        // An integer that was beside floats.
        (Some(int), None) => b.as_f64().is_some_and(|b| b as i128 == int && b.fract() == 0.0),
        (None, Some(_)) => false,
    }
}

fn equal(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Number(a), Value::Number(b)) => is_equal(a, b),
        (Value::Array(a), Value::Array(b)) => a.len() == b.len() && a.iter().zip(b).all(|(a, b)| equal(a, b)),
        (Value::Object(a), Value::Object(b)) => {
            a.len() == b.len() && a.iter().all(|(key, a)| b.get(key).is_some_and(|b| equal(a, b)))
        }
        // A map whose keys are exactly 0, 1, ..
        (Value::Object(a), Value::Array(b)) => {
            let mut elements = (0..b.len()).zip(b);
            a.len() == b.len() && elements.all(|(i, b)| a.get(&i.to_string()).is_some_and(|a| equal(a, b)))
        }
        _ => a == b,
    }
}

/// Whether a text or key is somewhere in the document for which `is` holds.
fn any_text(value: &Value, is: &dyn Fn(&str, bool) -> bool) -> bool {
    match value {
        Value::String(text) => is(text, false),
        Value::Array(items) => items.iter().any(|item| any_text(item, is)),
        Value::Object(map) => map.iter().any(|(key, value)| is(key, true) || any_text(value, is)),
        _ => false,
    }
}

#[test]
fn random_documents() {
    let count = repetitions("SERDE_NPZ_DOCUMENTS", 1_000, 10_000);
    let mut random = Random(1);
    let (mut saved, mut refused) = (0, 0);
    while saved < count {
        let json = random.value(5);
        match to_npz_vec(&Document { json: json.clone() }) {
            Ok(bytes) => {
                let back: Document = from_npz_slice(&bytes).unwrap_or_else(|err| panic!("{json}: {err}"));
                assert!(equal(&json, &back.json), "{json} became {}", back.json);
                saved += 1;
            }
            Err(err) => {
                let explained = match err.kind() {
                    InvalidValue => any_text(&json, &|text, key| !key && text.ends_with('\0')),
                    InvalidName => any_text(&json, &|text, key| {
                        key && (text.is_empty() || text.contains(['/', '\0']))
                    }),
                    Ragged => true,
                    _ => false,
                };
                assert!(explained, "{json}: {err}");
                refused += 1;
            }
        }
    }
    assert!(refused < count, "{refused} documents were refused");
}

#[test]
fn documents_of_note() {
    let nested = |levels: usize| (0..levels).fold(json!(1), |inner, _| json!([inner]));
    let lists = |levels: usize| (0..levels).fold(json!("a"), |inner, _| json!([inner, null]));
    let maps = |levels: usize| (0..levels).fold(json!(1), |inner, _| json!({ "a": inner }));
    for json in [
        nested(64),
        lists(60),
        maps(60),
        json!({ "0": 1, "1": 2 }),
        json!({ "1": 1, "0": 2 }),
        json!({ "0": {}, "2": [] }),
        json!([-0.0, 1e308, -1e308, 5e-324]),
        json!([i64::MIN, i64::MAX]),
        json!([u64::MAX, i64::MIN]),
        json!("nul\0inside"),
        json!({ "x.json": 1, "a.npy": { "b.npy": 2 }, "..": 3, "con": 4 }),
    ] {
        let bytes = to_npz_vec(&Document { json: json.clone() }).unwrap();
        let back: Document = from_npz_slice(&bytes).unwrap();
        assert!(equal(&json, &back.json), "{json} became {}", back.json);
    }
    for (json, kind) in [
        (nested(65), LimitExceeded),
        (lists(70), LimitExceeded),
        (maps(70), LimitExceeded),
        (json!("nul\0"), InvalidValue),
        (json!(["a", "nul\0"]), InvalidValue),
        (json!({ "": 1 }), InvalidName),
        (json!({ "a/b": 1 }), InvalidName),
        (json!({ "a\0": 1 }), InvalidName),
    ] {
        let err = to_npz_vec(&Document { json }).unwrap_err();
        assert_eq!(err.kind(), kind, "{err}");
    }
}
