//! Arrays one row at a time: files that grow, and files larger than memory.

mod append;
pub(crate) mod encode;
mod fit;
mod head;
pub(crate) mod reader;
pub(crate) mod walk;
pub(crate) mod writer;
