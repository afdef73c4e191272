//! How the elements of one array are read: what they are, by which rules, and what is known of them by now.

use std::cell::Cell;
use std::ptr;

use crate::bulk::Number;
use crate::dtype::{Dtype, Kind, Record};
use crate::header::Header;
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
    /// Records and the names their fields were found to have, in that order; by their addresses: neither is gone before this.
    named: [Cell<(*const Record, *const &'static str)>; 4],
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
            named: [const { Cell::new((ptr::null(), ptr::null())) }; 4],
        }
    }

    /// By the same rules, of a dtype that is no part of this one: nothing may be known of it by its address.
    pub(crate) fn of(&self, dtype: Dtype) -> Self {
        Plan::with(dtype, self.rules)
    }

    /// Whether the fields of `record`, which is a part of `dtype`, are known to have just these names, in this order.
    #[inline(always)]
    pub(crate) fn is_named(&self, record: &Record, names: &'static [&'static str]) -> bool {
        self.slot(names).get() == (ptr::from_ref(record), names.as_ptr()) && record.fields.len() == names.len()
    }

    /// Compares the names one by one: for all elements together once.
    pub(crate) fn learn(&self, record: &Record, names: &'static [&'static str]) {
        if record.fields.iter().map(|field| &*field.name).eq(names.iter().copied()) {
            self.slot(names).set((ptr::from_ref(record), names.as_ptr()));
        }
    }

    #[inline(always)]
    fn slot(&self, names: &'static [&'static str]) -> &Cell<(*const Record, *const &'static str)> {
        &self.named[names.as_ptr() as usize / size_of::<&str>() % self.named.len()]
    }
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
