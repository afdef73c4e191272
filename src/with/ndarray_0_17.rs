//! ndarray's arrays in their own order in memory, for ndarray 0.17.
//!
//! ```text
//! a.reversed_axes()                         {'fortran_order': True, 'shape': (2, 3), }   the bytes of memory
//! a                                         {'fortran_order': False, 'shape': (2, 3), }  the bytes of memory
//! a.slice(s![.., ..;2]), any other layout   {'fortran_order': False, 'shape': (2, 2), }  gathered in C order
//! ```
//!
//! For `Array`, `ArcArray`, `CowArray` and, on writing, views, of any number of axes; for an `Option` of them; and for
//! a `Vec` of them, which is a list of members `x/0`, `x/1`. The elements are integers, floats (`half::f16` too),
//! bools and complex numbers; those of other kinds are written through ndarray's own `Serialize`, without this module.
//!
//! (Code generic over them asks for `A: serde_npz::Element + Serialize`.)
//!
//! An array in C or in Fortran order goes out in one piece and copies nothing; any other layout is gathered into
//! pieces of a few KiB. Reading takes memory for the result alone: a file in Fortran order becomes an array in Fortran
//! order and nothing is transposed. Numbers of another kind are converted as everywhere. Without this module an array
//! is written element by element, always in C order; in C order the bytes are the same. (ndarray hands its elements
//! to serde inside a type that it keeps to itself, so that they cannot be had at once.)
//!
//! [`ArrayView`](crate::ArrayView) turns into a view of ndarray's without a copy, and back: `try_from`.
//!
//! Other formats get what ndarray's own `Serialize` gives them. Through serde's buffer, which `flatten`, untagged and internally
//! tagged enums read through, arrays come back exactly or as an error: one that has no elements may lose its shape there.
//!
//! ```
//! use ndarray::{Array2, ShapeBuilder, array};
//! use serde::{Deserialize, Serialize};
//!
//! #[derive(Serialize, Deserialize)]
//! struct Image {
//!     #[serde(with = "serde_npz::with::ndarray_0_17")]
//!     pixels: Array2<f32>,
//! }
//!
//! let image = Image { pixels: array![[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]].reversed_axes() };
//! let bytes = serde_npz::to_npz_vec(&image)?;
//! let mut archive = serde_npz::NpzReader::new(std::io::Cursor::new(&bytes[..]))?;
//! assert!(archive.header("pixels")?.fortran_order());
//!
//! let back: Image = serde_npz::from_npz_slice(&bytes)?;
//! assert_eq!(back.pixels, image.pixels);
//! assert_eq!(back.pixels.strides(), [1, 3]);
//! # Ok::<(), serde_npz::Error>(())
//! ```

use ndarray::{ArrayBase, Data, DataOwned, Dimension, Shape, ShapeBuilder};
use serde::de::{Deserialize, Deserializer, Error as _};
use serde::ser::{Serialize, Serializer};

use crate::error::is_our_error;
use crate::view::ndarray_0_17::dim;
use crate::with::codec::{Codec, Decode, Encode};
use crate::with::dense::{self, Elements, Gather, Number, Put};

/// The arrays of this crate.
///
/// The codec of this module: see [`Codec`].
///
/// ```
/// use serde_npz::with::Encode;
/// use serde_npz::with::ndarray_0_17::Ndarray;
///
/// fn arrays<T: Encode<Ndarray>>(_: T) {}
///
/// arrays(ndarray::array![1.5]);
/// ```
#[derive(Clone, Copy)]
pub struct Ndarray;

impl Codec for Ndarray {
    const LIST: bool = true;
}

/// Writes an array in the order in which it lies in memory.
///
/// ```
/// #[derive(serde::Serialize, serde::Deserialize)]
/// struct Data {
///     #[serde(with = "serde_npz::with::ndarray_0_17")]
///     x: ndarray::Array1<u8>,
/// }
///
/// let data = Data { x: ndarray::array![1, 2] };
/// assert_eq!(serde_npz::to_npz_vec(&data)?.first_chunk(), Some(b"PK"));
/// assert_eq!(serde_json::to_string(&data)?, r#"{"x":{"v":1,"dim":[2],"data":[1,2]}}"#);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
///
/// Those of the serializer; an error for more than the 64 axes that NumPy allows.
pub fn serialize<T: Encode<Ndarray> + ?Sized, S: Serializer>(value: &T, serializer: S) -> Result<S::Ok, S::Error> {
    value.encode_field(Ndarray, serializer)
}

/// Reads an array in the order in which it lies in the file.
///
/// ```
/// #[derive(serde::Serialize, serde::Deserialize)]
/// struct Data {
///     #[serde(with = "serde_npz::with::ndarray_0_17")]
///     x: ndarray::Array1<u8>,
/// }
///
/// let data: Data = serde_json::from_str(r#"{"x":{"v":1,"dim":[2],"data":[1,2]}}"#)?;
/// assert_eq!(data.x, ndarray::array![1, 2]);
/// # Ok::<(), serde_json::Error>(())
/// ```
///
/// # Errors
///
/// Those of the deserializer; `TypeMismatch` for an array of another number of axes, or of numbers that do not fit.
pub fn deserialize<'de, T: Decode<'de, Ndarray>, D: Deserializer<'de>>(deserializer: D) -> Result<T, D::Error> {
    T::decode_field(Ndarray, deserializer)
}

impl<A, S, D> Encode<Ndarray> for ArrayBase<S, D>
where
    A: Number,
    S: Data<Elem = A>,
    D: Dimension + Serialize,
{
    fn encode<Z: Serializer>(&self, _: Ndarray, serializer: Z) -> Result<Z::Ok, Z::Error> {
        if !is_our_error::<Z::Error>() {
            return self.serialize(serializer);
        }
        let shape = self.shape().iter().map(|&axis| axis as u64).collect();
        let view = self.view();
        if let Some(slice) = view.to_slice() {
            return dense::write(shape, false, Elements::Whole(slice), serializer);
        }
        if let Some(slice) = view.clone().reversed_axes().to_slice() {
            return dense::write(shape, true, Elements::Whole(slice), serializer);
        }
        let pieces = |put: Put<'_, A>| {
            let mut gather = Gather::new(put);
            for row in view.rows() {
                match row.to_slice() {
                    Some(slice) => gather.slice(slice)?,
                    None => gather.each(row.iter())?,
                }
            }
            gather.finish()
        };
        dense::write(shape, false, Elements::Pieces(&pieces), serializer)
    }
}

impl<'de, A, S, D> Decode<'de, Ndarray> for ArrayBase<S, D>
where
    A: Number,
    S: DataOwned<Elem = A>,
    D: Dimension + Deserialize<'de>,
{
    fn decode<Z: Deserializer<'de>>(_: Ndarray, deserializer: Z) -> Result<Self, Z::Error> {
        if !is_our_error::<Z::Error>() {
            return Self::deserialize(deserializer);
        }
        let array = dense::read(D::NDIM, deserializer)?;
        let dim: D = dim(&array.shape);
        ArrayBase::from_shape_vec(Shape::from(dim).set_f(array.fortran), array.data).map_err(Z::Error::custom)
    }
}
