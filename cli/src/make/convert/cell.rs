//! One value of any dtype, as text and as JSON; records keep the order of their fields.

use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde::ser::{Serialize, Serializer};
use serde_npz::Dtype;

/// A value as the library hands it out.
#[derive(Clone, Debug, PartialEq)]
pub enum Cell {
    None,
    Bool(bool),
    Int(i128),
    /// As short as the number is in its own precision.
    Float(f64),
    Single(f32),
    Text(String),
    Bytes(Vec<u8>),
    List(Vec<Cell>),
    Record(Vec<(String, Cell)>),
}

impl<'de> Deserialize<'de> for Cell {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(CellVisitor)
    }
}

impl Serialize for Cell {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Cell::None => serializer.serialize_none(),
            Cell::Bool(x) => serializer.serialize_bool(*x),
            Cell::Int(x) => match (i64::try_from(*x), u64::try_from(*x)) {
                (Ok(x), _) => serializer.serialize_i64(x),
                (_, Ok(x)) => serializer.serialize_u64(x),
                _ => serializer.serialize_i128(*x),
            },
            Cell::Float(x) => serializer.serialize_f64(*x),
            Cell::Single(x) => serializer.serialize_f32(*x),
            Cell::Text(x) => serializer.serialize_str(x),
            Cell::Bytes(x) => x.serialize(serializer),
            Cell::List(list) => serializer.collect_seq(list),
            Cell::Record(record) => serializer.collect_map(record.iter().map(|(name, cell)| (name, cell))),
        }
    }
}

struct CellVisitor;

impl<'de> Visitor<'de> for CellVisitor {
    type Value = Cell;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any value")
    }

    fn visit_bool<E>(self, v: bool) -> Result<Cell, E> {
        Ok(Cell::Bool(v))
    }

    fn visit_i64<E>(self, v: i64) -> Result<Cell, E> {
        Ok(Cell::Int(v.into()))
    }

    fn visit_u64<E>(self, v: u64) -> Result<Cell, E> {
        Ok(Cell::Int(v.into()))
    }

    fn visit_i128<E>(self, v: i128) -> Result<Cell, E> {
        Ok(Cell::Int(v))
    }

    fn visit_f32<E>(self, v: f32) -> Result<Cell, E> {
        Ok(Cell::Single(v))
    }

    fn visit_f64<E>(self, v: f64) -> Result<Cell, E> {
        Ok(Cell::Float(v))
    }

    fn visit_str<E>(self, v: &str) -> Result<Cell, E> {
        Ok(Cell::Text(v.to_owned()))
    }

    fn visit_bytes<E>(self, v: &[u8]) -> Result<Cell, E> {
        Ok(Cell::Bytes(v.to_vec()))
    }

    fn visit_none<E>(self) -> Result<Cell, E> {
        Ok(Cell::None)
    }

    fn visit_unit<E>(self) -> Result<Cell, E> {
        Ok(Cell::None)
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Cell, D::Error> {
        Cell::deserialize(deserializer)
    }

    fn visit_newtype_struct<D: Deserializer<'de>>(self, deserializer: D) -> Result<Cell, D::Error> {
        Cell::deserialize(deserializer)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Cell, A::Error> {
        let mut list = Vec::new();
        while let Some(cell) = seq.next_element()? {
            list.push(cell);
        }
        Ok(Cell::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Cell, A::Error> {
        let mut record = Vec::new();
        while let Some(entry) = map.next_entry()? {
            record.push(entry);
        }
        Ok(Cell::Record(record))
    }
}

impl Cell {
    /// Times are handed out as counts: this makes ISO 8601 of those of the dtype.
    pub fn timed(self, dtype: &Dtype) -> Cell {
        match self {
            Cell::Int(count) if dtype.kind() == 'M' => match iso(count, &unit(dtype)) {
                Some(text) => Cell::Text(text),
                None => Cell::Int(count),
            },
            Cell::Int(count) if dtype.kind() == 'm' && count == i128::from(i64::MIN) => Cell::Text("NaT".to_owned()),
            Cell::List(list) => {
                let dtype = dtype.subarray().map_or(dtype, |(base, _)| base);
                Cell::List(list.into_iter().map(|cell| cell.timed(dtype)).collect())
            }
            Cell::Record(record) => Cell::Record(
                record
                    .into_iter()
                    .map(
                        |(name, cell)| match dtype.fields().iter().find(|field| field.name() == name) {
                            Some(field) => (name, cell.timed(field.dtype())),
                            None => (name, cell),
                        },
                    )
                    .collect(),
            ),
            other => other,
        }
    }

    /// For a cell of a table: numbers as short as they are exact.
    pub fn text(&self) -> String {
        match self {
            Cell::None => String::new(),
            Cell::Bool(x) => if *x { "True" } else { "False" }.to_owned(),
            Cell::Int(x) => x.to_string(),
            Cell::Float(x) if x.is_nan() => "nan".to_owned(),
            Cell::Single(x) if x.is_nan() => "nan".to_owned(),
            Cell::Float(x) => format!("{x:?}"),
            Cell::Single(x) => format!("{x:?}"),
            Cell::Text(x) => x.clone(),
            Cell::Bytes(x) => x.escape_ascii().to_string(),
            Cell::List(_) | Cell::Record(_) => self.json(),
        }
    }

    /// Whether JSON has no counterpart of something in it: NaN, and infinities.
    pub fn is_lost(&self) -> bool {
        match self {
            Cell::Float(x) => !x.is_finite(),
            Cell::Single(x) => !x.is_finite(),
            Cell::List(list) => list.iter().any(Cell::is_lost),
            Cell::Record(record) => record.iter().any(|(_, cell)| cell.is_lost()),
            _ => false,
        }
    }

    /// As JSON; what has no counterpart is null.
    pub fn json(&self) -> String {
        serde_json::to_string(self).unwrap_or_else(|_| "null".to_owned())
    }

    /// The cells of a row: fields of fields as `a.b`, elements as `a.0`.
    pub fn flatten(self, name: &str, columns: &mut Vec<(String, Cell)>) {
        let below = |part: &str| {
            if name.is_empty() {
                part.to_owned()
            } else {
                format!("{name}.{part}")
            }
        };
        match self {
            Cell::List(list) => {
                for (i, cell) in list.into_iter().enumerate() {
                    cell.flatten(&below(&i.to_string()), columns);
                }
            }
            Cell::Record(record) => {
                for (part, cell) in record {
                    cell.flatten(&below(&part), columns);
                }
            }
            cell => columns.push((name.to_owned(), cell)),
        }
    }
}

/// The unit of a time, with its multiple: `25s`.
fn unit(dtype: &Dtype) -> String {
    dtype
        .to_string()
        .split(['[', ']'])
        .nth(1)
        .unwrap_or_default()
        .to_owned()
}

/// A count of the unit since 1970 as ISO 8601, as NumPy prints it.
fn iso(count: i128, unit: &str) -> Option<String> {
    if count == i128::from(i64::MIN) {
        return Some("NaT".to_owned());
    }
    let split = unit.find(|c: char| !c.is_ascii_digit())?;
    let (multiple, base) = unit.split_at(split);
    let count = count.checked_mul(if multiple.is_empty() { 1 } else { multiple.parse().ok()? })?;
    if base == "Y" || base == "M" {
        let months = if base == "Y" { count.checked_mul(12)? } else { count };
        let (year, month) = (1970 + months.div_euclid(12), months.rem_euclid(12) + 1);
        return Some(if base == "Y" {
            year_text(year)
        } else {
            format!("{}-{month:02}", year_text(year))
        });
    }
    let (per_day, digits): (i128, usize) = match base {
        "W" => return Some(date(count.checked_mul(7)?)),
        "D" => return Some(date(count)),
        "h" => (24, 0),
        "m" => (24 * 60, 0),
        "s" => (86_400, 0),
        "ms" => (86_400 * 10_i128.pow(3), 3),
        "us" => (86_400 * 10_i128.pow(6), 6),
        "ns" => (86_400 * 10_i128.pow(9), 9),
        "ps" => (86_400 * 10_i128.pow(12), 12),
        "fs" => (86_400 * 10_i128.pow(15), 15),
        "as" => (86_400 * 10_i128.pow(18), 18),
        _ => return None,
    };
    let (day, rest) = (count.div_euclid(per_day), count.rem_euclid(per_day));
    let date = date(day);
    if base == "h" {
        return Some(format!("{date}T{rest:02}"));
    }
    if base == "m" {
        return Some(format!("{date}T{:02}:{:02}", rest / 60, rest % 60));
    }
    let scale = 10_i128.pow(digits as u32);
    let (seconds, fraction) = (rest / scale, rest % scale);
    let time = format!(
        "{date}T{:02}:{:02}:{:02}",
        seconds / 3600,
        seconds / 60 % 60,
        seconds % 60
    );
    Some(if digits > 0 {
        format!("{time}.{fraction:0digits$}")
    } else {
        time
    })
}

fn year_text(year: i128) -> String {
    if year < 0 {
        format!("-{:04}", -year)
    } else {
        format!("{year:04}")
    }
}

/// The date of a day since 1970-01-01 in the Gregorian calendar.
fn date(days: i128) -> String {
    // From the first of March of the year 0 on, so that a leap day ends its year.
    let days = days + 719_468;
    let (era, day) = (days.div_euclid(146_097), days.rem_euclid(146_097));
    let year = (day - day / 1460 + day / 36_524 - day / 146_096) / 365;
    let day_of_year = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day_of_year + 2) / 153;
    let day_of_month = day_of_year - (153 * month + 2) / 5 + 1;
    let (year, month) = if month < 10 {
        (year + era * 400, month + 3)
    } else {
        (year + era * 400 + 1, month - 9)
    };
    format!("{}-{month:02}-{day_of_month:02}", year_text(year))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_numpys() {
        for (count, unit, expected) in [
            (0, "s", "1970-01-01T00:00:00"),
            (-1, "ms", "1969-12-31T23:59:59.999"),
            (19_782, "D", "2024-02-29"),
            (54, "Y", "2024"),
            (650, "M", "2024-03"),
            (1, "25s", "1970-01-01T00:00:25"),
            (1, "h", "1970-01-01T01"),
            (i64::MIN.into(), "ns", "NaT"),
        ] {
            assert_eq!(iso(count, unit).unwrap(), expected);
        }
    }

    #[test]
    fn numbers_are_short_and_exact() {
        assert_eq!(Cell::Single(0.1).text(), "0.1");
        assert_eq!(Cell::Single(0.1).json(), "0.1");
        assert_eq!(Cell::Float(1e300).text(), "1e300");
        assert!(Cell::Float(f64::NAN).is_lost() && Cell::Float(f64::NAN).json() == "null");
    }
}
