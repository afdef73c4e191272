//! Counts of a time unit: converted exactly, and as ISO 8601 text.
//!
//! Everything is computed in `i128`: it holds any `i64` count of weeks as nanoseconds, and any count of nanoseconds that a
//! `SystemTime`, a `Duration` or a type of chrono can have.

use std::fmt;

use crate::error::{Error, ErrorKind, Result};
use crate::format::dtype::{TimeBase, TimeUnit};

/// Not a time.
pub(crate) const NAT: i64 = i64::MIN;

const SECOND: i128 = 1_000_000_000_000_000_000;
const DAY: i128 = 86_400 * SECOND;

/// The length of a unit in attoseconds, or in months where it has no fixed length.
#[derive(Clone, Copy)]
enum Length {
    Atto(i128),
    Months(i128),
    Unknown,
}

fn length(unit: TimeUnit) -> Length {
    let base = match unit.base {
        TimeBase::Year => return Length::Months(12 * i128::from(unit.multiple)),
        TimeBase::Month => return Length::Months(i128::from(unit.multiple)),
        TimeBase::Generic => return Length::Unknown,
        TimeBase::Week => 7 * DAY,
        TimeBase::Day => DAY,
        TimeBase::Hour => 3_600 * SECOND,
        TimeBase::Minute => 60 * SECOND,
        TimeBase::Second => SECOND,
        TimeBase::Milli => SECOND / 1_000,
        TimeBase::Micro => SECOND / 1_000_000,
        TimeBase::Nano => SECOND / 1_000_000_000,
        TimeBase::Pico => SECOND / 1_000_000_000_000,
        TimeBase::Femto => 1_000,
        TimeBase::Atto => 1,
    };
    Length::Atto(base * i128::from(unit.multiple))
}

/// Why a time is no exact count of a unit, or a count no such time.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Unfit {
    Inexact,
    Range,
    NotATime,
    NoLength,
    #[cfg(feature = "chrono")]
    LeapSecond,
}

impl fmt::Display for Unfit {
    /// What was expected instead.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Unfit::Inexact => "a time that the unit and the type hold exactly (a finer unit may)",
            Unfit::Range => "a time in the range of the unit and the type (a coarser unit may hold it)",
            Unfit::NotATime => "a time (NaT, which is i64::MIN, is the None of an Option)",
            Unfit::NoLength => "a unit of weeks or shorter, since months and years have no fixed length",
            #[cfg(feature = "chrono")]
            Unfit::LeapSecond => "a time outside a leap second, which NumPy does not know",
        })
    }
}

/// `count` of `from` as a count of `to`. Only a `date` tells how long its months are.
pub(crate) fn convert(count: i128, from: TimeUnit, to: TimeUnit, date: bool) -> Result<i128, Unfit> {
    match (length(from), length(to)) {
        (Length::Atto(from), Length::Atto(to)) | (Length::Months(from), Length::Months(to)) => scale(count, from, to),
        (Length::Months(months), Length::Atto(to)) if date => scale(days(count * months), DAY, to),
        (Length::Atto(from), Length::Months(months)) if date => {
            let (year, month, day) = civil(scale(count, from, DAY)?);
            if day != 1 {
                return Err(Unfit::Inexact);
            }
            scale((year - 1970) * 12 + month - 1, 1, months)
        }
        _ => Err(Unfit::NoLength),
    }
}

/// A count in the 64 bits of a file, where the smallest one is NaT.
pub(crate) fn narrow(count: i128) -> Result<i64, Unfit> {
    i64::try_from(count)
        .ok()
        .filter(|&count| count != NAT)
        .ok_or(Unfit::Range)
}

/// The count of a file in another unit: exact or an error. NaT stays NaT.
pub(crate) fn convert_count(count: i64, from: TimeUnit, to: TimeUnit, date: bool) -> Result<i64> {
    if from == to || count == NAT {
        return Ok(count);
    }
    convert(count.into(), from, to, date).and_then(narrow).map_err(|_| {
        Error::new(
            ErrorKind::InvalidValue,
            format_args!(
                "found a time of {count} {:?}, expected one that is a whole count of {:?} in 64 bits",
                from.base, to.base
            ),
        )
    })
}

/// `count * from / to`, exactly.
fn scale(count: i128, from: i128, to: i128) -> Result<i128, Unfit> {
    if to == 0 {
        return Err(Unfit::Inexact);
    }
    // One length divides the other unless a unit is a multiple: what is multiplied stays as small as it can be.
    if from % to == 0 {
        return count.checked_mul(from / to).ok_or(Unfit::Range);
    }
    let (total, to) = match to % from {
        0 => (count, to / from),
        _ => (count.checked_mul(from).ok_or(Unfit::Range)?, to),
    };
    if total % to == 0 {
        Ok(total / to)
    } else {
        Err(Unfit::Inexact)
    }
}

/// Days from 1970-01-01 to the first day of a month, counted from January 1970, in the proleptic Gregorian calendar.
fn days(months: i128) -> i128 {
    let (year, month) = (1970 + months.div_euclid(12), months.rem_euclid(12) + 1);
    // Years begin in March, so that the leap day is their last.
    let year = if month <= 2 { year - 1 } else { year };
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5;
    let leap_days = year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400);
    365 * year + leap_days + day_of_year - 719_468
}

/// Year, month and day of a count of days since 1970-01-01.
fn civil(days: i128) -> (i128, i128, i128) {
    let day = days + 719_468;
    let era = day.div_euclid(146_097);
    let day_of_era = day.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month = (5 * day_of_year + 2) / 153;
    let day_of_month = day_of_year - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    let year = era * 400 + year_of_era + i128::from(month <= 2);
    (year, month, day_of_month)
}

/// A datetime as ISO 8601, as `np.datetime_as_string` prints it; `NaT` where it is none.
pub(crate) fn iso(count: i64, unit: TimeUnit) -> Result<String> {
    if count == NAT {
        return Ok("NaT".into());
    }
    let atto = match length(unit) {
        Length::Months(months) => {
            let months = i128::from(count) * months;
            let (year, month) = (1970 + months.div_euclid(12), months.rem_euclid(12) + 1);
            return Ok(match unit.base {
                TimeBase::Year => year_text(year),
                _ => format!("{}-{month:02}", year_text(year)),
            });
        }
        Length::Atto(atto) => atto,
        Length::Unknown => {
            return Err(Error::new(
                ErrorKind::TypeMismatch,
                "found a datetime without a unit, expected one with a unit to be read as text",
            ));
        }
    };
    let (seconds, rest) = if atto % SECOND == 0 {
        (i128::from(count) * (atto / SECOND), 0)
    } else {
        // A unit below a second, times 2^63, stays below 2^127.
        let total = i128::from(count).checked_mul(atto).ok_or_else(|| {
            Error::new(
                ErrorKind::InvalidValue,
                format_args!("found {count} of a time unit, expected a date"),
            )
        })?;
        (total.div_euclid(SECOND), total.rem_euclid(SECOND))
    };
    let (year, month, day) = civil(seconds.div_euclid(86_400));
    let date = format!("{}-{month:02}-{day:02}", year_text(year));
    let second = seconds.rem_euclid(86_400);
    let (h, m, s) = (second / 3_600, second / 60 % 60, second % 60);
    let digits = match unit.base {
        TimeBase::Week | TimeBase::Day => return Ok(date),
        TimeBase::Hour => return Ok(format!("{date}T{h:02}")),
        TimeBase::Minute => return Ok(format!("{date}T{h:02}:{m:02}")),
        TimeBase::Milli => 3,
        TimeBase::Micro => 6,
        TimeBase::Nano => 9,
        TimeBase::Pico => 12,
        TimeBase::Femto => 15,
        TimeBase::Atto => 18,
        _ => return Ok(format!("{date}T{h:02}:{m:02}:{s:02}")),
    };
    let fraction = format!("{rest:018}");
    Ok(format!("{date}T{h:02}:{m:02}:{s:02}.{}", &fraction[..digits]))
}

fn year_text(year: i128) -> String {
    if year < 0 {
        format!("-{:04}", -year)
    } else {
        format!("{year:04}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn unit(base: TimeBase) -> TimeUnit {
        TimeUnit { base, multiple: 1 }
    }

    #[test]
    fn texts_are_those_of_numpy() {
        assert_eq!(iso(0, unit(TimeBase::Second)).unwrap(), "1970-01-01T00:00:00");
        assert_eq!(iso(-1, unit(TimeBase::Nano)).unwrap(), "1969-12-31T23:59:59.999999999");
        assert_eq!(iso(19_782, unit(TimeBase::Day)).unwrap(), "2024-02-29");
        assert_eq!(iso(54, unit(TimeBase::Year)).unwrap(), "2024");
        assert_eq!(iso(-1, unit(TimeBase::Month)).unwrap(), "1969-12");
        assert_eq!(iso(NAT, unit(TimeBase::Day)).unwrap(), "NaT");
    }

    #[test]
    fn conversions_are_exact_or_errors() {
        let (s, ms, y, d) = (
            unit(TimeBase::Second),
            unit(TimeBase::Milli),
            unit(TimeBase::Year),
            unit(TimeBase::Day),
        );
        assert_eq!(convert_count(2, s, ms, false).unwrap(), 2_000);
        assert_eq!(convert_count(2_000, ms, s, false).unwrap(), 2);
        assert!(convert_count(2_001, ms, s, false).is_err());
        assert!(convert_count(i64::MAX, s, ms, false).is_err());
        assert_eq!(convert_count(54, y, d, true).unwrap(), 19_723);
        assert!(convert_count(54, y, d, false).is_err());
        assert_eq!(convert_count(19_723, d, y, true).unwrap(), 54);
        assert!(convert_count(19_724, d, y, true).is_err());
        assert_eq!(convert_count(NAT, s, ms, false).unwrap(), NAT);
        let of = |base, multiple| TimeUnit { base, multiple };
        let (six, four) = (of(TimeBase::Hour, 6), of(TimeBase::Hour, 4));
        assert_eq!(convert_count(2, six, four, false).unwrap(), 3);
        assert!(convert_count(1, six, four, false).is_err());
        // NumPy knows no unit of no length, and a header may still have one.
        let none = of(TimeBase::Hour, 0);
        assert!(convert_count(1, six, none, false).is_err());
        assert_eq!(convert_count(1, none, four, false).unwrap(), 0);
    }

    #[test]
    fn the_calendar_goes_both_ways() {
        assert_eq!(days(0), 0);
        assert_eq!(days(30 * 12 + 2), 11_017);
        assert_eq!(days(-370 * 12 + 1), -135_109);
        for month in -30_000..30_000 {
            let (year, of_year) = (1970 + i128::div_euclid(month, 12), i128::rem_euclid(month, 12) + 1);
            assert_eq!(civil(days(month)), (year, of_year, 1));
        }
        for day in -800_000..800_000 {
            let (year, month, of_month) = civil(day);
            assert_eq!(days((year - 1970) * 12 + month - 1) + of_month - 1, day);
        }
    }

    #[test]
    fn every_count_goes_through_nanoseconds() {
        let nano = unit(TimeBase::Nano);
        for base in [
            TimeBase::Year,
            TimeBase::Month,
            TimeBase::Week,
            TimeBase::Second,
            TimeBase::Nano,
        ] {
            for count in [i64::MIN + 1, -1, 0, 1, i64::MAX] {
                let nanos = convert(count.into(), unit(base), nano, true).unwrap();
                let back = convert(nanos, nano, unit(base), true).and_then(narrow);
                assert_eq!(back, Ok(count), "{base:?}");
            }
        }
        assert_eq!(narrow(1 << 63), Err(Unfit::Range));
        assert_eq!(narrow(-1 << 63), Err(Unfit::Range));
        assert_eq!(convert(1, nano, unit(TimeBase::Micro), true), Err(Unfit::Inexact));
        assert_eq!(convert(0, nano, unit(TimeBase::Month), false), Err(Unfit::NoLength));
        assert_eq!(convert(-2, nano, unit(TimeBase::Atto), false), Ok(-2_000_000_000));
    }
}
