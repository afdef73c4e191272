//! What the writer makes, as other readers see it.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Cursor, Write};
use std::process::Command;

use crate::common::Scratch;
use serde_npz::{ErrorKind, NpzReader, NpzWriter, WriteOptions, from_npz_slice, save_npz, to_npz_stream};

/// Members of all sizes: empty, gathered, passed on, of several blocks, and names that are no ASCII.
fn members() -> BTreeMap<String, Vec<f64>> {
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

/// A writer that can do nothing but take a few bytes at a time.
struct Pipe(Vec<u8>);

impl Write for Pipe {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let taken = bytes.len().min(5_000);
        self.0.extend_from_slice(&bytes[..taken]);
        Ok(taken)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn streams_hold_what_files_hold() {
    for options in [WriteOptions::new(), WriteOptions::new().compressed()] {
        let mut pipe = Pipe(Vec::new());
        options.to_npz_stream(&mut pipe, &members()).unwrap();
        assert_eq!(
            from_npz_slice::<BTreeMap<String, Vec<f64>>>(&pipe.0).unwrap(),
            members()
        );
        let mut streamed = NpzReader::new(Cursor::new(&pipe.0)).unwrap();
        let mut filed = NpzReader::new(Cursor::new(options.to_npz_vec(&members()).unwrap())).unwrap();
        for name in members().keys() {
            assert_eq!(streamed.raw(name).unwrap(), filed.raw(name).unwrap(), "{name}");
        }
    }
    let err = to_npz_stream(Vec::new(), &vec![1.0]).unwrap_err();
    assert_eq!(err.kind(), serde_npz::ErrorKind::UnsupportedType);
}

#[test]
fn more_members_than_16_bits_count() {
    let many: BTreeMap<String, u8> = (0..66_000).map(|i| (i.to_string(), i as u8)).collect();
    let bytes = serde_npz::to_npz_vec(&many).unwrap();
    assert_eq!(from_npz_slice::<BTreeMap<String, u8>>(&bytes).unwrap(), many);
}

#[test]
#[ignore = "needs Python with NumPy"]
fn python_and_unzip_accept_every_form() {
    const CHECK: &str = r#"
import sys, zipfile
import numpy as np
with zipfile.ZipFile(sys.argv[1]) as f, np.load(sys.argv[1]) as z:
    assert f.testzip() is None
    for name in z.files:
        n = len(z[name])
        assert np.array_equal(z[name], np.sin(0.001 * np.arange(n))) or np.allclose(z[name], np.sin(0.001 * np.arange(n)), rtol=0, atol=1e-15)
    print(len(z.files))
"#;
    let dir = Scratch::new("writer-python");
    for (name, options) in [
        ("stored", WriteOptions::new()),
        ("deflated", WriteOptions::new().compressed()),
    ] {
        let file = options.save_npz(dir.path(name), &members()).unwrap();
        let mut pipe = Pipe(Vec::new());
        options.to_npz_stream(&mut pipe, &members()).unwrap();
        let piped = dir.path(&format!("{name}-piped.npz"));
        std::fs::write(&piped, pipe.0).unwrap();
        for path in [file, piped] {
            assert_eq!(
                crate::common::python(CHECK, &[path.as_os_str()]).trim(),
                members().len().to_string()
            );
            // Where there is one.
            if let Ok(unzip) = Command::new("unzip").arg("-tq").arg(&path).output() {
                assert!(unzip.status.success(), "{}", String::from_utf8_lossy(&unzip.stdout));
            }
        }
    }
}

#[cfg(target_os = "linux")]
#[test]
fn room_made_in_advance_changes_no_length() {
    let dir = Scratch::new("writer-room");
    let data = BTreeMap::from([("x", vec![1.5; 500_000]), ("y", vec![2.5; 500_000])]);
    let path = save_npz(dir.path("x"), &data).unwrap();
    assert_eq!(std::fs::read(&path).unwrap(), serde_npz::to_npz_vec(&data).unwrap());
}

#[test]
fn rows_make_the_member_that_the_whole_would_make() {
    for options in [WriteOptions::new(), WriteOptions::new().compressed()] {
        let mut npz = NpzWriter::with_options(Cursor::new(Vec::new()), &options);
        npz.add("before", &1.5).unwrap();
        for count in [0_u64, 1, 9, 10, 100_000] {
            let rows = (0..count).map(|i| [i as f64, 0.5]);
            assert_eq!(npz.add_rows(&format!("g/{count}"), rows).unwrap(), count);
        }
        npz.add_rows("texts", ["ab", "c"]).unwrap();
        npz.add_rows("records", (0..3_u32).map(|i| (i, f64::from(i)))).unwrap();
        npz.add("after", &vec![2.5; 100]).unwrap();
        let bytes = npz.finish().unwrap().into_inner();

        let mut read = NpzReader::new(Cursor::new(&bytes)).unwrap();
        assert_eq!(
            read.raw("g/0").unwrap(),
            serde_npz::to_npy_vec(&Vec::<f64>::new()).unwrap()
        );
        for count in [1_u64, 9, 10, 100_000] {
            let whole: Vec<[f64; 2]> = (0..count).map(|i| [i as f64, 0.5]).collect();
            let raw = read.raw(&format!("g/{count}")).unwrap();
            assert!(raw == serde_npz::to_npy_vec(&whole).unwrap(), "{count}");
        }
        assert_eq!(read.get::<Vec<String>>("texts").unwrap(), ["ab", "c"]);
        assert_eq!(
            read.get::<Vec<(u32, f64)>>("records").unwrap(),
            [(0, 0.0), (1, 1.0), (2, 2.0)]
        );
        assert_eq!(
            (
                read.get::<f64>("before").unwrap(),
                read.get::<Vec<f64>>("after").unwrap().len()
            ),
            (1.5, 100)
        );
        assert!(
            read.entries()
                .all(|entry| !entry.is_stored() || entry.data_offset().unwrap() % 64 == 0)
        );
    }
}

#[test]
fn a_row_that_does_not_fit_ends_the_writer_once_the_member_has_begun() {
    for (before, usable) in [(0, true), (100_000, false)] {
        let mut npz = NpzWriter::new(Cursor::new(Vec::new()));
        npz.add("x", &1.5).unwrap();
        let rows = (0..before + 2).map(|i| if i > before { vec![1.0] } else { vec![1.0, 2.0] });
        let err = npz.add_rows("rows", rows).unwrap_err();
        assert_eq!(err.kind(), ErrorKind::Ragged);
        assert_eq!(err.path(), format!("rows[{}]", before + 1));
        if !usable {
            assert_eq!(npz.add("y", &1).unwrap_err().kind(), ErrorKind::Ragged);
            assert_eq!(npz.finish().unwrap_err().path(), err.path());
        }
    }
    let mut npz = NpzWriter::new(Cursor::new(Vec::new()));
    npz.add("x", &1.5).unwrap();
    assert_eq!(npz.add_rows("x", [1]).unwrap_err().kind(), ErrorKind::DuplicateName);
    assert_eq!(npz.add_rows("a//b", [1]).unwrap_err().kind(), ErrorKind::InvalidName);
    assert_eq!(npz.add_rows("y", [Some(())]).unwrap_err().path(), "y[0]");
    npz.add_rows("y", [1]).unwrap();
    npz.finish().unwrap();
}

#[test]
fn files_appear_whole_or_not_at_all() {
    let dir = Scratch::new("writer-files");
    let mut npz = NpzWriter::create(dir.path("data")).unwrap();
    npz.add("x", &[1_u8, 2].as_slice()).unwrap();
    assert!(!dir.path("data.npz").exists());
    npz.finish().unwrap();
    assert_eq!(dir.files(), ["data.npz"]);
    let before = fs::read(dir.path("data.npz")).unwrap();

    let mut npz = NpzWriter::create(dir.path("data.npz")).unwrap();
    npz.add("y", &[3_u8].as_slice()).unwrap();
    drop(npz);
    assert_eq!(dir.files(), ["data.npz"]);
    assert_eq!(fs::read(dir.path("data.npz")).unwrap(), before);

    let mut npz = NpzReader::open(dir.path("data.npz")).unwrap();
    assert!(npz.raw("x").unwrap().ends_with(&[1, 2]));
    let err = NpzReader::open(dir.path("no\x1bne.npz")).unwrap_err();
    assert_eq!(err.kind(), ErrorKind::Io);
    assert!(format!("{err:#}").contains("no\\u{1b}ne.npz"), "{err}");
}

#[test]
fn a_writer_that_failed_makes_no_archive() {
    let mut bytes = Vec::new();
    let mut npz = NpzWriter::new(Cursor::new(&mut bytes));
    npz.add("x", &1).unwrap();
    assert_eq!(npz.add("x", &2).unwrap_err().kind(), ErrorKind::DuplicateName);
    assert_eq!(
        npz.add("y", &vec![vec![1.0, 2.0], vec![3.0]]).unwrap_err().kind(),
        ErrorKind::Ragged
    );
    assert_eq!(npz.add("z", &1).unwrap_err().kind(), ErrorKind::Ragged);
    assert_eq!(npz.finish().unwrap_err().kind(), ErrorKind::Ragged);
    bytes.flush().unwrap();
    assert!(NpzReader::new(Cursor::new(bytes)).is_err());
}
