//! What every verb is given: where output goes, how wide and how coloured it may be, how files are read.

use std::cell::{Cell, RefCell, RefMut};
use std::io::{self, BufWriter, IsTerminal, Stdout, Write};

use anstream::ColorChoice;
use anstyle::Style;
use serde_npz::{Limits, ReadOptions};

use crate::args::{Color, Common, Switch};
use crate::frame::fault::{self, Fault, Outcome, Result};
use crate::frame::text;

/// Room for output before it is handed to the system.
const BUFFER: usize = 64 << 10;

pub struct Context {
    out: RefCell<BufWriter<Stdout>>,
    colored: bool,
    width: Option<usize>,
    ascii: bool,
    exact: bool,
    separator: Option<char>,
    options: ReadOptions,
    worst: Cell<Outcome>,
}

impl Context {
    pub fn new(common: &Common) -> Self {
        let stdout = io::stdout();
        let colored = match common.color {
            Color::Auto => anstream::AutoStream::choice(&stdout) != ColorChoice::Never,
            Color::Always => true,
            Color::Never => false,
        };
        let width = match common.width {
            Some(0) => None,
            Some(width) => Some(width),
            None if stdout.is_terminal() => terminal_size::terminal_size().map(|(width, _)| width.0.into()),
            None => None,
        };
        let mut options = ReadOptions::new().separator(common.separator.0);
        if common.limits == Switch::Off {
            options = options.limits(Limits::unlimited()).max_header_size(1 << 30);
        }
        if let Some(limit) = common.header_limit {
            options = options.max_header_size(limit);
        }
        Context {
            out: RefCell::new(BufWriter::with_capacity(BUFFER, stdout)),
            colored,
            width,
            ascii: common.ascii,
            exact: common.bytes,
            separator: common.separator.0,
            options,
            worst: Cell::new(Outcome::Done),
        }
    }

    /// Standard output. Borrow it for one piece of output at a time: [`Context::complain`] flushes it.
    pub fn out(&self) -> RefMut<'_, BufWriter<Stdout>> {
        self.out.borrow_mut()
    }

    pub fn flush(&self) -> Result<()> {
        Ok(self.out.borrow_mut().flush()?)
    }

    /// Says what went wrong and goes on: the exit code is at least `outcome`. A closed pipe is handed back, as nobody reads
    /// the rest.
    pub fn complain(&self, fault: Fault, outcome: Outcome) -> Result<()> {
        if fault.is_closed_pipe() {
            return Err(fault);
        }
        self.flush()?;
        fault::report(&fault);
        self.note(outcome);
        Ok(())
    }

    /// The exit code is at least `outcome`.
    pub fn note(&self, outcome: Outcome) {
        self.worst.set(self.worst.get().max(outcome));
    }

    /// The worst that was noted.
    pub fn worst(&self) -> Outcome {
        self.worst.get()
    }

    /// The style where there is colour, and none elsewhere.
    pub fn style(&self, style: Style) -> Style {
        if self.colored { style } else { Style::new() }
    }

    /// Whether there is colour.
    pub fn colored(&self) -> bool {
        self.colored
    }

    /// Where lines are cut; `None` in a pipe.
    pub fn width(&self) -> Option<usize> {
        self.width
    }

    pub fn ascii(&self) -> bool {
        self.ascii
    }

    pub fn separator(&self) -> Option<char> {
        self.separator
    }

    /// The limits, the separator and the length of headers that were asked for.
    pub fn options(&self) -> &ReadOptions {
        &self.options
    }

    /// A number of bytes in SI units, or exact where that was asked for.
    pub fn bytes(&self, n: u64) -> String {
        text::bytes(n, self.exact)
    }
}
