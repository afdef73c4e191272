//! The public `Serializer`, for adapters that ask for one: a whole archive, part by part.

use std::io::{Seek, Write};

use serde::Serialize;
use serde::ser::{self, Impossible};

use super::{Archive, At, OnNone};
use crate::error::{Error, ErrorKind, Result};
use crate::npy::layout::capture;
use crate::npy::layout::compound::{compound, refusals};
use crate::npy::layout::scalar::{Scalar, scalars};
use crate::npy::whole;
use crate::npz::writer::NpzWriter;

/// A serde `Serializer` that writes the parts of a struct, a map or a tuple into an archive.
///
/// [`to_npz_writer`](crate::to_npz_writer) does the same for a value; this is for adapters that ask for a `Serializer`. Fields
/// and entries become members and groups under their names, the items of a tuple `arr_0`, `arr_1`, as by
/// [`NpzWriter::add`]. More can be added to the writer before and after.
///
/// A sequence and the content of a variant have to be known as a whole before their layout is: those are refused here, and
/// taken by [`NpzWriter::add`].
///
/// ```
/// use serde::Serialize;
/// use serde_npz::{NpzReader, NpzWriter, Serializer};
/// use std::collections::BTreeMap;
/// use std::io::Cursor;
///
/// let mut writer = NpzWriter::new(Cursor::new(Vec::new()));
/// BTreeMap::from([("x", vec![1.0, 2.0]), ("y", vec![3.0])]).serialize(Serializer::new(&mut writer))?;
/// writer.add("note", "two curves")?;
/// let reader = NpzReader::new(writer.finish()?)?;
/// assert!(reader.names().eq(["x", "y", "note"]));
/// # Ok::<(), serde_npz::Error>(())
/// ```
#[must_use = "a serializer writes when a value is serialized into it"]
pub struct Serializer<'w> {
    archive: Archive<'w>,
    usable: Result<()>,
}

impl<'w> Serializer<'w> {
    /// A serializer that adds to the archive of `writer`.
    ///
    /// ```
    /// use serde::Serialize;
    /// use std::io::Cursor;
    ///
    /// let mut writer = serde_npz::NpzWriter::new(Cursor::new(Vec::new()));
    /// (vec![1, 2], "text").serialize(serde_npz::Serializer::new(&mut writer))?;
    /// let bytes = writer.finish()?.into_inner();
    /// assert_eq!(serde_npz::from_npz_slice::<(Vec<i32>, String)>(&bytes)?, (vec![1, 2], "text".into()));
    /// # Ok::<(), serde_npz::Error>(())
    /// ```
    pub fn new<W: Write + Seek>(writer: &'w mut NpzWriter<W>) -> Self {
        Serializer {
            usable: writer.container.usable(),
            archive: Archive::new(&mut writer.container, ""),
        }
    }

    fn parts(self, fields: bool) -> Result<Parts<'w>> {
        self.usable?;
        Ok(Parts {
            before: self.archive.open_group()?,
            archive: self.archive,
            fields,
            key: None,
            items: 0,
        })
    }

    fn whole<T: Serialize + ?Sized>(self, value: &T) -> Result<()> {
        self.usable?;
        self.archive.value(value, At::root())
    }

    fn scalar(self, scalar: Scalar<'_>) -> Result<()> {
        Err(self.refuse(scalar.describe()))
    }

    #[cold]
    fn refuse(self, found: &str) -> Error {
        Error::new(
            ErrorKind::UnsupportedType,
            format_args!("found {found} at the root of an archive, expected a struct, a map or a tuple"),
        )
        .with_hint("add it under a name with `NpzWriter::add`, or write one array with `NpySerializer`")
    }
}

impl std::fmt::Debug for Serializer<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Serializer").finish_non_exhaustive()
    }
}

impl<'w> ser::Serializer for Serializer<'w> {
    type Ok = ();
    type Error = Error;
    type SerializeSeq = Impossible<(), Error>;
    type SerializeTuple = Parts<'w>;
    type SerializeTupleStruct = Parts<'w>;
    type SerializeTupleVariant = Impossible<(), Error>;
    type SerializeMap = Parts<'w>;
    type SerializeStruct = Parts<'w>;
    type SerializeStructVariant = Impossible<(), Error>;

    scalars!();
    refusals!(serialize_bytes serialize_none serialize_seq serialize_tuple_variant serialize_struct_variant);

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<()> {
        self.whole(value)
    }

    fn serialize_unit(self) -> Result<()> {
        self.usable
    }

    fn serialize_unit_struct(self, _: &'static str) -> Result<()> {
        self.usable
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(self, _: &'static str, value: &T) -> Result<()> {
        self.whole(value)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        value: &T,
    ) -> Result<()> {
        let parts = self.parts(true)?;
        parts.archive.child(variant, value, OnNone::Marker)?;
        parts.finish()
    }

    fn serialize_tuple(self, _: usize) -> Result<Parts<'w>> {
        self.parts(false)
    }

    fn serialize_tuple_struct(self, _: &'static str, _: usize) -> Result<Parts<'w>> {
        self.parts(false)
    }

    fn serialize_map(self, len: Option<usize>) -> Result<Parts<'w>> {
        self.parts(len.is_none())
    }

    fn serialize_struct(self, _: &'static str, _: usize) -> Result<Parts<'w>> {
        self.parts(true)
    }

    fn is_human_readable(&self) -> bool {
        true
    }
}

/// The parts of the value, each written as it comes.
pub struct Parts<'w> {
    archive: Archive<'w>,
    /// Fields of a struct, or what flatten makes of them: their None is left out.
    fields: bool,
    /// The key of an entry whose value is still to come, and whether it is the name of a field.
    key: Option<(String, bool)>,
    items: u64,
    /// How many members there were before.
    before: u64,
}

impl Parts<'_> {
    fn push<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<()> {
        let name = format!("arr_{}", self.items);
        self.items += 1;
        self.archive.child(&name, value, OnNone::Marker)
    }

    fn finish(self) -> Result<()> {
        self.archive.close_group(self.before)
    }
}

compound!(Parts<'_> => (), Error: SerializeTuple serialize_element, SerializeTupleStruct serialize_field);

impl ser::SerializeStruct for Parts<'_> {
    type Ok = ();
    type Error = Error;

    fn serialize_field<T: Serialize + ?Sized>(&mut self, key: &'static str, value: &T) -> Result<()> {
        self.archive.field(key, value)
    }

    fn end(self) -> Result<()> {
        self.finish()
    }
}

impl ser::SerializeMap for Parts<'_> {
    type Ok = ();
    type Error = Error;

    fn serialize_key<K: Serialize + ?Sized>(&mut self, key: &K) -> Result<()> {
        let field = self.fields && whole::is_str::<K>();
        self.key = Some((capture::key(key)?, field));
        Ok(())
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<()> {
        let (name, field) = self.key.take().ok_or_else(|| {
            Error::new(
                ErrorKind::Message,
                "found a value without a key, expected `serialize_key` before it",
            )
        })?;
        let on_none = if field { OnNone::of_field::<T>() } else { OnNone::Marker };
        self.archive
            .entry(self.fields, || self.archive.child(&name, value, on_none))
    }

    fn end(self) -> Result<()> {
        self.finish()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::io::Cursor;

    use serde::Serialize;

    use super::*;
    use crate::npz::to_npz_vec;

    #[derive(Serialize)]
    struct Run {
        dt: f64,
        none: Option<f64>,
        rows: Vec<(u8, f32)>,
        #[serde(rename = "deep/name")]
        path: Vec<String>,
        meta: Meta,
    }

    #[derive(Serialize)]
    struct Meta {
        id: u32,
    }

    #[derive(Serialize)]
    struct Flat {
        x: f64,
        none: Option<f64>,
        #[serde(flatten)]
        meta: Meta,
    }

    #[derive(Serialize)]
    enum Variant {
        One(Vec<f64>),
        Named { x: f64 },
    }

    #[derive(Serialize)]
    struct Wrapped(Meta);

    fn written<T: Serialize>(value: &T) -> Result<Vec<u8>> {
        let mut writer = NpzWriter::new(Cursor::new(Vec::new()));
        value.serialize(Serializer::new(&mut writer))?;
        Ok(writer.finish()?.into_inner())
    }

    /// The archive is the one that the value alone makes.
    fn same<T: Serialize>(value: &T) {
        assert!(written(value).unwrap() == to_npz_vec(value).unwrap());
    }

    #[test]
    fn parts_are_written_as_by_the_functions() {
        same(&Run {
            dt: 0.5,
            none: None,
            rows: vec![(1, 0.5), (2, 1.5)],
            path: vec!["a".into()],
            meta: Meta { id: 7 },
        });
        same(&Flat {
            x: 1.0,
            none: None,
            meta: Meta { id: 7 },
        });
        same(&BTreeMap::from([("a", Some(1)), ("b", None)]));
        same(&BTreeMap::from([(1, "x")]));
        same(&(1, vec![2.0], "x"));
        same(&Variant::One(vec![1.0]));
        same(&Wrapped(Meta { id: 1 }));
        same(&Some(Meta { id: 1 }));
        same(&());
        same(&BTreeMap::<String, f64>::new());
    }

    #[test]
    fn what_is_no_struct_map_or_tuple_is_refused() {
        for error in [
            written(&vec![1.0]).unwrap_err(),
            written(&1.5).unwrap_err(),
            written(&None::<f64>).unwrap_err(),
            written(&Variant::Named { x: 1.0 }).unwrap_err(),
        ] {
            assert_eq!(error.kind(), ErrorKind::UnsupportedType, "{error}");
        }
    }

    #[test]
    fn names_are_taken_once() {
        let mut writer = NpzWriter::new(Cursor::new(Vec::new()));
        writer.add("x", &1).unwrap();
        let error = BTreeMap::from([("x", 2)])
            .serialize(Serializer::new(&mut writer))
            .unwrap_err();
        assert_eq!((error.kind(), error.path()), (ErrorKind::DuplicateName, "x"));
    }
}
