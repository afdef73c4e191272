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

pub use super::time::Datetime;

super::time::units!(Datetime, "datetime64", "M", "Points in time");
