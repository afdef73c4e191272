//! A value and its layout to the bytes of an array.

mod array;
pub(crate) mod slots;
pub(crate) mod stream;
pub(crate) mod write;
