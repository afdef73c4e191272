//! Every row of the mapping table: what NumPy sees of a value, and the value back.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::marker::PhantomData;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::common::{check, check_npy, layout, table};
use num_complex::Complex;
use serde::{Deserialize, Serialize};
use serde_bytes::ByteBuf;

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct X<T> {
    x: T,
}

fn x<T>(x: T) -> X<T> {
    X { x }
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Scalars {
    flag: bool,
    a: i8,
    b: i16,
    c: i32,
    d: i64,
    e: u8,
    f: u16,
    g: u32,
    h: u64,
    i: f32,
    j: f64,
}

fn scalars() -> Scalars {
    Scalars {
        flag: true,
        a: i8::MIN,
        b: i16::MIN,
        c: i32::MIN,
        d: i64::MIN,
        e: u8::MAX,
        f: u16::MAX,
        g: u32::MAX,
        h: u64::MAX,
        i: -0.0,
        j: f64::MIN_POSITIVE,
    }
}

const SCALARS: [(&str, &str); 11] = [
    ("flag", "|b1"),
    ("a", "|i1"),
    ("b", "<i2"),
    ("c", "<i4"),
    ("d", "<i8"),
    ("e", "|u1"),
    ("f", "<u2"),
    ("g", "<u4"),
    ("h", "<u8"),
    ("i", "<f4"),
    ("j", "<f8"),
];

fn scalars_descr() -> String {
    let fields: Vec<String> = SCALARS
        .iter()
        .map(|(name, dtype)| format!("('{name}', '{dtype}')"))
        .collect();
    format!("[{}]", fields.join(", "))
}

#[test]
fn scalars_at_fields_are_0d() {
    let expected: Vec<String> = SCALARS
        .iter()
        .map(|(name, dtype)| format!("{name} {dtype} ()"))
        .collect();
    check(&scalars(), &expected.join("; "));
}

#[test]
fn scalars_in_sequences() {
    check(&x(vec![true, false]), "x |b1 (2,)");
    check(&x(vec![i8::MIN, 0, i8::MAX]), "x |i1 (3,)");
    check(&x(vec![i16::MIN, i16::MAX]), "x <i2 (2,)");
    check(&x(vec![i32::MIN, i32::MAX]), "x <i4 (2,)");
    check(&x(vec![i64::MIN, i64::MAX]), "x <i8 (2,)");
    check(&x(vec![0_u8, u8::MAX]), "x |u1 (2,)");
    check(&x(vec![0, u16::MAX]), "x <u2 (2,)");
    check(&x(vec![0, u32::MAX]), "x <u4 (2,)");
    check(&x(vec![0, u64::MAX]), "x <u8 (2,)");
    check(&x(vec![f32::INFINITY, 1e-45, -0.0]), "x <f4 (3,)");
    check(&x(vec![f64::NEG_INFINITY, 5e-324, f64::MAX]), "x <f8 (3,)");
    check(&x(vec!['a', '\u{10ffff}', 'é']), "x <U1 (3,)");
}

#[test]
fn nan_keeps_its_bits() {
    let odd = f64::from_bits(0x7ff8_0000_0000_1234);
    let bytes = serde_npz::to_npz_vec(&x(vec![odd, f64::NAN])).unwrap();
    let back: X<Vec<f64>> = serde_npz::from_npz_slice(&bytes).unwrap();
    assert_eq!(back.x[0].to_bits(), odd.to_bits());
    assert!(back.x[1].is_nan());
}

#[test]
fn half_floats() {
    use half::{bf16, f16};
    check(&x(f16::from_f32(0.1)), "x <f2 ()");
    check(&x(vec![f16::MAX, f16::MIN_POSITIVE, f16::NEG_ZERO]), "x <f2 (3,)");
    check(&x(vec![[f16::ONE; 2]; 3]), "x <f2 (3, 2)");
    let bf = x(vec![bf16::from_f32(0.1), bf16::MAX]);
    let bytes = serde_npz::to_npz_vec(&bf).unwrap();
    let mut reader = serde_npz::NpzReader::new(std::io::Cursor::new(&bytes)).unwrap();
    assert_eq!(reader.header("x").unwrap().shape(), [2]);
    // The very text that ml_dtypes writes.
    let raw = reader.raw("x").unwrap();
    assert!(
        String::from_utf8_lossy(&raw[..128]).contains("'<V2'"),
        "{}",
        String::from_utf8_lossy(&raw[..128])
    );
    crate::common::check_back(&bf, &bytes);
}

#[test]
fn complex_numbers() {
    let z = Complex::new(1.5_f64, -2.5);
    check(&x(z), "x <c16 ()");
    check(&x(vec![z, z.conj()]), "x <c16 (2,)");
    check(&x(vec![Complex::new(1.0_f32, 2.0)]), "x <c8 (1,)");
    check(&x(vec![vec![z; 2]; 3]), "x <c16 (3, 2)");
    check(&x([z; 3]), "x <c16 (3,)");
    check(&x(vec![x(z)]), "x [('x', '<c16')] (1,)");
    // Both forms read into both.
    let complex = serde_npz::to_npy_vec(&vec![z, z]).unwrap();
    let pairs = serde_npz::to_npy_vec(&vec![(1.5, -2.5), (1.5, -2.5)]).unwrap();
    for bytes in [complex, pairs] {
        assert_eq!(serde_npz::from_npy_slice::<Vec<Complex<f64>>>(&bytes).unwrap(), [z, z]);
        assert_eq!(
            serde_npz::from_npy_slice::<Vec<(f64, f64)>>(&bytes).unwrap(),
            [(1.5, -2.5); 2]
        );
        assert_eq!(
            serde_npz::from_npy_slice::<Vec<[f64; 2]>>(&bytes).unwrap(),
            [[1.5, -2.5]; 2]
        );
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
enum Mode {
    Off,
    Automatic,
}

#[test]
fn texts() {
    check(&x('é'), "x <U1 ()");
    check(&x(String::new()), "x <U1 ()");
    check(&x("naïve 🦀".to_owned()), "x <U7 ()");
    check(&x(Mode::Automatic), "x <U9 ()");
    check(&x(vec!["a".to_owned(), "three".to_owned()]), "x <U5 (2,)");
    check(&x(vec![String::new(), String::new()]), "x <U1 (2,)");
    check(&x(vec![Mode::Off, Mode::Automatic]), "x <U9 (2,)");
    check(&x(vec![vec!["ab".to_owned(); 2]; 3]), "x <U2 (3, 2)");
    check(&x("a\0b".to_owned()), "x <U3 ()");
    check(&x(" leading and trailing ".to_owned()), "x <U22 ()");
    check(&x(Cow::Borrowed("lent")), "x <U4 ()");
}

#[test]
fn bytes() {
    check(&x(ByteBuf::from(vec![1, 2, 0])), "x |u1 (3,)");
    check(&x(ByteBuf::new()), "x |u1 (0,)");
    check(
        &x(vec![ByteBuf::from(vec![1, 0]), ByteBuf::from(vec![0, 0])]),
        "x |V2 (2,)",
    );
    check(&x(vec![x(ByteBuf::from(vec![0, 7, 0]))]), "x [('x', '|V3')] (1,)");
}

#[test]
fn nested_sequences_are_axes() {
    check(&x(vec![vec![1_i32, 2, 3], vec![4, 5, 6]]), "x <i4 (2, 3)");
    check(&x(vec![vec![vec![1_u8; 4]; 3]; 2]), "x |u1 (2, 3, 4)");
    check(&x(vec![vec![vec![vec![0.5_f32]]]]), "x <f4 (1, 1, 1, 1)");
    check(&x(vec![vec![true]; 2]), "x |b1 (2, 1)");
}

#[test]
fn tuples_of_one_kind_are_an_axis() {
    check(&x((1.0_f64, 2.0_f64)), "x <f8 (2,)");
    check(&x([1_i16, 2, 3]), "x <i2 (3,)");
    check(&x(vec![[1.0_f64, 2.0, 3.0]; 4]), "x <f8 (4, 3)");
    check(&x(vec![(1.0_f32, 2.0_f32); 4]), "x <f4 (4, 2)");
    check(&x([[1_u8, 2], [3, 4], [5, 6]]), "x |u1 (3, 2)");
    check(&x(((1_u8, 2_u8), (3_u8, 4_u8))), "x |u1 (2, 2)");
    check(&x(("a".to_owned(), "bcd".to_owned())), "x <U3 (2,)");
    check(&x(vec![["a".to_owned(), "bc".to_owned()]; 2]), "x <U2 (2, 2)");
    check(
        &x([Point { t: 1.0, id: 2 }, Point { t: 3.0, id: 4 }]),
        &format!("x {POINT} (2,)"),
    );
    check(&x(('a', 'b')), "x <U1 (2,)");
}

#[test]
fn tuples_of_differing_kinds() {
    check(
        &x(vec![(1_i32, 2.5_f64), (3, 4.5)]),
        "x [('f0', '<i4'), ('f1', '<f8')] (2,)",
    );
    check(
        &x(vec![("ab".to_owned(), 1_u8)]),
        "x [('f0', '<U2'), ('f1', '|u1')] (1,)",
    );
    check(
        &x(vec![(1_u8, (2_u16, 3_u16))]),
        "x [('f0', '|u1'), ('f1', '<u2', (2,))] (1,)",
    );
    check(&x((1_i32, 2.5_f64)), "x/0 <i4 (); x/1 <f8 ()");
    check(&x((1_i32, (2_u8, true))), "x/0 <i4 (); x/1/0 |u1 (); x/1/1 |b1 ()");
}

#[test]
fn tuples_that_hold_sequences_maps_or_options_are_groups() {
    check(&x((vec![1.0_f64], 2_u8)), "x/0 <f8 (1,); x/1 |u1 ()");
    // Equal and unequal lengths alike.
    check(&x((vec![1.0_f64], vec![2.0_f64])), "x/0 <f8 (1,); x/1 <f8 (1,)");
    check(&x((vec![1.0_f64], vec![2.0_f64, 3.0])), "x/0 <f8 (1,); x/1 <f8 (2,)");
    check(&x([vec![1_u8], vec![2]]), "x/0 |u1 (1,); x/1 |u1 (1,)");
    check(&x((Some(1_u8), None::<u8>)), "x/0 |u1 (); x/1 |V0 ()");
    check(&x((Some(1_u8), Some(2_u8))), "x/0 |u1 (); x/1 |u1 ()");
    check(&x([Some(1_u8), Some(2)]), "x/0 |u1 (); x/1 |u1 ()");
    check(
        &x(vec![(1_u8, Some(2_u8))]),
        "x [('f0', '|u1'), ('f1', '|u1'), ('f1?', '|b1')] (1,)",
    );
    check(&x(((), 1_u8)), "x/0 |V0 (); x/1 |u1 ()");
    check(
        &x(vec![(vec![1_u8], vec![2_u8]), (vec![3], vec![4])]),
        "x/0/0 |u1 (1,); x/0/1 |u1 (1,); x/1/0 |u1 (1,); x/1/1 |u1 (1,)",
    );
    check(
        &x((BTreeMap::from([("k".to_owned(), 1_u8)]), 2_u8)),
        "x/0/k |u1 (); x/1 |u1 ()",
    );
}

const POINT: &str = "[('t', '<f8'), ('id', '<u4')]";

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Point {
    t: f64,
    id: u32,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Row {
    point: Point,
    name: String,
    mode: Mode,
    letter: char,
    axes: [f32; 2],
    mixed: (u8, f32),
    nothing: (),
    raw: ByteBuf,
    took: Duration,
}

#[test]
fn structs_of_fixed_fields_are_records() {
    check(&x(vec![Point { t: 0.5, id: 7 }; 2]), &format!("x {POINT} (2,)"));
    check(&x(vec![scalars(), scalars()]), &format!("x {} (2,)", scalars_descr()));
    check(
        &x(vec![vec![Point { t: 0.5, id: 7 }; 2]; 3]),
        &format!("x {POINT} (3, 2)"),
    );
    let row = |name: &str, mode| Row {
        point: Point { t: 1.0, id: 1 },
        name: name.to_owned(),
        mode,
        letter: 'x',
        axes: [1.0, 2.0],
        mixed: (3, 4.0),
        nothing: (),
        raw: ByteBuf::from(vec![9, 0]),
        took: Duration::new(1, 2),
    };
    let descr = "[('point', [('t', '<f8'), ('id', '<u4')]), ('name', '<U4'), ('mode', '<U9'), ('letter', '<U1'), \
                 ('axes', '<f4', (2,)), ('mixed', [('f0', '|u1'), ('f1', '<f4')]), ('nothing', '|V0'), \
                 ('raw', '|V2'), ('took', '<m8[ns]')]";
    check(
        &x(vec![row("a", Mode::Off), row("long", Mode::Automatic)]),
        &format!("x {descr} (2,)"),
    );
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Layer {
    w: Vec<Vec<f32>>,
    bias: Option<f32>,
}

#[test]
fn structs_with_a_sequence_are_a_list_and_those_with_an_option_have_a_mask() {
    let layers = vec![
        Layer {
            w: vec![vec![1.0; 2]; 3],
            bias: Some(0.5),
        },
        Layer {
            w: vec![vec![1.0; 5]; 1],
            bias: None,
        },
    ];
    check(&x(layers), "x/0/w <f4 (3, 2); x/0/bias <f4 (); x/1/w <f4 (1, 5)");
    let options = vec![x(Some(1_u8)), x(Some(2))];
    check(&x(options), "x [('x', '|u1'), ('x?', '|b1')] (2,)");
}

#[test]
fn none_and_unit_in_maps_and_lists_are_markers() {
    check(
        &BTreeMap::from([("a".to_owned(), None), ("b".to_owned(), Some(1_u8))]),
        "a |V0 (); b |u1 ()",
    );
    check(&BTreeMap::from([("a".to_owned(), ())]), "a |V0 ()");
    check(&x(BTreeMap::<String, u8>::new()), "x |V0 (0,)");
    check(&x(NoFields {}), "x |V0 (0,)");
    check(&x(vec![Some(vec![1_u8]), None]), "x/0 |u1 (1,); x/1 |V0 ()");
    check(&x(vec![Some(vec![1_u8])]), "x/0 |u1 (1,)");
    check(
        &x(vec![Some(Point { t: 1.0, id: 2 }), None]),
        "x [('t', '<f8'), ('id', '<u4'), ('?', '|b1')] (2,)",
    );
    check(&x(vec![Some(1.5), Some(2.5)]), "x <f8 (2,)");
    check(&x(vec![Some("a".to_owned())]), "x <U1 (1,)");
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct NoFields {}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Nothing;

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Metres(f64);

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Both(f64, String);

#[test]
fn units_and_newtypes() {
    check(&x(()), "x |V0 ()");
    check(&x(Nothing), "x |V0 ()");
    check(&x(PhantomData::<u8>), "x |V0 ()");
    check(&x(Metres(1.0)), "x <f8 ()");
    check(&x(vec![Metres(1.0), Metres(2.0)]), "x <f8 (2,)");
    check(&x(Both(1.0, "m".into())), "x/0 <f8 (); x/1 <U1 ()");
    check(&x(vec![Both(1.0, "m".into())]), "x [('f0', '<f8'), ('f1', '<U1')] (1,)");
    check(&x(Box::new(std::rc::Rc::new(1.0))), "x <f8 ()");
}

#[test]
fn empty_sequences() {
    check(&x(Vec::<i32>::new()), "x <i4 (0,)");
    check(&x(Vec::<f32>::new()), "x <f4 (0,)");
    check(&x(Vec::<bool>::new()), "x |b1 (0,)");
    check(&x(Vec::<String>::new()), "x <U1 (0,)");
    check(&x(Vec::<Point>::new()), "x <f8 (0,)");
    check(&x(Vec::<Layer>::new()), "x <f8 (0,)");
    check(&x(vec![Vec::<f32>::new(); 3]), "x <f4 (3, 0)");
    check(&x(vec![Vec::<String>::new(); 2]), "x <U1 (2, 0)");
    check(&x(vec![vec![Vec::<u8>::new(); 2]; 3]), "x |u1 (3, 2, 0)");
    let hollow = layout(&serde_npz::to_npz_vec(&x(Vec::<Vec<f64>>::new())).unwrap());
    assert_eq!(hollow[0].2, [0]);
    // Any array of size 0 reads into any sequence.
    let empty = serde_npz::to_npy_vec(&Vec::<f64>::new()).unwrap();
    assert!(serde_npz::from_npy_slice::<Vec<String>>(&empty).unwrap().is_empty());
    assert!(serde_npz::from_npy_slice::<Vec<Point>>(&empty).unwrap().is_empty());
    assert!(serde_npz::from_npy_slice::<Vec<Vec<u8>>>(&empty).unwrap().is_empty());
}

#[test]
fn times() {
    check(&x(Duration::new(3, 7)), "x <m8[ns] ()");
    check(
        &x(vec![Duration::ZERO, Duration::from_nanos(i64::MAX as u64)]),
        "x <m8[ns] (2,)",
    );
    let t: SystemTime = UNIX_EPOCH + Duration::new(1_700_000_000, 123_456_789);
    check(&x(t), "x <M8[ns] ()");
    check(&x(vec![t, UNIX_EPOCH]), "x <M8[ns] (2,)");
    check(&x(vec![(t, 1_u8)]), "x [('f0', '<M8[ns]'), ('f1', '|u1')] (1,)");
}

#[test]
fn roots_of_archives() {
    check(&(vec![1.0_f64], "a".to_owned()), "arr_0 <f8 (1,); arr_1 <U1 ()");
    check(&(1_u8, 2_u8), "arr_0 |u1 (); arr_1 |u1 ()");
    check(&[1.5_f64, 2.5], "arr_0 <f8 (); arr_1 <f8 ()");
    check(
        &vec![Layer {
            w: vec![vec![1.0]],
            bias: None,
        }],
        "0/w <f4 (1, 1)",
    );
    check(&NoFields {}, "");
    check(&BTreeMap::<String, u8>::new(), "");
    check(&(), "");
    check(&Vec::<Layer>::new(), "");
    check(&Box::new(x(1_u8)), "x |u1 ()");
    check(&Both(1.0, "m".into()), "arr_0 <f8 (); arr_1 <U1 ()");
}

#[test]
fn roots_of_arrays() {
    check_npy(&1.5_f64, "<f8", &[]);
    check_npy(&vec![1_u16, 2], "<u2", &[2]);
    check_npy(&vec![vec![1_u16, 2]], "<u2", &[1, 2]);
    check_npy(&"text".to_owned(), "<U4", &[]);
    check_npy(&[1.0_f64, 2.0], "<f8", &[2]);
    check_npy(&Mode::Off, "<U3", &[]);
    check_npy(&Point { t: 1.0, id: 2 }, POINT, &[]);
    check_npy(&vec![Point { t: 1.0, id: 2 }], POINT, &[1]);
    check_npy(&(1_i32, 2.5_f64), "[('f0', '<i4'), ('f1', '<f8')]", &[]);
    check_npy(&vec![(1_i32, 2.5_f64)], "[('f0', '<i4'), ('f1', '<f8')]", &[1]);
    check_npy(&Vec::<u32>::new(), "<u4", &[0]);
    check_npy(&ByteBuf::from(vec![1, 2]), "|u1", &[2]);
    check_npy(&Duration::new(1, 1), "<m8[ns]", &[]);
    check_npy(&vec!['a'], "<U1", &[1]);
}

#[test]
fn stored_arrays_start_at_multiples_of_64_and_bytes_are_repeatable() {
    let value = BTreeMap::from([
        ("a", vec![1.0_f64; 3]),
        ("a rather longer name", vec![2.0; 1000]),
        ("b", vec![3.0]),
    ]);
    let bytes = serde_npz::to_npz_vec(&value).unwrap();
    assert_eq!(bytes, serde_npz::to_npz_vec(&value).unwrap());
    let starts: Vec<usize> = (0..bytes.len() - 6)
        .filter(|&at| bytes[at..].starts_with(b"\x93NUMPY\x01\x00"))
        .collect();
    assert_eq!(starts.len(), 3);
    assert!(starts.iter().all(|at| at % 64 == 0), "{starts:?}");
    let big = BTreeMap::from([
        ("a", vec![1.0_f64; 100_000]),
        ("b", (0..100_000).map(f64::from).collect()),
    ]);
    let one = serde_npz::WriteOptions::new()
        .compressed()
        .threads(1)
        .to_npz_vec(&big)
        .unwrap();
    let two = serde_npz::WriteOptions::new()
        .compressed()
        .threads(2)
        .to_npz_vec(&big)
        .unwrap();
    assert!(one == two, "the bytes depend on the threads");
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Borrowing<'a> {
    #[serde(borrow, with = "serde_bytes")]
    raw: &'a [u8],
    #[serde(borrow)]
    text: Cow<'a, str>,
    owned: Cow<'a, [f64]>,
}

#[test]
fn lending_from_a_slice() {
    let value = Borrowing {
        raw: &[1, 2, 3],
        text: "naïve".into(),
        owned: vec![0.5].into(),
    };
    let bytes = serde_npz::to_npz_vec(&value).unwrap();
    assert_eq!(table(&bytes), "raw |u1 (3,); text <U5 (); owned <f8 (1,)");
    let back: Borrowing<'_> = serde_npz::from_npz_slice(&bytes).unwrap();
    assert_eq!(back, value);
    assert!(
        bytes.as_ptr_range().contains(&back.raw.as_ptr()),
        "a stored member is lent, not copied"
    );
    let packed = serde_npz::WriteOptions::new().compressed().to_npz_vec(&value).unwrap();
    assert!(
        serde_npz::from_npz_slice::<Borrowing<'_>>(&packed).is_err(),
        "nothing to lend from"
    );
}

#[test]
fn slices_and_iterators_write_the_same() {
    let numbers = vec![1.0_f64, 2.0, 3.0];
    let boxed: Box<[f64]> = numbers.clone().into();
    let shared: std::sync::Arc<[f64]> = numbers.clone().into();
    let deque: std::collections::VecDeque<f64> = numbers.iter().copied().collect();
    let expected = serde_npz::to_npy_vec(&numbers).unwrap();
    assert_eq!(serde_npz::to_npy_vec(&numbers[..]).unwrap(), expected);
    assert_eq!(serde_npz::to_npy_vec(&boxed).unwrap(), expected);
    assert_eq!(serde_npz::to_npy_vec(&shared).unwrap(), expected);
    assert_eq!(serde_npz::to_npy_vec(&deque).unwrap(), expected);
    assert_eq!(serde_npz::to_npy_vec(&[1.0_f64, 2.0, 3.0]).unwrap(), expected);
}

/// What is empty keeps the type of its elements, and no axis of an empty array is in the way of a flat target.
#[test]
fn empty_arrays_of_any_shape() {
    let bytes = serde_npz::to_npy_vec(&Vec::<half::bf16>::new()).unwrap();
    let header = serde_npz::Header::read(&mut &bytes[..]).unwrap();
    assert_eq!((header.dtype().to_string().as_str(), header.shape()), ("|V2", &[0][..]));

    let bytes = serde_npz::to_npy_vec(&vec![Vec::<f64>::new(); 2]).unwrap();
    assert_eq!(
        serde_npz::from_npy_slice::<Vec<Vec<f64>>>(&bytes).unwrap(),
        vec![Vec::<f64>::new(); 2]
    );
    assert_eq!(serde_npz::from_npy_slice::<Vec<f64>>(&bytes).unwrap(), [0.0; 0]);
    assert_eq!(serde_npz::from_npy_slice::<Vec<u8>>(&bytes).unwrap(), [0; 0]);
    assert_eq!(serde_npz::from_npy_slice::<Vec<String>>(&bytes).unwrap(), [""; 0]);
}
