//! Numbers of several kinds in one sequence, and elements of several kinds.

use std::io::Cursor;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use serde_npz::ErrorKind::{MixedTypes, Ragged, UnsupportedType};
use serde_npz::{NpzWriter, from_npy_slice, from_npz_slice, to_npy_vec, to_npz_vec};

use crate::common::{Scratch, is, refused, table};

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct X<T> {
    x: T,
}

fn x<T>(x: T) -> X<T> {
    X { x }
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
enum Cell {
    Small(u8),
    Int(i64),
    Float(f64),
    Text(String),
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Row {
    name: String,
    value: Cell,
}

fn row(name: &str, value: Cell) -> Row {
    Row {
        name: name.into(),
        value,
    }
}

/// The members of `value`, which comes back equal as numbers are compared: 1 is 1.0.
#[track_caller]
fn check(value: &Value, expected: &str) {
    let bytes = to_npz_vec(&x(value)).unwrap();
    assert_eq!(table(&bytes), expected);
    let back: X<Value> = from_npz_slice(&bytes).unwrap();
    assert!(equal(value, &back.x), "{value} became {}", back.x);
    // A writer that cannot take anything back gives the same.
    let mut npz = NpzWriter::new(Cursor::new(Vec::new()));
    npz.add("x", value).unwrap();
    assert!(npz.finish().unwrap().into_inner() == bytes);
    let dir = Scratch::new("mixed");
    let path = serde_npz::save_npz(dir.path("x"), &x(value)).unwrap();
    assert!(std::fs::read(path).unwrap() == bytes);
}

fn equal(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Number(a), Value::Number(b)) => a == b || a.as_f64() == b.as_f64() && (a.is_f64() || b.is_f64()),
        (Value::Array(a), Value::Array(b)) => a.len() == b.len() && a.iter().zip(b).all(|(a, b)| equal(a, b)),
        (Value::Object(a), Value::Object(b)) => {
            a.len() == b.len() && a.iter().all(|(key, a)| b.get(key).is_some_and(|b| equal(a, b)))
        }
        _ => a == b,
    }
}

#[test]
fn numbers_become_one_kind_that_holds_all() {
    check(&json!([1, -2]), "x <i8 (2,)");
    check(&json!([-1, 2, 3]), "x <i8 (3,)");
    check(&json!([i64::MAX, i64::MIN]), "x <i8 (2,)");
    check(&json!([1, 0.5]), "x <f8 (2,)");
    check(&json!([0.5, -1, 2]), "x <f8 (3,)");
    check(&json!([-0.0, 0, 1e308]), "x <f8 (3,)");
    check(&json!([1_u64 << 53, 0.5]), "x <f8 (2,)");
    check(&json!([[1, 2], [0.5, -1]]), "x <f8 (2, 2)");
    check(&json!([[[1], [-1]], [[2], [3]]]), "x <i8 (2, 2, 1)");
    check(&json!([u64::MAX, 1]), "x <u8 (2,)");
    check(
        &json!({"a": [1, -1], "b": [[1.5], [2]]}),
        "x/a <i8 (2,); x/b <f8 (2, 1)",
    );
    // In any order, and a lone file too, onto anything.
    for value in [json!([1, -2, 0.5]), json!([0.5, 1, -2]), json!([-2, 0.5, 1])] {
        check(&value, "x <f8 (3,)");
        let bytes = to_npy_vec(&value).unwrap();
        assert!(equal(&from_npy_slice::<Value>(&bytes).unwrap(), &value));
        let mut written = Vec::new();
        serde_npz::to_npy_writer(&mut written, &value).unwrap();
        assert_eq!(written, bytes);
        let dir = Scratch::new("mixed-alone");
        let path = serde_npz::save_npy(dir.path("x"), &value).unwrap();
        assert_eq!(std::fs::read(path).unwrap(), bytes);
    }
    let smalls = x(vec![Cell::Small(1), Cell::Int(-1)]);
    assert_eq!(table(&to_npz_vec(&smalls).unwrap()), "x <i8 (2,)");
}

#[test]
fn numbers_that_no_kind_holds_are_a_list() {
    check(&json!([u64::MAX, -1]), "x/0 <u8 (); x/1 <i8 ()");
    check(&json!([(1_u64 << 53) + 1, 0.5]), "x/0 <u8 (); x/1 <f8 ()");
    check(&json!([0.5, i64::MAX]), "x/0 <f8 (); x/1 <u8 ()");
    check(&json!([[1, 0.5], [(1_u64 << 53) + 1, 2]]), "x/0 <f8 (2,); x/1 <u8 (2,)");
    let err = to_npy_vec(&json!([u64::MAX, -1])).unwrap_err();
    assert_eq!(err.kind(), MixedTypes, "{err}");
}

#[test]
fn other_kinds_are_a_list_of_the_outermost_sequence() {
    check(&json!([1, "a", null]), "x/0 <u8 (); x/1 <U1 (); x/2 |V0 ()");
    check(&json!(["a", 1]), "x/0 <U1 (); x/1 <u8 ()");
    check(&json!([null, 1]), "x/0 |V0 (); x/1 <u8 ()");
    check(&json!([true, 1]), "x/0 |b1 (); x/1 <u8 ()");
    check(&json!([0, false]), "x/0 <u8 (); x/1 |b1 ()");
    check(&json!([1, [2]]), "x/0 <u8 (); x/1 <u8 (1,)");
    check(&json!([[1], 2]), "x/0 <u8 (1,); x/1 <u8 ()");
    check(&json!([[1, 2], [3, "a"]]), "x/0 <u8 (2,); x/1/0 <u8 (); x/1/1 <U1 ()");
    check(&json!([[1, "a"], [3, 4]]), "x/0/0 <u8 (); x/0/1 <U1 (); x/1 <u8 (2,)");
    check(&json!([["a", "b"], [3, 4]]), "x/0 <U1 (2,); x/1 <u8 (2,)");
    check(&json!([[1], ["a", "b"]]), "x/0 <u8 (1,); x/1 <U1 (2,)");
    check(&json!([[1, 2], [3], "a"]), "x/0 <u8 (2,); x/1 <u8 (1,); x/2 <U1 ()");
    check(&json!([1, {"a": 2}]), "x/0 <u8 (); x/1/a <u8 ()");
    check(&json!([{"a": 2}, 1.5, []]), "x/0/a <u8 (); x/1 <f8 (); x/2 <f8 (0,)");
    check(&json!([null, null]), "x/0 |V0 (); x/1 |V0 ()");
    check(&json!([[null], [null, 1]]), "x/0/0 |V0 (); x/1/0 |V0 (); x/1/1 <u8 ()");
    check(&json!([{}, {}]), "x/0 |V0 (0,); x/1 |V0 (0,)");
    check(&json!([[], []]), "x <f8 (2, 0)");
    // Unequal lengths of one kind are told as before.
    refused(&x(json!([[1], [1, 2]])), Ragged, "x[1]", &["with::list"]);
    refused(&x(json!([[], [1]])), Ragged, "x[1]", &["with::list"]);
    refused(&x(vec![(), ()]), UnsupportedType, "x", &[]);
    // The root, too.
    let root = json!([1, "a"]);
    let bytes = to_npz_vec(&root).unwrap();
    assert_eq!(table(&bytes), "0 <u8 (); 1 <U1 ()");
    assert_eq!(from_npz_slice::<Value>(&bytes).unwrap(), root);
}

#[test]
fn fields_of_records() {
    let rows = vec![
        row("a", Cell::Int(1)),
        row("bc", Cell::Float(0.5)),
        row("", Cell::Small(7)),
    ];
    let bytes = to_npz_vec(&x(&rows)).unwrap();
    assert_eq!(table(&bytes), "x [('name', '<U2'), ('value', '<f8')] (3,)");
    let back: X<Vec<Row>> = from_npz_slice(&bytes).unwrap();
    let floats = [
        row("a", Cell::Float(1.0)),
        row("bc", Cell::Float(0.5)),
        row("", Cell::Float(7.0)),
    ];
    assert_eq!(back.x, floats);
    let alone = to_npy_vec(&rows).unwrap();
    assert_eq!(from_npy_slice::<Vec<Row>>(&alone).unwrap(), floats);
    let mut written = Vec::new();
    serde_npz::to_npy_writer(&mut written, &rows).unwrap();
    assert_eq!(written, alone);

    #[derive(Serialize)]
    struct Reading {
        id: u32,
        value: Value,
    }
    let readings = |values: [Value; 3]| values.map(|value| Reading { id: 1, value });
    for (values, expected) in [
        (
            [json!(1), json!(-1), json!(2)],
            "x [('id', '<u4'), ('value', '<i8')] (3,)",
        ),
        (
            [json!(1.5), json!(-1), json!(2)],
            "x [('id', '<u4'), ('value', '<f8')] (3,)",
        ),
        (
            [json!(1), json!("a"), json!(null)],
            "x/0/id <u4 (); x/0/value <u8 (); x/1/id <u4 (); x/1/value <U1 (); x/2/id <u4 (); x/2/value |V0 ()",
        ),
    ] {
        let readings = readings(values);
        let bytes = to_npz_vec(&x(&readings[..])).unwrap();
        assert_eq!(table(&bytes), expected);
        let mut npz = NpzWriter::new(Cursor::new(Vec::new()));
        npz.add("x", &readings[..]).unwrap();
        assert!(npz.finish().unwrap().into_inner() == bytes);
    }
    // Pairs with a text are records, whichever numbers are beside it.
    let pairs = vec![("a", json!(1)), ("b", json!(0.5))];
    assert_eq!(
        table(&to_npz_vec(&x(pairs)).unwrap()),
        "x [('f0', '<U1'), ('f1', '<f8')] (2,)"
    );
    // A tuple of numbers of two kinds is a record, and never an axis.
    assert_eq!(
        table(&to_npz_vec(&x(vec![(1_u8, 0.5); 2])).unwrap()),
        "x [('f0', '|u1'), ('f1', '<f8')] (2,)"
    );
    assert_eq!(
        table(&to_npz_vec(&x(vec![(1_u8, json!(1)), (2, json!(0.5))])).unwrap()),
        "x [('f0', '|u1'), ('f1', '<f8')] (2,)"
    );
    // Where the same type may give an axis, it is a list.
    for tuples in [
        vec![(json!(1), json!(0.5)), (json!(1), json!(1))],
        vec![(json!(1), json!(1)), (json!(1), json!(0.5))],
    ] {
        let bytes = to_npz_vec(&x(&tuples)).unwrap();
        assert_eq!(from_npz_slice::<X<Vec<(Value, Value)>>>(&bytes).unwrap().x, tuples);
    }
}

#[test]
fn where_no_list_may_be() {
    #[cfg(feature = "ndarray-0_17")]
    {
        let array = ndarray::Array1::from(vec![json!(1), json!("a")]);
        refused(&x(array), MixedTypes, "x[1]", &[]);
        let array = ndarray::Array1::from(vec![json!(1), json!(0.5)]);
        refused(&x(array), MixedTypes, "x", &[]);
    }
    let mut rows = serde_npz::NpyWriter::new(Cursor::new(Vec::new())).unwrap();
    rows.push(&json!(1)).unwrap();
    is(rows.push(&json!(-1)).unwrap_err(), MixedTypes, "[1]", &["<i8", "<u8"]);
    is(rows.push(&json!("a")).unwrap_err(), MixedTypes, "[1]", &["<U1", "<u8"]);
    is(rows.push(&json!([1, "a"])).unwrap_err(), MixedTypes, "[1][1]", &[]);
    rows.push(&json!(2)).unwrap();
    rows.finish().unwrap();
    let mut rows = serde_npz::NpyWriter::new(Cursor::new(Vec::new())).unwrap();
    rows.push(&json!([1, -1])).unwrap();
    rows.push(&json!([-2, 2])).unwrap();
    let bytes = rows.finish().unwrap().into_inner();
    assert_eq!(from_npy_slice::<Vec<[i64; 2]>>(&bytes).unwrap(), [[1, -1], [-2, 2]]);

    #[derive(Serialize)]
    struct Rows {
        #[serde(with = "serde_npz::with::ragged")]
        x: Value,
    }
    let ragged = |x| to_npz_vec(&Rows { x });
    let bytes = ragged(json!([[1, -1], [2], []])).unwrap();
    assert_eq!(table(&bytes), "x/values <i8 (3,); x/offsets <i8 (4,)");
    let bytes = ragged(json!([[1], [0.5]])).unwrap();
    assert_eq!(table(&bytes), "x/values <f8 (2,); x/offsets <i8 (3,)");
    let err = ragged(json!([[(1_u64 << 53) + 1], [0.5]])).unwrap_err();
    assert_eq!(err.kind(), MixedTypes, "{err}");
}

/// In a sequence Some(x) is x, also where the number before it was bare.
#[test]
fn some_beside_bare_numbers() {
    #[derive(Serialize)]
    #[serde(untagged)]
    enum Either {
        Bare(f64),
        Maybe(Option<f64>),
    }
    let values = [Either::Bare(1.0), Either::Maybe(Some(2.0)), Either::Bare(3.0)];
    let expected = to_npy_vec(&[1.0, 2.0, 3.0]).unwrap();
    assert!(to_npy_vec(&values[..]).unwrap() == expected);
    let mut streamed = Vec::new();
    serde_npz::to_npy_writer(&mut streamed, &values[..]).unwrap();
    assert!(streamed == expected);
    assert_eq!(table(&to_npz_vec(&x(&values[..])).unwrap()), "x <f8 (3,)");
}
