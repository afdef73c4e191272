//! An array for ndarray's `Deserialize`: its version, its shape, all its elements as one sequence.

use serde::de::value::SeqDeserializer;
use serde::de::{DeserializeSeed, Deserializer, SeqAccess, Visitor};

use crate::error::{Error, Result};
use crate::npy::de::array::{ArrayDeserializer, AxisAccess};

/// The fields of an ndarray.
pub(super) struct NdarrayAccess<'a, 's, 'de> {
    array: Option<ArrayDeserializer<'a, 's, 'de>>,
    part: u8,
    /// As many axes as the target asked for in `dim`.
    axes: usize,
}

impl<'a, 's, 'de> NdarrayAccess<'a, 's, 'de> {
    pub(super) fn new(array: ArrayDeserializer<'a, 's, 'de>) -> Self {
        NdarrayAccess {
            array: Some(array),
            part: 0,
            axes: 0,
        }
    }
}

impl<'de> SeqAccess<'de> for NdarrayAccess<'_, '_, 'de> {
    type Error = Error;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>> {
        self.part += 1;
        let part = match self.part {
            1 => NdarrayPart::Version,
            2 => {
                let Some(array) = &mut self.array else { return Ok(None) };
                NdarrayPart::Dims(Dims {
                    array,
                    axes: &mut self.axes,
                })
            }
            3 => match self.array.take() {
                Some(array) => NdarrayPart::Elements(Flat { array, axes: self.axes }),
                None => return Ok(None),
            },
            _ => return Ok(None),
        };
        seed.deserialize(part).map(Some)
    }
}

/// The parts have one type, so that the fields of every struct are compiled for it once.
enum NdarrayPart<'b, 'a, 's, 'de> {
    Version,
    Dims(Dims<'b, 'a, 's, 'de>),
    Elements(Flat<'a, 's, 'de>),
}

impl<'de> Deserializer<'de> for NdarrayPart<'_, '_, '_, 'de> {
    type Error = Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        match self {
            NdarrayPart::Version => visitor.visit_u8(1),
            NdarrayPart::Dims(dims) => dims.visit(None, visitor),
            NdarrayPart::Elements(elements) => elements.deserialize_any(visitor),
        }
    }

    fn deserialize_tuple<V: Visitor<'de>>(self, len: usize, visitor: V) -> Result<V::Value> {
        match self {
            NdarrayPart::Dims(dims) => dims.visit(Some(len), visitor),
            part => part.deserialize_any(visitor),
        }
    }

    fn deserialize_tuple_struct<V: Visitor<'de>>(self, _: &'static str, len: usize, visitor: V) -> Result<V::Value> {
        self.deserialize_tuple(len, visitor)
    }

    serde::forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option unit unit_struct
        newtype_struct seq map struct enum identifier ignored_any
    }
}

/// The shape, as a tuple of as many axes as asked.
struct Dims<'b, 'a, 's, 'de> {
    array: &'b mut ArrayDeserializer<'a, 's, 'de>,
    axes: &'b mut usize,
}

impl Dims<'_, '_, '_, '_> {
    fn visit<'v, V: Visitor<'v>>(self, asked: Option<usize>, visitor: V) -> Result<V::Value> {
        match asked {
            None => self.array.data.settle_whole(),
            Some(asked) => self.array.settle(asked)?,
        }
        let shape = self.array.shape();
        let len = asked.unwrap_or(shape.len());
        let Some(asked) = shape.get(..len) else {
            return Err(self.array.mismatch(&format!("{len} axes")));
        };
        *self.axes = len;
        visitor.visit_seq(SeqDeserializer::new(asked.iter().copied()))
    }
}

/// All parts along the first `axes` axes as one sequence.
pub(super) struct Flat<'a, 's, 'de> {
    pub(super) array: ArrayDeserializer<'a, 's, 'de>,
    pub(super) axes: usize,
}

impl<'de> Deserializer<'de> for Flat<'_, '_, 'de> {
    type Error = Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        let Flat { array, axes } = self;
        let dims = array.dims();
        let (outer, rest) = dims.split_at(axes);
        let len = outer.iter().product::<u64>();
        // `rest` may be (2,) for a type that wraps a complex number: such parts are not zero-sized.
        array.charge_zero_sized(len, rest)?;
        // From here on, the axes that the target asked for have been entered.
        let array = ArrayDeserializer {
            axis: array.axis + axes,
            ..array
        };
        if array.is_element()
            && let Some(maker) = array.vec_maker::<V>(&[len])
        {
            return maker.collect(len, &mut array.data.native_order());
        }
        if array.is_element() {
            return array.elements(len, visitor);
        }
        let axis = array.axis;
        let mut parts = AxisAccess::new(array, axis, len);
        visitor.visit_seq(&mut parts)
    }

    /// The bytes of all elements in the order in which they come.
    fn deserialize_byte_buf<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        let array = self.array;
        let len = array.count() * array.data.header.dtype().itemsize();
        match array.data.lent(len) {
            Some(lent) => visitor.visit_borrowed_bytes(lent),
            None => visitor.visit_byte_buf(array.data.take_buf(len)?),
        }
    }

    serde::forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes option unit unit_struct
        newtype_struct seq tuple tuple_struct map struct enum identifier ignored_any
    }
}
