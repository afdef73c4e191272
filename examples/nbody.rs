//! A simulation that may be killed at any moment: a trajectory that grows, and checkpoints of the state.
//!
//! `cargo run --example nbody -- runs/planets` goes on until it is killed; started again it goes on from its last
//! checkpoint, and the trajectory is the one that it would have been without the kill. `np.load("runs/planets/trajectory.npy",
//! mmap_mode="r")` shows it meanwhile. Without a directory the example shows that by itself, in a moment.
//!
//! The two files have to agree. Before a checkpoint is saved the trajectory is flushed, so that it has at least the frames
//! that the checkpoint tells of. Frames behind those are cut off when the run goes on, and computed again.

use std::fs::File;
use std::path::Path;

use serde::{Deserialize, Serialize};
use serde_npz::{Checkpoints, NpyWriter};

/// One row of the trajectory.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Frame {
    pub step: u64,
    pub energy: f64,
    pub positions: [[f64; 3]; BODIES],
}

/// What a run needs to go on.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct State {
    pub step: u64,
    /// How many frames of the trajectory belong to this state.
    pub frames: u64,
    pub positions: [[f64; 3]; BODIES],
    pub velocities: [[f64; 3]; BODIES],
}

/// The Sun, Jupiter and Saturn.
const BODIES: usize = 3;
/// In masses of the Sun.
const MASSES: [f64; BODIES] = [1.0, 9.543e-4, 2.857e-4];
const STEPS_A_FRAME: u64 = 10;
/// In days.
const TIME_STEP: f64 = 1.0;
/// In astronomical units, days and masses of the Sun.
const GRAVITY: f64 = 2.959_122e-4;

#[allow(dead_code, reason = "a test uses the rest of this file")]
fn main() -> serde_npz::Result<()> {
    if let Some(dir) = std::env::args_os().nth(1) {
        return run(Path::new(&dir), u64::MAX, 1000).map(drop);
    }
    let dir = std::env::temp_dir().join(format!("serde_npz_nbody-{}", std::process::id()));
    let (killed, at_once) = (dir.join("killed"), dir.join("at_once"));
    let (mut log, mut state) = resume(&killed)?;
    for _ in 0..40 {
        state.frame(&mut log)?;
    }
    log.flush()?;
    drop(log); // as if it had been killed here, 40 frames after its last checkpoint
    run(&killed, 2000, 500)?;
    run(&at_once, 2000, 500)?;
    let trajectory = std::fs::read(killed.join("trajectory.npy"))?;
    assert!(
        trajectory == std::fs::read(at_once.join("trajectory.npy"))?,
        "killed or not, the same comes out"
    );
    println!(
        "{} frames",
        serde_npz::load_npy::<Vec<Frame>>(at_once.join("trajectory.npy"))?.len()
    );
    std::fs::remove_dir_all(&dir)?;
    Ok(())
}

/// Goes on until `steps`, with a checkpoint at every multiple of `every`.
pub fn run(dir: &Path, steps: u64, every: u64) -> serde_npz::Result<State> {
    let (mut log, mut state) = resume(dir)?;
    let checkpoints = Checkpoints::new(dir).keep(2);
    while state.step < steps {
        state.frame(&mut log)?;
        if state.step % every == 0 {
            // First the frames, then the state that tells of them.
            log.flush()?;
            checkpoints.save(state.step, &state)?;
        }
    }
    log.finish()?;
    Ok(state)
}

/// The last checkpoint, and the trajectory up to there.
pub fn resume(dir: &Path) -> serde_npz::Result<(NpyWriter<File>, State)> {
    std::fs::create_dir_all(dir)?;
    let state = Checkpoints::new(dir)
        .latest()?
        .map_or_else(State::new, |(_, state)| state);
    let mut log = NpyWriter::append(dir.join("trajectory.npy"))?;
    log.truncate(state.frames)?;
    println!("goes on at step {} with {} frames", state.step, log.len());
    Ok((log, state))
}

impl State {
    fn new() -> Self {
        let mut state = State {
            step: 0,
            frames: 0,
            positions: [[0.0; 3], [4.841, -1.160, -0.104], [8.343, 4.125, -0.403]],
            velocities: [
                [0.0; 3],
                [0.001_660, 0.007_699, -0.000_069],
                [-0.002_767, 0.004_999, 0.000_023],
            ],
        };
        // The Sun moves so that the whole stays where it is.
        for axis in 0..3 {
            state.velocities[0][axis] = -(1..BODIES).map(|i| MASSES[i] * state.velocities[i][axis]).sum::<f64>();
        }
        state
    }

    /// Computes the next frame and adds it to the trajectory.
    pub fn frame(&mut self, log: &mut NpyWriter<File>) -> serde_npz::Result<()> {
        for _ in 0..STEPS_A_FRAME {
            self.kick();
            for (position, velocity) in self.positions.iter_mut().zip(&self.velocities) {
                for axis in 0..3 {
                    position[axis] += TIME_STEP * velocity[axis];
                }
            }
            self.kick();
        }
        self.step += STEPS_A_FRAME;
        self.frames += 1;
        log.push(&Frame {
            step: self.step,
            energy: self.energy(),
            positions: self.positions,
        })
    }

    /// What gravity does to the velocities in half a step.
    fn kick(&mut self) {
        for i in 0..BODIES {
            for j in (0..BODIES).filter(|&j| j != i) {
                let (distance, cube) = self.distance(i, j);
                let pull = 0.5 * TIME_STEP * GRAVITY * MASSES[j] / cube;
                for (velocity, distance) in self.velocities[i].iter_mut().zip(distance) {
                    *velocity += pull * distance;
                }
            }
        }
    }

    /// From one body to another, and the cube of its length.
    fn distance(&self, i: usize, j: usize) -> ([f64; 3], f64) {
        let distance = [0, 1, 2].map(|axis| self.positions[j][axis] - self.positions[i][axis]);
        (distance, distance.iter().map(|d| d * d).sum::<f64>().sqrt().powi(3))
    }

    fn energy(&self) -> f64 {
        let kinetic = (0..BODIES).map(|i| 0.5 * MASSES[i] * self.velocities[i].iter().map(|v| v * v).sum::<f64>());
        let pairs = (0..BODIES).flat_map(|i| (0..i).map(move |j| (i, j)));
        let potential = pairs.map(|(i, j)| GRAVITY * MASSES[i] * MASSES[j] / self.distance(i, j).1.cbrt());
        kinetic.sum::<f64>() - potential.sum::<f64>()
    }
}
