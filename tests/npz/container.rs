//! The container: archives built by hand with one lie each, and the error it must cause.

use std::io::Cursor;
use std::time::Duration;

use crate::zip::{Before, End, Header, Part, archive, array, extra, wide, zip, zip64};
use serde_npz::{Error, ErrorKind, NpzReader, Result};

/// What to change about a member, and what the error has to say.
type Lie = (fn(&mut Part), &'static str);

pub fn a() -> Part {
    Part::stored("a.npy", &array(b"first"))
}

pub fn b() -> Part {
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
        err.kind() == kind && format!("{err:#}").contains(because),
        "{err:?}: expected {kind:?}, {because}"
    );
    err
}

#[track_caller]
fn corrupt(bytes: &[u8], because: &str) {
    refused(bytes, ErrorKind::CorruptArchive, because);
}

#[track_caller]
fn corrupt_end(change: impl FnOnce(&mut End), because: &str) {
    corrupt(&zip(&[a(), b()], &end(change)), because);
}

fn end(change: impl FnOnce(&mut End)) -> End {
    let mut end = End::default();
    change(&mut end);
    end
}

#[test]
fn plain_archives_load() {
    loads(&archive(&[a(), b()]));
    loads(&archive(&[a(), Part::deflated("b.npy", &array(b"second"))]));
    loads(&zip(
        &[a(), b()],
        &End {
            comment: vec![b'c'; 65_535],
            ..End::default()
        },
    ));
    loads(&archive(&[
        a().with(|part| part.comment = b"of a member".to_vec()),
        b(),
    ]));
    assert_eq!(load(&archive(&[])).unwrap(), []);
}

#[test]
fn every_cut_is_an_error() {
    let bytes = archive(&[a(), b()]);
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
        let bytes = archive(&parts);
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
    assert!(npy.hint().unwrap().contains("from_npy_"));
    refused(b"just a text", ErrorKind::BadMagic, "not an npz file");
    refused(b"", ErrorKind::BadMagic, "no bytes");
    let mut script = b"#!/bin/sh\n".to_vec();
    script.extend(archive(&[a()]));
    refused(&script, ErrorKind::BadMagic, "not an npz file");
}

#[test]
fn the_end_record_must_fit() {
    let mut trailing = archive(&[a(), b()]);
    trailing.push(0);
    corrupt(&trailing, "appended");
    corrupt_end(|end| end.comment = archive(&[a()]), "one end record");
    corrupt_end(
        |end| (end.here, end.count) = (Some(1), Some(2)),
        "found 1 members in one place",
    );
    corrupt_end(|end| end.count = Some(3), "expected at least 46 for each of 3");
    corrupt_end(|end| end.count = Some(1), "behind the last of 1 members");
    corrupt_end(|end| end.size = Some(101), "expected it to end at");
    corrupt_end(|end| end.offset = Some(7), "expected it to end at");
    corrupt_end(|end| end.before = Some(|_, _, _| vec![0; 30]), "expected it to end at");
    let split: [fn(&mut End); 2] = [|end| end.disk = 1, |end| end.directory_disk = 1];
    for change in split {
        refused(&zip(&[a()], &end(change)), ErrorKind::UnsupportedArchive, "split");
    }
    // The directory has room for the count of members, but not for their names.
    let long = a().with(|part| part.central.name = vec![b'n'; 200]);
    let mut bytes = archive(&[long]);
    let at = bytes.len() - 22 - 200 - 46 + 28;
    bytes[at] = 250;
    corrupt(&bytes, "the directory ends early");
}

#[test]
fn the_zip64_record_must_fit() {
    /// The numbers of the end record say that those of the zip64 record count.
    fn defer(end: &mut End) {
        (end.count, end.size, end.offset) = (Some(u16::MAX), Some(u32::MAX), Some(u32::MAX));
    }
    fn behind(before: Before, change: impl FnOnce(&mut End)) -> Vec<u8> {
        let end = end(|end| {
            end.before = Some(before);
            change(end);
        });
        zip(&[a(), b()], &end)
    }
    let right: Before = |n, size, at| zip64(44, [0, 0], [n, n, size, at], (0, at + size, 1));
    loads(&behind(right, defer));
    // The end record may also repeat the numbers.
    loads(&behind(right, |_| ()));
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
        corrupt(&behind(before, defer), because);
    }
    let splits: [Before; 4] = [
        |n, size, at| zip64(44, [1, 0], [n, n, size, at], (0, at + size, 1)),
        |n, size, at| zip64(44, [0, 1], [n, n, size, at], (0, at + size, 1)),
        |n, size, at| zip64(44, [0, 0], [n, n, size, at], (1, at + size, 1)),
        |n, size, at| zip64(44, [0, 0], [n, n, size, at], (0, at + size, 2)),
    ];
    for before in splits {
        refused(&behind(before, defer), ErrorKind::UnsupportedArchive, "split");
    }
    let contradictions: [fn(&mut End); 3] = [
        |end| end.count = Some(1),
        |end| end.size = Some(1),
        |end| end.offset = Some(1),
    ];
    for change in contradictions {
        let bytes = behind(right, |end| {
            defer(end);
            change(end);
        });
        corrupt(&bytes, "as in the zip64 record");
    }
    corrupt_end(defer, "expected it to end at");
}

#[test]
fn the_entries_of_the_directory_must_fit() {
    let cases: [Lie; 12] = [
        (|part| part.central.signature[3] = 3, "expected the signature"),
        (|part| part.offset = Some(1 << 30), "before the directory"),
        (|part| part.offset = Some(0), "where something else starts"),
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
        corrupt(&archive(&[a(), b().with(change)]), because);
    }
    refused(
        &archive(&[a().with(|part| part.disk = 1)]),
        ErrorKind::UnsupportedArchive,
        "split",
    );
    refused(
        &archive(&[a().with(|part| part.disk = 0xffff)]),
        ErrorKind::UnsupportedArchive,
        "split",
    );
    // The zip64 field may hold the disk as 32 bits, behind the sizes.
    for disk in [0_u8, 1] {
        let bytes = archive(&[a().with(|part| (part.disk, part.central.extra) = (0xffff, extra(1, &[disk, 0, 0, 0])))]);
        match disk {
            0 => assert_eq!(load(&bytes).unwrap()[0].1, array(b"first")),
            _ => drop(refused(&bytes, ErrorKind::UnsupportedArchive, "split")),
        }
    }
    let mut bytes = archive(&[a()]);
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
        // Two readers would see two members: corrupt, even where one of the methods is unsupported.
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
        corrupt(&archive(&[a(), b().with(change)]), because);
    }
    // The flags 1 and 2 are hints of the compressor and may differ.
    loads(&archive(&[a(), b().with(|part| part.local.flags = 6)]));
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
    loads(&archive(&[wide_local(a()), wide_local(b())]));
    let second = archive(&[a()]).len() as u64 - 22 - 46 - 5;
    let wide_disk = wide_central(a(), 0).with(|part| {
        part.disk = u16::MAX;
        let values = [&part.central.extra[13..], &[0; 4]].concat();
        part.central.extra = extra(1, &values);
    });
    loads(&archive(&[wide_central(a(), 0), wide_central(b(), second)]));
    let taken = load(&archive(&[wide_disk])).unwrap();
    assert_eq!(taken[0].1, array(b"first"));
    // Some write both sizes where one would do.
    let both = a().with(|part| {
        let len = u64::from(part.central.size);
        (part.central.size, part.central.extra) = (u32::MAX, wide(&[len, len]));
    });
    loads(&archive(&[both, b()]));
    loads(&archive(&[a().with(|part| part.local.extra = vec![0; 3]), b()]));
    // Names without the UTF-8 flag are in code page 437.
    let old = archive(&[Part::stored("a.npy", b"").with_both(|header| header.name = b"\x81\xe1.npy".to_vec())]);
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
            loads(&archive(&[
                described(a()),
                described(Part::deflated("b.npy", &array(b"second"))),
            ]));
            for byte in 0..descriptor(&a(), signed, large).len() {
                let broken = described(a()).with(|part| part.descriptor[byte] ^= 1);
                corrupt(&archive(&[broken]), "descriptor");
            }
            let cut = described(a()).with(|part| {
                part.descriptor.pop();
            });
            corrupt(&archive(&[cut]), "descriptor");
            // The local header may repeat the CRC of the descriptor, but not contradict it.
            let crc = described(a()).with(|part| part.local.crc = part.central.crc);
            loads(&archive(&[crc, b()]));
            let crc = described(a()).with(|part| part.local.crc = part.central.crc ^ 1);
            corrupt(&archive(&[crc]), "the CRC");
        }
    }
}

#[test]
fn a_local_header_is_no_descriptor() {
    // The next local header reads like a descriptor of this data: its signature equals the CRC, what follows the sizes.
    let data = b"data\x13\xa3\xc9\xa9";
    assert_eq!(crc32fast::hash(data).to_le_bytes(), *b"PK\x03\x04");
    let empty_blocks = [2, 8, 0, 0, 0, 255, 255];
    let last_block = [1, 8, 0, 247, 255];
    let body = [&empty_blocks, &last_block[..], data].concat();
    let deflated = |name, data| Part::stored(name, data).with_both(|header| header.method = 8);
    let first = deflated("a.npy", data).with_body(body).described(Vec::new());
    corrupt(
        &archive(&[first, Part::deflated("b.npy", &array(b"second"))]),
        "descriptor",
    );
}

#[test]
fn members_have_their_bytes_to_themselves() {
    // The first one claims more than there is before the second.
    let longer = a().with_both(|header| (header.size, header.compressed) = (header.size + 1, header.compressed + 1));
    corrupt(&archive(&[longer, b()]), "where something else starts");
    let beyond = a().with_both(|header| (header.size, header.compressed) = (u32::MAX - 1, u32::MAX - 1));
    corrupt(&archive(&[beyond]), "where something else starts");
    // The second one lies inside the first one's data.
    let inner = archive(&[b()]);
    let inner = &inner[..inner.len() - 22 - 46 - 5];
    let outer = Part::stored("a.npy", inner);
    let hidden = b().with(|part| part.offset = Some(35));
    corrupt(&archive(&[outer, hidden]), "where something else starts");
    // The directory may list the members in another order than they are stored in.
    let mut swapped = [b(), a()];
    swapped[0].offset = Some(archive(&[a()]).len() as u32 - 22 - 46 - 5);
    swapped[1].offset = Some(0);
    let (mut first, second) = (archive(&[a(), b()]), archive(&swapped));
    let directory = first.len() - 22 - 2 * (46 + 5);
    first[directory..].copy_from_slice(&second[directory..]);
    let names: Vec<_> = load(&first).unwrap().into_iter().map(|(name, _)| name).collect();
    assert_eq!(names, ["b", "a"]);
}

#[test]
fn the_data_must_be_what_the_directory_says() {
    let crc = a().with_both(|header| header.crc ^= 1);
    let err = refused(&archive(&[crc]), ErrorKind::CorruptArchive, "the data is damaged");
    assert_eq!(err.path(), "a");
    corrupt(&archive(&[a().with_both(|header| header.size += 1)]), "stored bytes");
    let deflated = Part::deflated("a.npy", &array(b"first"));
    let with = |change: fn(&mut Vec<u8>)| {
        let mut body = deflated.body.clone();
        change(&mut body);
        archive(&[deflated.clone().with_body(body)])
    };
    corrupt(
        &with(|body| body.extend_from_slice(b"junk")),
        "4 bytes behind the end of the deflate stream",
    );
    // More than one buffer behind the end of the stream.
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
        archive(&[deflated
            .clone()
            .with_both(|header| header.size = header.size.wrapping_add_signed(by))])
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
        let bytes = archive(&[a().with_both(change), b()]);
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
    let mut npz = NpzReader::new(Cursor::new(archive(&parts))).unwrap();
    assert!(npz.names().eq(["a", "a.npy", "notes.txt", "", "/abs"]));
    assert_eq!((npz.len(), npz.is_empty()), (5, false));
    assert_eq!(npz.raw("a.npy").unwrap(), array(b"a.npy.npy"));
    assert_eq!(npz.raw("").unwrap(), array(b".npy"));
    assert!(npz.contains("a") && !npz.contains("notes") && !npz.contains("abs"));
    let err = npz.raw("b\x1b").unwrap_err();
    assert_eq!((err.kind(), err.path()), (ErrorKind::MissingMember, "b\x1b"));
    assert!(!format!("{err:#}").contains('\x1b'));
}
