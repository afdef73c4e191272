//! `--slice` in NumPy's syntax, and the elements it means, read in one pass.
//!
//! ```text
//! 0:10, :, -1     axes: a run, all, one index       elements are read in the file's order, the rest is skipped
//! ..., ::-1       the last axis backwards           then they are put into the order that was asked for
//! ```

use std::io::{self, Read};

use serde_npz::Header;

use crate::frame::data::Data;
use crate::frame::element::in_memory;
use crate::frame::fault::{Fault, Result};
use crate::frame::input::data_len;

/// How many bytes that nobody asked for are read rather than skipped.
const GAP: u64 = 4 << 10;

/// The places along one axis: runs of `count` places, `step` apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Axis {
    pub runs: Vec<Run>,
    /// Whether the axis is in the result: an index takes it away.
    pub kept: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Run {
    pub start: u64,
    pub step: i64,
    pub count: u64,
}

impl Axis {
    pub fn all(len: u64) -> Self {
        Axis::run(0, 1, len)
    }

    fn run(start: u64, step: i64, count: u64) -> Self {
        Axis {
            runs: vec![Run { start, step, count }],
            kept: true,
        }
    }

    pub fn count(&self) -> u64 {
        self.runs.iter().map(|run| run.count).sum()
    }

    /// The place in the file of the n-th of the result.
    pub fn place(&self, mut n: u64) -> u64 {
        for run in &self.runs {
            if n < run.count {
                return run.start.wrapping_add_signed(run.step.wrapping_mul(n as i64));
            }
            n -= run.count;
        }
        0
    }

    /// The first and last few alone, as NumPy's summary has them.
    pub fn ends(&self, front: u64, back: u64) -> Self {
        let count = self.count();
        if count <= front + back {
            return self.clone();
        }
        let mut runs = self.part(0, front).runs;
        runs.extend(self.part(count - back, back).runs);
        Axis { runs, kept: self.kept }
    }

    /// `count` places from the n-th on.
    pub fn part(&self, from: u64, count: u64) -> Self {
        let (mut from, mut count) = (from, count);
        let mut runs = Vec::new();
        for run in &self.runs {
            let skipped = from.min(run.count);
            let taken = count.min(run.count - skipped);
            if taken > 0 {
                let start = run.start.wrapping_add_signed(run.step.wrapping_mul(skipped as i64));
                runs.push(Run {
                    start,
                    step: run.step,
                    count: taken,
                });
            }
            from -= skipped;
            count -= taken;
        }
        Axis { runs, kept: self.kept }
    }
}

/// What a slice means for an array of this shape; an empty text is all of it.
pub fn parse(text: &str, shape: &[u64]) -> Result<Vec<Axis>> {
    let text = text.trim();
    let text = text
        .strip_prefix('[')
        .and_then(|rest| rest.strip_suffix(']'))
        .unwrap_or(text);
    let mut items: Vec<&str> = text.split(',').map(str::trim).collect();
    // `0,` is a tuple of one, as in Python.
    if items.last() == Some(&"") {
        items.pop();
    }
    let given = items.iter().filter(|item| **item != "...").count();
    if items.len() > given + 1 {
        return Err(wrong(text, "only one ... may stand in it"));
    }
    if given > shape.len() {
        return Err(wrong(text, &format!("the array has {} axes", shape.len())));
    }
    if items.len() == given {
        items.push("...");
    }
    let mut axes = Vec::new();
    let mut lens = shape.iter();
    for item in items {
        if item == "..." {
            axes.extend(lens.by_ref().take(shape.len() - given).map(|&len| Axis::all(len)));
        } else if let Some(&len) = lens.next() {
            axes.push(axis(item, len).map_err(|fact| wrong(text, &fact))?);
        }
    }
    Ok(axes)
}

fn wrong(text: &str, fact: &str) -> Fault {
    Fault::new(format_args!(
        "found the slice `{}`: {fact}",
        crate::frame::text::escape(text)
    ))
    .hint("a slice is NumPy's: --slice '0:10, :, -1', with ... for the axes between")
}

fn axis(item: &str, len: u64) -> Result<Axis, String> {
    let number = |text: &str| -> Result<Option<i128>, String> {
        match text.trim() {
            "" => Ok(None),
            text => text
                .parse()
                .map(Some)
                .map_err(|_| format!("`{}` is no integer", text.escape_debug())),
        }
    };
    let parts: Vec<&str> = item.split(':').collect();
    let size = i128::from(len);
    match parts[..] {
        [index] => {
            let index = number(index)?.ok_or("an index is missing")?;
            let place = if index < 0 { index + size } else { index };
            if !(0..size).contains(&place) {
                return Err(format!("index {index} is out of bounds for an axis of {len}"));
            }
            Ok(Axis {
                kept: false,
                ..Axis::run(place as u64, 1, 1)
            })
        }
        [start, stop] => range(number(start)?, number(stop)?, 1, size),
        [start, stop, step] => range(number(start)?, number(stop)?, number(step)?.unwrap_or(1), size),
        _ => Err("found more than two colons".into()),
    }
}

/// As Python's `slice.indices`.
fn range(start: Option<i128>, stop: Option<i128>, step: i128, size: i128) -> Result<Axis, String> {
    if step == 0 {
        return Err("a step must not be 0".into());
    }
    let (low, high) = if step > 0 { (0, size) } else { (-1, size - 1) };
    let place = |given: Option<i128>, missing: i128| match given {
        None => missing,
        Some(n) if n < 0 => n.saturating_add(size).max(low),
        Some(n) => n.min(high),
    };
    let (first, last) = if step > 0 { (low, high) } else { (high, low) };
    let (start, stop) = (place(start, first), place(stop, last));
    let span = if step > 0 { stop - start } else { start - stop };
    let by = step.saturating_abs();
    let count = if span > 0 { (span - 1) / by + 1 } else { 0 };
    let step = step.clamp(-(1 << 62), 1 << 62) as i64;
    Ok(Axis::run(start.max(0) as u64, step, count as u64))
}

/// The shape of the result.
pub fn shape(axes: &[Axis]) -> Vec<u64> {
    axes.iter().filter(|axis| axis.kept).map(Axis::count).collect()
}

/// Reads the elements of the axes; they are handed back in C order.
pub fn read(data: &mut Data<'_>, axes: &[Axis]) -> Result<Vec<u8>> {
    let header: Header = data.header().clone();
    let size = header.dtype().itemsize();
    let counts: Vec<u64> = axes.iter().map(Axis::count).collect();
    let total = counts.iter().try_fold(1_u64, |n, &count| n.checked_mul(count));
    let total = total.and_then(|n| n.checked_mul(size)).unwrap_or(u64::MAX);
    if total == 0 {
        return Ok(Vec::new());
    }
    let mut bytes = Vec::new();
    // Grows as bytes come: the count is only a claim.
    Elements::new(data, axes).read_to_end(&mut bytes)?;
    let is_upwards = axes.iter().all(|axis| upwards(axis) == *axis);
    if !header.fortran_order() && is_upwards {
        return Ok(bytes);
    }
    let order: Vec<usize> = file_order(&header).collect();
    Ok(arrange(&bytes, &order, axes, in_memory(size)))
}

/// The axes, outermost in the file first.
pub fn file_order(header: &Header) -> impl Iterator<Item = usize> {
    let (last, backwards) = (header.shape().len().wrapping_sub(1), header.fortran_order());
    (0..header.shape().len()).map(move |i| if backwards { last - i } else { i })
}

/// The same places, sorted.
fn upwards(axis: &Axis) -> Axis {
    let mut runs: Vec<Run> = axis
        .runs
        .iter()
        .filter(|run| run.count > 0)
        .map(|run| match run.step {
            ..0 => Run {
                start: run
                    .start
                    .wrapping_add_signed(run.step.wrapping_mul(run.count as i64 - 1)),
                step: run.step.wrapping_neg(),
                count: run.count,
            },
            _ => *run,
        })
        .collect();
    runs.sort_by_key(|run| run.start);
    Axis { runs, kept: axis.kept }
}

/// The elements that axes mean as a stream, in the file's order, each axis upwards.
pub struct Elements<'w, 'd> {
    data: &'w mut Data<'d>,
    pieces: Pieces,
    /// What is left of a piece.
    left: u64,
    /// The next byte of the data.
    at: u64,
    gap: Vec<u8>,
}

impl<'w, 'd> Elements<'w, 'd> {
    pub fn new(data: &'w mut Data<'d>, axes: &[Axis]) -> Self {
        Elements {
            pieces: Pieces::new(data.header(), axes),
            data,
            left: 0,
            at: 0,
            gap: Vec::new(),
        }
    }
}

impl Read for Elements<'_, '_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let mut got = 0;
        while got < buffer.len() {
            if self.left == 0 {
                let Some((from, count)) = self.pieces.next() else {
                    if self.at == data_len(self.data.header()) {
                        // A member compares its checksum where it is read to its end.
                        io::copy(self.data, &mut io::sink())?;
                    }
                    break;
                };
                let gap = from - self.at;
                if gap > GAP {
                    self.data.skip(gap)?;
                } else if gap > 0 {
                    self.gap.resize(in_memory(gap), 0);
                    self.data.read_exact(&mut self.gap)?;
                }
                (self.left, self.at) = (count, from + count);
            }
            let most = in_memory(self.left).min(buffer.len() - got);
            match self.data.read(&mut buffer[got..got + most])? {
                0 => return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "the data ends too early")),
                more => (got, self.left) = (got + more, self.left - more as u64),
            }
        }
        Ok(got)
    }
}

/// Runs of bytes in the file: where each begins and how long it is, upwards.
struct Pieces {
    /// The axes that are stepped through, with their strides, the outermost first; what is inside of them is whole.
    outer: Vec<(Axis, u64)>,
    /// How many bytes one place of the innermost of them has.
    size: u64,
    /// The place of each but the innermost.
    index: Vec<u64>,
    /// The run of the innermost, and the place in it.
    run: usize,
    place: u64,
    done: bool,
}

impl Pieces {
    fn new(header: &Header, axes: &[Axis]) -> Self {
        let order: Vec<usize> = file_order(header).collect();
        let mut stride = header.dtype().itemsize();
        let mut outer = Vec::new();
        for &axis in order.iter().rev() {
            let len = header.shape()[axis];
            if !outer.is_empty() || axes[axis].runs != Axis::all(len).runs {
                outer.insert(0, (upwards(&axes[axis]), stride));
            }
            stride = stride.saturating_mul(len);
        }
        Pieces {
            size: outer.last().map_or(stride, |(_, stride)| *stride),
            index: vec![0; outer.len().saturating_sub(1)],
            run: 0,
            place: 0,
            done: axes.iter().any(|axis| axis.count() == 0) || stride == 0,
            outer,
        }
    }

    /// One place further on the axes that are not the innermost.
    fn step(&mut self) {
        (self.run, self.place) = (0, 0);
        for (place, (axis, _)) in self.index.iter_mut().zip(&self.outer).rev() {
            *place += 1;
            if *place < axis.count() {
                return;
            }
            *place = 0;
        }
        self.done = true;
    }
}

impl Iterator for Pieces {
    type Item = (u64, u64);

    fn next(&mut self) -> Option<(u64, u64)> {
        if self.done {
            return None;
        }
        let Some((inner, stride)) = self.outer.last() else {
            self.done = true;
            return Some((0, self.size));
        };
        let outer = self.index.iter().zip(&self.outer);
        let base: u64 = outer.map(|(&n, (axis, stride))| axis.place(n) * stride).sum();
        let run = inner.runs[self.run];
        let (from, count) = if run.step == 1 {
            self.place = run.count;
            (run.start, run.count)
        } else {
            self.place += 1;
            let n = (self.place - 1) as i64;
            (run.start.wrapping_add_signed(run.step.wrapping_mul(n)), 1)
        };
        let piece = (base + from * stride, count * self.size);
        if self.place == run.count {
            (self.run, self.place) = (self.run + 1, 0);
            if self.run == inner.runs.len() {
                self.step();
            }
        }
        Some(piece)
    }
}

/// Elements in the file's order to C order, each axis in the direction that was asked for.
fn arrange(bytes: &[u8], order: &[usize], axes: &[Axis], size: usize) -> Vec<u8> {
    let counts: Vec<usize> = axes.iter().map(|axis| in_memory(axis.count())).collect();
    // Where the n-th place of an axis went when it was sorted.
    let ranks: Vec<Vec<usize>> = axes
        .iter()
        .map(|axis| {
            let places: Vec<u64> = (0..axis.count()).map(|n| axis.place(n)).collect();
            let mut sorted: Vec<usize> = (0..places.len()).collect();
            sorted.sort_by_key(|&n| places[n]);
            let mut ranks = vec![0; places.len()];
            for (rank, n) in sorted.into_iter().enumerate() {
                ranks[n] = rank;
            }
            ranks
        })
        .collect();
    let mut strides = vec![0; axes.len()];
    let mut stride = size;
    for &axis in order.iter().rev() {
        strides[axis] = stride;
        stride *= counts[axis];
    }
    let mut arranged = Vec::with_capacity(bytes.len());
    let mut index = vec![0; axes.len()];
    while arranged.len() < bytes.len() {
        let at: usize = (0..axes.len()).map(|i| ranks[i][index[i]] * strides[i]).sum();
        arranged.extend_from_slice(&bytes[at..at + size]);
        for i in (0..axes.len()).rev() {
            index[i] += 1;
            if index[i] < counts[i] {
                break;
            }
            index[i] = 0;
        }
    }
    arranged
}

#[cfg(test)]
mod tests {
    use super::*;

    fn places(text: &str, len: u64) -> Vec<u64> {
        let axes = parse(text, &[len]).unwrap();
        (0..axes[0].count()).map(|n| axes[0].place(n)).collect()
    }

    #[test]
    fn slices_are_those_of_python() {
        assert_eq!(places("", 3), [0, 1, 2]);
        assert_eq!(places("1:", 3), [1, 2]);
        assert_eq!(places("-2:", 3), [1, 2]);
        assert_eq!(places("::-1", 3), [2, 1, 0]);
        assert_eq!(places("5:1:-2", 10), [5, 3]);
        assert_eq!(places(":-100:-1", 3), [2, 1, 0]);
        assert_eq!(places("100:", 3), [0; 0]);
        assert_eq!(places("-1", 3), [2]);
        assert_eq!(places("::99999999999999999999", 3), [0]);
        assert_eq!(shape(&parse("0, ..., ::2", &[2, 3, 4, 5]).unwrap()), [3, 4, 3]);
        assert_eq!(shape(&parse("...", &[]).unwrap()), [0; 0]);
        for text in ["3", "-4", "::0", "a", "0:1:2:3", "0,0", "...,..."] {
            assert!(parse(text, &[3]).is_err(), "{text}");
        }
    }

    #[test]
    fn ends_are_those_of_the_result() {
        let axis = &parse("::-1", &[10]).unwrap()[0];
        let ends = axis.ends(2, 1);
        assert_eq!((0..ends.count()).map(|n| ends.place(n)).collect::<Vec<_>>(), [9, 8, 0]);
    }
}
