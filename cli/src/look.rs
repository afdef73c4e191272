//! Verbs that show what is in a file and change nothing.

pub mod ls;
pub mod plot;
pub mod show;
pub mod stats;
pub mod text;
