//! Values of Rust as arrays and archives, and back: what becomes what, what is refused, and what a type may change while its
//! files stay.

#[path = "../common/mod.rs"]
mod common;
#[cfg(any(feature = "nalgebra-0_34", feature = "ndarray-0_17"))]
#[path = "../common/counting.rs"]
mod counting;
mod edge_values;
mod errors;
mod evolution;
mod groups;
mod mixed;
mod options;
mod other_formats;
mod slices;
mod tokens;
mod value;
mod views;
mod wide;
mod with;
