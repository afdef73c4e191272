//! Every refusal: its kind, its path, what its message names, and that nothing is left behind.

use std::collections::BTreeMap;
use std::error::Error as _;
use std::io::{self, Cursor, Write};
use std::time::{Duration, UNIX_EPOCH};

use crate::common::{Any, Scratch, is, refused};
use serde::ser::{SerializeMap, SerializeSeq};
use serde::{Deserialize, Serialize, Serializer};
use serde_bytes::ByteBuf;
use serde_npz::ErrorKind::*;
use serde_npz::{Casting, Error, ErrorKind, Header, Limits, NpyReader, NpyWriter, NpzReader, NpzWriter, ReadOptions};
use serde_npz::{WriteOptions, from_npy_slice, from_npz_slice, to_npy_vec, to_npz_vec};

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct X<T> {
    x: T,
}

fn x<T>(x: T) -> X<T> {
    X { x }
}

#[test]
fn the_error_type() {
    fn holds<T: Send + Sync + 'static + std::error::Error>() {}
    holds::<Error>();
    let err = refused(&x(1_i128), UnsupportedType, "x", &["i128"]);
    let err: io::Error = err.into();
    assert_eq!(err.kind(), io::ErrorKind::InvalidData);
    let back = Error::from(err);
    assert_eq!((back.kind(), back.path()), (UnsupportedType, "x"));
    let missing = serde_npz::load_npz::<Any>("/no/such/file.npz").unwrap_err();
    assert_eq!(missing.kind(), Io);
    assert!(missing.source().is_some());
    assert_eq!(io::Error::from(missing).kind(), io::ErrorKind::NotFound);
    assert!(format!("{back:?}").contains("UnsupportedType"));
}

#[test]
fn types_without_a_counterpart() {
    refused(&x(1_i128), UnsupportedType, "x", &["i128"]);
    refused(&x(1_u128), UnsupportedType, "x", &["u128"]);
    refused(&x(vec![1_i128]), UnsupportedType, "x[0]", &["i128"]);
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
        to_npy_vec(&x(Some(1))).unwrap_err(),
    ] {
        assert_eq!(err.kind(), UnsupportedType, "{err}");
        assert!(err.to_string().contains("to_npz_"), "{err}");
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
    refused(
        &x([Mixed::Number(1), Mixed::Text("a")].as_slice()),
        MixedTypes,
        "x[1]",
        &["with::list"],
    );
    refused(
        &x([Mixed::Number(1), Mixed::Float(1.0)].as_slice()),
        MixedTypes,
        "x[1]",
        &["with::list"],
    );
    let deeper = to_npz_vec(&x([Mixed::Number(1), Mixed::Rows(vec![1.0])].as_slice())).unwrap_err();
    assert!(
        matches!(deeper.kind(), MixedTypes | Ragged) && deeper.path().starts_with("x[1]"),
        "{deeper:?}"
    );
    // The numbers stream already when the group comes.
    struct Streaming;
    impl Serialize for Streaming {
        fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            let mut seq = serializer.serialize_seq(Some(2))?;
            seq.serialize_element(&1.0)?;
            seq.serialize_element(&X { x: vec![1] })?;
            seq.end()
        }
    }
    refused(&x(Streaming), MixedTypes, "x[1]", &["with::list"]);
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
    let escape = to_npz_vec(&BTreeMap::from([("\u{1b}[31m", 1_i128)])).unwrap_err();
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
    std::mem::forget(deep);
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
    is(writer.add("bad", &1_i128).unwrap_err(), UnsupportedType, "bad", &[]);
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

#[test]
fn missing_and_foreign_members() {
    let bytes = to_npz_vec(&x(vec![1.0])).unwrap();
    let mut reader = NpzReader::new(Cursor::new(&bytes)).unwrap();
    assert!(reader.contains("x") && !reader.contains("y") && !reader.is_empty());
    assert_eq!(reader.len(), 1);
    is(reader.get::<Any>("y").unwrap_err(), MissingMember, "y", &["y"]);
    is(reader.header("y").unwrap_err(), MissingMember, "y", &["y"]);
    is(reader.raw("y").unwrap_err(), MissingMember, "y", &["y"]);
    #[derive(Debug, Deserialize)]
    struct Needs {
        #[expect(dead_code, reason = "only its absence counts")]
        y: f64,
    }
    let err = from_npz_slice::<Needs>(&bytes).unwrap_err();
    assert_eq!(err.kind(), MissingMember);
    assert!(err.to_string().contains('y'), "{err}");
    // The key verbatim comes first: `x.npy` is another key than `x`.
    assert_eq!(reader.get::<Any>("x.npy").unwrap_err().kind(), MissingMember);
    let extra = std::fs::read(crate::common::data("numpy/open/o-npz-extra-member.npz")).unwrap();
    let mut reader = NpzReader::new(Cursor::new(&extra)).unwrap();
    is(
        reader.get::<Any>("notes.txt").unwrap_err(),
        NotAnArray,
        "notes.txt",
        &[],
    );
    is(reader.header("notes.txt").unwrap_err(), NotAnArray, "notes.txt", &[]);
    assert_eq!(reader.raw("notes.txt").unwrap(), b"just text\n");
    assert_eq!(from_npz_slice::<Any>(&extra).unwrap().field("notes.txt"), None);
}

#[test]
fn the_other_format() {
    let dir = Scratch::new("other");
    let npy = serde_npz::save_npy(dir.path("a"), &[1.0]).unwrap();
    let npz = serde_npz::save_npz(dir.path("a"), &x(1)).unwrap();
    let (npy_bytes, npz_bytes) = (std::fs::read(&npy).unwrap(), std::fs::read(&npz).unwrap());
    for err in [
        serde_npz::load_npz::<Any>(&npy).unwrap_err(),
        from_npz_slice::<Any>(&npy_bytes).unwrap_err(),
        NpzReader::new(Cursor::new(&npy_bytes)).map(drop).unwrap_err(),
    ] {
        assert_eq!(err.kind(), BadMagic);
        assert!(err.to_string().contains("_npy"), "{err}");
    }
    for err in [
        serde_npz::load_npy::<Any>(&npz).unwrap_err(),
        from_npy_slice::<Any>(&npz_bytes).unwrap_err(),
    ] {
        assert_eq!(err.kind(), BadMagic);
        assert!(err.to_string().contains("_npz"), "{err}");
    }
    // The content decides, never the suffix.
    let renamed = dir.path("b.npy");
    std::fs::copy(&npz, &renamed).unwrap();
    assert_eq!(serde_npz::load_npz::<X<i32>>(&renamed).unwrap(), x(1));
    assert_eq!(from_npy_slice::<Any>(b"just a text").unwrap_err().kind(), BadMagic);
    assert_eq!(from_npz_slice::<Any>(b"just a text").unwrap_err().kind(), BadMagic);
}

#[test]
fn conversions() {
    let floats = to_npz_vec(&x(vec![1.0_f64, 2.0])).unwrap();
    is(
        from_npz_slice::<X<Vec<f32>>>(&floats).unwrap_err(),
        TypeMismatch,
        "x[0]",
        &["f8", "SameKind"],
    );
    let same_kind = ReadOptions::new().casting(Casting::SameKind);
    assert_eq!(
        same_kind.from_npz_slice::<X<Vec<f32>>>(&floats).unwrap(),
        x(vec![1.0, 2.0])
    );
    mismatch::<Vec<i32>>(&floats, TypeMismatch, "x");
    assert_eq!(
        same_kind.from_npz_slice::<X<Vec<i32>>>(&floats).unwrap_err().kind(),
        TypeMismatch
    );
    mismatch::<f64>(&floats, TypeMismatch, "x");
    mismatch::<Vec<Vec<f64>>>(&floats, TypeMismatch, "x");
    mismatch::<Vec<bool>>(&floats, TypeMismatch, "x");
    mismatch::<Vec<String>>(&floats, TypeMismatch, "x");
    mismatch::<[f64; 3]>(&floats, TypeMismatch, "x");
    mismatch::<BTreeMap<String, f64>>(&floats, TypeMismatch, "x");
    let ints = to_npz_vec(&x(vec![1_i64, 300, 1 << 53 | 1])).unwrap();
    mismatch::<Vec<u8>>(&ints, InvalidValue, "x[1]");
    mismatch::<Vec<f64>>(&ints, InvalidValue, "x[2]");
    mismatch::<Vec<bool>>(&ints, TypeMismatch, "x");
    assert_eq!(from_npz_slice::<X<Vec<u64>>>(&ints).unwrap().x[1], 300);
    assert_eq!(from_npz_slice::<X<Vec<i128>>>(&ints).unwrap().x[1], 300);
    let negative = to_npz_vec(&x(vec![-1_i8])).unwrap();
    mismatch::<Vec<u64>>(&negative, InvalidValue, "x[0]");
    assert_eq!(from_npz_slice::<X<Vec<f32>>>(&negative).unwrap(), x(vec![-1.0]));
    let bools = to_npz_vec(&x(vec![true])).unwrap();
    mismatch::<Vec<u8>>(&bools, TypeMismatch, "x");
    mismatch::<Vec<f64>>(&bools, TypeMismatch, "x");
    let singles = to_npz_vec(&x(vec![0.1_f32])).unwrap();
    assert_eq!(
        from_npz_slice::<X<Vec<f64>>>(&singles).unwrap(),
        x(vec![f64::from(0.1_f32)])
    );
    let texts = to_npz_vec(&x(vec!["ab"])).unwrap();
    mismatch::<Vec<char>>(&texts, InvalidValue, "x[0]");
    mismatch::<Vec<f64>>(&texts, TypeMismatch, "x");
    #[derive(Debug, Deserialize)]
    enum Letters {
        C,
    }
    assert!(matches!(
        from_npz_slice::<X<[Letters; 1]>>(&to_npz_vec(&x(vec!["C"])).unwrap())
            .unwrap()
            .x,
        [Letters::C]
    ));
    assert!(
        from_npz_slice::<X<Vec<Letters>>>(&texts)
            .unwrap_err()
            .path()
            .starts_with('x')
    );
    let records = to_npz_vec(&x(vec![x(1_u8)])).unwrap();
    mismatch::<Vec<f64>>(&records, TypeMismatch, "x");
    assert_eq!(from_npz_slice::<X<Vec<(u8,)>>>(&records).unwrap(), x(vec![(1,)]));
}

/// The kind, and the path or the path of the first element.
#[track_caller]
fn mismatch<T: for<'de> Deserialize<'de> + std::fmt::Debug>(bytes: &[u8], kind: ErrorKind, path: &str) {
    let err = from_npz_slice::<X<T>>(bytes).map(|value| value.x).unwrap_err();
    let paths = [path.to_owned(), format!("{path}[0]")];
    assert!(
        err.kind() == kind && paths.iter().any(|p| p == err.path()),
        "{err:?}, expected {kind:?} at {path:?}"
    );
}

#[test]
fn the_path_of_a_field_of_a_row_of_a_member_of_a_list() {
    #[derive(Serialize, Deserialize)]
    struct Row<T> {
        t: T,
    }
    #[derive(Serialize, Deserialize)]
    struct Layer<T> {
        w: Vec<Row<T>>,
    }
    #[derive(Serialize, Deserialize)]
    struct Root<T> {
        layers: Vec<Layer<T>>,
    }
    let bytes = to_npz_vec(&Root {
        layers: vec![Layer {
            w: [1_i64, 2, 3, 999].map(|t| Row { t }).into(),
        }],
    })
    .unwrap();
    let err = from_npz_slice::<Root<u8>>(&bytes).map(drop).unwrap_err();
    is(err, InvalidValue, "layers/0/w[3].t", &["999", "layers/0/w[3].t: "]);
}

#[test]
fn limits_of_reading() {
    let bytes = to_npz_vec(&BTreeMap::from([("a", vec![1.0_f64; 100]), ("b", vec![1.0; 100])])).unwrap();
    let read = |limits: Limits| {
        ReadOptions::new()
            .limits(limits)
            .from_npz_slice::<Any>(&bytes)
            .map(drop)
    };
    for limits in [
        Limits::new().members(1),
        Limits::new().elements(99),
        Limits::new().member_bytes(799),
        Limits::new().total_bytes(1599),
        Limits::new().any_elements(99),
    ] {
        assert_eq!(read(limits.clone()).unwrap_err().kind(), LimitExceeded, "{limits:?}");
    }
    for limits in [
        Limits::new()
            .members(2)
            .elements(100)
            .member_bytes(10_000)
            .total_bytes(10_000)
            .any_elements(200),
        Limits::unlimited(),
    ] {
        read(limits).unwrap();
    }
    let deep = to_npz_vec(&x(x(x(x(1))))).unwrap();
    let err = ReadOptions::new()
        .limits(Limits::new().depth(2))
        .from_npz_slice::<Any>(&deep)
        .unwrap_err();
    assert_eq!(err.kind(), LimitExceeded);
    let typed = ReadOptions::new().limits(Limits::new().any_elements(99));
    assert_eq!(
        typed
            .from_npz_slice::<BTreeMap<String, Vec<f64>>>(&bytes)
            .unwrap()
            .len(),
        2,
        "typed reads are free of it"
    );
    let long = ReadOptions::new().max_header_size(10);
    assert_eq!(long.from_npz_slice::<Any>(&bytes).unwrap_err().kind(), LimitExceeded);
}

#[test]
fn objects() {
    let bytes = std::fs::read(crate::common::data("numpy/open/o-npz-bad-object-member.npz")).unwrap();
    is(from_npz_slice::<Any>(&bytes).unwrap_err(), Pickle, "obj", &[]);
    let mut reader = NpzReader::new(Cursor::new(&bytes)).unwrap();
    is(reader.get::<Any>("obj").unwrap_err(), Pickle, "obj", &[]);
    is(reader.header("obj").unwrap_err(), Pickle, "obj", &[]);
    assert_eq!(
        from_npz_slice::<X<Vec<i64>>>(&bytes).unwrap(),
        x(vec![0, 1]),
        "what is not asked for is not read"
    );
    let skipping = ReadOptions::new().skip_objects(true);
    let Any::Map(entries) = skipping.from_npz_slice::<Any>(&bytes).unwrap() else {
        panic!("no map")
    };
    assert_eq!(entries.len(), 1);
    assert_eq!(entries[0].0, "x");
}

#[test]
fn cut_and_damaged() {
    let npy = to_npy_vec(&vec![1.0_f64; 10]).unwrap();
    for at in [0, 3, 7, 9, 50, 127, 128, 200, npy.len() - 1] {
        let err = from_npy_slice::<Vec<f64>>(&npy[..at]).unwrap_err();
        assert!(matches!(err.kind(), Truncated | BadMagic), "cut at {at}: {err:?}");
        assert!(serde_npz::from_npy_reader::<_, Vec<f64>>(&npy[..at]).is_err());
    }
    let npz = to_npz_vec(&x(vec![1.0_f64; 10])).unwrap();
    for at in 0..npz.len() {
        assert!(from_npz_slice::<X<Vec<f64>>>(&npz[..at]).is_err(), "cut at {at}");
    }
    let data = npz
        .windows(8)
        .position(|window| window == 1.0_f64.to_le_bytes())
        .unwrap();
    let mut flipped = npz.clone();
    flipped[data] ^= 1;
    is(
        from_npz_slice::<X<Vec<f64>>>(&flipped).unwrap_err(),
        CorruptArchive,
        "x",
        &[],
    );
    let mut version = npy.clone();
    version[6] = 9;
    assert_eq!(from_npy_slice::<Any>(&version).unwrap_err().kind(), UnsupportedVersion);
}

#[test]
fn what_follows_a_lone_array_stays() {
    let mut two = to_npy_vec(&vec![1.0, 2.0]).unwrap();
    two.extend(to_npy_vec(&"next").unwrap());
    let mut stream = &two[..];
    assert_eq!(
        serde_npz::from_npy_reader::<_, Vec<f64>>(&mut stream).unwrap(),
        [1.0, 2.0]
    );
    assert_eq!(serde_npz::from_npy_reader::<_, String>(&mut stream).unwrap(), "next");
    assert!(stream.is_empty());
    assert_eq!(from_npy_slice::<Vec<f64>>(&two).unwrap(), [1.0, 2.0]);
    let mut headers = &two[..];
    assert_eq!(Header::read(&mut headers).unwrap().shape(), [2]);
}

#[test]
fn rows() {
    let dir = Scratch::new("rows");
    let path = dir.path("rows.npy");
    let mut writer = NpyWriter::create(&path).unwrap();
    writer.push("four").unwrap();
    assert_eq!(writer.push("longer").unwrap_err().kind(), InvalidValue);
    drop(writer);
    let mut writer = NpyWriter::create(&path).unwrap();
    writer.push(&[1.0, 2.0]).unwrap();
    writer.extend([[3.0, 4.0], [5.0, 6.0]]).unwrap();
    writer.finish().unwrap();
    let mut reader = NpyReader::open(&path).unwrap();
    assert_eq!(reader.header().shape(), [3, 2]);
    let rows: Vec<[f64; 2]> = reader.rows().collect::<Result<_, _>>().unwrap();
    assert_eq!(rows, [[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]);
    let empty = dir.path("empty.npy");
    NpyWriter::create(&empty).unwrap().finish().unwrap();
    let header = Header::read(&mut &std::fs::read(&empty).unwrap()[..]).unwrap();
    assert_eq!((header.dtype().to_string().as_str(), header.shape()), ("<f8", &[0][..]));
}
