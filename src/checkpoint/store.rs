//! A directory of numbered archives, on any disk: what is written when, what is removed when.
//!
//! ```text
//! save 43:  sweep leftovers ─► write beside ─► sync ─► read back ─► rename ─► sync directory ─► remove 40
//!           dir/.serde_npz-..                                      dir/step-0..043.npz         (keep 3: 41, 42, 43)
//! ```

use std::ffi::{OsStr, OsString};
use std::io::{self, BufReader, BufWriter, Read, Seek, SeekFrom, Write};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use serde::Serialize;

use crate::error::{Error, ErrorKind, Result};
use crate::io::file;
use crate::io::file::{AtomicFile, Disk, Os};
use crate::npz::reader::NpzReader;
use crate::options::{ReadOptions, WriteOptions};

const PREFIX: &str = "step-";
const SUFFIX: &str = ".npz";
/// The digits of the greatest step, so that names sort like numbers.
const DIGITS: usize = 20;

/// The size of one write.
const PIECE: usize = 128 << 10;

#[derive(Clone)]
pub(super) struct Store<D: Disk = Os> {
    pub(super) disk: D,
    pub(super) dir: PathBuf,
    pub(super) keep: Option<usize>,
    pub(super) keep_every: Option<u64>,
    pub(super) write: WriteOptions,
    pub(super) read: ReadOptions,
    /// Whether the names of the directory and of those above it are known to be on the disk.
    pub(super) rooted: Arc<AtomicBool>,
}

/// An archive whose members have all been read and checked.
pub(super) struct Intact<F> {
    pub(super) step: u64,
    pub(super) npz: NpzReader<BufReader<F>>,
    /// The newer ones, newest first, each with what is wrong with it.
    pub(super) damaged: Vec<(u64, Error)>,
}

impl<D: Disk> Store<D> {
    pub(super) fn new(disk: D, dir: PathBuf) -> Self {
        Store {
            disk,
            dir,
            keep: None,
            keep_every: None,
            write: WriteOptions::new(),
            read: ReadOptions::new(),
            rooted: Arc::new(AtomicBool::new(false)),
        }
    }

    pub(super) fn save<T: Serialize + ?Sized>(&self, step: u64, state: &T) -> Result<PathBuf> {
        self.put(step, |file| self.write.to_npz_writer(file, state))
    }

    pub(super) fn save_bytes(&self, step: u64, archive: &[u8]) -> Result<PathBuf> {
        self.put(step, |file| Ok(file.write_all(archive)?))
    }

    fn put(&self, step: u64, write: impl FnOnce(&mut BufWriter<D::File>) -> Result<()>) -> Result<PathBuf> {
        self.root()
            .map_err(|err| file::failed("making the directory", &self.dir, err))?;
        self.sweep()?;
        let path = self.path(step);
        let (target, handle) = AtomicFile::create_on(self.disk.clone(), &path, true)?;
        let mut writer = BufWriter::with_capacity(PIECE, handle);
        write(&mut writer)?;
        writer.flush().map_err(|err| file::failed("writing", &path, err))?;
        drop(writer);
        target.commit_checked(|written| {
            self.check(written).map(drop).map_err(|err| {
                Error::new(
                    err.kind(),
                    format_args!("what was written for step {step} does not read back, so nothing was replaced: {err}"),
                )
                .with_hint_of(&err)
                .with_source(err)
            })
        })?;
        self.prune(step)?;
        Ok(path)
    }

    /// The directory, made where it is missing, and durable itself.
    fn root(&self) -> io::Result<()> {
        let there = self.rooted.load(Ordering::Relaxed) && matches!(self.disk.create_directory(&self.dir), Ok(false));
        if !there {
            file::create_directories(&self.disk, &self.dir)?;
            self.rooted.store(true, Ordering::Relaxed);
        }
        Ok(())
    }

    /// Removes what killed processes left behind, before the room is needed.
    fn sweep(&self) -> Result<()> {
        for name in self.names()? {
            if file::is_temporary(&name) {
                // A leftover takes room and does no other harm: gone meanwhile, or another user's.
                let _ = self.disk.remove_abandoned(&self.dir.join(name));
            }
        }
        Ok(())
    }

    /// Removes the steps that need not be kept now that `saved` is on the disk and has been read back.
    fn prune(&self, saved: u64) -> Result<()> {
        let Some(keep) = self.keep else {
            return Ok(());
        };
        let steps = self.steps()?;
        for &step in &steps[..steps.len().saturating_sub(keep.max(1))] {
            let milestone = self.keep_every.is_some_and(|n| n > 0 && step % n == 0);
            if milestone || step == saved {
                continue;
            }
            let path = self.path(step);
            match self.disk.remove(&path) {
                // Another process may be removing old steps as well.
                Err(err) if err.kind() == io::ErrorKind::NotFound => {}
                result => result.map_err(|err| {
                    file::failed(
                        &format!("step {saved} is saved; removing the old checkpoint"),
                        &path,
                        err,
                    )
                })?,
            }
        }
        Ok(())
    }

    /// The steps there are, ascending; none where there is no directory.
    pub(super) fn steps(&self) -> Result<Vec<u64>> {
        let mut steps: Vec<u64> = self.names()?.iter().filter_map(|name| step_of(name)).collect();
        steps.sort_unstable();
        Ok(steps)
    }

    pub(super) fn path(&self, step: u64) -> PathBuf {
        self.dir.join(format!("{PREFIX}{step:0DIGITS$}{SUFFIX}"))
    }

    fn names(&self) -> Result<Vec<OsString>> {
        match self.disk.list(&self.dir) {
            Err(err) if err.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
            result => result.map_err(|err| file::failed("listing", &self.dir, err)),
        }
    }

    /// The archive of a step, checked to its last byte.
    pub(super) fn open(&self, step: u64) -> Result<NpzReader<BufReader<D::File>>> {
        let path = self.path(step);
        match self.disk.open(&path) {
            Ok(file) => self.check(file).map_err(|err| self.in_file(step, err)),
            Err(err) if err.kind() == io::ErrorKind::NotFound => Err(self.missing(step, err)),
            Err(err) => Err(file::failed("opening", &path, err)),
        }
    }

    /// The newest archive that is intact, with those that are not; `None` where there is no checkpoint at all.
    pub(super) fn newest_intact(&self) -> Result<Option<Intact<D::File>>> {
        let mut steps = self.steps()?;
        let mut damaged = Vec::new();
        while let Some(step) = steps.pop() {
            let path = self.path(step);
            let file = match self.disk.open(&path) {
                Ok(file) => file,
                Err(err) if err.kind() == io::ErrorKind::NotFound => {
                    let now = self.steps()?;
                    if now.contains(&step) {
                        return Err(file::failed("opening", &path, err));
                    }
                    // Another process has removed it, and it only does so when there are newer ones.
                    steps = now;
                    damaged.clear();
                    continue;
                }
                // An open that fails is an I/O error, not damage: skipping it would return an older state as the newest.
                Err(err) => return Err(file::failed("opening", &path, err)),
            };
            match self.check(file) {
                Ok(npz) => return Ok(Some(Intact { step, npz, damaged })),
                Err(err) if err.kind() == ErrorKind::LimitExceeded => return Err(self.in_file(step, err)),
                Err(err) => damaged.push((step, self.in_file(step, err))),
            }
        }
        match damaged.into_iter().next() {
            None => Ok(None),
            Some((step, err)) => Err(Error::new(
                err.kind(),
                format_args!(
                    "found no intact checkpoint, expected one: step {step} and all before it are damaged: {err}"
                ),
            )
            .with_hint_of(&err)
            .with_source(err)),
        }
    }

    /// As [`Store::newest_intact`], but an error that offers the one found where there are damaged ones before it.
    pub(super) fn newest(&self) -> Result<Option<Intact<D::File>>> {
        let Some(mut found) = self.newest_intact()? else {
            return Ok(None);
        };
        if found.damaged.is_empty() {
            return Ok(Some(found));
        }
        let (step, err) = found.damaged.swap_remove(0);
        Err(Error::new(
            err.kind(),
            format_args!(
                "found the newest checkpoint, step {step}, damaged, expected it intact: {err}; step {} before it is \
                 intact",
                found.step
            ),
        )
        .with_hint("`Checkpoints::latest_intact` loads the newest one that is intact")
        .with_source(err))
    }

    /// Reads all members, also those that the state does not ask for.
    fn check<F: Read + Seek>(&self, mut file: F) -> Result<NpzReader<BufReader<F>>> {
        file.seek(SeekFrom::Start(0))?;
        let mut npz = NpzReader::with_options(BufReader::new(file), &self.read)?;
        npz.verify_all()?;
        Ok(npz)
    }

    fn in_file(&self, step: u64, err: Error) -> Error {
        let path = self.path(step);
        Error::new(
            err.kind(),
            format_args!("`{}`: {err}", path.to_string_lossy().escape_debug()),
        )
        .with_hint_of(&err)
        .with_source(err)
    }

    fn missing(&self, step: u64, err: io::Error) -> Error {
        let there = match self.steps().as_deref() {
            Ok([first, .., last]) => format!("others, from step {first} to {last}"),
            Ok([only]) => format!("step {only} alone"),
            _ => "none at all".to_owned(),
        };
        Error::new(
            ErrorKind::Io,
            format_args!(
                "found no checkpoint of step {step} in `{}` but {there}, expected one",
                self.dir.to_string_lossy().escape_debug()
            ),
        )
        .with_hint("`Checkpoints::steps` lists those there are")
        .with_source(err)
    }
}

/// The step of a name that [`Store::path`] makes; other files are ignored.
fn step_of(name: &OsStr) -> Option<u64> {
    let digits = name.to_str()?.strip_prefix(PREFIX)?.strip_suffix(SUFFIX)?;
    if digits.len() != DIGITS || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    digits.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_steps_are_one_to_one() {
        let store = Store::new(Os, PathBuf::from("dir"));
        for step in [0, 1, 9, 10, 42, u64::from(u32::MAX), u64::MAX - 1, u64::MAX] {
            assert_eq!(step_of(store.path(step).file_name().unwrap()), Some(step));
        }
        assert_eq!(
            store.path(42),
            PathBuf::from("dir").join("step-00000000000000000042.npz")
        );
        for foreign in [
            "step-42.npz",
            "step-+0000000000000000042.npz",
            "step-00000000000000000042.npy",
            "step-00000000000000000042.npz.bak",
            "step-99999999999999999999.npz",
            "STEP-00000000000000000042.npz",
            "step-0000000000000000004².npz",
            ".serde_npz-1-2-3",
            "",
        ] {
            assert_eq!(step_of(OsStr::new(foreign)), None, "{foreign}");
        }
    }
}
