//! A sequence or tuple whose elements are members of their own: `layers/0/w`, `layers/1/w`.

use serde::Serialize;
use serde::ser::Serializer;

use super::probe::Group;
use super::{Absent, Archive};
use crate::error::{Error, ErrorKind, Result};
use crate::npy::layout::compound::compound;
use crate::npy::layout::scalar::{Scalar, scalars};
use crate::npy::marker::Marker;

/// How the members of a list are named.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Names {
    /// `0`, `1`, ..
    Index,
    /// `arr_0`, `arr_1`, .. as `np.savez(*args)`.
    Positional,
}

/// A sequence or tuple whose elements are members of their own.
pub(super) struct List<'a, 'w> {
    pub(super) archive: &'a mut Archive<'w>,
    pub(super) names: Names,
    pub(super) absent: Absent,
}

impl<'a, 'w> List<'a, 'w> {
    pub(super) fn items(self, len: Option<usize>) -> Result<ListItems<'a, 'w>> {
        let max = self.archive.members.max_members();
        if let Some(len) = len
            && len as u64 > max
        {
            return Err(self.archive.too_many(len as u64));
        }
        self.archive.enter()?;
        let before = self.archive.written;
        Ok(ListItems {
            archive: self.archive,
            names: self.names,
            before,
            count: 0,
        })
    }

    #[cold]
    fn unexpected(self, found: &str) -> Error {
        Error::new(
            ErrorKind::UnsupportedType,
            format_args!("found {found}, expected a sequence or tuple to be written as a list of members"),
        )
        .at_member(&self.archive.path)
    }

    fn scalar(self, scalar: Scalar<'_>) -> Result<()> {
        Err(self.unexpected(scalar.describe()))
    }
}

impl<'a, 'w> Serializer for List<'a, 'w> {
    type Ok = ();
    type Error = Error;
    type SerializeSeq = ListItems<'a, 'w>;
    type SerializeTuple = ListItems<'a, 'w>;
    type SerializeTupleStruct = ListItems<'a, 'w>;
    type SerializeTupleVariant = ListItems<'a, 'w>;
    type SerializeMap = Group<'a, 'w>;
    type SerializeStruct = Group<'a, 'w>;
    type SerializeStructVariant = Group<'a, 'w>;

    scalars!();

    fn serialize_bytes(self, _: &[u8]) -> Result<()> {
        Err(self.unexpected("bytes"))
    }

    fn serialize_none(self) -> Result<()> {
        self.archive.none(self.absent)
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<()> {
        let names = self.names;
        self.archive
            .wrapped(|archive| archive.list(value, names, Absent::Refuse))
    }

    fn serialize_unit(self) -> Result<()> {
        self.archive.unit(self.absent)
    }

    fn serialize_unit_struct(self, _: &'static str) -> Result<()> {
        self.archive.unit(self.absent)
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(self, name: &'static str, value: &T) -> Result<()> {
        let List { archive, names, absent } = self;
        archive.wrapped(|archive| match Marker::of(name) {
            Some(marker) => archive.marked(marker, value, absent, false),
            None => archive.list(value, names, absent),
        })
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        _: &T,
    ) -> Result<()> {
        Err(self.unexpected(variant))
    }

    fn serialize_seq(self, len: Option<usize>) -> Result<Self::SerializeSeq> {
        self.items(len)
    }

    fn serialize_tuple(self, len: usize) -> Result<Self::SerializeTuple> {
        self.items(Some(len))
    }

    fn serialize_tuple_struct(self, _: &'static str, len: usize) -> Result<Self::SerializeTupleStruct> {
        self.items(Some(len))
    }

    fn serialize_tuple_variant(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        len: usize,
    ) -> Result<Self::SerializeTupleVariant> {
        self.items(Some(len))
    }

    fn serialize_map(self, len: Option<usize>) -> Result<Self::SerializeMap> {
        Group::new(self.archive, false, len.is_none())
    }

    fn serialize_struct(self, _: &'static str, _: usize) -> Result<Self::SerializeStruct> {
        Group::new(self.archive, false, true)
    }

    fn serialize_struct_variant(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: usize,
    ) -> Result<Self::SerializeStructVariant> {
        Group::new(self.archive, false, true)
    }

    fn is_human_readable(&self) -> bool {
        true
    }
}

pub(super) struct ListItems<'a, 'w> {
    pub(super) archive: &'a mut Archive<'w>,
    pub(super) names: Names,
    pub(super) before: u64,
    pub(super) count: u64,
}

impl ListItems<'_, '_> {
    fn push<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<()> {
        let index = self.count;
        self.count += 1;
        let name = match self.names {
            Names::Index => index.to_string(),
            Names::Positional => format!("arr_{index}"),
        };
        self.archive.child(&name, value, Absent::Marker)
    }

    fn finish(self) -> Result<()> {
        // Only the root of an archive has no name to put a marker under.
        let root = self.archive.path.is_empty();
        self.archive.leave(self.before, root)
    }
}

compound!(ListItems<'_, '_> => (), Error:
    SerializeSeq serialize_element,
    SerializeTuple serialize_element,
    SerializeTupleVariant serialize_field,
    SerializeTupleStruct serialize_field);
