//! The outermost level of a value: groups are written as they are met, all else is told apart.

use serde::Serialize;
use serde::ser::{self, Impossible, Serializer};

use super::{Absent, Archive, array_root};
use crate::error::{Error, ErrorKind, Result};
use crate::npy::layout::capture;
use crate::npy::layout::measure::half;
use crate::npy::layout::scalar::{Scalar, scalars};
use crate::npy::marker::Marker;
use crate::npy::{raw, whole};

/// What a value turned out to be that is written only after another look.
pub(super) enum Found {
    /// Nothing more to do.
    Done,
    /// A value without parts, or a struct that may be one.
    Scalar,
    Sequence,
    Tuple,
    /// A tuple or struct variant of this name.
    Variant(&'static str),
}

/// Looks at the outermost level of a value: groups are written, all else is only told apart.
pub(super) struct Probe<'a, 'w> {
    pub(super) archive: &'a mut Archive<'w>,
    pub(super) absent: Absent,
    pub(super) root: bool,
    pub(super) found: &'a mut Found,
}

impl<'a, 'w> Probe<'a, 'w> {
    fn scalar(self, _: Scalar<'_>) -> Result<()> {
        Err(self.stop(Found::Scalar))
    }

    /// The error only unwinds; nobody sees it.
    fn stop(self, found: Found) -> Error {
        *self.found = found;
        array_root()
    }
}

impl<'a, 'w> Serializer for Probe<'a, 'w> {
    type Ok = ();
    type Error = Error;
    type SerializeSeq = Impossible<(), Error>;
    type SerializeTuple = Impossible<(), Error>;
    type SerializeTupleStruct = Impossible<(), Error>;
    type SerializeTupleVariant = Impossible<(), Error>;
    type SerializeMap = Group<'a, 'w>;
    type SerializeStruct = Group<'a, 'w>;
    type SerializeStructVariant = Impossible<(), Error>;

    scalars!();

    fn serialize_bytes(self, _: &[u8]) -> Result<()> {
        Err(self.stop(Found::Scalar))
    }

    fn serialize_none(self) -> Result<()> {
        if self.root {
            return Err(Error::new(
                ErrorKind::UnsupportedType,
                "found None at the root of an archive, expected a struct, a map or a tuple",
            ));
        }
        match self.archive.marker {
            Some(Marker::Nan) => Err(self.stop(Found::Scalar)),
            _ => self.archive.none(self.absent),
        }
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<()> {
        if self.archive.marker == Some(Marker::Nan) {
            return Err(self.stop(Found::Scalar));
        }
        let root = self.root;
        self.archive.wrapped(|archive| {
            if root {
                archive.root(value)
            } else {
                archive.value(value, Absent::Refuse)
            }
        })
    }

    fn serialize_unit(self) -> Result<()> {
        if self.root {
            Ok(())
        } else {
            self.archive.unit(self.absent)
        }
    }

    fn serialize_unit_struct(self, _: &'static str) -> Result<()> {
        self.serialize_unit()
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(self, name: &'static str, value: &T) -> Result<()> {
        if half(name, value).is_some() {
            return Err(self.stop(Found::Scalar));
        }
        let (absent, root) = (self.absent, self.root);
        self.archive.wrapped(|archive| match Marker::of(name) {
            Some(marker) => archive.marked(marker, value, absent, root),
            None if root => archive.root(value),
            None => archive.value(value, absent),
        })
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        value: &T,
    ) -> Result<()> {
        self.archive.enter()?;
        let before = self.archive.written;
        self.archive.child(variant, value, Absent::Marker)?;
        self.archive.leave(before, self.root)
    }

    fn serialize_seq(self, _: Option<usize>) -> Result<Self::SerializeSeq> {
        Err(self.stop(Found::Sequence))
    }

    fn serialize_tuple(self, _: usize) -> Result<Self::SerializeTuple> {
        Err(self.stop(Found::Tuple))
    }

    fn serialize_tuple_struct(self, _: &'static str, _: usize) -> Result<Self::SerializeTupleStruct> {
        Err(self.stop(Found::Tuple))
    }

    fn serialize_tuple_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        _: usize,
    ) -> Result<Self::SerializeTupleVariant> {
        Err(self.stop(Found::Variant(variant)))
    }

    fn serialize_map(self, len: Option<usize>) -> Result<Self::SerializeMap> {
        Group::new(self.archive, self.root, len.is_none())
    }

    fn serialize_struct(self, name: &'static str, _: usize) -> Result<Self::SerializeStruct> {
        // These may be a scalar or an array.
        if matches!(name, "Duration" | "SystemTime" | "Array") {
            return Err(self.stop(Found::Scalar));
        }
        Group::new(self.archive, self.root, true)
    }

    fn serialize_struct_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        _: usize,
    ) -> Result<Self::SerializeStructVariant> {
        Err(self.stop(Found::Variant(variant)))
    }

    fn collect_seq<I>(self, _: I) -> Result<()>
    where
        I: IntoIterator,
        I::Item: Serialize,
    {
        Err(self.stop(Found::Sequence))
    }

    fn is_human_readable(&self) -> bool {
        true
    }
}

/// The fields of a struct or the entries of a map, each a member or group of its own.
pub(super) struct Group<'a, 'w> {
    pub(super) archive: &'a mut Archive<'w>,
    pub(super) root: bool,
    /// A struct, or what flatten makes of one.
    pub(super) fields: bool,
    pub(super) key: Option<(String, Absent)>,
    /// The key is that of one array or text, taken from an archive.
    pub(super) whole: bool,
    pub(super) before: u64,
}

impl<'a, 'w> Group<'a, 'w> {
    pub(super) fn new(archive: &'a mut Archive<'w>, root: bool, fields: bool) -> Result<Self> {
        archive.enter()?;
        let before = archive.written;
        Ok(Group {
            archive,
            root,
            fields,
            key: None,
            whole: false,
            before,
        })
    }
}

impl ser::SerializeStruct for Group<'_, '_> {
    type Ok = ();
    type Error = Error;

    fn serialize_field<T: Serialize + ?Sized>(&mut self, key: &'static str, value: &T) -> Result<()> {
        self.archive.child(key, value, Absent::Omit)
    }

    fn end(self) -> Result<()> {
        self.archive.leave(self.before, self.root)
    }
}

impl ser::SerializeStructVariant for Group<'_, '_> {
    type Ok = ();
    type Error = Error;

    fn serialize_field<T: Serialize + ?Sized>(&mut self, key: &'static str, value: &T) -> Result<()> {
        self.archive.child(key, value, Absent::Omit)
    }

    fn end(self) -> Result<()> {
        self.archive.leave(self.before, self.root)
    }
}

impl ser::SerializeMap for Group<'_, '_> {
    type Ok = ();
    type Error = Error;

    fn serialize_key<K: Serialize + ?Sized>(&mut self, key: &K) -> Result<()> {
        // What derive's flatten passes is a `str`: the field of a struct, whose None is left out.
        let absent = if self.fields && whole::is_str::<K>() {
            Absent::Omit
        } else {
            Absent::Marker
        };
        let name = capture::key(key).map_err(|e| e.at_member(&self.archive.path))?;
        self.key = Some((name, absent));
        self.whole = raw::is_key::<K>();
        Ok(())
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<()> {
        match self.key.take() {
            Some((name, absent)) if self.whole => self.archive.whole(&name, value, absent),
            Some((name, absent)) => self.archive.child(&name, value, absent),
            None => Err(Error::new(
                ErrorKind::Message,
                "found a value without a key, expected `serialize_key` before it",
            )),
        }
    }

    fn end(self) -> Result<()> {
        self.archive.leave(self.before, self.root)
    }
}
