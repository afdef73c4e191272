//! The `zip` crate as a strict second reader of everything the writer makes.

use std::collections::BTreeMap;
use std::io::{Cursor, Read};

use serde_npz::{NpzWriter, WriteOptions};
use zip::read::ZipReadOptions;
use zip::{CompressionMethod, ZipArchive};

use crate::common::Scratch;

type Members = BTreeMap<String, Vec<f64>>;

/// Members of all sizes: empty, kept until their size is known, passed on, of several blocks, and names beyond ASCII.
fn members() -> Members {
    let wave = |n: u32| (0..n).map(|i| (0.001 * f64::from(i)).sin()).collect::<Vec<_>>();
    [
        ("empty", 0),
        ("größe", 10),
        ("gathered", 8_000),
        ("passed", 8_200),
        ("blocks", 200_000),
        ("後", 1),
    ]
    .map(|(name, n)| (name.to_owned(), wave(n)))
    .into()
}

/// The members by their names, each read to its end; local headers, overlap and the alignment of stored members are checked.
#[track_caller]
fn read(bytes: &[u8]) -> BTreeMap<String, Vec<u8>> {
    let mut zip = ZipArchive::new(Cursor::new(bytes)).unwrap();
    assert!(!zip.has_overlapping_entries().unwrap());
    let mut found = BTreeMap::new();
    for i in 0..zip.len() {
        let strict = ZipReadOptions::new().enforce_header_consistency(true);
        let mut member = zip.by_index_with_options(i, strict).unwrap();
        if member.compression() == CompressionMethod::Stored {
            assert_eq!(member.data_start().unwrap() % 64, 0);
        }
        assert_eq!(member.unix_mode(), Some(0o100_644));
        let name = member.name().unwrap().into_owned();
        let mut bytes = Vec::new();
        member.read_to_end(&mut bytes).unwrap();
        assert!(found.insert(name, bytes).is_none());
    }
    found
}

/// All headers say the same of every member, no header is left over between them, and the members are these.
#[track_caller]
fn check(bytes: &[u8], expected: &Members) {
    let mut zip = ZipArchive::new(Cursor::new(bytes)).unwrap();
    zip.validate_header_consistency().unwrap();
    check_values(bytes, expected);
}

#[track_caller]
fn check_values(bytes: &[u8], expected: &Members) {
    let found: Members = read(bytes)
        .into_iter()
        .map(|(name, bytes)| {
            let name = name.strip_suffix(".npy").unwrap().to_owned();
            (name, serde_npz::from_npy_slice(&bytes).unwrap())
        })
        .collect();
    assert!(found == *expected);
}

#[test]
fn files_and_streams() {
    for options in [WriteOptions::new(), WriteOptions::new().compressed()] {
        for threads in [1, 3] {
            let options = options.clone().threads(threads);
            check(&options.to_npz_vec(&members()).unwrap(), &members());
            let mut stream = Vec::new();
            options.to_npz_stream(&mut stream, &members()).unwrap();
            check(&stream, &members());
        }
    }
}

#[test]
fn more_members_than_16_bits_count() {
    let many: BTreeMap<String, u8> = (0..66_000).map(|i| (i.to_string(), i as u8)).collect();
    let bytes = serde_npz::to_npz_vec(&many).unwrap();
    let mut zip = ZipArchive::new(Cursor::new(&bytes)).unwrap();
    assert_eq!(zip.len(), many.len());
    zip.validate_header_consistency().unwrap();
}

#[test]
fn members_made_of_rows() {
    for options in [WriteOptions::new(), WriteOptions::new().compressed()] {
        let mut npz = NpzWriter::with_options(Cursor::new(Vec::new()), &options);
        let mut expected = Members::new();
        for count in [0_u32, 1, 9, 10, 100_000] {
            let name = format!("g/{count}");
            let rows: Vec<f64> = (0..count).map(f64::from).collect();
            npz.add_rows(&name, rows.iter()).unwrap();
            expected.insert(name, rows);
        }
        npz.add("after", &vec![2.5; 100]).unwrap();
        expected.insert("after".into(), vec![2.5; 100]);
        check(&npz.finish().unwrap().into_inner(), &expected);
    }
}

#[test]
fn archives_that_have_been_appended_to() {
    let dir = Scratch::new("ecosystem-zip-append");
    for options in [WriteOptions::new(), WriteOptions::new().compressed()] {
        let path = options.save_npz(dir.path("x"), &members()).unwrap();
        let mut npz = NpzWriter::append_with(&path, &options).unwrap();
        npz.add("added", &vec![1.5; 10_000]).unwrap();
        npz.remove("gathered").unwrap();
        npz.finish().unwrap();
        let mut expected = members();
        expected.insert("added".into(), vec![1.5; 10_000]);
        expected.remove("gathered");
        // A member that was removed leaves its header behind, which the full check takes for a member without an entry.
        let appended = std::fs::read(&path).unwrap();
        check_values(&appended, &expected);
        ZipArchive::new(Cursor::new(&appended))
            .unwrap()
            .validate_header_consistency()
            .unwrap_err();
        let mut npz = NpzWriter::append(&path).unwrap();
        npz.compact().unwrap();
        npz.finish().unwrap();
        check(&std::fs::read(&path).unwrap(), &expected);
    }
}
