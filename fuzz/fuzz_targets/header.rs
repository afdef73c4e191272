//! Headers: the text of a literal in all three versions, and the bytes as they come.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let Some((&choice, text)) = data.split_first() else { return };
    // A seed is a whole file: it starts with the magic itself.
    if choice == 0x93 {
        return serde_npz_fuzz::header(data);
    }
    let version = 1 + choice % 3;
    let mut bytes = b"\x93NUMPY".to_vec();
    bytes.extend([version, 0]);
    match version {
        1 => bytes.extend((text.len().min(0xffff) as u16).to_le_bytes()),
        _ => bytes.extend((text.len() as u32).to_le_bytes()),
    }
    bytes.extend(text);
    serde_npz_fuzz::header(&bytes);
});
