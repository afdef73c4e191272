//! Exact quantiles of any number of values in constant memory: each pass finds 16 more bits of the values at the ranks.

use std::collections::BTreeMap;

/// The bits of each pass.
const BITS: u32 = 16;

/// Values by their ranks: sorted keys of 64 bits of which more and more bits are known.
pub struct Ranks {
    /// How many bits are known.
    known: u32,
    /// For each rank: the known bits, and how many keys with these bits come before it.
    places: Vec<(u64, u64)>,
}

/// How often each of the next bits follows the known ones.
pub type Counts = BTreeMap<u64, Vec<u64>>;

impl Ranks {
    pub fn new(ranks: &[u64]) -> Self {
        Ranks {
            known: 0,
            places: ranks.iter().map(|&rank| (0, rank)).collect(),
        }
    }

    pub fn is_done(&self) -> bool {
        self.known == u64::BITS
    }

    /// The keys at the ranks, once all bits are known.
    pub fn keys(&self) -> impl Iterator<Item = u64> {
        self.places.iter().map(|place| place.0)
    }

    /// Counts the keys of a block.
    pub fn count(&self, keys: &[u64]) -> Counts {
        let shift = u64::BITS - self.known - BITS;
        let mut prefixes: Vec<u64> = self.places.iter().map(|place| place.0).collect();
        prefixes.dedup();
        let mut counts: Vec<Vec<u64>> = vec![vec![0; 1 << BITS]; prefixes.len()];
        for &key in keys {
            let next = key >> shift;
            let known = if self.known == 0 { 0 } else { next >> BITS };
            for (prefix, counts) in prefixes.iter().zip(&mut counts) {
                counts[(next & 0xffff) as usize] += u64::from(*prefix == known);
            }
        }
        prefixes.into_iter().zip(counts).collect()
    }

    /// Takes the counts of all blocks: the next bits are known.
    pub fn narrow(&mut self, counts: &Counts) {
        for (prefix, rank) in &mut self.places {
            let Some(counts) = counts.get(prefix) else {
                continue;
            };
            let mut bits = 0;
            for (value, &count) in counts.iter().enumerate() {
                bits = value as u64;
                if *rank < count {
                    break;
                }
                *rank -= count;
            }
            *prefix = *prefix << BITS | bits;
        }
        self.known += BITS;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_keys_at_the_ranks() {
        let keys: Vec<u64> = (0..5000_u64)
            .map(|i| i.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> (i % 40))
            .collect();
        let mut sorted = keys.clone();
        sorted.sort_unstable();
        let ranks = [0, 1, 1250, 2499, 2500, 4999];
        let mut found = Ranks::new(&ranks);
        while !found.is_done() {
            let counts = found.count(&keys);
            found.narrow(&counts);
        }
        assert!(found.keys().eq(ranks.map(|rank| sorted[rank as usize])));
    }
}
