//! One member: its local header against the directory, then its bytes, summed as they pass.
//!
//! ```text
//! offset   PK\3\4 30 bytes | name | extra     what the directory says, once more
//!          data                               `compressed` bytes, stored or deflated
//!          PK\7\8 | CRC | sizes               a descriptor, where flag bit 3 says so
//! limit    the next member, or the directory
//! ```

use std::io::{self, Read, Seek, SeekFrom};
use std::sync::mpsc;
use std::thread;

use crc32fast::Hasher;
use flate2::{Decompress, FlushDecompress, Status};

use super::directory::{DEFLATED, Listed, STORED, corrupt, decode_name, u16_at, u32_at, u64_at, zip64_extra};
use crate::error::{Error, ErrorKind, Result};
use crate::npy::whole;

const LOCAL: &[u8; 4] = b"PK\x03\x04";
const LOCAL_LEN: usize = 30;
const DESCRIPTOR: &[u8; 4] = b"PK\x07\x08";

/// CRC and sizes follow the data.
const DESCRIBED: u16 = 1 << 3;
const ENCRYPTED: u16 = 1 | 1 << 6 | 1 << 13;
const PATCH: u16 = 1 << 5;
/// The flags that change what a name or data means; the others are hints of the compressor.
const MEANING: u16 = DESCRIBED | ENCRYPTED | PATCH | 1 << 11;

/// Deflate makes at most 258 bytes of two bits.
const MOST_INFLATED: u64 = 1032;

/// Read and summed at once, while the piece is still in the processor's cache.
const PIECE: usize = 256 << 10;
/// From here on a thread that sums is worth its start.
pub(super) const LEAST_ASIDE: usize = 2 << 20;
const INPUT: u64 = 64 << 10;

/// Checks everything known about a member before its data; returns where that starts.
pub(super) fn locate<R: Read + Seek>(reader: &mut R, entry: &Listed) -> Result<u64> {
    // First what two readers would see differently: one of the two may be what makes it unsupported.
    let start = agree(reader, entry)?;
    check_claims(entry)?;
    let end = start.checked_add(entry.compressed).filter(|&end| end <= entry.limit).ok_or_else(|| {
        corrupt(format_args!(
            "found {} bytes of data from offset {start}, expected them to end at or before {}, where something else starts",
            entry.compressed, entry.limit
        ))
    })?;
    if entry.flags & DESCRIBED != 0 {
        check_descriptor(reader, entry, end)?;
        reader.seek(SeekFrom::Start(start))?;
    }
    Ok(start)
}

/// Compares the local header with the directory; returns where it ends.
pub(super) fn agree<R: Read + Seek>(reader: &mut R, entry: &Listed) -> Result<u64> {
    reader.seek(SeekFrom::Start(entry.offset))?;
    let (header, name, extra) = read_local(reader)?;
    check_local(entry, &header, name, &extra)?;
    // The directory was proven to lie behind 30 bytes from here, so nothing overflows.
    Ok(entry.offset + (LOCAL_LEN + usize::from(u16_at(&header, 26)) + extra.len()) as u64)
}

fn check_claims(entry: &Listed) -> Result<()> {
    let unsupported = |found: String, expected: &str| {
        Err(Error::new(
            ErrorKind::UnsupportedArchive,
            format_args!("found {found}, expected {expected}"),
        ))
    };
    if entry.flags & ENCRYPTED != 0 {
        return unsupported("an encrypted member".to_owned(), "a plain one");
    }
    if entry.flags & PATCH != 0 {
        return unsupported("a patch to another file".to_owned(), "the data itself");
    }
    match entry.method {
        STORED if entry.size != entry.compressed => Err(corrupt(format_args!(
            "found {} stored bytes, expected the {} of the whole member",
            entry.compressed, entry.size
        ))),
        DEFLATED if entry.size > entry.compressed.saturating_mul(MOST_INFLATED) => Err(corrupt(format_args!(
            "found a size of {} bytes for {} deflated ones, expected at most {MOST_INFLATED} times as many",
            entry.size, entry.compressed
        ))),
        STORED | DEFLATED => Ok(()),
        method => unsupported(format!("compression method {method}"), "0 (stored) or 8 (deflated)"),
    }
}

fn read_local<R: Read>(reader: &mut R) -> Result<([u8; LOCAL_LEN], Vec<u8>, Vec<u8>)> {
    let mut header = [0; LOCAL_LEN];
    reader.read_exact(&mut header)?;
    if !header.starts_with(LOCAL) {
        return Err(corrupt(format_args!(
            "found `{}` at the member's offset, expected the signature `PK\\x03\\x04`",
            header[..4].escape_ascii()
        )));
    }
    let mut name = vec![0; usize::from(u16_at(&header, 26))];
    reader.read_exact(&mut name)?;
    let mut extra = vec![0; usize::from(u16_at(&header, 28))];
    reader.read_exact(&mut extra)?;
    Ok((header, name, extra))
}

/// Whether the local header says what the directory says: else two readers would see two archives.
fn check_local(entry: &Listed, header: &[u8], name: Vec<u8>, extra: &[u8]) -> Result<()> {
    let differs = |what: &str, found: u64, expected: u64| {
        Err(corrupt(format_args!(
            "found {what} {found} in the local header, expected {expected} as in the directory"
        )))
    };
    let flags = u16_at(header, 6);
    if (flags ^ entry.flags) & MEANING != 0 {
        return differs("the flags", flags.into(), entry.flags.into());
    }
    let method = u16_at(header, 8);
    if method != entry.method {
        return differs("the compression method", method.into(), entry.method.into());
    }
    let name = decode_name(name, flags)?;
    if name != entry.name {
        return Err(corrupt(format_args!(
            "found the name `{}` in the local header, expected `{}` as in the directory",
            name.escape_debug(),
            entry.name.escape_debug()
        )));
    }
    let unknown = u64::from(u32::MAX);
    let (mut compressed, mut size) = (u64::from(u32_at(header, 18)), u64::from(u32_at(header, 22)));
    if let Some(wide) = zip64_extra(extra)?
        && (compressed == unknown || size == unknown)
    {
        // In a local header the field has to hold both.
        if wide.len() < 16 {
            return Err(corrupt(format_args!(
                "found {} bytes in the local zip64 field, expected 16",
                wide.len()
            )));
        }
        for (field, at) in [(&mut size, 0), (&mut compressed, 8)] {
            if *field == unknown {
                *field = u64_at(wide, at);
            }
        }
    }
    let crc = u32_at(header, 14);
    for (what, found, expected) in [
        ("the CRC", u64::from(crc), u64::from(entry.crc)),
        ("the compressed size", compressed, entry.compressed),
        ("the size", size, entry.size),
    ] {
        // What a descriptor tells later was not known yet.
        let later = entry.flags & DESCRIBED != 0 && found == 0;
        if found != expected && !later {
            return differs(what, found, expected);
        }
    }
    Ok(())
}

/// The descriptor behind the data, in any of its four forms, has to say what the directory says.
fn check_descriptor<R: Read + Seek>(reader: &mut R, entry: &Listed, at: u64) -> Result<()> {
    reader.seek(SeekFrom::Start(at))?;
    let mut bytes = Vec::with_capacity(24);
    reader.take((entry.limit - at).min(24)).read_to_end(&mut bytes)?;
    let agrees = |body: &[u8]| {
        let crc = body.len() >= 4 && u32_at(body, 0) == entry.crc;
        let narrow = body.len() >= 12
            && u64::from(u32_at(body, 4)) == entry.compressed
            && u64::from(u32_at(body, 8)) == entry.size;
        let wide = body.len() >= 20 && u64_at(body, 4) == entry.compressed && u64_at(body, 12) == entry.size;
        crc && (narrow || wide)
    };
    if agrees(&bytes) || bytes.strip_prefix(DESCRIPTOR).is_some_and(agrees) {
        return Ok(());
    }
    Err(corrupt(
        "found no descriptor behind the data that agrees with the directory, expected one",
    ))
}

/// All bytes of a deflated member, checked.
pub(super) fn inflate(entry: &Listed, compressed: &[u8]) -> Result<Vec<u8>> {
    let (mut reader, mut inflater, mut spent) = (compressed, None, 0);
    // The size is bounded by what deflate can make of the bytes that are here.
    let size = usize::try_from(entry.size).unwrap_or(usize::MAX);
    let mut bytes = whole::zeroed(size)?;
    let mut member = Member::new(&mut reader, entry, &mut inflater, &mut spent, false);
    member.read_exact(&mut bytes)?;
    member.finish()?;
    Ok(bytes)
}

/// The bytes of a member before compression; whoever takes them ends with [`Member::finish`].
pub(crate) struct Member<'r, R> {
    reader: &'r mut R,
    entry: &'r Listed,
    inflater: Option<&'r mut Inflater>,
    hasher: Hasher,
    left: u64,
    /// Of all members, for `Limits::total_bytes`.
    spent: &'r mut u64,
    /// Whether another thread may sum.
    aside: bool,
}

impl<'r, R: Read> Member<'r, R> {
    /// `reader` stands at the data; `inflater` is any of earlier use; `aside`: another thread may sum.
    pub(super) fn new(
        reader: &'r mut R,
        entry: &'r Listed,
        inflater: &'r mut Option<Inflater>,
        spent: &'r mut u64,
        aside: bool,
    ) -> Self {
        let inflater = (!entry.stored).then(|| {
            let inflater = inflater.get_or_insert_with(Inflater::new);
            inflater.reset(entry.compressed);
            inflater
        });
        Member {
            reader,
            entry,
            inflater,
            hasher: Hasher::new(),
            left: entry.size,
            spent,
            aside,
        }
    }

    /// How many bytes are there: the directory was checked against the file, and deflate bounds what it makes.
    pub(crate) fn proven(&self) -> u64 {
        self.left
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
        compare(self.hasher.finalize(), self.entry)
    }

    /// Reads what is left for the sake of the checksum, and ends.
    pub(crate) fn skip_to_end(mut self) -> Result<()> {
        let mut scratch = vec![0; self.left.min(INPUT) as usize];
        while self.left > 0 {
            match self.read(&mut scratch) {
                Err(err) if err.kind() != io::ErrorKind::Interrupted => return Err(err.into()),
                _ => {}
            }
        }
        self.finish()
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

    /// Fills all of `buf` while another thread sums; `None` where there is no thread to be had.
    fn read_aside(&mut self, buf: &mut [u8]) -> Option<io::Result<()>> {
        thread::scope(|scope| {
            let (filled, pieces) = mpsc::channel::<&[u8]>();
            let mut sum = self.hasher.clone();
            let summing = thread::Builder::new().spawn_scoped(scope, move || {
                pieces.iter().for_each(|piece| sum.update(piece));
                sum
            });
            let summing = summing.ok()?;
            let read = buf.chunks_mut(PIECE).try_for_each(|piece| {
                let mut at = 0;
                while at < piece.len() {
                    match self.next(&mut piece[at..]) {
                        Ok(got) => at += got,
                        Err(err) if err.kind() == io::ErrorKind::Interrupted => {}
                        Err(err) => return Err(err),
                    }
                }
                // It hangs up only when it has all.
                filled.send(piece).map_err(|_| io::ErrorKind::BrokenPipe.into())
            });
            drop(filled);
            self.hasher = summing.join().ok()?;
            Some(read)
        })
    }
}

impl<R: Read> Read for Member<'_, R> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let most = buf.len().min(usize::try_from(self.left).unwrap_or(usize::MAX));
        let buf = &mut buf[..most];
        if buf.is_empty() {
            return Ok(0);
        }
        let got = if self.aside
            && buf.len() >= LEAST_ASIDE
            && let Some(read) = self.read_aside(buf)
        {
            read?;
            buf.len()
        } else {
            let piece = &mut buf[..most.min(PIECE)];
            let got = self.next(piece)?;
            self.hasher.update(&piece[..got]);
            got
        };
        self.left -= got as u64;
        *self.spent = self.spent.saturating_add(got as u64);
        Ok(got)
    }
}

/// Compares a checksum with the directory's.
pub(super) fn compare(found: u32, entry: &Listed) -> Result<()> {
    if found == entry.crc {
        return Ok(());
    }
    Err(corrupt(format_args!(
        "found data with the CRC {found:08x}, expected {:08x}: the data is damaged",
        entry.crc
    )))
}

/// Deflated bytes on their way, kept from member to member.
pub(super) struct Inflater {
    stream: Decompress,
    input: Vec<u8>,
    /// How much of `input` was consumed.
    used: usize,
    /// Compressed bytes that are not in `input` yet.
    left: u64,
    produced: u64,
    ended: bool,
}

impl Inflater {
    fn new() -> Self {
        Inflater {
            stream: Decompress::new(false),
            input: Vec::new(),
            used: 0,
            left: 0,
            produced: 0,
            ended: false,
        }
    }

    fn reset(&mut self, compressed: u64) {
        self.stream.reset(false);
        self.input.clear();
        self.used = 0;
        self.left = compressed;
        self.produced = 0;
        self.ended = false;
    }

    /// At least one byte, or the error why there is none.
    fn read<R: Read>(&mut self, reader: &mut R, buf: &mut [u8]) -> io::Result<usize> {
        match self.step(reader, buf)? {
            0 => Err(corrupt(format_args!(
                "found a deflate stream of {} bytes, expected more of them: the size in the directory is wrong",
                self.produced
            ))
            .into()),
            got => Ok(got),
        }
    }

    /// The stream has to end here, and with it the compressed bytes.
    fn finish<R: Read>(&mut self, reader: &mut R) -> Result<()> {
        if self.step(reader, &mut [0])? > 0 {
            return Err(corrupt(
                "found a deflate stream that goes on behind the member's size, expected its end",
            ));
        }
        let rest = self.left + (self.input.len() - self.used) as u64;
        if rest > 0 {
            return Err(corrupt(format_args!(
                "found {rest} bytes behind the end of the deflate stream, expected none"
            )));
        }
        Ok(())
    }

    /// Inflates until there is a byte; 0 at the end of the stream alone.
    fn step<R: Read>(&mut self, reader: &mut R, buf: &mut [u8]) -> io::Result<usize> {
        while !self.ended {
            if self.used == self.input.len() {
                self.fill(reader)?;
            }
            let (taken, made) = (self.stream.total_in(), self.stream.total_out());
            let status = self
                .stream
                .decompress(&self.input[self.used..], buf, FlushDecompress::None)
                .map_err(|err| corrupt(format_args!("found no valid deflate stream: {err}")))?;
            let taken = (self.stream.total_in() - taken) as usize;
            let made = (self.stream.total_out() - made) as usize;
            self.used += taken;
            self.produced += made as u64;
            self.ended = status == Status::StreamEnd;
            if made > 0 {
                return Ok(made);
            }
            if taken == 0 && !self.ended {
                return Err(corrupt("found a deflate stream that is cut off, expected its final block").into());
            }
        }
        Ok(0)
    }

    fn fill<R: Read>(&mut self, reader: &mut R) -> io::Result<()> {
        let most = self.left.min(INPUT);
        self.input.clear();
        self.used = 0;
        let got = reader.take(most).read_to_end(&mut self.input)? as u64;
        self.left -= got;
        if got < most {
            Err(io::ErrorKind::UnexpectedEof.into())
        } else {
            Ok(())
        }
    }
}
