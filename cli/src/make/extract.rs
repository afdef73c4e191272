//! `npz extract`: members as files of their own.

use std::fs;
use std::path::{Path, PathBuf};

use super::output::{self, Output};
use crate::frame::context::Context;
use crate::frame::fault::{Fault, Outcome, Result};
use crate::frame::input::{self, Input, Member};
use crate::frame::select::MemberArgs;

/// Write members as .npy files into a directory
///
/// Groups become directories. A name that would lead out of the directory is refused, and a file that is there is not
/// replaced without --force.
#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// .npz files
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    #[command(flatten)]
    members: MemberArgs,
    /// Where to; made if it is missing
    #[arg(short, long = "output", value_name = "DIR", default_value = ".")]
    output: PathBuf,
    /// No directories: layers/0/w becomes layers.0.w.npy
    #[arg(long)]
    flat: bool,
    /// Replace files that are there
    #[arg(long)]
    force: bool,
}

const EXAMPLES: &str = "\
Examples:
  npz extract run.npz -o run                   run/layers/0/w.npy, ..
  npz extract run.npz -m time -m 'layers/**'   these alone, here
  npz extract run.npz --flat -o arrays";

pub fn run(args: &Args, context: &Context) -> Result<Outcome> {
    fs::create_dir_all(&args.output).map_err(|err| Fault::from(err).of(&args.output))?;
    for path in &input::expand(&args.files) {
        if let Err(fault) = file(path, args, context) {
            context.complain(fault.of(path), Outcome::Failed)?;
        }
    }
    Ok(Outcome::Done)
}

fn file(path: &Path, args: &Args, context: &Context) -> Result<()> {
    let mut input = Input::open(path, context)?;
    let members = input.members(&args.members.members, context)?;
    for member in &members {
        // A directory of its own, as zip tools write them.
        if member.file_name.ends_with('/') && member.size == 0 {
            continue;
        }
        if let Err(fault) = one(&mut input, member, path, args) {
            context.complain(fault.at(&member.name).of(path), Outcome::Differs)?;
        }
    }
    Ok(())
}

fn one(input: &mut Input, member: &Member, path: &Path, args: &Args) -> Result<()> {
    let name = if member.file_name.is_empty() && !input.is_npz() {
        format!("{}.npy", path.file_stem().unwrap_or_default().to_string_lossy())
    } else {
        member.file_name.clone()
    };
    let below = output::path_of(&name, args.flat)?;
    output::make_way(&args.output, &below)?;
    let mut bytes = input.bytes(member)?;
    Output::create(&args.output.join(below), args.force)?.write(|writer| output::copy(&mut *bytes, writer).map(|_| ()))
}
