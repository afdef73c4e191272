//! Compressed bytes back to the bytes of a member: the counterpart of `writer::deflate`.

use std::io::{self, Read};

use flate2::{Decompress, FlushDecompress, Status};

use crate::error::Result;
use crate::io::source::in_memory;
use crate::npz::zip::{Method, corrupt};

/// How much compressed data is fetched at once.
const INPUT: usize = 64 << 10;

/// Inflates one member after another; its memory is used again.
pub(crate) struct Inflater {
    stream: Decompress,
    input: Vec<u8>,
    /// How much of `input` was filled, and how much of that was consumed.
    filled: usize,
    used: usize,
    /// Compressed bytes that have not been fetched yet.
    left: u64,
    produced: u64,
    ended: bool,
}

impl Inflater {
    /// Gets ready for a member of `compressed` bytes, with what an earlier one left in `kept`; `None` if it is stored.
    pub(crate) fn start(kept: &mut Option<Inflater>, method: Method, compressed: u64) -> Option<&mut Inflater> {
        match method {
            Method::Deflate => {}
            // Other methods have been refused before.
            Method::Stored | Method::Other(_) => return None,
        }
        let inflater = kept.get_or_insert_with(Inflater::new);
        inflater.stream.reset(false);
        inflater.filled = 0;
        inflater.used = 0;
        inflater.left = compressed;
        inflater.produced = 0;
        inflater.ended = false;
        Some(inflater)
    }

    fn new() -> Self {
        Inflater {
            stream: Decompress::new(false),
            input: vec![0; INPUT],
            filled: 0,
            used: 0,
            left: 0,
            produced: 0,
            ended: false,
        }
    }

    /// At least one byte, or the error why there is none.
    pub(super) fn read<R: Read>(&mut self, reader: &mut R, buf: &mut [u8]) -> io::Result<usize> {
        match self.step(reader, buf)? {
            0 => Err(corrupt(format_args!(
                "found a deflate stream of {} bytes, expected more of them: the size in the directory is wrong",
                self.produced
            ))
            .into()),
            got => Ok(got),
        }
    }

    /// The stream has to end here, and with it the compressed bytes.
    pub(super) fn finish<R: Read>(&mut self, reader: &mut R) -> Result<()> {
        if self.step(reader, &mut [0])? > 0 {
            return Err(corrupt(
                "found a deflate stream that goes on behind the member's size, expected its end",
            ));
        }
        let rest = self.rest();
        if rest > 0 {
            return Err(corrupt(format_args!(
                "found {rest} bytes behind the end of the deflate stream, expected none"
            )));
        }
        Ok(())
    }

    /// How many of the compressed bytes have not been consumed.
    pub(crate) fn rest(&self) -> u64 {
        self.left + (self.filled - self.used) as u64
    }

    /// Inflates until there is a byte; 0 only at the end of the stream.
    pub(crate) fn step<R: Read>(&mut self, reader: &mut R, buf: &mut [u8]) -> io::Result<usize> {
        while !self.ended {
            if self.used == self.filled {
                self.fill(reader)?;
            }
            let (before_in, before_out) = (self.stream.total_in(), self.stream.total_out());
            let status = self
                .stream
                .decompress(&self.input[self.used..self.filled], buf, FlushDecompress::None)
                .map_err(|err| corrupt(format_args!("found no valid deflate stream: {err}")))?;
            let taken = in_memory(self.stream.total_in() - before_in);
            let made = in_memory(self.stream.total_out() - before_out);
            self.used += taken;
            self.produced += made as u64;
            self.ended = status == Status::StreamEnd;
            if made > 0 {
                return Ok(made);
            }
            if taken == 0 && !self.ended {
                return Err(corrupt("found a deflate stream that is cut off, expected its final block").into());
            }
        }
        Ok(0)
    }

    /// Fetches the next compressed bytes, as many as come at once: who looks at a header only should not fetch more.
    fn fill<R: Read>(&mut self, reader: &mut R) -> io::Result<()> {
        let most = usize::try_from(self.left).map_or(INPUT, |left| left.min(INPUT));
        self.used = 0;
        self.filled = 0;
        if most == 0 {
            return Ok(());
        }
        while self.filled == 0 {
            match reader.read(&mut self.input[..most]) {
                Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
                Ok(got) => self.filled = got,
                Err(err) if err.kind() == io::ErrorKind::Interrupted => {}
                Err(err) => return Err(err),
            }
        }
        self.left -= self.filled as u64;
        Ok(())
    }
}
