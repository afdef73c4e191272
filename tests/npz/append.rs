//! An archive that is gone on with: what it holds afterwards, and after a kill at any moment.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use crate::common::{Scratch, child, repetitions, task};
use serde_npz::{ErrorKind, NpzReader, NpzWriter, ReadOptions, WriteOptions, save_npz};

type Map = BTreeMap<String, Vec<f64>>;

fn map(members: &[(&str, usize)]) -> Map {
    members
        .iter()
        .map(|&(name, n)| (name.to_owned(), (0..n).map(|i| i as f64).collect()))
        .collect()
}

/// Every member checked by our reader, and every stored one aligned.
#[track_caller]
fn check(path: &Path, expected: &Map) {
    let flat = ReadOptions::new().separator(None);
    assert_eq!(&flat.load_npz::<Map>(path).unwrap(), expected);
    let mut npz = NpzReader::open(path).unwrap();
    for name in expected.keys() {
        npz.verify(name).unwrap();
    }
    for entry in npz.entries().filter(|entry| entry.is_stored()) {
        assert_eq!(entry.data_offset().unwrap() % 64, 0);
    }
}

#[test]
fn members_are_added_replaced_removed_and_moved_together() {
    let dir = Scratch::new("append-archive");
    for options in [WriteOptions::new(), WriteOptions::new().compressed()] {
        let flat = WriteOptions::new().separator(None);
        let members = map(&[("a", 10_000), ("b", 3), ("g/c", 5), ("g/d", 6)]);
        let path = flat.save_npz(dir.path("x"), &members).unwrap();
        let before = std::fs::read(&path).unwrap();

        // Without the suffix, as it was saved.
        let mut npz = NpzWriter::append_with(dir.path("x"), &options).unwrap();
        npz.add("e", &map(&[("e", 9000)])["e"]).unwrap();
        npz.add("b", &map(&[("b", 7)])["b"]).unwrap();
        let err = npz.add("b", &1).unwrap_err();
        assert_eq!(err.kind(), ErrorKind::DuplicateName, "once by one writer");
        // Until the end the old one is there.
        assert_eq!(std::fs::read(&path).unwrap(), before);
        npz.finish().unwrap();
        let mut expected = map(&[("a", 10_000), ("b", 7), ("g/c", 5), ("g/d", 6), ("e", 9000)]);
        check(&path, &expected);
        // The others' data is where it was.
        let after = std::fs::read(&path).unwrap();
        let a = 64 + 128 + 80_000;
        assert_eq!(after[..a], before[..a]);

        let mut npz = NpzWriter::append_with(&path, &options).unwrap();
        assert!(npz.remove("g").unwrap());
        assert!(npz.remove("a").unwrap());
        assert!(!npz.remove("a").unwrap());
        assert!(!npz.remove("nothing").unwrap());
        npz.finish().unwrap();
        for name in ["g/c", "g/d", "a"] {
            expected.remove(name);
        }
        check(&path, &expected);
        assert!(
            std::fs::metadata(&path).unwrap().len() > 80_000,
            "the data is still there"
        );

        // Compacted before and after something is added.
        let mut npz = NpzWriter::append_with(&path, &options).unwrap();
        npz.compact().unwrap();
        npz.add("f", &map(&[("f", 8)])["f"]).unwrap();
        npz.add("dead", &map(&[("dead", 100_000)])["dead"]).unwrap();
        npz.remove("dead").unwrap();
        npz.add("e", &map(&[("e", 20)])["e"]).unwrap();
        npz.compact().unwrap();
        npz.add("h", &map(&[("h", 1)])["h"]).unwrap();
        let err = npz.add("f", &1).unwrap_err();
        assert_eq!(err.kind(), ErrorKind::DuplicateName, "moved, and still of this writer");
        npz.add("b", &map(&[("b", 1)])["b"]).unwrap();
        npz.finish().unwrap();
        expected.extend(map(&[("f", 8), ("e", 20), ("h", 1), ("b", 1)]));
        check(&path, &expected);
        assert!(std::fs::metadata(&path).unwrap().len() < 3_000);

        assert_eq!(dir.files(), ["x.npz"]);
        std::fs::remove_file(&path).unwrap();
    }
}

#[test]
fn what_is_no_archive_is_left_alone() {
    let dir = Scratch::new("append-refused");
    let path = dir.path("x.npz");
    let whole = serde_npz::to_npz_vec(&map(&[("a", 10)])).unwrap();
    for (bytes, kind) in [
        (&whole[..whole.len() - 1], ErrorKind::CorruptArchive),
        (&b"a text"[..], ErrorKind::BadMagic),
        (&[&whole[..], b"x"].concat(), ErrorKind::CorruptArchive),
    ] {
        std::fs::write(&path, bytes).unwrap();
        assert_eq!(NpzWriter::append(&path).unwrap_err().kind(), kind);
        assert_eq!(std::fs::read(&path).unwrap(), bytes);
    }
    // Neither a failure nor a drop changes anything.
    std::fs::write(&path, &whole).unwrap();
    let mut npz = NpzWriter::append(&path).unwrap();
    npz.add("b", &1).unwrap();
    let cells = [RefCell::new(1.0), RefCell::new(2.0)];
    let _borrowed = cells[1].borrow_mut();
    assert_eq!(npz.add("r", &cells[..]).unwrap_err().kind(), ErrorKind::Message);
    assert_eq!(npz.finish().unwrap_err().kind(), ErrorKind::Message);
    drop(NpzWriter::append(&path).unwrap());
    assert_eq!(std::fs::read(&path).unwrap(), whole);
    assert_eq!(dir.files(), ["x.npz"]);
}

#[test]
fn an_archive_that_is_not_there_yet_is_made() {
    let dir = Scratch::new("append-new");
    let path = dir.path("x.npz");
    for empty in [false, true] {
        if empty {
            std::fs::write(&path, b"").unwrap();
        }
        let mut npz = NpzWriter::append(dir.path("x")).unwrap();
        npz.add("a", &vec![1.5; 1000]).unwrap();
        npz.remove("a").unwrap();
        npz.add("b", &vec![1.5]).unwrap();
        npz.compact().unwrap();
        assert_eq!(path.exists(), empty);
        npz.finish().unwrap();
        assert!(std::fs::metadata(&path).unwrap().len() < 1000);
        let mut npz = NpzWriter::append_with(&path, &WriteOptions::new().durable(true)).unwrap();
        npz.add("c", &vec![2.5]).unwrap();
        npz.finish().unwrap();
        assert!(NpzReader::open(&path).unwrap().names().eq(["b", "c"]));
        assert_eq!(dir.files(), ["x.npz"]);
        std::fs::remove_file(&path).unwrap();
    }
    // Of two that make it, the second loses nothing of the first, compacted or not.
    for compact in [false, true] {
        let [mut first, mut second] = [(); 2].map(|()| NpzWriter::append(&path).unwrap());
        first.add("a", &1).unwrap();
        second.add("b", &2).unwrap();
        if compact {
            second.compact().unwrap();
        }
        first.finish().unwrap();
        let err = second.finish().unwrap_err();
        assert_eq!(err.kind(), ErrorKind::Io);
        assert!(format!("{err:#}").contains("somebody else"), "{err}");
        assert!(NpzReader::open(&path).unwrap().names().eq(["a"]));
        assert_eq!(dir.files(), ["x.npz"]);
        std::fs::remove_file(&path).unwrap();
    }
    assert_eq!(
        NpzWriter::append(dir.path("no/such/directory")).unwrap_err().kind(),
        ErrorKind::Io
    );
    assert_eq!(NpzWriter::append(dir.path("")).unwrap_err().kind(), ErrorKind::Io);
}

#[test]
fn the_comment_of_an_archive_is_kept() {
    let dir = Scratch::new("append-comment");
    for comment in [&b""[..], b"made by hand", &[0xff; 65_535]] {
        let mut bytes = serde_npz::to_npz_vec(&map(&[("a", 10), ("b", 1000)])).unwrap();
        let len = bytes.len();
        bytes[len - 2..].copy_from_slice(&(comment.len() as u16).to_le_bytes());
        bytes.extend_from_slice(comment);
        let path = dir.path("x.npz");
        std::fs::write(&path, &bytes).unwrap();
        for change in [
            |npz: &mut NpzWriter<_>| npz.add("c", &1),
            |npz: &mut NpzWriter<_>| npz.remove("b").map(drop),
            NpzWriter::compact,
        ] {
            let mut npz = NpzWriter::append(&path).unwrap();
            change(&mut npz).unwrap();
            npz.finish().unwrap();
            let bytes = std::fs::read(&path).unwrap();
            assert!(bytes.ends_with(comment));
            let end = &bytes[bytes.len() - comment.len() - 22..];
            assert!(end.starts_with(b"PK\x05\x06"));
            assert!(NpzReader::open(&path).unwrap().names().next() == Some("a"));
        }
    }
}

#[test]
fn a_member_that_cannot_be_moved_stays() {
    let dir = Scratch::new("append-unmoved");
    let path = save_npz(dir.path("x"), &map(&[("a", 10), ("b", 10)])).unwrap();
    let mut bytes = std::fs::read(&path).unwrap();
    // Another method for `b`, in both places.
    let local = bytes.windows(6).rposition(|w| w == b"b.npy\x01").unwrap() - 30;
    let central = bytes.windows(4).rposition(|w| w == b"PK\x01\x02").unwrap();
    bytes[local + 8] = 12;
    bytes[central + 10] = 12;
    std::fs::write(&path, &bytes).unwrap();

    let mut npz = NpzWriter::append(&path).unwrap();
    npz.add("c", &vec![1.5; 3]).unwrap();
    let err = npz.compact().unwrap_err();
    assert_eq!((err.kind(), err.path()), (ErrorKind::UnsupportedArchive, "b"));
    npz.add("d", &vec![2.5; 3]).unwrap();
    npz.finish().unwrap();
    let mut npz = NpzReader::open(&path).unwrap();
    assert!(npz.names().eq(["a", "b", "c", "d"]));
    assert_eq!(npz.get::<Vec<f64>>("d").unwrap(), [2.5; 3]);
    assert_eq!(npz.raw("b").unwrap_err().kind(), ErrorKind::UnsupportedArchive);
}

#[track_caller]
fn refused(path: &Path) {
    let err = NpzWriter::append(path).unwrap_err();
    let source = std::error::Error::source(&err).and_then(|source| source.downcast_ref::<std::io::Error>());
    assert_eq!(
        source.map(std::io::Error::kind),
        Some(std::io::ErrorKind::WouldBlock),
        "{err}"
    );
    assert_eq!(err.kind(), ErrorKind::Io);
    for word in ["locked", "NpzWriter", "another program"] {
        assert!(format!("{err:#}").contains(word), "{err} does not name {word:?}");
    }
}

#[test]
fn a_second_appender_is_refused_until_the_first_has_finished() {
    let dir = Scratch::new("append-locked");
    let path = save_npz(dir.path("x"), &map(&[("a", 1000), ("b", 3)])).unwrap();
    let mut first = NpzWriter::append(&path).unwrap();
    refused(&path);
    first.compact().unwrap();
    refused(&path);
    first.add("c", &map(&[("c", 4)])["c"]).unwrap();
    first.remove("b").unwrap();
    first.compact().unwrap();
    refused(&path);
    // Readers need no lock.
    check(&path, &map(&[("a", 1000), ("b", 3)]));
    let handed_back = first.finish().unwrap();
    // Finished, though the new file is still open.
    let second = NpzWriter::append(&path).unwrap();
    refused(&path);
    drop((handed_back, second));
    let handed_back = NpzWriter::create(&path).unwrap().finish().unwrap();
    NpzWriter::append(&path).unwrap().finish().unwrap();
    drop(handed_back);

    // Nothing is written to the old file.
    save_npz(&path, &map(&[("a", 1000)])).unwrap();
    let mut permissions = std::fs::metadata(&path).unwrap().permissions();
    permissions.set_readonly(true);
    std::fs::set_permissions(&path, permissions).unwrap();
    if cfg!(unix) {
        NpzWriter::append(&path).unwrap().finish().unwrap();
    }
    assert_eq!(dir.files(), ["x.npz"]);
}

/// Each append replaces the file. One that was opened before that, and locked after it, has no name any more.
#[test]
fn no_member_is_added_to_an_archive_that_has_been_replaced() {
    let dir = Scratch::new("append-threads");
    let path = save_npz(dir.path("x"), &map(&[("a", 10)])).unwrap();
    let added = std::sync::atomic::AtomicUsize::new(1);
    std::thread::scope(|scope| {
        for thread in 0..4 {
            let (path, added) = (&path, &added);
            scope.spawn(move || {
                for i in 0..repetitions("SERDE_NPZ_APPENDS", 30, 100) {
                    // In use by another thread: not added, and not counted.
                    let Ok(mut npz) = NpzWriter::append(path) else { continue };
                    npz.add(&format!("{thread}-{i}"), &1).unwrap();
                    npz.finish().unwrap();
                    added.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
                }
            });
        }
    });
    assert_eq!(NpzReader::open(&path).unwrap().len(), added.into_inner());
}

fn append_until_killed(path: &Path) {
    for i in NpzReader::open(path).unwrap().len().. {
        let mut npz = NpzWriter::append(path).unwrap();
        npz.add(&format!("m{i:06}"), &vec![i as f64; 3000]).unwrap();
        npz.add("last", &i).unwrap();
        npz.finish().unwrap();
        println!("\ndone {i}");
    }
}

#[test]
fn killed_at_any_moment_it_holds_what_was_acknowledged() {
    if let Some(path) = task() {
        return append_until_killed(Path::new(&path));
    }
    let rounds = repetitions("SERDE_NPZ_KILLS", 10, 40) as u64;
    let dir = Scratch::new("append-killed");
    let mut most = 0;
    for round in 0..rounds {
        let path = save_npz(dir.path("x"), &BTreeMap::from([("last", 0)])).unwrap();
        let mut child = child(
            module_path!(),
            "killed_at_any_moment_it_holds_what_was_acknowledged",
            &path,
        )
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let reader = std::thread::spawn(move || {
            let done = lines
                .map_while(Result::ok)
                .filter_map(|line| line.strip_prefix("done ")?.parse().ok());
            done.last().unwrap_or(0_usize)
        });
        // Spread over several appends, at moments of no pattern.
        std::thread::sleep(Duration::from_micros(5_000 + (round * 7_919) % 40_000));
        child.kill().unwrap();
        child.wait().unwrap();
        let acknowledged = reader.join().unwrap();

        let mut npz = NpzReader::open(&path).unwrap();
        let last: usize = npz.get("last").unwrap();
        assert!(last >= acknowledged, "{last} of {acknowledged}");
        let names: Vec<String> = npz.names().map(str::to_owned).collect();
        assert_eq!(names.len(), last + 1);
        for i in 1..=last {
            assert_eq!(npz.get::<Vec<f64>>(&format!("m{i:06}")).unwrap(), vec![i as f64; 3000]);
        }
        most = most.max(last);
        for left in dir.files() {
            std::fs::remove_file(dir.path(&left)).unwrap();
        }
    }
    assert!(most > 0, "some append has to come to its end");
}

#[test]
#[ignore = "needs Python with NumPy"]
fn numpy_reads_it_and_is_gone_on_with() {
    const SAVE: &str = "import numpy as np, sys; np.savez(sys.argv[1], a=np.arange(10.), b=np.arange(3.)); print()";
    const LOAD: &str = r#"
import numpy as np, sys, zipfile
assert zipfile.ZipFile(sys.argv[1]).testzip() is None
with np.load(sys.argv[1]) as z:
    print(sorted((k, len(z[k])) for k in z.files))
"#;
    let dir = Scratch::new("append-python");
    let path = dir.path("x.npz");
    for compact in [false, true] {
        crate::common::python(SAVE, &[path.as_os_str()]);
        let mut npz = NpzWriter::append(&path).unwrap();
        npz.add("b", &vec![1.0; 5]).unwrap();
        npz.add_rows("größe", 0..100).unwrap();
        if compact {
            npz.compact().unwrap();
        }
        npz.finish().unwrap();
        let seen = crate::common::python(LOAD, &[path.as_os_str()]);
        assert_eq!(seen.trim(), "[('a', 10), ('b', 5), ('größe', 100)]");
    }
}
