//! kill -9 at random moments: this test starts itself as a process that saves without end, kills it, and looks.
//!
//! Every save that has returned is written to a pipe; after the kill the newest of them, or a newer one, has to be
//! there, and nothing torn. `SERDE_NPZ_KILLS` says how often.

use std::hash::{BuildHasher, Hasher, RandomState};
use std::io::{Read, Write};
use std::path::Path;
use std::process::Stdio;
use std::thread;
use std::time::{Duration, Instant};

use crate::common::{Scratch, child, repetitions, task};
use serde::{Deserialize, Serialize};
use serde_npz::{Checkpoints, WriteOptions};

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct State {
    step: u64,
    weights: Vec<f64>,
    names: Vec<String>,
}

fn state(step: u64) -> State {
    State {
        step,
        // Small and large ones, up to 160 KB.
        weights: (0..step * 7919 % 20_000).map(|i| (step + i) as f64).collect(),
        names: (0..step % 5).map(|i| format!("layer {i}")).collect(),
    }
}

#[derive(Clone, Copy, Debug)]
enum Way {
    Checkpoints,
    Background,
    /// Two processes save to one directory.
    Shared,
    Plain,
    Durable,
    Array,
}

const WAYS: [Way; 6] = [
    Way::Checkpoints,
    Way::Background,
    Way::Shared,
    Way::Plain,
    Way::Durable,
    Way::Array,
];

impl Way {
    /// Saves a step, and returns when it is safe.
    fn save(self, checkpoints: &Checkpoints, dir: &Path, step: u64) -> serde_npz::Result<()> {
        match self {
            Way::Checkpoints | Way::Shared => checkpoints.save(step, &state(step)).map(drop),
            Way::Background => {
                checkpoints.save_in_background(step, &state(step))?;
                checkpoints.wait()
            }
            Way::Plain => serde_npz::save_npz(dir.join("state"), &state(step)).map(drop),
            Way::Durable => WriteOptions::new()
                .durable(true)
                .save_npz(dir.join("state"), &state(step))
                .map(drop),
            Way::Array => serde_npz::save_npy(dir.join("steps"), &vec![step; step as usize % 100_000]).map(drop),
        }
    }

    /// How long a child may live: syncing takes its time.
    fn longest(self) -> Duration {
        Duration::from_millis(match self {
            Way::Plain | Way::Array => 20,
            Way::Checkpoints | Way::Background | Way::Shared | Way::Durable => 80,
        })
    }

    /// The newest step, with everything about it compared.
    fn newest(self, dir: &Path) -> u64 {
        match self {
            Way::Checkpoints | Way::Background | Way::Shared => {
                let checkpoints = Checkpoints::new(dir);
                for step in checkpoints.steps().unwrap() {
                    assert_eq!(checkpoints.load::<State>(step).unwrap(), state(step));
                }
                checkpoints.latest::<State>().unwrap().map_or(0, |(step, _)| step)
            }
            Way::Plain | Way::Durable => {
                let path = dir.join("state.npz");
                if !path.exists() {
                    return 0;
                }
                let found: State = serde_npz::load_npz(path).unwrap();
                assert_eq!(found, state(found.step));
                found.step
            }
            Way::Array => {
                let path = dir.join("steps.npy");
                if !path.exists() {
                    return 0;
                }
                let found: Vec<u64> = serde_npz::load_npy(path).unwrap();
                let step = found[0];
                assert_eq!(found, vec![step; step as usize % 100_000]);
                step
            }
        }
    }
}

#[test]
fn killed_at_random_no_acknowledged_save_is_lost() {
    if let Some(task) = task() {
        return save_without_end(task.to_str().unwrap());
    }
    let kills = repetitions("SERDE_NPZ_KILLS", 48, 200);
    let scratch = Scratch::new("kill");
    let mut saves = [0_u64; WAYS.len()];
    let mut mid_write = 0;
    for kill in 0..kills {
        let which = kill % WAYS.len();
        let way = WAYS[which];
        let dir = scratch.path(&format!("{way:?}"));
        std::fs::create_dir_all(&dir).unwrap();
        let before = way.newest(&dir);
        let processes = if matches!(way, Way::Shared) { 2 } else { 1 };
        let acknowledged = thread::scope(|scope| {
            let children: Vec<_> = (0..processes)
                .map(|_| scope.spawn(|| run_and_kill(way, which, &dir)))
                .collect();
            children.into_iter().filter_map(|child| child.join().unwrap()).max()
        })
        .unwrap_or(before);
        let newest = way.newest(&dir);
        assert!(
            newest >= acknowledged.max(before),
            "kill {kill}: step {acknowledged} was acknowledged to {way:?}, {newest} is the newest"
        );
        saves[which] += acknowledged.saturating_sub(before);

        let left = leftovers(&dir);
        mid_write += usize::from(left > 0);
        if matches!(way, Way::Checkpoints | Way::Background | Way::Shared) {
            assert!(
                left <= processes,
                "{left} leftovers, expected those of the last kill only"
            );
        } else {
            sweep(&dir);
        }
    }
    println!(
        "{kills} kills, {mid_write} of them while a file was written, {saves:?} saves acknowledged by {WAYS:?}, 0 lost"
    );
    assert!(
        saves.iter().sum::<u64>() > 0 && mid_write > 0,
        "the kills came between saves only"
    );
}

/// Runs a child for a random time; the last step it has acknowledged.
fn run_and_kill(way: Way, which: usize, dir: &Path) -> Option<u64> {
    let mut child = child(
        module_path!(),
        "killed_at_random_no_acknowledged_save_is_lost",
        format!("{which} {}", dir.to_str().unwrap()),
    )
    .stdout(Stdio::piped())
    .spawn()
    .unwrap();
    let mut pipe = child.stdout.take().unwrap();
    let mut text = String::new();
    let mut read_to = |word: &str| {
        let mut byte = [0];
        while !text.lines().any(|line| line.starts_with(word)) && pipe.read(&mut byte).unwrap() > 0 {
            text.push(byte[0] as char);
        }
    };
    // Up to its first word the child does not save; from there on any moment is as good as any other.
    read_to("ready");
    let random = RandomState::new().build_hasher().finish();
    let mut longest = way.longest();
    if random.is_multiple_of(2) {
        // The next save may take twice as long as the first one has.
        let start = Instant::now();
        read_to("saved");
        longest = start.elapsed() * 2;
    }
    thread::sleep(longest.mul_f64((random >> 16) as f64 / (1_u64 << 48) as f64));
    child.kill().unwrap();
    let status = child.wait().unwrap();
    assert!(!status.success(), "it saves without end");
    pipe.read_to_string(&mut text).unwrap();
    assert!(!text.contains("failed"), "{text}");
    let complete = text.rsplit_once('\n').map_or("", |(complete, _)| complete);
    complete
        .lines()
        .rev()
        .find_map(|line| line.strip_prefix("saved ")?.parse().ok())
}

fn save_without_end(task: &str) {
    let (which, dir) = task.split_once(' ').unwrap();
    let way = WAYS[which.parse::<usize>().unwrap()];
    let dir = Path::new(dir);
    let checkpoints = Checkpoints::new(dir).keep(3);
    let mut out = std::io::stdout();
    let mut step = match way {
        // What else is there may be removed by the other process at any time.
        Way::Shared => checkpoints.latest::<State>().unwrap().map_or(0, |(step, _)| step),
        _ => way.newest(dir),
    };
    out.write_all(b"\nready\n").unwrap();
    loop {
        step += 1;
        if let Err(err) = way.save(&checkpoints, dir, step) {
            println!("failed: {err}");
            return;
        }
        out.write_all(format!("saved {step}\n").as_bytes()).unwrap();
        out.flush().unwrap();
    }
}

fn leftovers(dir: &Path) -> usize {
    names(dir).filter(|name| name.starts_with(".serde_npz-")).count()
}

fn sweep(dir: &Path) {
    for name in names(dir).filter(|name| name.starts_with(".serde_npz-")) {
        std::fs::remove_file(dir.join(name)).unwrap();
    }
}

fn names(dir: &Path) -> impl Iterator<Item = String> {
    std::fs::read_dir(dir)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
}
