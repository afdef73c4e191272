//! Times as counts of a unit: the types behind `datetime64` and `timedelta64`.
//!
//! Nanoseconds in an `i128` stand between the types and the units: they hold every `SystemTime`, `Duration` and type of
//! chrono exactly, and any `i64` count of weeks down to nanoseconds. A conversion is exact or an error.

use std::fmt;
use std::marker::PhantomData;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde::de::{Deserialize, Deserializer, Unexpected, Visitor};
use serde::ser::{Serialize, Serializer};

use super::codec::{self, Codec, Decode, Encode};
use crate::error::{Error, ErrorKind, into_ser_custom, is_our_error};
use crate::format::dtype::{TimeBase, TimeUnit};
use crate::format::time::{NAT, Unfit, convert, narrow};
use crate::npy::marker;

/// The codec of [`with::datetime64`](crate::with::datetime64): points in time, counted from 1970-01-01T00:00 UTC.
///
/// ```
/// use serde_npz::with::Encode;
/// use serde_npz::with::datetime64::Datetime;
///
/// fn times<T: Encode<Datetime>>(_: T) {}
///
/// times(std::time::SystemTime::now());
/// ```
#[derive(Clone, Copy)]
pub struct Datetime(pub(super) TimeBase);

/// The codec of [`with::timedelta64`](crate::with::timedelta64): spans of time.
///
/// ```
/// use serde_npz::with::Encode;
/// use serde_npz::with::timedelta64::Timedelta;
///
/// fn spans<T: Encode<Timedelta>>(_: T) {}
///
/// spans(vec![std::time::Duration::from_secs(1)]);
/// ```
#[derive(Clone, Copy)]
pub struct Timedelta(pub(super) TimeBase);

impl Codec for Datetime {
    fn marker(self) -> Option<&'static str> {
        Some(marker::datetime(self.0))
    }
}

impl Codec for Timedelta {
    fn marker(self) -> Option<&'static str> {
        Some(marker::timedelta(self.0))
    }
}

/// A codec whose values are counts of a unit.
trait Counts: Codec {
    /// Whether they are dates, which tell how long their months are.
    const DATE: bool;

    fn base(self) -> TimeBase;

    fn to_count(self, nanos: i128) -> Result<i64, Unfit> {
        convert(nanos, unit(TimeBase::Nano), unit(self.base()), Self::DATE).and_then(narrow)
    }

    fn nanos_of(self, count: i64) -> Result<i128, Unfit> {
        if count == NAT {
            return Err(Unfit::NotATime);
        }
        convert(count.into(), unit(self.base()), unit(TimeBase::Nano), Self::DATE)
    }
}

impl Counts for Datetime {
    const DATE: bool = true;

    fn base(self) -> TimeBase {
        self.0
    }
}

impl Counts for Timedelta {
    const DATE: bool = false;

    fn base(self) -> TimeBase {
        self.0
    }
}

fn unit(base: TimeBase) -> TimeUnit {
    TimeUnit { base, multiple: 1 }
}

/// A single time that is a count of the codec's unit.
trait Time<C>: Sized {
    fn count(&self, codec: C) -> Result<i64, Unfit>;
    fn from_count(count: i64, codec: C) -> Result<Self, Unfit>;
}

fn put<C: Counts, T: Time<C> + fmt::Debug, S: Serializer>(
    time: &T,
    codec: C,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    match time.count(codec) {
        Ok(count) => serializer.serialize_i64(count),
        Err(unfit) => Err(refused(format_args!("{time:?}"), codec, unfit)),
    }
}

fn take<'de, C: Counts, T: Time<C>, D: Deserializer<'de>>(codec: C, deserializer: D) -> Result<T, D::Error> {
    let count = i64::deserialize(deserializer)?;
    T::from_count(count, codec).map_err(|unfit| misfit(count, codec, unfit))
}

#[cold]
fn refused<C: Counts, E: serde::ser::Error>(found: fmt::Arguments<'_>, codec: C, unfit: Unfit) -> E {
    into_ser_custom(Error::new(
        ErrorKind::InvalidValue,
        format_args!("found {found} for {}, expected {unfit}", dtype(codec)),
    ))
}

#[cold]
fn misfit<C: Counts, E: serde::de::Error>(count: i64, codec: C, unfit: Unfit) -> E {
    let found = format!("the count {count} of {}", dtype(codec));
    E::invalid_value(Unexpected::Other(&found), &unfit.to_string().as_str())
}

/// The dtype that the codec stands for, as NumPy prints it.
fn dtype<C: Counts>(codec: C) -> &'static str {
    codec.marker().unwrap_or_default().trim_start_matches("$serde_npz::")
}

fn put_option<C: Counts, T: Time<C> + fmt::Debug, S: Serializer>(
    time: Option<&T>,
    codec: C,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    match time {
        // NaT by its count would come back as None.
        Some(time) if time.count(codec).is_ok_and(|count| count == NAT) => {
            Err(refused(format_args!("Some({time:?})"), codec, Unfit::NotATime))
        }
        Some(time) if is_our_error::<S::Error>() => put(time, codec, serializer),
        Some(time) => serializer.serialize_some(&Count(time, codec)),
        None if is_our_error::<S::Error>() => serializer.serialize_i64(NAT),
        None => serializer.serialize_none(),
    }
}

struct Count<'a, T, C>(&'a T, C);

impl<C: Counts, T: Time<C> + fmt::Debug> Serialize for Count<'_, T, C> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        put(self.0, self.1, serializer)
    }
}

struct MaybeTime<C, T>(C, PhantomData<T>);

impl<'de, C: Counts, T: Time<C>> Visitor<'de> for MaybeTime<C, T> {
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
            count => T::from_count(count, self.0)
                .map(Some)
                .map_err(|unfit| misfit(count, self.0, unfit)),
        }
    }
}

/// One type of times in the traits of the modules: alone, in an `Option`, and whole slices where it has a way for them.
macro_rules! times {
    ($($(#[$attribute:meta])* $time:ty as $codec:ty $(, $encode_slice:item, $decode_vec:item)?;)*) => { $(
        $(#[$attribute])*
        impl Encode<$codec> for $time {
            const NONE_IS_VALUE: bool = true;

            fn encode<S: Serializer>(&self, codec: $codec, serializer: S) -> Result<S::Ok, S::Error> {
                put(self, codec, serializer)
            }

            fn encode_option<S: Serializer>(
                value: Option<&Self>,
                codec: $codec,
                serializer: S,
            ) -> Result<S::Ok, S::Error> {
                put_option(value, codec, serializer)
            }

            $($encode_slice)?
        }

        $(#[$attribute])*
        impl<'de> Decode<'de, $codec> for $time {
            const NONE_IS_VALUE: bool = true;

            fn decode<D: Deserializer<'de>>(codec: $codec, deserializer: D) -> Result<Self, D::Error> {
                take(codec, deserializer)
            }

            fn decode_option<D: Deserializer<'de>>(codec: $codec, deserializer: D) -> Result<Option<Self>, D::Error> {
                deserializer.deserialize_option(MaybeTime(codec, PhantomData))
            }

            $($decode_vec)?
        }
    )* };
}

/// Counts need no conversion: whole slices pass as they are.
macro_rules! counts {
    ($($codec:ty),*) => { $(
        times! {
            i64 as $codec,
            fn encode_slice<S: Serializer>(
                slice: &[Self],
                fixed: bool,
                codec: $codec,
                serializer: S,
            ) -> Result<S::Ok, S::Error> {
                if fixed {
                    codec::sequence(slice, fixed, codec, serializer)
                } else {
                    slice.serialize(serializer)
                }
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

impl<C> Time<C> for i64 {
    fn count(&self, _: C) -> Result<i64, Unfit> {
        Ok(*self)
    }

    fn from_count(count: i64, _: C) -> Result<Self, Unfit> {
        Ok(count)
    }
}

impl Time<Datetime> for SystemTime {
    fn count(&self, codec: Datetime) -> Result<i64, Unfit> {
        codec.to_count(system_nanos(*self))
    }

    fn from_count(count: i64, codec: Datetime) -> Result<Self, Unfit> {
        let nanos = codec.nanos_of(count)?;
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

impl Time<Timedelta> for Duration {
    fn count(&self, codec: Timedelta) -> Result<i64, Unfit> {
        codec.to_count(self.as_nanos() as i128)
    }

    fn from_count(count: i64, codec: Timedelta) -> Result<Self, Unfit> {
        duration(codec.nanos_of(count)?)
    }
}

const SECOND: i128 = 1_000_000_000;

/// `Range` for negative spans, which a `Duration` cannot hold.
fn duration(nanos: i128) -> Result<Duration, Unfit> {
    let seconds = u64::try_from(nanos.div_euclid(SECOND)).map_err(|_| Unfit::Range)?;
    let nanos = u32::try_from(nanos.rem_euclid(SECOND)).map_err(|_| Unfit::Range)?;
    Ok(Duration::new(seconds, nanos))
}

#[cfg(feature = "chrono")]
mod with_chrono {
    use chrono::{DateTime, NaiveDateTime, TimeDelta, Utc};

    use super::{Counts, Datetime, SECOND, Time, Timedelta, Unfit};

    impl Time<Datetime> for DateTime<Utc> {
        fn count(&self, codec: Datetime) -> Result<i64, Unfit> {
            let nanos = i128::from(self.timestamp_subsec_nanos());
            if nanos >= SECOND {
                return Err(Unfit::LeapSecond);
            }
            codec.to_count(i128::from(self.timestamp()) * SECOND + nanos)
        }

        fn from_count(count: i64, codec: Datetime) -> Result<Self, Unfit> {
            let (seconds, nanos) = split(codec.nanos_of(count)?)?;
            DateTime::from_timestamp(seconds, nanos).ok_or(Unfit::Range)
        }
    }

    impl Time<Datetime> for NaiveDateTime {
        fn count(&self, codec: Datetime) -> Result<i64, Unfit> {
            self.and_utc().count(codec)
        }

        fn from_count(count: i64, codec: Datetime) -> Result<Self, Unfit> {
            Ok(DateTime::<Utc>::from_count(count, codec)?.naive_utc())
        }
    }

    impl Time<Timedelta> for TimeDelta {
        fn count(&self, codec: Timedelta) -> Result<i64, Unfit> {
            codec.to_count(i128::from(self.num_seconds()) * SECOND + i128::from(self.subsec_nanos()))
        }

        fn from_count(count: i64, codec: Timedelta) -> Result<Self, Unfit> {
            let (seconds, nanos) = split(codec.nanos_of(count)?)?;
            TimeDelta::new(seconds, nanos).ok_or(Unfit::Range)
        }
    }

    fn split(nanos: i128) -> Result<(i64, u32), Unfit> {
        let seconds = i64::try_from(nanos.div_euclid(SECOND)).map_err(|_| Unfit::Range)?;
        let nanos = u32::try_from(nanos.rem_euclid(SECOND)).map_err(|_| Unfit::Range)?;
        Ok((seconds, nanos))
    }
}

/// A module for each unit, documented by example.
macro_rules! units {
    ($codec:ident, $module:literal, $letter:literal, $what:literal;
        $($name:ident: $base:ident, $unit:literal, $long:literal;)*) => { $(
        #[doc = concat!($what, " in ", $long, ": `<", $letter, "8[", $unit, "]`.")]
        ///
        /// ```
        /// #[derive(serde::Serialize, serde::Deserialize)]
        /// struct Data {
        #[doc = concat!("    #[serde(with = \"serde_npz::with::", $module, "::", stringify!($name), "\")]")]
        ///     t: Vec<i64>,
        /// }
        ///
        /// let bytes = serde_npz::to_npz_vec(&Data { t: vec![0, 5] })?;
        /// let mut archive = serde_npz::NpzReader::new(std::io::Cursor::new(bytes))?;
        #[doc = concat!("assert_eq!(archive.header(\"t\")?.dtype().to_string(), \"<", $letter, "8[", $unit, "]\");")]
        /// # Ok::<(), serde_npz::Error>(())
        /// ```
        #[allow(non_snake_case)] // NumPy's own spelling: D and W are no m and M.
        pub mod $name {
            use serde::de::Deserializer;
            use serde::ser::Serializer;

            use crate::format::dtype::TimeBase;
            use crate::with::codec::{Decode, Encode};
            use crate::with::time::$codec;

            #[doc = concat!("Writes times as counts of ", $long, ".")]
            ///
            /// ```
            /// #[derive(serde::Serialize)]
            /// struct Data {
            #[doc = concat!("    #[serde(serialize_with = \"serde_npz::with::", $module, "::", stringify!($name), "::serialize\")]")]
            ///     t: [i64; 2],
            /// }
            ///
            /// assert_eq!(serde_json::to_string(&Data { t: [0, 5] })?, r#"{"t":[0,5]}"#);
            /// # Ok::<(), serde_json::Error>(())
            /// ```
            ///
            /// # Errors
            ///
            /// Those of the serializer, and a time that the unit does not hold exactly.
            pub fn serialize<T: Encode<$codec> + ?Sized, S: Serializer>(value: &T, serializer: S) -> Result<S::Ok, S::Error> {
                value.encode_field($codec(TimeBase::$base), serializer)
            }

            #[doc = concat!("Reads times from counts of ", $long, ".")]
            ///
            /// ```
            /// #[derive(serde::Deserialize)]
            /// struct Data {
            #[doc = concat!("    #[serde(deserialize_with = \"serde_npz::with::", $module, "::", stringify!($name), "::deserialize\")]")]
            ///     t: Vec<Option<i64>>,
            /// }
            ///
            /// let data: Data = serde_json::from_str(r#"{"t":[0,null]}"#)?;
            /// assert_eq!(data.t, [Some(0), None]);
            /// # Ok::<(), serde_json::Error>(())
            /// ```
            ///
            /// # Errors
            ///
            /// Those of the deserializer, and a count that the type does not hold exactly.
            pub fn deserialize<'de, T: Decode<'de, $codec>, D: Deserializer<'de>>(deserializer: D) -> Result<T, D::Error> {
                T::decode_field($codec(TimeBase::$base), deserializer)
            }
        }
    )* };

    ($codec:ident, $module:literal, $letter:literal, $what:literal) => {
        $crate::with::time::units! {
            $codec, $module, $letter, $what;
            Y: Year, "Y", "years";
            M: Month, "M", "months";
            W: Week, "W", "weeks";
            D: Day, "D", "days";
            h: Hour, "h", "hours";
            m: Minute, "m", "minutes";
            s: Second, "s", "seconds";
            ms: Milli, "ms", "milliseconds";
            us: Micro, "us", "microseconds";
            ns: Nano, "ns", "nanoseconds";
            ps: Pico, "ps", "picoseconds";
            fs: Femto, "fs", "femtoseconds";
            as_: Atto, "as", "attoseconds";
        }
    };
}

pub(super) use units;
