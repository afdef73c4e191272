//! `npz repack`: the members of an archive written anew, each byte of them as it was.

use std::collections::HashSet;
use std::io::{self, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use serde_npz::{Compression, NpzWriter, WriteOptions};

use super::output::Output;
use crate::frame::context::Context;
use crate::frame::fault::{Fault, Outcome, Result};
use crate::frame::input::{Input, Member};
use crate::frame::select::glob;
use crate::frame::text::escape;

/// Write an archive anew: compressed otherwise, mappable, without some members
///
/// Stored members lie so that they can be mapped. Without --store, --deflate or --auto each member stays compressed as it is.
#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// The archive
    #[arg(value_name = "IN")]
    input: PathBuf,
    /// The new one
    #[arg(
        value_name = "OUT",
        required_unless_present = "in_place",
        conflicts_with = "in_place"
    )]
    output: Option<PathBuf>,
    /// Replace the archive, in one step
    #[arg(short, long)]
    in_place: bool,
    #[command(flatten)]
    method: MethodArgs,
    /// Only members of this name or glob
    #[arg(long, value_name = "GLOB")]
    only: Vec<String>,
    /// No members of this name or glob
    #[arg(long, value_name = "GLOB")]
    drop: Vec<String>,
    /// New names; a * stands for the same on both sides
    #[arg(long, value_name = "OLD=NEW")]
    rename: Vec<String>,
    /// By name
    #[arg(long)]
    sort: bool,
    /// Replace OUT if it is there
    #[arg(long)]
    force: bool,
}

/// How members are compressed.
#[derive(clap::Args, Clone, Copy)]
pub struct MethodArgs {
    /// Not compressed: members can be mapped
    #[arg(long, group = "method")]
    store: bool,
    /// Compressed, at level 1 to 9
    #[arg(long, group = "method", value_name = "LEVEL", num_args = 0..=1, require_equals = true, default_missing_value = "6", value_parser = clap::value_parser!(u32).range(1..=9))]
    deflate: Option<u32>,
    /// Compressed where that saves 10 %
    #[arg(long, group = "method")]
    auto: bool,
}

const EXAMPLES: &str = "\
Examples:
  npz repack run.npz mapped.npz --store         members that NumPy and others can map
  npz repack --in-place --auto run.npz          compress what shrinks
  npz repack run.npz small.npz --only 'layers/**' --deflate=9
  npz repack -i run.npz --rename 'net/*=model/*' --drop 'tmp/**'";

pub fn run(args: &Args, context: &Context) -> Result<Outcome> {
    let path = &args.input;
    let output = args.output.as_deref().unwrap_or(path);
    let mut input = Input::open(path, context).map_err(|fault| fault.of(path))?;
    if !input.is_npz() {
        return Err(Fault::new("found a single array, expected an archive")
            .of(path)
            .hint("npz pack makes one of it"));
    }
    let members = chosen(&mut input, args, context).map_err(|fault| fault.of(path))?;
    let before = std::fs::metadata(path).map_or(0, |found| found.len());
    let output = Output::create(output, args.force || args.in_place)?;
    let deflated = output.write_npz(&WriteOptions::new(), |npz| {
        let mut deflated = 0_u64;
        for (member, name) in &members {
            let added = add(npz, &mut input, member, name, args.method);
            deflated += u64::from(added.map_err(|fault| fault.at(&member.name).of(path))?);
        }
        Ok(deflated)
    })?;
    let path = args.output.as_deref().unwrap_or(path);
    let after = std::fs::metadata(path).map_or(0, |found| found.len());
    writeln!(
        context.out(),
        "{}: {} -> {}, {} members, {deflated} of them compressed",
        escape(&path.to_string_lossy()),
        context.bytes(before),
        context.bytes(after),
        members.len(),
    )?;
    Ok(Outcome::Done)
}

/// The members that stay, in their order, and the names they will have in the archive.
fn chosen(input: &mut Input, args: &Args, context: &Context) -> Result<Vec<(Member, String)>> {
    let separator = context.separator();
    let meant = |patterns: &[String], name: &str| {
        patterns.iter().any(|pattern| {
            let within =
                separator.is_some_and(|c| name.strip_prefix(&**pattern).is_some_and(|rest| rest.starts_with(c)));
            pattern == name || within || glob::matches(pattern, name, separator)
        })
    };
    let mut members = Vec::new();
    for member in input.members(&[], context)? {
        let stays = args.only.is_empty() || meant(&args.only, &member.name);
        if !stays || meant(&args.drop, &member.name) {
            continue;
        }
        let mut key = member.name.clone();
        for rule in &args.rename {
            let Some((old, new)) = rule.split_once('=') else {
                return Err(Fault::new(format_args!("{}: expected OLD=NEW", escape(rule))));
            };
            if let Some(renamed) = renamed(&key, old, new) {
                key = renamed;
                break;
            }
        }
        let suffix = member.file_name.strip_prefix(&*member.name).unwrap_or_default();
        let name = format!("{key}{suffix}");
        members.push((member, name));
    }
    let mut seen = HashSet::new();
    if let Some((_, twice)) = members.iter().find(|(_, name)| !seen.insert(name.clone())) {
        return Err(Fault::new(format_args!(
            "two members would be called {}",
            escape(twice)
        )));
    }
    if args.sort {
        members.sort_by(|(_, a), (_, b)| a.cmp(b));
    }
    Ok(members)
}

/// The new name, if the rule is about this one.
fn renamed(key: &str, old: &str, new: &str) -> Option<String> {
    match (old.split_once('*'), new.split_once('*')) {
        (Some((start, end)), Some((new_start, new_end))) => {
            let middle = key.strip_prefix(start)?.strip_suffix(end)?;
            Some(format!("{new_start}{middle}{new_end}"))
        }
        (None, None) => (key == old).then(|| new.to_owned()),
        _ => None,
    }
}

/// Adds a member as its bytes are; whether it is compressed.
pub fn add<W: Write + Seek>(
    npz: &mut NpzWriter<W>,
    input: &mut Input,
    member: &Member,
    name: &str,
    method: MethodArgs,
) -> Result<bool> {
    let compression = match method {
        MethodArgs { store: true, .. } => Compression::Stored,
        MethodArgs {
            deflate: Some(level), ..
        } => Compression::Deflate(level),
        MethodArgs { auto: true, .. } if !shrinks(input, member)? => Compression::Stored,
        MethodArgs { auto: true, .. } => Compression::Deflate(6),
        _ if member.method == 0 => Compression::Stored,
        _ => Compression::Deflate(6),
    };
    npz.set_compression(compression)?;
    npz.add_raw(name, member.size, input.bytes(member)?)?;
    Ok(compression != Compression::Stored)
}

/// Whether compression saves a tenth: it is compressed once to see.
fn shrinks(input: &mut Input, member: &Member) -> Result<bool> {
    if member.method == 8 {
        return Ok(member.compressed_size < member.size / 10 * 9);
    }
    let mut npz = NpzWriter::with_options(
        Counted::default(),
        &WriteOptions::new().compression(Compression::Deflate(6)),
    );
    npz.add_raw("x", member.size, input.bytes(member)?)?;
    Ok(npz.finish()?.end < member.size / 10 * 9)
}

/// Where an archive goes of which only the size is wanted.
#[derive(Default)]
struct Counted {
    at: u64,
    end: u64,
}

impl Write for Counted {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        self.at += buf.len() as u64;
        self.end = self.end.max(self.at);
        Ok(buf.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Seek for Counted {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let at = match to {
            SeekFrom::Start(at) => Some(at),
            SeekFrom::Current(by) => self.at.checked_add_signed(by),
            SeekFrom::End(by) => self.end.checked_add_signed(by),
        };
        self.at = at.ok_or(io::ErrorKind::InvalidInput)?;
        Ok(self.at)
    }
}

/// What `npz pack` names a file without a name: its stem.
pub fn stem(path: &Path) -> String {
    path.file_stem().unwrap_or_default().to_string_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_is_the_same_on_both_sides() {
        assert_eq!(renamed("net/w", "net/*", "model/*").as_deref(), Some("model/w"));
        assert_eq!(renamed("w", "w", "x").as_deref(), Some("x"));
        assert_eq!(renamed("w2", "w", "x"), None);
        assert_eq!(renamed("ab", "abc*abc", "*"), None);
    }
}
