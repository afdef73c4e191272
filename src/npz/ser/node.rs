//! A node of the archive: written on one walk, or measured before; and that both walks met the same.

use serde::Serialize;

use super::place::PlaceSerializer;
use super::{Archive, At, Names, OnNone, Outcome, array_root, tagged_ndarray};
use crate::error::{Error, Result};
use crate::npy::layout::measure::{Around, measure_content, measure_counted};
use crate::npy::layout::scalar::changed;
use crate::npy::layout::tally::{Tally, Thing};
use crate::npy::layout::tree::Layout;
use crate::npy::marker::Marker;
use crate::npy::ser::stream::Stream;
use crate::npy::ser::write::write_node;
use crate::npy::sink::{Out, Sink};

/// A value of any type, so that what does not depend on it is compiled once and not for each type.
pub(super) trait Node {
    /// Walks along the value; an array may have begun in `stream` then.
    fn walk(&self, archive: &Archive<'_>, stream: &mut Stream<'_>, at: At) -> Result<Outcome>;

    fn measure(&self, around: Around) -> Result<(Layout, Tally)>;

    /// As [`Node::measure`], where a tuple variant stands for what it holds.
    fn measure_content(&self, around: Around) -> Result<(Layout, Tally)>;

    fn write(&self, layout: &Layout, marker: Option<Marker>, sink: &mut dyn Sink) -> Result<()>;
}

/// A value as a node.
pub(super) struct NodeOf<'a, T: ?Sized>(pub(super) &'a T);

impl<T: Serialize + ?Sized> Node for NodeOf<'_, T> {
    fn walk(&self, archive: &Archive<'_>, stream: &mut Stream<'_>, at: At) -> Result<Outcome> {
        PlaceSerializer { archive, stream, at }.value(self.0)
    }

    fn measure(&self, around: Around) -> Result<(Layout, Tally)> {
        measure_counted(self.0, around)
    }

    fn measure_content(&self, around: Around) -> Result<(Layout, Tally)> {
        measure_content(self.0, around)
    }

    fn write(&self, layout: &Layout, marker: Option<Marker>, sink: &mut dyn Sink) -> Result<()> {
        write_node(self.0, layout, marker, sink)
    }
}

impl Archive<'_> {
    /// Writes a node; returns how many elements it has, if it is to take the form which the `with` module around asks for.
    pub(super) fn node(&self, value: &dyn Node, at: At) -> Result<Option<u64>> {
        let mut sink = self.place.sink();
        let mut stream = Stream::new(Out::new(&mut sink));
        let (elements, refused) = match value.walk(self, &mut stream, at) {
            Ok(Outcome::Written) => return Ok(None),
            Ok(Outcome::Array) => {
                self.count_all(stream.tally());
                let ended = stream.end();
                return sink.end(ended).map(|()| None);
            }
            Ok(Outcome::Unmeasured { elements, refused }) => (elements, refused),
            Ok(Outcome::Formed { elements }) => return Ok(Some(elements)),
            Ok(Outcome::Content { variant, elements }) => {
                return self.content(variant, value, elements).map(|()| None);
            }
            Err(error) => {
                drop(stream);
                let ended = if sink.has_begun() || error.path().is_empty() {
                    sink.end(Err(error))
                } else {
                    Err(error)
                };
                return ended.map(|()| None);
            }
        };
        if stream.begun() {
            stream.take_back().map_err(|e| self.place.name(e))?;
        }
        self.measured(value, at, elements, refused, &stream).map(|()| None)
    }

    /// Writes a value whose layout is known only when all of its `elements` have been seen, after `stream` refused it.
    fn measured(
        &self,
        value: &dyn Node,
        at: At,
        elements: Option<u64>,
        refused: Option<Error>,
        stream: &Stream<'_>,
    ) -> Result<()> {
        let (layout, tally) = value.measure(self.around()).map_err(|e| self.place.name(e))?;
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
                    self.member(|sink| value.write(&layout, self.marker(), sink))
                }
            },
        }
    }

    /// Writes a measured value as a list.
    fn measured_list(&self, value: &dyn Node, at: At, elements: Option<u64>, measured: Tally) -> Result<()> {
        let before = self.tally.get();
        self.node(value, at.as_list(Names::Index, elements))?;
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
    fn content(&self, variant: &str, value: &dyn Node, elements: u64) -> Result<()> {
        let before = self.open_group()?;
        {
            let _entered = self.enter(variant)?;
            let (layout, tally) = value.measure_content(self.around()).map_err(|e| self.place.name(e))?;
            self.check_elements(&layout, Some(elements))?;
            match layout {
                Layout::Misfit(misfit) if !misfit.is_list() => return Err(self.place.name(misfit.into_error())),
                layout @ Layout::Axis { .. } => {
                    self.count_all(tally);
                    self.member(|sink| value.write(&layout, self.marker(), sink))?;
                }
                _ => {
                    self.measured_list(value, At::inside(OnNone::Marker), Some(elements), tally)?;
                }
            }
        }
        self.close_group(before)
    }
}
