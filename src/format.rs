//! What a header says, and nothing of the data behind it.

pub(crate) mod dtype;
pub(crate) mod header;
pub(crate) mod literal;
pub(crate) mod time;
