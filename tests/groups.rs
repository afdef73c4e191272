//! What becomes a group: variants of every tagging, flattened structs, maps and options; and the value back.

mod common;

use std::collections::{BTreeMap, HashMap};

use common::{Any, check, layout};
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
    common::check_back(&x(many), &bytes);
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
