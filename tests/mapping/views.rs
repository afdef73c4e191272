//! Arrays borrowed by derived structs: what is lent, what is copied, what is refused, and what is written.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt::Debug;

use half::f16;
use num_complex::Complex;
use serde::{Deserialize, Serialize};
use serde_npz::{ArrayView, Casting, Element, ErrorKind, ReadOptions, WriteOptions};

/// Bytes that start at a multiple of 64 and `off`, as a map starts at one of 4096.
struct Aligned {
    bytes: Vec<u8>,
    start: usize,
}

impl Aligned {
    fn new(bytes: &[u8], off: usize) -> Self {
        let mut room = vec![0; bytes.len() + 128];
        let start = room.as_ptr().align_offset(64) + off;
        room[start..start + bytes.len()].copy_from_slice(bytes);
        Aligned { bytes: room, start }
    }

    fn get(&self) -> &[u8] {
        &self.bytes[self.start..self.bytes.len() - 128 + self.start]
    }
}

/// A `.npy` of this header text and data.
fn npy(descr: &str, order: &str, shape: &str, data: &[u8]) -> Vec<u8> {
    let text = format!("{{'descr': '{descr}', 'fortran_order': {order}, 'shape': {shape}, }}");
    let mut bytes = b"\x93NUMPY\x01\x00\x76\x00".to_vec();
    bytes.extend(format!("{text:<117}\n").bytes());
    bytes.extend(data);
    bytes
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Run<'a> {
    dt: f64,
    #[serde(borrow)]
    grid: ArrayView<'a, f64>,
    #[serde(borrow, with = "serde_npz::with::view")]
    time: Cow<'a, [i32]>,
    #[serde(borrow, with = "serde_npz::with::view")]
    id: &'a [u16],
    #[serde(borrow, with = "serde_npz::with::view", default)]
    flags: Option<ArrayView<'a, bool>>,
    #[serde(borrow, with = "serde_npz::with::view", default)]
    more: Option<Cow<'a, [f32]>>,
}

/// The same without borrowing: its bytes are what the views have to write.
#[derive(Serialize)]
struct Plain {
    dt: f64,
    grid: Vec<[f64; 2]>,
    time: Vec<i32>,
    id: Vec<u16>,
    flags: Option<Vec<bool>>,
    more: Option<Vec<f32>>,
}

fn plain() -> Plain {
    Plain {
        dt: 0.5,
        grid: vec![[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]],
        time: vec![1, 2, 3],
        id: vec![7, 8],
        flags: Some(vec![true, false]),
        more: Some(vec![0.5]),
    }
}

#[test]
fn our_archives_are_borrowed_and_written_alike() {
    let written = serde_npz::to_npz_vec(&plain()).unwrap();
    let bytes = Aligned::new(&written, 0);
    let run: Run = serde_npz::from_npz_slice(bytes.get()).unwrap();
    let within = bytes.get().as_ptr_range();
    let lent = |pointer: *const u8| within.contains(&pointer);
    assert_eq!(
        (run.grid.shape(), run.grid.row(2).unwrap().as_slice()),
        (&[3, 2][..], &[5.0, 6.0][..])
    );
    assert!(run.grid.borrowed().is_some() && lent(run.grid.as_slice().as_ptr().cast()));
    assert!(matches!(run.time, Cow::Borrowed([1, 2, 3])) && lent(run.time.as_ptr().cast()));
    assert!(run.id == [7, 8] && lent(run.id.as_ptr().cast()));
    let flags = run.flags.as_ref().unwrap();
    assert!(flags.as_slice() == [true, false] && flags.borrowed().is_some());
    assert_eq!(run.more.as_deref(), Some(&[0.5][..]));
    assert_eq!(serde_npz::to_npz_vec(&run).unwrap(), written);
    let options = WriteOptions::new().compressed();
    assert_eq!(options.to_npz_vec(&run).unwrap(), options.to_npz_vec(&plain()).unwrap());
}

#[test]
fn what_lies_badly_is_copied() {
    let written = serde_npz::to_npz_vec(&plain()).unwrap();
    let whole = Aligned::new(&written, 0);
    let expected: Run = serde_npz::from_npz_slice(whole.get()).unwrap();

    #[derive(Deserialize)]
    struct Copied<'a> {
        #[serde(borrow)]
        grid: ArrayView<'a, f64>,
        #[serde(borrow, with = "serde_npz::with::view")]
        time: Cow<'a, [i32]>,
        #[serde(borrow, with = "serde_npz::with::view")]
        flags: Cow<'a, [bool]>,
    }
    let bytes = Aligned::new(&written, 1);
    let run: Copied = serde_npz::from_npz_slice(bytes.get()).unwrap();
    assert_eq!((run.grid.borrowed(), &run.grid), (None, &expected.grid));
    assert!(matches!(&run.time, Cow::Owned(time) if *time == [1, 2, 3]));
    assert!(
        matches!(run.flags, Cow::Borrowed([true, false])),
        "a byte lies well anywhere"
    );
    // Parts of a copy are no more copies.
    let row = run.grid.row(1).unwrap();
    assert_eq!(row.as_slice().as_ptr(), run.grid.as_slice()[2..].as_ptr());
    assert_eq!(run.grid.slice(1..).unwrap().slice(1..).unwrap().as_slice(), [5.0, 6.0]);
    let err = serde_npz::from_npz_slice::<Run>(bytes.get()).unwrap_err();
    assert_eq!(err.path(), "id", "a slice alone cannot be a copy: {err}");
    assert!(format!("{err:#}").contains("Cow"), "{err}");

    let packed = WriteOptions::new().compressed().to_npz_vec(&plain()).unwrap();
    let run: Copied = serde_npz::from_npz_slice(&packed).unwrap();
    assert_eq!((run.grid.borrowed(), &run.grid), (None, &expected.grid));
    assert_eq!(&run.time[..], [1, 2, 3]);
}

#[test]
fn dtypes_and_orders_convert_as_a_vec_does() {
    let read = |bytes: &[u8]| serde_npz::from_npy_slice::<ArrayView<f64>>(bytes).map(|view| view.to_vec());
    let f4: Vec<u8> = [0.5_f32, 1.5].iter().flat_map(|v| v.to_le_bytes()).collect();
    assert_eq!(read(&npy("<f4", "False", "(2,)", &f4)).unwrap(), [0.5, 1.5]);
    assert_eq!(read(&npy("<i2", "False", "(2,)", &[1, 0, 2, 0])).unwrap(), [1.0, 2.0]);
    let f8: Vec<u8> = [0.5, 1.5].iter().flat_map(|v: &f64| v.to_be_bytes()).collect();
    assert_eq!(read(&npy(">f8", "False", "(2,)", &f8)).unwrap(), [0.5, 1.5]);
    assert_eq!(read(&npy("<f8", "False", "()", &0.5_f64.to_le_bytes())).unwrap(), [0.5]);
    assert_eq!(read(&npy("<f8", "False", "(0, 3)", b"")).unwrap(), [0.0; 0]);

    // In the order of the file, whether copied or lent.
    let data: Vec<u8> = [1_i16, 4, 2, 5, 3, 6].iter().flat_map(|v| v.to_be_bytes()).collect();
    let bytes = npy(">i2", "True", "(2, 3)", &data);
    let swapped: ArrayView<i16> = serde_npz::from_npy_slice(&bytes).unwrap();
    let wide: ArrayView<i64> = serde_npz::from_npy_slice(&bytes).unwrap();
    assert_eq!(
        (swapped.fortran_order(), swapped.as_slice()),
        (true, &[1, 4, 2, 5, 3, 6][..])
    );
    assert_eq!((wide.shape(), wide.to_vec()), (&[2, 3][..], vec![1, 2, 3, 4, 5, 6]));

    for (bytes, kind) in [
        (npy("<U1", "False", "(2,)", &[0; 8]), ErrorKind::TypeMismatch),
        (npy("<c16", "False", "(1,)", &[0; 16]), ErrorKind::TypeMismatch),
        (npy("|S1", "False", "(2,)", &[0; 2]), ErrorKind::TypeMismatch),
        (
            npy("<i8", "False", "(1,)", &i64::MAX.to_le_bytes()),
            ErrorKind::InvalidValue,
        ),
    ] {
        assert_eq!(read(&bytes).unwrap_err().kind(), kind);
    }
    let narrow = npy("<f8", "False", "(1,)", &[0; 8]);
    let options = ReadOptions::new().casting(Casting::SameKind);
    assert_eq!(
        options.from_npy_slice::<ArrayView<f32>>(&narrow).unwrap().as_slice(),
        [0.0]
    );
    let bytes = npy("|b1", "False", "(3,)", &[1, 2, 0]);
    let bools: ArrayView<bool> = serde_npz::from_npy_slice(&bytes).unwrap();
    assert_eq!((bools.as_slice(), bools.borrowed()), (&[true, true, false][..], None));

    #[derive(Debug, Deserialize)]
    struct Row<'a> {
        #[serde(borrow, with = "serde_npz::with::view")]
        #[expect(dead_code, reason = "it is refused")]
        x: Cow<'a, [f64]>,
    }
    let bytes = serde_npz::to_npz_vec(&BTreeMap::from([("x", [[1.0, 2.0]])])).unwrap();
    let err = serde_npz::from_npz_slice::<Row>(&bytes).unwrap_err();
    assert_eq!((err.kind(), err.path()), (ErrorKind::TypeMismatch, "x"));
    let bytes = serde_npz::to_npz_vec(&BTreeMap::from([("x", BTreeMap::from([("y", 1.0)]))])).unwrap();
    assert_eq!(serde_npz::from_npz_slice::<Row>(&bytes).unwrap_err().path(), "x");
}

#[test]
fn views_are_written_in_the_order_they_have() {
    let elements = [1.0, 3.0, 5.0, 2.0, 4.0, 6.0];
    let view = ArrayView::fortran(&elements, &[3, 2]).unwrap();
    let bytes = serde_npz::to_npy_vec(&view).unwrap();
    let header = serde_npz::Header::read(&mut &bytes[..]).unwrap();
    assert!(header.fortran_order() && header.shape() == [3, 2]);
    let rows: Vec<[f64; 2]> = serde_npz::from_npy_slice(&bytes).unwrap();
    assert_eq!(rows, [[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]);
    assert_eq!(serde_npz::from_npy_slice::<ArrayView<f64>>(&bytes).unwrap(), view);
    // The transposed one is in C order, and what lies in both orders is written as NumPy does.
    let bytes = serde_npz::to_npy_vec(&view.transposed()).unwrap();
    assert_eq!(
        bytes,
        serde_npz::to_npy_vec(&[[1.0, 3.0, 5.0], [2.0, 4.0, 6.0]]).unwrap()
    );
    for shape in [&[6][..], &[6, 1], &[1, 6], &[1, 6, 1]] {
        let view = ArrayView::fortran(&elements, shape).unwrap();
        let bytes = serde_npz::to_npy_vec(&view).unwrap();
        assert!(
            !serde_npz::Header::read(&mut &bytes[..]).unwrap().fortran_order(),
            "{shape:?}"
        );
    }
    // Among others: in a list, a tuple, a map.
    let views = vec![view.clone(), ArrayView::new(&elements, &[6]).unwrap()];
    let bytes = serde_npz::to_npz_vec(&BTreeMap::from([("v", &views)])).unwrap();
    assert_eq!(crate::common::table(&bytes), "v/0 <f8 (3, 2); v/1 <f8 (6,)");
    let back: BTreeMap<String, Vec<ArrayView<f64>>> = serde_npz::from_npz_slice(&bytes).unwrap();
    assert_eq!(back["v"], views);
}

fn through_others<T: Element>(elements: &[T; 6]) {
    for (shape, fortran) in [
        (&[6][..], false),
        (&[2, 3], false),
        (&[2, 3], true),
        (&[1, 3, 2], false),
    ] {
        let view = if fortran {
            ArrayView::fortran(elements, shape).unwrap()
        } else {
            ArrayView::new(elements, shape).unwrap()
        };
        let text = serde_json::to_string(&view).unwrap();
        let back: ArrayView<T> = serde_json::from_str(&text).unwrap_or_else(|err| panic!("{text}: {err}"));
        assert_eq!(back, view, "{text}");
        let bytes = serde_npz::to_npy_vec(&view).unwrap();
        assert_eq!(serde_npz::from_npy_slice::<ArrayView<T>>(&bytes).unwrap(), view);
    }
}

#[test]
fn other_formats_have_nested_sequences() {
    through_others(&[true, false, false, true, true, false]);
    through_others(&[i8::MIN, -1, 0, 1, 2, i8::MAX]);
    through_others(&[i64::MIN, -1, 0, 1, 2, i64::MAX]);
    through_others(&[0, 1, 2, 3, 4, u64::MAX]);
    through_others(&[0.5_f32, -1.0, 1e10, 0.1, 2.0, f32::MIN]);
    through_others(&[0.5_f64, -1.0, 1e300, 0.1, 2.0, f64::MIN]);
    through_others(&[0.5, -1.0, 2.0, 3.0, 4.0, 5.0].map(f16::from_f64));
    through_others(&[Complex::new(0.5_f32, -1.0); 6]);
    through_others(&[Complex::new(0.5_f64, 1e300); 6]);
    let view = ArrayView::new(&[1, 2, 3, 4], &[2, 2]).unwrap();
    assert_eq!(serde_json::to_string(&view).unwrap(), "[[1,2],[3,4]]");

    fn refused<T: Element>(text: &str) {
        assert!(serde_json::from_str::<ArrayView<T>>(text).is_err(), "{text}");
    }
    refused::<i32>("[[1,2],[3]]");
    refused::<i32>("[[1,2],3]");
    refused::<i32>("[1,[2]]");
    refused::<i32>("[[],[[1]]]");
    refused::<i32>("[1.5]");
    refused::<i32>("[true]");
    refused::<u8>("[256]");
    refused::<u8>("[-1]");
    refused::<bool>("[1]");
    refused::<f64>("[null]");
    refused::<f64>("\"1\"");
    refused::<f64>("{\"a\":1}");
    refused::<Complex<f64>>("[1.0,2.0,3.0]");
    refused::<f64>(&format!("{}{}", "[".repeat(100), "]".repeat(100)));
    let shape = |text: &str| serde_json::from_str::<ArrayView<f64>>(text).unwrap().shape().to_vec();
    assert_eq!(
        (shape("[]"), shape("[[],[]]"), shape("5")),
        (vec![0], vec![2, 0], vec![])
    );
}

/// Through serde's buffer nothing is borrowed, but the values come.
#[test]
fn flattened_views_are_copied() {
    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Inner<'a> {
        #[serde(borrow)]
        x: ArrayView<'a, f64>,
    }
    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Outer<'a> {
        a: i32,
        #[serde(flatten, borrow)]
        inner: Inner<'a>,
    }
    let elements = [1.0, 2.0, 3.0, 4.0];
    let outer = Outer {
        a: 1,
        inner: Inner {
            x: ArrayView::new(&elements, &[2, 2]).unwrap(),
        },
    };
    let bytes = serde_npz::to_npz_vec(&outer).unwrap();
    assert_eq!(crate::common::table(&bytes), "a <i4 (); x <f8 (2, 2)");
    let back: Outer = serde_npz::from_npz_slice(&bytes).unwrap();
    assert_eq!((&back, back.inner.x.borrowed()), (&outer, None));
}

#[test]
fn views_say_little_of_much() {
    fn is_plain<T: Debug + Clone + Send + Sync + PartialEq>() {}
    is_plain::<ArrayView<'_, f64>>();
    let elements = vec![1; 1000];
    let text = format!("{:?}", ArrayView::new(&elements, &[10, 100]).unwrap());
    assert!(text.len() < 150 && text.contains("[10, 100]"), "{text}");
    let err = ArrayView::new(&elements, &[10, 101]).unwrap_err();
    assert!(
        err.kind() == ErrorKind::InvalidValue && format!("{err:#}").contains("(10, 101)"),
        "{err}"
    );
}

#[test]
fn views_convert_as_the_options_allow() {
    let rounds = serde_npz::ReadOptions::new().casting(serde_npz::Casting::SameKind);
    let bytes = serde_npz::to_npy_vec(&vec![[0.1, 0.5], [1.5, 2.5]]).unwrap();
    let err = serde_npz::from_npy_slice::<ArrayView<'_, f32>>(&bytes).unwrap_err();
    assert_eq!(err.kind(), ErrorKind::TypeMismatch);
    assert!(format!("{err:#}").contains("Casting::SameKind"), "{err}");
    let view: ArrayView<'_, f32> = rounds.from_npy_slice(&bytes).unwrap();
    assert_eq!(
        (view.shape(), view.as_slice()),
        (&[2, 2][..], &[0.1, 0.5, 1.5, 2.5][..])
    );

    #[derive(Deserialize)]
    struct Member<'a> {
        #[serde(borrow)]
        x: ArrayView<'a, f32>,
    }
    let fortran = ArrayView::fortran(&[0.1, 1.5, 0.5, 2.5], &[2, 2]).unwrap();
    let archive = serde_npz::to_npz_vec(&std::collections::BTreeMap::from([("x", fortran)])).unwrap();
    assert!(serde_npz::from_npz_slice::<Member<'_>>(&archive).is_err());
    let member: Member<'_> = rounds.from_npz_slice(&archive).unwrap();
    assert_eq!(member.x.to_vec(), [0.1, 0.5, 1.5, 2.5]);
}

/// A field of a record is an array of its own: without axes, or with those of a subarray.
#[test]
fn views_of_the_fields_of_records() {
    #[derive(Serialize)]
    struct Row {
        id: u8,
        m: [[f64; 3]; 2],
    }
    #[derive(Deserialize)]
    struct Seen<'a> {
        #[serde(borrow)]
        id: ArrayView<'a, u8>,
        #[serde(borrow)]
        m: ArrayView<'a, f64>,
    }
    let row = |id| Row {
        id,
        m: [[0.5, 1.0, 1.5], [2.0, 2.5, f64::from(id)]],
    };
    let bytes = serde_npz::to_npy_vec(&vec![row(1), row(2)]).unwrap();
    let check = |rows: Vec<Seen<'_>>| {
        for (row, id) in rows.into_iter().zip([1_u8, 2]) {
            assert_eq!((row.id.shape(), row.id.as_slice()), (&[][..], &[id][..]));
            assert_eq!(row.m.shape(), [2, 3]);
            assert_eq!(row.m.as_slice(), [0.5, 1.0, 1.5, 2.0, 2.5, f64::from(id)]);
        }
    };
    check(serde_npz::from_npy_slice(&bytes).unwrap());
}

/// serde's buffer hands numbers on as the widest of their kind: a view rounds none of them.
#[test]
fn views_round_nothing_in_serdes_buffer() {
    #[derive(Debug, Deserialize)]
    struct Inner<'a> {
        #[serde(borrow)]
        x: ArrayView<'a, f32>,
    }
    #[derive(Debug, Deserialize)]
    struct Outer<'a> {
        #[serde(flatten, borrow)]
        inner: Inner<'a>,
    }
    fn read<T: Serialize>(x: T) -> serde_npz::Result<Vec<f32>> {
        let bytes = serde_npz::to_npz_vec(&BTreeMap::from([("x", x)])).unwrap();
        serde_npz::from_npz_slice::<Outer<'_>>(&bytes).map(|outer| outer.inner.x.to_vec())
    }
    assert_eq!(read(vec![0.5, f64::INFINITY]).unwrap(), [0.5, f32::INFINITY]);
    assert!(read(vec![f64::NAN]).unwrap()[0].is_nan());
    let err = read(vec![0.5, 0.1]).unwrap_err();
    assert_eq!(err.kind(), ErrorKind::TypeMismatch);
    assert!(format!("{err:#}").contains("0.1"), "{err}");
    assert_eq!(read(vec![1 << 24]).unwrap(), [16_777_216.0]);
    assert!(read(vec![(1 << 24) + 1]).is_err());
    // A text says nothing about the width of its numbers.
    let json: Inner<'_> = serde_json::from_str(r#"{"x": [0.1]}"#).unwrap();
    assert_eq!(json.x.as_slice(), [0.1]);
}
