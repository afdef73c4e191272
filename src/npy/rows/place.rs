//! A row into an array whose dtype is decided already: by a file that grows, or by the header it was created with.
//!
//! ```text
//! push(&Step { id: 7, t: 0.5 })       id <u4 │ t <f4             the row as it would be written by itself
//! the file has t >f8, id <i2, pad     t >f8 │ id <i2 │ padding   each value converted as on reading, in its place
//! ```

mod leaf;

use self::leaf::{Leaf, plan_for};
use crate::error::{Error, ErrorKind, Result};
use crate::format::dtype::{Dtype, Kind, Masked, Record};
use crate::io::source::in_memory;
use crate::npy::de::plan::Plan;
use crate::npy::layout::scalar::ScalarLayout;
use crate::npy::layout::tree::Layout;
use crate::npy::ser::slots::put_none;
use crate::npy::whole::Number;

/// The elements of an array that a part of the row goes to: those along `axes`, outermost first.
#[derive(Clone, Copy)]
pub(super) struct Target<'f> {
    pub(super) axes: &'f [u64],
    pub(super) dtype: &'f Dtype,
}

impl<'f> Target<'f> {
    /// The first axis, and what lies along it.
    fn split(self) -> Option<(u64, Target<'f>)> {
        match (self.axes, &self.dtype.kind) {
            ([len, axes @ ..], _) => Some((*len, Target { axes, ..self })),
            ([], Kind::Array { item, shape }) => Target {
                axes: shape,
                dtype: item,
            }
            .split(),
            _ => None,
        }
    }

    /// What each element is, if there are no axes.
    fn element(self) -> Option<&'f Dtype> {
        match (self.axes, &self.dtype.kind) {
            ([], Kind::Array { item, shape }) => Target {
                axes: shape,
                dtype: item,
            }
            .element(),
            ([], _) => Some(self.dtype),
            _ => None,
        }
    }

    fn size(self) -> u64 {
        let count = self.axes.iter().fold(1_u64, |n, &len| n.saturating_mul(len));
        count.saturating_mul(self.dtype.itemsize())
    }
}

/// How the packed bytes of a row get into their places.
pub(super) enum Step {
    Leaf(Leaf),
    /// One after the other, each in the next `stride` bytes.
    Repeat {
        len: u64,
        stride: u64,
        item: Box<Step>,
    },
    /// In the order of the row, within `size` bytes.
    Fields {
        size: u64,
        fields: Vec<FieldStep>,
    },
    Option(Box<OptionStep>),
}

/// A value that may be None.
pub(super) struct OptionStep {
    item: FieldStep,
    /// Whether the row has a mask behind the value; without one, all are Some.
    masked: bool,
    /// Where the mask is in the file, which may have none: then all have to be Some.
    mask: Option<u64>,
    /// How many bytes hold value and mask in the file.
    size: u64,
    /// How many bytes of the row hold the value.
    packed: u64,
    /// What stands for None in the file, in the place of the value.
    none: Vec<u8>,
}

/// A field of a record, or an item of a tuple, which has no name.
pub(super) struct FieldStep {
    name: Option<String>,
    offset: u64,
    step: Step,
}

/// The row is not of the dtype or shape that is expected.
pub(super) struct Unfit;

/// How a row laid out as `layout` gets into its place; `layout` becomes the form in which the row is to be encoded.
pub(super) fn plan(layout: &mut Layout, target: Target<'_>) -> Result<Step, Unfit> {
    if let Layout::Axis { len, item, tuple: true } = layout
        && let Some(Kind::Record(record)) = target.element().map(|dtype| &dtype.kind)
        && record.fields.len() as u64 == *len
    {
        let fields = (0..*len).map(|i| (format!("f{i}").into(), (**item).clone()));
        *layout = Layout::Record {
            fields: fields.collect(),
            tuple: true,
        };
    }
    let masked = match target.element().map(|dtype| &dtype.kind) {
        Some(Kind::Masked(masked)) => Some(&**masked),
        _ => None,
    };
    if masked.is_some() || matches!(layout, Layout::Option { .. }) {
        return option(layout, masked, target);
    }
    match layout {
        Layout::Axis { len, item, .. } => along(&[*len], item, target),
        Layout::Ndarray { shape, item } => along(shape, item, target),
        Layout::Record { fields, tuple: true } if target.element().is_none() => {
            let (len, rest) = target.split().ok_or(Unfit)?;
            if fields.len() as u64 != len {
                return Err(Unfit);
            }
            let stride = rest.size();
            let mut steps = Vec::with_capacity(fields.len());
            for (offset, (_, field)) in (0..).map(|i| i * stride).zip(fields) {
                steps.push(FieldStep {
                    name: None,
                    offset,
                    step: plan(field, rest)?,
                });
            }
            Ok(Step::Fields {
                size: target.size(),
                fields: steps,
            })
        }
        Layout::Record { fields, tuple } => {
            let Some(Kind::Record(record)) = target.element().map(|dtype| &dtype.kind) else {
                return Err(Unfit);
            };
            if fields.len() != record.fields.len() {
                return Err(Unfit);
            }
            let mut steps = Vec::with_capacity(fields.len());
            for (index, (name, field)) in fields.iter_mut().enumerate() {
                let index = if *tuple {
                    index
                } else {
                    position(record, name).ok_or(Unfit)?
                };
                let (axes, into) = (&[][..], &record.fields[index]);
                let dtype = &into.dtype;
                steps.push(FieldStep {
                    name: (!*tuple).then(|| into.name.clone()),
                    offset: into.offset,
                    step: plan(field, Target { axes, dtype })?,
                });
            }
            Ok(Step::Fields {
                size: record.itemsize,
                fields: steps,
            })
        }
        Layout::Scalar(leaf) => scalar(leaf, target),
        Layout::Unit | Layout::None => Leaf::of(Dtype::void(0), 0, target.element().ok_or(Unfit)?),
        Layout::Option { .. } | Layout::Empty(_) | Layout::Group | Layout::Misfit(_) => Err(Unfit),
    }
}

/// A value that may be None, in the row, in the file, or in both.
fn option(layout: &mut Layout, masked: Option<&Masked>, target: Target<'_>) -> Result<Step, Unfit> {
    // What a None would have been is told by the file.
    let known = || masked.and_then(|masked| Layout::of_dtype(masked.element()));
    match layout {
        Layout::None => {
            *layout = Layout::Option {
                item: Box::new(known().ok_or(Unfit)?),
                none: true,
            }
        }
        Layout::Option { item, .. } if matches!(**item, Layout::None) => **item = known().ok_or(Unfit)?,
        _ => {}
    }
    let (item, has_mask) = match layout {
        Layout::Option { item, .. } => (&mut **item, true),
        layout => (layout, false),
    };
    let Some(masked) = masked else {
        let step = OptionStep {
            packed: item.size(),
            item: FieldStep {
                name: None,
                offset: 0,
                step: plan(item, target)?,
            },
            masked: has_mask,
            mask: None,
            size: target.size(),
            none: Vec::new(),
        };
        return Ok(Step::Option(Box::new(step)));
    };
    let into = Target {
        axes: &[],
        dtype: masked.element(),
    };
    let mut none = vec![0; in_memory(into.size())];
    if let Some(mut stated) = Layout::of_dtype(into.dtype)
        && let Ok(step) = plan(&mut stated, into)
    {
        let mut packed = Vec::new();
        put_none(&stated, &mut packed);
        // Nothing is converted that could fail.
        let _ = step.place(&packed, &mut none);
    }
    let step = plan(item, into)?;
    Ok(Step::Option(Box::new(OptionStep {
        packed: item.size(),
        item: FieldStep {
            name: None,
            offset: masked.value.offset + masked.inset(),
            step,
        },
        masked: has_mask,
        mask: Some(masked.mask.offset),
        size: masked.size,
        none,
    })))
}

impl OptionStep {
    fn put(&self, row: &mut &[u8], into: &mut [u8], plan: &Plan) -> Result<()> {
        let mut value = row;
        let start = in_memory(self.item.offset);
        let there = !self.masked || value.get(in_memory(self.packed)) != Some(&0);
        match (there, self.mask) {
            (true, mask) => {
                self.item.step.put(value, &mut into[start..], plan)?;
                if let Some(mask) = mask {
                    into[in_memory(mask)] = 1;
                }
            }
            (false, Some(_)) => {
                into[start..start + self.none.len()].copy_from_slice(&self.none);
                value = skipped(value, self.packed);
            }
            (false, None) => {
                return Err(Error::new(
                    ErrorKind::InvalidValue,
                    "found None for a value without a mask in the file, expected Some",
                ));
            }
        }
        if self.masked {
            skipped(value, 1);
        }
        Ok(())
    }

    /// As [`Step::packed`].
    fn packed(&self) -> Option<u64> {
        let size = self.item.step.packed()?;
        let as_it_is = self.masked && self.item.offset == 0 && self.mask == Some(size) && self.size == size + 1;
        as_it_is.then_some(self.size)
    }
}

/// The row without its next `n` bytes.
fn skipped<'r, 'b>(row: &'r mut &'b [u8], n: u64) -> &'r mut &'b [u8] {
    *row = row.get(in_memory(n)..).unwrap_or_default();
    row
}

/// The field of this name, or of this title.
fn position(record: &Record, name: &str) -> Option<usize> {
    let named = record.fields.iter().position(|field| field.name == name);
    named.or_else(|| {
        record
            .fields
            .iter()
            .position(|field| field.title.as_deref() == Some(name))
    })
}

/// The elements along the axes of `shape`.
fn along(shape: &[u64], item: &mut Layout, target: Target<'_>) -> Result<Step, Unfit> {
    let count: u64 = shape.iter().product();
    if let (&[len], Layout::Scalar(ScalarLayout::Number(Number::U8)), Some(dtype)) = (shape, &*item, target.element())
        && let Kind::Void { .. } = dtype.kind
    {
        return Leaf::of(Dtype::void(len), len, dtype);
    }
    let halves;
    let mut rest = target;
    if let (&[2], Some(Kind::Complex { size, order })) = (shape, target.element().map(|dtype| &dtype.kind)) {
        halves = Dtype::new(Kind::Float {
            size: size / 2,
            order: *order,
        });
        rest = Target {
            axes: &[],
            dtype: &halves,
        };
    } else {
        for &len in shape {
            let (expected, inner) = rest.split().ok_or(Unfit)?;
            if len != expected {
                return Err(Unfit);
            }
            rest = inner;
        }
    }
    Ok(Step::Repeat {
        len: count,
        stride: rest.size(),
        item: Box::new(match count {
            // Rows without an element fit any type.
            0 => Step::nothing(),
            _ => plan(item, rest)?,
        }),
    })
}

fn scalar(leaf: &mut ScalarLayout, target: Target<'_>) -> Result<Step, Unfit> {
    let Some(dtype) = target.element() else {
        let (len, rest) = target.split().ok_or(Unfit)?;
        let item = rest.element().ok_or(Unfit)?;
        return match *leaf {
            ScalarLayout::Raw(size) if size == len && item.kind == Dtype::uint(1).kind => {
                Leaf::of(Dtype::void(len), len, &Dtype::void(len))
            }
            ScalarLayout::Number(number @ (Number::C64 | Number::C128)) if len == 2 => {
                let half = if number == Number::C64 {
                    Number::F32
                } else {
                    Number::F64
                };
                Ok(Step::Repeat {
                    len,
                    stride: rest.size(),
                    item: Box::new(Leaf::of(half.dtype(), half.size(), item)?),
                })
            }
            _ => Err(Unfit),
        };
    };
    *leaf = widened(*leaf, dtype);
    Leaf::of(leaf.dtype(), leaf.size(), dtype)
}

/// A scalar with what the file decides and not the row: how wide texts are, and of which float a NaN for None is.
fn widened(leaf: ScalarLayout, dtype: &Dtype) -> ScalarLayout {
    match (leaf, &dtype.kind) {
        // A character takes a byte at least.
        (
            ScalarLayout::Str { text, .. },
            &(Kind::Str { len: width, .. } | Kind::Bytes { len: width } | Kind::Void { len: width }),
        ) => ScalarLayout::Str { width, text },
        (ScalarLayout::Bytes(_), &Kind::Bytes { len }) => ScalarLayout::Bytes(len),
        (ScalarLayout::Bytes(_), &Kind::Str { len, .. }) => ScalarLayout::Bytes(len.saturating_mul(4)),
        (ScalarLayout::Nan, Kind::Float { .. }) => ScalarLayout::Number(Number::of(dtype).unwrap_or(Number::F64)),
        (leaf, _) => leaf,
    }
}

impl Step {
    fn nothing() -> Step {
        Step::Fields {
            size: 0,
            fields: Vec::new(),
        }
    }

    /// The bytes of the row that this takes, if it leaves them as they are.
    pub(super) fn packed(&self) -> Option<u64> {
        match self {
            Step::Leaf(leaf) => leaf.is_same().then_some(leaf.size),
            Step::Repeat { len, stride, item } => item
                .packed()
                .filter(|size| size == stride || *len == 0)
                .map(|size| size.saturating_mul(*len)),
            Step::Fields { size, fields } => {
                let mut end = 0;
                for field in fields {
                    if field.offset != end {
                        return None;
                    }
                    end += field.step.packed()?;
                }
                (end == *size).then_some(end)
            }
            Step::Option(option) => option.packed(),
        }
    }

    /// Puts a packed row into its place, which is zero.
    pub(super) fn place(&self, mut row: &[u8], into: &mut [u8]) -> Result<()> {
        self.put(&mut row, into, &plan_for(&Dtype::bool()))
    }

    fn put(&self, row: &mut &[u8], into: &mut [u8], plan: &Plan) -> Result<()> {
        match self {
            Step::Option(option) => option.put(row, into, plan),
            Step::Leaf(leaf) => {
                let (bytes, rest) = row.split_at(in_memory(leaf.size).min(row.len()));
                *row = rest;
                leaf.put(bytes, &mut into[..in_memory(leaf.to.itemsize())], plan)
            }
            Step::Repeat { len, stride, item } => {
                let stride = in_memory(*stride);
                (0..in_memory(*len)).try_for_each(|i| {
                    let put = item.put(row, &mut into[i * stride..(i + 1) * stride], plan);
                    put.map_err(|error| error.at_index(i as u64))
                })
            }
            Step::Fields { fields, .. } => fields.iter().enumerate().try_for_each(|(index, field)| {
                let put = field.step.put(row, &mut into[in_memory(field.offset)..], plan);
                put.map_err(|error| match &field.name {
                    Some(name) => error.at_field(name),
                    None => error.at_index(index as u64),
                })
            }),
        }
    }
}
