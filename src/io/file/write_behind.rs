//! A file written by a thread of its own, while the next piece is put together.
//!
//! ```text
//! this thread   puts together │ 3 │ 4 │ ..
//! the other     writes      │ 2 │ 3 │ ..        at most PIECES pieces are under way
//! ```

use std::fs::File;
use std::io::{self, Write};
use std::sync::mpsc::{Receiver, SyncSender, channel, sync_channel};
use std::thread::{Builder, JoinHandle};

/// Enough that neither side waits for the other at every piece.
const PIECES: usize = 3;

/// The other thread, and the way there and back.
pub(crate) struct Behind {
    full: Option<SyncSender<(Vec<u8>, usize)>>,
    empty: Receiver<Vec<u8>>,
    thread: Option<JoinHandle<io::Result<()>>>,
}

impl Behind {
    /// Starts the thread; an error where there are no more of them.
    pub(crate) fn start(mut file: File) -> io::Result<Self> {
        let (full, pieces) = sync_channel::<(Vec<u8>, usize)>(PIECES);
        let (back, empty) = channel();
        let thread = Builder::new().name("serde_npz write".into()).spawn(move || {
            for (piece, len) in pieces {
                file.write_all(&piece[..len])?;
                // Nobody waits for the last ones.
                let _ = back.send(piece);
            }
            Ok(())
        })?;
        Ok(Behind {
            full: Some(full),
            empty,
            thread: Some(thread),
        })
    }

    /// Hands over the first `len` bytes of `piece`, which is another buffer as long as this one from then on.
    pub(crate) fn give(&mut self, piece: &mut Vec<u8>, len: usize) -> io::Result<()> {
        let next = self.empty.try_recv().unwrap_or_else(|_| vec![0; piece.len()]);
        let given = std::mem::replace(piece, next);
        match &self.full {
            Some(full) if full.send((given, len)).is_ok() => Ok(()),
            // It stopped because of an error.
            _ => self.end().and(Err(io::ErrorKind::BrokenPipe.into())),
        }
    }

    /// Waits for all that was given to be written.
    pub(crate) fn finish(mut self) -> io::Result<()> {
        self.end()
    }

    fn end(&mut self) -> io::Result<()> {
        self.full = None;
        match self.thread.take().map(JoinHandle::join) {
            None => Ok(()),
            Some(Ok(result)) => result,
            Some(Err(panic)) => std::panic::resume_unwind(panic),
        }
    }
}

impl Drop for Behind {
    fn drop(&mut self) {
        self.full = None;
        // What went wrong there has no meaning where nobody finishes.
        let _ = self.thread.take().map(JoinHandle::join);
    }
}
