//! `npz verify`: reads all of a file and lists what is wrong with it.

mod numpy;

use std::io::{BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use anstyle::{AnsiColor, Style};
use serde::Serialize;
use serde_npz::{ErrorKind, NpzReader, NpzScan, ReadOptions};

use self::numpy::{Warning, warnings};
use crate::frame::context::Context;
use crate::frame::fault::{Fault, Outcome, Result};
use crate::frame::input::{self, Input, Member};
use crate::frame::json::{Files, JsonArgs};
use crate::frame::text::escape;

/// Read everything: checksums, both headers of each member, overlap, leftovers, sizes
///
/// A line a file, and one for each fault. Exit code 1 where something is damaged or refused.
#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// .npy and .npz files; - is standard input
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// Also warn of what np.load cannot read or reads otherwise
    #[arg(long)]
    numpy: bool,
    /// Say nothing of sound files
    #[arg(short, long)]
    quiet: bool,
    #[command(flatten)]
    json: JsonArgs,
}

const EXAMPLES: &str = "\
Examples:
  npz verify run.npz
  npz verify -q results/*.npz              only what is damaged
  npz verify --json *.npz | jq '.files[] | select(.sound | not)'";

/// Less than this is not worth a thread.
const ALONE: u64 = 4 << 20;

pub fn run(args: &Args, context: &Context) -> Result<Outcome> {
    Files::each(
        &input::expand(&args.files),
        args.json,
        context,
        |path| check(path, args, context),
        |path, report, files| {
            let shown = path.to_string_lossy();
            if !report.sound {
                context.note(Outcome::Differs);
            }
            match files {
                Some(files) => files.whole(&shown, &report),
                None => text(&shown, &report, args, context),
            }
        },
    )
}

/// A file in JSON.
#[derive(Serialize)]
struct Report {
    sound: bool,
    faults: Vec<FaultRow>,
    /// Of an archive without its end, how many members are whole.
    #[serde(skip_serializing_if = "Option::is_none")]
    whole: Option<usize>,
    /// What `--numpy` has found.
    #[serde(skip_serializing_if = "Option::is_none")]
    numpy: Option<Vec<Warning>>,
    #[serde(skip)]
    members: usize,
    #[serde(skip)]
    bytes: u64,
}

#[derive(Serialize)]
struct FaultRow {
    /// `None` where it is about the whole file.
    member: Option<String>,
    kind: String,
    /// Where the bytes of the member begin.
    offset: Option<u64>,
    found: Option<String>,
    expected: Option<String>,
    message: String,
}

impl FaultRow {
    fn new(member: Option<&Member>, fault: &Fault) -> Self {
        let message = fault.fact().to_owned();
        let parts = message
            .split_once("found ")
            .and_then(|(_, rest)| rest.split_once(", expected "));
        FaultRow {
            member: member.map(|member| member.name.clone()),
            kind: fault.kind().map_or_else(|| "truncated".into(), kind),
            offset: member.and_then(|member| member.offset),
            found: parts.map(|(found, _)| found.to_owned()),
            expected: parts.map(|(_, expected)| expected.to_owned()),
            message,
        }
    }

    /// What an archive without its end is told of.
    fn cut_off(&mut self, end: u64, whole: usize) {
        let members = if whole == 1 { "member" } else { "members" };
        self.kind = kind(ErrorKind::Truncated);
        self.offset = Some(end);
        self.message = format!("cut off at byte {end}, {whole} {members} whole");
    }

    /// Whether the bytes are as they were written, but nobody may read them here.
    fn is_refusal(&self) -> bool {
        [
            "pickle",
            "unsupported_dtype",
            "unsupported_archive",
            "unsupported_version",
            "limit_exceeded",
        ]
        .contains(&&*self.kind)
    }
}

/// `CorruptArchive` as `corrupt_archive`.
fn kind(kind: ErrorKind) -> String {
    let mut name = String::new();
    for c in format!("{kind:?}").chars() {
        if c.is_ascii_uppercase() && !name.is_empty() {
            name.push('_');
        }
        name.push(c.to_ascii_lowercase());
    }
    name
}

fn check(path: &Path, args: &Args, context: &Context) -> Result<Report> {
    let mut report = Report {
        sound: true,
        faults: Vec::new(),
        whole: None,
        numpy: None,
        members: 0,
        bytes: 0,
    };
    let mut input = match Input::open(path, context) {
        Ok(input) => input,
        Err(fault) => match fault.kind() {
            None | Some(ErrorKind::Io | ErrorKind::BadMagic) => return Err(fault),
            Some(_) => {
                report.sound = false;
                let mut row = FaultRow::new(None, &fault);
                if let Some((end, whole)) = cut_off(path, context.options())? {
                    report.whole = Some(whole);
                    row.cut_off(end, whole);
                }
                report.faults.push(row);
                return Ok(report);
            }
        },
    };
    let members = input.members(&[], context)?;
    report.members = members.len();
    report.bytes = members.iter().map(|member| member.compressed_size).sum();
    let found = match &mut input {
        Input::Npy(_) => vec![lone(&mut input, &members[0])],
        Input::Npz(npz) => archive(npz, &members, path, context.options()),
    };
    for (member, fault) in members.iter().zip(found) {
        if let Some(fault) = fault.as_ref().or(member.fault.as_ref()) {
            report.faults.push(FaultRow::new(Some(member), fault));
        }
    }
    report.sound = report.faults.is_empty();
    report.numpy = args.numpy.then(|| warnings(&members));
    Ok(report)
}

/// Where an archive without its end ends, and how many members before that are whole; `None` where its end is there.
fn cut_off(path: &Path, options: &ReadOptions) -> Result<Option<(u64, usize)>> {
    // Standard input has been read already.
    if !path.is_file() {
        return Ok(None);
    }
    let file = BufReader::new(input::seekable(path)?);
    let mut scan = NpzScan::with_options(file, options)?;
    let mut whole = 0;
    while let Some(member) = scan.next_member()? {
        whole += usize::from(member.fault().is_none());
    }
    Ok(scan.is_cut_off().then(|| (scan.file_len(), whole)))
}

/// Reads a lone array to its end. What stands behind it may be further arrays, as `np.load` reads them one by one.
fn lone(input: &mut Input, member: &Member) -> Option<Fault> {
    if let Some(fault) = &member.fault {
        return Some(fault.clone());
    }
    let read = |input: &mut Input| -> Result<()> {
        let mut data = input.data(member)?;
        std::io::copy(&mut data, &mut std::io::sink())?;
        let mut rest = data.rest();
        let mut magic = Vec::new();
        (&mut rest).take(6).read_to_end(&mut magic)?;
        match &*magic {
            [] | b"\x93NUMPY" => Ok(()),
            _ => Err(Fault::new(
                "found bytes left over behind the array's data, expected none",
            )),
        }
    };
    read(input).err()
}

/// What is wrong with each member, read by all processors.
fn archive<R: Read + std::io::Seek>(
    npz: &mut NpzReader<R>,
    members: &[Member],
    path: &Path,
    options: &ReadOptions,
) -> Vec<Option<Fault>> {
    let total: u64 = members.iter().map(|member| member.size).fold(0, u64::saturating_add);
    let threads = thread::available_parallelism()
        .map_or(1, usize::from)
        .min(members.len());
    if threads < 2 || total < ALONE || path == Path::new("-") {
        return members.iter().map(|member| verify(npz, member)).collect();
    }
    let next = AtomicUsize::new(0);
    let work = || {
        let mut found = Vec::new();
        let mut npz = match NpzReader::open_with(path, options) {
            Ok(npz) => npz,
            Err(err) => return vec![(0, Some(Fault::from(err)))],
        };
        loop {
            let i = next.fetch_add(1, Ordering::Relaxed);
            let Some(member) = members.get(i) else {
                return found;
            };
            found.push((i, verify(&mut npz, member)));
        }
    };
    let mut faults: Vec<Option<Fault>> = members.iter().map(|_| None).collect();
    thread::scope(|scope| {
        let workers: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
        for worker in workers {
            for (i, fault) in worker.join().unwrap_or_default() {
                faults[i] = faults[i].take().or(fault);
            }
        }
    });
    faults
}

fn verify<R: Read + std::io::Seek>(npz: &mut NpzReader<R>, member: &Member) -> Option<Fault> {
    npz.verify(&member.name).err().map(Fault::from)
}

fn text(path: &str, report: &Report, args: &Args, context: &Context) -> Result<()> {
    let mut out = context.out();
    let red = context.style(AnsiColor::Red.on_default());
    let green = context.style(AnsiColor::Green.on_default());
    let yellow: Style = context.style(AnsiColor::Yellow.on_default());
    let path = escape(path);
    if report.sound {
        if !args.quiet {
            let members = if report.members == 1 { "member" } else { "members" };
            let bytes = context.bytes(report.bytes);
            writeln!(
                out,
                "{path}: {green}sound{green:#}, {} {members}, {bytes}",
                report.members
            )?;
        }
    } else if let (Some(_), [fault]) = (report.whole, &report.faults[..]) {
        writeln!(out, "{path}: {red}{}{red:#}", fault.message)?;
    } else {
        let word = if report.faults.iter().all(FaultRow::is_refusal) {
            "refused"
        } else {
            "damaged"
        };
        writeln!(
            out,
            "{path}: {red}{word}{red:#}, {} of {} members",
            report.faults.len(),
            report.members
        )?;
        for fault in &report.faults {
            let place = match fault.member.as_deref() {
                None | Some("") => String::new(),
                Some(member) => format!("{}: ", escape(member)),
            };
            writeln!(out, "  {place}{}", fault.message)?;
        }
    }
    for warning in report.numpy.iter().flatten() {
        writeln!(
            out,
            "  {yellow}numpy{yellow:#}: {}: {}",
            escape(&warning.member),
            warning.message
        )?;
    }
    Ok(())
}
