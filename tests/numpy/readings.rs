//! Lone arrays read as vectors of numbers, beside what NumPy makes of them.

use serde::de::DeserializeOwned;
use serde_json::Value;
use serde_npz::Casting;

use crate::differential::options;

/// What a lone array is read as where axes of length 1 are left out and numbers become others in which they survive: as
/// vectors of some types, where that is possible.
fn readings(bytes: &[u8]) -> Vec<Vec<Number>> {
    fn read<T: DeserializeOwned>(bytes: &[u8], number: fn(T) -> Number) -> Option<Vec<Number>> {
        let options = options().squeeze(true).casting(Casting::Exact);
        let row: Vec<T> = options.from_npy_slice(bytes).ok()?;
        Some(row.into_iter().map(number).collect())
    }
    let all = [
        read(bytes, |v: bool| Number::Int(v.into())),
        read(bytes, |v: u8| Number::Int(v.into())),
        read(bytes, |v: i64| Number::Int(v.into())),
        read(bytes, |v: u64| Number::Int(v.into())),
        read(bytes, |v: f32| Number::Float(v.into())),
        read(bytes, Number::Float),
    ];
    all.into_iter().flatten().collect()
}

#[derive(Clone, Copy, Debug)]
enum Number {
    Int(i128),
    Float(f64),
}

impl Number {
    /// As Python shows a number, in `differential.py`.
    fn shown(value: &Value) -> Option<Number> {
        match value {
            Value::Bool(v) => Some(Number::Int((*v).into())),
            Value::Number(n) => Some(Number::Int(
                n.as_i64()
                    .map_or_else(|| n.as_u64().map(i128::from), |n| Some(n.into()))?,
            )),
            Value::String(text) if text == "nan" => Some(Number::Float(f64::NAN)),
            Value::String(text) => Some(Number::Float(f64::from_bits(u64::from_str_radix(text, 16).ok()?))),
            Value::Array(parts) => match &parts[..] {
                [re, im] if im == "0000000000000000" => Number::shown(re),
                _ => None,
            },
            _ => None,
        }
    }

    /// Whether both are the same number: -0.0 is no integer.
    fn is(self, other: Number) -> bool {
        match (self, other) {
            (Number::Int(a), Number::Int(b)) => a == b,
            (Number::Float(a), Number::Float(b)) => a.to_bits() == b.to_bits() || (a.is_nan() && b.is_nan()),
            (Number::Int(n), Number::Float(x)) | (Number::Float(x), Number::Int(n)) => {
                x.fract() == 0.0 && x.abs() < 1e30 && x as i128 == n && (n != 0 || x.is_sign_positive())
            }
        }
    }
}

/// A reading that is not what NumPy sees.
pub fn misread(bytes: &[u8], numpy: &Value) -> Option<String> {
    let row = numpy["lone"].get("row")?.as_array()?;
    readings(bytes).into_iter().find_map(|ours| {
        let same = ours.len() == row.len()
            && ours
                .iter()
                .zip(row)
                .all(|(ours, numpy)| Number::shown(numpy).is_some_and(|numpy| ours.is(numpy)));
        (!same).then(|| format!("we read {ours:?}\n  NumPy {}", numpy["lone"]))
    })
}
