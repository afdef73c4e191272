//! Whole arrays of numbers, borrowed from the input where they are aligned, native-endian and of the same dtype.
//!
//! | field | |
//! |---|---|
//! | [`ArrayView<'a, T>`](crate::ArrayView) | any number of axes; borrowed, or a copy |
//! | `Cow<'a, [T]>` | one axis; borrowed, or a copy |
//! | `&'a [T]` | one axis; borrowed, or an error |
//! | `Option` of these | a missing member |
//!
//! They borrow from [`from_npz_slice`](crate::from_npz_slice), [`from_npy_slice`](crate::from_npy_slice) and the maps
//! (`NpzMmap::deserialize`), where the member is stored and aligned and has just this dtype, in the order of this machine:
//! every number that this crate saved uncompressed, given bytes that are aligned themselves, as a map is. Members of
//! NumPy's archives mostly lie at odd offsets; they are copied, and other dtypes converted as
//! [`ReadOptions::casting`](crate::ReadOptions::casting) allows. An [`ArrayView`] needs no `with`: it does so by
//! itself.
//!
//! ```
//! use std::borrow::Cow;
//! use serde::{Deserialize, Serialize};
//! use serde_npz::ArrayView;
//!
//! #[derive(Serialize, Deserialize)]
//! struct Run<'a> {
//!     dt: f64,
//!     #[serde(borrow, with = "serde_npz::with::view")]
//!     time: Cow<'a, [f64]>,
//!     #[serde(borrow)]
//!     position: ArrayView<'a, f32>,
//! }
//!
//! let position = [0.0; 6];
//! let run = Run { dt: 0.5, time: Cow::Owned(vec![0.0, 0.5]), position: ArrayView::new(&position, &[2, 3])? };
//! let bytes = serde_npz::to_npz_vec(&run)?; // position: <f4 (2, 3)
//! let back: Run = serde_npz::from_npz_slice(&bytes)?;
//! assert_eq!(back.position.shape(), [2, 3]);
//! # assert_eq!(back.time, run.time);
//! # Ok::<(), serde_npz::Error>(())
//! ```

use std::borrow::Cow;

use serde::de::{Deserialize, Deserializer};
use serde::ser::{Serialize, Serializer};

use crate::error::{Error, ErrorKind, into_custom, into_ser_custom};
use crate::format::dtype::for_each_number;
use crate::view::{self, ArrayView, Element};
use crate::with::codec::{Codec, Decode, Encode};

/// Writes an array in one piece.
///
/// ```
/// #[derive(serde::Serialize)]
/// struct Data<'a> {
///     #[serde(with = "serde_npz::with::view")]
///     x: &'a [f32],
/// }
///
/// let data = Data { x: &[1.5, 2.0] };
/// assert_eq!(serde_npz::to_npz_vec(&data)?.first_chunk(), Some(b"PK"));
/// assert_eq!(serde_json::to_string(&data)?, r#"{"x":[1.5,2.0]}"#);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
///
/// Those of the serializer.
pub fn serialize<V: Encode<View> + ?Sized, S: Serializer>(value: &V, serializer: S) -> Result<S::Ok, S::Error> {
    value.encode_field(View, serializer)
}

/// Reads an array, borrowed where it can be.
///
/// ```
/// use std::borrow::Cow;
///
/// #[derive(serde::Deserialize)]
/// struct Data<'a> {
///     #[serde(borrow, with = "serde_npz::with::view")]
///     x: Cow<'a, [f32]>,
/// }
///
/// let data: Data = serde_json::from_str(r#"{"x":[1.5,2.0]}"#)?;
/// assert_eq!(data.x, vec![1.5, 2.0]);
/// # Ok::<(), serde_json::Error>(())
/// ```
///
/// # Errors
///
/// Those of the deserializer; `TypeMismatch` for a dtype or a number of axes that does not fit, and for a `&[T]` that
/// would have to be a copy.
pub fn deserialize<'de, V: Decode<'de, View>, D: Deserializer<'de>>(deserializer: D) -> Result<V, D::Error> {
    V::decode_field(View, deserializer)
}

/// The codec of this module: see [`Codec`].
///
/// ```
/// use serde_npz::with::Encode;
/// use serde_npz::with::view::View;
///
/// fn arrays<T: Encode<View>>(_: T) {}
///
/// arrays(&[1.5, 2.5][..]);
/// ```
#[derive(Clone, Copy)]
pub struct View;

impl Codec for View {
    const LIST: bool = true;
}

impl<T: Element> Encode<View> for ArrayView<'_, T> {
    fn encode<S: Serializer>(&self, _: View, serializer: S) -> Result<S::Ok, S::Error> {
        self.serialize(serializer)
    }
}

/// An element alone has no axes; a slice of elements is one row.
macro_rules! elements {
    (() $($t:ty => $number:ident),*) => { $(
        impl Encode<View> for $t {
            fn encode<S: Serializer>(&self, _: View, serializer: S) -> Result<S::Ok, S::Error> {
                let single = ArrayView::new(std::slice::from_ref(self), &[]).map_err(into_ser_custom)?;
                single.serialize(serializer)
            }

            fn encode_slice<S: Serializer>(slice: &[$t], _: bool, _: View, serializer: S) -> Result<S::Ok, S::Error> {
                ArrayView::row_of(slice).serialize(serializer)
            }
        }
    )* };
}

for_each_number!(elements!());
elements!(() isize => ISIZE, usize => USIZE);

impl<'de, T: Element> Decode<'de, View> for ArrayView<'de, T> {
    fn decode<D: Deserializer<'de>>(_: View, deserializer: D) -> Result<Self, D::Error> {
        ArrayView::deserialize(deserializer)
    }
}

impl<'de, T: Element> Decode<'de, View> for Cow<'de, [T]> {
    fn decode<D: Deserializer<'de>>(_: View, deserializer: D) -> Result<Self, D::Error> {
        let view = view::deserialize::<T, [u64; 1], D>(deserializer)?;
        view.into_row().map_err(into_custom)
    }
}

impl<'de, T: Element> Decode<'de, View> for &'de [T] {
    fn decode<D: Deserializer<'de>>(codec: View, deserializer: D) -> Result<Self, D::Error> {
        match Cow::decode(codec, deserializer)? {
            Cow::Borrowed(lent) => Ok(lent),
            Cow::Owned(_) => Err(into_custom(
                Error::new(
                    ErrorKind::TypeMismatch,
                    "found an array that has to be copied or converted, expected one that can be lent",
                )
                .with_hint("a field of `Cow<[T]>` or `ArrayView<T>` takes both"),
            )),
        }
    }
}
