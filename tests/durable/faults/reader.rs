//! A reader that fails at every call, gives one byte a call, or is interrupted.

use std::io::{self, BufReader, Cursor, Read, Seek, SeekFrom};

use serde::de::DeserializeOwned;
use serde_npz::{ErrorKind, Header, NpyReader, NpzReader, ReadOptions, Value, WriteOptions};

use super::{Everything, Layer, Particle};

#[derive(Clone, Copy, Debug, PartialEq)]
enum Fault {
    /// This call fails, and only this one.
    Call(usize),
    /// Bytes from here on cannot be read.
    Byte(u64),
    /// This call claims one byte more than fits.
    TooMuch(usize),
    /// This call claims all the bytes there can be; a seek is at the end of all files.
    Endless(usize),
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
            Fault::Call(_) | Fault::TooMuch(_) | Fault::Endless(_) => buf.len(),
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
        Ok(match self.fault {
            Fault::TooMuch(at) if at == call => buf.len() + 1,
            Fault::Endless(at) if at == call => usize::MAX,
            _ => got,
        })
    }
}

impl Seek for Disk {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let call = self.call()?;
        let at = self.bytes.seek(to)?;
        Ok(if self.fault == Fault::Endless(call) {
            u64::MAX - 3
        } else {
            at
        })
    }
}

/// Reads from a disk, by one of the ways there are; what comes is compared, and the calls are counted.
type Way = (&'static str, fn(&mut Disk) -> serde_npz::Result<()>);

fn same<T: DeserializeOwned + PartialEq + std::fmt::Debug>(found: T, expected: &T) -> serde_npz::Result<()> {
    assert_eq!(found, *expected, "not an error, but another value");
    Ok(())
}

const NPZ: [Way; 8] = [
    ("from_reader", |disk| {
        same(serde_npz::from_reader(disk)?, &Everything::new(3))
    }),
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
    ("NpzReader::rows", |disk| {
        let mut npz = NpzReader::new(disk)?;
        let rows: serde_npz::Result<Vec<Particle>> = npz.rows("particles")?.collect();
        same(rows?, &Everything::new(3).particles)?;
        let rows: serde_npz::Result<Vec<String>> = npz.rows("names")?.collect();
        same(rows?, &Everything::new(3).names)
    }),
    ("entry", |disk| {
        let mut npz = NpzReader::new(disk)?;
        for name in ["time", "grid"] {
            assert_eq!(npz.entry(name)?.name(), name);
        }
        Ok(())
    }),
    ("Value", |disk| {
        let value: Value = serde_npz::from_npz_reader(disk)?;
        same(serde_npz::from_value(value)?, &Everything::new(3))
    }),
];

const NPY: [Way; 8] = [
    ("from_reader", |disk| {
        same(serde_npz::from_reader(disk)?, &Everything::new(30).particles)
    }),
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
    ("seek", |disk| {
        let mut npy = NpyReader::new(disk)?;
        npy.seek(20)?;
        let row: Particle = npy.rows().next().expect("a row")?;
        same(row, &Everything::new(30).particles[20])?;
        npy.seek(3)?;
        let row: Particle = npy.rows().next().expect("a row")?;
        same(row, &Everything::new(30).particles[3])
    }),
    ("next_array", |disk| {
        let mut npy = NpyReader::new(disk)?;
        assert!(!npy.next_array()?);
        npy.finish().map(drop)
    }),
    ("Value", |disk| {
        let value: Value = serde_npz::from_npy_reader(disk)?;
        same(serde_npz::from_value(value)?, &Everything::new(30).particles)
    }),
];

type File = fn() -> Vec<u8>;

/// One kind of array each, as each has its own way into memory. Some are larger than what is fetched at once.
const KINDS: [(Way, File); 6] = [
    (
        ("numbers", |disk| {
            same(serde_npz::from_npy_reader(disk)?, &Everything::new(9000).time)
        }),
        || serde_npz::to_npy_vec(&Everything::new(9000).time).unwrap(),
    ),
    (
        ("bools", |disk| {
            same(serde_npz::from_npy_reader(disk)?, &Everything::new(30).flags)
        }),
        || serde_npz::to_npy_vec(&Everything::new(30).flags).unwrap(),
    ),
    (
        ("rows", |disk| {
            same(serde_npz::from_npy_reader(disk)?, &Everything::new(3).grid)
        }),
        || serde_npz::to_npy_vec(&Everything::new(3).grid).unwrap(),
    ),
    (
        ("texts", |disk| {
            same(serde_npz::from_npy_reader(disk)?, &Everything::new(30).names)
        }),
        || serde_npz::to_npy_vec(&Everything::new(30).names).unwrap(),
    ),
    (
        ("rows of records", |disk| {
            let rows: serde_npz::Result<Vec<Particle>> = NpyReader::new(disk)?.rows().collect();
            same(rows?, &Everything::new(5000).particles)
        }),
        || serde_npz::to_npy_vec(&Everything::new(5000).particles).unwrap(),
    ),
    (
        ("0-d", |disk| same(serde_npz::from_npy_reader(disk)?, &7.5_f64)),
        || serde_npz::to_npy_vec(&7.5).unwrap(),
    ),
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
        Fault::TooMuch(_) | Fault::Endless(_) => "the `Read` is wrong",
        _ => "injected",
    };
    assert!(format!("{err:#}").contains(expected), "{name}, {fault:?}: {err}");
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
    let kinds = KINDS.map(|(way, file)| (way, file()));
    for ((name, read), bytes) in ways().into_iter().chain(kinds) {
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
                is_told(
                    name,
                    Fault::Endless(call),
                    read(&mut Disk::new(&bytes, Fault::Endless(call))),
                );
            } else {
                // A position that cannot be is believed, and ends in some error or is not needed at all.
                let _ = read(&mut Disk::new(&bytes, Fault::Endless(call)));
            }
        }
        assert!(told > 0, "{name} reads {told} times");
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
