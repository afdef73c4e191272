//! Headers of every `.npy` in NumPy's corpus: parsed as NumPy does, written byte for byte, or refused by class.

use std::fs;
use std::path::Path;

use serde_json::Value;
use serde_npz::{ErrorKind, Header, ReadOptions, Result};

#[test]
fn every_npy_of_the_corpus() {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/numpy");
    let manifest: Value = serde_json::from_slice(&fs::read(corpus.join("manifest.json")).unwrap()).unwrap();
    let mut failures = Vec::new();
    let mut seen = 0;
    for case in manifest["cases"].as_array().unwrap() {
        if case["kind"] == "npy" {
            seen += 1;
            let bytes = fs::read(corpus.join(case["path"].as_str().unwrap())).unwrap();
            if let Err(why) = check(case, &bytes) {
                failures.push(format!("{}: {why}", case["id"].as_str().unwrap()));
            }
        }
    }
    assert!(seen > 250, "only {seen} files");
    assert!(
        failures.is_empty(),
        "{} of {seen} failed:\n{}",
        failures.len(),
        failures.join("\n")
    );
}

fn check(case: &Value, bytes: &[u8]) -> std::result::Result<(), String> {
    let mut options = ReadOptions::new();
    if let Some(size) = case["options"]["max_header_size"].as_u64() {
        options = options.max_header_size(size as usize);
    }
    let mut rest = bytes;
    let refused = case.get("expect_error");
    let allowed = case.get("allow_error").and_then(Value::as_array);
    let classes: Vec<_> = refused
        .into_iter()
        .chain(allowed.into_iter().flatten())
        .map(kind)
        .collect();
    let header = match Header::read_with(&mut rest, &options) {
        Err(err) if classes.contains(&err.kind()) => return Ok(()),
        Err(err) => return Err(format!("{:?}: {err}", err.kind())),
        // The header of a file whose data is cut off is fine.
        Ok(_) if refused.is_some() && classes.contains(&ErrorKind::Truncated) => return Ok(()),
        Ok(_) if refused.is_some() => return Err(format!("read, expected {classes:?}")),
        Ok(header) => header,
    };
    let array = &case["arrays"][0];
    let canonical = with_descr(&descr(&array["dtype"])).map_err(|err| format!("manifest: {err}"))?;
    if header.dtype() != canonical.dtype() || header.dtype().to_string() != canonical.dtype().to_string() {
        return Err(format!("dtype {}, expected {}", header.dtype(), array["dtype"]));
    }
    let shape: Vec<u64> = array["shape"]
        .as_array()
        .unwrap()
        .iter()
        .map(|n| n.as_u64().unwrap())
        .collect();
    if header.shape() != shape || header.fortran_order() != array["fortran_order"].as_bool().unwrap() {
        return Err(format!("{:?} {}", header.shape(), header.fortran_order()));
    }
    let offset = bytes.len() - rest.len();
    if offset as u64 != array["data_offset"].as_u64().unwrap() {
        return Err(format!("stopped at {offset}, expected {}", array["data_offset"]));
    }
    let written = header.to_bytes();
    if case["writer"] == "numpy" && written != bytes[..offset] {
        return Err(format!("wrote {}", written.escape_ascii()));
    }
    let again = Header::read_with(&mut &written[..], &options).map_err(|err| err.to_string())?;
    if again != header {
        Err(format!("came back as {again:?}"))
    } else {
        Ok(())
    }
}

fn kind(class: &Value) -> ErrorKind {
    match class.as_str().unwrap() {
        "pickle" => ErrorKind::Pickle,
        "truncated" => ErrorKind::Truncated,
        "bad_magic" => ErrorKind::BadMagic,
        "bad_version" => ErrorKind::UnsupportedVersion,
        "bad_header" => ErrorKind::BadHeader,
        "unsupported_dtype" => ErrorKind::UnsupportedDtype,
        "limit" => ErrorKind::LimitExceeded,
        "corrupt_zip" => ErrorKind::CorruptArchive,
        other => panic!("unknown class {other}"),
    }
}

/// A dtype of the manifest, where tuples are lists, as a literal.
fn descr(dtype: &Value) -> String {
    let Value::Array(fields) = dtype else {
        return string(dtype);
    };
    let fields: Vec<String> = fields
        .iter()
        .map(|field| {
            let name = match &field[0] {
                Value::Array(both) => format!("({}, {})", string(&both[0]), string(&both[1])),
                name => string(name),
            };
            let shape = field.get(2).map_or(String::new(), |shape| format!(", {shape}"));
            format!("({name}, {}{shape})", descr(&field[1]))
        })
        .collect();
    format!("[{}]", fields.join(", "))
}

fn string(text: &Value) -> String {
    let escaped: String = text
        .as_str()
        .unwrap()
        .chars()
        .map(|c| format!("\\U{:08x}", u32::from(c)))
        .collect();
    format!("'{escaped}'")
}

/// The header of an array of no elements with this `descr`.
fn with_descr(descr: &str) -> Result<Header> {
    with_text(&format!("{{'descr': {descr}, 'fortran_order': False, 'shape': (0,)}}"))
}

fn with_text(text: &str) -> Result<Header> {
    let mut bytes = b"\x93NUMPY\x03\x00".to_vec();
    bytes.extend_from_slice(&(text.len() as u32).to_le_bytes());
    bytes.extend_from_slice(text.as_bytes());
    Header::read_with(&mut &bytes[..], &ReadOptions::new().max_header_size(10_000_000))
}
