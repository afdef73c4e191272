//! An array as it lies in a file: its header, and its data in one piece or several.
//!
//! Types that hold whole arrays (ndarray's, nalgebra's, our own views and values) hand this to the serializer inside
//! the newtype [`RAW`](crate::npy::marker::RAW). It is recognised by its identity, and goes out as it is; every other
//! serializer is given nested sequences.

use serde::ser::{Serialize, Serializer};

use crate::error::Result;
use crate::format::header::Header;

/// One array on its way out.
pub(crate) struct RawArray<'a> {
    pub(crate) header: Header,
    pub(crate) data: RawData<'a>,
}

/// A JSON text that goes out as it is, inside the newtype [`JSON`](crate::npy::marker::JSON); other serializers are given
/// what it says.
pub(crate) struct RawText<'a>(pub(crate) &'a str);

/// The name of an array or text in a map, which may hold the separator where no reader would split it: `a//b`, `/abs`.
pub(crate) struct RawKey<'a>(pub(crate) &'a str);

impl Serialize for RawKey<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        serializer.serialize_str(self.0)
    }
}

/// Whether `T` is a [`RawText`], whatever it borrows from.
pub(crate) fn is_text<T: ?Sized>() -> bool {
    typeid::of::<T>() == typeid::of::<RawText<'_>>()
}

/// Whether `T` is a [`RawKey`].
pub(crate) fn is_key<T: ?Sized>() -> bool {
    typeid::of::<T>() == typeid::of::<RawKey<'_>>()
}

/// Calls a function with piece after piece.
pub(crate) type Pieces<'a> = dyn Fn(&mut dyn FnMut(&[u8]) -> Result<()>) -> Result<()> + 'a;

/// The bytes of all elements in the order and byte order of the header.
#[derive(Clone, Copy)]
pub(crate) enum RawData<'a> {
    Bytes(&'a [u8]),
    /// Hands piece after piece to the function it is given; the pieces together are as long as the header says.
    #[cfg_attr(
        not(any(feature = "ndarray-0_17", feature = "nalgebra-0_34")),
        allow(dead_code, reason = "only arrays of other crates may have gaps")
    )]
    Pieces(&'a Pieces<'a>),
}

impl RawData<'_> {
    pub(crate) fn each(&self, take: &mut dyn FnMut(&[u8]) -> Result<()>) -> Result<()> {
        match self {
            RawData::Bytes(bytes) => take(bytes),
            RawData::Pieces(pieces) => pieces(take),
        }
    }
}
