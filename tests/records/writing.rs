//! Sequences of fixed-size values become one array, and come back.

mod mixed;

use std::collections::BTreeSet;
use std::marker::PhantomData;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use half::{bf16, f16};
use num_complex::Complex;
use serde::{Deserialize, Serialize};
use serde_bytes::{ByteArray, ByteBuf};
use serde_npz::{ErrorKind, to_npy_vec};

use crate::{agreed, array, header, refused};

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
    // A tuple of one kind is one more axis.
    array(&vec![(Point { x: 1.0, t: 1 }, Point { x: 2.0, t: 2 }); 3], point);
    array(&vec![[1.0, 2.0], [3.0, 4.0]], "<f8");
    // Units take no bytes.
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
    let masked = "[('x', '<f8'), ('x?', '|b1')]";
    array(&vec![Plain { x: Some(1.0) }, Plain { x: Some(2.0) }], masked);
    array(&vec![Plain { x: None }, Plain { x: Some(2.0) }], masked);
    array(&vec![Plain { x: Some(1.0) }, Plain { x: None }], masked);
    array(&vec![Plain { x: None }; 3], masked);
    let masked = "[('x', '<f8'), ('t', '|u1'), ('?', '|b1')]";
    array(&vec![Some(Point { x: 1.0, t: 1 })], masked);
    array(&vec![Some(Point { x: 1.0, t: 1 }), None], masked);
    array(&vec![None, Some(Point { x: 1.0, t: 1 })], masked);
    array(&vec![None::<Point>; 2], "[('?', '|b1')]");

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
    // 1e6 does not fit a half float; a nanosecond is no whole millisecond.
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

    // Around the size up to which a record is encoded at once.
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
    // The buffer takes 64 KiB, which no number of these records fills exactly.
    for n in [7_281, 7_282, 7_283, 20_000] {
        array(&points(n), "[('x', '<f8'), ('t', '|u1')]");
    }
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

/// A header that no reader would take is not written: both options raise the bound.
#[test]
fn headers_longer_than_a_reader_takes_are_refused_on_saving() {
    use serde_npz::{ErrorKind, NpyWriter, ReadOptions, Value, WriteOptions};

    struct Wide(usize);
    impl serde::Serialize for Wide {
        fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            use serde::ser::SerializeStruct;
            const NAMES: [&str; 1000] = {
                let mut names = [""; 1000];
                let mut at = 0;
                while at < 1000 {
                    // Each is one character longer than the one before.
                    names[at] = LONG.split_at(at + 8).0;
                    at += 1;
                }
                names
            };
            let mut fields = serializer.serialize_struct("Wide", self.0)?;
            for name in &NAMES[..self.0] {
                fields.serialize_field(name, &1.5)?;
            }
            fields.end()
        }
    }
    const LONG: &str = match std::str::from_utf8(&[b'n'; 1008]) {
        Ok(text) => text,
        Err(_) => "",
    };

    #[track_caller]
    fn refused<T>(result: serde_npz::Result<T>) {
        let err = result.map(drop).unwrap_err();
        assert_eq!(err.kind(), ErrorKind::LimitExceeded, "{err}");
        assert!(err.hint().unwrap().contains("max_header_size"), "{err:#}");
    }
    let rows = [Wide(200), Wide(200)];
    let group = std::collections::BTreeMap::from([("rows", &rows[..])]);
    let (default, more) = (WriteOptions::new(), WriteOptions::new().max_header_size(100_000));
    refused(default.to_npy_vec(&rows[..]));
    refused(default.to_npz_vec(&group));
    refused(serde_npz::save_npz(
        std::env::temp_dir().join("serde_npz_never_written"),
        &group,
    ));
    assert!(!std::env::temp_dir().join("serde_npz_never_written.npz").exists());
    let mut writer = NpyWriter::new(std::io::Cursor::new(Vec::new())).unwrap();
    refused(writer.push(&rows[0]));
    drop(writer);
    let mut writer = NpyWriter::with_options(std::io::Cursor::new(Vec::new()), &more).unwrap();
    writer.extend(&rows).unwrap();
    let pushed = writer.finish().unwrap().into_inner();

    let npy = more.to_npy_vec(&rows[..]).unwrap();
    assert_eq!(pushed, npy);
    refused(serde_npz::from_npy_slice::<Value>(&npy));
    let read = ReadOptions::new().max_header_size(100_000);
    assert!(read.from_npy_slice::<Value>(&npy).is_ok());
    let npz = more.to_npz_vec(&group).unwrap();
    assert!(read.from_npz_slice::<Value>(&npz).is_ok());
    // What just fits a reader is written.
    let mut few = 10;
    while default.to_npy_vec(&[Wide(few + 1)][..]).is_ok() {
        few += 1;
    }
    serde_npz::from_npy_slice::<Value>(&serde_npz::to_npy_vec(&[Wide(few)][..]).unwrap()).unwrap();
    let next = more.to_npy_vec(&[Wide(few + 1)][..]).unwrap();
    assert!(serde_npz::from_npy_slice::<Value>(&next).is_err());
}
