//! Saves and loads a gigabyte with a progress bar, then cancels a save half way: the old file stays whole.
//!
//! `cargo run --release --manifest-path examples/progress/Cargo.toml`; an argument is the number of megabytes.

use std::ops::ControlFlow;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use indicatif::{ProgressBar, ProgressStyle};
use serde::{Deserialize, Serialize};
use serde_npz::{ErrorKind, Progress, ReadOptions, WriteOptions};

#[derive(PartialEq, Serialize, Deserialize)]
struct Simulation {
    positions: Vec<f64>,
    velocities: Vec<f64>,
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let megabytes: usize = std::env::args().nth(1).map_or(Ok(1000), |arg| arg.parse())?;
    let dir = std::env::temp_dir().join(format!("serde_npz-progress-{}", std::process::id()));
    std::fs::create_dir_all(&dir)?;
    let path = dir.join("simulation.npz");
    let len = megabytes * 1_000_000 / 16;
    let state = Simulation {
        positions: (0..len).map(|i| i as f64).collect(),
        velocities: vec![0.5; len],
    };
    let bytes = 16 * len as u64;

    // An archive does not know beforehand how large it will be, but its owner does.
    let bar = bar("saving", Some(bytes));
    WriteOptions::new().progress(show(bar.clone())).save_npz(&path, &state)?;
    bar.finish();

    let bar = self::bar("loading", None);
    let loaded: Simulation = ReadOptions::new().progress(show(bar.clone())).load_npz(&path)?;
    bar.finish();
    assert!(loaded == state);

    // Another thread, or the handler of a key, sets this.
    let cancelled = Arc::new(AtomicBool::new(false));
    let bar = self::bar("saving, until cancelled", Some(bytes));
    let show = show(bar.clone());
    let options = WriteOptions::new().progress({
        let cancelled = Arc::clone(&cancelled);
        move |progress| {
            if progress.done() >= bytes / 2 {
                cancelled.store(true, Ordering::Relaxed); // as if it came from outside
            }
            match cancelled.load(Ordering::Relaxed) {
                true => ControlFlow::Break(()),
                false => show(progress),
            }
        }
    });
    let other = Simulation {
        positions: vec![0.0; len],
        velocities: vec![0.0; len],
    };
    let err = options.save_npz(&path, &other).unwrap_err();
    bar.abandon();
    assert_eq!(err.kind(), ErrorKind::Cancelled);
    println!("{err}");
    assert_eq!(files(&dir)?, ["simulation.npz"], "no temporary file is left");
    let old: Simulation = serde_npz::load_npz(&path)?;
    assert!(old == state, "the old file is whole");
    println!("the old file is whole, and nothing else is there");
    std::fs::remove_dir_all(&dir)?;
    Ok(())
}

fn bar(what: &'static str, bytes: Option<u64>) -> ProgressBar {
    let style = ProgressStyle::with_template("{msg:24} {bar:40} {bytes}/{total_bytes} {bytes_per_sec} {prefix}");
    let bar = ProgressBar::new(bytes.unwrap_or_default()).with_message(what);
    match style {
        Ok(style) => bar.with_style(style),
        Err(_) => bar,
    }
}

/// Shows on a bar how far a call has come.
fn show(bar: ProgressBar) -> impl Fn(&Progress<'_>) -> ControlFlow<()> + Send + Sync + 'static {
    move |progress| {
        if let Some(total) = progress.total() {
            bar.set_length(total);
        }
        bar.set_position(progress.done());
        bar.set_prefix(progress.member().to_owned());
        ControlFlow::Continue(())
    }
}

fn files(dir: &Path) -> std::io::Result<Vec<String>> {
    std::fs::read_dir(dir)?
        .map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned()))
        .collect()
}
