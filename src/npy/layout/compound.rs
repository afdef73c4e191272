//! What the `Serializer`s of this crate have in common: serde's four kinds of sequences, which differ in name alone, and
//! the methods with which a serializer refuses what it has no use for.

/// Implements serde's traits of sequences for a type by its own `push` and `finish`.
///
/// ```text
/// compound!(Items<'_> => (), Error: SerializeSeq serialize_element, SerializeTuple serialize_element);
/// compound!([R: Rows] Rows<'_, R> => (), Error: SerializeSeq serialize_element);
/// ```
macro_rules! compound {
    ([$($generics:tt)*] $type:ty => $ok:ty, $error:ty: $($kind:ident $method:ident),* $(,)?) => {
        $crate::npy::layout::compound::compound!(@ [$($generics)*] [$type] [$ok] [$error] $($kind $method)*);
    };
    ($type:ty => $ok:ty, $error:ty: $($kind:ident $method:ident),* $(,)?) => {
        $crate::npy::layout::compound::compound!([] $type => $ok, $error: $($kind $method),*);
    };
    (@ $generics:tt $type:tt $ok:tt $error:tt $($kind:ident $method:ident)*) => {
        $($crate::npy::layout::compound::compound!(@one $generics $type $ok $error $kind $method);)*
    };
    (@one [$($generics:tt)*] [$type:ty] [$ok:ty] [$error:ty] $kind:ident $method:ident) => {
        impl<$($generics)*> serde::ser::$kind for $type {
            type Ok = $ok;
            type Error = $error;

            #[inline(always)]
            fn $method<T: serde::Serialize + ?Sized>(&mut self, value: &T) -> std::result::Result<(), $error> {
                self.push(value)
            }

            #[inline(always)]
            fn end(self) -> std::result::Result<$ok, $error> {
                self.finish()
            }
        }
    };
}
pub(crate) use compound;

/// Implements serde's two traits of named fields for a type by its own `field` and `finish`.
macro_rules! named_fields {
    ([$($generics:tt)*] $type:ty => $ok:ty) => {
        $crate::npy::layout::compound::named_fields!(@ SerializeStruct [$($generics)*] [$type] [$ok]);
        $crate::npy::layout::compound::named_fields!(@ SerializeStructVariant [$($generics)*] [$type] [$ok]);
    };
    (@ $kind:ident [$($generics:tt)*] [$type:ty] [$ok:ty]) => {
        impl<$($generics)*> serde::ser::$kind for $type {
            type Ok = $ok;
            type Error = $crate::error::Error;

            fn serialize_field<T: serde::Serialize + ?Sized>(
                &mut self,
                key: &'static str,
                value: &T,
            ) -> $crate::error::Result<()> {
                self.field(key, value)
            }

            fn end(self) -> $crate::error::Result<$ok> {
                self.finish()
            }
        }
    };
}
pub(crate) use named_fields;

/// Implements the listed methods of `Serializer` by the serializer's own `refuse(self, found: &str)`, which makes the error.
///
/// ```text
/// refusals!(serialize_unit serialize_seq serialize_struct);
/// ```
macro_rules! refusals {
    ($($method:ident)*) => {
        $($crate::npy::layout::compound::refusals!(@ $method);)*
    };
    (@ serialize_f32) => {
        $crate::npy::layout::compound::refusals!(@@ serialize_f32 Ok "an f32", _: f32);
    };
    (@ serialize_f64) => {
        $crate::npy::layout::compound::refusals!(@@ serialize_f64 Ok "an f64", _: f64);
    };
    (@ serialize_bytes) => {
        $crate::npy::layout::compound::refusals!(@@ serialize_bytes Ok "bytes", _: &[u8]);
    };
    (@ serialize_none) => {
        $crate::npy::layout::compound::refusals!(@@ serialize_none Ok "None",);
    };
    (@ serialize_some) => {
        fn serialize_some<T: serde::Serialize + ?Sized>(self, _: &T) -> std::result::Result<Self::Ok, Self::Error> {
            Err(self.refuse("Some"))
        }
    };
    (@ serialize_unit) => {
        $crate::npy::layout::compound::refusals!(@@ serialize_unit Ok "`()`",);
    };
    (@ serialize_unit_struct) => {
        $crate::npy::layout::compound::refusals!(@@ serialize_unit_struct Ok name, name: &'static str);
    };
    (@ serialize_newtype_struct) => {
        fn serialize_newtype_struct<T: serde::Serialize + ?Sized>(
            self,
            name: &'static str,
            _: &T,
        ) -> std::result::Result<Self::Ok, Self::Error> {
            Err(self.refuse(name))
        }
    };
    (@ serialize_newtype_variant) => {
        fn serialize_newtype_variant<T: serde::Serialize + ?Sized>(
            self,
            _: &'static str,
            _: u32,
            variant: &'static str,
            _: &T,
        ) -> std::result::Result<Self::Ok, Self::Error> {
            Err(self.refuse(variant))
        }
    };
    (@ serialize_seq) => {
        $crate::npy::layout::compound::refusals!(@@ serialize_seq SerializeSeq "a sequence", _: Option<usize>);
    };
    (@ serialize_tuple) => {
        $crate::npy::layout::compound::refusals!(@@ serialize_tuple SerializeTuple "a tuple", _: usize);
    };
    (@ serialize_tuple_struct) => {
        $crate::npy::layout::compound::refusals!(@@ serialize_tuple_struct SerializeTupleStruct name, name: &'static str, _: usize);
    };
    (@ serialize_tuple_variant) => {
        $crate::npy::layout::compound::refusals!(@@ serialize_tuple_variant SerializeTupleVariant variant,
            _: &'static str, _: u32, variant: &'static str, _: usize);
    };
    (@ serialize_map) => {
        $crate::npy::layout::compound::refusals!(@@ serialize_map SerializeMap "a map", _: Option<usize>);
    };
    (@ serialize_struct) => {
        $crate::npy::layout::compound::refusals!(@@ serialize_struct SerializeStruct name, name: &'static str, _: usize);
    };
    (@ serialize_struct_variant) => {
        $crate::npy::layout::compound::refusals!(@@ serialize_struct_variant SerializeStructVariant variant,
            _: &'static str, _: u32, variant: &'static str, _: usize);
    };
    (@@ $method:ident $ok:ident $found:expr, $($argument:tt: $t:ty),*) => {
        fn $method(self, $($argument: $t),*) -> std::result::Result<Self::$ok, Self::Error> {
            Err(self.refuse($found))
        }
    };
}
pub(crate) use refusals;
