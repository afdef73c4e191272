//! Bytes out: `begin(&Header)`, then data.
//!
//! ```text
//! begin(header) ─► \x93NUMPY .. {'descr': ..} \n
//! write(bytes)  ─► 00 00 00 00 00 00 f0 3f ..      as often as there is data
//! ```

use std::io::Write;

use crate::error::Result;
use crate::header::Header;

/// Takes one array: the header once, then its data in C order.
pub(crate) trait Sink {
    /// Starts the array: nothing has been written before.
    fn begin(&mut self, header: &Header) -> Result<()>;
    /// Takes the next bytes of data.
    fn write(&mut self, bytes: &[u8]) -> Result<()>;
}

/// A lone `.npy` on any writer.
pub(crate) struct Plain<W>(pub(crate) W);

impl<W: Write> Sink for Plain<W> {
    fn begin(&mut self, header: &Header) -> Result<()> {
        Ok(self.0.write_all(&header.to_bytes())?)
    }

    fn write(&mut self, bytes: &[u8]) -> Result<()> {
        Ok(self.0.write_all(bytes)?)
    }
}

/// How much is gathered before it goes to a sink.
const PIECE: usize = 64 * 1024;

/// A sink with a small buffer in front, for values that come one by one.
pub(crate) struct Out<'s> {
    sink: &'s mut dyn Sink,
    buffer: Vec<u8>,
}

impl<'s> Out<'s> {
    pub(crate) fn new(sink: &'s mut dyn Sink) -> Self {
        Out {
            sink,
            buffer: Vec::new(),
        }
    }

    pub(crate) fn begin(&mut self, header: &Header) -> Result<()> {
        self.sink.begin(header)?;
        // Never more than the array itself: many members are tiny.
        self.buffer.reserve(header.data_len().min(PIECE as u64) as usize);
        Ok(())
    }

    #[inline]
    pub(crate) fn put(&mut self, bytes: &[u8]) -> Result<()> {
        if self.buffer.len() + bytes.len() > PIECE {
            self.flush()?;
            if bytes.len() >= PIECE {
                return self.sink.write(bytes);
            }
        }
        self.buffer.extend_from_slice(bytes);
        Ok(())
    }

    /// Fills up a fixed-width element.
    pub(crate) fn zeros(&mut self, mut n: u64) -> Result<()> {
        const ZEROS: [u8; 256] = [0; 256];
        while n > 0 {
            let step = n.min(ZEROS.len() as u64);
            self.put(&ZEROS[..step as usize])?;
            n -= step;
        }
        Ok(())
    }

    pub(crate) fn flush(&mut self) -> Result<()> {
        if !self.buffer.is_empty() {
            self.sink.write(&self.buffer)?;
            self.buffer.clear();
        }
        Ok(())
    }
}
