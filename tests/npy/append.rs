//! An array that grows in place: what it takes, and what it refuses before a byte is written.

mod converted;
mod interrupted;
mod numpy;

use std::fs;
use std::io::Cursor;
use std::path::Path;
use std::time::Duration;

use crate::common::{Scratch, is};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_npz::ErrorKind::{InvalidValue, Io, LimitExceeded, MixedTypes, Pickle, Ragged, Truncated, TypeMismatch};
use serde_npz::{ErrorKind, NpyWriter, WriteOptions, load_npy, save_npy, to_npy_vec};

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Step {
    t: f64,
    id: u32,
    at: [f32; 2],
    tag: String,
}

fn step(i: u32, tag: &str) -> Step {
    Step {
        t: f64::from(i) * 0.5,
        id: i,
        at: [i as f32, -1.0],
        tag: tag.into(),
    }
}

/// A header as somebody else may write it, and data.
fn file(text: &str, data: &[u8]) -> Vec<u8> {
    let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
    bytes.extend((text.len() as u16).to_le_bytes());
    bytes.extend_from_slice(text.as_bytes());
    bytes.extend_from_slice(data);
    bytes
}

fn le(values: &[f64]) -> Vec<u8> {
    values.iter().flat_map(|v| v.to_le_bytes()).collect()
}

#[test]
fn the_bytes_are_those_of_one_save() {
    fn check<T: Serialize>(dir: &Scratch, all: &[T]) {
        let path = dir.path("grown.npy");
        for cut in [1, 2, all.len() - 1, all.len()] {
            save_npy(&path, &all[..cut]).unwrap();
            let mut writer = NpyWriter::append(&path).unwrap();
            assert_eq!(writer.len(), cut as u64);
            for (i, row) in all[cut..].iter().enumerate() {
                writer.push(row).unwrap();
                // Counts of one, two and three digits, some of which reach the file.
                if i % 7 == 0 {
                    writer.flush().unwrap();
                    let whole = to_npy_vec(&all[..cut + i + 1]).unwrap();
                    assert_eq!(fs::read(&path).unwrap(), whole);
                }
            }
            writer.finish().unwrap();
            assert!(fs::read(&path).unwrap() == to_npy_vec(all).unwrap());
        }
    }
    let dir = Scratch::new("append-bytes");
    check(&dir, &(0..120).map(f64::from).collect::<Vec<_>>());
    check(&dir, &(0..120).map(|i| i % 3 == 0).collect::<Vec<_>>());
    check(
        &dir,
        &(0..12).map(|i| [[i, 2 * i], [-i, 7]]).collect::<Vec<[[i64; 2]; 2]>>(),
    );
    check(&dir, &(0..12).map(|i| vec![i as u16; 40_000]).collect::<Vec<_>>());
    check(&dir, &(0..102).map(|i| step(i, "tags")).collect::<Vec<_>>());
    check(&dir, &["long", "b", "", "d", "äöü€", "f"]);
    check(
        &dir,
        &(0..20)
            .map(|i| num_complex::Complex::new(f64::from(i), 1.0))
            .collect::<Vec<_>>(),
    );
    check(&dir, &(0..5).map(|i| half::f16::from_f32(i as f32)).collect::<Vec<_>>());
    check(&dir, &(0..5).map(Duration::from_secs).collect::<Vec<_>>());
    check(&dir, &[vec![0_f32; 0], vec![], vec![]]);
}

#[cfg(feature = "ndarray-0_17")]
#[test]
fn an_ndarray_is_a_row_like_any_other() {
    let dir = Scratch::new("append-ndarray");
    let path = dir.path("matrices.npy");
    let matrix = |i: i32| ndarray::Array2::from_shape_fn((2, 3), |(r, c)| i * 100 + (r * 3 + c) as i32);
    NpyWriter::create(&path).unwrap().finish().unwrap();
    for i in 0..12 {
        let mut writer = NpyWriter::append(&path).unwrap();
        writer.push(&matrix(i)).unwrap();
        writer.finish().unwrap();
    }
    let all = ndarray::Array3::from_shape_fn((12, 2, 3), |(i, r, c)| matrix(i as i32)[(r, c)]);
    assert!(fs::read(&path).unwrap() == to_npy_vec(&all).unwrap());
}

#[test]
fn rows_unlike_those_of_the_file_are_refused_and_nothing_is_written() {
    let dir = Scratch::new("append-unlike");
    let path = dir.path("x.npy");
    let refuse = |push: &dyn Fn(&mut NpyWriter<fs::File>) -> serde_npz::Result<()>, kind, words: &[&str]| {
        let before = fs::read(&path).unwrap();
        let mut writer = NpyWriter::append(&path).unwrap();
        let rows = writer.len();
        let err = push(&mut writer).unwrap_err();
        assert!(err.path().starts_with(&format!("[{rows}]")), "{err}");
        let at = err.path().to_owned();
        is(err, kind, &at, words);
        writer.finish().unwrap();
        assert_eq!(fs::read(&path).unwrap(), before);
    };
    save_npy(&path, &vec![[1_f32, 2.0]]).unwrap();
    refuse(&|w| w.push(&[1_f64, 2.0]), MixedTypes, &["<f8", "<f4", "in the file"]);
    refuse(&|w| w.push(&["1", "2"]), MixedTypes, &["<U1", "<f4"]);
    refuse(
        &|w| w.push(&[1_f32, 2.0, 3.0]),
        Ragged,
        &["(3,)", "(2,)", "in the file"],
    );
    refuse(&|w| w.push(&1_f32), MixedTypes, &["()", "(2,)"]);
    refuse(&|w| w.push(&[[1_f32, 2.0]]), MixedTypes, &["(1, 2)", "(2,)"]);
    refuse(&|w| w.push(&()), ErrorKind::UnsupportedType, &["()"]);
    save_npy(&path, &vec![step(1, "four")]).unwrap();
    refuse(&|w| w.push(&step(2, "longer")), InvalidValue, &["6 characters", "4"]);
    refuse(&|w| w.push(&(1.0, 2_u32, [1_f32, 2.0])), MixedTypes, &["'f0'", "'t'"]);
    save_npy(&path, &vec![1_u8]).unwrap();
    refuse(&|w| w.push(&256), InvalidValue, &["256", "<i4", "|u1"]);

    // After a refused row the writer takes rows that fit.
    let mut writer = NpyWriter::append(&path).unwrap();
    writer.push(&-1_i8).unwrap_err();
    writer.push(&2_u8).unwrap();
    writer.push("two").unwrap_err();
    writer.push(&3_u8).unwrap();
    writer.finish().unwrap();
    assert_eq!(load_npy::<Vec<u8>>(&path).unwrap(), [1, 2, 3]);
}

#[test]
fn files_that_cannot_grow_are_refused_and_stay_as_they_are() {
    let dir = Scratch::new("append-refused");
    let path = dir.path("x.npy");
    let refuse = |bytes: Vec<u8>, kind, words: &[&str]| {
        fs::write(&path, &bytes).unwrap();
        is(NpyWriter::append(&path).unwrap_err(), kind, "", words);
        assert_eq!(fs::read(&path).unwrap(), bytes);
    };
    refuse(to_npy_vec(&1.5).unwrap(), TypeMismatch, &["without axes", "save_npy"]);
    let fortran = "{'descr': '<f8', 'fortran_order': True, 'shape': (2, 1), }    \n";
    refuse(file(fortran, &le(&[1.0, 2.0])), TypeMismatch, &["Fortran", "save_npy"]);
    let object = "{'descr': '|O', 'fortran_order': False, 'shape': (2,), }    \n";
    refuse(file(object, b"\x80\x04"), Pickle, &[]);
    let mut short = to_npy_vec(&vec![1.0, 2.0]).unwrap();
    short.pop();
    refuse(short, Truncated, &["143 bytes", "144"]);
    let two = [to_npy_vec(&vec![1.0]).unwrap(), to_npy_vec(&vec![2.0]).unwrap()].concat();
    refuse(two, TypeMismatch, &["another array behind"]);
    let hollow = [to_npy_vec(&Vec::<f64>::new()).unwrap(), to_npy_vec(&vec![2.0]).unwrap()].concat();
    refuse(hollow, TypeMismatch, &["another array behind"]);
    let hidden = "{'sh\\x61pe': (2,), 'fortran_order': False, 'descr': '<f8'}    \n";
    refuse(
        file(hidden, &le(&[1.0, 2.0])),
        ErrorKind::BadHeader,
        &["in place", "save_npy"],
    );
    refuse(b"PK\x03\x04".to_vec(), ErrorKind::BadMagic, &[]);

    is(NpyWriter::append(&dir.0).unwrap_err(), Io, "", &["plain file"]);
    if cfg!(unix) {
        is(NpyWriter::append("/dev/zero").unwrap_err(), Io, "", &["plain file"]);
    }
}

/// A row that panics once half of it is encoded.
struct Panics;

impl Serialize for Panics {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        use serde::ser::SerializeTuple;
        let mut tuple = serializer.serialize_tuple(2)?;
        tuple.serialize_element(&7.0)?;
        std::panic::resume_unwind(Box::new(()));
    }
}

#[test]
fn a_row_that_panics_or_is_refused_takes_no_other_row_with_it() {
    let mut writer = NpyWriter::new(Cursor::new(Vec::new())).unwrap();
    for i in 0..3 {
        writer.push(&[f64::from(i), 1.0]).unwrap();
        let panicked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| writer.push(&Panics)));
        assert!(panicked.is_err());
        writer.push(&[1.0, 2.0, 3.0]).unwrap_err();
        writer.push(&(1.0, "text")).unwrap_err();
    }
    assert_eq!(writer.len(), 3);
    let bytes = writer.finish().unwrap().into_inner();
    assert_eq!(
        bytes,
        to_npy_vec(&[[0.0, 1.0], [1.0, 1.0], [2.0, 1.0]].to_vec()).unwrap()
    );
}

/// The first row is measured, all others are only compared with it: they are held to the same rules.
#[test]
fn a_later_row_is_held_to_the_rules_of_the_first() {
    #[derive(Serialize)]
    struct Reading(#[serde(with = "serde_npz::with::nan")] Option<f64>);

    let mut writer = NpyWriter::new(Cursor::new(Vec::new())).unwrap();
    writer.push(&Reading(Some(1.0))).unwrap();
    writer.push(&Reading(None)).unwrap();
    is(
        writer.push(&Reading(Some(f64::NAN))).unwrap_err(),
        InvalidValue,
        "[2]",
        &["Some(NaN)"],
    );
    writer.push(&Reading(Some(2.0))).unwrap();
    let bytes = writer.finish().unwrap().into_inner();
    let read: Vec<f64> = serde_npz::from_npy_slice(&bytes).unwrap();
    assert_eq!((read.len(), read[0], read[2]), (3, 1.0, 2.0));
    assert!(read[1].is_nan());
}

#[test]
fn a_sequence_follows_a_tuple_of_as_many_items() {
    let mut writer = NpyWriter::new(Cursor::new(Vec::new())).unwrap();
    writer.push(&[[1.0, 2.0], [3.0, 4.0]]).unwrap();
    writer.push(&vec![vec![5.0, 6.0], vec![7.0, 8.0]]).unwrap();
    writer.push(&[vec![9.0, 10.0], vec![11.0, 12.0]]).unwrap();
    writer.push(&vec![[13.0, 14.0], [15.0, 16.0]]).unwrap();
    is(
        writer.push(&vec![vec![1.0], vec![2.0]]).unwrap_err(),
        Ragged,
        "[4]",
        &["found 1 elements", "expected 2"],
    );
    let bytes = writer.finish().unwrap().into_inner();
    let read: Vec<[[f64; 2]; 2]> = serde_npz::from_npy_slice(&bytes).unwrap();
    assert_eq!(read.concat().concat(), (1..=16).map(f64::from).collect::<Vec<_>>());
}

#[test]
fn a_text_too_long_is_named_where_it_is() {
    let mut writer = NpyWriter::new(Cursor::new(Vec::new())).unwrap();
    writer.push(&(1_u8, ("ab", 2.0))).unwrap();
    let error = writer.push(&(3_u8, ("abc", 4.0))).unwrap_err();
    assert_eq!((error.kind(), error.path()), (InvalidValue, "[1][1][0]"), "{error}");
}

#[test]
fn a_header_without_room_takes_as_many_rows_as_its_digits_can_tell() {
    let dir = Scratch::new("append-room");
    let path = dir.path("x.npy");
    fs::write(
        &path,
        file(
            "{'descr': '<f8', 'fortran_order': False, 'shape': (8,), }\n",
            &le(&[0.0; 8]),
        ),
    )
    .unwrap();
    let mut writer = NpyWriter::append(&path).unwrap();
    writer.push(&1.0).unwrap();
    let err = is(
        writer.push(&2.0).unwrap_err(),
        LimitExceeded,
        "[9]",
        &["room", "save_npy"],
    );
    assert!(format!("{err:#}").contains("9 rows"), "{err}");
    writer.finish().unwrap();
    let values: Vec<f64> = load_npy(&path).unwrap();
    assert_eq!((values.len(), values[8]), (9, 1.0));

    // The way out that the message names.
    save_npy(&path, &values).unwrap();
    let mut writer = NpyWriter::append(&path).unwrap();
    writer.push(&2.0).unwrap();
    writer.finish().unwrap();
    assert_eq!(load_npy::<Vec<f64>>(&path).unwrap().len(), 10);

    // Rows without a byte count as well, up to the largest number a header may hold.
    let most = i64::MAX as u64;
    let text = format!(
        "{{'descr': '|V0', 'fortran_order': False, 'shape': ({},), }}   \n",
        most - 1
    );
    fs::write(&path, file(&text, b"")).unwrap();
    #[derive(Serialize)]
    struct Empty {}
    let mut writer = NpyWriter::append(&path).unwrap();
    assert_eq!(writer.len(), most - 1);
    assert!(writer.push(&Empty {}).is_err());
    writer.finish().unwrap();
}

#[test]
fn the_order_and_the_padding_of_the_file_are_kept() {
    let dir = Scratch::new("append-order");
    let path = dir.path("x.npy");
    fn grow<T>(path: &Path, text: &str, first: &[u8], rows: &[T], then: &[u8])
    where
        T: Serialize + DeserializeOwned + PartialEq + std::fmt::Debug,
    {
        fs::write(path, file(text, first)).unwrap();
        let mut writer = NpyWriter::append(path).unwrap();
        for row in rows {
            writer.push(row).unwrap();
        }
        writer.finish().unwrap();
        let bytes = fs::read(path).unwrap();
        assert_eq!(&bytes[10 + text.len()..], [first, then].concat(), "{text}");
        let back: Vec<T> = load_npy(path).unwrap();
        assert_eq!(&back[back.len() - rows.len()..], rows);
    }
    let head = |descr: &str, shape: &str| {
        format!("{{'descr': {descr}, 'fortran_order': False, 'shape': {shape}, }}          \n")
    };
    grow(&path, &head("'>f8'", "(0,)"), b"", &[1.0], &1_f64.to_be_bytes());
    grow(
        &path,
        &head("'>i2'", "(1, 2)"),
        b"\0\x01\0\x02",
        &[[3_i16, 258]],
        b"\0\x03\x01\x02",
    );
    grow(
        &path,
        &head("'>U2'", "(0,)"),
        b"",
        &["é".to_owned()],
        b"\0\0\0\xe9\0\0\0\0",
    );
    let complex = num_complex::Complex::new(1_f32, 2.0);
    grow(
        &path,
        &head("'>c8'", "(0,)"),
        b"",
        &[complex],
        &[1_f32.to_be_bytes(), 2_f32.to_be_bytes()].concat(),
    );
    grow(&path, &head("'|S3'", "(0, 1)"), b"", &[[0_u8; 0]; 0], b"");
    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Padded {
        a: u8,
        b: [u16; 2],
        c: (i8, f32),
    }
    let descr = "[('a', '|u1'), ('', '|V1'), ('b', '>u2', (2,)), (('title', 'c'), [('f0', '|i1'), ('', '|V3'), ('f1', '>f4')]), ('', '|V2')]";
    grow(
        &path,
        &head(descr, "(0,)"),
        b"",
        &[Padded {
            a: 7,
            b: [1, 258],
            c: (-1, 1.0),
        }],
        b"\x07\0\0\x01\x01\x02\xff\0\0\0\x3f\x80\0\0\0\0",
    );
    // Narrower texts are padded to the width of the file.
    grow(
        &path,
        &head("'<U3'", "(0,)"),
        b"",
        &["a".to_owned()],
        b"a\0\0\0\0\0\0\0\0\0\0\0",
    );
}

#[test]
fn what_a_killed_writer_left_behind_is_cut_off() {
    let dir = Scratch::new("append-rest");
    let path = dir.path("x.npy");
    let whole = to_npy_vec(&vec![1.0, 2.0]).unwrap();
    fs::write(&path, [&whole[..], &[0xff; 1001]].concat()).unwrap();
    assert_eq!(load_npy::<Vec<f64>>(&path).unwrap(), [1.0, 2.0]);
    NpyWriter::append(&path).unwrap().finish().unwrap();
    assert!(fs::read(&path).unwrap() == whole);
    fs::write(&path, [&whole[..], b"\x93NUM"].concat()).unwrap();
    let mut writer = NpyWriter::append(&path).unwrap();
    writer.push(&3.0).unwrap();
    writer.finish().unwrap();
    assert!(fs::read(&path).unwrap() == to_npy_vec(&vec![1.0, 2.0, 3.0]).unwrap());
}

#[test]
fn a_file_without_rows_takes_what_the_first_row_brings() {
    let dir = Scratch::new("append-empty");
    let path = dir.path("log");
    let file = dir.path("log.npy");
    NpyWriter::create(&path).unwrap().finish().unwrap();
    let empty = fs::read(&file).unwrap();
    NpyWriter::append(&path).unwrap().finish().unwrap();
    assert_eq!(fs::read(&file).unwrap(), empty);

    let mut writer = NpyWriter::append(&path).unwrap();
    let wide: Vec<(String, [u8; 3])> = vec![("a text".into(), [1, 2, 3]), ("b".into(), [4, 5, 6])];
    writer.push(&wide[0]).unwrap();
    assert_eq!(fs::read(&file).unwrap(), empty, "not before the flush");
    writer.flush().unwrap();
    assert_eq!(fs::read(&file).unwrap(), to_npy_vec(&wide[..1]).unwrap());
    writer.push(&wide[1]).unwrap();
    writer.finish().unwrap();
    assert_eq!(fs::read(&file).unwrap(), to_npy_vec(&wide).unwrap());
    assert_eq!(dir.files(), ["log.npy"]);

    // An empty array of another dtype than <f8 keeps it.
    save_npy(&file, &Vec::<i64>::new()).unwrap();
    let mut writer = NpyWriter::append(&file).unwrap();
    is(writer.push(&1.0).unwrap_err(), MixedTypes, "[0]", &["<f8", "<i8"]);
    writer.push(&1_i64).unwrap();
    writer.finish().unwrap();
    assert_eq!(load_npy::<Vec<i64>>(&file).unwrap(), [1]);
}

#[test]
fn a_new_file_appears_with_the_first_flush_and_grows_from_there() {
    let dir = Scratch::new("append-create");
    let path = dir.path("log.npy");
    for durable in [false, true] {
        let options = WriteOptions::new().durable(durable);
        let mut writer = NpyWriter::create_with(&path, &options).unwrap();
        writer.flush().unwrap();
        writer.push(&1.0).unwrap();
        assert!(!path.exists());
        writer.flush().unwrap();
        assert_eq!(fs::read(&path).unwrap(), to_npy_vec(&vec![1.0]).unwrap());
        assert_eq!(dir.files(), ["log.npy"]);
        for i in 2..12 {
            writer.push(&f64::from(i)).unwrap();
            if i % 3 == 0 {
                writer.flush().unwrap();
                assert_eq!(load_npy::<Vec<f64>>(&path).unwrap().len(), i as usize);
            }
        }
        // Not flushed: not there.
        drop(writer);
        assert_eq!(load_npy::<Vec<f64>>(&path).unwrap().len(), 9);
        let mut writer = NpyWriter::append_with(&path, &options).unwrap();
        writer.extend([0.5; 3]).unwrap();
        writer.finish().unwrap();
        assert_eq!(load_npy::<Vec<f64>>(&path).unwrap().len(), 12);
        fs::remove_file(&path).unwrap();
    }
    let mut writer = NpyWriter::create(&path).unwrap();
    writer.push(&1.0).unwrap();
    drop(writer);
    assert!(dir.files().is_empty());
}

#[test]
fn a_file_that_is_not_there_yet_is_made() {
    let dir = Scratch::new("append-new");
    let path = dir.path("log.npy");
    for empty in [false, true] {
        if empty {
            fs::write(&path, b"").unwrap();
        }
        for start in 0..3 {
            let mut log = NpyWriter::append(dir.path("log")).unwrap();
            assert_eq!(log.len(), start);
            log.push(&(start as u16, 0.5)).unwrap();
            log.finish().unwrap();
        }
        assert_eq!(
            fs::read(&path).unwrap(),
            to_npy_vec(&vec![(0_u16, 0.5), (1, 0.5), (2, 0.5)]).unwrap()
        );
        assert_eq!(dir.files(), ["log.npy"]);
        fs::remove_file(&path).unwrap();
    }
    // Nothing is there before the first flush, and nothing after a drop.
    let mut log = NpyWriter::append(&path).unwrap();
    log.push(&1).unwrap();
    assert!(!path.exists());
    drop(log);
    assert!(dir.files().is_empty());
    NpyWriter::append(&path).unwrap().finish().unwrap();
    assert!(load_npy::<Vec<f64>>(&path).unwrap().is_empty());
    fs::remove_file(&path).unwrap();
    is(
        NpyWriter::append(dir.path("no/such/log")).unwrap_err(),
        Io,
        "",
        &["log.npy"],
    );
}

/// Two programs that start at the same time may both find no file.
#[test]
fn of_two_that_make_the_file_the_second_is_refused() {
    let dir = Scratch::new("append-both");
    let path = dir.path("log.npy");
    let [mut first, mut second] = [(); 2].map(|()| NpyWriter::append(&path).unwrap());
    first.push(&1).unwrap();
    first.flush().unwrap();
    second.push(&2).unwrap();
    is(second.flush().unwrap_err(), Io, "", &["log.npy", "somebody else"]);
    is(second.push(&2).unwrap_err(), Io, "", &["somebody else"]);
    drop(second);
    first.push(&3).unwrap();
    first.finish().unwrap();
    assert_eq!(load_npy::<Vec<i32>>(&path).unwrap(), [1, 3]);
    assert_eq!(dir.files(), ["log.npy"]);
}

#[test]
fn rows_that_are_cut_off_are_gone() {
    let dir = Scratch::new("append-truncate");
    let path = dir.path("log.npy");
    let rows: Vec<(u32, String, [f32; 2])> = (0..3000)
        .map(|i| (i, format!("{:05}", 7 * i), [i as f32, 0.5]))
        .collect();
    let all = |n: u64| to_npy_vec(&rows[..n as usize]).unwrap();
    for flushed in [false, true] {
        for named in [false, true] {
            for kept in [0, 1, 9, 10, 99, 100, 1234, 2999, 3000] {
                let mut log = NpyWriter::create(&path).unwrap();
                if named {
                    log.push(&rows[0]).unwrap();
                    log.flush().unwrap();
                }
                log.extend(&rows[usize::from(named)..]).unwrap();
                if flushed {
                    log.flush().unwrap();
                }
                log.truncate(kept).unwrap();
                assert_eq!(log.len(), kept);
                if kept > 0 {
                    assert!(fs::read(&path).unwrap() == all(kept), "{kept}");
                }
                assert_eq!(
                    load_npy::<Vec<(u32, String, [f32; 2])>>(&path).unwrap().len() as u64,
                    kept
                );
                let more = format!("at least the {}", kept + 1);
                is(log.truncate(kept + 1).unwrap_err(), InvalidValue, "", &[&more]);
                // It goes on from there, at once and later.
                log.extend(&rows[kept as usize..2000.max(kept as usize)]).unwrap();
                log.finish().unwrap();
                assert!(fs::read(&path).unwrap() == all(2000.max(kept)));
                let mut log = NpyWriter::append(&path).unwrap();
                log.truncate(1000).unwrap();
                log.extend(&rows[1000..]).unwrap();
                log.finish().unwrap();
                assert!(fs::read(&path).unwrap() == all(3000));
                fs::remove_file(&path).unwrap();
            }
        }
    }
    // Without rows there is nothing to cut, and nothing that must not change.
    let mut log = NpyWriter::append(&path).unwrap();
    log.truncate(0).unwrap();
    assert_eq!(log.truncate(1).unwrap_err().kind(), InvalidValue);
    log.push("text").unwrap();
    log.finish().unwrap();
    // Rows without a byte.
    save_npy(&path, &vec![[0_u8; 0]; 5]).unwrap();
    let mut log = NpyWriter::append(&path).unwrap();
    log.truncate(2).unwrap();
    log.finish().unwrap();
    assert_eq!(load_npy::<Vec<Vec<u8>>>(&path).unwrap().len(), 2);
}

#[test]
fn the_name_is_looked_up_as_it_was_created() {
    let dir = Scratch::new("append-names");
    for (name, created) in [("a", "a.npy"), ("b.npy", "b.npy"), ("c.dat", "c.dat.npy")] {
        let mut writer = NpyWriter::create(dir.path(name)).unwrap();
        writer.push(&1).unwrap();
        writer.finish().unwrap();
        let mut writer = NpyWriter::append(dir.path(name)).unwrap();
        writer.push(&2).unwrap();
        writer.finish().unwrap();
        assert_eq!(load_npy::<Vec<i32>>(dir.path(created)).unwrap(), [1, 2]);
    }
    // A file without the suffix is recognised by its content.
    fs::rename(dir.path("a.npy"), dir.path("d.dat")).unwrap();
    let mut writer = NpyWriter::append(dir.path("d.dat")).unwrap();
    writer.push(&3).unwrap();
    writer.finish().unwrap();
    assert_eq!(load_npy::<Vec<i32>>(dir.path("d.dat")).unwrap(), [1, 2, 3]);
}
