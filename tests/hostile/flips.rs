//! Every cut and every flipped bit: an archive notices all that change a key or a value, a lone array what its header
//! and its length tell.
//!
//! ```text
//! SERDE_NPZ_FLIPS=all cargo test --release --test hostile flips -- --nocapture
//! ```
//!
//! flips every bit of every reference file, more than half a million; without it every 17th one where
//! `SERDE_NPZ_LONG` is set and every 97th elsewhere, each of the eight of a byte in turn.

use std::collections::BTreeMap;
use std::fs;
use std::io::Cursor;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use crate::common::{Any, long};
use serde::Serialize;
use serde_npz::{Compression, Header, NpzReader, NpzWriter, Result, WriteOptions};

/// A file and where it is from.
type Reference = (String, Vec<u8>);

/// Every how manieth bit is flipped.
fn stride() -> usize {
    match std::env::var("SERDE_NPZ_FLIPS").as_deref() {
        Ok("all") => 1,
        _ if long() => 17,
        _ => 97,
    }
}

/// The vectors of one kind that load, the largest left out.
fn vectors(suffix: &str, most: usize, loads: fn(&[u8]) -> bool) -> Vec<Reference> {
    let mut found = Vec::new();
    for dir in ["numpy/open", "numpy/numpy", "hostile"] {
        let Ok(files) = fs::read_dir(crate::common::data(dir)) else {
            continue;
        };
        for file in files {
            let path = file.unwrap().path();
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            if name.ends_with(suffix) && path.metadata().unwrap().len() as usize <= most {
                let bytes = fs::read(path).unwrap();
                if loads(&bytes) {
                    found.push((name, bytes));
                }
            }
        }
    }
    found.sort();
    found
}

#[derive(Serialize)]
struct State {
    step: u64,
    name: &'static str,
    weights: Vec<Vec<f32>>,
    layers: Vec<Layer>,
    rows: Vec<(u8, f64)>,
    none: (),
}

#[derive(Serialize)]
struct Layer {
    w: Vec<f64>,
    b: Option<Vec<i16>>,
}

/// Archives as this crate writes them.
fn ours() -> Vec<Reference> {
    let layer = |n: usize| Layer {
        w: vec![0.5; n],
        b: (n > 2).then(|| vec![1, -1]),
    };
    let state = State {
        step: 3,
        name: "née",
        weights: vec![vec![1.0, 2.0], vec![3.0, 4.0]],
        layers: vec![layer(2), layer(3)],
        rows: vec![(1, 2.0), (3, 4.0)],
        none: (),
    };
    let mut files: Vec<Reference> = [
        ("stored", WriteOptions::new()),
        ("deflated", WriteOptions::new().compressed()),
        ("level 0", WriteOptions::new().compression(Compression::Deflate(0))),
        ("level 9", WriteOptions::new().compression(Compression::Deflate(9))),
    ]
    .into_iter()
    .map(|(name, options)| (format!("ours, {name}"), options.to_npz_vec(&state).unwrap()))
    .collect();
    let noise: Vec<u32> = (0..500_u32).map(|i| i.wrapping_mul(2_654_435_761)).collect();
    let noise = BTreeMap::from([("noise", &noise)]);
    let deflated = WriteOptions::new().compressed().to_npz_vec(&noise).unwrap();
    files.push(("ours, noise".to_owned(), deflated));
    let mut npz = NpzWriter::new(Cursor::new(Vec::new()));
    npz.add("x", &vec![1_u16, 2, 3]).unwrap();
    npz.add("notes", &Json { notes: "{}" }).unwrap();
    files.push(("ours, added".to_owned(), npz.finish().unwrap().into_inner()));
    files
}

#[derive(Serialize)]
struct Json {
    #[serde(with = "serde_npz::with::json")]
    notes: &'static str,
}

/// All that an archive tells: keys, the bytes of each, and what the two ways to read all of it make of them.
struct Seen {
    members: Vec<(String, Vec<u8>)>,
    slice: Any,
    stream: Any,
}

impl Seen {
    fn same(&self, other: &Seen) -> bool {
        self.members == other.members && same(&self.slice, &other.slice) && same(&self.stream, &other.stream)
    }
}

/// What one of the ways accepts, it may not accept differently: all three are asked, whatever the others say.
fn look(bytes: &[u8]) -> [Option<Part>; 3] {
    let members = || -> Result<_> {
        let mut npz = NpzReader::new(Cursor::new(bytes))?;
        let names: Vec<String> = npz.names().map(str::to_owned).collect();
        names
            .into_iter()
            .map(|name| npz.raw(&name).map(|raw| (name, raw)))
            .collect()
    };
    [
        members().ok().map(Part::Members),
        serde_npz::from_npz_slice(bytes).ok().map(Part::Value),
        serde_npz::from_npz_reader(Cursor::new(bytes)).ok().map(Part::Value),
    ]
}

enum Part {
    Members(Vec<(String, Vec<u8>)>),
    Value(Any),
}

fn loads(bytes: &[u8]) -> bool {
    look(bytes).iter().all(Option::is_some)
}

fn seen(bytes: &[u8]) -> Seen {
    match look(bytes) {
        [
            Some(Part::Members(members)),
            Some(Part::Value(slice)),
            Some(Part::Value(stream)),
        ] => Seen { members, slice, stream },
        _ => panic!("a reference file loads"),
    }
}

/// Equality that a NaN does not end.
fn same(a: &Any, b: &Any) -> bool {
    match (a, b) {
        (Any::Float(a), Any::Float(b)) => a.to_bits() == b.to_bits(),
        (Any::Seq(a), Any::Seq(b)) => a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(a, b)),
        (Any::Map(a), Any::Map(b)) => {
            a.len() == b.len() && a.iter().zip(b).all(|(a, b)| a.0 == b.0 && same(&a.1, &b.1))
        }
        _ => a == b,
    }
}

#[derive(PartialEq)]
enum Verdict {
    Refused,
    Harmless,
    Silent,
}

fn verdict(bytes: &[u8], right: &Seen) -> Verdict {
    let mut verdict = Verdict::Refused;
    for (way, part) in look(bytes).into_iter().enumerate() {
        let equal = match part {
            None => continue,
            Some(Part::Members(members)) => members == right.members,
            Some(Part::Value(value)) => same(&value, if way == 1 { &right.slice } else { &right.stream }),
        };
        if !equal {
            return Verdict::Silent;
        }
        verdict = Verdict::Harmless;
    }
    verdict
}

/// Calls `work` for every file, on as many threads as there are processors.
fn in_parallel(files: &[Reference], work: impl Fn(&str, &[u8]) + Sync) {
    let next = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for _ in 0..std::thread::available_parallelism().map_or(1, usize::from) {
            scope.spawn(|| {
                while let Some((name, bytes)) = files.get(next.fetch_add(1, Relaxed)) {
                    work(name, bytes);
                }
            });
        }
    });
}

fn archives() -> Vec<Reference> {
    let most = if stride() == 1 { 40_000 } else { 5_000 };
    let mut files = vectors(".npz", most, loads);
    files.extend(ours());
    // The largest first, so that no thread ends long after the others.
    files.sort_by_key(|(_, bytes)| std::cmp::Reverse(bytes.len()));
    files
}

#[test]
fn archives_notice_every_flipped_bit() {
    let files = archives();
    let kinds = [
        "legal-dd-zip64",
        "legal-zip64-central",
        "legal-zip64-local",
        "legal-dd-nosig",
        "o-npz-deflated",
    ];
    for kind in kinds {
        assert!(files.iter().any(|(name, _)| name.starts_with(kind)), "{kind}");
    }
    assert!(files.len() >= 40, "{} archives", files.len());
    let counts = [const { AtomicUsize::new(0) }; 3];
    let silent = Mutex::new(Vec::new());
    in_parallel(&files, |name, bytes| {
        let right = seen(bytes);
        assert!(right.same(&seen(bytes)));
        let mut flipped = bytes.to_vec();
        for bit in (0..8 * bytes.len()).step_by(stride()) {
            flipped[bit / 8] ^= 1 << (bit % 8);
            let verdict = verdict(&flipped, &right);
            flipped[bit / 8] = bytes[bit / 8];
            if verdict == Verdict::Silent {
                silent
                    .lock()
                    .unwrap()
                    .push(format!("{name}, byte {} bit {}", bit / 8, bit % 8));
            }
            counts[verdict as usize].fetch_add(1, Relaxed);
        }
    });
    let [refused, harmless, _] = counts.map(AtomicUsize::into_inner);
    let silent = silent.into_inner().unwrap();
    let flips = refused + harmless + silent.len();
    println!(
        "{flips} bits flipped in {} archives: {refused} refused, {harmless} change nothing, {} silent",
        files.len(),
        silent.len()
    );
    assert!(silent.is_empty(), "{} silent:\n{}", silent.len(), silent.join("\n"));
    // Otherwise this proves nothing.
    assert!(refused > harmless && harmless > 0);
    assert!(stride() > 1 || flips >= 500_000, "{flips}");
}

#[test]
fn archives_notice_every_cut() {
    let files = archives();
    in_parallel(&files, |name, bytes| {
        for len in (0..bytes.len()).step_by(stride().div_ceil(8)) {
            let accepted = look(&bytes[..len]).into_iter().flatten().count();
            assert_eq!(accepted, 0, "{name} cut to {len} bytes");
        }
    });
}

fn array(bytes: &[u8]) -> [Result<Any>; 2] {
    [serde_npz::from_npy_slice(bytes), serde_npz::from_npy_reader(bytes)]
}

fn array_loads(bytes: &[u8]) -> bool {
    array(bytes).iter().all(Result::is_ok)
}

fn arrays() -> Vec<Reference> {
    let files = vectors(".npy", 2_000, array_loads);
    assert!(files.len() >= 100, "{} arrays", files.len());
    files
}

#[test]
fn arrays_notice_every_cut() {
    in_parallel(&arrays(), |name, bytes| {
        let header = Header::read(&mut &bytes[..]).unwrap();
        let mut data = bytes;
        Header::read(&mut data).unwrap();
        // What follows a lone array is none of its own.
        let len = header.shape().iter().product::<u64>() * header.dtype().itemsize();
        let end = bytes.len() - data.len() + len as usize;
        for len in 0..end {
            assert!(
                array(&bytes[..len]).iter().all(Result::is_err),
                "{name} cut to {len} bytes of {end}"
            );
        }
    });
}

/// An `.npy` holds no checksum: a flip in the data is another value, and one in the header may be another header.
/// What has to hold is that both ways of reading see the same, and that the fixed bytes are looked at.
#[test]
fn arrays_notice_what_they_can() {
    let counts = [const { AtomicUsize::new(0) }; 4];
    in_parallel(&arrays(), |name, bytes| {
        let [Ok(right), _] = array(bytes) else {
            panic!("{name} loads")
        };
        let mut data = bytes;
        Header::read(&mut data).unwrap();
        let header = bytes.len() - data.len();
        let mut flipped = bytes.to_vec();
        for bit in (0..8 * bytes.len()).step_by(stride()) {
            flipped[bit / 8] ^= 1 << (bit % 8);
            let [slice, stream] = array(&flipped);
            flipped[bit / 8] = bytes[bit / 8];
            let place = format!("{name}, byte {} bit {}", bit / 8, bit % 8);
            let count = match (slice, stream) {
                (Ok(slice), Ok(stream)) => {
                    assert!(same(&slice, &stream), "{place}: two values");
                    match same(&slice, &right) {
                        true => 1,
                        false if bit / 8 < header => 2,
                        false => 3,
                    }
                }
                (Err(_), Err(_)) => 0,
                (slice, stream) => panic!("{place}: {slice:?} from a slice, {stream:?} from a stream"),
            };
            assert!(bit / 8 >= 6 || count == 0, "{place}: in the magic");
            counts[count].fetch_add(1, Relaxed);
        }
    });
    let [refused, harmless, header, data] = counts.map(AtomicUsize::into_inner);
    println!(
        "{} bits flipped in arrays: {refused} refused, {harmless} change nothing, {header} in a header and {data} in \
         data read as other values",
        refused + harmless + header + data
    );
    assert!(refused > 0 && data > 0);
}
