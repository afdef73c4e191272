//! Members read one by one: headers, limits, verdicts on hostile archives, and files that are cut while they are read.

use std::fs;
use std::io::{self, Cursor, Read, Seek, SeekFrom};
use std::time::{Duration, Instant};

use crate::common::{Scratch, data};
use crate::container::{a, b};
use crate::zip::{Part, archive, array};
use serde_npz::{ErrorKind, Limits, NpzReader, NpzWriter, ReadOptions, Result};

/// A way to read a member of a file.
type Take = fn(&mut NpzReader<io::BufReader<fs::File>>) -> Result<()>;

#[test]
fn headers_are_read_alone() {
    let text = Part::stored("t.npy", b"just a text");
    let empty = Part::stored("e.npy", b"");
    let cut = Part::stored("c.npy", b"\x93NUMPY");
    let damaged = a().with_both(|header| header.crc ^= 1);
    let mut npz = NpzReader::new(Cursor::new(archive(&[text, empty, cut, damaged]))).unwrap();
    assert_eq!(npz.header("t").unwrap_err().kind(), ErrorKind::NotAnArray);
    assert_eq!(npz.header("e").unwrap_err().kind(), ErrorKind::NotAnArray);
    assert_eq!(npz.header("c").unwrap_err().kind(), ErrorKind::Truncated);
    assert_eq!(npz.header("x").unwrap_err().kind(), ErrorKind::MissingMember);
    // `header` does not read the data, so it cannot see its damage.
    assert_eq!(npz.header("a").unwrap().shape(), [5]);
    assert_eq!(npz.verify("a").unwrap_err().kind(), ErrorKind::CorruptArchive);
}

#[test]
fn limits_hold_before_anything_is_read() {
    let bytes = archive(&[a(), b()]);
    let open = |limits: Limits| NpzReader::with_options(Cursor::new(&bytes), &ReadOptions::new().limits(limits));
    assert_eq!(
        open(Limits::new().members(1)).unwrap_err().kind(),
        ErrorKind::LimitExceeded
    );
    let mut npz = open(Limits::new().members(2).member_bytes(133)).unwrap();
    npz.raw("a").unwrap();
    let err = npz.raw("b").unwrap_err();
    assert_eq!((err.kind(), err.path()), (ErrorKind::LimitExceeded, "b"));
    assert_eq!(npz.verify("b").unwrap_err().kind(), ErrorKind::LimitExceeded);
    // Verifying does not count towards the limit on bytes handed out.
    let mut npz = open(Limits::new().total_bytes(133 + 134)).unwrap();
    for name in ["a", "b", "a"] {
        npz.verify(name).unwrap();
    }
    npz.raw("a").unwrap();
    npz.raw("b").unwrap();
    assert_eq!(npz.raw("a").unwrap_err().kind(), ErrorKind::LimitExceeded);
}

#[test]
fn as_many_members_as_need_a_zip64_end_record() {
    const MEMBERS: u32 = 65_600;
    let mut npz = NpzWriter::new(Cursor::new(Vec::new()));
    for i in 0..MEMBERS {
        npz.add(&format!("m{i}"), &i).unwrap();
    }
    let bytes = npz.finish().unwrap().into_inner();
    assert!(bytes.windows(4).rev().take(200).any(|window| window == b"PK\x06\x06"));
    let start = Instant::now();
    let mut npz = NpzReader::new(Cursor::new(bytes)).unwrap();
    let opened = start.elapsed();
    assert_eq!(npz.len(), MEMBERS as usize);
    for i in [0, 1, 65_535, MEMBERS - 1] {
        assert_eq!(npz.raw(&format!("m{i}")).unwrap()[128..], i.to_le_bytes());
    }
    if !cfg!(debug_assertions) {
        assert!(opened.as_secs_f64() < 0.3, "{opened:?}");
    }
}

#[test]
fn hostile_archives_get_their_verdict() {
    // The container of these is sound; their array is not.
    const ARRAYS: [&str; 6] = [
        "object-npz-object",
        "member-terabyte-stored",
        "member-short",
        "member-long",
        "member-header-past-member",
        "bomb-tail",
    ];
    let dir = data("hostile");
    let cases: serde_json::Value = serde_json::from_slice(&fs::read(dir.join("adversarial.json")).unwrap()).unwrap();
    let mut seen = 0;
    for case in cases.as_array().unwrap() {
        let (id, path) = (case["id"].as_str().unwrap(), case["path"].as_str().unwrap());
        if !path.ends_with(".npz") || ARRAYS.contains(&id) {
            continue;
        }
        seen += 1;
        let bytes = fs::read(dir.join(path)).unwrap();
        let limits = Limits::new().total_bytes(64 << 20).member_bytes(64 << 20);
        let start = Instant::now();
        let result =
            NpzReader::with_options(Cursor::new(bytes), &ReadOptions::new().limits(limits)).and_then(|mut npz| {
                let names: Vec<String> = npz.names().map(str::to_owned).collect();
                for name in &names {
                    npz.raw(name)?;
                    npz.header(name)?;
                }
                Ok(names)
            });
        assert!(
            start.elapsed().as_secs_f64() < case["max_seconds"].as_f64().unwrap(),
            "{id}"
        );
        match case["must"].as_str().unwrap() {
            "error" => drop(result.expect_err(id)),
            "ok" => assert_eq!(
                result.expect(id).len(),
                case["members"].as_object().unwrap().len(),
                "{id}"
            ),
            _ => {
                if let Err(err) = result {
                    assert!(!format!("{err:#}").contains(char::is_control), "{id}: {err}");
                }
            }
        }
    }
    assert!(seen > 80, "{seen}");
}

/// A file that is cut while it is opened: it says to be longer than it is.
struct Shrinking<'a>(Cursor<&'a [u8]>);

impl Read for Shrinking<'_> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        self.0.read(buf)
    }
}

impl Seek for Shrinking<'_> {
    fn seek(&mut self, pos: SeekFrom) -> io::Result<u64> {
        let further = if matches!(pos, SeekFrom::End(_)) { 100 } else { 0 };
        Ok(self.0.seek(pos)? + further)
    }
}

#[test]
fn a_file_cut_off_while_it_is_opened_is_truncated() {
    let bytes = archive(&[a(), b()]);
    let err = NpzReader::new(Shrinking(Cursor::new(&bytes))).unwrap_err();
    assert_eq!(err.kind(), ErrorKind::Truncated, "{err}");
}

#[test]
fn a_file_cut_off_after_it_was_opened_is_truncated() {
    let dir = Scratch::new("reader-cut");
    let path = dir.path("x.npz");
    let takes: [Take; 2] = [|npz| npz.raw("a").map(drop), |npz| npz.verify("a")];
    let large = Part::stored("a.npy", &array(&vec![7; 3 << 20]));
    for part in [a(), Part::deflated("a.npy", &array(b"first")), large] {
        for take in takes {
            fs::write(&path, archive(std::slice::from_ref(&part))).unwrap();
            let mut npz = NpzReader::open(&path).unwrap();
            fs::OpenOptions::new()
                .write(true)
                .open(&path)
                .unwrap()
                .set_len(100)
                .unwrap();
            // On a thread of its own: a reader that waits for the rest would wait for ever.
            let (done, ended) = std::sync::mpsc::channel();
            std::thread::spawn(move || done.send(take(&mut npz).unwrap_err().kind()));
            assert_eq!(ended.recv_timeout(Duration::from_secs(60)), Ok(ErrorKind::Truncated));
        }
    }
}
