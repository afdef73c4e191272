//! Names back to values: a group is a map, a struct or a list, an array is `npy::de` over a member.

mod access;
pub(crate) mod ragged;
pub(crate) mod rows;
mod store;

use std::io::{Cursor as IoCursor, Read, Seek};
use std::sync::Arc;

use serde::de::{Deserialize, DeserializeOwned, Deserializer, IntoDeserializer, Visitor};

use self::access::{AsMap, Elements, Members, Told, Variant};
use self::ragged::Rows;
pub(crate) use self::store::check_magic;
use self::store::{Lender, Reader, Store};
use crate::error::{Error, ErrorKind, Result};
use crate::format::header::MAGIC;
use crate::io::source::read_full;
use crate::npy::de::array::Array;
use crate::npy::de::cursor::{Cursor, limit};
use crate::npy::marker::{JSON, Marker, ORDERED, VALUE};
use crate::npz::reader::NpzReader;
use crate::npz::ser::ragged::{OFFSETS, VALUES};
use crate::npz::tree::{ROOT, Role, Tree};
use crate::options::ReadOptions;

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
        read_all(&mut Reader(self))
    }
}

/// Reads a whole archive from bytes that outlive the value.
pub(crate) fn read_slice<'de, T: Deserialize<'de>>(bytes: &'de [u8], options: &ReadOptions) -> Result<T> {
    read_lent(NpzReader::with_options(IoCursor::new(bytes), options)?)
}

/// As [`read_slice`], from an archive that is open.
pub(crate) fn read_lent<'de, T: Deserialize<'de>>(reader: NpzReader<IoCursor<&'de [u8]>>) -> Result<T> {
    read_all(&mut Lender::new(reader))
}

/// One array or group of such an archive, as [`NpzReader::get`].
#[cfg(feature = "mmap")]
pub(crate) fn get_lent<'de, T: Deserialize<'de>>(reader: NpzReader<IoCursor<&'de [u8]>>, name: &str) -> Result<T> {
    get(&mut Lender::new(reader), name)
}

fn read_all<'de, S: Store<'de>, T: Deserialize<'de>>(store: &mut S) -> Result<T> {
    let tree = tree(store.reader())?;
    let value = read_node(store, &tree, ROOT);
    store.reader().end_plan();
    let value = value?;
    store.reader().check_rest()?;
    Ok(value)
}

fn get<'de, S: Store<'de>, T: Deserialize<'de>>(store: &mut S, name: &str) -> Result<T> {
    let reader = store.reader();
    let separator = reader.options().separator;
    let tree = tree(reader)?;
    let members = reader.len();
    let value = match (tree.find(name, separator), reader.find(name)) {
        (Some(at), _) if tree.node(at).children.is_empty() => read_node(store, &tree, at),
        (Some(at), _) => {
            settle(reader, &tree, |first| first == first_of(name, separator))?;
            let value = read_node(store, &tree, at);
            store.reader().end_plan();
            if value.is_ok() {
                store.reader().check_rest()?;
            }
            value
        }
        // A member that is no value still says what it is.
        (None, Some(index)) => store.read(index, |_| Err(missing(name, members))),
        (None, None) => Err(missing(name, members)),
    };
    value.map_err(|e| e.at_member(name))
}

fn read_node<'de, S: Store<'de>, T: Deserialize<'de>>(store: &mut S, tree: &Tree, at: usize) -> Result<T> {
    T::deserialize(Place {
        store,
        tree,
        at,
        depth: 0,
        marker: None,
    })
}

#[cold]
fn missing(name: &str, members: usize) -> Error {
    Error::new(
        ErrorKind::MissingMember,
        format_args!(
            "found no member or group of this name among {members} members, expected `{}`: see `names()`",
            name.escape_debug()
        ),
    )
}

/// The names of all arrays and texts of an archive, put in order once.
fn tree<R: Read + Seek>(reader: &mut NpzReader<R>) -> Result<Arc<Tree>> {
    if let Some(tree) = reader.tree() {
        return Ok(tree);
    }
    let separator = reader.options().separator;
    let mut tree = Tree::new();
    for index in 0..reader.len() {
        let entry = &reader.listed()[index];
        let key = entry.key.clone();
        // What starts as an array is one whatever its name; anything else but a JSON text is nobody's value.
        if entry.name.ends_with(".npy") || starts_as_array(reader, index)? {
            tree.insert(&key, separator, Role::Array(index));
        } else if let Some(key) = key.strip_suffix(".json") {
            tree.insert(key, separator, Role::Json(index));
        } else {
            tree.leave_out(index);
        }
    }
    Ok(reader.keep_tree(tree))
}

/// A damaged member does not start as one: it hides nothing, as [`settle`] looks at it again.
fn starts_as_array<R: Read + Seek>(reader: &mut NpzReader<R>, index: usize) -> Result<bool> {
    let mut start = [0; MAGIC.len()];
    let got = match reader.peek(index) {
        Ok(mut member) => read_full(&mut member, &mut start),
        Err(err) => Err(err),
    };
    match got {
        Ok(got) => Ok(start[..got] == *MAGIC),
        Err(err) if err.kind() == ErrorKind::Io => Err(err.at_member(&reader.listed()[index].key)),
        Err(_) => Ok(false),
    }
}

/// Checks the members that are left out though their names are asked for: one that was an array before it was damaged
/// must not vanish.
fn settle<R: Read + Seek>(reader: &mut NpzReader<R>, tree: &Tree, asked: impl Fn(&str) -> bool) -> Result<()> {
    let separator = reader.options().separator;
    for &index in tree.others() {
        let key = reader.listed()[index].key.clone();
        if asked(&key) || asked(first_of(&key, separator)) {
            match reader.verify(&key) {
                Err(err) if err.kind() != ErrorKind::UnsupportedArchive => return Err(err),
                _ => {}
            }
        }
    }
    Ok(())
}

fn first_of(key: &str, separator: Option<char>) -> &str {
    separator
        .and_then(|separator| key.split(separator).next())
        .unwrap_or(key)
}

/// A node of the tree as a value.
struct Place<'a, S> {
    store: &'a mut S,
    tree: &'a Tree,
    at: usize,
    depth: u64,
    marker: Option<Marker>,
}

impl<'de, 'a, S: Store<'de>> Place<'a, S> {
    fn is_group(&self) -> bool {
        self.at == ROOT || !self.tree.node(self.at).children.is_empty()
    }

    fn deeper(&mut self) -> Result<()> {
        self.depth += 1;
        let max = self.store.reader().options().limits.depth;
        // The root is no group within a group.
        if self.depth > max + 1 {
            Err(limit("levels of groups", self.depth - 1, max, "depth"))
        } else {
            Ok(())
        }
    }

    /// Runs `body` on the array under this key.
    fn array<T>(self, body: impl FnOnce(Array<'_, '_, 'de>) -> Result<T>) -> Result<T> {
        let node = self.tree.node(self.at);
        match (node.array, node.json) {
            (Some(_), Some(_)) => Err(twice()),
            (Some(index), None) => {
                let options = self.store.reader().options().clone();
                let marker = self.marker;
                self.store.read(index, |source| {
                    let mut cursor = Cursor::open(source, &options)?;
                    body(Array::marked(&mut cursor, marker))
                })
            }
            (None, Some(_)) => Err(Error::new(
                ErrorKind::NotAnArray,
                "found a JSON text, expected an array: read it with `with::json`, or `NpzReader::raw`",
            )),
            (None, None) => Err(Error::new(
                ErrorKind::TypeMismatch,
                "found a group of members, expected one array",
            )),
        }
    }

    /// The children that are handed out.
    fn children(&mut self) -> Result<Vec<(&'a str, usize)>> {
        let tree = self.tree;
        let reader = self.store.reader();
        let skip = reader.options().skip_objects;
        let all = tree
            .node(self.at)
            .children
            .iter()
            .map(|(name, at)| (name.as_str(), *at));
        if !skip {
            return Ok(all.collect());
        }
        let mut kept = Vec::new();
        for (name, at) in all {
            let node = tree.node(at);
            if let Some(index) = node.array.filter(|_| node.children.is_empty()) {
                let key = reader.listed()[index].key.clone();
                if matches!(reader.header(&key), Err(err) if err.kind() == ErrorKind::Pickle) {
                    // Only damage may make it look so.
                    reader
                        .verify(&key)
                        .map_err(Error::without_path)
                        .map_err(|err| err.at_member(name))?;
                    continue;
                }
            }
            kept.push((name, at));
        }
        Ok(kept)
    }

    /// `fields`: the only names that are asked for, where that is known.
    fn map<V: Visitor<'de>>(mut self, fields: Option<&[&str]>, visitor: V) -> Result<V::Value> {
        let asked = |name: &str| fields.is_none_or(|fields| fields.contains(&name));
        self.settle_root(asked)?;
        self.deeper()?;
        let children = self.children()?;
        let tree = self.tree;
        self.store.reader().plan(
            children
                .iter()
                .filter_map(|(name, at)| tree.node(*at).array.filter(|_| asked(name))),
        );
        visitor.visit_map(Members {
            place: self,
            children: children.into_iter(),
            value: None,
        })
    }

    /// Checks what is left out of the archive, where all of it is asked for.
    fn settle_root(&mut self, asked: impl Fn(&str) -> bool) -> Result<()> {
        match self.at {
            ROOT => settle(self.store.reader(), self.tree, asked),
            _ => Ok(()),
        }
    }

    fn list(&mut self) -> Result<Vec<usize>> {
        self.deeper()?;
        let list = match self.at {
            ROOT => positional(self.tree).or_else(|| self.tree.list(ROOT)),
            at => self.tree.list(at),
        };
        list.or_else(|| self.tree.node(self.at).children.is_empty().then(Vec::new))
            .ok_or_else(|| {
                Error::new(
                    ErrorKind::TypeMismatch,
                    "found a group whose names are not 0, 1, .., expected a list: read it as a struct or a map",
                )
            })
    }

    fn sequence<V: Visitor<'de>>(mut self, visitor: V, len: Option<usize>) -> Result<V::Value> {
        self.settle_root(|_| true)?;
        let list = self.list()?;
        if let Some(len) = len
            && len != list.len()
        {
            return Err(Error::new(
                ErrorKind::TypeMismatch,
                format_args!("found a list of {} members, expected {len}", list.len()),
            ));
        }
        let tree = self.tree;
        self.store
            .reader()
            .plan(list.iter().filter_map(|&at| tree.node(at).array));
        let mut elements = Elements {
            place: self,
            list: list.into_iter(),
            at: 0,
        };
        let value = visitor.visit_seq(&mut elements)?;
        match elements.list.len() {
            0 => Ok(value),
            left => Err(Error::new(
                ErrorKind::TypeMismatch,
                format_args!(
                    "found {left} members more in a list, expected {} as the target took",
                    elements.at
                ),
            )),
        }
    }

    /// The text of a JSON member.
    fn json(&mut self) -> Result<Option<Vec<u8>>> {
        let node = self.tree.node(self.at);
        match (node.json, node.array) {
            (Some(_), Some(_)) => Err(twice()),
            (Some(index), None) => {
                let reader = self.store.reader();
                let key = reader.listed()[index].key.clone();
                reader.raw(&key).map(Some).map_err(Error::without_path)
            }
            (None, _) => Ok(None),
        }
    }

    /// Tells by the key of a map what stands here: an array, a text or a group.
    fn whatever<V: Visitor<'de>>(mut self, visitor: V) -> Result<V::Value> {
        let node = self.tree.node(self.at);
        if self.is_group() {
            if node.array.is_some() || node.json.is_some() {
                return Err(both());
            }
            return visitor.visit_newtype_struct(Told(VALUE, AsMap(self)));
        }
        if let Some(text) = self.json()? {
            let text = String::from_utf8(text).map_err(|err| {
                Error::new(
                    ErrorKind::InvalidValue,
                    format_args!("found a JSON text that is no UTF-8: {err}: `NpzReader::raw` reads its bytes"),
                )
            })?;
            return visitor.visit_newtype_struct(Told(JSON, IntoDeserializer::<Error>::into_deserializer(text)));
        }
        self.array(|array| {
            if array.is_empty_group() {
                return visitor.visit_newtype_struct(Told(VALUE, array));
            }
            array.deserialize_newtype_struct(VALUE, visitor)
        })
    }

    /// A group of `values` and `offsets` as rows.
    fn ragged<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        let children = &self.tree.node(self.at).children;
        let find = |name| children.iter().find(|(child, _)| child == name).map(|(_, at)| *at);
        let (Some(values), Some(offsets)) = (find(VALUES), find(OFFSETS)) else {
            return visitor.visit_newtype_struct(self);
        };
        let (store, tree, depth) = (self.store, self.tree, self.depth + 1);
        let offsets: Vec<u64> = Vec::deserialize(Place {
            store: &mut *store,
            tree,
            at: offsets,
            depth,
            marker: None,
        })
        .map_err(|e| e.at_member(OFFSETS))?;
        Place {
            store,
            tree,
            at: values,
            depth,
            marker: self.marker,
        }
        .array(|array| visitor.visit_newtype_struct(Rows::new(array, &offsets)?))
        .map_err(|e| e.at_member(VALUES))
    }
}

/// The members of a positional archive, as `np.savez(*args)` names them.
fn positional(tree: &Tree) -> Option<Vec<usize>> {
    let children = &tree.node(ROOT).children;
    let mut list = vec![usize::MAX; children.len()];
    for (name, child) in children {
        let number = name.strip_prefix("arr_")?;
        let canonical = number == "0" || !number.starts_with(['0', '+']);
        let number = number.parse::<usize>().ok().filter(|_| canonical)?;
        *list.get_mut(number)? = *child;
    }
    (!list.is_empty()).then_some(list)
}

#[cold]
fn twice() -> Error {
    Error::new(
        ErrorKind::DuplicateName,
        "found both an array and a JSON text for this key, expected one of them",
    )
}

#[cold]
fn both() -> Error {
    Error::new(
        ErrorKind::TypeMismatch,
        "found both an array and a group of this name, expected one of them: read the members by name, or all of them \
         by whole names with `ReadOptions::separator(None)`",
    )
}

#[cold]
fn no_json(err: serde_json::Error) -> Error {
    Error::new(
        ErrorKind::InvalidValue,
        format_args!("found a JSON text that does not fit: {err}"),
    )
    .with_source(err)
}

macro_rules! arrays {
    ($($method:ident)*) => {
        $(
            fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
                self.array(|array| array.$method(visitor))
            }
        )*
    };
}

impl<'de, S: Store<'de>> Deserializer<'de> for Place<'_, S> {
    type Error = Error;

    fn deserialize_any<V: Visitor<'de>>(mut self, visitor: V) -> Result<V::Value> {
        if let Some(text) = self.json()? {
            let mut json = serde_json::Deserializer::from_reader(&text[..]);
            let value = json.deserialize_any(visitor).map_err(no_json)?;
            json.end().map_err(no_json)?;
            return Ok(value);
        }
        if self.tree.node(self.at).array.is_some() {
            return self.array(|array| array.deserialize_any(visitor));
        }
        if self.tree.list(self.at).is_some() {
            return self.sequence(visitor, None);
        }
        self.map(None, visitor)
    }

    arrays! {
        deserialize_bool
        deserialize_i8 deserialize_i16 deserialize_i32 deserialize_i64 deserialize_i128
        deserialize_u8 deserialize_u16 deserialize_u32 deserialize_u64 deserialize_u128
        deserialize_f32 deserialize_f64
        deserialize_char deserialize_str deserialize_string deserialize_identifier
        deserialize_bytes deserialize_byte_buf
    }

    fn deserialize_unit<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        if self.at == ROOT {
            return visitor.visit_unit();
        }
        self.array(|array| array.deserialize_unit(visitor))
    }

    fn deserialize_unit_struct<V: Visitor<'de>>(self, _: &'static str, visitor: V) -> Result<V::Value> {
        self.deserialize_unit(visitor)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        if self.tree.node(self.at).array.is_some() && !self.is_group() {
            return self.array(|array| array.deserialize_option(visitor));
        }
        visitor.visit_some(self)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(mut self, name: &'static str, visitor: V) -> Result<V::Value> {
        match Marker::of(name) {
            Some(Marker::Json) => match self.json()? {
                Some(text) => {
                    let mut json = serde_json::Deserializer::from_reader(&text[..]);
                    let value = visitor.visit_newtype_struct(&mut json).map_err(no_json)?;
                    json.end().map_err(no_json)?;
                    Ok(value)
                }
                None => visitor.visit_newtype_struct(self),
            },
            Some(Marker::Ragged) => self.ragged(visitor),
            Some(Marker::Value) => self.whatever(visitor),
            Some(Marker::Raw) if self.is_group() => visitor.visit_newtype_struct(AsMap(self)),
            Some(Marker::Raw) => self.array(|array| array.deserialize_newtype_struct(name, visitor)),
            marker => {
                self.marker = marker.or(self.marker);
                if matches!(name, "f16" | "bf16") {
                    return self.array(|array| array.deserialize_newtype_struct(name, visitor));
                }
                visitor.visit_newtype_struct(self)
            }
        }
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        if self.tree.node(self.at).array.is_some() {
            return self.array(|array| array.deserialize_seq(visitor));
        }
        self.sequence(visitor, None)
    }

    fn deserialize_tuple<V: Visitor<'de>>(self, len: usize, visitor: V) -> Result<V::Value> {
        if self.tree.node(self.at).array.is_some() {
            return self.array(|array| array.deserialize_tuple(len, visitor));
        }
        self.sequence(visitor, Some(len))
    }

    fn deserialize_tuple_struct<V: Visitor<'de>>(self, _: &'static str, len: usize, visitor: V) -> Result<V::Value> {
        self.deserialize_tuple(len, visitor)
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        if self.is_group() {
            return self.map(None, visitor);
        }
        self.array(|array| array.deserialize_map(visitor))
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value> {
        if self.is_group() && name != ORDERED {
            return self.map(Some(fields), visitor);
        }
        self.array(|array| array.deserialize_struct(name, fields, visitor))
    }

    fn deserialize_enum<V: Visitor<'de>>(
        mut self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value> {
        if !self.is_group() {
            return self.array(|array| array.deserialize_enum(name, variants, visitor));
        }
        self.settle_root(|_| true)?;
        self.deeper()?;
        match &self.tree.node(self.at).children[..] {
            [(variant, at)] => {
                let content = Place { at: *at, ..self };
                visitor.visit_enum(Variant { name: variant, content })
            }
            children => Err(Error::new(
                ErrorKind::TypeMismatch,
                format_args!(
                    "found a group of {} members, expected one: the variant of the enum {name}",
                    children.len()
                ),
            )),
        }
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        visitor.visit_unit()
    }

    fn is_human_readable(&self) -> bool {
        true
    }
}
