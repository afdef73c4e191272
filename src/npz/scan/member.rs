//! One member: how far it reaches by its header, its array or its descriptor, whether it is whole, and where to go on.

use std::io::{self, Read, Seek, SeekFrom};

use crc32fast::Hasher;

use super::{NpzScan, ScannedMember};
use crate::error::{Error, ErrorKind, Result};
use crate::format::header::Header;
use crate::io::source::{read_full, truncated};
use crate::npz::reader::directory::LATEST;
use crate::npz::reader::inflate::Inflater;
use crate::npz::reader::member::{check_claims, compare, local_sizes};
use crate::npz::reader::{CentralEntry, Member, check_size};
use crate::npz::zip::{
    DESCRIPTOR, EndRecord, LocalHeader, Method, corrupt, decode_name, is_descriptor, stored_descriptor,
};

/// How much is read at once.
const PIECE: usize = 64 << 10;

/// A descriptor of 64 bits with its signature, and the start of the next record.
const DESCRIPTOR_ROOM: usize = 24 + 2;

impl<R: Read + Seek> NpzScan<R> {
    /// The member whose local header starts at `offset`; `None` where that is no header.
    pub(super) fn member(&mut self, offset: u64) -> Result<Option<ScannedMember>> {
        let Some((mut entry, data)) = self.local_header(offset)? else {
            return Ok(None);
        };
        let array = match entry.method {
            Method::Stored => self.array_len(data)?,
            _ => None,
        };
        let later = entry.flags & DESCRIPTOR != 0 && (entry.crc == 0 || entry.compressed == 0 || entry.size == 0);
        let checked = match later {
            false => self.check(&mut entry, data, array),
            true => self.check_by_descriptor(&mut entry, data, array),
        };
        let fault = match checked {
            Ok(()) => None,
            Err(err) if is_no_fault(&err) => return Err(err),
            Err(err) => Some(err.without_path().at_member(entry.key())),
        };
        let ends = match later {
            true => [array, None, None],
            false => [
                Some(entry.compressed),
                Some(entry.size).filter(|_| entry.method.is_stored()),
                array,
            ],
        };
        let ends = ends.map(|len| len.map(|len| data.saturating_add(len)));
        self.at = match &fault {
            None => data + entry.compressed,
            // A descriptor says that it ends here, whatever its bytes are.
            Some(_) if later && entry.compressed > 0 => data + entry.compressed,
            Some(fault) => {
                let is_cut = fault.kind() == ErrorKind::Truncated;
                self.behind(&entry, data, ends, is_cut)?
            }
        };
        Ok(Some(ScannedMember { entry, data, fault }))
    }

    /// What the local header says, and where the data begins.
    fn local_header(&mut self, offset: u64) -> Result<Option<(CentralEntry, u64)>> {
        let mut fixed = [0; LocalHeader::LEN];
        if self.read_at(offset, &mut fixed)? < fixed.len() {
            return Ok(None);
        }
        let header = LocalHeader::parse(&fixed)?;
        let data = offset + header.total_len();
        if header.version > LATEST || header.name_len == 0 || data > self.len {
            return Ok(None);
        }
        let mut variable = vec![0; usize::from(header.name_len) + usize::from(header.extra_len)];
        if read_full(&mut self.reader, &mut variable)? < variable.len() {
            return Ok(None);
        }
        self.effort.passed(offset, data, 0)?;
        let (name, extra) = variable.split_at(header.name_len.into());
        let (Ok(name), Ok(sizes)) = (decode_name(name, header.flags), local_sizes(&header, extra)) else {
            return Ok(None);
        };
        Ok(Some((
            CentralEntry::of_local(&name, &header, sizes, offset, self.len),
            data,
        )))
    }

    /// How long a stored array is by its own header; `None` for what is none.
    fn array_len(&mut self, data: u64) -> Result<Option<u64>> {
        self.reader.seek(SeekFrom::Start(data))?;
        let mut counted = (&mut self.reader).take(u64::MAX);
        match Header::read_member(&mut counted, &self.options) {
            Ok(header) => Ok((u64::MAX - counted.limit()).checked_add(header.data_len())),
            Err(err) if is_no_fault(&err) => Err(err),
            Err(_) => Ok(None),
        }
    }

    /// A member whose header has its sizes and its checksum. Where the size is wrong, that of the array may be right.
    fn check(&mut self, entry: &mut CentralEntry, data: u64, array: Option<u64>) -> Result<()> {
        let Err(err) = self.read(entry, data) else {
            return Ok(());
        };
        let other = array.filter(|&len| len != entry.compressed || len != entry.size);
        let (Some(len), false) = (other, is_no_fault(&err)) else {
            return Err(err);
        };
        let mut by_array = entry.clone();
        (by_array.size, by_array.compressed) = (len, len);
        match self.read(&by_array, data) {
            Ok(()) => {
                *entry = by_array;
                Ok(())
            }
            Err(other) if is_no_fault(&other) => Err(other),
            Err(_) => Err(err),
        }
    }

    /// Reads all of a member and compares its checksum.
    fn read(&mut self, entry: &CentralEntry, data: u64) -> Result<()> {
        check_size(entry.size, self.allowed())?;
        let there = self.len - data;
        if entry.compressed > there {
            return Err(truncated(there, entry.compressed));
        }
        check_claims(entry)?;
        self.reader.seek(SeekFrom::Start(data))?;
        let mut member = Member::new(
            &mut self.reader,
            entry,
            &mut self.inflater,
            &mut self.bytes_used,
            &mut self.untold,
        );
        let mut piece = vec![0; PIECE];
        let (mut at, mut done) = (data, 0);
        while done < entry.size {
            let got = match member.read(&mut piece) {
                Err(err) if err.kind() == io::ErrorKind::Interrupted => continue,
                got => got? as u64,
            };
            done += got;
            let to = data + part(entry.compressed, done, entry.size);
            self.effort.passed(at, to, got)?;
            at = to;
        }
        member.finish()
    }

    /// A member whose sizes and checksum stand behind its data.
    fn check_by_descriptor(&mut self, entry: &mut CentralEntry, data: u64, array: Option<u64>) -> Result<()> {
        (entry.size, entry.compressed) = (0, 0);
        check_claims(entry)?;
        match (entry.method, array) {
            (Method::Stored, Some(len)) => self.check_array(entry, data, len),
            (Method::Stored, None) => self.look_for_descriptor(entry, data),
            _ => self.inflate(entry, data),
        }
    }

    /// A stored array says itself how long it is.
    fn check_array(&mut self, entry: &mut CentralEntry, data: u64, len: u64) -> Result<()> {
        let there = self.len - data;
        if len > there {
            return Err(truncated(there, len));
        }
        let mut descriptor = [0; DESCRIPTOR_ROOM];
        let got = self.read_at(data + len, &mut descriptor)?;
        let Some(crc) = stored_descriptor(&descriptor[..got], len) else {
            return Err(no_descriptor(there - len));
        };
        (entry.size, entry.compressed, entry.crc) = (len, len, crc);
        self.read(entry, data)
    }

    /// A stored member of any kind ends where a descriptor says that it is so long.
    fn look_for_descriptor(&mut self, entry: &mut CentralEntry, data: u64) -> Result<()> {
        let allowed = self.allowed();
        self.reader.seek(SeekFrom::Start(data))?;
        let mut buffer = vec![0; PIECE];
        let mut hasher = Hasher::new();
        let (mut start, mut kept) = (data, 0);
        loop {
            let filled = kept + read_full(&mut self.reader, &mut buffer[kept..])?;
            let is_last = filled < buffer.len();
            let most = if is_last { filled } else { filled - DESCRIPTOR_ROOM };
            for at in 0..most {
                let len = start + at as u64 - data;
                if let Some(crc) = stored_descriptor(&buffer[at..filled], len) {
                    hasher.update(&buffer[..at]);
                    (entry.size, entry.compressed, entry.crc) = (len, len, crc);
                    self.bytes_used = self.bytes_used.saturating_add(len);
                    return compare(hasher.finalize(), entry);
                }
            }
            hasher.update(&buffer[..most]);
            self.effort.passed(start, start + most as u64, 0)?;
            start += most as u64;
            check_size(start - data, allowed)?;
            if is_last {
                return Err(no_descriptor(u64::MAX));
            }
            buffer.copy_within(most..filled, 0);
            kept = filled - most;
        }
    }

    /// A deflated member says itself where it ends.
    fn inflate(&mut self, entry: &mut CentralEntry, data: u64) -> Result<()> {
        let (there, allowed) = (self.len - data, self.allowed());
        self.reader.seek(SeekFrom::Start(data))?;
        let Some(inflater) = Inflater::start(&mut self.inflater, entry.method, there) else {
            return Ok(());
        };
        let mut piece = vec![0; PIECE];
        let mut hasher = Hasher::new();
        let (mut at, mut size) = (data, 0);
        loop {
            let got = match inflater.step(&mut self.reader, &mut piece) {
                Err(_) if inflater.rest() == 0 => return Err(cut_off()),
                got => got?,
            };
            let to = self.len - inflater.rest();
            self.effort.passed(at, to, got as u64)?;
            at = to;
            if got == 0 {
                break;
            }
            hasher.update(&piece[..got]);
            size += got as u64;
            check_size(size, allowed)?;
        }
        self.bytes_used = self.bytes_used.saturating_add(size);
        let (crc, compressed) = (hasher.finalize(), at - data);
        let mut descriptor = [0; DESCRIPTOR_ROOM];
        let got = self.read_at(at, &mut descriptor)?;
        if !is_descriptor(&descriptor[..got], crc, compressed, size) {
            return Err(no_descriptor(self.len - at));
        }
        (entry.size, entry.compressed, entry.crc) = (size, compressed, crc);
        Ok(())
    }

    /// Where to go on behind a member that is not whole: at one of its `ends` if a record stands there, at the end of the file if
    /// that cuts it off, behind the archive that it seems to be, or else anywhere in its data.
    fn behind(&mut self, entry: &CentralEntry, data: u64, ends: [Option<u64>; 3], is_cut: bool) -> Result<u64> {
        for end in ends.into_iter().flatten() {
            if end <= self.len && self.is_record(end)? {
                return Ok(end);
            }
        }
        if is_cut && !self.has_end {
            return Ok(self.len);
        }
        let mut start = [0; 4];
        self.read_at(data, &mut start)?;
        if entry.method.is_stored() && start == *LocalHeader::SIGNATURE {
            let end = self.find(data, |signature| signature == EndRecord::SIGNATURE)?;
            return Ok(end.map_or(self.len, |(end, _)| end + EndRecord::LEN as u64));
        }
        Ok(data)
    }

    /// The largest size that the next member may have.
    fn allowed(&self) -> u64 {
        let limits = &self.options.limits;
        let left = limits.total_bytes.saturating_sub(self.bytes_used);
        limits.member_bytes.min(left)
    }
}

/// What a member without a descriptor lacks, `left` bytes before the end of the file.
fn no_descriptor(left: u64) -> Error {
    if left < DESCRIPTOR_ROOM as u64 - 2 {
        return cut_off();
    }
    corrupt("found no checksum behind the data that agrees with it, expected one")
}

fn cut_off() -> Error {
    Error::new(
        ErrorKind::Truncated,
        "found the end of the file, expected more data and its checksum: the file is cut off",
    )
}

/// `whole * done / of`, rounded down.
fn part(whole: u64, done: u64, of: u64) -> u64 {
    u64::try_from(u128::from(whole) * u128::from(done) / u128::from(of.max(1))).unwrap_or(whole)
}

fn is_no_fault(err: &Error) -> bool {
    matches!(err.kind(), ErrorKind::Io | ErrorKind::Cancelled)
}
