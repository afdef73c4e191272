// A table with an optional column is one structured array, with a mask, however long.
use serde::{Deserialize, Serialize};
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Imu { t: f64, temp: Option<f32> }
fn main() {
    let log: Vec<Imu> = (0..60_000).map(|i| Imu { t: i as f64, temp: (i % 3 == 0).then_some(i as f32) }).collect();
    let bytes = serde_npz::to_npy_vec(&log).unwrap();
    let h = serde_npz::Header::read(&mut &bytes[..]).unwrap();
    assert_eq!(h.dtype().to_string(), "[('t', '<f8'), ('temp', '<f4'), ('temp?', '|b1')]");
    assert_eq!(serde_npz::from_npy_slice::<Vec<Imu>>(&bytes).unwrap(), log);
}
