//! Memory that is not to be had is an error where this crate asks for it; what grows on its own (a `Vec` that serde
//! fills element by element) aborts, as everywhere in Rust.
//!
//! The allocator of this test refuses large requests of a thread that asks it to.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::collections::BTreeMap;
use std::io::Cursor;

use serde_npz::{ErrorKind, NpzReader, WriteOptions};

thread_local! {
    static LARGEST: Cell<usize> = const { Cell::new(usize::MAX) };
}

struct Refusing;

#[global_allocator]
static ALLOCATOR: Refusing = Refusing;

fn refused(size: usize) -> bool {
    LARGEST.try_with(Cell::get).is_ok_and(|largest| size > largest)
}

// SAFETY: what is not refused is done by the system's allocator with the same arguments; a refusal is null, as allowed.
unsafe impl GlobalAlloc for Refusing {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        if refused(layout.size()) {
            return std::ptr::null_mut();
        }
        // SAFETY: as the caller promises.
        unsafe { System.alloc(layout) }
    }
    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        if refused(layout.size()) {
            return std::ptr::null_mut();
        }
        // SAFETY: as the caller promises.
        unsafe { System.alloc_zeroed(layout) }
    }
    unsafe fn realloc(&self, at: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        if refused(size) {
            return std::ptr::null_mut();
        }
        // SAFETY: as the caller promises.
        unsafe { System.realloc(at, layout, size) }
    }
    unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
        // SAFETY: as the caller promises.
        unsafe { System.dealloc(at, layout) }
    }
}

fn with_at_most<T>(largest: usize, run: impl FnOnce() -> T) -> T {
    LARGEST.set(largest);
    let result = run();
    LARGEST.set(usize::MAX);
    result
}

type Map = BTreeMap<String, Vec<f64>>;
type Read<'a> = &'a dyn Fn() -> serde_npz::Result<()>;

#[test]
fn an_array_larger_than_the_memory_is_an_error() {
    let archive = BTreeMap::from([("x", vec![1.5_f64; 1 << 18])]);
    let npy = serde_npz::to_npy_vec(&archive["x"]).unwrap();
    let stored = serde_npz::to_npz_vec(&archive).unwrap();
    let deflated = WriteOptions::new().compressed().to_npz_vec(&archive).unwrap();
    let raw = |bytes: &[u8]| NpzReader::new(Cursor::new(bytes))?.raw("x").map(drop);
    let ways: [(&str, Read); 6] = [
        ("array", &|| serde_npz::from_npy_slice::<Vec<f64>>(&npy).map(drop)),
        ("array of a reader", &|| {
            serde_npz::from_npy_reader::<_, Vec<f64>>(&npy[..]).map(drop)
        }),
        ("stored", &|| serde_npz::from_npz_slice::<Map>(&stored).map(drop)),
        ("deflated", &|| serde_npz::from_npz_slice::<Map>(&deflated).map(drop)),
        ("raw", &|| raw(&stored)),
        ("raw, deflated", &|| raw(&deflated)),
    ];
    for (name, read) in ways {
        let err = with_at_most(1 << 20, read).expect_err(name);
        assert_eq!(err.kind(), ErrorKind::LimitExceeded, "{name}: {err}");
        assert!(err.to_string().contains("memory"), "{name}: {err}");
        assert!(read().is_ok(), "{name}");
    }
}

#[test]
fn an_archive_larger_than_the_memory_is_an_error() {
    let archive = BTreeMap::from([("x", vec![1.5_f64; 1 << 18])]);
    let ways: [(&str, Read); 3] = [
        ("npy", &|| serde_npz::to_npy_vec(&archive["x"]).map(drop)),
        ("npz", &|| serde_npz::to_npz_vec(&archive).map(drop)),
        ("checkpoint", &|| {
            // Captured before it is saved; nothing comes as far as the directory.
            serde_npz::Checkpoints::new("nowhere").save_in_background(1, &archive)
        }),
    ];
    for (name, write) in ways {
        let err = with_at_most(1 << 20, write).expect_err(name);
        assert_eq!(err.kind(), ErrorKind::LimitExceeded, "{name}: {err}");
        assert!(err.to_string().contains("memory"), "{name}: {err}");
    }
}
