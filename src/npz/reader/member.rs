//! One member: its local header against the directory, then its bytes, summed as they pass.
//!
//! ```text
//! offset   PK\3\4 30 bytes | name | extra     what the directory says, once more
//!          data                               `compressed` bytes, stored or deflated
//!          PK\7\8 | CRC | sizes               a descriptor, where flag bit 3 says so
//! limit    the next member, or the directory
//! ```

use std::io::{self, Read, Seek, SeekFrom};

use crc32fast::Hasher;

use super::directory::CentralEntry;
use super::inflate::Inflater;
use crate::error::{Error, ErrorKind, Result};
use crate::io::source::in_memory;
use crate::npy::whole;
use crate::npz::zip;
use crate::npz::zip::{
    DESCRIPTOR, Fields, LocalHeader, MEANING, Method, UTF8, WIDE, corrupt, decode_name, zip64_field,
};
use crate::options::progress::Meter;

/// Read, then summed while it is still in the processor's cache. On a thread of its own, the sum would save no time.
const CHUNK: usize = 256 << 10;
/// How much is read at once where nothing is kept.
const SCRATCH: usize = 64 << 10;

/// Checks everything known about a member before its data; returns where that starts. The memory of `scratch` is used.
pub(super) fn locate<R: Read + Seek>(reader: &mut R, entry: &CentralEntry, scratch: &mut Vec<u8>) -> Result<u64> {
    // First what two readers would see differently: one of the two may be what makes it unsupported.
    let start = check_local(reader, entry, scratch)?;
    let end = start.checked_add(entry.compressed).filter(|&end| end <= entry.limit).ok_or_else(|| {
        corrupt(format_args!(
            "found {} bytes of data from offset {start}, expected them to end at or before {}, where something else starts",
            entry.compressed, entry.limit
        ))
    })?;
    if entry.flags & DESCRIPTOR != 0 {
        check_descriptor(reader, entry, end)?;
        reader.seek(SeekFrom::Start(start))?;
    }
    check_claims(entry)?;
    Ok(start)
}

/// Compares the local header with the directory; returns where it ends.
pub(super) fn check_local<R: Read + Seek>(reader: &mut R, entry: &CentralEntry, scratch: &mut Vec<u8>) -> Result<u64> {
    reader.seek(SeekFrom::Start(entry.offset))?;
    let mut fixed = [0; LocalHeader::LEN];
    reader.read_exact(&mut fixed)?;
    let header = LocalHeader::parse(&fixed)?;
    let name_len = usize::from(header.name_len);
    scratch.resize(name_len + usize::from(header.extra_len), 0);
    reader.read_exact(scratch)?;
    let (name, extra) = scratch.split_at(name_len);
    agree(entry, &header, name, extra)?;
    // The directory was proven to lie behind 30 bytes from here, so nothing overflows.
    Ok(entry.offset + header.total_len())
}

/// The name in the local header of a member whose entry does not agree with it, if there is a local header at all.
#[cold]
pub(super) fn local_name<R: Read + Seek>(reader: &mut R, entry: &CentralEntry) -> Result<Option<String>> {
    reader.seek(SeekFrom::Start(entry.offset))?;
    let mut bytes = Vec::new();
    reader.take(LocalHeader::LEN as u64).read_to_end(&mut bytes)?;
    let Some(header) = bytes.first_chunk().and_then(|fixed| LocalHeader::parse(fixed).ok()) else {
        return Ok(None);
    };
    bytes.clear();
    reader.take(header.name_len.into()).read_to_end(&mut bytes)?;
    Ok(decode_name(&bytes, header.flags).ok().map(Into::into))
}

/// Checks that the local header says what the directory says: otherwise two readers would see two archives.
fn agree(entry: &CentralEntry, header: &LocalHeader, name: &[u8], extra: &[u8]) -> Result<()> {
    let differs = |what: &str, found: u64, expected: u64| {
        Err(corrupt(format_args!(
            "found {what} {found} in the local header, expected {expected} as in the directory"
        )))
    };
    if (header.flags ^ entry.flags) & MEANING != 0 {
        return differs("the flags", header.flags.into(), entry.flags.into());
    }
    if header.method != entry.method {
        let [found, expected] = [header.method, entry.method].map(Method::number);
        return differs("the compression method", found.into(), expected.into());
    }
    let same_bytes = name == entry.name().as_bytes() && (header.flags & UTF8 != 0 || name.is_ascii());
    if !same_bytes {
        let name = decode_name(name, header.flags)?;
        if name != **entry.name() {
            return Err(corrupt(format_args!(
                "found the name `{}` in the local header, expected `{}` as in the directory",
                name.escape_debug(),
                entry.name().escape_debug()
            )));
        }
    }
    let [size, compressed] = local_sizes(header, extra)?;
    for (what, found, expected) in [
        ("the CRC", u64::from(header.crc), u64::from(entry.crc)),
        ("the compressed size", compressed, entry.compressed),
        ("the size", size, entry.size),
    ] {
        // What a descriptor tells later was not known yet.
        let later = entry.flags & DESCRIPTOR != 0 && found == 0;
        if found != expected && !later {
            return differs(what, found, expected);
        }
    }
    Ok(())
}

/// Size and compressed size as the local header has them, in 64 bits.
pub(crate) fn local_sizes(header: &LocalHeader, extra: &[u8]) -> Result<[u64; 2]> {
    let mut sizes = [header.size, header.compressed].map(u64::from);
    if let Some(wide) = zip64_field(extra)?
        && sizes.contains(&WIDE.into())
    {
        // In a local header the field has to hold both.
        if wide.len() < 16 {
            return Err(corrupt(format_args!(
                "found {} bytes in the local zip64 field, expected 16",
                wide.len()
            )));
        }
        let mut fields = Fields(wide);
        for size in &mut sizes {
            let wide = fields.u64();
            if *size == u64::from(WIDE) {
                *size = wide;
            }
        }
    }
    Ok(sizes)
}

/// Checks that this crate can read the data, and that the size is one that so many compressed bytes can have.
pub(crate) fn check_claims(entry: &CentralEntry) -> Result<()> {
    if let Some((found, expected)) = zip::unsupported(entry.flags, entry.method) {
        return Err(Error::new(
            ErrorKind::UnsupportedArchive,
            format_args!("found {found}, expected {expected}"),
        ));
    }
    if entry.method.is_stored() && entry.size != entry.compressed {
        return Err(corrupt(format_args!(
            "found {} stored bytes, expected the {} of the whole member",
            entry.compressed, entry.size
        )));
    }
    let ratio = entry.method.max_ratio();
    if entry.size > entry.compressed.saturating_mul(ratio) {
        return Err(corrupt(format_args!(
            "found a size of {} bytes for {} compressed ones, expected at most {ratio} times as many",
            entry.size, entry.compressed
        )));
    }
    Ok(())
}

/// The descriptor behind the data, in any of its four forms, has to say what the directory says.
fn check_descriptor<R: Read + Seek>(reader: &mut R, entry: &CentralEntry, at: u64) -> Result<()> {
    reader.seek(SeekFrom::Start(at))?;
    let mut bytes = Vec::with_capacity(24);
    reader.take((entry.limit - at).min(24)).read_to_end(&mut bytes)?;
    if zip::is_descriptor(&bytes, entry.crc, entry.compressed, entry.size) {
        return Ok(());
    }
    Err(corrupt(
        "found no descriptor behind the data that agrees with the directory, expected one",
    ))
}

/// All bytes of a deflated member, checked.
pub(super) fn inflate(entry: &CentralEntry, compressed: &[u8]) -> Result<Vec<u8>> {
    // It counts for progress when it is taken.
    let (mut reader, mut inflater, mut bytes_used, mut meter) = (compressed, None, 0, Meter::default());
    // The size is bounded by what deflate can make of the bytes that are here.
    let size = in_memory(entry.size);
    let mut bytes = whole::zeroed(size)?;
    let mut member = Member::new(&mut reader, entry, &mut inflater, &mut bytes_used, &mut meter);
    member.read_exact(&mut bytes)?;
    member.finish()?;
    Ok(bytes)
}

/// The inflated bytes of a member. The caller has to end with [`Member::finish`].
pub(crate) struct Member<'r, R> {
    reader: &'r mut R,
    entry: &'r CentralEntry,
    inflater: Option<&'r mut Inflater>,
    hasher: Hasher,
    /// Whether bytes were passed over, so that the sum is not that of all.
    skipped: bool,
    left: u64,
    /// The bytes of all members so far, for `Limits::total_bytes`.
    bytes_used: &'r mut u64,
    meter: &'r mut Meter,
}

impl<'r, R: Read> Member<'r, R> {
    /// `reader` has to stand at the data; `inflater` is what an earlier member left.
    pub(crate) fn new(
        reader: &'r mut R,
        entry: &'r CentralEntry,
        inflater: &'r mut Option<Inflater>,
        bytes_used: &'r mut u64,
        meter: &'r mut Meter,
    ) -> Self {
        Member {
            reader,
            entry,
            inflater: Inflater::start(inflater, entry.method, entry.compressed),
            hasher: Hasher::new(),
            skipped: false,
            left: entry.size,
            bytes_used,
            meter,
        }
    }

    /// How many bytes are there: the directory was checked against the file, and deflate bounds what it makes.
    pub(crate) fn known_len(&self) -> u64 {
        self.left
    }

    /// The end of a call for this member alone.
    pub(crate) fn end_progress(&mut self) -> Result<()> {
        self.meter.end()
    }

    /// Ends the reading of all bytes: none may be left over, and the checksum has to be right.
    ///
    /// What was read may be handed out only after this.
    pub(crate) fn finish(self) -> Result<()> {
        if self.left > 0 {
            return Err(corrupt(format_args!(
                "found {} bytes left over behind what the member's header announces, expected none",
                self.left
            )));
        }
        if let Some(inflater) = self.inflater {
            inflater.finish(self.reader)?;
        }
        if self.skipped {
            return Ok(());
        }
        compare(self.hasher.finalize(), self.entry)
    }

    /// Reads what is left for the sake of the checksum, and ends.
    pub(crate) fn skip_to_end(mut self) -> Result<()> {
        let mut scratch = vec![0; usize::try_from(self.left).map_or(SCRATCH, |left| left.min(SCRATCH))];
        while self.left > 0 {
            match self.read(&mut scratch) {
                Err(err) if err.kind() != io::ErrorKind::Interrupted => return Err(err.into()),
                _ => {}
            }
        }
        self.finish()
    }
}

impl<R: Read + Seek> Member<'_, R> {
    /// Passes over bytes, of which there are so many: those of a stored member are not read.
    pub(super) fn skip(&mut self, count: u64) -> Result<()> {
        if self.inflater.is_some() {
            let passed = io::copy(&mut self.take(count), &mut io::sink())?;
            debug_assert_eq!(passed, count);
            return Ok(());
        }
        let by = i64::try_from(count).map_err(|_| Error::from(io::Error::from(io::ErrorKind::UnexpectedEof)))?;
        self.reader.seek(SeekFrom::Current(by))?;
        self.skipped = true;
        self.left -= count;
        Ok(())
    }
}

impl<R: Read> Member<'_, R> {
    /// At least one byte, not yet summed.
    fn next(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        match &mut self.inflater {
            Some(inflater) => inflater.read(self.reader, buf),
            None => match self.reader.read(buf)? {
                0 => Err(io::ErrorKind::UnexpectedEof.into()),
                got => Ok(got),
            },
        }
    }
}

impl<R: Read> Read for Member<'_, R> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let left = in_memory(self.left);
        let most = buf.len().min(left).min(CHUNK);
        if most == 0 {
            return Ok(0);
        }
        let got = self.next(&mut buf[..most])?;
        self.hasher.update(&buf[..got]);
        self.left -= got as u64;
        *self.bytes_used = self.bytes_used.saturating_add(got as u64);
        self.meter.add(got as u64)?;
        Ok(got)
    }
}

/// Compares a checksum with the directory's.
pub(crate) fn compare(found: u32, entry: &CentralEntry) -> Result<()> {
    if found == entry.crc {
        return Ok(());
    }
    Err(corrupt(format_args!(
        "found data with the CRC {found:08x}, expected {:08x}: the data is damaged",
        entry.crc
    )))
}
