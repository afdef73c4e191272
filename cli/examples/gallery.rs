//! Draws the pictures of `docs/gallery` from data computed here:
//! `cargo run -p npz-cli --example gallery` after `cargo build -p npz-cli`.

use std::error::Error;
use std::f64::consts::TAU;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde::Serialize;

#[derive(Serialize)]
struct Gallery {
    #[serde(with = "serde_npz::with::datetime64::s")]
    time: Vec<i64>,
    temperature: Vec<f64>,
    signal: Vec<f32>,
    latency: Vec<f64>,
    waves: Vec<Vec<f64>>,
    set: Vec<Vec<[u8; 3]>>,
    x: Vec<f32>,
    y: Vec<f32>,
}

fn main() -> Result<(), Box<dyn Error>> {
    let dir = std::env::temp_dir().join(format!("npz-gallery-{}", std::process::id()));
    std::fs::create_dir_all(&dir)?;
    let file = dir.join("gallery.npz");
    serde_npz::save_npz(&file, &gallery())?;
    let out = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/gallery"));
    std::fs::create_dir_all(&out)?;
    let plots: [(&str, &[&str]); 6] = [
        (
            "dates",
            &[
                "time",
                "temperature",
                "--title",
                "npz plot gallery.npz time temperature",
            ],
        ),
        (
            "spike",
            &[
                "signal",
                "--dark",
                "--title",
                "npz plot gallery.npz signal   (4 000 000 samples)",
            ],
        ),
        (
            "hist",
            &[
                "latency",
                "--kind",
                "hist",
                "--log=x",
                "--title",
                "npz plot gallery.npz latency --kind hist --log=x",
            ],
        ),
        ("heat", &["waves", "--dark", "--title", "npz plot gallery.npz waves"]),
        ("image", &["set", "--title", "npz plot gallery.npz set"]),
        (
            "scatter",
            &[
                "x",
                "y",
                "--dark",
                "--title",
                "npz plot gallery.npz x y   (300 000 points)",
            ],
        ),
    ];
    for (name, args) in plots {
        let picture = out.join(format!("{name}.png"));
        let mut npz = Command::new(npz()?);
        npz.arg("plot")
            .arg(&file)
            .args(args)
            .args(["--force", "--size", "640x400", "-o"])
            .arg(&picture);
        if !npz.status()?.success() {
            return Err(format!("{} was not drawn", picture.display()).into());
        }
    }
    std::fs::remove_dir_all(dir)?;
    Ok(())
}

/// The tool, which is built beside the examples.
fn npz() -> Result<PathBuf, Box<dyn Error>> {
    let example = std::env::current_exe()?;
    let dir = example
        .parent()
        .and_then(Path::parent)
        .ok_or("found no directory of builds")?;
    Ok(dir.join(format!("npz{}", std::env::consts::EXE_SUFFIX)))
}

fn gallery() -> Gallery {
    let mut random = Random(1);
    let hours = 2 * 365 * 24;
    let temperature = |hour: u32| {
        let (day, year) = (f64::from(hour % 24) / 24.0, f64::from(hour) / (365.25 * 24.0));
        9.0 - 11.0 * (TAU * year).cos() - 4.0 * (TAU * day).cos() + 2.5 * random.normal()
    };
    let temperature = (0..hours).map(temperature).collect();
    let mut random = Random(2);
    let mut signal: Vec<f32> = (0..4_000_000).map(|_| (0.1 * random.normal()) as f32).collect();
    signal[2_718_281] = 3.0;
    let latency = (0..200_000).map(|i| {
        // Most answers come from a cache.
        let (middle, spread) = if i % 5 == 0 { (4.4, 0.35) } else { (1.2, 0.5) };
        f64::exp(middle + spread * random.normal())
    });
    let latency = latency.collect();
    let wave = |x: f64, y: f64, source: f64| (x.hypot(y - source) / 2.2).sin() / (1.0 + x.hypot(y - source) / 30.0);
    let row = |y: u32| (0..100).map(move |x| [22.0, 52.0].map(|s| wave(f64::from(x), f64::from(y), s)).iter().sum());
    // A point that is pulled back and forth, as De Jong drew it.
    let (mut x, mut y) = (vec![0.1_f64], vec![0.1_f64]);
    for i in 0..299_999 {
        let (a, b) = (x[i], y[i]);
        x.push((-2.24 * b).sin() - (0.43 * a).cos());
        y.push((-0.65 * a).sin() - (-2.43 * b).cos());
    }
    Gallery {
        time: (0..i64::from(hours)).map(|hour| 1_672_531_200 + 3600 * hour).collect(),
        temperature,
        signal,
        latency,
        waves: (0..75).map(|y| row(y).collect()).collect(),
        set: (0..200)
            .map(|y| (0..300).map(|x| color(f64::from(x), f64::from(y))).collect())
            .collect(),
        x: x.iter().map(|&v| v as f32).collect(),
        y: y.iter().map(|&v| v as f32).collect(),
    }
}

/// Mandelbrot's set, by how long a point takes to leave.
fn color(x: f64, y: f64) -> [u8; 3] {
    let (re, im) = (x / 100.0 - 2.1, y / 100.0 - 1.0);
    let (mut a, mut b) = (0.0_f64, 0.0_f64);
    for i in 0..60 {
        (a, b) = (a * a - b * b + re, 2.0 * a * b + im);
        if a.hypot(b) > 2.0 {
            let part = (f64::from(i) / 20.0).min(1.0);
            return [part.powf(1.5), part.sqrt() * 0.8, 0.35 + 0.5 * (1.0 - part)].map(|v| (255.0 * v) as u8);
        }
    }
    [12, 12, 30]
}

/// A small generator: the pictures are the same every time.
struct Random(u64);

impl Random {
    fn next(&mut self) -> f64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 11) as f64 / (1_u64 << 53) as f64
    }

    fn normal(&mut self) -> f64 {
        (0..12).map(|_| self.next()).sum::<f64>() - 6.0
    }
}
