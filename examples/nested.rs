//! Structs in structs, lists and maps become names with slashes: `cargo run --example nested`.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_npz::NpzReader;

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Model {
    layers: Vec<Layer>,
    state: State,
    scores: BTreeMap<String, f64>,
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Layer {
    w: Vec<Vec<f32>>,
    b: Vec<f32>,
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
enum State {
    Fresh,
    Trained { epochs: u32 },
}

fn main() -> serde_npz::Result<()> {
    let model = Model {
        layers: vec![
            Layer {
                w: vec![vec![1.0, 2.0, 3.0]; 2],
                b: vec![0.0; 2],
            },
            Layer {
                w: vec![vec![4.0, 5.0]],
                b: vec![0.5],
            },
        ],
        state: State::Trained { epochs: 12 },
        scores: BTreeMap::from([("test".to_string(), 0.75), ("train".to_string(), 0.875)]),
    };
    assert_ne!(model.state, State::Fresh);

    let path = serde_npz::save_npz(std::env::temp_dir().join("serde_npz_model.npz"), &model)?;
    let mut archive = NpzReader::open(&path)?;
    let names: Vec<&str> = archive.names().collect();
    assert_eq!(
        names,
        [
            "layers/0/w",
            "layers/0/b",
            "layers/1/w",
            "layers/1/b",
            "state/Trained/epochs",
            "scores/test",
            "scores/train"
        ]
    );
    println!("{names:#?}");

    // A part of it: only the members below this name are read.
    let second: Layer = archive.get("layers/1")?;
    assert_eq!(second, model.layers[1]);
    let epochs: u32 = archive.get("state/Trained/epochs")?;
    assert_eq!(epochs, 12);

    // All of it.
    let back: Model = archive.deserialize()?;
    assert_eq!(model, back);
    Ok(())
}
