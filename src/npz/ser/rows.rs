//! Rows of unknown number as one member: rows are encoded as [`NpyWriter`](crate::NpyWriter) does it, and those with texts
//! kept until all have come.
//!
//! ```text
//! begin_growing   \x93NUMPY .. (0,)       when enough rows are gathered
//! write           row | row ..
//! end_growing     \x93NUMPY .. (1000,)    in the place of the first header, which is as long
//! ```

use std::io::{Seek, Write};

use serde::Serialize;

use super::check_path;
use crate::error::Result;
use crate::npy::rows::encode::RowEncoder;
use crate::npy::rows::texts::TextRows;
use crate::npz::writer::NpzWriter;
use crate::npz::writer::container::Container;
use crate::npz::writer::output::Output;

impl<W: Write + Seek> NpzWriter<W> {
    /// Adds an array row by row, as [`NpyWriter`](crate::NpyWriter) takes them, and returns how many rows there were.
    ///
    /// The rows need not be known beforehand, nor fit into memory: the first one decides dtype and row shape. Only rows with
    /// texts are kept in memory, each text in its own size, and laid out when the last has come, as wide as the longest.
    /// Without rows the array is `<f8` of shape (0,).
    ///
    /// ```
    /// use std::io::Cursor;
    /// use serde_npz::{NpzReader, NpzWriter};
    ///
    /// let mut npz = NpzWriter::new(Cursor::new(Vec::new()));
    /// let collatz = std::iter::successors(Some(27_u32), |&n| match n {
    ///     1 => None,
    ///     n if n % 2 == 0 => Some(n / 2),
    ///     n => Some(3 * n + 1),
    /// });
    /// assert_eq!(npz.add_rows("steps", collatz.map(|n| [n, n % 2]))?, 112);
    /// let header = NpzReader::new(npz.finish()?)?.header("steps")?;
    /// assert_eq!(header.shape(), [112, 2]);
    /// # Ok::<(), serde_npz::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// Those of [`NpyWriter::push`](crate::NpyWriter::push), for the first row that has one, and those of [`NpzWriter::add`] for the name. Once
    /// the member has begun the error is returned from every later call, `finish` included.
    pub fn add_rows<I>(&mut self, name: &str, rows: I) -> Result<u64>
    where
        I: IntoIterator,
        I::Item: Serialize,
    {
        self.container.usable()?;
        check_path(name, self.container.options().separator)?;
        let mut begun = false;
        let added = grow(&mut self.container, name, rows, &mut begun);
        added.map_err(|err| {
            let named = err.path() == name;
            let err = if named { err } else { err.at_member(name) };
            if begun {
                self.container.fail(err.duplicate());
            }
            err
        })
    }
}

fn grow<O: Output, I>(container: &mut Container<O>, name: &str, rows: I, begun: &mut bool) -> Result<u64>
where
    I: IntoIterator,
    I::Item: Serialize,
{
    let member = format!("{name}.npy");
    container.check(&member)?;
    let mut rows = rows.into_iter().peekable();
    if let Some(first) = rows.peek()
        && let Some(texts) = TextRows::begin(first)?
    {
        return grow_texts(container, &member, texts, rows.skip(1), begun);
    }
    let mut encoder = RowEncoder::new(container.options().max_header_size);
    let mut write = |encoder: &mut RowEncoder| -> Result<()> {
        if !*begun {
            container.begin_growing(&member, encoder.header().unwrap_or_default())?;
            *begun = true;
        }
        container.write(encoder.gathered())?;
        encoder.clear();
        Ok(())
    };
    rows.try_for_each(|row| {
        encoder.push(&row)?;
        if encoder.is_full() { write(&mut encoder) } else { Ok(()) }
    })?;
    encoder.settle()?;
    write(&mut encoder)?;
    encoder.count();
    container.end_growing(encoder.header().unwrap_or_default())?;
    Ok(encoder.rows())
}

/// The rows behind the first one, where that has texts: the header is known when all have come.
fn grow_texts<O: Output, R: Serialize>(
    container: &mut Container<O>,
    member: &str,
    mut texts: TextRows,
    rows: impl Iterator<Item = R>,
    begun: &mut bool,
) -> Result<u64> {
    for row in rows {
        texts.push(&row)?;
    }
    let header = texts.header()?.to_bytes_within(container.options().max_header_size)?;
    container.begin_growing(member, &header)?;
    *begun = true;
    texts.each(|piece| container.write(piece))?;
    container.end_growing(&header)?;
    Ok(texts.rows())
}
