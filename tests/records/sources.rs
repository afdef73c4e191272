//! Whatever hands out the records, one by one or many at once.

use std::cell::RefCell;
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use serde::ser::{SerializeSeq, SerializeStruct, SerializeTuple, Serializer};
use serde::{Deserialize, Serialize};
use serde_npz::{ErrorKind, to_npy_vec};

use crate::{agreed, array, header, list, refused};

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Row {
    t: u32,
    v: (f32, u8),
}

const ROW: &str = "[('t', '<u4'), ('v', [('f0', '<f4'), ('f1', '|u1')])]";

fn rows(n: u32) -> Vec<Row> {
    (0..n).map(|t| Row { t, v: (0.5, t as u8) }).collect()
}

/// Says so many, and gives what there is.
struct Announced<'a, T>(Option<usize>, &'a [T]);

impl<T: Serialize> Serialize for Announced<'_, T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut seq = serializer.serialize_seq(self.0)?;
        self.1.iter().try_for_each(|value| seq.serialize_element(value))?;
        seq.end()
    }
}

/// An iterator that does not know its length.
struct Iterated<'a, T>(RefCell<&'a [T]>);

impl<T: Serialize> Serialize for Iterated<'_, T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0.borrow().iter().filter(|_| true))
    }
}

#[test]
fn all_of_them_give_the_same_bytes() {
    let rows = rows(10);
    let bytes = array(&rows, ROW);
    assert_eq!(agreed(&rows[..]).unwrap(), bytes);
    assert_eq!(agreed(&rows.iter().collect::<Vec<_>>()).unwrap(), bytes);
    assert_eq!(
        agreed(&rows.iter().cloned().map(Box::new).collect::<Vec<_>>()).unwrap(),
        bytes
    );
    assert_eq!(
        agreed(&rows.iter().cloned().map(Arc::new).collect::<Vec<_>>()).unwrap(),
        bytes
    );
    assert_eq!(
        agreed(&rows.iter().map(|row| (row,)).collect::<Vec<_>>())
            .unwrap()
            .len(),
        bytes.len()
    );
    assert_eq!(agreed(&Arc::<[Row]>::from(rows.clone())).unwrap(), bytes);
    assert_eq!(agreed(&VecDeque::from(rows.clone())).unwrap(), bytes);
    assert_eq!(agreed(&Announced(Some(10), &rows)).unwrap(), bytes);
    assert_eq!(agreed(&Announced(None, &rows)).unwrap(), bytes);
    assert_eq!(agreed(&Iterated(RefCell::new(&rows))).unwrap(), bytes);
    assert_eq!(
        serde_npz::from_npy_slice::<VecDeque<Arc<Row>>>(&bytes).unwrap(),
        rows.iter().cloned().map(Arc::new).collect::<Vec<_>>()
    );
    assert_eq!(
        serde_npz::from_npy_slice::<Box<[Box<Row>]>>(&bytes).unwrap(),
        rows.iter().cloned().map(Box::new).collect()
    );
    // One alone has no axes; so many in a tuple have one.
    assert_eq!(header(&to_npy_vec(&rows[0]).unwrap()).shape(), [0; 0]);
    let three = [rows[0].clone(), rows[1].clone(), rows[2].clone()];
    assert_eq!(to_npy_vec(&three).unwrap(), to_npy_vec(&rows[..3]).unwrap());
}

#[test]
fn rows_of_unknown_length() {
    let (four, three) = (rows(4), rows(3));
    let known = agreed(&vec![&four, &four]).unwrap();
    let unknown = || Announced(None, &four);
    assert_eq!(agreed(&vec![unknown(), unknown()]).unwrap(), known);
    // The first one tells how many there are, those behind it do not.
    assert_eq!(agreed(&vec![Announced(Some(4), &four), unknown()]).unwrap(), known);
    assert_eq!(agreed(&vec![unknown(), Announced(Some(4), &four)]).unwrap(), known);
    refused(&vec![unknown(), Announced(None, &three)], ErrorKind::Ragged, "[1]");
    refused(
        &vec![Announced(Some(4), &four), Announced(None, &three)],
        ErrorKind::Ragged,
        "[1]",
    );
    refused(&vec![Announced(None, &three), unknown()], ErrorKind::Ragged, "[1]");
    refused(&vec![Announced(Some(3), &three), unknown()], ErrorKind::Ragged, "[1]");
    refused(&vec![unknown(), Announced(None, &[])], ErrorKind::Ragged, "[1]");
}

#[test]
fn a_length_that_is_not_kept() {
    // No file that holds another number of records than its header tells.
    let rows = rows(5);
    for told in [0, 1, 4, 6, 100] {
        if let Ok(bytes) = to_npy_vec(&Announced(Some(told), &rows)) {
            assert_eq!(serde_npz::from_npy_slice::<Vec<Row>>(&bytes).unwrap(), rows);
        }
        let inner = [Announced(Some(5), &rows), Announced(Some(told), &rows)];
        if let Ok(bytes) = to_npy_vec(&inner[..]) {
            assert_eq!(
                serde_npz::from_npy_slice::<Vec<Vec<Row>>>(&bytes).unwrap(),
                [&rows[..], &rows]
            );
        }
        let inner = [Announced(Some(told), &rows), Announced(Some(5), &rows)];
        if let Ok(bytes) = to_npy_vec(&inner[..]) {
            assert_eq!(
                serde_npz::from_npy_slice::<Vec<Vec<Row>>>(&bytes).unwrap(),
                [&rows[..], &rows]
            );
        }
        // One too few in one row, one too many in the next.
        let shifted = [
            Announced(Some(5), &rows[..4]),
            Announced(Some(5), &rows),
            Announced(Some(5), &rows[..1]),
        ];
        to_npy_vec(&shifted[..]).unwrap_err();
    }
}

/// Says other lengths of its own parts than there are, which no format needs.
struct Told {
    fields: usize,
    items: usize,
}

impl Serialize for Told {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        struct Pair(usize);
        impl Serialize for Pair {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                let mut pair = serializer.serialize_tuple(self.0)?;
                pair.serialize_element(&1_u8)?;
                pair.serialize_element(&0.5_f32)?;
                pair.end()
            }
        }
        let mut fields = serializer.serialize_struct("Row", self.fields)?;
        fields.serialize_field("t", &7_u32)?;
        fields.serialize_field("v", &Pair(self.items))?;
        fields.end()
    }
}

#[test]
fn told_lengths_of_structs_and_tuples() {
    let mut seen = Vec::new();
    for (fields, items) in [(2, 2), (1, 2), (7, 2), (2, 0), (2, 5)] {
        let told = Told { fields, items };
        let exact = Told { fields: 2, items: 2 };
        if let Ok(bytes) = agreed(&vec![exact, told]) {
            seen.push(bytes);
        }
    }
    assert!(seen.windows(2).all(|pair| pair[0] == pair[1]));
}

#[test]
fn maps_and_variants_beside_records() {
    #[derive(Serialize)]
    enum Data {
        Struct { t: u32 },
        Tuple(u8, f32),
        Newtype(Row),
    }
    list(&vec![Data::Struct { t: 1 }, Data::Struct { t: 1 }]);
    list(&vec![Data::Tuple(1, 2.0)]);
    list(&vec![Data::Newtype(rows(1)[0].clone())]);
    list(&vec![BTreeMap::from([("t", 1)]); 2]);
    list(&vec![(1_u8, vec![1.0])]);
    #[cfg(feature = "ndarray-0_17")]
    {
        list(&vec![(1_u8, ndarray::arr1(&[1.0]))]);
        // Of one kind, they are an array; of another kind, no more.
        agreed(&vec![(1_u8, ndarray::arr0(1.0))]).unwrap_err();
    }
}
