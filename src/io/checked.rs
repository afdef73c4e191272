//! Readers and writers of others: how many bytes they say they have moved is checked before it is believed.

use std::io::{self, Read, Seek, SeekFrom, Write};

/// A `Read` or `Write` that may be wrong. One that returns a larger count than it was asked for is an error here; in the
/// standard library's `read_exact`, `take` and `write_all` it is a panic.
pub(crate) struct Checked<T>(pub(crate) T);

impl<R: Read> Read for Checked<R> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let got = self.0.read(buf)?;
        check("Read", "read", got, buf.len())
    }
}

impl<W: Write> Write for Checked<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let taken = self.0.write(bytes)?;
        check("Write", "written", taken, bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

impl<S: Seek> Seek for Checked<S> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.0.seek(to)
    }
}

fn check(which: &str, what: &str, found: usize, most: usize) -> io::Result<usize> {
    if found <= most {
        return Ok(found);
    }
    Err(io::Error::other(format!(
        "found {found} bytes {what}, expected at most the {most} asked for: the `{which}` is wrong"
    )))
}
