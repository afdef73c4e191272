//! The tool beside NumPy: what it says of arrays, and what it writes.

mod python;

use std::path::Path;

/// `ls`, `stats` and `show --slice` over random arrays and over tests/data/numpy.
#[test]
#[ignore = "needs Python with NumPy"]
fn numpy_says_the_same() {
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/data/numpy");
    python::agrees("looking.py", &[data]);
}

/// `diff` beside `np.isclose`, and what the writing verbs make as NumPy loads it.
#[test]
#[ignore = "needs Python with NumPy"]
fn numpy_loads_the_same() {
    python::agrees("twins.py", &[]);
}
