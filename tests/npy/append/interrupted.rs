//! An array that grows while writes fail, processes are killed and others read it.

use std::fs;
use std::io::{self, BufRead, BufReader, Cursor, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use super::{Step, step};
use crate::common::{Scratch, child, repetitions, task};
use serde::de::DeserializeOwned;
use serde_npz::ErrorKind::Io;
use serde_npz::{Header, NpyReader, NpyWriter};

/// A writer whose n-th operation fails.
struct Faulty {
    inner: Cursor<Vec<u8>>,
    left: usize,
    /// Whether only this one fails.
    once: bool,
    /// Small writes byte by byte, large ones in halves.
    short: bool,
    interrupt: bool,
}

impl Faulty {
    fn step(&mut self) -> io::Result<()> {
        match self.left {
            0 => {
                self.left = if self.once { usize::MAX } else { 0 };
                Err(io::Error::new(io::ErrorKind::StorageFull, "no space"))
            }
            _ => {
                self.left -= 1;
                Ok(())
            }
        }
    }
}

impl Write for Faulty {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        self.interrupt = !self.interrupt;
        if self.interrupt {
            return Err(io::ErrorKind::Interrupted.into());
        }
        self.step()?;
        let most = match buf.len() {
            len if !self.short => len,
            len @ ..=8 => len.min(1),
            len => len / 2,
        };
        self.inner.write(&buf[..most])
    }

    fn flush(&mut self) -> io::Result<()> {
        self.step()
    }
}

impl Seek for Faulty {
    fn seek(&mut self, pos: SeekFrom) -> io::Result<u64> {
        self.step()?;
        self.inner.seek(pos)
    }
}

#[test]
fn whatever_fails_the_array_keeps_its_old_rows_and_the_error_stays() {
    for short in [false, true] {
        let mut failures = 0;
        for n in 0.. {
            let mut faulty = Faulty {
                inner: Cursor::new(Vec::new()),
                left: n,
                once: short,
                short,
                interrupt: false,
            };
            let (shown, error) = grow(&mut faulty);
            if let Some(rows) = shown {
                let values: Vec<f64> = serde_npz::from_npy_slice(faulty.inner.get_ref())
                    .unwrap_or_else(|err| panic!("operation {n}: unreadable after {rows} rows were flushed: {err}"));
                assert!(values.len() >= rows, "operation {n}: {} of {rows} rows", values.len());
                assert!(FLUSHED.contains(&values.len()), "operation {n}: {} rows", values.len());
                assert!(values.iter().enumerate().all(|(i, v)| *v == i as f64));
            }
            match error {
                Some(error) => assert_eq!(error.kind(), Io),
                None => break,
            }
            failures += 1;
        }
        assert!(failures > 20, "{failures} operations");
    }
}

const FLUSHED: [usize; 4] = [9, 10, 20_000, 20_001];

/// Writes rows until an error, which every later call has to repeat. Returns how many rows the last good flush held.
fn grow(faulty: &mut Faulty) -> (Option<usize>, Option<serde_npz::Error>) {
    let mut writer = match NpyWriter::new(faulty) {
        Ok(writer) => writer,
        Err(error) => return (None, Some(error)),
    };
    let mut shown = None;
    for rows in FLUSHED {
        let start = writer.len() as usize;
        let grown = writer
            .extend((start..rows).map(|i| i as f64))
            .and_then(|()| writer.flush());
        match grown {
            Ok(()) => shown = Some(rows),
            Err(error) => {
                let text = error.to_string();
                assert_eq!(writer.push(&1.0).unwrap_err().to_string(), text);
                assert_eq!(writer.flush().unwrap_err().to_string(), text);
                assert_eq!(writer.finish().map(drop).unwrap_err().to_string(), text);
                return (shown, Some(error));
            }
        }
    }
    (shown, writer.finish().err())
}

/// Row `i` of a file of this kind, as the killed processes write it.
fn row(kind: usize, i: u64) -> Row {
    let n = i as i32;
    match kind {
        0 => Row::Number(i as f64),
        1 => Row::Point([n, n.wrapping_mul(2), -n]),
        2 => Row::Step(step(i as u32, ["a", "bb", "ccc"][i as usize % 3])),
        // Large rows reach the file long before the header counts them.
        _ => Row::Frame(vec![i as u16; 9000]),
    }
}

#[derive(Debug, PartialEq)]
enum Row {
    Number(f64),
    Point([i32; 3]),
    Step(Step),
    Frame(Vec<u16>),
}

fn push(writer: &mut NpyWriter<fs::File>, row: &Row) -> serde_npz::Result<()> {
    match row {
        Row::Number(row) => writer.push(row),
        Row::Point(row) => writer.push(row),
        Row::Step(row) => writer.push(row),
        Row::Frame(row) => writer.push(row),
    }
}

/// Checks that every row is as it was written, and returns how many there are.
fn checked(kind: usize, path: &Path) -> u64 {
    fn all<T: DeserializeOwned>(kind: usize, path: &Path, wrap: fn(T) -> Row) -> u64 {
        let mut reader = NpyReader::open(path).expect("an array");
        let count = reader.header().shape()[0];
        let mut rows = 0;
        for found in reader.rows::<T>() {
            let found = wrap(found.expect("a row"));
            assert!(found == row(kind, rows), "row {rows} of {count}: {found:?}");
            rows += 1;
        }
        assert_eq!(rows, count);
        count
    }
    match kind {
        0 => all(kind, path, Row::Number),
        1 => all(kind, path, Row::Point),
        2 => all(kind, path, Row::Step),
        _ => all(kind, path, Row::Frame),
    }
}

/// Pseudo-random numbers (xorshift).
struct Random(u64);

impl Random {
    fn below(&mut self, n: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % n
    }
}

/// What a child is asked for: the kind of rows, what it does at random, the file; and the pipe for what it tells.
fn begin(task: &str) -> (usize, Random, &str, io::Stdout) {
    let (kind, rest) = task.split_once(' ').unwrap();
    let (seed, path) = rest.split_once(' ').unwrap();
    // Directly to the pipe: the test harness captures `print!`.
    let mut out = io::stdout();
    // The harness has printed `test ..` without a line end.
    writeln!(out).unwrap();
    (kind.parse().unwrap(), Random(seed.parse().unwrap()), path, out)
}

/// Appends rows and prints after each flush how many there are.
fn append_until_killed(task: &str) {
    let (kind, mut random, path, mut out) = begin(task);
    loop {
        let mut writer = NpyWriter::append(path).unwrap();
        for _ in 0..random.below(30) {
            for _ in 0..random.below(25) {
                let next = row(kind, writer.len());
                push(&mut writer, &next).unwrap();
            }
            writer.flush().unwrap();
            // Nobody reads the pipe any more: the parent has gone.
            if writeln!(out, "rows {}", writer.len()).is_err() {
                return;
            }
        }
        writer.finish().unwrap();
    }
}

/// Starts a process that appends and kills it after a while. Returns how many rows it had acknowledged.
fn kill_one(kind: usize, random: &mut Random, path: &Path) -> u64 {
    let task = format!("{kind} {} {}", random.0, path.display());
    let mut child = child(module_path!(), "killed_at_any_moment_no_acknowledged_row_is_lost", task)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap());
    let mut acknowledged = 0;
    let mut line = String::new();
    // A fifth of them at any moment after the start, the others while rows are written.
    let from_start = random.below(5) == 0;
    let wait = Duration::from_micros(random.below(if from_start { 20_000 } else { 6_000 }));
    let begun = Instant::now();
    let kill = |child: &mut Child| {
        std::thread::sleep(wait.saturating_sub(begun.elapsed()));
        child.kill().unwrap();
    };
    if from_start {
        kill(&mut child);
    }
    let mut killed = from_start;
    loop {
        line.clear();
        if lines.read_line(&mut line).unwrap() == 0 {
            break;
        }
        // A line that is cut off acknowledges nothing.
        if let Some(rows) = line.strip_suffix('\n').and_then(|line| line.strip_prefix("rows ")) {
            acknowledged = rows.parse().unwrap();
            if !killed {
                std::thread::sleep(wait);
                child.kill().unwrap();
                killed = true;
            }
        }
    }
    child.wait().unwrap();
    acknowledged
}

/// `SERDE_NPZ_KILLS` says how often.
#[test]
fn killed_at_any_moment_no_acknowledged_row_is_lost() {
    if let Some(task) = task() {
        return append_until_killed(task.to_str().unwrap());
    }
    let kills = repetitions("SERDE_NPZ_KILLS", 40, 200);
    let dir = Scratch::new("append-kill");
    let mut random = Random(0x9e37_79b9_7f4a_7c15);
    let mut paths: Vec<PathBuf> = (0..4).map(|kind| dir.path(&format!("{kind}-0.npy"))).collect();
    let (mut rows, mut uncounted, mut unborn) = (0, 0, 0);
    for round in 0..kills {
        let kind = round % 4;
        let path = &mut paths[kind];
        let before = if path.exists() { checked(kind, path) } else { 0 };
        let acknowledged = kill_one(kind, &mut random, path);
        if !path.exists() {
            assert_eq!(acknowledged, 0, "round {round}: no file");
            unborn += 1;
            continue;
        }
        let found = checked(kind, path);
        assert!(
            found >= acknowledged && found >= before,
            "round {round}: {found} rows, {acknowledged} acknowledged, {before} before"
        );
        rows += found - before;
        let bytes = fs::metadata(&*path).unwrap().len();
        let header = Header::read(&mut fs::File::open(&*path).unwrap()).unwrap();
        let row = header.dtype().itemsize() * header.shape()[1..].iter().product::<u64>();
        uncounted += u32::from(bytes > header.to_bytes().len() as u64 + row * found);
        if bytes > 1 << 20 {
            fs::remove_file(&*path).unwrap();
            *path = dir.path(&format!("{kind}-{round}.npy"));
        }
    }
    eprintln!("{kills} kills: {rows} rows kept, {uncounted} files with uncounted rows behind, {unborn} without a file");
    assert!(rows > 0);
}

/// Grows the file and cuts it, and prints before each step how many rows there are and will be.
fn truncate_until_killed(task: &str) {
    let (kind, mut random, path, mut out) = begin(task);
    loop {
        let mut writer = NpyWriter::append(path).unwrap();
        for _ in 0..random.below(10) {
            let now = writer.len();
            let then = random.below(300);
            // Nobody reads the pipe any more: the parent has gone.
            if writeln!(out, "rows {now} {then}").is_err() {
                return;
            }
            if then < now {
                writer.truncate(then).unwrap();
            } else {
                for i in now..then {
                    push(&mut writer, &row(kind, i)).unwrap();
                }
                writer.flush().unwrap();
            }
        }
        writer.finish().unwrap();
    }
}

#[test]
fn killed_at_any_moment_a_cut_has_happened_or_not() {
    if let Some(task) = task() {
        return truncate_until_killed(task.to_str().unwrap());
    }
    let dir = Scratch::new("truncate-kill");
    let mut random = Random(0x2545_f491_4f6c_dd1d);
    let (mut cuts, mut before) = (0, 0);
    for round in 0..repetitions("SERDE_NPZ_KILLS", 20, 100) {
        let kind = round % 4;
        let path = dir.path(&format!("{kind}.npy"));
        let task = format!("{kind} {} {}", random.0, path.display());
        let mut child = child(module_path!(), "killed_at_any_moment_a_cut_has_happened_or_not", task)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap());
        let wait = Duration::from_micros(random.below(8_000));
        let (mut line, mut last) = (String::new(), None);
        while lines.read_line(&mut line).unwrap() > 0 {
            if let Some(rows) = line.strip_suffix('\n').and_then(|line| line.strip_prefix("rows ")) {
                let (now, then) = rows.split_once(' ').unwrap();
                if last.is_none() {
                    std::thread::sleep(wait);
                    child.kill().unwrap();
                }
                last = Some([now, then].map(|rows| rows.parse::<u64>().unwrap()));
            }
            line.clear();
        }
        child.wait().unwrap();
        let [now, then] = last.unwrap();
        cuts += u32::from(then < now);
        if !path.exists() {
            assert_eq!(now, 0, "round {round}: no file");
            continue;
        }
        let found = checked(kind, &path);
        assert!(
            [now, then].contains(&found),
            "round {round}: {found} rows, not {now} or {then}"
        );
        before += u32::from(found == now);
        assert_eq!(NpyWriter::append(&path).unwrap().len(), found);
    }
    eprintln!("killed in {cuts} cuts, {before} times before the number was there");
}

#[test]
fn readers_meanwhile_see_whole_rows_only_and_never_fewer() {
    let dir = Scratch::new("append-readers");
    let path = dir.path("log.npy");
    let ended = AtomicBool::new(false);
    let mut writer = NpyWriter::create(&path).unwrap();
    push(&mut writer, &row(1, 0)).unwrap();
    writer.flush().unwrap();
    let reads = std::thread::scope(|scope| {
        let readers: Vec<_> = (0..2)
            .map(|_| {
                scope.spawn(|| {
                    let (mut rows, mut reads) = (1, 0);
                    while !ended.load(Ordering::Relaxed) {
                        let now = checked(1, &path);
                        assert!(now >= rows, "{now} rows after {rows}");
                        rows = now;
                        reads += 1;
                    }
                    reads
                })
            })
            .collect();
        let begun = Instant::now();
        // Long enough for counts of up to four digits.
        while writer.len() < 1200 && begun.elapsed() < Duration::from_secs(10) {
            let next = row(1, writer.len());
            push(&mut writer, &next).unwrap();
            writer.flush().unwrap();
        }
        ended.store(true, Ordering::Relaxed);
        readers.into_iter().map(|reader| reader.join().unwrap()).sum::<u64>()
    });
    assert_eq!(checked(1, &path), writer.len());
    assert!(reads > 2, "{reads} reads");
}
