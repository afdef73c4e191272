// A structured array into a struct of vectors, one for each field, as data frames are (polars, pandas): "expected a
// group or one record". The other way round, a struct of vectors cannot be written as records either.
use serde::Deserialize;
use serde_npz::from_npy_slice;
#[derive(Debug, Deserialize)]
struct Columns { id: Vec<u32>, x: Vec<f64> }
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
    let mut data = 7u32.to_le_bytes().to_vec();
    data.extend(0.5f64.to_le_bytes());
    let columns = from_npy_slice::<Columns>(&npy("[('id', '<u4'), ('x', '<f8')]", "(1,)", &data)); // or with a module of `with`
    assert!(columns.is_ok(), "{}", columns.unwrap_err());
    assert_eq!((columns.as_ref().unwrap().id[0], columns.unwrap().x[0]), (7, 0.5));
}
