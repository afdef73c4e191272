//! A reader that fails at every call, gives one byte a call, or is interrupted.

use std::io::{self, BufReader, Cursor, Read, Seek, SeekFrom};

use serde::de::DeserializeOwned;
use serde_npz::{ErrorKind, Header, NpyReader, NpzReader, ReadOptions, WriteOptions};

use super::{Everything, Layer, Particle};

#[derive(Clone, Copy, Debug, PartialEq)]
enum Fault {
    /// This call fails, and only this one.
    Call(usize),
    /// Bytes from here on cannot be read.
    Byte(u64),
    /// This call claims one byte more than fits.
    TooMuch(usize),
    /// Every read gives one byte.
    OneByte,
    /// Every other read is interrupted, and gives three bytes else.
    Interrupted,
}

struct Disk {
    bytes: Cursor<Vec<u8>>,
    fault: Fault,
    calls: usize,
}

impl Disk {
    fn new(bytes: &[u8], fault: Fault) -> Self {
        Disk {
            bytes: Cursor::new(bytes.to_vec()),
            fault,
            calls: 0,
        }
    }

    fn call(&mut self) -> io::Result<usize> {
        let call = self.calls;
        self.calls += 1;
        if self.fault == Fault::Call(call) {
            return Err(injected());
        }
        Ok(call)
    }
}

fn injected() -> io::Error {
    io::Error::other("injected")
}

impl Read for Disk {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let call = self.call()?;
        let most = match self.fault {
            Fault::Call(_) | Fault::TooMuch(_) => buf.len(),
            Fault::Byte(at) => match at.saturating_sub(self.bytes.position()) {
                0 => return Err(injected()),
                left => left as usize,
            },
            Fault::OneByte => 1,
            Fault::Interrupted if call.is_multiple_of(2) => return Err(io::ErrorKind::Interrupted.into()),
            Fault::Interrupted => 3,
        };
        let most = most.min(buf.len());
        let got = self.bytes.read(&mut buf[..most])?;
        Ok(if self.fault == Fault::TooMuch(call) {
            buf.len() + 1
        } else {
            got
        })
    }
}

impl Seek for Disk {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.call()?;
        self.bytes.seek(to)
    }
}

/// Reads from a disk, by one of the ways there are; what comes is compared, and the calls are counted.
type Way = (&'static str, fn(&mut Disk) -> serde_npz::Result<()>);

fn same<T: DeserializeOwned + PartialEq + std::fmt::Debug>(found: T, expected: &T) -> serde_npz::Result<()> {
    assert_eq!(found, *expected, "not an error, but another value");
    Ok(())
}

const NPZ: [Way; 4] = [
    ("from_npz_reader", |disk| {
        same(serde_npz::from_npz_reader(disk)?, &Everything::new(3))
    }),
    ("buffered", |disk| {
        same(serde_npz::from_npz_reader(BufReader::new(disk))?, &Everything::new(3))
    }),
    ("two threads", |disk| {
        same(
            ReadOptions::new().threads(2).from_npz_reader(disk)?,
            &Everything::new(3),
        )
    }),
    ("NpzReader", |disk| {
        let mut npz = NpzReader::new(disk)?;
        same(npz.get::<Vec<f64>>("time")?, &Everything::new(3).time)?;
        same(npz.get::<Layer>("layers/first")?, &Everything::new(3).layers["first"])?;
        assert_eq!(npz.header("names")?.shape(), [3]);
        npz.verify("grid")?;
        assert_eq!(npz.raw("settings.json")?, br#"{"mode":"fast"}"#);
        Ok(())
    }),
];

const NPY: [Way; 4] = [
    ("from_npy_reader", |disk| {
        same(serde_npz::from_npy_reader(disk)?, &Everything::new(30).particles)
    }),
    ("buffered", |disk| {
        same(
            serde_npz::from_npy_reader(BufReader::new(disk))?,
            &Everything::new(30).particles,
        )
    }),
    ("NpyReader", |disk| {
        let rows: serde_npz::Result<Vec<Particle>> = NpyReader::new(disk)?.rows().collect();
        same(rows?, &Everything::new(30).particles)
    }),
    ("Header", |disk| {
        assert_eq!(Header::read(disk)?.shape(), [30]);
        Ok(())
    }),
];

/// Each way with the file it reads.
fn ways() -> Vec<(Way, Vec<u8>)> {
    let value = Everything::new(3);
    let stored = serde_npz::to_npz_vec(&value).unwrap();
    let deflated = WriteOptions::new().compressed().to_npz_vec(&value).unwrap();
    let npy = serde_npz::to_npy_vec(&Everything::new(30).particles).unwrap();
    let mut ways = Vec::new();
    for way in NPZ {
        ways.push((way, stored.clone()));
        ways.push((way, deflated.clone()));
    }
    ways.extend(NPY.map(|way| (way, npy.clone())));
    ways
}

#[test]
fn a_reader_that_gives_little_or_is_interrupted_is_read_to_the_end() {
    for ((name, read), bytes) in ways() {
        for fault in [Fault::OneByte, Fault::Interrupted] {
            let result = read(&mut Disk::new(&bytes, fault));
            assert!(result.is_ok(), "{name}, {fault:?}: {result:?}");
        }
    }
}

#[track_caller]
fn is_told(name: &str, fault: Fault, result: serde_npz::Result<()>) {
    let err = match result {
        Ok(()) => panic!("{name}: {fault:?} goes unseen"),
        Err(err) => err,
    };
    assert_eq!(err.kind(), ErrorKind::Io, "{name}, {fault:?}: {err}");
    let expected = match fault {
        Fault::TooMuch(_) => "the `Read` is wrong",
        _ => "injected",
    };
    assert!(err.to_string().contains(expected), "{name}, {fault:?}: {err}");
}

#[test]
fn a_call_that_fails_is_an_error_whichever_it_is() {
    for ((name, read), bytes) in ways() {
        for call in 0.. {
            let mut disk = Disk::new(&bytes, Fault::Call(call));
            let result = read(&mut disk);
            if disk.calls <= call {
                assert!(call > 0, "{name}");
                result.unwrap();
                break;
            }
            is_told(name, Fault::Call(call), result);
        }
    }
}

#[test]
fn a_count_that_cannot_be_is_an_error() {
    for ((name, read), bytes) in ways() {
        // The standard library's own buffer panics before we see the count.
        if name == "buffered" {
            continue;
        }
        let mut told = 0;
        for call in 0.. {
            let fault = Fault::TooMuch(call);
            let mut disk = Disk::new(&bytes, fault);
            let result = read(&mut disk);
            if disk.calls <= call {
                break;
            }
            // Seeks are calls, too.
            if result.is_err() {
                is_told(name, fault, result);
                told += 1;
            }
        }
        assert!(told > 1, "{name} reads {told} times");
    }
}

#[test]
fn a_byte_that_cannot_be_read_is_an_error_unless_nobody_needs_it() {
    for ((name, read), bytes) in ways() {
        let mut needed = 0;
        for at in 0..bytes.len() as u64 {
            let fault = Fault::Byte(at);
            match read(&mut Disk::new(&bytes, fault)) {
                // The value is the right one, as the way has compared it.
                Ok(()) => {}
                result => {
                    needed += 1;
                    is_told(name, fault, result);
                }
            }
        }
        assert!(needed > 100, "{name} needs {needed} bytes");
    }
}
