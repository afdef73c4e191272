//! Nested sequences of Options, seen as nested sequences of their values or of bools.

use serde::Serialize;
use serde::ser::{
    SerializeMap, SerializeSeq, SerializeStruct, SerializeStructVariant, SerializeTuple, SerializeTupleStruct,
    SerializeTupleVariant, Serializer,
};

use super::Fill;
use crate::npy::marker::{HOLE, Marker};
use crate::npy::whole;

/// What is written for each Option.
#[derive(Clone, Copy)]
pub(super) enum See<'a> {
    /// The value, and for None what its type tells, or else nothing but that there is something.
    Layout,
    /// The value, and this for None.
    Values(&'a Fill),
    /// Whether it is Some. What is no Option is.
    Mask,
}

/// A value through which an adapter sees.
pub(super) struct Through<'a, T: ?Sized>(pub(super) &'a T, pub(super) See<'a>);

impl<T: Serialize + ?Sized> Serialize for Through<'_, T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        // Their types tell what these are: they are no sequences of two, and no newtypes.
        let is_whole = whole::complex(self.0).is_some();
        match self.1 {
            See::Mask if is_whole => serializer.serialize_bool(true),
            _ if is_whole => serializer.serialize_newtype_struct("", self.0),
            see => self.0.serialize(OptionSerializer {
                serializer,
                see,
                none: Fill::of_option::<T>,
            }),
        }
    }
}

/// Writes what an Option is seen as.
struct OptionSerializer<'a, S> {
    serializer: S,
    see: See<'a>,
    /// What a None of this type is filled with.
    none: fn() -> Option<Fill>,
}

macro_rules! plain {
    ($($method:ident $t:ty;)*) => { $(
        fn $method(self, v: $t) -> Result<S::Ok, S::Error> {
            match self.see {
                See::Mask => self.serializer.serialize_bool(true),
                _ => self.serializer.$method(v),
            }
        }
    )* };
}

/// The methods of values that are taken as they are: for a mask they count, whatever is in them.
macro_rules! parts {
    ($($method:ident $kind:ident ($($arg:ident: $t:ty),*);)*) => { $(
        fn $method(self, $($arg: $t),*) -> Result<Self::$kind, S::Error> {
            match self.see {
                See::Mask => Ok(Parts::There(self.serializer)),
                _ => self.serializer.$method($($arg),*).map(Parts::Whole),
            }
        }
    )* };
}

impl<'a, S: Serializer> Serializer for OptionSerializer<'a, S> {
    type Ok = S::Ok;
    type Error = S::Error;
    type SerializeSeq = Elements<'a, S::SerializeSeq>;
    type SerializeTuple = Elements<'a, S::SerializeTuple>;
    type SerializeTupleStruct = Elements<'a, S::SerializeTupleStruct>;
    type SerializeTupleVariant = Parts<S, S::SerializeTupleVariant>;
    type SerializeMap = Parts<S, S::SerializeMap>;
    type SerializeStruct = Parts<S, S::SerializeStruct>;
    type SerializeStructVariant = Parts<S, S::SerializeStructVariant>;

    plain! {
        serialize_bool bool;
        serialize_i8 i8;
        serialize_i16 i16;
        serialize_i32 i32;
        serialize_i64 i64;
        serialize_i128 i128;
        serialize_u8 u8;
        serialize_u16 u16;
        serialize_u32 u32;
        serialize_u64 u64;
        serialize_u128 u128;
        serialize_f32 f32;
        serialize_f64 f64;
        serialize_char char;
        serialize_str &str;
        serialize_bytes &[u8];
        serialize_unit_struct &'static str;
    }

    parts! {
        serialize_tuple_variant SerializeTupleVariant (name: &'static str, index: u32, variant: &'static str, len: usize);
        serialize_map SerializeMap (len: Option<usize>);
        serialize_struct SerializeStruct (name: &'static str, len: usize);
        serialize_struct_variant SerializeStructVariant (name: &'static str, index: u32, variant: &'static str, len: usize);
    }

    fn serialize_none(self) -> Result<S::Ok, S::Error> {
        match self.see {
            See::Mask => self.serializer.serialize_bool(false),
            See::Values(fill) => fill.serialize(self.serializer),
            See::Layout => match (self.none)() {
                Some(fill) => fill.serialize(self.serializer),
                None => self.serializer.serialize_newtype_struct(HOLE, &()),
            },
        }
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<S::Ok, S::Error> {
        match self.see {
            See::Mask => self.serializer.serialize_bool(true),
            // Some values are known by their type, which a newtype passes on.
            _ => self.serializer.serialize_newtype_struct("", value),
        }
    }

    fn serialize_unit(self) -> Result<S::Ok, S::Error> {
        match self.see {
            See::Mask => self.serializer.serialize_bool(true),
            _ => self.serializer.serialize_unit(),
        }
    }

    fn serialize_unit_variant(self, name: &'static str, index: u32, variant: &'static str) -> Result<S::Ok, S::Error> {
        match self.see {
            See::Mask => self.serializer.serialize_bool(true),
            _ => self.serializer.serialize_unit_variant(name, index, variant),
        }
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(self, name: &'static str, value: &T) -> Result<S::Ok, S::Error> {
        let is_whole = matches!(name, "f16" | "bf16") || Marker::of(name).is_some();
        match self.see {
            See::Mask if is_whole => self.serializer.serialize_bool(true),
            _ if is_whole => self.serializer.serialize_newtype_struct(name, value),
            see => Through(value, see).serialize(self.serializer),
        }
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        name: &'static str,
        index: u32,
        variant: &'static str,
        value: &T,
    ) -> Result<S::Ok, S::Error> {
        match self.see {
            See::Mask => self.serializer.serialize_bool(true),
            _ => self.serializer.serialize_newtype_variant(name, index, variant, value),
        }
    }

    fn serialize_seq(self, len: Option<usize>) -> Result<Self::SerializeSeq, S::Error> {
        let elements = self.serializer.serialize_seq(len)?;
        Ok(Elements(elements, self.see))
    }

    fn serialize_tuple(self, len: usize) -> Result<Self::SerializeTuple, S::Error> {
        let elements = self.serializer.serialize_tuple(len)?;
        Ok(Elements(elements, self.see))
    }

    fn serialize_tuple_struct(self, name: &'static str, len: usize) -> Result<Self::SerializeTupleStruct, S::Error> {
        let elements = self.serializer.serialize_tuple_struct(name, len)?;
        Ok(Elements(elements, self.see))
    }

    fn is_human_readable(&self) -> bool {
        self.serializer.is_human_readable()
    }
}

/// Elements, each of which is seen through as well.
struct Elements<'a, S>(S, See<'a>);

macro_rules! elements {
    ($($kind:ident $method:ident;)*) => { $(
        impl<S: $kind> $kind for Elements<'_, S> {
            type Ok = S::Ok;
            type Error = S::Error;

            fn $method<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), S::Error> {
                self.0.$method(&Through(value, self.1))
            }

            fn end(self) -> Result<S::Ok, S::Error> {
                self.0.end()
            }
        }
    )* };
}

elements! {
    SerializeSeq serialize_element;
    SerializeTuple serialize_element;
    SerializeTupleStruct serialize_field;
}

/// A value of several parts.
enum Parts<S, P> {
    Whole(P),
    There(S),
}

macro_rules! whole {
    ($($kind:ident $method:ident($($arg:ident: $t:ty),*);)*) => { $(
        impl<S: Serializer, P: $kind<Ok = S::Ok, Error = S::Error>> $kind for Parts<S, P> {
            type Ok = S::Ok;
            type Error = S::Error;

            fn $method<T: Serialize + ?Sized>(&mut self, $($arg: $t,)* value: &T) -> Result<(), S::Error> {
                match self {
                    Parts::Whole(parts) => parts.$method($($arg,)* value),
                    Parts::There(_) => Ok(()),
                }
            }

            fn end(self) -> Result<S::Ok, S::Error> {
                match self {
                    Parts::Whole(parts) => parts.end(),
                    Parts::There(serializer) => serializer.serialize_bool(true),
                }
            }
        }
    )* };
}

whole! {
    SerializeTupleVariant serialize_field();
    SerializeStruct serialize_field(key: &'static str);
    SerializeStructVariant serialize_field(key: &'static str);
}

impl<S: Serializer, P: SerializeMap<Ok = S::Ok, Error = S::Error>> SerializeMap for Parts<S, P> {
    type Ok = S::Ok;
    type Error = S::Error;

    fn serialize_key<K: Serialize + ?Sized>(&mut self, key: &K) -> Result<(), S::Error> {
        match self {
            Parts::Whole(parts) => parts.serialize_key(key),
            Parts::There(_) => Ok(()),
        }
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), S::Error> {
        match self {
            Parts::Whole(parts) => parts.serialize_value(value),
            Parts::There(_) => Ok(()),
        }
    }

    fn serialize_entry<K: Serialize + ?Sized, T: Serialize + ?Sized>(
        &mut self,
        key: &K,
        value: &T,
    ) -> Result<(), S::Error> {
        match self {
            Parts::Whole(parts) => parts.serialize_entry(key, value),
            Parts::There(_) => Ok(()),
        }
    }

    fn end(self) -> Result<S::Ok, S::Error> {
        match self {
            Parts::Whole(parts) => parts.end(),
            Parts::There(serializer) => serializer.serialize_bool(true),
        }
    }
}
