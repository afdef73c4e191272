// MATLAB, R and Kilosort know no vectors: (n, 1), (1, n), (1, 1). NumPy's users squeeze. Here a field `Vec<f64>`, `f64`
// or `Array1` cannot take them, and no option does.
fn main() {
    let two = [1.0f64, 2.0].iter().flat_map(|x| x.to_le_bytes()).collect::<Vec<_>>();
    for shape in ["(2, 1)", "(1, 2)"] {
        let v = serde_npz::ReadOptions::new().squeeze(true).from_npy_slice::<Vec<f64>>(&npy("'<f8'", shape, &two));
        assert!(v.is_ok(), "{shape}: {}", v.unwrap_err());
    }
    let x = serde_npz::ReadOptions::new().squeeze(true).from_npy_slice::<f64>(&npy("'<f8'", "(1, 1)", &two[..8]));
    assert!(x.is_ok(), "{}", x.unwrap_err());
}
