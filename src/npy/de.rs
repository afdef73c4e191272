//! The bytes of an array to a value.

pub(crate) mod array;
pub(crate) mod budget;
pub(crate) mod data;
pub(crate) mod element;
pub(crate) mod key;
pub(crate) mod ndarray;
mod ordered;
pub(crate) mod plan;
pub(crate) mod raw;
pub(crate) mod transpose;

use std::marker::PhantomData;
use std::sync::Arc;

use serde::Deserialize;
use serde::de::DeserializeSeed;

use self::array::ArrayDeserializer;
use self::budget::Budget;
use self::data::ArrayData;
use self::element::hand;
use self::plan::Plan;
use crate::error::{Cause, Error, ErrorKind, Result, nearest};
use crate::format::dtype::{Kind, Tuple};
use crate::format::header::Header;
use crate::io::source::Source;
use crate::options::ReadOptions;

/// Reads the array of this header, whose data comes next, as a call of its own.
pub(crate) fn read_array<'de, T: Deserialize<'de>>(
    header: Header,
    source: &mut dyn Source<'de>,
    options: &ReadOptions,
) -> Result<T> {
    read_array_seed(header, source, options, PhantomData)
}

/// As [`read_array`], for the value of a seed.
pub(crate) fn read_array_seed<'de, T: DeserializeSeed<'de>>(
    header: Header,
    source: &mut dyn Source<'de>,
    options: &ReadOptions,
    seed: T,
) -> Result<T::Value> {
    let budget = Budget::new(&options.limits);
    with_array(header, source, options, &budget, |array| hand(seed, array))
        .map_err(|err| module_of(std::any::type_name::<T::Value>(), err))
}

/// Runs `body` on the array of this header, whose data comes next.
pub(crate) fn with_array<'de, T>(
    header: Header,
    source: &mut dyn Source<'de>,
    options: &ReadOptions,
    budget: &Arc<Budget>,
    body: impl FnOnce(ArrayDeserializer<'_, '_, 'de>) -> Result<T>,
) -> Result<T> {
    let plan = Plan::new(&header, options, budget);
    let mut data = ArrayData::new(header, &plan, source, options)?;
    body(ArrayDeserializer::new(&mut data)).map_err(|err| explain(err, &data.header))
}

/// Adds to an error what only the header tells: the shape of the whole array, the names of its fields.
#[cold]
fn explain(mut err: Error, header: &Header) -> Error {
    match err.take_cause() {
        Some(Cause::Axes) => err.with_fact(format_args!(", in an array of the shape {}", Tuple(header.shape()))),
        Some(Cause::MissingField(field)) if matches!(header.dtype().kind, Kind::Record(_)) => {
            err.with_fact(nearest(field, header.dtype().fields().iter().map(|field| field.name())))
        }
        cause => err.with_cause(cause),
    }
}

/// Names the module for types that have one, where reading them has failed and nothing else is advised.
#[cold]
pub(crate) fn module_of(target: &str, err: Error) -> Error {
    const WRAPPERS: [&str; 5] = [
        "alloc::vec::Vec<",
        "alloc::boxed::Box<",
        "alloc::sync::Arc<",
        "core::option::Option<",
        "[",
    ];
    let mut bare = target;
    while let Some(inner) = WRAPPERS.iter().find_map(|wrapper| bare.strip_prefix(wrapper)) {
        bare = inner;
    }
    let hint = if bare.starts_with("ndarray::") {
        "`with::ndarray_0_17` on the field reads an ndarray of numbers from an array of as many axes, in either order"
    } else if bare.starts_with("nalgebra::") {
        "`with::nalgebra_0_34` on the field reads a matrix from an array of two axes, a vector from one of one"
    } else {
        return err;
    };
    match err.kind() {
        ErrorKind::Io | ErrorKind::LimitExceeded => err,
        _ if err.hint().is_some() => err,
        _ => err.with_hint(hint),
    }
}
