//! A value to the bytes of an array, along its layout.
//!
//! Every value is compared with its slot before it is put, so that nothing is written that differs from what was
//! measured; a difference is an error, which names what came.
//!
//! An element that is small and of fixed size goes into a [`Room`] of its own, where putting a number is one comparison
//! and one store; everything else goes to the [`Out`]. The compiler makes both from the one walk here.

mod fields;
mod items;

use serde::Serialize;
use serde::ser::{Impossible, SerializeSeq as _, Serializer};

use self::fields::Fields;
use self::items::Items;
use crate::error::{Error, Result};
use crate::io::source::in_memory;
use crate::npy::layout::compound::refusals;
use crate::npy::layout::known::{half, too_deep};
use crate::npy::layout::measure::MAX_LEVELS;
use crate::npy::layout::scalar::{Scalar, ScalarLayout, changed};
use crate::npy::marker::Marker;
use crate::npy::ser::slots::{Slot, Slots, What};
use crate::npy::sink::{Out, Put, Room};
use crate::npy::whole::{self, Number};

impl Slots {
    /// The bytes of one value.
    pub(crate) fn bytes<T: Serialize + ?Sized>(&self, value: &T) -> Result<Vec<u8>> {
        let mut bytes = vec![0; in_memory(self.size)];
        self.fill(value, None, &mut Room::over(&mut bytes))?;
        Ok(bytes)
    }

    /// Puts a value behind those before.
    #[inline(always)]
    pub(crate) fn put<T: Serialize + ?Sized>(&self, value: &T, out: &mut Out<'_>) -> Result<()> {
        if self.in_room {
            self.put_in_room(value, None, out)
        } else {
            self.fill(value, None, out)
        }
    }

    /// Puts a value that gets a room of its own.
    #[inline(always)]
    pub(crate) fn put_in_room<T: Serialize + ?Sized, P: Put>(
        &self,
        value: &T,
        marker: Option<Marker>,
        out: &mut P,
    ) -> Result<()> {
        match out.room(self.size, |room| self.fill(value, marker, room)) {
            Some(result) => result,
            None => Err(broken()),
        }
    }

    /// Puts the value into `out`, where each element gets a room of its own that may have one.
    #[inline(always)]
    pub(crate) fn fill<T: Serialize + ?Sized, P: Put>(
        &self,
        value: &T,
        marker: Option<Marker>,
        out: &mut P,
    ) -> Result<()> {
        let walk = Walk {
            out,
            marker,
            none: None,
            level: self.level,
            direct: true,
            in_option: false,
            strict: self.strict,
            broken: false,
        };
        walk.run(&self.slot, value)
    }
}

/// A value that goes on after it was told to stop gets no further than this.
#[cold]
fn broken() -> Error {
    changed("a value", "one")
}

/// What is around the value under way.
struct Walk<'w, P> {
    out: &'w mut P,
    marker: Option<Marker>,
    /// What a None that is to be NaN would be, where the type tells.
    none: Option<Number>,
    /// Everything around the value: newtypes could be endless.
    level: u8,
    /// Directly an element of a sequence, where Some(x) and x are one.
    direct: bool,
    /// Directly inside a Some.
    in_option: bool,
    strict: bool,
    /// Something was refused.
    broken: bool,
}

impl<P: Put> Walk<'_, P> {
    #[inline(always)]
    fn run<T: Serialize + ?Sized>(mut self, slot: &Slot, value: &T) -> Result<()> {
        self.value(slot, value)?;
        if self.broken { Err(broken()) } else { Ok(()) }
    }

    #[inline(always)]
    fn value<T: Serialize + ?Sized>(&mut self, slot: &Slot, value: &T) -> Result<()> {
        ArraySerializer { slot, walk: self }.value(value)
    }
}

/// A value and its slot: no more than fits into two registers.
struct ArraySerializer<'a, 'w, 's, P> {
    slot: &'s Slot,
    walk: &'a mut Walk<'w, P>,
}

impl<'a, 'w, 's, P: Put> ArraySerializer<'a, 'w, 's, P> {
    #[inline(always)]
    fn value<T: Serialize + ?Sized>(self, value: &T) -> Result<()> {
        match whole::complex(value) {
            Some(complex) => apart(self.slot, self.walk, move || complex.into()),
            None => {
                if let Some(float) = whole::optional_float::<T>() {
                    self.walk.none = Some(float);
                }
                whole::serialize(value, self)
            }
        }
    }

    /// A number, mostly that of the slot.
    #[inline(always)]
    fn number<const N: usize>(
        self,
        number: Number,
        bytes: [u8; N],
        scalar: impl FnOnce() -> Scalar<'static>,
    ) -> Result<()> {
        if self.slot.number == Some(number) && self.walk.marker.is_none() {
            return self.walk.out.put_at(self.slot.offset, &bytes);
        }
        apart(self.slot, self.walk, scalar)
    }

    /// A text, anything inside a `with` module, or what differs.
    #[inline]
    fn scalar(self, scalar: Scalar<'_>) -> Result<()> {
        put(self.slot, self.walk, scalar)
    }

    /// One level further in, as far as there may be levels.
    #[inline(always)]
    fn enter(&mut self) -> Result<()> {
        if self.walk.level < MAX_LEVELS {
            self.walk.level += 1;
            return Ok(());
        }
        self.walk.broken = true;
        Err(too_deep())
    }

    #[cold]
    fn refuse(self, found: &str) -> Error {
        self.walk.broken = true;
        unexpected(self.slot, found)
    }
}

/// What is no plain number, or not that of the slot.
///
/// Its parts go one by one, in registers: otherwise they would be put together in memory for every number, in case they
/// are needed here.
#[cold]
#[inline(never)]
fn apart<'s, P: Put>(slot: &Slot, walk: &mut Walk<'_, P>, scalar: impl FnOnce() -> Scalar<'s>) -> Result<()> {
    put(slot, walk, scalar())
}

fn put<P: Put>(slot: &Slot, walk: &mut Walk<'_, P>, scalar: Scalar<'_>) -> Result<()> {
    walk.out.go_to(slot.offset);
    let result = fit(slot, walk, &scalar).and_then(|leaf| scalar.put(leaf, walk.out));
    walk.broken |= result.is_err();
    result
}

/// The layout of a scalar, if its slot is one for it.
fn fit<P>(slot: &Slot, walk: &Walk<'_, P>, scalar: &Scalar<'_>) -> Result<ScalarLayout> {
    let What::Scalar(leaf) = slot.what else {
        return Err(unexpected(slot, scalar.describe()));
    };
    if walk.in_option && walk.marker == Some(Marker::Nan) {
        scalar.check_not_nan()?;
    }
    match (leaf, scalar.layout(walk.marker)?) {
        // Longer ones are told where they are put.
        (ScalarLayout::Str { .. }, ScalarLayout::Str { .. }) | (ScalarLayout::Bytes(_), ScalarLayout::Bytes(_)) => {
            Ok(leaf)
        }
        (ScalarLayout::Mixed(_), ScalarLayout::Number(_)) if scalar.real().is_some() => Ok(leaf),
        (leaf, found) if leaf == found => Ok(leaf),
        _ => Err(unexpected(slot, scalar.describe())),
    }
}

#[cold]
fn unexpected(slot: &Slot, found: &str) -> Error {
    match &slot.what {
        What::Scalar(leaf) => changed(found, leaf.dtype()),
        What::Unit => changed(found, "`()`"),
        What::None => changed(found, "None"),
        What::Option(_) => changed(found, "an Option"),
        What::Struct(fields) => changed(found, format_args!("a struct of {} fields", fields.len())),
        What::Tuple(items) => changed(found, format_args!("a tuple of {}", items.len())),
        What::Axis { len, tuple: true, .. } => changed(found, format_args!("a tuple of {len}")),
        What::Axis { len, .. } => changed(found, format_args!("a sequence of {len} elements")),
        What::Ndarray(..) => changed(found, "an ndarray"),
    }
}

/// The numbers of one size, straight into their place.
macro_rules! numbers {
    ($($method:ident $number:ident $t:ty;)*) => {
        $(
            #[inline(always)]
            fn $method(self, v: $t) -> Result<()> {
                self.number(Number::$number, v.to_le_bytes(), move || Scalar::$number(v))
            }
        )*
    };
}

impl<'a, 'w, 's, P: Put> Serializer for ArraySerializer<'a, 'w, 's, P> {
    type Ok = ();
    type Error = Error;
    type SerializeSeq = Items<'a, 'w, 's, P>;
    type SerializeTuple = Items<'a, 'w, 's, P>;
    type SerializeTupleStruct = Items<'a, 'w, 's, P>;
    type SerializeTupleVariant = Items<'a, 'w, 's, P>;
    type SerializeMap = Fields<'a, 'w, 's, P>;
    type SerializeStruct = Fields<'a, 'w, 's, P>;
    type SerializeStructVariant = Impossible<(), Error>;

    refusals!(serialize_newtype_variant serialize_struct_variant);

    numbers! {
        serialize_i8 I8 i8;
        serialize_i16 I16 i16;
        serialize_i32 I32 i32;
        serialize_i64 I64 i64;
        serialize_u8 U8 u8;
        serialize_u16 U16 u16;
        serialize_u32 U32 u32;
        serialize_u64 U64 u64;
        serialize_f32 F32 f32;
        serialize_f64 F64 f64;
    }

    #[inline(always)]
    fn serialize_bool(self, v: bool) -> Result<()> {
        self.number(Number::Bool, [u8::from(v)], move || Scalar::Bool(v))
    }

    fn serialize_i128(self, v: i128) -> Result<()> {
        self.scalar(v.into())
    }

    fn serialize_u128(self, v: u128) -> Result<()> {
        self.scalar(v.into())
    }

    fn serialize_char(self, v: char) -> Result<()> {
        self.scalar(Scalar::Char(v))
    }

    #[inline]
    fn serialize_str(self, v: &str) -> Result<()> {
        self.scalar(Scalar::Str(v))
    }

    fn serialize_bytes(self, v: &[u8]) -> Result<()> {
        self.scalar(Scalar::Raw(v))
    }

    fn serialize_unit_variant(self, _: &'static str, _: u32, variant: &'static str) -> Result<()> {
        self.scalar(Scalar::Str(variant))
    }

    fn serialize_none(self) -> Result<()> {
        if let What::Option(option) = &self.slot.what
            && !self.walk.in_option
            && !option.bare
        {
            option.count_none();
            return self.walk.out.put_at(self.slot.offset, &option.none);
        }
        let none = self.walk.none.take();
        let nan = match self.slot.what {
            What::None if !self.walk.in_option => return Ok(()),
            What::Scalar(ScalarLayout::Nan) => Number::F64,
            What::Scalar(ScalarLayout::Number(number @ (Number::F16 | Number::F32 | Number::F64))) => number,
            _ => return Err(self.refuse("None")),
        };
        if self.walk.marker != Some(Marker::Nan)
            || self.walk.in_option
            || none.is_some_and(|none| none != nan && self.slot.number.is_some())
        {
            return Err(self.refuse("None"));
        }
        self.walk.out.go_to(self.slot.offset);
        match nan {
            Number::F16 => self.walk.out.put(&half::f16::NAN.to_le_bytes()),
            Number::F32 => self.walk.out.put(&f32::NAN.to_le_bytes()),
            _ => self.walk.out.put(&f64::NAN.to_le_bytes()),
        }
    }

    #[inline(always)]
    fn serialize_some<T: Serialize + ?Sized>(mut self, value: &T) -> Result<()> {
        self.walk.none = None;
        let (slot, option) = match &self.slot.what {
            _ if self.walk.in_option => return Err(self.refuse("Some")),
            What::Option(option) => (&option.item, Some(option)),
            What::Scalar(_) if self.walk.direct || self.walk.marker == Some(Marker::Nan) => (self.slot, None),
            _ => return Err(self.refuse("Some")),
        };
        self.enter()?;
        self.walk.in_option = true;
        let walk = self.walk;
        walk.value(slot, value)?;
        walk.in_option = false;
        walk.level -= 1;
        match option {
            Some(option) if !option.bare => walk.out.put_at(option.mask(), &[1]),
            _ => Ok(()),
        }
    }

    fn serialize_unit(self) -> Result<()> {
        match self.slot.what {
            What::Unit if !self.walk.in_option => Ok(()),
            _ => Err(self.refuse("`()`")),
        }
    }

    fn serialize_unit_struct(self, _: &'static str) -> Result<()> {
        self.serialize_unit()
    }

    #[inline(always)]
    fn serialize_newtype_struct<T: Serialize + ?Sized>(mut self, name: &'static str, value: &T) -> Result<()> {
        if let Some(half) = half(name, value) {
            return self.scalar(half);
        }
        let marker = Marker::of(name);
        if let Some(marker) = marker
            && !marker.is_layout()
        {
            return Err(self.refuse(marker.describe()));
        }
        self.enter()?;
        let ArraySerializer { slot, walk } = self;
        let outer = walk.marker;
        walk.marker = marker.or(outer);
        walk.value(slot, value)?;
        walk.level -= 1;
        walk.marker = outer;
        Ok(())
    }

    #[inline(always)]
    fn serialize_seq(self, _: Option<usize>) -> Result<Self::SerializeSeq> {
        self.items(false)
    }

    #[inline(always)]
    fn serialize_tuple(self, _: usize) -> Result<Self::SerializeTuple> {
        self.items(true)
    }

    #[inline(always)]
    fn serialize_tuple_struct(self, _: &'static str, _: usize) -> Result<Self::SerializeTupleStruct> {
        self.items(true)
    }

    fn serialize_tuple_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        _: usize,
    ) -> Result<Self::SerializeTupleVariant> {
        match self.slot.what {
            // The name of the variant is that of a group around this array.
            What::Axis { .. } => self.items(true),
            _ => Err(self.refuse(variant)),
        }
    }

    fn serialize_map(self, len: Option<usize>) -> Result<Self::SerializeMap> {
        // Only what flatten makes of a struct is a record.
        if len.is_some() {
            return Err(self.refuse("a map"));
        }
        self.fields("")
    }

    // The name is a literal: for all but three structs what is special about them is never compiled.
    #[inline(always)]
    fn serialize_struct(self, name: &'static str, _: usize) -> Result<Self::SerializeStruct> {
        self.fields(name)
    }

    fn collect_seq<I>(mut self, iter: I) -> Result<()>
    where
        I: IntoIterator,
        I::Item: Serialize,
    {
        if P::IS_ROOM {
            return Err(self.refuse("a sequence"));
        }
        if let Some(result) = self.put_slice(&iter) {
            self.walk.broken |= result.is_err();
            return result;
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
