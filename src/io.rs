//! Bytes in and out, below any array: where they are read from, files that are replaced whole, and threads.

pub(crate) mod checked;
pub(crate) mod file;
pub(crate) mod pool;
pub(crate) mod source;
