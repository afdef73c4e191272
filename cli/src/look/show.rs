//! `npz show`: the values of arrays and texts, of all of one or of a slice. Only what is shown is kept in memory.

mod print;

use std::io::{Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use clap::ValueEnum;
use serde::{Serialize, Serializer};

use crate::frame::context::Context;
use crate::frame::element::{JsonArray, Layout, in_memory};
use crate::frame::fault::{Fault, Outcome, Result};
use crate::frame::input::{Input, Member};
use crate::frame::json::{Files, JsonArgs, to_writer};
use crate::frame::slice::{self, Axis};
use crate::frame::text::{Shape, escape};

/// Show values: a single one bare, a column, a table, or NumPy's summary
#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// A .npy or .npz file; - is standard input
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Members by name or glob; all without one
    #[arg(value_name = "MEMBER")]
    members: Vec<String>,
    /// What to show of each, in NumPy's syntax: '0:10, :, -1'
    #[arg(short, long, value_name = "SLICE", allow_hyphen_values = true)]
    slice: Option<String>,
    /// The first N rows
    #[arg(long, value_name = "N", conflicts_with = "tail")]
    head: Option<u64>,
    /// The last N rows
    #[arg(long, value_name = "N")]
    tail: Option<u64>,
    /// All values, however many
    #[arg(long)]
    full: bool,
    /// Digits behind the point
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u8).range(0..=40))]
    precision: Option<u8>,
    /// table, csv, tsv, json (values alone) or raw (bytes); all but table are whole
    #[arg(
        long,
        value_enum,
        default_value = "table",
        hide_possible_values = true,
        hide_default_value = true
    )]
    format: Format,
    /// The header of the array as it stands in the file, as text and hex
    #[arg(long)]
    header: bool,
    #[command(flatten)]
    json: JsonArgs,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    Table,
    Csv,
    Tsv,
    Json,
    Raw,
}

const EXAMPLES: &str = "\
Examples:
  npz show run.npz step                    a single value, bare: $(npz show run.npz step)
  npz show run.npz w --slice '0:10, -1'    ten rows, of them the last column
  npz show run.npz 'layers/*/w' --tail 3
  npz show x.npy --format csv > x.csv
  npz show run.npz --json t | jq '.files[0].members[0].data'";

pub fn run(args: &Args, context: &Context) -> Result<Outcome> {
    let shown = args.file.to_string_lossy();
    let mut files = Files::new(args.json, context);
    let opened = Input::open(&args.file, context)
        .and_then(|mut input| input.members(&args.members, context).map(|members| (input, members)));
    let (mut input, members) = match opened {
        Ok(opened) => opened,
        Err(fault) => {
            if let Some(files) = &mut files {
                files.fault(&shown, &fault)?;
            }
            files.map_or(Ok(()), Files::finish)?;
            context.complain(fault.of(&args.file), Outcome::Failed)?;
            return Ok(Outcome::Failed);
        }
    };
    let titled = members.len() > 1 && args.format == Format::Table;
    let mut documents = Vec::new();
    for (i, member) in members.iter().enumerate() {
        if titled && files.is_none() {
            title(i, member, context)?;
        }
        let result = match () {
            () if args.header => header(&mut input, member, &args.file, context),
            () => load(&mut input, member, args, files.is_none()).and_then(|values| match files {
                Some(_) => {
                    documents.push(Document::new(member, args, values));
                    Ok(())
                }
                None => write(&values, args, context),
            }),
        };
        if let Err(fault) = result {
            // A wrong slice is a wrong call; anything else is about this member.
            let outcome = if fault.kind().is_some() {
                Outcome::Differs
            } else {
                Outcome::Failed
            };
            context.complain(fault.at(&member.name).of(&args.file), outcome)?;
        }
    }
    if let Some(mut files) = files {
        files.file(&shown, (), &documents)?;
        files.finish()?;
    }
    Ok(Outcome::Done)
}

fn title(i: usize, member: &Member, context: &Context) -> Result<()> {
    let style = context.style(anstyle::Style::new().bold());
    let what = match &member.header {
        Some(header) => format!("{} {}", header.dtype(), Shape(header.shape())),
        None => "text".into(),
    };
    let between = if i > 0 { "\n" } else { "" };
    writeln!(
        context.out(),
        "{between}{style}{}{style:#}  {what}",
        escape(&member.name)
    )?;
    Ok(())
}

/// What is shown of a member.
pub enum Values {
    Array {
        dtype: serde_npz::Dtype,
        axes: Vec<Axis>,
        /// In C order; where the middle is left out, the ends of each axis.
        bytes: Vec<u8>,
        /// The ends that are in `bytes`, of axes of which the middle is left out.
        ends: Vec<Axis>,
    },
    Text(Vec<u8>),
}

fn load(input: &mut Input, member: &Member, args: &Args, is_text: bool) -> Result<Values> {
    if let Some(fault) = &member.fault {
        return Err(fault.clone());
    }
    if member.header.is_none() {
        return input.raw(member).map(Values::Text);
    }
    let mut data = input.data(member)?;
    let header = data.header().clone();
    let mut axes = slice::parse(args.slice.as_deref().unwrap_or(""), header.shape())?;
    if let Some(first) = axes.iter_mut().find(|axis| axis.kept) {
        let len = first.count();
        if let Some(n) = args.head {
            *first = first.part(0, n);
        } else if let Some(n) = args.tail {
            *first = first.part(len.saturating_sub(n), len);
        }
    }
    let whole = args.full || args.format != Format::Table || !is_text;
    let rows_asked = args.head.is_some() || args.tail.is_some();
    let ends = if whole {
        axes.clone()
    } else {
        print::ends(&axes, rows_asked)
    };
    let unread = header.dtype().itemsize() == 0 || slice::shape(&ends).contains(&0);
    if unread && brackets(&slice::shape(&ends)) > MOST_BYTELESS {
        let hint = "--slice shows some of them";
        return Err(Fault::new("found more than 2^20 elements or lists without a byte").hint(hint));
    }
    let bytes = slice::read(&mut data, &ends)?;
    Ok(Values::Array {
        dtype: header.dtype().clone(),
        axes,
        bytes,
        ends,
    })
}

/// How many lists and elements are shown of a shape: all axes up to the first empty one.
fn brackets(shape: &[u64]) -> u64 {
    let shown = shape.iter().take_while(|&&axis| axis > 0);
    shown.fold(1, |n: u64, &axis| n.saturating_mul(axis))
}

/// Nothing in a file proves what holds no byte.
const MOST_BYTELESS: u64 = 1 << 20;

fn write(values: &Values, args: &Args, context: &Context) -> Result<()> {
    let precision = args.precision.map(usize::from);
    let mut out = context.out();
    let (dtype, ends, bytes) = match values {
        Values::Text(text) => return print::text(text, args.format == Format::Raw, &mut *out),
        Values::Array { dtype, ends, bytes, .. } => (dtype, ends, bytes),
    };
    let layout = Layout::new(dtype);
    let size = in_memory(dtype.itemsize());
    match args.format {
        Format::Raw => out.write_all(bytes)?,
        Format::Json => {
            to_writer(
                &mut *out,
                &JsonArray {
                    layout: &layout,
                    size,
                    shape: &slice::shape(ends),
                    bytes,
                },
            )?;
            writeln!(out)?;
        }
        Format::Csv => print::separated(&layout, size, ends, bytes, ',', precision, &mut *out)?,
        Format::Tsv => print::separated(&layout, size, ends, bytes, '\t', precision, &mut *out)?,
        Format::Table => print::table(&layout, size, values, precision, context, &mut *out)?,
    }
    Ok(())
}

/// A member in JSON.
#[derive(Serialize)]
struct Document<'a> {
    name: &'a str,
    dtype: Option<String>,
    /// Of what is shown.
    shape: Option<Vec<u64>>,
    slice: Option<&'a str>,
    data: JsonValues,
}

impl<'a> Document<'a> {
    fn new(member: &'a Member, args: &'a Args, values: Values) -> Self {
        let (dtype, shape) = match &values {
            Values::Array { dtype, ends, .. } => (Some(dtype.to_string()), Some(slice::shape(ends))),
            Values::Text(_) => (None, None),
        };
        Document {
            name: &member.name,
            dtype,
            shape,
            slice: args.slice.as_deref(),
            data: JsonValues(values),
        }
    }
}

struct JsonValues(Values);

impl Serialize for JsonValues {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match &self.0 {
            Values::Array { dtype, ends, bytes, .. } => JsonArray {
                layout: &Layout::new(dtype),
                size: in_memory(dtype.itemsize()),
                shape: &slice::shape(ends),
                bytes,
            }
            .serialize(serializer),
            Values::Text(text) => match serde_json::from_slice::<serde_json::Value>(text) {
                Ok(value) => value.serialize(serializer),
                Err(_) => serializer.serialize_str(&String::from_utf8_lossy(text)),
            },
        }
    }
}

/// `--header`: the bytes before the elements.
fn header(input: &mut Input, member: &Member, path: &Path, context: &Context) -> Result<()> {
    let bytes = match (member.offset, member.data_offset) {
        (Some(from), Some(to)) if path != Path::new("-") => {
            let mut file = std::fs::File::open(path)?;
            file.seek(SeekFrom::Start(from))?;
            let mut bytes = Vec::new();
            file.take(to - from).read_to_end(&mut bytes)?;
            bytes
        }
        _ => match &member.header {
            Some(header) => header.to_bytes(),
            None => input.raw(member)?.into_iter().take(256).collect(),
        },
    };
    let mut out = context.out();
    let text: String = bytes
        .iter()
        .skip_while(|&&byte| byte != b'{')
        .map(|&byte| char::from(byte))
        .collect();
    writeln!(out, "{}", escape(text.trim_end()))?;
    for (i, line) in bytes.chunks(16).enumerate() {
        let hex: Vec<String> = line.iter().map(|byte| format!("{byte:02x}")).collect();
        let shown = |&byte: &u8| {
            if (0x20..0x7f).contains(&byte) {
                char::from(byte)
            } else {
                '.'
            }
        };
        writeln!(
            out,
            "{:06x}  {:<47}  {}",
            i * 16,
            hex.join(" "),
            line.iter().map(shown).collect::<String>()
        )?;
    }
    Ok(())
}
