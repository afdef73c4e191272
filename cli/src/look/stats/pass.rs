//! One pass over an array's elements: read by one thread, worked on by all, put together in order.
//!
//! ```text
//! blocks   |0|1|2|3|4|5|..     of a fixed number of elements, whatever the number of threads
//! read     0 1 2 3 ..          the calling thread
//! work     0   2   ..          a part of the result each
//!            1   3 ..
//! merge    0 1 2 3 ..          in order, so that sums of floats are the same on every machine
//! ```

use std::collections::BTreeMap;
use std::io::{self, Read};
use std::sync::mpsc::{channel, sync_channel};
use std::sync::{Arc, Mutex};
use std::thread;

use crate::frame::fault::Result;

/// Elements of a block, as long as it has no more bytes than [`BLOCK`].
const ELEMENTS: usize = 32 << 10;
const BLOCK: usize = 256 << 10;

/// Less data is not worth a thread.
const ALONE: u64 = 2 << 20;

/// How many bytes a block of such elements has.
pub fn block_len(size: usize) -> usize {
    size * (BLOCK / size.max(1)).clamp(1, ELEMENTS)
}

/// Calls `work` for each block and `merge` for what comes out, in order.
pub fn run<P: Send>(
    mut data: impl Read,
    size: usize,
    len: u64,
    work: impl Fn(&[u8]) -> P + Sync,
    mut merge: impl FnMut(P),
) -> Result<()> {
    let block = block_len(size);
    let threads = thread::available_parallelism().map_or(1, usize::from).min(16);
    if threads < 2 || len < ALONE {
        let mut buffer = Vec::new();
        loop {
            fill(&mut data, &mut buffer, block)?;
            if buffer.is_empty() {
                return Ok(());
            }
            merge(work(&buffer));
        }
    }
    thread::scope(|scope| {
        let (send, blocks) = sync_channel::<(u64, Vec<u8>)>(threads);
        let blocks = Arc::new(Mutex::new(blocks));
        let (done, results) = channel();
        let work = &work;
        for _ in 0..threads {
            let (done, blocks) = (done.clone(), Arc::clone(&blocks));
            scope.spawn(move || {
                loop {
                    let next = match blocks.lock() {
                        Ok(blocks) => blocks.recv(),
                        Err(_) => return,
                    };
                    let Ok((i, block)) = next else {
                        return;
                    };
                    if done.send((i, work(&block), block)).is_err() {
                        return;
                    }
                }
            });
        }
        drop(done);
        let mut early = BTreeMap::new();
        let (mut sent, mut merged) = (0_u64, 0_u64);
        let mut free: Vec<Vec<u8>> = Vec::new();
        let mut take = |(i, part, buffer): (u64, P, Vec<u8>), free: &mut Vec<Vec<u8>>| {
            early.insert(i, part);
            free.push(buffer);
            while let Some(part) = early.remove(&merged) {
                merge(part);
                merged += 1;
            }
            merged
        };
        let mut done_to = 0;
        loop {
            while let Ok(result) = results.try_recv() {
                done_to = take(result, &mut free);
            }
            // One thread that the system lets wait must not make the parts of the others pile up.
            while sent - done_to > 4 * threads as u64 {
                match results.recv() {
                    Ok(result) => done_to = take(result, &mut free),
                    Err(_) => break,
                }
            }
            let mut buffer = free.pop().unwrap_or_default();
            fill(&mut data, &mut buffer, block)?;
            if buffer.is_empty() {
                break;
            }
            // Waits where as many blocks wait as there are threads: memory is bounded.
            if send.send((sent, buffer)).is_err() {
                break;
            }
            sent += 1;
        }
        drop(send);
        for result in results {
            take(result, &mut free);
        }
        Ok(())
    })
}

/// As many bytes as there are, up to a block.
fn fill(data: &mut impl Read, buffer: &mut Vec<u8>, block: usize) -> io::Result<()> {
    buffer.clear();
    buffer.reserve_exact(block);
    data.take(block as u64).read_to_end(buffer)?;
    Ok(())
}
