//! Rows of unknown number as one member: [`NpyWriter`] over a file that is a member.
//!
//! ```text
//! NpyWriter   \x93NUMPY (0,) | row | row ..             then back: \x93NUMPY (1000,)
//! Growing     front, kept    | to the container ..      the front is changed here, and written once more at the end
//! ```

use std::io::{self, Seek, SeekFrom, Write};

use serde::Serialize;

use super::check_path;
use crate::error::Result;
use crate::npy::rows::writer::NpyWriter;
use crate::npz::writer::NpzWriter;
use crate::npz::writer::container::Container;
use crate::npz::writer::output::Output;

impl<W: Write + Seek> NpzWriter<W> {
    /// Adds an array row by row, as [`NpyWriter`] takes them, and returns how many rows there were.
    ///
    /// The rows need not be known beforehand, nor fit into memory. The first one fixes dtype, row shape and string
    /// width; without rows the array is `<f8` of shape (0,).
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
    /// Those of [`NpyWriter::push`], for the first row that has one, and those of [`NpzWriter::add`] for the name. Once
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
                self.container.fail(err.again());
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
    let mut count = 0;
    let mut writer = NpyWriter::new(Growing {
        container,
        member,
        front: Vec::new(),
        begun,
        position: 0,
        end: 0,
    })?;
    for row in rows {
        writer.push(&row)?;
        count += 1;
    }
    let Growing { container, front, .. } = writer.finish()?;
    container.end_growing(&front)?;
    Ok(count)
}

/// A member as a file, of which only the header may be changed.
struct Growing<'c, O> {
    container: &'c mut Container<O>,
    member: String,
    /// The header of the array, as it is by now.
    front: Vec<u8>,
    begun: &'c mut bool,
    position: u64,
    end: u64,
}

impl<O: Output> Growing<'_, O> {
    /// Takes bytes of the header until it is whole; returns how many.
    fn gather(&mut self, bytes: &[u8]) -> Result<usize> {
        let mut taken = 0;
        while taken < bytes.len() && self.front.len() < front_len(&self.front) {
            let wanted = front_len(&self.front) - self.front.len();
            let piece = &bytes[taken..][..wanted.min(bytes.len() - taken)];
            self.front.extend_from_slice(piece);
            taken += piece.len();
        }
        if self.front.len() == front_len(&self.front) {
            self.container.begin_growing(&self.member, &self.front)?;
            *self.begun = true;
        }
        Ok(taken)
    }
}

/// How long a header is that starts like this, as far as that can be told.
fn front_len(front: &[u8]) -> usize {
    let fixed = match front.get(6) {
        Some(1) => 10,
        _ => 12,
    };
    let len = match front.get(8..fixed) {
        Some(&[a, b]) => u32::from_le_bytes([a, b, 0, 0]),
        Some(&[a, b, c, d]) => u32::from_le_bytes([a, b, c, d]),
        _ => 0,
    };
    // Not more than the version first: where the length ends depends on it.
    if front.len() < 8 { 8 } else { fixed + len as usize }
}

impl<O: Output> Write for Growing<'_, O> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let taken = if !*self.begun {
            self.gather(bytes)?
        } else if self.position == self.end {
            self.container.write(bytes)?;
            bytes.len()
        } else {
            let front = usize::try_from(self.position)
                .ok()
                .and_then(|at| self.front.get_mut(at..))
                .unwrap_or_default();
            let taken = front.len().min(bytes.len());
            front[..taken].copy_from_slice(&bytes[..taken]);
            taken
        };
        self.position += taken as u64;
        self.end = self.end.max(self.position);
        Ok(taken)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<O: Output> Seek for Growing<'_, O> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let position = match to {
            SeekFrom::Start(position) => Some(position),
            SeekFrom::Current(by) => self.position.checked_add_signed(by),
            SeekFrom::End(by) => self.end.checked_add_signed(by),
        };
        self.position = position.ok_or(io::ErrorKind::InvalidInput)?;
        Ok(self.position)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_length_of_a_header_is_told_by_its_start() {
        for header in [
            &b"\x93NUMPY\x01\0\x76\0"[..],
            &b"\x93NUMPY\x02\0\x74\0\0\0"[..],
            &b"\x93NUMPY\x03\0\x74\x01\0\0"[..],
        ] {
            let mut have = 0;
            while have < header.len() {
                let wanted = front_len(&header[..have]);
                assert!(wanted > have && wanted <= header.len(), "{wanted} {have}");
                have = wanted;
            }
            let text = if header[6] == 3 { 0x174 } else { header[8].into() };
            assert_eq!(front_len(header), header.len() + text);
        }
    }
}
