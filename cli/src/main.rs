//! `npz`: what is in that .npy or .npz?
//!
//! ```text
//! args        what was asked: the verbs and the options of all of them
//! frame       what every verb stands on: files by content, members by name, text and JSON, errors and exit codes
//! look        verbs that show: ls, show, stats, plot, text
//! check       verbs that compare and check: diff, verify
//! make        verbs that write files: set, repack, extract, pack, cat, convert, rescue
//! rust        struct: the code that loads a file
//! shell       completions and manual pages
//! ```
//!
//! A verb is one file with its arguments, `Args`, and `run`.

mod args;
mod check;
mod frame;
mod look;
mod make;
mod rust;
mod shell;

use std::process::ExitCode;

use clap::Parser;

use crate::args::{Cli, Verb};
use crate::frame::context::Context;
use crate::frame::fault::{self, Outcome};

fn main() -> ExitCode {
    let cli = Cli::parse_from(args::with_verb(std::env::args_os()));
    let context = Context::new(&cli.common);
    let result = match &cli.verb {
        Verb::Ls(args) => look::ls::run(args, &context),
        Verb::Show(args) => look::show::run(args, &context),
        Verb::Stats(args) => look::stats::run(args, &context),
        Verb::Plot(args) => look::plot::run(args, &context),
        Verb::Diff(args) => check::diff::run(args, &context),
        Verb::Struct(args) => rust::verb::run(args, &context),
        Verb::Set(args) => make::set::run(args, &context),
        Verb::Repack(args) => make::repack::run(args, &context),
        Verb::Extract(args) => make::extract::run(args, &context),
        Verb::Pack(args) => make::pack::run(args, &context),
        Verb::Cat(args) => make::cat::run(args, &context),
        Verb::Convert(args) => make::convert::run(args, &context),
        Verb::Verify(args) => check::verify::run(args, &context),
        Verb::Rescue(args) => make::rescue::run(args, &context),
        Verb::Text(args) => look::text::run(args, &context),
        Verb::GitSetup(_) => look::text::setup(&context),
        Verb::Completions(args) => shell::completions(args, &context),
        Verb::Man(args) => shell::man(args, &context),
    };
    let flushed = context.flush();
    match result.and_then(|outcome| flushed.map(|()| outcome)) {
        Ok(outcome) => outcome.max(context.worst()).into(),
        Err(fault) if fault.is_closed_pipe() => Outcome::Done.into(),
        Err(fault) => {
            fault::report(&fault);
            Outcome::Failed.into()
        }
    }
}
