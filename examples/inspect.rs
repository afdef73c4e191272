//! What is in a file? `cargo run --example inspect -- file.npz [name]`: the names as a tree, then every array as NumPy
//! prints it, or one of them. Without a file: one that is written for the purpose.

use std::io::Cursor;
use std::path::PathBuf;

use serde_npz::{ErrorKind, NpzWriter, ReadOptions, Result, Value, load_npy};

fn main() -> Result<()> {
    let mut arguments = std::env::args_os().skip(1);
    let value = match arguments.next().map(PathBuf::from) {
        Some(path) => match ReadOptions::new().skip_unsupported(true).load_npz(&path) {
            // The content tells, not the suffix.
            Err(err) if err.kind() == ErrorKind::BadMagic => load_npy(&path)?,
            other => other?,
        },
        None => shown()?,
    };
    match arguments.next() {
        Some(name) => match value.pointer(&name.to_string_lossy()) {
            Some(found) => println!("{found:#}"),
            None => println!("no member {name:?} in\n{value}"),
        },
        None => {
            println!("{value}");
            println!("\nwith values:\n{value:#}");
        }
    }
    Ok(())
}

/// An archive of a little of everything.
fn shown() -> Result<Value> {
    let mut writer = NpzWriter::new(Cursor::new(Vec::new()));
    writer.add("time", &(0..2000).map(|i| f64::from(i) * 0.25).collect::<Vec<_>>())?;
    writer.add("mesh/points", &[[0.0_f32, 0.5, 1.0], [1.5, 2.0, 2.25]])?;
    writer.add("mesh/labels", &["inlet", "outlet"])?;
    writer.add("steps", &2000_u32)?;
    writer.add("converged", &vec![true, false])?;
    serde_npz::from_npz_slice(writer.finish()?.get_ref())
}
