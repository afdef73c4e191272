//! The measuring walk: a value to the layout of its array, before a byte is written.
//!
//! ```text
//! vec![("ab", 1u8), ("c", 2u8)]  ->  Axis 2 of Record { f0: <U2, f1: |u1 }  ->  header ([('f0', '<U2'), ('f1', '|u1')], (2,))
//! vec![Some(vec![1.0]), None]    ->  Group                                  ->  a list, one member each
//! ```
//!
//! The first element of a sequence tells what the others are likely to be, so that each is walked along the layout of
//! those before it. As long as it is the same, nothing is allocated and only the widths of texts grow. From the first
//! difference on the walk notes what it meets, beginning with a copy of what was the same until then:
//!
//! ```text
//! seen     Record { id: |u1, name: <U3 }    the elements so far
//! element  { id: 7, name: "abcd" }          the same: name is <U4 from now on
//! element  { id: 8, name: ["x"] }           differs in its second field: Record { id: |u1, name: Axis .. }, joined with seen
//! ```
//!
//! Numbers of several kinds in one sequence become one kind that holds all of their values, which are looked at on a walk
//! more: see [`mixed`](super::mixed).
//!
//! No walk is cut short: what cannot matter to the layout any more is still counted, so that another walk over the same
//! value can be held against this one.

mod fields;
mod items;
mod reconcile;
#[cfg(test)]
mod tests;

use serde::Serialize;
use serde::ser::Serializer;

use self::fields::Fields;
use self::items::Items;
use self::reconcile::{along, reconcile};
pub(crate) use self::reconcile::{irreconcilable, measure_along};
use crate::error::{Error, Result};
use crate::format::dtype::Wide;
pub(crate) use crate::npy::layout::known::{half, nested_none, too_deep};
use crate::npy::layout::scalar::{Scalar, ScalarLayout, scalars};
use crate::npy::layout::tally::{Tally, Thing};
use crate::npy::layout::texts::of_texts;
use crate::npy::layout::tree::Layout;
use crate::npy::marker::Marker;
use crate::npy::whole::{self, Element, Optional, OptionalScalar, Texts, Whole};

/// Deeper than this nothing can be an array: 64 axes, 32 levels of a dtype.
pub(crate) const MAX_LEVELS: u8 = 100;

/// The layout of `value`.
pub(crate) fn measure<T: Serialize + ?Sized>(value: &T) -> Result<Layout> {
    measure_counted(value, Around::default()).map(|(layout, _)| layout)
}

/// What is around a value that is measured by itself.
#[derive(Clone, Copy, Default)]
pub(crate) struct Around {
    /// What the innermost `with` module asks for.
    pub(crate) marker: Option<Marker>,
    /// The value is a field beside a `flatten`, or inside of one.
    pub(crate) flattened: bool,
}

/// The layout of `value`, and what the walk has met.
pub(crate) fn measure_counted<T: Serialize + ?Sized>(value: &T, around: Around) -> Result<(Layout, Tally)> {
    walk(value, around, false)
}

/// The layout of what a tuple variant holds, which is that of the tuple, and what the walk has met.
pub(crate) fn measure_content<T: Serialize + ?Sized>(value: &T, around: Around) -> Result<(Layout, Tally)> {
    walk(value, around, true)
}

fn walk<T: Serialize + ?Sized>(value: &T, around: Around, content: bool) -> Result<(Layout, Tally)> {
    let mut tally = Tally::default();
    let at = Place {
        content,
        ..Place::of(around)
    };
    let measure = Measure {
        seen: None,
        tally: &mut tally,
        at,
    };
    let layout = measure.value(value)?.into_node();
    let layout = if layout.has_mixed() {
        reconcile(layout, tally, &mut |layout, tally| along(value, layout, tally, at))?
    } else {
        layout
    };
    Ok((layout, tally))
}

/// What a walk along the layout of the values before finds.
enum Found {
    /// The value is laid out as those before.
    Same,
    /// The value takes more than one member, or its layout does not matter.
    Group,
    /// It has a layout of its own.
    New(Box<Layout>),
}

impl Found {
    fn new(layout: Layout) -> Result<Found> {
        Ok(match layout {
            Layout::Group => Found::Group,
            layout => Found::New(Box::new(layout)),
        })
    }

    fn into_node(self) -> Layout {
        match self {
            Found::New(layout) => *layout,
            Found::Same | Found::Group => Layout::Group,
        }
    }
}

/// A value, beside the layout of those before it.
struct Measure<'a> {
    seen: Option<&'a mut Layout>,
    tally: &'a mut Tally,
    at: Place,
}

/// What is around a value.
#[derive(Clone, Copy, Default)]
struct Place {
    marker: Option<Marker>,
    level: u8,
    /// Directly inside a Some.
    in_option: bool,
    /// Directly an element of a sequence, where Some(x) and x are one.
    direct: bool,
    /// A variant stands for the tuple it holds.
    content: bool,
    /// The layout cannot matter any more: the value is part of a list.
    counting: bool,
    /// Inside of fields that are read through serde's buffer.
    flattened: bool,
    /// Tells what a None would have been, where the type does.
    none: Option<fn() -> Option<Optional>>,
    /// The type of the value is a number's own.
    plain: bool,
}

impl Place {
    fn of(around: Around) -> Self {
        Place {
            marker: around.marker,
            flattened: around.flattened,
            ..Place::default()
        }
    }

    /// For the parts of a value, where there may be any.
    fn deeper(self) -> Option<Self> {
        (self.level < MAX_LEVELS).then_some(Place {
            level: self.level + 1,
            in_option: false,
            ..self
        })
    }

    /// For the elements, items or fields of a value. A variant among them keeps its name.
    fn parts(self) -> Option<Self> {
        Some(Place {
            content: false,
            direct: false,
            none: None,
            ..self.deeper()?
        })
    }

    /// Whether the parts of the value are members of a list: what is inside of an Option is no array.
    fn counts_parts(self) -> bool {
        self.counting || self.in_option
    }
}

impl<'a> Measure<'a> {
    #[inline(always)]
    fn value<T: Serialize + ?Sized>(mut self, value: &T) -> Result<Found> {
        match whole::complex(value) {
            Some(complex) => self.scalar(complex.into()),
            None => {
                self.at.none = Some(whole::optional::<T>);
                self.at.plain = whole::is_number::<T>();
                whole::serialize(value, self)
            }
        }
    }

    #[inline(always)]
    fn scalar(self, scalar: Scalar<'_>) -> Result<Found> {
        self.tally.add(scalar.thing());
        if let Some(Layout::Scalar(ScalarLayout::Number(seen))) = &self.seen
            && scalar.number() == Some(*seen)
            && self.at.marker.is_none()
        {
            return Ok(Found::Same);
        }
        self.other(scalar)
    }

    /// A text, anything inside a `with` module, or what differs.
    #[inline(never)]
    fn other(mut self, scalar: Scalar<'_>) -> Result<Found> {
        if self.at.counting {
            return Ok(Found::Group);
        }
        if self.at.in_option && self.at.marker == Some(Marker::Nan) {
            scalar.check_not_nan()?;
        }
        if self.at.flattened {
            scalar.check_buffered()?;
        }
        if !self.at.plain && scalar.real().is_some() {
            self.tally.note_open();
        }
        let leaf = scalar.layout(self.at.marker)?;
        if let Some(Layout::Scalar(ScalarLayout::Mixed(mixed))) = &mut self.seen
            && let ScalarLayout::Number(number) = leaf
            && let Some(value) = scalar.real()
            && mixed.note(number, value)
        {
            return Ok(Found::Same);
        }
        self.layout(leaf)
    }

    /// A value without parts, of the layout `leaf`.
    fn layout(self, leaf: ScalarLayout) -> Result<Found> {
        if let Some(Layout::Scalar(seen)) = self.seen
            && seen.widen(leaf)
        {
            return Ok(Found::Same);
        }
        Found::new(Layout::Scalar(leaf))
    }
}

impl<'a> Serializer for Measure<'a> {
    type Ok = Found;
    type Error = Error;
    type SerializeSeq = Items<'a>;
    type SerializeTuple = Items<'a>;
    type SerializeTupleStruct = Items<'a>;
    type SerializeTupleVariant = Items<'a>;
    type SerializeMap = Fields<'a>;
    type SerializeStruct = Fields<'a>;
    type SerializeStructVariant = Fields<'a>;

    scalars!();

    fn serialize_bytes(self, v: &[u8]) -> Result<Found> {
        self.scalar(Scalar::Raw(v))
    }

    fn serialize_none(self) -> Result<Found> {
        let optional = || self.at.none.and_then(|optional| optional());
        let nan = match self.at.marker {
            Some(Marker::Nan) => ScalarLayout::nan(optional()),
            _ => None,
        };
        match nan {
            // Whether this is a NaN, or a None that has a mask, is told by the other elements.
            Some(ScalarLayout::Nan) if !self.at.counting => self.tally.skip(),
            Some(_) => self.tally.add(Thing::Float),
            None => self.tally.add(Thing::None),
        }
        if self.at.counting {
            return Ok(Found::Group);
        }
        if self.at.in_option {
            return Err(nested_none("Some(None)"));
        }
        if let Some(nan) = nan {
            // Any number seen before tells which NaN this is.
            return match self.seen {
                Some(Layout::Scalar(ScalarLayout::Number(_))) if nan == ScalarLayout::Nan => Ok(Found::Same),
                Some(Layout::Option { item, none })
                    if nan == ScalarLayout::Nan && !(self.at.direct && item.is_scalar()) =>
                {
                    *none = true;
                    Ok(Found::Same)
                }
                _ => self.layout(nan),
            };
        }
        if self.at.direct && self.at.marker.is_some_and(|marker| marker != Marker::Nan) {
            return Ok(Found::Group);
        }
        let leaf = match optional() {
            Some(Optional::Vector) => return Ok(Found::Group),
            Some(Optional::Scalar(scalar)) => Some(scalar_of(scalar).layout(self.at.marker)?),
            None => None,
        };
        match (self.seen, leaf) {
            // A scalar in a sequence has no mask.
            (Some(Layout::Option { item, none }), _) if !*none && self.at.direct && item.is_scalar() => {}
            (Some(Layout::Option { none, .. }), None) => {
                *none = true;
                return Ok(Found::Same);
            }
            (Some(Layout::Option { item, none }), Some(leaf)) => {
                if let Layout::Scalar(seen) = &mut **item
                    && seen.widen(leaf)
                {
                    *none = true;
                    return Ok(Found::Same);
                }
            }
            (Some(Layout::None), None) => return Ok(Found::Same),
            _ => {}
        }
        Found::new(match leaf {
            Some(leaf) => Layout::Option {
                item: Box::new(Layout::Scalar(leaf)),
                none: true,
            },
            None => Layout::None,
        })
    }

    #[inline(always)]
    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<Found> {
        let Measure { seen, tally, at } = self;
        let Some(inner) = at.deeper() else {
            tally.skip();
            return Ok(Found::Group);
        };
        let nan = at.marker == Some(Marker::Nan);
        let seen = match seen {
            _ if at.in_option => None,
            // A scalar in a sequence has no mask.
            Some(Layout::Option { item, none }) if !(*none && at.direct && item.is_scalar()) => Some(&mut **item),
            Some(layout @ Layout::Scalar(_)) if at.direct || nan => Some(layout),
            _ => None,
        };
        let inside = Measure {
            seen,
            tally,
            at: Place {
                in_option: true,
                none: None,
                ..inner
            },
        };
        match inside.value(value)? {
            Found::New(found) => Found::new(match *found {
                Layout::Scalar(leaf) if nan && leaf.is_float() => Layout::Scalar(leaf),
                Layout::Scalar(_) | Layout::Record { .. } | Layout::Axis { tuple: true, .. } => Layout::Option {
                    item: found,
                    none: false,
                },
                // Around anything else an Option makes a list, whether Some or None.
                _ => Layout::Group,
            }),
            found => Ok(found),
        }
    }

    fn serialize_unit(self) -> Result<Found> {
        self.tally.add(Thing::Unit);
        match self.seen {
            _ if self.at.counting => Ok(Found::Group),
            _ if self.at.in_option => Err(nested_none("Some(())")),
            Some(Layout::Unit) => Ok(Found::Same),
            _ => Found::new(Layout::Unit),
        }
    }

    fn serialize_unit_struct(self, _: &'static str) -> Result<Found> {
        self.serialize_unit()
    }

    #[inline(always)]
    fn serialize_newtype_struct<T: Serialize + ?Sized>(self, name: &'static str, value: &T) -> Result<Found> {
        if let Some(half) = half(name, value) {
            return self.scalar(half);
        }
        let Some(inner) = self.at.deeper() else {
            self.tally.skip();
            return if self.at.counting {
                Ok(Found::Group)
            } else {
                Err(too_deep())
            };
        };
        let marker = Marker::of(name);
        if marker == Some(Marker::Hole) {
            return match self.seen {
                Some(_) => Ok(Found::Same),
                None => Found::new(Layout::Empty(None)),
            };
        }
        if marker.is_some_and(|marker| !marker.is_layout()) {
            self.tally.add(Thing::Members);
            return Ok(Found::Group);
        }
        Measure {
            at: Place {
                in_option: self.at.in_option,
                marker: marker.or(self.at.marker),
                ..inner
            },
            ..self
        }
        .value(value)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        value: &T,
    ) -> Result<Found> {
        self.tally.add(Thing::Variant);
        if let Some(at) = self.at.parts() {
            count(value, at, self.tally);
        }
        Ok(Found::Group)
    }

    #[inline(always)]
    fn serialize_seq(self, _: Option<usize>) -> Result<Items<'a>> {
        Ok(self.sequence())
    }

    #[inline(always)]
    fn serialize_tuple(self, _: usize) -> Result<Items<'a>> {
        Ok(self.tuple(false))
    }

    #[inline(always)]
    fn serialize_tuple_struct(self, _: &'static str, _: usize) -> Result<Items<'a>> {
        Ok(self.tuple(false))
    }

    fn serialize_tuple_variant(self, _: &'static str, _: u32, _: &'static str, _: usize) -> Result<Items<'a>> {
        let counting = !self.at.content;
        Ok(self.tuple(counting))
    }

    #[inline]
    fn serialize_map(self, len: Option<usize>) -> Result<Fields<'a>> {
        // serde's flatten asks for a map of unknown length; a real map knows its own.
        Ok(self.fields("", len.is_some()))
    }

    #[inline(always)]
    fn serialize_struct(self, name: &'static str, _: usize) -> Result<Fields<'a>> {
        Ok(self.fields(name, false))
    }

    fn serialize_struct_variant(self, _: &'static str, _: u32, _: &'static str, _: usize) -> Result<Fields<'a>> {
        Ok(self.fields("", true))
    }

    fn collect_seq<I>(self, iter: I) -> Result<Found>
    where
        I: IntoIterator,
        I::Item: Serialize,
    {
        let counting = self.at.counts_parts();
        if (counting || self.at.marker.is_none())
            && let Some(whole) = whole::whole(&iter)
        {
            self.tally.add_whole(&whole);
            return match self.seen {
                _ if counting => Ok(Found::Group),
                Some(seen) if is_laid_out_as(seen, &whole) => Ok(Found::Same),
                _ => Found::new(Layout::Axis {
                    len: whole.len as u64,
                    item: Box::new(whole_item(&whole)),
                    tuple: false,
                }),
            };
        }
        if !counting
            && self.at.marker.is_none()
            && let Some(texts) = whole::texts(&iter)
            && texts.len() > 0
        {
            return self.texts(texts);
        }
        let mut items = self.sequence();
        items.element = whole::element::<I::Item>();
        for item in iter {
            items.push(&item)?;
        }
        items.finish()
    }

    fn is_human_readable(&self) -> bool {
        true
    }
}

impl Measure<'_> {
    /// A slice of texts, which is not empty.
    fn texts(self, texts: Texts<'_>) -> Result<Found> {
        let count = texts.len() as u64;
        self.tally.add_all(Tally::default().and(Thing::Text).repeated(count));
        let leaf = of_texts(texts)?;
        if let Some(Layout::Axis {
            len,
            item,
            tuple: false,
        }) = self.seen
            && *len == count
            && let Layout::Scalar(seen) = &mut **item
            && seen.widen(leaf)
        {
            return Ok(Found::Same);
        }
        Found::new(Layout::Axis {
            len: count,
            item: Box::new(Layout::Scalar(leaf)),
            tuple: false,
        })
    }
}

/// A scalar of the type that a Some would hold.
fn scalar_of(optional: OptionalScalar) -> Scalar<'static> {
    match optional {
        OptionalScalar::Epoch => Scalar::Epoch(0),
        OptionalScalar::Nanos => Scalar::Nanos(0),
        OptionalScalar::Element(Element::Number(number)) => Scalar::zero(number),
        OptionalScalar::Element(Element::Wide(Wide::I128)) => Scalar::I128(0, 0),
        OptionalScalar::Element(Element::Wide(Wide::U128)) => Scalar::U128(0, 0),
        OptionalScalar::Element(Element::Bf16) => Scalar::Bf16(0),
        OptionalScalar::Element(Element::Text) => Scalar::Str(""),
    }
}

/// What the elements of a whole slice are: numbers, or rows of them.
fn whole_item(whole: &Whole<'_>) -> Layout {
    let leaf = Layout::Scalar(ScalarLayout::Number(whole.number));
    match whole.row {
        None if whole.len == 0 => Layout::Empty(Some(Element::Number(whole.number))),
        None => leaf,
        Some(_) if whole.len == 0 => Layout::Empty(None),
        Some(row) => Layout::Axis {
            len: row as u64,
            item: Box::new(if row == 0 { Layout::Empty(None) } else { leaf }),
            tuple: true,
        },
    }
}

fn is_laid_out_as(seen: &Layout, whole: &Whole<'_>) -> bool {
    match seen {
        Layout::Axis {
            len,
            item,
            tuple: false,
        } => {
            *len == whole.len as u64
                && match **item {
                    // Of two empty sequences the first tells the type.
                    Layout::Empty(Some(_)) => true,
                    _ => item.is_of(whole),
                }
        }
        _ => false,
    }
}

/// Counts what is in a value that is part of a list. An error is not one of this walk: writing the list finds it again,
/// where it is told with the name of the member.
fn count<T: Serialize + ?Sized>(value: &T, at: Place, tally: &mut Tally) {
    let counted = Measure {
        seen: None,
        tally: &mut *tally,
        at: Place { counting: true, ..at },
    }
    .value(value);
    if counted.is_err() {
        tally.skip();
    }
}
