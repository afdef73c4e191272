//! Every dtype of numbers into every other one, as NumPy sees it: what it calls safe, and which values survive.

use crate::common::npy;
use half::f16;
use num_complex::Complex;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use serde_npz::{Casting, ReadOptions, to_npy_vec};

/// What becomes of a number, as the bytes of a file.
fn read(to: &str, bytes: &[u8], casting: Casting) -> Option<Vec<u8>> {
    fn as_bytes<T: DeserializeOwned + Serialize>(bytes: &[u8], casting: Casting) -> Option<Vec<u8>> {
        let value: T = ReadOptions::new().casting(casting).from_npy_slice(bytes).ok()?;
        let size = size_of::<T>();
        let file = to_npy_vec(&value).unwrap();
        Some(file[file.len() - size..].to_vec())
    }
    match to {
        "|b1" => as_bytes::<bool>(bytes, casting),
        "|i1" => as_bytes::<i8>(bytes, casting),
        "<i2" => as_bytes::<i16>(bytes, casting),
        "<i4" => as_bytes::<i32>(bytes, casting),
        "<i8" => as_bytes::<i64>(bytes, casting),
        "|u1" => as_bytes::<u8>(bytes, casting),
        "<u2" => as_bytes::<u16>(bytes, casting),
        "<u4" => as_bytes::<u32>(bytes, casting),
        "<u8" => as_bytes::<u64>(bytes, casting),
        "<f2" => as_bytes::<f16>(bytes, casting),
        "<f4" => as_bytes::<f32>(bytes, casting),
        "<f8" => as_bytes::<f64>(bytes, casting),
        "<c8" => as_bytes::<Complex<f32>>(bytes, casting),
        "<c16" => as_bytes::<Complex<f64>>(bytes, casting),
        _ => panic!("{to}"),
    }
}

fn hex(text: &Value) -> Vec<u8> {
    let text = text.as_str().unwrap();
    let digits = (0..text.len())
        .step_by(2)
        .map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap());
    digits.collect()
}

#[test]
#[ignore = "needs Python with NumPy"]
fn every_pair_of_numbers_converts_as_numpy_says() {
    let answers = crate::common::python(include_str!("casting.py"), &[]);
    let (mut count, mut wrong) = (0, Vec::new());
    for line in answers.lines() {
        let case: Value = serde_json::from_str(line).unwrap();
        let (from, to) = (case["from"].as_str().unwrap(), case["to"].as_str().unwrap());
        let kind = |dtype: &str| dtype.as_bytes()[1];
        let is_integer = |dtype: &str| b"iu".contains(&kind(dtype));
        // Beyond what NumPy calls safe for all values of a dtype: integers, one by one.
        let safe = case["safe"] == true || is_integer(from);
        let rounds = matches!((kind(from), kind(to)), (b'f', b'f' | b'c') | (b'c', b'c'));
        let survives = case["survives"] == true;
        let bytes = npy(&format!("'{from}'"), false, "()", &hex(&case["data"]));
        for (casting, accepted) in [
            (Casting::Safe, survives && safe),
            (Casting::Exact, survives),
            (Casting::SameKind, survives && safe || rounds),
        ] {
            count += 1;
            let found = read(to, &bytes, casting);
            let same = match &found {
                None => !accepted,
                // One NaN is as good as another.
                Some(_) if case["nan"] == true => accepted,
                Some(found) => accepted && *found == hex(&case["value"]),
            };
            if !same {
                wrong.push(format!("{casting:?} {found:02x?} for {case}"));
            }
        }
    }
    println!("{count} conversions");
    wrong.truncate(20);
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(count > 5_000, "{count}");
}
