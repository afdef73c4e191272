//! The union of two layouts: what holds the elements so far and the next one, or why nothing does.

use std::borrow::Cow;

use crate::error::{Error, ErrorKind};
use crate::npy::layout::mixed::Mixed;
use crate::npy::layout::scalar::ScalarLayout;
use crate::npy::layout::tree::Layout;

/// Why elements do not form one array.
#[derive(Clone, Debug)]
pub(crate) struct Misfit {
    kind: ErrorKind,
    index: Vec<u64>,
    message: String,
    hint: &'static str,
    /// They form a list.
    list: bool,
}

impl Misfit {
    /// Whether the elements are of unequal kinds, so that the sequence is a list where there may be one.
    pub(crate) fn is_list(&self) -> bool {
        self.list
    }

    /// The same in what is no sequence, and so no list.
    pub(crate) fn in_ndarray(self) -> Self {
        Misfit { list: false, ..self }
    }

    pub(crate) fn into_error(self) -> Error {
        let mut error = Error::new(self.kind, self.message).with_hint(self.hint);
        for index in self.index.into_iter().rev() {
            error = error.at_index(index);
        }
        error
    }
}

impl Layout {
    /// The layout that holds both `self`, seen so far, and `other`, the element `index`.
    pub(crate) fn union(self, other: Layout, index: u64) -> Layout {
        match (self, other) {
            // Found before, at an index of its own.
            (found @ Layout::Misfit(_), Layout::Group) => found.join(Layout::Group),
            // Beside sequences of unequal lengths there is something else: it is a list in any order.
            (Layout::Misfit(misfit), Layout::Scalar(_) | Layout::Record { .. } | Layout::Unit)
                if misfit.kind == ErrorKind::Ragged =>
            {
                Layout::Group
            }
            (Layout::Misfit(ragged), Layout::Misfit(mixed)) if mixed.list && !ragged.list => Layout::Misfit(mixed),
            (found @ Layout::Misfit(_), _) => found,
            (layout, other) => {
                let mixed = layout.has_none() != other.has_none();
                let joined = match layout.join(other) {
                    Layout::Option { item, none: true } if mixed && item.is_scalar() => none_among_scalars(),
                    joined => joined,
                };
                match joined {
                    Layout::Misfit(mut misfit) => {
                        misfit.index.insert(0, index);
                        Layout::Misfit(misfit)
                    }
                    layout => layout,
                }
            }
        }
    }

    fn join(self, other: Layout) -> Layout {
        match (self, other) {
            (Layout::Group, _) | (_, Layout::Group) => Layout::Group,
            (Layout::Misfit(misfit), _) | (_, Layout::Misfit(misfit)) => Layout::Misfit(misfit),
            (Layout::Empty(None), layout) | (layout, Layout::Empty(_)) | (Layout::Empty(_), layout) => layout,
            (Layout::Scalar(a), Layout::Scalar(b)) => join_scalars(a, b),
            (Layout::Unit, Layout::Unit) => Layout::Unit,
            (Layout::None, Layout::None) => Layout::None,
            (Layout::None, Layout::Option { item, .. }) | (Layout::Option { item, .. }, Layout::None) => {
                Layout::Option { item, none: true }
            }
            (Layout::Option { item: a, none: m }, Layout::Option { item: b, none: n }) => join_options(*a, *b, m || n),
            // In a sequence an Option of a scalar is no more than the scalar.
            (Layout::Option { item, none }, scalar @ Layout::Scalar(_)) => {
                let none = none || scalar.is_nan();
                join_options(*item, scalar, none)
            }
            (scalar @ Layout::Scalar(_), Layout::Option { item, none }) => {
                let none = none || scalar.is_nan();
                join_options(scalar, *item, none)
            }
            (Layout::None, scalar @ Layout::Scalar(_)) | (scalar @ Layout::Scalar(_), Layout::None) => Layout::Option {
                item: Box::new(scalar),
                none: true,
            },
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
}

#[cold]
fn none_among_scalars() -> Layout {
    misfit(
        ErrorKind::InvalidValue,
        "found None among scalars, expected all of them to be Some".into(),
        SCALAR_OPTIONS,
    )
}

/// What two Options hold, the first of them `a`; that of which only None has come may be anything. A None that would have
/// been NaN is one of those where there is a mask.
fn join_options(a: Layout, b: Layout, none: bool) -> Layout {
    const NAN: ScalarLayout = ScalarLayout::Nan;
    let item = match (a, b) {
        (Layout::None | Layout::Scalar(NAN), item) | (item, Layout::None | Layout::Scalar(NAN)) => item,
        (a, b) => a.join(b),
    };
    match item {
        Layout::Group | Layout::Misfit(_) => item,
        item => Layout::Option {
            item: Box::new(item),
            none,
        },
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
        (a, b) => match (mixed(a), mixed(b)) {
            (Some(a), Some(b)) => ScalarLayout::Mixed(a.and(b)),
            _ => return Layout::Misfit(unequal(a.dtype(), b.dtype())),
        },
    })
}

/// A number that may be mixed with others.
fn mixed(leaf: ScalarLayout) -> Option<Mixed> {
    match leaf {
        ScalarLayout::Number(number) => Mixed::of(number),
        ScalarLayout::Mixed(mixed) => Some(mixed),
        _ => None,
    }
}

/// Elements of unequal kinds, which are a list.
pub(crate) fn unequal(expected: impl std::fmt::Display, found: impl std::fmt::Display) -> Misfit {
    Misfit {
        kind: ErrorKind::MixedTypes,
        index: Vec::new(),
        message: format!("found {found}, expected {expected} as in the elements before"),
        hint: UNEQUAL_KINDS,
        list: true,
    }
}

type Axis = (u64, Box<Layout>, bool);

fn join_axes((a, x, s): Axis, (b, y, t): Axis) -> Layout {
    let unknown = x.is_unknown() || y.is_unknown();
    let item = match x.join(*y) {
        Layout::Group => return Layout::Group,
        Layout::Option { item, none: true } if item.is_scalar() => none_among_scalars(),
        // A tuple whose items are of two kinds of numbers is a record, and no axis.
        item if (s || t) && item.has_mixed() => return Layout::Group,
        Layout::Misfit(misfit) if misfit.list => return Layout::Misfit(misfit),
        item => item,
    };
    if a != b {
        // Tuples of unequal lengths are unequal types; sequences are one type. Of nothing but None it is not known whether
        // they are elements of an array.
        if s && t || unknown {
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
pub(crate) const SCALAR_OPTIONS: &str =
    "use `with::nan` for floats, `with::masked` for any, or a list of their own with `with::list`";

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
        // What is an Option in one record and none in another is of two types; a None that would have been NaN is one.
        if x.is_masked() != y.is_masked() && !x.is_nan() && !y.is_nan() {
            return Layout::Group;
        }
        match x.join(y) {
            Layout::Group => return Layout::Group,
            Layout::Misfit(misfit) => return Layout::Misfit(misfit),
            layout => fields.push((name, layout)),
        }
    }
    if tuple && fields.iter().any(|(_, item)| item.has_mixed()) && may_be_axis(&fields) {
        return Layout::Group;
    }
    Layout::Record { fields, tuple }
}

/// Whether a tuple of such items, each of a kind that has been met in its place, may be of one kind, and so an axis.
fn may_be_axis(items: &[(Cow<'static, str>, Layout)]) -> bool {
    let kinds = |item: &Layout| match item {
        Layout::Scalar(leaf) => mixed(*leaf),
        _ => None,
    };
    let mut all = items.iter().map(|(_, item)| kinds(item));
    match all.next() {
        Some(Some(first)) => all
            .try_fold(first, |common, kinds| kinds.and_then(|kinds| common.common(kinds)))
            .is_some(),
        _ => {
            let one = items.iter().map(|(_, item)| item.clone()).reduce(Layout::join);
            !matches!(one, Some(Layout::Group | Layout::Misfit(_)))
        }
    }
}

pub(crate) fn misfit(kind: ErrorKind, message: String, hint: &'static str) -> Layout {
    Layout::Misfit(Misfit {
        kind,
        index: Vec::new(),
        message,
        hint,
        list: false,
    })
}
