//! A JSON text that is kept in an array, for `with::json`.
//!
//! ```text
//! np.array('{"a": 1}')                   <U8 ()      a text
//! np.array(b'{"a": 1}')                  |S8 ()      bytes
//! np.frombuffer(b'{"a": 1}', np.uint8)   |u1 (8,)    single bytes; also |i1 and |S1
//! ```

use serde::Deserialize;

use super::ArrayDeserializer;
use crate::error::{Error, ErrorKind, Result};
use crate::format::dtype::Kind;

impl ArrayDeserializer<'_, '_, '_> {
    /// Whether this is an array as which people keep a text.
    pub(super) fn may_be_json(&self) -> bool {
        matches!(
            (self.shape(), self.kind()),
            ([], Kind::Str { .. } | Kind::Bytes { .. } | Kind::Void { len: 1.. })
                | (
                    [_],
                    Kind::Uint { size: 1, .. } | Kind::Int { size: 1, .. } | Kind::Bytes { len: 1 }
                )
        )
    }

    /// The text, if this is an array as which people keep one.
    pub(crate) fn json(self) -> Result<Option<Vec<u8>>> {
        self.may_be_json().then(|| self.json_text()).transpose()
    }

    /// The bytes of the text, without NULs that pad it.
    pub(super) fn json_text(self) -> Result<Vec<u8>> {
        if matches!(self.kind(), Kind::Str { .. }) {
            return String::deserialize(self.marked(None)).map(String::into_bytes);
        }
        let len = self.count() * self.data.header.dtype().itemsize();
        let mut text = self.data.take_buf(len)?;
        text.truncate(text.iter().rposition(|&byte| byte != 0).map_or(0, |last| last + 1));
        Ok(text)
    }
}

/// What `take` makes of a JSON text, all of which has to be taken.
pub(crate) fn json_value<T>(
    text: &[u8],
    take: impl FnOnce(&mut serde_json::Deserializer<serde_json::de::IoRead<&[u8]>>) -> serde_json::Result<T>,
) -> Result<T> {
    let mut json = serde_json::Deserializer::from_reader(text);
    let value = take(&mut json).and_then(|value| json.end().map(|()| value));
    value.map_err(|err| {
        let error = Error::new(
            ErrorKind::InvalidValue,
            format_args!("found a JSON text that does not fit: {err}"),
        );
        error.with_source(err)
    })
}
