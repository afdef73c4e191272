// The usual way to read weights, a map of arrays, over keys with slashes: the error is ndarray's talk of `v`, `dim` and
// `data`. Wanted: the arrays, or an error that says that `dense` is a group and names `ReadOptions::separator(None)`.
use ndarray::ArrayD;
use serde_npz::{WriteOptions, from_npz_slice};
use std::collections::BTreeMap;
fn main() {
    let keras = BTreeMap::from([("dense/kernel:0", vec![1.0f32]), ("dense/bias:0", vec![0.5])]);
    let bytes = WriteOptions::new().separator(None).to_npz_vec(&keras).unwrap();
    if let Err(e) = from_npz_slice::<BTreeMap<String, ArrayD<f32>>>(&bytes) {
        assert!(format!("{e:#}").contains("separator"), "{e:#}");
    }
}
