//! Verbs that write files: whole and durably, and over nothing that was not meant.

pub mod cat;
pub mod convert;
pub mod extract;
pub mod output;
pub mod pack;
pub mod repack;
pub mod rescue;
pub mod set;
