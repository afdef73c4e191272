//! The verbs that compare and write, from outside: what they say, their exit codes, and that nothing is lost.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_npz::{NpzReader, NpzWriter};

/// A directory of its own, gone at the end.
struct Dir(PathBuf);

impl Dir {
    fn new(name: &str) -> Dir {
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        let _ = fs::remove_dir_all(&path);
        fs::create_dir_all(&path).unwrap();
        Dir(path)
    }

    fn at(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    fn npz(&self, args: &[&str]) -> Output {
        Command::new(env!("CARGO_BIN_EXE_npz"))
            .args(args)
            .current_dir(&self.0)
            .output()
            .unwrap()
    }

    /// Standard output of a call that has to end with this code.
    fn told(&self, code: i32, args: &[&str]) -> String {
        let output = self.npz(args);
        let [out, err] = [&output.stdout, &output.stderr].map(|bytes| String::from_utf8_lossy(bytes).into_owned());
        assert_eq!(output.status.code(), Some(code), "{args:?}: {out}{err}");
        if code == 2 { err } else { out }
    }

    /// No temporary file is left.
    fn is_tidy(&self) {
        let left: Vec<_> = fs::read_dir(&self.0)
            .unwrap()
            .map(|entry| entry.unwrap().file_name())
            .collect();
        assert!(
            left.iter().all(|name| !name.to_string_lossy().starts_with(".npz-tmp")),
            "{left:?}"
        );
    }
}

impl Drop for Dir {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// Three arrays, one of them in a group.
fn run(dir: &Dir, name: &str, w: f64) {
    let mut npz = NpzWriter::create(dir.at(name)).unwrap();
    npz.add("w", &vec![vec![1.0, 2.0], vec![w, 4.0]]).unwrap();
    npz.add("group/step", &7).unwrap();
    npz.add("zeros", &vec![0.0; 5000]).unwrap();
    npz.finish().unwrap();
}

#[test]
fn diff_tells_what_differs_and_where() {
    let dir = Dir::new("diff");
    run(&dir, "a.npz", 3.0);
    run(&dir, "b.npz", 3.5);
    assert_eq!(dir.told(0, &["diff", "a.npz", "a.npz"]), "");
    assert_eq!(
        dir.told(1, &["diff", "a.npz", "b.npz", "--values", "3"]),
        "~ w 1 of 4 differ, max |d| 0.500 (rel 0.143) at [1, 0]\n    [1, 0] 3.0 -> 3.5\n"
    );
    assert_eq!(dir.told(1, &["diff", "-q", "a.npz", "b.npz"]), "");
    assert_eq!(dir.told(0, &["diff", "a.npz", "b.npz", "--rtol", "0.2"]), "");
    assert_eq!(dir.told(0, &["diff", "a.npz", "b.npz", "--ignore", "w"]), "");
    assert_eq!(dir.told(0, &["diff", "a.npz", "b.npz", "-m", "group/*"]), "");
    let json: serde_json::Value = serde_json::from_str(&dir.told(1, &["diff", "a.npz", "b.npz", "--json"])).unwrap();
    assert_eq!(json["equal"], false);
    let difference = &json["differences"][0];
    assert_eq!(
        (&difference["name"], &difference["kind"], &difference["count"]),
        (&"w".into(), &"values".into(), &1.into())
    );
    assert_eq!(
        (&difference["max_abs"], &difference["at"]),
        (&0.5.into(), &serde_json::json!([1, 0]))
    );
    assert!(
        dir.told(2, &["diff", "a.npz", "none.npz"])
            .starts_with("npz: none.npz: ")
    );

    fs::create_dir_all(dir.at("one/sub")).unwrap();
    fs::create_dir_all(dir.at("two")).unwrap();
    fs::copy(dir.at("a.npz"), dir.at("one/run.npz")).unwrap();
    fs::copy(dir.at("a.npz"), dir.at("one/sub/only.npz")).unwrap();
    fs::copy(dir.at("b.npz"), dir.at("two/run.npz")).unwrap();
    assert_eq!(
        dir.told(1, &["diff", "one", "two"]),
        "~ run.npz: w 1 of 4 differ, max |d| 0.500 (rel 0.143) at [1, 0]\n- sub/only.npz\n"
    );
}

#[test]
fn extract_and_pack_are_each_others_reverse() {
    let dir = Dir::new("extract");
    run(&dir, "a.npz", 3.0);
    dir.told(0, &["extract", "a.npz", "-o", "out"]);
    assert_eq!(serde_npz::load_npy::<i32>(dir.at("out/group/step.npy")).unwrap(), 7);
    // Nothing is replaced that is there.
    dir.told(1, &["extract", "a.npz", "-o", "out"]);
    dir.told(0, &["extract", "a.npz", "-o", "out", "--force"]);
    dir.told(0, &["extract", "a.npz", "-o", "flat", "--flat"]);
    dir.told(
        0,
        &[
            "pack",
            "b.npz",
            "w=out/w.npy",
            "group/step=flat/group.step.npy",
            "out/zeros.npy",
        ],
    );
    assert_eq!(dir.told(0, &["diff", "a.npz", "b.npz"]), "");
    assert!(dir.told(2, &["pack", "b.npz", "out/w.npy"]).contains("--force"));
    dir.is_tidy();
}

#[test]
fn extract_leads_nowhere_else() {
    let dir = Dir::new("names");
    let array = serde_npz::to_npy_vec(&vec![1.0]).unwrap();
    let mut npz = NpzWriter::create(dir.at("evil.npz")).unwrap();
    for name in [
        "../up.npy",
        "/abs.npy",
        "c:x.npy",
        "a\\b.npy",
        "a/../../up.npy",
        "nul.npy",
        "line\nbreak.npy",
        "good.npy",
    ] {
        npz.add_raw(name, array.len() as u64, &array[..]).unwrap();
    }
    npz.finish().unwrap();
    let output = dir.npz(&["extract", "evil.npz", "-o", "out"]);
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(String::from_utf8_lossy(&output.stderr).lines().count(), 7);
    let names: Vec<_> = fs::read_dir(dir.at("out"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name())
        .collect();
    assert_eq!(names, ["good.npy"]);
    assert!(!dir.at("up.npy").exists());
}

#[test]
fn repack_keeps_every_value() {
    let dir = Dir::new("repack");
    run(&dir, "a.npz", 3.0);
    for (flag, stored) in [
        ("--store", [true, true, true]),
        ("--deflate=9", [false; 3]),
        ("--auto", [true, true, false]),
    ] {
        dir.told(0, &["repack", "a.npz", "b.npz", "--force", flag]);
        assert_eq!(dir.told(0, &["diff", "a.npz", "b.npz"]), "");
        let mut npz = NpzReader::open(dir.at("b.npz")).unwrap();
        assert_eq!(
            npz.entries().map(|entry| entry.is_stored()).collect::<Vec<_>>(),
            stored,
            "{flag}"
        );
    }
    dir.told(
        0,
        &[
            "repack",
            "--in-place",
            "b.npz",
            "--only",
            "group/*",
            "--rename",
            "group/*=new/*",
        ],
    );
    assert_eq!(
        NpzReader::open(dir.at("b.npz")).unwrap().names().collect::<Vec<_>>(),
        ["new/step"]
    );
    dir.told(2, &["repack", "a.npz", "b.npz"]);
    dir.is_tidy();
}

#[test]
fn a_damaged_archive_is_not_replaced() {
    let dir = Dir::new("damaged");
    run(&dir, "a.npz", 3.0);
    let mut bytes = fs::read(dir.at("a.npz")).unwrap();
    let at = bytes.len() / 2;
    bytes[at] ^= 1;
    fs::write(dir.at("a.npz"), &bytes).unwrap();
    assert!(
        dir.told(2, &["repack", "--in-place", "a.npz", "--deflate"])
            .contains("zeros")
    );
    assert_eq!(fs::read(dir.at("a.npz")).unwrap(), bytes);
    dir.told(2, &["set", "a.npz", "w[0, 0]", "1"]);
    assert_eq!(fs::read(dir.at("a.npz")).unwrap(), bytes);
    dir.told(1, &["extract", "a.npz", "-o", "out"]);
    assert!(dir.at("out/w.npy").exists() && !dir.at("out/zeros.npy").exists());
    dir.is_tidy();
}

#[test]
fn cat_joins_rows() {
    let dir = Dir::new("cat");
    for (name, rows) in [("a", vec![[1, 2], [3, 4]]), ("b", vec![[5, 6]])] {
        serde_npz::save_npy(dir.at(name), &rows).unwrap();
        serde_npz::save_npz(dir.at(name), &BTreeMap::from([("x", rows)])).unwrap();
    }
    dir.told(0, &["cat", "a.npy", "b.npy", "-o", "c.npy"]);
    let all = vec![[1, 2], [3, 4], [5, 6]];
    assert_eq!(serde_npz::load_npy::<Vec<[i32; 2]>>(dir.at("c.npy")).unwrap(), all);
    dir.told(0, &["cat", "a.npz", "b.npz", "-o", "c.npz"]);
    assert_eq!(
        NpzReader::open(dir.at("c.npz"))
            .unwrap()
            .get::<Vec<[i32; 2]>>("x")
            .unwrap(),
        all
    );
    serde_npz::save_npy(dir.at("wide"), &vec!["abc"]).unwrap();
    serde_npz::save_npy(dir.at("narrow"), &vec!["a", "b"]).unwrap();
    dir.told(0, &["cat", "narrow.npy", "wide.npy", "-o", "texts.npy"]);
    assert_eq!(
        serde_npz::load_npy::<Vec<String>>(dir.at("texts.npy")).unwrap(),
        ["a", "b", "abc"]
    );
    assert!(
        dir.told(2, &["cat", "a.npy", "wide.npy", "-o", "x.npy"])
            .contains("expected <i4")
    );
    assert!(!dir.at("x.npy").exists());
    dir.is_tidy();
}

#[test]
fn set_changes_one_place() {
    let dir = Dir::new("set");
    run(&dir, "a.npz", 3.0);
    dir.told(0, &["set", "a.npz", "w[1, -1]", "-0.5"]);
    dir.told(0, &["set", "a.npz", "w[0]", "[8, 9]"]);
    dir.told(0, &["set", "a.npz", "group/step", "-3"]);
    let mut npz = NpzReader::open(dir.at("a.npz")).unwrap();
    assert_eq!(npz.get::<Vec<Vec<f64>>>("w").unwrap(), [[8.0, 9.0], [3.0, -0.5]]);
    assert_eq!(npz.get::<i32>("group/step").unwrap(), -3);
    for (place, value) in [
        ("w[2, 0]", "1"),
        ("w[0, 0, 0]", "1"),
        ("w[0]", "[1]"),
        ("group/step", "2147483648"),
        ("no", "1"),
        ("w[x]", "1"),
    ] {
        dir.told(2, &["set", "a.npz", place, value]);
    }
    dir.is_tidy();
}

#[test]
fn tables_go_there_and_back() {
    let dir = Dir::new("convert");
    fs::write(dir.at("t.csv"), "time,name,n\n0.5,\"a,b\",1\n1.5,\"say \"\"c\"\"\",2\n").unwrap();
    dir.told(0, &["convert", "t.csv", "t.npz"]);
    let mut npz = NpzReader::open(dir.at("t.npz")).unwrap();
    assert_eq!(npz.get::<Vec<f64>>("time").unwrap(), [0.5, 1.5]);
    assert_eq!(npz.get::<Vec<String>>("name").unwrap(), ["a,b", "say \"c\""]);
    assert_eq!(npz.get::<Vec<i64>>("n").unwrap(), [1, 2]);
    for name in ["t.npz", "t.npy", "t.ndjson"] {
        let back = format!("back-{name}.csv");
        if name != "t.npz" {
            dir.told(0, &["convert", if name == "t.npy" { "t.csv" } else { "t.npz" }, name]);
        }
        if name == "t.ndjson" {
            dir.told(0, &["convert", name, "again.npy"]);
            dir.told(0, &["convert", "again.npy", &back]);
        } else {
            dir.told(0, &["convert", name, &back]);
        }
        assert_eq!(
            fs::read_to_string(dir.at(&back)).unwrap(),
            fs::read_to_string(dir.at("t.csv")).unwrap(),
            "{name}"
        );
    }
    // Texts have no place in safetensors: named, and left out only if asked.
    assert!(
        dir.told(2, &["convert", "t.npz", "t.safetensors"])
            .contains("name: safetensors has no <U")
    );
    dir.told(0, &["convert", "t.npz", "t.safetensors", "--lossy"]);
    dir.told(0, &["convert", "t.safetensors", "n.npz"]);
    assert_eq!(dir.told(0, &["diff", "t.npz", "n.npz", "--ignore", "name"]), "");
    dir.told(0, &["convert", "t.npz", "t.json"]);
    dir.told(0, &["convert", "t.json", "j.npz"]);
    assert_eq!(dir.told(0, &["diff", "t.npz", "j.npz"]), "");
    dir.is_tidy();
}

#[test]
fn rescue_saves_what_is_whole() {
    let dir = Dir::new("rescue");
    run(&dir, "a.npz", 3.0);
    let bytes = fs::read(dir.at("a.npz")).unwrap();
    let ends: Vec<u64> = (NpzReader::open(dir.at("a.npz")).unwrap().entries())
        .map(|entry| entry.offset().unwrap() + entry.compressed_size())
        .collect();
    let directory = *ends.last().unwrap();
    for cut in (0..bytes.len()).step_by(97).chain(bytes.len() - 60..=bytes.len()) {
        fs::write(dir.at("cut.npz"), &bytes[..cut]).unwrap();
        let whole = ends.iter().filter(|&&end| end <= cut as u64).count();
        let out = dir.npz(&["rescue", "cut.npz", "-o", "out.npz", "--force", "--json"]);
        let json: serde_json::Value = serde_json::from_slice(&out.stdout).unwrap();
        let code = out.status.code().unwrap();
        if json["files"][0]["error"].is_string() {
            assert_eq!((code, whole), (2, 0), "cut at {cut}");
            continue;
        }
        assert_eq!(json["files"][0]["whole"], whole, "cut at {cut}");
        assert_eq!(code, i32::from((cut as u64) < directory + 4), "cut at {cut}: {json}");
        assert_eq!(NpzReader::open(dir.at("out.npz")).unwrap().len(), whole);
        if code == 0 {
            assert_eq!(dir.told(0, &["diff", "a.npz", "out.npz"]), "");
        }
        if cut < bytes.len() && cut >= 4 {
            let told = dir.told(1, &["verify", "cut.npz"]);
            assert!(
                told.starts_with(&format!("cut.npz: cut off at byte {cut}, {whole} member")),
                "{told}"
            );
        }
    }
    dir.is_tidy();
}

#[test]
fn rescue_believes_a_directory_that_is_there() {
    let dir = Dir::new("rescue-listed");
    run(&dir, "a.npz", 3.0);
    let mut npz = NpzWriter::append(dir.at("a.npz")).unwrap();
    npz.remove("zeros").unwrap();
    npz.finish().unwrap();
    // What was removed stays removed, and a name that comes twice is the later one.
    assert_eq!(
        dir.told(0, &["rescue", "a.npz", "-o", "out.npz"]),
        "a.npz: 2 members whole, now in out.npz\n"
    );
    assert!(dir.told(2, &["rescue", "a.npz", "-o", "out.npz"]).contains("--force"));
    let mut bytes = fs::read(dir.at("a.npz")).unwrap();
    run(&dir, "b.npz", 4.0);
    bytes.extend(fs::read(dir.at("b.npz")).unwrap());
    bytes.truncate(bytes.len() - 10);
    fs::write(dir.at("both.npz"), bytes).unwrap();
    let told = dir.told(1, &["rescue", "both.npz", "-o", "out.npz", "--force"]);
    assert!(
        told.contains("3 members whole") && told.contains("a later member has the same name"),
        "{told}"
    );
    assert_eq!(dir.told(0, &["diff", "b.npz", "out.npz"]), "");
}
