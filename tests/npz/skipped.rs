//! `skip_unsupported`: members that are whole but have no counterpart are left out, and damage never is.

use std::collections::BTreeMap;
use std::io::Cursor;

use crate::zip::{Part, archive, array};
use serde::Deserialize;
use serde_npz::ErrorKind::{
    self, CorruptArchive, MissingMember, NotAnArray, Pickle, UnsupportedArchive, UnsupportedDtype, UnsupportedVersion,
};
use serde_npz::{NpzReader, ReadOptions, Value, from_npz_slice};

type Map = BTreeMap<String, Vec<u8>>;

/// A file of one element of 16 bytes.
fn npy(descr: &str) -> Vec<u8> {
    let text = format!("{{'descr': {descr}, 'fortran_order': False, 'shape': (1,), }}");
    let mut bytes = b"\x93NUMPY\x01\0v\0".to_vec();
    bytes.extend_from_slice(format!("{text:<117}\n").as_bytes());
    bytes.extend_from_slice(&[7; 16]);
    bytes
}

/// Members of each kind that has no counterpart.
fn unsupported() -> Vec<(ErrorKind, Part)> {
    let mut version = npy("'<f8'");
    version[6] = 4;
    let x = Part::stored("x.npy", &array(b"data"));
    let stored = |name: &str, data: &[u8]| Part::stored(name, data);
    vec![
        (Pickle, stored("x.npy", &npy("'|O'"))),
        (Pickle, stored("x.npy", &npy("[('a', '<f8'), ('b', 'O')]"))),
        (UnsupportedDtype, stored("x.npy", &npy("'|T16'"))),
        (Pickle, Part::deflated("x.npy", &npy("'|O'"))),
        // As an array without its suffix.
        (Pickle, stored("x", &npy("'|O'"))),
        (UnsupportedDtype, stored("x.npy", &npy("'<f16'"))),
        (UnsupportedDtype, stored("x.npy", &npy("[('a', '<c32')]"))),
        (UnsupportedVersion, stored("x.npy", &version)),
        (NotAnArray, stored("x.npy", b"\0\x05\x16\x07\0\x02\0\0Mac OS X")),
        (NotAnArray, stored("x.npy", b"")),
        (UnsupportedArchive, x.clone().with_both(|header| header.method = 12)),
        (UnsupportedArchive, x.clone().with_both(|header| header.flags |= 1)),
        (UnsupportedArchive, x.clone().with_both(|header| header.flags |= 1 << 5)),
        (
            UnsupportedArchive,
            Part::stored("x.json", b"1").with_both(|header| header.method = 93),
        ),
        (
            UnsupportedArchive,
            Part::stored("x", b"1").with_both(|header| header.method = 93),
        ),
    ]
}

fn skipping() -> ReadOptions {
    ReadOptions::new().skip_unsupported(true)
}

fn in_group(part: Part, group: &str) -> Part {
    part.with_both(|header| header.name = [group.as_bytes(), b"/", &header.name].concat())
}

fn other() -> Part {
    Part::stored("y.npy", &array(b"other"))
}

#[derive(Debug, PartialEq, Deserialize)]
struct Optional {
    x: Option<Vec<u8>>,
    y: Vec<u8>,
}

#[derive(Debug, PartialEq, Deserialize)]
struct Required {
    x: Vec<u8>,
    y: Vec<u8>,
}

#[test]
fn what_has_no_counterpart_is_left_out_and_told_of() {
    for (kind, part) in unsupported() {
        let is_left_out_anyway = part.central.name == b"x" && kind == UnsupportedArchive;
        let bytes = archive(&[part.clone(), other()]);
        if !is_left_out_anyway {
            let err = from_npz_slice::<Value>(&bytes).unwrap_err();
            assert!(err.kind() == kind && err.path().starts_with('x'), "{err}");
        }
        let all: Map = skipping().from_npz_slice(&bytes).unwrap();
        assert_eq!(all, Map::from([("y".to_owned(), b"other".to_vec())]));
        assert!(skipping().from_npz_slice::<Value>(&bytes).is_ok());
        let all: Map = skipping().from_npz_reader(Cursor::new(&bytes)).unwrap();
        assert_eq!(all.len(), 1);
        let optional: Optional = skipping().from_npz_slice(&bytes).unwrap();
        assert_eq!(
            optional,
            Optional {
                x: None,
                y: b"other".to_vec()
            }
        );
        let err = skipping().from_npz_slice::<Required>(&bytes).unwrap_err();
        assert_eq!((err.kind(), err.path()), (MissingMember, "x"), "{err}");

        // By name it is the error, with the option or without; the other one is not concerned.
        for options in [ReadOptions::new(), skipping()] {
            let mut npz = NpzReader::with_options(Cursor::new(&bytes), &options).unwrap();
            if part.central.name != b"x.json" {
                assert_eq!(npz.get::<Vec<u8>>("x").unwrap_err().kind(), kind);
            }
            assert_eq!(npz.get::<Vec<u8>>("y").unwrap(), b"other");
            let entries: Vec<_> = npz.entries().collect();
            assert_eq!(entries.len(), 2);
            let why = entries[0].unsupported().expect("a reason");
            assert!(why.kind() == kind && why.path().starts_with('x'), "{why}");
            assert!(entries[1].unsupported().is_none());
        }

        // A group of which nothing is left is left out, one of which something is left is not.
        let bytes = archive(&[
            other(),
            in_group(part.clone(), "empty"),
            in_group(part.clone(), "full"),
            in_group(other(), "full"),
        ]);
        let all: BTreeMap<String, Map> = skipping()
            .from_npz_slice::<Value>(&bytes)
            .and_then(|_| {
                skipping().from_npz_slice(&archive(&[in_group(part.clone(), "empty"), in_group(other(), "full")]))
            })
            .unwrap();
        assert!(all.keys().eq(["full"]) && all["full"].len() == 1);
        let mut npz = NpzReader::with_options(Cursor::new(&bytes), &skipping()).unwrap();
        assert_eq!(npz.get::<Map>("full").unwrap().len(), 1);
        assert_eq!(npz.get::<Map>("empty").unwrap_err().kind(), MissingMember);
        #[derive(Deserialize)]
        struct Groups {
            empty: Option<Map>,
            full: Map,
        }
        let groups: Groups = npz.deserialize().unwrap();
        assert!(groups.empty.is_none() && groups.full.len() == 1);
    }
    // A JSON text has a counterpart, and a text that nobody asks for is told of as well.
    let bytes = archive(&[Part::stored("x.json", b"1"), Part::stored("notes", b"a text"), other()]);
    let mut npz = NpzReader::with_options(Cursor::new(&bytes), &skipping()).unwrap();
    let found: Vec<_> = npz
        .entries()
        .map(|entry| entry.unsupported().map(|why| why.kind()))
        .collect();
    assert_eq!(found, [None, Some(NotAnArray), None]);
    assert_eq!(npz.deserialize::<BTreeMap<String, Value>>().unwrap().len(), 2);
}

/// macOS puts a resource fork beside each file of its archives.
#[test]
fn an_archive_of_macos() {
    let bytes = archive(&[
        Part::stored("x.npy", &array(b"data")),
        Part::stored("__MACOSX/._x.npy", b"\0\x05\x16\x07\0\x02"),
        Part::stored("__MACOSX/", b""),
    ]);
    assert!(from_npz_slice::<Map>(&bytes).is_err());
    assert_eq!(skipping().from_npz_slice::<Map>(&bytes).unwrap()["x"], b"data");
}

#[test]
fn damage_is_never_skipped() {
    for (kind, part) in unsupported() {
        let mut damages: Vec<fn(&mut Part)> = vec![
            |part| part.local.crc ^= 1,
            |part| part.local.size += 1,
            |part| part.local.name[0] = b'z',
            |part| part.central.size = 1 << 30,
            |part| part.disk = 1,
            |part| part.central.extra = b"abc".to_vec(),
            |part| part.offset = Some(3),
        ];
        if kind != UnsupportedArchive {
            damages.push(|part| {
                let crc = part.central.crc ^ 1;
                (part.local.crc, part.central.crc) = (crc, crc);
            });
            damages.push(|part| {
                if let Some(last) = part.body.last_mut() {
                    *last ^= 1;
                } else {
                    part.local.crc = 1;
                }
            });
        }
        for (i, damage) in damages.iter().enumerate() {
            let bytes = archive(&[other(), part.clone().with(damage)]);
            for err in [
                skipping().from_npz_slice::<Map>(&bytes).map(drop),
                skipping().from_npz_slice::<Value>(&bytes).map(drop),
                skipping().from_npz_reader::<_, Optional>(Cursor::new(&bytes)).map(drop),
            ] {
                let err = err.expect_err(&format!("{kind:?}, damage {i}"));
                // A part on another disk cannot be looked at, and a damaged text is no array either.
                let kinds = [
                    CorruptArchive,
                    if i == 4 { UnsupportedArchive } else { CorruptArchive },
                    NotAnArray,
                ];
                let kinds = if part.central.name == b"x.json" {
                    &kinds[..]
                } else {
                    &kinds[..2]
                };
                assert!(kinds.contains(&err.kind()), "{kind:?}, damage {i}: {err}");
            }
            let mut npz = NpzReader::with_options(Cursor::new(&bytes), &skipping()).unwrap();
            assert_eq!(npz.get::<Vec<u8>>("y").unwrap(), b"other");
        }
    }
}

#[test]
fn first_the_last_one_wins_then_it_is_skipped() {
    let x = Part::stored("x.npy", &array(b"first"));
    for (_, last) in unsupported() {
        if last.central.name == b"x.json" {
            continue;
        }
        let bytes = archive(&[x.clone(), other(), last.clone()]);
        assert_eq!(
            skipping().from_npz_slice::<Map>(&bytes).unwrap_err().kind(),
            CorruptArchive
        );
        let both = skipping().last_wins(true);
        assert!(both.from_npz_slice::<Map>(&bytes).unwrap().keys().eq(["y"]));
        assert_eq!(both.from_npz_slice::<Optional>(&bytes).unwrap().x, None);
        let mut npz = NpzReader::with_options(Cursor::new(&bytes), &both).unwrap();
        assert!(npz.get::<Vec<u8>>("x").is_err());
        // The other way round the loser does not matter.
        let bytes = archive(&[last, other(), x.clone()]);
        assert_eq!(both.from_npz_slice::<Map>(&bytes).unwrap()["x"], b"first");
    }
}
