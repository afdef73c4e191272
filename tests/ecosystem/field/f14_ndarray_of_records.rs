// `Array1<Point>` becomes a group `v`, `dim`, `data`, `Array1<f64>` and `Vec<Point>` one array. NumPy's structured
// array is read into it, so writing should make one, of the array's shape.
use ndarray::{Array1, Array2};
use serde::{Deserialize, Serialize};
use serde_npz::{NpzReader, to_npz_vec};
#[derive(Clone, Serialize, Deserialize)]
struct Point { x: f64, y: f64 }
#[derive(Serialize)]
struct Run { points: Array1<Point>, grid: Array2<(u8, f64)> }
fn main() {
    let run = Run { points: vec![Point { x: 1.0, y: 2.0 }; 2].into(), grid: Array2::from_elem((2, 3), (1, 0.5)) };
    let mut npz = NpzReader::new(std::io::Cursor::new(to_npz_vec(&run).unwrap())).unwrap();
    let names: Vec<String> = npz.names().map(String::from).collect();
    assert_eq!(names, ["points", "grid"]);
    assert_eq!(npz.header("grid").unwrap().shape(), [2, 3]);
}
