//! Replaces a file atomically: the bytes go to a temporary file beside it, which takes the name only when it is complete.
//!
//! ```text
//! dir/data.npz              untouched until commit, then replaced in one step
//! dir/.serde_npz-1f3-0-9c   written meanwhile; removed where commit is never reached
//! ```
//!
//! | what happens | a plain save | a durable one |
//! |---|---|---|
//! | an error, a panic, a full disk | the old file stays, no other is left | the same |
//! | the process is killed | the old file or the new one, whole | the same; the new one once the call has returned |
//! | the power fails | the old, the new, or (as the system orders its writes) an empty or torn one | the old file or the new one, whole; the new one once the call has returned |
//!
//! A failed sync is a failed save and is never repeated: the system may have dropped the pages it could not write, and
//! a second call would report success for what is left.

mod access;
mod disk;
mod links;
mod lock;
#[cfg(test)]
pub(crate) mod model;
#[cfg(test)]
mod tests;

use std::collections::hash_map::RandomState;
use std::ffi::{OsStr, OsString};
use std::fs::{self, File, Metadata};
use std::hash::{BuildHasher, Hasher};
use std::io::{self, Read, Seek, SeekFrom};
use std::path::{Component, Path, PathBuf};
use std::process;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

pub(crate) use self::disk::{Disk, Os};
#[cfg(feature = "mmap")]
pub(crate) use self::lock::create_to_change;
pub(crate) use self::lock::{Locked, open_to_change, open_to_replace};
use crate::error::{Error, ErrorKind, Result};
use crate::options::progress::Meter;

/// What the names of temporary files start with.
const TEMPORARY: &str = ".serde_npz-";

/// A temporary file that gets its name by [`AtomicFile::commit`], and is removed without it.
pub(crate) struct AtomicFile<D: Disk = Os> {
    disk: D,
    target: PathBuf,
    /// `None` once the file has its final name.
    temporary: Option<PathBuf>,
    file: D::File,
    /// What was under the name at the start.
    replaced: Option<Metadata>,
    /// The same, where nobody else may append to it meanwhile.
    old: Option<Arc<Locked>>,
    /// Whether the file stays locked when it has its name.
    grows: bool,
    /// Whether the name has to be free: a file that somebody else has made meanwhile is not replaced.
    new: bool,
    durable: bool,
}

impl AtomicFile {
    /// Starts to replace `path`; the new bytes are written to the `File` that is returned.
    pub(crate) fn create(path: &Path, durable: bool) -> Result<(Self, File)> {
        Self::create_on(Os, path, durable)
    }

    /// As [`AtomicFile::create`], where `old` is the file under that name: it stays locked until the new one has the name.
    pub(crate) fn create_over(old: Arc<Locked>, path: &Path, durable: bool) -> Result<(Self, File)> {
        let (mut atomic, handle) = Self::create(path, durable)?;
        atomic.old = Some(old);
        Ok((atomic, handle))
    }

    /// As [`AtomicFile::create`], where nothing had this name a moment ago, and nothing may have it in the end.
    pub(crate) fn create_new(path: &Path, durable: bool) -> Result<(Self, File)> {
        let (mut atomic, handle) = Self::create(path, durable)?;
        atomic.new = true;
        Ok((atomic, handle))
    }

    /// Starts to replace the same path once more; this attempt is given up.
    pub(crate) fn again(&self) -> Result<(Self, File)> {
        let (mut atomic, handle) = Self::create(&self.target, self.durable)?;
        atomic.old.clone_from(&self.old);
        atomic.new = self.new;
        Ok((atomic, handle))
    }

    /// Appends bytes of another file. The system copies them itself if it can; some file systems then share the blocks.
    pub(crate) fn copy_from(&self, mut source: &File, offset: u64, len: u64, meter: &mut Meter) -> io::Result<()> {
        source.seek(SeekFrom::Start(offset))?;
        let mut left = len;
        while left > 0 {
            let now = meter.at_once(left);
            if io::copy(&mut source.take(now), &mut &self.file)? < now {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            meter.add(now)?;
            left -= now;
        }
        Ok(())
    }

    /// The temporary file, to read back what was written.
    pub(crate) fn file(&self) -> &File {
        &self.file
    }

    /// Reserves disk space for the `len` bytes from `offset` on that are about to be written: see [`Disk::reserve`].
    pub(crate) fn reserve(&self, offset: u64, len: u64) {
        self.disk.reserve(&self.file, offset, len);
    }
}

impl<D: Disk> AtomicFile<D> {
    /// As [`AtomicFile::create`], on any disk.
    pub(crate) fn create_on(disk: D, path: &Path, durable: bool) -> Result<(Self, D::File)> {
        Self::start(disk, path, durable).map_err(|err| failed("creating", path, err))
    }

    fn start(disk: D, path: &Path, durable: bool) -> io::Result<(Self, D::File)> {
        let (target, replaced) = disk.target(path)?;
        let (temporary, file) = create_beside(&disk, &target, replaced.is_some())?;
        let atomic = AtomicFile {
            disk,
            target,
            temporary: Some(temporary),
            file,
            replaced,
            old: None,
            grows: false,
            new: false,
            durable,
        };
        let handle = atomic.disk.duplicate(&atomic.file)?;
        Ok((atomic, handle))
    }

    /// Gives the file its name. Everything written must have been flushed before.
    pub(crate) fn commit(self) -> Result<()> {
        self.commit_checked(|_| Ok(()))
    }

    /// As [`AtomicFile::commit`], for a file that goes on growing: it stays locked while it is open.
    pub(crate) fn commit_to_grow(mut self) -> Result<()> {
        self.grows = true;
        self.commit()
    }

    /// As [`AtomicFile::commit`], if `check` accepts the file that was written.
    pub(crate) fn commit_checked(mut self, check: impl FnOnce(&mut D::File) -> Result<()>) -> Result<()> {
        let in_file = |err| failed("writing", &self.target, err);
        if let Some(replaced) = &self.replaced {
            self.disk.keep_access(&self.file, replaced).map_err(in_file)?;
        }
        if self.durable {
            self.disk.sync(&self.file).map_err(in_file)?;
        } else {
            self.disk.reserve_written(&self.file);
        }
        check(&mut self.file)?;
        if let Some(temporary) = &self.temporary {
            let renamed = match self.new {
                true => self.disk.rename_new(temporary, &self.target),
                false => self.disk.rename(temporary, &self.target),
            };
            renamed.map_err(in_file)?;
            self.temporary = None;
        }
        if self.durable {
            let directory = parent(&self.target);
            self.disk
                .sync_directory(directory)
                .map_err(|err| failed("syncing the directory of", &self.target, err))?;
        }
        Ok(())
    }
}

impl<D: Disk> Drop for AtomicFile<D> {
    fn drop(&mut self) {
        if let Some(temporary) = self.temporary.take() {
            // Nobody is left to handle an error, and the target was never touched.
            let _ = self.disk.remove(&temporary);
        }
        if !self.grows {
            self.disk.unlock(&self.file);
        }
    }
}

/// `path` with `suffix` appended unless it ends with it, as NumPy does. The path of a directory, such as `dir/`, has no
/// name that a suffix could be part of: NumPy makes the hidden file `dir/.npz` of it.
pub(crate) fn with_suffix(path: &Path, suffix: &str) -> Result<PathBuf> {
    let bytes = path.as_os_str().as_encoded_bytes();
    let names_a_file = match path.components().next_back() {
        Some(Component::Normal(name)) => bytes.ends_with(name.as_encoded_bytes()),
        _ => false,
    };
    if !names_a_file {
        return Err(Error::new(
            ErrorKind::Io,
            format_args!(
                "found `{}`, which names a directory, expected the path of a file",
                path.to_string_lossy().escape_debug()
            ),
        )
        .with_source(io::Error::from(io::ErrorKind::IsADirectory)));
    }
    let mut name: OsString = path.as_os_str().to_owned();
    if !bytes.ends_with(suffix.as_bytes()) {
        name.push(suffix);
    }
    Ok(PathBuf::from(name))
}

/// The file that a `create` of this name makes, or else the one with exactly this name.
pub(crate) fn existing(path: &Path, suffix: &str) -> Result<PathBuf> {
    let suffixed = with_suffix(path, suffix)?;
    Ok(if suffixed.exists() || !path.exists() {
        suffixed
    } else {
        path.to_owned()
    })
}

/// `None` where there is no file to open.
pub(crate) fn if_any<T>(opened: Result<T>) -> Result<Option<T>> {
    let is_missing = |err: &Error| {
        let source = std::error::Error::source(err).and_then(|source| source.downcast_ref::<io::Error>());
        source.is_some_and(|source| source.kind() == io::ErrorKind::NotFound)
    };
    match opened {
        Err(err) if is_missing(&err) => Ok(None),
        opened => opened.map(Some),
    }
}

/// Opens `path` to read it; the error names it.
pub(crate) fn open(path: &Path) -> Result<File> {
    let opened = File::open(path).and_then(|file| match file.metadata() {
        // Unix opens a directory, and only reading it fails, where nobody knows the path any more.
        Ok(found) if found.is_dir() => Err(io::Error::new(
            io::ErrorKind::IsADirectory,
            "found a directory, expected a file",
        )),
        _ => Ok(file),
    });
    opened.map_err(|err| failed("opening", path, err))
}

/// As [`open`], with the length of a plain file. For a pipe or device, whose length is not known, it is 0.
pub(crate) fn open_sized(path: &Path) -> Result<(File, u64)> {
    let file = open(path)?;
    let len = file
        .metadata()
        .ok()
        .filter(fs::Metadata::is_file)
        .map_or(0, |found| found.len());
    Ok((file, len))
}

/// Makes a directory and those above it, and syncs their names to the disk.
///
/// It syncs all of them, not only the new ones: an earlier process may have made them and been killed before it could.
pub(crate) fn create_directories<D: Disk>(disk: &D, directory: &Path) -> io::Result<()> {
    let mut missing = Vec::new();
    let mut top = directory;
    let made_in = loop {
        match disk.create_directory(top) {
            Ok(true) => break parent(top),
            Ok(false) => break top,
            Err(err) if err.kind() == io::ErrorKind::NotFound && parent(top) != top => {
                missing.push(top);
                top = parent(top);
            }
            Err(err) => return Err(err),
        }
    };
    for directory in missing.into_iter().rev() {
        disk.create_directory(directory)?;
    }
    let made_in = disk.canonical(made_in)?;
    for named_in in disk.canonical(directory)?.ancestors().skip(1) {
        match disk.sync_directory(named_in) {
            // A directory that may not be read cannot be synced; nothing was made in it here.
            Err(err)
                if matches!(
                    err.kind(),
                    io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem
                ) && !named_in.starts_with(&made_in) => {}
            result => result?,
        }
    }
    Ok(())
}

/// Whether a file name is that of a temporary file, one under way or one left behind.
pub(crate) fn is_temporary(name: &OsStr) -> bool {
    let Some(numbers) = name.to_str().and_then(|name| name.strip_prefix(TEMPORARY)) else {
        return false;
    };
    let is_number = |part: &str| !part.is_empty() && part.bytes().all(|digit| digit.is_ascii_hexdigit());
    numbers.split('-').count() == 3 && numbers.split('-').all(is_number)
}

/// An error of the system, with a text that says what was done to which path.
pub(crate) fn failed(doing: &str, path: &Path, err: io::Error) -> Error {
    let path = path.to_string_lossy();
    let error = Error::new(
        ErrorKind::Io,
        format_args!("{doing} `{}` failed: {err}", path.escape_debug()),
    );
    match err.get_ref().and_then(|cause| cause.downcast_ref()) {
        Some(cause) => error.with_hint_of(cause),
        None => error,
    }
    .with_source(err)
}

/// The directory of a file; for a bare name it is the current one.
fn parent(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    }
}

/// A new file in the directory of `target`: only within one file system is a rename one step.
fn create_beside<D: Disk>(disk: &D, target: &Path, private: bool) -> io::Result<(PathBuf, D::File)> {
    const MOST_TRIES: usize = 100;
    static COUNTER: AtomicU64 = AtomicU64::new(0);
    let mut last = io::Error::from(io::ErrorKind::AlreadyExists);
    for _ in 0..MOST_TRIES {
        let count = COUNTER.fetch_add(1, Ordering::Relaxed);
        // The standard library seeds this at random: another machine may share the directory and have this process id.
        let random = RandomState::new().build_hasher().finish();
        // Not made of the target's name, which may already be as long as a name can be.
        let name = format!("{TEMPORARY}{:x}-{count:x}-{random:x}", process::id());
        let path = parent(target).join(name);
        match disk.create_new(&path, private) {
            Ok(file) => return Ok((path, file)),
            Err(err) if err.kind() == io::ErrorKind::AlreadyExists => last = err,
            Err(err) => return Err(err),
        }
    }
    Err(last)
}
