//! Nested sequences of plain numbers, or of records of them: out as they come, from the first one on.
//!
//! ```text
//! [[1.0, 2.0], [3.0, 4.0]]
//!  ^ depth 0: 2 rows, noted
//!   ^ depth 1: 2 elements, noted
//!    ^ the first scalar: header <f8 (2, 2), then data
//! ```
//!
//! What follows either is of the same layout or makes no array of all, so that the first element tells everything. A
//! text is not like that: the next one may be longer. Nor is a number that comes out of an enum, as the next one may be of
//! another kind: where the array cannot be taken back then, such numbers are measured first.

mod item;

use serde::Serialize;
use serde::ser::{SerializeSeq, Serializer};

pub(crate) use self::item::{StreamItem, StreamSeq};

use crate::error::{Error, ErrorKind, Result};
use crate::format::header::Header;
use crate::npy::layout::measure::{Around, measure_counted};
use crate::npy::layout::scalar::{ScalarLayout, changed};
use crate::npy::layout::tally::{Tally, Thing};
use crate::npy::layout::tree::{Layout, UNEQUAL_KINDS, ragged};
use crate::npy::raw::RawArray;
use crate::npy::ser::slots::Slots;
use crate::npy::sink::{Out, Put};
use crate::npy::whole::{Number, Whole};

/// A type that is endless newtypes of itself has to end somewhere.
const MAX_NEWTYPES: u32 = 64;

/// Everything about the array under way.
pub(crate) struct Stream<'s> {
    pub(crate) out: Out<'s>,
    shape: Vec<u64>,
    number: Option<Number>,
    /// The type of the first number gives no other kind.
    plain: bool,
    /// The array went out as it lies in memory.
    whole: bool,
    /// Newtypes around the value under way.
    newtypes: u32,
    /// Something came that is no number: the value has to be measured.
    pub(crate) measure: bool,
    /// The depth at which a struct or tuple stopped the stream.
    stopped_by_parts: Option<usize>,
    /// No record may begin the array.
    numbers_only: bool,
    /// Records are under way.
    slots: Option<Slots>,
    /// What is met in each of them.
    record: Option<Tally>,
    /// One of them was refused, whatever the value made of that.
    refused: bool,
    /// How many elements iterators had that were given up, and at which depths.
    given_up: Vec<(usize, u64)>,
}

impl<'s> Stream<'s> {
    pub(crate) fn new(out: Out<'s>) -> Self {
        Stream {
            stopped_by_parts: None,
            numbers_only: false,
            slots: None,
            record: None,
            refused: false,
            given_up: Vec::new(),
            out,
            shape: Vec::new(),
            number: None,
            plain: false,
            whole: false,
            newtypes: 0,
            measure: false,
        }
    }

    /// Hands on the rest of the array.
    pub(crate) fn end(self) -> Result<()> {
        if self.refused {
            return Err(changed("a value that goes on after an error", "one that stops there"));
        }
        self.out.end()
    }

    /// Whether the header is out.
    pub(crate) fn begun(&self) -> bool {
        self.number.is_some() || self.whole || self.slots.is_some()
    }

    /// Whether records are under way: why one of them was refused is told by measuring all.
    pub(crate) fn of_records(&self) -> bool {
        self.slots.is_some()
    }

    /// Whether measuring may find that the array under way is to be another one, once an element was refused.
    pub(crate) fn may_be_another(&self, error: &Error) -> bool {
        let unequal = matches!(error.kind(), ErrorKind::MixedTypes | ErrorKind::Ragged);
        match self.number {
            Some(_) => unequal && self.can_take_back(),
            None => self.of_records() && error.kind() != ErrorKind::Io,
        }
    }

    /// Whether numbers are under way of a type that gives no other kind.
    pub(crate) fn of_plain_numbers(&self) -> bool {
        self.number.is_some() && self.plain
    }

    /// Whether a refused value of this layout is an array after all: numbers of several kinds, or Some(x) beside x.
    pub(crate) fn may_become(&self, layout: &Layout) -> bool {
        layout.has_mixed() || self.number.is_some() && !self.plain
    }

    pub(crate) fn can_take_back(&self) -> bool {
        self.out.can_take_back()
    }

    /// Whether the first of all elements was none because it has parts.
    fn may_begin_records(&self, index: u64, depth: usize) -> bool {
        if self.numbers_only {
            return false;
        }
        let first = index == 0 && depth == self.shape.len() && !self.begun();
        first && self.stopped_by_parts == Some(depth)
    }

    /// Begins with the first of `len` elements, whose layout is `layout`; `false` where the array has to be measured.
    pub(crate) fn begin<T: Serialize + ?Sized>(&mut self, len: u64, layout: &Layout, value: &T) -> Result<bool> {
        if let Layout::Axis { tuple: true, .. } = layout {
            return Ok(false);
        }
        let mut element = layout;
        while let Layout::Axis { item, .. } = element {
            element = item;
        }
        match element {
            Layout::Record { .. } if !self.out.can_take_back() => Ok(false),
            Layout::Record { .. } if std::ptr::eq(layout, element) => {
                self.shape.push(len);
                self.begin_records(layout, value)
            }
            Layout::Record { .. } | Layout::Scalar(ScalarLayout::Number(_)) => {
                self.axis(0, Some(crate::io::source::in_memory(len)))?;
                let result = StreamSeq::at(self, Some(len), 0).serialize_element(value);
                if self.begun() { result.map(|()| true) } else { Ok(false) }
            }
            _ => Ok(false),
        }
    }

    /// Begins with the first of `len` elements if a plain number is the first thing in it, whatever comes behind that:
    /// what is wrong with it is then told as in a lone array.
    pub(crate) fn begin_numbers<T: Serialize + ?Sized>(&mut self, len: u64, value: &T) -> Result<bool> {
        if len == 0 {
            return Ok(false);
        }
        self.numbers_only = true;
        self.axis(0, Some(crate::io::source::in_memory(len)))?;
        let result = StreamSeq::at(self, Some(len), 0).serialize_element(value);
        self.numbers_only = false;
        if self.begun() {
            return result.map(|()| true);
        }
        self.shape.clear();
        self.given_up.clear();
        self.stopped_by_parts = None;
        self.measure = false;
        Ok(false)
    }

    /// Begins with the first record, which is laid out as `layout`.
    fn begin_records<T: Serialize + ?Sized>(&mut self, layout: &Layout, value: &T) -> Result<bool> {
        let level = u8::try_from(self.shape.len()).unwrap_or(u8::MAX);
        let Some(slots) = Slots::of_records(layout, level) else {
            return Ok(false);
        };
        let Ok(first) = slots.bytes(value) else {
            return Ok(false);
        };
        let header = layout.header_of_elements(self.shape.clone())?;
        self.measure = false;
        self.slots = Some(slots);
        self.record = Some(layout.tally());
        self.out.begin(&header)?;
        self.out.put(&first)?;
        Ok(true)
    }

    /// Measures the first of all elements, and begins with it if it is a record.
    fn measure_and_begin<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<bool> {
        match measure_counted(value, Around::default()) {
            Ok((layout, tally)) if tally.is_closed() || self.can_take_back() => self.begin_records(&layout, value),
            _ => Ok(false),
        }
    }

    /// Takes back the array.
    pub(crate) fn take_back(&mut self) -> Result<()> {
        self.out.take_back()
    }

    /// A slice known by its type, at some depth of nested sequences.
    pub(crate) fn whole(&mut self, whole: &Whole<'_>, mut depth: usize) -> Result<()> {
        for len in [Some(whole.len), whole.row].into_iter().flatten() {
            self.axis(depth, Some(len))?;
            depth += 1;
        }
        self.number(whole.number, "a sequence of another kind", depth, true)?;
        self.out.put(whole.bytes)
    }

    /// Bytes alone are a row of u8.
    pub(crate) fn bytes(&mut self, bytes: &[u8]) -> Result<()> {
        self.shape.push(bytes.len() as u64);
        self.number(Number::U8, "bytes", 1, true)?;
        self.whole = true;
        self.out.put(bytes)
    }

    /// Writes the elements of an iterator; `taken` is how many of them it has given.
    #[inline(always)]
    fn elements<I>(&mut self, depth: usize, len: Option<usize>, iter: &mut I, taken: &mut u64) -> Result<()>
    where
        I: Iterator,
        I::Item: Serialize,
    {
        let mut seq = StreamItem::new(self, depth).serialize_seq(len)?;
        for item in iter {
            *taken += 1;
            seq.serialize_element(&item)?;
        }
        seq.end()
    }

    /// An error if a value measured as `layout` has not as many elements as when it was given up.
    pub(crate) fn check_given_up(&self, layout: &Layout) -> Result<()> {
        for &(depth, count) in &self.given_up {
            let mut layout = layout;
            for _ in 0..depth {
                match layout {
                    Layout::Axis { item, .. } => layout = item,
                    _ => return Ok(()),
                }
            }
            if let Layout::Axis { len, .. } = layout
                && *len != count
            {
                return Err(changed(format_args!("{len} elements"), count));
            }
        }
        Ok(())
    }

    /// What the walk has met, if the array was one of sequences.
    pub(crate) fn tally(&self) -> Tally {
        let element = match (&self.record, self.number) {
            _ if self.whole => return Tally::default(),
            (Some(record), _) => *record,
            (None, Some(number)) => Tally::default().and(Thing::of_number(number)),
            (None, None) => return Tally::default(),
        };
        let mut all = self.shape.iter().rev().fold(element, |inner, &len| inner.repeated(len));
        if let Some(slots) = &self.slots {
            slots.add_nones(&mut all);
        }
        all
    }

    /// The first scalar of the array, or one more of the same; `plain` if its type is a number's own.
    fn number(&mut self, number: Number, describe: &str, depth: usize, plain: bool) -> Result<()> {
        match self.number {
            Some(begun) if begun == number && depth == self.shape.len() => Ok(()),
            Some(begun) => Err(self.mixed(describe, begun)),
            None if self.slots.is_some() => Err(self.other(describe)),
            None if !plain && !self.can_take_back() => Err(self.other(describe)),
            None => {
                let header = Header::new(number.dtype(), self.shape.clone(), false)?;
                self.out.begin(&header)?;
                self.number = Some(number);
                self.plain = plain;
                Ok(())
            }
        }
    }

    #[cold]
    fn mixed(&self, found: &str, begun: Number) -> Error {
        Error::new(
            ErrorKind::MixedTypes,
            format_args!(
                "found {found}, expected {} in {} dimensions as in the elements before",
                begun.dtype(),
                self.shape.len()
            ),
        )
        .with_hint(UNEQUAL_KINDS)
    }

    /// An array as it lies in memory is all there is.
    pub(crate) fn raw(&mut self, raw: &RawArray<'_>) -> Result<()> {
        self.out.begin(&raw.header)?;
        self.whole = true;
        let mut left = raw.header.data_len();
        raw.data.each(&mut |piece| {
            left = left
                .checked_sub(piece.len() as u64)
                .ok_or_else(|| wrong_data(&raw.header))?;
            self.out.put(piece)
        })?;
        if left > 0 { Err(wrong_data(&raw.header)) } else { Ok(()) }
    }

    /// What is no number ends the stream before it has begun, and is an error after.
    #[cold]
    fn other(&mut self, found: &str) -> Error {
        match self.number {
            Some(begun) => self.mixed(found, begun),
            None => {
                self.measure = true;
                Error::new(
                    ErrorKind::MixedTypes,
                    format_args!("found {found}, which has to be measured first"),
                )
            }
        }
    }

    /// Enters a sequence of `len` elements.
    fn axis(&mut self, depth: usize, len: Option<usize>) -> Result<Option<u64>> {
        let len = len.map(|len| len as u64);
        if self.number.is_some() || self.slots.is_some() {
            let Some(&expected) = self.shape.get(depth) else {
                return Err(self.other("a sequence"));
            };
            return match len {
                Some(found) if found != expected => Err(ragged(found, expected)),
                _ => Ok(len),
            };
        }
        // Empty rows and rows of unknown length have to be measured, and more than 64 axes are nothing to begin with.
        match len {
            Some(len) if len > 0 && depth == self.shape.len() && depth < 64 => {
                self.shape.push(len);
                Ok(Some(len))
            }
            _ => Err(self.other("a sequence of unknown or no length")),
        }
    }
}

#[cold]
fn wrong_data(header: &Header) -> Error {
    Error::new(
        ErrorKind::InvalidValue,
        format_args!(
            "found an array whose data is not of the {} bytes its shape tells",
            header.data_len()
        ),
    )
}
