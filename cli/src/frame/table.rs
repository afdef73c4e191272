//! Rows of cells in aligned columns, cut to the width of the terminal.

use std::io::{self, Write};

use anstyle::Style;

use crate::frame::context::Context;
use crate::frame::text::{cut, width};

/// What a cell may be cut to, and no further.
const LEAST: usize = 6;

#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Align {
    Left,
    Right,
}

pub struct Column {
    title: String,
    align: Align,
    flexible: bool,
}

impl Column {
    pub fn new(title: impl Into<String>, align: Align) -> Self {
        Column {
            title: title.into(),
            align,
            flexible: false,
        }
    }

    /// Its cells may be cut in the middle where the terminal is too narrow.
    pub fn flexible(mut self) -> Self {
        self.flexible = true;
        self
    }
}

/// Columns and their rows; the widths are known once all rows are there.
pub struct Table {
    columns: Vec<Column>,
    rows: Vec<Row>,
    /// The columns behind so many are left out, the last first, where the terminal is too narrow.
    kept: usize,
}

pub struct Row {
    pub cells: Vec<String>,
    pub style: Style,
}

impl Table {
    pub fn new(columns: Vec<Column>) -> Self {
        Table {
            kept: columns.len(),
            columns,
            rows: Vec::new(),
        }
    }

    /// All but the first few columns may be left out where the terminal is too narrow.
    pub fn keep(mut self, columns: usize) -> Self {
        self.kept = columns;
        self
    }

    pub fn row(&mut self, cells: Vec<String>, style: Style) {
        self.rows.push(Row { cells, style });
    }

    /// Writes the titles and all rows.
    pub fn write(&self, out: &mut dyn Write, context: &Context) -> io::Result<()> {
        let widths = self.widths(context.width());
        let titles: Vec<&str> = self.columns.iter().map(|column| &*column.title).collect();
        if titles.iter().any(|title| !title.is_empty()) {
            self.line(out, context, &widths, &titles, context.style(Style::new().dimmed()))?;
        }
        for row in &self.rows {
            let cells: Vec<&str> = row.cells.iter().map(String::as_str).collect();
            self.line(out, context, &widths, &cells, context.style(row.style))?;
        }
        Ok(())
    }

    fn line(
        &self,
        out: &mut dyn Write,
        context: &Context,
        widths: &[usize],
        cells: &[&str],
        style: Style,
    ) -> io::Result<()> {
        let mut line = String::new();
        for ((cell, column), &most) in cells.iter().zip(&self.columns).zip(widths) {
            let text = match column.flexible {
                true => cut(cell, most, context.ascii()),
                false => (*cell).into(),
            };
            let blanks = " ".repeat(most.saturating_sub(width(&text)));
            match column.align {
                Align::Left => line.extend([&*text, &*blanks, "  "]),
                Align::Right => line.extend([&*blanks, &*text, "  "]),
            }
        }
        writeln!(out, "{style}{}{style:#}", line.trim_end())
    }

    /// The widest cell of each column, or less where the line would be too long: the widest flexible one gives way first.
    fn widths(&self, most: Option<usize>) -> Vec<usize> {
        let mut widths: Vec<usize> = self.columns.iter().map(|column| width(&column.title)).collect();
        for row in &self.rows {
            for (widest, cell) in widths.iter_mut().zip(&row.cells) {
                *widest = (*widest).max(width(cell));
            }
        }
        let Some(most) = most else {
            return widths;
        };
        let least = |(width, column): (&usize, &Column)| if column.flexible { LEAST.min(*width) } else { *width };
        while widths.len() > self.kept
            && widths.iter().zip(&self.columns).map(least).sum::<usize>() + 2 * (widths.len() - 1) > most
        {
            widths.pop();
        }
        let between = 2 * widths.len().saturating_sub(1);
        let mut excess = (widths.iter().sum::<usize>() + between).saturating_sub(most);
        while excess > 0 {
            let flexible = |(i, _): &(usize, &usize)| self.columns[*i].flexible;
            let widest = widths
                .iter()
                .enumerate()
                .filter(flexible)
                .max_by_key(|(_, width)| **width);
            match widest.map(|(i, width)| (i, *width)) {
                Some((i, width)) if width > LEAST => widths[i] -= 1,
                _ => break,
            }
            excess -= 1;
        }
        widths
    }
}
