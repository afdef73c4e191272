//! Integers of 128 bits, which NumPy does not have: records of two halves.
//!
//! ```text
//! u128   [('lo', '<u8'), ('hi', '<u8')]
//! i128   [('lo', '<u8'), ('hi', '<i8')]
//! ```

use super::{Dtype, Field, Kind, Number, Record};

/// An integer type of 128 bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Wide {
    I128,
    U128,
}

impl Wide {
    pub(crate) fn dtype(self) -> Dtype {
        let hi = match self {
            Wide::I128 => Number::I64,
            Wide::U128 => Number::U64,
        };
        let half = |name: &str, offset, number: Number| Field {
            name: name.to_owned(),
            title: None,
            offset,
            size: 8,
            number: Number::native(&number.dtype()),
            dtype: number.dtype(),
        };
        Dtype::new(Kind::Record(Record {
            fields: vec![half("lo", 0, Number::U64), half("hi", 8, hi)],
            itemsize: 16,
        }))
    }
}

/// The halves of an integer of 128 bits, the lower one first, if a record is one: in any order, byte order and distance.
pub(crate) fn halves(record: &Record) -> Option<[&Field; 2]> {
    let [a, b] = &record.fields[..] else { return None };
    let (lo, hi) = if a.name == "lo" { (a, b) } else { (b, a) };
    let fits = lo.name == "lo"
        && hi.name == "hi"
        && matches!(lo.dtype.kind, Kind::Uint { size: 8, .. })
        && matches!(hi.dtype.kind, Kind::Uint { size: 8, .. } | Kind::Int { size: 8, .. });
    fits.then_some([lo, hi])
}
