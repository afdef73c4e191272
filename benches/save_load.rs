//! Every row of the table of times, and the ways an element can take: `cargo bench`, or `cargo bench -- records`.
//!
//! The large cases go to files, as a user's do; what one element costs is measured in memory.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};

use divan::counter::{BytesCount, ItemsCount};
use divan::{Bencher, black_box};
use half::f16;
use num_complex::Complex;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_npz::{ReadOptions, WriteOptions};

mod data;

use data::{DEFLATED, LARGE, PUSHED, RECORDS};

fn main() {
    divan::main();
}

/// A file of its own for each case, removed at the end.
struct Scratch(PathBuf);

impl Scratch {
    fn new(suffix: &str) -> Self {
        static COUNT: AtomicUsize = AtomicUsize::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!("serde_npz-bench-{}-{count}.{suffix}", std::process::id());
        Scratch(std::env::temp_dir().join(name))
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

/// What is at the path of a save: an older file is given up for the new one, which takes longer.
#[derive(Clone, Copy, Debug)]
enum At {
    New,
    Replaced,
}

const BOTH: [At; 2] = [At::New, At::Replaced];

/// Measures `save` on a path.
fn save(bencher: Bencher, at: At, suffix: &str, bytes: usize, save: impl Fn(&Path)) {
    let file = Scratch::new(suffix);
    save(&file.0);
    bencher
        .counter(BytesCount::new(bytes))
        .with_inputs(|| {
            if let At::New = at {
                let _ = std::fs::remove_file(&file.0);
            }
        })
        .bench_local_values(|()| save(&file.0));
}

fn save_npy<T: Serialize>(bencher: Bencher, at: At, value: &T, bytes: usize) {
    save(bencher, at, "npy", bytes, |path| {
        serde_npz::save_npy(path, value).unwrap();
    });
}

fn load_npy<T: Serialize + DeserializeOwned>(bencher: Bencher, value: T, bytes: usize) {
    let file = Scratch::new("npy");
    serde_npz::save_npy(&file.0, &value).unwrap();
    drop(value);
    bencher
        .counter(BytesCount::new(bytes))
        .bench_local(|| serde_npz::load_npy::<T>(&file.0).unwrap());
}

fn save_npz<T: Serialize>(bencher: Bencher, at: At, value: &T, options: &WriteOptions, bytes: usize) {
    save(bencher, at, "npz", bytes, |path| {
        options.save_npz(path, value).unwrap();
    });
}

fn load_npz<T: Serialize + DeserializeOwned>(
    bencher: Bencher,
    value: T,
    written: &WriteOptions,
    options: &ReadOptions,
    bytes: usize,
) {
    let file = Scratch::new("npz");
    written.save_npz(&file.0, &value).unwrap();
    drop(value);
    bencher
        .counter(BytesCount::new(bytes))
        .bench_local(|| options.load_npz::<T>(&file.0).unwrap());
}

/// One array of 128 MB.
#[divan::bench_group(sample_count = 10, sample_size = 1)]
mod f64_npy {
    use super::*;

    #[divan::bench(args = BOTH)]
    fn save(bencher: Bencher, at: At) {
        save_npy(bencher, at, &data::sines(LARGE), LARGE * 8);
    }

    #[divan::bench]
    fn load(bencher: Bencher) {
        load_npy(bencher, data::sines(LARGE), LARGE * 8);
    }
}

/// The same in four members.
#[divan::bench_group(sample_count = 10, sample_size = 1)]
mod four_npz {
    use super::*;

    #[divan::bench(args = BOTH, consts = [1, 2])]
    fn save<const THREADS: usize>(bencher: Bencher, at: At) {
        let options = WriteOptions::new().threads(THREADS);
        save_npz(bencher, at, &data::four(&data::sines(LARGE)), &options, LARGE * 8);
    }

    #[divan::bench(args = [1, 2])]
    fn load(bencher: Bencher, threads: usize) {
        let value = data::four(&data::sines(LARGE));
        let read = ReadOptions::new().threads(threads);
        load_npz(bencher, value, &WriteOptions::new(), &read, LARGE * 8);
    }
}

/// 16 MB, compressed and back, by one thread and by two.
#[divan::bench_group(sample_count = 10, sample_size = 1)]
mod deflated {
    use super::*;

    fn options(threads: usize) -> WriteOptions {
        WriteOptions::new().compressed().threads(threads)
    }

    #[divan::bench(args = [1, 2])]
    fn save_four(bencher: Bencher, threads: usize) {
        save_npz(
            bencher,
            At::Replaced,
            &data::four(&data::sines(DEFLATED)),
            &options(threads),
            DEFLATED * 8,
        );
    }

    #[divan::bench(args = [1, 2])]
    fn save_one(bencher: Bencher, threads: usize) {
        let value = data::One {
            x: data::sines(DEFLATED),
        };
        save_npz(bencher, At::Replaced, &value, &options(threads), DEFLATED * 8);
    }

    #[divan::bench]
    fn save_steps(bencher: Bencher) {
        let value = BTreeMap::from([("x", data::steps(DEFLATED))]);
        save_npz(bencher, At::Replaced, &value, &options(1), DEFLATED * 8);
    }

    #[divan::bench]
    fn save_gaussians(bencher: Bencher) {
        let value = data::One {
            x: data::gaussians(DEFLATED),
        };
        save_npz(bencher, At::Replaced, &value, &options(1), DEFLATED * 8);
    }

    #[divan::bench(args = [1, 2])]
    fn load_four(bencher: Bencher, threads: usize) {
        let value = data::four(&data::sines(DEFLATED));
        let read = ReadOptions::new().threads(threads);
        load_npz(bencher, value, &options(threads), &read, DEFLATED * 8);
    }
}

/// 1,000 members of 16 numbers.
mod many {
    use super::*;

    #[divan::bench(args = BOTH)]
    fn save(bencher: Bencher, at: At) {
        save_npz(bencher, at, &data::many(), &WriteOptions::new(), 1000 * 16 * 8);
    }

    #[divan::bench]
    fn load(bencher: Bencher) {
        load_npz(
            bencher,
            data::many(),
            &WriteOptions::new(),
            &ReadOptions::new(),
            1000 * 16 * 8,
        );
    }
}

/// 1,000 members without axes, and 100 groups of two.
mod small {
    use super::*;

    fn scalars() -> BTreeMap<String, f64> {
        (0..1000).map(|i| (format!("s{i:03}"), f64::from(i))).collect()
    }

    fn groups() -> BTreeMap<String, data::One> {
        (0..200)
            .map(|i| (format!("layer{i:03}"), data::One { x: data::sines(64) }))
            .collect()
    }

    #[divan::bench]
    fn save_scalars(bencher: Bencher) {
        save_npz(bencher, At::Replaced, &scalars(), &WriteOptions::new(), 8000);
    }

    #[divan::bench]
    fn load_scalars(bencher: Bencher) {
        load_npz(bencher, scalars(), &WriteOptions::new(), &ReadOptions::new(), 8000);
    }

    #[divan::bench]
    fn save_groups(bencher: Bencher) {
        save_npz(bencher, At::Replaced, &groups(), &WriteOptions::new(), 200 * 64 * 8);
    }

    #[divan::bench]
    fn load_groups(bencher: Bencher) {
        load_npz(
            bencher,
            groups(),
            &WriteOptions::new(),
            &ReadOptions::new(),
            200 * 64 * 8,
        );
    }
}

/// Two million structs, as a lone array and as the only member of an archive.
#[divan::bench_group(sample_count = 10, sample_size = 1)]
mod records {
    use super::*;

    #[derive(Serialize, Deserialize)]
    struct Member {
        x: Vec<data::Record>,
    }

    fn member() -> Member {
        Member {
            x: data::records(RECORDS),
        }
    }

    #[divan::bench(args = BOTH)]
    fn save(bencher: Bencher, at: At) {
        save_npy(bencher, at, &data::records(RECORDS), RECORDS * 24);
    }

    #[divan::bench]
    fn load(bencher: Bencher) {
        load_npy(bencher, data::records(RECORDS), RECORDS * 24);
    }

    #[divan::bench(args = BOTH)]
    fn save_archive(bencher: Bencher, at: At) {
        save_npz(bencher, at, &member(), &WriteOptions::new(), RECORDS * 24);
    }

    #[divan::bench]
    fn load_archive(bencher: Bencher) {
        let (write, read) = (WriteOptions::new(), ReadOptions::new());
        load_npz(bencher, member(), &write, &read, RECORDS * 24);
    }
}

/// Rows that come one by one.
#[divan::bench_group(sample_count = 10, sample_size = 1)]
mod rows {
    use serde_npz::{NpyWriter, NpzWriter};

    use super::*;

    fn push<T: Serialize>(bencher: Bencher, at: At, rows: &[T]) {
        save(bencher, at, "npy", size_of_val(rows), |path| {
            let mut npy = NpyWriter::create(path).unwrap();
            for row in rows {
                npy.push(row).unwrap();
            }
            npy.finish().unwrap();
        });
    }

    fn add_rows<T: Serialize>(bencher: Bencher, at: At, rows: &[T]) {
        save(bencher, at, "npz", size_of_val(rows), |path| {
            let mut npz = NpzWriter::create(path).unwrap();
            npz.add_rows("x", rows).unwrap();
            npz.finish().unwrap();
        });
    }

    #[divan::bench(args = BOTH)]
    fn push_f64(bencher: Bencher, at: At) {
        push(bencher, at, &data::sines(PUSHED));
    }

    #[divan::bench(args = BOTH)]
    fn push_records(bencher: Bencher, at: At) {
        push(bencher, at, &data::records(PUSHED));
    }

    #[divan::bench(args = BOTH)]
    fn add_rows_f64(bencher: Bencher, at: At) {
        add_rows(bencher, at, &data::sines(PUSHED));
    }

    #[divan::bench(args = BOTH)]
    fn add_rows_records(bencher: Bencher, at: At) {
        add_rows(bencher, at, &data::records(PUSHED));
    }
}

/// A million texts.
#[divan::bench_group(sample_count = 10, sample_size = 1)]
mod words {
    use super::*;

    const N: usize = 1_000_000;

    #[divan::bench(args = BOTH)]
    fn save(bencher: Bencher, at: At) {
        save_npy(bencher, at, &data::words(N), N * 48);
    }

    #[divan::bench]
    fn load(bencher: Bencher) {
        load_npy(bencher, data::words(N), N * 48);
    }
}

/// Archives of many members.
#[divan::bench_group(sample_count = 10, sample_size = 1)]
mod members {
    use serde_npz::NpzReader;

    use super::*;

    fn archive(count: usize, len: usize) -> Scratch {
        let file = Scratch::new("npz");
        let numbers = data::sines(len);
        let members: BTreeMap<_, _> = (0..count).map(|i| (format!("member_{i:05}"), &numbers)).collect();
        serde_npz::save_npz(&file.0, &members).unwrap();
        file
    }

    #[divan::bench]
    fn open_65600(bencher: Bencher) {
        let file = archive(65_600, 1);
        bencher.bench_local(|| NpzReader::open(&file.0).unwrap());
    }

    #[divan::bench]
    fn first_get_of_65600(bencher: Bencher) {
        let file = archive(65_600, 1);
        bencher
            .with_inputs(|| NpzReader::open(&file.0).unwrap())
            .bench_local_values(|mut npz| npz.get::<Vec<f64>>("member_40000").unwrap());
    }

    #[divan::bench]
    fn entries_of_1000(bencher: Bencher) {
        let file = archive(1000, 20_000);
        bencher
            .with_inputs(|| NpzReader::open(&file.0).unwrap())
            .bench_local_values(|mut npz| npz.entries().filter(|entry| entry.header().is_ok()).count());
    }

    #[divan::bench]
    fn save_list(bencher: Bencher) {
        save_npz(
            bencher,
            At::Replaced,
            &data::list(10_000),
            &WriteOptions::new(),
            10_000 * 48,
        );
    }

    #[divan::bench(args = [1, 2])]
    fn load_list(bencher: Bencher, threads: usize) {
        let read = ReadOptions::new().threads(threads);
        load_npz(bencher, data::list(10_000), &WriteOptions::new(), &read, 10_000 * 48);
    }
}

/// The plain order beside a foreign one, read from memory.
#[divan::bench_group(sample_count = 20)]
mod layouts {
    use super::*;

    const ROWS: usize = 2000;
    const COLUMNS: usize = 1000;

    /// A file by hand: we write little-endian C order only.
    fn file(descr: &str, fortran: &str, element: impl Fn(usize, usize) -> [u8; 8]) -> Vec<u8> {
        let text = format!("{{'descr': '{descr}', 'fortran_order': {fortran}, 'shape': ({ROWS}, {COLUMNS}), }}");
        let mut bytes = b"\x93NUMPY\x01\x00\x76\x00".to_vec();
        bytes.extend(format!("{text:117}\n").bytes());
        let (outer, inner) = if fortran == "True" {
            (COLUMNS, ROWS)
        } else {
            (ROWS, COLUMNS)
        };
        for i in 0..outer {
            bytes.extend((0..inner).flat_map(|j| element(i, j)));
        }
        bytes
    }

    fn read(bencher: Bencher, bytes: &[u8]) {
        bencher
            .counter(BytesCount::of_slice(bytes))
            .bench_local(|| serde_npz::from_npy_slice::<Vec<Vec<f64>>>(black_box(bytes)).unwrap());
    }

    #[divan::bench]
    fn plain(bencher: Bencher) {
        read(bencher, &file("<f8", "False", |i, j| ((i + j) as f64).to_le_bytes()));
    }

    #[divan::bench]
    fn swapped(bencher: Bencher) {
        read(bencher, &file(">f8", "False", |i, j| ((i + j) as f64).to_be_bytes()));
    }

    #[divan::bench]
    fn fortran(bencher: Bencher) {
        read(bencher, &file("<f8", "True", |i, j| ((i + j) as f64).to_le_bytes()));
    }
}

/// A million elements of each sort, in memory: whole slices where the type is known, one by one where it is not.
mod elements {
    use super::*;

    const N: usize = 1_000_000;

    /// A type of the user: every element comes on its own.
    #[derive(Serialize, Deserialize)]
    struct Metres(f64);

    #[derive(Serialize, Deserialize)]
    enum State {
        Idle,
        Running,
    }

    #[derive(Serialize, Deserialize)]
    struct Gaps {
        #[serde(with = "serde_npz::with::nan")]
        x: Vec<Option<f64>>,
    }

    fn write<T: Serialize>(bencher: Bencher, value: &T) {
        bencher
            .counter(ItemsCount::new(N))
            .bench_local(|| serde_npz::to_npy_vec(black_box(value)).unwrap());
    }

    fn read<T: Serialize + DeserializeOwned>(bencher: Bencher, value: &T) {
        let bytes = serde_npz::to_npy_vec(value).unwrap();
        bencher
            .counter(ItemsCount::new(N))
            .bench_local(|| serde_npz::from_npy_slice::<T>(black_box(&bytes)).unwrap());
    }

    fn gaps() -> Gaps {
        Gaps {
            x: (0..N).map(|i| (i % 3 > 0).then_some(i as f64)).collect(),
        }
    }

    macro_rules! both {
        ($($name:ident: $value:expr;)*) => { $(
            mod $name {
                use super::*;

                #[divan::bench]
                fn write(bencher: Bencher) {
                    super::write(bencher, &$value);
                }

                #[divan::bench]
                fn read(bencher: Bencher) {
                    super::read(bencher, &$value);
                }
            }
        )* };
    }

    both! {
        f64_whole: data::sines(N);
        f64_one_by_one: data::sines(N).into_iter().map(Metres).collect::<Vec<_>>();
        bool_whole: (0..N).map(|i| i % 3 == 0).collect::<Vec<_>>();
        f16_whole: data::sines(N).into_iter().map(f16::from_f64).collect::<Vec<_>>();
        complex_whole: data::sines(N).into_iter().map(|x| Complex::new(x, -x)).collect::<Vec<_>>();
        rows_of_1000: data::sines(N).chunks(1000).map(<[f64]>::to_vec).collect::<Vec<_>>();
        rows_of_4: data::short_rows(N);
        rows_of_3: (0..N).map(|i| [i as f64; 3]).collect::<Vec<_>>();
        pairs: (0..N).map(|i| (i as f64, 0.5)).collect::<Vec<_>>();
        mixed_tuples: (0..N).map(|i| (i as u32, (0.5, i as i64))).collect::<Vec<_>>();
        words: data::words(N);
        chars: data::words(N).iter().filter_map(|word| word.chars().next()).collect::<Vec<_>>();
        states: (0..N).map(|i| if i % 3 == 0 { State::Idle } else { State::Running }).collect::<Vec<_>>();
        options: (0..N).map(|i| Some(i as f64)).collect::<Vec<_>>();
    }

    #[divan::bench]
    fn gaps_write(bencher: Bencher) {
        let value = gaps();
        bencher
            .counter(ItemsCount::new(N))
            .bench_local(|| serde_npz::to_npz_vec(black_box(&value)).unwrap());
    }

    #[divan::bench]
    fn gaps_read(bencher: Bencher) {
        let bytes = serde_npz::to_npz_vec(&gaps()).unwrap();
        bencher
            .counter(ItemsCount::new(N))
            .bench_local(|| serde_npz::from_npz_slice::<Gaps>(black_box(&bytes)).unwrap());
    }
}
