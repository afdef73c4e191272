// An archive with the keys `block` and `block/w` (Keras, Chainer): a reader that knows nothing of it, `Value`, takes no
// member at all. The error tells of `separator(None)`, which a program must then try by itself.
use serde_npz::{Value, WriteOptions, from_npz_slice};
use std::collections::BTreeMap;
fn main() {
    let keys = BTreeMap::from([("block", vec![1.0]), ("block/w", vec![2.0])]);
    let bytes = WriteOptions::new().separator(None).to_npz_vec(&keys).unwrap();
    let v = from_npz_slice::<Value>(&bytes);
    assert!(v.is_ok(), "{}", v.unwrap_err());
}
