//! Scripts that look at the tool with NumPy's eyes.

use std::path::{Path, PathBuf};
use std::process::Command;

/// Runs a script of this folder with the path of the tool, a folder for its files, and `more`.
#[track_caller]
pub fn agrees(script: &str, more: &[PathBuf]) {
    let python = std::env::var("SERDE_NPZ_PYTHON").unwrap_or_else(|_| "python3".into());
    let dir = Path::new(env!("CARGO_MANIFEST_DIR"));
    let python = match Path::new(&python) {
        path if path.is_relative() && python.contains('/') => dir.join("..").join(path),
        path => path.to_owned(),
    };
    let out = Command::new(python)
        .arg(dir.join("tests").join(script))
        .args([env!("CARGO_BIN_EXE_npz"), env!("CARGO_TARGET_TMPDIR")])
        .args(more)
        .output()
        .unwrap();
    let said = [out.stdout, out.stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
    assert!(out.status.success(), "{}", said.concat());
}
