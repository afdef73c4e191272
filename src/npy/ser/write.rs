//! A value to one array: on one walk where its first element tells the layout, otherwise measured on a walk before.

use serde::Serialize;

use crate::error::{Error, ErrorKind, Result};
use crate::format::dtype::Dtype;
use crate::format::header::Header;
use crate::npy::layout::measure::measure;
use crate::npy::layout::tree::Layout;
use crate::npy::marker::Marker;
use crate::npy::ser::slots::Slots;
use crate::npy::ser::stream::{Stream, StreamItem};
use crate::npy::sink::{Out, Sink};
use crate::npy::whole;

/// Writes `value` as the one array it is; an error where it would be more than one.
pub(crate) fn write_array<T: Serialize + ?Sized>(value: &T, sink: &mut dyn Sink) -> Result<()> {
    let mut stream = Stream::new(Out::new(sink));
    let streamed = match whole::complex(value) {
        // A number without axes is measured like any other scalar.
        Some(_) => {
            stream.measure = true;
            Ok(())
        }
        None => StreamItem::new(&mut stream, 0).value(value),
    };
    let refused = match streamed {
        // What is wrong with a record is told by measuring all of them, and so is what to make of another number; a full
        // disk is no matter of theirs.
        Err(error) if !stream.of_plain_numbers() && stream.may_be_another(&error) => Some(error),
        streamed if !stream.measure || stream.begun() => {
            streamed?;
            return stream.end();
        }
        _ => None,
    };
    let layout = measure(value)?;
    stream.check_given_up(&layout)?;
    match (layout, refused) {
        (Layout::Misfit(misfit), _) => Err(misfit.into_error()),
        (Layout::Group, _) => Err(Error::new(
            ErrorKind::UnsupportedType,
            "found a value of several arrays, expected one array",
        )
        .with_hint("use `to_npz_vec`, `to_npz_writer` or `save_npz`")),
        // The same value was no array a moment ago.
        (layout, Some(error)) if !stream.may_become(&layout) => Err(error),
        (_, Some(_)) if !stream.can_take_back() => Err(begun_otherwise()),
        (layout, refused) => {
            if refused.is_some() {
                stream.take_back()?;
            }
            write_node(value, &layout, None, sink)
        }
    }
}

/// Records whose type hides that their numbers are of several kinds: they are written before the first of another kind
/// comes.
#[cold]
fn begun_otherwise() -> Error {
    Error::new(
        ErrorKind::MixedTypes,
        "found records with numbers of several kinds, expected one kind in each field, as a part of them is written already",
    )
    .with_hint("use `to_npy_vec` or `save_npy`, which can begin once more")
}

/// Writes `value`, measured as `layout`, as an array.
pub(crate) fn write_node<T: Serialize + ?Sized>(
    value: &T,
    layout: &Layout,
    marker: Option<Marker>,
    sink: &mut dyn Sink,
) -> Result<()> {
    let header = layout.header()?;
    let mut out = Out::new(sink);
    out.begin(&header)?;
    Slots::of(layout).fill(value, marker, &mut out)?;
    out.end()
}

/// Writes the marker of None and `()`, 0-d `|V0`, or of an empty group, of shape (0,).
pub(crate) fn write_marker(shape: Vec<u64>, sink: &mut dyn Sink) -> Result<()> {
    sink.begin(&Header::new(Dtype::void(0), shape, false)?)
}
