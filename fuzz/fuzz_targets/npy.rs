//! A lone array into a value of any kind, into one of many types, and row by row.
#![no_main]

use std::collections::BTreeMap;
use std::time::{Duration, SystemTime};

use libfuzzer_sys::fuzz_target;
use num_complex::Complex;
use serde::Deserialize;
use serde_bytes::ByteBuf;
use serde_npz_fuzz::{npy, rows};

#[derive(Debug, Deserialize)]
#[allow(dead_code, reason = "read for the reading's sake")]
struct Record {
    a: f64,
    #[serde(default)]
    b: Option<i32>,
    #[serde(default)]
    c: (u8, String),
}

#[derive(Debug, Deserialize)]
enum Unit {
    A,
    B,
}

const TYPED: &[fn(&[u8])] = &[
    npy::<f64>,
    npy::<bool>,
    npy::<String>,
    npy::<Vec<f64>>,
    npy::<Vec<f32>>,
    npy::<Vec<i8>>,
    npy::<Vec<u16>>,
    npy::<Vec<u64>>,
    npy::<Vec<bool>>,
    npy::<Vec<char>>,
    npy::<Vec<half::f16>>,
    npy::<Vec<Complex<f64>>>,
    npy::<Vec<(f32, f32)>>,
    npy::<Vec<[f64; 3]>>,
    npy::<Vec<[i64; 0]>>,
    npy::<Vec<Vec<i32>>>,
    npy::<Vec<Vec<Vec<u8>>>>,
    npy::<Vec<String>>,
    npy::<Vec<ByteBuf>>,
    npy::<ByteBuf>,
    npy::<Vec<Option<f64>>>,
    npy::<Vec<()>>,
    npy::<Vec<Unit>>,
    npy::<Vec<Record>>,
    npy::<Record>,
    npy::<Vec<BTreeMap<String, f64>>>,
    npy::<Vec<Duration>>,
    npy::<SystemTime>,
];

fuzz_target!(|data: &[u8]| {
    // Which type is asked for must not be a part of the file, or no seed would be one.
    let choice = crc32fast::hash(data) as usize % TYPED.len();
    TYPED[choice](data);
    rows(data);
});
