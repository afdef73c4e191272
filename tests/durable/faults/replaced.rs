//! Readers in a loop while a file is replaced again and again: each sees one version whole, and never goes back.
//!
//! `SERDE_NPZ_READS` says how many reads there are at least.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;

use serde_npz::{Checkpoints, NpzReader};

use crate::common::{Scratch, repetitions};

const READERS: usize = 3;

type Data = BTreeMap<String, Vec<u32>>;

/// Every number of a version is its number, and its length too.
fn data(version: usize) -> Data {
    let numbers = |more: usize| vec![version as u32; version % 997 * 3 + more];
    BTreeMap::from([("a".into(), numbers(1)), ("b".into(), numbers(2))])
}

fn version_of(found: &Data) -> usize {
    let version = found["a"][0] as usize;
    assert!(
        *found == data(version),
        "torn: {:?} .. of {}",
        &found["a"][..1],
        found["a"].len()
    );
    version
}

/// Disk space is reserved while a large file is written: what is not needed has to be given back.
#[cfg(target_os = "linux")]
#[test]
fn a_replaced_file_is_no_longer_than_its_bytes() {
    use std::os::linux::fs::MetadataExt;

    use serde_npz::{NpyWriter, NpzWriter, WriteOptions};

    let dir = Scratch::new("reserved");
    // 8 MB, of which a compressed member takes nearly as much.
    let mut x = 1_u64;
    let numbers: Vec<u64> = std::iter::repeat_with(|| {
        x = x.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        x
    })
    .take(1_000_000)
    .collect();
    let texts: Vec<String> = numbers[..200_000].iter().map(|n| format!("{n:>12.12}")).collect();
    let archive = BTreeMap::from([("a", &numbers[..600_000]), ("b", &numbers[600_000..])]);
    for _ in ["a new file", "in place of another"] {
        let files = [
            (
                serde_npz::save_npy(dir.path("whole"), &numbers),
                serde_npz::to_npy_vec(&numbers),
            ),
            (
                serde_npz::save_npy(dir.path("texts"), &texts),
                serde_npz::to_npy_vec(&texts),
            ),
            (
                serde_npz::save_npz(dir.path("stored"), &archive),
                serde_npz::to_npz_vec(&archive),
            ),
            (
                WriteOptions::new()
                    .compressed()
                    .save_npz(dir.path("deflated"), &archive),
                WriteOptions::new().compressed().to_npz_vec(&archive),
            ),
        ];
        for (path, bytes) in files {
            let (path, bytes) = (path.unwrap(), bytes.unwrap());
            assert!(std::fs::read(&path).unwrap() == bytes, "{path:?}");
            let on_disk = std::fs::metadata(&path).unwrap().st_blocks() * 512;
            let most = bytes.len() as u64 + (64 << 10);
            assert!(
                on_disk <= most,
                "{path:?}: {on_disk} bytes on the disk for {}",
                bytes.len()
            );
        }
        let mut rows = NpyWriter::create(dir.path("rows.npy")).unwrap();
        rows.extend(&numbers).unwrap();
        rows.finish().unwrap();
        let mut members = NpzWriter::create(dir.path("members.npz")).unwrap();
        members.add("a", &numbers).unwrap();
        members.add("b", &texts).unwrap();
        members.finish().unwrap();
        assert_eq!(serde_npz::load_npy::<Vec<u64>>(dir.path("rows.npy")).unwrap(), numbers);
        let mut members = NpzReader::open(dir.path("members.npz")).unwrap();
        assert!(members.get::<Vec<u64>>("a").unwrap() == numbers && members.get::<Vec<String>>("b").unwrap() == texts);
    }
}

#[test]
fn readers_see_whole_versions_in_their_order() {
    let reads = repetitions("SERDE_NPZ_READS", 500, 4_000);
    let replacements = reads / 4;
    let dir = Scratch::new("replaced");
    let (npz, npy) = (dir.path("x.npz"), dir.path("x.npy"));
    let checkpoints = Checkpoints::new(dir.path("steps"));
    serde_npz::save_npz(&npz, &data(0)).unwrap();
    serde_npz::save_npy(&npy, &data(0)["a"]).unwrap();
    checkpoints.save(0, &data(0)).unwrap();

    let done = AtomicBool::new(false);
    let count = AtomicUsize::new(0);
    thread::scope(|scope| {
        for reader in 0..READERS {
            let (npz, npy, checkpoints, done, count) = (&npz, &npy, &checkpoints, &done, &count);
            scope.spawn(move || {
                let mut last = [0; 4];
                while !done.load(Ordering::Relaxed) {
                    let way = count.fetch_add(1, Ordering::Relaxed) % last.len();
                    let version = match way {
                        0 => version_of(&serde_npz::load_npz(npz).unwrap()),
                        1 => {
                            // Opened once, read in two steps: still of one version.
                            let mut archive = NpzReader::open(npz).unwrap();
                            let a = archive.get("a").unwrap();
                            thread::yield_now();
                            version_of(&BTreeMap::from([
                                ("a".into(), a),
                                ("b".into(), archive.get("b").unwrap()),
                            ]))
                        }
                        2 => {
                            let a: Vec<u32> = serde_npz::load_npy(npy).unwrap();
                            let version = a[0] as usize;
                            assert!(a == data(version)["a"], "torn");
                            version
                        }
                        _ => version_of(&checkpoints.load(0).unwrap()),
                    };
                    assert!(version >= last[way], "reader {reader} went back");
                    last[way] = version;
                }
            });
        }
        for version in 1..=replacements {
            serde_npz::save_npz(&npz, &data(version)).unwrap();
            serde_npz::save_npy(&npy, &data(version)["a"]).unwrap();
            if version % 50 == 0 {
                checkpoints.save(0, &data(version)).unwrap();
            }
            // The reads are spread over the replacements.
            while count.load(Ordering::Relaxed) < reads * version / replacements {
                thread::yield_now();
            }
        }
        done.store(true, Ordering::Relaxed);
    });
    println!(
        "{} reads during {replacements} replacements, none torn",
        count.into_inner()
    );
}
