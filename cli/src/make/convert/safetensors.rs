//! safetensors: a length, a JSON header, and the bytes of numbers in C order, little-endian.
//!
//! ```text
//! 0   length of the header, 8 bytes
//! 8   {"w": {"dtype": "F32", "shape": [2, 3], "data_offsets": [0, 24]}, "__metadata__": {..}}  spaces up to a multiple of 8
//! ..  data
//! ```

use std::fs::File;
use std::io::{BufReader, Read, Seek, SeekFrom, Write};
use std::path::Path;

use serde_json::{Map, Value as Json, json};
use serde_npz::{Dtype, Header, WriteOptions};

use super::super::output::{self, Output};
use super::{Loss, with_header};
use crate::frame::fault::{Fault, Result};
use crate::frame::input::{self, Input, Member};

/// As the reference implementation has it.
const LONGEST_HEADER: u64 = 100_000_000;

/// NumPy's types and theirs. bf16 is what ml_dtypes writes.
const TYPES: [(&str, &str); 15] = [
    ("|b1", "BOOL"),
    ("|i1", "I8"),
    ("|u1", "U8"),
    ("<i2", "I16"),
    ("<u2", "U16"),
    ("<i4", "I32"),
    ("<u4", "U32"),
    ("<i8", "I64"),
    ("<u8", "U64"),
    ("<f2", "F16"),
    ("<V2", "BF16"),
    ("|V2", "BF16"),
    ("<f4", "F32"),
    ("<f8", "F64"),
    ("<c8", "C64"),
];

fn theirs(dtype: &Dtype) -> Option<&'static str> {
    let ours = dtype.to_string().replacen('>', "<", 1);
    TYPES
        .iter()
        .find(|(numpy, _)| *numpy == ours && dtype.fields().is_empty())
        .map(|(_, theirs)| *theirs)
}

/// Writes what has a counterpart.
pub fn write(
    input: &mut Input,
    members: &[Member],
    loss: &Loss<'_>,
    output: impl Fn() -> Result<Output>,
) -> Result<()> {
    let mut head = Map::new();
    let mut written = Vec::new();
    let mut end = 0_u64;
    for member in members {
        let Some(header) = &member.header else {
            loss.of(&member.name, "safetensors has arrays of numbers alone")?;
            continue;
        };
        let Some(theirs) = theirs(header.dtype()) else {
            loss.of(&member.name, &format!("safetensors has no {}", header.dtype()))?;
            continue;
        };
        if member.name == "__metadata__" {
            loss.of(&member.name, "safetensors keeps this name for texts")?;
            continue;
        }
        let start = end;
        end += input::data_len(header);
        head.insert(
            member.name.clone(),
            json!({ "dtype": theirs, "shape": header.shape(), "data_offsets": [start, end] }),
        );
        written.push((member, header));
    }
    let mut head = Json::Object(head).to_string();
    while !head.len().is_multiple_of(8) {
        head.push(' ');
    }
    output()?.write(|writer| {
        writer.write_all(&(head.len() as u64).to_le_bytes())?;
        writer.write_all(head.as_bytes())?;
        for (member, header) in written {
            tensor(input, member, header, writer).map_err(|fault| fault.at(&member.name))?;
        }
        Ok(())
    })
}

/// The elements in C order, little-endian.
fn tensor(input: &mut Input, member: &Member, header: &Header, writer: &mut dyn Write) -> Result<()> {
    let mut data = input.data(member)?;
    let size = usize::try_from(header.dtype().itemsize()).unwrap_or(usize::MAX);
    // The parts of a complex number are swapped on their own.
    let part = if header.dtype().kind() == 'c' { size / 2 } else { size };
    let big = header.dtype().byte_order() == '>';
    let swap = |bytes: &mut [u8]| {
        if big {
            bytes.chunks_exact_mut(part).for_each(<[u8]>::reverse);
        }
    };
    if !header.fortran_order() {
        let mut piece = vec![0; (256 << 10) / 16 * 16];
        let mut left = input::data_len(header);
        while left > 0 {
            let most = usize::try_from(left).map_or(piece.len(), |left| left.min(piece.len()));
            data.read_exact(&mut piece[..most]).map_err(serde_npz::Error::from)?;
            swap(&mut piece[..most]);
            writer.write_all(&piece[..most])?;
            left -= most as u64;
        }
        // The end is read as well: there an archive compares its checksum.
        return output::copy(&mut data, writer).map(|_| ());
    }
    // Columns lie apart by the whole array: it is in memory once.
    let mut all = Vec::new();
    data.read_to_end(&mut all).map_err(serde_npz::Error::from)?;
    swap(&mut all);
    let shape: Vec<usize> = header
        .shape()
        .iter()
        .map(|&axis| usize::try_from(axis).unwrap_or(usize::MAX))
        .collect();
    let mut strides = vec![size; shape.len()];
    for axis in 1..shape.len() {
        strides[axis] = strides[axis - 1] * shape[axis - 1];
    }
    let mut at = vec![0; shape.len()];
    let mut offset = 0;
    for _ in 0..input::count(header) {
        let element = all
            .get(offset..offset + size)
            .ok_or_else(|| Fault::new("the data ends too early"))?;
        writer.write_all(element)?;
        for axis in (0..shape.len()).rev() {
            at[axis] += 1;
            offset += strides[axis];
            if at[axis] < shape[axis] {
                break;
            }
            offset -= strides[axis] * shape[axis];
            at[axis] = 0;
        }
    }
    Ok(())
}

/// Reads all tensors; the texts of `__metadata__` become the JSON text `__metadata__.json`.
pub fn read(path: &Path, archive: bool, output: impl Fn() -> Result<Output>) -> Result<()> {
    let mut file = BufReader::new(File::open(path)?);
    let len = file.get_ref().metadata()?.len();
    let mut bytes = [0; 8];
    file.read_exact(&mut bytes)
        .map_err(|_| Fault::new("found less than 8 bytes, expected a safetensors file"))?;
    let head_len = u64::from_le_bytes(bytes);
    if head_len > LONGEST_HEADER || head_len > len.saturating_sub(8) {
        return Err(Fault::new(format_args!(
            "found a header of {head_len} bytes in a file of {len}, expected less"
        )));
    }
    let mut head = vec![0; usize::try_from(head_len).unwrap_or(usize::MAX)];
    file.read_exact(&mut head)?;
    let head: Map<String, Json> =
        serde_json::from_slice(&head).map_err(|err| Fault::new(format_args!("no safetensors header: {err}")))?;
    let start = 8 + head_len;
    let mut tensors = Vec::new();
    for (name, entry) in head.iter().filter(|(name, _)| *name != "__metadata__") {
        let (header, offset) = described(entry, len - start).map_err(|fault| fault.at(name))?;
        tensors.push((name, header, start + offset));
    }
    tensors.sort_by_key(|(_, _, offset)| *offset);
    let overlap = tensors
        .windows(2)
        .find(|pair| pair[0].2 + input::data_len(&pair[0].1) > pair[1].2);
    if let Some([_, (name, ..)]) = overlap {
        return Err(Fault::new("found bytes that two tensors share").at(name));
    }
    if !archive {
        let [(_, header, offset)] = &tensors[..] else {
            return Err(Fault::new(format_args!(
                "found {} tensors, expected one: .npz holds many",
                tensors.len()
            )));
        };
        file.seek(SeekFrom::Start(*offset))?;
        let mut whole = with_header(header, file.take(input::data_len(header)));
        return output()?.write(|writer| output::copy(&mut whole, writer).map(|_| ()));
    }
    output()?.write_npz(&WriteOptions::new(), |npz| {
        for (name, header, offset) in &tensors {
            file.seek(SeekFrom::Start(*offset))?;
            let size = header.to_bytes().len() as u64 + input::data_len(header);
            let whole = with_header(header, (&mut file).take(input::data_len(header)));
            npz.add_raw(&format!("{name}.npy"), size, whole)?;
        }
        if let Some(texts) = head.get("__metadata__") {
            let text = texts.to_string();
            npz.add_raw("__metadata__.json", text.len() as u64, text.as_bytes())?;
        }
        Ok(())
    })
}

/// The header of a tensor, and where it starts within the data.
fn described(entry: &Json, len: u64) -> Result<(Header, u64)> {
    let odd = || Fault::new("found another description, expected dtype, shape and data_offsets");
    let dtype = entry["dtype"].as_str().ok_or_else(odd)?;
    let Some((ours, _)) = TYPES.iter().find(|(_, theirs)| *theirs == dtype) else {
        return Err(Fault::new(format_args!(
            "NumPy has no {}",
            crate::frame::text::escape(dtype)
        )));
    };
    let numbers = |key: &str| -> Result<Vec<u64>> {
        let list = entry[key].as_array().ok_or_else(odd)?;
        list.iter().map(|number| number.as_u64().ok_or_else(odd)).collect()
    };
    let header = Header::new(Dtype::parse(ours)?, numbers("shape")?, false)?;
    let [start, end] = numbers("data_offsets")?[..] else {
        return Err(odd());
    };
    let size = input::data_len(&header);
    if end.checked_sub(start) != Some(size) || end > len {
        return Err(Fault::new(format_args!(
            "found the bytes {start} to {end} of {len}, expected {size} within"
        )));
    }
    Ok((header, start))
}
