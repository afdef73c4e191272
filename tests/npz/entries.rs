//! What an archive says of its members, and what reading costs where every span has to be fetched from elsewhere.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Cursor, Read, Seek, SeekFrom};
use std::ops::Range;

use serde::Serialize;
use serde_npz::{ErrorKind, NpzReader, NpzWriter, Unmappable, WriteOptions};

#[derive(Serialize)]
struct Run {
    dt: f64,
    x: Vec<[f32; 3]>,
    tag: String,
    #[serde(with = "serde_npz::with::json")]
    note: BTreeMap<String, u32>,
    inner: BTreeMap<String, Vec<u16>>,
    time: std::time::Duration,
}

fn run() -> Run {
    Run {
        dt: 0.5,
        x: vec![[1.0, 2.0, 3.0]; 10],
        tag: "é".to_owned(),
        note: BTreeMap::from([("version".to_owned(), 3)]),
        inner: BTreeMap::from([("a".to_owned(), vec![1, 2])]),
        time: std::time::Duration::from_secs(1),
    }
}

#[test]
fn each_member_is_described() {
    for (stored, options) in [(true, WriteOptions::new()), (false, WriteOptions::new().compressed())] {
        let bytes = options.to_npz_vec(&run()).unwrap();
        let mut npz = NpzReader::new(Cursor::new(&bytes)).unwrap();
        let entries: Vec<_> = npz.entries().collect();
        let found: Vec<_> = entries
            .iter()
            .map(|entry| {
                let header = entry
                    .header()
                    .map(|header| format!("{} {:?}", header.dtype(), header.shape()));
                let header = header.unwrap_or_else(|err| format!("{:?}", err.kind()));
                (entry.name(), entry.file_name(), header, entry.unmappable())
            })
            .collect();
        let reason = |reason: Option<Unmappable>| if stored { reason } else { Some(Unmappable::Compressed) };
        assert_eq!(
            found,
            [
                ("dt", "dt.npy", "<f8 []".to_owned(), reason(None)),
                ("x", "x.npy", "<f4 [10, 3]".to_owned(), reason(None)),
                ("tag", "tag.npy", "<U1 []".to_owned(), reason(Some(Unmappable::Dtype))),
                (
                    "note.json",
                    "note.json",
                    "NotAnArray".to_owned(),
                    reason(Some(Unmappable::NotAnArray))
                ),
                ("inner/a", "inner/a.npy", "<u2 [2]".to_owned(), reason(None)),
                (
                    "time",
                    "time.npy",
                    "<m8[ns] []".to_owned(),
                    reason(Some(Unmappable::Dtype))
                ),
            ]
        );
        for entry in &entries {
            let raw = npz.raw(entry.name()).unwrap();
            assert_eq!((entry.size(), entry.crc()), (raw.len() as u64, crc32fast::hash(&raw)));
            assert_eq!(
                (entry.is_stored(), entry.compression_method()),
                (stored, if stored { 0 } else { 8 })
            );
            let offset = entry.offset().unwrap() as usize;
            let packed = &bytes[offset..offset + entry.compressed_size() as usize];
            if stored {
                assert_eq!(packed, raw);
            } else {
                let mut inflated = Vec::new();
                flate2::read::DeflateDecoder::new(packed)
                    .read_to_end(&mut inflated)
                    .unwrap();
                assert_eq!(inflated, raw);
            }
            match (stored, entry.header()) {
                (true, Ok(header)) => {
                    let data = entry.data_offset().unwrap() as usize;
                    assert_eq!((data % 64, data - offset), (0, header.to_bytes().len()));
                }
                _ => assert_eq!(entry.data_offset(), None),
            }
        }
    }
}

#[test]
fn damaged_and_refused_members_are_listed_all_the_same() {
    let mut bytes = serde_npz::to_npz_vec(&run()).unwrap();
    let mut npz = NpzReader::new(Cursor::new(&bytes)).unwrap();
    let x = npz.entry("x").unwrap().offset().unwrap() as usize;
    assert_eq!(npz.entry("none").unwrap_err().kind(), ErrorKind::MissingMember);
    assert_eq!(npz.entry("inner").unwrap_err().kind(), ErrorKind::MissingMember);

    // The local name of `dt`, the descr of `x`, the shape of `inner/a`.
    let dt = bytes.windows(6).position(|w| w == b"dt.npy").unwrap();
    bytes[dt] = b'D';
    let descr = x + bytes[x..].windows(3).position(|w| w == b"<f4").unwrap();
    bytes[descr..descr + 3].copy_from_slice(b"|O'");
    let shape = bytes.windows(4).position(|w| w == b"(2,)").unwrap();
    bytes[shape + 1] = b'3';
    let mut npz = NpzReader::new(Cursor::new(&bytes)).unwrap();
    let kinds: Vec<_> = npz
        .entries()
        .map(|entry| {
            let (kind, path) = match entry.header() {
                Ok(_) => (None, String::new()),
                Err(err) => (Some(err.kind()), err.path().to_owned()),
            };
            (kind, path, entry.unmappable())
        })
        .collect();
    let refused = Some(Unmappable::Refused);
    assert_eq!(kinds[0], (Some(ErrorKind::CorruptArchive), "dt".to_owned(), refused));
    assert_eq!(kinds[1].2, refused);
    assert_eq!(kinds[1].1, "x");
    assert_eq!(kinds[2].0, None);
    assert_eq!(kinds[4], (Some(ErrorKind::Truncated), "inner/a".to_owned(), refused));
}

#[test]
fn byte_order_and_place_are_told() {
    let mut npz = NpzWriter::new(Cursor::new(Vec::new()));
    npz.add("x", &vec![1.0, 2.0]).unwrap();
    let mut bytes = npz.finish().unwrap().into_inner();
    let descr = bytes.windows(3).position(|w| w == b"<f8").unwrap();
    bytes[descr] = b'>';
    let entry = NpzReader::new(Cursor::new(&bytes)).unwrap().entry("x").unwrap();
    assert_eq!(entry.unmappable(), Some(Unmappable::ByteSwapped));
    let reasons = [
        Unmappable::Compressed,
        Unmappable::NotAnArray,
        Unmappable::Refused,
        Unmappable::Dtype,
        Unmappable::ByteSwapped,
        Unmappable::Misaligned,
    ];
    let mut texts: Vec<_> = reasons.iter().map(Unmappable::to_string).collect();
    texts.dedup();
    assert_eq!(texts.len(), reasons.len());

    // NumPy's own archive: the members of its manifest lie as the zip module puts them.
    let mut seen = Vec::new();
    for file in fs::read_dir(crate::common::data("numpy/open")).unwrap() {
        let path = file.unwrap().path();
        if path.extension().is_some_and(|e| e == "npz")
            && let Ok(mut npz) = NpzReader::open(&path)
        {
            seen.extend(npz.entries().filter_map(|entry| entry.unmappable()));
        }
    }
    assert!(seen.contains(&Unmappable::Misaligned), "{seen:?}");
}

/// An object in a store: each read is a request for a span of whole blocks, which are kept.
struct Remote {
    object: Vec<u8>,
    at: u64,
    blocks: BTreeMap<u64, Vec<u8>>,
    fetched: Vec<Range<u64>>,
}

const BLOCK: u64 = 4096;

impl Remote {
    fn new(object: Vec<u8>) -> Self {
        Remote {
            object,
            at: 0,
            blocks: BTreeMap::new(),
            fetched: Vec::new(),
        }
    }
}

impl Read for Remote {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        if self.at >= self.object.len() as u64 {
            return Ok(0);
        }
        let number = self.at / BLOCK;
        let start = number * BLOCK;
        let end = (start + BLOCK).min(self.object.len() as u64);
        let block = self.blocks.entry(number).or_insert_with(|| {
            self.fetched.push(start..end);
            self.object[start as usize..end as usize].to_vec()
        });
        let got = (&block[(self.at - start) as usize..]).read(buf)?;
        self.at += got as u64;
        Ok(got)
    }
}

impl Seek for Remote {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let (base, by) = match to {
            SeekFrom::Start(at) => (at, 0),
            SeekFrom::Current(by) => (self.at, by),
            SeekFrom::End(by) => (self.object.len() as u64, by),
        };
        self.at = base
            .checked_add_signed(by)
            .ok_or_else(|| io::Error::from(io::ErrorKind::InvalidInput))?;
        Ok(self.at)
    }
}

#[test]
fn only_the_spans_asked_for_are_fetched() {
    const MEMBERS: u64 = 8;
    const LEN: u64 = 64 << 10;
    let data: BTreeMap<String, Vec<f64>> = (0..MEMBERS)
        .map(|i| (format!("m{i}"), vec![i as f64; 8 << 10]))
        .collect();
    let bytes = serde_npz::to_npz_vec(&data).unwrap();
    let len = bytes.len() as u64;
    let mut remote = Remote::new(bytes);

    let npz = NpzReader::new(&mut remote).unwrap();
    assert_eq!(npz.len() as u64, MEMBERS);
    drop(npz);
    // The first bytes tell what it is; then the end record with its longest comment, and the directory in it.
    let tail = len - (66 << 10);
    assert!(
        remote.fetched.iter().all(|span| span.start == 0 || span.end > tail),
        "{:?} of {len}",
        remote.fetched
    );
    assert!(remote.fetched.len() as u64 <= (66 << 10) / BLOCK + 3);

    let mut npz = NpzReader::new(&mut remote).unwrap();
    let entry = npz.entry("m3").unwrap();
    let (start, size) = (entry.offset().unwrap(), entry.compressed_size());
    drop(npz);
    let before = remote.fetched.len();
    assert!(
        remote.fetched[before - 1].contains(&start),
        "the header of the member came last: {:?}",
        remote.fetched
    );

    let mut npz = NpzReader::new(&mut remote).unwrap();
    assert_eq!(npz.get::<Vec<f64>>("m3").unwrap(), data["m3"]);
    drop(npz);
    let end = start + size;
    for span in &remote.fetched[before..] {
        assert!(
            span.end > start - 128 && span.start < end,
            "{span:?} is not of {start}..{end}"
        );
    }
    let fetched: u64 = remote.fetched[before..].iter().map(|span| span.end - span.start).sum();
    assert!(fetched <= LEN + 2 * BLOCK, "{fetched} bytes");
    // No span came twice.
    assert_eq!(remote.fetched.len(), remote.blocks.len());
}

/// A file that counts the bytes read from it.
struct Counted<'a>(Cursor<&'a [u8]>, &'a Cell<usize>);

impl Read for Counted<'_> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let got = self.0.read(buf)?;
        self.1.set(self.1.get() + got);
        Ok(got)
    }
}

impl Seek for Counted<'_> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.0.seek(to)
    }
}

#[test]
fn the_headers_of_large_members_are_all_that_is_read() {
    const MEMBERS: usize = 50;
    // Numbers that deflate cannot make small.
    let noise =
        |i: usize| (0..20_000_u64).map(move |k| (k + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(i as u32));
    let data: BTreeMap<String, Vec<u64>> = (0..MEMBERS).map(|i| (format!("m{i}"), noise(i).collect())).collect();
    for options in [WriteOptions::new(), WriteOptions::new().compressed()] {
        let bytes = options.to_npz_vec(&data).unwrap();
        assert!(bytes.len() > MEMBERS * 100_000);
        let read = Cell::new(0);
        let mut npz = NpzReader::new(Counted(Cursor::new(&bytes), &read)).unwrap();
        read.set(0);
        assert!(npz.entries().all(|entry| entry.header().unwrap().shape() == [20_000]));
        assert!(
            read.get() <= MEMBERS * 4096,
            "{} bytes of {MEMBERS} members",
            read.get()
        );
        read.set(0);
        assert_eq!(npz.header("m7").unwrap().shape(), [20_000]);
        assert!(read.get() <= 4096, "{} bytes of one", read.get());
    }
}

#[test]
fn members_of_another_name_are_looked_at_but_not_read() {
    let mut npz = NpzWriter::new(Cursor::new(Vec::new()));
    npz.add("x", &1.5).unwrap();
    for i in 0..20 {
        npz.add(&format!("{i}.json"), &vec![b' '; 100_000]).unwrap();
    }
    let mut bytes = npz.finish().unwrap().into_inner();
    // The names that are written end in `.npy`; a reader of these decides by content.
    for at in 0..bytes.len() - 9 {
        if bytes[at..].starts_with(b".json.npy") {
            bytes[at..at + 9].copy_from_slice(b".json_npy");
        }
    }
    let read = Cell::new(0);
    let mut npz = NpzReader::new(Counted(Cursor::new(&bytes), &read)).unwrap();
    read.set(0);
    assert_eq!(npz.get::<f64>("x").unwrap(), 1.5);
    assert!(read.get() <= 21 * 4096, "{} bytes", read.get());
}

#[test]
fn an_entry_shows_what_its_methods_tell() {
    let bytes = serde_npz::to_npz_vec(&run()).unwrap();
    let entry = NpzReader::new(Cursor::new(bytes)).unwrap().entry("dt").unwrap();
    let shown = format!("{entry:?}");
    assert!(
        shown.starts_with("Entry { file_name: \"dt.npy\", size: 136,"),
        "{shown}"
    );
    for private in ["limit", "flags", "central", "Listed"] {
        assert!(!shown.contains(private), "{shown}");
    }
}

#[test]
fn handles_show_what_they_are_and_not_what_they_hold() {
    fn shows(handle: &dyn std::fmt::Debug, says: &str) {
        let text = format!("{handle:?}");
        assert!(text.starts_with(says) && text.len() < 150, "{text}");
        assert!(!text.contains("secret") && !text.contains("115, 101, 99"), "{text}");
    }
    let data = BTreeMap::from([("x", "secret".repeat(100))]);
    let array = serde_npz::to_npy_vec(&data["x"]).unwrap();
    let bytes = serde_npz::to_npz_vec(&data).unwrap();
    let mut npz = NpzReader::new(Cursor::new(&bytes)).unwrap();
    shows(&npz, "NpzReader { members: 1");
    shows(&npz.names(), "[\"x\"]");
    shows(&npz.entries(), "NpzEntries { left: 1");
    shows(&npz.deserializer(), "Deserializer {");
    shows(&npz.rows::<String>("x").err(), "Some(Error {");
    shows(
        &serde_npz::Deserializer::from_npz_slice(&bytes).unwrap(),
        "Deserializer {",
    );
    shows(
        &serde_npz::Deserializer::from_npy_slice(&array).unwrap(),
        "Deserializer {",
    );
    shows(&serde_npz::NpyReader::new(&array[..]).unwrap(), "NpyReader {");
    shows(&serde_npz::NpySerializer::new(array), "NpySerializer {");
    let mut writer = NpzWriter::new(Cursor::new(bytes));
    shows(&serde_npz::Serializer::new(&mut writer), "Serializer {");
    shows(&writer, "NpzWriter {");
}
