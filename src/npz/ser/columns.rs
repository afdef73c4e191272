//! A sequence of structs as a group of one array for each field.
//!
//! ```text
//! [Row { id: 7, at: [0.5, 1.0] }, Row { id: 8, at: [1.5, 2.0] }]    x/id <u4 (2,)    x/at <f8 (2, 2)
//! ```
//!
//! The rows are walked once for each field, and nothing of them is kept.

use serde::Serialize;
use serde::ser::{self, Impossible, SerializeSeq, Serializer};

use super::masked::write_masked;
use super::{Archive, At, OnNone};
use crate::error::{Error, ErrorKind, into_ser_custom};
use crate::npy::layout::capture;
use crate::npy::layout::compound::{compound, refusals};
use crate::npy::layout::scalar::changed;
use crate::npy::whole;

/// Errors may be those of the serializer that a column is written to.
type Result<T, E = Error> = std::result::Result<T, E>;

/// Writes `value`, a sequence of so many elements, as the group at the archive's current path. Returns whether they are
/// structs or tuples: maps, sequences and Options of those may have this form by themselves.
pub(super) fn write_columns<T: Serialize + ?Sized>(archive: &Archive<'_>, value: &T, elements: u64) -> Result<bool> {
    let mut first = FirstRow::default();
    let walked = value.serialize(RowsSerializer::new(|_| Ok(&mut first)));
    walked.map_err(|e| archive.place.name(e))?;
    if first.apart {
        return Ok(false);
    }
    if first.rows != elements {
        return Err(archive
            .place
            .name(changed(format_args!("{} rows", first.rows), elements)));
    }
    let before = archive.open_group()?;
    for (index, field) in first.fields.iter().enumerate() {
        let column = Column {
            rows: value,
            index,
            name: &field.name,
            fields: first.fields.len(),
        };
        archive.at_field(&field.name, || {
            if field.optional && write_masked(archive, &column, elements)? {
                return Ok(());
            }
            let at = At::inside(OnNone::Marker);
            if field.optional {
                return archive.list(&column, at, Some(elements));
            }
            archive.unformed(&column, at).map(|_| ())
        })?;
    }
    archive.close_group(before)?;
    Ok(true)
}

/// What the first row tells of all of them.
#[derive(Default)]
struct FirstRow {
    fields: Vec<Field>,
    rows: u64,
    /// The rows are maps, sequences or Options.
    apart: bool,
}

struct Field {
    name: String,
    /// It is an Option, whether Some or None.
    optional: bool,
}

impl Rows for &mut FirstRow {
    type Ok = ();
    type Error = Error;

    fn row<T: Serialize + ?Sized>(&mut self, row: &T) -> Result<()> {
        self.rows += 1;
        if self.rows > 1 {
            return Ok(());
        }
        match row.serialize(RowSerializer(&mut **self)) {
            Err(_) if self.apart => Ok(()),
            taken => taken.map_err(|e| e.at_index(0)),
        }
    }

    fn finish(self) -> Result<()> {
        Ok(())
    }

    fn refuse(found: &str) -> Error {
        no_rows(found)
    }
}

impl Fields for FirstRow {
    type Error = Error;

    fn field<T: Serialize + ?Sized>(&mut self, name: Option<&str>, _: &T) -> Result<()> {
        self.fields.push(Field {
            name: name.map_or_else(|| format!("f{}", self.fields.len()), str::to_owned),
            optional: whole::is_option::<T>(),
        });
        Ok(())
    }

    fn set_apart(&mut self) {
        self.apart = true;
    }

    fn refuse(found: &str) -> Error {
        no_rows(found)
    }
}

#[cold]
fn no_rows(found: &str) -> Error {
    Error::new(
        ErrorKind::UnsupportedType,
        format_args!("found {found}, expected a sequence of structs inside `with::columns`"),
    )
}

/// One field of all rows, as a sequence.
struct Column<'a, T: ?Sized> {
    rows: &'a T,
    index: usize,
    name: &'a str,
    /// How many fields a row has.
    fields: usize,
}

impl<T: Serialize + ?Sized> Serialize for Column<'_, T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.rows.serialize(RowsSerializer::new(|len| {
            Ok(ColumnSeq {
                seq: serializer.serialize_seq(len)?,
                index: self.index,
                name: self.name,
                fields: self.fields,
            })
        }))
    }
}

/// The sequence that a column is written to.
struct ColumnSeq<'a, S> {
    seq: S,
    index: usize,
    name: &'a str,
    fields: usize,
}

impl<S: SerializeSeq> Rows for ColumnSeq<'_, S> {
    type Ok = S::Ok;
    type Error = S::Error;

    fn row<T: Serialize + ?Sized>(&mut self, row: &T) -> Result<(), S::Error> {
        let mut pick = Pick { column: self, at: 0 };
        row.serialize(RowSerializer(&mut pick))?;
        let found = pick.at;
        if found == self.fields {
            return Ok(());
        }
        Err(unequal(
            format_args!("a row of {found} fields"),
            format_args!("{} fields", self.fields),
        ))
    }

    fn finish(self) -> Result<S::Ok, S::Error> {
        self.seq.end()
    }

    fn refuse(found: &str) -> S::Error {
        unequal(format_args!("{found}"), format_args!("a sequence of structs"))
    }
}

/// Hands the field of one column on, and leaves all others out.
struct Pick<'p, 'a, S> {
    column: &'p mut ColumnSeq<'a, S>,
    at: usize,
}

impl<S: SerializeSeq> Fields for Pick<'_, '_, S> {
    type Error = S::Error;

    #[inline]
    fn field<T: Serialize + ?Sized>(&mut self, name: Option<&str>, value: &T) -> Result<(), S::Error> {
        let at = self.at;
        self.at += 1;
        if at != self.column.index {
            return Ok(());
        }
        match name {
            Some(name) if !capture::same_name(name, self.column.name) => Err(unequal(
                format_args!("the field `{name}`"),
                format_args!("`{}`", self.column.name),
            )),
            _ => self.column.seq.serialize_element(value),
        }
    }

    fn refuse(found: &str) -> S::Error {
        unequal(format_args!("{found}"), format_args!("a struct"))
    }
}

#[cold]
fn unequal<E: ser::Error>(found: std::fmt::Arguments<'_>, expected: std::fmt::Arguments<'_>) -> E {
    into_ser_custom(Error::new(
        ErrorKind::InvalidValue,
        format_args!(
            "found {found}, expected {expected} as in the first row: all rows inside `with::columns` have the same fields"
        ),
    ))
}

/// Takes the rows one by one.
trait Rows {
    type Ok;
    type Error: ser::Error;

    fn row<T: Serialize + ?Sized>(&mut self, row: &T) -> Result<(), Self::Error>;
    fn finish(self) -> Result<Self::Ok, Self::Error>;
    fn refuse(found: &str) -> Self::Error;
}

/// Takes the fields of a row one by one; the items of a tuple have no names.
trait Fields {
    type Error: ser::Error;

    fn field<T: Serialize + ?Sized>(&mut self, name: Option<&str>, value: &T) -> Result<(), Self::Error>;

    /// The row is none, but may hold rows.
    fn set_apart(&mut self) {}

    fn refuse(found: &str) -> Self::Error;
}

/// Takes a sequence apart into its rows, for what the function makes of its length.
struct RowsSerializer<B>(B);

impl<B, R: Rows> RowsSerializer<B>
where
    B: FnOnce(Option<usize>) -> Result<R, R::Error>,
{
    fn new(begin: B) -> Self {
        RowsSerializer(begin)
    }

    fn refuse(self, found: &str) -> R::Error {
        R::refuse(found)
    }
}

/// A row, whose fields are taken.
struct RowSerializer<'f, F>(&'f mut F);

impl<F: Fields> RowSerializer<'_, F> {
    fn refuse(self, found: &str) -> F::Error {
        F::refuse(found)
    }

    fn apart(self, found: &str) -> F::Error {
        self.0.set_apart();
        F::refuse(found)
    }

    #[inline]
    fn push<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), F::Error> {
        self.0.field(None, value)
    }

    fn finish(self) -> Result<(), F::Error> {
        Ok(())
    }
}

/// The methods of scalars, none of which is a row or a sequence of rows.
macro_rules! no_scalars {
    ($error:ty: $($method:ident $t:ty, $found:literal;)*) => {
        refusals!(serialize_f32 serialize_f64 serialize_bytes serialize_unit serialize_unit_struct
            serialize_newtype_variant serialize_tuple_variant serialize_struct_variant);

        fn serialize_unit_variant(self, _: &'static str, _: u32, variant: &'static str) -> Result<Self::Ok, $error> {
            Err(self.refuse(variant))
        }

        $(
            fn $method(self, _: $t) -> Result<Self::Ok, $error> {
                Err(self.refuse($found))
            }
        )*
    };
    ($error:ty) => {
        no_scalars! { $error:
            serialize_bool bool, "a bool";
            serialize_i8 i8, "an i8";
            serialize_i16 i16, "an i16";
            serialize_i32 i32, "an i32";
            serialize_i64 i64, "an i64";
            serialize_i128 i128, "an i128";
            serialize_u8 u8, "a u8";
            serialize_u16 u16, "a u16";
            serialize_u32 u32, "a u32";
            serialize_u64 u64, "a u64";
            serialize_u128 u128, "a u128";
            serialize_char char, "a char";
            serialize_str &str, "a text";
        }
    };
}

impl<B, R: Rows> Serializer for RowsSerializer<B>
where
    B: FnOnce(Option<usize>) -> Result<R, R::Error>,
{
    type Ok = R::Ok;
    type Error = R::Error;
    type SerializeSeq = RowSeq<R>;
    type SerializeTuple = RowSeq<R>;
    type SerializeTupleStruct = RowSeq<R>;
    type SerializeTupleVariant = Impossible<R::Ok, R::Error>;
    type SerializeMap = Impossible<R::Ok, R::Error>;
    type SerializeStruct = Impossible<R::Ok, R::Error>;
    type SerializeStructVariant = Impossible<R::Ok, R::Error>;

    no_scalars!(R::Error);
    refusals!(serialize_none serialize_map serialize_struct);

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<R::Ok, R::Error> {
        value.serialize(self)
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(self, _: &'static str, value: &T) -> Result<R::Ok, R::Error> {
        value.serialize(self)
    }

    fn serialize_seq(self, len: Option<usize>) -> Result<RowSeq<R>, R::Error> {
        self.0(len).map(RowSeq)
    }

    fn serialize_tuple(self, len: usize) -> Result<RowSeq<R>, R::Error> {
        self.serialize_seq(Some(len))
    }

    fn serialize_tuple_struct(self, _: &'static str, len: usize) -> Result<RowSeq<R>, R::Error> {
        self.serialize_seq(Some(len))
    }
}

struct RowSeq<R>(R);

impl<R: Rows> RowSeq<R> {
    #[inline]
    fn push<T: Serialize + ?Sized>(&mut self, row: &T) -> Result<(), R::Error> {
        self.0.row(row)
    }

    fn finish(self) -> Result<R::Ok, R::Error> {
        self.0.finish()
    }
}

compound!([R: Rows] RowSeq<R> => R::Ok, R::Error:
    SerializeSeq serialize_element,
    SerializeTuple serialize_element,
    SerializeTupleStruct serialize_field);

impl<'f, F: Fields> Serializer for RowSerializer<'f, F> {
    type Ok = ();
    type Error = F::Error;
    type SerializeSeq = Impossible<(), F::Error>;
    type SerializeTuple = Self;
    type SerializeTupleStruct = Self;
    type SerializeTupleVariant = Impossible<(), F::Error>;
    type SerializeMap = KeyedRow<'f, F>;
    type SerializeStruct = Self;
    type SerializeStructVariant = Impossible<(), F::Error>;

    no_scalars!(F::Error);

    fn serialize_none(self) -> Result<(), F::Error> {
        Err(self.apart("None"))
    }

    fn serialize_some<T: Serialize + ?Sized>(self, _: &T) -> Result<(), F::Error> {
        Err(self.apart("Some"))
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(self, _: &'static str, value: &T) -> Result<(), F::Error> {
        value.serialize(self)
    }

    fn serialize_seq(self, _: Option<usize>) -> Result<Self::SerializeSeq, F::Error> {
        Err(self.apart("a sequence"))
    }

    #[inline]
    fn serialize_tuple(self, _: usize) -> Result<Self, F::Error> {
        Ok(self)
    }

    fn serialize_tuple_struct(self, _: &'static str, _: usize) -> Result<Self, F::Error> {
        Ok(self)
    }

    fn serialize_map(self, len: Option<usize>) -> Result<KeyedRow<'f, F>, F::Error> {
        match len {
            // serde's flatten makes a map of unknown length; a real map knows its own.
            None => Ok(KeyedRow { row: self, key: None }),
            Some(_) => Err(self.apart("a map")),
        }
    }

    #[inline]
    fn serialize_struct(self, _: &'static str, _: usize) -> Result<Self, F::Error> {
        Ok(self)
    }
}

compound!(['f, F: Fields] RowSerializer<'f, F> => (), F::Error:
    SerializeTuple serialize_element,
    SerializeTupleStruct serialize_field);

impl<F: Fields> ser::SerializeStruct for RowSerializer<'_, F> {
    type Ok = ();
    type Error = F::Error;

    #[inline]
    fn serialize_field<T: Serialize + ?Sized>(&mut self, key: &'static str, value: &T) -> Result<(), F::Error> {
        self.0.field(Some(key), value)
    }

    fn end(self) -> Result<(), F::Error> {
        self.finish()
    }
}

/// A struct with flattened fields.
struct KeyedRow<'f, F> {
    row: RowSerializer<'f, F>,
    key: Option<String>,
}

impl<F: Fields> ser::SerializeMap for KeyedRow<'_, F> {
    type Ok = ();
    type Error = F::Error;

    fn serialize_key<K: Serialize + ?Sized>(&mut self, key: &K) -> Result<(), F::Error> {
        self.key = Some(capture::key(key).map_err(|_| F::refuse("a key that is no text"))?);
        Ok(())
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), F::Error> {
        let key = self.key.take().unwrap_or_default();
        self.row.0.field(Some(&key), value)
    }

    fn end(self) -> Result<(), F::Error> {
        self.row.finish()
    }
}
