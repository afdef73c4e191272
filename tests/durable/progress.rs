//! The callback for progress: what it is told, and that it ends any call without a trace.

use std::collections::BTreeMap;
use std::fs;
use std::io::Cursor;
use std::ops::ControlFlow;
use std::sync::{Arc, Mutex};

use crate::common::Scratch;
use serde::{Deserialize, Serialize};
use serde_npz::{
    Checkpoints, ErrorKind, NpyReader, NpyWriter, NpzReader, NpzWriter, Progress, ReadOptions, Result, Value,
    WriteOptions,
};

const STEP: u64 = 8 << 20;
const N: usize = 3_000_000;

/// Bytes, of how many, in which member.
type Call = (u64, Option<u64>, String);

/// What a callback was told.
#[derive(Clone, Default)]
struct Told(Arc<Mutex<Vec<Call>>>);

impl Told {
    fn callback(&self) -> impl Fn(&Progress<'_>) -> ControlFlow<()> + Send + Sync + 'static {
        let told = Arc::clone(&self.0);
        move |progress| {
            let now = (progress.done(), progress.total(), progress.member().to_owned());
            told.lock().unwrap().push(now);
            ControlFlow::Continue(())
        }
    }

    fn write(&self) -> WriteOptions {
        WriteOptions::new().progress(self.callback())
    }

    fn read(&self) -> ReadOptions {
        ReadOptions::new().progress(self.callback())
    }

    /// Checks that a call of so many bytes was told of, and forgets it.
    #[track_caller]
    fn check(&self, bytes: u64, total: bool) {
        let told = std::mem::take(&mut *self.0.lock().unwrap());
        let steps = told
            .windows(2)
            .map(|pair| pair[1].0.checked_sub(pair[0].0).expect("never backwards"));
        assert!(steps.clone().all(|step| step < STEP + (1 << 20)), "{told:?}");
        assert!(told.len() as u64 > bytes / (STEP + (1 << 20)), "{told:?}");
        let last = told.last().expect("a call at the end");
        assert_eq!((last.0, last.1), (bytes, total.then_some(bytes)), "{told:?}");
        assert!(
            told.iter().all(|now| now.1.is_none_or(|total| total >= now.0)),
            "{told:?}"
        );
    }
}

/// Ends every call at its second step.
fn stop(progress: &Progress<'_>) -> ControlFlow<()> {
    match progress.done() >= STEP + (1 << 20) {
        true => ControlFlow::Break(()),
        false => ControlFlow::Continue(()),
    }
}

#[track_caller]
fn is_cancelled<T>(result: Result<T>) {
    let err = result.map(drop).unwrap_err();
    assert_eq!(err.kind(), ErrorKind::Cancelled, "{err}");
    assert!(err.to_string().contains("progress"), "{err}");
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct State {
    x: Vec<f64>,
    inner: BTreeMap<String, Vec<u8>>,
    names: Vec<String>,
}

fn state() -> State {
    State {
        x: vec![0.5; N],
        inner: BTreeMap::from([("a".to_owned(), vec![1; 3 << 20]), ("b".to_owned(), vec![2; 7 << 20])]),
        names: (0..10_000).map(|i| format!("{i:030}")).collect(),
    }
}

/// The bytes of all members, inflated.
fn members(bytes: &[u8]) -> u64 {
    NpzReader::new(Cursor::new(bytes))
        .unwrap()
        .entries()
        .map(|entry| entry.size())
        .sum()
}

#[test]
fn every_call_tells_how_far_it_has_come() {
    let dir = Scratch::new("progress");
    let told = Told::default();
    let numbers = vec![0.5; N];
    let len = 128 + 8 * N as u64;

    let path = told.write().save_npy(dir.path("x"), &numbers).unwrap();
    told.check(len, true);
    assert!(told.write().to_npy_vec(&numbers).unwrap() == fs::read(&path).unwrap());
    told.check(len, true);
    assert!(told.read().load_npy::<Vec<f64>>(&path).unwrap() == numbers);
    told.check(len, true);
    assert!(told.read().load::<Vec<f32>>(&path).is_err());
    told.0.lock().unwrap().clear();
    let bytes = fs::read(&path).unwrap();
    assert!(told.read().from_slice::<Vec<f64>>(&bytes).unwrap() == numbers);
    told.check(len, true);
    assert!(told.read().from_npy_reader::<_, Vec<f64>>(&bytes[..]).unwrap() == numbers);
    told.check(len, true);
    told.read()
        .from_npy_slice::<f64>(&serde_npz::to_npy_vec(&1.5).unwrap())
        .unwrap();
    told.check(128 + 8, true);

    let mut rows = NpyReader::with_options(&bytes[..], &told.read()).unwrap();
    assert_eq!(rows.rows::<f64>().take(10).map(Result::unwrap).count(), 10);
    told.0.lock().unwrap().clear();
    let mut rows = NpyWriter::create_with(dir.path("rows"), &told.write()).unwrap();
    rows.extend(numbers.chunks(1000)).unwrap();
    rows.finish().unwrap();
    told.check(len - 128, false);
    let mut rows = NpyWriter::append_with(dir.path("rows"), &told.write()).unwrap();
    rows.push(&numbers[..1000]).unwrap();
    rows.finish().unwrap();
    told.check(8000, false);
    let mut rows = NpyReader::open_with(dir.path("rows.npy"), &told.read()).unwrap();
    assert_eq!(rows.rows::<Vec<f64>>().map(Result::unwrap).count(), N / 1000 + 1);
    told.check(len + 8000, true);

    let state = state();
    for options in [
        told.write().threads(1),
        told.write().compressed(),
        told.write().compressed().threads(1),
    ] {
        let bytes = options.to_npz_vec(&state).unwrap();
        let size = members(&bytes);
        told.check(size, false);
        let path = options.save_npz(dir.path("state"), &state).unwrap();
        told.check(size, false);
        options.to_npz_stream(Vec::new(), &state).unwrap();
        told.check(size, false);
        for read in [told.read(), told.read().threads(1)] {
            assert!(read.load_npz::<State>(&path).unwrap() == state);
            told.check(size, true);
            assert!(read.from_slice::<State>(&bytes).unwrap() == state);
            told.check(size, true);
            read.from_reader::<_, Value>(Cursor::new(&bytes)).unwrap();
            told.check(size, true);
        }

        let mut npz = NpzReader::open_with(&path, &told.read()).unwrap();
        assert!(npz.header("x").is_ok() && npz.entries().all(|entry| entry.header().is_ok()));
        assert!(told.0.lock().unwrap().is_empty(), "headers are no progress");
        npz.get::<Vec<f64>>("x").unwrap();
        told.check(len, true);
        npz.get::<BTreeMap<String, Vec<u8>>>("inner").unwrap();
        told.check((10 << 20) + 2 * 128, true);
        npz.raw("inner/a").unwrap();
        told.check((3 << 20) + 128, true);
        npz.verify("x").unwrap();
        told.check(len, true);
        assert_eq!(npz.rows::<String>("names").unwrap().map(Result::unwrap).count(), 10_000);
        told.check(128 + 120 * 10_000, true);
        // What is not asked for does not count.
        #[derive(Deserialize)]
        struct Part {
            names: Vec<String>,
        }
        assert_eq!(npz.deserialize::<Part>().unwrap().names.len(), 10_000);
        told.check(npz.entry("names").unwrap().size(), true);

        let before = fs::metadata(&path).unwrap().len();
        let mut npz = NpzWriter::append_with(&path, &told.write()).unwrap();
        npz.add("y", &numbers).unwrap();
        npz.add_rows("z", numbers.chunks(1000)).unwrap();
        npz.remove("x").unwrap();
        npz.finish().unwrap();
        {
            let all = told.0.lock().unwrap();
            assert!(all.is_sorted_by_key(|now| now.0), "{all:?}");
            let last = all.last().unwrap().0;
            // The directory of the old archive is written anew.
            assert!((before - 2000..before).contains(&(last - 2 * len)), "{last} {before}");
        }
        told.0.lock().unwrap().clear();
        let mut npz = NpzWriter::append_with(&path, &told.write()).unwrap();
        npz.compact().unwrap();
        let all = std::mem::take(&mut *told.0.lock().unwrap());
        assert!(
            all.len() > 3 && all.last().is_some_and(|now| Some(now.0) == now.1),
            "{all:?}"
        );
        npz.finish().unwrap();
        told.0.lock().unwrap().clear();
    }
    let checkpoints = Checkpoints::new(dir.path("run"))
        .write_options(told.write())
        .read_options(told.read());
    checkpoints.save(1, &state).unwrap();
    assert!(!std::mem::take(&mut *told.0.lock().unwrap()).is_empty());
    assert!(checkpoints.latest::<State>().unwrap().is_some());
    assert!(!told.0.lock().unwrap().is_empty());
}

#[test]
fn a_call_that_is_ended_leaves_what_was_there() {
    let dir = Scratch::new("progress-stop");
    let state = state();
    let numbers = &state.x;
    let rows = || numbers.chunks(1000).chain(numbers.chunks(1000));
    let (write, read) = (WriteOptions::new().progress(stop), ReadOptions::new().progress(stop));
    let npy = serde_npz::save_npy(dir.path("old"), numbers).unwrap();
    let npz = serde_npz::save_npz(dir.path("old"), &state).unwrap();
    let (old_npy, old_npz) = (fs::read(&npy).unwrap(), fs::read(&npz).unwrap());
    let untouched = || {
        assert!(fs::read(&npy).unwrap() == old_npy && fs::read(&npz).unwrap() == old_npz);
        assert_eq!(dir.files(), ["old.npy", "old.npz"]);
    };
    let other: Vec<f64> = vec![0.5; 2 * N];
    is_cancelled(write.save_npy(&npy, &other));
    untouched();
    is_cancelled(write.save_npy(dir.path("new"), &other));
    untouched();
    for write in [
        write.clone(),
        write.clone().compressed(),
        write.clone().compressed().threads(1),
        write.clone().durable(true),
    ] {
        is_cancelled(write.save_npz(&npz, &state));
        untouched();
        is_cancelled(write.to_npz_vec(&state));
        is_cancelled(write.to_npz_stream(Vec::new(), &state));
        let mut writer = NpzWriter::create_with(&npz, &write).unwrap();
        let added = writer.add("y", &other);
        // Threads may still be at work at the end of a member.
        if added.is_err() {
            is_cancelled(writer.add("z", &1));
        }
        is_cancelled(writer.finish());
        untouched();
        let mut writer = NpzWriter::append_with(&npz, &write).unwrap();
        is_cancelled(writer.add("y", &1).and_then(|()| writer.finish().map(drop)));
        untouched();
        let mut writer = NpzWriter::append_with(&npz, &write).unwrap();
        is_cancelled(writer.compact());
        drop(writer);
        untouched();
    }
    let mut writer = NpyWriter::create_with(&npy, &write).unwrap();
    is_cancelled(writer.extend(rows()));
    is_cancelled(writer.finish());
    untouched();

    is_cancelled(write.to_npy_vec(numbers));
    is_cancelled(read.load_npy::<Vec<f64>>(&npy));
    is_cancelled(read.load::<Vec<f64>>(&npy));
    is_cancelled(read.from_npy_slice::<Vec<f64>>(&old_npy));
    is_cancelled(read.from_npz_slice::<State>(&old_npz));
    for read in [read.clone(), read.clone().threads(1)] {
        is_cancelled(read.load_npz::<State>(&npz));
        is_cancelled(read.from_npz_reader::<_, Value>(Cursor::new(&old_npz)));
    }
    let mut reader = NpzReader::open_with(&npz, &read).unwrap();
    is_cancelled(reader.verify("x"));
    is_cancelled(reader.raw("x"));
    is_cancelled(reader.get::<Vec<f64>>("x"));
    is_cancelled(reader.rows::<f64>("x").unwrap().last().unwrap());
    // The reader goes on: the end of a call is no damage.
    assert_eq!(reader.get::<Vec<u8>>("inner/a").unwrap().len(), 3 << 20);
    let mut rows = NpyReader::with_options(&old_npy[..], &read).unwrap();
    is_cancelled(rows.rows::<f64>().last().unwrap());
    let checkpoints = Checkpoints::new(dir.path("run")).write_options(write.clone());
    is_cancelled(checkpoints.save(1, &state));
    assert!(checkpoints.steps().unwrap().is_empty());

    // Ended at the very end, too.
    let at_end = |progress: &Progress<'_>| match progress.total() {
        Some(total) if total > progress.done() => ControlFlow::Continue(()),
        _ => ControlFlow::Break(()),
    };
    is_cancelled(WriteOptions::new().progress(at_end).save_npy(dir.path("end"), &1.5));
    is_cancelled(
        WriteOptions::new()
            .progress(at_end)
            .save_npz(dir.path("end"), &BTreeMap::from([("x", 1.5)])),
    );
    assert!(
        !dir.files()
            .iter()
            .any(|name| name.starts_with("end") || name.starts_with('.'))
    );
}

/// Rows stream until one has a longer text; then the member is taken back and written anew.
#[test]
fn what_is_written_again_does_not_count_backwards() {
    let told = Told::default();
    let mut rows: Vec<(u64, String)> = (0..500_000).map(|i| (i, "a text of some length".to_owned())).collect();
    rows.push((0, "a text that is somewhat longer than all others".to_owned()));
    let bytes = told.write().to_npz_vec(&BTreeMap::from([("rows", &rows)])).unwrap();
    let steps: Vec<u64> = told.0.lock().unwrap().iter().map(|now| now.0).collect();
    assert!(steps.is_sorted() && steps.last() == Some(&members(&bytes)), "{steps:?}");
}

#[test]
fn options_are_equal_if_they_have_the_same_callback() {
    let one = WriteOptions::new().progress(stop);
    assert_eq!(one, one.clone());
    assert_ne!(one, WriteOptions::new());
    let told = Told::default();
    assert_ne!(told.read(), told.read());
    assert_eq!(ReadOptions::new(), ReadOptions::new());
    assert!(format!("{one:?}").contains("Some(..)"));
}
