//! Deflated members, as `np.savez_compressed` writes them: `cargo run --example compressed`.

use serde::{Deserialize, Serialize};
use serde_npz::{Compression, WriteOptions};

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Counts {
    histogram: Vec<u32>,
    mask: Vec<bool>,
}

fn main() -> serde_npz::Result<()> {
    let counts = Counts {
        histogram: (0..100_000).map(|i| i / 100).collect(),
        mask: (0..100_000).map(|i| i % 1000 == 0).collect(),
    };

    let stored = serde_npz::to_npz_vec(&counts)?;
    let deflated = WriteOptions::new().compressed().to_npz_vec(&counts)?;
    let fast = WriteOptions::new()
        .compression(Compression::Deflate(1))
        .to_npz_vec(&counts)?;
    println!(
        "stored {} bytes, level 6 {} bytes, level 1 {} bytes",
        stored.len(),
        deflated.len(),
        fast.len()
    );
    assert!(deflated.len() * 10 < stored.len());

    // Reading needs no option.
    for bytes in [&stored, &deflated, &fast] {
        let back: Counts = serde_npz::from_npz_slice(bytes)?;
        assert_eq!(counts, back);
    }
    Ok(())
}
