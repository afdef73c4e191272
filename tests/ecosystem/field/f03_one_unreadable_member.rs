// One member that cannot be read (a resource fork of macOS' zip, a longdouble) keeps all the others from a reader that
// takes what there is: a map, `Value`. Wanted: an option that leaves them out, whole as they are.
use serde_npz::{ReadOptions, Value};
use std::collections::BTreeMap;
fn crc(d: &[u8]) -> u32 {
    !d.iter().fold(!0u32, |c, &b| (0..8).fold(c ^ b as u32, |c, _| (c >> 1) ^ (0xedb8_8320 & (c & 1).wrapping_neg())))
}
/// A zip of stored members, with an archive comment.
fn zip(items: &[(&str, Vec<u8>)], comment: &[u8]) -> Vec<u8> {
    let (mut out, mut cd) = (Vec::new(), Vec::new());
    for (name, d) in items {
        let mut common = vec![20, 0, 0, 0, 0, 0, 0, 0, 0x21, 0];
        for n in [crc(d), d.len() as u32, d.len() as u32] { common.extend(n.to_le_bytes()); }
        common.extend((name.len() as u32).to_le_bytes());
        cd.extend(b"PK\x01\x02\x14\x00");
        cd.extend(&common);
        cd.extend([0; 10]);
        cd.extend((out.len() as u32).to_le_bytes());
        cd.extend(name.as_bytes());
        out.extend(b"PK\x03\x04");
        out.extend(&common);
        out.extend(name.as_bytes());
        out.extend(d);
    }
    let (at, n) = (out.len() as u32, items.len() as u16);
    out.extend(&cd);
    out.extend(b"PK\x05\x06\0\0\0\0");
    for k in [n, n] { out.extend(k.to_le_bytes()); }
    for k in [cd.len() as u32, at] { out.extend(k.to_le_bytes()); }
    out.extend((comment.len() as u16).to_le_bytes());
    out.extend(comment);
    out
}
fn main() {
    let a = npy("'<f8'", "(1,)", &1f64.to_le_bytes());
    let mac = zip(&[("a.npy", a.clone()), ("__MACOSX/._a.npy", b"\x00\x05\x16\x07\x00\x02".to_vec())], b"");
    let long = zip(&[("a.npy", a), ("ld.npy", npy("'<f16'", "(1,)", &[0; 16]))], b"");
    for (name, bytes) in [("mac", mac), ("longdouble", long)] {
        let options = ReadOptions::new().skip_unsupported(true);
        let v = options.from_npz_slice::<Value>(&bytes);
        assert!(v.is_ok(), "{name}: {}", v.unwrap_err());
        let m = options.from_npz_slice::<BTreeMap<String, Vec<f64>>>(&bytes);
        assert!(m.is_ok(), "{name}: {}", m.unwrap_err());
    }
}
