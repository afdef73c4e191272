//! NumPy as the judge: needs Python with NumPy (`SERDE_NPZ_PYTHON`).

mod casting;
#[path = "../common/mod.rs"]
mod common;
mod differential;
mod readings;
mod shipped;
mod spellings;
#[path = "../common/zip.rs"]
mod zip;
