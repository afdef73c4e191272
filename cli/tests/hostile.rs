//! Files that lie, through every verb that reads: no panic, an exit code of the three, soon done.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// Of an optimised build on an idle machine a second is enough; tests run unoptimised, and beside others.
const SOON: Duration = Duration::from_secs(60);

const VERBS: &[&[&str]] = &[
    &["ls"],
    &["ls", "--json"],
    &["show"],
    &["struct"],
    &["stats", "--json"],
    &["verify", "--numpy"],
    &[
        "rescue",
        "--force",
        "-o",
        concat!(env!("CARGO_TARGET_TMPDIR"), "/hostile-rescued.npz"),
    ],
    &["plot"],
    &["plot", "--kind", "hist", "--color", "always"],
    &[
        "plot",
        "--force",
        "-o",
        concat!(env!("CARGO_TARGET_TMPDIR"), "/hostile.png"),
    ],
];

#[test]
fn hostile_files_do_no_harm() {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/data/hostile");
    let mut seen = 0;
    for file in std::fs::read_dir(dir).unwrap() {
        let path = file.unwrap().path();
        if path.extension().is_none_or(|extension| extension == "json") {
            continue;
        }
        for verb in VERBS {
            // A thousand million numbers that NumPy reads too: minutes for an unoptimised build.
            if path.ends_with("bomb-zeros-1g.npz")
                && matches!(verb[0], "stats" | "plot" | "rescue")
                && cfg!(debug_assertions)
            {
                continue;
            }
            let start = Instant::now();
            let mut npz = Command::new(env!("CARGO_BIN_EXE_npz"));
            let out = npz.args(*verb).arg(&path).stdin(Stdio::null()).output().unwrap();
            let stderr = String::from_utf8_lossy(&out.stderr);
            assert!(
                matches!(out.status.code(), Some(0..=2)),
                "{verb:?} {}: {stderr}",
                path.display()
            );
            assert!(!stderr.contains("panicked"), "{verb:?} {}: {stderr}", path.display());
            assert!(
                start.elapsed() < SOON,
                "{verb:?} {}: {:?}",
                path.display(),
                start.elapsed()
            );
            assert!(
                stderr.chars().all(|c| c == '\n' || !c.is_control()),
                "{verb:?} {}",
                path.display()
            );
        }
        seen += 1;
    }
    assert!(seen > 150);
}
