//! The elements of one array in C order, one after another or in whole rows.

use std::borrow::Cow;
use std::rc::Rc;

use crate::error::{Error, ErrorKind, Result};
use crate::format::dtype::{Kind, Order};
use crate::format::header::Header;
use crate::io::source::{Source, read_full, read_grow, truncated};
use crate::npy::de::plan::Plan;
use crate::npy::de::transpose::transpose;
use crate::npy::whole;
use crate::npy::whole::Fill;
use crate::options::ReadOptions;

/// How much is fetched from a stream at once, and looked at while it is in the processor's cache.
const PIECE: u64 = 64 * 1024;

/// The bytes of one element.
#[derive(Clone, Copy)]
pub(crate) enum Bytes<'a, 'de> {
    /// They outlive the reading.
    Lent(&'de [u8]),
    /// They are gone with the next element.
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

    /// A part; empty where the element is too short, which a checked header rules out.
    #[inline(always)]
    pub(crate) fn part(self, start: u64, len: u64) -> Self {
        let range = start as usize..(start + len) as usize;
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

/// An array under way.
pub(crate) struct Cursor<'s, 'de> {
    pub(crate) header: Header,
    /// Shared, so that an element can be looked at while the next ones are fetched.
    pub(crate) plan: Rc<Plan>,
    data: Data<'s, 'de>,
}

enum Data<'s, 'de> {
    Lent(&'de [u8]),
    /// Fetched piece by piece; `left` bytes are still in the source.
    Stream {
        source: &'s mut dyn Source<'de>,
        piece: Vec<u8>,
        at: usize,
        left: u64,
    },
    /// In Fortran order: the first element asked for turns all of them round.
    Fortran(Box<Data<'s, 'de>>),
    /// A whole array, in C order by now.
    Owned {
        bytes: Vec<u8>,
        at: usize,
    },
}

impl<'s, 'de> Cursor<'s, 'de> {
    /// Reads the header and gets ready for the first element.
    pub(crate) fn open(source: &'s mut dyn Source<'de>, options: &ReadOptions) -> Result<Self> {
        let header = Header::read_with(&mut &mut *source, options)?;
        Cursor::new(header, source, options)
    }

    pub(crate) fn new(header: Header, source: &'s mut dyn Source<'de>, options: &ReadOptions) -> Result<Self> {
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
        let plan = Rc::new(Plan::new(&header, options));
        let mut data = match source.lend(len) {
            Some(lent) => Data::Lent(lent?),
            None => Data::Stream {
                source,
                piece: Vec::new(),
                at: 0,
                left: len,
            },
        };
        if header.fortran_order() && header.shape().len() > 1 {
            data = Data::Fortran(Box::new(data));
        }
        Ok(Cursor { header, plan, data })
    }

    /// The next `n` bytes, if they outlive the reading.
    pub(crate) fn lent(&mut self, n: u64) -> Option<&'de [u8]> {
        let Data::Lent(bytes) = &mut self.data else { return None };
        let (now, rest) = bytes.split_at_checked(usize::try_from(n).ok()?)?;
        *bytes = rest;
        Some(now)
    }

    /// The next `n` bytes.
    #[inline(always)]
    pub(crate) fn take(&mut self, n: u64) -> Result<Bytes<'_, 'de>> {
        let len = n as usize;
        let ready = match &self.data {
            Data::Stream { piece, at, .. } => piece.len() - at,
            Data::Lent(bytes) => bytes.len(),
            _ => 0,
        };
        // Nearly every element is at hand, and nothing is called.
        if ready < len || len == 0 {
            return self.take_next(n);
        }
        match &mut self.data {
            Data::Stream { piece, at, .. } => {
                let start = *at;
                *at += len;
                Ok(Bytes::Seen(&piece[start..start + len]))
            }
            Data::Lent(bytes) => {
                let (now, rest) = bytes.split_at(len);
                *bytes = rest;
                Ok(Bytes::Lent(now))
            }
            // Nothing of them was ready.
            _ => Err(truncated(0, n)),
        }
    }

    /// `take` of what is yet to be fetched or turned, or is not there.
    #[inline(never)]
    fn take_next(&mut self, n: u64) -> Result<Bytes<'_, 'de>> {
        if matches!(self.data, Data::Fortran(_)) {
            self.turn()?;
        }
        let len = n as usize;
        match &mut self.data {
            Data::Lent(bytes) => match bytes.split_at_checked(len) {
                Some((now, rest)) => {
                    *bytes = rest;
                    Ok(Bytes::Lent(now))
                }
                None => Err(truncated(bytes.len() as u64, n)),
            },
            Data::Owned { bytes, at } => match bytes.get(*at..*at + len) {
                Some(now) => {
                    *at += len;
                    Ok(Bytes::Seen(now))
                }
                None => Err(truncated((bytes.len() - *at) as u64, n)),
            },
            Data::Stream {
                source,
                piece,
                at,
                left,
            } => {
                if piece.len() - *at < len {
                    refill(*source, piece, at, left, n)?;
                }
                let start = *at;
                *at += len;
                Ok(Bytes::Seen(&piece[start..*at]))
            }
            // Turned above.
            Data::Fortran(_) => Err(truncated(0, n)),
        }
    }

    /// Brings an array in Fortran order into C order.
    #[cold]
    fn turn(&mut self) -> Result<()> {
        let mut turned = whole::zeroed(usize::try_from(self.proven()).unwrap_or(0))?;
        if turned.len() as u64 == self.header.data_len() {
            self.turn_into(&mut turned)?;
        } else {
            // Nothing is known of how much is there: memory comes after the bytes.
            let bytes = self.whole()?;
            turned = whole::zeroed(bytes.len())?;
            self.transpose(&bytes, &mut turned);
        }
        self.data = Data::Owned { bytes: turned, at: 0 };
        Ok(())
    }

    /// All elements in C order, of an array in Fortran order.
    fn turn_into(&mut self, into: &mut [u8]) -> Result<()> {
        let bytes = self.whole()?;
        self.transpose(&bytes, into);
        Ok(())
    }

    fn transpose(&self, bytes: &[u8], into: &mut [u8]) {
        transpose(
            bytes,
            into,
            self.header.shape(),
            self.header.dtype().itemsize() as usize,
        );
    }

    /// All bytes of an array of which none has been taken, in the order of the file.
    pub(crate) fn whole(&mut self) -> Result<Cow<'de, [u8]>> {
        self.keep_order();
        let len = self.header.data_len();
        if let Some(lent) = self.lent(len) {
            return Ok(Cow::Borrowed(lent));
        }
        Ok(Cow::Owned(whole::collect_bytes(len, self)?))
    }

    /// From here on the elements come in the order of the file; whether that is Fortran order.
    pub(crate) fn keep_order(&mut self) -> bool {
        let Data::Fortran(inner) = &mut self.data else {
            return false;
        };
        let inner = std::mem::replace(&mut **inner, Data::Lent(&[]));
        self.data = inner;
        true
    }

    /// Passes over `n` bytes.
    pub(crate) fn skip(&mut self, mut n: u64) -> Result<()> {
        if matches!(self.data, Data::Fortran(_)) {
            // Whoever passes over part of it needs the order after all.
            if n < self.header.data_len() {
                self.turn()?;
            } else {
                self.keep_order();
            }
        }
        while n > 0 {
            let step = n.min(PIECE);
            self.take(step)?;
            n -= step;
        }
        Ok(())
    }

    /// The next `n` bytes as a buffer of their own.
    pub(crate) fn take_buf(&mut self, n: u64) -> Result<Vec<u8>> {
        if matches!(self.data, Data::Fortran(_)) {
            self.turn()?;
        }
        whole::collect_bytes(n, self)
    }

    /// Reads elements straight into the memory they will stay in, in the byte order of this machine.
    pub(crate) fn fill_numbers(&mut self) -> Numbers<'_, 's, 'de> {
        let swap = match self.header.dtype().kind {
            Kind::Int { size, order } | Kind::Uint { size, order } | Kind::Float { size, order }
                if order != Order::NATIVE =>
            {
                size.into()
            }
            Kind::Complex { size, order } if order != Order::NATIVE => usize::from(size) / 2,
            _ => 1,
        };
        Numbers { cursor: self, swap }
    }
}

impl Data<'_, '_> {
    /// How many bytes are known to be there.
    fn proven(&self) -> u64 {
        match self {
            Data::Lent(bytes) => bytes.len() as u64,
            Data::Owned { bytes, at } => (bytes.len() - at) as u64,
            Data::Stream { source, piece, at, .. } => source.proven() + (piece.len() - at) as u64,
            Data::Fortran(inner) => inner.proven(),
        }
    }
}

impl Fill for Cursor<'_, '_> {
    fn proven(&self) -> u64 {
        self.data.proven().min(self.header.data_len())
    }

    fn fill(&mut self, into: &mut [u8]) -> Result<()> {
        if matches!(self.data, Data::Fortran(_)) && into.len() as u64 == self.header.data_len() {
            return self.turn_into(into);
        }
        if let Data::Stream {
            source,
            piece,
            at,
            left,
        } = &mut self.data
        {
            let ready = (piece.len() - *at).min(into.len());
            let (first, rest) = into.split_at_mut(ready);
            first.copy_from_slice(&piece[*at..*at + ready]);
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
}

/// Elements of a plain kind, made those of this machine on their way.
pub(crate) struct Numbers<'a, 's, 'de> {
    cursor: &'a mut Cursor<'s, 'de>,
    /// Bytes to be reversed within each so many.
    swap: usize,
}

impl Fill for Numbers<'_, '_, '_> {
    fn proven(&self) -> u64 {
        self.cursor.proven()
    }

    fn fill(&mut self, into: &mut [u8]) -> Result<()> {
        if self.swap == 1 {
            return self.cursor.fill(into);
        }
        let turned = matches!(self.cursor.data, Data::Fortran(_));
        if turned {
            self.cursor.fill(into)?;
        }
        // A multiple of every itemsize, so that no number is cut.
        for piece in into.chunks_mut(PIECE as usize) {
            if !turned {
                self.cursor.fill(piece)?;
            }
            whole::swap(piece, self.swap);
        }
        Ok(())
    }
}

/// A cursor between two rows, its source gone elsewhere meanwhile.
pub(crate) struct Paused {
    header: Header,
    plan: Rc<Plan>,
    /// Bytes fetched already, of which those from `at` on are still to come.
    ahead: Vec<u8>,
    at: usize,
    /// Bytes of the array that are still in the source.
    left: u64,
}

impl<'s, 'de> Cursor<'s, 'de> {
    /// Gives the source back until the next row; an array in Fortran order is turned before.
    pub(crate) fn pause(mut self) -> Result<Paused> {
        if matches!(self.data, Data::Fortran(_)) {
            self.turn()?;
        }
        let (ahead, at, left) = match self.data {
            Data::Lent(bytes) => (bytes.to_vec(), 0, 0),
            Data::Owned { bytes, at } => (bytes, at, 0),
            Data::Stream { piece, at, left, .. } => (piece, at, left),
            // Turned above.
            Data::Fortran(_) => (Vec::new(), 0, 0),
        };
        Ok(Paused {
            header: self.header,
            plan: self.plan,
            ahead,
            at,
            left,
        })
    }

    /// How many bytes of the array are still to come.
    pub(crate) fn remaining(&self) -> u64 {
        match &self.data {
            Data::Lent(bytes) => bytes.len() as u64,
            Data::Owned { bytes, at } => (bytes.len() - at) as u64,
            Data::Stream { piece, at, left, .. } => (piece.len() - at) as u64 + left,
            Data::Fortran(_) => self.header.data_len(),
        }
    }
}

impl Paused {
    /// Goes on with the source it came from.
    pub(crate) fn resume<'s, 'de>(self, source: &'s mut dyn Source<'de>) -> Cursor<'s, 'de> {
        Cursor {
            header: self.header,
            plan: self.plan,
            data: Data::Stream {
                source,
                piece: self.ahead,
                at: self.at,
                left: self.left,
            },
        }
    }

    /// How many bytes of the array are still in the source.
    pub(crate) fn left(&self) -> u64 {
        self.left
    }

    /// Says that the source was moved, and has `left` bytes of the array now.
    pub(crate) fn moved(&mut self, left: u64) {
        self.ahead.clear();
        self.at = 0;
        self.left = left;
    }

    /// Goes to byte `at` of an array that was fetched whole.
    pub(crate) fn wind(&mut self, at: u64) {
        self.at = usize::try_from(at).unwrap_or(usize::MAX).min(self.ahead.len());
    }
}

/// Makes at least `n` bytes ready, keeping those not yet taken.
#[cold]
fn refill(source: &mut dyn Source<'_>, piece: &mut Vec<u8>, at: &mut usize, left: &mut u64, n: u64) -> Result<()> {
    if *at == piece.len() && source.exchange(piece, n, *left)? {
        *at = 0;
        *left = left.saturating_sub(piece.len() as u64);
        // An element may be larger than those the pieces were made for.
        if piece.len() as u64 >= n {
            return Ok(());
        }
    }
    piece.drain(..*at);
    *at = 0;
    let ready = piece.len() as u64;
    let want = (n.max(PIECE) - ready).min(*left);
    if want > PIECE {
        read_grow(source, piece, want)?;
    } else {
        piece.resize((ready + want) as usize, 0);
        let got = read_full(source, &mut piece[ready as usize..])? as u64;
        if got < want {
            return Err(truncated(got, *left));
        }
    }
    *left -= want;
    if (piece.len() as u64) < n {
        return Err(truncated(piece.len() as u64, n));
    }
    Ok(())
}

#[cold]
pub(crate) fn limit(what: &str, found: u64, expected: u64, option: &str) -> Error {
    Error::new(
        ErrorKind::LimitExceeded,
        format_args!("found {found} {what}, expected at most {expected}: `Limits::{option}` raises the bound"),
    )
}
