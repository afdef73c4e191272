//! Rows of unequal lengths as two members.
//!
//! ```text
//! [[1.0, 2.0], [], [3.0]]    x/values   <f8 (3,)   1 2 3
//!                            x/offsets  <i8 (4,)   0 2 2 3
//! ```

use serde::Serialize;
use serde::ser::{self, Impossible, Serializer};

use super::Archive;
use crate::error::{Error, ErrorKind, Result};
use crate::format::header::Header;
use crate::npy::layout::capture;
use crate::npy::layout::measure::measure_marked;
use crate::npy::layout::node::Node;
use crate::npy::layout::scalar::{Scalar, changed, scalars};
use crate::npy::marker::Marker;
use crate::npy::ser::array::Item;
use crate::npy::ser::packed::Slots;
use crate::npy::sink::{Out, Put, Sink};
use crate::npy::whole::Number;

/// The names of the two members.
pub(crate) const VALUES: &str = "values";
pub(crate) const OFFSETS: &str = "offsets";

/// Writes `value`, a sequence of rows, as the group at the archive's current path.
pub(super) fn write_ragged<T: Serialize + ?Sized>(archive: &Archive<'_>, value: &T) -> Result<()> {
    let mut rows = Measured {
        marker: archive.marker(),
        text: false,
        item: Node::Empty(None),
        offsets: vec![0],
    };
    value
        .serialize(Each::new(&mut rows))
        .map_err(|e| archive.place.name(e))?;
    let before = archive.open_group()?;
    {
        let _entered = archive.enter(VALUES)?;
        archive.member(|sink| write_values(value, &rows, sink))?;
    }
    archive.offsets(OFFSETS, &rows.offsets)?;
    archive.close_group(before)
}

fn write_values<T: Serialize + ?Sized>(value: &T, rows: &Measured, sink: &mut dyn Sink) -> Result<()> {
    let total = rows.total();
    let (header, slots) = if rows.text {
        (Header::new(Number::U8.dtype(), vec![total], false)?, None)
    } else {
        let node = Node::Axis {
            len: total,
            item: Box::new(rows.item.clone()),
            tuple: false,
        };
        (node.header()?, Slots::of_elements(&node))
    };
    let mut out = Out::new(sink);
    out.begin(&header)?;
    value.serialize(Each::new(&mut Written {
        rows,
        slots,
        out: &mut out,
        index: 0,
    }))?;
    out.end()
}

/// What takes the rows one by one.
trait Rows {
    fn row<T: Serialize + ?Sized>(&mut self, row: &T) -> Result<()>;
    fn end(&self) -> Result<()>;
}

/// The first walk.
struct Measured {
    marker: Option<Marker>,
    /// Rows are texts or bytes.
    text: bool,
    item: Node,
    offsets: Vec<i64>,
}

impl Measured {
    fn total(&self) -> u64 {
        self.offsets.last().map_or(0, |&end| end as u64)
    }
}

impl Rows for Measured {
    fn row<T: Serialize + ?Sized>(&mut self, row: &T) -> Result<()> {
        let index = self.offsets.len() as u64 - 1;
        let len = match capture::bytes(row) {
            Some(bytes) if index == 0 || self.text => {
                self.text = true;
                bytes.len() as u64
            }
            _ if self.text => return Err(no_row("texts and sequences").at_index(index)),
            _ => match measure_marked(row, self.marker).map_err(|e| e.at_index(index))? {
                Node::Axis { len, item, .. } => {
                    let seen = std::mem::replace(&mut self.item, Node::Empty(None));
                    self.item = match seen.union(*item, index) {
                        Node::Fault(fault) => return Err(fault.into_error()),
                        Node::Group => return Err(no_row("elements that are no array").at_index(index)),
                        node => node,
                    };
                    len
                }
                Node::Fault(fault) => return Err(fault.into_error().at_index(index)),
                _ => return Err(no_row("a row that is no sequence of fixed-size values").at_index(index)),
            },
        };
        let end = i64::try_from(self.total().saturating_add(len)).map_err(|_| no_row("too many values"))?;
        self.offsets.push(end);
        Ok(())
    }

    fn end(&self) -> Result<()> {
        Ok(())
    }
}

#[cold]
fn no_row(found: &str) -> Error {
    Error::new(
        ErrorKind::UnsupportedType,
        format_args!("found {found}, expected rows of numbers, records or text inside `with::ragged`"),
    )
}

/// The second walk.
struct Written<'a, 's> {
    rows: &'a Measured,
    slots: Option<Slots>,
    out: &'a mut Out<'s>,
    index: usize,
}

impl Rows for Written<'_, '_> {
    fn row<T: Serialize + ?Sized>(&mut self, row: &T) -> Result<()> {
        let index = self.index;
        self.index += 1;
        let len = match self.rows.offsets.get(index..index + 2) {
            Some(&[start, end]) => (end - start) as u64,
            _ => return Err(changed("more rows", self.rows.offsets.len() - 1)),
        };
        if self.rows.text {
            return match capture::bytes(row) {
                Some(bytes) if bytes.len() as u64 == len => self.out.put(&bytes),
                _ => Err(changed("another text", format_args!("{len} bytes")).at_index(index as u64)),
            };
        }
        let node = Node::Axis {
            len,
            item: Box::new(self.rows.item.clone()),
            tuple: false,
        };
        let item = Item {
            out: self.out,
            node: &node,
            marker: self.rows.marker,
            slots: self.slots.as_ref(),
        };
        item.value(row).map_err(|e| e.at_index(index as u64))
    }

    fn end(&self) -> Result<()> {
        let expected = self.rows.offsets.len() - 1;
        if self.index == expected {
            Ok(())
        } else {
            Err(changed(format_args!("{} rows", self.index), expected))
        }
    }
}

/// Hands the elements of a sequence to `Rows`.
struct Each<'a, R> {
    rows: &'a mut R,
    /// Newtypes and Options around the sequence, which could be endless.
    wrappers: u32,
}

const MAX_WRAPPERS: u32 = 64;

impl<'a, R: Rows> Each<'a, R> {
    fn new(rows: &'a mut R) -> Self {
        Each { rows, wrappers: 0 }
    }

    fn inner<T: Serialize + ?Sized>(self, value: &T) -> Result<()> {
        if self.wrappers >= MAX_WRAPPERS {
            return Err(no_row("endless newtypes"));
        }
        value.serialize(Each {
            wrappers: self.wrappers + 1,
            ..self
        })
    }

    fn scalar(self, scalar: Scalar<'_>) -> Result<()> {
        Err(no_row(scalar.describe()))
    }
}

impl<'a, R: Rows> Serializer for Each<'a, R> {
    type Ok = ();
    type Error = Error;
    type SerializeSeq = Each<'a, R>;
    type SerializeTuple = Each<'a, R>;
    type SerializeTupleStruct = Each<'a, R>;
    type SerializeTupleVariant = Impossible<(), Error>;
    type SerializeMap = Impossible<(), Error>;
    type SerializeStruct = Impossible<(), Error>;
    type SerializeStructVariant = Impossible<(), Error>;

    scalars!();

    fn serialize_bytes(self, _: &[u8]) -> Result<()> {
        Err(no_row("bytes"))
    }

    fn serialize_none(self) -> Result<()> {
        Err(no_row("None"))
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<()> {
        self.inner(value)
    }

    fn serialize_unit(self) -> Result<()> {
        Err(no_row("()"))
    }

    fn serialize_unit_struct(self, name: &'static str) -> Result<()> {
        Err(no_row(name))
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(self, _: &'static str, value: &T) -> Result<()> {
        self.inner(value)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        _: &T,
    ) -> Result<()> {
        Err(no_row(variant))
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

    fn serialize_tuple_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        _: usize,
    ) -> Result<Self::SerializeTupleVariant> {
        Err(no_row(variant))
    }

    fn serialize_map(self, _: Option<usize>) -> Result<Self::SerializeMap> {
        Err(no_row("a map"))
    }

    fn serialize_struct(self, name: &'static str, _: usize) -> Result<Self::SerializeStruct> {
        Err(no_row(name))
    }

    fn serialize_struct_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        _: usize,
    ) -> Result<Self::SerializeStructVariant> {
        Err(no_row(variant))
    }
}

impl<R: Rows> ser::SerializeSeq for Each<'_, R> {
    type Ok = ();
    type Error = Error;

    fn serialize_element<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<()> {
        self.rows.row(value)
    }

    fn end(self) -> Result<()> {
        self.rows.end()
    }
}

impl<R: Rows> ser::SerializeTuple for Each<'_, R> {
    type Ok = ();
    type Error = Error;

    fn serialize_element<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<()> {
        self.rows.row(value)
    }

    fn end(self) -> Result<()> {
        self.rows.end()
    }
}

impl<R: Rows> ser::SerializeTupleStruct for Each<'_, R> {
    type Ok = ();
    type Error = Error;

    fn serialize_field<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<()> {
        self.rows.row(value)
    }

    fn end(self) -> Result<()> {
        self.rows.end()
    }
}
