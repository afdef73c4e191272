// The state of rand_chacha's and rand_pcg's generators holds a u128 (`word_pos`, `state`), so no checkpoint that
// carries one can be saved. The struct below is what their derives give to serde.
use serde::{Deserialize, Serialize};
#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct ChaCha { seed: [u8; 32], stream: u64, word_pos: u128 }
#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct State { weights: Vec<f64>, rng: ChaCha }
fn main() {
    let state = State { weights: vec![0.5], rng: ChaCha { seed: [7; 32], stream: 1, word_pos: u128::MAX } };
    let bytes = serde_npz::to_npz_vec(&state).unwrap();
    assert_eq!(serde_npz::from_npz_slice::<State>(&bytes).unwrap(), state);
}
