//! What is refused on the way in: missing, of another type, beyond a limit, damaged.

use std::collections::BTreeMap;
use std::io::Cursor;

use super::{X, x};
use crate::common::{Any, Scratch, is};
use serde::{Deserialize, Serialize};
use serde_npz::ErrorKind::*;
use serde_npz::{Casting, ErrorKind, Header, Limits, NpyReader, NpyWriter, NpzReader, ReadOptions};
use serde_npz::{from_npy_slice, from_npz_slice, to_npy_vec, to_npz_vec};

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
    assert!(format!("{err:#}").contains('y'), "{err}");
    // As in NumPy, `x.npy` finds the member of the key `x`; one suffix is left out, and no more.
    assert!(reader.get::<Any>("x.npy").is_ok());
    assert_eq!(reader.get::<Any>("x.npy.npy").unwrap_err().kind(), MissingMember);
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
        assert!(err.hint().unwrap().contains("_npy"), "{err:#}");
    }
    for err in [
        serde_npz::load_npy::<Any>(&npz).unwrap_err(),
        from_npy_slice::<Any>(&npz_bytes).unwrap_err(),
    ] {
        assert_eq!(err.kind(), BadMagic);
        assert!(err.hint().unwrap().contains("_npz"), "{err:#}");
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
    mismatch::<Vec<bool>>(&ints, InvalidValue, "x[1]");
    assert_eq!(from_npz_slice::<X<Vec<u64>>>(&ints).unwrap().x[1], 300);
    assert_eq!(from_npz_slice::<X<Vec<i128>>>(&ints).unwrap().x[1], 300);
    let negative = to_npz_vec(&x(vec![-1_i8])).unwrap();
    mismatch::<Vec<u64>>(&negative, InvalidValue, "x[0]");
    assert_eq!(from_npz_slice::<X<Vec<f32>>>(&negative).unwrap(), x(vec![-1.0]));
    let bools = to_npz_vec(&x(vec![true])).unwrap();
    assert_eq!(from_npz_slice::<X<Vec<u8>>>(&bools).unwrap().x, [1]);
    assert_eq!(from_npz_slice::<X<Vec<f64>>>(&bools).unwrap().x, [1.0]);
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

/// An error of this kind at this path or at its first element.
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
    let skipping = ReadOptions::new().skip_unsupported(true);
    let Any::Map(entries) = skipping.from_npz_slice::<Any>(&bytes).unwrap() else {
        panic!("no map")
    };
    assert_eq!(entries.len(), 1);
    assert_eq!(entries[0].0, "x");
}

/// It was an empty list once.
#[test]
fn a_json_text_is_no_sequence() {
    let mut npz = serde_npz::NpzWriter::new(Cursor::new(Vec::new()));
    #[derive(serde::Serialize)]
    struct Text {
        #[serde(with = "serde_npz::with::json")]
        x: Vec<u8>,
    }
    npz.add("g", &Text { x: vec![1, 2] }).unwrap();
    let bytes = npz.finish().unwrap().into_inner();
    let mut npz = NpzReader::new(Cursor::new(&bytes)).unwrap();
    is(
        npz.get::<Vec<u8>>("g/x").unwrap_err(),
        NotAnArray,
        "g/x",
        &["with::json"],
    );
    is(
        npz.get::<(u8, u8)>("g/x").unwrap_err(),
        NotAnArray,
        "g/x",
        &["with::json"],
    );
    is(
        npz.get::<X<Vec<u8>>>("g").unwrap_err(),
        NotAnArray,
        "g/x",
        &["with::json"],
    );
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
