//! Options in records and in sequences: a value and its mask.

mod reading;
mod rows;

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::io::Cursor;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize, Serializer};
use serde_npz::ErrorKind::*;
use serde_npz::{Dtype, Header, NpyReader, NpyWriter, NpzReader, NpzWriter, ReadOptions, Value};
use serde_npz::{from_npy_slice, from_npz_slice, to_npy_vec, to_npz_vec};

use crate::common::{Any, Scratch, refused};

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Imu {
    t: f64,
    temp: Option<f32>,
}

const IMU: &str = "[('t', '<f8'), ('temp', '<f4'), ('temp?', '|b1')]";

#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
struct Point {
    x: f64,
    y: f64,
}

#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
enum Side {
    Left,
    Right,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Wrapped(Option<f64>);

#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
struct Meters(f32);

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct One<T> {
    id: u8,
    v: T,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct X<T> {
    x: T,
}

/// The dtype and the shape of a lone array.
fn header(bytes: &[u8]) -> (String, Vec<u64>) {
    let header = Header::read(&mut &bytes[..]).unwrap();
    (header.dtype().to_string(), header.shape().to_vec())
}

fn one<T>(v: T) -> One<T> {
    One { id: 1, v }
}

fn imu(t: f64, temp: Option<f32>) -> Imu {
    Imu { t, temp }
}

/// As an array of its own and as one member of an archive: there and back, with this dtype and shape.
#[track_caller]
pub fn back<T: Serialize + DeserializeOwned + PartialEq + Debug>(value: &T, dtype: &str, shape: &[u64]) {
    let npy = to_npy_vec(value).unwrap();
    assert_eq!(header(&npy), (dtype.to_owned(), shape.to_vec()));
    assert_eq!(&from_npy_slice::<T>(&npy).unwrap(), value);
    let npz = to_npz_vec(&X { x: value }).unwrap();
    assert_eq!(&from_npz_slice::<X<T>>(&npz).unwrap().x, value);
    let mut archive = NpzReader::new(Cursor::new(npz)).unwrap();
    assert!(archive.names().eq(["x"]));
    let header = archive.header("x").unwrap();
    assert_eq!((header.dtype().to_string(), header.shape()), (dtype.to_owned(), shape));
}

/// The field `v` of a record, in every order of Some and None; `none` is how it is laid out without a Some.
#[track_caller]
fn field<T: Serialize + DeserializeOwned + PartialEq + Debug + Clone>(some: T, dtype: &str, none: &str) {
    let row = |v: Option<T>| One { id: 1, v };
    let masked = format!("[('id', '|u1'), ('v', {dtype}), ('v?', '|b1')]");
    back(&vec![row(Some(some.clone())), row(None)], &masked, &[2]);
    back(&vec![row(None), row(Some(some.clone())), row(None)], &masked, &[3]);
    back(&vec![row(Some(some))], &masked, &[1]);
    let only_none = match none {
        "|V0" => "[('id', '|u1'), ('v', '|V0')]".to_owned(),
        known => format!("[('id', '|u1'), ('v', {known}), ('v?', '|b1')]"),
    };
    back(&vec![row(None), row(None)], &only_none, &[2]);
}

#[test]
fn a_field_of_any_fixed_size_kind() {
    macro_rules! known {
        ($($some:expr => $dtype:literal;)*) => { $(field($some, $dtype, $dtype);)* };
    }
    known! {
        true => "'|b1'";
        -3_i8 => "'|i1'";
        -3_i16 => "'<i2'";
        -3_i32 => "'<i4'";
        -3_i64 => "'<i8'";
        3_u8 => "'|u1'";
        3_u16 => "'<u2'";
        3_u32 => "'<u4'";
        3_u64 => "'<u8'";
        3_usize => "'<u8'";
        -3_isize => "'<i8'";
        0.5_f32 => "'<f4'";
        0.5_f64 => "'<f8'";
        u128::MAX => "[('lo', '<u8'), ('hi', '<u8')]";
        i128::MIN => "[('lo', '<u8'), ('hi', '<i8')]";
        'x' => "'<U1'";
        Duration::from_secs(3) => "'<m8[ns]'";
        UNIX_EPOCH + Duration::from_secs(3) => "'<M8[ns]'";
    }
    field("abc".to_owned(), "'<U3'", "'<U1'");
    field(Box::<str>::from("abc"), "'<U3'", "'<U1'");
    // What only a value can tell.
    field(Side::Right, "'<U5'", "|V0");
    field(Meters(1.5), "'<f4'", "|V0");
    field(Point { x: 1.0, y: 2.0 }, "[('x', '<f8'), ('y', '<f8')]", "|V0");
    field((1_u8, 2.0), "[('f0', '|u1'), ('f1', '<f8')]", "|V0");
    field(imu(1.0, None), IMU, "|V0");
    // An array as a field prints its axes beside its dtype.
    let array = "[('id', '|u1'), ('v', '<f4', (2,)), ('v?', '|b1')]";
    back(&vec![one(None), one(Some([1.0_f32, 2.0]))], array, &[2]);
    back(
        &vec![one(Some([[1_u8; 3]; 2])), one(None)],
        "[('id', '|u1'), ('v', '|u1', (2, 3)), ('v?', '|b1')]",
        &[2],
    );
    back(&vec![one(None::<[f32; 2]>)], "[('id', '|u1'), ('v', '|V0')]", &[1]);
}

#[test]
fn wherever_a_record_is() {
    let rows = vec![imu(1.0, Some(2.0)), imu(2.0, None)];
    back(&rows, IMU, &[2]);
    back(&vec![rows.clone(), rows.clone()], IMU, &[2, 2]);
    back(&vec![[imu(1.0, None), imu(2.0, Some(1.0))]; 3], IMU, &[3, 2]);
    back(
        &vec![Wrapped(None), Wrapped(Some(1.0))]
            .into_iter()
            .map(|v| One { id: 1, v })
            .collect::<Vec<_>>(),
        "[('id', '|u1'), ('v', '<f8'), ('v?', '|b1')]",
        &[2],
    );
    let nested = |temp| One {
        id: 7,
        v: imu(1.0, temp),
    };
    let dtype = format!("[('id', '|u1'), ('v', {IMU})]");
    back(&vec![nested(None), nested(Some(1.0))], &dtype, &[2]);
    // Tuples.
    back(
        &vec![(1_u8, Some(2.0)), (2, None)],
        "[('f0', '|u1'), ('f1', '<f8'), ('f1?', '|b1')]",
        &[2],
    );
    let two = "[('f0', '<f8'), ('f0?', '|b1'), ('f1', '<f8'), ('f1?', '|b1')]";
    back(&vec![[Some(1.0), None], [None, Some(2.0)]], two, &[2]);
    back(&vec![(None::<f64>, None::<f64>)], two, &[1]);
    // Alone, at the root of an array.
    let npy = to_npy_vec(&imu(1.0, None)).unwrap();
    assert_eq!(header(&npy), (IMU.to_owned(), vec![]));
    assert_eq!(from_npy_slice::<Imu>(&npy).unwrap(), imu(1.0, None));
    let npy = to_npy_vec(&(1_u8, Some("ab".to_owned()))).unwrap();
    assert_eq!(header(&npy).0, "[('f0', '|u1'), ('f1', '<U2'), ('f1?', '|b1')]");
    assert_eq!(
        from_npy_slice::<(u8, Option<String>)>(&npy).unwrap(),
        (1, Some("ab".to_owned()))
    );
    // In a group they stay members, or none.
    let npz = to_npz_vec(&imu(1.0, None)).unwrap();
    assert!(NpzReader::new(Cursor::new(&npz[..])).unwrap().names().eq(["t"]));
    assert_eq!(from_npz_slice::<Imu>(&npz).unwrap(), imu(1.0, None));
}

#[test]
fn what_stands_for_none() {
    #[derive(Serialize)]
    struct Row {
        f: Option<f64>,
        i: Option<i32>,
        b: Option<bool>,
        s: Option<&'static str>,
        d: Option<SystemTime>,
        u: Option<u128>,
    }
    let none = Row {
        f: None,
        i: None,
        b: None,
        s: None,
        d: None,
        u: None,
    };
    let npy = to_npy_vec(&vec![none]).unwrap();
    let bytes = &npy[npy.len() - (9 + 5 + 2 + 5 + 9 + 17)..];
    let mut expected = f64::NAN.to_le_bytes().to_vec();
    expected.extend([0; 1 + 4 + 1 + 1 + 1 + 4 + 1]);
    expected.extend(i64::MIN.to_le_bytes());
    expected.extend([0; 1 + 16 + 1]);
    assert_eq!(bytes, expected);
    let npy = to_npy_vec(&vec![Some(Point { x: 1.0, y: 1.0 }), None]).unwrap();
    assert_eq!(
        npy[npy.len() - 17..],
        [&f64::NAN.to_le_bytes()[..], &f64::NAN.to_le_bytes(), &[0]].concat()
    );
    assert_eq!(npy[npy.len() - 18], 1);
}

#[test]
fn sequences_of_options() {
    let point = Point { x: 1.0, y: 2.0 };
    let points = "[('x', '<f8'), ('y', '<f8'), ('?', '|b1')]";
    for value in [vec![Some(point), None], vec![None, Some(point)], vec![Some(point); 2]] {
        back(&value, points, &[2]);
    }
    back(&vec![vec![None, Some(point)], vec![None, None]], points, &[2, 2]);
    back(
        &vec![Some([1_u32, 2, 3]), None],
        "[('value', '<u4', (3,)), ('?', '|b1')]",
        &[2],
    );
    back(
        &vec![None, Some([[1_u32; 3]; 2])],
        "[('value', '<u4', (2, 3)), ('?', '|b1')]",
        &[2],
    );
    back(&vec![Some([7_u8])], "[('value', '|u1', (1,)), ('?', '|b1')]", &[1]);
    back(
        &vec![None, Some((1.0, 2.0))],
        "[('value', '<f8', (2,)), ('?', '|b1')]",
        &[2],
    );
    back(
        &vec![None, Some((1_u8, 2.0))],
        "[('f0', '|u1'), ('f1', '<f8'), ('?', '|b1')]",
        &[2],
    );
    back(
        &vec![None, Some(imu(1.0, None)), Some(imu(2.0, Some(0.5)))],
        "[('t', '<f8'), ('temp', '<f4'), ('temp?', '|b1'), ('?', '|b1')]",
        &[3],
    );
    // A struct that looks like the array in `value`.
    #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
    struct Only {
        value: [u32; 3],
    }
    back(
        &vec![Some(Only { value: [1, 2, 3] }), None],
        "[('value', '<u4', (3,)), ('?', '|b1')]",
        &[2],
    );
    // petgraph's edges.
    back(
        &vec![Some((0_usize, 1_usize, 0.5)), None],
        "[('f0', '<u8'), ('f1', '<u8'), ('f2', '<f8'), ('?', '|b1')]",
        &[2],
    );
    // Nothing but None is any Option.
    back(&vec![None::<Point>; 2], "[('?', '|b1')]", &[2]);
    let none = to_npy_vec(&vec![None::<Point>; 2]).unwrap();
    assert_eq!(from_npy_slice::<Vec<Option<Vec<String>>>>(&none).unwrap(), [None, None]);
    assert_eq!(
        from_npy_slice::<Vec<Option<BTreeMap<u8, u8>>>>(&none).unwrap(),
        [None, None]
    );
    assert_eq!(from_npy_slice::<Vec<Option<f64>>>(&none).unwrap(), [None, None]);
    // Scalars have no mask there.
    back(&vec![Some(1.0), Some(2.0)], "<f8", &[2]);
    for value in [vec![Some(1.0), None], vec![None, Some(1.0)]] {
        refused(&X { x: value }, InvalidValue, "x[1]", &["with::nan", "with::masked"]);
    }
    refused(
        &X {
            x: vec![None::<String>],
        },
        InvalidValue,
        "x",
        &["with::masked"],
    );
    refused(
        &X {
            x: vec![Some(1_u128), None],
        },
        InvalidValue,
        "x[1]",
        &["with::masked"],
    );
    refused(
        &X {
            x: vec![None, Some(Meters(1.0))],
        },
        InvalidValue,
        "x[1]",
        &["with::masked"],
    );
    refused(
        &X {
            x: vec![vec![Some(1.0)], vec![None]],
        },
        InvalidValue,
        "x[1]",
        &["with::masked"],
    );
}

#[test]
fn lists_as_ever() {
    fn list<T: Serialize + DeserializeOwned + PartialEq + Debug>(value: &T, names: &[&str]) {
        let npz = to_npz_vec(&X { x: value }).unwrap();
        assert_eq!(&from_npz_slice::<X<T>>(&npz).unwrap().x, value);
        assert!(
            NpzReader::new(Cursor::new(npz))
                .unwrap()
                .names()
                .eq(names.iter().copied())
        );
    }
    list(&vec![Some(vec![1.0]), None], &["x/0", "x/1"]);
    list(&vec![None::<Vec<f64>>; 2], &["x/0", "x/1"]);
    list(&vec![one(None::<Vec<String>>)], &["x/0/id"]);
    list(&vec![one(None), one(Some(vec![1.0]))], &["x/0/id", "x/1/id", "x/1/v"]);
    list(
        &vec![one(None), one(Some(vec![Point { x: 1.0, y: 1.0 }]))],
        &["x/0/id", "x/1/id", "x/1/v"],
    );
    list(&vec![Some(Some(1.0)), None], &["x/0", "x/1"]);
    list(&vec![one(Some(Some(1.0)))], &["x/0/id", "x/0/v"]);
    list(&vec![vec![None::<Point>], vec![None, None]], &["x/0", "x/1"]);
    refused(
        &X {
            x: vec![Some(None::<Point>)],
        },
        UnsupportedType,
        "x[0]",
        &["Some(None)"],
    );
    refused(
        &X {
            x: vec![one(Some(None::<f64>))],
        },
        UnsupportedType,
        "x[0].v",
        &["Some(None)"],
    );
    refused(&X { x: vec![Some(())] }, UnsupportedType, "x[0]", &["Some(())"]);
    // Tuples at a field are groups, as they were.
    list(&(1_u8, Some(2.0)), &["x/0", "x/1"]);
    list(&(Some(1.0), Some(2.0)), &["x/0", "x/1"]);
    list(&[None, Some(2.0)], &["x/0", "x/1"]);
}

#[test]
fn names_of_masks_are_taken() {
    #[derive(Serialize)]
    struct Beside {
        x: f64,
        #[serde(rename = "x?")]
        is_there: bool,
    }
    #[derive(Serialize)]
    struct Twice {
        x: Option<f64>,
        #[serde(rename = "x?")]
        other: u32,
    }
    #[derive(Serialize)]
    struct Whole {
        x: f64,
        #[serde(rename = "?")]
        is_there: bool,
    }
    #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
    struct Alone {
        #[serde(rename = "x?")]
        is_there: bool,
        #[serde(rename = "y?")]
        maybe: Option<bool>,
        #[serde(rename = "?")]
        what: u8,
        y: u8,
    }
    let beside = || Beside { x: 1.0, is_there: true };
    refused(&X { x: vec![beside()] }, InvalidName, "x", &["x?"]);
    refused(
        &X {
            x: vec![Twice { x: None, other: 1 }],
        },
        InvalidName,
        "x",
        &["x?"],
    );
    refused(
        &X {
            x: vec![Whole { x: 1.0, is_there: true }],
        },
        InvalidName,
        "x",
        &["\"?\""],
    );
    refused(
        &X {
            x: vec![Some(Whole { x: 1.0, is_there: true })],
        },
        InvalidName,
        "x",
        &["\"?\""],
    );
    assert_eq!(to_npy_vec(&vec![beside()]).unwrap_err().kind(), InvalidName);
    assert_eq!(to_npy_vec(&beside()).unwrap_err().kind(), InvalidName);
    // The members of a group are called as they like.
    assert!(to_npz_vec(&beside()).is_ok());
    let alone = Alone {
        is_there: true,
        maybe: Some(false),
        what: 3,
        y: 1,
    };
    assert_eq!(to_npy_vec(&vec![alone]).unwrap_err().kind(), InvalidName);
    #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
    struct Fine {
        #[serde(rename = "x?")]
        is_there: bool,
        #[serde(rename = "y?")]
        maybe: Option<bool>,
        #[serde(rename = "?")]
        what: u8,
        z: u8,
        #[serde(rename = "z?")]
        number: u8,
    }
    let fine = Fine {
        is_there: true,
        maybe: None,
        what: 3,
        z: 1,
        number: 2,
    };
    let dtype = "[('x?', '|b1'), ('y?', '|b1'), ('y??', '|b1'), ('?', '|u1'), ('z', '|u1'), ('z?', '|u1')]";
    back(&vec![fine], dtype, &[1]);
}

#[test]
fn flattened_records() {
    #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
    struct Flat {
        id: u8,
        #[serde(flatten)]
        inner: Inner,
    }
    #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
    struct Inner {
        temp: Option<f32>,
        name: Option<String>,
        at: Option<Point>,
        never: Option<Meters>,
    }
    let row = |temp, name: Option<&str>, at| Flat {
        id: 1,
        inner: Inner {
            temp,
            name: name.map(str::to_owned),
            at,
            never: None,
        },
    };
    let rows = vec![
        row(None, Some("ab"), None),
        row(Some(1.5), None, Some(Point { x: 1.0, y: 2.0 })),
    ];
    let dtype = "[('id', '|u1'), ('temp', '<f4'), ('temp?', '|b1'), ('name', '<U2'), ('name?', '|b1'), \
                 ('at', [('x', '<f8'), ('y', '<f8')]), ('at?', '|b1'), ('never', '|V0')]";
    back(&rows, dtype, &[2]);
}

#[test]
fn a_number_or_none() {
    /// Gives a number as it is, and None where there is none.
    struct Bare(f64);
    impl Serialize for Bare {
        fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            if self.0.is_nan() {
                serializer.serialize_none()
            } else {
                serializer.serialize_f64(self.0)
            }
        }
    }
    let row = |v| One { id: 1, v: Bare(v) };
    for rows in [vec![row(f64::NAN), row(1.0)], vec![row(1.0), row(f64::NAN)]] {
        // Of two types, as far as anybody can tell.
        assert_eq!(to_npy_vec(&rows).unwrap_err().kind(), UnsupportedType);
        let npz = to_npz_vec(&X { x: &rows }).unwrap();
        let back: X<Vec<One<Option<f64>>>> = from_npz_slice(&npz).unwrap();
        let expected: Vec<_> = rows.iter().map(|row| (!row.v.0.is_nan()).then_some(row.v.0)).collect();
        assert_eq!(back.x.iter().map(|row| row.v).collect::<Vec<_>>(), expected);
    }
}

#[test]
fn another_value_on_the_second_walk() {
    use std::cell::Cell;
    struct Changing(Cell<u32>);
    impl Serialize for Changing {
        fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            self.0.set(self.0.get() + 1);
            if self.0.get() > 2 {
                Some("wider").serialize(serializer)
            } else {
                Some("w").serialize(serializer)
            }
        }
    }
    let err = to_npy_vec(&vec![One {
        id: 1,
        v: Changing(Cell::new(0)),
    }])
    .unwrap_err();
    assert_eq!(err.kind(), InvalidValue);
    // None where there was Some is written as None: nothing else knows of it.
    struct Gone(Cell<u32>);
    impl Serialize for Gone {
        fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            self.0.set(self.0.get() + 1);
            (self.0.get() < 3).then_some("w").serialize(serializer)
        }
    }
    let npy = to_npy_vec(&vec![One {
        id: 1,
        v: Gone(Cell::new(0)),
    }])
    .unwrap();
    assert_eq!(from_npy_slice::<Vec<One<Option<String>>>>(&npy).unwrap()[0].v, None);
}
