//! Verbs that check files and change nothing.

pub mod verify;
