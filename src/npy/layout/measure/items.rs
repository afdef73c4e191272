//! The parts of a sequence or tuple, along the layout of the one seen before.

use std::borrow::Cow;

use serde::Serialize;

use super::{Found, Measure, Place, count};
use crate::error::{Error, ErrorKind, Result};
use crate::format::dtype::TimeUnit;
use crate::npy::layout::compound::compound;
use crate::npy::layout::scalar::ScalarLayout;
use crate::npy::layout::tally::{Tally, Thing};
use crate::npy::layout::tree::{Layout, item_name, unequal};
use crate::npy::marker::Marker;
use crate::npy::whole::{self, Element, Number};

/// A sequence or tuple.
pub(super) struct Items<'a> {
    tally: &'a mut Tally,
    /// What is around the elements; `None` too deep inside of others to look at any.
    at: Option<Place>,
    /// The elements are members of a list.
    counting: bool,
    /// A sequence, not a tuple.
    direct: bool,
    /// The type of the elements is `()`.
    units: bool,
    /// What the type of the elements tells, for a sequence without any.
    pub(super) element: Option<Element>,
    count: u64,
    parts: Parts<'a>,
}

enum Parts<'a> {
    /// The elements are as those of the sequence or tuple seen before.
    Alike { len: u64, item: &'a mut Layout },
    /// The items are as those of the tuple seen before, which are of several kinds.
    Record(&'a mut Vec<(Cow<'static, str>, Layout)>),
    /// The layouts of all items of a tuple.
    Each(Vec<Layout>),
    /// The layout that holds all elements of a sequence so far.
    Union(Option<Layout>),
}

impl<'a> Measure<'a> {
    /// The elements of a sequence.
    #[inline(always)]
    pub(super) fn sequence(self) -> Items<'a> {
        self.tally.add(Thing::Sequence);
        let parts = match self.seen {
            Some(Layout::Axis {
                len,
                item,
                tuple: false,
            }) => Parts::Alike { len: *len, item },
            _ => Parts::Union(None),
        };
        Items {
            tally: self.tally,
            at: self.at.parts(),
            counting: self.at.counts_parts(),
            direct: true,
            element: None,
            units: false,
            count: 0,
            parts,
        }
    }

    /// The items of a tuple.
    #[inline(always)]
    pub(super) fn tuple(self, counting: bool) -> Items<'a> {
        self.tally.add(Thing::Sequence);
        let parts = match self.seen {
            Some(Layout::Axis { len, item, tuple: true }) => Parts::Alike { len: *len, item },
            Some(Layout::Record { fields, tuple: true }) => Parts::Record(fields),
            _ => Parts::Each(Vec::new()),
        };
        Items {
            tally: self.tally,
            at: self.at.parts(),
            counting: counting || self.at.counting,
            direct: false,
            element: None,
            units: false,
            count: 0,
            parts,
        }
    }
}

impl Items<'_> {
    #[inline(always)]
    pub(super) fn push<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<()> {
        let index = self.count;
        self.count += 1;
        let Some(at) = self.at else {
            self.tally.skip();
            return Ok(());
        };
        if self.counting {
            count(value, at, self.tally);
            return Ok(());
        }
        let seen = match &mut self.parts {
            Parts::Alike { len, item } if index < *len => Some(&mut **item),
            Parts::Record(fields) => fields
                .get_mut(crate::io::source::in_memory(index))
                .map(|(_, layout)| layout),
            Parts::Union(Some(seen)) if !apart() => Some(seen),
            _ => None,
        };
        let measure = Measure {
            seen,
            tally: self.tally,
            at: Place {
                direct: self.direct,
                ..at
            },
        };
        match measure.value(value) {
            Ok(Found::Same) => {}
            // Nothing that follows can make it an array again.
            Ok(Found::Group) => self.counting = true,
            Ok(Found::New(found)) => {
                if let Layout::Unit = *found {
                    self.units = whole::is_unit::<T>();
                }
                self.differs(*found, index);
            }
            Err(error) => {
                // A value that swallows the error is not what it would have been with this element.
                self.tally.skip();
                self.part(index);
                return Err(error.at_index(index));
            }
        }
        Ok(())
    }

    /// Notes an element that is the first or differs from those before.
    #[cold]
    fn differs(&mut self, found: Layout, index: u64) {
        self.part(index);
        let marked = self.at.is_some_and(|at| at.marker.is_some());
        match &mut self.parts {
            Parts::Each(items) => items.push(found),
            Parts::Union(seen) => {
                *seen = Some(match seen.take() {
                    None => found,
                    Some(seen) => match seen.union(found, index) {
                        // Inside of a `with` module a number may have become another already.
                        both if marked && both.has_mixed() => {
                            Layout::Misfit(unequal("numbers of one kind", "others among them"))
                        }
                        both => both,
                    },
                });
            }
            Parts::Alike { .. } | Parts::Record(_) => {}
        }
    }

    /// Parts with the sequence or tuple seen before: the first `len` elements were the same, the next one is not.
    fn part(&mut self, len: u64) {
        let parts = match &self.parts {
            Parts::Alike { item, .. } if self.direct => Parts::Union((len > 0).then(|| item.without_texts())),
            Parts::Alike { item, .. } => Parts::Each((0..len).map(|_| item.without_texts()).collect()),
            Parts::Record(fields) => {
                let same = fields.iter().take(crate::io::source::in_memory(len));
                Parts::Each(same.map(|(_, layout)| layout.without_texts()).collect())
            }
            Parts::Each(_) | Parts::Union(_) => return,
        };
        self.parts = parts;
    }

    pub(super) fn finish(mut self) -> Result<Found> {
        let Some(at) = self.at.filter(|_| !self.counting) else {
            return Ok(Found::Group);
        };
        let same = match &self.parts {
            Parts::Alike { len: 0, item } if self.direct => {
                self.count == 0 && item.holds_empty(&empty(self.element, at.marker))
            }
            Parts::Alike { len, .. } => self.count == *len,
            Parts::Record(fields) => self.count == fields.len() as u64,
            _ => false,
        };
        if same {
            return Ok(Found::Same);
        }
        self.part(self.count);
        let seen = match self.parts {
            Parts::Each(items) => return Found::new(tuple(items)),
            Parts::Union(seen) => seen,
            Parts::Alike { .. } | Parts::Record(_) => None,
        };
        let item = match seen {
            None => empty(self.element, at.marker),
            Some(layout) => match layout.into_element() {
                Layout::Group | Layout::Ndarray { .. } => return Ok(Found::Group),
                Layout::Unit if self.units => return Err(units()),
                Layout::Unit => return Ok(Found::Group),
                misfit @ Layout::Misfit(_) => return Found::new(misfit),
                layout => layout,
            },
        };
        Found::new(Layout::Axis {
            len: self.count,
            item: Box::new(item),
            tuple: false,
        })
    }
}

#[cfg(test)]
thread_local! {
    /// Tests have every element measured on its own.
    pub(super) static APART: std::cell::Cell<bool> = const { std::cell::Cell::new(false) };
}

#[inline(always)]
fn apart() -> bool {
    #[cfg(test)]
    return APART.get();
    #[cfg(not(test))]
    false
}

#[cold]
fn units() -> Error {
    Error::new(
        ErrorKind::UnsupportedType,
        "found a sequence of `()`, expected elements that hold something: its length could not be read back safely",
    )
}

/// What an empty sequence holds: the type of its elements tells, or the `with` module around.
fn empty(element: Option<Element>, marker: Option<Marker>) -> Layout {
    Layout::Scalar(match marker {
        Some(Marker::Float16) => ScalarLayout::Number(Number::F16),
        Some(Marker::Float32) => ScalarLayout::Number(Number::F32),
        Some(Marker::Bytes) => ScalarLayout::Bytes(1),
        Some(Marker::Datetime(base)) => ScalarLayout::Datetime(TimeUnit { base, multiple: 1 }),
        Some(Marker::Timedelta(base)) => ScalarLayout::Timedelta(TimeUnit { base, multiple: 1 }),
        _ => return Layout::Empty(element),
    })
}

/// A tuple is one more axis where its items are of one fixed-size kind, a record where they differ.
fn tuple(items: Vec<Layout>) -> Layout {
    let is_misfit = |item: &Layout| matches!(item, Layout::Misfit(misfit) if !misfit.is_list());
    if let Some(at) = items.iter().position(is_misfit) {
        return items.into_iter().nth(at).unwrap_or(Layout::Group);
    }
    if !items.iter().all(Layout::is_fixed) {
        return Layout::Group;
    }
    let len = items.len() as u64;
    // Each Option has a mask of its own, so that they are fields.
    let one = if items.iter().any(Layout::is_masked) {
        Some(Layout::Group)
    } else {
        items.iter().cloned().reduce(|a, b| a.union(b, 0))
    };
    match one {
        None => Layout::Axis {
            len,
            item: Box::new(Layout::Empty(None)),
            tuple: true,
        },
        Some(one) if matches!(one, Layout::Misfit(_) | Layout::Group | Layout::Unit) || one.has_mixed() => {
            let fields = items
                .into_iter()
                .enumerate()
                .map(|(i, layout)| (Cow::Owned(item_name(i)), layout))
                .collect();
            Layout::Record { fields, tuple: true }
        }
        Some(layout) => Layout::Axis {
            len,
            item: Box::new(layout),
            tuple: true,
        },
    }
}

compound!(Items<'_> => Found, Error:
    SerializeSeq serialize_element,
    SerializeTuple serialize_element,
    SerializeTupleStruct serialize_field,
    SerializeTupleVariant serialize_field);
