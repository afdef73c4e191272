//! What a writer that goes on with an archive has to know of it.

use std::io::{Read, Seek};

use super::NpzReader;
use super::directory::{Directory, corrupt, u16_at};
use crate::error::Result;

/// An archive as it is, to be kept under a new directory.
pub(crate) struct Kept {
    /// Where the directory starts: all data lies before.
    pub(crate) data: u64,
    pub(crate) members: Vec<KeptMember>,
}

/// A member, and its entry in the directory as it was found.
pub(crate) struct KeptMember {
    pub(crate) name: String,
    pub(crate) crc: u32,
    pub(crate) size: u64,
    pub(crate) compressed: u64,
    pub(crate) offset: u64,
    pub(crate) central: Vec<u8>,
}

impl<R: Read + Seek> NpzReader<R> {
    pub(crate) fn kept(&mut self) -> Result<Kept> {
        let (data, bytes) = Directory::raw(&mut self.reader)?;
        let mut rest = &bytes[..];
        let mut members = Vec::new();
        for entry in &self.directory.entries {
            let len = [28, 30, 32]
                .iter()
                .map(|&at| usize::from(u16_at(rest, at)))
                .sum::<usize>()
                + 46;
            // It has been walked before; only another writer could have changed it.
            let (central, behind) = rest
                .split_at_checked(len)
                .ok_or_else(|| corrupt("found another directory than a moment before, expected the same"))?;
            rest = behind;
            members.push(KeptMember {
                name: entry.name.clone(),
                crc: entry.crc,
                size: entry.size,
                compressed: entry.compressed,
                offset: entry.offset,
                central: central.to_vec(),
            });
        }
        Ok(Kept { data, members })
    }
}
