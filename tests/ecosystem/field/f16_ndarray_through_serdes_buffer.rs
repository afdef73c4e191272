// Layers of a network as an internally tagged enum, or flattened: saving succeeds, loading does not (documented in
// limits.md): "found sequence, expected u8". Wanted: to load, or else to refuse when saving.
use ndarray::{Array2, array};
use serde::{Deserialize, Serialize};
use serde_npz::{from_npz_slice, to_npz_vec};
#[derive(Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type")]
enum Layer { Dense { w: Array2<f32> }, Dropout { p: f64 } }
#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Net { layers: Vec<Layer> }
fn main() {
    let net = Net { layers: vec![Layer::Dense { w: array![[1.0]] }, Layer::Dropout { p: 0.5 }] };
    if let Ok(bytes) = to_npz_vec(&net) {
        assert_eq!(from_npz_slice::<Net>(&bytes).unwrap(), net);
    }
}
