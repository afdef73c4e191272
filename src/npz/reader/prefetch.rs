//! Inflates compressed members side by side: while one is taken, other threads work at those that come next.
//!
//! ```text
//! this thread    reads the compressed bytes of b, c, d | inflates a | takes b | inflates d itself if no worker has begun
//! workers                                                b  c
//! ```

use std::collections::{HashMap, VecDeque};
use std::io::{Read, Seek};

use super::directory::CentralEntry;
use super::member::inflate;
use super::{NpzReader, check_size};
use crate::error::Result;
use crate::io::pool::{Pool, Ticket};
use crate::io::source::in_memory;
use crate::npy::whole;
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
            self.meter.enter(self.directory.entry(index)?.key());
            self.meter.add_all(bytes.len() as u64)?;
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
            if prefetch.under_way.contains_key(&next) {
                continue;
            }
            match self.read_compressed(next) {
                Ok((entry, compressed)) => prefetch.push(next, entry, compressed),
                // The error comes again when the member is asked for.
                Err(_) => break,
            }
        }
    }

    fn read_compressed(&mut self, index: usize) -> Result<(CentralEntry, Vec<u8>)> {
        self.directory.check_unique(index)?;
        check_size(self.directory.entry(index)?.size, self.allowed())?;
        self.locate(index, u64::MAX)?;
        let entry = self.directory.entry(index)?.clone();
        let mut compressed = whole::zeroed(in_memory(entry.compressed))?;
        self.reader.read_exact(&mut compressed)?;
        Ok((entry, compressed))
    }
}

/// Members under way, by their number in the directory.
pub(super) struct Prefetch {
    /// What was planned and not yet read from the archive.
    planned: VecDeque<usize>,
    /// What the pool has, each with the memory it takes.
    under_way: HashMap<usize, (Ticket, u64)>,
    /// The memory of all of them.
    held: u64,
    pool: Pool<Vec<u8>>,
}

impl Prefetch {
    /// `threads` in all, the calling one among them.
    fn new(threads: usize) -> Self {
        Prefetch {
            planned: VecDeque::new(),
            under_way: HashMap::new(),
            held: 0,
            pool: Pool::new(threads),
        }
    }

    /// Hands a member to the pool.
    fn push(&mut self, index: usize, entry: CentralEntry, compressed: Vec<u8>) {
        // The directory's sizes are proven by now.
        let memory = entry.size.saturating_add(entry.compressed);
        let ticket = self.pool.submit(entry.size, move || inflate(&entry, &compressed));
        self.held += memory;
        self.under_way.insert(index, (ticket, memory));
    }

    /// The bytes of a member that was pushed; `None` of any other.
    fn take(&mut self, index: usize) -> Option<Result<Vec<u8>>> {
        let (ticket, memory) = self.under_way.remove(&index)?;
        self.held = self.held.saturating_sub(memory);
        Some(self.pool.take(ticket))
    }
}
