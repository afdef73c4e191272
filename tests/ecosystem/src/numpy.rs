//! NumPy itself: what it loads of our files, and what it would have written.

use std::collections::BTreeMap;
use std::time::{Duration, UNIX_EPOCH};

use crate::common::{Any, Scratch};
use crate::tree::{Node, root};
use num_complex::Complex;
use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::TestRunner;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use serde_npz::{WriteOptions, load_npy, load_npz, save_npy, save_npz};

/// Every member: dtype, shape and values as JSON; `np.save` of it has to give the member's own bytes.
const LOAD: &str = r#"
import io, json, sys, warnings, zipfile
import numpy as np
warnings.simplefilter("ignore")

def show(x):
    if isinstance(x, np.ndarray):
        return [show(item) for item in x] if x.ndim else show(x[()])
    if isinstance(x, np.void):
        if x.dtype.names is None:
            return list(x.tobytes())
        return {name: show(x[name]) for name in x.dtype.names}
    if isinstance(x, (np.datetime64, np.timedelta64)):
        return int(x.astype("i8"))
    if isinstance(x, np.complexfloating):
        return [show(x.real), show(x.imag)]
    if isinstance(x, np.floating):
        x = float(x)
        return x if np.isfinite(x) else str(x)
    return x.item()

def descr(dtype):
    return repr(dtype.descr) if dtype.names else dtype.str

seen, wrong = [], []
with np.load(sys.argv[1]) as z, zipfile.ZipFile(sys.argv[1]) as f:
    assert f.testzip() is None
    assert z.files == [n.removesuffix(".npy") for n in f.namelist()]
    for name in z.files:
        a = z[name]
        seen.append([name, descr(a.dtype), list(a.shape), show(a)])
        out = io.BytesIO()
        np.save(out, a)
        ours = f.read(name + ".npy")
        if out.getvalue() != ours:
            wrong.append([name, repr(out.getvalue()[:300]), repr(ours[:300])])
print(json.dumps({"seen": seen, "wrong": wrong}))
"#;

#[track_caller]
fn load(path: &std::path::Path) -> Vec<(String, String, Vec<usize>, Value)> {
    let answer: Value = serde_json::from_str(&crate::common::python(LOAD, &[path.as_os_str()])).unwrap();
    let wrong = answer["wrong"].as_array().unwrap();
    assert!(
        wrong.is_empty(),
        "{} members that np.save writes otherwise, first {:#?}",
        wrong.len(),
        &wrong[..1]
    );
    serde_json::from_value(answer["seen"].clone()).unwrap()
}

#[test]
#[ignore = "needs Python with NumPy"]
fn random_trees() {
    let dir = Scratch::new("live-trees");
    let mut runner = TestRunner::deterministic();
    let batch: Vec<Node> = (0..150)
        .map(|_| root().new_tree(&mut runner).unwrap().current())
        .collect();
    for (name, options) in [
        ("stored", WriteOptions::new()),
        ("deflated", WriteOptions::new().compressed()),
    ] {
        let path = options.save_npz(dir.path(name), &batch).unwrap();
        let mut members = Vec::new();
        for (i, node) in batch.iter().enumerate() {
            node.members(&i.to_string(), &mut members);
        }
        let seen = load(&path);
        assert_eq!(seen.len(), members.len());
        for ((name, value, dtype, shape), (seen_name, seen_dtype, seen_shape, seen_value)) in members.iter().zip(&seen)
        {
            assert_eq!((name, dtype, shape), (seen_name, seen_dtype, seen_shape));
            assert!(
                same(value, seen_value),
                "{name}: wrote {value:?}, NumPy sees {seen_value}"
            );
        }
    }
}

/// Ours against JSON: infinities are texts there, bytes lists.
fn same(ours: &Any, numpy: &Value) -> bool {
    match (ours, numpy) {
        (Any::Bool(v), numpy) => numpy == v,
        (Any::Int(v), numpy) => numpy.as_i64() == Some(*v),
        (Any::Uint(v), numpy) => numpy.as_u64() == Some(*v),
        (Any::Float(v), Value::String(text)) => *text == v.to_string(),
        (Any::Float(v), numpy) => numpy.as_f64().is_some_and(|n| n.to_bits() == v.to_bits()),
        (Any::Str(v), numpy) => numpy == v.as_str(),
        (Any::Bytes(v), Value::Array(bytes)) => bytes.iter().map(Value::as_u64).eq(v.iter().map(|&b| Some(b.into()))),
        (Any::Seq(v), Value::Array(items)) => v.len() == items.len() && v.iter().zip(items).all(|(v, n)| same(v, n)),
        (Any::Map(v), Value::Object(fields)) => {
            v.len() == fields.len() && v.iter().all(|(key, v)| fields.get(key).is_some_and(|n| same(v, n)))
        }
        _ => false,
    }
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Everything {
    flag: bool,
    half: half::f16,
    complex: Vec<Complex<f64>>,
    narrow: Complex<f32>,
    letter: char,
    empty_text: String,
    bytes: serde_bytes::ByteBuf,
    fixed: Vec<serde_bytes::ByteBuf>,
    image: ndarray::Array3<u8>,
    took: Duration,
    when: Vec<std::time::SystemTime>,
    marker: (),
    rows: Vec<Row>,
    wide: Vec<Wide>,
    none: Option<f64>,
    empty: Vec<i16>,
    hollow: Vec<Vec<f32>>,
    no_group: BTreeMap<String, u8>,
    big: Vec<f64>,
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Row {
    #[serde(rename = "名前 it's")]
    name: String,
    inner: (u8, (i16, i16)),
    nested: Vector,
    nothing: (),
    raw: serde_bytes::ByteBuf,
    z: Complex<f32>,
    h: half::f16,
    d: Duration,
    c: char,
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Vector {
    xyz: [[f32; 3]; 2],
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Wide {
    a_rather_long_name_to_make_the_header_longer_than_one_line_of_padding: u8,
    another_rather_long_name_to_make_the_header_longer_than_one_line_of_padding: u8,
}

fn everything() -> Everything {
    let z = Complex::new(1.5, -2.5);
    Everything {
        flag: true,
        half: half::f16::from_f32(0.1),
        complex: vec![z, z],
        narrow: Complex::new(0.5, -0.0),
        letter: 'é',
        empty_text: String::new(),
        bytes: vec![1, 0].into(),
        fixed: vec![vec![1, 0].into(), vec![0, 0].into()],
        image: ndarray::Array3::from_shape_fn((2, 3, 4), |(i, j, k)| (i * 12 + j * 4 + k) as u8),
        took: Duration::new(3, 4),
        when: vec![UNIX_EPOCH + Duration::new(1_700_000_000, 5), UNIX_EPOCH],
        marker: (),
        rows: vec![Row {
            name: "名前".into(),
            inner: (1, (2, 3)),
            nested: Vector {
                xyz: [[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]],
            },
            nothing: (),
            raw: vec![7, 0].into(),
            z: Complex::new(1.0, 2.0),
            h: half::f16::ONE,
            d: Duration::new(0, 9),
            c: '🦀',
        }],
        wide: vec![Wide {
            a_rather_long_name_to_make_the_header_longer_than_one_line_of_padding: 1,
            another_rather_long_name_to_make_the_header_longer_than_one_line_of_padding: 2,
        }],
        none: None,
        empty: vec![],
        hollow: vec![vec![], vec![]],
        no_group: BTreeMap::new(),
        big: (0..12_345).map(f64::from).collect(),
    }
}

#[test]
#[ignore = "needs Python with NumPy"]
fn every_row_of_the_table() {
    let dir = Scratch::new("live-table");
    let value = everything();
    let path = save_npz(dir.path("table"), &value).unwrap();
    let seen: BTreeMap<String, (String, Vec<usize>, Value)> = load(&path)
        .into_iter()
        .map(|(name, dtype, shape, value)| (name, (dtype, shape, value)))
        .collect();
    let row = |name: &str| (seen[name].0.as_str(), &seen[name].1[..]);
    assert_eq!(row("flag"), ("|b1", &[][..]));
    assert_eq!(row("half"), ("<f2", &[][..]));
    assert_eq!(row("complex"), ("<c16", &[2][..]));
    assert_eq!(seen["complex"].2, serde_json::json!([[1.5, -2.5], [1.5, -2.5]]));
    assert_eq!(row("narrow"), ("<c8", &[][..]));
    assert_eq!(row("letter"), ("<U1", &[][..]));
    assert_eq!(row("empty_text"), ("<U1", &[][..]));
    assert_eq!(row("bytes"), ("|u1", &[2][..]));
    assert_eq!(row("fixed"), ("|V2", &[2][..]));
    assert_eq!(row("image"), ("|u1", &[2, 3, 4][..]));
    assert_eq!(seen["image"].2[1][2][3], 23);
    assert_eq!(row("took"), ("<m8[ns]", &[][..]));
    assert_eq!(seen["took"].2, 3_000_000_004_u64);
    assert_eq!(row("when"), ("<M8[ns]", &[2][..]));
    assert_eq!(seen["when"].2[0], 1_700_000_000_000_000_005_u64);
    assert_eq!(row("marker"), ("|V0", &[][..]));
    assert_eq!(row("empty"), ("<i2", &[0][..]));
    assert_eq!(row("hollow"), ("<f4", &[2, 0][..]));
    assert_eq!(row("no_group"), ("|V0", &[0][..]));
    assert_eq!(seen["rows"].2[0]["名前 it's"], "名前");
    assert_eq!(seen["rows"].2[0]["inner"]["f1"], serde_json::json!([2, 3]));
    assert_eq!(seen["rows"].2[0]["nested"]["xyz"][1][2], 6.0);
    assert!(!seen.contains_key("none"));
    assert_eq!(load_npz::<Everything>(&path).unwrap(), value);
    // And back through NumPy's own writers.
    let script = r#"
import sys, warnings
import numpy as np
warnings.simplefilter("ignore")
with np.load(sys.argv[1]) as z:
    np.savez(sys.argv[2], **z)
    np.savez_compressed(sys.argv[3], **z)
"#;
    let (plain, packed) = (dir.path("plain.npz"), dir.path("packed.npz"));
    crate::common::python(script, &[path.as_os_str(), plain.as_os_str(), packed.as_os_str()]);
    assert_eq!(load_npz::<Everything>(&plain).unwrap(), value);
    assert_eq!(load_npz::<Everything>(&packed).unwrap(), value);
}

#[test]
#[ignore = "needs Python with NumPy"]
fn lone_arrays_and_foreign_layouts() {
    let dir = Scratch::new("live-npy");
    let path = save_npy(dir.path("ours"), &vec![[1.0_f32, 2.0], [3.0, 4.0]]).unwrap();
    let script = r#"
import sys, io
import numpy as np
a = np.load(sys.argv[1])
assert a.dtype == np.dtype("<f4") and a.shape == (2, 2) and a.tolist() == [[1, 2], [3, 4]]
out = io.BytesIO(); np.save(out, a)
assert out.getvalue() == open(sys.argv[1], "rb").read()
np.save(sys.argv[2], np.asfortranarray(a))
np.save(sys.argv[3], a.astype(">f4"))
np.save(sys.argv[4], np.array([(1, 2.5)], dtype=np.dtype([("a", "i4"), ("b", "f8")], align=True)))
np.save(sys.argv[5], np.array(["2024-02-29T12:00", "NaT"], dtype="M8[m]"))
"#;
    let theirs: Vec<_> = ["f.npy", "big.npy", "aligned.npy", "times.npy"]
        .map(|name| dir.path(name))
        .into();
    let mut args = vec![path.as_os_str()];
    args.extend(theirs.iter().map(|path| path.as_os_str()));
    crate::common::python(script, &args);
    for path in &theirs[..2] {
        assert_eq!(load_npy::<Vec<[f32; 2]>>(path).unwrap(), [[1.0, 2.0], [3.0, 4.0]]);
        assert_eq!(
            load_npy::<ndarray::Array2<f32>>(path).unwrap(),
            ndarray::array![[1.0, 2.0], [3.0, 4.0]]
        );
    }
    assert_eq!(load_npy::<Vec<(i32, f64)>>(&theirs[2]).unwrap(), [(1, 2.5)]);
    let times: Vec<String> = load_npy(&theirs[3]).unwrap();
    assert_eq!(times, ["2024-02-29T12:00", "NaT"]);
    assert_eq!(load_npy::<Vec<i64>>(&theirs[3]).unwrap()[1], i64::MIN);
}
