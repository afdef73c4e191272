//! `npz set`: one element, a row, a whole small array or a JSON text, in a file that is replaced in one step.
//!
//! ```text
//! w[3, 0] = 0.5    the elements that the index means, next to each other in C order; the rest is copied in pieces
//! step = 7         the only element of a 0-d array
//! meta.json = {}   the text
//! ```

use std::io::{Cursor, Read};
use std::path::PathBuf;

use half::f16;
use serde_json::Value as Json;
use serde_npz::{Compression, Dtype, Header, WriteOptions};

use super::output::{self, Output};
use crate::frame::context::Context;
use crate::frame::fault::{Fault, Outcome, Result};
use crate::frame::input::{self, Input, Member};
use crate::frame::text::{Shape, escape};

/// Change one element, a row, a text or a number
///
/// The value is checked against the dtype. The file is replaced in one step, with a new checksum; the other members stay as they
/// are.
#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// The file
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// The member, and where in it; of a .npy the index alone
    #[arg(value_name = "NAME[INDEX]")]
    place: String,
    /// A number, a text, True or False, or a JSON list for a row
    #[arg(value_name = "VALUE", allow_hyphen_values = true)]
    value: String,
}

const EXAMPLES: &str = "\
Examples:
  npz set run.npz 'w[3, 0]' 0.5
  npz set run.npz 'w[-1]' '[1, 2, 3]'      the last row
  npz set run.npz step 1000
  npz set array.npy '[0]' nan
  npz set run.npz meta.json '{\"lr\": 0.1}'";

pub fn run(args: &Args, context: &Context) -> Result<Outcome> {
    set(args, context).map_err(|fault| fault.of(&args.file))?;
    Ok(Outcome::Done)
}

fn set(args: &Args, context: &Context) -> Result<()> {
    let mut input = Input::open(&args.file, context)?;
    let members = input.members(&[], context)?;
    let (name, index) = place(&args.place, &members)?;
    let Some(at) = members.iter().position(|member| member.name == name) else {
        return Err(Fault::new(format_args!("{}: found no such member", escape(&name))));
    };
    let member = &members[at];
    let patch = match &member.header {
        Some(header) => patch(header, &index, &args.value, &name)?,
        None if name.ends_with(".json") && index.is_empty() => {
            serde_json::from_str::<serde::de::IgnoredAny>(&args.value)
                .map_err(|err| Fault::new(format_args!("found no JSON text: {err}")).at(&name))?;
            Patch::Whole(args.value.clone().into_bytes())
        }
        None => return Err(Fault::new("found neither an array nor a JSON text").at(&name)),
    };
    let output = Output::create(&args.file, true)?;
    if !input.is_npz() {
        let mut bytes = patched(&mut input, member, patch)?.1;
        return output.write(|writer| output::copy(&mut *bytes, writer).map(|_| ()));
    }
    output.write_npz(&WriteOptions::new(), |npz| {
        let mut patch = Some(patch);
        for (i, member) in members.iter().enumerate() {
            npz.set_compression(if member.method == 0 {
                Compression::Stored
            } else {
                Compression::Deflate(6)
            })?;
            let (size, bytes) = match patch.take_if(|_| i == at) {
                Some(patch) => patched(&mut input, member, patch)?,
                None => (member.size, input.bytes(member)?),
            };
            npz.add_raw(&member.file_name, size, bytes)
                .map_err(|err| Fault::from(err).at(&member.name))?;
        }
        Ok(())
    })
}

/// `w[3, 0]` as a name and an index; a member of exactly this name comes first.
fn place(place: &str, members: &[Member]) -> Result<(String, Vec<i64>)> {
    if members.iter().any(|member| member.name == place) {
        return Ok((place.to_owned(), Vec::new()));
    }
    let odd = || Fault::new(format_args!("{}: expected NAME or NAME[INDEX]", escape(place)));
    let Some((name, index)) = place.strip_suffix(']').and_then(|place| place.rsplit_once('[')) else {
        let missing = Fault::new(format_args!("{}: found no such member", escape(place)));
        return Err(missing);
    };
    let axes = index.split(',').map(str::trim).filter(|axis| !axis.is_empty());
    let index = axes
        .map(|axis| axis.parse().map_err(|_| odd()))
        .collect::<Result<_>>()?;
    Ok((name.to_owned(), index))
}

/// What is changed.
enum Patch {
    /// The whole file of the member.
    Whole(Vec<u8>),
    /// Bytes behind the header, in order: where they start, and what stands there then.
    Parts(Vec<(u64, Vec<u8>)>),
}

fn patched<'i>(input: &'i mut Input, member: &Member, patch: Patch) -> Result<(u64, Box<dyn Read + 'i>)> {
    match patch {
        Patch::Whole(bytes) => Ok((bytes.len() as u64, Box::new(Cursor::new(bytes)))),
        Patch::Parts(parts) => {
            let data = member.header.as_ref().map_or(0, input::data_len);
            let bytes = input.bytes(member)?;
            let start = member.size - data;
            Ok((
                member.size,
                Box::new(Patched {
                    bytes,
                    at: 0,
                    start,
                    parts,
                }),
            ))
        }
    }
}

struct Patched<'i> {
    bytes: Box<dyn Read + 'i>,
    at: u64,
    /// Of the data.
    start: u64,
    parts: Vec<(u64, Vec<u8>)>,
}

impl Read for Patched<'_> {
    fn read(&mut self, buf: &mut [u8]) -> std::io::Result<usize> {
        let got = self.bytes.read(buf)?;
        let end = self.at + got as u64;
        let begun = self.at.saturating_sub(self.start);
        let first = self
            .parts
            .partition_point(|(offset, part)| offset + part.len() as u64 <= begun);
        for (offset, part) in &self.parts[first..] {
            let from = self.start + offset;
            if from >= end {
                break;
            }
            let (first, last) = (from.max(self.at), (from + part.len() as u64).min(end));
            if first < last {
                // Both are within what was read, and within the part.
                let [a, b, c, d] = [first - self.at, last - self.at, first - from, last - from].map(|n| n as usize);
                buf[a..b].copy_from_slice(&part[c..d]);
            }
        }
        self.at = end;
        Ok(got)
    }
}

/// The elements that the index means, encoded.
fn patch(header: &Header, index: &[i64], value: &str, name: &str) -> Result<Patch> {
    let (dtype, shape) = (header.dtype(), header.shape());
    if index.len() > shape.len() {
        return Err(Fault::new(format_args!(
            "found {} indices, expected at most {} for the shape {}",
            index.len(),
            shape.len(),
            Shape(shape)
        ))
        .at(name));
    }
    let mut at = Vec::new();
    for (axis, (&i, &len)) in index.iter().zip(shape).enumerate() {
        let resolved = if i < 0 {
            len.checked_sub(i.unsigned_abs())
        } else {
            Some(i.unsigned_abs())
        };
        match resolved.filter(|&i| i < len) {
            Some(i) => at.push(i),
            None => {
                return Err(Fault::new(format_args!(
                    "found the index {i} of axis {axis}, expected one below {len}"
                ))
                .at(name));
            }
        }
    }
    let rest = &shape[index.len()..];
    let json = if rest.is_empty() && dtype.fields().is_empty() {
        None
    } else {
        Some(parse(value)?)
    };
    // A text alone may become longer: the array has no other element.
    if shape.is_empty() && dtype.kind() == 'U' {
        let width = value.chars().count().max(1);
        let header = Header::new(Dtype::parse(&format!("<U{width}"))?, Vec::new(), false)?;
        let mut bytes = header.to_bytes();
        scalar(header.dtype(), value, &mut bytes).map_err(|fault| fault.at(name))?;
        return Ok(Patch::Whole(bytes));
    }
    let size = dtype.itemsize();
    let mut elements = Vec::new();
    match &json {
        None => {
            let mut bytes = Vec::new();
            scalar(dtype, value, &mut bytes).map_err(|fault| fault.at(name))?;
            elements.push((at, bytes));
        }
        Some(json) => spread(dtype, rest, json, &mut at, &mut elements).map_err(|fault| fault.at(name))?,
    }
    let mut strides = vec![size; shape.len()];
    let axes: Vec<usize> = if header.fortran_order() {
        (0..shape.len()).collect()
    } else {
        (0..shape.len()).rev().collect()
    };
    for pair in axes.windows(2) {
        strides[pair[1]] = strides[pair[0]] * shape[pair[0]];
    }
    let mut parts: Vec<(u64, Vec<u8>)> = elements
        .into_iter()
        .map(|(at, bytes)| (at.iter().zip(&strides).map(|(i, stride)| i * stride).sum(), bytes))
        .collect();
    parts.sort_by_key(|(offset, _)| *offset);
    // Elements next to each other are one part.
    let mut joined: Vec<(u64, Vec<u8>)> = Vec::new();
    for (offset, bytes) in parts {
        match joined.last_mut() {
            Some((start, before)) if *start + before.len() as u64 == offset => before.extend(bytes),
            _ => joined.push((offset, bytes)),
        }
    }
    Ok(Patch::Parts(joined))
}

fn parse(value: &str) -> Result<Json> {
    serde_json::from_str(value)
        .map_err(|err| Fault::new(format_args!("found {}, expected a JSON list: {err}", escape(value))))
}

/// The elements of a list, each with its place.
fn spread(
    dtype: &Dtype,
    shape: &[u64],
    json: &Json,
    at: &mut Vec<u64>,
    elements: &mut Vec<(Vec<u64>, Vec<u8>)>,
) -> Result<()> {
    let Some((&len, rest)) = shape.split_first() else {
        let mut bytes = Vec::new();
        element(dtype, json, &mut bytes)?;
        elements.push((at.clone(), bytes));
        return Ok(());
    };
    let list = json.as_array().filter(|list| list.len() as u64 == len);
    let Some(list) = list else {
        return Err(Fault::new(format_args!("expected a list of {len}")));
    };
    for (i, json) in (0..).zip(list) {
        at.push(i);
        spread(dtype, rest, json, at, elements)?;
        at.pop();
    }
    Ok(())
}

fn element(dtype: &Dtype, json: &Json, bytes: &mut Vec<u8>) -> Result<()> {
    if let Some((base, shape)) = dtype.subarray() {
        let mut elements = Vec::new();
        spread(base, shape, json, &mut Vec::new(), &mut elements)?;
        elements.into_iter().for_each(|(_, element)| bytes.extend(element));
        return Ok(());
    }
    if !dtype.fields().is_empty() {
        let start = bytes.len();
        bytes.resize(start + usize::try_from(dtype.itemsize()).unwrap_or(usize::MAX), 0);
        for (i, field) in dtype.fields().iter().enumerate() {
            let value = match json {
                Json::Array(list) if list.len() == dtype.fields().len() => &list[i],
                Json::Object(object) if object.len() == dtype.fields().len() && object.contains_key(field.name()) => {
                    &object[field.name()]
                }
                _ => {
                    return Err(Fault::new(format_args!(
                        "expected a list or an object of the {} fields",
                        dtype.fields().len()
                    )));
                }
            };
            let mut part = Vec::new();
            element(field.dtype(), value, &mut part).map_err(|fault| fault.at(field.name()))?;
            let at = start + usize::try_from(field.offset()).unwrap_or(usize::MAX);
            bytes[at..at + part.len()].copy_from_slice(&part);
        }
        return Ok(());
    }
    match json {
        Json::String(text) => scalar(dtype, text, bytes),
        Json::Array(pair) if dtype.kind() == 'c' && pair.len() == 2 => {
            let [re, im] = [&pair[0], &pair[1]].map(|part| part.as_f64());
            match (re, im) {
                (Some(re), Some(im)) => scalar(dtype, &format!("{re:?}{im:+?}j"), bytes),
                _ => Err(Fault::new("expected [re, im]")),
            }
        }
        Json::Null | Json::Array(_) | Json::Object(_) => {
            Err(Fault::new(format_args!("found {json}, expected a value of {dtype}")))
        }
        other => scalar(dtype, &other.to_string(), bytes),
    }
}

/// One element from its text; only a value that the dtype holds.
fn scalar(dtype: &Dtype, text: &str, bytes: &mut Vec<u8>) -> Result<()> {
    let odd = || {
        Fault::new(format_args!(
            "found {}, expected a value of {}",
            escape(text),
            escape(&dtype.to_string())
        ))
    };
    let size = usize::try_from(dtype.itemsize()).map_err(|_| odd())?;
    let big = dtype.byte_order() == '>';
    let mut put = |native: &[u8]| {
        if big {
            bytes.extend(native.iter().rev());
        } else {
            bytes.extend(native);
        }
    };
    let word = text.trim();
    match dtype.kind() {
        'b' => match word {
            "True" | "true" | "1" => put(&[1]),
            "False" | "false" | "0" => put(&[0]),
            _ => return Err(odd()),
        },
        'i' | 'u' => {
            let value: i128 = word.parse().map_err(|_| odd())?;
            let bits = size * 8;
            let (min, max) = match dtype.kind() {
                'u' => (0, (1_i128 << bits) - 1),
                _ => (-(1_i128 << (bits - 1)), (1_i128 << (bits - 1)) - 1),
            };
            if !(min..=max).contains(&value) {
                return Err(odd());
            }
            put(&value.to_le_bytes()[..size]);
        }
        'f' => real(word, size).map(|value| put(&value)).ok_or_else(odd)?,
        'c' => {
            let (re, im) = complex(word).ok_or_else(odd)?;
            for part in [re, im] {
                put(&real(part, size / 2).ok_or_else(odd)?);
            }
        }
        'M' | 'm' => {
            let count: i64 = if word == "NaT" {
                i64::MIN
            } else {
                word.parse()
                    .map_err(|_| odd().hint("times are counts of their unit, or NaT"))?
            };
            put(&count.to_le_bytes());
        }
        'U' => {
            let chars: Vec<char> = text.chars().collect();
            if chars.len() > size / 4 || text.ends_with('\0') {
                return Err(odd());
            }
            for c in &chars {
                put(&u32::from(*c).to_le_bytes());
            }
            bytes.resize(bytes.len() + size - 4 * chars.len(), 0);
        }
        'S' => {
            if text.len() > size || text.ends_with('\0') {
                return Err(odd());
            }
            bytes.extend(text.as_bytes());
            bytes.resize(bytes.len() + size - text.len(), 0);
        }
        _ => {
            return Err(Fault::new(format_args!(
                "values of {} cannot be set",
                escape(&dtype.to_string())
            )));
        }
    }
    Ok(())
}

/// The nearest number of so many bytes, as Python rounds it; no number becomes infinite.
fn real(text: &str, size: usize) -> Option<Vec<u8>> {
    let value: f64 = text.parse().ok()?;
    let finite = |rounded: f64| (rounded.is_finite() || !value.is_finite()).then_some(());
    Some(match size {
        8 => {
            let means_infinity = text.to_ascii_lowercase().contains("inf");
            (value.is_finite() || value.is_nan() || means_infinity).then_some(())?;
            value.to_le_bytes().to_vec()
        }
        4 => {
            let rounded: f32 = text.parse().ok()?;
            finite(rounded.into())?;
            rounded.to_le_bytes().to_vec()
        }
        2 => {
            let rounded = f16::from_f64(value);
            finite(rounded.into())?;
            rounded.to_le_bytes().to_vec()
        }
        _ => return None,
    })
}

/// `1+2j`, `-1e5-0.5j`, `2j`, `1`: the two parts.
fn complex(text: &str) -> Option<(&str, &str)> {
    let text = text
        .strip_prefix('(')
        .and_then(|text| text.strip_suffix(')'))
        .unwrap_or(text);
    let Some(body) = text.strip_suffix(['j', 'i']) else {
        return Some((text, "0"));
    };
    let sign = body
        .char_indices()
        .rev()
        .find(|&(i, c)| matches!(c, '+' | '-') && i > 0 && !matches!(body.as_bytes()[i - 1], b'e' | b'E'));
    Some(match sign {
        Some((i, _)) => body.split_at(i),
        None => ("0", body),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn encoded(dtype: &str, text: &str) -> Option<Vec<u8>> {
        let mut bytes = Vec::new();
        scalar(&Dtype::parse(dtype).unwrap(), text, &mut bytes)
            .ok()
            .map(|()| bytes)
    }

    #[test]
    fn values_fit_or_are_refused() {
        assert_eq!(encoded("<i2", "-2"), Some(vec![0xfe, 0xff]));
        assert_eq!(encoded(">i2", "-2"), Some(vec![0xff, 0xfe]));
        assert_eq!(encoded("|u1", "256"), None);
        assert_eq!(encoded("<u8", "18446744073709551615"), Some(vec![0xff; 8]));
        assert_eq!(encoded("<f4", "0.1"), Some(0.1_f32.to_le_bytes().to_vec()));
        assert_eq!(encoded("<f4", "1e300"), None);
        assert_eq!(encoded("<f2", "70000"), None);
        assert_eq!(encoded("<U2", "abc"), None);
        assert_eq!(encoded("|S3", "a"), Some(vec![b'a', 0, 0]));
        assert_eq!(encoded("|b1", "true"), Some(vec![1]));
        let mut expected = 1.0_f64.to_le_bytes().to_vec();
        expected.extend((-2e-3_f64).to_le_bytes());
        assert_eq!(encoded("<c16", "1-2e-3j"), Some(expected));
    }
}
