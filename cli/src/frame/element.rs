//! One element of any dtype as text and as JSON.

use half::f16;
use serde::ser::{Serialize, SerializeMap, SerializeSeq, SerializeTuple, Serializer};
use serde_npz::Dtype;
use serde_npz::value::AnyArray;

use crate::frame::text::escape;

/// How the bytes of an element are read: the dtype, worked out once.
#[derive(Clone)]
pub enum Layout {
    Bool,
    Int {
        big: bool,
    },
    Uint {
        big: bool,
    },
    Float {
        size: usize,
        big: bool,
    },
    Complex {
        size: usize,
        big: bool,
    },
    /// `|S`: bytes without the NUL behind them.
    Bytes,
    /// `<U`.
    Text {
        big: bool,
    },
    Void,
    Time(Dtype),
    Delta {
        big: bool,
    },
    Record(Vec<FieldLayout>),
    Array {
        item: Box<Layout>,
        size: usize,
        shape: Vec<u64>,
    },
}

#[derive(Clone)]
pub struct FieldLayout {
    pub name: String,
    pub offset: usize,
    pub size: usize,
    pub layout: Layout,
}

impl Layout {
    pub fn new(dtype: &Dtype) -> Self {
        let size = in_memory(dtype.itemsize());
        let big = dtype.byte_order() == '>';
        if let Some((item, shape)) = dtype.subarray() {
            return Layout::Array {
                item: Box::new(Layout::new(item)),
                size: in_memory(item.itemsize()),
                shape: shape.to_vec(),
            };
        }
        if !dtype.fields().is_empty() {
            let fields = dtype.fields().iter().map(|field| FieldLayout {
                name: field.name().to_owned(),
                offset: in_memory(field.offset()),
                size: in_memory(field.dtype().itemsize()),
                layout: Layout::new(field.dtype()),
            });
            return Layout::Record(fields.collect());
        }
        match dtype.kind() {
            'b' => Layout::Bool,
            'i' => Layout::Int { big },
            'u' => Layout::Uint { big },
            'f' => Layout::Float { size, big },
            'c' => Layout::Complex { size: size / 2, big },
            'S' => Layout::Bytes,
            'U' => Layout::Text { big },
            'M' => Layout::Time(dtype.clone()),
            'm' => Layout::Delta { big },
            _ => Layout::Void,
        }
    }

    /// Whether numbers stand right-aligned.
    pub fn is_number(&self) -> bool {
        matches!(
            self,
            Layout::Int { .. }
                | Layout::Uint { .. }
                | Layout::Float { .. }
                | Layout::Complex { .. }
                | Layout::Delta { .. }
        )
    }

    /// The value as a float, of numbers alone.
    pub fn number(&self, bytes: &[u8]) -> Option<f64> {
        match *self {
            Layout::Bool => Some(f64::from(u8::from(bytes != [0]))),
            Layout::Int { big, .. } => Some(int(bytes, big) as f64),
            Layout::Uint { big, .. } => Some(uint(bytes, big) as f64),
            Layout::Float { big, .. } => Some(float(bytes, big)),
            _ => None,
        }
    }

    /// Both parts of a complex number.
    pub fn complex(&self, bytes: &[u8]) -> (f64, f64) {
        complex(bytes, matches!(self, Layout::Complex { big: true, .. }))
    }

    /// The value as text that reads back: no quotes, escaped where a terminal would obey.
    pub fn text(&self, bytes: &[u8], precision: Option<usize>) -> String {
        match self {
            Layout::Bool => (if bytes == [0] { "False" } else { "True" }).into(),
            Layout::Int { big, .. } => int(bytes, *big).to_string(),
            Layout::Uint { big, .. } => uint(bytes, *big).to_string(),
            Layout::Float { size, big } => float_text(float(bytes, *big), *size, precision),
            Layout::Complex { size, big } => {
                let (re, im) = complex(bytes, *big);
                let im_text = float_text(im, *size, precision);
                let sign = if im_text.starts_with('-') { "" } else { "+" };
                format!("{}{sign}{im_text}j", float_text(re, *size, precision))
            }
            Layout::Bytes => trimmed(bytes).escape_ascii().to_string(),
            Layout::Text { big } => text(bytes, *big),
            Layout::Void => hex(bytes),
            Layout::Time(dtype) => time(dtype, bytes),
            Layout::Delta { big } => match int(bytes, *big) {
                i64::MIN => "NaT".into(),
                count => count.to_string(),
            },
            Layout::Record(fields) => {
                let words = fields.iter().filter(|field| !is_mask(field, fields));
                let words = words.map(|field| field.text(bytes, fields, precision));
                format!("({})", words.collect::<Vec<_>>().join(", "))
            }
            Layout::Array { item, size, .. } => {
                let items: Vec<String> = match *size {
                    0 => Vec::new(),
                    size => bytes
                        .chunks_exact(size)
                        .map(|bytes| item.text(bytes, precision))
                        .collect(),
                };
                format!("[{}]", items.join(" "))
            }
        }
    }
}

impl FieldLayout {
    /// The bytes of this field in an element.
    pub fn of<'b>(&self, element: &'b [u8]) -> &'b [u8] {
        element.get(self.offset..self.offset + self.size).unwrap_or_default()
    }

    /// The field as text: `None` where a mask beside it says so.
    pub fn text(&self, element: &[u8], fields: &[FieldLayout], precision: Option<usize>) -> String {
        let mask = fields
            .iter()
            .find(|mask| mask.name.strip_suffix('?') == Some(&self.name));
        match mask {
            Some(mask) if matches!(mask.layout, Layout::Bool) && mask.of(element) == [0] => "None".into(),
            _ => self.layout.text(self.of(element), precision),
        }
    }
}

/// Whether a field tells only which values of another are there.
pub fn is_mask(field: &FieldLayout, fields: &[FieldLayout]) -> bool {
    let masked = field.name.strip_suffix('?');
    matches!(field.layout, Layout::Bool) && masked.is_some_and(|name| fields.iter().any(|field| field.name == name))
}

/// One element in JSON: complex as `[re, im]`, records as objects, bytes as numbers, times as ISO 8601.
pub struct JsonElement<'a>(pub &'a Layout, pub &'a [u8]);

impl Serialize for JsonElement<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let bytes = self.1;
        match self.0 {
            Layout::Bool => serializer.serialize_bool(bytes != [0]),
            Layout::Int { big, .. } => serializer.serialize_i64(int(bytes, *big)),
            Layout::Uint { big, .. } => serializer.serialize_u64(uint(bytes, *big)),
            Layout::Float { big, .. } => serializer.serialize_f64(float(bytes, *big)),
            Layout::Complex { big, .. } => {
                let (re, im) = complex(bytes, *big);
                let mut pair = serializer.serialize_tuple(2)?;
                pair.serialize_element(&re)?;
                pair.serialize_element(&im)?;
                pair.end()
            }
            Layout::Bytes => serializer.collect_seq(trimmed(bytes)),
            Layout::Void => serializer.collect_seq(bytes),
            Layout::Text { big } => serializer.serialize_str(&unpadded(bytes, *big)),
            Layout::Time(dtype) => match &*time(dtype, bytes) {
                "NaT" => serializer.serialize_none(),
                text => serializer.serialize_str(text),
            },
            Layout::Delta { big } => match int(bytes, *big) {
                i64::MIN => serializer.serialize_none(),
                count => serializer.serialize_i64(count),
            },
            Layout::Record(fields) => {
                let mut map = serializer.serialize_map(Some(fields.len()))?;
                for field in fields {
                    map.serialize_entry(&field.name, &JsonElement(&field.layout, field.of(bytes)))?;
                }
                map.end()
            }
            Layout::Array { item, size, shape } => JsonArray {
                layout: item,
                size: *size,
                shape,
                bytes,
            }
            .serialize(serializer),
        }
    }
}

/// Nested lists of elements that lie in C order.
pub struct JsonArray<'a> {
    pub layout: &'a Layout,
    pub size: usize,
    pub shape: &'a [u64],
    pub bytes: &'a [u8],
}

impl Serialize for JsonArray<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Some((&len, inner)) = self.shape.split_first() else {
            return JsonElement(self.layout, self.bytes).serialize(serializer);
        };
        let mut seq = serializer.serialize_seq(None)?;
        let row = inner
            .iter()
            .map(|&axis| in_memory(axis))
            .product::<usize>()
            .saturating_mul(self.size);
        for i in 0..in_memory(len) {
            seq.serialize_element(&JsonArray {
                shape: inner,
                bytes: self.bytes.get(i * row..(i + 1) * row).unwrap_or_default(),
                ..*self
            })?;
        }
        seq.end()
    }
}

pub fn in_memory(n: u64) -> usize {
    usize::try_from(n).unwrap_or(usize::MAX)
}

/// Up to eight bytes as little-endian ones.
fn little(bytes: &[u8], big: bool) -> [u8; 8] {
    let mut little = [0; 8];
    for (to, &from) in little.iter_mut().zip(bytes) {
        *to = from;
    }
    if big {
        little[..bytes.len().min(8)].reverse();
    }
    little
}

pub fn int(bytes: &[u8], big: bool) -> i64 {
    let unused = 64 - 8 * bytes.len().clamp(1, 8) as u32;
    (i64::from_le_bytes(little(bytes, big)) << unused) >> unused
}

pub fn uint(bytes: &[u8], big: bool) -> u64 {
    u64::from_le_bytes(little(bytes, big))
}

pub fn float(bytes: &[u8], big: bool) -> f64 {
    let bits = uint(bytes, big);
    match bytes.len() {
        2 => f16::from_bits(bits as u16).to_f64(),
        4 => f32::from_bits(bits as u32).into(),
        _ => f64::from_bits(bits),
    }
}

fn complex(bytes: &[u8], big: bool) -> (f64, f64) {
    let (re, im) = bytes.split_at(bytes.len() / 2);
    (float(re, big), float(im, big))
}

/// The shortest digits that read back as the same number of so many bytes.
pub fn float_text(value: f64, size: usize, precision: Option<usize>) -> String {
    match precision {
        _ if value.is_nan() => "nan".into(),
        _ if value.is_infinite() => (if value > 0.0 { "inf" } else { "-inf" }).into(),
        Some(digits) if value == 0.0 || (1e-4..1e16).contains(&value.abs()) => {
            let text = format!("{value:.digits$}");
            if digits == 0 {
                text
            } else {
                text.trim_end_matches('0').to_owned()
            }
        }
        Some(digits) => format!("{value:.digits$e}"),
        None => match size {
            2 => short_half(value),
            4 => format!("{:?}", value as f32),
            _ => format!("{value:?}"),
        },
    }
}

/// The fewest digits that are this half float and no other.
fn short_half(value: f64) -> String {
    let same = |text: &String| {
        text.parse::<f64>()
            .is_ok_and(|v| f16::from_f64(v) == f16::from_f64(value))
    };
    let short = (0..5).map(|digits| format!("{value:.digits$e}")).find(same);
    short
        .and_then(|text| text.parse::<f64>().ok())
        .map_or_else(|| value.to_string(), |value| format!("{value:?}"))
}

fn trimmed(bytes: &[u8]) -> &[u8] {
    let len = bytes.iter().rposition(|&byte| byte != 0).map_or(0, |last| last + 1);
    &bytes[..len]
}

fn unpadded(bytes: &[u8], big: bool) -> String {
    let chars = bytes.chunks_exact(4).map(|unit| uint(unit, big) as u32);
    let mut text: String = chars
        .map(|c| char::from_u32(c).unwrap_or(char::REPLACEMENT_CHARACTER))
        .collect();
    text.truncate(text.trim_end_matches('\0').len());
    text
}

fn text(bytes: &[u8], big: bool) -> String {
    escape(&unpadded(bytes, big)).into_owned()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn time(dtype: &Dtype, bytes: &[u8]) -> String {
    let element = AnyArray::from_parts(dtype.clone(), &[], false, bytes.to_vec());
    element.map_or_else(|err| err.to_string(), |element| element.to_string())
}
