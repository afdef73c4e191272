//! Points in time as `<M8[unit]`, one module per unit: `with::datetime64::ns`.
//!
//! ```text
//! #[serde(with = "serde_npz::with::datetime64::ms")]
//! t: vec![Some(0_i64), None]    <M8[ms] (2,)    ['1970-01-01T00:00:00.000', 'NaT']
//! ```
//!
//! The units are NumPy's: `Y`, `M`, `W`, `D`, `h`, `m`, `s`, `ms`, `us`, `ns`, `ps`, `fs` and `as_` (a keyword
//! without the underscore). The types:
//!
//! | type | |
//! |---|---|
//! | `i64` | the count since 1970-01-01T00:00 UTC; `i64::MIN` is NaT |
//! | [`SystemTime`](std::time::SystemTime) | exact or an error |
//! | `DateTime<Utc>`, `NaiveDateTime` | exact or an error, no leap seconds; with the feature `chrono` |
//! | `Option` of these | `None` is NaT; `Some(i64::MIN)` is refused |
//! | `Vec`, arrays, slices and boxed slices of these, in any depth | N-d; an `Option` around them is a field that may be missing (with `#[serde(default)]`) |
//!
//! Reading converts the unit of the file to that of the module, exactly or not at all. Other formats get
//! the counts as integers, and `None` as it is. Where serde itself keeps a value for later (`flatten`,
//! untagged and internally tagged enums), the counts come in the unit of the file.
//!
//! ```
//! use serde::{Deserialize, Serialize};
//! use std::time::{Duration, SystemTime, UNIX_EPOCH};
//!
//! #[derive(Serialize, Deserialize, Debug, PartialEq)]
//! struct Events {
//!     #[serde(with = "serde_npz::with::datetime64::ns")]
//!     seen: Vec<SystemTime>,
//!     #[serde(with = "serde_npz::with::datetime64::D")]
//!     day: Vec<Option<i64>>,
//! }
//!
//! let events = Events {
//!     seen: vec![UNIX_EPOCH + Duration::from_nanos(5)],
//!     day: vec![Some(20_000), None],
//! };
//! let bytes = serde_npz::to_npz_vec(&events)?;
//! assert_eq!(serde_npz::from_npz_slice::<Events>(&bytes)?, events);
//!
//! let mut archive = serde_npz::NpzReader::new(std::io::Cursor::new(bytes))?;
//! assert_eq!(archive.header("seen")?.dtype().to_string(), "<M8[ns]");
//! assert_eq!(archive.get::<Vec<i64>>("day")?, [20_000, i64::MIN]);
//! # Ok::<(), serde_npz::Error>(())
//! ```

macro_rules! units {
    ($($name:ident: $base:ident, $unit:literal, $long:literal;)*) => { $(
        #[doc = concat!("Points in time in ", $long, ": `<M8[", $unit, "]`.")]
        ///
        /// ```
        /// #[derive(serde::Serialize, serde::Deserialize)]
        /// struct Data {
        #[doc = concat!("    #[serde(with = \"serde_npz::with::datetime64::", stringify!($name), "\")]")]
        ///     t: Vec<i64>,
        /// }
        ///
        /// let bytes = serde_npz::to_npz_vec(&Data { t: vec![0, 5] })?;
        /// let mut archive = serde_npz::NpzReader::new(std::io::Cursor::new(bytes))?;
        #[doc = concat!("assert_eq!(archive.header(\"t\")?.dtype().to_string(), \"<M8[", $unit, "]\");")]
        /// # Ok::<(), serde_npz::Error>(())
        /// ```
        #[allow(non_snake_case)] // NumPy's own spelling: D and W are no m and M.
        pub mod $name {
            use serde::de::Deserializer;
            use serde::ser::Serializer;

            use super::super::nested::{Decode, Encode};
            use super::super::time::Datetime;
            use crate::format::dtype::TimeBase;

            #[doc = concat!("Writes points in time as counts of ", $long, ".")]
            ///
            /// ```
            /// #[derive(serde::Serialize)]
            /// struct Data {
            #[doc = concat!("    #[serde(serialize_with = \"serde_npz::with::datetime64::", stringify!($name), "::serialize\")]")]
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
            pub fn serialize<T: Encode<Datetime> + ?Sized, S: Serializer>(value: &T, serializer: S) -> Result<S::Ok, S::Error> {
                value.encode_field(Datetime(TimeBase::$base), serializer)
            }

            #[doc = concat!("Reads points in time from counts of ", $long, ".")]
            ///
            /// ```
            /// #[derive(serde::Deserialize)]
            /// struct Data {
            #[doc = concat!("    #[serde(deserialize_with = \"serde_npz::with::datetime64::", stringify!($name), "::deserialize\")]")]
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
            pub fn deserialize<'de, T: Decode<'de, Datetime>, D: Deserializer<'de>>(deserializer: D) -> Result<T, D::Error> {
                T::decode_field(Datetime(TimeBase::$base), deserializer)
            }
        }
    )* };
}

units! {
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
