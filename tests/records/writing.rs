//! What is one array is one both ways, and what is none is none.

use std::collections::{BTreeMap, BTreeSet};
use std::marker::PhantomData;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use half::{bf16, f16};
use num_complex::Complex;
use serde::{Deserialize, Serialize};
use serde_bytes::{ByteArray, ByteBuf};
use serde_npz::{ErrorKind, to_npy_vec};

use crate::{agreed, array, header, list, refused};

#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
struct Point {
    x: f64,
    t: u8,
}

fn points(n: u32) -> Vec<Point> {
    (0..n)
        .map(|i| Point {
            x: f64::from(i) * 0.5 - 3.0,
            t: i as u8,
        })
        .collect()
}

#[test]
fn all_that_has_a_fixed_size() {
    #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
    struct All {
        yes: bool,
        ints: (i8, i16, i32, i64),
        uints: (u8, u16, u32, u64),
        half: f16,
        brain: bf16,
        single: f32,
        double: f64,
        c8: Complex<f32>,
        c16: Complex<f64>,
        alike: (u8, u8),
        grid: [[i16; 3]; 2],
        complexes: [Complex<f32>; 2],
        inner: Point,
        inners: [Point; 2],
        none: [f64; 0],
        metres: Metres,
        pair: Pair,
        mixed: Mixed,
        unit: (),
        empty: Unit,
        nothing: PhantomData<u8>,
        took: Duration,
        at: SystemTime,
        raw: ByteArray<3>,
        boxed: Box<u32>,
    }
    #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
    struct Metres(f64);
    #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
    struct Pair(i32, i32);
    #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
    struct Mixed(Metres, bool);
    #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
    struct Unit;

    let rows: Vec<All> = (0..5_u8)
        .map(|i| All {
            yes: i % 2 == 1,
            ints: (-1, -2 - i16::from(i), i32::MIN, i64::MAX),
            uints: (i, 2, u32::MAX, u64::MAX),
            half: f16::from_f32(0.5),
            brain: bf16::from_f32(-2.0),
            single: 0.1,
            double: f64::from(i) / 3.0,
            c8: Complex::new(0.5, f32::from(i)),
            c16: Complex::new(0.1, -0.0),
            alike: (i, i + 1),
            grid: [[1, 2, 3], [4, 5, i16::from(i)]],
            complexes: [Complex::new(1.0, 2.0), Complex::new(3.0, 4.0)],
            inner: Point { x: 1.5, t: i },
            inners: [Point { x: 2.5, t: i }, Point { x: 3.5, t: 9 }],
            none: [],
            metres: Metres(7.0),
            pair: Pair(1, -1),
            mixed: Mixed(Metres(1.0), i == 3),
            unit: (),
            empty: Unit,
            nothing: PhantomData,
            took: Duration::new(i.into(), 5),
            at: UNIX_EPOCH + Duration::new(1_000_000_000, i.into()),
            raw: ByteArray::new([0, i, 0]),
            boxed: Box::new(6),
        })
        .collect();
    array(
        &rows,
        "[('yes', '|b1'), ('ints', [('f0', '|i1'), ('f1', '<i2'), ('f2', '<i4'), ('f3', '<i8')]), \
         ('uints', [('f0', '|u1'), ('f1', '<u2'), ('f2', '<u4'), ('f3', '<u8')]), ('half', '<f2'), ('brain', '|V2'), \
         ('single', '<f4'), ('double', '<f8'), ('c8', '<c8'), ('c16', '<c16'), ('alike', '|u1', (2,)), \
         ('grid', '<i2', (2, 3)), ('complexes', '<c8', (2,)), ('inner', [('x', '<f8'), ('t', '|u1')]), \
         ('inners', [('x', '<f8'), ('t', '|u1')], (2,)), ('none', '<f8', (0,)), ('metres', '<f8'), \
         ('pair', '<i4', (2,)), ('mixed', [('f0', '<f8'), ('f1', '|b1')]), ('unit', '|V0'), ('empty', '|V0'), \
         ('nothing', '|V0'), ('took', '<m8[ns]'), ('at', '<M8[ns]'), ('raw', '|V3'), ('boxed', '<u4')]",
    );
}

#[test]
fn tuples_and_newtypes_around_records() {
    #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
    struct Wrapped(Point);
    #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
    struct Whole(Vec<Wrapped>);
    #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
    #[serde(transparent)]
    struct Clear {
        rows: Vec<(u8, f32)>,
    }

    let point = "[('x', '<f8'), ('t', '|u1')]";
    array(&points(1), point);
    array(&points(1000), point);
    array(&points(3).into_iter().map(Wrapped).collect::<Vec<_>>(), point);
    array(&Whole(points(3).into_iter().map(Wrapped).collect()), point);
    array(&vec![(1_u8, 2.0_f32), (3, 4.0)], "[('f0', '|u1'), ('f1', '<f4')]");
    array(
        &Clear {
            rows: vec![(1, 2.0), (3, 4.0)],
        },
        "[('f0', '|u1'), ('f1', '<f4')]",
    );
    array(
        &vec![((1_u8, true), [0.5_f32; 2], ()); 2],
        "[('f0', [('f0', '|u1'), ('f1', '|b1')]), ('f1', '<f4', (2,)), ('f2', '|V0')]",
    );
    // Tuples of one kind are an axis more.
    array(&vec![(Point { x: 1.0, t: 1 }, Point { x: 2.0, t: 2 }); 3], point);
    array(&vec![[1.0, 2.0], [3.0, 4.0]], "<f8");
    // Nothing but units has no bytes.
    array(
        &vec![((), ((), ())); 4],
        "[('f0', '|V0'), ('f1', [('f0', '|V0'), ('f1', '|V0')])]",
    );
}

#[test]
fn axes_of_records() {
    let point = "[('x', '<f8'), ('t', '|u1')]";
    let bytes = array(&vec![points(3), points(3)], point);
    assert_eq!(header(&bytes).shape(), [2, 3]);
    let bytes = array(&vec![vec![points(2); 3]; 4], point);
    assert_eq!(header(&bytes).shape(), [4, 3, 2]);
    refused(&vec![points(3), points(2)], ErrorKind::Ragged, "[1]");
    refused(&vec![points(2), points(3)], ErrorKind::Ragged, "[1]");
    refused(&vec![points(2), points(2), vec![]], ErrorKind::Ragged, "[2]");
    refused(&vec![vec![], points(2)], ErrorKind::Ragged, "[1]");
    refused(
        &vec![vec![points(1), points(1)], vec![points(1), points(2)]],
        ErrorKind::Ragged,
        "[1][1]",
    );
    assert_eq!(header(&agreed(&points(0)).unwrap()).shape(), [0]);
    assert_eq!(header(&agreed(&vec![points(0), points(0)]).unwrap()).shape(), [2, 0]);
    assert_eq!(from_empty(&agreed(&points(0)).unwrap()), points(0));
}

fn from_empty(bytes: &[u8]) -> Vec<Point> {
    serde_npz::from_npy_slice(bytes).unwrap()
}

#[test]
fn texts_grow() {
    #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
    struct Named {
        id: u32,
        name: String,
        initial: char,
        kind: Kind,
    }
    #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
    enum Kind {
        A,
        Longer,
    }
    let named = |name: &str, kind| Named {
        id: 1,
        name: name.into(),
        initial: 'é',
        kind,
    };
    array(
        &vec![named("", Kind::A), named("é漢", Kind::Longer), named("abcd", Kind::A)],
        "[('id', '<u4'), ('name', '<U4'), ('initial', '<U1'), ('kind', '<U6')]",
    );
    array(&vec![(1_u8, 'a'), (2, '漢')], "[('f0', '|u1'), ('f1', '<U1')]");
    refused(
        &vec![named("a", Kind::A), named("a\0", Kind::A)],
        ErrorKind::InvalidValue,
        "[1].name",
    );
}

#[test]
fn bytes_of_one_length() {
    #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
    struct Raw {
        id: u8,
        raw: ByteBuf,
    }
    let raw = |raw: &[u8]| Raw {
        id: 1,
        raw: ByteBuf::from(raw),
    };
    array(&vec![raw(b"ab\0"), raw(b"\0\0\0")], "[('id', '|u1'), ('raw', '|V3')]");
    refused(&vec![raw(b"ab"), raw(b"cd"), raw(b"abc")], ErrorKind::Ragged, "[2]");
    refused(&vec![raw(b"ab"), raw(b"c")], ErrorKind::Ragged, "[1]");
    refused(&vec![raw(b"ab"), raw(b"")], ErrorKind::InvalidValue, "[1].raw");
    refused(&vec![raw(b""), raw(b"ab")], ErrorKind::InvalidValue, "[0].raw");
}

#[test]
fn options() {
    #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
    struct Plain {
        x: Option<f64>,
    }
    #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
    struct Nan {
        t: u8,
        #[serde(with = "serde_npz::with::nan")]
        x: Option<f64>,
        #[serde(with = "serde_npz::with::nan")]
        y: [Option<f32>; 2],
    }
    list(&vec![Plain { x: Some(1.0) }, Plain { x: Some(2.0) }]);
    list(&vec![Plain { x: None }, Plain { x: Some(2.0) }]);
    list(&vec![Plain { x: Some(1.0) }, Plain { x: None }]);
    list(&vec![Some(Point { x: 1.0, t: 1 })]);
    list(&vec![Some(Point { x: 1.0, t: 1 }), None]);

    let nan = |x, y| Nan { t: 1, x, y };
    let dtype = "[('t', '|u1'), ('x', '<f8'), ('y', '<f4', (2,))]";
    let (some, none) = ([Some(1.0), None], [None; 2]);
    array(&vec![nan(None, none), nan(Some(1.0), some), nan(None, some)], dtype);
    array(&vec![nan(Some(1.0), some), nan(None, none)], dtype);
    array(&vec![nan(None, none); 3], dtype);
    refused(
        &vec![nan(None, none), nan(Some(f64::NAN), none)],
        ErrorKind::InvalidValue,
        "[1].x",
    );
    refused(&vec![nan(Some(f64::NAN), none)], ErrorKind::InvalidValue, "[0].x");
    let error = agreed(&vec![nan(None, none), nan(None, [None, Some(f32::NAN)])]).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidValue);

    #[derive(Serialize)]
    struct Around(#[serde(with = "serde_npz::with::nan")] Vec<Plain>);
    let bytes = agreed(&Around(vec![Plain { x: None }, Plain { x: Some(2.0) }])).unwrap();
    assert_eq!(header(&bytes).dtype().to_string(), "[('x', '<f8')]");
    refused(
        &Around(vec![Plain { x: None }, Plain { x: Some(f64::NAN) }]),
        ErrorKind::InvalidValue,
        "[1].x",
    );
}

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
fn with_modules_on_fields() {
    #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
    struct Event {
        #[serde(with = "serde_npz::with::datetime64::ms")]
        at: i64,
        #[serde(with = "serde_npz::with::datetime64::D")]
        day: Option<i64>,
        #[serde(with = "serde_npz::with::datetime64::us")]
        seen: SystemTime,
        #[serde(with = "serde_npz::with::timedelta64::s")]
        took: i64,
        #[serde(with = "serde_npz::with::timedelta64::ms")]
        waited: Duration,
        #[serde(with = "serde_npz::with::float16")]
        h: f32,
        #[serde(with = "serde_npz::with::float16")]
        hs: [f64; 2],
        #[serde(with = "serde_npz::with::bytes")]
        tag: String,
    }
    let event = |i: i64, h: f32, tag: &str| Event {
        at: i,
        day: (i > 0).then_some(i),
        seen: UNIX_EPOCH + Duration::from_micros(7),
        took: -i,
        waited: Duration::from_millis(20),
        h,
        hs: [1.0, 0.25],
        tag: tag.into(),
    };
    array(
        &vec![event(0, 0.5, "a"), event(1, 2.0, "abc"), event(2, 1.0, "")],
        "[('at', '<M8[ms]'), ('day', '<M8[D]'), ('seen', '<M8[us]'), ('took', '<m8[s]'), ('waited', '<m8[ms]'), \
         ('h', '<f2'), ('hs', '<f2', (2,)), ('tag', '|S3')]",
    );

    #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
    struct Half {
        #[serde(with = "serde_npz::with::float16")]
        h: f32,
        #[serde(with = "serde_npz::with::timedelta64::ms")]
        waited: Duration,
    }
    let half = |h, waited| Half { h, waited };
    let second = Duration::from_secs(1);
    array(&vec![half(0.5, second); 3], "[('h', '<f2'), ('waited', '<m8[ms]')]");
    // No float of two bytes, no whole millisecond.
    let error = agreed(&vec![half(0.5, second), half(1e6, second)]).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidValue);
    agreed(&vec![half(0.5, second), half(0.5, Duration::from_nanos(1))]).unwrap_err();
    agreed(&vec![half(1e6, second)]).unwrap_err();
}

#[test]
fn times_out_of_range() {
    #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
    struct Times {
        took: Duration,
        at: SystemTime,
    }
    let times = |took, at| Times { took, at };
    let good = times(Duration::new(9_223_372_036, 0), UNIX_EPOCH);
    array(&vec![good.clone(); 3], "[('took', '<m8[ns]'), ('at', '<M8[ns]')]");
    let long = times(Duration::from_secs(u64::MAX), UNIX_EPOCH);
    let error = agreed(&vec![good.clone(), long]).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidValue);
    let before = times(Duration::ZERO, UNIX_EPOCH - Duration::from_secs(1));
    agreed(&vec![good, before]).unwrap_err();
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
        /// Looks like the real one at times.
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
    // The same eight bytes, whoever counted them.
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
        // Two kinds of trouble, of which one decides.
        for (b, c) in all.iter().zip(all.iter().rev()) {
            let _ = agreed(&vec![a, a, b, c]);
            let _ = agreed(&vec![vec![a, a], vec![b], vec![c, c]]);
        }
    }
    // What the comparison is worth: each verdict is among them.
    agreed(&vec![&all[0], &all[0]]).unwrap();
    refused(&vec![&all[0], &all[0], &all[1]], ErrorKind::MixedTypes, "[2]");
    list(&vec![&all[0], &all[3]]);
}

#[test]
fn large_records() {
    #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
    struct Wide<T> {
        id: u32,
        parts: [Part<T>; 32],
    }
    #[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
    struct Part<T>([[T; 16]; 8]);

    // 4096 values and one; in all 16 KiB and a few bytes with f32.
    let wide: Vec<Wide<u8>> = (0..20)
        .map(|id| Wide {
            id,
            parts: [Part([[id as u8; 16]; 8]); 32],
        })
        .collect();
    array(&wide, "[('id', '<u4'), ('parts', '|u1', (32, 8, 16))]");
    let wide: Vec<Wide<f64>> = (0..20)
        .map(|id| Wide {
            id,
            parts: [Part([[f64::from(id); 16]; 8]); 32],
        })
        .collect();
    array(&wide, "[('id', '<u4'), ('parts', '<f8', (32, 8, 16))]");

    // Around the bound of what is put together at once: so many values of eight bytes and a few more bytes.
    #[derive(Clone, Debug, PartialEq, Serialize)]
    struct Run {
        values: Values,
        id: u8,
    }
    #[derive(Clone, Debug, PartialEq)]
    struct Values(Vec<u64>);
    impl Serialize for Values {
        fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            use serde::ser::SerializeTuple;
            let mut tuple = serializer.serialize_tuple(self.0.len())?;
            self.0.iter().try_for_each(|value| tuple.serialize_element(value))?;
            tuple.end()
        }
    }
    for len in [
        1, 2047, 2048, 2049, 4090, 4091, 4092, 4093, 4094, 4095, 4096, 4097, 9000,
    ] {
        let rows: Vec<Run> = (0..3)
            .map(|id| Run {
                values: Values((0..len).map(|value| value * 3 + u64::from(id)).collect()),
                id,
            })
            .collect();
        let bytes = agreed(&rows).unwrap();
        assert_eq!(header(&bytes).dtype().itemsize(), len * 8 + 1);
        assert_eq!(bytes[bytes.len() - 1], 2);
        let mut other = rows;
        other[2].values.0.pop();
        let error = agreed(&other).unwrap_err();
        assert!(matches!(error.kind(), ErrorKind::UnsupportedType), "{error}");
    }
}

#[test]
fn both_sides_of_a_piece() {
    // Pieces are of 64 KiB, and no record of these ends with one.
    for n in [7_281, 7_282, 7_283, 20_000] {
        array(&points(n), "[('x', '<f8'), ('t', '|u1')]");
    }
    let mut mixed: Vec<Loose> = vec![Loose::Record { x: 1, y: 2.0 }; 20_000];
    mixed[19_999] = Loose::OtherNumber { x: 1, y: 2.0 };
    refused(&mixed, ErrorKind::MixedTypes, "[19999]");
    mixed[10] = Loose::Nothing;
    list(&mixed);
}

#[test]
fn records_of_nothing() {
    #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
    struct Nothing {}
    #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
    struct Units {
        a: (),
        b: [(); 2],
    }
    let _ = agreed(&vec![Nothing {}; 3]);
    let _ = agreed(&vec![(Nothing {}, 1_u8); 3]);
    let _ = agreed(&vec![[0_u8; 0]; 3]);
    let _ = agreed(&vec![([0_u8; 0], 1_u8); 3]);
    let _ = agreed(&vec![vec![Units { a: (), b: [(); 2] }; 3]; 2]);
    let bytes = agreed(&vec![Units { a: (), b: [(); 2] }; 3]).unwrap();
    assert_eq!(header(&bytes).shape(), [3]);
}

#[test]
fn sets_of_records() {
    let set: BTreeSet<(u8, bool)> = [(3, true), (1, false), (2, true)].into();
    array(&set, "[('f0', '|u1'), ('f1', '|b1')]");
    assert_eq!(
        to_npy_vec(&set).unwrap(),
        to_npy_vec(&vec![(1_u8, false), (2, true), (3, true)]).unwrap()
    );
}
