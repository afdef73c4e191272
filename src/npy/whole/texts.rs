//! Vectors of texts from their code points, and the text of one element.

use super::fill::{Fill, no_memory, with_room};
use crate::error::{Error, ErrorKind, Result};

/// So many bytes of texts are looked at together.
const BLOCK: usize = 16 * 1024;

/// Makes a `Vec<T>` of texts that are `width` code points each, in the byte order of this machine.
///
/// # Safety
///
/// `into` is memory for a `Vec<T>`.
pub(super) unsafe fn make_texts<T: From<String>>(
    into: *mut (),
    len: usize,
    width: usize,
    fill: &mut dyn Fill,
) -> Result<()> {
    let texts: Vec<T> = texts(len, width, fill)?;
    // SAFETY: as the caller promises.
    unsafe { into.cast::<Vec<T>>().write(texts) };
    Ok(())
}

fn texts<T: From<String>>(len: usize, width: usize, fill: &mut dyn Fill) -> Result<Vec<T>> {
    let itemsize = width.checked_mul(4).ok_or_else(|| no_memory(len as u64))?;
    let known = fill.known_len() / itemsize as u64;
    let mut texts: Vec<T> = with_room(if known >= len as u64 { len } else { 0 })?;
    // A box has no room to spare.
    let all_short = width <= SHORT && typeid::of::<T>() != typeid::of::<Box<str>>();
    let mut narrow = vec![0; BLOCK / 4 + SHORT];
    while texts.len() < len {
        let units = fill.chunk(itemsize, (len - texts.len()).min((BLOCK / itemsize).max(1)))?;
        let count = units.len() / itemsize;
        texts.try_reserve(count).map_err(|_| no_memory(len as u64))?;
        match narrow
            .get_mut(..units.len() / 4 + SHORT)
            .and_then(|narrow| narrow_ascii(units, narrow))
        {
            Some(block) if all_short => {
                texts.extend((0..count).map(|at| T::from(short(&block[at * width..], width))));
            }
            Some(block) => texts.extend((0..count).map(|at| T::from(exact(&block[at * width..], width)))),
            None => {
                for units in units.chunks_exact(itemsize) {
                    let text = decode(units).map_err(|err| err.at_index(texts.len() as u64))?;
                    texts.push(T::from(text));
                }
            }
        }
    }
    Ok(texts)
}

/// Texts up to this length are copied as so many bytes at once: a copy of a length that is known takes no call.
const SHORT: usize = 16;

/// The text in the first `width` bytes, at most `SHORT` of them; at least `SHORT` bytes are there.
#[inline(always)]
fn short(block: &str, width: usize) -> String {
    let Some(bytes) = block.as_bytes().first_chunk::<SHORT>() else {
        return exact(block, width);
    };
    let bits = u128::from_le_bytes(*bytes) << (8 * (SHORT - width));
    if bits == 0 {
        return String::new();
    }
    let len = width - (bits.leading_zeros() / 8) as usize;
    let mut text = String::with_capacity(SHORT);
    text.push_str(&block[..SHORT]);
    text.truncate(len);
    text
}

/// The text in the first `width` bytes.
fn exact(block: &str, width: usize) -> String {
    trim(&block[..width]).to_owned()
}

/// A text without the NULs that pad it.
fn trim(text: &str) -> &str {
    let len = text.bytes().rposition(|byte| byte != 0).map_or(0, |last| last + 1);
    &text[..len]
}

/// Code points in the byte order of this machine as bytes, where all of them are ASCII. What lies behind them in `into` has to
/// be ASCII as well.
#[expect(
    clippy::cast_possible_truncation,
    reason = "a code point that does not fit shows in `all`"
)]
pub(crate) fn narrow_ascii<'n>(units: &[u8], into: &'n mut [u8]) -> Option<&'n str> {
    let mut all = 0;
    for (slot, unit) in into.iter_mut().zip(units.as_chunks::<4>().0) {
        let unit = u32::from_ne_bytes(*unit);
        all |= unit;
        *slot = unit as u8;
    }
    if all >= 0x80 {
        None
    } else {
        std::str::from_utf8(into).ok()
    }
}

/// The text of code points in the byte order of this machine, without its padding.
pub(crate) fn decode(units: &[u8]) -> Result<String> {
    let mut narrow = vec![0; units.len() / 4];
    if let Some(text) = narrow_ascii(units, &mut narrow) {
        return Ok(trim(text).to_owned());
    }
    from_code_points(units.as_chunks::<4>().0.iter().map(|unit| u32::from_ne_bytes(*unit)))
}

/// The text of code points. NULs at its end are padding, those inside are part of it.
pub(crate) fn from_code_points(units: impl ExactSizeIterator<Item = u32>) -> Result<String> {
    let mut text = String::with_capacity(units.len());
    let mut zeros = 0;
    for unit in units {
        if unit == 0 {
            zeros += 1;
            continue;
        }
        text.extend(std::iter::repeat_n('\0', zeros));
        zeros = 0;
        text.push(char::from_u32(unit).ok_or_else(|| {
            Error::new(
                ErrorKind::InvalidValue,
                format_args!(
                    "found the code point {unit:#x}, expected one of Unicode (at most 0x10ffff, no surrogate)"
                ),
            )
        })?);
    }
    Ok(text)
}
