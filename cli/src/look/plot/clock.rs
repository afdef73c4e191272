//! Times: what a number of a `datetime64` means in seconds, and dates on an axis.

use serde_npz::Dtype;

/// What one step of a `datetime64` is.
#[derive(Clone, Copy)]
pub enum Clock {
    /// So many seconds, divided by so many.
    Seconds(f64, f64),
    /// So many months, which are of different lengths.
    Months(f64),
}

impl Clock {
    /// Of `<M8[25us]`; `None` where the unit is generic.
    pub fn new(dtype: &Dtype) -> Option<Self> {
        let text = dtype.to_string();
        let unit = text.split_once('[')?.1.split_once(']')?.0;
        let digits = unit.len() - unit.trim_start_matches(|c: char| c.is_ascii_digit()).len();
        let many: f64 = if digits == 0 { 1.0 } else { unit[..digits].parse().ok()? };
        let (one, parts) = match &unit[digits..] {
            "Y" => return Some(Clock::Months(12.0 * many)),
            "M" => return Some(Clock::Months(many)),
            "W" => (7.0 * DAY, 1.0),
            "D" => (DAY, 1.0),
            "h" => (3600.0, 1.0),
            "m" => (60.0, 1.0),
            "s" => (1.0, 1.0),
            "ms" => (1.0, 1e3),
            "us" | "μs" => (1.0, 1e6),
            "ns" => (1.0, 1e9),
            "ps" => (1.0, 1e12),
            "fs" => (1.0, 1e15),
            "as" => (1.0, 1e18),
            _ => return None,
        };
        Some(Clock::Seconds(many * one, parts))
    }

    /// Seconds since 1970.
    pub fn seconds(self, value: f64) -> f64 {
        match self {
            Clock::Seconds(one, parts) => value * one / parts,
            Clock::Months(one) => match value * one {
                months if months.abs() < MOST / (28.0 * DAY) => month_start(months as i64),
                months => months * 30.436_875 * DAY,
            },
        }
    }
}

pub const DAY: f64 = 86_400.0;

/// Dates further away than some million years are shown as numbers.
pub const MOST: f64 = 1e14;

/// Seconds since 1970 of the first day of a month, counted from January 1970.
pub fn month_start(months: i64) -> f64 {
    let (year, month) = (1970 + months.div_euclid(12), months.rem_euclid(12) + 1);
    // Years that begin in March, so that the odd day is the last one.
    let shifted = if month <= 2 { year - 1 } else { year };
    let of_year = (153 * ((month + 9) % 12) + 2) / 5;
    let era = shifted.div_euclid(400);
    let in_era = shifted.rem_euclid(400);
    let days = era * 146_097 + in_era * 365 + in_era / 4 - in_era / 100 + of_year - 719_468;
    days as f64 * DAY
}

/// Year, month and day of a number of days since 1970.
pub fn date(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468;
    let era = days.div_euclid(146_097);
    let of_era = days.rem_euclid(146_097);
    let in_era = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * in_era + in_era / 4 - in_era / 100);
    let shifted = (5 * of_year + 2) / 153;
    let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
    let year = in_era + era * 400 + i64::from(month <= 2);
    (year, month, of_year - (153 * shifted + 2) / 5 + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn months_and_dates_are_those_of_the_calendar() {
        for (months, days, expected) in [
            (0, 0, (1970, 1, 1)),
            (1, 31, (1970, 2, 1)),
            (361, 10_988, (2000, 2, 1)),
            (362, 11_017, (2000, 3, 1)),
            (-1, -31, (1969, 12, 1)),
            (-838 * 12, -306_074, (1132, 1, 1)),
        ] {
            assert_eq!(month_start(months), days as f64 * DAY, "{months}");
            assert_eq!(date(days), expected);
        }
        assert_eq!(date(11_016), (2000, 2, 29));
        assert_eq!(
            Clock::new(&Dtype::parse("<M8[25us]").unwrap())
                .unwrap()
                .seconds(40_000.0),
            1.0
        );
        assert!(Clock::new(&Dtype::parse("<M8").unwrap()).is_none());
    }
}
