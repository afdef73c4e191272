//! The calls to the system that a replacement consists of, as a trait: tests put a disk behind it that can lose power.
//!
//! ```text
//! create_new ─► write .. ─► sync ─► rename ─► sync_directory
//!      │                              │
//!      └─ locked until closed         └─ from here on the file has its name
//! ```

use std::ffi::OsString;
use std::fs::{self, File, OpenOptions, Permissions, TryLockError};
use std::io::{self, Read, Seek, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::parent;

/// A smaller file is written, and replaced, faster without a reservation.
#[cfg(target_os = "linux")]
const LEAST_RESERVED: u64 = 4 << 20;

/// What saving asks of a file system. [`Os`] is the only one outside of tests.
pub(crate) trait Disk: Clone {
    type File: Read + Write + Seek;

    /// Where the links of `path` end, and the mode of the plain file there, if there is one.
    fn target(&self, path: &Path) -> io::Result<(PathBuf, Option<Permissions>)>;

    /// Creates a file, which [`Disk::remove_abandoned`] leaves alone while it is open.
    fn create_new(&self, path: &Path, mode: Option<Permissions>) -> io::Result<Self::File>;

    /// An existing file, to read.
    fn open(&self, path: &Path) -> io::Result<Self::File>;

    /// A second handle to the same open file.
    fn duplicate(&self, file: &Self::File) -> io::Result<Self::File>;

    /// Syncs the bytes of a file to the disk.
    fn sync(&self, file: &Self::File) -> io::Result<()>;

    /// Reserves disk space for a part of a file, where the system can; the length of the file stays as it is.
    ///
    /// A large write into reserved space is faster. That this fails is no error: if the disk is full, the write will
    /// say so.
    fn reserve(&self, _file: &Self::File, _offset: u64, _len: u64) {}

    /// Reserves disk space for everything written so far.
    ///
    /// Without it, ext4 writes all of a file to the disk at the moment that it is renamed over another one, because
    /// it has not yet decided where the bytes will go. For a large file that takes twice as long as writing it did.
    fn reserve_written(&self, _file: &Self::File) {}

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()>;

    /// Syncs the names in a directory to the disk.
    fn sync_directory(&self, directory: &Path) -> io::Result<()>;

    fn remove(&self, path: &Path) -> io::Result<()>;

    /// Removes a file that [`Disk::create_new`] made, if nobody has it open any more.
    fn remove_abandoned(&self, path: &Path) -> io::Result<()>;

    /// Makes a directory below an existing one; `false` if it was there.
    fn create_directory(&self, path: &Path) -> io::Result<bool>;

    /// The path without links and dots.
    fn canonical(&self, path: &Path) -> io::Result<PathBuf>;

    /// The names in a directory.
    fn list(&self, directory: &Path) -> io::Result<Vec<OsString>>;
}

/// The file system of the operating system.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Os;

impl Disk for Os {
    type File = File;

    fn target(&self, path: &Path) -> io::Result<(PathBuf, Option<Permissions>)> {
        let target = follow_links(path)?;
        if target.file_name().is_none() {
            return Err(io::Error::new(
                io::ErrorKind::InvalidInput,
                "the path ends without the name of a file",
            ));
        }
        match fs::metadata(&target) {
            Ok(found) if found.is_file() => Ok((target, Some(found.permissions()))),
            Ok(found) => {
                // A rename over a device or a pipe would replace the node itself.
                let what = if found.is_dir() {
                    "a directory"
                } else {
                    "a device, pipe or socket"
                };
                Err(io::Error::new(
                    io::ErrorKind::InvalidInput,
                    format!("found {what}, expected a plain file or a free name"),
                ))
            }
            Err(err) if err.kind() == io::ErrorKind::NotFound => Ok((target, None)),
            Err(err) => Err(err),
        }
    }

    fn create_new(&self, path: &Path, mode: Option<Permissions>) -> io::Result<File> {
        let file = OpenOptions::new().read(true).write(true).create_new(true).open(path)?;
        if lock(&file) == Lock::Held || !path.exists() {
            // Swept in the moment before it was locked: for the caller a name that was taken.
            return Err(io::ErrorKind::AlreadyExists.into());
        }
        if let Some(mode) = mode
            && let Err(err) = file.set_permissions(mode)
        {
            // While the file is still empty: nobody else may read, even for a moment, what only the owner may.
            let _ = fs::remove_file(path);
            return Err(err);
        }
        Ok(file)
    }

    fn open(&self, path: &Path) -> io::Result<File> {
        File::open(path)
    }

    fn duplicate(&self, file: &File) -> io::Result<File> {
        file.try_clone()
    }

    fn sync(&self, file: &File) -> io::Result<()> {
        file.sync_all()
    }

    fn reserve(&self, file: &File, offset: u64, len: u64) {
        #[cfg(target_os = "linux")]
        if len >= LEAST_RESERVED {
            let _ = rustix::fs::fallocate(file, rustix::fs::FallocateFlags::KEEP_SIZE, offset, len);
        }
        #[cfg(not(target_os = "linux"))]
        let _ = (file, offset, len);
    }

    fn reserve_written(&self, file: &File) {
        if let Ok(found) = file.metadata() {
            self.reserve(file, 0, found.len());
        }
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        fs::rename(from, to)
    }

    fn sync_directory(&self, directory: &Path) -> io::Result<()> {
        if !cfg!(unix) {
            // Elsewhere a directory cannot be opened as a file, and its entries need no push.
            return Ok(());
        }
        match File::open(directory)?.sync_all() {
            // Some network and FUSE file systems know no such thing as syncing a directory.
            Err(err) if matches!(err.kind(), io::ErrorKind::InvalidInput | io::ErrorKind::Unsupported) => Ok(()),
            result => result,
        }
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        fs::remove_file(path)
    }

    fn remove_abandoned(&self, path: &Path) -> io::Result<()> {
        // Open to write: over NFS only such a file takes an exclusive lock.
        let file = OpenOptions::new().read(true).write(true).open(path)?;
        let abandoned = match lock(&file) {
            Lock::Taken => true,
            Lock::Held => false,
            Lock::Unknown => {
                let age = file.metadata()?.modified()?.elapsed();
                age.is_ok_and(|age| age > LONGEST_SAVE)
            }
        };
        if abandoned {
            // The lock is still held: whoever created the file and locks it only now finds it locked, or gone.
            fs::remove_file(path)?;
        }
        Ok(())
    }

    fn create_directory(&self, path: &Path) -> io::Result<bool> {
        match fs::create_dir(path) {
            Ok(()) => Ok(true),
            Err(_) if path.is_dir() => Ok(false),
            Err(err) => Err(err),
        }
    }

    fn canonical(&self, path: &Path) -> io::Result<PathBuf> {
        fs::canonicalize(path)
    }

    fn list(&self, directory: &Path) -> io::Result<Vec<OsString>> {
        fs::read_dir(directory)?.map(|entry| Ok(entry?.file_name())).collect()
    }
}

/// Where files cannot be locked, one that has not been written to for so long is taken for abandoned.
const LONGEST_SAVE: Duration = Duration::from_secs(24 * 60 * 60);

#[derive(PartialEq)]
enum Lock {
    Taken,
    Held,
    /// There are no locks here.
    Unknown,
}

/// Locks a file for as long as it is open; the system unlocks it when the process ends, however it ends.
///
/// A process id would not do: containers that share a directory all have a process 1.
fn lock(file: &File) -> Lock {
    if !cfg!(unix) {
        // On other systems a lock would also keep everybody else from reading.
        return Lock::Unknown;
    }
    match file.try_lock() {
        Ok(()) => Lock::Taken,
        Err(TryLockError::WouldBlock) => Lock::Held,
        Err(TryLockError::Error(_)) => Lock::Unknown,
    }
}

/// The path at the end of a chain of symbolic links, whether or not there is a file.
fn follow_links(path: &Path) -> io::Result<PathBuf> {
    const MOST_LINKS: usize = 40;
    let mut target = path.to_path_buf();
    for _ in 0..MOST_LINKS {
        match fs::symlink_metadata(&target) {
            Ok(found) if found.file_type().is_symlink() => {
                // `join` keeps an absolute link as it is.
                target = parent(&target).join(fs::read_link(&target)?);
            }
            _ => return Ok(target),
        }
    }
    Err(io::Error::new(io::ErrorKind::InvalidInput, "too many symbolic links"))
}
