//! Plain settings: what a caller may choose about reading and writing.

mod limits;
pub(crate) mod progress;

use std::ops::ControlFlow;

pub use self::limits::Limits;
pub(crate) use self::limits::MAX_GROUPS;
use self::progress::{OnProgress, Progress};

/// How the members of an archive are compressed.
///
/// ```
/// use serde_npz::{Compression, WriteOptions};
///
/// let options = WriteOptions::new().compression(Compression::Deflate(9));
/// # let bytes = options.to_npz_vec(&std::collections::BTreeMap::from([("x", vec![0.0; 100])])).unwrap();
/// # assert!(bytes.len() < 800);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Compression {
    /// As they are, as `np.savez` does: fastest, and every member can be mapped.
    #[default]
    Stored,
    /// Deflated, as `np.savez_compressed` does, at a level of 0 to 9; higher counts as 9.
    Deflate(u32),
}

/// What a reader may convert. Nothing is lost, but for what [`SameKind`](Casting::SameKind) rounds: what does not fit is
/// an error that names the level that would help.
///
/// | from | [`Safe`](Casting::Safe) | [`Exact`](Casting::Exact) also | [`SameKind`](Casting::SameKind) also |
/// |---|---|---|---|
/// | bool | numbers | | |
/// | integer | integers, floats and complex numbers where the value fits; bool where it is 0 or 1 | | |
/// | float | wider floats, complex numbers of these | narrower floats, integers, bool | narrower floats, rounded |
/// | complex number | wider ones | narrower ones; without an imaginary part whatever its real part may become | narrower ones, rounded |
///
/// `Exact` takes a number where its value survives, and only there: 3.0 is a `usize`, 0.5 an `f32`, but 0.1 is not, and
/// -0.0 is no integer. NaN and infinities are in every float, and in no integer. Times go to another unit where they are
/// whole counts of it; no integer becomes a time, and nothing but a datetime a text. The same holds for records, views,
/// [`Value`](crate::Value), and for rows of a reader.
///
/// ```
/// use serde_npz::{Casting, ReadOptions};
///
/// let bytes = serde_npz::to_npy_vec(&vec![0.1_f64]).unwrap();
/// assert!(serde_npz::from_npy_slice::<Vec<f32>>(&bytes).is_err());
/// let narrow: Vec<f32> = ReadOptions::new().casting(Casting::SameKind).from_npy_slice(&bytes).unwrap();
/// assert_eq!(narrow, [0.1_f32]);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Casting {
    /// What NumPy calls safe where the value is exact, and integers where the value fits.
    #[default]
    Safe,
    /// Also floats to narrower floats, rounded, as `casting='same_kind'` of `ndarray.astype`.
    SameKind,
    /// Also any number to any type of number in which its value survives.
    ///
    /// ```
    /// use serde_npz::{Casting, ReadOptions};
    ///
    /// let bytes = serde_npz::to_npy_vec(&vec![3.0, 4.0]).unwrap(); // as MATLAB writes integers
    /// let exact = ReadOptions::new().casting(Casting::Exact);
    /// assert_eq!(exact.from_npy_slice::<Vec<usize>>(&bytes).unwrap(), [3, 4]);
    /// let bytes = serde_npz::to_npy_vec(&vec![3.5]).unwrap();
    /// assert!(exact.from_npy_slice::<Vec<usize>>(&bytes).is_err());
    /// ```
    Exact,
}

/// As many threads as allowed, or as there are processors. Asking the system for these takes about 40 µs.
pub(crate) fn threads(allowed: Option<usize>) -> usize {
    allowed.unwrap_or_else(|| std::thread::available_parallelism().map_or(1, usize::from))
}

/// How long a header may be unless told: NumPy's bound.
pub(crate) const MAX_HEADER_SIZE: usize = 10_000;

/// How to write; its verbs are those of the crate root.
///
/// ```
/// use std::collections::BTreeMap;
/// use serde_npz::WriteOptions;
///
/// let data = BTreeMap::from([("x", vec![0.5; 1000])]);
/// let bytes = WriteOptions::new().compressed().to_npz_vec(&data).unwrap();
/// assert!(bytes.len() < 1000);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use = "setters return the changed options"]
pub struct WriteOptions {
    pub(crate) compression: Compression,
    pub(crate) separator: Option<char>,
    pub(crate) threads: Option<usize>,
    pub(crate) durable: bool,
    pub(crate) max_members: u64,
    pub(crate) max_header_size: usize,
    pub(crate) last_wins: bool,
    pub(crate) progress: OnProgress,
}

impl WriteOptions {
    /// Stored members, groups joined by `/`, at most 100,000 members of a value.
    ///
    /// ```
    /// let options = serde_npz::WriteOptions::new();
    /// # let _ = options;
    /// ```
    pub fn new() -> Self {
        WriteOptions {
            compression: Compression::Stored,
            separator: Some('/'),
            threads: None,
            durable: false,
            max_members: 100_000,
            max_header_size: MAX_HEADER_SIZE,
            last_wins: false,
            progress: OnProgress::default(),
        }
    }

    /// How members are compressed: [`Compression::Stored`] unless told.
    ///
    /// ```
    /// use serde_npz::{Compression, WriteOptions};
    /// let options = WriteOptions::new().compression(Compression::Deflate(1));
    /// # let _ = options;
    /// ```
    pub fn compression(mut self, compression: Compression) -> Self {
        self.compression = compression;
        self
    }

    /// Deflated at level 6, as `np.savez_compressed` does.
    ///
    /// ```
    /// let options = serde_npz::WriteOptions::new().compressed();
    /// # let _ = options;
    /// ```
    pub fn compressed(self) -> Self {
        self.compression(Compression::Deflate(6))
    }

    /// What joins the names of groups and members; `None`: names are whole keys, and nesting is an error.
    ///
    /// ```
    /// let options = serde_npz::WriteOptions::new().separator(Some('.'));
    /// # let _ = options;
    /// ```
    pub fn separator(mut self, separator: Option<char>) -> Self {
        self.separator = separator;
        self
    }

    /// How many threads write at most, the caller's included; the bytes are the same whatever the number.
    ///
    /// As many as there are cores unless told, and one where the system has no threads. Only compressed members use more
    /// than one: each thread takes blocks of 256 KiB, of one large member or of several; all that waits meanwhile takes
    /// less than 2 MiB for each thread. Threads start when there is work for them, and end with the archive.
    ///
    /// ```
    /// let options = serde_npz::WriteOptions::new().threads(2);
    /// # let _ = options;
    /// ```
    pub fn threads(mut self, n: usize) -> Self {
        self.threads = Some(n);
        self
    }

    /// Whether `save_*` returns only after the file and its name are on the disk: `false` unless told.
    ///
    /// In either case the bytes go to a file beside the path, which takes the name when it is whole: an error, a full
    /// disk, or the end of the process at any moment leaves the old file or the new one. A durable save also syncs the
    /// file before and the directory after, and so survives a loss of power as well: until it has returned the old file
    /// or the new one is there, from then on the new one. Without it, a loss of power soon after the save may bring back
    /// the old file, or leave an empty or torn one under the name. A sync that fails is a failed save and is not tried
    /// again. Only a killed process leaves something behind: its `.serde_npz-*` beside the path.
    ///
    /// # What becomes of the old file
    ///
    /// A file that is replaced is another file afterwards, of the user who saves. It keeps the permission bits (without
    /// setuid, setgid and the sticky bit) and the group, where the system lets this user give it away; where not, group and
    /// others may do only what both could do before. Until then nobody but the owner can open it. Lost are the owner, ACLs
    /// and extended attributes; other names of the old file (hard links) keep the old content. A file without the right
    /// to write is replaced as well: a rename asks for the rights of the directory only. Windows refuses to replace a file
    /// that somebody has mapped.
    ///
    /// Where the path is a symbolic link, what it points to is replaced. Two kinds of links are refused: those to files
    /// that are already open, such as `/dev/stdout`, which the `to_*_writer` functions write to; and those that another
    /// user has made in a directory where anybody may make files, such as `/tmp`, unless the directory is theirs.
    ///
    /// ```
    /// let options = serde_npz::WriteOptions::new().durable(true);
    /// # let _ = options;
    /// ```
    pub fn durable(mut self, durable: bool) -> Self {
        self.durable = durable;
        self
    }

    /// How many members one list or value may become: 100,000 unless told.
    ///
    /// ```
    /// let options = serde_npz::WriteOptions::new().max_members(1_000_000);
    /// # let _ = options;
    /// ```
    pub fn max_members(mut self, n: usize) -> Self {
        self.max_members = n as u64;
        self
    }

    /// The most characters of a header: 10,000 unless told, as many as NumPy and this crate read unless told.
    ///
    /// Only records of hundreds of fields have longer ones. A file with a longer header is read with
    /// [`ReadOptions::max_header_size`], and in Python with `np.load(.., max_header_size=..)`.
    ///
    /// ```
    /// use serde_npz::WriteOptions;
    ///
    /// let row: std::collections::BTreeMap<String, f64> = std::collections::BTreeMap::new();
    /// let bytes = WriteOptions::new().max_header_size(100_000).to_npz_vec(&row)?;
    /// # let _ = bytes;
    /// # Ok::<(), serde_npz::Error>(())
    /// ```
    pub fn max_header_size(mut self, n: usize) -> Self {
        self.max_header_size = n;
        self
    }

    /// Whether [`NpzWriter::compact`](crate::NpzWriter::compact) keeps the last member of a key that comes twice in an
    /// archive that is gone on with, instead of refusing to choose.
    ///
    /// ```
    /// let options = serde_npz::WriteOptions::new().last_wins(true);
    /// # let _ = options;
    /// ```
    pub fn last_wins(mut self, last_wins: bool) -> Self {
        self.last_wins = last_wins;
        self
    }

    /// Has `callback` called while a value is written: about every 8 MiB, and at the end.
    ///
    /// It is told how far the call has come, and may end it: after [`ControlFlow::Break`] the call returns an error of the
    /// kind [`Cancelled`](crate::ErrorKind::Cancelled), and `save_*` leaves the old file as it was. It is called on the thread
    /// that writes, also where other threads compress: their part counts when it is done. Every verb calls it, and so
    /// do [`NpyWriter`](crate::NpyWriter), [`NpzWriter`](crate::NpzWriter) with [`compact`](crate::NpzWriter::compact), and
    /// [`Checkpoints`](crate::Checkpoints). Two options are equal if they have the same callback, not merely the
    /// same code.
    ///
    /// ```
    /// use std::ops::ControlFlow;
    /// use serde_npz::{ErrorKind, WriteOptions};
    ///
    /// let options = WriteOptions::new().progress(|progress| match progress.done() {
    ///     0..10_000_000 => ControlFlow::Continue(()),
    ///     _ => ControlFlow::Break(()),
    /// });
    /// assert!(options.to_npy_vec(&vec![0.5; 1_000_000]).is_ok());
    /// let err = options.to_npy_vec(&vec![0.5; 5_000_000]).unwrap_err();
    /// assert_eq!(err.kind(), ErrorKind::Cancelled);
    /// ```
    pub fn progress(mut self, callback: impl Fn(&Progress<'_>) -> ControlFlow<()> + Send + Sync + 'static) -> Self {
        self.progress = OnProgress::new(callback);
        self
    }
}

impl Default for WriteOptions {
    fn default() -> Self {
        WriteOptions::new()
    }
}

/// How to read; its verbs are those of the crate root.
///
/// ```
/// use serde_npz::{Casting, ReadOptions};
///
/// let options = ReadOptions::new().casting(Casting::SameKind).max_header_size(100_000);
/// # let _ = options;
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use = "setters return the changed options"]
pub struct ReadOptions {
    pub(crate) separator: Option<char>,
    pub(crate) casting: Casting,
    pub(crate) squeeze: bool,
    pub(crate) max_header_size: usize,
    pub(crate) limits: Limits,
    pub(crate) skip_unsupported: bool,
    pub(crate) last_wins: bool,
    pub(crate) progress: OnProgress,
    pub(crate) threads: Option<usize>,
}

impl ReadOptions {
    /// Groups joined by `/`, exact conversions only, headers of at most 10,000 characters, safe limits.
    ///
    /// ```
    /// let options = serde_npz::ReadOptions::new();
    /// # let _ = options;
    /// ```
    pub fn new() -> Self {
        ReadOptions {
            separator: Some('/'),
            casting: Casting::Safe,
            squeeze: false,
            max_header_size: MAX_HEADER_SIZE,
            limits: Limits::new(),
            skip_unsupported: false,
            last_wins: false,
            progress: OnProgress::default(),
            threads: None,
        }
    }

    /// What joins the names of groups and members; `None`: names are whole keys.
    ///
    /// ```
    /// let options = serde_npz::ReadOptions::new().separator(None);
    /// # let _ = options;
    /// ```
    pub fn separator(mut self, separator: Option<char>) -> Self {
        self.separator = separator;
        self
    }

    /// Which conversions are allowed: [`Casting::Safe`] unless told.
    ///
    /// ```
    /// use serde_npz::{Casting, ReadOptions};
    /// let options = ReadOptions::new().casting(Casting::SameKind);
    /// # let _ = options;
    /// ```
    pub fn casting(mut self, casting: Casting) -> Self {
        self.casting = casting;
        self
    }

    /// Whether axes of length 1 need not be asked for: `false` unless told.
    ///
    /// MATLAB and R have no vectors: theirs are (n, 1) or (1, n), and their numbers (1, 1). With this option
    ///
    /// - a scalar (a number, text, time or record) may be asked of an array of one element;
    /// - a sequence of scalars may be asked of an array all of whose axes but one have length 1, and goes along that one;
    /// - a sequence may be asked of a scalar, and has one element;
    /// - likewise for sequences of sequences and for arrays of ndarray and nalgebra: axes of length 1 are left out, or added,
    ///   until there are as many as are asked for. Where that can be done in several ways, it is an error.
    ///
    /// Nothing changes where as many axes are asked for as there are, nor for what takes any number of them: an
    /// [`ArrayView`](crate::ArrayView), a [`Value`](crate::Value), ndarray's `ArrayD`, or a type that asks for anything, such
    /// as `serde_json::Value`. The rows of a reader are those along the first axis; each is squeezed by itself.
    ///
    /// ```
    /// use serde::Deserialize;
    /// use serde_npz::{Casting, ReadOptions};
    ///
    /// #[derive(Deserialize)]
    /// struct Recording {
    ///     channels: usize,
    ///     spikes: Vec<u32>,
    /// }
    ///
    /// // As MATLAB has them: (1, 1) and (1, 3), all of them doubles.
    /// let bytes = serde_npz::to_npz_vec(&std::collections::BTreeMap::from([
    ///     ("channels", vec![vec![384.0]]),
    ///     ("spikes", vec![vec![12.0, 30.0, 47.0]]),
    /// ]))?;
    /// let options = ReadOptions::new().squeeze(true).casting(Casting::Exact);
    /// let recording: Recording = options.from_npz_slice(&bytes)?;
    /// assert_eq!((recording.channels, recording.spikes), (384, vec![12, 30, 47]));
    /// # Ok::<(), serde_npz::Error>(())
    /// ```
    pub fn squeeze(mut self, squeeze: bool) -> Self {
        self.squeeze = squeeze;
        self
    }

    /// The longest header taken, in characters: `max_header_size` of `np.load`, 10,000 unless told.
    ///
    /// ```
    /// let options = serde_npz::ReadOptions::new().max_header_size(1_000_000);
    /// # let _ = options;
    /// ```
    pub fn max_header_size(mut self, n: usize) -> Self {
        self.max_header_size = n;
        self
    }

    /// The bounds for what is taken from a file.
    ///
    /// ```
    /// use serde_npz::{Limits, ReadOptions};
    /// let options = ReadOptions::new().limits(Limits::unlimited());
    /// # let _ = options;
    /// ```
    pub fn limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// Whether members that have no counterpart here are left out of an archive or group instead of failing it.
    ///
    /// That is: Python objects, `longdouble` and other dtypes of NumPy's own, other compressions than deflate, encrypted
    /// members, and `.npy` files that hold no array, such as the `._x.npy` that macOS puts into its archives. A group of which
    /// nothing is left is left out as well. [`NpzReader::entries`](crate::NpzReader::entries) tells of each member
    /// [why](crate::Entry::unsupported). Asked for by its own name, such a member is still the error that says so.
    ///
    /// Damage is never skipped. What is left out is read to its end, and its checksum compared; of encrypted members and
    /// other compressions, which cannot be, both headers are compared.
    ///
    /// ```
    /// let options = serde_npz::ReadOptions::new().skip_unsupported(true);
    /// # let _ = options;
    /// ```
    pub fn skip_unsupported(mut self, skip: bool) -> Self {
        self.skip_unsupported = skip;
        self
    }

    /// Whether the last member of a key that comes twice is taken, as NumPy does, instead of an error.
    ///
    /// Python's `zipfile` adds a second member of the same name where others would replace the first; so do `zip` tools. Without
    /// this option such a key is an error where it is asked for, by name or as part of the whole: two programs may
    /// show different members. The other members can be read by name in either case.
    ///
    /// ```
    /// let options = serde_npz::ReadOptions::new().last_wins(true);
    /// # let _ = options;
    /// ```
    pub fn last_wins(mut self, last_wins: bool) -> Self {
        self.last_wins = last_wins;
        self
    }

    /// How many threads read at most, the caller's included.
    ///
    /// As many as there are cores unless told, and one where the system has no threads. They inflate members ahead of
    /// the one that is taken, where a value asks for several of 32 KiB to 64 MiB; compressed and inflated, those take
    /// 256 MiB and one member at most. Nothing else uses more than one thread. Threads start when there is work for them,
    /// and end with the value.
    ///
    /// ```
    /// let options = serde_npz::ReadOptions::new().threads(2);
    /// # let _ = options;
    /// ```
    pub fn threads(mut self, n: usize) -> Self {
        self.threads = Some(n);
        self
    }

    /// Has `callback` called while a value is read: about every 8 MiB, and at the end.
    ///
    /// It is told how far the call has come, and may end it: after [`ControlFlow::Break`] the call returns an error of the
    /// kind [`Cancelled`](crate::ErrorKind::Cancelled). It is called on the thread that reads, also where other threads
    /// inflate: a member of theirs counts when it is taken. Every verb calls it, and so do
    /// [`NpyReader::rows`](crate::NpyReader::rows), and `get`, `raw`, `rows` and `verify` of [`NpzReader`](crate::NpzReader); what looks
    /// at headers only does not. Two options are equal if they have the same callback, not merely the same code.
    ///
    /// ```
    /// use std::ops::ControlFlow;
    /// use std::sync::Arc;
    /// use std::sync::atomic::{AtomicU64, Ordering};
    /// use serde_npz::ReadOptions;
    ///
    /// let seen = Arc::new(AtomicU64::new(0));
    /// let done = Arc::clone(&seen);
    /// let options = ReadOptions::new().progress(move |progress| {
    ///     done.store(progress.done(), Ordering::Relaxed);
    ///     ControlFlow::Continue(())
    /// });
    /// let bytes = serde_npz::to_npy_vec(&vec![0.5; 1000])?;
    /// let values: Vec<f64> = options.from_npy_slice(&bytes)?;
    /// assert_eq!(seen.load(Ordering::Relaxed), bytes.len() as u64);
    /// # Ok::<(), serde_npz::Error>(())
    /// ```
    pub fn progress(mut self, callback: impl Fn(&Progress<'_>) -> ControlFlow<()> + Send + Sync + 'static) -> Self {
        self.progress = OnProgress::new(callback);
        self
    }
}

impl Default for ReadOptions {
    fn default() -> Self {
        ReadOptions::new()
    }
}
