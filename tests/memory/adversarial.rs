//! Every hostile file: the right verdict, on a small stack, within its memory.

use std::fs;
use std::io::Cursor;
use std::time::Instant;

use crate::common::Any;
use crate::counting::Alone;
use serde_json::Value;
use serde_npz::{Limits, NpzReader, ReadOptions};

#[test]
fn every_hostile_file() {
    let alone = Alone::wait();
    let cases: Value =
        serde_json::from_slice(&fs::read(crate::common::data("hostile/adversarial.json")).unwrap()).unwrap();
    let cases = cases.as_array().unwrap();
    assert_eq!(cases.len(), 178);
    let mut failures = Vec::new();
    for case in cases {
        failures.extend(
            judge(&alone, case)
                .into_iter()
                .map(|why| format!("{} ({}): {why}", case["id"], case["why"])),
        );
    }
    assert!(
        failures.is_empty(),
        "{} failures:\n{}",
        failures.len(),
        failures.join("\n")
    );
}

fn judge(alone: &Alone, case: &Value) -> Vec<String> {
    let bytes = fs::read(crate::common::data("hostile").join(case["path"].as_str().unwrap())).unwrap();
    let npz = case["kind"] == "npz";
    let mut failures = Vec::new();
    let mut run = |what: &str, must: &str, options: &ReadOptions, load: Load| {
        let began = Instant::now();
        let (outcome, grown) = measured(alone, load, &bytes, options);
        let cap = case["max_rss_mb"].as_u64().unwrap() as usize;
        if grown > cap << 20 {
            failures.push(format!("{what}: {} MiB at its peak, {cap} allowed", grown >> 20));
        }
        if began.elapsed().as_secs_f64() > 1.0 {
            eprintln!("slow: {} {what} took {:?}", case["id"], began.elapsed());
        }
        match (must, outcome) {
            ("error", Ok(())) => failures.push(format!("{what}: accepted")),
            ("ok", Err(err)) => failures.push(format!("{what}: {err}")),
            _ => {}
        }
    };
    let must = case["must"].as_str().unwrap();
    let options = ReadOptions::new();
    let loads: &[(&str, Load)] = match npz {
        true => &[
            ("members", members),
            ("raw", raw),
            ("slice", npz_slice),
            ("stream", npz_reader),
        ],
        false => &[("slice", npy_slice), ("stream", npy_reader), ("typed", npy_typed)],
    };
    for &(what, load) in loads {
        // `raw` is asked for all there is, bombs included.
        if what == "raw" && case["area"] == "bomb" {
            continue;
        }
        // `raw` lends what is no array, and a whole archive may leave it out.
        let must = match what {
            "raw" | "typed" => "error_or_ok",
            "slice" | "stream" if npz && must == "error" => "error_or_ok",
            _ => must,
        };
        run(what, must, &options, load);
        if let Some(limit) = case.get("with_limit") {
            let total = limit["max_total_mb"].as_u64().unwrap() << 20;
            let options = options.clone().limits(Limits::new().total_bytes(total));
            run(
                &format!("{what} under a limit"),
                limit["must"].as_str().unwrap(),
                &options,
                load,
            );
        }
    }
    if must == "ok" {
        failures.extend(values(case, &bytes, npz).err());
    }
    failures
}

type Load = fn(&[u8], &ReadOptions) -> Result<(), String>;

/// One load on a thread whose stack shows deep recursion, with the growth of memory it took.
fn measured(alone: &Alone, load: Load, bytes: &[u8], options: &ReadOptions) -> (Result<(), String>, usize) {
    std::thread::scope(|scope| {
        std::thread::Builder::new()
            .stack_size(1 << 20)
            .spawn_scoped(scope, || alone.peak(|| load(bytes, options)))
            .expect("a thread")
            .join()
            .expect("no panic")
    })
}

fn members(bytes: &[u8], options: &ReadOptions) -> Result<(), String> {
    each_member(bytes, options, |reader, name| reader.get::<Any>(name).map(drop))
}

fn raw(bytes: &[u8], options: &ReadOptions) -> Result<(), String> {
    each_member(bytes, options, |reader, name| reader.raw(name).map(drop))
}

fn each_member(
    bytes: &[u8],
    options: &ReadOptions,
    read: impl Fn(&mut NpzReader<Cursor<&[u8]>>, &str) -> serde_npz::Result<()>,
) -> Result<(), String> {
    let mut reader = NpzReader::with_options(Cursor::new(bytes), options).map_err(sober)?;
    let names: Vec<String> = reader.names().map(str::to_owned).collect();
    for name in names {
        read(&mut reader, &name).map_err(sober)?;
    }
    Ok(())
}

fn npz_slice(bytes: &[u8], options: &ReadOptions) -> Result<(), String> {
    options.from_npz_slice::<Any>(bytes).map(drop).map_err(sober)
}

fn npz_reader(bytes: &[u8], options: &ReadOptions) -> Result<(), String> {
    options
        .from_npz_reader::<_, Any>(Cursor::new(bytes))
        .map(drop)
        .map_err(sober)
}

fn npy_slice(bytes: &[u8], options: &ReadOptions) -> Result<(), String> {
    options.from_npy_slice::<Any>(bytes).map(drop).map_err(sober)
}

fn npy_reader(bytes: &[u8], options: &ReadOptions) -> Result<(), String> {
    options.from_npy_reader::<_, Any>(bytes).map(drop).map_err(sober)
}

/// Targets that ask for much where there is little.
fn npy_typed(bytes: &[u8], _: &ReadOptions) -> Result<(), String> {
    fn load<T: serde::de::DeserializeOwned>(bytes: &[u8]) -> Result<(), String> {
        serde_npz::from_npy_slice::<T>(bytes).map(drop).map_err(sober)?;
        serde_npz::from_npy_reader::<_, T>(bytes).map(drop).map_err(sober)
    }
    #[derive(serde::Deserialize)]
    struct Empty {}
    let outcomes = [
        load::<f64>(bytes),
        load::<bool>(bytes),
        load::<String>(bytes),
        load::<Vec<f64>>(bytes),
        load::<Vec<Vec<f64>>>(bytes),
        load::<Vec<Vec<Vec<u8>>>>(bytes),
        load::<Vec<[f64; 0]>>(bytes),
        load::<Vec<()>>(bytes),
        load::<Vec<Vec<()>>>(bytes),
        load::<Vec<Empty>>(bytes),
        load::<Vec<String>>(bytes),
        load::<Vec<char>>(bytes),
        load::<Vec<bool>>(bytes),
        load::<Vec<Option<f32>>>(bytes),
        load::<serde_bytes::ByteBuf>(bytes),
        load::<Vec<serde_bytes::ByteBuf>>(bytes),
        load::<std::time::Duration>(bytes),
        load::<Vec<std::time::SystemTime>>(bytes),
        load::<Vec<num_complex::Complex<f64>>>(bytes),
        load::<std::collections::BTreeMap<String, f64>>(bytes),
        #[cfg(feature = "ndarray-0_17")]
        load::<ndarray::ArrayD<f64>>(bytes),
        #[cfg(feature = "ndarray-0_17")]
        load::<ndarray::Array2<String>>(bytes),
        load::<serde::de::IgnoredAny>(bytes),
    ];
    outcomes.into_iter().collect()
}

/// The message: text from files must reach nobody's terminal as it is, nor without end.
fn sober(err: serde_npz::Error) -> String {
    let text = format!("{err:#}");
    assert!(!text.chars().any(char::is_control), "control characters in {text:?}");
    assert!(!text.is_empty());
    text
}

fn values(case: &Value, bytes: &[u8], npz: bool) -> Result<(), String> {
    for (name, member) in case["members"].as_object().unwrap() {
        let (value, header) = if npz {
            let mut reader = NpzReader::new(Cursor::new(bytes)).map_err(sober)?;
            (
                reader.get::<Any>(name).map_err(sober)?,
                reader.header(name).map_err(sober)?,
            )
        } else {
            let header = serde_npz::Header::read(&mut &bytes[..]).map_err(sober)?;
            (serde_npz::from_npy_slice::<Any>(bytes).map_err(sober)?, header)
        };
        let shape: Vec<u64> = member["shape"]
            .as_array()
            .unwrap()
            .iter()
            .map(|n| n.as_u64().unwrap())
            .collect();
        let mut flat = Vec::new();
        flatten(&value, &mut flat);
        let wanted: Vec<f64> = member["data"]
            .as_array()
            .unwrap()
            .iter()
            .map(|n| n.as_f64().unwrap())
            .collect();
        let descr = member["descr"].as_str().unwrap();
        if header.dtype().to_string() != descr || header.shape() != shape || flat != wanted {
            return Err(format!(
                "{name:?}: {} {:?} {flat:?}, expected {member}",
                header.dtype(),
                header.shape()
            ));
        }
    }
    Ok(())
}

fn flatten(value: &Any, flat: &mut Vec<f64>) {
    match value {
        Any::Seq(items) => items.iter().for_each(|item| flatten(item, flat)),
        Any::Float(x) => flat.push(*x),
        other => flat.push(other.int().expect("a number") as f64),
    }
}
