//! Random values: written, read, equal.

use std::collections::BTreeMap;
use std::io::Cursor;

use crate::common::Any;
use crate::tree::{float32, float64, root, text};
use proptest::prelude::*;
use serde::{Deserialize, Serialize};
use serde_npz::{NpzReader, WriteOptions, from_npy_slice, from_npz_reader, from_npz_slice, to_npy_vec, to_npz_vec};

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Typed {
    numbers: Vec<f64>,
    matrix: Vec<[f32; 3]>,
    words: Vec<String>,
    rows: Vec<Row>,
    state: State,
    layers: Vec<Layer>,
    maybe: Option<Vec<i16>>,
    map: BTreeMap<i32, Option<u8>>,
    pair: (Vec<u8>, String),
    #[serde(flatten)]
    flat: Layer,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Row {
    id: u64,
    name: String,
    letter: char,
    inner: (i8, bool),
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
enum State {
    Idle,
    Level(f32),
    Running { steps: Vec<u32>, name: Option<String> },
    Pair(u8, String),
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Layer {
    w: Vec<i64>,
    bias: Option<f64>,
}

fn typed() -> impl Strategy<Value = Typed> {
    use proptest::collection::{btree_map, vec};
    let letter = any::<char>().prop_filter("NUL is no letter", |c| *c != '\0');
    let row = (any::<u64>(), text(), letter, any::<(i8, bool)>()).prop_map(|(id, name, letter, inner)| Row {
        id,
        name,
        letter,
        inner,
    });
    let state = prop_oneof![
        Just(State::Idle),
        float32().prop_map(State::Level),
        (vec(any::<u32>(), 0..4), proptest::option::of(text()))
            .prop_map(|(steps, name)| State::Running { steps, name }),
        (any::<u8>(), text()).prop_map(|(n, name)| State::Pair(n, name)),
    ];
    let layer = || (vec(any::<i64>(), 0..4), proptest::option::of(float64())).prop_map(|(w, bias)| Layer { w, bias });
    (
        vec(float64(), 0..20),
        vec([float32(), float32(), float32()], 0..5),
        vec(text(), 0..5),
        vec(row, 0..5),
        state,
        vec(layer(), 0..13),
        proptest::option::of(vec(any::<i16>(), 0..3)),
        btree_map(any::<i32>(), any::<Option<u8>>(), 0..4),
        (vec(any::<u8>(), 0..3), text()),
        layer(),
    )
        .prop_map(
            |(numbers, matrix, words, rows, state, layers, maybe, map, pair, flat)| Typed {
                numbers,
                matrix,
                words,
                rows,
                state,
                layers,
                maybe,
                map,
                pair,
                flat,
            },
        )
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_tree_comes_back(node in root()) {
        let bytes = to_npz_vec(&node).unwrap();
        prop_assert_eq!(from_npz_slice::<Any>(&bytes).unwrap(), node.any());
        prop_assert_eq!(from_npz_reader::<_, Any>(Cursor::new(&bytes)).unwrap(), node.any());
        let packed = WriteOptions::new().compressed().to_npz_vec(&node).unwrap();
        prop_assert_eq!(from_npz_slice::<Any>(&packed).unwrap(), node.any());
        prop_assert_eq!(&to_npz_vec(&node).unwrap(), &bytes);
        let Any::Map(entries) = node.any() else { unreachable!("a root is a group") };
        let mut reader = NpzReader::new(Cursor::new(&bytes)).unwrap();
        for (key, value) in entries {
            prop_assert_eq!(reader.get::<Any>(&key).unwrap(), value);
        }
    }

    #[test]
    fn members_are_as_foretold(node in root()) {
        let bytes = to_npz_vec(&node).unwrap();
        let mut members = Vec::new();
        let crate::tree::Node::Group(entries) = &node else { unreachable!("a root is a group") };
        entries.iter().for_each(|(key, node)| node.members(key, &mut members));
        let expected: Vec<crate::common::Row> = members
            .into_iter()
            .map(|(name, _, dtype, shape)| (name, dtype, shape.into_iter().map(|n| n as u64).collect()))
            .collect();
        prop_assert_eq!(crate::common::layout(&bytes), expected);
    }

    #[test]
    fn any_typed_value_comes_back(value in typed()) {
        let bytes = to_npz_vec(&value).unwrap();
        prop_assert_eq!(&from_npz_slice::<Typed>(&bytes).unwrap(), &value);
        let packed = WriteOptions::new().compressed().to_npz_vec(&value).unwrap();
        prop_assert_eq!(&from_npz_reader::<_, Typed>(Cursor::new(&packed)).unwrap(), &value);
        let list = vec![value; 2];
        prop_assert_eq!(&from_npz_slice::<Vec<Typed>>(&to_npz_vec(&list).unwrap()).unwrap(), &list);
    }

    #[test]
    fn lone_arrays_come_back(
        numbers in proptest::collection::vec(any::<(i16, i16)>(), 0..9),
        rows in proptest::collection::vec((any::<u32>(), text(), float64()), 0..9),
        bits in any::<u64>(),
    ) {
        prop_assert_eq!(&from_npy_slice::<Vec<(i16, i16)>>(&to_npy_vec(&numbers).unwrap()).unwrap(), &numbers);
        prop_assert_eq!(&from_npy_slice::<Vec<(u32, String, f64)>>(&to_npy_vec(&rows).unwrap()).unwrap(), &rows);
        let float = f64::from_bits(bits);
        prop_assert_eq!(from_npy_slice::<f64>(&to_npy_vec(&float).unwrap()).unwrap().to_bits(), bits);
    }

    #[test]
    fn cut_and_flipped_archives_never_panic(value in typed(), cut in any::<prop::sample::Index>(), flip in any::<prop::sample::Index>(), bit in 0..8) {
        let bytes = WriteOptions::new().compressed().to_npz_vec(&value).unwrap();
        let _ = from_npz_slice::<Typed>(&bytes[..cut.index(bytes.len())]);
        let mut flipped = bytes;
        let at = flip.index(flipped.len());
        flipped[at] ^= 1_u8 << bit;
        let _ = from_npz_slice::<Typed>(&flipped);
        let _ = from_npz_slice::<Any>(&flipped);
    }

    #[test]
    fn cut_and_flipped_arrays_never_panic(
        rows in proptest::collection::vec((any::<u32>(), text(), [float64()]), 1..4),
        at in any::<prop::sample::Index>(),
        byte in any::<u8>(),
    ) {
        let mut bytes = to_npy_vec(&rows).unwrap();
        let at = at.index(bytes.len());
        let _ = from_npy_slice::<Any>(&bytes[..at]);
        bytes[at] = byte;
        let _ = from_npy_slice::<Any>(&bytes);
        let _ = from_npy_slice::<Vec<(u32, String, [f64; 1])>>(&bytes);
    }
}
