//! Files of one array that is larger than any buffer. However many threads are allowed: the same bytes, values and errors.

use std::cell::Cell;
use std::collections::VecDeque;
use std::fmt::Debug;
use std::fs;
use std::path::Path;

use crate::common::{Scratch, long};
use serde::de::{DeserializeOwned, DeserializeSeed, Deserializer, IgnoredAny, SeqAccess, Visitor};
use serde::ser::{Error as _, SerializeSeq, Serializer};
use serde::{Deserialize, Serialize};
use serde_bytes::ByteBuf;
use serde_npz::{ErrorKind, Limits, ReadOptions, Result, WriteOptions, from_npy_slice, to_npy_vec};

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Row {
    t: u32,
    x: f64,
    ok: bool,
}

/// 13 bytes each: more than 8 MiB, and no power of two ends with one.
fn rows() -> Vec<Row> {
    (0..700_000_u32)
        .map(|t| Row {
            t,
            x: f64::from(t) * 0.1,
            ok: t % 3 == 0,
        })
        .collect()
}

fn load<T: DeserializeOwned>(path: &Path, threads: usize) -> Result<T> {
    ReadOptions::new().threads(threads).load_npy(path)
}

/// With a thread of its own; without one as well where there is time.
fn threads() -> &'static [usize] {
    if long() { &[1, 2] } else { &[2] }
}

/// A directory with `x.npy`.
fn saved<T: Serialize>(name: &str, value: &T) -> Scratch {
    let dir = Scratch::new(name);
    serde_npz::save_npy(dir.path("x"), value).unwrap();
    dir
}

/// Both ways out and back.
fn check<T>(name: &str, value: &T) -> Scratch
where
    T: Serialize + DeserializeOwned + PartialEq + Debug,
{
    let dir = Scratch::new(name);
    let bytes = to_npy_vec(value).unwrap();
    assert!(bytes.len() > 8 << 20, "too small to be of interest");
    for &threads in threads() {
        let path = dir.path("x.npy");
        WriteOptions::new().threads(threads).save_npy(&path, value).unwrap();
        assert!(fs::read(&path).unwrap() == bytes, "other bytes with {threads} threads");
        assert_eq!(dir.files(), ["x.npy"]);
        assert!(
            load::<T>(&path, threads).unwrap() == *value,
            "other values with {threads} threads"
        );
    }
    dir
}

#[test]
fn records() {
    check("lone-records", &rows());
}

#[test]
fn elements_one_by_one() {
    check(
        "lone-deque",
        &(0..1_100_000_u32).map(f64::from).collect::<VecDeque<_>>(),
    );
    check(
        "lone-texts",
        &(0..400_000_u32).map(|i| i.to_string()).collect::<Vec<_>>(),
    );
}

#[test]
fn axes_of_records() {
    let row: Vec<(u16, u8, u16)> = (0..1000).map(|i| (i, i as u8, !i)).collect();
    check("lone-axes", &vec![row; 1800]);
}

#[test]
fn large_elements() {
    // Of 300 KB, more than a buffer; of half a MiB, just two of them.
    for (name, len, count) in [
        ("lone-300k", 300_000, 30),
        ("lone-512k", 1 << 19, 18),
        ("lone-256k", 1 << 18, 36),
    ] {
        let all: Vec<ByteBuf> = (0..count).map(|i| ByteBuf::from(vec![i as u8 + 1; len])).collect();
        check(name, &all);
    }
}

#[test]
fn a_file_that_is_cut_off() {
    let dir = saved("lone-cut", &rows());
    let path = dir.path("x.npy");
    let file = fs::OpenOptions::new().write(true).open(&path).unwrap();
    let len = file.metadata().unwrap().len();
    let piece = 256 * 1024 / 13 * 13;
    for cut in [len - 1, len - 13, len / 2, 128 + 3 * piece, 128 + piece, 8192, 129, 128] {
        file.set_len(cut).unwrap();
        let told = [1, 2].map(|threads| {
            let error = load::<Vec<Row>>(&path, threads).unwrap_err();
            (error.kind(), error.path().to_owned())
        });
        assert_eq!(told[0].0, ErrorKind::Truncated, "{cut}");
        assert_eq!(told[0], told[1], "{cut}");
    }
}

#[test]
fn a_file_that_goes_on() {
    let rows = rows();
    let dir = saved("lone-more", &rows);
    let path = dir.path("x.npy");
    let mut bytes = fs::read(&path).unwrap();
    for more in [1, 13, 9000, 300_000] {
        bytes.resize(bytes.len() + more, 0x93);
        fs::write(&path, &bytes).unwrap();
        for &threads in threads() {
            assert!(
                load::<Vec<Row>>(&path, threads).unwrap() == rows,
                "{more} bytes, {threads} threads"
            );
        }
    }
}

#[test]
fn an_element_that_is_wrong() {
    /// Its `t` holds half of the numbers of a [`Row`].
    #[derive(Debug, Deserialize)]
    struct Signed {
        #[expect(dead_code, reason = "it does not come to that")]
        t: i32,
    }
    let rows = rows();
    let dir = saved("lone-wrong", &rows);
    let path = dir.path("x.npy");
    let good = fs::read(&path).unwrap();
    for at in [0, 1, 20_164, 20_165, 350_000, rows.len() - 1] {
        let mut bad = good.clone();
        bad[128 + at * 13 + 3] = 0x80;
        fs::write(&path, &bad).unwrap();
        for &threads in threads() {
            let error = load::<Vec<Signed>>(&path, threads).unwrap_err();
            assert_eq!(
                (error.kind(), error.path()),
                (ErrorKind::InvalidValue, &*format!("[{at}].t"))
            );
        }
    }
}

#[test]
fn nobody_waits_for_the_rest() {
    /// Takes one element, and stops with an error.
    #[derive(Debug)]
    struct First;
    impl<'de> Deserialize<'de> for First {
        fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
            struct One;
            impl<'de> Visitor<'de> for One {
                type Value = First;

                fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                    f.write_str("one")
                }

                fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> std::result::Result<First, A::Error> {
                    seq.next_element::<Row>()?;
                    Ok(First)
                }
            }
            deserializer.deserialize_seq(One)
        }
    }
    let dir = saved("lone-first", &rows());
    let told = [1, 2].map(|threads| load::<First>(&dir.path("x.npy"), threads).unwrap_err().kind());
    assert_eq!(told[0], told[1]);
}

/// How a row is taken.
#[derive(Clone, Copy)]
enum Take {
    Whole,
    Each,
    Ignored,
}

thread_local! {
    static TAKES: Cell<&'static [Take]> = const { Cell::new(&[]) };
}

/// Rows taken as `TAKES` tells; nothing of those that are ignored.
struct Mixed<T>(Vec<Vec<T>>);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Mixed<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        struct Rows<T>(std::marker::PhantomData<T>);

        impl<'de, T: Deserialize<'de>> Visitor<'de> for Rows<T> {
            type Value = Mixed<T>;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("rows")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> std::result::Result<Mixed<T>, A::Error> {
                let mut rows = Vec::new();
                for &take in TAKES.get() {
                    rows.extend(seq.next_element_seed(Seed(take, std::marker::PhantomData))?);
                }
                Ok(Mixed(rows))
            }
        }

        struct Seed<T>(Take, std::marker::PhantomData<T>);

        impl<'de, T: Deserialize<'de>> DeserializeSeed<'de> for Seed<T> {
            type Value = Vec<T>;

            fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> std::result::Result<Vec<T>, D::Error> {
                match self.0 {
                    Take::Whole => Vec::deserialize(deserializer),
                    Take::Each => Ok(VecDeque::deserialize(deserializer)?.into()),
                    Take::Ignored => {
                        IgnoredAny::deserialize(deserializer)?;
                        Ok(Vec::new())
                    }
                }
            }
        }

        deserializer.deserialize_seq(Rows(std::marker::PhantomData))
    }
}

const PATTERNS: [&[Take]; 7] = {
    use Take::{Each, Ignored, Whole};
    [
        &[Whole, Each, Whole, Each],
        &[Each, Whole, Each, Whole],
        &[Ignored, Each, Ignored, Whole],
        &[Ignored, Whole, Each, Ignored],
        &[Whole, Whole, Ignored, Each],
        &[Ignored, Ignored, Each, Each],
        &[Each, Ignored, Ignored, Whole],
    ]
};

/// Four rows, each pattern of taking them.
fn check_mixed<T>(name: &str, rows: &[Vec<T>])
where
    T: Serialize + DeserializeOwned + PartialEq + Debug,
{
    let dir = Scratch::new(name);
    let path = WriteOptions::new().save_npy(dir.path("x"), rows).unwrap();
    assert!(fs::metadata(&path).unwrap().len() > 8 << 20);
    for (number, pattern) in PATTERNS.iter().enumerate() {
        TAKES.set(pattern);
        for &threads in threads() {
            let taken = load::<Mixed<T>>(&path, threads)
                .unwrap_or_else(|error| panic!("pattern {number}, {threads} threads: {error}"));
            for ((row, taken), take) in rows.iter().zip(taken.0).zip(*pattern) {
                match take {
                    Take::Ignored => assert!(taken.is_empty()),
                    _ => assert!(taken == *row, "pattern {number}, {threads} threads"),
                }
            }
        }
    }
}

#[test]
fn rows_of_numbers_taken_in_turn() {
    let row = |n: u32| (0..270_001_u32).map(|i| f64::from(i * 4 + n)).collect::<Vec<_>>();
    check_mixed("lone-mixed", &[row(0), row(1), row(2), row(3)]);
}

#[test]
fn rows_of_records_taken_in_turn() {
    let row = |n: u32| {
        (0..170_003_u32)
            .map(|i| (i as u8, f64::from(i * 4 + n), i))
            .collect::<Vec<_>>()
    };
    check_mixed("lone-mixed-records", &[row(0), row(1), row(2), row(3)]);
}

#[test]
fn rows_of_large_elements_taken_in_turn() {
    for (name, len, count) in [
        ("lone-mixed-100k", 100_000, 30),
        ("lone-mixed-300k", 300_000, 10),
        ("lone-mixed-512k", 1 << 19, 6),
    ] {
        let row = |n: u8| vec![ByteBuf::from(vec![n + 1; len]); count];
        check_mixed(name, &[row(0), row(1), row(2), row(3)]);
    }
}

#[test]
fn rows_written_in_turn() {
    /// A slice, or its elements one by one.
    struct Out(bool, Vec<f64>);
    impl Serialize for Out {
        fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
            if self.0 {
                return self.1.serialize(serializer);
            }
            let mut seq = serializer.serialize_seq(Some(self.1.len()))?;
            self.1.iter().try_for_each(|value| seq.serialize_element(value))?;
            seq.end()
        }
    }
    let dir = Scratch::new("lone-turns");
    for (len, count) in [(300_000_u32, 4_u32), (1000, 1100), (40_000, 27)] {
        for turn in [1, 2, 7] {
            let rows: Vec<Out> = (0..count)
                .map(|n| Out(n % turn == 0, (0..len).map(|i| f64::from(i + n)).collect()))
                .collect();
            let plain: Vec<&Vec<f64>> = rows.iter().map(|row| &row.1).collect();
            let bytes = to_npy_vec(&plain).unwrap();
            for &threads in threads() {
                let path = WriteOptions::new()
                    .threads(threads)
                    .save_npy(dir.path("x"), &rows)
                    .unwrap();
                assert!(
                    fs::read(path).unwrap() == bytes,
                    "rows of {len}, {turn} in turn, {threads} threads"
                );
            }
        }
    }
}

#[test]
fn an_error_in_the_last_element_leaves_nothing() {
    /// Refuses to be the last one.
    struct Last(u32, u32);
    impl Serialize for Last {
        fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
            if self.0 == self.1 {
                return Err(S::Error::custom("not the last one"));
            }
            serializer.serialize_u32(self.0)
        }
    }
    #[derive(Serialize)]
    #[serde(untagged)]
    enum Either {
        Row(Row),
        Other { t: &'static str, x: f32, ok: bool },
    }
    let count = 700_000;
    #[derive(Serialize)]
    struct Fails {
        x: f64,
        last: Last,
    }
    let fails: Vec<Fails> = (0..count)
        .map(|i| Fails {
            x: 0.5,
            last: Last(i, count - 1),
        })
        .collect();
    let mut other: Vec<Either> = rows().into_iter().map(Either::Row).collect();
    other.pop();
    let t = "1";
    other.push(Either::Other { t, x: 1.0, ok: true });
    let dir = Scratch::new("lone-last");
    for &threads in threads() {
        let options = WriteOptions::new().threads(threads);
        let error = options.save_npy(dir.path("x"), &fails).unwrap_err();
        assert_eq!((error.kind(), error.path()), (ErrorKind::Message, "[699999].last"));
        let error = options.save_npy(dir.path("x"), &other).unwrap_err();
        assert_eq!((error.kind(), error.path()), (ErrorKind::MixedTypes, "[699999]"));
        assert_eq!(dir.files(), [""; 0]);
    }
    // What was there stays.
    fs::write(dir.path("x.npy"), b"before").unwrap();
    for &threads in threads() {
        WriteOptions::new()
            .threads(threads)
            .save_npy(dir.path("x"), &fails)
            .unwrap_err();
        assert_eq!(dir.files(), ["x.npy"]);
        assert_eq!(fs::read(dir.path("x.npy")).unwrap(), b"before");
    }
}

#[test]
fn a_panic_in_an_element_leaves_nothing() {
    struct Panics(u32);
    impl Serialize for Panics {
        fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
            assert!(self.0 < 699_999, "no further");
            (self.0, 0.5).serialize(serializer)
        }
    }
    let dir = Scratch::new("lone-panic");
    let all: Vec<Panics> = (0..700_000).map(Panics).collect();
    for &threads in threads() {
        let saved = std::panic::catch_unwind(|| {
            WriteOptions::new()
                .threads(threads)
                .save_npy(dir.path("x"), &all)
                .map(|_| ())
        });
        assert!(saved.is_err());
        assert_eq!(dir.files(), [""; 0]);
    }
}

#[test]
fn limits_and_other_orders() {
    let dir = saved("lone-limits", &rows());
    let path = dir.path("x.npy");
    for &threads in threads() {
        let few = ReadOptions::new()
            .threads(threads)
            .limits(Limits::new().member_bytes(8 << 20));
        let error = few.load_npy::<Vec<Row>>(&path).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::LimitExceeded);
    }
    // Fortran order and big-endian numbers are turned on the way.
    let (long, wide) = (300_007_usize, 5_usize);
    let mut file = to_npy_vec(&vec![vec![0_f64; wide]; long]).unwrap();
    let at = file.windows(5).position(|part| part == b"False").unwrap();
    file[at..at + 5].copy_from_slice(b"True ");
    let at = file.windows(3).position(|part| part == b"<f8").unwrap();
    file[at] = b'>';
    for (i, number) in file[128..].chunks_exact_mut(8).enumerate() {
        number.copy_from_slice(&(i as f64).to_be_bytes());
    }
    fs::write(&path, &file).unwrap();
    for &threads in threads() {
        let turned: Vec<VecDeque<f64>> = load(&path, threads).unwrap();
        assert_eq!(turned.len(), long);
        for (i, row) in turned.iter().enumerate() {
            assert!(
                row.iter().enumerate().all(|(j, &x)| x == (j * long + i) as f64),
                "row {i}"
            );
        }
        assert!(turned == from_npy_slice::<Vec<Vec<f64>>>(&file).unwrap());
    }
}
