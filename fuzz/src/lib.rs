//! What the targets share: an owned value of any kind, and what has to hold of every file.

pub mod repair;
pub mod value;

use std::fmt;
use std::io::{BufReader, Cursor};

use serde::de::{DeserializeOwned, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_npz::{Error, ErrorKind, Header, Limits, NpyReader, NpzReader, ReadOptions, Result};

/// Small enough that no run needs much memory, large enough for every path.
pub fn options() -> ReadOptions {
    let limits = Limits::new()
        .total_bytes(16 << 20)
        .member_bytes(8 << 20)
        .elements(1 << 20)
        .any_elements(1 << 16);
    ReadOptions::new().limits(limits)
}

/// What `deserialize_any` hands out; floats by their bits, so that equal means equal.
#[derive(Debug, PartialEq)]
pub enum Any {
    Unit,
    Bool(bool),
    Int(i64),
    Uint(u64),
    Float(u64),
    Str(String),
    Bytes(Vec<u8>),
    Seq(Vec<Any>),
    Map(Vec<(String, Any)>),
}

impl<'de> Deserialize<'de> for Any {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        deserializer.deserialize_any(AnyVisitor)
    }
}

struct AnyVisitor;

impl<'de> Visitor<'de> for AnyVisitor {
    type Value = Any;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any value")
    }
    fn visit_unit<E>(self) -> std::result::Result<Any, E> {
        Ok(Any::Unit)
    }
    fn visit_none<E>(self) -> std::result::Result<Any, E> {
        Ok(Any::Unit)
    }
    fn visit_some<D: Deserializer<'de>>(self, d: D) -> std::result::Result<Any, D::Error> {
        Any::deserialize(d)
    }
    fn visit_newtype_struct<D: Deserializer<'de>>(self, d: D) -> std::result::Result<Any, D::Error> {
        Any::deserialize(d)
    }
    fn visit_bool<E>(self, v: bool) -> std::result::Result<Any, E> {
        Ok(Any::Bool(v))
    }
    fn visit_i64<E>(self, v: i64) -> std::result::Result<Any, E> {
        Ok(Any::Int(v))
    }
    fn visit_u64<E>(self, v: u64) -> std::result::Result<Any, E> {
        Ok(Any::Uint(v))
    }
    fn visit_f64<E>(self, v: f64) -> std::result::Result<Any, E> {
        Ok(Any::Float(v.to_bits()))
    }
    fn visit_str<E>(self, v: &str) -> std::result::Result<Any, E> {
        Ok(Any::Str(v.to_owned()))
    }
    fn visit_bytes<E>(self, v: &[u8]) -> std::result::Result<Any, E> {
        Ok(Any::Bytes(v.to_vec()))
    }
    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> std::result::Result<Any, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = seq.next_element()? {
            items.push(item);
        }
        Ok(Any::Seq(items))
    }
    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> std::result::Result<Any, A::Error> {
        let mut entries = Vec::new();
        while let Some(entry) = map.next_entry()? {
            entries.push(entry);
        }
        Ok(Any::Map(entries))
    }
}

/// Fails where a message would reach a terminal with what a file put into it.
fn sober(err: &Error) {
    let text = err.to_string();
    assert!(!text.is_empty() && !text.contains(char::is_control), "{text:?}");
}

/// Both ways of reading have to agree, on the value or on the refusal.
#[track_caller]
fn agree<T: PartialEq + fmt::Debug>(what: &str, slice: Result<T>, stream: Result<T>) -> Option<T> {
    match (slice, stream) {
        (Ok(slice), Ok(stream)) => {
            assert_eq!(slice, stream, "{what}");
            Some(slice)
        }
        (Err(slice), Err(stream)) => {
            sober(&slice);
            sober(&stream);
            None
        }
        // Whole files in memory may be refused for their size before a stream notices, and the reverse.
        (Err(err), Ok(_)) | (Ok(_), Err(err)) if err.kind() == ErrorKind::LimitExceeded => None,
        (slice, stream) => panic!("{what}: {slice:?} from a slice, {stream:?} from a stream"),
    }
}

/// What has to hold of a header: printed and read again, it is the same.
pub fn header(bytes: &[u8]) {
    match Header::read_with(&mut &bytes[..], &ReadOptions::new().max_header_size(1 << 20)) {
        Err(err) => sober(&err),
        Ok(header) => {
            let printed = header.to_bytes();
            assert_eq!(printed.len() % 64, 0);
            let again = Header::read_with(&mut &printed[..], &ReadOptions::new().max_header_size(1 << 24));
            assert_eq!(again.expect("our own header"), header);
        }
    }
}

/// A lone array: as itself, and as `T`.
pub fn npy<T: DeserializeOwned + fmt::Debug>(bytes: &[u8]) {
    let options = options();
    agree(
        "any",
        options.from_npy_slice::<Any>(bytes),
        options.from_npy_reader::<_, Any>(bytes),
    );
    // NaNs print alike, and no two other values do.
    let shown = |result: Result<T>| result.map(|value| format!("{value:?}"));
    agree(
        "typed",
        shown(options.from_npy_slice(bytes)),
        shown(options.from_npy_reader(bytes)),
    );
}

/// The rows of an array are the elements of the whole.
pub fn rows(bytes: &[u8]) {
    let Ok(mut reader) = NpyReader::new(bytes) else { return };
    if reader.header().shape().is_empty() || reader.header().shape()[0] > 1 << 12 {
        return;
    }
    let rows: Result<Vec<Any>> = reader.rows::<Any>().collect();
    if let (Ok(rows), Ok(Any::Seq(whole))) = (rows, options().from_npy_slice::<Any>(bytes)) {
        assert_eq!(rows, whole);
    }
}

/// An archive: every member in every way, then all of it.
pub fn npz(bytes: &[u8]) {
    let options = options();
    agree(
        "archive",
        options.from_npz_slice::<Any>(bytes),
        options.from_npz_reader::<_, Any>(BufReader::with_capacity(7, Cursor::new(bytes))),
    );
    let mut npz = match NpzReader::with_options(Cursor::new(bytes), &options) {
        Err(err) => return sober(&err),
        Ok(npz) => npz,
    };
    let names: Vec<String> = npz.names().map(str::to_owned).collect();
    assert_eq!(names.len(), npz.len());
    for name in names.iter().take(20) {
        assert!(npz.contains(name));
        let header = npz.header(name);
        header.as_ref().err().inspect(|err| sober(err));
        let verified = npz.verify(name);
        let raw = npz.raw(name);
        match (&verified, &raw) {
            (Ok(()), Ok(raw)) => {
                // Without an archive around it, an array may be followed by anything.
                let lone = options.from_npy_slice::<Any>(raw);
                let value = npz.get::<Any>(name);
                match (value, lone) {
                    (Ok(value), Ok(lone)) if header.is_ok() && raw.starts_with(b"\x93NUMPY") => {
                        assert_eq!(value, lone, "{name:?}");
                    }
                    (Ok(_), Err(err)) if raw.starts_with(b"\x93NUMPY") && header.is_ok() => {
                        assert_eq!(err.kind(), ErrorKind::LimitExceeded, "{name:?}: {err}");
                    }
                    (Err(err), _) => sober(&err),
                    _ => {}
                }
            }
            (Err(err), Err(again)) => {
                assert_eq!(err.kind(), again.kind(), "{name:?}");
                sober(err);
                let value = npz.get::<Any>(name);
                assert!(value.is_err(), "{name:?}: {err}, but read as {value:?}");
            }
            (_, Err(err)) if err.kind() == ErrorKind::LimitExceeded => {}
            _ => panic!("{name:?}: verify {verified:?}, raw {raw:?}"),
        }
    }
    let _ = npz.deserialize::<Any>();
    let _ = options.from_npz_slice::<Typed>(bytes);
}

/// A struct whose fields the seeds have.
#[derive(Debug, Deserialize)]
#[allow(dead_code, reason = "read for the reading's sake")]
struct Typed {
    #[serde(default)]
    a: Option<Vec<f64>>,
    #[serde(default)]
    b: Option<Vec<i64>>,
    #[serde(default)]
    x: Option<Vec<f64>>,
    #[serde(default)]
    y: Option<Vec<Vec<f32>>>,
    #[serde(default)]
    layers: Vec<Layer>,
}

#[derive(Debug, Deserialize)]
#[allow(dead_code, reason = "read for the reading's sake")]
struct Layer {
    w: Vec<Vec<f64>>,
    #[serde(default)]
    b: Option<Vec<f32>>,
}
