//! How often a value is walked before it is written to an archive, and that a walk that is not enough leaves no trace.

use std::cell::Cell;
use std::collections::{BTreeMap, VecDeque};
use std::fs;
use std::io::Cursor;

use serde::ser::{Error as _, SerializeStruct, SerializeTuple};
use serde::{Serialize, Serializer};
use serde_npz::{ErrorKind, NpzReader, NpzWriter, Result, WriteOptions, from_npz_slice, to_npz_vec, to_npz_writer};

use crate::common::{Scratch, is};

/// Counts how often the value in it is serialized.
struct Counted<'c, T>(T, &'c Cell<u32>);

impl<T: Serialize> Serialize for Counted<'_, T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        self.1.set(self.1.get() + 1);
        self.0.serialize(serializer)
    }
}

/// How often `value` is serialized as a field.
fn walks<T: Serialize>(value: T) -> u32 {
    let count = Cell::new(0);
    to_npz_vec(&BTreeMap::from([("x", Counted(value, &count))])).unwrap();
    count.get()
}

#[derive(Clone, Serialize)]
struct Layer {
    w: Vec<f64>,
    b: Vec<f64>,
}

#[derive(Clone, Debug, PartialEq, Serialize, serde::Deserialize)]
struct Step {
    t: f64,
    id: u32,
}

#[derive(Serialize)]
enum Kind {
    Plain,
    Data { n: u8 },
}

#[derive(Serialize)]
struct Gaps(#[serde(with = "serde_npz::with::nan")] Option<f64>);

fn step(i: u32) -> Step {
    Step { t: i.into(), id: i }
}

#[test]
fn what_one_walk_can_tell_takes_one() {
    let layer = Layer {
        w: vec![1.0],
        b: vec![2.0],
    };
    assert_eq!(walks(1.5), 1);
    assert_eq!(walks("text"), 1);
    assert_eq!(walks(String::from("text")), 1);
    assert_eq!(walks(Kind::Plain), 1);
    assert_eq!(walks(Kind::Data { n: 1 }), 1);
    assert_eq!(walks(vec![1.0, 2.0]), 1);
    assert_eq!(walks(Some(vec![1.0, 2.0])), 1);
    assert_eq!(walks(VecDeque::from([1.0, 2.0])), 1);
    assert_eq!(walks(vec![VecDeque::from([1.0, 2.0])]), 1);
    assert_eq!(walks(None::<f64>), 1);
    assert_eq!(walks(Gaps(None)), 1);
    assert_eq!(walks(Gaps(Some(1.0))), 1);
    assert_eq!(walks(layer.clone()), 1);
    assert_eq!(walks(Some(layer.clone())), 1);
    assert_eq!(walks(vec![layer.clone(), layer.clone()]), 1);
    assert_eq!(walks((vec![1.0], layer)), 1);
    assert_eq!(walks(BTreeMap::from([("a", 1)])), 1);
    assert_eq!(walks(vec![step(1), step(2)]), 1);
}

#[test]
fn the_first_element_is_looked_at_before_it_is_written() {
    let count = Cell::new(0);
    let counted = |_| Counted(step(1), &count);
    to_npz_vec(&BTreeMap::from([("x", (0..100).map(counted).collect::<Vec<_>>())])).unwrap();
    assert_eq!(count.take(), 101);
    let layer = |_| {
        let layer = Layer {
            w: vec![1.0],
            b: vec![],
        };
        Counted(layer, &count)
    };
    to_npz_vec(&BTreeMap::from([("x", (0..100).map(layer).collect::<Vec<_>>())])).unwrap();
    // Once more where it makes no array: what begins with a plain number goes out at once.
    assert_eq!(count.take(), 102);
}

/// Records up to one that is none.
#[derive(Serialize)]
#[serde(untagged)]
enum Mixed {
    Step(Step),
    Wide(Box<[[u64; 16]; 4]>, Step),
    Other(BTreeMap<String, Vec<f64>>),
    Wider { t: f64, id: u64 },
    Refused { t: f64, id: Refused },
}

struct Refused;

impl Serialize for Refused {
    fn serialize<S: serde::Serializer>(&self, _: S) -> std::result::Result<S::Ok, S::Error> {
        Err(serde::ser::Error::custom("no id"))
    }
}

/// What every way to write an archive makes of a value; the first of them cannot take back, and measures beforehand.
fn everywhere(value: &impl Serialize) -> Vec<[Result<Vec<u8>>; 3]> {
    let dir = Scratch::new("walks");
    let options = WriteOptions::new();
    let ways = [
        options.clone(),
        options.clone().compressed().threads(1),
        options.compressed().threads(3),
    ];
    ways.map(|options| {
        let mut out = Cursor::new(Vec::new());
        [
            options.to_npz_writer(&mut out, value).map(|()| out.into_inner()),
            options.to_npz_vec(value),
            options
                .save_npz(dir.path("x"), value)
                .map(|path| fs::read(path).unwrap()),
        ]
    })
    .into()
}

#[test]
fn records_that_turn_out_to_be_none_are_taken_back() {
    #[derive(Serialize)]
    struct Data {
        before: Vec<f64>,
        values: Vec<Mixed>,
        after: Vec<f64>,
    }
    // So few that nothing of them is out yet, more than one write, more than one block of deflate.
    for len in [1, 200, 1500] {
        let noise = |i: u64| [[i; 16], [i * i; 16], [!i; 16], [i << 32; 16]];
        let mut values: Vec<Mixed> = (0..len)
            .map(|i| Mixed::Wide(Box::new(noise(i)), step(i as u32)))
            .collect();
        values.push(Mixed::Other(BTreeMap::from([("w".to_owned(), vec![1.0])])));
        let data = Data {
            before: (0..70_000).map(f64::from).collect(),
            values,
            after: vec![1.0; 9_000],
        };
        for [direct, others @ ..] in everywhere(&data) {
            let direct = direct.unwrap();
            assert!(others.into_iter().all(|other| other.unwrap() == direct), "{len}");
            let mut npz = NpzReader::new(Cursor::new(direct)).unwrap();
            assert_eq!(npz.get::<Vec<f64>>(&format!("values/{len}/w")).unwrap(), [1.0]);
            assert_eq!(
                npz.get::<Step>(&format!("values/{}/1", len - 1)).unwrap(),
                step(len as u32 - 1)
            );
            assert_eq!(npz.get::<Vec<f64>>("after").unwrap(), [1.0; 9_000]);
        }
    }
}

#[test]
fn numbers_of_several_kinds_in_records_are_the_same_everywhere() {
    let values = BTreeMap::from([(
        "x",
        vec![
            Mixed::Step(step(0)),
            Mixed::Step(step(1)),
            Mixed::Wider { t: 0.5, id: 7 },
        ],
    )]);
    for [direct, others @ ..] in everywhere(&values) {
        let direct = direct.unwrap();
        assert!(others.into_iter().all(|other| other.unwrap() == direct));
        let mut npz = NpzReader::new(Cursor::new(direct)).unwrap();
        let dtype = npz.header("x").unwrap().dtype().to_string();
        assert_eq!(dtype, "[('t', '<f8'), ('id', '<u8')]");
    }
}

#[test]
fn a_member_that_was_taken_back_leaves_the_writer_usable() {
    let dir = Scratch::new("walks-usable");
    let mut npz = NpzWriter::create(dir.path("x.npz")).unwrap();
    npz.add("a", &[1.5, 2.5]).unwrap();
    let mut values: Vec<Mixed> = (0..50_000).map(|i| Mixed::Step(step(i))).collect();
    values.push(Mixed::Refused { t: 0.5, id: Refused });
    let error = npz.add("b", &values).unwrap_err();
    is(error, ErrorKind::Message, "b[50000].id", &["no id"]);
    npz.add("b", &[3.5]).unwrap();
    npz.finish().unwrap();
    let data: BTreeMap<String, Vec<f64>> = serde_npz::load_npz(dir.path("x.npz")).unwrap();
    assert_eq!(data["b"], [3.5]);
    let written = fs::read(dir.path("x.npz")).unwrap();
    assert!(written == to_npz_vec(&BTreeMap::from([("a", vec![1.5, 2.5]), ("b", vec![3.5])])).unwrap());
}

#[test]
fn a_member_that_was_there_before_survives_one_that_is_taken_back() {
    let dir = Scratch::new("walks-append");
    let path = dir.path("x.npz");
    serde_npz::save_npz(&path, &BTreeMap::from([("a", 1), ("b", 2)])).unwrap();
    let mut npz = NpzWriter::append(&path).unwrap();
    let mut values: Vec<Mixed> = (0..50_000).map(|i| Mixed::Step(step(i))).collect();
    values.push(Mixed::Refused { t: 0.5, id: Refused });
    npz.add("b", &values).unwrap_err();
    npz.add("c", &3).unwrap();
    npz.finish().unwrap();
    let data: BTreeMap<String, u32> = serde_npz::load_npz(&path).unwrap();
    assert_eq!(
        data,
        [("a", 1), ("b", 2), ("c", 3)].map(|(k, v)| (k.to_owned(), v)).into()
    );
}

/// A sequence that gives its elements once.
struct Once(Cell<bool>, fn(u32) -> bool);

impl Serialize for Once {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        let len = if self.0.replace(true) { 0 } else { 3 };
        if (self.1)(len) {
            serializer.collect_seq((0..len).map(|i| format!("{i}")))
        } else {
            serializer.collect_seq((0..len).map(|i| [Some(i)]))
        }
    }
}

#[test]
fn a_sequence_that_gives_its_elements_once_is_not_written_as_an_empty_one() {
    for kind in [|_| true, |_| false] as [fn(u32) -> bool; 2] {
        let value = BTreeMap::from([("x", Once(Cell::new(false), kind))]);
        match to_npz_vec(&value) {
            Err(error) => {
                is(error, ErrorKind::InvalidValue, "x", &["differently"]);
            }
            // One array of records with masks.
            Ok(bytes) => assert_eq!(
                NpzReader::new(Cursor::new(bytes)).unwrap().header("x").unwrap().shape(),
                [3]
            ),
        }
    }
}

#[test]
fn an_option_around_a_module_is_not_one_inside_of_it() {
    #[derive(Serialize)]
    struct Many(#[serde(with = "serde_npz::with::nan")] Vec<Option<f64>>);
    #[derive(Serialize)]
    struct Both {
        one: Option<Gaps>,
        many: Option<Many>,
    }
    let value = Both {
        one: Some(Gaps(None)),
        many: Some(Many(vec![Some(0.5), None])),
    };
    let bytes = to_npz_vec(&value).unwrap();
    let mut npz = NpzReader::new(Cursor::new(bytes)).unwrap();
    assert_eq!(npz.names().collect::<Vec<_>>(), ["one", "many"]);
    assert!(npz.get::<f64>("one").unwrap().is_nan());
    assert_eq!(npz.header("many").unwrap().shape(), [2]);
}

/// Gives its values once, as an iterator behind a lock does.
struct Taken<T>(std::cell::RefCell<Option<T>>);

fn taken<T>(value: T) -> Taken<T> {
    Taken(Some(value).into())
}

impl<T: IntoIterator<Item: Serialize>> Serialize for Taken<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0.borrow_mut().take().into_iter().flatten())
    }
}

/// All of a value is in the archive, `members` of them with some data, or there is an error.
#[track_caller]
fn whole_or_error(value: impl Serialize, members: usize) {
    match to_npz_vec(&value) {
        Err(error) => {
            assert_eq!(error.kind(), ErrorKind::InvalidValue, "{error}");
            assert!(error.to_string().contains("differently"), "{error}");
        }
        Ok(bytes) => {
            let mut npz = NpzReader::new(Cursor::new(bytes)).unwrap();
            let names: Vec<String> = npz.names().map(str::to_owned).collect();
            let full = names
                .iter()
                .filter(|name| npz.header(name).unwrap().shape().iter().product::<u64>() > 0);
            assert_eq!(full.count(), members, "{names:?}");
        }
    }
}

#[test]
fn what_is_given_once_is_written_whole_or_not_at_all() {
    #[derive(Serialize)]
    struct Group<T> {
        x: T,
    }
    let words = || taken(vec!["ab", "c"]);
    let numbers = || taken(vec![1.0, 2.0]);
    let groups = || taken(vec![Group { x: vec!["a"] }, Group { x: vec!["b"] }]);
    let pairs = || taken(vec![(1, 0.5), (2, 1.5)]);
    whole_or_error(Group { x: words() }, 1);
    whole_or_error(Group { x: numbers() }, 1);
    whole_or_error(Group { x: pairs() }, 1);
    whole_or_error(Group { x: groups() }, 2);
    // In the first element of a list, in another one, and in what is no longer looked at.
    whole_or_error(
        Group {
            x: vec![Group { x: words() }],
        },
        1,
    );
    whole_or_error(
        Group {
            x: vec![Group { x: words() }, Group { x: words() }],
        },
        2,
    );
    whole_or_error(
        Group {
            x: vec![Group { x: numbers() }, Group { x: numbers() }],
        },
        2,
    );
    whole_or_error(
        Group {
            x: vec![Some(words()), None, Some(words())],
        },
        2,
    );
    whole_or_error(
        Group {
            x: vec![BTreeMap::from([("a", words()), ("b", words())])],
        },
        2,
    );
    whole_or_error(
        Group {
            x: vec![vec![Group { x: pairs() }]],
        },
        1,
    );
    // In tuples, which are groups of arrays.
    whole_or_error(
        Group {
            x: (words(), numbers()),
        },
        2,
    );
    whole_or_error(Group { x: (1, words()) }, 2);
    whole_or_error(
        Group {
            x: (1, Group { x: groups() }),
        },
        3,
    );
    whole_or_error((words(), groups()), 3);
    // In variants and maps.
    whole_or_error(
        Group {
            x: std::result::Result::<_, u8>::Ok(words()),
        },
        1,
    );
    whole_or_error(BTreeMap::from([("a", words()), ("b", words())]), 2);
}

#[test]
fn what_is_given_once_is_one_array_whole_or_not_at_all() {
    fn check(len: u64, bytes: Result<Vec<u8>>) {
        match bytes {
            Err(error) => {
                is(error, ErrorKind::InvalidValue, "", &["differently"]);
            }
            Ok(bytes) => assert_eq!(serde_npz::Header::read(&mut &bytes[..]).unwrap().shape(), [len]),
        }
    }
    check(2, serde_npz::to_npy_vec(&taken(vec!["ab", "c"])));
    check(3, serde_npz::to_npy_vec(&taken(vec![1, 2, 3])));
    check(2, serde_npz::to_npy_vec(&taken(vec![(1, 0.5), (2, 1.5)])));
    check(2, serde_npz::to_npy_vec(&taken(vec![("a", 0.5), ("b", 1.5)])));
    assert!(serde_npz::to_npy_vec(&vec![taken(vec!["ab", "c"])]).is_err());
}

#[derive(Serialize)]
struct Text(#[serde(with = "serde_npz::with::json")] BTreeMap<String, u8>);

#[test]
fn the_limit_of_members_counts_json_too() {
    let texts: BTreeMap<String, Text> = (0..3).map(|i| (i.to_string(), Text(BTreeMap::new()))).collect();
    let error = WriteOptions::new().max_members(2).to_npz_vec(&texts).unwrap_err();
    is(error, ErrorKind::LimitExceeded, "2", &["3 members", "at most 2"]);
    WriteOptions::new().max_members(3).to_npz_vec(&texts).unwrap();
}

/// Fails in its second field, after an array has begun.
struct Fails;

impl Serialize for Fails {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        let mut object = serializer.serialize_struct("Fails", 2)?;
        object.serialize_field("a", &1)?;
        object.serialize_field("b", &Broken)?;
        object.end()
    }
}

struct Broken;

impl Serialize for Broken {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        let mut tuple = serializer.serialize_tuple(2)?;
        tuple.serialize_element(&vec![1.0])?;
        Err(S::Error::custom("no more"))
    }
}

#[test]
fn an_error_of_the_value_itself_has_the_path_to_it() {
    let error = to_npz_vec(&BTreeMap::from([("x", Fails)])).unwrap_err();
    is(error, ErrorKind::Message, "x/b", &["no more"]);
}

/// As a model's parameters are named elsewhere.
#[derive(Debug, PartialEq, Serialize, serde::Deserialize)]
struct Weights {
    #[serde(rename = "dense/kernel:0")]
    kernel: Vec<f64>,
    #[serde(rename = "dense/bias:0")]
    bias: Option<Vec<f64>>,
    step: u32,
}

#[test]
fn a_field_named_by_a_path_is_written_there() {
    let weights = Weights {
        kernel: vec![1.0, 2.0],
        bias: Some(vec![3.0]),
        step: 7,
    };
    let bytes = to_npz_vec(&weights).unwrap();
    let npz = NpzReader::new(Cursor::new(&bytes)).unwrap();
    assert!(npz.names().eq(["dense/kernel:0", "dense/bias:0", "step"]));
    assert_eq!(from_npz_slice::<Weights>(&bytes).unwrap(), weights);

    // In a group, in a list, and left out where it is None.
    let list = BTreeMap::from([("all", vec![Weights { bias: None, ..weights }])]);
    let bytes = to_npz_vec(&list).unwrap();
    let npz = NpzReader::new(Cursor::new(&bytes)).unwrap();
    assert!(npz.names().eq(["all/0/dense/kernel:0", "all/0/step"]));
    let back: BTreeMap<String, Vec<Weights>> = from_npz_slice(&bytes).unwrap();
    assert_eq!(back["all"], list["all"]);

    // Without separators it is a key like any other.
    #[derive(Serialize)]
    struct Flat {
        #[serde(rename = "dense/kernel:0")]
        kernel: u8,
    }
    let bytes = WriteOptions::new()
        .separator(None)
        .to_npz_vec(&Flat { kernel: 1 })
        .unwrap();
    assert!(
        NpzReader::new(Cursor::new(bytes))
            .unwrap()
            .names()
            .eq(["dense/kernel:0"])
    );
}

#[test]
fn fields_that_meet_in_one_name_are_an_error() {
    #[derive(Serialize)]
    struct Inner<T> {
        b: T,
    }
    #[derive(Serialize)]
    struct PathFirst<P, T> {
        #[serde(rename = "a/b")]
        path: P,
        a: Inner<T>,
    }
    #[derive(Serialize)]
    struct PathLast<P, T> {
        a: Inner<T>,
        #[serde(rename = "a/b")]
        path: P,
    }
    let group = || BTreeMap::from([("c", 1)]);
    for error in [
        to_npz_vec(&PathFirst {
            path: 1,
            a: Inner { b: 2 },
        })
        .unwrap_err(),
        to_npz_vec(&PathLast {
            path: 1,
            a: Inner { b: 2 },
        })
        .unwrap_err(),
        to_npz_vec(&PathFirst {
            path: group(),
            a: Inner { b: 2 },
        })
        .unwrap_err(),
        to_npz_vec(&PathLast {
            path: 1,
            a: Inner { b: group() },
        })
        .unwrap_err(),
    ] {
        is(error, ErrorKind::DuplicateName, "a/b", &[]);
    }
    // Nor is the writer any worse for it.
    let mut npz = NpzWriter::new(Cursor::new(Vec::new()));
    npz.add(
        "x",
        &PathLast {
            path: 1,
            a: Inner { b: 2 },
        },
    )
    .unwrap_err();
    npz.add("y", &1).unwrap();
    npz.finish().unwrap();
}

#[test]
fn maps_and_flattened_fields_have_no_paths() {
    #[derive(Serialize)]
    struct Outer {
        #[serde(flatten)]
        inner: BTreeMap<String, u8>,
    }
    #[derive(Serialize)]
    struct Named {
        #[serde(rename = "a/b")]
        x: u8,
    }
    #[derive(Serialize)]
    struct Flattened {
        #[serde(flatten)]
        named: Named,
    }
    let map = BTreeMap::from([("a/b".to_owned(), 1)]);
    for error in [
        to_npz_vec(&map).unwrap_err(),
        to_npz_vec(&Outer { inner: map }).unwrap_err(),
        to_npz_vec(&Flattened { named: Named { x: 1 } }).unwrap_err(),
    ] {
        is(error, ErrorKind::InvalidName, "", &["a/b", "separator"]);
    }
    #[derive(Serialize)]
    struct Empty {
        #[serde(rename = "a//b")]
        x: u8,
    }
    let error = to_npz_writer(Cursor::new(Vec::new()), &Empty { x: 1 }).unwrap_err();
    is(error, ErrorKind::InvalidName, "", &["empty name"]);
}
