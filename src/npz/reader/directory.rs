//! The directory at the end of an archive: every number in it is a claim until the file proves it.
//!
//! ```text
//! members ..                              local headers and data, see `member`
//! PK\1\2 | name | extra | comment         one for each member: the directory
//! PK\6\6, PK\6\7                          zip64 only: count, size, offset as 64 bits, and where they are
//! PK\5\6 | comment                        the end record, up to the last byte of the file
//! ```

use std::borrow::Borrow;
use std::collections::{HashMap, HashSet};
use std::hash::{Hash, Hasher};
use std::io::{self, BufReader, Read, Seek, SeekFrom, Take};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use crate::error::{Error, ErrorKind, Result};
use crate::npz::tree::key;
use crate::npz::zip::{
    CentralHeader, EndRecord, Fields, LocalHeader, Method, WIDE, Zip64Locator, corrupt, decode_name, split, zip64_field,
};
use crate::options::ReadOptions;

/// Version 6.3 of the format, the last one that anything was added in.
pub(crate) const LATEST: u8 = 63;

/// Where more entries than this are damaged, the directory is no directory.
const MOST_FAULTS: usize = 1000;

/// Each look at a member that damaged ones seem to lie in goes through the whole directory.
const MOST_LOOKS: usize = 64;

/// For so many members there is room from the start; for more, as they are found.
const MOST_RESERVED: u64 = 1 << 17;

/// One member, as the directory describes it.
#[derive(Clone, Debug)]
pub(crate) struct CentralEntry {
    name: Arc<str>,
    pub(crate) size: u64,
    pub(crate) compressed: u64,
    pub(crate) method: Method,
    pub(crate) crc: u32,
    pub(crate) flags: u16,
    /// Where the local header starts.
    pub(crate) offset: u64,
    /// Where the next member or the directory starts: nothing of this one lies there.
    pub(crate) limit: u64,
}

impl CentralEntry {
    /// What the local header at `offset` says; nothing of the member lies at `limit` or behind it.
    pub(crate) fn of_local(name: &str, header: &LocalHeader, sizes: [u64; 2], offset: u64, limit: u64) -> Self {
        let [size, compressed] = sizes;
        CentralEntry {
            name: Arc::from(name),
            size,
            compressed,
            method: header.method,
            crc: header.crc,
            flags: header.flags,
            offset,
            limit,
        }
    }

    /// The whole name in the archive: `x.npy`.
    pub(crate) fn name(&self) -> &Arc<str> {
        &self.name
    }

    /// NumPy's name: without one trailing `.npy`.
    pub(crate) fn key(&self) -> &str {
        key(&self.name)
    }
}

/// The name of a member, found by its key: one allocation serves the entry and the index.
struct ByKey(Arc<str>);

impl Borrow<str> for ByKey {
    fn borrow(&self) -> &str {
        key(&self.0)
    }
}

impl Hash for ByKey {
    fn hash<H: Hasher>(&self, state: &mut H) {
        key(&self.0).hash(state);
    }
}

impl PartialEq for ByKey {
    fn eq(&self, other: &Self) -> bool {
        key(&self.0) == key(&other.0)
    }
}

impl Eq for ByKey {}

/// All members in the directory's order, and the way from a key to one.
pub(super) struct Directory {
    pub(super) entries: Vec<CentralEntry>,
    /// The last member of each key.
    index: HashMap<ByKey, usize>,
    /// Members whose key another one has as well.
    sharing: HashSet<usize>,
    /// Whether the last of those is taken.
    last_wins: bool,
    /// What is wrong with the entries of members that cannot be read. The others can.
    faults: HashMap<usize, Error>,
    /// Where the directory starts.
    start: u64,
    /// How many members were looked at again, as damaged ones seem to lie within them.
    looks: AtomicUsize,
    /// Which members' local headers have been compared with the directory, by any reader of this archive.
    compared: Vec<AtomicBool>,
    /// How many have not.
    left: AtomicUsize,
}

impl Directory {
    pub(super) fn read<R: Read + Seek>(reader: &mut R, options: &ReadOptions) -> Result<Self> {
        let len = reader.seek(SeekFrom::End(0))?;
        let (end, _) = find(reader, len)?;
        let most = options.limits.members;
        if end.count > most {
            return Err(Error::new(
                ErrorKind::LimitExceeded,
                format_args!("found {} members, expected at most {}", end.count, most),
            )
            .with_hint("`Limits::members` allows more"));
        }
        reader.seek(SeekFrom::Start(end.offset))?;
        let mut records = Records {
            reader: BufReader::with_capacity(64 << 10, reader.take(end.size)),
            left: end.size,
            variable: Vec::new(),
        };
        let room = usize::try_from(end.count.min(MOST_RESERVED)).unwrap_or_default();
        let mut entries = Vec::with_capacity(room);
        let mut index = HashMap::with_capacity(room);
        let (mut sharing, mut faults) = (HashSet::new(), HashMap::new());
        for number in 0..end.count {
            let (entry, fault) = records
                .next(end.offset)
                .map_err(|err| in_entry(err, number, end.count))?;
            let (here, key) = (entries.len(), ByKey(Arc::clone(&entry.name)));
            if let Some(fault) = fault {
                let fault = in_entry(fault, number, end.count);
                if faults.len() == MOST_FAULTS {
                    return Err(fault);
                }
                faults.insert(here, fault);
            }
            // Damaged or not: NumPy takes the last one, and nobody can tell which one was meant.
            if let Some(before) = index.insert(key, here) {
                sharing.extend([before, here]);
            }
            entries.push(entry);
        }
        if records.left > 0 {
            return Err(corrupt(format_args!(
                "found {} bytes behind the last of {} members in the directory, expected none",
                records.left, end.count
            )));
        }
        set_limits(&mut entries, end.offset);
        Ok(Directory {
            compared: entries.iter().map(|_| AtomicBool::new(false)).collect(),
            left: AtomicUsize::new(entries.len()),
            entries,
            index,
            sharing,
            last_wins: options.last_wins,
            faults,
            start: end.offset,
            looks: AtomicUsize::new(0),
        })
    }

    /// Where the directory starts, its bytes as they are, and the comment of the archive.
    pub(super) fn raw<R: Read + Seek>(reader: &mut R) -> Result<(u64, Vec<u8>, Vec<u8>)> {
        let len = reader.seek(SeekFrom::End(0))?;
        let (end, comment) = find(reader, len)?;
        Ok((end.offset, read_at(reader, end.offset, end.size)?, comment))
    }

    /// The member of this key, or, as in NumPy, of `key` without its `.npy`.
    pub(super) fn find(&self, key: &str) -> Option<usize> {
        let find = |key| self.index.get(key).copied();
        find(key).or_else(|| find(key.strip_suffix(".npy")?))
    }

    /// A member that can be read, as far as the directory tells.
    pub(super) fn entry(&self, index: usize) -> Result<&CentralEntry> {
        if let Some(fault) = self.fault(index) {
            return Err(fault.duplicate());
        }
        self.entries.get(index).ok_or_else(|| {
            Error::new(
                ErrorKind::MissingMember,
                format_args!("found {} members, expected one of number {index}", self.entries.len()),
            )
        })
    }

    /// What is wrong with the entry of a member.
    pub(super) fn fault(&self, index: usize) -> Option<&Error> {
        self.faults.get(&index)
    }

    /// Whether one more member may be looked at again.
    pub(super) fn may_look_again(&self) -> bool {
        self.looks.fetch_add(1, Ordering::Relaxed) < MOST_LOOKS
    }

    /// Where the next member starts from `at` on, or else the directory.
    pub(super) fn limit_behind(&self, at: u64) -> u64 {
        let offsets = self.entries.iter().map(|entry| entry.offset);
        offsets.filter(|&offset| offset >= at).fold(self.start, u64::min)
    }

    /// An error for a member that is not the only one of its key, unless the last one wins.
    ///
    /// Programs differ in which one they show: NumPy takes the last one, others the first.
    pub(super) fn check_unique(&self, index: usize) -> Result<()> {
        if self.last_wins || !self.sharing.contains(&index) {
            return Ok(());
        }
        let key = self.entries.get(index).map_or("", CentralEntry::key);
        Err(corrupt(format_args!(
            "found the key `{}` twice, expected each key once",
            key.escape_debug()
        ))
        .with_hint("`ReadOptions::last_wins(true)` takes the last one, as NumPy does"))
    }

    /// Whether another member of the same key wins.
    pub(super) fn is_hidden(&self, index: usize) -> bool {
        self.last_wins
            && self.sharing.contains(&index)
            && self
                .entries
                .get(index)
                .is_some_and(|entry| self.index.get(entry.key()) != Some(&index))
    }

    /// Notes that the local header of a member agrees with its entry.
    pub(super) fn set_compared(&self, index: usize) {
        // Relaxed is enough: the flags protect no other memory.
        let compared = self.compared.get(index);
        if compared.is_some_and(|compared| !compared.swap(true, Ordering::Relaxed)) {
            self.left.fetch_sub(1, Ordering::Relaxed);
        }
    }

    /// The members whose local headers have not been compared yet.
    pub(super) fn not_compared(&self) -> impl Iterator<Item = usize> {
        let all = match self.left.load(Ordering::Relaxed) {
            0 => &[],
            _ => &self.compared[..],
        };
        let left = all
            .iter()
            .enumerate()
            .filter(|(_, compared)| !compared.load(Ordering::Relaxed));
        left.map(|(index, _)| index)
    }
}

/// Tells every member where the next one starts. Several members at one offset have no room at all.
fn set_limits(entries: &mut [CentralEntry], directory: u64) {
    let mut order: Vec<usize> = (0..entries.len()).collect();
    order.sort_unstable_by_key(|&i| entries[i].offset);
    let mut next = directory;
    for at in (0..order.len()).rev() {
        let offset = entries[order[at]].offset;
        let shared = at
            .checked_sub(1)
            .is_some_and(|before| entries[order[before]].offset == offset);
        if shared {
            next = offset;
        }
        entries[order[at]].limit = next;
        // Nothing lies behind the directory.
        next = next.min(offset);
    }
}

fn in_entry(err: Error, number: u64, count: u64) -> Error {
    match err.kind() {
        ErrorKind::Io => err,
        kind => Error::new(
            kind,
            format_args!("in member {} of {count} in the directory: {err}", number + 1),
        )
        .with_hint_of(&err),
    }
}

/// Finds the directory through the end record, which has to lie right behind it. Returns the comment as well.
fn find<R: Read + Seek>(reader: &mut R, len: u64) -> Result<(EndRecord, Vec<u8>)> {
    let tail_len = len.min((EndRecord::LEN + usize::from(u16::MAX)) as u64);
    let tail = read_at(reader, len - tail_len, tail_len)?;
    let (at, bytes) = find_end(&tail)?;
    let position = len - tail_len + at as u64;
    let mut end = EndRecord::parse(bytes)?;
    // Without a locator the greatest numbers are meant as they stand: Python counts 65,535 members so.
    let behind = match find_wide(reader, position)? {
        Some((wide, start)) => {
            end = merge(end, wide)?;
            start
        }
        None => position,
    };
    if end.offset.checked_add(end.size) != Some(behind) {
        return Err(corrupt(format_args!(
            "found a directory of {} bytes at offset {}, expected it to end at {behind}, where the end record starts",
            end.size, end.offset
        )));
    }
    if end
        .count
        .checked_mul(CentralHeader::LEN as u64)
        .is_none_or(|least| least > end.size)
    {
        return Err(corrupt(format_args!(
            "found a directory of {} bytes, expected at least {} for each of {} members",
            end.size,
            CentralHeader::LEN,
            end.count
        )));
    }
    Ok((end, tail[at + EndRecord::LEN..].to_vec()))
}

/// The end record whose comment reaches to the last byte, and where in `tail` it starts.
pub(crate) fn find_end(tail: &[u8]) -> Result<(usize, &[u8; EndRecord::LEN])> {
    let mut found = None;
    let mut cut = None;
    for (at, window) in tail.windows(4).enumerate() {
        if window != EndRecord::SIGNATURE {
            continue;
        }
        // Python takes the last one, whatever comment it claims.
        if found.is_some() {
            return Err(corrupt(
                "found the signature of an end record in the comment of another, expected one end record",
            ));
        }
        let Some((record, rest)) = tail[at..].split_first_chunk::<{ EndRecord::LEN }>() else {
            continue;
        };
        let comment = usize::from(Fields(&record[20..]).u16());
        if comment == rest.len() {
            found = Some((at, record));
        } else {
            cut = Some((comment, rest.len()));
        }
    }
    match (found, cut) {
        (Some(found), _) => Ok(found),
        (None, Some((comment, rest))) => Err(corrupt(format_args!(
            "found {rest} bytes behind the end record, expected a comment of {comment}: the archive is cut off or has \
             something appended"
        ))),
        (None, None) => Err(corrupt(
            "found no end record, expected one in the last bytes: the archive is cut off",
        )),
    }
}

/// The end record of 64 bits and where it starts, if a locator stands right before the end record.
fn find_wide<R: Read + Seek>(reader: &mut R, end: u64) -> Result<Option<(EndRecord, u64)>> {
    let Some(at) = end.checked_sub(Zip64Locator::LEN as u64) else {
        return Ok(None);
    };
    let Some(locator) = Zip64Locator::parse(&array_at(reader, at)?)? else {
        return Ok(None);
    };
    let (start, len) = (locator.start, EndRecord::WIDE_LEN);
    if start.checked_add(len as u64).is_none_or(|record_end| record_end > at) {
        return Err(corrupt(format_args!(
            "found a zip64 locator that points to {start}, expected a record of {len} bytes before {at}"
        )));
    }
    let record = array_at(reader, start)?;
    if !record.starts_with(EndRecord::WIDE_SIGNATURE) {
        return Err(corrupt(format_args!(
            "found no zip64 record at {start}, where its locator points"
        )));
    }
    Ok(Some((EndRecord::parse_wide(&record, at - start)?, start)))
}

/// The record of 64 bits, which the other one must not contradict.
fn merge(end: EndRecord, wide: EndRecord) -> Result<EndRecord> {
    let pairs = [
        (end.count, wide.count, u64::from(u16::MAX)),
        (end.size, wide.size, u64::from(WIDE)),
        (end.offset, wide.offset, u64::from(WIDE)),
    ];
    for (short, long, unknown) in pairs {
        if short != unknown && short != long {
            return Err(corrupt(format_args!(
                "found {short} in the end record, expected {long} as in the zip64 record"
            )));
        }
    }
    Ok(wide)
}

fn read_at<R: Read + Seek>(reader: &mut R, at: u64, len: u64) -> Result<Vec<u8>> {
    reader.seek(SeekFrom::Start(at))?;
    let mut bytes = Vec::new();
    let got = reader.take(len).read_to_end(&mut bytes)?;
    if got as u64 == len { Ok(bytes) } else { Err(shrunk()) }
}

fn array_at<R: Read + Seek, const N: usize>(reader: &mut R, at: u64) -> Result<[u8; N]> {
    let mut bytes = [0; N];
    reader.seek(SeekFrom::Start(at))?;
    reader.read_exact(&mut bytes).map_err(or_shrunk)?;
    Ok(bytes)
}

fn or_shrunk(err: io::Error) -> Error {
    match err.kind() {
        io::ErrorKind::UnexpectedEof => shrunk(),
        _ => err.into(),
    }
}

fn shrunk() -> Error {
    Error::new(ErrorKind::Truncated, "the archive ends earlier than when it was opened")
}

/// The records of the directory, one after another.
struct Records<R> {
    reader: BufReader<Take<R>>,
    /// How many bytes of the directory are unread.
    left: u64,
    /// Name, extra fields and comment of the record that is looked at.
    variable: Vec<u8>,
}

impl<R: Read> Records<R> {
    /// The next entry, and what is wrong with it.
    fn next(&mut self, directory: u64) -> Result<(CentralEntry, Option<Error>)> {
        self.claim(CentralHeader::LEN)?;
        let mut fixed = [0; CentralHeader::LEN];
        self.reader.read_exact(&mut fixed).map_err(or_shrunk)?;
        let header = CentralHeader::parse(&fixed)?;
        self.claim(header.variable_len())?;
        self.variable.resize(header.variable_len(), 0);
        self.reader.read_exact(&mut self.variable).map_err(or_shrunk)?;
        let (name, rest) = self.variable.split_at(header.local.name_len.into());
        Ok(entry(&header, name, &rest[..header.local.extra_len.into()], directory))
    }

    fn claim(&mut self, n: usize) -> Result<()> {
        self.left = self.left.checked_sub(n as u64).ok_or_else(|| {
            corrupt(format_args!(
                "found {} bytes, expected {n} more: the directory ends early",
                self.left
            ))
        })?;
        Ok(())
    }
}

/// What an entry says, and what is wrong with it: then it only tells that there is such a member.
fn entry(header: &CentralHeader, name: &[u8], extra: &[u8], directory: u64) -> (CentralEntry, Option<Error>) {
    let mut fault = None;
    let local = &header.local;
    let name = decode_name(name, local.flags).unwrap_or_else(|err| {
        fault = Some(err);
        String::from_utf8_lossy(name)
    });
    let (sizes, checked) = match sizes(header, extra) {
        Ok(sizes) => (sizes, check_place(header, sizes, directory)),
        Err(err) => ([local.size, local.compressed, header.offset].map(u64::from), Err(err)),
    };
    let [size, compressed, offset] = sizes;
    let entry = CentralEntry {
        name: Arc::from(&*name),
        size,
        compressed,
        method: local.method,
        crc: local.crc,
        flags: local.flags,
        offset,
        limit: 0,
    };
    (entry, fault.or(checked.err()))
}

/// Size, compressed size and offset, in 64 bits.
fn sizes(header: &CentralHeader, extra: &[u8]) -> Result<[u64; 3]> {
    let mut sizes = [header.local.size, header.local.compressed, header.offset].map(u64::from);
    let mut disk = u32::from(header.disk);
    if let Some(mut wide) = zip64_field(extra)? {
        for field in &mut sizes {
            if *field == u64::from(WIDE) {
                (*field, wide) = split_u64(wide)?;
            }
        }
        if header.disk == u16::MAX && wide.len() >= 4 {
            disk = Fields(wide).u32();
        }
    }
    match disk {
        0 => Ok(sizes),
        _ => Err(split()),
    }
}

fn check_place(header: &CentralHeader, [_, _, offset]: [u64; 3], directory: u64) -> Result<()> {
    if offset
        .checked_add(LocalHeader::LEN as u64)
        .is_none_or(|end| end > directory)
    {
        return Err(corrupt(format_args!(
            "found a member at offset {offset}, expected it before the directory at {directory}"
        )));
    }
    if header.local.version > LATEST {
        return Err(Error::new(
            ErrorKind::UnsupportedArchive,
            format_args!(
                "found a member that needs version {} of the format, expected at most {LATEST}",
                header.local.version
            ),
        ));
    }
    Ok(())
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
