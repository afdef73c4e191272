//! What `npz struct` prints compiles, and loads the file it came from: every file of the corpus, and hostile names.
//!
//! One crate is generated with a module a file, built once and run.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde::{Deserialize, Serialize};
use serde_npz::{NpzWriter, WriteOptions};

const NPZ: &str = env!("CARGO_BIN_EXE_npz");

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

/// The files that NumPy reads, as the manifest of the corpus has them.
fn corpus() -> Vec<PathBuf> {
    let dir = root().join("tests/data/numpy");
    let manifest: serde_json::Value = serde_json::from_slice(&fs::read(dir.join("manifest.json")).unwrap()).unwrap();
    let cases = manifest["cases"].as_array().unwrap().iter();
    cases
        .filter(|case| case["expect_error"].is_null() && case["allow_error"].is_null() && case["options"].is_null())
        .map(|case| dir.join(case["path"].as_str().unwrap()))
        .collect()
}

/// Layouts of this crate that NumPy's files do not have, and names that want to be code.
fn made(dir: &Path) -> Vec<PathBuf> {
    #[derive(Clone, Serialize, Deserialize)]
    struct Layer {
        w: Vec<Vec<f32>>,
        b: Vec<f32>,
    }
    #[derive(Serialize)]
    struct Imu {
        t: f64,
        id: [u16; 3],
        name: String,
        #[serde(with = "serde_npz::with::datetime64::us")]
        at: i64,
    }
    #[derive(Serialize)]
    struct Run {
        layers: Vec<Layer>,
        imu: Vec<Imu>,
        mixed: (Vec<f64>, String),
        #[serde(with = "serde_npz::with::json")]
        meta: BTreeMap<String, Vec<i32>>,
        #[serde(with = "serde_npz::with::ragged")]
        tokens: Vec<Vec<u32>>,
        #[serde(with = "serde_npz::with::ragged")]
        text: Vec<String>,
        #[serde(with = "serde_npz::with::list")]
        tracks: Vec<Vec<f64>>,
        maybe: Vec<Option<Vec<f64>>>,
        #[serde(with = "serde_npz::with::bytes")]
        code: Vec<String>,
        #[serde(with = "serde_npz::with::float16")]
        half: Vec<Vec<f32>>,
        #[serde(with = "serde_npz::with::masked")]
        gaps: Vec<Option<f32>>,
        empty: BTreeMap<String, f64>,
        unit: (),
        r#type: f32,
        nested: BTreeMap<String, BTreeMap<String, Layer>>,
    }
    let layer = Layer {
        w: vec![vec![1.0, 2.0]; 3],
        b: vec![0.5],
    };
    let run = Run {
        layers: vec![
            layer.clone(),
            Layer {
                w: vec![vec![]; 2],
                b: vec![],
            },
        ],
        imu: vec![Imu {
            t: 0.5,
            id: [1, 2, 3],
            name: "a".into(),
            at: 5,
        }],
        mixed: (vec![1.0], "x".into()),
        meta: BTreeMap::from([("a".into(), vec![1])]),
        tokens: vec![vec![1, 2], vec![]],
        text: vec!["a".into(), "é".into()],
        tracks: vec![vec![1.0], vec![2.0, 3.0]],
        maybe: vec![Some(vec![1.0]), None],
        code: vec!["AB".into(), "C".into()],
        half: vec![vec![0.5]],
        gaps: vec![Some(1.0), None],
        empty: BTreeMap::new(),
        unit: (),
        r#type: 1.5,
        nested: BTreeMap::from([(
            "Vec".into(),
            BTreeMap::from([("String".into(), layer.clone()), ("i32".into(), layer.clone())]),
        )]),
    };
    let mut files = vec![serde_npz::save_npz(dir.join("run.npz"), &run).unwrap()];
    files.push(serde_npz::save_npz(dir.join("list.npz"), &[layer.clone(), layer.clone()][..].to_vec()).unwrap());
    files.push(serde_npz::save_npz(dir.join("pair.npz"), &(1, vec![2.0])).unwrap());

    let names = [
        "x: u8, } fn main() { std::process::abort() } struct Y {",
        "*/ fn a() {} /*",
        "line\nbreak\r",
        "\u{202e}right",
        "\"quoted\\",
        "{}",
        "self",
        "Self",
        "super",
        "crate",
        "_",
        "__",
        "type",
        "fn",
        "gen",
        "a",
        "A",
        "a_",
        "a b",
        "a-b",
        "a_b",
        "a_b_2",
        "0",
        "1e5",
        "größe",
        "日本",
        "é",
        "e\u{301}",
        "'a",
        "r#fn",
        "$crate",
        "#[derive(Debug)]",
        "with.dot",
        "x.npy",
    ];
    let options = WriteOptions::new().separator(None);
    let mut npz = NpzWriter::create_with(dir.join("names.npz"), &options).unwrap();
    for name in names {
        npz.add(name, &vec![1.5]).unwrap();
    }
    npz.finish().unwrap();
    files.push(dir.join("names.npz"));

    let groups = [
        "Vec",
        "vec",
        "Option",
        "Some",
        "None",
        "String",
        "Box",
        "Self",
        "self",
        "Serialize",
        "BTreeMap",
        "Clone",
        "Result",
        "i32",
        "str",
        "a b",
        "日本",
        "0x",
        "Run",
        "run",
    ];
    let mut npz = NpzWriter::create_with(dir.join("groups.npz"), &options).unwrap();
    for group in groups {
        npz.add(&format!("{group}/x"), &vec!["text"]).unwrap();
        npz.add(&format!("{group}/type/{group}"), &1_u8).unwrap();
    }
    npz.add("layers/0/w", &vec![1.0]).unwrap();
    npz.add("layers/1/w", &vec![vec![1.0]]).unwrap();
    npz.add("layers/1/extra", &vec![vec![1.0]]).unwrap();
    npz.add("both", &1).unwrap();
    npz.add("both/in", &1).unwrap();
    npz.add("/abs", &1).unwrap();
    npz.add("a//b", &1).unwrap();
    npz.add("deep/0/0", &vec![1.0]).unwrap();
    npz.add("deep/0/1", &vec![1.0, 2.0]).unwrap();
    npz.add("deep/1/0", &vec![1.0]).unwrap();
    npz.add("mixed/0", &vec![1.0]).unwrap();
    npz.add("mixed/1", &vec!["a"]).unwrap();
    npz.add("pair/values", &vec![1.0]).unwrap();
    npz.add("pair/offsets", &vec![5_i64]).unwrap();
    npz.finish().unwrap();
    files.push(dir.join("groups.npz"));

    for (name, count) in [("many", 250), ("few", 199)] {
        let alike: BTreeMap<String, Layer> = (0..count).map(|i| (format!("block {i}"), layer.clone())).collect();
        files.push(serde_npz::save_npz(dir.join(name), &BTreeMap::from([("blocks", alike)])).unwrap());
    }
    let mut unlike = NpzWriter::create(dir.join("unlike.npz")).unwrap();
    for i in 0..300 {
        match i % 2 {
            0 => unlike.add(&format!("m{i}"), &vec![1.0]).unwrap(),
            _ => unlike.add(&format!("m{i}"), &"text").unwrap(),
        }
    }
    unlike.finish().unwrap();
    files.push(dir.join("unlike.npz"));
    files
}

/// What was printed, and whether it is the code of a lone array.
struct Printed {
    file: PathBuf,
    how: &'static str,
    code: String,
}

fn print(file: &Path, flags: &[&str]) -> Result<String, String> {
    let output = Command::new(NPZ)
        .arg("struct")
        .arg(file)
        .args(["--name", "Printed"])
        .args(flags)
        .output()
        .unwrap();
    match output.status.code() {
        Some(0) => Ok(String::from_utf8(output.stdout).unwrap()),
        code => Err(format!(
            "{}: {code:?}: {}",
            file.display(),
            String::from_utf8_lossy(&output.stderr)
        )),
    }
}

#[test]
fn what_is_printed_compiles_and_loads_the_file() {
    let dir = Path::new(env!("CARGO_TARGET_TMPDIR")).join("structs");
    let src = dir.join("src");
    let data = dir.join("data");
    let _ = fs::remove_dir_all(&src);
    fs::create_dir_all(&src).unwrap();
    fs::create_dir_all(&data).unwrap();

    let mut printed = Vec::new();
    for file in corpus() {
        let code = print(&file, &[]).unwrap_or_else(|err| panic!("{err}"));
        printed.push(Printed {
            file,
            how: "owned",
            code,
        });
    }
    assert!(printed.len() > 150, "{}", printed.len());
    for file in made(&data) {
        for (how, flags) in [("owned", &[][..]), ("ndarray", &["--ndarray"]), ("view", &["--view"])] {
            let code = print(&file, flags).unwrap();
            printed.push(Printed {
                file: file.clone(),
                how,
                code,
            });
        }
    }
    let views: Vec<Printed> = printed
        .iter()
        .filter(|printed| printed.how == "owned")
        .flat_map(|printed| [("ndarray", "--ndarray"), ("view", "--view")].map(|(how, flag)| (printed, how, flag)))
        .filter(|(printed, ..)| printed.file.file_name().unwrap().to_string_lossy().starts_with("o-n"))
        .map(|(printed, how, flag)| Printed {
            file: printed.file.clone(),
            how,
            code: print(&printed.file, &[flag]).unwrap(),
        })
        .collect();
    printed.extend(views);
    build(&dir, &printed);
}

fn build(dir: &Path, printed: &[Printed]) {
    let mut main = "\nfn main() {\n    let mut failed = 0;\n".to_owned();
    let mut modules = "#![allow(dead_code)]\n".to_owned();
    // Equal types are compiled once.
    let mut known = BTreeMap::new();
    for (i, Printed { file, how, code }) in printed.iter().enumerate() {
        let types: String = code
            .lines()
            .filter(|line| !line.trim_start().starts_with("//"))
            .collect();
        let i = *known.entry(types).or_insert_with(|| {
            fs::write(dir.join(format!("src/m{i}.rs")), code).unwrap();
            writeln!(modules, "mod m{i};").unwrap();
            i
        });
        let lines: Vec<&str> = code
            .lines()
            .rev()
            .take(2)
            .map(|line| line.strip_prefix("// ").unwrap())
            .collect();
        let [second, first] = lines[..] else { panic!("{code}") };
        let second = second.replace("Printed", &format!("m{i}::Printed"));
        writeln!(
            main,
            "    if let Err(err) = (|| -> serde_npz::Result<()> {{\n        {first}\n        {second}\n        let _ = data;\n        Ok(()) }})() {{ failed += 1; println!(\"m{i} {{}} {how}: {{err}}\", {:?}); }}",
            file.display().to_string()
        )
        .unwrap();
    }
    main.push_str("    assert_eq!(failed, 0);\n}\n");
    fs::write(dir.join("src/main.rs"), modules + &main).unwrap();
    let manifest = format!(
        "[package]\nname = \"printed\"\nversion = \"0.0.0\"\nedition = \"2024\"\n[workspace]\n[dependencies]\n\
         serde_npz = {{ path = {:?}, features = [\"ndarray-0_17\", \"mmap\"] }}\n\
         serde = {{ version = \"1\", features = [\"derive\"] }}\nserde_json = \"1\"\n\
         num-complex = {{ version = \"0.4\", features = [\"serde\"] }}\nndarray = {{ version = \"0.17\", features = [\"serde\"] }}\n\
         [profile.dev]\ndebug = false\n",
        root()
    );
    fs::write(dir.join("Cargo.toml"), manifest).unwrap();
    // The versions that the workspace has, which are there already.
    fs::copy(root().join("Cargo.lock"), dir.join("Cargo.lock")).unwrap();
    let output = Command::new(env!("CARGO"))
        .args(["run", "--quiet", "--offline"])
        .current_dir(dir)
        .env("CARGO_TARGET_DIR", dir.join("target"))
        .env_remove("RUSTFLAGS")
        .output()
        .unwrap();
    let [stdout, stderr] = [output.stdout, output.stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
    assert!(output.status.success(), "{stdout}\n{stderr}");
}
