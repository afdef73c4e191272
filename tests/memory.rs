//! What is held while arrays are saved and loaded: the result, and a bounded rest.

use std::alloc::{GlobalAlloc, Layout, System};
use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::BufReader;
use std::path::PathBuf;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde::de::DeserializeOwned;
use serde_npz::{ReadOptions, WriteOptions};

struct Counting;

static HELD: AtomicUsize = AtomicUsize::new(0);
static MOST: AtomicUsize = AtomicUsize::new(0);

// SAFETY: all is done by the system's allocator, beside which is counted.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        more(layout.size());
        // SAFETY: as the caller promises.
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        more(layout.size());
        // SAFETY: as the caller promises.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        HELD.fetch_sub(layout.size(), Ordering::Relaxed);
        // SAFETY: as the caller promises.
        unsafe { System.dealloc(pointer, layout) }
    }
}

fn more(size: usize) {
    let held = HELD.fetch_add(size, Ordering::Relaxed) + size;
    MOST.fetch_max(held, Ordering::Relaxed);
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// One measurement at a time.
static ALONE: Mutex<()> = Mutex::new(());

/// The most that was held at once beyond what was there before.
fn most<T>(body: impl FnOnce() -> T) -> (T, usize) {
    let before = HELD.load(Ordering::Relaxed);
    MOST.store(before, Ordering::Relaxed);
    let value = body();
    (value, MOST.load(Ordering::Relaxed) - before)
}

const MIB: usize = 1 << 20;
/// Whatever the size of the array.
const REST: usize = 8 * MIB;

fn values(mib: usize) -> Vec<f64> {
    (0..mib * MIB / 8).map(|i| (i % 1000) as f64).collect()
}

fn scratch(name: &str) -> PathBuf {
    let path = std::env::temp_dir().join(format!("serde_npz-memory-{}-{name}", std::process::id()));
    fs::create_dir_all(&path).unwrap();
    path
}

fn loaded<T: DeserializeOwned + PartialEq>(what: &str, size: usize, expected: &T, load: impl FnOnce() -> T) {
    let (value, most) = most(load);
    assert!(value == *expected, "{what}");
    assert!(most < size + REST, "{what}: {most} bytes for {size}");
}

#[test]
fn an_array_is_held_once_at_most() {
    let _alone = ALONE.lock().unwrap();
    let dir = scratch("once");
    for mib in [16, 48] {
        let size = mib * MIB;
        let array = BTreeMap::from([("x", values(mib))]);
        let x = &array["x"];
        let (npy, npz, deflated) = (dir.join("x.npy"), dir.join("x.npz"), dir.join("deflated.npz"));
        for (what, used) in [
            ("save_npy", most(|| serde_npz::save_npy(&npy, x).unwrap()).1),
            ("save_npz", most(|| serde_npz::save_npz(&npz, &array).unwrap()).1),
            (
                "compressed",
                most(|| WriteOptions::new().compressed().save_npz(&deflated, &array).unwrap()).1,
            ),
        ] {
            assert!(used < REST, "{what}: {used} bytes for {size}");
        }

        loaded("load_npy", size, x, || serde_npz::load_npy(&npy).unwrap());
        let array: BTreeMap<String, Vec<f64>> = [("x".to_owned(), x.clone())].into();
        loaded("load_npz", size, &array, || serde_npz::load_npz(&npz).unwrap());
        loaded("load deflated", size, &array, || {
            serde_npz::load_npz(&deflated).unwrap()
        });
        loaded("load deflated, one thread", size, &array, || {
            ReadOptions::new().threads(1).load_npz(&deflated).unwrap()
        });
        // A reader tells nothing of its length: memory comes as bytes come, as much again each time.
        let (value, used) =
            most(|| serde_npz::from_npy_reader::<_, Vec<f64>>(BufReader::new(File::open(&npy).unwrap())));
        assert!(value.unwrap() == *x);
        assert!(used < 2 * size + REST, "from_npy_reader: {used} bytes for {size}");
    }
    fs::remove_dir_all(dir).unwrap();
}

#[test]
fn members_inflated_ahead_are_bounded() {
    let _alone = ALONE.lock().unwrap();
    let members: BTreeMap<String, Vec<f64>> = (0..12).map(|i| (format!("m{i}"), values(2))).collect();
    let bytes = WriteOptions::new().compressed().to_npz_vec(&members).unwrap();
    let size = 24 * MIB;
    for threads in [1, 2, 4] {
        let options = ReadOptions::new().threads(threads);
        let (value, used) = most(|| options.from_npz_slice::<BTreeMap<String, Vec<f64>>>(&bytes).unwrap());
        assert!(value == members);
        // Each member of the result, and as much of those ahead as fits under their bound.
        assert!(used < 2 * size + REST, "{threads} threads: {used} bytes for {size}");
    }
}
