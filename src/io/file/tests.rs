//! A replacement, on the disk at hand and on one whose power can be cut.

use std::io::{Read, Seek, SeekFrom, Write};

use super::model::{Fault, Model, Op, Unsynced, after_power_loss};
use super::*;

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
        ("a.npz/x", "a.npz/x.npz"),
    ] {
        assert_eq!(with_suffix(Path::new(path), ".npz").unwrap().as_os_str(), expected);
    }
    for path in ["", "/", "dir/", "dir//", ".", "dir/.", "..", "dir/.."] {
        assert_eq!(
            with_suffix(Path::new(path), ".npz").unwrap_err().kind(),
            ErrorKind::Io,
            "{path}"
        );
    }
}

#[cfg(unix)]
#[test]
fn paths_that_are_no_text_are_kept() {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt;

    let path = with_suffix(Path::new(OsStr::from_bytes(b"\xff")), ".npy").unwrap();
    assert_eq!(path.as_os_str().as_bytes(), b"\xff.npy");
}

#[cfg(unix)]
#[test]
fn a_file_being_written_is_spared_and_an_abandoned_one_goes() {
    let dir = Scratch::new("abandoned");
    let (atomic, handle) = AtomicFile::create(&dir.0.join("x.npz"), false).unwrap();
    let name = dir.names().remove(0);
    assert!(is_temporary(OsStr::new(&name)), "{name}");
    Os.remove_abandoned(&dir.0.join(&name)).unwrap();
    assert_eq!(dir.names(), [name.as_str()], "locked by the one who writes it");
    drop(handle);
    Os.remove_abandoned(&dir.0.join(&name)).unwrap();
    assert_eq!(dir.names(), [name.as_str()], "one handle is left");
    drop(atomic);
    assert!(dir.names().is_empty());

    fs::write(dir.0.join(&name), b"left by a process that is gone").unwrap();
    Os.remove_abandoned(&dir.0.join(&name)).unwrap();
    assert!(dir.names().is_empty());
}

#[test]
fn what_does_not_pass_the_check_never_gets_the_name() {
    let dir = Scratch::new("check");
    let path = dir.0.join("x.npz");
    fs::write(&path, b"old").unwrap();
    let (atomic, mut file) = AtomicFile::create(&path, true).unwrap();
    file.write_all(b"new").unwrap();
    let refused = atomic.commit_checked(|written| {
        let mut text = String::new();
        written.seek(SeekFrom::Start(0))?;
        written.read_to_string(&mut text)?;
        Err(Error::new(ErrorKind::CorruptArchive, text))
    });
    assert_eq!(refused.unwrap_err().to_string(), "new");
    assert_eq!(fs::read(&path).unwrap(), b"old");
    assert_eq!(dir.names(), ["x.npz"]);
}

#[test]
fn directories_are_made_where_they_are_missing() {
    let dir = Scratch::new("directories");
    let deep = dir.0.join("a/b/c");
    create_directories(&Os, &deep).unwrap();
    create_directories(&Os, &deep).unwrap();
    assert!(deep.is_dir());
    fs::write(deep.join("file"), b"").unwrap();
    let err = create_directories(&Os, &deep.join("file")).unwrap_err();
    assert_eq!(err.kind(), io::ErrorKind::AlreadyExists);
    assert!(create_directories(&Os, &deep.join("file/below")).is_err());
}

const OLD: &[u8] = &[1; 700];
const NEW: &[u8] = &[2; 900];

fn target() -> &'static Path {
    Path::new("/dir/x.npz")
}

/// A disk on which `target` durably holds `OLD`.
fn settled() -> Model {
    let model = Model::new(Unsynced::default());
    create_directories(&model, parent(target())).unwrap();
    replace_on(&model, OLD).unwrap();
    model
}

fn replace_on(model: &Model, bytes: &[u8]) -> Result<()> {
    let (atomic, mut file) = AtomicFile::create_on(model.clone(), target(), true)?;
    file.write_all(bytes)?;
    drop(file);
    atomic.commit()
}

#[test]
fn the_nth_operation_fails_and_the_old_file_stays() {
    for n in 0.. {
        let model = settled();
        let before = model.log().len();
        model.fail(Fault::Once(n));
        let result = replace_on(&model, NEW);
        let reached = model.operations() > n;
        model.heal();
        let seen = model.seen();
        let content = seen[target()].as_deref().unwrap();
        let log = &model.log()[before..];
        if !reached {
            assert!(n > 6, "a replacement takes more than {n} operations");
            assert!(result.is_ok());
            assert_eq!(content, NEW);
            break;
        }
        assert_eq!(result.unwrap_err().kind(), ErrorKind::Io, "operation {n}");
        let renamed = log.iter().any(|op| matches!(op, Op::Rename(..)));
        assert_eq!(content, if renamed { NEW } else { OLD }, "operation {n}");
        assert_eq!(seen.len(), 2, "nothing is left beside it after operation {n}");
        if let Some(failed) = log.iter().position(|op| matches!(op, Op::FailedSync(_))) {
            let again = log[failed + 1..].iter().any(|op| matches!(op, Op::Sync(_)));
            assert!(!again, "a failed sync is never repeated");
        }
    }
}

#[test]
fn the_process_dies_at_the_nth_operation() {
    for n in 0.. {
        let model = settled();
        model.fail(Fault::Dead(n));
        let result = replace_on(&model, NEW);
        let reached = model.operations() > n;
        let seen = model.seen();
        let content = seen[target()].as_deref().unwrap();
        assert!(content == OLD || content == NEW, "torn at operation {n}");
        assert!(result.is_err() || content == NEW);
        if !reached {
            break;
        }
    }
}

/// Looks at every state after every cut: how many there are, and how many lose or tear the file.
fn cut_the_power(unsynced: Unsynced) -> (usize, usize) {
    let model = Model::new(unsynced);
    create_directories(&model, parent(target())).unwrap();
    replace_on(&model, OLD).unwrap();
    model.mark("old");
    replace_on(&model, NEW).unwrap();
    model.mark("new");
    let log = model.log();
    let (mut states, mut bad) = (0, 0);
    for cut in 0..=log.len() {
        let acknowledged = log[..cut].iter().rev().find_map(|op| match op {
            Op::Mark(text) => Some(text.as_str()),
            _ => None,
        });
        for remains in after_power_loss(&log[..cut]) {
            states += 1;
            let good = match (remains.get(target()), acknowledged) {
                (None, None) => true,
                (Some(Some(content)), None) => content == OLD,
                (Some(Some(content)), Some("old")) => content == OLD || content == NEW,
                (Some(Some(content)), Some("new")) => content == NEW,
                _ => false,
            };
            bad += usize::from(!good);
        }
    }
    (states, bad)
}

#[test]
fn no_loss_of_power_tears_or_loses_a_durable_file() {
    let (states, bad) = cut_the_power(Unsynced::default());
    println!("{states} states after a loss of power, {bad} bad");
    assert!(states > 100);
    assert_eq!(bad, 0);
}

#[test]
fn without_either_sync_a_loss_of_power_is_seen_to_lose_the_file() {
    for unsynced in [
        Unsynced {
            files: true,
            ..Unsynced::default()
        },
        Unsynced {
            directories: true,
            ..Unsynced::default()
        },
        Unsynced {
            parents: true,
            ..Unsynced::default()
        },
    ] {
        let (states, bad) = cut_the_power(unsynced);
        println!("{unsynced:?}: {states} states after a loss of power, {bad} bad");
        assert!(bad > 0, "{unsynced:?}");
    }
}
