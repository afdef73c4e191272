//! The verbs of serde_npz. The source of this file builds with older revisions of it, too.

use std::path::Path;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_npz::{NpyWriter, NpzReader, NpzWriter, ReadOptions, WriteOptions};

use crate::{Case, Outcome, timed, unknown};

/// The only member of an archive.
#[derive(Serialize, Deserialize)]
struct Member<T> {
    x: T,
}

/// The options of the side `ours`, or `ours:2` with that many threads; `None` of any other side.
fn options(side: &str) -> Option<(WriteOptions, ReadOptions)> {
    let (name, threads) = match side.split_once(':') {
        Some((name, n)) => (name, Some(n.parse().ok()?)),
        None => (side, None),
    };
    let (write, read) = (WriteOptions::new(), ReadOptions::new());
    (name == "ours").then(|| match threads {
        Some(n) => (write.threads(n), read.threads(n)),
        None => (write, read),
    })
}

/// One value, whole.
pub fn value<T: Serialize + DeserializeOwned + 'static>(value: T) -> Case {
    Box::new(move |side, verb, path| run(&value, side, verb, path))
}

pub fn run<T: Serialize + DeserializeOwned>(value: &T, side: &str, verb: &str, path: &Path) -> Outcome {
    let Some((write, read)) = options(side) else {
        return unknown(side, verb);
    };
    match verb {
        "save-npy" => timed(|| Ok(write.save_npy(path, value)?)),
        "load-npy" => timed(|| -> Outcome<T> { Ok(read.load_npy(path)?) }),
        "save-npz" => timed(|| Ok(write.save_npz(path, value)?)),
        "deflate" => timed(|| Ok(write.compressed().save_npz(path, value)?)),
        "load-npz" => timed(|| -> Outcome<T> { Ok(read.load_npz(path)?) }),
        _ => unknown(side, verb),
    }
}

/// Rows that come one by one, beside the same in one piece; as a lone array, and as the only member of an archive.
pub fn rows<T: Serialize + DeserializeOwned + 'static>(values: Vec<T>) -> Case {
    let member = Member { x: values };
    Box::new(move |side, verb, path| match verb {
        "push" => timed(|| {
            let mut rows = NpyWriter::create(path)?;
            for row in &member.x {
                rows.push(row)?;
            }
            Ok(rows.finish()?)
        }),
        "add-rows" => timed(|| {
            let mut npz = NpzWriter::create(path)?;
            npz.add_rows("x", &member.x)?;
            Ok(npz.finish()?)
        }),
        "save-npy" | "load-npy" => run(&member.x, side, verb, path),
        _ => run(&member, side, verb, path),
    })
}

/// Rows of a few numbers, each a vector of its own; to clone them takes as many allocations as to read them.
pub fn short_rows(rows: Vec<Vec<f64>>) -> Case {
    Box::new(move |side, verb, path| match verb {
        "clone" => timed(|| Ok(rows.clone())),
        _ => run(&rows, side, verb, path),
    })
}

/// An archive of `count` members of `len` numbers each.
pub fn members(count: usize, len: usize) -> Case {
    let name = |i: usize| format!("member_{i:05}");
    let numbers = vec![0.5; len];
    Box::new(move |side, verb, path| match verb {
        "save" => timed(|| {
            let mut npz = NpzWriter::create(path)?;
            for i in 0..count {
                npz.add(&name(i), &numbers)?;
            }
            Ok(npz.finish()?)
        }),
        "open" => timed(|| Ok(NpzReader::open(path)?)),
        "first-get" => {
            let mut npz = NpzReader::open(path)?;
            timed(|| -> Outcome<Vec<f64>> { Ok(npz.get(&name(count / 2))?) })
        }
        "second-get" => {
            let mut npz = NpzReader::open(path)?;
            let _: Vec<f64> = npz.get(&name(count / 3))?;
            timed(|| -> Outcome<Vec<f64>> { Ok(npz.get(&name(count / 2))?) })
        }
        "entries" => {
            let mut npz = NpzReader::open(path)?;
            timed(|| Ok(npz.entries().filter(|entry| entry.header().is_ok()).count()))
        }
        _ => unknown(side, verb),
    })
}
