//! The directory at the end of an archive: every number in it is a claim until the file proves it.
//!
//! ```text
//! members ..                      local headers and data, see `local`
//! PK\1\2 46 bytes | name | extra | comment      one per member: the directory
//! PK\6\6 56 bytes                               zip64 only: count, size, offset as 64 bits
//! PK\6\7 20 bytes                               zip64 only: where the record above is
//! PK\5\6 22 bytes | comment                     the end record, up to the last byte of the file
//! ```

use std::collections::HashMap;
use std::io::{self, BufReader, Read, Seek, SeekFrom};

use crate::error::{Error, ErrorKind, Result};
use crate::options::Limits;

/// One member, as the directory describes it.
#[derive(Clone, Debug)]
pub(crate) struct Listed {
    /// The whole name in the archive: `x.npy`.
    pub(crate) name: String,
    /// NumPy's name: without one trailing `.npy`.
    pub(crate) key: String,
    pub(crate) size: u64,
    pub(crate) compressed: u64,
    pub(crate) stored: bool,
    pub(crate) crc: u32,
    pub(super) flags: u16,
    pub(crate) method: u16,
    /// Where the local header starts.
    pub(super) offset: u64,
    /// Where the next member or the directory starts: nothing of this one lies there.
    pub(super) limit: u64,
}

/// All members in the directory's order, and the way from a key to one.
#[derive(Debug, Default)]
pub(super) struct Directory {
    pub(super) entries: Vec<Listed>,
    pub(super) index: HashMap<String, usize>,
}

pub(super) const STORED: u16 = 0;
pub(super) const DEFLATED: u16 = 8;

const END: &[u8; 4] = b"PK\x05\x06";
const END_LEN: usize = 22;
const LOCATOR: &[u8; 4] = b"PK\x06\x07";
const LOCATOR_LEN: u64 = 20;
const RECORD: &[u8; 4] = b"PK\x06\x06";
const RECORD_LEN: u64 = 56;
const CENTRAL: &[u8; 4] = b"PK\x01\x02";
const CENTRAL_LEN: usize = 46;
const LOCAL_LEN: u64 = 30;
const ZIP64: u16 = 1;

/// Version 6.3 of the format, the last one that means anything to anybody.
const LATEST: u8 = 63;

/// The flag that says a name is UTF-8.
const UTF8: u16 = 1 << 11;

pub(super) fn corrupt(message: impl std::fmt::Display) -> Error {
    Error::new(ErrorKind::CorruptArchive, message)
}

pub(super) fn u16_at(bytes: &[u8], at: usize) -> u16 {
    bytes.get(at..at + 2).map_or(0, |b| u16::from_le_bytes([b[0], b[1]]))
}

pub(super) fn u32_at(bytes: &[u8], at: usize) -> u32 {
    u32::from(u16_at(bytes, at)) | u32::from(u16_at(bytes, at + 2)) << 16
}

pub(super) fn u64_at(bytes: &[u8], at: usize) -> u64 {
    u64::from(u32_at(bytes, at)) | u64::from(u32_at(bytes, at + 4)) << 32
}

impl Directory {
    pub(super) fn read<R: Read + Seek>(reader: &mut R, limits: &Limits) -> Result<Self> {
        let len = reader.seek(SeekFrom::End(0))?;
        let region = find(reader, len)?;
        if region.count > limits.members {
            return Err(Error::new(
                ErrorKind::LimitExceeded,
                format_args!(
                    "found {} members, expected at most {}: `Limits::members` allows more",
                    region.count, limits.members
                ),
            ));
        }
        reader.seek(SeekFrom::Start(region.offset))?;
        let mut bytes = BufReader::with_capacity(64 << 10, reader.take(region.size));
        let mut directory = Directory::default();
        let mut left = region.size;
        for number in 0..region.count {
            let entry =
                read_entry(&mut bytes, &mut left, region.offset).map_err(|err| in_entry(err, number, region.count))?;
            directory.push(entry)?;
        }
        if left > 0 {
            return Err(corrupt(format_args!(
                "found {left} bytes behind the last of {} members in the directory, expected none",
                region.count
            )));
        }
        directory.set_limits(region.offset)?;
        Ok(directory)
    }

    /// Where the directory starts, and its bytes as they are.
    pub(super) fn raw<R: Read + Seek>(reader: &mut R) -> Result<(u64, Vec<u8>)> {
        let len = reader.seek(SeekFrom::End(0))?;
        let region = find(reader, len)?;
        Ok((region.offset, read_at(reader, region.offset, region.size)?))
    }

    pub(super) fn entry(&self, index: usize) -> Result<&Listed> {
        self.entries.get(index).ok_or_else(|| {
            Error::new(
                ErrorKind::MissingMember,
                format_args!("found {} members, expected one of number {index}", self.entries.len()),
            )
        })
    }

    fn push(&mut self, entry: Listed) -> Result<()> {
        // NumPy would show one of the two and hide the other.
        if self.index.insert(entry.key.clone(), self.entries.len()).is_some() {
            return Err(corrupt(format_args!(
                "found the key `{}` twice, expected each key once",
                entry.key.escape_debug()
            )));
        }
        self.entries.push(entry);
        Ok(())
    }

    /// Tells every member where the next one starts.
    fn set_limits(&mut self, directory: u64) -> Result<()> {
        let mut order: Vec<usize> = (0..self.entries.len()).collect();
        order.sort_unstable_by_key(|&i| self.entries[i].offset);
        let mut next = directory;
        for &i in order.iter().rev() {
            let entry = &mut self.entries[i];
            if entry.offset == next {
                return Err(corrupt(format_args!(
                    "found two members at the offset {next}, expected each to have bytes of its own"
                )));
            }
            entry.limit = next;
            next = entry.offset;
        }
        Ok(())
    }
}

fn in_entry(err: Error, number: u64, count: u64) -> Error {
    match err.kind() {
        ErrorKind::Io => err,
        kind => Error::new(
            kind,
            format_args!("in member {} of {count} in the directory: {err}", number + 1),
        ),
    }
}

/// Where the directory lies.
struct Region {
    offset: u64,
    size: u64,
    count: u64,
}

fn find<R: Read + Seek>(reader: &mut R, len: u64) -> Result<Region> {
    let tail_len = len.min((END_LEN + usize::from(u16::MAX)) as u64);
    let tail = read_at(reader, len - tail_len, tail_len)?;
    let at = find_end(&tail)?;
    let end = &tail[at..];
    let position = len - tail_len + at as u64;

    if (u16_at(end, 4), u16_at(end, 6)) != (0, 0) {
        return Err(split());
    }
    let on_disk = u64::from(u16_at(end, 8));
    let mut region = Region {
        count: u64::from(u16_at(end, 10)),
        size: u64::from(u32_at(end, 12)),
        offset: u64::from(u32_at(end, 16)),
    };
    if on_disk != region.count {
        return Err(counts(on_disk, region.count));
    }
    // Without a locator the greatest numbers are meant as they stand: Python counts 65,535 members so.
    let behind = match find_record(reader, position)? {
        Some((record, start)) => {
            region = merge(region, record)?;
            start
        }
        None => position,
    };
    if region.offset.checked_add(region.size) != Some(behind) {
        return Err(corrupt(format_args!(
            "found a directory of {} bytes at offset {}, expected it to end at {behind}, where the end record starts",
            region.size, region.offset
        )));
    }
    if region
        .count
        .checked_mul(CENTRAL_LEN as u64)
        .is_none_or(|least| least > region.size)
    {
        return Err(corrupt(format_args!(
            "found a directory of {} bytes, expected at least {CENTRAL_LEN} for each of {} members",
            region.size, region.count
        )));
    }
    Ok(region)
}

fn split() -> Error {
    Error::new(
        ErrorKind::UnsupportedArchive,
        "found a part of an archive split over several files, expected a whole one",
    )
}

fn counts(found: u64, expected: u64) -> Error {
    corrupt(format_args!(
        "found {found} members in one place of the end record and {expected} in another"
    ))
}

/// The end record whose comment reaches to the last byte.
fn find_end(tail: &[u8]) -> Result<usize> {
    let mut found = None;
    let mut cut = None;
    for (at, window) in tail.windows(4).enumerate() {
        if window != END {
            continue;
        }
        // Python takes the last one, whatever comment it claims.
        if found.is_some() {
            return Err(corrupt(
                "found the signature of an end record in the comment of another, expected one end record",
            ));
        }
        let Some(rest) = tail.len().checked_sub(at + END_LEN) else {
            continue;
        };
        let comment = usize::from(u16_at(tail, at + 20));
        if comment == rest {
            found = Some(at);
        } else {
            cut = Some((comment, rest));
        }
    }
    match (found, cut) {
        (Some(at), _) => Ok(at),
        (None, Some((comment, rest))) => Err(corrupt(format_args!(
            "found {rest} bytes behind the end record, expected a comment of {comment}: the archive is cut off or has \
             something appended"
        ))),
        (None, None) => Err(corrupt(
            "found no end record, expected one in the last bytes: the archive is cut off",
        )),
    }
}

/// The zip64 record, where a locator stands right before the end record, and where it starts.
fn find_record<R: Read + Seek>(reader: &mut R, end: u64) -> Result<Option<(Region, u64)>> {
    let Some(at) = end.checked_sub(LOCATOR_LEN) else {
        return Ok(None);
    };
    let locator = read_at(reader, at, LOCATOR_LEN)?;
    if !locator.starts_with(LOCATOR) {
        return Ok(None);
    }
    if u32_at(&locator, 4) != 0 || u32_at(&locator, 16) > 1 {
        return Err(split());
    }
    let start = u64_at(&locator, 8);
    if start.checked_add(RECORD_LEN).is_none_or(|record_end| record_end > at) {
        return Err(corrupt(format_args!(
            "found a zip64 locator that points to {start}, expected a record of {RECORD_LEN} bytes before {at}"
        )));
    }
    let record = read_at(reader, start, RECORD_LEN)?;
    if !record.starts_with(RECORD) {
        return Err(corrupt(format_args!(
            "found no zip64 record at {start}, where its locator points"
        )));
    }
    if u64_at(&record, 4).checked_add(12) != Some(at - start) {
        return Err(corrupt(format_args!(
            "found a zip64 record of {} bytes, expected it to end at its locator",
            u64_at(&record, 4)
        )));
    }
    if (u32_at(&record, 16), u32_at(&record, 20)) != (0, 0) {
        return Err(split());
    }
    let region = Region {
        count: u64_at(&record, 32),
        size: u64_at(&record, 40),
        offset: u64_at(&record, 48),
    };
    if u64_at(&record, 24) != region.count {
        return Err(counts(u64_at(&record, 24), region.count));
    }
    Ok(Some((region, start)))
}

/// The zip64 record, which the end record must not contradict.
fn merge(end: Region, record: Region) -> Result<Region> {
    let pairs = [
        (end.count, record.count, u64::from(u16::MAX)),
        (end.size, record.size, u64::from(u32::MAX)),
        (end.offset, record.offset, u64::from(u32::MAX)),
    ];
    for (short, long, unknown) in pairs {
        if short != unknown && short != long {
            return Err(corrupt(format_args!(
                "found {short} in the end record, expected {long} as in the zip64 record"
            )));
        }
    }
    Ok(record)
}

fn read_at<R: Read + Seek>(reader: &mut R, at: u64, len: u64) -> Result<Vec<u8>> {
    reader.seek(SeekFrom::Start(at))?;
    let mut bytes = Vec::new();
    let got = reader.take(len).read_to_end(&mut bytes)?;
    if got as u64 == len { Ok(bytes) } else { Err(shrunk()) }
}

fn shrunk() -> Error {
    Error::new(ErrorKind::Truncated, "the archive ends earlier than when it was opened")
}

/// The next entry of the directory; `left` bytes of it are unread.
fn read_entry<R: Read>(bytes: &mut R, left: &mut u64, directory: u64) -> Result<Listed> {
    let mut take = |n: usize| -> Result<Vec<u8>> {
        *left = left.checked_sub(n as u64).ok_or_else(|| {
            corrupt(format_args!(
                "found {left} bytes, expected {n} more: the directory ends early"
            ))
        })?;
        let mut taken = vec![0; n];
        bytes.read_exact(&mut taken).map_err(|err| match err.kind() {
            io::ErrorKind::UnexpectedEof => shrunk(),
            _ => err.into(),
        })?;
        Ok(taken)
    };
    let fixed = take(CENTRAL_LEN)?;
    if !fixed.starts_with(CENTRAL) {
        return Err(corrupt(format_args!(
            "found `{}`, expected the signature `PK\\x01\\x02`",
            fixed[..4].escape_ascii()
        )));
    }
    // Python opens no archive with a member of a later version.
    let version = fixed[6];
    if version > LATEST {
        return Err(Error::new(
            ErrorKind::UnsupportedArchive,
            format_args!("found a member that needs version {version} of the format, expected at most {LATEST}"),
        ));
    }
    let flags = u16_at(&fixed, 8);
    let method = u16_at(&fixed, 10);
    let name = decode_name(take(usize::from(u16_at(&fixed, 28)))?, flags)?;
    let extra = take(usize::from(u16_at(&fixed, 30)))?;
    take(usize::from(u16_at(&fixed, 32)))?;

    let mut size = u64::from(u32_at(&fixed, 24));
    let mut compressed = u64::from(u32_at(&fixed, 20));
    let mut offset = u64::from(u32_at(&fixed, 42));
    let mut disk = u32::from(u16_at(&fixed, 34));
    if let Some(mut wide) = zip64_extra(&extra)? {
        for field in [&mut size, &mut compressed, &mut offset] {
            if *field == u64::from(u32::MAX) {
                (*field, wide) = split_u64(wide)?;
            }
        }
        if disk == u32::from(u16::MAX) {
            disk = wide.get(..4).map_or(disk, |bytes| u32_at(bytes, 0));
        }
    }
    if disk != 0 {
        return Err(split());
    }
    if offset.checked_add(LOCAL_LEN).is_none_or(|end| end > directory) {
        return Err(corrupt(format_args!(
            "found `{}` at offset {offset}, expected it before the directory at {directory}",
            name.escape_debug()
        )));
    }
    let key = name.strip_suffix(".npy").unwrap_or(&name).to_owned();
    let crc = u32_at(&fixed, 16);
    let stored = method == STORED;
    Ok(Listed {
        name,
        key,
        size,
        compressed,
        stored,
        crc,
        flags,
        method,
        offset,
        limit: 0,
    })
}

fn split_u64(wide: &[u8]) -> Result<(u64, &[u8])> {
    match wide.split_first_chunk() {
        Some((value, rest)) => Ok((u64::from_le_bytes(*value), rest)),
        None => Err(corrupt(format_args!(
            "found {} bytes in a zip64 field, expected 8 for each size beyond 32 bits",
            wide.len()
        ))),
    }
}

/// The zip64 field among the extra fields of a header.
pub(super) fn zip64_extra(mut extra: &[u8]) -> Result<Option<&[u8]>> {
    let mut found = None;
    while extra.len() >= 4 {
        let (id, len) = (u16_at(extra, 0), usize::from(u16_at(extra, 2)));
        let Some((data, rest)) = extra[4..].split_at_checked(len) else {
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

/// A name as Python reads it: UTF-8 where the flag says so, else the code page of the first PCs.
pub(super) fn decode_name(bytes: Vec<u8>, flags: u16) -> Result<String> {
    let name = if flags & UTF8 != 0 || bytes.is_ascii() {
        String::from_utf8(bytes).map_err(|err| {
            corrupt(format_args!(
                "found the name `{}`, expected UTF-8",
                err.as_bytes().escape_ascii()
            ))
        })?
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_code_page_has_all_its_characters() {
        let all: String = (0..=255).map(cp437).collect();
        assert!(!all.contains(char::REPLACEMENT_CHARACTER));
        assert_eq!(
            (cp437(0x41), cp437(0x80), cp437(0x81), cp437(0xe1), cp437(0xff)),
            ('A', 'Ç', 'ü', 'ß', '\u{a0}')
        );
    }

    #[test]
    fn extra_fields_are_walked_to_their_end() {
        assert_eq!(zip64_extra(b"").unwrap(), None);
        assert_eq!(zip64_extra(b"\x55\x54\x01\0x\x01\0\x02\0ab").unwrap(), Some(&b"ab"[..]));
        assert_eq!(zip64_extra(b"\x01\0\0\0\0\0\0").unwrap(), Some(&b""[..]));
        assert!(zip64_extra(b"\x55\x54\x02\0x").is_err());
        assert!(zip64_extra(b"\x01\0\0\0\x01\0\0\0").is_err());
        assert!(zip64_extra(b"\x01\0\0\0x").is_err());
    }
}
