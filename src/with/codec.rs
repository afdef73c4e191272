//! Values of one codec in fields, sequences and options: what the modules share whose types need more than a marker.
//!
//! A [`Codec`] belongs to a module, and its types implement [`Encode`] and [`Decode`] for it. Here these pass through
//! vectors, slices, arrays, options, maps and smart pointers, so that `Vec<Vec<SystemTime>>` reaches the serializer as
//! nested sequences of integers inside one marker, and `BTreeMap<String, SystemTime>` as a map of integers.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::hash::{BuildHasher, Hash};
use std::marker::PhantomData;
use std::rc::Rc;
use std::sync::Arc;

use serde::de::{Deserialize, DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde::ser::{Serialize, SerializeTuple, Serializer};

use super::exact::{Exact, is_buffered};
use crate::error::is_our_error;
use crate::npy::marker::LIST;

/// What one module of [`with`](crate::with) does: the type that [`Encode`] and [`Decode`] name a module by.
///
/// ```
/// use serde_npz::with::bytes::Fixed;
/// use serde_npz::with::{Decode, Encode};
///
/// /// Any field that `with::bytes` takes.
/// fn same<T: Encode<Fixed> + for<'de> Decode<'de, Fixed>>(value: T) -> T {
///     value
/// }
///
/// assert_eq!(same(vec![*b"AB", *b"CD"]), [*b"AB", *b"CD"]);
/// ```
pub trait Codec: Copy {
    /// Whether values in a sequence are a list of members: where each of them is an array.
    #[doc(hidden)]
    const LIST: bool = false;

    /// The newtype name around the value of a field, by which this crate's serializers know what to do.
    #[doc(hidden)]
    fn marker(self) -> Option<&'static str> {
        None
    }
}

/// A type that the module of the codec `C` writes.
///
/// References, slices, vectors, arrays, options, maps and smart pointers of it follow. A type of your own that holds one hands it on:
///
/// ```
/// use serde::{Deserializer, Serialize, Serializer};
/// use serde_npz::with::bytes::Fixed;
/// use serde_npz::with::{Decode, Encode};
///
/// struct Ticker([u8; 4]);
///
/// impl Encode<Fixed> for Ticker {
///     fn encode<S: Serializer>(&self, codec: Fixed, serializer: S) -> Result<S::Ok, S::Error> {
///         self.0.encode(codec, serializer)
///     }
/// }
///
/// impl<'de> Decode<'de, Fixed> for Ticker {
///     fn decode<D: Deserializer<'de>>(codec: Fixed, deserializer: D) -> Result<Self, D::Error> {
///         Decode::decode(codec, deserializer).map(Ticker)
///     }
/// }
///
/// #[derive(Serialize)]
/// struct Day {
///     #[serde(serialize_with = "serde_npz::with::bytes::serialize")]
///     tickers: Vec<Ticker>,
/// }
///
/// let bytes = serde_npz::to_npz_vec(&Day { tickers: vec![Ticker(*b"ABCD")] })?;
/// let mut archive = serde_npz::NpzReader::new(std::io::Cursor::new(bytes))?;
/// assert_eq!(archive.header("tickers")?.dtype().to_string(), "|S4");
/// # Ok::<(), serde_npz::Error>(())
/// ```
pub trait Encode<C: Codec> {
    /// Writes the value. Where the codec has a marker, the value is inside it already.
    ///
    /// # Errors
    ///
    /// Those of the serializer, and whatever the codec refuses.
    fn encode<S: Serializer>(&self, codec: C, serializer: S) -> Result<S::Ok, S::Error>;

    /// Writes many at once, for types that have a faster way; `fixed` for an array, whose length is part of its type.
    #[doc(hidden)]
    fn encode_slice<S: Serializer>(slice: &[Self], fixed: bool, codec: C, serializer: S) -> Result<S::Ok, S::Error>
    where
        Self: Sized,
    {
        sequence(slice, fixed, codec, serializer)
    }

    /// Whether `None` of this type is a value, as NaT is, and not a field that is missing.
    #[doc(hidden)]
    const NONE_IS_VALUE: bool = false;

    #[doc(hidden)]
    fn encode_option<S: Serializer>(value: Option<&Self>, codec: C, serializer: S) -> Result<S::Ok, S::Error>
    where
        Self: Sized,
    {
        match value {
            Some(value) => serializer.serialize_some(&Inside(value, codec)),
            None => serializer.serialize_none(),
        }
    }

    /// Writes the value of a field: inside the marker, if there is one and something to mark.
    #[doc(hidden)]
    fn encode_field<S: Serializer>(&self, codec: C, serializer: S) -> Result<S::Ok, S::Error> {
        match codec.marker() {
            Some(marker) => serializer.serialize_newtype_struct(marker, &Inside(self, codec)),
            None => self.encode(codec, serializer),
        }
    }
}

/// A type that the module of the codec `C` reads: see [`Encode`].
pub trait Decode<'de, C: Codec>: Sized {
    /// Reads a value that [`Encode::encode`] wrote.
    ///
    /// # Errors
    ///
    /// Those of the deserializer, and whatever does not fit the type.
    fn decode<D: Deserializer<'de>>(codec: C, deserializer: D) -> Result<Self, D::Error>;

    /// Reads many at once, for types that have a faster way.
    #[doc(hidden)]
    fn decode_vec<D: Deserializer<'de>>(codec: C, deserializer: D) -> Result<Vec<Self>, D::Error> {
        deserializer.deserialize_seq(Elements::new(codec, None))
    }

    #[doc(hidden)]
    const NONE_IS_VALUE: bool = false;

    #[doc(hidden)]
    fn decode_option<D: Deserializer<'de>>(codec: C, deserializer: D) -> Result<Option<Self>, D::Error> {
        deserializer.deserialize_option(Optional(Value::new(codec)))
    }

    /// Reads the value of a field.
    #[doc(hidden)]
    fn decode_field<D: Deserializer<'de>>(codec: C, deserializer: D) -> Result<Self, D::Error> {
        match codec.marker() {
            Some(marker) => read_marked(marker, Value::new(codec), deserializer),
            None => Self::decode(codec, deserializer),
        }
    }
}

/// Reads a value inside a marker.
pub(super) fn read_marked<'de, V: DeserializeSeed<'de>, D: Deserializer<'de>>(
    marker: &'static str,
    value: V,
    deserializer: D,
) -> Result<V::Value, D::Error> {
    struct Marked<V>(&'static str, V);

    impl<'de, V: DeserializeSeed<'de>> Visitor<'de> for Marked<V> {
        type Value = V::Value;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            write!(f, "a value marked {}", self.0)
        }

        fn visit_newtype_struct<D: Deserializer<'de>>(self, deserializer: D) -> Result<V::Value, D::Error> {
            self.1.deserialize(deserializer)
        }
    }

    deserializer.deserialize_newtype_struct(marker, Marked(marker, value))
}

/// Reads a value of floats inside a marker by its own `Deserialize`. Out of serde's buffer every number comes as exactly as
/// from the file; `nan` where NaN is the None of an Option.
pub(super) fn unmark_floats<'de, T: Deserialize<'de>, D: Deserializer<'de>>(
    marker: &'static str,
    nan: bool,
    deserializer: D,
) -> Result<T, D::Error> {
    struct Floats<T> {
        nan: bool,
        value: PhantomData<T>,
    }

    impl<'de, T: Deserialize<'de>> DeserializeSeed<'de> for Floats<T> {
        type Value = T;

        fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<T, D::Error> {
            if is_buffered::<D>() {
                return T::deserialize(Exact {
                    inner: deserializer,
                    nan: self.nan,
                });
            }
            T::deserialize(deserializer)
        }
    }

    let floats = Floats {
        nan,
        value: PhantomData,
    };
    read_marked(marker, floats, deserializer)
}

/// Reads a value inside a marker by its own `Deserialize`.
pub(super) fn unmark<'de, T: Deserialize<'de>, D: Deserializer<'de>>(
    marker: &'static str,
    deserializer: D,
) -> Result<T, D::Error> {
    read_marked(marker, PhantomData, deserializer)
}

/// Writes values one by one.
pub(super) fn sequence<C: Codec, T: Encode<C>, S: Serializer>(
    slice: &[T],
    fixed: bool,
    codec: C,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    let sequence = Sequence { slice, fixed, codec };
    if C::LIST && is_our_error::<S::Error>() {
        serializer.serialize_newtype_struct(LIST, &sequence)
    } else {
        sequence.serialize(serializer)
    }
}

struct Sequence<'a, T, C> {
    slice: &'a [T],
    fixed: bool,
    codec: C,
}

impl<C: Codec, T: Encode<C>> Serialize for Sequence<'_, T, C> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let values = self.slice.iter().map(|value| Inside(value, self.codec));
        if !self.fixed {
            return serializer.collect_seq(values);
        }
        let mut tuple = serializer.serialize_tuple(values.len())?;
        for value in values {
            tuple.serialize_element(&value)?;
        }
        tuple.end()
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

impl<C: Codec, T: Encode<C> + ToOwned + ?Sized> Encode<C> for Cow<'_, T> {
    fn encode<S: Serializer>(&self, codec: C, serializer: S) -> Result<S::Ok, S::Error> {
        T::encode(self, codec, serializer)
    }
}

impl<C: Codec, T: Encode<C>> Encode<C> for [T] {
    fn encode<S: Serializer>(&self, codec: C, serializer: S) -> Result<S::Ok, S::Error> {
        T::encode_slice(self, false, codec, serializer)
    }
}

impl<C: Codec, T: Encode<C>> Encode<C> for Vec<T> {
    fn encode<S: Serializer>(&self, codec: C, serializer: S) -> Result<S::Ok, S::Error> {
        T::encode_slice(self, false, codec, serializer)
    }
}

impl<'de, C: Codec, T: Decode<'de, C>> Decode<'de, C> for Vec<T> {
    fn decode<D: Deserializer<'de>>(codec: C, deserializer: D) -> Result<Self, D::Error> {
        T::decode_vec(codec, deserializer)
    }
}

impl<C: Codec, T: Encode<C>> Encode<C> for Box<[T]> {
    fn encode<S: Serializer>(&self, codec: C, serializer: S) -> Result<S::Ok, S::Error> {
        T::encode_slice(self, false, codec, serializer)
    }
}

impl<'de, C: Codec, T: Decode<'de, C>> Decode<'de, C> for Box<[T]> {
    fn decode<D: Deserializer<'de>>(codec: C, deserializer: D) -> Result<Self, D::Error> {
        T::decode_vec(codec, deserializer).map(Vec::into_boxed_slice)
    }
}

/// Smart pointers are what is inside of them.
macro_rules! pointers {
    ($($pointer:ident)*) => { $(
        impl<C: Codec, T: Encode<C>> Encode<C> for $pointer<T> {
            fn encode<S: Serializer>(&self, codec: C, serializer: S) -> Result<S::Ok, S::Error> {
                T::encode(self, codec, serializer)
            }

            fn encode_field<S: Serializer>(&self, codec: C, serializer: S) -> Result<S::Ok, S::Error> {
                T::encode_field(self, codec, serializer)
            }
        }

        impl<'de, C: Codec, T: Decode<'de, C>> Decode<'de, C> for $pointer<T> {
            fn decode<D: Deserializer<'de>>(codec: C, deserializer: D) -> Result<Self, D::Error> {
                T::decode(codec, deserializer).map($pointer::new)
            }

            fn decode_field<D: Deserializer<'de>>(codec: C, deserializer: D) -> Result<Self, D::Error> {
                T::decode_field(codec, deserializer).map($pointer::new)
            }
        }
    )* };
}

pointers!(Box Rc Arc);

/// Maps have the keys that serde gives them without a module.
macro_rules! maps {
    ($($map:ty, [$($hasher:ident)?] K: $bound:ident $(+ $more:ident)?;)*) => { $(
        impl<C: Codec, K: Serialize, T: Encode<C> $(, $hasher)?> Encode<C> for $map {
            fn encode<S: Serializer>(&self, codec: C, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_map(self.iter().map(|(key, value)| (key, Inside(value, codec))))
            }
        }

        impl<'de, C, K, T $(, $hasher)?> Decode<'de, C> for $map
        where
            C: Codec,
            K: Deserialize<'de> + $bound $(+ $more)?,
            T: Decode<'de, C>,
            $($hasher: BuildHasher + Default,)?
        {
            fn decode<D: Deserializer<'de>>(codec: C, deserializer: D) -> Result<Self, D::Error> {
                deserializer.deserialize_map(Entries(Value::<C, T>::new(codec), PhantomData))
            }
        }
    )* };
}

maps! {
    BTreeMap<K, T>, [] K: Ord;
    HashMap<K, T, H>, [H] K: Eq + Hash;
}

impl<C: Codec, T: Encode<C>, const N: usize> Encode<C> for [T; N] {
    fn encode<S: Serializer>(&self, codec: C, serializer: S) -> Result<S::Ok, S::Error> {
        T::encode_slice(self, true, codec, serializer)
    }
}

impl<'de, C: Codec, T: Decode<'de, C>, const N: usize> Decode<'de, C> for [T; N] {
    fn decode<D: Deserializer<'de>>(codec: C, deserializer: D) -> Result<Self, D::Error> {
        let elements = deserializer.deserialize_tuple(N, Elements::<C, T>::new(codec, Some(N)))?;
        elements.try_into().map_err(|elements: Vec<T>| {
            D::Error::invalid_length(elements.len(), &Elements::<C, T>::new(codec, Some(N)))
        })
    }
}

/// An `Option` around anything but a value that can be missing is a field that may be missing: it stands outside the
/// marker.
impl<C: Codec, T: Encode<C>> Encode<C> for Option<T> {
    fn encode<S: Serializer>(&self, codec: C, serializer: S) -> Result<S::Ok, S::Error> {
        T::encode_option(self.as_ref(), codec, serializer)
    }

    fn encode_field<S: Serializer>(&self, codec: C, serializer: S) -> Result<S::Ok, S::Error> {
        match (self, codec.marker()) {
            (_, Some(marker)) if T::NONE_IS_VALUE => serializer.serialize_newtype_struct(marker, &Inside(self, codec)),
            (Some(value), _) => serializer.serialize_some(&Field(value, codec)),
            (None, _) => serializer.serialize_none(),
        }
    }
}

impl<'de, C: Codec, T: Decode<'de, C>> Decode<'de, C> for Option<T> {
    fn decode<D: Deserializer<'de>>(codec: C, deserializer: D) -> Result<Self, D::Error> {
        T::decode_option(codec, deserializer)
    }

    fn decode_field<D: Deserializer<'de>>(codec: C, deserializer: D) -> Result<Self, D::Error> {
        match codec.marker() {
            Some(marker) if T::NONE_IS_VALUE => read_marked(marker, Value::new(codec), deserializer),
            _ => deserializer.deserialize_option(Optional(FieldValue(Value::new(codec)))),
        }
    }
}

/// A value seen through its codec, inside the marker.
struct Inside<'a, T: ?Sized, C>(&'a T, C);

impl<C: Codec, T: Encode<C> + ?Sized> Serialize for Inside<'_, T, C> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.encode(self.1, serializer)
    }
}

/// A value seen through its codec, with its marker.
struct Field<'a, T, C>(&'a T, C);

impl<C: Codec, T: Encode<C>> Serialize for Field<'_, T, C> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.encode_field(self.1, serializer)
    }
}

/// Reads a value inside the marker.
struct Value<C, T> {
    codec: C,
    value: PhantomData<T>,
}

impl<C, T> Value<C, T> {
    fn new(codec: C) -> Self {
        Value {
            codec,
            value: PhantomData,
        }
    }
}

impl<'de, C: Codec, T: Decode<'de, C>> DeserializeSeed<'de> for Value<C, T> {
    type Value = T;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<T, D::Error> {
        T::decode(self.codec, deserializer)
    }
}

/// Reads a value with its marker.
struct FieldValue<C, T>(Value<C, T>);

impl<'de, C: Codec, T: Decode<'de, C>> DeserializeSeed<'de> for FieldValue<C, T> {
    type Value = T;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<T, D::Error> {
        T::decode_field(self.0.codec, deserializer)
    }
}

/// Reads the entries of a map `M` from `K` to `T`.
struct Entries<C, K, T, M>(Value<C, T>, PhantomData<(K, M)>);

impl<'de, C, K, T, M> Visitor<'de> for Entries<C, K, T, M>
where
    C: Codec,
    K: Deserialize<'de>,
    T: Decode<'de, C>,
    M: Default + Extend<(K, T)>,
{
    type Value = M;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a map")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<M, A::Error> {
        let mut entries = M::default();
        while let Some(key) = map.next_key()? {
            entries.extend([(key, map.next_value_seed(Value::new(self.0.codec))?)]);
        }
        Ok(entries)
    }
}

/// Reads a value that may be missing.
struct Optional<V>(V);

impl<'de, V: DeserializeSeed<'de>> Visitor<'de> for Optional<V> {
    type Value = Option<V::Value>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an optional value")
    }

    fn visit_none<E: Error>(self) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_unit<E: Error>(self) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        self.0.deserialize(deserializer).map(Some)
    }
}

struct Elements<C, T> {
    codec: C,
    len: Option<usize>,
    value: PhantomData<T>,
}

impl<C, T> Elements<C, T> {
    fn new(codec: C, len: Option<usize>) -> Self {
        Elements {
            codec,
            len,
            value: PhantomData,
        }
    }
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
        // The hint is a claim of the file: no more than a few pages are taken before the elements have come.
        let mut elements = Vec::with_capacity(seq.size_hint().unwrap_or(0).min(1024));
        // A tuple asks for its own length and no more; the deserializer checks whether elements are left.
        while self.len != Some(elements.len()) {
            match seq.next_element_seed(Value::new(self.codec))? {
                Some(element) => elements.push(element),
                None => break,
            }
        }
        Ok(elements)
    }
}
