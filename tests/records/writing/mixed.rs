//! Sequences whose elements differ, or look alike and are not.

use std::collections::BTreeMap;
use std::time::Duration;

use num_complex::Complex;
use serde::{Deserialize, Serialize};
use serde_bytes::{ByteArray, ByteBuf};

use super::Point;
use crate::{agreed, array, list};

#[test]
fn nan_of_another_kind_than_before() {
    #[derive(Serialize)]
    #[serde(untagged)]
    enum Row {
        Double {
            #[serde(with = "serde_npz::with::nan")]
            x: Option<f64>,
        },
        Single {
            #[serde(with = "serde_npz::with::nan")]
            x: Option<f32>,
        },
        Int {
            #[serde(with = "serde_npz::with::nan")]
            x: i32,
        },
        Nothing {
            #[serde(with = "serde_npz::with::nan")]
            x: Hidden,
        },
        Time {
            #[serde(with = "serde_npz::with::nan")]
            x: Option<Duration>,
        },
        Plain {
            x: f64,
        },
    }
    #[derive(Serialize)]
    #[serde(untagged)]
    enum Hidden {
        None(Option<f32>),
    }
    let makes: [fn() -> Row; 9] = [
        || Row::Double { x: None },
        || Row::Double { x: Some(0.5) },
        || Row::Single { x: None },
        || Row::Single { x: Some(0.5) },
        || Row::Int { x: 3 },
        || Row::Nothing { x: Hidden::None(None) },
        || Row::Time {
            x: Some(Duration::ZERO),
        },
        || Row::Time { x: None },
        || Row::Plain { x: f64::NAN },
    ];
    for first in makes {
        for second in makes {
            let _ = agreed(&vec![first(), second()]);
            let _ = agreed(&vec![first(), first(), second()]);
        }
    }
}

#[test]
fn structs_that_only_look_known() {
    mod fake {
        use serde::{Deserialize, Serialize};

        #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
        pub struct Duration {
            pub secs: f64,
            pub label: u8,
        }
        #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
        pub struct SystemTime {
            pub secs_since_epoch: i64,
            pub nanos_since_epoch: i32,
        }
        #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
        pub struct Array {
            pub v: u8,
            pub dim: [u64; 1],
            pub other: f32,
        }
        /// Sometimes the real one.
        #[derive(Clone, Debug, PartialEq, Serialize)]
        #[serde(untagged)]
        pub enum Both {
            Real(std::time::Duration),
            Fake(Duration),
            Inside { d: Duration },
            InsideReal { d: std::time::Duration },
            Delta { d: Delta },
        }
        #[derive(Clone, Debug, PartialEq, Serialize)]
        pub struct Delta(#[serde(with = "serde_npz::with::timedelta64::ns")] pub i64);
    }
    #[derive(Clone, Debug, PartialEq, Serialize)]
    struct All {
        d: fake::Duration,
        s: fake::SystemTime,
        a: fake::Array,
    }
    let d = fake::Duration { secs: 0.5, label: 1 };
    let s = fake::SystemTime {
        secs_since_epoch: -1,
        nanos_since_epoch: -2,
    };
    let a = fake::Array {
        v: 1,
        dim: [1],
        other: 2.0,
    };
    let _ = agreed(&vec![d.clone(), d.clone()]).unwrap();
    let _ = agreed(&vec![s.clone(), s.clone()]).unwrap();
    let _ = agreed(&vec![a.clone(), a.clone()]);
    let _ = agreed(&vec![All { d: d.clone(), s, a }; 3]);

    let all = [
        fake::Both::Real(Duration::from_secs(1)),
        fake::Both::Fake(d.clone()),
        fake::Both::Inside { d },
        fake::Both::InsideReal {
            d: Duration::from_secs(1),
        },
        fake::Both::Delta { d: fake::Delta(4) },
    ];
    for first in &all {
        for second in &all {
            let _ = agreed(&vec![first, second]);
            let _ = agreed(&vec![first, first, second]);
        }
    }
    // Both are `<m8[ns]`.
    agreed(&vec![&all[3], &all[4]]).unwrap();
}

#[test]
fn flattened_and_skipped() {
    #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
    struct Outer {
        id: u16,
        #[serde(flatten)]
        inner: Point,
        last: bool,
    }
    let outer = |x| Outer {
        id: 1,
        inner: Point { x, t: 2 },
        last: true,
    };
    array(
        &vec![outer(0.5), outer(1.5)],
        "[('id', '<u2'), ('x', '<f8'), ('t', '|u1'), ('last', '|b1')]",
    );

    #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
    struct Skips {
        id: u16,
        #[serde(skip_serializing_if = "is_zero", default)]
        x: u8,
        #[serde(skip)]
        never: u8,
    }
    fn is_zero(x: &u8) -> bool {
        *x == 0
    }
    let skips = |x| Skips { id: 1, x, never: 0 };
    array(&vec![skips(1), skips(2)], "[('id', '<u2'), ('x', '|u1')]");
    array(&vec![skips(0), skips(0)], "[('id', '<u2')]");
    list(&vec![skips(1), skips(0)]);
    list(&vec![skips(0), skips(1)]);
    list(&vec![skips(1), skips(2), skips(0)]);
}

#[test]
fn flattened_maps_are_lists() {
    #[derive(Clone, Debug, PartialEq, Serialize)]
    struct Row {
        id: u8,
        #[serde(flatten)]
        rest: Rest,
    }
    #[derive(Clone, Debug, PartialEq, Serialize)]
    #[serde(untagged)]
    enum Rest {
        Fields { x: f64 },
        Map(BTreeMap<String, f64>),
    }
    let fields = Row {
        id: 1,
        rest: Rest::Fields { x: 0.5 },
    };
    let map = Row {
        id: 2,
        rest: Rest::Map([("x".to_owned(), 1.5)].into()),
    };
    agreed(&vec![&fields, &fields]).unwrap();
    list(&vec![&map, &map]);
    list(&vec![&map, &fields]);
    list(&vec![&fields, &map]);
}

/// A duration is a number to NumPy, a struct that looks like one is a record.
#[test]
fn a_duration_is_no_record_of_its_parts() {
    #[derive(Serialize)]
    struct Parts {
        secs: u64,
        nanos: u32,
    }
    #[derive(Serialize)]
    #[serde(untagged)]
    enum Time {
        Parts(Parts),
        Duration(Duration),
    }
    let parts = || Time::Parts(Parts { secs: 1, nanos: 2 });
    agreed(&vec![parts(), parts()]).unwrap();
    agreed(&vec![parts(), Time::Duration(Duration::new(1, 2))]).unwrap_err();
}

/// One of everything that may follow a record.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(untagged)]
enum Loose {
    Record { x: u8, y: f64 },
    OtherNumber { x: u8, y: f32 },
    OtherSign { x: i8, y: f64 },
    OtherNames { x: u8, z: f64 },
    OtherOrder { y: f64, x: u8 },
    Fewer { x: u8 },
    More { x: u8, y: f64, z: u8 },
    Tuple(u8, f64),
    OtherTuple(u8, f32),
    Alike(u8, u8),
    Three(u8, u8, u8),
    Nested { x: u8, y: (f64, u8) },
    Axis { x: u8, y: [f64; 2] },
    LongerAxis { x: u8, y: [f64; 3] },
    Inner { x: u8, y: Point },
    Optional { x: u8, y: Option<f64> },
    Rows { x: u8, y: Vec<f64> },
    Unit { x: u8, y: () },
    Text { x: u8, y: &'static str },
    Bool { x: bool, y: f64 },
    Complex { x: u8, y: Complex<f32> },
    Time { x: u8, y: Duration },
    Raw { x: u8, y: ByteArray<8> },
    Variant { x: u8, y: Data },
    Number(u8),
    Float(f64),
    Name(&'static str),
    Seq(Vec<u8>),
    Seqs(Vec<Point>),
    Maybe(Option<Point>),
    Map(BTreeMap<&'static str, f64>),
    Bytes(ByteBuf),
    Lone(Duration),
    Nothing,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
enum Data {
    Newtype(f64),
    Tuple(f64, u8),
    Struct { x: f64 },
    Unit,
}

fn loose() -> Vec<Loose> {
    let (x, y) = (1, 2.0);
    let point = Point { x: 1.0, t: 1 };
    vec![
        Loose::Record { x, y },
        Loose::OtherNumber { x, y: 2.0 },
        Loose::OtherSign { x: 1, y },
        Loose::OtherNames { x, z: 2.0 },
        Loose::OtherOrder { y, x },
        Loose::Fewer { x },
        Loose::More { x, y, z: 3 },
        Loose::Tuple(x, y),
        Loose::OtherTuple(x, 2.0),
        Loose::Alike(1, 2),
        Loose::Three(1, 2, 3),
        Loose::Nested { x, y: (2.0, 1) },
        Loose::Axis { x, y: [1.0, 2.0] },
        Loose::LongerAxis { x, y: [1.0, 2.0, 3.0] },
        Loose::Inner { x, y: point },
        Loose::Optional { x, y: Some(2.0) },
        Loose::Optional { x, y: None },
        Loose::Rows { x, y: vec![1.0] },
        Loose::Unit { x, y: () },
        Loose::Text { x, y: "ab" },
        Loose::Bool { x: true, y },
        Loose::Complex {
            x,
            y: Complex::new(1.0, 2.0),
        },
        Loose::Time {
            x,
            y: Duration::from_secs(1),
        },
        Loose::Raw {
            x,
            y: ByteArray::new([1; 8]),
        },
        Loose::Variant {
            x,
            y: Data::Newtype(1.0),
        },
        Loose::Variant {
            x,
            y: Data::Tuple(1.0, 2),
        },
        Loose::Variant {
            x,
            y: Data::Struct { x: 1.0 },
        },
        Loose::Variant { x, y: Data::Unit },
        Loose::Number(1),
        Loose::Float(1.0),
        Loose::Name("abc"),
        Loose::Seq(vec![1, 2]),
        Loose::Seqs(vec![point; 2]),
        Loose::Maybe(Some(point)),
        Loose::Maybe(None),
        Loose::Map([("x", 1.0), ("y", 2.0)].into()),
        Loose::Bytes(ByteBuf::from([1, 2])),
        Loose::Lone(Duration::from_secs(2)),
        Loose::Nothing,
    ]
}

#[test]
fn whatever_follows_a_record() {
    let all = loose();
    for a in &all {
        for b in &all {
            let _ = agreed(&vec![a, b]);
            let _ = agreed(&vec![a, a, b]);
            let _ = agreed(&vec![vec![a, a], vec![a, b]]);
            let _ = agreed(&vec![(a, 1_u8), (b, 1)]);
        }
        // Two elements that differ: which of them decides must be the same in both walks.
        for (b, c) in all.iter().zip(all.iter().rev()) {
            let _ = agreed(&vec![a, a, b, c]);
            let _ = agreed(&vec![vec![a, a], vec![b], vec![c, c]]);
        }
    }
    // Each verdict does occur.
    agreed(&vec![&all[0], &all[0]]).unwrap();
    agreed(&vec![&all[0], &all[0], &all[1]]).unwrap();
    list(&vec![&all[0], &all[3]]);
}

#[test]
fn another_element_after_many_pieces() {
    let mut mixed: Vec<Loose> = vec![Loose::Record { x: 1, y: 2.0 }; 20_000];
    mixed[19_999] = Loose::OtherNumber { x: 1, y: 2.0 };
    let bytes = agreed(&mixed).unwrap();
    assert_eq!(bytes, agreed(&vec![Loose::Record { x: 1, y: 2.0 }; 20_000]).unwrap());
    mixed[10] = Loose::Nothing;
    list(&mixed);
}
