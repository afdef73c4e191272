//! One member at a time under a key of its own; after a failure inside of one there is no archive.
//!
//! ```text
//! begin  ─► a refused name or a taken key is an error before anything is written
//! write  ─► exactly as many bytes as announced
//! end    ─► the member is whole
//! finish ─► the directory, without which there is no archive
//! ```

use std::collections::HashMap;
use std::mem;

use super::entries::{Entries, Mode};
use super::entry::Entry;
use super::output::Output;
use crate::error::{Error, ErrorKind, Result};
use crate::npz::tree::key;
use crate::options::{Compression, WriteOptions};

/// The longest name that is accepted: with the fixed part of its header it stays below 64 KiB.
pub(crate) const MAX_NAME: usize = 65_504;

/// An archive that is being written.
pub(crate) struct Container<O> {
    entries: Entries<O>,
    /// The number of the entry that has each key.
    claimed: HashMap<String, usize>,
    /// Those of an archive that is gone on with that have the same key, before the one in `claimed`.
    earlier: HashMap<String, Vec<usize>>,
    open: Option<Open>,
    failed: Option<Error>,
    options: WriteOptions,
}

/// The member that is being written.
struct Open {
    size: u64,
    left: u64,
    mode: Mode,
}

impl<O: Output> Container<O> {
    pub(crate) fn new(output: O, options: &WriteOptions) -> Self {
        Container {
            entries: Entries::new(output, options),
            claimed: HashMap::new(),
            earlier: HashMap::new(),
            open: None,
            failed: None,
            options: options.clone(),
        }
    }

    pub(crate) fn options(&self) -> &WriteOptions {
        &self.options
    }

    /// How the next member is compressed. Only between members.
    pub(crate) fn set_compression(&mut self, compression: Compression) -> Result<()> {
        self.usable()?;
        self.options.compression = compression;
        self.entries.set_options(&self.options)
    }

    /// How many members there are, the open one included.
    pub(crate) fn len(&self) -> usize {
        self.entries.list().iter().filter(|entry| !entry.removed).count()
    }

    /// The error of an earlier member that failed half way, if there was one.
    pub(crate) fn usable(&self) -> Result<()> {
        match &self.failed {
            Some(err) => Err(err.duplicate()),
            None => Ok(()),
        }
    }

    /// Opens the member of this full name (`x.npy`), of exactly `size` bytes before compression.
    ///
    /// A refused name or a duplicate leaves the writer as it was.
    pub(crate) fn begin(&mut self, member: &str, size: u64) -> Result<()> {
        self.admit(member)?;
        let begun = self.entries.begin(member, size);
        self.opened(member, size, begun)
    }

    /// Opens a member of unknown size; [`Container::end_growing`] will replace its npy header.
    pub(crate) fn begin_growing(&mut self, member: &str, npy_header: &[u8]) -> Result<()> {
        self.admit(member)?;
        let begun = self.entries.begin_growing(member, npy_header);
        self.opened(member, u64::MAX, begun)
    }

    fn admit(&mut self, member: &str) -> Result<()> {
        self.usable()?;
        if let Some(open) = &self.open {
            let err = incomplete(open);
            return Err(self.fail_inside(err));
        }
        self.check(member)
    }

    /// Whether a member of this full name may come.
    pub(crate) fn check(&self, member: &str) -> Result<()> {
        check_name(member)?;
        match claims(member).find(|&claim| self.is_taken(claim)) {
            None => Ok(()),
            Some(taken) => Err(Error::new(
                ErrorKind::DuplicateName,
                format_args!(
                    "the member `{}` comes second for the key `{}`, expected each key once",
                    member.escape_debug(),
                    taken.escape_debug()
                ),
            )),
        }
    }

    /// Whether this writer has added a member of the key; one that was in the archive before may be replaced.
    pub(crate) fn is_taken(&self, claim: &str) -> bool {
        let entry = self.claimed.get(claim).and_then(|&at| self.entries.list().get(at));
        entry.is_some_and(|entry| !entry.replaceable)
    }

    /// Whether this writer has added a member of this key, or members of this group.
    pub(crate) fn has(&self, path: &str) -> bool {
        let separator = self.options.separator;
        let is_in = |key: &str| match key.strip_prefix(path) {
            Some("") => true,
            Some(rest) => rest.chars().next() == separator,
            None => false,
        };
        self.claimed.keys().any(|key| is_in(key) && self.is_taken(key))
    }

    /// Takes a member out of the directory, and its keys.
    fn forget(&mut self, at: usize) {
        let Some(entry) = self.entries.list_mut().get_mut(at) else {
            return;
        };
        entry.removed = true;
        for claim in claims(&entry.name) {
            let mut earlier = self.earlier.get_mut(claim);
            if let Some(earlier) = &mut earlier {
                earlier.retain(|&before| before != at);
            }
            if self.claimed.get(claim) == Some(&at) {
                match earlier.and_then(Vec::pop) {
                    Some(before) => self.claimed.insert(claim.to_owned(), before),
                    None => self.claimed.remove(claim),
                };
            }
        }
    }

    /// Takes all members of a key out; whether there was one.
    fn forget_all(&mut self, key: &str) -> bool {
        let mut any = false;
        while let Some(&at) = self.claimed.get(key) {
            self.forget(at);
            any = true;
        }
        any
    }

    /// Starts with members that are there already.
    pub(crate) fn keep(&mut self, entries: Vec<Entry>) {
        self.claimed.clear();
        self.earlier.clear();
        for (at, entry) in entries.iter().enumerate() {
            for claim in claims(&entry.name) {
                if let Some(before) = self.claimed.insert(claim.to_owned(), at) {
                    self.earlier.entry(claim.to_owned()).or_default().push(before);
                }
            }
        }
        *self.entries.list_mut() = entries;
    }

    /// Bytes of the archive that is gone on with, which are copied before anything is added.
    pub(crate) fn skip_progress(&mut self, bytes: u64) {
        self.entries.skip_progress(bytes);
    }

    /// The comment of the archive that is gone on with.
    pub(crate) fn keep_comment(&mut self, comment: Vec<u8>) {
        self.entries.keep_comment(comment);
    }

    /// Leaves the member of this key out of the directory, or else the members of this group; `false` if there is none.
    pub(crate) fn remove(&mut self, name: &str) -> Result<bool> {
        self.usable()?;
        if self.forget_all(name) {
            return Ok(true);
        }
        let Some(separator) = self.options.separator else {
            return Ok(false);
        };
        let group = format!("{name}{separator}");
        let within: Vec<String> = self
            .claimed
            .keys()
            .filter(|key| key.starts_with(&group))
            .cloned()
            .collect();
        for key in &within {
            self.forget_all(key);
        }
        Ok(!within.is_empty())
    }

    /// All members, once they have been written, and the output, so that they can be moved elsewhere.
    pub(crate) fn settled(&mut self) -> Result<(&mut Vec<Entry>, &mut O)> {
        self.usable()?;
        self.entries.settle()?;
        Ok(self.entries.parts_mut())
    }

    fn opened(&mut self, member: &str, size: u64, begun: Result<Mode>) -> Result<()> {
        match begun {
            Ok(mode) => {
                self.open = Some(Open { size, left: size, mode });
                Ok(())
            }
            Err(err) => {
                self.fail(err.duplicate().at_member(key(member)));
                Err(err)
            }
        }
    }

    /// More of the open member's bytes.
    pub(crate) fn write(&mut self, bytes: &[u8]) -> Result<()> {
        self.usable()?;
        let written = match &mut self.open {
            Some(open) if bytes.len() as u64 <= open.left => {
                open.left -= bytes.len() as u64;
                self.entries.write(&mut open.mode, bytes)
            }
            _ => Err(Error::new(
                ErrorKind::InvalidValue,
                format_args!(
                    "found {} more bytes than announced, expected a value that is the same whenever it is serialized",
                    bytes.len()
                ),
            )),
        };
        written.map_err(|err| self.fail_inside(err))
    }

    /// Closes the open member, all of whose bytes must have come.
    pub(crate) fn end(&mut self) -> Result<()> {
        self.usable()?;
        let ended = match self.open.take() {
            Some(open) if open.left > 0 => Err(incomplete(&open)),
            Some(open) => self.entries.end(open.mode),
            None => Ok(()),
        };
        ended.map_err(|err| self.fail_inside(err))?;
        self.claim();
        Ok(())
    }

    /// Closes the open member that has grown; `npy_header` replaces the one it began with, and has to be as long.
    pub(crate) fn end_growing(&mut self, npy_header: &[u8]) -> Result<()> {
        self.usable()?;
        let ended = match self.open.take() {
            Some(open) => self.entries.end_growing(open.mode, npy_header),
            None => Ok(()),
        };
        ended.map_err(|err| self.fail_inside(err))?;
        self.claim();
        Ok(())
    }

    /// Whether [`Container::take_back`] works: the output has to be one that can be cut.
    pub(crate) fn can_take_back(&self) -> bool {
        self.entries.can_take_back()
    }

    /// Takes back the open member, as if it had never begun.
    pub(crate) fn take_back(&mut self) -> Result<()> {
        self.usable()?;
        match self.open.take() {
            Some(open) => {
                let key = self.last_key().to_owned();
                self.entries.take_back(open.mode).inspect_err(|err| {
                    self.fail(err.duplicate().at_member(&key));
                })
            }
            None => Ok(()),
        }
    }

    /// Gives the member that has just ended its keys, and takes them from one it replaces.
    fn claim(&mut self) {
        let Some(last) = self.entries.list().len().checked_sub(1) else {
            return;
        };
        let member = mem::take(&mut self.entries.list_mut()[last].name);
        for claim in claims(&member) {
            self.forget_all(claim);
            self.claimed.insert(claim.to_owned(), last);
        }
        self.entries.list_mut()[last].name = member;
    }

    /// Ends this writer: every later call returns `error`, and the archive is never finished.
    pub(crate) fn fail(&mut self, error: Error) {
        self.failed = Some(error);
    }

    /// Writes the directory and hands the output back.
    pub(crate) fn finish(self) -> Result<O> {
        self.usable()?;
        if let Some(open) = &self.open {
            return Err(incomplete(open).at_member(self.last_key()));
        }
        self.entries.finish()
    }

    /// Keeps the error with the name of the last member, and returns it without: the caller knows the path of the value.
    fn fail_inside(&mut self, err: Error) -> Error {
        let named = err.duplicate().at_member(self.last_key());
        self.fail(named);
        err
    }

    fn last_key(&self) -> &str {
        self.entries.list().last().map_or("", |entry| key(&entry.name))
    }
}

fn check_name(member: &str) -> Result<()> {
    // `np.savez(**{'': x})` writes the member `.npy`: a value read from such an archive can be written again.
    let (found, expected) = if key(member).is_empty() && member != ".npy" {
        ("an empty name".to_owned(), "one of at least a character")
    } else if member.contains('\0') {
        (
            format!("the name `{}`", member.escape_debug()),
            "one without NUL, where Python would cut it",
        )
    } else if member.len() > MAX_NAME {
        (
            format!("a name of {} bytes", member.len()),
            "at most 65,504 with the `.npy` behind it",
        )
    } else {
        return Ok(());
    };
    Err(Error::new(
        ErrorKind::InvalidName,
        format_args!("found {found}, expected {expected}"),
    ))
}

/// The keys that a member is found by, NumPy's first.
fn claims(member: &str) -> impl Iterator<Item = &str> {
    // A JSON text `x.json` is also found as `x`.
    [Some(key(member)), member.strip_suffix(".json")].into_iter().flatten()
}

fn incomplete(open: &Open) -> Error {
    Error::new(
        ErrorKind::InvalidValue,
        format_args!(
            "found {} bytes, expected the {} announced: the value has to be the same whenever it is serialized",
            open.size - open.left,
            open.size
        ),
    )
}
