//! Values of any shape through every verb that writes: no panic, the same bytes or the same kind of error from each, and
//! what was written is read again.
#![no_main]

use std::collections::HashSet;
use std::io::Cursor;

use arbitrary::{Arbitrary, Unstructured};
use libfuzzer_sys::fuzz_target;
use serde_npz::{ErrorKind, NpyWriter, NpzReader, NpzWriter, Result, Value, WriteOptions};
use serde_npz_fuzz::value::Node;

/// Every member of an archive is whole, and `Value` takes it and gives it back byte for byte.
fn readable(bytes: &[u8]) {
    let mut reader = NpzReader::new(Cursor::new(bytes)).expect("an archive of ours opens");
    let names: Vec<String> = reader.names().map(str::to_owned).collect();
    for name in &names {
        reader.verify(name).expect("a member of ours is whole");
    }
    let known: HashSet<&str> = names.iter().map(String::as_str).collect();
    // A struct may name one field twice, an array and a group: members by name, but no value.
    let inside = |name: &String| name.match_indices('/').any(|(end, _)| known.contains(&name[..end]));
    if names.iter().any(inside) {
        return;
    }
    let value: Value = serde_npz::from_npz_slice(bytes).expect("an archive of ours is a value");
    let again = WriteOptions::new().to_npz_vec(&value).expect("what was read can be written");
    let read: Value = serde_npz::from_npz_slice(&again).expect("again");
    assert!(read == value, "{names:?}: another value the second time");
}

/// The bytes, or the kind of the error.
fn outcome<T>(result: Result<T>) -> std::result::Result<T, ErrorKind> {
    result.map_err(|err| {
        assert!(!err.to_string().contains(|c: char| c.is_control()), "{err:?}");
        err.kind()
    })
}

fn archives(node: &Node, steady: bool) {
    let vec = outcome(serde_npz::to_npz_vec(node));
    if let Ok(bytes) = &vec {
        readable(bytes);
    }
    let mut out = Cursor::new(Vec::new());
    let written = outcome(serde_npz::to_npz_writer(&mut out, node)).map(|()| out.into_inner());
    let mut stream = Vec::new();
    let streamed = outcome(serde_npz::to_npz_stream(&mut stream, node));
    let packed = outcome(WriteOptions::new().compressed().to_npz_vec(node));
    for bytes in [written.as_ref().ok(), packed.as_ref().ok(), streamed.as_ref().ok().map(|()| &stream)] {
        bytes.into_iter().for_each(|bytes| readable(bytes));
    }
    if steady {
        assert_eq!(vec, written, "a vector and a writer");
        assert_eq!(vec.as_ref().err(), streamed.as_ref().err(), "a vector and a stream");
        assert_eq!(vec.as_ref().err(), packed.as_ref().err(), "stored and deflated");
    }
}

/// One member more: the writer is left as it was, or every later call returns the error.
fn member(node: &Node) {
    let mut writer = NpzWriter::new(Cursor::new(Vec::new()));
    writer.add("before", &1).expect("a number");
    let added = outcome(writer.add("x", node));
    let after = outcome(writer.add("after", &2));
    match writer.finish() {
        Ok(file) => {
            after.expect("a writer that finishes takes more");
            readable(file.get_ref());
        }
        Err(err) => assert!(added == Err(err.kind()), "{added:?} became {err:?}"),
    }
}

fn contains(bytes: &[u8], part: &[u8]) -> bool {
    bytes.windows(part.len()).any(|window| window == part)
}

fn lone(node: &Node, steady: bool) {
    let vec = outcome(serde_npz::to_npy_vec(node));
    let mut out = Vec::new();
    let written = outcome(serde_npz::to_npy_writer(&mut out, node)).map(|()| out);
    for bytes in [&vec, &written].into_iter().flatten() {
        let value: Value = serde_npz::from_npy_slice(bytes).expect("an array of ours is a value");
        let again = serde_npz::to_npy_vec(&value).expect("what was read can be written");
        let read: Value = serde_npz::from_npy_slice(&again).expect("again");
        assert!(read == value, "another value the second time");
        // ml_dtypes writes a bfloat16 as `<V2`; to a `Value`, as to NumPy, it is two raw bytes, `|V2`.
        assert!(again == *bytes || contains(bytes, b"<V2"), "other bytes the second time");
    }
    if steady {
        assert_eq!(vec, written, "a vector and a writer");
    }
}

fn rows(rows: &[Node]) {
    let path = std::env::temp_dir().join(format!("serde_npz-fuzz-{}.npy", std::process::id()));
    let mut writer = NpyWriter::create(&path).expect("a file for the rows");
    let pushed = rows.iter().try_for_each(|row| writer.push(row));
    match outcome(writer.finish().map(drop)) {
        Ok(()) => {
            serde_npz::load_npy::<Value>(&path).expect("an array of ours is a value");
        }
        Err(_) => assert!(pushed.is_err() || !rows.is_empty(), "no rows are an array"),
    }
    let _ = std::fs::remove_file(&path);

    let mut archive = NpzWriter::new(Cursor::new(Vec::new()));
    let _ = outcome(archive.add_rows("x", rows.iter()));
    if let Ok(file) = archive.finish() {
        readable(file.get_ref());
    }
}

fuzz_target!(|data: &[u8]| {
    let Some((&choice, rest)) = data.split_first() else { return };
    let Ok(node) = Node::arbitrary_take_rest(Unstructured::new(rest)) else { return };
    if node.calls() > 1 << 12 {
        return;
    }
    let steady = node.is_steady();
    match choice % 4 {
        0 => archives(&node, steady),
        1 => lone(&node, steady),
        2 => member(&node),
        _ => match node.elements() {
            Some(elements) => rows(elements),
            None => {
                let _ = outcome(serde_npz::to_value(&node));
            }
        },
    }
});
