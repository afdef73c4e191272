//! A sparse matrix of SciPy is a struct of vectors: `cargo run --example sparse`.
//!
//! The file was made by:
//!
//! ```python
//! m = scipy.sparse.csr_matrix(([1.5, -2., 4., 0.5], ([0, 0, 2, 3], [1, 3, 0, 3])), shape=(4, 5))
//! scipy.sparse.save_npz("matrix.npz", m)
//! ```

use serde::Deserialize;

/// What `scipy.sparse.save_npz` writes for CSR and CSC matrices.
#[derive(Debug, Deserialize)]
struct Sparse {
    format: Format,
    shape: (usize, usize),
    indptr: Vec<usize>,
    indices: Vec<usize>,
    data: Vec<f64>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Format {
    Csr,
    Csc,
}

impl Sparse {
    fn to_dense(&self) -> Vec<Vec<f64>> {
        let (rows, columns) = self.shape;
        let mut dense = vec![vec![0.0; columns]; rows];
        for (major, range) in self.indptr.windows(2).enumerate() {
            for at in range[0]..range[1] {
                let minor = self.indices[at];
                match self.format {
                    Format::Csr => dense[major][minor] = self.data[at],
                    Format::Csc => dense[minor][major] = self.data[at],
                }
            }
        }
        dense
    }
}

fn main() -> serde_npz::Result<()> {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/data/matrix.npz");
    let matrix: Sparse = serde_npz::load_npz(path)?;
    println!("{matrix:?}");
    assert_eq!(
        matrix.to_dense(),
        [
            [0.0, 1.5, 0.0, -2.0, 0.0],
            [0.0, 0.0, 0.0, 0.0, 0.0],
            [4.0, 0.0, 0.0, 0.0, 0.0],
            [0.0, 0.0, 0.0, 0.5, 0.0]
        ]
    );
    Ok(())
}
