//! What is read as what: conversions that lose nothing, and those that have to be asked for.

use std::collections::{BTreeMap, VecDeque};
use std::fmt::Debug;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::common::{Any, npy};
use half::{bf16, f16};
use num_complex::Complex;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_bytes::{ByteArray, ByteBuf};
use serde_npz::Casting::{Exact, Safe, SameKind};
use serde_npz::value::AnyArray;
use serde_npz::{
    ArrayView, Casting, Error, ErrorKind, NpyReader, ReadOptions, Result, Value, from_npy_slice, from_npz_slice,
    to_npz_vec,
};

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
    assert_eq!(from_npy_slice::<VecDeque<bool>>(&row).unwrap(), SEEN);
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

/// One number, read in every way there is: all of them agree, and this is what comes out.
#[track_caller]
fn all_ways<T>(descr: &str, data: &[u8], casting: Casting) -> std::result::Result<T, ErrorKind>
where
    T: Debug + PartialEq + Clone + DeserializeOwned,
{
    #[derive(Deserialize)]
    struct Record<T> {
        x: T,
    }
    let options = ReadOptions::new().casting(casting);
    let quoted = format!("'{descr}'");
    let single = npy(&quoted, false, "()", data);
    let row = npy(&quoted, false, "(1,)", data);
    let record = npy(&format!("[('x', {quoted})]"), false, "(1,)", data);
    let subarray = npy(&format!("[('x', {quoted}, (1,))]"), false, "(1,)", data);
    let archive = to_npz_vec(&BTreeMap::from([("x", from_npy_slice::<Value>(&single).unwrap())])).unwrap();
    let file: AnyArray = from_npy_slice(&row).unwrap();
    let found = options.from_npy_slice::<T>(&single);
    let kept = found.as_ref().map(|value| format!("{value:?}")).map_err(Error::kind);
    let same = |way: &str, other: Result<T>| {
        let other = other.map(|value| format!("{value:?}")).map_err(|err| err.kind());
        assert_eq!(other, kept, "{way}: {descr} {data:?} {casting:?}");
    };
    same(
        "option",
        options.from_npy_slice::<Option<T>>(&single).map(Option::unwrap),
    );
    same(
        "vector",
        options.from_npy_slice::<Vec<T>>(&row).map(|row| row[0].clone()),
    );
    same(
        "array",
        options.from_npy_slice::<[T; 1]>(&row).map(|row| row[0].clone()),
    );
    same(
        "sequence",
        options.from_npy_slice::<VecDeque<T>>(&row).map(|row| row[0].clone()),
    );
    same(
        "stream",
        options.from_npy_reader::<_, Vec<T>>(&row[..]).map(|row| row[0].clone()),
    );
    same(
        "record",
        options
            .from_npy_slice::<Vec<Record<T>>>(&record)
            .map(|row| row[0].x.clone()),
    );
    same(
        "subarray",
        options
            .from_npy_slice::<Vec<Record<[T; 1]>>>(&subarray)
            .map(|row| row[0].x[0].clone()),
    );
    same(
        "struct",
        options.from_npz_slice::<Record<T>>(&archive).map(|record| record.x),
    );
    same(
        "rows",
        NpyReader::with_options(&row[..], &options)
            .unwrap()
            .rows::<T>()
            .next()
            .unwrap(),
    );
    same("item", file.read_casting::<Vec<T>>(casting).map(|row| row[0].clone()));
    #[cfg(feature = "ndarray-0_17")]
    same(
        "ndarray",
        options
            .from_npy_slice::<ndarray::Array1<T>>(&row)
            .map(|row| row[0].clone()),
    );
    found.map_err(|err| err.kind())
}

/// As [`all_ways`], through a view as well.
#[track_caller]
fn number<T>(descr: &str, data: &[u8], casting: Casting) -> std::result::Result<T, ErrorKind>
where
    T: serde_npz::Element + DeserializeOwned,
{
    let found = all_ways::<T>(descr, data, casting);
    let row = npy(&format!("'{descr}'"), false, "(1,)", data);
    let options = ReadOptions::new().casting(casting);
    let view = options
        .from_npy_slice::<ArrayView<'_, T>>(&row)
        .map(|view| view.as_slice()[0]);
    let text = |found: std::result::Result<T, ErrorKind>| format!("{found:?}");
    assert_eq!(
        text(view.map_err(|err| err.kind())),
        text(found),
        "view: {descr} {data:?}"
    );
    found
}

const NO_TYPE: ErrorKind = ErrorKind::TypeMismatch;
const NO_VALUE: ErrorKind = ErrorKind::InvalidValue;

#[test]
fn bools_and_integers() {
    for casting in [Safe, SameKind, Exact] {
        assert_eq!(number::<u8>("|b1", &[1], casting), Ok(1));
        assert_eq!(number::<i64>("|b1", &[2], casting), Ok(1));
        assert_eq!(number::<f32>("|b1", &[0], casting), Ok(0.0));
        assert_eq!(number("|b1", &[1], casting), Ok(f16::ONE));
        assert_eq!(all_ways("|b1", &[1], casting), Ok(bf16::ONE));
        assert_eq!(number("|b1", &[1], casting), Ok(Complex::new(1.0, 0.0)));
        assert_eq!(number("|u1", &[1], casting), Ok(true));
        assert_eq!(number(">i8", &[0; 8], casting), Ok(false));
        assert_eq!(number::<bool>("|i1", &[255], casting), Err(NO_VALUE));
        assert_eq!(number::<bool>("|u1", &[2], casting), Err(NO_VALUE));
        assert_eq!(all_ways::<String>("|b1", &[1], casting), Err(NO_TYPE));
        assert_eq!(all_ways::<String>("|u1", &[49], casting), Err(NO_TYPE));
        assert_eq!(all_ways::<Duration>("<i8", &[0; 8], casting), Err(NO_TYPE));
    }
}

#[test]
fn integers_into_floats() {
    let i8 = |n: i64| n.to_le_bytes();
    for casting in [Safe, SameKind, Exact] {
        assert_eq!(number("<i8", &i8(1 << 53), casting), Ok(9_007_199_254_740_992.0));
        assert_eq!(number::<f64>("<i8", &i8((1 << 53) + 1), casting), Err(NO_VALUE));
        assert_eq!(number("<i8", &i8(i64::MIN), casting), Ok(-9_223_372_036_854_775_808.0));
        assert_eq!(number::<f64>("<i8", &i8(i64::MAX), casting), Err(NO_VALUE));
        assert_eq!(number::<f64>("<u8", &[255; 8], casting), Err(NO_VALUE));
        assert_eq!(number("<u8", &[255; 8], casting), Ok(u64::MAX));
        assert_eq!(number::<i64>("<u8", &[255; 8], casting), Err(NO_VALUE));
        assert_eq!(number("<u2", &[1, 0], casting), Ok(f16::ONE), "a value, not its bits");
        assert_eq!(number::<f16>("<u2", &[1, 8], casting), Err(NO_VALUE));
        assert_eq!(all_ways("<u2", &[0, 1], casting), Ok(bf16::from_f32(256.0)));
        assert_eq!(all_ways::<bf16>("<u2", &[1, 1], casting), Err(NO_VALUE));
        assert_eq!(number("<i8", &i8(-3), casting), Ok(Complex::<f32>::new(-3.0, 0.0)));
    }
}

#[test]
fn floats_into_integers() {
    let f8 = |x: f64| x.to_le_bytes();
    for casting in [Safe, SameKind] {
        assert_eq!(number::<usize>("<f8", &f8(3.0), casting), Err(NO_TYPE));
        assert_eq!(number::<bool>("<f8", &f8(1.0), casting), Err(NO_TYPE));
    }
    assert_eq!(number("<f8", &f8(3.0), Exact), Ok(3_usize));
    assert_eq!(number(">f4", &(-7_f32).to_be_bytes(), Exact), Ok(-7_i8));
    assert_eq!(number("<f2", &f16::from_f32(2048.0).to_le_bytes(), Exact), Ok(2048_u16));
    assert_eq!(number("<f8", &f8(1.0), Exact), Ok(true));
    assert_eq!(number("<f8", &f8(-9_223_372_036_854_775_808.0), Exact), Ok(i64::MIN));
    assert_eq!(
        all_ways("<f8", &f8(1e30), Exact),
        Ok(1_000_000_000_000_000_019_884_624_838_656_i128)
    );
    for lost in [3.5, -0.0, f64::NAN, f64::INFINITY, f64::NEG_INFINITY, 1e300, -1.0] {
        assert_eq!(number::<u64>("<f8", &f8(lost), Exact), Err(NO_VALUE), "{lost}");
    }
    assert_eq!(
        number::<i64>("<f8", &f8(9_223_372_036_854_775_808.0), Exact),
        Err(NO_VALUE)
    );
    assert_eq!(number::<bool>("<f8", &f8(-0.0), Exact), Err(NO_VALUE));
    assert_eq!(number::<bool>("<f8", &f8(2.0), Exact), Err(NO_VALUE));
    assert_eq!(all_ways::<Duration>("<f8", &f8(2.0), Exact), Err(NO_TYPE));
}

#[test]
fn floats_into_narrower_ones() {
    let f8 = |x: f64| x.to_le_bytes();
    assert_eq!(number::<f32>("<f8", &f8(0.5), Safe), Err(NO_TYPE));
    assert_eq!(number::<f32>("<f8", &f8(0.1), SameKind), Ok(0.1));
    assert_eq!(number::<f32>("<f8", &f8(0.5), Exact), Ok(0.5));
    assert_eq!(number::<f32>("<f8", &f8(0.1), Exact), Err(NO_VALUE));
    assert_eq!(number::<f32>("<f8", &f8(1e300), Exact), Err(NO_VALUE));
    assert_eq!(number::<f32>("<f8", &f8(1e300), SameKind), Ok(f32::INFINITY));
    assert_eq!(number::<f32>("<f8", &f8(f64::INFINITY), Exact), Ok(f32::INFINITY));
    assert!(number::<f32>("<f8", &f8(f64::NAN), Exact).unwrap().is_nan());
    let zero = number::<f32>("<f8", &f8(-0.0), Exact).unwrap();
    assert_eq!(zero.to_bits(), (-0.0_f32).to_bits());
    assert_eq!(number("<f8", &f8(2_f64.powi(-149)), Exact), Ok(f32::from_bits(1)));
    assert_eq!(number::<f32>("<f8", &f8(2_f64.powi(-150)), Exact), Err(NO_VALUE));
    assert_eq!(number("<f4", &0.25_f32.to_le_bytes(), Exact), Ok(f16::from_f32(0.25)));
    assert_eq!(number::<f16>("<f4", &65520_f32.to_le_bytes(), Exact), Err(NO_VALUE));
    assert_eq!(
        number("<f2", &f16::from_bits(1).to_le_bytes(), Safe),
        Ok(f16::from_bits(1).to_f32())
    );
    assert_eq!(all_ways("<f4", &1.5_f32.to_le_bytes(), Exact), Ok(bf16::from_f32(1.5)));
    assert_eq!(all_ways::<bf16>("<f4", &0.1_f32.to_le_bytes(), Exact), Err(NO_VALUE));
    assert_eq!(
        all_ways("<f4", &0.1_f32.to_le_bytes(), SameKind),
        Ok(bf16::from_f32(0.1))
    );
    // Just above a tie of two halves, just below the greatest one's end, just above half of the smallest.
    for (value, bits) in [
        (1.0 + 2_f64.powi(-11) + 2_f64.powi(-40), 0x3c01),
        (65519.999999, 0x7bff),
        (2_f64.powi(-25) * 1.000001, 1),
    ] {
        assert_eq!(number("<f8", &f8(value), SameKind), Ok(f16::from_bits(bits)), "{value}");
        assert_eq!(
            number("<f8", &f8(-value), SameKind),
            Ok(f16::from_bits(bits | 0x8000)),
            "{value}"
        );
    }
    assert_eq!(
        all_ways("<f8", &f8(1.0 + 2_f64.powi(-8) + 2_f64.powi(-40)), SameKind),
        Ok(bf16::from_bits(0x3f81))
    );
    // The bits of a NaN stay where its type does.
    let signalling = 0x7fa0_0001_u32;
    let same = number::<f32>(">f4", &signalling.to_be_bytes(), Safe).unwrap();
    assert_eq!(same.to_bits(), signalling);
}

#[test]
fn real_and_complex_numbers() {
    let c16 = |re: f64, im: f64| [re.to_le_bytes(), im.to_le_bytes()].concat();
    for casting in [Safe, SameKind, Exact] {
        assert_eq!(
            number("<f8", &2.5_f64.to_le_bytes(), casting),
            Ok(Complex::new(2.5, 0.0))
        );
        assert_eq!(
            number("<f2", &f16::ONE.to_le_bytes(), casting),
            Ok(Complex::<f32>::new(1.0, 0.0))
        );
        assert_eq!(
            number("<c8", &[1_f32.to_le_bytes(), 2_f32.to_le_bytes()].concat(), casting),
            Ok(Complex::<f64>::new(1.0, 2.0))
        );
        // A pair that is no complex number is not made of a real one.
        assert_eq!(all_ways::<(f64, f64)>("<f8", &[0; 8], casting), Err(NO_TYPE));
        assert_eq!(all_ways::<[f64; 2]>("<f8", &[0; 8], casting), Err(NO_TYPE));
    }
    assert_eq!(number::<f64>("<c16", &c16(3.0, 0.0), Safe), Err(NO_TYPE));
    assert_eq!(number::<f64>("<c16", &c16(3.0, 0.0), SameKind), Err(NO_TYPE));
    assert_eq!(number::<f64>("<c16", &c16(3.0, 0.0), Exact), Ok(3.0));
    assert_eq!(number::<u8>("<c16", &c16(3.0, 0.0), Exact), Ok(3));
    assert_eq!(number::<bool>("<c16", &c16(1.0, 0.0), Exact), Ok(true));
    assert_eq!(number::<f64>("<c16", &c16(3.0, -0.0), Exact), Err(NO_VALUE));
    assert_eq!(number::<f64>("<c16", &c16(3.0, 1.0), Exact), Err(NO_VALUE));
    assert_eq!(number::<Complex<f32>>("<c16", &c16(0.5, 0.1), Safe), Err(NO_TYPE));
    assert_eq!(
        number::<Complex<f32>>("<c16", &c16(0.5, 0.25), Exact),
        Ok(Complex::new(0.5, 0.25))
    );
    assert_eq!(number::<Complex<f32>>("<c16", &c16(0.5, 0.1), Exact), Err(NO_VALUE));
    assert_eq!(
        number::<Complex<f32>>("<c16", &c16(0.5, 0.1), SameKind),
        Ok(Complex::new(0.5, 0.1))
    );
    let pairs = npy("'<f8'", false, "(1, 2)", &c16(0.5, 0.25));
    assert_eq!(
        from_npy_slice::<Vec<Complex<f64>>>(&pairs).unwrap(),
        [Complex::new(0.5, 0.25)]
    );
}

#[test]
fn units_of_time() {
    #[derive(Debug, Deserialize, PartialEq)]
    struct Nanos(#[serde(with = "serde_npz::with::datetime64::ns")] i64);
    #[derive(Debug, Deserialize, PartialEq)]
    struct Days(#[serde(with = "serde_npz::with::datetime64::D")] i64);
    let file = |descr: &str, count: i64| npy(descr, false, "()", &count.to_le_bytes());
    for casting in [Safe, SameKind, Exact] {
        let options = ReadOptions::new().casting(casting);
        let nanos = |bytes: &[u8]| options.from_npy_slice::<Nanos>(bytes).map_err(|err| err.kind());
        let days = |bytes: &[u8]| options.from_npy_slice::<Days>(bytes).map_err(|err| err.kind());
        assert_eq!(nanos(&file("'<M8[D]'", 1)), Ok(Nanos(86_400_000_000_000)));
        // The year 9999 is no count of nanoseconds.
        assert_eq!(nanos(&file("'<M8[Y]'", 9999 - 1970)), Err(NO_VALUE));
        assert_eq!(days(&file("'<M8[Y]'", 9999 - 1970)), Ok(Days(2_932_532)));
        assert_eq!(days(&file("'<M8[h]'", 48)), Ok(Days(2)));
        assert_eq!(days(&file("'<M8[h]'", 49)), Err(NO_VALUE));
        assert_eq!(days(&file("'<m8[h]'", 48)), Err(NO_TYPE));
        assert_eq!(days(&file("'<i8'", 48)), Err(NO_TYPE));
        assert_eq!(days(&npy("'<f8'", false, "()", &[0; 8])), Err(NO_TYPE));
        assert_eq!(days(&npy("'|b1'", false, "()", &[0])), Err(NO_TYPE));
    }
}

#[test]
fn errors_name_the_level_that_would_help() {
    let words = |err: Error| format!("{err:#}");
    let error = |bytes: &[u8], casting| {
        words(
            ReadOptions::new()
                .casting(casting)
                .from_npy_slice::<Vec<u8>>(bytes)
                .unwrap_err(),
        )
    };
    let floats = |x: f64| npy("'<f8'", false, "(1,)", &x.to_le_bytes());
    assert!(error(&floats(3.0), Safe).contains("Casting::Exact"));
    assert!(!error(&floats(3.5), Safe).contains("Casting::"), "no level takes it");
    assert!(error(&floats(3.5), Exact).contains("found 3.5, expected a number that u8 holds exactly"));
    assert!(error(&floats(-0.0), Exact).contains("found -0.0"));
    let single = |x, casting| {
        let options = ReadOptions::new().casting(casting);
        words(options.from_npy_slice::<Vec<f32>>(&floats(x)).unwrap_err())
    };
    assert!(single(0.5, Safe).contains("Casting::Exact"));
    assert!(single(0.1, Safe).contains("Casting::SameKind"));
    assert!(single(0.1, Exact).contains("Casting::SameKind"));
    let complex = npy("'<c16'", false, "(1,)", &[0; 16]);
    assert!(error(&complex, Safe).contains("Casting::Exact"));
    assert!(!error(&npy("'<i8'", false, "(1,)", &[255; 8]), Safe).contains("Casting::"));
}
