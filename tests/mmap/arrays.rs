//! One mapped array: what is lent as a slice, what is refused and why, and files that change in place.

use std::error::Error as _;
use std::fs;

use half::f16;
use num_complex::Complex;
use serde::Serialize;
use serde_npz::{ArrayView, Element, ErrorKind, Header, NpyMmap, NpyMmapMut};

use crate::common::Scratch;
use crate::{map_copy_on_write, map_in_place, map_new, map_npy, map_npz, npy};

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
        assert!(format!("{err:#}").contains(word), "{err} lacks {word}");
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

        // The same written in place; the file is then what `save_npy` writes.
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
    // Saving the view gives the bytes of the file.
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
    // Rows are scattered, so they are copies.
    assert_eq!(
        (view.row(1).unwrap().as_slice(), view.row(1).unwrap().borrowed()),
        (&[4, 5, 6][..], None)
    );
    let slice = view.slice(1..).unwrap();
    assert_eq!((slice.shape(), slice.to_vec()), (&[1, 3][..], vec![4, 5, 6]));
    let rows: Vec<Vec<i32>> = view.rows().unwrap().map(|row| row.to_vec()).collect();
    assert_eq!(rows, [[1, 2, 3], [4, 5, 6]]);
    assert_eq!(map.read_rows::<Vec<[i64; 3]>>(1..).unwrap(), [[4, 5, 6]]);
    assert_eq!(view.transposed().row(2).unwrap().as_slice(), [3, 6]);
    assert_eq!(map.read::<Vec<[i32; 3]>>().unwrap(), [[1, 2, 3], [4, 5, 6]]);
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
    // Bytes need neither order nor alignment.
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
    // Too short: refused, and not made longer.
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
        err.kind() == ErrorKind::Io && format!("{err:#}").contains("none.npy"),
        "{err}"
    );
    assert_eq!(map_npy(dir.path("")).unwrap_err().kind(), ErrorKind::Io);
    assert_eq!(map_npz(dir.path("")).unwrap_err().kind(), ErrorKind::Io);
    let err = map_npz(&path).unwrap_err();
    assert!(
        err.kind() == ErrorKind::BadMagic && err.hint().is_some_and(|hint| hint.contains("load_npy")),
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

    // `create` does not touch a file that exists.
    let err = map_new::<f64>(&path, &[2]).unwrap_err();
    assert_eq!(err.kind(), ErrorKind::Io);
    assert!(format!("{err:#}").contains("open_in_place"), "{err}");
    assert_eq!(serde_npz::load_npy::<Vec<[f64; 2]>>(&path).unwrap(), after);

    let path = dir.path("new.npy");
    let err = map_new::<f64>(&path, &[1 << 31, 1 << 31]).unwrap_err();
    assert_eq!(err.kind(), ErrorKind::LimitExceeded);
    // Longer than a file can be: the file it began is removed.
    assert!(map_new::<u8>(&path, &[i64::MAX as usize - 1]).is_err());
    assert!(!path.exists());
    let map = map_new::<f32>(&path, &[3, 2]).unwrap();
    let written = serde_npz::to_npy_vec(&[[0.0_f32; 2]; 3]).unwrap();
    assert_eq!(fs::read(&path).unwrap(), written);
    drop(map);

    // Like another array, here in Fortran order and of records.
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
            err.kind() == ErrorKind::Io && format!("{err:#}").contains("x.npy` locked"),
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
    assert!(format!("{err:#}").contains("element 1"), "{err}");
}
