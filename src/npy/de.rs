//! The bytes of an array to a value.

pub(crate) mod array;
pub(crate) mod cursor;
pub(crate) mod element;
pub(crate) mod key;
mod ndarray;
mod ordered;
pub(crate) mod plan;
pub(crate) mod raw;
pub(crate) mod transpose;
