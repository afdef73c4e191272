//! The forms that `with` modules give to sequences: lists, rows of unequal lengths, values and masks, columns.
//!
//! ```text
//! BTreeMap { "a": [[1], [2, 3]] }  inside with::ragged    x/a/values  x/a/offsets    the map stays a group
//! [[[1], [2, 3]], [[4]]]                                  x/0/values  x/0/offsets    no rows: each element has the form
//!                                                         x/1/values  x/1/offsets
//! ```

use serde::Serialize;

use super::columns::write_columns;
use super::masked::write_masked;
use super::ragged::write_ragged;
use super::{Archive, At};
use crate::error::Result;

/// What a `with` module makes of each outermost sequence inside of it: maps, structs and Options around stay what they are.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Form {
    /// Each element is a member of its own.
    List,
    /// Rows of unequal lengths; `inside` of a list that was to be such rows and could not.
    Ragged { inside: bool },
    /// A group of one array for each field.
    Columns,
    /// Values and a mask.
    Masked,
}

impl Archive<'_> {
    /// Runs `write` where the next sequence has this form.
    pub(super) fn with_form<T>(&self, form: Option<Form>, write: impl FnOnce() -> T) -> T {
        let outer = self.form.replace(form);
        let result = write();
        self.form.set(outer);
        result
    }

    /// Writes a sequence in the form that was asked for.
    pub(super) fn formed<T: Serialize + ?Sized>(&self, value: &T, at: At, elements: u64) -> Result<()> {
        let form = self.form.get();
        let written = self.with_form(None, || match form {
            Some(Form::Ragged { inside }) => write_ragged(self, value, elements, inside),
            Some(Form::Columns) => write_columns(self, value, elements),
            Some(Form::Masked) => write_masked(self, value, elements),
            Some(Form::List) | None => Ok(true),
        })?;
        if written {
            return Ok(());
        }
        let list = || self.list(value, at, Some(elements));
        match form {
            // A row of a list.
            Some(Form::Ragged { inside: true }) => self.with_form(None, || self.unformed(value, at).map(|_| ())),
            Some(Form::Ragged { .. }) => self.with_form(Some(Form::Ragged { inside: true }), list),
            _ => list(),
        }
    }
}
