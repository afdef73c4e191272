//! A value to one array: the second walk, checked against the first.

use std::borrow::Cow;
use std::slice;

use serde::Serialize;
use serde::ser::{self, Impossible, SerializeSeq as _, Serializer};

use crate::error::{Error, ErrorKind, Result};
use crate::format::header::Header;
use crate::npy::layout::capture;
use crate::npy::layout::compound::{compound, refusals};
use crate::npy::layout::known::{Finished, KnownStruct, half};
use crate::npy::layout::measure::measure;
use crate::npy::layout::scalar::{Scalar, ScalarLayout, changed, put_texts, scalars};
use crate::npy::layout::tree::Layout;
use crate::npy::marker::Marker;
use crate::npy::ser::packed::Slots;
use crate::npy::ser::stream::{Stream, StreamItem};
use crate::npy::sink::{Out, Put, Sink};
use crate::npy::whole;

/// Writes `value` as the one array it is; an error where it would be more than one.
pub(crate) fn write_array<T: Serialize + ?Sized>(value: &T, sink: &mut dyn Sink) -> Result<()> {
    let mut stream = Stream::new(Out::new(sink));
    let streamed = match whole::complex(value) {
        // A number without axes is measured like any other scalar.
        Some(_) => {
            stream.measure = true;
            Ok(())
        }
        None => value.serialize(StreamItem {
            stream: &mut stream,
            depth: 0,
        }),
    };
    let refused = match streamed {
        // What is wrong with a record is told by measuring all of them; a full disk is no matter of theirs.
        Err(error) if stream.of_records() && error.kind() != ErrorKind::Io => Some(error),
        streamed if !stream.measure || stream.begun() => {
            streamed?;
            return stream.end();
        }
        _ => None,
    };
    let layout = measure(value)?;
    stream.check_given_up(&layout)?;
    drop(stream);
    match layout {
        Layout::Misfit(misfit) => Err(misfit.into_error()),
        Layout::Group => Err(Error::new(
            ErrorKind::UnsupportedType,
            "found a value of several arrays, expected one array: use `to_npz_vec`, `to_npz_writer` or `save_npz`",
        )),
        layout => match refused {
            // The same value was no array a moment ago.
            Some(error) => Err(error),
            None => write_node(value, &layout, None, sink),
        },
    }
}

/// Writes `value`, measured as `layout`, as an array.
pub(crate) fn write_node<T: Serialize + ?Sized>(
    value: &T,
    layout: &Layout,
    marker: Option<Marker>,
    sink: &mut dyn Sink,
) -> Result<()> {
    let header = layout.header()?;
    let mut out = Out::new(sink);
    out.begin(&header)?;
    Item {
        out: &mut out,
        layout,
        marker,
        slots: Slots::of_elements(layout).as_ref(),
    }
    .value(value)?;
    out.end()
}

/// Writes the marker of None and `()`, 0-d `|V0`, or of an empty group, of shape (0,).
pub(crate) fn write_marker(shape: Vec<u64>, sink: &mut dyn Sink) -> Result<()> {
    sink.begin(&Header::new(crate::format::dtype::Dtype::void(0), shape, false)?)
}

/// A value whose layout is known.
pub(crate) struct Item<'a, 's> {
    pub(crate) out: &'a mut Out<'s>,
    pub(crate) layout: &'a Layout,
    pub(crate) marker: Option<Marker>,
    /// Those of the elements behind all axes.
    pub(crate) slots: Option<&'a Slots>,
}

impl<'a, 's> Item<'a, 's> {
    #[inline(always)]
    pub(crate) fn value<T: Serialize + ?Sized>(self, value: &T) -> Result<()> {
        match whole::complex(value) {
            Some(complex) => self.scalar(complex.into()),
            None => value.serialize(self),
        }
    }

    #[inline(always)]
    fn scalar(self, scalar: Scalar<'_>) -> Result<()> {
        if let Layout::Scalar(ScalarLayout::Number(number)) = self.layout
            && scalar.number() == Some(*number)
        {
            return scalar.put_number(self.out);
        }
        self.other(scalar)
    }

    #[inline(never)]
    fn other(self, scalar: Scalar<'_>) -> Result<()> {
        match self.layout {
            Layout::Scalar(leaf) => {
                if let Scalar::Str(_) | Scalar::Raw(_) | Scalar::Char(_) = scalar {
                    // What the first walk refused could still come on the second.
                    scalar.layout(self.marker)?;
                }
                scalar.put(*leaf, self.out)
            }
            _ => Err(self.unexpected(scalar.describe())),
        }
    }

    #[cold]
    fn refuse(self, found: &str) -> Error {
        self.unexpected(found)
    }

    #[cold]
    fn unexpected(&self, found: &str) -> Error {
        let expected: Cow<'static, str> = match self.layout {
            Layout::Scalar(leaf) => leaf.dtype().to_string().into(),
            Layout::Axis { len, .. } => format!("a sequence of {len} elements").into(),
            Layout::Ndarray { .. } => "an ndarray".into(),
            Layout::Record { .. } => "a record".into(),
            _ => "nothing".into(),
        };
        changed(found, expected)
    }

    #[inline(always)]
    fn items(self, tuple: bool) -> Result<Items<'a, 's>> {
        let (parts, left, last) = match self.layout {
            Layout::Axis { len, item, .. } => (Parts::Alike(item), *len, Slots::are_of(item)),
            Layout::Record { fields, tuple: true } if tuple => (Parts::Each(fields.iter()), fields.len() as u64, false),
            _ => return Err(self.unexpected(if tuple { "a tuple" } else { "a sequence" })),
        };
        Ok(Items {
            out: self.out,
            parts,
            marker: self.marker,
            len: left,
            left,
            slots: self.slots,
            packed: self.slots.filter(|_| last),
        })
    }

    #[inline(always)]
    fn fields(self, name: &'static str) -> Result<Fields<'a, 's>> {
        if let Layout::Record { fields, tuple: false } = self.layout {
            return Ok(Fields {
                out: self.out,
                fields,
                rest: fields.iter(),
                marker: self.marker,
                known: None,
            });
        }
        let fits = match name {
            "Duration" => matches!(self.layout, Layout::Scalar(ScalarLayout::Timedelta(_))),
            "SystemTime" => matches!(self.layout, Layout::Scalar(ScalarLayout::Datetime(_))),
            "Array" => matches!(self.layout, Layout::Ndarray { .. }),
            _ => false,
        };
        let Some(known) = KnownStruct::of(name).filter(|_| fits) else {
            return Err(self.unexpected("a struct"));
        };
        Ok(Fields {
            out: self.out,
            fields: &[],
            rest: [].iter(),
            marker: self.marker,
            known: Some(Box::new(Known {
                layout: self.layout,
                slots: self.slots,
                count: 0,
                known,
            })),
        })
    }
}

impl<'a, 's> Serializer for Item<'a, 's> {
    type Ok = ();
    type Error = Error;
    type SerializeSeq = Items<'a, 's>;
    type SerializeTuple = Items<'a, 's>;
    type SerializeTupleStruct = Items<'a, 's>;
    type SerializeTupleVariant = Items<'a, 's>;
    type SerializeMap = Fields<'a, 's>;
    type SerializeStruct = Fields<'a, 's>;
    type SerializeStructVariant = Impossible<(), Error>;

    scalars!();
    refusals!(serialize_newtype_variant serialize_struct_variant);

    fn serialize_bytes(self, v: &[u8]) -> Result<()> {
        self.scalar(Scalar::Raw(v))
    }

    fn serialize_none(self) -> Result<()> {
        match (self.marker, self.layout) {
            (Some(Marker::Nan), Layout::Scalar(leaf @ (ScalarLayout::Nan | ScalarLayout::Number(_)))) => {
                Scalar::nan(*leaf).put_number(self.out)
            }
            (_, Layout::Unit | Layout::None { .. }) => Ok(()),
            _ => Err(self.unexpected("None")),
        }
    }

    #[inline(always)]
    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<()> {
        self.value(value)
    }

    #[inline(always)]
    fn serialize_unit(self) -> Result<()> {
        match self.layout {
            Layout::Unit => Ok(()),
            _ => Err(self.unexpected("()")),
        }
    }

    fn serialize_unit_struct(self, _: &'static str) -> Result<()> {
        self.serialize_unit()
    }

    #[inline(always)]
    fn serialize_newtype_struct<T: Serialize + ?Sized>(self, name: &'static str, value: &T) -> Result<()> {
        if let Some(half) = half(name, value) {
            return self.scalar(half);
        }
        let marker = Marker::of(name).or(self.marker);
        Item { marker, ..self }.value(value)
    }

    #[inline(always)]
    fn serialize_seq(self, _: Option<usize>) -> Result<Items<'a, 's>> {
        self.items(false)
    }

    #[inline(always)]
    fn serialize_tuple(self, _: usize) -> Result<Items<'a, 's>> {
        self.items(true)
    }

    #[inline(always)]
    fn serialize_tuple_struct(self, _: &'static str, _: usize) -> Result<Items<'a, 's>> {
        self.items(true)
    }

    fn serialize_tuple_variant(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: usize,
    ) -> Result<Self::SerializeTupleVariant> {
        self.items(true)
    }

    fn serialize_map(self, _: Option<usize>) -> Result<Fields<'a, 's>> {
        self.fields("")
    }

    #[inline(always)]
    fn serialize_struct(self, name: &'static str, _: usize) -> Result<Fields<'a, 's>> {
        self.fields(name)
    }

    fn collect_seq<I>(self, iter: I) -> Result<()>
    where
        I: IntoIterator,
        I::Item: Serialize,
    {
        if self.marker.is_none()
            && let Layout::Axis { len, item, .. } = self.layout
            && let Some(whole) = whole::whole(&iter)
            && whole.len as u64 == *len
            && (whole.len == 0 || item.is_of(&whole))
        {
            return self.out.put(whole.bytes);
        }
        if self.marker.is_none()
            && let Layout::Axis { len, item, .. } = self.layout
            && let Layout::Scalar(ScalarLayout::Str { width, .. }) = **item
            && let Some(texts) = whole::texts(&iter)
            && texts.len() as u64 == *len
        {
            return put_texts(texts, width, self.out);
        }
        let mut seq = self.serialize_seq(None)?;
        for item in iter {
            seq.serialize_element(&item)?;
        }
        seq.end()
    }

    fn is_human_readable(&self) -> bool {
        true
    }
}

/// What the elements are, one and the same for all or one for each.
enum Parts<'a> {
    Alike(&'a Layout),
    Each(slice::Iter<'a, (Cow<'static, str>, Layout)>),
}

/// The elements along an axis, or those of a tuple that is a record.
pub(crate) struct Items<'a, 's> {
    out: &'a mut Out<'s>,
    parts: Parts<'a>,
    marker: Option<Marker>,
    len: u64,
    left: u64,
    slots: Option<&'a Slots>,
    /// The slots, where these are the elements.
    packed: Option<&'a Slots>,
}

impl Items<'_, '_> {
    #[inline(always)]
    fn push<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<()> {
        let index = self.len - self.left;
        let layout = match &mut self.parts {
            Parts::Alike(layout) => (self.left > 0).then_some(*layout),
            Parts::Each(fields) => fields.next().map(|(_, layout)| layout),
        };
        let Some(layout) = layout else {
            return Err(wrong_length(index + 1, self.len));
        };
        let marker = self.marker;
        let result = match self.packed {
            Some(slots) => slots.put(value, marker, self.out),
            None => Item {
                out: &mut *self.out,
                layout,
                marker,
                slots: self.slots,
            }
            .value(value),
        };
        match result {
            Ok(()) => {
                // What was refused is missing at the end, whatever the value makes of the error.
                self.left -= 1;
                Ok(())
            }
            Err(error) => Err(error.at_index(index)),
        }
    }

    #[inline(always)]
    fn finish(self) -> Result<()> {
        match self.left {
            0 => Ok(()),
            left => Err(wrong_length(self.len - left, self.len)),
        }
    }
}

#[cold]
fn wrong_length(found: u64, expected: u64) -> Error {
    changed(format_args!("{found} elements"), expected)
}

compound!(Items<'_, '_> => (), Error:
    SerializeSeq serialize_element,
    SerializeTuple serialize_element,
    SerializeTupleVariant serialize_field,
    SerializeTupleStruct serialize_field);

/// The fields of a record, or of a struct known by name.
pub(crate) struct Fields<'a, 's> {
    out: &'a mut Out<'s>,
    fields: &'a [(Cow<'static, str>, Layout)],
    rest: slice::Iter<'a, (Cow<'static, str>, Layout)>,
    marker: Option<Marker>,
    /// Apart, so that the rest stays in registers where there is none.
    known: Option<Box<Known<'a>>>,
}

impl Fields<'_, '_> {
    #[inline(always)]
    fn push<T: Serialize + ?Sized>(
        &mut self,
        is_key: impl FnOnce(&str) -> bool,
        key: impl Fn() -> Cow<'static, str>,
        value: &T,
    ) -> Result<()> {
        match self.rest.next() {
            Some((name, layout)) if is_key(name) => Item {
                out: &mut *self.out,
                layout,
                marker: self.marker,
                slots: None,
            }
            .value(value)
            .map_err(|e| e.at_field(name)),
            expected => Err(unexpected_field(&key(), expected, self.fields.len())),
        }
    }

    #[inline(always)]
    fn finish(self) -> Result<()> {
        match self.rest.len() {
            0 => Ok(()),
            missing => Err(missing_fields(missing, self.fields.len())),
        }
    }
}

#[cold]
fn unexpected_field(key: &str, expected: Option<&(Cow<'static, str>, Layout)>, fields: usize) -> Error {
    let found = format_args!("the field `{key}`");
    match expected {
        Some((name, _)) => changed(found, format_args!("`{name}`")),
        None => changed(found, format_args!("{fields} fields")),
    }
}

#[cold]
fn missing_fields(missing: usize, fields: usize) -> Error {
    changed(format_args!("{} fields", fields - missing), fields)
}

/// A struct known by name and fields.
struct Known<'a> {
    layout: &'a Layout,
    slots: Option<&'a Slots>,
    count: usize,
    known: KnownStruct,
}

impl Known<'_> {
    fn push<T: Serialize + ?Sized>(
        &mut self,
        out: &mut Out<'_>,
        marker: Option<Marker>,
        key: &str,
        value: &T,
    ) -> Result<()> {
        self.count += 1;
        match self.layout {
            Layout::Ndarray { shape, item } => match key {
                "data" => {
                    let axis = Layout::Axis {
                        len: shape.iter().product(),
                        item: item.clone(),
                        tuple: false,
                    };
                    Item {
                        out,
                        layout: &axis,
                        marker,
                        slots: self.slots,
                    }
                    .value(value)
                }
                "dim" if capture::dims(value).as_ref() != Some(shape) => {
                    Err(changed("an ndarray of another shape", format_args!("{shape:?}")))
                }
                _ => Ok(()),
            },
            _ => self.known.take(key, value, |_| Ok(Layout::Group)),
        }
    }

    fn finish(self, out: &mut Out<'_>) -> Result<()> {
        match self.layout {
            Layout::Scalar(leaf) => match self.known.finish(self.count)? {
                Some(Finished::Scalar(scalar)) => scalar.put(*leaf, out),
                _ => Err(changed("a struct", leaf.dtype())),
            },
            _ if self.count != 3 => Err(changed("a struct", "an ndarray")),
            _ => Ok(()),
        }
    }
}

impl ser::SerializeStruct for Fields<'_, '_> {
    type Ok = ();
    type Error = Error;

    #[inline(always)]
    fn serialize_field<T: Serialize + ?Sized>(&mut self, key: &'static str, value: &T) -> Result<()> {
        match &mut self.known {
            None => self.push(|name| capture::same_name(name, key), || key.into(), value),
            Some(known) => known.push(&mut *self.out, self.marker, key, value),
        }
    }

    #[inline(always)]
    fn end(self) -> Result<()> {
        match self.known {
            None => self.finish(),
            Some(known) => known.finish(self.out),
        }
    }
}

impl ser::SerializeMap for Fields<'_, '_> {
    type Ok = ();
    type Error = Error;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, _: &T) -> Result<()> {
        Err(changed("a map", "a record"))
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, _: &T) -> Result<()> {
        Err(changed("a map", "a record"))
    }

    fn serialize_entry<K: Serialize + ?Sized, V: Serialize + ?Sized>(&mut self, key: &K, value: &V) -> Result<()> {
        let found = || capture::key(key).map_or("a key that is no text".into(), Cow::Owned);
        self.push(|name| capture::is_key(key, name), found, value)
    }

    fn end(self) -> Result<()> {
        ser::SerializeStruct::end(self)
    }
}
