//! Arrays larger than what is looked at, mapped: `cargo run --features mmap --example mmap`.
//!
//! In Python the first file is `np.lib.format.open_memmap("field.npy", mode="w+", dtype="f4", shape=(1000, 256))`; what
//! happens to the archive has no counterpart there: `np.load("run.npz", mmap_mode="r")` reads members whole.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};
use serde_npz::{ArrayView, NpyMmap, NpyMmapMut, NpzMmap, NpzReader, Result};

#[derive(Serialize, Deserialize)]
struct Run<'a> {
    dt: f64,
    #[serde(borrow, with = "serde_npz::with::view")]
    time: Cow<'a, [f64]>,
    #[serde(borrow)]
    field: ArrayView<'a, f32>,
}

fn main() -> Result<()> {
    let dir = std::env::temp_dir().join(format!("serde_npz-example-mmap-{}", std::process::id()));
    std::fs::create_dir_all(&dir)?;
    let npy = dir.join("field.npy");
    let npz = dir.join("run.npz");

    // A new file of zeros, filled where it lies.
    // SAFETY: the directory belongs to this process; nothing else writes to the file.
    let mut map = unsafe { NpyMmapMut::create::<f32>(&npy, &[1000, 256])? };
    let mut field = map.array_mut::<f32>()?;
    for step in 0..1000 {
        field.row_mut(step)?.as_mut_slice().fill(step as f32);
    }
    map.flush()?;
    drop(map);

    // Read where it lies; only the rows asked for are fetched from the disk.
    // SAFETY: the map that changed the file is gone.
    let map = unsafe { NpyMmap::open(&npy)? };
    let field = map.array::<f32>()?;
    let late = field.slice(990..)?;
    println!(
        "{:?}, the last ten rows begin with {:?}",
        field.shape(),
        late.get(&[0, 0])
    );

    // Into an archive without a detour through memory of our own.
    let time: Vec<f64> = (0..1000).map(|step| f64::from(step) * 0.01).collect();
    let run = Run {
        dt: 0.01,
        time: Cow::Borrowed(&time),
        field,
    };
    serde_npz::save_npz(&npz, &run)?;

    // What is in it, before anything is read.
    for entry in NpzReader::open(&npz)?.entries() {
        let header = entry.header().map_err(|err| std::io::Error::other(err.to_string()))?;
        let offset = entry.data_offset();
        println!(
            "{:>5} {} {:?} at {offset:?}",
            entry.name(),
            header.dtype(),
            header.shape()
        );
    }

    // Members of the archive, lent.
    // SAFETY: the archive was saved under its name when it was whole; nobody changes it any more.
    let map = unsafe { NpzMmap::open(&npz)? };
    map.verify("field")?;
    let field = map.array::<f32>("field")?;
    let sum: f64 = field.row(7)?.as_slice().iter().map(|&v| f64::from(v)).sum();
    println!("row 7 of the member sums to {sum}");

    // Or the whole struct, borrowing what it can.
    let back: Run = map.deserialize()?;
    let borrowed = matches!(back.time, Cow::Borrowed(_)) && back.field.borrowed().is_some();
    println!("dt {}, {} times, borrowed: {borrowed}", back.dt, back.time.len());

    drop((back, field));
    drop(map);
    std::fs::remove_dir_all(&dir)?;
    Ok(())
}
