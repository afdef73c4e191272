//! Values of one codec in sequences of any depth: what `bytes`, `datetime64` and `timedelta64` share.
//!
//! A [`Codec`] says how one value is written; here it passes through vectors, slices and arrays, so that
//! `Vec<Vec<SystemTime>>` reaches the serializer as plain nested sequences of integers inside one marker.
//! The traits are public for the signatures of the modules, but cannot be named from outside.

use std::fmt;
use std::marker::PhantomData;

use serde::de::{DeserializeSeed, Deserializer, Error, SeqAccess, Visitor};
use serde::ser::{Serialize, SerializeTuple, Serializer};

/// How single values are written and read, and under which marker.
pub trait Codec: Copy {
    fn marker(self) -> &'static str;
}

/// A value, or values in sequences, that this codec writes.
pub trait Encode<C: Codec> {
    fn encode<S: Serializer>(&self, codec: C, serializer: S) -> Result<S::Ok, S::Error>;

    /// Many at once, for elements that have a faster way.
    fn encode_slice<S: Serializer>(slice: &[Self], codec: C, serializer: S) -> Result<S::Ok, S::Error>
    where
        Self: Sized,
    {
        serializer.collect_seq(slice.iter().map(|value| As(value, codec)))
    }

    /// As the value of a field: inside the marker, unless there is nothing to mark.
    fn encode_field<S: Serializer>(&self, codec: C, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_newtype_struct(codec.marker(), &As(self, codec))
    }
}

/// A value, or values in sequences, that this codec reads.
pub trait Decode<'de, C: Codec>: Sized {
    fn decode<D: Deserializer<'de>>(codec: C, deserializer: D) -> Result<Self, D::Error>;

    /// Many at once, for elements that have a faster way.
    fn decode_vec<D: Deserializer<'de>>(codec: C, deserializer: D) -> Result<Vec<Self>, D::Error> {
        deserializer.deserialize_seq(Elements {
            codec,
            len: None,
            value: PhantomData,
        })
    }

    /// As the value of a field.
    fn decode_field<D: Deserializer<'de>>(codec: C, deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_newtype_struct(
            codec.marker(),
            Field {
                codec,
                value: PhantomData,
            },
        )
    }
}

impl<C: Codec, T: Encode<C> + ?Sized> Encode<C> for &T {
    fn encode<S: Serializer>(&self, codec: C, serializer: S) -> Result<S::Ok, S::Error> {
        T::encode(self, codec, serializer)
    }

    fn encode_field<S: Serializer>(&self, codec: C, serializer: S) -> Result<S::Ok, S::Error> {
        T::encode_field(self, codec, serializer)
    }
}

impl<C: Codec, T: Encode<C>> Encode<C> for [T] {
    fn encode<S: Serializer>(&self, codec: C, serializer: S) -> Result<S::Ok, S::Error> {
        T::encode_slice(self, codec, serializer)
    }
}

impl<C: Codec, T: Encode<C>> Encode<C> for Vec<T> {
    fn encode<S: Serializer>(&self, codec: C, serializer: S) -> Result<S::Ok, S::Error> {
        T::encode_slice(self, codec, serializer)
    }
}

impl<'de, C: Codec, T: Decode<'de, C>> Decode<'de, C> for Vec<T> {
    fn decode<D: Deserializer<'de>>(codec: C, deserializer: D) -> Result<Self, D::Error> {
        T::decode_vec(codec, deserializer)
    }
}

impl<C: Codec, T: Encode<C>> Encode<C> for Box<[T]> {
    fn encode<S: Serializer>(&self, codec: C, serializer: S) -> Result<S::Ok, S::Error> {
        T::encode_slice(self, codec, serializer)
    }
}

impl<'de, C: Codec, T: Decode<'de, C>> Decode<'de, C> for Box<[T]> {
    fn decode<D: Deserializer<'de>>(codec: C, deserializer: D) -> Result<Self, D::Error> {
        T::decode_vec(codec, deserializer).map(Vec::into_boxed_slice)
    }
}

impl<C: Codec, T: Encode<C>, const N: usize> Encode<C> for [T; N] {
    fn encode<S: Serializer>(&self, codec: C, serializer: S) -> Result<S::Ok, S::Error> {
        let mut tuple = serializer.serialize_tuple(N)?;
        for value in self {
            tuple.serialize_element(&As(value, codec))?;
        }
        tuple.end()
    }
}

impl<'de, C: Codec, T: Decode<'de, C>, const N: usize> Decode<'de, C> for [T; N] {
    fn decode<D: Deserializer<'de>>(codec: C, deserializer: D) -> Result<Self, D::Error> {
        let elements = deserializer.deserialize_tuple(
            N,
            Elements {
                codec,
                len: Some(N),
                value: PhantomData,
            },
        )?;
        elements.try_into().map_err(|elements: Vec<T>| {
            D::Error::invalid_length(
                elements.len(),
                &Elements::<C, T> {
                    codec,
                    len: Some(N),
                    value: PhantomData,
                },
            )
        })
    }
}

/// An `Option` around a sequence: a missing field, not a missing value, so it stands outside the marker.
macro_rules! optional {
    ($([$($generics:tt)*] $sequence:ty,)*) => { $(
        impl<C: Codec, $($generics)*> Encode<C> for Option<$sequence>
        where
            $sequence: Encode<C>,
        {
            fn encode<S: Serializer>(&self, codec: C, serializer: S) -> Result<S::Ok, S::Error> {
                match self {
                    Some(sequence) => serializer.serialize_some(&As(sequence, codec)),
                    None => serializer.serialize_none(),
                }
            }

            fn encode_field<S: Serializer>(&self, codec: C, serializer: S) -> Result<S::Ok, S::Error> {
                match self {
                    Some(sequence) => serializer.serialize_some(&Marked(sequence, codec)),
                    None => serializer.serialize_none(),
                }
            }
        }

        impl<'de, C: Codec, $($generics)*> Decode<'de, C> for Option<$sequence>
        where
            $sequence: Decode<'de, C>,
        {
            fn decode<D: Deserializer<'de>>(codec: C, deserializer: D) -> Result<Self, D::Error> {
                deserializer.deserialize_option(Optional { codec, marked: false, value: PhantomData })
            }

            fn decode_field<D: Deserializer<'de>>(codec: C, deserializer: D) -> Result<Self, D::Error> {
                deserializer.deserialize_option(Optional { codec, marked: true, value: PhantomData })
            }
        }
    )* };
}

optional! {
    [T] Vec<T>,
    [T] Box<[T]>,
    [T, const N: usize] [T; N],
    [] String,
}

/// A value seen through its codec.
struct As<'a, T: ?Sized, C>(&'a T, C);

impl<C: Codec, T: Encode<C> + ?Sized> Serialize for As<'_, T, C> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.encode(self.1, serializer)
    }
}

struct Marked<'a, T: ?Sized, C>(&'a T, C);

impl<C: Codec, T: Encode<C> + ?Sized> Serialize for Marked<'_, T, C> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.encode_field(self.1, serializer)
    }
}

struct Field<C, T> {
    codec: C,
    value: PhantomData<T>,
}

impl<'de, C: Codec, T: Decode<'de, C>> Visitor<'de> for Field<C, T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a value marked {}", self.codec.marker())
    }

    fn visit_newtype_struct<D: Deserializer<'de>>(self, deserializer: D) -> Result<T, D::Error> {
        T::decode(self.codec, deserializer)
    }
}

struct Optional<C, T> {
    codec: C,
    marked: bool,
    value: PhantomData<T>,
}

impl<'de, C: Codec, T: Decode<'de, C>> Visitor<'de> for Optional<C, T> {
    type Value = Option<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an optional value")
    }

    fn visit_none<E: Error>(self) -> Result<Option<T>, E> {
        Ok(None)
    }

    fn visit_unit<E: Error>(self) -> Result<Option<T>, E> {
        Ok(None)
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Option<T>, D::Error> {
        if self.marked {
            T::decode_field(self.codec, deserializer)
        } else {
            T::decode(self.codec, deserializer)
        }
        .map(Some)
    }
}

struct Elements<C, T> {
    codec: C,
    len: Option<usize>,
    value: PhantomData<T>,
}

impl<'de, C: Codec, T: Decode<'de, C>> Visitor<'de> for Elements<C, T> {
    type Value = Vec<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.len {
            Some(len) => write!(f, "a sequence of {len} elements"),
            None => f.write_str("a sequence"),
        }
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Vec<T>, A::Error> {
        // The hint is a claim of the file: believed for a page or so, then the elements have to come.
        let mut elements = Vec::with_capacity(seq.size_hint().unwrap_or(0).min(1024));
        // A tuple asks for its length only: the one who hands it out checks for more.
        while self.len != Some(elements.len()) {
            match seq.next_element_seed(Element {
                codec: self.codec,
                value: PhantomData,
            })? {
                Some(element) => elements.push(element),
                None => break,
            }
        }
        Ok(elements)
    }
}

struct Element<C, T> {
    codec: C,
    value: PhantomData<T>,
}

impl<'de, C: Codec, T: Decode<'de, C>> DeserializeSeed<'de> for Element<C, T> {
    type Value = T;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<T, D::Error> {
        T::decode(self.codec, deserializer)
    }
}
