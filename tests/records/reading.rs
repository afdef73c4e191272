//! Records into structs: by the order of their fields where the names agree, by their names where not, and nobody can
//! tell which it was.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};
use std::fmt;

use serde::de::{Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Serialize};
use serde_npz::{Casting, ErrorKind, NpyReader, ReadOptions, from_npy_reader, from_npy_slice, to_npy_vec};

use crate::common::Any;
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
fn fields_in_any_order() {
    #[derive(Debug, PartialEq, Deserialize)]
    struct Turned {
        ok: bool,
        t: u32,
        x: f64,
    }
    #[derive(Debug, PartialEq, Deserialize)]
    struct Some {
        x: f64,
    }
    #[derive(Debug, PartialEq, Deserialize)]
    struct Ends {
        t: u32,
        ok: bool,
    }
    #[derive(Debug, PartialEq, Deserialize)]
    struct Swapped {
        x: u32,
        t: f64,
        ok: bool,
    }
    let file = file();
    assert_eq!(read::<Row>(&file).unwrap(), rows());
    let turned = rows().into_iter().map(|Row { t, x, ok }| Turned { ok, t, x });
    assert_eq!(read::<Turned>(&file).unwrap(), turned.collect::<Vec<_>>());
    assert_eq!(read::<Some>(&file).unwrap()[4], Some { x: 2.0 });
    assert_eq!(read::<Ends>(&file).unwrap()[3], Ends { t: 3, ok: true });
    // Names count, not places.
    assert_eq!(
        read::<Swapped>(&file).unwrap_err(),
        (ErrorKind::TypeMismatch, "[0].x".into())
    );
    assert_eq!(read::<(u32, f64, bool)>(&file).unwrap()[3], (3, 1.5, true));
    assert_eq!(read::<BTreeMap<String, Any>>(&file).unwrap()[1]["x"], Any::Float(0.5));
}

#[test]
fn fields_that_are_not_there() {
    #[derive(Debug, PartialEq, Deserialize)]
    struct More {
        t: u32,
        x: f64,
        ok: bool,
        z: u8,
    }
    #[derive(Debug, PartialEq, Deserialize)]
    struct Filled {
        t: u32,
        #[serde(default = "seven")]
        z: u8,
        x: f64,
        ok: bool,
        maybe: Option<f32>,
    }
    #[derive(Debug, PartialEq, Deserialize)]
    #[serde(default)]
    struct Defaults {
        t: u32,
        z: u8,
        ok: bool,
    }
    impl Default for Defaults {
        fn default() -> Self {
            Defaults { t: 8, z: 9, ok: false }
        }
    }
    fn seven() -> u8 {
        7
    }
    let file = file();
    assert_eq!(
        read::<More>(&file).unwrap_err(),
        (ErrorKind::MissingMember, "[0].z".into())
    );
    let filled = &read::<Filled>(&file).unwrap()[3];
    assert_eq!(
        (filled.t, filled.z, filled.x, filled.ok, filled.maybe),
        (3, 7, 1.5, true, None)
    );
    assert_eq!(read::<Defaults>(&file).unwrap()[3], Defaults { t: 3, z: 9, ok: true });
}

#[test]
fn other_names() {
    #[derive(Debug, PartialEq, Deserialize)]
    struct Renamed {
        #[serde(rename = "t")]
        time: u32,
        #[serde(rename = "x")]
        place: f64,
        #[serde(rename = "ok")]
        good: bool,
    }
    #[derive(Debug, PartialEq, Deserialize)]
    #[serde(rename_all = "SCREAMING-KEBAB-CASE")]
    struct Screaming {
        time_of: u32,
        place_of: f64,
        is_ok: bool,
    }
    #[derive(Debug, PartialEq, Deserialize)]
    struct Crossed {
        #[serde(rename = "t")]
        x: u32,
        #[serde(rename = "x")]
        ok: f64,
        #[serde(rename = "ok")]
        t: bool,
    }
    let file = file();
    let last = &read::<Renamed>(&file).unwrap()[4];
    assert_eq!((last.time, last.place, last.good), (4, 2.0, false));
    let last = &read::<Crossed>(&file).unwrap()[4];
    assert_eq!((last.x, last.ok, last.t), (4, 2.0, false));
    let screaming = renamed(
        file,
        "[('TIME-OF', '<u4'), ('PLACE-OF', '<f8'), ('IS-OK', '|b1')]",
        "(5,)",
    );
    let last = &read::<Screaming>(&screaming).unwrap()[4];
    assert_eq!((last.time_of, last.place_of, last.is_ok), (4, 2.0, false));
}

#[test]
fn a_field_and_its_alias() {
    #[derive(Debug, PartialEq, Deserialize)]
    struct Two {
        #[serde(alias = "b")]
        a: u16,
        c: u16,
    }
    #[derive(Debug, PartialEq, Deserialize)]
    struct One {
        #[serde(alias = "b")]
        a: u16,
    }
    #[derive(Debug, PartialEq, Deserialize)]
    struct Many {
        #[serde(alias = "b", alias = "c")]
        a: u16,
        #[serde(default)]
        d: u16,
    }
    let pairs = |names: [&str; 2]| {
        let descr = format!("[('{}', '<u2'), ('{}', '<u2')]", names[0], names[1]);
        npy(&descr, "(3,)", &[1, 0, 2, 0, 3, 0, 4, 0, 5, 0, 6, 0])
    };
    for names in [["a", "c"], ["b", "c"]] {
        assert_eq!(read::<Two>(&pairs(names)).unwrap()[2], Two { a: 5, c: 6 });
    }
    for names in [["c", "a"], ["c", "b"]] {
        assert_eq!(read::<Two>(&pairs(names)).unwrap()[2], Two { a: 6, c: 5 });
    }
    for names in [["a", "b"], ["b", "a"]] {
        assert_eq!(read::<One>(&pairs(names)).unwrap_err().0, ErrorKind::DuplicateName);
        assert_eq!(read::<Two>(&pairs(names)).unwrap_err().0, ErrorKind::DuplicateName);
    }
    for names in [["a", "b"], ["b", "c"], ["c", "a"]] {
        assert_eq!(read::<Many>(&pairs(names)).unwrap_err().0, ErrorKind::DuplicateName);
    }
    assert_eq!(read::<Many>(&pairs(["d", "c"])).unwrap()[0], Many { a: 2, d: 1 });
    // All of the names a struct has, in whatever order serde lists them: two of them are of one field.
    for names in [["a", "b", "c"], ["a", "c", "b"], ["b", "a", "c"], ["c", "b", "a"]] {
        let descr = format!(
            "[('{}', '<u2'), ('{}', '<u2'), ('{}', '<u2')]",
            names[0], names[1], names[2]
        );
        let three = npy(&descr, "(2,)", &[1, 0, 2, 0, 3, 0, 4, 0, 5, 0, 6, 0]);
        assert_eq!(read::<Two>(&three).unwrap_err().0, ErrorKind::DuplicateName);
    }

    /// Errors are as good as none: what it was the first time must not tell the next time.
    #[derive(Debug, PartialEq)]
    struct Lenient<T>(Option<T>);
    impl<'de, T: Deserialize<'de>> Deserialize<'de> for Lenient<T> {
        fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
            Ok(Lenient(T::deserialize(deserializer).ok()))
        }
    }
    let both = pairs(["a", "b"]);
    assert_eq!(
        read::<Lenient<One>>(&both).unwrap(),
        [Lenient(None), Lenient(None), Lenient(None)]
    );
    assert_eq!(
        read::<Lenient<Two>>(&both).unwrap(),
        [Lenient(None), Lenient(None), Lenient(None)]
    );
}

#[test]
fn skipped_and_unknown_fields() {
    #[derive(Debug, PartialEq, Deserialize)]
    struct Skips {
        t: u32,
        #[serde(skip)]
        skipped: u64,
        x: f64,
        #[serde(skip_deserializing, default = "nine")]
        not_read: u64,
        ok: bool,
    }
    #[derive(Debug, PartialEq, Deserialize)]
    struct SkipsNamed {
        t: u32,
        #[serde(skip_deserializing)]
        x: f64,
        ok: bool,
    }
    #[derive(Debug, PartialEq, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Strict {
        t: u32,
        ok: bool,
    }
    #[derive(Debug, PartialEq, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct StrictAll {
        ok: bool,
        x: f64,
        t: u32,
    }
    #[derive(Debug, PartialEq, Deserialize)]
    struct Nothing {}
    fn nine() -> u64 {
        9
    }
    let file = file();
    let skips = &read::<Skips>(&file).unwrap()[3];
    assert_eq!(
        *skips,
        Skips {
            t: 3,
            skipped: 0,
            x: 1.5,
            not_read: 9,
            ok: true
        }
    );
    let named = &read::<SkipsNamed>(&file).unwrap()[3];
    assert_eq!((named.t, named.x, named.ok), (3, 0.0, true));
    assert_eq!(read::<Strict>(&file).unwrap_err().0, ErrorKind::Message);
    let all = &read::<StrictAll>(&file).unwrap()[3];
    assert_eq!((all.ok, all.x, all.t), (true, 1.5, 3));
    assert_eq!(read::<Nothing>(&file).unwrap().len(), 5);
}

#[test]
fn fields_with_a_way_of_their_own() {
    fn doubled<'de, D: Deserializer<'de>>(deserializer: D) -> Result<f64, D::Error> {
        Ok(f64::deserialize(deserializer)? * 2.0)
    }
    #[derive(Debug, PartialEq, Deserialize)]
    struct Own {
        #[serde(with = "serde_npz::with::datetime64::ms")]
        t: i64,
        #[serde(deserialize_with = "doubled")]
        x: f64,
        #[serde(with = "serde_npz::with::nan")]
        y: Option<f32>,
        z: f32,
    }
    let mut data = Vec::new();
    for i in 0..3_i32 {
        data.extend(i64::from(i).to_le_bytes());
        data.extend(f64::from(i).to_le_bytes());
        data.extend(if i == 1 { f32::NAN } else { 0.5 }.to_le_bytes());
        data.extend(f32::NAN.to_le_bytes());
    }
    let file = npy(
        "[('t', '<M8[s]'), ('x', '<f8'), ('y', '<f4'), ('z', '<f4')]",
        "(3,)",
        &data,
    );
    let own: Vec<Own> = from_npy_slice(&file).unwrap();
    for (i, row) in own.iter().enumerate() {
        assert_eq!((row.t, row.x), (i as i64 * 1000, i as f64 * 2.0));
        assert_eq!(row.y, if i == 1 { None } else { Some(0.5) });
        assert!(row.z.is_nan());
    }
    // Around all of them, a marker reaches every field.
    #[derive(Debug, PartialEq, Deserialize)]
    struct Inner {
        x: Option<f64>,
        y: Option<f32>,
    }
    #[derive(Debug, PartialEq, Deserialize)]
    struct All(#[serde(with = "serde_npz::with::nan")] Vec<Inner>);
    #[derive(Debug, PartialEq, Deserialize)]
    struct Plain(Vec<Inner>);
    let mut data = Vec::new();
    for i in 0..3 {
        data.extend(if i == 0 { f64::NAN } else { 1.0 }.to_le_bytes());
        data.extend(if i == 2 { f32::NAN } else { 2.0 }.to_le_bytes());
    }
    let file = npy("[('x', '<f8'), ('y', '<f4')]", "(3,)", &data);
    let All(all) = from_npy_slice(&file).unwrap();
    let seen: Vec<_> = all.into_iter().map(|row| (row.x, row.y)).collect();
    assert_eq!(seen, [(None, Some(2.0)), (Some(1.0), Some(2.0)), (Some(1.0), None)]);
    let Plain(plain) = from_npy_slice(&file).unwrap();
    assert!(plain[0].x.unwrap().is_nan() && plain[2].y.unwrap().is_nan());
}

#[test]
fn flattened_and_generic_and_nested() {
    #[derive(Debug, PartialEq, Deserialize)]
    struct Flat {
        t: u32,
        #[serde(flatten)]
        rest: Rest,
    }
    #[derive(Debug, PartialEq, Deserialize)]
    struct Rest {
        x: f64,
        ok: bool,
    }
    #[derive(Debug, PartialEq, Deserialize)]
    struct Others {
        t: u32,
        #[serde(flatten)]
        rest: HashMap<String, Any>,
    }
    #[derive(Debug, PartialEq, Deserialize)]
    struct Generic<A, B> {
        t: A,
        x: B,
        ok: bool,
    }
    #[derive(Debug, PartialEq, Deserialize)]
    struct Wrapper<T>(T);
    let file = file();
    assert_eq!(read::<Flat>(&file).unwrap()[3].rest, Rest { x: 1.5, ok: true });
    assert_eq!(read::<Others>(&file).unwrap()[3].rest["x"], Any::Float(1.5));
    let generic = &read::<Generic<u64, f64>>(&file).unwrap()[3];
    assert_eq!((generic.t, generic.x, generic.ok), (3, 1.5, true));
    let generic = &read::<Wrapper<Generic<f32, Wrapper<f64>>>>(&file).unwrap()[3].0;
    assert_eq!((generic.t, &generic.x, generic.ok), (3.0, &Wrapper(1.5), true));

    #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
    struct Outer {
        id: u8,
        first: Row,
        second: Row,
        many: [Row; 2],
        pair: (Row, u8),
    }
    let row = |t| Row {
        t,
        x: 0.25 * f64::from(t),
        ok: t == 5,
    };
    let outer: Vec<Outer> = (0..4_u8)
        .map(|id| Outer {
            id,
            first: row(1),
            second: row(id.into()),
            many: [row(5), row(6)],
            pair: (row(7), id),
        })
        .collect();
    let bytes = to_npy_vec(&outer).unwrap();
    assert_eq!(read::<Outer>(&bytes).unwrap(), outer);
}

#[test]
fn structs_of_equal_names_side_by_side() {
    #[derive(Debug, PartialEq, Deserialize)]
    struct A {
        x: u8,
        y: u8,
    }
    #[derive(Debug, PartialEq, Deserialize)]
    struct B {
        y: u8,
        x: u8,
    }
    #[derive(Debug, PartialEq, Deserialize)]
    struct C {
        x: u16,
        y: u64,
    }
    #[derive(Debug, PartialEq, Deserialize)]
    struct D {
        x: u8,
        y: u8,
        #[serde(default)]
        z: u8,
    }
    #[derive(Debug, PartialEq, Deserialize)]
    struct E {
        #[serde(rename = "y")]
        x: u8,
        #[serde(rename = "x")]
        y: u8,
    }
    // One record, asked for as five structs in turn, of all elements.
    #[derive(Debug, PartialEq, Deserialize)]
    struct All(A, B, C, D, E);
    let data: Vec<u8> = (0..40).collect();
    let file = npy("[('p', [('x', '|u1'), ('y', '|u1')], (5,))]", "(4,)", &data);
    #[derive(Debug, PartialEq, Deserialize)]
    struct Row {
        p: All,
    }
    for (i, Row { p: All(a, b, c, d, e) }) in read::<Row>(&file).unwrap().into_iter().enumerate() {
        let at = i as u8 * 10;
        assert_eq!(a, A { x: at, y: at + 1 });
        assert_eq!(b, B { x: at + 2, y: at + 3 });
        assert_eq!((c.x, c.y), (u16::from(at) + 4, u64::from(at) + 5));
        assert_eq!((d.x, d.y, d.z), (at + 6, at + 7, 0));
        assert_eq!(e, E { x: at + 9, y: at + 8 });
    }
    // As elements of one axis, which are of one record too.
    let file = npy("[('x', '|u1'), ('y', '|u1')]", "(4, 5)", &data);
    let all = read::<All>(&file).unwrap();
    assert_eq!(all[3].1, B { x: 32, y: 33 });
    assert_eq!(all[3].4, E { x: 39, y: 38 });
    // Records of the same names that are others, at two places.
    let file = npy(
        "[('p', [('x', '|u1'), ('y', '|u1')]), ('q', [('y', '|u1'), ('x', '|u1')])]",
        "(10,)",
        &data,
    );
    #[derive(Debug, PartialEq, Deserialize)]
    struct Pair {
        p: A,
        q: A,
    }
    for (i, Pair { p, q }) in read::<Pair>(&file).unwrap().into_iter().enumerate() {
        let at = i as u8 * 4;
        assert_eq!((p, q), (A { x: at, y: at + 1 }, A { x: at + 3, y: at + 2 }));
    }
}

#[test]
fn records_in_subarrays_of_several_axes() {
    #[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
    struct X {
        x: f64,
    }
    #[derive(Debug, PartialEq, Deserialize)]
    struct Row {
        p: [[X; 3]; 2],
        q: [[[Y; 1]; 2]; 2],
    }
    #[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
    struct Y {
        y: u8,
        z: u8,
    }
    #[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
    struct Z {
        z: u8,
        y: u8,
    }
    #[derive(Debug, PartialEq, Deserialize)]
    struct Turned {
        q: ([[Y; 1]; 2], Vec<(Z,)>),
        p: (Vec<X>, Vec<(f64,)>),
    }
    let mut data = Vec::new();
    for i in 0..50_u8 {
        (0..6).for_each(|k| data.extend((f64::from(i) + f64::from(k) * 0.125).to_le_bytes()));
        data.extend((0..8).map(|k| i + k));
    }
    let file = npy(
        "[('p', [('x', '<f8')], (2, 3)), ('q', [('y', '|u1'), ('z', '|u1')], (2, 2, 1))]",
        "(50,)",
        &data,
    );
    let x = |i: u8, k: u8| f64::from(i) + f64::from(k) * 0.125;
    for (i, row) in (0..).zip(read::<Row>(&file).unwrap()) {
        let p = [[0, 1, 2], [3, 4, 5]].map(|row| row.map(|k| X { x: x(i, k) }));
        let q = [[0, 2], [4, 6]].map(|row| row.map(|k| [Y { y: i + k, z: i + k + 1 }]));
        assert_eq!(row, Row { p, q });
    }
    for (i, row) in (0..).zip(read::<Turned>(&file).unwrap()) {
        assert_eq!(row.q.1, [4, 6].map(|k| (Z { z: i + k + 1, y: i + k },)));
        assert_eq!(row.p.1, [3, 4, 5].map(|k| (x(i, k),)));
    }
}

#[test]
fn lent_texts_and_bytes() {
    #[derive(Debug, PartialEq, Deserialize)]
    struct Lent<'a> {
        #[serde(borrow)]
        name: &'a str,
        raw: &'a [u8],
        n: u8,
    }
    #[derive(Debug, PartialEq, Deserialize)]
    struct Maybe<'a> {
        #[serde(borrow)]
        name: Cow<'a, str>,
        n: u8,
    }
    let file = npy(
        "[('name', '|S4'), ('raw', '|V2'), ('n', '|u1')]",
        "(3,)",
        b"ab\0\0xy\x01abcd\0\0\x02\0\0\0\0zz\x03",
    );
    let lent: Vec<Lent> = from_npy_slice(&file).unwrap();
    let lent: Vec<_> = lent.into_iter().map(|row| (row.name, row.raw, row.n)).collect();
    assert_eq!(lent, [("ab", &b"xy"[..], 1), ("abcd", b"\0\0", 2), ("", b"zz", 3)]);
    let range = file.as_ptr_range();
    assert!(lent.iter().all(|row| range.contains(&row.1.as_ptr())));
    let maybe: Vec<Maybe> = from_npy_slice(&file).unwrap();
    assert!(maybe.iter().zip([1, 2, 3]).all(|(row, n)| row.n == n));
    assert_eq!(maybe[1].name, "abcd");
    let bad = npy(
        "[('name', '|S4'), ('raw', '|V2'), ('n', '|u1')]",
        "(2,)",
        b"ab\0\0xy\x01\xff\xfe\0\0xy\x01",
    );
    let error = from_npy_slice::<Vec<Lent>>(&bad).unwrap_err();
    assert_eq!((error.kind(), error.path()), (ErrorKind::InvalidValue, "[1].name"));
}

#[test]
fn types_that_check() {
    #[derive(Debug, PartialEq, Deserialize)]
    #[serde(try_from = "Row")]
    struct Late(Row);
    impl TryFrom<Row> for Late {
        type Error = String;

        fn try_from(row: Row) -> Result<Self, String> {
            if row.t < 3 {
                Ok(Late(row))
            } else {
                Err(format!("{} is late", row.t))
            }
        }
    }
    #[derive(Debug, PartialEq, Deserialize)]
    #[serde(try_from = "u32")]
    struct Small(u32);
    impl TryFrom<u32> for Small {
        type Error = String;

        fn try_from(t: u32) -> Result<Self, String> {
            if t < 4 {
                Ok(Small(t))
            } else {
                Err(format!("{t} is large"))
            }
        }
    }
    #[derive(Debug, PartialEq, Deserialize)]
    struct Checked {
        t: Small,
        x: f64,
        ok: bool,
    }
    #[derive(Debug, PartialEq, Deserialize)]
    #[serde(from = "(u32, f64, bool)")]
    struct Turned(bool, f64, u32);
    impl From<(u32, f64, bool)> for Turned {
        fn from((t, x, ok): (u32, f64, bool)) -> Self {
            Turned(ok, x, t)
        }
    }
    /// As serde's documentation derives for a type of somebody else.
    #[derive(Debug, PartialEq)]
    struct Theirs {
        t: u32,
        x: f64,
        ok: bool,
    }
    #[derive(Deserialize)]
    #[serde(remote = "Theirs")]
    struct Mine {
        t: u32,
        x: f64,
        ok: bool,
    }
    #[derive(Debug, PartialEq, Deserialize)]
    #[serde(transparent)]
    struct Remote(#[serde(with = "Mine")] Theirs);
    let file = file();
    assert_eq!(read::<Late>(&file).unwrap_err(), (ErrorKind::Message, "[3]".into()));
    assert_eq!(
        read::<Checked>(&file).unwrap_err(),
        (ErrorKind::Message, "[4].t".into())
    );
    assert_eq!(read::<Turned>(&file).unwrap()[3], Turned(true, 1.5, 3));
    let Remote(last) = &read::<Remote>(&file).unwrap()[4];
    assert_eq!((last.t, last.x, last.ok), (4, 2.0, false));
}

/// A visitor that takes a map alone, or says at which call it was asked for a sequence.
macro_rules! by_hand {
    ($visitor:ident, $made:ident) => {
        #[derive(Debug, PartialEq)]
        struct $made {
            t: u32,
            x: f64,
            ok: bool,
        }

        struct $visitor;

        impl<'de> Visitor<'de> for $visitor {
            type Value = $made;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a map")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<$made, A::Error> {
                let mut made = $made {
                    t: 0,
                    x: 0.0,
                    ok: false,
                };
                while let Some(key) = map.next_key::<String>()? {
                    match &*key {
                        "t" => made.t = map.next_value()?,
                        "x" => made.x = map.next_value()?,
                        _ => made.ok = map.next_value()?,
                    }
                }
                Ok(made)
            }
        }

        impl<'de> Deserialize<'de> for $made {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                deserializer.deserialize_struct("Made", &["t", "x", "ok"], $visitor)
            }
        }
    };
}

#[test]
fn visitors_written_by_hand() {
    by_hand!(MapVisitor, Made);
    let last = &read::<Made>(&file()).unwrap()[4];
    assert_eq!((last.t, last.x, last.ok), (4, 2.0, false));
}

#[test]
fn visitors_named_almost_as_the_derived_ones() {
    #![allow(non_camel_case_types, reason = "all but its first two letters")]
    by_hand!(My__Visitor, Made);
    let last = &read::<Made>(&file()).unwrap()[4];
    assert_eq!((last.t, last.x, last.ok), (4, 2.0, false));
}

#[test]
fn visitors_named_as_the_derived_ones() {
    by_hand!(__Visitor, Made);
    let last = &read::<Made>(&file()).unwrap()[4];
    assert_eq!((last.t, last.x, last.ok), (4, 2.0, false));
}

#[test]
fn a_visitor_that_asks_for_more_than_there_is() {
    #[derive(Debug, PartialEq)]
    struct Counted(usize);
    struct Counts;
    impl<'de> Visitor<'de> for Counts {
        type Value = Counted;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("fields")
        }

        fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Counted, A::Error> {
            let mut count = 0;
            while seq.next_element::<Any>()?.is_some() {
                count += 1;
                assert!(count < 100, "there is always one more");
            }
            Ok(Counted(count))
        }

        fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Counted, A::Error> {
            let mut count = 0;
            while map.next_entry::<String, Any>()?.is_some() {
                count += 1;
            }
            Ok(Counted(count))
        }
    }
    impl<'de> Deserialize<'de> for Counted {
        fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
            deserializer.deserialize_struct("Counted", &["t", "x", "ok"], Counts)
        }
    }
    assert_eq!(read::<Counted>(&file()).unwrap(), [(); 5].map(|()| Counted(3)));
}

#[test]
fn a_visitor_of_that_name_that_asks_for_more_than_there_is() {
    #[derive(Debug, PartialEq)]
    struct Counted(usize);
    struct __Visitor;
    impl<'de> Visitor<'de> for __Visitor {
        type Value = Counted;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("fields")
        }

        fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Counted, A::Error> {
            let mut count = 0;
            while seq.next_element::<IgnoredAny>()?.is_some() {
                count += 1;
                assert!(count < 100, "there is always one more");
            }
            Ok(Counted(count))
        }

        fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Counted, A::Error> {
            let mut count = 0;
            while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {
                count += 1;
            }
            Ok(Counted(count))
        }
    }
    impl<'de> Deserialize<'de> for Counted {
        fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
            deserializer.deserialize_struct("Counted", &["t", "x", "ok"], __Visitor)
        }
    }
    assert_eq!(read::<Counted>(&file()).unwrap(), [(); 5].map(|()| Counted(3)));
}

#[test]
fn more_kinds_of_records_than_are_kept_in_mind() {
    macro_rules! kinds {
        ($($kind:ident $field:ident $x:ident $y:ident;)*) => {
            $(
                #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
                struct $kind {
                    $x: u8,
                    $y: u16,
                }
            )*
            #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
            struct Kinds {
                $($field: [$kind; 2],)*
            }
            impl Kinds {
                fn new(i: u8) -> Self {
                    let mut n = i;
                    let mut next = || {
                        n = n.wrapping_mul(7).wrapping_add(3);
                        n
                    };
                    Kinds {
                        $($field: [(); 2].map(|()| $kind { $x: next(), $y: next().into() }),)*
                    }
                }
            }
        };
    }
    kinds! {
        A a x y;
        B b y x;
        C c x z;
        D d z x;
        E e x w;
        F f y z;
        G g z y;
        H h x y;
        I i w x;
        J j y x;
    }
    let kinds: Vec<Kinds> = (0..9).map(Kinds::new).collect();
    assert_eq!(read::<Kinds>(&to_npy_vec(&kinds).unwrap()).unwrap(), kinds);
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

    // Padded, as `align=True` writes it; with titles; turned round.
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
    // As axes of one.
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
    // A byte that is no bool: the last one, and the first.
    for (at, path) in [(start - 1, "[4].ok"), (12, "[0].ok"), (25, "[1].ok")] {
        let mut bad = data.clone();
        bad[at] = 2;
        let file = npy("[('t', '<u4'), ('x', '<f8'), ('ok', '|b1')]", "(5,)", &bad);
        assert_eq!(read::<Row>(&file).unwrap_err(), (ErrorKind::InvalidValue, path.into()));
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
        for (at, path) in [(2, "b[0].ok"), (3, "b[0].n"), (4, "b[1].ok"), (5, "b[1].n")] {
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

/// Hands other names on than those of the struct: its own fields in another order.
struct OtherNames<D>(D);

impl<'de, D: Deserializer<'de>> Deserializer<'de> for OtherNames<D> {
    type Error = D::Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, D::Error> {
        self.0.deserialize_any(visitor)
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, D::Error> {
        self.0.deserialize_struct(name, &["b", "a"], visitor)
    }

    serde::forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option unit unit_struct
        newtype_struct seq tuple tuple_struct map enum identifier ignored_any
    }
}

/// The order of the fields is that of the struct, whatever names an adapter tells.
#[test]
fn an_adapter_that_tells_other_names() {
    #[derive(Debug, PartialEq, Deserialize)]
    struct Pair {
        a: u8,
        b: u8,
    }

    struct Adapted(Pair);

    impl<'de> Deserialize<'de> for Adapted {
        fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
            Pair::deserialize(OtherNames(deserializer)).map(Adapted)
        }
    }

    #[derive(Clone, Serialize)]
    struct Turned {
        b: u8,
        a: u8,
    }

    let bytes = to_npy_vec(&vec![Turned { b: 2, a: 1 }; 3]).unwrap();
    for Adapted(pair) in from_npy_slice::<Vec<Adapted>>(&bytes).unwrap() {
        assert_eq!(pair, Pair { a: 1, b: 2 });
    }
    let mut rows = serde_npz::NpyReader::new(&bytes[..]).unwrap();
    for row in rows.rows::<Adapted>() {
        assert_eq!(row.unwrap().0, Pair { a: 1, b: 2 });
    }
    // Both ways in one array: what was learned of one does not hold for the other.
    for (Adapted(first), second) in from_npy_slice::<Vec<(Adapted, Pair)>>(
        &to_npy_vec(&vec![(Turned { b: 2, a: 1 }, Turned { b: 4, a: 3 }); 3]).unwrap(),
    )
    .unwrap()
    {
        assert_eq!((first, second), (Pair { a: 1, b: 2 }, Pair { a: 3, b: 4 }));
    }
}
