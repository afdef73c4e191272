//! Whether a row fits the rows before it: those of this writer, or those of a file it adds to.

use crate::error::{Error, ErrorKind, Result};
use crate::format::dtype::Tuple;
use crate::format::header::Header;
use crate::npy::layout::tree::Layout;
use crate::npy::rows::place::{Step, Target, Unfit, plan};

/// The layout of a first row.
pub(super) fn first(layout: Layout) -> Result<Layout> {
    match layout.into_element() {
        Layout::Misfit(misfit) => Err(misfit.into_error()),
        Layout::Group => Err(no_row("a value of several members")),
        Layout::Unit => Err(no_row("()")),
        layout => Ok(layout),
    }
}

/// The layout that holds a later row too; a text too long for its width is found when it is written.
pub(super) fn next(layout: Layout, before: &Layout) -> Result<Layout> {
    let layout = first(layout)?;
    match before.clone().union(layout.clone(), 0) {
        Layout::Misfit(misfit) => Err(misfit.into_error().without_path()),
        Layout::Group => Err(another(&header(&layout, 0)?, &header(before, 0)?)),
        both if !both.has_masks_of(before) => Err(too_late(&header(&layout, 0)?, &header(before, 0)?)),
        // Each row alone may be of numbers of several kinds.
        both if both.has_mixed() && !before.has_mixed() => Err(another(&header(&layout, 0)?, &header(before, 0)?)),
        both => Ok(both),
    }
}

/// The error for a row with the first Some of an Option, or the first None of what was no Option: in the rows before there
/// is no room for it.
#[cold]
fn too_late(found: &Header, expected: &Header) -> Error {
    Error::new(
        ErrorKind::MixedTypes,
        format_args!(
            "found a row of {}, expected {} like the rows before, the first of which decides what may be None and what \
             Some holds",
            found.dtype(),
            expected.dtype()
        ),
    )
    .with_hint("`NpyWriter::create_like` states the dtype of all rows beforehand")
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

/// How a row gets into an array with this header, whoever decided that; the layout is that in which it is to be encoded.
pub(super) fn in_file(layout: Layout, file: &Header) -> Result<(Layout, Step)> {
    let mut layout = first(layout)?;
    let ours = header(&layout, 0)?;
    let masked = file.dtype().with_masks();
    let target = Target {
        axes: file.shape().get(1..).unwrap_or_default(),
        dtype: masked.as_ref().unwrap_or(file.dtype()),
    };
    match plan(&mut layout, target) {
        Ok(step) => Ok((layout, step)),
        Err(Unfit) => Err(unlike(&ours, file)),
    }
}

/// The error for a row that is not like those of the file.
#[cold]
fn unlike(ours: &Header, file: &Header) -> Error {
    let (found, expected) = (&ours.shape()[1..], &file.shape()[1..]);
    if found != expected {
        let kind = if found.len() == expected.len() {
            ErrorKind::Ragged
        } else {
            ErrorKind::MixedTypes
        };
        return Error::new(
            kind,
            format_args!(
                "found a row of the shape {}, expected {} as in the file",
                Tuple(found),
                Tuple(expected)
            ),
        );
    }
    Error::new(
        ErrorKind::MixedTypes,
        format_args!(
            "found a row of {}, expected {} as in the file",
            ours.dtype(),
            file.dtype()
        ),
    )
}

/// An error for an array that does not grow along its first axis.
pub(super) fn check_growing(header: &Header) -> Result<()> {
    if header.shape().is_empty() {
        return Err(not_growing("an array without axes"));
    }
    if header.fortran_order() && header.shape().len() > 1 {
        return Err(not_growing(
            "an array in Fortran order, which grows along its last axis,",
        ));
    }
    Ok(())
}

#[cold]
pub(super) fn not_growing(found: &str) -> Error {
    Error::new(
        ErrorKind::TypeMismatch,
        format_args!("found {found}, expected a file with one array that can grow along its first axis"),
    )
    .with_hint("`load_npy` and `save_npy` make it one")
}
