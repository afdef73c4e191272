//! Whole arrays of plain numbers: what the modules for the array crates share.
//!
//! ```text
//! out   header and the elements in one piece, or gathered into pieces where there are gaps between them
//! in    shape, which axis runs fastest, one vector of the elements in the order of the file
//! ```
//!
use std::fmt;
use std::marker::PhantomData;

use serde::de::{self, DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde::ser::{Serialize, Serializer};

use crate::error::{Error, ErrorKind, into_ser_custom};
use crate::format::dtype::{Kind, Tuple};
use crate::format::header::Header;
use crate::npy::marker::{ORDERED, PAIRS, RAW};
use crate::npy::raw::{RawArray, RawData};
use crate::view::serde::read_whole;
use crate::view::{Element, file_bytes};

/// A plain number that other formats know as well.
pub trait Number: Element + Serialize {}

impl<T: Element + Serialize> Number for T {}

/// Takes one slice after another.
pub(super) type Put<'p, A> = &'p mut dyn FnMut(&[A]) -> crate::error::Result<()>;

/// The elements of an array on their way out, in C or in Fortran order.
pub(super) enum Elements<'a, A> {
    /// As they lie in memory.
    Whole(&'a [A]),
    /// Handed out one slice after another.
    Pieces(&'a dyn Fn(Put<'_, A>) -> crate::error::Result<()>),
}

/// Writes an array as it is.
pub(super) fn write<A: Number, S: Serializer>(
    shape: Vec<u64>,
    fortran: bool,
    elements: Elements<'_, A>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    let header = Header::new(A::dtype(), shape, fortran).map_err(into_ser_custom)?;
    let pieces = |take: &mut dyn FnMut(&[u8]) -> crate::error::Result<()>| match elements {
        Elements::Whole(slice) => little_endian(slice, take),
        Elements::Pieces(each) => each(&mut |slice| little_endian(slice, take)),
    };
    let data = match elements {
        Elements::Whole(slice) if cfg!(target_endian = "little") => RawData::Bytes(A::bytes(slice)),
        _ => RawData::Pieces(&pieces),
    };
    serializer.serialize_newtype_struct(RAW, &RawArray { header, data })
}

/// How many elements are gathered before they are written.
const GATHER: usize = 4096;

fn little_endian<A: Number>(
    slice: &[A],
    take: &mut dyn FnMut(&[u8]) -> crate::error::Result<()>,
) -> crate::error::Result<()> {
    if cfg!(target_endian = "little") {
        return take(A::bytes(slice));
    }
    for piece in slice.chunks(GATHER) {
        take(&file_bytes(piece))?;
    }
    Ok(())
}

/// Gathers elements that come one by one or in short runs.
pub(super) struct Gather<'p, A> {
    put: Put<'p, A>,
    ready: Vec<A>,
}

impl<'p, A: Number> Gather<'p, A> {
    pub(super) fn new(put: Put<'p, A>) -> Self {
        Gather {
            put,
            ready: Vec::with_capacity(GATHER),
        }
    }

    pub(super) fn each<'a>(&mut self, elements: impl Iterator<Item = &'a A>) -> crate::error::Result<()>
    where
        A: 'a,
    {
        for element in elements {
            if self.ready.len() == GATHER {
                self.finish()?;
            }
            self.ready.push(*element);
        }
        Ok(())
    }

    pub(super) fn slice(&mut self, slice: &[A]) -> crate::error::Result<()> {
        if self.ready.len() + slice.len() > GATHER {
            self.finish()?;
            if slice.len() >= GATHER {
                return (self.put)(slice);
            }
        }
        self.ready.extend_from_slice(slice);
        Ok(())
    }

    pub(super) fn finish(&mut self) -> crate::error::Result<()> {
        (self.put)(&self.ready)?;
        self.ready.clear();
        Ok(())
    }
}

/// An array in the order of its file, in the numbers of this machine.
pub(super) struct Dense<A> {
    pub(super) shape: Vec<usize>,
    /// The first axis runs fastest.
    pub(super) fortran: bool,
    /// As many elements as the shape has.
    pub(super) data: Vec<A>,
}

/// Reads an array of `axes` axes, or of however many it has.
///
/// Through serde's buffer it comes as nested sequences: every number has to survive exactly, and so has the shape, which an
/// array without elements may have lost.
pub(super) fn read<'de, A: Number, D: Deserializer<'de>>(
    axes: Option<usize>,
    deserializer: D,
) -> Result<Dense<A>, D::Error> {
    let parts = Parts {
        axes,
        element: PhantomData,
    };
    let nested = |shape: Vec<usize>, data: Vec<A>| {
        let known = match axes {
            Some(axes) => axes == shape.len(),
            None => !data.is_empty() || shape.is_empty(),
        };
        if known {
            return Ok(Dense {
                shape,
                fortran: false,
                data,
            });
        }
        let found = Tuple(&shape.iter().map(usize::to_string).collect::<Vec<_>>()).to_string();
        let expected = axes.map_or_else(|| "elements".to_string(), |axes| format!("{axes} axes"));
        Err(Error::new(
            ErrorKind::TypeMismatch,
            format_args!(
                "found an array of the shape {found} in serde's buffer (flatten, untagged or tagged enums), expected {expected}: \
                 the buffer does not keep the shape of an array without elements"
            ),
        ))
    };
    read_whole(parts, nested, deserializer)
}

struct Parts<A> {
    axes: Option<usize>,
    element: PhantomData<A>,
}

impl<'de, A: Number> DeserializeSeed<'de> for Parts<A> {
    type Value = Dense<A>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Dense<A>, D::Error> {
        deserializer.deserialize_struct(ORDERED, &["dim", "fortran", "data"], self)
    }
}

impl<'de, A: Number> Visitor<'de> for Parts<A> {
    type Value = Dense<A>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an array")
    }

    fn visit_newtype_struct<D: Deserializer<'de>>(self, deserializer: D) -> Result<Dense<A>, D::Error> {
        deserializer.deserialize_map(self)
    }

    fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<Dense<A>, M::Error> {
        map.next_key::<IgnoredAny>()?;
        let shape = map.next_value_seed(Shape {
            axes: self.axes,
            complex: matches!(A::dtype().kind, Kind::Complex { .. }),
        })?;
        map.next_key::<IgnoredAny>()?;
        let fortran = map.next_value()?;
        map.next_key::<IgnoredAny>()?;
        let data: Vec<A> = map.next_value()?;
        let count = shape.iter().try_fold(1, |n: usize, &axis| n.checked_mul(axis));
        if count != Some(data.len()) || self.axes.is_some_and(|axes| axes != shape.len()) {
            return Err(de::Error::invalid_length(
                data.len(),
                &"as many as the shape of the array tells",
            ));
        }
        Ok(Dense { shape, fortran, data })
    }
}

struct Shape {
    axes: Option<usize>,
    complex: bool,
}

impl<'de> DeserializeSeed<'de> for Shape {
    type Value = Vec<usize>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Vec<usize>, D::Error> {
        match self.axes {
            None => deserializer.deserialize_seq(self),
            Some(axes) if self.complex => deserializer.deserialize_tuple_struct(PAIRS, axes, self),
            Some(axes) => deserializer.deserialize_tuple(axes, self),
        }
    }
}

impl<'de> Visitor<'de> for Shape {
    type Value = Vec<usize>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the shape of an array")
    }

    fn visit_seq<S: SeqAccess<'de>>(self, mut seq: S) -> Result<Vec<usize>, S::Error> {
        let mut shape = Vec::new();
        while let Some(axis) = seq.next_element()? {
            shape.push(axis);
        }
        Ok(shape)
    }
}
