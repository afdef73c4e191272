//! A file by its content: a lone array, or an archive of members; `-` is standard input.
//!
//! ```text
//! Input::open(path)   the first bytes decide; an archive from a pipe is spooled to a temporary file
//!   .members(..)      names, headers and sizes: only headers are read
//!   .value(member)    the whole array in memory
//! ```

use std::fs::{self, File, OpenOptions};
use std::io::{self, BufReader, Cursor, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use serde_npz::{Entry, ErrorKind, Header, NpzReader, Unmappable};

use crate::frame::context::Context;
use crate::frame::data::Data;
use crate::frame::fault::{Fault, Result};
use crate::frame::select::glob;
use crate::frame::select::select;

const NPY: &[u8] = b"\x93NUMPY";

/// What an archive starts with: its first member, or the end of an empty one.
const NPZ: [&[u8]; 2] = [b"PK\x03\x04", b"PK\x05\x06"];

/// An opened file.
pub enum Input {
    Npy(Box<Npy>),
    Npz(Box<NpzReader<BufReader<File>>>),
}

/// A lone array: its member is called "".
pub struct Npy {
    /// Standard input has been read up to the data; a file is read again from its start.
    source: Source,
    header: Option<Header>,
    fault: Option<Fault>,
    /// How many bytes stand before the data.
    header_len: u64,
    /// How long the file is, where that is known.
    len: Option<u64>,
}

enum Source {
    File(BufReader<File>),
    Stream(Option<Box<dyn Read>>),
}

/// A member as `ls` tells of it.
pub struct Member {
    /// NumPy's key; "" for a lone array.
    pub name: String,
    pub file_name: String,
    /// `None` for a text and for what `fault` tells of.
    pub header: Option<Header>,
    pub fault: Option<Fault>,
    /// Inflated, the header included; 0 for a stream of unknown length.
    pub size: u64,
    pub compressed_size: u64,
    /// Its number in the zip format.
    pub method: u16,
    pub crc: Option<u32>,
    /// Where its bytes begin, compressed or not.
    pub offset: Option<u64>,
    /// Where the elements of a stored array begin.
    pub data_offset: Option<u64>,
    pub unmappable: Option<Unmappable>,
}

impl Input {
    /// Opens by content; `-` is standard input.
    pub fn open(path: &Path, context: &Context) -> Result<Self> {
        if path == Path::new("-") {
            return Input::from_stream(Box::new(io::stdin()), context);
        }
        let mut file = File::open(path)?;
        let metadata = file.metadata()?;
        if metadata.is_dir() {
            return Err(Fault::new("found a directory, expected a file"));
        }
        if !metadata.is_file() {
            return Input::from_stream(Box::new(file), context);
        }
        let mut start = Vec::new();
        (&mut file).take(8).read_to_end(&mut start)?;
        file.seek(SeekFrom::Start(0))?;
        if start.starts_with(NPY) {
            return Npy::from_file(file, metadata.len(), context).map(|npy| Input::Npy(Box::new(npy)));
        }
        Input::archive(file, &start, context)
    }

    fn archive(file: File, start: &[u8], context: &Context) -> Result<Self> {
        let reader = NpzReader::with_options(BufReader::new(file), context.options());
        reader
            .map(|npz| Input::Npz(Box::new(npz)))
            .map_err(|err| match err.kind() {
                ErrorKind::BadMagic => {
                    let fault = Fault::from(err);
                    match known(start) {
                        Some(hint) => fault.hint(hint),
                        None => fault,
                    }
                }
                ErrorKind::CorruptArchive | ErrorKind::Truncated
                    if NPZ.iter().any(|magic| start.starts_with(magic)) =>
                {
                    Fault::from(err)
                }
                _ => err.into(),
            })
    }

    fn from_stream(mut stream: Box<dyn Read>, context: &Context) -> Result<Self> {
        let mut start = Vec::new();
        (&mut stream).take(8).read_to_end(&mut start)?;
        let mut stream = Cursor::new(start.clone()).chain(stream);
        if !start.starts_with(NPY) {
            let mut file = spool()?;
            io::copy(&mut stream, &mut file)?;
            file.seek(SeekFrom::Start(0))?;
            return Input::archive(file, &start, context);
        }
        let (header, header_len) = read_header(&mut stream, context);
        let (header, fault) = parts(header);
        Ok(Input::Npy(Box::new(Npy {
            source: Source::Stream(Some(Box::new(stream))),
            header,
            fault,
            header_len,
            len: None,
        })))
    }

    /// As [`Input::open`], for those who read more than once: an array from a pipe is spooled as well.
    pub fn open_spooled(path: &Path, context: &Context) -> Result<Self> {
        match Input::open(path, context)? {
            Input::Npy(mut npy) if npy.len.is_none() && npy.fault.is_none() => {
                let mut file = spool()?;
                let len = io::copy(&mut npy.whole()?, &mut file)?;
                file.seek(SeekFrom::Start(0))?;
                Npy::from_file(file, len, context).map(|npy| Input::Npy(Box::new(npy)))
            }
            input => Ok(input),
        }
    }

    pub fn is_npz(&self) -> bool {
        matches!(self, Input::Npz(_))
    }

    /// The members that the patterns mean, all without any; only headers are read.
    pub fn members(&mut self, patterns: &[String], context: &Context) -> Result<Vec<Member>> {
        match self {
            Input::Npy(npy) => {
                select(patterns, &[""], context.separator())?;
                Ok(vec![npy.member()])
            }
            Input::Npz(npz) if patterns.is_empty() => Ok(npz.entries().map(Member::from).collect()),
            Input::Npz(npz) => {
                let names: Vec<String> = npz.names().map(str::to_owned).collect();
                let names: Vec<&str> = names.iter().map(String::as_str).collect();
                let chosen = select(patterns, &names, context.separator())?;
                let entries = chosen.into_iter().map(|i| Ok(npz.entry(names[i])?.into()));
                entries.collect()
            }
        }
    }

    /// The bytes of a member's elements, one after another.
    pub fn data(&mut self, member: &Member) -> Result<Data<'_>> {
        match self {
            Input::Npy(npy) => npy.data(),
            Input::Npz(npz) => Ok(Data::Member(npz.data(&member.name)?)),
        }
    }

    /// The bytes of a member that is no array.
    pub fn raw(&mut self, member: &Member) -> Result<Vec<u8>> {
        match self {
            Input::Npy(_) => Err(Fault::new("found an array, expected a text")),
            Input::Npz(npz) => Ok(npz.raw(&member.name)?),
        }
    }

    /// The member as the file it is, header and all. An archive compares its checksum where the stream ends.
    pub fn bytes(&mut self, member: &Member) -> Result<Box<dyn Read + '_>> {
        match self {
            Input::Npy(npy) => npy.whole(),
            Input::Npz(npz) => Ok(Box::new(npz.stream(&member.name)?)),
        }
    }
}

impl Npy {
    fn from_file(file: File, len: u64, context: &Context) -> Result<Self> {
        let mut reader = BufReader::new(file);
        let (header, header_len) = read_header(&mut reader, context);
        let (header, mut fault) = parts(header);
        if let Some(header) = &header {
            let (found, expected) = (len.saturating_sub(header_len), data_len(header));
            if found < expected {
                fault = Some(Fault::new(format_args!(
                    "found {found} bytes of data, expected {expected}: the file is cut off"
                )));
            }
        }
        Ok(Npy {
            source: Source::File(reader),
            header,
            fault,
            header_len,
            len: Some(len),
        })
    }

    fn member(&mut self) -> Member {
        let size = self
            .len
            .unwrap_or_else(|| self.header_len + self.header.as_ref().map_or(0, data_len));
        let stored = self.header.as_ref().filter(|_| self.fault.is_none());
        Member {
            name: String::new(),
            file_name: String::new(),
            header: self.header.clone(),
            unmappable: match stored {
                None => Some(Unmappable::Refused),
                Some(_) if self.len.is_none() => Some(Unmappable::Refused),
                Some(header) => unmappable(header, self.header_len),
            },
            fault: self.fault.take(),
            size,
            compressed_size: size,
            method: 0,
            crc: None,
            offset: Some(0),
            data_offset: self.header.as_ref().map(|_| self.header_len),
        }
    }

    fn data(&mut self) -> Result<Data<'_>> {
        let Some(header) = self.header.clone() else {
            return Err(Fault::new("found no array"));
        };
        let left = data_len(&header);
        match &mut self.source {
            Source::File(reader) => {
                reader.seek(SeekFrom::Start(self.header_len))?;
                Ok(Data::File { reader, header, left })
            }
            Source::Stream(stream) => {
                let stream = stream
                    .take()
                    .ok_or_else(|| Fault::new("standard input can be read only once"))?;
                Ok(Data::Stream { stream, header, left })
            }
        }
    }

    /// The array from its first byte on.
    fn whole(&mut self) -> Result<Box<dyn Read + '_>> {
        match &mut self.source {
            Source::File(reader) => {
                reader.seek(SeekFrom::Start(0))?;
                Ok(Box::new(reader))
            }
            Source::Stream(stream) => {
                let stream = stream
                    .take()
                    .ok_or_else(|| Fault::new("standard input can be read only once"))?;
                let header = self.header.as_ref().map(Header::to_bytes).unwrap_or_default();
                Ok(Box::new(Cursor::new(header).chain(stream)))
            }
        }
    }
}

impl From<Entry> for Member {
    fn from(entry: Entry) -> Self {
        let (header, fault) = match entry.header() {
            Ok(header) => (Some(header.clone()), None),
            Err(err) if err.kind() == ErrorKind::NotAnArray => (None, None),
            Err(err) => (None, Some(Fault::from(err))),
        };
        Member {
            name: entry.name().to_owned(),
            file_name: entry.file_name().to_owned(),
            header,
            fault,
            size: entry.size(),
            compressed_size: entry.compressed_size(),
            method: entry.compression_method(),
            crc: Some(entry.crc()),
            offset: entry.offset(),
            data_offset: entry.data_offset(),
            unmappable: entry.unmappable(),
        }
    }
}

/// The header, or why there is none, and how many bytes it took.
fn read_header(reader: &mut impl Read, context: &Context) -> (serde_npz::Result<Header>, u64) {
    let mut counted = reader.take(u64::MAX);
    let header = Header::read_with(&mut counted, context.options());
    (header, u64::MAX - counted.limit())
}

fn parts(header: serde_npz::Result<Header>) -> (Option<Header>, Option<Fault>) {
    match header {
        Ok(header) => (Some(header), None),
        Err(err) => (None, Some(err.into())),
    }
}

/// How many elements an array has.
pub fn count(header: &Header) -> u64 {
    // The library has checked that axes that are not 0 do not overflow.
    match header.shape().contains(&0) {
        true => 0,
        false => header.shape().iter().product(),
    }
}

/// How many bytes its elements take.
pub fn data_len(header: &Header) -> u64 {
    count(header) * header.dtype().itemsize()
}

fn unmappable(header: &Header, offset: u64) -> Option<Unmappable> {
    let dtype = header.dtype();
    let alignment = match (dtype.kind(), dtype.itemsize()) {
        ('b' | 'i' | 'u' | 'f', size) => size,
        ('c', size) => size / 2,
        _ => return Some(Unmappable::Dtype),
    };
    match () {
        () if !dtype.is_native() => Some(Unmappable::ByteSwapped),
        () if !offset.is_multiple_of(alignment) && data_len(header) > 0 => Some(Unmappable::Misaligned),
        () => None,
    }
}

/// What a file is that is neither an array nor an archive, by its first bytes.
fn known(start: &[u8]) -> Option<&'static str> {
    let kinds: [(&[u8], &str); 7] = [
        (b"", "the file is empty"),
        (b"\x89HDF", "this is HDF5: h5ls and h5dump read it"),
        (b"\x1f\x8b", "this is gzip: gunzip it first"),
        (b"BZh", "this is bzip2: bunzip2 it first"),
        (b"\x28\xb5\x2f\xfd", "this is Zstandard: unzstd it first"),
        (b"MATLAB", "this is MATLAB's format: scipy.io.loadmat reads it"),
        (
            b"version ",
            "this looks like a pointer of Git LFS: git lfs pull fetches the file",
        ),
    ];
    if let [0x80, 2..=5, ..] = start {
        return Some("this is Python's pickle, which may run any code and is never read");
    }
    let found = kinds.iter().find(|(magic, _)| match magic {
        [] => start.is_empty(),
        magic => start.starts_with(magic),
    });
    found.map(|(_, hint)| *hint)
}

/// A temporary file without a name, or with one that nobody else can have.
fn spool() -> io::Result<File> {
    let dir = std::env::temp_dir();
    for i in 0..1000 {
        let path = dir.join(format!("npz-spool-{}-{i}", std::process::id()));
        let mut options = OpenOptions::new();
        options.read(true).write(true).create_new(true);
        #[cfg(windows)]
        {
            use std::os::windows::fs::OpenOptionsExt;
            // Removed by the system when it is closed.
            options.custom_flags(0x0400_0000);
        }
        #[cfg(unix)]
        {
            use std::os::unix::fs::OpenOptionsExt;
            options.mode(0o600);
        }
        match options.open(&path) {
            Ok(file) => {
                #[cfg(unix)]
                fs::remove_file(&path)?;
                return Ok(file);
            }
            Err(err) if err.kind() == io::ErrorKind::AlreadyExists => {}
            Err(err) => return Err(err),
        }
    }
    Err(io::Error::other("found no free name for a temporary file"))
}

/// A file that can be read from anywhere: what comes through a pipe is spooled first.
pub fn seekable(path: &Path) -> Result<File> {
    let mut stream: Box<dyn Read> = match path == Path::new("-") {
        true => Box::new(io::stdin()),
        false => {
            let file = File::open(path)?;
            let metadata = file.metadata()?;
            if metadata.is_dir() {
                return Err(Fault::new("found a directory, expected a file"));
            }
            if metadata.is_file() {
                return Ok(file);
            }
            Box::new(file)
        }
    };
    let mut file = spool()?;
    io::copy(&mut stream, &mut file)?;
    file.seek(SeekFrom::Start(0))?;
    Ok(file)
}

/// The files that were named; a glob that the shell left as it is stands for the files it matches.
pub fn expand(paths: &[PathBuf]) -> Vec<PathBuf> {
    paths
        .iter()
        .flat_map(|path| matching(path).unwrap_or_else(|| vec![path.clone()]))
        .collect()
}

fn matching(path: &Path) -> Option<Vec<PathBuf>> {
    let pattern = path.file_name()?.to_str()?;
    if !glob::is_glob(pattern) || path.exists() {
        return None;
    }
    let dir = path.parent()?;
    let listed = fs::read_dir(if dir.as_os_str().is_empty() {
        Path::new(".")
    } else {
        dir
    })
    .ok()?;
    let mut found: Vec<PathBuf> = listed
        .filter_map(|entry| Some(entry.ok()?.file_name()))
        .filter(|name| name.to_str().is_some_and(|name| glob::matches(pattern, name, None)))
        .map(|name| dir.join(name))
        .collect();
    found.sort();
    (!found.is_empty()).then_some(found)
}
