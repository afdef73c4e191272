// `|S3` where a target takes what comes (serde_json::Value, a tool that prints): bytes, which JSON has not, so that a
// sparse matrix of SciPy (`format` is `|S3`) cannot be shown. NumPy's S is text to its users; a `String` reads it.
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
    let bytes = npy("'|S3'", "()", b"csr");
    assert_eq!(from_npy_slice::<String>(&bytes).unwrap(), "csr");
    let v = from_npy_slice::<serde_json::Value>(&bytes);
    assert!(v.is_ok(), "{}", v.unwrap_err());
}
