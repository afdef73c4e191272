//! What an error tells beyond the value that did not fit: near names, whole shapes, the member behind serde's buffer.

use std::collections::BTreeMap;
use std::io::Cursor;

use serde::{Deserialize, Serialize};
use serde_json::{Value as Json, json};
use serde_npz::ErrorKind::*;
use serde_npz::value::AnyArray;
use serde_npz::{Error, NpzReader, NpzWriter, ReadOptions, WriteOptions, from_npz_slice, to_npz_vec};

use super::X;
use crate::common::{Any, Scratch, is};

fn read<T: serde::de::DeserializeOwned>(json: Json) -> Error {
    let bytes = to_npz_vec(&json).unwrap();
    from_npz_slice::<T>(&bytes).map(drop).unwrap_err()
}

#[derive(Debug, Deserialize, Serialize)]
struct Net {
    weight: f64,
}

#[test]
fn a_missing_name_lists_the_nearest() {
    let bytes = to_npz_vec(&json!({"wieght": 1.5, "bias": 1, "layer": {"kernel": 1}, "s": [1]})).unwrap();
    let mut npz = NpzReader::new(Cursor::new(&bytes[..])).unwrap();
    is(
        npz.get::<f64>("weight").unwrap_err(),
        MissingMember,
        "weight",
        &["`wieght`"],
    );
    is(
        npz.get::<Any>("layer/kernl").unwrap_err(),
        MissingMember,
        "layer/kernl",
        &["`layer/kernel`"],
    );
    is(
        npz.get::<Any>("kernel").unwrap_err(),
        MissingMember,
        "kernel",
        &["`layer/kernel`"],
    );
    is(
        npz.get::<Any>("layers").unwrap_err(),
        MissingMember,
        "layers",
        &["`layer`"],
    );
    for err in [
        npz.header("weight").unwrap_err(),
        npz.raw("weight").unwrap_err(),
        npz.verify("weight").unwrap_err(),
        npz.rows::<f64>("weight").map(drop).unwrap_err(),
    ] {
        is(err, MissingMember, "weight", &["`wieght`"]);
    }
    is(
        from_npz_slice::<Net>(&bytes).unwrap_err(),
        MissingMember,
        "weight",
        &["`wieght`"],
    );
    is(
        read::<X<Net>>(json!({"x": {"wight": 1, "q": 2}})),
        MissingMember,
        "x/weight",
        &["`wight`"],
    );
    // Few names are all shown.
    is(
        read::<X<Net>>(json!({"x": {"b": 1, "q": 2}})),
        MissingMember,
        "x/weight",
        &["`b`, `q`"],
    );
    // The fields of a record.
    #[derive(Serialize)]
    struct Row {
        wieght: f64,
        id: u8,
    }
    let rows = to_npz_vec(&X {
        x: vec![Row { wieght: 1.0, id: 1 }],
    })
    .unwrap();
    let err = from_npz_slice::<X<Vec<Net>>>(&rows).unwrap_err();
    is(err, MissingMember, "x[0].weight", &["`wieght`"]);
}

#[test]
fn names_from_files_are_escaped_and_many_are_bounded() {
    let names: BTreeMap<String, u8> = (0..3000).map(|i| (format!("weight{i}\x1b"), 0)).collect();
    let mut npz = NpzReader::new(Cursor::new(to_npz_vec(&names).unwrap())).unwrap();
    let text = npz.get::<u8>("weight1234").unwrap_err().to_string();
    assert!(text.contains("`weight1234\\u{1b}`"), "{text}");
    assert!(!text.contains(char::is_control) && text.len() < 300, "{text}");
}

#[test]
fn unknown_fields_and_variants_have_their_kinds() {
    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    #[expect(dead_code, reason = "never read")]
    struct Strict {
        a: i32,
    }
    is(
        read::<X<Strict>>(json!({"x": {"a": 1, "b": 1}})),
        UnknownField,
        "x/b",
        &["unknown field `b`", "`a`"],
    );
    #[derive(Debug, Deserialize)]
    #[expect(dead_code, reason = "never made")]
    enum Phase {
        Idle,
        Running(f64),
        Loading,
        Saving,
        Waiting,
        Ended,
    }
    is(
        read::<X<Phase>>(json!({"x": "Runing"})),
        UnknownVariant,
        "x",
        &["unknown variant `Runing`", "nearest: `Running`"],
    );
    is(
        read::<X<Phase>>(json!({"x": {"Runing": 1.5}})),
        UnknownVariant,
        "x",
        &["`Running`"],
    );
    is(
        read::<X<Vec<Phase>>>(json!({"x": ["Idle", "Ende"]})),
        UnknownVariant,
        "x[1]",
        &["`Ended`"],
    );
    is(
        read::<X<Tagged>>(json!({"x": {"kind": "Bal"}})),
        UnknownVariant,
        "x/kind",
        &["`Ball`"],
    );
}

#[test]
fn a_part_tells_the_shape_of_the_whole() {
    let whole = json!({"x": [[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]});
    is(read::<X<Vec<f64>>>(whole.clone()), TypeMismatch, "x[0]", &["(2, 3)"]);
    is(
        read::<X<Vec<Vec<Vec<f64>>>>>(whole.clone()),
        TypeMismatch,
        "x[0][0]",
        &["(2, 3)"],
    );
    is(
        read::<X<Vec<[f64; 2]>>>(whole.clone()),
        TypeMismatch,
        "x[0]",
        &["(2, 3)"],
    );
    is(read::<X<f64>>(whole), TypeMismatch, "x", &["(2, 3)"]);
    is(read::<X<Vec<f64>>>(json!({"x": 1.5})), TypeMismatch, "x", &["shape ()"]);
}

#[derive(Debug, Deserialize)]
#[serde(tag = "kind")]
#[expect(dead_code, reason = "never read")]
enum Tagged {
    Ball { radius: f64, name: String },
    Path { points: Vec<[f64; 2]>, steps: Vec<i32> },
}

#[derive(Debug, Deserialize)]
#[expect(dead_code, reason = "never read")]
struct Flat {
    id: u32,
    #[serde(flatten)]
    rest: Rest,
}

#[derive(Debug, Deserialize)]
#[expect(dead_code, reason = "never read")]
struct Rest {
    label: String,
    counts: Vec<i32>,
}

#[derive(Debug, Deserialize)]
#[serde(tag = "t", content = "c")]
#[expect(dead_code, reason = "never read")]
enum Adjacent {
    A(String),
    B { y: i32 },
}

/// `flatten` and tagged enums take values through a buffer of serde's, which does not know where they came from.
#[test]
fn members_behind_serdes_buffer_are_found_again() {
    let ball = |radius| json!({"x": {"kind": "Ball", "radius": radius, "name": "n"}});
    is(
        read::<X<Tagged>>(ball(json!("wide"))),
        TypeMismatch,
        "x/radius",
        &["wide"],
    );
    is(
        read::<X<Tagged>>(ball(json!([1.5]))),
        TypeMismatch,
        "x/radius",
        &["sequence"],
    );
    let path = |points: Json, steps: Json| json!({"x": [{"kind": "Path", "points": points, "steps": steps}]});
    is(
        read::<X<Vec<Tagged>>>(path(json!([[1, 2]]), json!([1.5]))),
        TypeMismatch,
        "x/0/steps[0]",
        &["1.5"],
    );
    is(
        read::<X<Vec<Tagged>>>(path(json!([[1, 2, 3]]), json!([1]))),
        TypeMismatch,
        "x/0/points[0]",
        &["3"],
    );
    let flat = |label: Json, counts: Json| json!({"x": {"id": 7, "label": label, "counts": counts}});
    is(
        read::<X<Flat>>(flat(json!("a"), json!([1.5]))),
        TypeMismatch,
        "x/counts[0]",
        &["1.5"],
    );
    is(
        read::<X<Flat>>(flat(json!(8), json!([1]))),
        TypeMismatch,
        "x/label",
        &["8"],
    );
    // What could be either of two members is said to be so.
    is(
        read::<X<Flat>>(flat(json!(7), json!([1]))),
        TypeMismatch,
        "x",
        &["`id` or `label`"],
    );
    is(
        read::<X<Adjacent>>(json!({"x": {"t": "B", "c": {"y": "no"}}})),
        TypeMismatch,
        "x/c/y",
        &["no"],
    );
    is(
        read::<X<Adjacent>>(json!({"x": {"t": "A", "c": 1}})),
        TypeMismatch,
        "x/c",
        &["1"],
    );
}

#[test]
fn a_group_in_place_of_an_array_names_the_separator() {
    let keras = BTreeMap::from([("dense/kernel:0", vec![1.0_f32]), ("dense/bias:0", vec![0.5])]);
    let bytes = WriteOptions::new().separator(None).to_npz_vec(&keras).unwrap();
    fn refused<T: serde::de::DeserializeOwned>(bytes: &[u8]) {
        let err = from_npz_slice::<BTreeMap<String, T>>(bytes).map(drop).unwrap_err();
        is(err, TypeMismatch, "dense", &["group", "separator(None)"]);
        let whole = ReadOptions::new().separator(None);
        assert!(whole.from_npz_slice::<BTreeMap<String, Any>>(bytes).is_ok());
    }
    refused::<Vec<f32>>(&bytes);
    refused::<f32>(&bytes);
    refused::<String>(&bytes);
    refused::<[f32; 1]>(&bytes);
    refused::<AnyArray>(&bytes);
}

#[test]
fn paths_are_joined_as_the_keys_are() {
    let dots = WriteOptions::new().separator(Some('.'));
    let bytes = dots.to_npz_vec(&json!({"a": {"b": [1.5]}})).unwrap();
    let read = ReadOptions::new().separator(Some('.'));
    type Nested<T> = BTreeMap<String, BTreeMap<String, T>>;
    is(
        read.from_npz_slice::<Nested<u8>>(&bytes).unwrap_err(),
        TypeMismatch,
        "a.b",
        &[],
    );
    let bytes = WriteOptions::new()
        .separator(None)
        .to_npz_vec(&json!({"g/.hid": [1.5]}))
        .unwrap();
    is(
        from_npz_slice::<Nested<u8>>(&bytes).unwrap_err(),
        TypeMismatch,
        "g/.hid",
        &[],
    );
}

#[test]
fn directories_are_named() {
    let dir = Scratch::new("directories");
    let inside = dir.path("");
    assert!(inside.to_str().unwrap().ends_with('/'));
    let named = inside.to_str().unwrap().trim_end_matches('/');
    for err in [
        serde_npz::load_npz::<Any>(&inside).unwrap_err(),
        serde_npz::load_npy::<Any>(&inside).unwrap_err(),
        serde_npz::load::<Any>(&inside).unwrap_err(),
        NpzReader::open(&inside).map(drop).unwrap_err(),
        serde_npz::save_npz(&inside, &X { x: 1 }).unwrap_err(),
        serde_npz::save_npy(&inside, &[1]).unwrap_err(),
        NpzWriter::create(&inside).map(drop).unwrap_err(),
        NpzWriter::append(&inside).map(drop).unwrap_err(),
        serde_npz::NpyWriter::create(&inside).map(drop).unwrap_err(),
        serde_npz::NpyWriter::append(&inside).map(drop).unwrap_err(),
    ] {
        is(err, Io, "", &[named, "directory"]);
    }
    assert_eq!(std::fs::read_dir(&inside).unwrap().count(), 0);
}
