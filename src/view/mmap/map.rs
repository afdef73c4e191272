//! The three ways to map a file: the only `unsafe` of the maps.
//!
//! `memmap2` asks the caller to promise that nobody changes the file while it is mapped. No program can promise that of a
//! file system, so the promise is handed on: the documentation of every type that maps a file tells what happens and which
//! files to map. Everything else these maps need is checked: they are at least as long as what is looked at, and bytes
//! become elements through `bytemuck` only.

use std::fs::File;
use std::path::Path;

use memmap2::{Mmap, MmapMut, MmapOptions};

use super::failed;
use crate::error::Result;

/// To read: mode `r`.
pub(super) fn read(file: &File, path: &Path) -> Result<Mmap> {
    // SAFETY: the file is not changed through this map; that others let it be is what the caller is told to see to.
    unsafe { MmapOptions::new().map(file) }.map_err(|err| failed("mapping", path, err))
}

/// To change in memory alone: mode `c`.
pub(super) fn copy_on_write(file: &File, path: &Path) -> Result<MmapMut> {
    // SAFETY: as for `read`; what is written goes to pages of this process.
    unsafe { MmapOptions::new().map_copy(file) }.map_err(|err| failed("mapping", path, err))
}

/// To change in place: mode `r+`.
pub(super) fn in_place(file: &File, path: &Path) -> Result<MmapMut> {
    // SAFETY: as for `read`; within this process the map is the only way to these bytes that is handed out.
    unsafe { MmapOptions::new().map_mut(file) }.map_err(|err| failed("mapping", path, err))
}
