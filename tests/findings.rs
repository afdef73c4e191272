//! What the fuzzers found: one test for each finding, named after what was wrong.

use serde::Deserialize;
use serde_npz::{from_npy_slice, to_npy_vec};

#[derive(Debug, Deserialize)]
enum Letter {
    A,
}

#[test]
fn serdes_own_messages_repeat_no_control_characters() {
    let bytes = to_npy_vec(&vec!["\x1b[2J", "A"]).unwrap();
    let text = from_npy_slice::<Vec<Letter>>(&bytes).unwrap_err().to_string();
    assert!(text.contains("unknown variant `\\u{1b}[2J`"), "{text}");
    assert!(matches!(from_npy_slice(&to_npy_vec(&"A").unwrap()), Ok(Letter::A)));
    let bytes = to_npy_vec(&vec!["\u{9b}1;2H"]).unwrap();
    let text = from_npy_slice::<Vec<std::net::IpAddr>>(&bytes).unwrap_err().to_string();
    assert!(!text.contains(char::is_control), "{text:?}");
}

#[test]
fn serdes_own_messages_repeat_no_long_text() {
    let bytes = to_npy_vec(&"x".repeat(1 << 20)).unwrap();
    let text = from_npy_slice::<Letter>(&bytes).unwrap_err().to_string();
    assert!(text.len() < 3000 && text.ends_with(".."), "{}", text.len());
    let text = from_npy_slice::<f64>(&bytes).unwrap_err().to_string();
    assert!(text.len() < 3000, "{}", text.len());
}
