//! `with::nan`, `with::float16` and `with::float32`.

use std::collections::BTreeMap;
use std::io::Cursor;

use serde::{Deserialize, Serialize};
use serde_npz::{ErrorKind, NpzReader, from_npz_slice, to_npz_vec};

use super::{json, layout, refused, round};

#[derive(Serialize, Deserialize, Debug, PartialEq, Clone)]
struct Row {
    id: u32,
    level: Option<f32>,
    pair: [Option<f64>; 2],
}

fn rows() -> Vec<Row> {
    vec![
        Row {
            id: 1,
            level: None,
            pair: [Some(1.0), None],
        },
        Row {
            id: 2,
            level: Some(0.5),
            pair: [None, Some(-2.0)],
        },
    ]
}

#[derive(Serialize, Deserialize, Debug, PartialEq)]
pub struct Missing {
    #[serde(with = "serde_npz::with::nan")]
    scalar: Option<f64>,
    #[serde(with = "serde_npz::with::nan")]
    vector: Vec<Option<f64>>,
    #[serde(with = "serde_npz::with::nan")]
    single: Vec<Option<f32>>,
    #[serde(with = "serde_npz::with::nan")]
    matrix: Vec<Vec<Option<f64>>>,
    #[serde(with = "serde_npz::with::nan")]
    array: [Option<f64>; 2],
    #[serde(with = "serde_npz::with::nan")]
    rows: Vec<Row>,
}

pub fn missing() -> Missing {
    Missing {
        scalar: None,
        vector: vec![None, Some(0.5), None],
        single: vec![Some(0.1), None],
        matrix: vec![vec![None, Some(1.0)], vec![Some(2.0), None]],
        array: [None, Some(3.0)],
        rows: rows(),
    }
}

#[test]
fn nan() {
    let bytes = round(&missing());
    assert_eq!(
        layout(&bytes),
        [
            "scalar <f8 []",
            "vector <f8 [3]",
            "single <f4 [2]",
            "matrix <f8 [2, 2]",
            "array <f8 [2]",
            "rows [('id', '<u4'), ('level', '<f4'), ('pair', '<f8', (2,))] [2]",
        ]
    );
    let mut archive = NpzReader::new(Cursor::new(&bytes)).unwrap();
    let plain: Vec<f64> = archive.get("vector").unwrap();
    assert!(plain[0].is_nan() && plain[1] == 0.5 && plain[2].is_nan());
}

#[test]
fn nan_of_nothing_and_of_all() {
    field!(Data, "serde_npz::with::nan", Vec<Option<f64>>);
    assert_eq!(layout(&round(&Data { x: vec![] })), ["x <f8 [0]"]);
    assert_eq!(layout(&round(&Data { x: vec![None, None] })), ["x <f8 [2]"]);
    assert_eq!(
        from_npz_slice::<Data>(&to_npz_vec(&BTreeMap::<String, f64>::new()).unwrap()).unwrap(),
        Data { x: vec![] }
    );
}

#[test]
fn nan_keeps_plain_fields_of_its_rows() {
    field!(Data, "serde_npz::with::nan", Vec<(f64, i8, Option<f64>)>);
    let bytes = round(&Data {
        x: vec![(0.5, 1, None), (1.5, 2, Some(1.0))],
    });
    assert_eq!(layout(&bytes), ["x [('f0', '<f8'), ('f1', '|i1'), ('f2', '<f8')] [2]"]);
}

#[test]
fn nan_refuses_some_nan() {
    field!(Data, "serde_npz::with::nan", Vec<Option<f64>>);
    refused(
        &Data {
            x: vec![Some(1.0), Some(f64::NAN)],
        },
        ErrorKind::InvalidValue,
        "x[1]",
    );
}

#[test]
fn nan_through_json() {
    field!(Data, "serde_npz::with::nan", Vec<Option<f64>>);
    json(
        &Data {
            x: vec![Some(1.5), None],
        },
        r#"{"x":[1.5,null]}"#,
    );
}

#[derive(Serialize, Deserialize, Debug, PartialEq)]
pub struct Halves {
    #[serde(with = "serde_npz::with::float16")]
    scalar: f32,
    #[serde(with = "serde_npz::with::float16")]
    vector: Vec<f32>,
    #[serde(with = "serde_npz::with::float16")]
    matrix: Vec<Vec<f64>>,
    #[serde(with = "serde_npz::with::float16")]
    array: [f32; 3],
    #[serde(with = "serde_npz::with::float16")]
    rows: Vec<(u8, f32)>,
    #[serde(with = "serde_npz::with::float16")]
    empty: Vec<f32>,
    inside: Vec<HalfRow>,
}

#[derive(Serialize, Deserialize, Debug, PartialEq)]
struct HalfRow {
    id: i16,
    #[serde(with = "serde_npz::with::float16")]
    w: f32,
}

pub fn halves() -> Halves {
    Halves {
        scalar: 0.5,
        vector: vec![0.0, -2.0, f32::INFINITY, 65504.0],
        matrix: vec![vec![1.0, 2.0], vec![3.0, 4.0]],
        array: [1.0, 2.0, 3.0],
        rows: vec![(7, 0.25)],
        empty: vec![],
        inside: vec![HalfRow { id: -1, w: 1.5 }],
    }
}

#[test]
fn float16() {
    assert_eq!(
        layout(&round(&halves())),
        [
            "scalar <f2 []",
            "vector <f2 [4]",
            "matrix <f2 [2, 2]",
            "array <f2 [3]",
            "rows [('f0', '|u1'), ('f1', '<f2')] [1]",
            "empty <f2 [0]",
            "inside [('id', '<i2'), ('w', '<f2')] [1]",
        ]
    );
}

#[test]
fn float16_rounds_once_and_keeps_nan() {
    field!(Data, "serde_npz::with::float16", Vec<f64>);
    // 1 + 2^-11 is halfway; a hair above rounds up only if f64 is not rounded to f32 first.
    let x = vec![
        1.0 + 2f64.powi(-11),
        1.0 + 2f64.powi(-11) + 2f64.powi(-40),
        65519.0,
        2f64.powi(-24),
        f64::NAN,
    ];
    let back: Data = from_npz_slice(&to_npz_vec(&Data { x }).unwrap()).unwrap();
    assert_eq!(back.x[..4], [1.0, 1.0 + 2f64.powi(-10), 65504.0, 2f64.powi(-24)]);
    assert!(back.x[4].is_nan());
}

#[test]
fn float32() {
    #[derive(Serialize, Deserialize, Debug, PartialEq)]
    struct Singles {
        #[serde(with = "serde_npz::with::float32")]
        scalar: f64,
        #[serde(with = "serde_npz::with::float32")]
        matrix: Vec<[f64; 2]>,
        #[serde(with = "serde_npz::with::float32")]
        rows: Vec<(u8, f64)>,
        #[serde(with = "serde_npz::with::float32")]
        single: Vec<f32>,
        #[serde(with = "serde_npz::with::float32")]
        empty: Vec<f64>,
        #[serde(with = "serde_npz::with::float32")]
        some: Vec<Option<f64>>,
    }
    let singles = Singles {
        scalar: 0.5,
        matrix: vec![[1.0, f64::INFINITY]],
        rows: vec![(7, -2.0)],
        single: vec![0.1],
        empty: vec![],
        some: vec![Some(1.0)],
    };
    assert_eq!(
        layout(&round(&singles)),
        [
            "scalar <f4 []",
            "matrix <f4 [1, 2]",
            "rows [('f0', '|u1'), ('f1', '<f4')] [1]",
            "single <f4 [1]",
            "empty <f4 [0]",
            "some <f4 [1]",
        ]
    );
    field!(Data, "serde_npz::with::float32", Vec<f64>);
    let back: Data = from_npz_slice(&to_npz_vec(&Data { x: vec![0.1, f64::NAN] }).unwrap()).unwrap();
    assert_eq!(back.x[0], f64::from(0.1_f32));
    assert!(back.x[1].is_nan());
    refused(&Data { x: vec![1.0, 3.5e38] }, ErrorKind::InvalidValue, "x[1]");
    json(&Data { x: vec![0.1] }, r#"{"x":[0.1]}"#);
}

/// A module that has no form of its own for None makes a list where there is one.
#[test]
fn none_among_floats_is_a_list() {
    field!(Data, "serde_npz::with::float16", Vec<Option<f32>>);
    let bytes = round(&Data {
        x: vec![Some(0.5), None],
    });
    assert_eq!(layout(&bytes), ["x/0 <f2 []", "x/1 |V0 []"]);
}

#[test]
fn float16_refuses_overflow() {
    field!(Data, "serde_npz::with::float16", Vec<f32>);
    refused(&Data { x: vec![1.0, 65520.0] }, ErrorKind::InvalidValue, "x[1]");
    json(&Data { x: vec![65520.0] }, r#"{"x":[65520.0]}"#);
}

/// serde's buffer has the numbers of the file, and the modules take them out as exactly as from there.
#[test]
fn floats_out_of_serdes_buffer() {
    #[derive(Serialize, Deserialize, Debug, PartialEq)]
    struct Floats {
        #[serde(with = "serde_npz::with::nan")]
        one: Option<f64>,
        #[serde(with = "serde_npz::with::nan")]
        many: Vec<[Option<f32>; 2]>,
        #[serde(with = "serde_npz::with::nan")]
        map: BTreeMap<String, Option<Vec<Option<f64>>>>,
        #[serde(with = "serde_npz::with::nan")]
        text: Option<String>,
        #[serde(with = "serde_npz::with::float16")]
        half: Vec<f32>,
        #[serde(with = "serde_npz::with::float32")]
        single: Option<f64>,
    }
    #[derive(Serialize, Deserialize, Debug, PartialEq)]
    struct Flat {
        id: u8,
        #[serde(flatten)]
        floats: Floats,
    }
    #[derive(Serialize, Deserialize, Debug, PartialEq)]
    #[serde(tag = "kind")]
    enum Tagged {
        Floats(Floats),
    }
    let floats = || Floats {
        one: None,
        many: vec![[Some(0.1), None], [None, Some(-1.5)]],
        map: BTreeMap::from([("a".to_string(), Some(vec![None, Some(0.1)])), ("b".to_string(), None)]),
        text: None,
        half: vec![0.5, f32::INFINITY],
        single: None,
    };
    round(&Flat {
        id: 1,
        floats: floats(),
    });
    round(&Tagged::Floats(floats()));

    #[derive(Deserialize, Debug)]
    struct Narrow {
        #[serde(with = "serde_npz::with::nan")]
        #[allow(dead_code)]
        x: Vec<Option<f32>>,
    }
    #[derive(Deserialize, Debug)]
    struct Outer {
        #[serde(flatten)]
        #[allow(dead_code)]
        narrow: Narrow,
    }
    let wide = |x: f64| to_npz_vec(&BTreeMap::from([("x", vec![x])])).unwrap();
    let err = from_npz_slice::<Outer>(&wide(0.1)).unwrap_err();
    assert_eq!(err.kind(), ErrorKind::TypeMismatch, "{err}");
    from_npz_slice::<Outer>(&wide(0.5)).unwrap();
    let count = |n: i64| to_npz_vec(&BTreeMap::from([("x", vec![n])])).unwrap();
    from_npz_slice::<Outer>(&count(1 << 24)).unwrap();
    from_npz_slice::<Outer>(&count((1 << 24) + 1)).unwrap_err();
}
