// NaT where an optional time is asked for: `Option<SystemTime>` and `Option<Duration>` know "none", yet it is an error
// (whose advice is another type), and `vec![Some(time), None]` cannot be written without a module.
use serde_npz::from_npy_slice;
use std::time::{Duration, SystemTime};
fn main() {
    let nat = i64::MIN.to_le_bytes();
    let t = from_npy_slice::<Vec<Option<SystemTime>>>(&npy("'<M8[s]'", "(1,)", &nat));
    assert!(t.is_ok(), "{}", t.unwrap_err());
    let d = from_npy_slice::<Vec<Option<Duration>>>(&npy("'<m8[s]'", "(1,)", &nat));
    assert!(d.is_ok(), "{}", d.unwrap_err());
    assert_eq!((t.unwrap(), d.unwrap()), (vec![None], vec![None]));
}
