//! Group or array: a group pushes a key, an array is `npy::ser` over a member.
//!
//! ```text
//! Run { dt: 0.1, x: vec![..], meta: Meta { id: 7 } }
//!       dt.npy    x.npy        meta/id.npy
//! ```

mod list;
mod probe;
pub(crate) mod ragged;
mod rows;

use std::io::{Seek, Write};

use serde::Serialize;

use self::list::{List, Names};
use self::probe::{Found, Probe};
use self::ragged::write_ragged;
use crate::error::{Error, ErrorKind, Result};
use crate::format::header::Header;
use crate::npy::layout::capture;
use crate::npy::layout::measure::{measure_content, measure_marked, nested_none, too_deep};
use crate::npy::layout::node::Node;
use crate::npy::marker::Marker;
use crate::npy::ser::array::{write_marker, write_node};
use crate::npy::ser::stream::{Stream, StreamItem};
use crate::npy::sink::{Out, Sink};
use crate::npy::{raw, whole};
use crate::npz::writer::NpzWriter;
use crate::npz::writer::container::Container;
use crate::npz::writer::output::Output;
use crate::options::MAX_GROUPS;

impl<W: Write + Seek> NpzWriter<W> {
    /// Adds a value under a name: an array as one member, a struct or map as a group `name/field`.
    ///
    /// The name may itself lie in a group: `run/0/x`.
    ///
    /// ```
    /// use std::io::Cursor;
    /// use serde_npz::{NpzReader, NpzWriter};
    ///
    /// let mut writer = NpzWriter::new(Cursor::new(Vec::new()));
    /// writer.add("x", &vec![1.0, 2.0])?;
    /// writer.add("run/steps", &100_u32)?;
    /// let file = writer.finish()?;
    /// let reader = NpzReader::new(file)?;
    /// assert!(reader.names().eq(["x", "run/steps"]));
    /// # Ok::<(), serde_npz::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// A name that is empty, taken, or holds NUL; a value with no counterpart in NumPy; or the underlying writer's
    /// error. An error before the member has begun leaves the writer usable; later ones are returned from every
    /// later call, `finish` included.
    pub fn add<T: Serialize + ?Sized>(&mut self, name: &str, value: &T) -> Result<()> {
        self.container.usable()?;
        check_path(name, self.container.options().separator)?;
        let mut archive = Archive::new(&mut self.container, name.to_owned());
        archive.value(value, Absent::Marker)
    }
}

/// Writes a whole archive: the root of `to_npz_*` and `save_npz`.
pub(crate) fn write_root<T: Serialize + ?Sized>(writer: &mut dyn Members, value: &T) -> Result<()> {
    let mut archive = Archive::new(writer, String::new());
    archive.root(value)
}

/// What the value layer needs of an archive under way.
pub(crate) trait Members {
    fn begin(&mut self, member: &str, size: u64) -> Result<()>;
    fn write(&mut self, bytes: &[u8]) -> Result<()>;
    fn end(&mut self) -> Result<()>;
    fn fail(&mut self, error: &Error);
    fn separator(&self) -> Option<char>;
    fn max_members(&self) -> u64;
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

    fn fail(&mut self, error: &Error) {
        Container::fail(self, error.again());
    }

    fn separator(&self) -> Option<char> {
        self.options().separator
    }

    fn max_members(&self) -> u64 {
        self.options().max_members
    }
}

/// An archive and the place in it that is written next.
pub(crate) struct Archive<'w> {
    members: &'w mut dyn Members,
    path: String,
    /// What the `with` module around asks for.
    marker: Option<Marker>,
    groups: u64,
    wrappers: u64,
    written: u64,
}

/// One member of the archive as a sink.
pub(crate) struct MemberSink<'a> {
    members: &'a mut dyn Members,
    name: &'a str,
    begun: bool,
}

impl Sink for MemberSink<'_> {
    fn begin(&mut self, header: &Header) -> Result<()> {
        let text = header.to_bytes();
        let size = header.data_len().checked_add(text.len() as u64).ok_or_else(too_deep)?;
        self.members.begin(&format!("{}.npy", self.name), size)?;
        self.begun = true;
        self.members.write(&text)
    }

    fn write(&mut self, bytes: &[u8]) -> Result<()> {
        self.members.write(bytes)
    }
}

/// What becomes of None.
#[derive(Clone, Copy, PartialEq)]
enum Absent {
    /// The member of a struct's field is left out.
    Omit,
    /// Elsewhere a marker stands for it.
    Marker,
    /// Directly inside Some it cannot be told from the outer None.
    Refuse,
}

impl<'w> Archive<'w> {
    fn new(members: &'w mut dyn Members, path: String) -> Self {
        Archive {
            members,
            path,
            marker: None,
            groups: 0,
            wrappers: 0,
            written: 0,
        }
    }

    /// Writes `value` at the current path.
    fn value<T: Serialize + ?Sized>(&mut self, value: &T, absent: Absent) -> Result<()> {
        if self.marker.is_none() {
            // Nested sequences of plain numbers go out as they come; the first thing that is something else stops them
            // before the member begins.
            if let Some(streamed) = self.stream(value) {
                return streamed;
            }
        }
        let mut found = Found::Done;
        let result = value.serialize(Probe {
            archive: &mut *self,
            absent,
            root: false,
            found: &mut found,
        });
        match found {
            Found::Done => result,
            Found::Variant(name) => self.variant(name, value, false),
            Found::Sequence | Found::Tuple | Found::Scalar => self.measured(value, absent),
        }
    }

    /// Writes `value` at a name within the group at the current path.
    fn child<T: Serialize + ?Sized>(&mut self, name: &str, value: &T, absent: Absent) -> Result<()> {
        self.within(name, |archive| archive.value(value, absent))
    }

    /// Writes an array or text by a name that a reader found: one with an empty segment was not split, and is not taken
    /// for a path again.
    fn whole<T: Serialize + ?Sized>(&mut self, name: &str, value: &T, absent: Absent) -> Result<()> {
        let unsplit = self
            .members
            .separator()
            .is_some_and(|c| name.split(c).any(str::is_empty));
        if !(unsplit && self.path.is_empty()) || name.contains('\0') {
            return self.child(name, value, absent);
        }
        self.path.push_str(name);
        let result = self.value(value, absent);
        self.path.clear();
        result
    }

    /// Runs `body` with `name` pushed to the path.
    pub(crate) fn within<R>(&mut self, name: &str, body: impl FnOnce(&mut Self) -> Result<R>) -> Result<R> {
        let separator = self.members.separator();
        if let Err(error) = check_name(name, separator) {
            return Err(error.at_member(&self.path));
        }
        let outer = self.path.len();
        if outer > 0 {
            match separator {
                Some(separator) => self.path.push(separator),
                None => {
                    return Err(Error::new(
                        ErrorKind::UnsupportedType,
                        format_args!(
                            "found a group with the member `{name}`, expected one array: `separator(None)` takes names as \
                             whole keys and nests nothing"
                        ),
                    )
                    .at_member(&self.path));
                }
            }
        }
        self.path.push_str(name);
        let result = body(self);
        self.path.truncate(outer);
        result
    }

    /// What the `with` module around asks for.
    pub(crate) fn marker(&self) -> Option<Marker> {
        self.marker
    }

    /// Puts the current path in front of an error.
    #[cold]
    pub(crate) fn name(&self, error: Error) -> Error {
        error.at_member(&self.path)
    }

    /// Opens a group at the current path.
    pub(crate) fn enter(&mut self) -> Result<()> {
        if self.groups >= MAX_GROUPS {
            return Err(too_deep().at_member(&self.path));
        }
        self.groups += 1;
        Ok(())
    }

    /// Writes the second member of a ragged group, as plain numbers whatever `with` module is around, and closes it.
    pub(crate) fn offsets(&mut self, name: &str, offsets: &[i64]) -> Result<()> {
        let outer = self.marker.take();
        let result = self.child(name, offsets, Absent::Marker);
        self.marker = outer;
        self.groups -= 1;
        result
    }

    /// Closes it; one that nothing was written to leaves a marker.
    fn leave(&mut self, written_before: u64, root: bool) -> Result<()> {
        self.groups -= 1;
        if self.written == written_before && !root {
            self.write_marker(vec![0])
        } else {
            Ok(())
        }
    }

    /// Writes one array as the member at the current path.
    pub(crate) fn member(&mut self, body: impl FnOnce(&mut MemberSink<'_>) -> Result<()>) -> Result<()> {
        if self.written >= self.members.max_members() {
            return Err(self.too_many(self.written + 1));
        }
        let mut sink = MemberSink {
            members: &mut *self.members,
            name: &self.path,
            begun: false,
        };
        let result = body(&mut sink);
        let begun = sink.begun;
        self.close(result, begun)
    }

    fn close(&mut self, result: Result<()>, begun: bool) -> Result<()> {
        let result = match result {
            Ok(()) if begun => self.members.end(),
            other => other,
        };
        match result {
            Ok(()) => {
                self.written += 1;
                Ok(())
            }
            Err(error) => {
                // The writer names the member of what it finds itself.
                let named = error.path() == self.path;
                let error = if named { error } else { error.at_member(&self.path) };
                if begun {
                    self.members.fail(&error);
                }
                Err(error)
            }
        }
    }

    fn write_marker(&mut self, shape: Vec<u64>) -> Result<()> {
        self.member(|sink| write_marker(shape, sink))
    }

    /// Writes a value of nested plain numbers; `None` where it turns out to be none before the member has begun.
    fn stream<T: Serialize + ?Sized>(&mut self, value: &T) -> Option<Result<()>> {
        if self.written >= self.members.max_members() {
            return Some(Err(self.too_many(self.written + 1)));
        }
        let mut sink = MemberSink {
            members: &mut *self.members,
            name: &self.path,
            begun: false,
        };
        let mut stream = Stream::new(Out::new(&mut sink));
        let result = StreamItem {
            stream: &mut stream,
            depth: 0,
        }
        .value(value);
        if stream.measure {
            return None;
        }
        let result = result.and_then(|()| stream.out.end());
        let begun = sink.begun;
        Some(self.close(result, begun))
    }

    /// Writes a value that is no plain number or nested sequence of them.
    fn measured<T: Serialize + ?Sized>(&mut self, value: &T, absent: Absent) -> Result<()> {
        let marker = self.marker;
        match measure_marked(value, marker).map_err(|e| e.at_member(&self.path))? {
            Node::Fault(fault) => Err(fault.into_error().at_member(&self.path)),
            Node::Unit => self.unit(absent),
            Node::None { .. } => self.none(absent),
            // A struct or a tuple of differing kinds is a record only inside a sequence.
            Node::Group | Node::Record { .. } => self.list(value, Names::Index, absent),
            node => self.member(|sink| write_node(value, &node, marker, sink)),
        }
    }

    /// Writes a value whose elements or fields become members of their own.
    fn list<T: Serialize + ?Sized>(&mut self, value: &T, names: Names, absent: Absent) -> Result<()> {
        value.serialize(List {
            archive: self,
            names,
            absent,
        })
    }

    /// Writes a data-carrying variant: a group of one.
    fn variant<T: Serialize + ?Sized>(&mut self, name: &'static str, value: &T, root: bool) -> Result<()> {
        self.enter()?;
        let before = self.written;
        self.within(name, |archive| archive.content(value))?;
        self.leave(before, root)
    }

    /// Writes what a tuple or struct variant holds, at the path of its name.
    fn content<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<()> {
        let marker = self.marker;
        match measure_content(value, marker).map_err(|e| e.at_member(&self.path))?.0 {
            Node::Fault(fault) => Err(fault.into_error().at_member(&self.path)),
            node @ Node::Axis { .. } => self.member(|sink| write_node(value, &node, marker, sink)),
            _ => self.list(value, Names::Index, Absent::Marker),
        }
    }

    /// Writes the root: what is one array is refused.
    fn root<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<()> {
        if whole::complex(value).is_some() {
            return Err(array_root());
        }
        let mut found = Found::Done;
        let result = value.serialize(Probe {
            archive: &mut *self,
            absent: Absent::Marker,
            root: true,
            found: &mut found,
        });
        match found {
            Found::Done => result,
            Found::Variant(name) => self.variant(name, value, true),
            Found::Tuple => self.list(value, Names::Positional, Absent::Marker),
            Found::Sequence | Found::Scalar => match measure_marked(value, self.marker)? {
                Node::Group | Node::Record { .. } => self.list(value, Names::Index, Absent::Marker),
                Node::Axis { len: 0, item, .. } if matches!(*item, Node::Empty(None)) => Ok(()),
                _ => Err(array_root()),
            },
        }
    }

    /// Runs `body` one level deeper, of whatever sort.
    fn wrapped<R>(&mut self, body: impl FnOnce(&mut Self) -> Result<R>) -> Result<R> {
        if self.wrappers >= 2 * MAX_GROUPS {
            return Err(too_deep().at_member(&self.path));
        }
        self.wrappers += 1;
        let result = body(self);
        self.wrappers -= 1;
        result
    }

    /// Writes the content of a newtype that a `with` module made.
    fn marked<T: Serialize + ?Sized>(&mut self, marker: Marker, value: &T, absent: Absent, root: bool) -> Result<()> {
        match marker {
            Marker::List => self.list(value, Names::Index, absent),
            Marker::Ragged => write_ragged(self, value),
            Marker::Json if root => Err(array_root()),
            Marker::Json => self.json(value),
            // What is no whole array is a group of its own.
            Marker::Raw | Marker::Value if root => self.root(value),
            Marker::Raw | Marker::Value => self.value(value, absent),
            marker => {
                let outer = self.marker.replace(marker);
                let result = if root {
                    self.root(value)
                } else {
                    self.value(value, absent)
                };
                self.marker = outer;
                result
            }
        }
    }

    fn json<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<()> {
        let text = if raw::is_text::<T>() {
            capture::key(value)?.into_bytes()
        } else {
            serde_json::to_vec(value).map_err(|err| {
                Error::new(
                    ErrorKind::InvalidValue,
                    format_args!("found a value that is no JSON: {err}"),
                )
                .with_source(err)
                .at_member(&self.path)
            })?
        };
        let begun = self.members.begin(&format!("{}.json", self.path), text.len() as u64);
        let result = match begun {
            Ok(()) => self.members.write(&text).and_then(|()| self.members.end()),
            Err(error) => {
                return Err(if error.path().is_empty() {
                    error.at_member(&self.path)
                } else {
                    error
                });
            }
        };
        self.written += 1;
        result
    }

    fn unit(&mut self, absent: Absent) -> Result<()> {
        match absent {
            Absent::Refuse => Err(nested_none("Some(())").at_member(&self.path)),
            _ => self.write_marker(Vec::new()),
        }
    }

    fn none(&mut self, absent: Absent) -> Result<()> {
        match absent {
            Absent::Omit => Ok(()),
            Absent::Marker => self.write_marker(Vec::new()),
            Absent::Refuse => Err(nested_none("Some(None)").at_member(&self.path)),
        }
    }

    #[cold]
    fn too_many(&self, found: u64) -> Error {
        Error::new(
            ErrorKind::LimitExceeded,
            format_args!(
                "found a value of {found} members or more, expected at most {}: use `with::nan` for optional floats, \
                 `with::ragged` for rows of unequal lengths, fixed-size fields for structs, or raise \
                 `WriteOptions::max_members`",
                self.members.max_members()
            ),
        )
        .at_member(&self.path)
    }
}

/// The name of one member in its group.
fn check_name(name: &str, separator: Option<char>) -> Result<()> {
    if name.is_empty() {
        return Err(Error::new(
            ErrorKind::InvalidName,
            "found an empty name, expected one of at least one character",
        ));
    }
    let held = match separator {
        _ if name.contains('\0') => "a NUL",
        Some(separator) if name.contains(separator) => "the separator",
        _ => return Ok(()),
    };
    Err(Error::new(
        ErrorKind::InvalidName,
        format_args!(
            "found the name {name:?}, which holds {held}, expected a name without: rename it, or choose another \
             `WriteOptions::separator`"
        ),
    ))
}

/// A name given by the caller, which may lie in groups.
fn check_path(path: &str, separator: Option<char>) -> Result<()> {
    match separator {
        Some(separator) => path.split(separator).try_for_each(|name| check_name(name, None)),
        None => check_name(path, None),
    }
}

#[cold]
fn array_root() -> Error {
    Error::new(
        ErrorKind::UnsupportedType,
        "found one array at the root of an archive, expected a struct, a map or a tuple: use `to_npy_vec`, \
         `to_npy_writer` or `save_npy`, or `NpzWriter::add` with a name",
    )
}
