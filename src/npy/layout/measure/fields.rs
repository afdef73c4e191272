//! The fields of a struct, along those of the record seen before.

use std::borrow::Cow;

use serde::Serialize;
use serde::ser;

use super::{Found, Measure, Place, count};
use crate::error::{Error, Result};
use crate::npy::layout::capture;
use crate::npy::layout::known::{Finished, KnownStruct, is_time};
use crate::npy::layout::scalar::ScalarLayout;
use crate::npy::layout::tally::{Tally, Thing};
use crate::npy::layout::tree::Layout;
use crate::npy::whole;

/// A struct, or the map that flatten makes of one.
pub(super) struct Fields<'a> {
    tally: &'a mut Tally,
    /// What is around the fields; `None` too deep inside of others to look at any.
    at: Option<Place>,
    /// The fields are members of a group.
    counting: bool,
    in_option: bool,
    count: usize,
    parts: FieldParts<'a>,
    /// What was met before a struct that has the name of a time, and counts as one.
    time: Option<Tally>,
    /// Apart, as few structs are known by their names.
    known: Option<Box<Known>>,
}

enum FieldParts<'a> {
    /// The fields are those of the record seen before.
    Same(&'a mut Vec<(Cow<'static, str>, Layout)>),
    New(Vec<(Cow<'static, str>, Layout)>),
}

struct Known {
    known: KnownStruct,
    /// The time that the elements before were.
    seen: Option<ScalarLayout>,
}

impl<'a> Measure<'a> {
    /// The fields of a struct or the entries of a map.
    #[inline(always)]
    pub(super) fn fields(self, name: &'static str, counting: bool) -> Fields<'a> {
        let known = if self.at.counting { None } else { KnownStruct::of(name) };
        let known = known.map(|known| {
            Box::new(Known {
                known,
                seen: match self.seen {
                    Some(Layout::Scalar(leaf @ (ScalarLayout::Timedelta(_) | ScalarLayout::Datetime(_)))) => {
                        Some(*leaf)
                    }
                    _ => None,
                },
            })
        });
        let time = is_time(name).then_some(*self.tally);
        self.tally.add(Thing::Struct);
        Fields {
            time,
            tally: self.tally,
            at: self.at.parts(),
            counting: counting || self.at.counting,
            in_option: self.at.in_option,
            count: 0,
            parts: match self.seen {
                Some(Layout::Record { fields, tuple: false }) if known.is_none() => FieldParts::Same(fields),
                _ => FieldParts::New(Vec::new()),
            },
            known,
        }
    }
}

impl Fields<'_> {
    #[inline(always)]
    fn push<T: Serialize + ?Sized>(
        &mut self,
        is_key: impl FnOnce(&str) -> bool,
        key: impl FnOnce() -> Result<Cow<'static, str>>,
        value: &T,
    ) -> Result<()> {
        let Some(at) = self.at else {
            self.tally.skip();
            return Ok(());
        };
        if self.counting {
            count(value, at, self.tally);
            return Ok(());
        }
        let index = self.count;
        self.count += 1;
        if let FieldParts::Same(fields) = &mut self.parts
            && let Some((name, seen)) = fields.get_mut(index)
            && is_key(name)
        {
            let measure = Measure {
                seen: Some(seen),
                tally: self.tally,
                at,
            };
            return match measure.value(value) {
                Ok(Found::Same) => Ok(()),
                Ok(found) => {
                    let name = name.clone();
                    self.differs(name, found, index);
                    Ok(())
                }
                Err(error) => {
                    let error = error.at_field(name);
                    self.failed(index);
                    Err(error)
                }
            };
        }
        let field = key().and_then(|key| self.new_field(key, value, at, index));
        if field.is_err() {
            self.failed(index);
        }
        field
    }

    /// A value that swallows the error of a field is not what it would have been with it.
    #[cold]
    fn failed(&mut self, index: usize) {
        self.tally.skip();
        self.part(index);
        self.count = index;
    }

    /// A field that was not there before, or had another name.
    #[cold]
    fn new_field<T: Serialize + ?Sized>(
        &mut self,
        key: Cow<'static, str>,
        value: &T,
        at: Place,
        index: usize,
    ) -> Result<()> {
        let mut measured = None;
        let tally = &mut *self.tally;
        let mut measure = |value: &T| {
            let measure = Measure { seen: None, tally, at };
            measure.value(value)
        };
        if let Some(known) = &mut self.known {
            if known.seen.is_some() {
                // The numbers in a time are all there is to it.
                count(value, at, self.tally);
                return known.known.take(&key, value, |_| Ok(Layout::Group));
            }
            known.known.take(&key, value, |value| {
                let layout = measure(value)?.into_node();
                measured = Some(layout.clone());
                Ok(layout)
            })?;
        }
        let found = match measured {
            Some(layout) => Found::New(Box::new(layout)),
            None => measure(value).map_err(|e| e.at_field(&key))?,
        };
        self.differs(key, found, index);
        Ok(())
    }

    /// Notes a field that is new or differs from the one seen before.
    #[cold]
    fn differs(&mut self, key: Cow<'static, str>, found: Found, index: usize) {
        let array = self.known.as_ref().is_some_and(|known| known.known.is_array());
        match found {
            Found::New(layout) if array || layout.is_fixed() || is_misfit(&layout) => {
                self.part(index).push((key, *layout));
            }
            Found::Group if array => self.part(index).push((key, Layout::Group)),
            _ => self.counting = true,
        }
    }

    /// Parts with the record seen before: the first `len` fields were the same, the next one is not.
    fn part(&mut self, len: usize) -> &mut Vec<(Cow<'static, str>, Layout)> {
        if let FieldParts::Same(fields) = &self.parts {
            let same = fields[..len.min(fields.len())].iter();
            self.parts = FieldParts::New(
                same.map(|(name, layout)| (name.clone(), layout.without_texts()))
                    .collect(),
            );
        }
        match &mut self.parts {
            FieldParts::New(fields) => fields,
            FieldParts::Same(fields) => fields,
        }
    }

    #[inline(always)]
    fn finish(mut self) -> Result<Found> {
        if let Some(before) = self.time {
            *self.tally = before.and(Thing::Integer);
        }
        if self.counting || self.at.is_none() {
            return Ok(Found::Group);
        }
        if let Some(known) = self.known.take()
            && let Some(found) = known.finish(self.count, self.in_option)?
        {
            return Ok(found);
        }
        match &self.parts {
            FieldParts::Same(fields) if fields.len() == self.count => Ok(Found::Same),
            _ => self.finish_new(),
        }
    }

    #[cold]
    fn finish_new(mut self) -> Result<Found> {
        let count = self.count;
        let fields = std::mem::take(self.part(count));
        if fields.iter().all(|(_, layout)| layout.is_fixed()) {
            return Found::new(Layout::Record { fields, tuple: false });
        }
        let misfit = fields.into_iter().find_map(|(_, layout)| match layout {
            // What is in an ndarray is no list by itself.
            Layout::Misfit(misfit) => Some(Layout::Misfit(misfit.in_ndarray())),
            _ => None,
        });
        Found::new(misfit.unwrap_or(Layout::Group))
    }
}

/// Whether a field is neither part of a record nor a list.
fn is_misfit(layout: &Layout) -> bool {
    matches!(layout, Layout::Misfit(misfit) if !misfit.is_list())
}

impl Known {
    /// What the struct is, unless it only has the name of one that is known.
    #[cold]
    fn finish(self, fields: usize, in_option: bool) -> Result<Option<Found>> {
        Ok(match self.known.finish(fields)? {
            Some(Finished::Scalar(scalar)) => {
                let leaf = scalar.layout(None)?;
                Some(if self.seen == Some(leaf) {
                    Found::Same
                } else {
                    Found::New(Box::new(Layout::Scalar(leaf)))
                })
            }
            Some(Finished::Ndarray(_)) if in_option => Some(Found::Group),
            Some(Finished::Ndarray(layout)) => Some(Found::New(Box::new(layout))),
            None if self.seen.is_some() => Some(Found::Group),
            None => None,
        })
    }
}

impl ser::SerializeStruct for Fields<'_> {
    type Ok = Found;
    type Error = Error;

    #[inline(always)]
    fn serialize_field<T: Serialize + ?Sized>(&mut self, key: &'static str, value: &T) -> Result<()> {
        self.push(|name| capture::same_name(name, key), || Ok(key.into()), value)
    }

    #[inline(always)]
    fn end(self) -> Result<Found> {
        self.finish()
    }
}

impl ser::SerializeStructVariant for Fields<'_> {
    type Ok = Found;
    type Error = Error;

    fn serialize_field<T: Serialize + ?Sized>(&mut self, key: &'static str, value: &T) -> Result<()> {
        ser::SerializeStruct::serialize_field(self, key, value)
    }

    fn end(self) -> Result<Found> {
        self.finish()
    }
}

impl ser::SerializeMap for Fields<'_> {
    type Ok = Found;
    type Error = Error;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, _: &T) -> Result<()> {
        // Whoever gives key and value apart is a map.
        self.counting = true;
        Ok(())
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<()> {
        self.push(|_| false, || Ok("".into()), value)
    }

    fn serialize_entry<K: Serialize + ?Sized, V: Serialize + ?Sized>(&mut self, key: &K, value: &V) -> Result<()> {
        // What derive's flatten passes is a `str`: a field. Any other key is an entry of a real map.
        self.counting |= !whole::is_str::<K>();
        if let Some(at) = &mut self.at {
            at.flattened = true;
        }
        self.push(
            |name| capture::is_key(key, name),
            || Ok(Cow::Owned(capture::key(key)?)),
            value,
        )
    }

    fn end(self) -> Result<Found> {
        self.finish()
    }
}
