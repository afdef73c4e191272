//! `npz pack`: files as the members of an archive.

use std::fs;
use std::path::{Path, PathBuf};

use serde_npz::{Compression, NpzWriter, WriteOptions};

use super::output::Output;
use super::repack::stem;
use crate::frame::context::Context;
use crate::frame::fault::{Fault, Outcome, Result};
use crate::frame::input::Input;
use crate::frame::text::escape;

/// Make an archive of .npy files, archives and JSON texts
///
/// A member is called as its file without .npy, or NAME. The members of an archive keep their names, below NAME if there is one.
#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// The archive to write
    #[arg(value_name = "OUT")]
    output: PathBuf,
    /// .npy, .npz and .json files
    #[arg(required = true, value_name = "[NAME=]FILE")]
    files: Vec<String>,
    /// Compress, at level 1 to 9
    #[arg(long, value_name = "LEVEL", num_args = 0..=1, require_equals = true, default_missing_value = "6", value_parser = clap::value_parser!(u32).range(1..=9))]
    deflate: Option<u32>,
    /// Replace OUT if it is there
    #[arg(long)]
    force: bool,
}

const EXAMPLES: &str = "\
Examples:
  npz pack run.npz time.npy w=weights.npy meta.json
  npz pack all.npz a=first.npz b=second.npz        a/.., b/..
  npz pack --deflate=9 small.npz *.npy";

pub fn run(args: &Args, context: &Context) -> Result<Outcome> {
    let compression = args.deflate.map_or(Compression::Stored, Compression::Deflate);
    Output::create(&args.output, args.force)?.write_npz(&WriteOptions::new().compression(compression), |npz| {
        for item in &args.files {
            // A file of this very name comes first.
            let (name, path) = match item.split_once('=') {
                Some((name, path)) if !Path::new(item).exists() => (Some(name), Path::new(path)),
                _ => (None, Path::new(item)),
            };
            add(npz, name, path, context).map_err(|fault| fault.of(path))?;
        }
        Ok(())
    })?;
    Ok(Outcome::Done)
}

fn add<W: std::io::Write + std::io::Seek>(
    npz: &mut NpzWriter<W>,
    name: Option<&str>,
    path: &Path,
    context: &Context,
) -> Result<()> {
    let own = name.map_or_else(|| stem(path), str::to_owned);
    if path
        .extension()
        .is_some_and(|suffix| suffix.eq_ignore_ascii_case("json"))
    {
        let text = fs::read(path)?;
        serde_json::from_slice::<serde::de::IgnoredAny>(&text)
            .map_err(|err| Fault::new(format_args!("no JSON text: {err}")))?;
        return Ok(npz.add_raw(&format!("{own}.json"), text.len() as u64, &text[..])?);
    }
    let mut input = Input::open(path, context)?;
    let is_npz = input.is_npz();
    for member in input.members(&[], context)? {
        if let Some(fault) = &member.fault {
            return Err(Fault::new(fault.fact()).at(&member.name));
        }
        let file_name = match (is_npz, name, context.separator()) {
            (false, ..) => format!("{own}.npy"),
            (true, Some(name), Some(separator)) => format!("{name}{separator}{}", member.file_name),
            (true, Some(name), None) => format!("{name}{}", member.file_name),
            (true, None, _) => member.file_name.clone(),
        };
        let added = npz.add_raw(&file_name, member.size, input.bytes(&member)?);
        added
            .map_err(|err| Fault::from(err).at(&member.name))
            .map_err(|fault| match fault.kind() {
                Some(serde_npz::ErrorKind::DuplicateName) => fault.hint(format_args!(
                    "NAME={} gives it another name",
                    escape(&path.to_string_lossy())
                )),
                _ => fault,
            })?;
    }
    Ok(())
}
