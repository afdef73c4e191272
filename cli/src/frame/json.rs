//! `--json` and `--jsonl`: one document of files, or one line a member. `cli/JSON.md` has every key.

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use clap::Args;
use serde::Serialize;
use serde_npz::Dtype;

use crate::frame::context::Context;
use crate::frame::fault::{Fault, Outcome, Result};

/// The two flags of every verb that tells something.
#[derive(Args, Clone, Copy)]
pub struct JsonArgs {
    /// A JSON document, as cli/JSON.md has it
    #[arg(long)]
    pub json: bool,
    /// One JSON line a member
    #[arg(long, conflicts_with = "json")]
    pub jsonl: bool,
}

impl JsonArgs {
    /// Whether text for people is wanted.
    pub fn is_text(self) -> bool {
        !self.json && !self.jsonl
    }
}

/// One file of a document: `path`, `error`, the keys of `head`, `members`.
#[derive(Serialize)]
pub struct FileDocument<'a, H, M> {
    path: String,
    error: Option<&'a str>,
    #[serde(flatten)]
    head: Option<H>,
    #[serde(skip_serializing_if = "Option::is_none")]
    members: Option<&'a [M]>,
}

/// One line: `path`, `error` of the file where it could not be read, and the keys of the member.
#[derive(Serialize)]
struct MemberLine<'a, M> {
    path: &'a str,
    #[serde(flatten)]
    member: &'a M,
}

#[derive(Serialize)]
struct FaultLine<'a> {
    path: &'a str,
    error: &'a str,
}

/// Writes `{"files": [..]}` one file after another.
pub struct Files<'c> {
    context: &'c Context,
    lines: bool,
    begun: bool,
}

impl<'c> Files<'c> {
    /// `None` where text is wanted.
    pub fn new(args: JsonArgs, context: &'c Context) -> Option<Self> {
        let files = Files {
            context,
            lines: args.jsonl,
            begun: false,
        };
        (!args.is_text()).then_some(files)
    }

    /// Tells of every file: `read` reads one, and `show` tells of it, in the document where there is one. A file that fails is
    /// told of as well, and the others are done.
    pub fn each<R>(
        paths: &[PathBuf],
        args: JsonArgs,
        context: &'c Context,
        mut read: impl FnMut(&Path) -> Result<R>,
        mut show: impl FnMut(&Path, R, Option<&mut Self>) -> Result<()>,
    ) -> Result<Outcome> {
        let mut files = Files::new(args, context);
        for path in paths {
            match read(path) {
                Ok(found) => show(path, found, files.as_mut())?,
                Err(fault) => {
                    if let Some(files) = &mut files {
                        files.fault(&path.to_string_lossy(), &fault)?;
                    }
                    context.complain(fault.of(path), Outcome::Failed)?;
                }
            }
        }
        files.map_or(Ok(()), Files::finish)?;
        Ok(Outcome::Done)
    }

    /// A file that was read, at least in parts.
    pub fn file<H: Serialize, M: Serialize>(&mut self, path: &str, head: H, members: &[M]) -> Result<()> {
        if !self.lines {
            let document = FileDocument {
                path: path.to_owned(),
                error: None,
                head: Some(head),
                members: Some(members),
            };
            return self.document(&document);
        }
        members
            .iter()
            .try_for_each(|member| self.line(&MemberLine { path, member }))
    }

    /// A file that is told of as a whole.
    pub fn whole<H: Serialize>(&mut self, path: &str, head: H) -> Result<()> {
        let document = FileDocument::<H, ()> {
            path: path.to_owned(),
            error: None,
            head: Some(head),
            members: None,
        };
        if self.lines {
            self.line(&document)
        } else {
            self.document(&document)
        }
    }

    /// A file that could not be read.
    pub fn fault(&mut self, path: &str, fault: &Fault) -> Result<()> {
        if self.lines {
            return self.line(&FaultLine {
                path,
                error: fault.fact(),
            });
        }
        self.document(&FileDocument::<(), ()> {
            path: path.to_owned(),
            error: Some(fault.fact()),
            head: None,
            members: Some(&[]),
        })
    }

    /// The end of the document.
    pub fn finish(mut self) -> Result<()> {
        if !self.lines {
            self.begin()?;
            writeln!(self.context.out(), "]}}")?;
        }
        Ok(())
    }

    fn begin(&mut self) -> io::Result<()> {
        match std::mem::replace(&mut self.begun, true) {
            false => write!(self.context.out(), "{{\"files\": ["),
            true => Ok(()),
        }
    }

    fn document(&mut self, document: &impl Serialize) -> Result<()> {
        let between = self.begun;
        self.begin()?;
        let mut out = self.context.out();
        out.write_all(if between { b",\n" } else { b"\n" })?;
        Ok(to_writer(&mut *out, document)?)
    }

    fn line(&mut self, line: &impl Serialize) -> Result<()> {
        let mut out = self.context.out();
        to_writer(&mut *out, line)?;
        Ok(out.write_all(b"\n")?)
    }
}

/// As serde_json's, with the error of the writer itself: a closed pipe stays one.
pub fn to_writer(out: &mut dyn Write, value: &impl Serialize) -> io::Result<()> {
    serde_json::to_writer(out, value).map_err(io::Error::from)
}

/// `descr` as it stands in the header: a text, or nested lists for records.
pub fn descr(dtype: &Dtype) -> serde_json::Value {
    use serde_json::{Value, json};
    if let Some((item, shape)) = dtype.subarray() {
        return json!([descr(item), shape]);
    }
    if dtype.fields().is_empty() {
        return Value::String(dtype.to_string());
    }
    let mut list = Vec::new();
    let mut end = 0;
    let padding = |list: &mut Vec<Value>, from: u64, to: u64| {
        if to > from {
            list.push(json!(["", format!("|V{}", to - from)]));
        }
    };
    for field in dtype.fields() {
        padding(&mut list, end, field.offset());
        let name = match field.title() {
            Some(title) => json!([title, field.name()]),
            None => json!(field.name()),
        };
        list.push(match field.dtype().subarray() {
            Some((item, shape)) => json!([name, descr(item), shape]),
            None => json!([name, descr(field.dtype())]),
        });
        end = field.offset() + field.dtype().itemsize();
    }
    padding(&mut list, end, dtype.itemsize());
    Value::Array(list)
}
