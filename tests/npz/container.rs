//! The container: archives built by hand, one lie at a time, and what must come of each.

use std::fs;
use std::io::{self, Cursor, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use crate::zip::{Before, End, Header, Part, array, extra, wide, zip, zip64};
use serde_npz::{Error, ErrorKind, Limits, NpzReader, NpzWriter, ReadOptions, Result};

/// What to change about a member, and what the error has to say.
type Lie = (fn(&mut Part), &'static str);

/// A way to read a member of a file.
type Take = fn(&mut NpzReader<io::BufReader<fs::File>>) -> Result<()>;

fn a() -> Part {
    Part::stored("a.npy", &array(b"first"))
}

fn b() -> Part {
    Part::stored("b.npy", &array(b"second"))
}

/// Every member by its name, or the first error.
fn load(bytes: &[u8]) -> Result<Vec<(String, Vec<u8>)>> {
    let mut npz = NpzReader::new(Cursor::new(bytes))?;
    let names: Vec<String> = npz.names().map(str::to_owned).collect();
    names
        .into_iter()
        .map(|name| {
            npz.verify(&name)?;
            let raw = npz.raw(&name)?;
            Ok((name, raw))
        })
        .collect()
}

#[track_caller]
fn loads(bytes: &[u8]) {
    let found = load(bytes).unwrap();
    assert_eq!(
        found,
        [("a".to_owned(), array(b"first")), ("b".to_owned(), array(b"second"))]
    );
}

#[track_caller]
fn refused(bytes: &[u8], kind: ErrorKind, because: &str) -> Error {
    let err = load(bytes).unwrap_err();
    assert!(
        err.kind() == kind && err.to_string().contains(because),
        "{err:?}: expected {kind:?}, {because}"
    );
    err
}

#[track_caller]
fn corrupt(bytes: &[u8], because: &str) {
    refused(bytes, ErrorKind::CorruptArchive, because);
}

#[track_caller]
fn corrupt_end(end: End, because: &str) {
    corrupt(&zip(&[a(), b()], &end), because);
}

#[test]
fn plain_archives_load() {
    loads(&zip(&[a(), b()], &End::default()));
    loads(&zip(
        &[a(), Part::deflated("b.npy", &array(b"second"))],
        &End::default(),
    ));
    loads(&zip(
        &[a(), b()],
        &End {
            comment: vec![b'c'; 65_535],
            ..End::default()
        },
    ));
    loads(&zip(
        &[a().with(|part| part.comment = b"of a member".to_vec()), b()],
        &End::default(),
    ));
    assert_eq!(load(&zip(&[], &End::default())).unwrap(), []);
}

#[test]
fn every_cut_is_an_error() {
    let bytes = zip(&[a(), b()], &End::default());
    for len in 0..bytes.len() {
        assert!(load(&bytes[..len]).is_err(), "{len}");
    }
}

#[test]
fn no_flipped_bit_goes_unnoticed_in_the_data() {
    for parts in [
        [a(), b()],
        [
            Part::deflated("a.npy", &array(b"first")),
            Part::deflated("b.npy", &array(b"second")),
        ],
    ] {
        let bytes = zip(&parts, &End::default());
        let right = load(&bytes).unwrap();
        for bit in 0..8 * bytes.len() {
            let mut bytes = bytes.clone();
            bytes[bit / 8] ^= 1 << (bit % 8);
            if let Ok(found) = load(&bytes) {
                assert!(
                    found
                        .iter()
                        .map(|(_, data)| data)
                        .eq(right.iter().map(|(_, data)| data)),
                    "bit {bit}"
                );
            }
        }
    }
}

#[test]
fn the_start_decides() {
    let npy = refused(&array(b"x"), ErrorKind::BadMagic, "load_npy");
    assert!(npy.to_string().contains("from_npy_"));
    refused(b"just a text", ErrorKind::BadMagic, "not an npz file");
    refused(b"", ErrorKind::BadMagic, "no bytes");
    let mut script = b"#!/bin/sh\n".to_vec();
    script.extend(zip(&[a()], &End::default()));
    refused(&script, ErrorKind::BadMagic, "not an npz file");
}

#[test]
fn the_end_record_must_fit() {
    let mut trailing = zip(&[a(), b()], &End::default());
    trailing.push(0);
    corrupt(&trailing, "appended");
    corrupt_end(
        End {
            comment: zip(&[a()], &End::default()),
            ..End::default()
        },
        "one end record",
    );
    corrupt_end(
        End {
            here: Some(1),
            count: Some(2),
            ..End::default()
        },
        "found 1 members in one place",
    );
    corrupt_end(
        End {
            count: Some(3),
            ..End::default()
        },
        "expected at least 46 for each of 3",
    );
    corrupt_end(
        End {
            count: Some(1),
            ..End::default()
        },
        "behind the last of 1 members",
    );
    corrupt_end(
        End {
            size: Some(101),
            ..End::default()
        },
        "expected it to end at",
    );
    corrupt_end(
        End {
            offset: Some(7),
            ..End::default()
        },
        "expected it to end at",
    );
    corrupt_end(
        End {
            before: Some(|_, _, _| vec![0; 30]),
            ..End::default()
        },
        "expected it to end at",
    );
    let split = [
        End {
            disk: 1,
            ..End::default()
        },
        End {
            directory_disk: 1,
            ..End::default()
        },
    ];
    for end in split {
        refused(&zip(&[a()], &end), ErrorKind::UnsupportedArchive, "split");
    }
    // The count alone would allow it, the names do not.
    let long = a().with(|part| part.central.name = vec![b'n'; 200]);
    let mut bytes = zip(&[long], &End::default());
    let at = bytes.len() - 22 - 200 - 46 + 28;
    bytes[at] = 250;
    corrupt(&bytes, "the directory ends early");
}

#[test]
fn the_zip64_record_must_fit() {
    const SHUT: End = End {
        disk: 0,
        directory_disk: 0,
        here: None,
        count: Some(u16::MAX),
        size: Some(u32::MAX),
        offset: Some(u32::MAX),
        comment: Vec::new(),
        before: None,
    };
    let archive = |before: Before| {
        zip(
            &[a(), b()],
            &End {
                before: Some(before),
                ..SHUT
            },
        )
    };
    loads(&archive(|n, size, at| {
        zip64(44, [0, 0], [n, n, size, at], (0, at + size, 1))
    }));
    // The end record may also repeat the numbers.
    let before: Before = |n, size, at| zip64(44, [0, 0], [n, n, size, at], (0, at + size, 1));
    loads(&zip(
        &[a(), b()],
        &End {
            before: Some(before),
            ..End::default()
        },
    ));
    let cases: [(Before, &str); 9] = [
        (
            |n, size, at| zip64(43, [0, 0], [n, n, size, at], (0, at + size, 1)),
            "expected it to end at its locator",
        ),
        (
            |n, size, at| zip64(u64::MAX, [0, 0], [n, n, size, at], (0, at + size, 1)),
            "end at its locator",
        ),
        (
            |n, size, at| zip64(44, [0, 0], [1, n, size, at], (0, at + size, 1)),
            "found 1 members in one place",
        ),
        (
            |n, size, at| zip64(44, [0, 0], [n, n, size, at + 1], (0, at + size, 1)),
            "expected it to end at",
        ),
        (
            |n, size, at| zip64(44, [0, 0], [n, n, size, u64::MAX], (0, at + size, 1)),
            "expected it to end at",
        ),
        (
            |_, size, at| zip64(44, [0, 0], [1 << 60, 1 << 60, size, at], (0, at + size, 1)),
            "for each of 11529215",
        ),
        (
            |n, size, at| zip64(44, [0, 0], [n, n, size, at], (0, at + size - 1, 1)),
            "no zip64 record",
        ),
        (
            |n, size, at| zip64(44, [0, 0], [n, n, size, at], (0, 1 << 50, 1)),
            "zip64 locator that points",
        ),
        (
            |n, size, at| zip64(44, [0, 0], [n, n, size, at], (0, u64::MAX, 1)),
            "zip64 locator that points",
        ),
    ];
    for (before, because) in cases {
        corrupt(&archive(before), because);
    }
    let splits: [Before; 4] = [
        |n, size, at| zip64(44, [1, 0], [n, n, size, at], (0, at + size, 1)),
        |n, size, at| zip64(44, [0, 1], [n, n, size, at], (0, at + size, 1)),
        |n, size, at| zip64(44, [0, 0], [n, n, size, at], (1, at + size, 1)),
        |n, size, at| zip64(44, [0, 0], [n, n, size, at], (0, at + size, 2)),
    ];
    for before in splits {
        refused(&archive(before), ErrorKind::UnsupportedArchive, "split");
    }
    for end in [
        End {
            count: Some(1),
            before: Some(before),
            ..SHUT
        },
        End {
            size: Some(1),
            before: Some(before),
            ..SHUT
        },
        End {
            offset: Some(1),
            before: Some(before),
            ..SHUT
        },
    ] {
        corrupt_end(end, "as in the zip64 record");
    }
    corrupt_end(SHUT, "expected it to end at");
}

#[test]
fn the_entries_of_the_directory_must_fit() {
    let cases: [Lie; 12] = [
        (|part| part.central.signature[3] = 3, "expected the signature"),
        (|part| part.offset = Some(1 << 30), "before the directory"),
        (|part| part.offset = Some(0), "two members at the offset 0"),
        (|part| part.central.name.clear(), "empty name"),
        (|part| part.central.name = b"a\0b".to_vec(), "without NUL"),
        (
            |part| (part.central.name, part.central.flags) = (b"\xff".to_vec(), 1 << 11),
            "expected UTF-8",
        ),
        (|part| part.central.name = b"a.npy".to_vec(), "the key `a` twice"),
        (|part| part.central.name = b"a".to_vec(), "the key `a` twice"),
        (
            |part| part.central.extra = b"\x01\0\x08\0".to_vec(),
            "an extra field of 8 bytes",
        ),
        (
            |part| part.central.extra = b"abc".to_vec(),
            "behind the last extra field",
        ),
        (
            |part| part.central.extra = [wide(&[]), wide(&[])].concat(),
            "two zip64 fields",
        ),
        (
            |part| {
                (part.central.size, part.central.compressed, part.central.extra) = (u32::MAX, u32::MAX, wide(&[134]))
            },
            "found 0 bytes in a zip64 field",
        ),
    ];
    for (change, because) in cases {
        corrupt(&zip(&[a(), b().with(change)], &End::default()), because);
    }
    refused(
        &zip(&[a().with(|part| part.disk = 1)], &End::default()),
        ErrorKind::UnsupportedArchive,
        "split",
    );
    refused(
        &zip(&[a().with(|part| part.disk = 0xffff)], &End::default()),
        ErrorKind::UnsupportedArchive,
        "split",
    );
    // The field of 64 bits holds a disk of 32 behind the sizes that are needed.
    for disk in [0_u8, 1] {
        let bytes = zip(
            &[a().with(|part| (part.disk, part.central.extra) = (0xffff, extra(1, &[disk, 0, 0, 0])))],
            &End::default(),
        );
        match disk {
            0 => assert_eq!(load(&bytes).unwrap()[0].1, array(b"first")),
            _ => drop(refused(&bytes, ErrorKind::UnsupportedArchive, "split")),
        }
    }
    let mut bytes = zip(&[a()], &End::default());
    let needed = bytes.windows(4).position(|window| window == b"PK\x01\x02").unwrap() + 6;
    bytes[needed] = 63;
    load(&bytes).unwrap();
    bytes[needed] = 64;
    refused(&bytes, ErrorKind::UnsupportedArchive, "needs version 64");
}

#[test]
fn the_local_header_must_say_the_same() {
    let cases: [Lie; 14] = [
        (|part| part.local.signature[3] = 5, "expected the signature"),
        (|part| part.local.flags = 1 << 11, "the flags"),
        (|part| part.local.flags = 1, "the flags"),
        (|part| part.local.flags = 1 << 3, "the flags"),
        (|part| part.local.flags = 1 << 5, "the flags"),
        // What two readers see differently is corrupt, even if one of them could not read it.
        (|part| part.central.method = 12, "the compression method"),
        (|part| part.local.method = 8, "the compression method"),
        (|part| part.local.name = b"c.npy".to_vec(), "the name `c.npy`"),
        (|part| part.local.crc ^= 1, "the CRC"),
        (|part| part.local.crc = 0, "the CRC"),
        (|part| part.local.compressed -= 1, "the compressed size"),
        (|part| part.local.size -= 1, "the size"),
        (
            |part| (part.local.size, part.local.extra) = (u32::MAX, wide(&[134])),
            "expected 16",
        ),
        (
            |part| (part.local.size, part.local.extra) = (u32::MAX, wide(&[133, 134])),
            "the size 133",
        ),
    ];
    for (change, because) in cases {
        corrupt(&zip(&[a(), b().with(change)], &End::default()), because);
    }
    // Hints of the compressor are no contradiction.
    loads(&zip(&[a(), b().with(|part| part.local.flags = 6)], &End::default()));
}

#[test]
fn what_others_write_is_taken() {
    let wide_local = |part: Part| {
        let len = part.body.len() as u64;
        part.with(|part| {
            (part.local.size, part.local.compressed, part.local.extra) = (u32::MAX, u32::MAX, wide(&[len, len]));
        })
    };
    let wide_central = |part: Part, offset: u64| {
        let len = part.body.len() as u64;
        part.with(|part| {
            (part.central.size, part.central.compressed) = (u32::MAX, u32::MAX);
            part.offset = Some(u32::MAX);
            part.central.extra = [extra(0x5455, b"\x01time"), wide(&[len, len, offset])].concat();
        })
    };
    loads(&zip(&[wide_local(a()), wide_local(b())], &End::default()));
    let second = zip(&[a()], &End::default()).len() as u64 - 22 - 46 - 5;
    let wide_disk = wide_central(a(), 0).with(|part| {
        part.disk = u16::MAX;
        let values = [&part.central.extra[13..], &[0; 4]].concat();
        part.central.extra = extra(1, &values);
    });
    loads(&zip(
        &[wide_central(a(), 0), wide_central(b(), second)],
        &End::default(),
    ));
    let taken = load(&zip(&[wide_disk], &End::default())).unwrap();
    assert_eq!(taken[0].1, array(b"first"));
    // Some write both sizes where one would do.
    let both = a().with(|part| {
        let len = u64::from(part.central.size);
        (part.central.size, part.central.extra) = (u32::MAX, wide(&[len, len]));
    });
    loads(&zip(&[both, b()], &End::default()));
    loads(&zip(
        &[a().with(|part| part.local.extra = vec![0; 3]), b()],
        &End::default(),
    ));
    // Names that are not flagged are of the old code page.
    let old = zip(
        &[Part::stored("a.npy", b"").with_both(|header| header.name = b"\x81\xe1.npy".to_vec())],
        &End::default(),
    );
    assert_eq!(load(&old).unwrap()[0].0, "üß");
}

#[test]
fn descriptors_in_all_forms() {
    let descriptor = |part: &Part, signed: bool, large: bool| {
        let mut bytes = if signed { b"PK\x07\x08".to_vec() } else { Vec::new() };
        bytes.extend_from_slice(&part.central.crc.to_le_bytes());
        for n in [part.central.compressed, part.central.size] {
            let n = u64::from(n).to_le_bytes();
            bytes.extend_from_slice(if large { &n } else { &n[..4] });
        }
        bytes
    };
    for signed in [false, true] {
        for large in [false, true] {
            let described = |part: Part| {
                let bytes = descriptor(&part, signed, large);
                part.described(bytes)
            };
            loads(&zip(
                &[described(a()), described(Part::deflated("b.npy", &array(b"second")))],
                &End::default(),
            ));
            for byte in 0..descriptor(&a(), signed, large).len() {
                let broken = described(a()).with(|part| part.descriptor[byte] ^= 1);
                corrupt(&zip(&[broken], &End::default()), "descriptor");
            }
            let cut = described(a()).with(|part| {
                part.descriptor.pop();
            });
            corrupt(&zip(&[cut], &End::default()), "descriptor");
            // What comes behind the data may stand before it as well, if it is the same.
            let crc = described(a()).with(|part| part.local.crc = part.central.crc);
            loads(&zip(&[crc, b()], &End::default()));
            let crc = described(a()).with(|part| part.local.crc = part.central.crc ^ 1);
            corrupt(&zip(&[crc], &End::default()), "the CRC");
        }
    }
}

#[test]
fn a_local_header_is_no_descriptor() {
    // Its checksum is that of `PK\x03\x04`, and its sizes are what a local header has next: version 20, method 8.
    let data = b"data\x13\xa3\xc9\xa9";
    assert_eq!(crc32fast::hash(data).to_le_bytes(), *b"PK\x03\x04");
    let empty_blocks = [2, 8, 0, 0, 0, 255, 255];
    let last_block = [1, 8, 0, 247, 255];
    let body = [&empty_blocks, &last_block[..], data].concat();
    let deflated = |name, data| Part::stored(name, data).with_both(|header| header.method = 8);
    let first = deflated("a.npy", data).with_body(body).described(Vec::new());
    corrupt(
        &zip(&[first, Part::deflated("b.npy", &array(b"second"))], &End::default()),
        "descriptor",
    );
}

#[test]
fn members_have_their_bytes_to_themselves() {
    // The first one claims more than there is before the second.
    let longer = a().with_both(|header| (header.size, header.compressed) = (header.size + 1, header.compressed + 1));
    corrupt(&zip(&[longer, b()], &End::default()), "where something else starts");
    let beyond = a().with_both(|header| (header.size, header.compressed) = (u32::MAX - 1, u32::MAX - 1));
    corrupt(&zip(&[beyond], &End::default()), "where something else starts");
    // The second one lies inside the first one's data.
    let inner = zip(&[b()], &End::default());
    let inner = &inner[..inner.len() - 22 - 46 - 5];
    let outer = Part::stored("a.npy", inner);
    let hidden = b().with(|part| part.offset = Some(35));
    corrupt(&zip(&[outer, hidden], &End::default()), "where something else starts");
    // The directory's order is free, so is that of the data.
    let mut swapped = [b(), a()];
    swapped[0].offset = Some(zip(&[a()], &End::default()).len() as u32 - 22 - 46 - 5);
    swapped[1].offset = Some(0);
    let (mut first, second) = (zip(&[a(), b()], &End::default()), zip(&swapped, &End::default()));
    let directory = first.len() - 22 - 2 * (46 + 5);
    first[directory..].copy_from_slice(&second[directory..]);
    let names: Vec<_> = load(&first).unwrap().into_iter().map(|(name, _)| name).collect();
    assert_eq!(names, ["b", "a"]);
}

#[test]
fn the_data_must_be_what_the_directory_says() {
    let crc = a().with_both(|header| header.crc ^= 1);
    let err = refused(
        &zip(&[crc], &End::default()),
        ErrorKind::CorruptArchive,
        "the data is damaged",
    );
    assert_eq!(err.path(), "a");
    corrupt(
        &zip(&[a().with_both(|header| header.size += 1)], &End::default()),
        "stored bytes",
    );
    let deflated = Part::deflated("a.npy", &array(b"first"));
    let with = |change: fn(&mut Vec<u8>)| {
        let mut body = deflated.body.clone();
        change(&mut body);
        zip(&[deflated.clone().with_body(body)], &End::default())
    };
    corrupt(
        &with(|body| body.extend_from_slice(b"junk")),
        "4 bytes behind the end of the deflate stream",
    );
    // More than is looked at together with the end of the stream.
    corrupt(
        &with(|body| body.resize(body.len() + 100_000, 0)),
        "100000 bytes behind the end of the deflate stream",
    );
    // On a thread of its own: a reader that waits for more of such a stream would wait for ever.
    for cut in [with(|body| body.truncate(100)), with(|body| body[0] = 0)] {
        let (done, ended) = std::sync::mpsc::channel();
        std::thread::spawn(move || done.send(load(&cut).unwrap_err().to_string()));
        let err = ended.recv_timeout(Duration::from_secs(60)).expect("an end");
        assert!(err.contains("cut off"), "{err}");
    }
    corrupt(&with(|body| body[0] = 7), "no valid deflate stream");
    let sized = |by: i32| {
        zip(
            &[deflated
                .clone()
                .with_both(|header| header.size = header.size.wrapping_add_signed(by))],
            &End::default(),
        )
    };
    corrupt(&sized(1), "the size in the directory is wrong");
    corrupt(&sized(-1), "goes on behind the member's size");
    corrupt(&sized(1 << 20), "at most 1032 times");
}

#[test]
fn unsupported_members_leave_the_others_readable() {
    for (change, because) in [
        (
            (|header: &mut Header| header.flags |= 1) as fn(&mut Header),
            "encrypted",
        ),
        (|header| header.flags |= 1 << 6, "encrypted"),
        (|header| header.flags |= 1 << 13, "encrypted"),
        (|header| header.flags |= 1 << 5, "patch"),
        (|header| header.method = 12, "compression method 12"),
    ] {
        let bytes = zip(&[a().with_both(change), b()], &End::default());
        refused(&bytes, ErrorKind::UnsupportedArchive, because);
        assert_eq!(
            NpzReader::new(Cursor::new(bytes)).unwrap().raw("b").unwrap(),
            array(b"second")
        );
    }
}

#[test]
fn names_and_lookup_are_numpys() {
    let parts =
        ["a.npy", "a.npy.npy", "notes.txt", ".npy", "/abs.npy"].map(|name| Part::stored(name, &array(name.as_bytes())));
    let mut npz = NpzReader::new(Cursor::new(zip(&parts, &End::default()))).unwrap();
    assert!(npz.names().eq(["a", "a.npy", "notes.txt", "", "/abs"]));
    assert_eq!((npz.len(), npz.is_empty()), (5, false));
    assert_eq!(npz.raw("a.npy").unwrap(), array(b"a.npy.npy"));
    assert_eq!(npz.raw("").unwrap(), array(b".npy"));
    assert!(npz.contains("a") && !npz.contains("notes") && !npz.contains("abs"));
    let err = npz.raw("b\x1b").unwrap_err();
    assert_eq!((err.kind(), err.path()), (ErrorKind::MissingMember, "b\x1b"));
    assert!(!err.to_string().contains('\x1b'));
}

#[test]
fn headers_are_read_alone() {
    let text = Part::stored("t.npy", b"just a text");
    let empty = Part::stored("e.npy", b"");
    let cut = Part::stored("c.npy", b"\x93NUMPY");
    let damaged = a().with_both(|header| header.crc ^= 1);
    let mut npz = NpzReader::new(Cursor::new(zip(&[text, empty, cut, damaged], &End::default()))).unwrap();
    assert_eq!(npz.header("t").unwrap_err().kind(), ErrorKind::NotAnArray);
    assert_eq!(npz.header("e").unwrap_err().kind(), ErrorKind::NotAnArray);
    assert_eq!(npz.header("c").unwrap_err().kind(), ErrorKind::Truncated);
    assert_eq!(npz.header("x").unwrap_err().kind(), ErrorKind::MissingMember);
    // Nothing of the data is read, so its damage does not show.
    assert_eq!(npz.header("a").unwrap().shape(), [5]);
    assert_eq!(npz.verify("a").unwrap_err().kind(), ErrorKind::CorruptArchive);
}

#[test]
fn limits_hold_before_anything_is_read() {
    let bytes = zip(&[a(), b()], &End::default());
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
    // What was only verified was not handed out.
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
    // Their fault lies in what the array makes of its member, not in the container.
    const ARRAYS: [&str; 6] = [
        "object-npz-object",
        "member-terabyte-stored",
        "member-short",
        "member-long",
        "member-header-past-member",
        "bomb-tail",
    ];
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/hostile");
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
                    assert!(!err.to_string().contains(char::is_control), "{id}: {err}");
                }
            }
        }
    }
    assert!(seen > 80, "{seen}");
}

/// A directory that is removed at the end.
struct Scratch(PathBuf);

impl Scratch {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("serde_npz-archives-{}-{name}", std::process::id()));
        let _ = fs::remove_dir_all(&path);
        fs::create_dir_all(&path).unwrap();
        Scratch(path)
    }

    fn names(&self) -> Vec<String> {
        let mut names: Vec<_> = fs::read_dir(&self.0)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// A file that is cut while it is opened: its end was further off a moment ago.
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
    let bytes = zip(&[a(), b()], &End::default());
    let err = NpzReader::new(Shrinking(Cursor::new(&bytes))).unwrap_err();
    assert_eq!(err.kind(), ErrorKind::Truncated, "{err}");
}

#[test]
fn a_file_cut_off_after_it_was_opened_is_truncated() {
    let dir = Scratch::new("cut");
    let path = dir.0.join("x.npz");
    let takes: [Take; 2] = [|npz| npz.raw("a").map(drop), |npz| npz.verify("a")];
    let large = Part::stored("a.npy", &array(&vec![7; 3 << 20]));
    for part in [a(), Part::deflated("a.npy", &array(b"first")), large] {
        for take in takes {
            fs::write(&path, zip(std::slice::from_ref(&part), &End::default())).unwrap();
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

#[test]
fn files_appear_whole_or_not_at_all() {
    let dir = Scratch::new("files");
    let mut npz = NpzWriter::create(dir.0.join("data")).unwrap();
    npz.add("x", &[1_u8, 2].as_slice()).unwrap();
    assert!(!dir.0.join("data.npz").exists());
    npz.finish().unwrap();
    assert_eq!(dir.names(), ["data.npz"]);
    let before = fs::read(dir.0.join("data.npz")).unwrap();

    let mut npz = NpzWriter::create(dir.0.join("data.npz")).unwrap();
    npz.add("y", &[3_u8].as_slice()).unwrap();
    drop(npz);
    assert_eq!(dir.names(), ["data.npz"]);
    assert_eq!(fs::read(dir.0.join("data.npz")).unwrap(), before);

    let mut npz = NpzReader::open(dir.0.join("data.npz")).unwrap();
    assert!(npz.raw("x").unwrap().ends_with(&[1, 2]));
    let err = NpzReader::open(dir.0.join("no\x1bne.npz")).unwrap_err();
    assert_eq!(err.kind(), ErrorKind::Io);
    assert!(err.to_string().contains("no\\u{1b}ne.npz"), "{err}");
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
