//! What was asked: the verbs, and the options that all of them take.

use std::ffi::OsString;

use clap::{Args, CommandFactory, Parser, Subcommand, ValueEnum};

use crate::{check, look, make, rust, shell};

/// List, show, plot and check NumPy's .npy and .npz files
///
/// A file is known by its content, not by its name; - is standard input. `npz FILE..` lists.
#[derive(Parser)]
#[command(name = "npz", version, max_term_width = 100, after_help = EXAMPLES)]
pub struct Cli {
    #[command(subcommand)]
    pub verb: Verb,
    #[command(flatten)]
    pub common: Common,
}

const EXAMPLES: &str = "\
Examples:
  npz run.npz                   the arrays of an archive, their types and shapes
  npz show run.npz w --head 5   the first rows of one
  npz stats run.npz             minimum, maximum, mean, NaN of each
  npz plot run.npz loss         as a picture
  npz verify *.npz              is anything damaged?

Exit codes: 0 done, equal, sound; 1 differs, damaged, not all done; 2 could not run.
npz VERB --help has examples of each verb.";

/// One verb a variant, in the order of the help.
#[derive(Subcommand)]
pub enum Verb {
    Ls(look::ls::Args),
    Show(look::show::Args),
    Stats(look::stats::Args),
    Plot(look::plot::Args),
    Diff(check::diff::Args),
    Verify(check::verify::Args),
    Rescue(make::rescue::Args),
    Struct(rust::verb::Args),
    Set(make::set::Args),
    Repack(make::repack::Args),
    Extract(make::extract::Args),
    Pack(make::pack::Args),
    Cat(make::cat::Args),
    Convert(make::convert::Args),
    Text(look::text::Args),
    GitSetup(look::text::SetupArgs),
    Completions(shell::CompletionArgs),
    Man(shell::ManArgs),
}

/// Options of every verb.
#[derive(Args)]
#[command(next_help_heading = "Options of every verb")]
pub struct Common {
    /// Colour: auto follows the terminal, NO_COLOR and CLICOLOR_FORCE
    #[arg(
        long,
        global = true,
        value_enum,
        value_name = "WHEN",
        default_value = "auto",
        hide_possible_values = true
    )]
    pub color: Color,
    /// Cut lines at N columns, in a pipe too; 0 never cuts [default: the terminal's width]
    #[arg(long, global = true, value_name = "N")]
    pub width: Option<usize>,
    /// No box drawing, no braille: ASCII alone, but for names
    #[arg(long, global = true)]
    pub ascii: bool,
    /// Exact numbers of bytes in place of kB, MB, GB
    #[arg(long, global = true)]
    pub bytes: bool,
    /// No bar while work takes long
    #[arg(long, global = true)]
    pub no_progress: bool,
    /// `off` lifts the limits on sizes that files may claim
    #[arg(
        long,
        global = true,
        value_enum,
        value_name = "on|off",
        default_value = "on",
        hide_possible_values = true,
        hide_default_value = true
    )]
    pub limits: Switch,
    /// The longest header of an array that is read, in bytes
    #[arg(long, global = true, value_name = "N")]
    pub header_limit: Option<usize>,
    /// What parts names into groups: one character, or `none`
    #[arg(long, global = true, value_name = "CHAR", default_value = "/", value_parser = separator, hide_default_value = true)]
    pub separator: Separator,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Color {
    Auto,
    Always,
    Never,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Switch {
    On,
    Off,
}

/// `None` where names are not parted.
#[derive(Clone, Copy)]
pub struct Separator(pub Option<char>);

fn separator(text: &str) -> Result<Separator, String> {
    let mut chars = text.chars();
    match (chars.next(), chars.next()) {
        (Some(c), None) if c != '\0' => Ok(Separator(Some(c))),
        _ if text == "none" => Ok(Separator(None)),
        _ => Err("expected one character or none".into()),
    }
}

/// `npz FILE..` is `npz ls FILE..`: puts `ls` in front where no verb stands. A verb wins over a file called so.
pub fn with_verb(args: impl Iterator<Item = OsString>) -> Vec<OsString> {
    let mut args: Vec<OsString> = args.collect();
    let command = Cli::command();
    let is_verb = |word: &str| word == "help" || command.get_subcommands().any(|verb| verb.get_name() == word);
    let takes_value = |word: &str| {
        let mut all = command.get_arguments();
        all.any(|arg| arg.get_action().takes_values() && arg.get_long().is_some_and(|long| word == format!("--{long}")))
    };
    let mut words = args.iter().skip(1).map(|word| word.to_string_lossy());
    while let Some(word) = words.next() {
        if word == "-" || word == "--" || !word.starts_with('-') {
            if !is_verb(&word) {
                args.insert(1, "ls".into());
            }
            return args;
        }
        if takes_value(&word) {
            words.next();
        }
    }
    args
}
