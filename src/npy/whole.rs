//! Whole slices: type identity and the only casts.
//!
//! serde hands a `Vec<f64>` to a serializer as `collect_seq::<&Vec<f64>>`. Equal type ids mean equal types (lifetimes
//! aside), so casting a reference to one into a reference to the other is an identity. Only the types listed here are
//! ever compared: no type of a user is touched.

mod elements;
mod fill;
mod numbers;
mod rows;
mod texts;
mod vectors;

use std::any::{TypeId, type_name};
use std::borrow::Cow;
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use num_complex::Complex;
use serde::Serialize;
use serde::ser::Serializer;

pub(crate) use self::elements::{ElementSource, visit_elements};
pub(crate) use self::fill::{Fill, collect_bytes, swap, zeroed};
use self::numbers::{ISIZE, USIZE, bytes_of};
pub(crate) use self::texts::{decode, from_code_points, narrow_ascii};
pub(crate) use self::vectors::{Plain, VecMaker, collects_scalars, makes, vec_maker};
pub(crate) use crate::format::dtype::Number;
use crate::format::dtype::{Dtype, Kind, Wide, for_each_number};
use crate::npy::raw::RawArray;

/// A slice of plain numbers as its bytes lie in the file, which is as they lie in memory on a little-endian machine.
pub(crate) struct Whole<'a> {
    pub(crate) number: Number,
    pub(crate) len: usize,
    /// Each element is an array of so many numbers.
    pub(crate) row: Option<usize>,
    pub(crate) bytes: &'a [u8],
}

/// The slice behind what `collect_seq` was given, if it is one of plain numbers.
pub(crate) fn whole<I>(iter: &I) -> Option<Whole<'_>> {
    // SAFETY: this is the identity of the type of `iter`, whose borrow the result keeps.
    unsafe { whole_at(typeid::of::<I>(), std::ptr::from_ref(iter).cast()) }
}

// Here and below, nothing but the identity depends on the type. An unoptimised build compiles the rest once; otherwise it
// would stand in every function that serializes a type. The optimiser has to inline it: then the comparisons are folded
// away, which matters for short rows.
/// # Safety
///
/// `iter` is to a value of the type that `id` is the identity of, and that value lives for `'a`.
#[cfg_attr(not(debug_assertions), inline(always))]
unsafe fn whole_at<'a>(id: TypeId, iter: *const ()) -> Option<Whole<'a>> {
    if cfg!(target_endian = "big") {
        return None;
    }
    macro_rules! look {
        (() $($t:ty => $number:ident),*) => { $(look!($t, Number::$number);)* };
        ($t:ty, $number:expr) => {
            if id == typeid::of::<&Vec<$t>>() {
                // SAFETY: the type behind `iter` is `&Vec<$t>`, as just compared.
                let vec: &'a Vec<$t> = unsafe { *iter.cast::<&Vec<$t>>() };
                return Some(Whole { number: $number, len: vec.len(), row: None, bytes: bytes_of(vec) });
            }
            if id == typeid::of::<&[$t]>() {
                // SAFETY: the type behind `iter` is `&[$t]`, as just compared.
                let slice: &'a [$t] = unsafe { *iter.cast::<&[$t]>() };
                return Some(Whole { number: $number, len: slice.len(), row: None, bytes: bytes_of(slice) });
            }
        };
    }
    for_each_number!(look!());
    look!(usize, USIZE);
    look!(isize, ISIZE);
    let (holder, row) = rows::written(id)?;
    // SAFETY: the type behind `iter` is `&Vec<[T; N]>` or `&[[T; N]]` of the row
    // found by its identity, and what it refers to lives for `'a`.
    let (len, bytes) = unsafe {
        let (len, bytes) = (row.see)(iter, holder);
        (len, &*bytes)
    };
    Some(Whole {
        number: row.number,
        len,
        row: Some(row.len),
        bytes,
    })
}

/// A slice of texts, of a type that is known.
#[derive(Clone, Copy)]
pub(crate) enum Texts<'a> {
    String(&'a [String]),
    Str(&'a [&'a str]),
    Box(&'a [Box<str>]),
    Rc(&'a [Rc<str>]),
    Arc(&'a [Arc<str>]),
    Cow(&'a [Cow<'a, str>]),
}

impl Texts<'_> {
    pub(crate) fn len(self) -> usize {
        match self {
            Texts::String(texts) => texts.len(),
            Texts::Str(texts) => texts.len(),
            Texts::Box(texts) => texts.len(),
            Texts::Rc(texts) => texts.len(),
            Texts::Arc(texts) => texts.len(),
            Texts::Cow(texts) => texts.len(),
        }
    }
}

/// The slice behind what `collect_seq` was given, if it is one of texts.
pub(crate) fn texts<I>(iter: &I) -> Option<Texts<'_>> {
    let id = typeid::of::<I>();
    macro_rules! look {
        ($($kind:ident $t:ty),*) => { $(
            if id == typeid::of::<&Vec<$t>>() {
                // SAFETY: the type of `iter` is `&&Vec<$t>`, as just compared; what a text borrows outlives `iter`.
                let vec: &Vec<$t> = unsafe { &*std::ptr::from_ref(iter).cast::<&Vec<$t>>() };
                return Some(Texts::$kind(vec));
            }
            if id == typeid::of::<&[$t]>() {
                // SAFETY: the type of `iter` is `&&[$t]`, as just compared; what a text borrows outlives `iter`.
                let slice: &[$t] = unsafe { &*std::ptr::from_ref(iter).cast::<&[$t]>() };
                return Some(Texts::$kind(slice));
            }
        )* };
    }
    look!(String String, Str &str, Box Box<str>, Rc Rc<str>, Arc Arc<str>, Cow Cow<'_, str>);
    None
}

/// The array that a type of our own holds, if `T` is what they all are written as.
pub(crate) fn raw<T: ?Sized>(value: &T) -> Option<&RawArray<'_>> {
    (typeid::of::<T>() == typeid::of::<RawArray<'_>>()).then(|| {
        // SAFETY: `T` is `RawArray` of some lifetime, as just compared. That lifetime outlives the borrow of `value`,
        // and `RawArray` is covariant in it.
        unsafe { &*std::ptr::from_ref(value).cast::<RawArray<'_>>() }
    })
}

/// Whether `T` is a number or bool, or a reference to one.
pub(crate) fn is_number<T: ?Sized>() -> bool {
    matches!(element_of(typeid::of::<T>()), Some(Element::Number(_)))
}

/// The dtype of the elements of a sequence, told from their type alone: `&T` or `T`.
pub(crate) fn element<T>() -> Option<Element> {
    element_of(typeid::of::<T>())
}

#[inline(always)]
fn element_of(id: TypeId) -> Option<Element> {
    macro_rules! look {
        (() $($t:ty => $number:ident),*) => {
            $(
                if id == typeid::of::<&$t>() || id == typeid::of::<$t>() {
                    return Some(Element::Number(Number::$number));
                }
            )*
        };
    }
    for_each_number!(look!());
    if id == typeid::of::<&usize>() || id == typeid::of::<usize>() {
        return Some(Element::Number(USIZE));
    }
    if id == typeid::of::<&isize>() || id == typeid::of::<isize>() {
        return Some(Element::Number(ISIZE));
    }
    if id == typeid::of::<&half::bf16>() || id == typeid::of::<half::bf16>() {
        return Some(Element::Bf16);
    }
    for (wide, types) in [
        (Wide::I128, [typeid::of::<&i128>(), typeid::of::<i128>()]),
        (Wide::U128, [typeid::of::<&u128>(), typeid::of::<u128>()]),
    ] {
        if types.contains(&id) {
            return Some(Element::Wide(wide));
        }
    }
    let text = [
        typeid::of::<&String>(),
        typeid::of::<&&str>(),
        typeid::of::<&str>(),
        typeid::of::<String>(),
        typeid::of::<&char>(),
        typeid::of::<char>(),
        typeid::of::<&std::borrow::Cow<'_, str>>(),
        typeid::of::<&Box<str>>(),
        typeid::of::<&Rc<str>>(),
        typeid::of::<&Arc<str>>(),
    ];
    text.contains(&id).then_some(Element::Text)
}

/// What is known of the elements of an empty sequence.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Element {
    Number(Number),
    Wide(Wide),
    Bf16,
    Text,
}

impl Element {
    pub(crate) fn dtype(self) -> Dtype {
        match self {
            Element::Number(number) => number.dtype(),
            Element::Wide(wide) => wide.dtype(),
            Element::Bf16 => Dtype::new(Kind::Bf16),
            Element::Text => Dtype::str(1),
        }
    }

    /// From the name of a type, as `std::any::type_name` prints it: `..Sequence<'_, i64, ..>`.
    pub(crate) fn from_type_name(name: &str) -> Option<Self> {
        let inner = name.split_once("Sequence<")?.1;
        let inner = inner.strip_prefix("'_, ").unwrap_or(inner);
        let complex = inner.starts_with("num_complex::Complex<");
        let end = inner.find(if complex { '>' } else { ',' })?;
        let name = &inner[..end];
        macro_rules! look {
            (() $($t:ty => $number:ident),*) => { $(
                if std::any::type_name::<$t>().trim_end_matches('>') == name {
                    return Some(Element::Number(Number::$number));
                }
            )* };
        }
        for_each_number!(look!());
        match name {
            "i128" => return Some(Element::Wide(Wide::I128)),
            "u128" => return Some(Element::Wide(Wide::U128)),
            _ => {}
        }
        matches!(name, "char" | "&str" | "alloc::string::String").then_some(Element::Text)
    }
}

/// What is in an `Option` known by its type, where None is all there is to see.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Optional {
    Scalar(OptionalScalar),
    /// A vector of such scalars.
    Vector,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum OptionalScalar {
    Element(Element),
    /// A `SystemTime`.
    Epoch,
    /// A `Duration`.
    Nanos,
}

/// What is in the `Option` that `T` is, if its type tells.
pub(crate) fn optional<T: ?Sized>() -> Option<Optional> {
    optional_of(typeid::of::<T>())
}

/// Whether `T` is an `Option` of a scalar of a type that is known.
pub(crate) fn is_optional_scalar<T: ?Sized>() -> bool {
    matches!(optional::<T>(), Some(Optional::Scalar(_)))
}

fn optional_of(id: TypeId) -> Option<Optional> {
    macro_rules! look {
        (() $($t:ty => $number:ident),*) => { $( look!($t, Element::Number(Number::$number)); )* };
        ($t:ty, $element:expr) => { look!(@ $t, OptionalScalar::Element($element)); };
        (@ $t:ty, $scalar:expr) => {
            if id == typeid::of::<Option<$t>>() || id == typeid::of::<&Option<$t>>() {
                return Some(Optional::Scalar($scalar));
            }
            if id == typeid::of::<Option<Vec<$t>>>() || id == typeid::of::<&Option<Vec<$t>>>() {
                return Some(Optional::Vector);
            }
        };
    }
    for_each_number!(look!());
    look!(usize, Element::Number(USIZE));
    look!(isize, Element::Number(ISIZE));
    look!(i128, Element::Wide(Wide::I128));
    look!(u128, Element::Wide(Wide::U128));
    look!(half::bf16, Element::Bf16);
    look!(char, Element::Text);
    look!(String, Element::Text);
    look!(&str, Element::Text);
    look!(Box<str>, Element::Text);
    look!(Rc<str>, Element::Text);
    look!(Arc<str>, Element::Text);
    look!(Cow<'_, str>, Element::Text);
    look!(@ SystemTime, OptionalScalar::Epoch);
    look!(@ Duration, OptionalScalar::Nanos);
    None
}

/// Whether `T` is an `Option` itself, and no type around one: the private type that derive makes for `with`, or a newtype.
pub(crate) fn is_option<T: ?Sized>() -> bool {
    inside_option::<T>().is_some()
}

/// Whether `T` is an `Option` of a type that holds others: a vector, a map, an array.
pub(crate) fn is_optional_container<T: ?Sized>() -> bool {
    inside_option::<T>().is_some_and(|inner| {
        inner.starts_with(['&', '[', '(']) || inner.starts_with("alloc::") || inner.starts_with("std::")
    })
}

/// The name of the type in an `Option`.
fn inside_option<T: ?Sized>() -> Option<&'static str> {
    type_name::<T>().strip_prefix("core::option::Option<")
}

/// What a scalar of the type is that `T` is an `Option` of.
pub(crate) fn optional_element<T: ?Sized>() -> Option<Element> {
    match optional::<T>()? {
        Optional::Scalar(OptionalScalar::Element(element)) => Some(element),
        _ => None,
    }
}

/// Whether `T` is `()`, or a reference to it.
pub(crate) fn is_unit<T: ?Sized>() -> bool {
    let id = typeid::of::<T>();
    id == typeid::of::<()>() || id == typeid::of::<&()>()
}

/// Whether `T` is `str` itself.
pub(crate) fn is_str<T: ?Sized>() -> bool {
    typeid::of::<T>() == typeid::of::<str>()
}

/// The float in an `Option` of one, where None is all there is to see.
pub(crate) fn optional_float<T: ?Sized>() -> Option<Number> {
    let id = typeid::of::<T>();
    if id == typeid::of::<Option<f64>>() || id == typeid::of::<&Option<f64>>() {
        Some(Number::F64)
    } else if id == typeid::of::<Option<f32>>() || id == typeid::of::<&Option<f32>>() {
        Some(Number::F32)
    } else if id == typeid::of::<Option<half::f16>>() || id == typeid::of::<&Option<half::f16>>() {
        Some(Number::F16)
    } else {
        None
    }
}

/// The bytes of a plain number, behind `T` or `&T`.
#[inline(always)]
pub(crate) fn number<T: ?Sized>(value: &T) -> Option<(Number, &[u8])> {
    if cfg!(target_endian = "big") {
        return None;
    }
    let id = typeid::of::<T>();
    let thin = std::ptr::from_ref(value).cast::<()>();
    macro_rules! look {
        (() $($t:ty => $number:ident),*) => {
            $(
                if id == typeid::of::<$t>() {
                    // SAFETY: `T` is `$t`, as just compared.
                    let number: &$t = unsafe { &*thin.cast::<$t>() };
                    return Some((Number::$number, bytes_of(std::slice::from_ref(number))));
                }
                if id == typeid::of::<&$t>() {
                    // SAFETY: `T` is `&$t`, as just compared, and alive as long as `value`.
                    let number: &$t = unsafe { *thin.cast::<&$t>() };
                    return Some((Number::$number, bytes_of(std::slice::from_ref(number))));
                }
            )*
        };
    }
    for_each_number!(look!());
    None
}

/// A complex number behind `T` or `&T`, which serde would hand out as a tuple of two.
pub(crate) enum AnyComplex {
    C64(Complex<f32>),
    C128(Complex<f64>),
}

#[inline(always)]
pub(crate) fn complex<T: ?Sized>(value: &T) -> Option<AnyComplex> {
    // SAFETY: this is the identity of the type of `value`.
    unsafe { complex_at(typeid::of::<T>(), std::ptr::from_ref(value).cast()) }
}

/// # Safety
///
/// `value` is to a value of the type that `id` is the identity of.
#[cfg_attr(not(debug_assertions), inline(always))]
unsafe fn complex_at(id: TypeId, value: *const ()) -> Option<AnyComplex> {
    if id == typeid::of::<Complex<f64>>() {
        // SAFETY: it is a `Complex<f64>`, as just compared.
        return Some(AnyComplex::C128(unsafe { *value.cast::<Complex<f64>>() }));
    }
    if id == typeid::of::<Complex<f32>>() {
        // SAFETY: it is a `Complex<f32>`, as just compared.
        return Some(AnyComplex::C64(unsafe { *value.cast::<Complex<f32>>() }));
    }
    if id == typeid::of::<&Complex<f64>>() {
        // SAFETY: it is a `&Complex<f64>`, as just compared.
        return Some(AnyComplex::C128(unsafe { **value.cast::<&Complex<f64>>() }));
    }
    if id == typeid::of::<&Complex<f32>>() {
        // SAFETY: it is a `&Complex<f32>`, as just compared.
        return Some(AnyComplex::C64(unsafe { **value.cast::<&Complex<f32>>() }));
    }
    None
}

/// `value.serialize(serializer)`. A plain number is handed over without the call in between, which the optimiser would
/// often leave standing; unoptimised, this would only be more to compile, for every type.
#[inline(always)]
pub(crate) fn serialize<T: Serialize + ?Sized, S: Serializer>(value: &T, serializer: S) -> Result<S::Ok, S::Error> {
    #[cfg(not(debug_assertions))]
    {
        let id = typeid::of::<T>();
        let thin = std::ptr::from_ref(value).cast::<()>();
        macro_rules! look {
            ($($t:ty => $method:ident),*) => {
                $(
                    if id == typeid::of::<$t>() {
                        // SAFETY: `T` is `$t`, as just compared.
                        return serializer.$method(unsafe { *thin.cast::<$t>() });
                    }
                )*
            };
        }
        look!(bool => serialize_bool, i8 => serialize_i8, i16 => serialize_i16, i32 => serialize_i32,
            i64 => serialize_i64, u8 => serialize_u8, u16 => serialize_u16, u32 => serialize_u32, u64 => serialize_u64,
            f32 => serialize_f32, f64 => serialize_f64);
    }
    value.serialize(serializer)
}
