//! The state of a long run, saved step by step: the newest is found by its number, and a crash loses no finished save.

mod store;
#[cfg(test)]
mod tests;

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};

use serde::Serialize;
use serde::de::DeserializeOwned;

use self::store::Store;
use crate::error::{Error, ErrorKind, Result};
use crate::io::file::Os;
use crate::options::{ReadOptions, WriteOptions};

/// A directory of checkpoints, one archive per step: `step-00000000000000000042.npz`.
///
/// ```
/// use serde::{Deserialize, Serialize};
/// use serde_npz::Checkpoints;
///
/// #[derive(Default, Serialize, Deserialize)]
/// struct Training {
///     weights: Vec<f32>,
///     losses: Vec<f64>,
/// }
///
/// # fn main() -> serde_npz::Result<()> {
/// # let dir = std::env::temp_dir().join(format!("serde_npz-doc-checkpoints-{}", std::process::id()));
/// let checkpoints = Checkpoints::new(&dir).keep(3);
/// let (first, mut training) = match checkpoints.latest::<Training>()? {
///     Some((step, training)) => (step + 1, training),
///     None => (0, Training::default()),
/// };
/// for step in first..10 {
///     training.losses.push(1.0 / (1.0 + step as f64));
///     checkpoints.save(step, &training)?;
/// }
/// assert_eq!(checkpoints.steps()?, [7, 8, 9]);
/// # std::fs::remove_dir_all(&dir).unwrap();
/// # Ok(())
/// # }
/// ```
///
/// # What is promised
///
/// Once [`save`](Checkpoints::save) has returned, the checkpoint survives the end of the process and the loss of power:
/// its bytes, its name and the directory are synced, with or without [`WriteOptions::durable`]. Before it takes its name
/// it is read back and all its checksums are compared. Only then are older ones removed. A sync that fails is a failed
/// save, and is not tried again; a disk that lies about syncing is beyond any program.
///
/// Reading checks every member before the first value is handed out, those not asked for as well.
///
/// # Several processes
///
/// may save to one directory, and one may read while others save. The same step saved twice is replaced in one step;
/// the last one stays. Each process removes what its own `keep` no longer covers. What killed processes of the same user
/// leave behind, `.serde_npz-*`, is removed by the next save; a file still being written is locked and stays. Where the file
/// system has no locks (and on Windows) leftovers stay for a day. Where several hosts share a disk, their file system has to
/// tell each host of the locks of the others; if it does not, a save of one host may fail because another host has removed
/// its file, and the checkpoints there are stay as they were.
#[must_use = "setters return the changed value"]
pub struct Checkpoints {
    store: Store,
    /// The save in the background. There is one at most, so that saves keep their order.
    pending: Mutex<Option<Pending>>,
}

struct Pending {
    step: u64,
    thread: JoinHandle<Result<PathBuf>>,
}

/// What [`Checkpoints::latest_intact`] found.
///
/// ```
/// # let dir = std::env::temp_dir().join(format!("serde_npz-doc-intact-{}", std::process::id()));
/// let checkpoints = serde_npz::Checkpoints::new(&dir);
/// checkpoints.save(1, &std::collections::BTreeMap::from([("x", 1.5)]))?;
/// let found: Option<serde_npz::IntactCheckpoint<std::collections::BTreeMap<String, f64>>> = checkpoints.latest_intact()?;
/// assert!(found.is_some_and(|found| found.step == 1 && found.damaged.is_empty()));
/// # std::fs::remove_dir_all(&dir).unwrap();
/// # Ok::<(), serde_npz::Error>(())
/// ```
#[derive(Debug)]
#[non_exhaustive]
pub struct IntactCheckpoint<T> {
    /// The step of the newest checkpoint that is intact.
    pub step: u64,
    /// Its state.
    pub state: T,
    /// The newer ones that are damaged, newest first, each with what is wrong with it.
    pub damaged: Vec<(u64, Error)>,
}

impl Checkpoints {
    /// The checkpoints in `dir`. The first save makes the directory if it is missing. All checkpoints are kept, unless
    /// [`keep`](Checkpoints::keep) says otherwise.
    ///
    /// ```
    /// let checkpoints = serde_npz::Checkpoints::new("runs/7");
    /// # let _ = checkpoints;
    /// ```
    pub fn new(dir: impl AsRef<Path>) -> Self {
        Checkpoints {
            store: Store::new(Os, dir.as_ref().to_path_buf()),
            pending: Mutex::new(None),
        }
    }

    /// How many of the newest are kept: the others go once a newer one is safe. 0 counts as 1.
    ///
    /// Newest is by step. The one just saved always stays.
    ///
    /// ```
    /// # let dir = std::env::temp_dir().join(format!("serde_npz-doc-keep-{}", std::process::id()));
    /// let checkpoints = serde_npz::Checkpoints::new(&dir).keep(2);
    /// for step in 1..=5 {
    ///     checkpoints.save(step, &std::collections::BTreeMap::from([("x", 1.5)]))?;
    /// }
    /// assert_eq!(checkpoints.steps()?, [4, 5]);
    /// # std::fs::remove_dir_all(&dir).unwrap();
    /// # Ok::<(), serde_npz::Error>(())
    /// ```
    pub fn keep(mut self, n: usize) -> Self {
        self.store.keep = Some(n);
        self
    }

    /// Also keeps every step that is a multiple of `n`, for good. 0 keeps none of them.
    ///
    /// ```
    /// # let dir = std::env::temp_dir().join(format!("serde_npz-doc-keep-every-{}", std::process::id()));
    /// let checkpoints = serde_npz::Checkpoints::new(&dir).keep(2).keep_every(10);
    /// for step in 1..=25 {
    ///     checkpoints.save(step, &std::collections::BTreeMap::from([("x", 1.5)]))?;
    /// }
    /// assert_eq!(checkpoints.steps()?, [10, 20, 24, 25]);
    /// # std::fs::remove_dir_all(&dir).unwrap();
    /// # Ok::<(), serde_npz::Error>(())
    /// ```
    pub fn keep_every(mut self, n: u64) -> Self {
        self.store.keep_every = Some(n);
        self
    }

    /// How checkpoints are written; they are durable in any case.
    ///
    /// ```
    /// use serde_npz::{Checkpoints, WriteOptions};
    ///
    /// let checkpoints = Checkpoints::new("runs/7").write_options(WriteOptions::new().compressed());
    /// # let _ = checkpoints;
    /// ```
    pub fn write_options(mut self, options: WriteOptions) -> Self {
        self.store.write = options;
        self
    }

    /// How checkpoints are read.
    ///
    /// A separator other than `/` has to be set here and in [`write_options`](Checkpoints::write_options).
    ///
    /// ```
    /// use serde_npz::{Checkpoints, Limits, ReadOptions};
    ///
    /// let options = ReadOptions::new().limits(Limits::new().total_bytes(1 << 30));
    /// let checkpoints = Checkpoints::new("runs/7").read_options(options);
    /// # let _ = checkpoints;
    /// ```
    pub fn read_options(mut self, options: ReadOptions) -> Self {
        self.store.read = options;
        self
    }

    /// Saves the state of a step, and returns when it is safe on the disk. A step that exists is replaced.
    ///
    /// Returns the path written. Then older checkpoints go, as [`keep`](Checkpoints::keep) says.
    ///
    /// ```
    /// # let dir = std::env::temp_dir().join(format!("serde_npz-doc-checkpoint-save-{}", std::process::id()));
    /// let checkpoints = serde_npz::Checkpoints::new(&dir);
    /// let path = checkpoints.save(42, &std::collections::BTreeMap::from([("x", vec![1.0, 2.0])]))?;
    /// assert!(path.ends_with("step-00000000000000000042.npz"));
    /// # std::fs::remove_dir_all(&dir).unwrap();
    /// # Ok::<(), serde_npz::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// Those of [`save_npz`](crate::save_npz), `Io` where a sync fails, `CorruptArchive` where the file does not read
    /// back. No older checkpoint has been removed then, and this step holds what it held before; only where the sync of
    /// the directory failed may it hold the new state already. An old checkpoint that cannot be removed is an `Io` error
    /// that says so; the new one is safe then. The error of an earlier
    /// [`save_in_background`](Checkpoints::save_in_background) comes first, and nothing is saved.
    pub fn save<T: Serialize + ?Sized>(&self, step: u64, state: &T) -> Result<PathBuf> {
        self.wait()?;
        self.store.save(step, state)
    }

    /// Captures the state of a step and saves it in a thread; the state may change once this has returned.
    ///
    /// The archive is built in memory before this returns. A save that is still running is waited for first, so that saves
    /// keep their order and at most one copy of the state is in memory (one for each thread that calls this at the same
    /// time). Nothing is promised before [`wait`](Checkpoints::wait) or any other method has returned without an error.
    /// Dropping the `Checkpoints` waits as well, but cannot return an error.
    ///
    /// ```
    /// # let dir = std::env::temp_dir().join(format!("serde_npz-doc-background-{}", std::process::id()));
    /// let checkpoints = serde_npz::Checkpoints::new(&dir);
    /// let mut state = std::collections::BTreeMap::from([("x".to_owned(), 1.0)]);
    /// checkpoints.save_in_background(1, &state)?;
    /// state.insert("x".to_owned(), 2.0); // meanwhile
    /// checkpoints.wait()?;
    /// let saved: std::collections::BTreeMap<String, f64> = checkpoints.load(1)?;
    /// assert_eq!(saved["x"], 1.0);
    /// # std::fs::remove_dir_all(&dir).unwrap();
    /// # Ok::<(), serde_npz::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// Those of [`to_npz_vec`](crate::to_npz_vec), `Io` where there are no threads to be had, and first the error of the
    /// save in the background before this one: nothing is saved then.
    pub fn save_in_background<T: Serialize + ?Sized>(&self, step: u64, state: &T) -> Result<()> {
        // The lock is not held while the state's own code runs: it may need another lock, whose owner waits for ours.
        self.wait()?;
        let archive = self.store.write.to_npz_vec(state)?;
        // Another thread may have begun a save meanwhile.
        let mut pending = self.settle()?;
        let store = self.store.clone();
        let thread = thread::Builder::new()
            .name("checkpoint".to_owned())
            .spawn(move || store.save_bytes(step, &archive))
            .map_err(|err| {
                Error::new(
                    ErrorKind::Io,
                    format_args!("found no thread to save in ({err}), expected one"),
                )
                .with_hint("`Checkpoints::save` needs none")
                .with_source(err)
            })?;
        *pending = Some(Pending { step, thread });
        Ok(())
    }

    /// Waits until the save in the background is safe.
    ///
    /// ```
    /// # let dir = std::env::temp_dir().join(format!("serde_npz-doc-wait-{}", std::process::id()));
    /// let checkpoints = serde_npz::Checkpoints::new(&dir);
    /// checkpoints.save_in_background(1, &std::collections::BTreeMap::from([("x", 1.5)]))?;
    /// checkpoints.wait()?; // from here on nothing can take it away
    /// # std::fs::remove_dir_all(&dir).unwrap();
    /// # Ok::<(), serde_npz::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// Those of [`save`](Checkpoints::save), once.
    pub fn wait(&self) -> Result<()> {
        self.settle().map(drop)
    }

    /// The newest checkpoint with its step, or `None` where there is none yet.
    ///
    /// Newest is the greatest step among the names. Where another process saves at the same time, this is the state
    /// before or after.
    ///
    /// ```
    /// # let dir = std::env::temp_dir().join(format!("serde_npz-doc-latest-{}", std::process::id()));
    /// use std::collections::BTreeMap;
    ///
    /// let checkpoints = serde_npz::Checkpoints::new(&dir);
    /// assert!(checkpoints.latest::<BTreeMap<String, f64>>()?.is_none());
    /// checkpoints.save(7, &BTreeMap::from([("x", 1.5)]))?;
    /// let (step, state) = checkpoints.latest::<BTreeMap<String, f64>>()?.unwrap();
    /// assert_eq!((step, state["x"]), (7, 1.5));
    /// # std::fs::remove_dir_all(&dir).unwrap();
    /// # Ok::<(), serde_npz::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// `CorruptArchive`, `BadMagic` and others for a newest checkpoint that is damaged; the message names it and the
    /// newest one that is intact, which [`latest_intact`](Checkpoints::latest_intact) loads. Those of
    /// [`load_npz`](crate::load_npz) where the state does not fit `T`.
    pub fn latest<T: DeserializeOwned>(&self) -> Result<Option<(u64, T)>> {
        self.wait()?;
        match self.store.newest()? {
            Some(mut found) => Ok(Some((found.step, found.npz.deserialize()?))),
            None => Ok(None),
        }
    }

    /// The newest checkpoint that is intact, with the damaged ones that are newer; `None` where there is none at all.
    ///
    /// For programs that have seen [`latest`](Checkpoints::latest) fail and would rather repeat some steps.
    ///
    /// ```
    /// # let dir = std::env::temp_dir().join(format!("serde_npz-doc-latest-intact-{}", std::process::id()));
    /// use std::collections::BTreeMap;
    ///
    /// let checkpoints = serde_npz::Checkpoints::new(&dir);
    /// checkpoints.save(1, &BTreeMap::from([("x", 1.0)]))?;
    /// let newest = checkpoints.save(2, &BTreeMap::from([("x", 2.0)]))?;
    /// std::fs::write(newest, "scribbled over").unwrap();
    ///
    /// assert!(checkpoints.latest::<BTreeMap<String, f64>>().is_err());
    /// let found = checkpoints.latest_intact::<BTreeMap<String, f64>>()?.unwrap();
    /// for (step, err) in &found.damaged {
    ///     eprintln!("step {step} is lost: {err}");
    /// }
    /// assert_eq!((found.step, found.state["x"]), (1, 1.0));
    /// # std::fs::remove_dir_all(&dir).unwrap();
    /// # Ok::<(), serde_npz::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// Where there are checkpoints and all are damaged. `Io` for one that cannot be opened, and `LimitExceeded`: neither
    /// is damage. Those of [`load_npz`](crate::load_npz) where the state does not fit `T`.
    pub fn latest_intact<T: DeserializeOwned>(&self) -> Result<Option<IntactCheckpoint<T>>> {
        self.wait()?;
        match self.store.newest_intact()? {
            Some(mut found) => Ok(Some(IntactCheckpoint {
                step: found.step,
                state: found.npz.deserialize()?,
                damaged: found.damaged,
            })),
            None => Ok(None),
        }
    }

    /// The checkpoint of a step.
    ///
    /// ```
    /// # let dir = std::env::temp_dir().join(format!("serde_npz-doc-checkpoint-load-{}", std::process::id()));
    /// use std::collections::BTreeMap;
    ///
    /// let checkpoints = serde_npz::Checkpoints::new(&dir);
    /// checkpoints.save(7, &BTreeMap::from([("x", 1.5)]))?;
    /// let state: BTreeMap<String, f64> = checkpoints.load(7)?;
    /// assert_eq!(state["x"], 1.5);
    /// # std::fs::remove_dir_all(&dir).unwrap();
    /// # Ok::<(), serde_npz::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// `Io` where there is none of this step, those of [`load_npz`](crate::load_npz).
    pub fn load<T: DeserializeOwned>(&self, step: u64) -> Result<T> {
        self.wait()?;
        self.store.open(step)?.deserialize()
    }

    /// The steps there are, ascending, damaged ones too; other files in the directory are ignored.
    ///
    /// ```
    /// # let dir = std::env::temp_dir().join(format!("serde_npz-doc-steps-{}", std::process::id()));
    /// let checkpoints = serde_npz::Checkpoints::new(&dir);
    /// assert!(checkpoints.steps()?.is_empty());
    /// for step in [10, 9, 100] {
    ///     checkpoints.save(step, &std::collections::BTreeMap::from([("x", 1.5)]))?;
    /// }
    /// assert_eq!(checkpoints.steps()?, [9, 10, 100]);
    /// # std::fs::remove_dir_all(&dir).unwrap();
    /// # Ok::<(), serde_npz::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// `Io` where the directory cannot be listed; a missing one has no steps.
    pub fn steps(&self) -> Result<Vec<u64>> {
        self.wait()?;
        self.store.steps()
    }

    /// Waits for the save in the background and returns the lock, under which no other thread can start one.
    fn settle(&self) -> Result<MutexGuard<'_, Option<Pending>>> {
        let mut pending = self.pending.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(Pending { step, thread }) = pending.take() {
            let result = thread.join().unwrap_or_else(|_| {
                Err(Error::new(
                    ErrorKind::Io,
                    "the thread ended in a panic, expected it to save",
                ))
            });
            if let Err(err) = result {
                return Err(Error::new(
                    err.kind(),
                    format_args!("saving step {step} in the background failed: {err}"),
                )
                .with_hint_of(&err)
                .with_source(err));
            }
        }
        Ok(pending)
    }
}

impl Drop for Checkpoints {
    fn drop(&mut self) {
        // There is no caller to return an error to: the documentation names `wait` for that.
        let _ = self.wait();
    }
}

impl fmt::Debug for Checkpoints {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Checkpoints")
            .field("dir", &self.store.dir)
            .field("keep", &self.store.keep)
            .field("keep_every", &self.store.keep_every)
            .finish_non_exhaustive()
    }
}
