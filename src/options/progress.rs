//! How far a call has come, told to a callback that may end it.
//!
//! ```text
//! done   0 ──── 8 MiB ──── 16 MiB ──── .. ──── end      called about here, and always at the end
//! ```

use std::fmt;
use std::ops::ControlFlow;
use std::sync::Arc;

use crate::error::{Error, ErrorKind, Result};

/// So many bytes lie between two calls.
const STEP: u64 = 8 << 20;

/// So many are read or written at once at most.
const PIECE: u64 = 1 << 20;

/// How far a call has come: see [`WriteOptions::progress`](crate::WriteOptions::progress) and
/// [`ReadOptions::progress`](crate::ReadOptions::progress).
///
/// ```
/// use std::ops::ControlFlow;
/// use serde_npz::{Progress, ReadOptions};
///
/// fn show(progress: &Progress<'_>) -> ControlFlow<()> {
///     match progress.total() {
///         Some(total) => println!("{} of {total} bytes", progress.done()),
///         None => println!("{} bytes", progress.done()),
///     }
///     ControlFlow::Continue(())
/// }
///
/// let bytes = serde_npz::to_npy_vec(&vec![0.5; 1000])?;
/// let values: Vec<f64> = ReadOptions::new().progress(show).from_npy_slice(&bytes)?;
/// # Ok::<(), serde_npz::Error>(())
/// ```
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Progress<'a> {
    done: u64,
    total: Option<u64>,
    member: &'a str,
}

impl<'a> Progress<'a> {
    /// How many bytes of arrays have been read or written, counted as they are in a `.npy`, header and all: compressed
    /// members count by their size when inflated. It never becomes smaller within one call.
    ///
    /// ```
    /// # use std::ops::ControlFlow;
    /// let options = serde_npz::WriteOptions::new().progress(|progress| {
    ///     assert_eq!(progress.done(), 128 + 8);
    ///     ControlFlow::Continue(())
    /// });
    /// options.to_npy_vec(&1.5)?;
    /// # Ok::<(), serde_npz::Error>(())
    /// ```
    pub fn done(&self) -> u64 {
        self.done
    }

    /// How many bytes it will be, where that is known: for one array, and when an archive is read.
    ///
    /// An archive is written without it, as its members come one after another, and so are rows.
    ///
    /// ```
    /// # use std::ops::ControlFlow;
    /// let options = serde_npz::WriteOptions::new().progress(|progress| {
    ///     assert_eq!(progress.total(), Some(128 + 8));
    ///     ControlFlow::Continue(())
    /// });
    /// options.to_npy_vec(&1.5)?;
    /// # Ok::<(), serde_npz::Error>(())
    /// ```
    pub fn total(&self) -> Option<u64> {
        self.total
    }

    /// The key of the member of an archive that was read or written last; empty for a lone array.
    ///
    /// ```
    /// # use std::ops::ControlFlow;
    /// let options = serde_npz::WriteOptions::new().progress(|progress| {
    ///     assert_eq!(progress.member(), "x");
    ///     ControlFlow::Continue(())
    /// });
    /// options.to_npz_vec(&std::collections::BTreeMap::from([("x", 1.5)]))?;
    /// # Ok::<(), serde_npz::Error>(())
    /// ```
    pub fn member(&self) -> &'a str {
        self.member
    }
}

type Callback = Arc<dyn Fn(&Progress<'_>) -> ControlFlow<()> + Send + Sync>;

/// The callback of some options, if there is one. Two are equal if they are the same one.
#[derive(Clone, Default)]
pub(crate) struct OnProgress(Option<Callback>);

impl OnProgress {
    pub(crate) fn new(callback: impl Fn(&Progress<'_>) -> ControlFlow<()> + Send + Sync + 'static) -> Self {
        OnProgress(Some(Arc::new(callback)))
    }

    pub(crate) fn is_set(&self) -> bool {
        self.0.is_some()
    }
}

impl PartialEq for OnProgress {
    fn eq(&self, other: &Self) -> bool {
        match (&self.0, &other.0) {
            (None, None) => true,
            (Some(one), Some(other)) => std::ptr::addr_eq(Arc::as_ptr(one), Arc::as_ptr(other)),
            _ => false,
        }
    }
}

impl Eq for OnProgress {}

impl fmt::Debug for OnProgress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.is_set() { "Some(..)" } else { "None" })
    }
}

/// Counts the bytes of one call, and tells the callback of them.
#[derive(Default)]
pub(crate) struct Meter {
    on: OnProgress,
    done: u64,
    total: Option<u64>,
    member: String,
    /// The most that was told.
    told: u64,
}

impl Meter {
    /// Starts to count one call. Without a callback, counting costs a comparison.
    pub(crate) fn new(on: &OnProgress, total: Option<u64>) -> Self {
        Meter {
            on: on.clone(),
            total,
            ..Meter::default()
        }
    }

    pub(crate) fn is_set(&self) -> bool {
        self.on.is_set()
    }

    /// Says that so many bytes will follow those that have been counted.
    pub(crate) fn announce(&mut self, bytes: u64) {
        self.total = Some(self.done.saturating_add(bytes));
    }

    pub(crate) fn has_total(&self) -> bool {
        self.total.is_some()
    }

    /// Says which member the bytes from here on belong to.
    #[inline]
    pub(crate) fn enter(&mut self, member: &str) {
        if self.is_set() {
            self.member.clear();
            self.member.push_str(member);
        }
    }

    /// How many of `bytes` to read or write at once.
    #[inline]
    pub(crate) fn at_once(&self, bytes: u64) -> u64 {
        match self.is_set() {
            true => bytes.min(PIECE),
            false => bytes,
        }
    }

    /// Counts bytes that are done; an error if the callback ends the call.
    #[inline]
    pub(crate) fn add(&mut self, bytes: u64) -> Result<()> {
        match self.is_set() {
            true => self.count(bytes),
            false => Ok(()),
        }
    }

    #[cold]
    fn count(&mut self, bytes: u64) -> Result<()> {
        self.done = self.done.saturating_add(bytes);
        match self.done >= self.told.saturating_add(STEP) {
            true => self.tell(),
            false => Ok(()),
        }
    }

    /// Counts bytes that were done at once, in pieces.
    pub(crate) fn add_all(&mut self, mut bytes: u64) -> Result<()> {
        while self.is_set() && bytes > 0 {
            let piece = bytes.min(PIECE);
            self.count(piece)?;
            bytes -= piece;
        }
        Ok(())
    }

    /// Bytes that another meter counts come first.
    pub(crate) fn skip(&mut self, bytes: u64) {
        self.done += bytes;
        self.told = self.done;
    }

    /// Bytes that have been counted were taken back; nothing is told until there are more than before.
    pub(crate) fn take_back(&mut self, bytes: u64) {
        self.done = self.done.saturating_sub(bytes);
    }

    /// The call has come to its end, which may be earlier than announced: members that were not asked for.
    pub(crate) fn end(&mut self) -> Result<()> {
        if !self.is_set() {
            return Ok(());
        }
        let done = self.done.max(self.told);
        self.total = self.total.map(|_| done);
        self.tell()
    }

    fn tell(&mut self) -> Result<()> {
        self.told = self.done.max(self.told);
        let progress = Progress {
            done: self.told,
            total: self.total.map(|total| total.max(self.told)),
            member: &self.member,
        };
        match self
            .on
            .0
            .as_ref()
            .map_or(ControlFlow::Continue(()), |call| call(&progress))
        {
            ControlFlow::Continue(()) => Ok(()),
            ControlFlow::Break(()) => Err(Error::new(
                ErrorKind::Cancelled,
                format_args!("cancelled by the callback for progress after {} bytes", self.told),
            )),
        }
    }
}
