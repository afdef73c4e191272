//! Mutated files before us and before NumPy: what we accept, NumPy accepts with the same dtype, shape and values.
//!
//! ```text
//! SERDE_NPZ_PYTHON=.. SERDE_NPZ_DIFFERENTIAL=100000 cargo test --test numpy -- --ignored --nocapture
//! ```
//!
//! The reverse does not hold, on purpose: NumPy reads on where something is damaged, and evaluates literals nobody
//! writes. Where we accept more, [`EXCEPTIONS`] tells why.

use std::fs;
use std::io::{Cursor, Write};

use crate::common::{Any, Scratch};
use crate::readings::misread;
use crate::zip::{self, End, Part};
use serde_json::{Value, json};
use serde_npz::{ErrorKind, Header, Limits, NpzReader, ReadOptions};

/// Where we differ on purpose, and why.
const EXCEPTIONS: &[(Exception, &str)] = &[
    (
        |case| {
            case.key
                .strip_suffix(".npy")
                .is_some_and(|member| case.keys.contains(&member))
        },
        "Beside a member `a.npy` with the key `a`, the key `a.npy` is that of `a.npy.npy`: NumPy lists it so, but \
         `z['a.npy']` takes the member of that name, and nothing in the file reaches the other one.",
    ),
    (
        |case| {
            let text = case
                .error
                .strip_prefix("ValueError: Cannot parse header: ")
                .unwrap_or_default();
            let text = text.trim_end_matches(['"', '\'']);
            text.ends_with(' ') && ["\\n", "\\r"].iter().any(|end| text.trim_end().ends_with(end))
        },
        "A header whose last line is blank: Python takes the blanks for an indentation, NumPy mends that in versions 1 \
         and 2 but not in 3, and not where a carriage return ends the line. No value is in doubt.",
    ),
    (
        |case| {
            let of_an_entry = [
                "BadZipFile: Corrupt extra field",
                "NotImplementedError: zip file version",
                "UnicodeDecodeError",
            ];
            of_an_entry.iter().any(|start| case.error.starts_with(start))
        },
        "One entry of the directory is damaged: Python refuses the whole archive, here the others are read.",
    ),
    (
        |case| case.error.contains("maximum supported dimension for an ndarray is 32"),
        "NumPy 1 stops at 32 axes, NumPy 2 at 64.",
    ),
];

type Exception = fn(&Case) -> bool;

/// A value that NumPy sees otherwise.
struct Case<'a> {
    key: &'a str,
    keys: &'a [&'a str],
    /// What NumPy says where it refuses.
    error: &'a str,
}

/// A small generator, so that a run can be repeated by its number.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        // SplitMix64.
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, n: usize) -> usize {
        (self.next() % n.max(1) as u64) as usize
    }

    fn pick<'a, T>(&mut self, list: &'a [T]) -> &'a T {
        &list[self.below(list.len())]
    }
}

/// Bits, bytes, cuts and copies anywhere.
fn scratch(bytes: &mut Vec<u8>, random: &mut Random) {
    for _ in 0..=random.below(3) {
        if bytes.is_empty() {
            return;
        }
        let at = random.below(bytes.len());
        match random.below(8) {
            0..3 => bytes[at] ^= 1 << random.below(8),
            3 => bytes[at] = random.next() as u8,
            4 => bytes[at] = *random.pick(&[0, 1, 0x7f, 0x80, 0xff, b' ', b'\'', b'0', b'9']),
            5 => bytes.truncate(at),
            6 => {
                let from = random.below(bytes.len());
                let piece = bytes[from..(from + 1 + random.below(8)).min(bytes.len())].to_vec();
                let end = (at + piece.len()).min(bytes.len());
                bytes.splice(at..end, piece);
            }
            _ => bytes.insert(at, random.next() as u8),
        }
    }
}

const DESCRS: &[&str] = &[
    "'<f8'",
    "'>f8'",
    "'<f4'",
    "'<f2'",
    "'=f8'",
    "'f8'",
    "'|f8'",
    "'<f16'",
    "'|b1'",
    "'b1'",
    "'<b1'",
    "'?'",
    "'|i1'",
    "'i1'",
    "'>i1'",
    "'|u1'",
    "'<i2'",
    "'>i2'",
    "'<u4'",
    "'<i8'",
    "'>u8'",
    "'<c8'",
    "'>c16'",
    "'<U1'",
    "'<U3'",
    "'>U2'",
    "'U'",
    "'<U0'",
    "'|S1'",
    "'|S5'",
    "'S'",
    "'|S0'",
    "'>S3'",
    "'|V0'",
    "'|V4'",
    "'V'",
    "'<V2'",
    "'<M8[ns]'",
    "'<M8[s]'",
    "'>M8[25us]'",
    "'<M8'",
    "'<m8[D]'",
    "'<m8[B]'",
    "'<M8[7D/3]'",
    "'|O'",
    "'O'",
    "'|O8'",
    "'<i3'",
    "'<f8 '",
    "' <f8'",
    "'d'",
    "'float64'",
    "'i4,f8'",
    "'int'",
    "'(2,)f8'",
    "('<f8', (2,))",
    "['<f8']",
    "[('a', '<f8')]",
    "[('a', '<f8'), ('b', '|u1')]",
    "[('a', '<f8'), ('a', '<f8')]",
    "[('a', '<i4', (2,))]",
    "[('a', '<i4', 2)]",
    "[('a', '<i4', ())]",
    "[('a', '<i4', (0,))]",
    "[('a', '<i4', (2, 3))]",
    "[(('t', 'a'), '<f4')]",
    "[(('a', 'a'), '<f4')]",
    "[('', '|V3'), ('a', '|u1')]",
    "[('', '<f4')]",
    "[('a', [('b', '>i2'), ('', '|V2')])]",
    "[('a', '|O')]",
    "[('a', '<U2'), ('b', '|S3'), ('c', '<M8[ms]')]",
    "[('f0', '|V0')]",
    "[('a', ('<f8', (2,)))]",
    "[]",
    "{'names': ['a'], 'formats': ['<f8']}",
    "None",
    "'<f8'",
];

const SHAPES: &[&str] = &[
    "()",
    "(0,)",
    "(1,)",
    "(2,)",
    "(3,)",
    "(4,)",
    "(5,)",
    "(1, 1)",
    "(2, 2)",
    "(1, 3)",
    "(3, 1)",
    "(2, 3)",
    "(0, 3)",
    "(3, 0)",
    "(2, 0, 2)",
    "(1, 2, 2)",
    "(3)",
    "[3]",
    "(3,4",
    "(-1,)",
    "(True,)",
    "(2.0,)",
    "('2',)",
    "(2L,)",
    "(02,)",
    "(0x2,)",
    "(2,,)",
    "( 2 , )",
    "(2,\t2)",
    "(1099511627776, 0)",
    "(4611686018427387904,)",
    "(9223372036854775808,)",
    "(1,)*2",
    "(None,)",
];

const ORDERS: &[&str] = &["False", "True", "0", "1", "None", "'False'", "true"];

const TEXTS: &[&str] = &[
    "{'descr': DESCR, 'fortran_order': ORDER, 'shape': SHAPE, }",
    "{'descr': DESCR, 'fortran_order': ORDER, 'shape': SHAPE}",
    "{'shape': SHAPE, 'fortran_order': ORDER, 'descr': DESCR}",
    "  {'descr':DESCR,'fortran_order':ORDER,'shape':SHAPE}",
    "{\"descr\": DESCR, \"fortran_order\": ORDER, \"shape\": SHAPE, }",
    "{'descr': DESCR, 'descr': DESCR, 'fortran_order': ORDER, 'shape': SHAPE, }",
    "{u'descr': DESCR, 'fortran_order': ORDER, 'shape': SHAPE, }",
    "{'descr': DESCR, 'fortran_order': ORDER, 'shape': SHAPE, 'extra': 1}",
    "{'descr': DESCR, 'fortran_order': ORDER}",
    "({'descr': DESCR, 'fortran_order': ORDER, 'shape': SHAPE})",
    "{'descr': DESCR,\n 'fortran_order': ORDER,\n 'shape': SHAPE, }",
    "{'d\\x65scr': DESCR, 'fortran_order': ORDER, 'shape': SHAPE, } # why not",
];

/// A header of pieces that each are right or nearly so, before data of any length.
fn assembled(random: &mut Random) -> Vec<u8> {
    let text = TEXTS[random.below(TEXTS.len())];
    let plain = random.below(2) == 0;
    let text = match plain {
        true => TEXTS[0],
        false => text,
    };
    let order = if random.below(4) > 0 {
        ORDERS[random.below(2)]
    } else {
        ORDERS[random.below(ORDERS.len())]
    };
    let text = text
        .replace("DESCR", DESCRS[random.below(DESCRS.len())])
        .replace("ORDER", order)
        .replace("SHAPE", SHAPES[random.below(SHAPES.len())]);
    with_header(&text, random)
}

fn with_header(text: &str, random: &mut Random) -> Vec<u8> {
    let version = *random.pick(&[1, 1, 1, 2, 3]);
    let mut text = text.as_bytes().to_vec();
    let head = if version == 1 { 10 } else { 12 };
    if random.below(4) > 0 {
        while !(head + text.len() + 1).is_multiple_of(64) {
            text.push(b' ');
        }
    }
    if random.below(8) > 0 {
        text.push(b'\n');
    }
    let mut bytes = b"\x93NUMPY".to_vec();
    bytes.extend([version, 0]);
    let len = text.len() as u32;
    match version {
        1 => bytes.extend((len as u16).to_le_bytes()),
        _ => bytes.extend(len.to_le_bytes()),
    }
    bytes.extend(text);
    let kind = random.below(4);
    for _ in 0..random.below(130) {
        bytes.push(match kind {
            0 => 0,
            1 => random.below(2) as u8,
            2 => *random.pick(b"az\0"),
            _ => random.next() as u8,
        });
    }
    bytes
}

/// The text of a header with a word replaced, and its length put right.
fn reworded(bytes: &[u8], random: &mut Random) -> Option<Vec<u8>> {
    let mut data = bytes;
    Header::read(&mut data).ok()?;
    let head = if bytes[6] == 1 { 10 } else { 12 };
    let text = String::from_utf8(bytes[head..bytes.len() - data.len()].to_vec()).ok()?;
    let places: Vec<usize> = text
        .char_indices()
        .filter(|(_, c)| "'(){}[],:<>|0123456789 ".contains(*c))
        .map(|(at, _)| at)
        .collect();
    let mut text = text.trim_end().to_owned();
    let at = (*random.pick(&places)).min(text.len());
    let end = (at + random.below(3)).min(text.len());
    if !text.is_char_boundary(end) {
        return None;
    }
    let word = *random.pick(&[
        "", " ", "'", "(", ")", ",", "0", "1", "2", "3", "8", "<", ">", "|", "f8", "i4", "u1", "\\x41", "\t", "\u{c}",
        "L", "(2,)", "é", "\\u00e9", "重", "-", "+", "\"", "\\", "\n", "#", "T", "V", "S",
    ]);
    text.replace_range(at..end, word);
    let mut again = with_header(&text, random);
    // The data as it was.
    let mut rest = &again[..];
    match Header::read(&mut rest) {
        Ok(_) => {
            let keep = again.len() - rest.len();
            again.truncate(keep);
            again.extend(data);
        }
        Err(_) => again.extend(data),
    }
    Some(again)
}

fn array(random: &mut Random, arrays: &[Vec<u8>]) -> Vec<u8> {
    let mut bytes = random.pick(arrays).clone();
    match random.below(4) {
        0 => scratch(&mut bytes, random),
        1 => return assembled(random),
        _ => match reworded(&bytes, random) {
            Some(again) => bytes = again,
            None => scratch(&mut bytes, random),
        },
    }
    bytes
}

/// An archive built anew around mutated members, with checksums that are right and now and then a lie.
fn archive(random: &mut Random, arrays: &[Vec<u8>]) -> Vec<u8> {
    let names = [
        "x.npy",
        "y.npy",
        "a/b.npy",
        "x",
        "0.npy",
        "é.npy",
        "notes.txt",
        ".npy",
        "/a.npy",
        "x.npy.npy",
        "dir/",
    ];
    let mut parts = Vec::new();
    for _ in 0..1 + random.below(3) {
        let bytes = match random.below(3) {
            0 => random.pick(arrays).clone(),
            _ => array(random, arrays),
        };
        let name = *random.pick(&names);
        let part = match random.below(3) {
            0 if bytes.len() < 60_000 => Part::deflated(name, &bytes),
            _ => Part::stored(name, &bytes),
        };
        parts.push(part.with(|part| part.with_lie(random)));
    }
    let mut end = End::default();
    match random.below(12) {
        0 => end.comment = b"a comment".to_vec(),
        1 => end.comment = b"PK\x05\x06 and more than twenty-two bytes".to_vec(),
        2 => end.count = Some(random.below(4) as u16),
        3 => end.size = Some(random.below(400) as u32),
        4 => end.offset = Some(random.below(400) as u32),
        _ => {}
    }
    let mut bytes = zip::zip(&parts, &end);
    if random.below(4) == 0 {
        scratch(&mut bytes, random);
    }
    bytes
}

impl Part {
    fn with_lie(&mut self, random: &mut Random) {
        let n = random.below(300) as u32;
        let both = random.below(2) == 0;
        let what = random.below(24);
        let extra = match random.below(4) {
            0 => zip::extra(0x5455, b"\x01time"),
            1 => zip::wide(&[u64::from(self.central.size), u64::from(self.central.compressed)]),
            2 => vec![0; random.below(4)],
            _ => random.next().to_le_bytes()[..random.below(8)].to_vec(),
        };
        for header in [&mut self.central, &mut self.local]
            .into_iter()
            .take(1 + usize::from(both))
        {
            match what {
                0 => header.flags ^= 1 << (n % 16),
                1 => header.method = *[0, 1, 8, 9, 12, 14, 99].get(n as usize % 7).unwrap(),
                2 => header.crc ^= 1 << (n % 32),
                3 => header.compressed = n,
                4 => header.size = n,
                5 => (header.size, header.compressed) = (n, n),
                6 => header.size = header.size.wrapping_add(n).wrapping_sub(150),
                7 | 8 => header.extra.clone_from(&extra),
                9 => (header.size, header.compressed, header.extra) = (u32::MAX, u32::MAX, extra.clone()),
                10 => header.name = b"y.npy".to_vec(),
                11 => header.name.push(n as u8),
                _ => {}
            }
        }
        match what {
            12 => self.offset = Some(n),
            13 => self.comment = b"of a member".to_vec(),
            14 => self.descriptor = vec![0; n as usize % 30],
            15 => self.body.extend(vec![0; n as usize % 30]),
            _ => {}
        }
    }
}

/// As Python shows it.
fn show(value: &Any) -> Value {
    match value {
        Any::Unit => json!([]),
        Any::Bool(b) => json!(b),
        Any::Int(n) => json!(n),
        Any::Uint(n) => json!(n),
        Any::Float(x) if x.is_nan() => json!("nan"),
        Any::Float(x) => json!(format!("{:016x}", x.to_bits())),
        Any::Str(text) => json!(text),
        Any::Bytes(bytes) => json!(bytes),
        Any::Seq(items) => items.iter().map(show).collect(),
        Any::Map(entries) => entries.iter().map(|(name, value)| json!([name, show(value)])).collect(),
    }
}

pub fn options() -> ReadOptions {
    ReadOptions::new().limits(Limits::new().total_bytes(1 << 28).any_elements(1 << 16))
}

fn seen(header: &Header, value: &Any) -> Value {
    json!({"dtype": header.dtype().to_string(), "shape": header.shape(), "values": show(value)})
}

/// What we see of a file: a lone array, or keys with what is under each; nothing where we refuse.
fn ours(bytes: &[u8]) -> Option<Value> {
    if bytes.starts_with(b"\x93NUMPY") {
        let value = options().from_npy_slice(bytes).ok()?;
        let header = Header::read(&mut &bytes[..]).expect("the array was read");
        return Some(json!({"lone": seen(&header, &value)}));
    }
    let mut npz = NpzReader::with_options(Cursor::new(bytes), &options()).ok()?;
    let names: Vec<String> = npz.names().map(str::to_owned).collect();
    let members = names.iter().map(|name| {
        let member = match npz.get::<Any>(name) {
            Ok(value) => seen(&npz.header(name).expect("the array was read"), &value),
            Err(err) if err.kind() == ErrorKind::NotAnArray => match npz.raw(name) {
                Ok(raw) => json!({"raw": raw}),
                Err(_) => Value::Null,
            },
            Err(_) => Value::Null,
        };
        json!([name, member])
    });
    Some(json!({"members": members.collect::<Vec<_>>()}))
}

/// Whether NumPy sees all that we see, and the same.
fn differs(ours: &Value, numpy: &Value) -> Option<String> {
    let both = |key, keys, ours: &Value, numpy: &Value| {
        if ours.is_null() || ours == numpy {
            return None;
        }
        let error = numpy["error"].as_str().unwrap_or_default();
        let case = Case { key, keys, error };
        let excepted = EXCEPTIONS.iter().any(|(applies, _)| applies(&case));
        (!excepted).then(|| format!("we see {ours}\n  NumPy {numpy}"))
    };
    if let Some(lone) = ours.get("lone") {
        return both("", &[], lone, numpy.get("lone").unwrap_or(numpy));
    }
    let members = ours["members"].as_array().unwrap();
    let Some(others) = numpy["members"].as_array() else {
        // Keys alone are no values.
        return members.iter().find_map(|member| both("", &[], &member[1], numpy));
    };
    let keys: Vec<&str> = members.iter().map(|member| member[0].as_str().unwrap()).collect();
    // A key under which nothing can be read is no value.
    let known = |(member, other): (&Value, &Value)| member[1].is_null() || member[0] == other[0];
    if members.len() != others.len() || !members.iter().zip(others).all(known) {
        return Some(format!("we see the keys of {ours}\n  NumPy those of {numpy}"));
    }
    let values = members.iter().zip(others).zip(&keys);
    values
        .into_iter()
        .find_map(|((ours, numpy), key)| both(key, &keys, &ours[1], &numpy[1]))
}

fn corpus(suffix: &str) -> Vec<Vec<u8>> {
    let mut files = Vec::new();
    for dir in ["numpy/open", "hostile"] {
        for file in fs::read_dir(crate::common::data(dir)).unwrap() {
            let path = file.unwrap().path();
            if path.to_string_lossy().ends_with(suffix) && path.metadata().unwrap().len() < 3_000 {
                files.push((path.clone(), fs::read(path).unwrap()));
            }
        }
    }
    files.sort();
    files.into_iter().map(|(_, bytes)| bytes).collect()
}

#[test]
#[ignore = "needs Python with NumPy"]
fn what_we_accept_numpy_accepts_with_equal_values() {
    let number = |name: &str, default: u64| std::env::var(name).map_or(default, |n| n.parse().expect("a number"));
    let files = number("SERDE_NPZ_DIFFERENTIAL", 10_000);
    let mut random = Random(number("SERDE_NPZ_SEED", 0));
    let (arrays, archives) = (corpus(".npy"), corpus(".npz"));
    let dir = Scratch::new("differential");
    let [mut total, mut accepted, mut accepted_by_numpy] = [0_u64; 3];
    let mut wrong = Vec::new();
    while total < files {
        let batch: Vec<Vec<u8>> = (0..(files - total).min(5_000))
            .map(|_| match random.below(8) {
                0..5 => array(&mut random, &arrays),
                5..7 => archive(&mut random, &arrays),
                _ => {
                    let mut bytes = random.pick(&archives).clone();
                    scratch(&mut bytes, &mut random);
                    bytes
                }
            })
            .collect();
        let path = dir.path("batch");
        let mut out = fs::File::create(&path).unwrap();
        for bytes in &batch {
            out.write_all(&(bytes.len() as u32).to_le_bytes()).unwrap();
            out.write_all(bytes).unwrap();
        }
        drop(out);
        let script = include_str!("differential.py");
        let answers = crate::common::python(script, &[path.as_os_str()]);
        let mut lines = answers.lines();
        for bytes in &batch {
            let mut numpy: Value = {
                let line = lines.next().expect("an answer for every file");
                serde_json::from_str(line).unwrap_or_else(|err| panic!("{err}: {line}"))
            };
            total += 1;
            accepted_by_numpy += u64::from(numpy.get("error").is_none());
            let Some(ours) = ours(bytes) else { continue };
            accepted += 1;
            let numpy_row = numpy.clone();
            if let Some(lone) = numpy.get_mut("lone").and_then(Value::as_object_mut) {
                lone.remove("row");
            }
            if let Some(why) = differs(&ours, &numpy).or_else(|| misread(bytes, &numpy_row)) {
                wrong.push(format!("{}\n  {}", bytes.escape_ascii(), why));
            }
        }
    }
    println!(
        "{total} files: {accepted} accepted by us, {accepted_by_numpy} by NumPy, {} differ",
        wrong.len()
    );
    wrong.sort_by_key(String::len);
    wrong.truncate(20);
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    // Otherwise this proves nothing.
    assert!(accepted > total / 10, "{accepted}");
}
