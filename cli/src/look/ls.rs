//! `npz ls`: which arrays, what shape, dtype and size. Only headers are read.

use std::io::Write;
use std::path::PathBuf;

use anstyle::{AnsiColor, Style};
use serde::Serialize;

use crate::frame::context::Context;
use crate::frame::fault::{Outcome, Result};
use crate::frame::input::{self, Input, Member};
use crate::frame::json::{Files, JsonArgs, descr};
use crate::frame::select::MemberArgs;
use crate::frame::table::{Align, Column, Table};
use crate::frame::text::{Shape, escape};

/// List the arrays of files: name, dtype, shape, size
#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// .npy and .npz files; - is standard input
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    #[command(flatten)]
    members: MemberArgs,
    #[command(flatten)]
    json: JsonArgs,
    /// Names alone, one a line
    #[arg(short = '1', long)]
    names: bool,
}

const EXAMPLES: &str = "\
Examples:
  npz ls run.npz
  npz ls -1 run.npz                names alone
  npz ls -m 'layers/*/w' run.npz   members of a glob
  npz ls --json *.npz | jq '.files[].members[].name'";

pub fn run(args: &Args, context: &Context) -> Result<Outcome> {
    let paths = input::expand(&args.files);
    let mut files = Files::new(args.json, context);
    for path in &paths {
        let shown = path.to_string_lossy();
        match read(path, args, context) {
            Ok((is_npz, members)) => {
                if members.iter().any(|member| member.fault.is_some()) {
                    context.note(Outcome::Differs);
                }
                match &mut files {
                    Some(files) => {
                        let kind = if is_npz { "npz" } else { "npy" };
                        let members: Vec<Row> = members.iter().map(Row::from).collect();
                        files.file(&shown, Head { kind }, &members)?;
                    }
                    None => {
                        if paths.len() > 1 && !args.names {
                            writeln!(context.out(), "{}:", escape(&shown))?;
                        }
                        text(&members, args, context)?;
                    }
                }
            }
            Err(fault) => {
                if let Some(files) = &mut files {
                    files.fault(&shown, &fault)?;
                }
                context.complain(fault.of(path), Outcome::Failed)?;
            }
        }
    }
    files.map_or(Ok(()), Files::finish)?;
    Ok(Outcome::Done)
}

fn read(path: &std::path::Path, args: &Args, context: &Context) -> Result<(bool, Vec<Member>)> {
    let mut input = Input::open(path, context)?;
    let members = input.members(&args.members.members, context)?;
    Ok((input.is_npz(), members))
}

#[derive(Serialize)]
struct Head {
    kind: &'static str,
}

/// A member in JSON.
#[derive(Serialize)]
struct Row<'a> {
    name: &'a str,
    file_name: &'a str,
    dtype: Option<String>,
    descr: Option<serde_json::Value>,
    shape: Option<&'a [u64]>,
    fortran_order: Option<bool>,
    bytes: u64,
    compressed_bytes: u64,
    method: String,
    crc32: Option<u32>,
    data_offset: Option<u64>,
    mappable: bool,
    error: Option<&'a str>,
}

impl<'a> From<&'a Member> for Row<'a> {
    fn from(member: &'a Member) -> Self {
        let header = member.header.as_ref();
        Row {
            name: &member.name,
            file_name: &member.file_name,
            dtype: header.map(|header| header.dtype().to_string()),
            descr: header.map(|header| descr(header.dtype())),
            shape: header.map(|header| header.shape()),
            fortran_order: header.map(|header| header.fortran_order()),
            bytes: member.size,
            compressed_bytes: member.compressed_size,
            method: method(member.method),
            crc32: member.crc,
            data_offset: member.data_offset,
            mappable: member.unmappable.is_none(),
            error: member.fault.as_ref().map(|fault| fault.fact()),
        }
    }
}

fn method(number: u16) -> String {
    match number {
        0 => "stored".into(),
        8 => "deflate".into(),
        9 => "deflate64".into(),
        12 => "bzip2".into(),
        14 => "lzma".into(),
        93 => "zstd".into(),
        95 => "xz".into(),
        other => format!("method {other}"),
    }
}

fn text(members: &[Member], args: &Args, context: &Context) -> Result<()> {
    let mut out = context.out();
    if args.names {
        for member in members {
            writeln!(out, "{}", escape(&member.name))?;
        }
        return Ok(());
    }
    let mut table = Table::new(vec![
        Column::new("name", Align::Left).flexible(),
        Column::new("dtype", Align::Left).flexible(),
        Column::new("shape", Align::Left).flexible(),
        Column::new("bytes", Align::Right),
        Column::new("on disk", Align::Right),
        Column::new("method", Align::Left),
    ]);
    for member in members {
        let (dtype, shape) = match &member.header {
            Some(header) => (header.dtype().to_string(), Shape(header.shape()).to_string()),
            None => (String::new(), String::new()),
        };
        let style = match member.fault {
            Some(_) => AnsiColor::Red.on_default(),
            None => Style::new(),
        };
        let cells = vec![
            escape(&member.name).into_owned(),
            dtype,
            shape,
            context.bytes(member.size),
            context.bytes(member.compressed_size),
            method(member.method),
        ];
        table.row(cells, style);
    }
    table.write(&mut *out, context)?;
    Ok(())
}
