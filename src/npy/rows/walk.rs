//! The rows of one array, one at a time. Between two rows the source is not borrowed.

use std::marker::PhantomData;

use serde::de::DeserializeOwned;

use crate::error::{Error, ErrorKind, Result};
use crate::format::header::Header;
use crate::io::source::Source;
use crate::npy::de::array::ArrayDeserializer;
use crate::npy::de::budget::Budget;
use crate::npy::de::data::{ArrayData, Suspended};
use crate::npy::de::element::hand;
use crate::npy::de::plan::{Plan, visits};
use crate::options::ReadOptions;

/// How far an array has been read.
pub(crate) struct Rows {
    /// `None` after an error or a panic in the middle of a row: the position in the source is unknown.
    paused: Option<Suspended>,
    plan: Plan,
    failed: Option<Error>,
    row: u64,
    count: u64,
    /// The bytes of one row.
    len: u64,
    /// The array is in Fortran order, so all of it is in memory, transposed.
    fetched: bool,
}

impl Rows {
    /// Gets ready for the first row; an array in Fortran order is fetched whole.
    pub(crate) fn open<'de>(header: &Header, source: &mut dyn Source<'de>, options: &ReadOptions) -> Result<Self> {
        let count = count(header)?;
        let budget = Budget::new(&options.limits);
        let zero_sized = header.count() == 0 || header.dtype().itemsize() == 0;
        if zero_sized && count > 0 {
            budget.take_zero_sized(visits(header.shape()))?;
        }
        let plan = Plan::new(header, options, &budget);
        let data = ArrayData::new(header.clone(), &plan, source, options);
        let (paused, failed) = match data.and_then(ArrayData::suspend) {
            Ok(paused) => (Some(paused), None),
            Err(error) if loses_place(&error) => (None, Some(error)),
            Err(error) => return Err(error),
        };
        Ok(Rows {
            paused,
            plan,
            failed,
            row: 0,
            count,
            len: header.data_len().checked_div(count).unwrap_or_default(),
            fetched: header.fortran_order() && header.shape().len() > 1,
        })
    }

    /// How many rows are left.
    pub(crate) fn ahead(&self) -> u64 {
        self.count - self.row
    }

    pub(crate) fn next<T: DeserializeOwned>(&mut self, source: &mut dyn Source<'_>) -> Option<Result<T>> {
        if self.row == self.count {
            return None;
        }
        let row = self.row;
        let paused = if self.failed.is_none() {
            self.paused.take()
        } else {
            None
        };
        let Some(paused) = paused else {
            return Some(Err(self.lost()));
        };
        let mut data = paused.resume(&self.plan, source);
        let value = hand(PhantomData::<T>, ArrayDeserializer::row(&mut data)).and_then(|value| {
            // A type may read only part of its row, or nothing of it.
            let behind = (self.count - row - 1) * self.len;
            data.skip(data.remaining().saturating_sub(behind))?;
            Ok(value)
        });
        self.paused = match &value {
            Err(error) if loses_place(error) => None,
            _ => data.suspend().ok(),
        };
        let value = value.map_err(|error| {
            let error = error.at_index(row);
            self.failed = Some(error.duplicate());
            error
        });
        self.row += u64::from(value.is_ok());
        Some(value)
    }

    /// How many bytes of the array are still in the source.
    pub(crate) fn left(&self) -> Result<u64> {
        self.paused.as_ref().map(Suspended::left).ok_or_else(|| self.lost())
    }

    /// Continues at `row`, at most one past the last. Returns which byte of the data the source has to seek to, if any.
    pub(crate) fn seek(&mut self, row: u64) -> Result<Option<u64>> {
        let Some(paused) = &mut self.paused else {
            return Err(self.lost());
        };
        let at = row * self.len;
        if self.fetched {
            paused.wind(at);
        } else {
            paused.moved((self.count - row) * self.len);
        }
        self.row = row;
        self.failed = None;
        Ok((!self.fetched).then_some(at))
    }

    #[cold]
    fn lost(&self) -> Error {
        match &self.failed {
            Some(error) => error.duplicate(),
            None => Error::new(
                ErrorKind::Message,
                "found a reader in the middle of a row, as a panic left it, expected the start of one",
            ),
        }
    }
}

/// The length of the first axis.
pub(crate) fn count(header: &Header) -> Result<u64> {
    header
        .shape()
        .first()
        .copied()
        .ok_or_else(|| Error::new(ErrorKind::TypeMismatch, "found an array without axes, expected rows"))
}

/// Whether it is unknown how much of the source had been read when this error came.
fn loses_place(error: &Error) -> bool {
    matches!(error.kind(), ErrorKind::Io | ErrorKind::Truncated)
}
