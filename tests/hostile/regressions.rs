//! What fuzzers, flipped bits and NumPy beside us found: a test for each finding, named after what has to hold.

use std::collections::BTreeMap;
use std::io::{self, Cursor, Read, Seek, SeekFrom};

use serde::{Deserialize, Serialize};
use serde_npz::{ErrorKind, Limits, NpzReader, ReadOptions, from_npy_slice, from_npz_reader, from_npz_slice};
use serde_npz::{to_npy_vec, to_npz_vec};

#[derive(Debug, Deserialize)]
enum Letter {
    A,
}

#[test]
fn serdes_own_messages_repeat_no_control_characters() {
    let bytes = to_npy_vec(&vec!["\x1b[2J", "A"]).unwrap();
    let text = from_npy_slice::<Vec<Letter>>(&bytes).unwrap_err().to_string();
    assert!(text.contains("unknown variant `\\u{1b}[2J`"), "{text}");
    assert!(matches!(from_npy_slice(&to_npy_vec(&"A").unwrap()), Ok(Letter::A)));
    let bytes = to_npy_vec(&vec!["\u{9b}1;2H"]).unwrap();
    let text = from_npy_slice::<Vec<std::net::IpAddr>>(&bytes).unwrap_err().to_string();
    assert!(!text.contains(char::is_control), "{text:?}");
}

#[test]
fn serdes_own_messages_repeat_no_long_text() {
    let bytes = to_npy_vec(&"x".repeat(1 << 20)).unwrap();
    let text = from_npy_slice::<Letter>(&bytes).unwrap_err().to_string();
    assert!(text.len() < 3000 && text.ends_with(".."), "{}", text.len());
    let text = from_npy_slice::<f64>(&bytes).unwrap_err().to_string();
    assert!(text.len() < 3000, "{}", text.len());
}

#[test]
fn names_of_types_repeat_no_control_characters() {
    struct Named;

    impl Serialize for Named {
        fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            serializer.serialize_unit_struct("n\0l\x1b[2J")
        }
    }

    #[derive(Serialize)]
    #[serde(untagged)]
    enum Mixed {
        Flag(bool),
        Named(Named),
    }

    let error = to_npy_vec(&vec![Mixed::Flag(true), Mixed::Named(Named)]).unwrap_err();
    assert!(!error.to_string().contains(char::is_control), "{error}");
}

/// `{'descr': '|u1', .. 'shape': ..}` and so many bytes of data.
fn bytes_of_shape(shape: &str, data: usize) -> Vec<u8> {
    let text = format!("{{'descr': '|u1', 'fortran_order': False, 'shape': {shape}, }}\n");
    let mut bytes = b"\x93NUMPY\x02\x00".to_vec();
    bytes.extend((text.len() as u32).to_le_bytes());
    bytes.extend(text.bytes());
    bytes.resize(bytes.len() + data, 7);
    bytes
}

#[test]
fn axes_of_one_element_count_for_the_memory_they_take() {
    let ones = "1, ".repeat(30);
    let all = ReadOptions::new().limits(Limits::unlimited());
    // 500 bytes that took 2 GB: every element of the first axes is 30 sequences.
    let bytes = bytes_of_shape(&format!("(100000, {ones}0)"), 0);
    for options in [ReadOptions::new(), all.clone()] {
        let err = options.from_npy_slice::<serde_json::Value>(&bytes).unwrap_err();
        assert_eq!(err.kind(), ErrorKind::LimitExceeded, "{err}");
    }
    let bytes = bytes_of_shape(&format!("(1000, {ones}0)"), 0);
    from_npy_slice::<serde_json::Value>(&bytes).unwrap();
    // The same with a byte in each.
    let bytes = bytes_of_shape(&format!("(1000, {ones})"), 1000);
    for (most, fine) in [(30_000, true), (29_999, false)] {
        let options = ReadOptions::new().limits(Limits::new().any_elements(most));
        let found = options.from_npy_slice::<serde_json::Value>(&bytes);
        assert_eq!(found.is_ok(), fine, "{most}");
        assert!(found.is_ok() || format!("{:#}", found.unwrap_err()).contains("any_elements"));
    }
    all.from_npy_slice::<serde_json::Value>(&bytes).unwrap();
}

#[derive(Debug, Default, PartialEq, Serialize, Deserialize)]
struct Sparse {
    x: Option<Vec<u8>>,
    y: Option<u8>,
    #[serde(default)]
    list: Vec<Item>,
}

#[derive(Debug, Default, PartialEq, Serialize, Deserialize)]
struct Item {
    w: Option<Vec<u8>>,
}

#[test]
fn a_type_that_is_its_own_short_form_is_refused() {
    for descr in ["[a,b]", "f8,[a,b]", "2[a,b]", "[[a,b]]", "[a,b],"] {
        let mut header = format!("{{'descr': '{descr}', 'fortran_order': False, 'shape': (1,), }}\n");
        header.insert_str(
            header.len() - 1,
            &" ".repeat(127_usize.saturating_sub(10 + header.len()) + 1),
        );
        let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
        bytes.extend((header.len() as u16).to_le_bytes());
        bytes.extend(header.as_bytes());
        let err = from_npy_slice::<f64>(&bytes).unwrap_err();
        assert_eq!(err.kind(), ErrorKind::UnsupportedDtype, "{descr}: {err}");
    }
}

/// A member whose name is damaged in the directory is not merely missing.
#[test]
fn no_flipped_bit_makes_an_optional_field_vanish() {
    let item = || Item { w: Some(vec![4]) };
    let state = Sparse {
        x: Some(vec![1, 2, 3]),
        y: Some(7),
        list: vec![item(), item()],
    };
    let right = to_npz_vec(&state).unwrap();
    let mut bytes = right.clone();
    let mut harmless = 0;
    // Three is no divisor of eight: every byte, and each of its bits in turn.
    for bit in (0..8 * bytes.len()).step_by(3) {
        bytes[bit / 8] ^= 1 << (bit % 8);
        let ways = [
            from_npz_slice::<Sparse>(&bytes),
            from_npz_reader(Cursor::new(&bytes)),
            NpzReader::new(Cursor::new(&bytes)).and_then(|mut npz| npz.deserialize()),
        ];
        for found in ways.into_iter().flatten() {
            assert_eq!(found, state, "byte {} bit {}", bit / 8, bit % 8);
            harmless += 1;
        }
        if let Ok(list) = NpzReader::new(Cursor::new(&bytes)).and_then(|mut npz| npz.get::<Vec<Item>>("list")) {
            assert_eq!(list, state.list, "byte {} bit {}", bit / 8, bit % 8);
        }
        bytes[bit / 8] = right[bit / 8];
    }
    assert!(harmless > 0);
}

/// A member that is left out by its first bytes is read where its name is asked for, and only there.
#[test]
fn an_array_without_a_suffix_does_not_vanish_with_its_magic() {
    let mut archive = to_npz_vec(&BTreeMap::from([("x", vec![1_u8, 2]), ("y", vec![3])])).unwrap();
    // "y.npy" becomes "y.nqz" in both headers: the magic alone makes it an array.
    for at in 0..archive.len() - 5 {
        if archive[at..].starts_with(b"y.npy") {
            archive[at..at + 5].copy_from_slice(b"y.nqz");
        }
    }
    type All = BTreeMap<String, Vec<u8>>;
    assert_eq!(from_npz_slice::<All>(&archive).unwrap()["y.nqz"], [3]);
    let magic = archive.windows(6).rposition(|window| window == b"\x93NUMPY").unwrap();
    archive[magic] ^= 1;
    assert_eq!(
        from_npz_slice::<All>(&archive).unwrap_err().kind(),
        ErrorKind::CorruptArchive
    );
    let mut npz = NpzReader::new(Cursor::new(&archive)).unwrap();
    assert_eq!(npz.deserialize::<All>().unwrap_err().path(), "y.nqz");
    assert_eq!(npz.get::<Vec<u8>>("x").unwrap(), [1, 2]);
    #[derive(Deserialize)]
    struct X {
        x: Vec<u8>,
    }
    assert_eq!(npz.deserialize::<X>().unwrap().x, [1, 2]);
    #[derive(Debug, Deserialize)]
    struct Y {
        #[serde(rename = "y.nqz")]
        _y: Option<Vec<u8>>,
    }
    assert_eq!(npz.deserialize::<Y>().unwrap_err().kind(), ErrorKind::CorruptArchive);
}

/// Fails once where told.
struct Failing<'a> {
    inner: Cursor<&'a [u8]>,
    reads: usize,
    fails_at: usize,
}

impl Read for Failing<'_> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        self.reads += 1;
        if self.reads == self.fails_at {
            return Err(io::Error::other("a cable came loose"));
        }
        self.inner.read(buf)
    }
}

impl Seek for Failing<'_> {
    fn seek(&mut self, pos: SeekFrom) -> io::Result<u64> {
        self.inner.seek(pos)
    }
}

#[test]
fn a_failed_read_makes_no_member_vanish() {
    let mut archive = to_npz_vec(&BTreeMap::from([("x", vec![1_u8, 2]), ("y", vec![3])])).unwrap();
    for at in 0..archive.len() - 5 {
        if archive[at..].starts_with(b"y.npy") {
            archive[at..at + 5].copy_from_slice(b"y.nqz");
        }
    }
    type All = BTreeMap<String, Vec<u8>>;
    let right: All = from_npz_slice(&archive).unwrap();
    let mut failed = 0;
    for fails_at in 1.. {
        let mut reader = Failing {
            inner: Cursor::new(&archive),
            reads: 0,
            fails_at,
        };
        match from_npz_reader::<_, All>(&mut reader) {
            Ok(found) => {
                assert_eq!(found, right);
                if reader.reads < fails_at {
                    break;
                }
            }
            Err(err) => {
                assert_eq!(err.kind(), ErrorKind::Io, "{err}");
                failed += 1;
            }
        }
    }
    assert!(failed > 10, "{failed}");
}

/// `skip_unsupported` leaves out what holds objects, not what damage makes look so.
#[test]
fn no_damaged_member_is_skipped_as_an_object() {
    let mut archive = to_npz_vec(&BTreeMap::from([("x", vec![1_i64])])).unwrap();
    let at = archive.windows(3).position(|window| window == b"<i8").unwrap();
    archive[at..at + 3].copy_from_slice(b"|O8");
    let options = ReadOptions::new().skip_unsupported(true);
    let err = options
        .from_npz_slice::<BTreeMap<String, Vec<i64>>>(&archive)
        .unwrap_err();
    assert_eq!((err.kind(), err.path()), (ErrorKind::CorruptArchive, "x"));
}

/// The variants in a tuple variant keep their names, also where the tuple would be one array without them.
#[test]
fn a_variant_inside_a_tuple_variant_keeps_its_name() {
    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    enum Small {
        A(u8, u8),
        B(u8, u8),
    }
    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    enum Large {
        Pair(Small, Small),
    }
    let value = BTreeMap::from([("x", Large::Pair(Small::A(1, 2), Small::B(3, 4)))]);
    let bytes = to_npz_vec(&value).unwrap();
    let reader = NpzReader::new(Cursor::new(&bytes)).unwrap();
    assert_eq!(reader.names().collect::<Vec<_>>(), ["x/Pair/0/A", "x/Pair/1/B"]);
    let back: BTreeMap<String, Large> = from_npz_slice(&bytes).unwrap();
    assert_eq!(back["x"], value["x"]);
}

/// Elements without a byte are counted along all axes, subarrays and elements together.
#[test]
fn elements_without_a_byte_are_bounded_together() {
    let npy = |descr: &str, shape: &str, data: &[u8]| {
        let text = format!("{{'descr': {descr}, 'fortran_order': False, 'shape': {shape}, }}\n");
        let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
        bytes.extend((text.len() as u16).to_le_bytes());
        bytes.extend(text.as_bytes());
        bytes.extend(data);
        bytes
    };
    for bytes in [
        npy("'<f8'", "(67000000, 67000000, 0)", b""),
        npy("[('a', '<f8', (2147483647, 0))]", "()", b""),
        npy("[('a', '<f4', (60000000, 0)), ('b', '|u1')]", "(1000,)", &[0; 1000]),
        npy("[('a', [('c', '<f4', (60000000, 0))], (60000000,))]", "()", b""),
    ] {
        let err = from_npy_slice::<serde_json::Value>(&bytes).unwrap_err();
        assert_eq!(err.kind(), ErrorKind::LimitExceeded, "{err}");
        assert!(format!("{err:#}").contains("any_elements"), "{err}");
    }
    // Whoever sets no bounds has this one still, by every way of taking what is there.
    let rows = npy("'<f8'", "(1099511627776, 0)", b"");
    let unlimited = serde_npz::ReadOptions::new().limits(serde_npz::Limits::unlimited());
    assert_eq!(
        unlimited.from_npy_slice::<serde_json::Value>(&rows).unwrap_err().kind(),
        ErrorKind::LimitExceeded
    );
    let value: serde_npz::Value = from_npy_slice(&rows).unwrap();
    assert_eq!(
        value.read::<serde_json::Value>().unwrap_err().kind(),
        ErrorKind::LimitExceeded
    );
    assert!(serde_json::to_string(&value).is_err());
    assert_eq!(serde_npz::to_npy_vec(&value).unwrap().len(), 128);
    assert!(!value.to_string().is_empty());
    let few = npy("[('a', '<f8', (2, 0)), ('b', '|u1')]", "(1,)", &[7]);
    let found: serde_json::Value = from_npy_slice(&few).unwrap();
    assert_eq!(found, serde_json::json!([{"a": [[], []], "b": 7}]));
}

#[test]
fn a_row_of_another_length_is_ragged() {
    let mut writer = serde_npz::NpyWriter::new(Cursor::new(Vec::new())).unwrap();
    writer.push(&[1.0, 2.0]).unwrap();
    let err = writer.push(&[1.0]).unwrap_err();
    assert_eq!(err.kind(), ErrorKind::Ragged, "{err}");
    assert!(
        format!("{err:#}").contains("(1,)") && format!("{err:#}").contains("(2,)"),
        "{err}"
    );
    let err = writer.push(&(1.0, [1.0, 2.0])).unwrap_err();
    assert_eq!(err.kind(), ErrorKind::MixedTypes, "{err}");
}
