//! The three ways to map a file, and the lock on one that is changed in place.

use std::fs::{File, TryLockError};
use std::io;
use std::path::Path;

use memmap2::{Mmap, MmapMut, MmapOptions};

use super::failed;
use crate::error::{Error, ErrorKind, Result};

/// To read: mode `r`.
///
/// # Safety
///
/// Nobody changes the file or cuts it off while the map lives.
pub(super) unsafe fn read(file: &File, path: &Path) -> Result<Mmap> {
    // SAFETY: the caller promises what `map` asks for, and the map itself is read-only.
    unsafe { MmapOptions::new().map(file) }.map_err(|err| failed("mapping", path, err))
}

/// To change only in memory: mode `c`.
///
/// # Safety
///
/// That of [`read`]: what others write shows in pages that were not changed here.
pub(super) unsafe fn copy_on_write(file: &File, path: &Path) -> Result<MmapMut> {
    // SAFETY: the caller promises what `map_copy` asks for; what is written goes to pages of this process.
    unsafe { MmapOptions::new().map_copy(file) }.map_err(|err| failed("mapping", path, err))
}

/// To change in place: mode `r+`. The file stays locked as long as `file` is open.
///
/// # Safety
///
/// While the map lives, the file is changed only through it, is not cut off, and is in no other map.
pub(super) unsafe fn in_place(file: &File, path: &Path) -> Result<MmapMut> {
    lock(file, path)?;
    // SAFETY: the caller promises what `map_mut` asks for.
    unsafe { MmapOptions::new().map_mut(file) }.map_err(|err| failed("mapping", path, err))
}

/// Two maps of one file, each to be changed, would be two `&mut` to the same bytes.
fn lock(file: &File, path: &Path) -> Result<()> {
    match file.try_lock() {
        Ok(()) => Ok(()),
        Err(TryLockError::WouldBlock) => Err(Error::new(
            ErrorKind::Io,
            format_args!(
                "found `{}` locked, expected a file that nobody else is changing: another `NpyMmapMut` or a writer that \
                 appends has it open, here or in another program",
                path.to_string_lossy().escape_debug()
            ),
        )
        .with_source(io::Error::from(io::ErrorKind::WouldBlock))),
        // Some file systems have no locks: there the caller's promise has to do.
        Err(TryLockError::Error(err)) if err.kind() == io::ErrorKind::Unsupported => Ok(()),
        Err(TryLockError::Error(err)) => Err(failed("locking", path, err)),
    }
}
