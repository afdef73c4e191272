//! The values that are measured, the same for `benches/save_load.rs` and for the comparison in `benches/peers`.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// Elements of the large cases: 128 MB of f64.
pub const LARGE: usize = 16_000_000;
/// Elements of the deflated cases: 16 MB of f64.
pub const DEFLATED: usize = 2_000_000;
/// Records of the cases of structs.
pub const RECORDS: usize = 2_000_000;
/// Rows of the cases that push them one by one.
pub const PUSHED: usize = 500_000;

/// One member.
#[derive(Serialize, Deserialize)]
pub struct One {
    pub x: Vec<f64>,
}

/// Four members of equal length.
#[derive(Serialize, Deserialize)]
pub struct Four {
    pub a: Vec<f64>,
    pub b: Vec<f64>,
    pub c: Vec<f64>,
    pub d: Vec<f64>,
}

/// One element of a structured array.
#[derive(Clone, Copy, Serialize, Deserialize)]
pub struct Record {
    pub id: u64,
    pub t: f64,
    pub x: f32,
    pub n: i32,
}

/// `n` numbers as a smooth signal has them.
pub fn sines(n: usize) -> Vec<f64> {
    (0..n).map(|i| (0.001 * i as f64).sin()).collect()
}

/// `n` numbers that stay the same for a while, as counters and states do.
pub fn steps(n: usize) -> Vec<i64> {
    (0..n).map(|i| (i / 100) as i64).collect()
}

/// `n` normally distributed numbers of two decimals, as instruments give them.
pub fn gaussians(n: usize) -> Vec<f64> {
    let mut random = Random(1);
    (0..n)
        .map(|_| {
            let radius = (-2.0 * (1.0 - random.unit()).ln()).sqrt();
            let value = radius * (std::f64::consts::TAU * random.unit()).cos();
            (value * 100.0).round() / 100.0
        })
        .collect()
}

/// A quarter of `values` in each member.
pub fn four(values: &[f64]) -> Four {
    let mut parts = values.chunks(values.len().div_ceil(4)).map(<[f64]>::to_vec);
    let mut part = || parts.next().unwrap_or_default();
    Four {
        a: part(),
        b: part(),
        c: part(),
        d: part(),
    }
}

/// 1,000 members of 16 numbers.
pub fn many() -> BTreeMap<String, Vec<f64>> {
    (0..1000).map(|i| (format!("member_{i:04}"), sines(16))).collect()
}

/// `n` structs of 24 bytes.
pub fn records(n: usize) -> Vec<Record> {
    (0..n)
        .map(|i| Record {
            id: i as u64,
            t: i as f64 * 0.5,
            x: i as f32,
            n: -(i as i32),
        })
        .collect()
}

/// A group of a list.
#[derive(Serialize, Deserialize)]
pub struct Layer {
    pub weights: Vec<f32>,
    pub bias: Vec<f32>,
    pub step: u64,
}

/// `n` groups of three members.
pub fn list(n: usize) -> Vec<Layer> {
    (0..n)
        .map(|i| Layer {
            weights: vec![0.5; 8],
            bias: vec![0.25; 2],
            step: i as u64,
        })
        .collect()
}

/// `n` vectors of four numbers.
pub fn short_rows(n: usize) -> Vec<Vec<f64>> {
    (0..n).map(|i| vec![i as f64; 4]).collect()
}

/// `n` words of 1 to 12 letters.
pub fn words(n: usize) -> Vec<String> {
    let mut random = Random(2);
    (0..n)
        .map(|_| {
            let len = 1 + random.next() % 12;
            (0..len).map(|_| (b'a' + (random.next() % 26) as u8) as char).collect()
        })
        .collect()
}

/// Marsaglia's xorshift: the same numbers everywhere.
pub struct Random(pub u64);

impl Random {
    pub fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    /// In 0.0..1.0.
    pub fn unit(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1_u64 << 53) as f64
    }
}
