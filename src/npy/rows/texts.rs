//! Rows with texts, kept until the longest of each is known.
//!
//! ```text
//! push(&("ab", 1_u8))      2 "ab" │ 1         each text as long as it is, in UTF-8
//! push(&("a text", 2))     6 "a text" │ 2
//! each(..)                 a b 0 0 0 0 │ 1 ║ a   t e x t │ 2    all of them <U6
//! ```

use std::mem;

use serde::Serialize;

use crate::error::Result;
use crate::format::header::Header;
use crate::io::source::in_memory;
use crate::npy::layout::measure::measure;
use crate::npy::layout::scalar::ScalarLayout;
use crate::npy::layout::tree::Layout;
use crate::npy::rows::fit;
use crate::npy::ser::slots::Slots;
use crate::npy::sink::{CHUNK, Memory, Out};
use crate::npy::whole::Number;

/// Rows of one layout but for the widths of their texts.
pub(crate) struct TextRows {
    /// The layout that holds all of them.
    layout: Layout,
    rows: u64,
    kept: Memory,
    /// One row as it lies in an array of its own, to be kept.
    packed: Vec<u8>,
}

impl TextRows {
    /// Begins with the first row, if there are texts in it.
    pub(crate) fn begin<T: Serialize + ?Sized>(row: &T) -> Result<Option<Self>> {
        let layout = measure(row).and_then(fit::first).map_err(|e| e.at_index(0))?;
        if !has_texts(&layout) {
            return Ok(None);
        }
        let mut rows = TextRows {
            layout: layout.clone(),
            rows: 0,
            kept: Memory::default(),
            packed: Vec::new(),
        };
        rows.keep(row, &layout).map_err(|e| e.at_index(0))?;
        Ok(Some(rows))
    }

    /// Keeps one row more. A row with an error is not kept.
    pub(crate) fn push<T: Serialize + ?Sized>(&mut self, row: &T) -> Result<()> {
        let before = self.kept.0.len();
        let pushed = measure(row).and_then(|found| {
            let layout = fit::next(found, &self.layout)?;
            self.keep(row, &layout)?;
            self.layout = layout;
            Ok(())
        });
        pushed.map_err(|error| {
            self.kept.0.truncate(before);
            error.at_index(self.rows)
        })
    }

    fn keep<T: Serialize + ?Sized>(&mut self, row: &T, layout: &Layout) -> Result<()> {
        let mut out = Out::appending(mem::take(&mut self.packed), 0);
        let put = Slots::of_rows(layout).put(row, &mut out);
        let len = out.len();
        self.packed = out.take();
        put?;
        keep(layout, &mut &self.packed[..len], &mut self.kept)?;
        self.rows += 1;
        Ok(())
    }

    pub(crate) fn rows(&self) -> u64 {
        self.rows
    }

    /// The header of the array of all rows.
    pub(crate) fn header(&self) -> Result<Header> {
        fit::header(&self.layout, self.rows)
    }

    /// Hands out the data of that array, in pieces.
    pub(crate) fn each(&self, mut write: impl FnMut(&[u8]) -> Result<()>) -> Result<()> {
        let mut kept = &self.kept.0[..];
        let mut piece = Vec::new();
        for _ in 0..self.rows {
            lay_out(&self.layout, &mut kept, &mut piece);
            if piece.len() >= CHUNK {
                write(&piece)?;
                piece.clear();
            }
        }
        write(&piece)
    }
}

fn is_text(leaf: ScalarLayout) -> bool {
    matches!(leaf, ScalarLayout::Str { .. } | ScalarLayout::Bytes(_))
}

fn has_texts(layout: &Layout) -> bool {
    match layout {
        Layout::Scalar(leaf) => is_text(*leaf),
        Layout::Axis { item, .. } | Layout::Ndarray { item, .. } | Layout::Option { item, .. } => has_texts(item),
        Layout::Record { fields, .. } => fields.iter().any(|(_, field)| has_texts(field)),
        _ => false,
    }
}

/// The scalars in a value of this layout, in the order in which they lie.
fn scalars(layout: &Layout, each: &mut dyn FnMut(ScalarLayout) -> Result<()>) -> Result<()> {
    match layout {
        Layout::Scalar(leaf) => each(*leaf),
        Layout::Option { item, .. } => {
            scalars(item, each)?;
            each(ScalarLayout::Number(Number::Bool))
        }
        Layout::Axis { len, item, .. } => (0..*len).try_for_each(|_| scalars(item, each)),
        Layout::Ndarray { shape, item } => (0..shape.iter().product()).try_for_each(|_| scalars(item, each)),
        Layout::Record { fields, .. } => fields.iter().try_for_each(|(_, field)| scalars(field, each)),
        _ => Ok(()),
    }
}

/// Keeps a packed value: texts without their padding, in UTF-8.
fn keep(layout: &Layout, packed: &mut &[u8], kept: &mut Memory) -> Result<()> {
    scalars(layout, &mut |leaf| {
        let (value, rest) = packed.split_at(in_memory(leaf.size()).min(packed.len()));
        *packed = rest;
        let text = match leaf {
            ScalarLayout::Str { .. } => {
                let units = value.as_chunks().0.iter().map(|unit| u32::from_le_bytes(*unit));
                let text: String = units.filter_map(char::from_u32).collect();
                text.trim_end_matches('\0').to_owned().into_bytes()
            }
            ScalarLayout::Bytes(_) => value[..value.iter().rposition(|&b| b != 0).map_or(0, |last| last + 1)].to_vec(),
            _ => return kept.put(value),
        };
        kept.put(&(text.len() as u64).to_le_bytes())?;
        kept.put(&text)
    })
}

/// Lays out a value that was kept in its final form.
fn lay_out(layout: &Layout, kept: &mut &[u8], into: &mut Vec<u8>) {
    let mut take = |len: usize| {
        let (taken, rest) = kept.split_at(len.min(kept.len()));
        *kept = rest;
        taken
    };
    let laid_out = scalars(layout, &mut |leaf| {
        let size = in_memory(leaf.size());
        if !is_text(leaf) {
            into.extend_from_slice(take(size));
            return Ok(());
        }
        let end = into.len() + size;
        let len = take(8).first_chunk().map_or(0, |len| u64::from_le_bytes(*len));
        let text = take(in_memory(len));
        if matches!(leaf, ScalarLayout::Str { .. }) {
            let text = std::str::from_utf8(text).unwrap_or_default();
            text.chars().for_each(|c| into.extend(u32::from(c).to_le_bytes()));
        } else {
            into.extend_from_slice(text);
        }
        into.resize(end, 0);
        Ok(())
    });
    debug_assert!(laid_out.is_ok(), "nothing above makes an error");
}
