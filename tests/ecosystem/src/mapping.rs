//! The mapping table of the documentation cannot lie: each row of `src/mapping.md` is written, read back and, where a
//! Python is given, shown to NumPy.
//!
//! The first column of a row is Rust; the same tokens stand here, once, and make the value. A row without its value
//! fails, and so does a value without its row.

use std::borrow::Cow;
use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::fmt::Debug;
use std::marker::PhantomData;
use std::net::Ipv4Addr;
use std::num::{NonZeroU32, Wrapping};
use std::ops::Range;
use std::path::PathBuf;
use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use arrayvec::{ArrayString, ArrayVec};
use chrono::{DateTime, NaiveDate, Utc};
use glam::{Mat4, Vec3};
use half::{bf16, f16};
use indexmap::{IndexMap, IndexSet};
use nalgebra::{DMatrix, Matrix2, Vector3};
use ndarray::{Array1, Array2, Array3, arr0};
use num_complex::{Complex, Complex64};
use ordered_float::OrderedFloat;
use serde_bytes::Bytes;
use serde_json::json;
use serde_npz::{Header, NpzReader, Result};
use smallvec::SmallVec;
use uuid::Uuid;

const TABLE: &str = include_str!("../../../src/mapping.md");

macro_rules! types {
    ($($tokens:tt)*) => {
        $($tokens)*
        const TYPES: &str = stringify!($($tokens)*);
    };
}

types! {
    #[derive(Clone, Serialize, Deserialize)]
    struct Point { east: f64, north: f64 }

    #[derive(Clone, Serialize, Deserialize)]
    struct Layer { w: Vec<Vec<f32>>, b: Vec<f32> }

    #[derive(Clone, Serialize, Deserialize)]
    struct Marked { at: Point, id: [u32; 2] }

    #[derive(Clone, Serialize, Deserialize)]
    struct Imu { t: f64, temp: Option<f32> }

    #[derive(Clone, Serialize, Deserialize)]
    enum Side { Left, Right }

    #[derive(Clone, Serialize, Deserialize)]
    enum State { Idle, Running { step: u32 }, Failed(String), At(f64, f64) }
}
use serde::{Deserialize, Serialize};

#[derive(Serialize)]
struct Field<T> {
    x: T,
}

/// One value of the table: its text without white space, and what writing it gives.
struct Case {
    text: String,
    bytes: Result<Vec<u8>>,
}

macro_rules! cases {
    ($write:expr; $($value:expr;)*) => {
        vec![$(Case { text: squeeze(stringify!($value)), bytes: $write(&$value) }),*]
    };
}

macro_rules! fields {
    ($($value:expr;)*) => {
        vec![$(Case { text: squeeze(stringify!($value)), bytes: serde_npz::to_npz_vec(&Field { x: $value }) }),*]
    };
}

macro_rules! with {
    ($($module:literal, $type:ty, $value:expr;)*) => {
        vec![$({
            #[derive(Serialize)]
            struct Field {
                #[serde(with = $module)]
                x: $type,
            }
            let module = $module.trim_start_matches("serde_npz::with::");
            Case {
                text: format!("{module} {}", squeeze(stringify!($value))),
                bytes: serde_npz::to_npz_vec(&Field { x: $value }),
            }
        }),*]
    };
}

#[test]
fn types_are_those_of_the_table() {
    let block = TABLE
        .split("```")
        .nth(1)
        .expect("the table starts with a block of types");
    let shown: Vec<&str> = block.lines().skip(1).filter(|line| !line.starts_with("# ")).collect();
    assert_eq!(squeeze(&shown.concat()), squeeze(TYPES));
}

#[test]
fn scalars() {
    check("Scalars", scalar_cases());
}

#[test]
fn sequences() {
    check("Sequences", sequence_cases());
}

#[test]
fn records() {
    check("Records", record_cases());
}

#[test]
fn options() {
    check("Options", option_cases());
}

#[test]
fn groups() {
    check("Groups", group_cases());
}

#[test]
fn lists() {
    check("Lists", list_cases());
}

#[test]
fn foreign_types() {
    check("Types", foreign_cases());
}

#[test]
fn with_modules() {
    check("`#[serde(with", with_cases());
}

#[test]
fn whole_arrays() {
    check("Arrays of ndarray", whole_cases());
}

#[test]
fn archive_roots() {
    check("The root of an archive", archive_root_cases());
}

#[test]
fn array_roots() {
    let rows = section("The root of a lone array");
    let cases = cases! { serde_npz::to_npy_vec;
        vec![1.0, 2.0];
        0.5;
        Point { east: 1.0, north: 2.0 };
        (1_u8, 0.5);
        Imu { t: 0.5, temp: None };
        vec![Point { east: 1.0, north: 2.0 }; 9];
    };
    let found: Vec<Vec<String>> = cases
        .iter()
        .map(|case| {
            let bytes = case.bytes.as_ref().unwrap_or_else(|err| panic!("{}: {err}", case.text));
            let header = Header::read(&mut bytes.as_slice()).unwrap();
            vec![case.text.clone(), header.dtype().to_string(), shape(&header)]
        })
        .collect();
    let told: Vec<Vec<String>> = rows
        .into_iter()
        .map(|row| vec![squeeze(&row[0]), row[1].clone(), row[2].clone()])
        .collect();
    assert_same(&told, &found);
}

#[test]
fn refusals() {
    let rows = section("Refused");
    let cases = fields! {
        Some(None::<f64>);
        Some(());
        vec![(), ()];
        vec![Some(1.0), None];
        vec![vec![1.0], vec![2.0, 3.0]];
        Array1::from(vec![json!(1), json!("a")]);
        json!([[], [1]]);
        "ends in NUL\0";
        vec![Bytes::new(b"ab"), Bytes::new(b"abc")];
        vec![Bytes::new(b"")];
        '\0';
        Duration::from_secs(1 << 40);
        BTreeMap::from([("", 1.0)]);
        BTreeMap::from([("a\0b", 1.0)]);
        BTreeMap::from([("a/b", 1.0)]);
    };
    let found: Vec<[String; 2]> = cases
        .iter()
        .map(|case| match &case.bytes {
            Ok(_) => [case.text.clone(), "no error".to_string()],
            Err(err) => [case.text.clone(), format!("{:?}", err.kind())],
        })
        .collect();
    let told: Vec<[String; 2]> = rows.iter().map(|row| [squeeze(&row[0]), row[1].clone()]).collect();
    assert_same(&told, &found);
    for (row, case) in rows.iter().zip(&cases) {
        let message = format!("{:#}", case.bytes.as_ref().unwrap_err());
        for way in row[2].split('`').filter(|way| way.starts_with("with::")) {
            assert!(
                message.contains(way),
                "{}: the message does not name {way}: {message}",
                row[0]
            );
        }
    }
}

/// The table as NumPy sees it: every archive opened by the Python that `SERDE_NPZ_PYTHON` names.
#[test]
#[ignore = "needs Python with NumPy"]
fn numpy_sees_the_same() {
    const SCRIPT: &str = "
import sys, numpy as np
for path in sys.argv[1:]:
    with np.load(path) as z:
        for key in z.files:
            descr = np.lib.format.dtype_to_descr(z[key].dtype)
            print(key, descr if isinstance(descr, str) else repr(descr), z[key].shape, sep='\\t')
    print('-')
";
    let python = std::env::var_os("SERDE_NPZ_PYTHON").expect("SERDE_NPZ_PYTHON names a Python with NumPy");
    let dir = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("mapping");
    std::fs::create_dir_all(&dir).unwrap();
    let cases: Vec<Case> = [
        scalar_cases(),
        sequence_cases(),
        record_cases(),
        option_cases(),
        group_cases(),
        list_cases(),
        foreign_cases(),
        with_cases(),
        whole_cases(),
        archive_root_cases(),
    ]
    .into_iter()
    .flatten()
    .collect();
    let mut told = Vec::new();
    let mut command = Command::new(python);
    command.arg("-c").arg(SCRIPT);
    for (index, case) in cases.iter().enumerate() {
        let path = dir.join(format!("{index}.npz"));
        std::fs::write(&path, case.bytes.as_ref().unwrap()).unwrap();
        command.arg(path);
        for [key, dtype, shape] in members(case) {
            // NumPy without ml_dtypes has no bfloat16 and no byte order for raw bytes.
            let dtype = dtype.replace("<V2", "|V2");
            told.push(if key == "none" {
                "-".to_string()
            } else {
                format!("{key}\t{dtype}\t{shape}")
            });
        }
        if told.last().is_some_and(|last| last != "-") {
            told.push("-".to_string());
        }
    }
    let output = command.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let found: Vec<String> = String::from_utf8(output.stdout)
        .unwrap()
        .lines()
        .map(str::to_string)
        .collect();
    assert_same(&told, &found);
}

fn scalar_cases() -> Vec<Case> {
    fields! {
        true;
        -7_i8;
        -7_i16;
        -7_i32;
        -7_i64;
        7_u8;
        7_u16;
        7_u32;
        7_u64;
        7_usize;
        7_u128;
        -7_i128;
        0.5_f32;
        0.5_f64;
        'é';
        "left";
        String::new();
        Side::Right;
        Some(0.5);
        None::<f64>;
        ();
        PhantomData::<f64>;
    }
}

fn sequence_cases() -> Vec<Case> {
    fields! {
        vec![1.0, 2.0, 3.0];
        vec![vec![1_i32, 2], vec![3, 4], vec![5, 6]];
        vec![vec![vec![true; 4]; 3]; 2];
        [1.0, 2.0, 3.0];
        vec![[0.0; 3]; 5];
        (1.0, 2.0);
        vec![(1.0, 2.0); 5];
        vec!["a", "bcd"];
        vec!['a', 'b'];
        vec![Side::Left, Side::Right];
        vec![Some(1.0), Some(2.0)];
        vec![1_u128, 2];
        Vec::<f32>::new();
        vec![Vec::<i64>::new(); 2];
        Vec::<String>::new();
        Vec::<Point>::new();
        Bytes::new(b"\x00\x01\x02");
        vec![Bytes::new(b"ab"), Bytes::new(b"cd")];
    }
}

fn record_cases() -> Vec<Case> {
    fields! {
        vec![Point { east: 1.0, north: 2.0 }; 9];
        vec![(1_u8, 0.5)];
        vec![(1_u8, "on"), (2, "off")];
        vec![Marked { at: Point { east: 1.0, north: 2.0 }, id: [1, 2] }];
    }
}

fn option_cases() -> Vec<Case> {
    fields! {
        vec![Imu { t: 0.5, temp: Some(20.0) }, Imu { t: 1.0, temp: None }];
        vec![Imu { t: 0.5, temp: None }];
        vec![(1_u8, Some("on")), (2, None)];
        vec![[Some(0.5), None]; 3];
        vec![(1_u8, None), (2, Some(Point { east: 1.0, north: 2.0 }))];
        vec![(1_u8, None::<Point>)];
        vec![Some(Point { east: 1.0, north: 2.0 }), None];
        vec![Some([1_u32, 2, 3]), None];
        vec![None::<Point>; 2];
    }
}

fn group_cases() -> Vec<Case> {
    fields! {
        Point { east: 1.0, north: 2.0 };
        Layer { w: vec![vec![1.0, 2.0]; 3], b: vec![0.5] };
        BTreeMap::from([("a", 1.0), ("b", 2.0)]);
        BTreeMap::from([(7, vec![1_u8])]);
        BTreeMap::from([("a", None::<f64>)]);
        BTreeMap::<String, f64>::new();
        State::Idle;
        State::Running { step: 3 };
        State::Failed("disk".to_string());
        State::At(0.0, 1.0);
        (1_u8, 0.5);
        (vec![1.0, 2.0], 0.5);
        Ok::<f64, String>(1.0);
    }
}

fn list_cases() -> Vec<Case> {
    fields! {
        vec![Layer { w: vec![vec![1.0, 2.0]], b: vec![0.5] }; 2];
        vec![State::Idle, State::Running { step: 3 }];
        vec![Some(vec![1.0]), None];
        vec![BTreeMap::from([("a", 1.0)]); 2];
    }
}

fn foreign_cases() -> Vec<Case> {
    fields! {
        Array2::<f32>::zeros((2, 3));
        arr0(1_i64);
        Array3::<Complex64>::zeros((2, 0, 3));
        Array2::from_elem((2, 3), Point { east: 1.0, north: 2.0 });
        vec![Array1::from(vec![1.0]), Array1::from(vec![2.0, 3.0])];
        Complex::new(1.0_f32, -1.0);
        vec![Complex::new(1.0, -1.0); 4];
        f16::from_f32(0.5);
        vec![f16::from_f32(0.5); 4];
        vec![bf16::from_f32(0.5); 4];
        Vector3::new(1.0, 2.0, 3.0);
        vec![Vector3::new(1.0, 2.0, 3.0); 5];
        Matrix2::new(1.0, 2.0, 3.0, 4.0);
        DMatrix::<f64>::zeros(2, 3);
        Vec3::new(1.0, 2.0, 3.0);
        vec![Vec3::ZERO; 5];
        Mat4::IDENTITY;
        Uuid::nil();
        vec![Uuid::nil(); 2];
        DateTime::<Utc>::UNIX_EPOCH;
        vec![NaiveDate::MIN; 0];
        vec![DateTime::<Utc>::UNIX_EPOCH.date_naive(); 3];
        Duration::from_millis(1500);
        vec![Duration::ZERO; 3];
        SystemTime::UNIX_EPOCH;
        vec![SystemTime::UNIX_EPOCH; 3];
        IndexMap::from([("b", 1.0), ("a", 2.0)]);
        IndexSet::from(["b", "a"]);
        SmallVec::<[f64; 4]>::from_slice(&[1.0, 2.0]);
        ArrayVec::from([1.0, 2.0]);
        ArrayString::<8>::from("abc").unwrap();
        vec![OrderedFloat(1.5)];
        Arc::<[f64]>::from([1.0, 2.0]);
        Arc::<str>::from("abc");
        Box::<[f64]>::from([1.0, 2.0]);
        Cow::Borrowed(&[1.0, 2.0][..]);
        VecDeque::from([1_u16, 2]);
        BTreeSet::from([3_i8, 1]);
        RefCell::new(0.5);
        Wrapping(5_u32);
        NonZeroU32::MIN;
        Range { start: 0, end: 10 };
        Ipv4Addr::LOCALHOST;
        PathBuf::from("a/b");
        json!({ "a": [1, 2], "b": null });
        json!([1, -2]);
        json!([[1, 2], [0.5, -2]]);
        vec![("a", json!(1)), ("b", json!(0.5))];
        json!([1, "a", null]);
    }
}

fn whole_cases() -> Vec<Case> {
    with! {
        "serde_npz::with::ndarray_0_17", Array2<f32>, Array2::<f32>::zeros((2, 3));
        "serde_npz::with::ndarray_0_17", Array2<f32>, Array2::<f32>::zeros((2, 3)).reversed_axes();
        "serde_npz::with::ndarray_0_17", Vec<ndarray::Array0<i64>>, vec![arr0(1_i64); 2];
        "serde_npz::with::nalgebra_0_34", DMatrix<f64>, DMatrix::<f64>::zeros(2, 3);
        "serde_npz::with::nalgebra_0_34", Matrix2<f64>, Matrix2::new(1.0, 2.0, 3.0, 4.0);
        "serde_npz::with::nalgebra_0_34", Vector3<f64>, Vector3::new(1.0, 2.0, 3.0);
    }
}

fn with_cases() -> Vec<Case> {
    with! {
        "serde_npz::with::nan", Vec<Option<f64>>, vec![Some(1.0), None];
        "serde_npz::with::float16", Vec<f32>, vec![0.5_f32; 3];
        "serde_npz::with::float32", Vec<f64>, vec![0.5_f64; 3];
        "serde_npz::with::datetime64::s", Vec<i64>, vec![0_i64; 3];
        "serde_npz::with::datetime64::us", SystemTime, SystemTime::UNIX_EPOCH;
        "serde_npz::with::timedelta64::ms", Vec<Option<i64>>, vec![Some(5_i64), None];
        "serde_npz::with::bytes", Vec<Vec<u8>>, vec![b"ab".to_vec(), b"abc".to_vec()];
        "serde_npz::with::list", Vec<Vec<f64>>, vec![vec![1.0], vec![2.0, 3.0]];
        "serde_npz::with::ragged", Vec<Vec<f64>>, vec![vec![1.0], vec![2.0, 3.0]];
        "serde_npz::with::ragged", Vec<String>, vec!["a".to_string(), "é".to_string()];
        "serde_npz::with::masked", Vec<Option<i32>>, vec![Some(7_i32), None];
        "serde_npz::with::masked", Vec<[Option<&'static str>; 2]>, vec![[Some("a"), None]; 3];
        "serde_npz::with::columns", Vec<Point>, vec![Point { east: 1.0, north: 2.0 }; 9];
        "serde_npz::with::columns", Vec<(u8, Option<f64>)>, vec![(1_u8, None::<f64>)];
        "serde_npz::with::columns", Vec<Point>, Vec::<Point>::new();
    }
}

fn archive_root_cases() -> Vec<Case> {
    cases! { serde_npz::to_npz_vec;
        (vec![1.0, 2.0], 0.5);
        [1.0, 2.0];
        vec![Layer { w: vec![vec![1.0, 2.0]], b: vec![0.5] }];
        State::Running { step: 3 };
        BTreeMap::from([("a", 1.0)]);
        BTreeMap::<String, f64>::new();
        ();
    }
}

/// Compares a section of the table with what writing its values gave.
fn check(heading: &str, cases: Vec<Case>) {
    let mut value = String::new();
    let mut told = Vec::new();
    for mut row in section(heading) {
        let rest = row.split_off(row.len() - 3);
        // A row without a value goes on with the value above it.
        if !row.concat().is_empty() {
            let last = squeeze(&row[row.len() - 1]);
            value = if row.len() == 2 {
                format!("{} {last}", row[0])
            } else {
                last
            };
        }
        told.push(format!("{value} => {} {} {}", rest[0], rest[1], rest[2]));
    }
    let found: Vec<String> = cases
        .iter()
        .flat_map(|case| {
            members(case)
                .into_iter()
                .map(|[key, dtype, shape]| format!("{} => {key} {dtype} {shape}", case.text))
        })
        .collect();
    assert_same(&told, &found);
}

/// The members of an archive: key, dtype and shape; one line of `none` where there is no member.
fn members(case: &Case) -> Vec<[String; 3]> {
    let bytes = match &case.bytes {
        Ok(bytes) => bytes,
        Err(err) => return vec![["refused:".to_string(), format!("{:?}", err.kind()), err.to_string()]],
    };
    let mut reader = NpzReader::new(std::io::Cursor::new(bytes)).unwrap();
    let keys: Vec<String> = reader.names().map(str::to_string).collect();
    if keys.is_empty() {
        return vec![["none".to_string(), String::new(), String::new()]];
    }
    keys.into_iter()
        .map(|key| {
            let header = reader.header(&key).unwrap();
            let (dtype, shape) = (header.dtype().to_string(), shape(&header));
            [key, dtype, shape]
        })
        .collect()
}

/// A shape as Python prints the tuple.
fn shape(header: &Header) -> String {
    match header.shape() {
        [n] => format!("({n},)"),
        axes => format!("({})", axes.iter().map(u64::to_string).collect::<Vec<_>>().join(", ")),
    }
}

/// The rows of the table under the heading that starts so, as texts without back-ticks and escapes.
fn section(heading: &str) -> Vec<Vec<String>> {
    let text = TABLE
        .split("\n## ")
        .find(|text| text.starts_with(heading))
        .expect("the heading is in the table");
    let rows: Vec<Vec<String>> = text
        .lines()
        .filter(|line| line.starts_with('|'))
        .skip(2)
        .map(|line| {
            let line = line.replace("\\|", "\u{1}");
            let cells = line.trim_matches('|').split('|');
            cells.map(|cell| plain(cell).replace('\u{1}', "|")).collect()
        })
        .collect();
    assert!(!rows.is_empty());
    rows
}

/// A cell that is one piece of code without its back-ticks, any other as it is.
fn plain(cell: &str) -> &str {
    let cell = cell.trim();
    cell.strip_prefix('`')
        .and_then(|cell| cell.strip_suffix('`'))
        .filter(|code| !code.contains('`'))
        .unwrap_or(cell)
}

fn squeeze(text: &str) -> String {
    text.chars().filter(|c| !c.is_whitespace()).collect()
}

/// Equality that shows the first difference instead of two long lists.
fn assert_same<T: PartialEq + Debug>(told: &[T], found: &[T]) {
    for (told, found) in told.iter().zip(found) {
        assert_eq!(told, found, "the table (left) and the archive (right) differ");
    }
    assert_eq!(
        told.len(),
        found.len(),
        "the table and the list of values differ in length"
    );
}
