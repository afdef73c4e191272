//! What becomes a group: variants of every tagging, flattened structs, maps and options; and the value back.

use std::collections::{BTreeMap, HashMap};

use crate::common::{Any, check, layout};
use serde::{Deserialize, Serialize};

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct X<T> {
    x: T,
}

fn x<T>(x: T) -> X<T> {
    X { x }
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Point {
    t: f64,
    id: u32,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Layer {
    w: Vec<Vec<f32>>,
    bias: Option<f32>,
}

#[derive(Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
enum Mode {
    Off,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
enum State {
    Idle,
    Level(f64),
    Samples(Vec<u8>),
    Move(f64, f64),
    Pair(u8, String),
    Running { step: u32 },
    Empty {},
    Nothing(()),
    Maybe(Option<u8>),
}

#[test]
fn externally_tagged_variants() {
    check(&x(State::Idle), "x <U4 ()");
    check(&x(State::Level(0.5)), "x/Level <f8 ()");
    check(&x(State::Samples(vec![1, 2])), "x/Samples |u1 (2,)");
    check(&x(State::Move(1.0, 2.0)), "x/Move <f8 (2,)");
    check(&x(State::Pair(1, "a".into())), "x/Pair/0 |u1 (); x/Pair/1 <U1 ()");
    check(&x(State::Running { step: 3 }), "x/Running/step <u4 ()");
    check(&x(State::Empty {}), "x/Empty |V0 (0,)");
    check(&x(State::Nothing(())), "x/Nothing |V0 ()");
    check(&x(State::Maybe(None)), "x/Maybe |V0 ()");
    check(&x(State::Maybe(Some(1))), "x/Maybe |u1 ()");
    check(&State::Running { step: 3 }, "Running/step <u4 ()");
    check(&State::Samples(vec![1]), "Samples |u1 (1,)");
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind")]
enum Internal {
    Idle,
    Running { step: u32, trace: Vec<f64> },
    Inner(Point),
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", content = "data")]
enum Adjacent {
    Idle,
    Samples(Vec<f64>),
    Running { step: u32 },
    Pair(u8, f32),
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
enum Untagged {
    Number(u32),
    Text(String),
    Rows(Vec<Vec<f64>>),
    Point { t: f64, id: u32 },
}

#[test]
fn other_taggings() {
    check(&x(Internal::Idle), "x/kind <U4 ()");
    check(
        &x(Internal::Running {
            step: 1,
            trace: vec![0.5],
        }),
        "x/kind <U7 (); x/step <u4 (); x/trace <f8 (1,)",
    );
    check(
        &x(Internal::Inner(Point { t: 1.0, id: 2 })),
        "x/kind <U5 (); x/t <f8 (); x/id <u4 ()",
    );
    check(&x(Adjacent::Idle), "x/kind <U4 ()");
    check(&x(Adjacent::Samples(vec![1.0])), "x/kind <U7 (); x/data <f8 (1,)");
    check(&x(Adjacent::Running { step: 1 }), "x/kind <U7 (); x/data/step <u4 ()");
    check(
        &x(Adjacent::Pair(1, 2.0)),
        "x/kind <U4 (); x/data/0 |u1 (); x/data/1 <f4 ()",
    );
    check(&x(Untagged::Number(7)), "x <u4 ()");
    check(&x(Untagged::Text("seven".into())), "x <U5 ()");
    check(&x(Untagged::Rows(vec![vec![1.0, 2.0]])), "x <f8 (1, 2)");
    check(&x(Untagged::Point { t: 1.0, id: 2 }), "x/t <f8 (); x/id <u4 ()");
    check(
        &Internal::Running {
            step: 1,
            trace: vec![0.5],
        },
        "kind <U7 (); step <u4 (); trace <f8 (1,)",
    );
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Outer {
    a: f64,
    #[serde(flatten)]
    middle: Middle,
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Middle {
    b: Vec<u16>,
    none: Option<f64>,
    #[serde(flatten)]
    inner: Inner,
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Inner {
    c: Vec<Vec<f32>>,
    text: String,
    group: X<u8>,
    #[serde(flatten)]
    rest: BTreeMap<String, i64>,
}

#[test]
fn flatten_at_depth() {
    let value = Outer {
        a: 1.0,
        middle: Middle {
            b: vec![1, 2],
            none: None,
            inner: Inner {
                c: vec![vec![0.5; 2]; 2],
                text: "t".into(),
                group: x(9),
                rest: BTreeMap::from([("more".to_owned(), -4), ("than".to_owned(), 5)]),
            },
        },
    };
    check(
        &value,
        "a <f8 (); b <u2 (2,); c <f4 (2, 2); text <U1 (); group/x |u1 (); more <i8 (); than <i8 ()",
    );
}

#[test]
fn maps_of_every_key() {
    check(
        &x(BTreeMap::from([("b".to_owned(), 1_u8), ("a".to_owned(), 2)])),
        "x/a |u1 (); x/b |u1 ()",
    );
    check(
        &x(BTreeMap::from([(-1_i64, 1_u8), (10, 2)])),
        "x/-1 |u1 (); x/10 |u1 ()",
    );
    check(
        &x(BTreeMap::from([(7_u8, vec![1_u8]), (200, vec![])])),
        "x/7 |u1 (1,); x/200 |u1 (0,)",
    );
    check(&x(BTreeMap::from([(0_u64, 1_u8), (1, 2)])), "x/0 |u1 (); x/1 |u1 ()");
    check(
        &x(BTreeMap::from([(false, 1_u8), (true, 2)])),
        "x/false |u1 (); x/true |u1 ()",
    );
    check(&x(BTreeMap::from([('é', 1_u8)])), "x/é |u1 ()");
    check(&x(BTreeMap::from([(Mode::Off, 1_u8)])), "x/Off |u1 ()");
    check(&x(HashMap::from([("one".to_owned(), 1_u8)])), "x/one |u1 ()");
    check(&BTreeMap::from([("root".to_owned(), vec![1_u8])]), "root |u1 (1,)");
    check(
        &BTreeMap::from([("a".to_owned(), BTreeMap::from([(1_u8, x(0.5))]))]),
        "a/1/x <f8 ()",
    );
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Options {
    none: Option<f64>,
    some: Option<f64>,
    rows: Option<Vec<f64>>,
    group: Option<X<u8>>,
    last: Option<()>,
}

#[test]
fn options_at_fields() {
    check(
        &Options {
            none: None,
            some: Some(1.0),
            rows: Some(vec![2.0]),
            group: Some(x(3)),
            last: None,
        },
        "some <f8 (); rows <f8 (1,); group/x |u1 ()",
    );
    check(
        &Options {
            none: None,
            some: None,
            rows: None,
            group: None,
            last: None,
        },
        "",
    );
}

#[test]
fn lists_of_maps_variants_and_eleven_members() {
    let maps = vec![BTreeMap::from([("a".to_owned(), 1_u8)]), BTreeMap::new()];
    check(&x(maps), "x/0/a |u1 (); x/1 |V0 (0,)");
    check(
        &x(vec![State::Running { step: 3 }, State::Idle]),
        "x/0/Running/step <u4 (); x/1 <U4 ()",
    );
    // By number, not by text: 10 after 9.
    let many: Vec<Layer> = (0..12)
        .map(|i| Layer {
            w: vec![vec![i as f32]],
            bias: None,
        })
        .collect();
    let bytes = serde_npz::to_npz_vec(&x(many.clone())).unwrap();
    crate::common::check_back(&x(many), &bytes);
    assert_eq!(layout(&bytes)[10].0, "x/10/w");
}

#[test]
fn any_of_an_archive() {
    let value = (x(vec![1_u8]), vec![State::Idle, State::Level(0.5)]);
    let bytes = serde_npz::to_npz_vec(&BTreeMap::from([("k", value)])).unwrap();
    let any: Any = serde_npz::from_npz_slice(&bytes).unwrap();
    let k = any.field("k").unwrap();
    let Any::Seq(items) = k else { panic!("{k:?}") };
    assert_eq!(items[0], Any::Map(vec![("x".into(), Any::Seq(vec![Any::Uint(1)]))]));
    assert_eq!(
        items[1],
        Any::Seq(vec![
            Any::Str("Idle".into()),
            Any::Map(vec![("Level".into(), Any::Float(0.5))])
        ])
    );
}

/// An archive of whole keys, as other programs write them.
fn keys<T: Serialize>(members: &[(&str, T)]) -> Vec<u8> {
    let members: BTreeMap<&str, &T> = members.iter().map(|(name, value)| (*name, value)).collect();
    serde_npz::WriteOptions::new()
        .separator(None)
        .to_npz_vec(&members)
        .unwrap()
}

/// A field of a struct whose name is a key with a separator, or the path of a group.
#[test]
fn fields_whose_names_are_paths() {
    type Group = BTreeMap<String, Vec<f32>>;

    #[derive(Debug, PartialEq, Deserialize)]
    struct Bias {
        #[serde(rename = "dense/bias:0")]
        bias: Option<Vec<f32>>,
    }
    #[derive(Debug, PartialEq, Deserialize)]
    struct Both {
        #[serde(rename = "dense/bias:0")]
        bias: Vec<f32>,
        dense: Group,
    }
    #[derive(Debug, PartialEq, Deserialize)]
    struct Maybe {
        dense: Option<Group>,
        #[serde(rename = "dense/bias:0")]
        bias: Vec<f32>,
    }
    let bias = keys(&[("dense/bias:0", vec![1.0_f32])]);
    let dense = keys(&[("dense/bias:0", vec![1.0_f32]), ("dense/kernel", vec![2.0])]);
    let kernel = Group::from([("kernel".into(), vec![2.0])]);
    for separator in [Some('/'), None] {
        let read = serde_npz::ReadOptions::new().separator(separator);
        let found: Bias = read.from_npz_slice(&bias).unwrap();
        assert_eq!(found.bias, Some(vec![1.0]), "{separator:?}");
        let found: Bias = read.from_npz_reader(std::io::Cursor::new(&bias)).unwrap();
        assert_eq!(found.bias, Some(vec![1.0]), "{separator:?}");
    }
    let none: Bias = serde_npz::from_npz_slice(&keys(&[("dense/kernel", vec![2.0_f32])])).unwrap();
    assert_eq!(none.bias, None);

    // The group beside it shows the rest, and where nothing is left it is not there.
    let found: Both = serde_npz::from_npz_slice(&dense).unwrap();
    assert_eq!((found.bias, found.dense), (vec![1.0], kernel.clone()));
    let err = serde_npz::from_npz_slice::<Both>(&bias).unwrap_err();
    assert_eq!((err.kind(), err.path()), (serde_npz::ErrorKind::MissingMember, "dense"));
    let found: Maybe = serde_npz::from_npz_slice(&dense).unwrap();
    assert_eq!((found.bias, found.dense), (vec![1.0], Some(kernel)));
    let found: Maybe = serde_npz::from_npz_slice(&bias).unwrap();
    assert_eq!((found.bias, found.dense), (vec![1.0], None));

    // Nothing is claimed beyond one call.
    let mut npz = serde_npz::NpzReader::new(std::io::Cursor::new(&dense)).unwrap();
    for _ in 0..2 {
        assert_eq!(npz.deserialize::<Both>().unwrap().dense.len(), 1);
        assert_eq!(npz.get::<Group>("dense").unwrap().len(), 2);
    }
    let damaged = {
        let mut bytes = dense.clone();
        let at = bytes
            .windows(4)
            .position(|bytes| bytes == 1.0_f32.to_le_bytes())
            .unwrap();
        bytes[at] ^= 1;
        bytes
    };
    let err = serde_npz::from_npz_slice::<Bias>(&damaged).unwrap_err();
    assert_eq!(
        (err.kind(), err.path()),
        (serde_npz::ErrorKind::CorruptArchive, "dense/bias:0")
    );
}

#[test]
fn paths_within_groups_and_to_groups() {
    type Group = BTreeMap<String, u8>;

    #[derive(Debug, PartialEq, Deserialize)]
    struct Inner {
        #[serde(rename = "b/c")]
        c: Option<u8>,
        b: Option<Group>,
    }
    #[derive(Debug, PartialEq, Deserialize)]
    struct Outer {
        a: Inner,
        #[serde(rename = "a/b/d")]
        d: Option<u8>,
        #[serde(rename = "g/h")]
        h: Option<Group>,
        #[serde(rename = "g/h/i")]
        i: Option<u8>,
        #[serde(rename = "o//p")]
        p: Option<u8>,
    }
    let read = |members: &[(&str, u8)]| serde_npz::from_npz_slice::<Outer>(&keys(members)).unwrap();
    let group = |name: &str, value| Some(Group::from([(name.to_owned(), value)]));
    let found = read(&[
        ("a/b/c", 1),
        ("a/b/d", 2),
        ("a/b/e", 3),
        ("g/h/i", 4),
        ("g/h/j", 5),
        ("o//p", 6),
    ]);
    assert_eq!(
        found,
        Outer {
            a: Inner {
                c: Some(1),
                b: group("e", 3)
            },
            d: Some(2),
            h: group("j", 5),
            i: Some(4),
            p: Some(6),
        }
    );
    // All that lies in `g/h` is claimed by the longer path.
    let found = read(&[("a/b/c", 1), ("g/h/i", 4)]);
    assert_eq!(
        (found.a, found.h, found.i),
        (Inner { c: Some(1), b: None }, None, Some(4))
    );
    // A list of structs, each of which claims its own.
    #[derive(Debug, PartialEq, Deserialize)]
    struct List {
        layers: Vec<Inner>,
    }
    let bytes = keys(&[("layers/0/b/c", 1), ("layers/1/b/c", 2), ("layers/1/b/e", 3)]);
    assert_eq!(
        serde_npz::from_npz_slice::<List>(&bytes).unwrap().layers,
        [
            Inner { c: Some(1), b: None },
            Inner {
                c: Some(2),
                b: group("e", 3)
            }
        ]
    );
    // A member that was no array any more, and is asked for by its path alone.
    let mut bytes = keys(&[("g/h/i", 4)]);
    let name = bytes.windows(9).position(|bytes| bytes == b"g/h/i.npy").unwrap();
    let central = bytes.windows(9).rposition(|bytes| bytes == b"g/h/i.npy").unwrap();
    for at in [name, central] {
        bytes[at + 6] = b'x';
    }
    let magic = bytes.windows(6).position(|bytes| bytes == b"\x93NUMPY").unwrap();
    bytes[magic] = 0;
    let err = serde_npz::from_npz_slice::<Option<Outer>>(&bytes).unwrap_err();
    assert_eq!(err.kind(), serde_npz::ErrorKind::CorruptArchive);
}

#[test]
fn names_that_begin_with_a_dot_in_the_path_of_an_error() {
    let bytes = keys(&[("g/.hid", vec![1.0]), ("g/[0]", vec![1.0])]);
    for name in [".hid", "[0]"] {
        let read = |npz: &mut serde_npz::NpzReader<_>| npz.get::<u8>(&format!("g/{name}")).unwrap_err();
        let err = read(&mut serde_npz::NpzReader::new(std::io::Cursor::new(&bytes)).unwrap());
        assert_eq!(err.path(), format!("g/{name}"));
    }
    let err = serde_npz::from_npz_slice::<BTreeMap<String, BTreeMap<String, u8>>>(&bytes).unwrap_err();
    assert_eq!(err.path(), "g/.hid");
}
