//! Files and members beyond 4 GiB: sizes and offsets that need 64 bits. The archive takes 5 GB of disk and minutes of
//! time, so it is asked for by name, once in a while:
//!
//!     SERDE_NPZ_LARGE=1 cargo test --release --all-features --test mmap large -- --ignored

use std::collections::BTreeMap;
use std::path::Path;

use crate::common::Scratch;
use serde_npz::{ArrayView, NpyMmap, NpyMmapMut, NpzMmap, NpzReader, NpzWriter};

const GIB: usize = 1 << 30;
/// Past 4 GiB, in rows of 1 KiB.
const ROWS: usize = 9 * GIB / 2 / 1024;

/// A file of 4.5 GiB that is a hole but for its header and its last row.
fn sparse(path: &Path) {
    // SAFETY: nothing else writes to the file.
    let mut map = unsafe { NpyMmapMut::create::<u16>(path, &[ROWS, 512]) }.unwrap();
    let mut view = map.array_mut::<u16>().unwrap();
    view.row_mut(ROWS - 1).unwrap().as_mut_slice().fill(7);
    map.flush().unwrap();
}

/// What a script of NumPy prints; `None` without Python.
fn numpy(script: &str, path: &Path) -> Option<String> {
    std::env::var_os("SERDE_NPZ_PYTHON")?;
    let script = format!("import sys, zipfile, numpy as np\npath = sys.argv[1]\n{script}");
    Some(crate::common::python(&script, &[path.as_os_str()]).trim().to_owned())
}

#[test]
#[ignore = "takes a large file, sparse"]
fn an_array_beyond_4_gib() {
    let dir = Scratch::new("large-npy");
    let path = dir.path("big.npy");
    sparse(&path);
    assert_eq!(std::fs::metadata(&path).unwrap().len(), 128 + 9 * (GIB as u64) / 2);

    // SAFETY: nothing else writes to the file.
    let map = unsafe { NpyMmap::open(&path) }.unwrap();
    let view = map.array::<u16>().unwrap();
    assert_eq!((view.shape(), view.get(&[ROWS - 1, 511])), (&[ROWS, 512][..], Some(7)));
    assert_eq!(view.slice(ROWS - 2..).unwrap().row(0).unwrap().as_slice(), [0; 512]);
    let last: Vec<Vec<u16>> = map.read_rows(ROWS - 1..).unwrap();
    assert_eq!(last, [[7; 512]]);

    let seen = numpy(
        "a = np.load(path, mmap_mode='r'); print(a.shape, a[-1, -1], a[-2].sum())",
        &path,
    );
    if let Some(seen) = seen {
        assert_eq!(seen, format!("({ROWS}, 512) 7 0"));
    }
}

#[test]
#[ignore = "takes 5 GB of disk"]
fn a_member_beyond_4_gib_and_one_behind_it() {
    if std::env::var_os("SERDE_NPZ_LARGE").is_none() {
        eprintln!("skipped: SERDE_NPZ_LARGE=1 asks for it");
        return;
    }
    let dir = Scratch::new("large-npz");
    let source = dir.path("big.npy");
    sparse(&source);
    let path = dir.path("big.npz");
    {
        // SAFETY: nothing else writes to the file.
        let map = unsafe { NpyMmap::open(&source) }.unwrap();
        let big: ArrayView<u16> = map.array().unwrap();
        let mut npz = NpzWriter::create(&path).unwrap();
        npz.add("first", &1.5).unwrap();
        npz.add("big", &big).unwrap();
        npz.add("behind", &vec![1.0, 2.0]).unwrap();
        npz.add("group", &BTreeMap::from([("x", [3_u8])])).unwrap();
        npz.finish().unwrap();
    }
    std::fs::remove_file(&source).unwrap();

    let mut npz = NpzReader::open(&path).unwrap();
    let entry = npz.entry("big").unwrap();
    assert_eq!((entry.size(), entry.unmappable()), (128 + 9 * (GIB as u64) / 2, None));
    assert!(npz.entry("behind").unwrap().offset().unwrap() > 4 * GIB as u64);
    assert_eq!(npz.get::<Vec<f64>>("behind").unwrap(), [1.0, 2.0]);
    assert_eq!(npz.get::<[u8; 1]>("group/x").unwrap(), [3]);
    npz.verify("big").unwrap();

    // SAFETY: nothing else writes to the file.
    let map = unsafe { NpzMmap::open(&path) }.unwrap();
    let big = map.array::<u16>("big").unwrap();
    assert_eq!((big.shape(), big.get(&[ROWS - 1, 511])), (&[ROWS, 512][..], Some(7)));
    assert_eq!(map.array::<f64>("behind").unwrap().as_slice(), [1.0, 2.0]);

    let script = "z = np.load(path)\nassert zipfile.ZipFile(path).testzip() is None\n\
                  print(z['first'], z['behind'], z['group/x'], z['big'].shape, z['big'][-1, -1])";
    if let Some(seen) = numpy(script, &path) {
        assert_eq!(seen, format!("1.5 [1. 2.] [3] ({ROWS}, 512) 7"));
    }
}
