//! `with::json` reads a JSON text wherever it is kept, and writes a member of its own.

use std::collections::BTreeMap;
use std::io::Cursor;

use serde::{Deserialize, Serialize};
use serde_npz::{ErrorKind, Header, NpzReader, from_npy_slice, from_npz_slice, to_npz_vec};

use super::{json, layout, round};

#[derive(Serialize, Deserialize, Debug, PartialEq, Clone)]
struct Settings {
    name: String,
    steps: Option<u32>,
}

fn settings() -> Settings {
    Settings {
        name: "é".into(),
        steps: None,
    }
}

const TEXT: &str = r#"{"name": "é", "steps": null}"#;

/// What NumPy has as a lone array, read by a type that is nothing but the module.
#[derive(Deserialize, Debug, PartialEq)]
struct Kept(#[serde(with = "serde_npz::with::json")] Settings);

#[derive(Deserialize, Debug, PartialEq)]
struct Maybe(#[serde(with = "serde_npz::with::json")] Option<Settings>);

fn npy(descr: &str, shape: &[u64], data: &[u8]) -> Vec<u8> {
    let header = Header::new(descr.parse().unwrap(), shape.to_vec(), false).unwrap();
    let mut bytes = header.to_bytes();
    bytes.extend_from_slice(data);
    bytes
}

fn utf32(text: &str, big: bool) -> Vec<u8> {
    let bytes = |c: char| {
        if big {
            u32::from(c).to_be_bytes()
        } else {
            u32::from(c).to_le_bytes()
        }
    };
    text.chars().flat_map(bytes).collect()
}

fn everywhere(text: &str) -> Vec<Vec<u8>> {
    let (chars, bytes) = (text.chars().count(), text.len() as u64);
    let mut padded = text.as_bytes().to_vec();
    padded.extend([0; 3]);
    vec![
        npy(&format!("<U{chars}"), &[], &utf32(text, false)),
        npy(&format!(">U{chars}"), &[], &utf32(text, true)),
        npy(&format!("|S{}", bytes + 3), &[], &padded),
        npy(&format!("|V{bytes}"), &[], text.as_bytes()),
        npy("|u1", &[bytes], text.as_bytes()),
        npy("|i1", &[bytes], text.as_bytes()),
        npy("|S1", &[bytes], text.as_bytes()),
        npy("|u1", &[bytes + 3], &padded),
    ]
}

#[test]
fn json_is_read_wherever_it_is_kept() {
    for bytes in everywhere(TEXT) {
        assert_eq!(from_npy_slice::<Kept>(&bytes).unwrap(), Kept(settings()));
        assert_eq!(from_npy_slice::<Maybe>(&bytes).unwrap(), Maybe(Some(settings())));
    }
    for bytes in everywhere("null") {
        assert_eq!(from_npy_slice::<Maybe>(&bytes).unwrap(), Maybe(None));
    }
    assert_eq!(from_npy_slice::<Maybe>(&npy("|V0", &[], &[])).unwrap(), Maybe(None));
    for bytes in everywhere(r#"{"name": 1}"#) {
        let err = from_npy_slice::<Kept>(&bytes).unwrap_err();
        assert_eq!(err.kind(), ErrorKind::InvalidValue, "{err}");
    }
    for bytes in everywhere("{} x") {
        let err = from_npy_slice::<Kept>(&bytes).unwrap_err();
        assert_eq!(err.kind(), ErrorKind::InvalidValue, "{err}");
    }
}

#[test]
fn json_in_archives_and_records() {
    #[derive(Serialize)]
    struct Texts {
        text: &'static str,
        bytes: &'static [u8],
        rows: Vec<(u8, &'static str)>,
    }
    #[derive(Deserialize, Debug, PartialEq)]
    struct Read {
        #[serde(with = "serde_npz::with::json")]
        text: Settings,
        #[serde(with = "serde_npz::with::json")]
        bytes: Settings,
        rows: Vec<Row>,
    }
    #[derive(Deserialize, Debug, PartialEq)]
    struct Row {
        f0: u8,
        #[serde(with = "serde_npz::with::json")]
        f1: Option<Settings>,
    }
    let texts = Texts {
        text: TEXT,
        bytes: TEXT.as_bytes(),
        rows: vec![(1, TEXT), (2, "null")],
    };
    let read: Read = from_npz_slice(&to_npz_vec(&texts).unwrap()).unwrap();
    assert_eq!((read.text, read.bytes), (settings(), settings()));
    let rows = [(1, Some(settings())), (2, None)];
    assert!(read.rows.into_iter().map(|row| (row.f0, row.f1)).eq(rows));
}

#[test]
fn none_is_null() {
    field!(Data, "serde_npz::with::json", Option<Settings>);
    let bytes = round(&Data { x: None });
    assert_eq!(layout(&bytes), ["x.json"]);
    assert_eq!(
        NpzReader::new(Cursor::new(&bytes)).unwrap().raw("x.json").unwrap(),
        b"null"
    );
    round(&Data { x: Some(settings()) });
    json(&Data { x: None }, r#"{"x":null}"#);

    // What was no text stays what it is.
    field!(Plain, "serde_npz::with::json", BTreeMap<String, Vec<f64>>);
    let plain = BTreeMap::from([("x", BTreeMap::from([("a", vec![0.5])]))]);
    let read: Plain = from_npz_slice(&to_npz_vec(&plain).unwrap()).unwrap();
    assert_eq!(read.x["a"], [0.5]);
}
