//! What a measuring walk finds: the layout of a value as a tree.

mod join;

use std::borrow::Cow;

pub(crate) use self::join::{Misfit, UNEQUAL_KINDS, ragged, unequal};
use self::join::{SCALAR_OPTIONS, misfit};
use crate::error::{Error, ErrorKind, Result};
use crate::format::dtype::{Dtype, Kind, MASK, VALUE, Wide, halves};
use crate::format::header::Header;
use crate::npy::layout::scalar::ScalarLayout;
use crate::npy::layout::tally::{Tally, Thing};
use crate::npy::whole::{Element, Number, Whole};

/// The layout of one value.
#[derive(Clone, Debug)]
pub(crate) enum Layout {
    /// Fixed size, without parts.
    Scalar(ScalarLayout),
    /// An Option around something of fixed size, and whether a None has come: the value, and a mask that is True where
    /// there is one.
    Option { item: Box<Layout>, none: bool },
    /// `()`, a unit struct: `|V0`.
    Unit,
    /// The None of an Option whose content nobody has seen.
    None,
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

impl Layout {
    /// Whether all that is inside of nested sequences is of one scalar or record.
    pub(crate) fn is_uniform(&self) -> bool {
        match self {
            Layout::Axis { item, .. } | Layout::Option { item, .. } => item.is_uniform(),
            layout => matches!(layout, Layout::Scalar(_) | Layout::Record { .. }),
        }
    }

    /// Whether numbers of several kinds are to become one.
    pub(crate) fn has_mixed(&self) -> bool {
        self.any_leaf(|leaf| matches!(leaf, ScalarLayout::Mixed(_)))
    }

    /// Whether no one kind holds all numbers in a place where there are several.
    pub(crate) fn has_irreconcilable(&self) -> bool {
        self.any_leaf(|leaf| matches!(leaf, ScalarLayout::Mixed(mixed) if mixed.number().is_none()))
    }

    fn any_leaf(&self, is: fn(&ScalarLayout) -> bool) -> bool {
        match self {
            Layout::Scalar(leaf) => is(leaf),
            Layout::Axis { item, .. } | Layout::Ndarray { item, .. } | Layout::Option { item, .. } => item.any_leaf(is),
            Layout::Record { fields, .. } => fields.iter().any(|(_, field)| field.any_leaf(is)),
            _ => false,
        }
    }

    /// The layout of an array of this value alone, where Some(x) is x.
    pub(crate) fn alone(&self) -> &Layout {
        static NONE: Layout = Layout::None;
        match self {
            Layout::Option { none: true, .. } => &NONE,
            Layout::Option { item, .. } => item,
            layout => layout,
        }
    }

    /// The layout as that of an element of a sequence, where an Option of a scalar has no mask: all of them have to be
    /// Some.
    pub(crate) fn into_element(self) -> Layout {
        match self {
            Layout::Option { item, none: false } if item.is_scalar() => *item,
            Layout::Option { item, none: true } if item.is_scalar() => misfit(
                ErrorKind::InvalidValue,
                "found only None among optional scalars, expected all of them to be Some".into(),
                SCALAR_OPTIONS,
            ),
            Layout::None => Layout::Option {
                item: Box::new(Layout::None),
                none: true,
            },
            layout => layout,
        }
    }

    pub(crate) fn is_scalar(&self) -> bool {
        matches!(self, Layout::Scalar(_))
    }

    /// Whether this is an Option, which has a mask as the field of a record.
    pub(crate) fn is_masked(&self) -> bool {
        matches!(self, Layout::None | Layout::Option { .. })
    }

    /// Whether this is the None of a type that nothing else is known of, inside `with::nan`.
    fn is_nan(&self) -> bool {
        matches!(self, Layout::Scalar(ScalarLayout::Nan))
    }

    /// Whether a value of this layout has been None.
    fn has_none(&self) -> bool {
        matches!(self, Layout::None | Layout::Option { none: true, .. })
    }

    /// Whether this has its masks, and the parts of which nothing but None has come, where `other` has them; the two are
    /// alike in all else.
    pub(crate) fn has_masks_of(&self, other: &Layout) -> bool {
        match (self, other) {
            (Layout::Option { item: a, .. }, Layout::Option { item: b, .. })
            | (Layout::Axis { item: a, .. }, Layout::Axis { item: b, .. })
            | (Layout::Ndarray { item: a, .. }, Layout::Ndarray { item: b, .. }) => a.has_masks_of(b),
            (Layout::Record { fields: a, .. }, Layout::Record { fields: b, .. }) => {
                a.iter().zip(b).all(|((_, a), (_, b))| a.has_masks_of(b))
            }
            (Layout::None, Layout::None) => true,
            (Layout::Option { .. } | Layout::None, _) | (_, Layout::Option { .. } | Layout::None) => false,
            _ => true,
        }
    }

    /// Whether nothing but None has come as an element of this layout.
    fn is_unknown(&self) -> bool {
        matches!(self, Layout::Option { item, .. } if matches!(**item, Layout::None))
    }

    /// Whether every value of this layout takes the same number of bytes, whatever it holds.
    pub(crate) fn is_fixed(&self) -> bool {
        matches!(
            self,
            Layout::Scalar(_)
                | Layout::Option { .. }
                | Layout::Unit
                | Layout::None
                | Layout::Record { .. }
                | Layout::Axis { tuple: true, .. }
        )
    }

    /// A copy of this layout for texts that have been counted already.
    pub(crate) fn without_texts(&self) -> Layout {
        fn forget(layout: &mut Layout) {
            match layout {
                Layout::Scalar(ScalarLayout::Str { text, .. }) => *text = 0,
                Layout::Axis { item, .. } | Layout::Ndarray { item, .. } | Layout::Option { item, .. } => forget(item),
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

    /// What a walk along a value of this layout meets, if no Option in it is None.
    pub(crate) fn tally(&self) -> Tally {
        let none = Tally::default();
        match self {
            Layout::Scalar(leaf) => none.and(leaf.thing()),
            Layout::Option { item, .. } => item.tally(),
            Layout::Axis { len, item, .. } => item.tally().repeated(*len),
            Layout::Record { fields, tuple } => fields.iter().fold(
                none.and(if *tuple { Thing::Sequence } else { Thing::Struct }),
                |mut all, (_, layout)| {
                    all.add_all(layout.tally());
                    all
                },
            ),
            Layout::Unit => none.and(Thing::Unit),
            Layout::None => none.and(Thing::None),
            Layout::Empty(_) | Layout::Ndarray { .. } | Layout::Group | Layout::Misfit(_) => none,
        }
    }

    /// The bytes of one value of this layout.
    pub(crate) fn size(&self) -> u64 {
        match self {
            Layout::Scalar(leaf) => leaf.size(),
            Layout::Option { item, .. } => item.size().saturating_add(1),
            Layout::Axis { len, item, .. } => len.saturating_mul(item.size()),
            Layout::Ndarray { shape, item } => shape.iter().fold(item.size(), |n, &len| n.saturating_mul(len)),
            Layout::Record { fields, .. } => fields.iter().fold(0, |n, (_, layout)| layout.size().saturating_add(n)),
            Layout::Unit | Layout::None | Layout::Empty(_) | Layout::Group | Layout::Misfit(_) => 0,
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
        let (shape, item) = self.alone().peel();
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

    /// The layout of which elements of this dtype are, in our order; its masks are [`Kind::Masked`].
    pub(crate) fn of_dtype(dtype: &Dtype) -> Option<Layout> {
        let leaf = match &dtype.kind {
            Kind::Str { len, .. } => ScalarLayout::Str { width: *len, text: 0 },
            Kind::Bytes { len } => ScalarLayout::Bytes(*len),
            Kind::Void { len: 0 } => return Some(Layout::Unit),
            Kind::Void { len } => ScalarLayout::Raw(*len),
            Kind::Bf16 => ScalarLayout::Bf16,
            Kind::Datetime { unit, .. } => ScalarLayout::Datetime(*unit),
            Kind::Timedelta { unit, .. } => ScalarLayout::Timedelta(*unit),
            Kind::Record(record) if let Some([_, hi]) = halves(record) => {
                let signed = matches!(hi.dtype.kind, Kind::Int { .. });
                ScalarLayout::Wide(if signed { Wide::I128 } else { Wide::U128 })
            }
            Kind::Record(record) => {
                let fields = record.fields.iter();
                let fields = fields.map(|field| Some((field.name.clone().into(), Layout::of_dtype(&field.dtype)?)));
                return Some(Layout::Record {
                    fields: fields.collect::<Option<_>>()?,
                    tuple: (0..).zip(&record.fields).all(|(i, field)| field.name == item_name(i)),
                });
            }
            Kind::Array { item, shape } => {
                return shape.iter().rev().try_fold(Layout::of_dtype(item)?, |item, &len| {
                    Some(Layout::Axis {
                        len,
                        item: Box::new(item),
                        tuple: true,
                    })
                });
            }
            Kind::Masked(masked) => {
                return Some(Layout::Option {
                    item: Box::new(Layout::of_dtype(masked.element())?),
                    none: true,
                });
            }
            _ => ScalarLayout::Number(Number::of(dtype)?),
        };
        Some(Layout::Scalar(leaf))
    }

    /// The header of an array of `shape` whose elements are of this layout.
    pub(crate) fn header_of_elements(&self, shape: Vec<u64>) -> Result<Header> {
        Header::new(self.dtype()?, shape, false)
    }

    fn dtype(&self) -> Result<Dtype> {
        match self {
            Layout::Scalar(leaf) => Ok(leaf.dtype()),
            Layout::Empty(element) => Ok(element.map_or_else(|| Dtype::float(8), Element::dtype)),
            Layout::Axis { .. } | Layout::Ndarray { .. } => {
                let (shape, item) = self.peel();
                let mut dtype = item.dtype()?;
                for &len in shape.iter().rev() {
                    dtype = Dtype::array(dtype, len)?;
                }
                Ok(dtype)
            }
            Layout::Record { fields, .. } => Dtype::record(masked_fields(fields)?),
            Layout::Option { item, .. } => {
                let mut fields = match &**item {
                    Layout::Record { fields, .. } => masked_fields(fields)?,
                    Layout::None => Vec::new(),
                    item => vec![(VALUE.to_owned(), item.dtype()?)],
                };
                if fields.iter().any(|(name, _)| name == MASK) {
                    return Err(taken_by_mask(MASK));
                }
                fields.push((MASK.to_owned(), Dtype::bool()));
                Dtype::record(fields)
            }
            Layout::Unit | Layout::None | Layout::Group | Layout::Misfit(_) => Ok(Dtype::void(0)),
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
            Layout::Option { item, .. } => item.check_text(count),
            Layout::Record { fields, .. } => fields
                .iter()
                .try_for_each(|(name, layout)| layout.check_text(count).map_err(|e| e.at_field(name))),
            _ => Ok(()),
        }
    }
}

/// The name of an item of a tuple that is a record.
pub(crate) fn item_name(index: usize) -> String {
    format!("f{index}")
}

/// The fields of a record, each Option with its mask behind it.
fn masked_fields(fields: &[(Cow<'static, str>, Layout)]) -> Result<Vec<(String, Dtype)>> {
    let mut masked = Vec::with_capacity(fields.len());
    for (name, layout) in fields {
        if let Some(stem) = name.strip_suffix(MASK) {
            check_mask_name(fields, name, stem, layout)?;
        }
        let dtype = match layout {
            Layout::Option { item, .. } => item.dtype(),
            layout => layout.dtype(),
        };
        masked.push((name.clone().into_owned(), dtype.map_err(|e| e.at_field(name))?));
        if let Layout::Option { .. } = layout {
            masked.push((format!("{name}{MASK}"), Dtype::bool()));
        }
    }
    Ok(masked)
}

/// An error for a field that would be read as the mask of another one, or has the name of its mask.
fn check_mask_name(fields: &[(Cow<'static, str>, Layout)], name: &str, stem: &str, layout: &Layout) -> Result<()> {
    let is_bool = |layout: &Layout| matches!(layout, Layout::Scalar(ScalarLayout::Number(Number::Bool)));
    let is_bool = match layout {
        Layout::Option { item, .. } => is_bool(item),
        layout => is_bool(layout),
    };
    let masks = match fields.iter().find(|(name, _)| name == stem) {
        Some((_, Layout::Option { .. })) => true,
        Some(_) => is_bool,
        None => stem.is_empty() && is_bool,
    };
    if masks { Err(taken_by_mask(name)) } else { Ok(()) }
}

#[cold]
fn taken_by_mask(name: &str) -> Error {
    Error::new(
        ErrorKind::InvalidName,
        format_args!(
            "found a field named {name:?}, expected another name: this is that of a mask, which tells of another value \
             whether it is there"
        ),
    )
    .with_hint("`#[serde(rename = \"..\")]` gives it another name")
}
