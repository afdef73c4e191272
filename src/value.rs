//! [`Value`]: any array, group or text, for programs that do not know what an archive holds.
//!
//! ```text
//! dt.npy  meta/id.npy  meta/note.json      Group ─┬─ dt    Array
//!                                                 └─ meta  Group ─┬─ id    Array
//!                                                                 └─ note  Json
//! ```
//!
//! ```
//! use serde_npz::Value;
//! use serde_npz::value::AnyArray;
//! # use std::collections::BTreeMap;
//!
//! # let file = serde_npz::to_npz_vec(&BTreeMap::from([("x", vec![1.0, 2.0])]))?;
//! let mut archive: Value = serde_npz::from_npz_slice(&file)?;
//! println!("{archive}"); // the names, dtypes and shapes as a tree
//!
//! let x: Vec<f64> = archive.get("x").expect("a member").read()?;
//! if let Value::Group(group) = &mut archive {
//!     group.insert("mean", x.iter().sum::<f64>() / x.len() as f64);
//! }
//! let changed = serde_npz::to_npz_vec(&archive)?;
//! # assert_eq!(serde_npz::from_npz_slice::<BTreeMap<String, Value>>(&changed)?["mean"].read::<f64>()?, 1.5);
//! # Ok::<(), serde_npz::Error>(())
//! ```
//!
//! What is not changed comes out as it went in: dtype with byte order, titles and padding, Fortran order, the bytes of
//! each element, the text of a `.json`, the order of the members (those of one group together). A `.npy` that NumPy
//! wrote is the same file again; so is an archive of ours written with the same options.
//!
//! Not in a `Value`, because group reads leave them out: members that are neither arrays nor `.json`
//! ([`NpzReader::raw`](crate::NpzReader::raw) has them), and with
//! [`skip_unsupported`](crate::ReadOptions::skip_unsupported) the refused ones.
//!
//! A name that is both an array and a group stands for the array. What is in the group stands beside it under whole names,
//! `block` and `block/w`, and is written as it was. Read by its name, or as the field of a struct, it is a group in which
//! the array has the name ''.
//!
//! # Other formats
//!
//! In other formats, such as JSON, an array is nested sequences of its elements: records are maps, complex numbers are
//! (re, im), times are their counts, and NaN is what the format makes of it. A group is a map, and a JSON text is what it
//! says. Read back from there, and through serde's buffer (`flatten`, untagged):
//!
//! - a sequence of bools, of numbers or of texts, or of such sequences of equal shapes, is one array: integers `<i8`
//!   (`<u8` where one is too large), floats `<f8` (`<f4` where the format says so), both together `<f8` if that is
//!   exact, texts `<Un`; an empty one `<f8` of shape (0,);
//! - any other sequence is a group with the names `0`, `1`, ..; a map is a group;
//! - a single bool, number or text is a 0-d array, bytes are a row of `|u1`, `null` is the marker `|V0`.

mod array;
pub(crate) mod buffer;
mod convert;
mod de;
mod deserializer;
mod group;
mod print;
mod ser;

use std::io::Cursor;

use serde::Serialize;
use serde::de::DeserializeOwned;

pub use self::array::AnyArray;
pub use self::group::{Group, IntoIter, Iter, IterMut};
use crate::error::Result;
use crate::npz::reader::NpzReader;
use crate::npz::writer::NpzWriter;
use crate::options::{Limits, ReadOptions, WriteOptions};

/// An owned array of any dtype, a group of values by name, or a JSON text.
///
/// Equality is that of the bytes: arrays are equal with the same dtype, shape, order and bytes (so a NaN equals itself),
/// groups with equal values under the same names, in any order.
///
/// ```
/// use serde_npz::Value;
///
/// let value: Value = serde_npz::from_npy_slice(&serde_npz::to_npy_vec(&vec![1.0, 0.5])?)?;
/// assert_eq!(value.to_string(), "[1.  0.5]");
/// assert_eq!(value, Value::from(vec![1.0, 0.5]));
///
/// // Numbers, bools, texts, vectors and slices of them, options, maps and iterators of pairs.
/// let run: Value = [("name", Value::from("run 7")), ("dt", 0.5.into()), ("seed", None::<u64>.into())].into_iter().collect();
/// assert_eq!(run.get("name").unwrap().read::<String>()?, "run 7");
/// # Ok::<(), serde_npz::Error>(())
/// ```
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Value {
    /// One member, or one `.npy`.
    Array(AnyArray),
    /// Members in a group, or a whole archive.
    Group(Group),
    /// The text of a member `x.json`, under the name `x`, as [`with::json`](crate::with::json) writes it.
    Json(String),
}

impl Value {
    /// The member of this name, if this is a group that has it.
    ///
    /// ```
    /// let value = serde_npz::to_value(&std::collections::BTreeMap::from([("x", 1.5)]))?;
    /// assert!(value.get("x").is_some() && value.get("y").is_none());
    /// # Ok::<(), serde_npz::Error>(())
    /// ```
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.as_group()?.get(name)
    }

    /// The member of this name, to be changed.
    ///
    /// ```
    /// use serde_npz::Value;
    ///
    /// let mut value = serde_npz::to_value(&std::collections::BTreeMap::from([("x", 1.5)]))?;
    /// *value.get_mut("x").unwrap() = Value::from(2.5);
    /// assert_eq!(value.get("x"), Some(&Value::from(2.5)));
    /// # Ok::<(), serde_npz::Error>(())
    /// ```
    pub fn get_mut(&mut self, name: &str) -> Option<&mut Value> {
        match self {
            Value::Group(group) => group.get_mut(name),
            _ => None,
        }
    }

    /// The value at a path like NumPy's keys, `layers/0/w`; a name that holds a `/` itself is found as it is.
    ///
    /// ```
    /// use std::collections::BTreeMap;
    ///
    /// let value = serde_npz::to_value(&BTreeMap::from([("run", BTreeMap::from([("x", 1.5)]))]))?;
    /// assert_eq!(value.pointer("run/x").unwrap().read::<f64>()?, 1.5);
    /// assert!(value.pointer("run/y").is_none());
    /// # Ok::<(), serde_npz::Error>(())
    /// ```
    pub fn pointer(&self, path: &str) -> Option<&Value> {
        if let Some(whole) = self.get(path) {
            return Some(whole);
        }
        path.split('/').try_fold(self, |value, name| value.get(name))
    }

    /// The value at a path, to be changed.
    ///
    /// ```
    /// use serde_npz::Value;
    /// use std::collections::BTreeMap;
    ///
    /// let mut value = serde_npz::to_value(&BTreeMap::from([("run", BTreeMap::from([("x", 1.5)]))]))?;
    /// *value.pointer_mut("run/x").unwrap() = Value::from(vec![1, 2]);
    /// assert_eq!(value.pointer("run/x").unwrap().to_string(), "[1 2]");
    /// # Ok::<(), serde_npz::Error>(())
    /// ```
    pub fn pointer_mut(&mut self, path: &str) -> Option<&mut Value> {
        if self.get(path).is_some() {
            return self.get_mut(path);
        }
        path.split('/').try_fold(self, |value, name| value.get_mut(name))
    }

    /// The array, if this is one.
    ///
    /// ```
    /// let value = serde_npz::Value::from(vec![1.0, 2.0]);
    /// assert_eq!(value.as_array().unwrap().shape(), [2]);
    /// ```
    pub fn as_array(&self) -> Option<&AnyArray> {
        match self {
            Value::Array(array) => Some(array),
            _ => None,
        }
    }

    /// The group, if this is one.
    ///
    /// ```
    /// assert!(serde_npz::Value::from(1.5).as_group().is_none());
    /// ```
    pub fn as_group(&self) -> Option<&Group> {
        match self {
            Value::Group(group) => Some(group),
            _ => None,
        }
    }

    /// The JSON text, if this is one.
    ///
    /// ```
    /// assert_eq!(serde_npz::Value::Json("[1]".into()).as_json(), Some("[1]"));
    /// ```
    pub fn as_json(&self) -> Option<&str> {
        match self {
            Value::Json(text) => Some(text),
            _ => None,
        }
    }
}

impl Default for Value {
    /// An empty group.
    fn default() -> Self {
        Value::Group(Group::new())
    }
}

/// Turns any value that could be written into a [`Value`].
///
/// ```
/// #[derive(serde::Serialize)]
/// struct Point {
///     x: f64,
///     tags: Vec<String>,
/// }
///
/// let value = serde_npz::to_value(&Point { x: 0.5, tags: vec!["a".into()] })?;
/// assert_eq!(value.get("x"), Some(&0.5.into()));
/// assert_eq!(value.pointer("tags").unwrap().to_string(), "['a']");
/// # Ok::<(), serde_npz::Error>(())
/// ```
///
/// # Errors
///
/// Those of [`to_npz_writer`](crate::to_npz_writer).
pub fn to_value<T: Serialize + ?Sized>(value: &T) -> Result<Value> {
    // As a member of an archive the value may be an array as well as a group.
    const NAME: &str = "value";
    let mut writer = NpzWriter::with_options(Cursor::new(Vec::new()), &anything());
    writer.add(NAME, value).map_err(|err| err.strip_prefix(NAME))?;
    NpzReader::with_options(writer.finish()?, &everything())?
        .get(NAME)
        .map_err(|err| err.strip_prefix(NAME))
}

/// Turns a [`Value`] into any type that could be read from it.
///
/// ```
/// let numbers: Vec<u8> = serde_npz::from_value(serde_npz::Value::from(vec![1, 2]))?;
/// assert_eq!(numbers, [1, 2]);
/// # Ok::<(), serde_npz::Error>(())
/// ```
///
/// # Errors
///
/// Those of [`Value::read`].
pub fn from_value<T: DeserializeOwned>(value: Value) -> Result<T> {
    value.read()
}

/// A value in memory has passed the limits when it was read.
fn everything() -> ReadOptions {
    ReadOptions::new()
        .limits(Limits::unlimited())
        .max_header_size(usize::MAX)
}

fn anything() -> WriteOptions {
    WriteOptions::new().max_members(usize::MAX).max_header_size(usize::MAX)
}
