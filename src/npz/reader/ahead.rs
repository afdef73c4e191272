//! Deflated members inflated side by side: while one is taken, threads work at those that come next.
//!
//! ```text
//! this thread    reads the compressed bytes of b, c, d | inflates a | takes b | inflates d itself if nobody has begun
//! workers                                                b  c
//! ```

use std::collections::{HashMap, VecDeque};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{Builder, JoinHandle};

use super::directory::{Listed, corrupt};
use super::member::inflate;
use crate::error::Result;

/// Larger members are inflated where they are asked for, straight into their place.
pub(super) const MOST_EACH: u64 = 64 << 20;
/// All members ahead together, compressed and inflated.
pub(super) const MOST_ALL: u64 = 256 << 20;
/// Less than this is done before another thread has heard of it.
pub(super) const LEAST_EACH: u64 = 32 << 10;

/// A member whose compressed bytes are in memory.
pub(super) struct Job {
    pub(super) entry: Listed,
    pub(super) compressed: Vec<u8>,
}

impl Job {
    /// What is in memory for it, once inflated; the directory's sizes are proven by then.
    fn bytes(&self) -> u64 {
        self.entry.size.saturating_add(self.entry.compressed)
    }
}

/// Members under way, by their number in the directory.
pub(super) struct Ahead {
    /// What was planned and not yet read from the archive.
    pub(super) planned: VecDeque<usize>,
    /// Bytes of all that was read and not yet taken.
    pub(super) held: u64,
    shared: Arc<Shared>,
    workers: Vec<JoinHandle<()>>,
    threads: usize,
}

struct Shared {
    state: Mutex<State>,
    done: Condvar,
    work: Condvar,
}

#[derive(Default)]
struct State {
    queue: VecDeque<(usize, Job)>,
    running: Vec<usize>,
    /// With the bytes each one holds.
    finished: HashMap<usize, (u64, Result<Vec<u8>>)>,
    closed: bool,
}

impl Ahead {
    /// `threads` in all, the calling one among them.
    pub(super) fn new(threads: usize) -> Self {
        Ahead {
            planned: VecDeque::new(),
            held: 0,
            shared: Arc::new(Shared {
                state: Mutex::default(),
                done: Condvar::new(),
                work: Condvar::new(),
            }),
            workers: Vec::new(),
            threads,
        }
    }

    /// Hands a member to the workers.
    pub(super) fn push(&mut self, index: usize, job: Job) {
        self.held += job.bytes();
        if self.workers.len() + 1 < self.threads {
            let shared = Arc::clone(&self.shared);
            // Where no thread is to be had, this one does all the work in the end.
            let started = Builder::new()
                .name("serde_npz inflate".into())
                .spawn(move || shared.run());
            self.workers.extend(started.ok());
        }
        self.shared.lock().queue.push_back((index, job));
        self.shared.work.notify_one();
    }

    /// The bytes of a member that was pushed; `None` of any other.
    pub(super) fn take(&mut self, index: usize) -> Option<Result<Vec<u8>>> {
        let mut state = self.shared.lock();
        // Nobody has begun: quicker done than waited for.
        let mut next = state.queue.iter().position(|(queued, _)| *queued == index);
        loop {
            if let Some((held, bytes)) = state.finished.remove(&index) {
                self.held = self.held.saturating_sub(held);
                return Some(bytes);
            }
            if next.is_none() && !state.running.contains(&index) {
                return None;
            }
            // While a worker is at the one that is asked for, there is time for another.
            state = match state.queue.remove(next.take().unwrap_or_default()) {
                Some((index, job)) => self.shared.work_at(state, index, &job),
                None => self.shared.done.wait(state).unwrap_or_else(PoisonError::into_inner),
            };
        }
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Inflates one member, and keeps it for who asks.
    fn work_at<'a>(&'a self, mut state: MutexGuard<'a, State>, index: usize, job: &Job) -> MutexGuard<'a, State> {
        state.running.push(index);
        drop(state);
        // Whoever waits for this one must not wait for ever.
        let bytes = catch_unwind(AssertUnwindSafe(|| inflate(&job.entry, &job.compressed)))
            .unwrap_or_else(|_| Err(corrupt("found data that broke the inflater, expected a deflate stream")));
        let mut state = self.lock();
        state.running.retain(|running| *running != index);
        state.finished.insert(index, (job.bytes(), bytes));
        self.done.notify_all();
        state
    }

    fn run(&self) {
        let mut state = self.lock();
        loop {
            if state.closed {
                return;
            }
            let Some((index, job)) = state.queue.pop_front() else {
                state = self.work.wait(state).unwrap_or_else(PoisonError::into_inner);
                continue;
            };
            state = self.work_at(state, index, &job);
        }
    }
}

impl Drop for Ahead {
    fn drop(&mut self) {
        self.shared.lock().closed = true;
        self.shared.work.notify_all();
        for worker in self.workers.drain(..) {
            // A worker has nothing to say that was not asked for.
            let _ = worker.join();
        }
    }
}
