//! One value at some depth of the nested sequences of a stream, and the elements of one of those sequences.

use serde::Serialize;
use serde::ser::{Impossible, SerializeSeq, Serializer};

use super::{MAX_NEWTYPES, Stream};
use crate::error::{Error, Result};
use crate::npy::layout::compound::refusals;
use crate::npy::layout::measure::half;
use crate::npy::layout::scalar::{Scalar, miscounted, scalars};
use crate::npy::layout::tree::ragged;
use crate::npy::marker::Marker;
use crate::npy::whole;

/// A value at some depth of nested sequences.
pub(crate) struct StreamItem<'a, 's> {
    stream: &'a mut Stream<'s>,
    depth: usize,
    /// The type of the value is a number's own.
    plain: bool,
}

impl<'a, 's> StreamItem<'a, 's> {
    #[inline(always)]
    pub(crate) fn new(stream: &'a mut Stream<'s>, depth: usize) -> Self {
        StreamItem {
            stream,
            depth,
            plain: false,
        }
    }

    #[inline(always)]
    pub(crate) fn value<T: Serialize + ?Sized>(mut self, value: &T) -> Result<()> {
        self.plain = whole::is_number::<T>();
        match whole::complex(value) {
            Some(complex) => {
                self.plain = true;
                self.scalar(complex.into())
            }
            None => value.serialize(self),
        }
    }

    #[inline(always)]
    fn scalar(self, scalar: Scalar<'_>) -> Result<()> {
        let Some(number) = scalar.number() else {
            return Err(self.stream.other(scalar.describe()));
        };
        if self.stream.number != Some(number) || self.depth != self.stream.shape.len() {
            self.stream.number(number, scalar.describe(), self.depth, self.plain)?;
        }
        scalar.put_number(&mut self.stream.out)
    }

    #[cold]
    fn refuse(self, found: &str) -> Error {
        self.stream.other(found)
    }

    /// Something with parts, which may be a record.
    #[cold]
    fn parts(self, found: &str) -> Error {
        self.stream.stopped_by_parts = Some(self.depth);
        self.stream.other(found)
    }
}

impl<'a, 's> Serializer for StreamItem<'a, 's> {
    type Ok = ();
    type Error = Error;
    type SerializeSeq = StreamSeq<'a, 's>;
    type SerializeTuple = Impossible<(), Error>;
    type SerializeTupleStruct = Impossible<(), Error>;
    type SerializeTupleVariant = Impossible<(), Error>;
    type SerializeMap = Impossible<(), Error>;
    type SerializeStruct = Impossible<(), Error>;
    type SerializeStructVariant = Impossible<(), Error>;

    scalars!();
    refusals!(
        serialize_none serialize_some serialize_unit serialize_unit_struct serialize_newtype_variant
        serialize_tuple_variant serialize_struct_variant
    );

    fn serialize_bytes(self, v: &[u8]) -> Result<()> {
        if self.depth > 0 || self.stream.begun() {
            return Err(self.stream.other("bytes"));
        }
        self.stream.bytes(v)
    }

    #[inline(always)]
    fn serialize_newtype_struct<T: Serialize + ?Sized>(self, name: &'static str, value: &T) -> Result<()> {
        if let Some(raw) = whole::raw(value)
            && self.depth == 0
            && !self.stream.begun()
        {
            return self.stream.raw(raw);
        }
        if let Some(marker) = Marker::of(name) {
            return Err(self.stream.other(marker.describe()));
        }
        if name == "bf16" {
            return Err(self.stream.other(name));
        }
        if let Some(half) = half(name, value) {
            return self.scalar(half);
        }
        if self.stream.newtypes >= MAX_NEWTYPES {
            return Err(self.stream.other(name));
        }
        self.stream.newtypes += 1;
        let stream = self.stream;
        let result = StreamItem::new(stream, self.depth).value(value);
        stream.newtypes -= 1;
        result
    }

    fn serialize_seq(self, len: Option<usize>) -> Result<Self::SerializeSeq> {
        let len = self.stream.axis(self.depth, len)?;
        Ok(StreamSeq {
            stream: self.stream,
            depth: self.depth,
            len,
            count: 0,
        })
    }

    fn serialize_tuple(self, _: usize) -> Result<Self::SerializeTuple> {
        Err(self.parts("a tuple"))
    }

    fn serialize_tuple_struct(self, name: &'static str, _: usize) -> Result<Self::SerializeTupleStruct> {
        Err(self.parts(name))
    }

    fn serialize_map(self, _: Option<usize>) -> Result<Self::SerializeMap> {
        Err(self.parts("a map"))
    }

    fn serialize_struct(self, name: &'static str, _: usize) -> Result<Self::SerializeStruct> {
        Err(self.parts(name))
    }

    fn collect_seq<I>(self, iter: I) -> Result<()>
    where
        I: IntoIterator,
        I::Item: Serialize,
    {
        if let Some(whole) = whole::whole(&iter) {
            return self.stream.whole(&whole, self.depth);
        }
        let mut iter = iter.into_iter();
        let len = match iter.size_hint() {
            (low, Some(high)) if low == high => Some(low),
            _ => None,
        };
        let StreamItem { stream, depth, .. } = self;
        let mut taken = 0;
        let streamed = stream.elements(depth, len, &mut iter, &mut taken);
        if streamed.is_err() {
            let count = len.map_or_else(|| taken + iter.count() as u64, |len| len as u64);
            stream.given_up.push((depth, count));
        }
        streamed
    }

    fn is_human_readable(&self) -> bool {
        true
    }
}

pub(crate) struct StreamSeq<'a, 's> {
    stream: &'a mut Stream<'s>,
    depth: usize,
    /// As announced.
    len: Option<u64>,
    count: u64,
}

impl SerializeSeq for StreamSeq<'_, '_> {
    type Ok = ();
    type Error = Error;

    #[inline(always)]
    fn serialize_element<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<()> {
        let index = self.count;
        self.count += 1;
        // One more than the header has room for would end up in the next row.
        if self
            .stream
            .shape
            .get(self.depth)
            .is_some_and(|&expected| self.count > expected)
        {
            return Err(self.wrong_length());
        }
        let depth = self.depth + 1;
        let stream = &mut *self.stream;
        if let Some(slots) = &stream.slots
            && depth == stream.shape.len()
        {
            return match slots.put_in_room(value, None, &mut stream.out) {
                Ok(()) => Ok(()),
                Err(error) => {
                    stream.refused = true;
                    Err(error.at_index(index))
                }
            };
        }
        let item = StreamItem::new(stream, depth);
        match item.value(value) {
            Ok(()) => Ok(()),
            Err(_) if stream.may_begin_records(index, depth) && stream.measure_and_begin(value)? => Ok(()),
            Err(error) => Err(error.at_index(index)),
        }
    }

    fn end(self) -> Result<()> {
        if self
            .stream
            .shape
            .get(self.depth)
            .is_some_and(|&expected| self.count != expected)
        {
            return Err(self.wrong_length());
        }
        Ok(())
    }
}

impl<'a, 's> StreamSeq<'a, 's> {
    /// Goes on with the outermost sequence, of which `count` elements have come.
    #[inline(always)]
    pub(crate) fn at(stream: &'a mut Stream<'s>, len: Option<u64>, count: u64) -> Self {
        StreamSeq {
            stream,
            depth: 0,
            len,
            count,
        }
    }

    pub(crate) fn count(&self) -> u64 {
        self.count
    }

    #[cold]
    fn wrong_length(&self) -> Error {
        let expected = self.stream.shape.get(self.depth).copied().unwrap_or_default();
        match self.len {
            Some(len) => miscounted(self.count, len),
            None => ragged(self.count, expected),
        }
    }
}
