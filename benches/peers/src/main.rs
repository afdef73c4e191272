//! One case of the comparison: `peers CASE` makes the data, then runs what it is told.
//!
//! ```text
//! stdin   ours:2 save-npy /tmp/x.npy      side (ours with 2 threads), verb, path
//! stdout  27.412 30.118                   milliseconds, of processor time too, or a line `error: ..`
//! ```
//!
//! The data stays in memory between the lines, so that every round measures the same warm process.

mod ours;
mod theirs;

#[path = "../../data/mod.rs"]
mod data;

use std::collections::BTreeMap;
use std::error::Error;
use std::io::{Write, stdin, stdout};
use std::path::Path;
use std::time::{Duration, Instant};

use half::f16;
use ndarray::Array2;
use num_complex::Complex;

use data::{DEFLATED, LARGE, One, PUSHED, RECORDS};

type Outcome<T = Time> = Result<T, Box<dyn Error>>;

/// Runs one verb of one side on a path.
type Case = Box<dyn Fn(&str, &str, &Path) -> Outcome>;

fn main() -> Outcome<()> {
    let name = std::env::args()
        .nth(1)
        .ok_or("usage: peers CASE, then lines `side verb path`")?;
    let case = case(&name)?;
    for line in stdin().lines() {
        let line = line?;
        let mut words = line.splitn(3, ' ');
        let (Some(side), Some(verb), Some(path)) = (words.next(), words.next(), words.next()) else {
            return Err(format!("found the line {line:?}, expected a side, a verb and a path").into());
        };
        match case(side, verb, Path::new(path)) {
            Ok(time) => println!(
                "{} {}",
                time.clock.as_secs_f64() * 1e3,
                time.processor.as_secs_f64() * 1e3
            ),
            Err(error) => println!("error: {error}"),
        }
        stdout().flush()?;
    }
    Ok(())
}

fn case(name: &str) -> Outcome<Case> {
    Ok(match name {
        "f64" => theirs::numbers(data::sines(LARGE)),
        "swapped" => ours::value(data::sines(LARGE)),
        "rows" => ours::value(data::sines(LARGE).chunks(4000).map(<[f64]>::to_vec).collect::<Vec<_>>()),
        "ndarray" => ours::value(Array2::from_shape_vec((LARGE / 4000, 4000), data::sines(LARGE))?),
        "four" => theirs::four(data::four(&data::sines(LARGE)), false),
        "deflate-four" => theirs::four(data::four(&data::sines(DEFLATED)), true),
        "deflate-one" => ours::value(One {
            x: data::sines(DEFLATED),
        }),
        "deflate-steps" => ours::value(BTreeMap::from([("x".to_string(), data::steps(DEFLATED))])),
        "deflate-gaussians" => ours::value(One {
            x: data::gaussians(DEFLATED / 4),
        }),
        "many" => ours::value(data::many()),
        "groups" => ours::value(groups()),
        "scalars" => ours::value(
            (0..1000)
                .map(|i| (format!("s{i:03}"), f64::from(i)))
                .collect::<BTreeMap<_, _>>(),
        ),
        "records" => theirs::records(data::records(RECORDS)),
        "push-f64" => ours::rows(data::sines(PUSHED)),
        "push-records" => ours::rows(data::records(PUSHED)),
        "words" => ours::value(data::words(1_000_000)),
        "short-rows" => ours::short_rows(data::short_rows(1_000_000)),
        "list" => ours::value(data::list(10_000)),
        "members" => ours::members(65_600, 1),
        "entries" => ours::members(1000, 20_000),
        "bool" => ours::value((0..LARGE).map(|i| i % 3 == 0).collect::<Vec<_>>()),
        "complex" => ours::value(
            data::sines(LARGE / 2)
                .iter()
                .map(|&x| Complex::new(x, -x))
                .collect::<Vec<_>>(),
        ),
        "f16" => ours::value(data::sines(LARGE).iter().map(|&x| f16::from_f64(x)).collect::<Vec<_>>()),
        _ => return Err(format!("found the case {name:?}, expected one of those in `case`").into()),
    })
}

/// How long something took.
struct Time {
    clock: Duration,
    /// Of all threads together.
    processor: Duration,
}

/// How long `f` takes; what it returns is dropped when the clock has stopped.
fn timed<R>(f: impl FnOnce() -> Outcome<R>) -> Outcome {
    let (start, before) = (Instant::now(), processor_time());
    let result = f()?;
    let time = Time {
        clock: start.elapsed(),
        processor: processor_time().saturating_sub(before),
    };
    drop(result);
    Ok(time)
}

fn processor_time() -> Duration {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
    time.try_into().unwrap_or_default()
}

fn unknown(side: &str, verb: &str) -> Outcome {
    Err(format!("no side {side:?} does {verb:?} in this case").into())
}

/// 100 layers of two arrays each.
fn groups() -> BTreeMap<String, BTreeMap<String, Vec<f32>>> {
    let layer = || BTreeMap::from([("w".to_string(), vec![0.5; 4096]), ("b".to_string(), vec![0.5; 64])]);
    (0..100).map(|i| (format!("layer{i:02}"), layer())).collect()
}
