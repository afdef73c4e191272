//! `ReadOptions::squeeze`: axes of length 1 that nobody asks for, and scalars that are asked for as sequences.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::fmt::Debug;
use std::io::Cursor;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::common::{Any, npy};
use num_complex::Complex;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_bytes::ByteBuf;
use serde_npz::{ArrayView, Casting, ErrorKind, NpyReader, NpzReader, ReadOptions, Value, from_npy_slice, to_npz_vec};

fn squeeze() -> ReadOptions {
    ReadOptions::new().squeeze(true)
}

/// The numbers 1, 2, .. as doubles in an array of this shape.
fn doubles(shape: &[usize], fortran: bool) -> Vec<u8> {
    let count: usize = shape.iter().product();
    // In C order they count up, whatever the order of the file.
    let mut data = Vec::new();
    for at in 0..count {
        let number = if fortran { in_c_order(at, shape) } else { at };
        data.extend((number as f64 + 1.0).to_le_bytes());
    }
    npy("'<f8'", fortran, &text(shape), &data)
}

/// The place in C order of what is at a place in Fortran order.
fn in_c_order(mut at: usize, shape: &[usize]) -> usize {
    let mut index = Vec::new();
    for axis in shape {
        index.push(at % axis);
        at /= axis;
    }
    index.iter().zip(shape).fold(0, |place, (at, axis)| place * axis + at)
}

fn text(shape: &[usize]) -> String {
    let axes: Vec<String> = shape.iter().map(|axis| format!("{axis},")).collect();
    format!("({})", axes.concat())
}

/// What an array of this shape is read as, in both orders, from a slice, a stream and an archive.
#[track_caller]
fn read<T: DeserializeOwned + PartialEq + Debug>(shape: &[usize]) -> Result<T, ErrorKind> {
    #[derive(Deserialize)]
    struct Member<T> {
        x: T,
    }
    let options = squeeze().casting(Casting::Exact);
    let found = options.from_npy_slice(&doubles(shape, false)).map_err(|err| err.kind());
    for fortran in [false, true] {
        let bytes = doubles(shape, fortran);
        let again = options.from_npy_reader(&bytes[..]).map_err(|err| err.kind());
        assert_eq!(again, found, "{shape:?} {fortran}");
        let value: Value = from_npy_slice(&bytes).unwrap();
        let archive = to_npz_vec(&BTreeMap::from([("x", value)])).unwrap();
        let member = options.from_npz_slice::<Member<T>>(&archive).map(|member| member.x);
        assert_eq!(member.map_err(|err| err.kind()), found, "{shape:?} {fortran}");
        let mut npz = NpzReader::with_options(Cursor::new(&archive), &options).unwrap();
        assert_eq!(npz.get("x").map_err(|err| err.kind()), found, "{shape:?} {fortran}");
    }
    found
}

const NO: ErrorKind = ErrorKind::TypeMismatch;

#[test]
fn scalars_of_one_element() {
    for shape in [&[][..], &[1], &[1, 1], &[1, 1, 1]] {
        assert_eq!(read::<f64>(shape), Ok(1.0));
        assert_eq!(read::<usize>(shape), Ok(1));
        assert_eq!(read::<bool>(shape), Ok(true));
        assert_eq!(read::<Option<u8>>(shape), Ok(Some(1)));
        assert_eq!(read::<half::f16>(shape), Ok(half::f16::ONE));
        assert_eq!(read::<Complex<f64>>(shape), Ok(Complex::new(1.0, 0.0)));
        assert_eq!(read::<Box<f32>>(shape), Ok(Box::new(1.0)));
    }
    for shape in [&[2][..], &[1, 2], &[2, 1], &[2, 2]] {
        assert_eq!(read::<f64>(shape), Err(NO));
    }
}

#[test]
fn sequences_along_the_only_long_axis() {
    for shape in [&[3][..], &[3, 1], &[1, 3], &[1, 1, 3], &[1, 3, 1]] {
        assert_eq!(read::<Vec<f64>>(shape), Ok(vec![1.0, 2.0, 3.0]));
        assert_eq!(read::<Vec<u16>>(shape), Ok(vec![1, 2, 3]));
        assert_eq!(read::<Vec<Option<i32>>>(shape), Ok(vec![Some(1), Some(2), Some(3)]));
        assert_eq!(read::<Option<Vec<f64>>>(shape), Ok(Some(vec![1.0, 2.0, 3.0])));
        assert_eq!(read::<VecDeque<f32>>(shape), Ok(VecDeque::from([1.0, 2.0, 3.0])));
        assert_eq!(read::<BTreeSet<u8>>(shape), Ok(BTreeSet::from([1, 2, 3])));
        assert_eq!(read::<[f64; 3]>(shape), Ok([1.0, 2.0, 3.0]));
        assert_eq!(read::<[u8; 3]>(shape), Ok([1, 2, 3]));
        assert_eq!(read::<(f64, u8, i64)>(shape), Ok((1.0, 2, 3)));
        assert_eq!(read::<Vec<Complex<f64>>>(shape).unwrap()[2], Complex::new(3.0, 0.0));
        assert_eq!(read::<[f64; 2]>(shape), Err(NO));
        assert_eq!(read::<[u8; 4]>(shape), Err(NO));
        assert_eq!(read::<f64>(shape), Err(NO));
    }
    for shape in [&[][..], &[1], &[1, 1]] {
        assert_eq!(read::<Vec<f64>>(shape), Ok(vec![1.0]), "a scalar as a sequence");
        assert_eq!(read::<Vec<u8>>(shape), Ok(vec![1]));
        assert_eq!(read::<[u8; 1]>(shape), Ok([1]));
        assert_eq!(read::<Vec<Vec<u8>>>(shape), Ok(vec![vec![1]]));
        assert_eq!(read::<Vec<Vec<f64>>>(shape), Ok(vec![vec![1.0]]));
        assert_eq!(read::<[f64; 2]>(shape), Err(NO));
    }
    for shape in [&[2, 2][..], &[2, 1, 2]] {
        assert_eq!(read::<Vec<f64>>(shape), Err(NO));
        assert_eq!(read::<Vec<u8>>(shape), Err(NO));
    }
    for shape in [&[0][..], &[1, 0], &[0, 1], &[1, 0, 1]] {
        assert_eq!(read::<Vec<f64>>(shape), Ok(vec![]));
        assert_eq!(read::<Vec<u8>>(shape), Ok(vec![]));
        assert_eq!(read::<BTreeSet<u8>>(shape), Ok(BTreeSet::new()), "{shape:?}");
    }
}

#[test]
fn as_many_axes_as_there_are_stay() {
    assert_eq!(
        read::<Vec<Vec<f64>>>(&[3, 1]),
        Ok(vec![vec![1.0], vec![2.0], vec![3.0]])
    );
    assert_eq!(read::<Vec<Vec<u8>>>(&[3, 1]), Ok(vec![vec![1], vec![2], vec![3]]));
    assert_eq!(read::<Vec<Vec<f64>>>(&[1, 3]), Ok(vec![vec![1.0, 2.0, 3.0]]));
    assert_eq!(read::<Vec<Vec<u8>>>(&[1, 3]), Ok(vec![vec![1, 2, 3]]));
    assert_eq!(read::<Vec<[f64; 3]>>(&[1, 3]), Ok(vec![[1.0, 2.0, 3.0]]));
    assert_eq!(read::<Vec<[u8; 1]>>(&[3, 1]), Ok(vec![[1], [2], [3]]));
    // Rows do not become columns.
    assert_eq!(read::<Vec<[u8; 3]>>(&[3, 1]), Err(NO));
    assert_eq!(read::<[[f64; 1]; 3]>(&[1, 3]), Err(NO));
    assert_eq!(read::<Vec<Vec<u8>>>(&[2, 3]), Ok(vec![vec![1, 2, 3], vec![4, 5, 6]]));
    assert_eq!(read::<Vec<Vec<f64>>>(&[2, 3]).unwrap()[1][0], 4.0);
}

#[test]
fn several_axes_of_more() {
    for shape in [&[1, 2, 3][..], &[2, 1, 3], &[2, 3, 1], &[1, 2, 1, 3, 1]] {
        assert_eq!(
            read::<Vec<Vec<f64>>>(shape),
            Ok(vec![vec![1.0, 2.0, 3.0], vec![4.0, 5.0, 6.0]])
        );
        assert_eq!(read::<Vec<Vec<u8>>>(shape), Ok(vec![vec![1, 2, 3], vec![4, 5, 6]]));
        assert_eq!(read::<Vec<[u8; 3]>>(shape), Ok(vec![[1, 2, 3], [4, 5, 6]]));
        assert_eq!(read::<[[f32; 3]; 2]>(shape), Ok([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]));
        assert_eq!(read::<Vec<f64>>(shape), Err(NO));
    }
    assert_eq!(read::<Vec<Vec<u8>>>(&[1, 1, 3]), Ok(vec![vec![1, 2, 3]]));
    // (1, 3) or (3, 1)?
    assert_eq!(read::<Vec<Vec<u8>>>(&[1, 3, 1]), Err(NO));
    assert_eq!(read::<Vec<Vec<f64>>>(&[1, 3, 1]), Err(NO));
    assert_eq!(read::<Vec<Vec<u8>>>(&[3]), Err(NO));
    assert_eq!(read::<Vec<Vec<f64>>>(&[3]), Err(NO));
    let err = squeeze()
        .from_npy_slice::<Vec<Vec<f64>>>(&doubles(&[1, 3, 1], false))
        .unwrap_err();
    assert!(err.to_string().contains("several ways"), "{err}");
}

#[test]
fn a_type_of_sequences_without_end() {
    #[derive(Debug, Deserialize, PartialEq)]
    struct Nest(Vec<Nest>);
    for shape in [&[][..], &[1], &[1, 1], &[2]] {
        assert_eq!(read::<Nest>(shape), Err(NO));
    }
}

#[test]
fn nothing_is_squeezed_for_what_takes_any_shape() {
    let bytes = doubles(&[1, 1], false);
    let one = Any::Seq(vec![Any::Seq(vec![Any::Float(1.0)])]);
    assert_eq!(squeeze().from_npy_slice::<Any>(&bytes).unwrap(), one);
    assert_eq!(
        squeeze().from_npy_slice::<serde_json::Value>(&bytes).unwrap(),
        serde_json::json!([[1.0]])
    );
    let rows: Vec<Any> = squeeze().from_npy_slice(&doubles(&[1, 2], false)).unwrap();
    assert_eq!(rows, [Any::Seq(vec![Any::Float(1.0), Any::Float(2.0)])]);
    let value: Value = squeeze().from_npy_slice(&bytes).unwrap();
    assert_eq!(value.to_string(), "[[1.]]");
    let view: ArrayView<'_, f64> = squeeze().from_npy_slice(&bytes).unwrap();
    assert_eq!(view.shape(), [1, 1]);
    assert!(from_npy_slice::<f64>(&bytes).is_err(), "only where it is asked for");
    assert!(from_npy_slice::<Vec<f64>>(&bytes).is_err());
}

#[test]
fn texts_times_bytes_and_records() {
    let options = squeeze();
    let texts = npy("'<U1'", true, "(1, 2)", b"a\0\0\0b\0\0\0");
    assert_eq!(options.from_npy_slice::<Vec<String>>(&texts).unwrap(), ["a", "b"]);
    assert_eq!(
        options.from_npy_slice::<(char, String)>(&texts).unwrap(),
        ('a', "b".into())
    );
    let text = npy("'|S3'", false, "(1, 1)", b"csr");
    assert_eq!(options.from_npy_slice::<String>(&text).unwrap(), "csr");
    assert_eq!(options.from_npy_slice::<ByteBuf>(&text).unwrap(), b"csr");
    assert_eq!(options.from_npy_slice::<Vec<ByteBuf>>(&text).unwrap(), [&b"csr"[..]]);
    let bytes = npy("'|u1'", false, "(1, 3)", b"abc");
    assert_eq!(options.from_npy_slice::<ByteBuf>(&bytes).unwrap(), b"abc");
    let raw = npy("'|V2'", false, "(2, 1)", b"abcd");
    assert_eq!(options.from_npy_slice::<Vec<[u8; 2]>>(&raw).unwrap(), [*b"ab", *b"cd"]);

    #[derive(Debug, Deserialize, PartialEq)]
    enum Mode {
        Fast,
    }
    let mode = npy("'|S4'", false, "(1, 1)", b"Fast");
    assert_eq!(options.from_npy_slice::<Mode>(&mode).unwrap(), Mode::Fast);

    let times = [2_i64, i64::MIN].map(i64::to_le_bytes).concat();
    let dates = npy("'<M8[s]'", false, "(2, 1)", &times);
    let then = UNIX_EPOCH + Duration::from_secs(2);
    assert_eq!(
        options.from_npy_slice::<Vec<Option<SystemTime>>>(&dates).unwrap(),
        [Some(then), None]
    );
    let nat = npy("'<m8[s]'", false, "(1, 1)", &times[8..]);
    assert_eq!(options.from_npy_slice::<Option<Duration>>(&nat).unwrap(), None);
    assert_eq!(
        options.from_npy_slice::<Option<Vec<i64>>>(&nat).unwrap(),
        Some(vec![i64::MIN])
    );

    #[derive(Debug, Deserialize, PartialEq)]
    struct Pair {
        a: u8,
        b: f32,
    }
    let pair = |a: u8, b: f32| Pair { a, b };
    let data = [&[1][..], &0.5_f32.to_le_bytes(), &[2], &1.5_f32.to_le_bytes()].concat();
    let descr = "[('a', '|u1'), ('b', '<f4')]";
    for shape in ["(2,)", "(2, 1)", "(1, 2)"] {
        let records = npy(descr, false, shape, &data);
        assert_eq!(
            options.from_npy_slice::<Vec<Pair>>(&records).unwrap(),
            [pair(1, 0.5), pair(2, 1.5)]
        );
        assert_eq!(
            options.from_npy_slice::<[Pair; 2]>(&records).unwrap(),
            [pair(1, 0.5), pair(2, 1.5)]
        );
    }
    for shape in ["(2,)", "(2, 1)"] {
        let records = npy(descr, false, shape, &data);
        assert_eq!(
            options.from_npy_slice::<Vec<(u8, f64)>>(&records).unwrap(),
            [(1, 0.5), (2, 1.5)]
        );
    }
    let single = npy(descr, false, "(1, 1)", &data[..5]);
    assert_eq!(options.from_npy_slice::<Pair>(&single).unwrap(), pair(1, 0.5));
    assert_eq!(options.from_npy_slice::<Vec<Pair>>(&single).unwrap(), [pair(1, 0.5)]);
    assert_eq!(
        options.from_npy_slice::<BTreeMap<String, f64>>(&single).unwrap()["b"],
        0.5
    );
    let empty = npy(descr, false, "(1, 0)", &[]);
    assert_eq!(options.from_npy_slice::<Vec<Pair>>(&empty).unwrap(), []);
}

#[test]
fn fields_of_records() {
    #[derive(Debug, Deserialize, PartialEq)]
    struct Spike {
        at: f64,
        name: String,
        channels: Vec<u16>,
        shape: [f32; 2],
        gain: Vec<f64>,
    }
    let descr = "[('at', '<f8', (1, 1)), ('name', '<U1', (1,)), ('channels', '|u1', (3, 1)), ('shape', '<f4', (1, 2)), \
                 ('gain', '<f8')]";
    let data = [
        &2.5_f64.to_le_bytes()[..],
        b"n\0\0\0",
        &[1, 2, 3],
        &0.5_f32.to_le_bytes(),
        &1.5_f32.to_le_bytes(),
        &7_f64.to_le_bytes(),
    ]
    .concat();
    let spike = || Spike {
        at: 2.5,
        name: "n".into(),
        channels: vec![1, 2, 3],
        shape: [0.5, 1.5],
        gain: vec![7.0],
    };
    let bytes = npy(descr, false, "(2, 1)", &data.repeat(2));
    assert_eq!(
        squeeze().from_npy_slice::<Vec<Spike>>(&bytes).unwrap(),
        [spike(), spike()]
    );
    let mut reader = NpyReader::with_options(&bytes[..], &squeeze()).unwrap();
    assert!(reader.rows::<Spike>().all(|row| row.unwrap() == spike()));
    assert!(from_npy_slice::<Vec<Vec<Spike>>>(&bytes).is_err());
    let any: Vec<Any> = squeeze().from_npy_slice(&bytes).unwrap();
    let Any::Seq(row) = &any[0] else { panic!("{any:?}") };
    assert_eq!(
        row[0].field("at"),
        Some(&Any::Seq(vec![Any::Seq(vec![Any::Float(2.5)])]))
    );
}

#[test]
fn rows_of_readers() {
    let numbers = |bytes: &[u8]| -> Result<Vec<f64>, ErrorKind> {
        let mut reader = NpyReader::with_options(bytes, &squeeze()).unwrap();
        let rows = reader.rows().collect::<serde_npz::Result<_>>();
        rows.map_err(|err| err.kind())
    };
    for fortran in [false, true] {
        assert_eq!(numbers(&doubles(&[3, 1], fortran)), Ok(vec![1.0, 2.0, 3.0]));
        assert_eq!(numbers(&doubles(&[3, 1, 1], fortran)), Ok(vec![1.0, 2.0, 3.0]));
        // The first axis has one row.
        assert_eq!(numbers(&doubles(&[1, 3], fortran)), Err(NO));
        let bytes = doubles(&[2, 1, 3], fortran);
        let mut reader = NpyReader::with_options(&bytes[..], &squeeze()).unwrap();
        let rows: Vec<Vec<f64>> = reader.rows().map(Result::unwrap).collect();
        assert_eq!(rows, [[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]);
        // Each row is settled by itself.
        let mut reader = NpyReader::with_options(&bytes[..], &squeeze()).unwrap();
        assert_eq!(reader.rows::<[f64; 3]>().next().unwrap().unwrap(), [1.0, 2.0, 3.0]);
        assert_eq!(
            reader.rows::<[[f64; 3]; 1]>().next().unwrap().unwrap(),
            [[4.0, 5.0, 6.0]]
        );
    }
    let archive = to_npz_vec(&BTreeMap::from([("x", [[1.0], [2.0]])])).unwrap();
    let mut npz = NpzReader::with_options(Cursor::new(archive), &squeeze()).unwrap();
    let rows: Vec<f64> = npz.rows("x").unwrap().map(Result::unwrap).collect();
    assert_eq!(rows, [1.0, 2.0]);
}

#[test]
fn with_modules() {
    #[derive(Debug, Deserialize, PartialEq)]
    struct Recording {
        #[serde(with = "serde_npz::with::nan")]
        gaps: Vec<Option<f64>>,
        #[serde(with = "serde_npz::with::datetime64::s")]
        seen: Vec<Option<i64>>,
        #[serde(with = "serde_npz::with::float16")]
        gain: f32,
        #[serde(with = "serde_npz::with::bytes")]
        tags: Vec<Vec<u8>>,
    }
    let mut group = serde_npz::value::Group::new();
    let array =
        |descr: &str, shape: &str, data: &[u8]| from_npy_slice::<Value>(&npy(descr, false, shape, data)).unwrap();
    group.insert(
        "gaps",
        array("'<f8'", "(1, 2)", &[1.0, f64::NAN].map(f64::to_le_bytes).concat()),
    );
    group.insert(
        "seen",
        array("'<M8[s]'", "(2, 1)", &[5, i64::MIN].map(i64::to_le_bytes).concat()),
    );
    group.insert("gain", array("'<f2'", "(1, 1)", &[0, 0x3c]));
    group.insert("tags", array("'|S2'", "(1, 2)", b"a\0bc"));
    let bytes = to_npz_vec(&group).unwrap();
    assert_eq!(
        squeeze().from_npz_slice::<Recording>(&bytes).unwrap(),
        Recording {
            gaps: vec![Some(1.0), None],
            seen: vec![Some(5), None],
            gain: 1.0,
            tags: vec![b"a".to_vec(), b"bc".to_vec()],
        }
    );
}

#[test]
fn slices_that_are_lent() {
    #[derive(Deserialize)]
    struct Lent<'a> {
        #[serde(borrow, with = "serde_npz::with::view")]
        x: std::borrow::Cow<'a, [f64]>,
        #[serde(borrow)]
        y: ArrayView<'a, f64>,
    }
    for shape in [&[3, 1][..], &[1, 3]] {
        for fortran in [false, true] {
            let value: Value = from_npy_slice(&doubles(shape, fortran)).unwrap();
            let bytes = to_npz_vec(&BTreeMap::from([("x", &value), ("y", &value)])).unwrap();
            let lent: Lent<'_> = squeeze().from_npz_slice(&bytes).unwrap();
            assert_eq!(lent.x, &[1.0, 2.0, 3.0][..]);
            assert_eq!(lent.y.shape(), shape);
            assert!(serde_npz::from_npz_slice::<Lent<'_>>(&bytes).is_err());
        }
    }
}

#[cfg(feature = "ndarray-0_17")]
#[test]
fn arrays_of_ndarray() {
    use ndarray::{Array0, Array1, Array2, ArrayD, arr0, arr2, array};
    assert_eq!(read::<Array1<f64>>(&[3, 1]), Ok(array![1.0, 2.0, 3.0]));
    assert_eq!(read::<Array1<u8>>(&[1, 3]), Ok(array![1, 2, 3]));
    assert_eq!(read::<Array1<f64>>(&[]), Ok(array![1.0]));
    assert_eq!(read::<Array0<f64>>(&[1, 1]), Ok(arr0(1.0)));
    assert_eq!(read::<Array2<f64>>(&[1, 3]), Ok(arr2(&[[1.0, 2.0, 3.0]])));
    assert_eq!(read::<Array2<i32>>(&[2, 1, 3]), Ok(arr2(&[[1, 2, 3], [4, 5, 6]])));
    assert_eq!(read::<Array2<f64>>(&[1, 1]), Ok(arr2(&[[1.0]])));
    assert_eq!(read::<Array2<f64>>(&[1, 3, 1]), Err(NO));
    assert_eq!(read::<Array2<f64>>(&[3]), Err(NO));
    assert_eq!(read::<ArrayD<f64>>(&[3, 1]).unwrap().shape(), [3, 1]);

    #[derive(Debug, Deserialize, PartialEq)]
    #[serde(transparent)]
    struct Ordered<T: for<'a> serde_npz::with::Decode<'a, serde_npz::with::ndarray_0_17::Ndarray>>(
        #[serde(deserialize_with = "serde_npz::with::ndarray_0_17::deserialize")] T,
    );
    assert_eq!(read(&[3, 1]), Ok(Ordered(array![1.0, 2.0, 3.0])));
    assert_eq!(read(&[1, 2, 3]), Ok(Ordered(arr2(&[[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]))));
    assert_eq!(read::<Ordered<ArrayD<u8>>>(&[1, 3]).unwrap().0.shape(), [1, 3]);
}

#[cfg(feature = "nalgebra-0_34")]
#[test]
fn matrices_of_nalgebra() {
    use nalgebra::{DMatrix, DVector, Matrix2x3, RowVector3, Vector3};
    use serde_npz::with::nalgebra_0_34::Nalgebra;

    #[derive(Debug, Deserialize, PartialEq)]
    #[serde(transparent)]
    struct It<T: for<'a> serde_npz::with::Decode<'a, Nalgebra>>(
        #[serde(deserialize_with = "serde_npz::with::nalgebra_0_34::deserialize")] T,
    );
    for shape in [&[3, 1][..], &[1, 3], &[3]] {
        assert_eq!(read(shape), Ok(It(DVector::from_vec(vec![1.0, 2.0, 3.0]))));
        assert_eq!(read(shape), Ok(It(Vector3::new(1.0, 2.0, 3.0))));
        assert_eq!(read(shape), Ok(It(RowVector3::new(1.0, 2.0, 3.0))));
    }
    assert_eq!(read(&[1, 1]), Ok(It(DMatrix::from_element(1, 1, 1.0))));
    assert_eq!(read(&[1, 2, 3]), Ok(It(Matrix2x3::new(1.0, 2.0, 3.0, 4.0, 5.0, 6.0))));
    assert_eq!(read::<It<DMatrix<f64>>>(&[3]), Err(NO));
    assert_eq!(read::<It<DMatrix<f64>>>(&[3, 1]).unwrap().0.shape(), (3, 1));
}

/// What MATLAB and R save: everything has two axes, in Fortran order, and is a double.
#[test]
fn files_of_matlab_in_natural_types() {
    #[derive(Debug, Deserialize, PartialEq)]
    struct Session {
        rate: u32,
        good: Vec<bool>,
        times: Vec<u64>,
        waves: Vec<[f32; 2]>,
        depth: Option<f64>,
        empty: Vec<f64>,
        missing: Option<f64>,
    }
    #[derive(Serialize)]
    struct Matlab {
        rate: Value,
        good: Value,
        times: Value,
        waves: Value,
        depth: Value,
        empty: Value,
    }
    let matrix = |shape: &str, numbers: &[f64]| {
        let data: Vec<u8> = numbers.iter().flat_map(|x| x.to_le_bytes()).collect();
        from_npy_slice::<Value>(&npy("'<f8'", true, shape, &data)).unwrap()
    };
    let bytes = to_npz_vec(&Matlab {
        rate: matrix("(1, 1)", &[30000.0]),
        good: matrix("(1, 3)", &[1.0, 0.0, 1.0]),
        times: matrix("(3, 1)", &[5.0, 9007199254740992.0, 7.0]),
        waves: matrix("(3, 2)", &[1.0, 2.0, 3.0, 10.0, 20.0, 30.0]),
        depth: matrix("(1, 1)", &[0.5]),
        empty: matrix("(0, 0)", &[]),
    })
    .unwrap();
    let options = squeeze().casting(Casting::Exact);
    assert_eq!(
        options.from_npz_slice::<Session>(&bytes).unwrap(),
        Session {
            rate: 30000,
            good: vec![true, false, true],
            times: vec![5, 9007199254740992, 7],
            waves: vec![[1.0, 10.0], [2.0, 20.0], [3.0, 30.0]],
            depth: Some(0.5),
            empty: vec![],
            missing: None,
        }
    );
}
