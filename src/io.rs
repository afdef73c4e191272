//! Bytes in and out, before anything is an array: what is read from, and files that are replaced whole.

pub(crate) mod checked;
pub(crate) mod file;
pub(crate) mod pool;
pub(crate) mod source;
