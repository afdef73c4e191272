//! A module uses only what stands before it in its room: every `crate::` and `super::` path in `src` is checked, and that
//! no room holds more than ten things.

use std::fs;
use std::path::{Path, PathBuf};

/// Every room and what is in it, from the bottom up. `tests` stands last: it may use all of its room.
const ROOMS: &[(&str, &[&str])] = &[
    (
        "",
        &[
            "error",
            "options",
            "io",
            "format",
            "npy",
            "npz",
            "view",
            "checkpoint",
            "value",
            "with",
        ],
    ),
    ("options", &["limits", "progress"]),
    ("error", &["cause", "nearest"]),
    ("io", &["checked", "pool", "source", "file"]),
    ("io::file", &["links", "access", "lock", "disk", "model", "tests"]),
    ("format", &["literal", "dtype", "cast", "time", "header"]),
    ("format::header", &["tests"]),
    (
        "format::dtype",
        &[
            "number",
            "wide",
            "masked",
            "printable",
            "print",
            "spelling",
            "record",
            "parse",
            "tests",
        ],
    ),
    (
        "npy",
        &[
            "marker",
            "raw",
            "sink",
            "whole",
            "layout",
            "ser",
            "de",
            "transcode",
            "rows",
            "file",
        ],
    ),
    (
        "npy::whole",
        &["numbers", "fill", "elements", "rows", "texts", "vectors"],
    ),
    (
        "npy::layout",
        &[
            "compound", "tally", "mixed", "scalar", "texts", "tree", "capture", "known", "measure",
        ],
    ),
    ("npy::layout::tree", &["join"]),
    ("npy::layout::measure", &["items", "fields", "reconcile", "tests"]),
    ("npy::ser", &["slots", "array", "stream", "write"]),
    ("npy::ser::array", &["items", "fields"]),
    ("npy::ser::stream", &["item"]),
    (
        "npy::de",
        &[
            "budget",
            "transpose",
            "plan",
            "data",
            "key",
            "raw",
            "element",
            "ndarray",
            "ordered",
            "array",
        ],
    ),
    ("npy::de::data", &["axes"]),
    ("npy::de::array", &["squeeze", "access", "columns", "json", "masked"]),
    ("npy::de::element", &["number", "text", "convert", "complex", "parts"]),
    (
        "npy::rows",
        &[
            "columns", "walk", "place", "fit", "head", "encode", "texts", "writer", "append", "reader",
        ],
    ),
    ("npy::rows::place", &["leaf"]),
    (
        "npz",
        &["zip", "tree", "reader", "scan", "writer", "ser", "de", "either"],
    ),
    ("npz::scan", &["member", "search", "tests"]),
    ("npz::zip", &["tests"]),
    (
        "npz::writer",
        &[
            "output",
            "entry",
            "deflate",
            "entries",
            "container",
            "members",
            "append",
            "raw",
            "tests",
        ],
    ),
    (
        "npz::reader",
        &[
            "window",
            "directory",
            "kept",
            "inflate",
            "member",
            "prefetch",
            "check",
            "progress",
            "entry",
            "data",
        ],
    ),
    (
        "npz::ser",
        &[
            "ragged",
            "masked",
            "columns",
            "form",
            "sequence",
            "group",
            "place",
            "node",
            "rows",
            "serializer",
        ],
    ),
    ("npz::ser::masked", &["through"]),
    (
        "npz::de",
        &["names", "claims", "store", "ragged", "rows", "place", "deserializer"],
    ),
    ("npz::de::place", &["explain", "access", "columns"]),
    (
        "view",
        &[
            "strides",
            "element",
            "rows",
            "writable",
            "serde",
            "ndarray_0_17",
            "mmap",
        ],
    ),
    ("view::mmap", &["map", "npz", "writable"]),
    ("checkpoint", &["store", "tests"]),
    ("checkpoint::tests", &["abort"]),
    (
        "value",
        &[
            "buffer",
            "array",
            "convert",
            "de",
            "deserializer",
            "group",
            "ser",
            "print",
        ],
    ),
    ("value::print", &["float", "element"]),
    ("with", &["exact", "codec", "dense", "time", REST]),
];

/// Rooms whose file is a door: the public verbs, or nothing but the modules. What is in them does not use it. In every
/// other room the file holds the type that the things in it are parts of.
const CLOSED: &[&str] = &[
    "",
    "io",
    "format",
    "npy",
    "npy::layout",
    "npy::ser",
    "npy::de",
    "npy::rows",
    "npz",
    "with",
];

/// Modules that call each other because serde's data model is recursive.
const CIRCLES: &[(&str, &str)] = &[
    ("npy::de::ndarray", "npy::de::array"),
    ("npy::de::ordered", "npy::de::array"),
    ("npy::de::element", "npy::de::array"),
];

/// All other files of a room. They do not use each other: users choose one of the modules of `with` by name, and there may
/// be any number of them.
const REST: &str = "*";

#[test]
fn every_path_goes_down() {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    collect(&src, &mut files);
    assert!(files.len() > 10, "the sources are in src");
    let mut wrong = Vec::new();
    for file in &files {
        let module = module_of(file.strip_prefix(&src).unwrap());
        // The crate root stands on top of everything, and tests may look at all of it.
        if module.is_empty() || module.iter().any(|name| name == "tests") {
            continue;
        }
        if known(&module).len() < module.len() {
            wrong.push(format!("{}: the module is in no room", file.display()));
        }
        wrong.extend(violations(&module, &fs::read_to_string(file).unwrap()));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn no_room_holds_more_than_ten_things() {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    for (room, things) in ROOMS {
        for thing in things.iter().filter(|thing| **thing != REST) {
            let path = room
                .split("::")
                .filter(|name| !name.is_empty())
                .collect::<PathBuf>()
                .join(thing);
            assert!(
                src.join(path.with_extension("rs")).is_file(),
                "{} is not there",
                path.display()
            );
        }
        let things = things.iter().filter(|thing| **thing != "tests").count();
        assert!(things <= 10, "{room} holds {things} things");
    }
}

#[test]
fn a_path_upwards_is_found() {
    let up = |module: &str, text: &str| violations(&module.split("::").map(str::to_string).collect::<Vec<_>>(), text);
    assert_eq!(
        up("format::header", "use crate::npz::ser::Serializer;"),
        ["format::header uses npz::ser::Serializer"]
    );
    assert_eq!(up("npy::ser", "use super::rows;"), ["npy::ser uses npy::rows"]);
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
            "format::dtype",
            "use crate::{error::{Error, Result}, format::header::{self as h, Header}, npy::*};"
        ),
        [
            "format::dtype uses format::header::self",
            "format::dtype uses format::header::Header",
            "format::dtype uses npy::*"
        ]
    );
    assert_eq!(
        up("io::source", "fn f(x: crate::npy::sink::Sink) {}"),
        ["io::source uses npy::sink::Sink"]
    );
    assert_eq!(
        up(
            "format::dtype::parse",
            "mod inner { use super::super::super::super::npz; }"
        ),
        ["format::dtype::parse uses npz"]
    );
    assert_eq!(
        up("format::dtype", "use crate::Header;"),
        ["format::dtype uses Header"],
        "names from the root hide where they live"
    );
    assert_eq!(
        up("npz::ser::sequence", "use super::place::PlaceSerializer;"),
        ["npz::ser::sequence uses npz::ser::place::PlaceSerializer"],
        "inside a room too"
    );
    assert_eq!(
        up("npy::de::element::number", "use crate::npy::de::array::Array;"),
        ["npy::de::element::number uses npy::de::array::Array"]
    );

    assert_eq!(
        up("with::nan", "use super::list::serialize;"),
        ["with::nan uses with::list::serialize"]
    );

    for (module, text) in [
        ("with::nan", "use super::codec::unmark;"),
        (
            "npz::ser",
            "use crate::npy::{ser, layout::measure}; use super::writer::NpzWriter;",
        ),
        ("format::dtype::parse", "use super::{Dtype, print};"),
        (
            "format::dtype",
            "#[cfg(test)] mod tests { use super::*; use crate::format::literal; }",
        ),
        (
            "format::dtype",
            "// crate::npz\n/* crate::npz */ /// [`crate::npz`]\nfn f() {}",
        ),
        (
            "format::dtype",
            r##"const A: &[&str] = &["crate::npz", r#"" crate::npz"#]; const Q: char = '"';"##,
        ),
        ("format::dtype", "fn f<'a>(x: &'a str) { g(b'\"', '\\'') }"),
    ] {
        assert_eq!(up(module, text), [] as [&str; 0], "{text}");
    }
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

/// The things in a room, from the bottom up.
fn things(room: &[String]) -> Option<&'static [&'static str]> {
    let name = room.join("::");
    ROOMS.iter().find(|(room, _)| *room == name).map(|(_, things)| *things)
}

/// Where a thing stands in its room.
fn place(room: &[String], name: &str) -> Option<usize> {
    let things = things(room)?;
    let find = |wanted: &str| things.iter().position(|thing| *thing == wanted);
    find(name).or_else(|| {
        let mut file = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
        file.extend(room);
        find(REST).filter(|_| file.join(name).with_extension("rs").is_file())
    })
}

/// The longest part of the path that names a module, and whether all of it is known.
fn known(path: &[String]) -> &[String] {
    let mut len = 0;
    while len < path.len() && place(&path[..len], &path[len]).is_some() {
        len += 1;
    }
    &path[..len]
}

fn violations(module: &[String], text: &str) -> Vec<String> {
    paths(module, &tokens(text))
        .into_iter()
        .filter(|path| !goes_down(module, path))
        .map(|path| format!("{} uses {}", module.join("::"), path.join("::")))
        .collect()
}

/// Whether `module` may use `path`: something in itself or below it, or in a module beside one of its rooms that stands
/// before it there.
fn goes_down(module: &[String], path: &[String]) -> bool {
    let target = known(path);
    let shared = module.iter().zip(target).take_while(|(a, b)| a == b).count();
    if shared == module.len() {
        return true;
    }
    if shared == target.len() {
        // Something in the file of a room that `module` lies in.
        return !CLOSED.contains(&target.join("::").as_str());
    }
    if CIRCLES.contains(&(module.join("::").as_str(), target.join("::").as_str())) {
        return true;
    }
    let room = &module[..shared];
    match (place(room, &module[shared]), place(room, &target[shared])) {
        (Some(from), Some(to)) => to < from,
        _ => false,
    }
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
            // Tests may look at everything.
            "mod" if tokens.get(at + 1).is_some_and(|name| name == "tests") => {
                at = after_braces(tokens, at + 2);
                continue;
            }
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

/// The token behind the braces that open at `at`, or behind the one token there.
fn after_braces(tokens: &[String], mut at: usize) -> usize {
    let mut depth = 0;
    while at < tokens.len() {
        match tokens[at].as_str() {
            "{" => depth += 1,
            "}" => depth -= 1,
            _ => {}
        }
        at += 1;
        if depth == 0 {
            break;
        }
    }
    at
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
