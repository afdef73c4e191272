//! A key that comes twice, or a member that is damaged: an error for whoever asks for it, and for nobody else.

use std::collections::BTreeMap;
use std::fs;
use std::io::Cursor;

use crate::common::Scratch;
use crate::zip::{Part, archive, array, wide};
use serde::Deserialize;
use serde_npz::{Error, ErrorKind, NpzReader, NpzWriter, ReadOptions, Value, WriteOptions, from_npz_slice};

type Map = BTreeMap<String, Vec<u8>>;

#[derive(Debug, PartialEq, Deserialize)]
struct Optional {
    b: Vec<u8>,
    a: Option<Vec<u8>>,
}

#[derive(Debug, PartialEq, Deserialize)]
struct Other {
    b: Vec<u8>,
}

fn twice() -> Vec<u8> {
    let [first, other, last] = [("a.npy", "first"), ("b.npy", "other"), ("a.npy", "last")]
        .map(|(name, data)| Part::stored(name, &array(data.as_bytes())));
    archive(&[first, other, last])
}

fn last_wins() -> ReadOptions {
    ReadOptions::new().last_wins(true)
}

#[track_caller]
fn is_twice<T: std::fmt::Debug>(result: Result<T, Error>, path: &str) {
    let err = result.unwrap_err();
    assert_eq!((err.kind(), err.path()), (ErrorKind::CorruptArchive, path), "{err}");
    for word in ["twice", "last_wins"] {
        assert!(format!("{err:#}").contains(word), "{err} does not name {word:?}");
    }
}

#[test]
fn a_key_that_comes_twice_is_an_error_where_it_is_asked_for() {
    let bytes = twice();
    let mut npz = NpzReader::new(Cursor::new(&bytes)).unwrap();
    assert!(npz.names().eq(["a", "b", "a"]) && npz.len() == 3);
    for name in ["a", "a.npy"] {
        assert!(npz.contains(name));
        is_twice(npz.get::<Vec<u8>>(name), "a");
        is_twice(npz.raw(name), name);
        is_twice(npz.header(name), name);
        is_twice(npz.verify(name), name);
        is_twice(npz.entry(name), name);
        is_twice(npz.rows::<u8>(name).map(drop), name);
    }
    is_twice(npz.deserialize::<Map>(), "a");
    is_twice(from_npz_slice::<Value>(&bytes), "a");
    is_twice(from_npz_slice::<Optional>(&bytes), "a");
    // Nobody else notices.
    assert_eq!(npz.get::<Vec<u8>>("b").unwrap(), b"other");
    npz.verify("b").unwrap();
    assert_eq!(npz.deserialize::<Other>().unwrap(), Other { b: b"other".to_vec() });
    let entries: Vec<_> = npz
        .entries()
        .map(|entry| (entry.name().to_owned(), entry.size()))
        .collect();
    assert_eq!(entries.len(), 3);
    assert_eq!(
        (&entries[0], &entries[2]),
        (&("a".to_owned(), 133), &("a".to_owned(), 132))
    );
    assert!(npz.entries().all(|entry| entry.header().is_ok()));
}

#[test]
fn the_last_one_wins_if_asked_to() {
    let bytes = twice();
    let mut npz = NpzReader::with_options(Cursor::new(&bytes), &last_wins()).unwrap();
    assert_eq!(npz.get::<Vec<u8>>("a").unwrap(), b"last");
    assert_eq!(npz.raw("a").unwrap(), array(b"last"));
    npz.verify("a").unwrap();
    assert_eq!(npz.entry("a").unwrap().size(), 132);
    assert_eq!(npz.entries().len(), 3);
    let expected = Map::from([("a".to_owned(), b"last".to_vec()), ("b".to_owned(), b"other".to_vec())]);
    assert_eq!(npz.deserialize::<Map>().unwrap(), expected);
    assert_eq!(last_wins().from_npz_slice::<Map>(&bytes).unwrap(), expected);
    // A key is the name without its `.npy`; what the first one holds does not matter.
    for (first, last) in [("a", "a.npy"), ("a.npy", "a"), ("a.npy", "a.npy"), ("g/a.npy", "g/a")] {
        let parts = [
            Part::stored(first, b"damaged or not"),
            Part::stored(last, &array(b"last")),
        ];
        let bytes = archive(&parts);
        let key = last.strip_suffix(".npy").unwrap_or(last);
        is_twice(NpzReader::new(Cursor::new(&bytes)).unwrap().get::<Vec<u8>>(key), key);
        is_twice(from_npz_slice::<Value>(&bytes), key);
        let mut npz = NpzReader::with_options(Cursor::new(&bytes), &last_wins()).unwrap();
        assert_eq!(npz.get::<Vec<u8>>(key).unwrap(), b"last");
        assert!(npz.deserialize::<Value>().is_ok());
    }
}

/// Nobody can tell which one was meant, and NumPy takes the last one or none of the archive.
#[test]
fn a_damaged_one_of_two_is_no_way_to_choose() {
    let [a, b, other] = [("a.npy", "first"), ("a.npy", "second"), ("b.npy", "other")]
        .map(|(name, data)| Part::stored(name, &array(data.as_bytes())));
    let damages: [fn(&mut Part); 4] = [
        |part| part.offset = Some(1 << 30),
        |part| part.disk = 1,
        |part| part.central.extra = b"abc".to_vec(),
        |part| (part.central.size, part.central.extra) = (u32::MAX, wide(&[])),
    ];
    for change in damages {
        for [first, last] in [[a.clone(), b.clone().with(change)], [a.clone().with(change), b.clone()]] {
            let bytes = archive(&[first, other.clone(), last]);
            let mut npz = NpzReader::new(Cursor::new(&bytes)).unwrap();
            is_twice(npz.get::<Vec<u8>>("a"), "a");
            is_twice(npz.raw("a"), "a");
            is_twice(npz.verify("a"), "a");
            assert!(npz.deserialize::<Map>().is_err());
            assert_eq!(npz.get::<Vec<u8>>("b").unwrap(), b"other");
        }
        let lost = archive(&[a.clone(), b.clone().with(change)]);
        let mut npz = NpzReader::with_options(Cursor::new(&lost), &last_wins()).unwrap();
        assert!(npz.get::<Vec<u8>>("a").is_err() && npz.deserialize::<Map>().is_err());
    }
}

/// The winner says what the key is, even if that is nothing.
#[test]
fn the_loser_is_never_shown() {
    let [array, text] = [array(b"first"), b"a text".to_vec()];
    let bytes = archive(&[
        Part::stored("a", &array),
        Part::stored("b.npy", &array),
        Part::stored("a", &text),
    ]);
    let found: Map = last_wins().from_npz_slice(&bytes).unwrap();
    assert!(found.keys().eq(["b"]));
    assert_eq!(last_wins().from_npz_slice::<Optional>(&bytes).unwrap().a, None);
    // A text that nobody asks for may come twice.
    let bytes = archive(&[
        Part::stored("a", &text),
        Part::stored("b.npy", &array),
        Part::stored("a", &text),
    ]);
    assert!(from_npz_slice::<Map>(&bytes).unwrap().keys().eq(["b"]));
    is_twice(NpzReader::new(Cursor::new(&bytes)).unwrap().raw("a"), "a");
    let bytes = archive(&[Part::stored("a.json", b"1"), Part::stored("a.json", b"2")]);
    is_twice(from_npz_slice::<Value>(&bytes), "a");
    assert_eq!(
        last_wins()
            .from_npz_slice::<BTreeMap<String, serde_json::Value>>(&bytes)
            .unwrap()["a"],
        2
    );
}

#[test]
fn a_damaged_member_spoils_nothing_but_itself() {
    let [a, b] = [("run/a.npy", "first"), ("other/b.npy", "second")]
        .map(|(name, data)| Part::stored(name, &array(data.as_bytes())));
    let damages: [fn(&mut Part); 11] = [
        |part| part.offset = Some(1 << 30),
        |part| part.disk = 1,
        |part| part.central.name = b"other\0b".to_vec(),
        |part| (part.central.name, part.central.flags) = (b"other/\xff".to_vec(), 1 << 11),
        |part| part.central.extra = b"abc".to_vec(),
        |part| (part.central.size, part.central.extra) = (u32::MAX, wide(&[])),
        |part| part.central.flags = 1,
        |part| part.central.crc ^= 1,
        |part| part.local.signature[2] = 9,
        |part| part.local.name = b"other/c.npy".to_vec(),
        |part| part.body[0] = 0,
    ];
    for change in damages {
        for parts in [[a.clone(), b.clone().with(change)], [b.clone().with(change), a.clone()]] {
            // In front, the file does not even begin as an archive.
            if parts[0].local.signature[2] == 9 {
                continue;
            }
            let bytes = archive(&parts);
            let mut npz = NpzReader::new(Cursor::new(&bytes)).unwrap();
            assert_eq!(npz.get::<Vec<u8>>("run/a").unwrap(), b"first");
            assert_eq!(npz.get::<Map>("run").unwrap()["a"], b"first");
            npz.verify("run/a").unwrap();
            assert_eq!(npz.raw("run/a").unwrap(), array(b"first"));
            assert_eq!(npz.entries().len(), 2);
            assert!(npz.get::<Vec<u8>>("other/b").is_err());
            assert!(npz.get::<Map>("other").is_err());
            assert!(npz.deserialize::<BTreeMap<String, Map>>().is_err());
        }
    }
    // Whether two members share their bytes, or one is damaged, cannot be told: a bomb may do so on purpose.
    let bytes = archive(&[a.clone(), b.with(|part| part.offset = Some(0))]);
    let mut npz = NpzReader::new(Cursor::new(&bytes)).unwrap();
    for name in ["run/a", "other/b"] {
        assert_eq!(npz.get::<Vec<u8>>(name).unwrap_err().kind(), ErrorKind::CorruptArchive);
    }
    // Where the damaged name may hide a member of the group, the group is refused.
    for name in [&b"ran/b.npy"[..], b"run\0b.npy", b"run"] {
        let hidden = Part::stored("run/b.npy", &array(b"second")).with(|part| part.central.name = name.to_vec());
        let bytes = archive(&[a.clone(), hidden]);
        let mut npz = NpzReader::new(Cursor::new(&bytes)).unwrap();
        assert_eq!(npz.get::<Vec<u8>>("run/a").unwrap(), b"first");
        assert_eq!(npz.get::<Map>("run").unwrap_err().kind(), ErrorKind::CorruptArchive);
    }
    // Where all entries are damaged there is no directory.
    let damaged = a.with(|part| part.disk = 1);
    let err = NpzReader::new(Cursor::new(archive(&vec![damaged; 2000]))).unwrap_err();
    assert_eq!(err.kind(), ErrorKind::UnsupportedArchive);
}

#[test]
fn a_writer_that_goes_on_keeps_both_until_they_are_settled() {
    let dir = Scratch::new("append-twice");
    let path = dir.path("x.npz");
    let names = || -> Vec<String> { NpzReader::open(&path).unwrap().names().map(str::to_owned).collect() };
    let start = || fs::write(&path, twice()).unwrap();

    start();
    let mut npz = NpzWriter::append(&path).unwrap();
    npz.add("c", &1).unwrap();
    let err = npz.compact().unwrap_err();
    assert_eq!((err.kind(), err.path()), (ErrorKind::CorruptArchive, "a"), "{err}");
    npz.add("d", &1).unwrap();
    npz.finish().unwrap();
    assert_eq!(names(), ["a", "b", "a", "c", "d"]);
    let kept = NpzReader::open_with(&path, &last_wins()).unwrap().get::<Vec<u8>>("a");
    assert_eq!(kept.unwrap(), b"last");

    let mut npz = NpzWriter::append(&path).unwrap();
    npz.add("a", &vec![7_u8]).unwrap();
    npz.compact().unwrap();
    npz.finish().unwrap();
    assert_eq!(names(), ["b", "c", "d", "a"]);

    start();
    let mut npz = NpzWriter::append(&path).unwrap();
    assert!(npz.remove("a").unwrap() && !npz.remove("a").unwrap());
    npz.finish().unwrap();
    assert_eq!(names(), ["b"]);

    start();
    let mut npz = NpzWriter::append_with(&path, &WriteOptions::new().last_wins(true)).unwrap();
    npz.compact().unwrap();
    npz.finish().unwrap();
    assert_eq!(names(), ["b", "a"]);
    assert_eq!(NpzReader::open(&path).unwrap().get::<Vec<u8>>("a").unwrap(), b"last");

    // Members of a group, and a text beside an array of its key.
    let parts = ["g/a.npy", "g/a", "g/b.npy", "t.json", "t.npy", "t.json"].map(|name| Part::stored(name, &array(b"x")));
    fs::write(&path, archive(&parts)).unwrap();
    let mut npz = NpzWriter::append(&path).unwrap();
    assert!(npz.remove("g").unwrap());
    npz.add("t", &1).unwrap();
    npz.finish().unwrap();
    assert_eq!(names(), ["t"]);
    // Nothing is added to an archive whose directory is damaged.
    fs::write(
        &path,
        archive(&[parts[0].clone().with(|part| part.offset = Some(1 << 30))]),
    )
    .unwrap();
    assert_eq!(NpzWriter::append(&path).unwrap_err().kind(), ErrorKind::CorruptArchive);
}
