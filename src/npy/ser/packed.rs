//! Elements of one known layout, each put into its place: the layout as a flat list of slots.
//!
//! ```text
//! Point { x, y, tag: (id, ok) }   slots  Struct 3 │ x <f8 │ y <f8 │ tag Tuple 2 │ f0 <u4 │ f1 |b1
//!                                 room   xxxxxxxx yyyyyyyy iiii o
//! ```
//!
//! Every value is compared with its slot before it is put, so that nothing is written that differs from what was
//! measured; a difference is an error, which names what came.

use std::borrow::Cow;
use std::slice;

use serde::Serialize;
use serde::ser::{self, Impossible, Serializer};

use crate::error::{Error, Result};
use crate::npy::layout::capture;
use crate::npy::layout::compound::{compound, refusals};
use crate::npy::layout::known::{Finished, KnownStruct, half, too_deep};
use crate::npy::layout::measure::MAX_LEVELS;
use crate::npy::layout::scalar::{Scalar, ScalarLayout, changed, no_128};
use crate::npy::layout::tree::Layout;
use crate::npy::marker::Marker;
use crate::npy::sink::{MAX_ROOM, Out, Put as _, Room};
use crate::npy::whole;
use crate::npy::whole::Number;

/// Elements of more values are put together one by one: so many slots would take more time to make than they save.
const MAX_SLOTS: usize = 4 * 1024;

/// One value of an element, or the beginning of several.
struct Slot {
    name: Cow<'static, str>,
    /// What nearly every value is: a number as it is.
    number: Option<Number>,
    what: What,
}

#[derive(Clone, Copy)]
enum What {
    Scalar(ScalarLayout),
    Unit,
    /// The next slots, so many, are fields.
    Struct(u32),
    /// The next slots, so many, are items.
    Tuple(u32),
}

/// The layout of one element.
pub(crate) struct Slots {
    slots: Vec<Slot>,
    size: u64,
    /// Elements come without having been measured: what a measuring walk would tell apart is refused.
    strict: bool,
    /// The sequences around the elements.
    level: u8,
}

impl Slots {
    /// For the elements of the array that was measured as `layout`, where they are small and all of one size.
    pub(crate) fn of_elements(layout: &Layout) -> Option<Self> {
        let mut layout = match layout {
            Layout::Axis { item, .. } | Layout::Ndarray { item, .. } => item,
            _ => return None,
        };
        while let Layout::Axis { item, tuple: false, .. } | Layout::Ndarray { item, .. } = &**layout {
            layout = item;
        }
        Slots::new(layout, false, 0)
    }

    /// For elements that are to be as the first one, `layout`, inside so many sequences: a record of numbers and the like,
    /// with which only an equal one makes an array.
    pub(crate) fn of_records(layout: &Layout, level: u8) -> Option<Self> {
        if !matches!(layout, Layout::Record { .. }) {
            return None;
        }
        let slots = Slots::new(layout, true, level)?;
        let steady = slots.slots.iter().all(|slot| {
            !matches!(
                slot.what,
                What::Scalar(ScalarLayout::Str { .. } | ScalarLayout::Bytes(_) | ScalarLayout::Nan)
            )
        });
        steady.then_some(slots)
    }

    fn new(layout: &Layout, strict: bool, level: u8) -> Option<Self> {
        let mut slots = Slots {
            slots: Vec::new(),
            size: layout.size(),
            strict,
            level,
        };
        (slots.size <= MAX_ROOM && slots.add("".into(), layout)).then_some(slots)
    }

    fn add(&mut self, name: Cow<'static, str>, layout: &Layout) -> bool {
        if self.slots.len() >= MAX_SLOTS {
            return false;
        }
        let (number, what) = match layout {
            Layout::Scalar(leaf @ ScalarLayout::Number(number)) => (Some(*number), What::Scalar(*leaf)),
            Layout::Scalar(leaf) => (None, What::Scalar(*leaf)),
            Layout::Unit => (None, What::Unit),
            Layout::Record { fields, tuple } => {
                let len = u32::try_from(fields.len()).unwrap_or(u32::MAX);
                (None, if *tuple { What::Tuple(len) } else { What::Struct(len) })
            }
            Layout::Axis { len, tuple: true, .. } if *len <= MAX_SLOTS as u64 => {
                (None, What::Tuple(u32::try_from(*len).unwrap_or(u32::MAX)))
            }
            _ => return false,
        };
        self.slots.push(Slot { name, number, what });
        match layout {
            Layout::Record { fields, .. } => fields.iter().all(|(name, layout)| self.add(name.clone(), layout)),
            Layout::Axis { len, item, .. } => (0..*len).all(|_| self.add("".into(), item)),
            _ => true,
        }
    }

    /// Whether these are the slots of `item`, which is on the way to the elements.
    #[inline(always)]
    pub(crate) fn are_of(item: &Layout) -> bool {
        !matches!(item, Layout::Axis { tuple: false, .. } | Layout::Ndarray { .. })
    }

    /// The bytes of one element.
    pub(crate) fn element<T: Serialize + ?Sized>(&self, value: &T) -> Result<Vec<u8>> {
        let mut bytes = vec![0; crate::io::source::in_memory(self.size)];
        let mut room = Room::over(&mut bytes);
        self.fill(value, None, &mut room)?;
        if room.is_full() { Ok(bytes) } else { Err(broken()) }
    }

    /// Puts one element behind those before.
    #[inline(always)]
    pub(crate) fn put<T: Serialize + ?Sized>(
        &self,
        value: &T,
        marker: Option<Marker>,
        out: &mut Out<'_>,
    ) -> Result<()> {
        match out.room(self.size, |room| self.fill(value, marker, room)) {
            Some(result) => result,
            None => Err(broken()),
        }
    }

    #[inline(always)]
    fn fill<T: Serialize + ?Sized>(&self, value: &T, marker: Option<Marker>, room: &mut Room<'_>) -> Result<()> {
        let Some((slot, rest)) = self.slots.split_first() else {
            return Ok(());
        };
        let mut walk = Walk {
            room,
            rest: rest.iter(),
            marker,
            none: None,
            level: self.level,
            direct: true,
            in_option: false,
            strict: self.strict,
            broken: false,
        };
        Packed { slot, walk: &mut walk }.value(value)?;
        if walk.broken { Err(broken()) } else { Ok(()) }
    }
}

/// A value that goes on after it was told to stop gets no further than this.
#[cold]
fn broken() -> Error {
    changed("a value", "one")
}

/// What is left of an element, and what is around the value under way.
struct Walk<'a, 'r, 's> {
    room: &'a mut Room<'r>,
    rest: slice::Iter<'s, Slot>,
    marker: Option<Marker>,
    /// What a None that is to be NaN would be, where the type tells.
    none: Option<Number>,
    /// Everything around the value: newtypes could be endless.
    level: u8,
    /// Directly an element, where Some(x) and x are one.
    direct: bool,
    /// Directly inside a Some.
    in_option: bool,
    strict: bool,
    /// Something was refused.
    broken: bool,
}

/// A value and its slot: no more than fits into two registers.
struct Packed<'a, 'w, 'r, 's> {
    slot: &'s Slot,
    walk: &'a mut Walk<'w, 'r, 's>,
}

impl<'a, 'w, 'r, 's> Packed<'a, 'w, 'r, 's> {
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
            return self.walk.room.put(&bytes);
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

    #[inline(always)]
    fn fields(mut self, name: &'static str) -> Result<Fields<'a, 'w, 'r, 's>> {
        let known = KnownStruct::of(name);
        match self.slot.what {
            // These may be more than they show here.
            What::Struct(len) if !(self.walk.in_option || known.is_some() && self.walk.strict) => {
                self.enter()?;
                self.walk.direct = false;
                Ok(Fields {
                    walk: self.walk,
                    left: len,
                    time: None,
                })
            }
            What::Scalar(leaf @ (ScalarLayout::Timedelta(_) | ScalarLayout::Datetime(_)))
                if let Some(known) = known =>
            {
                Ok(Fields {
                    walk: self.walk,
                    left: 0,
                    time: Some(Box::new(Time { leaf, count: 0, known })),
                })
            }
            _ => Err(self.refuse("a struct")),
        }
    }

    #[inline(always)]
    fn items(mut self) -> Result<Items<'a, 'w, 'r, 's>> {
        match self.slot.what {
            What::Tuple(len) if !self.walk.in_option => {
                self.enter()?;
                self.walk.direct = false;
                Ok(Items {
                    walk: self.walk,
                    left: len,
                })
            }
            _ => Err(self.refuse("a tuple")),
        }
    }
}

/// What is no plain number, or not that of the slot.
///
/// Its parts go one by one, in registers: otherwise they would be put together in memory for every number, in case they
/// are needed here.
#[cold]
#[inline(never)]
fn apart<'s>(slot: &Slot, walk: &mut Walk<'_, '_, '_>, scalar: impl FnOnce() -> Scalar<'s>) -> Result<()> {
    put(slot, walk, scalar())
}

fn put(slot: &Slot, walk: &mut Walk<'_, '_, '_>, scalar: Scalar<'_>) -> Result<()> {
    let result = fit(slot, walk, &scalar).and_then(|leaf| scalar.put(leaf, walk.room));
    walk.broken |= result.is_err();
    result
}

/// The layout of a scalar, if its slot is one for it.
fn fit(slot: &Slot, walk: &Walk<'_, '_, '_>, scalar: &Scalar<'_>) -> Result<ScalarLayout> {
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
        (leaf, found) if leaf == found => Ok(leaf),
        _ => Err(unexpected(slot, scalar.describe())),
    }
}

#[cold]
fn unexpected(slot: &Slot, found: &str) -> Error {
    match slot.what {
        What::Scalar(leaf) => changed(found, leaf.dtype()),
        What::Unit => changed(found, "`()`"),
        What::Struct(len) => changed(found, format_args!("a struct of {len} fields")),
        What::Tuple(len) => changed(found, format_args!("a tuple of {len}")),
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

impl<'a, 'w, 'r, 's> Serializer for Packed<'a, 'w, 'r, 's> {
    type Ok = ();
    type Error = Error;
    type SerializeSeq = Impossible<(), Error>;
    type SerializeTuple = Items<'a, 'w, 'r, 's>;
    type SerializeTupleStruct = Items<'a, 'w, 'r, 's>;
    type SerializeTupleVariant = Impossible<(), Error>;
    type SerializeMap = Fields<'a, 'w, 'r, 's>;
    type SerializeStruct = Fields<'a, 'w, 'r, 's>;
    type SerializeStructVariant = Impossible<(), Error>;

    refusals!(serialize_newtype_variant serialize_seq serialize_tuple_variant serialize_struct_variant);

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

    fn serialize_i128(self, _: i128) -> Result<()> {
        self.walk.broken = true;
        Err(no_128("i128"))
    }

    fn serialize_u128(self, _: u128) -> Result<()> {
        self.walk.broken = true;
        Err(no_128("u128"))
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
        let none = self.walk.none.take();
        let nan = match self.slot.what {
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
        match nan {
            Number::F16 => self.walk.room.put(&half::f16::NAN.to_le_bytes()),
            Number::F32 => self.walk.room.put(&f32::NAN.to_le_bytes()),
            _ => self.walk.room.put(&f64::NAN.to_le_bytes()),
        }
    }

    #[inline(always)]
    fn serialize_some<T: Serialize + ?Sized>(mut self, value: &T) -> Result<()> {
        self.walk.none = None;
        if self.walk.in_option || !(self.walk.direct || self.walk.marker == Some(Marker::Nan)) {
            return Err(self.refuse("Some"));
        }
        self.enter()?;
        self.walk.in_option = true;
        let Packed { slot, walk } = self;
        Packed { slot, walk: &mut *walk }.value(value)?;
        walk.in_option = false;
        walk.level -= 1;
        Ok(())
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
        let Packed { slot, walk } = self;
        let outer = walk.marker;
        walk.marker = marker.or(outer);
        Packed { slot, walk: &mut *walk }.value(value)?;
        walk.level -= 1;
        walk.marker = outer;
        Ok(())
    }

    #[inline(always)]
    fn serialize_tuple(self, _: usize) -> Result<Self::SerializeTuple> {
        self.items()
    }

    #[inline(always)]
    fn serialize_tuple_struct(self, _: &'static str, _: usize) -> Result<Self::SerializeTupleStruct> {
        self.items()
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

    fn is_human_readable(&self) -> bool {
        true
    }
}

/// The items of a tuple.
pub(crate) struct Items<'a, 'w, 'r, 's> {
    walk: &'a mut Walk<'w, 'r, 's>,
    left: u32,
}

impl Items<'_, '_, '_, '_> {
    #[inline(always)]
    fn push<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<()> {
        if self.left > 0
            && let Some(slot) = self.walk.rest.next()
        {
            self.left -= 1;
            return Packed {
                slot,
                walk: &mut *self.walk,
            }
            .value(value);
        }
        self.walk.broken = true;
        Err(other_length("more items"))
    }

    #[inline(always)]
    fn finish(self) -> Result<()> {
        if self.left == 0 {
            self.walk.level -= 1;
            return Ok(());
        }
        self.walk.broken = true;
        Err(other_length("fewer items"))
    }
}

#[cold]
fn other_length(found: &str) -> Error {
    changed(found, "as many")
}

compound!(Items<'_, '_, '_, '_> => (), Error:
    SerializeTuple serialize_element,
    SerializeTupleStruct serialize_field);

/// The fields of a struct.
pub(crate) struct Fields<'a, 'w, 'r, 's> {
    walk: &'a mut Walk<'w, 'r, 's>,
    left: u32,
    /// The struct is a time.
    time: Option<Box<Time>>,
}

struct Time {
    leaf: ScalarLayout,
    count: usize,
    known: KnownStruct,
}

impl Fields<'_, '_, '_, '_> {
    #[inline(always)]
    fn push<T: Serialize + ?Sized>(
        &mut self,
        is_key: impl FnOnce(&str) -> bool,
        key: impl Fn() -> Cow<'static, str>,
        value: &T,
    ) -> Result<()> {
        if self.left > 0
            && let Some(slot) = self.walk.rest.next()
            && is_key(&slot.name)
        {
            self.left -= 1;
            return match (Packed {
                slot,
                walk: &mut *self.walk,
            })
            .value(value)
            {
                Ok(()) => Ok(()),
                Err(error) => Err(in_field(error, slot)),
            };
        }
        self.walk.broken = true;
        Err(other_field(&key()))
    }

    #[inline(always)]
    fn finish(self) -> Result<()> {
        if self.left == 0 {
            self.walk.level -= 1;
            return Ok(());
        }
        self.walk.broken = true;
        Err(other_length("fewer fields"))
    }

    /// The end of a time.
    fn scalar(self, time: Time) -> Result<()> {
        let result = match time.known.finish(time.count) {
            Ok(Some(Finished::Scalar(scalar))) => match scalar.layout(None) {
                Ok(leaf) if leaf == time.leaf => scalar.put(leaf, self.walk.room),
                _ => Err(changed(scalar.describe(), time.leaf.dtype())),
            },
            Ok(_) => Err(changed("a struct", time.leaf.dtype())),
            Err(error) => Err(error),
        };
        self.walk.broken |= result.is_err();
        result
    }
}

#[cold]
fn in_field(error: Error, slot: &Slot) -> Error {
    error.at_field(&slot.name)
}

#[cold]
fn other_field(found: &str) -> Error {
    changed(format_args!("the field `{found}`"), "another one")
}

impl ser::SerializeStruct for Fields<'_, '_, '_, '_> {
    type Ok = ();
    type Error = Error;

    #[inline(always)]
    fn serialize_field<T: Serialize + ?Sized>(&mut self, key: &'static str, value: &T) -> Result<()> {
        match &mut self.time {
            None => self.push(|name| capture::same_name(name, key), || key.into(), value),
            Some(time) => {
                time.count += 1;
                time.known.take(key, value, |_| Ok(Layout::Group))
            }
        }
    }

    #[inline(always)]
    fn end(mut self) -> Result<()> {
        match self.time.take() {
            None => self.finish(),
            Some(time) => self.scalar(*time),
        }
    }
}

impl ser::SerializeMap for Fields<'_, '_, '_, '_> {
    type Ok = ();
    type Error = Error;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, _: &T) -> Result<()> {
        self.walk.broken = true;
        Err(changed("a map", "a record"))
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, _: &T) -> Result<()> {
        self.walk.broken = true;
        Err(changed("a map", "a record"))
    }

    fn serialize_entry<K: Serialize + ?Sized, V: Serialize + ?Sized>(&mut self, key: &K, value: &V) -> Result<()> {
        let found = || capture::key(key).map_or("a key that is no text".into(), Cow::Owned);
        self.push(|name| whole::is_str::<K>() && capture::is_key(key, name), found, value)
    }

    fn end(self) -> Result<()> {
        ser::SerializeStruct::end(self)
    }
}
