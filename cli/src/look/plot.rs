//! `npz plot`: the values of arrays as a picture, in the terminal or in a file.
//!
//! ```text
//! choose      members and options -> which plots of which kind, and what is read for each
//! values      elements -> floats, with their places, in constant memory; clock: times -> seconds
//! read        floats -> a scene, through reduce: what shows of any number of values
//! scene       axes and what stands between them; ticks: the numbers beside the axes
//! terminal    a scene as lines of text
//! picture     scenes as shapes, and these as SVG or PNG
//! ```

mod choose;
mod clock;
mod color;
mod picture;
mod read;
mod reduce;
mod scene;
mod terminal;
mod ticks;
mod values;

use std::io::Write;
use std::path::{Path, PathBuf};

use clap::ValueEnum;

use self::read::Room;
use self::scene::{Kind, Scene};
use self::values::Pool;
use crate::frame::context::Context;
use crate::frame::fault::{Fault, Outcome, Result};
use crate::frame::json::{Files, JsonArgs};
use crate::make::output::Output;

/// Draw values: lines, bars, histograms, heat maps, images, points
///
/// An array of one axis is a line, of two a heat map, (h, w, 3) of bytes an image, any other one a histogram; records have a
/// plot a field. Two members are drawn one against the other, more of them over their index.
#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// A .npy or .npz file; - is standard input
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Members by name or glob: one, x and y, or several lines; all without one
    #[arg(value_name = "MEMBER")]
    members: Vec<String>,
    /// line, bar, hist, heat, image or scatter
    #[arg(short, long, value_enum, value_name = "KIND", hide_possible_values = true)]
    kind: Option<Kind>,
    /// What lies along x: a member, or a field of records
    #[arg(long, value_name = "NAME")]
    x: Option<String>,
    /// Only this field of records
    #[arg(short, long = "field", value_name = "NAME")]
    fields: Vec<String>,
    /// What to draw of each, in NumPy's syntax: '0:10, :, -1'
    #[arg(short, long, value_name = "SLICE", allow_hyphen_values = true)]
    slice: Option<String>,
    /// Powers of ten along y, or --log=x, --log=xy
    #[arg(
        long,
        value_enum,
        value_name = "AXES",
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "y",
        hide_possible_values = true
    )]
    log: Option<Log>,
    /// How many bars a histogram has
    #[arg(long, value_name = "N", value_parser = clap::builder::RangedU64ValueParser::<usize>::new().range(1..=10_000))]
    bins: Option<usize>,
    /// Characters in the terminal, pixels in a file: 80x24
    #[arg(long, value_name = "WxH", value_parser = size)]
    size: Option<(usize, usize)>,
    /// What stands above
    #[arg(long, value_name = "TEXT")]
    title: Option<String>,
    /// Write a picture, by the suffix .png or .svg
    #[arg(short, long, value_name = "FILE", conflicts_with_all = ["json", "jsonl"])]
    output: Option<PathBuf>,
    /// Replace the picture that is there
    #[arg(long, requires = "output")]
    force: bool,
    /// A picture on dark paper
    #[arg(long, requires = "output")]
    dark: bool,
    /// A picture on light paper: the default
    #[arg(long, requires = "output", conflicts_with = "dark")]
    light: bool,
    #[command(flatten)]
    json: JsonArgs,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Log {
    X,
    Y,
    Xy,
}

impl Args {
    fn log_x(&self) -> bool {
        matches!(self.log, Some(Log::X | Log::Xy))
    }

    fn log_y(&self) -> bool {
        matches!(self.log, Some(Log::Y | Log::Xy))
    }
}

const EXAMPLES: &str = "\
Examples:
  npz plot run.npz loss                       a line; --log for powers of ten
  npz plot run.npz time loss                  loss over time
  npz plot run.npz 'layers/*/b'               lines over their index
  npz plot run.npz w --slice '0, ..., -1'     a part, as a heat map
  npz plot x.npy --kind hist --bins 50 -o x.png --dark";

fn size(text: &str) -> Result<(usize, usize), String> {
    let (width, height) = text
        .split_once(['x', 'X'])
        .ok_or("expected a width and a height: 80x24")?;
    let number = |text: &str| text.parse().ok().filter(|n| (1..=20_000).contains(n));
    match (number(width), number(height)) {
        (Some(width), Some(height)) if width * height <= 100_000_000 => Ok((width, height)),
        _ => Err("expected two numbers from 1 to 20000 and at most 10^8 together: 80x24".into()),
    }
}

pub fn run(args: &Args, context: &Context) -> Result<Outcome> {
    if let Some(path) = &args.output {
        return save(path, args, context);
    }
    let shown = args.file.to_string_lossy();
    let mut files = Files::new(args.json, context);
    let mut scenes = Vec::new();
    let drawn = Pool::open(&args.file, context).and_then(|mut pool| {
        let size = terminal::size(args.size, context);
        let room = terminal::room(size);
        let mut first = true;
        each(&mut pool, &room, args, context, |scene| {
            if files.is_some() {
                scenes.push(scene);
                return Ok(());
            }
            let mut out = context.out();
            if !std::mem::take(&mut first) {
                writeln!(out)?;
            }
            Ok(terminal::write(&scene, size, context, &mut *out)?)
        })
    });
    if let Some(files) = &mut files {
        match &drawn {
            Ok(()) => files.file(&shown, (), &scenes)?,
            Err(fault) => files.fault(&shown, fault)?,
        }
    }
    files.map_or(Ok(()), Files::finish)?;
    if let Err(fault) = drawn {
        context.complain(fault.of(&args.file), Outcome::Failed)?;
    }
    Ok(Outcome::Done)
}

/// `-o`: all plots in one picture, below each other.
fn save(path: &Path, args: &Args, context: &Context) -> Result<Outcome> {
    let format = picture::format(path)?;
    let output = Output::create(path, args.force)?;
    let size = picture::size(args.size);
    let mut scenes = Vec::new();
    let read = Pool::open(&args.file, context).and_then(|mut pool| {
        each(&mut pool, &picture::room(size), args, context, |scene| {
            scenes.push(scene);
            Ok(())
        })
    });
    read.map_err(|fault| fault.of(&args.file))?;
    if scenes.is_empty() {
        // Why has been said, and which code it is.
        return Ok(Outcome::Done);
    }
    output.write(|out| picture::write(&scenes, size, format, args.dark, out))?;
    Ok(Outcome::Done)
}

/// Reads one plot after another. What cannot be drawn is told of, and the others are.
fn each(
    pool: &mut Pool<'_>,
    room: &Room,
    args: &Args,
    context: &Context,
    mut show: impl FnMut(Scene) -> Result<()>,
) -> Result<()> {
    let (members, has_x) = choose::members(pool, args, context)?;
    for wanted in choose::plots(&members, has_x, args)? {
        let result = wanted.and_then(|wanted| {
            let name = &wanted.sources[0].streams[0].member.name;
            read::scene(&wanted, pool, room, args).map_err(|fault| fault.at(name))
        });
        match result {
            Ok(scene) => show(scene)?,
            Err(fault) => complain(fault, args, context)?,
        }
    }
    Ok(())
}

/// A wrong slice or kind is a wrong call; anything else is about this member.
fn complain(fault: Fault, args: &Args, context: &Context) -> Result<()> {
    let outcome = if fault.kind().is_some() {
        Outcome::Differs
    } else {
        Outcome::Failed
    };
    context.complain(fault.of(&args.file), outcome)
}
