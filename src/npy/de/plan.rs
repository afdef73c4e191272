//! How the elements of one array are read: what they are, by which rules, and what is known of them by now.

use std::any::{TypeId, type_name};
use std::cell::Cell;
use std::ptr;

use crate::format::dtype::{Dtype, Kind, Record};
use crate::format::header::Header;
use crate::npy::whole::Number;
use crate::options::{Casting, ReadOptions};

/// What of the options matters to the elements.
#[derive(Clone, Copy)]
pub(crate) struct Rules {
    pub(crate) casting: Casting,
    pub(crate) any_elements: u64,
    /// No more elements without a byte than these are looped over.
    pub(crate) most_byteless: u64,
    /// The elements of subarrays that no byte proves, of all elements together.
    pub(crate) byteless: u64,
}

/// One for all elements of an array.
pub(crate) struct Plan {
    pub(crate) dtype: Dtype,
    /// What each element is where it is a plain number.
    pub(crate) number: Option<Number>,
    pub(crate) rules: Rules,
    /// Records, by their addresses, as none is gone before this; and visitors that take their fields in just that order.
    ordered: [Cell<Option<(*const Record, TypeId)>>; 4],
}

impl Plan {
    pub(crate) fn new(header: &Header, options: &ReadOptions) -> Self {
        let limits = &options.limits;
        let rules = Rules {
            casting: options.casting,
            any_elements: limits.any_elements,
            most_byteless: limits.byteless,
            byteless: header.count().saturating_mul(byteless(header.dtype())),
        };
        Plan::with(header.dtype().clone(), rules)
    }

    fn with(dtype: Dtype, rules: Rules) -> Self {
        Plan {
            number: Number::native(&dtype),
            dtype,
            rules,
            ordered: [const { Cell::new(None) }; 4],
        }
    }

    /// By the same rules, of a dtype that is no part of this one: nothing may be known of it by its address.
    pub(crate) fn of(&self, dtype: Dtype) -> Self {
        Plan::with(dtype, self.rules)
    }

    /// Whether it is known by now that `V` takes the fields of `record`, which is a part of `dtype`, in their order.
    #[inline(always)]
    pub(crate) fn is_ordered<V>(&self, record: &Record, names: &'static [&'static str]) -> bool {
        // The length is known where this is called, and makes a row of reads of what would be a loop.
        self.slot(record).get() == Some((ptr::from_ref(record), typeid::of::<V>()))
            && record.fields.len() == names.len()
    }

    /// Compares the fields of `record` with those that `V` names, once for all elements.
    pub(crate) fn learn<V>(&self, record: &Record, names: &'static [&'static str]) {
        let named = record.fields.iter().map(|field| &*field.name).eq(names.iter().copied());
        if named && is_derived(type_name::<V>()) {
            self.slot(record).set(Some((ptr::from_ref(record), typeid::of::<V>())));
        }
    }

    #[inline(always)]
    fn slot(&self, record: &Record) -> &Cell<Option<(*const Record, TypeId)>> {
        &self.ordered[ptr::from_ref(record) as usize / align_of::<Record>() % self.ordered.len()]
    }
}

/// Whether a visitor may be what serde's derive makes of a struct.
#[inline(always)]
pub(crate) fn may_be_derived<V>() -> bool {
    let visitor = type_name::<V>();
    visitor.ends_with("::__Visitor") || visitor.ends_with("::__Visitor<'_>")
}

/// Whether it is: `krate::module::_::<impl serde::Deserialize for krate::module::Type>::deserialize::__Visitor`.
///
/// That takes its fields by their order as well as by their names. A visitor written by hand may take a map alone; it is
/// not found in a constant without a name.
fn is_derived(visitor: &str) -> bool {
    let outer = visitor
        .rsplit_once(">::deserialize::__Visitor")
        .map_or("", |(outer, _)| outer);
    outer.contains("::_::<impl ")
}

/// The elements of subarrays in one element that no byte of it proves.
fn byteless(dtype: &Dtype) -> u64 {
    match &dtype.kind {
        Kind::Record(record) => record
            .fields
            .iter()
            .fold(0, |all, field| all.saturating_add(byteless(&field.dtype))),
        Kind::Array { item, shape } => {
            let own = if dtype.itemsize() == 0 { stops(shape) } else { 0 };
            let count = shape.iter().fold(1_u64, |all, &n| all.saturating_mul(n));
            own.saturating_add(count.saturating_mul(byteless(item)))
        }
        _ => 0,
    }
}

/// How many sequences and elements a walk along these axes meets; it never gets past an axis that is empty.
///
/// All of them take memory: below one long axis, thirty axes of length 1 are thirty sequences for each element.
pub(crate) fn stops(shape: &[u64]) -> u64 {
    shape
        .iter()
        .take_while(|&&n| n != 0)
        .scan(1_u64, |all, &n| {
            *all = all.saturating_mul(n);
            Some(*all)
        })
        .fold(0, u64::saturating_add)
}
