//! `with::list`, `with::ragged` and `with::json`: more or other members than one array.

use std::collections::BTreeMap;
use std::io::Cursor;

use serde::{Deserialize, Serialize};
use serde_npz::{ErrorKind, NpzReader, NpzWriter, WriteOptions, from_npz_slice, to_npz_vec};

use super::{json, layout, round};

#[test]
fn list() {
    field!(Uneven, "serde_npz::with::list", Vec<Vec<f64>>);
    let bytes = round(&Uneven {
        x: vec![vec![1.0, 2.0], vec![3.0], vec![]],
    });
    assert_eq!(layout(&bytes), ["x/0 <f8 [2]", "x/1 <f8 [1]", "x/2 <f8 [0]"]);
    field!(Even, "serde_npz::with::list", Vec<Vec<i32>>);
    assert_eq!(
        layout(&round(&Even {
            x: vec![vec![1, 2], vec![3, 4]]
        })),
        ["x/0 <i4 [2]", "x/1 <i4 [2]"]
    );
    field!(Scalars, "serde_npz::with::list", Vec<Option<u8>>);
    let bytes = round(&Scalars {
        x: (0..11).map(|n| (n != 4).then_some(n)).collect(),
    });
    assert_eq!(layout(&bytes)[4], "x/4 |V0 []");
    field!(Deep, "serde_npz::with::list", Vec<Vec<Vec<u8>>>);
    assert_eq!(
        layout(&round(&Deep {
            x: vec![vec![vec![1], vec![2]], vec![vec![3, 4]]]
        })),
        ["x/0 |u1 [2, 1]", "x/1 |u1 [1, 2]"]
    );
    round(&Uneven { x: vec![] });
    json(
        &Uneven {
            x: vec![vec![1.0], vec![]],
        },
        r#"{"x":[[1.0],[]]}"#,
    );
}

#[test]
fn list_in_groups_and_lists() {
    #[derive(Serialize, Deserialize, Debug, PartialEq)]
    struct Outer {
        inner: Vec<Inner>,
    }
    field!(Inner, "serde_npz::with::list", Vec<Vec<u8>>);
    let value = Outer {
        inner: vec![
            Inner { x: vec![vec![1]] },
            Inner {
                x: vec![vec![2, 3], vec![]],
            },
        ],
    };
    assert_eq!(
        layout(&round(&value)),
        ["inner/0/x/0 |u1 [1]", "inner/1/x/0 |u1 [2]", "inner/1/x/1 |u1 [0]"]
    );
}

#[test]
fn list_past_max_members() {
    field!(Data, "serde_npz::with::list", Vec<Vec<u8>>);
    let err = WriteOptions::new()
        .max_members(2)
        .to_npz_vec(&Data {
            x: vec![vec![], vec![], vec![]],
        })
        .unwrap_err();
    assert_eq!(err.kind(), ErrorKind::LimitExceeded, "{err}");
}

#[test]
fn ragged() {
    field!(Rows, "serde_npz::with::ragged", Vec<Vec<f32>>);
    let bytes = round(&Rows {
        x: vec![vec![1.0, 2.0], vec![], vec![3.0]],
    });
    assert_eq!(layout(&bytes), ["x/values <f4 [3]", "x/offsets <i8 [4]"]);
    let mut archive = NpzReader::new(Cursor::new(&bytes)).unwrap();
    assert_eq!(archive.get::<Vec<f32>>("x/values").unwrap(), [1.0, 2.0, 3.0]);
    assert_eq!(archive.get::<Vec<i64>>("x/offsets").unwrap(), [0, 2, 2, 3]);

    field!(Texts, "serde_npz::with::ragged", Vec<String>);
    let bytes = round(&Texts {
        x: vec!["ab".into(), "".into(), "é".into()],
    });
    assert_eq!(layout(&bytes), ["x/values |u1 [4]", "x/offsets <i8 [4]"]);
    // A NUL at the end is kept here.
    round(&Texts { x: vec!["a\0".into()] });
    round(&Texts { x: vec![] });
    round(&Rows { x: vec![] });
    round(&Rows {
        x: vec![vec![], vec![]],
    });

    field!(Records, "serde_npz::with::ragged", Vec<Vec<(u8, f64)>>);
    let bytes = round(&Records {
        x: vec![vec![(1, 0.5)], vec![(2, 1.5), (3, 2.5)]],
    });
    assert_eq!(layout(&bytes)[0], "x/values [('f0', '|u1'), ('f1', '<f8')] [3]");

    json(
        &Rows {
            x: vec![vec![1.0], vec![]],
        },
        r#"{"x":[[1.0],[]]}"#,
    );
    json(&Texts { x: vec!["a".into()] }, r#"{"x":["a"]}"#);
}

#[test]
fn ragged_offsets_that_lie() {
    field!(Rows, "serde_npz::with::ragged", Vec<Vec<f64>>);
    for offsets in [
        &[][..],
        &[1, 2],
        &[0, 1],
        &[0, 3],
        &[0, 2, 1, 2],
        &[-1, 2],
        &[0, i64::MAX, 2],
        &[i64::MIN, 2],
    ] {
        let mut writer = NpzWriter::new(Cursor::new(Vec::new()));
        writer.add("x/values", &vec![1.0, 2.0]).unwrap();
        writer.add("x/offsets", &offsets.to_vec()).unwrap();
        let bytes = writer.finish().unwrap().into_inner();
        assert!(from_npz_slice::<Rows>(&bytes).is_err(), "{offsets:?}");
    }
}

#[derive(Serialize, Deserialize, Debug, PartialEq)]
#[serde(tag = "kind")]
pub enum Setting {
    Off,
    On { level: Option<u8>, tags: Vec<String> },
}

#[test]
fn json_text() {
    #[derive(Serialize, Deserialize, Debug, PartialEq)]
    struct Run {
        #[serde(with = "serde_npz::with::json")]
        settings: Vec<Setting>,
        #[serde(with = "serde_npz::with::json")]
        none: Option<u8>,
        loss: Vec<f64>,
        inner: Inner,
    }
    field!(Inner, "serde_npz::with::json", BTreeMap<String, f64>);
    let run = Run {
        settings: vec![
            Setting::Off,
            Setting::On {
                level: None,
                tags: vec!["a".into()],
            },
        ],
        none: None,
        loss: vec![0.5],
        inner: Inner {
            x: BTreeMap::from([("tenth".into(), 0.1)]),
        },
    };
    let bytes = round(&run);
    assert_eq!(
        layout(&bytes),
        ["settings.json", "none.json", "loss <f8 [1]", "inner/x.json"]
    );
    let mut archive = NpzReader::new(Cursor::new(&bytes)).unwrap();
    assert_eq!(archive.raw("inner/x.json").unwrap(), br#"{"tenth":0.1}"#);
    json(
        &Inner {
            x: BTreeMap::from([("a".into(), 1.5)]),
        },
        r#"{"x":{"a":1.5}}"#,
    );
}

#[test]
fn json_beside_an_array_of_the_same_name() {
    field!(Text, "serde_npz::with::json", u8);
    #[derive(Serialize)]
    struct Plain {
        x: u8,
    }
    #[derive(Serialize)]
    struct Twice {
        #[serde(flatten)]
        text: Text,
        #[serde(flatten)]
        plain: Plain,
    }
    // Refused on writing or, at the latest, on reading.
    let twice = Twice {
        text: Text { x: 1 },
        plain: Plain { x: 2 },
    };
    let err = to_npz_vec(&twice)
        .and_then(|bytes| from_npz_slice::<Text>(&bytes))
        .unwrap_err();
    assert_eq!(err.kind(), ErrorKind::DuplicateName, "{err}");
}

/// None behind `with` or a newtype is a marker, since serde asks for the member there; a field that is an Option itself is left
/// out. All of them come back as None.
#[test]
fn none_is_left_out_only_where_the_field_is_an_option() {
    #[derive(Serialize, Deserialize, Debug, PartialEq)]
    struct Maybe(Option<u8>);

    mod foreign {
        use serde::{Deserialize, Deserializer, Serialize, Serializer};

        pub fn serialize<S: Serializer>(value: &Option<u8>, serializer: S) -> Result<S::Ok, S::Error> {
            value.serialize(serializer)
        }

        pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<u8>, D::Error> {
            Option::deserialize(deserializer)
        }
    }

    #[derive(Serialize, Deserialize, Debug, PartialEq)]
    struct Inner {
        flat: Option<u8>,
        #[serde(with = "foreign")]
        flat_foreign: Option<u8>,
    }

    #[derive(Serialize, Deserialize, Debug, PartialEq)]
    struct Outer {
        plain: Option<u8>,
        text: Option<String>,
        newtype: Maybe,
        boxed: Box<Option<u8>>,
        #[serde(with = "foreign")]
        foreign: Option<u8>,
        #[serde(rename = "a/path", with = "foreign")]
        path: Option<u8>,
        #[serde(with = "serde_npz::with::bytes")]
        code: Option<[u8; 2]>,
        #[serde(with = "serde_npz::with::nan")]
        float: Option<f32>,
        #[serde(with = "serde_npz::with::nan")]
        texts: Option<Vec<String>>,
        #[serde(with = "serde_npz::with::datetime64::s")]
        time: Option<i64>,
        #[serde(with = "serde_npz::with::datetime64::s")]
        times: Option<Vec<i64>>,
        #[serde(with = "serde_npz::with::json")]
        json: Option<u8>,
    }

    #[derive(Serialize, Deserialize, Debug, PartialEq)]
    struct Flat {
        outer: Outer,
        #[serde(flatten)]
        inner: Inner,
    }

    let bytes = round(&Flat {
        outer: Outer {
            plain: None,
            text: None,
            newtype: Maybe(None),
            boxed: Box::new(None),
            foreign: None,
            path: None,
            code: None,
            float: None,
            texts: None,
            time: None,
            times: None,
            json: None,
        },
        inner: Inner {
            flat: None,
            flat_foreign: None,
        },
    });
    assert_eq!(
        layout(&bytes),
        [
            "outer/newtype |V0 []",
            "outer/boxed |V0 []",
            "outer/foreign |V0 []",
            "outer/a/path |V0 []",
            "outer/code |V0 []",
            "outer/float <f4 []",
            "outer/texts |V0 []",
            "outer/time <M8[s] []",
            "outer/times |V0 []",
            "outer/json.json",
            "flat_foreign |V0 []",
        ]
    );
}

/// In a record None behind a module is what the module has for it, and else masked.
#[test]
fn none_behind_a_module_in_a_record() {
    #[derive(Serialize, Deserialize, Debug, PartialEq, Clone)]
    struct Row {
        id: u8,
        #[serde(with = "serde_npz::with::bytes")]
        code: Option<[u8; 2]>,
        #[serde(with = "serde_npz::with::nan")]
        level: Option<f64>,
        #[serde(with = "serde_npz::with::datetime64::s")]
        time: Option<i64>,
        #[serde(with = "serde_npz::with::float16")]
        half: Option<f32>,
    }
    #[derive(Serialize, Deserialize, Debug, PartialEq)]
    struct Inside {
        #[serde(with = "serde_npz::with::nan")]
        rows: Vec<Plain>,
    }
    #[derive(Serialize, Deserialize, Debug, PartialEq)]
    struct Plain {
        float: Option<f64>,
        count: Option<u32>,
    }
    let some = Row {
        id: 1,
        code: Some(*b"ab"),
        level: Some(1.0),
        time: Some(3),
        half: Some(0.5),
    };
    let none = Row {
        id: 2,
        code: None,
        level: None,
        time: None,
        half: None,
    };
    let dtype = "[('id', '|u1'), ('code', '|S2'), ('code?', '|b1'), ('level', '<f8'), ('time', '<M8[s]'), ('half', '<f2'), \
                 ('half?', '|b1')]";
    for rows in [vec![some.clone(), none.clone()], vec![none, some]] {
        let bytes = round(&BTreeMap::from([("x".to_string(), rows)]));
        assert_eq!(layout(&bytes), [format!("x {dtype} [2]")]);
    }
    let plain = |float, count| Plain { float, count };
    let bytes = round(&Inside {
        rows: vec![plain(None, Some(7)), plain(Some(0.5), None)],
    });
    assert_eq!(
        layout(&bytes),
        ["rows [('float', '<f8'), ('count', '<u4'), ('count?', '|b1')] [2]"]
    );
}
