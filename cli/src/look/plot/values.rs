//! The numbers of a plot as floats, read a block at a time, each with its place in the array.
//!
//! ```text
//! streams    x0 x1 x2 ..       one member, or several of one length side by side
//!            y0 y1 y2 ..
//! elements   x0 y0 x1 y1 ..    as if they were the records of one array
//! series     x, y              what is taken out of each element
//! ```

use std::io::{self, Read};
use std::path::Path;

use serde_npz::Header;

use super::clock::Clock;
use crate::frame::context::Context;
use crate::frame::element::in_memory;
use crate::frame::fault::{Fault, Result};
use crate::frame::input::{Input, Member};
use crate::frame::slice::{self, Axis, Elements};
use crate::look::stats::column::{Column, Kind};
use crate::look::stats::pass;

/// One column of numbers.
#[derive(Clone)]
pub struct Series {
    pub name: String,
    pub column: Column,
    pub part: Part,
    /// Which number of a subarray; all of them without one.
    pub item: Option<usize>,
    /// Tells which values are there.
    pub mask: Option<Column>,
    /// How the numbers are times.
    pub clock: Option<Clock>,
}

/// What is taken of a complex number.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Part {
    Whole,
    Real,
    Imaginary,
    Magnitude,
}

impl Series {
    fn values(&self, block: &[u8], element: usize) -> Vec<f64> {
        let column = &self.column;
        let mut values: Vec<f64> = match column.kind {
            Kind::Complex => {
                let numbers = column.parts(block, element).map(|bytes| column.layout.complex(bytes));
                let part = |(re, im): (f64, f64)| match self.part {
                    Part::Imaginary => im,
                    Part::Magnitude => re.hypot(im),
                    Part::Real | Part::Whole => re,
                };
                numbers.map(part).collect()
            }
            _ => column.numbers(block, element),
        };
        if let Some(item) = self.item {
            values = values.into_iter().skip(item).step_by(column.repeat.max(1)).collect();
        }
        if let Some(mask) = self.mask.as_ref().filter(|_| values.len() * element == block.len()) {
            for (value, there) in values.iter_mut().zip(mask.uints(block, element)) {
                if there == 0 {
                    *value = f64::NAN;
                }
            }
        }
        if let Some(clock) = &self.clock {
            values.iter_mut().for_each(|value| *value = clock.seconds(*value));
        }
        values
    }
}

/// A member, and what of it is plotted.
#[derive(Clone)]
pub struct Stream<'m> {
    pub member: &'m Member,
    pub header: &'m Header,
    pub axes: Vec<Axis>,
}

/// What is read at once.
pub struct Source<'m> {
    pub streams: Vec<Stream<'m>>,
    pub series: Vec<Series>,
}

/// A file, opened as often as members of it are read side by side.
pub struct Pool<'c> {
    path: &'c Path,
    context: &'c Context,
    inputs: Vec<Input>,
}

impl<'c> Pool<'c> {
    pub fn open(path: &'c Path, context: &'c Context) -> Result<Self> {
        let input = Input::open_spooled(path, context)?;
        Ok(Pool {
            path,
            context,
            inputs: vec![input],
        })
    }

    pub fn first(&mut self) -> &mut Input {
        &mut self.inputs[0]
    }

    fn several(&mut self, count: usize) -> Result<&mut [Input]> {
        while self.inputs.len() < count {
            if !self.path.is_file() {
                let hint = "save it in a file first";
                return Err(Fault::new("only a file can be read at two places at once").hint(hint));
            }
            self.inputs.push(Input::open(self.path, self.context)?);
        }
        Ok(&mut self.inputs[..count])
    }
}

/// Values that lie side by side in the file and along one axis.
pub struct Place<'p> {
    /// Of the first value.
    pub index: &'p [u64],
    /// The axis they lie along, and in which direction.
    pub axis: usize,
    pub backwards: bool,
}

impl Place<'_> {
    /// The index along `axis` of the n-th value.
    pub fn along(&self, axis: usize, n: usize) -> u64 {
        let first = self.index.get(axis).copied().unwrap_or(0);
        match (axis == self.axis, self.backwards) {
            (false, _) => first,
            (true, false) => first + n as u64,
            (true, true) => first.saturating_sub(n as u64),
        }
    }
}

impl Source<'_> {
    /// The shape of what is plotted.
    pub fn shape(&self) -> Vec<u64> {
        slice::shape(&self.streams[0].axes)
    }

    pub fn count(&self) -> u64 {
        self.shape().iter().fold(1, |n, &axis| n.saturating_mul(axis))
    }

    /// The axes that are in the result.
    pub fn kept(&self) -> impl Iterator<Item = &Axis> {
        self.streams[0].axes.iter().filter(|axis| axis.kept)
    }

    /// Calls `sink` with the values of each series of block after block.
    pub fn blocks(&self, pool: &mut Pool<'_>, mut sink: impl FnMut(Vec<Vec<f64>>)) -> Result<()> {
        let count = self.count();
        let sizes: Vec<usize> = self.streams.iter().map(Stream::size).collect();
        let element: usize = sizes.iter().fold(0, |sum, &size| sum.saturating_add(size));
        if count == 0 || element == 0 {
            return Ok(());
        }
        let series = &self.series;
        let work = |block: &[u8]| series.iter().map(|one| one.values(block, element)).collect::<Vec<_>>();
        let mut open = Vec::new();
        for (input, stream) in pool.several(self.streams.len())?.iter_mut().zip(&self.streams) {
            open.push((input.data(stream.member)?, &*stream.axes));
        }
        let mut streams: Vec<Elements<'_, '_>> =
            open.iter_mut().map(|(data, axes)| Elements::new(data, axes)).collect();
        let len = count.saturating_mul(element as u64);
        match &mut streams[..] {
            [one] => pass::run(one, element, len, work, &mut sink),
            _ => pass::run(Beside::new(streams, sizes), element, len, work, &mut sink),
        }
    }

    /// Calls `sink` with runs of values that lie along one axis. A series needs one number an element.
    pub fn runs(&self, pool: &mut Pool<'_>, mut sink: impl FnMut(&Place<'_>, &[&[f64]])) -> Result<()> {
        let axes = &self.streams[0].axes;
        let kept = |axis: usize| axes[..axis].iter().filter(|axis| axis.kept).count();
        // As the elements lie in the file, outermost first.
        let dims: Vec<(usize, u64, bool)> = slice::file_order(self.streams[0].header)
            .filter(|&axis| axes[axis].kept)
            .map(|axis| {
                (
                    kept(axis),
                    axes[axis].count(),
                    axes[axis].runs.iter().any(|run| run.step < 0),
                )
            })
            .collect();
        let mut index = vec![0; dims.len()];
        let mut at = 0_u64;
        self.blocks(pool, |values| {
            let count = values.iter().map(Vec::len).min().unwrap_or(0);
            let mut done = 0;
            while done < count {
                let (axis, len, backwards) = dims.last().copied().unwrap_or((0, 1, false));
                let mut rest = at;
                for &(axis, len, backwards) in dims.iter().rev() {
                    let n = rest % len.max(1);
                    rest /= len.max(1);
                    index[axis] = if backwards { len - 1 - n } else { n };
                }
                let run = in_memory(len - at % len.max(1)).min(count - done);
                let place = Place {
                    index: &index,
                    axis,
                    backwards,
                };
                let part: Vec<&[f64]> = values.iter().map(|values| &values[done..done + run]).collect();
                sink(&place, &part);
                (done, at) = (done + run, at + run as u64);
            }
        })
    }
}

impl Stream<'_> {
    fn size(&self) -> usize {
        in_memory(self.header.dtype().itemsize())
    }
}

/// The elements of several streams in turn.
struct Beside<'w, 'd> {
    streams: Vec<Elements<'w, 'd>>,
    sizes: Vec<usize>,
    buffers: Vec<Vec<u8>>,
    /// How many elements of the buffers have been handed on.
    taken: usize,
    /// Bytes of a group of elements that did not fit.
    rest: Vec<u8>,
}

impl<'w, 'd> Beside<'w, 'd> {
    fn new(streams: Vec<Elements<'w, 'd>>, sizes: Vec<usize>) -> Self {
        Beside {
            buffers: vec![Vec::new(); streams.len()],
            streams,
            sizes,
            taken: 0,
            rest: Vec::new(),
        }
    }
}

impl Read for Beside<'_, '_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.rest.is_empty() {
            if self.taken * self.sizes[0] >= self.buffers[0].len() {
                self.taken = 0;
                for ((stream, bytes), &size) in self.streams.iter_mut().zip(&mut self.buffers).zip(&self.sizes) {
                    bytes.clear();
                    let most = size * ELEMENTS;
                    stream.take(most as u64).read_to_end(bytes)?;
                }
                if self.buffers.iter().any(Vec::is_empty) {
                    return Ok(0);
                }
            }
            while self.rest.len() < buffer.len() && self.taken * self.sizes[0] < self.buffers[0].len() {
                for (bytes, &size) in self.buffers.iter().zip(&self.sizes) {
                    let element = bytes.get(self.taken * size..(self.taken + 1) * size);
                    self.rest.extend_from_slice(element.unwrap_or_default());
                }
                self.taken += 1;
            }
        }
        let got = self.rest.len().min(buffer.len());
        buffer[..got].copy_from_slice(&self.rest[..got]);
        self.rest.drain(..got);
        Ok(got)
    }
}

/// Of each stream at once.
const ELEMENTS: usize = 4 << 10;
