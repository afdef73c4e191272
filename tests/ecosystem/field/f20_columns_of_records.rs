// A structured array into a struct of vectors, one for each field, as data frames are (polars, pandas): "expected a
// group or one record". The other way round, a struct of vectors cannot be written as records either.
use serde::Deserialize;
use serde_npz::from_npy_slice;
#[derive(Debug, Deserialize)]
struct Columns { id: Vec<u32>, x: Vec<f64> }
fn main() {
    let mut data = 7u32.to_le_bytes().to_vec();
    data.extend(0.5f64.to_le_bytes());
    let columns = from_npy_slice::<Columns>(&npy("[('id', '<u4'), ('x', '<f8')]", "(1,)", &data)); // or with a module of `with`
    assert!(columns.is_ok(), "{}", columns.unwrap_err());
    assert_eq!((columns.as_ref().unwrap().id[0], columns.unwrap().x[0]), (7, 0.5));
}
