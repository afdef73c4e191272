//! Metadata beside data: versions and parameters of a run together with the arrays they explain.
//! `cargo run --example metadata`.
//!
//! Python reads the same file:
//!
//! ```python
//! z = np.load("run.npz")
//! json.loads(z["settings.json"])["solver"], str(z["version"]), float(z["units/time"]), z["energy"]
//! ```

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_npz::{NpzReader, Value, load_npz, save_npz};

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Run {
    /// A string: 0-d `<U5`.
    version: String,
    /// Scalars: 0-d arrays in a group.
    units: BTreeMap<String, f64>,
    /// What is no array at all: the member `settings.json`.
    #[serde(with = "serde_npz::with::json")]
    settings: Settings,
    energy: Vec<f64>,
    positions: Vec<[f32; 3]>,
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Settings {
    solver: String,
    tolerance: Option<f64>,
    stages: Vec<(String, u32)>,
}

fn main() -> serde_npz::Result<()> {
    let run = Run {
        version: env!("CARGO_PKG_VERSION").into(),
        units: BTreeMap::from([("length".into(), 1e-9), ("time".into(), 1e-15)]),
        settings: Settings {
            solver: "verlet".into(),
            tolerance: None,
            stages: vec![("warm up".into(), 100), ("measure".into(), 900)],
        },
        energy: vec![-1.5, -1.25, -1.0],
        positions: vec![[0.0, 0.5, 1.0], [1.5, 2.0, 2.5]],
    };
    let path = std::env::temp_dir().join(format!("serde_npz-metadata-{}.npz", std::process::id()));
    save_npz(&path, &run)?;

    // A program that knows the type has all of it back.
    assert_eq!(load_npz::<Run>(&path)?, run);

    // One that knows only some names asks for those: nothing else is read.
    let mut archive = NpzReader::open(&path)?;
    println!("written by version {}", archive.get::<String>("version")?);
    let settings = String::from_utf8(archive.raw("settings.json")?).expect("JSON is UTF-8");
    println!("with the settings  {settings}");

    // And one that knows nothing adds a remark and leaves the rest as it was, byte for byte.
    let mut any: Value = load_npz(&path)?;
    if let Value::Group(members) = &mut any {
        members.insert("checked", true);
        members.insert("remarks", Value::Json(r#"{"by": "metadata.rs"}"#.into()));
    }
    save_npz(&path, &any)?;
    println!("{}", load_npz::<Value>(&path)?);
    assert_eq!(load_npz::<Run>(&path)?, run);

    std::fs::remove_file(&path)?;
    Ok(())
}
