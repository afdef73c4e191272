// `load_npz::<T>(path)` does not compile: the path's type is the first of two parameters, so that it has to be
// `load_npz::<_, T>(path)`, while `from_npz_slice::<T>` and serde_json's functions take one. `path: impl AsRef<Path>` would do.
fn main() {
    let path = std::env::temp_dir().join("field_turbofish.npy");
    serde_npz::save_npy(&path, &vec![1.0]).unwrap();
    let v = serde_npz::load_npy::<Vec<f64>>(&path).unwrap();
    assert_eq!(v, [1.0]);
}
