//! Every module takes `T`, `Option<T>`, `Vec<T>`, maps with text keys and smart pointers of `T`, one in the other.

use std::collections::{BTreeMap, HashMap};
use std::fmt::Debug;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

/// A struct of fields around `T`, all through one module: saved and loaded, alone and in a list; through JSON too.
macro_rules! nestings {
    ($test:ident, $with:literal, $t:ty, $value:expr) => {
        #[test]
        fn $test() {
            #[derive(Serialize, Deserialize, Debug, PartialEq)]
            struct Fields {
                #[serde(with = $with)]
                plain: $t,
                #[serde(with = $with)]
                some: Option<$t>,
                #[serde(with = $with)]
                none: Option<$t>,
                #[serde(with = $with)]
                boxed: [Box<$t>; 1],
                #[serde(with = $with)]
                rows: Option<Vec<$t>>,
                #[serde(with = $with)]
                no_rows: Option<Vec<$t>>,
                #[serde(with = $with)]
                map: HashMap<String, Vec<$t>>,
                #[serde(with = $with)]
                options: BTreeMap<String, Option<$t>>,
                #[serde(with = $with)]
                maps: Vec<BTreeMap<String, $t>>,
                #[serde(with = $with)]
                no_map: Option<BTreeMap<String, Vec<$t>>>,
            }

            let fields = || Fields {
                plain: $value,
                some: Some($value),
                none: None,
                boxed: [Box::new($value)],
                rows: Some(vec![$value, $value]),
                no_rows: None,
                map: HashMap::from([("k".to_string(), vec![$value])]),
                options: BTreeMap::from([("a".to_string(), Some($value)), ("b".to_string(), None)]),
                maps: vec![BTreeMap::from([("a".to_string(), $value)]), BTreeMap::new()],
                no_map: None,
            };
            through(&fields());
            through(&BTreeMap::from([("list".to_string(), vec![fields(), fields()])]));
        }
    };
}

#[track_caller]
fn through<T: Serialize + DeserializeOwned + PartialEq + Debug>(value: &T) {
    super::round(value);
    let json = serde_json::to_string(value).unwrap();
    assert_eq!(&serde_json::from_str::<T>(&json).unwrap(), value, "{json}");
}

nestings!(nan, "serde_npz::with::nan", Vec<Option<f64>>, vec![Some(0.5), None]);
nestings!(nan_of_text, "serde_npz::with::nan", String, "a".to_string());
nestings!(float16, "serde_npz::with::float16", f32, 0.5);
nestings!(float32, "serde_npz::with::float32", f64, 0.5);
nestings!(datetime64, "serde_npz::with::datetime64::ms", SystemTime, UNIX_EPOCH);
nestings!(
    timedelta64,
    "serde_npz::with::timedelta64::ms",
    Duration,
    Duration::from_millis(3)
);
nestings!(bytes, "serde_npz::with::bytes", String, "ab".to_string());
nestings!(list, "serde_npz::with::list", Vec<u16>, vec![1, 2]);
nestings!(
    ragged,
    "serde_npz::with::ragged",
    Vec<Vec<u16>>,
    vec![vec![1], vec![2, 3]]
);
nestings!(json, "serde_npz::with::json", Vec<u8>, vec![1]);
#[cfg(feature = "ndarray-0_17")]
nestings!(
    ndarray,
    "serde_npz::with::ndarray_0_17",
    ndarray::Array2<f32>,
    ndarray::array![[1.0, 2.0]]
);
#[cfg(feature = "nalgebra-0_34")]
nestings!(
    nalgebra,
    "serde_npz::with::nalgebra_0_34",
    nalgebra::DMatrix<f32>,
    nalgebra::DMatrix::from_row_slice(1, 2, &[1.0, 2.0])
);

/// The form is that of every outermost sequence, through maps and structs.
#[test]
fn lists_and_rows_inside_maps() {
    #[derive(Serialize, Deserialize, Debug, PartialEq)]
    struct Maps {
        #[serde(with = "serde_npz::with::list")]
        list: BTreeMap<String, Vec<Vec<u8>>>,
        #[serde(with = "serde_npz::with::ragged")]
        rows: BTreeMap<String, Option<Vec<Vec<u8>>>>,
        #[serde(with = "serde_npz::with::ragged")]
        texts: Vec<BTreeMap<String, Vec<String>>>,
        #[serde(with = "serde_npz::with::ragged")]
        deep: Vec<Vec<Vec<u8>>>,
        #[serde(with = "serde_npz::with::ragged")]
        some: Vec<Option<Vec<u8>>>,
        #[serde(with = "serde_npz::with::ragged")]
        even: Vec<Vec<Vec<u8>>>,
    }
    let uneven = vec![vec![1], vec![2, 3]];
    let bytes = super::round(&Maps {
        list: BTreeMap::from([("a".to_string(), uneven.clone())]),
        rows: BTreeMap::from([("a".to_string(), Some(uneven.clone())), ("b".to_string(), None)]),
        texts: vec![BTreeMap::from([(
            "a".to_string(),
            vec!["é".to_string(), String::new()],
        )])],
        deep: vec![uneven.clone(), vec![]],
        some: vec![Some(vec![1]), None],
        even: vec![vec![vec![1, 2]], vec![]],
    });
    assert_eq!(
        super::layout(&bytes),
        [
            "list/a/0 |u1 [1]",
            "list/a/1 |u1 [2]",
            "rows/a/values |u1 [3]",
            "rows/a/offsets <i8 [3]",
            "rows/b |V0 []",
            "texts/0/a/values |u1 [2]",
            "texts/0/a/offsets <i8 [3]",
            "deep/0/values |u1 [3]",
            "deep/0/offsets <i8 [3]",
            "deep/1/values <f8 [0]",
            "deep/1/offsets <i8 [1]",
            "some/0 |u1 [1]",
            "some/1 |V0 []",
            "even/values |u1 [1, 2]",
            "even/offsets <i8 [3]",
        ]
    );
}
