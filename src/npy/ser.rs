//! A value and its layout to the bytes of an array.

pub(crate) mod array;
pub(crate) mod packed;
pub(crate) mod stream;
