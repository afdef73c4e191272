//! Archives whose checksums, sizes and offsets are put right after the mutation, so that it reaches what lies behind.
//!
//! The first byte says what is repaired; the rest is an archive, or the plan of one.
#![no_main]

use arbitrary::{Arbitrary, Unstructured};
use libfuzzer_sys::fuzz_target;
use serde_npz_fuzz::npz;
use serde_npz_fuzz::repair::{Plan, Repair, repair};

fuzz_target!(|data: &[u8]| {
    let Some((&mask, rest)) = data.split_first() else { return };
    if mask & 0x80 == 0 {
        if let Ok(plan) = Plan::arbitrary(&mut Unstructured::new(rest)) {
            npz(&plan.build());
        }
    } else if let Some(archive) = repair(rest, Repair(mask)) {
        npz(&archive);
    }
});
