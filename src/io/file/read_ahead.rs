//! A file read by a thread of its own, while the piece before is looked at.
//!
//! ```text
//! the other     reads      │ 2 │ 3 │ ..         at most PIECES pieces are under way
//! this thread   looks at      │ 1 │ 2 │ ..
//! ```

use std::fs::File;
use std::io;
use std::sync::mpsc::{Receiver, Sender, channel, sync_channel};
use std::thread::{Builder, JoinHandle};

use crate::error::Result;
use crate::io::source::read_full;

/// Enough that neither side waits for the other at every piece.
const PIECES: usize = 3;

/// The other thread, and the way there and back.
pub(crate) struct Ahead {
    full: Option<Receiver<Result<Vec<u8>>>>,
    empty: Option<Sender<Vec<u8>>>,
    thread: Option<JoinHandle<()>>,
}

impl Ahead {
    /// Starts to read the `left` bytes that follow `first`, which was read already, in pieces of `size` bytes.
    pub(crate) fn start(mut file: File, mut first: Vec<u8>, mut left: u64, size: usize) -> io::Result<Self> {
        let (send, full) = sync_channel(PIECES);
        let (empty, back) = channel::<Vec<u8>>();
        let thread = Builder::new().name("serde_npz read".into()).spawn(move || {
            let mut had = first.len();
            while left > 0 || had > 0 {
                let mut piece = if had > 0 {
                    std::mem::take(&mut first)
                } else {
                    back.try_recv().unwrap_or_default()
                };
                let wanted = (left.saturating_add(had as u64)).min(size.max(had) as u64) as usize;
                piece.resize(wanted, 0);
                let read = read_full(&mut file, &mut piece[had..]).map(|got| {
                    piece.truncate(had + got);
                    piece
                });
                let short = !matches!(&read, Ok(piece) if piece.len() == wanted);
                left -= (wanted - had) as u64;
                had = 0;
                if send.send(read).is_err() || short {
                    return;
                }
            }
        })?;
        Ok(Ahead {
            full: Some(full),
            empty: Some(empty),
            thread: Some(thread),
        })
    }

    /// The next piece instead of `piece`, which goes back; less than a whole one where the file ends.
    pub(crate) fn next(&mut self, piece: &mut Vec<u8>) -> Result<()> {
        let used = std::mem::take(piece);
        if let Some(empty) = &self.empty
            && used.capacity() > 0
        {
            // It has ended where nothing is left to read.
            let _ = empty.send(used);
        }
        if let Some(Ok(next)) = self.full.as_ref().map(Receiver::recv) {
            *piece = next?;
        }
        Ok(())
    }
}

impl Drop for Ahead {
    fn drop(&mut self) {
        self.full = None;
        self.empty = None;
        let _ = self.thread.take().map(JoinHandle::join);
    }
}
