//! Arrays as the rows of a table, one row in memory.

use std::fs::File;
use std::io::{BufReader, Write};
use std::path::Path;

use serde_npz::{Dtype, NpyReader, NpzReader};

use super::Loss;
use super::cell::Cell;
use crate::frame::fault::{Fault, Result};
use crate::frame::input::{Input, Member};

/// Columns that are read in step.
pub struct Rows {
    columns: Vec<Column>,
    count: u64,
    /// Whether the columns have names of their own.
    named: bool,
}

struct Column {
    name: String,
    dtype: Dtype,
    reader: Reader,
}

/// Each column has the file open for itself: they are read side by side.
enum Reader {
    Npy(Box<NpyReader<BufReader<File>>>),
    Npz(Box<NpzReader<BufReader<File>>>),
}

type Cells<'r> = Box<dyn Iterator<Item = serde_npz::Result<Cell>> + 'r>;

impl Rows {
    /// The rows of the members: one array of at most two axes, or many of one axis and one length.
    pub fn new(path: &Path, input: &Input, members: &[Member], loss: &Loss<'_>) -> Result<Rows> {
        let mut columns = Vec::new();
        let mut count = None;
        let mut named = input.is_npz();
        let alone = members.iter().filter(|member| member.header.is_some()).count() == 1;
        for member in members {
            let Some(header) = &member.header else {
                loss.of(&member.name, "no array: a table has no place for it")?;
                continue;
            };
            let fits = match header.shape().len() {
                1 => true,
                2 => alone,
                _ => false,
            };
            if !fits || count.is_some_and(|count| count != header.shape()[0]) {
                loss.of(&member.name, "a table has rows of one length, and columns of one axis")?;
                continue;
            }
            count = Some(header.shape()[0]);
            named |= !header.dtype().fields().is_empty();
            named &= header.shape().len() == 1;
            let reader = match input {
                Input::Npy(_) => Reader::Npy(Box::new(NpyReader::with_options(
                    BufReader::new(File::open(path)?),
                    loss.context.options(),
                )?)),
                Input::Npz(_) => Reader::Npz(Box::new(NpzReader::open_with(path, loss.context.options())?)),
            };
            columns.push(Column {
                name: member.name.clone(),
                dtype: header.dtype().clone(),
                reader,
            });
        }
        let Some(count) = count else {
            return Err(Fault::new("found no column, expected one at least"));
        };
        Ok(Rows { columns, count, named })
    }

    /// Calls `f` with every row, flattened.
    fn each(mut self, mut f: impl FnMut(Vec<(String, Cell)>) -> Result<()>) -> Result<()> {
        let alone = self.columns.len() == 1 && !self.columns[0].dtype.fields().is_empty();
        let mut iterators: Vec<(String, Dtype, Cells<'_>)> = Vec::new();
        for column in &mut self.columns {
            let rows: Cells<'_> = match &mut column.reader {
                Reader::Npy(npy) => Box::new(npy.rows::<Cell>()),
                Reader::Npz(npz) => Box::new(npz.rows::<Cell>(&column.name)?),
            };
            // The fields of the only array are the columns; else they are below its name.
            let name = if alone { String::new() } else { column.name.clone() };
            iterators.push((name, column.dtype.clone(), rows));
        }
        for _ in 0..self.count {
            let mut row = Vec::new();
            for (name, dtype, rows) in &mut iterators {
                let cell = rows
                    .next()
                    .ok_or_else(|| Fault::new("the rows end too early").at(name))??;
                cell.timed(dtype).flatten(name, &mut row);
            }
            f(row)?;
        }
        // The checksums come last.
        for (_, _, rows) in &mut iterators {
            if let Some(Err(err)) = rows.next() {
                return Err(err.into());
            }
        }
        Ok(())
    }

    pub fn write_csv(self, writer: &mut dyn Write, separator: char) -> Result<()> {
        let mut begun = !self.named;
        if self.count == 0 && self.named {
            let names: Vec<String> = self.columns.iter().map(|column| column.name.clone()).collect();
            line(writer, separator, names.iter().map(String::as_str))?;
        }
        self.each(|row| {
            if !begun {
                line(writer, separator, row.iter().map(|(name, _)| &**name))?;
                begun = true;
            }
            let cells: Vec<String> = row.iter().map(|(_, cell)| cell.text()).collect();
            line(writer, separator, cells.iter().map(String::as_str))
        })
    }

    pub fn write_ndjson(self, writer: &mut dyn Write, loss: &Loss<'_>) -> Result<()> {
        let mut said = false;
        self.each(|row| {
            if let Some((name, _)) = row.iter().find(|(_, cell)| !said && cell.is_lost()) {
                loss.of(name, "JSON has no NaN and no infinity: null in their place")?;
                said = true;
            }
            let named =
                |(i, (name, cell)): (usize, (String, Cell))| (if name.is_empty() { i.to_string() } else { name }, cell);
            let object = Cell::Record(row.into_iter().enumerate().map(named).collect());
            writeln!(writer, "{}", object.json())?;
            Ok(())
        })
    }
}

/// A line of cells, in quotes where they need them.
fn line<'a>(writer: &mut dyn Write, separator: char, cells: impl Iterator<Item = &'a str>) -> Result<()> {
    for (i, cell) in cells.enumerate() {
        if i > 0 {
            write!(writer, "{separator}")?;
        }
        let quoted = cell.contains([separator, '"', '\n', '\r']) || cell.starts_with(' ') || cell.ends_with(' ');
        if quoted {
            write!(writer, "\"{}\"", cell.replace('"', "\"\""))?;
        } else {
            write!(writer, "{cell}")?;
        }
    }
    Ok(writeln!(writer)?)
}
