//! Whether a row fits the rows before it: those of this writer, or those of a file it adds to.

use crate::error::{Error, ErrorKind, Result};
use crate::format::dtype::{Dtype, Kind, Order, Tuple};
use crate::format::header::Header;
use crate::io::source::in_memory;
use crate::npy::layout::scalar::ScalarLayout;
use crate::npy::layout::tree::Layout;
use crate::npy::whole::Number;

/// The layout of a first row.
pub(super) fn first(layout: Layout) -> Result<Layout> {
    match layout {
        Layout::Misfit(misfit) => Err(misfit.into_error()),
        Layout::Group | Layout::None { .. } => Err(no_row("a value of several members")),
        Layout::Unit => Err(no_row("()")),
        layout => Ok(layout),
    }
}

/// Whether a later row fits the first one; a text too long for its width is found when it is written.
pub(super) fn next(layout: Layout, before: &Layout) -> Result<()> {
    let layout = first(layout)?;
    match before.clone().union(layout.clone(), 0) {
        Layout::Misfit(misfit) => Err(misfit.into_error().without_path()),
        Layout::Group => Err(another(&header(&layout, 0)?, &header(before, 0)?)),
        _ => Ok(()),
    }
}

/// The error for a row which, beside the first, would make a list of members in an archive.
#[cold]
fn another(found: &Header, expected: &Header) -> Error {
    let same = found.dtype() == expected.dtype() && found.shape().len() == expected.shape().len();
    Error::new(
        if same { ErrorKind::Ragged } else { ErrorKind::MixedTypes },
        format_args!(
            "found a row of {} of the shape {}, expected {} of the shape {} like the first",
            found.dtype(),
            Tuple(&found.shape()[1..]),
            expected.dtype(),
            Tuple(&expected.shape()[1..])
        ),
    )
}

#[cold]
fn no_row(found: &str) -> Error {
    Error::new(
        ErrorKind::UnsupportedType,
        format_args!("found {found}, expected a row of fixed layout: a scalar, a record, or a sequence of them"),
    )
}

/// The header of an array of `rows` such rows.
pub(super) fn header(row: &Layout, rows: u64) -> Result<Header> {
    Layout::Axis {
        len: rows,
        item: Box::new(row.clone()),
        tuple: false,
    }
    .header()
}

/// The layout of a row for a file with this header: that of the row, with the widths of the file.
pub(super) fn in_file(layout: Layout, file: &Header) -> Result<Layout> {
    let layout = widened(first(layout)?, file.dtype());
    let ours = header(&layout, 0)?;
    let (found, expected) = (&ours.shape()[1..], &file.shape()[1..]);
    if found != expected {
        let kind = if found.len() == expected.len() {
            ErrorKind::Ragged
        } else {
            ErrorKind::MixedTypes
        };
        return Err(Error::new(
            kind,
            format_args!(
                "found a row of the shape {}, expected {} as in the file",
                Tuple(found),
                Tuple(expected)
            ),
        ));
    }
    // Rows without an element fit any type.
    if !same(ours.dtype(), file.dtype()) && !expected.contains(&0) {
        return Err(Error::new(
            ErrorKind::MixedTypes,
            format_args!(
                "found a row of {}, expected {} as in the file",
                ours.dtype(),
                file.dtype()
            ),
        ));
    }
    Ok(layout)
}

/// The layout with what the file decides and not the row: the widths of texts and bytes, the size of a NaN for None.
fn widened(layout: Layout, dtype: &Dtype) -> Layout {
    match (layout, &dtype.kind) {
        (Layout::Axis { len, item, tuple }, _) => Layout::Axis {
            len,
            item: Box::new(widened(*item, element(dtype))),
            tuple,
        },
        (Layout::Ndarray { shape, item }, _) => Layout::Ndarray {
            shape,
            item: Box::new(widened(*item, element(dtype))),
        },
        (Layout::Record { fields, tuple }, Kind::Record(record)) if fields.len() == record.fields.len() => {
            Layout::Record {
                fields: fields
                    .into_iter()
                    .zip(&record.fields)
                    .map(|((name, layout), field)| (name, widened(layout, &field.dtype)))
                    .collect(),
                tuple,
            }
        }
        (Layout::Scalar(ScalarLayout::Str { text, .. }), Kind::Str { len, .. }) => {
            Layout::Scalar(ScalarLayout::Str { width: *len, text })
        }
        (Layout::Scalar(ScalarLayout::Bytes(_)), Kind::Bytes { len }) => Layout::Scalar(ScalarLayout::Bytes(*len)),
        (Layout::Scalar(ScalarLayout::Nan), Kind::Float { size, .. }) => {
            Layout::Scalar(ScalarLayout::Number(match size {
                2 => Number::F16,
                4 => Number::F32,
                _ => Number::F64,
            }))
        }
        (layout, _) => layout,
    }
}

/// The dtype of the elements of a subarray.
fn element(dtype: &Dtype) -> &Dtype {
    match &dtype.kind {
        Kind::Array { item, .. } => item,
        _ => dtype,
    }
}

/// Whether both hold the same values; byte order, padding and titles may differ.
fn same(ours: &Dtype, file: &Dtype) -> bool {
    match (&ours.kind, &file.kind) {
        (Kind::Int { size: a, .. }, Kind::Int { size: b, .. })
        | (Kind::Uint { size: a, .. }, Kind::Uint { size: b, .. })
        | (Kind::Float { size: a, .. }, Kind::Float { size: b, .. })
        | (Kind::Complex { size: a, .. }, Kind::Complex { size: b, .. }) => a == b,
        (Kind::Str { len: a, .. }, Kind::Str { len: b, .. }) => a == b,
        (Kind::Datetime { unit: a, .. }, Kind::Datetime { unit: b, .. })
        | (Kind::Timedelta { unit: a, .. }, Kind::Timedelta { unit: b, .. }) => a == b,
        (Kind::Bf16, Kind::Void { len: 2 }) => true,
        (Kind::Record(a), Kind::Record(b)) => {
            a.fields.len() == b.fields.len()
                && a.fields
                    .iter()
                    .zip(&b.fields)
                    .all(|(a, b)| a.name == b.name && same(&a.dtype, &b.dtype))
        }
        (Kind::Array { item: a, shape: v }, Kind::Array { item: b, shape: w }) => v == w && same(a, b),
        (a, b) => a == b,
    }
}

/// Whether the file has its elements in another order than ours: packed and little-endian.
pub(super) fn differs(file: &Dtype) -> bool {
    match &file.kind {
        Kind::Record(record) => {
            let mut end = 0;
            let packed = record.fields.iter().all(|field| {
                let here = field.offset == end;
                end = field.offset + field.dtype.itemsize();
                here && !differs(&field.dtype)
            });
            !packed || end != record.itemsize
        }
        Kind::Array { item, .. } => differs(item),
        _ => turned(file).is_some(),
    }
}

/// Moves one packed, little-endian element into the order of the file. `into` is as long as the file's element, and zero.
pub(super) fn place(file: &Dtype, packed: &mut &[u8], into: &mut [u8]) {
    match &file.kind {
        Kind::Record(record) => {
            for field in &record.fields {
                let start = in_memory(field.offset);
                place(
                    &field.dtype,
                    packed,
                    &mut into[start..start + in_memory(field.dtype.itemsize())],
                );
            }
        }
        Kind::Array { item, .. } => {
            let size = in_memory(item.itemsize()).max(1);
            into.chunks_exact_mut(size).for_each(|into| place(item, packed, into));
        }
        _ => {
            let len = into.len().min(packed.len());
            let (now, rest) = packed.split_at(len);
            *packed = rest;
            into[..len].copy_from_slice(now);
            if let Some(unit) = turned(file) {
                into.chunks_exact_mut(unit).for_each(<[u8]>::reverse);
            }
        }
    }
}

/// How many bytes form one number of a big-endian type.
fn turned(dtype: &Dtype) -> Option<usize> {
    match dtype.kind {
        Kind::Int {
            size,
            order: Order::Big,
        }
        | Kind::Uint {
            size,
            order: Order::Big,
        }
        | Kind::Float {
            size,
            order: Order::Big,
        } => Some(size.into()),
        Kind::Complex {
            size,
            order: Order::Big,
        } => Some(usize::from(size) / 2),
        Kind::Str { order: Order::Big, .. } => Some(4),
        Kind::Datetime { order: Order::Big, .. } | Kind::Timedelta { order: Order::Big, .. } => Some(8),
        _ => None,
    }
}
