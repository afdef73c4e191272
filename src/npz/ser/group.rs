//! The fields of a struct or the entries of a map, each a member or group of its own.

use serde::Serialize;
use serde::ser;

use super::form::Form;
use super::ragged::no_row;
use super::{Archive, OnNone, Outcome};
use crate::error::{Error, ErrorKind, Result};
use crate::npy::layout::capture;
use crate::npy::layout::compound::named_fields;
use crate::npy::layout::known::is_time;
use crate::npy::layout::tally::{Tally, Thing};
use crate::npy::{raw, whole};
use crate::npz::writer::members::Entered;

/// A struct, a map, or a struct that may be something else.
pub(super) enum Group<'a, 'w> {
    Open(OpenGroup<'a, 'w>),
    /// Its name is that of a scalar or an array, which only measuring can tell.
    Unmeasured,
}

pub(super) struct OpenGroup<'a, 'w> {
    archive: &'a Archive<'w>,
    /// Fields of a struct, or what flatten makes of them: their None is left out.
    fields: bool,
    key: Option<Key>,
    /// The group of the variant around the fields, and how many members there were before it.
    variant: Option<(Entered<'a>, u64)>,
    before: u64,
    /// Whether there is an internally tagged enum around the struct, which may be one itself.
    tagged: bool,
    /// The form that was asked for around a struct, and is not asked of its fields.
    form: Option<Form>,
    /// What was met before a struct that has the name of a time, and counts as one.
    time: Option<Tally>,
}

/// The key of an entry whose value is still to come.
struct Key {
    name: String,
    /// It is the name of a field, as derive's flatten passes it.
    field: bool,
    /// It was found in an archive as the name of one array or text.
    whole: bool,
}

impl<'a, 'w> Group<'a, 'w> {
    pub(super) fn new(archive: &'a Archive<'w>, name: &str, variant: Option<&str>, fields: bool) -> Result<Self> {
        let time = is_time(name).then(|| archive.tally.get());
        archive.count(Thing::Struct);
        let form = match archive.form.get().filter(|_| fields) {
            Some(Form::Ragged { inside: false }) => return Err(archive.place.name(no_row("a struct"))),
            form => form,
        };
        if form.is_some() {
            archive.form.set(None);
        }
        let variant = match variant {
            Some(name) => {
                let before = archive.open_group()?;
                Some((archive.enter(name)?, before))
            }
            None => None,
        };
        Ok(Group::Open(OpenGroup {
            archive,
            fields,
            key: None,
            variant,
            before: archive.open_group()?,
            tagged: archive.tagged.get(),
            form,
            time,
        }))
    }

    fn field<T: Serialize + ?Sized>(&self, key: &str, value: &T) -> Result<()> {
        match self {
            Group::Open(group) => {
                // No field of a struct is a bare `str` but the tag that derive puts first.
                if whole::is_str::<T>() {
                    group.archive.tagged.set(true);
                }
                group.archive.field(key, value)
            }
            Group::Unmeasured => Ok(()),
        }
    }

    fn finish(self) -> Result<Outcome> {
        let Group::Open(group) = self else {
            return Ok(Outcome::UNMEASURED);
        };
        group.archive.close_group(group.before)?;
        group.archive.tagged.set(group.tagged);
        if group.form.is_some() {
            group.archive.form.set(group.form);
        }
        if let Some(before) = group.time {
            group.archive.tally.set(before.and(Thing::Integer));
        }
        if let Some((entered, before)) = group.variant {
            drop(entered);
            group.archive.close_group(before)?;
        }
        Ok(Outcome::Written)
    }
}

named_fields!([] Group<'_, '_> => Outcome);

impl ser::SerializeMap for Group<'_, '_> {
    type Ok = Outcome;
    type Error = Error;

    fn serialize_key<K: Serialize + ?Sized>(&mut self, key: &K) -> Result<()> {
        let Group::Open(group) = self else { return Ok(()) };
        group.key = Some(Key {
            name: capture::key(key).map_err(|e| group.archive.place.name(e))?,
            field: group.fields && whole::is_str::<K>(),
            whole: raw::is_key::<K>(),
        });
        Ok(())
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<()> {
        let Group::Open(group) = self else { return Ok(()) };
        let Some(key) = group.key.take() else {
            return Err(Error::new(
                ErrorKind::Message,
                "found a value without a key, expected `serialize_key` before it",
            ));
        };
        let on_none = if key.field {
            OnNone::of_field::<T>()
        } else {
            OnNone::Marker
        };
        group.archive.entry(group.fields, || {
            if key.whole {
                group.archive.whole(&key.name, value, on_none)
            } else {
                group.archive.child(&key.name, value, on_none)
            }
        })
    }

    fn end(self) -> Result<Outcome> {
        self.finish()
    }
}
