//! What comes out, byte by byte, and what does not after a failure.

use std::io::{self, Cursor, Seek, SeekFrom, Write};

use super::super::reader::NpzReader;
use super::NpzWriter;
use super::container::{Container, MAX_NAME};
use super::deflate::BLOCK;
use super::entries::BUFFERED;
use super::output::{Output, Streaming};
use crate::error::{Error, ErrorKind, Result};
use crate::npy::sink::Memory;
use crate::options::{Compression, WriteOptions};

fn add<W: Write + Seek>(npz: &mut NpzWriter<W>, member: &str, bytes: &[u8]) -> Result<()> {
    npz.container.begin(member, bytes.len() as u64)?;
    npz.container.write(bytes)?;
    npz.container.end()
}

fn position(haystack: &[u8], needle: &[u8]) -> Option<usize> {
    haystack.windows(needle.len()).position(|window| window == needle)
}

#[test]
fn an_empty_archive_is_the_end_record_alone() {
    let bytes = NpzWriter::new(Cursor::new(Vec::new())).finish().unwrap().into_inner();
    assert_eq!(bytes.len(), 22);
    assert!(bytes.starts_with(b"PK\x05\x06"));
}

#[test]
fn stored_data_starts_at_multiples_of_64() {
    let mut npz = NpzWriter::new(Cursor::new(Vec::new()));
    let members: Vec<_> = (0..100)
        .map(|i| (format!("{}.npy", "n".repeat(i + 1)), format!("<data {i:03}>")))
        .collect();
    for (name, data) in &members {
        add(&mut npz, name, data.as_bytes()).unwrap();
    }
    let bytes = npz.finish().unwrap().into_inner();
    for (name, data) in &members {
        assert_eq!(position(&bytes, data.as_bytes()).unwrap() % 64, 0, "{name}");
    }
}

#[test]
fn same_members_make_the_same_bytes_dated_1980() {
    let archive = |options: &WriteOptions| {
        let mut npz = NpzWriter::with_options(Cursor::new(Vec::new()), options);
        add(&mut npz, "x.npy", &[7; 1000]).unwrap();
        npz.finish().unwrap().into_inner()
    };
    for options in [WriteOptions::new(), WriteOptions::new().compressed()] {
        let bytes = archive(&options);
        assert_eq!(bytes, archive(&options));
        assert_eq!(bytes[10..14], [0, 0, 0x21, 0]);
    }
}

#[test]
fn names_are_refused_before_anything_is_written() {
    let mut npz = NpzWriter::new(Cursor::new(Vec::new()));
    for name in ["", "a\0b.npy", &format!("{}.npy", "n".repeat(MAX_NAME - 3))] {
        assert_eq!(npz.container.begin(name, 0).unwrap_err().kind(), ErrorKind::InvalidName);
    }
    add(&mut npz, &format!("{}.npy", "n".repeat(MAX_NAME - 4)), b"1").unwrap();
    npz.finish().unwrap();
}

#[test]
fn duplicates_are_keys_not_members_and_leave_the_writer_usable() {
    for (first, second, clash) in [
        ("x.npy", "x.npy", true),
        ("x.npy", "x", true),
        ("x.json", "x.npy", true),
        ("x.npy", "x.json", true),
        ("x.json", "x.json.npy", true),
        ("x.npy", "x.npy.npy", false),
        ("x.npy", "x.json.npy", false),
    ] {
        let mut npz = NpzWriter::new(Cursor::new(Vec::new()));
        add(&mut npz, first, b"1").unwrap();
        match npz.container.begin(second, 1) {
            Ok(()) => {
                assert!(!clash, "{first} {second}");
                npz.container.write(b"2").unwrap();
                npz.container.end().unwrap();
            }
            Err(err) => {
                assert!(clash, "{first} {second}");
                assert_eq!(err.kind(), ErrorKind::DuplicateName);
            }
        }
        add(&mut npz, "y.npy", b"3").unwrap();
        assert_eq!(
            npz.container.begin("y", 1).unwrap_err().kind(),
            ErrorKind::DuplicateName
        );
        npz.finish().unwrap();
    }
}

#[test]
fn after_a_failure_inside_a_member_there_is_no_archive() {
    for options in [WriteOptions::new(), WriteOptions::new().compressed()] {
        for way in 0..4 {
            let mut bytes = Vec::new();
            let mut npz = NpzWriter::with_options(Cursor::new(&mut bytes), &options);
            add(&mut npz, "first.npy", &[1; 100_000]).unwrap();
            npz.container.begin("x.npy", 4).unwrap();
            npz.container.write(b"12").unwrap();
            let kind = match way {
                0 => npz.container.end().unwrap_err().kind(),
                1 => npz.container.write(b"345").unwrap_err().kind(),
                2 => npz.container.begin("y.npy", 0).unwrap_err().kind(),
                _ => {
                    npz.container.fail(Error::new(ErrorKind::Ragged, "rows").at_member("x"));
                    ErrorKind::Ragged
                }
            };
            assert_eq!(
                kind,
                if way == 3 {
                    ErrorKind::Ragged
                } else {
                    ErrorKind::InvalidValue
                }
            );
            for err in [
                npz.container.begin("z.npy", 0),
                npz.container.write(b""),
                npz.container.end(),
                npz.container.usable(),
            ] {
                let err = err.unwrap_err();
                assert_eq!((err.kind(), err.path()), (kind, "x"));
            }
            assert_eq!(npz.finish().unwrap_err().kind(), kind);
            assert_eq!(position(&bytes, b"PK\x01\x02"), None);
            assert_eq!(position(&bytes, b"PK\x05\x06"), None);
        }
    }
}

#[test]
fn dropped_without_finish_there_is_no_archive() {
    for options in [WriteOptions::new(), WriteOptions::new().compressed()] {
        for halfway in [false, true] {
            let mut bytes = Vec::new();
            let mut npz = NpzWriter::with_options(Cursor::new(&mut bytes), &options);
            add(&mut npz, "x.npy", b"1234").unwrap();
            if halfway {
                npz.container.begin("y.npy", 4).unwrap();
            }
            drop(npz);
            assert_eq!(position(&bytes, b"PK\x01\x02"), None);
        }
    }
    // Nor does finishing in the middle of a member make one.
    let mut bytes = Vec::new();
    let mut npz = NpzWriter::new(Cursor::new(&mut bytes));
    npz.container.begin("y.npy", 4).unwrap();
    let err = npz.finish().unwrap_err();
    assert_eq!((err.kind(), err.path()), (ErrorKind::InvalidValue, "y"));
    assert_eq!(position(&bytes, b"PK\x01\x02"), None);
}

/// Takes so many bytes and then no more.
struct Full(Cursor<Vec<u8>>, usize);

impl Write for Full {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let room = self.1.min(bytes.len());
        if room == 0 && !bytes.is_empty() {
            return Err(io::ErrorKind::StorageFull.into());
        }
        self.1 -= room;
        self.0.write(&bytes[..room])
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Seek for Full {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.0.seek(to)
    }
}

#[test]
fn a_full_disk_is_an_error_wherever_it_strikes() {
    let archive = |room: usize, options: &WriteOptions| -> Result<usize> {
        let mut npz = NpzWriter::with_options(Full(Cursor::new(Vec::new()), room), options);
        add(&mut npz, "x.npy", b"12345678")?;
        add(&mut npz, "y.npy", b"12345678")?;
        Ok(room - npz.finish()?.1)
    };
    for options in [WriteOptions::new(), WriteOptions::new().compressed()] {
        let needed = archive(10_000, &options).unwrap();
        for room in 0..needed {
            assert_eq!(
                archive(room, &options).unwrap_err().kind(),
                ErrorKind::Io,
                "{room} of {needed}"
            );
        }
        archive(needed, &options).unwrap();
    }
}

#[test]
fn compressed_members_meet_the_size_of_zlib_6() {
    let wave: Vec<u8> = (0..125_000)
        .flat_map(|i| (0.001 * f64::from(i)).sin().to_le_bytes())
        .collect();
    let size = |compression| {
        let options = WriteOptions::new().compression(compression);
        let mut npz = NpzWriter::with_options(Cursor::new(Vec::new()), &options);
        add(&mut npz, "x.npy", &wave).unwrap();
        npz.finish().unwrap().into_inner().len()
    };
    let stored = size(Compression::Stored);
    assert_eq!(size(Compression::Deflate(0)), stored);
    let sizes: Vec<_> = (1..=10).map(|level| size(Compression::Deflate(level))).collect();
    assert_eq!(sizes[8], sizes[9]);
    // Python's zlib makes 938,152 bytes of the same at level 6.
    assert!(sizes[5] < 938_152 * 102 / 100, "{sizes:?}");
}

/// Bytes that deflate to about two thirds, never the same twice.
fn noise(len: usize) -> Vec<u8> {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    (0..len)
        .map(|_| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            (state >> 59) as u8
        })
        .collect()
}

#[test]
fn the_number_of_threads_changes_no_byte() {
    let sizes = [
        0,
        1,
        100,
        BLOCK - 1,
        BLOCK,
        BLOCK + 1,
        2 * BLOCK,
        5 * BLOCK + 77,
        3,
        BLOCK,
        1_000_000,
    ];
    let data = noise(2_000_000);
    let archive = |threads: usize, pieces: usize| {
        let options = WriteOptions::new().compressed().threads(threads);
        let mut npz = NpzWriter::with_options(Cursor::new(Vec::new()), &options);
        for (i, &size) in sizes.iter().enumerate() {
            npz.container.begin(&format!("{i}.npy"), size as u64).unwrap();
            data[i..i + size]
                .chunks(pieces)
                .for_each(|piece| npz.container.write(piece).unwrap());
            npz.container.end().unwrap();
        }
        npz.finish().unwrap().into_inner()
    };
    let alone = archive(1, usize::MAX);
    for (threads, pieces) in [(0, 1 << 20), (2, usize::MAX), (2, 1000), (3, 70_000), (8, usize::MAX)] {
        assert!(archive(threads, pieces) == alone, "{threads} threads");
    }
    let mut npz = NpzReader::new(Cursor::new(&alone)).unwrap();
    for (i, &size) in sizes.iter().enumerate() {
        assert!(npz.raw(&i.to_string()).unwrap() == data[i..i + size], "{i}");
    }
}

fn put<O: Output>(container: &mut Container<O>, member: &str, bytes: &[u8]) -> Result<()> {
    container.begin(member, bytes.len() as u64)?;
    bytes.chunks(70_000).try_for_each(|piece| container.write(piece))
}

#[test]
fn a_member_taken_back_leaves_the_bytes_of_an_archive_without_it() {
    let data = noise(5 * BLOCK);
    let kept = [10, 3 * BLOCK + 5, 100];
    let archive = |options: &WriteOptions, taken: Option<(usize, usize)>| {
        let mut container = Container::new(Memory::default(), options);
        for (i, &len) in kept.iter().enumerate() {
            if let Some((size, written)) = taken {
                // Under its own name, and under that of the next member.
                for member in [format!("taken{i}.npy"), format!("{i}.npy")] {
                    container.begin(&member, size as u64).unwrap();
                    container.write(&data[..written]).unwrap();
                    container.take_back().unwrap();
                }
            }
            put(&mut container, &format!("{i}.npy"), &data[..len]).unwrap();
            container.end().unwrap();
        }
        assert_eq!(container.len(), kept.len());
        container.finish().unwrap().0
    };
    let compressed = WriteOptions::new().compressed();
    for options in [
        WriteOptions::new(),
        compressed.clone().threads(1),
        compressed.clone().threads(2),
        compressed.threads(8),
    ] {
        let direct = archive(&options, None);
        for written in [0, 1, 1000, BLOCK, BLOCK + 1, 5 * BLOCK] {
            for size in [written, written + 1, 6 * BLOCK] {
                assert!(
                    archive(&options, Some((size, written))) == direct,
                    "{written} of {size}"
                );
            }
        }
    }
}

/// Memory that cannot be cut when it comes to that.
#[derive(Default)]
struct Stuck(Memory);

impl Output for Stuck {
    const PATCHES: bool = true;

    fn position(&mut self) -> io::Result<u64> {
        self.0.position()
    }

    fn put(&mut self, bytes: &[u8]) -> io::Result<()> {
        Output::put(&mut self.0, bytes)
    }

    fn patch(&mut self, at: u64, bytes: &[u8]) -> io::Result<()> {
        self.0.patch(at, bytes)
    }

    fn can_cut(&self) -> bool {
        true
    }

    fn cut(&mut self, _: u64) -> io::Result<()> {
        Err(io::ErrorKind::StorageFull.into())
    }
}

#[test]
fn what_cannot_be_taken_back_ends_the_archive() {
    for options in [WriteOptions::new(), WriteOptions::new().compressed()] {
        let mut container = Container::new(Stuck::default(), &options);
        put(&mut container, "a.npy", b"1").unwrap();
        container.end().unwrap();
        put(&mut container, "b.npy", &noise(3 * BLOCK)).unwrap();
        assert_eq!(container.take_back().unwrap_err().kind(), ErrorKind::Io);
        for err in [
            container.begin("c.npy", 1),
            container.take_back(),
            container.finish().map(drop),
        ] {
            let err = err.unwrap_err();
            assert_eq!((err.kind(), err.path()), (ErrorKind::Io, "b"));
        }
    }
    // Nor does a writer of the caller's take anything back.
    let npz = NpzWriter::new(Cursor::new(Vec::new()));
    assert!(!npz.container.can_take_back());
    assert!(!Container::new(Streaming::new(Vec::new()), &WriteOptions::new()).can_take_back());
}

#[test]
fn dropped_with_threads_at_work_it_ends() {
    let options = WriteOptions::new().compressed().threads(3);
    let mut npz = NpzWriter::with_options(Cursor::new(Vec::new()), &options);
    npz.container.begin("x.npy", 1 << 30).unwrap();
    npz.container.write(&noise(10 * BLOCK)).unwrap();
    drop(npz);
}

#[test]
fn a_stream_describes_behind_the_data_what_it_could_not_know() {
    let small = noise(BUFFERED as usize);
    let large = noise(2 * BLOCK + 5);
    for (options, described) in [
        (WriteOptions::new(), [false, true, false]),
        (WriteOptions::new().compressed(), [false, true, false]),
    ] {
        let mut container = Container::new(Streaming::new(Vec::new()), &options);
        let members = [("a.npy", &small[..]), ("b.npy", &large[..]), ("ü", b"c")];
        for (name, data) in members {
            container.begin(name, data.len() as u64).unwrap();
            container.write(data).unwrap();
            container.end().unwrap();
        }
        let bytes = container.finish().unwrap().inner;
        let mut npz = NpzReader::new(Cursor::new(&bytes)).unwrap();
        let entries: Vec<_> = npz.entries().collect();
        for (i, (name, data)) in members.into_iter().enumerate() {
            let entry = &entries[i];
            assert_eq!(entry.file_name(), name);
            let start = entry.offset().unwrap() as usize;
            let mut headers = bytes[..start].windows(4);
            let at = headers.rposition(|window| window == b"PK\x03\x04").unwrap();
            assert_eq!(bytes[at + 6] & 8 != 0, described[i]);
            if described[i] {
                assert_eq!(bytes[at + 14..at + 18], [0; 4]);
            }
            if options.compression == Compression::Stored {
                assert_eq!(start % 64, 0);
            }
            assert!(npz.raw(entry.name()).unwrap() == data, "{name}");
        }
    }
}
