//! Values, views and `with` modules as other formats see them, call by call.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::time::Duration;

use num_complex::Complex;
use serde::{Deserialize, Serialize};
use serde_npz::value::{AnyArray, Group};
use serde_npz::{ArrayView, Value};
use serde_test::Token::{
    Bool, Bytes, F32, F64, I8, I16, I64, Map, MapEnd, NewtypeStruct, Seq, SeqEnd, Str, Tuple, TupleEnd, U8, U64, Unit,
};
use serde_test::{
    Configure, Token, assert_de_tokens, assert_de_tokens_error, assert_ser_tokens, assert_ser_tokens_error,
    assert_tokens,
};

fn array(dtype: &str, shape: &[u64], bytes: &[u8]) -> AnyArray {
    AnyArray::from_parts(dtype.parse().unwrap(), shape, false, bytes.to_vec()).unwrap()
}

/// The same for formats made to be read by people and for compact ones: nothing here asks which it is.
macro_rules! written_as {
    ($value:expr, [$($token:expr),* $(,)?]) => {{
        let tokens = [$($token),*];
        assert_ser_tokens(&$value.readable(), &tokens);
        assert_ser_tokens(&$value.compact(), &tokens);
    }};
}

macro_rules! read_from {
    ($value:expr, [$($token:expr),* $(,)?]) => {{
        let tokens = [$($token),*];
        assert_de_tokens(&$value.readable(), &tokens);
        assert_de_tokens(&$value.compact(), &tokens);
    }};
}

const SOME: Token = Token::Some;
const NONE: Token = Token::None;
const RAW: Token = NewtypeStruct {
    name: "$serde_npz::raw",
};
const VALUE: Token = NewtypeStruct {
    name: "$serde_npz::value",
};
const JSON: Token = NewtypeStruct {
    name: "$serde_npz::json",
};

#[test]
fn the_tokens_of_a_value() {
    let group = Value::from(Group::from_iter([
        ("x", Value::from(AnyArray::new(&[[1.5, 2.5]]).unwrap())),
        ("one", Value::from(true)),
        ("g", Group::from_iter([("z", [Complex::new(0.5_f32, 1.5)])]).into()),
        ("r", array("[('a', '<u2')]", &[1], &[7, 0]).into()),
        ("s", Value::from(vec!["up"])),
        ("none", array("|V0", &[], &[]).into()),
        ("json", Value::Json(r#"{"k": [null, -1]}"#.into())),
    ]));
    written_as!(
        group.clone(),
        [
            Map { len: Some(7) },
            Str("x"),
            RAW,
            Seq { len: Some(1) },
            Seq { len: Some(2) },
            F64(1.5),
            F64(2.5),
            SeqEnd,
            SeqEnd,
            Str("one"),
            RAW,
            Bool(true),
            Str("g"),
            Map { len: Some(1) },
            Str("z"),
            RAW,
            Seq { len: Some(1) },
            Seq { len: Some(2) },
            F32(0.5),
            F32(1.5),
            SeqEnd,
            SeqEnd,
            MapEnd,
            Str("r"),
            RAW,
            Seq { len: Some(1) },
            Map { len: Some(1) },
            Str("a"),
            U64(7),
            MapEnd,
            SeqEnd,
            Str("s"),
            RAW,
            Seq { len: Some(1) },
            Str("up"),
            SeqEnd,
            Str("none"),
            RAW,
            Unit,
            Str("json"),
            JSON,
            Map { len: None },
            Str("k"),
            Seq { len: None },
            Unit,
            I64(-1),
            SeqEnd,
            MapEnd,
            MapEnd,
        ]
    );

    let read = Value::from(Group::from_iter([
        ("x", Value::from(AnyArray::new(&[[1.5, 2.5]]).unwrap())),
        ("i", vec![1_i64, 2].into()),
        ("b", array("|u1", &[2], &[7, 8]).into()),
        ("s", Value::from("up")),
        ("none", array("|V0", &[], &[]).into()),
        (
            "list",
            Group::from_iter([("0", Value::from(1_i64)), ("1", Value::from(true))]).into(),
        ),
    ]));
    read_from!(
        read.clone(),
        [
            VALUE,
            Map { len: None },
            Str("x"),
            VALUE,
            Seq { len: None },
            VALUE,
            Seq { len: Some(2) },
            VALUE,
            F64(1.5),
            VALUE,
            F64(2.5),
            SeqEnd,
            SeqEnd,
            Str("i"),
            VALUE,
            Seq { len: Some(2) },
            VALUE,
            I8(1),
            VALUE,
            U64(2),
            SeqEnd,
            Str("b"),
            VALUE,
            Bytes(&[7, 8]),
            Str("s"),
            VALUE,
            Token::String("up"),
            Str("none"),
            VALUE,
            NONE,
            Str("list"),
            VALUE,
            Seq { len: None },
            VALUE,
            I64(1),
            VALUE,
            SOME,
            VALUE,
            Bool(true),
            SeqEnd,
            MapEnd,
        ]
    );
    // serde's formats that know no newtypes hand out what is inside.
    read_from!(Value::from(1.5), [F64(1.5)]);
}

#[test]
fn the_tokens_of_a_view() {
    let elements = [1_i16, 2, 3, 4];
    written_as!(
        ArrayView::fortran(&elements, &[2, 2]).unwrap(),
        [
            RAW,
            Seq { len: Some(2) },
            Seq { len: Some(2) },
            I64(1),
            I64(3),
            SeqEnd,
            Seq { len: Some(2) },
            I64(2),
            I64(4),
            SeqEnd,
            SeqEnd,
        ]
    );
    let tokens = [
        RAW,
        Seq { len: None },
        Seq { len: None },
        I16(1),
        I64(2),
        SeqEnd,
        Seq { len: None },
        U8(3),
        U64(4),
        SeqEnd,
        SeqEnd,
    ];
    assert_de_tokens(&ArrayView::new(&elements, &[2, 2]).unwrap().compact(), &tokens);
    assert_de_tokens(&ArrayView::new(&[true], &[]).unwrap().readable(), &[RAW, Bool(true)]);
    let pair = [Complex::new(1.5, 2.5)];
    assert_tokens(
        &ArrayView::new(&pair, &[1]).unwrap().compact(),
        &[
            RAW,
            Seq { len: Some(1) },
            Seq { len: Some(2) },
            F64(1.5),
            F64(2.5),
            SeqEnd,
            SeqEnd,
        ],
    );
}

#[test]
fn errors_of_values_and_views_are_sentences() {
    type View<'a> = ArrayView<'a, i8>;

    let ragged = [
        RAW,
        Seq { len: None },
        Seq { len: None },
        I64(1),
        I64(2),
        SeqEnd,
        Seq { len: None },
        I64(3),
        SeqEnd,
    ];
    assert_de_tokens_error::<View<'_>>(&ragged, "invalid length 1, expected 2, as beside it");
    let uneven = [RAW, Seq { len: None }, I64(1), Seq { len: None }];
    assert_de_tokens_error::<View<'_>>(&uneven, "invalid type: sequence, expected a number, as beside it");
    assert_de_tokens_error::<View<'_>>(&[RAW, I64(300)], "invalid type: integer `300`, expected |i1");
    assert_de_tokens_error::<View<'_>>(&[RAW, Str("x")], "invalid type: string \"x\", expected an array of |i1");
    let twice = [
        VALUE,
        Map { len: None },
        Str("a"),
        VALUE,
        I64(1),
        Str("a"),
        VALUE,
        I64(2),
    ];
    assert_de_tokens_error::<Value>(&twice, "found two members of the name \"a\", expected each name once");
    let nul = [RAW, Str("a\0")];
    assert_de_tokens_error::<AnyArray>(
        &nul,
        "found the text \"a\\0\" with a NUL at the end, expected none: NumPy pads with NUL and would drop it",
    );

    let mut deep = Value::from(1.5);
    for _ in 0..100 {
        deep = Group::from_iter([("g", deep)]).into();
    }
    let mut tokens = Vec::new();
    for _ in 0..65 {
        tokens.extend([Map { len: Some(1) }, Str("g")]);
    }
    assert_ser_tokens_error(
        &deep,
        &tokens,
        "found groups nested deeper than 64, expected no more than that",
    );
    let broken = [JSON, Seq { len: None }, U64(1)];
    assert_ser_tokens_error(
        &Value::Json("[1, ".into()),
        &broken,
        "EOF while parsing a value at line 1 column 4",
    );
}

/// A field of a module, as other formats see it.
macro_rules! module {
    ($module:literal, $t:ty, $value:expr, [$($token:expr),* $(,)?]) => {{
        #[derive(Debug, PartialEq, Serialize, Deserialize)]
        struct Field(#[serde(with = $module)] $t);

        let tokens = [NewtypeStruct { name: "Field" }, $($token),*];
        assert_tokens(&Field($value).readable(), &tokens);
        assert_tokens(&Field($value).compact(), &tokens);
    }};
}

#[test]
fn the_tokens_of_the_modules() {
    module!(
        "serde_npz::with::nan",
        Vec<Option<f64>>,
        vec![Some(1.5), None],
        [
            NewtypeStruct {
                name: "$serde_npz::nan"
            },
            Seq { len: Some(2) },
            SOME,
            F64(1.5),
            NONE,
            SeqEnd,
        ]
    );
    module!(
        "serde_npz::with::float16",
        [f32; 1],
        [1.5],
        [
            NewtypeStruct {
                name: "$serde_npz::float16"
            },
            Tuple { len: 1 },
            F32(1.5),
            TupleEnd,
        ]
    );
    module!(
        "serde_npz::with::float32",
        BTreeMap<String, Option<f64>>,
        BTreeMap::from([("a".to_string(), Some(1.5)), ("b".to_string(), None)]),
        [
            NewtypeStruct {
                name: "$serde_npz::float32"
            },
            Map { len: Some(2) },
            Str("a"),
            SOME,
            F64(1.5),
            Str("b"),
            NONE,
            MapEnd,
        ]
    );
    module!(
        "serde_npz::with::list",
        Vec<u8>,
        vec![7],
        [
            NewtypeStruct {
                name: "$serde_npz::list"
            },
            Seq { len: Some(1) },
            U8(7),
            SeqEnd,
        ]
    );
    module!(
        "serde_npz::with::ragged",
        Vec<Vec<u8>>,
        vec![vec![7], vec![]],
        [
            NewtypeStruct {
                name: "$serde_npz::ragged"
            },
            Seq { len: Some(2) },
            Seq { len: Some(1) },
            U8(7),
            SeqEnd,
            Seq { len: Some(0) },
            SeqEnd,
            SeqEnd,
        ]
    );
    module!("serde_npz::with::json", BTreeMap<u8, bool>, BTreeMap::from([(1, true)]), [
        JSON, Map { len: Some(1) }, U8(1), Bool(true), MapEnd,
    ]);
    module!(
        "serde_npz::with::bytes",
        Option<Vec<Vec<u8>>>,
        Some(vec![b"ab".to_vec()]),
        [
            SOME,
            NewtypeStruct {
                name: "$serde_npz::bytes"
            },
            Seq { len: Some(1) },
            Bytes(b"ab"),
            SeqEnd,
        ]
    );
    module!("serde_npz::with::bytes", Option<String>, None, [NONE]);
    module!(
        "serde_npz::with::bytes",
        [[u8; 2]; 1],
        [*b"a\0"],
        [
            NewtypeStruct {
                name: "$serde_npz::bytes"
            },
            Tuple { len: 1 },
            Bytes(b"a\0"),
            TupleEnd,
        ]
    );
    module!(
        "serde_npz::with::datetime64::ms",
        Vec<i64>,
        vec![5, i64::MIN],
        [
            NewtypeStruct {
                name: "$serde_npz::M8[ms]"
            },
            Seq { len: Some(2) },
            I64(5),
            I64(i64::MIN),
            SeqEnd,
        ]
    );
    module!(
        "serde_npz::with::datetime64::D",
        Option<i64>,
        Some(5),
        [
            NewtypeStruct {
                name: "$serde_npz::M8[D]"
            },
            SOME,
            I64(5),
        ]
    );
    module!(
        "serde_npz::with::timedelta64::us",
        Vec<Option<Duration>>,
        vec![Some(Duration::from_millis(1)), None],
        [
            NewtypeStruct {
                name: "$serde_npz::m8[us]"
            },
            Seq { len: Some(2) },
            SOME,
            I64(1000),
            NONE,
            SeqEnd,
        ]
    );
    module!(
        "serde_npz::with::timedelta64::s",
        BTreeMap<u8, Box<i64>>,
        BTreeMap::from([(1, Box::new(7))]),
        [
            NewtypeStruct {
                name: "$serde_npz::m8[s]"
            },
            Map { len: Some(1) },
            U8(1),
            I64(7),
            MapEnd,
        ]
    );
    module!(
        "serde_npz::with::timedelta64::s",
        Option<[i64; 1]>,
        Some([7]),
        [
            SOME,
            NewtypeStruct {
                name: "$serde_npz::m8[s]"
            },
            Tuple { len: 1 },
            I64(7),
            TupleEnd,
        ]
    );
}

#[test]
fn the_tokens_of_borrowed_fields() {
    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Row<'a>(#[serde(borrow, with = "serde_npz::with::view")] Cow<'a, [u8]>);
    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Views<'a>(#[serde(borrow, with = "serde_npz::with::view")] Option<Vec<ArrayView<'a, f32>>>);

    let tokens = [NewtypeStruct { name: "Row" }, RAW, Seq { len: Some(1) }, U64(7), SeqEnd];
    assert_tokens(&Row(Cow::Borrowed(&[7])).compact(), &tokens);
    let tokens = [
        NewtypeStruct { name: "Views" },
        SOME,
        Seq { len: Some(1) },
        RAW,
        Seq { len: Some(1) },
        F32(1.5),
        SeqEnd,
        SeqEnd,
    ];
    let view = ArrayView::new(&[1.5], &[1]).unwrap();
    assert_tokens(&Views(Some(vec![view])).readable(), &tokens);
}

#[cfg(feature = "nalgebra-0_34")]
#[test]
fn the_tokens_of_a_matrix() {
    module!(
        "serde_npz::with::nalgebra_0_34",
        Vec<nalgebra::Vector2<f64>>,
        vec![nalgebra::Vector2::new(1.5, 2.5)],
        [
            Seq { len: Some(1) },
            Tuple { len: 2 },
            F64(1.5),
            F64(2.5),
            TupleEnd,
            SeqEnd,
        ]
    );
}

#[cfg(feature = "ndarray-0_17")]
#[test]
fn the_tokens_of_an_array() {
    module!(
        "serde_npz::with::ndarray_0_17",
        Option<ndarray::Array1<u8>>,
        Some(ndarray::array![7]),
        [
            SOME,
            Token::Struct { name: "Array", len: 3 },
            Str("v"),
            U8(1),
            Str("dim"),
            Tuple { len: 1 },
            U64(1),
            TupleEnd,
            Str("data"),
            Seq { len: Some(1) },
            U8(7),
            SeqEnd,
            Token::StructEnd,
        ]
    );
}

#[test]
fn errors_of_the_modules_are_sentences() {
    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Day(#[serde(with = "serde_npz::with::datetime64::D")] Option<i64>);
    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Span(#[serde(with = "serde_npz::with::timedelta64::s")] Duration);
    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Code(#[serde(with = "serde_npz::with::bytes")] [u8; 2]);
    #[derive(Debug, PartialEq, Deserialize)]
    struct Lent<'a>(#[serde(borrow, with = "serde_npz::with::view")] &'a [u8]);

    let days = NewtypeStruct {
        name: "$serde_npz::M8[D]",
    };
    let seconds = NewtypeStruct {
        name: "$serde_npz::m8[s]",
    };
    assert_ser_tokens_error(
        &Day(Some(i64::MIN)),
        &[NewtypeStruct { name: "Day" }, days],
        "found Some(-9223372036854775808) for M8[D], expected a time (NaT, which is i64::MIN, is the None of an Option)",
    );
    assert_ser_tokens_error(
        &Span(Duration::from_millis(1)),
        &[NewtypeStruct { name: "Span" }, seconds],
        "found 1ms for m8[s], expected a time that the unit and the type hold exactly (a finer unit may)",
    );
    assert_de_tokens_error::<Span>(
        &[NewtypeStruct { name: "Span" }, seconds, I64(-1)],
        "invalid value: the count -1 of m8[s], expected a time in the range of the unit and the type (a coarser unit may \
         hold it)",
    );
    assert_de_tokens_error::<Code>(
        &[
            NewtypeStruct { name: "Code" },
            NewtypeStruct {
                name: "$serde_npz::bytes",
            },
            Bytes(b"abc"),
        ],
        "invalid length 3, expected a byte string of 2 bytes",
    );
    assert_de_tokens_error::<Lent<'_>>(
        &[NewtypeStruct { name: "Lent" }, RAW, Seq { len: None }, U8(7), SeqEnd],
        "found an array that has to be copied or converted, expected one that can be lent",
    );
}
