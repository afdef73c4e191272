//! The other crates, where they can do the same.

use std::fs::File;
use std::io::{BufReader, BufWriter, Write};
use std::path::Path;

use ndarray::{Array1, ArrayView1};
use npyz::WriterBuilder;

use crate::data::{Four, Record};
use crate::{Case, Outcome, ours, timed};

/// Numbers as a lone array.
pub fn numbers(values: Vec<f64>) -> Case {
    Box::new(move |side, verb, path| match (side, verb) {
        ("ndarray-npy", "save-npy") => {
            let array = ArrayView1::from(&values);
            timed(|| Ok(ndarray_npy::write_npy(path, &array)?))
        }
        ("ndarray-npy", "load-npy") => timed(|| Ok(ndarray_npy::read_npy::<_, Array1<f64>>(path)?)),
        ("npyz", "save-npy") => timed(|| npyz_save(&values, path)),
        ("npyz", "load-npy") => timed(|| npyz_load::<f64>(path)),
        _ => ours::run(&values, side, verb, path),
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

/// Four members.
pub fn four(value: Four, compressed: bool) -> Case {
    Box::new(move |side, verb, path| match (side, verb) {
        ("ndarray-npy", "save-npz" | "deflate") => timed(|| with_ndarray_npy::save(&value, compressed, path)),
        ("ndarray-npy", "load-npz") => timed(|| with_ndarray_npy::load(path)),
        ("ndarray-npz", "save-npz" | "deflate") => timed(|| with_ndarray_npz::save(&value, compressed, path)),
        ("ndarray-npz", "load-npz") => timed(|| with_ndarray_npz::load(path)),
        ("safetensors", "save-npz") => timed(|| {
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
        _ => ours::run(&value, side, verb, path),
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

/// Structs, as a lone array and as the only member of an archive.
pub fn records(values: Vec<Record>) -> Case {
    let theirs: Vec<_> = values
        .iter()
        .map(|&Record { id, t, x, n }| NpyzRecord { id, t, x, n })
        .collect();
    let ours = ours::rows(values);
    Box::new(move |side, verb, path| match (side, verb) {
        ("npyz", "save-npy") => timed(|| npyz_save(&theirs, path)),
        ("npyz", "load-npy") => timed(|| npyz_load::<NpyzRecord>(path)),
        _ => ours(side, verb, path),
    })
}
