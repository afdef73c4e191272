//! Any number of values in the room of a picture.
//!
//! ```text
//! Columns    of each column the first, least, largest and last value: a line drawn through them looks like all of it
//! Bins       counts
//! Cells      means, or counts of points
//! ```

use super::scene::{Axis, Bar, Grid, Scale, range};

/// What could not be drawn.
#[derive(Clone, Copy, Default)]
pub struct Left {
    pub nan: u64,
    pub infinite: u64,
    /// Zero or less, on a logarithmic axis.
    pub not_positive: u64,
}

impl Left {
    /// The value as it lies on the axis, or NaN and counted.
    pub fn take(&mut self, scale: Scale, value: f64) -> f64 {
        if value.is_finite() {
            let value = Axis::on(scale, value);
            self.not_positive += u64::from(value.is_nan());
            return value;
        }
        if value.is_nan() {
            self.nan += 1;
        } else {
            self.infinite += 1;
        }
        f64::NAN
    }

    pub fn note(&self) -> Option<String> {
        let words = [
            (self.nan, "NaN"),
            (self.infinite, "infinite"),
            (self.not_positive, "not above 0"),
        ];
        let words = words
            .iter()
            .filter(|(count, _)| *count > 0)
            .map(|(count, word)| format!("{count} {word}"));
        let words: Vec<String> = words.collect();
        (!words.is_empty()).then(|| format!("left out: {}", words.join(", ")))
    }
}

/// A line as what shows of it in so many columns.
pub struct Columns {
    low: f64,
    /// Columns for a step of one.
    per: f64,
    columns: Vec<Column>,
}

#[derive(Clone, Copy)]
enum Column {
    Empty,
    /// Values that are none, and nothing else.
    Gap,
    Values {
        first: (f64, f64),
        least: (f64, f64),
        largest: (f64, f64),
        last: (f64, f64),
    },
}

impl Columns {
    pub fn new(low: f64, high: f64, columns: usize) -> Self {
        let per = columns.max(1) as f64 / (high - low);
        Columns {
            low,
            per: if per.is_finite() { per } else { 0.0 },
            columns: vec![Column::Empty; columns.max(1)],
        }
    }

    pub fn push(&mut self, x: f64, y: f64) {
        let last = self.columns.len() - 1;
        let column = &mut self.columns[(((x - self.low) * self.per) as usize).min(last)];
        let point = (x, y);
        match column {
            _ if y.is_nan() => {
                if matches!(column, Column::Empty) {
                    *column = Column::Gap;
                }
            }
            Column::Values {
                least, largest, last, ..
            } => {
                if y < least.1 {
                    *least = point;
                } else if y > largest.1 {
                    *largest = point;
                }
                *last = point;
            }
            _ => {
                *column = Column::Values {
                    first: point,
                    least: point,
                    largest: point,
                    last: point,
                };
            }
        }
    }

    /// The points of the line; NaN where it has a gap.
    pub fn points(&self) -> Vec<(f64, f64)> {
        let mut points: Vec<(f64, f64)> = Vec::new();
        for column in &self.columns {
            match *column {
                Column::Empty => {}
                Column::Gap => {
                    if points.last().is_some_and(|(_, y)| !y.is_nan()) {
                        points.push((f64::NAN, f64::NAN));
                    }
                }
                Column::Values {
                    first,
                    least,
                    largest,
                    last,
                } => {
                    let mut all = [first, least, largest, last];
                    all[1..3].sort_by(|a, b| a.0.total_cmp(&b.0));
                    if first.0 > last.0 {
                        all[1..3].reverse();
                    }
                    points.extend(all);
                    points.dedup();
                }
            }
        }
        points
    }
}

/// Counts of values between two numbers.
pub struct Bins {
    low: f64,
    high: f64,
    pub counts: Vec<u64>,
}

impl Bins {
    pub fn new(low: f64, high: f64, bins: usize) -> Self {
        Bins {
            low,
            high,
            counts: vec![0; bins.max(1)],
        }
    }

    /// A value outside of both numbers belongs to the bin next to it, NaN to none.
    pub fn push(&mut self, value: f64) {
        if !value.is_nan() {
            let part = (value / 2.0 - self.low / 2.0) / (self.high / 2.0 - self.low / 2.0);
            let last = self.counts.len() - 1;
            self.counts[((part * (last + 1) as f64) as usize).min(last)] += 1;
        }
    }

    pub fn bars(&self, scale: Scale) -> Vec<Bar> {
        let edge = |i: usize| {
            let part = i as f64 / self.counts.len() as f64;
            self.low * (1.0 - part) + self.high * part
        };
        let bars = self.counts.iter().enumerate();
        bars.map(|(i, &count)| Bar {
            from: edge(i),
            to: edge(i + 1),
            value: Axis::on(scale, count as f64),
        })
        .collect()
    }
}

/// The mean of what falls into each cell.
pub struct Cells {
    columns: usize,
    rows: usize,
    sums: Vec<f64>,
    counts: Vec<u64>,
    /// Of all values, not of the means.
    pub range: Option<(f64, f64)>,
}

impl Cells {
    pub fn new(columns: usize, rows: usize) -> Self {
        Cells {
            columns,
            rows,
            sums: vec![0.0; columns * rows],
            counts: vec![0; columns * rows],
            range: None,
        }
    }

    pub fn push(&mut self, column: usize, row: usize, value: f64) {
        let cell = row.min(self.rows - 1) * self.columns + column.min(self.columns - 1);
        if value.is_finite() {
            self.sums[cell] += value;
            self.counts[cell] += 1;
            let old = self.range.unwrap_or((value, value));
            self.range = Some((old.0.min(value), old.1.max(value)));
        }
    }

    pub fn means(&self) -> Grid {
        let mean = |(&sum, &count): (&f64, &u64)| if count == 0 { f64::NAN } else { sum / count as f64 };
        self.grid(self.sums.iter().zip(&self.counts).map(mean).collect())
    }

    /// How many values each cell has; NaN where there are none.
    pub fn counts(&self) -> Grid {
        let count = |&count: &u64| if count == 0 { f64::NAN } else { count as f64 };
        self.grid(self.counts.iter().map(count).collect())
    }

    fn grid(&self, cells: Vec<f64>) -> Grid {
        Grid {
            columns: self.columns,
            rows: self.rows,
            cells,
        }
    }
}

/// What a first pass over numbers finds.
#[derive(Clone, Copy)]
pub struct Extent {
    pub range: Option<(f64, f64)>,
    /// Whether no number is less than the one before it, and all are numbers.
    pub ascending: bool,
    last: f64,
}

impl Extent {
    pub fn new() -> Self {
        Extent {
            range: None,
            ascending: true,
            last: f64::NEG_INFINITY,
        }
    }

    pub fn push(&mut self, value: f64) {
        self.ascending &= value >= self.last;
        self.last = value;
        if let Some((low, high)) = range(std::iter::once(value)) {
            let old = self.range.unwrap_or((low, high));
            self.range = Some((old.0.min(low), old.1.max(high)));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_spike_is_in_its_column() {
        let mut columns = Columns::new(0.0, 999_999.0, 80);
        for i in 0..1_000_000 {
            columns.push(f64::from(i), f64::from(u8::from(i == 123_456)));
        }
        let points = columns.points();
        let spike: Vec<&(f64, f64)> = points.iter().filter(|(_, y)| *y == 1.0).collect();
        assert_eq!(spike, [&(123_456.0, 1.0)]);
        assert!(points.len() <= 4 * 80 && points.is_sorted_by(|a, b| a.0 <= b.0));
    }

    #[test]
    fn the_maximum_of_a_sine_is_in_the_right_column() {
        let n = 10_000;
        let mut columns = Columns::new(0.0, f64::from(n), 100);
        for i in 0..n {
            columns.push(
                f64::from(i),
                (f64::from(i) / f64::from(n) * std::f64::consts::TAU).sin(),
            );
        }
        let points = columns.points();
        let top = points.iter().max_by(|a, b| a.1.total_cmp(&b.1)).unwrap();
        assert_eq!(*top, (2500.0, 1.0));
    }

    #[test]
    fn gaps_stay_where_a_column_has_nothing_else() {
        let mut columns = Columns::new(0.0, 4.0, 50);
        for (x, y) in [(0.0, 1.0), (1.0, f64::NAN), (2.0, f64::NAN), (3.0, 2.0)] {
            columns.push(x, y);
        }
        let points = columns.points();
        assert_eq!((points.len(), points[0], points[2]), (3, (0.0, 1.0), (3.0, 2.0)));
        assert!(points[1].1.is_nan());
    }

    #[test]
    fn counts_add_up() {
        let mut bins = Bins::new(-1.0, 1.0, 7);
        (0..1000).map(|i| f64::from(i).sin()).for_each(|value| bins.push(value));
        bins.push(f64::NAN);
        assert_eq!(bins.counts.iter().sum::<u64>(), 1000);
        let bars = bins.bars(Scale::Linear);
        assert_eq!((bars[0].from, bars[6].to), (-1.0, 1.0));
    }

    #[test]
    fn cells_are_means() {
        let mut cells = Cells::new(2, 1);
        for (i, value) in [1.0, 3.0, f64::NAN, f64::INFINITY].into_iter().enumerate() {
            cells.push(i / 2, 0, value);
        }
        assert_eq!(cells.means().at(0, 0), 2.0);
        assert!(cells.means().at(1, 0).is_nan());
        assert_eq!(
            (cells.range, cells.counts().range()),
            (Some((1.0, 3.0)), Some((2.0, 2.0)))
        );
    }
}
