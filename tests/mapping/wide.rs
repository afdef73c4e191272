//! Integers of 128 bits: records of two halves.

use std::collections::BTreeMap;
use std::io::Cursor;

use serde::{Deserialize, Serialize};
use serde_npz::ErrorKind::*;
use serde_npz::{Dtype, Header, NpyReader, NpyWriter, NpzReader, NpzWriter, Value, load_npy};
use serde_npz::{from_npy_slice, from_npz_slice, to_npy_vec, to_npz_vec};

use crate::common::{Scratch, npy, refused};
use crate::options::back;

const U128: &str = "[('lo', '<u8'), ('hi', '<u8')]";
const I128: &str = "[('lo', '<u8'), ('hi', '<i8')]";

const UNSIGNED: [u128; 6] = [0, 1, u64::MAX as u128, 1 << 64, u128::MAX - 1, u128::MAX];
const SIGNED: [i128; 7] = [0, -1, 1, i64::MIN as i128, -(1 << 64) - 1, i128::MIN, i128::MAX];

/// A generator of random numbers as its crate gives it to serde.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct ChaCha {
    seed: [u8; 32],
    stream: u64,
    word_pos: u128,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Wide<T> {
    x: T,
}

#[test]
fn there_and_back() {
    for v in UNSIGNED {
        back(&v, U128, &[]);
    }
    for v in SIGNED {
        back(&v, I128, &[]);
    }
    back(&UNSIGNED.to_vec(), U128, &[6]);
    back(&SIGNED.to_vec(), I128, &[7]);
    back(&vec![[1_u128, 2], [3, u128::MAX]], U128, &[2, 2]);
    back(&vec![vec![-1_i128], vec![i128::MIN]], I128, &[2, 1]);
    back(&Vec::<u128>::new(), U128, &[0]);
    back(&Vec::<i128>::new(), I128, &[0]);
    back(&vec![Some(7_u128), Some(u128::MAX)], U128, &[2]);
    back(
        &vec![(1_u8, u128::MAX)],
        "[('f0', '|u1'), ('f1', [('lo', '<u8'), ('hi', '<u8')])]",
        &[1],
    );
    refused(
        &Wide {
            x: vec![Some(1_u128), None],
        },
        InvalidValue,
        "x[1]",
        &["with::nan"],
    );
    refused(&Wide { x: vec![None::<i128>] }, InvalidValue, "x", &["with::nan"]);
}

#[test]
fn the_bytes_are_those_of_numpy() {
    let bytes = to_npy_vec(&vec![u128::from_le_bytes(std::array::from_fn(|i| i as u8))]).unwrap();
    assert_eq!(bytes[bytes.len() - 16..], std::array::from_fn::<u8, 16, _>(|i| i as u8));
    let bytes = to_npy_vec(&-2_i128).unwrap();
    assert_eq!(bytes[bytes.len() - 16..], (-2_i128).to_le_bytes());
}

#[test]
fn state_of_generators() {
    let state = ChaCha {
        seed: [7; 32],
        stream: 1,
        word_pos: u128::MAX - 5,
    };
    let npz = to_npz_vec(&state).unwrap();
    assert_eq!(from_npz_slice::<ChaCha>(&npz).unwrap(), state);
    let npz = to_npz_vec(&Wide {
        x: vec![state.clone(); 3],
    })
    .unwrap();
    assert_eq!(from_npz_slice::<Wide<Vec<ChaCha>>>(&npz).unwrap().x, vec![state; 3]);
}

#[test]
fn keys_are_text() {
    let map = BTreeMap::from([(u128::MAX, 1.5), (7, 2.5)]);
    let npz = to_npz_vec(&map).unwrap();
    let archive = NpzReader::new(Cursor::new(&npz[..])).unwrap();
    assert!(archive.names().eq(["7", "340282366920938463463374607431768211455"]));
    assert_eq!(from_npz_slice::<BTreeMap<u128, f64>>(&npz).unwrap(), map);
    let map = BTreeMap::from([(i128::MIN, "a".to_owned())]);
    assert_eq!(
        from_npz_slice::<BTreeMap<i128, String>>(&to_npz_vec(&map).unwrap()).unwrap(),
        map
    );
}

#[test]
fn any_record_of_two_halves() {
    let v = 0x0123_4567_89ab_cdef_fedc_ba98_7654_3210_u128;
    let (lo, hi) = (v as u64, (v >> 64) as u64);
    let files = [
        npy(
            "[('lo', '>u8'), ('hi', '>u8')]",
            false,
            "()",
            &[lo.to_be_bytes(), hi.to_be_bytes()].concat(),
        ),
        npy(
            "[('hi', '>i8'), ('lo', '<u8')]",
            false,
            "()",
            &[hi.to_be_bytes(), lo.to_le_bytes()].concat(),
        ),
        npy(
            "[('', '|V3'), ('hi', '<u8'), ('', '|V1'), ('lo', '>u8'), ('', '|V2')]",
            false,
            "()",
            &[&[0; 3][..], &hi.to_le_bytes(), &[0], &lo.to_be_bytes(), &[0; 2]].concat(),
        ),
    ];
    for file in files {
        assert_eq!(from_npy_slice::<u128>(&file).unwrap(), v);
        assert_eq!(from_npy_slice::<i128>(&file).unwrap(), v as i128);
        assert_eq!(from_npy_slice::<BTreeMap<String, u64>>(&file).unwrap()["hi"], hi);
        let err = from_npy_slice::<u64>(&file).unwrap_err();
        assert_eq!(err.kind(), InvalidValue, "{err}");
        assert!(err.to_string().contains(&v.to_string()), "{err}");
    }
    for descr in [
        "[('lo', '<u8')]",
        "[('lo', '<u8'), ('hi', '<u4')]",
        "[('lo', '<i8'), ('hi', '<u8')]",
        "[('lo', '<u8'), ('hi', '<f8')]",
        "[('lo', '<u8'), ('hi', '<u8'), ('x', '<u8')]",
        "[('lo', '<u8'), ('high', '<u8')]",
        "[('lo', '<u8', (1,)), ('hi', '<u8')]",
    ] {
        let err = from_npy_slice::<u128>(&npy(descr, false, "()", &[0; 24])).unwrap_err();
        assert_eq!(err.kind(), TypeMismatch, "{descr}: {err}");
    }
}

#[test]
fn other_numbers() {
    assert_eq!(from_npy_slice::<u128>(&to_npy_vec(&7_u8).unwrap()).unwrap(), 7);
    assert_eq!(
        from_npy_slice::<Vec<i128>>(&to_npy_vec(&[-7_i16, 8]).unwrap()).unwrap(),
        [-7, 8]
    );
    assert_eq!(
        from_npy_slice::<u128>(&to_npy_vec(&-1_i8).unwrap()).unwrap_err().kind(),
        InvalidValue
    );
    let small = to_npy_vec(&vec![1_u128, 200]).unwrap();
    assert_eq!(from_npy_slice::<Vec<u8>>(&small).unwrap(), [1, 200]);
    assert_eq!(from_npy_slice::<Vec<i64>>(&small).unwrap(), [1, 200]);
    assert_eq!(from_npy_slice::<Vec<f32>>(&small).unwrap(), [1.0, 200.0]);
    assert_eq!(from_npy_slice::<Vec<i8>>(&small).unwrap_err().path(), "[1]");
    assert_eq!(from_npy_slice::<i64>(&to_npy_vec(&-5_i128).unwrap()).unwrap(), -5);
    assert_eq!(
        from_npy_slice::<u128>(&to_npy_vec(&-5_i128).unwrap())
            .unwrap_err()
            .kind(),
        InvalidValue
    );
    assert_eq!(
        from_npy_slice::<i128>(&to_npy_vec(&u128::MAX).unwrap())
            .unwrap_err()
            .kind(),
        InvalidValue
    );
    // Floats where they are exact.
    assert_eq!(
        from_npy_slice::<f64>(&to_npy_vec(&(3_u128 << 100)).unwrap()).unwrap(),
        3.0 * 100_f64.exp2()
    );
    assert_eq!(
        from_npy_slice::<f64>(&to_npy_vec(&i128::MIN).unwrap()).unwrap(),
        -(127_f64.exp2())
    );
    for inexact in [u128::MAX, (1 << 53) + 1, (1 << 100) + 1] {
        assert_eq!(
            from_npy_slice::<f64>(&to_npy_vec(&inexact).unwrap())
                .unwrap_err()
                .kind(),
            InvalidValue
        );
    }
    assert_eq!(
        from_npy_slice::<f32>(&to_npy_vec(&((1_u128 << 24) + 1)).unwrap())
            .unwrap_err()
            .kind(),
        InvalidValue
    );
}

#[test]
fn rows() {
    let mut writer = NpyWriter::new(Cursor::new(Vec::new())).unwrap();
    writer.extend(UNSIGNED).unwrap();
    let npy = writer.finish().unwrap().into_inner();
    assert_eq!(npy, to_npy_vec(&UNSIGNED.to_vec()).unwrap());
    let mut reader = NpyReader::new(&npy[..]).unwrap();
    assert_eq!(reader.rows::<u128>().collect::<Result<Vec<_>, _>>().unwrap(), UNSIGNED);
    // Into files that have their dtype.
    let dir = Scratch::new("mapping-wide");
    let path = dir.path("x.npy");
    std::fs::write(&path, &npy).unwrap();
    let mut log = NpyWriter::append(&path).unwrap();
    log.push(&7_u128).unwrap();
    log.push(&8_i128).unwrap();
    log.push(&9_u8).unwrap();
    assert_eq!(log.push(&-9_i8).unwrap_err().kind(), InvalidValue);
    log.finish().unwrap();
    assert_eq!(load_npy::<Vec<u128>>(&path).unwrap()[6..], [7, 8, 9]);
    let header = Header::new(Dtype::parse("[('hi', '>i8'), ('lo', '<u8')]").unwrap(), vec![0], false).unwrap();
    let mut log = NpyWriter::create_like(&path, &header).unwrap();
    log.extend([i128::MIN, -1]).unwrap();
    assert_eq!(log.push(&u128::MAX).unwrap_err().kind(), InvalidValue);
    log.finish().unwrap();
    assert_eq!(load_npy::<Vec<i128>>(&path).unwrap(), [i128::MIN, -1]);
    let header = Header::new(Dtype::parse("<i2").unwrap(), vec![0], false).unwrap();
    let mut log = NpyWriter::create_like(&path, &header).unwrap();
    log.push(&-300_i128).unwrap();
    assert_eq!(log.push(&70_000_u128).unwrap_err().kind(), InvalidValue);
    log.finish().unwrap();
    assert_eq!(load_npy::<Vec<i16>>(&path).unwrap(), [-300]);
    let mut npz = NpzWriter::new(Cursor::new(Vec::new()));
    assert_eq!(npz.add_rows("x", SIGNED.map(|v| (v, 1_u8))).unwrap(), 7);
    let mut npz = NpzReader::new(npz.finish().unwrap()).unwrap();
    assert_eq!(npz.get::<Vec<(i128, u8)>>("x").unwrap()[5].0, i128::MIN);
}

#[test]
fn values_show_the_halves() {
    let npy = to_npy_vec(&vec![(5_u128 << 64) + 6]).unwrap();
    let value: Value = from_npy_slice(&npy).unwrap();
    assert!(value.to_string().contains("(6, 5)"), "{value}");
    assert_eq!(serde_npz::from_value::<Vec<u128>>(value).unwrap(), [(5 << 64) + 6]);
    let value = serde_npz::to_value(&Wide { x: u128::MAX }).unwrap();
    assert_eq!(serde_npz::from_value::<Wide<u128>>(value).unwrap().x, u128::MAX);
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Flat<T> {
    step: u32,
    #[serde(flatten)]
    inner: T,
}

#[test]
fn nothing_that_cannot_come_back_is_written() {
    fn flat<T>(inner: T) -> Flat<T> {
        Flat { step: 1, inner }
    }
    refused(&flat(Wide { x: 1_u128 }), UnsupportedType, "x", &["u128", "flatten"]);
    refused(
        &flat(Wide { x: vec![1_i128] }),
        UnsupportedType,
        "x[0]",
        &["i128", "flatten"],
    );
    refused(
        &flat(Wide { x: Wide { x: 1_u128 } }),
        UnsupportedType,
        "x/x",
        &["flatten"],
    );
    refused(
        &flat(BTreeMap::from([("a", 1_u128)])),
        UnsupportedType,
        "a",
        &["flatten"],
    );
    refused(
        &Wide {
            x: vec![flat(Wide { x: 1_u128 })],
        },
        UnsupportedType,
        "x[0].x",
        &["flatten"],
    );
    let err = to_npy_vec(&vec![flat(Wide { x: 1_u128 })]).unwrap_err();
    assert_eq!((err.kind(), err.path()), (UnsupportedType, "[0].x"));
    // Beside the flattened struct all else is as ever.
    let npz = to_npz_vec(&(flat(Wide { x: 1_u64 }), 7_u128)).unwrap();
    assert_eq!(
        from_npz_slice::<(Flat<Wide<u64>>, u128)>(&npz).unwrap(),
        (flat(Wide { x: 1 }), 7)
    );
}

#[test]
fn tagged_and_untagged_enums_are_read_through_the_buffer() {
    #[derive(Debug, Serialize, Deserialize)]
    #[serde(untagged)]
    enum Untagged {
        Wide { x: u128 },
    }
    let npz = to_npz_vec(&Untagged::Wide { x: 1 }).unwrap();
    assert!(from_npz_slice::<Untagged>(&npz).is_err());
    assert_eq!(from_npz_slice::<Wide<u128>>(&npz).unwrap().x, 1);
}
