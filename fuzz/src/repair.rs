//! Archives that are right in all but what a mutation changed: built from a plan, or repaired afterwards.

use arbitrary::Arbitrary;
use flate2::{Compress, Compression, Decompress, FlushCompress, FlushDecompress};

/// What is put right in a mutated archive, by bits.
#[derive(Clone, Copy)]
pub struct Repair(pub u8);

impl Repair {
    fn end(self) -> bool {
        self.0 & 1 != 0
    }
    fn offsets(self) -> bool {
        self.0 & 2 != 0
    }
    fn sizes(self) -> bool {
        self.0 & 4 != 0
    }
    fn checksums(self) -> bool {
        self.0 & 8 != 0
    }
    fn agreement(self) -> bool {
        self.0 & 16 != 0
    }
}

const MOST: usize = 1 << 20;

fn u16_at(bytes: &[u8], at: usize) -> Option<usize> {
    Some(u16::from_le_bytes(*bytes.get(at..)?.first_chunk()?).into())
}

fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_le_bytes(*bytes.get(at..)?.first_chunk()?))
}

fn put(bytes: &mut [u8], at: usize, value: &[u8]) -> Option<()> {
    bytes.get_mut(at..at + value.len())?.copy_from_slice(value);
    Some(())
}

fn find(bytes: &[u8], from: usize, signature: &[u8; 4]) -> Option<usize> {
    let at = bytes.get(from..)?.windows(4).position(|window| window == signature)?;
    Some(from + at)
}

/// Where the value of 64 bits for a field that is all ones stands: the `nth` of the zip64 field.
fn wide(bytes: &[u8], mut at: usize, len: usize, nth: usize) -> Option<usize> {
    let end = at + len;
    while at + 4 <= end {
        let (id, size) = (u16_at(bytes, at)?, u16_at(bytes, at + 2)?);
        if id == 1 && size >= 8 * (nth + 1) {
            return Some(at + 4 + 8 * nth);
        }
        at += 4 + size;
    }
    None
}

/// The archive with its numbers put right; none where there is no archive in it any more.
pub fn repair(data: &[u8], what: Repair) -> Option<Vec<u8>> {
    let mut bytes = data.to_vec();
    let end = bytes.windows(4).rposition(|window| window == b"PK\x05\x06")?;
    let directory = match u32_at(&bytes, end + 16)? as usize {
        claimed if bytes.get(claimed..)?.starts_with(b"PK\x01\x02") => claimed,
        _ => find(&bytes, 0, b"PK\x01\x02").filter(|&at| at < end)?,
    };
    let mut at = directory;
    let mut local = 0;
    let mut count = 0_u64;
    while bytes.get(at..)?.starts_with(b"PK\x01\x02") {
        let (name, extra, comment) = (u16_at(&bytes, at + 28)?, u16_at(&bytes, at + 30)?, u16_at(&bytes, at + 32)?);
        if let Some(found) = find(&bytes, local, b"PK\x03\x04").filter(|&found| found < directory) {
            let limit = find(&bytes, found + 4, b"PK\x03\x04").unwrap_or(directory).min(directory);
            // A member that cannot be repaired is one that lies.
            let _ = member(&mut bytes, at, found, limit, what);
            local = found + 4;
        }
        at += 46 + name + extra + comment;
        count += 1;
    }
    if what.end() {
        let (offset, size) = (directory as u64, at.saturating_sub(directory) as u64);
        if bytes.get(at..)?.starts_with(b"PK\x06\x06") {
            for (field, value) in [(24, count), (32, count), (40, size), (48, offset)] {
                put(&mut bytes, at + field, &value.to_le_bytes())?;
            }
            put(&mut bytes, at + 56 + 8, &(at as u64).to_le_bytes())?;
        }
        for field in [8, 10] {
            put(&mut bytes, end + field, &(count as u16).to_le_bytes())?;
        }
        put(&mut bytes, end + 12, &(size as u32).to_le_bytes())?;
        put(&mut bytes, end + 16, &(offset as u32).to_le_bytes())?;
    }
    Some(bytes)
}

fn member(bytes: &mut [u8], central: usize, local: usize, limit: usize, what: Repair) -> Option<()> {
    let (name, extra) = (u16_at(bytes, local + 26)?, u16_at(bytes, local + 28)?);
    let (central_name, central_extra) = (u16_at(bytes, central + 28)?, u16_at(bytes, central + 30)?);
    let data = local + 30 + name + extra;
    if what.agreement() {
        for (from, to) in [(6, 8), (8, 10)] {
            let field: [u8; 2] = *bytes.get(local + from..)?.first_chunk()?;
            put(bytes, central + to, &field)?;
        }
        if name == central_name {
            let name = bytes.get(local + 30..local + 30 + name)?.to_vec();
            put(bytes, central + 46, &name)?;
        }
    }
    if what.offsets() {
        if u32_at(bytes, central + 42)? != u32::MAX {
            put(bytes, central + 42, &(local as u32).to_le_bytes())?;
        } else if let Some(at) = wide(bytes, central + 46 + central_name, central_extra, 2) {
            put(bytes, at, &(local as u64).to_le_bytes())?;
        }
    }
    let described = bytes.get(local + 6)? & 8 != 0;
    let rest = bytes.get(data..limit)?;
    let (compressed, size, crc) = match u16_at(bytes, local + 8)? {
        0 => {
            let len = if described { rest.len().checked_sub(16)? } else { rest.len() };
            (len, len, crc32fast::hash(&rest[..len]))
        }
        8 => {
            let mut inflate = Decompress::new(false);
            let mut out = Vec::with_capacity(MOST);
            inflate.decompress_vec(rest, &mut out, FlushDecompress::Finish).ok()?;
            (inflate.total_in() as usize, out.len(), crc32fast::hash(&out))
        }
        _ => return None,
    };
    if what.checksums() {
        put(bytes, central + 16, &crc.to_le_bytes())?;
        if !described {
            put(bytes, local + 14, &crc.to_le_bytes())?;
        }
    }
    if what.sizes() {
        let places = [
            (central + 20, central + 46 + central_name, central_extra, 1, compressed),
            (central + 24, central + 46 + central_name, central_extra, 0, size),
            (local + 18, local + 30 + name, extra, 1, compressed),
            (local + 22, local + 30 + name, extra, 0, size),
        ];
        for (i, (at, extra, len, nth, value)) in places.into_iter().enumerate() {
            if i >= 2 && described {
                continue;
            }
            match wide(bytes, extra, len, nth) {
                Some(at) if u32_at(bytes, at)? == u32::MAX => put(bytes, at, &(value as u64).to_le_bytes())?,
                _ => put(bytes, at, &(value as u32).to_le_bytes())?,
            }
        }
    }
    if described && what.checksums() && what.sizes() {
        let mut descriptor = b"PK\x07\x08".to_vec();
        for n in [crc, compressed as u32, size as u32] {
            descriptor.extend(n.to_le_bytes());
        }
        if data + compressed + descriptor.len() <= limit {
            put(bytes, data + compressed, &descriptor)?;
        }
    }
    Some(())
}

/// An archive by its parts, with a few lies.
#[derive(Arbitrary, Debug)]
pub struct Plan {
    members: Vec<Member>,
    comment: Vec<u8>,
    zip64: Option<(u8, u64)>,
    end: Option<(u8, u32)>,
    junk: Vec<u8>,
}

#[derive(Arbitrary, Debug)]
struct Member {
    name: Name,
    content: Content,
    deflate: Option<u8>,
    wide: bool,
    descriptor: Option<u8>,
    extra: Vec<u8>,
    /// Which field of which header says what instead.
    lie: Option<(bool, u8, u32)>,
    comment: Vec<u8>,
}

#[derive(Arbitrary, Debug)]
enum Name {
    A,
    B,
    X,
    Item(u8),
    Layer(u8, bool),
    Json,
    Free(String),
}

#[derive(Arbitrary, Debug)]
enum Content {
    Array {
        descr: Descr,
        shape: Vec<u8>,
        fortran: bool,
        data: Vec<u8>,
    },
    Text(Vec<u8>),
    Nested(Vec<u8>),
}

#[derive(Arbitrary, Debug)]
enum Descr {
    Bool,
    Int,
    Byte,
    Big,
    Float,
    Complex,
    Text(u8),
    Bytes(u8),
    Void(u8),
    Time,
    Record,
    Object,
    Free(String),
}

impl Name {
    fn text(&self) -> String {
        match self {
            Name::A => "a.npy".into(),
            Name::B => "b.npy".into(),
            Name::X => "x.npy".into(),
            Name::Item(i) => format!("{i}.npy"),
            Name::Layer(i, w) => format!("layers/{i}/{}.npy", if *w { "w" } else { "b" }),
            Name::Json => "a.json".into(),
            Name::Free(text) => text.chars().take(300).collect(),
        }
    }
}

impl Content {
    fn bytes(&self) -> Vec<u8> {
        match self {
            Content::Text(bytes) => bytes.clone(),
            Content::Nested(bytes) => [b"PK\x03\x04", &bytes[..]].concat(),
            Content::Array {
                descr,
                shape,
                fortran,
                data,
            } => {
                let shape: Vec<String> = shape.iter().take(4).map(|n| format!("{}, ", n % 6)).collect();
                let order = if *fortran { "True" } else { "False" };
                let descr = descr.text();
                let text = format!("{{'descr': {descr}, 'fortran_order': {order}, 'shape': ({}), }}\n", shape.concat());
                let mut bytes = b"\x93NUMPY\x01\0".to_vec();
                bytes.extend((text.len() as u16).to_le_bytes());
                bytes.extend(text.bytes().take(0xffff));
                bytes.extend(data);
                bytes
            }
        }
    }
}

impl Descr {
    fn text(&self) -> String {
        let text = match self {
            Descr::Bool => "'|b1'",
            Descr::Int => "'<i8'",
            Descr::Byte => "'|u1'",
            Descr::Big => "'>i4'",
            Descr::Float => "'<f8'",
            Descr::Complex => "'<c16'",
            Descr::Time => "'<M8[ns]'",
            Descr::Record => "[('a', '<f8'), ('b', '<i4', (2,)), ('', '|V3'), ('c', [('d', '<U2')])]",
            Descr::Object => "'|O'",
            Descr::Text(n) => return format!("'<U{n}'"),
            Descr::Bytes(n) => return format!("'|S{n}'"),
            Descr::Void(n) => return format!("'|V{n}'"),
            Descr::Free(text) => return text.chars().take(200).collect(),
        };
        text.into()
    }
}

impl Plan {
    pub fn build(&self) -> Vec<u8> {
        let (mut bytes, mut directory) = (Vec::new(), Vec::new());
        let members = &self.members[..self.members.len().min(8)];
        for member in members {
            member.write(&mut bytes, &mut directory);
        }
        let (start, size, count) = (bytes.len() as u64, directory.len() as u64, members.len() as u64);
        bytes.extend(directory);
        if let Some((field, value)) = self.zip64 {
            let mut fields = [44, 0, 0, count, count, size, start, start + size];
            if let Some(field) = fields.get_mut(usize::from(field)) {
                *field = value;
            }
            bytes.extend(b"PK\x06\x06");
            bytes.extend(fields[0].to_le_bytes());
            bytes.extend([45, 0, 45, 0]);
            for disk in &fields[1..3] {
                bytes.extend((*disk as u32).to_le_bytes());
            }
            for field in &fields[3..7] {
                bytes.extend(field.to_le_bytes());
            }
            bytes.extend(b"PK\x06\x07\0\0\0\0");
            bytes.extend(fields[7].to_le_bytes());
            bytes.extend(1_u32.to_le_bytes());
        }
        let comment = &self.comment[..self.comment.len().min(100)];
        let mut fields = [0, 0, count as u32, count as u32, size as u32, start as u32, comment.len() as u32];
        if let Some((field, value)) = self.end
            && let Some(field) = fields.get_mut(usize::from(field))
        {
            *field = value;
        }
        bytes.extend(b"PK\x05\x06");
        for (i, field) in fields.into_iter().enumerate() {
            match i {
                4 | 5 => bytes.extend(field.to_le_bytes()),
                _ => bytes.extend((field as u16).to_le_bytes()),
            }
        }
        bytes.extend(comment);
        bytes.extend(self.junk.iter().take(2));
        bytes
    }
}

impl Member {
    fn write(&self, bytes: &mut Vec<u8>, directory: &mut Vec<u8>) {
        let content = self.content.bytes();
        let body = match self.deflate {
            None => content.clone(),
            Some(level) => deflated(&content, level),
        };
        let name = self.name.text().into_bytes();
        let offset = bytes.len() as u32;
        let flags = 1_u32 << 11 | u32::from(self.descriptor.is_some()) << 3;
        let method = if self.deflate.is_some() { 8 } else { 0 };
        let crc = crc32fast::hash(&content);
        let (compressed, size) = (body.len() as u32, content.len() as u32);
        let free = &self.extra[..self.extra.len().min(40)];
        for central in [false, true] {
            let mut fields = [flags, method, crc, compressed, size, 0, offset];
            let mut extra = Vec::new();
            if self.descriptor.is_some() && !central {
                (fields[2], fields[3], fields[4]) = (0, 0, 0);
            } else if self.wide {
                (fields[3], fields[4]) = (u32::MAX, u32::MAX);
                extra.extend([1, 0, 16, 0]);
                extra.extend(u64::from(size).to_le_bytes());
                extra.extend(u64::from(compressed).to_le_bytes());
            }
            extra.extend(free);
            if let Some((of_central, field, value)) = self.lie
                && of_central == central
                && let Some(field) = fields.get_mut(usize::from(field))
            {
                *field = value;
            }
            let out = if central { &mut *directory } else { &mut *bytes };
            out.extend(if central { &b"PK\x01\x02\x14\x03"[..] } else { b"PK\x03\x04" });
            out.extend([20, 0]);
            out.extend((fields[0] as u16).to_le_bytes());
            out.extend((fields[1] as u16).to_le_bytes());
            out.extend([0, 0, 0x21, 0]);
            for field in &fields[2..5] {
                out.extend(field.to_le_bytes());
            }
            out.extend((name.len() as u16).to_le_bytes());
            out.extend((extra.len() as u16).to_le_bytes());
            let comment = &self.comment[..self.comment.len().min(20)];
            if central {
                out.extend((comment.len() as u16).to_le_bytes());
                out.extend((fields[5] as u16).to_le_bytes());
                out.extend([0; 6]);
                out.extend(fields[6].to_le_bytes());
            }
            out.extend(&name);
            out.extend(&extra);
            if central {
                out.extend(comment);
            }
        }
        bytes.extend(&body);
        if let Some(form) = self.descriptor {
            if form & 1 != 0 {
                bytes.extend(b"PK\x07\x08");
            }
            bytes.extend(crc.to_le_bytes());
            for n in [compressed, size] {
                bytes.extend(n.to_le_bytes());
                if form & 2 != 0 {
                    bytes.extend([0; 4]);
                }
            }
        }
    }
}

fn deflated(content: &[u8], level: u8) -> Vec<u8> {
    let mut body = Vec::with_capacity(content.len() + 1024);
    let mut deflate = Compress::new(Compression::new(u32::from(level % 10)), false);
    // More room than deflate needs, so that one call ends the stream.
    let _ = deflate.compress_vec(content, &mut body, FlushCompress::Finish);
    body
}
