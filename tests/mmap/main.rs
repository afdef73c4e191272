//! Files mapped into memory: NumPy's modes, what is lent and what is refused, and what a map costs.

#[path = "../common/mod.rs"]
mod common;
#[path = "../common/counting.rs"]
mod counting;
mod large;

use std::collections::BTreeMap;
use std::error::Error as _;
use std::fs::{self, File};
use std::io::{Seek, SeekFrom, Write};
use std::path::Path;

use common::Scratch;
use counting::peak;
use half::f16;
use num_complex::Complex;
use serde::{Deserialize, Serialize};
use serde_npz::{
    ArrayView, Element, ErrorKind, Header, NpyMmap, NpyMmapMut, NpzMmap, Result, Unmappable, WriteOptions,
};

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

fn open(dir: &Scratch, bytes: &[u8]) -> NpyMmap {
    let path = dir.path("x.npy");
    fs::write(&path, bytes).unwrap();
    map_npy(&path).unwrap()
}

#[track_caller]
fn refused<T: Element>(map: &NpyMmap, kind: ErrorKind, says: &[&str]) {
    let err = map.array::<T>().unwrap_err();
    assert_eq!(err.kind(), kind, "{err}");
    for word in says {
        assert!(err.to_string().contains(word), "{err} lacks {word}");
    }
}

#[test]
fn every_element_type_is_lent() {
    fn lent<T: Element + Serialize>(dir: &Scratch, values: [T; 4]) {
        let path = serde_npz::save_npy(dir.path("x"), &values).unwrap();
        let map = map_npy(&path).unwrap();
        let view = map.array::<T>().unwrap();
        assert_eq!((view.shape(), view.as_slice()), (&[4][..], &values[..]));
        let start = map.bytes().as_ptr_range();
        assert!(start.contains(&view.as_slice().as_ptr().cast()), "no copy");
        assert_eq!(view.borrowed(), Some(&values[..]));

        // The same in place, and NumPy's own bytes of it.
        fs::remove_file(&path).unwrap();
        let mut map = map_new::<T>(&path, &[4]).unwrap();
        map.array_mut::<T>().unwrap().as_mut_slice().copy_from_slice(&values);
        assert_eq!(map.array::<T>().unwrap().as_slice(), values);
        map.flush().unwrap();
        assert_eq!(fs::read(&path).unwrap(), serde_npz::to_npy_vec(&values).unwrap());
    }
    let dir = Scratch::new("mmap-types");
    lent(&dir, [true, false, false, true]);
    lent(&dir, [i8::MIN, -1, 0, i8::MAX]);
    lent(&dir, [i16::MIN, -1, 0, i16::MAX]);
    lent(&dir, [i32::MIN, -1, 0, i32::MAX]);
    lent(&dir, [i64::MIN, -1, 0, i64::MAX]);
    lent(&dir, [0, 1, 2, u8::MAX]);
    lent(&dir, [0, 1, 2, u16::MAX]);
    lent(&dir, [0, 1, 2, u32::MAX]);
    lent(&dir, [0, 1, 2, u64::MAX]);
    lent(&dir, [f16::from_f32(0.5), f16::INFINITY, f16::ZERO, f16::MIN]);
    lent(&dir, [0.5_f32, f32::INFINITY, -0.0, f32::MIN]);
    lent(&dir, [0.5_f64, f64::INFINITY, -0.0, f64::MIN]);
    lent(&dir, [Complex::new(0.5_f32, -1.5); 4]);
    lent(&dir, [Complex::new(0.5_f64, -1.5); 4]);
}

#[test]
fn shapes_rows_and_parts() {
    let dir = Scratch::new("mmap-rows");
    let rows: Vec<[[i32; 2]; 3]> = (0..100).map(|i| [[i, -i], [i + 1, 0], [7, i]]).collect();
    let path = serde_npz::save_npy(dir.path("x"), &rows).unwrap();
    let map = map_npy(&path).unwrap();
    let view = map.array::<i32>().unwrap();
    assert_eq!((view.shape(), view.strides()), (&[100, 3, 2][..], vec![6, 2, 1]));
    assert_eq!((view.len(), view.fortran_order()), (600, false));
    for (i, row) in view.rows().unwrap().enumerate() {
        assert_eq!(row.shape(), [3, 2]);
        assert_eq!(row.as_slice(), rows[i].as_flattened());
        assert_eq!(view.get(&[i, 2, 1]), Some(rows[i][2][1]));
    }
    assert_eq!(view.rows().unwrap().count(), 100);
    let part = view.slice(40..50).unwrap();
    assert_eq!(part.as_slice(), rows[40..50].as_flattened().as_flattened());
    assert_eq!(part.row(3).unwrap().row(1).unwrap().as_slice(), rows[43][1]);
    assert_eq!(view.slice(101..).unwrap_err().kind(), ErrorKind::InvalidValue);
    assert_eq!(view.row(100).unwrap_err().kind(), ErrorKind::InvalidValue);
    assert_eq!(map.read_rows::<Vec<[[i32; 2]; 3]>>(40..=49).unwrap(), rows[40..50]);
    assert_eq!(map.read::<Vec<[[i32; 2]; 3]>>().unwrap(), rows);
    // What a view writes is what was mapped.
    assert_eq!(serde_npz::to_npy_vec(&view).unwrap(), fs::read(&path).unwrap());
}

#[test]
fn single_values_and_empty_arrays() {
    let dir = Scratch::new("mmap-small");
    let map = open(&dir, &serde_npz::to_npy_vec(&1.5).unwrap());
    let view = map.array::<f64>().unwrap();
    assert_eq!(
        (view.shape(), view.as_slice(), view.get(&[])),
        (&[][..], &[1.5][..], Some(1.5))
    );
    assert_eq!(view.row(0).unwrap_err().kind(), ErrorKind::TypeMismatch);
    assert!(map.read_rows::<f64>(..).is_err());

    for shape in ["(0,)", "(0, 3)", "(3, 0)", "(2, 0, 4611686018427387)"] {
        let map = open(&dir, &npy("'<f8'", "False", shape, 128, b""));
        let view = map.array::<f64>().unwrap();
        assert!(view.is_empty() && view.as_slice().is_empty(), "{shape}");
        assert_eq!(view.rows().unwrap().count(), view.shape()[0], "{shape}");
    }
    let path = dir.path("new.npy");
    let mut map = map_new::<f64>(&path, &[0, 3]).unwrap();
    assert!(map.array_mut::<f64>().unwrap().as_mut_slice().is_empty());
    map.flush().unwrap();
    assert_eq!(fs::read(&path).unwrap().len(), 128);
}

#[test]
fn fortran_order_is_lent_as_it_lies() {
    let dir = Scratch::new("mmap-fortran");
    let data: Vec<u8> = [1_i32, 4, 2, 5, 3, 6].iter().flat_map(|v| v.to_le_bytes()).collect();
    let map = open(&dir, &npy("'<i4'", "True", "(2, 3)", 128, &data));
    let view = map.array::<i32>().unwrap();
    assert!(view.fortran_order());
    assert_eq!((view.shape(), view.strides()), (&[2, 3][..], vec![1, 2]));
    assert_eq!(view.as_slice(), [1, 4, 2, 5, 3, 6]);
    assert_eq!(view.to_vec(), [1, 2, 3, 4, 5, 6]);
    assert_eq!(view.get(&[1, 0]), Some(4));
    for err in [
        view.row(0).unwrap_err(),
        view.slice(..1).unwrap_err(),
        view.rows().err().unwrap(),
    ] {
        assert_eq!(err.kind(), ErrorKind::TypeMismatch);
        assert!(err.to_string().contains("transposed"), "{err}");
    }
    assert_eq!(view.transposed().row(2).unwrap().as_slice(), [3, 6]);
    assert_eq!(map.read::<Vec<[i32; 3]>>().unwrap(), [[1, 2, 3], [4, 5, 6]]);
    assert!(map.read_rows::<Vec<[i32; 3]>>(1..).is_err());
    assert_eq!(view, ArrayView::new(&[1, 2, 3, 4, 5, 6], &[2, 3]).unwrap());
    assert_ne!(view, ArrayView::new(&[1, 2, 3, 4, 5, 7], &[2, 3]).unwrap());
}

#[test]
fn what_cannot_be_lent_says_why_and_names_the_copy() {
    let dir = Scratch::new("mmap-refused");
    let data = [0; 16];
    let map = open(&dir, &npy("'<f8'", "False", "(2,)", 128, &data));
    refused::<f32>(&map, ErrorKind::TypeMismatch, &["<f8", "<f4", "read"]);
    refused::<i64>(&map, ErrorKind::TypeMismatch, &["<f8", "<i8", "read"]);
    refused::<u64>(&map, ErrorKind::TypeMismatch, &["<u8"]);
    refused::<Complex<f32>>(&map, ErrorKind::TypeMismatch, &["<c8"]);

    let map = open(
        &dir,
        &npy("'>f8'", "False", "(2,)", 128, &2.0_f64.to_be_bytes().repeat(2)),
    );
    refused::<f64>(&map, ErrorKind::TypeMismatch, &[">f8", "order", "read"]);
    assert_eq!(map.read::<Vec<f64>>().unwrap(), [2.0, 2.0]);

    let map = open(
        &dir,
        &npy("'<f8'", "False", "(2,)", 121, &2.0_f64.to_le_bytes().repeat(2)),
    );
    refused::<f64>(
        &map,
        ErrorKind::TypeMismatch,
        &["1 bytes behind a multiple of 8", "read"],
    );
    assert_eq!(map.read::<Vec<f64>>().unwrap(), [2.0, 2.0]);
    // A byte has no order and no place.
    let map = open(&dir, &npy("'>u1'", "False", "(2,)", 121, &[3, 4]));
    assert_eq!(map.array::<u8>().unwrap().as_slice(), [3, 4]);

    let map = open(&dir, &npy("'|b1'", "False", "(3,)", 128, &[0, 1, 2]));
    refused::<bool>(&map, ErrorKind::InvalidValue, &["byte 2", "element 2"]);
    refused::<u8>(&map, ErrorKind::TypeMismatch, &["|b1"]);
    for descr in ["'<U2'", "'|S8'", "'|V8'", "'<M8[ns]'", "[('x', '<f8')]"] {
        let map = open(&dir, &npy(descr, "False", "(2,)", 128, &data));
        refused::<f64>(&map, ErrorKind::TypeMismatch, &["<f8"]);
        assert_eq!(map.bytes(), data);
    }
}

#[test]
fn files_that_lie() {
    let dir = Scratch::new("mmap-lies");
    let path = dir.path("x.npy");
    let whole = npy("'<f8'", "False", "(2,)", 128, &[0; 16]);
    let kind = |bytes: &[u8]| {
        fs::write(&path, bytes).unwrap();
        let kinds = [
            map_npy(&path).unwrap_err().kind(),
            map_copy_on_write(&path).unwrap_err().kind(),
            map_in_place(&path).unwrap_err().kind(),
        ];
        assert_eq!(fs::read(&path).unwrap(), bytes, "nothing was written");
        assert!(kinds.iter().all(|kind| *kind == kinds[0]), "{kinds:?}");
        kinds[0]
    };
    // Short: refused, never made longer.
    for cut in [0, 3, 9, 64, 127, 128, 143] {
        assert_eq!(kind(&whole[..cut]), ErrorKind::Truncated, "{cut}");
    }
    let huge = npy("'<f8'", "False", "(1152921504606846975,)", 128, &[0; 16]);
    assert_eq!(kind(&huge), ErrorKind::Truncated);
    assert_eq!(kind(b"PK\x03\x04 and so on"), ErrorKind::BadMagic);
    assert_eq!(kind(&npy("'|O'", "False", "(2,)", 128, &[0; 16])), ErrorKind::Pickle);
    let long = npy("'<f8'", "False", "(2,)", 20_010, &[0; 16]);
    assert_eq!(kind(&long), ErrorKind::LimitExceeded);
    let options = serde_npz::ReadOptions::new().max_header_size(30_000);
    fs::write(&path, &long).unwrap();
    // SAFETY: as for `map_npy`.
    let map = unsafe { NpyMmap::open_with(&path, &options) }.unwrap();
    // 20,010 is no multiple of 8.
    refused::<f64>(&map, ErrorKind::TypeMismatch, &["multiple"]);

    // Longer: another array may follow.
    let map = open(&dir, &[&whole[..], b"next"].concat());
    assert_eq!(map.array::<f64>().unwrap().as_slice(), [0.0, 0.0]);

    let err = map_npy(dir.path("none.npy")).unwrap_err();
    assert!(
        err.kind() == ErrorKind::Io && err.to_string().contains("none.npy"),
        "{err}"
    );
    assert_eq!(map_npy(dir.path("")).unwrap_err().kind(), ErrorKind::Io);
    assert_eq!(map_npz(dir.path("")).unwrap_err().kind(), ErrorKind::Io);
    let err = map_npz(&path).unwrap_err();
    assert!(
        err.kind() == ErrorKind::BadMagic && err.to_string().contains("load_npy"),
        "{err}"
    );
}

#[test]
fn modes() {
    let dir = Scratch::new("mmap-modes");
    let path = serde_npz::save_npy(dir.path("x"), &vec![[1.0, 2.0], [3.0, 4.0]]).unwrap();
    let before = fs::read(&path).unwrap();

    let mut cow = map_copy_on_write(&path).unwrap();
    cow.array_mut::<f64>().unwrap().as_mut_slice().fill(9.0);
    cow.flush().unwrap();
    assert_eq!(cow.read::<Vec<[f64; 2]>>().unwrap(), [[9.0; 2]; 2]);
    drop(cow);
    assert_eq!(fs::read(&path).unwrap(), before);

    let mut map = map_in_place(&path).unwrap();
    let mut view = map.array_mut::<f64>().unwrap();
    *view.get_mut(&[0, 1]).unwrap() = 5.0;
    view.row_mut(1).unwrap().as_mut_slice()[0] = 6.0;
    assert!(view.get_mut(&[2, 0]).is_none() && view.row_mut(2).is_err());
    view.slice_mut(1..).unwrap().as_mut_slice()[1] = 7.0;
    assert_eq!(view.view().as_slice(), [1.0, 5.0, 6.0, 7.0]);
    let err = map.array_mut::<f32>().unwrap_err();
    assert_eq!(err.kind(), ErrorKind::TypeMismatch);
    map.flush().unwrap();
    drop(map);
    let after = serde_npz::load_npy::<Vec<[f64; 2]>>(&path).unwrap();
    assert_eq!(after, [[1.0, 5.0], [6.0, 7.0]]);
    assert_eq!(fs::read(&path).unwrap()[..128], before[..128]);
    assert_eq!(fs::read(&path).unwrap().len(), before.len());

    // What exists is never emptied.
    let err = map_new::<f64>(&path, &[2]).unwrap_err();
    assert_eq!(err.kind(), ErrorKind::Io);
    assert!(err.to_string().contains("open_in_place"), "{err}");
    assert_eq!(serde_npz::load_npy::<Vec<[f64; 2]>>(&path).unwrap(), after);

    let path = dir.path("new.npy");
    let err = map_new::<f64>(&path, &[1 << 31, 1 << 31]).unwrap_err();
    assert_eq!(err.kind(), ErrorKind::LimitExceeded);
    // More than any file can have: what was begun is removed.
    assert!(map_new::<u8>(&path, &[i64::MAX as usize - 1]).is_err());
    assert!(!path.exists());
    let map = map_new::<f32>(&path, &[3, 2]).unwrap();
    let written = serde_npz::to_npy_vec(&[[0.0_f32; 2]; 3]).unwrap();
    assert_eq!(fs::read(&path).unwrap(), written);
    drop(map);

    // As another array, in Fortran order and of records.
    let path = dir.path("like.npy");
    let bytes = npy("[('x', '<f4'), ('id', '<u2')]", "True", "(2, 3)", 128, b"");
    let header = Header::read(&mut &bytes[..]).unwrap();
    // SAFETY: as for `map_npy`.
    let map = unsafe { NpyMmapMut::create_like(&path, &header) }.unwrap();
    assert_eq!((map.header(), map.bytes()), (&header, &[0; 36][..]));
}

#[test]
fn a_file_that_is_changed_in_place_is_locked() {
    let dir = Scratch::new("mmap-lock");
    let path = dir.path("x.npy");
    let new = map_new::<f64>(&path, &[4]).unwrap();
    let refused = |err: serde_npz::Error| {
        let source = err.source().and_then(|source| source.downcast_ref::<std::io::Error>());
        assert_eq!(source.map(std::io::Error::kind), Some(std::io::ErrorKind::WouldBlock));
        assert!(
            err.kind() == ErrorKind::Io && err.to_string().contains("x.npy` locked"),
            "{err}"
        );
    };
    refused(map_in_place(&path).unwrap_err());
    drop(new);
    let mut first = map_in_place(&path).unwrap();
    refused(map_in_place(&path).unwrap_err());
    first.array_mut::<f64>().unwrap().as_mut_slice().fill(1.5);
    drop(first);
    let again = map_in_place(&path).unwrap();
    assert_eq!(again.array::<f64>().unwrap().as_slice(), [1.5; 4]);
    // A map that failed leaves no lock behind.
    drop(again);
    fs::write(&path, b"short").unwrap();
    assert!(map_in_place(&path).is_err());
    fs::remove_file(&path).unwrap();
    map_new::<f64>(&path, &[4]).unwrap();
}

/// A damaged bool in a map that can be changed is found as well.
#[test]
fn bools_are_checked_before_they_are_lent_to_be_changed() {
    let dir = Scratch::new("mmap-bools");
    let path = dir.path("x.npy");
    fs::write(&path, npy("'|b1'", "False", "(3,)", 128, &[0, 255, 1])).unwrap();
    let mut map = map_copy_on_write(&path).unwrap();
    let err = map.array_mut::<bool>().unwrap_err();
    assert_eq!(err.kind(), ErrorKind::InvalidValue);
    assert!(err.to_string().contains("element 1"), "{err}");
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Run {
    dt: f64,
    x: Vec<[f64; 3]>,
    flags: Vec<bool>,
    tag: String,
    inner: BTreeMap<String, Vec<u16>>,
}

fn run() -> Run {
    Run {
        dt: 0.5,
        x: vec![[1.0, 2.0, 3.0]; 10],
        flags: vec![true, false],
        tag: "é".to_owned(),
        inner: BTreeMap::from([("a".to_owned(), vec![1, 2]), ("b".to_owned(), vec![])]),
    }
}

#[test]
fn members_of_our_archives_are_lent() {
    let dir = Scratch::new("mmap-npz");
    let path = serde_npz::save_npz(dir.path("x"), &run()).unwrap();
    let map = map_npz(&path).unwrap();
    assert_eq!(
        map.names().collect::<Vec<_>>(),
        ["dt", "x", "flags", "tag", "inner/a", "inner/b"]
    );
    assert!(map.len() == 6 && !map.is_empty() && map.contains("inner/a") && !map.contains("inner"));
    assert_eq!(map.header("x").unwrap().shape(), [10, 3]);
    let x = map.array::<f64>("x").unwrap();
    // Several at a time.
    let a = map.array::<u16>("inner/a").unwrap();
    assert_eq!(
        (x.shape(), x.row(9).unwrap().as_slice()),
        (&[10, 3][..], &[1.0, 2.0, 3.0][..])
    );
    assert_eq!(
        (a.as_slice(), map.array::<f64>("dt").unwrap().as_slice()),
        (&[1, 2][..], &[0.5][..])
    );
    assert_eq!(map.array::<bool>("flags").unwrap().as_slice(), [true, false]);
    assert!(map.array::<u16>("inner/b").unwrap().is_empty());
    assert_eq!(map.bytes("tag").unwrap(), [0xe9, 0, 0, 0]);
    assert!(x.borrowed().is_some() && a.borrowed().is_some());
    assert_eq!(map.get::<Vec<u32>>("inner/a").unwrap(), [1, 2]);
    assert_eq!(map.get::<BTreeMap<String, Vec<u16>>>("inner").unwrap(), run().inner);
    assert_eq!(map.deserialize::<Run>().unwrap(), run());
    for name in map.names() {
        map.verify(name).unwrap();
    }

    for (err, kind) in [
        (map.array::<f64>("none").unwrap_err(), ErrorKind::MissingMember),
        (map.array::<f64>("inner").unwrap_err(), ErrorKind::MissingMember),
        (map.get::<f64>("none").unwrap_err(), ErrorKind::MissingMember),
        (map.header("none").unwrap_err(), ErrorKind::MissingMember),
        (map.bytes("none").unwrap_err(), ErrorKind::MissingMember),
        (map.verify("none").unwrap_err(), ErrorKind::MissingMember),
    ] {
        assert_eq!(err.kind(), kind);
        assert!(["none", "inner"].contains(&err.path()), "{err}");
    }
    let err = map.array::<f32>("x").unwrap_err();
    assert_eq!((err.kind(), err.path()), (ErrorKind::TypeMismatch, "x"));
    assert!(err.to_string().contains("`get`"), "{err}");

    let path = WriteOptions::new()
        .compressed()
        .save_npz(dir.path("y"), &run())
        .unwrap();
    let map = map_verified(&path).unwrap();
    let err = map.array::<f64>("x").unwrap_err();
    assert_eq!((err.kind(), err.path()), (ErrorKind::UnsupportedArchive, "x"));
    assert!(err.to_string().contains("`get`"), "{err}");
    assert_eq!(map.deserialize::<Run>().unwrap(), run());
}

#[test]
fn damage_is_found_when_asked_for() {
    let dir = Scratch::new("mmap-damage");
    let path = serde_npz::save_npz(dir.path("x"), &run()).unwrap();
    let mut bytes = fs::read(&path).unwrap();
    let mut npz = serde_npz::NpzReader::open(&path).unwrap();
    let at = npz.entry("x").unwrap().data_offset().unwrap() as usize;
    bytes[at] ^= 1;
    fs::write(&path, &bytes).unwrap();

    let map = map_npz(&path).unwrap();
    assert_eq!(map.array::<f64>("x").unwrap().len(), 30, "on request only");
    for err in [
        map.verify("x").unwrap_err(),
        map.get::<Vec<[f64; 3]>>("x").unwrap_err(),
        map.deserialize::<Run>().unwrap_err(),
        map_verified(&path).unwrap_err(),
    ] {
        assert_eq!((err.kind(), err.path()), (ErrorKind::CorruptArchive, "x"));
    }
    map.verify("flags").unwrap();

    // A header that takes less than the member has is noticed even without the checksum.
    bytes[at] ^= 1;
    let shape = bytes.windows(7).position(|w| w == b"(10, 3)").unwrap();
    bytes[shape + 2] = b' ';
    fs::write(&path, &bytes).unwrap();
    let map = map_npz(&path).unwrap();
    let err = map.array::<f64>("x").unwrap_err();
    assert_eq!((err.kind(), err.path()), (ErrorKind::CorruptArchive, "x"));
    bytes[shape + 1..shape + 3].copy_from_slice(b"99");
    fs::write(&path, &bytes).unwrap();
    let err = map_npz(&path).unwrap().array::<f64>("x").unwrap_err();
    assert_eq!((err.kind(), err.path()), (ErrorKind::Truncated, "x"));
}

/// An archive of one stored member of `len` zeros of f64, most of them a hole in the file.
fn sparse(path: &Path, len: u64) {
    let mut small = std::io::Cursor::new(Vec::new());
    serde_npz::to_npz_writer(&mut small, &BTreeMap::from([("x", vec![0.0; 0])])).unwrap();
    let small = small.into_inner();
    let mut npz = serde_npz::NpzReader::new(std::io::Cursor::new(&small)).unwrap();
    let entry = npz.entry("x").unwrap();
    let data = entry.data_offset().unwrap();
    let offset = entry.offset().unwrap() as usize;
    // The header of the real shape has the same length, thanks to the room NumPy leaves.
    let header = npy_header(len);
    assert_eq!(header.len() as u64, data - offset as u64);
    let size = header.len() as u64 + len * 8;

    let mut file = File::create(path).unwrap();
    let name = b"x.npy";
    let local = |out: &mut Vec<u8>| {
        out.extend(b"PK\x03\x04\x2d\0\0\0\0\0\0\0\x21\0");
        out.extend([0; 4]);
        out.extend([0xff; 8]);
        out.extend([5, 0]);
        out.extend(((offset - 35) as u16).to_le_bytes());
        out.extend(name);
        out.extend([1, 0, 16, 0]);
        out.extend(size.to_le_bytes());
        out.extend(size.to_le_bytes());
        let rest = offset - out.len() - 4;
        out.extend([0x99, 0x99]);
        out.extend((rest as u16).to_le_bytes());
        out.resize(offset, 0);
    };
    let mut start = Vec::new();
    local(&mut start);
    start.extend(&header);
    file.write_all(&start).unwrap();
    let directory = offset as u64 + size;
    file.seek(SeekFrom::Start(directory)).unwrap();
    let mut end = Vec::new();
    end.extend(b"PK\x01\x02\x2d\x03\x2d\0\0\0\0\0\0\0\x21\0");
    end.extend([0; 4]);
    end.extend([0xff; 8]);
    end.extend([5, 0, 20, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
    end.extend(name);
    end.extend([1, 0, 16, 0]);
    end.extend(size.to_le_bytes());
    end.extend(size.to_le_bytes());
    let len = end.len() as u64;
    end.extend(b"PK\x06\x06");
    end.extend(44_u64.to_le_bytes());
    end.extend([0x2d, 0, 0x2d, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
    for n in [1, 1, len, directory] {
        end.extend(n.to_le_bytes());
    }
    end.extend(b"PK\x06\x07\0\0\0\0");
    end.extend((directory + len).to_le_bytes());
    end.extend([1, 0, 0, 0]);
    end.extend(b"PK\x05\x06\0\0\0\0\x01\0\x01\0");
    end.extend((len as u32).to_le_bytes());
    end.extend([0xff; 4]);
    end.extend([0, 0]);
    file.write_all(&end).unwrap();
}

fn npy_header(len: u64) -> Vec<u8> {
    let bytes = npy("'<f8'", "False", &format!("({len},)"), 128, b"");
    Header::read(&mut &bytes[..]).unwrap().to_bytes()
}

#[test]
fn a_large_member_costs_nothing() {
    let dir = Scratch::new("mmap-cost");
    let path = dir.path("big.npz");
    sparse(&path, 8 << 20);
    let (first, taken) = peak(|| {
        let map = map_npz(&path).unwrap();
        let x = map.array::<f64>("x").unwrap();
        assert_eq!(x.len(), 8 << 20);
        x.slice((8 << 20) - 3..).unwrap().as_slice()[0]
    });
    assert_eq!(first, 0.0);
    assert!(taken < 1 << 18, "{taken} bytes for a member of 64 MiB");

    // The file is what it says: the checksum, which is that of zeros no more, is wrong.
    let map = map_npz(&path).unwrap();
    assert_eq!(map.verify("x").unwrap_err().kind(), ErrorKind::CorruptArchive);
    let mut npz = serde_npz::NpzReader::open(&path).unwrap();
    let entry = npz.entry("x").unwrap();
    assert_eq!((entry.unmappable(), entry.size()), (None, 128 + (64 << 20)));

    let path = dir.path("big.npy");
    let file = File::create(&path).unwrap();
    (&file).write_all(&npy_header(8 << 20)).unwrap();
    file.set_len(128 + (64 << 20)).unwrap();
    let (sum, taken) = peak(|| {
        let map = map_npy(&path).unwrap();
        map.read_rows::<Vec<f64>>(1000..1010).unwrap().iter().sum::<f64>()
    });
    assert!(sum == 0.0 && taken < 1 << 16, "{taken} bytes");
}

#[test]
fn archives_of_numpy_are_lent_where_they_lie_well() {
    // As np.savez lays them out: no padding, so that a member lies where the names before it put it.
    let dir = Scratch::new("mmap-foreign");
    let data = serde_npz::to_npy_vec(&[1.5, 2.5]).unwrap();
    let mut lent = 0;
    for name in [
        "x.npy",
        "xy.npy",
        "xyz.npy",
        "abcd.npy",
        "abcde.npy",
        "abcdef.npy",
        "abcdefg.npy",
        "abcdefgh.npy",
    ] {
        let path = dir.path("x.npz");
        fs::write(&path, unaligned(name, &data)).unwrap();
        let map = map_npz(&path).unwrap();
        let key = name.strip_suffix(".npy").unwrap();
        let reason = serde_npz::NpzReader::open(&path)
            .unwrap()
            .entry(key)
            .unwrap()
            .unmappable();
        match map.array::<f64>(key) {
            Ok(view) => {
                lent += 1;
                assert_eq!((view.as_slice(), reason), (&[1.5, 2.5][..], None));
            }
            Err(err) => {
                assert_eq!(
                    (err.kind(), reason),
                    (ErrorKind::TypeMismatch, Some(Unmappable::Misaligned))
                );
                assert!(err.to_string().contains("`get`"), "{err}");
                // The copy is there all the same.
                assert_eq!(map.get::<Vec<f64>>(key).unwrap(), [1.5, 2.5]);
            }
        }
    }
    assert_eq!(lent, 1, "each name lies one byte further");
}

/// One stored member without extra fields.
fn unaligned(name: &str, data: &[u8]) -> Vec<u8> {
    let crc = crc32fast::hash(data).to_le_bytes();
    let size = (data.len() as u32).to_le_bytes();
    let name_len = (name.len() as u16).to_le_bytes();
    let common = [
        &[20, 0, 0, 0, 0, 0, 0, 0, 0x21, 0],
        &crc[..],
        &size,
        &size,
        &name_len,
        &[0, 0],
    ]
    .concat();
    let local = [b"PK\x03\x04", &common[..], name.as_bytes(), data].concat();
    let central = [b"PK\x01\x02\x14\x03", &common[..], &[0; 14], name.as_bytes()].concat();
    let end = [
        &b"PK\x05\x06\0\0\0\0\x01\0\x01\0"[..],
        &(central.len() as u32).to_le_bytes(),
        &(local.len() as u32).to_le_bytes(),
        &[0, 0],
    ]
    .concat();
    [local, central, end].concat()
}

#[test]
#[ignore = "needs Python with NumPy"]
fn numpy_maps_ours_and_we_map_its_files() {
    let dir = Scratch::new("mmap-live");
    let mut map = map_new::<i16>(dir.path("ours.npy"), &[5, 2]).unwrap();
    map.array_mut::<i16>()
        .unwrap()
        .row_mut(4)
        .unwrap()
        .as_mut_slice()
        .copy_from_slice(&[7, -8]);
    map.flush().unwrap();
    let fortran = [1.0, 4.0, 2.0, 5.0, 3.0, 6.0];
    serde_npz::save_npy(dir.path("fortran.npy"), &ArrayView::fortran(&fortran, &[2, 3]).unwrap()).unwrap();
    serde_npz::save_npz(dir.path("ours.npz"), &run()).unwrap();

    let script = r#"
import os, sys, numpy as np
os.chdir(sys.argv[1])
a = np.load("ours.npy", mmap_mode="r+")
assert a.shape == (5, 2) and a.dtype == np.int16 and a[4].tolist() == [7, -8] and a[:4].sum() == 0
a[0] = [1, 2]
a.flush()
f = np.load("fortran.npy", mmap_mode="r")
assert f.flags.f_contiguous and not f.flags.c_contiguous and f.tolist() == [[1, 2, 3], [4, 5, 6]]
np.save("again.npy", f)
assert open("again.npy", "rb").read() == open("fortran.npy", "rb").read()
with np.load("ours.npz") as z:
    assert z["x"].shape == (10, 3)
m = np.lib.format.open_memmap("theirs.npy", mode="w+", dtype="c8", shape=(3, 2), fortran_order=True)
m[:] = [[1, 2j], [3, 4j], [5, 6j]]
m.flush()
n = {"x": np.arange(6.0).reshape(2, 3), "flags": np.array([True, False]), "big": np.arange(3, dtype=">i4")}
np.savez("theirs.npz", **n)
"#;
    drop(map);
    common::python(script, &[dir.0.as_os_str()]);
    let map = map_npy(dir.path("ours.npy")).unwrap();
    assert_eq!(map.array::<i16>().unwrap().row(0).unwrap().as_slice(), [1, 2]);

    let theirs = map_npy(dir.path("theirs.npy")).unwrap();
    let view = theirs.array::<Complex<f32>>().unwrap();
    assert!(view.fortran_order() && view.shape() == [3, 2]);
    assert_eq!(view.get(&[2, 1]), Some(Complex::new(0.0, 6.0)));

    #[derive(Deserialize)]
    struct Theirs<'a> {
        #[serde(borrow)]
        x: ArrayView<'a, f64>,
        #[serde(borrow)]
        flags: ArrayView<'a, bool>,
        #[serde(borrow)]
        big: ArrayView<'a, i32>,
    }
    let map = map_verified(dir.path("theirs.npz")).unwrap();
    let theirs: Theirs = map.deserialize().unwrap();
    assert_eq!(
        (theirs.x.shape(), theirs.x.as_slice()),
        (&[2, 3][..], &[0.0, 1.0, 2.0, 3.0, 4.0, 5.0][..])
    );
    assert_eq!(
        (theirs.flags.as_slice(), theirs.big.as_slice()),
        (&[true, false][..], &[0, 1, 2][..])
    );
    assert!(theirs.flags.borrowed().is_some() && theirs.big.borrowed().is_none());
}
