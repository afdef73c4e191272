//! What `npz plot` draws, by its numbers and by its dots.

mod files;

use std::fs;
use std::io::{Read, Seek, SeekFrom, Write};
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

/// Red, green and blue of each pixel of a PNG that `npz` wrote, and the width of a row.
fn pixels(path: &Path) -> (usize, Vec<[u8; 3]>) {
    let bytes = fs::read(path).unwrap();
    let number = |at: usize| u32::from_be_bytes(bytes[at..at + 4].try_into().unwrap()) as usize;
    let (width, height) = (number(16), number(20));
    // Behind the signature and the header stands the only chunk of data.
    let data = 8 + 25;
    let (len, kind) = (number(data), &bytes[data + 4..data + 8]);
    assert_eq!(kind, b"IDAT");
    let mut rows = Vec::new();
    let deflated = &bytes[data + 8..data + 8 + len];
    flate2::read::ZlibDecoder::new(deflated).read_to_end(&mut rows).unwrap();
    let mut pixels: Vec<u8> = Vec::new();
    for row in rows.chunks(1 + 3 * width) {
        for (i, &byte) in row[1..].iter().enumerate() {
            let before = match row[0] {
                0 => 0,
                1 if i < 3 => 0,
                1 => pixels[pixels.len() - 3],
                _ => pixels.len().checked_sub(3 * width).map_or(0, |above| pixels[above]),
            };
            pixels.push(byte.wrapping_add(before));
        }
    }
    let pixels: Vec<[u8; 3]> = pixels.as_chunks().0.to_vec();
    assert_eq!(pixels.len(), width * height);
    (width, pixels)
}

#[test]
fn pictures_have_the_colours_of_their_values() {
    let dir = files::make("pictures");
    let picture = dir.join("p.png");
    let draw = |args: &[&str]| {
        drawn(
            &dir,
            &[&["plot"], args, &["--size", "400x300", "--force", "-o", "p.png"]].concat(),
        );
        let (width, pixels) = pixels(&picture);
        assert_eq!(width, 400);
        move |x: usize, y: usize| pixels[y * width + x]
    };
    // 20 rows of 30 columns; a pixel is [row, column, 7].
    let image = draw(&["image.npy"]);
    let middle = image(200, 130);
    assert!(
        middle[2] == 7 && (4..16).contains(&middle[0]) && (8..22).contains(&middle[1]),
        "{middle:?}"
    );
    assert_eq!(image(399, 299), [255; 3]);
    // The least value has the first colour of the map, the largest the last.
    let heat = draw(&["run.npz", "layers/0/w", "--dark"]);
    assert_eq!(heat(399, 299), [0x14, 0x17, 0x1c]);
    let seen = |color: [u8; 3]| (0..300).any(|y| (60..300).any(|x| heat(x, y) == color));
    assert!(seen([0x44, 0x01, 0x54]) && seen([0xfd, 0xe7, 0x25]));
    // A bar a value, each in the same blue.
    let bars = draw(&["run.npz", "loss", "--slice", ":2"]);
    assert_eq!(
        [bars(120, 220), bars(290, 220), bars(290, 60)],
        [[0x1f, 0x66, 0xc1], [0x1f, 0x66, 0xc1], [255; 3]]
    );
}

/// The whole line, in a picture: each column has some of it.
#[test]
fn a_line_has_no_holes() {
    let dir = files::make("holes");
    drawn(&dir, &["plot", "x.npy", "--slice", ":20000", "-o", "p.png"]);
    let (width, pixels) = pixels(&dir.join("p.png"));
    let is_blue = |pixel: &[u8; 3]| pixel[2] > 150 && pixel[0] < 100;
    let with_blue = (60..860)
        .filter(|x| pixels.iter().skip(*x).step_by(width).any(is_blue))
        .count();
    assert_eq!(with_blue, 800);
}

#[test]
fn an_svg_is_no_place_for_names_that_are_code() {
    let dir = files::make("svg");
    let mut npz = serde_npz::NpzWriter::create(dir.join("n.npz")).unwrap();
    npz.add("<script>&\u{202e}", &vec![1.0, 2.0]).unwrap();
    npz.finish().unwrap();
    drawn(&dir, &["plot", "n.npz", "-o", "n.svg"]);
    let svg = fs::read_to_string(dir.join("n.svg")).unwrap();
    assert!(
        svg.contains("&lt;script&gt;&amp;\\u{202e}") && !svg.contains("<script"),
        "{svg}"
    );
}

/// What cannot be drawn leaves no file behind, and an old one as it was.
#[test]
fn a_picture_is_whole_or_not_there() {
    let dir = files::make("whole");
    let out = npz(&dir, &["plot", "run.npz", "config.json", "-o", "p.png"]);
    assert_eq!(out.status.code(), Some(2));
    assert!(!dir.join("p.png").exists());
    fs::write(dir.join("p.png"), "old").unwrap();
    assert_eq!(npz(&dir, &["plot", "x.npy", "-o", "p.png"]).status.code(), Some(2));
    assert_eq!(
        npz(&dir, &["plot", "damaged.npz", "loss", "--force", "-o", "p.png"])
            .status
            .code(),
        Some(1)
    );
    assert_eq!(fs::read(dir.join("p.png")).unwrap(), b"old");
    let left = fs::read_dir(&dir).unwrap().map(|entry| entry.unwrap().file_name());
    assert!(
        left.into_iter()
            .all(|name| !name.to_string_lossy().starts_with(".npz-tmp"))
    );
}
