//! What a value sees of the archive it is written to: a path, and one member at a time as a sink.
//!
//! ```text
//! enter("layers")   layers
//! enter("0")        layers/0
//! enter("w")        layers/0/w     sink().begin(header)   ─►   the member layers/0/w.npy
//! ```

use std::cell::{Cell, Ref, RefCell};

use super::container::Container;
use super::output::Output;
use crate::error::{Error, ErrorKind, Result};
use crate::format::header::Header;
use crate::npy::layout::measure::too_deep;
use crate::npy::sink::Sink;

/// An archive under way, whatever its output is: see [`Container`].
pub(crate) trait Members {
    fn begin(&mut self, member: &str, size: u64) -> Result<()>;
    fn write(&mut self, bytes: &[u8]) -> Result<()>;
    fn end(&mut self) -> Result<()>;
    fn can_take_back(&self) -> bool;
    fn take_back(&mut self) -> Result<()>;
    fn fail(&mut self, error: Error);
    fn has(&self, path: &str) -> bool;
    /// Whether an array or a text has exactly this name.
    fn has_key(&self, key: &str) -> bool;
    fn separator(&self) -> Option<char>;
    fn max_members(&self) -> u64;
    fn max_header_size(&self) -> usize;
}

impl<O: Output> Members for Container<O> {
    fn begin(&mut self, member: &str, size: u64) -> Result<()> {
        Container::begin(self, member, size)
    }

    fn write(&mut self, bytes: &[u8]) -> Result<()> {
        Container::write(self, bytes)
    }

    fn end(&mut self) -> Result<()> {
        Container::end(self)
    }

    fn can_take_back(&self) -> bool {
        Container::can_take_back(self)
    }

    fn take_back(&mut self) -> Result<()> {
        Container::take_back(self)
    }

    fn fail(&mut self, error: Error) {
        Container::fail(self, error);
    }

    fn has(&self, path: &str) -> bool {
        Container::has(self, path)
    }

    fn has_key(&self, key: &str) -> bool {
        Container::is_taken(self, key)
    }

    fn separator(&self) -> Option<char> {
        self.options().separator
    }

    fn max_members(&self) -> u64 {
        self.options().max_members
    }

    fn max_header_size(&self) -> usize {
        self.options().max_header_size
    }
}

/// A place in an archive under way: the path of what is written next.
///
/// It is shared by all parts of a value that are under way, each of which is written before the next one starts.
pub(crate) struct Place<'w> {
    members: RefCell<&'w mut dyn Members>,
    path: RefCell<String>,
    /// How many members this value has by now.
    written: Cell<u64>,
    /// The paths that fields with a separator in their names have taken for themselves.
    taken: RefCell<Vec<String>>,
}

impl<'w> Place<'w> {
    pub(crate) fn new(members: &'w mut dyn Members, path: &str) -> Self {
        Place {
            members: RefCell::new(members),
            path: RefCell::new(path.to_owned()),
            written: Cell::new(0),
            taken: RefCell::default(),
        }
    }

    pub(crate) fn path(&self) -> Ref<'_, String> {
        self.path.borrow()
    }

    pub(crate) fn written(&self) -> u64 {
        self.written.get()
    }

    pub(crate) fn separator(&self) -> Option<char> {
        self.members.borrow().separator()
    }

    /// Puts the path in front of an error.
    #[cold]
    pub(crate) fn name(&self, error: Error) -> Error {
        error.at_member(&self.path.borrow())
    }

    /// Puts `name` behind the path, until the guard is dropped. Within a group the name '' stands for the path of the group
    /// itself, which may be an array as well.
    pub(crate) fn enter(&self, name: &str) -> Entered<'_> {
        let mut path = self.path.borrow_mut();
        let outer = path.len();
        if outer > 0 && !name.is_empty() {
            path.extend(self.separator());
        }
        path.push_str(name);
        Entered {
            path: &self.path,
            outer,
        }
    }

    /// Whether `name`, in the group of the path, lies in a group whose name an array or a text has as well.
    pub(crate) fn is_beside(&self, name: &str) -> bool {
        let Some(separator) = self.separator().filter(|separator| name.contains(*separator)) else {
            return false;
        };
        let entered = self.enter(name);
        let path = self.path();
        let mut groups = path.match_indices(separator).map(|(at, _)| at);
        groups.any(|at| at > entered.outer && self.members.borrow().has_key(&path[..at]))
    }

    /// Takes the path for one field alone: an error where members or groups of others are.
    pub(crate) fn take(&self) -> Result<()> {
        let path = self.path.borrow();
        if self.members.borrow().has(&path) || self.is_taken(&path) {
            return Err(collision(&path));
        }
        Ok(())
    }

    /// To be called when all of that field has been written.
    pub(crate) fn taken(&self) {
        self.taken.borrow_mut().push(self.path.borrow().clone());
    }

    /// Whether a field has taken this path, or a group around it.
    fn is_taken(&self, path: &str) -> bool {
        let separator = self.separator();
        let within = |taken: &String| match path.strip_prefix(&taken[..]) {
            Some("") => true,
            Some(rest) => rest.chars().next() == separator,
            None => false,
        };
        self.taken.borrow().iter().any(within)
    }

    /// An error if a value of `count` members may not be written.
    pub(crate) fn check_count(&self, count: u64) -> Result<()> {
        let most = self.members.borrow().max_members();
        if count <= most {
            return Ok(());
        }
        Err(Error::new(
            ErrorKind::LimitExceeded,
            format_args!("found a value of {count} members or more, expected at most {most}"),
        )
        .with_hint(
            "use `with::nan` for optional floats, `with::ragged` for rows of unequal lengths, fixed-size fields for \
             structs, or raise `WriteOptions::max_members`",
        ))
    }

    /// The member at this path; it begins when something is written to it.
    pub(crate) fn sink(&self) -> MemberSink<'_, 'w> {
        MemberSink {
            place: self,
            begun: false,
        }
    }
}

#[cold]
fn collision(path: &str) -> Error {
    Error::new(
        ErrorKind::DuplicateName,
        format_args!("found two fields that are written to `{path}`, expected each name once"),
    )
}

/// A path that is longer by a name as long as this lives.
pub(crate) struct Entered<'p> {
    path: &'p RefCell<String>,
    outer: usize,
}

impl Drop for Entered<'_> {
    fn drop(&mut self) {
        self.path.borrow_mut().truncate(self.outer);
    }
}

/// One member of an archive as a sink.
pub(crate) struct MemberSink<'p, 'w> {
    place: &'p Place<'w>,
    begun: bool,
}

impl MemberSink<'_, '_> {
    /// Writes a text as the member `x.json`.
    pub(crate) fn json(&mut self, text: &[u8]) -> Result<()> {
        self.start(".json", text.len() as u64)?;
        self.write(text)
    }

    pub(crate) fn has_begun(&self) -> bool {
        self.begun
    }

    fn start(&mut self, suffix: &str, size: u64) -> Result<()> {
        self.place.check_count(self.place.written() + 1)?;
        let path = self.place.path();
        if self.place.is_taken(&path) {
            return Err(collision(&path));
        }
        let member = format!("{path}{suffix}");
        self.place.members.borrow_mut().begin(&member, size)?;
        self.begun = true;
        Ok(())
    }

    /// Ends the member, if it has begun and `result` is no error. An error in the middle of it ends the archive.
    pub(crate) fn end(self, result: Result<()>) -> Result<()> {
        let mut members = self.place.members.borrow_mut();
        let ended = match result {
            Ok(()) if self.begun => members.end().map(|()| {
                self.place.written.set(self.place.written() + 1);
            }),
            other => other,
        };
        ended.map_err(|error| {
            // The container names the member in the errors it returns again.
            let named = error.path() == *self.place.path();
            let error = if named { error } else { self.place.name(error) };
            if self.begun {
                members.fail(error.duplicate());
            }
            error
        })
    }
}

impl Sink for MemberSink<'_, '_> {
    fn begin(&mut self, header: &Header) -> Result<()> {
        let max = self.place.members.borrow().max_header_size();
        let text = header.to_bytes_within(max)?;
        let size = header.data_len().checked_add(text.len() as u64).ok_or_else(too_deep)?;
        self.start(".npy", size)?;
        self.write(&text)
    }

    fn write(&mut self, bytes: &[u8]) -> Result<()> {
        self.place.members.borrow_mut().write(bytes)
    }

    fn can_take_back(&self) -> bool {
        self.place.members.borrow().can_take_back()
    }

    fn take_back(&mut self) -> Result<()> {
        if self.begun {
            self.place.members.borrow_mut().take_back()?;
            self.begun = false;
        }
        Ok(())
    }
}
