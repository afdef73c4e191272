//! A serializer for one lone array: the value is kept in memory first, because its layout precedes its data.
//!
//! ```text
//! serialize_seq, serialize_element(1.5), ..  ─►  Kept::Seq([F64(1.5), ..])  ─►  to_npy_writer, which may walk it twice
//! ```

use std::fmt;
use std::io::Write;

use serde::ser::{self, Serialize};

use crate::error::{Error, ErrorKind, Result};
use crate::npy::layout::compound::{compound, named_fields};
use crate::npy::to_npy_writer;

/// Deeper values could not be written anyway: 64 axes, and a newtype or an Option around each.
const MAX_DEPTH: u32 = 256;

/// A serde `Serializer` that writes one array.
///
/// [`to_npy_writer`](crate::to_npy_writer) takes a value, and walks it twice where it has to. A `Serializer` sees it only
/// once, so this one keeps the value until it is complete, at some 32 bytes for each number. It is for adapters that
/// ask for a `Serializer` and for values that can give their elements only once, such as another format's
/// deserializer through `serde_transcode`.
///
/// What the type of a value tells beyond serde's calls is lost, as with every other serializer: `Complex` becomes an axis
/// of two floats.
///
/// ```
/// use serde::Serializer;
/// use serde_npz::NpySerializer;
///
/// let mut file = Vec::new();
/// NpySerializer::new(&mut file).collect_seq((1..4).map(f64::from))?;
/// assert_eq!(serde_npz::from_npy_slice::<Vec<f64>>(&file)?, [1.0, 2.0, 3.0]);
/// # Ok::<(), serde_npz::Error>(())
/// ```
#[must_use = "a serializer writes when a value is serialized into it"]
pub struct NpySerializer<W> {
    target: W,
    depth: u32,
}

impl<W: Write> NpySerializer<W> {
    /// A serializer that writes the array to `writer`.
    ///
    /// ```
    /// use serde::Serialize;
    ///
    /// let mut file = Vec::new();
    /// [1, 2, 3].serialize(serde_npz::NpySerializer::new(&mut file))?;
    /// assert!(file.starts_with(b"\x93NUMPY"));
    /// # Ok::<(), serde_npz::Error>(())
    /// ```
    pub fn new(writer: W) -> Self {
        NpySerializer {
            target: writer,
            depth: 0,
        }
    }
}

impl<W> fmt::Debug for NpySerializer<W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NpySerializer").finish_non_exhaustive()
    }
}

/// One value, as the calls it made.
pub enum Kept {
    Bool(bool),
    I8(i8),
    I16(i16),
    I32(i32),
    I64(i64),
    I128(i128),
    U8(u8),
    U16(u16),
    U32(u32),
    U64(u64),
    U128(u128),
    F32(f32),
    F64(f64),
    Char(char),
    Str(String),
    Bytes(Vec<u8>),
    None,
    Some(Box<Kept>),
    Unit,
    UnitStruct(&'static str),
    UnitVariant(Variant),
    Newtype(&'static str, Box<Kept>),
    NewtypeVariant(Variant, Box<Kept>),
    Seq(Vec<Kept>),
    Tuple(Vec<Kept>),
    TupleStruct(&'static str, Vec<Kept>),
    TupleVariant(Variant, Vec<Kept>),
    /// Whether its length was known, and its entries.
    Map(bool, Vec<(Kept, Kept)>),
    Struct(&'static str, Vec<(&'static str, Kept)>),
    StructVariant(Variant, Vec<(&'static str, Kept)>),
}

/// The enum, the index and the name of a variant.
#[derive(Clone, Copy)]
pub struct Variant(&'static str, u32, &'static str);

impl Serialize for Kept {
    fn serialize<S: ser::Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        use ser::{
            SerializeMap, SerializeStruct, SerializeStructVariant, SerializeTuple, SerializeTupleStruct,
            SerializeTupleVariant,
        };
        match self {
            Kept::Bool(v) => serializer.serialize_bool(*v),
            Kept::I8(v) => serializer.serialize_i8(*v),
            Kept::I16(v) => serializer.serialize_i16(*v),
            Kept::I32(v) => serializer.serialize_i32(*v),
            Kept::I64(v) => serializer.serialize_i64(*v),
            Kept::I128(v) => serializer.serialize_i128(*v),
            Kept::U8(v) => serializer.serialize_u8(*v),
            Kept::U16(v) => serializer.serialize_u16(*v),
            Kept::U32(v) => serializer.serialize_u32(*v),
            Kept::U64(v) => serializer.serialize_u64(*v),
            Kept::U128(v) => serializer.serialize_u128(*v),
            Kept::F32(v) => serializer.serialize_f32(*v),
            Kept::F64(v) => serializer.serialize_f64(*v),
            Kept::Char(v) => serializer.serialize_char(*v),
            Kept::Str(v) => serializer.serialize_str(v),
            Kept::Bytes(v) => serializer.serialize_bytes(v),
            Kept::None => serializer.serialize_none(),
            Kept::Some(v) => serializer.serialize_some(v),
            Kept::Unit => serializer.serialize_unit(),
            Kept::UnitStruct(name) => serializer.serialize_unit_struct(name),
            Kept::UnitVariant(Variant(name, index, variant)) => {
                serializer.serialize_unit_variant(name, *index, variant)
            }
            Kept::Newtype(name, v) => serializer.serialize_newtype_struct(name, v),
            Kept::NewtypeVariant(Variant(name, index, variant), v) => {
                serializer.serialize_newtype_variant(name, *index, variant, v)
            }
            Kept::Seq(items) => serializer.collect_seq(items),
            Kept::Tuple(items) => {
                let mut tuple = serializer.serialize_tuple(items.len())?;
                items.iter().try_for_each(|item| tuple.serialize_element(item))?;
                tuple.end()
            }
            Kept::TupleStruct(name, items) => {
                let mut tuple = serializer.serialize_tuple_struct(name, items.len())?;
                items.iter().try_for_each(|item| tuple.serialize_field(item))?;
                tuple.end()
            }
            Kept::TupleVariant(Variant(name, index, variant), items) => {
                let mut tuple = serializer.serialize_tuple_variant(name, *index, variant, items.len())?;
                items.iter().try_for_each(|item| tuple.serialize_field(item))?;
                tuple.end()
            }
            Kept::Map(sized, entries) => {
                let mut map = serializer.serialize_map(sized.then_some(entries.len()))?;
                for (key, value) in entries {
                    match key {
                        // What flatten passes is a `str`, and taken for the name of a field.
                        Kept::Str(key) => map.serialize_entry(key.as_str(), value)?,
                        key => map.serialize_entry(key, value)?,
                    }
                }
                map.end()
            }
            Kept::Struct(name, fields) => {
                let mut object = serializer.serialize_struct(name, fields.len())?;
                fields
                    .iter()
                    .try_for_each(|(field, value)| object.serialize_field(field, value))?;
                object.end()
            }
            Kept::StructVariant(Variant(name, index, variant), fields) => {
                let mut object = serializer.serialize_struct_variant(name, *index, variant, fields.len())?;
                fields
                    .iter()
                    .try_for_each(|(field, value)| object.serialize_field(field, value))?;
                object.end()
            }
        }
    }
}

/// Where a kept value goes: into a writer as an array, or into the value around it.
pub trait Target: Sized {
    type Ok;
    fn take(self, kept: Kept) -> Result<Self::Ok>;
}

impl<W: Write> Target for W {
    type Ok = ();

    fn take(self, kept: Kept) -> Result<()> {
        to_npy_writer(self, &kept)
    }
}

/// The value is a part of another one.
struct Part;

impl Target for Part {
    type Ok = Kept;

    fn take(self, kept: Kept) -> Result<Kept> {
        Ok(kept)
    }
}

/// Keeps a part of a value that lies `depth` levels deep.
fn part<T: Serialize + ?Sized>(value: &T, depth: u32) -> Result<Kept> {
    if depth >= MAX_DEPTH {
        return Err(Error::new(
            ErrorKind::LimitExceeded,
            format_args!("found more than {MAX_DEPTH} levels of nesting, expected one array"),
        ));
    }
    value.serialize(NpySerializer {
        target: Part,
        depth: depth + 1,
    })
}

impl<W> NpySerializer<W> {
    fn boxed<T: Serialize + ?Sized>(&self, value: &T) -> Result<Box<Kept>> {
        part(value, self.depth).map(Box::new)
    }

    fn items(self, kind: Items) -> KeepItems<W> {
        KeepItems {
            serializer: self,
            items: Vec::new(),
            kind,
        }
    }

    fn fields(self, kind: Fields) -> KeepFields<W> {
        KeepFields {
            serializer: self,
            fields: Vec::new(),
            kind,
        }
    }
}

macro_rules! scalars {
    ($($method:ident($t:ty) => $kept:ident),* $(,)?) => {
        $(
            fn $method(self, v: $t) -> Result<W::Ok> {
                self.target.take(Kept::$kept(v.into()))
            }
        )*
    };
}

impl<W: Target> ser::Serializer for NpySerializer<W> {
    type Ok = W::Ok;
    type Error = Error;
    type SerializeSeq = KeepItems<W>;
    type SerializeTuple = KeepItems<W>;
    type SerializeTupleStruct = KeepItems<W>;
    type SerializeTupleVariant = KeepItems<W>;
    type SerializeMap = KeepEntries<W>;
    type SerializeStruct = KeepFields<W>;
    type SerializeStructVariant = KeepFields<W>;

    scalars! {
        serialize_bool(bool) => Bool, serialize_i8(i8) => I8, serialize_i16(i16) => I16, serialize_i32(i32) => I32,
        serialize_i64(i64) => I64, serialize_i128(i128) => I128, serialize_u8(u8) => U8, serialize_u16(u16) => U16,
        serialize_u32(u32) => U32, serialize_u64(u64) => U64, serialize_u128(u128) => U128, serialize_f32(f32) => F32,
        serialize_f64(f64) => F64, serialize_char(char) => Char, serialize_str(&str) => Str,
        serialize_bytes(&[u8]) => Bytes, serialize_unit_struct(&'static str) => UnitStruct,
    }

    fn serialize_none(self) -> Result<W::Ok> {
        self.target.take(Kept::None)
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<W::Ok> {
        let kept = Kept::Some(self.boxed(value)?);
        self.target.take(kept)
    }

    fn serialize_unit(self) -> Result<W::Ok> {
        self.target.take(Kept::Unit)
    }

    fn serialize_unit_variant(self, name: &'static str, index: u32, variant: &'static str) -> Result<W::Ok> {
        self.target.take(Kept::UnitVariant(Variant(name, index, variant)))
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(self, name: &'static str, value: &T) -> Result<W::Ok> {
        let kept = Kept::Newtype(name, self.boxed(value)?);
        self.target.take(kept)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        name: &'static str,
        index: u32,
        variant: &'static str,
        value: &T,
    ) -> Result<W::Ok> {
        let kept = Kept::NewtypeVariant(Variant(name, index, variant), self.boxed(value)?);
        self.target.take(kept)
    }

    fn serialize_seq(self, _: Option<usize>) -> Result<KeepItems<W>> {
        Ok(self.items(Items::Seq))
    }

    fn serialize_tuple(self, _: usize) -> Result<KeepItems<W>> {
        Ok(self.items(Items::Tuple))
    }

    fn serialize_tuple_struct(self, name: &'static str, _: usize) -> Result<KeepItems<W>> {
        Ok(self.items(Items::TupleStruct(name)))
    }

    fn serialize_tuple_variant(
        self,
        name: &'static str,
        index: u32,
        variant: &'static str,
        _: usize,
    ) -> Result<KeepItems<W>> {
        Ok(self.items(Items::TupleVariant(Variant(name, index, variant))))
    }

    fn serialize_map(self, len: Option<usize>) -> Result<KeepEntries<W>> {
        Ok(KeepEntries {
            serializer: self,
            sized: len.is_some(),
            entries: Vec::new(),
            key: None,
        })
    }

    fn serialize_struct(self, name: &'static str, _: usize) -> Result<KeepFields<W>> {
        Ok(self.fields(Fields::Struct(name)))
    }

    fn serialize_struct_variant(
        self,
        name: &'static str,
        index: u32,
        variant: &'static str,
        _: usize,
    ) -> Result<KeepFields<W>> {
        Ok(self.fields(Fields::StructVariant(Variant(name, index, variant))))
    }

    fn is_human_readable(&self) -> bool {
        true
    }
}

/// What elements one behind the other are.
enum Items {
    Seq,
    Tuple,
    TupleStruct(&'static str),
    TupleVariant(Variant),
}

pub struct KeepItems<W> {
    serializer: NpySerializer<W>,
    items: Vec<Kept>,
    kind: Items,
}

impl<W: Target> KeepItems<W> {
    fn push<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<()> {
        self.items.push(part(value, self.serializer.depth)?);
        Ok(())
    }

    fn finish(self) -> Result<W::Ok> {
        self.serializer.target.take(match self.kind {
            Items::Seq => Kept::Seq(self.items),
            Items::Tuple => Kept::Tuple(self.items),
            Items::TupleStruct(name) => Kept::TupleStruct(name, self.items),
            Items::TupleVariant(variant) => Kept::TupleVariant(variant, self.items),
        })
    }
}

compound!([W: Target] KeepItems<W> => W::Ok, Error:
    SerializeSeq serialize_element,
    SerializeTuple serialize_element,
    SerializeTupleStruct serialize_field,
    SerializeTupleVariant serialize_field);

/// What named fields are.
enum Fields {
    Struct(&'static str),
    StructVariant(Variant),
}

pub struct KeepFields<W> {
    serializer: NpySerializer<W>,
    fields: Vec<(&'static str, Kept)>,
    kind: Fields,
}

impl<W: Target> KeepFields<W> {
    fn field<T: Serialize + ?Sized>(&mut self, key: &'static str, value: &T) -> Result<()> {
        self.fields.push((key, part(value, self.serializer.depth)?));
        Ok(())
    }

    fn finish(self) -> Result<W::Ok> {
        self.serializer.target.take(match self.kind {
            Fields::Struct(name) => Kept::Struct(name, self.fields),
            Fields::StructVariant(variant) => Kept::StructVariant(variant, self.fields),
        })
    }
}

named_fields!([W: Target] KeepFields<W> => W::Ok);

pub struct KeepEntries<W> {
    serializer: NpySerializer<W>,
    sized: bool,
    entries: Vec<(Kept, Kept)>,
    key: Option<Kept>,
}

impl<W: Target> ser::SerializeMap for KeepEntries<W> {
    type Ok = W::Ok;
    type Error = Error;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<()> {
        self.key = Some(part(key, self.serializer.depth)?);
        Ok(())
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<()> {
        let key = self.key.take().ok_or_else(|| {
            Error::new(
                ErrorKind::Message,
                "found a value without a key, expected `serialize_key` before it",
            )
        })?;
        self.entries.push((key, part(value, self.serializer.depth)?));
        Ok(())
    }

    fn end(self) -> Result<W::Ok> {
        self.serializer.target.take(Kept::Map(self.sized, self.entries))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde::Serialize;

    use super::*;
    use crate::npy::to_npy_vec;

    /// Neither the bytes nor the error depend on whether the value is kept first.
    fn same<T: Serialize>(value: &T) {
        let mut kept = Vec::new();
        let result = value.serialize(NpySerializer::new(&mut kept)).map(|()| kept);
        match (result, to_npy_vec(value)) {
            (Ok(kept), Ok(direct)) => assert!(kept == direct),
            (Err(kept), Err(direct)) => assert_eq!(kept.to_string(), direct.to_string()),
            (kept, direct) => panic!("{kept:?} instead of {direct:?}"),
        }
    }

    #[derive(Serialize)]
    struct Row {
        id: u8,
        at: (f32, i64),
        name: &'static str,
        kind: Kind,
    }

    #[derive(Serialize)]
    struct Unit;

    #[derive(Serialize)]
    struct Wrapped(f64);

    #[derive(Serialize)]
    struct Pair(u16, bool);

    #[derive(Serialize)]
    enum Kind {
        Low,
        One(u8),
        Two(u8, f64),
        Named { n: i8 },
    }

    #[test]
    fn every_kind_of_call_is_kept() {
        let row = |id| Row {
            id,
            at: (0.5, -1),
            name: "a",
            kind: Kind::Low,
        };
        same(&vec![row(1), row(2)]);
        same(&vec![Pair(1, true)]);
        same(&vec![Wrapped(1.5)]);
        same(&vec![Kind::Low, Kind::Low]);
        same(&vec![vec![1_i8, 2], vec![3, 4]]);
        same(&vec![vec![1_i8, 2], vec![3]]);
        same(&vec![Some(1_u32), Some(2)]);
        same(&vec![Some(1_u32), None]);
        same(&['a', 'b']);
        same(&(true, 1_i16, 2_i32, 3_u64, 4_f32, 'x', "y"));
        same(&[1_i128]);
        same(&[1_u128]);
        same(&Kind::One(1));
        same(&Kind::Two(1, 0.5));
        same(&Kind::Named { n: 1 });
        same(&BTreeMap::from([(1, 2)]));
        same(&BTreeMap::from([("a", 2)]));
        same(&Unit);
        same(&());
        same(&None::<f64>);
    }

    #[test]
    fn nesting_has_an_end() {
        struct Deep(u32);
        impl Serialize for Deep {
            fn serialize<S: ser::Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
                serializer.collect_seq([Deep(self.0 + 1)])
            }
        }
        let error = Deep(0).serialize(NpySerializer::new(Vec::new())).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::LimitExceeded);
    }
}
