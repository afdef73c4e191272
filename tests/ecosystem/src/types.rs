//! Types of other crates as fields, in sequences and in records, and serde's own adapters around our ends.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet, LinkedList, VecDeque};
use std::io::Cursor;
use std::net::IpAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, UNIX_EPOCH};

use crate::common::{Any, check, check_back, check_npy, table};
use ndarray::{Array, Array0, Array1, Array2, Array3, Array4, Array5, Array6, ArrayD, ArrayView2, IxDyn, ShapeBuilder};
use serde::{Deserialize, Serialize};
use serde_npz::{Deserializer, ErrorKind, NpySerializer, NpzReader, from_npz_slice, to_npy_vec, to_npz_vec};

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct X<T> {
    x: T,
}

fn x<T>(x: T) -> X<T> {
    X { x }
}

#[test]
fn ndarray_of_every_rank() {
    check(&x(Array0::from_elem((), 1.5)), "x <f8 ()");
    check(&x(Array1::from(vec![1_u8, 2])), "x |u1 (2,)");
    check(&x(Array2::<f32>::ones((2, 3))), "x <f4 (2, 3)");
    check(&x(Array3::<i64>::zeros((2, 3, 4))), "x <i8 (2, 3, 4)");
    check(&x(Array4::<bool>::from_elem((1, 2, 3, 4), true)), "x |b1 (1, 2, 3, 4)");
    check(&x(Array5::<u16>::zeros((1, 2, 1, 2, 1))), "x <u2 (1, 2, 1, 2, 1)");
    check(&x(Array6::<i8>::zeros((1, 1, 1, 1, 1, 2))), "x |i1 (1, 1, 1, 1, 1, 2)");
    check(&x(ArrayD::<f64>::zeros(IxDyn(&[2, 2]))), "x <f8 (2, 2)");
    check(&x(ArrayD::<f64>::from_elem(IxDyn(&[]), 2.0)), "x <f8 ()");
    check_npy(&Array2::<f32>::ones((2, 3)), "<f4", &[2, 3]);
}

#[test]
fn ndarray_of_other_layouts_and_elements() {
    let numbers = Array::from_shape_vec((2, 3).f(), vec![1, 4, 2, 5, 3, 6]).unwrap();
    check(&x(numbers.clone()), "x <i4 (2, 3)");
    let nested: X<Vec<Vec<i32>>> = from_npz_slice(&to_npz_vec(&x(numbers.clone())).unwrap()).unwrap();
    assert_eq!(nested.x, [[1, 2, 3], [4, 5, 6]], "rows as ndarray sees them");
    let turned: ArrayView2<'_, i32> = numbers.t();
    assert_eq!(table(&to_npz_vec(&x(turned)).unwrap()), "x <i4 (3, 2)");
    let back: X<Array2<i32>> = from_npz_slice(&to_npz_vec(&x(vec![vec![1, 2], vec![3, 4]])).unwrap()).unwrap();
    assert_eq!(back.x, ndarray::array![[1, 2], [3, 4]]);
    let sliced = numbers.slice(ndarray::s![.., ..;2]);
    assert_eq!(table(&to_npz_vec(&x(sliced)).unwrap()), "x <i4 (2, 2)");
    check(&x(ndarray::array!["a".to_owned(), "bcd".to_owned()]), "x <U3 (2,)");
    let z = num_complex::Complex::new(1.0_f64, 2.0);
    check(&x(ndarray::array![[z, z]]), "x <c16 (1, 2)");
    check(
        &x(vec![Array1::<f64>::ones(2), Array1::zeros(3)]),
        "x/0 <f8 (2,); x/1 <f8 (3,)",
    );
    check(&x(Some(Array1::<f64>::ones(2))), "x <f8 (2,)");
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Star {
    at: [f32; 3],
    name: String,
}

/// As a `Vec` of them: one structured array, of the array's shape.
#[test]
fn ndarray_of_records_and_tuples() {
    let star = |i: u8| Star {
        at: [i.into(), 0.5, -1.0],
        name: "x".repeat(i.into()),
    };
    let descr = "[('at', '<f4', (3,)), ('name', '<U5')]";
    let stars = Array::from_shape_fn((2, 3), |(r, c)| star((r * 3 + c) as u8));
    check(&x(stars.clone()), &format!("x {descr} (2, 3)"));
    check(
        &x(stars.column(1).to_owned()),
        "x [('at', '<f4', (3,)), ('name', '<U4')] (2,)",
    );
    check(&x(Array0::from_elem((), star(5))), &format!("x {descr} ()"));
    check(
        &x(ArrayD::from_elem(IxDyn(&[1, 2, 1]), star(5))),
        &format!("x {descr} (1, 2, 1)"),
    );
    check(&x(stars.clone().reversed_axes()), &format!("x {descr} (3, 2)"));
    assert_eq!(
        table(&to_npz_vec(&x(stars.view())).unwrap()),
        table(&to_npz_vec(&x(stars.clone())).unwrap())
    );
    // The rows are those of nested vectors, and read as them.
    let rows: Vec<Vec<Star>> = stars.rows().into_iter().map(|row| row.to_vec()).collect();
    assert_eq!(to_npz_vec(&x(&rows)).unwrap(), to_npz_vec(&x(&stars)).unwrap());
    let back: X<Vec<Vec<Star>>> = from_npz_slice(&to_npz_vec(&x(&stars)).unwrap()).unwrap();
    assert_eq!(back.x, rows);
    check_npy(&stars, descr, &[2, 3]);
    check(
        &x(vec![stars.clone(), stars.clone()]),
        &format!("x/0 {descr} (2, 3); x/1 {descr} (2, 3)"),
    );
    check(&x(Some(stars.clone())), &format!("x {descr} (2, 3)"));
    check(
        &x(BTreeMap::from([("a".to_owned(), stars)])),
        &format!("x/a {descr} (2, 3)"),
    );

    check(
        &x(Array2::from_elem((2, 3), (1_u8, 0.5))),
        "x [('f0', '|u1'), ('f1', '<f8')] (2, 3)",
    );
    check(&x(Array2::from_elem((2, 3), (1.5, 0.5))), "x <f8 (2, 3, 2)");
    check(&x(Array1::from_elem(2, [1_u16; 4])), "x <u2 (2, 4)");
    check(&x(Array1::from_elem(2, x(x(1_u8)))), "x [('x', [('x', '|u1')])] (2,)");
    check(&x(Array2::from_elem((1, 2), Some(1.5))), "x <f8 (1, 2)");
    check(&x(Array1::from_elem(2, Duration::from_secs(1))), "x <m8[ns] (2,)");
    check(&x(Array2::from_elem((1, 2), 'é')), "x <U1 (1, 2)");
    check(&x(Array1::from_elem(2, Some("ab".to_owned()))), "x <U2 (2,)");
    // Nothing tells what they would be.
    for shape in [(0, 3), (2, 0), (0, 0)] {
        let empty: Array2<Star> = Array2::from_shape_simple_fn(shape, || star(0));
        check(&x(empty), &format!("x <f8 {shape:?}"));
    }
    check(&x(Array1::<(u8, f64)>::from(vec![])), "x <f8 (0,)");
    // What takes several members is a group as before.
    check(
        &x(Array1::from_elem(1, BTreeMap::from([("k".to_owned(), 1_u8)]))),
        "x/v |u1 (); x/dim <u8 (1,); x/data/0/k |u1 ()",
    );
    let none = to_npz_vec(&x(Array1::from(vec![Some(1.5), None]))).unwrap_err();
    assert_eq!((none.kind(), none.path()), (ErrorKind::InvalidValue, "x[1]"));
}

/// Rows that are pushed, and files that others wrote.
#[test]
fn ndarray_of_records_row_by_row() {
    let rows = Array::from_shape_fn((4, 2), |(r, c)| (r as u8, c as f64));
    let mut writer = serde_npz::NpyWriter::new(Cursor::new(Vec::new())).unwrap();
    for row in rows.rows() {
        writer.push(&row.to_owned()).unwrap();
    }
    let bytes = writer.finish().unwrap().into_inner();
    assert_eq!(bytes, to_npy_vec(&rows).unwrap());
    let back: Array2<(u8, f64)> = serde_npz::from_npy_slice(&bytes).unwrap();
    assert_eq!(back, rows);
    let mut reader = serde_npz::NpyReader::new(&bytes[..]).unwrap();
    let back: Vec<Array1<(u8, f64)>> = reader.rows().collect::<serde_npz::Result<_>>().unwrap();
    assert_eq!(back[3], rows.row(3));
}

#[test]
fn ndarray_without_elements() {
    check(&x(Array1::<i64>::zeros(0)), "x <i8 (0,)");
    check(&x(Array2::<f32>::zeros((0, 5))), "x <f4 (0, 5)");
    check(&x(Array2::<u8>::zeros((3, 0))), "x |u1 (3, 0)");
    check(&x(Array2::<bool>::from_elem((0, 0), true)), "x |b1 (0, 0)");
}

#[test]
fn ndarray_of_the_wrong_rank() {
    let bytes = to_npz_vec(&x(Array2::<f32>::ones((2, 3)))).unwrap();
    assert_eq!(
        from_npz_slice::<X<Array1<f32>>>(&bytes).unwrap_err().kind(),
        ErrorKind::TypeMismatch
    );
    assert_eq!(
        from_npz_slice::<X<Array3<f32>>>(&bytes).unwrap_err().kind(),
        ErrorKind::TypeMismatch
    );
    assert_eq!(from_npz_slice::<X<ArrayD<f32>>>(&bytes).unwrap().x.shape(), [2, 3]);
    let fortran = std::fs::read(crate::common::data("numpy/open/o-order-f-str.npy")).unwrap();
    let texts: Array2<String> = serde_npz::from_npy_slice(&fortran).unwrap();
    assert_eq!(
        texts,
        ndarray::array![["a", "hel"], ["hél", "名前"]].mapv(str::to_owned)
    );
}

#[test]
fn linear_algebra() {
    let v = nalgebra::Vector3::new(1.0_f64, 2.0, 3.0);
    check(&x(vec![v; 4]), "x <f8 (4, 3)");
    check(&x(v), "x <f8 (3,)");
    // A flat, column-major tuple.
    check(&x(nalgebra::Matrix2x3::new(1.0, 2.0, 3.0, 4.0, 5.0, 6.0)), "x <f8 (6,)");
    check(
        &x(nalgebra::DMatrix::<f32>::zeros(2, 3)),
        "x/0 <f4 (6,); x/1 <u8 (); x/2 <u8 ()",
    );
    check(&x(vec![nalgebra::Point2::new(1.0, 2.0)]), "x <f8 (1, 2)");
    check(&x(vec![glam::Vec3::new(1.0, 2.0, 3.0); 2]), "x <f4 (2, 3)");
    check(&x(vec![glam::DVec2::new(1.0, 2.0)]), "x <f8 (1, 2)");
    check(&x(glam::Quat::IDENTITY), "x <f4 (4,)");
    check(&x(vec![x(glam::Vec2::ONE)]), "x [('x', '<f4', (2,))] (1,)");
}

#[test]
fn containers() {
    check(&x(VecDeque::from([1_u16, 2])), "x <u2 (2,)");
    check(&x(LinkedList::from([1_u16, 2])), "x <u2 (2,)");
    check(&x(BTreeSet::from([1_u16, 2])), "x <u2 (2,)");
    check(&x(HashSet::from([1_u16])), "x <u2 (1,)");
    check(&x(Arc::<[f64]>::from([1.0, 2.0])), "x <f8 (2,)");
    check(&x(Box::<[f64]>::from([1.0, 2.0])), "x <f8 (2,)");
    check(&x(Box::<str>::from("text")), "x <U4 ()");
    check(
        &x(smallvec::SmallVec::<[f32; 2]>::from_slice(&[1.0, 2.0, 3.0])),
        "x <f4 (3,)",
    );
    check(&x(arrayvec::ArrayVec::<f32, 4>::from_iter([1.0, 2.0])), "x <f4 (2,)");
    check(&x(arrayvec::ArrayString::<8>::from("abc").unwrap()), "x <U3 ()");
    check(
        &x(indexmap::IndexMap::from([("b".to_owned(), 1_u8), ("a".to_owned(), 2)])),
        "x/b |u1 (); x/a |u1 ()",
    );
    check(&x(indexmap::IndexSet::from([3_u8, 1])), "x |u1 (2,)");
    check(&x(BTreeMap::from([("k".to_owned(), vec![1.0])])), "x/k <f8 (1,)");
    let map: HashMap<String, Vec<f64>> = (0..20).map(|i| (format!("k{i}"), vec![f64::from(i)])).collect();
    let bytes = to_npz_vec(&x(map.clone())).unwrap();
    check_back(&x(map), &bytes);
    check(&x(vec![VecDeque::from([1_u8]), VecDeque::from([2])]), "x |u1 (2, 1)");
}

#[test]
fn scalars_of_other_crates() {
    use ordered_float::{NotNan, OrderedFloat};
    check(&x(OrderedFloat(1.5_f64)), "x <f8 ()");
    check(&x(vec![OrderedFloat(1.5_f32)]), "x <f4 (1,)");
    check(&x(vec![NotNan::new(1.5_f64).unwrap()]), "x <f8 (1,)");
    check(&x(vec![half::f16::ONE]), "x <f2 (1,)");
    check(&x(vec![num_complex::Complex::new(1.0_f32, 2.0)]), "x <c8 (1,)");
    check(&x(vec![std::num::NonZeroU32::MIN]), "x <u4 (1,)");
    check(&x(vec![std::num::Wrapping(3_u8)]), "x |u1 (1,)");
    check(&x(vec![std::cmp::Reverse(3_u8)]), "x |u1 (1,)");
    check(&x(vec![Duration::new(1, 2)]), "x <m8[ns] (1,)");
    check(&x(UNIX_EPOCH + Duration::new(1, 2)), "x <M8[ns] ()");
    check(&x(1..4_u8), "x/start |u1 (); x/end |u1 ()");
    check(&x(vec![1..4_u8, 2..5]), "x [('start', '|u1'), ('end', '|u1')] (2,)");
    check(&x(Ok::<u8, String>(1)), "x/Ok |u1 ()");
}

#[test]
fn texts_of_other_crates() {
    let id = uuid::Uuid::from_u128(0x1234_5678_9abc_def0_1234_5678_9abc_def0);
    check(&x(id), "x <U36 ()");
    check(&x(vec![id, uuid::Uuid::nil()]), "x <U36 (2,)");
    check(&x("127.0.0.1".parse::<IpAddr>().unwrap()), "x <U9 ()");
    check(&x(vec!["::1".parse::<IpAddr>().unwrap()]), "x <U3 (1,)");
    check(&x(PathBuf::from("/tmp/x")), "x <U6 ()");
    let time = chrono::DateTime::from_timestamp(1_700_000_000, 0).unwrap();
    check(&x(time), "x <U20 ()");
    check(&x(vec![time.naive_utc(), time.naive_utc()]), "x <U19 (2,)");
    check(&x(time.date_naive()), "x <U10 ()");
}

#[test]
fn records_of_other_crates() {
    #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
    struct Row {
        id: uuid::Uuid,
        at: chrono::NaiveDate,
        v: nalgebra::Vector3<f32>,
        z: num_complex::Complex<f64>,
        h: half::f16,
        o: ordered_float::OrderedFloat<f64>,
        d: Duration,
    }
    let row = Row {
        id: uuid::Uuid::nil(),
        at: chrono::NaiveDate::from_ymd_opt(2024, 2, 29).unwrap(),
        v: nalgebra::Vector3::new(1.0, 2.0, 3.0),
        z: num_complex::Complex::new(1.0, 2.0),
        h: half::f16::ONE,
        o: ordered_float::OrderedFloat(0.5),
        d: Duration::new(1, 2),
    };
    let descr = "[('id', '<U36'), ('at', '<U10'), ('v', '<f4', (3,)), ('z', '<c16'), ('h', '<f2'), ('o', '<f8'), \
                 ('d', '<m8[ns]')]";
    check(&x(vec![row.clone(), row]), &format!("x {descr} (2,)"));
}

#[test]
fn json_values() {
    let json = serde_json::json!({
        "a": 1, "b": [1.5, 2.5], "c": "text", "d": true, "e": {"f": [[1, 2], [3, 4]]}, "g": null, "h": [], "i": {}
    });
    let bytes = to_npz_vec(&json).unwrap();
    assert_eq!(
        table(&bytes),
        "a <u8 (); b <f8 (2,); c <U4 (); d |b1 (); e/f <u8 (2, 2); g |V0 (); h <f8 (0,); i |V0 (0,)"
    );
    assert_eq!(from_npz_slice::<serde_json::Value>(&bytes).unwrap(), json);
    let mixed = serde_json::json!({"m": [1, "a"]});
    let bytes = to_npz_vec(&mixed).unwrap();
    assert_eq!(table(&bytes), "m/0 <u8 (); m/1 <U1 ()");
    assert_eq!(from_npz_slice::<serde_json::Value>(&bytes).unwrap(), mixed);
    let rows = serde_json::json!([{"w": [1]}, {"w": [2, 3]}]);
    assert_eq!(
        from_npz_slice::<serde_json::Value>(&to_npz_vec(&rows).unwrap()).unwrap(),
        rows
    );
}

#[test]
fn anything_reads_as_json_and_any() {
    let bytes = to_npz_vec(&x((vec![1_u8, 2], Some(1.5), "a", vec![(1_u8, 2.5)]))).unwrap();
    let json: serde_json::Value = from_npz_slice(&bytes).unwrap();
    assert_eq!(
        json,
        serde_json::json!({"x": [[1, 2], 1.5, "a", [{"f0": 1, "f1": 2.5}]]})
    );
    let transcoded = serde_json::to_value(from_npz_slice::<serde_json::Value>(&bytes).unwrap()).unwrap();
    assert_eq!(transcoded, json);
    assert!(matches!(
        from_npz_slice::<Any>(&bytes).unwrap().field("x"),
        Some(Any::Seq(_))
    ));
}

/// A serializer of ours from outside: `add` takes whatever is `Serialize`, wrapped ones as well.
struct Tracked<'a, T>(&'a T);

impl<T: Serialize> Serialize for Tracked<'_, T> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut track = serde_path_to_error::Track::new();
        self.0
            .serialize(serde_path_to_error::Serializer::new(serializer, &mut track))
    }
}

struct TrackedBack<T>(T);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for TrackedBack<T> {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut track = serde_path_to_error::Track::new();
        T::deserialize(serde_path_to_error::Deserializer::new(deserializer, &mut track)).map(TrackedBack)
    }
}

struct Erased<'a>(&'a dyn erased_serde::Serialize);

impl Serialize for Erased<'_> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        erased_serde::serialize(self.0, serializer)
    }
}

struct ErasedBack<T>(T);

impl<'de, T: serde::de::DeserializeOwned> Deserialize<'de> for ErasedBack<T> {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut erased = <dyn erased_serde::Deserializer<'_>>::erase(deserializer);
        erased_serde::deserialize(&mut erased)
            .map(ErasedBack)
            .map_err(serde::de::Error::custom)
    }
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Model {
    name: String,
    layers: Vec<Layer>,
    points: Vec<(f64, u8)>,
    image: Array2<f32>,
    numbers: Vec<f64>,
    state: State,
    // An adapter hides the type: there a None is a marker, which is as good a None to a reader.
    #[serde(skip_serializing_if = "Option::is_none")]
    none: Option<u8>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Layer {
    w: Vec<Vec<f32>>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
enum State {
    Running { step: u32 },
}

fn model() -> Model {
    Model {
        name: "m".into(),
        layers: vec![
            Layer {
                w: vec![vec![1.0; 2]; 2],
            },
            Layer { w: vec![vec![2.0]] },
        ],
        points: vec![(1.0, 2)],
        image: Array2::ones((2, 2)),
        numbers: vec![1.0, 2.0],
        state: State::Running { step: 1 },
        none: None,
    }
}

#[test]
fn adapters_see_the_same_bytes() {
    let model = model();
    let bytes = to_npz_vec(&model).unwrap();
    assert_eq!(to_npz_vec(&Tracked(&model)).unwrap(), bytes);
    assert_eq!(to_npz_vec(&Erased(&model)).unwrap(), bytes);
    assert_eq!(from_npz_slice::<TrackedBack<Model>>(&bytes).unwrap().0, model);
    assert_eq!(from_npz_slice::<ErasedBack<Model>>(&bytes).unwrap().0, model);
}

/// Adapters that wrap a deserializer, around each of the three that there are.
#[test]
fn adapters_around_deserializers() {
    let model = model();
    let bytes = to_npz_vec(&model).unwrap();
    let mut reader = NpzReader::new(Cursor::new(&bytes)).unwrap();
    assert_eq!(
        serde_path_to_error::deserialize::<_, Model>(reader.deserializer()).unwrap(),
        model
    );
    let mut erased = <dyn erased_serde::Deserializer<'_>>::erase(reader.deserializer());
    assert_eq!(erased_serde::deserialize::<Model>(&mut erased).unwrap(), model);
    let slice = Deserializer::from_npz_slice(&bytes).unwrap();
    assert_eq!(serde_path_to_error::deserialize::<_, Model>(slice).unwrap(), model);

    let json = serde_json::json!({"a": [[1, 2], [3, 4]], "b": {"c": "text"}, "d": [{"x": 1, "y": 2.5}]});
    let bytes = to_npz_vec(&json).unwrap();
    let deserializer = Deserializer::from_npz_slice(&bytes).unwrap();
    let transcoded = serde_transcode::transcode(deserializer, serde_json::value::Serializer).unwrap();
    assert_eq!(transcoded, json);

    // From an array to an array: what is transcoded can give its elements only once.
    let array = to_npy_vec(&vec![[1.5, 2.5], [3.5, 4.5]]).unwrap();
    let mut again = Vec::new();
    let deserializer = Deserializer::from_npy_slice(&array).unwrap();
    serde_transcode::transcode(deserializer, NpySerializer::new(&mut again)).unwrap();
    assert!(again == array);
}

/// What a deserializer leaves unread is checked as by the functions: the members' own headers, and the end of the array.
#[test]
fn a_deserializer_checks_what_a_function_checks() {
    let bytes = to_npz_vec(&model()).unwrap();
    let mut damaged = bytes.clone();
    let at = damaged.windows(2).position(|two| two == b"PK").unwrap() + 14;
    damaged[at] ^= 1; // the checksum in the first local header
    let direct = from_npz_slice::<serde::de::IgnoredAny>(&damaged)
        .map(drop)
        .map_err(|err| err.to_string());
    let seeded = Deserializer::from_npz_slice(&damaged)
        .and_then(|deserializer| serde::de::IgnoredAny::deserialize(deserializer).map(drop));
    assert_eq!(seeded.map_err(|err| err.to_string()), direct);
    assert!(direct.is_err());
}

#[test]
fn members_one_by_one() {
    let bytes = to_npz_vec(&model()).unwrap();
    let mut reader = NpzReader::new(Cursor::new(&bytes)).unwrap();
    assert_eq!(reader.get::<Vec<Layer>>("layers").unwrap(), model().layers);
    assert_eq!(reader.get::<Layer>("layers/1").unwrap(), model().layers[1]);
    assert_eq!(reader.get::<Array2<f32>>("layers/1/w").unwrap(), ndarray::array![[2.0]]);
    assert_eq!(reader.get::<State>("state").unwrap(), model().state);
    assert_eq!(reader.deserialize::<Model>().unwrap(), model());
}

#[test]
fn an_erased_array_of_ndarray_is_an_array() {
    #[derive(Serialize, Deserialize, Debug, PartialEq)]
    struct It {
        #[serde(with = "serde_npz::with::ndarray_0_17")]
        x: Array2<f64>,
    }
    let it = It {
        x: ndarray::array![[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]].reversed_axes(),
    };
    let erased: &dyn erased_serde::Serialize = &it;
    let bytes = to_npz_vec(erased).unwrap();
    assert_eq!(from_npz_slice::<It>(&bytes).unwrap(), it);
}

/// What is wrong with an ndarray or a matrix is told with the module that reads it, and what is a group with its option.
#[test]
fn errors_of_arrays_name_their_module() {
    #[derive(Debug, Serialize, Deserialize)]
    struct Of<T> {
        x: T,
    }
    #[derive(Debug, Serialize, Deserialize)]
    struct Flat<T> {
        #[serde(flatten)]
        all: Of<T>,
    }
    #[track_caller]
    fn refused<T: serde::de::DeserializeOwned>(bytes: &[u8], words: &[&str]) {
        let err = serde_npz::from_npz_slice::<T>(bytes).map(drop).unwrap_err();
        assert_eq!(err.kind(), serde_npz::ErrorKind::TypeMismatch, "{err:#}");
        for word in words {
            assert!(format!("{err:#}").contains(word), "{err:#} does not name {word}");
        }
    }
    let bytes = serde_npz::to_npz_vec(&Of {
        x: vec![[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]],
    })
    .unwrap();
    refused::<Of<ndarray::Array1<f64>>>(&bytes, &["(2, 3)", "with::ndarray_0_17"]);
    refused::<Of<ndarray::Array3<f64>>>(&bytes, &["(2, 3)", "with::ndarray_0_17"]);
    refused::<Of<Vec<ndarray::Array2<f64>>>>(&bytes, &["(2, 3)", "with::ndarray_0_17"]);
    refused::<Of<nalgebra::DMatrix<f64>>>(&bytes, &["(2, 3)", "with::nalgebra_0_34"]);
    refused::<Of<nalgebra::Matrix2x3<f64>>>(&bytes, &["(2, 3)", "with::nalgebra_0_34"]);
    refused::<Flat<ndarray::Array2<f64>>>(&bytes, &["with::ndarray_0_17"]);
    let npy = serde_npz::to_npy_vec(&vec![[1.0, 2.0]]).unwrap();
    let err = serde_npz::from_npy_slice::<nalgebra::DMatrix<f64>>(&npy).unwrap_err();
    assert!(err.hint().unwrap().contains("with::nalgebra_0_34"), "{err:#}");

    let keras = std::collections::BTreeMap::from([("dense/kernel:0", vec![1.0_f32])]);
    let bytes = serde_npz::WriteOptions::new()
        .separator(None)
        .to_npz_vec(&keras)
        .unwrap();
    type Weights = std::collections::HashMap<String, ndarray::ArrayD<f32>>;
    refused::<Weights>(&bytes, &["dense: ", "group", "separator(None)"]);
    let whole = serde_npz::ReadOptions::new().separator(None);
    assert_eq!(
        whole.from_npz_slice::<Weights>(&bytes).unwrap()["dense/kernel:0"].shape(),
        [1]
    );
}
