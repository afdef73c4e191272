//! The names of an archive: which members are values, in which groups they lie, and what stays outside.

use std::io::{Read, Seek};
use std::sync::Arc;

use crate::error::{Error, ErrorKind, Result};
use crate::format::header::MAGIC;
use crate::io::source::read_full;
use crate::npz::reader::NpzReader;
use crate::npz::tree::{Role, Tree, key};

/// The names of all arrays and texts of an archive, sorted into groups once for each reader.
pub(super) fn tree<R: Read + Seek>(reader: &mut NpzReader<R>) -> Result<Arc<Tree>> {
    if let Some(tree) = reader.tree() {
        return Ok(tree);
    }
    let skips = reader.options().skip_unsupported;
    let mut tree = Tree::new(reader.options().separator, reader.len());
    for index in 0..reader.len() {
        if reader.is_hidden(index) {
            continue;
        }
        let name = Arc::clone(reader.central_entries()[index].name());
        let key = key(&name);
        if skips && reader.is_unsupported(index)? {
            tree.leave_out(index);
        // A member that starts as an array is one whatever its name. Of all others only JSON texts are values.
        } else if name.ends_with(".npy") || starts_as_array(reader, index)? {
            tree.insert(&name, key.len(), Role::Array(index));
        } else if let Some(key) = key.strip_suffix(".json") {
            tree.insert(&name, key.len(), Role::Json(index));
        } else {
            tree.leave_out(index);
        }
    }
    Ok(reader.keep_tree(tree))
}

/// A damaged member may fail to start as an array: [`verify_left_out`] looks at it again before its absence means
/// anything.
fn starts_as_array<R: Read + Seek>(reader: &mut NpzReader<R>, index: usize) -> Result<bool> {
    let mut start = [0; MAGIC.len()];
    let got = match reader.peek(index) {
        Ok(mut member) => read_full(&mut member, &mut start),
        Err(err) => Err(err),
    };
    match got {
        Ok(got) => Ok(start[..got] == *MAGIC),
        Err(err) if err.kind() == ErrorKind::Io => Err(err.at_member(reader.central_entries()[index].key())),
        Err(_) => Ok(false),
    }
}

/// Checks the members that are left out of the tree though `asked` wants their keys: one that was an array before it was
/// damaged must not look as if it had never been there. What cannot be read has at least two headers that agree.
pub(super) fn verify_left_out<R: Read + Seek>(
    reader: &mut NpzReader<R>,
    tree: &Tree,
    asked: impl Fn(&str) -> bool,
) -> Result<()> {
    for &index in tree.others() {
        let key = reader.central_entries()[index].key().to_owned();
        // A JSON text `x.json` is also asked for as `x`.
        if asked(&key) || key.strip_suffix(".json").is_some_and(&asked) {
            match reader.verify_member(index) {
                Err(err) if err.kind() != ErrorKind::UnsupportedArchive || reader.is_faulty(index) => {
                    return Err(err.at_member(&key));
                }
                _ => {}
            }
        }
    }
    Ok(())
}

/// Whether the key is `path`, or lies in the group of that path.
pub(super) fn lies_in(key: &str, path: &str, separator: Option<char>) -> bool {
    key.strip_prefix(path)
        .is_some_and(|rest| rest.is_empty() || separator.is_some_and(|separator| rest.starts_with(separator)))
}

/// The outermost group of a path.
pub(super) fn first_of(path: &str, separator: Option<char>) -> &str {
    separator
        .and_then(|separator| path.split(separator).next())
        .unwrap_or(path)
}

#[cold]
pub(super) fn missing(name: &str, members: usize, tree: &Tree) -> Error {
    Error::missing(
        format_args!(
            "found no member or group of this name among {members} members, expected `{}`",
            name.escape_debug()
        ),
        name,
        tree.paths(),
    )
    .with_hint("`names()` lists those there are")
}
