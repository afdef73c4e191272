//! Where a path leads, followed by hand: the file at the end of its links is replaced, not the link.
//!
//! ```text
//! run.npz ─► latest.npz ─► /data/7.npz      a file is made in /data, and takes the name 7.npz
//! out.npy ─► /proc/self/fd/1 ─► log.txt     refused: log.txt would be replaced under a program that writes to it
//! /tmp/x.npz ─► /root/x.npz                 refused where another user has made the link
//! ```

use std::fs::{self, Metadata};
use std::io;
use std::path::{Path, PathBuf};

use super::parent;
use crate::error::{Error, ErrorKind};

/// The path of the file to replace, and what is there now.
pub(super) fn target(path: &Path) -> io::Result<(PathBuf, Option<Metadata>)> {
    let target = follow(path)?;
    if target.file_name().is_none() {
        return Err(refused(
            "found a path that ends without the name of a file, expected one with a name",
            None,
        ));
    }
    match fs::metadata(&target) {
        Ok(found) if found.is_file() => Ok((target, Some(found))),
        Ok(found) => Err(no_file(&found)),
        Err(err) if err.kind() == io::ErrorKind::NotFound => {
            check_free_name(&target)?;
            Ok((target, None))
        }
        Err(err) => Err(err),
    }
}

/// The path at the end of a chain of symbolic links, whether or not there is a file.
fn follow(path: &Path) -> io::Result<PathBuf> {
    const MOST_LINKS: usize = 40;
    let mut target = path.to_path_buf();
    for _ in 0..MOST_LINKS {
        match fs::symlink_metadata(&target) {
            Ok(found) if found.file_type().is_symlink() => {
                let directory = parent(&target);
                check_link(directory, &found)?;
                // `join` keeps an absolute link as it is.
                target = directory.join(fs::read_link(&target)?);
            }
            _ => return Ok(target),
        }
    }
    Err(refused("found too many symbolic links, expected at most 40", None))
}

/// Whether a link in this directory may be followed.
#[cfg(unix)]
fn check_link(directory: &Path, link: &Metadata) -> io::Result<()> {
    use std::os::unix::fs::MetadataExt;

    const STICKY_AND_WRITABLE_BY_ALL: u32 = 0o1002;
    if is_proc(directory)? {
        return Err(refused(
            "found a link of the system to a file that is already open, such as `/dev/stdout`, expected the path of a file",
            Some("`to_npy_writer`, `to_npz_writer` and `to_npz_stream` write to open files"),
        ));
    }
    let found = fs::metadata(directory)?;
    // What Linux does where `fs.protected_symlinks` is set: in /tmp any user may put a link in our way.
    if found.mode() & STICKY_AND_WRITABLE_BY_ALL == STICKY_AND_WRITABLE_BY_ALL
        && ![rustix::process::geteuid().as_raw(), found.uid()].contains(&link.uid())
    {
        return Err(io::Error::new(
            io::ErrorKind::PermissionDenied,
            format!(
                "found a symbolic link that user {} has made in `{}`, where anybody may make files, expected one of our own",
                link.uid(),
                directory.to_string_lossy().escape_debug()
            ),
        ));
    }
    Ok(())
}

#[cfg(not(unix))]
fn check_link(_: &Path, _: &Metadata) -> io::Result<()> {
    Ok(())
}

/// Whether the links in this directory lead to what processes have open.
#[cfg(target_os = "linux")]
fn is_proc(directory: &Path) -> io::Result<bool> {
    Ok(rustix::fs::statfs(directory)?.f_type == rustix::fs::PROC_SUPER_MAGIC)
}

#[cfg(all(unix, not(target_os = "linux")))]
fn is_proc(directory: &Path) -> io::Result<bool> {
    Ok(fs::canonicalize(directory)?.starts_with("/proc"))
}

/// An error for a free name like `/dev/stdout.npy`: the suffix is ours, and the caller meant the device.
fn check_free_name(target: &Path) -> io::Result<()> {
    if !target.starts_with("/dev") && !target.starts_with("/proc") {
        return Ok(());
    }
    match follow(&target.with_extension("")) {
        Ok(meant) => match fs::metadata(meant) {
            Ok(found) if !found.is_file() && !found.is_dir() => Err(no_file(&found)),
            _ => Ok(()),
        },
        Err(err) if err.kind() == io::ErrorKind::InvalidInput => Err(err),
        Err(_) => Ok(()),
    }
}

/// A rename over a device or a pipe would replace the node itself.
fn no_file(found: &Metadata) -> io::Error {
    if found.is_dir() {
        refused("found a directory, expected a plain file or a free name", None)
    } else {
        refused(
            "found a device, pipe or socket, expected a plain file or a free name",
            Some("`to_npy_writer`, `to_npz_writer` and `to_npz_stream` write to what is no plain file"),
        )
    }
}

fn refused(fact: &'static str, hint: Option<&'static str>) -> io::Error {
    let error = Error::new(ErrorKind::Io, fact);
    io::Error::new(
        io::ErrorKind::InvalidInput,
        match hint {
            Some(hint) => error.with_hint(hint),
            None => error,
        },
    )
}
