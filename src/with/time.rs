//! Times as counts of a unit: the conversions behind `datetime64` and `timedelta64`.
//!
//! Nanoseconds in an `i128` are the common currency: they hold every `SystemTime`, `Duration` and chrono
//! type exactly, and any i64 count of weeks down to nanoseconds. A conversion is exact or an error.

use std::fmt;
use std::marker::PhantomData;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde::de::{Deserialize, Deserializer, Unexpected, Visitor};
use serde::ser::{Serialize, Serializer};

use super::nested::{Codec, Decode, Encode};
use crate::error::Invalid;
use crate::format::dtype::TimeBase;
use crate::npy::marker;

/// Points in time, counted from 1970-01-01T00:00 UTC.
#[derive(Clone, Copy)]
pub struct Datetime(pub(super) TimeBase);

/// Spans of time.
#[derive(Clone, Copy)]
pub struct Timedelta(pub(super) TimeBase);

impl Codec for Datetime {
    fn marker(self) -> &'static str {
        marker::datetime(self.0)
    }
}

impl Codec for Timedelta {
    fn marker(self) -> &'static str {
        marker::timedelta(self.0)
    }
}

/// NumPy's "not a time".
const NAT: i64 = i64::MIN;

/// A single time that is a count of the codec's unit.
trait Ticks<C>: Sized {
    fn ticks(&self, codec: C) -> Result<i64, Unfit>;
    fn from_ticks(ticks: i64, codec: C) -> Result<Self, Unfit>;
}

/// Why a time has no exact count, or a count no such time.
enum Unfit {
    Inexact,
    Range,
    #[cfg(feature = "chrono")]
    LeapSecond,
    NotATime,
    NoLength,
}

impl fmt::Display for Unfit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Unfit::Inexact => "a time that the unit and the type hold exactly (a finer unit may)",
            Unfit::Range => "a time in the range of the unit and the type (a coarser unit may hold it)",
            #[cfg(feature = "chrono")]
            Unfit::LeapSecond => "a time outside a leap second, which NumPy does not know",
            Unfit::NotATime => "a time (NaT, which is i64::MIN, is the None of an Option)",
            Unfit::NoLength => "a unit of weeks or shorter, since months and years have no fixed length",
        })
    }
}

fn put<C: Codec, T: Ticks<C> + fmt::Debug, S: Serializer>(
    time: &T,
    codec: C,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    match time.ticks(codec) {
        Ok(ticks) => serializer.serialize_i64(ticks),
        Err(unfit) => Err(refused(format_args!("{time:?}"), codec, unfit)),
    }
}

fn take<'de, C: Codec, T: Ticks<C>, D: Deserializer<'de>>(codec: C, deserializer: D) -> Result<T, D::Error> {
    let ticks = i64::deserialize(deserializer)?;
    T::from_ticks(ticks, codec).map_err(|unfit| misfit(ticks, codec, unfit))
}

#[cold]
fn refused<C: Codec, E: serde::ser::Error>(found: fmt::Arguments<'_>, codec: C, unfit: Unfit) -> E {
    E::custom(Invalid(format!("found {found} for {}, expected {unfit}", dtype(codec))))
}

#[cold]
fn misfit<C: Codec, E: serde::de::Error>(ticks: i64, codec: C, unfit: Unfit) -> E {
    let found = format!("the count {ticks} of {}", dtype(codec));
    E::invalid_value(Unexpected::Other(&found), &unfit.to_string().as_str())
}

/// The dtype that the codec stands for, as NumPy prints it.
fn dtype<C: Codec>(codec: C) -> &'static str {
    codec.marker().trim_start_matches("$serde_npz::")
}

fn put_option<C: Codec, T: Ticks<C> + fmt::Debug, S: Serializer>(
    time: &Option<T>,
    codec: C,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    match time {
        // NaT by its count would come back as None.
        Some(time) if time.ticks(codec).is_ok_and(|ticks| ticks == NAT) => {
            Err(refused(format_args!("Some({time:?})"), codec, Unfit::NotATime))
        }
        Some(time) if super::ours::<S::Error>() => put(time, codec, serializer),
        Some(time) => serializer.serialize_some(&Count(time, codec)),
        None if super::ours::<S::Error>() => serializer.serialize_i64(NAT),
        None => serializer.serialize_none(),
    }
}

struct Count<'a, T, C>(&'a T, C);

impl<C: Codec, T: Ticks<C> + fmt::Debug> Serialize for Count<'_, T, C> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        put(self.0, self.1, serializer)
    }
}

struct MaybeTime<C, T>(C, PhantomData<T>);

impl<'de, C: Codec, T: Ticks<C>> Visitor<'de> for MaybeTime<C, T> {
    type Value = Option<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "an optional count of {}", dtype(self.0))
    }

    fn visit_none<E: serde::de::Error>(self) -> Result<Option<T>, E> {
        Ok(None)
    }

    fn visit_unit<E: serde::de::Error>(self) -> Result<Option<T>, E> {
        Ok(None)
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Option<T>, D::Error> {
        match i64::deserialize(deserializer)? {
            NAT => Ok(None),
            ticks => T::from_ticks(ticks, self.0)
                .map(Some)
                .map_err(|unfit| misfit(ticks, self.0, unfit)),
        }
    }
}

/// The way of one time type through the serializers: alone, in an `Option`, and whole slices where it has one.
macro_rules! times {
    ($($(#[$attribute:meta])* $time:ty as $codec:ty $(, $encode_slice:item, $decode_vec:item)?;)*) => { $(
        $(#[$attribute])*
        impl Encode<$codec> for $time {
            fn encode<S: Serializer>(&self, codec: $codec, serializer: S) -> Result<S::Ok, S::Error> {
                put(self, codec, serializer)
            }

            $($encode_slice)?
        }

        $(#[$attribute])*
        impl<'de> Decode<'de, $codec> for $time {
            fn decode<D: Deserializer<'de>>(codec: $codec, deserializer: D) -> Result<Self, D::Error> {
                take(codec, deserializer)
            }

            $($decode_vec)?
        }

        $(#[$attribute])*
        impl Encode<$codec> for Option<$time> {
            fn encode<S: Serializer>(&self, codec: $codec, serializer: S) -> Result<S::Ok, S::Error> {
                put_option(self, codec, serializer)
            }
        }

        $(#[$attribute])*
        impl<'de> Decode<'de, $codec> for Option<$time> {
            fn decode<D: Deserializer<'de>>(codec: $codec, deserializer: D) -> Result<Self, D::Error> {
                deserializer.deserialize_option(MaybeTime(codec, PhantomData))
            }
        }
    )* };
}

/// Counts need no conversion: whole slices pass as they are.
macro_rules! counts {
    ($($codec:ty),*) => { $(
        times! {
            i64 as $codec,
            fn encode_slice<S: Serializer>(slice: &[Self], _: $codec, serializer: S) -> Result<S::Ok, S::Error> {
                slice.serialize(serializer)
            },
            fn decode_vec<D: Deserializer<'de>>(_: $codec, deserializer: D) -> Result<Vec<Self>, D::Error> {
                Vec::deserialize(deserializer)
            };
        }
    )* };
}

counts!(Datetime, Timedelta);

times! {
    SystemTime as Datetime;
    Duration as Timedelta;
    #[cfg(feature = "chrono")]
    chrono::DateTime<chrono::Utc> as Datetime;
    #[cfg(feature = "chrono")]
    chrono::NaiveDateTime as Datetime;
    #[cfg(feature = "chrono")]
    chrono::TimeDelta as Timedelta;
}

impl<C> Ticks<C> for i64 {
    fn ticks(&self, _: C) -> Result<i64, Unfit> {
        Ok(*self)
    }

    fn from_ticks(ticks: i64, _: C) -> Result<Self, Unfit> {
        Ok(ticks)
    }
}

impl Ticks<Datetime> for SystemTime {
    fn ticks(&self, codec: Datetime) -> Result<i64, Unfit> {
        datetime_ticks(system_nanos(*self), codec.0)
    }

    fn from_ticks(ticks: i64, codec: Datetime) -> Result<Self, Unfit> {
        let nanos = datetime_nanos(ticks, codec.0)?;
        let span = duration(nanos.abs())?;
        let time = if nanos < 0 {
            UNIX_EPOCH.checked_sub(span)
        } else {
            UNIX_EPOCH.checked_add(span)
        };
        match time {
            // Windows counts in steps of 100 ns.
            Some(time) if system_nanos(time) != nanos => Err(Unfit::Inexact),
            Some(time) => Ok(time),
            None => Err(Unfit::Range),
        }
    }
}

fn system_nanos(time: SystemTime) -> i128 {
    // A Duration is below 2^95 ns.
    match time.duration_since(UNIX_EPOCH) {
        Ok(after) => after.as_nanos() as i128,
        Err(before) => -(before.duration().as_nanos() as i128),
    }
}

impl Ticks<Timedelta> for Duration {
    fn ticks(&self, codec: Timedelta) -> Result<i64, Unfit> {
        timedelta_ticks(self.as_nanos() as i128, codec.0)
    }

    fn from_ticks(ticks: i64, codec: Timedelta) -> Result<Self, Unfit> {
        duration(timedelta_nanos(ticks, codec.0)?)
    }
}

/// `Range` for negative spans, which a `Duration` cannot hold.
fn duration(nanos: i128) -> Result<Duration, Unfit> {
    let seconds = u64::try_from(nanos.div_euclid(SECOND)).map_err(|_| Unfit::Range)?;
    Ok(Duration::new(seconds, nanos.rem_euclid(SECOND) as u32))
}

#[cfg(feature = "chrono")]
mod with_chrono {
    use chrono::{DateTime, NaiveDateTime, TimeDelta, Utc};

    use super::{
        Datetime, SECOND, Ticks, Timedelta, Unfit, datetime_nanos, datetime_ticks, timedelta_nanos, timedelta_ticks,
    };

    impl Ticks<Datetime> for DateTime<Utc> {
        fn ticks(&self, codec: Datetime) -> Result<i64, Unfit> {
            let nanos = i128::from(self.timestamp_subsec_nanos());
            if nanos >= SECOND {
                return Err(Unfit::LeapSecond);
            }
            datetime_ticks(i128::from(self.timestamp()) * SECOND + nanos, codec.0)
        }

        fn from_ticks(ticks: i64, codec: Datetime) -> Result<Self, Unfit> {
            let (seconds, nanos) = split(datetime_nanos(ticks, codec.0)?)?;
            DateTime::from_timestamp(seconds, nanos).ok_or(Unfit::Range)
        }
    }

    impl Ticks<Datetime> for NaiveDateTime {
        fn ticks(&self, codec: Datetime) -> Result<i64, Unfit> {
            self.and_utc().ticks(codec)
        }

        fn from_ticks(ticks: i64, codec: Datetime) -> Result<Self, Unfit> {
            Ok(DateTime::<Utc>::from_ticks(ticks, codec)?.naive_utc())
        }
    }

    impl Ticks<Timedelta> for TimeDelta {
        fn ticks(&self, codec: Timedelta) -> Result<i64, Unfit> {
            let nanos = i128::from(self.num_seconds()) * SECOND + i128::from(self.subsec_nanos());
            timedelta_ticks(nanos, codec.0)
        }

        fn from_ticks(ticks: i64, codec: Timedelta) -> Result<Self, Unfit> {
            let (seconds, nanos) = split(timedelta_nanos(ticks, codec.0)?)?;
            TimeDelta::new(seconds, nanos).ok_or(Unfit::Range)
        }
    }

    fn split(nanos: i128) -> Result<(i64, u32), Unfit> {
        let seconds = i64::try_from(nanos.div_euclid(SECOND)).map_err(|_| Unfit::Range)?;
        Ok((seconds, nanos.rem_euclid(SECOND) as u32))
    }
}

const SECOND: i128 = 1_000_000_000;
const DAY: i128 = 86_400 * SECOND;

/// The length of one tick.
enum Length {
    Nanos(i128),
    /// So many ticks make one nanosecond.
    PerNano(i128),
    Months(i128),
}

fn length(unit: TimeBase) -> Result<Length, Unfit> {
    Ok(match unit {
        TimeBase::Year => Length::Months(12),
        TimeBase::Month => Length::Months(1),
        TimeBase::Week => Length::Nanos(7 * DAY),
        TimeBase::Day => Length::Nanos(DAY),
        TimeBase::Hour => Length::Nanos(3600 * SECOND),
        TimeBase::Minute => Length::Nanos(60 * SECOND),
        TimeBase::Second => Length::Nanos(SECOND),
        TimeBase::Milli => Length::Nanos(1_000_000),
        TimeBase::Micro => Length::Nanos(1_000),
        TimeBase::Nano => Length::Nanos(1),
        TimeBase::Pico => Length::PerNano(1_000),
        TimeBase::Femto => Length::PerNano(1_000_000),
        TimeBase::Atto => Length::PerNano(1_000_000_000),
        TimeBase::Generic => return Err(Unfit::NoLength),
    })
}

fn timedelta_ticks(nanos: i128, unit: TimeBase) -> Result<i64, Unfit> {
    match length(unit)? {
        Length::Nanos(per_tick) => count(exact(nanos, per_tick)?),
        Length::PerNano(ticks) => count(nanos.checked_mul(ticks).ok_or(Unfit::Range)?),
        Length::Months(_) => Err(Unfit::NoLength),
    }
}

fn timedelta_nanos(ticks: i64, unit: TimeBase) -> Result<i128, Unfit> {
    if ticks == NAT {
        return Err(Unfit::NotATime);
    }
    match length(unit)? {
        Length::Nanos(per_tick) => Ok(i128::from(ticks) * per_tick),
        Length::PerNano(per_nano) => exact(i128::from(ticks), per_nano),
        Length::Months(_) => Err(Unfit::NoLength),
    }
}

fn datetime_ticks(nanos: i128, unit: TimeBase) -> Result<i64, Unfit> {
    let Length::Months(per_tick) = length(unit)? else {
        return timedelta_ticks(nanos, unit);
    };
    let (year, month, day) = civil(exact(nanos, DAY)?);
    if day != 1 {
        return Err(Unfit::Inexact);
    }
    count(exact((year - 1970) * 12 + month - 1, per_tick)?)
}

fn datetime_nanos(ticks: i64, unit: TimeBase) -> Result<i128, Unfit> {
    match length(unit)? {
        Length::Months(per_tick) if ticks != NAT => {
            let months = i128::from(ticks) * per_tick;
            let days = days(1970 + months.div_euclid(12), months.rem_euclid(12) + 1);
            // At most 2^63 years.
            Ok(days * DAY)
        }
        _ => timedelta_nanos(ticks, unit),
    }
}

fn exact(value: i128, divisor: i128) -> Result<i128, Unfit> {
    if value % divisor == 0 {
        Ok(value / divisor)
    } else {
        Err(Unfit::Inexact)
    }
}

fn count(ticks: i128) -> Result<i64, Unfit> {
    // The smallest i64 is NaT.
    i64::try_from(ticks)
        .ok()
        .filter(|&ticks| ticks != NAT)
        .ok_or(Unfit::Range)
}

/// Days from 1970-01-01 to the first of this month, in the proleptic Gregorian calendar.
fn days(year: i128, month: i128) -> i128 {
    // Years begin in March, so that the leap day is their last.
    let year = if month <= 2 { year - 1 } else { year };
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5;
    let leap_days = year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400);
    365 * year + leap_days + day_of_year - 719_468
}

/// Year, month and day of a day since 1970-01-01: the reverse of [`days`].
fn civil(day: i128) -> (i128, i128, i128) {
    let day = day + 719_468;
    let era = day.div_euclid(146_097);
    let day_of_era = day.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month = (5 * day_of_year + 2) / 153;
    let day_of_month = day_of_year - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    let year = era * 400 + year_of_era + i128::from(month <= 2);
    (year, month, day_of_month)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_calendar_goes_both_ways() {
        assert_eq!(days(1970, 1), 0);
        assert_eq!(days(2000, 3), 11_017);
        assert_eq!(days(1600, 2), -135_109);
        for month in -30_000..30_000 {
            let (year, month) = (1970 + i128::div_euclid(month, 12), i128::rem_euclid(month, 12) + 1);
            assert_eq!(civil(days(year, month)), (year, month, 1));
        }
        for day in -800_000..800_000 {
            let (year, month, of_month) = civil(day);
            assert_eq!(days(year, month) + of_month - 1, day);
        }
    }

    #[test]
    fn ends_of_the_range() {
        for unit in [
            TimeBase::Year,
            TimeBase::Month,
            TimeBase::Week,
            TimeBase::Second,
            TimeBase::Nano,
        ] {
            for ticks in [i64::MIN + 1, -1, 0, 1, i64::MAX] {
                let nanos = datetime_nanos(ticks, unit).ok().unwrap();
                assert_eq!(datetime_ticks(nanos, unit).ok(), Some(ticks), "{ticks} {unit:?}");
            }
            assert!(matches!(datetime_nanos(NAT, unit), Err(Unfit::NotATime)));
        }
        assert!(matches!(datetime_ticks(1 << 63, TimeBase::Nano), Err(Unfit::Range)));
        assert!(matches!(datetime_ticks(-1 << 63, TimeBase::Nano), Err(Unfit::Range)));
        assert!(matches!(datetime_ticks(1, TimeBase::Micro), Err(Unfit::Inexact)));
        assert!(matches!(timedelta_ticks(0, TimeBase::Month), Err(Unfit::NoLength)));
        assert_eq!(timedelta_ticks(-2, TimeBase::Atto).ok(), Some(-2_000_000_000));
    }
}
