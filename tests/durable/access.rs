//! Who may read what is saved, and whose files a save may touch: modes, groups, and links that others have made.

use std::fs::{self, File, Permissions};
use std::io::{self, Write};
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown, lchown, symlink};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_npz::{Checkpoints, ErrorKind, NpyWriter, NpzWriter, load_npy, save_npy, save_npz};

use crate::common::{Scratch, child, task};

/// A user and a group that nobody here is and is in.
const STRANGER: u32 = 54_321;
const NOBODY: u32 = 65_534;

fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().mode() & 0o7777
}

fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
}

fn temporary(dir: &Scratch) -> Option<PathBuf> {
    let mut names = dir.files().into_iter();
    names
        .find(|name| name.starts_with(".serde_npz-"))
        .map(|name| dir.path(&name))
}

/// A directory that other users can reach as well: cargo's may lie in somebody's home.
fn public(name: &str) -> Scratch {
    let dir = std::env::temp_dir().join(format!("serde_npz-{name}-{}", std::process::id()));
    let _ = fs::remove_dir_all(&dir);
    fs::create_dir_all(&dir).unwrap();
    Scratch(dir)
}

/// Runs a test of this module once more, as the user and the group `nobody`.
fn as_nobody(test: &str, dir: &Path) {
    let described = child(module_path!(), test, dir);
    // The directories above this program may be closed to others.
    let mut command = Command::new("/proc/self/exe");
    command.args(described.get_args());
    command.envs(described.get_envs().filter_map(|(name, value)| Some((name, value?))));
    let output = command.uid(NOBODY).gid(NOBODY).current_dir("/").output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
}

#[test]
fn while_it_is_written_only_the_owner_may_open_it() {
    let dir = Scratch::new("access-private");
    let path = dir.path("x.npz");
    for target in [0o600, 0o640, 0o644, 0o666, 0o400] {
        save_npz(&path, &("old",)).unwrap();
        set_mode(&path, target);
        let mut npz = NpzWriter::create(&path).unwrap();
        npz.add("x", &vec![1.0; 100_000]).unwrap();
        assert_eq!(mode(&temporary(&dir).unwrap()), 0o600);
        npz.finish().unwrap();
        assert_eq!(mode(&path), target);
    }
    let mut npz = NpzWriter::append(&path).unwrap();
    npz.compact().unwrap();
    assert_eq!(mode(&temporary(&dir).unwrap()), 0o600);
    npz.finish().unwrap();

    let path = dir.path("log.npy");
    save_npy(&path, &[1.0]).unwrap();
    set_mode(&path, 0o604);
    let mut log = NpyWriter::create(&path).unwrap();
    log.push(&2.0).unwrap();
    assert_eq!(mode(&temporary(&dir).unwrap()), 0o600);
    log.flush().unwrap();
    assert_eq!(mode(&path), 0o604);
}

/// Whoever has opened a file goes on reading it when its mode has changed: it has to have that mode from the start.
#[cfg(target_os = "linux")]
#[test]
fn there_is_no_moment_in_which_others_may_open_it() {
    use std::mem::MaybeUninit;

    use rustix::fs::inotify::{CreateFlags, Reader, WatchFlags, add_watch, init};

    let dir = Scratch::new("access-moment");
    let path = save_npy(dir.path("x"), &[0.0]).unwrap();
    let changes = |save: &dyn Fn()| {
        let watch = init(CreateFlags::NONBLOCK).unwrap();
        add_watch(&watch, &dir.0, WatchFlags::CREATE | WatchFlags::ATTRIB).unwrap();
        save();
        let mut buffer = [MaybeUninit::uninit(); 4096];
        let mut reader = Reader::new(watch, &mut buffer);
        std::iter::from_fn(|| reader.next().ok().map(|event| event.events())).count()
    };
    set_mode(&path, 0o600);
    let save = || {
        let mut rows = NpyWriter::create(&path).unwrap();
        rows.push(&1.0).unwrap();
        assert_eq!(mode(&temporary(&dir).unwrap()), 0o600);
        rows.finish().unwrap();
    };
    assert_eq!(changes(&save), 1, "made, and no change of its mode");
    set_mode(&path, 0o640);
    assert_eq!(changes(&save), 2, "made, and widened");
    assert_eq!(mode(&path), 0o640);
}

#[test]
fn a_program_never_becomes_one_of_another_owner() {
    let dir = Scratch::new("access-setuid");
    let path = save_npy(dir.path("x"), &[0.0]).unwrap();
    if is_root() {
        chown(&path, Some(STRANGER), None).unwrap();
    }
    set_mode(&path, 0o6775);
    save_npy(&path, &[1.0]).unwrap();
    assert_eq!(mode(&path), 0o775);
    set_mode(&path, 0o1640);
    save_npy(&path, &[1.0]).unwrap();
    assert_eq!(mode(&path), 0o640);
}

#[test]
fn the_group_is_kept_where_the_system_lets_us() {
    if !is_root() {
        return;
    }
    let dir = Scratch::new("access-group");
    let path = save_npz(dir.path("x"), &("old",)).unwrap();
    chown(&path, Some(STRANGER), Some(STRANGER)).unwrap();
    set_mode(&path, 0o640);
    save_npz(&path, &("new",)).unwrap();
    let found = fs::metadata(&path).unwrap();
    assert_eq!((found.uid(), found.gid(), found.mode() & 0o7777), (0, STRANGER, 0o640));

    let mut npz = NpzWriter::append(&path).unwrap();
    npz.add("y", &1).unwrap();
    npz.compact().unwrap();
    npz.finish().unwrap();
    assert_eq!((fs::metadata(&path).unwrap().gid(), mode(&path)), (STRANGER, 0o640));
}

#[test]
fn a_group_that_cannot_be_kept_leaves_no_rights_to_another_one() {
    const MODES: [(u32, u32); 6] = [
        (0o640, 0o600),
        (0o660, 0o600),
        (0o664, 0o644),
        (0o644, 0o644),
        // Those of the old group are among the others now.
        (0o604, 0o600),
        (0o4777, 0o777),
    ];
    let file = |dir: &Path, before: u32| dir.join(format!("{before:o}.npy"));
    if let Some(dir) = task() {
        for (before, _) in MODES {
            save_npy(file(Path::new(&dir), before), &[1.0]).unwrap();
        }
        return;
    }
    if !is_root() {
        return;
    }
    let dir = public("access-lost");
    chown(&dir.0, Some(NOBODY), Some(NOBODY)).unwrap();
    for (before, _) in MODES {
        let path = save_npy(file(&dir.0, before), &[0.0]).unwrap();
        chown(&path, Some(NOBODY), Some(STRANGER)).unwrap();
        set_mode(&path, before);
    }
    as_nobody("a_group_that_cannot_be_kept_leaves_no_rights_to_another_one", &dir.0);
    for (before, after) in MODES {
        let path = file(&dir.0, before);
        assert_eq!(load_npy::<Vec<f64>>(&path).unwrap(), [1.0]);
        let found = fs::metadata(&path).unwrap();
        assert_eq!((found.uid(), found.gid()), (NOBODY, NOBODY));
        assert_eq!(mode(&path), after, "{before:o} became {:o}", mode(&path));
    }
}

#[track_caller]
fn refused(result: serde_npz::Result<PathBuf>, kind: io::ErrorKind, words: &[&str]) {
    let err = result.unwrap_err();
    let source = std::error::Error::source(&err).and_then(|source| source.downcast_ref::<io::Error>());
    assert_eq!(
        (err.kind(), source.map(io::Error::kind)),
        (ErrorKind::Io, Some(kind)),
        "{err}"
    );
    for word in words {
        assert!(format!("{err:#}").contains(word), "{err} does not name {word:?}");
    }
}

/// As the system does it where `fs.protected_symlinks` is set.
#[test]
fn where_anybody_may_make_files_the_links_of_others_are_not_followed() {
    let dir = Scratch::new("access-sticky");
    for name in ["private", "sticky", "open"] {
        fs::create_dir(dir.path(name)).unwrap();
    }
    let (private, sticky, open) = (dir.path("private"), dir.path("sticky"), dir.path("open"));
    set_mode(&sticky, 0o1777);
    set_mode(&open, 0o777);
    let link = |name: &str, owner: Option<u32>| {
        for directory in [&sticky, &open] {
            let path = directory.join(name);
            symlink(private.join(name), &path).unwrap();
            if let Some(owner) = owner {
                lchown(&path, Some(owner), None).unwrap();
            }
        }
    };
    link("own.npz", None);
    save_npz(sticky.join("own.npz"), &("new",)).unwrap();
    assert!(private.join("own.npz").exists());
    if !is_root() {
        return;
    }
    link("theirs.npz", Some(STRANGER));
    refused(
        save_npz(sticky.join("theirs.npz"), &("new",)),
        io::ErrorKind::PermissionDenied,
        &["theirs.npz", "54321", "sticky"],
    );
    // The last of a chain as well.
    symlink(sticky.join("theirs.npz"), dir.path("chain.npz")).unwrap();
    let result = save_npz(dir.path("chain.npz"), &("new",));
    refused(result, io::ErrorKind::PermissionDenied, &["54321"]);
    assert!(
        !private.join("theirs.npz").exists(),
        "it lies where the stranger wanted it"
    );
    // Whoever owns the directory may do so, and where it is not sticky anybody could replace the link in any case.
    save_npz(open.join("theirs.npz"), &("new",)).unwrap();
    fs::remove_file(private.join("theirs.npz")).unwrap();
    chown(&sticky, Some(STRANGER), None).unwrap();
    save_npz(sticky.join("theirs.npz"), &("new",)).unwrap();
    assert!(private.join("theirs.npz").exists());
}

#[cfg(target_os = "linux")]
#[test]
fn what_is_open_already_is_not_replaced() {
    use std::os::fd::AsRawFd;

    let dir = Scratch::new("access-open");
    let mut log = File::create(dir.path("log.txt")).unwrap();
    log.write_all(b"printed").unwrap();
    let hint = ["already open", "to_npy_writer", "to_npz_writer"];
    let kind = io::ErrorKind::InvalidInput;
    let open = format!("/proc/self/fd/{}", log.as_raw_fd());
    let thread = format!("/proc/thread-self/fd/{}", log.as_raw_fd());
    let number = format!("/dev/fd/{}", log.as_raw_fd());
    for (i, open) in [&open, &thread, &number, "/dev/stdout", "/dev/stderr"]
        .into_iter()
        .enumerate()
    {
        let link = dir.path(&format!("{i}.npy"));
        symlink(open, &link).unwrap();
        refused(save_npy(&link, &[1.0]), kind, &hint);
        // The suffix does not make another name of it.
        refused(save_npy(open, &[1.0]), kind, &hint);
        refused(save_npz(open, &("new",)), kind, &hint);
    }
    refused(save_npy("/dev/null", &[1.0]), kind, &["device", "to_npy_writer"]);
    log.write_all(b" and more").unwrap();
    assert_eq!(fs::read(dir.path("log.txt")).unwrap(), b"printed and more");
}

#[test]
fn the_sweep_touches_nothing_that_no_save_has_made() {
    use rustix::fs::{CWD, FileType, Mode, mknodat};

    let dir = Scratch::new("access-sweep");
    let name = |n: u32| dir.path(&format!(".serde_npz-1f-{n:x}-9c"));
    fs::write(dir.path("precious"), "precious").unwrap();
    symlink(dir.path("precious"), name(0)).unwrap();
    symlink("nowhere", name(1)).unwrap();
    fs::hard_link(dir.path("precious"), name(2)).unwrap();
    fs::create_dir(name(3)).unwrap();
    mknodat(CWD, name(4), FileType::Fifo, Mode::RUSR | Mode::WUSR, 0).unwrap();
    let others = [
        ".serde_npz-notes.txt",
        ".serde_npz-1-2",
        ".serde_npz-1-2-3-4",
        ".serde_npz-1-2-x",
    ];
    for other in others {
        fs::write(dir.path(other), "another's").unwrap();
    }
    if is_root() {
        fs::write(name(5), "of a save of another user").unwrap();
        chown(name(5), Some(STRANGER), None).unwrap();
    }
    let before = dir.files();
    fs::write(name(6), "of a save that was killed").unwrap();
    Checkpoints::new(&dir.0).save(1, &("state",)).unwrap();
    let mut after = dir.files();
    after.retain(|name| !name.starts_with("step-"));
    assert_eq!(after, before);
    assert_eq!(fs::read(dir.path("precious")).unwrap(), b"precious");
}

/// As nobody: what belongs to somebody else cannot be read, and a save says so and changes nothing.
#[test]
fn without_rights_nothing_changes() {
    if let Some(dir) = task() {
        let dir = PathBuf::from(dir);
        assert_eq!(save_npy(dir.join("x"), &[1.0]).unwrap_err().kind(), ErrorKind::Io);
        assert_eq!(NpyWriter::append(dir.join("x")).unwrap_err().kind(), ErrorKind::Io);
        assert_eq!(NpzWriter::append(dir.join("y")).unwrap_err().kind(), ErrorKind::Io);
        return;
    }
    if !is_root() {
        return;
    }
    let dir = public("access-none");
    save_npy(dir.path("x"), &[0.0]).unwrap();
    save_npz(dir.path("y"), &("old",)).unwrap();
    set_mode(&dir.0, 0o755);
    let before = dir.files();
    as_nobody("without_rights_nothing_changes", &dir.0);
    assert_eq!(dir.files(), before);
    assert_eq!(load_npy::<Vec<f64>>(dir.path("x.npy")).unwrap(), [0.0]);
}
