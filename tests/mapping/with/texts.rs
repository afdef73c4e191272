//! `with::bytes`.

use serde::{Deserialize, Serialize};
use serde_npz::{ErrorKind, from_npz_slice, to_npz_vec};

use super::{json, layout, refused, round};

#[derive(Serialize, Deserialize, Debug, PartialEq)]
pub struct Texts {
    #[serde(with = "serde_npz::with::bytes")]
    one: Vec<u8>,
    #[serde(with = "serde_npz::with::bytes")]
    many: Vec<Vec<u8>>,
    #[serde(with = "serde_npz::with::bytes")]
    fixed: [u8; 3],
    #[serde(with = "serde_npz::with::bytes")]
    codes: Vec<[u8; 2]>,
    #[serde(with = "serde_npz::with::bytes")]
    matrix: Vec<[String; 2]>,
    #[serde(with = "serde_npz::with::bytes")]
    text: String,
    #[serde(with = "serde_npz::with::bytes")]
    none: Vec<String>,
    #[serde(with = "serde_npz::with::bytes")]
    empty: Vec<u8>,
    rows: Vec<Quote>,
}

#[derive(Serialize, Deserialize, Debug, PartialEq)]
struct Quote {
    #[serde(with = "serde_npz::with::bytes")]
    ticker: String,
    #[serde(with = "serde_npz::with::bytes")]
    code: [u8; 2],
    price: f64,
}

pub fn texts() -> Texts {
    Texts {
        one: b"abc".to_vec(),
        many: vec![b"a".to_vec(), vec![], b"\0bc".to_vec()],
        fixed: *b"xyz",
        codes: vec![*b"AB", *b"C\0", [0, 0]],
        matrix: vec![["a".into(), "é".into()], ["".into(), "b".into()]],
        text: "text".into(),
        none: vec![],
        empty: vec![],
        rows: vec![
            Quote {
                ticker: "ABCD".into(),
                code: *b"X\0",
                price: 1.0,
            },
            Quote {
                ticker: "".into(),
                code: *b"YZ",
                price: 2.0,
            },
        ],
    }
}

#[test]
fn bytes() {
    assert_eq!(
        layout(&round(&texts())),
        [
            "one |S3 []",
            "many |S3 [3]",
            "fixed |S3 []",
            "codes |S2 [3]",
            "matrix |S2 [2, 2]",
            "text |S4 []",
            "none |S1 [0]",
            "empty |S1 []",
            "rows [('ticker', '|S4'), ('code', '|S2'), ('price', '<f8')] [2]",
        ]
    );
}

#[test]
fn bytes_refuse_nul_at_the_end() {
    field!(Data, "serde_npz::with::bytes", Vec<Vec<u8>>);
    refused(
        &Data {
            x: vec![b"a".to_vec(), b"b\0".to_vec()],
        },
        ErrorKind::InvalidValue,
        "x[1]",
    );
    field!(Text, "serde_npz::with::bytes", Vec<String>);
    refused(&Text { x: vec!["\0".into()] }, ErrorKind::InvalidValue, "x[0]");
}

#[test]
fn bytes_into_what_does_not_hold_them() {
    field!(Data, "serde_npz::with::bytes", Vec<Vec<u8>>);
    let bytes = to_npz_vec(&Data {
        x: vec![b"a".to_vec(), b"\xff\xfe\xfd".to_vec()],
    })
    .unwrap();
    field!(Pair, "serde_npz::with::bytes", Vec<[u8; 2]>);
    let err = from_npz_slice::<Pair>(&bytes).unwrap_err();
    assert_eq!((err.kind(), err.path()), (ErrorKind::TypeMismatch, "x[1]"), "{err}");
    field!(Text, "serde_npz::with::bytes", Vec<String>);
    assert_eq!(from_npz_slice::<Text>(&bytes).unwrap_err().path(), "x[1]");
    assert!(serde_json::from_str::<Pair>(r#"{"x":[[1]]}"#).is_err());
}

#[test]
fn bytes_through_json_and_missing() {
    field!(Data, "serde_npz::with::bytes", Option<Vec<u8>>);
    json(
        &Data {
            x: Some(b"ab".to_vec()),
        },
        r#"{"x":[97,98]}"#,
    );
    json(&Data { x: None }, r#"{"x":null}"#);
    assert_eq!(layout(&round(&Data { x: None })), ["x |V0 []"]);
    assert_eq!(
        layout(&round(&Data {
            x: Some(b"ab".to_vec())
        })),
        ["x |S2 []"]
    );
    field!(Codes, "serde_npz::with::bytes", Vec<[u8; 2]>);
    json(&Codes { x: vec![[65, 0]] }, r#"{"x":[[65,0]]}"#);
    field!(Text, "serde_npz::with::bytes", Vec<String>);
    json(&Text { x: vec!["a\0".into()] }, r#"{"x":["a\u0000"]}"#);
}
