//! A structured array as a struct of vectors: each field is an array.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_npz::{ErrorKind, from_npy_slice, from_npz_slice, to_npy_vec, to_npz_vec};

#[derive(Clone, Serialize)]
struct Row {
    id: u32,
    at: [f32; 2],
    name: &'static str,
    inner: Inner,
    skipped: u8,
}

#[derive(Clone, Serialize)]
struct Inner {
    ok: bool,
    big: i64,
}

#[derive(Debug, PartialEq, Deserialize)]
struct Columns {
    inner: InnerColumns,
    id: Vec<u64>,
    at: Vec<[f64; 2]>,
    name: Vec<String>,
    absent: Option<Vec<u8>>,
}

#[derive(Debug, PartialEq, Deserialize)]
struct InnerColumns {
    big: Vec<i64>,
    ok: Vec<bool>,
}

fn rows() -> Vec<Row> {
    let row = |id, name| Row {
        id,
        at: [0.5, id as f32],
        name,
        inner: Inner {
            ok: id > 1,
            big: -i64::from(id),
        },
        skipped: 0,
    };
    vec![row(1, "a"), row(2, "bcd"), row(3, "")]
}

fn columns() -> Columns {
    Columns {
        inner: InnerColumns {
            big: vec![-1, -2, -3],
            ok: vec![false, true, true],
        },
        id: vec![1, 2, 3],
        at: vec![[0.5, 1.0], [0.5, 2.0], [0.5, 3.0]],
        name: vec!["a".into(), "bcd".into(), "".into()],
        absent: None,
    }
}

#[test]
fn a_structured_array_is_a_struct_of_vectors() {
    let bytes = to_npy_vec(&rows()).unwrap();
    assert_eq!(from_npy_slice::<Columns>(&bytes).unwrap(), columns());
    let archive = to_npz_vec(&BTreeMap::from([("x", rows())])).unwrap();
    let read: BTreeMap<String, Columns> = from_npz_slice(&archive).unwrap();
    assert_eq!(read["x"], columns());

    let empty: Columns = from_npy_slice(&empty_of(&bytes)).unwrap();
    assert!(empty.id.is_empty() && empty.inner.ok.is_empty() && empty.at.is_empty());
}

/// The same array without its elements.
fn empty_of(npy: &[u8]) -> Vec<u8> {
    let header = serde_npz::Header::read(&mut &npy[..]).unwrap();
    serde_npz::Header::new(header.dtype().clone(), vec![0], false)
        .unwrap()
        .to_bytes()
}

#[test]
fn a_map_of_all_fields_and_more_axes() {
    #[derive(Clone, Serialize)]
    struct Pair {
        a: u8,
        b: u16,
    }
    let pair = |a: u8| Pair {
        a,
        b: u16::from(a) * 100,
    };
    let bytes = to_npy_vec(&vec![
        vec![pair(1), pair(2)],
        vec![pair(3), pair(4)],
        vec![pair(5), pair(6)],
    ])
    .unwrap();
    let map: BTreeMap<String, Vec<Vec<u32>>> = from_npy_slice(&bytes).unwrap();
    assert_eq!(map["a"], [[1, 2], [3, 4], [5, 6]]);
    assert_eq!(map["b"], [[100, 200], [300, 400], [500, 600]]);

    // Each row of it by itself, and records as before.
    #[derive(Debug, PartialEq, Deserialize)]
    struct Line {
        b: Vec<u16>,
    }
    let lines: Vec<Line> = from_npy_slice(&bytes).unwrap();
    assert_eq!(lines[2].b, [500, 600]);
}

#[test]
fn fortran_order_and_errors() {
    let header = serde_npz::Header::new("[('a', '|u1'), ('b', '|V0')]".parse().unwrap(), vec![2, 3], true).unwrap();
    let mut bytes = header.to_bytes();
    bytes.extend([1, 4, 2, 5, 3, 6]);
    #[derive(Debug, PartialEq, Deserialize)]
    struct A {
        a: Vec<Vec<u8>>,
    }
    assert_eq!(from_npy_slice::<A>(&bytes).unwrap().a, [[1, 2, 3], [4, 5, 6]]);

    #[derive(Debug, Deserialize)]
    struct Wrong {
        #[allow(dead_code)]
        a: Vec<Vec<String>>,
    }
    let err = from_npy_slice::<Wrong>(&bytes).unwrap_err();
    assert_eq!((err.kind(), err.path()), (ErrorKind::TypeMismatch, ".a[0][0]"), "{err}");
    let err = from_npy_slice::<A>(&to_npy_vec(&vec![1.0]).unwrap()).unwrap_err();
    assert_eq!(err.kind(), ErrorKind::TypeMismatch, "{err}");
}

/// A field with a mask is a vector of Options.
#[test]
fn masks_go_with_their_columns() {
    #[derive(Serialize)]
    struct Imu {
        id: u8,
        temp: Option<f32>,
        at: Option<[u8; 2]>,
    }
    #[derive(Debug, PartialEq, Deserialize)]
    struct Columns {
        id: Vec<u8>,
        temp: Vec<Option<f32>>,
        at: Vec<Option<[u8; 2]>>,
    }
    let imu = |id, temp, at| Imu { id, temp, at };
    let bytes = to_npy_vec(&vec![imu(1, Some(0.5), None), imu(2, None, Some([3, 4]))]).unwrap();
    assert_eq!(
        from_npy_slice::<Columns>(&bytes).unwrap(),
        Columns {
            id: vec![1, 2],
            temp: vec![Some(0.5), None],
            at: vec![None, Some([3, 4])],
        }
    );
    let map: BTreeMap<String, serde_json::Value> = from_npy_slice(&bytes).unwrap();
    assert_eq!(map["temp"], serde_json::json!([0.5, null]));
    assert_eq!(map.len(), 3);
}
