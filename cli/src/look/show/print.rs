//! Values as text: bare, a column, a table, NumPy's summary; and separated by commas or tabs.

use std::io::{self, Write};

use anstyle::Style;

use super::Values;
use crate::frame::context::Context;
use crate::frame::element::{Layout, float_text, in_memory, is_mask};
use crate::frame::fault::{Fault, Result};
use crate::frame::slice::{self, Axis};
use crate::frame::table::{Align, Column, Table};
use crate::frame::text::{escape, width};

/// Columns and tables longer than this lose their middle.
const ROWS: u64 = 40;
const COLUMNS: u64 = 12;
/// From more elements than this on, arrays of three and more axes are NumPy's summary.
const THRESHOLD: u64 = 1000;
const EDGE: u64 = 3;

/// The axes without the middle that is not shown.
pub fn ends(axes: &[Axis], rows_asked: bool) -> Vec<Axis> {
    let kept = axes.iter().filter(|axis| axis.kept).count();
    let elements = axes.iter().map(Axis::count).fold(1_u64, u64::saturating_mul);
    let mut place = 0;
    let shorten = |axis: &Axis| {
        if !axis.kept {
            return axis.clone();
        }
        place += 1;
        match (kept, place) {
            (_, 1) if rows_asked && kept <= 2 => axis.clone(),
            (1 | 2, 1) if axis.count() > ROWS => axis.ends(ROWS / 2, ROWS / 2),
            (1, _) => axis.clone(),
            (2, _) if axis.count() > COLUMNS => axis.ends(COLUMNS / 2, COLUMNS / 2),
            (2, _) => axis.clone(),
            _ if elements > THRESHOLD => axis.ends(EDGE, EDGE),
            _ => axis.clone(),
        }
    };
    axes.iter().map(shorten).collect()
}

/// A text member: JSON is set out, anything else is as it is but for what a terminal obeys.
pub fn text(bytes: &[u8], raw: bool, out: &mut dyn Write) -> Result<()> {
    if raw {
        return Ok(out.write_all(bytes)?);
    }
    let text = match serde_json::from_slice::<serde_json::Value>(bytes) {
        Ok(value) => serde_json::to_string_pretty(&value).unwrap_or_default(),
        Err(_) => String::from_utf8_lossy(bytes).into_owned(),
    };
    for line in text.lines() {
        writeln!(out, "{}", escape(line))?;
    }
    Ok(())
}

/// One record or row a line; a title for records.
pub fn separated(
    layout: &Layout,
    size: usize,
    axes: &[Axis],
    bytes: &[u8],
    separator: char,
    precision: Option<usize>,
    out: &mut dyn Write,
) -> Result<()> {
    let shape = slice::shape(axes);
    let columns = match (&shape[..], layout) {
        ([] | [_], _) => 1,
        ([_, columns], Layout::Record(_)) if *columns > 1 => {
            return Err(Fault::new("found a table of records, expected one axis of them").hint("--slice takes one row"));
        }
        ([_, columns], _) => in_memory(*columns),
        _ => {
            let hint = "--slice takes a table out of it: --slice '0, ...'";
            return Err(Fault::new(format_args!(
                "found {} axes, expected at most 2 for a table",
                shape.len()
            ))
            .hint(hint));
        }
    };
    let cell = |text: String| {
        if text.contains([separator, '"', '\n', '\r']) {
            format!("\"{}\"", text.replace('"', "\"\""))
        } else {
            text
        }
    };
    let line = |out: &mut dyn Write, cells: Vec<String>| -> io::Result<()> {
        let cells: Vec<String> = cells.into_iter().map(cell).collect();
        writeln!(out, "{}", cells.join(&separator.to_string()))
    };
    if let Layout::Record(fields) = layout {
        let shown: Vec<_> = fields.iter().filter(|field| !is_mask(field, fields)).collect();
        line(out, shown.iter().map(|field| field.name.clone()).collect())?;
        for element in bytes.chunks_exact(size.max(1)) {
            line(
                out,
                shown
                    .iter()
                    .map(|field| field.text(element, fields, precision))
                    .collect(),
            )?;
        }
        return Ok(());
    }
    for row in bytes.chunks_exact((size * columns).max(1)) {
        line(
            out,
            row.chunks_exact(size.max(1))
                .map(|element| layout.text(element, precision))
                .collect(),
        )?;
    }
    Ok(())
}

/// What a person sees.
pub fn table(
    layout: &Layout,
    size: usize,
    values: &Values,
    precision: Option<usize>,
    context: &Context,
    out: &mut dyn Write,
) -> Result<()> {
    let Values::Array { axes, bytes, ends, .. } = values else {
        return Ok(());
    };
    let shape = slice::shape(ends);
    if shape.contains(&0) {
        writeln!(out, "[]")?;
        return Ok(());
    }
    let elements: Vec<&[u8]> = match size {
        0 => vec![&[][..]; in_memory(shape.iter().product())],
        size => bytes.chunks_exact(size).collect(),
    };
    let kept = |axes: &[Axis]| axes.iter().filter(|axis| axis.kept).cloned().collect::<Vec<_>>();
    let (axes, ends) = (kept(axes), kept(ends));
    match (&ends[..], layout) {
        ([], Layout::Record(fields)) => {
            let names: Vec<String> = fields.iter().map(|field| escape(&field.name).into_owned()).collect();
            let widest = names.iter().map(|name| width(name)).max().unwrap_or(0);
            for (field, name) in fields.iter().zip(&names).filter(|(field, _)| !is_mask(field, fields)) {
                let blanks = " ".repeat(widest - width(name));
                writeln!(out, "{name}{blanks}  {}", field.text(elements[0], fields, precision))?;
            }
        }
        ([], _) => writeln!(out, "{}", layout.text(elements[0], precision))?,
        ([rows], Layout::Record(fields)) => {
            let shown: Vec<_> = fields.iter().filter(|field| !is_mask(field, fields)).collect();
            let columns = shown.iter().map(|field| {
                let cells = match field.layout {
                    Layout::Float { .. } => {
                        let parts: Vec<&[u8]> = elements.iter().map(|element| field.of(element)).collect();
                        let mut words = words(&field.layout, &parts, precision);
                        for (word, element) in words.iter_mut().zip(&elements) {
                            if field.text(element, fields, precision) == "None" {
                                *word = "None".into();
                            }
                        }
                        words
                    }
                    _ => elements
                        .iter()
                        .map(|element| field.text(element, fields, precision))
                        .collect(),
                };
                (escape(&field.name).into_owned(), align(&field.layout), cells)
            });
            grid(&axes[0], rows, columns.collect(), false, context, out)?;
        }
        ([rows], _) => {
            let cells = words(layout, &elements, precision);
            grid(
                &axes[0],
                rows,
                vec![(String::new(), align(layout), cells)],
                false,
                context,
                out,
            )?;
        }
        ([rows, columns], _) => {
            let len = elements.len() / in_memory(rows.count());
            let cut = columns.count() < axes[1].count();
            let columns = (0..len).map(|i| {
                let column: Vec<&[u8]> = elements.iter().skip(i).step_by(len).copied().collect();
                (
                    number(&axes[1], columns, i).to_string(),
                    align(layout),
                    words(layout, &column, precision),
                )
            });
            grid(&axes[0], rows, columns.collect(), cut, context, out)?;
        }
        _ => {
            let mut words = words(layout, &elements, precision).into_iter();
            let counts: Vec<(u64, bool)> = ends
                .iter()
                .zip(&axes)
                .map(|(end, axis)| (end.count(), end.count() < axis.count()))
                .collect();
            let mut text = String::new();
            brackets(&counts, 1, &mut words, &mut text);
            writeln!(out, "{text}")?;
        }
    }
    Ok(())
}

fn align(layout: &Layout) -> Align {
    if layout.is_number() { Align::Right } else { Align::Left }
}

/// The place in the array of the n-th row that is shown.
fn number(axis: &Axis, shown: &Axis, n: usize) -> u64 {
    let front = shown.count().div_ceil(2);
    match n as u64 {
        n if shown.count() < axis.count() && n >= front => axis.count() - (shown.count() - n),
        n => n,
    }
}

/// Columns with a title each, beside the numbers of the rows.
fn grid(
    axis: &Axis,
    rows: &Axis,
    columns: Vec<(String, Align, Vec<String>)>,
    cut: bool,
    context: &Context,
    out: &mut dyn Write,
) -> Result<()> {
    let mark = if context.ascii() { "..." } else { "…" };
    let (front, back) = fitting(&columns, axis, context.width());
    let middle = (cut || front + back < columns.len()).then_some(front);
    let (first, last) = columns.split_at(columns.len() - back);
    let columns: Vec<_> = first[..front].iter().chain(last).collect();
    let mut titles = vec![Column::new("", Align::Right)];
    for (i, (title, align, _)) in columns.iter().enumerate() {
        if middle == Some(i) {
            titles.push(Column::new(mark, Align::Left));
        }
        let column = Column::new(title.clone(), *align);
        titles.push(if *align == Align::Left {
            column.flexible()
        } else {
            column
        });
    }
    let mut table = Table::new(titles);
    let count = in_memory(rows.count());
    for n in 0..count {
        if rows.count() < axis.count() && n == count.div_ceil(2) {
            table.row(vec![mark.into()], Style::new());
        }
        let mut cells = vec![number(axis, rows, n).to_string()];
        for (i, (_, _, words)) in columns.iter().enumerate() {
            if middle == Some(i) {
                cells.push(mark.into());
            }
            cells.push(words[n].clone());
        }
        table.row(cells, Style::new());
    }
    Ok(table.write(out, context)?)
}

/// How many columns fit from the front and from the back.
fn fitting(columns: &[(String, Align, Vec<String>)], axis: &Axis, most: Option<usize>) -> (usize, usize) {
    let len = columns.len();
    let half = (len.div_ceil(2), len / 2);
    let Some(most) = most else {
        return half;
    };
    let widest = |(title, _, words): &(String, Align, Vec<String>)| {
        2 + words
            .iter()
            .map(|word| width(word))
            .max()
            .unwrap_or(0)
            .max(width(title))
    };
    let widths: Vec<usize> = columns.iter().map(widest).collect();
    let (mut front, mut back) = half;
    let numbers = axis.count().to_string().len();
    let total = |front: usize, back: usize| {
        let mark = if front + back < len { 3 } else { 0 };
        numbers + mark + widths[..front].iter().sum::<usize>() + widths[len - back..].iter().sum::<usize>()
    };
    while front + back > 2 && total(front, back) > most {
        if back >= front { back -= 1 } else { front -= 1 }
    }
    (front, back)
}

/// Elements that stand below each other: floats with their points in one column.
fn words(layout: &Layout, elements: &[&[u8]], precision: Option<usize>) -> Vec<String> {
    let Layout::Float { size, .. } = *layout else {
        return elements.iter().map(|element| layout.text(element, precision)).collect();
    };
    let values: Vec<f64> = elements.iter().filter_map(|element| layout.number(element)).collect();
    let most = precision.unwrap_or(8);
    let sizes = || values.iter().filter(|v| v.is_finite() && **v != 0.0).map(|v| v.abs());
    let scientific = sizes().any(|v| v >= 1e16) || sizes().any(|v| v < 1e-4) && precision.is_none();
    if scientific {
        return values.iter().map(|&v| float_text(v, size, precision)).collect();
    }
    let plain = |v: f64| {
        if !v.is_finite() {
            return float_text(v, size, None);
        }
        let short = if size == 8 {
            v.to_string()
        } else {
            (v as f32).to_string()
        };
        let digits = short.split_once('.').map_or(0, |(_, digits)| digits.len());
        let text = format!("{v:.0$}", digits.min(most));
        match text.split_once('.') {
            Some(_) => text.trim_end_matches('0').to_owned(),
            None => text + ".",
        }
    };
    let texts: Vec<String> = values.iter().map(|&v| plain(v)).collect();
    let behind = |text: &String| text.split_once('.').map_or(0, |(_, digits)| digits.len());
    let widest = texts.iter().map(behind).max().unwrap_or(0);
    texts
        .iter()
        .map(|text| {
            format!(
                "{text}{}",
                " ".repeat(widest - if text.contains('.') { behind(text) } else { widest })
            )
        })
        .collect()
}

/// `[[..] ..]` of axes, the middle left out where the second of a pair says so.
fn brackets(counts: &[(u64, bool)], depth: usize, words: &mut std::vec::IntoIter<String>, text: &mut String) {
    let Some((&(count, cut), inner)) = counts.split_first() else {
        return;
    };
    let between = match inner.len() {
        0 => " ".into(),
        n => format!("{}{}", "\n".repeat(n), " ".repeat(depth)),
    };
    text.push('[');
    for i in 0..count {
        if i > 0 {
            text.push_str(&between);
        }
        if cut && i == count / 2 {
            text.push_str("...");
            text.push_str(&between);
        }
        match inner {
            [] => text.push_str(&words.next().unwrap_or_default()),
            _ => brackets(inner, depth + 1, words, text),
        }
    }
    text.push(']');
}
