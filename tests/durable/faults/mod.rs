//! Everything that can fail is made to fail, one call after another until nothing fails any more, as SQLite is tested.

mod full;
mod reader;
mod replaced;
mod writer;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// A bit of everything: whole slices, records, texts, groups, lists, an absent field.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Everything {
    time: Vec<f64>,
    flags: Vec<bool>,
    grid: Vec<Vec<i16>>,
    particles: Vec<Particle>,
    names: Vec<String>,
    layers: BTreeMap<String, Layer>,
    ragged: Vec<Option<Vec<u8>>>,
    absent: Option<f32>,
    scalar: u64,
    #[serde(with = "serde_npz::with::json")]
    settings: BTreeMap<String, String>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Particle {
    id: u32,
    position: [f32; 3],
    alive: bool,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Layer {
    weights: Vec<f32>,
    bias: f64,
}

impl Everything {
    fn new(n: u32) -> Self {
        Everything {
            time: (0..n).map(f64::from).collect(),
            flags: (0..n).map(|i| i % 3 == 0).collect(),
            grid: vec![vec![7; 5]; 4],
            particles: (0..n)
                .map(|id| Particle {
                    id,
                    position: [id as f32, 0.5, -1.0],
                    alive: id % 2 == 0,
                })
                .collect(),
            names: (0..n).map(|i| format!("name {i} é")).collect(),
            layers: BTreeMap::from([(
                "first".into(),
                Layer {
                    weights: vec![0.25; n as usize],
                    bias: 1.5,
                },
            )]),
            ragged: vec![Some(vec![1, 2, 3]), None, Some(vec![])],
            absent: None,
            scalar: u64::MAX,
            settings: BTreeMap::from([("mode".into(), "fast".into())]),
        }
    }
}
