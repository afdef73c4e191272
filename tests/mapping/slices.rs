//! Whole slices and single elements are two ways to the same bytes and values, and the fast one never goes round a
//! visitor or a serializer of somebody's own.

use std::borrow::Cow;
use std::collections::{BTreeMap, VecDeque};
use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;

use half::f16;
use num_complex::Complex;
use serde::de::{DeserializeOwned, Deserializer, SeqAccess, Visitor};
use serde::ser::{SerializeSeq, Serializer};
use serde::{Deserialize, Serialize};
use serde_npz::{Casting, ErrorKind, ReadOptions, from_npy_reader, from_npy_slice, to_npy_vec};

/// The same elements, handed out one by one.
struct Each<'a, T>(&'a [T]);

impl<T: Serialize> Serialize for Each<'_, T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut seq = serializer.serialize_seq(Some(self.0.len()))?;
        self.0.iter().try_for_each(|value| seq.serialize_element(value))?;
        seq.end()
    }
}

/// The same elements, taken one by one by a visitor nobody knows.
struct Taken<T>(Vec<T>);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Taken<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct One<T>(PhantomData<T>);

        impl<'de, T: Deserialize<'de>> Visitor<'de> for One<T> {
            type Value = Taken<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a sequence")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
                let mut taken = Vec::new();
                while let Some(value) = seq.next_element()? {
                    taken.push(value);
                }
                Ok(Taken(taken))
            }
        }

        deserializer.deserialize_seq(One(PhantomData))
    }
}

/// Both ways out and back, from a slice and from a stream, in both byte orders.
fn check<T>(values: &[T])
where
    T: Serialize + DeserializeOwned + PartialEq + fmt::Debug + Clone,
{
    let bytes = to_npy_vec(values).unwrap();
    assert_eq!(bytes, to_npy_vec(&Each(values)).unwrap());
    assert_eq!(bytes, to_npy_vec(&values.to_vec()).unwrap());
    let mut files = vec![bytes.clone()];
    files.extend(swapped(&bytes));
    for file in files {
        assert_eq!(from_npy_slice::<Vec<T>>(&file).unwrap(), values);
        assert_eq!(from_npy_slice::<Taken<T>>(&file).unwrap().0, values);
        assert_eq!(from_npy_reader::<_, Vec<T>>(&file[..]).unwrap(), values);
        // A byte less is found out by both.
        let cut = &file[..file.len() - 1];
        assert_eq!(from_npy_slice::<Vec<T>>(cut).unwrap_err().kind(), ErrorKind::Truncated);
        assert_eq!(
            from_npy_reader::<_, Vec<T>>(cut).unwrap_err().kind(),
            ErrorKind::Truncated
        );
    }
}

/// The file with the bytes of every number turned round.
fn swapped(bytes: &[u8]) -> Option<Vec<u8>> {
    let at = bytes.iter().position(|&byte| byte == b'<')?;
    let width = match &bytes[at + 1..at + 4] {
        [b'c', b'1', b'6'] => 8,
        [b'c', b'8', _] => 4,
        [b'U', ..] => 4,
        [_, digit, _] => usize::from(digit - b'0'),
        _ => return None,
    };
    let mut bytes = bytes.to_vec();
    bytes[at] = b'>';
    let start = 10 + usize::from(u16::from_le_bytes([bytes[8], bytes[9]]));
    bytes[start..].chunks_exact_mut(width).for_each(<[u8]>::reverse);
    Some(bytes)
}

#[test]
fn every_number_both_ways() {
    check(&[true, false, true]);
    check(&[-1_i8, 0, i8::MAX]);
    check(&[-1_i16, 0, i16::MAX]);
    check(&[-1_i32, 0, i32::MAX]);
    check(&[-1_i64, 0, i64::MAX]);
    check(&[1_u8, 0, u8::MAX]);
    check(&[1_u16, 0, u16::MAX]);
    check(&[1_u32, 0, u32::MAX]);
    check(&[1_u64, 0, u64::MAX]);
    check(&[1_usize, 0, usize::MAX]);
    check(&[-1_isize, 0, isize::MAX]);
    check(&[f16::from_f32(0.5), f16::MAX]);
    check(&[0.5_f32, f32::MIN_POSITIVE, f32::INFINITY]);
    check(&[0.1_f64, -0.0, f64::MAX]);
    check(&[Complex::new(0.5_f32, -1.0)]);
    check(&[Complex::new(0.1_f64, -1.0), Complex::new(2.0, 3.0)]);
}

#[test]
fn rows_of_fixed_length_both_ways() {
    check(&[[1.0_f64, 2.0, 3.0], [4.0, 5.0, 6.0]]);
    check(&[[1_u8; 16], [2; 16]]);
    check(&[[1_i32; 11], [2; 11]]);
    check(&[[true, false], [false, true]]);
    check(&[[Complex::new(1.0_f32, 2.0); 2]; 3]);
    check(&[[f16::ONE; 4]; 2]);
    check(&[[[1.0_f64; 3]; 3]; 2]);
    // The length has to be that of the file.
    let bytes = to_npy_vec(&vec![[1.0, 2.0, 3.0]]).unwrap();
    let err = from_npy_slice::<Vec<[f64; 2]>>(&bytes).unwrap_err();
    assert_eq!(err.kind(), ErrorKind::TypeMismatch);
}

#[test]
fn large_ones_come_in_pieces() {
    let numbers: Vec<f64> = (0..400_000).map(|i| f64::from(i) * 0.1).collect();
    check(&numbers);
    let rows: Vec<[u16; 3]> = (0..400_000_u32).map(|i| [i as u16, (i >> 8) as u16, 7]).collect();
    check(&rows);
    check(&(0..3_000_000).map(|i| i % 3 == 0).collect::<Vec<bool>>());
}

#[test]
fn whatever_holds_the_slice() {
    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Holders<'a> {
        boxed: Box<[f64]>,
        shared: Arc<[u32]>,
        either: Cow<'a, [i16]>,
        maybe: Option<Vec<f32>>,
        rows: Vec<Vec<u8>>,
        pair: (Vec<f64>, Vec<i32>),
        map: BTreeMap<String, Vec<f64>>,
        newtype: Wrapped,
        queue: VecDeque<f64>,
    }
    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Wrapped(Vec<u64>);

    let holders = Holders {
        boxed: [1.0, 2.0].into(),
        shared: [1, 2].into(),
        either: Cow::Borrowed(&[1, 2]),
        maybe: Some(vec![0.5]),
        rows: vec![vec![1, 2], vec![3, 4]],
        pair: (vec![1.0], vec![2]),
        map: [("x".to_owned(), vec![3.0])].into(),
        newtype: Wrapped(vec![u64::MAX]),
        queue: [1.0, 2.0].into(),
    };
    let bytes = serde_npz::to_npz_vec(&holders).unwrap();
    assert_eq!(serde_npz::from_npz_slice::<Holders>(&bytes).unwrap(), holders);
    let streamed: Holders = serde_npz::from_npz_reader(std::io::Cursor::new(&bytes)).unwrap();
    assert_eq!(streamed, holders);
}

#[test]
fn nobodys_own_way_is_passed_by() {
    /// Refuses what is negative.
    #[derive(Debug, PartialEq, Deserialize)]
    #[serde(try_from = "Vec<f64>")]
    struct Positive(Vec<f64>);

    impl TryFrom<Vec<f64>> for Positive {
        type Error = String;

        fn try_from(values: Vec<f64>) -> Result<Self, String> {
            match values.iter().find(|&&value| value < 0.0) {
                Some(value) => Err(format!("{value} is negative")),
                None => Ok(Positive(values)),
            }
        }
    }

    fn doubled<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<f64>, D::Error> {
        Ok(Vec::<f64>::deserialize(deserializer)?
            .iter()
            .map(|value| value * 2.0)
            .collect())
    }

    fn halved<S: Serializer>(values: &[f64], serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(values.iter().map(|value| value / 2.0))
    }

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Mine {
        #[serde(serialize_with = "halved", deserialize_with = "doubled")]
        x: Vec<f64>,
        #[serde(with = "serde_npz::with::float16")]
        h: Vec<f32>,
        #[serde(with = "serde_npz::with::nan")]
        n: Vec<Option<f64>>,
    }

    let negative = to_npy_vec(&vec![1.0, -1.0]).unwrap();
    let err = from_npy_slice::<Positive>(&negative).unwrap_err();
    assert!(format!("{err:#}").contains("negative"), "{err}");

    let mine = Mine {
        x: vec![1.0, 2.0],
        h: vec![0.5],
        n: vec![Some(1.0), None],
    };
    let bytes = serde_npz::to_npz_vec(&mine).unwrap();
    let mut npz = serde_npz::NpzReader::new(std::io::Cursor::new(&bytes)).unwrap();
    assert_eq!(npz.get::<Vec<f64>>("x").unwrap(), [0.5, 1.0]);
    assert_eq!(npz.header("h").unwrap().dtype().to_string(), "<f2");
    assert_eq!(npz.deserialize::<Mine>().unwrap(), mine);
}

#[test]
fn another_type_than_the_files_goes_the_long_way() {
    let bytes = to_npy_vec(&vec![1_i32, -2, 3]).unwrap();
    assert_eq!(from_npy_slice::<Vec<i64>>(&bytes).unwrap(), [1, -2, 3]);
    assert_eq!(from_npy_slice::<Vec<f64>>(&bytes).unwrap(), [1.0, -2.0, 3.0]);
    let err = from_npy_slice::<Vec<u32>>(&bytes).unwrap_err();
    assert_eq!((err.kind(), err.path()), (ErrorKind::InvalidValue, "[1]"));
    let wide = to_npy_vec(&vec![0.1_f64]).unwrap();
    assert_eq!(
        from_npy_slice::<Vec<f32>>(&wide).unwrap_err().kind(),
        ErrorKind::TypeMismatch
    );
    let options = ReadOptions::new().casting(Casting::SameKind);
    assert_eq!(options.from_npy_slice::<Vec<f32>>(&wide).unwrap(), [0.1_f32]);
}

#[test]
fn a_byte_that_is_no_bool_is_true_in_either_way() {
    let mut bytes = to_npy_vec(&vec![false; 100]).unwrap();
    let at = bytes.len() - 3;
    bytes[at] = 2;
    let fast = from_npy_slice::<Vec<bool>>(&bytes).unwrap();
    let slow = from_npy_slice::<Taken<bool>>(&bytes).unwrap().0;
    assert!(fast.iter().enumerate().all(|(at, set)| *set == (at == 97)));
    assert_eq!(fast, slow);
}

#[test]
fn texts_both_ways() {
    let long = "long ".repeat(5000);
    let all = [
        vec!["a", "", "bcd"],
        vec!["grün", "plain", "\u{10ffff}", "in\0side"],
        vec!["x", &long],
        vec![&long; 3],
        vec!["é"],
        vec!["word"; 20_000],
        // The first text that is no ASCII comes late in its block.
        [vec!["word"; 700], vec!["wörd"; 700]].concat(),
    ];
    for texts in all {
        let texts: Vec<String> = texts.into_iter().map(str::to_owned).collect();
        check(&texts);
        let bytes = to_npy_vec(&texts).unwrap();
        let boxed: Vec<Box<str>> = from_npy_slice(&bytes).unwrap();
        assert!(boxed.iter().map(|text| &**text).eq(texts.iter().map(String::as_str)));
        let cows: Vec<Cow<'_, str>> = from_npy_reader(&bytes[..]).unwrap();
        assert!(cows.iter().eq(texts.iter()));
        let dir = crate::common::Scratch::new("slices-texts");
        let path = dir.path("texts.npy");
        std::fs::write(&path, &bytes).unwrap();
        assert_eq!(serde_npz::load_npy::<Vec<String>>(&path).unwrap(), texts);
    }
    // A code point that is none, among texts of ASCII: found by both ways at the same place.
    let mut bytes = to_npy_vec(&vec!["abc"; 9]).unwrap();
    let at = bytes.len() - 8;
    bytes[at..at + 4].copy_from_slice(&0xd800_u32.to_le_bytes());
    for err in [
        from_npy_slice::<Vec<String>>(&bytes).unwrap_err(),
        from_npy_slice::<Taken<String>>(&bytes).map(|_| ()).unwrap_err(),
    ] {
        assert_eq!((err.kind(), err.path()), (ErrorKind::InvalidValue, "[8]"));
    }
}

#[test]
fn vectors_of_vectors_both_ways() {
    fn rows<T: Copy + Serialize + DeserializeOwned + PartialEq + fmt::Debug>(values: [T; 6]) {
        for (len, row) in [(1, 6), (2, 3), (3, 2), (6, 1), (2000, 3), (3, 20_000)] {
            let mut each = values.iter().copied().cycle();
            let rows: Vec<Vec<T>> = (0..len).map(|_| each.by_ref().take(row).collect()).collect();
            check(&rows);
            let cut = &to_npy_vec(&rows).unwrap()[..];
            let err = from_npy_reader::<_, Vec<Vec<T>>>(&cut[..cut.len() - 1]).unwrap_err();
            assert_eq!(err.kind(), ErrorKind::Truncated);
        }
    }
    rows([1.0, 2.0, -3.5, 4.0, 5.0, f64::MAX]);
    rows([1.0_f32, 2.0, -3.5, 4.0, 5.0, 6.0]);
    rows([1_u8, 2, 3, 4, 5, 255]);
    rows([1_i64, 2, 3, 4, 5, i64::MIN]);
    rows([1_usize, 2, 3, 4, 5, 6]);
    rows([true, false, true, true, false, false]);
    rows([Complex::new(1.0, 2.0); 6]);
    // Three axes, and rows of another number than the file's.
    let cube = vec![vec![vec![1.0_f32, 2.0], vec![3.0, 4.0]]; 3];
    let bytes = to_npy_vec(&cube).unwrap();
    assert_eq!(from_npy_slice::<Vec<Vec<Vec<f32>>>>(&bytes).unwrap(), cube);
    let wide: Vec<Vec<Vec<f64>>> = from_npy_slice(&bytes).unwrap();
    assert_eq!(wide[2][1], [3.0, 4.0]);
    let none: Vec<Vec<f64>> = from_npy_slice(&to_npy_vec(&vec![[0.0_f64; 0]; 3]).unwrap()).unwrap();
    assert_eq!(none, [[0.0_f64; 0]; 3]);
}

/// The texts of a slice of any kind make the bytes that they make one by one, alone and in an archive.
#[track_caller]
fn texts<T: Serialize>(texts: &[T])
where
    Vec<T>: Serialize,
{
    #[derive(Serialize)]
    struct Field<V> {
        texts: V,
    }
    let bytes = to_npy_vec(&Each(texts)).unwrap();
    assert!(to_npy_vec(texts).unwrap() == bytes, "other bytes as a slice");
    let mut written = Vec::new();
    serde_npz::to_npy_writer(&mut written, texts).unwrap();
    assert!(written == bytes, "other bytes to a writer");
    let archive = serde_npz::to_npz_vec(&Field { texts: Each(texts) }).unwrap();
    assert!(
        serde_npz::to_npz_vec(&Field { texts }).unwrap() == archive,
        "another archive"
    );
}

#[test]
fn texts_known_by_their_type() {
    let words = [
        "a",
        "",
        "grün",
        "x\0y",
        "\u{10ffff}",
        "longest of all",
        "ßßßßßßßßßßßßßßß",
    ];
    texts(&words);
    texts(&words.map(String::from));
    texts(&words.map(Box::<str>::from));
    texts(&words.map(Arc::<str>::from));
    texts(&words.map(std::rc::Rc::<str>::from));
    texts(&words.map(Cow::Borrowed));
    // So many that they go out in several blocks, and so wide that each goes out by itself.
    texts(&(0..5000).map(|i| "w".repeat(i % 40)).collect::<Vec<_>>());
    texts(&["w".repeat(4096), "ü".repeat(4096), "x".repeat(4097)]);
    // Rows of them are one axis more.
    let rows = |width| vec![vec!["ab".to_string(); 3], vec!["c".repeat(width); 3]];
    let each = |rows: &[Vec<String>]| to_npy_vec(&Each(&rows.iter().map(|row| Each(row)).collect::<Vec<_>>())).unwrap();
    assert!(to_npy_vec(&rows(5)).unwrap() == each(&rows(5)));
}

#[test]
fn errors_of_texts_name_the_element() {
    let words = vec!["a".to_string(), "b".into(), "c\0".into()];
    let error = to_npy_vec(&words).unwrap_err();
    assert_eq!((error.kind(), error.path()), (ErrorKind::InvalidValue, "[2]"));
    assert_eq!(error.to_string(), to_npy_vec(&Each(&words)).unwrap_err().to_string());
    let rows = vec![vec!["a"; 2], vec!["b"; 3]];
    assert_eq!(to_npy_vec(&rows).unwrap_err().kind(), ErrorKind::Ragged);
    // One long text among many short ones would be padded beyond reason.
    let mut words = vec!["w".to_string(); 2000];
    words.push("w".repeat(10_000));
    assert_eq!(to_npy_vec(&words).unwrap_err().kind(), ErrorKind::LimitExceeded);
}

/// A value that gives another slice on every walk.
struct Changing<'a>(std::cell::Cell<usize>, &'a [&'a [&'a str]]);

impl Serialize for Changing<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let walk = self.0.get();
        self.0.set(walk + 1);
        self.1[walk.min(self.1.len() - 1)].serialize(serializer)
    }
}

#[test]
fn texts_that_change_between_walks() {
    let changed: [&[&[&str]]; 3] = [
        &[&["ab", "c"], &["ab", "c"], &["abc", "c"]],
        &[&["ab", "c"], &["ab", "c"], &["a\0", "c"]],
        &[&["ab", "c"], &["ab", "c"], &["ab"]],
    ];
    for slices in changed {
        let error = to_npy_vec(&Changing(std::cell::Cell::new(0), slices)).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidValue, "{error}");
    }
}
