//! A header whose number of rows is changed in place.
//!
//! ```text
//! {'descr': '<f8', 'fortran_order': False, 'shape': (99, 3), }            \n
//!                                                    ──      ──────────── room for more digits
//! {'descr': '<f8', 'fortran_order': False, 'shape': (100, 3), }           \n
//!                                                    ─────── ─ what changes, written in one piece
//! ```
//!
//! The header keeps its length, so the data stays where it is. NumPy leaves room for 21 digits, more than any number has.
//! A kill cannot cut a write in two within one page of a file, and the digits lie within one page unless thousands of
//! characters of field names come before them.

use std::ops::Range;

use crate::error::{Error, ErrorKind, Result};
use crate::format::header::Header;
use crate::npy::rows::fit::check_growing;
use crate::options::ReadOptions;

/// The key is in the text once, but names of fields may look like it: so many places are tried.
const MOST_LOOKALIKES: usize = 16;

/// The bytes of a header whose first axis grows.
pub(super) struct Head {
    header: Header,
    bytes: Vec<u8>,
    /// Where the digits of the first axis are.
    digits: Range<usize>,
    /// The spaces at the end that more digits can take.
    room: Range<usize>,
    /// The most rows that fit: in the digits there is room for, and in an array.
    most: u64,
}

impl Head {
    /// As NumPy writes `header`.
    pub(super) fn new(header: Header, max_header_size: usize) -> Result<Self> {
        Head::found(header.to_bytes_within(max_header_size)?, header)
    }

    /// Of an array like that of `header`, without its rows.
    pub(super) fn without_rows(header: &Header, max_header_size: usize) -> Result<Self> {
        check_growing(header)?;
        let rest = header.shape().get(1..).unwrap_or_default();
        Head::new(
            Header::new(header.dtype().clone(), [&[0], rest].concat(), false)?,
            max_header_size,
        )
    }

    /// As it was found in a file; `header` is what it says.
    pub(super) fn found(bytes: Vec<u8>, header: Header) -> Result<Self> {
        let digits = find(&bytes, &header).ok_or_else(|| {
            Error::new(
                ErrorKind::BadHeader,
                "found a header whose number of rows cannot be changed in place, expected `'shape': (N, ..)` as NumPy \
                 writes it",
            )
            .with_hint(SAVE_ANEW)
        })?;
        let end = bytes.len() - usize::from(bytes.ends_with(b"\n"));
        let text = bytes[..end].iter().rposition(|&b| b != b' ').map_or(0, |last| last + 1);
        let room = text..end;
        let places = u32::try_from(digits.len() + room.len()).unwrap_or(u32::MAX);
        let most = 10_u64.checked_pow(places).map_or(u64::MAX, |n| n - 1);
        Ok(Head {
            most: most.min(largest(&header)),
            header,
            bytes,
            digits,
            room,
        })
    }

    /// What the header said at the beginning: its first axis does not grow.
    pub(super) fn header(&self) -> &Header {
        &self.header
    }

    pub(super) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Whether there may be one row more than `rows`.
    #[inline]
    pub(super) fn has_room(&self, rows: u64) -> bool {
        rows < self.most
    }

    /// As [`Head::has_room`], with the error that says why not.
    pub(super) fn check(&self, rows: u64) -> Result<()> {
        if self.has_room(rows) {
            Ok(())
        } else {
            Err(self.full(rows))
        }
    }

    #[cold]
    fn full(&self, rows: u64) -> Error {
        if self.most == largest(&self.header) {
            return Error::new(
                ErrorKind::LimitExceeded,
                format_args!("found {rows} rows, expected no more of them: an array has less than 2^63 bytes"),
            );
        }
        Error::new(
            ErrorKind::LimitExceeded,
            format_args!("found {rows} rows and a header without room for one more digit, expected some"),
        )
        .with_hint(SAVE_ANEW)
    }

    /// Sets the number of rows, each of which has passed [`Head::check`]. Returns which bytes changed, and what they were.
    pub(super) fn set(&mut self, rows: u64) -> (Range<usize>, Vec<u8>) {
        let digits = rows.to_string();
        let mut bytes = Vec::with_capacity(self.bytes.len());
        bytes.extend_from_slice(&self.bytes[..self.digits.start]);
        bytes.extend_from_slice(digits.as_bytes());
        bytes.extend_from_slice(&self.bytes[self.digits.end..self.room.start]);
        self.digits.end = self.digits.start + digits.len();
        self.room.start = bytes.len();
        // Fewer digits leave more room.
        bytes.resize(self.room.end, b' ');
        bytes.extend_from_slice(&self.bytes[self.room.end..]);
        let first = differ(bytes.iter(), self.bytes.iter());
        let last = bytes.len() - differ(bytes.iter().rev(), self.bytes.iter().rev());
        let changed = first.min(last)..last;
        let before = self.bytes[changed.clone()].to_vec();
        self.bytes = bytes;
        (changed, before)
    }
}

/// What helps where the header in a file has to become another one.
const SAVE_ANEW: &str = "save the array anew with `load_npy` and `save_npy`, then append";

/// How many rows an array may have, as [`Header::new`] checks it.
fn largest(header: &Header) -> u64 {
    let row: u64 = header.shape().iter().skip(1).filter(|&&axis| axis > 0).product();
    i64::MAX as u64 / (row * header.dtype().itemsize().max(1))
}

/// How many items are equal at the start.
fn differ<'a>(a: impl Iterator<Item = &'a u8>, b: impl Iterator<Item = &'a u8>) -> usize {
    a.zip(b).take_while(|(a, b)| a == b).count()
}

/// Where the digits of the first axis are: with another number there, the header has to be read as that number.
fn find(bytes: &[u8], header: &Header) -> Option<Range<usize>> {
    let (&rows, rest) = header.shape().split_first()?;
    let other = if rows == 0 { 1 } else { rows - 1 };
    let shape = [&[other], rest].concat();
    let wanted = Header::new(header.dtype().clone(), shape, header.fortran_order()).ok()?;
    let options = ReadOptions::new().max_header_size(usize::MAX);
    // NumPy sorts the keys, so it is the last one.
    let places = (0..bytes.len()).rev().filter(|&at| bytes[at..].starts_with(b"shape"));
    places.take(MOST_LOOKALIKES).find_map(|at| {
        let digits = after_key(bytes, at)?;
        let mut probe = bytes.to_vec();
        // No longer than what it stands for, and the rest of the place is spaces.
        let text = format!("{other:<width$}", width = digits.len());
        probe.splice(digits.clone(), text.into_bytes());
        (Header::read_with(&mut &probe[..], &options).ok()? == wanted).then_some(digits)
    })
}

/// The digits in `shape': (99`.
fn after_key(bytes: &[u8], at: usize) -> Option<Range<usize>> {
    let blank = |mut at: usize| {
        while matches!(bytes.get(at), Some(b' ' | b'\t' | b'\n' | b'\r' | b'\x0c')) {
            at += 1;
        }
        at
    };
    let skip = |at: usize, expected: &[u8]| expected.contains(bytes.get(at)?).then_some(at + 1);
    let at = skip(at + b"shape".len(), b"'\"")?;
    let at = skip(blank(at), b":")?;
    let start = blank(skip(blank(at), b"(")?);
    let len = bytes[start..].iter().take_while(|b| b.is_ascii_digit()).count();
    (len > 0).then_some(start..start + len)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(text: &str) -> Vec<u8> {
        let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
        bytes.extend((text.len() as u16).to_le_bytes());
        bytes.extend(text.as_bytes());
        bytes
    }

    fn head(text: &str) -> Result<Head> {
        let bytes = file(text);
        let header = Header::read(&mut &bytes[..])?;
        Head::found(bytes, header)
    }

    #[test]
    fn the_text_is_that_of_numpy_for_every_number() {
        let dtype = crate::format::dtype::Dtype::float(8);
        let header = |rows| Header::new(dtype.clone(), vec![rows, 3], false).unwrap();
        let mut head = Head::new(header(0), 10_000).unwrap();
        for rows in [1, 9, 10, 99, 100, 1_000_000, 1 << 57] {
            head.check(rows - 1).unwrap();
            let old = head.bytes().to_vec();
            let (changed, before) = head.set(rows);
            assert_eq!(head.bytes(), header(rows).to_bytes());
            assert_eq!(before, old[changed.clone()]);
            let mut patched = old;
            patched[changed.clone()].copy_from_slice(&head.bytes()[changed]);
            assert_eq!(patched, head.bytes());
        }
        assert_eq!(
            head.check(i64::MAX as u64 / 24).unwrap_err().kind(),
            ErrorKind::LimitExceeded
        );
    }

    #[test]
    fn only_what_differs_is_written() {
        let dtype = crate::format::dtype::Dtype::float(8);
        let header = |rows| Header::new(dtype.clone(), vec![rows], false).unwrap();
        let mut head = Head::new(header(1998), 10_000).unwrap();
        assert_eq!(head.set(1999).0.len(), 1);
        assert_eq!(head.set(2000).0.len(), 4);
        assert!(head.set(2000).0.is_empty());
        head.set(7);
        assert_eq!(head.bytes(), Head::new(header(7), 10_000).unwrap().bytes());
    }

    #[test]
    fn headers_of_others() {
        for (text, room) in [
            ("{'descr': '<f8', 'fortran_order': False, 'shape': (3,), }\n", 1),
            ("{'descr': '<f8', 'fortran_order': False, 'shape': (3,), }", 1),
            ("{'descr': '<f8', 'fortran_order': False, 'shape': (3,), }  \n", 3),
            ("{\"shape\": ( 3 , 4), 'fortran_order': False, 'descr': '<f8'}   ", 4),
            (
                "{'shape': (9,), 'shape': (3L,), 'fortran_order': False, 'descr': '<f8'}   ",
                4,
            ),
            (
                "{'descr': [('shape', '<f8', (3,))], 'fortran_order': False, 'shape': (3,), }    \n",
                5,
            ),
            (
                "{'shape': (3,), 'fortran_order': False, 'descr': [(\"'shape': (3,\", '<f8')]}\n",
                1,
            ),
        ] {
            let mut head = head(text).unwrap();
            let rows = 10_u64.pow(room) - 1;
            assert!(head.check(rows - 1).is_ok(), "{text}");
            let err = head.check(rows).unwrap_err();
            assert!(err.hint().unwrap().contains("save_npy"), "{err:#}");
            head.set(rows);
            let header = Header::read(&mut head.bytes()).unwrap();
            assert_eq!(header.shape()[0], rows, "{text}");
            assert_eq!(header.shape()[1..], head.header().shape()[1..]);
            assert_eq!(header.dtype(), head.header().dtype());
        }
    }

    #[test]
    fn a_number_nobody_finds() {
        let text = "{'sh\\x61pe': (3,), 'fortran_order': False, 'descr': '<f8'}   \n";
        let err = head(text).map(drop).unwrap_err();
        assert_eq!(err.kind(), ErrorKind::BadHeader);
    }
}
