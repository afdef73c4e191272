//! The data of one array in C order, taken element by element or in large pieces.

mod axes;

use std::borrow::Cow;

use self::axes::Axes;
use crate::error::Result;
use crate::format::dtype::{Kind, Order};
use crate::format::header::Header;
use crate::io::source::{Source, in_memory, read_full, read_grow, truncated};
use crate::npy::de::budget::limit;
use crate::npy::de::plan::Plan;
use crate::npy::de::transpose::transpose_bytes;
use crate::npy::whole;
use crate::npy::whole::Fill;
use crate::options::ReadOptions;

/// How much is fetched from a stream at once: little enough to stay in the processor's cache until it is used.
const CHUNK: u64 = 64 * 1024;

/// The bytes of one element.
#[derive(Clone, Copy)]
pub(crate) enum Bytes<'a, 'de> {
    /// They live as long as the input.
    Lent(&'de [u8]),
    /// They live until the next element is fetched.
    Seen(&'a [u8]),
}

impl<'a, 'de> Bytes<'a, 'de> {
    #[inline]
    pub(crate) fn get(self) -> &'a [u8]
    where
        'de: 'a,
    {
        match self {
            Bytes::Lent(bytes) => bytes,
            Bytes::Seen(bytes) => bytes,
        }
    }

    /// A part of the element. Never out of range: the dtype was checked when the header was read.
    #[inline(always)]
    pub(crate) fn part(self, start: u64, len: u64) -> Self {
        let range = in_memory(start)..in_memory(start + len);
        match self {
            Bytes::Lent(bytes) => Bytes::Lent(bytes.get(range).unwrap_or_else(nothing)),
            Bytes::Seen(bytes) => Bytes::Seen(bytes.get(range).unwrap_or_else(nothing)),
        }
    }
}

#[cold]
fn nothing<'a>() -> &'a [u8] {
    &[]
}

/// An array while it is read: its header, and what is left of its bytes.
pub(crate) struct ArrayData<'s, 'de> {
    pub(crate) header: Header,
    pub(crate) plan: &'s Plan,
    /// How the target sees its axes.
    axes: Axes,
    data: Data<'s, 'de>,
}

enum Data<'s, 'de> {
    Lent(&'de [u8]),
    /// Fetched chunk by chunk; `left` bytes are still in the source.
    Stream {
        source: &'s mut dyn Source<'de>,
        chunk: Vec<u8>,
        at: usize,
        left: u64,
    },
    /// In Fortran order: transposed as a whole when the first element is taken.
    Fortran(Box<Data<'s, 'de>>),
    /// A whole array that was transposed to C order.
    Owned {
        bytes: Vec<u8>,
        at: usize,
    },
}

impl<'s, 'de> ArrayData<'s, 'de> {
    pub(crate) fn new(
        header: Header,
        plan: &'s Plan,
        source: &'s mut dyn Source<'de>,
        options: &ReadOptions,
    ) -> Result<Self> {
        check_limits(&header, options)?;
        ArrayData::within_limits(header, plan, source)
    }

    /// As [`ArrayData::new`], for a part of an array whose limits have been checked.
    pub(super) fn within_limits(header: Header, plan: &'s Plan, source: &'s mut dyn Source<'de>) -> Result<Self> {
        let len = header.data_len();
        let mut data = match source.lend(len) {
            Some(lent) => Data::Lent(lent?),
            None => Data::Stream {
                source,
                chunk: Vec::new(),
                at: 0,
                left: len,
            },
        };
        if header.fortran_order() && header.shape().len() > 1 {
            data = Data::Fortran(Box::new(data));
        }
        let mut array = ArrayData {
            header,
            plan,
            axes: Axes::Whole,
            data,
        };
        array.open(0);
        Ok(array)
    }

    /// Leaves it to the target how it sees the axes but for the first `settled` ones, if `squeeze` allows that.
    pub(super) fn open(&mut self, settled: usize) {
        if self.plan.squeeze {
            self.axes = Axes::Open { settled };
        }
    }

    /// The next `n` bytes, if they live as long as the input.
    pub(crate) fn lent(&mut self, n: u64) -> Option<&'de [u8]> {
        let Data::Lent(bytes) = &mut self.data else { return None };
        let (now, rest) = bytes.split_at_checked(usize::try_from(n).ok()?)?;
        *bytes = rest;
        Some(now)
    }

    /// The next `n` bytes.
    #[inline(always)]
    pub(crate) fn take(&mut self, n: u64) -> Result<Bytes<'_, 'de>> {
        let len = in_memory(n);
        let ready = match &self.data {
            Data::Stream { chunk, at, .. } => chunk.len() - at,
            Data::Lent(bytes) => bytes.len(),
            _ => 0,
        };
        // Nearly every element is ready, and no function is called for it.
        if ready < len || len == 0 {
            return self.take_next(n);
        }
        match &mut self.data {
            Data::Stream { chunk, at, .. } => {
                let start = *at;
                *at += len;
                Ok(Bytes::Seen(&chunk[start..start + len]))
            }
            Data::Lent(bytes) => {
                let (now, rest) = bytes.split_at(len);
                *bytes = rest;
                Ok(Bytes::Lent(now))
            }
            // `ready` was 0: not reached.
            _ => Err(truncated(0, n)),
        }
    }

    /// Transposes or fetches until `n` bytes are ready. Returns how many are.
    fn make_ready(&mut self, n: u64) -> Result<u64> {
        if matches!(self.data, Data::Fortran(_)) {
            self.make_c_order()?;
        }
        if let Data::Stream {
            source,
            chunk,
            at,
            left,
        } = &mut self.data
            && ((chunk.len() - *at) as u64) < n
        {
            refill(*source, chunk, at, left, n)?;
        }
        let ready = match &self.data {
            Data::Lent(bytes) => bytes.len(),
            Data::Stream { chunk, at, .. } => chunk.len() - at,
            Data::Owned { bytes, at } => bytes.len() - at,
            // Transposed above.
            Data::Fortran(_) => 0,
        } as u64;
        if ready < n { Err(truncated(ready, n)) } else { Ok(ready) }
    }

    /// `take` of bytes that have to be fetched or transposed first, or that are missing.
    #[inline(never)]
    fn take_next(&mut self, n: u64) -> Result<Bytes<'_, 'de>> {
        self.make_ready(n)?;
        let len = in_memory(n);
        match &mut self.data {
            Data::Lent(bytes) => {
                let (now, rest) = bytes.split_at(len);
                *bytes = rest;
                Ok(Bytes::Lent(now))
            }
            Data::Owned { bytes, at } | Data::Stream { chunk: bytes, at, .. } => {
                let start = *at;
                *at += len;
                Ok(Bytes::Seen(&bytes[start..*at]))
            }
            // Transposed above.
            Data::Fortran(_) => Err(truncated(0, n)),
        }
    }

    /// Transposes an array in Fortran order.
    #[cold]
    fn make_c_order(&mut self) -> Result<()> {
        let mut transposed = whole::zeroed(usize::try_from(self.known_len()).unwrap_or(0))?;
        if transposed.len() as u64 == self.header.data_len() {
            self.transpose_into(&mut transposed)?;
        } else {
            // How many bytes are there is not known, so memory for the result is taken after they have been read.
            let bytes = self.whole()?;
            transposed = whole::zeroed(bytes.len())?;
            self.transpose(&bytes, &mut transposed);
        }
        self.data = Data::Owned {
            bytes: transposed,
            at: 0,
        };
        Ok(())
    }

    /// All elements in C order, of an array in Fortran order.
    fn transpose_into(&mut self, into: &mut [u8]) -> Result<()> {
        let bytes = self.whole()?;
        self.transpose(&bytes, into);
        Ok(())
    }

    fn transpose(&self, bytes: &[u8], into: &mut [u8]) {
        // All elements are in memory, so every axis fits.
        let shape: Vec<usize> = self.header.shape().iter().map(|&axis| in_memory(axis)).collect();
        transpose_bytes(bytes, into, &shape, in_memory(self.header.dtype().itemsize()));
    }

    /// The whole data, untransposed. Only before the first element is taken.
    pub(crate) fn whole(&mut self) -> Result<Cow<'de, [u8]>> {
        self.keep_order();
        let len = self.header.data_len();
        if let Some(lent) = self.lent(len) {
            return Ok(Cow::Borrowed(lent));
        }
        Ok(Cow::Owned(whole::collect_bytes(len, self)?))
    }

    /// Switches to the order of the file: nothing is transposed any more. Returns whether that is Fortran order.
    pub(crate) fn keep_order(&mut self) -> bool {
        let Data::Fortran(inner) = &mut self.data else {
            return false;
        };
        let inner = std::mem::replace(&mut **inner, Data::Lent(&[]));
        self.data = inner;
        true
    }

    /// How many bytes are known to be there, unless they are lent.
    pub(crate) fn copied_len(&self) -> u64 {
        match self.data {
            Data::Lent(_) => 0,
            _ => self.known_len(),
        }
    }

    /// Skips `n` bytes.
    pub(crate) fn skip(&mut self, mut n: u64) -> Result<()> {
        if matches!(self.data, Data::Fortran(_)) {
            // If only a part is skipped, the rest has to be in C order.
            if n < self.header.data_len() {
                self.make_c_order()?;
            } else {
                self.keep_order();
            }
        }
        while n > 0 {
            let step = n.min(CHUNK);
            self.take(step)?;
            n -= step;
        }
        Ok(())
    }

    /// The next `n` bytes as a vector.
    pub(crate) fn take_buf(&mut self, n: u64) -> Result<Vec<u8>> {
        if matches!(self.data, Data::Fortran(_)) {
            self.make_c_order()?;
        }
        whole::collect_bytes(n, self)
    }

    /// The elements in the byte order of this machine.
    pub(crate) fn native_order(&mut self) -> NativeOrder<'_, 's, 'de> {
        let swap = match self.header.dtype().kind {
            Kind::Int { size, order } | Kind::Uint { size, order } | Kind::Float { size, order }
                if order != Order::NATIVE =>
            {
                size.into()
            }
            Kind::Complex { size, order } if order != Order::NATIVE => usize::from(size) / 2,
            _ => 1,
        };
        NativeOrder { data: self, swap }
    }
}

impl Data<'_, '_> {
    /// How many bytes are known to be there.
    fn known_len(&self) -> u64 {
        match self {
            Data::Lent(bytes) => bytes.len() as u64,
            Data::Owned { bytes, at } => (bytes.len() - at) as u64,
            Data::Stream { source, chunk, at, .. } => source.known_len() + (chunk.len() - at) as u64,
            Data::Fortran(inner) => inner.known_len(),
        }
    }
}

impl Fill for ArrayData<'_, '_> {
    fn known_len(&self) -> u64 {
        self.data.known_len().min(self.header.data_len())
    }

    fn fill(&mut self, into: &mut [u8]) -> Result<()> {
        if matches!(self.data, Data::Fortran(_)) && into.len() as u64 == self.header.data_len() {
            return self.transpose_into(into);
        }
        if let Data::Stream {
            source,
            chunk,
            at,
            left,
        } = &mut self.data
        {
            let ready = (chunk.len() - *at).min(into.len());
            let (first, rest) = into.split_at_mut(ready);
            first.copy_from_slice(&chunk[*at..*at + ready]);
            *at += ready;
            let got = read_full(*source, rest)?;
            if got < rest.len() {
                return Err(truncated((ready + got) as u64, *left + ready as u64));
            }
            *left -= got as u64;
            return Ok(());
        }
        let bytes = self.take(into.len() as u64)?.get();
        into.copy_from_slice(bytes);
        Ok(())
    }

    fn chunk(&mut self, itemsize: usize, most: usize) -> Result<&[u8]> {
        let ready = self.make_ready(itemsize as u64)?;
        let count = (ready / itemsize as u64).min(most as u64);
        Ok(self.take(count * itemsize as u64)?.get())
    }
}

/// Numbers in the byte order of this machine; their bytes are swapped while they are read, if the file has the other order.
pub(crate) struct NativeOrder<'a, 's, 'de> {
    data: &'a mut ArrayData<'s, 'de>,
    /// How many bytes are reversed at a time; 1 changes nothing.
    swap: usize,
}

impl Fill for NativeOrder<'_, '_, '_> {
    fn known_len(&self) -> u64 {
        self.data.known_len()
    }

    fn fill(&mut self, into: &mut [u8]) -> Result<()> {
        if self.swap == 1 {
            return self.data.fill(into);
        }
        let transposed = matches!(self.data.data, Data::Fortran(_));
        if transposed {
            self.data.fill(into)?;
        }
        // The chunk size is a multiple of every itemsize: no number is cut in two.
        for chunk in into.chunks_mut(in_memory(CHUNK)) {
            if !transposed {
                self.data.fill(chunk)?;
            }
            whole::swap(chunk, self.swap);
        }
        Ok(())
    }

    fn chunk(&mut self, itemsize: usize, most: usize) -> Result<&[u8]> {
        self.data.chunk(itemsize, most)
    }
}

/// The state of an array between two rows, while its source is free for others.
pub(crate) struct Suspended {
    header: Header,
    /// Bytes fetched ahead; those before `at` have been taken.
    ahead: Vec<u8>,
    at: usize,
    /// Bytes of the array that are still in the source.
    left: u64,
}

impl<'s, 'de> ArrayData<'s, 'de> {
    /// Releases the source until the next row. An array in Fortran order is read and transposed before.
    pub(crate) fn suspend(mut self) -> Result<Suspended> {
        if matches!(self.data, Data::Fortran(_)) {
            self.make_c_order()?;
        }
        let (ahead, at, left) = match self.data {
            Data::Lent(bytes) => (bytes.to_vec(), 0, 0),
            Data::Owned { bytes, at } => (bytes, at, 0),
            Data::Stream { chunk, at, left, .. } => (chunk, at, left),
            // Transposed above.
            Data::Fortran(_) => (Vec::new(), 0, 0),
        };
        Ok(Suspended {
            header: self.header,
            ahead,
            at,
            left,
        })
    }

    /// How many bytes of the array have not been taken yet.
    pub(crate) fn remaining(&self) -> u64 {
        match &self.data {
            Data::Lent(bytes) => bytes.len() as u64,
            Data::Owned { bytes, at } => (bytes.len() - at) as u64,
            Data::Stream { chunk, at, left, .. } => (chunk.len() - at) as u64 + left,
            Data::Fortran(_) => self.header.data_len(),
        }
    }
}

impl Suspended {
    /// Rows that are in memory, in C order.
    pub(crate) fn in_memory(header: Header, rows: Vec<u8>) -> Self {
        Suspended {
            header,
            ahead: rows,
            at: 0,
            left: 0,
        }
    }

    /// Continues with the source and the plan it was suspended from.
    pub(crate) fn resume<'s, 'de>(self, plan: &'s Plan, source: &'s mut dyn Source<'de>) -> ArrayData<'s, 'de> {
        ArrayData {
            header: self.header,
            plan,
            axes: Axes::Whole,
            data: Data::Stream {
                source,
                chunk: self.ahead,
                at: self.at,
                left: self.left,
            },
        }
    }

    /// How many bytes of the array are still in the source.
    pub(crate) fn left(&self) -> u64 {
        self.left
    }

    /// The caller has moved the source, which now has `left` bytes of the array.
    pub(crate) fn moved(&mut self, left: u64) {
        self.ahead.clear();
        self.at = 0;
        self.left = left;
    }

    /// Continues at byte `at` of an array that is in memory as a whole.
    pub(crate) fn wind(&mut self, at: u64) {
        self.at = in_memory(at).min(self.ahead.len());
    }
}

/// An error for an array that is larger than the options allow.
pub(crate) fn check_limits(header: &Header, options: &ReadOptions) -> Result<()> {
    let limits = &options.limits;
    let len = header.data_len();
    if header.count() > limits.elements {
        return Err(limit("elements", header.count(), limits.elements, "elements"));
    }
    if len > limits.member_bytes || len > limits.total_bytes {
        return Err(limit(
            "bytes",
            len,
            limits.member_bytes.min(limits.total_bytes),
            "member_bytes",
        ));
    }
    Ok(())
}

/// Fetches until at least `n` bytes are ready; bytes that have not been taken are kept.
#[cold]
fn refill(source: &mut dyn Source<'_>, chunk: &mut Vec<u8>, at: &mut usize, left: &mut u64, n: u64) -> Result<()> {
    chunk.drain(..*at);
    *at = 0;
    let ready = chunk.len() as u64;
    let want = (n.max(CHUNK) - ready).min(*left);
    if want > CHUNK {
        read_grow(source, chunk, want)?;
    } else {
        let start = chunk.len();
        chunk.resize(start + in_memory(want), 0);
        let got = read_full(source, &mut chunk[start..])? as u64;
        if got < want {
            return Err(truncated(got, *left));
        }
    }
    *left -= want;
    if (chunk.len() as u64) < n {
        return Err(truncated(chunk.len() as u64, n));
    }
    Ok(())
}
