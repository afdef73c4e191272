//! A training that survives being killed: `cargo run --example checkpoint -- runs/7`, kill it, run it again.
//!
//! Without a directory it shows the same by itself, in a moment: it stops half way and goes on.

use std::path::Path;

use serde::{Deserialize, Serialize};
use serde_npz::Checkpoints;

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Training {
    weights: Vec<f64>,
    momentum: Vec<f64>,
    losses: Vec<f64>,
}

const STEPS: u64 = 2000;

fn main() -> serde_npz::Result<()> {
    if let Some(dir) = std::env::args_os().nth(1) {
        return train(Path::new(&dir), STEPS).map(drop);
    }
    let dir = std::env::temp_dir().join(format!("serde_npz_checkpoint-{}", std::process::id()));
    train(&dir.join("run"), 70)?; // as if it had been killed here
    let resumed = train(&dir.join("run"), 100)?;
    let at_once = train(&dir.join("again"), 100)?;
    assert_eq!(resumed, at_once, "stopped or not, the same comes out");
    std::fs::remove_dir_all(&dir)?;
    Ok(())
}

fn train(dir: &Path, steps: u64) -> serde_npz::Result<Training> {
    let checkpoints = Checkpoints::new(dir).keep(3).keep_every(500);
    let (first, mut training) = match checkpoints.latest()? {
        Some((step, training)) => {
            println!("{}: goes on after step {step}", dir.display());
            (step + 1, training)
        }
        None => {
            println!("{}: starts", dir.display());
            (1, Training::new())
        }
    };
    for step in first..=steps {
        training.step();
        if step % 10 == 0 {
            // The state is captured before this returns; the disk works while the next steps are computed.
            checkpoints.save_in_background(step, &training)?;
        }
    }
    checkpoints.wait()?;
    if let Some(loss) = training.losses.last() {
        println!("{}: step {steps}, loss {loss:.3e}", dir.display());
    }
    Ok(training)
}

impl Training {
    fn new() -> Self {
        Training {
            weights: (0..1000).map(|i| f64::from(i).sin()).collect(),
            momentum: vec![0.0; 1000],
            losses: Vec::new(),
        }
    }

    /// Gradient descent to the point (1, 1, ..).
    fn step(&mut self) {
        let mut loss = 0.0;
        for (weight, momentum) in self.weights.iter_mut().zip(&mut self.momentum) {
            let error = *weight - 1.0;
            loss += error * error;
            *momentum = 0.9 * *momentum - 0.01 * error;
            *weight += *momentum;
        }
        self.losses.push(loss);
    }
}
