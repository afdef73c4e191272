//! Fields of `ndarray` types are N-d members: `cargo run --features ndarray-0_17 --example ndarray_fields`.
//!
//! In your own crate this needs no feature of `serde_npz`, only `ndarray` with its feature `serde`.

use ndarray::{Array1, Array3, Axis, array};
use serde::{Deserialize, Serialize};
use serde_npz::NpzReader;

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Video {
    time: Array1<f64>,
    frames: Array3<u8>,
}

fn main() -> serde_npz::Result<()> {
    let video = Video {
        time: array![0.0, 0.04],
        frames: Array3::from_shape_fn((2, 3, 4), |(t, y, x)| (100 * t + 10 * y + x) as u8),
    };

    let path = serde_npz::save_npz(std::env::temp_dir().join("serde_npz_video.npz"), &video)?;
    let mut archive = NpzReader::open(&path)?;
    assert_eq!(archive.header("frames")?.shape(), [2, 3, 4]);

    // One member alone, as an array of the rank asked for.
    let frames: Array3<u8> = archive.get("frames")?;
    let second = frames.index_axis(Axis(0), 1);
    println!("{second}");
    assert_eq!(second[[2, 3]], 123);

    let back: Video = archive.deserialize()?;
    assert_eq!(video, back);
    Ok(())
}
