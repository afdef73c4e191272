//! `npz convert`: to and from the formats of other programs, by suffix.
//!
//! ```text
//! .npy .npz   ─► csv, tsv, ndjson   rows::Rows: columns in step, one row in memory
//!             ─► json               members one after another
//!             ─► safetensors        the bytes of numbers
//! csv, tsv, ndjson ─► .npy .npz     table: once to see the types, then once a column
//! ```

mod cell;
mod json;
mod rows;
mod safetensors;
mod table;

use std::io::Cursor;
use std::io::Read;
use std::path::{Path, PathBuf};

use serde_npz::WriteOptions;

use super::output::{self, Output};
use super::repack::stem;
use crate::frame::context::Context;
use crate::frame::fault::{Fault, Outcome, Result};
use crate::frame::input::{Input, Member};
use crate::frame::select::MemberArgs;
use crate::frame::text::escape;

/// Convert between .npy, .npz, CSV, TSV, JSON, NDJSON and safetensors
///
/// The suffixes decide. Records, and members of one axis and one length, are columns of a table. What would not survive is
/// named, and left out only with --lossy.
#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// The file to read
    #[arg(value_name = "IN")]
    input: PathBuf,
    /// The file to write
    #[arg(value_name = "OUT")]
    output: PathBuf,
    #[command(flatten)]
    members: MemberArgs,
    /// Leave out, or round, what the other format does not have
    #[arg(long)]
    lossy: bool,
    /// Replace OUT if it is there
    #[arg(long)]
    force: bool,
}

const EXAMPLES: &str = "\
Examples:
  npz convert run.npz run.csv -m time -m speed   columns
  npz convert table.csv table.npz                one array a column
  npz convert table.csv table.npy                one array of records
  npz convert weights.npz weights.safetensors
  npz convert run.npz run.json";

#[derive(Clone, Copy, PartialEq)]
enum Format {
    Npy,
    Npz,
    Csv { separator: char },
    Json,
    Ndjson,
    Safetensors,
}

fn format(path: &Path) -> Result<Format> {
    let suffix = path
        .extension()
        .map(|suffix| suffix.to_string_lossy().to_ascii_lowercase());
    Ok(match suffix.as_deref() {
        Some("npy") => Format::Npy,
        Some("npz") => Format::Npz,
        Some("csv") => Format::Csv { separator: ',' },
        Some("tsv") => Format::Csv { separator: '\t' },
        Some("json") => Format::Json,
        Some("ndjson" | "jsonl") => Format::Ndjson,
        Some("safetensors") => Format::Safetensors,
        _ => {
            return Err(Fault::new(
                "found another suffix, expected .npy, .npz, .csv, .tsv, .json, .ndjson or .safetensors",
            )
            .of(path));
        }
    })
}

/// What is not exact: an error, or with `--lossy` a warning.
struct Loss<'a> {
    lossy: bool,
    context: &'a Context,
}

impl Loss<'_> {
    fn of(&self, member: &str, what: &str) -> Result<()> {
        let fault = Fault::new(what).at(member);
        if self.lossy {
            eprintln!("npz: {fault}");
            return Ok(());
        }
        Err(fault.hint("--lossy leaves it out"))
    }
}

pub fn run(args: &Args, context: &Context) -> Result<Outcome> {
    let (from, to) = (format(&args.input)?, format(&args.output)?);
    let loss = Loss {
        lossy: args.lossy,
        context,
    };
    let of_input = |fault: Fault| fault.of(&args.input);
    match (from, to) {
        (Format::Npy | Format::Npz, _) => {
            let mut input = Input::open(&args.input, context).map_err(of_input)?;
            let members = input.members(&args.members.members, context).map_err(of_input)?;
            let members = sound(members, &loss).map_err(of_input)?;
            write(args, to, &mut input, &members, &loss).map_err(of_input)?;
        }
        (_, Format::Npy | Format::Npz) => {
            let output = || Output::create(&args.output, args.force);
            let read = match from {
                Format::Csv { separator } => {
                    table::read(&args.input, table::Text::Csv { separator }, to == Format::Npz, output)
                }
                Format::Ndjson => table::read(&args.input, table::Text::Ndjson, to == Format::Npz, output),
                Format::Json => json::read(&args.input, to == Format::Npz, output),
                _ => safetensors::read(&args.input, to == Format::Npz, output),
            };
            read.map_err(of_input)?;
        }
        _ => return Err(Fault::new("found two other formats, expected .npy or .npz on one side").of(&args.output)),
    }
    Ok(Outcome::Done)
}

/// The members that can be read.
fn sound(members: Vec<Member>, loss: &Loss<'_>) -> Result<Vec<Member>> {
    let mut kept = Vec::new();
    for member in members {
        match &member.fault {
            Some(fault) => loss.of(&member.name, fault.fact())?,
            None => kept.push(member),
        }
    }
    Ok(kept)
}

fn write(args: &Args, to: Format, input: &mut Input, members: &[Member], loss: &Loss<'_>) -> Result<()> {
    let output = || Output::create(&args.output, args.force);
    match to {
        Format::Npz => output()?.write_npz(&WriteOptions::new(), |npz| {
            for member in members {
                let own = format!("{}.npy", stem(&args.input));
                let name = if input.is_npz() { &member.file_name } else { &own };
                npz.add_raw(name, member.size, input.bytes(member)?)?;
            }
            Ok(())
        }),
        Format::Npy => match members {
            [member] if member.header.is_some() => {
                let mut bytes = input.bytes(member)?;
                output()?.write(|writer| output::copy(&mut *bytes, writer).map(|_| ()))
            }
            _ => {
                let names: Vec<_> = members.iter().take(8).map(|member| escape(&member.name)).collect();
                let fault = Fault::new(format_args!("found {} members, expected one array", members.len()));
                Err(fault.hint(format_args!("-m chooses one: {}", names.join(", "))))
            }
        },
        Format::Csv { separator } => {
            let rows = rows::Rows::new(&args.input, input, members, loss)?;
            output()?.write(|writer| rows.write_csv(writer, separator))
        }
        Format::Ndjson => {
            let rows = rows::Rows::new(&args.input, input, members, loss)?;
            output()?.write(|writer| rows.write_ndjson(writer, loss))
        }
        Format::Json => output()?.write(|writer| json::write(&args.input, input, members, writer, loss)),
        Format::Safetensors => safetensors::write(input, members, loss, output),
    }
}

/// A header and what follows it as one file.
fn with_header(header: &serde_npz::Header, data: impl Read) -> impl Read {
    Cursor::new(header.to_bytes()).chain(data)
}
