// A log that is opened anew at each start: `NpyWriter::append` and `NpzWriter::append` want the file to be there,
// `create` throws the old one away. npy-append-array and zipfile's mode 'a' make it where it lacks.
use serde_npz::{NpyWriter, NpzWriter};
fn main() {
    let dir = std::env::temp_dir().join(format!("field_open_or_create-{}", std::process::id()));
    std::fs::create_dir_all(&dir).unwrap();
    for start in 0..2 {
        let mut log = NpyWriter::append(dir.join("log.npy")).unwrap(); // or another verb
        log.push(&f64::from(start)).unwrap();
        log.finish().unwrap();
        let mut npz = NpzWriter::append(dir.join("runs.npz")).unwrap();
        npz.add(&format!("run{start}"), &vec![0.5]).unwrap();
        npz.finish().unwrap();
    }
}
