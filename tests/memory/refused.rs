//! Memory that is not to be had is an error where this crate asks for it; what grows on its own (a `Vec` that serde
//! fills element by element) aborts, as everywhere in Rust.

use std::collections::BTreeMap;
use std::io::Cursor;

use serde_npz::{ErrorKind, NpzReader, WriteOptions};

use crate::counting::{Alone, with_at_most};

type Map = BTreeMap<String, Vec<f64>>;
type Read<'a> = &'a dyn Fn() -> serde_npz::Result<()>;

#[test]
fn an_array_larger_than_the_memory_is_an_error() {
    let _alone = Alone::wait();
    let archive = BTreeMap::from([("x", vec![1.5_f64; 1 << 18])]);
    let npy = serde_npz::to_npy_vec(&archive["x"]).unwrap();
    let stored = serde_npz::to_npz_vec(&archive).unwrap();
    let deflated = WriteOptions::new().compressed().to_npz_vec(&archive).unwrap();
    let raw = |bytes: &[u8]| NpzReader::new(Cursor::new(bytes))?.raw("x").map(drop);
    let ways: [(&str, Read); 6] = [
        ("array", &|| serde_npz::from_npy_slice::<Vec<f64>>(&npy).map(drop)),
        ("array of a reader", &|| {
            serde_npz::from_npy_reader::<_, Vec<f64>>(&npy[..]).map(drop)
        }),
        ("stored", &|| serde_npz::from_npz_slice::<Map>(&stored).map(drop)),
        ("deflated", &|| serde_npz::from_npz_slice::<Map>(&deflated).map(drop)),
        ("raw", &|| raw(&stored)),
        ("raw, deflated", &|| raw(&deflated)),
    ];
    for (name, read) in ways {
        let err = with_at_most(1 << 20, read).expect_err(name);
        assert_eq!(err.kind(), ErrorKind::LimitExceeded, "{name}: {err}");
        assert!(format!("{err:#}").contains("memory"), "{name}: {err}");
        assert!(read().is_ok(), "{name}");
    }
}

#[test]
fn an_archive_larger_than_the_memory_is_an_error() {
    let _alone = Alone::wait();
    let archive = BTreeMap::from([("x", vec![1.5_f64; 1 << 18])]);
    let ways: [(&str, Read); 3] = [
        ("npy", &|| serde_npz::to_npy_vec(&archive["x"]).map(drop)),
        ("npz", &|| serde_npz::to_npz_vec(&archive).map(drop)),
        ("checkpoint", &|| {
            // Captured before it is saved; nothing comes as far as the directory.
            serde_npz::Checkpoints::new("nowhere").save_in_background(1, &archive)
        }),
    ];
    for (name, write) in ways {
        let err = with_at_most(1 << 20, write).expect_err(name);
        assert_eq!(err.kind(), ErrorKind::LimitExceeded, "{name}: {err}");
        assert!(format!("{err:#}").contains("memory"), "{name}: {err}");
    }
}
