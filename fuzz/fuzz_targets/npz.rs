//! An archive as it comes: names, headers, every member in every way, all of it.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| serde_npz_fuzz::npz(data));
