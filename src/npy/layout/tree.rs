//! What a measuring walk finds: the layout of a value as a tree, and the union of two of them.

use std::borrow::Cow;

use crate::error::{Error, ErrorKind, Result};
use crate::format::dtype::Dtype;
use crate::format::header::Header;
use crate::npy::layout::scalar::ScalarLayout;
use crate::npy::layout::tally::{Tally, Thing};
use crate::npy::whole::{Element, Whole};

/// The layout of one value.
#[derive(Clone, Debug)]
pub(crate) enum Layout {
    /// Fixed size, without parts.
    Scalar(ScalarLayout),
    /// The Some of an Option around a scalar: of fixed size only where all of a sequence are.
    Maybe(ScalarLayout),
    /// `()`, a unit struct: `|V0`.
    Unit,
    /// The None of an Option whose content nobody has seen; `scalar` where its type tells that it is one.
    None { scalar: bool },
    /// One more axis; a tuple's is of fixed size, a sequence's is not.
    Axis { len: u64, item: Box<Layout>, tuple: bool },
    /// The item of an axis of length 0.
    Empty(Option<Element>),
    /// Named fields, each of fixed size; a tuple's are f0, f1, ..
    Record {
        fields: Vec<(Cow<'static, str>, Layout)>,
        tuple: bool,
    },
    /// An ndarray: its own axes, which are not one with those around it.
    Ndarray { shape: Vec<u64>, item: Box<Layout> },
    /// Anything that takes more than one member.
    Group,
    /// No array, and no list either.
    Misfit(Misfit),
}

/// Why elements do not form one array.
#[derive(Clone, Debug)]
pub(crate) struct Misfit {
    kind: ErrorKind,
    index: Vec<u64>,
    message: String,
    hint: &'static str,
}

impl Misfit {
    pub(crate) fn into_error(self) -> Error {
        let mut error = Error::new(self.kind, self.message).with_hint(self.hint);
        for index in self.index.into_iter().rev() {
            error = error.at_index(index);
        }
        error
    }
}

impl Layout {
    /// Whether all that is inside of nested sequences is of one scalar or record.
    pub(crate) fn is_uniform(&self) -> bool {
        match self {
            Layout::Axis { item, .. } => item.is_uniform(),
            layout => matches!(layout, Layout::Scalar(_) | Layout::Record { .. }),
        }
    }

    /// A layout that is not inside a struct or tuple, where an Option of a scalar is no more than the scalar.
    pub(crate) fn settled(self) -> Layout {
        match self {
            Layout::Maybe(leaf) => Layout::Scalar(leaf),
            layout => layout,
        }
    }

    /// Whether every value of this layout takes the same number of bytes, whatever it holds.
    pub(crate) fn is_fixed(&self) -> bool {
        matches!(
            self,
            Layout::Scalar(_) | Layout::Unit | Layout::Record { .. } | Layout::Axis { tuple: true, .. }
        )
    }

    /// A copy of this layout for texts that have been counted already.
    pub(crate) fn without_texts(&self) -> Layout {
        fn forget(layout: &mut Layout) {
            match layout {
                Layout::Scalar(ScalarLayout::Str { text, .. }) | Layout::Maybe(ScalarLayout::Str { text, .. }) => {
                    *text = 0
                }
                Layout::Axis { item, .. } | Layout::Ndarray { item, .. } => forget(item),
                Layout::Record { fields, .. } => fields.iter_mut().for_each(|(_, layout)| forget(layout)),
                _ => {}
            }
        }
        let mut layout = self.clone();
        forget(&mut layout);
        layout
    }

    /// Whether the item of an empty axis stays the same beside `other`, the item of another one.
    pub(crate) fn holds_empty(&self, other: &Layout) -> bool {
        match (self, other) {
            // Of two empty sequences the first tells the type.
            (Layout::Empty(None), Layout::Empty(Some(_))) => false,
            (_, Layout::Empty(_)) => true,
            (Layout::Scalar(a), Layout::Scalar(b)) => a == b,
            _ => false,
        }
    }

    /// Whether this is the layout of the elements of a slice that is not empty.
    pub(crate) fn is_of(&self, whole: &Whole<'_>) -> bool {
        let number = match (self, whole.row) {
            (layout, None) => layout,
            (Layout::Axis { len, item, tuple: true }, Some(row)) if *len == row as u64 => item,
            _ => return false,
        };
        whole.len > 0 && matches!(number, Layout::Scalar(ScalarLayout::Number(number)) if *number == whole.number)
    }

    /// What a walk along a value of this layout meets.
    pub(crate) fn tally(&self) -> Tally {
        let none = Tally::default();
        match self {
            Layout::Scalar(leaf) | Layout::Maybe(leaf) => none.and(leaf.thing()),
            Layout::Axis { len, item, .. } => item.tally().repeated(*len),
            Layout::Record { fields, tuple } => fields.iter().fold(
                none.and(if *tuple { Thing::Sequence } else { Thing::Struct }),
                |mut all, (_, layout)| {
                    all.add_all(layout.tally());
                    all
                },
            ),
            Layout::Unit => none.and(Thing::Unit),
            Layout::None { .. } => none.and(Thing::None),
            Layout::Empty(_) | Layout::Ndarray { .. } | Layout::Group | Layout::Misfit(_) => none,
        }
    }

    /// The bytes of one value of this layout.
    pub(crate) fn size(&self) -> u64 {
        match self {
            Layout::Scalar(leaf) | Layout::Maybe(leaf) => leaf.size(),
            Layout::Axis { len, item, .. } => len.saturating_mul(item.size()),
            Layout::Ndarray { shape, item } => shape.iter().fold(item.size(), |n, &len| n.saturating_mul(len)),
            Layout::Record { fields, .. } => fields.iter().fold(0, |n, (_, layout)| layout.size().saturating_add(n)),
            Layout::Unit | Layout::None { .. } | Layout::Empty(_) | Layout::Group | Layout::Misfit(_) => 0,
        }
    }

    /// The layout that holds both `self`, seen so far, and `other`, the element `index`.
    pub(crate) fn union(self, other: Layout, index: u64) -> Layout {
        match (self, other) {
            // Found before, at an index of its own.
            (found @ Layout::Misfit(_), Layout::Group) => found.join(Layout::Group),
            (found @ Layout::Misfit(_), _) => found,
            (layout, other) => match layout.join(other) {
                Layout::Misfit(mut misfit) => {
                    misfit.index.insert(0, index);
                    Layout::Misfit(misfit)
                }
                layout => layout,
            },
        }
    }

    fn join(self, other: Layout) -> Layout {
        match (self, other) {
            (Layout::Group, _) | (_, Layout::Group) => Layout::Group,
            (Layout::Misfit(misfit), _) | (_, Layout::Misfit(misfit)) => Layout::Misfit(misfit),
            (Layout::Empty(None), layout) | (layout, Layout::Empty(_)) | (Layout::Empty(_), layout) => layout,
            (Layout::Scalar(a), Layout::Scalar(b)) => join_scalars(a, b),
            (Layout::Maybe(a), Layout::Maybe(b) | Layout::Scalar(b)) | (Layout::Scalar(a), Layout::Maybe(b)) => {
                match join_scalars(a, b) {
                    Layout::Scalar(leaf) => Layout::Maybe(leaf),
                    misfit => misfit,
                }
            }
            (Layout::Unit, Layout::Unit) => Layout::Unit,
            (Layout::None { scalar: a }, Layout::None { scalar: b }) => Layout::None { scalar: a || b },
            (Layout::None { .. }, Layout::Scalar(_) | Layout::Maybe(_))
            | (Layout::Scalar(_) | Layout::Maybe(_), Layout::None { .. }) => misfit(
                ErrorKind::InvalidValue,
                "found None among scalars, expected all of them to be Some".into(),
                SCALAR_OPTIONS,
            ),
            (
                Layout::Axis {
                    len: a,
                    item: x,
                    tuple: s,
                },
                Layout::Axis {
                    len: b,
                    item: y,
                    tuple: t,
                },
            ) => join_axes((a, x, s), (b, y, t)),
            (Layout::Record { fields: a, tuple: s }, Layout::Record { fields: b, tuple: t }) => {
                let same = s == t && a.len() == b.len() && a.iter().zip(&b).all(|((x, _), (y, _))| x == y);
                if same { join_fields(a, b, s) } else { Layout::Group }
            }
            _ => Layout::Group,
        }
    }

    /// The axes of an array of this layout, outermost first, and what each element is.
    fn peel(&self) -> (Vec<u64>, &Layout) {
        let mut shape = Vec::new();
        let mut layout = self;
        loop {
            match layout {
                Layout::Axis { len, item, .. } => {
                    shape.push(*len);
                    layout = item;
                }
                Layout::Ndarray { shape: own, item } => {
                    shape.extend(own);
                    layout = item;
                }
                _ => return (shape, layout),
            }
        }
    }

    /// The header of an array of this layout.
    pub(crate) fn header(&self) -> Result<Header> {
        let (shape, item) = self.peel();
        if shape.len() > 64 {
            return Err(Error::new(
                ErrorKind::LimitExceeded,
                format_args!(
                    "found {} nested sequences, expected at most the 64 axes NumPy allows",
                    shape.len()
                ),
            ));
        }
        item.check_text(shape.iter().product())?;
        Header::new(item.dtype()?, shape, false)
    }

    /// The header of an array of `shape` whose elements are of this layout.
    pub(crate) fn header_of_elements(&self, shape: Vec<u64>) -> Result<Header> {
        Header::new(self.dtype()?, shape, false)
    }

    fn dtype(&self) -> Result<Dtype> {
        match self {
            Layout::Scalar(leaf) | Layout::Maybe(leaf) => Ok(leaf.dtype()),
            Layout::Empty(element) => Ok(element.map_or_else(|| Dtype::float(8), Element::dtype)),
            Layout::Axis { .. } | Layout::Ndarray { .. } => {
                let (shape, item) = self.peel();
                let mut dtype = item.dtype()?;
                for &len in shape.iter().rev() {
                    dtype = Dtype::array(dtype, len)?;
                }
                Ok(dtype)
            }
            Layout::Record { fields, .. } => {
                let fields = fields.iter().map(|(name, layout)| {
                    Ok((name.clone().into_owned(), layout.dtype().map_err(|e| e.at_field(name))?))
                });
                Dtype::record(fields.collect::<Result<_>>()?)
            }
            Layout::Unit | Layout::None { .. } | Layout::Group | Layout::Misfit(_) => Ok(Dtype::void(0)),
        }
    }

    /// A few long texts among many short ones would be padded beyond reason.
    fn check_text(&self, count: u64) -> Result<()> {
        match self {
            Layout::Scalar(ScalarLayout::Str { width, text }) => {
                let padded = width.saturating_mul(4).saturating_mul(count);
                if padded > 64 << 20 && padded / 50 > *text {
                    return Err(Error::new(
                        ErrorKind::LimitExceeded,
                        format_args!(
                            "found {count} texts of {text} bytes in all, the longest of {width} characters: padded to \
                             equal width they take {padded} bytes, expected at most 64 MiB or 50 times the text"
                        ),
                    )
                    .with_hint("use `with::ragged`"));
                }
                Ok(())
            }
            Layout::Axis { .. } | Layout::Ndarray { .. } => {
                let (shape, item) = self.peel();
                item.check_text(shape.iter().fold(count, |n, &len| n.saturating_mul(len)))
            }
            Layout::Record { fields, .. } => fields
                .iter()
                .try_for_each(|(name, layout)| layout.check_text(count).map_err(|e| e.at_field(name))),
            _ => Ok(()),
        }
    }
}

fn join_scalars(a: ScalarLayout, b: ScalarLayout) -> Layout {
    Layout::Scalar(match (a, b) {
        (ScalarLayout::Str { width: v, text: s }, ScalarLayout::Str { width: w, text: t }) => ScalarLayout::Str {
            width: v.max(w),
            text: s.saturating_add(t),
        },
        (ScalarLayout::Bytes(a), ScalarLayout::Bytes(b)) => ScalarLayout::Bytes(a.max(b)),
        (ScalarLayout::Nan, float @ ScalarLayout::Number(_)) | (float @ ScalarLayout::Number(_), ScalarLayout::Nan) => {
            float
        }
        (ScalarLayout::Raw(a), ScalarLayout::Raw(b)) if a != b => {
            return misfit(
                ErrorKind::Ragged,
                format!("found {b} bytes, expected {a} as in the elements before"),
                "use `with::ragged` or `with::list` for unequal lengths",
            );
        }
        (a, b) if a == b => a,
        (a, b) => {
            return misfit(
                ErrorKind::MixedTypes,
                format!("found {}, expected {} as in the elements before", b.dtype(), a.dtype()),
                UNEQUAL_KINDS,
            );
        }
    })
}

type Axis = (u64, Box<Layout>, bool);

fn join_axes((a, x, s): Axis, (b, y, t): Axis) -> Layout {
    let item = match x.join(*y) {
        Layout::Group => return Layout::Group,
        item => item,
    };
    if a != b {
        // Tuples of unequal lengths are unequal types; sequences are one type.
        if s && t {
            Layout::Group
        } else {
            misfit(ErrorKind::Ragged, unequal_rows(b, a), UNEQUAL_ROWS)
        }
    } else if let Layout::Misfit(misfit) = item {
        Layout::Misfit(misfit)
    } else {
        Layout::Axis {
            len: a,
            item: Box::new(item),
            tuple: s && t,
        }
    }
}

/// What helps where an Option is None among scalars.
pub(crate) const SCALAR_OPTIONS: &str = "use `with::nan` for floats, or a list of their own with `with::list`";

/// What helps where elements are of unequal kinds.
pub(crate) const UNEQUAL_KINDS: &str = "use `with::list` or `with::json` for elements of unequal kinds";

/// What helps where rows are of unequal lengths.
const UNEQUAL_ROWS: &str =
    "use `with::list` (one member per row) or `with::ragged` (values and offsets) for rows of unequal lengths";

fn unequal_rows(found: u64, expected: u64) -> String {
    format!("found {found} elements, expected {expected} as in the rows before")
}

#[cold]
pub(crate) fn ragged(found: u64, expected: u64) -> Error {
    Error::new(ErrorKind::Ragged, unequal_rows(found, expected)).with_hint(UNEQUAL_ROWS)
}

fn join_fields(a: Vec<(Cow<'static, str>, Layout)>, b: Vec<(Cow<'static, str>, Layout)>, tuple: bool) -> Layout {
    let mut fields = Vec::with_capacity(a.len());
    for ((name, x), (_, y)) in a.into_iter().zip(b) {
        match x.join(y) {
            Layout::Group => return Layout::Group,
            Layout::Misfit(misfit) => return Layout::Misfit(misfit),
            layout => fields.push((name, layout)),
        }
    }
    Layout::Record { fields, tuple }
}

pub(crate) fn misfit(kind: ErrorKind, message: String, hint: &'static str) -> Layout {
    Layout::Misfit(Misfit {
        kind,
        index: Vec::new(),
        message,
        hint,
    })
}
