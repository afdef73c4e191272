//! The elements of a sequence or tuple: one array where the first of them is the first of an array, members of their
//! own where it takes several.
//!
//! ```text
//! [1.0, 2.0]                     numbers: an array from the first one on
//! [Step { t: 0.5 }, ..]          records: likewise, if the member can be taken back when a later one differs
//! [Layer { w: vec![..] }, ..]    a list from the first one on: layers/0/w, layers/1/w
//! ["ab", "c"], (1, "ab")         only counted here, and measured afterwards: what follows may be wider or of another kind
//! ```

use std::mem;

use serde::Serialize;
use serde::ser::SerializeSeq as _;

use super::form::Form;
use super::{Archive, At, List, Names, OnNone, Outcome};
use crate::error::{Error, Result};
use crate::npy::layout::compound::compound;
use crate::npy::layout::measure::measure_counted;
use crate::npy::layout::scalar::{changed, miscounted};
use crate::npy::layout::tally::{Tally, Thing};
use crate::npy::layout::tree::Layout;
use crate::npy::ser::stream::{Stream, StreamSeq};
use crate::npz::writer::members::Entered;

pub(super) struct Elements<'a, 'w, 's> {
    archive: &'a Archive<'w>,
    stream: &'a mut Stream<'s>,
    at: At,
    /// As announced.
    len: Option<u64>,
    tuple: bool,
    /// The elements are the content of this variant.
    variant: Option<&'static str>,
    count: u64,
    /// What was met in the first element when it was measured.
    first: Option<Tally>,
    state: State<'a>,
    /// What was asked for in this place, and is not asked of the elements.
    form: Option<Form>,
}

/// What the elements are written to.
enum State<'a> {
    /// None has come yet.
    Unknown,
    Array,
    List {
        list: List,
        before: u64,
        variant: Option<(Entered<'a>, u64)>,
    },
    /// Nothing: they are counted, and written in their form afterwards.
    Formed,
    /// Nothing: they are counted, and measured afterwards. This one was not like those before it in an array.
    Unmeasured(Option<Error>),
}

impl<'a, 'w, 's> Elements<'a, 'w, 's> {
    pub(super) fn new(
        archive: &'a Archive<'w>,
        stream: &'a mut Stream<'s>,
        at: At,
        len: Option<usize>,
        tuple: bool,
        list: Option<List>,
    ) -> Result<Self> {
        let mut elements = Elements {
            archive,
            stream,
            at,
            len: len.map(|len| len as u64),
            tuple,
            variant: None,
            count: 0,
            first: None,
            state: State::Unknown,
            form: None,
        };
        if let Some(list) = list {
            elements.begin_list(list)?;
        }
        Ok(elements)
    }

    /// Elements that take the form which a `with` module asks for.
    pub(super) fn formed(
        archive: &'a Archive<'w>,
        stream: &'a mut Stream<'s>,
        at: At,
        len: Option<usize>,
        form: Form,
    ) -> Result<Self> {
        if form == Form::List {
            let list = List {
                names: Names::Index,
                elements: None,
            };
            let elements = Elements::new(archive, stream, at, len, false, Some(list))?;
            return Ok(Elements {
                form: archive.form.take(),
                ..elements
            });
        }
        let elements = Elements::new(archive, stream, at, len, false, None)?;
        Ok(Elements {
            state: State::Formed,
            ..elements
        })
    }

    /// The same elements as the content of a variant, unless its name has been written already.
    pub(super) fn of_variant(self, variant: Option<&'static str>) -> Result<Self> {
        if let Some(name) = variant {
            // A name that is refused is told before anything that is wrong with the elements.
            self.archive.enter(name)?;
        }
        Ok(Elements { variant, ..self })
    }

    fn begin_list(&mut self, list: List) -> Result<()> {
        let archive = self.archive;
        archive.count(Thing::Sequence);
        let count = archive.place.check_count(self.len.unwrap_or_default());
        count.map_err(|e| archive.place.name(e))?;
        let variant = match self.variant {
            Some(name) => {
                let before = archive.open_group()?;
                Some((archive.enter(name)?, before))
            }
            None => None,
        };
        let before = archive.open_group()?;
        self.state = State::List { list, before, variant };
        Ok(())
    }

    /// Writes all elements of an iterator.
    pub(super) fn collect<I>(mut self, mut iter: I) -> Result<Outcome>
    where
        I: Iterator,
        I::Item: Serialize,
    {
        while let Some(element) = iter.next() {
            self.push(&element)?;
            match self.state {
                State::Array => self.collect_array(&mut iter)?,
                State::Unmeasured(_) => {
                    let rest = self
                        .len
                        .map_or_else(|| iter.by_ref().count() as u64, |len| len.saturating_sub(self.count));
                    self.count += rest;
                    break;
                }
                _ => {}
            }
        }
        self.finish()
    }

    /// The elements of an array one after the other, as long as they fit.
    fn collect_array<I>(&mut self, iter: &mut I) -> Result<()>
    where
        I: Iterator,
        I::Item: Serialize,
    {
        let mut seq = StreamSeq::at(self.stream, self.len, self.count);
        for element in iter {
            if let Err(error) = seq.serialize_element(&element) {
                self.count = seq.count();
                return self.refuse(error);
            }
        }
        self.count = seq.count();
        Ok(())
    }

    fn push<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<()> {
        if let State::Unknown = self.state
            && self.begin(value)?
        {
            self.count = 1;
            return Ok(());
        }
        let index = self.count;
        self.count += 1;
        match &self.state {
            State::Array => match StreamSeq::at(self.stream, self.len, index).serialize_element(value) {
                Ok(()) => Ok(()),
                Err(error) => self.refuse(error),
            },
            State::List { list, .. } => {
                let name = match list.names {
                    Names::Index => index.to_string(),
                    Names::Positional => format!("arr_{index}"),
                };
                let before = self.archive.tally.get();
                self.archive.child(&name, value, OnNone::Marker)?;
                match self.first.take() {
                    Some(first) => self.archive.check_tally(before, first),
                    None => Ok(()),
                }
            }
            State::Unknown | State::Formed | State::Unmeasured(_) => Ok(()),
        }
    }

    /// Decides by the first element; returns whether it has been written.
    fn begin<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<bool> {
        self.state = State::Unmeasured(None);
        if self.archive.marker().is_some() {
            return Ok(false);
        }
        let measured = measure_counted(value, self.archive.around());
        // Texts, records and numbers alone are what they are. Elsewhere a number may come first, and goes out at once.
        let clear = measured
            .as_ref()
            .is_ok_and(|(first, _)| first.is_uniform() || matches!(first, Layout::Misfit(misfit) if misfit.is_list()));
        // Of another kind may be what comes next, and then the array is another one.
        let closed = measured.as_ref().map_or(true, |(_, tally)| tally.is_closed()) || self.stream.can_take_back();
        if let Some(len) = self.len.filter(|_| closed && !clear && !self.tuple && !self.at.root) {
            match self.stream.begin_numbers(len, value) {
                Ok(false) => {}
                begun => {
                    self.state = State::Array;
                    return begun.or_else(|error| self.refuse(error).map(|()| true));
                }
            }
        }
        let (first, tally) = measured.map_err(|e| self.name(e.at_index(0)))?;
        let is_list = match &first {
            Layout::Group | Layout::Ndarray { .. } => true,
            // A sequence or an Option in a tuple.
            layout => self.tuple && !layout.is_fixed() && !matches!(layout, Layout::Misfit(_)),
        };
        if is_list {
            let list = List {
                names: Names::Index,
                elements: None,
            };
            self.begin_list(list)?;
            self.first = Some(tally);
            return Ok(false);
        }
        let Some(len) = self.len.filter(|_| closed && !self.tuple && !self.at.root) else {
            return Ok(false);
        };
        match self.stream.begin(len, &first, value) {
            Ok(true) => self.state = State::Array,
            Ok(false) => return Ok(false),
            Err(error) => self.refuse(error)?,
        }
        Ok(true)
    }

    /// Names an error of an element that was only looked at.
    #[cold]
    fn name(&self, error: Error) -> Error {
        let error = match self.variant {
            Some(variant) => error.at_member(variant),
            None => error,
        };
        self.archive.place.name(error)
    }

    /// An element that is not like those before it in the array.
    #[cold]
    fn refuse(&mut self, error: Error) -> Result<()> {
        if !self.stream.may_be_another(&error) {
            return Err(error);
        }
        self.state = State::Unmeasured(Some(error));
        Ok(())
    }

    fn finish(mut self) -> Result<Outcome> {
        match mem::replace(&mut self.state, State::Unknown) {
            State::List { list, before, variant } => {
                if let Some(expected) = list.elements
                    && self.count != expected
                {
                    let error = changed(format_args!("{} elements", self.count), expected);
                    return Err(self.archive.place.name(error));
                }
                self.archive.close_group(before)?;
                if self.form.is_some() {
                    self.archive.form.set(self.form);
                }
                if let Some((entered, before)) = variant {
                    drop(entered);
                    self.archive.close_group(before)?;
                }
                Ok(Outcome::Written)
            }
            State::Array => match StreamSeq::at(self.stream, self.len, self.count).end() {
                Ok(()) => Ok(Outcome::Array),
                Err(error) => {
                    self.refuse(error)?;
                    self.finish()
                }
            },
            State::Unknown => match self.len {
                Some(len) if len > 0 && !self.tuple => Err(miscounted(0, len)),
                _ => Ok(self.unmeasured(None)),
            },
            State::Formed => Ok(Outcome::Formed { elements: self.count }),
            State::Unmeasured(refused) => Ok(self.unmeasured(refused)),
        }
    }

    fn unmeasured(&self, refused: Option<Error>) -> Outcome {
        match self.variant {
            Some(variant) => Outcome::Content {
                variant,
                elements: self.count,
            },
            None => Outcome::Unmeasured {
                elements: Some(self.count),
                refused,
            },
        }
    }
}

compound!(Elements<'_, '_, '_> => Outcome, Error:
    SerializeSeq serialize_element,
    SerializeTuple serialize_element,
    SerializeTupleVariant serialize_field,
    SerializeTupleStruct serialize_field);
