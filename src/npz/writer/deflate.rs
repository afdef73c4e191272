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
//! Where a block ends depends only on the input, so the bytes are the same for any number of threads. The calling thread
//! compresses as well once enough blocks are waiting; with one thread it does all of them.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crc32fast::Hasher;
use flate2::{Compress, FlushCompress, Status};

use crate::error::{Error, ErrorKind, Result};
use crate::io::pool::{Pool, Ticket};
use crate::io::source::in_memory;
use crate::npz::zip::Method;
use crate::options::{Compression, WriteOptions, threads};

/// How much is deflated at once.
pub(crate) const BLOCK: usize = 256 << 10;

/// How far back deflate can refer.
const WINDOW: usize = 32 << 10;

/// A piece of a member.
pub(crate) struct Block {
    /// The dictionary, then the data.
    bytes: Vec<u8>,
    dictionary: usize,
    last: bool,
}

impl Block {
    /// The first block of a member; the memory of `buffer` is used.
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

    /// Takes as many bytes as there is room for, and returns the rest.
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

/// A [`Block`] that has been compressed.
pub(crate) struct Deflated {
    pub(crate) bytes: Vec<u8>,
    /// The CRC of the data before compression.
    pub(crate) sum: Hasher,
    pub(crate) size: u64,
    /// The memory of the block, to be used again.
    pub(crate) buffer: Vec<u8>,
}

/// Deflates blocks on several threads and hands them out in order.
pub(crate) struct Deflater {
    pool: Pool<Deflated>,
    /// The blocks that were submitted and not handed out yet, in order.
    under_way: VecDeque<Ticket>,
    /// Nothing more is submitted while there are more than these.
    most_under_way: usize,
    engines: Arc<Engines>,
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
            pool: Pool::new(threads),
            under_way: VecDeque::new(),
            most_under_way: if threads < 2 { 0 } else { 2 * threads },
            engines: Arc::new(Engines {
                level,
                idle: Mutex::default(),
            }),
        }
    }

    pub(crate) fn method(&self) -> Method {
        Method::Deflate
    }

    /// Takes a block. The caller then asks [`Deflater::full`], and calls [`Deflater::wait`] while it is.
    pub(crate) fn submit(&mut self, block: Block) {
        let engines = Arc::clone(&self.engines);
        let ticket = self.pool.submit(block.len() as u64, move || engines.deflate(block));
        self.under_way.push_back(ticket);
    }

    /// Whether nothing more should be submitted before something is taken out.
    pub(crate) fn full(&self) -> bool {
        self.under_way.len() > self.most_under_way
    }

    /// The oldest block, if it is done.
    pub(crate) fn ready(&mut self) -> Option<Result<Deflated>> {
        let done = self.under_way.front().is_some_and(|oldest| self.pool.is_done(oldest));
        done.then(|| self.wait()).flatten()
    }

    /// The oldest block, once it is done; `None` if there is none at all.
    pub(crate) fn wait(&mut self) -> Option<Result<Deflated>> {
        let oldest = self.under_way.pop_front()?;
        Some(self.pool.take(oldest))
    }
}

/// The engines of the threads, used for block after block: each has 256 KiB of memory.
struct Engines {
    level: u32,
    idle: Mutex<Vec<Engine>>,
}

impl Engines {
    fn deflate(&self, block: Block) -> Result<Deflated> {
        let idle = self.idle().pop();
        let mut engine = idle.unwrap_or_else(|| Engine::new(self.level));
        let deflated = engine.deflate(block);
        self.idle().push(engine);
        deflated
    }

    fn idle(&self) -> MutexGuard<'_, Vec<Engine>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
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
            // zlib-rs 0.6 hashes a byte behind the dictionary. After a reset that is a byte of an earlier block, so the
            // output would depend on which blocks this thread has compressed before.
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
        let size = data.len() as u64;
        loop {
            let taken = in_memory(self.stream.total_in());
            let status = self
                .stream
                .compress_vec(data.get(taken..).unwrap_or_default(), &mut bytes, flush)
                .map_err(failed)?;
            // A flush is complete once there was room to spare.
            let flushed = self.stream.total_in() == size && bytes.len() < bytes.capacity();
            if status == Status::StreamEnd || (!block.last && flushed) {
                break;
            }
            // Not doubled: how much memory all waiting blocks can take has a bound.
            bytes.reserve_exact(data.len() / 2 + 64);
        }
        Ok(Deflated {
            bytes,
            sum,
            size,
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

/// Writes bytes at the start of a member that will be replaced later by as many others: uncompressed, in the form that
/// the method has for such bytes.
pub(crate) fn put_uncompressed(method: Method, bytes: &[u8], out: &mut Vec<u8>) {
    if method.is_stored() {
        out.extend_from_slice(bytes);
        return;
    }
    // Stored blocks of deflate: a byte that says so and that more follow, the length, its complement.
    for piece in bytes.chunks(usize::from(u16::MAX)) {
        let len = u16::try_from(piece.len()).unwrap_or(u16::MAX);
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
