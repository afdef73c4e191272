//! A simulation that appends rows while Python follows.
//!
//! `cargo run --example append_log -- log.npy` goes on until it is killed, and so does this beside it:
//!
//! ```python
//! import time, numpy as np
//!
//! seen = 0
//! while True:
//!     log = np.load("log.npy", mmap_mode="r")  # opens in no time, however long the log is
//!     for row in log[seen:]:
//!         print(row["step"], row["energy"])
//!     seen = len(log)
//!     time.sleep(1)
//! ```
//!
//! Each `np.load` sees the rows of the last `flush`, whole. A run that was killed goes on where its log ends. Without a
//! path the example shows that by itself, in a moment.

use std::path::Path;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_npz::{NpyReader, NpyWriter};

#[derive(Debug, Serialize, Deserialize)]
struct Row {
    step: u64,
    energy: f64,
    position: [f32; 3],
}

fn main() -> serde_npz::Result<()> {
    if let Some(path) = std::env::args_os().nth(1) {
        return run(Path::new(&path), u64::MAX, Duration::from_millis(10));
    }
    let path = std::env::temp_dir().join(format!("serde_npz-append-log-{}.npy", std::process::id()));
    run(&path, 250, Duration::ZERO)?;
    // The next day, or after a crash.
    run(&path, 1000, Duration::ZERO)?;

    let mut log = NpyReader::open(&path)?;
    println!("{} rows of {}", log.header().shape()[0], log.header().dtype());
    log.seek(998)?;
    for row in log.rows::<Row>() {
        println!("{:?}", row?);
    }
    std::fs::remove_file(path)?;
    Ok(())
}

/// Simulates up to `end`, from where the log stands; a step takes that long.
fn run(path: &Path, end: u64, step: Duration) -> serde_npz::Result<()> {
    let mut log = NpyWriter::append(path)?;
    println!("going on at step {}", log.len());
    while log.len() < end {
        std::thread::sleep(step);
        log.push(&simulate(log.len()))?;
        // What was flushed stays, whatever happens to this program; it costs a wait for the disk.
        if log.len() % 100 == 0 {
            log.flush()?;
        }
    }
    log.finish()?;
    Ok(())
}

fn simulate(step: u64) -> Row {
    let t = step as f32 / 100.0;
    Row {
        step,
        energy: (-f64::from(t) / 10.0).exp(),
        position: [t.cos(), t.sin(), t],
    }
}
