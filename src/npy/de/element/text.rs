//! The text of an element, without its padding.

use crate::error::{Error, ErrorKind, Result};
use crate::npy::whole::narrow_ascii;

/// Texts of up to so many characters are put together without an allocation of their own.
pub(super) const SHORT: usize = 64;

/// A short text of code points in the byte order of this machine, where all of them are ASCII, without its padding.
pub(super) fn short_ascii<'b>(units: &[u8], into: &'b mut [u8; SHORT]) -> Option<&'b str> {
    let text = narrow_ascii(units, into.get_mut(..units.len() / 4)?)?;
    std::str::from_utf8(trim(text.as_bytes())).ok()
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
