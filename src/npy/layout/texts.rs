//! The texts of a slice that is known by its type: how wide they are, and how they are put.

use crate::error::Result;
use crate::npy::layout::scalar::{Scalar, ScalarLayout, check_end, too_long};
use crate::npy::sink::{MAX_ROOM, Put};
use crate::npy::whole::Texts;

macro_rules! for_texts {
    ($texts:ident, $each:ident $(, $argument:ident)*) => {
        match $texts {
            Texts::String(texts) => $each(texts $(, $argument)*),
            Texts::Str(texts) => $each(texts $(, $argument)*),
            Texts::Box(texts) => $each(texts $(, $argument)*),
            Texts::Rc(texts) => $each(texts $(, $argument)*),
            Texts::Arc(texts) => $each(texts $(, $argument)*),
            Texts::Cow(texts) => $each(texts $(, $argument)*),
        }
    };
}
/// The layout of the texts in a slice, which is not empty.
pub(crate) fn of_texts(texts: Texts<'_>) -> Result<ScalarLayout> {
    fn each<T: AsRef<str>>(texts: &[T]) -> Result<ScalarLayout> {
        let (mut width, mut bytes) = (1, 0_u64);
        for (index, text) in texts.iter().enumerate() {
            let text = text.as_ref();
            check_end(text).map_err(|e| e.at_index(index as u64))?;
            // A text of no more bytes than the widest has characters is no wider.
            if text.len() > width {
                width = width.max(text.chars().count());
            }
            bytes = bytes.saturating_add(text.len() as u64);
        }
        Ok(ScalarLayout::Str {
            width: width as u64,
            text: bytes,
        })
    }
    for_texts!(texts, each)
}

/// Puts the texts of a slice, each of them `width` characters wide, in blocks.
pub(crate) fn put_texts<P: Put>(texts: Texts<'_>, width: u64, out: &mut P) -> Result<()> {
    fn each<T: AsRef<str>, P: Put>(texts: &[T], width: u64, out: &mut P) -> Result<()> {
        let size = width.saturating_mul(4);
        let in_block = (MAX_ROOM / size.max(1)).max(1);
        for (at, block) in texts.chunks(crate::io::source::in_memory(in_block)).enumerate() {
            let first = at as u64 * in_block;
            let filled = out.room(size.saturating_mul(block.len() as u64), |room| {
                for (index, text) in block.iter().enumerate() {
                    let text = text.as_ref();
                    let put = check_end(text).and_then(|()| room.text(text, crate::io::source::in_memory(size)));
                    let put = put.and_then(|put| put.ok_or_else(|| too_long(text.chars().count() as u64, width)));
                    put.map_err(|e| e.at_index(first + index as u64))?;
                }
                Ok(())
            });
            match filled {
                Some(filled) => filled?,
                // So wide that each text is put by itself.
                None => block.iter().enumerate().try_for_each(|(index, text)| {
                    let text = text.as_ref();
                    let put =
                        check_end(text).and_then(|()| Scalar::Str(text).put(ScalarLayout::Str { width, text: 0 }, out));
                    put.map_err(|e| e.at_index(first + index as u64))
                })?,
            }
        }
        Ok(())
    }
    for_texts!(texts, each, width, out)
}
