//! How much memory is taken: bounded whatever the size of the file, whatever the file claims, and an error where there is
//! none left.

#[path = "../common/mod.rs"]
mod common;
#[path = "../common/counting.rs"]
mod counting;

mod adversarial;
mod archives;
mod arrays;
mod bombs;
mod refused;
mod rows;
