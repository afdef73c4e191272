//! A module uses only what stands before it on the ladder: every `crate::` and `super::` path in `src` is checked.

use std::fs;
use std::path::{Path, PathBuf};

/// The modules from the bottom up; a submodule that is not named stands where its parent stands.
const LADDER: &[&str] = &[
    // 0
    "error",
    // 1
    "options",
    "literal",
    "source",
    // 2
    "dtype",
    // 3
    "header",
    // 4
    "marker",
    "sink",
    "file",
    "raw",
    "bulk",
    // 5
    "npy::scalar",
    "npy::capture",
    "npy::compound",
    "npy::node",
    "npy::measure",
    "npy::packed",
    "npy::stream",
    "npy::ser",
    "npy::time",
    "npy::transpose",
    "npy::plan",
    "npy::cursor",
    "npy::raw",
    "npy::key",
    "npy::item",
    "npy::de",
    "npy::transcode",
    "npy::rows",
    "npy::writer",
    "npy::reader",
    "npy::lone",
    "npy",
    "view",
    // 6
    "npz::tree",
    "npz::writer",
    "npz::reader",
    "npz::append",
    "npz::entry",
    // 7
    "npz::ser",
    "npz::rows",
    "npz::de",
    "npz::member_rows",
    "npz",
    // 8
    "checkpoint",
    "mmap",
    "value",
    "with",
];

#[test]
fn every_path_goes_down() {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    collect(&src, &mut files);
    assert!(files.len() > 10, "the sources are in src");
    let mut wrong = Vec::new();
    for file in &files {
        let module = module_of(file.strip_prefix(&src).unwrap());
        // The crate root stands on top of everything.
        if module.is_empty() {
            continue;
        }
        if rung(&module).is_none() {
            wrong.push(format!("{}: the module is not on the ladder", file.display()));
        }
        wrong.extend(violations(&module, &fs::read_to_string(file).unwrap()));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a_path_upwards_is_found() {
    let up = |module: &str, text: &str| violations(&module.split("::").map(str::to_string).collect::<Vec<_>>(), text);
    assert_eq!(
        up("header", "use crate::npz::ser::Serializer;"),
        ["header uses npz::ser::Serializer"]
    );
    assert_eq!(up("npy::ser", "use super::reader;"), ["npy::ser uses npy::reader"]);
    assert_eq!(
        up("npy::ser", "use super::to_npy_vec;"),
        ["npy::ser uses npy::to_npy_vec"]
    );
    assert_eq!(
        up("npy::ser", "fn f() { super::super::npz::verb() }"),
        ["npy::ser uses npz::verb"]
    );
    assert_eq!(
        up(
            "dtype",
            "use crate::{error::{Error, Result}, header::{self as h, Header}, npy::*};"
        ),
        [
            "dtype uses header::self",
            "dtype uses header::Header",
            "dtype uses npy::*"
        ]
    );
    assert_eq!(
        up("source", "fn f(x: crate::sink::Sink) {}"),
        ["source uses sink::Sink"]
    );
    assert_eq!(
        up("dtype::parse", "mod inner { use super::super::super::npz; }"),
        ["dtype::parse uses npz"]
    );
    assert_eq!(
        up("dtype", "use crate::Header;"),
        ["dtype uses Header"],
        "names from the root hide where they live"
    );

    let none: [String; 0] = [];
    assert_eq!(
        up(
            "npz::ser",
            "use crate::npy::{ser, measure}; use super::writer::NpzWriter;"
        ),
        none
    );
    assert_eq!(up("dtype::parse", "use super::{Dtype, print};"), none, "one rung");
    assert_eq!(
        up("dtype", "#[cfg(test)] mod tests { use super::*; use crate::literal; }"),
        none
    );
    assert_eq!(
        up("dtype", "// crate::npz\n/* crate::npz */ /// [`crate::npz`]\nfn f() {}"),
        none
    );
    assert_eq!(
        up(
            "dtype",
            r##"const A: &[&str] = &["crate::npz", r#"" crate::npz"#]; const Q: char = '"';"##
        ),
        none
    );
    assert_eq!(up("dtype", "fn f<'a>(x: &'a str) { g(b'\"', '\\'') }"), none);
}

fn collect(dir: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(&path, files);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
}

/// `npy/ser.rs` is `npy::ser`, `npy/mod.rs` is `npy`, `lib.rs` is the root.
fn module_of(path: &Path) -> Vec<String> {
    let names = path.with_extension("");
    let mut names: Vec<String> = names.iter().map(|name| name.to_str().unwrap().to_string()).collect();
    if names.last().is_some_and(|name| name == "mod" || name == "lib") {
        names.pop();
    }
    names
}

/// The place of the longest part of the path that the ladder names.
fn rung(path: &[String]) -> Option<usize> {
    (1..=path.len()).rev().find_map(|n| {
        let name = path[..n].join("::");
        LADDER.iter().position(|entry| *entry == name)
    })
}

fn violations(module: &[String], text: &str) -> Vec<String> {
    let place = rung(module);
    paths(module, &tokens(text))
        .into_iter()
        .filter(|path| rung(path).is_none_or(|target| place.is_none_or(|place| target > place)))
        .map(|path| format!("{} uses {}", module.join("::"), path.join("::")))
        .collect()
}

/// Every path that starts with `crate::` or `super::`, from the root of the crate.
fn paths(module: &[String], tokens: &[String]) -> Vec<Vec<String>> {
    let mut found = Vec::new();
    // Inline modules around the token, each with the depth of its brace.
    let mut inline: Vec<(String, usize)> = Vec::new();
    let mut depth = 0;
    let mut at = 0;
    while at < tokens.len() {
        match tokens[at].as_str() {
            "mod" if tokens.get(at + 2).is_some_and(|token| token == "{") => {
                inline.push((tokens[at + 1].clone(), depth));
                at += 2;
                continue;
            }
            "{" => depth += 1,
            "}" => {
                depth -= 1;
                if inline.last().is_some_and(|(_, opened)| *opened == depth) {
                    inline.pop();
                }
            }
            "crate" | "super" if tokens.get(at + 1).is_some_and(|token| token == "::") => {
                let mut base: Vec<String> = Vec::new();
                if tokens[at] == "super" {
                    base.extend(
                        module
                            .iter()
                            .cloned()
                            .chain(inline.iter().map(|(name, _)| name.clone())),
                    );
                    while tokens[at] == "super" && tokens[at + 1] == "::" {
                        base.pop();
                        at += 2;
                    }
                } else {
                    at += 2;
                }
                let mut tree = Vec::new();
                at = expand(&base, tokens, at, &mut tree);
                found.append(&mut tree);
                continue;
            }
            _ => {}
        }
        at += 1;
    }
    found
}

/// The paths of a use tree from `tokens[at]` on, and where it ends.
fn expand(base: &[String], tokens: &[String], mut at: usize, found: &mut Vec<Vec<String>>) -> usize {
    let mut path = base.to_vec();
    loop {
        match tokens.get(at).map(String::as_str) {
            Some("{") => {
                at += 1;
                while tokens.get(at).is_some_and(|token| token != "}") {
                    at = expand(&path, tokens, at, found);
                    while tokens.get(at).is_some_and(|token| token != "," && token != "}") {
                        at += 1;
                    }
                    if tokens.get(at).is_some_and(|token| token == ",") {
                        at += 1;
                    }
                }
                return at + 1;
            }
            // Generic arguments: the path ends here, those inside are found on their own.
            Some(name) if name == "*" || is_name(name) => path.push(name.to_string()),
            _ => {
                found.push(path);
                return at;
            }
        }
        at += 1;
        if tokens.get(at).is_none_or(|token| token != "::") {
            found.push(path);
            return at;
        }
        at += 1;
    }
}

fn is_name(token: &str) -> bool {
    token.starts_with(|c: char| c.is_alphabetic() || c == '_')
}

/// Names, `::` and single characters, without comments and literals.
fn tokens(text: &str) -> Vec<String> {
    let chars: Vec<char> = text.chars().collect();
    let starts = |at: usize, with: &str| with.chars().enumerate().all(|(i, c)| chars.get(at + i) == Some(&c));
    let mut found = Vec::new();
    let mut at = 0;
    while at < chars.len() {
        let c = chars[at];
        if c == '$' {
            // `mod $name {` of a macro is a module like any other.
            at += 1;
        } else if starts(at, "//") {
            at += chars[at..].iter().take_while(|c| **c != '\n').count();
        } else if starts(at, "/*") {
            let mut depth = 0;
            while at < chars.len() {
                if starts(at, "/*") {
                    depth += 1;
                    at += 2;
                } else if starts(at, "*/") {
                    depth -= 1;
                    at += 2;
                    if depth == 0 {
                        break;
                    }
                } else {
                    at += 1;
                }
            }
        } else if c == '"' {
            at = after_quoted(&chars, at, '"');
        } else if c == '\'' && (chars.get(at + 1) == Some(&'\\') || chars.get(at + 2) == Some(&'\'')) {
            at = after_quoted(&chars, at, '\'');
        } else if c.is_alphanumeric() || c == '_' {
            let name: String = chars[at..]
                .iter()
                .take_while(|c| c.is_alphanumeric() || **c == '_')
                .collect();
            at += name.chars().count();
            let hashes = chars[at..].iter().take_while(|c| **c == '#').count();
            if ["r", "br", "cr"].contains(&name.as_str()) && chars.get(at + hashes) == Some(&'"') {
                let end = format!("\"{}", "#".repeat(hashes));
                at += hashes + 1;
                while at < chars.len() && !starts(at, &end) {
                    at += 1;
                }
                at += end.len();
            } else {
                found.push(name);
            }
        } else if starts(at, "::") {
            found.push("::".to_string());
            at += 2;
        } else {
            if !c.is_whitespace() {
                found.push(c.to_string());
            }
            at += 1;
        }
    }
    found
}

/// Where a literal that starts at `at` is over.
fn after_quoted(chars: &[char], mut at: usize, quote: char) -> usize {
    at += 1;
    while at < chars.len() && chars[at] != quote {
        at += if chars[at] == '\\' { 2 } else { 1 };
    }
    at + 1
}
