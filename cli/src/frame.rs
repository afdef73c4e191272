//! What every verb stands on.

pub mod context;
pub mod data;
pub mod element;
pub mod fault;
pub mod input;
pub mod json;
pub mod select;
pub mod slice;
pub mod table;
pub mod text;
