//! Members as the bytes they are, and another compression between two of them: what a program that repacks archives needs.

use std::io::{Read, Seek, Write};

use super::NpzWriter;
use crate::error::{Error, ErrorKind, Result};
use crate::io::source;
use crate::options::Compression;

/// Bytes are read and written in pieces of this size.
const PIECE: usize = 256 << 10;

impl<W: Write + Seek> NpzWriter<W> {
    /// Adds a member of exactly `size` bytes as they come from `reader`: the whole file, header and all.
    ///
    /// `file_name` is the name in the archive, suffix included: `x.npy`, `notes.txt`. Whether an array's bytes are one is not
    /// looked at. The counterparts are [`NpzReader::raw`](crate::NpzReader::raw) and [`NpzReader::stream`](crate::NpzReader::stream).
    ///
    /// ```
    /// use std::io::Cursor;
    /// use serde_npz::{NpzReader, NpzWriter};
    ///
    /// let array = serde_npz::to_npy_vec(&vec![1.0, 2.0])?;
    /// let mut npz = NpzWriter::new(Cursor::new(Vec::new()));
    /// npz.add_raw("x.npy", array.len() as u64, &array[..])?;
    /// npz.add_raw("notes.txt", 5, &b"hello"[..])?;
    /// let mut npz = NpzReader::new(npz.finish()?)?;
    /// assert_eq!(npz.get::<Vec<f64>>("x")?, [1.0, 2.0]);
    /// assert_eq!(npz.raw("notes.txt")?, b"hello");
    /// # Ok::<(), serde_npz::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// `DuplicateName` and `InvalidName`; the writer can be used as before. `Truncated` where `reader` has fewer bytes,
    /// `InvalidValue` where it has more, and its own errors: the member has begun then, and every later call returns the error,
    /// `finish` included.
    pub fn add_raw<R: Read>(&mut self, file_name: &str, size: u64, reader: R) -> Result<()> {
        self.container
            .begin(file_name, size)
            .map_err(|err| err.at_member(file_name))?;
        let copied = self
            .copy(size, reader)
            .map_err(|err| err.without_path().at_member(file_name));
        copied.inspect_err(|err| self.container.fail(err.duplicate()))
    }

    fn copy<R: Read>(&mut self, size: u64, mut reader: R) -> Result<()> {
        let mut piece = vec![0; usize::try_from(size).map_or(PIECE, |size| size.clamp(1, PIECE))];
        let mut left = size;
        while left > 0 {
            let most = usize::try_from(left).map_or(PIECE, |left| left.min(piece.len()));
            let got = source::read_full(&mut reader, &mut piece[..most])?;
            if got < most {
                return Err(Error::new(
                    ErrorKind::Truncated,
                    format_args!("found {} bytes, expected {size}", size - left + got as u64),
                ));
            }
            self.container.write(&piece[..got])?;
            left -= got as u64;
        }
        // The end is read as well: there a stream compares its checksum.
        if source::read_full(&mut reader, &mut piece[..1])? > 0 {
            return Err(Error::new(
                ErrorKind::InvalidValue,
                format_args!("found more than {size} bytes, expected as many as announced"),
            ));
        }
        self.container.end()
    }

    /// From the next member on, members are compressed so.
    ///
    /// ```
    /// use std::io::Cursor;
    /// use serde_npz::{Compression, NpzReader, NpzWriter};
    ///
    /// let mut npz = NpzWriter::new(Cursor::new(Vec::new()));
    /// npz.add("mapped", &vec![0.0; 1000])?;
    /// npz.set_compression(Compression::Deflate(6))?;
    /// npz.add("small", &vec![0.0; 1000])?;
    /// let mut npz = NpzReader::new(npz.finish()?)?;
    /// assert!(npz.entry("mapped")?.is_stored() && !npz.entry("small")?.is_stored());
    /// # Ok::<(), serde_npz::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// `Io`, and the error that ended an earlier member half way.
    pub fn set_compression(&mut self, compression: Compression) -> Result<()> {
        self.container.set_compression(compression)
    }
}
