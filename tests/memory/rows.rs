//! Row by row, the memory taken does not depend on how many rows there are.

use std::io::{Cursor, Read, Seek, SeekFrom, Write};

use crate::common::Scratch;
use crate::counting::Alone;
use serde_npz::{NpyReader, NpyWriter, NpzReader, NpzWriter, WriteOptions};

/// Takes everything and keeps how much it was.
struct Drain {
    at: u64,
    most: u64,
}

impl Write for Drain {
    fn write(&mut self, buf: &[u8]) -> std::io::Result<usize> {
        self.at += buf.len() as u64;
        self.most = self.most.max(self.at);
        Ok(buf.len())
    }
    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl Seek for Drain {
    fn seek(&mut self, pos: SeekFrom) -> std::io::Result<u64> {
        if let SeekFrom::Start(at) = pos {
            self.at = at;
        }
        Ok(self.at)
    }
}

const ROW: usize = 16;
const BOUND: usize = 1 << 20;

#[test]
fn rows_take_as_much_memory_as_one_of_them() {
    let alone = Alone::wait();
    for rows in [1 << 10, 1 << 16] {
        let bytes = rows * ROW * 8;

        // A reader that makes up its data as it goes.
        let mut head = serde_npz::to_npy_vec(&[[0.0_f64; ROW]; 0]).unwrap();
        let mut grown = NpyWriter::new(Cursor::new(Vec::new())).unwrap();
        grown.push(&[0.0_f64; ROW]).unwrap();
        head.clone_from(&grown.finish().unwrap().into_inner()[..128].to_vec());
        let text = String::from_utf8_lossy(&head[10..]).replacen("(1,", &format!("({rows},"), 1);
        head.splice(10.., text.bytes().take(117).chain([b'\n']));
        let mut reader = NpyReader::new(head.chain(std::io::repeat(0))).unwrap();
        let (_, taken) = alone.peak(|| assert_eq!(reader.rows::<[f64; ROW]>().filter_map(Result::ok).count(), rows));
        assert!(taken < BOUND, "reading {bytes} bytes of an array took {taken}");

        let mut writer = NpyWriter::new(Drain { at: 0, most: 0 }).unwrap();
        let (_, taken) = alone.peak(|| (0..rows).for_each(|_| writer.push(&[0.5_f64; ROW]).unwrap()));
        assert!(taken < BOUND, "writing {bytes} bytes of an array took {taken}");
        assert_eq!(writer.finish().unwrap().most, 128 + bytes as u64);

        let dir = Scratch::new("rows-memory");
        for (name, options) in [
            ("stored.npz", WriteOptions::new()),
            ("deflated.npz", WriteOptions::new().compressed()),
        ] {
            let path = dir.path(name);
            let mut npz = NpzWriter::with_options(std::fs::File::create(&path).unwrap(), &options);
            npz.add("x", &vec![[0.5_f64; ROW]; rows]).unwrap();
            npz.finish().unwrap();
            let mut npz = NpzReader::open(&path).unwrap();
            let (_, taken) = alone.peak(|| {
                let rows = npz.rows::<[f64; ROW]>("x").unwrap();
                assert_eq!(rows.map(Result::unwrap).count() * ROW * 8, bytes);
            });
            assert!(taken < BOUND, "reading {bytes} bytes of {name} took {taken}");
        }
    }
}

#[test]
fn rows_of_columns_take_a_block_of_them() {
    let alone = Alone::wait();
    let (rows, columns) = (1 << 20, 8);
    let dir = Scratch::new("columns-memory");
    let path = dir.path("x.npy");
    // 64 MiB of zeros in Fortran order, without a byte on the disk.
    let view = serde_npz::ArrayView::fortran(&[0.0_f64; 4], &[2, 2]).unwrap();
    let head = serde_npz::to_npy_vec(&view).unwrap();
    let text = String::from_utf8_lossy(&head[10..128]).replacen("(2, 2)", &format!("({rows}, {columns})"), 1);
    let mut bytes = head[..10].to_vec();
    bytes.extend(text.trim_end().bytes());
    bytes.resize(127, b' ');
    bytes.push(b'\n');
    std::fs::write(&path, &bytes).unwrap();
    std::fs::File::options()
        .write(true)
        .open(&path)
        .unwrap()
        .set_len(128 + (64 << 20))
        .unwrap();
    let mut reader = NpyReader::open(&path).unwrap();
    let (_, taken) = alone.peak(|| assert_eq!(reader.rows::<[f64; 8]>().filter_map(Result::ok).count(), rows));
    assert!(taken < 26 << 20, "reading 64 MiB took {taken}");
}
