//! The three ways to map a file.

use std::fs::File;
use std::path::Path;

use memmap2::{Mmap, MmapMut, MmapOptions};

use crate::error::Result;
use crate::io::file::failed;

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

/// To change in place: mode `r+`. The caller has locked the file, as two such maps would be two `&mut` to the same bytes.
///
/// # Safety
///
/// While the map lives, the file is changed only through it, is not cut off, and is in no other map.
pub(super) unsafe fn in_place(file: &File, path: &Path) -> Result<MmapMut> {
    // SAFETY: the caller promises what `map_mut` asks for.
    unsafe { MmapOptions::new().map_mut(file) }.map_err(|err| failed("mapping", path, err))
}
