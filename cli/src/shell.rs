//! `npz completions` and `npz man`: what is made of the definitions of the arguments.

use std::io::Write;

use clap::CommandFactory;
use clap_complete::Shell;

use crate::args::Cli;
use crate::frame::context::Context;
use crate::frame::fault::{Fault, Outcome, Result};
use crate::frame::text::escape;

/// Completions for a shell, on standard output
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  npz completions bash > ~/.local/share/bash-completion/completions/npz
  npz completions zsh > ~/.zfunc/_npz
  npz completions fish > ~/.config/fish/completions/npz.fish")]
pub struct CompletionArgs {
    shell: Shell,
}

pub fn completions(args: &CompletionArgs, context: &Context) -> Result<Outcome> {
    // It panics where it cannot write: a closed pipe must not.
    let mut text = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "npz", &mut text);
    context.out().write_all(&text)?;
    Ok(Outcome::Done)
}

/// The manual page of npz or of a verb, on standard output
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  npz man | man -l -
  npz man show > npz-show.1")]
pub struct ManArgs {
    /// A verb; npz itself without one
    verb: Option<String>,
}

pub fn man(args: &ManArgs, context: &Context) -> Result<Outcome> {
    let mut command = Cli::command();
    // Puts the options of every verb into each.
    command.build();
    let command = match &args.verb {
        None => command,
        Some(verb) => {
            let found = command.find_subcommand(verb).cloned();
            found.ok_or_else(|| Fault::new(format_args!("found no verb `{}`", escape(verb))))?
        }
    };
    clap_mangen::Man::new(command).render(&mut *context.out())?;
    Ok(Outcome::Done)
}
