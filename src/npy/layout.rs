//! A value to the layout of its array.

pub(crate) mod capture;
pub(crate) mod compound;
pub(crate) mod known;
pub(crate) mod measure;
pub(crate) mod mixed;
pub(crate) mod scalar;
pub(crate) mod tally;
pub(crate) mod texts;
pub(crate) mod tree;
