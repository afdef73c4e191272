//! Rows of large arrays in Fortran order: gathered from the columns, where the reader can seek.

use std::fs;
use std::io::{Cursor, Read};

use crate::common::{Scratch, npy};
use serde_npz::{ErrorKind, NpyReader, NpzReader, NpzWriter, Value, WriteOptions, from_npy_slice};

const ROWS: usize = 500_000;

/// Ten megabytes: row r has the numbers from 5 r on, in the other byte order.
fn large() -> Vec<u8> {
    let mut data = Vec::with_capacity(ROWS * 20);
    for column in 0..5 {
        for row in 0..ROWS as i32 {
            data.extend((row * 5 + column).to_be_bytes());
        }
    }
    npy("'>i4'", true, &format!("({ROWS}, 5)"), &data)
}

fn row(at: usize) -> [i64; 5] {
    std::array::from_fn(|column| (at * 5 + column) as i64)
}

#[test]
fn rows_and_seeks() {
    let dir = Scratch::new("columns");
    let path = dir.path("x.npy");
    let mut bytes = large();
    bytes.extend(serde_npz::to_npy_vec(&7_u8).unwrap());
    fs::write(&path, &bytes).unwrap();

    let mut reader = NpyReader::open(&path).unwrap();
    let mut count = 0;
    for (at, found) in reader.rows::<[i64; 5]>().enumerate() {
        assert_eq!(found.unwrap(), row(at));
        count += 1;
    }
    assert_eq!(count, ROWS);
    for at in [0, 1, 419_429, 419_430, 419_431, ROWS - 1, 7] {
        reader.seek(at as u64).unwrap();
        assert_eq!(
            reader.rows::<Vec<i32>>().next().unwrap().unwrap(),
            row(at).map(|n| n as i32)
        );
    }
    // A row that does not fit is an error, and another seek leads away from it.
    let err = reader.rows::<[i64; 4]>().next().unwrap().unwrap_err();
    assert_eq!((err.kind(), err.path()), (ErrorKind::TypeMismatch, "[8]"));
    assert!(reader.rows::<[i64; 5]>().next().unwrap().is_err());
    reader.seek(ROWS as u64).unwrap();
    assert!(reader.rows::<[i64; 5]>().next().is_none());
    reader.seek(3).unwrap();
    assert_eq!(reader.rows::<[i64; 5]>().next().unwrap().unwrap(), row(3));
    // The next array comes behind all of the columns.
    assert!(reader.next_array().unwrap());
    assert!(reader.header().shape().is_empty());
    let mut rest = Vec::new();
    reader.finish().unwrap().read_to_end(&mut rest).unwrap();
    assert!(rest.is_empty());

    // Any reader, whole at first, and column by column once it is known to seek.
    let mut reader = NpyReader::new(Cursor::new(&bytes)).unwrap();
    reader.seek(5).unwrap();
    assert_eq!(reader.rows::<[i64; 5]>().next().unwrap().unwrap(), row(5));
    assert_eq!(reader.finish().unwrap().position(), bytes.len() as u64 - 129);
    let mut reader = NpyReader::new(&bytes[..]).unwrap();
    assert_eq!(reader.rows::<[i64; 5]>().nth(9).unwrap().unwrap(), row(9));
    assert!(reader.next_array().unwrap());
}

#[test]
fn a_file_that_is_cut_off() {
    let dir = Scratch::new("columns-cut");
    let path = dir.path("x.npy");
    let bytes = large();
    fs::write(&path, &bytes[..bytes.len() - 1]).unwrap();
    let mut reader = NpyReader::open(&path).unwrap();
    let mut rows = reader.rows::<[i64; 5]>();
    assert_eq!(rows.next().unwrap().unwrap(), row(0), "what is there");
    let err = rows.find_map(Result::err).unwrap();
    assert_eq!(err.kind(), ErrorKind::Truncated);
    assert_eq!(reader.next_array().unwrap_err().kind(), ErrorKind::Truncated);
    // Nothing is taken because a header says so.
    let lie = npy("'<f8'", true, "(3, 1099511627776)", &[0; 24]);
    fs::write(&path, &lie).unwrap();
    let mut reader = NpyReader::open_with(
        &path,
        &serde_npz::ReadOptions::new().limits(serde_npz::Limits::unlimited()),
    )
    .unwrap();
    let err = reader.rows::<Vec<f64>>().next().unwrap().unwrap_err();
    assert_eq!(err.kind(), ErrorKind::Truncated);
}

#[test]
fn members_of_archives() {
    let value: Value = from_npy_slice(&large()).unwrap();
    for options in [WriteOptions::new(), WriteOptions::new().compressed()] {
        let mut npz = NpzWriter::with_options(Cursor::new(Vec::new()), &options);
        npz.add("before", "text").unwrap();
        npz.add("x", &value).unwrap();
        npz.add("after", &1).unwrap();
        let mut bytes = npz.finish().unwrap().into_inner();
        let mut npz = NpzReader::new(Cursor::new(&bytes)).unwrap();
        let mut count = 0;
        for (at, found) in npz.rows::<[i64; 5]>("x").unwrap().enumerate() {
            assert_eq!(found.unwrap(), row(at));
            count += 1;
        }
        assert_eq!(count, ROWS);
        assert_eq!(npz.get::<i32>("after").unwrap(), 1);
        // The checksum comes last.
        let middle = bytes.len() / 2;
        bytes[middle] ^= 1;
        let mut npz = NpzReader::new(Cursor::new(&bytes)).unwrap();
        let last = npz
            .rows::<[i64; 5]>("x")
            .and_then(|rows| rows.last().unwrap())
            .unwrap_err();
        assert_eq!((last.kind(), last.path()), (ErrorKind::CorruptArchive, "x"));
    }
}

#[test]
fn records_of_several_axes() {
    let dir = Scratch::new("columns-records");
    let path = dir.path("x.npy");
    // (rows, 2, 3): the row runs fastest, the last axis slowest.
    let rows = 300_000;
    let mut data = Vec::new();
    for last in 0..3_u8 {
        for middle in 0..2_u8 {
            for row in 0..rows as u32 {
                data.extend(row.to_le_bytes());
                data.push(last * 2 + middle);
            }
        }
    }
    fs::write(
        &path,
        npy("[('t', '<u4'), ('b', '|u1')]", true, &format!("({rows}, 2, 3)"), &data),
    )
    .unwrap();
    let mut reader = NpyReader::open(&path).unwrap();
    let mut count = 0;
    for (at, found) in reader.rows::<[[(u32, u8); 3]; 2]>().enumerate() {
        let t = at as u32;
        assert_eq!(found.unwrap(), [[(t, 0), (t, 2), (t, 4)], [(t, 1), (t, 3), (t, 5)]]);
        count += 1;
    }
    assert_eq!(count, rows);
}
