//! Saves that fail, die and lose power at every operation, on a disk in memory and in processes that abort.

mod abort;

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::store::Store;
use crate::error::Result;
use crate::io::file::Disk;
use crate::io::file::model::{Fault, Model, Op, Remains, Unsynced, after_power_loss};

/// What is saved: every number of it follows from the step and from how often that has been saved.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct State {
    step: u64,
    version: u64,
    weights: Vec<f64>,
}

impl State {
    fn new(step: u64, version: u64) -> Self {
        State {
            step,
            version,
            weights: (0..20).map(|i| (step * 1000 + version * 100 + i) as f64).collect(),
        }
    }
}

const DIR: &str = "/runs/seven";
const KEEP: usize = 3;

fn store(disk: Model) -> Store<Model> {
    let mut store = Store::new(disk, DIR.into());
    store.keep = Some(KEEP);
    store
}

/// The steps a run saves, the one at the end a second time.
fn plan(steps: u64) -> impl Iterator<Item = State> {
    (1..=steps)
        .map(|step| State::new(step, 1))
        .chain([State::new(steps, 2)])
}

/// What has been acknowledged: the greatest version of each step.
type Acknowledged = BTreeMap<u64, u64>;

fn acknowledged(log: &[Op]) -> Acknowledged {
    let mut found = Acknowledged::new();
    for op in log {
        if let Op::Mark(text) = op {
            let (step, version) = text.split_once(' ').unwrap();
            found.insert(step.parse().unwrap(), version.parse().unwrap());
        }
    }
    found
}

fn archive(step: u64, version: u64) -> Vec<u8> {
    thread_local! {
        static MADE: RefCell<BTreeMap<(u64, u64), Vec<u8>>> = const { RefCell::new(BTreeMap::new()) };
    }
    MADE.with_borrow_mut(|made| {
        let archive = made.entry((step, version));
        archive
            .or_insert_with(|| crate::npz::to_npz_vec(&State::new(step, version)).unwrap())
            .clone()
    })
}

/// What is wrong with a disk that a run has left behind.
fn fault_of(remains: &Remains, acknowledged: &Acknowledged) -> Option<String> {
    let store = store(Model::with(remains));
    let steps = store.steps().unwrap();
    for &step in &steps {
        // The same value is always the same bytes: faster to compare than to read.
        let found = remains[&store.path(step)].as_ref().unwrap();
        let least = acknowledged.get(&step).copied().unwrap_or(1);
        if !(least..=2).any(|version| *found == archive(step, version)) {
            return Some(format!("step {step} holds neither version {least} nor a newer one"));
        }
    }
    let newest = store.newest().unwrap().map(|found| found.step);
    if newest < acknowledged.keys().next_back().copied() {
        return Some(format!("{newest:?} is the newest of {acknowledged:?}"));
    }
    if steps.len() < acknowledged.len().min(KEEP) {
        return Some(format!("only {steps:?} are left of {acknowledged:?}"));
    }
    None
}

struct Seen {
    states: usize,
    bad: Vec<String>,
}

/// Saves, and looks at what every loss of power leaves.
fn cut_the_power(steps: u64, unsynced: Unsynced) -> Seen {
    let model = Model::new(unsynced);
    let saving = store(model.clone());
    for state in plan(steps) {
        saving.save(state.step, &state).unwrap();
        model.mark(format!("{} {}", state.step, state.version));
    }
    let log = model.log();
    let mut seen = Seen {
        states: 0,
        bad: Vec::new(),
    };
    for cut in 0..=log.len() {
        let acknowledged = acknowledged(&log[..cut]);
        for remains in after_power_loss(&log[..cut]) {
            seen.states += 1;
            seen.bad.extend(fault_of(&remains, &acknowledged));
            if seen.states.is_multiple_of(50) {
                goes_on(&remains, &acknowledged);
            }
        }
    }
    seen
}

/// The run is started again on what is left: it saves, and tidies up.
fn goes_on(remains: &Remains, acknowledged: &Acknowledged) {
    let model = Model::with(remains);
    let store = store(model.clone());
    let next = acknowledged.keys().next_back().map_or(1, |step| step + 2);
    let state = State::new(next, 1);
    if store.save(next, &state).is_ok() {
        let mut found = store.newest().unwrap().unwrap();
        assert_eq!((found.step, found.npz.deserialize::<State>().unwrap()), (next, state));
        let names = model.list(Path::new(DIR)).unwrap();
        assert!(names.len() <= KEEP, "{names:?}");
    }
}

#[test]
fn no_loss_of_power_takes_an_acknowledged_checkpoint() {
    let seen = cut_the_power(16, Unsynced::default());
    println!("{} states after a loss of power, {} bad", seen.states, seen.bad.len());
    assert!(seen.states >= 10_000, "{}", seen.states);
    assert_eq!(seen.bad.first(), None, "{} of {}", seen.bad.len(), seen.states);
}

#[test]
fn without_either_sync_a_loss_of_power_is_seen_to_take_one() {
    let files = Unsynced {
        files: true,
        ..Unsynced::default()
    };
    let directories = Unsynced {
        directories: true,
        ..Unsynced::default()
    };
    let parents = Unsynced {
        parents: true,
        ..Unsynced::default()
    };
    for unsynced in [files, directories, parents] {
        let seen = cut_the_power(2, unsynced);
        println!("{unsynced:?}: {} states, {} bad", seen.states, seen.bad.len());
        assert!(!seen.bad.is_empty(), "{unsynced:?}");
    }
}

/// Saves until something fails; what was acknowledged.
fn save_all(model: &Model, steps: u64) -> (Acknowledged, Result<()>) {
    let store = store(model.clone());
    let mut acknowledged = Acknowledged::new();
    for state in plan(steps) {
        if let Err(err) = store.save(state.step, &state) {
            return (acknowledged, Err(err));
        }
        acknowledged.insert(state.step, state.version);
    }
    (acknowledged, Ok(()))
}

#[test]
fn the_process_dies_at_the_nth_operation_and_nothing_is_lost() {
    for n in 0.. {
        let model = Model::default();
        model.fail(Fault::Dead(n));
        let (acknowledged, result) = save_all(&model, 5);
        let remains = model.seen();
        assert_eq!(fault_of(&remains, &acknowledged), None, "operation {n}");
        goes_on(&remains, &acknowledged);
        if result.is_ok() {
            println!("{n} operations in 6 saves");
            assert!(n > 100);
            break;
        }
    }
}

#[test]
fn the_nth_operation_fails_and_the_save_is_repeated() {
    for n in 0.. {
        let model = Model::default();
        model.fail(Fault::Once(n));
        let (acknowledged, result) = save_all(&model, 5);
        let reached = model.operations() > n;
        model.heal();
        assert!(result.is_ok() || reached, "operation {n}");
        assert_eq!(fault_of(&model.seen(), &acknowledged), None, "operation {n}");
        let names = model.list(Path::new(DIR)).unwrap_or_default();
        let left = names.iter().filter(|name| crate::io::file::is_temporary(name)).count();
        assert_eq!(left, 0, "operation {n} left {names:?}");

        // The loop goes on, and then the power fails: the sync that failed must not be believed later.
        let store = store(model.clone());
        for step in [6, 7] {
            store.save(step, &State::new(step, 1)).unwrap();
        }
        let newest = Acknowledged::from([(7, 1)]);
        for remains in after_power_loss(&model.log()) {
            assert_eq!(fault_of(&remains, &newest), None, "operation {n}, then a loss of power");
        }
        if !reached {
            break;
        }
    }
}
