//! A sequence of structs is one structured array: `cargo run --example records`.

use serde::{Deserialize, Serialize};
use serde_npz::Header;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Hit {
    detector: u16,
    energy: f32,
    at: [f64; 3],
    quality: Quality,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
enum Quality {
    Good,
    Doubtful,
}

fn main() -> serde_npz::Result<()> {
    let hits = vec![
        Hit {
            detector: 3,
            energy: 0.5,
            at: [1.0, 2.0, 3.0],
            quality: Quality::Good,
        },
        Hit {
            detector: 9,
            energy: 7.25,
            at: [0.0, 0.5, 1.0],
            quality: Quality::Doubtful,
        },
    ];

    let bytes = serde_npz::to_npy_vec(&hits)?;
    let header = Header::read(&mut bytes.as_slice())?;
    assert_eq!(
        header.dtype().to_string(),
        "[('detector', '<u2'), ('energy', '<f4'), ('at', '<f8', (3,)), ('quality', '<U8')]"
    );

    let back: Vec<Hit> = serde_npz::from_npy_slice(&bytes)?;
    assert_eq!(hits, back);
    println!("{} hits of dtype {}", back.len(), header.dtype());
    println!("in Python: hits['energy'].mean(), hits[hits['quality'] == 'Good']['at']");
    Ok(())
}
