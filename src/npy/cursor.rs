//! The elements of one array in C order, one after another.

use std::rc::Rc;

use crate::dtype::Dtype;
use crate::error::{Error, ErrorKind, Result};
use crate::header::Header;
use crate::options::{Casting, ReadOptions};
use crate::source::{Source, read_full, read_grow, truncated};

/// How much is fetched from a stream at once.
const PIECE: u64 = 64 * 1024;

/// What of the options matters to the elements.
#[derive(Clone, Copy)]
pub(crate) struct Rules {
    pub(crate) casting: Casting,
    pub(crate) any_elements: u64,
}

/// The bytes of one element.
#[derive(Clone, Copy)]
pub(crate) enum Bytes<'a, 'de> {
    /// They outlive the reading.
    Lent(&'de [u8]),
    /// They are gone with the next element.
    Seen(&'a [u8]),
}

impl<'a, 'de> Bytes<'a, 'de> {
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
    pub(crate) fn part(self, start: u64, len: u64) -> Self {
        let cut = |bytes: &'a [u8]| bytes.get(start as usize..(start + len) as usize).unwrap_or_default();
        match self {
            Bytes::Lent(bytes) => Bytes::Lent(bytes.get(start as usize..(start + len) as usize).unwrap_or_default()),
            Bytes::Seen(bytes) => Bytes::Seen(cut(bytes)),
        }
    }
}

/// An array under way.
pub(crate) struct Cursor<'s, 'de> {
    pub(crate) header: Header,
    pub(crate) rules: Rules,
    /// The header's, shared so that an element can be looked at while the next ones are fetched.
    dtype: Rc<Dtype>,
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
        let rules = Rules {
            casting: options.casting,
            any_elements: limits.any_elements,
        };
        let data = if header.fortran_order() && header.shape().len() > 1 {
            let mut bytes = Vec::new();
            match source.lend(len) {
                Some(lent) => bytes.extend_from_slice(lent?),
                None => read_grow(source, &mut bytes, len)?,
            }
            Data::Owned {
                bytes: transpose(&bytes, header.shape(), header.dtype().itemsize() as usize),
                at: 0,
            }
        } else {
            match source.lend(len) {
                Some(lent) => Data::Lent(lent?),
                None => Data::Stream {
                    source,
                    piece: Vec::new(),
                    at: 0,
                    left: len,
                },
            }
        };
        let dtype = Rc::new(header.dtype().clone());
        Ok(Cursor {
            header,
            rules,
            dtype,
            data,
        })
    }

    pub(crate) fn dtype(&self) -> Rc<Dtype> {
        Rc::clone(&self.dtype)
    }

    /// The next `n` bytes, if they outlive the reading.
    pub(crate) fn lent(&mut self, n: u64) -> Option<&'de [u8]> {
        let Data::Lent(bytes) = &mut self.data else { return None };
        let (now, rest) = bytes.split_at_checked(usize::try_from(n).ok()?)?;
        *bytes = rest;
        Some(now)
    }

    /// The next `n` bytes.
    #[inline]
    pub(crate) fn take(&mut self, n: u64) -> Result<Bytes<'_, 'de>> {
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
        }
    }

    /// Passes over `n` bytes.
    pub(crate) fn skip(&mut self, mut n: u64) -> Result<()> {
        while n > 0 {
            let step = n.min(PIECE);
            self.take(step)?;
            n -= step;
        }
        Ok(())
    }

    /// Appends the next `n` bytes to `into`, without a detour.
    pub(crate) fn take_into(&mut self, n: u64, into: &mut Vec<u8>) -> Result<()> {
        if let Data::Stream {
            source,
            piece,
            at,
            left,
        } = &mut self.data
        {
            let ready = (piece.len() - *at).min(n as usize);
            into.extend_from_slice(&piece[*at..*at + ready]);
            *at += ready;
            let rest = n - ready as u64;
            read_grow(*source, into, rest)?;
            *left -= rest;
            return Ok(());
        }
        into.extend_from_slice(self.take(n)?.get());
        Ok(())
    }
}

/// Makes at least `n` bytes ready, keeping those not yet taken.
#[cold]
fn refill(source: &mut dyn Source<'_>, piece: &mut Vec<u8>, at: &mut usize, left: &mut u64, n: u64) -> Result<()> {
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

/// Fortran order to C order: the first axis runs fastest in `bytes`, the last one in what is returned.
fn transpose(bytes: &[u8], shape: &[u64], itemsize: usize) -> Vec<u8> {
    if bytes.is_empty() || itemsize == 0 {
        return Vec::new();
    }
    let mut strides = Vec::with_capacity(shape.len());
    let mut stride = itemsize;
    for &len in shape {
        strides.push(stride);
        stride *= len as usize;
    }
    let mut out = Vec::with_capacity(bytes.len());
    let mut index = vec![0_u64; shape.len()];
    let mut offset = 0;
    while out.len() < bytes.len() {
        out.extend_from_slice(&bytes[offset..offset + itemsize]);
        // The next index in C order: like the hand of a clock, from the last axis on.
        for axis in (0..shape.len()).rev() {
            index[axis] += 1;
            offset += strides[axis];
            if index[axis] < shape[axis] {
                break;
            }
            offset -= strides[axis] * shape[axis] as usize;
            index[axis] = 0;
        }
    }
    out
}
