//! The entries of an archive in the order they are written: headers, data, and the directory at the end.
//!
//! ```text
//! buffered     header with CRC and sizes | data                one write: small members, and compressed ones of one block
//! passed on    header without            | data ..             the header again at the end, or a descriptor in a stream
//! compressed   header without            | block | block ..    as the deflater hands the blocks out, in order
//! growing      header without            | npy header | ..     both headers again at the end: now the rows are counted
//! ```

use std::collections::VecDeque;
use std::mem;

use crc32fast::Hasher;

use super::deflate::{Block, Deflated, Deflater, put_uncompressed};
use super::entry::Entry;
use super::output::Output;
use crate::error::Result;
use crate::npz::tree::key;
use crate::npz::zip::{EndRecord, Method};
use crate::options::WriteOptions;
use crate::options::progress::Meter;

/// Summed, then written while it is still in the processor's cache. On a thread of its own, the sum would save no time.
const CHUNK: usize = 256 << 10;

/// Members up to here go out in one piece, header and all.
pub(super) const BUFFERED: u64 = 64 << 10;

/// What has been written, and what the deflater still has.
pub(crate) struct Entries<O> {
    output: O,
    list: Vec<Entry>,
    /// `None` where members are stored.
    deflater: Option<Deflater>,
    /// The blocks that the deflater has not handed out yet, in order.
    parts: VecDeque<Part>,
    /// Of the bytes of the current member that have been written.
    sent: Checksum,
    /// Memory of finished blocks, to be used again.
    buffers: Vec<Vec<u8>>,
    /// A header, and the data behind it if both go out together.
    buffered: Vec<u8>,
    header: Vec<u8>,
    /// Of the archive as it was found.
    comment: Vec<u8>,
    meter: Meter,
}

/// How the bytes of the open member are written.
pub(crate) enum Mode {
    /// Together with the header, once all are there; `header` is its length.
    Buffer { header: usize },
    /// As they come.
    Pass,
    /// In blocks that are compressed.
    Compress { block: Block, first: bool },
}

/// A block that the deflater has.
struct Part {
    entry: usize,
    first: bool,
    last: bool,
}

/// CRC and sizes of data that is written in parts, for the directory.
#[derive(Default)]
struct Checksum {
    crc: Hasher,
    size: u64,
    compressed: u64,
}

impl<O: Output> Entries<O> {
    pub(crate) fn new(output: O, options: &WriteOptions) -> Self {
        Entries {
            output,
            list: Vec::new(),
            deflater: Deflater::new(options),
            parts: VecDeque::new(),
            sent: Checksum::default(),
            buffers: Vec::new(),
            buffered: Vec::new(),
            header: Vec::new(),
            comment: Vec::new(),
            meter: Meter::new(&options.progress, None),
        }
    }

    pub(crate) fn list(&self) -> &[Entry] {
        &self.list
    }

    pub(crate) fn list_mut(&mut self) -> &mut Vec<Entry> {
        &mut self.list
    }

    pub(crate) fn keep_comment(&mut self, comment: Vec<u8>) {
        self.comment = comment;
    }

    /// Bytes of the archive that is gone on with come first, and are counted by whoever copies them.
    pub(crate) fn skip_progress(&mut self, bytes: u64) {
        self.meter.skip(bytes);
    }

    pub(crate) fn parts_mut(&mut self) -> (&mut Vec<Entry>, &mut O) {
        (&mut self.list, &mut self.output)
    }

    /// What is compressed from here on, and how.
    pub(crate) fn set_options(&mut self, options: &WriteOptions) -> Result<()> {
        self.settle()?;
        self.deflater = Deflater::new(options);
        Ok(())
    }

    /// Writes what the deflater still has.
    pub(crate) fn settle(&mut self) -> Result<()> {
        while self.send_oldest()? {}
        Ok(())
    }

    /// Starts the next member, of `size` bytes.
    pub(crate) fn begin(&mut self, name: &str, size: u64) -> Result<Mode> {
        let mut entry = Entry::new(name, self.method(), size);
        if !entry.method.is_stored() {
            self.list.push(entry);
            let buffer = self.buffers.pop().unwrap_or_default();
            return Ok(Mode::Compress {
                block: Block::first(buffer),
                first: true,
            });
        }
        entry.offset = self.output.position()?;
        self.meter.enter(key(name));
        let small = size <= BUFFERED;
        entry.has_descriptor = !small && !O::PATCHES;
        self.buffered.clear();
        entry.put_local(&mut self.buffered);
        self.list.push(entry);
        let header = self.buffered.len();
        if small {
            return Ok(Mode::Buffer { header });
        }
        self.output.expect(size.saturating_add(header as u64));
        self.output.put(&self.buffered)?;
        self.sent = Checksum::default();
        Ok(Mode::Pass)
    }

    fn method(&self) -> Method {
        self.deflater.as_ref().map_or(Method::Stored, Deflater::method)
    }

    /// More of the member that was started last.
    pub(crate) fn write(&mut self, mode: &mut Mode, mut bytes: &[u8]) -> Result<()> {
        match mode {
            Mode::Buffer { .. } => self.buffered.extend_from_slice(bytes),
            Mode::Pass => {
                for chunk in bytes.chunks(CHUNK) {
                    self.sent.crc.update(chunk);
                    self.output.put(chunk)?;
                    self.meter.add(chunk.len() as u64)?;
                }
                self.sent.size += bytes.len() as u64;
                self.sent.compressed = self.sent.size;
            }
            Mode::Compress { block, first } => {
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
    pub(crate) fn end(&mut self, mode: Mode) -> Result<()> {
        let Some(last) = self.list.len().checked_sub(1) else {
            return Ok(());
        };
        match mode {
            Mode::Buffer { header } => {
                let entry = &mut self.list[last];
                entry.crc = crc32fast::hash(&self.buffered[header..]);
                self.header.clear();
                entry.put_local(&mut self.header);
                self.buffered[..header].copy_from_slice(&self.header);
                self.output.put(&self.buffered)?;
                self.meter.add((self.buffered.len() - header) as u64)
            }
            Mode::Pass => self.complete(last),
            Mode::Compress { mut block, first } => {
                block.end();
                self.submit(block, first, true)
            }
        }
    }

    /// Whether [`Entries::take_back`] works.
    pub(crate) fn can_take_back(&self) -> bool {
        self.output.can_cut()
    }

    /// Takes back the member that was started last, as if it had never begun.
    pub(crate) fn take_back(&mut self, mode: Mode) -> Result<()> {
        // The deflater may also have blocks of the members before.
        self.settle()?;
        let Some(entry) = self.list.pop() else {
            return Ok(());
        };
        match mode {
            // Nothing of it has been written yet.
            Mode::Buffer { .. } | Mode::Compress { first: true, .. } => Ok(()),
            Mode::Pass | Mode::Compress { .. } => {
                self.meter.take_back(self.sent.size);
                Ok(self.output.cut(entry.offset)?)
            }
        }
    }

    /// Starts the next member, of unknown size; [`Entries::end_growing`] will replace its npy header.
    pub(crate) fn begin_growing(&mut self, name: &str, npy_header: &[u8]) -> Result<Mode> {
        self.settle()?;
        let mut entry = Entry::new(name, self.method(), 0);
        entry.offset = self.output.position()?;
        self.buffered.clear();
        entry.put_local(&mut self.buffered);
        put_uncompressed(entry.method, npy_header, &mut self.buffered);
        self.output.put(&self.buffered)?;
        self.meter.enter(key(name));
        self.meter.add(npy_header.len() as u64)?;
        self.sent = Checksum::default();
        let stored = entry.method.is_stored();
        self.list.push(entry);
        Ok(if stored {
            Mode::Pass
        } else {
            // The header will change, so nothing may refer back to it: the next block has no dictionary.
            Mode::Compress {
                block: Block::first(self.buffers.pop().unwrap_or_default()),
                first: false,
            }
        })
    }

    /// Ends such a member; `npy_header` has to be as long as the one it replaces.
    pub(crate) fn end_growing(&mut self, mode: Mode, npy_header: &[u8]) -> Result<()> {
        let Some(last) = self.list.len().checked_sub(1) else {
            return Ok(());
        };
        if let Mode::Compress { mut block, .. } = mode {
            block.end();
            self.submit(block, false, false)?;
            self.settle()?;
        }
        let entry = &mut self.list[last];
        let mut checksum = Checksum::default();
        checksum.crc.update(npy_header);
        checksum.crc.combine(&self.sent.crc);
        checksum.size = self.sent.size + npy_header.len() as u64;
        self.buffered.clear();
        put_uncompressed(entry.method, npy_header, &mut self.buffered);
        checksum.compressed = self.sent.compressed + self.buffered.len() as u64;
        checksum.enter(entry);
        // The two headers lie side by side: one write.
        self.buffered.clear();
        entry.put_local(&mut self.buffered);
        put_uncompressed(entry.method, npy_header, &mut self.buffered);
        Ok(self.output.patch(entry.offset, &self.buffered)?)
    }

    /// Writes the directory and hands the output back.
    pub(crate) fn finish(mut self) -> Result<O> {
        self.settle()?;
        let offset = self.output.position()?;
        let mut directory = Vec::new();
        let mut count = 0;
        for entry in self.list.iter().filter(|entry| !entry.removed) {
            entry.put_central(&mut directory);
            count += 1;
        }
        let size = directory.len() as u64;
        EndRecord { count, size, offset }.put(&self.comment, &mut directory)?;
        self.output.put(&directory)?;
        self.meter.end()?;
        Ok(self.output)
    }

    /// Gives a block of the last member to the deflater, and writes the blocks that are done.
    fn submit(&mut self, block: Block, first: bool, last: bool) -> Result<()> {
        let Some(deflater) = &mut self.deflater else {
            return Ok(());
        };
        deflater.submit(block);
        self.parts.push_back(Part {
            entry: self.list.len() - 1,
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

    /// Waits for the oldest block that has not been written, and writes it; `false` if there is none.
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
        let entry = &mut self.list[part.entry];
        if part.first {
            entry.offset = self.output.position()?;
            entry.has_descriptor = !part.last && !O::PATCHES;
            self.sent = Checksum::default();
        }
        self.sent.add(&done);
        if part.first && part.last {
            self.sent.enter(entry);
        }
        self.buffered.clear();
        if part.first {
            entry.put_local(&mut self.buffered);
        }
        if done.bytes.len() as u64 <= BUFFERED {
            self.buffered.extend_from_slice(&done.bytes);
            self.output.put(&self.buffered)?;
        } else {
            if part.first {
                self.output.put(&self.buffered)?;
            }
            self.output.put(&done.bytes)?;
        }
        let size = done.size;
        self.buffers.push(done.buffer);
        if part.last && !part.first {
            self.complete(part.entry)?;
        }
        self.meter.enter(key(&self.list[part.entry].name));
        self.meter.add(size)
    }

    /// Adds CRC and sizes of a member whose header was written before they were known.
    fn complete(&mut self, index: usize) -> Result<()> {
        let entry = &mut self.list[index];
        self.sent.enter(entry);
        self.buffered.clear();
        if entry.has_descriptor {
            entry.put_descriptor(&mut self.buffered);
            self.output.put(&self.buffered)?;
        } else {
            entry.put_local(&mut self.buffered);
            self.output.patch(entry.offset, &self.buffered)?;
        }
        Ok(())
    }
}

impl Checksum {
    fn add(&mut self, block: &Deflated) {
        self.crc.combine(&block.sum);
        self.size += block.size;
        self.compressed += block.bytes.len() as u64;
    }

    fn enter(&self, entry: &mut Entry) {
        entry.crc = self.crc.clone().finalize();
        entry.size = self.size;
        entry.compressed = self.compressed;
    }
}
