//! Records into structs. Fields go by order where the names agree and by name elsewhere, with the same result. Here:
//! records laid out as this crate does not write them.

mod fields;
mod large;
mod types;
mod visitors;

use std::fmt;

use serde::{Deserialize, Serialize};
use serde_npz::{Casting, ErrorKind, NpyReader, ReadOptions, from_npy_reader, from_npy_slice, to_npy_vec};

use crate::npy;

/// Five records of t, x, ok: packed, little-endian.
fn file() -> Vec<u8> {
    to_npy_vec(
        &(0..5_u32)
            .map(|t| (t, f64::from(t) * 0.5, t % 2 == 1))
            .collect::<Vec<_>>(),
    )
    .map(|bytes| renamed(bytes, "[('t', '<u4'), ('x', '<f8'), ('ok', '|b1')]", "(5,)"))
    .unwrap()
}

/// The data of a file under another header.
fn renamed(bytes: Vec<u8>, descr: &str, shape: &str) -> Vec<u8> {
    let start = 10 + usize::from(u16::from_le_bytes([bytes[8], bytes[9]]));
    npy(descr, shape, &bytes[start..])
}

/// From a slice, from a stream and row by row.
#[track_caller]
fn read<T>(file: &[u8]) -> Result<Vec<T>, (ErrorKind, String)>
where
    T: serde::de::DeserializeOwned + PartialEq + fmt::Debug,
{
    let told = |error: serde_npz::Error| (error.kind(), error.path().to_owned());
    let slice = from_npy_slice::<Vec<T>>(file).map_err(told);
    assert_eq!(from_npy_reader::<_, Vec<T>>(file).map_err(told), slice);
    let mut rows = NpyReader::new(file).unwrap();
    let rows: Result<Vec<T>, _> = rows.rows().collect::<serde_npz::Result<_>>().map_err(told);
    assert_eq!(rows, slice);
    slice
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Row {
    t: u32,
    x: f64,
    ok: bool,
}

fn rows() -> Vec<Row> {
    (0..5)
        .map(|t| Row {
            t,
            x: f64::from(t) * 0.5,
            ok: t % 2 == 1,
        })
        .collect()
}

#[test]
fn other_layouts_of_the_same_fields() {
    // Big-endian, in part.
    let mut data = Vec::new();
    for row in rows() {
        data.extend(row.t.to_be_bytes());
        data.extend(row.x.to_be_bytes());
        data.push(u8::from(row.ok));
    }
    let file = npy("[('t', '>u4'), ('x', '>f8'), ('ok', '|b1')]", "(5,)", &data);
    assert_eq!(read::<Row>(&file).unwrap(), rows());

    // Padded, as `align=True` writes it; with titles; partly big-endian.
    let mut data = Vec::new();
    for row in rows() {
        data.extend(row.t.to_le_bytes());
        data.extend([0xee; 4]);
        data.extend(row.x.to_be_bytes());
        data.push(u8::from(row.ok));
        data.extend([0xee; 7]);
    }
    let file = npy(
        "[('t', '<u4'), ('', '|V4'), ('x', '>f8'), ('ok', '|b1'), ('', '|V7')]",
        "(5,)",
        &data,
    );
    assert_eq!(read::<Row>(&file).unwrap(), rows());
    let file = npy(
        "[(('time', 't'), '<u4'), ('', '|V4'), (('place', 'x'), '>f8'), (('good', 'ok'), '|b1'), ('', '|V7')]",
        "(5,)",
        &data,
    );
    assert_eq!(read::<Row>(&file).unwrap(), rows());
    // With an axis of length one.
    let file = npy(
        "[('t', '<u4'), ('', '|V4'), ('x', '>f8'), ('ok', '|b1'), ('', '|V7')]",
        "(5, 1)",
        &data,
    );
    assert_eq!(
        from_npy_slice::<Vec<[Row; 1]>>(&file).unwrap(),
        rows().into_iter().map(|row| [row]).collect::<Vec<_>>()
    );
    // In Fortran order, of two axes.
    let mut fortran = npy("[('a', '|u1'), ('b', '|u1')]", "(2, 3)", &(0..12).collect::<Vec<u8>>());
    let at = fortran.windows(5).position(|part| part == b"False").unwrap();
    fortran[at..at + 5].copy_from_slice(b"True ");
    #[derive(Debug, PartialEq, Deserialize)]
    struct Ab {
        a: u8,
        b: u8,
    }
    let grid: Vec<Vec<Ab>> = from_npy_slice(&fortran).unwrap();
    let firsts: Vec<Vec<u8>> = grid.iter().map(|row| row.iter().map(|ab| ab.a).collect()).collect();
    assert_eq!(firsts, [[0, 4, 8], [2, 6, 10]]);
    assert!(grid.iter().flatten().all(|ab| ab.b == ab.a + 1));
}

#[test]
fn other_numbers_than_the_files() {
    #[derive(Debug, PartialEq, Deserialize)]
    struct Wider {
        t: i64,
        x: f64,
        ok: bool,
    }
    #[derive(Debug, PartialEq, Deserialize)]
    struct Floats {
        t: f64,
        x: f64,
        ok: bool,
    }
    #[derive(Debug, PartialEq, Deserialize)]
    struct Single {
        t: u32,
        x: f32,
        ok: bool,
    }
    #[derive(Debug, PartialEq, Deserialize)]
    struct Narrow {
        t: u8,
        x: f64,
        ok: bool,
    }
    let file = file();
    assert_eq!(read::<Wider>(&file).unwrap()[3].t, 3);
    assert_eq!(read::<Floats>(&file).unwrap()[3].t, 3.0);
    assert_eq!(read::<Narrow>(&file).unwrap()[3].t, 3);
    assert_eq!(
        read::<Single>(&file).unwrap_err(),
        (ErrorKind::TypeMismatch, "[0].x".into())
    );
    let same_kind = ReadOptions::new().casting(Casting::SameKind);
    assert_eq!(same_kind.from_npy_slice::<Vec<Single>>(&file).unwrap()[3].x, 1.5);

    // A value that does not fit: the first one, or one far behind it.
    let mut data = Vec::new();
    for t in [1_u32, 2, 3, 300, 5] {
        data.extend(t.to_le_bytes());
        data.extend(0.5_f64.to_le_bytes());
        data.push(1);
    }
    let start = data.len();
    let file = npy("[('t', '<u4'), ('x', '<f8'), ('ok', '|b1')]", "(5,)", &data);
    assert_eq!(
        read::<Narrow>(&file).unwrap_err(),
        (ErrorKind::InvalidValue, "[3].t".into())
    );
    // A byte of a bool that is neither 0 nor 1: in the last record, the first, the second.
    for (at, record) in [(start - 1, 4), (12, 0), (25, 1)] {
        let mut odd = data.clone();
        odd[at] = 2;
        let file = npy("[('t', '<u4'), ('x', '<f8'), ('ok', '|b1')]", "(5,)", &odd);
        assert!(read::<Row>(&file).unwrap()[record].ok);
    }
}

#[test]
fn paths_into_nested_records() {
    #[derive(Debug, PartialEq, Deserialize)]
    struct Outer {
        id: u8,
        inner: Inner,
        last: u8,
    }
    #[derive(Debug, PartialEq, Deserialize)]
    struct Inner {
        a: u8,
        b: [B; 2],
    }
    #[derive(Debug, PartialEq, Deserialize)]
    struct B {
        ok: bool,
        n: i8,
    }
    let descr =
        "[('id', '|u1'), ('inner', [('a', '|u1'), ('b', [('ok', '|b1'), ('n', '|u1')], (2,))]), ('last', '|u1')]";
    let good = [1, 2, 1, 3, 0, 4, 5].repeat(4);
    assert_eq!(read::<Outer>(&npy(descr, "(4,)", &good)).unwrap().len(), 4);
    for element in 0..4 {
        for (at, path) in [(3, "b[0].n"), (5, "b[1].n")] {
            let mut bad = good.clone();
            bad[element * 7 + at] = 200;
            let told = read::<Outer>(&npy(descr, "(4,)", &bad)).unwrap_err();
            assert_eq!(told, (ErrorKind::InvalidValue, format!("[{element}].inner.{path}")));
        }
    }
}

#[test]
fn one_record_alone() {
    let bytes = to_npy_vec(&rows()[3]).unwrap();
    assert_eq!(from_npy_slice::<Row>(&bytes).unwrap(), rows()[3]);
    assert_eq!(from_npy_reader::<_, Row>(&bytes[..]).unwrap(), rows()[3]);
    assert_eq!(
        from_npy_slice::<Vec<Row>>(&bytes).unwrap_err().kind(),
        ErrorKind::TypeMismatch
    );
}
