//! The element types of a view, and the checked ways between bytes and slices of them.

use std::borrow::Cow;
use std::fmt;

use half::f16;
use num_complex::Complex;
use serde::de::Deserialize;

use crate::format::cast::{AnyNumber, Cast};
use crate::format::dtype::{Dtype, Number};
use crate::options::Casting;

/// A number whose bytes in memory are its bytes in a file: what an [`ArrayView`](crate::ArrayView) is made of.
///
/// `bool`, `i8` to `i64`, `isize`, `u8` to `u64`, `usize`, `f32`, `f64`, `half::f16`, `num_complex::Complex<f32>` and
/// `Complex<f64>`. The trait is sealed: any other type could hold bytes that are no value of it.
///
/// ```
/// fn sum<T: serde_npz::Element + std::iter::Sum<T>>(view: &serde_npz::ArrayView<'_, T>) -> T {
///     view.as_slice().iter().copied().sum()
/// }
///
/// assert_eq!(sum(&serde_npz::ArrayView::new(&[1.0, 2.0], &[2])?), 3.0);
/// # Ok::<(), serde_npz::Error>(())
/// ```
pub trait Element: Copy + PartialEq + fmt::Debug + Send + Sync + 'static + Sealed {}

impl<T: Copy + PartialEq + fmt::Debug + Send + Sync + 'static + Sealed> Element for T {}

/// What this crate needs of an element; not to be named from outside.
pub trait Sealed: Sized + for<'de> Deserialize<'de> {
    /// What serde hands out: the element itself, or a half of a complex number.
    type Part: Part;

    /// As it is written.
    fn dtype() -> Dtype;

    /// The bytes as elements; `None` where they are misaligned, of a wrong length, or no elements (a bool of 2).
    fn cast(bytes: &[u8]) -> Option<&[Self]>;

    fn cast_mut(bytes: &mut [u8]) -> Option<&mut [Self]>;

    /// A copy of the bytes of a file, of any alignment. A bool of any byte but 0 is true, as in NumPy.
    fn copy(bytes: &[u8]) -> Vec<Self>;

    fn bytes(slice: &[Self]) -> &[u8];

    /// The same bytes in the other order.
    fn swapped(self) -> Self;

    /// Joins parts to elements. For complex numbers `axes` loses the innermost one, which only counted the two parts.
    fn join(parts: Vec<Self::Part>, axes: &mut Vec<usize>) -> Option<Vec<Self>>;
}

/// A number from another format, or from serde's buffer.
pub trait Part: Sized {
    /// Through serde's buffer a number has to be `exact`. Other formats do not tell how wide their numbers are: floats round.
    #[doc(hidden)]
    fn part(number: AnyNumber, exact: bool) -> Option<Self>;
}

/// How the dtype of a file compares with the elements of a view.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fit {
    Same,
    /// The same, in the other byte order.
    Swapped,
    Other,
}

pub(crate) fn fit<T: Element>(dtype: &Dtype) -> Fit {
    match (Number::of(dtype), Number::native(dtype)) {
        (None, _) => Fit::Other,
        (found, _) if found != Number::of(&T::dtype()) => Fit::Other,
        (_, Some(_)) => Fit::Same,
        (_, None) => Fit::Swapped,
    }
}

/// The bytes of elements in the order of a file.
pub(crate) fn file_bytes<T: Element>(slice: &[T]) -> Cow<'_, [u8]> {
    if cfg!(target_endian = "little") {
        return Cow::Borrowed(T::bytes(slice));
    }
    let swapped: Vec<T> = slice.iter().map(|element| element.swapped()).collect();
    Cow::Owned(T::bytes(&swapped).to_vec())
}

macro_rules! pod {
    ($($t:ty: $dtype:expr, $swap:expr;)*) => { $(
        impl Sealed for $t {
            type Part = $t;

            fn dtype() -> Dtype {
                $dtype
            }

            fn cast(bytes: &[u8]) -> Option<&[$t]> {
                bytemuck::try_cast_slice(bytes).ok()
            }

            fn cast_mut(bytes: &mut [u8]) -> Option<&mut [$t]> {
                bytemuck::try_cast_slice_mut(bytes).ok()
            }

            fn copy(bytes: &[u8]) -> Vec<$t> {
                bytemuck::pod_collect_to_vec(bytes)
            }

            fn bytes(slice: &[$t]) -> &[u8] {
                bytemuck::cast_slice(slice)
            }

            fn swapped(self) -> $t {
                let swap: fn($t) -> $t = $swap;
                swap(self)
            }

            fn join(parts: Vec<$t>, _: &mut Vec<usize>) -> Option<Vec<$t>> {
                Some(parts)
            }
        }
    )* };
}

/// The bytes of an `isize`.
const WORD: u8 = if size_of::<isize>() == 4 { 4 } else { 8 };

pod! {
    i8: Dtype::int(1), |v| v;
    i16: Dtype::int(2), i16::swap_bytes;
    i32: Dtype::int(4), i32::swap_bytes;
    i64: Dtype::int(8), i64::swap_bytes;
    isize: Dtype::int(WORD), isize::swap_bytes;
    u8: Dtype::uint(1), |v| v;
    u16: Dtype::uint(2), u16::swap_bytes;
    u32: Dtype::uint(4), u32::swap_bytes;
    u64: Dtype::uint(8), u64::swap_bytes;
    usize: Dtype::uint(WORD), usize::swap_bytes;
    f32: Dtype::float(4), |v| f32::from_bits(v.to_bits().swap_bytes());
    f64: Dtype::float(8), |v| f64::from_bits(v.to_bits().swap_bytes());
    f16: Dtype::float(2), |v| f16::from_bits(v.to_bits().swap_bytes());
}

impl Sealed for bool {
    type Part = bool;

    fn dtype() -> Dtype {
        Dtype::bool()
    }

    fn cast(bytes: &[u8]) -> Option<&[bool]> {
        // Over whole bytes the check is a fold that the compiler turns into wide instructions.
        bools(bytes).then(|| bytemuck::checked::try_cast_slice(bytes).ok())?
    }

    fn cast_mut(bytes: &mut [u8]) -> Option<&mut [bool]> {
        bytemuck::checked::try_cast_slice_mut(bytes).ok()
    }

    fn copy(bytes: &[u8]) -> Vec<bool> {
        bytes.iter().map(|&byte| byte != 0).collect()
    }

    fn bytes(slice: &[bool]) -> &[u8] {
        bytemuck::cast_slice(slice)
    }

    fn swapped(self) -> bool {
        self
    }

    fn join(parts: Vec<bool>, _: &mut Vec<usize>) -> Option<Vec<bool>> {
        Some(parts)
    }
}

fn bools(bytes: &[u8]) -> bool {
    bytes.iter().fold(0, |all, byte| all | byte) < 2
}

macro_rules! complex {
    ($($t:ty: $size:literal;)*) => { $(
        impl Sealed for Complex<$t> {
            type Part = $t;

            fn dtype() -> Dtype {
                Dtype::complex($size)
            }

            fn cast(bytes: &[u8]) -> Option<&[Self]> {
                bytemuck::try_cast_slice(bytes).ok()
            }

            fn cast_mut(bytes: &mut [u8]) -> Option<&mut [Self]> {
                bytemuck::try_cast_slice_mut(bytes).ok()
            }

            fn copy(bytes: &[u8]) -> Vec<Self> {
                bytemuck::pod_collect_to_vec(bytes)
            }

            fn bytes(slice: &[Self]) -> &[u8] {
                bytemuck::cast_slice(slice)
            }

            fn swapped(self) -> Self {
                Complex::new(self.re.swapped(), self.im.swapped())
            }

            fn join(parts: Vec<$t>, axes: &mut Vec<usize>) -> Option<Vec<Self>> {
                // In other formats an empty array shows no innermost axis.
                if axes.last() == Some(&2) {
                    axes.pop();
                } else if !parts.is_empty() {
                    return None;
                }
                Some(parts.chunks_exact(2).map(|pair| Complex::new(pair[0], pair[1])).collect())
            }
        }
    )* };
}

complex! {
    f32: 8;
    f64: 16;
}

impl Part for bool {
    fn part(number: AnyNumber, exact: bool) -> Option<bool> {
        let fits = exact || matches!(number, AnyNumber::Bool(_));
        fits.then(|| <bool as Cast>::cast(number, Casting::Safe).ok())?
    }
}

macro_rules! int_parts {
    ($($t:ty as $wide:ty)*) => { $(
        impl Part for $t {
            fn part(number: AnyNumber, exact: bool) -> Option<$t> {
                let fits = exact || !matches!(number, AnyNumber::Bool(_));
                let wide = fits.then(|| <$wide as Cast>::cast(number, Casting::Safe).ok())??;
                wide.try_into().ok()
            }
        }
    )* };
}

int_parts!(i8 as i8 i16 as i16 i32 as i32 i64 as i64 isize as i64 u8 as u8 u16 as u16 u32 as u32 u64 as u64 usize as u64);

macro_rules! float_parts {
    ($($t:ty)*) => { $(
        impl Part for $t {
            fn part(number: AnyNumber, exact: bool) -> Option<$t> {
                let casting = if exact { Casting::Exact } else { Casting::SameKind };
                let number = match number {
                    AnyNumber::Bool(_) if !exact => return None,
                    // As serde reads floats.
                    AnyNumber::Int(v) if !exact => AnyNumber::F64(v as f64),
                    AnyNumber::Uint(v) if !exact => AnyNumber::F64(v as f64),
                    number => number,
                };
                <$t as Cast>::cast(number, casting).ok()
            }
        }
    )* };
}

float_parts!(f16 f32 f64);
