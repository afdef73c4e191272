//! Structs that are told by their names and fields: `Duration`, `SystemTime`, ndarray's arrays, the half floats.

use serde::Serialize;

use crate::error::{Error, ErrorKind, Result};
use crate::npy::layout::capture;
use crate::npy::layout::capture::unsigned;
use crate::npy::layout::scalar::Scalar;
use crate::npy::layout::tree::Layout;
use crate::npy::whole::Element;

/// A `Duration`, a `SystemTime` or an ndarray, as far as its fields have come.
pub(crate) struct KnownStruct {
    name: &'static str,
    numbers: [u64; 2],
    /// How many of the numbers have come.
    count: usize,
    shape: Vec<u64>,
    data: Option<Box<Layout>>,
}

/// Whether a struct of this name counts as a time for [`Tally`](crate::npy::layout::tally::Tally), whatever is in it.
#[inline(always)]
pub(crate) fn is_time(name: &str) -> bool {
    matches!(name, "Duration" | "SystemTime")
}

impl KnownStruct {
    /// A struct of this name, if it may be one of these.
    // The name is a literal: for all other structs what is special about these is never compiled.
    #[inline(always)]
    pub(crate) fn of(name: &'static str) -> Option<Self> {
        matches!(name, "Duration" | "SystemTime" | "Array").then(|| KnownStruct {
            name,
            numbers: [0; 2],
            count: 0,
            shape: Vec::new(),
            data: None,
        })
    }

    pub(crate) fn is_array(&self) -> bool {
        self.name == "Array"
    }

    /// Takes the next field; `data` measures the elements of an ndarray.
    pub(crate) fn take<T: Serialize + ?Sized>(
        &mut self,
        key: &str,
        value: &T,
        data: impl FnOnce(&T) -> Result<Layout>,
    ) -> Result<()> {
        match (self.name, key) {
            ("Duration", "secs" | "nanos")
            | ("SystemTime", "secs_since_epoch" | "nanos_since_epoch")
            | ("Array", "v") => {
                if let (Some(slot), Some(number)) = (self.numbers.get_mut(self.count), unsigned(value)) {
                    *slot = number;
                    self.count += 1;
                }
            }
            ("Array", "dim") => self.shape = capture::dims(value).unwrap_or_default(),
            ("Array", "data") if self.numbers[..self.count] == [1] => {
                self.data = match data(value)? {
                    Layout::Axis {
                        len,
                        item,
                        tuple: false,
                    } if self.shape.iter().product::<u64>() == len => match *item {
                        Layout::Empty(None) => {
                            let element = Element::from_type_name(std::any::type_name::<T>());
                            Some(Box::new(Layout::Empty(element)))
                        }
                        Layout::Scalar(_) | Layout::Empty(_) | Layout::Axis { .. } | Layout::Record { .. } => {
                            Some(item)
                        }
                        _ => None,
                    },
                    _ => None,
                };
            }
            _ => {}
        }
        Ok(())
    }

    /// What the struct is, if all of its fields have been taken.
    pub(crate) fn finish(self, fields: usize) -> Result<Option<Finished>> {
        match (self.name, fields, &self.numbers[..self.count]) {
            ("Duration", 2, &[secs, nanos]) => Ok(Some(Finished::Scalar(Scalar::Nanos(nanoseconds(
                self.name, secs, nanos,
            )?)))),
            ("SystemTime", 2, &[secs, nanos]) => Ok(Some(Finished::Scalar(Scalar::Epoch(nanoseconds(
                self.name, secs, nanos,
            )?)))),
            ("Array", 3, &[1]) => Ok(self.data.map(|item| {
                Finished::Ndarray(Layout::Ndarray {
                    shape: self.shape,
                    item,
                })
            })),
            _ => Ok(None),
        }
    }
}

/// A struct known by name and fields.
pub(crate) enum Finished {
    Scalar(Scalar<'static>),
    Ndarray(Layout),
}

fn nanoseconds(name: &str, secs: u64, nanos: u64) -> Result<i64> {
    let exact = secs
        .checked_mul(1_000_000_000)
        .and_then(|ns| ns.checked_add(nanos))
        .and_then(|ns| i64::try_from(ns).ok());
    exact.ok_or_else(|| {
        Error::new(
            ErrorKind::InvalidValue,
            format_args!(
                "found a {name} of {secs} s, expected at most 9223372036 s: NumPy counts nanoseconds in 64 bits"
            ),
        )
        .with_hint("use a coarser unit of `with::datetime64` or `with::timedelta64`")
    })
}

/// The bits of a half float, which its crate hands out as a newtype of u16.
#[inline(always)]
pub(crate) fn half<T: Serialize + ?Sized>(name: &str, value: &T) -> Option<Scalar<'static>> {
    match name {
        "f16" => Some(Scalar::F16(bits(value)?)),
        "bf16" => Some(Scalar::Bf16(bits(value)?)),
        _ => None,
    }
}

fn bits<T: Serialize + ?Sized>(value: &T) -> Option<u16> {
    unsigned(value).and_then(|bits| u16::try_from(bits).ok())
}

#[cold]
pub(crate) fn nested_none(found: &str) -> Error {
    Error::new(
        ErrorKind::UnsupportedType,
        format_args!("found {found}, expected a value inside Some: it could not be told from None when read back"),
    )
}

#[cold]
pub(crate) fn too_deep() -> Error {
    Error::new(
        ErrorKind::LimitExceeded,
        "found more levels of nesting than can be written, expected at most 64 groups and 64 axes",
    )
}
