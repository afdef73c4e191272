//! Counts of a time unit: converted exactly, and as ISO 8601 text.

use crate::error::{Error, ErrorKind, Result};
use crate::format::dtype::{TimeBase, TimeUnit};

/// Not a time.
pub(crate) const NAT: i64 = i64::MIN;

/// The length of a unit in attoseconds, or in months where it has no fixed length.
enum Length {
    Atto(i128),
    Months(i128),
    Unknown,
}

fn length(unit: TimeUnit) -> Length {
    const SECOND: i128 = 1_000_000_000_000_000_000;
    let base = match unit.base {
        TimeBase::Year => return Length::Months(12 * i128::from(unit.multiple)),
        TimeBase::Month => return Length::Months(i128::from(unit.multiple)),
        TimeBase::Generic => return Length::Unknown,
        TimeBase::Week => 7 * 86_400 * SECOND,
        TimeBase::Day => 86_400 * SECOND,
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

/// `count` of `from` as a count of `to`: exact or an error. NaT stays NaT.
pub(crate) fn convert(count: i64, from: TimeUnit, to: TimeUnit, date: bool) -> Result<i64> {
    if from == to || count == NAT {
        return Ok(count);
    }
    let exact = match (length(from), length(to)) {
        (Length::Atto(from), Length::Atto(to)) | (Length::Months(from), Length::Months(to)) => {
            scale(i128::from(count), from, to)
        }
        (Length::Months(months), Length::Atto(to)) if date => {
            const DAY: i128 = 86_400 * 1_000_000_000_000_000_000;
            days_from_months(i128::from(count) * months).and_then(|days| scale(days, DAY, to))
        }
        _ => None,
    };
    exact
        .and_then(|count| i64::try_from(count).ok())
        .filter(|&count| count != NAT)
        .ok_or_else(|| {
            Error::new(
                ErrorKind::InvalidValue,
                format_args!(
                    "found a time of {count} {:?}, expected one that is a whole count of {:?} in 64 bits",
                    from.base, to.base
                ),
            )
        })
}

fn scale(count: i128, from: i128, to: i128) -> Option<i128> {
    if to == 0 {
        return None;
    }
    let total = count.checked_mul(from);
    match total {
        Some(total) if total % to == 0 => Some(total / to),
        Some(_) => None,
        None if from % to == 0 => count.checked_mul(from / to),
        None => None,
    }
}

/// Days since 1970-01-01 of the first day of a month counted from January 1970.
fn days_from_months(months: i128) -> Option<i128> {
    let (year, month) = (1970 + months.div_euclid(12), months.rem_euclid(12) + 1);
    // Howard Hinnant's days_from_civil, for the first of the month.
    let y = if month <= 2 { year - 1 } else { year };
    let era = y.div_euclid(400);
    let year_of_era = y.rem_euclid(400);
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    Some(era * 146_097 + day_of_era - 719_468)
}

/// Year, month and day of a count of days since 1970-01-01.
fn civil(days: i128) -> (i128, i128, i128) {
    let z = days + 719_468;
    let era = z.div_euclid(146_097);
    let day_of_era = z.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_index = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_index + 2) / 5 + 1;
    let month = if month_index < 10 {
        month_index + 3
    } else {
        month_index - 9
    };
    (year_of_era + era * 400 + i128::from(month <= 2), month, day)
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
    const SECOND: i128 = 1_000_000_000_000_000_000;
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
        assert_eq!(convert(2, s, ms, false).unwrap(), 2_000);
        assert_eq!(convert(2_000, ms, s, false).unwrap(), 2);
        assert!(convert(2_001, ms, s, false).is_err());
        assert!(convert(i64::MAX, s, ms, false).is_err());
        assert_eq!(convert(54, y, d, true).unwrap(), 19_723);
        assert!(convert(54, y, d, false).is_err());
        assert_eq!(convert(NAT, s, ms, false).unwrap(), NAT);
    }
}
