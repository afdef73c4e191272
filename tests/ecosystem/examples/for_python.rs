//! The Rust side of the tests in `python/tests`.
//!
//! ```text
//! for_python write DIR              one archive for each value below; test_rust.py has the same values
//! for_python copy FROM TO ..        archives read as any value and written again
//! ```

use std::collections::BTreeMap;
use std::path::Path;
use std::time::{Duration, UNIX_EPOCH};
use std::{env, process};

use half::f16;
use num_complex::Complex;
use serde::Serialize;
use serde_bytes::Bytes;
use serde_npz::{Value, load_npz, save_npz};

#[derive(Clone, Serialize)]
struct Point {
    east: f64,
    north: f64,
}

#[derive(Serialize)]
struct Layer {
    w: Vec<Vec<f32>>,
    b: Vec<f32>,
}

#[derive(Serialize)]
struct Marked {
    at: Point,
    id: [u32; 2],
    of: (u8, f64),
}

#[derive(Serialize)]
struct Imu {
    t: f64,
    temp: Option<f32>,
    on: Option<bool>,
}

#[derive(Serialize)]
struct Outer {
    n: i64,
    imu: Option<Imu>,
}

#[derive(Serialize)]
enum Side {
    Left,
    Right,
}

#[derive(Serialize)]
enum State {
    Running { step: u32 },
}

#[derive(Serialize)]
struct Scalars {
    truth: bool,
    int: i64,
    large: u64,
    larger: u128,
    negative: i128,
    byte: u8,
    half: f16,
    single: f32,
    double: f64,
    complex: Complex<f64>,
    text: &'static str,
    nothing: &'static str,
    unit: (),
    side: Side,
    some: Option<f64>,
    none: Option<f64>,
    length: Duration,
    #[serde(rename = "größe")]
    size: f64,
}

#[derive(Serialize)]
struct Arrays<'a> {
    floats: Vec<f64>,
    matrix: Vec<Vec<i32>>,
    points: Vec<[f64; 3]>,
    empty: Vec<f32>,
    rows: Vec<Vec<i64>>,
    texts: Vec<&'static str>,
    bytes: &'a Bytes,
    raw: Vec<&'a Bytes>,
    sides: Vec<Side>,
    complex: Vec<Complex<f32>>,
    wide: Vec<u128>,
    #[serde(with = "serde_npz::with::datetime64::s")]
    times: Vec<i64>,
}

#[derive(Serialize)]
struct Records {
    plain: Vec<Point>,
    tuples: Vec<(u8, &'static str)>,
    marked: Vec<Marked>,
    imu: Vec<Imu>,
    maybe: Vec<Option<Point>>,
    nested: Vec<Outer>,
    tuple_maybe: Vec<(u8, Option<&'static str>)>,
}

#[derive(Serialize)]
struct Groups {
    point: Point,
    map: BTreeMap<&'static str, f64>,
    numbered: BTreeMap<i64, Vec<u8>>,
    nones: BTreeMap<&'static str, Option<f64>>,
    nothing: BTreeMap<String, f64>,
    state: State,
    mixed: (i64, f64),
    pair: (f64, f64),
    vectors: (Vec<f64>, Vec<f64>),
}

#[derive(Serialize)]
struct Lists {
    layers: Vec<Layer>,
    maybe: Vec<Option<Vec<f64>>>,
    #[serde(with = "serde_npz::with::list")]
    rows: Vec<Vec<f64>>,
}

#[derive(Serialize)]
struct With {
    #[serde(with = "serde_npz::with::ragged")]
    rows: Vec<Vec<f64>>,
    #[serde(with = "serde_npz::with::ragged")]
    words: Vec<&'static str>,
    #[serde(with = "serde_npz::with::masked")]
    ints: Vec<Option<i32>>,
    #[serde(with = "serde_npz::with::masked")]
    floats: Vec<[Option<f64>; 2]>,
    #[serde(with = "serde_npz::with::masked")]
    texts: Vec<Option<&'static str>>,
    #[serde(with = "serde_npz::with::masked")]
    triples: Vec<Option<[f64; 3]>>,
    #[serde(with = "serde_npz::with::masked")]
    points: Vec<Option<Point>>,
    maybe: Vec<Option<[u32; 3]>>,
    #[serde(with = "serde_npz::with::json")]
    settings: serde_json::Value,
    #[serde(with = "serde_npz::with::columns")]
    columns: Vec<(u8, Option<f64>)>,
}

fn layer(n: usize) -> Layer {
    Layer {
        w: vec![vec![1.0, 2.0]; n],
        b: vec![0.5],
    }
}

fn imu(temp: Option<f32>, on: Option<bool>) -> Imu {
    Imu { t: 0.5, temp, on }
}

fn point() -> Point {
    Point { east: 1.0, north: 2.0 }
}

fn write(dir: &Path) -> serde_npz::Result<()> {
    let scalars = Scalars {
        truth: true,
        int: -7,
        large: u64::MAX,
        larger: u128::MAX - 1,
        negative: i128::MIN + 1,
        byte: 7,
        half: f16::from_f32(0.5),
        single: 0.25,
        double: -0.0,
        complex: Complex::new(1.0, -2.0),
        text: "π and 🦀",
        nothing: "",
        unit: (),
        side: Side::Right,
        some: Some(0.5),
        none: None,
        length: Duration::from_millis(1500),
        size: 1.5,
    };
    save_npz(dir.join("scalars"), &scalars)?;
    let arrays = Arrays {
        floats: (0..100_000).map(f64::from).collect(),
        matrix: vec![vec![1, 2], vec![3, 4], vec![5, 6]],
        points: vec![[0.5, 1.0, 1.5]; 5],
        empty: Vec::new(),
        rows: vec![Vec::new(); 2],
        texts: vec!["a", "bcd", "é"],
        bytes: Bytes::new(b"\0\x01\x02"),
        raw: vec![Bytes::new(b"ab"), Bytes::new(b"cd")],
        sides: vec![Side::Left, Side::Right],
        complex: vec![Complex::new(1.0, 2.0); 2],
        wide: vec![1, 1 << 100],
        times: vec![0, 86_400],
    };
    save_npz(dir.join("arrays"), &arrays)?;
    let records = Records {
        plain: vec![point(); 9],
        tuples: vec![(1, "on"), (2, "off")],
        marked: vec![Marked {
            at: point(),
            id: [1, 2],
            of: (3, 0.5),
        }],
        imu: vec![imu(Some(20.0), None), imu(None, None), imu(Some(1.0), Some(true))],
        maybe: vec![Some(point()), None],
        nested: vec![
            Outer {
                n: 1,
                imu: Some(imu(None, Some(true))),
            },
            Outer { n: 2, imu: None },
            Outer {
                n: 3,
                imu: Some(imu(Some(1.0), None)),
            },
        ],
        tuple_maybe: vec![(1, Some("on")), (2, None)],
    };
    save_npz(dir.join("records"), &records)?;
    let groups = Groups {
        point: point(),
        map: BTreeMap::from([("a", 1.0), ("b", 2.0)]),
        numbered: BTreeMap::from([(7, vec![1])]),
        nones: BTreeMap::from([("a", None)]),
        nothing: BTreeMap::new(),
        state: State::Running { step: 3 },
        mixed: (1, 0.5),
        pair: (1.0, 2.0),
        vectors: (vec![1.0, 2.0], vec![3.0]),
    };
    save_npz(dir.join("groups"), &groups)?;
    let lists = Lists {
        layers: (0..12).map(layer).collect(),
        maybe: vec![Some(vec![1.0]), None],
        rows: vec![vec![1.0], vec![2.0, 3.0]],
    };
    save_npz(dir.join("lists"), &lists)?;
    let with = With {
        rows: vec![vec![1.0, 2.0], vec![], vec![3.0]],
        words: vec!["ab", "", "é"],
        ints: vec![Some(7), None, Some(9)],
        floats: vec![[Some(1.0), None], [None, Some(2.0)]],
        texts: vec![Some("yes"), None],
        triples: vec![Some([1.0, 2.0, 3.0]), None],
        points: vec![Some(point()), None],
        maybe: vec![Some([1, 2, 3]), None],
        settings: serde_json::json!({"name": "größe \"x\"\n", "rate": 0.5, "steps": [1, null, true], "inner": {}}),
        columns: vec![(1, Some(0.5)), (2, None)],
    };
    save_npz(dir.join("with"), &with)?;
    // Padding of every length.
    let names: BTreeMap<String, i64> = (1..80).map(|len| ("n".repeat(len), len as i64)).collect();
    save_npz(dir.join("names"), &names)?;
    save_npz(
        dir.join("many"),
        &(0..65_600_u32)
            .map(|i| (i, 0.5))
            .chain([(1 << 20, 1.5)])
            .collect::<BTreeMap<_, _>>(),
    )?;
    save_npz(dir.join("positional"), &(vec![1.0, 2.0], 0.5, "a"))?;
    save_npz(dir.join("listed"), &vec![layer(1), layer(2)])?;
    save_npz(dir.join("nothing"), &())?;
    save_npz(dir.join("time"), &BTreeMap::from([("t", UNIX_EPOCH)]))?;
    Ok(())
}

fn copy(paths: &[String]) -> serde_npz::Result<()> {
    for pair in paths.chunks_exact(2) {
        let value: Value = load_npz(&pair[0])?;
        save_npz(&pair[1], &value)?;
    }
    Ok(())
}

fn main() {
    let args: Vec<String> = env::args().skip(1).collect();
    let done = match args.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["write", dir] => write(Path::new(dir)),
        ["copy", ..] => copy(&args[1..]),
        _ => {
            eprintln!("expected `write DIR` or `copy FROM TO ..`");
            process::exit(2);
        }
    };
    if let Err(err) = done {
        eprintln!("{err:#}");
        process::exit(1);
    }
}
