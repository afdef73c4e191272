//! `examples/nbody.rs` is killed again and again: after each resume its trajectory and its state agree.

use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant};

use crate::common::{Scratch, child, repetitions, task};
use serde_npz::{Checkpoints, load_npy};

#[path = "../../examples/nbody.rs"]
mod nbody;

use nbody::{Frame, State, resume, run};

const EVERY: u64 = 500;

/// Resumes the run and compares what it goes on with.
fn check(dir: &Path) -> State {
    let trajectory = dir.join("trajectory.npy");
    let before = load_npy::<Vec<Frame>>(&trajectory).map_or(0, |frames| frames.len());
    let (log, state) = resume(dir).unwrap();
    assert_eq!(log.len(), state.frames);
    assert!(
        before as u64 >= state.frames,
        "{before} frames, the state has {}",
        state.frames
    );
    drop(log);
    let frames = load_npy::<Vec<Frame>>(&trajectory).unwrap_or_default();
    assert_eq!(frames.len() as u64, state.frames);
    if let Some(last) = frames.last() {
        assert_eq!((last.step, last.positions), (state.step, state.positions));
    }
    assert!(frames.iter().zip(1..).all(|(frame, i)| frame.step == 10 * i));
    state
}

/// `SERDE_NPZ_KILLS` says how often.
#[test]
fn a_trajectory_and_its_checkpoints_agree_after_every_kill() {
    if let Some(dir) = task() {
        run(Path::new(&dir), u64::MAX, EVERY).unwrap();
        return;
    }
    let scratch = Scratch::new("trajectory");
    let dir = scratch.path("run");
    let mut resumed = 0;
    let kills = repetitions("SERDE_NPZ_KILLS", 10, 50);
    for round in 0..kills {
        let mut child = child(
            module_path!(),
            "a_trajectory_and_its_checkpoints_agree_after_every_kill",
            &dir,
        )
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
        // Once it has saved a checkpoint of its own, at any moment; every fifth in its first moments.
        let begun = Instant::now();
        let newest = || Checkpoints::new(&dir).steps().unwrap_or_default().pop();
        let first = newest();
        while round % 5 > 0 && newest() == first {
            assert!(begun.elapsed() < Duration::from_secs(60), "no checkpoint in a minute");
            std::thread::sleep(Duration::from_millis(1));
        }
        std::thread::sleep(Duration::from_micros(u64::try_from(round).unwrap() * 7919 % 20_000));
        child.kill().unwrap();
        child.wait().unwrap();
        resumed += u64::from(check(&dir).step > 0);
    }
    assert!(resumed > 0, "never killed behind a checkpoint");
    let steps = check(&dir).step + 1000;
    let state = run(&dir, steps, EVERY).unwrap();
    let at_once = scratch.path("at once");
    assert_eq!(state, run(&at_once, steps, steps).unwrap());
    let [killed, at_once] = [&dir, &at_once].map(|dir| std::fs::read(dir.join("trajectory.npy")).unwrap());
    assert!(killed == at_once);
    eprintln!("{kills} kills, {steps} steps");
}
