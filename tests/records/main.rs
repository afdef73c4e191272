//! Sequences of records: out in one walk with the verdict that measuring all of them would give, and back field by
//! field into whatever struct asks for them.

#[path = "../common/mod.rs"]
mod common;
mod misbehaving;
mod random;
mod reading;
mod sources;
mod writing;

use std::fmt::Debug;
use std::io::Cursor;

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_npz::{Error, ErrorKind, Header, NpzReader, from_npy_reader, from_npy_slice, to_npy_vec, to_npz_vec};

/// A field is measured before a byte of it is written.
#[derive(Serialize)]
struct Measured<'a, T: ?Sized> {
    rows: &'a T,
}

/// The lone file, after a look at what the same value makes in an archive.
#[track_caller]
fn agreed<T: Serialize + ?Sized>(rows: &T) -> Result<Vec<u8>, Error> {
    let lone = to_npy_vec(rows);
    let mut written = Vec::new();
    let streamed = serde_npz::to_npy_writer(&mut written, rows);
    let archive = to_npz_vec(&Measured { rows });
    match (&lone, archive) {
        (Ok(bytes), Ok(archive)) => {
            let mut npz = NpzReader::new(Cursor::new(archive)).unwrap();
            assert_eq!(
                npz.names().collect::<Vec<_>>(),
                ["rows"],
                "an array alone, a list in the archive"
            );
            assert!(npz.raw("rows").unwrap() == *bytes, "other bytes than the member");
            streamed.unwrap();
            assert!(written == *bytes, "other bytes in a stream");
        }
        (Ok(bytes), Err(error)) => panic!("{error} in the archive, {:?} alone", header(bytes)),
        (Err(error), Ok(archive)) => {
            let names: Vec<String> = NpzReader::new(Cursor::new(archive))
                .unwrap()
                .names()
                .map(str::to_owned)
                .collect();
            assert_ne!(names, ["rows"], "an array in the archive, alone {error}");
            assert_eq!(error.kind(), ErrorKind::UnsupportedType, "{error}");
            assert_eq!(streamed.unwrap_err().kind(), error.kind());
        }
        (Err(error), Err(archive)) => {
            assert_eq!(streamed.unwrap_err().kind(), error.kind());
            // What would be a list may have an error of its own there.
            if !error.to_string().contains("several arrays") {
                assert_eq!(error.kind(), archive.kind(), "{error} / {archive}");
                let path = archive.path();
                assert_eq!(
                    error.path(),
                    path.strip_prefix("rows").unwrap_or(path),
                    "{error} / {archive}"
                );
            }
        }
    }
    lone
}

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
    assert_eq!(error.kind(), ErrorKind::UnsupportedType, "{error}");
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
