//! A view in serde: written in one piece; read from the bytes of a file, or from the nested sequences of other formats.

use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;

use serde::de::{self, Deserialize, DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde::ser::{Serialize, Serializer};

use super::element::{self, Fit, Part, file_bytes};
use super::strides::Strided;
use super::{ArrayView, Element, Elements};
use crate::error::{into_custom, into_ser_custom, is_our_error};
use crate::format::cast::AnyNumber;
use crate::format::dtype::MAX_AXES;
use crate::format::header::Header;
use crate::npy::de::raw::{next_data, next_header};
use crate::npy::marker::{ORDERED, RAW, WHOLE_FIELDS};
use crate::npy::raw::{RawArray, RawData};
use crate::options::ReadOptions;

impl<T: Element> Serialize for ArrayView<'_, T> {
    /// Writes an array of its shape, in Fortran order if the view is (and it makes a difference).
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let shape = self.shape().iter().map(|&axis| axis as u64).collect();
        let header = Header::new(T::dtype(), shape, !self.layout.is_c()).map_err(into_ser_custom)?;
        let bytes = file_bytes(self.as_slice());
        let raw = RawArray {
            header,
            data: RawData::Bytes(&bytes),
        };
        serializer.serialize_newtype_struct(RAW, &raw)
    }
}

impl<'de: 'a, 'a, T: Element> Deserialize<'de> for ArrayView<'a, T> {
    /// Borrows if the input lives long enough and its elements are aligned, native-endian and of the same dtype; else copies
    /// and converts.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserialize::<T, Vec<u64>, D>(deserializer)
    }
}

/// An array whose shape is asked for as `S`: `Vec<u64>` for one of any number of axes, `[u64; 1]` for one axis, which may be
/// the only long one of several.
pub(crate) fn deserialize<'de, T: Element, S: Shape<'de>, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<ArrayView<'de, T>, D::Error> {
    read_whole(Whole::<T, S>(PhantomData), ArrayView::gathered, deserializer)
}

pub(crate) trait Shape<'de>: Deserialize<'de> + Into<Vec<u64>> {}

impl<'de, S: Deserialize<'de> + Into<Vec<u64>>> Shape<'de> for S {}

/// Reads an array: by `whole` from our own deserializers, from the nested sequences of any other, or of serde's buffer, by
/// `nested` from the shape and the elements in C order.
pub(crate) fn read_whole<'de, T, W, N, D>(whole: W, nested: N, deserializer: D) -> Result<W::Value, D::Error>
where
    T: Element,
    W: DeserializeSeed<'de>,
    N: FnOnce(Vec<usize>, Vec<T>) -> crate::error::Result<W::Value>,
    D: Deserializer<'de>,
{
    let as_it_lies = AsItLies {
        whole,
        nested,
        element: PhantomData,
    };
    deserializer.deserialize_newtype_struct(RAW, Marked(as_it_lies))
}

struct Marked<V>(V);

impl<'de, V: Visitor<'de>> Visitor<'de> for Marked<V> {
    type Value = V::Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.expecting(f)
    }

    fn visit_newtype_struct<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_any(self.0)
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
        self.0.visit_map(map)
    }
}

fn expecting<T: Element>(f: &mut fmt::Formatter<'_>) -> fmt::Result {
    write!(f, "an array of {}", T::dtype())
}

/// Reads an array of our own deserializers, or nested sequences of any other.
struct AsItLies<W, N, T> {
    whole: W,
    nested: N,
    element: PhantomData<T>,
}

/// Everything but a whole array goes to [`Nested`].
macro_rules! as_nested {
    ($($visit:ident $t:ty;)*) => { $(
        fn $visit<E: de::Error>(self, v: $t) -> Result<Self::Value, E> {
            let mut nested = Nested::new();
            Level::<T> { nested: &mut nested, depth: 0 }.$visit(v)?;
            let (shape, elements) = nested.finish()?;
            (self.nested)(shape, elements).map_err(into_custom)
        }
    )* };
}

impl<'de, T, W, N> Visitor<'de> for AsItLies<W, N, T>
where
    T: Element,
    W: DeserializeSeed<'de>,
    N: FnOnce(Vec<usize>, Vec<T>) -> crate::error::Result<W::Value>,
{
    type Value = W::Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        expecting::<T>(f)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let is_raw = map.next_key_seed(IsRaw)? == Some(true);
        if !is_raw {
            return Err(de::Error::invalid_type(de::Unexpected::Map, &self));
        }
        map.next_value_seed(self.whole)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, seq: A) -> Result<Self::Value, A::Error> {
        let mut nested = Nested::new();
        let level = Level::<T> {
            nested: &mut nested,
            depth: 0,
        };
        level.visit_seq(seq)?;
        let (shape, elements) = nested.finish()?;
        (self.nested)(shape, elements).map_err(into_custom)
    }

    as_nested! {
        visit_bool bool;
        visit_i64 i64;
        visit_u64 u64;
        visit_f64 f64;
    }
}

/// An array of any dtype: its bytes where they are such elements, else the elements converted as the reader's options
/// allow.
struct Whole<T, S>(PhantomData<(T, S)>);

impl<'de, T: Element, S: Shape<'de>> DeserializeSeed<'de> for Whole<T, S> {
    type Value = ArrayView<'de, T>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_struct(ORDERED, WHOLE_FIELDS, self)
    }
}

impl<'de, T: Element, S: Shape<'de>> Visitor<'de> for Whole<T, S> {
    type Value = ArrayView<'de, T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        expecting::<T>(f)
    }

    fn visit_newtype_struct<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_map(self)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let header = next_header::<S, _>(&mut map)?;
        if element::fit::<T>(header.dtype()) == Fit::Other {
            map.next_key::<IgnoredAny>()?;
            return ArrayView::owned(&header, map.next_value()?).map_err(into_custom);
        }
        let data = next_data(&mut map, &header)?;
        // Nothing is left to convert: the bytes are such elements.
        ArrayView::lend_or_copy(&header, data, &ReadOptions::new()).map_err(into_custom)
    }
}

/// Whether a key is the one of the array as it lies.
struct IsRaw;

impl<'de> DeserializeSeed<'de> for IsRaw {
    type Value = bool;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<bool, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl Visitor<'_> for IsRaw {
    type Value = bool;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a key")
    }

    fn visit_str<E: de::Error>(self, key: &str) -> Result<bool, E> {
        Ok(key == RAW)
    }
}

/// An array gathered from nested sequences, as JSON and serde's buffer have it.
struct Nested<T: Element> {
    parts: Vec<T::Part>,
    /// The lengths as far as they are known.
    axes: Vec<Option<usize>>,
    /// How deep the numbers are, once a number or an empty sequence was seen.
    depth: Option<usize>,
}

impl<T: Element> Nested<T> {
    fn new() -> Self {
        Nested {
            parts: Vec::new(),
            axes: Vec::new(),
            depth: None,
        }
    }

    fn push<E: de::Error>(&mut self, part: Option<T::Part>, depth: usize, found: de::Unexpected<'_>) -> Result<(), E> {
        let expected = *self.depth.get_or_insert(depth);
        match part {
            Some(part) if expected == depth => {
                self.parts.push(part);
                Ok(())
            }
            Some(_) => Err(E::invalid_type(found, &"a sequence, as beside it")),
            None => Err(E::invalid_type(found, &&*T::dtype().to_string())),
        }
    }

    /// The shape, and the elements in C order.
    fn finish<E: de::Error>(self) -> Result<(Vec<usize>, Vec<T>), E> {
        let mut axes: Vec<usize> = self.axes.into_iter().map(Option::unwrap_or_default).collect();
        match T::join(self.parts, &mut axes) {
            Some(elements) => Ok((axes, elements)),
            None => Err(E::invalid_type(
                de::Unexpected::Seq,
                &"pairs of a real and an imaginary part",
            )),
        }
    }
}

impl<T: Element> ArrayView<'_, T> {
    fn gathered(shape: Vec<usize>, elements: Vec<T>) -> crate::error::Result<Self> {
        let layout = Strided::new(&shape, false, elements.len())?;
        Ok(ArrayView {
            elements: Elements::Owned {
                part: 0..elements.len(),
                all: Arc::new(elements),
            },
            layout,
        })
    }
}

/// Through serde's buffer numbers of a file come as the widest of their kind: what would have been refused in a direct read
/// is not rounded there. Other formats do not say how wide their numbers are.
fn is_exact<E>() -> bool {
    is_our_error::<E>()
}

/// A value at this depth: so many axes are around it.
struct Level<'n, T: Element> {
    nested: &'n mut Nested<T>,
    depth: usize,
}

impl<'de, T: Element> DeserializeSeed<'de> for Level<'_, T> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de, T: Element> Visitor<'de> for Level<'_, T> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        expecting::<T>(f)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<(), A::Error> {
        let Level { nested, depth } = self;
        if nested.depth.is_some_and(|numbers| numbers <= depth) {
            return Err(de::Error::invalid_type(de::Unexpected::Seq, &"a number, as beside it"));
        }
        if depth == MAX_AXES {
            return Err(de::Error::invalid_length(
                depth + 1,
                &"at most the 64 axes that NumPy allows",
            ));
        }
        if nested.axes.len() == depth {
            nested.axes.push(None);
        }
        let mut len = 0;
        while seq
            .next_element_seed(Level {
                nested: &mut *nested,
                depth: depth + 1,
            })?
            .is_some()
        {
            len += 1;
        }
        if len == 0 {
            nested.depth.get_or_insert(depth + 1);
        }
        match *nested.axes[depth].get_or_insert(len) {
            expected if expected == len => Ok(()),
            expected => Err(de::Error::invalid_length(len, &&*format!("{expected}, as beside it"))),
        }
    }

    fn visit_newtype_struct<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }

    fn visit_bool<E: de::Error>(self, v: bool) -> Result<(), E> {
        self.push(AnyNumber::Bool(v), de::Unexpected::Bool(v))
    }

    fn visit_i64<E: de::Error>(self, v: i64) -> Result<(), E> {
        self.push(AnyNumber::Int(v), de::Unexpected::Signed(v))
    }

    fn visit_u64<E: de::Error>(self, v: u64) -> Result<(), E> {
        self.push(AnyNumber::Uint(v), de::Unexpected::Unsigned(v))
    }

    fn visit_f64<E: de::Error>(self, v: f64) -> Result<(), E> {
        self.push(AnyNumber::F64(v), de::Unexpected::Float(v))
    }
}

impl<T: Element> Level<'_, T> {
    fn push<E: de::Error>(self, number: AnyNumber, found: de::Unexpected<'_>) -> Result<(), E> {
        self.nested
            .push(T::Part::part(number, is_exact::<E>()), self.depth, found)
    }
}
