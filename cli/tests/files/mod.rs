//! The files that tests look at.
#![allow(dead_code)] // No test uses all of it.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use serde::Serialize;
use serde_npz::WriteOptions;

#[derive(Serialize)]
struct Run {
    step: i64,
    loss: Vec<f64>,
    layers: Vec<Layer>,
    samples: Vec<Sample>,
    #[serde(with = "serde_npz::with::datetime64::s")]
    started: i64,
    #[serde(with = "serde_npz::with::json")]
    config: BTreeMap<&'static str, f64>,
}

#[derive(Serialize)]
struct Layer {
    w: Vec<[f32; 3]>,
    b: [f32; 2],
}

#[derive(Serialize)]
struct Sample {
    id: u32,
    x: f64,
    label: &'static str,
}

fn run() -> Run {
    let layer = |k: f32| Layer {
        w: vec![[k, 0.5, -1.25], [0.0, 2.0, k / 4.0]],
        b: [k, -k],
    };
    Run {
        step: 12,
        loss: (0..50).map(|i| 1.0 / f64::from(1 + i)).collect(),
        layers: vec![layer(1.0), layer(2.0)],
        samples: vec![
            Sample {
                id: 1,
                x: 0.5,
                label: "cat",
            },
            Sample {
                id: 2,
                x: f64::NAN,
                label: "dog, large",
            },
            Sample {
                id: 3,
                x: -3.25,
                label: "größe",
            },
        ],
        started: 1_735_689_600,
        config: BTreeMap::from([("lr", 0.001), ("decay", 0.5)]),
    }
}

/// A directory of its own for each test: run.npz, zip.npz (deflated), x.npy, image.npy, damaged.npz, cut.npz.
pub fn make(test: &str) -> PathBuf {
    let dir = Path::new(env!("CARGO_TARGET_TMPDIR")).join(test);
    let _ = fs::remove_dir_all(&dir);
    fs::create_dir_all(&dir).unwrap();
    let run = run();
    serde_npz::save_npz(dir.join("run.npz"), &run).unwrap();
    WriteOptions::new()
        .compressed()
        .save_npz(dir.join("zip.npz"), &run)
        .unwrap();
    let x: Vec<f64> = (0..100_000).map(|i| f64::from(i) * 0.001).map(f64::sin).collect();
    serde_npz::save_npy(dir.join("x.npy"), &x).unwrap();
    let image: Vec<[[u8; 3]; 30]> = (0..20).map(|i| std::array::from_fn(|j| [i, j as u8, 7])).collect();
    serde_npz::save_npy(dir.join("image.npy"), &image).unwrap();
    let mut bytes = fs::read(dir.join("run.npz")).unwrap();
    fs::write(dir.join("cut.npz"), &bytes[..bytes.len() - 200]).unwrap();
    let loss = bytes
        .windows(8)
        .position(|bytes| bytes == 0.5_f64.to_le_bytes())
        .unwrap();
    bytes[loss] ^= 1;
    fs::write(dir.join("damaged.npz"), bytes).unwrap();
    dir
}
