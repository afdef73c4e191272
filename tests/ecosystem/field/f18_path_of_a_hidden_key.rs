// The path in an error drops the separator before a key that begins with a dot: `g.hid` for the member `g/.hid`.
use serde_npz::{WriteOptions, from_npz_slice};
use std::collections::BTreeMap;
fn main() {
    let bytes = WriteOptions::new().separator(None).to_npz_vec(&BTreeMap::from([("g/.hid", vec![1.0])])).unwrap();
    let err = from_npz_slice::<BTreeMap<String, BTreeMap<String, u8>>>(&bytes).unwrap_err();
    assert_eq!(err.path(), "g/.hid");
}
