//! [`Group`]: values by name, in an order. Groups built by hand may nest deeper than any archive, so nothing here
//! recurses.

use std::collections::HashMap;
use std::{fmt, slice, vec};

use crate::options::MAX_GROUPS;
use crate::value::Value;

/// Values by name, in the order they were read or inserted.
///
/// ```
/// use serde_npz::value::Group;
///
/// let mut group = Group::new();
/// group.insert("dt", 0.5);
/// group.insert("steps", vec![1, 2, 3]);
/// assert!(group.iter().map(|(name, _)| name).eq(["dt", "steps"]));
/// ```
#[derive(Default)]
pub struct Group {
    members: Vec<(String, Value)>,
    index: HashMap<String, usize>,
}

impl Group {
    /// No members yet.
    ///
    /// ```
    /// assert!(serde_npz::value::Group::new().is_empty());
    /// ```
    pub fn new() -> Self {
        Group::default()
    }

    /// How many members there are, those of groups in it not counted.
    ///
    /// ```
    /// assert_eq!(serde_npz::value::Group::new().len(), 0);
    /// ```
    pub fn len(&self) -> usize {
        self.members.len()
    }

    /// Whether there is no member.
    ///
    /// ```
    /// assert!(serde_npz::value::Group::new().is_empty());
    /// ```
    pub fn is_empty(&self) -> bool {
        self.members.is_empty()
    }

    /// The member of this name.
    ///
    /// ```
    /// let mut group = serde_npz::value::Group::new();
    /// group.insert("x", 1.5);
    /// assert_eq!(group.get("x"), Some(&1.5.into()));
    /// ```
    pub fn get(&self, name: &str) -> Option<&Value> {
        let at = *self.index.get(name)?;
        self.members.get(at).map(|(_, value)| value)
    }

    /// The member of this name, to be changed.
    ///
    /// ```
    /// let mut group = serde_npz::value::Group::new();
    /// group.insert("x", 1.5);
    /// *group.get_mut("x").unwrap() = true.into();
    /// assert_eq!(group.get("x"), Some(&true.into()));
    /// ```
    pub fn get_mut(&mut self, name: &str) -> Option<&mut Value> {
        let at = *self.index.get(name)?;
        self.members.get_mut(at).map(|(_, value)| value)
    }

    /// Puts a value under a name: in the place of the one that had it, which is returned, or behind all others.
    ///
    /// Names that no archive can hold (with the separator in them) are refused when the group is written.
    ///
    /// ```
    /// let mut group = serde_npz::value::Group::new();
    /// assert_eq!(group.insert("x", 1.5), None);
    /// assert_eq!(group.insert("x", true), Some(1.5.into()));
    /// ```
    pub fn insert(&mut self, name: impl Into<String>, value: impl Into<Value>) -> Option<Value> {
        let (name, value) = (name.into(), value.into());
        match self.get_mut(&name) {
            Some(old) => Some(std::mem::replace(old, value)),
            None => {
                self.index.insert(name.clone(), self.members.len());
                self.members.push((name, value));
                None
            }
        }
    }

    /// Takes the member of this name out; the others keep their order.
    ///
    /// ```
    /// let mut group = serde_npz::value::Group::new();
    /// group.insert("x", 1.5);
    /// assert_eq!(group.remove("x"), Some(1.5.into()));
    /// assert_eq!(group.remove("x"), None);
    /// ```
    pub fn remove(&mut self, name: &str) -> Option<Value> {
        let at = self.index.remove(name)?;
        let (_, value) = self.members.remove(at);
        for place in self.index.values_mut() {
            if *place > at {
                *place -= 1;
            }
        }
        Some(value)
    }

    /// Names and values in order.
    ///
    /// ```
    /// let mut group = serde_npz::value::Group::new();
    /// group.insert("x", 1.5);
    /// for (name, value) in group.iter() {
    ///     println!("{name}: {value}");
    /// }
    /// ```
    pub fn iter(&self) -> Iter<'_> {
        Iter(self.members.iter())
    }

    /// Names and values in order, the values to be changed.
    ///
    /// ```
    /// let mut group = serde_npz::value::Group::new();
    /// group.insert("x", 1.5);
    /// for (_, value) in group.iter_mut() {
    ///     *value = 0.0.into();
    /// }
    /// assert_eq!(group.get("x"), Some(&0.0.into()));
    /// ```
    pub fn iter_mut(&mut self) -> IterMut<'_> {
        IterMut(self.members.iter_mut())
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        let mut left = std::mem::take(&mut self.members);
        while let Some((_, value)) = left.pop() {
            if let Value::Group(mut group) = value {
                left.append(&mut group.members);
            }
        }
    }
}

impl Clone for Group {
    fn clone(&self) -> Self {
        // The groups being copied, from the outermost in, each with its name in the one around it.
        let mut open: Vec<(Iter<'_>, Group, &str)> = vec![(self.iter(), Group::new(), "")];
        loop {
            let Some((members, copy, _)) = open.last_mut() else {
                return Group::new();
            };
            match members.next() {
                Some((name, Value::Group(group))) => open.push((group.iter(), Group::new(), name)),
                Some((name, Value::Array(array))) => drop(copy.insert(name, array.clone())),
                Some((name, Value::Json(text))) => drop(copy.insert(name, Value::Json(text.clone()))),
                None => {
                    let Some((_, done, name)) = open.pop() else {
                        return Group::new();
                    };
                    match open.last_mut() {
                        Some((_, outer, _)) => drop(outer.insert(name, done)),
                        None => return done,
                    }
                }
            }
        }
    }
}

impl PartialEq for Group {
    fn eq(&self, other: &Self) -> bool {
        let mut pairs = vec![(self, other)];
        while let Some((one, two)) = pairs.pop() {
            if one.len() != two.len() {
                return false;
            }
            for (name, value) in one.iter() {
                match (value, two.get(name)) {
                    (Value::Group(a), Some(Value::Group(b))) => pairs.push((a, b)),
                    (Value::Array(a), Some(Value::Array(b))) if a == b => {}
                    (Value::Json(a), Some(Value::Json(b))) if a == b => {}
                    _ => return false,
                }
            }
        }
        true
    }
}

impl Eq for Group {}

impl fmt::Debug for Group {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&Nested(self, 0), f)
    }
}

impl fmt::Debug for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        member(self, 0, f)
    }
}

/// A group inside so many others; deeper than an archive can nest it is shown as `{..}`.
struct Nested<'a>(&'a Group, u64);

impl fmt::Debug for Nested<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.1 > MAX_GROUPS {
            return f.write_str("{..}");
        }
        f.debug_map()
            .entries(self.0.iter().map(|(name, value)| (name, Member(value, self.1 + 1))))
            .finish()
    }
}

struct Member<'a>(&'a Value, u64);

impl fmt::Debug for Member<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        member(self.0, self.1, f)
    }
}

fn member(value: &Value, depth: u64, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    match value {
        Value::Array(array) => fmt::Debug::fmt(array, f),
        Value::Group(group) => fmt::Debug::fmt(&Nested(group, depth), f),
        Value::Json(text) => f.debug_tuple("Json").field(text).finish(),
    }
}

/// The members of a [`Group`], from [`Group::iter`].
///
/// ```
/// let group = serde_npz::value::Group::new();
/// assert_eq!(group.iter().count(), 0);
/// ```
#[derive(Clone, Debug)]
#[must_use = "iterators are lazy"]
pub struct Iter<'a>(slice::Iter<'a, (String, Value)>);

impl<'a> Iterator for Iter<'a> {
    type Item = (&'a str, &'a Value);

    fn next(&mut self) -> Option<Self::Item> {
        self.0.next().map(|(name, value)| (name.as_str(), value))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.0.size_hint()
    }
}

impl ExactSizeIterator for Iter<'_> {}

/// The members of a [`Group`] to be changed, from [`Group::iter_mut`].
///
/// ```
/// let mut group = serde_npz::value::Group::new();
/// assert_eq!(group.iter_mut().count(), 0);
/// ```
#[derive(Debug)]
#[must_use = "iterators are lazy"]
pub struct IterMut<'a>(slice::IterMut<'a, (String, Value)>);

impl<'a> Iterator for IterMut<'a> {
    type Item = (&'a str, &'a mut Value);

    fn next(&mut self) -> Option<Self::Item> {
        self.0.next().map(|(name, value)| (name.as_str(), value))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.0.size_hint()
    }
}

impl ExactSizeIterator for IterMut<'_> {}

/// The members of a [`Group`] by value.
///
/// ```
/// let group = serde_npz::value::Group::new();
/// assert_eq!(group.into_iter().count(), 0);
/// ```
#[derive(Debug)]
#[must_use = "iterators are lazy"]
pub struct IntoIter(vec::IntoIter<(String, Value)>);

impl Iterator for IntoIter {
    type Item = (String, Value);

    fn next(&mut self) -> Option<Self::Item> {
        self.0.next()
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.0.size_hint()
    }
}

impl ExactSizeIterator for IntoIter {}

impl IntoIterator for Group {
    type Item = (String, Value);
    type IntoIter = IntoIter;

    fn into_iter(mut self) -> IntoIter {
        IntoIter(std::mem::take(&mut self.members).into_iter())
    }
}

impl<'a> IntoIterator for &'a Group {
    type Item = (&'a str, &'a Value);
    type IntoIter = Iter<'a>;

    fn into_iter(self) -> Iter<'a> {
        self.iter()
    }
}

impl<'a> IntoIterator for &'a mut Group {
    type Item = (&'a str, &'a mut Value);
    type IntoIter = IterMut<'a>;

    fn into_iter(self) -> IterMut<'a> {
        self.iter_mut()
    }
}

impl<N: Into<String>, V: Into<Value>> FromIterator<(N, V)> for Group {
    fn from_iter<I: IntoIterator<Item = (N, V)>>(members: I) -> Self {
        let mut group = Group::new();
        group.extend(members);
        group
    }
}

impl<N: Into<String>, V: Into<Value>> Extend<(N, V)> for Group {
    fn extend<I: IntoIterator<Item = (N, V)>>(&mut self, members: I) {
        for (name, value) in members {
            self.insert(name, value);
        }
    }
}
