//! What the acceptance tests share: a self-describing owned value, the layout of an archive, Python.
#![allow(dead_code, reason = "every test file uses its own part")]

use std::ffi::{OsStr, OsString};
use std::fmt::{self, Debug};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::Relaxed;

use serde::de::{DeserializeOwned, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};
use serde_npz::{Error, ErrorKind, NpzReader};

/// Whatever `deserialize_any` hands out, owned.
#[derive(Clone, Debug, PartialEq)]
pub enum Any {
    Unit,
    Bool(bool),
    Int(i64),
    Uint(u64),
    Float(f64),
    Str(String),
    Bytes(Vec<u8>),
    Seq(Vec<Any>),
    Map(Vec<(String, Any)>),
}

impl Any {
    /// An integer however it was handed out.
    pub fn int(&self) -> Option<i128> {
        match *self {
            Any::Int(n) => Some(n.into()),
            Any::Uint(n) => Some(n.into()),
            _ => None,
        }
    }

    pub fn field(&self, name: &str) -> Option<&Any> {
        match self {
            Any::Map(entries) => entries.iter().find(|(key, _)| key == name).map(|(_, value)| value),
            _ => None,
        }
    }
}

impl<'de> Deserialize<'de> for Any {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(AnyVisitor)
    }
}

struct AnyVisitor;

impl<'de> Visitor<'de> for AnyVisitor {
    type Value = Any;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any value")
    }
    fn visit_unit<E>(self) -> Result<Any, E> {
        Ok(Any::Unit)
    }
    fn visit_none<E>(self) -> Result<Any, E> {
        Ok(Any::Unit)
    }
    fn visit_some<D: Deserializer<'de>>(self, d: D) -> Result<Any, D::Error> {
        Any::deserialize(d)
    }
    fn visit_newtype_struct<D: Deserializer<'de>>(self, d: D) -> Result<Any, D::Error> {
        Any::deserialize(d)
    }
    fn visit_bool<E>(self, v: bool) -> Result<Any, E> {
        Ok(Any::Bool(v))
    }
    fn visit_i64<E>(self, v: i64) -> Result<Any, E> {
        Ok(Any::Int(v))
    }
    fn visit_u64<E>(self, v: u64) -> Result<Any, E> {
        Ok(Any::Uint(v))
    }
    fn visit_f64<E>(self, v: f64) -> Result<Any, E> {
        Ok(Any::Float(v))
    }
    fn visit_char<E>(self, v: char) -> Result<Any, E> {
        Ok(Any::Str(v.to_string()))
    }
    fn visit_str<E>(self, v: &str) -> Result<Any, E> {
        Ok(Any::Str(v.to_owned()))
    }
    fn visit_bytes<E>(self, v: &[u8]) -> Result<Any, E> {
        Ok(Any::Bytes(v.to_vec()))
    }
    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Any, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = seq.next_element()? {
            items.push(item);
        }
        Ok(Any::Seq(items))
    }
    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Any, A::Error> {
        let mut entries = Vec::new();
        while let Some(entry) = map.next_entry()? {
            entries.push(entry);
        }
        Ok(Any::Map(entries))
    }
}

/// Name, dtype and shape of one member.
pub type Row = (String, String, Vec<u64>);

/// What `np.load` would list: every member with dtype and shape, in the order of the archive.
pub fn layout(npz: &[u8]) -> Vec<Row> {
    let mut reader = NpzReader::new(std::io::Cursor::new(npz)).expect("our own archive opens");
    let names: Vec<String> = reader.names().map(str::to_owned).collect();
    names
        .into_iter()
        .map(|name| {
            let header = reader
                .header(&name)
                .unwrap_or_else(|err| panic!("header of {name:?}: {err}"));
            (name, header.dtype().to_string(), header.shape().to_vec())
        })
        .collect()
}

/// The same as one line: `name dtype (shape)`, joined by semicolons.
pub fn table(npz: &[u8]) -> String {
    let rows = layout(npz).into_iter().map(|(name, dtype, shape)| {
        let dims: Vec<String> = shape.iter().map(u64::to_string).collect();
        let comma = if dims.len() == 1 { "," } else { "" };
        format!("{name} {dtype} ({}{comma})", dims.join(", "))
    });
    rows.collect::<Vec<_>>().join("; ")
}

/// Writes an archive, compares its layout, reads it back: stored and compressed, from a slice and from a stream.
#[track_caller]
pub fn check<T: Serialize + DeserializeOwned + PartialEq + Debug>(value: &T, expected: &str) {
    let bytes = serde_npz::to_npz_vec(value).unwrap_or_else(|err| panic!("writing {value:?}: {err}"));
    assert_eq!(table(&bytes), expected, "layout of {value:?}");
    check_back(value, &bytes);
    let packed = serde_npz::WriteOptions::new()
        .compressed()
        .to_npz_vec(value)
        .expect("compressed");
    assert_eq!(table(&packed), expected, "layout of compressed {value:?}");
    check_back(value, &packed);
}

#[track_caller]
pub fn check_back<T: DeserializeOwned + PartialEq + Debug>(value: &T, bytes: &[u8]) {
    let back: T = serde_npz::from_npz_slice(bytes).unwrap_or_else(|err| panic!("reading {value:?}: {err}"));
    assert_eq!(&back, value, "from a slice");
    let back: T = serde_npz::from_npz_reader(std::io::Cursor::new(bytes))
        .unwrap_or_else(|err| panic!("reading {value:?} from a stream: {err}"));
    assert_eq!(&back, value, "from a stream");
}

/// Writes a lone array, compares dtype and shape, reads it back.
#[track_caller]
pub fn check_npy<T: Serialize + DeserializeOwned + PartialEq + Debug>(value: &T, dtype: &str, shape: &[u64]) {
    let bytes = serde_npz::to_npy_vec(value).unwrap_or_else(|err| panic!("writing {value:?}: {err}"));
    let header = serde_npz::Header::read(&mut &bytes[..]).expect("our own header");
    assert_eq!(
        (header.dtype().to_string().as_str(), header.shape()),
        (dtype, shape),
        "layout of {value:?}"
    );
    assert_eq!(
        header.to_bytes(),
        bytes[..header.to_bytes().len()],
        "header bytes of {value:?}"
    );
    let back: T = serde_npz::from_npy_slice(&bytes).unwrap_or_else(|err| panic!("reading {value:?}: {err}"));
    assert_eq!(&back, value, "from a slice");
    let back: T = serde_npz::from_npy_reader(&bytes[..]).expect("from a stream");
    assert_eq!(&back, value, "from a stream");
}

/// A file of version 1 by hand.
pub fn npy(descr: &str, fortran: bool, shape: &str, data: &[u8]) -> Vec<u8> {
    let order = if fortran { "True" } else { "False" };
    let mut text = format!("{{'descr': {descr}, 'fortran_order': {order}, 'shape': {shape}, }}");
    while (10 + text.len() + 1) % 64 != 0 {
        text.push(' ');
    }
    text.push('\n');
    let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
    bytes.extend(u16::try_from(text.len()).unwrap().to_le_bytes());
    bytes.extend(text.as_bytes());
    bytes.extend(data);
    bytes
}

/// The error of writing `value` as an archive, checked for its kind, its path and words of its message.
#[track_caller]
pub fn refused<T: Serialize + ?Sized>(value: &T, kind: ErrorKind, path: &str, words: &[&str]) -> Error {
    match serde_npz::to_npz_vec(value) {
        Ok(bytes) => panic!("written as {:?}, expected {kind:?}", layout(&bytes)),
        Err(err) => is(err, kind, path, words),
    }
}

/// An error with this kind, this path and these words in its message or hint.
#[track_caller]
pub fn is(err: Error, kind: ErrorKind, path: &str, words: &[&str]) -> Error {
    assert_eq!((err.kind(), err.path()), (kind, path), "{err}");
    let text = format!("{err:#}");
    for word in words {
        assert!(text.contains(word), "{text:?} does not name {word:?}");
    }
    err
}

/// `tests/data/<name>` of this repository.
pub fn data(name: &str) -> PathBuf {
    // The manifest is that of the crate, or that of tests/ecosystem.
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors();
    let data = root.map(|dir| dir.join("tests/data")).find(|dir| dir.is_dir());
    data.expect("tests/data").join(name)
}

/// A fresh directory below cargo's own, removed on drop.
pub struct Scratch(pub PathBuf);

impl Scratch {
    pub fn new(name: &str) -> Self {
        static COUNT: AtomicU64 = AtomicU64::new(0);
        let (process, count) = (std::process::id(), COUNT.fetch_add(1, Relaxed));
        let dir = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("{name}-{process}-{count}"));
        let _ = std::fs::remove_dir_all(&dir);
        std::fs::create_dir_all(&dir).expect("a scratch directory");
        Scratch(dir)
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    pub fn files(&self) -> Vec<String> {
        let mut names: Vec<String> = std::fs::read_dir(&self.0)
            .expect("the scratch directory")
            .map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned())
            .collect();
        names.sort();
        names
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// Runs a script with the Python that has NumPy (`SERDE_NPZ_PYTHON`, else `python3`) and gives its output.
#[track_caller]
pub fn python(script: &str, args: &[&OsStr]) -> String {
    let python = std::env::var_os("SERDE_NPZ_PYTHON").unwrap_or_else(|| "python3".into());
    let output = Command::new(&python)
        .arg("-c")
        .arg(script)
        .args(args)
        .output()
        .unwrap_or_else(|err| panic!("cannot start {python:?} (SERDE_NPZ_PYTHON): {err}"));
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("UTF-8 from Python")
}

/// Whether long tests run in full, as `.ci/run` has them.
pub fn long() -> bool {
    std::env::var_os("SERDE_NPZ_LONG").is_some()
}

/// How often a test repeats what it does: as the variable says, else briefly, or often if [`long`].
pub fn repetitions(variable: &str, briefly: usize, often: usize) -> usize {
    match std::env::var(variable) {
        Ok(number) => number.parse().unwrap_or_else(|err| panic!("{variable}: {err}")),
        Err(_) => match long() {
            true => often,
            false => briefly,
        },
    }
}

/// What this process was started for, if it is the child of a test: see [`child`].
pub fn task() -> Option<OsString> {
    std::env::var_os(TASK)
}

/// This test binary once more, to run nothing but one test, which finds its [`task`]. The module is the `module_path!()`
/// of the test.
pub fn child(module: &str, test: &str, task: impl AsRef<OsStr>) -> Command {
    let (_binary, module) = module.split_once("::").expect("a module of a test binary");
    let mut command = Command::new(std::env::current_exe().expect("the path of this program"));
    command
        .arg(format!("{module}::{test}"))
        .args(["--exact", "--nocapture", "--test-threads=1"])
        .env(TASK, task);
    command
}

const TASK: &str = "SERDE_NPZ_TEST_TASK";
