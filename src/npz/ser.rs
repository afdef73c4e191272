//! A value to an archive: a group pushes a name to the path, an array is `npy::ser` over a member.
//!
//! ```text
//! Run { dt: 0.1, x: vec![..], meta: Meta { id: 7 } }
//!       dt.npy    x.npy        meta/id.npy
//! ```

mod columns;
mod form;
mod group;
pub(crate) mod masked;
mod node;
mod place;
pub(crate) mod ragged;
mod rows;
mod sequence;
pub(crate) mod serializer;

use std::cell::Cell;
use std::io::{Seek, Write};

use serde::Serialize;

use self::form::Form;
use self::node::NodeOf;
use crate::error::{Error, ErrorKind, Result};
use crate::npy::layout::capture;
use crate::npy::layout::measure::{Around, nested_none, too_deep};
use crate::npy::layout::scalar::ScalarLayout;
use crate::npy::layout::tally::{Tally, Thing};
use crate::npy::marker::Marker;
use crate::npy::raw;
use crate::npy::ser::write::write_marker;
use crate::npy::whole;
use crate::npz::writer::NpzWriter;
use crate::npz::writer::members::{Entered, MemberSink, Members, Place};
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
    /// error. Where nothing of the member stays behind, the writer is usable after an error; any other error is returned
    /// from every later call, `finish` included.
    pub fn add<T: Serialize + ?Sized>(&mut self, name: &str, value: &T) -> Result<()> {
        self.container.usable()?;
        check_path(name, self.container.options().separator)?;
        Archive::new(&mut self.container, name).value(value, At::inside(OnNone::Marker))
    }
}

/// Writes a whole archive: the root of `to_npz_*` and `save_npz`.
pub(crate) fn write_root<T: Serialize + ?Sized>(writer: &mut dyn Members, value: &T) -> Result<()> {
    Archive::new(writer, "").value(value, At::root())
}

/// An archive while a value is written to it.
pub(crate) struct Archive<'w> {
    place: Place<'w>,
    /// What the `with` module around asks for.
    marker: Cell<Option<Marker>>,
    /// The value is inside of an internally tagged enum, which is read through serde's buffer.
    tagged: Cell<bool>,
    /// The value is beside a `flatten` or inside of one, and may be read through serde's buffer.
    flattened: Cell<bool>,
    /// What becomes of the next sequence.
    form: Cell<Option<Form>>,
    groups: Cell<u64>,
    /// Newtypes and Options around the value, which could be endless.
    wrappers: Cell<u64>,
    /// What has been written, to be compared with what measuring it met.
    tally: Cell<Tally>,
}

/// What is written for a None.
#[derive(Clone, Copy, PartialEq)]
enum OnNone {
    /// Nothing: the field of a struct is left out, as its `Deserialize` knows.
    Omit,
    /// A marker.
    Marker,
    /// An error: directly inside Some it could not be told from the outer None.
    Refuse,
}

/// What surrounds a value.
#[derive(Clone, Copy)]
struct At {
    on_none: OnNone,
    /// It is inside of a Some, with no `with` module between the two.
    in_option: bool,
    /// It is the whole archive.
    root: bool,
    /// Its elements are members of their own, whatever they are.
    list: Option<List>,
    /// The NaN that a None of it is, inside `with::nan`.
    nan: Option<ScalarLayout>,
    /// Its type tells that a None of it is that of a vector, a map or the like.
    no_scalar: bool,
}

/// How the members of a list are named, and how many there have to be, if they have been counted.
#[derive(Clone, Copy)]
struct List {
    names: Names,
    elements: Option<u64>,
}

impl OnNone {
    /// For the field of a struct, of the type `T`: a `Deserialize` does without the member where it reads an `Option`
    /// itself. Around one, serde asks for it.
    fn of_field<T: ?Sized>() -> OnNone {
        if whole::is_option::<T>() {
            OnNone::Omit
        } else {
            OnNone::Marker
        }
    }
}

impl At {
    /// Inside of a group.
    fn inside(on_none: OnNone) -> Self {
        At {
            on_none,
            in_option: false,
            root: false,
            list: None,
            nan: None,
            no_scalar: false,
        }
    }

    fn root() -> Self {
        At {
            root: true,
            ..At::inside(OnNone::Marker)
        }
    }

    fn as_list(self, names: Names, elements: Option<u64>) -> Self {
        At {
            list: Some(List { names, elements }),
            ..self
        }
    }
}

/// What became of a value.
enum Outcome {
    /// All of it is written.
    Written,
    /// It is one array, which is to be ended.
    Array,
    /// It has to be measured: how many elements it had, and what was wrong with the array it began as.
    Unmeasured {
        elements: Option<u64>,
        refused: Option<Error>,
    },
    /// It is a sequence of so many elements that takes the form which the `with` module around asks for.
    Formed { elements: u64 },
    /// It is a tuple variant whose content has to be measured.
    Content { variant: &'static str, elements: u64 },
}

impl Outcome {
    const UNMEASURED: Outcome = Outcome::Unmeasured {
        elements: None,
        refused: None,
    };
}

/// How the members of a list are named.
#[derive(Clone, Copy, PartialEq)]
enum Names {
    /// `0`, `1`, ..
    Index,
    /// `arr_0`, `arr_1`, .. as `np.savez(*args)`.
    Positional,
}

impl<'w> Archive<'w> {
    fn new(members: &'w mut dyn Members, path: &str) -> Self {
        Archive {
            place: Place::new(members, path),
            marker: Cell::new(None),
            tagged: Cell::new(false),
            flattened: Cell::new(false),
            form: Cell::new(None),
            groups: Cell::new(0),
            wrappers: Cell::new(0),
            tally: Cell::default(),
        }
    }

    /// Writes `value` at the current path.
    fn value<T: Serialize + ?Sized>(&self, value: &T, at: At) -> Result<()> {
        match self.unformed(value, at)? {
            Some(elements) => self.formed(value, at, elements),
            None => Ok(()),
        }
    }

    /// Writes `value`, unless it is a sequence that takes the form which the `with` module around asks for: then this returns
    /// how many elements there are. What makes a form of another value writes that one by this, so that types do not nest
    /// without end.
    fn unformed<T: Serialize + ?Sized>(&self, value: &T, at: At) -> Result<Option<u64>> {
        self.node(&NodeOf(value), at)
    }

    /// Writes `value` as a list of members.
    fn list<T: Serialize + ?Sized>(&self, value: &T, at: At, elements: Option<u64>) -> Result<()> {
        self.unformed(value, at.as_list(Names::Index, elements)).map(|_| ())
    }

    /// Writes `value` at a name within the group at the current path.
    fn child<T: Serialize + ?Sized>(&self, name: &str, value: &T, on_none: OnNone) -> Result<()> {
        let _entered = self.enter(name)?;
        self.value(value, At::inside(on_none))
    }

    /// Writes the field of a struct.
    fn field<T: Serialize + ?Sized>(&self, name: &str, value: &T) -> Result<()> {
        self.at_field(name, || self.value(value, At::inside(OnNone::of_field::<T>())))
    }

    /// Runs `write` where the field of a struct belongs. A name with separators is a path, which is the field's alone.
    fn at_field(&self, name: &str, write: impl FnOnce() -> Result<()>) -> Result<()> {
        let nested = self.place.separator().filter(|&separator| name.contains(separator));
        let Some(separator) = nested else {
            let _entered = self.enter(name)?;
            return write();
        };
        let checked = name.split(separator).try_for_each(|part| check_name(part, None));
        checked.map_err(|e| self.place.name(e))?;
        let _entered = self.place.enter(name);
        self.place.take().map_err(|e| self.place.name(e))?;
        write()?;
        self.place.taken();
        Ok(())
    }

    /// Writes an array or text by a name that a reader found: one with an empty segment was not split, and is not taken
    /// for a path again. In a group the name '' is that of the group itself, and `w/x` a member beside the array `w`.
    fn whole<T: Serialize + ?Sized>(&self, name: &str, value: &T, on_none: OnNone) -> Result<()> {
        let separator = self.place.separator();
        let unsplit = match self.place.path().is_empty() {
            true => separator.is_some_and(|c| name.split(c).any(str::is_empty)),
            false => separator.is_some() && name.is_empty(),
        };
        let is_whole =
            unsplit || !name.split(|c| Some(c) == separator).any(str::is_empty) && self.place.is_beside(name);
        if !is_whole || name.contains('\0') {
            return self.child(name, value, on_none);
        }
        let _entered = self.place.enter(name);
        self.value(value, At::inside(on_none))
    }

    /// Puts `name` behind the path, until the guard is dropped.
    fn enter(&self, name: &str) -> Result<Entered<'_>> {
        let separator = self.place.separator();
        check_name(name, separator).map_err(|e| self.place.name(e))?;
        if separator.is_none() && !self.place.path().is_empty() {
            return Err(self.place.name(
                Error::new(
                    ErrorKind::UnsupportedType,
                    format_args!("found a group with the member `{name}`, expected one array"),
                )
                .with_hint("`separator(None)` takes names as whole keys and nests nothing"),
            ));
        }
        Ok(self.place.enter(name))
    }

    /// What the `with` module around asks for.
    fn marker(&self) -> Option<Marker> {
        self.marker.get()
    }

    /// What a value is measured with.
    fn around(&self) -> Around {
        Around {
            marker: self.marker(),
            flattened: self.flattened.get(),
        }
    }

    /// Writes an entry of a map; one of unknown length is what flatten makes of a struct.
    fn entry(&self, flattened: bool, write: impl FnOnce() -> Result<()>) -> Result<()> {
        let outer = self.flattened.replace(self.flattened.get() || flattened);
        let result = write();
        self.flattened.set(outer);
        result
    }

    /// Opens a group at the current path; returns how many members there were before.
    fn open_group(&self) -> Result<u64> {
        if self.groups.get() >= MAX_GROUPS {
            return Err(self.place.name(too_deep()));
        }
        self.groups.set(self.groups.get() + 1);
        Ok(self.place.written())
    }

    /// Closes a group; an empty one leaves a marker, but for the root, which has no name to put it under.
    fn close_group(&self, written_before: u64) -> Result<()> {
        self.groups.set(self.groups.get() - 1);
        if self.place.written() == written_before && !self.place.path().is_empty() {
            self.write_marker(vec![0])
        } else {
            Ok(())
        }
    }

    /// Writes the second member of a ragged group: plain numbers, whichever `with` module is around.
    fn offsets(&self, name: &str, offsets: &[i64]) -> Result<()> {
        let outer = self.marker.take();
        let result = self.child(name, offsets, OnNone::Marker);
        self.marker.set(outer);
        result
    }

    /// Writes one member at the current path.
    fn member(&self, write: impl FnOnce(&mut MemberSink<'_, '_>) -> Result<()>) -> Result<()> {
        let mut sink = self.place.sink();
        let result = write(&mut sink);
        sink.end(result)
    }

    fn write_marker(&self, shape: Vec<u64>) -> Result<()> {
        self.member(|sink| write_marker(shape, sink))
    }

    /// Runs `body` inside of one more newtype or Option.
    fn wrapped(&self, body: impl FnOnce() -> Result<()>) -> Result<()> {
        if self.wrappers.get() >= 2 * MAX_GROUPS {
            return Err(self.place.name(too_deep()));
        }
        self.wrappers.set(self.wrappers.get() + 1);
        let result = body();
        self.wrappers.set(self.wrappers.get() - 1);
        result
    }

    /// Writes the content of a newtype that a `with` module made.
    fn marked<T: Serialize + ?Sized>(&self, marker: Marker, value: &T, at: At) -> Result<()> {
        let at = At { list: None, ..at };
        let before = self.tally.get();
        let result = self.marked_value(marker, value, at);
        if !marker.is_layout() {
            self.tally.set(before.and(Thing::Members));
        }
        result
    }

    fn marked_value<T: Serialize + ?Sized>(&self, marker: Marker, value: &T, at: At) -> Result<()> {
        match marker {
            Marker::List => self.with_form(Some(Form::List), || self.value(value, at)),
            Marker::Ragged => self.with_form(Some(Form::Ragged { inside: false }), || self.value(value, at)),
            Marker::Masked => self.with_form(Some(Form::Masked), || self.value(value, at)),
            Marker::Columns => self.with_form(Some(Form::Columns), || self.value(value, at)),
            Marker::Json if at.root => Err(array_root()),
            Marker::Json => self.json(value),
            // What is no whole array is a group of its own.
            Marker::Raw | Marker::Value => self.value(value, at),
            marker => {
                let outer = self.marker.replace(Some(marker));
                let result = self.value(value, At { in_option: false, ..at });
                self.marker.set(outer);
                result
            }
        }
    }

    fn json<T: Serialize + ?Sized>(&self, value: &T) -> Result<()> {
        let text = if raw::is_text::<T>() {
            capture::key(value)?.into_bytes()
        } else {
            serde_json::to_vec(value).map_err(|err| {
                let error = Error::new(
                    ErrorKind::InvalidValue,
                    format_args!("found a value that is no JSON: {err}"),
                );
                self.place.name(error.with_source(err))
            })?
        };
        self.member(|sink| sink.json(&text))
    }

    fn unit(&self, on_none: OnNone) -> Result<()> {
        self.count(Thing::Unit);
        match on_none {
            OnNone::Refuse => Err(self.place.name(nested_none("Some(())"))),
            _ => self.write_marker(Vec::new()),
        }
    }

    /// A None, which counts as the float it would be as a NaN.
    fn none(&self, on_none: OnNone, nan: bool) -> Result<()> {
        self.count(if nan { Thing::Float } else { Thing::None });
        match on_none {
            OnNone::Omit => Ok(()),
            OnNone::Marker => self.write_marker(Vec::new()),
            OnNone::Refuse => Err(self.place.name(nested_none("Some(None)"))),
        }
    }
}

/// An error for a name that cannot be one member in its group.
fn check_name(name: &str, separator: Option<char>) -> Result<()> {
    if name.is_empty() {
        return Err(Error::new(
            ErrorKind::InvalidName,
            "found an empty name, expected one of at least one character",
        ));
    }
    let (held, hint) = match separator {
        _ if name.contains('\0') => ("a NUL", "rename it: Python would cut it there"),
        Some(separator) if name.contains(separator) => (
            "the separator",
            "rename it, or choose another `WriteOptions::separator`",
        ),
        _ => return Ok(()),
    };
    Err(Error::new(
        ErrorKind::InvalidName,
        format_args!("found the name {name:?}, which holds {held}, expected a name without"),
    )
    .with_hint(hint))
}

#[cold]
fn tagged_ndarray() -> Error {
    Error::new(
        ErrorKind::UnsupportedType,
        "found an ndarray inside an internally tagged enum, expected a type that comes back from serde's buffer, through \
         which such an enum is read",
    )
    .with_hint("`with::ndarray_0_17` beside the field")
}

#[cold]
fn array_root() -> Error {
    Error::new(
        ErrorKind::UnsupportedType,
        "found one array at the root of an archive, expected a struct, a map or a tuple",
    )
    .with_hint("use `to_npy_vec`, `to_npy_writer` or `save_npy`, or `NpzWriter::add` with a name")
}

/// Checks a name given by the caller, which may lie in groups.
fn check_path(path: &str, separator: Option<char>) -> Result<()> {
    match separator {
        Some(separator) => path.split(separator).try_for_each(|name| check_name(name, None)),
        None => check_name(path, None),
    }
}
