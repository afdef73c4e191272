//! Verbs that compare and check files and change nothing.

pub mod diff;
pub mod verify;
