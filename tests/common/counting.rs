//! The allocator of the tests that measure memory, and of those that run out of it.
//!
//! It counts twice: for each thread, and for the whole process. Work on one thread is measured by [`peak`]. Work on
//! several is measured by [`Alone::peak`], which is right as long as every test of the binary that allocates much holds
//! an [`Alone`].
#![allow(dead_code, reason = "every test binary uses its own part")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::ptr::null_mut;
use std::sync::atomic::{AtomicIsize, Ordering::Relaxed};
use std::sync::{Mutex, MutexGuard, PoisonError};

thread_local! {
    static LIVE: Cell<isize> = const { Cell::new(0) };
    static PEAK: Cell<isize> = const { Cell::new(0) };
    static LARGEST: Cell<usize> = const { Cell::new(usize::MAX) };
    static CALLS: Cell<usize> = const { Cell::new(0) };
}

static LIVE_OF_ALL: AtomicIsize = AtomicIsize::new(0);
static PEAK_OF_ALL: AtomicIsize = AtomicIsize::new(0);

/// What `body` returns, and the most bytes this thread held at once beyond those it held before.
pub fn peak<T>(body: impl FnOnce() -> T) -> (T, usize) {
    let before = LIVE.get();
    PEAK.set(before);
    let value = body();
    (value, (PEAK.get() - before) as usize)
}

/// What `body` returns, and how often this thread asked for memory meanwhile.
pub fn allocations<T>(body: impl FnOnce() -> T) -> (T, usize) {
    let before = CALLS.get();
    let value = body();
    (value, CALLS.get() - before)
}

/// The right to measure the process: one test at a time has it.
pub struct Alone {
    _guard: MutexGuard<'static, ()>,
}

impl Alone {
    /// Waits until no other test has it.
    pub fn wait() -> Self {
        static LOCK: Mutex<()> = Mutex::new(());
        // A test that failed while it held the lock spoils nothing.
        let _guard = LOCK.lock().unwrap_or_else(PoisonError::into_inner);
        Alone { _guard }
    }

    /// What `body` returns, and the most bytes all threads together held at once beyond those they held before.
    pub fn peak<T>(&self, body: impl FnOnce() -> T) -> (T, usize) {
        let before = LIVE_OF_ALL.load(Relaxed);
        PEAK_OF_ALL.store(before, Relaxed);
        let value = body();
        (value, (PEAK_OF_ALL.load(Relaxed) - before) as usize)
    }
}

/// Refuses every larger piece of memory that this thread asks for while `run` is running.
pub fn with_at_most<T>(largest: usize, run: impl FnOnce() -> T) -> T {
    LARGEST.set(largest);
    let result = run();
    LARGEST.set(usize::MAX);
    result
}

struct Counting;

#[global_allocator]
static ALLOCATOR: Counting = Counting;

// SAFETY: what is not refused is done by the system's allocator with the same arguments, and the counters touch no memory
// of it. A refusal is null, as the trait allows.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        if refused(layout.size()) {
            return null_mut();
        }
        grow(layout.size() as isize);
        // SAFETY: the caller's promises are the system allocator's.
        unsafe { System.alloc(layout) }
    }
    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        if refused(layout.size()) {
            return null_mut();
        }
        grow(layout.size() as isize);
        // SAFETY: as above.
        unsafe { System.alloc_zeroed(layout) }
    }
    unsafe fn dealloc(&self, ptr: *mut u8, layout: Layout) {
        grow(-(layout.size() as isize));
        // SAFETY: as above.
        unsafe { System.dealloc(ptr, layout) }
    }
    unsafe fn realloc(&self, ptr: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        if refused(size) {
            return null_mut();
        }
        // Old and new may be there at the same time.
        grow(size as isize);
        grow(-(layout.size() as isize));
        // SAFETY: as above.
        unsafe { System.realloc(ptr, layout, size) }
    }
}

fn refused(size: usize) -> bool {
    // A thread that is ending has no counters any more.
    let _ = CALLS.try_with(|calls| calls.set(calls.get() + 1));
    LARGEST.try_with(Cell::get).is_ok_and(|largest| size > largest)
}

fn grow(by: isize) {
    PEAK_OF_ALL.fetch_max(LIVE_OF_ALL.fetch_add(by, Relaxed) + by, Relaxed);
    let _ = LIVE.try_with(|live| {
        live.set(live.get() + by);
        let _ = PEAK.try_with(|peak| peak.set(peak.get().max(live.get())));
    });
}
