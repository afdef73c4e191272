//! A disk that is full, at every 4 KiB: a child that may not make larger files saves over what is there.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use serde_npz::{Checkpoints, Compression, ErrorKind, NpyWriter, NpzWriter, WriteOptions};

use crate::common::{Scratch, child, task};

const STEP: u64 = 4096;

type Data = BTreeMap<String, Vec<u64>>;

/// Two members of 10 KB each that do not deflate.
fn data(seed: u64) -> Data {
    let mut x = seed;
    let mut numbers = || {
        (0..1250)
            .map(|_| {
                x = x
                    .wrapping_mul(6_364_136_223_846_793_005)
                    .wrapping_add(1_442_695_040_888_963_407);
                x ^ x >> 29
            })
            .collect()
    };
    BTreeMap::from([("a".into(), numbers()), ("b".into(), numbers())])
}

#[cfg(unix)]
#[test]
fn a_full_disk_is_an_error_and_what_was_there_stays() {
    if let Some(dir) = task() {
        return save_all(Path::new(&dir));
    }
    let scratch = Scratch::new("full");
    let mut saved = Vec::new();
    let dir = scratch.path("dir");
    for limit in (0..).map(|n| n * STEP) {
        if saved.last().is_none_or(|&saved| saved > 0) {
            let _ = std::fs::remove_dir_all(&dir);
            std::fs::create_dir(&dir).unwrap();
            for way in WAYS {
                (way.1)(&dir, 1).unwrap();
            }
        }
        let text = limited("a_full_disk_is_an_error_and_what_was_there_stays", &dir, limit);
        let names = names(&dir);
        assert!(
            !names.iter().any(|name| name.starts_with('.')),
            "{limit} bytes left {names:?}"
        );
        saved.push(text.matches("saved").count());
        if saved.last() == Some(&WAYS.len()) {
            break;
        }
    }
    println!(
        "of {} ways to save, with 4 KiB more each time: {saved:?} did",
        WAYS.len()
    );
    assert_eq!(saved[0], 0, "nothing fits into no bytes");
    assert!(saved.len() > 5, "{saved:?}");
    assert!(saved.is_sorted(), "{saved:?}");
}

/// What the test `name` prints as a child that saves into `dir` and may make files of `limit` bytes.
#[cfg(unix)]
fn limited(name: &str, dir: &Path, limit: u64) -> String {
    // The unit of the shell is half a KiB; the signal that comes with the error would end the child.
    let script = format!("trap '' XFSZ; ulimit -f {}; exec \"$0\" \"$@\"", limit / 512);
    let child = child(module_path!(), name, dir);
    let output = Command::new("sh")
        .args(["-c", &script])
        .arg(child.get_program())
        .args(child.get_args())
        .envs(child.get_envs().filter_map(|(name, value)| Some((name, value?))))
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(
        output.status.success(),
        "{limit} bytes: {text} {}",
        String::from_utf8_lossy(&output.stderr)
    );
    text
}

#[cfg(unix)]
fn names(dir: &Path) -> Vec<String> {
    std::fs::read_dir(dir)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect()
}

/// Large arrays of records are written while they are serialized.
#[cfg(unix)]
#[test]
fn a_full_disk_is_an_error_in_the_middle_of_a_large_array() {
    const COUNT: u64 = 700_000;
    let records = || (0..COUNT).map(|i| (i, i as f32)).collect::<Vec<_>>();
    if let Some(dir) = task() {
        let path = Path::new(&dir).join("x.npy");
        for threads in [1, 2] {
            match WriteOptions::new().threads(threads).save_npy(&path, &records()) {
                Ok(_) => println!("saved"),
                Err(error) => assert_eq!(error.kind(), ErrorKind::Io, "{error}"),
            }
        }
        return;
    }
    let scratch = Scratch::new("full-records");
    let dir = scratch.path("dir");
    std::fs::create_dir(&dir).unwrap();
    std::fs::write(dir.join("x.npy"), b"before").unwrap();
    let whole = COUNT * 12 + 128;
    for limit in [0, 512, STEP, 1 << 20, 4 << 20, whole - 512, whole + 512] {
        let text = limited("a_full_disk_is_an_error_in_the_middle_of_a_large_array", &dir, limit);
        assert_eq!(names(&dir), ["x.npy"], "{limit} bytes");
        let saved = text.matches("saved").count();
        if limit < whole {
            assert_eq!(saved, 0, "{limit} bytes");
            assert_eq!(std::fs::read(dir.join("x.npy")).unwrap(), b"before");
        } else {
            assert_eq!(saved, 2);
            assert!(serde_npz::load_npy::<Vec<(u64, f32)>>(dir.join("x.npy")).unwrap() == records());
        }
    }
}

/// Saves the data of a seed, or the error.
type Way = (&'static str, fn(&Path, u64) -> serde_npz::Result<()>, fn(&Path) -> Data);

const WAYS: [Way; 6] = [
    (
        "plain",
        |dir, seed| serde_npz::save_npz(dir.join("plain"), &data(seed)).map(drop),
        |dir| serde_npz::load_npz(dir.join("plain.npz")).unwrap(),
    ),
    (
        "deflated",
        |dir, seed| {
            let options = WriteOptions::new().durable(true).compression(Compression::Deflate(1));
            options.save_npz(dir.join("deflated"), &data(seed)).map(drop)
        },
        |dir| serde_npz::load_npz(dir.join("deflated.npz")).unwrap(),
    ),
    (
        "NpzWriter",
        |dir, seed| {
            let mut npz = NpzWriter::create(dir.join("members"))?;
            for (name, numbers) in data(seed) {
                npz.add(&name, &numbers)?;
            }
            npz.finish().map(drop)
        },
        |dir| serde_npz::load_npz(dir.join("members.npz")).unwrap(),
    ),
    (
        "npy",
        |dir, seed| serde_npz::save_npy(dir.join("array"), &data(seed)["a"]).map(drop),
        |dir| array(serde_npz::load_npy(dir.join("array.npy")).unwrap()),
    ),
    (
        "NpyWriter",
        |dir, seed| {
            let mut npy = NpyWriter::create(dir.join("rows"))?;
            npy.extend(&data(seed)["a"])?;
            npy.finish().map(drop)
        },
        |dir| array(serde_npz::load_npy(dir.join("rows.npy")).unwrap()),
    ),
    (
        "Checkpoints",
        |dir, seed| Checkpoints::new(dir).keep(1).save(seed, &data(seed)).map(drop),
        |dir| Checkpoints::new(dir).latest().unwrap().unwrap().1,
    ),
];

fn array(a: Vec<u64>) -> Data {
    let b = data(if a == data(1)["a"] { 1 } else { 2 }).remove("b").unwrap();
    BTreeMap::from([("a".into(), a), ("b".into(), b)])
}

fn save_all(dir: &Path) {
    for (name, save, load) in WAYS {
        match save(dir, 2) {
            Ok(()) => {
                assert!(load(dir) == data(2), "{name}");
                println!("saved {name}");
            }
            Err(err) => {
                assert_eq!(err.kind(), ErrorKind::Io, "{name}: {err}");
                assert!(load(dir) == data(1), "{name} lost what was there");
            }
        }
    }
}
