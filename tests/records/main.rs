//! Sequences of records: out in one walk with the verdict that measuring all of them would give, and back field by
//! field into whatever struct asks for them.

mod agreed;
mod columns;
#[path = "../common/mod.rs"]
mod common;
mod misbehaving;
mod reading;
mod sources;
mod writing;

use std::fmt::Debug;

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_npz::{ErrorKind, Header, from_npy_reader, from_npy_slice, to_npz_vec};

use agreed::{Measured, agreed};

/// An array in both, of this dtype, which comes back equal from a slice and from a stream.
#[track_caller]
fn array<T>(rows: &T, dtype: &str) -> Vec<u8>
where
    T: Serialize + DeserializeOwned + PartialEq + Debug,
{
    let bytes = agreed(rows).unwrap();
    assert_eq!(header(&bytes).dtype().to_string(), dtype);
    assert_eq!(from_npy_slice::<T>(&bytes).unwrap(), *rows);
    assert_eq!(from_npy_reader::<_, T>(&bytes[..]).unwrap(), *rows);
    bytes
}

/// A list of groups, or arrays, in an archive.
#[track_caller]
fn list<T: Serialize + ?Sized>(rows: &T) {
    let error = agreed(rows).unwrap_err();
    let kinds = [ErrorKind::UnsupportedType, ErrorKind::MixedTypes];
    assert!(kinds.contains(&error.kind()), "{error}");
    to_npz_vec(&Measured { rows }).unwrap();
}

#[track_caller]
fn refused<T: Serialize + ?Sized>(rows: &T, kind: ErrorKind, path: &str) {
    let error = agreed(rows).unwrap_err();
    assert_eq!((error.kind(), error.path()), (kind, path), "{error}");
}

fn header(mut bytes: &[u8]) -> Header {
    Header::read(&mut bytes).unwrap()
}

/// A file as NumPy writes it.
fn npy(descr: &str, shape: &str, data: &[u8]) -> Vec<u8> {
    let mut literal = format!("{{'descr': {descr}, 'fortran_order': False, 'shape': {shape}, }}");
    while (10 + literal.len() + 1) % 64 != 0 {
        literal.push(' ');
    }
    literal.push('\n');
    let mut file = b"\x93NUMPY\x01\x00".to_vec();
    file.extend((literal.len() as u16).to_le_bytes());
    file.extend(literal.bytes());
    file.extend(data);
    file
}
