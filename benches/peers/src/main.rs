//! One case of the comparison: `peers CASE` makes the data, then runs what it is told.
//!
//! ```text
//! stdin   ours save /tmp/x.npy       side, verb, path
//! stdout  27.412                     milliseconds, or a line `error: ..`
//! ```
//!
//! The data stays in memory between the lines, so that every round measures the same warm process.

use std::collections::BTreeMap;
use std::error::Error;
use std::fs::File;
use std::io::{BufReader, BufWriter, Write, stdin, stdout};
use std::path::Path;
use std::time::{Duration, Instant};

use half::f16;
use ndarray::{Array1, Array2, ArrayView1};
use npyz::WriterBuilder;
use num_complex::Complex;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_npz::{ReadOptions, WriteOptions};

#[path = "../../data/mod.rs"]
mod data;

use data::{DEFLATED, Four, LARGE, One, RECORDS, Record};

type Outcome<T = Duration> = Result<T, Box<dyn Error>>;

/// Runs one verb of one side on a path.
type Case = Box<dyn Fn(&str, &str, &Path) -> Outcome>;

fn main() -> Outcome<()> {
    let name = std::env::args()
        .nth(1)
        .ok_or("usage: peers CASE, then lines `side verb path`")?;
    let case = case(&name)?;
    for line in stdin().lines() {
        let line = line?;
        let mut words = line.splitn(3, ' ');
        let (Some(side), Some(verb), Some(path)) = (words.next(), words.next(), words.next()) else {
            return Err(format!("found the line {line:?}, expected a side, a verb and a path").into());
        };
        match case(side, verb, Path::new(path)) {
            Ok(time) => println!("{}", time.as_secs_f64() * 1e3),
            Err(error) => println!("error: {error}"),
        }
        stdout().flush()?;
    }
    Ok(())
}

fn case(name: &str) -> Outcome<Case> {
    Ok(match name {
        "f64" => numbers(data::sines(LARGE)),
        "swapped" => npy(data::sines(LARGE)),
        "rows" => npy(data::sines(LARGE).chunks(4000).map(<[f64]>::to_vec).collect::<Vec<_>>()),
        "ndarray" => npy::<Array2<f64>>(Array2::from_shape_vec((LARGE / 4000, 4000), data::sines(LARGE))?),
        "four" => four(data::four(&data::sines(LARGE)), false),
        "deflate-four" => four(data::four(&data::sines(DEFLATED)), true),
        "deflate-one" => npz(One {
            x: data::sines(DEFLATED),
        }),
        "deflate-steps" => npz(BTreeMap::from([("x".to_string(), data::steps(DEFLATED))])),
        "deflate-gaussians" => npz(One {
            x: data::gaussians(DEFLATED),
        }),
        "many" => npz(data::many()),
        "groups" => npz(groups()),
        "scalars" => npz((0..1000)
            .map(|i| (format!("s{i:03}"), f64::from(i)))
            .collect::<BTreeMap<_, _>>()),
        "records" => records(data::records(RECORDS)),
        "words" => npy(data::words(1_000_000)),
        "bool" => npy((0..LARGE).map(|i| i % 3 == 0).collect::<Vec<_>>()),
        "complex" => npy(data::sines(LARGE / 2)
            .iter()
            .map(|&x| Complex::new(x, -x))
            .collect::<Vec<_>>()),
        "f16" => npy(data::sines(LARGE).iter().map(|&x| f16::from_f64(x)).collect::<Vec<_>>()),
        _ => return Err(format!("found the case {name:?}, expected one of those in `case`").into()),
    })
}

/// What `f` takes; what it returns is dropped when the clock has stopped.
fn timed<R>(f: impl FnOnce() -> Outcome<R>) -> Outcome {
    let start = Instant::now();
    let result = f()?;
    let time = start.elapsed();
    drop(result);
    Ok(time)
}

/// `ours`, or `ours:2` with that many threads; a case's name tells whether it is compressed.
fn threads(side: &str) -> Option<Option<usize>> {
    match side.split_once(':') {
        None => (side == "ours").then_some(None),
        Some((name, n)) => (name == "ours").then(|| n.parse().ok()),
    }
}

fn unknown(side: &str, verb: &str) -> Outcome {
    Err(format!("no side {side:?} does {verb:?} in this case").into())
}

/// Ours on a `.npy`.
fn npy<T: Serialize + DeserializeOwned + 'static>(value: T) -> Case {
    Box::new(move |side, verb, path| match (side, verb) {
        ("ours", "save") => timed(|| Ok(serde_npz::save_npy(path, &value)?)),
        ("ours", "load") => timed(|| Ok(serde_npz::load_npy::<T>(path)?)),
        _ => unknown(side, verb),
    })
}

/// Ours on a `.npz`.
fn npz<T: Serialize + DeserializeOwned + 'static>(value: T) -> Case {
    Box::new(move |side, verb, path| ours_npz(&value, side, verb, path))
}

fn ours_npz<T: Serialize + DeserializeOwned>(value: &T, side: &str, verb: &str, path: &Path) -> Outcome {
    let Some(threads) = threads(side) else {
        return unknown(side, verb);
    };
    let (mut write, mut read) = (WriteOptions::new(), ReadOptions::new());
    if let Some(threads) = threads {
        write = write.threads(threads);
        read = read.threads(threads);
    }
    match verb {
        "save" => timed(|| Ok(write.save_npz(path, value)?)),
        "deflate" => timed(|| Ok(write.compressed().save_npz(path, value)?)),
        "load" => timed(|| Ok(read.load_npz::<T>(path)?)),
        _ => unknown(side, verb),
    }
}

fn numbers(values: Vec<f64>) -> Case {
    Box::new(move |side, verb, path| match (side, verb) {
        ("ours", "save") => timed(|| Ok(serde_npz::save_npy(path, &values)?)),
        ("ours", "load") => timed(|| Ok(serde_npz::load_npy::<Vec<f64>>(path)?)),
        ("ndarray-npy", "save") => {
            let array = ArrayView1::from(&values);
            timed(|| Ok(ndarray_npy::write_npy(path, &array)?))
        }
        ("ndarray-npy", "load") => timed(|| Ok(ndarray_npy::read_npy::<_, Array1<f64>>(path)?)),
        ("npyz", "save") => timed(|| npyz_save(&values, path)),
        ("npyz", "load") => timed(|| npyz_load::<f64>(path)),
        _ => unknown(side, verb),
    })
}

fn npyz_save<T: npyz::AutoSerialize>(values: &[T], path: &Path) -> Outcome<()> {
    let mut writer = npyz::WriteOptions::new()
        .default_dtype()
        .shape(&[values.len() as u64])
        .writer(BufWriter::new(File::create(path)?))
        .begin_nd()?;
    writer.extend(values)?;
    Ok(writer.finish()?)
}

fn npyz_load<T: npyz::Deserialize>(path: &Path) -> Outcome<Vec<T>> {
    Ok(npyz::NpyFile::new(BufReader::new(File::open(path)?))?.into_vec()?)
}

const NAMES: [&str; 4] = ["a", "b", "c", "d"];

fn members(value: &Four) -> [(&'static str, &[f64]); 4] {
    let [a, b, c, d] = NAMES;
    [(a, &value.a), (b, &value.b), (c, &value.c), (d, &value.d)]
}

/// Two crates of one descent: the same verbs, each over an ndarray of its own.
macro_rules! ndarray_peer {
    ($module:ident, $peer:ident, $ndarray:path) => {
        mod $module {
            use $ndarray as ndarray;

            use super::*;

            pub fn save(value: &Four, compressed: bool, path: &Path) -> Outcome<()> {
                let file = BufWriter::new(File::create(path)?);
                let mut writer = if compressed {
                    $peer::NpzWriter::new_compressed(file)
                } else {
                    $peer::NpzWriter::new(file)
                };
                for (name, values) in members(value) {
                    writer.add_array(name, &ndarray::ArrayView1::from(values))?;
                }
                writer.finish()?.flush()?;
                Ok(())
            }

            pub fn load(path: &Path) -> Outcome<Vec<ndarray::Array1<f64>>> {
                let mut reader = $peer::NpzReader::new(BufReader::new(File::open(path)?))?;
                NAMES
                    .into_iter()
                    .map(|name| Ok(reader.by_name(&format!("{name}.npy"))?))
                    .collect()
            }
        }
    };
}

ndarray_peer!(with_ndarray_npy, ndarray_npy, ::ndarray);
ndarray_peer!(with_ndarray_npz, ndarray_npz, ::ndarray_npz::ndarray);

fn four(value: Four, compressed: bool) -> Case {
    Box::new(move |side, verb, path| match (side, verb) {
        ("ndarray-npy", "save" | "deflate") => timed(|| with_ndarray_npy::save(&value, compressed, path)),
        ("ndarray-npy", "load") => timed(|| with_ndarray_npy::load(path)),
        ("ndarray-npz", "save" | "deflate") => timed(|| with_ndarray_npz::save(&value, compressed, path)),
        ("ndarray-npz", "load") => timed(|| with_ndarray_npz::load(path)),
        ("safetensors", "save") => timed(|| {
            let mut views = Vec::new();
            for (name, values) in members(&value) {
                let bytes = bytemuck::cast_slice(values);
                let shape = vec![values.len()];
                views.push((
                    name,
                    safetensors::tensor::TensorView::new(safetensors::Dtype::F64, shape, bytes)?,
                ));
            }
            Ok(safetensors::serialize_to_file(views, None, path)?)
        }),
        _ => ours_npz(&value, side, verb, path),
    })
}

/// The record as npyz derives it.
#[derive(Clone, Copy, npyz::Serialize, npyz::Deserialize, npyz::AutoSerialize)]
struct NpyzRecord {
    id: u64,
    t: f64,
    x: f32,
    n: i32,
}

fn records(values: Vec<Record>) -> Case {
    let theirs: Vec<_> = values
        .iter()
        .map(|&Record { id, t, x, n }| NpyzRecord { id, t, x, n })
        .collect();
    Box::new(move |side, verb, path| match (side, verb) {
        ("ours", "save") => timed(|| Ok(serde_npz::save_npy(path, &values)?)),
        ("ours", "load") => timed(|| Ok(serde_npz::load_npy::<Vec<Record>>(path)?)),
        ("npyz", "save") => timed(|| npyz_save(&theirs, path)),
        ("npyz", "load") => timed(|| npyz_load::<NpyzRecord>(path)),
        _ => unknown(side, verb),
    })
}

/// 100 layers of two arrays each.
fn groups() -> BTreeMap<String, BTreeMap<String, Vec<f32>>> {
    let layer = || BTreeMap::from([("w".to_string(), vec![0.5; 4096]), ("b".to_string(), vec![0.5; 64])]);
    (0..100).map(|i| (format!("layer{i:02}"), layer())).collect()
}
