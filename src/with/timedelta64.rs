//! Spans of time as `<m8[unit]`, one module per unit: `with::timedelta64::ns`.
//!
//! ```text
//! #[serde(with = "serde_npz::with::timedelta64::s")]
//! t: vec![Some(90_i64), None]    <m8[s] (2,)    [90, 'NaT']
//! ```
//!
//! The units are NumPy's: `Y`, `M`, `W`, `D`, `h`, `m`, `s`, `ms`, `us`, `ns`, `ps`, `fs` and `as_` (a keyword
//! without the underscore). The types:
//!
//! | type | |
//! |---|---|
//! | `i64` | the count; `i64::MIN` is NaT |
//! | [`Duration`](std::time::Duration) | exact or an error; not in months and years, which have no fixed length |
//! | `TimeDelta` | the same; with the feature `chrono` |
//! | `Option` of these | `None` is NaT; `Some(i64::MIN)` is refused |
//! | `Vec`, arrays, slices and boxed slices of these, in any depth | N-d; an `Option` around them is a field that may be missing (with `#[serde(default)]`) |
//!
//! Reading converts the unit of the file to that of the module, exactly or not at all. Other formats get
//! the counts as integers, and `None` as it is. Where serde itself keeps a value for later (`flatten`,
//! untagged and internally tagged enums), the counts come in the unit of the file.
//!
//! ```
//! use serde::{Deserialize, Serialize};
//! use std::time::Duration;
//!
//! #[derive(Serialize, Deserialize, Debug, PartialEq)]
//! struct Laps {
//!     #[serde(with = "serde_npz::with::timedelta64::ms")]
//!     lap: Vec<Option<Duration>>,
//! }
//!
//! let laps = Laps { lap: vec![Some(Duration::from_millis(61_500)), None] };
//! let bytes = serde_npz::to_npz_vec(&laps)?;
//! assert_eq!(serde_npz::from_npz_slice::<Laps>(&bytes)?, laps);
//!
//! let mut archive = serde_npz::NpzReader::new(std::io::Cursor::new(bytes))?;
//! assert_eq!(archive.header("lap")?.dtype().to_string(), "<m8[ms]");
//! assert_eq!(archive.get::<Vec<i64>>("lap")?, [61_500, i64::MIN]);
//! # Ok::<(), serde_npz::Error>(())
//! ```

macro_rules! units {
    ($($name:ident: $base:ident, $unit:literal, $long:literal;)*) => { $(
        #[doc = concat!("Spans of time in ", $long, ": `<m8[", $unit, "]`.")]
        ///
        /// ```
        /// #[derive(serde::Serialize, serde::Deserialize)]
        /// struct Data {
        #[doc = concat!("    #[serde(with = \"serde_npz::with::timedelta64::", stringify!($name), "\")]")]
        ///     t: Vec<i64>,
        /// }
        ///
        /// let bytes = serde_npz::to_npz_vec(&Data { t: vec![0, 5] })?;
        /// let mut archive = serde_npz::NpzReader::new(std::io::Cursor::new(bytes))?;
        #[doc = concat!("assert_eq!(archive.header(\"t\")?.dtype().to_string(), \"<m8[", $unit, "]\");")]
        /// # Ok::<(), serde_npz::Error>(())
        /// ```
        #[allow(non_snake_case)] // NumPy's own spelling: D and W are no m and M.
        pub mod $name {
            use serde::de::Deserializer;
            use serde::ser::Serializer;

            use super::super::nested::{Decode, Encode};
            use super::super::time::Timedelta;
            use crate::format::dtype::TimeBase;

            #[doc = concat!("Writes spans of time as counts of ", $long, ".")]
            ///
            /// ```
            /// #[derive(serde::Serialize)]
            /// struct Data {
            #[doc = concat!("    #[serde(serialize_with = \"serde_npz::with::timedelta64::", stringify!($name), "::serialize\")]")]
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
            pub fn serialize<T: Encode<Timedelta> + ?Sized, S: Serializer>(value: &T, serializer: S) -> Result<S::Ok, S::Error> {
                value.encode_field(Timedelta(TimeBase::$base), serializer)
            }

            #[doc = concat!("Reads spans of time from counts of ", $long, ".")]
            ///
            /// ```
            /// #[derive(serde::Deserialize)]
            /// struct Data {
            #[doc = concat!("    #[serde(deserialize_with = \"serde_npz::with::timedelta64::", stringify!($name), "::deserialize\")]")]
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
            pub fn deserialize<'de, T: Decode<'de, Timedelta>, D: Deserializer<'de>>(deserializer: D) -> Result<T, D::Error> {
                T::decode_field(Timedelta(TimeBase::$base), deserializer)
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
