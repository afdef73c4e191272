//! Two arrays read in step, a piece of each at a time.

use std::io::Read;

use serde_npz::Header;

use super::elements::{self, Leaf, Tolerance, Verdict};
use crate::frame::fault::Fault;
use crate::frame::input::{Input, Member};

/// So many bytes of each array are in memory.
const PIECE: usize = 1 << 20;
/// Of an array whose order the other does not share.
const TILE: u64 = 16 << 20;
/// Elements beyond are compared as bytes.
const LARGEST_ELEMENT: u64 = 8 << 20;

/// Which elements differ, and how far.
#[derive(Default)]
pub struct Found {
    pub count: u64,
    pub max_abs: Option<f64>,
    pub max_rel: Option<f64>,
    /// Where the numbers are furthest apart; without such numbers the first element that differs.
    pub at: Option<Vec<u64>>,
    pub values: Vec<(Vec<u64>, String, String)>,
}

/// A fault, and whether the second file has it.
type Result<T> = std::result::Result<T, (Fault, bool)>;

/// Whether the whole members differ, byte for byte.
pub fn bytes_differ(a: &Member, b: &Member, from: &mut Input, to: &mut Input) -> Result<bool> {
    let mut ours = from.bytes(a).map_err(|fault| (fault, false))?;
    let mut theirs = to.bytes(b).map_err(|fault| (fault, true))?;
    let (mut left, mut right) = (vec![0; PIECE], vec![0; PIECE]);
    loop {
        let got = [fill(&mut ours, &mut left, false)?, fill(&mut theirs, &mut right, true)?];
        if left[..got[0]] != right[..got[1]] {
            return Ok(true);
        }
        if got[0] < PIECE {
            return Ok(false);
        }
    }
}

/// Compares element by element; both arrays have the same dtype and shape.
#[allow(clippy::too_many_arguments)]
pub fn values(
    a: &Member,
    b: &Member,
    header: &Header,
    other: &Header,
    from: &mut Input,
    to: &mut Input,
    tolerance: &Tolerance,
    shown: usize,
) -> Result<Found> {
    let size = header.dtype().itemsize();
    let count = crate::frame::input::count(header);
    let leaves = elements::leaves(header.dtype()).filter(|_| size <= LARGEST_ELEMENT);
    let (Some(leaves), true) = (leaves, size > 0) else {
        let differs = bytes_differ(a, b, from, to)?;
        return Ok(Found {
            count: u64::from(differs),
            ..Found::default()
        });
    };
    let mut comparison = Comparison {
        leaves: &leaves,
        size: usize::try_from(size).unwrap_or(usize::MAX),
        tolerance,
        shown,
        found: Found::default(),
        worst: None,
        first: None,
        skip_equal: !(tolerance.nan_differs && elements::may_be_nan(header.dtype())),
    };
    let order = |index: u64, header: &Header| position(index, header.shape(), header.fortran_order());
    if header.fortran_order() == other.fortran_order() {
        let mut ours = from.data(a).map_err(|fault| (fault, false))?;
        let mut theirs = to.data(b).map_err(|fault| (fault, true))?;
        let per = (PIECE as u64 / size).max(1).min(count.max(1));
        let len = usize::try_from(per * size).unwrap_or(usize::MAX);
        let (mut left, mut right) = (vec![0; len], vec![0; len]);
        let mut at = 0;
        while at < count {
            let len = usize::try_from(per.min(count - at) * size).unwrap_or(usize::MAX);
            exactly(&mut ours, &mut left[..len], false)?;
            exactly(&mut theirs, &mut right[..len], true)?;
            comparison.piece(&left[..len], &right[..len], at, &|index| order(index, header));
            at += per;
        }
        end(&mut ours, false)?;
        end(&mut theirs, true)?;
    } else {
        let mut start = 0;
        let per = (TILE / size).max(1);
        let mut ours = from.data(a).map_err(|fault| (fault, false))?;
        while start < count {
            // A tile of the one in its order, and of the other the elements that belong there: a pass over it a tile.
            let here = per.min(count - start);
            let len = usize::try_from(here * size).unwrap_or(usize::MAX);
            let (mut left, mut right) = (vec![0; len], vec![0; len]);
            exactly(&mut ours, &mut left, false)?;
            let mut theirs = to.data(b).map_err(|fault| (fault, true))?;
            let mut walk = Walk::new(other.shape(), header.fortran_order());
            let size = comparison.size;
            let per = (PIECE / size).max(1);
            let mut piece = vec![0; per * size];
            let mut left_over = count;
            while left_over > 0 {
                let now = (per as u64).min(left_over);
                let len = usize::try_from(now).unwrap_or(usize::MAX) * size;
                exactly(&mut theirs, &mut piece[..len], true)?;
                for element in piece[..len].chunks_exact(size) {
                    let index = walk.next();
                    if (start..start + here).contains(&index) {
                        let at = usize::try_from(index - start).unwrap_or(usize::MAX) * size;
                        right[at..at + size].copy_from_slice(element);
                    }
                }
                left_over -= now;
            }
            end(&mut theirs, true)?;
            comparison.piece(&left, &right, start, &|index| order(index, header));
            start += here;
        }
        end(&mut ours, false)?;
    }
    let Comparison {
        mut found,
        worst,
        first,
        ..
    } = comparison;
    found.at = worst
        .map(|(_, index)| index)
        .or(first)
        .map(|index| order(index, header));
    Ok(found)
}

struct Comparison<'a> {
    leaves: &'a [Leaf],
    size: usize,
    tolerance: &'a Tolerance,
    shown: usize,
    found: Found,
    /// The largest difference, and the element that has it.
    worst: Option<(f64, u64)>,
    first: Option<u64>,
    /// Whether equal bytes are equal elements.
    skip_equal: bool,
}

impl Comparison<'_> {
    fn piece(&mut self, a: &[u8], b: &[u8], start: u64, position: &dyn Fn(u64) -> Vec<u64>) {
        if self.skip_equal && a == b {
            return;
        }
        for (index, (a, b)) in (start..).zip(a.chunks_exact(self.size).zip(b.chunks_exact(self.size))) {
            if self.skip_equal && a == b {
                continue;
            }
            let Verdict { differs, abs, rel } = elements::compare(self.leaves, a, b, self.tolerance);
            if !differs {
                continue;
            }
            self.found.count += 1;
            self.first.get_or_insert(index);
            if let Some(abs) = abs
                && self.worst.is_none_or(|(worst, _)| abs > worst)
            {
                self.worst = Some((abs, index));
                self.found.max_abs = Some(abs);
            }
            if let Some(rel) = rel {
                self.found.max_rel = Some(self.found.max_rel.map_or(rel, |before| before.max(rel)));
            }
            if self.found.values.len() < self.shown {
                let [a, b] = [a, b].map(|element| elements::show(self.leaves, element));
                self.found.values.push((position(index), a, b));
            }
        }
    }
}

/// The index of the element that is stored as number `index`.
fn position(mut index: u64, shape: &[u64], fortran: bool) -> Vec<u64> {
    let mut at = vec![0; shape.len()];
    let mut axis = |axis: usize| {
        at[axis] = index % shape[axis].max(1);
        index /= shape[axis].max(1);
    };
    if fortran {
        (0..shape.len()).for_each(&mut axis)
    } else {
        (0..shape.len()).rev().for_each(&mut axis)
    }
    at
}

/// The elements of an array in one order, numbered in the other.
struct Walk<'a> {
    shape: &'a [u64],
    at: Vec<u64>,
    /// How far the number moves for a step along each axis.
    strides: Vec<u64>,
    number: u64,
    /// The axes from the fastest on.
    axes: Vec<usize>,
}

impl<'a> Walk<'a> {
    /// `numbered_fortran`: the numbers are those of Fortran order, and the walk is in C order; else the reverse.
    fn new(shape: &'a [u64], numbered_fortran: bool) -> Self {
        let mut strides = vec![1; shape.len()];
        let mut stride = 1_u64;
        let mut fastest: Vec<usize> = (0..shape.len()).collect();
        if !numbered_fortran {
            fastest.reverse();
        }
        for &axis in &fastest {
            strides[axis] = stride;
            stride = stride.saturating_mul(shape[axis]);
        }
        fastest.reverse();
        Walk {
            shape,
            at: vec![0; shape.len()],
            strides,
            number: 0,
            axes: fastest,
        }
    }

    fn next(&mut self) -> u64 {
        let number = self.number;
        for &axis in &self.axes {
            self.at[axis] += 1;
            self.number += self.strides[axis];
            if self.at[axis] < self.shape[axis] {
                break;
            }
            self.number -= self.strides[axis] * self.shape[axis];
            self.at[axis] = 0;
        }
        number
    }
}

fn fill(reader: &mut dyn Read, buf: &mut [u8], second: bool) -> Result<usize> {
    let mut got = 0;
    while got < buf.len() {
        match reader.read(&mut buf[got..]) {
            Ok(0) => break,
            Ok(n) => got += n,
            Err(err) if err.kind() == std::io::ErrorKind::Interrupted => {}
            Err(err) => return Err((serde_npz::Error::from(err).into(), second)),
        }
    }
    Ok(got)
}

fn exactly(reader: &mut dyn Read, buf: &mut [u8], second: bool) -> Result<()> {
    let got = fill(reader, buf, second)?;
    if got < buf.len() {
        return Err((
            Fault::new(format_args!(
                "found {got} bytes, expected {}: the data ends too early",
                buf.len()
            )),
            second,
        ));
    }
    Ok(())
}

/// Reads the end: there an archive compares its checksum.
fn end(reader: &mut dyn Read, second: bool) -> Result<()> {
    fill(reader, &mut [0], second).map(|_| ())
}
