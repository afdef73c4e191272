//! `with::masked` and `with::columns`.

use std::collections::BTreeMap;
use std::io::Cursor;
use std::time::{Duration, UNIX_EPOCH};

use num_complex::Complex;
use serde::{Deserialize, Serialize};
use serde_npz::{ErrorKind, NpzReader, from_npz_slice, to_npz_vec};

use super::{json, layout, refused, round};

#[derive(Serialize, Deserialize, Debug, PartialEq, Clone, Copy)]
struct Point {
    x: f32,
    tag: [u8; 2],
}

#[derive(Serialize, Deserialize, Debug, PartialEq)]
pub struct Masked {
    #[serde(with = "serde_npz::with::masked")]
    ints: Vec<Option<i16>>,
    #[serde(with = "serde_npz::with::masked")]
    floats: [[Option<f64>; 2]; 2],
    #[serde(with = "serde_npz::with::masked")]
    texts: Vec<Option<String>>,
    #[serde(with = "serde_npz::with::masked")]
    bools: Vec<Vec<Option<bool>>>,
    #[serde(with = "serde_npz::with::masked")]
    complex: Vec<Option<Complex<f32>>>,
    #[serde(with = "serde_npz::with::masked")]
    rows: Vec<Option<[u8; 3]>>,
    #[serde(with = "serde_npz::with::masked")]
    records: Vec<Option<Point>>,
    #[serde(with = "serde_npz::with::masked")]
    spans: Vec<Option<Duration>>,
    #[serde(with = "serde_npz::with::masked")]
    none: Vec<Option<u32>>,
    #[serde(with = "serde_npz::with::masked")]
    nothing: Vec<Option<Point>>,
    #[serde(with = "serde_npz::with::masked")]
    empty: Vec<Option<u8>>,
    #[serde(with = "serde_npz::with::masked")]
    absent: Option<Vec<Option<u8>>>,
    #[serde(with = "serde_npz::with::masked")]
    plain: Vec<u16>,
    #[serde(with = "serde_npz::with::masked")]
    one: Option<u8>,
    #[serde(with = "serde_npz::with::masked")]
    apart: Vec<Option<Vec<Option<u8>>>>,
    #[serde(with = "serde_npz::with::masked")]
    map: BTreeMap<String, Vec<Option<char>>>,
}

pub fn masked() -> Masked {
    Masked {
        ints: vec![Some(-1), None, Some(i16::MAX)],
        floats: [[Some(0.5), None], [Some(f64::INFINITY), Some(-0.0)]],
        texts: vec![Some("ab".into()), None, Some("".into())],
        bools: vec![vec![Some(true)], vec![None], vec![Some(false)]],
        complex: vec![None, Some(Complex::new(1.0, -2.0))],
        rows: vec![Some([1, 2, 3]), None],
        records: vec![None, Some(Point { x: 0.5, tag: [1, 2] })],
        spans: vec![Some(Duration::from_nanos(3)), None],
        none: vec![None, None],
        nothing: vec![None],
        empty: vec![],
        absent: None,
        plain: vec![7, 8],
        one: Some(3),
        apart: vec![Some(vec![Some(1), None]), None],
        map: BTreeMap::from([("k".to_string(), vec![Some('x'), None])]),
    }
}

#[test]
fn masked_there_and_back() {
    let bytes = round(&masked());
    assert_eq!(
        layout(&bytes),
        [
            "ints/values <i2 [3]",
            "ints/values? |b1 [3]",
            "floats/values <f8 [2, 2]",
            "floats/values? |b1 [2, 2]",
            "texts/values <U2 [3]",
            "texts/values? |b1 [3]",
            "bools/values |b1 [3, 1]",
            "bools/values? |b1 [3, 1]",
            "complex/values <c8 [2]",
            "complex/values? |b1 [2]",
            "rows/values |u1 [2, 3]",
            "rows/values? |b1 [2]",
            "records/values [('x', '<f4'), ('tag', '|u1', (2,))] [2]",
            "records/values? |b1 [2]",
            "spans/values <m8[ns] [2]",
            "spans/values? |b1 [2]",
            "none/values <u4 [2]",
            "none/values? |b1 [2]",
            "nothing/values <f8 [1]",
            "nothing/values? |b1 [1]",
            "empty/values <f8 [0]",
            "empty/values? |b1 [0]",
            "absent |V0 []",
            "plain/values <u2 [2]",
            "plain/values? |b1 [2]",
            "one |u1 []",
            "apart/0/values |u1 [2]",
            "apart/0/values? |b1 [2]",
            "apart/1 |V0 []",
            "map/k/values <U1 [2]",
            "map/k/values? |b1 [2]",
        ]
    );
    let mut archive = NpzReader::new(Cursor::new(&bytes)).unwrap();
    assert_eq!(archive.get::<Vec<i16>>("ints/values").unwrap(), [-1, 0, i16::MAX]);
    assert_eq!(archive.get::<Vec<bool>>("ints/values?").unwrap(), [true, false, true]);
    let floats: Vec<Vec<f64>> = archive.get("floats/values").unwrap();
    assert!(floats[0][1].is_nan());
    assert_eq!(archive.get::<Vec<i64>>("spans/values").unwrap(), [3, i64::MIN]);
}

#[test]
fn masked_some_nan_and_json() {
    field!(Floats, "serde_npz::with::masked", Vec<Option<f64>>);
    let bytes = to_npz_vec(&Floats {
        x: vec![Some(f64::NAN), None],
    })
    .unwrap();
    let back: Floats = from_npz_slice(&bytes).unwrap();
    assert!(back.x[0].is_some_and(f64::is_nan) && back.x[1].is_none());
    json(
        &Floats {
            x: vec![Some(1.5), None],
        },
        r#"{"x":[1.5,null]}"#,
    );
    // An array without a mask.
    let plain = to_npz_vec(&BTreeMap::from([("x", vec![1.5])])).unwrap();
    assert_eq!(from_npz_slice::<Floats>(&plain).unwrap().x, [Some(1.5)]);
    // Rows of unequal lengths are a list of masked arrays.
    field!(Rows, "serde_npz::with::masked", Vec<Vec<Option<u8>>>);
    let bytes = round(&Rows {
        x: vec![vec![Some(1), None], vec![]],
    });
    let names = ["x/0/values", "x/0/values?", "x/1/values", "x/1/values?"];
    assert!(
        layout(&bytes)
            .iter()
            .zip(names)
            .all(|(line, name)| line.starts_with(name))
    );
}

#[test]
fn a_mask_that_does_not_fit() {
    field!(Data, "serde_npz::with::masked", Vec<Option<f64>>);
    field!(Plain, "serde_npz::with::masked", Vec<f64>);
    let read = |mask: &[bool]| -> Vec<u8> {
        #[derive(Serialize)]
        struct Group<'a> {
            values: [f64; 2],
            #[serde(rename = "values?")]
            mask: &'a [bool],
        }
        to_npz_vec(&BTreeMap::from([(
            "x",
            Group {
                values: [1.0, 2.0],
                mask,
            },
        )]))
        .unwrap()
    };
    assert_eq!(
        from_npz_slice::<Data>(&read(&[true, false])).unwrap().x,
        [Some(1.0), None]
    );
    assert_eq!(from_npz_slice::<Plain>(&read(&[true, true])).unwrap().x, [1.0, 2.0]);
    let err = from_npz_slice::<Plain>(&read(&[true, false])).unwrap_err();
    assert_eq!(
        (err.kind(), err.path()),
        (ErrorKind::InvalidValue, "x/values[1]"),
        "{err}"
    );
    let err = from_npz_slice::<Data>(&read(&[true])).unwrap_err();
    assert_eq!((err.kind(), err.path()), (ErrorKind::InvalidValue, "x/values"), "{err}");
}

#[derive(Serialize, Deserialize, Debug, PartialEq, Clone)]
pub struct Row {
    id: u32,
    name: String,
    at: Point,
    position: [f64; 3],
    temp: Option<f32>,
    #[serde(with = "serde_npz::with::nan")]
    level: Option<f64>,
    #[serde(with = "serde_npz::with::datetime64::s")]
    time: Option<std::time::SystemTime>,
    spectrum: Vec<u16>,
    maybe: Option<[u8; 2]>,
    kind: Kind,
}

#[derive(Serialize, Deserialize, Debug, PartialEq, Clone)]
enum Kind {
    Plain,
    Loud { volume: u8 },
}

pub fn rows() -> Vec<Row> {
    let row = |id: u32, name: &str, odd: bool| Row {
        id,
        name: name.into(),
        at: Point { x: 0.5, tag: [1, 2] },
        position: [1.0, 2.0, f64::from(id)],
        temp: odd.then_some(2.5),
        level: (!odd).then_some(0.25),
        time: odd.then_some(UNIX_EPOCH),
        spectrum: vec![1, 2],
        maybe: odd.then_some([3, 4]),
        kind: if odd { Kind::Plain } else { Kind::Loud { volume: 11 } },
    };
    vec![row(1, "a", true), row(2, "bcd", false), row(3, "", true)]
}

#[test]
fn columns_there_and_back() {
    field!(Table, "serde_npz::with::columns", Vec<Row>);
    let bytes = round(&Table { x: rows() });
    assert_eq!(
        layout(&bytes),
        [
            "x/id <u4 [3]",
            "x/name <U3 [3]",
            "x/at [('x', '<f4'), ('tag', '|u1', (2,))] [3]",
            "x/position <f8 [3, 3]",
            "x/temp/values <f4 [3]",
            "x/temp/values? |b1 [3]",
            "x/level <f8 [3]",
            "x/time <M8[s] [3]",
            "x/spectrum <u2 [3, 2]",
            "x/maybe/values |u1 [3, 2]",
            "x/maybe/values? |b1 [3]",
            "x/kind/0 <U5 []",
            "x/kind/1/Loud/volume |u1 []",
            "x/kind/2 <U5 []",
        ]
    );
    let bytes = round(&Table { x: vec![] });
    assert_eq!(layout(&bytes), ["x |V0 [0]"]);
    let text = serde_json::to_string(&Table { x: rows() }).unwrap();
    assert_eq!(serde_json::from_str::<Table>(&text).unwrap().x, rows());
}

#[test]
fn columns_in_maps_tuples_and_flattened_rows() {
    #[derive(Serialize, Deserialize, Debug, PartialEq, Clone)]
    struct Flat {
        id: u8,
        #[serde(flatten)]
        at: Point,
    }
    #[derive(Serialize, Deserialize, Debug, PartialEq)]
    struct Tables {
        #[serde(with = "serde_npz::with::columns")]
        map: BTreeMap<String, Vec<Point>>,
        #[serde(with = "serde_npz::with::columns")]
        maps: Vec<BTreeMap<String, Vec<Point>>>,
        #[serde(with = "serde_npz::with::columns")]
        absent: Option<Vec<Point>>,
        #[serde(with = "serde_npz::with::columns")]
        pairs: [(u8, Option<String>); 2],
        #[serde(with = "serde_npz::with::columns")]
        nested: Vec<Vec<Point>>,
        #[serde(with = "serde_npz::with::columns")]
        options: Vec<Option<Point>>,
        #[serde(with = "serde_npz::with::columns")]
        vectors: Vectors,
    }
    #[derive(Serialize, Deserialize, Debug, PartialEq)]
    struct Vectors {
        id: Vec<u8>,
        rows: Vec<Vec<f64>>,
    }
    let point = Point { x: 1.5, tag: [7, 8] };
    let bytes = round(&Tables {
        map: BTreeMap::from([("a".to_string(), vec![point; 2])]),
        maps: vec![BTreeMap::from([("a".to_string(), vec![point])])],
        absent: None,
        pairs: [(1, Some("x".into())), (2, None)],
        nested: vec![vec![point], vec![]],
        options: vec![Some(point), None],
        vectors: Vectors {
            id: vec![1],
            rows: vec![vec![0.5]],
        },
    });
    assert_eq!(
        layout(&bytes),
        [
            "map/a/x <f4 [2]",
            "map/a/tag |u1 [2, 2]",
            "maps/0/a/x <f4 [1]",
            "maps/0/a/tag |u1 [1, 2]",
            "absent |V0 []",
            "pairs/f0 |u1 [2]",
            "pairs/f1/values <U1 [2]",
            "pairs/f1/values? |b1 [2]",
            "nested/0/x <f4 [1]",
            "nested/0/tag |u1 [1, 2]",
            "nested/1 |V0 [0]",
            "options/0/x <f4 []",
            "options/0/tag |u1 [2]",
            "options/1 |V0 []",
            "vectors/id |u1 [1]",
            "vectors/rows <f8 [1, 1]",
        ]
    );
    field!(Table, "serde_npz::with::columns", Vec<Flat>);
    let bytes = round(&Table {
        x: vec![Flat { id: 1, at: point }, Flat { id: 2, at: point }],
    });
    assert_eq!(layout(&bytes), ["x/id |u1 [2]", "x/x <f4 [2]", "x/tag |u1 [2, 2]"]);
}

#[test]
fn columns_of_records_and_of_other_programs() {
    #[derive(Deserialize, Debug, PartialEq)]
    struct Some {
        #[serde(default)]
        missing: u8,
        #[serde(alias = "weight")]
        w: f64,
    }
    field!(Records, "serde_npz::with::columns", Vec<Point>);
    let point = Point { x: 1.5, tag: [7, 8] };
    let records = to_npz_vec(&BTreeMap::from([("x", vec![point; 3])])).unwrap();
    assert_eq!(from_npz_slice::<Records>(&records).unwrap().x, [point; 3]);

    #[derive(Deserialize, Debug)]
    struct Table {
        #[serde(with = "serde_npz::with::columns")]
        x: Vec<Some>,
    }
    #[derive(Serialize)]
    struct Frame {
        weight: Vec<f32>,
        ignored: Vec<&'static str>,
        other: f64,
    }
    let frame = |other| {
        BTreeMap::from([(
            "x",
            Frame {
                weight: vec![0.5, 1.5],
                ignored: vec!["a"],
                other,
            },
        )])
    };
    let read: Table = from_npz_slice(&to_npz_vec(&frame(0.5)).unwrap()).unwrap();
    let weights: Vec<f64> = read.x.iter().map(|row| row.w + f64::from(row.missing)).collect();
    assert_eq!(weights, [0.5, 1.5]);

    #[derive(Deserialize, Debug)]
    struct Both {
        #[serde(with = "serde_npz::with::columns")]
        #[allow(dead_code)]
        x: Vec<(f64, String, f64)>,
    }
    let err = from_npz_slice::<Both>(&to_npz_vec(&frame(0.5)).unwrap()).unwrap_err();
    assert_eq!(
        (err.kind(), err.path()),
        (ErrorKind::TypeMismatch, "x/ignored"),
        "{err}"
    );
}

#[test]
fn rows_that_make_no_columns() {
    #[derive(Serialize)]
    struct Skips {
        a: u8,
        #[serde(skip_serializing_if = "Option::is_none")]
        b: Option<u8>,
    }
    #[derive(Serialize)]
    struct Table<T: Serialize> {
        #[serde(with = "serde_npz::with::columns")]
        x: Vec<T>,
    }
    let skips = |b| Skips { a: 1, b };
    let table = Table {
        x: vec![skips(Some(1)), skips(None)],
    };
    refused(&table, ErrorKind::InvalidValue, "x/a");
    refused(&Table { x: vec![1, 2] }, ErrorKind::UnsupportedType, "x[0]");
    refused(&Table { x: vec!["a"] }, ErrorKind::UnsupportedType, "x[0]");
}
