// A `Serialize` that has its elements once: written whole, or an error; never an empty array without a word.
use serde::{Serialize, Serializer};
use std::cell::RefCell;
struct Once<T>(RefCell<Option<Vec<T>>>);
impl<T: Serialize> Serialize for Once<T> {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.collect_seq(self.0.borrow_mut().take().into_iter().flatten())
    }
}
fn once<T>(v: Vec<T>) -> Once<T> {
    Once(RefCell::new(Some(v)))
}
fn main() {
    #[derive(Serialize)]
    struct Run { words: Once<String> }
    let run = Run { words: once(vec!["a".to_string(), "bc".into()]) };
    if let Ok(bytes) = serde_npz::to_npz_vec(&run) {
        let back: std::collections::BTreeMap<String, Vec<String>> = serde_npz::from_npz_slice(&bytes).unwrap();
        assert_eq!(back["words"], ["a", "bc"]);
    }
    #[derive(Serialize)]
    struct P { id: u32, x: f64 }
    #[derive(Serialize)]
    struct Q { p: Once<P> }
    if let Ok(bytes) = serde_npz::to_npz_vec(&Q { p: once(vec![P { id: 1, x: 0.5 }]) }) {
        let back: std::collections::BTreeMap<String, Vec<(u32, f64)>> = serde_npz::from_npz_slice(&bytes).unwrap();
        assert_eq!(back["p"], [(1, 0.5)]);
    }
}
