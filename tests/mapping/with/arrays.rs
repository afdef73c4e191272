//! `with::ndarray_0_17`.

mod buffer;

use std::collections::BTreeMap;
use std::io::{Cursor, sink};

use half::f16;
use ndarray::{
    ArcArray1, Array, Array0, Array1, Array2, Array3, Array4, Array5, Array6, ArrayD, ArrayView2, Axis, CowArray, Ix2,
    IxDyn, ShapeBuilder, arr0, array, s,
};
use num_complex::Complex;
use serde::{Deserialize, Serialize};
use serde_npz::{
    Casting, Error, ErrorKind, Header, ReadOptions, from_npy_slice, from_npz_reader, from_npz_slice, to_npy_vec,
    to_npy_writer, to_npz_vec, to_npz_writer,
};

use super::{json, layout, python, round};
use crate::counting::peak;

/// One array at the root of a `.npy`, and the same without the module.
macro_rules! whole {
    ($name:ident, $type:ty) => {
        #[derive(Serialize, Deserialize, Debug, PartialEq)]
        struct $name(#[serde(with = "serde_npz::with::ndarray_0_17")] $type);
    };
}

/// A `.npy` by hand.
fn npy(descr: &str, fortran: bool, shape: &str, data: &[u8]) -> Vec<u8> {
    let fortran = if fortran { "True" } else { "False" };
    let mut text = format!("{{'descr': '{descr}', 'fortran_order': {fortran}, 'shape': {shape}, }}");
    while (text.len() + 11) % 64 != 0 {
        text.push(' ');
    }
    text.push('\n');
    let mut bytes = b"\x93NUMPY\x01\0".to_vec();
    bytes.extend((text.len() as u16).to_le_bytes());
    bytes.extend(text.as_bytes());
    bytes.extend(data);
    bytes
}

#[track_caller]
fn fortran(bytes: &[u8]) -> bool {
    Header::read(&mut &bytes[..]).unwrap().fortran_order()
}

#[track_caller]
fn refused<T: serde::de::DeserializeOwned>(bytes: &[u8], kind: ErrorKind) -> String {
    let err: Error = from_npy_slice::<T>(bytes).map(|_| ()).unwrap_err();
    assert_eq!(err.kind(), kind, "{err}");
    format!("{err:#}")
}

#[test]
fn every_rank_in_both_orders() {
    macro_rules! ranks {
        ($($type:ty, $shape:expr, $fortran:literal;)*) => { $({
            whole!(It, $type);
            let count: usize = <$type>::zeros($shape).len();
            let data: Vec<f64> = (0..count).map(|i| i as f64).collect();
            let c = It(<$type>::from_shape_vec($shape, data.clone()).unwrap());
            let bytes = to_npy_vec(&c).unwrap();
            assert_eq!(bytes, to_npy_vec(&c.0).unwrap(), "the same bytes as without the module");
            let back: It = from_npy_slice(&bytes).unwrap();
            assert_eq!((&back, back.0.strides()), (&c, c.0.strides()));

            let f = It(<$type>::from_shape_vec($shape.f(), data.clone()).unwrap());
            let bytes = to_npy_vec(&f).unwrap();
            assert_eq!(fortran(&bytes), $fortran, "{:?}", f.0.shape());
            let lying: Vec<u8> = data.iter().flat_map(|x| x.to_le_bytes()).collect();
            assert!(bytes.ends_with(&lying));
            let back: It = from_npy_slice(&bytes).unwrap();
            assert_eq!(back, f);
            if $fortran {
                assert_eq!(back.0.strides(), f.0.strides());
            }
            // The order is a matter of the file: without the module it comes back in C order.
            assert_eq!(from_npy_slice::<$type>(&bytes).unwrap(), f.0);
        })* };
    }
    ranks! {
        Array0<f64>, (), false;
        Array1<f64>, 5, false;
        Array2<f64>, (3, 4), true;
        Array2<f64>, (1, 4), false;
        Array2<f64>, (4, 1), false;
        Array2<f64>, (0, 3), false;
        Array3<f64>, (2, 3, 4), true;
        Array3<f64>, (2, 1, 4), true;
        Array4<f64>, (2, 3, 1, 2), true;
        Array5<f64>, (2, 1, 3, 2, 2), true;
        Array6<f64>, (2, 1, 3, 1, 2, 2), true;
        Array3<f64>, (2, 0, 3), false;
        ArrayD<f64>, IxDyn(&[2, 3, 2, 1, 2, 2, 2]), true;
        ArrayD<f64>, IxDyn(&[]), false;
        ArrayD<f64>, IxDyn(&[70, 33]), true;
    }
}

#[test]
fn any_layout_is_gathered_in_c_order() {
    #[derive(Serialize)]
    struct View<'a>(#[serde(with = "serde_npz::with::ndarray_0_17")] ArrayView2<'a, i32>);
    let base = Array::from_shape_fn((60, 200), |(i, j)| (i * 1000 + j) as i32);
    let column = Array::from_shape_fn((60, 1), |(i, _)| i as i32);
    let cube = Array::from_shape_fn((7, 11, 13), |(i, j, k)| (i * 10000 + j * 100 + k) as i32);
    let views = [
        base.slice(s![..;3, ..]),
        base.slice(s![.., ..;2]),
        base.slice(s![..;-1, ..]),
        base.slice(s![.., ..;-2]),
        base.slice(s![5..50, 10..190]),
        base.t().slice_move(s![3..;2, ..;-1]),
        column.broadcast((60, 300)).unwrap(),
        cube.index_axis(Axis(1), 4),
        cube.index_axis(Axis(2), 0).reversed_axes(),
    ];
    for view in views {
        assert!(view.as_slice().is_none() && view.t().as_slice().is_none());
        let bytes = to_npy_vec(&View(view)).unwrap();
        assert_eq!(bytes, to_npy_vec(&view).unwrap());
        assert_eq!(from_npy_slice::<Array2<i32>>(&bytes).unwrap(), view);
    }
    // Rows longer than what is gathered at once.
    let wide = Array::from_shape_fn((3, 9000), |(i, j)| (i * 10000 + j) as i32);
    let view = wide.slice(s![..;2, 1..]);
    assert_eq!(to_npy_vec(&View(view)).unwrap(), to_npy_vec(&view).unwrap());
    // A permutation that is neither order.
    #[derive(Serialize)]
    struct Permuted<'a>(#[serde(with = "serde_npz::with::ndarray_0_17")] ndarray::ArrayView3<'a, i32>);
    let permuted = cube.view().permuted_axes([1, 0, 2]);
    assert_eq!(to_npy_vec(&Permuted(permuted)).unwrap(), to_npy_vec(&permuted).unwrap());
}

#[test]
fn every_kind_of_number() {
    macro_rules! kinds {
        ($($t:ty, $descr:literal, $a:expr, $b:expr;)*) => { $({
            whole!(It, Array2<$t>);
            for it in [It(array![[$a, $b, $a], [$b, $b, $a]]), It(array![[$a, $b], [$b, $b]].reversed_axes())] {
                let bytes = to_npy_vec(&it).unwrap();
                assert_eq!(Header::read(&mut &bytes[..]).unwrap().dtype().to_string(), $descr);
                assert_eq!(from_npy_slice::<It>(&bytes).unwrap(), it);
                if !fortran(&bytes) {
                    assert_eq!(bytes, to_npy_vec(&it.0).unwrap());
                }
                let json: It = serde_json::from_str(&serde_json::to_string(&it).unwrap()).unwrap();
                assert_eq!(json, it);
            }
        })* };
    }
    kinds! {
        bool, "|b1", true, false;
        i8, "|i1", i8::MIN, 1;
        i16, "<i2", i16::MIN, 1;
        i32, "<i4", i32::MIN, 1;
        i64, "<i8", i64::MIN, 1;
        isize, "<i8", isize::MIN, 1;
        u8, "|u1", u8::MAX, 1;
        u16, "<u2", u16::MAX, 1;
        u32, "<u4", u32::MAX, 1;
        u64, "<u8", u64::MAX, 1;
        usize, "<u8", usize::MAX, 1;
        f16, "<f2", f16::from_f32(0.5), f16::MAX;
        f32, "<f4", 0.1, f32::MAX;
        f64, "<f8", 0.1, -0.0;
        Complex<f32>, "<c8", Complex::new(0.1, -1.0), Complex::new(2.0, 0.0);
        Complex<f64>, "<c16", Complex::new(0.1, -1.0), Complex::new(2.0, 0.0);
    }
}

#[test]
fn numbers_are_converted_in_either_order() {
    whole!(Floats, Array2<f64>);
    whole!(Singles, Array2<f32>);
    whole!(Ints, Array2<u16>);
    let ints = |fortran| {
        npy(
            "<i4",
            fortran,
            "(2, 3)",
            &[1_i32, 2, 3, 4, 5, 6].map(i32::to_le_bytes).concat(),
        )
    };
    let swapped = |fortran| {
        npy(
            ">f8",
            fortran,
            "(2, 3)",
            &[1_f64, 2., 3., 4., 5., 6.].map(f64::to_be_bytes).concat(),
        )
    };
    let c = array![[1., 2., 3.], [4., 5., 6.]];
    let f = array![[1., 3., 5.], [2., 4., 6.]];
    for (bytes, expected) in [
        (ints(false), &c),
        (ints(true), &f),
        (swapped(false), &c),
        (swapped(true), &f),
    ] {
        let Floats(back) = from_npy_slice(&bytes).unwrap();
        assert_eq!(&back, expected);
        assert_eq!(back.is_standard_layout(), !fortran(&bytes));
    }
    assert_eq!(from_npy_slice::<Ints>(&ints(true)).unwrap().0, f.mapv(|x| x as u16));
    let negative = npy("<i4", true, "(1, 2)", &[1_i32, -2].map(i32::to_le_bytes).concat());
    refused::<Ints>(&negative, ErrorKind::InvalidValue);
    refused::<Ints>(&swapped(true), ErrorKind::TypeMismatch);

    refused::<Singles>(&swapped(true), ErrorKind::TypeMismatch);
    let same_kind = ReadOptions::new().casting(Casting::SameKind);
    assert_eq!(
        same_kind.from_npy_slice::<Singles>(&swapped(true)).unwrap().0,
        f.mapv(|x| x as f32)
    );

    whole!(Bools, Array2<bool>);
    let bytes = npy("|b1", true, "(2, 2)", &[0, 1, 2, 1]);
    assert_eq!(
        from_npy_slice::<Bools>(&bytes).unwrap().0,
        array![[false, true], [true, true]]
    );
    let floats = from_npy_slice::<Floats>(&bytes).unwrap().0;
    assert_eq!(floats, array![[0.0, 1.0], [1.0, 1.0]]);
    refused::<Floats>(&ints(true)[..140], ErrorKind::Truncated);
}

#[test]
fn pairs_of_floats_are_complex_numbers() {
    whole!(It, Array1<Complex<f64>>);
    let expected = It(array![Complex::new(1.0, 2.0), Complex::new(3.0, 4.0)]);
    let c = [1_f64, 2., 3., 4.].map(f64::to_le_bytes).concat();
    let f = [1_f64, 3., 2., 4.].map(f64::to_le_bytes).concat();
    assert_eq!(
        from_npy_slice::<It>(&npy("<f8", false, "(2, 2)", &c)).unwrap(),
        expected
    );
    assert_eq!(from_npy_slice::<It>(&npy("<f8", true, "(2, 2)", &f)).unwrap(), expected);
    refused::<It>(&npy("<f8", false, "(2, 1)", &c[..16]), ErrorKind::TypeMismatch);
}

#[test]
fn the_ranks_have_to_match() {
    whole!(One, Array1<f64>);
    whole!(Three, Array3<f64>);
    let bytes = to_npy_vec(&array![[1.0, 2.0], [3.0, 4.0]]).unwrap();
    assert_eq!(
        refused::<Three>(&bytes, ErrorKind::TypeMismatch),
        "found an array of <f8 with the shape (2, 2), expected 3 axes"
    );
    assert_eq!(
        refused::<One>(&bytes, ErrorKind::TypeMismatch),
        "found an array of <f8 with the shape (2, 2), expected 1 axis"
    );
    refused::<One>(&to_npy_vec(&1.0).unwrap(), ErrorKind::TypeMismatch);
}

#[derive(Serialize, Deserialize, Debug, PartialEq)]
struct Fields {
    #[serde(with = "serde_npz::with::ndarray_0_17")]
    owned: Array2<f32>,
    #[serde(with = "serde_npz::with::ndarray_0_17", default)]
    some: Option<Array2<f64>>,
    #[serde(with = "serde_npz::with::ndarray_0_17", default)]
    none: Option<Array2<f64>>,
    #[serde(with = "serde_npz::with::ndarray_0_17")]
    shared: ArcArray1<u8>,
    #[serde(with = "serde_npz::with::ndarray_0_17")]
    many: Vec<ArrayD<i16>>,
    #[serde(with = "serde_npz::with::ndarray_0_17")]
    no: Vec<ArrayD<i16>>,
    #[serde(with = "serde_npz::with::ndarray_0_17")]
    maybe: Vec<Option<Array1<bool>>>,
}

fn fields() -> Fields {
    Fields {
        owned: array![[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]],
        some: Some(array![[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]].reversed_axes()),
        none: None,
        shared: array![1, 2, 3].into_shared(),
        many: vec![arr0(7).into_dyn(), array![[1, 2], [3, 4]].reversed_axes().into_dyn()],
        no: vec![],
        maybe: vec![Some(array![true]), None],
    }
}

#[test]
fn fields_of_an_archive() {
    let bytes = round(&fields());
    assert_eq!(
        layout(&bytes),
        [
            "owned <f4 [2, 3]",
            "some <f8 [3, 2]",
            "none |V0 []",
            "shared |u1 [3]",
            "many/0 <i2 []",
            "many/1 <i2 [2, 2]",
            "no |V0 [0]",
            "maybe/0 |b1 [1]",
            "maybe/1 |V0 []",
        ]
    );
    let back: Fields = from_npz_reader(Cursor::new(&bytes)).unwrap();
    assert_eq!(back, fields());
    assert_eq!(back.some.unwrap().strides(), [1, 3]);
    // In a list of structs, too.
    let list = vec![fields(), fields()];
    assert_eq!(
        from_npz_slice::<Vec<Fields>>(&to_npz_vec(&list).unwrap()).unwrap(),
        list
    );
    // A list is also an array with one axis more.
    whole!(Rows, Vec<Array1<i32>>);
    let rows: Rows = from_npy_slice(&to_npy_vec(&array![[1, 2], [3, 4]]).unwrap()).unwrap();
    assert_eq!(rows.0, [array![1, 2], array![3, 4]]);
}

#[test]
fn borrowed_arrays_are_written() {
    #[derive(Serialize)]
    struct Lent<'a> {
        #[serde(with = "serde_npz::with::ndarray_0_17")]
        reference: &'a Array2<f64>,
        #[serde(with = "serde_npz::with::ndarray_0_17")]
        view: ArrayView2<'a, f64>,
        #[serde(with = "serde_npz::with::ndarray_0_17")]
        cow: CowArray<'a, f64, Ix2>,
    }
    let array = array![[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]];
    let lent = Lent {
        reference: &array,
        view: array.t(),
        cow: array.slice(s![.., ..;2]).into(),
    };
    #[derive(Deserialize)]
    struct Back {
        #[serde(with = "serde_npz::with::ndarray_0_17")]
        reference: Array2<f64>,
        #[serde(with = "serde_npz::with::ndarray_0_17")]
        view: Array2<f64>,
        #[serde(with = "serde_npz::with::ndarray_0_17")]
        cow: CowArray<'static, f64, Ix2>,
    }
    let back: Back = from_npz_slice(&to_npz_vec(&lent).unwrap()).unwrap();
    assert_eq!(back.reference, array);
    assert_eq!(back.view, array.t());
    assert_eq!(back.cow, array![[1.0, 3.0], [4.0, 6.0]]);
}

#[test]
fn other_formats_see_what_ndarray_shows_them() {
    field!(It, "serde_npz::with::ndarray_0_17", Array2<u8>);
    json(
        &It {
            x: array![[1, 2, 3], [4, 5, 6]],
        },
        r#"{"x":{"v":1,"dim":[2,3],"data":[1,2,3,4,5,6]}}"#,
    );
    field!(Many, "serde_npz::with::ndarray_0_17", Vec<Option<Array1<u8>>>);
    json(
        &Many {
            x: vec![Some(array![1]), None],
        },
        r#"{"x":[{"v":1,"dim":[1],"data":[1]},null]}"#,
    );
}

#[test]
fn code_may_be_generic_over_the_elements() {
    #[derive(Serialize, Deserialize, Debug, PartialEq)]
    #[serde(bound(
        serialize = "A: serde_npz::Element + Serialize",
        deserialize = "A: serde_npz::Element + Serialize"
    ))]
    struct Of<A> {
        #[serde(with = "serde_npz::with::ndarray_0_17")]
        x: Array2<A>,
    }
    round(&Of { x: array![[1_u8, 2]] });
    round(&Of {
        x: array![[0.5], [1.5]],
    });
}

#[test]
fn views_of_both_crates() {
    let array = array![[1, 2, 3], [4, 5, 6]];
    for theirs in [array.view(), array.view().reversed_axes()] {
        let ours = serde_npz::ArrayView::try_from(theirs).unwrap();
        assert_eq!(ours.fortran_order(), !theirs.is_standard_layout());
        let back = ArrayView2::try_from(&ours).unwrap();
        assert_eq!((back, back.strides()), (theirs, theirs.strides()));
        assert_eq!(back.as_ptr(), array.as_ptr());
        let dynamic = ndarray::ArrayViewD::try_from(&ours).unwrap();
        assert_eq!(dynamic, theirs.into_dyn());
        let err = ndarray::ArrayView3::try_from(&ours).unwrap_err();
        assert_eq!(err.kind(), ErrorKind::TypeMismatch);
    }
    let err = serde_npz::ArrayView::try_from(array.slice(s![.., ..;2])).unwrap_err();
    assert_eq!(err.kind(), ErrorKind::InvalidValue);
}

#[test]
fn a_group_is_no_array() {
    field!(It, "serde_npz::with::ndarray_0_17", Array2<f64>);
    #[derive(Serialize)]
    struct Group {
        x: std::collections::BTreeMap<&'static str, f64>,
    }
    let bytes = to_npz_vec(&Group { x: [("a", 1.0)].into() }).unwrap();
    let err = from_npz_slice::<It>(&bytes).unwrap_err();
    assert_eq!((err.kind(), err.path()), (ErrorKind::TypeMismatch, "x"), "{err}");
}

/// What is allowed beside the array: buffers of a piece, headers, names.
const SMALL: usize = 512 * 1024;

#[test]
fn memory_is_taken_for_the_result_alone() {
    whole!(It, Array2<f64>);
    field!(Field, "serde_npz::with::ndarray_0_17", Array2<f64>);
    for side in [500, 1000] {
        let size = side * side * 8;
        for order in [false, true] {
            let array = Array2::from_shape_fn((side, side).set_f(order), |(i, j)| (i * side + j) as f64);
            let bytes = to_npy_vec(&It(array.clone())).unwrap();
            assert_eq!(fortran(&bytes), order);
            let (back, most) = peak(|| from_npy_slice::<It>(&bytes).unwrap());
            assert!((size..size + SMALL).contains(&most), "{most} for {size}, slice");
            assert_eq!(back.0, array);

            let it = Field { x: array };
            let archive = to_npz_vec(&it).unwrap();
            let (back, most) = peak(|| from_npz_reader::<_, Field>(Cursor::new(&archive)).unwrap());
            assert!((size..size + SMALL).contains(&most), "{most} for {size}, reader");
            assert_eq!(back, it);

            let ((), most) = peak(|| to_npy_writer(sink(), &It(it.x)).unwrap());
            assert!(most < SMALL, "{most} for {size}, written");
        }
        #[derive(Serialize)]
        struct View<'a> {
            #[serde(with = "serde_npz::with::ndarray_0_17")]
            x: ArrayView2<'a, f64>,
        }
        let array = Array2::<f64>::zeros((side, 2 * side));
        for x in [array.slice(s![.., ..;2]), array.slice(s![..;-1, 1..side])] {
            let mut out = Cursor::new(Vec::with_capacity(size + SMALL));
            let ((), most) = peak(|| to_npz_writer(&mut out, &View { x }).unwrap());
            assert!(most < SMALL, "{most} for {size}, a view written");
        }
    }
}

#[test]
#[ignore = "needs Python with NumPy"]
fn numpy_keeps_the_order() {
    python(
        r#"
z = np.load(io.BytesIO(sys.stdin.buffer.read()))
some = z['some']
assert some.flags.f_contiguous and not some.flags.c_contiguous
np.testing.assert_array_equal(some, [[1, 4], [2, 5], [3, 6]])
assert z['owned'].flags.c_contiguous and z['owned'].dtype == 'f4'
np.testing.assert_array_equal(z['owned'], [[1, 2, 3], [4, 5, 6]])
np.testing.assert_array_equal(z['many/1'], [[1, 3], [2, 4]])
assert z['many/1'].flags.f_contiguous
"#,
        &to_npz_vec(&fields()).unwrap(),
    );
    let saved = python(
        r#"
a = np.arange(24.0).reshape(2, 3, 4)
np.savez(sys.stdout.buffer, f=np.asfortranarray(a), c=a, swapped=np.asfortranarray(a.astype('>f8')), step=a[:, ::-1, ::2])
"#,
        &[],
    );
    #[derive(Deserialize)]
    struct Saved {
        #[serde(with = "serde_npz::with::ndarray_0_17")]
        f: Array3<f64>,
        #[serde(with = "serde_npz::with::ndarray_0_17")]
        c: Array3<f64>,
        #[serde(with = "serde_npz::with::ndarray_0_17")]
        swapped: Array3<f64>,
        #[serde(with = "serde_npz::with::ndarray_0_17")]
        step: Array3<f64>,
    }
    let saved: Saved = from_npz_slice(&saved).unwrap();
    let expected = Array::from_iter((0..24).map(f64::from))
        .into_shape_with_order((2, 3, 4))
        .unwrap();
    assert_eq!(saved.c, expected);
    assert_eq!((&saved.f, saved.f.strides()), (&expected, &[1, 2, 6][..]));
    assert_eq!((&saved.swapped, saved.swapped.strides()), (&expected, &[1, 2, 6][..]));
    assert_eq!(saved.step, expected.slice(s![.., ..;-1, ..;2]));
}
