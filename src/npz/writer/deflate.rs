//! Deflate in blocks, on as many threads as allowed.
//!
//! ```text
//! member      |------ block 0 ------|------ block 1 ------|-- block 2 --|
//! deflated    |------ sync flush ---|                                         each on its own, by any thread,
//!                        [ 32 KiB ] |------ sync flush ---|                   with what stands before it as dictionary
//!                                              [ 32 KiB ] |-- the end --|
//! in order    |-----------|-----------|-----|                                 one deflate stream
//! ```
//!
//! Where a block ends depends on the input alone, so the bytes are the same whatever the number of threads. The
//! caller's thread compresses, too, once enough is waiting: with one thread there is no other.

use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};

use crc32fast::Hasher;
use flate2::{Compress, FlushCompress, Status};

use crate::error::{Error, ErrorKind, Result};
use crate::npz::zip::Method;
use crate::options::{Compression, WriteOptions, threads};

/// How much is deflated at once.
pub(crate) const BLOCK: usize = 256 << 10;

/// As far back as deflate can point.
const WINDOW: usize = 32 << 10;

/// What has to be waiting before a thread is worth its start.
const WORTH_A_THREAD: usize = 128 << 10;

/// A piece of a member.
pub(crate) struct Block {
    /// The dictionary, then the data.
    bytes: Vec<u8>,
    dictionary: usize,
    last: bool,
}

impl Block {
    /// The first block of a member; `buffer` is any that is not needed any more.
    pub(crate) fn first(mut buffer: Vec<u8>) -> Self {
        buffer.clear();
        Block {
            bytes: buffer,
            dictionary: 0,
            last: false,
        }
    }

    /// The block behind this one.
    pub(crate) fn next(&self, mut buffer: Vec<u8>) -> Self {
        buffer.clear();
        let data = &self.bytes[self.dictionary..];
        buffer.extend_from_slice(&data[data.len().saturating_sub(WINDOW)..]);
        Block {
            dictionary: buffer.len(),
            bytes: buffer,
            last: false,
        }
    }

    /// Takes what there is room for, and returns the rest.
    pub(crate) fn fill<'b>(&mut self, bytes: &'b [u8]) -> &'b [u8] {
        let room = BLOCK - self.len();
        let (now, later) = bytes.split_at(room.min(bytes.len()));
        self.bytes.extend_from_slice(now);
        later
    }

    pub(crate) fn end(&mut self) {
        self.last = true;
    }

    fn len(&self) -> usize {
        self.bytes.len() - self.dictionary
    }
}

/// What became of a [`Block`].
pub(crate) struct Deflated {
    pub(crate) bytes: Vec<u8>,
    /// Of the data before compression.
    pub(crate) sum: Hasher,
    pub(crate) size: u64,
    /// The memory of the block, to be used again.
    pub(crate) buffer: Vec<u8>,
}

/// Deflates blocks on several threads and hands them out in order.
pub(crate) struct Deflater {
    engine: Engine,
    level: u32,
    threads: usize,
    workers: Vec<JoinHandle<()>>,
    /// Whether the system has refused a thread.
    alone: bool,
    shared: Arc<Shared>,
}

struct Shared {
    state: Mutex<State>,
    /// There is a block to deflate, or never again.
    work: Condvar,
    /// A block is done.
    done: Condvar,
}

#[derive(Default)]
struct State {
    queue: VecDeque<(u64, Block)>,
    queued: usize,
    /// One place for each block submitted and not handed out yet, in order.
    results: VecDeque<Option<Result<Deflated>>>,
    /// The number of the block that is first among the results.
    first: u64,
    closed: bool,
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        // Nothing panics while it holds the lock.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn pop(&mut self) -> Option<(u64, Block)> {
        let (number, block) = self.queue.pop_front()?;
        self.queued -= block.len();
        Some((number, block))
    }

    fn keep(&mut self, number: u64, result: Result<Deflated>) {
        let place = number.checked_sub(self.first).and_then(|at| usize::try_from(at).ok());
        if let Some(place) = place.and_then(|at| self.results.get_mut(at)) {
            *place = Some(result);
        }
    }
}

impl Deflater {
    /// `None` where members are to be stored.
    pub(crate) fn new(options: &WriteOptions) -> Option<Self> {
        let level = match options.compression {
            // Level 0 means to store, and what is stored as such can be mapped.
            Compression::Stored | Compression::Deflate(0) => return None,
            Compression::Deflate(level) => backend_level(level),
        };
        Some(Deflater::with_level(level, threads(options.threads)))
    }

    fn with_level(level: u32, threads: usize) -> Self {
        Deflater {
            engine: Engine::new(level),
            level,
            threads,
            workers: Vec::new(),
            alone: false,
            shared: Arc::new(Shared {
                state: Mutex::default(),
                work: Condvar::new(),
                done: Condvar::new(),
            }),
        }
    }

    pub(crate) fn method(&self) -> Method {
        Method::Deflate
    }

    /// Takes a block; [`Deflater::full`] and [`Deflater::wait`] are to follow.
    pub(crate) fn submit(&mut self, block: Block) {
        let mut state = self.shared.lock();
        let number = state.first + state.results.len() as u64;
        state.queued += block.len();
        state.queue.push_back((number, block));
        state.results.push_back(None);
        let busy = state.queued >= WORTH_A_THREAD && state.queue.len() > self.workers.len();
        drop(state);
        if busy && self.workers.len() + 1 < self.threads && !self.alone {
            self.hire();
        }
        if !self.workers.is_empty() {
            self.shared.work.notify_one();
        }
    }

    /// Whether nothing more should be submitted before something is taken out.
    pub(crate) fn full(&self) -> bool {
        let most = if self.threads < 2 { 0 } else { 2 * self.threads };
        self.shared.lock().results.len() > most
    }

    /// The oldest block, if it is done.
    pub(crate) fn ready(&mut self) -> Option<Result<Deflated>> {
        take_first(&mut self.shared.lock())
    }

    /// The oldest block; `None` if there is none at all. Lends a hand until it is done.
    pub(crate) fn wait(&mut self) -> Option<Result<Deflated>> {
        let mut state = self.shared.lock();
        loop {
            if state.results.is_empty() {
                return None;
            }
            if let Some(result) = take_first(&mut state) {
                return Some(result);
            }
            state = match state.pop() {
                Some((number, block)) => {
                    drop(state);
                    let result = self.engine.deflate(block);
                    let mut state = self.shared.lock();
                    state.keep(number, result);
                    state
                }
                None => self.shared.done.wait(state).unwrap_or_else(PoisonError::into_inner),
            };
        }
    }

    fn hire(&mut self) {
        let (shared, level) = (Arc::clone(&self.shared), self.level);
        let spawned = thread::Builder::new()
            .name("serde_npz deflate".to_owned())
            .spawn(move || work(&shared, level));
        match spawned {
            Ok(worker) => self.workers.push(worker),
            // Where there are no threads, or none any more, this one does it all.
            Err(_) => self.alone = true,
        }
    }
}

impl Drop for Deflater {
    fn drop(&mut self) {
        let mut state = self.shared.lock();
        state.closed = true;
        state.queue.clear();
        drop(state);
        self.shared.work.notify_all();
        for worker in self.workers.drain(..) {
            // It hands its panics over as results.
            let _ = worker.join();
        }
    }
}

fn take_first(state: &mut State) -> Option<Result<Deflated>> {
    if !matches!(state.results.front(), Some(Some(_))) {
        return None;
    }
    state.first += 1;
    state.results.pop_front().flatten()
}

fn work(shared: &Shared, level: u32) {
    let mut engine = Engine::new(level);
    let mut state = shared.lock();
    while !state.closed {
        let Some((number, block)) = state.pop() else {
            state = shared.work.wait(state).unwrap_or_else(PoisonError::into_inner);
            continue;
        };
        drop(state);
        // Whoever waits for this block would wait for ever.
        let result = catch_unwind(AssertUnwindSafe(|| engine.deflate(block)))
            .unwrap_or_else(|_| Err(failed("a thread panicked")));
        state = shared.lock();
        state.keep(number, result);
        shared.done.notify_all();
    }
}

/// The state of one thread's compression.
struct Engine {
    level: u32,
    stream: Compress,
    used: bool,
}

impl Engine {
    fn new(level: u32) -> Self {
        Engine {
            level,
            stream: new_stream(level),
            used: false,
        }
    }

    /// A stream in which nothing is left of the block before.
    fn prepare(&mut self, dictionary: &[u8]) -> Result<()> {
        match (self.used, dictionary.is_empty()) {
            (false, _) => {}
            (true, true) => self.stream.reset(),
            // zlib-rs 0.6 hashes a byte behind the dictionary, which after a reset is one of the block before: what
            // comes out would depend on which thread had that.
            (true, false) => self.stream = new_stream(self.level),
        }
        self.used = true;
        if !dictionary.is_empty() {
            self.stream.set_dictionary(dictionary).map_err(failed)?;
        }
        Ok(())
    }

    fn deflate(&mut self, block: Block) -> Result<Deflated> {
        let (dictionary, data) = block.bytes.split_at(block.dictionary);
        self.prepare(dictionary)?;
        let mut sum = Hasher::new();
        sum.update(data);
        let flush = if block.last {
            FlushCompress::Finish
        } else {
            FlushCompress::Sync
        };
        let mut bytes = Vec::with_capacity(data.len() / 2 + 64);
        loop {
            let taken = self.stream.total_in() as usize;
            let status = self
                .stream
                .compress_vec(data.get(taken..).unwrap_or_default(), &mut bytes, flush)
                .map_err(failed)?;
            // A flush is complete once there was room to spare.
            let flushed = self.stream.total_in() as usize == data.len() && bytes.len() < bytes.capacity();
            if status == Status::StreamEnd || (!block.last && flushed) {
                break;
            }
            // Not twice as much: what waits has a bound.
            bytes.reserve_exact(data.len() / 2 + 64);
        }
        Ok(Deflated {
            bytes,
            sum,
            size: data.len() as u64,
            buffer: block.bytes,
        })
    }
}

/// The level of the deflate in use that keeps the size of zlib's `level` and takes less time.
///
/// The scales differ: its 6 leaves stepped integers 64 % larger than zlib's, its 7 meets them and is faster.
fn backend_level(level: u32) -> u32 {
    match level {
        0..=4 => level,
        5 => 6,
        6 | 7 => 7,
        8 => 8,
        _ => 9,
    }
}

/// Writes bytes at the start of a member that will be replaced later by equally many: uncompressed, in the form that the
/// method has for that.
pub(crate) fn put_uncompressed(method: Method, bytes: &[u8], out: &mut Vec<u8>) {
    if method.is_stored() {
        out.extend_from_slice(bytes);
        return;
    }
    // Stored blocks of deflate: no final one, the length, its complement.
    for piece in bytes.chunks(usize::from(u16::MAX)) {
        let len = piece.len() as u16;
        out.push(0);
        out.extend_from_slice(&len.to_le_bytes());
        out.extend_from_slice(&(!len).to_le_bytes());
        out.extend_from_slice(piece);
    }
}

fn new_stream(level: u32) -> Compress {
    Compress::new(flate2::Compression::new(level), false)
}

#[cold]
fn failed(why: impl std::fmt::Display) -> Error {
    Error::new(ErrorKind::Io, format_args!("compressing failed: {why}"))
}
