//! The members' bytes, one behind the other, as the directory will tell of them.
//!
//! ```text
//! gathered   header with CRC and sizes | data        one write: small members, and deflated ones of one block
//! passed     header without            | data ..     the header once more at the end, or a descriptor in a stream
//! deflated   header without            | block | block ..      as the deflater hands them out, in order
//! growing    header without            | front | data ..       both headers once more: the front tells how many rows
//! ```

use std::collections::VecDeque;
use std::{mem, thread};

use crc32fast::Hasher;

use super::deflate::{Block, Deflated, Deflater};
use super::output::Output;
use super::record::{Record, put_end};
use crate::error::Result;
use crate::options::threads;

/// Written and summed at once, while the piece is still in the processor's cache.
const PIECE: usize = 256 << 10;

/// From here on a thread that sums is worth its start.
const LEAST_ASIDE: usize = 2 << 20;

/// Members up to here go out in one piece, header and all.
pub(super) const GATHERED: u64 = 64 << 10;

/// What has been written, and what is on its way.
pub(crate) struct Body<O> {
    output: O,
    threads: Option<usize>,
    records: Vec<Record>,
    deflater: Option<Deflater>,
    /// What the deflater has not handed out yet, in order.
    parts: VecDeque<Part>,
    /// What of the member that is going out has gone.
    sent: Sums,
    /// Memory of blocks that are done with.
    buffers: Vec<Vec<u8>>,
    /// A header, and the data behind it where both go out together.
    gathered: Vec<u8>,
    header: Vec<u8>,
}

/// How the bytes of the open member go.
pub(crate) enum Way {
    /// Together with the header, when all are there.
    Gather { header: usize },
    /// As they come.
    Pass,
    /// In blocks.
    Deflate { block: Block, first: bool },
}

/// A block that the deflater has.
struct Part {
    record: usize,
    first: bool,
    last: bool,
}

/// What the directory has to know of data that goes out in parts.
#[derive(Default)]
struct Sums {
    crc: Hasher,
    size: u64,
    compressed: u64,
}

impl<O: Output> Body<O> {
    /// `threads`: how many may be at work, the calling one among them.
    pub(crate) fn new(output: O, deflater: Option<Deflater>, threads: Option<usize>) -> Self {
        Body {
            threads,
            output,
            records: Vec::new(),
            deflater,
            parts: VecDeque::new(),
            sent: Sums::default(),
            buffers: Vec::new(),
            gathered: Vec::new(),
            header: Vec::new(),
        }
    }

    pub(crate) fn records(&self) -> &[Record] {
        &self.records
    }

    pub(crate) fn records_mut(&mut self) -> &mut Vec<Record> {
        &mut self.records
    }

    pub(crate) fn parts_mut(&mut self) -> (&mut Vec<Record>, &mut O) {
        (&mut self.records, &mut self.output)
    }

    /// Brings all members that have ended to the output.
    pub(crate) fn settle(&mut self) -> Result<()> {
        while self.send_oldest()? {}
        Ok(())
    }

    /// Starts the next member, of `size` bytes.
    pub(crate) fn begin(&mut self, name: &str, size: u64) -> Result<Way> {
        let deflated = self.deflater.is_some();
        let mut record = Record::new(name, deflated, size);
        if deflated {
            self.records.push(record);
            let buffer = self.buffers.pop().unwrap_or_default();
            return Ok(Way::Deflate {
                block: Block::first(buffer),
                first: true,
            });
        }
        record.offset = self.output.position()?;
        let gather = size <= GATHERED;
        record.described = !gather && !O::PATCHES;
        self.gathered.clear();
        record.put_local(&mut self.gathered);
        self.records.push(record);
        let header = self.gathered.len();
        if gather {
            return Ok(Way::Gather { header });
        }
        self.output.expect(size.saturating_add(header as u64));
        self.output.put(&self.gathered)?;
        self.sent = Sums::default();
        Ok(Way::Pass)
    }

    /// Writes while another thread sums.
    fn pass_aside(&mut self, bytes: &[u8]) -> Result<()> {
        let output = &mut self.output;
        let (summed, written) = thread::scope(|scope| {
            let sum = thread::Builder::new().spawn_scoped(scope, || {
                let mut sum = Hasher::new();
                sum.update(bytes);
                sum
            });
            let written = bytes.chunks(PIECE).try_for_each(|piece| output.put(piece));
            (sum.ok().and_then(|sum| sum.join().ok()), written)
        });
        written?;
        match summed {
            Some(sum) => self.sent.crc.combine(&sum),
            // There was no thread to be had.
            None => self.sent.crc.update(bytes),
        }
        Ok(())
    }

    /// More of the member that was started last.
    pub(crate) fn write(&mut self, way: &mut Way, mut bytes: &[u8]) -> Result<()> {
        match way {
            Way::Gather { .. } => self.gathered.extend_from_slice(bytes),
            Way::Pass => {
                if bytes.len() >= LEAST_ASIDE && threads(self.threads) > 1 {
                    self.pass_aside(bytes)?;
                } else {
                    for piece in bytes.chunks(PIECE) {
                        self.sent.crc.update(piece);
                        self.output.put(piece)?;
                    }
                }
                self.sent.size += bytes.len() as u64;
                self.sent.compressed = self.sent.size;
            }
            Way::Deflate { block, first } => {
                bytes = block.fill(bytes);
                while !bytes.is_empty() {
                    let next = block.next(self.buffers.pop().unwrap_or_default());
                    let full = mem::replace(block, next);
                    bytes = block.fill(bytes);
                    self.submit(full, mem::take(first), false)?;
                }
            }
        }
        Ok(())
    }

    /// Ends the member that was started last.
    pub(crate) fn end(&mut self, way: Way) -> Result<()> {
        let Some(last) = self.records.len().checked_sub(1) else {
            return Ok(());
        };
        match way {
            Way::Gather { header } => {
                let record = &mut self.records[last];
                record.crc = crc32fast::hash(&self.gathered[header..]);
                self.header.clear();
                record.put_local(&mut self.header);
                self.gathered[..header].copy_from_slice(&self.header);
                Ok(self.output.put(&self.gathered)?)
            }
            Way::Pass => self.complete(last),
            Way::Deflate { mut block, first } => {
                block.end();
                self.submit(block, first, true)
            }
        }
    }

    /// Starts the next member, of unknown size; its first bytes are to be replaced by [`Body::end_growing`].
    pub(crate) fn begin_growing(&mut self, name: &str, front: &[u8]) -> Result<Way> {
        self.settle()?;
        let deflated = self.deflater.is_some();
        let mut record = Record::new(name, deflated, 0);
        record.offset = self.output.position()?;
        self.gathered.clear();
        record.put_local(&mut self.gathered);
        put_front(deflated, front, &mut self.gathered);
        self.records.push(record);
        self.output.put(&self.gathered)?;
        self.sent = Sums::default();
        Ok(if deflated {
            // The first bytes are still to change, so that nothing may point back at them: no dictionary.
            Way::Deflate {
                block: Block::first(self.buffers.pop().unwrap_or_default()),
                first: false,
            }
        } else {
            Way::Pass
        })
    }

    /// Ends such a member; `front` is as long as the one it replaces.
    pub(crate) fn end_growing(&mut self, way: Way, front: &[u8]) -> Result<()> {
        let Some(last) = self.records.len().checked_sub(1) else {
            return Ok(());
        };
        if let Way::Deflate { mut block, .. } = way {
            block.end();
            self.submit(block, false, false)?;
            self.settle()?;
        }
        let record = &mut self.records[last];
        let mut sums = Sums::default();
        sums.crc.update(front);
        sums.crc.combine(&self.sent.crc);
        sums.size = self.sent.size + front.len() as u64;
        self.gathered.clear();
        put_front(record.deflated, front, &mut self.gathered);
        sums.compressed = self.sent.compressed + self.gathered.len() as u64;
        sums.tell(record);
        // Header and front lie side by side: one piece.
        self.gathered.clear();
        record.put_local(&mut self.gathered);
        put_front(record.deflated, front, &mut self.gathered);
        Ok(self.output.patch(record.offset, &self.gathered)?)
    }

    /// Writes the directory and hands the output back.
    pub(crate) fn finish(mut self) -> Result<O> {
        self.settle()?;
        let offset = self.output.position()?;
        let mut directory = Vec::new();
        let mut count = 0;
        for record in self.records.iter().filter(|record| !record.removed) {
            record.put_central(&mut directory);
            count += 1;
        }
        let size = directory.len() as u64;
        put_end(count, size, offset, &mut directory)?;
        self.output.put(&directory)?;
        Ok(self.output)
    }

    /// Gives a block of the last member to the deflater, and sends what is done.
    fn submit(&mut self, block: Block, first: bool, last: bool) -> Result<()> {
        let Some(deflater) = &mut self.deflater else {
            return Ok(());
        };
        deflater.submit(block);
        self.parts.push_back(Part {
            record: self.records.len() - 1,
            first,
            last,
        });
        while self.deflater.as_ref().is_some_and(Deflater::full) {
            self.send_oldest()?;
        }
        while let Some(done) = self.deflater.as_mut().and_then(Deflater::ready) {
            self.send(done?)?;
        }
        Ok(())
    }

    /// Sends the oldest block that is not out yet, once it is done; `false` if there is none.
    fn send_oldest(&mut self) -> Result<bool> {
        match self.deflater.as_mut().and_then(Deflater::wait) {
            Some(done) => {
                self.send(done?)?;
                Ok(true)
            }
            None => Ok(false),
        }
    }

    /// Writes the oldest block that was submitted.
    fn send(&mut self, done: Deflated) -> Result<()> {
        let Some(part) = self.parts.pop_front() else {
            return Ok(());
        };
        let record = &mut self.records[part.record];
        if part.first {
            record.offset = self.output.position()?;
            record.described = !part.last && !O::PATCHES;
            self.sent = Sums::default();
        }
        self.sent.add(&done);
        if part.first && part.last {
            self.sent.tell(record);
        }
        self.gathered.clear();
        if part.first {
            record.put_local(&mut self.gathered);
        }
        if done.bytes.len() as u64 <= GATHERED {
            self.gathered.extend_from_slice(&done.bytes);
            self.output.put(&self.gathered)?;
        } else {
            if part.first {
                self.output.put(&self.gathered)?;
            }
            self.output.put(&done.bytes)?;
        }
        self.buffers.push(done.buffer);
        if part.last && !part.first {
            self.complete(part.record)?;
        }
        Ok(())
    }

    /// Tells of a member whose header went out before CRC and sizes were known.
    fn complete(&mut self, index: usize) -> Result<()> {
        let record = &mut self.records[index];
        self.sent.tell(record);
        self.gathered.clear();
        if record.described {
            record.put_descriptor(&mut self.gathered);
            self.output.put(&self.gathered)?;
        } else {
            record.put_local(&mut self.gathered);
            self.output.patch(record.offset, &self.gathered)?;
        }
        Ok(())
    }
}

/// The first bytes of a member, to be replaced later: in deflate's own form for what is not compressed.
fn put_front(deflated: bool, front: &[u8], out: &mut Vec<u8>) {
    if !deflated {
        out.extend_from_slice(front);
        return;
    }
    for piece in front.chunks(usize::from(u16::MAX)) {
        let len = piece.len() as u16;
        out.push(0);
        out.extend_from_slice(&len.to_le_bytes());
        out.extend_from_slice(&(!len).to_le_bytes());
        out.extend_from_slice(piece);
    }
}

impl Sums {
    fn add(&mut self, block: &Deflated) {
        self.crc.combine(&block.sum);
        self.size += block.size;
        self.compressed += block.bytes.len() as u64;
    }

    fn tell(&self, record: &mut Record) {
        record.crc = self.crc.clone().finalize();
        record.size = self.size;
        record.compressed = self.compressed;
    }
}
