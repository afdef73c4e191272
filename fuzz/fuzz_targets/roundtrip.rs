//! Arbitrary values of derived types: what is written is read back equal, and writes the same bytes again.
#![no_main]

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::io::Cursor;
use std::time::Duration;

use arbitrary::{Arbitrary, Unstructured};
use libfuzzer_sys::fuzz_target;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_npz::{Compression, ErrorKind, WriteOptions};

#[derive(Arbitrary, Debug, Serialize, Deserialize)]
struct State {
    x: Vec<f64>,
    y: Vec<Vec<i32>>,
    points: Vec<[f32; 3]>,
    rows: Vec<Row>,
    name: String,
    names: Vec<String>,
    letter: char,
    flag: bool,
    flags: Vec<bool>,
    maybe: Option<Vec<u16>>,
    phase: Phase,
    phases: Vec<Level>,
    by_name: BTreeMap<String, Vec<i64>>,
    by_number: BTreeMap<u8, f32>,
    layers: Vec<Layer>,
    mixed: Vec<(u8, String, f64)>,
    pair: (i8, Vec<u8>),
    took: Duration,
    nothing: (),
    small: Small,
}

#[derive(Arbitrary, Debug, Serialize, Deserialize)]
struct Row {
    id: u64,
    at: [f64; 2],
    name: String,
    level: Level,
    inner: Inner,
}

#[derive(Arbitrary, Debug, Serialize, Deserialize)]
struct Inner {
    a: i8,
    b: (u16, bool),
}

#[derive(Arbitrary, Debug, Serialize, Deserialize)]
enum Level {
    Low,
    High,
}

#[derive(Arbitrary, Debug, Serialize, Deserialize)]
enum Phase {
    Idle,
    Running { step: u32, left: Vec<f64> },
    Failed(String),
    Pair(i16, Option<bool>),
}

#[derive(Arbitrary, Debug, Serialize, Deserialize)]
struct Layer {
    w: Vec<Vec<f32>>,
    b: Option<Vec<f32>>,
    next: Option<Box<Layer>>,
}

#[derive(Arbitrary, Debug, Serialize, Deserialize)]
struct Small(i16, u32);

#[derive(Arbitrary, Debug, Serialize, Deserialize)]
struct Loose {
    state: Option<State>,
    list: Vec<Option<Inner>>,
    phases: Vec<Phase>,
    map: BTreeMap<String, Phase>,
    lists: Vec<Vec<Layer>>,
}

#[derive(Arbitrary, Debug)]
enum Input {
    State(State),
    Loose(Loose),
    Map(BTreeMap<String, Vec<Vec<u8>>>),
    Numbers(Vec<f64>),
    Grid(Vec<Vec<Vec<i16>>>),
    Rows(Vec<Row>),
    Names(Vec<String>),
    Pairs(Vec<(f32, bool)>),
    Phases(Vec<Level>),
}

fn check<T: Serialize + DeserializeOwned + Debug>(value: &T, options: &WriteOptions) {
    let bytes = match options.to_npz_vec(value) {
        Ok(bytes) => bytes,
        Err(err) => return refused(&err),
    };
    let mut streamed = Cursor::new(Vec::new());
    options.to_npz_writer(&mut streamed, value).expect("what a vector took, a writer takes");
    assert!(streamed.into_inner() == bytes, "{value:?}: other bytes through a writer");
    let back: T = serde_npz::from_npz_slice(&bytes).unwrap_or_else(|err| panic!("{value:?}: {err}"));
    assert_eq!(format!("{back:?}"), format!("{value:?}"), "from a slice");
    assert!(options.to_npz_vec(&back).expect("again") == bytes, "{value:?}: other bytes");
    let back: T = serde_npz::from_npz_reader(Cursor::new(&bytes)).unwrap_or_else(|err| panic!("{value:?}: {err}"));
    assert_eq!(format!("{back:?}"), format!("{value:?}"), "from a stream");
}

fn check_npy<T: Serialize + DeserializeOwned + Debug>(value: &T) {
    let bytes = match serde_npz::to_npy_vec(value) {
        Ok(bytes) => bytes,
        Err(err) => return refused(&err),
    };
    let back: T = serde_npz::from_npy_slice(&bytes).unwrap_or_else(|err| panic!("{value:?}: {err}"));
    assert_eq!(format!("{back:?}"), format!("{value:?}"), "from a slice");
    assert!(serde_npz::to_npy_vec(&back).expect("again") == bytes, "{value:?}: other bytes");
    let back: T = serde_npz::from_npy_reader(&bytes[..]).unwrap_or_else(|err| panic!("{value:?}: {err}"));
    assert_eq!(format!("{back:?}"), format!("{value:?}"), "from a stream");
}

/// Only what the documentation refuses.
fn refused(err: &serde_npz::Error) {
    use ErrorKind::{DuplicateName, InvalidName, InvalidValue, LimitExceeded, MixedTypes, Ragged, UnsupportedType};
    assert!(
        matches!(
            err.kind(),
            Ragged | MixedTypes | InvalidName | DuplicateName | InvalidValue | UnsupportedType | LimitExceeded
        ),
        "{err:?}"
    );
}

fuzz_target!(|data: &[u8]| {
    let Some((&choice, rest)) = data.split_first() else { return };
    let options = match choice % 4 {
        0 => WriteOptions::new(),
        1 => WriteOptions::new().compressed(),
        2 => WriteOptions::new().compression(Compression::Deflate(1)),
        _ => WriteOptions::new().compression(Compression::Deflate(9)),
    };
    let Ok(input) = Input::arbitrary_take_rest(Unstructured::new(rest)) else { return };
    match input {
        Input::State(value) => check(&value, &options),
        Input::Loose(value) => check(&value, &options),
        Input::Map(value) => check(&value, &options),
        Input::Numbers(value) => check_npy(&value),
        Input::Grid(value) => check_npy(&value),
        Input::Rows(value) => check_npy(&value),
        Input::Names(value) => check_npy(&value),
        Input::Pairs(value) => check_npy(&value),
        Input::Phases(value) => check_npy(&value),
    }
});
