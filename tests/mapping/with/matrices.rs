//! `with::nalgebra_0_34`.

use std::collections::BTreeMap;
use std::io::{Cursor, sink};

use nalgebra::{
    Const, DMatrix, DMatrixView, DVector, DVectorView, Dyn, Matrix2, Matrix2x3, Matrix3, MatrixView, OMatrix,
    RowDVector, RowVector3, SMatrix, Vector1, Vector3,
};
use num_complex::Complex;
use serde::{Deserialize, Serialize};
use serde_npz::{
    Error, ErrorKind, Header, from_npy_slice, from_npz_reader, from_npz_slice, to_npy_vec, to_npy_writer, to_npz_vec,
};

use super::{json, layout, python, round};
use crate::counting::peak;

macro_rules! whole {
    ($name:ident, $type:ty) => {
        #[derive(Serialize, Deserialize, Debug, PartialEq)]
        struct $name(#[serde(with = "serde_npz::with::nalgebra_0_34")] $type);
    };
}

#[derive(Serialize, Deserialize, Debug, PartialEq)]
struct Fields {
    #[serde(with = "serde_npz::with::nalgebra_0_34")]
    dynamic: DMatrix<f64>,
    #[serde(with = "serde_npz::with::nalgebra_0_34")]
    fixed: Matrix2x3<f32>,
    #[serde(with = "serde_npz::with::nalgebra_0_34")]
    mixed: OMatrix<i32, Dyn, Const<3>>,
    #[serde(with = "serde_npz::with::nalgebra_0_34")]
    other: OMatrix<i32, Const<2>, Dyn>,
    #[serde(with = "serde_npz::with::nalgebra_0_34")]
    vector: DVector<bool>,
    #[serde(with = "serde_npz::with::nalgebra_0_34")]
    row: RowDVector<u8>,
    #[serde(with = "serde_npz::with::nalgebra_0_34")]
    three: Vector3<Complex<f64>>,
    #[serde(with = "serde_npz::with::nalgebra_0_34")]
    flat: RowVector3<f64>,
    #[serde(with = "serde_npz::with::nalgebra_0_34")]
    one: Vector1<f64>,
    #[serde(with = "serde_npz::with::nalgebra_0_34")]
    thin: DMatrix<f64>,
    #[serde(with = "serde_npz::with::nalgebra_0_34")]
    empty: DMatrix<f64>,
    #[serde(with = "serde_npz::with::nalgebra_0_34", default)]
    some: Option<Matrix3<u16>>,
    #[serde(with = "serde_npz::with::nalgebra_0_34", default)]
    none: Option<DMatrix<f64>>,
    #[serde(with = "serde_npz::with::nalgebra_0_34")]
    many: Vec<Matrix2<i8>>,
}

fn fields() -> Fields {
    Fields {
        dynamic: DMatrix::from_row_slice(2, 3, &[1., 2., 3., 4., 5., 6.]),
        fixed: Matrix2x3::new(1., 2., 3., 4., 5., 6.),
        mixed: OMatrix::<i32, Dyn, Const<3>>::from_row_slice(&[1, 2, 3, 4, 5, 6]),
        other: OMatrix::<i32, Const<2>, Dyn>::from_row_slice(&[1, 2, 3, 4, 5, 6]),
        vector: DVector::from_vec(vec![true, false]),
        row: RowDVector::from_vec(vec![1, 2, 3]),
        three: Vector3::new(1.0, 2.0, 3.0).map(|x| Complex::new(x, -x)),
        flat: RowVector3::new(1.0, 2.0, 3.0),
        one: Vector1::new(7.0),
        thin: DMatrix::from_row_slice(1, 2, &[1., 2.]),
        empty: DMatrix::zeros(0, 3),
        some: Some(Matrix3::new(1, 2, 3, 4, 5, 6, 7, 8, 9)),
        none: None,
        many: vec![Matrix2::new(1, 2, 3, 4), Matrix2::new(5, 6, 7, 8)],
    }
}

#[test]
fn fields_of_an_archive() {
    let bytes = round(&fields());
    assert_eq!(
        layout(&bytes),
        [
            "dynamic <f8 [2, 3]",
            "fixed <f4 [2, 3]",
            "mixed <i4 [2, 3]",
            "other <i4 [2, 3]",
            "vector |b1 [2]",
            "row |u1 [3]",
            "three <c16 [3]",
            "flat <f8 [3]",
            "one <f8 [1]",
            "thin <f8 [1, 2]",
            "empty <f8 [0, 3]",
            "some <u2 [3, 3]",
            "none |V0 []",
            "many/0 |i1 [2, 2]",
            "many/1 |i1 [2, 2]",
        ]
    );
    assert_eq!(from_npz_reader::<_, Fields>(Cursor::new(&bytes)).unwrap(), fields());
}

#[test]
fn the_bytes_are_those_of_memory() {
    whole!(It, DMatrix<f64>);
    let it = It(DMatrix::from_row_slice(2, 3, &[1., 2., 3., 4., 5., 6.]));
    let bytes = to_npy_vec(&it).unwrap();
    let header = Header::read(&mut &bytes[..]).unwrap();
    assert!(header.fortran_order());
    assert!(bytes.ends_with(&[1_f64, 4., 2., 5., 3., 6.].map(f64::to_le_bytes).concat()));
    // In both orders at once, NumPy says C.
    whole!(Row, DMatrix<f64>);
    let row = to_npy_vec(&Row(DMatrix::zeros(1, 3))).unwrap();
    assert!(!Header::read(&mut &row[..]).unwrap().fortran_order());
}

#[test]
fn c_order_is_turned_round() {
    whole!(Dynamic, DMatrix<i32>);
    whole!(Fixed, SMatrix<i64, 3, 2>);
    whole!(Bools, DMatrix<bool>);
    for (rows, columns) in [(3, 2), (1, 5), (5, 1), (33, 70), (64, 32), (0, 4)] {
        let array = ndarray::Array2::from_shape_fn((rows, columns), |(i, j)| (i * 100 + j) as i32);
        let back: Dynamic = from_npy_slice(&to_npy_vec(&array).unwrap()).unwrap();
        assert_eq!(back.0, DMatrix::from_fn(rows, columns, |i, j| (i * 100 + j) as i32));
        let odd = array.mapv(|x| x % 2 == 1);
        let back: Bools = from_npy_slice(&to_npy_vec(&odd).unwrap()).unwrap();
        assert_eq!(back.0, DMatrix::from_fn(rows, columns, |i, j| (i * 100 + j) % 2 == 1));
    }
    let fixed: Fixed = from_npy_slice(&to_npy_vec(&[[1_i32, 2], [3, 4], [5, 6]]).unwrap()).unwrap();
    assert_eq!(fixed.0, SMatrix::<i64, 3, 2>::new(1, 2, 3, 4, 5, 6));
}

#[test]
fn shapes_have_to_match() {
    #[track_caller]
    fn refused<T: serde::de::DeserializeOwned>(value: &impl Serialize) -> String {
        let err: Error = from_npy_slice::<T>(&to_npy_vec(value).unwrap())
            .map(|_| ())
            .unwrap_err();
        assert_eq!(err.kind(), ErrorKind::TypeMismatch, "{err}");
        format!("{err:#}")
    }
    whole!(Square, Matrix3<f64>);
    whole!(Vector, Vector3<f64>);
    whole!(Mixed, OMatrix<f64, Dyn, Const<3>>);
    whole!(Dynamic, DMatrix<f64>);
    assert_eq!(
        refused::<Square>(&[[1.0, 2.0], [3.0, 4.0]]),
        "found an array of the shape (2, 2), expected one of the shape (3, 3)"
    );
    assert_eq!(
        refused::<Vector>(&[1.0, 2.0]),
        "found an array of the shape (2,), expected one of the shape (3,)"
    );
    assert_eq!(
        refused::<Mixed>(&[[1.0, 2.0], [3.0, 4.0]]),
        "found an array of the shape (2, 2), expected one of the shape (_, 3)"
    );
    assert_eq!(
        refused::<Dynamic>(&[1.0, 2.0]),
        "found an array of <f8 with the shape (2,), expected 2 axes"
    );
    refused::<Vector>(&[[1.0, 2.0, 3.0]]);
}

#[test]
fn views_go_out_column_by_column() {
    #[derive(Serialize)]
    struct Views<'a> {
        #[serde(with = "serde_npz::with::nalgebra_0_34")]
        part: DMatrixView<'a, i32>,
        #[serde(with = "serde_npz::with::nalgebra_0_34")]
        steps: DMatrixView<'a, i32, Dyn, Dyn>,
        #[serde(with = "serde_npz::with::nalgebra_0_34")]
        column: DVectorView<'a, i32>,
        #[serde(with = "serde_npz::with::nalgebra_0_34")]
        fixed: MatrixView<'a, i32, Const<2>, Const<2>, nalgebra::U1, Dyn>,
    }
    let matrix = DMatrix::from_fn(90, 100, |i, j| (i * 1000 + j) as i32);
    let views = Views {
        part: matrix.view((1, 2), (80, 70)),
        steps: matrix.view_with_steps((0, 1), (40, 30), (1, 2)),
        column: matrix.column(5),
        fixed: matrix.fixed_view::<2, 2>(3, 4),
    };
    #[derive(Deserialize, Debug, PartialEq)]
    struct Back {
        #[serde(with = "serde_npz::with::nalgebra_0_34")]
        part: DMatrix<i32>,
        #[serde(with = "serde_npz::with::nalgebra_0_34")]
        steps: DMatrix<i32>,
        #[serde(with = "serde_npz::with::nalgebra_0_34")]
        column: DVector<i32>,
        #[serde(with = "serde_npz::with::nalgebra_0_34")]
        fixed: Matrix2<i32>,
    }
    let back: Back = from_npz_slice(&to_npz_vec(&views).unwrap()).unwrap();
    let expected = Back {
        part: views.part.into_owned(),
        steps: views.steps.into_owned(),
        column: views.column.into_owned(),
        fixed: views.fixed.into_owned(),
    };
    assert_eq!(back, expected);
    // Elsewhere they look like the matrix of their elements.
    let text = serde_json::to_string(&Views {
        part: matrix.view((0, 0), (1, 2)),
        steps: matrix.view_with_steps((0, 0), (1, 1), (1, 1)),
        column: matrix.column(0).rows(0, 1),
        fixed: matrix.fixed_view::<2, 2>(0, 0),
    })
    .unwrap();
    assert!(text.starts_with(r#"{"part":[[0,1],1,2],"#), "{text}");
}

#[test]
fn other_formats_see_what_nalgebra_shows_them() {
    field!(Dynamic, "serde_npz::with::nalgebra_0_34", DMatrix<u8>);
    json(
        &Dynamic {
            x: DMatrix::from_row_slice(2, 2, &[1, 2, 3, 4]),
        },
        r#"{"x":[[1,3,2,4],2,2]}"#,
    );
    field!(Fixed, "serde_npz::with::nalgebra_0_34", Vec<Matrix2<u8>>);
    json(
        &Fixed {
            x: vec![Matrix2::new(1, 2, 3, 4)],
        },
        r#"{"x":[[1,3,2,4]]}"#,
    );
}

#[test]
fn memory_is_taken_for_the_result_alone() {
    const SMALL: usize = 512 * 1024;
    whole!(It, DMatrix<f64>);
    for side in [500, 1000] {
        let size = side * side * 8;
        let it = It(DMatrix::from_fn(side, side, |i, j| (i * side + j) as f64));
        let bytes = to_npy_vec(&it).unwrap();
        let (back, most) = peak(|| from_npy_slice::<It>(&bytes).unwrap());
        assert!((size..size + SMALL).contains(&most), "{most} for {size}, read");
        assert_eq!(back, it);
        let ((), most) = peak(|| to_npy_writer(sink(), &it).unwrap());
        assert!(most < SMALL, "{most} for {size}, written");
    }
}

#[test]
#[ignore = "needs Python with NumPy"]
fn numpy_sees_the_matrix() {
    python(
        r#"
z = np.load(io.BytesIO(sys.stdin.buffer.read()))
for key in ['dynamic', 'fixed', 'mixed', 'other']:
    np.testing.assert_array_equal(z[key], [[1, 2, 3], [4, 5, 6]])
    assert z[key].flags.f_contiguous and not z[key].flags.c_contiguous
np.testing.assert_array_equal(z['three'], [1 - 1j, 2 - 2j, 3 - 3j])
np.testing.assert_array_equal(z['some'], [[1, 2, 3], [4, 5, 6], [7, 8, 9]])
np.testing.assert_array_equal(z['many/1'], [[5, 6], [7, 8]])
"#,
        &to_npz_vec(&fields()).unwrap(),
    );
    let saved = python(
        "a = np.arange(6.0).reshape(2, 3); np.savez(sys.stdout.buffer, f=np.asfortranarray(a), c=a, v=a[0])",
        &[],
    );
    #[derive(Deserialize)]
    struct Saved {
        #[serde(with = "serde_npz::with::nalgebra_0_34")]
        f: DMatrix<f64>,
        #[serde(with = "serde_npz::with::nalgebra_0_34")]
        c: Matrix2x3<f64>,
        #[serde(with = "serde_npz::with::nalgebra_0_34")]
        v: Vector3<f64>,
    }
    let saved: Saved = from_npz_slice(&saved).unwrap();
    let expected = Matrix2x3::new(0., 1., 2., 3., 4., 5.);
    assert_eq!(saved.f, expected);
    assert_eq!(saved.c, expected);
    assert_eq!(saved.v, Vector3::new(0., 1., 2.));
}

/// Through serde's buffer a matrix is nested sequences: it comes back equal or not at all.
#[test]
fn matrices_survive_serdes_buffer() {
    #[derive(Serialize, Deserialize, Debug, PartialEq)]
    struct Inner {
        #[serde(with = "serde_npz::with::nalgebra_0_34")]
        dynamic: DMatrix<f64>,
        #[serde(with = "serde_npz::with::nalgebra_0_34")]
        fixed: nalgebra::Matrix2x3<f32>,
        #[serde(with = "serde_npz::with::nalgebra_0_34")]
        vectors: BTreeMap<String, Vec<nalgebra::Vector2<u8>>>,
    }
    #[derive(Serialize, Deserialize, Debug, PartialEq)]
    struct Outer {
        id: u8,
        #[serde(flatten)]
        inner: Inner,
    }
    round(&Outer {
        id: 1,
        inner: Inner {
            dynamic: DMatrix::from_row_slice(2, 3, &[1.0, 2.0, 3.0, 4.0, 5.0, 6.0]),
            fixed: nalgebra::Matrix2x3::new(1.0, 2.0, 3.0, 4.0, 5.0, 0.1),
            vectors: BTreeMap::from([("a".to_string(), vec![nalgebra::Vector2::new(7, 8)])]),
        },
    });
}
