// An `Option` field renamed to a key with a slash is None though the member is there.
use serde::Deserialize;
#[derive(Deserialize)]
struct W { #[serde(rename = "dense/bias:0")] bias: Option<Vec<f32>> }
fn main() {
    let flat = std::collections::BTreeMap::from([("dense/bias:0", vec![1.0f32])]);
    let bytes = serde_npz::WriteOptions::new().separator(None).to_npz_vec(&flat).unwrap();
    let w: W = serde_npz::from_npz_slice(&bytes).unwrap();
    assert_eq!(w.bias, Some(vec![1.0]));
}
