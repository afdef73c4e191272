//! Archives made by hand, cut at every byte and damaged at every byte.

use std::collections::BTreeMap;
use std::io::{Cursor, Read, Write};

use flate2::Compression;
use flate2::write::DeflateEncoder;

use super::*;
use crate::options::{Limits, WriteOptions};

/// How the local header, or what follows the data, tells the sizes.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Form {
    Local,
    Wide,
    Descriptor { signed: bool, wide: bool },
}

const FORMS: [Form; 6] = [
    Form::Local,
    Form::Wide,
    Form::Descriptor {
        signed: true,
        wide: false,
    },
    Form::Descriptor {
        signed: true,
        wide: true,
    },
    Form::Descriptor {
        signed: false,
        wide: false,
    },
    Form::Descriptor {
        signed: false,
        wide: true,
    },
];

/// Appends a member; returns where its last byte lies that is needed to know it whole.
fn put(out: &mut Vec<u8>, name: &str, content: &[u8], deflated: bool, form: Form) -> usize {
    let data = match deflated {
        true => {
            let mut encoder = DeflateEncoder::new(Vec::new(), Compression::new(6));
            encoder.write_all(content).unwrap();
            encoder.finish().unwrap()
        }
        false => content.to_vec(),
    };
    let crc = crc32fast::hash(content);
    let sizes = [data.len(), content.len()];
    let later = matches!(form, Form::Descriptor { .. });
    out.extend(b"PK\x03\x04\x14\x00");
    out.extend([
        if later { 8 } else { 0 },
        0,
        if deflated { 8 } else { 0 },
        0,
        0,
        0,
        0x21,
        0,
    ]);
    out.extend(if later { 0 } else { crc }.to_le_bytes());
    for size in sizes {
        let size = match form {
            Form::Local => u32::try_from(size).unwrap(),
            Form::Wide => u32::MAX,
            Form::Descriptor { .. } => 0,
        };
        out.extend(size.to_le_bytes());
    }
    out.extend((name.len() as u16).to_le_bytes());
    out.extend(if form == Form::Wide { 20_u16 } else { 0 }.to_le_bytes());
    out.extend(name.as_bytes());
    if form == Form::Wide {
        out.extend([1, 0, 16, 0]);
        out.extend((sizes[1] as u64).to_le_bytes());
        out.extend((sizes[0] as u64).to_le_bytes());
    }
    out.extend(&data);
    if let Form::Descriptor { signed, wide } = form {
        out.extend(if signed { &b"PK\x07\x08"[..] } else { b"" });
        out.extend(crc.to_le_bytes());
        for size in sizes {
            match wide {
                true => out.extend((size as u64).to_le_bytes()),
                false => out.extend((size as u32).to_le_bytes()),
            }
        }
        // Without a signature, the next record has to confirm that this was a descriptor.
        // Of an empty one, the first half of a wide descriptor is a narrow one.
        let unread = if (signed || deflated) && wide && content.is_empty() {
            8
        } else {
            0
        };
        return out.len() - unread + if signed || deflated { 0 } else { 2 };
    }
    out.len()
}

fn inner() -> Vec<u8> {
    WriteOptions::new()
        .to_npz_vec(&BTreeMap::from([("inside", [1_i32; 4]), ("within", [2; 4])]))
        .unwrap()
}

/// Name, content, and where the member is whole.
type Made = (&'static str, Vec<u8>, usize);

/// An array, a text, an archive, an array again, an empty member; and where each is whole.
fn archive(form: Form, deflated: bool) -> (Vec<u8>, Vec<Made>) {
    let array = |n: i32| crate::to_npy_vec(&(0..n).collect::<Vec<_>>()).unwrap();
    let mut out = Vec::new();
    let mut members = Vec::new();
    for (name, content) in [
        ("a.npy", array(9)),
        ("notes.txt", b"PK or not, these are words".to_vec()),
        ("inner.npz", inner()),
        ("b.npy", array(5)),
        ("empty", Vec::new()),
    ] {
        let end = put(&mut out, name, &content, deflated, form);
        members.push((name, content, end));
    }
    (out, members)
}

/// The end of an archive, whose directory is empty.
fn end(out: &mut Vec<u8>) {
    out.extend(b"PK\x05\x06");
    out.extend([0; 18]);
}

/// All that was found: names, and the bytes of those that are whole.
fn scan(bytes: &[u8]) -> (Vec<(String, Vec<u8>)>, Vec<String>) {
    let mut scan = NpzScan::new(Cursor::new(bytes)).unwrap();
    let (mut whole, mut lost) = (Vec::new(), Vec::new());
    while let Some(member) = scan.next_member().unwrap() {
        let name = member.file_name().to_owned();
        if member.fault().is_some() {
            assert!(scan.stream(&member).is_err());
            lost.push(name);
            continue;
        }
        let mut content = Vec::new();
        scan.stream(&member).unwrap().read_to_end(&mut content).unwrap();
        assert_eq!(content.len() as u64, member.size());
        whole.push((name, content));
    }
    (whole, lost)
}

#[test]
fn cut_at_every_byte_the_members_before_are_whole() {
    for form in FORMS {
        for deflated in [false, true] {
            let (mut bytes, members) = archive(form, deflated);
            end(&mut bytes);
            // Every byte, shared out among the forms.
            for cut in (0..=bytes.len()).filter(|cut| deflated || form == Form::Local || cut % 4 == 0) {
                let (whole, lost) = scan(&bytes[..cut]);
                let expected: Vec<_> = members
                    .iter()
                    .filter(|(_, _, end)| *end <= cut)
                    .map(|(name, content, _)| ((*name).to_owned(), content.clone()))
                    .collect();
                assert!(
                    whole == expected,
                    "{form:?} {deflated} cut at {cut}: {whole:?}, lost {lost:?}"
                );
                assert!(lost.len() <= 1, "{form:?} {deflated} cut at {cut}: {lost:?}");
            }
        }
    }
}

#[test]
fn one_damaged_byte_costs_one_member() {
    for form in FORMS {
        for deflated in [false, true] {
            let (mut bytes, members) = archive(form, deflated);
            let all = bytes.len();
            // Without a signature, a descriptor of stored bytes is one only if a record follows: that header serves two members.
            let shares = !deflated && matches!(form, Form::Descriptor { signed: false, .. });
            let (most_lost, shared) = if shares { (2, 2) } else { (1, 0) };
            end(&mut bytes);
            for at in (0..all).filter(|at| deflated || form == Form::Local || at % 8 == 0) {
                for flip in if at % 2 == 0 { [1] } else { [0xff] } {
                    bytes[at] ^= flip;
                    let (whole, lost) = scan(&bytes);
                    bytes[at] ^= flip;
                    let place = format!("{form:?} {deflated} byte {at} ^ {flip}: {lost:?}");
                    let found: Vec<_> = whole.iter().map(|(name, content)| (&**name, content)).collect();
                    // A damaged name is not noticed, and neither are bits that nobody looks at.
                    let known = members
                        .iter()
                        .filter(|(_, content, _)| found.iter().any(|(_, other)| other == &content));
                    assert!(
                        known.count() + most_lost >= members.len(),
                        "{place} {:?}",
                        found.iter().map(|f| f.0).collect::<Vec<_>>()
                    );
                    let inside = found
                        .iter()
                        .filter(|(name, _)| matches!(*name, "inside.npy" | "within.npy"));
                    // Where the header of the inner archive itself is destroyed, nothing tells that it was one.
                    let start = members[1].2 - shared;
                    let header = start..start + 60;
                    assert!(header.contains(&at) || inside.count() == 0, "{place}");
                }
            }
        }
    }
}

#[test]
fn the_size_of_an_array_mends_that_of_the_header() {
    let (mut bytes, members) = archive(Form::Local, false);
    for size in [18, 22] {
        bytes[size] ^= 0x40;
    }
    let (whole, lost) = scan(&bytes);
    assert_eq!((whole.len(), lost.len()), (members.len(), 0));
}

#[test]
fn what_stands_before_and_between_does_not_matter() {
    let mut bytes = b"#!/bin/sh\nPK\x03\x04 is no header\n".to_vec();
    put(&mut bytes, "a.npy", b"first", false, Form::Local);
    bytes.extend([b'P'; 70_000]);
    put(&mut bytes, "a.npy", b"second", true, Form::Local);
    // An old directory that an archive was gone on behind.
    let old = inner();
    let at = old.windows(4).position(|bytes| bytes == b"PK\x01\x02").unwrap();
    bytes.extend(&old[at..]);
    put(&mut bytes, "b.npy", b"third", false, Form::Wide);
    let (whole, lost) = scan(&bytes);
    let contents: Vec<_> = whole.iter().map(|(_, content)| &content[..]).collect();
    assert_eq!(contents, [&b"first"[..], b"second", b"third"]);
    assert!(lost.is_empty());
}

#[test]
fn what_is_not_read_is_told() {
    let mut bytes = Vec::new();
    put(&mut bytes, "a.npy", &[7; 100], false, Form::Local);
    bytes[8] = 14;
    put(&mut bytes, "b.npy", &[7; 100], true, Form::Local);
    let mut found = NpzScan::new(Cursor::new(&bytes)).unwrap();
    let member = found.next_member().unwrap().unwrap();
    let fault = member.fault().unwrap();
    assert_eq!((fault.kind(), fault.path()), (ErrorKind::UnsupportedArchive, "a"));
    assert!(found.next_member().unwrap().unwrap().fault().is_none());

    let limits = ReadOptions::new().limits(Limits::new().members(1));
    let mut found = NpzScan::with_options(Cursor::new(&bytes), &limits).unwrap();
    found.next_member().unwrap().unwrap();
    assert_eq!(found.next_member().unwrap_err().kind(), ErrorKind::LimitExceeded);
    assert!(found.next_member().unwrap().is_none());
}

/// Counts what is read.
struct Counted<'b>(Cursor<&'b [u8]>, u64);

impl Read for &mut Counted<'_> {
    fn read(&mut self, buf: &mut [u8]) -> std::io::Result<usize> {
        let got = self.0.read(buf)?;
        self.1 += got as u64;
        Ok(got)
    }
}

impl Seek for &mut Counted<'_> {
    fn seek(&mut self, to: SeekFrom) -> std::io::Result<u64> {
        self.0.seek(to)
    }
}

#[test]
fn headers_inside_one_another_do_not_make_it_slow() {
    for (form, size) in [
        (Form::Local, 100_000),
        (
            Form::Descriptor {
                signed: true,
                wide: false,
            },
            0,
        ),
    ] {
        let mut bytes = Vec::new();
        for i in 0..3000 {
            let at = bytes.len();
            put(&mut bytes, &format!("{i}"), b"", i % 2 == 1 && size == 0, form);
            if size > 0 {
                bytes[at + 18..at + 22].copy_from_slice(&u32::to_le_bytes(2 * size - at as u32));
                bytes[at + 22..at + 26].copy_from_slice(&u32::to_le_bytes(2 * size - at as u32));
            } else {
                bytes.truncate(at + 30);
            }
        }
        bytes.resize(200_000, 0xff);
        end(&mut bytes);
        let mut counted = Counted(Cursor::new(&bytes), 0);
        let mut scan = NpzScan::new(&mut counted).unwrap();
        while let Some(member) = scan.next_member().unwrap() {
            assert!(member.fault().is_some());
        }
        drop(scan);
        let most = bytes.len() as u64 * (MOST_AGAIN + 2) + (2 << 20);
        // The window reads ahead.
        assert!(counted.1 < 4 * most, "{form:?}: {} bytes of {}", counted.1, bytes.len());
    }
}

#[test]
fn it_is_known_whether_the_end_is_there() {
    let bytes = inner();
    let directory = bytes.windows(4).position(|bytes| bytes == b"PK\x01\x02").unwrap();
    for (cut, is_cut_off, has_directory) in [
        (bytes.len(), false, true),
        (bytes.len() - 1, true, true),
        (directory + 4, true, true),
        (directory, true, false),
        (0, true, false),
    ] {
        let mut scan = NpzScan::new(Cursor::new(&bytes[..cut])).unwrap();
        while scan.next_member().unwrap().is_some() {}
        assert_eq!(
            (scan.is_cut_off(), scan.has_directory()),
            (is_cut_off, has_directory),
            "cut at {cut}"
        );
    }
}
