//! Locks: whoever changes a file keeps others from changing it, too. Readers need none.
//!
//! ```text
//! .serde_npz-1f3..   while it is written      the sweep leaves it alone
//! log.npy            while rows are added     a second `append` and a map that changes it are refused
//! data.npz           until it is replaced     a second `append` is refused
//! ```
//!
//! On Unix it is `flock`, which the system takes back however the process ends, and which only those see who ask for it.
//! On Windows a lock would keep everybody else from reading: there a file is opened so that nobody else can open it to
//! write. Where a file system has no locks there is none.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io;
use std::ops::Deref;
use std::path::Path;

use super::failed;
use crate::error::{Error, ErrorKind, Result};

/// A locked file. The lock ends with this handle, even where the same file is still open elsewhere: in the hands of the
/// caller, or in a child process that has not begun its own program yet.
pub(crate) struct Locked(File);

impl Deref for Locked {
    type Target = File;

    fn deref(&self) -> &File {
        &self.0
    }
}

impl Drop for Locked {
    fn drop(&mut self) {
        unlock(&self.0);
    }
}

impl Locked {
    /// One more handle to a file that is locked already, which is to keep the lock.
    pub(crate) fn taking_over(file: &File) -> io::Result<Self> {
        file.try_clone().map(Locked)
    }
}

pub(super) fn unlock(file: &File) {
    if cfg!(unix) {
        // Where there are no locks, there is nothing to take off.
        let _ = file.unlock();
    }
}

#[derive(PartialEq)]
pub(super) enum Lock {
    Taken,
    Held,
    /// There are no locks here.
    Unknown,
}

/// Locks a file for as long as it is open, in this process and those that inherit it.
///
/// A process id would not do: containers that share a directory all have a process 1.
pub(super) fn lock(file: &File) -> Lock {
    if !cfg!(unix) {
        return Lock::Unknown;
    }
    match file.try_lock() {
        Ok(()) => Lock::Taken,
        Err(TryLockError::WouldBlock) => Lock::Held,
        Err(TryLockError::Error(_)) => Lock::Unknown,
    }
}

/// How a file that is to be locked has to be opened.
pub(super) fn options() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.read(true).write(true);
    #[cfg(windows)]
    {
        use std::os::windows::fs::OpenOptionsExt;

        const FILE_SHARE_READ: u32 = 1;
        const FILE_SHARE_DELETE: u32 = 4;
        options.share_mode(FILE_SHARE_READ | FILE_SHARE_DELETE);
    }
    options
}

/// Opens the plain file `path` to change it in place, and locks it before anything is read.
pub(crate) fn open_to_change(path: &Path) -> Result<Locked> {
    open_locked(path, || options().open(path))
}

/// Opens the plain file `path` to read what a new file will take over, and locks it. It need not be writable.
pub(crate) fn open_to_replace(path: &Path) -> Result<Locked> {
    // Over NFS only a file that is open to write takes an exclusive lock.
    open_locked(path, || match options().open(path) {
        Err(err)
            if matches!(
                err.kind(),
                io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem
            ) =>
        {
            File::open(path)
        }
        result => result,
    })
}

/// Makes the file `path`, where there is none, and locks it.
#[cfg(feature = "mmap")]
pub(crate) fn create_to_change(path: &Path) -> io::Result<Locked> {
    let file = options().create_new(true).open(path)?;
    match lock(&file) {
        Lock::Held => Err(io::ErrorKind::WouldBlock.into()),
        Lock::Taken | Lock::Unknown => Ok(Locked(file)),
    }
}

fn open_locked(path: &Path, open: impl Fn() -> io::Result<File>) -> Result<Locked> {
    const MOST_TRIES: usize = 100;
    let opened = || {
        // Opening a pipe would wait until its other end is opened, too.
        if !fs::metadata(path)?.is_file() {
            return Err(io::Error::new(
                io::ErrorKind::InvalidInput,
                "found no plain file, expected one",
            ));
        }
        open()
    };
    for _ in 0..MOST_TRIES {
        let file = match opened() {
            Err(err) if is_shut(&err) => return Err(held(path)),
            result => result.map_err(|err| failed("opening", path, err))?,
        };
        if lock(&file) == Lock::Held {
            return Err(held(path));
        }
        let file = Locked(file);
        // Whoever had the lock may have replaced the file meanwhile: what is added to the old one would be lost.
        if is_named(&file, path).map_err(|err| failed("opening", path, err))? {
            return Ok(file);
        }
    }
    Err(held(path))
}

/// Whether somebody else has opened the file so that it cannot be opened to write.
fn is_shut(err: &io::Error) -> bool {
    const ERROR_SHARING_VIOLATION: i32 = 32;
    cfg!(windows) && err.raw_os_error() == Some(ERROR_SHARING_VIOLATION)
}

/// Whether `path` is the name of this very file.
fn is_named(file: &File, path: &Path) -> io::Result<bool> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt;

        let file = file.metadata()?;
        match fs::metadata(path) {
            Ok(named) => Ok((named.dev(), named.ino()) == (file.dev(), file.ino())),
            // The next try to open it says so.
            Err(err) if err.kind() == io::ErrorKind::NotFound => Ok(false),
            Err(err) => Err(err),
        }
    }
    #[cfg(not(unix))]
    {
        let _ = (file, path);
        Ok(true)
    }
}

#[cold]
fn held(path: &Path) -> Error {
    Error::new(
        ErrorKind::Io,
        format_args!(
            "found `{}` locked, expected a file that nobody else is changing",
            path.to_string_lossy().escape_debug()
        ),
    )
    .with_hint(
        "another `NpyWriter`, an `NpzWriter` that appends, or an `NpyMmapMut` has it open, here or in another program",
    )
    .with_source(io::Error::from(io::ErrorKind::WouldBlock))
}
