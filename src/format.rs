//! What a header says, and what numbers and times of one dtype are as another.

pub(crate) mod cast;
pub(crate) mod dtype;
pub(crate) mod header;
pub(crate) mod literal;
pub(crate) mod time;
