//! Files from strangers: damaged, cut, or made to mislead.

#[path = "../common/mod.rs"]
mod common;
mod corpus;
mod flips;
mod regressions;
