//! Small files that claim or hide much: refused within 8 MB, whichever way they are read.
//!
//! `cargo test --release --test memory bombs -- --nocapture` prints how long each took.

use std::collections::BTreeMap;
use std::fs;
use std::io::Cursor;
use std::time::{Duration, Instant};

use crate::common::Any;
use crate::counting::Alone;
use serde_npz::value::AnyArray;
use serde_npz::{ErrorKind, Limits, NpzReader, NpzWriter, ReadOptions, Result};

fn npy(version: u8, len: u32, text: &str, data: &[u8]) -> Vec<u8> {
    let mut bytes = b"\x93NUMPY".to_vec();
    bytes.extend([version, 0]);
    match version {
        1 => bytes.extend((len as u16).to_le_bytes()),
        _ => bytes.extend(len.to_le_bytes()),
    }
    bytes.extend(text.as_bytes());
    bytes.extend(data);
    bytes
}

fn array(descr: &str, shape: &str, data: &[u8]) -> Vec<u8> {
    let text = format!("{{'descr': {descr}, 'fortran_order': False, 'shape': {shape}, }}\n");
    npy(1, text.len() as u32, &text, data)
}

/// Name and bytes of each, and whether it is an archive.
fn bombs() -> Vec<(String, Vec<u8>)> {
    let mut bombs = Vec::new();
    for file in fs::read_dir(crate::common::data("hostile")).unwrap() {
        let path = file.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if ["bomb-", "shape-terabyte", "member-terabyte", "zip64-count"]
            .iter()
            .any(|start| name.starts_with(start))
        {
            bombs.push((name, fs::read(path).unwrap()));
        }
    }
    assert!(bombs.len() >= 10, "{}", bombs.len());
    let deep = "(".repeat(60_000);
    for (name, bytes) in [
        ("a header of 4 GiB", npy(2, u32::MAX, "{'descr': ", &[])),
        ("60,000 brackets", npy(1, 60_000, &deep, &[])),
        ("2^62 elements", array("'<f8'", "(4611686018427387904,)", &[0; 64])),
        ("2^59 elements", array("'<f8'", "(576460752303423488,)", &[0; 64])),
        ("2^60 rows of one", array("'|u1'", "(1152921504606846976, 1)", &[0; 64])),
        ("a text of 2 GiB", array("'<U536870911'", "()", &[0; 64])),
        ("2^31 texts without a character", array("'<U0'", "(2147483648, 3)", &[])),
        ("2^40 rows without a value", array("'<f8'", "(1099511627776, 0)", &[])),
        ("2^40 elements without a byte", array("'|V0'", "(1099511627776,)", &[])),
        (
            "a subarray of 2^31",
            array("[('a', '|u1', (2147483647,))]", "(3,)", &[0; 64]),
        ),
        ("Fortran order", array("'<f8'", "(2, 1073741824, 1073741824)", &[0; 64])),
    ] {
        bombs.push((name.to_owned(), bytes));
    }
    bombs
}

type Way = fn(&[u8], &ReadOptions) -> Result<()>;

const WAYS: &[(&str, Way)] = &[
    ("array from a slice", |bytes, options| {
        options.from_npy_slice::<Any>(bytes).map(drop)
    }),
    ("array from a stream", |bytes, options| {
        options.from_npy_reader::<_, Any>(bytes).map(drop)
    }),
    ("vector", |bytes, options| {
        options.from_npy_reader::<_, Vec<f64>>(bytes).map(drop)
    }),
    ("rows", |bytes, options| {
        options.from_npy_slice::<Vec<Vec<f64>>>(bytes).map(drop)
    }),
    ("texts", |bytes, options| {
        options.from_npy_reader::<_, Vec<String>>(bytes).map(drop)
    }),
    ("archive from a slice", |bytes, options| {
        options.from_npz_slice::<Any>(bytes).map(drop)
    }),
    ("archive from a stream", |bytes, options| {
        options.from_npz_reader::<_, Any>(Cursor::new(bytes)).map(drop)
    }),
    ("each member", |bytes, options| {
        let mut npz = NpzReader::with_options(Cursor::new(bytes), options)?;
        let names: Vec<String> = npz.names().map(str::to_owned).collect();
        names.iter().try_for_each(|name| npz.get::<Vec<f64>>(name).map(drop))
    }),
];

#[test]
fn bombs_are_refused_within_eight_megabytes() {
    let alone = Alone::wait();
    // The limit that an honest gigabyte of zeros needs.
    let options = ReadOptions::new().limits(Limits::new().total_bytes(64 << 20));
    let mut worst = (0, Duration::ZERO);
    for (name, bytes) in bombs() {
        for (way, read) in WAYS {
            let began = Instant::now();
            let (outcome, grown) = alone.peak(|| read(&bytes, &options));
            let took = began.elapsed();
            println!("{took:>12.1?} {grown:>9} bytes: {name}, {way}");
            // An array of no elements is an empty vector, at once, however many rows it claims.
            let empty = name == "2^40 rows without a value" && ["vector", "texts"].contains(way);
            assert_eq!(outcome.is_ok(), empty, "{name}, {way}: {outcome:?}");
            assert!(grown < 8_000_000, "{name}, {way}: {grown} bytes");
            worst = (worst.0.max(grown), worst.1.max(took));
        }
    }
    println!("at most {} bytes and {:?}", worst.0, worst.1);
}

/// Limits count over one call: what a single member may have, two hundred of them may not have each.
#[test]
fn members_share_the_limits_of_one_call() {
    let alone = Alone::wait();
    let bytes = empty_rows(200, 1 << 20);
    assert!(bytes.len() < 60_000, "{}", bytes.len());
    type Rows = BTreeMap<String, Vec<Vec<f64>>>;
    type Way = fn(&[u8]) -> Result<()>;
    let ways: [Way; 4] = [
        |bytes| serde_npz::from_npz_slice::<Rows>(bytes).map(drop),
        |bytes| serde_npz::from_npz_reader::<_, Rows>(Cursor::new(bytes)).map(drop),
        |bytes| serde_npz::from_npz_slice::<Any>(bytes).map(drop),
        |bytes| {
            let options = ReadOptions::new().limits(Limits::unlimited());
            options
                .from_npz_slice::<BTreeMap<String, Vec<[f64; 0]>>>(bytes)
                .map(drop)
        },
    ];
    for way in ways {
        let began = Instant::now();
        let (outcome, grown) = alone.peak(|| way(&bytes));
        let took = began.elapsed();
        let err = outcome.unwrap_err();
        println!("{took:>12.1?} {grown:>9} bytes: {err}");
        assert_eq!((err.kind(), err.path()), (ErrorKind::LimitExceeded, "x1"));
        assert!(format!("{err:#}").contains("any_elements"), "{err}");
        assert!(grown < 64 << 20, "{grown} bytes");
        if !cfg!(debug_assertions) {
            assert!(took < Duration::from_millis(500), "{took:?}");
        }
    }
    // Each call has all of it, and a higher limit lets all members pass.
    let mut npz = NpzReader::new(Cursor::new(&bytes)).unwrap();
    for name in ["x0", "x1"] {
        assert_eq!(npz.get::<Vec<Vec<f64>>>(name).unwrap().len(), 1 << 20);
    }
    let bytes = empty_rows(20, 100_000);
    assert!(serde_npz::from_npz_slice::<Rows>(&bytes).is_err());
    let high = ReadOptions::new().limits(Limits::new().any_elements(2_000_000));
    assert_eq!(high.from_npz_slice::<Rows>(&bytes).unwrap().len(), 20);

    // Elements that are handed out one by one count together as well.
    let numbers = serde_npz::to_npz_vec(&BTreeMap::from([("a", vec![1.0; 60]), ("b", vec![1.0; 60])])).unwrap();
    for (most, fine) in [(120, true), (119, false)] {
        let options = ReadOptions::new().limits(Limits::new().any_elements(most));
        let found = options.from_npz_slice::<Any>(&numbers);
        assert_eq!(found.is_ok(), fine, "{most}");
        assert!(found.is_ok() || found.unwrap_err().path() == "b");
        // Two calls, each with all of it.
        let mut npz = NpzReader::with_options(Cursor::new(&numbers), &options).unwrap();
        assert!(npz.get::<Any>("a").is_ok() && npz.get::<Any>("b").is_ok());
    }
}

/// An archive of so many arrays, each of so many rows without a value.
fn empty_rows(members: u64, rows: u64) -> Vec<u8> {
    let mut npz = NpzWriter::new(Cursor::new(Vec::new()));
    for i in 0..members {
        let rows = AnyArray::from_parts("<f8".parse().unwrap(), &[rows, 0], false, Vec::new()).unwrap();
        npz.add(&format!("x{i}"), &rows).unwrap();
    }
    npz.finish().unwrap().into_inner()
}
