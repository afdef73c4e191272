//! An array as it lies in a file: its header, and its data in one piece or several.
//!
//! Types that hold whole arrays (ndarray's, nalgebra's, our own views and values) hand this to the serializer inside
//! the newtype [`RAW`](crate::marker::RAW). It is recognised by its identity, and goes out as it is; every other
//! serializer is given nested sequences.

use crate::error::Result;
use crate::header::Header;

/// One array on its way out.
pub(crate) struct RawArray<'a> {
    pub(crate) header: Header,
    pub(crate) data: RawData<'a>,
}

/// The bytes of all elements in the order and byte order of the header.
#[derive(Clone, Copy)]
pub(crate) enum RawData<'a> {
    Bytes(&'a [u8]),
    /// Hands piece after piece to the function it is given; the pieces together are as long as the header says.
    Pieces(&'a dyn Fn(&mut dyn FnMut(&[u8]) -> Result<()>) -> Result<()>),
}

impl RawData<'_> {
    pub(crate) fn each(&self, take: &mut dyn FnMut(&[u8]) -> Result<()>) -> Result<()> {
        match self {
            RawData::Bytes(bytes) => take(bytes),
            RawData::Pieces(pieces) => pieces(take),
        }
    }
}
