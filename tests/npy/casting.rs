//! What is read as what: conversions that lose nothing, and those that have to be asked for.

use std::collections::BTreeMap;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::common::{Any, npy};
use serde::{Deserialize, Serialize};
use serde_bytes::{ByteArray, ByteBuf};
use serde_npz::value::AnyArray;
use serde_npz::{ArrayView, ErrorKind, NpyReader, Value, from_npy_slice, from_npz_slice, to_npz_vec};

/// The data of bools, of which two are not 0 or 1.
const BOOLS: &[u8] = &[0, 1, 2, 255];
const SEEN: [bool; 4] = [false, true, true, true];

#[derive(Debug, Deserialize, PartialEq)]
struct Flag {
    on: bool,
}

#[test]
fn any_byte_but_0_is_true() {
    let row = npy("'|b1'", false, "(4,)", BOOLS);
    assert_eq!(from_npy_slice::<Vec<bool>>(&row).unwrap(), SEEN);
    assert_eq!(from_npy_slice::<[bool; 4]>(&row).unwrap(), SEEN);
    assert_eq!(from_npy_slice::<std::collections::VecDeque<bool>>(&row).unwrap(), SEEN);
    assert_eq!(from_npy_slice::<Vec<Option<bool>>>(&row).unwrap(), SEEN.map(Some));
    assert_eq!(
        from_npy_slice::<Any>(&row).unwrap(),
        Any::Seq(SEEN.map(Any::Bool).to_vec())
    );
    let view: ArrayView<'_, bool> = from_npy_slice(&row).unwrap();
    assert_eq!((view.as_slice(), view.borrowed()), (&SEEN[..], None), "a copy");
    let value: Value = from_npy_slice(&row).unwrap();
    assert_eq!(value.to_string(), "[False  True  True  True]");
    assert_eq!(serde_json::to_string(&value).unwrap(), "[false,true,true,true]");
    assert_eq!(Vec::<bool>::try_from(&value).unwrap(), SEEN);
    let array: AnyArray = from_npy_slice(&row).unwrap();
    assert_eq!(array.bytes(), BOOLS, "unchanged");
    assert!(array.item::<bool>(&[3]).unwrap());
    let rows: Vec<bool> = NpyReader::new(&row[..]).unwrap().rows().map(Result::unwrap).collect();
    assert_eq!(rows, SEEN);

    for fortran in [false, true] {
        let matrix = npy("'|b1'", fortran, "(2, 2)", &[0, 2, 2, 1]);
        let seen = [[false, true], [true, true]];
        assert_eq!(from_npy_slice::<Vec<Vec<bool>>>(&matrix).unwrap(), seen);
        assert_eq!(from_npy_slice::<Vec<[bool; 2]>>(&matrix).unwrap(), seen);
    }
    let long: Vec<u8> = (0..600_000).map(|i: u32| i.to_le_bytes()[0] % 3).collect();
    let all: Vec<bool> = from_npy_slice(&npy("'|b1'", false, "(600000,)", &long)).unwrap();
    assert!(all.iter().zip(&long).all(|(seen, byte)| *seen == (*byte != 0)));

    let records = npy("[('on', '|b1')]", false, "(4,)", BOOLS);
    assert_eq!(
        from_npy_slice::<Vec<Flag>>(&records).unwrap(),
        SEEN.map(|on| Flag { on })
    );
}

#[test]
fn nat_is_the_none_of_an_option() {
    let counts: Vec<u8> = [i64::MIN, 2].into_iter().flat_map(i64::to_le_bytes).collect();
    let dates = npy("'<M8[s]'", false, "(2,)", &counts);
    let spans = npy("'<m8[s]'", false, "(2,)", &counts);
    let two = Duration::from_secs(2);
    assert_eq!(
        from_npy_slice::<Vec<Option<SystemTime>>>(&dates).unwrap(),
        [None, Some(UNIX_EPOCH + two)]
    );
    assert_eq!(
        from_npy_slice::<Vec<Option<Duration>>>(&spans).unwrap(),
        [None, Some(two)]
    );
    assert_eq!(from_npy_slice::<Vec<Option<i64>>>(&spans).unwrap(), [None, Some(2)]);
    assert_eq!(from_npy_slice::<Vec<i64>>(&spans).unwrap(), [i64::MIN, 2]);
    assert!(from_npy_slice::<Vec<Duration>>(&spans).is_err());
    for descr in ["'<M8[s]'", "'<M8[D]'"] {
        let single = npy(descr, false, "()", &i64::MIN.to_le_bytes());
        assert_eq!(from_npy_slice::<Option<SystemTime>>(&single).unwrap(), None);
        // A value of any dtype has NaT among its elements.
        assert!(from_npy_slice::<Option<Value>>(&single).unwrap().is_some());
        assert!(from_npy_slice::<Option<AnyArray>>(&single).unwrap().is_some());
    }
    let swapped = npy("'>m8[s]'", false, "(1,)", &i64::MIN.to_be_bytes());
    assert_eq!(from_npy_slice::<Vec<Option<Duration>>>(&swapped).unwrap(), [None]);

    #[derive(Debug, Deserialize, PartialEq)]
    struct Event {
        at: Option<SystemTime>,
        took: Option<Duration>,
    }
    let records = npy(
        "[('at', '<M8[s]'), ('took', '<m8[ms]')]",
        false,
        "(1,)",
        &[counts.clone(), counts[..8].to_vec()].concat()[..16],
    );
    let events: Vec<Event> = from_npy_slice(&records).unwrap();
    assert_eq!((events[0].at, events[0].took), (None, Some(Duration::from_millis(2))));
}

#[derive(Debug, Deserialize, PartialEq)]
struct Kept {
    kind: serde_json::Value,
}

#[test]
fn byte_strings_are_texts_where_nobody_says_otherwise() {
    let texts = npy("'|S3'", false, "(3,)", b"csrab\0\xe9\0\0");
    assert_eq!(
        from_npy_slice::<Any>(&texts).unwrap(),
        Any::Seq(vec![
            Any::Str("csr".into()),
            Any::Str("ab".into()),
            Any::Bytes(vec![0xe9])
        ])
    );
    let single = npy("'|S3'", false, "()", b"csr");
    assert_eq!(from_npy_slice::<serde_json::Value>(&single).unwrap(), "csr");
    assert_eq!(from_npy_slice::<ByteBuf>(&single).unwrap(), b"csr");
    let records = npy("[('kind', '|S3')]", false, "(1,)", b"csr");
    assert_eq!(
        from_npy_slice::<Vec<Kept>>(&records).unwrap(),
        [Kept { kind: "csr".into() }]
    );
    assert_eq!(
        serde_json::to_string(&from_npy_slice::<Value>(&single).unwrap()).unwrap(),
        "\"csr\""
    );

    // Through serde's buffer, which asks for anything.
    #[derive(Debug, Serialize, Deserialize, PartialEq)]
    struct Inner {
        #[serde(with = "serde_npz::with::bytes")]
        tag: Vec<u8>,
        #[serde(with = "serde_npz::with::bytes")]
        name: String,
    }
    #[derive(Debug, Serialize, Deserialize, PartialEq)]
    struct Outer {
        #[serde(flatten)]
        inner: Inner,
    }
    for tag in [&b"ab"[..], b"\xe9"] {
        let outer = Outer {
            inner: Inner {
                tag: tag.to_vec(),
                name: "n".into(),
            },
        };
        let bytes = to_npz_vec(&outer).unwrap();
        assert_eq!(from_npz_slice::<Outer>(&bytes).unwrap(), outer);
    }
}

#[test]
fn raw_data_is_bytes() {
    let raw = npy("'|V3'", false, "(2,)", &[1, 2, 3, 4, 5, 0]);
    assert_eq!(from_npy_slice::<Vec<[u8; 3]>>(&raw).unwrap(), [[1, 2, 3], [4, 5, 0]]);
    assert_eq!(
        from_npy_slice::<Vec<ByteArray<3>>>(&raw).unwrap(),
        [[1, 2, 3], [4, 5, 0]].map(ByteArray::new)
    );
    assert_eq!(from_npy_slice::<Vec<Vec<u8>>>(&raw).unwrap(), [[1, 2, 3], [4, 5, 0]]);
    assert_eq!(
        from_npy_slice::<Vec<(u8, u8, u8)>>(&raw).unwrap(),
        [(1, 2, 3), (4, 5, 0)]
    );
    for wrong in [
        from_npy_slice::<Vec<[u8; 2]>>(&raw).map(drop),
        from_npy_slice::<Vec<[f64; 3]>>(&raw).map(drop),
        from_npy_slice::<Vec<[u16; 3]>>(&raw).map(drop),
        from_npy_slice::<Vec<u8>>(&raw).map(drop),
    ] {
        assert_eq!(wrong.unwrap_err().kind(), ErrorKind::TypeMismatch);
    }
    let single = npy("'|V1'", false, "(3,)", &[7, 8, 9]);
    assert_eq!(from_npy_slice::<Vec<u8>>(&single).unwrap(), [7, 8, 9]);
    assert_eq!(from_npy_slice::<ByteBuf>(&single).unwrap(), [7, 8, 9]);
    assert_eq!(from_npy_slice::<Vec<[u8; 1]>>(&single).unwrap(), [[7], [8], [9]]);
    assert_eq!(
        from_npy_slice::<ArrayView<'_, u8>>(&single).unwrap().as_slice(),
        [7, 8, 9]
    );
    assert!(from_npy_slice::<Vec<i8>>(&single).is_err());
    let none = npy("'|V0'", false, "(2,)", &[]);
    assert_eq!(from_npy_slice::<Vec<[u8; 0]>>(&none).unwrap(), [[0_u8; 0]; 2]);

    #[derive(Debug, Deserialize, PartialEq)]
    struct Packet {
        id: u8,
        mac: [u8; 6],
    }
    let packets = npy("[('id', '|V1'), ('mac', '|V6')]", false, "(1,)", &[1, 2, 3, 4, 5, 6, 7]);
    assert_eq!(
        from_npy_slice::<Vec<Packet>>(&packets).unwrap(),
        [Packet {
            id: 1,
            mac: [2, 3, 4, 5, 6, 7]
        }]
    );
}

#[test]
fn titles_are_second_names() {
    #[derive(Debug, Deserialize, PartialEq)]
    struct ByName {
        t: u8,
        x: u8,
    }
    #[derive(Debug, Deserialize, PartialEq)]
    #[serde(deny_unknown_fields)]
    struct ByTitle {
        #[serde(rename = "seconds since start")]
        time: u8,
        x: u8,
    }
    #[derive(Debug, Deserialize, PartialEq)]
    struct ByEither {
        #[serde(alias = "seconds since start")]
        t: u8,
    }
    #[derive(Debug, Deserialize, PartialEq)]
    struct ByBoth {
        t: u8,
        #[serde(rename = "seconds since start")]
        time: Option<u8>,
    }
    let titled = npy(
        "[(('seconds since start', 't'), '|u1'), ('x', '|u1')]",
        false,
        "(2,)",
        &[1, 2, 3, 4],
    );
    assert_eq!(
        from_npy_slice::<Vec<ByName>>(&titled).unwrap(),
        [ByName { t: 1, x: 2 }, ByName { t: 3, x: 4 }]
    );
    assert_eq!(
        from_npy_slice::<Vec<ByTitle>>(&titled).unwrap(),
        [ByTitle { time: 1, x: 2 }, ByTitle { time: 3, x: 4 }]
    );
    assert_eq!(
        from_npy_slice::<Vec<ByEither>>(&titled).unwrap(),
        [ByEither { t: 1 }, ByEither { t: 3 }]
    );
    // One field is handed out once, by its name if that is asked for.
    assert_eq!(
        from_npy_slice::<Vec<ByBoth>>(&titled).unwrap()[1],
        ByBoth { t: 3, time: None }
    );
    let maps: Vec<BTreeMap<String, u8>> = from_npy_slice(&titled).unwrap();
    assert!(maps[0].keys().eq(["t", "x"]));
}
