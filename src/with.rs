//! Other layouts for a field, chosen with `#[serde(with = "..")]`.
//!
//! | module | for | in the archive |
//! |---|---|---|
//! | [`nan`] | `Option<f64>`, in any depth | floats, `None` as NaN |
//! | [`masked`] | `Option` of anything of fixed size, in any depth | `x/values` and `x/values?`, True where there is one |
//! | [`float16`] | `f32`, `f64`, in any depth | `<f2` |
//! | [`float32`] | `f64`, in any depth | `<f4` |
//! | [`datetime64`] | `i64`, `SystemTime`, chrono | `<M8[ns]` and the other units |
//! | [`timedelta64`] | `i64`, `Duration`, chrono | `<m8[ns]` and the other units |
//! | [`bytes`] | `Vec<u8>`, `[u8; N]`, `String` | `\|Sn` |
//! | [`list`] | any sequence | one member per element: `x/0`, `x/1` |
//! | [`ragged`] | rows of unequal lengths, long strings | `x/values` and `x/offsets` |
//! | [`columns`] | a `Vec` of structs | one member for each field: `x/id`, `x/name` |
//! | [`json`] | anything | the JSON text `x.json`; read wherever a text is kept |
//! | [`view`] | `ArrayView`, `Cow<[f64]>`, `&[f64]` | as `Vec<f64>`, borrowed when read |
//! | `ndarray_0_17`, a feature | ndarray's arrays and views | as they lie in memory, Fortran order as Fortran order |
//! | `nalgebra_0_34`, a feature | nalgebra's matrices and vectors | `(r, c)` in Fortran order, `(n,)` |
//!
//! Each works with every serde format: JSON and the others write the values as if nothing stood
//! there (times as integers). serde wants `#[serde(default)]` beside a `with` whose field may be missing.
//!
//! ```
//! use serde::{Deserialize, Serialize};
//!
//! #[derive(Serialize, Deserialize)]
//! struct Sensor {
//!     #[serde(with = "serde_npz::with::datetime64::ms")]
//!     time: Vec<i64>,
//!     #[serde(with = "serde_npz::with::nan")]
//!     value: Vec<Option<f64>>,
//! }
//!
//! let sensor = Sensor { time: vec![0, 1500], value: vec![Some(0.5), None] };
//! let bytes = serde_npz::to_npz_vec(&sensor)?;
//! let back: Sensor = serde_npz::from_npz_slice(&bytes)?;
//! assert_eq!(back.value, [Some(0.5), None]);
//! # Ok::<(), serde_npz::Error>(())
//! ```

pub mod bytes;
mod codec;
pub mod columns;
pub mod datetime64;
#[cfg(any(feature = "nalgebra-0_34", feature = "ndarray-0_17"))]
mod dense;
mod exact;
pub mod float16;
pub mod float32;
pub mod json;
pub mod list;
pub mod masked;
#[cfg(feature = "nalgebra-0_34")]
pub mod nalgebra_0_34;
pub mod nan;
#[cfg(feature = "ndarray-0_17")]
pub mod ndarray_0_17;
pub mod ragged;
mod time;
pub mod timedelta64;
pub mod view;

pub use self::codec::{Codec, Decode, Encode};
