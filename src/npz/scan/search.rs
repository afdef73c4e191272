//! From record to record: the bytes in between, and how often they have been read.

use std::io::{Read, Seek, SeekFrom};

use super::NpzScan;
use crate::error::Result;
use crate::io::source::read_full;
use crate::npz::zip::{CentralHeader, EndRecord, LocalHeader};
use crate::options::progress::Meter;

/// Nearly always the next record starts at once.
const FIRST: usize = 64;
/// How much is looked through at once behind that.
const PIECE: usize = 64 << 10;

/// What a record starts with.
pub(super) type Signature = [u8; 4];

/// So much inflated data takes as long as a byte that is read.
const PRODUCED: u64 = 32;

impl<R: Read + Seek> NpzScan<R> {
    /// The next record of a member, a directory or an end from here on.
    pub(super) fn search(&mut self) -> Result<Option<(u64, Signature)>> {
        let known = [LocalHeader::SIGNATURE, CentralHeader::SIGNATURE, EndRecord::SIGNATURE];
        self.find(self.at, |signature| known.contains(&signature))
    }

    /// The first four bytes from `at` on that are wanted.
    pub(super) fn find(&mut self, at: u64, wanted: impl Fn(&Signature) -> bool) -> Result<Option<(u64, Signature)>> {
        let mut buffer = std::mem::take(&mut self.scratch);
        let found = self.find_with(&mut buffer, at, wanted);
        self.scratch = buffer;
        found
    }

    fn find_with(
        &mut self,
        buffer: &mut Vec<u8>,
        at: u64,
        wanted: impl Fn(&Signature) -> bool,
    ) -> Result<Option<(u64, Signature)>> {
        self.reader.seek(SeekFrom::Start(at))?;
        buffer.resize(PIECE, 0);
        let (mut start, mut kept, mut room) = (at, 0, FIRST);
        loop {
            let filled = kept + read_full(&mut self.reader, &mut buffer[kept..room])?;
            let here = &buffer[..filled];
            let mut starts = here
                .windows(4)
                .enumerate()
                .filter_map(|(i, four)| Some((i, four.first_chunk()?)));
            if let Some((i, signature)) = starts.find(|(_, signature)| signature[0] == b'P' && wanted(signature)) {
                let (found, signature) = (start + i as u64, *signature);
                self.effort.passed(start, found, 0)?;
                return Ok(Some((found, signature)));
            }
            if filled < room {
                self.effort.passed(start, start + filled as u64, 0)?;
                return Ok(None);
            }
            kept = 3;
            let next = start + (filled - kept) as u64;
            self.effort.passed(start, next, 0)?;
            buffer.copy_within(filled - kept..filled, 0);
            (start, room) = (next, PIECE);
        }
    }

    /// Fills `buf` from `at` on as far as there are bytes; returns how many there were.
    pub(super) fn read_at(&mut self, at: u64, buf: &mut [u8]) -> Result<usize> {
        self.reader.seek(SeekFrom::Start(at))?;
        read_full(&mut self.reader, buf)
    }

    /// Whether a record starts at `at`, or the file ends there too early.
    pub(super) fn is_record(&mut self, at: u64) -> Result<bool> {
        if at >= self.len {
            return Ok(at == self.len && !self.has_end);
        }
        let mut four = [0; 4];
        let got = self.read_at(at, &mut four)?;
        let known: [&Signature; 6] = [
            LocalHeader::SIGNATURE,
            CentralHeader::SIGNATURE,
            EndRecord::SIGNATURE,
            EndRecord::WIDE_SIGNATURE,
            b"PK\x06\x07",
            b"PK\x07\x08",
        ];
        Ok(known.iter().any(|signature| signature.starts_with(&four[..got])))
    }
}

/// How far the file has been read, and how much of it again.
pub(super) struct Effort {
    /// What has been read lies before this.
    pub(super) read_to: u64,
    pub(super) again: u64,
    pub(super) meter: Meter,
}

impl Effort {
    pub(super) fn new(meter: Meter) -> Self {
        Effort {
            read_to: 0,
            again: 0,
            meter,
        }
    }

    /// Counts bytes of the file that have been read, and what was inflated from them.
    pub(super) fn passed(&mut self, from: u64, to: u64, produced: u64) -> Result<()> {
        let before = self.read_to.min(to).saturating_sub(from);
        if before > 0 {
            self.again = self.again.saturating_add(before.max(produced / PRODUCED));
        }
        let new = to.saturating_sub(self.read_to);
        self.read_to += new;
        self.meter.add(new)
    }
}
