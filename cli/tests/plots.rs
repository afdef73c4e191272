//! What `npz plot` draws, by its numbers and by its dots.

mod files;

use std::fs;
use std::io::{Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use serde_json::Value;
use serde_npz::{Dtype, Header};

fn npz(dir: &Path, args: &[&str]) -> Output {
    let mut npz = Command::new(env!("CARGO_BIN_EXE_npz"));
    let npz = npz
        .args(args)
        .current_dir(dir)
        .env_remove("CLICOLOR_FORCE")
        .stdin(Stdio::null());
    npz.output().unwrap()
}

/// What a call prints that has to succeed.
#[track_caller]
fn drawn(dir: &Path, args: &[&str]) -> String {
    let out = npz(dir, args);
    assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
    String::from_utf8(out.stdout).unwrap()
}

/// The only plot of a call.
#[track_caller]
fn scene(dir: &Path, args: &[&str]) -> Value {
    let document: Value = serde_json::from_str(&drawn(dir, args)).unwrap();
    document["files"][0]["members"][0].clone()
}

/// An array of zeros that takes no room on the disk, with one value of 1 in it.
fn spike(dir: &Path, dtype: &str, count: u64, at: u64) -> PathBuf {
    let path = dir.join(format!("spike{count}.npy"));
    let mut file = fs::File::create(&path).unwrap();
    let dtype = Dtype::parse(dtype).unwrap();
    let size = dtype.itemsize();
    let header = Header::new(dtype, vec![count], false).unwrap().to_bytes();
    file.write_all(&header).unwrap();
    file.set_len(header.len() as u64 + count * size).unwrap();
    file.seek(SeekFrom::Start(header.len() as u64 + at * size)).unwrap();
    file.write_all(&[1]).unwrap();
    path
}

/// Columns of a plot in ASCII that have a mark in its upper half.
fn high_columns(text: &str) -> Vec<usize> {
    let rows: Vec<&str> = text.lines().skip(1).filter(|line| line.contains(['|', '+'])).collect();
    let width = rows.iter().map(|row| row.len()).max().unwrap();
    let has = |column: usize| {
        rows[..rows.len() / 2]
            .iter()
            .any(|row| row.as_bytes().get(column) == Some(&b'*'))
    };
    (0..width).filter(|&column| has(column)).collect()
}

#[test]
fn one_odd_value_is_seen() {
    let dir = files::make("spike");
    let counts: &[u64] = if std::env::var_os("SERDE_NPZ_LONG").is_some() {
        &[40_000_000, 1_000_000_000]
    } else {
        &[40_000_000]
    };
    for &count in counts {
        let path = spike(&dir, "|u1", count, count / 4);
        let text = drawn(&dir, &["plot", path.to_str().unwrap(), "--size", "84x12", "--ascii"]);
        // The axis stands in column 5.
        assert_eq!(high_columns(&text), [5 + 78 / 4], "{text}");
        fs::remove_file(path).unwrap();
    }
}

#[test]
fn the_maximum_of_a_sine_is_in_the_right_column() {
    let dir = files::make("sine");
    // One period.
    let text = drawn(
        &dir,
        &["plot", "x.npy", "--slice", ":6283", "--size", "86x25", "--ascii"],
    );
    let top = text.lines().nth(1).unwrap();
    let stars: Vec<usize> = top.match_indices('*').map(|(at, _)| at).collect();
    let left = top.find(['|', '+']).unwrap() + 1;
    let middle = (stars[0] + stars[stars.len() - 1]) as f64 / 2.0 - left as f64 + 0.5;
    let columns = (86 - 1 - left) as f64;
    assert!((middle - columns / 4.0).abs() <= 1.0, "{middle} of {columns}\n{text}");
}

#[test]
fn counts_add_up_and_slices_are_what_is_counted() {
    let dir = files::make("counts");
    for (slice, count) in [("", 100_000.0), ("::-3", 33_334.0), ("100:200", 100.0)] {
        for bins in ["1", "7", "200"] {
            let scene = scene(
                &dir,
                &[
                    "plot", "x.npy", "--kind", "hist", "--slice", slice, "--bins", bins, "--json",
                ],
            );
            let bars = scene["bars"].as_array().unwrap();
            let sum: f64 = bars.iter().map(|bar| bar["value"].as_f64().unwrap()).sum();
            assert_eq!((sum, bars.len().to_string().as_str()), (count, bins));
        }
    }
}

/// The same values, whatever the order of the array and the direction of a slice.
#[test]
fn a_heat_map_has_its_values_where_they_are() {
    let dir = files::make("heat");
    let values: Vec<f64> = (0..12).map(f64::from).collect();
    for fortran in [false, true] {
        let header = Header::new(Dtype::parse("<f8").unwrap(), vec![3, 4], fortran).unwrap();
        let mut bytes = header.to_bytes();
        for i in 0..12 {
            let place = if fortran { i % 3 * 4 + i / 3 } else { i };
            bytes.extend(values[place].to_le_bytes());
        }
        fs::write(dir.join("a.npy"), bytes).unwrap();
        for (slice, expected) in [
            ("", (0..12).collect::<Vec<_>>()),
            ("::-1", vec![8, 9, 10, 11, 4, 5, 6, 7, 0, 1, 2, 3]),
            (":, ::-1", vec![3, 2, 1, 0, 7, 6, 5, 4, 11, 10, 9, 8]),
            ("::2, 1::2", vec![1, 3, 9, 11]),
        ] {
            let scene = scene(&dir, &["plot", "a.npy", "--kind", "heat", "--slice", slice, "--json"]);
            let cells = scene["heat"]["cells"].as_array().unwrap();
            let cells: Vec<i64> = cells.iter().map(|cell| cell.as_f64().unwrap() as i64).collect();
            assert_eq!(cells, expected, "{fortran} {slice}");
        }
    }
}

#[test]
fn no_size_is_too_small() {
    let dir = files::make("sizes");
    for size in ["1x1", "20x8", "33x9", "200x50"] {
        for args in [
            &["x.npy"][..],
            &["image.npy"],
            &["run.npz"],
            &["x.npy", "--kind", "hist"],
            &["run.npz", "layers/0/w"],
        ] {
            let text = drawn(&dir, &[&["plot", "--size", size], args].concat());
            let (width, _) = size.split_once('x').unwrap();
            let most = width.parse::<usize>().unwrap().max(20);
            assert!(
                text.lines().all(|line| line.chars().count() <= most),
                "{size} {args:?}\n{text}"
            );
        }
    }
}
