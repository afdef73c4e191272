//! Writes a value: arrays and texts unchanged, groups as maps.

use serde::ser::{Serialize, SerializeMap, Serializer};

use crate::error::{Error, ErrorKind, into_ser_custom};
use crate::npy::marker::{JSON, RAW};
use crate::npy::raw::{RawArray, RawData, RawKey, RawText};
use crate::options::MAX_GROUPS;
use crate::value::{AnyArray, Group, Value};

impl Serialize for Value {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        Nested { value: self, groups: 0 }.serialize(serializer)
    }
}

impl Serialize for Group {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        group(self, 0, serializer)
    }
}

impl Serialize for AnyArray {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let raw = RawArray {
            header: self.header().clone(),
            data: RawData::Bytes(self.bytes()),
        };
        serializer.serialize_newtype_struct(RAW, &raw)
    }
}

/// A value inside so many groups: a value built by a program may nest to any depth.
struct Nested<'a> {
    value: &'a Value,
    groups: u64,
}

impl Serialize for Nested<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.value {
            Value::Array(array) => array.serialize(serializer),
            Value::Json(text) => serializer.serialize_newtype_struct(JSON, &RawText(text)),
            Value::Group(members) => group(members, self.groups, serializer),
        }
    }
}

fn group<S: Serializer>(members: &Group, groups: u64, serializer: S) -> Result<S::Ok, S::Error> {
    if groups > MAX_GROUPS {
        return Err(into_ser_custom(Error::new(
            ErrorKind::LimitExceeded,
            format_args!("found groups nested deeper than {MAX_GROUPS}, expected no more than that"),
        )));
    }
    let mut map = serializer.serialize_map(Some(members.len()))?;
    for (name, value) in members {
        let nested = Nested {
            value,
            groups: groups + 1,
        };
        // A group's name becomes part of a path. The name of an array or text may hold the separator.
        if matches!(value, Value::Group(_)) {
            map.serialize_entry(name, &nested)?;
        } else {
            map.serialize_entry(&RawKey(name), &nested)?;
        }
    }
    map.end()
}
