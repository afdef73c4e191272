//! What the tool says of arrays beside what NumPy says of them.

use std::path::Path;
use std::process::Command;

/// Runs `looking.py`, which compares `ls`, `stats` and `show --slice` over random arrays and over tests/data/numpy.
#[test]
#[ignore = "needs Python with NumPy"]
fn numpy_says_the_same() {
    let python = std::env::var("SERDE_NPZ_PYTHON").unwrap_or_else(|_| "python3".into());
    let dir = Path::new(env!("CARGO_MANIFEST_DIR"));
    let python = match Path::new(&python) {
        path if path.is_relative() && python.contains('/') => dir.join("..").join(path),
        path => path.to_owned(),
    };
    let out = Command::new(python)
        .arg(dir.join("tests/looking.py"))
        .args([env!("CARGO_BIN_EXE_npz"), env!("CARGO_TARGET_TMPDIR")])
        .arg(dir.join("../tests/data/numpy"))
        .output()
        .unwrap();
    let said = [out.stdout, out.stderr]
        .map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
        .concat();
    assert!(out.status.success(), "{said}");
}
