//! The same on the disk at hand: this test binary starts itself, and the child aborts at its nth operation.

use std::ffi::OsString;
use std::fs::{self, File, Metadata};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::process::{self, Command};
use std::sync::atomic::{AtomicU64, Ordering};

use super::*;
use crate::io::file::Os;

const ROLE: &str = "SERDE_NPZ_TEST_ABORT";
const STEPS: u64 = 4;
/// Writes are cut here, so that the child dies within a file as well.
const MOST_AT_ONCE: usize = 300;

/// Operations left to the child.
static LEFT: AtomicU64 = AtomicU64::new(u64::MAX);

fn operation() {
    if LEFT.fetch_sub(1, Ordering::Relaxed) == 0 {
        process::abort();
    }
}

/// The disk at hand, on which each operation may be the last.
#[derive(Clone)]
struct Mortal;

struct MortalFile(File);

impl Disk for Mortal {
    type File = MortalFile;

    fn target(&self, path: &Path) -> io::Result<(PathBuf, Option<Metadata>)> {
        Os.target(path)
    }
    fn create_new(&self, path: &Path, private: bool) -> io::Result<MortalFile> {
        operation();
        Os.create_new(path, private).map(MortalFile)
    }
    fn keep_access(&self, file: &MortalFile, replaced: &Metadata) -> io::Result<()> {
        operation();
        Os.keep_access(&file.0, replaced)
    }
    fn unlock(&self, file: &MortalFile) {
        operation();
        Os.unlock(&file.0);
    }
    fn open(&self, path: &Path) -> io::Result<MortalFile> {
        Os.open(path).map(MortalFile)
    }
    fn duplicate(&self, file: &MortalFile) -> io::Result<MortalFile> {
        Os.duplicate(&file.0).map(MortalFile)
    }
    fn sync(&self, file: &MortalFile) -> io::Result<()> {
        operation();
        Os.sync(&file.0)
    }
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        operation();
        Os.rename(from, to)
    }
    fn rename_new(&self, from: &Path, to: &Path) -> io::Result<()> {
        operation();
        Os.rename_new(from, to)
    }
    fn sync_directory(&self, directory: &Path) -> io::Result<()> {
        operation();
        Os.sync_directory(directory)
    }
    fn remove(&self, path: &Path) -> io::Result<()> {
        operation();
        Os.remove(path)
    }
    fn remove_abandoned(&self, path: &Path) -> io::Result<()> {
        operation();
        Os.remove_abandoned(path)
    }
    fn create_directory(&self, path: &Path) -> io::Result<bool> {
        operation();
        Os.create_directory(path)
    }
    fn canonical(&self, path: &Path) -> io::Result<PathBuf> {
        Os.canonical(path)
    }
    fn list(&self, directory: &Path) -> io::Result<Vec<OsString>> {
        Os.list(directory)
    }
}

impl Read for MortalFile {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        self.0.read(buf)
    }
}

impl Write for MortalFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        operation();
        self.0.write(&bytes[..bytes.len().min(MOST_AT_ONCE)])
    }
    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

impl Seek for MortalFile {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.0.seek(to)
    }
}

fn store_in<D: Disk>(disk: D, dir: &Path) -> Store<D> {
    let mut store = Store::new(disk, dir.to_path_buf());
    store.keep = Some(2);
    store
}

#[test]
fn a_process_aborts_at_its_nth_operation_and_the_next_goes_on() {
    if let Some(role) = std::env::var_os(ROLE) {
        return child(role.to_str().unwrap());
    }
    let root = std::env::temp_dir().join(format!("serde_npz-abort-{}", process::id()));
    let mut n = 0;
    loop {
        let _ = fs::remove_dir_all(&root);
        let dir = root.join("runs/seven");
        let output = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "--nocapture", "--test-threads=1"])
            .arg("checkpoint::tests::abort::a_process_aborts_at_its_nth_operation_and_the_next_goes_on")
            .env(ROLE, format!("{n} {}", dir.to_str().unwrap()))
            .output()
            .unwrap();
        let text = String::from_utf8_lossy(&output.stdout);
        let acknowledged = text
            .lines()
            .filter_map(|line| line.strip_prefix("saved ")?.parse().ok())
            .max();
        let finished = text.contains("finished");
        assert_eq!(output.status.success(), finished, "{text}");

        let store = store_in(Os, &dir);
        for step in store.steps().unwrap() {
            let state: State = store.open(step).unwrap().deserialize().unwrap();
            assert_eq!(state, State::new(step, 1), "operation {n}");
        }
        let newest = store.newest().unwrap().map(|found| found.step);
        assert!(
            newest >= acknowledged,
            "operation {n}: {newest:?} after {acknowledged:?}"
        );

        store.save(STEPS + 1, &State::new(STEPS + 1, 1)).unwrap();
        let names = Os.list(&dir).unwrap();
        assert!(names.len() <= 2, "operation {n} left {names:?}");
        assert!(
            !names.iter().any(|name| crate::io::file::is_temporary(name)),
            "{names:?}"
        );
        if finished {
            break;
        }
        n += 1;
    }
    println!("{n} points to die at in {STEPS} saves");
    assert!(n > 30, "{n}");
    fs::remove_dir_all(&root).unwrap();
}

fn child(role: &str) {
    let (n, dir) = role.split_once(' ').unwrap();
    LEFT.store(n.parse().unwrap(), Ordering::Relaxed);
    let store = store_in(Mortal, Path::new(dir));
    // The name of the test stands on the line so far.
    println!();
    for step in 1..=STEPS {
        store.save(step, &State::new(step, 1)).unwrap();
        println!("saved {step}");
    }
    println!("finished");
}
