//! Rows of unequal lengths as two members.
//!
//! ```text
//! [[1.0, 2.0], [], [3.0]]    x/values   <f8 (3,)   1 2 3
//!                            x/offsets  <i8 (4,)   0 2 2 3
//! ```

use serde::Serialize;
use serde::ser::{Impossible, Serializer};

use super::Archive;
use crate::error::{Error, ErrorKind, Result};
use crate::npy::layout::capture;
use crate::npy::layout::compound::{compound, refusals};
use crate::npy::layout::measure::{Around, irreconcilable, measure_along, measure_counted};
use crate::npy::layout::scalar::{Scalar, ScalarLayout, changed, scalars};
use crate::npy::layout::tree::Layout;
use crate::npy::ser::slots::Slots;
use crate::npy::sink::{Out, Put, Sink};
use crate::npy::whole::Number;

/// The names of the two members.
pub(crate) const VALUES: &str = "values";
pub(crate) const OFFSETS: &str = "offsets";

/// Writes `value`, a sequence of so many rows, as the group at the archive's current path. Returns whether its elements are
/// rows: maps, None and rows of rows may have this form by themselves, and `inside` a list of those all else is plain.
pub(super) fn write_ragged<T: Serialize + ?Sized>(
    archive: &Archive<'_>,
    value: &T,
    elements: u64,
    inside: bool,
) -> Result<bool> {
    let mut measured = Measured {
        around: archive.around(),
        text: false,
        item: Layout::Empty(None),
        offsets: vec![0],
        apart: false,
    };
    match value.serialize(RaggedSerializer::new(&mut measured)) {
        // A row of a list of them.
        Err(error) if inside && error.kind() == ErrorKind::UnsupportedType => return Ok(false),
        walked => walked.map_err(|e| archive.place.name(e))?,
    }
    if measured.apart {
        return Ok(false);
    }
    let rows = measured.offsets.len() as u64 - 1;
    if rows != elements {
        return Err(archive.place.name(changed(format_args!("{rows} elements"), elements)));
    }
    measured.reconcile(value).map_err(|e| archive.place.name(e))?;
    let before = archive.open_group()?;
    {
        let _entered = archive.enter(VALUES)?;
        archive.member(|sink| write_values(value, &measured, sink))?;
    }
    archive.offsets(OFFSETS, &measured.offsets)?;
    archive.close_group(before)?;
    Ok(true)
}

fn write_values<T: Serialize + ?Sized>(value: &T, measured: &Measured, sink: &mut dyn Sink) -> Result<()> {
    let item = if measured.text {
        Layout::Scalar(ScalarLayout::Number(Number::U8))
    } else {
        measured.item.clone()
    };
    let layout = Layout::Axis {
        len: measured.total(),
        item: Box::new(item),
        tuple: false,
    };
    let mut out = Out::new(sink);
    out.begin(&layout.header()?)?;
    value.serialize(RaggedSerializer::new(&mut Written {
        measured,
        row: Slots::of(&layout),
        out: &mut out,
        index: 0,
    }))?;
    out.end()
}

/// Takes the rows one by one.
trait Rows {
    fn row<T: Serialize + ?Sized>(&mut self, row: &T) -> Result<()>;
    fn end(&self) -> Result<()>;
}

/// The first walk: how long the rows are, and what all their elements have in common.
struct Measured {
    around: Around,
    /// The rows are texts or bytes.
    text: bool,
    item: Layout,
    offsets: Vec<i64>,
    /// There is an element that is no row, but may hold some.
    apart: bool,
}

impl Measured {
    fn total(&self) -> u64 {
        self.offsets.last().map_or(0, |&end| end as u64)
    }

    /// Rows of rows whose lengths differ.
    fn part(&mut self, error: Error) -> Result<u64> {
        if error.kind() != ErrorKind::Ragged {
            return Err(error);
        }
        self.apart = true;
        Ok(0)
    }

    /// The length of a row; its elements are joined with those before.
    fn measure<T: Serialize + ?Sized>(&mut self, row: &T, index: u64) -> Result<u64> {
        match capture::bytes(row) {
            Some(bytes) if index == 0 || self.text => {
                self.text = true;
                return Ok(bytes.len() as u64);
            }
            _ if self.text => return Err(no_row("texts and sequences").at_index(index)),
            _ => {}
        }
        let (layout, _) = measure_counted(row, self.around).map_err(|e| e.at_index(index))?;
        match layout {
            Layout::Axis { len, item, .. } => {
                let seen = std::mem::replace(&mut self.item, Layout::Empty(None));
                self.item = match seen.union(*item, index) {
                    Layout::Misfit(misfit) => return self.part(misfit.into_error()),
                    Layout::Group => return Err(no_row("elements that are no array").at_index(index)),
                    layout => layout,
                };
                Ok(len)
            }
            Layout::Misfit(misfit) => self.part(misfit.into_error().at_index(index)),
            Layout::Group | Layout::None => {
                self.apart = true;
                Ok(0)
            }
            _ => Err(no_row("a row that is no sequence of fixed-size values").at_index(index)),
        }
    }
}

impl Measured {
    /// Looks at the values once more, where their numbers are of several kinds.
    fn reconcile<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<()> {
        if !self.item.has_mixed() {
            return Ok(());
        }
        let mut values = Values {
            around: self.around,
            offsets: &self.offsets,
            row: Layout::Axis {
                len: 0,
                item: Box::new(self.item.clone()),
                tuple: false,
            },
            same: true,
        };
        value.serialize(RaggedSerializer::new(&mut values))?;
        match (values.same, values.row) {
            (true, Layout::Axis { item, .. }) if !item.has_irreconcilable() => {
                self.item = *item;
                Ok(())
            }
            _ => Err(irreconcilable().into_error()),
        }
    }
}

/// A walk over rows whose layout is known, that notes the values of their numbers.
struct Values<'a> {
    around: Around,
    /// Those of the rows to come.
    offsets: &'a [i64],
    row: Layout,
    same: bool,
}

impl Rows for Values<'_> {
    fn row<T: Serialize + ?Sized>(&mut self, row: &T) -> Result<()> {
        if let (&[start, end, ..], Layout::Axis { len, .. }) = (self.offsets, &mut self.row) {
            *len = (end - start) as u64;
            self.offsets = &self.offsets[1..];
        }
        self.same &= measure_along(row, &mut self.row, self.around)?;
        Ok(())
    }

    fn end(&self) -> Result<()> {
        Ok(())
    }
}

impl Rows for Measured {
    fn row<T: Serialize + ?Sized>(&mut self, row: &T) -> Result<()> {
        let index = self.offsets.len() as u64 - 1;
        let len = self.measure(row, index)?;
        let end = i64::try_from(self.total().saturating_add(len)).map_err(|_| no_row("too many values"))?;
        self.offsets.push(end);
        Ok(())
    }

    fn end(&self) -> Result<()> {
        Ok(())
    }
}

#[cold]
pub(super) fn no_row(found: &str) -> Error {
    Error::new(
        ErrorKind::UnsupportedType,
        format_args!("found {found}, expected rows of numbers, records or text inside `with::ragged`"),
    )
}

/// The second walk: the rows one behind the other.
struct Written<'a, 's> {
    measured: &'a Measured,
    /// The slots of a row, of whatever length the row before had.
    row: Slots,
    out: &'a mut Out<'s>,
    index: usize,
}

impl Rows for Written<'_, '_> {
    fn row<T: Serialize + ?Sized>(&mut self, row: &T) -> Result<()> {
        let index = self.index;
        self.index += 1;
        let found = match self.measured.offsets.get(index..index + 2) {
            Some(&[start, end]) => (end - start) as u64,
            _ => return Err(changed("more rows", self.measured.offsets.len() - 1)),
        };
        if self.measured.text {
            return match capture::bytes(row) {
                Some(bytes) if bytes.len() as u64 == found => self.out.put(&bytes),
                _ => Err(changed("another text", format_args!("{found} bytes")).at_index(index as u64)),
            };
        }
        self.row.set_len(found);
        let put = self.row.fill(row, self.measured.around.marker, self.out);
        put.map_err(|e| e.at_index(index as u64))
    }

    fn end(&self) -> Result<()> {
        let expected = self.measured.offsets.len() - 1;
        if self.index == expected {
            Ok(())
        } else {
            Err(changed(format_args!("{} rows", self.index), expected))
        }
    }
}

/// Takes a sequence apart into its rows.
struct RaggedSerializer<'a, R> {
    rows: &'a mut R,
    /// Newtypes and Options around the sequence, which could be endless.
    wrappers: u32,
}

const MAX_WRAPPERS: u32 = 64;

impl<'a, R: Rows> RaggedSerializer<'a, R> {
    fn new(rows: &'a mut R) -> Self {
        RaggedSerializer { rows, wrappers: 0 }
    }

    fn inner<T: Serialize + ?Sized>(self, value: &T) -> Result<()> {
        if self.wrappers >= MAX_WRAPPERS {
            return Err(no_row("endless newtypes"));
        }
        value.serialize(RaggedSerializer {
            wrappers: self.wrappers + 1,
            ..self
        })
    }

    fn scalar(self, scalar: Scalar<'_>) -> Result<()> {
        Err(no_row(scalar.describe()))
    }

    fn refuse(self, found: &str) -> Error {
        no_row(found)
    }

    fn push<T: Serialize + ?Sized>(&mut self, row: &T) -> Result<()> {
        self.rows.row(row)
    }

    fn finish(self) -> Result<()> {
        self.rows.end()
    }
}

impl<'a, R: Rows> Serializer for RaggedSerializer<'a, R> {
    type Ok = ();
    type Error = Error;
    type SerializeSeq = RaggedSerializer<'a, R>;
    type SerializeTuple = RaggedSerializer<'a, R>;
    type SerializeTupleStruct = RaggedSerializer<'a, R>;
    type SerializeTupleVariant = Impossible<(), Error>;
    type SerializeMap = Impossible<(), Error>;
    type SerializeStruct = Impossible<(), Error>;
    type SerializeStructVariant = Impossible<(), Error>;

    scalars!();
    refusals!(serialize_bytes serialize_none serialize_unit serialize_unit_struct serialize_newtype_variant
        serialize_tuple_variant serialize_map serialize_struct serialize_struct_variant);

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<()> {
        self.inner(value)
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(self, _: &'static str, value: &T) -> Result<()> {
        self.inner(value)
    }

    fn serialize_seq(self, _: Option<usize>) -> Result<Self> {
        Ok(self)
    }

    fn serialize_tuple(self, _: usize) -> Result<Self> {
        Ok(self)
    }

    fn serialize_tuple_struct(self, _: &'static str, _: usize) -> Result<Self> {
        Ok(self)
    }
}

compound!([R: Rows] RaggedSerializer<'_, R> => (), Error:
    SerializeSeq serialize_element,
    SerializeTuple serialize_element,
    SerializeTupleStruct serialize_field);
