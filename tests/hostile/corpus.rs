//! Every file of the NumPy corpus: the values NumPy sees, or the class of refusal.

use std::fs;
use std::io::Cursor;

use crate::common::Any;
use serde_json::Value;
use serde_npz::{Error, ErrorKind, Header, NpzReader, ReadOptions};

#[test]
fn every_case_of_the_manifest() {
    let manifest: Value =
        serde_json::from_slice(&fs::read(crate::common::data("numpy/manifest.json")).unwrap()).unwrap();
    let mut failures = Vec::new();
    let cases = manifest["cases"].as_array().unwrap();
    assert_eq!(cases.len(), 364);
    for case in cases {
        let outcome = match case["kind"].as_str().unwrap() {
            "npy" => npy(case),
            "npz" => npz(case),
            other => Err(format!("unknown kind {other}")),
        };
        if let Err(why) = outcome {
            failures.push(format!("{}: {why}", case["id"].as_str().unwrap()));
        }
    }
    assert!(
        failures.is_empty(),
        "{} of {} failed:\n{}",
        failures.len(),
        cases.len(),
        failures.join("\n")
    );
}

type Verdict = Result<(), String>;

fn bytes(case: &Value) -> Vec<u8> {
    fs::read(crate::common::data("numpy").join(case["path"].as_str().unwrap())).unwrap()
}

fn options(case: &Value) -> ReadOptions {
    let mut options = ReadOptions::new();
    if let Some(size) = case["options"]["max_header_size"].as_u64() {
        options = options.max_header_size(size as usize);
    }
    options
}

fn npy(case: &Value) -> Verdict {
    let bytes = bytes(case);
    let options = options(case);
    let from_slice = options.from_npy_slice::<Any>(&bytes);
    let from_reader = options.from_npy_reader::<_, Any>(&bytes[..]);
    if case.get("expect_error").is_some() {
        refused(case, from_slice.map(drop)).map_err(|why| format!("from a slice: {why}"))?;
        return refused(case, from_reader.map(drop)).map_err(|why| format!("from a stream: {why}"));
    }
    let array = &case["arrays"][0];
    let value = match from_slice {
        // A bool that is none is a value out of range, as a code point is.
        Err(err) if case["id"] == "o-numeric-bool-nonbinary-a" && err.kind() == ErrorKind::InvalidValue => {
            return Ok(());
        }
        Err(err) => return allowed(case, &err),
        Ok(value) => value,
    };
    same_array(array, &value)?;
    same_array(array, &from_reader.map_err(|err| format!("from a stream only: {err}"))?)?;
    let header = Header::read_with(&mut &bytes[..], &options).map_err(|err| format!("header: {err}"))?;
    same_header(array, &header)
}

fn npz(case: &Value) -> Verdict {
    let bytes = bytes(case);
    let options = options(case);
    let Some(arrays) = case["arrays"].as_array() else {
        return refused(case, load_all(&bytes, &options));
    };
    let mut reader = match NpzReader::with_options(Cursor::new(&bytes[..]), &options) {
        Err(err) => return allowed(case, &err),
        Ok(reader) => reader,
    };
    let names: Vec<&str> = reader.names().collect();
    let wanted: Vec<&str> = arrays.iter().map(|a| a["name"].as_str().unwrap()).collect();
    let required: Vec<&str> = arrays
        .iter()
        .filter(|a| a["optional"] != true)
        .map(|a| a["name"].as_str().unwrap())
        .collect();
    // A key that comes twice is listed twice, as in NumPy.
    let members: Vec<&str> = case["members"].as_array().map_or_else(Vec::new, |members| {
        members
            .iter()
            .filter_map(Value::as_str)
            .map(|name| name.strip_suffix(".npy").unwrap_or(name))
            .collect()
    });
    if names != wanted && names != required && names != members {
        return Err(format!("names {names:?}, expected {wanted:?}"));
    }
    for array in arrays {
        let name = array["name"].as_str().unwrap();
        let in_member = |why: String| format!("{name:?}: {why}");
        if let Some(raw) = array["raw"].as_array() {
            if array["optional"] == true && !reader.contains(name) {
                continue;
            }
            let raw: Vec<u8> = raw.iter().map(|byte| byte.as_u64().unwrap() as u8).collect();
            let found = reader.raw(name).map_err(|err| in_member(err.to_string()))?;
            if found != raw {
                return Err(in_member(format!("raw gives {found:?}")));
            }
            match reader.get::<Any>(name) {
                Err(err) if err.kind() == ErrorKind::NotAnArray => continue,
                other => return Err(in_member(format!("expected NotAnArray, found {other:?}"))),
            }
        }
        let found = reader.get::<Any>(name);
        if array.get("expect_error").is_some() {
            refused(array, found.map(drop)).map_err(in_member)?;
            continue;
        }
        let found = match found {
            Err(err) => {
                allowed(case, &err).map_err(in_member)?;
                continue;
            }
            Ok(found) => found,
        };
        same_array(array, &found).map_err(in_member)?;
        let header = reader.header(name).map_err(|err| in_member(err.to_string()))?;
        same_header(array, &header).map_err(in_member)?;
        // What NumPy wrote, both sides write alike: the header again, and the whole member.
        let raw = reader.raw(name).map_err(|err| in_member(err.to_string()))?;
        let again = options
            .from_npy_slice::<Any>(&raw)
            .map_err(|err| in_member(err.to_string()))?;
        same_array(array, &again).map_err(in_member)?;
    }
    Ok(())
}

fn load_all(bytes: &[u8], options: &ReadOptions) -> serde_npz::Result<()> {
    let mut reader = NpzReader::with_options(Cursor::new(bytes), options)?;
    let names: Vec<String> = reader.names().map(str::to_owned).collect();
    for name in names {
        reader.get::<Any>(&name)?;
    }
    Ok(())
}

fn classes(kind: ErrorKind) -> &'static str {
    match kind {
        ErrorKind::Pickle => "pickle",
        ErrorKind::Truncated => "truncated",
        ErrorKind::BadMagic => "bad_magic",
        ErrorKind::UnsupportedVersion => "bad_version",
        ErrorKind::BadHeader => "bad_header",
        ErrorKind::UnsupportedDtype => "unsupported_dtype",
        ErrorKind::LimitExceeded => "limit",
        ErrorKind::CorruptArchive | ErrorKind::UnsupportedArchive => "corrupt_zip",
        _ => "another",
    }
}

fn refused(case: &Value, outcome: serde_npz::Result<()>) -> Verdict {
    let wanted = case["expect_error"].as_str().unwrap();
    match outcome {
        Ok(()) => Err(format!("accepted, expected {wanted}")),
        Err(err) if classes(err.kind()) == wanted => Ok(()),
        Err(err) => allowed(case, &err).map_err(|why| format!("{why}, or rather {wanted}")),
    }
}

fn allowed(case: &Value, err: &Error) -> Verdict {
    let class = classes(err.kind());
    match case["allow_error"].as_array() {
        Some(others) if others.iter().any(|other| other == class) => Ok(()),
        others => Err(format!("refused as {:?} ({err}), allowed: {others:?}", err.kind())),
    }
}

fn same_header(array: &Value, header: &Header) -> Verdict {
    let shape: Vec<u64> = array["shape"]
        .as_array()
        .unwrap()
        .iter()
        .map(|n| n.as_u64().unwrap())
        .collect();
    let dtype = match &array["dtype"] {
        Value::String(text) => text.clone(),
        other => python_literal(other),
    };
    let found = header.dtype().to_string();
    // Names that Python escapes are the business of `tests/headers.rs`.
    if found != dtype && !found.contains('\\') {
        return Err(format!("dtype {found}, expected {dtype}"));
    }
    if header.shape() != shape {
        return Err(format!("shape {:?}, expected {shape:?}", header.shape()));
    }
    if header.fortran_order() != array["fortran_order"].as_bool().unwrap() {
        return Err(format!("fortran_order {}", header.fortran_order()));
    }
    Ok(())
}

/// A record's descr: a list of tuples; lists inside those are tuples too, shapes and titles, unless they hold fields.
fn python_literal(descr: &Value) -> String {
    let tuple = |items: Vec<String>| match items.len() {
        1 => format!("({},)", items[0]),
        _ => format!("({})", items.join(", ")),
    };
    match descr {
        Value::Array(fields) if fields.iter().all(Value::is_array) => {
            let fields: Vec<String> = fields
                .iter()
                .map(|field| {
                    let parts = field
                        .as_array()
                        .unwrap()
                        .iter()
                        .enumerate()
                        .map(|(i, part)| match part {
                            Value::Array(items) if i != 1 => tuple(items.iter().map(python_literal).collect()),
                            other => python_literal(other),
                        });
                    tuple(parts.collect())
                })
                .collect();
            format!("[{}]", fields.join(", "))
        }
        Value::String(text) if text.contains('\'') && !text.contains('"') => format!("\"{text}\""),
        Value::String(text) => format!("'{}'", text.replace('\\', "\\\\").replace('\'', "\\'")),
        other => other.to_string(),
    }
}

fn same_array(array: &Value, found: &Any) -> Verdict {
    let axes = array["shape"].as_array().unwrap();
    match (array["dtype"].as_str(), &axes[..], found) {
        (Some("|V0"), [], Any::Unit) => Ok(()),
        (Some("|V0"), [n], Any::Map(entries)) if n == 0 && entries.is_empty() => Ok(()),
        _ => same(&array["dtype"], axes.len(), &array["data"], found),
    }
}

fn same(dtype: &Value, axes: usize, wanted: &Value, found: &Any) -> Verdict {
    let differs = || {
        Err(format!("found {found:?}, expected {wanted}")
            .chars()
            .take(400)
            .collect())
    };
    if axes > 0 {
        let (Value::Array(wanted), Any::Seq(found)) = (wanted, found) else {
            return differs();
        };
        if wanted.len() != found.len() {
            return differs();
        }
        return wanted
            .iter()
            .zip(found)
            .try_for_each(|(wanted, found)| same(dtype, axes - 1, wanted, found));
    }
    if let Value::Array(fields) = dtype {
        // A subarray as a whole dtype: ["<f8", [3]].
        if let [item @ Value::String(_), Value::Array(shape)] = &fields[..] {
            return same(item, shape.len(), wanted, found);
        }
        let (Value::Array(wanted), Any::Map(found)) = (wanted, found) else {
            return differs();
        };
        let fields: Vec<&Value> = fields.iter().filter(|field| !is_padding(field)).collect();
        if wanted.len() != found.len() || wanted.len() != fields.len() {
            return differs();
        }
        for ((field, wanted), (name, found)) in fields.iter().zip(wanted).zip(found) {
            if wanted[0] != name.as_str() {
                return Err(format!("field {name:?}, expected {}", wanted[0]));
            }
            let axes = field[2].as_array().map_or(0, Vec::len);
            same(&field[1], axes, &wanted[1], found)?;
        }
        return Ok(());
    }
    let kind = dtype
        .as_str()
        .unwrap()
        .trim_start_matches(['<', '>', '|', '='])
        .chars()
        .next()
        .unwrap();
    let equal = match (kind, found) {
        ('b', Any::Bool(b)) => wanted == b,
        ('i' | 'u' | 'M' | 'm', Any::Int(n)) => wanted.as_i64() == Some(*n),
        ('i' | 'u' | 'M' | 'm', Any::Uint(n)) => wanted.as_u64() == Some(*n),
        ('f', Any::Float(x)) => same_float(wanted, *x),
        ('c', Any::Seq(parts)) => match parts[..] {
            [Any::Float(re), Any::Float(im)] => same_float(&wanted[0], re) && same_float(&wanted[1], im),
            _ => false,
        },
        ('U', Any::Str(text)) => wanted == text.as_str(),
        ('S', Any::Str(text)) => wanted.as_array().is_some_and(|wanted| {
            let bytes = text.bytes().map(u64::from);
            bytes.eq(wanted.iter().map(|byte| byte.as_u64().unwrap()))
        }),
        ('S' | 'V', Any::Bytes(bytes)) => {
            let wanted: Vec<u8> = wanted
                .as_array()
                .unwrap()
                .iter()
                .map(|byte| byte.as_u64().unwrap() as u8)
                .collect();
            wanted == *bytes
        }
        _ => false,
    };
    if equal { Ok(()) } else { differs() }
}

fn is_padding(field: &Value) -> bool {
    field[0] == "" && field[1].as_str().is_some_and(|text| text.starts_with("|V"))
}

fn same_float(wanted: &Value, found: f64) -> bool {
    match wanted {
        Value::String(text) => match text.as_str() {
            "nan" => found.is_nan(),
            "inf" => found == f64::INFINITY,
            "-inf" => found == f64::NEG_INFINITY,
            _ => false,
        },
        number => number
            .as_f64()
            .is_some_and(|wanted| wanted.to_bits() == found.to_bits()),
    }
}
