//! Files of one array: headers, arrays as others write them, row by row, growing in place, with a thread of their own.

mod append;
#[path = "../common/mod.rs"]
mod common;
mod foreign;
mod headers;
mod rows;
mod threads;
#[path = "../common/zip.rs"]
mod zip;
