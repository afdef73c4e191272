//! Arrays as others write them: orders, texts in bytes, times, records, keys that only look like groups.

use std::collections::BTreeMap;
use std::io::Cursor;

use crate::common::{Any, npy};
use num_complex::Complex;
use serde::Deserialize;
use serde_npz::{ErrorKind, NpzReader, ReadOptions, WriteOptions, from_npy_slice, from_npz_slice};

#[derive(Debug, Deserialize, PartialEq)]
enum Name {
    Ab,
    C,
}

#[test]
fn subarrays_of_subarrays() {
    #[derive(Debug, Deserialize, PartialEq)]
    struct Row<T> {
        id: u8,
        a: T,
    }
    let data: Vec<u8> = [
        b"\x07".to_vec(),
        (0..6).flat_map(|i| (i as f32).to_le_bytes()).collect(),
    ]
    .concat();
    let descr = "[('id', '|u1'), ('a', ('<f4', (2,)), (3,))]";
    let file = npy(descr, false, "(1,)", &data);
    let a = [[0.0, 1.0], [2.0, 3.0], [4.0, 5.0]];
    assert_eq!(
        from_npy_slice::<Vec<Row<[[f64; 2]; 3]>>>(&file).unwrap(),
        [Row { id: 7, a }]
    );
    let rows: Vec<Row<Vec<Vec<f32>>>> = from_npy_slice(&file).unwrap();
    assert_eq!(rows[0].a, a.map(|pair| pair.map(|x| x as f32).to_vec()));
    let columns: BTreeMap<String, serde_npz::value::AnyArray> = from_npy_slice(&file).unwrap();
    assert_eq!(columns["a"].shape(), [1, 3, 2]);
    let value: serde_npz::Value = from_npy_slice(&file).unwrap();
    assert_eq!(value.to_string(), "[(7, [[0., 1.], [2., 3.], [4., 5.]])]");
    let again = serde_npz::to_npy_vec(&value).unwrap();
    let header = serde_npz::Header::read(&mut &again[..]).unwrap();
    assert_eq!(header.dtype().to_string(), descr);
    // As the type of a whole array, only where that changes no count.
    let ones = npy("(('<f4', (1,)), (1, 1))", false, "(2,)", &data[..8]);
    assert_eq!(from_npy_slice::<Vec<f32>>(&ones).unwrap().len(), 2);
    let more = npy("(('<f4', (1,)), (2,))", false, "(2,)", &data[1..17]);
    assert!(from_npy_slice::<Vec<f32>>(&more).is_err());
}

#[test]
fn bytes_that_are_texts() {
    let padded = npy("'|S2'", false, "(2,)", b"AbC\0");
    assert_eq!(from_npy_slice::<Vec<String>>(&padded).unwrap(), ["Ab", "C"]);
    assert_eq!(from_npy_slice::<Vec<Name>>(&padded).unwrap(), [Name::Ab, Name::C]);
    let bytes: Vec<serde_bytes::ByteBuf> = from_npy_slice(&padded).unwrap();
    assert_eq!(bytes, [&b"Ab"[..], b"C"]);
    assert_eq!(
        from_npy_slice::<Vec<char>>(&npy("'|S1'", false, "(2,)", b"Cd")).unwrap(),
        ['C', 'd']
    );
    let full = npy("'|V2'", false, "(2,)", b"AbC\0");
    assert_eq!(from_npy_slice::<Vec<String>>(&full).unwrap(), ["Ab", "C\0"]);
    let bytes: Vec<serde_bytes::ByteBuf> = from_npy_slice(&full).unwrap();
    assert_eq!(bytes, [&b"Ab"[..], b"C\0"]);
    let latin = npy("'|S1'", false, "(1,)", b"\xe9");
    assert!(from_npy_slice::<Vec<String>>(&latin).is_err(), "no UTF-8");
    assert_eq!(
        from_npy_slice::<Any>(&latin).unwrap(),
        Any::Seq(vec![Any::Bytes(vec![0xe9])])
    );
}

#[test]
fn other_orders() {
    let turned = npy("'>i2'", true, "(2, 3)", &[0, 1, 0, 4, 0, 2, 0, 5, 0, 3, 0, 6]);
    assert_eq!(
        from_npy_slice::<Vec<Vec<i16>>>(&turned).unwrap(),
        [[1, 2, 3], [4, 5, 6]]
    );
    assert_eq!(
        from_npy_slice::<[[i64; 3]; 2]>(&turned).unwrap(),
        [[1, 2, 3], [4, 5, 6]]
    );
    #[cfg(feature = "ndarray-0_17")]
    {
        let matrix: ndarray::Array2<i32> = from_npy_slice(&turned).unwrap();
        assert_eq!(matrix, ndarray::array![[1, 2, 3], [4, 5, 6]]);
    }
    let records = npy(
        "[('a', '>i2'), ('b', '|S2')]",
        true,
        "(2, 1)",
        &[0, 1, b'A', b'b', 0, 2, b'C', 0],
    );
    let rows: Vec<Vec<(u8, Name)>> = from_npy_slice(&records).unwrap();
    assert_eq!(rows, [[(1, Name::Ab)], [(2, Name::C)]]);
    let complex = npy("'>c8'", false, "(1,)", &[0x3f, 0x80, 0, 0, 0x40, 0, 0, 0]);
    assert_eq!(
        from_npy_slice::<Vec<Complex<f64>>>(&complex).unwrap(),
        [Complex::new(1.0, 2.0)]
    );
    assert_eq!(from_npy_slice::<Vec<(f32, f32)>>(&complex).unwrap(), [(1.0, 2.0)]);
}

#[test]
fn halves() {
    use half::{bf16, f16};
    let half = npy("'>f2'", false, "(1,)", &[0x3c, 0]);
    assert_eq!(from_npy_slice::<Vec<f16>>(&half).unwrap(), [f16::ONE]);
    assert_eq!(from_npy_slice::<Vec<f32>>(&half).unwrap(), [1.0]);
    assert_eq!(
        from_npy_slice::<Vec<bf16>>(&half).unwrap_err().kind(),
        ErrorKind::TypeMismatch
    );
    for descr in ["'<V2'", "'|V2'"] {
        let brain = npy(descr, false, "(1,)", &[0x80, 0x3f]);
        assert_eq!(from_npy_slice::<Vec<bf16>>(&brain).unwrap(), [bf16::ONE]);
        assert_eq!(
            from_npy_slice::<Vec<f16>>(&brain).unwrap_err().kind(),
            ErrorKind::TypeMismatch
        );
    }
}

#[test]
fn times() {
    let times = npy(
        "'>M8[25us]'",
        false,
        "(2,)",
        &[0, 0, 0, 0, 0, 0, 0, 4, 128, 0, 0, 0, 0, 0, 0, 0],
    );
    let texts: Vec<String> = from_npy_slice(&times).unwrap();
    assert_eq!(texts, ["1970-01-01T00:00:00.000100", "NaT"]);
    assert_eq!(from_npy_slice::<Vec<i64>>(&times).unwrap(), [4, i64::MIN]);
    let nat = from_npy_slice::<Vec<std::time::SystemTime>>(&times).unwrap_err();
    assert_eq!((nat.kind(), nat.path()), (ErrorKind::InvalidValue, "[1]"));
}

#[test]
fn ranks_match() {
    let one = npy("'<f8'", false, "(1,)", &1_f64.to_le_bytes());
    assert_eq!(
        from_npy_slice::<f64>(&one).unwrap_err().kind(),
        ErrorKind::TypeMismatch,
        "no squeeze"
    );
    assert_eq!(from_npy_slice::<(f64,)>(&one).unwrap(), (1.0,));
    assert_eq!(from_npy_slice::<Option<Vec<f64>>>(&one).unwrap(), Some(vec![1.0]));
    let hollow = npy("'<f8'", false, "(1099511627776, 0)", &[]);
    assert_eq!(
        from_npy_slice::<Vec<Vec<f64>>>(&hollow).unwrap_err().kind(),
        ErrorKind::LimitExceeded
    );
}

#[derive(Debug, Deserialize, PartialEq)]
struct Keys {
    a: BTreeMap<String, i32>,
    #[serde(rename = "/abs")]
    abs: i32,
    #[serde(rename = "c//d")]
    odd: i32,
}

#[test]
fn keys_verbatim_and_as_paths() {
    let whole = BTreeMap::from([("a", 1), ("a/b", 2), ("/abs", 3), ("c//d", 4), ("e.npy", 5)]);
    let bytes = WriteOptions::new().separator(None).to_npz_vec(&whole).unwrap();
    let back: BTreeMap<String, i32> = ReadOptions::new().separator(None).from_npz_slice(&bytes).unwrap();
    assert!(back.iter().map(|(key, n)| (key.as_str(), *n)).eq(whole.clone()));
    let mut reader = NpzReader::new(Cursor::new(&bytes)).unwrap();
    for (key, n) in whole {
        assert_eq!(reader.get::<i32>(key).unwrap(), n);
    }
    // Both array and group: what is asked for decides.
    assert_eq!(
        reader.get::<BTreeMap<String, i32>>("a").unwrap(),
        BTreeMap::from([("b".to_owned(), 2)])
    );
    // As in NumPy, the name of the file finds the member, too.
    assert_eq!(reader.get::<i32>("a.npy").unwrap(), 1);
    for none in ["a.npy.npy", "e", "c", "", "/", "abs", "a/", "/a"] {
        assert_eq!(
            reader.get::<Any>(none).unwrap_err().kind(),
            ErrorKind::MissingMember,
            "{none:?}"
        );
    }
    let keys: Keys = from_npz_slice(&bytes).unwrap();
    assert_eq!(
        keys,
        Keys {
            a: BTreeMap::from([("b".into(), 2)]),
            abs: 3,
            odd: 4
        }
    );
}
