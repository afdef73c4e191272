//! The layout of a value as slots, one for each value inside it, in the order in which the values come.
//!
//! ```text
//! Point { x, y, tag: (id, ok) }     Struct [x <f8, y <f8, tag Tuple [f0 <u4, f1 |b1]]
//! Imu { t, temp: Some(20.0) }       Struct [t <f8, temp Option <f4]
//! vec![[1.0, 2.0], [3.0, 4.0]]      Axis 2 of Tuple [<f8, <f8]
//! ```
//!
//! All elements along an axis share their slots. Within a small element, which gets a room of its own, every value has a
//! slot, whether it is like the one before it or not, and a slot says where in the room it lies: no value waits for the one
//! before it.

use std::borrow::Cow;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::Relaxed;

use crate::io::source::in_memory;
use crate::npy::layout::scalar::ScalarLayout;
use crate::npy::layout::tally::Tally;
use crate::npy::layout::tree::Layout;
use crate::npy::sink::MAX_ROOM;
use crate::npy::whole::{Number, Whole};

/// An element of more values gets no room of its own: so many slots would take more time to make than they save.
const MAX_SLOTS: u64 = 4 * 1024;

/// One value, or the beginning of several.
pub(super) struct Slot {
    pub(super) name: Cow<'static, str>,
    /// What nearly every value is: a number as it is.
    pub(super) number: Option<Number>,
    /// Where it begins in the room of its element.
    pub(super) offset: usize,
    pub(super) what: What,
}

pub(super) enum What {
    Scalar(ScalarLayout),
    Unit,
    /// A None whose content nobody has seen.
    None,
    Option(Box<OptionSlot>),
    Struct(Box<[Slot]>),
    Tuple(Box<[Slot]>),
    /// `len` elements, each of these slots.
    Axis {
        len: u64,
        tuple: bool,
        item: Box<Slots>,
    },
    /// An ndarray of this shape, and the sequence of its elements.
    Ndarray(Vec<u64>, Box<Slot>),
}

/// An Option: what is in it, and behind that its mask.
pub(super) struct OptionSlot {
    pub(super) item: Slot,
    /// What is put for None: a value that stands for it, and the mask.
    pub(super) none: Vec<u8>,
    /// The value is an array by itself, and has no mask.
    pub(super) bare: bool,
    /// How many have been None.
    nones: AtomicU64,
    /// What a walk meets in a Some.
    some: Tally,
}

impl OptionSlot {
    /// Notes one more None. One thread puts values at a time; it is atomic so that others may hold the slot.
    pub(super) fn count_none(&self) {
        self.nones.store(self.nones.load(Relaxed) + 1, Relaxed);
    }

    /// Where the mask is in the room of the element.
    pub(super) fn mask(&self) -> usize {
        self.item.offset + self.none.len() - 1
    }
}

/// The layout of one value.
pub(crate) struct Slots {
    pub(super) slot: Slot,
    pub(super) size: u64,
    /// The value gets a room of its own.
    pub(super) in_room: bool,
    /// Values come without having been measured: what a measuring walk would tell apart is refused.
    pub(super) strict: bool,
    /// The sequences around the value.
    pub(super) level: u8,
}

/// Which values get a room of their own, if they are small.
#[derive(Clone, Copy, PartialEq)]
enum Rooms {
    /// All without a sequence inside.
    Fixed,
    /// All without an axis inside.
    NoAxes,
}

impl Slots {
    /// For the value that was measured as `layout`, and is an array by itself: around all of it there is no mask.
    pub(crate) fn of(layout: &Layout) -> Self {
        let bare = |layout| Slots::new(layout, Rooms::Fixed, false);
        match layout {
            Layout::Option { none: false, .. } => {
                let mut slots = bare(layout);
                if let What::Option(option) = &mut slots.slot.what {
                    option.bare = true;
                    slots.size -= 1;
                }
                slots
            }
            layout => bare(layout.alone()),
        }
    }

    /// For rows like the first one, which was measured as `layout`. A sequence may follow a tuple of as many items: no room
    /// takes one.
    pub(crate) fn of_rows(layout: &Layout) -> Self {
        Slots::of_item(layout, Rooms::NoAxes)
    }

    /// For elements that are to be as the first one, `layout`, inside so many sequences: a record of numbers and the like,
    /// with which only an equal one makes an array.
    pub(crate) fn of_records(layout: &Layout, level: u8) -> Option<Self> {
        if !matches!(layout, Layout::Record { .. }) {
            return None;
        }
        let slots = Slots {
            strict: true,
            level,
            ..Slots::of_item(layout, Rooms::Fixed)
        };
        let steady = slots.in_room && slots.slot.is_steady();
        steady.then_some(slots)
    }

    fn of_item(layout: &Layout, rooms: Rooms) -> Self {
        // A single value is put where it belongs in less time than it takes to make a room.
        let is_scalar = matches!(layout, Layout::Scalar(_));
        let is_small = layout.size() <= MAX_ROOM && count(layout, rooms).is_some_and(|slots| slots <= MAX_SLOTS);
        Slots::new(layout, rooms, is_small && !is_scalar)
    }

    fn new(layout: &Layout, rooms: Rooms, in_room: bool) -> Self {
        Slots {
            slot: slot("".into(), layout, rooms, in_room, &mut 0),
            size: layout.size(),
            in_room,
            strict: false,
            level: 0,
        }
    }

    /// The number that the value is.
    #[inline(always)]
    pub(crate) fn number(&self) -> Option<Number> {
        self.slot.number
    }

    /// Whether these are the slots of an element of the slice.
    #[inline]
    pub(super) fn are_of(&self, whole: &Whole<'_>) -> bool {
        let is_number = |slot: &Slot| slot.number == Some(whole.number);
        match (whole.row, &self.slot.what) {
            (None, _) => is_number(&self.slot),
            (Some(row), What::Tuple(items)) => items.len() == row && items.iter().all(is_number),
            (Some(row), What::Axis { len, tuple: true, item }) => *len == row as u64 && is_number(&item.slot),
            _ => false,
        }
    }

    /// Replaces in a tally what the Options of records would have held by None, as often as they were that.
    pub(super) fn add_nones(&self, tally: &mut Tally) {
        self.slot.add_nones(tally);
    }

    /// Makes the outermost axis one of `len` elements.
    pub(crate) fn set_len(&mut self, len: u64) {
        if let What::Axis { len: before, .. } = &mut self.slot.what {
            *before = len;
        }
    }
}

/// The slot of a value, which lies at `offset` in its room: that is moved behind the value.
fn slot(name: Cow<'static, str>, layout: &Layout, rooms: Rooms, in_room: bool, offset: &mut usize) -> Slot {
    let start = *offset;
    let what = match layout {
        Layout::Scalar(leaf) => What::Scalar(*leaf),
        Layout::Option { item, .. } => {
            let mut none = Vec::new();
            put_none(layout, &mut none);
            What::Option(Box::new(OptionSlot {
                item: slot("".into(), item, rooms, in_room, offset),
                none,
                bare: false,
                nones: AtomicU64::new(0),
                some: item.tally(),
            }))
        }
        Layout::Record { fields, tuple } => {
            let fields = fields
                .iter()
                .map(|(name, field)| slot(name.clone(), field, rooms, in_room, offset));
            match tuple {
                false => What::Struct(fields.collect()),
                true => What::Tuple(fields.collect()),
            }
        }
        Layout::Axis { len, item, .. } if in_room => What::Tuple(
            (0..*len)
                .map(|_| slot("".into(), item, rooms, in_room, offset))
                .collect(),
        ),
        Layout::Axis { len, item, tuple } => axis(*len, item, *tuple, rooms),
        Layout::Ndarray { shape, item } => {
            let elements = axis(shape.iter().product(), item, false, rooms);
            What::Ndarray(shape.clone(), Box::new(Slot::new("".into(), elements, start)))
        }
        Layout::None => What::None,
        Layout::Unit | Layout::Empty(_) | Layout::Group | Layout::Misfit(_) => What::Unit,
    };
    // An element that gets a room is small.
    *offset = if in_room { start + in_memory(layout.size()) } else { 0 };
    Slot::new(name, what, start)
}

fn axis(len: u64, item: &Layout, tuple: bool, rooms: Rooms) -> What {
    What::Axis {
        len,
        tuple,
        item: Box::new(Slots::of_item(item, rooms)),
    }
}

/// How many slots a value takes in a room; `None` if it gets none, whatever its size.
fn count(layout: &Layout, rooms: Rooms) -> Option<u64> {
    match layout {
        Layout::Scalar(_) | Layout::Unit | Layout::None => Some(1),
        Layout::Option { item, .. } => Some(count(item, rooms)?.saturating_add(1)),
        Layout::Record { fields, .. } => fields.iter().try_fold(1_u64, |slots, (_, field)| {
            Some(slots.saturating_add(count(field, rooms)?))
        }),
        Layout::Axis { len, item, tuple: true } if rooms == Rooms::Fixed => {
            Some(count(item, rooms)?.saturating_mul(*len).saturating_add(1))
        }
        _ => None,
    }
}

/// Appends what stands for None in every part of a value of this layout.
pub(crate) fn put_none(layout: &Layout, into: &mut Vec<u8>) {
    match layout {
        Layout::Scalar(leaf) => leaf.none(into),
        Layout::Option { item, .. } => {
            put_none(item, into);
            into.push(0);
        }
        Layout::Record { fields, .. } => fields.iter().for_each(|(_, field)| put_none(field, into)),
        Layout::Axis { len, item, .. } => {
            let mut part = Vec::new();
            put_none(item, &mut part);
            (0..*len).for_each(|_| into.extend_from_slice(&part));
        }
        _ => {}
    }
}

impl Slot {
    fn new(name: Cow<'static, str>, what: What, offset: usize) -> Slot {
        let number = match what {
            What::Scalar(ScalarLayout::Number(number)) => Some(number),
            _ => None,
        };
        Slot {
            name,
            number,
            offset,
            what,
        }
    }

    /// How many values there are inside.
    pub(super) fn len(&self) -> u64 {
        match &self.what {
            What::Struct(parts) | What::Tuple(parts) => parts.len() as u64,
            What::Axis { len, .. } => *len,
            _ => 0,
        }
    }

    /// Whether every value that makes an array with the first one is laid out as that.
    fn is_steady(&self) -> bool {
        match &self.what {
            What::Scalar(
                ScalarLayout::Str { .. } | ScalarLayout::Bytes(_) | ScalarLayout::Nan | ScalarLayout::Mixed(_),
            )
            | What::None => false,
            What::Option(option) => option.item.is_steady(),
            What::Struct(parts) | What::Tuple(parts) => parts.iter().all(Slot::is_steady),
            _ => true,
        }
    }

    fn add_nones(&self, tally: &mut Tally) {
        match &self.what {
            What::Option(option) => {
                tally.add_nones(option.some, option.nones.load(Relaxed));
                option.item.add_nones(tally);
            }
            What::Struct(parts) | What::Tuple(parts) => parts.iter().for_each(|part| part.add_nones(tally)),
            _ => {}
        }
    }
}
