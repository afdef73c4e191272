// `|S3` where a target takes what comes (serde_json::Value, a tool that prints): bytes, which JSON has not, so that a
// sparse matrix of SciPy (`format` is `|S3`) cannot be shown. NumPy's S is text to its users; a `String` reads it.
use serde_npz::from_npy_slice;
fn main() {
    let bytes = npy("'|S3'", "()", b"csr");
    assert_eq!(from_npy_slice::<String>(&bytes).unwrap(), "csr");
    let v = from_npy_slice::<serde_json::Value>(&bytes);
    assert!(v.is_ok(), "{}", v.unwrap_err());
}
