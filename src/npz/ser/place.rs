//! The serializer of a value at a path: writes what takes one walk, and tells what has to be measured first.
//!
//! ```text
//! 0.5, "text", None, a slice of numbers    the member at the path
//! struct, map, struct variant              a group: see `group`
//! sequence, tuple                          an array or a list, as the first element tells: see `sequence`
//! ```

use serde::Serialize;
use serde::ser::Serializer;

use super::form::Form;
use super::group::Group;
use super::ragged::no_row;
use super::sequence::Elements;
use super::{Archive, At, List, Names, OnNone, Outcome, array_root};
use crate::error::{Error, ErrorKind, Result};
use crate::npy::layout::measure::half;
use crate::npy::layout::scalar::{Scalar, ScalarLayout, scalars};
use crate::npy::layout::tally::Thing;
use crate::npy::layout::tree::Layout;
use crate::npy::marker::Marker;
use crate::npy::ser::stream::Stream;
use crate::npy::whole;

/// Writes a value at the path where the archive is.
pub(super) struct PlaceSerializer<'a, 'w, 's> {
    pub(super) archive: &'a Archive<'w>,
    /// For what is one array.
    pub(super) stream: &'a mut Stream<'s>,
    pub(super) at: At,
}

impl<'a, 'w, 's> PlaceSerializer<'a, 'w, 's> {
    pub(super) fn value<T: Serialize + ?Sized>(mut self, value: &T) -> Result<Outcome> {
        self.at.nan = None;
        if self.archive.marker() == Some(Marker::Nan) {
            self.at.nan = ScalarLayout::nan(whole::optional::<T>());
            self.at.no_scalar = whole::is_optional_container::<T>();
        }
        match whole::complex(value) {
            Some(complex) => self.scalar(complex.into()),
            None => value.serialize(self),
        }
    }

    fn scalar(self, scalar: Scalar<'_>) -> Result<Outcome> {
        if self.is_list() {
            return Err(self.not_a_list(scalar.describe()));
        }
        if self.archive.form.get() == Some(Form::Ragged { inside: false }) {
            return Err(no_row(scalar.describe()));
        }
        if self.at.root {
            return Err(array_root());
        }
        let marker = self.archive.marker();
        if self.in_nan_option() {
            scalar.check_not_nan()?;
        }
        if self.archive.flattened.get() {
            scalar.check_buffered()?;
        }
        let leaf = scalar.layout(marker)?;
        self.stream.out.begin(&Layout::Scalar(leaf).header()?)?;
        scalar.put(leaf, &mut self.stream.out)?;
        self.archive.count(scalar.thing());
        Ok(Outcome::Array)
    }

    /// Whether the value is directly inside Some within `with::nan`.
    fn in_nan_option(&self) -> bool {
        self.archive.marker() == Some(Marker::Nan) && self.at.in_option
    }

    fn elements(self, len: Option<usize>, tuple: bool) -> Result<Elements<'a, 'w, 's>> {
        match self.archive.form.get() {
            Some(form) if self.at.list.is_none() => {
                return Elements::formed(self.archive, self.stream, self.at, len, form);
            }
            _ => {}
        }
        let list = match self.at.list {
            None if tuple && self.at.root => Some(List {
                names: Names::Positional,
                elements: None,
            }),
            // What is inside of an Option is no array.
            None if self.in_nan_option() => Some(List {
                names: Names::Index,
                elements: None,
            }),
            list => list,
        };
        Elements::new(self.archive, self.stream, self.at, len, tuple, list)
    }

    /// Whether the value is to be a list.
    fn is_list(&self) -> bool {
        self.at.list.is_some() || self.archive.form.get() == Some(Form::List)
    }

    #[cold]
    fn not_a_list(&self, found: &str) -> Error {
        Error::new(
            ErrorKind::UnsupportedType,
            format_args!("found {found}, expected a sequence or tuple to be written as a list of members"),
        )
    }

    fn wrapped<T: Serialize + ?Sized>(self, value: &T, marker: Option<Marker>, at: At) -> Result<Outcome> {
        let archive = self.archive;
        archive.wrapped(|| match marker {
            Some(marker) => archive.marked(marker, value, at),
            None => archive.value(value, at),
        })?;
        Ok(Outcome::Written)
    }
}

impl<'a, 'w, 's> Serializer for PlaceSerializer<'a, 'w, 's> {
    type Ok = Outcome;
    type Error = Error;
    type SerializeSeq = Elements<'a, 'w, 's>;
    type SerializeTuple = Elements<'a, 'w, 's>;
    type SerializeTupleStruct = Elements<'a, 'w, 's>;
    type SerializeTupleVariant = Elements<'a, 'w, 's>;
    type SerializeMap = Group<'a, 'w>;
    type SerializeStruct = Group<'a, 'w>;
    type SerializeStructVariant = Group<'a, 'w>;

    scalars!();

    fn serialize_bytes(self, v: &[u8]) -> Result<Outcome> {
        if self.is_list() || self.at.root || self.archive.marker().is_some() || self.archive.form.get().is_some() {
            return self.scalar(Scalar::Raw(v));
        }
        // At a field bytes are a row of u8; empty ones too.
        self.stream.bytes(v)?;
        self.archive.count(Thing::Text);
        Ok(Outcome::Array)
    }

    fn serialize_none(self) -> Result<Outcome> {
        if self.at.root {
            return Err(Error::new(
                ErrorKind::UnsupportedType,
                "found None at the root of an archive, expected a struct, a map or a tuple",
            ));
        }
        let leaf = match self.at.nan {
            Some(leaf) if !(self.in_nan_option() || self.at.list.is_some() || self.at.no_scalar) => leaf,
            nan => {
                self.archive.none(self.at.on_none, nan.is_some())?;
                return Ok(Outcome::Written);
            }
        };
        self.stream.out.begin(&Layout::Scalar(leaf).header()?)?;
        Scalar::nan(leaf).put_number(&mut self.stream.out)?;
        self.archive.count(Thing::Float);
        Ok(Outcome::Array)
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<Outcome> {
        let at = At {
            on_none: OnNone::Refuse,
            in_option: true,
            ..self.at
        };
        self.wrapped(value, None, at)
    }

    fn serialize_unit(self) -> Result<Outcome> {
        if !self.at.root {
            self.archive.unit(self.at.on_none)?;
        }
        Ok(Outcome::Written)
    }

    fn serialize_unit_struct(self, _: &'static str) -> Result<Outcome> {
        self.serialize_unit()
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(self, name: &'static str, value: &T) -> Result<Outcome> {
        if let Some(half) = half(name, value) {
            return self.scalar(half);
        }
        if let Some(raw) = whole::raw(value)
            && !self.is_list()
            && !self.at.root
            && self.archive.marker().is_none()
        {
            self.stream.raw(raw)?;
            self.archive.count(Thing::Members);
            return Ok(Outcome::Array);
        }
        let at = self.at;
        self.wrapped(value, Marker::of(name), at)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        value: &T,
    ) -> Result<Outcome> {
        if self.is_list() {
            return Err(self.not_a_list(variant));
        }
        self.archive.count(Thing::Variant);
        let before = self.archive.open_group()?;
        self.archive.child(variant, value, OnNone::Marker)?;
        self.archive.close_group(before)?;
        Ok(Outcome::Written)
    }

    fn serialize_seq(self, len: Option<usize>) -> Result<Self::SerializeSeq> {
        self.elements(len, false)
    }

    fn serialize_tuple(self, len: usize) -> Result<Self::SerializeTuple> {
        self.elements(Some(len), true)
    }

    fn serialize_tuple_struct(self, _: &'static str, len: usize) -> Result<Self::SerializeTupleStruct> {
        self.elements(Some(len), true)
    }

    fn serialize_tuple_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        len: usize,
    ) -> Result<Self::SerializeTupleVariant> {
        let list = self.at.list;
        if list.is_none() && self.is_list() {
            return Err(self.not_a_list(variant));
        }
        // Of a list the name of the variant is written already.
        let variant = list.is_none().then_some(variant);
        Elements::new(self.archive, self.stream, self.at, Some(len), true, list)?.of_variant(variant)
    }

    fn serialize_map(self, len: Option<usize>) -> Result<Self::SerializeMap> {
        Group::new(self.archive, "", None, len.is_none())
    }

    fn serialize_struct(self, name: &'static str, _: usize) -> Result<Self::SerializeStruct> {
        // These may be a scalar or an array.
        if self.at.list.is_none() && matches!(name, "Duration" | "SystemTime" | "Array") {
            return Ok(Group::Unmeasured);
        }
        Group::new(self.archive, name, None, true)
    }

    fn serialize_struct_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        _: usize,
    ) -> Result<Self::SerializeStructVariant> {
        Group::new(self.archive, "", self.at.list.is_none().then_some(variant), true)
    }

    fn collect_seq<I>(self, iter: I) -> Result<Outcome>
    where
        I: IntoIterator,
        I::Item: Serialize,
    {
        if self.at.list.is_none()
            && self.archive.form.get().is_none()
            && !self.in_nan_option()
            && self.archive.marker().is_none()
            && let Some(whole) = whole::whole(&iter)
        {
            if self.at.root || whole.bytes.is_empty() {
                return Ok(Outcome::UNMEASURED);
            }
            self.stream.whole(&whole, 0)?;
            return Ok(Outcome::Array);
        }
        let iter = iter.into_iter();
        let len = match iter.size_hint() {
            (low, Some(high)) if low == high => Some(low),
            _ => None,
        };
        self.elements(len, false)?.collect(iter)
    }

    fn is_human_readable(&self) -> bool {
        true
    }
}
