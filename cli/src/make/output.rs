//! A file that appears whole, or not at all; and names of members as paths, checked.
//!
//! ```text
//! .npz-tmp-<process>-<n>   written, flushed to the disk       a reader never sees it
//! run.npz                  the name, in one step; the directory is flushed as well
//! ```

use std::fs::{self, File, OpenOptions};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

use serde_npz::{NpzWriter, WriteOptions};

use crate::frame::fault::{Fault, Result};
use crate::frame::text::escape;

const BUFFER: usize = 256 << 10;

/// A file under way; it is removed if it is not finished.
pub struct Output {
    path: PathBuf,
    temporary: PathBuf,
    file: Option<File>,
    force: bool,
    /// Of the file that is replaced.
    permissions: Option<fs::Permissions>,
}

impl Output {
    /// Begins a file that will be called `path`. One that is there already is replaced only by `force`.
    pub fn create(path: &Path, force: bool) -> Result<Output> {
        let old = fs::symlink_metadata(path).ok();
        // A link stays, and the file it leads to is replaced.
        let path = match &old {
            Some(old) if old.is_symlink() && force => {
                fs::canonicalize(path).map_err(|err| Fault::from(err).of(path))?
            }
            _ => path.to_owned(),
        };
        if old.is_some() && !force {
            return Err(Fault::new("there is a file of this name already")
                .of(&path)
                .hint("--force replaces it"));
        }
        let old = fs::metadata(&path).ok();
        if old.as_ref().is_some_and(|old| !old.is_file()) {
            return Err(Fault::new("found what is no file, expected a file or nothing").of(&path));
        }
        let dir = parent(&path);
        let (file, temporary) = temporary(dir).map_err(|err| Fault::from(err).of(&path))?;
        Ok(Output {
            path,
            temporary,
            file: Some(file),
            force,
            permissions: old.map(|old| old.permissions()),
        })
    }

    /// Writes through `write` and finishes.
    pub fn write(mut self, write: impl FnOnce(&mut BufWriter<File>) -> Result<()>) -> Result<()> {
        let file = self.take()?;
        let mut writer = BufWriter::with_capacity(BUFFER, file);
        write(&mut writer).map_err(|fault| fault.of(&self.path))?;
        let flushed = writer.into_inner().map_err(|err| err.into_error());
        let file = flushed.map_err(|err| Fault::from(err).of(&self.path))?;
        self.finish(&file)
    }

    /// Writes an archive and finishes.
    pub fn write_npz<T>(
        mut self,
        options: &WriteOptions,
        write: impl FnOnce(&mut NpzWriter<BufWriter<File>>) -> Result<T>,
    ) -> Result<T> {
        let file = self.take()?;
        let mut npz = NpzWriter::with_options(BufWriter::with_capacity(BUFFER, file), options);
        let done = write(&mut npz)?;
        let finished = npz.finish().map_err(|err| Fault::from(err).of(&self.path))?;
        let flushed = finished.into_inner().map_err(|err| err.into_error());
        let file = flushed.map_err(|err| Fault::from(err).of(&self.path))?;
        self.finish(&file)?;
        Ok(done)
    }

    fn take(&mut self) -> Result<File> {
        self.file
            .take()
            .ok_or_else(|| Fault::new("the file has been written already"))
    }

    fn finish(&mut self, file: &File) -> Result<()> {
        let named = self.name(file);
        named.map_err(|err| match err.kind() {
            io::ErrorKind::AlreadyExists => Fault::new("there is a file of this name already")
                .of(&self.path)
                .hint("--force replaces it"),
            _ => Fault::from(err).of(&self.path),
        })
    }

    fn name(&mut self, file: &File) -> io::Result<()> {
        if let Some(permissions) = self.permissions.take() {
            file.set_permissions(permissions)?;
        }
        file.sync_all()?;
        if self.force {
            fs::rename(&self.temporary, &self.path)?;
        } else {
            // A link does not replace what somebody else has made meanwhile; a rename would.
            match fs::hard_link(&self.temporary, &self.path) {
                Ok(()) => fs::remove_file(&self.temporary)?,
                Err(err) if err.kind() == io::ErrorKind::AlreadyExists => return Err(err),
                Err(_) if self.path.exists() => return Err(io::ErrorKind::AlreadyExists.into()),
                Err(_) => fs::rename(&self.temporary, &self.path)?,
            }
        }
        self.temporary = PathBuf::new();
        // Not every system can open a directory.
        match File::open(parent(&self.path)) {
            Ok(dir) => dir.sync_all().or(Ok(())),
            Err(_) => Ok(()),
        }
    }
}

impl Drop for Output {
    fn drop(&mut self) {
        if !self.temporary.as_os_str().is_empty() {
            let _ = fs::remove_file(&self.temporary);
        }
    }
}

fn parent(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    }
}

/// A new file beside the one that will be.
fn temporary(dir: &Path) -> io::Result<(File, PathBuf)> {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    loop {
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let path = dir.join(format!(".npz-tmp-{}-{number}", std::process::id()));
        match OpenOptions::new().read(true).write(true).create_new(true).open(&path) {
            Ok(file) => return Ok((file, path)),
            Err(err) if err.kind() == io::ErrorKind::AlreadyExists && number < 10_000 => {}
            Err(err) => return Err(err),
        }
    }
}

/// Writes all of a reader.
pub fn copy(reader: &mut dyn io::Read, writer: &mut dyn Write) -> Result<u64> {
    let mut piece = vec![0; BUFFER];
    let mut copied = 0;
    loop {
        match reader.read(&mut piece) {
            Ok(0) => return Ok(copied),
            Ok(got) => {
                writer.write_all(&piece[..got])?;
                copied += got as u64;
            }
            Err(err) if err.kind() == io::ErrorKind::Interrupted => {}
            Err(err) => return Err(serde_npz::Error::from(err).into()),
        }
    }
}

/// The name of a member as a path below a directory; refused where it could lead out of it or is no name everywhere.
pub fn path_of(name: &str, flat: bool) -> Result<PathBuf> {
    let refuse = |why: &str| Err(Fault::new(format_args!("`{}`: {why}: not written", escape(name))));
    if name.is_empty() {
        return refuse("an empty name");
    }
    if name.len() > 4096 {
        return Err(Fault::new("a name of more than 4096 bytes: not written"));
    }
    if name.chars().any(|c| {
        c.is_control() || matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    }) {
        return refuse("a character that does not print");
    }
    if name.contains(['\\', ':', '<', '>', '"', '|', '?', '*']) && (cfg!(windows) || name.contains(['\\', ':'])) {
        return refuse("a character that no path can have everywhere");
    }
    let mut parts = Vec::new();
    for part in name.split('/') {
        match part {
            "" => return refuse("an absolute path, or an empty part"),
            "." | ".." => return refuse("a part that leads elsewhere"),
            part if part.len() > 255 => return refuse("a part of more than 255 bytes"),
            part if part.ends_with([' ', '.']) || is_device(part) => {
                return refuse("a part that is no file's name on Windows");
            }
            part => parts.push(part),
        }
    }
    Ok(if flat {
        PathBuf::from(parts.join("."))
    } else {
        parts.iter().collect()
    })
}

/// Names that Windows gives to devices, with any suffix.
fn is_device(part: &str) -> bool {
    let stem = part.split('.').next().unwrap_or_default().to_ascii_uppercase();
    let numbered = |prefix: &str| {
        stem.strip_prefix(prefix)
            .is_some_and(|rest| rest.len() == 1 && rest.chars().all(|c| c.is_ascii_digit()))
    };
    matches!(&*stem, "CON" | "PRN" | "AUX" | "NUL") || numbered("COM") || numbered("LPT")
}

/// Makes the directories on the way to `root/path`; none of them may be a link.
pub fn make_way(root: &Path, path: &Path) -> Result<()> {
    let mut dir = root.to_owned();
    let parts: Vec<_> = path
        .parent()
        .map(|parent| parent.components().collect())
        .unwrap_or_default();
    for part in parts {
        dir.push(part);
        match fs::symlink_metadata(&dir) {
            Ok(found) if found.is_dir() => {}
            Ok(found) if found.is_symlink() => {
                return Err(Fault::new("found a link on the way, expected a directory: not written").of(&dir));
            }
            Ok(_) => return Err(Fault::new("found a file on the way, expected a directory: not written").of(&dir)),
            Err(_) => fs::create_dir(&dir).map_err(|err| Fault::from(err).of(&dir))?,
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_lead_nowhere_else() {
        for name in [
            "",
            "/etc/x",
            "../x",
            "a/../x",
            "a//b",
            "./a",
            "a/.",
            "c:x",
            "c:\\x",
            "a\\b",
            "a\nb",
            "a\u{202e}b",
            "a\0b",
            "NUL",
            "com1.npy",
            "a/aux.npy",
            "trailing.",
            "trailing ",
        ] {
            assert!(path_of(name, false).is_err(), "{name:?}");
        }
        assert_eq!(
            path_of("layers/0/w.npy", false).unwrap(),
            Path::new("layers").join("0").join("w.npy")
        );
        assert_eq!(path_of("layers/0/w.npy", true).unwrap(), Path::new("layers.0.w.npy"));
        assert!(
            path_of("größe.npy", false).is_ok()
                && path_of("..a.npy", false).is_ok()
                && path_of("compass.npy", false).is_ok()
        );
    }
}
