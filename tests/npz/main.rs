//! Archives: what the reader demands of the container, what it says of its members, and what the writer makes.

mod append;
#[path = "../common/mod.rs"]
mod common;
mod container;
mod either;
mod entries;
mod reader;
mod skipped;
mod twice;
mod walks;
mod writer;
#[path = "../common/zip.rs"]
mod zip;
