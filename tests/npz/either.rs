//! Files of either kind, and members by the name of their file.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{Cursor, Read, Seek, SeekFrom};

use serde_npz::{ErrorKind, NpzReader, ReadOptions, Result, Value};

use crate::common::Scratch;
use crate::zip::{Part, archive};

type Members = BTreeMap<String, Vec<f64>>;

fn members() -> Members {
    BTreeMap::from([("x".into(), vec![1.0, 2.0])])
}

#[test]
fn the_first_bytes_say_which_it_is() {
    let dir = Scratch::new("either");
    // The suffixes lie.
    let (array, archive) = (dir.path("a.npz"), dir.path("b.npy"));
    std::fs::write(&array, serde_npz::to_npy_vec(&[1.5, 2.5]).unwrap()).unwrap();
    std::fs::write(&archive, serde_npz::to_npz_vec(&members()).unwrap()).unwrap();
    assert_eq!(serde_npz::load::<Vec<f64>>(&array).unwrap(), [1.5, 2.5]);
    assert_eq!(serde_npz::load::<Members>(&archive).unwrap(), members());
    assert!(matches!(serde_npz::load(&array).unwrap(), Value::Array(_)));
    assert!(matches!(serde_npz::load(&archive).unwrap(), Value::Group(_)));
    for path in [&array, &archive] {
        let bytes = std::fs::read(path).unwrap();
        let value: Value = serde_npz::load(path).unwrap();
        assert!(value == serde_npz::from_slice::<Value>(&bytes).unwrap());
        assert!(value == serde_npz::from_reader::<_, Value>(File::open(path).unwrap()).unwrap());
        assert!(value == serde_npz::from_reader::<_, Value>(ByteByByte(Cursor::new(bytes))).unwrap());
    }
}

/// Gives a byte at a time, as a slow connection may.
struct ByteByByte(Cursor<Vec<u8>>);

impl Read for ByteByByte {
    fn read(&mut self, buf: &mut [u8]) -> std::io::Result<usize> {
        let most = buf.len().min(1);
        self.0.read(&mut buf[..most])
    }
}

impl Seek for ByteByByte {
    fn seek(&mut self, to: SeekFrom) -> std::io::Result<u64> {
        self.0.seek(to)
    }
}

#[test]
fn an_array_in_the_middle_of_a_stream_is_read_from_there() {
    let mut bytes = b"before".to_vec();
    bytes.extend(serde_npz::to_npy_vec(&[1.5]).unwrap());
    let mut reader = Cursor::new(bytes);
    reader.set_position(6);
    assert_eq!(serde_npz::from_reader::<_, Vec<f64>>(reader).unwrap(), [1.5]);
}

#[test]
fn what_is_neither_and_what_is_the_other_are_refused() {
    for bytes in [&b""[..], b"P", b"PK", b"PK\x03\x04", b"just a text", b"\x93NUM"] {
        let err = serde_npz::from_slice::<Value>(bytes).unwrap_err();
        let from_reader = serde_npz::from_reader::<_, Value>(Cursor::new(bytes)).unwrap_err();
        assert_eq!(err.kind(), from_reader.kind(), "{bytes:?}");
    }
    assert_eq!(
        serde_npz::from_slice::<Value>(b"just a text").unwrap_err().kind(),
        ErrorKind::BadMagic
    );
    let err = serde_npz::load::<Value>("no such file").unwrap_err();
    assert_eq!(err.kind(), ErrorKind::Io);
}

#[test]
fn options_reach_both_kinds() {
    let options = ReadOptions::new().casting(serde_npz::Casting::SameKind);
    let array = serde_npz::to_npy_vec(&[0.1]).unwrap();
    let archive = serde_npz::to_npz_vec(&BTreeMap::from([("x", [0.1])])).unwrap();
    assert!(serde_npz::from_slice::<Vec<f32>>(&array).is_err());
    assert_eq!(options.from_slice::<Vec<f32>>(&array).unwrap(), [0.1]);
    let read: BTreeMap<String, Vec<f32>> = options.from_reader(Cursor::new(archive)).unwrap();
    assert_eq!(read["x"], [0.1]);
}

#[test]
fn a_member_is_found_by_the_name_of_its_file() -> Result<()> {
    let bytes = serde_npz::to_npz_vec(&BTreeMap::from([("run", members())]))?;
    let mut npz = NpzReader::new(Cursor::new(bytes))?;
    assert!(npz.contains("run/x.npy"));
    assert_eq!(npz.get::<Vec<f64>>("run/x.npy")?, [1.0, 2.0]);
    assert_eq!(npz.header("run/x.npy")?.shape(), [2]);
    npz.verify("run/x.npy")?;
    let err = npz.get::<Vec<f64>>("run/y.npy").unwrap_err();
    assert_eq!((err.kind(), err.path()), (ErrorKind::MissingMember, "run/y.npy"));
    assert!(!npz.contains("run/x.npy.npy"));
    Ok(())
}

#[test]
fn a_key_that_is_exactly_so_comes_first() -> Result<()> {
    // The members are files `x.npy` and `x.npy.npy`: keys `x` and `x.npy`.
    let x = serde_npz::to_npy_vec(&1.5)?;
    let bytes = archive(&[Part::stored("x.npy", &x), Part::stored("x.npy.npy", b"no array")]);
    let mut npz = NpzReader::new(Cursor::new(bytes))?;
    assert_eq!(npz.get::<f64>("x")?, 1.5);
    assert_eq!(npz.get::<f64>("x.npy").unwrap_err().kind(), ErrorKind::NotAnArray);
    Ok(())
}
