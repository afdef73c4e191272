//! What a measuring walk finds: the layout of a value as a tree, and the union of two of them.

use std::borrow::Cow;

use crate::error::{Error, ErrorKind, Result};
use crate::format::dtype::Dtype;
use crate::format::header::Header;
use crate::npy::layout::scalar::Leaf;
use crate::npy::layout::tally::{Tally, Thing};
use crate::npy::whole::{Element, Whole};

/// The layout of one value.
#[derive(Clone, Debug)]
pub(crate) enum Node {
    /// Fixed size, without parts.
    Leaf(Leaf),
    /// The Some of an Option around a scalar: of fixed size only where all of a sequence are.
    Maybe(Leaf),
    /// `()`, a unit struct: `|V0`.
    Unit,
    /// The None of an Option whose content nobody has seen; `scalar` where its type tells that it is one.
    None { scalar: bool },
    /// One more axis; a tuple's is of fixed size, a sequence's is not.
    Axis { len: u64, item: Box<Node>, tuple: bool },
    /// The item of an axis of length 0.
    Empty(Option<Element>),
    /// Named fields, each of fixed size; a tuple's are f0, f1, ..
    Record {
        fields: Vec<(Cow<'static, str>, Node)>,
        tuple: bool,
    },
    /// An ndarray: its own axes, which are not one with those around it.
    Ndarray { shape: Vec<u64>, item: Box<Node> },
    /// Anything that takes more than one member.
    Group,
    /// No array, and no list either.
    Fault(Fault),
}

/// Why elements do not form one array.
#[derive(Clone, Debug)]
pub(crate) struct Fault {
    kind: ErrorKind,
    index: Vec<u64>,
    message: String,
}

impl Fault {
    pub(crate) fn into_error(self) -> Error {
        let mut error = Error::new(self.kind, self.message);
        for index in self.index.into_iter().rev() {
            error = error.at_index(index);
        }
        error
    }
}

impl Node {
    /// Whether all that is inside of nested sequences is of one scalar or record.
    pub(crate) fn is_uniform(&self) -> bool {
        match self {
            Node::Axis { item, .. } => item.is_uniform(),
            node => matches!(node, Node::Leaf(_) | Node::Record { .. }),
        }
    }

    /// A layout that is not inside a struct or tuple, where an Option of a scalar is no more than the scalar.
    pub(crate) fn settled(self) -> Node {
        match self {
            Node::Maybe(leaf) => Node::Leaf(leaf),
            node => node,
        }
    }

    /// Whether every value of this layout takes the same number of bytes, whatever it holds.
    pub(crate) fn is_fixed(&self) -> bool {
        matches!(
            self,
            Node::Leaf(_) | Node::Unit | Node::Record { .. } | Node::Axis { tuple: true, .. }
        )
    }

    /// A copy of this layout for texts that have been counted already.
    pub(crate) fn without_texts(&self) -> Node {
        fn forget(node: &mut Node) {
            match node {
                Node::Leaf(Leaf::Str { text, .. }) | Node::Maybe(Leaf::Str { text, .. }) => *text = 0,
                Node::Axis { item, .. } | Node::Ndarray { item, .. } => forget(item),
                Node::Record { fields, .. } => fields.iter_mut().for_each(|(_, node)| forget(node)),
                _ => {}
            }
        }
        let mut node = self.clone();
        forget(&mut node);
        node
    }

    /// Whether the item of an empty axis stays the same beside `other`, the item of another one.
    pub(crate) fn holds_empty(&self, other: &Node) -> bool {
        match (self, other) {
            // Of two empty sequences the first tells the type.
            (Node::Empty(None), Node::Empty(Some(_))) => false,
            (_, Node::Empty(_)) => true,
            (Node::Leaf(a), Node::Leaf(b)) => a == b,
            _ => false,
        }
    }

    /// Whether this is the layout of the elements of a slice that is not empty.
    pub(crate) fn is_of(&self, whole: &Whole<'_>) -> bool {
        let number = match (self, whole.row) {
            (node, None) => node,
            (Node::Axis { len, item, tuple: true }, Some(row)) if *len == row as u64 => item,
            _ => return false,
        };
        whole.len > 0 && matches!(number, Node::Leaf(Leaf::Number(number)) if *number == whole.number)
    }

    /// What a walk along a value of this layout meets.
    pub(crate) fn tally(&self) -> Tally {
        let none = Tally::default();
        match self {
            Node::Leaf(leaf) | Node::Maybe(leaf) => none.and(leaf.thing()),
            Node::Axis { len, item, .. } => item.tally().repeated(*len),
            Node::Record { fields, tuple } => fields.iter().fold(
                none.and(if *tuple { Thing::Sequence } else { Thing::Struct }),
                |mut all, (_, node)| {
                    all.add_all(node.tally());
                    all
                },
            ),
            Node::Unit => none.and(Thing::Unit),
            Node::None { .. } => none.and(Thing::None),
            Node::Empty(_) | Node::Ndarray { .. } | Node::Group | Node::Fault(_) => none,
        }
    }

    /// The bytes of one value of this layout.
    pub(crate) fn size(&self) -> u64 {
        match self {
            Node::Leaf(leaf) | Node::Maybe(leaf) => leaf.size(),
            Node::Axis { len, item, .. } => len.saturating_mul(item.size()),
            Node::Ndarray { shape, item } => shape.iter().fold(item.size(), |n, &len| n.saturating_mul(len)),
            Node::Record { fields, .. } => fields.iter().fold(0, |n, (_, node)| node.size().saturating_add(n)),
            Node::Unit | Node::None { .. } | Node::Empty(_) | Node::Group | Node::Fault(_) => 0,
        }
    }

    /// The layout that holds both `self`, seen so far, and `other`, the element `index`.
    pub(crate) fn union(self, other: Node, index: u64) -> Node {
        match (self, other) {
            // Found before, at an index of its own.
            (found @ Node::Fault(_), Node::Group) => found.join(Node::Group),
            (found @ Node::Fault(_), _) => found,
            (node, other) => match node.join(other) {
                Node::Fault(mut fault) => {
                    fault.index.insert(0, index);
                    Node::Fault(fault)
                }
                node => node,
            },
        }
    }

    fn join(self, other: Node) -> Node {
        match (self, other) {
            (Node::Group, _) | (_, Node::Group) => Node::Group,
            (Node::Fault(fault), _) | (_, Node::Fault(fault)) => Node::Fault(fault),
            (Node::Empty(None), node) | (node, Node::Empty(_)) | (Node::Empty(_), node) => node,
            (Node::Leaf(a), Node::Leaf(b)) => join_leaves(a, b),
            (Node::Maybe(a), Node::Maybe(b) | Node::Leaf(b)) | (Node::Leaf(a), Node::Maybe(b)) => {
                match join_leaves(a, b) {
                    Node::Leaf(leaf) => Node::Maybe(leaf),
                    fault => fault,
                }
            }
            (Node::Unit, Node::Unit) => Node::Unit,
            (Node::None { scalar: a }, Node::None { scalar: b }) => Node::None { scalar: a || b },
            (Node::None { .. }, Node::Leaf(_) | Node::Maybe(_))
            | (Node::Leaf(_) | Node::Maybe(_), Node::None { .. }) => fault(
                ErrorKind::InvalidValue,
                "found None among scalars, expected all of them to be Some: use `with::nan` for floats, or a list of \
                 their own with `with::list`"
                    .into(),
            ),
            (
                Node::Axis {
                    len: a,
                    item: x,
                    tuple: s,
                },
                Node::Axis {
                    len: b,
                    item: y,
                    tuple: t,
                },
            ) => join_axes((a, x, s), (b, y, t)),
            (Node::Record { fields: a, tuple: s }, Node::Record { fields: b, tuple: t }) => {
                let same = s == t && a.len() == b.len() && a.iter().zip(&b).all(|((x, _), (y, _))| x == y);
                if same { join_fields(a, b, s) } else { Node::Group }
            }
            _ => Node::Group,
        }
    }

    /// The axes of an array of this layout, outermost first, and what each element is.
    fn peel(&self) -> (Vec<u64>, &Node) {
        let mut shape = Vec::new();
        let mut node = self;
        loop {
            match node {
                Node::Axis { len, item, .. } => {
                    shape.push(*len);
                    node = item;
                }
                Node::Ndarray { shape: own, item } => {
                    shape.extend(own);
                    node = item;
                }
                _ => return (shape, node),
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
            Node::Leaf(leaf) | Node::Maybe(leaf) => Ok(leaf.dtype()),
            Node::Empty(element) => Ok(element.map_or_else(|| Dtype::float(8), Element::dtype)),
            Node::Axis { .. } | Node::Ndarray { .. } => {
                let (shape, item) = self.peel();
                let mut dtype = item.dtype()?;
                for &len in shape.iter().rev() {
                    dtype = Dtype::array(dtype, len)?;
                }
                Ok(dtype)
            }
            Node::Record { fields, .. } => {
                let fields = fields
                    .iter()
                    .map(|(name, node)| Ok((name.clone().into_owned(), node.dtype().map_err(|e| e.at_field(name))?)));
                Dtype::record(fields.collect::<Result<_>>()?)
            }
            Node::Unit | Node::None { .. } | Node::Group | Node::Fault(_) => Ok(Dtype::void(0)),
        }
    }

    /// A few long texts among many short ones would be padded beyond reason.
    fn check_text(&self, count: u64) -> Result<()> {
        match self {
            Node::Leaf(Leaf::Str { width, text }) => {
                let padded = width.saturating_mul(4).saturating_mul(count);
                if padded > 64 << 20 && padded / 50 > *text {
                    return Err(Error::new(
                        ErrorKind::LimitExceeded,
                        format_args!(
                            "found {count} texts of {text} bytes in all, the longest of {width} characters: padded to \
                             equal width they take {padded} bytes, expected at most 64 MiB or 50 times the text; use \
                             `with::ragged`"
                        ),
                    ));
                }
                Ok(())
            }
            Node::Axis { .. } | Node::Ndarray { .. } => {
                let (shape, item) = self.peel();
                item.check_text(shape.iter().fold(count, |n, &len| n.saturating_mul(len)))
            }
            Node::Record { fields, .. } => fields
                .iter()
                .try_for_each(|(name, node)| node.check_text(count).map_err(|e| e.at_field(name))),
            _ => Ok(()),
        }
    }
}

fn join_leaves(a: Leaf, b: Leaf) -> Node {
    Node::Leaf(match (a, b) {
        (Leaf::Str { width: v, text: s }, Leaf::Str { width: w, text: t }) => Leaf::Str {
            width: v.max(w),
            text: s.saturating_add(t),
        },
        (Leaf::Bytes(a), Leaf::Bytes(b)) => Leaf::Bytes(a.max(b)),
        (Leaf::Nan, float @ Leaf::Number(_)) | (float @ Leaf::Number(_), Leaf::Nan) => float,
        (Leaf::Raw(a), Leaf::Raw(b)) if a != b => {
            return fault(
                ErrorKind::Ragged,
                format!(
                    "found {b} bytes, expected {a} as in the elements before: use `with::ragged` or `with::list` for \
                     unequal lengths"
                ),
            );
        }
        (a, b) if a == b => a,
        (a, b) => {
            return fault(
                ErrorKind::MixedTypes,
                format!(
                    "found {}, expected {} as in the elements before: use `with::list` or `with::json` for elements of unequal kinds",
                    b.dtype(),
                    a.dtype()
                ),
            );
        }
    })
}

type Axis = (u64, Box<Node>, bool);

fn join_axes((a, x, s): Axis, (b, y, t): Axis) -> Node {
    let item = match x.join(*y) {
        Node::Group => return Node::Group,
        item => item,
    };
    if a != b {
        // Tuples of unequal lengths are unequal types; sequences are one type.
        if s && t {
            Node::Group
        } else {
            fault(ErrorKind::Ragged, ragged(b, a))
        }
    } else if let Node::Fault(fault) = item {
        Node::Fault(fault)
    } else {
        Node::Axis {
            len: a,
            item: Box::new(item),
            tuple: s && t,
        }
    }
}

pub(crate) fn ragged(found: u64, expected: u64) -> String {
    format!(
        "found {found} elements, expected {expected} as in the rows before: use `with::list` (one member per row) or \
         `with::ragged` (values and offsets) for rows of unequal lengths"
    )
}

fn join_fields(a: Vec<(Cow<'static, str>, Node)>, b: Vec<(Cow<'static, str>, Node)>, tuple: bool) -> Node {
    let mut fields = Vec::with_capacity(a.len());
    for ((name, x), (_, y)) in a.into_iter().zip(b) {
        match x.join(y) {
            Node::Group => return Node::Group,
            Node::Fault(fault) => return Node::Fault(fault),
            node => fields.push((name, node)),
        }
    }
    Node::Record { fields, tuple }
}

pub(crate) fn fault(kind: ErrorKind, message: String) -> Node {
    Node::Fault(Fault {
        kind,
        index: Vec::new(),
        message,
    })
}
