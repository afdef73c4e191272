//! Every refusal: its kind, its path, what its message names, and that nothing is left behind.

mod reading;
mod writing;

use std::error::Error as _;
use std::io;

use crate::common::{Any, refused};
use serde::{Deserialize, Serialize};
use serde_npz::Error;
use serde_npz::ErrorKind::*;

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct X<T> {
    x: T,
}

fn x<T>(x: T) -> X<T> {
    X { x }
}

#[test]
fn the_error_type() {
    fn holds<T: Send + Sync + 'static + std::error::Error>() {}
    holds::<Error>();
    let err = refused(&x(Some(())), UnsupportedType, "x", &["Some(())"]);
    let err: io::Error = err.into();
    assert_eq!(err.kind(), io::ErrorKind::InvalidData);
    let back = Error::from(err);
    assert_eq!((back.kind(), back.path()), (UnsupportedType, "x"));
    let missing = serde_npz::load_npz::<Any>("/no/such/file.npz").unwrap_err();
    assert_eq!(missing.kind(), Io);
    assert!(missing.source().is_some());
    assert_eq!(io::Error::from(missing).kind(), io::ErrorKind::NotFound);
    assert!(format!("{back:?}").contains("UnsupportedType"));
}
