//! The zip format: the signatures, lengths, flags and fields of its records, each read and written here and nowhere else.
//!
//! ```text
//! PK\3\4 30 bytes | name | extra             LocalHeader     before the data of a member
//! PK\7\8 CRC, compressed size, size          descriptor      behind the data, where flag bit 3 says so
//! PK\1\2 46 bytes | name | extra | comment   CentralHeader   one for each member: the directory
//! PK\6\6 56 bytes                            EndRecord       in 64 bits, only where the last record has no room
//! PK\6\7 20 bytes                            Zip64Locator    where the record above starts
//! PK\5\6 22 bytes | comment                  EndRecord       up to the last byte of the file
//! ```
//!
//! All numbers are little-endian. What a record claims is compared with the file in `reader`; here a record is only
//! taken apart.

#[cfg(test)]
mod tests;

use std::borrow::Cow;
use std::fmt;

use crate::error::{Error, ErrorKind, Result};

/// Version 4.5 of the format has zip64: what the writer says a reader needs.
pub(crate) const VERSION: u8 = 45;
/// Made by this version on Unix: its names and modes, so that the bytes are the same on every system.
const UNIX: u16 = 3 << 8 | VERSION as u16;
/// A plain file that everybody may read and its owner may write.
const MODE: u32 = 0o100_644 << 16;
/// 1980-01-01, the first day the format can express.
const DATE: u16 = 0x21;

/// The number that says that the real one is in the zip64 field or record.
pub(crate) const WIDE: u32 = u32::MAX;
/// Python's zipfile goes over to 64 bits above this, as some readers take 32-bit numbers as signed.
const MOST_NARROW: u64 = (1 << 31) - 1;

/// What a descriptor starts with, most of the time.
const DESCRIPTOR_SIGNATURE: &[u8; 4] = b"PK\x07\x08";

/// The extra field that holds numbers of 64 bits.
const ZIP64: u16 = 1;
/// The extra field that pads the local header, as Android's tools write it: its first number is the alignment.
const PADDING: u16 = 0xa11e;

/// Some way of encryption.
const ENCRYPTED: u16 = 1 | 1 << 6 | 1 << 13;
/// CRC and sizes follow the data, in a descriptor.
pub(crate) const DESCRIPTOR: u16 = 1 << 3;
/// The data is a patch to some other file.
const PATCH: u16 = 1 << 5;
/// The name is UTF-8.
pub(crate) const UTF8: u16 = 1 << 11;
/// The flags that change what a name or the data means; the others are notes of the compressor.
pub(crate) const MEANING: u16 = DESCRIPTOR | ENCRYPTED | PATCH | UTF8;

/// How the data of a member is compressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Method {
    Stored,
    Deflate,
    /// A number of the format that means nothing to this crate.
    Other(u16),
}

impl Method {
    /// The methods there are, as errors name them.
    const SUPPORTED: &str = "0 (stored) or 8 (deflated)";

    pub(crate) fn from_number(number: u16) -> Self {
        match number {
            0 => Method::Stored,
            8 => Method::Deflate,
            other => Method::Other(other),
        }
    }

    pub(crate) fn number(self) -> u16 {
        match self {
            Method::Stored => 0,
            Method::Deflate => 8,
            Method::Other(number) => number,
        }
    }

    pub(crate) fn is_stored(self) -> bool {
        self == Method::Stored
    }

    /// How many times as large as its compressed bytes a member can be.
    pub(crate) fn max_ratio(self) -> u64 {
        match self {
            Method::Stored => 1,
            // At most 258 bytes of two bits.
            Method::Deflate => 1032,
            Method::Other(_) => u64::MAX,
        }
    }
}

/// Why data cannot be read though it is not damaged, and what could be read.
pub(crate) fn unsupported(flags: u16, method: Method) -> Option<(String, &'static str)> {
    if flags & ENCRYPTED != 0 {
        Some(("an encrypted member".to_owned(), "a plain one"))
    } else if flags & PATCH != 0 {
        Some(("a patch to another file".to_owned(), "the data itself"))
    } else if let Method::Other(number) = method {
        Some((format!("compression method {number}"), Method::SUPPORTED))
    } else {
        None
    }
}

/// The header before the data of a member; its name and extra fields follow.
pub(crate) struct LocalHeader {
    /// The version of the format that is needed to read the member.
    pub(crate) version: u8,
    pub(crate) flags: u16,
    pub(crate) method: Method,
    pub(crate) crc: u32,
    pub(crate) compressed: u32,
    pub(crate) size: u32,
    pub(crate) name_len: u16,
    pub(crate) extra_len: u16,
}

impl LocalHeader {
    pub(crate) const LEN: usize = 30;
    pub(crate) const SIGNATURE: &[u8; 4] = b"PK\x03\x04";

    pub(crate) fn parse(bytes: &[u8; Self::LEN]) -> Result<Self> {
        let mut fields = Fields::of(bytes, Self::SIGNATURE).map_err(|found| {
            corrupt(format_args!(
                "found `{found}` at the member's offset, expected the signature `PK\\x03\\x04`"
            ))
        })?;
        Ok(Self::take(&mut fields))
    }

    pub(crate) fn put(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(Self::SIGNATURE);
        self.put_fields(out);
    }

    fn take(fields: &mut Fields<'_>) -> Self {
        let [version, _system] = fields.take();
        let (flags, method) = (fields.u16(), Method::from_number(fields.u16()));
        let _time_and_date = fields.u32();
        LocalHeader {
            version,
            flags,
            method,
            crc: fields.u32(),
            compressed: fields.u32(),
            size: fields.u32(),
            name_len: fields.u16(),
            extra_len: fields.u16(),
        }
    }

    fn put_fields(&self, out: &mut Vec<u8>) {
        put_u16s(out, &[self.version.into(), self.flags, self.method.number(), 0, DATE]);
        put_u32s(out, &[self.crc, self.compressed, self.size]);
        put_u16s(out, &[self.name_len, self.extra_len]);
    }

    /// How long the header is with its name and extra fields.
    pub(crate) fn total_len(&self) -> u64 {
        Self::LEN as u64 + u64::from(self.name_len) + u64::from(self.extra_len)
    }
}

/// The entry of a member in the directory; its name, extra fields and comment follow.
pub(crate) struct CentralHeader {
    /// The fields of the local header, which stand here once more in the same order.
    pub(crate) local: LocalHeader,
    pub(crate) comment_len: u16,
    /// The number of the file, where an archive is split over several.
    pub(crate) disk: u16,
    /// Where the local header starts.
    pub(crate) offset: u32,
}

impl CentralHeader {
    pub(crate) const LEN: usize = 46;
    pub(crate) const SIGNATURE: &[u8; 4] = b"PK\x01\x02";

    pub(crate) fn parse(bytes: &[u8; Self::LEN]) -> Result<Self> {
        let mut fields = Fields::of(bytes, Self::SIGNATURE)
            .map_err(|found| corrupt(format_args!("found `{found}`, expected the signature `PK\\x01\\x02`")))?;
        let _made_by = fields.u16();
        let local = LocalHeader::take(&mut fields);
        let (comment_len, disk) = (fields.u16(), fields.u16());
        let (_internal, _external) = (fields.u16(), fields.u32());
        Ok(CentralHeader {
            local,
            comment_len,
            disk,
            offset: fields.u32(),
        })
    }

    pub(crate) fn put(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(Self::SIGNATURE);
        put_u16s(out, &[UNIX]);
        self.local.put_fields(out);
        put_u16s(out, &[self.comment_len, self.disk, 0]);
        put_u32s(out, &[MODE, self.offset]);
    }

    /// How many bytes of name, extra fields and comment follow.
    pub(crate) fn variable_len(&self) -> usize {
        [self.local.name_len, self.local.extra_len, self.comment_len]
            .map(usize::from)
            .iter()
            .sum()
    }
}

/// The end of an archive: where its directory lies and how many members it has.
#[derive(Clone, Copy)]
pub(crate) struct EndRecord {
    pub(crate) count: u64,
    pub(crate) size: u64,
    pub(crate) offset: u64,
}

impl EndRecord {
    pub(crate) const LEN: usize = 22;
    pub(crate) const SIGNATURE: &[u8; 4] = b"PK\x05\x06";
    /// The record of 64 bits.
    pub(crate) const WIDE_LEN: usize = 56;
    pub(crate) const WIDE_SIGNATURE: &[u8; 4] = b"PK\x06\x06";

    /// Takes the record apart behind its signature.
    pub(crate) fn parse(bytes: &[u8; Self::LEN]) -> Result<Self> {
        let mut fields = Fields(&bytes[4..]);
        let disks = (fields.u16().into(), fields.u16().into());
        let on_disk = fields.u16().into();
        let end = EndRecord {
            count: fields.u16().into(),
            size: fields.u32().into(),
            offset: fields.u32().into(),
        };
        end.on_one_disk(disks, on_disk)
    }

    /// Takes the record of 64 bits apart, which should end right before `end`, `len` bytes from its start.
    pub(crate) fn parse_wide(bytes: &[u8; Self::WIDE_LEN], len: u64) -> Result<Self> {
        let mut fields = Fields(&bytes[4..]);
        let behind_this = fields.u64();
        if behind_this.checked_add(12) != Some(len) {
            return Err(corrupt(format_args!(
                "found a zip64 record of {behind_this} bytes, expected it to end at its locator"
            )));
        }
        let _versions = fields.u32();
        let disks = (fields.u32(), fields.u32());
        let on_disk = fields.u64();
        let end = EndRecord {
            count: fields.u64(),
            size: fields.u64(),
            offset: fields.u64(),
        };
        end.on_one_disk(disks, on_disk)
    }

    fn on_one_disk(self, disks: (u32, u32), on_disk: u64) -> Result<Self> {
        if disks != (0, 0) {
            return Err(split());
        }
        if on_disk != self.count {
            return Err(corrupt(format_args!(
                "found {on_disk} members in one place of the end record and {} in another",
                self.count
            )));
        }
        Ok(self)
    }

    /// The record of 64 bits and its locator where there is need of them, and the end record with the archive's comment.
    pub(crate) fn put(self, comment: &[u8], out: &mut Vec<u8>) -> Result<()> {
        let EndRecord { count, size, offset } = self;
        // 65,535 members count as too many: that number also says to look elsewhere.
        if count >= u64::from(u16::MAX) || narrow(size).is_none() || narrow(offset).is_none() {
            let start = offset.checked_add(size).ok_or_else(too_large)?;
            out.extend_from_slice(Self::WIDE_SIGNATURE);
            put_u64s(out, &[Self::WIDE_LEN as u64 - 12]);
            put_u16s(out, &[UNIX, VERSION.into()]);
            put_u32s(out, &[0, 0]);
            put_u64s(out, &[count, count, size, offset]);
            out.extend_from_slice(Zip64Locator::SIGNATURE);
            put_u32s(out, &[0]);
            put_u64s(out, &[start]);
            put_u32s(out, &[1]);
        }
        let count = u16::try_from(count).unwrap_or(u16::MAX);
        out.extend_from_slice(Self::SIGNATURE);
        put_u16s(out, &[0, 0, count, count]);
        put_u32s(out, &[size, offset].map(|number| u32::try_from(number).unwrap_or(WIDE)));
        let comment_len = u16::try_from(comment.len()).map_err(|_| too_large())?;
        put_u16s(out, &[comment_len]);
        out.extend_from_slice(comment);
        Ok(())
    }
}

/// Where the end record of 64 bits starts.
pub(crate) struct Zip64Locator {
    pub(crate) start: u64,
}

impl Zip64Locator {
    pub(crate) const LEN: usize = 20;
    const SIGNATURE: &[u8; 4] = b"PK\x06\x07";

    /// `None` where these bytes are no locator.
    pub(crate) fn parse(bytes: &[u8; Self::LEN]) -> Result<Option<Self>> {
        let Ok(mut fields) = Fields::of(bytes, Self::SIGNATURE) else {
            return Ok(None);
        };
        let (disk, start, disks) = (fields.u32(), fields.u64(), fields.u32());
        if disk != 0 || disks > 1 {
            return Err(split());
        }
        Ok(Some(Zip64Locator { start }))
    }
}

/// Writes what follows the data where the header before it could not know it.
pub(crate) fn put_descriptor(crc: u32, compressed: u64, size: u64, out: &mut Vec<u8>) {
    out.extend_from_slice(DESCRIPTOR_SIGNATURE);
    put_u32s(out, &[crc]);
    put_u64s(out, &[compressed, size]);
}

/// Whether `bytes` start with a descriptor of these numbers: with its signature or without, in 32 bits or in 64.
pub(crate) fn is_descriptor(bytes: &[u8], crc: u32, compressed: u64, size: u64) -> bool {
    let says_so = |body: &[u8]| {
        let mut narrow = Fields(body);
        let mut wide = Fields(body);
        let narrow = body.len() >= 12
            && narrow.u32() == crc
            && [narrow.u32(), narrow.u32()].map(u64::from) == [compressed, size];
        let wide = body.len() >= 20 && wide.u32() == crc && [wide.u64(), wide.u64()] == [compressed, size];
        narrow || wide
    };
    says_so(bytes) || bytes.strip_prefix(DESCRIPTOR_SIGNATURE).is_some_and(says_so)
}

/// The checksum in a descriptor that `bytes` start with, if it is one behind so many stored bytes. Without a signature in
/// front of it the next record has to follow.
pub(crate) fn stored_descriptor(bytes: &[u8], size: u64) -> Option<u32> {
    let signed = bytes.strip_prefix(DESCRIPTOR_SIGNATURE);
    let body = signed.unwrap_or(bytes);
    [12, 20].into_iter().find_map(|len| {
        let (body, behind) = body.split_at_checked(len)?;
        let mut fields = Fields(body);
        let crc = fields.u32();
        let sizes = match len {
            12 => [fields.u32(), fields.u32()].map(u64::from),
            _ => [fields.u64(), fields.u64()],
        };
        (sizes == [size; 2] && (signed.is_some() || behind.starts_with(b"PK"))).then_some(crc)
    })
}

/// The zip64 field among the extra fields of a header.
pub(crate) fn zip64_field(mut extra: &[u8]) -> Result<Option<&[u8]>> {
    let mut found = None;
    while extra.len() >= 4 {
        let mut fields = Fields(extra);
        let (id, len) = (fields.u16(), usize::from(fields.u16()));
        let Some((data, rest)) = fields.0.split_at_checked(len) else {
            return Err(corrupt(format_args!(
                "found an extra field of {len} bytes, expected at most the {} there are",
                extra.len() - 4
            )));
        };
        if id == ZIP64 && found.replace(data).is_some() {
            return Err(corrupt("found two zip64 fields, expected one"));
        }
        extra = rest;
    }
    // Some tools align with up to three zero bytes, too few for a field.
    if extra.iter().any(|&byte| byte != 0) {
        return Err(corrupt("found bytes behind the last extra field, expected none"));
    }
    Ok(found)
}

/// Writes the field that holds numbers of 64 bits.
pub(crate) fn put_zip64_field(numbers: &[u64], out: &mut Vec<u8>) {
    // There are at most three.
    let len = u16::try_from(size_of_val(numbers)).unwrap_or(u16::MAX);
    put_u16s(out, &[ZIP64, len]);
    put_u64s(out, numbers);
}

/// Writes a field that takes `len` bytes, its own six among them.
pub(crate) fn put_padding(len: u16, alignment: u16, out: &mut Vec<u8>) {
    put_u16s(out, &[PADDING, len.saturating_sub(4), alignment]);
    out.resize(out.len() + usize::from(len.saturating_sub(6)), 0);
}

/// A name as Python reads it: UTF-8 where the flag says so, else the code page of the first PCs.
pub(crate) fn decode_name(bytes: &[u8], flags: u16) -> Result<Cow<'_, str>> {
    let name = if flags & UTF8 != 0 || bytes.is_ascii() {
        Cow::Borrowed(str::from_utf8(bytes).map_err(|_| {
            corrupt(format_args!(
                "found the name `{}`, expected UTF-8",
                bytes.escape_ascii()
            ))
        })?)
    } else {
        bytes.iter().map(|&byte| cp437(byte)).collect()
    };
    if name.is_empty() {
        return Err(corrupt("found an empty name, expected at least a character"));
    }
    if name.contains('\0') {
        return Err(corrupt(format_args!(
            "found the name `{}`, expected one without NUL",
            name.escape_debug()
        )));
    }
    Ok(name)
}

fn cp437(byte: u8) -> char {
    const UPPER: &str = "ÇüéâäàåçêëèïîìÄÅÉæÆôöòûùÿÖÜ¢£¥₧ƒáíóúñÑªº¿⌐¬½¼¡«»░▒▓│┤╡╢╖╕╣║╗╝╜╛┐└┴┬├─┼╞╟╚╔╩╦╠═╬╧╨╤╥╙╘╒╓╫╪┘┌█▄▌▐▀\
                         αßΓπΣσµτΦΘΩδ∞φε∩≡±≥≤⌠⌡÷≈°∙·√ⁿ²■\u{a0}";
    match byte {
        0..=127 => char::from(byte),
        _ => UPPER
            .chars()
            .nth(usize::from(byte - 128))
            .unwrap_or(char::REPLACEMENT_CHARACTER),
    }
}

/// A number as 32 bits, where the writer puts it there.
pub(crate) fn narrow(number: u64) -> Option<u32> {
    u32::try_from(number).ok().filter(|_| number <= MOST_NARROW)
}

pub(crate) fn corrupt(message: impl fmt::Display) -> Error {
    Error::new(ErrorKind::CorruptArchive, message)
}

/// The error for a part of an archive that is split over several files.
pub(crate) fn split() -> Error {
    Error::new(
        ErrorKind::UnsupportedArchive,
        "found a part of an archive split over several files, expected a whole one",
    )
}

#[cold]
fn too_large() -> Error {
    Error::new(
        ErrorKind::LimitExceeded,
        "found an archive of 2^64 bytes or more, expected less",
    )
}

/// Takes the numbers of a record one after another; behind its end all are 0.
pub(crate) struct Fields<'b>(pub(crate) &'b [u8]);

impl<'b> Fields<'b> {
    /// The fields behind the signature of a record; what stands in its place if it is another.
    fn of(record: &'b [u8], signature: &[u8; 4]) -> Result<Self, impl fmt::Display> {
        match record.strip_prefix(signature) {
            Some(fields) => Ok(Fields(fields)),
            None => Err(record[..4].escape_ascii()),
        }
    }

    fn take<const N: usize>(&mut self) -> [u8; N] {
        match self.0.split_first_chunk() {
            Some((taken, rest)) => {
                self.0 = rest;
                *taken
            }
            None => [0; N],
        }
    }

    pub(crate) fn u16(&mut self) -> u16 {
        u16::from_le_bytes(self.take())
    }

    pub(crate) fn u32(&mut self) -> u32 {
        u32::from_le_bytes(self.take())
    }

    pub(crate) fn u64(&mut self) -> u64 {
        u64::from_le_bytes(self.take())
    }
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
