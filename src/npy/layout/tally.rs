//! What a walk over a value has met: how many things, and of which kinds.
//!
//! A value is walked more than once where its layout has to be known before its bytes. Two walks over one value agree in
//! what they meet; where they do not, the value serialized differently the second time, and nothing it gave may be lost.

use crate::npy::whole::{Number, Whole};

/// The things met so far, summed up: each kind has a weight of its own, so that equal sums mean the same things.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Tally(u64);

/// A kind of things, with its weight, a random number. What may be laid out alike has one weight.
#[derive(Clone, Copy)]
#[repr(u64)]
pub(crate) enum Thing {
    Bool = 0x9b2f_4c83_e1d7_5a69,
    /// Times are integers too.
    Integer = 0xd3a1_70e5_8c4b_92f7,
    /// So is a None that becomes NaN.
    Float = 0x6e85_b9d1_37fa_c40d,
    Complex = 0xa7c4_1e6f_d852_3b91,
    /// Texts and bytes.
    Text = 0x58d9_f230_6ba7_e1c5,
    None = 0xc16b_85a4_f93e_07d3,
    Unit = 0x3f70_d6c9_a218_5eb7,
    Sequence = 0xe24a_9b57_0dc3_681f,
    Tuple = 0x7d13_6af8_b5e9_42cb,
    Struct = 0xb8f6_035d_492c_a7e1,
    Map = 0x4c2e_e791_86d5_1fa3,
    Variant = 0xf519_28b6_7e03_cd4d,
    /// What takes members of its own, whatever is inside.
    Members = 0x2ba5_5d4e_c876_f039,
}

impl Tally {
    #[inline(always)]
    pub(crate) fn add(&mut self, thing: Thing) {
        self.0 = self.0.wrapping_add(thing as u64);
    }

    /// Adds what a walk along so many texts would have met.
    pub(crate) fn add_texts(&mut self, count: u64) {
        self.add(Thing::Sequence);
        self.0 = self.0.wrapping_add((Thing::Text as u64).wrapping_mul(count));
    }

    /// Adds what a walk along a whole slice would have met.
    pub(crate) fn add_whole(&mut self, whole: &Whole<'_>) {
        self.add(Thing::Sequence);
        let number = of_number(whole.number) as u64;
        let element = match whole.row {
            Some(row) => number.wrapping_mul(row as u64).wrapping_add(Thing::Tuple as u64),
            None => number,
        };
        self.0 = self.0.wrapping_add(element.wrapping_mul(whole.len as u64));
    }
}

fn of_number(number: Number) -> Thing {
    match number {
        Number::Bool => Thing::Bool,
        Number::F16 | Number::F32 | Number::F64 => Thing::Float,
        Number::C64 | Number::C128 => Thing::Complex,
        _ => Thing::Integer,
    }
}
