//! nalgebra's matrices and vectors in their own order in memory, for nalgebra 0.34.
//!
//! ```text
//! Matrix2x3::new(1., 2., 3., 4., 5., 6.)   {'fortran_order': True, 'shape': (2, 3), }   1 4 2 5 3 6
//! DVector::from_vec(vec![1., 2.])          {'fortran_order': False, 'shape': (2,), }    1 2
//! ```
//!
//! For `DMatrix`, `DVector`, `RowDVector`, `SMatrix`, `SVector`, matrices with one fixed and one dynamic side, and, on
//! writing, views of them; for an `Option` of them; and for a `Vec` of them, which is a list of members `x/0`, `x/1`
//! (a `Vec<Vector3<f64>>` that is to be one array of shape `(n, 3)` goes without this module). The elements are
//! integers, floats (`half::f16` too), bools and complex numbers.
//!
//! What is a row or a column by its type is 1-d, everything else 2-d. Matrices lie column by column and go out so, in
//! one piece; views go out column by column. Reading takes memory for the result alone where the file is in Fortran
//! order; a file in C order is read and then transposed. A side of fixed length must have that length in the file.
//!
//! Other formats get what nalgebra's own `Serialize` gives them, for a view that of a `DMatrix`. Through serde's
//! buffer, which `flatten`, untagged and internally tagged enums read through, matrices come back exactly or as an error: one
//! that has no elements may lose its shape there.
//!
//! ```
//! use nalgebra::{DMatrix, Vector3};
//! use serde::{Deserialize, Serialize};
//!
//! #[derive(Serialize, Deserialize)]
//! struct Model {
//!     #[serde(with = "serde_npz::with::nalgebra_0_34")]
//!     weights: DMatrix<f64>,
//!     #[serde(with = "serde_npz::with::nalgebra_0_34")]
//!     bias: Vector3<f64>,
//! }
//!
//! let model = Model { weights: DMatrix::zeros(3, 4), bias: Vector3::new(1.0, 2.0, 3.0) };
//! let bytes = serde_npz::to_npz_vec(&model)?;
//! let mut archive = serde_npz::NpzReader::new(std::io::Cursor::new(&bytes[..]))?;
//! assert_eq!(archive.header("weights")?.shape(), [3, 4]);
//! assert!(archive.header("weights")?.fortran_order());
//!
//! let back: Model = serde_npz::from_npz_slice(&bytes)?;
//! assert_eq!((back.weights, back.bias), (model.weights, model.bias));
//! # Ok::<(), serde_npz::Error>(())
//! ```

use nalgebra::{
    ArrayStorage, Const, DMatrix, Dim, Dyn, IsContiguous, Matrix, RawStorage, SMatrix, U1, VecStorage, ViewStorage,
    ViewStorageMut,
};
use serde::de::{Deserialize, Deserializer, Error as _, Unexpected};
use serde::ser::{Serialize, Serializer};

use crate::error::is_our_error;
use crate::format::dtype::Tuple;
use crate::npy::de::transpose::transposed;
use crate::with::codec::{Codec, Decode, Encode};
use crate::with::dense::{self, Dense, Elements, Gather, Number, Put};

/// The matrices of this crate.
///
/// The codec of this module: see [`Codec`].
///
/// ```
/// use serde_npz::with::Encode;
/// use serde_npz::with::nalgebra_0_34::Nalgebra;
///
/// fn arrays<T: Encode<Nalgebra>>(_: T) {}
///
/// arrays(nalgebra::Vector2::new(1.5, 2.5));
/// ```
#[derive(Clone, Copy)]
pub struct Nalgebra;

impl Codec for Nalgebra {
    const LIST: bool = true;
}

/// Writes a matrix in Fortran order, the order in which it lies in memory.
///
/// ```
/// #[derive(serde::Serialize, serde::Deserialize)]
/// struct Data {
///     #[serde(with = "serde_npz::with::nalgebra_0_34")]
///     x: nalgebra::Matrix2<u8>,
/// }
///
/// let data = Data { x: nalgebra::Matrix2::new(1, 2, 3, 4) };
/// assert_eq!(serde_npz::to_npz_vec(&data)?.first_chunk(), Some(b"PK"));
/// assert_eq!(serde_json::to_string(&data)?, r#"{"x":[1,3,2,4]}"#);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
///
/// Those of the serializer.
pub fn serialize<T: Encode<Nalgebra> + ?Sized, S: Serializer>(value: &T, serializer: S) -> Result<S::Ok, S::Error> {
    value.encode_field(Nalgebra, serializer)
}

/// Reads a matrix from an array of two axes, a vector from one of one axis.
///
/// ```
/// #[derive(serde::Serialize, serde::Deserialize)]
/// struct Data {
///     #[serde(with = "serde_npz::with::nalgebra_0_34")]
///     x: nalgebra::Matrix2<u8>,
/// }
///
/// let data: Data = serde_json::from_str(r#"{"x":[1,3,2,4]}"#)?;
/// assert_eq!(data.x, nalgebra::Matrix2::new(1, 2, 3, 4));
/// # Ok::<(), serde_json::Error>(())
/// ```
///
/// # Errors
///
/// Those of the deserializer; `TypeMismatch` for another number of axes, for a fixed side of another length, or for
/// numbers that do not fit.
pub fn deserialize<'de, T: Decode<'de, Nalgebra>, D: Deserializer<'de>>(deserializer: D) -> Result<T, D::Error> {
    T::decode_field(Nalgebra, deserializer)
}

/// What a side is called where its length is not fixed.
const ANY: &str = "_";

/// Which sides of a matrix are axes of its array, by its type.
#[derive(Clone, Copy, PartialEq)]
enum Form {
    Matrix,
    Column,
    Row,
}

impl Form {
    fn of<R: Dim, C: Dim>() -> Form {
        match (R::try_to_usize(), C::try_to_usize()) {
            (_, Some(1)) => Form::Column,
            (Some(1), _) => Form::Row,
            _ => Form::Matrix,
        }
    }

    fn axes(self) -> usize {
        if self == Form::Matrix { 2 } else { 1 }
    }

    fn shape<T>(self, rows: T, columns: T) -> Vec<T> {
        match self {
            Form::Matrix => vec![rows, columns],
            Form::Column => vec![rows],
            Form::Row => vec![columns],
        }
    }
}

fn write<T, R, C, S, Z>(
    matrix: &Matrix<T, R, C, S>,
    elements: Elements<'_, T>,
    serializer: Z,
) -> Result<Z::Ok, Z::Error>
where
    T: Number,
    R: Dim,
    C: Dim,
    S: RawStorage<T, R, C>,
    Z: Serializer,
{
    let (rows, columns) = matrix.shape();
    let shape = Form::of::<R, C>().shape(rows as u64, columns as u64);
    // As NumPy says it: what lies in both orders is in C order.
    let fortran = shape.len() == 2 && rows > 1 && columns > 1;
    dense::write(shape, fortran, elements, serializer)
}

fn whole<T, R, C, S, Z>(matrix: &Matrix<T, R, C, S>, serializer: Z) -> Result<Z::Ok, Z::Error>
where
    T: Number,
    R: Dim,
    C: Dim,
    S: RawStorage<T, R, C> + IsContiguous + Serialize,
    Z: Serializer,
{
    if !is_our_error::<Z::Error>() {
        return matrix.serialize(serializer);
    }
    write(matrix, Elements::Whole(matrix.as_slice()), serializer)
}

impl<T, R, C> Encode<Nalgebra> for Matrix<T, R, C, VecStorage<T, R, C>>
where
    T: Number,
    R: Dim,
    C: Dim,
    VecStorage<T, R, C>: RawStorage<T, R, C> + Serialize,
{
    fn encode<Z: Serializer>(&self, _: Nalgebra, serializer: Z) -> Result<Z::Ok, Z::Error> {
        whole(self, serializer)
    }
}

impl<T, const R: usize, const C: usize> Encode<Nalgebra> for SMatrix<T, R, C>
where
    T: Number,
{
    fn encode<Z: Serializer>(&self, _: Nalgebra, serializer: Z) -> Result<Z::Ok, Z::Error> {
        whole(self, serializer)
    }
}

macro_rules! views {
    ($($storage:ident, $rows:ty, |$matrix:ident, $gather:ident| $put:expr;)*) => { $(
        impl<T, R, C, S> Encode<Nalgebra> for Matrix<T, R, C, $storage<'_, T, R, C, $rows, S>>
        where
            T: Number,
            R: Dim,
            C: Dim,
            S: Dim,
        {
            fn encode<Z: Serializer>(&self, _: Nalgebra, serializer: Z) -> Result<Z::Ok, Z::Error> {
                if !is_our_error::<Z::Error>() {
                    let (rows, columns) = self.shape();
                    return DMatrix::from_iterator(rows, columns, self.iter().copied()).serialize(serializer);
                }
                let pieces = |put: Put<'_, T>| {
                    let mut $gather = Gather::new(put);
                    let $matrix = self;
                    $put;
                    $gather.finish()
                };
                write(self, Elements::Pieces(&pieces), serializer)
            }
        }
    )* };
}

views! {
    ViewStorage, U1, |matrix, gather| for column in matrix.column_iter() { gather.slice(column.as_slice())? };
    ViewStorageMut, U1, |matrix, gather| for column in matrix.column_iter() { gather.slice(column.as_slice())? };
    ViewStorage, Dyn, |matrix, gather| gather.each(matrix.iter())?;
    ViewStorageMut, Dyn, |matrix, gather| gather.each(matrix.iter())?;
}

/// The elements column by column, and how many rows and columns there are.
fn read<'de, T, R, C, D>(deserializer: D) -> Result<(usize, usize, Vec<T>), D::Error>
where
    T: Number,
    R: Dim,
    C: Dim,
    D: Deserializer<'de>,
{
    let form = Form::of::<R, C>();
    let array: Dense<T> = dense::read(Some(form.axes()), deserializer)?;
    let (rows, columns) = match (form, &array.shape[..]) {
        (Form::Matrix, &[rows, columns]) => (rows, columns),
        (Form::Row, &[columns]) => (1, columns),
        (_, shape) => (shape.iter().product(), 1),
    };
    let fits = |side: Option<usize>, found| side.is_none_or(|side| side == found);
    if !fits(R::try_to_usize(), rows) || !fits(C::try_to_usize(), columns) {
        let name = |side: Option<usize>| side.map_or(ANY.to_string(), |side| side.to_string());
        let found = form.shape(rows.to_string(), columns.to_string());
        let expected = form.shape(name(R::try_to_usize()), name(C::try_to_usize()));
        return Err(D::Error::invalid_type(
            Unexpected::Other(&format!("an array of the shape {}", Tuple(&found))),
            &format!("one of the shape {}", Tuple(&expected)).as_str(),
        ));
    }
    let data = if form == Form::Matrix && !array.fortran {
        // Row by row is Fortran order of the transposed shape.
        transposed(&array.data, &[columns, rows])
    } else {
        array.data
    };
    Ok((rows, columns, data))
}

impl<'de, T, R, C> Decode<'de, Nalgebra> for Matrix<T, R, C, VecStorage<T, R, C>>
where
    T: Number,
    R: Dim,
    C: Dim,
    VecStorage<T, R, C>: RawStorage<T, R, C> + Deserialize<'de>,
{
    fn decode<D: Deserializer<'de>>(_: Nalgebra, deserializer: D) -> Result<Self, D::Error> {
        if !is_our_error::<D::Error>() {
            return Self::deserialize(deserializer);
        }
        let (rows, columns, data) = read::<T, R, C, D>(deserializer)?;
        let storage = VecStorage::new(R::from_usize(rows), C::from_usize(columns), data);
        Ok(Matrix::from_data(storage))
    }
}

impl<'de, T, const R: usize, const C: usize> Decode<'de, Nalgebra> for SMatrix<T, R, C>
where
    T: Number,
    ArrayStorage<T, R, C>: Deserialize<'de>,
{
    fn decode<D: Deserializer<'de>>(_: Nalgebra, deserializer: D) -> Result<Self, D::Error> {
        if !is_our_error::<D::Error>() {
            return Self::deserialize(deserializer);
        }
        let (_, _, data) = read::<T, Const<R>, Const<C>, D>(deserializer)?;
        Ok(SMatrix::from_column_slice(&data))
    }
}
