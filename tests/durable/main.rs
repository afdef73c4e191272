//! What a disk, a signal or a cut wire does to a save: the old file or the new one, whole.

#[cfg(unix)]
mod access;
mod checkpoints;
#[path = "../common/mod.rs"]
mod common;
mod faults;
mod kill;
mod progress;
mod trajectory;
