//! Rows through a pipe: one side writes arrays, the other takes them row by row, in constant memory.
//! `cargo run --example stream`.
//!
//! The pipe may as well be a socket or the standard output, and Python at its other end:
//!
//! ```python
//! import sys, numpy as np
//!
//! class Pipe:  # np.load wants to seek, and what it reads from a file has to be one on a disk
//!     read = sys.stdin.buffer.read
//!
//! names, samples = np.lib.format.read_array(Pipe), np.lib.format.read_array(Pipe)
//! # np.save(sys.stdout.buffer, ..) is the way back
//! ```

use std::io::{BufReader, BufWriter};
use std::thread;

use serde_npz::{NpyReader, NpzReader, save_npz, to_npy_writer};

fn main() -> serde_npz::Result<()> {
    let (reader, writer) = std::io::pipe()?;
    let sender = thread::spawn(move || -> serde_npz::Result<()> {
        let mut pipe = BufWriter::new(writer);
        to_npy_writer(&mut pipe, &["left", "right"])?;
        for block in 0..3 {
            let samples: Vec<[f32; 2]> = (0..50_000).map(|i| [i as f32, block as f32]).collect();
            to_npy_writer(&mut pipe, &samples)?;
        }
        Ok(())
    });

    let mut pipe = NpyReader::new(BufReader::new(reader))?;
    let names: Vec<String> = pipe.rows().collect::<serde_npz::Result<_>>()?;
    while pipe.next_array()? {
        let mut sums = [0.0; 2];
        for row in pipe.rows::<[f32; 2]>() {
            let row = row?;
            sums = [sums[0] + f64::from(row[0]), sums[1] + f64::from(row[1])];
        }
        println!("{names:?} of {:?}: {sums:?}", pipe.header().shape());
    }
    sender.join().expect("no panic")?;

    // A member of an archive the same way, without the archive in memory.
    let path = std::env::temp_dir().join(format!("serde_npz-stream-{}.npz", std::process::id()));
    let data = std::collections::BTreeMap::from([("samples", vec![[1.0, 2.0]; 1000])]);
    save_npz(&path, &data)?;
    let mut npz = NpzReader::open(&path)?;
    let sum: f64 = npz
        .rows::<[f64; 2]>("samples")?
        .map(|row| row.map(|[x, y]| x * y))
        .sum::<serde_npz::Result<f64>>()?;
    println!("{sum}");
    std::fs::remove_file(&path)?;
    Ok(())
}
