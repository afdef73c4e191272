//! Exit codes, pipes, and what goes where.

mod files;

use std::fs;
use std::io::{Read, Write};
use std::path::Path;
use std::process::{Command, Output, Stdio};

fn npz(dir: &Path, args: &[&str]) -> Output {
    let mut npz = Command::new(env!("CARGO_BIN_EXE_npz"));
    npz.args(args)
        .current_dir(dir)
        .env_remove("CLICOLOR_FORCE")
        .stdin(Stdio::null())
        .output()
        .unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

#[test]
fn the_worst_code_counts_and_all_files_are_done() {
    let dir = files::make("codes");
    for (args, code) in [
        (&["run.npz"][..], 0),
        (&["ls", "missing.npz", "run.npz"], 2),
        (&["verify", "run.npz", "zip.npz", "x.npy"], 0),
        (&["verify", "run.npz", "damaged.npz"], 1),
        (&["verify", "cut.npz"], 1),
        (&["stats", "damaged.npz", "run.npz"], 1),
        (&["show", "damaged.npz", "loss", "--full"], 1),
        (&["plot", "damaged.npz", "loss"], 1),
        (&["ls", "-m", "nothing", "run.npz"], 2),
        (&["show", "run.npz", "loss", "--slice", "99"], 2),
        (&["show", "x.npy", "--slice", "-1"], 0),
        (&["frobnicate"], 2),
        (&["ls", "--no-such-option", "run.npz"], 2),
        (&["--help"], 0),
    ] {
        let out = npz(&dir, args);
        assert_eq!(out.status.code(), Some(code), "{args:?}: {}", text(&out.stderr));
    }
    let out = npz(&dir, &["ls", "-1", "missing.npz", "run.npz"]);
    assert!(text(&out.stdout).contains("layers/0/w"));
    assert!(text(&out.stderr).starts_with("npz: missing.npz: "));
}

#[test]
fn a_closed_pipe_ends_quietly() {
    let dir = files::make("pipe");
    let mut npz = Command::new(env!("CARGO_BIN_EXE_npz"))
        .args(["show", "x.npy", "--format", "csv"])
        .current_dir(&dir)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdout = npz.stdout.take().unwrap();
    stdout.read_exact(&mut [0; 10]).unwrap();
    drop(stdout);
    let out = npz.wait_with_output().unwrap();
    assert_eq!((out.status.code(), text(&out.stderr)), (Some(0), String::new()));
}

#[test]
fn standard_input_is_an_array_or_an_archive() {
    let dir = files::make("stdin");
    for (file, args) in [
        ("x.npy", &["stats", "--json", "-"]),
        ("zip.npz", &["stats", "--json", "-"]),
    ] {
        let mut npz = Command::new(env!("CARGO_BIN_EXE_npz"))
            .args(args)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        npz.stdin
            .take()
            .unwrap()
            .write_all(&fs::read(dir.join(file)).unwrap())
            .unwrap();
        let piped = npz.wait_with_output().unwrap();
        let named = self::npz(&dir, &["stats", "--json", file]);
        assert_eq!(
            text(&piped.stdout),
            text(&named.stdout).replace(&format!("\"{file}\""), "\"-\"")
        );
    }
}

#[test]
fn json_has_no_colour_and_is_never_cut() {
    let dir = files::make("json");
    let out = npz(
        &dir,
        &[
            "ls",
            "--json",
            "--width",
            "20",
            "--color",
            "always",
            "run.npz",
            "missing.npz",
        ],
    );
    let json: serde_json::Value = serde_json::from_slice(&out.stdout).unwrap();
    assert_eq!(json["files"][0]["members"][2]["name"], "layers/0/w");
    assert_eq!(json["files"][1]["error"], "No such file or directory");
    let out = npz(&dir, &["ls", "--jsonl", "run.npz"]);
    for line in text(&out.stdout).lines() {
        assert_eq!(
            serde_json::from_str::<serde_json::Value>(line).unwrap()["path"],
            "run.npz"
        );
    }
    let out = npz(&dir, &["ls", "--color", "always", "run.npz"]);
    assert!(text(&out.stdout).contains('\x1b'));
}

#[test]
fn lines_are_no_wider_than_asked() {
    let dir = files::make("width");
    for width in ["40", "80", "160"] {
        for args in [&["ls", "run.npz"][..], &["show", "x.npy"], &["show", "run.npz", "loss"]] {
            let out = npz(&dir, &[args, &["--width", width]].concat());
            for line in text(&out.stdout).lines() {
                assert!(
                    line.chars().count() <= width.parse().unwrap(),
                    "{args:?} {width}: {line}"
                );
            }
        }
    }
}
