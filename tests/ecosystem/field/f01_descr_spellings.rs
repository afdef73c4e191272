// Spellings of a plain dtype that NumPy reads and other writers use: '?', 'float32', '<d', '|B', '<f8,<f8'.
use serde_npz::{Header, from_npy_slice};
fn main() {
    let f = [1.0f32, 2.0].iter().flat_map(|x| x.to_le_bytes()).collect::<Vec<_>>();
    let d = [1.0f64, 2.0].iter().flat_map(|x| x.to_le_bytes()).collect::<Vec<_>>();
    assert_eq!(from_npy_slice::<Vec<f32>>(&npy("'float32'", "(2,)", &f)).unwrap(), [1.0, 2.0]);
    assert_eq!(from_npy_slice::<Vec<f64>>(&npy("'<d'", "(2,)", &d)).unwrap(), [1.0, 2.0]);
    assert_eq!(from_npy_slice::<Vec<u8>>(&npy("'|B'", "(2,)", &[7, 8])).unwrap(), [7, 8]);
    for bools in ["'?'", "'|?'"] {
        assert_eq!(from_npy_slice::<Vec<bool>>(&npy(bools, "(2,)", &[1, 0])).unwrap(), [true, false]);
    }
    let pair = npy("'<f8,<f8'", "(1,)", &d);
    assert_eq!(Header::read(&mut &pair[..]).unwrap().dtype().to_string(), "[('f0', '<f8'), ('f1', '<f8')]");
}
