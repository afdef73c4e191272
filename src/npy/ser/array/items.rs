//! The elements along an axis, and the items of a tuple that is a record.

use std::slice;

use serde::Serialize;

use super::{ArraySerializer, Walk, broken};
use crate::error::{Error, Result};
use crate::npy::layout::compound::compound;
use crate::npy::layout::scalar::{ScalarLayout, changed};
use crate::npy::layout::texts::put_texts;
use crate::npy::ser::slots::{Slot, What};
use crate::npy::sink::Put;
use crate::npy::whole;

impl<'a, 'w, 's, P: Put> ArraySerializer<'a, 'w, 's, P> {
    /// The parts of a sequence or tuple; of several tuples and sequences that are as long, all are sequences.
    #[inline(always)]
    pub(super) fn items(mut self, is_tuple: bool) -> Result<Items<'a, 'w, 's, P>> {
        let (rest, left) = match &self.slot.what {
            What::Tuple(items) if is_tuple => (items.iter(), items.len() as u64),
            What::Axis { len, .. } if !P::IS_ROOM && (is_tuple || !self.walk.in_option) => ([].iter(), *len),
            _ => return Err(self.refuse(if is_tuple { "a tuple" } else { "a sequence" })),
        };
        self.enter()?;
        self.walk.in_option = false;
        self.walk.direct = !is_tuple;
        Ok(Items {
            walk: self.walk,
            slot: self.slot,
            rest,
            left,
        })
    }

    /// Puts all elements of a slice at once, if they are laid out as those along the axis.
    pub(super) fn put_slice<I>(&mut self, iter: &I) -> Option<Result<()>> {
        let What::Axis { len, item, .. } = &self.slot.what else {
            return None;
        };
        if self.walk.in_option || self.walk.marker.is_some() {
            return None;
        }
        if let Some(whole) = whole::whole(iter) {
            let fits = whole.len as u64 == *len && (*len == 0 || item.are_of(&whole));
            return fits.then(|| self.walk.out.put(whole.bytes));
        }
        let texts = whole::texts(iter).filter(|texts| texts.len() as u64 == *len)?;
        match item.slot.what {
            What::Scalar(ScalarLayout::Str { width, .. }) => Some(put_texts(texts, width, self.walk.out)),
            _ => None,
        }
    }
}

/// The elements along an axis, or the items of a tuple that is a record.
pub(crate) struct Items<'a, 'w, 's, P> {
    walk: &'a mut Walk<'w, P>,
    /// That of the sequence or tuple.
    slot: &'s Slot,
    /// Those of the items of a tuple.
    rest: slice::Iter<'s, Slot>,
    left: u64,
}

impl<P: Put> Items<'_, '_, '_, P> {
    #[inline(always)]
    fn push<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<()> {
        if self.left == 0 {
            self.walk.broken = true;
            return Err(wrong_length(self.slot, self.slot.len() + 1));
        }
        self.left -= 1;
        let put = match &self.slot.what {
            What::Axis { item, .. } if !P::IS_ROOM && item.in_room => {
                item.put_in_room(value, self.walk.marker, self.walk.out)
            }
            What::Axis { item, .. } if !P::IS_ROOM => {
                self.walk.direct = true;
                self.walk.value(&item.slot, value)
            }
            _ => match self.rest.next() {
                Some(slot) => self.walk.value(slot, value),
                None => Err(broken()),
            },
        };
        match put {
            Ok(()) => Ok(()),
            Err(error) => {
                self.walk.broken = true;
                Err(at_index(error, self.slot, self.left))
            }
        }
    }

    #[inline(always)]
    fn finish(self) -> Result<()> {
        if self.left == 0 {
            self.walk.level -= 1;
            return Ok(());
        }
        self.walk.broken = true;
        Err(wrong_length(self.slot, self.slot.len() - self.left))
    }
}

// The parts go one by one, in registers: a reference to all of them would keep them in memory.
#[cold]
fn at_index(error: Error, slot: &Slot, left: u64) -> Error {
    error.at_index(slot.len() - left - 1)
}

#[cold]
fn wrong_length(slot: &Slot, found: u64) -> Error {
    changed(format_args!("{found} elements"), slot.len())
}

compound!([P: Put] Items<'_, '_, '_, P> => (), Error:
    SerializeSeq serialize_element,
    SerializeTuple serialize_element,
    SerializeTupleVariant serialize_field,
    SerializeTupleStruct serialize_field);
