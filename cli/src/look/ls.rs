//! `npz ls`: which arrays, what shape, dtype and size. Only headers are read, but for `--stats`.

mod arrange;

use std::io::Write;
use std::path::{Path, PathBuf};

use anstyle::{AnsiColor, Style};
use clap::ValueEnum;
use serde::Serialize;
use serde_npz::{ErrorKind, Unmappable};

use self::arrange::{Line, collapsed, plain, tree};
use crate::frame::context::Context;
use crate::frame::fault::{Fault, Outcome, Result};
use crate::frame::input::{self, Input, Member};
use crate::frame::json::{Files, JsonArgs, descr};
use crate::frame::select::MemberArgs;
use crate::frame::table::{Align, Column, Table};
use crate::frame::text::{Shape, escape};
use crate::look::stats::{self, Asked};

/// List the arrays of files: name, dtype, shape, size
#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// .npy and .npz files; - is standard input
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    #[command(flatten)]
    members: MemberArgs,
    /// Names alone, one a line
    #[arg(short = '1', long, conflicts_with_all = ["tree", "collapse", "json", "jsonl", "stats"])]
    names: bool,
    /// Groups as a tree
    #[arg(short, long, conflicts_with_all = ["collapse", "json", "jsonl"])]
    tree: bool,
    /// Members that differ in numbers of their names alone in one line: layers/#/w x12
    #[arg(long, conflicts_with_all = ["json", "jsonl", "stats"])]
    collapse: bool,
    /// name, size, ratio or offset in place of the file's order
    #[arg(short, long, value_enum, value_name = "ORDER", hide_possible_values = true)]
    sort: Option<Order>,
    /// Also minimum, maximum, mean, deviation, NaN: reads everything once
    #[arg(long)]
    stats: bool,
    #[command(flatten)]
    json: JsonArgs,
}

#[derive(Clone, Copy, ValueEnum)]
enum Order {
    Name,
    Size,
    Ratio,
    Offset,
}

const EXAMPLES: &str = "\
Examples:
  npz ls run.npz
  npz ls -1 run.npz                names alone
  npz ls -t run.npz                as a tree
  npz ls -s size *.npz             the largest first
  npz ls -m 'layers/*/w' run.npz   members of a glob
  npz ls --json *.npz | jq '.files[].members[].name'";

pub fn run(args: &Args, context: &Context) -> Result<Outcome> {
    let paths = input::expand(&args.files);
    Files::each(
        &paths,
        args.json,
        context,
        |path| read(path, args, context),
        |path, (is_npz, members, rows), files| {
            let shown = path.to_string_lossy();
            if members.iter().any(|member| member.fault.is_some()) {
                context.note(Outcome::Differs);
            }
            if let Some(files) = files {
                let kind = if is_npz { "npz" } else { "npy" };
                let rows = members.iter().zip(rows);
                let members: Vec<Row> = rows.map(|(member, rows)| Row::new(member, rows)).collect();
                return files.file(&shown, Head { kind }, &members);
            }
            if paths.len() > 1 && !args.names {
                writeln!(context.out(), "{}:", escape(&shown))?;
            }
            text(&members, &rows, args, context)
        },
    )
}

/// The statistics of a member, where they were asked for.
type Statistics = Option<Vec<stats::Row>>;

fn read(path: &Path, args: &Args, context: &Context) -> Result<(bool, Vec<Member>, Vec<Statistics>)> {
    let mut input = Input::open(path, context)?;
    let mut members = input.members(&args.members.members, context)?;
    let ratio = |member: &Member| member.compressed_size as f64 / member.size.max(1) as f64;
    match args.sort {
        None => {}
        Some(Order::Name) => members.sort_by(|a, b| a.name.cmp(&b.name)),
        Some(Order::Size) => members.sort_by_key(|member| std::cmp::Reverse(member.size)),
        Some(Order::Ratio) => members.sort_by(|a, b| ratio(a).total_cmp(&ratio(b))),
        Some(Order::Offset) => members.sort_by_key(|member| member.offset),
    }
    let mut rows = Vec::new();
    for member in &members {
        let found = match args.stats && member.fault.is_none() {
            true => Some(stats::describe(&mut input, member, &Asked::default())),
            false => None,
        };
        rows.push(match found {
            Some(Err(fault)) => {
                context.complain(fault.at(&member.name).of(path), Outcome::Differs)?;
                None
            }
            Some(Ok(rows)) => Some(rows),
            None => None,
        });
    }
    Ok((input.is_npz(), members, rows))
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
    unmappable: Option<String>,
    error: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    stats: Statistics,
}

impl<'a> Row<'a> {
    fn new(member: &'a Member, stats: Statistics) -> Self {
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
            unmappable: member.unmappable.map(|reason| reason.to_string()),
            error: member.fault.as_ref().map(Fault::fact),
            stats,
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

/// Why a member cannot be mapped, in a word or two.
fn reason(unmappable: Option<Unmappable>) -> &'static str {
    match unmappable {
        None => "yes",
        Some(Unmappable::Compressed) => "compressed",
        Some(Unmappable::NotAnArray) => "no array",
        Some(Unmappable::Dtype) => "dtype",
        Some(Unmappable::ByteSwapped) => "byte order",
        Some(Unmappable::Misaligned) => "misaligned",
        Some(_) => "refused",
    }
}

fn text(members: &[Member], rows: &[Statistics], args: &Args, context: &Context) -> Result<()> {
    if args.names {
        let mut out = context.out();
        for member in members {
            writeln!(out, "{}", escape(&member.name))?;
        }
        return Ok(());
    }
    let lines = match () {
        () if args.tree => tree(members, context.separator(), context.ascii()),
        () if args.collapse => collapsed(members, context.separator()),
        () => plain(members),
    };
    let left = |title: &str| Column::new(title, Align::Left);
    let right = |title: &str| Column::new(title, Align::Right);
    let mut titles = vec![
        left("name").flexible(),
        left("dtype").flexible(),
        left("shape").flexible(),
    ];
    titles.extend(["bytes", "on disk", "ratio"].map(right));
    titles.extend(["method", "mappable"].map(left));
    if args.stats {
        titles.extend(stats::TITLES.map(right));
    }
    let faults = members.iter().any(|member| member.fault.is_some());
    if faults {
        titles.push(left("").flexible());
    }
    let mut table = Table::new(titles).keep(4);
    for line in lines {
        let Some(i) = line.member else {
            table.row(vec![line.name], AnsiColor::Blue.on_default());
            continue;
        };
        let member = &members[i];
        let mut cells = cells(&line, member, context);
        if args.stats {
            match rows[i].as_deref() {
                Some([row]) => cells.extend(row.cells()),
                _ => cells.extend(stats::TITLES.map(|_| "-".to_owned())),
            }
        }
        let style = match &member.fault {
            Some(fault) => {
                cells.push(fault.fact().to_owned());
                AnsiColor::Red.on_default()
            }
            None => Style::new(),
        };
        table.row(cells, style);
    }
    Ok(table.write(&mut *context.out(), context)?)
}

fn cells(line: &Line, member: &Member, context: &Context) -> Vec<String> {
    let is_object = member.fault.as_ref().and_then(Fault::kind) == Some(ErrorKind::Pickle);
    let (dtype, shape) = match &member.header {
        Some(header) => (header.dtype().to_string(), Shape(header.shape()).to_string()),
        None if is_object => ("object".into(), String::new()),
        None if member.fault.is_none() => ("text".into(), String::new()),
        None => (String::new(), String::new()),
    };
    let ratio = match line.bytes {
        0 => "-".into(),
        bytes => format!("{:.0}%", 100.0 * line.compressed as f64 / bytes as f64),
    };
    vec![
        line.name.clone(),
        dtype,
        shape,
        context.bytes(line.bytes),
        context.bytes(line.compressed),
        ratio,
        method(member.method),
        reason(member.unmappable).into(),
    ]
}
