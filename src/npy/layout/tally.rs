//! What a walk over a value has met: how many things, and of which kinds.
//!
//! A value is walked more than once where its layout has to be known before its bytes. Two walks over one value agree in
//! what they meet; where they do not, the value serialized differently the second time, and nothing it gave may be lost.

use crate::npy::whole::{Number, Whole};

/// The things met so far, summed up: each kind has a weight of its own, so that equal sums mean the same things.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Tally {
    sum: u64,
    /// Something was not looked at: it was too deep inside of other things, or behind an error.
    incomplete: bool,
    /// A number came from a type that may give one of another kind the next time, as an enum may.
    open: bool,
}

/// A kind of things, with its weight, a random number. What may be laid out alike has one weight.
#[derive(Clone, Copy)]
#[repr(u64)]
pub(crate) enum Thing {
    Bool = 0x9b2f_4c83_e1d7_5a69,
    /// A time too.
    Integer = 0xd3a1_70e5_8c4b_92f7,
    /// A None that becomes NaN too.
    Float = 0x6e85_b9d1_37fa_c40d,
    Complex = 0xa7c4_1e6f_d852_3b91,
    /// Bytes too.
    Text = 0x58d9_f230_6ba7_e1c5,
    None = 0xc16b_85a4_f93e_07d3,
    Unit = 0x3f70_d6c9_a218_5eb7,
    /// A sequence or tuple.
    Sequence = 0xe24a_9b57_0dc3_681f,
    /// A struct or map.
    Struct = 0xb8f6_035d_492c_a7e1,
    /// A variant with a single value.
    Variant = 0xf519_28b6_7e03_cd4d,
    /// What takes members of its own, whatever is inside.
    Members = 0x2ba5_5d4e_c876_f039,
}

impl Tally {
    #[inline(always)]
    pub(crate) fn add(&mut self, thing: Thing) {
        self.sum = self.sum.wrapping_add(thing as u64);
    }

    pub(crate) fn add_all(&mut self, other: Tally) {
        self.sum = self.sum.wrapping_add(other.sum);
        self.incomplete |= other.incomplete;
        self.open |= other.open;
    }

    /// A number came from a type that is none itself.
    pub(crate) fn note_open(&mut self) {
        self.open = true;
    }

    /// Whether every number came from a type that gives no other kind.
    pub(crate) fn is_closed(self) -> bool {
        !self.open
    }

    /// As [`Tally::add`].
    pub(crate) fn and(mut self, thing: Thing) -> Tally {
        self.add(thing);
        self
    }

    /// What is met in a sequence of `len` elements, in each of which this is met.
    pub(crate) fn repeated(self, len: u64) -> Tally {
        Tally {
            sum: self.sum.wrapping_mul(len),
            ..self
        }
        .and(Thing::Sequence)
    }

    /// Replaces what was added `times` times too often by as many times None.
    pub(crate) fn add_nones(&mut self, instead_of: Tally, times: u64) {
        let none = Tally::default().and(Thing::None);
        self.sum = self
            .sum
            .wrapping_add(none.sum.wrapping_sub(instead_of.sum).wrapping_mul(times));
    }

    /// Something is there that nobody looks at.
    pub(crate) fn skip(&mut self) {
        self.incomplete = true;
    }

    /// What was met since `before`.
    pub(crate) fn since(self, before: Tally) -> Tally {
        Tally {
            sum: self.sum.wrapping_sub(before.sum),
            ..self
        }
    }

    /// Whether two walks met the same, as far as both have looked.
    pub(crate) fn agrees(self, other: Tally) -> bool {
        self.sum == other.sum || self.incomplete || other.incomplete
    }

    /// Adds what a walk along a whole slice would have met.
    pub(crate) fn add_whole(&mut self, whole: &Whole<'_>) {
        let number = Tally::default().and(Thing::of_number(whole.number));
        let element = whole.row.map_or(number, |row| number.repeated(row as u64));
        self.add_all(element.repeated(whole.len as u64));
    }
}

impl Thing {
    pub(crate) fn of_number(number: Number) -> Thing {
        match number {
            Number::Bool => Thing::Bool,
            Number::F16 | Number::F32 | Number::F64 => Thing::Float,
            Number::C64 | Number::C128 => Thing::Complex,
            _ => Thing::Integer,
        }
    }
}
