//! serde_npz beside other crates: their types, their readers and adapters, random values, and NumPy's verdict on them.

#[path = "../../records/agreed.rs"]
mod agreed;
#[path = "../../common/mod.rs"]
mod common;

mod field;
mod json;
mod mapping;
mod numpy;
mod properties;
mod records;
mod states;
mod total;
mod tree;
mod types;
mod zip;
