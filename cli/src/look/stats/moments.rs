//! Count, extremes, mean and deviation of a block, and of blocks together.

/// What is known of numbers; NaN are counted and otherwise left out.
#[derive(Clone, Copy, Debug)]
pub struct Moments<T> {
    /// All values, NaN as well.
    pub count: u64,
    pub nan: u64,
    pub inf: u64,
    pub zeros: u64,
    /// `None` without a value that is no NaN.
    pub range: Option<(T, T)>,
    pub mean: f64,
    /// The sum of squared distances from the mean.
    squares: f64,
}

impl<T: Copy + PartialOrd> Moments<T> {
    /// The standard deviation, as `np.std`.
    pub fn std(&self) -> f64 {
        (self.squares / self.known()).sqrt()
    }

    fn known(&self) -> f64 {
        (self.count - self.nan) as f64
    }

    /// With the values of a later block.
    pub fn merge(&mut self, other: &Self) {
        let (ours, theirs) = (self.known(), other.known());
        if theirs > 0.0 {
            let (delta, all) = (other.mean - self.mean, ours + theirs);
            match ours > 0.0 {
                true => {
                    self.mean += delta * (theirs / all);
                    self.squares += other.squares + delta * delta * (ours * theirs / all);
                }
                false => (self.mean, self.squares) = (other.mean, other.squares),
            }
        }
        self.range = match (self.range, other.range) {
            (Some((a, b)), Some((c, d))) => Some((if c < a { c } else { a }, if d > b { d } else { b })),
            (ours, theirs) => ours.or(theirs),
        };
        self.count += other.count;
        self.nan += other.nan;
        self.inf += other.inf;
        self.zeros += other.zeros;
    }
}

/// Sums are kept in as many lanes, which the processor adds at once.
const LANES: usize = 8;

/// The moments of floats.
pub fn floats(values: &[f64]) -> Moments<f64> {
    let (mut low, mut high) = ([f64::INFINITY; LANES], [f64::NEG_INFINITY; LANES]);
    let mut sums = [0.0; LANES];
    let (mut nan, mut inf, mut zeros) = ([0_u64; LANES], [0_u64; LANES], [0_u64; LANES]);
    let mut one = |lane: usize, v: f64| {
        low[lane] = if v < low[lane] { v } else { low[lane] };
        high[lane] = if v > high[lane] { v } else { high[lane] };
        sums[lane] += if v.is_nan() { 0.0 } else { v };
        nan[lane] += u64::from(v.is_nan());
        inf[lane] += u64::from(v.is_infinite());
        zeros[lane] += u64::from(v == 0.0);
    };
    let chunks = values.chunks_exact(LANES);
    for (lane, &v) in chunks.remainder().iter().enumerate() {
        one(lane, v);
    }
    for chunk in chunks {
        for (lane, &v) in chunk.iter().enumerate() {
            one(lane, v);
        }
    }
    let count = values.len() as u64;
    let nan: u64 = nan.iter().sum();
    let mean = sums.iter().sum::<f64>() / (count - nan) as f64;
    let squares = squares(values, mean);
    let low = low.into_iter().fold(f64::INFINITY, f64::min);
    let high = high.into_iter().fold(f64::NEG_INFINITY, f64::max);
    Moments {
        count,
        nan,
        inf: inf.iter().sum(),
        zeros: zeros.iter().sum(),
        range: (count > nan).then_some((low, high)),
        mean,
        squares,
    }
}

fn squares(values: &[f64], mean: f64) -> f64 {
    let mut sums = [0.0; LANES];
    let one = |v: f64| {
        let d = if v.is_nan() { 0.0 } else { v - mean };
        d * d
    };
    let chunks = values.chunks_exact(LANES);
    for (sum, &v) in sums.iter_mut().zip(chunks.remainder()) {
        *sum += one(v);
    }
    for chunk in chunks {
        for (sum, &v) in sums.iter_mut().zip(chunk) {
            *sum += one(v);
        }
    }
    sums.iter().sum()
}

/// The moments of integers: extremes exact, the rest as floats.
pub fn integers<T: Copy + Ord + Default>(values: &[T], float: impl Fn(T) -> f64) -> Moments<T> {
    let floats: Vec<f64> = values.iter().map(|&v| float(v)).collect();
    let sum: f64 = floats.chunks(1024).map(|chunk| chunk.iter().sum::<f64>()).sum();
    let mean = sum / values.len() as f64;
    let range = values.iter().min().zip(values.iter().max());
    Moments {
        count: values.len() as u64,
        nan: 0,
        inf: 0,
        zeros: values.iter().filter(|&&v| v == T::default()).count() as u64,
        range: range.map(|(&low, &high)| (low, high)),
        mean,
        squares: squares(&floats, mean),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_together_are_the_whole() {
        let values: Vec<f64> = (0..1000).map(|i| f64::from(i * i % 97) + 1e6).collect();
        let whole = floats(&values);
        let mut parts = floats(&[]);
        for part in values.chunks(37) {
            parts.merge(&floats(part));
        }
        assert_eq!((parts.count, parts.range), (whole.count, whole.range));
        assert!((parts.mean - whole.mean).abs() < 1e-9);
        assert!((parts.std() / whole.std() - 1.0).abs() < 1e-12);
    }

    #[test]
    fn nan_are_counted_and_left_out() {
        let mut all = floats(&[]);
        for part in [&[f64::NAN, f64::NAN][..], &[1.0, f64::NAN, 0.0, 5.0], &[f64::NAN]] {
            all.merge(&floats(part));
        }
        assert_eq!((all.count, all.nan, all.zeros, all.range), (7, 4, 1, Some((0.0, 5.0))));
        assert_eq!(all.mean, 2.0);
        assert!(floats(&[]).range.is_none());
        assert!(floats(&[f64::INFINITY, 1.0]).std().is_nan());
    }
}
