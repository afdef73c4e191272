//! Which files are compared: the two, or those of two directories by their paths within.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use crate::frame::fault::{Fault, Result};

/// Deeper directories are not looked into.
const DEPTH: usize = 64;

/// One file of each side, or of one side alone.
pub struct Pair {
    /// The path within the directories; `None` for two files.
    pub name: Option<String>,
    pub first: Option<PathBuf>,
    pub second: Option<PathBuf>,
}

pub fn pairs(first: &Path, second: &Path) -> Result<Vec<Pair>> {
    match (first.is_dir(), second.is_dir()) {
        (false, false) => Ok(vec![Pair {
            name: None,
            first: Some(first.to_owned()),
            second: Some(second.to_owned()),
        }]),
        (true, true) => {
            let [mut ours, mut theirs] = [within(first)?, within(second)?];
            let names: BTreeSet<String> = ours.keys().chain(theirs.keys()).cloned().collect();
            Ok(names
                .into_iter()
                .map(|name| Pair {
                    first: ours.remove(&name),
                    second: theirs.remove(&name),
                    name: Some(name),
                })
                .collect())
        }
        (true, false) => Err(Fault::new("found a directory and a file, expected two of a kind").of(first)),
        (false, true) => Err(Fault::new("found a file and a directory, expected two of a kind").of(first)),
    }
}

/// The .npy and .npz files below a directory; links to directories are not followed.
fn within(root: &Path) -> Result<BTreeMap<String, PathBuf>> {
    let mut files = BTreeMap::new();
    let mut left = vec![(root.to_owned(), 0)];
    while let Some((dir, depth)) = left.pop() {
        let entries = fs::read_dir(&dir).map_err(|err| Fault::from(err).of(&dir))?;
        for entry in entries {
            let entry = entry.map_err(|err| Fault::from(err).of(&dir))?;
            let path = entry.path();
            let kind = entry.file_type().map_err(|err| Fault::from(err).of(&path))?;
            let suffix = path.extension().and_then(|suffix| suffix.to_str());
            if kind.is_dir() && depth < DEPTH {
                left.push((path, depth + 1));
            } else if path.is_file() && matches!(suffix, Some("npy" | "npz")) {
                let name = path
                    .strip_prefix(root)
                    .unwrap_or(&path)
                    .to_string_lossy()
                    .replace('\\', "/");
                files.insert(name, path);
            }
        }
    }
    Ok(files)
}
