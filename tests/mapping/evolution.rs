//! Types change, files stay: fields moved, added, removed, renamed, defaulted, and shapes of types that are rare.

use std::collections::BTreeMap;
use std::io::Cursor;

use crate::common::{Any, check, table};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_npz::{ErrorKind, NpzReader, from_npz_slice, to_npz_vec};

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct First {
    weights: Vec<Vec<f32>>,
    bias: Vec<f32>,
    name: String,
    steps: Vec<Step>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Step {
    t: f64,
    loss: f32,
}

fn first() -> First {
    First {
        weights: vec![vec![1.0, 2.0], vec![3.0, 4.0]],
        bias: vec![5.0],
        name: "first".into(),
        steps: vec![Step { t: 0.5, loss: 0.25 }, Step { t: 1.5, loss: 0.125 }],
    }
}

#[track_caller]
fn read<T: DeserializeOwned>() -> T {
    from_npz_slice(&to_npz_vec(&first()).unwrap()).unwrap()
}

#[test]
fn order_of_fields() {
    #[derive(Deserialize)]
    struct Second {
        steps: Vec<StepTurned>,
        name: String,
        bias: Vec<f32>,
        weights: Vec<Vec<f32>>,
    }
    #[derive(Debug, PartialEq, Deserialize)]
    struct StepTurned {
        loss: f32,
        t: f64,
    }
    let second: Second = read();
    assert_eq!(second.name, "first");
    assert_eq!(second.bias, [5.0]);
    assert_eq!(second.weights, first().weights);
    assert_eq!(second.steps[1], StepTurned { loss: 0.125, t: 1.5 });
}

#[test]
fn fields_added_and_removed() {
    #[derive(Deserialize)]
    struct Second {
        bias: Vec<f64>,
        extra: Option<Vec<f64>>,
        #[serde(default)]
        zeros: Vec<u8>,
        #[serde(default = "seven")]
        seven: u8,
        #[serde(skip)]
        skipped: u16,
        steps: Vec<StepMore>,
    }
    #[derive(Deserialize)]
    struct StepMore {
        t: f64,
        #[serde(default)]
        grad: f64,
    }
    fn seven() -> u8 {
        7
    }
    let second: Second = read();
    assert_eq!(second.bias, [5.0]);
    assert_eq!(
        (second.extra, second.zeros, second.seven, second.skipped),
        (None, vec![], 7, 0)
    );
    assert_eq!((second.steps[1].t, second.steps[1].grad), (1.5, 0.0));
}

#[test]
fn fields_renamed() {
    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    #[serde(rename_all = "SCREAMING-KEBAB-CASE")]
    struct Second {
        #[serde(rename = "weights")]
        matrix: Vec<Vec<f32>>,
        #[serde(alias = "bias")]
        an_offset: Vec<f32>,
    }
    let second: Second = read();
    assert_eq!(second.an_offset, [5.0]);
    check(&second, "weights <f4 (2, 2); AN-OFFSET <f4 (1,)");
}

#[test]
fn fields_skipped() {
    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Skips {
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        rare: Vec<u8>,
        #[serde(skip)]
        never: u8,
        always: u8,
    }
    check(
        &Skips {
            rare: vec![],
            never: 0,
            always: 1,
        },
        "always |u1 ()",
    );
    check(
        &Skips {
            rare: vec![1],
            never: 0,
            always: 1,
        },
        "rare |u1 (1,); always |u1 ()",
    );
}

#[test]
fn unknown_fields() {
    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Strict {
        #[expect(dead_code, reason = "never made")]
        bias: Vec<f32>,
    }
    let bytes = to_npz_vec(&first()).unwrap();
    let err = from_npz_slice::<Strict>(&bytes).unwrap_err();
    assert!(format!("{err:#}").contains("weights"), "{err}");
}

#[test]
fn one_field_of_many_reads_one_member() {
    #[derive(Deserialize)]
    struct Name {
        name: String,
    }
    let mut bytes = to_npz_vec(&first()).unwrap();
    // Damage another member's data: nobody may look.
    let at = bytes.windows(4).position(|four| four == 5.0_f32.to_le_bytes()).unwrap();
    bytes[at] ^= 0xff;
    assert_eq!(from_npz_slice::<Name>(&bytes).unwrap().name, "first");
    assert_eq!(
        from_npz_slice::<First>(&bytes).unwrap_err().kind(),
        ErrorKind::CorruptArchive
    );
}

#[test]
fn wider_types() {
    #[derive(Deserialize)]
    struct Wide {
        weights: Vec<Vec<f64>>,
        steps: Vec<(f64, f64)>,
    }
    let wide: Wide = read();
    assert_eq!(wide.weights[1][0], 3.0);
    assert_eq!(wide.steps, [(0.5, 0.25), (1.5, 0.125)]);
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Generic<T, U> {
    left: T,
    right: Vec<U>,
    #[serde(flatten)]
    both: Inner<T, U>,
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Inner<T, U> {
    pair: (T, U),
    #[serde(flatten)]
    deepest: Deepest<U>,
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Deepest<U> {
    one: U,
    #[serde(skip_serializing_if = "Option::is_none")]
    none: Option<U>,
}

#[test]
fn generic_and_flattened() {
    check(
        &Generic {
            left: 1_u8,
            right: vec![0.5_f32],
            both: Inner {
                pair: (2, 1.5),
                deepest: Deepest { one: 2.5, none: None },
            },
        },
        "left |u1 (); right <f4 (1,); pair/0 |u1 (); pair/1 <f4 (); one <f4 ()",
    );
    check(
        &Generic {
            left: "l".to_owned(),
            right: vec![vec![1_i64]],
            both: Inner {
                pair: ("p".into(), vec![2]),
                deepest: Deepest {
                    one: vec![3],
                    none: Some(vec![]),
                },
            },
        },
        "left <U1 (); right <i8 (1, 1); pair/0 <U1 (); pair/1 <i8 (1,); one <i8 (1,); none <i8 (0,)",
    );
}

#[derive(Debug, Default, PartialEq, Serialize, Deserialize)]
struct Tree {
    value: u8,
    children: Vec<Tree>,
}

#[derive(Debug, Serialize, Deserialize)]
struct Link {
    next: Option<Box<Link>>,
}

impl Drop for Link {
    fn drop(&mut self) {
        let mut next = self.next.take();
        while let Some(mut link) = next {
            next = link.next.take();
        }
    }
}

#[test]
fn recursive_types() {
    let tree = Tree {
        value: 1,
        children: vec![
            Tree::default(),
            Tree {
                value: 2,
                children: vec![Tree::default()],
            },
        ],
    };
    check(
        &tree,
        "value |u1 (); children/0/value |u1 (); children/0/children <f8 (0,); children/1/value |u1 (); children/1/children/0/value |u1 (); children/1/children/0/children <f8 (0,)",
    );
    on_a_small_stack(|| {
        let chain = |n| {
            (0..n).fold(Link { next: None }, |next, _| Link {
                next: Some(Box::new(next)),
            })
        };
        let bytes = to_npz_vec(&chain(50)).unwrap();
        assert!(from_npz_slice::<Link>(&bytes).is_ok());
        for n in [100, 10_000] {
            assert_eq!(to_npz_vec(&chain(n)).unwrap_err().kind(), ErrorKind::LimitExceeded);
        }
        let mut deep_tree = (0..5000).fold(Tree::default(), |tree, _| Tree {
            value: 0,
            children: vec![tree],
        });
        assert_eq!(to_npz_vec(&deep_tree).unwrap_err().kind(), ErrorKind::LimitExceeded);
        // Dropped as a whole, it would take more stack than there is.
        while let Some(child) = deep_tree.children.pop() {
            deep_tree = child;
        }
    });
}

#[test]
fn a_deep_name_is_no_deep_stack() {
    on_a_small_stack(|| {
        let name = vec!["a"; 5000].join("/");
        let flat = serde_npz::WriteOptions::new().separator(None);
        let bytes = flat.to_npz_vec(&BTreeMap::from([(name.as_str(), 1)])).unwrap();
        assert_eq!(
            from_npz_slice::<Any>(&bytes).unwrap_err().kind(),
            ErrorKind::LimitExceeded
        );
        let mut reader = NpzReader::new(Cursor::new(&bytes)).unwrap();
        assert_eq!(reader.get::<u8>(&name).unwrap(), 1, "a whole key is not a depth");
    });
}

#[test]
fn an_endless_type() {
    struct Endless;
    impl Serialize for Endless {
        fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            serializer.collect_seq([Endless])
        }
    }
    struct Map;
    impl Serialize for Map {
        fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            serializer.collect_map([("a", Map)])
        }
    }
    struct Newtype;
    impl Serialize for Newtype {
        fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            serializer.serialize_newtype_struct("Newtype", &Newtype)
        }
    }
    struct Maybe;
    impl Serialize for Maybe {
        fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            serializer.serialize_newtype_variant("Maybe", 0, "Yes", &Maybe)
        }
    }
    on_a_small_stack(|| {
        assert!(to_npz_vec(&BTreeMap::from([("x", Endless)])).is_err());
        assert!(to_npz_vec(&BTreeMap::from([("x", Map)])).is_err());
        assert!(to_npz_vec(&BTreeMap::from([("x", Newtype)])).is_err());
        assert!(to_npz_vec(&BTreeMap::from([("x", Maybe)])).is_err());
        assert!(serde_npz::to_npy_vec(&Endless).is_err());
    });
}

fn on_a_small_stack(test: impl FnOnce() + Send + 'static) {
    std::thread::Builder::new()
        .stack_size(2 << 20)
        .spawn(test)
        .unwrap()
        .join()
        .unwrap();
}

#[test]
fn five_thousand_members() {
    let many: BTreeMap<String, Vec<u32>> = (0..5000).map(|i| (format!("m{i}"), vec![i; 3])).collect();
    let bytes = to_npz_vec(&many).unwrap();
    assert_eq!(from_npz_slice::<BTreeMap<String, Vec<u32>>>(&bytes).unwrap(), many);
    let mut reader = NpzReader::new(Cursor::new(&bytes)).unwrap();
    assert_eq!(reader.len(), 5000);
    assert_eq!(reader.get::<Vec<u32>>("m4321").unwrap(), [4321; 3]);
    let list: Vec<Tree> = (0..2000).map(|_| Tree::default()).collect();
    let bytes = to_npz_vec(&list).unwrap();
    assert_eq!(from_npz_slice::<Vec<Tree>>(&bytes).unwrap(), list);
}

#[test]
fn names_in_any_script() {
    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Scripts {
        größe: f64,
        #[serde(rename = "重み")]
        weight: Vec<Named>,
        #[serde(rename = "🦀 with 'quotes' and \"more\"")]
        crab: u8,
        #[serde(rename = "العربية")]
        arabic: BTreeMap<String, u8>,
        #[serde(rename = "C:\\back\\slash")]
        back: u8,
        #[serde(rename = "../up")]
        #[serde(skip)]
        _up: u8,
        #[serde(rename = "a.npy")]
        suffix: u8,
    }
    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Named {
        #[serde(rename = "名前")]
        name: u8,
        #[serde(rename = "it's")]
        quote: u8,
    }
    let value = Scripts {
        größe: 1.0,
        weight: vec![Named { name: 1, quote: 2 }],
        crab: 3,
        arabic: BTreeMap::from([("مفتاح".into(), 4)]),
        back: 5,
        _up: 0,
        suffix: 6,
    };
    let bytes = to_npz_vec(&value).unwrap();
    assert_eq!(
        table(&bytes),
        "größe <f8 (); 重み [('名前', '|u1'), (\"it's\", '|u1')] (1,); 🦀 with 'quotes' and \"more\" |u1 (); العربية/مفتاح |u1 (); C:\\back\\slash |u1 (); a.npy |u1 ()"
    );
    crate::common::check_back(&value, &bytes);
}
