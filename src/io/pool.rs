//! Threads that work for the caller while it goes on. What they have not begun when it is needed, the caller does itself.
//!
//! ```text
//! caller    submits a, b, c │ takes a: not begun, does it itself │ takes b: done │ takes c: waits │
//! worker                        │ b                     │ c                                      │
//! ```
//!
//! Results are taken in whatever order the caller asks for them, so what comes of them does not depend on the number
//! of threads. Jobs run without a lock of the pool. `docs/decisions/thread-pool.md` says why this is no crate.

use std::collections::{HashMap, VecDeque};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{Builder, JoinHandle};

use crate::error::{Error, ErrorKind, Result};

/// This many bytes of work have to be waiting before another thread is worth its start.
const WORTH_A_THREAD: u64 = 128 << 10;

/// Up to a number of threads, each started when there is work for it, and joined when the pool is dropped.
pub(crate) struct Pool<T> {
    shared: Arc<Shared<T>>,
    workers: Vec<JoinHandle<()>>,
    most_workers: usize,
}

/// The right to the result of one job.
pub(crate) struct Ticket(u64);

struct Shared<T> {
    state: Mutex<State<T>>,
    /// Signalled when there is a job, or the pool is closed.
    work: Condvar,
    /// Signalled when a job is done.
    done: Condvar,
}

struct State<T> {
    waiting: VecDeque<Job<T>>,
    waiting_bytes: u64,
    results: HashMap<u64, Result<T>>,
    /// The number of the next job.
    next: u64,
    closed: bool,
}

struct Job<T> {
    ticket: u64,
    bytes: u64,
    run: Box<dyn FnOnce() -> Result<T> + Send>,
}

impl<T: Send + 'static> Pool<T> {
    /// `threads` counts the caller: with one there are no workers.
    pub(crate) fn new(threads: usize) -> Self {
        let state = State {
            waiting: VecDeque::new(),
            waiting_bytes: 0,
            results: HashMap::new(),
            next: 0,
            closed: false,
        };
        Pool {
            shared: Arc::new(Shared {
                state: Mutex::new(state),
                work: Condvar::new(),
                done: Condvar::new(),
            }),
            workers: Vec::new(),
            most_workers: threads.saturating_sub(1),
        }
    }

    /// Hands over a job that goes through about so many `bytes`.
    pub(crate) fn submit(&mut self, bytes: u64, run: impl FnOnce() -> Result<T> + Send + 'static) -> Ticket {
        let mut state = self.shared.lock();
        let ticket = state.next;
        state.next += 1;
        state.waiting_bytes += bytes;
        state.waiting.push_back(Job {
            ticket,
            bytes,
            run: Box::new(run),
        });
        let short_of_workers = state.waiting_bytes >= WORTH_A_THREAD && state.waiting.len() > self.workers.len();
        drop(state);
        if short_of_workers && self.workers.len() < self.most_workers {
            self.start_worker();
        }
        self.shared.work.notify_one();
        Ticket(ticket)
    }

    /// Whether [`Pool::take`] would return at once.
    pub(crate) fn is_done(&self, ticket: &Ticket) -> bool {
        self.shared.lock().results.contains_key(&ticket.0)
    }

    /// The result of a job. If no worker has begun with it, this thread does it; while one is at it, another job.
    ///
    /// A job that panics has an error as its result.
    pub(crate) fn take(&mut self, ticket: Ticket) -> Result<T> {
        let mut state = self.shared.lock();
        loop {
            if let Some(result) = state.results.remove(&ticket.0) {
                return result;
            }
            let own = state.waiting.iter().position(|job| job.ticket == ticket.0);
            state = match state.begin(own.unwrap_or(0)) {
                Some(job) => self.shared.run(state, job),
                None => self.shared.done.wait(state).unwrap_or_else(PoisonError::into_inner),
            };
        }
    }

    fn start_worker(&mut self) {
        let shared = Arc::clone(&self.shared);
        match Builder::new()
            .name("serde_npz".into())
            .spawn(move || shared.work_until_closed())
        {
            Ok(worker) => self.workers.push(worker),
            // The system has no more threads for us: those there are do all the work, in the end the caller alone.
            Err(_) => self.most_workers = self.workers.len(),
        }
    }
}

impl<T> Drop for Pool<T> {
    fn drop(&mut self) {
        let mut state = self.shared.lock();
        state.closed = true;
        let not_begun = std::mem::take(&mut state.waiting);
        drop(state);
        drop(not_begun);
        self.shared.work.notify_all();
        for worker in self.workers.drain(..) {
            // A job that panicked has left an error, and nobody has asked for it.
            let _ = worker.join();
        }
    }
}

impl<T> Shared<T> {
    fn lock(&self) -> MutexGuard<'_, State<T>> {
        // No job runs while it is held, so that what it protects is whole even after a panic.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn work_until_closed(&self) {
        let mut state = self.lock();
        while !state.closed {
            state = match state.begin(0) {
                Some(job) => self.run(state, job),
                None => self.work.wait(state).unwrap_or_else(PoisonError::into_inner),
            };
        }
    }

    /// Runs a job without the lock.
    fn run<'s>(&'s self, state: MutexGuard<'s, State<T>>, job: Job<T>) -> MutexGuard<'s, State<T>> {
        drop(state);
        // Without a result, whoever takes this job would wait for ever.
        let result = catch_unwind(AssertUnwindSafe(job.run)).unwrap_or_else(|_| Err(panicked()));
        let mut state = self.lock();
        state.results.insert(job.ticket, result);
        self.done.notify_all();
        state
    }
}

impl<T> State<T> {
    /// Takes a job out of those that wait.
    fn begin(&mut self, at: usize) -> Option<Job<T>> {
        let job = self.waiting.remove(at)?;
        self.waiting_bytes -= job.bytes;
        Some(job)
    }
}

#[cold]
fn panicked() -> Error {
    Error::new(
        ErrorKind::Io,
        "found a panic in work on another thread, expected a result: this is a fault of serde_npz",
    )
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::sync::mpsc::channel;
    use std::thread;

    use super::*;

    #[test]
    fn results_come_in_any_order_with_any_number_of_threads() {
        for threads in [0, 1, 2, 5] {
            let mut pool = Pool::new(threads);
            let mut tickets: Vec<_> = (0..100)
                .map(|n: u64| (n, pool.submit(64 << 10, move || Ok(n * n))))
                .collect();
            while let Some((n, ticket)) = tickets.pop() {
                assert_eq!(pool.take(ticket).unwrap(), n * n);
                if n % 7 == 0 && !tickets.is_empty() {
                    let (n, ticket) = tickets.remove(0);
                    assert_eq!(pool.take(ticket).unwrap(), n * n);
                }
            }
            assert!(pool.workers.len() < threads.max(1), "{} workers", pool.workers.len());
        }
    }

    #[test]
    fn little_work_starts_no_thread() {
        let mut pool = Pool::new(8);
        for _ in 0..100 {
            let ticket = pool.submit(WORTH_A_THREAD - 1, || Ok(thread::current().id()));
            assert_eq!(pool.take(ticket).unwrap(), thread::current().id());
        }
        assert!(pool.workers.is_empty());
    }

    /// A worker that is at one job does not keep the caller from the others.
    #[test]
    fn the_caller_does_what_nobody_has_begun() {
        let mut pool = Pool::new(2);
        let (begun, has_begun) = channel();
        let (go_on, may_go_on) = channel();
        let slow = pool.submit(WORTH_A_THREAD, move || {
            begun.send(()).unwrap();
            may_go_on.recv().unwrap();
            Ok(thread::current().id())
        });
        has_begun.recv().unwrap();
        let here = pool.submit(WORTH_A_THREAD, || Ok(thread::current().id()));
        let last = pool.submit(0, move || {
            go_on.send(()).unwrap();
            Ok(thread::current().id())
        });
        assert!(!pool.is_done(&slow));
        assert_eq!(pool.take(here).unwrap(), thread::current().id());
        // Waiting for the slow one, it does the last, which is what the slow one waits for.
        assert_ne!(pool.take(slow).unwrap(), thread::current().id());
        assert!(pool.is_done(&last));
        pool.take(last).unwrap();
    }

    #[test]
    fn a_panic_is_the_result_of_its_job_alone() {
        for threads in [1, 3] {
            let mut pool = Pool::new(threads);
            let tickets: Vec<_> = (0..20)
                .map(|n| {
                    pool.submit(WORTH_A_THREAD, move || {
                        assert!(n % 5 > 0, "a job that panics");
                        Ok(n)
                    })
                })
                .collect();
            for (n, ticket) in tickets.into_iter().enumerate() {
                assert_eq!(pool.take(ticket).is_err(), n % 5 == 0);
            }
        }
    }

    #[test]
    fn dropping_ends_the_threads_and_begins_nothing_more() {
        static RUN: AtomicUsize = AtomicUsize::new(0);
        let mut pool = Pool::new(3);
        let (go_on, may_go_on) = channel::<()>();
        let (begun, has_begun) = channel();
        pool.submit(WORTH_A_THREAD, move || {
            begun.send(()).unwrap();
            // Until the pool has been closed, and with it the job that holds the other end.
            let _ = may_go_on.recv();
            RUN.fetch_add(1, Ordering::Relaxed);
            Ok(())
        });
        has_begun.recv().unwrap();
        pool.submit(0, move || {
            RUN.fetch_add(100, Ordering::Relaxed);
            drop(go_on);
            Ok(())
        });
        drop(pool);
        assert_eq!(RUN.load(Ordering::Relaxed), 1);
    }
}
