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

pub use super::time::Timedelta;

super::time::units!(Timedelta, "timedelta64", "m", "Spans of time");
