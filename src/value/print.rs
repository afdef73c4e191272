//! Arrays as NumPy prints them, groups as a tree.
//!
//! ```text
//! [[0.   0.5  1.  ]            ├── dt    <f8 ()      0.5
//!  [1.5  2.   2.25]]           └── meta
//!                                  └── id    <i8 (2,)
//! ```
//!
//! NumPy's defaults: 8 digits, lines of 75 columns, from 1000 elements on only three at each end of an axis.

mod element;
mod float;

use std::fmt::{self, Write};

use self::element::Format;
use crate::format::dtype::Tuple;
use crate::options::MAX_GROUPS;
use crate::value::{AnyArray, Group, Value};

/// More elements than this are elided in the middle.
const THRESHOLD: u64 = 1000;

/// How many are shown at each end.
const EDGE: u64 = 3;

const LINE: usize = 75;

/// The most elements of no size that are shown: an array may claim any number of them.
const BYTELESS: u64 = 4096;

impl fmt::Display for AnyArray {
    /// As NumPy's `print`; `{:#}` puts dtype and shape in front.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if f.alternate() {
            writeln!(f, "{}", Summary(self))?;
        }
        f.write_str(&print(self))
    }
}

impl fmt::Display for Value {
    /// An array as NumPy's `print`, a text as it is, a group as a tree of names, dtypes and shapes; `{:#}` shows the
    /// arrays of a group as well.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Value::Array(array) => array.fmt(f),
            Value::Group(group) => group.fmt(f),
            Value::Json(text) => f.write_str(text),
        }
    }
}

impl fmt::Display for Group {
    /// A tree of names, dtypes and shapes; `{:#}` shows the arrays as well.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_empty() {
            return f.write_str("(no members)");
        }
        let mut lines = String::new();
        tree(self, "", f.alternate(), 0, &mut lines)?;
        f.write_str(lines.trim_end_matches('\n'))
    }
}

/// Dtype, shape and order in a few words.
struct Summary<'a>(&'a AnyArray);

impl fmt::Display for Summary<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let order = if self.0.fortran_order() { " Fortran order" } else { "" };
        write!(f, "{} {}{order}", self.0.dtype(), Tuple(self.0.shape()))
    }
}

fn tree(group: &Group, indent: &str, values: bool, depth: u64, lines: &mut String) -> fmt::Result {
    let names: Vec<String> = group.iter().map(|(name, _)| name.escape_debug().to_string()).collect();
    // Groups have their names alone on a line.
    let width = |(name, (_, value)): (&String, (&str, &Value))| match value {
        Value::Group(_) => 0,
        _ => name.chars().count(),
    };
    let width = names.iter().zip(group).map(width).max().unwrap_or(0).min(40);
    for (i, (name, (_, value))) in names.iter().zip(group).enumerate() {
        let last = i + 1 == names.len();
        let (branch, below) = if last {
            ("└── ", "    ")
        } else {
            ("├── ", "│   ")
        };
        let below = format!("{indent}{below}");
        write!(lines, "{indent}{branch}")?;
        match value {
            Value::Group(group) if depth >= MAX_GROUPS => writeln!(lines, "{name}  ({} members)", group.len())?,
            Value::Group(group) if group.is_empty() => writeln!(lines, "{name}  (no members)")?,
            Value::Group(group) => {
                writeln!(lines, "{name}")?;
                tree(group, &below, values, depth + 1, lines)?;
            }
            Value::Json(text) => writeln!(lines, "{name:width$}  json  {}", short(text))?,
            Value::Array(array) => {
                write!(lines, "{name:width$}  {}", Summary(array))?;
                if array.shape().is_empty() && array.dtype().itemsize() > 0 {
                    write!(lines, "  {}", short(&print(array)))?;
                }
                writeln!(lines)?;
                if values && !array.shape().is_empty() {
                    for line in print(array).lines() {
                        writeln!(lines, "{below}{line}")?;
                    }
                }
            }
        }
    }
    Ok(())
}

/// One line that is not too long.
fn short(text: &str) -> String {
    const SHOWN: usize = 60;
    let mut line: String = text
        .chars()
        .take(SHOWN)
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect();
    if text.chars().nth(SHOWN).is_some() {
        line.push_str("..");
    }
    line
}

/// The whole array; the middle of a large one is elided.
fn print(array: &AnyArray) -> String {
    if array.shape().is_empty() {
        let element = array.element(&[]).unwrap_or_default();
        return element::alone(array.dtype(), element);
    }
    if array.is_empty() {
        return "[]".into();
    }
    let shown = Shown {
        array,
        elided: array.len() > THRESHOLD,
    };
    if array.dtype().itemsize() == 0 && shown.count() > BYTELESS {
        return format!("[{} elements without a byte]", array.len());
    }
    let elements = shown.elements();
    let format = Format::new(array.dtype(), &elements, true);
    let mut words = elements.into_iter().map(|element| format.word(element));
    let mut text = String::new();
    shown.axis(0, LINE, &mut words, &mut text);
    text
}

/// The elements of an array that are shown.
struct Shown<'a> {
    array: &'a AnyArray,
    elided: bool,
}

impl<'a> Shown<'a> {
    fn is_cut(&self, axis: u64) -> bool {
        self.elided && axis > 2 * EDGE
    }

    fn count(&self) -> u64 {
        let seen = |&axis: &u64| if self.is_cut(axis) { 2 * EDGE } else { axis };
        self.array.shape().iter().map(seen).fold(1, u64::saturating_mul)
    }

    /// Every element shown, in C order.
    fn elements(&self) -> Vec<&'a [u8]> {
        let shape = self.array.shape();
        let mut elements = Vec::new();
        let mut index = vec![0; shape.len()];
        loop {
            elements.push(self.array.element(&index).unwrap_or_default());
            let mut axis = shape.len();
            loop {
                if axis == 0 {
                    return elements;
                }
                axis -= 1;
                index[axis] += 1;
                if self.is_cut(shape[axis]) && index[axis] == EDGE {
                    index[axis] = shape[axis] - EDGE;
                }
                if index[axis] < shape[axis] {
                    break;
                }
                index[axis] = 0;
            }
        }
    }

    /// Writes `[..]` of one axis; the line it starts on is indented by one column for each axis around it.
    fn axis(&self, axis: usize, width: usize, words: &mut impl Iterator<Item = String>, text: &mut String) {
        let shape = self.array.shape();
        let (len, left) = (shape[axis], shape.len() - axis);
        let cut = self.is_cut(len);
        let seen = if cut { 2 * EDGE } else { len };
        text.push('[');
        if left == 1 {
            let mut line = Line::new(axis + 1, width);
            for i in 0..seen {
                if cut && i == EDGE {
                    line.word("...", text);
                    line.space();
                }
                line.word(&words.next().unwrap_or_default(), text);
                if i + 1 < seen {
                    line.space();
                }
            }
            line.end(text);
        } else {
            let between = format!("{}{}", "\n".repeat(left - 1), " ".repeat(axis + 1));
            for i in 0..seen {
                if i > 0 {
                    text.push_str(&between);
                }
                if cut && i == EDGE {
                    text.push_str("...");
                    text.push_str(&between);
                }
                self.axis(axis + 1, width - 1, words, text);
            }
        }
        text.push(']');
    }
}

/// Builds a line, and breaks it where the next word would not fit.
struct Line {
    indent: usize,
    /// Where a word has to end.
    width: usize,
    column: usize,
    /// What has not been written yet: spaces at the end of a line are left out.
    text: String,
}

impl Line {
    fn new(indent: usize, width: usize) -> Self {
        Line {
            indent,
            // The bracket or separator behind the word.
            width: width - 1,
            column: indent,
            text: String::new(),
        }
    }

    fn word(&mut self, word: &str, text: &mut String) {
        let len = word.chars().count();
        // A break does not help the first word of a line.
        if self.column + len > self.width && self.column > self.indent {
            text.push_str(self.text.trim_end());
            text.push('\n');
            self.text = " ".repeat(self.indent);
            self.column = self.indent;
        }
        self.text.push_str(word);
        self.column += len;
    }

    fn space(&mut self) {
        self.text.push(' ');
        self.column += 1;
    }

    fn end(self, text: &mut String) {
        text.push_str(&self.text);
    }
}
