//! Names back to values: a group is a map, a struct or a list; an array is read by `npy::de` from its member.

mod claims;
pub(crate) mod deserializer;
mod names;
mod place;
pub(crate) mod ragged;
pub(crate) mod rows;
mod store;

use std::io::{Cursor as IoCursor, Read, Seek};
use std::marker::PhantomData;

use serde::de::{Deserialize, DeserializeOwned, DeserializeSeed};

use self::names::{first_of, lies_in, missing, tree, verify_left_out};
use self::place::{NodeDeserializer, Reading};
use self::store::{Lender, Reader, Store};
use crate::error::Result;
use crate::format::header::Header;
use crate::npz::reader::NpzReader;
use crate::npz::tree::{ROOT, Tree};
use crate::options::ReadOptions;

/// What helps where a group stands in place of an array, because its name was split.
pub(crate) const WHOLE_KEYS: &str =
    "`ReadOptions::separator(None)` takes names with a separator as whole keys, and nests nothing";

impl<R: Read + Seek> NpzReader<R> {
    /// Reads one array, or a whole group, by its name.
    ///
    /// A name is looked up as NumPy's key first; then as the path of a group or of a member in one.
    ///
    /// ```
    /// use std::collections::BTreeMap;
    /// use std::io::Cursor;
    ///
    /// let bytes = serde_npz::to_npz_vec(&BTreeMap::from([("run", BTreeMap::from([("x", vec![1.0, 2.0])]))]))?;
    /// let mut npz = serde_npz::NpzReader::new(Cursor::new(bytes))?;
    /// assert_eq!(npz.get::<Vec<f64>>("run/x")?, [1.0, 2.0]);
    /// assert_eq!(npz.get::<BTreeMap<String, Vec<f64>>>("run")?["x"], [1.0, 2.0]);
    /// # Ok::<(), serde_npz::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// `MissingMember`, `NotAnArray` for a member that is none, `TypeMismatch`, `InvalidValue` and the others of a
    /// damaged or refused member.
    pub fn get<T: DeserializeOwned>(&mut self, name: &str) -> Result<T> {
        get(&mut Reader(self), name)
    }

    /// Reads the whole archive as one value: members the target does not ask for are not read.
    ///
    /// ```
    /// use std::collections::BTreeMap;
    /// use std::io::Cursor;
    ///
    /// let bytes = serde_npz::to_npz_vec(&BTreeMap::from([("x", vec![1.0, 2.0])]))?;
    /// let mut npz = serde_npz::NpzReader::new(Cursor::new(bytes))?;
    /// let all: BTreeMap<String, Vec<f64>> = npz.deserialize()?;
    /// assert_eq!(all["x"], [1.0, 2.0]);
    /// # Ok::<(), serde_npz::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// Those of [`NpzReader::get`] for any member asked for.
    pub fn deserialize<T: DeserializeOwned>(&mut self) -> Result<T> {
        read_all(&mut Reader(self), PhantomData)
    }
}

/// Reads a whole archive from bytes that outlive the value.
pub(crate) fn read_slice<'de, T: Deserialize<'de>>(bytes: &'de [u8], options: &ReadOptions) -> Result<T> {
    read_lent(NpzReader::with_options(IoCursor::new(bytes), options)?)
}

/// As [`read_slice`], from an archive that is open.
pub(crate) fn read_lent<'de, T: Deserialize<'de>>(reader: NpzReader<IoCursor<&'de [u8]>>) -> Result<T> {
    read_all(&mut Lender::new(reader), PhantomData)
}

/// One array or group of such an archive, as [`NpzReader::get`].
#[cfg(feature = "mmap")]
pub(crate) fn get_lent<'de, T: Deserialize<'de>>(reader: NpzReader<IoCursor<&'de [u8]>>, name: &str) -> Result<T> {
    get(&mut Lender::new(reader), name)
}

fn read_all<'de, S: Store<'de>, T: DeserializeSeed<'de>>(store: &mut S, seed: T) -> Result<T::Value> {
    let tree = tree(store.reader())?;
    store.reader().start_progress(None);
    let value = NodeDeserializer::new(&mut Reading::new(store, &tree), ROOT).read(seed);
    store.reader().end_plan();
    let ended = store.reader().end_progress();
    let value = value?;
    ended?;
    store.reader().check_rest(|_| true)?;
    Ok(value)
}

fn get<'de, S: Store<'de>, T: Deserialize<'de>>(store: &mut S, name: &str) -> Result<T> {
    let reader = store.reader();
    let separator = reader.options().separator;
    let tree = tree(reader)?;
    let members = reader.len();
    let name = match name.strip_suffix(".npy") {
        // As in NumPy, `x.npy` also finds `x`, where no key is called so.
        Some(bare) if tree.find(name).is_none() && tree.find(bare).is_some() && !reader.has_key(name) => bare,
        _ => name,
    };
    let value = match (tree.find(name), reader.find(name)) {
        (Some(at), _) if tree.node(at).children.is_empty() => read_node(store, &tree, at),
        (Some(at), _) => {
            let outermost = first_of(name, separator);
            let asked = |key: &str| lies_in(key, outermost, separator);
            verify_left_out(reader, &tree, asked)?;
            let value = read_node(store, &tree, at);
            store.reader().end_plan();
            if value.is_ok() {
                store.reader().check_rest(asked)?;
            }
            value
        }
        // A member that is neither array nor text still says what it is.
        (None, Some(index)) => {
            let options = reader.options().clone();
            let is_array = store.read(index, &mut |mut source| {
                Header::read_member(&mut source, &options)?;
                Ok(())
            });
            is_array.and_then(|()| Err(missing(name, members, &tree)))
        }
        (None, None) => Err(missing(name, members, &tree)),
    };
    value.map_err(|e| e.at_member(name))
}

fn read_node<'de, S: Store<'de>, T: Deserialize<'de>>(store: &mut S, tree: &Tree, at: usize) -> Result<T> {
    store.reader().start_progress(Some(tree.members(at)));
    let value = NodeDeserializer::new(&mut Reading::new(store, tree), at).read(PhantomData);
    let ended = store.reader().end_progress();
    let value = value?;
    ended.map(|()| value)
}
