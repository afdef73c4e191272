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
        None => value.serialize(StreamItem {
            stream: &mut stream,
            depth: 0,
        }),
    };
    let refused = match streamed {
        // What is wrong with a record is told by measuring all of them; a full disk is no matter of theirs.
        Err(error) if stream.of_records() && error.kind() != ErrorKind::Io => Some(error),
        streamed if !stream.measure || stream.begun() => {
            streamed?;
            return stream.end();
        }
        _ => None,
    };
    let layout = measure(value)?;
    stream.check_given_up(&layout)?;
    drop(stream);
    match layout {
        Layout::Misfit(misfit) => Err(misfit.into_error()),
        Layout::Group => Err(Error::new(
            ErrorKind::UnsupportedType,
            "found a value of several arrays, expected one array",
        )
        .with_hint("use `to_npz_vec`, `to_npz_writer` or `save_npz`")),
        layout => match refused {
            // The same value was no array a moment ago.
            Some(error) => Err(error),
            None => write_node(value, &layout, None, sink),
        },
    }
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
