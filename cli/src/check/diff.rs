//! `npz diff`: what differs between two files, or between the files of two directories.
//!
//! ```text
//! names    + only in the second, - only in the first
//! headers  dtype, shape, order
//! values   equal checksum and size: equal as recorded; else both are read in pieces    elements: what an element is
//!                                                                                      streams: pieces in step
//! ```

mod elements;
mod pairs;
mod streams;

use std::collections::HashMap;
use std::io::Write;
use std::path::{Path, PathBuf};

use serde::Serialize;
use serde_npz::Header;

use self::elements::Tolerance;
use self::streams::Found;
use crate::frame::context::Context;
use crate::frame::fault::{Fault, Outcome, Result};
use crate::frame::input::{Input, Member};
use crate::frame::json::to_writer;
use crate::frame::select::MemberArgs;
use crate::frame::select::glob;
use crate::frame::text::{Shape, escape};

/// Compare two files, or the files of two directories
///
/// Two numbers are equal where |a - b| <= atol + rtol * |b|, as np.isclose has it. Members whose checksum and size are equal
/// are not read.
#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// The first file or directory
    #[arg(value_name = "A")]
    first: PathBuf,
    /// The second
    #[arg(value_name = "B")]
    second: PathBuf,
    #[command(flatten)]
    members: MemberArgs,
    /// Members that are not compared
    #[arg(long, value_name = "GLOB")]
    ignore: Vec<String>,
    /// How far numbers may be apart, in parts of the second
    #[arg(long, value_name = "X", default_value = "0", value_parser = tolerance)]
    rtol: f64,
    /// How far numbers may be apart
    #[arg(long, value_name = "X", default_value = "0", value_parser = tolerance)]
    atol: f64,
    /// NaN and NaT differ from themselves
    #[arg(long)]
    nan_differs: bool,
    /// Show the first N values that differ
    #[arg(long, value_name = "N", default_value = "0", hide_default_value = true)]
    values: usize,
    /// The exit code alone
    #[arg(short, long)]
    quiet: bool,
    /// A JSON document, as cli/JSON.md has it
    #[arg(long)]
    json: bool,
}

const EXAMPLES: &str = "\
Examples:
  npz diff old.npz new.npz
  npz diff old.npz new.npz --rtol 1e-6 --values 5
  npz diff runs/1 runs/2 --ignore 'time/**'     the files of two directories
  npz diff -q a.npy b.npy || echo differs

Exit codes: 0 equal, 1 different, 2 could not compare.";

fn tolerance(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(x) if x >= 0.0 => Ok(x),
        _ => Err("expected a number that is not negative".into()),
    }
}

/// A line of the text, and an entry of the document.
#[derive(Debug, Serialize)]
struct Difference {
    /// The file, where directories are compared.
    #[serde(skip_serializing_if = "Option::is_none")]
    path: Option<String>,
    name: String,
    kind: Kind,
    count: Option<u64>,
    max_abs: Option<f64>,
    max_rel: Option<f64>,
    at: Option<Vec<u64>>,
    first: Option<String>,
    second: Option<String>,
    #[serde(skip)]
    total: u64,
    #[serde(skip)]
    values: Vec<(Vec<u64>, String, String)>,
}

#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
enum Kind {
    Added,
    Removed,
    Dtype,
    Shape,
    Order,
    Values,
}

#[derive(Serialize)]
struct Document<'a> {
    equal: bool,
    differences: &'a [Difference],
    errors: &'a [String],
}

impl Difference {
    fn new(name: &str, kind: Kind) -> Self {
        Difference {
            path: None,
            name: name.to_owned(),
            kind,
            count: None,
            max_abs: None,
            max_rel: None,
            at: None,
            first: None,
            second: None,
            total: 0,
            values: Vec::new(),
        }
    }

    /// What each of the two has.
    fn between(mut self, first: impl ToString, second: impl ToString) -> Self {
        self.first = Some(first.to_string());
        self.second = Some(second.to_string());
        self
    }
}

pub fn run(args: &Args, context: &Context) -> Result<Outcome> {
    let mut differences = Vec::new();
    let mut errors = Vec::new();
    for pair in pairs::pairs(&args.first, &args.second)? {
        let found = match (&pair.first, &pair.second) {
            (Some(first), Some(second)) => files(first, second, args, context),
            (first, _) => {
                let kind = if first.is_some() { Kind::Removed } else { Kind::Added };
                Ok((vec![Difference::new("", kind)], Vec::new()))
            }
        };
        let mut complain = |fault: Fault| {
            errors.push(fault.to_string());
            context.complain(fault, Outcome::Failed)
        };
        match found {
            Ok((found, faults)) => {
                differences.extend(found.into_iter().map(|difference| Difference {
                    path: pair.name.clone(),
                    ..difference
                }));
                faults.into_iter().try_for_each(&mut complain)?;
            }
            Err(fault) => complain(fault)?,
        }
        if args.quiet && !args.json && !differences.is_empty() {
            break;
        }
    }
    let equal = differences.is_empty() && errors.is_empty();
    if args.json {
        let document = Document {
            equal,
            differences: &differences,
            errors: &errors,
        };
        to_writer(&mut *context.out(), &document)?;
        writeln!(context.out())?;
    } else if !args.quiet {
        for difference in &differences {
            line(difference, context)?;
        }
    }
    Ok(if differences.is_empty() {
        Outcome::Done
    } else {
        Outcome::Differs
    })
}

/// One line a difference, and one a value that was asked for.
fn line(difference: &Difference, context: &Context) -> Result<()> {
    let mut out = context.out();
    let name = match (&difference.path, &*difference.name) {
        (Some(path), "") => escape(path).into_owned(),
        (Some(path), name) => format!("{}: {}", escape(path), escape(name)),
        (None, name) => escape(name).into_owned(),
    };
    // A lone array has no name.
    let of = |sign: &str| {
        if name.is_empty() {
            sign.to_owned()
        } else {
            format!("{sign} {name}")
        }
    };
    let two =
        || [&difference.first, &difference.second].map(|text| escape(text.as_deref().unwrap_or_default()).into_owned());
    match difference.kind {
        Kind::Added => writeln!(out, "{}", of("+"))?,
        Kind::Removed => writeln!(out, "{}", of("-"))?,
        Kind::Dtype | Kind::Shape | Kind::Order => {
            let what = match difference.kind {
                Kind::Dtype => "dtype",
                Kind::Shape => "shape",
                _ => "order",
            };
            let [first, second] = two();
            writeln!(out, "{} {what} {first} -> {second}", of("~"))?;
        }
        Kind::Values => {
            write!(out, "{} ", of("~"))?;
            match difference.count {
                None => write!(out, "bytes differ")?,
                Some(count) => write!(out, "{count} of {} differ", difference.total)?,
            }
            if let Some(abs) = difference.max_abs {
                write!(out, ", max |d| {}", number(abs))?;
                if let Some(rel) = difference.max_rel {
                    write!(out, " (rel {})", number(rel))?;
                }
            }
            match &difference.at {
                Some(at) if !at.is_empty() => writeln!(out, " at {at:?}")?,
                _ => writeln!(out)?,
            }
            for (at, first, second) in &difference.values {
                writeln!(out, "    {at:?} {} -> {}", escape(first), escape(second))?;
            }
        }
    }
    Ok(())
}

/// Two digits, as an exponent where it is not near one.
fn number(x: f64) -> String {
    if x != 0.0 && !(1e-3..1e5).contains(&x.abs()) {
        return format!("{x:.1e}");
    }
    let digits = if x == x.trunc() { 0 } else { 3 };
    format!("{x:.digits$}")
}

/// What differs between two files, and which members could not be compared.
fn files(first: &Path, second: &Path, args: &Args, context: &Context) -> Result<(Vec<Difference>, Vec<Fault>)> {
    let mut inputs = Vec::new();
    let mut members = Vec::new();
    for path in [first, second] {
        let mut input = Input::open(path, context).map_err(|fault| fault.of(path))?;
        let mut all = input.members(&[], context).map_err(|fault| fault.of(path))?;
        all.retain(|member| {
            !args
                .ignore
                .iter()
                .any(|ignore| *ignore == member.name || glob::matches(ignore, &member.name, context.separator()))
        });
        inputs.push(input);
        members.push(all);
    }
    if !args.members.members.is_empty() {
        let names: Vec<&str> = members.iter().flatten().map(|member| &*member.name).collect();
        let chosen: std::collections::HashSet<String> =
            crate::frame::select::select(&args.members.members, &names, context.separator())?
                .into_iter()
                .map(|at| names[at].to_owned())
                .collect();
        members
            .iter_mut()
            .for_each(|members| members.retain(|member| chosen.contains(&member.name)));
    }
    let [mut from, mut to] = <[Input; 2]>::try_from(inputs).map_err(|_| Fault::new("found no two files"))?;
    let [ours, theirs] = &members[..] else {
        return Err(Fault::new("found no two files"));
    };
    let there: HashMap<&str, &Member> = theirs.iter().map(|member| (&*member.name, member)).collect();
    let here: HashMap<&str, &Member> = ours.iter().map(|member| (&*member.name, member)).collect();
    let (mut differences, mut faults) = (Vec::new(), Vec::new());
    for a in ours {
        let Some(b) = there.get(&*a.name) else {
            differences.push(Difference::new(&a.name, Kind::Removed));
            continue;
        };
        let mut found = Vec::new();
        match compare(a, b, &mut from, &mut to, args, &mut found) {
            Ok(()) => {}
            Err((fault, path_of_second)) => {
                faults.push(fault.at(&a.name).of(if path_of_second { second } else { first }))
            }
        }
        differences.append(&mut found);
        if args.quiet && !args.json && !differences.is_empty() {
            return Ok((differences, faults));
        }
    }
    for b in theirs.iter().filter(|b| !here.contains_key(&*b.name)) {
        differences.push(Difference::new(&b.name, Kind::Added));
    }
    Ok((differences, faults))
}

/// A fault, and whether the second file has it.
type Compared = Result<(), (Fault, bool)>;

fn compare(
    a: &Member,
    b: &Member,
    from: &mut Input,
    to: &mut Input,
    args: &Args,
    found: &mut Vec<Difference>,
) -> Compared {
    let recorded = a.crc.is_some() && a.crc == b.crc && a.size == b.size;
    let (Some(ours), Some(theirs)) = (&a.header, &b.header) else {
        if recorded {
            return Ok(());
        }
        if a.header.is_some() != b.header.is_some() && a.fault.is_none() && b.fault.is_none() {
            let said = |member: &Member| {
                member
                    .header
                    .as_ref()
                    .map_or("no array".to_owned(), |header| header.dtype().to_string())
            };
            found.push(Difference::new(&a.name, Kind::Dtype).between(said(a), said(b)));
            return Ok(());
        }
        if streams::bytes_differ(a, b, from, to)? {
            found.push(Difference::new(&a.name, Kind::Values));
        }
        return Ok(());
    };
    if ours.dtype() != theirs.dtype() {
        found.push(Difference::new(&a.name, Kind::Dtype).between(ours.dtype(), theirs.dtype()));
        return Ok(());
    }
    if ours.shape() != theirs.shape() {
        found.push(Difference::new(&a.name, Kind::Shape).between(Shape(ours.shape()), Shape(theirs.shape())));
        return Ok(());
    }
    if ours.fortran_order() != theirs.fortran_order() {
        let said = |header: &Header| if header.fortran_order() { "Fortran" } else { "C" };
        found.push(Difference::new(&a.name, Kind::Order).between(said(ours), said(theirs)));
    }
    let tolerance = Tolerance {
        rtol: args.rtol,
        atol: args.atol,
        nan_differs: args.nan_differs,
    };
    if recorded && !(args.nan_differs && elements::may_be_nan(ours.dtype())) {
        return Ok(());
    }
    let Found {
        count,
        max_abs,
        max_rel,
        at,
        values,
    } = streams::values(a, b, ours, theirs, from, to, &tolerance, args.values)?;
    if count > 0 {
        let total = crate::frame::input::count(ours);
        found.push(Difference {
            count: Some(count),
            max_abs,
            max_rel,
            at,
            total,
            values,
            ..Difference::new(&a.name, Kind::Values)
        });
    }
    Ok(())
}
