//! Every refusal: its kind, its path, what its message names, and that nothing is left behind.

mod reading;
mod told;
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

/// The fact without advice, and the advice without the fact.
#[test]
fn fact_and_hint() {
    let err = serde_npz::to_npz_vec(&x(vec![Some(1.0), None])).unwrap_err();
    assert_eq!(
        err.to_string(),
        "x[1]: found None among scalars, expected all of them to be Some"
    );
    let hint = err.hint().unwrap();
    assert!(hint.contains("with::nan") && !hint.ends_with('.'), "{hint}");
    assert_eq!(format!("{err:#}"), format!("{err}; {hint}"));
    let without = serde_npz::to_npz_vec(&x("a\0")).unwrap_err();
    assert_eq!((without.hint(), format!("{without:#}")), (None, without.to_string()));
    // Through an io interface and back.
    let hint = hint.to_owned();
    assert_eq!(Error::from(io::Error::from(err)).hint(), Some(&hint[..]));
}

/// What a `Deserialize` raises keeps the hint of an error of ours, and a `with` module keeps all of it.
#[test]
fn hints_through_custom() {
    #[derive(Debug)]
    struct Inside;
    impl<'de> Deserialize<'de> for Inside {
        fn deserialize<D: serde::Deserializer<'de>>(_: D) -> Result<Self, D::Error> {
            Err(serde::de::Error::custom(serde_npz::to_npz_vec(&[1.0][..]).unwrap_err()))
        }
    }
    let bytes = serde_npz::to_npz_vec(&x(1)).unwrap();
    let err = serde_npz::from_npz_slice::<X<Inside>>(&bytes).unwrap_err();
    assert_eq!((err.kind(), err.path()), (Message, "x"));
    assert!(
        err.hint().unwrap().contains("to_npy_vec") && !err.to_string().contains("to_npy"),
        "{err:#}"
    );

    #[derive(Debug, Deserialize)]
    struct Lent<'a> {
        #[serde(borrow, with = "serde_npz::with::view")]
        #[expect(dead_code, reason = "never read")]
        x: &'a [f64],
    }
    let err = serde_npz::from_npz_slice::<Lent<'_>>(&bytes).unwrap_err();
    assert_eq!((err.kind(), err.path()), (TypeMismatch, "x"));
    // Another format is given the fact alone.
    let json = serde_json::from_str::<Inside>("0").unwrap_err().to_string();
    assert!(
        json.contains("expected a struct") && !json.contains("to_npy_vec"),
        "{json}"
    );
}

/// The names are promised: one that changes here is a breaking change.
#[test]
fn names_of_kinds() {
    let kinds = [
        (Io, "Io"),
        (BadMagic, "BadMagic"),
        (UnsupportedVersion, "UnsupportedVersion"),
        (BadHeader, "BadHeader"),
        (UnsupportedDtype, "UnsupportedDtype"),
        (Pickle, "Pickle"),
        (Truncated, "Truncated"),
        (CorruptArchive, "CorruptArchive"),
        (UnsupportedArchive, "UnsupportedArchive"),
        (LimitExceeded, "LimitExceeded"),
        (NotAnArray, "NotAnArray"),
        (MissingMember, "MissingMember"),
        (DuplicateName, "DuplicateName"),
        (InvalidName, "InvalidName"),
        (InvalidValue, "InvalidValue"),
        (TypeMismatch, "TypeMismatch"),
        (Ragged, "Ragged"),
        (MixedTypes, "MixedTypes"),
        (UnsupportedType, "UnsupportedType"),
        (UnknownField, "UnknownField"),
        (UnknownVariant, "UnknownVariant"),
        (Message, "Message"),
    ];
    for (kind, name) in kinds {
        assert_eq!(
            (kind.as_str(), kind.to_string(), format!("{kind:?}")),
            (name, name.into(), name.into())
        );
        assert_eq!(serde_json::to_value(kind).unwrap(), name);
    }
}
