//! What is measured before it is written: an array, a list, or neither; and that both walks met the same.

use serde::Serialize;

use super::{Archive, At, OnNone, array_root, tagged_ndarray};
use crate::error::{Error, Result};
use crate::npy::layout::measure::{measure_content, measure_counted};
use crate::npy::layout::scalar::changed;
use crate::npy::layout::tally::{Tally, Thing};
use crate::npy::layout::tree::Layout;
use crate::npy::ser::stream::Stream;
use crate::npy::ser::write::write_node;

impl Archive<'_> {
    /// Writes a value whose layout is known only when all of its `elements` have been seen, after `stream` refused it.
    pub(super) fn measured<T: Serialize + ?Sized>(
        &self,
        value: &T,
        at: At,
        elements: Option<u64>,
        refused: Option<Error>,
        stream: &Stream<'_>,
    ) -> Result<()> {
        let (layout, tally) = measure_counted(value, self.around()).map_err(|e| self.place.name(e))?;
        self.check_elements(&layout, elements)?;
        match layout {
            // A struct or a tuple of differing kinds is a record only inside a sequence.
            Layout::Group | Layout::Record { .. } => self.measured_list(value, at, elements, tally),
            Layout::Misfit(misfit) if misfit.is_list() => self.measured_list(value, at, elements, tally),
            Layout::Axis { len: 0, item, .. } if at.root && matches!(*item, Layout::Empty(None)) => Ok(()),
            _ if at.root => Err(array_root()),
            Layout::Misfit(misfit) => {
                let known = refused.filter(|_| stream.of_plain_numbers());
                Err(self.place.name(known.unwrap_or_else(|| misfit.into_error())))
            }
            Layout::Ndarray { .. } if self.tagged.get() => Err(self.place.name(tagged_ndarray())),
            Layout::Unit => self.unit(at.on_none),
            // One that is to be NaN is a scalar.
            Layout::None => self.none(at.on_none, false),
            layout => match refused.filter(|_| !stream.may_become(&layout)) {
                // The same value was no array a moment ago.
                Some(error) => Err(self.place.name(error)),
                None => {
                    self.count_all(tally);
                    self.member(|sink| write_node(value, &layout, self.marker(), sink))
                }
            },
        }
    }

    /// Writes a measured value as a list.
    fn measured_list<T>(&self, value: &T, at: At, elements: Option<u64>, measured: Tally) -> Result<()>
    where
        T: Serialize + ?Sized,
    {
        let before = self.tally.get();
        self.list(value, at, elements)?;
        self.check_tally(before, measured)
    }

    pub(super) fn count(&self, thing: Thing) {
        self.tally.set(self.tally.get().and(thing));
    }

    pub(super) fn count_all(&self, tally: Tally) {
        let mut all = self.tally.get();
        all.add_all(tally);
        self.tally.set(all);
    }

    /// An error if what was written since `before` is not what measuring it met.
    pub(super) fn check_tally(&self, before: Tally, measured: Tally) -> Result<()> {
        if self.tally.get().since(before).agrees(measured) {
            return Ok(());
        }
        Err(self.place.name(changed("other values", "those")))
    }

    /// An error if the measured value has not the `elements` that it had before.
    pub(super) fn check_elements(&self, layout: &Layout, elements: Option<u64>) -> Result<()> {
        match (layout, elements) {
            (&Layout::Axis { len, .. }, Some(expected)) if len != expected => {
                Err(self.place.name(changed(format_args!("{len} elements"), expected)))
            }
            _ => Ok(()),
        }
    }

    /// Writes what a tuple variant holds: a group of one.
    pub(super) fn content<T: Serialize + ?Sized>(&self, variant: &str, value: &T, elements: u64) -> Result<()> {
        let before = self.open_group()?;
        {
            let _entered = self.enter(variant)?;
            let (layout, tally) = measure_content(value, self.around()).map_err(|e| self.place.name(e))?;
            self.check_elements(&layout, Some(elements))?;
            match layout {
                Layout::Misfit(misfit) if !misfit.is_list() => return Err(self.place.name(misfit.into_error())),
                layout @ Layout::Axis { .. } => {
                    self.count_all(tally);
                    self.member(|sink| write_node(value, &layout, self.marker(), sink))?;
                }
                _ => {
                    self.measured_list(value, At::inside(OnNone::Marker), Some(elements), tally)?;
                }
            }
        }
        self.close_group(before)
    }
}
