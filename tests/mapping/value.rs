//! `Value`: what is not changed comes back byte for byte, other formats get plain data, and the print is NumPy's.

use std::collections::BTreeMap;
use std::fs;
use std::io::Cursor;

use crate::common::Scratch;
use num_complex::Complex;
use serde::de::IntoDeserializer;
use serde::{Deserialize, Serialize};
use serde_npz::value::{AnyArray, Group};
use serde_npz::{
    ErrorKind, NpzReader, NpzWriter, ReadOptions, Value, WriteOptions, from_npy_slice, from_npz_slice, from_value,
    to_npy_vec, to_npz_vec, to_value,
};

fn array(dtype: &str, shape: &[u64], bytes: &[u8]) -> AnyArray {
    AnyArray::from_parts(dtype.parse().unwrap(), shape, false, bytes.to_vec()).unwrap()
}

#[test]
fn files_of_numpy_come_back_byte_for_byte() {
    let manifest: serde_json::Value =
        serde_json::from_slice(&fs::read(crate::common::data("numpy/manifest.json")).unwrap()).unwrap();
    let (mut lone, mut archives) = (0, 0);
    for case in manifest["cases"].as_array().unwrap() {
        let id = case["id"].as_str().unwrap();
        let bytes = fs::read(crate::common::data("numpy").join(case["path"].as_str().unwrap())).unwrap();
        let options = ReadOptions::new().max_header_size(1 << 20);
        let writing = WriteOptions::new().max_header_size(1 << 20);
        match case["kind"].as_str().unwrap() {
            "npy" => {
                let Ok(value) = options.from_npy_slice::<Value>(&bytes) else {
                    assert!(
                        case.get("expect_error").is_some() || case.get("allow_error").is_some(),
                        "{id}: {:?}",
                        options.from_npy_slice::<Value>(&bytes)
                    );
                    continue;
                };
                let _ = (value.to_string(), format!("{value:#} {value:?}"));
                let written = writing.to_npy_vec(&value).unwrap();
                if case["writer"] == "numpy" && case["arrays"][0]["npy_version"] == serde_json::json!([1, 0]) {
                    assert_eq!(written, bytes, "{id}");
                    lone += 1;
                }
                assert_eq!(options.from_npy_slice::<Value>(&written).unwrap(), value, "{id}");
            }
            _ => {
                let Ok(value) = options.from_npz_slice::<Value>(&bytes) else {
                    continue;
                };
                let _ = (value.to_string(), format!("{value:#} {value:?}"));
                let written = writing.to_npz_vec(&value).unwrap();
                let mut before = NpzReader::new(Cursor::new(&bytes[..])).unwrap();
                let mut after = NpzReader::new(Cursor::new(&written[..])).unwrap();
                if case["writer"] == "numpy" {
                    assert!(before.names().eq(after.names()), "{id}");
                    let names: Vec<String> = before.names().map(str::to_owned).collect();
                    for name in names {
                        assert_eq!(before.raw(&name).unwrap(), after.raw(&name).unwrap(), "{id}: {name}");
                    }
                    archives += 1;
                }
                let again: Value = options.from_npz_slice(&written).unwrap();
                assert_eq!(again, value, "{id}");
                assert_eq!(
                    to_npz_vec(&again).unwrap(),
                    written,
                    "{id}: ours is the same file again"
                );
            }
        }
    }
    assert!(lone >= 100 && archives >= 19, "{lone} files, {archives} archives");
}

#[derive(Serialize, Deserialize, Debug, PartialEq)]
struct Run {
    dt: f64,
    grid: Vec<[f32; 2]>,
    state: State,
    layers: Vec<Layer>,
    nothing: BTreeMap<String, f64>,
    #[serde(with = "serde_npz::with::json")]
    settings: BTreeMap<String, Vec<Option<u8>>>,
    names: Vec<String>,
    spins: Vec<bool>,
    skip: (),
}

#[derive(Serialize, Deserialize, Debug, PartialEq)]
enum State {
    Idle,
    Running { step: u64 },
}

#[derive(Serialize, Deserialize, Debug, PartialEq)]
struct Layer {
    w: Vec<f64>,
}

fn run() -> Run {
    Run {
        dt: 0.5,
        grid: vec![[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]],
        state: State::Running { step: 7 },
        layers: vec![Layer { w: vec![1.5] }, Layer { w: vec![] }],
        nothing: BTreeMap::new(),
        settings: BTreeMap::from([("a".into(), vec![Some(1), None])]),
        names: vec!["up".into(), "down".into()],
        spins: vec![true, false],
        skip: (),
    }
}

#[test]
fn an_archive_of_ours_is_the_same_file_again() {
    for options in [WriteOptions::new(), WriteOptions::new().compressed()] {
        let file = options.to_npz_vec(&run()).unwrap();
        let value: Value = from_npz_slice(&file).unwrap();
        assert_eq!(options.to_npz_vec(&value).unwrap(), file);
        assert_eq!(value.pointer("state/Running/step").unwrap(), &Value::from(7_u64));
        assert_eq!(value.pointer("layers/1/w").unwrap().as_array().unwrap().shape(), [0]);
        assert_eq!(value.get("nothing"), Some(&Value::default()));
        assert_eq!(value.get("settings").unwrap().as_json(), Some(r#"{"a":[1,null]}"#));
        assert_eq!(value.read::<Run>().unwrap(), run());
        assert_eq!(to_value(&run()).unwrap(), value);
        assert_eq!(from_value::<Run>(value).unwrap(), run());
    }
}

#[test]
fn texts_keep_their_spaces() {
    let mut group = Group::new();
    group.insert("note", Value::Json("{ \"a\" : 1.50 }\n".into()));
    let file = to_npz_vec(&group).unwrap();
    let mut reader = NpzReader::new(Cursor::new(&file[..])).unwrap();
    assert_eq!(reader.raw("note.json").unwrap(), b"{ \"a\" : 1.50 }\n");
    assert_eq!(reader.get::<Value>("note").unwrap(), group.get("note").unwrap().clone());
    assert_eq!(serde_json::to_string(&group).unwrap(), r#"{"note":{"a":1.5}}"#);
    assert!(serde_json::to_string(&Value::Json("{".into())).is_err());
    assert_eq!(
        to_npy_vec(&Value::Json("{}".into())).unwrap_err().kind(),
        ErrorKind::UnsupportedType
    );
}

#[test]
fn fortran_order_titles_and_padding_stay() {
    let dtype = "[(('a title', 'x'), '>f8'), ('', '|V4'), ('n', '<i4', (2,)), ('', '|V4')]";
    let bytes: Vec<u8> = (0..4 * 24).collect();
    let value = AnyArray::from_parts(dtype.parse().unwrap(), &[2, 2], true, bytes.clone()).unwrap();
    let file = to_npz_vec(&BTreeMap::from([("x", &value)])).unwrap();
    let back: BTreeMap<String, AnyArray> = from_npz_slice(&file).unwrap();
    assert_eq!(back["x"], value);
    assert_eq!(back["x"].dtype().to_string(), dtype);
    assert_eq!(back["x"].bytes(), bytes);
    assert!(back["x"].fortran_order());
    assert_eq!(from_npy_slice::<AnyArray>(&to_npy_vec(&value).unwrap()).unwrap(), value);
}

#[test]
fn elements_by_index_and_in_a_row() {
    let bytes: Vec<u8> = (0..6).collect();
    let plain = array("|u1", &[2, 3], &bytes);
    let fortran = AnyArray::from_parts("|u1".parse().unwrap(), &[2, 3], true, bytes).unwrap();
    assert_eq!(plain.item::<u8>(&[1, 0]).unwrap(), 3);
    assert_eq!(fortran.item::<u8>(&[1, 0]).unwrap(), 1);
    assert_eq!(fortran.item::<f64>(&[0, 2]).unwrap(), 4.0);
    assert_eq!(fortran.to_vec::<u16>().unwrap(), [0, 2, 4, 1, 3, 5]);
    assert_eq!(fortran.read::<Vec<[i32; 3]>>().unwrap(), [[0, 2, 4], [1, 3, 5]]);
    assert_ne!(plain, fortran);
    for wrong in [&[2, 0][..], &[0, 3], &[0], &[0, 0, 0]] {
        assert_eq!(plain.item::<u8>(wrong).unwrap_err().kind(), ErrorKind::InvalidValue);
    }
    assert_eq!(plain.item::<bool>(&[1, 0]).unwrap_err().kind(), ErrorKind::InvalidValue);
    assert_eq!(plain.clone().reshape(&[4]).unwrap_err().kind(), ErrorKind::InvalidValue);
    assert_eq!(plain.reshape(&[3, 2]).unwrap().item::<u8>(&[1, 0]).unwrap(), 2);
    let short = AnyArray::from_parts("<f8".parse().unwrap(), &[1 << 40], false, vec![0; 8]);
    assert_eq!(short.unwrap_err().kind(), ErrorKind::InvalidValue);
}

#[test]
fn keys_with_an_empty_segment_are_one_name() {
    let mut group = Group::new();
    for (i, name) in ["", "/abs", "a//b", "b/", "plain"].into_iter().enumerate() {
        group.insert(name, i as u64);
    }
    let file = to_npz_vec(&group).unwrap();
    assert!(
        NpzReader::new(Cursor::new(&file[..]))
            .unwrap()
            .names()
            .eq(["", "/abs", "a//b", "b/", "plain"])
    );
    let back: Group = from_npz_slice(&file).unwrap();
    assert_eq!(back, group);
    assert_eq!(to_npz_vec(&back).unwrap(), file);

    // A name that a reader would split is none of a group's names, nor is one within a group.
    for (name, value) in [
        ("a/b", Value::from(1)),
        ("", Value::default()),
        ("a\0//", Value::from(1)),
    ] {
        let group: Group = [(name, value)].into_iter().collect();
        assert_eq!(
            to_npz_vec(&group).unwrap_err().kind(),
            ErrorKind::InvalidName,
            "{name:?}"
        );
    }
    let inner: Group = [("a//b", 1)].into_iter().collect();
    let outer: Group = [("x", inner)].into_iter().collect();
    assert_eq!(to_npz_vec(&outer).unwrap_err().kind(), ErrorKind::InvalidName);
}

#[test]
fn a_name_that_is_array_and_group_is_read_by_whole_names() {
    let mut writer = NpzWriter::with_options(Cursor::new(Vec::new()), &WriteOptions::new().separator(None));
    writer.add("a", &1.5).unwrap();
    writer.add("a/b", &2.5).unwrap();
    let file = writer.finish().unwrap().into_inner();
    // Both are shown, and written as they were.
    let both: Value = from_npz_slice(&file).unwrap();
    assert_eq!(both.get("a"), Some(&Value::from(1.5)));
    assert_eq!(both.pointer("a/b"), Some(&Value::from(2.5)));
    assert_eq!(to_npz_vec(&both).unwrap(), file);
    let map: BTreeMap<String, Value> = from_npz_slice(&file).unwrap();
    assert_eq!(
        map,
        BTreeMap::from([("a".into(), 1.5.into()), ("a/b".into(), 2.5.into())])
    );
    assert!(to_npz_vec(&map).is_err(), "a map's names are no paths");
    let arrays: BTreeMap<String, Option<AnyArray>> = from_npz_slice(&file).unwrap();
    assert!(arrays.keys().eq(["a", "a/b"]));
    // By name, or as the field of a struct, it is a group whose own array has no name.
    let own: Value = [("", 1.5), ("b", 2.5)].into_iter().collect();
    let mut npz = NpzReader::new(Cursor::new(&file)).unwrap();
    assert_eq!(npz.get::<Value>("a").unwrap(), own);
    assert_eq!(npz.get::<AnyArray>("a").unwrap(), AnyArray::from(1.5));
    #[derive(serde::Serialize, serde::Deserialize)]
    struct Field {
        a: Value,
    }
    let field: Field = from_npz_slice(&file).unwrap();
    assert_eq!(field.a, own);
    assert_eq!(to_npz_vec(&field).unwrap(), file);
    let value: Value = ReadOptions::new().separator(None).from_npz_slice(&file).unwrap();
    assert_eq!(WriteOptions::new().separator(None).to_npz_vec(&value).unwrap(), file);
}

#[test]
fn names_like_the_marks_of_arrays_are_names() {
    let mut group = Group::new();
    group.insert("$serde_npz::raw", vec![1, 2]);
    group.insert("$serde_npz::value", 0.5);
    let file = to_npz_vec(&group).unwrap();
    assert_eq!(from_npz_slice::<Group>(&file).unwrap(), group);
    let json = serde_json::to_string(&group).unwrap();
    assert_eq!(
        serde_json::to_string(&serde_json::from_str::<Value>(&json).unwrap()).unwrap(),
        json
    );
}

#[test]
fn deep_groups_neither_overflow_nor_get_written() {
    let mut value = Value::from(1);
    for _ in 0..200_000 {
        value = Value::Group([("x", value)].into_iter().collect());
    }
    let copy = value.clone();
    assert!(copy == value);
    assert!(format!("{value:?}{value}{value:#}").len() < 100_000);
    assert!(serde_json::to_string(&value).is_err());
    assert_eq!(to_npz_vec(&value).unwrap_err().kind(), ErrorKind::LimitExceeded);
    drop(value);
    drop(copy);

    let deep = format!("{}1{}", "[".repeat(100), "]".repeat(100));
    assert!(matches!(serde_json::from_str::<Value>(&deep), Ok(Value::Group(_))));
}

#[test]
fn a_value_is_a_deserializer() {
    #[derive(Debug, PartialEq, Deserialize)]
    enum Shape {
        Dot,
        Circle(f64),
        Square { side: Vec<f32> },
    }
    #[derive(Debug, PartialEq, Deserialize)]
    struct Scene {
        name: String,
        shapes: Vec<Shape>,
        #[serde(flatten)]
        rest: BTreeMap<String, u8>,
        note: Option<Vec<u16>>,
        #[serde(with = "serde_npz::with::json")]
        meta: (bool, String),
    }
    let scene = Value::from(Group::from_iter([
        ("name", Value::from("first")),
        (
            "shapes",
            Value::from(Group::from_iter([
                ("0", Value::from("Dot")),
                ("1", Group::from_iter([("Circle", 1.5)]).into()),
                (
                    "2",
                    Group::from_iter([("Square", Group::from_iter([("side", vec![0.5_f32, 2.5])]))]).into(),
                ),
            ])),
        ),
        ("more", Value::from(7_i64)),
        ("meta", Value::Json(r#"[true, "x"]"#.into())),
    ]));
    let expected = Scene {
        name: "first".into(),
        shapes: vec![Shape::Dot, Shape::Circle(1.5), Shape::Square { side: vec![0.5, 2.5] }],
        rest: BTreeMap::from([("more".into(), 7)]),
        note: None,
        meta: (true, "x".into()),
    };
    assert_eq!(Scene::deserialize((&scene).into_deserializer()).unwrap(), expected);
    assert_eq!(scene.read::<Scene>().unwrap(), expected);
    let err = Scene::deserialize(Value::default().into_deserializer()).unwrap_err();
    assert_eq!((err.kind(), err.path()), (ErrorKind::MissingMember, "name"));
    assert_eq!(Scene::deserialize(scene.into_deserializer()).unwrap(), expected);

    // What a type borrows is lent.
    let array = Value::from(vec![1_i32, 2]);
    assert_eq!(
        serde_npz::ArrayView::<i32>::deserialize((&array).into_deserializer())
            .unwrap()
            .borrowed(),
        Some(&[1, 2][..])
    );
    assert_eq!(Vec::<f64>::deserialize(array.into_deserializer()).unwrap(), [1.0, 2.0]);
    let text = Value::Json(r#""lent""#.into());
    assert_eq!(<&str>::deserialize((&text).into_deserializer()).unwrap(), "lent");
    let err = bool::deserialize((&text).into_deserializer()).unwrap_err();
    assert_eq!(err.kind(), ErrorKind::InvalidValue);
    assert_eq!(
        u8::deserialize(Value::Json("7 8".into()).into_deserializer())
            .unwrap_err()
            .kind(),
        ErrorKind::InvalidValue
    );
}

#[test]
fn values_among_the_fields_of_a_struct() {
    #[derive(Serialize, Deserialize, Debug, PartialEq)]
    struct Mixed {
        known: f64,
        any: Value,
        maybe: Option<Value>,
        rest: BTreeMap<String, Value>,
        list: Vec<Value>,
    }
    let mixed = Mixed {
        known: 1.5,
        any: array(">i2", &[2], &[0, 1, 0, 2]).into(),
        maybe: None,
        rest: BTreeMap::from([("a".into(), true.into())]),
        list: vec![1.into(), vec![0.5, 1.5].into()],
    };
    let file = to_npz_vec(&mixed).unwrap();
    assert_eq!(from_npz_slice::<Mixed>(&file).unwrap(), mixed);

    #[derive(Deserialize)]
    struct Rest {
        known: f64,
        #[serde(flatten)]
        rest: BTreeMap<String, Value>,
    }
    // Through serde's buffer arrays are rebuilt from their elements.
    let rest: Rest = from_npz_slice(&file).unwrap();
    assert_eq!(rest.known, 1.5);
    assert_eq!(rest.rest["any"].to_string(), "[1 2]");
    assert_eq!(rest.rest["list"].pointer("1").unwrap(), &Value::from(vec![0.5, 1.5]));
}

#[test]
fn errors_tell_what_is_missing() {
    let err = from_npz_slice::<AnyArray>(&to_npz_vec(&run()).unwrap()).unwrap_err();
    assert!(format!("{err:#}").contains("found a group"), "{err}");
    let err = to_value(&vec![vec![1], vec![]]).unwrap_err();
    assert_eq!((err.kind(), err.path()), (ErrorKind::Ragged, "[1]"));
    let err = to_value(&BTreeMap::from([("x", vec![vec![1], vec![]])])).unwrap_err();
    assert_eq!((err.kind(), err.path()), (ErrorKind::Ragged, "x[1]"));
    let err = to_npz_vec(&Value::from(1)).unwrap_err();
    assert_eq!(err.kind(), ErrorKind::UnsupportedType);
    assert!(AnyArray::try_from("nul\0").is_err());
    assert_eq!(
        u8::try_from(&Value::from(300)).unwrap_err().kind(),
        ErrorKind::InvalidValue
    );
    assert_eq!(Vec::<f64>::try_from(Value::from([1, 2])).unwrap(), [1.0, 2.0]);
}

#[test]
fn arrays_print_as_numpy_prints_them() {
    let show = |value: Value| value.to_string();
    assert_eq!(show(vec![0.0, 0.5, 1.0].into()), "[0.  0.5 1. ]");
    assert_eq!(show(vec![1e-5, 1.0].into()), "[1.e-05 1.e+00]");
    assert_eq!(show(vec![f64::NAN, -f64::INFINITY, 1.0].into()), "[ nan -inf   1.]");
    assert_eq!(show(vec![0.1_f32, 1234.5].into()), "[1.0000e-01 1.2345e+03]");
    assert_eq!(
        show((0..1001).collect::<Vec<i32>>().into()),
        "[   0    1    2 ...  998  999 1000]"
    );
    assert_eq!(show(vec![true, false].into()), "[ True False]");
    assert_eq!(show(Value::from(vec!["it's", "b"])), "[\"it's\" 'b']");
    assert_eq!(show(vec![Complex::new(1.0, -0.5)].into()), "[1.-0.5j]");
    assert_eq!(
        show(AnyArray::new(&vec![vec![0_u8; 40]; 40]).unwrap().into()),
        "[[0 0 0 ... 0 0 0]\n [0 0 0 ... 0 0 0]\n [0 0 0 ... 0 0 0]\n ...\n [0 0 0 ... 0 0 0]\n [0 0 0 ... 0 0 0]\n [0 0 0 ... 0 0 0]]"
    );
    assert_eq!(
        show(array("[('a', '|i1'), ('b', '|S2')]", &[2], b"\x01xy\xffz\0").into()),
        "[( 1, b'xy') (-1, b'z')]"
    );
    assert_eq!(format!("{:#}", Value::from(vec![1_u8])), "|u1 (1,)\n[1]");
    // Elements without a byte cost a file nothing.
    let empty = array("|V0", &[7; 20], b"");
    assert_eq!(empty.to_string(), "[79792266297612001 elements without a byte]");
    assert!(serde_json::to_string(&empty).is_err());
    let empty = array("[('a', '<f8', (2000000000, 0))]", &[1], b"");
    assert_eq!(empty.to_string(), "[([...],)]");
}

#[test]
fn groups_print_as_a_tree() {
    let mut meta = Group::new();
    meta.insert("id", vec![1_u8, 2]);
    meta.insert("note", Value::Json(r#"{"a":1}"#.into()));
    meta.insert("bad\u{1b}", 1.5_f32);
    let mut group = Group::new();
    group.insert("dt", 0.5);
    group.insert("meta", meta);
    group.insert("none", Group::new());
    let tree = "\
├── dt  <f8 ()  0.5
├── meta
│   ├── id         |u1 (2,)
│   ├── note       json  {\"a\":1}
│   └── bad\\u{1b}  <f4 ()  1.5
└── none  (no members)";
    assert_eq!(group.to_string(), tree);
    assert!(format!("{group:#}").contains("│   ├── id         |u1 (2,)\n│   │   [1 2]\n"));
}

/// Arrays by name and what NumPy prints for each.
const PRINTED: &str = r#"
import json, sys
import numpy as np
rng = np.random.default_rng(1)
a = {}
for t in ("i1", "u8", ">i4", "i8"):
    a["int-" + t] = np.arange(-5 if "i" in t else 0, 20, 3).astype(t)
a["int-2d"] = np.arange(12).reshape(3, 4) - 5
a["int-3d"] = np.arange(24).reshape(2, 3, 4)
a["int-f"] = np.asfortranarray(np.arange(6).reshape(2, 3))
a["int-wrap"] = np.arange(100)
a["int-wrap-2d"] = np.arange(120).reshape(2, 60) * 1000
a["int-1001"] = np.arange(1001)
a["int-1000"] = np.arange(1000)
a["int-elided-2d"] = np.arange(10000).reshape(100, 100)
a["int-elided-3d"] = np.arange(27000).reshape(30, 30, 30)
a["int-elided-mixed"] = np.arange(4000).reshape(2, 2000)
a["int-elided-tall"] = np.arange(4000).reshape(2000, 2)
a["bool"] = np.array([[True, False], [False, False]])
a["bool-true"] = np.array([True, True])
a["0d-int"] = np.array(5)
a["0d-bool"] = np.array(True)
a["0d-str"] = np.array("it's")
for x in (0.1, 1.0, 1e16, 1e-5, 123456.789, 1/3, -0.0, np.nan, np.inf, 1e300, 5e-324, 1e15, 0.0001):
    a["0d-%r" % float(x)] = np.array(x)
a["0d-complex"] = np.array(1 + 2j)
a["0d-imaginary"] = np.array(2.5j)
a["0d-date"] = np.array("2020-02-03", "M8[D]")
a["0d-delta"] = np.array(3, "m8[25s]")
a["0d-record"] = np.array((1, 2.5, "x", [1, 2]), [("a", "i4"), ("b", "f8"), ("c", "U3"), ("d", "i2", 2)])
for name, x in {
    "simple": [0.0, 0.5, 1.0], "third": [1/3, 2/3, 1.0], "long": [0.1234567891, 12.5], "neg": [-1.5, 2.0],
    "exp": [1e-5, 1.0], "big": [1e8, 1.0], "range": [0.001, 1.1], "range-exp": [0.001, 1.0001], "nan": [np.nan, 1.0, -2.5],
    "inf": [np.inf, -np.inf, 1.0], "allnan": [np.nan, np.nan], "allinf": [np.inf, np.inf], "zeros": [0.0, -0.0], "e100": [1e100, 1e-100],
    "denormal": [5e-324, 1.0], "half": [0.123456785, 0.5], "many": list(np.linspace(0, 1, 50)), "one": [1.0], "exact": [1e7, 1234567.5],
    "mixed-exp": [1.23456789012e-7, 123456.0], "max": [1.7976931348623157e308],
}.items():
    a["f8-" + name] = np.array(x, "f8")
    a["c-" + name] = np.array(x, "f8") * (1 - 0.5j) if np.isfinite(x).all() else np.array(x, "f8") + 0j
    a["r-" + name] = np.array([(v, i) for i, v in enumerate(x)], [("v", "f8"), ("i", "i2")])
    if name not in ("max", "e100", "denormal"):
        a["f4-" + name] = np.array(x, "f4")
a["f8-random"] = rng.normal(size=(20, 7))
a["f4-random"] = rng.normal(size=(20, 7)).astype("f4")
a["f8-random-elided"] = rng.normal(size=(200, 70)) * 10
a["f8-3d"] = rng.normal(size=(2, 3, 4))
a["f8-exps"] = 10.0 ** np.arange(-10, 10)
a["f2"] = np.array([0.1, 1.5, 100.25], "f2")
a["c8"] = np.array([1 + 2j, 0.5 - 0.25j, 0], "c8")
a["c-nan"] = np.array([complex(np.nan, 1), complex(1, np.inf)])
a["big-endian"] = np.array([1.5, 2.5], ">f8")
a["str"] = np.array(["a", "it's", 'q"', "tab\t", "", "é\u0301名"])
a["str-2d"] = np.array([["one", "two"], ["three", "four"]])
a["str-wrap"] = np.array(["word%d" % i for i in range(40)])
a["bytes"] = np.array([b"a", b"it's", b"\xff\x00x"])
a["void"] = np.array([b"abc", b"\xaf\xfe\x00"], "V3")
a["void-0"] = np.zeros(3, "V0")
a["date"] = np.array(["2020-01-01", "NaT", "1969-12-31"], "M8[D]")
a["date-ns"] = np.array(["2020-01-01T01:02:03.5"], "M8[ns]")
a["date-year"] = np.array(["2020", "NaT"], "M8[Y]")
a["delta"] = np.array([1, -100], "m8[s]")
a["delta-nat"] = np.array([1, "NaT"], "m8[s]")
a["record"] = np.array([(1, 2.5, "a"), (-20, 0.125, "bcd")], [("i", "i4"), ("x", "f8"), ("s", "U3")])
a["record-one"] = np.array([(1,), (20,)], [("i", "i4")])
a["record-bool"] = np.array([(True,), (False,)], [("b", "?")])
a["record-sub"] = np.array([([1, 2], [[0.5, 1], [2, 3]])], [("i", "i4", 2), ("m", "f8", (2, 2))])
a["record-nested"] = np.array([((1, 0.5), b"x")], [("in", [("i", "i4"), ("x", "f4")]), ("b", "S2")])
a["record-many"] = np.zeros(2000, [("i", "i4"), ("x", "f8")])
a["record-sub-big"] = np.array([(np.arange(1500),)], [("i", "i4", 1500)])
a["empty"] = np.zeros((0, 3))
np.savez(sys.argv[1], **a)
new = np.lib.NumpyVersion(np.__version__) >= "2.4.0"
print(json.dumps({"new": bool(new), "text": {name: str(x) for name, x in a.items()}}))
"#;

#[test]
#[ignore = "needs Python with NumPy"]
fn numpy_prints_the_same() {
    let scratch = Scratch::new("value-print");
    let path = scratch.path("all.npz");
    let answer: serde_json::Value = serde_json::from_str(&crate::common::python(PRINTED, &[path.as_os_str()])).unwrap();
    let arrays: BTreeMap<String, Value> = serde_npz::load_npz(&path).unwrap();
    assert!(arrays.len() > 100);
    let mut wrong = Vec::new();
    for (name, value) in &arrays {
        // Before 2.4 narrow floats turned to scientific notation later.
        if answer["new"] != true && (name.starts_with("f4-") || name.starts_with("f2") || name.starts_with("c8")) {
            continue;
        }
        let expected = answer["text"][name].as_str().unwrap();
        if value.to_string() != expected {
            wrong.push(format!("{name}:\n{expected}\n-- not --\n{value}"));
        }
    }
    assert!(
        wrong.is_empty(),
        "{} of {}:\n{}",
        wrong.len(),
        arrays.len(),
        wrong.join("\n\n")
    );
}

/// Arrays and groups of one name, several levels deep and within a group.
#[test]
fn names_that_are_arrays_and_groups_are_written_as_they_were() {
    let mut writer = NpzWriter::with_options(Cursor::new(Vec::new()), &WriteOptions::new().separator(None));
    for (at, name) in ["m/w", "m/w/x/y", "m/w/x", "m/v", "z/0"].into_iter().enumerate() {
        writer.add(name, &(at as f64)).unwrap();
    }
    let file = writer.finish().unwrap().into_inner();
    let value: Value = from_npz_slice(&file).unwrap();
    let group = value.get("m").unwrap();
    for (at, name) in ["w", "w/x/y", "w/x", "v"].into_iter().enumerate() {
        assert_eq!(group.get(name), Some(&Value::from(at as f64)), "{name}");
    }
    let again: Value = from_npz_slice(&to_npz_vec(&value).unwrap()).unwrap();
    assert_eq!(again, value);
}

#[test]
fn values_from_what_a_program_has() {
    use std::collections::BTreeMap;

    let text = |value: Value| value.read::<String>().unwrap();
    assert_eq!(text("a".into()), "a");
    assert_eq!(text(String::from("b").into()), "b");
    assert_eq!(text('c'.into()), "c");
    assert_eq!(text("nul\0".into()), "nul\0");
    assert_eq!(Value::from(vec!["a", "bc"]).read::<Vec<String>>().unwrap(), ["a", "bc"]);
    assert_eq!(Value::from(["a", "b\0"]).read::<Vec<String>>().unwrap(), ["a", "b\0"]);
    assert_eq!(Value::from(7_usize).read::<u64>().unwrap(), 7);
    assert_eq!(Value::from(-7_isize).read::<i64>().unwrap(), -7);
    assert_eq!(Value::from(None::<f64>).read::<Option<f64>>().unwrap(), None);
    assert_eq!(Value::from(Some(1.5)).read::<Option<f64>>().unwrap(), Some(1.5));
    let list: Value = vec![Value::from(1), Value::from("x")].into();
    assert_eq!(text(list.get("1").unwrap().clone()), "x");
    let map: Value = BTreeMap::from([("x", vec![1.5])]).into();
    assert_eq!(map, [("x", vec![1.5])].into_iter().collect());
    let file = to_npz_vec(&map).unwrap();
    assert_eq!(from_npz_slice::<Value>(&file).unwrap(), map);
    assert_eq!((0..3).collect::<AnyArray>(), AnyArray::from([0, 1, 2]));
}
