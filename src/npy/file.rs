//! A file with one array: written behind this thread's back and read ahead of it, where its elements come one by one.
//!
//! A slice that goes out or comes in as a whole needs no other thread: the system moves it at once.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};

use crate::error::Result;
use crate::format::header::Header;
use crate::io::file::{Ahead, AtomicFile, Behind};
use crate::io::source::{Source, Stream};
use crate::npy::sink::{PIECE, Plain, Sink};
use crate::options::threads;

/// Arrays of at least so many bytes, if they come piece by piece, are written and read by a thread of their own.
const LEAST_APART: u64 = 8 << 20;

/// How much goes from one thread to the other at once: less would wake them more often than it pays.
const PIECE_APART: usize = 256 * 1024;

/// A file for exactly one array: what goes to a sink comes in large pieces, so that nothing is gathered here.
pub(super) struct FileSink {
    target: AtomicFile,
    handle: Plain<File>,
    threads: Option<usize>,
    pieces: Pieces,
}

/// Who writes what was gathered.
enum Pieces {
    /// This thread: there is little of it.
    Few,
    /// Another one, from the first piece on.
    Many,
    Apart(Behind),
}

impl FileSink {
    pub(super) fn new(target: AtomicFile, handle: File, threads: Option<usize>) -> Self {
        FileSink {
            target,
            handle: Plain(handle),
            threads,
            pieces: Pieces::Few,
        }
    }

    /// Waits for the pieces, and gives the file its name.
    pub(super) fn commit(self) -> Result<()> {
        if let Pieces::Apart(behind) = self.pieces {
            behind.finish()?;
        }
        self.target.commit()
    }
}

impl Sink for FileSink {
    fn begin(&mut self, header: &Header) -> Result<()> {
        let bytes = header.to_bytes();
        self.target
            .reserve(0, header.data_len().saturating_add(bytes.len() as u64));
        if header.data_len() >= LEAST_APART && threads(self.threads) > 1 {
            self.pieces = Pieces::Many;
        }
        self.handle.write(&bytes)
    }

    fn write(&mut self, bytes: &[u8]) -> Result<()> {
        // Both write at one position: what was given comes first.
        if let Pieces::Apart(behind) = std::mem::replace(&mut self.pieces, Pieces::Few) {
            behind.finish()?;
        }
        self.handle.write(bytes)
    }

    fn give(&mut self, piece: &mut Vec<u8>, len: usize) -> Result<()> {
        if let Pieces::Many = self.pieces {
            // Without another thread this one does it.
            let behind = self.handle.0.try_clone().and_then(Behind::start);
            self.pieces = behind.map_or(Pieces::Few, Pieces::Apart);
        }
        match &mut self.pieces {
            Pieces::Apart(behind) => Ok(behind.give(piece, len)?),
            _ => self.handle.write(&piece[..len]),
        }
    }

    fn piece(&self) -> usize {
        match self.pieces {
            Pieces::Few => PIECE,
            _ => PIECE_APART,
        }
    }
}

/// The file of one array, read.
pub(super) struct FileSource {
    stream: Stream<BufReader<File>>,
    threads: Option<usize>,
    ahead: Option<Ahead>,
    /// Of a piece that was read ahead, for who asks for so many bytes after all.
    piece: Vec<u8>,
    at: usize,
}

impl FileSource {
    /// `proven` is the length of a plain file.
    pub(super) fn new(file: File, proven: u64, threads: Option<usize>) -> Self {
        FileSource {
            stream: Stream::with_proven(BufReader::new(file), proven),
            threads,
            ahead: None,
            piece: Vec::new(),
            at: 0,
        }
    }

    /// Starts to read ahead, if it pays for `left` bytes.
    fn start(&mut self, itemsize: u64, left: u64) -> io::Result<()> {
        // A pipe may give less, and whoever reads from it would wait for the rest.
        if self.ahead.is_some() || left < LEAST_APART || self.proven() < left {
            return Ok(());
        }
        // Asked for once: there may be only one processor, and as many pieces as there are.
        let threads = threads(self.threads);
        self.threads = Some(threads);
        if threads < 2 {
            return Ok(());
        }
        let Some(size) = (PIECE_APART as u64).checked_div(itemsize).filter(|&items| items > 0) else {
            return Ok(());
        };
        let reader = self.stream.get_mut();
        let file = reader.get_ref().try_clone()?;
        let first = reader.buffer().to_vec();
        let (had, rest) = (first.len(), left - first.len() as u64);
        self.ahead = Some(Ahead::start(file, first, rest, (size * itemsize) as usize)?);
        reader.consume(had);
        Ok(())
    }
}

impl Read for FileSource {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let Some(ahead) = &mut self.ahead else {
            return self.stream.read(buf);
        };
        if self.at == self.piece.len() {
            self.at = 0;
            ahead.next(&mut self.piece).map_err(io::Error::other)?;
        }
        let got = (&self.piece[self.at..]).read(buf)?;
        self.at += got;
        Ok(got)
    }
}

impl<'de> Source<'de> for FileSource {
    fn lend(&mut self, _: u64) -> Option<Result<&'de [u8]>> {
        None
    }

    fn proven(&self) -> u64 {
        Source::proven(&self.stream)
    }

    fn exchange(&mut self, piece: &mut Vec<u8>, itemsize: u64, left: u64) -> Result<bool> {
        // Without another thread this one does it.
        let _ = self.start(itemsize, left);
        match &mut self.ahead {
            Some(ahead) if self.at == self.piece.len() => {
                ahead.next(piece)?;
                Ok(true)
            }
            _ => Ok(false),
        }
    }
}
