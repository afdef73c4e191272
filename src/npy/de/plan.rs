//! How the elements of one array are read: what they are, by which rules, and what has been learned about them so far.

use std::any::{TypeId, type_name};
use std::cell::Cell;
use std::hash::{Hash, Hasher};
use std::mem;
use std::ptr;
use std::sync::Arc;

use crate::error::Result;
use crate::format::dtype::{Dtype, Kind, Record};
use crate::format::header::Header;
use crate::npy::de::budget::Budget;
use crate::npy::whole::Number;
use crate::options::{Casting, ReadOptions};

/// One for all elements of an array.
pub(crate) struct Plan {
    /// That of the header, where a value that has a mask is one with it.
    pub(crate) dtype: Dtype,
    /// What each element is, where it is a plain number in the byte order of this machine.
    pub(crate) number: Option<Number>,
    pub(crate) casting: Casting,
    pub(crate) squeeze: bool,
    pub(crate) budget: Arc<Budget>,
    /// The zero-sized elements of subarrays, over all elements of the array: taken from the budget with the first
    /// such subarray that is asked for.
    zero_sized: Cell<u64>,
    /// Cache: a record of `dtype`, by its address, and a visitor that takes its fields in just their order.
    ordered: [Cell<Option<(usize, TypeId)>>; 4],
}

impl Plan {
    pub(crate) fn new(header: &Header, options: &ReadOptions, budget: &Arc<Budget>) -> Self {
        let zero_sized = header.count().saturating_mul(zero_sized(header.dtype()));
        Plan {
            number: Number::native(header.dtype()),
            dtype: header.dtype().with_masks().unwrap_or_else(|| header.dtype().clone()),
            casting: options.casting,
            squeeze: options.squeeze,
            budget: Arc::clone(budget),
            zero_sized: Cell::new(zero_sized),
            ordered: [const { Cell::new(None) }; 4],
        }
    }

    /// By the same rules, for a part of the elements whose dtype had to be made: it has addresses of its own.
    pub(crate) fn of(&self, dtype: Dtype) -> Result<Self> {
        self.charge_zero_sized()?;
        Ok(Plan {
            number: Number::native(&dtype),
            dtype: dtype.with_masks().unwrap_or(dtype),
            casting: self.casting,
            squeeze: self.squeeze,
            budget: Arc::clone(&self.budget),
            zero_sized: Cell::new(0),
            ordered: [const { Cell::new(None) }; 4],
        })
    }

    /// Takes the zero-sized elements of all subarrays from the budget, once for the array: no byte proves them, and a few
    /// in each of many elements add up.
    pub(crate) fn charge_zero_sized(&self) -> Result<()> {
        self.budget.take_zero_sized(self.zero_sized.get())?;
        self.zero_sized.set(0);
        Ok(())
    }

    /// Whether `V` is known to take the fields of `record`, which is a part of `dtype`, in their order.
    #[inline(always)]
    pub(crate) fn is_ordered<V>(&self, record: &Record, names: &'static [&'static str]) -> bool {
        // The length is a constant where this is inlined: it lets the compiler unroll the loop over the fields.
        self.slot(record).get() == Some((address(record), typeid::of::<V>())) && record.fields.len() == names.len()
    }

    /// Notes that `V` takes the fields of `record` in their order.
    pub(crate) fn remember<V>(&self, record: &Record) {
        self.slot(record).set(Some((address(record), typeid::of::<V>())));
    }

    #[inline(always)]
    fn slot(&self, record: &Record) -> &Cell<Option<(usize, TypeId)>> {
        &self.ordered[address(record) / align_of::<Record>() % self.ordered.len()]
    }
}

#[inline(always)]
fn address(record: &Record) -> usize {
    ptr::from_ref(record).addr()
}

/// Whether `V`, which has these field names, may turn out to take the fields of `record` in their order.
pub(crate) fn may_be_ordered<V>(record: &Record, names: &'static [&'static str]) -> bool {
    may_be_derived::<V>()
        && is_derived(type_name::<V>())
        && record.fields.iter().map(|field| &*field.name).eq(names.iter().copied())
}

/// The place of a variant in its enum: what serde's derive makes of a field's name is an enum of the fields in the order
/// in which the struct takes them. The names that came along do not tell that order: whoever stands between the struct
/// and us may have passed others.
pub(crate) fn variant_index<K>(key: &K) -> Option<usize> {
    struct Index(Option<usize>);

    impl Hasher for Index {
        fn finish(&self) -> u64 {
            0
        }

        fn write(&mut self, bytes: &[u8]) {
            self.0 = bytes.try_into().ok().map(usize::from_ne_bytes);
        }
    }

    let mut index = Index(None);
    mem::discriminant(key).hash(&mut index);
    index.0
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

/// Whether `T` is an `Option` of a type of this crate that holds any array: to such a type, NaT is an element like others.
pub(crate) fn holds_any_array<T>() -> bool {
    let name = type_name::<T>();
    ["value::", "view::"].iter().any(|room| {
        let inner = name.strip_prefix("core::option::Option<serde_npz::");
        inner.is_some_and(|inner| inner.starts_with(room))
    })
}

/// The zero-sized elements of subarrays within one element.
fn zero_sized(dtype: &Dtype) -> u64 {
    match &dtype.kind {
        Kind::Record(record) => record
            .fields
            .iter()
            .fold(0, |all, field| all.saturating_add(zero_sized(&field.dtype))),
        Kind::Array { item, shape } => {
            let own = if dtype.itemsize() == 0 { visits(shape) } else { 0 };
            let count = shape.iter().fold(1_u64, |all, &n| all.saturating_mul(n));
            own.saturating_add(count.saturating_mul(zero_sized(item)))
        }
        Kind::Masked(masked) => zero_sized(&masked.value.dtype),
        _ => 0,
    }
}

/// How many sequences and elements a walk along these axes visits; it never gets past an axis that is empty.
///
/// All of them take memory: behind one long axis, thirty axes of length 1 are thirty sequences for each element.
pub(crate) fn visits(shape: &[u64]) -> u64 {
    shape
        .iter()
        .take_while(|&&n| n != 0)
        .scan(1_u64, |all, &n| {
            *all = all.saturating_mul(n);
            Some(*all)
        })
        .fold(0, u64::saturating_add)
}
