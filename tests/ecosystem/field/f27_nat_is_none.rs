// NaT where an optional time is asked for: `Option<SystemTime>` and `Option<Duration>` know "none", yet it is an error
// (whose advice is another type), and `vec![Some(time), None]` cannot be written without a module.
use serde_npz::from_npy_slice;
use std::time::{Duration, SystemTime};
fn npy(descr: &str, shape: &str, data: &[u8]) -> Vec<u8> {
    let mut t = format!("{{'descr': {descr}, 'fortran_order': False, 'shape': {shape}, }}");
    while (10 + t.len() + 1) % 64 != 0 { t.push(' '); }
    t.push('\n');
    let mut b = b"\x93NUMPY\x01\x00".to_vec();
    b.extend((t.len() as u16).to_le_bytes());
    b.extend(t.as_bytes());
    b.extend(data);
    b
}
fn main() {
    let nat = i64::MIN.to_le_bytes();
    let t = from_npy_slice::<Vec<Option<SystemTime>>>(&npy("'<M8[s]'", "(1,)", &nat));
    assert!(t.is_ok(), "{}", t.unwrap_err());
    let d = from_npy_slice::<Vec<Option<Duration>>>(&npy("'<m8[s]'", "(1,)", &nat));
    assert!(d.is_ok(), "{}", d.unwrap_err());
    assert_eq!((t.unwrap(), d.unwrap()), (vec![None], vec![None]));
}
