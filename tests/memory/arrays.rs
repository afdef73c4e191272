//! What is held while arrays are saved and loaded: the result, and a bounded rest.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::BufReader;
use std::path::PathBuf;

use serde::de::DeserializeOwned;
use serde_npz::{ReadOptions, WriteOptions};

use crate::counting::Alone;

const MIB: usize = 1 << 20;
/// Whatever the size of the array.
const REST: usize = 8 * MIB;

fn values(mib: usize) -> Vec<f64> {
    (0..mib * MIB / 8).map(|i| (i % 1000) as f64).collect()
}

fn scratch(name: &str) -> PathBuf {
    let path = std::env::temp_dir().join(format!("serde_npz-memory-{}-{name}", std::process::id()));
    fs::create_dir_all(&path).unwrap();
    path
}

fn loaded<T: DeserializeOwned + PartialEq>(
    alone: &Alone,
    what: &str,
    size: usize,
    expected: &T,
    load: impl FnOnce() -> T,
) {
    let (value, most) = alone.peak(load);
    assert!(value == *expected, "{what}");
    assert!(most < size + REST, "{what}: {most} bytes for {size}");
}

#[test]
fn an_array_is_held_once_at_most() {
    let alone = Alone::wait();
    let dir = scratch("once");
    for mib in [16, 48] {
        let size = mib * MIB;
        let array = BTreeMap::from([("x", values(mib))]);
        let x = &array["x"];
        let (npy, npz, deflated) = (dir.join("x.npy"), dir.join("x.npz"), dir.join("deflated.npz"));
        for (what, used) in [
            ("save_npy", alone.peak(|| serde_npz::save_npy(&npy, x).unwrap()).1),
            ("save_npz", alone.peak(|| serde_npz::save_npz(&npz, &array).unwrap()).1),
            (
                "compressed",
                alone
                    .peak(|| WriteOptions::new().compressed().save_npz(&deflated, &array).unwrap())
                    .1,
            ),
        ] {
            assert!(used < REST, "{what}: {used} bytes for {size}");
        }

        loaded(&alone, "load_npy", size, x, || serde_npz::load_npy(&npy).unwrap());
        let array: BTreeMap<String, Vec<f64>> = [("x".to_owned(), x.clone())].into();
        loaded(&alone, "load_npz", size, &array, || serde_npz::load_npz(&npz).unwrap());
        loaded(&alone, "load deflated", size, &array, || {
            serde_npz::load_npz(&deflated).unwrap()
        });
        loaded(&alone, "load deflated, one thread", size, &array, || {
            ReadOptions::new().threads(1).load_npz(&deflated).unwrap()
        });
        // A reader tells nothing of its length: memory comes as bytes come, as much again each time.
        let (value, used) =
            alone.peak(|| serde_npz::from_npy_reader::<_, Vec<f64>>(BufReader::new(File::open(&npy).unwrap())));
        assert!(value.unwrap() == *x);
        assert!(used < 2 * size + REST, "from_npy_reader: {used} bytes for {size}");
    }
    fs::remove_dir_all(dir).unwrap();
}

#[test]
fn members_inflated_ahead_are_bounded() {
    let alone = Alone::wait();
    let members: BTreeMap<String, Vec<f64>> = (0..12).map(|i| (format!("m{i}"), values(2))).collect();
    let bytes = WriteOptions::new().compressed().to_npz_vec(&members).unwrap();
    let size = 24 * MIB;
    for threads in [1, 2, 4] {
        let options = ReadOptions::new().threads(threads);
        let (value, used) = alone.peak(|| options.from_npz_slice::<BTreeMap<String, Vec<f64>>>(&bytes).unwrap());
        assert!(value == members);
        // Each member of the result, and as much of those ahead as fits under their bound.
        assert!(used < 2 * size + REST, "{threads} threads: {used} bytes for {size}");
    }
}
