//! The private newtype names by which `with` speaks to the serializers and deserializers of this crate.
//!
//! serde gives a `with` module no way to say more than the data model knows, but every serializer is
//! told the name of a newtype struct, and all others take such a struct as its content:
//!
//! ```text
//! with::nan       serialize_newtype_struct("$serde_npz::nan", value)      JSON: value
//! datetime64::ns  serialize_newtype_struct("$serde_npz::M8[ns]", value)   JSON: value
//! ```
//!
//! Types that hold an array in either order ask for the struct [`ORDERED`], and only of this crate's deserializers.

use crate::format::dtype::TimeBase;

/// `None` among floats is NaN.
pub(crate) const NAN: &str = "$serde_npz::nan";
/// Floats are `<f2`.
pub(crate) const FLOAT16: &str = "$serde_npz::float16";
/// Floats of 64 bits are `<f4`.
pub(crate) const FLOAT32: &str = "$serde_npz::float32";
/// Bytes are `|Sn`, padded with NUL.
pub(crate) const BYTES: &str = "$serde_npz::bytes";
/// The outermost sequence is a list of members, whatever its elements are.
pub(crate) const LIST: &str = "$serde_npz::list";
/// Rows of unequal lengths are `x/values` and `x/offsets`.
pub(crate) const RAGGED: &str = "$serde_npz::ragged";
/// Options are `x/values`, and `x/values?`, which tells where they are Some.
pub(crate) const MASKED: &str = "$serde_npz::masked";
/// Something that is laid out as what is beside it.
pub(crate) const HOLE: &str = "$serde_npz::hole";
/// A sequence of structs is a group of one array for each field.
pub(crate) const COLUMNS: &str = "$serde_npz::columns";
/// The value is the JSON text `x.json`.
pub(crate) const JSON: &str = "$serde_npz::json";
/// The array as it lies in a file: its header and its data.
pub(crate) const RAW: &str = "$serde_npz::raw";
/// The struct of an array's shape, whether its first axis runs fastest, and its elements as they lie in the file.
pub(crate) const ORDERED: &str = "$serde_npz::ordered";
/// All fields of it. A target that knows which elements it wants asks for some of them; they are given in the order in
/// which they are asked for.
pub(crate) const WHOLE_FIELDS: &[&str] = &["descr", "dim", "fortran", "data"];
/// What ndarray calls the fields of its `Array`: the version of its own format, the shape, the elements.
pub(crate) const NDARRAY_FIELDS: &[&str] = &["v", "dim", "data"];
/// A shape whose elements may be pairs of floats along one axis more.
pub(crate) const PAIRS: &str = "$serde_npz::pairs";
/// Whatever is found, told by the one key of a map: [`RAW`], [`JSON`] with the text, or this with a group.
pub(crate) const VALUE: &str = "$serde_npz::value";

/// What a newtype name asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Marker {
    Nan,
    Float16,
    Float32,
    Bytes,
    Complex,
    List,
    Ragged,
    Masked,
    Hole,
    Columns,
    Json,
    Raw,
    Value,
    /// i64 are `<M8[unit]`, `i64::MIN` is NaT.
    Datetime(TimeBase),
    /// i64 are `<m8[unit]`, `i64::MIN` is NaT.
    Timedelta(TimeBase),
}

impl Marker {
    /// The marker of this name; `None` for the newtype structs of everybody else.
    #[inline(always)]
    pub(crate) fn of(name: &str) -> Option<Marker> {
        // Every newtype struct passes here: one comparison settles the usual case.
        if name.as_bytes().first() == Some(&b'$') {
            named(name)
        } else {
            None
        }
    }

    /// Whether the value inside is still one array or scalar, laid out in another way. Inside any other marker it takes
    /// members of its own.
    #[inline]
    pub(crate) fn is_layout(self) -> bool {
        match self {
            Marker::Nan
            | Marker::Float16
            | Marker::Float32
            | Marker::Bytes
            | Marker::Complex
            | Marker::Datetime(_)
            | Marker::Timedelta(_) => true,
            Marker::List
            | Marker::Ragged
            | Marker::Masked
            | Marker::Hole
            | Marker::Columns
            | Marker::Json
            | Marker::Raw
            | Marker::Value => false,
        }
    }

    /// The value inside, as errors name it.
    pub(crate) fn describe(self) -> &'static str {
        match self {
            Marker::Nan => "a value inside `with::nan`",
            Marker::Float16 => "a value inside `with::float16`",
            Marker::Float32 => "a value inside `with::float32`",
            Marker::Bytes => "a value inside `with::bytes`",
            Marker::Complex => "a complex number",
            Marker::List => "a value inside `with::list`",
            Marker::Ragged => "a value inside `with::ragged`",
            Marker::Masked => "a value inside `with::masked`",
            Marker::Hole => "an element that is not there",
            Marker::Columns => "a value inside `with::columns`",
            Marker::Json => "a value inside `with::json`",
            Marker::Raw => "an array that is written whole",
            Marker::Value => "a group or text of a `Value`",
            Marker::Datetime(_) => "a value inside `with::datetime64`",
            Marker::Timedelta(_) => "a value inside `with::timedelta64`",
        }
    }
}

#[cold]
fn named(name: &str) -> Option<Marker> {
    Some(match name {
        NAN => Marker::Nan,
        FLOAT16 => Marker::Float16,
        FLOAT32 => Marker::Float32,
        BYTES => Marker::Bytes,
        LIST => Marker::List,
        RAGGED => Marker::Ragged,
        MASKED => Marker::Masked,
        HOLE => Marker::Hole,
        COLUMNS => Marker::Columns,
        JSON => Marker::Json,
        RAW => Marker::Raw,
        VALUE => Marker::Value,
        _ => return time(name),
    })
}

fn time(name: &str) -> Option<Marker> {
    UNITS.into_iter().find_map(|unit| {
        let (datetime, timedelta) = names(unit);
        match name {
            _ if name == datetime => Some(Marker::Datetime(unit)),
            _ if name == timedelta => Some(Marker::Timedelta(unit)),
            _ => None,
        }
    })
}

/// The name under which counts of this unit since 1970 travel.
pub(crate) fn datetime(unit: TimeBase) -> &'static str {
    names(unit).0
}

/// The name under which counts of this unit travel.
pub(crate) fn timedelta(unit: TimeBase) -> &'static str {
    names(unit).1
}

/// Every unit a marker exists for; the generic one has no length, so nothing converts to it.
const UNITS: [TimeBase; 13] = [
    TimeBase::Nano,
    TimeBase::Micro,
    TimeBase::Milli,
    TimeBase::Second,
    TimeBase::Minute,
    TimeBase::Hour,
    TimeBase::Day,
    TimeBase::Week,
    TimeBase::Month,
    TimeBase::Year,
    TimeBase::Pico,
    TimeBase::Femto,
    TimeBase::Atto,
];

fn names(unit: TimeBase) -> (&'static str, &'static str) {
    match unit {
        TimeBase::Year => ("$serde_npz::M8[Y]", "$serde_npz::m8[Y]"),
        TimeBase::Month => ("$serde_npz::M8[M]", "$serde_npz::m8[M]"),
        TimeBase::Week => ("$serde_npz::M8[W]", "$serde_npz::m8[W]"),
        TimeBase::Day => ("$serde_npz::M8[D]", "$serde_npz::m8[D]"),
        TimeBase::Hour => ("$serde_npz::M8[h]", "$serde_npz::m8[h]"),
        TimeBase::Minute => ("$serde_npz::M8[m]", "$serde_npz::m8[m]"),
        TimeBase::Second => ("$serde_npz::M8[s]", "$serde_npz::m8[s]"),
        TimeBase::Milli => ("$serde_npz::M8[ms]", "$serde_npz::m8[ms]"),
        TimeBase::Micro => ("$serde_npz::M8[us]", "$serde_npz::m8[us]"),
        TimeBase::Nano => ("$serde_npz::M8[ns]", "$serde_npz::m8[ns]"),
        TimeBase::Pico => ("$serde_npz::M8[ps]", "$serde_npz::m8[ps]"),
        TimeBase::Femto => ("$serde_npz::M8[fs]", "$serde_npz::m8[fs]"),
        TimeBase::Atto => ("$serde_npz::M8[as]", "$serde_npz::m8[as]"),
        TimeBase::Generic => ("$serde_npz::M8", "$serde_npz::m8"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_unit_comes_back_from_its_name() {
        for unit in UNITS {
            assert_eq!(Marker::of(datetime(unit)), Some(Marker::Datetime(unit)));
            assert_eq!(Marker::of(timedelta(unit)), Some(Marker::Timedelta(unit)));
        }
        for (name, marker) in [
            (NAN, Marker::Nan),
            (FLOAT16, Marker::Float16),
            (FLOAT32, Marker::Float32),
            (BYTES, Marker::Bytes),
            (LIST, Marker::List),
            (RAGGED, Marker::Ragged),
            (MASKED, Marker::Masked),
            (HOLE, Marker::Hole),
            (COLUMNS, Marker::Columns),
            (JSON, Marker::Json),
            (RAW, Marker::Raw),
            (VALUE, Marker::Value),
        ] {
            assert_eq!(Marker::of(name), Some(marker));
        }
        assert_eq!(Marker::of("$serde_npz::M8"), None);
        assert_eq!(Marker::of("Meters"), None);
    }
}
