//! What is refused on the way out, and what becomes of the file and the writer.

use std::collections::BTreeMap;
use std::io::{self, Cursor, Write};
use std::time::{Duration, UNIX_EPOCH};

use super::{X, x};
use crate::common::{Scratch, is, refused};
use serde::ser::{SerializeMap, SerializeSeq};
use serde::{Deserialize, Serialize, Serializer};
use serde_bytes::ByteBuf;
use serde_npz::ErrorKind::*;
use serde_npz::{Error, ErrorKind, NpzReader, NpzWriter, ReadOptions, WriteOptions};
use serde_npz::{from_npz_slice, to_npy_vec, to_npz_vec};

#[test]
fn types_without_a_counterpart() {
    refused(&x(Some(None::<u8>)), UnsupportedType, "x", &[]);
    refused(&x(Some(())), UnsupportedType, "x", &[]);
    refused(&x(vec![Some(Some(None::<u8>))]), UnsupportedType, "x[0]", &[]);
    refused(&x(vec![()]), UnsupportedType, "x", &[]);
    refused(&x(BTreeMap::from([(vec![1], 1)])), UnsupportedType, "x", &["key"]);
    let seq = to_npz_vec(&x(vec![ByteBuf::new()])).unwrap_err();
    assert!(matches!(seq.kind(), InvalidValue | UnsupportedType), "{seq:?}");
}

#[test]
fn roots_of_the_wrong_sort() {
    refused(&vec![1.0, 2.0], UnsupportedType, "", &["to_npy_"]);
    refused(&1.0, UnsupportedType, "", &["to_npy_"]);
    refused("text", UnsupportedType, "", &["to_npy_"]);
    refused(&Vec::<f64>::new(), UnsupportedType, "", &["to_npy_"]);
    refused(&vec![("a", 1)], UnsupportedType, "", &["to_npy_"]);
    for err in [
        to_npy_vec(&x(vec![1.0])).unwrap_err(),
        to_npy_vec(&BTreeMap::from([("a", 1)])).unwrap_err(),
        to_npy_vec(&vec![x(vec![1.0])]).unwrap_err(),
        to_npy_vec(&(vec![1.0], 2)).unwrap_err(),
    ] {
        assert_eq!(err.kind(), UnsupportedType, "{err}");
        assert!(format!("{err:#}").contains("to_npz_"), "{err}");
    }
}

#[test]
fn values_out_of_range() {
    refused(&x("ends in \0"), InvalidValue, "x", &[]);
    refused(&x(vec!["fine", "\0"]), InvalidValue, "x[1]", &[]);
    refused(&x('\0'), InvalidValue, "x", &[]);
    refused(&x(vec![Some(1.0), None]), InvalidValue, "x[1]", &["with::nan"]);
    refused(&x(vec![None::<f64>]), InvalidValue, "x", &["with::nan"]);
    refused(&x(Duration::MAX), InvalidValue, "x", &[]);
    refused(&x(vec![Duration::ZERO, Duration::MAX]), InvalidValue, "x[1]", &[]);
    refused(&x(UNIX_EPOCH + Duration::from_secs(1 << 40)), InvalidValue, "x", &[]);
}

#[test]
fn ragged_and_mixed() {
    let ragged = vec![vec![1.0, 2.0], vec![3.0]];
    refused(&x(&ragged), Ragged, "x[1]", &["1", "2", "with::list", "with::ragged"]);
    refused(
        &x(vec![vec![vec![1_u8]], vec![vec![1, 2]]]),
        Ragged,
        "x[1][0]",
        &["with::list"],
    );
    refused(&x(vec![vec!["a"], vec![]]), Ragged, "x[1]", &["with::list"]);
    refused(&x(vec![ByteBuf::from([1]), ByteBuf::from([1, 2])]), Ragged, "x[1]", &[]);
    let err = is(to_npy_vec(&ragged).unwrap_err(), Ragged, "[1]", &["with::list"]);
    assert!(err.to_string().starts_with("[1]: "), "{err}");

    #[derive(Serialize)]
    #[serde(untagged)]
    enum Mixed {
        Number(u32),
        Float(f64),
        Text(&'static str),
        Rows(Vec<f64>),
    }
    // What would be a list in an archive.
    let alone = |value: &[Mixed]| to_npy_vec(value).unwrap_err();
    is(
        alone(&[Mixed::Number(1), Mixed::Text("a")]),
        MixedTypes,
        "[1]",
        &["with::list"],
    );
    is(
        alone(&[Mixed::Float(1.5), Mixed::Rows(vec![1.0])]),
        UnsupportedType,
        "",
        &["to_npz_"],
    );
    // Numbers are being written already when the record comes.
    struct Streaming;
    impl Serialize for Streaming {
        fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            let mut seq = serializer.serialize_seq(Some(2))?;
            seq.serialize_element(&1.0)?;
            seq.serialize_element(&X { x: vec![1] })?;
            seq.end()
        }
    }
    is(to_npy_vec(&Streaming).unwrap_err(), MixedTypes, "[1]", &["with::list"]);
}

#[test]
fn names() {
    refused(&BTreeMap::from([("", 1)]), InvalidName, "", &[]);
    let nul = refused_kind(&BTreeMap::from([("a\0b", 1)]), InvalidName);
    assert!(!nul.to_string().contains('\0'), "{nul}");
    refused_kind(&BTreeMap::from([("a/b", 1)]), InvalidName);
    refused_kind(&x(BTreeMap::from([("a/b", 1)])), InvalidName);
    refused_kind(&x(vec![x(BTreeMap::from([("", 1)]))]), InvalidName);
    let dots = WriteOptions::new().separator(Some('.'));
    assert_eq!(
        dots.to_npz_vec(&BTreeMap::from([("a.b", 1)])).unwrap_err().kind(),
        InvalidName
    );
    assert!(dots.to_npz_vec(&BTreeMap::from([("a/b", 1)])).is_ok());
    let flat = WriteOptions::new().separator(None);
    let whole = flat.to_npz_vec(&BTreeMap::from([("a/b", 1)])).unwrap();
    let back: BTreeMap<String, i32> = ReadOptions::new().separator(None).from_npz_slice(&whole).unwrap();
    assert_eq!(back, BTreeMap::from([("a/b".to_owned(), 1)]));
    assert!(flat.to_npz_vec(&x(x(1))).is_err(), "nesting needs a separator");
    let escape = to_npz_vec(&BTreeMap::from([("\u{1b}[31m", Some(()))])).unwrap_err();
    assert!(!escape.to_string().contains('\u{1b}'), "{escape:?}");
    assert_eq!(escape.path(), "\u{1b}[31m");
}

#[track_caller]
fn refused_kind<T: Serialize>(value: &T, kind: ErrorKind) -> Error {
    let err = to_npz_vec(value).unwrap_err();
    assert_eq!(err.kind(), kind, "{err}");
    err
}

struct Twice;

impl Serialize for Twice {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(2))?;
        map.serialize_entry("a", &1)?;
        map.serialize_entry("a", &2)?;
        map.end()
    }
}

#[derive(Serialize)]
struct Flat {
    a: u8,
    #[serde(flatten)]
    rest: BTreeMap<String, u8>,
}

#[test]
fn duplicates() {
    refused(&Twice, DuplicateName, "a", &["a"]);
    refused(&x(Twice), DuplicateName, "x/a", &["a"]);
    refused(
        &Flat {
            a: 1,
            rest: BTreeMap::from([("a".into(), 2)]),
        },
        DuplicateName,
        "a",
        &["a"],
    );
    let mut writer = NpzWriter::new(Cursor::new(Vec::new()));
    writer.add("a", &1).unwrap();
    assert_eq!(writer.add("a", &2).unwrap_err().kind(), DuplicateName);
    writer.add("b", &3).unwrap();
    let bytes = writer.finish().unwrap().into_inner();
    let back: BTreeMap<String, i32> = from_npz_slice(&bytes).unwrap();
    assert_eq!(back, BTreeMap::from([("a".into(), 1), ("b".into(), 3)]));
}

#[test]
fn limits_of_writing() {
    let few = WriteOptions::new().max_members(10);
    let long: Vec<X<Vec<u8>>> = (0..11).map(|_| x(vec![1])).collect();
    is(
        few.to_npz_vec(&x(&long)).unwrap_err(),
        LimitExceeded,
        "x",
        &["with::nan", "10"],
    );
    assert!(few.to_npz_vec(&x(&long[..10])).is_ok());
    let mut texts = vec!["a".to_owned(); 200];
    texts.push("b".repeat(200_000));
    refused(&x(&texts), LimitExceeded, "x", &["with::ragged"]);
    #[derive(Serialize)]
    struct Link {
        next: Option<Box<Link>>,
    }
    let deep = (0..1000).fold(Link { next: None }, |next, _| Link {
        next: Some(Box::new(next)),
    });
    assert_eq!(to_npz_vec(&deep).unwrap_err().kind(), LimitExceeded);
}

#[test]
fn a_message_of_a_foreign_impl() {
    struct Failing;
    impl Serialize for Failing {
        fn serialize<S: Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
            Err(serde::ser::Error::custom("not today"))
        }
    }
    refused(&x(Failing), Message, "x", &["not today"]);
    refused(&x(vec![Failing]), Message, "x[0]", &["not today"]);
}

#[test]
fn a_second_walk_that_differs() {
    struct Fickle(std::cell::Cell<usize>);
    impl Serialize for Fickle {
        fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            self.0.set(self.0.get() + 1);
            serializer.collect_seq((0..self.0.get()).map(|i| "wide".repeat(self.0.get() + i)))
        }
    }
    let err = refused_kind(&x(Fickle(Default::default())), InvalidValue);
    assert!(err.path().starts_with('x'), "{err}");
}

#[test]
fn nothing_is_left_behind() {
    let dir = Scratch::new("errors");
    let ragged = x(vec![vec![1.0, 2.0], vec![3.0]]);
    for bad in [dir.path("bad"), dir.path("bad.npz")] {
        assert_eq!(serde_npz::save_npz(&bad, &ragged).unwrap_err().kind(), Ragged);
        assert_eq!(serde_npz::save_npy(&bad, &ragged.x).unwrap_err().kind(), Ragged);
    }
    assert!(dir.files().is_empty(), "{:?}", dir.files());
    let path = serde_npz::save_npz(dir.path("kept"), &x(1)).unwrap();
    assert_eq!(path, dir.path("kept.npz"));
    let before = std::fs::read(&path).unwrap();
    assert!(serde_npz::save_npz(&path, &ragged).is_err());
    assert_eq!(std::fs::read(&path).unwrap(), before, "the old file stays");
    let mut writer = NpzWriter::create(&path).unwrap();
    writer.add("y", &1).unwrap();
    drop(writer);
    assert_eq!(std::fs::read(&path).unwrap(), before, "unfinished: the old file stays");
    assert_eq!(dir.files(), ["kept.npz"]);
    let path = serde_npz::save_npy(dir.path("a.npz"), &[1.0]).unwrap();
    assert_eq!(path, dir.path("a.npz.npy"), "as np.save");
    assert_eq!(serde_npz::load_npy::<[f64; 1]>(&path).unwrap(), [1.0]);
}

#[test]
fn a_writer_whose_member_had_begun_stays_failed() {
    let mut writer = NpzWriter::new(Cursor::new(Vec::new()));
    writer.add("good", &1).unwrap();
    let ragged = vec![vec![1.0, 2.0], vec![3.0]];
    is(
        writer.add("bad", &ragged).unwrap_err(),
        Ragged,
        "bad[1]",
        &["with::list"],
    );
    is(writer.add("more", &1).unwrap_err(), Ragged, "bad[1]", &["with::list"]);
    is(
        writer.finish().map(drop).unwrap_err(),
        Ragged,
        "bad[1]",
        &["with::list"],
    );
}

#[test]
fn a_writer_whose_member_had_not_begun_goes_on() {
    let mut writer = NpzWriter::new(Cursor::new(Vec::new()));
    is(writer.add("bad", &Some(())).unwrap_err(), UnsupportedType, "bad", &[]);
    is(writer.add("bad", &vec!["\0"]).unwrap_err(), InvalidValue, "bad[0]", &[]);
    assert_eq!(writer.add("", &1).unwrap_err().kind(), InvalidName);
    writer.add("bad", &1).unwrap();
    writer.add("group/in/group", &2).unwrap();
    let bytes = writer.finish().unwrap().into_inner();
    let mut reader = NpzReader::new(Cursor::new(&bytes)).unwrap();
    assert_eq!(reader.names().collect::<Vec<_>>(), ["bad", "group/in/group"]);
    assert_eq!(reader.get::<i32>("group/in/group").unwrap(), 2);
    assert_eq!(reader.get::<X2>("group").unwrap().r#in.group, 2);
}

#[derive(Deserialize)]
struct X2 {
    r#in: X3,
}

#[derive(Deserialize)]
struct X3 {
    group: i32,
}

#[test]
fn a_writer_that_fails() {
    struct Full;
    impl Write for Full {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(io::Error::new(io::ErrorKind::StorageFull, "no space"))
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    impl io::Seek for Full {
        fn seek(&mut self, _: io::SeekFrom) -> io::Result<u64> {
            Ok(0)
        }
    }
    let err = serde_npz::to_npy_writer(Full, &[1.0]).unwrap_err();
    assert_eq!(err.kind(), Io);
    assert_eq!(io::Error::from(err).kind(), io::ErrorKind::StorageFull);
    assert_eq!(
        serde_npz::to_npz_writer(Full, &x(vec![1.0; 100_000]))
            .unwrap_err()
            .kind(),
        Io
    );
}
