// Masks: bool to integer and float is safe in NumPy, 0 and 1 of u1 are bools elsewhere (MATLAB, R, C++). Both are errors.
use serde_npz::from_npy_slice;
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
