//! The rows of one array, one at a time. Between two rows the source is not borrowed.

use std::marker::PhantomData;
use std::ops::Range;

use serde::de::DeserializeOwned;

use crate::error::{Error, ErrorKind, Result};
use crate::format::header::Header;
use crate::io::source::Source;
use crate::npy::de::array::ArrayDeserializer;
use crate::npy::de::budget::Budget;
use crate::npy::de::data::{ArrayData, Suspended, check_limits};
use crate::npy::de::element::hand;
use crate::npy::de::plan::{Plan, visits};
use crate::npy::rows::columns::{Columns, ReadAt};
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
    /// Or it is so large that only some of its rows are.
    columns: Option<Block>,
}

/// Rows that are gathered from the columns of an array.
struct Block {
    header: Header,
    columns: Columns,
    /// Those in memory.
    rows: Range<u64>,
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
            columns: None,
        })
    }

    /// Gets ready for the first row of a large array in Fortran order, whose rows [`fetch`](Self::fetch) gathers. `None` for
    /// any other array.
    pub(crate) fn of_columns(header: &Header, options: &ReadOptions) -> Result<Option<Self>> {
        let Some(columns) = Columns::of(header) else {
            return Ok(None);
        };
        check_limits(header, options)?;
        let count = count(header)?;
        Ok(Some(Rows {
            paused: None,
            plan: Plan::new(header, options, &Budget::new(&options.limits)),
            failed: None,
            row: 0,
            count,
            len: header.data_len() / count,
            fetched: true,
            columns: Some(Block {
                header: header.clone(),
                columns,
                rows: 0..0,
            }),
        }))
    }

    /// Whether rows have to be fetched.
    pub(crate) fn is_of_columns(&self) -> bool {
        self.columns.is_some()
    }

    /// Gathers the next row, and others behind it, if it is not in memory.
    pub(crate) fn fetch(&mut self, read_at: ReadAt<'_>) -> Result<()> {
        let Some(block) = &mut self.columns else { return Ok(()) };
        if block.rows.contains(&self.row) || self.row == self.count || self.failed.is_some() {
            return Ok(());
        }
        self.paused = None;
        let rows = block.columns.gather(self.row, read_at).map_err(|error| {
            let error = error.at_index(self.row);
            self.failed = Some(error.duplicate());
            error
        })?;
        block.rows = self.row..self.row + rows.len() as u64 / self.len;
        self.paused = Some(Suspended::in_memory(block.header.clone(), rows));
        Ok(())
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
            let end = self.columns.as_ref().map_or(self.count, |block| block.rows.end);
            let behind = (end - row - 1) * self.len;
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
        if let Some(block) = &mut self.columns {
            block.rows = 0..0;
            self.row = row;
            self.failed = None;
            return Ok(None);
        }
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
