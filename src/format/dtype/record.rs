//! A record out of its fields, one behind the other.

use std::collections::HashSet;

use super::{Dtype, Field, Kind, MAX_ITEMSIZE, MAX_LEVELS, Number, Record, too_deep, too_large};
use crate::error::{Error, ErrorKind, Result};
use crate::format::literal::Quoted;

/// Builds a record: fields one after another.
pub(super) struct RecordBuilder {
    fields: Vec<Field>,
    /// Names and titles share one namespace, as in NumPy.
    taken: HashSet<String>,
    levels: usize,
    end: u64,
}

impl RecordBuilder {
    pub(super) fn new(fields: usize) -> Self {
        RecordBuilder {
            fields: Vec::with_capacity(fields),
            taken: HashSet::with_capacity(fields),
            levels: 1,
            end: 0,
        }
    }

    pub(super) fn padding(&mut self, bytes: u64) -> Result<()> {
        self.end = self.end.saturating_add(bytes);
        if self.end > MAX_ITEMSIZE {
            Err(too_large("a record"))
        } else {
            Ok(())
        }
    }

    pub(super) fn field(&mut self, name: String, title: Option<String>, dtype: Dtype) -> Result<()> {
        for taken in [Some(&name), title.as_ref()].into_iter().flatten() {
            if !self.taken.insert(taken.clone()) {
                return Err(Error::new(
                    ErrorKind::DuplicateName,
                    format_args!(
                        "found two fields or titles of a record named {}, expected each name once",
                        Quoted(taken)
                    ),
                ));
            }
        }
        self.levels = self.levels.max(1 + dtype.levels());
        if self.levels > MAX_LEVELS {
            return Err(too_deep());
        }
        let offset = self.end;
        let size = dtype.itemsize();
        self.padding(size)?;
        self.fields.push(Field {
            name,
            title,
            offset,
            size,
            number: Number::native(&dtype),
            dtype,
        });
        Ok(())
    }

    pub(super) fn finish(self) -> Result<Dtype> {
        Ok(Dtype::new(Kind::Record(Record {
            fields: self.fields,
            itemsize: self.end,
        })))
    }
}
