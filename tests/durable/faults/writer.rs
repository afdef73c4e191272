//! A writer that fails at every byte and at every call, writes less than asked, nothing at all, or is interrupted.

use std::collections::BTreeMap;
use std::io::{self, Cursor, Seek, SeekFrom, Write};

use serde_npz::{Error, ErrorKind, NpyWriter, NpzWriter, WriteOptions};

use super::Everything;

#[derive(Clone, Copy, Debug, PartialEq)]
enum Fault {
    None,
    /// So many bytes fit.
    FullAt(usize),
    /// This call fails, and only this one.
    Call(usize, io::ErrorKind),
    /// This write takes nothing.
    Nothing(usize),
    /// This write claims to have taken one byte more than there are.
    TooMuch(usize),
    /// This write claims to have taken all the bytes there can be; a seek is at the end of all files.
    Endless(usize),
    /// Every write takes one byte.
    OneByte,
    /// Every other write is interrupted, and takes three bytes else.
    Interrupted,
}

struct Disk {
    bytes: Cursor<Vec<u8>>,
    fault: Fault,
    calls: usize,
}

impl Disk {
    fn new(fault: Fault) -> Self {
        Disk {
            bytes: Cursor::new(Vec::new()),
            fault,
            calls: 0,
        }
    }

    fn call(&mut self) -> io::Result<usize> {
        let call = self.calls;
        self.calls += 1;
        match self.fault {
            Fault::Call(n, kind) if n == call => Err(io::Error::new(kind, "injected")),
            _ => Ok(call),
        }
    }
}

impl Write for Disk {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        let call = self.call()?;
        let room = match self.fault {
            Fault::None | Fault::Call(..) => buf.len(),
            Fault::FullAt(limit) => {
                let room = limit.saturating_sub(self.bytes.position() as usize);
                if room == 0 && !buf.is_empty() {
                    return Err(io::Error::new(io::ErrorKind::StorageFull, "injected"));
                }
                room
            }
            Fault::Nothing(n) if n == call => 0,
            Fault::TooMuch(n) if n == call => return Ok(buf.len() + 1),
            Fault::Endless(n) if n == call => return Ok(usize::MAX),
            Fault::Nothing(_) | Fault::TooMuch(_) | Fault::Endless(_) => buf.len(),
            Fault::OneByte => 1,
            Fault::Interrupted if call.is_multiple_of(2) => return Err(io::ErrorKind::Interrupted.into()),
            Fault::Interrupted => 3,
        };
        self.bytes.write(&buf[..buf.len().min(room)])
    }

    fn flush(&mut self) -> io::Result<()> {
        self.call().map(drop)
    }
}

impl Seek for Disk {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let call = self.call()?;
        if matches!(to, SeekFrom::Start(at) if at > 1 << 30) {
            return Err(io::ErrorKind::InvalidInput.into());
        }
        let at = self.bytes.seek(to)?;
        Ok(if self.fault == Fault::Endless(call) {
            u64::MAX - 3
        } else {
            at
        })
    }
}

/// Writes to a disk, by one of the ways there are.
type Way = (&'static str, fn(&mut Disk) -> serde_npz::Result<()>);

const WAYS: [Way; 10] = [
    ("to_npz_writer", |disk| {
        serde_npz::to_npz_writer(disk, &Everything::new(2))
    }),
    ("compressed", |disk| {
        WriteOptions::new()
            .compressed()
            .threads(1)
            .to_npz_writer(disk, &small())
    }),
    ("compressed by two", |disk| {
        WriteOptions::new()
            .compressed()
            .threads(2)
            .to_npz_writer(disk, &small())
    }),
    ("NpzWriter", |disk| {
        let mut npz = NpzWriter::new(disk);
        let mut first = npz.add("x", &vec![1.5; 10]).err();
        first = first.or(npz.add("group", &Everything::new(2)).err());
        first = first.or(npz.add("y", &"text").err());
        // Whoever ignores an error of `add` meets it here.
        match (first, npz.finish().map(drop)) {
            (None, result) => result,
            (Some(_), Ok(())) => panic!("an archive without the member that failed"),
            (Some(err), Err(_)) => Err(err),
        }
    }),
    ("to_npy_writer", |disk| {
        serde_npz::to_npy_writer(disk, &Everything::new(20).time)
    }),
    ("records", |disk| {
        serde_npz::to_npy_writer(disk, &Everything::new(20).particles)
    }),
    ("texts", |disk| {
        serde_npz::to_npy_writer(disk, &Everything::new(20).names)
    }),
    ("NpyWriter", |disk| {
        let mut npy = NpyWriter::new(disk)?;
        npy.extend(&Everything::new(10).particles)?;
        npy.flush()?;
        npy.push(&Everything::new(1).particles[0])?;
        npy.finish().map(drop)
    }),
    ("add_rows", |disk| {
        let mut npz = NpzWriter::new(disk);
        npz.add_rows("x", &Everything::new(10).particles)?;
        npz.finish().map(drop)
    }),
    ("add_rows, compressed", |disk| {
        let mut npz = NpzWriter::with_options(disk, &WriteOptions::new().compressed().threads(1));
        npz.add_rows("x", 0..10)?;
        npz.finish().map(drop)
    }),
];

/// With members that do not go out in one piece: too large to fail at every byte.
const LARGE: [Way; 2] = [
    ("to_npz_stream", |disk| {
        serde_npz::to_npz_stream(disk, &BTreeMap::from([("x", vec![1.5; 9000]), ("y", vec![1.0])]))
    }),
    ("large", |disk| {
        let mut npz = NpzWriter::new(disk);
        npz.add("x", &vec![1.5; 9000])?;
        npz.finish().map(drop)
    }),
];

/// To deflate takes its time.
fn small() -> BTreeMap<&'static str, Vec<f64>> {
    BTreeMap::from([("x", vec![1.5; 10]), ("y", vec![])])
}

fn run(way: Way, fault: Fault) -> (serde_npz::Result<()>, Vec<u8>, usize) {
    let mut disk = Disk::new(fault);
    let result = way.1(&mut disk);
    (result, disk.bytes.into_inner(), disk.calls)
}

/// An error of the disk, named, and no file that would be taken for a whole one.
#[track_caller]
fn fails(way: Way, fault: Fault, whole: &[u8]) {
    let (result, bytes, _) = run(way, fault);
    let err: Error = match result {
        Ok(()) => panic!("{}: {fault:?} goes unseen", way.0),
        Err(err) => err,
    };
    assert_eq!(err.kind(), ErrorKind::Io, "{}, {fault:?}: {err}", way.0);
    // `NpyWriter` keeps the count of a file that is read while it grows: that one holds fewer rows, but whole ones.
    if bytes != whole && way.0 != "NpyWriter" {
        let read = match bytes.starts_with(b"PK") {
            true => serde_npz::from_npz_slice::<serde::de::IgnoredAny>(&bytes).map(drop),
            false => serde_npz::from_npy_slice::<serde::de::IgnoredAny>(&bytes).map(drop),
        };
        assert!(read.is_err(), "{}: {fault:?} leaves what looks whole", way.0);
    }
}

#[test]
fn a_writer_that_takes_little_or_is_interrupted_gets_everything() {
    for way in WAYS {
        let (result, whole, _) = run(way, Fault::None);
        result.unwrap();
        for fault in [Fault::OneByte, Fault::Interrupted] {
            let (result, bytes, _) = run(way, fault);
            assert!(result.is_ok(), "{}, {fault:?}: {result:?}", way.0);
            assert!(bytes == whole, "{}, {fault:?}: other bytes", way.0);
        }
    }
}

#[test]
fn a_disk_that_is_full_at_any_byte_is_an_error() {
    for way in WAYS {
        let (_, whole, _) = run(way, Fault::None);
        for limit in 0..whole.len() {
            fails(way, Fault::FullAt(limit), &whole);
        }
        let (result, bytes, _) = run(way, Fault::FullAt(whole.len()));
        result.unwrap();
        assert!(bytes == whole, "{}", way.0);
    }
}

#[test]
fn a_call_that_fails_is_an_error_whichever_it_is() {
    for way in WAYS {
        let (_, whole, calls) = run(way, Fault::None);
        for call in 0..calls {
            fails(way, Fault::Call(call, io::ErrorKind::StorageFull), &whole);
        }
        assert!(run(way, Fault::Call(calls, io::ErrorKind::StorageFull)).0.is_ok());
    }
}

#[test]
fn a_write_that_takes_nothing_or_more_than_there_is_is_an_error() {
    for (way, fault) in WAYS
        .into_iter()
        .chain(LARGE)
        .flat_map(|way| [(way, Fault::Nothing as fn(_) -> _), (way, Fault::TooMuch)])
    {
        let (_, whole, calls) = run(way, Fault::None);
        let mut taken = 0;
        for call in 0..calls {
            let (result, bytes, _) = run(way, fault(call));
            // Seeks and flushes are calls, too; there nothing is to be taken.
            match result {
                Ok(()) => {
                    assert!(bytes == whole, "{}, call {call}", way.0);
                    // A position that cannot be ends in some error or is not needed at all.
                    let _ = run(way, Fault::Endless(call));
                }
                Err(_) => {
                    taken += 1;
                    fails(way, fault(call), &whole);
                    fails(way, Fault::Endless(call), &whole);
                }
            }
        }
        assert!(taken > 0, "{} writes something", way.0);
    }
}
