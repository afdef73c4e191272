//! A disk in memory that logs what is done to it, so that every state a loss of power may leave can be looked at.
//!
//! ```text
//! create t   write t   write t   sync t   rename t x   sync dir
//!            └──────── loose ───┘ certain
//! └────────────────────── loose ────────────────────┘ certain
//! ```
//!
//! Harder than any real disk: until a file is synced each of its writes may be on the disk, or a part of it, or its
//! length alone; until a directory is synced each change of a name in it may be, in any order. A file whose sync failed
//! keeps its loose writes loose for ever, as the system has dropped the pages.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs::Metadata;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard};

use super::Disk;

/// Writes are cut here, so that a small file takes several.
const MOST_AT_ONCE: usize = 80;

/// What goes wrong, and at which operation.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Fault {
    /// This operation fails; a write leaves half of its bytes.
    Once(usize),
    /// From this operation on nothing happens any more: the process is gone.
    Dead(usize),
}

#[derive(Clone, Debug)]
pub(crate) enum Op {
    MakeDirectory(PathBuf),
    Create(PathBuf, usize),
    Write(usize, usize, Vec<u8>),
    Sync(usize),
    FailedSync(usize),
    Rename(PathBuf, PathBuf),
    Remove(PathBuf),
    SyncDirectory(PathBuf),
    /// What the test wants to remember of this moment.
    Mark(String),
}

/// Which syncs do nothing: the disk as it were without them.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Unsynced {
    pub(crate) files: bool,
    pub(crate) directories: bool,
    /// Those of directories that hold directories only.
    pub(crate) parents: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
enum Node {
    Directory,
    File(usize),
}

#[derive(Default)]
struct State {
    names: BTreeMap<PathBuf, Node>,
    files: Vec<Vec<u8>>,
    positions: Vec<usize>,
    log: Vec<Op>,
    operations: usize,
    fault: Option<Fault>,
    unsynced: Unsynced,
}

#[derive(Clone, Default)]
pub(crate) struct Model(Arc<Mutex<State>>);

pub(crate) struct ModelFile {
    disk: Model,
    id: usize,
    /// Shared by duplicates.
    position: usize,
}

/// What is on the disk after a loss of power: names with contents, `None` for directories.
pub(crate) type Remains = BTreeMap<PathBuf, Option<Vec<u8>>>;

impl Model {
    pub(crate) fn new(unsynced: Unsynced) -> Self {
        let model = Model::default();
        model.state().unsynced = unsynced;
        model
    }

    /// The disk as the next boot finds it.
    pub(crate) fn with(remains: &Remains) -> Self {
        let model = Model::default();
        for (path, content) in remains {
            let mut state = model.state();
            let node = match content {
                Some(bytes) => {
                    state.files.push(bytes.clone());
                    Node::File(state.files.len() - 1)
                }
                None => Node::Directory,
            };
            state.names.insert(path.clone(), node);
        }
        model
    }

    pub(crate) fn fail(&self, fault: Fault) {
        let mut state = self.state();
        state.operations = 0;
        state.fault = Some(fault);
    }

    pub(crate) fn heal(&self) {
        self.state().fault = None;
    }

    /// How many operations there were since [`Model::fail`].
    pub(crate) fn operations(&self) -> usize {
        self.state().operations
    }

    pub(crate) fn mark(&self, text: impl Into<String>) {
        self.state().log.push(Op::Mark(text.into()));
    }

    pub(crate) fn log(&self) -> Vec<Op> {
        self.state().log.clone()
    }

    /// What every process sees now.
    pub(crate) fn seen(&self) -> Remains {
        let state = self.state();
        let content = |node: &Node| match node {
            Node::Directory => None,
            Node::File(id) => Some(state.files[*id].clone()),
        };
        state
            .names
            .iter()
            .map(|(path, node)| (path.clone(), content(node)))
            .collect()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap()
    }

    /// Counts an operation, and lets it fail.
    fn operation(&self) -> io::Result<MutexGuard<'_, State>> {
        let mut state = self.state();
        let n = state.operations;
        state.operations += 1;
        let broken = match state.fault {
            Some(Fault::Once(at)) => n == at,
            Some(Fault::Dead(from)) => n >= from,
            None => false,
        };
        if broken {
            Err(io::Error::new(
                io::ErrorKind::StorageFull,
                format!("operation {n} fails"),
            ))
        } else {
            Ok(state)
        }
    }

    fn handle(&self, state: &mut State, id: usize) -> ModelFile {
        state.positions.push(0);
        ModelFile {
            disk: self.clone(),
            id,
            position: state.positions.len() - 1,
        }
    }
}

fn not_found() -> io::Error {
    io::ErrorKind::NotFound.into()
}

impl Disk for Model {
    type File = ModelFile;

    fn target(&self, path: &Path) -> io::Result<(PathBuf, Option<Metadata>)> {
        Ok((path.to_path_buf(), None))
    }

    fn keep_access(&self, _: &ModelFile, _: &Metadata) -> io::Result<()> {
        // It has no owners and no modes.
        Ok(())
    }

    fn create_new(&self, path: &Path, _: bool) -> io::Result<ModelFile> {
        let mut state = self.operation()?;
        if state.names.contains_key(path) {
            return Err(io::ErrorKind::AlreadyExists.into());
        }
        if state.names.get(path.parent().unwrap()) != Some(&Node::Directory) {
            return Err(not_found());
        }
        let id = state.files.len();
        state.files.push(Vec::new());
        state.names.insert(path.to_path_buf(), Node::File(id));
        state.log.push(Op::Create(path.to_path_buf(), id));
        Ok(self.handle(&mut state, id))
    }

    fn open(&self, path: &Path) -> io::Result<ModelFile> {
        let mut state = self.operation()?;
        match state.names.get(path) {
            Some(&Node::File(id)) => Ok(self.handle(&mut state, id)),
            _ => Err(not_found()),
        }
    }

    fn duplicate(&self, file: &ModelFile) -> io::Result<ModelFile> {
        let _state = self.operation()?;
        Ok(ModelFile {
            disk: self.clone(),
            ..*file
        })
    }

    fn sync(&self, file: &ModelFile) -> io::Result<()> {
        match self.operation() {
            Ok(mut state) => {
                if !state.unsynced.files {
                    state.log.push(Op::Sync(file.id));
                }
                Ok(())
            }
            Err(err) => {
                self.state().log.push(Op::FailedSync(file.id));
                Err(err)
            }
        }
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        let mut state = self.operation()?;
        let node = state.names.remove(from).ok_or_else(not_found)?;
        state.names.insert(to.to_path_buf(), node);
        state.log.push(Op::Rename(from.to_path_buf(), to.to_path_buf()));
        Ok(())
    }

    fn rename_new(&self, from: &Path, to: &Path) -> io::Result<()> {
        if self.operation()?.names.contains_key(to) {
            return Err(io::ErrorKind::AlreadyExists.into());
        }
        self.rename(from, to)
    }

    fn sync_directory(&self, directory: &Path) -> io::Result<()> {
        let mut state = self.operation()?;
        let holds_files = state
            .names
            .iter()
            .any(|(path, node)| path.parent() == Some(directory) && *node != Node::Directory);
        let skipped = state.unsynced.directories || state.unsynced.parents && !holds_files;
        if !skipped {
            state.log.push(Op::SyncDirectory(directory.to_path_buf()));
        }
        Ok(())
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        let mut state = self.operation()?;
        state.names.remove(path).ok_or_else(not_found)?;
        state.log.push(Op::Remove(path.to_path_buf()));
        Ok(())
    }

    fn remove_abandoned(&self, path: &Path) -> io::Result<()> {
        // There is one process, and it saves one file at a time.
        self.remove(path)
    }

    fn create_directory(&self, path: &Path) -> io::Result<bool> {
        let mut state = self.operation()?;
        if path == Path::new("/") || state.names.contains_key(path) {
            return Ok(false);
        }
        let parent = path.parent().unwrap();
        if parent != Path::new("/") && !state.names.contains_key(parent) {
            return Err(not_found());
        }
        state.names.insert(path.to_path_buf(), Node::Directory);
        state.log.push(Op::MakeDirectory(path.to_path_buf()));
        Ok(true)
    }

    fn canonical(&self, path: &Path) -> io::Result<PathBuf> {
        Ok(path.to_path_buf())
    }

    fn list(&self, directory: &Path) -> io::Result<Vec<OsString>> {
        let state = self.operation()?;
        if !state.names.contains_key(directory) {
            return Err(not_found());
        }
        Ok(state
            .names
            .keys()
            .filter(|path| path.parent() == Some(directory))
            .map(|path| path.file_name().unwrap().to_owned())
            .collect())
    }
}

impl Read for ModelFile {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let mut state = self.disk.operation()?;
        let at = state.positions[self.position];
        let bytes = &state.files[self.id];
        let got = (&bytes[at.min(bytes.len())..]).read(buf)?;
        state.positions[self.position] += got;
        Ok(got)
    }
}

impl Write for ModelFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let most = bytes.len().min(MOST_AT_ONCE);
        let (mut state, written, result) = match self.disk.operation() {
            Ok(state) => (state, most, Ok(most)),
            Err(err) => {
                let state = self.disk.state();
                let half = if matches!(state.fault, Some(Fault::Once(_))) {
                    most / 2
                } else {
                    0
                };
                (state, half, Err(err))
            }
        };
        let at = state.positions[self.position];
        apply(&mut state.files[self.id], at, &bytes[..written]);
        state.positions[self.position] += written;
        state.log.push(Op::Write(self.id, at, bytes[..written].to_vec()));
        result
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Seek for ModelFile {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let mut state = self.disk.state();
        let (base, offset) = match to {
            SeekFrom::Start(at) => (0, at as i64),
            SeekFrom::Current(by) => (state.positions[self.position] as i64, by),
            SeekFrom::End(by) => (state.files[self.id].len() as i64, by),
        };
        let at = usize::try_from(base + offset).map_err(|_| io::ErrorKind::InvalidInput)?;
        state.positions[self.position] = at;
        Ok(at as u64)
    }
}

fn apply(file: &mut Vec<u8>, at: usize, bytes: &[u8]) {
    if file.len() < at + bytes.len() {
        file.resize(at + bytes.len(), 0);
    }
    file[at..at + bytes.len()].copy_from_slice(bytes);
}

/// Everything that may be on the disk if the power fails right after these operations.
pub(crate) fn after_power_loss(log: &[Op]) -> Vec<Remains> {
    let mut files: BTreeMap<usize, Vec<Vec<u8>>> = BTreeMap::new();
    for op in log {
        if let Op::Create(_, id) = op {
            files.insert(*id, contents(log, *id));
        }
    }
    let mut remains = Vec::new();
    for names in trees(log) {
        let reachable: Vec<(PathBuf, Node)> = names
            .iter()
            .filter(|(path, _)| {
                let mut above = path.ancestors().skip(1);
                above.all(|above| above == Path::new("/") || names.contains_key(above))
            })
            .map(|(path, node)| (path.clone(), *node))
            .collect();
        // Two files at once are hardly ever loose: one varies, and the others are as the system likes it best and least.
        let most = reachable
            .iter()
            .map(|(_, node)| match node {
                Node::File(id) => files[id].len(),
                Node::Directory => 1,
            })
            .max()
            .unwrap_or(1);
        for variant in 0..most {
            remains.push(
                reachable
                    .iter()
                    .map(|(path, node)| {
                        let content = match node {
                            Node::Directory => None,
                            Node::File(id) => Some(files[id][variant % files[id].len()].clone()),
                        };
                        (path.clone(), content)
                    })
                    .collect(),
            );
        }
    }
    remains
}

/// What a file may hold, each only once.
fn contents(log: &[Op], id: usize) -> Vec<Vec<u8>> {
    let mut certain = Vec::new();
    let mut loose = Vec::new();
    for (n, op) in log.iter().enumerate() {
        if let Op::Write(to, at, bytes) = op
            && *to == id
        {
            // The first sync decides: one after a failure answers for nothing that came before it.
            let first = log[n..].iter().find_map(|op| match op {
                Op::Sync(synced) if *synced == id => Some(true),
                Op::FailedSync(failed) if *failed == id => Some(false),
                _ => None,
            });
            if first == Some(true) {
                apply(&mut certain, *at, bytes);
            } else {
                loose.push((*at, bytes.as_slice()));
            }
        }
    }
    let with = |chosen: &[(usize, &[u8])]| {
        let mut file = certain.clone();
        for (at, bytes) in chosen {
            apply(&mut file, *at, bytes);
        }
        file
    };
    let all = with(&loose);
    let mut found = vec![certain.clone(), all.clone()];
    // The length alone.
    let mut zeros = certain.clone();
    zeros.resize(all.len().max(certain.len()), 0);
    found.push(zeros);
    for n in 0..loose.len() {
        let (at, bytes) = loose[n];
        let (first, second) = bytes.split_at(bytes.len() / 2);
        // In order, torn, out of order, all but one.
        found.push(with(&loose[..n]));
        found.push(with(&[&loose[..n], &[(at, first)]].concat()));
        found.push(with(&[&loose[..n], &[(at + first.len(), second)]].concat()));
        found.push(with(&loose[n..=n]));
        found.push(with(&[&loose[..n], &loose[n + 1..]].concat()));
    }
    let mut once: Vec<Vec<u8>> = Vec::new();
    for content in found {
        if !once.contains(&content) {
            once.push(content);
        }
    }
    once
}

/// The names that may be there, each set only once.
fn trees(log: &[Op]) -> Vec<BTreeMap<PathBuf, Node>> {
    const MOST_LOOSE: usize = 7;
    let mut changes = Vec::new();
    for (n, op) in log.iter().enumerate() {
        let (Op::MakeDirectory(path) | Op::Create(path, _) | Op::Rename(_, path) | Op::Remove(path)) = op else {
            continue;
        };
        let certain = log[n..]
            .iter()
            .any(|op| matches!(op, Op::SyncDirectory(directory) if Some(directory.as_path()) == path.parent()));
        changes.push((op, certain));
    }
    // Which file a name stands for does not depend on what else is on the disk.
    let mut ids: BTreeMap<&Path, usize> = BTreeMap::new();
    let mut nodes = Vec::new();
    for (op, _) in &changes {
        nodes.push(match op {
            Op::Create(path, id) => {
                ids.insert(path, *id);
                Node::File(*id)
            }
            Op::Rename(from, to) => {
                let id = ids[from.as_path()];
                ids.insert(to, id);
                Node::File(id)
            }
            _ => Node::Directory,
        });
    }
    let loose: Vec<usize> = (0..changes.len()).filter(|&n| !changes[n].1).collect();
    let subsets: Vec<u64> = if loose.len() <= MOST_LOOSE {
        (0..1 << loose.len()).collect()
    } else {
        // In order, all but one, one alone.
        assert!(loose.len() < 64, "a directory that is never synced");
        let all = (1_u64 << loose.len()) - 1;
        let each = (0..loose.len()).flat_map(|n| [(1 << n) - 1, all ^ (1 << n), 1 << n]);
        [all].into_iter().chain(each).collect()
    };
    let mut found = std::collections::BTreeSet::new();
    for subset in subsets {
        let mut names = BTreeMap::new();
        for (n, (op, certain)) in changes.iter().enumerate() {
            let there = *certain
                || loose
                    .iter()
                    .position(|&other| other == n)
                    .is_some_and(|bit| subset >> bit & 1 == 1);
            if !there {
                continue;
            }
            match op {
                Op::Rename(from, to) => {
                    names.remove(from);
                    names.insert(to.clone(), nodes[n]);
                }
                Op::Remove(path) => {
                    names.remove(path);
                }
                Op::MakeDirectory(path) | Op::Create(path, _) => {
                    names.insert(path.clone(), nodes[n]);
                }
                _ => {}
            }
        }
        found.insert(names.into_iter().collect::<Vec<_>>());
    }
    found.into_iter().map(|names| names.into_iter().collect()).collect()
}
