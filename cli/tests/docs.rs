//! The pages in cli/docs are tests: each command is run, and prints what stands below it.
//!
//! ```text
//! $ npz show run.npz step       a line for the shell, in a directory of files made by `files`
//! 12                            what it prints, stderr as well
//! ? 1                           first, where the exit code is not 0
//! ```
//!
//! `UPDATE=1 cargo test -p npz-cli --test docs` writes the pages anew.
#![cfg(unix)]

mod files;

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

#[test]
fn pages_print_what_they_say() {
    let dir = files::make("docs");
    let bin = Path::new(env!("CARGO_BIN_EXE_npz")).parent().unwrap();
    let path = format!("{}:{}", bin.display(), std::env::var("PATH").unwrap());
    let mut pages = 0;
    let mut wrong = Vec::new();
    for page in fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/docs")).unwrap() {
        let page = page.unwrap().path();
        if page.extension().is_none_or(|extension| extension != "md") {
            continue;
        }
        let text = fs::read_to_string(&page).unwrap();
        let found = run(&text, &dir, &path);
        pages += 1;
        if std::env::var_os("UPDATE").is_some() {
            fs::write(&page, found).unwrap();
        } else if found != text {
            let line = found.lines().zip(text.lines()).position(|(found, said)| found != said);
            let at = line.unwrap_or_else(|| found.lines().count().min(text.lines().count()));
            let show = |text: &str| text.lines().nth(at).unwrap_or("(end)").to_owned();
            wrong.push(format!(
                "{}:{}\n  says  {}\n  found {}",
                page.display(),
                at + 1,
                show(&text),
                show(&found)
            ));
        }
    }
    assert!(pages > 0 && wrong.is_empty(), "{}", wrong.join("\n"));
}

/// The page with what its commands print now.
fn run(page: &str, dir: &Path, path: &str) -> String {
    let mut text = String::new();
    let mut inside = false;
    for line in page.lines() {
        let fence = line.starts_with("```");
        if fence {
            inside = line == "```console";
        }
        if let Some(command) = line.strip_prefix("$ ").filter(|_| inside) {
            text.push_str(&format!("{line}\n{}", output(command, dir, path)));
        } else if !inside || fence {
            text.push_str(&format!("{line}\n"));
        }
    }
    text
}

fn output(command: &str, dir: &Path, path: &str) -> String {
    let out = Command::new("sh")
        .args(["-c", &format!("{{ {command}\n}} 2>&1")])
        .current_dir(dir)
        .env("PATH", path)
        .env_remove("CLICOLOR_FORCE")
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let text = String::from_utf8(out.stdout).unwrap();
    match out.status.code() {
        Some(0) => text,
        code => format!("? {}\n{text}", code.unwrap_or(-1)),
    }
}
