//! `npz rescue`: what is whole in a damaged or truncated archive, into a new one.

use std::collections::{HashMap, HashSet};
use std::fs::File;
use std::io::{BufReader, Write};
use std::path::PathBuf;

use anstyle::AnsiColor;
use serde::Serialize;
use serde_npz::{Compression, ErrorKind, NpzReader, NpzScan, ScannedMember, WriteOptions};

use super::output::Output;
use crate::frame::context::Context;
use crate::frame::fault::{Fault, Outcome, Result};
use crate::frame::input;
use crate::frame::json::{Files, JsonArgs};
use crate::frame::text::escape;

/// Write the whole members of a damaged or truncated archive into a new one
///
/// Members are found by their own headers and checked against their checksums; the directory at the end of the file may be
/// missing. What is lost is named. Exit code 1 where something is lost.
#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// The archive; - is standard input
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// The new one
    #[arg(short, long = "output", value_name = "OUT")]
    output: PathBuf,
    /// Replace OUT if it is there
    #[arg(long)]
    force: bool,
    #[command(flatten)]
    json: JsonArgs,
}

const EXAMPLES: &str = "\
Examples:
  npz rescue download.npz -o whole.npz
  npz rescue run.npz -o whole.npz --json | jq '.files[0].members[] | select(.whole | not)'";

type Scan = NpzScan<BufReader<File>>;

/// A file in JSON.
#[derive(Serialize)]
struct Report {
    /// The new archive.
    output: String,
    /// Where the file ends too early.
    cut_off: Option<u64>,
    /// How many members are in the new archive.
    whole: usize,
    /// How many are known to be lost. There may be others behind the place where the file is cut off.
    lost: usize,
}

/// A member in JSON.
#[derive(Serialize)]
struct Row {
    name: String,
    file_name: String,
    bytes: u64,
    /// Where its bytes begin.
    offset: Option<u64>,
    whole: bool,
    /// Why it is lost.
    message: Option<String>,
}

pub fn run(args: &Args, context: &Context) -> Result<Outcome> {
    let shown = args.file.to_string_lossy();
    let mut files = Files::new(args.json, context);
    let (report, rows) = match rescue(args, context) {
        Ok(done) => done,
        Err(fault) => {
            if let Some(mut files) = files.take() {
                files.fault(&shown, &fault)?;
                files.finish()?;
            }
            return Err(fault.of(&args.file));
        }
    };
    let lost = report.lost > 0;
    match files {
        Some(mut files) => {
            files.file(&shown, &report, &rows)?;
            files.finish()?;
        }
        None => text(&shown, &report, &rows, context)?,
    }
    Ok(if lost { Outcome::Differs } else { Outcome::Done })
}

fn rescue(args: &Args, context: &Context) -> Result<(Report, Vec<Row>)> {
    let file = input::seekable(&args.file)?;
    let listed = listed(&file, context)?;
    let mut scan = NpzScan::with_options(BufReader::new(file), context.options())?;
    let mut found = Vec::new();
    let mut stopped = None;
    loop {
        match scan.next_member() {
            Ok(Some(member)) => found.push(member),
            Ok(None) => break,
            // What was found until then is there.
            Err(err) if err.kind() == ErrorKind::LimitExceeded => {
                stopped = Some(Fault::from(err));
                break;
            }
            Err(err) => return Err(err.into()),
        }
    }
    if found.is_empty() && listed.is_none() {
        return Err(Fault::new("found no member of an archive").hint("npz ls says what the file is"));
    }
    if let Some(listed) = &listed {
        found.retain(|member| listed.has(member));
    }
    let mut rows = write(args, &mut scan, &found)?;
    for (name, offset) in listed.iter().flat_map(|listed| listed.missing(&found)) {
        rows.push(Row {
            name: name.strip_suffix(".npy").unwrap_or(name).to_owned(),
            file_name: name.to_owned(),
            bytes: 0,
            offset,
            whole: false,
            message: Some("the directory names it, but no such member was found".into()),
        });
    }
    // Further ones may have stood where the file is cut off.
    let unknown = scan.is_cut_off() && !scan.has_directory() && rows.iter().all(|row| row.whole);
    if unknown {
        rows.push(Row::unknown(
            scan.file_len(),
            "what stood behind the end of the file is not known".into(),
        ));
    }
    if let Some(fault) = stopped {
        rows.push(Row::unknown(scan.file_len(), fault.fact().to_owned()));
    }
    let whole = rows.iter().filter(|row| row.whole).count();
    let report = Report {
        output: args.output.to_string_lossy().into_owned(),
        cut_off: scan.is_cut_off().then(|| scan.file_len()),
        whole,
        lost: rows.len() - whole,
    };
    Ok((report, rows))
}

impl Row {
    fn new(member: &ScannedMember, fault: Option<Fault>) -> Self {
        Row {
            name: member.name().to_owned(),
            file_name: member.file_name().to_owned(),
            bytes: member.size(),
            offset: Some(member.offset()),
            whole: fault.is_none(),
            message: fault.map(|fault| fault.fact().to_owned()),
        }
    }

    /// What has no name.
    fn unknown(offset: u64, message: String) -> Self {
        Row {
            name: String::new(),
            file_name: String::new(),
            bytes: 0,
            offset: Some(offset),
            whole: false,
            message: Some(message),
        }
    }
}

/// Writes what is whole; of members with one name the last, as NumPy takes it.
fn write(args: &Args, scan: &mut Scan, found: &[ScannedMember]) -> Result<Vec<Row>> {
    let whole = found.iter().enumerate().filter(|(_, member)| member.fault().is_none());
    let last: HashMap<&str, usize> = whole.map(|(i, member)| (member.name(), i)).collect();
    Output::create(&args.output, args.force)?.write_npz(&WriteOptions::new(), |npz| {
        let mut rows = Vec::new();
        for (i, member) in found.iter().enumerate() {
            if let Some(fault) = member.fault() {
                rows.push(Row::new(member, Some(fault.into())));
                continue;
            }
            if last.get(member.name()) != Some(&i) {
                rows.push(Row::new(
                    member,
                    Some(Fault::new("a later member has the same name: NumPy reads that one")),
                ));
                continue;
            }
            npz.set_compression(match member.compression_method() {
                0 => Compression::Stored,
                _ => Compression::Deflate(6),
            })?;
            let added = npz.add_raw(member.file_name(), member.size(), scan.stream(member)?);
            rows.push(match added {
                Ok(()) => Row::new(member, None),
                Err(err) if matches!(err.kind(), ErrorKind::DuplicateName | ErrorKind::InvalidName) => {
                    Row::new(member, Some(err.into()))
                }
                Err(err) => return Err(err.into()),
            });
        }
        Ok(rows)
    })
}

/// What the directory lists, where it is whole: what else looks like a member is none, but removed, or inside another one.
struct Listed {
    /// Names, and where the bytes of those begin whose headers agree.
    members: Vec<(String, Option<u64>)>,
    names: HashSet<String>,
    offsets: HashSet<u64>,
}

impl Listed {
    fn has(&self, member: &ScannedMember) -> bool {
        self.names.contains(member.file_name()) || self.offsets.contains(&member.offset())
    }

    /// Members that were not found at all, neither by name nor by place.
    fn missing(&self, found: &[ScannedMember]) -> impl Iterator<Item = (&str, Option<u64>)> {
        let names: HashSet<&str> = found.iter().map(ScannedMember::file_name).collect();
        let offsets: HashSet<u64> = found.iter().map(ScannedMember::offset).collect();
        let missing = self.members.iter().filter(move |(name, offset)| {
            !names.contains(&**name) && !offset.is_some_and(|offset| offsets.contains(&offset))
        });
        missing.map(|(name, offset)| (&**name, *offset))
    }
}

/// `None` where there is no directory that leads through the file.
fn listed(file: &File, context: &Context) -> Result<Option<Listed>> {
    let options = context.options().clone().last_wins(true);
    let mut npz = match NpzReader::with_options(BufReader::new(file), &options) {
        Ok(npz) => npz,
        Err(err) if err.kind() == ErrorKind::Io => return Err(err.into()),
        Err(_) => return Ok(None),
    };
    let members: Vec<(String, Option<u64>)> = npz
        .entries()
        .map(|entry| (entry.file_name().to_owned(), entry.offset()))
        .collect();
    Ok(Some(Listed {
        names: members.iter().map(|(name, _)| name.clone()).collect(),
        offsets: members.iter().filter_map(|(_, offset)| *offset).collect(),
        members,
    }))
}

fn text(path: &str, report: &Report, rows: &[Row], context: &Context) -> Result<()> {
    let mut out = context.out();
    let red = context.style(AnsiColor::Red.on_default());
    let cut_off = report
        .cut_off
        .map_or(String::new(), |at| format!("cut off at byte {at}, "));
    let members = if report.whole == 1 { "member" } else { "members" };
    writeln!(
        out,
        "{}: {cut_off}{} {members} whole, now in {}",
        escape(path),
        report.whole,
        escape(&report.output)
    )?;
    for row in rows.iter().filter(|row| !row.whole) {
        let name = if row.name.is_empty() {
            String::new()
        } else {
            format!("{}: ", escape(&row.name))
        };
        let message = row.message.as_deref().unwrap_or_default();
        writeln!(out, "  {red}lost{red:#}: {name}{message}")?;
    }
    Ok(())
}
