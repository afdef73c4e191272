//! The calls to the system that a replacement consists of, as a trait: tests put a disk behind it that can lose power.
//!
//! ```text
//! create_new ─► write .. ─► keep_access ─► sync ─► rename ─► sync_directory
//!      │                         │                    │
//!      └─ locked until the end   │                    └─ from here on the file has its name
//!                                └─ only where it replaces one; up to here only its owner may open it
//! ```

use std::ffi::OsString;
use std::fs::{self, File, Metadata, OpenOptions};
use std::io::{self, Read, Seek, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::access;
use super::links;
use super::lock::{self, Lock, lock};

/// A smaller file is written, and replaced, faster without a reservation.
#[cfg(target_os = "linux")]
const LEAST_RESERVED: u64 = 4 << 20;

/// What saving asks of a file system. [`Os`] is the only one outside of tests.
pub(crate) trait Disk: Clone {
    type File: Read + Write + Seek;

    /// Where the links of `path` end, and the plain file there, if there is one.
    fn target(&self, path: &Path) -> io::Result<(PathBuf, Option<Metadata>)>;

    /// Creates a file, which [`Disk::remove_abandoned`] leaves alone while it is open. Nobody but its owner can open one
    /// that is `private`.
    fn create_new(&self, path: &Path, private: bool) -> io::Result<Self::File>;

    /// Lets those read and write a file who could do so with the one that it is about to replace.
    fn keep_access(&self, file: &Self::File, replaced: &Metadata) -> io::Result<()>;

    /// Ends the lock of [`Disk::create_new`], whoever else has the file open.
    fn unlock(&self, _file: &Self::File) {}

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

    /// As [`Disk::rename`], but `AlreadyExists` where something has the name `to`.
    fn rename_new(&self, from: &Path, to: &Path) -> io::Result<()>;

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

    fn target(&self, path: &Path) -> io::Result<(PathBuf, Option<Metadata>)> {
        links::target(path)
    }

    fn create_new(&self, path: &Path, private: bool) -> io::Result<File> {
        let mut options = lock::options();
        options.create_new(true);
        #[cfg(unix)]
        if private {
            // Whoever could open it now could read all that is written later.
            std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        }
        #[cfg(not(unix))]
        let _ = private;
        let file = options.open(path)?;
        if lock(&file) == Lock::Held || !path.exists() {
            // Swept in the moment before it was locked: for the caller a name that was taken.
            return Err(io::ErrorKind::AlreadyExists.into());
        }
        Ok(file)
    }

    fn keep_access(&self, file: &File, replaced: &Metadata) -> io::Result<()> {
        access::keep(file, replaced)
    }

    fn unlock(&self, file: &File) {
        lock::unlock(file);
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

    fn rename_new(&self, from: &Path, to: &Path) -> io::Result<()> {
        let taken = || {
            io::Error::new(
                io::ErrorKind::AlreadyExists,
                "somebody else has made a file of this name meanwhile, which is not replaced",
            )
        };
        #[cfg(target_os = "linux")]
        {
            use rustix::fs::{CWD, RenameFlags, renameat_with};
            use rustix::io::Errno;

            match renameat_with(CWD, from, CWD, to, RenameFlags::NOREPLACE) {
                Err(Errno::EXIST) => return Err(taken()),
                // Some file systems do not know the flag.
                Err(Errno::INVAL | Errno::NOSYS | Errno::OPNOTSUPP) => {}
                result => return Ok(result?),
            }
        }
        match fs::symlink_metadata(to) {
            Ok(_) => Err(taken()),
            Err(_) => fs::rename(from, to),
        }
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
        if !is_own(&fs::symlink_metadata(path)?) {
            return Ok(());
        }
        let file = options_without_links().open(path)?;
        let found = file.metadata()?;
        if !is_own(&found) {
            return Ok(());
        }
        let abandoned = match lock(&file) {
            Lock::Taken => true,
            Lock::Held => false,
            Lock::Unknown => {
                let age = found.modified()?.elapsed();
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

/// How to open a file whose name something else may have taken: a link is not followed, a pipe not waited for.
fn options_without_links() -> OpenOptions {
    // To write as well: over NFS only such a file takes an exclusive lock.
    let options = lock::options();
    #[cfg(unix)]
    let options = {
        use rustix::fs::OFlags;
        use std::os::unix::fs::OpenOptionsExt;

        let flags = OFlags::NOFOLLOW | OFlags::NONBLOCK;
        let mut options = options;
        options.custom_flags(flags.bits().cast_signed());
        options
    };
    options
}

/// Whether this may be a file that a save of this user has made: a plain one, under one name.
fn is_own(found: &Metadata) -> bool {
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt;

        found.is_file() && found.nlink() == 1 && found.uid() == rustix::process::geteuid().as_raw()
    }
    #[cfg(not(unix))]
    found.is_file()
}
