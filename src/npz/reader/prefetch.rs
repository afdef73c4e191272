//! Inflates compressed members side by side: while one is taken, other threads work at those that come next.
//!
//! ```text
//! this thread    reads the compressed bytes of b, c, d | inflates a | takes b | inflates d itself if no worker has begun
//! workers                                                b  c
//! ```

use std::collections::{HashMap, VecDeque};
use std::io::{Read, Seek};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{Builder, JoinHandle};

use super::directory::CentralEntry;
use super::member::inflate;
use super::{NpzReader, check_size};
use crate::error::Result;
use crate::npy::whole;
use crate::npz::zip::corrupt;
use crate::options::threads;

/// Larger members are inflated when they are asked for, straight into their place.
const MOST_EACH: u64 = 64 << 20;
/// So much is held at most, compressed and inflated bytes of all members together.
const MOST_ALL: u64 = 256 << 20;
/// Smaller members are inflated sooner than another thread could begin.
const LEAST_EACH: u64 = 32 << 10;

impl<R: Read + Seek> NpzReader<R> {
    /// Announces members that are likely to be asked for one after another.
    pub(crate) fn plan(&mut self, members: impl Iterator<Item = usize>) {
        let compressed = members.filter(|&index| {
            let entry = self.directory.entries.get(index);
            entry.is_some_and(|entry| !entry.method.is_stored() && (LEAST_EACH..=MOST_EACH).contains(&entry.size))
        });
        let compressed: VecDeque<usize> = compressed.collect();
        // Counting processors asks the system: only where it matters.
        if compressed.len() < 2 {
            return;
        }
        let threads = threads(self.options.threads);
        if threads < 2 {
            return;
        }
        // A group within a group comes before what is left of the outer one.
        let planned = &mut self.prefetch.get_or_insert_with(|| Prefetch::new(threads)).planned;
        let outer = std::mem::replace(planned, compressed);
        planned.extend(outer);
    }

    /// Forgets what was announced and not asked for.
    pub(crate) fn end_plan(&mut self) {
        self.prefetch = None;
    }

    /// All bytes of a member that was inflated ahead; `None` if it was not.
    pub(crate) fn take_prefetched(&mut self, index: usize) -> Option<Result<Vec<u8>>> {
        let mut prefetch = self.prefetch.take()?;
        self.feed(&mut prefetch, index);
        let taken = prefetch.take(index);
        self.prefetch = Some(prefetch);
        Some(taken?.and_then(|bytes| {
            check_size(bytes.len() as u64, self.allowed())?;
            self.bytes_used = self.bytes_used.saturating_add(bytes.len() as u64);
            Ok(bytes)
        }))
    }

    /// Hands the planned members to the workers as far as there is room; the one of `index` is asked for now.
    fn feed(&mut self, prefetch: &mut Prefetch, index: usize) {
        if prefetch.planned.front() == Some(&index) {
            prefetch.planned.pop_front();
        } else {
            prefetch.planned.retain(|&planned| planned != index);
        }
        while prefetch.held < MOST_ALL
            && let Some(next) = prefetch.planned.pop_front()
        {
            match self.read_compressed(next) {
                Ok(job) => prefetch.push(next, job),
                // The error comes again when the member is asked for.
                Err(_) => break,
            }
        }
    }

    fn read_compressed(&mut self, index: usize) -> Result<Job> {
        check_size(self.directory.entry(index)?.size, self.allowed())?;
        self.locate(index, u64::MAX)?;
        let entry = self.directory.entry(index)?.clone();
        let mut compressed = whole::zeroed(usize::try_from(entry.compressed).unwrap_or(usize::MAX))?;
        self.reader.read_exact(&mut compressed)?;
        Ok(Job { entry, compressed })
    }
}

/// A member whose compressed bytes are in memory.
struct Job {
    entry: CentralEntry,
    compressed: Vec<u8>,
}

impl Job {
    /// How much memory it takes once inflated; the directory's sizes are proven by then.
    fn bytes(&self) -> u64 {
        self.entry.size.saturating_add(self.entry.compressed)
    }
}

/// Members under way, by their number in the directory.
pub(super) struct Prefetch {
    /// What was planned and not yet read from the archive.
    planned: VecDeque<usize>,
    /// Bytes of all that was read and not yet taken.
    held: u64,
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

impl Prefetch {
    /// `threads` in all, the calling one among them.
    fn new(threads: usize) -> Self {
        Prefetch {
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
    fn push(&mut self, index: usize, job: Job) {
        self.held += job.bytes();
        if self.workers.len() + 1 < self.threads {
            let shared = Arc::clone(&self.shared);
            // If the system has no thread for us, this one does all the work in the end.
            let started = Builder::new()
                .name("serde_npz inflate".into())
                .spawn(move || shared.run());
            self.workers.extend(started.ok());
        }
        self.shared.lock().queue.push_back((index, job));
        self.shared.work.notify_one();
    }

    /// The bytes of a member that was pushed; `None` of any other.
    fn take(&mut self, index: usize) -> Option<Result<Vec<u8>>> {
        let mut state = self.shared.lock();
        // If no worker has begun with it, doing it here is quicker than waiting.
        let mut next = state.queue.iter().position(|(queued, _)| *queued == index);
        loop {
            if let Some((held, bytes)) = state.finished.remove(&index) {
                self.held = self.held.saturating_sub(held);
                return Some(bytes);
            }
            if next.is_none() && !state.running.contains(&index) {
                return None;
            }
            // While a worker inflates the one that is asked for, there is time for another.
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

    /// Inflates one member and keeps it until it is asked for.
    fn work_at<'a>(&'a self, mut state: MutexGuard<'a, State>, index: usize, job: &Job) -> MutexGuard<'a, State> {
        state.running.push(index);
        drop(state);
        // After a panic there has to be a result, too, or a thread would wait for it for ever.
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

impl Drop for Prefetch {
    fn drop(&mut self) {
        self.shared.lock().closed = true;
        self.shared.work.notify_all();
        for worker in self.workers.drain(..) {
            // The results that nobody took do not matter any more.
            let _ = worker.join();
        }
    }
}
