//! Arrays row by row: from files and pipes, back and forth, one behind the other, and out of archives.

use std::collections::BTreeMap;
use std::io::{Cursor, Read, Write};

use crate::common::{Scratch, is};
use crate::zip::{self, Part};
use serde::{Deserialize, Serialize};
use serde_npz::ErrorKind::{
    CorruptArchive, InvalidValue, Io, LimitExceeded, MissingMember, NotAnArray, Truncated, TypeMismatch,
};
use serde_npz::{Limits, NpyReader, NpzReader, NpzWriter, ReadOptions, Result, WriteOptions, to_npy_vec};

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Event {
    t: f64,
    tag: String,
    hits: [u8; 3],
}

fn events(n: u8) -> Vec<Event> {
    (0..n)
        .map(|i| Event {
            t: f64::from(i) / 4.0,
            tag: "x".repeat(usize::from(i % 5)),
            hits: [i, 1, 2],
        })
        .collect()
}

/// Gives one byte at a time, and now and then none.
struct Drip<R>(R, bool);

impl<R: Read> Read for Drip<R> {
    fn read(&mut self, buf: &mut [u8]) -> std::io::Result<usize> {
        self.1 = !self.1;
        if self.1 {
            return Err(std::io::ErrorKind::Interrupted.into());
        }
        let most = buf.len().min(1);
        self.0.read(&mut buf[..most])
    }
}

/// Two rows by two axes in Fortran order, as `np.save(np.asfortranarray([[1., 2., 3.], [4., 5., 6.]]))` without padding.
fn fortran() -> Vec<u8> {
    let text = "{'descr': '<f8', 'fortran_order': True, 'shape': (2, 3), }\n";
    let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
    bytes.extend((text.len() as u16).to_le_bytes());
    bytes.extend_from_slice(text.as_bytes());
    for value in [1.0_f64, 4.0, 2.0, 5.0, 3.0, 6.0] {
        bytes.extend(value.to_le_bytes());
    }
    bytes
}

#[test]
fn rows_of_every_kind_are_those_of_the_whole() {
    fn check<T>(all: &[T])
    where
        T: Serialize + serde::de::DeserializeOwned + PartialEq + std::fmt::Debug,
    {
        let bytes = to_npy_vec(all).unwrap();
        let rows: Vec<T> = NpyReader::new(&bytes[..])
            .unwrap()
            .rows()
            .collect::<Result<_>>()
            .unwrap();
        assert_eq!(rows, all);
        let mut reader = NpyReader::new(Drip(&bytes[..], false)).unwrap();
        let rows: Vec<T> = reader.rows().collect::<Result<_>>().unwrap();
        assert_eq!(rows, all);
        // In portions of any size, from several calls.
        for step in [1, 2, 7] {
            let mut reader = NpyReader::new(&bytes[..]).unwrap();
            let mut rows = Vec::new();
            while rows.len() < all.len() {
                let portion: Vec<T> = reader.rows().take(step).collect::<Result<_>>().unwrap();
                assert!(!portion.is_empty());
                rows.extend(portion);
            }
            assert_eq!(rows, all);
            assert_eq!(reader.rows::<T>().size_hint(), (0, Some(0)));
            assert!(reader.rows::<T>().next().is_none());
        }
    }
    check(&[1.5, 2.5, -0.0]);
    check(&[true, false]);
    check(&["", "ab", "äöü"].map(String::from));
    check(&[[1, 2], [3, 4], [5, 6]]);
    check(&[vec![[1_u8, 2], [3, 4]], vec![[5, 6], [7, 8]]]);
    check(&events(20));
    // Rows larger than what is fetched at once, and many of them in one piece.
    check(&[vec![0.5_f32; 100_000], vec![1.5; 100_000]]);
    check(&(0..20_000).collect::<Vec<i64>>());
    check(&[vec![0_i64; 0], vec![]]);
    check::<f64>(&[]);
}

#[test]
fn seeking_goes_back_and_forth() {
    let all: Vec<[u32; 3]> = (0..10_000).map(|i| [i, 2 * i, 3 * i]).collect();
    let prefix = b"something in front";
    let bytes = [
        &prefix[..],
        &to_npy_vec(&all).unwrap(),
        &to_npy_vec(&[7_u8, 8]).unwrap(),
    ]
    .concat();
    let mut source = Cursor::new(bytes);
    source.set_position(prefix.len() as u64);
    let mut reader = NpyReader::new(std::io::BufReader::new(source)).unwrap();
    let next = |reader: &mut NpyReader<_>| reader.rows::<[u32; 3]>().next().transpose();
    for row in [9_999, 0, 5_000, 4_999, 1, 6_000] {
        reader.seek(row as u64).unwrap();
        assert_eq!(next(&mut reader).unwrap(), Some(all[row]));
        assert_eq!(next(&mut reader).unwrap(), all.get(row + 1).copied());
    }
    reader.seek(10_000).unwrap();
    assert_eq!(next(&mut reader).unwrap(), None);
    let err = reader.seek(10_001).unwrap_err();
    is(err, InvalidValue, "", &["10000 rows", "10001"]);
    // An error that says nothing about the source does not stay.
    reader.seek(3).unwrap();
    is(
        reader.rows::<String>().next().unwrap().unwrap_err(),
        TypeMismatch,
        "[3]",
        &["<u4"],
    );
    is(next(&mut reader).unwrap_err(), TypeMismatch, "[3]", &["<u4"]);
    reader.seek(3).unwrap();
    assert_eq!(next(&mut reader).unwrap(), Some(all[3]));
    // Also from the end, and from the array behind.
    assert!(reader.next_array().unwrap());
    reader.seek(1).unwrap();
    assert_eq!(reader.rows::<u8>().next().unwrap().unwrap(), 8);
    assert!(!reader.next_array().unwrap());
    assert!(reader.rows::<u8>().next().is_none());
    reader.seek(0).unwrap();
    assert_eq!(reader.rows::<u8>().collect::<Result<Vec<_>>>().unwrap(), [7, 8]);
}

#[test]
fn fortran_order_is_turned_once_and_sought_in_memory() {
    let bytes = [fortran(), to_npy_vec(&1.5).unwrap()].concat();
    let mut reader = NpyReader::new(Cursor::new(&bytes[..])).unwrap();
    let row = |reader: &mut NpyReader<_>| reader.rows::<[f64; 3]>().next().unwrap().unwrap();
    assert_eq!(row(&mut reader), [1.0, 2.0, 3.0]);
    assert_eq!(row(&mut reader), [4.0, 5.0, 6.0]);
    for at in [1, 0, 1] {
        reader.seek(at).unwrap();
        assert_eq!(row(&mut reader), [[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]][at as usize]);
    }
    assert!(reader.next_array().unwrap());
    is(
        reader.rows::<f64>().next().unwrap().unwrap_err(),
        TypeMismatch,
        "",
        &["without axes"],
    );
    is(reader.seek(0).unwrap_err(), TypeMismatch, "", &["without axes"]);
    assert!(!reader.next_array().unwrap());

    let alone = fortran();
    let mut reader = NpyReader::new(Cursor::new(&alone[..])).unwrap();
    assert!(!reader.next_array().unwrap());
    reader.seek(1).unwrap();
    assert_eq!(row(&mut reader), [4.0, 5.0, 6.0]);
    // Cut off in the middle of what has to be read whole.
    let mut reader = NpyReader::new(Cursor::new(&bytes[..100])).unwrap();
    is(
        reader.rows::<[f64; 3]>().next().unwrap().unwrap_err(),
        Truncated,
        "",
        &[],
    );
    assert_eq!(reader.next_array().unwrap_err().kind(), Truncated);
}

#[test]
fn the_reader_is_left_right_behind_the_array() {
    let bytes = [&to_npy_vec(&(0..30_000).collect::<Vec<_>>()).unwrap()[..], b"rest"].concat();
    for taken in [0, 1, 29_999, 30_000] {
        let mut rest = &bytes[..];
        let mut reader = NpyReader::new(&mut rest).unwrap();
        assert_eq!(reader.rows::<i32>().take(taken).filter_map(Result::ok).count(), taken);
        reader.finish().unwrap();
        assert_eq!(rest, b"rest");
    }
    let mut reader = NpyReader::new(&bytes[..]).unwrap();
    reader.rows::<i32>().next().unwrap().unwrap();
    is(
        reader.next_array().unwrap_err(),
        serde_npz::ErrorKind::BadMagic,
        "",
        &["rest"],
    );
}

#[test]
fn damaged_arrays_end_with_an_error_that_stays() {
    let bytes = to_npy_vec(&(0..30_000).collect::<Vec<_>>()).unwrap();
    let mut reader = NpyReader::new(&bytes[..bytes.len() - 1]).unwrap();
    let rows: Vec<_> = reader.rows::<i32>().collect();
    let (last, good) = rows.split_last().unwrap();
    assert!(good.iter().all(|row| row.is_ok()) && good.len() < 30_000);
    assert_eq!(last.as_ref().unwrap_err().kind(), Truncated);
    let again = reader.rows::<i32>().next().unwrap().unwrap_err();
    assert_eq!(again.to_string(), last.as_ref().unwrap_err().to_string());
    assert_eq!(reader.next_array().unwrap_err().kind(), Truncated);
    let reader = NpyReader::new(&bytes[..bytes.len() - 1]).unwrap();
    assert_eq!(reader.finish().unwrap_err().kind(), Truncated);

    struct Broken;
    impl Read for Broken {
        fn read(&mut self, _: &mut [u8]) -> std::io::Result<usize> {
            Err(std::io::Error::other("the line is dead"))
        }
    }
    let mut reader = NpyReader::new(bytes[..200].chain(Broken)).unwrap();
    for _ in 0..2 {
        let err = reader.rows::<i32>().last().unwrap().unwrap_err();
        is(err, Io, "[0]", &["the line is dead"]);
    }
    let options = ReadOptions::new().limits(Limits::new().elements(100));
    let mut reader = NpyReader::with_options(&bytes[..], &options).unwrap();
    is(
        reader.rows::<i32>().next().unwrap().unwrap_err(),
        LimitExceeded,
        "",
        &["elements"],
    );
}

/// A type that does not look at what it is given leaves the next row where it is.
#[test]
fn a_row_nobody_looks_at_is_passed_over() {
    struct Blind;
    impl<'de> Deserialize<'de> for Blind {
        fn deserialize<D: serde::Deserializer<'de>>(_: D) -> std::result::Result<Self, D::Error> {
            Ok(Blind)
        }
    }
    let bytes = to_npy_vec(&[[1, 2], [3, 4], [5, 6]]).unwrap();
    let mut reader = NpyReader::new(&bytes[..]).unwrap();
    assert_eq!(reader.rows::<Blind>().take(2).count(), 2);
    assert_eq!(reader.rows::<[i32; 2]>().next().unwrap().unwrap(), [5, 6]);
    // Nor is one whose reading panics ever taken up in its middle.
    struct Panics;
    impl<'de> Deserialize<'de> for Panics {
        fn deserialize<D: serde::Deserializer<'de>>(_: D) -> std::result::Result<Self, D::Error> {
            std::panic::resume_unwind(Box::new(()))
        }
    }
    let mut reader = NpyReader::new(&bytes[..]).unwrap();
    let panicked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        reader.rows::<Panics>().next().is_some()
    }));
    assert!(panicked.is_err());
    assert!(reader.rows::<[i32; 2]>().next().unwrap().is_err());
}

#[test]
fn a_pipe_brings_rows_while_they_are_written() {
    let (reader, mut writer) = std::io::pipe().unwrap();
    let sent = std::thread::spawn(move || {
        serde_npz::to_npy_writer(&mut writer, &events(50)).unwrap();
        serde_npz::to_npy_writer(&mut writer, &(0..100_000).map(f64::from).collect::<Vec<_>>()).unwrap();
        writer.write_all(b"").unwrap();
    });
    let mut reader = NpyReader::new(reader).unwrap();
    assert_eq!(reader.rows::<Event>().collect::<Result<Vec<_>>>().unwrap(), events(50));
    assert!(reader.next_array().unwrap());
    let sum: f64 = reader.rows::<f64>().sum::<Result<f64>>().unwrap();
    assert_eq!(sum, 99_999.0 * 50_000.0);
    assert!(!reader.next_array().unwrap());
    sent.join().unwrap();
}

#[test]
fn members_row_by_row() {
    let data = (events(200), vec![[1.5, 2.5]; 40_000]);
    for options in [WriteOptions::new(), WriteOptions::new().compressed()] {
        let mut npz = NpzWriter::with_options(Cursor::new(Vec::new()), &options);
        npz.add("a/events", &data.0).unwrap();
        npz.add("points", &data.1).unwrap();
        npz.add("scalar", &1.5).unwrap();
        let mut npz = NpzReader::new(npz.finish().unwrap()).unwrap();
        for _ in 0..2 {
            assert_eq!(
                npz.rows("a/events").unwrap().collect::<Result<Vec<Event>>>().unwrap(),
                data.0
            );
            // Left early, the next one starts anew.
            let some: Vec<[f64; 2]> = npz.rows("points").unwrap().take(3).collect::<Result<_>>().unwrap();
            assert_eq!(some, data.1[..3]);
            assert_eq!(
                npz.rows("points").unwrap().collect::<Result<Vec<[f64; 2]>>>().unwrap(),
                data.1
            );
        }
        is(
            npz.rows::<f64>("scalar").map(drop).unwrap_err(),
            TypeMismatch,
            "scalar",
            &["without axes"],
        );
        is(
            npz.rows::<f64>("none").map(drop).unwrap_err(),
            MissingMember,
            "none",
            &[],
        );
        is(npz.rows::<f64>("a").map(drop).unwrap_err(), MissingMember, "a", &[]);
        let mut rows = npz.rows::<String>("points").unwrap();
        is(rows.next().unwrap().unwrap_err(), TypeMismatch, "points[0]", &["<f8"]);
        assert!(rows.next().is_none());
    }
    let mut reader = NpzReader::new(Cursor::new(archive(&fortran(), false))).unwrap();
    let rows: Vec<[f64; 3]> = reader.rows("x").unwrap().collect::<Result<_>>().unwrap();
    assert_eq!(rows, [[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]);
    let mut reader = NpzReader::new(Cursor::new(archive(b"a text", false))).unwrap();
    is(
        reader.rows::<f64>("x").map(drop).unwrap_err(),
        NotAnArray,
        "x",
        &["a text"],
    );
}

/// An archive with the member `x.npy` of these bytes, whatever they are.
fn archive(member: &[u8], deflate: bool) -> Vec<u8> {
    let part = match deflate {
        true => Part::deflated("x.npy", member),
        false => Part::stored("x.npy", member),
    };
    zip::archive(&[part])
}

#[test]
fn damage_in_a_member_is_the_last_item() {
    let all: Vec<u16> = (0..30_000).collect();
    let member = to_npy_vec(&all).unwrap();
    for deflate in [false, true] {
        // Left over behind the array.
        let mut reader = NpzReader::new(Cursor::new(archive(&[&member[..], b"more"].concat(), deflate))).unwrap();
        let items: Vec<_> = reader.rows::<u16>("x").unwrap().collect();
        assert_eq!(items.len(), all.len() + 1);
        assert!(items.iter().zip(&all).all(|(item, row)| item.as_ref().unwrap() == row));
        let err = items.into_iter().next_back().unwrap().unwrap_err();
        is(err, CorruptArchive, "x", &["4 bytes left over"]);
        assert_eq!(reader.verify("x").map_err(|e| e.kind()), Ok(()));
        // Cut off inside.
        let mut reader = NpzReader::new(Cursor::new(archive(&member[..member.len() - 1], deflate))).unwrap();
        let items: Vec<_> = reader.rows::<u16>("x").unwrap().collect();
        assert_eq!(items.last().unwrap().as_ref().unwrap_err().kind(), Truncated);
        // Damaged, so that only the checksum tells.
        let mut bytes = archive(&member, deflate);
        let crc = crc32(&member).to_le_bytes();
        let mut places = Vec::new();
        for at in 0..bytes.len() - 4 {
            if bytes[at..at + 4] == crc {
                places.push(at);
            }
        }
        assert_eq!(places.len(), 2, "in the local header and in the directory");
        for at in places {
            bytes[at] ^= 1;
        }
        let mut reader = NpzReader::new(Cursor::new(bytes)).unwrap();
        let items: Vec<_> = reader.rows::<u16>("x").unwrap().collect();
        assert_eq!(items.len(), all.len() + 1);
        let err = items.into_iter().next_back().unwrap().unwrap_err();
        is(err, CorruptArchive, "x", &["CRC"]);
        is(reader.verify("x").unwrap_err(), CorruptArchive, "x", &["CRC"]);
        // Who leaves early does not learn of it.
        assert!(reader.rows::<u16>("x").unwrap().take(all.len()).all(|row| row.is_ok()));
    }
    let limits = Limits::new().total_bytes(member.len() as u64 * 3 / 2);
    let options = ReadOptions::new().limits(limits);
    let bytes = serde_npz::to_npz_vec(&BTreeMap::from([("x", &all)])).unwrap();
    let mut reader = NpzReader::with_options(Cursor::new(bytes), &options).unwrap();
    assert_eq!(reader.rows::<u16>("x").unwrap().count(), all.len());
    is(
        reader.rows::<u16>("x").map(drop).unwrap_err(),
        LimitExceeded,
        "x",
        &["total_bytes"],
    );
}

fn crc32(bytes: &[u8]) -> u32 {
    let mut crc = !0_u32;
    for byte in bytes {
        crc ^= u32::from(*byte);
        for _ in 0..8 {
            crc = (crc >> 1) ^ (0xedb8_8320 & (crc & 1).wrapping_neg());
        }
    }
    !crc
}

#[test]
fn the_examples_of_files() {
    let dir = Scratch::new("rows-files");
    let path = dir.path("x.npy");
    serde_npz::save_npy(&path, &events(9)).unwrap();
    let mut reader = NpyReader::open(&path).unwrap();
    reader.seek(7).unwrap();
    assert_eq!(
        reader.rows::<Event>().collect::<Result<Vec<_>>>().unwrap(),
        events(9)[7..]
    );
}

#[test]
fn readers_and_writers_go_to_other_threads() {
    fn is_send<T: Send>(_: &T) {}
    fn is_both<T: Send + Sync>() {}
    let bytes = to_npy_vec(&events(3)).unwrap();
    let mut reader = NpyReader::new(&bytes[..]).unwrap();
    is_send(&reader);
    is_send(&reader.rows::<Event>());
    let archive = serde_npz::to_npz_vec(&BTreeMap::from([("x", events(3))])).unwrap();
    let mut npz = NpzReader::new(Cursor::new(&archive)).unwrap();
    is_send(&npz.rows::<Event>("x").unwrap());
    is_both::<NpzReader<Cursor<Vec<u8>>>>();
    is_both::<NpzWriter<Cursor<Vec<u8>>>>();
    is_both::<serde_npz::NpyWriter<Cursor<Vec<u8>>>>();
    is_both::<serde_npz::Checkpoints>();
    is_both::<serde_npz::Value>();
    is_both::<serde_npz::Header>();
    is_both::<(Limits, ReadOptions, WriteOptions)>();
    is_both::<serde_npz::NpzNames<'_>>();
    is_both::<serde_npz::NpzEntries<'_, Cursor<Vec<u8>>>>();
    let (first, rest) = std::thread::scope(|scope| {
        let first = reader.rows::<Event>().next().unwrap().unwrap();
        // Between two rows, to another thread.
        let rest = scope.spawn(move || reader.rows::<Event>().collect::<Result<Vec<_>>>().unwrap());
        (first, rest.join().unwrap())
    });
    assert_eq!((first, rest), (events(3)[0].clone(), events(3)[1..].to_vec()));
}
