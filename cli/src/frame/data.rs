//! The bytes of an array's elements, from an archive, a file or a pipe.

use std::fs::File;
use std::io::{self, BufReader, Read};

use serde_npz::{Header, NpzData};

/// All bytes come, or an error: a file that ends early is one.
pub enum Data<'a> {
    Member(NpzData<'a, BufReader<File>>),
    File {
        reader: &'a mut BufReader<File>,
        header: Header,
        left: u64,
    },
    Stream {
        stream: Box<dyn Read>,
        header: Header,
        left: u64,
    },
}

impl<'d> Data<'d> {
    pub fn header(&self) -> &Header {
        match self {
            Data::Member(data) => data.header(),
            Data::File { header, .. } | Data::Stream { header, .. } => header,
        }
    }

    /// Passes over bytes, where possible without reading them.
    pub fn skip(&mut self, count: u64) -> io::Result<()> {
        match self {
            Data::Member(data) => data.skip(count)?,
            Data::File { reader, left, .. } => {
                let count = count.min(*left);
                reader.seek_relative(i64::try_from(count).unwrap_or(i64::MAX))?;
                *left -= count;
            }
            Data::Stream { .. } => {
                io::copy(&mut self.take(count), &mut io::sink())?;
            }
        }
        Ok(())
    }

    /// What stands behind a lone array, once all of it has been read; nothing behind a member.
    pub fn rest(self) -> Box<dyn Read + 'd> {
        match self {
            Data::Member(_) => Box::new(io::empty()),
            Data::File { reader, .. } => Box::new(reader),
            Data::Stream { stream, .. } => stream,
        }
    }
}

impl Read for Data<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let (reader, left): (&mut dyn Read, _) = match self {
            Data::Member(data) => return data.read(buffer),
            Data::File { reader, left, .. } => (reader, left),
            Data::Stream { stream, left, .. } => (stream, left),
        };
        let most = usize::try_from(*left).map_or(buffer.len(), |left| left.min(buffer.len()));
        if most == 0 {
            return Ok(0);
        }
        match reader.read(&mut buffer[..most])? {
            0 => Err(io::Error::new(
                io::ErrorKind::UnexpectedEof,
                format!("the file is cut off: {left} bytes of data are missing"),
            )),
            got => {
                *left -= got as u64;
                Ok(got)
            }
        }
    }
}
