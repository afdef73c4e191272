//! So many elements that the memory for all of them is taken at once, and the visitor of the vector is passed over.

use std::collections::VecDeque;
use std::io::Cursor;
use std::sync::atomic::{AtomicIsize, Ordering};

use serde::de::Deserializer;
use serde::{Deserialize, Serialize};
use serde_npz::{ReadOptions, from_npy_slice, to_npy_vec, to_npz_vec};

const MANY: u32 = (1 << 16) + 3;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Sample {
    id: u32,
    t: f64,
    ok: bool,
}

fn samples(n: u32) -> Vec<Sample> {
    (0..n)
        .map(|id| Sample {
            id,
            t: f64::from(id) / 2.0,
            ok: id.is_multiple_of(3),
        })
        .collect()
}

/// From a reader that tells how long it is and lends nothing.
fn read<T: for<'de> Deserialize<'de>>(bytes: &[u8]) -> serde_npz::Result<T> {
    serde_npz::from_reader(Cursor::new(bytes))
}

#[test]
fn all_lengths_around_the_limit() {
    for n in [MANY - 4, MANY - 3, MANY - 2, MANY, 2 * MANY + 1] {
        let samples = samples(n);
        let bytes = to_npy_vec(&samples).unwrap();
        assert!(read::<Vec<Sample>>(&bytes).unwrap() == samples, "{n}");
        assert!(read::<Box<[Sample]>>(&bytes).unwrap()[..] == samples[..], "{n}");
        assert!(read::<VecDeque<Sample>>(&bytes).unwrap() == samples, "{n}");
        assert!(from_npy_slice::<Vec<Sample>>(&bytes).unwrap() == samples, "{n}");
    }
}

#[test]
fn members_stored_and_deflated() {
    #[derive(PartialEq, Serialize, Deserialize)]
    struct Run {
        samples: Vec<Sample>,
        ids: Vec<(u32, f64)>,
    }
    let run = Run {
        samples: samples(MANY),
        ids: (0..MANY).map(|id| (id, -f64::from(id))).collect(),
    };
    let stored = to_npz_vec(&run).unwrap();
    let deflated = serde_npz::WriteOptions::new()
        .compression(serde_npz::Compression::Deflate(1))
        .to_npz_vec(&run)
        .unwrap();
    for bytes in [stored, deflated] {
        let back: Run = serde_npz::from_reader(Cursor::new(bytes)).unwrap();
        assert!(back == run);
    }
}

#[test]
fn an_element_that_fails_is_named_and_all_others_are_dropped() {
    static ALIVE: AtomicIsize = AtomicIsize::new(0);

    #[derive(Deserialize)]
    #[serde(from = "Small")]
    struct Counted;

    #[derive(Deserialize)]
    struct Small {
        #[expect(dead_code, reason = "what fails to be read")]
        id: u16,
    }

    impl From<Small> for Counted {
        fn from(_: Small) -> Self {
            ALIVE.fetch_add(1, Ordering::Relaxed);
            Counted
        }
    }

    impl Drop for Counted {
        fn drop(&mut self) {
            ALIVE.fetch_sub(1, Ordering::Relaxed);
        }
    }

    let ids: Vec<(u32,)> = vec![(7,); MANY as usize];
    for at in [0, 1, 65_535, MANY as usize - 1] {
        #[derive(Serialize)]
        struct Wide {
            id: u32,
        }
        let mut wide: Vec<Wide> = ids.iter().map(|&(id,)| Wide { id }).collect();
        wide[at].id = 70_000;
        let err = read::<Vec<Counted>>(&to_npy_vec(&wide).unwrap()).err().unwrap();
        assert_eq!(err.path(), format!("[{at}].id"));
        assert_eq!(ALIVE.load(Ordering::Relaxed), 0);
        wide[at].id = 1;
        let all = read::<Vec<Counted>>(&to_npy_vec(&wide).unwrap()).unwrap();
        assert_eq!(ALIVE.load(Ordering::Relaxed), MANY as isize);
        assert_eq!(all.len(), MANY as usize);
        drop(all);
    }
}

#[test]
fn a_function_of_ones_own_gets_every_element() {
    #[derive(Deserialize)]
    struct Doubled(#[serde(deserialize_with = "doubled")] Vec<f64>);

    fn doubled<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<f64>, D::Error> {
        struct VecVisitor;

        impl<'de> serde::de::Visitor<'de> for VecVisitor {
            type Value = Vec<f64>;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("records")
            }

            fn visit_seq<A: serde::de::SeqAccess<'de>>(self, mut seq: A) -> Result<Vec<f64>, A::Error> {
                let mut all = Vec::new();
                while let Some(sample) = seq.next_element::<Sample>()? {
                    all.push(2.0 * sample.t);
                }
                Ok(all)
            }
        }

        deserializer.deserialize_seq(VecVisitor)
    }

    let all = read::<Doubled>(&to_npy_vec(&samples(MANY)).unwrap()).unwrap().0;
    assert_eq!(all.len(), MANY as usize);
    assert_eq!(all[5], 5.0);
}

#[test]
fn a_file_cut_short() {
    let bytes = to_npy_vec(&samples(MANY)).unwrap();
    let cut = &bytes[..bytes.len() - 1];
    assert!(
        read::<Vec<Sample>>(cut).unwrap_err().to_string().contains("cut off"),
        "{}",
        read::<Vec<Sample>>(cut).unwrap_err()
    );
    assert!(ReadOptions::new().from_npy_slice::<Vec<Sample>>(cut).is_err());
}

#[test]
fn texts_and_rows() {
    let words: Vec<String> = (0..2 * MANY).map(|id| id.to_string()).collect();
    assert!(read::<Vec<String>>(&to_npy_vec(&words).unwrap()).unwrap() == words);
    let rows: Vec<Vec<f64>> = (0..2 * MANY).map(|id| vec![f64::from(id); 2]).collect();
    assert!(read::<Vec<Vec<f64>>>(&to_npy_vec(&rows).unwrap()).unwrap() == rows);
}
