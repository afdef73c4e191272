//! Tables of text as arrays: read once to see the types, then once a column, so that no column is in memory.
//!
//! ```text
//! all integers    <i8, or <u8 where one needs it          007 and 1_000 are texts
//! all numbers     <f8; an empty cell is NaN
//! True, False     |b1
//! anything else   <Un
//! ```

use std::collections::{HashMap, HashSet};
use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;

use serde_npz::{Dtype, Header, WriteOptions};

use super::super::output::{self, Output};
use super::cell::Cell;
use super::with_header;
use crate::frame::fault::{Fault, Result};

#[derive(Clone, Copy)]
pub enum Text {
    Csv { separator: char },
    Ndjson,
}

/// What the cells of a column have been so far.
#[derive(Clone, Debug, Default)]
struct Kind {
    /// Cells that are not empty.
    seen: bool,
    empty: bool,
    not_int: bool,
    not_float: bool,
    not_bool: bool,
    min: i128,
    max: i128,
    /// Characters of the longest cell.
    width: usize,
}

/// The dtype of a column.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Type {
    Int,
    Uint,
    Float,
    Bool,
    Text(usize),
}

impl Kind {
    fn see(&mut self, cell: &str) {
        self.width = self.width.max(cell.chars().count());
        if cell.is_empty() {
            self.empty = true;
            return;
        }
        self.seen = true;
        match int(cell) {
            Some(x) => {
                self.min = self.min.min(x);
                self.max = self.max.max(x);
            }
            None => self.not_int = true,
        }
        self.not_float |= float(cell).is_none();
        self.not_bool |= boolean(cell).is_none();
    }

    fn ty(&self) -> Type {
        let int = self.seen && !self.not_int && !self.empty;
        // An integer that a float cannot hold would be another number.
        let exact = self.not_int || (self.min >= -(1 << 53) && self.max <= 1 << 53);
        match () {
            () if int && self.min >= i64::MIN.into() && self.max <= i64::MAX.into() => Type::Int,
            () if int && self.min >= 0 && self.max <= u64::MAX.into() => Type::Uint,
            () if self.seen && !self.not_float && exact => Type::Float,
            () if self.seen && !self.not_bool && !self.empty => Type::Bool,
            () => Type::Text(self.width.max(1)),
        }
    }
}

fn int(cell: &str) -> Option<i128> {
    let digits = cell.strip_prefix('-').unwrap_or(cell);
    let plain =
        digits == "0" && digits == cell || !digits.starts_with('0') && digits.bytes().all(|b| b.is_ascii_digit());
    cell.parse().ok().filter(|_| plain && !digits.is_empty())
}

fn float(cell: &str) -> Option<f64> {
    if int(cell).is_none() {
        // What looks like a number to Rust and to Python; `007` is a name.
        let digits = cell.trim_start_matches(['-', '+']);
        let padded = digits.len() > 1 && digits.starts_with('0') && digits.as_bytes()[1].is_ascii_digit();
        if padded {
            return None;
        }
    }
    cell.parse().ok()
}

fn boolean(cell: &str) -> Option<bool> {
    match cell {
        "True" | "true" => Some(true),
        "False" | "false" => Some(false),
        _ => None,
    }
}

impl Type {
    fn dtype(self) -> String {
        match self {
            Type::Int => "<i8".into(),
            Type::Uint => "<u8".into(),
            Type::Float => "<f8".into(),
            Type::Bool => "|b1".into(),
            Type::Text(width) => format!("<U{width}"),
        }
    }

    fn encode(self, cell: &str, bytes: &mut Vec<u8>) -> Result<()> {
        let changed = || Fault::new("the file changed while it was read");
        match self {
            Type::Int => bytes.extend(cell.parse::<i64>().map_err(|_| changed())?.to_le_bytes()),
            Type::Uint => bytes.extend(cell.parse::<u64>().map_err(|_| changed())?.to_le_bytes()),
            Type::Float if cell.is_empty() => bytes.extend(f64::NAN.to_le_bytes()),
            Type::Float => bytes.extend(cell.parse::<f64>().map_err(|_| changed())?.to_le_bytes()),
            Type::Bool => bytes.push(boolean(cell).ok_or_else(changed)?.into()),
            Type::Text(width) => {
                let end = bytes.len() + 4 * width;
                cell.chars().for_each(|c| bytes.extend(u32::from(c).to_le_bytes()));
                if bytes.len() > end {
                    return Err(changed());
                }
                bytes.resize(end, 0);
            }
        }
        Ok(())
    }
}

/// A table whose types have been seen.
struct Table {
    names: Option<Vec<String>>,
    types: Vec<Type>,
    rows: u64,
}

/// Reads a table into an archive of its columns, or into one array: of records, or without names of numbers.
pub fn read(path: &Path, text: Text, archive: bool, output: impl Fn() -> Result<Output>) -> Result<()> {
    let table = look(path, text)?;
    let Table { names, types, rows } = &table;
    if types.is_empty() {
        return Err(Fault::new("found no column, expected one at least"));
    }
    if archive {
        return output()?.write_npz(&WriteOptions::new(), |npz| {
            for (i, ty) in types.iter().enumerate() {
                let name = names
                    .as_ref()
                    .map_or_else(|| format!("arr_{i}"), |names| names[i].clone());
                let header = Header::new(Dtype::parse(&ty.dtype())?, vec![*rows], false)?;
                let data = encoded(path, text, &table, i..i + 1)?;
                let size = header.to_bytes().len() as u64 + rows * header.dtype().itemsize();
                npz.add_raw(&format!("{name}.npy"), size, with_header(&header, data))?;
            }
            Ok(())
        });
    }
    let header = match names {
        Some(names) => {
            let fields: Vec<String> = names
                .iter()
                .zip(types)
                .map(|(name, ty)| format!("({}, '{}')", python(name), ty.dtype()))
                .collect();
            Header::new(Dtype::parse(&format!("[{}]", fields.join(", ")))?, vec![*rows], false)?
        }
        None => {
            let shape = if types.len() == 1 {
                vec![*rows]
            } else {
                vec![*rows, types.len() as u64]
            };
            Header::new(Dtype::parse(&types[0].dtype())?, shape, false)?
        }
    };
    let mut data = with_header(&header, encoded(path, text, &table, 0..types.len())?);
    output()?.write(|writer| output::copy(&mut data, writer).map(|_| ()))
}

/// A text as Python has it.
fn python(text: &str) -> String {
    let mut literal = "'".to_owned();
    for c in text.chars() {
        match c {
            '\'' | '\\' => literal.extend(['\\', c]),
            c if c.is_control() => literal.push_str(&format!("\\x{:02x}", u32::from(c))),
            c => literal.push(c),
        }
    }
    literal + "'"
}

/// Names, types and how many rows.
fn look(path: &Path, text: Text) -> Result<Table> {
    let mut kinds: Vec<Kind> = Vec::new();
    let mut names = None;
    let mut rows = 0_u64;
    if let Text::Ndjson = text {
        let found = keys(path)?;
        kinds.resize(found.len(), Kind::default());
        names = Some(found);
    }
    let mut reader = Reader::open(path, text)?;
    let mut first: Option<Vec<String>> = None;
    while let Some(row) = reader.row(names.as_deref())? {
        if kinds.is_empty() {
            kinds.resize(row.len(), Kind::default());
        }
        if row.len() != kinds.len() {
            return Err(Fault::new(format_args!(
                "row {}: found {} cells, expected {}",
                rows + 1,
                row.len(),
                kinds.len()
            )));
        }
        if let (Text::Csv { .. }, 0, None) = (text, rows, &first) {
            first = Some(row);
            continue;
        }
        row.iter().zip(&mut kinds).for_each(|(cell, kind)| kind.see(cell));
        rows += 1;
    }
    if let Some(first) = first {
        // Numbers alone are no names.
        if first.iter().all(|cell| float(cell).is_some()) {
            first.iter().zip(&mut kinds).for_each(|(cell, kind)| kind.see(cell));
            rows += 1;
        } else {
            names = Some(first);
        }
    }
    let mut types: Vec<Type> = kinds.iter().map(Kind::ty).collect();
    if names.is_none() {
        // One array has one type.
        let common = if types.iter().all(|ty| *ty == types[0]) {
            None
        } else if types.iter().all(|ty| matches!(ty, Type::Int | Type::Float)) {
            Some(Type::Float)
        } else {
            Some(Type::Text(
                kinds.iter().map(|kind| kind.width).max().unwrap_or(1).max(1),
            ))
        };
        if let Some(common) = common {
            types.fill(common);
        }
    }
    Ok(Table { names, types, rows })
}

/// The keys of all objects, in the order in which they come first.
fn keys(path: &Path) -> Result<Vec<String>> {
    let mut names: Vec<String> = Vec::new();
    let mut seen = HashSet::new();
    for object in objects(BufReader::new(File::open(path)?)) {
        for (key, _) in object? {
            if seen.insert(key.clone()) {
                names.push(key);
            }
        }
    }
    Ok(names)
}

/// A row: names and values in their order.
type Object = Vec<(String, Cell)>;

fn objects(reader: impl BufRead) -> impl Iterator<Item = Result<Object>> {
    let lines = reader
        .lines()
        .enumerate()
        .filter(|(_, line)| !line.as_ref().is_ok_and(|line| line.trim().is_empty()));
    lines.map(|(i, line)| match serde_json::from_str(&line?) {
        Ok(Cell::Record(object)) => Ok(object),
        Ok(_) => Err(Fault::new(format_args!(
            "line {}: found no JSON object, expected one",
            i + 1
        ))),
        Err(err) => Err(Fault::new(format_args!("line {}: no JSON object: {err}", i + 1))),
    })
}

enum Reader {
    Csv {
        reader: BufReader<File>,
        separator: u8,
        begun: bool,
    },
    Ndjson(Box<dyn Iterator<Item = Result<Object>>>),
}

impl Reader {
    fn open(path: &Path, text: Text) -> Result<Reader> {
        let reader = BufReader::new(File::open(path)?);
        Ok(match text {
            Text::Csv { separator } => Reader::Csv {
                reader,
                separator: separator as u8,
                begun: false,
            },
            Text::Ndjson => Reader::Ndjson(Box::new(objects(reader))),
        })
    }

    fn row(&mut self, names: Option<&[String]>) -> Result<Option<Vec<String>>> {
        match self {
            Reader::Csv {
                reader,
                separator,
                begun,
            } => csv_row(reader, *separator, begun),
            Reader::Ndjson(objects) => {
                let Some(object) = objects.next().transpose()? else {
                    return Ok(None);
                };
                let object: HashMap<String, Cell> = object.into_iter().collect();
                let cell = |name: &String| match object.get(name) {
                    None => Ok(String::new()),
                    Some(Cell::List(_) | Cell::Record(_)) => {
                        Err(Fault::new("found a list or an object, expected a number, a text or a bool").at(name))
                    }
                    Some(cell) => Ok(cell.text()),
                };
                names
                    .unwrap_or_default()
                    .iter()
                    .map(cell)
                    .collect::<Result<_>>()
                    .map(Some)
            }
        }
    }
}

/// One row of RFC 4180: cells may be in quotes, and hold separators, line ends and doubled quotes then.
fn csv_row(reader: &mut BufReader<File>, separator: u8, begun: &mut bool) -> Result<Option<Vec<String>>> {
    let mut line = Vec::new();
    loop {
        if reader.read_until(b'\n', &mut line)? == 0 {
            if line.is_empty() {
                return Ok(None);
            }
            if line.iter().filter(|&&byte| byte == b'"').count() % 2 == 1 {
                return Err(Fault::new("the last cell begins with a quote and never ends"));
            }
            break;
        }
        // A line end between quotes is part of a cell.
        if line.iter().filter(|&&byte| byte == b'"').count() % 2 == 0 {
            if line.iter().all(|byte| matches!(byte, b'\r' | b'\n')) {
                line.clear();
                continue;
            }
            break;
        }
    }
    let mut rest = &line[..];
    // Excel writes a byte order mark.
    if !std::mem::replace(begun, true) {
        rest = rest.strip_prefix(b"\xef\xbb\xbf").unwrap_or(rest);
    }
    rest = rest.strip_suffix(b"\n").unwrap_or(rest);
    rest = rest.strip_suffix(b"\r").unwrap_or(rest);
    let mut cells = Vec::new();
    let mut cell = Vec::new();
    let mut quoted = false;
    let mut bytes = rest.iter().copied().peekable();
    while let Some(byte) = bytes.next() {
        match byte {
            b'"' if quoted && bytes.peek() == Some(&b'"') => {
                bytes.next();
                cell.push(b'"');
            }
            b'"' if quoted => quoted = false,
            b'"' if cell.is_empty() => quoted = true,
            byte if byte == separator && !quoted => cells.push(text(std::mem::take(&mut cell))?),
            byte => cell.push(byte),
        }
    }
    cells.push(text(cell)?);
    Ok(Some(cells))
}

fn text(cell: Vec<u8>) -> Result<String> {
    let text = String::from_utf8(cell).map_err(|_| Fault::new("found bytes that are no UTF-8, expected text"))?;
    if text.ends_with('\0') {
        return Err(Fault::new("found a text that ends in NUL, which NumPy would cut off"));
    }
    Ok(text)
}

/// The bytes of some columns, row by row.
fn encoded<'t>(path: &Path, text: Text, table: &'t Table, columns: std::ops::Range<usize>) -> Result<Encoded<'t>> {
    let mut reader = Reader::open(path, text)?;
    if let (Text::Csv { .. }, Some(_)) = (text, &table.names) {
        reader.row(None)?;
    }
    Ok(Encoded {
        reader,
        table,
        columns,
        bytes: Vec::new(),
        taken: 0,
    })
}

struct Encoded<'t> {
    reader: Reader,
    table: &'t Table,
    columns: std::ops::Range<usize>,
    bytes: Vec<u8>,
    taken: usize,
}

impl Encoded<'_> {
    fn next(&mut self) -> Result<bool> {
        self.bytes.clear();
        self.taken = 0;
        while self.bytes.len() < 64 << 10 {
            let Some(row) = self.reader.row(self.table.names.as_deref())? else {
                break;
            };
            for i in self.columns.clone() {
                let cell = row
                    .get(i)
                    .ok_or_else(|| Fault::new("the file changed while it was read"))?;
                self.table.types[i].encode(cell, &mut self.bytes)?;
            }
        }
        Ok(!self.bytes.is_empty())
    }
}

impl Read for Encoded<'_> {
    fn read(&mut self, buf: &mut [u8]) -> std::io::Result<usize> {
        if self.taken == self.bytes.len() && !self.next().map_err(|fault| std::io::Error::other(fault.to_string()))? {
            return Ok(0);
        }
        let most = buf.len().min(self.bytes.len() - self.taken);
        buf[..most].copy_from_slice(&self.bytes[self.taken..self.taken + most]);
        self.taken += most;
        Ok(most)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ty(cells: &[&str]) -> Type {
        let mut kind = Kind::default();
        cells.iter().for_each(|cell| kind.see(cell));
        kind.ty()
    }

    #[test]
    fn columns_have_the_narrowest_type_that_is_exact() {
        assert_eq!(ty(&["1", "-2", "0"]), Type::Int);
        assert_eq!(ty(&["1", "18446744073709551615"]), Type::Uint);
        assert_eq!(ty(&["1", "2.5", "", "nan", "1e5"]), Type::Float);
        assert_eq!(ty(&["9007199254740993", ""]), Type::Text(16));
        assert_eq!(ty(&["True", "false"]), Type::Bool);
        assert_eq!(ty(&["007", "1"]), Type::Text(3));
        assert_eq!(ty(&["a", "é日"]), Type::Text(2));
        assert_eq!(ty(&[""]), Type::Text(1));
    }
}
