//! Who may read and write a file that takes the place of another one.
//!
//! ```text
//! data.npz          0640 alice staff     replaced by bob
//! .serde_npz-1f3..  0600 bob   bob       while it is written
//! data.npz          0640 bob   staff     bob is in the group staff
//! data.npz          0600 bob   bob       he is not: the group `bob` may never have had access
//! ```

use std::fs::{File, Metadata};
use std::io;

/// Gives a file the permissions of the one that it is about to replace, and its group where the system lets us.
///
/// Nobody may do more with the new file than with the old one, but for its new owner.
#[cfg(unix)]
pub(super) fn keep(file: &File, replaced: &Metadata) -> io::Result<()> {
    use std::fs::Permissions;
    use std::os::unix::fs::{MetadataExt, PermissionsExt, fchown};

    let found = file.metadata()?;
    // Without the bits that let a program run as its owner or group: the owner may be another one now.
    let mut mode = replaced.mode() & 0o777;
    if found.gid() != replaced.gid() && fchown(file, None, Some(replaced.gid())).is_err() {
        mode = without_group(mode);
    }
    // Some file systems have one mode for all files, and refuse any change.
    if found.mode() & 0o7777 != mode {
        file.set_permissions(Permissions::from_mode(mode))?;
    }
    Ok(())
}

#[cfg(not(unix))]
pub(super) fn keep(file: &File, replaced: &Metadata) -> io::Result<()> {
    file.set_permissions(replaced.permissions())
}

/// The mode for a file whose group is another one now: those who were in the old group are among the others now, and
/// some of the others in the new group, so both get what both had.
#[cfg(unix)]
pub(super) fn without_group(mode: u32) -> u32 {
    let both = (mode >> 3) & mode & 0o7;
    (mode & 0o700) | (both << 3) | both
}
