//! `Duration`, `SystemTime` and ndarray's arrays: structs that are told by their name and fields.

use serde::Serialize;

use crate::error::{Error, ErrorKind, Result};
use crate::npy::layout::capture;
use crate::npy::layout::capture::unsigned;
use crate::npy::layout::node::Node;
use crate::npy::layout::scalar::Scalar;
use crate::npy::whole::Element;

/// The structs that are known by name and fields.
#[derive(Default)]
pub(crate) struct Special {
    numbers: [u64; 2],
    /// How many of the numbers have come.
    count: usize,
    shape: Vec<u64>,
    data: Option<Box<Node>>,
}

impl Special {
    /// Takes a field of a struct that may be a `Duration`, a `SystemTime` or an ndarray.
    pub(crate) fn take<T: Serialize + ?Sized>(
        &mut self,
        name: &str,
        key: &str,
        value: &T,
        data: impl FnOnce(&T) -> Result<Node>,
    ) -> Result<()> {
        match (name, key) {
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
                    Node::Axis {
                        len,
                        item,
                        tuple: false,
                    } if self.shape.iter().product::<u64>() == len => match *item {
                        Node::Empty(None) => {
                            let element = Element::from_type_name(std::any::type_name::<T>());
                            Some(Box::new(Node::Empty(element)))
                        }
                        Node::Leaf(_) | Node::Empty(_) => Some(item),
                        Node::Axis { .. } => Some(item),
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
    pub(crate) fn finish(self, name: &str, fields: usize) -> Result<Option<Finished>> {
        match (name, fields, &self.numbers[..self.count]) {
            ("Duration", 2, &[secs, nanos]) => {
                Ok(Some(Finished::Scalar(Scalar::Nanos(nanoseconds(name, secs, nanos)?))))
            }
            ("SystemTime", 2, &[secs, nanos]) => {
                Ok(Some(Finished::Scalar(Scalar::Epoch(nanoseconds(name, secs, nanos)?))))
            }
            ("Array", 3, &[1]) => Ok(self.data.map(|item| {
                Finished::Ndarray(Node::Ndarray {
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
    Ndarray(Node),
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
                "found a {name} of {secs} s, expected at most 9223372036 s: NumPy counts nanoseconds in 64 bits; use a \
                 coarser unit of `with::datetime64` or `with::timedelta64`"
            ),
        )
    })
}
