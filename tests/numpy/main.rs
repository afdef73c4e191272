//! NumPy as the judge: needs Python with NumPy (`SERDE_NPZ_PYTHON`).

#[path = "../common/mod.rs"]
mod common;
mod differential;
mod spellings;
#[path = "../common/zip.rs"]
mod zip;
