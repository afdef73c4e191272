//! A value to one array: the second walk, checked against the first.

use std::borrow::Cow;

use serde::Serialize;
use serde::ser::{self, Impossible, SerializeSeq as _, Serializer};

use crate::bulk;
use crate::error::{Error, ErrorKind, Result};
use crate::header::Header;
use crate::marker::Marker;
use crate::npy::capture;
use crate::npy::measure::{Finished, Special, half, measure};
use crate::npy::node::Node;
use crate::npy::scalar::{Leaf, Scalar, changed, scalars};
use crate::npy::stream::{Stream, StreamItem};
use crate::sink::{Out, Sink};

/// Writes `value` as the one array it is; an error where it would be more than one.
pub(crate) fn write_array<T: Serialize + ?Sized>(value: &T, sink: &mut dyn Sink) -> Result<()> {
    let mut stream = Stream::new(Out::new(sink));
    let streamed = match bulk::complex(value) {
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
    if !stream.measure || stream.begun() {
        streamed?;
        return stream.out.flush();
    }
    drop(stream);
    match measure(value)? {
        Node::Fault(fault) => Err(fault.into_error()),
        Node::Group => Err(Error::new(
            ErrorKind::UnsupportedType,
            "found a value of several arrays, expected one array: use `to_npz_vec`, `to_npz_writer` or `save_npz`",
        )),
        node => write_node(value, &node, None, sink),
    }
}

/// Writes `value`, measured as `node`, as an array.
pub(crate) fn write_node<T: Serialize + ?Sized>(
    value: &T,
    node: &Node,
    marker: Option<Marker>,
    sink: &mut dyn Sink,
) -> Result<()> {
    let header = node.header()?;
    let mut out = Out::new(sink);
    out.begin(&header)?;
    Item {
        out: &mut out,
        node,
        marker,
    }
    .value(value)?;
    out.flush()
}

/// Writes the marker of None and `()`, 0-d `|V0`, or of an empty group, of shape (0,).
pub(crate) fn write_marker(shape: Vec<u64>, sink: &mut dyn Sink) -> Result<()> {
    sink.begin(&Header::new(crate::dtype::Dtype::void(0), shape, false)?)
}

/// A value whose layout is known.
pub(crate) struct Item<'a, 's> {
    pub(crate) out: &'a mut Out<'s>,
    pub(crate) node: &'a Node,
    pub(crate) marker: Option<Marker>,
}

impl<'a, 's> Item<'a, 's> {
    pub(crate) fn value<T: Serialize + ?Sized>(self, value: &T) -> Result<()> {
        match bulk::complex(value) {
            Some(complex) => self.scalar(complex.into()),
            None => value.serialize(self),
        }
    }

    #[inline]
    fn scalar(self, scalar: Scalar<'_>) -> Result<()> {
        match self.node {
            Node::Leaf(leaf) => {
                if let Scalar::Str(_) | Scalar::Raw(_) | Scalar::Char(_) = scalar {
                    // What the first walk refused could still come on the second.
                    scalar.leaf(self.marker)?;
                }
                scalar.put(*leaf, self.out)
            }
            _ => Err(self.unexpected(scalar.describe())),
        }
    }

    #[cold]
    fn unexpected(&self, found: &str) -> Error {
        let expected: Cow<'static, str> = match self.node {
            Node::Leaf(leaf) => leaf.dtype().to_string().into(),
            Node::Axis { len, .. } => format!("a sequence of {len} elements").into(),
            Node::Ndarray { .. } => "an ndarray".into(),
            Node::Record { .. } => "a record".into(),
            _ => "nothing".into(),
        };
        changed(found, expected)
    }

    fn items(self, tuple: bool) -> Result<Items<'a, 's>> {
        match self.node {
            Node::Axis { .. } => Ok(Items {
                out: self.out,
                node: self.node,
                marker: self.marker,
                count: 0,
            }),
            Node::Record { tuple: true, .. } if tuple => Ok(Items {
                out: self.out,
                node: self.node,
                marker: self.marker,
                count: 0,
            }),
            _ => Err(self.unexpected(if tuple { "a tuple" } else { "a sequence" })),
        }
    }

    fn fields(self, name: &'static str) -> Result<Fields<'a, 's>> {
        let known = matches!(self.node, Node::Record { tuple: false, .. } | Node::Ndarray { .. })
            || matches!(
                (self.node, name),
                (Node::Leaf(Leaf::Timedelta(_)), "Duration") | (Node::Leaf(Leaf::Datetime(_)), "SystemTime")
            );
        if !known {
            return Err(self.unexpected("a struct"));
        }
        Ok(Fields {
            out: self.out,
            node: self.node,
            marker: self.marker,
            name,
            count: 0,
            special: Special::default(),
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

    fn serialize_bytes(self, v: &[u8]) -> Result<()> {
        self.scalar(Scalar::Raw(v))
    }

    fn serialize_none(self) -> Result<()> {
        match (self.marker, self.node) {
            (Some(Marker::Nan), Node::Leaf(Leaf::Nan)) => {
                Scalar::F64(f64::NAN).put(Leaf::Number(bulk::Number::F64), self.out)
            }
            (Some(Marker::Nan), Node::Leaf(Leaf::Number(number))) => {
                let nan = match number {
                    bulk::Number::F16 => Scalar::F16(half::f16::NAN.to_bits()),
                    bulk::Number::F32 => Scalar::F32(f32::NAN),
                    _ => Scalar::F64(f64::NAN),
                };
                nan.put(Leaf::Number(*number), self.out)
            }
            (_, Node::Unit | Node::None { .. }) => Ok(()),
            _ => Err(self.unexpected("None")),
        }
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<()> {
        self.value(value)
    }

    fn serialize_unit(self) -> Result<()> {
        match self.node {
            Node::Unit => Ok(()),
            _ => Err(self.unexpected("()")),
        }
    }

    fn serialize_unit_struct(self, _: &'static str) -> Result<()> {
        self.serialize_unit()
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(self, name: &'static str, value: &T) -> Result<()> {
        if let Some(half) = half(name, value) {
            return self.scalar(half);
        }
        let marker = Marker::of(name).or(self.marker);
        Item { marker, ..self }.value(value)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        name: &'static str,
        _: u32,
        _: &'static str,
        _: &T,
    ) -> Result<()> {
        Err(self.unexpected(name))
    }

    fn serialize_seq(self, _: Option<usize>) -> Result<Items<'a, 's>> {
        self.items(false)
    }

    fn serialize_tuple(self, _: usize) -> Result<Items<'a, 's>> {
        self.items(true)
    }

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

    fn serialize_struct(self, name: &'static str, _: usize) -> Result<Fields<'a, 's>> {
        self.fields(name)
    }

    fn serialize_struct_variant(
        self,
        name: &'static str,
        _: u32,
        _: &'static str,
        _: usize,
    ) -> Result<Self::SerializeStructVariant> {
        Err(self.unexpected(name))
    }

    fn collect_seq<I>(self, iter: I) -> Result<()>
    where
        I: IntoIterator,
        I::Item: Serialize,
    {
        if self.marker.is_none()
            && let Node::Axis { len, item, .. } = self.node
            && let Some(whole) = bulk::whole(&iter)
            && whole.len as u64 == *len
            && (whole.len == 0 || matches!(**item, Node::Leaf(Leaf::Number(number)) if number == whole.number))
        {
            return self.out.put(whole.bytes);
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

/// The elements along an axis, or those of a tuple that is a record.
pub(crate) struct Items<'a, 's> {
    out: &'a mut Out<'s>,
    node: &'a Node,
    marker: Option<Marker>,
    count: u64,
}

impl Items<'_, '_> {
    fn push<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<()> {
        let index = self.count;
        self.count += 1;
        let node = match self.node {
            Node::Axis { len, item, .. } if index < *len => item,
            Node::Record { fields, .. } => match fields.get(index as usize) {
                Some((_, node)) => node,
                None => return Err(self.wrong_length()),
            },
            _ => return Err(self.wrong_length()),
        };
        Item {
            out: self.out,
            node,
            marker: self.marker,
        }
        .value(value)
        .map_err(|e| e.at_index(index))
    }

    fn finish(self) -> Result<()> {
        if self.count == self.expected() {
            Ok(())
        } else {
            Err(self.wrong_length())
        }
    }

    fn expected(&self) -> u64 {
        match self.node {
            Node::Axis { len, .. } => *len,
            Node::Record { fields, .. } => fields.len() as u64,
            _ => 0,
        }
    }

    #[cold]
    fn wrong_length(&self) -> Error {
        changed(
            format_args!("{} elements", self.count),
            format_args!("{}", self.expected()),
        )
    }
}

impl ser::SerializeSeq for Items<'_, '_> {
    type Ok = ();
    type Error = Error;

    fn serialize_element<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<()> {
        self.push(value)
    }

    fn end(self) -> Result<()> {
        self.finish()
    }
}

impl ser::SerializeTuple for Items<'_, '_> {
    type Ok = ();
    type Error = Error;

    fn serialize_element<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<()> {
        self.push(value)
    }

    fn end(self) -> Result<()> {
        self.finish()
    }
}

impl ser::SerializeTupleVariant for Items<'_, '_> {
    type Ok = ();
    type Error = Error;

    fn serialize_field<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<()> {
        self.push(value)
    }

    fn end(self) -> Result<()> {
        self.finish()
    }
}

impl ser::SerializeTupleStruct for Items<'_, '_> {
    type Ok = ();
    type Error = Error;

    fn serialize_field<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<()> {
        self.push(value)
    }

    fn end(self) -> Result<()> {
        self.finish()
    }
}

/// The fields of a record, or of a struct known by name.
pub(crate) struct Fields<'a, 's> {
    out: &'a mut Out<'s>,
    node: &'a Node,
    marker: Option<Marker>,
    name: &'static str,
    count: usize,
    special: Special,
}

impl Fields<'_, '_> {
    fn push<T: Serialize + ?Sized>(&mut self, key: &str, value: &T) -> Result<()> {
        let index = self.count;
        self.count += 1;
        match self.node {
            Node::Record { fields, .. } => match fields.get(index) {
                Some((name, node)) if name == key => {
                    let item = Item {
                        out: self.out,
                        node,
                        marker: self.marker,
                    };
                    item.value(value).map_err(|e| e.at_field(key))
                }
                Some((name, _)) => Err(changed(format_args!("the field `{key}`"), format_args!("`{name}`"))),
                None => Err(changed(
                    format_args!("the field `{key}`"),
                    format_args!("{} fields", fields.len()),
                )),
            },
            Node::Ndarray { shape, item } => match key {
                "data" => {
                    let axis = Node::Axis {
                        len: shape.iter().product(),
                        item: item.clone(),
                        tuple: false,
                    };
                    Item {
                        out: self.out,
                        node: &axis,
                        marker: self.marker,
                    }
                    .value(value)
                }
                "dim" if capture::dims(value).as_ref() != Some(shape) => {
                    Err(changed("an ndarray of another shape", format_args!("{shape:?}")))
                }
                _ => Ok(()),
            },
            _ => self.special.take(self.name, key, value, |_| Ok(Node::Group)),
        }
    }

    fn finish(self) -> Result<()> {
        match self.node {
            Node::Record { fields, .. } if self.count != fields.len() => Err(changed(
                format_args!("{} fields", self.count),
                format_args!("{}", fields.len()),
            )),
            Node::Ndarray { .. } if self.count != 3 => Err(changed("a struct", "an ndarray")),
            Node::Leaf(leaf) => match self.special.finish(self.name, self.count)? {
                Some(Finished::Scalar(scalar)) => scalar.put(*leaf, self.out),
                _ => Err(changed("a struct", leaf.dtype())),
            },
            _ => Ok(()),
        }
    }
}

impl ser::SerializeStruct for Fields<'_, '_> {
    type Ok = ();
    type Error = Error;

    fn serialize_field<T: Serialize + ?Sized>(&mut self, key: &'static str, value: &T) -> Result<()> {
        self.push(key, value)
    }

    fn end(self) -> Result<()> {
        self.finish()
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
        let key = capture::key(key)?;
        self.push(&key, value)
    }

    fn end(self) -> Result<()> {
        self.finish()
    }
}
