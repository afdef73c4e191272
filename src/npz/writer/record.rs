//! The records of the container, as bytes: what stands before a member, in the directory, and at the end.
//!
//! ```text
//! PK\3\4 30 bytes | name | 01 00: size, compressed size | 1e a1: padding     before the data
//! PK\7\8 CRC, compressed size, size                                          behind it, in a stream alone
//! PK\1\2 46 bytes | name | 01 00: what has no room in 32 bits                the directory
//! PK\6\6 56 bytes, PK\6\7 20 bytes                                           only where the next has no room
//! PK\5\6 count, size and offset of the directory                             the end
//! ```

use crate::error::{Error, ErrorKind, Result};

/// Stored data starts at a multiple of this, to be mapped or lent as any element type.
const ALIGNMENT: u64 = 64;

/// Version 4.5 of the format has zip64.
const VERSION: u16 = 45;
/// Names and modes as Unix has them, so that the bytes are the same on every system.
const UNIX: u16 = 3 << 8;
/// A plain file that all may read and its owner may write.
const MODE: u32 = 0o100_644 << 16;
/// 1980-01-01, the first day there is.
const DATE: u16 = 0x21;

const STORED: u16 = 0;
const DEFLATED: u16 = 8;

/// CRC and sizes follow the data.
const DESCRIBED: u16 = 1 << 3;
/// The name is UTF-8.
const UTF8: u16 = 1 << 11;

const ZIP64: u16 = 1;
/// The field that tells of padding which alignment it keeps, as Android's tools write it.
const PADDING: u16 = 0xa11e;

/// Python's zipfile turns to 64 bits here: some readers take 32-bit numbers as signed.
const MOST_NARROW: u64 = (1 << 31) - 1;
const WIDE: u32 = u32::MAX;

/// One member as the directory tells of it.
#[derive(Clone, Debug)]
pub(crate) struct Record {
    pub(crate) name: String,
    pub(crate) deflated: bool,
    /// Whether CRC and sizes follow the data, as its local header went out before they were known.
    pub(crate) described: bool,
    pub(crate) crc: u32,
    pub(crate) size: u64,
    pub(crate) compressed: u64,
    /// Where the local header starts.
    pub(crate) offset: u64,
    /// Whether it was there before, and may be replaced.
    pub(crate) old: bool,
    /// The entry of such a member, as it was found.
    pub(crate) found: Option<Box<[u8]>>,
    /// Whether it has no place in the directory any more.
    pub(crate) removed: bool,
}

impl Record {
    /// A member of this name and size, of which nothing else is known yet.
    pub(crate) fn new(name: &str, deflated: bool, size: u64) -> Self {
        Record {
            name: name.to_owned(),
            deflated,
            described: false,
            crc: 0,
            size,
            compressed: size,
            offset: 0,
            old: false,
            found: None,
            removed: false,
        }
    }

    fn flags(&self) -> u16 {
        let described = if self.described { DESCRIBED } else { 0 };
        let utf8 = if self.name.is_ascii() { 0 } else { UTF8 };
        described | utf8
    }

    fn method(&self) -> u16 {
        if self.deflated { DEFLATED } else { STORED }
    }

    /// The header before the data, padded so that stored data is aligned; of the same length whatever CRC and sizes are.
    pub(crate) fn put_local(&self, out: &mut Vec<u8>) {
        let padding = self.padding();
        let (crc, size, compressed) = if self.described {
            (0, 0, 0)
        } else {
            (self.crc, self.size, self.compressed)
        };
        out.extend_from_slice(b"PK\x03\x04");
        put_u16s(out, &[VERSION, self.flags(), self.method(), 0, DATE]);
        put_u32s(out, &[crc, WIDE, WIDE]);
        // A name is checked to be shorter than 64 KiB.
        put_u16s(out, &[self.name.len() as u16, 20 + padding]);
        out.extend_from_slice(self.name.as_bytes());
        put_u16s(out, &[ZIP64, 16]);
        put_u64s(out, &[size, compressed]);
        if padding > 0 {
            put_u16s(out, &[PADDING, padding - 4, ALIGNMENT as u16]);
            out.resize(out.len() + usize::from(padding - 6), 0);
        }
    }

    /// How long the padding field is: none, or with room for its own six bytes.
    fn padding(&self) -> u16 {
        let plain = self.offset % ALIGNMENT + 30 + self.name.len() as u64 + 20;
        match plain % ALIGNMENT {
            _ if self.deflated => 0,
            0 => 0,
            over if ALIGNMENT - over < 6 => (2 * ALIGNMENT - over) as u16,
            over => (ALIGNMENT - over) as u16,
        }
    }

    /// What follows the data where the header before it could not know.
    pub(crate) fn put_descriptor(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(b"PK\x07\x08");
        put_u32s(out, &[self.crc]);
        put_u64s(out, &[self.compressed, self.size]);
    }

    /// The entry in the directory.
    pub(crate) fn put_central(&self, out: &mut Vec<u8>) {
        if let Some(found) = &self.found {
            return out.extend_from_slice(found);
        }
        let mut wide = Vec::new();
        let mut narrow = [self.compressed as u32, self.size as u32, self.offset as u32];
        if self.size > MOST_NARROW || self.compressed > MOST_NARROW {
            put_u64s(&mut wide, &[self.size, self.compressed]);
            narrow[..2].fill(WIDE);
        }
        if self.offset > MOST_NARROW {
            put_u64s(&mut wide, &[self.offset]);
            narrow[2] = WIDE;
        }
        let extra = if wide.is_empty() { 0 } else { 4 + wide.len() as u16 };
        out.extend_from_slice(b"PK\x01\x02");
        put_u16s(out, &[VERSION | UNIX, VERSION, self.flags(), self.method(), 0, DATE]);
        put_u32s(out, &[self.crc, narrow[0], narrow[1]]);
        put_u16s(out, &[self.name.len() as u16, extra, 0, 0, 0]);
        put_u32s(out, &[MODE, narrow[2]]);
        out.extend_from_slice(self.name.as_bytes());
        if extra > 0 {
            put_u16s(out, &[ZIP64, wide.len() as u16]);
            out.extend_from_slice(&wide);
        }
    }
}

/// What comes behind a directory of `count` entries and `size` bytes at `offset`.
pub(crate) fn put_end(count: u64, size: u64, offset: u64, out: &mut Vec<u8>) -> Result<()> {
    // 65,535 members count as too many: that number also says to look elsewhere.
    if count >= u64::from(u16::MAX) || size > MOST_NARROW || offset > MOST_NARROW {
        let end = offset.checked_add(size).ok_or_else(too_large)?;
        out.extend_from_slice(b"PK\x06\x06");
        put_u64s(out, &[44]);
        put_u16s(out, &[VERSION | UNIX, VERSION]);
        put_u32s(out, &[0, 0]);
        put_u64s(out, &[count, count, size, offset]);
        out.extend_from_slice(b"PK\x06\x07");
        put_u32s(out, &[0]);
        put_u64s(out, &[end]);
        put_u32s(out, &[1]);
    }
    let count = count.min(u16::MAX.into()) as u16;
    out.extend_from_slice(b"PK\x05\x06");
    put_u16s(out, &[0, 0, count, count]);
    put_u32s(out, &[size.min(WIDE.into()) as u32, offset.min(WIDE.into()) as u32]);
    put_u16s(out, &[0]);
    Ok(())
}

#[cold]
fn too_large() -> Error {
    Error::new(
        ErrorKind::LimitExceeded,
        "found an archive of 2^64 bytes or more, expected less",
    )
}

fn put_u16s(out: &mut Vec<u8>, values: &[u16]) {
    values.iter().for_each(|v| out.extend_from_slice(&v.to_le_bytes()));
}

fn put_u32s(out: &mut Vec<u8>, values: &[u32]) {
    values.iter().for_each(|v| out.extend_from_slice(&v.to_le_bytes()));
}

fn put_u64s(out: &mut Vec<u8>, values: &[u64]) {
    values.iter().for_each(|v| out.extend_from_slice(&v.to_le_bytes()));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(name: &str, offset: u64) -> Record {
        Record {
            crc: 0x0403_0201,
            offset,
            ..Record::new(name, false, 5)
        }
    }

    #[test]
    fn data_is_aligned_behind_every_name_and_offset() {
        for len in 1..200 {
            for offset in 0..64 {
                let mut out = Vec::new();
                let record = record(&"n".repeat(len), offset);
                record.put_local(&mut out);
                assert_eq!((offset + out.len() as u64) % ALIGNMENT, 0, "{len} {offset}");
                assert!(out.len() < 30 + len + 20 + 70);
                let extra = usize::from(u16::from_le_bytes([out[28], out[29]]));
                assert_eq!(out.len(), 30 + len + extra);
            }
        }
    }

    #[test]
    fn numbers_beyond_31_bits_are_written_wide_in_the_directory() {
        let central = |size: u64, offset: u64| {
            let mut out = Vec::new();
            let record = Record {
                size,
                compressed: size,
                ..record("x", offset)
            };
            record.put_central(&mut out);
            out
        };
        assert_eq!(central(MOST_NARROW, MOST_NARROW).len(), 47);
        let wide = central(MOST_NARROW + 1, 7);
        assert_eq!(wide[20..28], [0xff; 8]);
        assert_eq!(wide[42..46], [7, 0, 0, 0]);
        assert_eq!(wide[47..51], [1, 0, 16, 0]);
        assert_eq!(wide[51..59], (1_u64 << 31).to_le_bytes());
        let far = central(7, 1 << 40);
        assert_eq!(far[20..28], [7, 0, 0, 0, 7, 0, 0, 0]);
        assert_eq!(far[42..46], [0xff; 4]);
        assert_eq!(far[47..], [&[1, 0, 8, 0][..], &(1_u64 << 40).to_le_bytes()].concat());
        assert_eq!(central(1 << 40, 1 << 40).len(), 47 + 4 + 24);
    }

    #[test]
    fn the_end_turns_to_64_bits_where_it_has_to() {
        let end = |count, size, offset| {
            let mut out = Vec::new();
            put_end(count, size, offset, &mut out).unwrap();
            out
        };
        assert_eq!(end(0, 0, 0).len(), 22);
        assert_eq!(end(65_534, MOST_NARROW, MOST_NARROW).len(), 22);
        for (count, size, offset) in [(65_535, 1, 1), (1, 1 << 31, 1), (1, 1, 1 << 33)] {
            let out = end(count, size, offset);
            assert_eq!(out.len(), 56 + 20 + 22);
            assert_eq!(out[32..40], count.to_le_bytes());
            assert_eq!(out[40..48], size.to_le_bytes());
            assert_eq!(out[48..56], offset.to_le_bytes());
            assert_eq!(out[64..72], (size + offset).to_le_bytes());
        }
        assert!(put_end(1, u64::MAX, 1, &mut Vec::new()).is_err());
    }
}
