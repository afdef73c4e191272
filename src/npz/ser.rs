//! Group or array: a group pushes a key, an array is `npy::ser` over a member.
//!
//! ```text
//! Run { dt: 0.1, x: vec![..], meta: Meta { id: 7 } }
//!       dt.npy    x.npy        meta/id.npy
//! ```

mod growing;
pub(crate) mod ragged;

use std::io::{Seek, Write};

use serde::Serialize;
use serde::ser::{self, Impossible, Serializer};

use self::ragged::write_ragged;
use crate::bulk;
use crate::error::{Error, ErrorKind, Result};
use crate::header::Header;
use crate::marker::Marker;
use crate::npy::capture;
use crate::npy::measure::{half, measure_content, measure_marked, nested_none, too_deep};
use crate::npy::node::Node;
use crate::npy::scalar::{Scalar, scalars};
use crate::npy::ser::{write_marker, write_node};
use crate::npy::stream::{Stream, StreamItem};
use crate::npz::writer::NpzWriter;
use crate::npz::writer::container::Container;
use crate::npz::writer::output::Output;
use crate::options::MAX_GROUPS;
use crate::raw;
use crate::sink::{Out, Sink};

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
        match measure_content(value, marker).map_err(|e| e.at_member(&self.path))? {
            Node::Fault(fault) => Err(fault.into_error().at_member(&self.path)),
            node @ Node::Axis { .. } => self.member(|sink| write_node(value, &node, marker, sink)),
            _ => self.list(value, Names::Index, Absent::Marker),
        }
    }

    /// Writes the root: what is one array is refused.
    fn root<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<()> {
        if bulk::complex(value).is_some() {
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
    let held = match separator {
        _ if name.is_empty() => "no character at all",
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

/// What a value turned out to be that is written only after another look.
enum Found {
    /// Nothing more to do.
    Done,
    /// A value without parts, or a struct that may be one.
    Scalar,
    Sequence,
    Tuple,
    /// A tuple or struct variant of this name.
    Variant(&'static str),
}

/// Looks at the outermost level of a value: groups are written, all else is only told apart.
struct Probe<'a, 'w> {
    archive: &'a mut Archive<'w>,
    absent: Absent,
    root: bool,
    found: &'a mut Found,
}

impl<'a, 'w> Probe<'a, 'w> {
    fn scalar(self, _: Scalar<'_>) -> Result<()> {
        Err(self.stop(Found::Scalar))
    }

    /// The error only unwinds; nobody sees it.
    fn stop(self, found: Found) -> Error {
        *self.found = found;
        array_root()
    }
}

impl<'a, 'w> Serializer for Probe<'a, 'w> {
    type Ok = ();
    type Error = Error;
    type SerializeSeq = Impossible<(), Error>;
    type SerializeTuple = Impossible<(), Error>;
    type SerializeTupleStruct = Impossible<(), Error>;
    type SerializeTupleVariant = Impossible<(), Error>;
    type SerializeMap = Group<'a, 'w>;
    type SerializeStruct = Group<'a, 'w>;
    type SerializeStructVariant = Impossible<(), Error>;

    scalars!();

    fn serialize_bytes(self, _: &[u8]) -> Result<()> {
        Err(self.stop(Found::Scalar))
    }

    fn serialize_none(self) -> Result<()> {
        if self.root {
            return Err(Error::new(
                ErrorKind::UnsupportedType,
                "found None at the root of an archive, expected a struct, a map or a tuple",
            ));
        }
        match self.archive.marker {
            Some(Marker::Nan) => Err(self.stop(Found::Scalar)),
            _ => self.archive.none(self.absent),
        }
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<()> {
        if self.archive.marker == Some(Marker::Nan) {
            return Err(self.stop(Found::Scalar));
        }
        let root = self.root;
        self.archive.wrapped(|archive| {
            if root {
                archive.root(value)
            } else {
                archive.value(value, Absent::Refuse)
            }
        })
    }

    fn serialize_unit(self) -> Result<()> {
        if self.root {
            Ok(())
        } else {
            self.archive.unit(self.absent)
        }
    }

    fn serialize_unit_struct(self, _: &'static str) -> Result<()> {
        self.serialize_unit()
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(self, name: &'static str, value: &T) -> Result<()> {
        if half(name, value).is_some() {
            return Err(self.stop(Found::Scalar));
        }
        let (absent, root) = (self.absent, self.root);
        self.archive.wrapped(|archive| match Marker::of(name) {
            Some(marker) => archive.marked(marker, value, absent, root),
            None if root => archive.root(value),
            None => archive.value(value, absent),
        })
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        value: &T,
    ) -> Result<()> {
        self.archive.enter()?;
        let before = self.archive.written;
        self.archive.child(variant, value, Absent::Marker)?;
        self.archive.leave(before, self.root)
    }

    fn serialize_seq(self, _: Option<usize>) -> Result<Self::SerializeSeq> {
        Err(self.stop(Found::Sequence))
    }

    fn serialize_tuple(self, _: usize) -> Result<Self::SerializeTuple> {
        Err(self.stop(Found::Tuple))
    }

    fn serialize_tuple_struct(self, _: &'static str, _: usize) -> Result<Self::SerializeTupleStruct> {
        Err(self.stop(Found::Tuple))
    }

    fn serialize_tuple_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        _: usize,
    ) -> Result<Self::SerializeTupleVariant> {
        Err(self.stop(Found::Variant(variant)))
    }

    fn serialize_map(self, len: Option<usize>) -> Result<Self::SerializeMap> {
        Group::new(self.archive, self.root, len.is_none())
    }

    fn serialize_struct(self, name: &'static str, _: usize) -> Result<Self::SerializeStruct> {
        // These may be a scalar or an array.
        if matches!(name, "Duration" | "SystemTime" | "Array") {
            return Err(self.stop(Found::Scalar));
        }
        Group::new(self.archive, self.root, true)
    }

    fn serialize_struct_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        _: usize,
    ) -> Result<Self::SerializeStructVariant> {
        Err(self.stop(Found::Variant(variant)))
    }

    fn collect_seq<I>(self, _: I) -> Result<()>
    where
        I: IntoIterator,
        I::Item: Serialize,
    {
        Err(self.stop(Found::Sequence))
    }

    fn is_human_readable(&self) -> bool {
        true
    }
}

/// The fields of a struct or the entries of a map, each a member or group of its own.
pub(crate) struct Group<'a, 'w> {
    archive: &'a mut Archive<'w>,
    root: bool,
    /// A struct, or what flatten makes of one.
    fields: bool,
    key: Option<(String, Absent)>,
    /// The key is that of one array or text, taken from an archive.
    whole: bool,
    before: u64,
}

impl<'a, 'w> Group<'a, 'w> {
    fn new(archive: &'a mut Archive<'w>, root: bool, fields: bool) -> Result<Self> {
        archive.enter()?;
        let before = archive.written;
        Ok(Group {
            archive,
            root,
            fields,
            key: None,
            whole: false,
            before,
        })
    }
}

impl ser::SerializeStruct for Group<'_, '_> {
    type Ok = ();
    type Error = Error;

    fn serialize_field<T: Serialize + ?Sized>(&mut self, key: &'static str, value: &T) -> Result<()> {
        self.archive.child(key, value, Absent::Omit)
    }

    fn end(self) -> Result<()> {
        self.archive.leave(self.before, self.root)
    }
}

impl ser::SerializeStructVariant for Group<'_, '_> {
    type Ok = ();
    type Error = Error;

    fn serialize_field<T: Serialize + ?Sized>(&mut self, key: &'static str, value: &T) -> Result<()> {
        self.archive.child(key, value, Absent::Omit)
    }

    fn end(self) -> Result<()> {
        self.archive.leave(self.before, self.root)
    }
}

impl ser::SerializeMap for Group<'_, '_> {
    type Ok = ();
    type Error = Error;

    fn serialize_key<K: Serialize + ?Sized>(&mut self, key: &K) -> Result<()> {
        // What derive's flatten passes is a `str`: the field of a struct, whose None is left out.
        let absent = if self.fields && bulk::is_str::<K>() {
            Absent::Omit
        } else {
            Absent::Marker
        };
        let name = capture::key(key).map_err(|e| e.at_member(&self.archive.path))?;
        self.key = Some((name, absent));
        self.whole = raw::is_key::<K>();
        Ok(())
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<()> {
        match self.key.take() {
            Some((name, absent)) if self.whole => self.archive.whole(&name, value, absent),
            Some((name, absent)) => self.archive.child(&name, value, absent),
            None => Err(Error::new(
                ErrorKind::Message,
                "found a value without a key, expected `serialize_key` before it",
            )),
        }
    }

    fn end(self) -> Result<()> {
        self.archive.leave(self.before, self.root)
    }
}

/// How the members of a list are named.
#[derive(Clone, Copy, PartialEq)]
enum Names {
    /// `0`, `1`, ..
    Index,
    /// `arr_0`, `arr_1`, .. as `np.savez(*args)`.
    Positional,
}

/// A sequence or tuple whose elements are members of their own.
struct List<'a, 'w> {
    archive: &'a mut Archive<'w>,
    names: Names,
    absent: Absent,
}

impl<'a, 'w> List<'a, 'w> {
    fn items(self, len: Option<usize>) -> Result<ListItems<'a, 'w>> {
        let max = self.archive.members.max_members();
        if let Some(len) = len
            && len as u64 > max
        {
            return Err(self.archive.too_many(len as u64));
        }
        self.archive.enter()?;
        let before = self.archive.written;
        Ok(ListItems {
            archive: self.archive,
            names: self.names,
            before,
            count: 0,
        })
    }

    #[cold]
    fn unexpected(self, found: &str) -> Error {
        Error::new(
            ErrorKind::UnsupportedType,
            format_args!("found {found}, expected a sequence or tuple to be written as a list of members"),
        )
        .at_member(&self.archive.path)
    }

    fn scalar(self, scalar: Scalar<'_>) -> Result<()> {
        Err(self.unexpected(scalar.describe()))
    }
}

impl<'a, 'w> Serializer for List<'a, 'w> {
    type Ok = ();
    type Error = Error;
    type SerializeSeq = ListItems<'a, 'w>;
    type SerializeTuple = ListItems<'a, 'w>;
    type SerializeTupleStruct = ListItems<'a, 'w>;
    type SerializeTupleVariant = ListItems<'a, 'w>;
    type SerializeMap = Group<'a, 'w>;
    type SerializeStruct = Group<'a, 'w>;
    type SerializeStructVariant = Group<'a, 'w>;

    scalars!();

    fn serialize_bytes(self, _: &[u8]) -> Result<()> {
        Err(self.unexpected("bytes"))
    }

    fn serialize_none(self) -> Result<()> {
        self.archive.none(self.absent)
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<()> {
        let names = self.names;
        self.archive
            .wrapped(|archive| archive.list(value, names, Absent::Refuse))
    }

    fn serialize_unit(self) -> Result<()> {
        self.archive.unit(self.absent)
    }

    fn serialize_unit_struct(self, _: &'static str) -> Result<()> {
        self.archive.unit(self.absent)
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(self, name: &'static str, value: &T) -> Result<()> {
        let List { archive, names, absent } = self;
        archive.wrapped(|archive| match Marker::of(name) {
            Some(marker) => archive.marked(marker, value, absent, false),
            None => archive.list(value, names, absent),
        })
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        _: &T,
    ) -> Result<()> {
        Err(self.unexpected(variant))
    }

    fn serialize_seq(self, len: Option<usize>) -> Result<Self::SerializeSeq> {
        self.items(len)
    }

    fn serialize_tuple(self, len: usize) -> Result<Self::SerializeTuple> {
        self.items(Some(len))
    }

    fn serialize_tuple_struct(self, _: &'static str, len: usize) -> Result<Self::SerializeTupleStruct> {
        self.items(Some(len))
    }

    fn serialize_tuple_variant(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        len: usize,
    ) -> Result<Self::SerializeTupleVariant> {
        self.items(Some(len))
    }

    fn serialize_map(self, len: Option<usize>) -> Result<Self::SerializeMap> {
        Group::new(self.archive, false, len.is_none())
    }

    fn serialize_struct(self, _: &'static str, _: usize) -> Result<Self::SerializeStruct> {
        Group::new(self.archive, false, true)
    }

    fn serialize_struct_variant(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: usize,
    ) -> Result<Self::SerializeStructVariant> {
        Group::new(self.archive, false, true)
    }

    fn is_human_readable(&self) -> bool {
        true
    }
}

struct ListItems<'a, 'w> {
    archive: &'a mut Archive<'w>,
    names: Names,
    before: u64,
    count: u64,
}

impl ListItems<'_, '_> {
    fn push<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<()> {
        let index = self.count;
        self.count += 1;
        let name = match self.names {
            Names::Index => index.to_string(),
            Names::Positional => format!("arr_{index}"),
        };
        self.archive.child(&name, value, Absent::Marker)
    }

    fn finish(self) -> Result<()> {
        // Only the root of an archive has no name to put a marker under.
        let root = self.archive.path.is_empty();
        self.archive.leave(self.before, root)
    }
}

impl ser::SerializeSeq for ListItems<'_, '_> {
    type Ok = ();
    type Error = Error;

    fn serialize_element<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<()> {
        self.push(value)
    }

    fn end(self) -> Result<()> {
        self.finish()
    }
}

impl ser::SerializeTuple for ListItems<'_, '_> {
    type Ok = ();
    type Error = Error;

    fn serialize_element<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<()> {
        self.push(value)
    }

    fn end(self) -> Result<()> {
        self.finish()
    }
}

impl ser::SerializeTupleVariant for ListItems<'_, '_> {
    type Ok = ();
    type Error = Error;

    fn serialize_field<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<()> {
        self.push(value)
    }

    fn end(self) -> Result<()> {
        self.finish()
    }
}

impl ser::SerializeTupleStruct for ListItems<'_, '_> {
    type Ok = ();
    type Error = Error;

    fn serialize_field<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<()> {
        self.push(value)
    }

    fn end(self) -> Result<()> {
        self.finish()
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
