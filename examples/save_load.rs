//! A derived struct to a `.npz` and back: `cargo run --example save_load`.

use serde::{Deserialize, Serialize};

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Run {
    label: String,
    time: Vec<f64>,
    position: Vec<[f64; 3]>,
    converged: Option<bool>,
}

fn main() -> serde_npz::Result<()> {
    let run = Run {
        label: "run 7".to_string(),
        time: vec![0.0, 0.5, 1.0],
        position: vec![[0.0, 0.0, 0.0], [1.0, 0.0, 0.5], [2.0, 0.0, 1.0]],
        converged: Some(true),
    };

    let path = serde_npz::save_npz(std::env::temp_dir().join("serde_npz_run"), &run)?;
    let back: Run = serde_npz::load_npz(&path)?;
    assert_eq!(run, back);

    println!("wrote {} and read it back: {back:?}", path.display());
    println!(
        "python3 -c \"import numpy as np; z = np.load('{}'); print(z['position'].shape)\"",
        path.display()
    );
    Ok(())
}
