//! The types that the module takes: public for its signatures, but not to be named from outside.

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;

use serde::de::{Deserialize, Deserializer, Error, Visitor};
use serde::ser::{Serialize, Serializer};

use crate::error::into_custom;
use crate::view::{ArrayView, Element};

/// An array that can be written.
pub trait Encode {
    fn encode<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error>;
}

/// An array that can be read.
pub trait Decode<'de>: Sized {
    fn decode<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error>;
}

impl<T: Element> Encode for ArrayView<'_, T> {
    fn encode<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.serialize(serializer)
    }
}

impl<T: Element> Encode for [T] {
    fn encode<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        ArrayView::row_of(self).serialize(serializer)
    }
}

impl<T: Element> Encode for &[T] {
    fn encode<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        (**self).encode(serializer)
    }
}

impl<T: Element> Encode for Cow<'_, [T]> {
    fn encode<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        (**self).encode(serializer)
    }
}

impl<V: Encode> Encode for Option<V> {
    fn encode<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        struct Present<'a, V>(&'a V);

        impl<V: Encode> Serialize for Present<'_, V> {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                self.0.encode(serializer)
            }
        }

        match self {
            Some(value) => serializer.serialize_some(&Present(value)),
            None => serializer.serialize_none(),
        }
    }
}

impl<'de, T: Element> Decode<'de> for ArrayView<'de, T> {
    fn decode<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        ArrayView::deserialize(deserializer)
    }
}

impl<'de, T: Element> Decode<'de> for Cow<'de, [T]> {
    fn decode<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let view = ArrayView::deserialize(deserializer)?;
        view.into_row().map_err(into_custom)
    }
}

impl<'de, T: Element> Decode<'de> for &'de [T] {
    fn decode<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match Cow::decode(deserializer)? {
            Cow::Borrowed(lent) => Ok(lent),
            Cow::Owned(_) => Err(D::Error::custom(
                "found an array that has to be copied or converted, expected one that can be lent: a field of \
                 `Cow<[T]>` or `ArrayView<T>` takes both",
            )),
        }
    }
}

impl<'de, V: Decode<'de>> Decode<'de> for Option<V> {
    fn decode<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Optional<V>(PhantomData<V>);

        impl<'de, V: Decode<'de>> Visitor<'de> for Optional<V> {
            type Value = Option<V>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an optional array")
            }

            fn visit_none<E: Error>(self) -> Result<Option<V>, E> {
                Ok(None)
            }

            fn visit_unit<E: Error>(self) -> Result<Option<V>, E> {
                Ok(None)
            }

            fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Option<V>, D::Error> {
                V::decode(deserializer).map(Some)
            }
        }

        deserializer.deserialize_option(Optional(PhantomData))
    }
}
