//! `npz text`: a stable text of a file, for `git diff`; and `npz git-setup`: how git is told of it.

use std::io::{Read, Write};
use std::path::{Path, PathBuf};

use crate::frame::context::Context;
use crate::frame::element::{Layout, in_memory};
use crate::frame::fault::{Outcome, Result};
use crate::frame::input::{Input, Member, count};
use crate::frame::slice::{self, Axis};
use crate::frame::text::{Shape, escape};
use crate::look::stats::{self, Asked};

/// A stable text of a file, for git diff: name, dtype, shape, checksum, range, small arrays in full
#[derive(clap::Args)]
#[command(after_help = TEXT_EXAMPLES)]
pub struct Args {
    /// A .npy or .npz file
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Always exit with 0, as git wants it: what cannot be read is said in the text
    #[arg(long)]
    git: bool,
}

const TEXT_EXAMPLES: &str = "\
Examples:
  npz text run.npz
  diff <(npz text a.npz) <(npz text b.npz)
  npz git-setup                    how git diff is told to use it";

/// Arrays of no more elements are shown in full.
const IN_FULL: u64 = 64;

/// Members of more bytes are not read for their range.
const MOST_READ: u64 = 64 << 20;

pub fn run(args: &Args, context: &Context) -> Result<Outcome> {
    match write(&args.file, context) {
        Ok(()) => Ok(Outcome::Done),
        Err(fault) if args.git && !fault.is_closed_pipe() => {
            let mut out = context.out();
            match pointer(&args.file) {
                Some(pointer) => out.write_all(pointer.as_bytes())?,
                None => writeln!(out, "error: {}", fault.fact())?,
            }
            Ok(Outcome::Done)
        }
        Err(fault) => {
            context.complain(fault.of(&args.file), Outcome::Failed)?;
            Ok(Outcome::Failed)
        }
    }
}

/// A pointer that Git LFS has left in place of the file.
fn pointer(path: &Path) -> Option<String> {
    let mut text = String::new();
    std::fs::File::open(path)
        .ok()?
        .take(1024)
        .read_to_string(&mut text)
        .ok()?;
    let lines = text.lines().map(|line| format!("{}\n", escape(line)));
    text.starts_with("version https://git-lfs").then(|| lines.collect())
}

fn write(path: &Path, context: &Context) -> Result<()> {
    let mut input = Input::open(path, context)?;
    let members = input.members(&[], context)?;
    for member in &members {
        let name = escape(&member.name);
        let what = match &member.header {
            Some(header) => {
                let order = if header.fortran_order() { " fortran" } else { "" };
                format!("{} {}{order}", header.dtype(), Shape(header.shape()))
            }
            None => "text".into(),
        };
        let crc = member.crc.map_or_else(String::new, |crc| format!(" crc32 {crc:08x}"));
        writeln!(context.out(), "{name}: {what}{crc}")?;
        let lines = match &member.fault {
            Some(fault) => Err(fault.clone()),
            None => lines(&mut input, member),
        };
        let lines = lines.unwrap_or_else(|fault| vec![format!("error: {}", fault.fact())]);
        for line in lines {
            writeln!(context.out(), "  {line}")?;
        }
    }
    Ok(())
}

/// The values of a small member, the range of a larger one, nothing of a large one.
fn lines(input: &mut Input, member: &Member) -> Result<Vec<String>> {
    let Some(header) = member.header.as_ref().filter(|_| member.size <= MOST_READ) else {
        return match member.size <= 4096 {
            true => Ok(String::from_utf8_lossy(&input.raw(member)?)
                .lines()
                .map(|line| escape(line).into_owned())
                .collect()),
            false => Ok(Vec::new()),
        };
    };
    let size = in_memory(header.dtype().itemsize());
    if count(header) > IN_FULL {
        let rows = stats::describe(input, member, &Asked::default())?;
        return Ok(rows.iter().map(stats::Row::range).collect());
    }
    let axes: Vec<Axis> = header.shape().iter().map(|&len| Axis::all(len)).collect();
    let layout = Layout::new(header.dtype());
    let bytes = slice::read(&mut input.data(member)?, &axes)?;
    let row = header.shape().last().map_or(1, |&len| in_memory(len)).max(1);
    let texts: Vec<String> = match size {
        0 => Vec::new(),
        size => bytes
            .chunks_exact(size)
            .map(|element| layout.text(element, None))
            .collect(),
    };
    // A record a line, so that the lines that differ are the records that do.
    let row = if matches!(layout, Layout::Record(_)) {
        1
    } else {
        row.min(8)
    };
    Ok(texts.chunks(row).map(|row| row.join(" ")).collect())
}

/// The lines of configuration that make git diff show npz text
#[derive(clap::Args)]
pub struct SetupArgs {}

pub fn setup(context: &Context) -> Result<Outcome> {
    let lines = "\
# .gitattributes of the repository, or ~/.config/git/attributes
*.npy diff=npz
*.npz diff=npz

# .git/config, or ~/.gitconfig
[diff \"npz\"]
    textconv = npz text --git
    cachetextconv = true
    binary = true
";
    context.out().write_all(lines.as_bytes())?;
    Ok(Outcome::Done)
}
