//! A path replaced atomically: the bytes go to a file beside it, which takes the name only when it is whole.
//!
//! ```text
//! dir/data.npz              untouched until commit, then replaced in one step
//! dir/.serde_npz-1f3-0-9c   written meanwhile; removed where commit is never reached
//! ```

use std::collections::hash_map::RandomState;
use std::ffi::OsString;
use std::fs::{self, File, OpenOptions};
use std::hash::{BuildHasher, Hasher};
use std::io::{self, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::process;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::error::{Error, ErrorKind, Result};

/// Less than this is written before the call would pay.
#[cfg(target_os = "linux")]
const LEAST_RESERVED: u64 = 1 << 20;

/// A file that gets its name by [`AtomicFile::commit`] and vanishes without it.
#[derive(Debug)]
pub(crate) struct AtomicFile {
    target: PathBuf,
    /// `None` once the file has its final name.
    temporary: Option<PathBuf>,
    file: File,
    durable: bool,
}

impl AtomicFile {
    /// Starts a replacement of `path`; the `File` handed out is where its bytes go.
    pub(crate) fn create(path: &Path, durable: bool) -> Result<(Self, File)> {
        Self::start(path, durable).map_err(|err| failed("creating", path, err))
    }

    fn start(path: &Path, durable: bool) -> io::Result<(Self, File)> {
        let target = follow_links(path)?;
        let existing = match fs::metadata(&target) {
            Ok(found) => Some(found),
            Err(err) if err.kind() == io::ErrorKind::NotFound => None,
            Err(err) => return Err(err),
        };
        if let Some(found) = &existing
            && !found.is_file()
        {
            // A rename over a device or a pipe would replace the node itself.
            let what = if found.is_dir() {
                "a directory"
            } else {
                "a device, pipe or socket"
            };
            return Err(io::Error::new(
                io::ErrorKind::InvalidInput,
                format!("found {what}, expected a plain file or a free name"),
            ));
        }
        if target.file_name().is_none() {
            return Err(io::Error::new(
                io::ErrorKind::InvalidInput,
                "the path ends without the name of a file",
            ));
        }
        let (temporary, file) = create_beside(&target)?;
        let atomic = AtomicFile {
            target,
            temporary: Some(temporary),
            file,
            durable,
        };
        if let Some(found) = existing {
            // Before any byte is in it: what only its owner may read stays so meanwhile, too.
            atomic.file.set_permissions(found.permissions())?;
        }
        let handle = atomic.file.try_clone()?;
        Ok((atomic, handle))
    }

    /// Gives the file its name; everything written has to be flushed into it before.
    pub(crate) fn commit(mut self) -> Result<()> {
        self.rename().map_err(|err| failed("writing", &self.target, err))
    }

    /// Another replacement of the same path, instead of this one.
    pub(crate) fn again(&self) -> Result<(Self, File)> {
        Self::create(&self.target, self.durable)
    }

    /// Appends bytes of another file: by the system itself where it can, which on some file systems shares them.
    pub(crate) fn copy_from(&self, mut source: &File, offset: u64, len: u64) -> io::Result<()> {
        source.seek(SeekFrom::Start(offset))?;
        if io::copy(&mut source.take(len), &mut &self.file)? == len {
            Ok(())
        } else {
            Err(io::ErrorKind::UnexpectedEof.into())
        }
    }

    /// Where it is written, to be read there.
    pub(crate) fn file(&self) -> &File {
        &self.file
    }

    /// Makes room for `len` bytes from `offset` on, where the system can: a file that grows write by write is slower.
    ///
    /// The length of the file does not change, and nothing is lost where this fails: a full disk is told by the write.
    pub(crate) fn reserve(&self, offset: u64, len: u64) {
        #[cfg(target_os = "linux")]
        if len >= LEAST_RESERVED {
            let _ = rustix::fs::fallocate(&self.file, rustix::fs::FallocateFlags::KEEP_SIZE, offset, len);
        }
        #[cfg(not(target_os = "linux"))]
        let _ = (offset, len);
    }

    fn rename(&mut self) -> io::Result<()> {
        if self.durable {
            self.file.sync_all()?;
        }
        if let Some(temporary) = &self.temporary {
            fs::rename(temporary, &self.target)?;
            self.temporary = None;
        }
        if self.durable {
            sync_directory(parent(&self.target))?;
        }
        Ok(())
    }
}

impl Drop for AtomicFile {
    fn drop(&mut self) {
        if let Some(temporary) = self.temporary.take() {
            // There is nobody left to tell, and the final name was never touched.
            let _ = fs::remove_file(temporary);
        }
    }
}

/// `path` with `suffix` behind it where it does not end so already, as NumPy does.
pub(crate) fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name: OsString = path.as_os_str().to_owned();
    if !name.as_encoded_bytes().ends_with(suffix.as_bytes()) {
        name.push(suffix);
    }
    PathBuf::from(name)
}

/// Opens `path` to read it; the error names it.
pub(crate) fn open(path: &Path) -> Result<File> {
    File::open(path).map_err(|err| failed("opening", path, err))
}

/// As [`open`], with the length of a plain file; of a pipe or device nothing is known: 0.
pub(crate) fn open_sized(path: &Path) -> Result<(File, u64)> {
    let file = open(path)?;
    let len = file
        .metadata()
        .ok()
        .filter(fs::Metadata::is_file)
        .map_or(0, |found| found.len());
    Ok((file, len))
}

/// Opens the plain file `path` to go on with what is in it; the error names it.
pub(crate) fn open_to_grow(path: &Path) -> Result<File> {
    let open = || {
        // A pipe would keep whoever opens it waiting for its other end.
        if !fs::metadata(path)?.is_file() {
            return Err(io::Error::new(
                io::ErrorKind::InvalidInput,
                "found no plain file, expected one",
            ));
        }
        OpenOptions::new().read(true).write(true).open(path)
    };
    open().map_err(|err| failed("opening", path, err))
}

fn failed(doing: &str, path: &Path, err: io::Error) -> Error {
    let path = path.to_string_lossy();
    Error::new(
        ErrorKind::Io,
        format_args!("{doing} `{}` failed: {err}", path.escape_debug()),
    )
    .with_source(err)
}

/// The directory a file lies in; that of a bare name is the current one.
fn parent(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    }
}

/// Where a chain of symbolic links ends, whether or not a file is there yet.
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

/// A new file in the directory of `target`: only within one file system is a rename one step.
fn create_beside(target: &Path) -> io::Result<(PathBuf, File)> {
    const MOST_TRIES: usize = 100;
    static COUNTER: AtomicU64 = AtomicU64::new(0);
    let mut last = io::Error::from(io::ErrorKind::AlreadyExists);
    for _ in 0..MOST_TRIES {
        let count = COUNTER.fetch_add(1, Ordering::Relaxed);
        // Seeded anew by the standard library: two machines may share the directory and this process id.
        let random = RandomState::new().build_hasher().finish();
        // Short whatever the target is called: names have a greatest length.
        let name = format!(".serde_npz-{:x}-{count:x}-{random:x}", process::id());
        let path = parent(target).join(name);
        match OpenOptions::new().read(true).write(true).create_new(true).open(&path) {
            Ok(file) => return Ok((path, file)),
            Err(err) if err.kind() == io::ErrorKind::AlreadyExists => last = err,
            Err(err) => return Err(err),
        }
    }
    Err(last)
}

/// Brings a new name in `directory` onto the disk.
fn sync_directory(directory: &Path) -> io::Result<()> {
    if cfg!(unix) {
        File::open(directory)?.sync_all()
    } else {
        // Elsewhere a directory cannot be opened as a file, and its entries need no push.
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    /// A directory of its own for each test, removed at the end.
    struct Scratch(PathBuf);

    impl Scratch {
        fn new(name: &str) -> Self {
            let path = std::env::temp_dir().join(format!("serde_npz-file-{}-{name}", process::id()));
            let _ = fs::remove_dir_all(&path);
            fs::create_dir_all(&path).unwrap();
            Scratch(path)
        }

        fn names(&self) -> Vec<String> {
            let mut names: Vec<_> = fs::read_dir(&self.0)
                .unwrap()
                .map(|entry| entry.unwrap().file_name().into_string().unwrap())
                .collect();
            names.sort();
            names
        }
    }

    impl Drop for Scratch {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(&self.0);
        }
    }

    fn replace(path: &Path, bytes: &[u8], durable: bool) -> Result<()> {
        let (atomic, mut file) = AtomicFile::create(path, durable)?;
        file.write_all(bytes)?;
        atomic.commit()
    }

    #[test]
    fn the_name_appears_with_the_commit_only() {
        let dir = Scratch::new("commit");
        let path = dir.0.join("x.npz");
        let (atomic, mut file) = AtomicFile::create(&path, true).unwrap();
        file.write_all(b"new").unwrap();
        assert!(!path.exists());
        assert_eq!(dir.names().len(), 1);
        atomic.commit().unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"new");
        assert_eq!(dir.names(), ["x.npz"]);
    }

    #[test]
    fn dropped_without_commit_nothing_changes() {
        let dir = Scratch::new("drop");
        let path = dir.0.join("x.npz");
        fs::write(&path, b"old").unwrap();
        let (atomic, mut file) = AtomicFile::create(&path, false).unwrap();
        file.write_all(b"new").unwrap();
        drop((atomic, file));
        assert_eq!(fs::read(&path).unwrap(), b"old");
        assert_eq!(dir.names(), ["x.npz"]);
    }

    #[cfg(unix)]
    #[test]
    fn links_are_followed_and_modes_kept() {
        use std::os::unix::fs::{PermissionsExt, symlink};

        let dir = Scratch::new("links");
        fs::create_dir(dir.0.join("sub")).unwrap();
        fs::write(dir.0.join("sub/real"), b"old").unwrap();
        fs::set_permissions(dir.0.join("sub/real"), fs::Permissions::from_mode(0o604)).unwrap();
        symlink("sub/second", dir.0.join("first")).unwrap();
        symlink("real", dir.0.join("sub/second")).unwrap();
        replace(&dir.0.join("first"), b"new", false).unwrap();
        assert!(
            fs::symlink_metadata(dir.0.join("first"))
                .unwrap()
                .file_type()
                .is_symlink()
        );
        assert_eq!(fs::read(dir.0.join("sub/real")).unwrap(), b"new");
        let mode = fs::metadata(dir.0.join("sub/real")).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o604);

        symlink("not-there-yet", dir.0.join("dangling")).unwrap();
        replace(&dir.0.join("dangling"), b"new", false).unwrap();
        assert_eq!(fs::read(dir.0.join("not-there-yet")).unwrap(), b"new");

        symlink("b", dir.0.join("a")).unwrap();
        symlink("a", dir.0.join("b")).unwrap();
        assert_eq!(replace(&dir.0.join("a"), b"", false).unwrap_err().kind(), ErrorKind::Io);
    }

    #[test]
    fn directories_and_devices_are_never_replaced() {
        let dir = Scratch::new("nodes");
        let err = replace(&dir.0, b"", false).unwrap_err();
        assert!(err.to_string().contains("directory"), "{err}");
        if cfg!(unix) {
            let err = replace(Path::new("/dev/null"), b"", false).unwrap_err();
            assert!(err.to_string().contains("device"), "{err}");
        }
        let err = replace(&dir.0.join("no/such/x"), b"", false).unwrap_err();
        assert_eq!(err.kind(), ErrorKind::Io);
        assert!(err.to_string().contains("such"), "{err}");
    }

    #[test]
    fn the_suffix_is_appended_as_numpy_does() {
        for (path, expected) in [
            ("x", "x.npz"),
            ("x.npz", "x.npz"),
            ("x.NPZ", "x.NPZ.npz"),
            ("x.npy", "x.npy.npz"),
            ("dir/.npz", "dir/.npz"),
            ("dir/", "dir/.npz"),
            ("a.npz/x", "a.npz/x.npz"),
        ] {
            assert_eq!(with_suffix(Path::new(path), ".npz").as_os_str(), expected);
        }
    }

    #[cfg(unix)]
    #[test]
    fn paths_that_are_no_text_are_kept() {
        use std::ffi::OsStr;
        use std::os::unix::ffi::OsStrExt;

        let path = with_suffix(Path::new(OsStr::from_bytes(b"\xff")), ".npy");
        assert_eq!(path.as_os_str().as_bytes(), b"\xff.npy");
    }
}
