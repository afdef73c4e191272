//! An array that grows in place: what it takes, what it refuses before a byte is written, and what a killed writer leaves.

use std::fs;
use std::io::{self, BufRead, BufReader, Cursor, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use crate::common::{Scratch, child, is, repetitions, task};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_npz::ErrorKind::{InvalidValue, Io, LimitExceeded, MixedTypes, Pickle, Ragged, Truncated, TypeMismatch};
use serde_npz::{ErrorKind, Header, NpyReader, NpyWriter, WriteOptions, load_npy, save_npy, to_npy_vec};

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
                // Numbers of one, two and three digits, some of them seen by readers.
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
    save_npy(&path, &vec![[1.0, 2.0]]).unwrap();
    refuse(&|w| w.push(&[1_f32, 2.0]), MixedTypes, &["<f4", "<f8", "in the file"]);
    refuse(&|w| w.push(&[1, 2]), MixedTypes, &["<i4", "<f8"]);
    refuse(&|w| w.push(&[1.0, 2.0, 3.0]), Ragged, &["(3,)", "(2,)", "in the file"]);
    refuse(&|w| w.push(&1.0), MixedTypes, &["()", "(2,)"]);
    refuse(&|w| w.push(&[[1.0, 2.0]]), MixedTypes, &["(1, 2)", "(2,)"]);
    refuse(&|w| w.push(&()), ErrorKind::UnsupportedType, &["()"]);
    save_npy(&path, &vec![step(1, "four")]).unwrap();
    refuse(&|w| w.push(&step(2, "longer")), InvalidValue, &["6 characters", "4"]);
    refuse(
        &|w| w.push(&(1.0, 2_u32, [1_f32, 2.0], "four")),
        MixedTypes,
        &["'f0'", "'t'"],
    );
    save_npy(&path, &vec![1_u8]).unwrap();
    refuse(&|w| w.push(&true), MixedTypes, &["|b1", "|u1"]);

    // What comes after a refused row is like the file again.
    let mut writer = NpyWriter::append(&path).unwrap();
    writer.push(&1_i8).unwrap_err();
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
    refuse(Vec::new(), Truncated, &[]);

    is(NpyWriter::append(dir.path("none")).unwrap_err(), Io, "", &["none.npy"]);
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
    assert!(err.to_string().contains("9 rows"), "{err}");
    writer.finish().unwrap();
    let values: Vec<f64> = load_npy(&path).unwrap();
    assert_eq!((values.len(), values[8]), (9, 1.0));

    // The way out that the message names.
    save_npy(&path, &values).unwrap();
    let mut writer = NpyWriter::append(&path).unwrap();
    writer.push(&2.0).unwrap();
    writer.finish().unwrap();
    assert_eq!(load_npy::<Vec<f64>>(&path).unwrap().len(), 10);

    // Rows that hold no byte are counted as well, up to what a header may say.
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

    // Any other empty array says what it wants.
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
    // A file of another name is an array by its content.
    fs::rename(dir.path("a.npy"), dir.path("d.dat")).unwrap();
    let mut writer = NpyWriter::append(dir.path("d.dat")).unwrap();
    writer.push(&3).unwrap();
    writer.finish().unwrap();
    assert_eq!(load_npy::<Vec<i32>>(dir.path("d.dat")).unwrap(), [1, 2, 3]);
}

/// A writer whose n-th operation fails.
struct Faulty {
    inner: Cursor<Vec<u8>>,
    left: usize,
    /// Whether only this one fails.
    once: bool,
    /// Small writes byte by byte, large ones in halves.
    short: bool,
    interrupt: bool,
}

impl Faulty {
    fn step(&mut self) -> io::Result<()> {
        match self.left {
            0 => {
                self.left = if self.once { usize::MAX } else { 0 };
                Err(io::Error::new(io::ErrorKind::StorageFull, "no space"))
            }
            _ => {
                self.left -= 1;
                Ok(())
            }
        }
    }
}

impl Write for Faulty {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        self.interrupt = !self.interrupt;
        if self.interrupt {
            return Err(io::ErrorKind::Interrupted.into());
        }
        self.step()?;
        let most = match buf.len() {
            len if !self.short => len,
            len @ ..=8 => len.min(1),
            len => len / 2,
        };
        self.inner.write(&buf[..most])
    }

    fn flush(&mut self) -> io::Result<()> {
        self.step()
    }
}

impl Seek for Faulty {
    fn seek(&mut self, pos: SeekFrom) -> io::Result<u64> {
        self.step()?;
        self.inner.seek(pos)
    }
}

#[test]
fn whatever_fails_the_array_keeps_its_old_rows_and_the_error_stays() {
    for short in [false, true] {
        let mut failures = 0;
        for n in 0.. {
            let mut faulty = Faulty {
                inner: Cursor::new(Vec::new()),
                left: n,
                once: short,
                short,
                interrupt: false,
            };
            let (shown, error) = grow(&mut faulty);
            if let Some(rows) = shown {
                let values: Vec<f64> = serde_npz::from_npy_slice(faulty.inner.get_ref())
                    .unwrap_or_else(|err| panic!("operation {n}: unreadable after {rows} rows were flushed: {err}"));
                assert!(values.len() >= rows, "operation {n}: {} of {rows} rows", values.len());
                assert!(FLUSHED.contains(&values.len()), "operation {n}: {} rows", values.len());
                assert!(values.iter().enumerate().all(|(i, v)| *v == i as f64));
            }
            match error {
                Some(error) => assert_eq!(error.kind(), Io),
                None => break,
            }
            failures += 1;
        }
        assert!(failures > 20, "{failures} operations");
    }
}

const FLUSHED: [usize; 4] = [9, 10, 20_000, 20_001];

/// Writes rows up to an error, which has to come again; the rows of the last flush that went well.
fn grow(faulty: &mut Faulty) -> (Option<usize>, Option<serde_npz::Error>) {
    let mut writer = match NpyWriter::new(faulty) {
        Ok(writer) => writer,
        Err(error) => return (None, Some(error)),
    };
    let mut shown = None;
    for rows in FLUSHED {
        let start = writer.len() as usize;
        let grown = writer
            .extend((start..rows).map(|i| i as f64))
            .and_then(|()| writer.flush());
        match grown {
            Ok(()) => shown = Some(rows),
            Err(error) => {
                let text = error.to_string();
                assert_eq!(writer.push(&1.0).unwrap_err().to_string(), text);
                assert_eq!(writer.flush().unwrap_err().to_string(), text);
                assert_eq!(writer.finish().map(drop).unwrap_err().to_string(), text);
                return (shown, Some(error));
            }
        }
    }
    (shown, writer.finish().err())
}

/// Row `i` of each of the files that are written by programs killed on the way.
fn row(kind: usize, i: u64) -> Row {
    let n = i as i32;
    match kind {
        0 => Row::Number(i as f64),
        1 => Row::Point([n, n.wrapping_mul(2), -n]),
        2 => Row::Step(step(i as u32, ["a", "bb", "ccc"][i as usize % 3])),
        // Some go to the file long before they are counted.
        _ => Row::Frame(vec![i as u16; 9000]),
    }
}

#[derive(Debug, PartialEq)]
enum Row {
    Number(f64),
    Point([i32; 3]),
    Step(Step),
    Frame(Vec<u16>),
}

fn push(writer: &mut NpyWriter<fs::File>, row: &Row) -> serde_npz::Result<()> {
    match row {
        Row::Number(row) => writer.push(row),
        Row::Point(row) => writer.push(row),
        Row::Step(row) => writer.push(row),
        Row::Frame(row) => writer.push(row),
    }
}

/// How many rows there are; every one of them is as it was written.
fn checked(kind: usize, path: &Path) -> u64 {
    fn all<T: DeserializeOwned>(kind: usize, path: &Path, wrap: fn(T) -> Row) -> u64 {
        let mut reader = NpyReader::open(path).expect("an array");
        let count = reader.header().shape()[0];
        let mut rows = 0;
        for found in reader.rows::<T>() {
            let found = wrap(found.expect("a row"));
            assert!(found == row(kind, rows), "row {rows} of {count}: {found:?}");
            rows += 1;
        }
        assert_eq!(rows, count);
        count
    }
    match kind {
        0 => all(kind, path, Row::Number),
        1 => all(kind, path, Row::Point),
        2 => all(kind, path, Row::Step),
        _ => all(kind, path, Row::Frame),
    }
}

/// Numbers that look random.
struct Random(u64);

impl Random {
    fn below(&mut self, n: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % n
    }
}

/// Says after each flush how many rows there are.
fn append_until_killed(task: &str) {
    let (kind, rest) = task.split_once(' ').unwrap();
    let (seed, path) = rest.split_once(' ').unwrap();
    let (kind, mut random) = (kind.parse().unwrap(), Random(seed.parse().unwrap()));
    // Past the test harness, which keeps what `print!` says.
    let mut out = io::stdout();
    // The harness leaves its line open.
    writeln!(out).unwrap();
    loop {
        let mut writer = match Path::new(path).exists() {
            true => NpyWriter::append(path),
            false => NpyWriter::create(path),
        }
        .unwrap();
        for _ in 0..random.below(30) {
            for _ in 0..random.below(25) {
                let next = row(kind, writer.len());
                push(&mut writer, &next).unwrap();
            }
            writer.flush().unwrap();
            // A pipe that nobody reads any more is the end as well.
            if writeln!(out, "rows {}", writer.len()).is_err() {
                return;
            }
        }
        writer.finish().unwrap();
    }
}

/// Starts a process that appends and kills it after a while; the rows it had acknowledged.
fn kill_one(kind: usize, random: &mut Random, path: &Path) -> u64 {
    let task = format!("{kind} {} {}", random.0, path.display());
    let mut child = child(module_path!(), "killed_at_any_moment_no_acknowledged_row_is_lost", task)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap());
    let mut acknowledged = 0;
    let mut line = String::new();
    // Some at any moment from the start on, most while rows are written.
    let from_start = random.below(5) == 0;
    let wait = Duration::from_micros(random.below(if from_start { 20_000 } else { 6_000 }));
    let begun = Instant::now();
    let kill = |child: &mut Child| {
        std::thread::sleep(wait.saturating_sub(begun.elapsed()));
        child.kill().unwrap();
    };
    if from_start {
        kill(&mut child);
    }
    let mut killed = from_start;
    loop {
        line.clear();
        if lines.read_line(&mut line).unwrap() == 0 {
            break;
        }
        // One that is cut off was not said.
        if let Some(rows) = line.strip_suffix('\n').and_then(|line| line.strip_prefix("rows ")) {
            acknowledged = rows.parse().unwrap();
            if !killed {
                std::thread::sleep(wait);
                child.kill().unwrap();
                killed = true;
            }
        }
    }
    child.wait().unwrap();
    acknowledged
}

/// `SERDE_NPZ_KILLS` says how often.
#[test]
fn killed_at_any_moment_no_acknowledged_row_is_lost() {
    if let Some(task) = task() {
        return append_until_killed(task.to_str().unwrap());
    }
    let kills = repetitions("SERDE_NPZ_KILLS", 40, 200);
    let dir = Scratch::new("append-kill");
    let mut random = Random(0x9e37_79b9_7f4a_7c15);
    let mut paths: Vec<PathBuf> = (0..4).map(|kind| dir.path(&format!("{kind}-0.npy"))).collect();
    let (mut rows, mut uncounted, mut unborn) = (0, 0, 0);
    for round in 0..kills {
        let kind = round % 4;
        let path = &mut paths[kind];
        let before = if path.exists() { checked(kind, path) } else { 0 };
        let acknowledged = kill_one(kind, &mut random, path);
        if !path.exists() {
            assert_eq!(acknowledged, 0, "round {round}: no file");
            unborn += 1;
            continue;
        }
        let found = checked(kind, path);
        assert!(
            found >= acknowledged && found >= before,
            "round {round}: {found} rows, {acknowledged} acknowledged, {before} before"
        );
        rows += found - before;
        let bytes = fs::metadata(&*path).unwrap().len();
        let header = Header::read(&mut fs::File::open(&*path).unwrap()).unwrap();
        let row = header.dtype().itemsize() * header.shape()[1..].iter().product::<u64>();
        uncounted += u32::from(bytes > header.to_bytes().len() as u64 + row * found);
        if bytes > 1 << 20 {
            fs::remove_file(&*path).unwrap();
            *path = dir.path(&format!("{kind}-{round}.npy"));
        }
    }
    eprintln!("{kills} kills: {rows} rows kept, {uncounted} files with uncounted rows behind, {unborn} without a file");
    assert!(rows > 0);
}

#[test]
fn readers_meanwhile_see_whole_rows_only_and_never_fewer() {
    let dir = Scratch::new("append-readers");
    let path = dir.path("log.npy");
    let ended = AtomicBool::new(false);
    let mut writer = NpyWriter::create(&path).unwrap();
    push(&mut writer, &row(1, 0)).unwrap();
    writer.flush().unwrap();
    let reads = std::thread::scope(|scope| {
        let readers: Vec<_> = (0..2)
            .map(|_| {
                scope.spawn(|| {
                    let (mut rows, mut reads) = (1, 0);
                    while !ended.load(Ordering::Relaxed) {
                        let now = checked(1, &path);
                        assert!(now >= rows, "{now} rows after {rows}");
                        rows = now;
                        reads += 1;
                    }
                    reads
                })
            })
            .collect();
        let begun = Instant::now();
        // Past numbers of more digits each.
        while writer.len() < 1200 && begun.elapsed() < Duration::from_secs(10) {
            let next = row(1, writer.len());
            push(&mut writer, &next).unwrap();
            writer.flush().unwrap();
        }
        ended.store(true, Ordering::Relaxed);
        readers.into_iter().map(|reader| reader.join().unwrap()).sum::<u64>()
    });
    assert_eq!(checked(1, &path), writer.len());
    assert!(reads > 2, "{reads} reads");
}

/// Appends to what NumPy wrote, of every layout it has; NumPy looks, mapped and loaded.
const LOOK: &str = r#"
import sys
import numpy as np
path = sys.argv[1]
rows, expected = int(sys.argv[2]), eval(sys.argv[3])
def plain(x):
    x = x.tolist() if hasattr(x, 'tolist') else x
    return tuple(plain(y) for y in x) if isinstance(x, tuple) else x
loaded = np.load(path)
mapped = np.load(path, mmap_mode='r')
for a in (loaded, mapped):
    assert len(a) == rows, (len(a), rows)
    assert plain(a[-1]) == expected, (a[-1], expected)
with open(path, 'rb') as f:
    assert len(f.read()) == mapped.offset + mapped.nbytes
again = path + '.again.npy'
np.save(again, loaded)
same = open(again, 'rb').read() == open(path, 'rb').read()
print(loaded.dtype.descr if loaded.dtype.names else loaded.dtype.str, 'same' if same else 'other')
"#;

#[test]
#[ignore = "needs Python with NumPy"]
fn numpy_reads_and_maps_what_grew() {
    let dir = Scratch::new("append-live");
    let make = |expression: &str| {
        let path = dir.path("x.npy");
        let script = format!("import sys, numpy as np\nnp.save(sys.argv[1], {expression})");
        crate::common::python(&script, &[path.as_os_str()]);
        path
    };
    fn look(path: &Path, rows: usize, last: &str) -> String {
        let rows = rows.to_string();
        crate::common::python(LOOK, &[path.as_os_str(), rows.as_ref(), last.as_ref()])
            .trim()
            .to_owned()
    }
    fn grow<T: Serialize>(path: &Path, row: &T, n: usize) {
        let mut writer = NpyWriter::append(path).unwrap();
        for i in 0..n {
            writer.push(row).unwrap();
            if i % 50 == 0 {
                writer.flush().unwrap();
            }
        }
        writer.finish().unwrap();
    }
    let path = make("np.arange(9.0)");
    grow(&path, &2.5, 120);
    assert_eq!(look(&path, 129, "2.5"), "<f8 same");
    let path = make("np.zeros((99, 2, 3), '<i2')");
    grow(&path, &[[1_i16, 2, 3], [4, 5, 6]], 2);
    assert_eq!(look(&path, 101, "[[1, 2, 3], [4, 5, 6]]"), "<i2 same");
    let path = make("np.zeros(3, '>f4')");
    grow(&path, &1.5_f32, 8);
    assert_eq!(look(&path, 11, "1.5"), ">f4 same");
    let path = make("np.array(['four', 'b'])");
    grow(&path, &"äö", 9);
    assert_eq!(look(&path, 11, "'äö'"), "<U4 same");
    let path = make("np.zeros(9, np.dtype([('a', 'u1'), ('b', '>f8'), ('c', '<i2', (2,))], align=True))");
    #[derive(Serialize)]
    struct Aligned {
        a: u8,
        b: f64,
        c: [i16; 2],
    }
    let row = Aligned {
        a: 1,
        b: 2.5,
        c: [3, 4],
    };
    grow(&path, &row, 3);
    let seen = look(&path, 12, "(1, 2.5, [3, 4])");
    assert!(seen.contains("('', '|V7')"), "{seen}");
    let path = make("np.zeros((0, 4), 'f4')");
    grow(&path, &[1_f32, 2.0, 3.0, 4.0], 1);
    assert_eq!(look(&path, 1, "[1.0, 2.0, 3.0, 4.0]"), "<f4 same");
    let path = make("np.zeros(0)");
    grow(&path, &(1_u8, "text"), 10);
    assert!(look(&path, 10, "(1, 'text')").ends_with("same"));
    // Ours from the start on.
    let path = dir.path("ours.npy");
    NpyWriter::create(&path).unwrap().finish().unwrap();
    grow(&path, &step(1, "x"), 1001);
    assert!(look(&path, 1001, "(0.5, 1, [1.0, -1.0], 'x')").ends_with("same"));
}

/// Several arrays one after another in one file, both ways.
#[test]
#[ignore = "needs Python with NumPy"]
fn several_arrays_in_one_handle() {
    let dir = Scratch::new("append-handle");
    let theirs = dir.path("theirs.npy");
    let script = r#"
import sys, numpy as np
with open(sys.argv[1], 'wb') as f:
    np.save(f, np.arange(5.0))
    np.save(f, np.arange(6, dtype='>i4').reshape(3, 2))
    np.save(f, np.asfortranarray(np.arange(6.0).reshape(3, 2)))
    np.save(f, np.float32(7))
    np.save(f, np.array(['a', 'bc']))
"#;
    crate::common::python(script, &[theirs.as_os_str()]);
    let mut reader = NpyReader::open(&theirs).unwrap();
    assert_eq!(reader.rows::<f64>().count(), 5);
    assert!(reader.next_array().unwrap());
    let first: Vec<[i32; 2]> = reader.rows().take(1).collect::<Result<_, _>>().unwrap();
    assert_eq!(first, [[0, 1]]);
    assert!(reader.next_array().unwrap());
    reader.seek(2).unwrap();
    assert_eq!(reader.rows::<[f64; 2]>().next().unwrap().unwrap(), [4.0, 5.0]);
    assert!(reader.next_array().unwrap());
    assert!(reader.header().shape().is_empty());
    assert!(reader.next_array().unwrap());
    let texts: Vec<String> = reader.rows().collect::<Result<_, _>>().unwrap();
    assert_eq!(texts, ["a", "bc"]);
    assert!(!reader.next_array().unwrap());

    let ours = dir.path("ours.npy");
    let mut handle = fs::File::create(&ours).unwrap();
    serde_npz::to_npy_writer(&mut handle, &vec![1.0, 2.0]).unwrap();
    let mut writer = NpyWriter::new(&mut handle).unwrap();
    writer.extend((0..30_000).map(|i| [i, -i])).unwrap();
    writer.flush().unwrap();
    writer.push(&[7, 7]).unwrap();
    writer.finish().unwrap();
    NpyWriter::new(&mut handle).unwrap().finish().unwrap();
    serde_npz::to_npy_writer(&mut handle, "the end").unwrap();
    drop(handle);
    let script = r#"
import sys, numpy as np
with open(sys.argv[1], 'rb') as f:
    a = [np.load(f) for _ in range(4)]
    assert f.read() == b''
assert a[0].tolist() == [1.0, 2.0]
assert a[1].shape == (30001, 2) and a[1][29999].tolist() == [29999, -29999] and a[1][-1].tolist() == [7, 7]
assert a[2].shape == (0,) and a[2].dtype == 'f8'
assert str(a[3]) == 'the end'
"#;
    crate::common::python(script, &[ours.as_os_str()]);
}
