//! Arrays one row at a time: files that grow, and files larger than memory.

mod append;
pub(crate) mod columns;
pub(crate) mod encode;
mod fit;
mod head;
mod place;
pub(crate) mod reader;
pub(crate) mod texts;
pub(crate) mod walk;
pub(crate) mod writer;
