// Masks: bool to integer and float is safe in NumPy, 0 and 1 of u1 are bools elsewhere (MATLAB, R, C++). Both are errors.
use serde_npz::from_npy_slice;
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
    let b = npy("'|b1'", "(2,)", &[1, 0]);
    let u = npy("'|u1'", "(2,)", &[1, 0]);
    let ints = from_npy_slice::<Vec<u8>>(&b);
    assert!(ints.is_ok(), "{}", ints.unwrap_err());
    let floats = from_npy_slice::<Vec<f32>>(&b);
    assert!(floats.is_ok(), "{}", floats.unwrap_err());
    let bools = from_npy_slice::<Vec<bool>>(&u);
    assert!(bools.is_ok(), "{}", bools.unwrap_err());
}
