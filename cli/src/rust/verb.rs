//! `npz struct`: the file is looked at, the code is printed.

use std::fs::File;
use std::io::{BufReader, Read, Write};
use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde_npz::{ErrorKind, NpzReader};

use super::{Kind, Look, Member, Options, Ragged, comment, names};
use crate::frame::context::Context;
use crate::frame::fault::{Fault, Outcome, Result};
use crate::frame::input::{self, Input};
use crate::frame::select::MemberArgs;

/// Larger JSON texts and texts in rows are not read to see whether they are what they seem.
const LOOKED_AT: u64 = 16 << 20;

/// Print the Rust struct that loads a file
///
/// What is printed compiles and loads the file: derived structs with nested groups, lists, records and masks. Where no
/// type fits, it says why.
#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// .npy and .npz files; - is standard input
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    #[command(flatten)]
    members: MemberArgs,
    /// The name of the struct [default: the file's]
    #[arg(long, value_name = "NAME")]
    name: Option<String>,
    /// Arrays of numbers as ndarray's
    #[arg(long)]
    ndarray: bool,
    /// Vectors, which own their numbers: as it is without this
    #[arg(long, conflicts_with = "view")]
    owned: bool,
    /// Arrays of numbers borrowed from a mapped file
    #[arg(long, conflicts_with = "ndarray")]
    view: bool,
}

const EXAMPLES: &str = "\
Examples:
  npz struct run.npz                      the struct Run, and the lines that load it
  npz struct run.npz --name Checkpoint > src/checkpoint.rs
  npz struct run.npz --ndarray            Array2<f32> in place of Vec<Vec<f32>>
  npz struct run.npz -m 'layers/**'       only these members";

pub fn run(args: &Args, context: &Context) -> Result<Outcome> {
    if let Some(name) = &args.name
        && !super::is_type(name)
    {
        return Err(Fault::new(format_args!(
            "{}: expected a name that a type of Rust can have",
            comment(name)
        )));
    }
    let _ = args.owned;
    let paths = input::expand(&args.files);
    let mut modules = names::Names::default();
    for path in &paths {
        match code(path, args, context) {
            Ok(code) if paths.len() == 1 => write!(context.out(), "{code}")?,
            Ok(code) => {
                let module = modules.unique(&names::field(&stem(path)), "_");
                writeln!(context.out(), "pub mod {} {{", names::raw(&module))?;
                for line in code.lines() {
                    let indent = if line.is_empty() { "" } else { "    " };
                    writeln!(context.out(), "{indent}{line}")?;
                }
                writeln!(context.out(), "}}")?;
            }
            Err(fault) => context.complain(fault.of(path), Outcome::Failed)?,
        }
    }
    Ok(Outcome::Done)
}

fn stem(path: &Path) -> String {
    path.file_stem().unwrap_or_default().to_string_lossy().into_owned()
}

fn code(path: &Path, args: &Args, context: &Context) -> Result<String> {
    let options = Options {
        ndarray: args.ndarray,
        view: args.view,
        name: args.name.clone().unwrap_or_else(|| default_name(path)),
        path: path.to_string_lossy().into_owned(),
        separator: context.separator(),
    };
    let mut input = Input::open(path, context)?;
    let members = input.members(&args.members.members, context)?;
    match input {
        Input::Npy(_) => {
            let member = members.into_iter().next();
            match member.map(|member| (member.header, member.fault)) {
                Some((Some(header), None)) => Ok(super::of_array(&header, &options)),
                Some((_, Some(fault))) => Err(fault),
                _ => Err(Fault::new("found no header, expected one")),
            }
        }
        Input::Npz(mut npz) => {
            let mut seen = std::collections::HashMap::new();
            for member in &members {
                *seen.entry(member.name.clone()).or_insert(0_u32) += 1;
            }
            let mut described = Vec::new();
            for member in members {
                let twice = seen.get(&member.name).is_some_and(|&count| count > 1);
                if let Some(member) = describe(member, twice, &mut npz) {
                    if twice && described.iter().any(|other: &Member| other.key == member.key) {
                        continue;
                    }
                    described.push(member);
                }
            }
            both_json_and_array(&mut described);
            Ok(super::of_archive(&described, &mut Archive { npz }, &options))
        }
    }
}

/// `Run` for `run.npz`.
fn default_name(path: &Path) -> String {
    let name = match &*stem(path) {
        "-" => "Data".to_owned(),
        stem => names::ty(stem),
    };
    if super::is_type(&name) {
        name
    } else {
        format!("{name}Data")
    }
}

/// A member as the types need it; `None` for one that has nothing to do with loading.
fn describe(member: input::Member, twice: bool, npz: &mut NpzReader<BufReader<File>>) -> Option<Member> {
    let input::Member {
        name,
        header,
        fault,
        size,
        ..
    } = member;
    if twice {
        let reason = "the name comes more than once".to_owned();
        return Some(Member {
            key: name,
            kind: Kind::Other(reason),
        });
    }
    if let Some(fault) = fault {
        let reason = match fault.kind() {
            Some(ErrorKind::Pickle) => "an array of Python objects, for which there is no type".to_owned(),
            Some(ErrorKind::UnsupportedDtype) => format!("no type: {}", without_name(&fault, &name)),
            _ => without_name(&fault, &name),
        };
        return Some(Member {
            key: name,
            kind: Kind::Other(reason),
        });
    }
    if let Some(header) = header {
        return Some(Member {
            key: name,
            kind: Kind::Array(header),
        });
    }
    let Some(key) = name.strip_suffix(".json") else {
        let kind = Kind::Other("no array".to_owned());
        return Some(Member { key: name, kind });
    };
    let kind = if size > LOOKED_AT || npz.raw(&name).is_ok_and(|raw| is_json(&raw)) {
        Kind::Json
    } else {
        Kind::Other("no JSON text that can be read".to_owned())
    };
    Some(Member {
        key: key.to_owned(),
        kind,
    })
}

fn is_json(bytes: &[u8]) -> bool {
    serde_json::from_slice::<serde_json::Value>(bytes).is_ok()
}

fn without_name(fault: &Fault, name: &str) -> String {
    let fact = fault.fact();
    fact.strip_prefix(name)
        .and_then(|rest| rest.strip_prefix(": "))
        .unwrap_or(fact)
        .to_owned()
}

/// The library does not know which of `x` and `x.json` is meant by `x`.
fn both_json_and_array(members: &mut Vec<Member>) {
    let texts: std::collections::HashSet<String> = members
        .iter()
        .filter(|member| matches!(member.kind, Kind::Json))
        .map(|member| member.key.clone())
        .collect();
    let mut kept = std::collections::HashSet::new();
    let is_json = |member: &Member| matches!(member.kind, Kind::Json);
    let clashing: std::collections::HashSet<String> = members
        .iter()
        .filter(|member| !is_json(member) && texts.contains(&member.key))
        .map(|member| member.key.clone())
        .collect();
    for member in members.iter_mut().filter(|member| clashing.contains(&member.key)) {
        member.kind = Kind::Other("an array and a JSON text share this name".to_owned());
    }
    members.retain(|member| !clashing.contains(&member.key) || kept.insert(member.key.clone()));
}

/// What is asked of the values.
struct Archive {
    npz: Box<NpzReader<BufReader<File>>>,
}

impl Archive {
    fn joined(path: &str, name: &str) -> String {
        format!("{path}/{name}")
    }
}

/// Offsets as the library takes them, one after another in constant memory.
fn offsets_fit<R: Read + std::io::Seek>(npz: &mut NpzReader<R>, name: &str, values: u64) -> serde_npz::Result<bool> {
    let mut last: Option<i64> = None;
    for offset in npz.rows::<i64>(name)? {
        let offset = offset?;
        if offset < last.unwrap_or(0) || last.is_none() && offset != 0 {
            return Ok(false);
        }
        last = Some(offset);
    }
    Ok(last.is_some_and(|last| u64::try_from(last) == Ok(values)))
}

#[derive(Deserialize)]
#[serde(transparent)]
struct Texts(
    #[serde(with = "serde_npz::with::ragged")]
    #[allow(dead_code)]
    Vec<String>,
);

impl Look for Archive {
    fn ragged(&mut self, path: &str) -> Ragged {
        let [values, offsets] = ["values", "offsets"].map(|name| Archive::joined(path, name));
        let Ok(header) = self.npz.header(&values) else {
            return Ragged::No;
        };
        let Some(&count) = header.shape().first() else {
            return Ragged::No;
        };
        if !offsets_fit(&mut self.npz, &offsets, count).unwrap_or(false) {
            return Ragged::No;
        }
        let bytes = header.dtype().kind() == 'u' && header.dtype().itemsize() == 1 && header.shape().len() == 1;
        if bytes && count <= LOOKED_AT && self.npz.get::<Texts>(path).is_ok() {
            return Ragged::Texts;
        }
        Ragged::Rows
    }
}
