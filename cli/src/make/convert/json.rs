//! JSON: arrays as nested lists under their names, and any JSON text as an archive.

use std::fs;
use std::fs::File;
use std::io::{BufReader, Write};
use std::path::Path;

use serde_npz::{NpyReader, NpzReader, WriteOptions};

use super::super::output::Output;
use super::Loss;
use super::cell::Cell;
use crate::frame::fault::{Fault, Result};
use crate::frame::input::{Input, Member};

/// Writes an object of the members, or the list of a lone array; a row at a time.
pub fn write(path: &Path, input: &Input, members: &[Member], writer: &mut dyn Write, loss: &Loss<'_>) -> Result<()> {
    let options = loss.context.options();
    if !input.is_npz() {
        let Some(Member {
            header: Some(header), ..
        }) = members.first()
        else {
            return Err(Fault::new("found no array"));
        };
        if header.shape().is_empty() {
            let cell: Cell = options.load_npy(path)?;
            return value(cell.timed(header.dtype()), "", writer, loss).and_then(|()| Ok(writeln!(writer)?));
        }
        let mut npy = NpyReader::with_options(BufReader::new(File::open(path)?), options)?;
        let cells = npy
            .rows::<Cell>()
            .map(|cell| cell.map(|cell| cell.timed(header.dtype())));
        return list(cells, "", writer, loss).and_then(|()| Ok(writeln!(writer)?));
    }
    let mut npz = NpzReader::open_with(path, options)?;
    write!(writer, "{{")?;
    let mut begun = false;
    for member in members {
        let text = if member.header.is_some() {
            None
        } else {
            text(&mut npz, &member.name)?
        };
        if member.header.is_none() && text.is_none() {
            loss.of(&member.name, "neither an array nor a JSON text")?;
            continue;
        }
        let name = match &text {
            Some(_) => member.name.strip_suffix(".json").unwrap_or(&member.name),
            None => &member.name,
        };
        let between = if begun { ",\n" } else { "\n" };
        begun = true;
        write!(writer, "{between}{}: ", serde_json::Value::from(name))?;
        match (&member.header, text) {
            (Some(header), _) if header.shape().is_empty() => {
                let cell: Cell = npz.get(&member.name)?;
                value(cell.timed(header.dtype()), &member.name, writer, loss)?;
            }
            (Some(header), _) => {
                let rows = npz.rows::<Cell>(&member.name)?;
                let cells = rows.map(|cell| cell.map(|cell| cell.timed(header.dtype())));
                list(cells, &member.name, writer, loss)?;
            }
            (None, text) => write!(writer, "{}", text.unwrap_or_default())?,
        }
    }
    Ok(writeln!(writer, "\n}}")?)
}

/// The text of a member that is JSON.
fn text(npz: &mut NpzReader<BufReader<File>>, name: &str) -> Result<Option<serde_json::Value>> {
    if !name.ends_with(".json") {
        return Ok(None);
    }
    Ok(serde_json::from_slice(&npz.raw(name)?).ok())
}

fn list(
    cells: impl Iterator<Item = serde_npz::Result<Cell>>,
    name: &str,
    writer: &mut dyn Write,
    loss: &Loss<'_>,
) -> Result<()> {
    let mut said = false;
    write!(writer, "[")?;
    for (i, cell) in cells.enumerate() {
        let cell = cell?;
        if !said && cell.is_lost() {
            nan(name, loss)?;
            said = true;
        }
        write!(writer, "{}{}", if i > 0 { ", " } else { "" }, cell.json())?;
    }
    Ok(write!(writer, "]")?)
}

fn value(cell: Cell, name: &str, writer: &mut dyn Write, loss: &Loss<'_>) -> Result<()> {
    if cell.is_lost() {
        nan(name, loss)?;
    }
    Ok(write!(writer, "{}", cell.json())?)
}

fn nan(name: &str, loss: &Loss<'_>) -> Result<()> {
    loss.of(name, "JSON has no NaN and no infinity: null in their place")
}

/// Reads any JSON text as the library lays it out.
pub fn read(path: &Path, archive: bool, output: impl Fn() -> Result<Output>) -> Result<()> {
    let value: Cell =
        serde_json::from_slice(&fs::read(path)?).map_err(|err| Fault::new(format_args!("no JSON text: {err}")))?;
    match value {
        // A name with separators is a path into groups, as it is in an archive.
        Cell::Record(members) if archive => output()?.write_npz(&WriteOptions::new(), |npz| {
            members.iter().try_for_each(|(name, value)| Ok(npz.add(name, value)?))
        }),
        value => {
            let bytes = match archive {
                true => serde_npz::to_npz_vec(&value)?,
                false => serde_npz::to_npy_vec(&value)?,
            };
            output()?.write(|writer| Ok(writer.write_all(&bytes)?))
        }
    }
}
