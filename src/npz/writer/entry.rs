//! One member as the writer knows it, and its records: the header before the data, and the entry in the directory.
//!
//! ```text
//! PK\3\4 30 bytes | name | 01 00: size, compressed size | 1e a1: padding     before the data
//! PK\7\8 CRC, compressed size, size                                          behind it, only in a stream
//! PK\1\2 46 bytes | name | 01 00: what has no room in 32 bits                the directory
//! ```

use crate::npz::zip;
use crate::npz::zip::{CentralHeader, LocalHeader, Method, WIDE};

/// Stored data starts at a multiple of this, so that it can be mapped or lent as any element type.
const ALIGNMENT: u16 = 64;

/// One member as the directory tells of it.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    pub(crate) name: String,
    pub(crate) method: Method,
    /// Whether CRC and sizes follow the data, because its local header went out before they were known.
    pub(crate) has_descriptor: bool,
    pub(crate) crc: u32,
    pub(crate) size: u64,
    pub(crate) compressed: u64,
    /// Where the local header starts.
    pub(crate) offset: u64,
    /// Whether it was in the archive before this writer, and may be replaced.
    pub(crate) replaceable: bool,
    /// The entry of such a member as it was found, unless it has been moved since.
    pub(crate) found: Option<Found>,
    /// Whether it has no place in the directory any more.
    pub(crate) removed: bool,
}

/// What the directory said of a member that was there before.
#[derive(Clone, Debug)]
pub(crate) struct Found {
    pub(crate) flags: u16,
    pub(crate) central: Box<[u8]>,
}

impl Entry {
    /// A member of this name and size, of which nothing else is known yet.
    pub(crate) fn new(name: &str, method: Method, size: u64) -> Self {
        Entry {
            name: name.to_owned(),
            method,
            has_descriptor: false,
            crc: 0,
            size,
            compressed: size,
            offset: 0,
            replaceable: false,
            found: None,
            removed: false,
        }
    }

    fn flags(&self) -> u16 {
        let descriptor = if self.has_descriptor { zip::DESCRIPTOR } else { 0 };
        let utf8 = if self.name.is_ascii() { 0 } else { zip::UTF8 };
        descriptor | utf8
    }

    /// Writes the header before the data, padded so that stored data is aligned. It is equally long whatever CRC and sizes
    /// are, so that it can be written once more when they are known.
    pub(crate) fn put_local(&self, out: &mut Vec<u8>) {
        let padding = self.padding();
        let (crc, size, compressed) = if self.has_descriptor {
            (0, 0, 0)
        } else {
            (self.crc, self.size, self.compressed)
        };
        self.local(crc, (WIDE, WIDE), 20 + padding).put(out);
        out.extend_from_slice(self.name.as_bytes());
        zip::put_zip64_field(&[size, compressed], out);
        if padding > 0 {
            zip::put_padding(padding, ALIGNMENT, out);
        }
    }

    /// The fields of both headers; `sizes` are the compressed one and the other.
    fn local(&self, crc: u32, sizes: (u32, u32), extra_len: u16) -> LocalHeader {
        LocalHeader {
            version: zip::VERSION,
            flags: self.flags(),
            method: self.method,
            crc,
            compressed: sizes.0,
            size: sizes.1,
            name_len: self.name_len(),
            extra_len,
        }
    }

    /// How long the padding field is: none, or with room for its own six bytes.
    fn padding(&self) -> u16 {
        if !self.method.is_stored() {
            return 0;
        }
        let alignment = u64::from(ALIGNMENT);
        let plain = self.offset % alignment + LocalHeader::LEN as u64 + u64::from(self.name_len()) + 20;
        let padding = match plain % alignment {
            0 => 0,
            over if alignment - over < 6 => 2 * alignment - over,
            over => alignment - over,
        };
        // Less than twice the alignment.
        u16::try_from(padding).unwrap_or_default()
    }

    fn name_len(&self) -> u16 {
        // The container has refused longer names, and what is kept from another archive has its own header.
        u16::try_from(self.name.len()).unwrap_or(u16::MAX)
    }

    /// Writes what follows the data where the header before it could not know it.
    pub(crate) fn put_descriptor(&self, out: &mut Vec<u8>) {
        zip::put_descriptor(self.crc, self.compressed, self.size, out);
    }

    /// Writes the entry in the directory.
    pub(crate) fn put_central(&self, out: &mut Vec<u8>) {
        if let Some(found) = &self.found {
            return out.extend_from_slice(&found.central);
        }
        let (mut wide, mut extra) = (Vec::new(), Vec::new());
        let (sizes, offset) = (
            zip::narrow(self.compressed).zip(zip::narrow(self.size)),
            zip::narrow(self.offset),
        );
        if sizes.is_none() {
            wide.extend([self.size, self.compressed]);
        }
        if offset.is_none() {
            wide.push(self.offset);
        }
        if !wide.is_empty() {
            zip::put_zip64_field(&wide, &mut extra);
        }
        let extra_len = u16::try_from(extra.len()).unwrap_or(u16::MAX);
        let header = CentralHeader {
            local: self.local(self.crc, sizes.unwrap_or((WIDE, WIDE)), extra_len),
            comment_len: 0,
            disk: 0,
            offset: offset.unwrap_or(WIDE),
        };
        header.put(out);
        out.extend_from_slice(self.name.as_bytes());
        out.extend_from_slice(&extra);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MOST_NARROW: u64 = (1 << 31) - 1;

    fn entry(name: &str, offset: u64) -> Entry {
        Entry {
            crc: 0x0403_0201,
            offset,
            ..Entry::new(name, Method::Stored, 5)
        }
    }

    #[test]
    fn data_is_aligned_behind_every_name_and_offset() {
        for len in 1..200 {
            for offset in 0..64 {
                let mut out = Vec::new();
                let entry = entry(&"n".repeat(len), offset);
                entry.put_local(&mut out);
                assert_eq!((offset + out.len() as u64) % u64::from(ALIGNMENT), 0, "{len} {offset}");
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
            let entry = Entry {
                size,
                compressed: size,
                ..entry("x", offset)
            };
            entry.put_central(&mut out);
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
}
