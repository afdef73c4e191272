//! What an error leaves open, for a place further out that knows more: names near a missing one, the shape of the whole
//! array, the member that a value in serde's buffer came from.

use serde::de::Unexpected;

/// What is still to be told.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Cause {
    /// A field is missing: the names that are there are known to the group or record.
    MissingField(&'static str),
    /// The array has another number of axes: the shape of all of it is known to the array.
    Axes,
    /// A value does not fit; serde's buffer has forgotten where it came from.
    Found(Found),
    /// Such a value has been found again, at the path of this error.
    FoundAgain,
}

/// A value as serde describes it in an error.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Found {
    Bool(bool),
    Integer(i128),
    Float(f64),
    Text(String),
    Bytes(usize),
    Nothing,
    Sequence,
    Map,
    /// A sequence of a length that was not expected.
    Len(usize),
}

impl Found {
    pub(crate) fn of(unexpected: &Unexpected<'_>) -> Option<Found> {
        Some(match *unexpected {
            Unexpected::Bool(v) => Found::Bool(v),
            Unexpected::Unsigned(v) => Found::Integer(v.into()),
            Unexpected::Signed(v) => Found::Integer(v.into()),
            Unexpected::Float(v) => Found::Float(v),
            Unexpected::Char(v) => Found::Text(v.into()),
            Unexpected::Str(v) => Found::Text(v.to_owned()),
            Unexpected::Bytes(v) => Found::Bytes(v.len()),
            Unexpected::Unit | Unexpected::Option => Found::Nothing,
            Unexpected::Seq => Found::Sequence,
            Unexpected::Map => Found::Map,
            _ => return None,
        })
    }
}
