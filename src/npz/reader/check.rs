//! What is damaged, and for whom that matters: for who asks for a member, its group, or all of them.
//!
//! ```text
//! directory     a.npy   run/x.npy   ruo/y.npy           one name is damaged
//! local headers a.npy   run/x.npy   run/y.npy           `a` is as it was; the group `run` lacks a member, which is an error
//! ```

use std::io::{Read, Seek};
use std::sync::Arc;

use super::{Member, NpzReader, member};
use crate::error::{Error, ErrorKind, Result};
use crate::npz::tree::key;

/// How much is fetched to look at nothing but a local header: enough for nearly all of them.
const LOCAL_MOST: u64 = 512;

/// So many damaged entries within the data of one member are looked at.
const MOST_DAMAGED: usize = 8;

impl<R: Read + Seek> NpzReader<R> {
    /// Checks all members, but for those that are skipped as their data cannot be read.
    pub(crate) fn verify_all(&mut self) -> Result<()> {
        let all = (0..self.len()).filter(|&index| !self.is_hidden(index)).collect();
        self.metered(all, Self::verify_each)
    }

    fn verify_each(&mut self) -> Result<()> {
        for index in 0..self.len() {
            if self.is_hidden(index) {
                continue;
            }
            let verified = self
                .directory
                .check_unique(index)
                .and_then(|()| self.verify_member(index));
            match verified {
                Err(err) if err.kind() == ErrorKind::UnsupportedArchive && self.skips(index) => {}
                verified => verified.map_err(|err| err.at_member(self.directory.entries[index].key()))?,
            }
        }
        Ok(())
    }

    fn skips(&self, index: usize) -> bool {
        self.options.skip_unsupported && !self.is_faulty(index)
    }

    /// As [`NpzReader::verify`], also for one of several members of a key.
    pub(crate) fn verify_member(&mut self, index: usize) -> Result<()> {
        let bytes_used = self.bytes_used;
        let result = self
            .start(index, self.options.limits.member_bytes)
            .and_then(Member::skip_to_end);
        // Nothing was handed out, so nothing counts.
        self.bytes_used = bytes_used;
        result
    }

    /// Compares the local headers of all members that were not read, as far as they have to do with a key that is
    /// `asked` for: otherwise a member whose name is damaged in the directory would look as if it were not there.
    pub(crate) fn check_rest(&mut self, asked: impl Fn(&str) -> bool) -> Result<()> {
        let directory = Arc::clone(&self.directory);
        for index in directory.not_compared() {
            let entry = &directory.entries[index];
            match self.compare_local(index) {
                Ok(()) => directory.set_compared(index),
                Err(err) if err.kind() == ErrorKind::Io || asked(entry.key()) => return Err(err.at_member(entry.key())),
                Err(err) => {
                    // The name in the local header may be the right one, if no other member has it.
                    let name = member::local_name(&mut self.reader, entry)?;
                    if name.is_some_and(|name| asked(key(&name)) && !self.has_key(key(&name))) {
                        return Err(err.at_member(entry.key()));
                    }
                }
            }
        }
        Ok(())
    }

    fn compare_local(&mut self, index: usize) -> Result<()> {
        // A member that is unsupported may still be whole.
        if let Some(fault) = self.directory.fault(index)
            && fault.kind() != ErrorKind::UnsupportedArchive
        {
            return Err(fault.duplicate());
        }
        let entry = &self.directory.entries[index];
        let header = entry.offset.saturating_add(LOCAL_MOST);
        self.reader.focus(entry.offset, entry.limit.min(header));
        member::check_local(&mut self.reader, entry, &mut self.scratch).map(drop)
    }

    /// Where the bytes of a member begin, once its local header has been found to agree with the directory; the reader
    /// then stands there. No more than `most` bytes of the member are fetched at once.
    pub(super) fn locate(&mut self, index: usize, most: u64) -> Result<u64> {
        let entry = self.directory.entry(index)?;
        self.reader
            .focus(entry.offset, entry.limit.min(entry.offset.saturating_add(most)));
        let start = match member::locate(&mut self.reader, entry, &mut self.scratch) {
            Err(err) if err.kind() == ErrorKind::CorruptArchive => self.locate_over_damage(index, err)?,
            start => start?,
        };
        self.directory.set_compared(index);
        Ok(start)
    }

    /// As [`NpzReader::locate`], where other members are said to lie within the data of this one: those that are not
    /// there do not count. `err` is the error if that changes nothing.
    #[cold]
    fn locate_over_damage(&mut self, index: usize, err: Error) -> Result<u64> {
        let directory = Arc::clone(&self.directory);
        let entry = directory.entry(index)?;
        let within = entry.offset + 1..entry.offset.saturating_add(entry.compressed);
        if !within.contains(&entry.limit) || !directory.may_look_again() {
            return Err(err);
        }
        let mut others: Vec<usize> = (0..directory.entries.len())
            .filter(|&other| within.contains(&directory.entries[other].offset))
            .collect();
        others.sort_unstable_by_key(|&other| directory.entries[other].offset);
        let mut damaged = 0;
        let mut next = None;
        for other in others {
            match self.compare_local(other) {
                Ok(()) => {
                    next = Some(directory.entries[other].offset);
                    break;
                }
                Err(err) if err.kind() == ErrorKind::Io => return Err(err),
                Err(_) if damaged == MOST_DAMAGED => return Err(err),
                Err(_) => damaged += 1,
            }
        }
        let limit = next.unwrap_or_else(|| directory.limit_behind(within.end));
        let mut entry = entry.clone();
        entry.limit = limit;
        self.reader.focus(entry.offset, entry.limit);
        member::locate(&mut self.reader, &entry, &mut self.scratch)
    }
}
