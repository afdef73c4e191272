//! Options as two members: the values, with something in the place of each None, and a mask that tells where there is one.
//!
//! ```text
//! [Some(7), None, Some(9)]    x/values  <i4 (3,)   7 0 9
//!                             x/values? |b1 (3,)   True False True
//! ```
//!
//! A first walk over what is there tells the layout of the values. Both members are then written like any other sequence.

mod through;

use num_complex::Complex;
use serde::Serialize;
use serde::ser::{SerializeMap, SerializeTuple, Serializer};

use self::through::{See, Through};
use super::Archive;
use super::ragged::VALUES;
use crate::error::Result;
use crate::format::dtype::{Dtype, Wide};
use crate::format::header::Header;
use crate::format::time::NAT;
use crate::io::source::in_memory;
use crate::npy::layout::measure::measure;
use crate::npy::layout::scalar::ScalarLayout;
use crate::npy::layout::tree::Layout;
use crate::npy::marker::{datetime, timedelta};
use crate::npy::ser::write::write_node;
use crate::npy::sink::Sink;
use crate::npy::whole::{self, Element, Number};

/// The name of the member beside `values`.
pub(crate) const MASK: &str = "values?";

/// Writes `value`, a sequence of so many elements, as the group at the archive's current path. Returns whether it is one
/// array of Options: of whatever else it holds, rows of unequal lengths among it, each element has this form by itself.
pub(super) fn write_masked<T: Serialize + ?Sized>(archive: &Archive<'_>, value: &T, elements: u64) -> Result<bool> {
    let layout = measure(&Through(value, See::Layout)).map_err(|e| archive.place.name(e))?;
    let Layout::Axis { .. } = layout else {
        return Ok(false);
    };
    archive.check_elements(&layout, Some(elements))?;
    let mask = measure(&Through(value, See::Mask)).map_err(|e| archive.place.name(e))?;
    let Some(fill) = Fill::of_elements(&layout, &mask) else {
        return Ok(false);
    };
    let before = archive.open_group()?;
    write_part(archive, VALUES, &Through(value, See::Values(&fill)))?;
    write_part(archive, MASK, &Through(value, See::Mask))?;
    archive.close_group(before)?;
    Ok(true)
}

fn write_part<T: Serialize + ?Sized>(archive: &Archive<'_>, name: &str, part: &Through<'_, T>) -> Result<()> {
    let _entered = archive.enter(name)?;
    let layout = measure(part).map_err(|e| archive.place.name(e))?;
    let header = layout.header()?;
    archive.member(|sink| match part.1 {
        // Nothing in an empty mask tells that it would be bools.
        See::Mask if header.count() == 0 => sink.begin(&Header::new(Dtype::bool(), header.shape().to_vec(), false)?),
        _ => write_node(part, &layout, None, sink),
    })
}

impl Fill {
    /// For an Option of the type `T`, if that tells.
    fn of_option<T: ?Sized>() -> Option<Fill> {
        let leaf = match whole::optional_element::<T>()? {
            Element::Number(number) => ScalarLayout::Number(number),
            Element::Wide(wide) => ScalarLayout::Wide(wide),
            Element::Bf16 => ScalarLayout::Bf16,
            Element::Text => ScalarLayout::Str { width: 1, text: 0 },
        };
        Some(Fill(Layout::Scalar(leaf)))
    }

    /// For the elements of an array behind the axes of its mask, if they are of fixed size.
    fn of_elements(array: &Layout, mask: &Layout) -> Option<Fill> {
        match (array, mask) {
            (Layout::Axis { len: a, item, .. }, Layout::Axis { len: b, item: mask, .. }) if a == b => {
                Fill::of_elements(item, mask)
            }
            (Layout::Empty(_), _) => Some(Fill(Layout::Scalar(ScalarLayout::Nan))),
            (_, Layout::Axis { .. }) => None,
            (item, _) if item.is_fixed() => Some(Fill(item.clone())),
            _ => None,
        }
    }
}

/// What stands in the place of a None, in this layout: NaN, NaT, 0, False, an empty text, or a record of such.
struct Fill(Layout);

impl Serialize for Fill {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        fill(&self.0, serializer)
    }
}

fn fill<S: Serializer>(layout: &Layout, serializer: S) -> std::result::Result<S::Ok, S::Error> {
    match layout {
        Layout::Scalar(leaf) => fill_scalar(*leaf, serializer),
        Layout::Record { fields, tuple } => {
            if *tuple {
                let mut items = serializer.serialize_tuple(fields.len())?;
                for (_, layout) in fields {
                    items.serialize_element(&Part(layout))?;
                }
                return items.end();
            }
            // As serde's flatten does it: the names need not be literals.
            let mut map = serializer.serialize_map(None)?;
            for (name, layout) in fields {
                map.serialize_entry(&**name, &Part(layout))?;
            }
            map.end()
        }
        Layout::Axis { len, item, .. } => {
            let len = in_memory(*len);
            let mut items = serializer.serialize_tuple(len)?;
            for _ in 0..len {
                items.serialize_element(&Part(item))?;
            }
            items.end()
        }
        Layout::Unit => serializer.serialize_unit(),
        _ => serializer.serialize_none(),
    }
}

struct Part<'a>(&'a Layout);

impl Serialize for Part<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        fill(self.0, serializer)
    }
}

fn fill_scalar<S: Serializer>(leaf: ScalarLayout, serializer: S) -> std::result::Result<S::Ok, S::Error> {
    match leaf {
        ScalarLayout::Number(number) => fill_number(number, serializer),
        // As each kind is.
        ScalarLayout::Mixed(mixed) => fill_number(mixed.number().unwrap_or(Number::F64), serializer),
        ScalarLayout::Wide(Wide::I128) => serializer.serialize_i128(0),
        ScalarLayout::Wide(Wide::U128) => serializer.serialize_u128(0),
        ScalarLayout::Bf16 => half::bf16::NAN.serialize(serializer),
        ScalarLayout::Str { .. } => serializer.serialize_str(""),
        ScalarLayout::Raw(len) => serializer.serialize_bytes(&vec![0; in_memory(len)]),
        ScalarLayout::Bytes(_) => serializer.serialize_bytes(&[]),
        ScalarLayout::Datetime(unit) => serializer.serialize_newtype_struct(datetime(unit.base), &NAT),
        ScalarLayout::Timedelta(unit) => serializer.serialize_newtype_struct(timedelta(unit.base), &NAT),
        ScalarLayout::Nan => serializer.serialize_f64(f64::NAN),
    }
}

fn fill_number<S: Serializer>(number: Number, serializer: S) -> std::result::Result<S::Ok, S::Error> {
    match number {
        Number::Bool => serializer.serialize_bool(false),
        Number::I8 => serializer.serialize_i8(0),
        Number::I16 => serializer.serialize_i16(0),
        Number::I32 => serializer.serialize_i32(0),
        Number::I64 => serializer.serialize_i64(0),
        Number::U8 => serializer.serialize_u8(0),
        Number::U16 => serializer.serialize_u16(0),
        Number::U32 => serializer.serialize_u32(0),
        Number::U64 => serializer.serialize_u64(0),
        Number::F16 => half::f16::NAN.serialize(serializer),
        Number::F32 => serializer.serialize_f32(f32::NAN),
        Number::F64 => serializer.serialize_f64(f64::NAN),
        // Complex numbers are known by their type, which a newtype passes on.
        Number::C64 => serializer.serialize_newtype_struct("Fill", &Complex::new(f32::NAN, f32::NAN)),
        Number::C128 => serializer.serialize_newtype_struct("Fill", &Complex::new(f64::NAN, f64::NAN)),
    }
}
