//! What [`NpzWriter::append`](crate::NpzWriter::append) has to know about the archive it goes on with.

use std::io::{Read, Seek};

use super::NpzReader;
use super::directory::{CentralEntry, Directory};
use crate::error::Result;
use crate::npz::zip::{CentralHeader, corrupt};

/// An archive as it is, to be kept under a new directory.
pub(crate) struct Kept {
    /// Where the directory starts: all data lies before.
    pub(crate) data: u64,
    pub(crate) members: Vec<KeptMember>,
    /// The comment at the end of the file.
    pub(crate) comment: Vec<u8>,
}

/// A member, and the bytes of its entry in the directory.
pub(crate) struct KeptMember {
    pub(crate) entry: CentralEntry,
    pub(crate) central: Vec<u8>,
}

impl<R: Read + Seek> NpzReader<R> {
    pub(crate) fn kept(&mut self) -> Result<Kept> {
        let (data, bytes, comment) = Directory::raw(&mut self.reader)?;
        if let Some(fault) = (0..self.len()).find_map(|index| self.directory.fault(index)) {
            return Err(fault.duplicate());
        }
        let mut rest = &bytes[..];
        let mut members = Vec::new();
        for entry in &self.directory.entries {
            // The directory has been read before; only another writer could have changed it.
            let changed = || corrupt("found another directory than a moment before, expected the same");
            let header = CentralHeader::parse(rest.first_chunk().ok_or_else(changed)?)?;
            let len = CentralHeader::LEN + header.variable_len();
            let (central, behind) = rest.split_at_checked(len).ok_or_else(changed)?;
            rest = behind;
            members.push(KeptMember {
                entry: entry.clone(),
                central: central.to_vec(),
            });
        }
        Ok(Kept { data, members, comment })
    }
}
