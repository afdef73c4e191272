//! Where bytes come from: a slice lends them, a stream copies them. Nothing is allocated because a header claims it.

use std::io::{self, Read};

use crate::error::{Error, ErrorKind, Result};
use crate::io::checked::Checked;
use crate::options::progress::Meter;

/// A length or an offset from a file as memory counts it: what no memory can hold is out of the range of every slice.
#[inline(always)]
pub(crate) fn in_memory(n: u64) -> usize {
    usize::try_from(n).unwrap_or(usize::MAX)
}

/// Where the bytes of an array come from.
pub(crate) trait Source<'de>: Read {
    /// The next `n` bytes without a copy, if the source holds them for `'de`.
    fn lend(&mut self, n: u64) -> Option<Result<&'de [u8]>>;

    /// How many bytes are known to be there, whatever a header claims.
    fn known_len(&self) -> u64;
}

/// Bytes that outlive the reading.
pub(crate) struct Slice<'de>(pub(crate) &'de [u8]);

impl Read for Slice<'_> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        self.0.read(buf)
    }
}

impl<'de> Source<'de> for Slice<'de> {
    fn lend(&mut self, n: u64) -> Option<Result<&'de [u8]>> {
        let lent = usize::try_from(n).ok().and_then(|n| self.0.split_at_checked(n));
        Some(match lent {
            Some((lent, rest)) => {
                self.0 = rest;
                Ok(lent)
            }
            None => Err(truncated(self.0.len() as u64, n)),
        })
    }

    fn known_len(&self) -> u64 {
        self.0.len() as u64
    }
}

/// Any reader.
pub(crate) struct Stream<R> {
    reader: R,
    known_len: u64,
}

impl<R> Stream<R> {
    /// A reader whose length is not known.
    pub(crate) fn new(reader: R) -> Self {
        Stream { reader, known_len: 0 }
    }

    /// A reader that is known to have so many bytes left.
    pub(crate) fn with_known_len(reader: R, known_len: u64) -> Self {
        Stream { reader, known_len }
    }

    pub(crate) fn get_mut(&mut self) -> &mut R {
        &mut self.reader
    }

    pub(crate) fn into_inner(self) -> R {
        self.reader
    }
}

impl<R: Read> Read for Stream<R> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let got = Checked(&mut self.reader).read(buf)?;
        self.known_len = self.known_len.saturating_sub(got as u64);
        Ok(got)
    }
}

impl<'de, R: Read> Source<'de> for Stream<R> {
    fn lend(&mut self, _: u64) -> Option<Result<&'de [u8]>> {
        None
    }

    fn known_len(&self) -> u64 {
        self.known_len
    }
}

/// A source whose bytes are counted.
pub(crate) struct Metered<'s, 'de> {
    source: &'s mut dyn Source<'de>,
    meter: &'s mut Meter,
}

impl<'s, 'de> Metered<'s, 'de> {
    pub(crate) fn new(source: &'s mut dyn Source<'de>, meter: &'s mut Meter) -> Self {
        Metered { source, meter }
    }

    /// Says how many bytes will follow those that have been read.
    pub(crate) fn announce(&mut self, bytes: u64) {
        self.meter.announce(bytes);
    }
}

impl Read for Metered<'_, '_> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let most = in_memory(self.meter.at_once(buf.len() as u64));
        let got = Checked(&mut self.source).read(&mut buf[..most])?;
        self.meter.add(got as u64)?;
        Ok(got)
    }
}

impl<'de> Source<'de> for Metered<'_, 'de> {
    fn lend(&mut self, n: u64) -> Option<Result<&'de [u8]>> {
        let lent = self.source.lend(n)?;
        Some(lent.and_then(|lent| self.meter.add_all(n).map(|()| lent)))
    }

    fn known_len(&self) -> u64 {
        self.source.known_len()
    }
}

/// How much memory is taken at first if the bytes are not known to be there; then twice as much each time.
const FIRST_STEP: u64 = 1 << 20;

/// Appends exactly `n` bytes to `into`. Memory grows with what has been read, not with what is claimed.
pub(crate) fn read_grow<R: Read + ?Sized>(source: &mut R, into: &mut Vec<u8>, n: u64) -> Result<()> {
    let mut left = n;
    let mut step = FIRST_STEP;
    while left > 0 {
        let now = left.min(step);
        let Ok(now_usize) = usize::try_from(now) else {
            return Err(too_large(n));
        };
        into.try_reserve(now_usize).map_err(|_| too_large(n))?;
        let start = into.len();
        into.resize(start + now_usize, 0);
        let got = read_full(source, &mut into[start..])?;
        if got < now_usize {
            return Err(truncated(n - left + got as u64, n));
        }
        left -= now;
        step = step.saturating_mul(2);
    }
    Ok(())
}

/// Fills `buf` as far as there are bytes; returns how many there were.
pub(crate) fn read_full<R: Read + ?Sized>(source: &mut R, buf: &mut [u8]) -> Result<usize> {
    let mut got = 0;
    while got < buf.len() {
        match Checked(&mut *source).read(&mut buf[got..]) {
            Ok(0) => break,
            Ok(n) => got += n,
            Err(err) if err.kind() == io::ErrorKind::Interrupted => {}
            Err(err) => return Err(err.into()),
        }
    }
    Ok(got)
}

#[cold]
pub(crate) fn truncated(found: u64, expected: u64) -> Error {
    Error::new(
        ErrorKind::Truncated,
        format_args!("found {found} bytes of data, expected {expected}: the file is cut off"),
    )
}

#[cold]
fn too_large(n: u64) -> Error {
    Error::new(
        ErrorKind::LimitExceeded,
        format_args!("found {n} bytes of data, expected no more than fit into memory"),
    )
}
