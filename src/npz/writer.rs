//! Names to zip entries: one member at a time, of a size known beforehand.
//!
//! ```text
//! 0    PK\3\4  x.npy  sizes (zip64)  padding      the local header of a stored member ends at a multiple of 64
//! 64·k \x93NUMPY .. header | data                 so the data of the array starts at one, too
//! ..   PK\1\2  x.npy  sizes, CRC, offset          the directory, written by `finish` alone
//! ..   PK\5\6  count, size and offset of it
//! ```
//!
//! A member that failed half way must never end in an archive that looks whole. The zip crate's
//! writer finishes its file when it is dropped, so it writes through a gate that is shut first.

mod gate;

use std::collections::HashSet;
use std::fmt;
use std::fs::File;
use std::io::{BufWriter, Seek, Write};
use std::path::Path;

use zip::result::ZipError;
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, DateTime, System, ZipWriter};

use self::gate::{Gate, Shutter};
use crate::error::{Error, ErrorKind, Result};
use crate::file::{self, AtomicFile};
use crate::options::{Compression, WriteOptions};

/// The longest name the container takes: together with the fixed part of its header it stays below 64 KiB.
const MAX_NAME: usize = 65_504;

/// Written and summed at once, while the piece is still in the processor's cache.
const PIECE: usize = 128 << 10;

/// Stored data starts at a multiple of this, to be mapped or lent as any element type.
const ALIGNMENT: u16 = 64;

/// Writes an archive member by member.
///
/// ```
/// use std::io::Cursor;
///
/// let mut npz = serde_npz::NpzWriter::new(Cursor::new(Vec::new()));
/// npz.add("x", &vec![1.0, 2.0])?;
/// npz.add("n", &7)?;
/// let bytes = npz.finish()?.into_inner();
/// # assert_eq!(serde_npz::NpzReader::new(Cursor::new(bytes))?.len(), 2);
/// # Ok::<(), serde_npz::Error>(())
/// ```
pub struct NpzWriter<W: Write + Seek> {
    /// Above `zip`, as fields drop from the top: the gate is shut before the zip writer would finish the file.
    shutter: Shutter,
    zip: ZipWriter<Gate<W>>,
    claimed: HashSet<String>,
    open: Option<Open>,
    failed: Option<Error>,
    options: WriteOptions,
    target: Option<AtomicFile>,
}

/// The member that is being written.
struct Open {
    key: String,
    size: u64,
    left: u64,
}

impl NpzWriter<BufWriter<File>> {
    /// Creates `path`, with `.npz` appended where it lacks that; the file appears there when [`NpzWriter::finish`] returns.
    ///
    /// ```
    /// # let dir = std::env::temp_dir().join(format!("serde_npz-doc-create-{}", std::process::id()));
    /// # std::fs::create_dir_all(&dir).unwrap();
    /// # let path = dir.join("data");
    /// let mut npz = serde_npz::NpzWriter::create(&path)?;
    /// npz.add("x", &vec![1.0, 2.0])?;
    /// npz.finish()?;
    /// # assert!(dir.join("data.npz").exists());
    /// # std::fs::remove_dir_all(&dir).unwrap();
    /// # Ok::<(), serde_npz::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// `Io` if no file can be made beside `path`, or `path` is something else than a file.
    pub fn create(path: impl AsRef<Path>) -> Result<Self> {
        Self::create_with(path.as_ref(), &WriteOptions::new())
    }

    pub(crate) fn create_with(path: &Path, options: &WriteOptions) -> Result<Self> {
        let (target, handle) = AtomicFile::create(&file::with_suffix(path, ".npz"), options.durable)?;
        let mut writer = Self::with_options(BufWriter::with_capacity(PIECE, handle), options);
        writer.target = Some(target);
        Ok(writer)
    }
}

impl<W: Write + Seek> NpzWriter<W> {
    /// An archive of stored members, written from where `writer` stands, which should be the start of an empty file.
    ///
    /// ```
    /// let npz = serde_npz::NpzWriter::new(std::io::Cursor::new(Vec::new()));
    /// assert_eq!(npz.finish()?.into_inner().len(), 22);
    /// # Ok::<(), serde_npz::Error>(())
    /// ```
    pub fn new(writer: W) -> Self {
        Self::with_options(writer, &WriteOptions::new())
    }

    /// As [`NpzWriter::new`], with the compression and the separator of `options`.
    ///
    /// ```
    /// use std::io::Cursor;
    /// use serde_npz::{NpzWriter, WriteOptions};
    ///
    /// let mut npz = NpzWriter::with_options(Cursor::new(Vec::new()), &WriteOptions::new().compressed());
    /// npz.add("zeros", &vec![0.0; 10_000])?;
    /// assert!(npz.finish()?.into_inner().len() < 1000);
    /// # Ok::<(), serde_npz::Error>(())
    /// ```
    pub fn with_options(writer: W, options: &WriteOptions) -> Self {
        let (gate, shutter) = Gate::new(writer);
        NpzWriter {
            shutter,
            zip: ZipWriter::new(gate),
            claimed: HashSet::new(),
            open: None,
            failed: None,
            options: options.clone(),
            target: None,
        }
    }

    /// Writes the directory and hands the writer back; without it there is no archive.
    ///
    /// ```
    /// use std::io::Cursor;
    ///
    /// let mut bytes = Vec::new();
    /// let mut npz = serde_npz::NpzWriter::new(Cursor::new(&mut bytes));
    /// npz.add("x", &1.5)?;
    /// npz.finish()?;
    /// assert!(bytes.starts_with(b"PK"));
    /// # Ok::<(), serde_npz::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// `Io`, or the error that ended an earlier member half way. There is no archive then.
    pub fn finish(self) -> Result<W> {
        self.usable()?;
        if let Some(open) = &self.open {
            return Err(incomplete(open).at_member(&open.key));
        }
        let NpzWriter {
            shutter: _shut_at_last,
            zip,
            target,
            ..
        } = self;
        let mut inner = zip.finish().map_err(container)?.into_inner();
        inner.flush()?;
        if let Some(target) = target {
            target.commit()?;
        }
        Ok(inner)
    }

    /// Whether no earlier member failed half way; else that error.
    pub(crate) fn usable(&self) -> Result<()> {
        match &self.failed {
            Some(err) => Err(err.again()),
            None => Ok(()),
        }
    }

    /// Opens the member of this full name (`x.npy`), of exactly `size` bytes before compression.
    ///
    /// A refused name or a duplicate leaves the writer as it was.
    pub(crate) fn begin(&mut self, member: &str, size: u64) -> Result<()> {
        self.usable()?;
        if let Some(open) = &self.open {
            let err = incomplete(open);
            return Err(self.fail_inside(err));
        }
        check_name(member)?;
        let claims = claims(member);
        if let Some(taken) = claims.iter().find(|claim| self.claimed.contains(**claim)) {
            return Err(Error::new(
                ErrorKind::DuplicateName,
                format_args!(
                    "the member `{}` comes second for the key `{}`, expected each key once",
                    member.escape_debug(),
                    taken.escape_debug()
                ),
            ));
        }
        self.open = Some(Open {
            key: claims[0].to_owned(),
            size,
            left: size,
        });
        let options = self.entry_options();
        if let Err(err) = self.zip.start_file(member, options) {
            return Err(self.fail_inside(container(err)));
        }
        self.claimed.extend(claims.into_iter().map(str::to_owned));
        Ok(())
    }

    /// More of the open member's bytes.
    pub(crate) fn write(&mut self, bytes: &[u8]) -> Result<()> {
        self.usable()?;
        let room = match &mut self.open {
            Some(open) => match open.left.checked_sub(bytes.len() as u64) {
                Some(left) => {
                    open.left = left;
                    true
                }
                None => false,
            },
            None => false,
        };
        if !room {
            let err = Error::new(
                ErrorKind::InvalidValue,
                format_args!(
                    "found {} more bytes than announced, expected a value that is the same whenever it is serialized",
                    bytes.len()
                ),
            );
            return Err(self.fail_inside(err));
        }
        for piece in bytes.chunks(PIECE) {
            if let Err(err) = self.zip.write_all(piece) {
                return Err(self.fail_inside(err.into()));
            }
        }
        Ok(())
    }

    /// Closes the open member, all of whose bytes must have come.
    pub(crate) fn end(&mut self) -> Result<()> {
        self.usable()?;
        match &self.open {
            Some(open) if open.left > 0 => {
                let err = incomplete(open);
                Err(self.fail_inside(err))
            }
            _ => {
                self.open = None;
                Ok(())
            }
        }
    }

    /// Ends this writer: every later call returns `error`, and no archive comes of it.
    pub(crate) fn fail(&mut self, error: Error) {
        self.shutter.shut();
        self.failed = Some(error);
    }

    pub(crate) fn options(&self) -> &WriteOptions {
        &self.options
    }

    /// Keeps the error under the member's name, and hands it out bare: the caller knows the way to the value.
    fn fail_inside(&mut self, err: Error) -> Error {
        let key = self.open.as_ref().map_or("", |open| open.key.as_str());
        let named = err.again().at_member(key);
        self.fail(named);
        err
    }

    fn entry_options(&self) -> SimpleFileOptions {
        let options = SimpleFileOptions::DEFAULT
            .last_modified_time(DateTime::DEFAULT)
            // The same bytes on every system.
            .system(System::Unix)
            .unix_permissions(0o644)
            .large_file(true);
        match self.options.compression {
            // Level 0 is to store, and stored as such it can be mapped.
            Compression::Stored | Compression::Deflate(0) => options
                .compression_method(CompressionMethod::Stored)
                .with_alignment(ALIGNMENT),
            Compression::Deflate(level) => options
                .compression_method(CompressionMethod::Deflated)
                .compression_level(Some(backend_level(level))),
        }
    }
}

impl<W: Write + Seek> fmt::Debug for NpzWriter<W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NpzWriter")
            .field("keys", &self.claimed.len())
            .finish_non_exhaustive()
    }
}

/// The level of the deflate in use that keeps the size of zlib's `level` and takes less time.
///
/// The scales differ: its 6 leaves stepped integers 64 % larger than zlib's, its 7 meets them and is faster.
fn backend_level(level: u32) -> i64 {
    match level {
        0..=4 => i64::from(level),
        5 => 6,
        6 | 7 => 7,
        8 => 8,
        _ => 9,
    }
}

fn check_name(member: &str) -> Result<()> {
    let (found, expected) = if claims(member)[0].is_empty() {
        ("an empty name".to_owned(), "one of at least a character")
    } else if member.contains('\0') {
        (
            format!("the name `{}`", member.escape_debug()),
            "one without NUL, where Python would cut it",
        )
    } else if member.len() > MAX_NAME {
        (
            format!("a name of {} bytes", member.len()),
            "at most 65,504 with the `.npy` behind it",
        )
    } else {
        return Ok(());
    };
    Err(Error::new(
        ErrorKind::InvalidName,
        format_args!("found {found}, expected {expected}"),
    ))
}

/// The keys a member answers, NumPy's first.
fn claims(member: &str) -> Vec<&str> {
    if let Some(key) = member.strip_suffix(".npy") {
        return vec![key];
    }
    // A JSON text is read as the value of its stem.
    match member.strip_suffix(".json") {
        Some(stem) => vec![member, stem],
        None => vec![member],
    }
}

fn incomplete(open: &Open) -> Error {
    Error::new(
        ErrorKind::InvalidValue,
        format_args!(
            "found {} bytes, expected the {} announced: the value has to be the same whenever it is serialized",
            open.size - open.left,
            open.size
        ),
    )
}

fn container(err: ZipError) -> Error {
    match err {
        ZipError::Io(err) => err.into(),
        other => Error::new(ErrorKind::Io, format_args!("writing the archive failed: {other}")).with_source(other),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{self, Cursor, SeekFrom};

    fn add<W: Write + Seek>(npz: &mut NpzWriter<W>, member: &str, bytes: &[u8]) -> Result<()> {
        npz.begin(member, bytes.len() as u64)?;
        npz.write(bytes)?;
        npz.end()
    }

    fn position(haystack: &[u8], needle: &[u8]) -> Option<usize> {
        haystack.windows(needle.len()).position(|window| window == needle)
    }

    #[test]
    fn an_empty_archive_is_the_end_record_alone() {
        let bytes = NpzWriter::new(Cursor::new(Vec::new())).finish().unwrap().into_inner();
        assert_eq!(bytes.len(), 22);
        assert!(bytes.starts_with(b"PK\x05\x06"));
    }

    #[test]
    fn stored_data_starts_at_multiples_of_64() {
        let mut npz = NpzWriter::new(Cursor::new(Vec::new()));
        let members: Vec<_> = (0..100)
            .map(|i| (format!("{}.npy", "n".repeat(i + 1)), format!("<data {i:03}>")))
            .collect();
        for (name, data) in &members {
            add(&mut npz, name, data.as_bytes()).unwrap();
        }
        let bytes = npz.finish().unwrap().into_inner();
        for (name, data) in &members {
            assert_eq!(position(&bytes, data.as_bytes()).unwrap() % 64, 0, "{name}");
        }
    }

    #[test]
    fn same_members_make_the_same_bytes_dated_1980() {
        let archive = |options: &WriteOptions| {
            let mut npz = NpzWriter::with_options(Cursor::new(Vec::new()), options);
            add(&mut npz, "x.npy", &[7; 1000]).unwrap();
            npz.finish().unwrap().into_inner()
        };
        for options in [WriteOptions::new(), WriteOptions::new().compressed()] {
            let bytes = archive(&options);
            assert_eq!(bytes, archive(&options));
            assert_eq!(bytes[10..14], [0, 0, 0x21, 0]);
        }
    }

    #[test]
    fn names_are_refused_before_anything_is_written() {
        let mut npz = NpzWriter::new(Cursor::new(Vec::new()));
        for name in ["", ".npy", "a\0b.npy", &format!("{}.npy", "n".repeat(MAX_NAME - 3))] {
            assert_eq!(npz.begin(name, 0).unwrap_err().kind(), ErrorKind::InvalidName);
        }
        add(&mut npz, &format!("{}.npy", "n".repeat(MAX_NAME - 4)), b"1").unwrap();
        npz.finish().unwrap();
    }

    #[test]
    fn duplicates_are_keys_not_members_and_leave_the_writer_usable() {
        for (first, second, clash) in [
            ("x.npy", "x.npy", true),
            ("x.npy", "x", true),
            ("x.json", "x.npy", true),
            ("x.npy", "x.json", true),
            ("x.json", "x.json.npy", true),
            ("x.npy", "x.npy.npy", false),
            ("x.npy", "x.json.npy", false),
        ] {
            let mut npz = NpzWriter::new(Cursor::new(Vec::new()));
            add(&mut npz, first, b"1").unwrap();
            match npz.begin(second, 1) {
                Ok(()) => {
                    assert!(!clash, "{first} {second}");
                    npz.write(b"2").unwrap();
                    npz.end().unwrap();
                }
                Err(err) => {
                    assert!(clash, "{first} {second}");
                    assert_eq!(err.kind(), ErrorKind::DuplicateName);
                }
            }
            add(&mut npz, "y.npy", b"3").unwrap();
            assert!(npz.claimed.contains("y") && !npz.claimed.contains("y.npy"));
            npz.finish().unwrap();
        }
    }

    #[test]
    fn after_a_failure_inside_a_member_there_is_no_archive() {
        for options in [WriteOptions::new(), WriteOptions::new().compressed()] {
            for way in 0..4 {
                let mut bytes = Vec::new();
                let mut npz = NpzWriter::with_options(Cursor::new(&mut bytes), &options);
                add(&mut npz, "first.npy", &[1; 100_000]).unwrap();
                npz.begin("x.npy", 4).unwrap();
                npz.write(b"12").unwrap();
                let kind = match way {
                    0 => npz.end().unwrap_err().kind(),
                    1 => npz.write(b"345").unwrap_err().kind(),
                    2 => npz.begin("y.npy", 0).unwrap_err().kind(),
                    _ => {
                        npz.fail(Error::new(ErrorKind::Ragged, "rows").at_member("x"));
                        ErrorKind::Ragged
                    }
                };
                assert_eq!(
                    kind,
                    if way == 3 {
                        ErrorKind::Ragged
                    } else {
                        ErrorKind::InvalidValue
                    }
                );
                for err in [npz.begin("z.npy", 0), npz.write(b""), npz.end(), npz.usable()] {
                    let err = err.unwrap_err();
                    assert_eq!((err.kind(), err.path()), (kind, "x"));
                }
                assert_eq!(npz.finish().unwrap_err().kind(), kind);
                assert_eq!(position(&bytes, b"PK\x01\x02"), None);
                assert_eq!(position(&bytes, b"PK\x05\x06"), None);
            }
        }
    }

    #[test]
    fn dropped_without_finish_there_is_no_archive() {
        for options in [WriteOptions::new(), WriteOptions::new().compressed()] {
            for halfway in [false, true] {
                let mut bytes = Vec::new();
                let mut npz = NpzWriter::with_options(Cursor::new(&mut bytes), &options);
                add(&mut npz, "x.npy", b"1234").unwrap();
                if halfway {
                    npz.begin("y.npy", 4).unwrap();
                }
                drop(npz);
                assert_eq!(position(&bytes, b"PK\x01\x02"), None);
            }
        }
        // Nor does finishing in the middle of a member make one.
        let mut bytes = Vec::new();
        let mut npz = NpzWriter::new(Cursor::new(&mut bytes));
        npz.begin("y.npy", 4).unwrap();
        let err = npz.finish().unwrap_err();
        assert_eq!((err.kind(), err.path()), (ErrorKind::InvalidValue, "y"));
        assert_eq!(position(&bytes, b"PK\x01\x02"), None);
    }

    /// Takes so many bytes and then no more.
    struct Full(Cursor<Vec<u8>>, usize);

    impl Write for Full {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            let room = self.1.min(bytes.len());
            if room == 0 && !bytes.is_empty() {
                return Err(io::ErrorKind::StorageFull.into());
            }
            self.1 -= room;
            self.0.write(&bytes[..room])
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    impl Seek for Full {
        fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
            self.0.seek(to)
        }
    }

    #[test]
    fn a_full_disk_is_an_error_wherever_it_strikes() {
        let archive = |room: usize, options: &WriteOptions| -> Result<usize> {
            let mut npz = NpzWriter::with_options(Full(Cursor::new(Vec::new()), room), options);
            add(&mut npz, "x.npy", b"12345678")?;
            add(&mut npz, "y.npy", b"12345678")?;
            Ok(room - npz.finish()?.1)
        };
        for options in [WriteOptions::new(), WriteOptions::new().compressed()] {
            let needed = archive(10_000, &options).unwrap();
            for room in 0..needed {
                assert_eq!(
                    archive(room, &options).unwrap_err().kind(),
                    ErrorKind::Io,
                    "{room} of {needed}"
                );
            }
            archive(needed, &options).unwrap();
        }
    }

    #[test]
    fn compressed_members_meet_the_size_of_zlib_6() {
        let wave: Vec<u8> = (0..125_000)
            .flat_map(|i| (0.001 * f64::from(i)).sin().to_le_bytes())
            .collect();
        let size = |compression| {
            let options = WriteOptions::new().compression(compression);
            let mut npz = NpzWriter::with_options(Cursor::new(Vec::new()), &options);
            add(&mut npz, "x.npy", &wave).unwrap();
            npz.finish().unwrap().into_inner().len()
        };
        let stored = size(Compression::Stored);
        assert_eq!(size(Compression::Deflate(0)), stored);
        let sizes: Vec<_> = (1..=10).map(|level| size(Compression::Deflate(level))).collect();
        assert_eq!(sizes[8], sizes[9]);
        // Python's zlib makes 938,152 bytes of the same at level 6.
        assert!(sizes[5] < 938_152 * 102 / 100, "{sizes:?}");
    }
}
