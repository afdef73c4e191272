//! Whole slices: type identity and the only casts.
//!
//! serde hands a `Vec<f64>` to a serializer as `collect_seq::<&Vec<f64>>`. Equal type ids mean equal types (lifetimes
//! aside), so casting a reference to one into a reference to the other is an identity. Only the types listed here are
//! ever compared: no type of a user is touched.

mod collect;
mod rows;

use num_complex::Complex;

pub(crate) use self::collect::{
    Collector, Fill, bad_bool, collect_bytes, collector_of, collects_scalars, swap, zeroed,
};
use crate::dtype::{Dtype, Kind};
use crate::raw::RawArray;

/// The plain numbers: fixed width, every one a row of the mapping table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Number {
    Bool,
    I8,
    I16,
    I32,
    I64,
    U8,
    U16,
    U32,
    U64,
    F16,
    F32,
    F64,
    C64,
    C128,
}

impl Number {
    /// The number of an element of this layout, in whatever byte order.
    pub(crate) fn of(dtype: &Dtype) -> Option<Self> {
        Some(match dtype.kind {
            Kind::Bool => Number::Bool,
            Kind::Int { size: 1, .. } => Number::I8,
            Kind::Int { size: 2, .. } => Number::I16,
            Kind::Int { size: 4, .. } => Number::I32,
            Kind::Int { size: 8, .. } => Number::I64,
            Kind::Uint { size: 1, .. } => Number::U8,
            Kind::Uint { size: 2, .. } => Number::U16,
            Kind::Uint { size: 4, .. } => Number::U32,
            Kind::Uint { size: 8, .. } => Number::U64,
            Kind::Float { size: 2, .. } => Number::F16,
            Kind::Float { size: 4, .. } => Number::F32,
            Kind::Float { size: 8, .. } => Number::F64,
            Kind::Complex { size: 8, .. } => Number::C64,
            Kind::Complex { size: 16, .. } => Number::C128,
            _ => return None,
        })
    }

    /// The bytes of one number.
    pub(crate) fn size(self) -> u64 {
        match self {
            Number::Bool | Number::I8 | Number::U8 => 1,
            Number::I16 | Number::U16 | Number::F16 => 2,
            Number::I32 | Number::U32 | Number::F32 => 4,
            Number::I64 | Number::U64 | Number::F64 | Number::C64 => 8,
            Number::C128 => 16,
        }
    }

    pub(crate) fn dtype(self) -> Dtype {
        match self {
            Number::Bool => Dtype::bool(),
            Number::I8 => Dtype::int(1),
            Number::I16 => Dtype::int(2),
            Number::I32 => Dtype::int(4),
            Number::I64 => Dtype::int(8),
            Number::U8 => Dtype::uint(1),
            Number::U16 => Dtype::uint(2),
            Number::U32 => Dtype::uint(4),
            Number::U64 => Dtype::uint(8),
            Number::F16 => Dtype::float(2),
            Number::F32 => Dtype::float(4),
            Number::F64 => Dtype::float(8),
            Number::C64 => Dtype::complex(8),
            Number::C128 => Dtype::complex(16),
        }
    }
}

/// A slice of plain numbers as its bytes lie in the file, which is as they lie in memory on a little-endian machine.
pub(crate) struct Whole<'a> {
    pub(crate) number: Number,
    pub(crate) len: usize,
    /// Each element is an array of so many numbers.
    pub(crate) row: Option<usize>,
    pub(crate) bytes: &'a [u8],
}

macro_rules! for_each_number {
    ($do:ident!($($arg:tt)*)) => {
        $do!(($($arg)*)
            bool => Bool, i8 => I8, i16 => I16, i32 => I32, i64 => I64, u8 => U8, u16 => U16, u32 => U32, u64 => U64,
            half::f16 => F16, f32 => F32, f64 => F64, Complex<f32> => C64, Complex<f64> => C128)
    };
}
use for_each_number;

/// What `usize` and `isize` are here.
const USIZE: Number = if size_of::<usize>() == 4 {
    Number::U32
} else {
    Number::U64
};
const ISIZE: Number = if size_of::<usize>() == 4 {
    Number::I32
} else {
    Number::I64
};

/// The slice behind what `collect_seq` was given, if it is one of plain numbers.
pub(crate) fn whole<I>(iter: &I) -> Option<Whole<'_>> {
    if cfg!(target_endian = "big") {
        return None;
    }
    let id = typeid::of::<I>();
    macro_rules! look {
        (() $($t:ty => $number:ident),*) => { $(look!($t, Number::$number);)* };
        ($t:ty, $number:expr) => {
            if id == typeid::of::<&Vec<$t>>() {
                // SAFETY: the type of `iter` is `&&Vec<$t>`, as just compared.
                let vec: &Vec<$t> = unsafe { &*std::ptr::from_ref(iter).cast::<&Vec<$t>>() };
                return Some(Whole { number: $number, len: vec.len(), row: None, bytes: bytes_of(vec) });
            }
            if id == typeid::of::<&[$t]>() {
                // SAFETY: the type of `iter` is `&&[$t]`, as just compared.
                let slice: &[$t] = unsafe { &*std::ptr::from_ref(iter).cast::<&[$t]>() };
                return Some(Whole { number: $number, len: slice.len(), row: None, bytes: bytes_of(slice) });
            }
        };
    }
    for_each_number!(look!());
    look!(usize, USIZE);
    look!(isize, ISIZE);
    let (holder, row) = rows::written(id)?;
    // SAFETY: the type of `iter` is `&&Vec<[T; N]>` or `&&[[T; N]]` of the row
    // found by its identity, and what it refers to outlives the borrow of `iter`.
    let (len, bytes) = unsafe {
        let (len, bytes) = (row.see)(std::ptr::from_ref(iter).cast(), holder);
        (len, &*bytes)
    };
    Some(Whole {
        number: row.number,
        len,
        row: Some(row.len),
        bytes,
    })
}

/// The array that a type of our own holds, if `T` is what they all are written as.
pub(crate) fn raw<T: ?Sized>(value: &T) -> Option<&RawArray<'_>> {
    (typeid::of::<T>() == typeid::of::<RawArray<'_>>()).then(|| {
        // SAFETY: `T` is `RawArray` of some lifetime, as just compared. That lifetime outlives the borrow of `value`,
        // and `RawArray` is covariant in it.
        unsafe { &*std::ptr::from_ref(value).cast::<RawArray<'_>>() }
    })
}

/// The dtype of the elements of a sequence, told from their type alone: `&T` or `T`.
pub(crate) fn element<T>() -> Option<Element> {
    let id = typeid::of::<T>();
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
    let text = [
        typeid::of::<&String>(),
        typeid::of::<&&str>(),
        typeid::of::<&str>(),
        typeid::of::<String>(),
        typeid::of::<&char>(),
        typeid::of::<char>(),
        typeid::of::<&std::borrow::Cow<'_, str>>(),
        typeid::of::<&Box<str>>(),
    ];
    text.contains(&id).then_some(Element::Text)
}

/// What is known of the elements of an empty sequence.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Element {
    Number(Number),
    Bf16,
    Text,
}

impl Element {
    pub(crate) fn dtype(self) -> Dtype {
        match self {
            Element::Number(number) => number.dtype(),
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
        let number = match &inner[..end] {
            "bool" => Number::Bool,
            "i8" => Number::I8,
            "i16" => Number::I16,
            "i32" => Number::I32,
            "i64" => Number::I64,
            "u8" => Number::U8,
            "u16" => Number::U16,
            "u32" => Number::U32,
            "u64" => Number::U64,
            "f32" => Number::F32,
            "f64" => Number::F64,
            "half::binary16::f16" => Number::F16,
            "num_complex::Complex<f32" => Number::C64,
            "num_complex::Complex<f64" => Number::C128,
            "char" | "&str" | "alloc::string::String" => return Some(Element::Text),
            _ => return None,
        };
        Some(Element::Number(number))
    }
}

/// Whether `T` is an `Option` of a scalar: of a sequence of nothing but `None` this is all there is to tell.
pub(crate) fn is_optional_scalar<T: ?Sized>() -> bool {
    let id = typeid::of::<T>();
    macro_rules! look {
        (() $($t:ty => $number:ident),*) => { $(id == typeid::of::<Option<$t>>() || id == typeid::of::<&Option<$t>>() ||)* false };
    }
    for_each_number!(look!())
        || id == typeid::of::<Option<String>>()
        || id == typeid::of::<Option<char>>()
        || id == typeid::of::<Option<&str>>()
        || id == typeid::of::<Option<usize>>()
        || id == typeid::of::<Option<isize>>()
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

/// A complex number behind `T` or `&T`, which serde would hand out as a tuple of two.
pub(crate) enum AnyComplex {
    C64(Complex<f32>),
    C128(Complex<f64>),
}

#[inline(always)]
pub(crate) fn complex<T: ?Sized>(value: &T) -> Option<AnyComplex> {
    let id = typeid::of::<T>();
    let thin = std::ptr::from_ref(value).cast::<()>();
    if id == typeid::of::<Complex<f64>>() {
        // SAFETY: `T` is `Complex<f64>`, as just compared.
        return Some(AnyComplex::C128(unsafe { *thin.cast::<Complex<f64>>() }));
    }
    if id == typeid::of::<Complex<f32>>() {
        // SAFETY: `T` is `Complex<f32>`, as just compared.
        return Some(AnyComplex::C64(unsafe { *thin.cast::<Complex<f32>>() }));
    }
    if id == typeid::of::<&Complex<f64>>() {
        // SAFETY: `T` is `&Complex<f64>`, as just compared, and alive as long as `value`.
        return Some(AnyComplex::C128(unsafe { **thin.cast::<&Complex<f64>>() }));
    }
    if id == typeid::of::<&Complex<f32>>() {
        // SAFETY: `T` is `&Complex<f32>`, as just compared, and alive as long as `value`.
        return Some(AnyComplex::C64(unsafe { **thin.cast::<&Complex<f32>>() }));
    }
    None
}

/// The bytes of a slice of one of the types listed above: none has padding.
fn bytes_of<T>(slice: &[T]) -> &[u8] {
    // SAFETY: any initialised memory without padding may be seen as bytes; the length is that of the slice.
    unsafe { std::slice::from_raw_parts(slice.as_ptr().cast::<u8>(), std::mem::size_of_val(slice)) }
}
