//! Files of one array: headers, arrays as others write them, row by row, growing in place, larger than any buffer.

mod append;
mod casting;
mod columns;
#[path = "../common/mod.rs"]
mod common;
mod foreign;
mod headers;
mod large;
mod locked;
mod rows;
mod squeeze;
#[path = "../common/zip.rs"]
mod zip;
