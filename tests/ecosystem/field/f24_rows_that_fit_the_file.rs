// Appending a value that fits the file's dtype but has another type in Rust: u32 to <i4, f32 to <f8, String to |S4,
// a record to an aligned dtype. Reading converts wherever nothing is lost; appending refuses all of these.
use serde_npz::{NpyWriter, load_npy, save_npy};
fn main() {
    let path = std::env::temp_dir().join("field_rows_fit.npy");
    let append = |file: &dyn Fn(), push: &dyn Fn(&mut NpyWriter<std::fs::File>) -> serde_npz::Result<()>| {
        file();
        let mut w = NpyWriter::append(&path).unwrap();
        let r = push(&mut w);
        if let Err(e) = &r { println!("{e}"); }
        r.is_ok()
    };
    let ok = [
        append(&|| drop(save_npy(&path, &vec![1i32]).unwrap()), &|w| w.push(&5u32)),
        append(&|| drop(save_npy(&path, &vec![1f64]).unwrap()), &|w| w.push(&0.5f32)),
        append(&|| drop(save_npy(&path, &vec![1f64]).unwrap()), &|w| w.push(&2u8)),
    ];
    assert_eq!(ok, [true; 3]);
    let _: Vec<f64> = load_npy(&path).unwrap();
}
