//! One writer at a time: whoever adds rows to a file has it locked, and nobody else cuts off what is not counted yet.

use std::error::Error as _;
use std::fs;
use std::io;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};

use serde_npz::{ErrorKind, NpyReader, NpyWriter, load_npy, save_npy};

use crate::common::{Scratch, child, task};

#[track_caller]
fn refused(path: &Path) {
    let err = NpyWriter::append(path).unwrap_err();
    let source = err.source().and_then(|source| source.downcast_ref::<io::Error>());
    assert_eq!(source.map(io::Error::kind), Some(io::ErrorKind::WouldBlock), "{err}");
    assert_eq!(err.kind(), ErrorKind::Io);
    for word in ["locked", "NpyWriter", "NpyMmapMut", "another program"] {
        assert!(format!("{err:#}").contains(word), "{err} does not name {word:?}");
    }
}

fn len(path: &Path) -> u64 {
    fs::metadata(path).unwrap().len()
}

#[test]
fn a_second_appender_is_refused_and_cuts_nothing_off() {
    let dir = Scratch::new("locked-append");
    let path = save_npy(dir.path("x"), &vec![0_u64; 3]).unwrap();
    let mut first = NpyWriter::append(&path).unwrap();
    // More than is gathered: some of it is in the file, and not counted yet.
    first.extend(0..100_000_u64).unwrap();
    let grown = len(&path);
    assert!(grown > 128 + 24);
    refused(&path);
    assert_eq!(len(&path), grown);

    // Readers need no lock.
    assert_eq!(load_npy::<Vec<u64>>(&path).unwrap(), [0; 3]);
    first.flush().unwrap();
    refused(&path);
    let mut reader = NpyReader::open(&path).unwrap();
    assert_eq!(reader.rows::<u64>().count(), 100_003);
    first.push(&7_u64).unwrap();
    let handed_back = first.finish().unwrap();

    // Finished, though the file is still open.
    let mut second = NpyWriter::append(&path).unwrap();
    assert_eq!(second.len(), 100_004);
    second.push(&8_u64).unwrap();
    drop(handed_back);
    refused(&path);
    second.finish().unwrap();
    assert_eq!(load_npy::<Vec<u64>>(&path).unwrap()[100_003..], [7, 8]);
}

#[test]
fn the_lock_goes_with_the_writer() {
    let dir = Scratch::new("locked-drop");
    let path = save_npy(dir.path("x"), &vec![0_u64; 3]).unwrap();
    drop(NpyWriter::append(&path).unwrap());
    NpyWriter::append(&path).unwrap().finish().unwrap();
    // One that was refused has none.
    fs::write(&path, b"no array").unwrap();
    assert_eq!(NpyWriter::append(&path).unwrap_err().kind(), ErrorKind::BadMagic);
    save_npy(&path, &vec![0_u64; 3]).unwrap();
    let mut writer = NpyWriter::append(&path).unwrap();
    writer.push("of another kind").unwrap_err();
    refused(&path);
    drop(writer);
    NpyWriter::append(&path).unwrap().finish().unwrap();
}

/// The array of a writer without rows is replaced by the first rows: the old file is locked, and then the new one.
#[test]
fn an_array_without_rows_is_locked_before_and_after_it_is_replaced() {
    let dir = Scratch::new("locked-fresh");
    let path = dir.path("x.npy");
    NpyWriter::create(&path).unwrap().finish().unwrap();
    let mut first = NpyWriter::append(&path).unwrap();
    refused(&path);
    first.push(&1_u8).unwrap();
    refused(&path);
    first.flush().unwrap();
    refused(&path);
    first.push(&2_u8).unwrap();
    first.finish().unwrap();
    assert_eq!(load_npy::<Vec<u8>>(&path).unwrap(), [1, 2]);
    NpyWriter::append(&path).unwrap().finish().unwrap();
}

#[test]
fn a_new_file_is_locked_as_soon_as_it_is_there() {
    let dir = Scratch::new("locked-new");
    let path = dir.path("x.npy");
    let mut first = NpyWriter::create(&path).unwrap();
    first.push(&1_u8).unwrap();
    first.flush().unwrap();
    refused(&path);
    first.push(&2_u8).unwrap();
    first.finish().unwrap();
    NpyWriter::append(&path).unwrap().finish().unwrap();
}

#[test]
fn another_program_is_refused() {
    if let Some(path) = task() {
        return refused(Path::new(&path));
    }
    let dir = Scratch::new("locked-program");
    let path = save_npy(dir.path("x"), &vec![0_u64; 3]).unwrap();
    let writer = NpyWriter::append(&path).unwrap();
    let output = child(module_path!(), "another_program_is_refused", &path)
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
    writer.finish().unwrap();
}

/// The first rows replace the file. One that was opened before that, and locked after it, has no name any more.
#[test]
fn no_row_is_added_to_a_file_that_has_been_replaced() {
    let dir = Scratch::new("locked-threads");
    for round in 0..20 {
        let path = dir.path(&format!("{round}.npy"));
        NpyWriter::create(&path).unwrap().finish().unwrap();
        let added = AtomicU64::new(0);
        std::thread::scope(|scope| {
            for thread in 0..4_u64 {
                let (path, added) = (&path, &added);
                scope.spawn(move || {
                    for row in 0..20 {
                        // In use by another thread: not added, and not counted.
                        let Ok(mut writer) = NpyWriter::append(path) else {
                            continue;
                        };
                        writer.push(&(thread * 1000 + row)).unwrap();
                        writer.finish().unwrap();
                        added.fetch_add(1, Ordering::Relaxed);
                    }
                });
            }
        });
        let rows: Vec<u64> = load_npy(&path).unwrap();
        assert_eq!(rows.len() as u64, added.into_inner());
    }
}
