// MATLAB, R and Kilosort know no vectors: (n, 1), (1, n), (1, 1). NumPy's users squeeze. Here a field `Vec<f64>`, `f64`
// or `Array1` cannot take them, and no option does.
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
    let two = [1.0f64, 2.0].iter().flat_map(|x| x.to_le_bytes()).collect::<Vec<_>>();
    for shape in ["(2, 1)", "(1, 2)"] {
        let v = serde_npz::ReadOptions::new().squeeze(true).from_npy_slice::<Vec<f64>>(&npy("'<f8'", shape, &two));
        assert!(v.is_ok(), "{shape}: {}", v.unwrap_err());
    }
    let x = serde_npz::ReadOptions::new().squeeze(true).from_npy_slice::<f64>(&npy("'<f8'", "(1, 1)", &two[..8]));
    assert!(x.is_ok(), "{}", x.unwrap_err());
}
