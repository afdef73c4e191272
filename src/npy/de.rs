//! The bytes of an array to a value.

pub(crate) mod array;
pub(crate) mod budget;
pub(crate) mod data;
pub(crate) mod element;
pub(crate) mod key;
mod ndarray;
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
use crate::error::Result;
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
    body(ArrayDeserializer::new(&mut ArrayData::new(
        header, &plan, source, options,
    )?))
}
