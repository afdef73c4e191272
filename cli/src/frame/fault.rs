//! Errors as one line on stderr, and the exit code.
//!
//! ```text
//! npz: run.npz: layers/0/w: found checksum 0x1c291ca3, expected 0x00000000
//! hint: npz rescue saves the members that are whole
//! ```

use std::fmt;
use std::io;
use std::path::Path;
use std::process::ExitCode;

use serde_npz::{Error, ErrorKind};

use crate::frame::text::escape;

pub type Result<T, E = Fault> = std::result::Result<T, E>;

/// What the exit code says; of several files the worst counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Outcome {
    /// 0: done, equal, sound.
    Done,
    /// 1: differs, damaged, not all done.
    Differs,
    /// 2: could not run.
    Failed,
}

impl From<Outcome> for ExitCode {
    fn from(outcome: Outcome) -> Self {
        ExitCode::from(outcome as u8)
    }
}

/// Why something was not done: the file, the member, the fact, and what may help.
#[derive(Clone, Debug)]
pub struct Fault {
    /// Empty where no file is concerned; escaped already, as the member and the fact.
    file: String,
    /// Empty where no member is concerned.
    member: String,
    fact: String,
    hint: Option<String>,
    kind: Option<ErrorKind>,
    closed_pipe: bool,
}

impl Fault {
    /// A fact of the tool's own. Names from files in it have to be escaped.
    pub fn new(fact: impl fmt::Display) -> Self {
        Fault {
            file: String::new(),
            member: String::new(),
            fact: fact.to_string(),
            hint: None,
            kind: None,
            closed_pipe: false,
        }
    }

    /// Which file it is about.
    pub fn of(mut self, path: &Path) -> Self {
        if self.file.is_empty() && !self.closed_pipe {
            self.file = escape(&path.to_string_lossy()).into_owned();
        }
        self
    }

    /// Which member it is about, where that is not known yet.
    pub fn at(mut self, member: &str) -> Self {
        if self.member.is_empty() && !self.closed_pipe {
            self.member = escape(member).into_owned();
        }
        self
    }

    pub fn hint(mut self, hint: impl fmt::Display) -> Self {
        self.hint = Some(hint.to_string());
        self
    }

    /// What is wrong, without file and member: `error` of a JSON document.
    pub fn fact(&self) -> &str {
        &self.fact
    }

    /// The library's kind, where the library raised it.
    pub fn kind(&self) -> Option<ErrorKind> {
        self.kind
    }

    /// Whether nobody reads the output any more.
    pub fn is_closed_pipe(&self) -> bool {
        self.closed_pipe
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for place in [&self.file, &self.member] {
            if !place.is_empty() {
                write!(f, "{place}: ")?;
            }
        }
        f.write_str(&self.fact)
    }
}

impl From<Error> for Fault {
    fn from(err: Error) -> Self {
        Fault::from(&err)
    }
}

impl From<&Error> for Fault {
    fn from(err: &Error) -> Self {
        let hint = match err.kind() {
            ErrorKind::LimitExceeded => Some("--limits off lifts the limits, --header-limit N that of headers"),
            ErrorKind::Pickle => Some("reading objects may run any code: npz never does"),
            _ => None,
        };
        let path = err.path();
        let text = err.to_string();
        let fact = text
            .strip_prefix(&format!("{}: ", path.escape_debug()))
            .unwrap_or(&text);
        Fault {
            kind: Some(err.kind()),
            hint: hint.map(str::to_owned),
            member: escape(path).into_owned(),
            closed_pipe: is_closed_pipe(err),
            ..Fault::new(escape(fact))
        }
    }
}

fn is_closed_pipe(err: &Error) -> bool {
    let source = std::error::Error::source(err).and_then(|source| source.downcast_ref::<io::Error>());
    source.is_some_and(|source| source.kind() == io::ErrorKind::BrokenPipe)
}

impl From<io::Error> for Fault {
    fn from(err: io::Error) -> Self {
        // An error of the library that came through `Read`.
        if err.get_ref().is_some_and(|inner| inner.is::<Error>()) {
            return Error::from(err).into();
        }
        Fault {
            closed_pipe: err.kind() == io::ErrorKind::BrokenPipe,
            ..Fault::new(plain(&err))
        }
    }
}

/// The message of the system without `(os error 2)` behind it.
fn plain(err: &io::Error) -> String {
    let text = err.to_string();
    let end = text.find(" (os error").unwrap_or(text.len());
    escape(&text[..end]).into_owned()
}

/// The lines on stderr.
pub fn report(fault: &Fault) {
    eprintln!("npz: {fault}");
    if let Some(hint) = &fault.hint {
        eprintln!("hint: {hint}");
    }
}
