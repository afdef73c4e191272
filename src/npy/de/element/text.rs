//! The text of an element: units of four bytes or UTF-8, without the padding.

use crate::error::{Error, ErrorKind, Result};

/// The text of units in this machine's order that are ASCII, without its padding.
pub(super) fn ascii(units: &[u8]) -> Option<String> {
    let units = units.as_chunks::<4>().0;
    let unit = |unit: &[u8; 4]| u32::from_ne_bytes(*unit);
    if units.iter().fold(0, |all, next| all | unit(next)) >= 0x80 {
        return None;
    }
    let len = units
        .iter()
        .rposition(|next| unit(next) != 0)
        .map_or(0, |last| last + 1);
    String::from_utf8(units[..len].iter().map(|next| unit(next) as u8).collect()).ok()
}

/// Texts of up to so many characters are put together without memory of their own.
pub(super) const SHORT: usize = 64;

/// `ascii` in memory at hand; longer texts are not.
pub(super) fn short_ascii<'b>(units: &[u8], into: &'b mut [u8; SHORT]) -> Option<&'b str> {
    let units = units.as_chunks::<4>().0;
    let into = into.get_mut(..units.len())?;
    let mut all = 0;
    for (slot, unit) in into.iter_mut().zip(units) {
        let unit = u32::from_ne_bytes(*unit);
        all |= unit;
        *slot = unit as u8;
    }
    if all >= 0x80 {
        return None;
    }
    std::str::from_utf8(trim(into)).ok()
}

pub(super) fn trim(bytes: &[u8]) -> &[u8] {
    let len = bytes.iter().rposition(|&b| b != 0).map_or(0, |last| last + 1);
    &bytes[..len]
}

pub(crate) fn utf8(bytes: &[u8]) -> Result<&str> {
    std::str::from_utf8(bytes).map_err(|err| {
        Error::new(
            ErrorKind::InvalidValue,
            format_args!("found bytes that are no UTF-8, expected text: {err}"),
        )
        .with_source(err)
    })
}
