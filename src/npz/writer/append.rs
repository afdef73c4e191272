//! Adding to an archive that is there already, replacing its members and removing them.
//!
//! ```text
//! x.npz              a │ b │ c │ directory                            stays as it is until it is replaced
//! .serde_npz-1f3..   a │ b │ c │ d │ b' │ directory of a, c, d, b'        b is unused until `compact`
//! ```
//!
//! Why not in place: without the directory at its end a file is no archive. New members would overwrite the old directory
//! or stand behind it; either way a program that is killed in between leaves a file that no reader opens. A copy costs the
//! old bytes once more. The system copies them by itself, and does not even do that where the file system lets two files
//! share them.

use std::collections::HashMap;
use std::fs::File;
use std::io::{BufReader, BufWriter, Read, Seek, SeekFrom, Write};
use std::path::Path;
use std::sync::Arc;

use crate::error::{Error, ErrorKind, Result};
use crate::io::file;
use crate::io::file::AtomicFile;
use crate::npz::reader::NpzReader;
use crate::npz::reader::kept::KeptMember;
use crate::npz::tree::key;
use crate::npz::writer::container::MAX_NAME;
use crate::npz::writer::entry::{Entry, Found};
use crate::npz::writer::output::{Base, Seeking};
use crate::npz::writer::{BUFFER, NpzWriter};
use crate::npz::zip;
use crate::npz::zip::LocalHeader;
use crate::options::progress::Meter;
use crate::options::{Limits, ReadOptions, WriteOptions};

impl NpzWriter<BufWriter<File>> {
    /// Goes on with the archive at `path`; `.npz` is appended unless there is a file of exactly this name.
    ///
    /// Where there is no file, or an empty one, this is a durable [`create`](NpzWriter::create), except that `finish` does not
    /// replace a file that somebody else has made meanwhile.
    ///
    /// Adding a key that was in the archive before replaces that member; a key can be added only once by one writer. The
    /// archive does not change before [`NpzWriter::finish`], which replaces it in one step by a file that is already on the
    /// disk. A program that is killed before leaves the old archive, and beside it a file `.serde_npz-..` that can be
    /// removed. The old archive is locked as long as this writer lives, so that a second `append` is refused, in this program
    /// and in others; readers need no lock.
    ///
    /// A key that comes twice in the archive stays as it is until it is added or removed.
    ///
    /// The old members are not encoded again but copied by the system: at the speed of the disk, or at once on file
    /// systems that share the bytes of copies (Btrfs, XFS). Each call copies all of them, so add much
    /// at a time; for rows that keep coming use a [`NpyWriter`](crate::NpyWriter).
    ///
    /// ```
    /// use serde_npz::{NpzReader, NpzWriter};
    ///
    /// # let path = std::env::temp_dir().join(format!("serde_npz-doc-append-{}.npz", std::process::id()));
    /// serde_npz::save_npz(&path, &std::collections::BTreeMap::from([("x", 1), ("y", 2)]))?;
    /// let mut npz = NpzWriter::append(&path)?;
    /// npz.add("z", &3)?;
    /// npz.add("x", &10)?;
    /// npz.finish()?;
    /// let mut npz = NpzReader::open(&path)?;
    /// assert!(npz.names().eq(["y", "z", "x"]));
    /// assert_eq!(npz.get::<i32>("x")?, 10);
    /// # std::fs::remove_file(&path).unwrap();
    /// # Ok::<(), serde_npz::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// Those of [`NpzReader::open`] for a file that is there, and `Io` if no file can be made beside `path` or another writer
    /// has the archive locked.
    pub fn append(path: impl AsRef<Path>) -> Result<Self> {
        Self::append_with(path, &WriteOptions::new())
    }

    /// As [`NpzWriter::append`], with the compression, separator and threads of `options` for what is added.
    ///
    /// ```
    /// use serde_npz::{NpzReader, NpzWriter, WriteOptions};
    ///
    /// # let path = std::env::temp_dir().join(format!("serde_npz-doc-append-with-{}.npz", std::process::id()));
    /// serde_npz::save_npz(&path, &std::collections::BTreeMap::from([("x", 1)]))?;
    /// let mut npz = NpzWriter::append_with(&path, &WriteOptions::new().compressed())?;
    /// npz.add("zeros", &vec![0.0; 10_000])?;
    /// npz.finish()?;
    /// assert_eq!(NpzReader::open(&path)?.len(), 2);
    /// # std::fs::remove_file(&path).unwrap();
    /// # Ok::<(), serde_npz::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// Those of [`NpzWriter::append`].
    pub fn append_with(path: impl AsRef<Path>, options: &WriteOptions) -> Result<Self> {
        let path = &file::existing(path.as_ref(), ".npz")?;
        let Some(old) = file::if_any(file::open_to_replace(path))?.map(Arc::new) else {
            let (target, handle) = AtomicFile::create_new(path, true)?;
            return Ok(Self::on_file(target, handle, options));
        };
        if old.metadata()?.len() == 0 {
            let (target, handle) = AtomicFile::create_over(old, path, true)?;
            return Ok(Self::on_file(target, handle, options));
        }
        let read = ReadOptions::new().limits(Limits::unlimited());
        let kept = NpzReader::with_options(BufReader::new(&**old), &read)?.kept()?;
        // The caller may have no other copy of the old members: they stay until the new archive is on the disk.
        let (target, handle) = AtomicFile::create_over(Arc::clone(&old), path, true)?;
        let mut writer = Self::on_file(target, handle, options);
        writer.container.keep(kept.members.into_iter().map(entry).collect());
        writer.container.keep_comment(kept.comment);
        writer.container.skip_progress(kept.data);
        let (_, output) = writer.container.settled()?;
        output.base = Some(Base {
            file: old,
            len: kept.data,
            meter: Meter::new(&options.progress, None),
        });
        Ok(writer)
    }

    /// Removes unused bytes: the data of members that were replaced or removed, and gaps that other writers left.
    ///
    /// All members are moved together, and stored data is aligned to 64 bytes again. Values stay, and so does the
    /// comment of the archive; dates, comments and extra fields of members that other programs have written are lost.
    ///
    /// ```
    /// use serde_npz::NpzWriter;
    ///
    /// # let path = std::env::temp_dir().join(format!("serde_npz-doc-compact-{}.npz", std::process::id()));
    /// serde_npz::save_npz(&path, &std::collections::BTreeMap::from([("large", vec![1.0; 10_000]), ("small", vec![2.0])]))?;
    /// let mut npz = NpzWriter::append(&path)?;
    /// npz.remove("large")?;
    /// npz.compact()?;
    /// npz.finish()?;
    /// assert!(std::fs::metadata(&path).unwrap().len() < 1000);
    /// # std::fs::remove_file(&path).unwrap();
    /// # Ok::<(), serde_npz::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// `CorruptArchive` where a member's local header is missing, and for a key that comes twice, unless
    /// [`WriteOptions::last_wins`] keeps the last one; `UnsupportedArchive` for encrypted members and other
    /// compressions than deflate, `Io`. The writer can be used as before.
    pub fn compact(&mut self) -> Result<()> {
        let options = self.container.options();
        let (last_wins, mut meter) = (options.last_wins, Meter::new(&options.progress, None));
        let (entries, output) = self.container.settled()?;
        let entries = &unique(entries, last_wins)?[..];
        meter.announce(entries.iter().map(|entry| entry.compressed).sum());
        output.inner.flush()?;
        let Some(target) = &output.target else { return Ok(()) };
        let (compacted, handle) = target.again()?;
        let moved = match &output.base {
            Some(base) => move_all(&base.file, entries, &compacted, &mut meter)?,
            None => {
                let position = output.inner.stream_position()?;
                let moved = move_all(target.file(), entries, &compacted, &mut meter);
                // The copy has moved the position of the file, which both handles share.
                output.inner.seek(SeekFrom::Start(position))?;
                moved?
            }
        };
        meter.end()?;
        *output = Seeking::new(BufWriter::with_capacity(BUFFER, handle), Some(compacted));
        self.container.keep(moved);
        Ok(())
    }
}

impl<W: Write + Seek> NpzWriter<W> {
    /// Leaves a member out of the archive, or else all members of the group of this name; `false` where there is none.
    ///
    /// Its data stays in the file, unused, until [`NpzWriter::compact`].
    ///
    /// ```
    /// use std::io::Cursor;
    /// use serde_npz::{NpzReader, NpzWriter};
    ///
    /// let mut npz = NpzWriter::new(Cursor::new(Vec::new()));
    /// npz.add("x", &1)?;
    /// npz.add("g/a", &2)?;
    /// npz.add("g/b", &3)?;
    /// assert!(npz.remove("g")?);
    /// assert!(!npz.remove("g")?);
    /// assert!(NpzReader::new(npz.finish()?)?.names().eq(["x"]));
    /// # Ok::<(), serde_npz::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// The error that ended an earlier member half way.
    pub fn remove(&mut self, name: &str) -> Result<bool> {
        self.container.remove(name)
    }
}

fn entry(member: KeptMember) -> Entry {
    let KeptMember { entry, central } = member;
    Entry {
        crc: entry.crc,
        compressed: entry.compressed,
        offset: entry.offset,
        replaceable: true,
        found: Some(Found {
            flags: entry.flags,
            central: central.into(),
        }),
        ..Entry::new(entry.name(), entry.method, entry.size)
    }
}

/// The entries that have not been removed, one of each key.
fn unique(entries: &[Entry], last_wins: bool) -> Result<Vec<&Entry>> {
    let live = || entries.iter().filter(|entry| !entry.removed);
    let winners: HashMap<&str, &Entry> = live().map(|entry| (key(&entry.name), entry)).collect();
    let wins = |entry: &&Entry| {
        winners
            .get(key(&entry.name))
            .is_some_and(|winner| std::ptr::eq(*winner, *entry))
    };
    match live().find(|entry| !wins(entry)) {
        Some(twice) if !last_wins => Err(Error::new(
            ErrorKind::CorruptArchive,
            "found this key twice, expected each key once",
        )
        .with_hint("`add` or `remove` it, or `WriteOptions::last_wins(true)` keeps the last one")
        .at_member(key(&twice.name))),
        _ => Ok(live().filter(wins).collect()),
    }
}

/// Writes `entries` to `target`, one behind the other.
fn move_all(source: &File, entries: &[&Entry], target: &AtomicFile, meter: &mut Meter) -> Result<Vec<Entry>> {
    let mut at = 0;
    entries
        .iter()
        .map(|entry| {
            let moved = move_member(source, entry, target, at, meter).map_err(|err| err.at_member(key(&entry.name)))?;
            at = moved.1;
            Ok(moved.0)
        })
        .collect()
}

/// Writes one member at `at`; returns its entry there and where it ends.
fn move_member(
    mut source: &File,
    entry: &Entry,
    target: &AtomicFile,
    at: u64,
    meter: &mut Meter,
) -> Result<(Entry, u64)> {
    meter.enter(key(&entry.name));
    check_movable(entry)?;
    let mut local = [0; LocalHeader::LEN];
    source.seek(SeekFrom::Start(entry.offset))?;
    source.read_exact(&mut local)?;
    let data = entry.offset.saturating_add(LocalHeader::parse(&local)?.total_len());
    let moved = Entry {
        has_descriptor: false,
        offset: at,
        found: None,
        ..entry.clone()
    };
    let mut header = Vec::new();
    moved.put_local(&mut header);
    target.file().write_all(&header)?;
    target.copy_from(source, data, entry.compressed, meter)?;
    Ok((moved, at + header.len() as u64 + entry.compressed))
}

fn check_movable(entry: &Entry) -> Result<()> {
    let flags = entry.found.as_ref().map_or(0, |found| found.flags);
    let found = if let Some((found, _)) = zip::unsupported(flags, entry.method) {
        found
    } else if entry.name.len() > MAX_NAME {
        format!("a name of {} bytes in UTF-8", entry.name.len())
    } else {
        return Ok(());
    };
    Err(Error::new(
        ErrorKind::UnsupportedArchive,
        format_args!("found {found}, expected a member that can be moved"),
    )
    .with_hint("`remove` it or leave the archive as it is"))
}
