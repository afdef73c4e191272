//! Files mapped into memory: NumPy's modes, what is lent and what is refused, and what a map costs.

mod archives;
mod arrays;
#[path = "../common/mod.rs"]
mod common;
#[path = "../common/counting.rs"]
mod counting;
mod large;
mod numpy;

use std::path::Path;

use serde_npz::{Element, NpyMmap, NpyMmapMut, NpzMmap, Result};

fn map_npy(path: impl AsRef<Path>) -> Result<NpyMmap> {
    // SAFETY: the files of a test are in a directory of its own; it changes none of them while a map of it is in use.
    unsafe { NpyMmap::open(path) }
}

fn map_npz(path: impl AsRef<Path>) -> Result<NpzMmap> {
    // SAFETY: as for `map_npy`.
    unsafe { NpzMmap::open(path) }
}

fn map_verified(path: impl AsRef<Path>) -> Result<NpzMmap> {
    // SAFETY: as for `map_npy`.
    unsafe { NpzMmap::open_verified(path) }
}

fn map_in_place(path: impl AsRef<Path>) -> Result<NpyMmapMut> {
    // SAFETY: as for `map_npy`.
    unsafe { NpyMmapMut::open_in_place(path) }
}

fn map_copy_on_write(path: impl AsRef<Path>) -> Result<NpyMmapMut> {
    // SAFETY: as for `map_npy`.
    unsafe { NpyMmapMut::open_copy_on_write(path) }
}

fn map_new<T: Element>(path: impl AsRef<Path>, shape: &[usize]) -> Result<NpyMmapMut> {
    // SAFETY: as for `map_npy`.
    unsafe { NpyMmapMut::create::<T>(path, shape) }
}

/// A `.npy` of this header text and data; `start` is where the data begins.
fn npy(descr: &str, order: &str, shape: &str, start: usize, data: &[u8]) -> Vec<u8> {
    let text = format!("{{'descr': {descr}, 'fortran_order': {order}, 'shape': {shape}, }}");
    let len = start - 10;
    let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
    bytes.extend((len as u16).to_le_bytes());
    bytes.extend(format!("{text:<width$}\n", width = len - 1).bytes());
    bytes.extend(data);
    bytes
}
