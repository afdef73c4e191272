//! A serde format for NumPy: a derived struct to `.npz` and back, a sequence to `.npy` and back.
//!
//! ```
//! use serde::{Deserialize, Serialize};
//!
//! #[derive(Serialize, Deserialize)]
//! struct Run {
//!     dt: f64,
//!     positions: Vec<[f64; 3]>,
//!     labels: Vec<String>,
//! }
//!
//! # fn main() -> serde_npz::Result<()> {
//! # let path = std::env::temp_dir().join(format!("serde_npz-doc-lib-{}.npz", std::process::id()));
//! let run = Run { dt: 0.5, positions: vec![[0.0, 1.0, 2.0]], labels: vec!["start".into()] };
//! serde_npz::save_npz(&path, &run)?; // Python: np.load("run.npz")["positions"].shape == (1, 3)
//! let back: Run = serde_npz::load_npz(&path)?;
//! assert_eq!(back.positions, run.positions);
//! # std::fs::remove_file(&path).unwrap();
//! # Ok(())
//! # }
//! ```
//!
//! Each field becomes a member, and groups are joined by `/`. Object data (pickle) is always refused. If you come from
//! Python, start with the [`guide`]; what people ask most is answered in [`questions`].
//!
//! | you have | use |
//! |---|---|
//! | a value to a file and back | [`save_npz`], [`load_npz`], [`save_npy`], [`load_npy`]; [`load`] for either kind; writers, readers, vectors and slices likewise |
//! | a pipe or a socket | [`to_npz_stream`], [`to_npy_writer`], [`from_npy_reader`] |
//! | compression, threads, durability, casting, limits | [`WriteOptions`], [`ReadOptions`], [`Limits`] |
//! | another layout for a field | [`with`] |
//! | an archive to read or change member by member | [`NpzReader`], [`NpzWriter`] |
//! | an array to read or extend row by row | [`NpyReader`], [`NpyWriter`] |
//! | arrays larger than memory, members without a copy | [`ArrayView`]; `NpyMmap`, `NpyMmapMut`, `NpzMmap` (feature `mmap`) |
//! | the state of a long run | [`Checkpoints`] |
//! | files of unknown content | [`Value`], [`NpzReader::entries`], [`Header`], [`Dtype`] |
//! | an adapter that asks for a serde `Serializer` | [`NpySerializer`] |
//!
//! The features `ndarray-0_17` and `nalgebra-0_34` add modules that write the arrays of these crates in their memory order,
//! and `chrono` adds its types for times.
//!
//! # How often a value is serialized
//!
//! Sometimes twice. Texts are as wide as the longest one, and elements that differ become members of their own, so the
//! layout of such values is known only after all of them have been seen: they are serialized once to be measured and once
//! to be written. A slice of numbers is serialized once, and so is a sequence of numbers or of records of numbers, whose
//! first element may be serialized twice.
//!
//! `Serialize` therefore has to give the same result every time. A value that cannot do so, because it empties an iterator
//! or because another thread changes it meanwhile, fails with `InvalidValue`: collect it first.
//!
//! # Other crates in this API
//!
//! Types of [`half`] 2 and [`num_complex`] 0.4 implement [`Element`] without a feature, chrono's types are those of 0.4, and
//! serde is 1. A new major version of one of these is a new major version of this crate. Crates that release
//! majors more often, such as ndarray and nalgebra, have a feature for each supported version, so that an update of
//! theirs only adds a feature here.
//!
//! # What becomes what
//!
#![doc = include_str!("mapping.md")]
#![doc = include_str!("limits.md")]
#![cfg_attr(docsrs, feature(doc_cfg))]
#![warn(missing_docs)]
#![deny(unsafe_code)]
// A number from a file that does not fit is an error, or out of range. Tests know their numbers.
#![cfg_attr(not(test), warn(clippy::cast_possible_truncation))]

mod checkpoint;
mod error;
mod format;
mod io;
mod npy;
mod npz;
mod options;
mod view;

pub mod value;
pub mod with;

#[doc = include_str!("guide.md")]
pub mod guide {}

#[doc = include_str!("questions.md")]
pub mod questions {}

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct ReadMe;

pub use crate::checkpoint::{Checkpoints, IntactCheckpoint};
pub use crate::error::{Error, ErrorKind, Result};
pub use crate::format::dtype::{Dtype, Field};
pub use crate::format::header::Header;
pub use crate::npy::rows::reader::{NpyReader, NpyRows};
pub use crate::npy::rows::writer::NpyWriter;
pub use crate::npy::{from_npy_reader, from_npy_slice, load_npy, save_npy, to_npy_vec, to_npy_writer};
pub use crate::npz::de::deserializer::Deserializer;
pub use crate::npz::de::rows::NpzRows;
pub use crate::npz::either::{from_reader, from_slice, load};
pub use crate::npz::reader::NpzReader;
pub use crate::npz::reader::data::{NpzData, NpzStream};
pub use crate::npz::reader::entry::{Entry, NpzEntries, NpzNames, Unmappable};
pub use crate::npz::scan::{NpzScan, ScannedMember};
pub use crate::npz::ser::serializer::Serializer;
pub use crate::npz::writer::NpzWriter;
pub use crate::npz::{from_npz_reader, from_npz_slice, load_npz, save_npz, to_npz_stream, to_npz_vec, to_npz_writer};
pub use crate::options::progress::Progress;
pub use crate::options::{Casting, Compression, Limits, ReadOptions, WriteOptions};
pub use crate::value::buffer::NpySerializer;
pub use crate::value::{Value, from_value, to_value};
#[cfg(feature = "mmap")]
pub use crate::view::mmap::{NpyMmap, NpyMmapMut, NpzMmap};
pub use crate::view::{ArrayRows, ArrayView, ArrayViewMut, Element};
