//! Readers in a loop while a file is replaced again and again: each sees one version whole, and never goes back.
//!
//! `SERDE_NPZ_READS` says how many reads there are at least (4,000 unless told).

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;

use serde_npz::{Checkpoints, NpzReader};

use crate::common::Scratch;

const REPLACEMENTS: usize = 1000;
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

#[test]
fn readers_see_whole_versions_in_their_order() {
    let reads: usize = std::env::var("SERDE_NPZ_READS").map_or(4_000, |text| text.parse().unwrap());
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
        for version in 1..=REPLACEMENTS {
            serde_npz::save_npz(&npz, &data(version)).unwrap();
            serde_npz::save_npy(&npy, &data(version)["a"]).unwrap();
            if version % 50 == 0 {
                checkpoints.save(0, &data(version)).unwrap();
            }
            // The reads are spread over the replacements.
            while count.load(Ordering::Relaxed) < reads * version / REPLACEMENTS {
                thread::yield_now();
            }
        }
        done.store(true, Ordering::Relaxed);
    });
    println!(
        "{} reads during {REPLACEMENTS} replacements, none torn",
        count.into_inner()
    );
}
