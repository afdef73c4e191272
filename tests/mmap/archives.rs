//! Members of a mapped archive, lent and verified, and what a large one costs.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{Seek, SeekFrom, Write};
use std::path::Path;

use serde::{Deserialize, Serialize};
use serde_npz::{ErrorKind, Header, Unmappable, WriteOptions};

use crate::common::Scratch;
use crate::counting::peak;
use crate::{map_npy, map_npz, map_verified, npy};

#[derive(Debug, PartialEq, Serialize, Deserialize)]
pub struct Run {
    dt: f64,
    x: Vec<[f64; 3]>,
    flags: Vec<bool>,
    tag: String,
    inner: BTreeMap<String, Vec<u16>>,
}

pub fn run() -> Run {
    Run {
        dt: 0.5,
        x: vec![[1.0, 2.0, 3.0]; 10],
        flags: vec![true, false],
        tag: "é".to_owned(),
        inner: BTreeMap::from([("a".to_owned(), vec![1, 2]), ("b".to_owned(), vec![])]),
    }
}

#[test]
fn members_of_our_archives_are_lent() {
    let dir = Scratch::new("mmap-npz");
    let path = serde_npz::save_npz(dir.path("x"), &run()).unwrap();
    let map = map_npz(&path).unwrap();
    assert_eq!(
        map.names().collect::<Vec<_>>(),
        ["dt", "x", "flags", "tag", "inner/a", "inner/b"]
    );
    assert!(map.len() == 6 && !map.is_empty() && map.contains("inner/a") && !map.contains("inner"));
    assert_eq!(map.header("x").unwrap().shape(), [10, 3]);
    let x = map.array::<f64>("x").unwrap();
    // Several at a time.
    let a = map.array::<u16>("inner/a").unwrap();
    assert_eq!(
        (x.shape(), x.row(9).unwrap().as_slice()),
        (&[10, 3][..], &[1.0, 2.0, 3.0][..])
    );
    assert_eq!(
        (a.as_slice(), map.array::<f64>("dt").unwrap().as_slice()),
        (&[1, 2][..], &[0.5][..])
    );
    assert_eq!(map.array::<bool>("flags").unwrap().as_slice(), [true, false]);
    assert!(map.array::<u16>("inner/b").unwrap().is_empty());
    assert_eq!(map.bytes("tag").unwrap(), [0xe9, 0, 0, 0]);
    assert!(x.borrowed().is_some() && a.borrowed().is_some());
    assert_eq!(map.get::<Vec<u32>>("inner/a").unwrap(), [1, 2]);
    assert_eq!(map.get::<BTreeMap<String, Vec<u16>>>("inner").unwrap(), run().inner);
    assert_eq!(map.deserialize::<Run>().unwrap(), run());
    for name in map.names() {
        map.verify(name).unwrap();
    }

    for (err, kind) in [
        (map.array::<f64>("none").unwrap_err(), ErrorKind::MissingMember),
        (map.array::<f64>("inner").unwrap_err(), ErrorKind::MissingMember),
        (map.get::<f64>("none").unwrap_err(), ErrorKind::MissingMember),
        (map.header("none").unwrap_err(), ErrorKind::MissingMember),
        (map.bytes("none").unwrap_err(), ErrorKind::MissingMember),
        (map.verify("none").unwrap_err(), ErrorKind::MissingMember),
    ] {
        assert_eq!(err.kind(), kind);
        assert!(["none", "inner"].contains(&err.path()), "{err}");
    }
    let err = map.array::<f32>("x").unwrap_err();
    assert_eq!((err.kind(), err.path()), (ErrorKind::TypeMismatch, "x"));
    assert!(format!("{err:#}").contains("`get`"), "{err}");

    let path = WriteOptions::new()
        .compressed()
        .save_npz(dir.path("y"), &run())
        .unwrap();
    let map = map_verified(&path).unwrap();
    let err = map.array::<f64>("x").unwrap_err();
    assert_eq!((err.kind(), err.path()), (ErrorKind::UnsupportedArchive, "x"));
    assert!(format!("{err:#}").contains("`get`"), "{err}");
    assert_eq!(map.deserialize::<Run>().unwrap(), run());
}

#[test]
fn damage_is_found_when_asked_for() {
    let dir = Scratch::new("mmap-damage");
    let path = serde_npz::save_npz(dir.path("x"), &run()).unwrap();
    let mut bytes = fs::read(&path).unwrap();
    let mut npz = serde_npz::NpzReader::open(&path).unwrap();
    let at = npz.entry("x").unwrap().data_offset().unwrap() as usize;
    bytes[at] ^= 1;
    fs::write(&path, &bytes).unwrap();

    let map = map_npz(&path).unwrap();
    assert_eq!(map.array::<f64>("x").unwrap().len(), 30, "on request only");
    for err in [
        map.verify("x").unwrap_err(),
        map.get::<Vec<[f64; 3]>>("x").unwrap_err(),
        map.deserialize::<Run>().unwrap_err(),
        map_verified(&path).unwrap_err(),
    ] {
        assert_eq!((err.kind(), err.path()), (ErrorKind::CorruptArchive, "x"));
    }
    map.verify("flags").unwrap();

    // A header that describes less data than the member holds is noticed without the checksum.
    bytes[at] ^= 1;
    let shape = bytes.windows(7).position(|w| w == b"(10, 3)").unwrap();
    bytes[shape + 2] = b' ';
    fs::write(&path, &bytes).unwrap();
    let map = map_npz(&path).unwrap();
    let err = map.array::<f64>("x").unwrap_err();
    assert_eq!((err.kind(), err.path()), (ErrorKind::CorruptArchive, "x"));
    bytes[shape + 1..shape + 3].copy_from_slice(b"99");
    fs::write(&path, &bytes).unwrap();
    let err = map_npz(&path).unwrap().array::<f64>("x").unwrap_err();
    assert_eq!((err.kind(), err.path()), (ErrorKind::Truncated, "x"));
}

/// An archive of one stored member of `len` zeros of f64, most of them a hole in the file.
fn sparse(path: &Path, len: u64) {
    let mut small = std::io::Cursor::new(Vec::new());
    serde_npz::to_npz_writer(&mut small, &BTreeMap::from([("x", vec![0.0; 0])])).unwrap();
    let small = small.into_inner();
    let mut npz = serde_npz::NpzReader::new(std::io::Cursor::new(&small)).unwrap();
    let entry = npz.entry("x").unwrap();
    let data = entry.data_offset().unwrap();
    let offset = entry.offset().unwrap() as usize;
    // The header of the real shape is as long, as NumPy leaves room in it.
    let header = npy_header(len);
    assert_eq!(header.len() as u64, data - offset as u64);
    let size = header.len() as u64 + len * 8;

    let mut file = File::create(path).unwrap();
    let name = b"x.npy";
    let local = |out: &mut Vec<u8>| {
        out.extend(b"PK\x03\x04\x2d\0\0\0\0\0\0\0\x21\0");
        out.extend([0; 4]);
        out.extend([0xff; 8]);
        out.extend([5, 0]);
        out.extend(((offset - 35) as u16).to_le_bytes());
        out.extend(name);
        out.extend([1, 0, 16, 0]);
        out.extend(size.to_le_bytes());
        out.extend(size.to_le_bytes());
        let rest = offset - out.len() - 4;
        out.extend([0x99, 0x99]);
        out.extend((rest as u16).to_le_bytes());
        out.resize(offset, 0);
    };
    let mut start = Vec::new();
    local(&mut start);
    start.extend(&header);
    file.write_all(&start).unwrap();
    let directory = offset as u64 + size;
    file.seek(SeekFrom::Start(directory)).unwrap();
    let mut end = Vec::new();
    end.extend(b"PK\x01\x02\x2d\x03\x2d\0\0\0\0\0\0\0\x21\0");
    end.extend([0; 4]);
    end.extend([0xff; 8]);
    end.extend([5, 0, 20, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
    end.extend(name);
    end.extend([1, 0, 16, 0]);
    end.extend(size.to_le_bytes());
    end.extend(size.to_le_bytes());
    let len = end.len() as u64;
    end.extend(b"PK\x06\x06");
    end.extend(44_u64.to_le_bytes());
    end.extend([0x2d, 0, 0x2d, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
    for n in [1, 1, len, directory] {
        end.extend(n.to_le_bytes());
    }
    end.extend(b"PK\x06\x07\0\0\0\0");
    end.extend((directory + len).to_le_bytes());
    end.extend([1, 0, 0, 0]);
    end.extend(b"PK\x05\x06\0\0\0\0\x01\0\x01\0");
    end.extend((len as u32).to_le_bytes());
    end.extend([0xff; 4]);
    end.extend([0, 0]);
    file.write_all(&end).unwrap();
}

fn npy_header(len: u64) -> Vec<u8> {
    let bytes = npy("'<f8'", "False", &format!("({len},)"), 128, b"");
    Header::read(&mut &bytes[..]).unwrap().to_bytes()
}

#[test]
fn a_large_member_costs_nothing() {
    let dir = Scratch::new("mmap-cost");
    let path = dir.path("big.npz");
    sparse(&path, 8 << 20);
    let (first, taken) = peak(|| {
        let map = map_npz(&path).unwrap();
        let x = map.array::<f64>("x").unwrap();
        assert_eq!(x.len(), 8 << 20);
        x.slice((8 << 20) - 3..).unwrap().as_slice()[0]
    });
    assert_eq!(first, 0.0);
    assert!(taken < 1 << 18, "{taken} bytes for a member of 64 MiB");

    // The sparse file is readable, and its checksum (of no data) is wrong.
    let map = map_npz(&path).unwrap();
    assert_eq!(map.verify("x").unwrap_err().kind(), ErrorKind::CorruptArchive);
    let mut npz = serde_npz::NpzReader::open(&path).unwrap();
    let entry = npz.entry("x").unwrap();
    assert_eq!((entry.unmappable(), entry.size()), (None, 128 + (64 << 20)));

    let path = dir.path("big.npy");
    let file = File::create(&path).unwrap();
    (&file).write_all(&npy_header(8 << 20)).unwrap();
    file.set_len(128 + (64 << 20)).unwrap();
    let (sum, taken) = peak(|| {
        let map = map_npy(&path).unwrap();
        map.read_rows::<Vec<f64>>(1000..1010).unwrap().iter().sum::<f64>()
    });
    assert!(sum == 0.0 && taken < 1 << 16, "{taken} bytes");
}

#[test]
fn members_of_numpys_archives_are_lent_where_they_are_aligned() {
    // As np.savez writes them: without padding, so that the length of the name decides about the alignment.
    let dir = Scratch::new("mmap-foreign");
    let data = serde_npz::to_npy_vec(&[1.5, 2.5]).unwrap();
    let mut lent = 0;
    for name in [
        "x.npy",
        "xy.npy",
        "xyz.npy",
        "abcd.npy",
        "abcde.npy",
        "abcdef.npy",
        "abcdefg.npy",
        "abcdefgh.npy",
    ] {
        let path = dir.path("x.npz");
        fs::write(&path, unaligned(name, &data)).unwrap();
        let map = map_npz(&path).unwrap();
        let key = name.strip_suffix(".npy").unwrap();
        let reason = serde_npz::NpzReader::open(&path)
            .unwrap()
            .entry(key)
            .unwrap()
            .unmappable();
        match map.array::<f64>(key) {
            Ok(view) => {
                lent += 1;
                assert_eq!((view.as_slice(), reason), (&[1.5, 2.5][..], None));
            }
            Err(err) => {
                assert_eq!(
                    (err.kind(), reason),
                    (ErrorKind::TypeMismatch, Some(Unmappable::Misaligned))
                );
                assert!(format!("{err:#}").contains("`get`"), "{err}");
                // It can still be copied.
                assert_eq!(map.get::<Vec<f64>>(key).unwrap(), [1.5, 2.5]);
            }
        }
    }
    assert_eq!(lent, 1, "each name lies one byte further");
}

/// One stored member without extra fields.
fn unaligned(name: &str, data: &[u8]) -> Vec<u8> {
    let crc = crc32fast::hash(data).to_le_bytes();
    let size = (data.len() as u32).to_le_bytes();
    let name_len = (name.len() as u16).to_le_bytes();
    let common = [
        &[20, 0, 0, 0, 0, 0, 0, 0, 0x21, 0],
        &crc[..],
        &size,
        &size,
        &name_len,
        &[0, 0],
    ]
    .concat();
    let local = [b"PK\x03\x04", &common[..], name.as_bytes(), data].concat();
    let central = [b"PK\x01\x02\x14\x03", &common[..], &[0; 14], name.as_bytes()].concat();
    let end = [
        &b"PK\x05\x06\0\0\0\0\x01\0\x01\0"[..],
        &(central.len() as u32).to_le_bytes(),
        &(local.len() as u32).to_le_bytes(),
        &[0, 0],
    ]
    .concat();
    [local, central, end].concat()
}

/// The third member is another `a`; the fourth is damaged.
#[test]
fn a_key_that_comes_twice_or_is_damaged_spoils_nothing_else() {
    let dir = Scratch::new("mmap-twice");
    let path = dir.path("x.npz");
    let mut bytes = serde_npz::to_npz_vec(&BTreeMap::from([
        ("a", vec![1_u8]),
        ("b", vec![2]),
        ("c", vec![3]),
        ("d", vec![4]),
    ]))
    .unwrap();
    let mut found: Vec<usize> = (0..bytes.len())
        .filter(|&at| bytes[at..].starts_with(b"c.npy"))
        .collect();
    for at in found.drain(..) {
        bytes[at] = b'a';
    }
    let last = bytes.windows(5).rposition(|window| window == b"d.npy").unwrap();
    // Where the local header starts.
    bytes[last - 1] = 0x70;
    fs::write(&path, &bytes).unwrap();
    let map = map_npz(&path).unwrap();
    assert!(map.names().eq(["a", "b", "a", "d"]));
    for name in ["a", "d"] {
        assert_eq!(map.array::<u8>(name).unwrap_err().kind(), ErrorKind::CorruptArchive);
        assert_eq!(map.bytes(name).unwrap_err().kind(), ErrorKind::CorruptArchive);
        assert_eq!(map.get::<Vec<u8>>(name).unwrap_err().kind(), ErrorKind::CorruptArchive);
        assert_eq!(map.verify(name).unwrap_err().kind(), ErrorKind::CorruptArchive);
        assert_eq!(map.header(name).unwrap_err().kind(), ErrorKind::CorruptArchive);
    }
    assert_eq!(map.array::<u8>("b").unwrap().as_slice(), [2]);
    map.verify("b").unwrap();
    assert!(map_verified(&path).is_err());
    // SAFETY: nobody changes the file.
    let map = unsafe { serde_npz::NpzMmap::open_with(&path, &serde_npz::ReadOptions::new().last_wins(true)).unwrap() };
    assert_eq!(map.array::<u8>("a").unwrap().as_slice(), [3]);
}
