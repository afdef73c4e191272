//! `npz cat`: rows of many files as one array, in constant memory.
//!
//! ```text
//! C order        rows of a | rows of b                          one file after another
//! Fortran order  a[:, 0] | b[:, 0] | a[:, 1] | b[:, 1] ..       column by column, all files open
//! ```

use std::io::{self, Cursor, Read};
use std::path::{Path, PathBuf};

use serde_npz::{Dtype, Header, WriteOptions};

use super::output::{self, Output};
use crate::frame::context::Context;
use crate::frame::fault::{Fault, Outcome, Result};
use crate::frame::input::{self, Input, Member};
use crate::frame::select::MemberArgs;
use crate::frame::text::{Shape, escape};

/// Join the rows of many files
///
/// Arrays of the same dtype and row shape become one array along the first axis; of archives, member by member. Texts are
/// made as wide as the widest.
#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// .npy files, or .npz files with the same members
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    #[command(flatten)]
    members: MemberArgs,
    /// The file to write
    #[arg(short, long = "output", value_name = "OUT")]
    output: PathBuf,
    /// Replace OUT if it is there
    #[arg(long)]
    force: bool,
}

const EXAMPLES: &str = "\
Examples:
  npz cat part-*.npy -o all.npy
  npz cat monday.npz tuesday.npz -o week.npz
  npz cat -m trace *.npz -o traces.npz";

/// One file, and its members that are joined.
struct Source {
    path: PathBuf,
    input: Input,
    members: Vec<Member>,
}

pub fn run(args: &Args, context: &Context) -> Result<Outcome> {
    let mut sources = Vec::new();
    for path in input::expand(&args.files) {
        let source = open(&path, args, context).map_err(|fault| fault.of(&path))?;
        sources.push(source);
    }
    let Some(first) = sources.first() else {
        return Err(Fault::new("found no file"));
    };
    let names: Vec<(String, String)> = first
        .members
        .iter()
        .map(|member| (member.name.clone(), member.file_name.clone()))
        .collect();
    let archives = first.input.is_npz();
    if let Some(odd) = sources.iter().find(|source| source.input.is_npz() != archives) {
        return Err(Fault::new("found arrays and archives, expected files of one kind").of(&odd.path));
    }
    let output = Output::create(&args.output, args.force)?;
    if archives {
        output.write_npz(&WriteOptions::new(), |npz| {
            for (name, file_name) in &names {
                let mut joined = Joined::new(&mut sources, name)?;
                npz.add_raw(file_name, joined.size, &mut joined)?;
            }
            Ok(())
        })?;
    } else {
        output.write(|writer| output::copy(&mut Joined::new(&mut sources, "")?, writer).map(|_| ()))?;
    }
    Ok(Outcome::Done)
}

fn open(path: &Path, args: &Args, context: &Context) -> Result<Source> {
    let mut input = Input::open(path, context)?;
    let members = input.members(&args.members.members, context)?;
    for member in &members {
        if let Some(fault) = &member.fault {
            return Err(Fault::new(fault.fact()).at(&member.name));
        }
    }
    Ok(Source {
        path: path.to_owned(),
        input,
        members,
    })
}

/// The joined array as the bytes of its file.
struct Joined<'s> {
    head: Cursor<Vec<u8>>,
    parts: Vec<Part<'s>>,
    /// Elements of the current run that are left, and whose they are.
    left: u64,
    at: usize,
    /// Runs that are left: all files once, in Fortran order once a column.
    rounds: u64,
    item: usize,
    /// One element, widened, of which `taken` bytes are handed out.
    element: Vec<u8>,
    taken: usize,
    size: u64,
}

struct Part<'s> {
    stream: Box<dyn Read + 's>,
    item: usize,
    /// Elements of one run.
    run: u64,
}

impl<'s> Joined<'s> {
    fn new(sources: &'s mut [Source], name: &str) -> Result<Self> {
        let mut headers: Vec<Header> = Vec::new();
        for source in sources.iter() {
            let header = header(source, name).map_err(|fault| fault.of(&source.path))?;
            if let Some(first) = headers.first() {
                check(first, &header).map_err(|fault| fault.at(name).of(&source.path))?;
            }
            headers.push(header);
        }
        let widest = headers.iter().max_by_key(|header| header.dtype().itemsize());
        let (Some(first), Some(widest)) = (headers.first(), widest) else {
            return Err(Fault::new("found no file"));
        };
        let rows = headers
            .iter()
            .try_fold(0_u64, |rows, header| rows.checked_add(header.shape()[0]));
        let mut shape = first.shape().to_vec();
        shape[0] = rows.ok_or_else(|| Fault::new("found more rows than can be counted").at(name))?;
        // Files of one row or one column are the same in both orders.
        let fortran = headers.iter().any(Header::fortran_order);
        let columns: u64 = shape[1..].iter().product();
        let joined = Header::new(widest.dtype().clone(), shape, fortran)?;
        let head = joined.to_bytes();
        let per_round = |header: &Header| {
            if fortran {
                header.shape()[0]
            } else {
                input::count(header)
            }
        };
        let size = head.len() as u64 + input::data_len(&joined);
        let mut parts = Vec::new();
        for (source, header) in sources.iter_mut().zip(&headers) {
            let Source { path, input, members } = source;
            let Some(member) = members.iter().find(|member| member.name == name) else {
                continue;
            };
            parts.push(Part {
                stream: Box::new(input.data(member).map_err(|fault| fault.at(name).of(path))?),
                item: header.dtype().itemsize() as usize,
                run: per_round(header),
            });
        }
        Ok(Joined {
            head: Cursor::new(head),
            left: parts.first().map_or(0, |part| part.run),
            parts,
            at: 0,
            rounds: if fortran { columns } else { 1 },
            item: joined.dtype().itemsize() as usize,
            element: Vec::new(),
            taken: 0,
            size,
        })
    }

    /// The next piece of elements: of the current run, or of the next.
    fn elements(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        while self.left == 0 {
            if self.rounds == 0 || self.parts.is_empty() {
                return self.end();
            }
            self.at += 1;
            if self.at == self.parts.len() {
                self.at = 0;
                self.rounds -= 1;
                if self.rounds == 0 {
                    return self.end();
                }
            }
            self.left = self.parts[self.at].run;
        }
        let part = &mut self.parts[self.at];
        if part.item == 0 && self.item == 0 {
            self.left = 0;
            return self.elements(buf);
        }
        if part.item == self.item && buf.len() >= self.item {
            let most = (buf.len() / self.item).min(usize::try_from(self.left).unwrap_or(usize::MAX));
            part.stream.read_exact(&mut buf[..most * self.item])?;
            self.left -= most as u64;
            return Ok(most * self.item);
        }
        self.element.clear();
        self.element.resize(self.item, 0);
        part.stream.read_exact(&mut self.element[..part.item])?;
        self.left -= 1;
        self.taken = 0;
        self.rest(buf)
    }

    /// What is left of an element that went through `element`.
    fn rest(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let most = (self.element.len() - self.taken).min(buf.len());
        buf[..most].copy_from_slice(&self.element[self.taken..self.taken + most]);
        self.taken += most;
        Ok(most)
    }

    /// Reads the ends: there an archive compares its checksums.
    fn end(&mut self) -> io::Result<usize> {
        self.rounds = 0;
        for mut part in self.parts.drain(..) {
            if part.stream.read(&mut [0])? > 0 {
                return Err(io::Error::new(
                    io::ErrorKind::InvalidData,
                    "found bytes behind the array",
                ));
            }
        }
        Ok(0)
    }
}

impl Read for Joined<'_> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        if buf.is_empty() {
            return Ok(0);
        }
        match self.head.read(buf)? {
            0 if self.taken < self.element.len() => self.rest(buf),
            0 => self.elements(buf),
            got => Ok(got),
        }
    }
}

fn header(source: &Source, name: &str) -> Result<Header> {
    let Some(member) = source.members.iter().find(|member| member.name == name) else {
        return Err(Fault::new(format_args!(
            "found no member {}, expected it in every file",
            escape(name)
        )));
    };
    let Some(header) = &member.header else {
        return Err(Fault::new("found no array").at(name));
    };
    if header.shape().is_empty() {
        return Err(Fault::new("found an array of no axes, expected rows")
            .at(name)
            .hint("-m chooses members"));
    }
    Ok(header.clone())
}

/// Whether the rows of the second can follow those of the first.
fn check(first: &Header, second: &Header) -> Result<()> {
    if !joins(first.dtype(), second.dtype()) {
        let (found, expected) = (second.dtype().to_string(), first.dtype().to_string());
        return Err(Fault::new(format_args!(
            "found {}, expected {}",
            escape(&found),
            escape(&expected)
        )));
    }
    if first.shape()[1..] != second.shape()[1..] {
        let (found, expected) = (Shape(second.shape()), Shape(first.shape()));
        return Err(Fault::new(format_args!(
            "found the shape {found}, expected rows as in {expected}"
        )));
    }
    let one_order = |header: &Header| {
        header.fortran_order() || header.shape().len() == 1 || header.shape()[1..].iter().all(|&axis| axis == 1)
    };
    if first.fortran_order() != second.fortran_order() && !(one_order(first) && one_order(second)) {
        return Err(Fault::new(
            "found arrays in C order and in Fortran order, expected one of them",
        ));
    }
    Ok(())
}

/// Texts join in any width.
fn joins(first: &Dtype, second: &Dtype) -> bool {
    let texts = matches!(first.kind(), 'U' | 'S') && first.kind() == second.kind();
    first == second || texts && first.byte_order() == second.byte_order()
}
