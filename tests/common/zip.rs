//! Archives by hand: every field of every record can lie.
#![allow(dead_code, reason = "every test binary uses its own part")]

/// A one-dimensional array of bytes, as NumPy saves it.
pub fn array(data: &[u8]) -> Vec<u8> {
    let text = format!(
        "{{'descr': '|u1', 'fortran_order': False, 'shape': ({},), }}",
        data.len()
    );
    let mut bytes = b"\x93NUMPY\x01\0v\0".to_vec();
    bytes.extend_from_slice(format!("{text:<117}\n").as_bytes());
    bytes.extend_from_slice(data);
    bytes
}

/// A member, with everything both of its headers say.
#[derive(Clone)]
pub struct Part {
    pub local: Header,
    pub central: Header,
    pub body: Vec<u8>,
    /// Behind the data.
    pub descriptor: Vec<u8>,
    pub disk: u16,
    /// Instead of where the local header is.
    pub offset: Option<u32>,
    pub comment: Vec<u8>,
}

#[derive(Clone)]
pub struct Header {
    pub signature: [u8; 4],
    pub flags: u16,
    pub method: u16,
    pub crc: u32,
    pub compressed: u32,
    pub size: u32,
    pub name: Vec<u8>,
    pub extra: Vec<u8>,
}

impl Part {
    pub fn stored(name: &str, data: &[u8]) -> Self {
        let header = Header {
            signature: *b"PK\x03\x04",
            flags: 0,
            method: 0,
            crc: crc32fast::hash(data),
            compressed: data.len() as u32,
            size: data.len() as u32,
            name: name.as_bytes().to_vec(),
            extra: Vec::new(),
        };
        let central = Header {
            signature: *b"PK\x01\x02",
            ..header.clone()
        };
        let (body, descriptor, comment) = (data.to_vec(), Vec::new(), Vec::new());
        Part {
            local: header,
            central,
            body,
            descriptor,
            disk: 0,
            offset: None,
            comment,
        }
    }

    /// The same with data deflated by hand: one stored block.
    pub fn deflated(name: &str, data: &[u8]) -> Self {
        let len = data.len() as u16;
        let mut body = vec![1];
        body.extend_from_slice(&len.to_le_bytes());
        body.extend_from_slice(&(!len).to_le_bytes());
        body.extend_from_slice(data);
        Part::stored(name, data)
            .with_both(|header| header.method = 8)
            .with_body(body)
    }

    pub fn with_body(mut self, body: Vec<u8>) -> Self {
        let compressed = body.len() as u32;
        self.body = body;
        self.with_both(|header| header.compressed = compressed)
    }

    pub fn with_both(mut self, change: impl Fn(&mut Header)) -> Self {
        change(&mut self.local);
        change(&mut self.central);
        self
    }

    pub fn with(mut self, change: impl FnOnce(&mut Self)) -> Self {
        change(&mut self);
        self
    }

    /// Sizes and CRC behind the data instead of before.
    pub fn described(self, descriptor: Vec<u8>) -> Self {
        let mut part = self.with_both(|header| header.flags |= 8);
        (part.local.crc, part.local.compressed, part.local.size) = (0, 0, 0);
        part.descriptor = descriptor;
        part
    }
}

impl Header {
    pub fn fixed(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        for n in [self.flags, self.method, 0, 0x21] {
            bytes.extend_from_slice(&n.to_le_bytes());
        }
        for n in [self.crc, self.compressed, self.size] {
            bytes.extend_from_slice(&n.to_le_bytes());
        }
        for n in [self.name.len(), self.extra.len()] {
            bytes.extend_from_slice(&(n as u16).to_le_bytes());
        }
        bytes
    }
}

/// What stands before the end record, of count, size and offset of the directory.
pub type Before = fn(u64, u64, u64) -> Vec<u8>;

/// The last record, and what may stand before it.
#[derive(Clone, Default)]
pub struct End {
    pub disk: u16,
    pub directory_disk: u16,
    /// Instead of the right ones.
    pub here: Option<u16>,
    pub count: Option<u16>,
    pub size: Option<u32>,
    pub offset: Option<u32>,
    pub comment: Vec<u8>,
    /// Between the directory and the end record, given where it starts.
    pub before: Option<Before>,
}

/// These members, with an end record that says what is true.
pub fn archive(parts: &[Part]) -> Vec<u8> {
    zip(parts, &End::default())
}

pub fn zip(parts: &[Part], end: &End) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut directory = Vec::new();
    for part in parts {
        let offset = part.offset.unwrap_or(bytes.len() as u32);
        bytes.extend_from_slice(&part.local.signature);
        bytes.extend_from_slice(&20_u16.to_le_bytes());
        bytes.extend(part.local.fixed());
        for piece in [&part.local.name, &part.local.extra, &part.body, &part.descriptor] {
            bytes.extend_from_slice(piece);
        }
        directory.extend_from_slice(&part.central.signature);
        directory.extend_from_slice(&[20, 3, 20, 0]);
        directory.extend(part.central.fixed());
        directory.extend_from_slice(&(part.comment.len() as u16).to_le_bytes());
        directory.extend_from_slice(&part.disk.to_le_bytes());
        directory.extend_from_slice(&[0; 6]);
        directory.extend_from_slice(&offset.to_le_bytes());
        for piece in [&part.central.name, &part.central.extra, &part.comment] {
            directory.extend_from_slice(piece);
        }
    }
    let (count, offset, size) = (parts.len() as u16, bytes.len() as u64, directory.len() as u64);
    bytes.extend(directory);
    if let Some(before) = end.before {
        let count = u64::from(count);
        bytes.extend(before(count, size, offset));
    }
    bytes.extend_from_slice(b"PK\x05\x06");
    let count = end.count.unwrap_or(count);
    for n in [end.disk, end.directory_disk, end.here.unwrap_or(count), count] {
        bytes.extend_from_slice(&n.to_le_bytes());
    }
    for n in [end.size.unwrap_or(size as u32), end.offset.unwrap_or(offset as u32)] {
        bytes.extend_from_slice(&n.to_le_bytes());
    }
    bytes.extend_from_slice(&(end.comment.len() as u16).to_le_bytes());
    bytes.extend_from_slice(&end.comment);
    bytes
}

/// A zip64 record and its locator; `record` is count here, count, size and offset.
pub fn zip64(length: u64, disks: [u32; 2], record: [u64; 4], locator: (u32, u64, u32)) -> Vec<u8> {
    let mut bytes = b"PK\x06\x06".to_vec();
    bytes.extend_from_slice(&length.to_le_bytes());
    bytes.extend_from_slice(&[45, 0, 45, 0]);
    disks.iter().for_each(|n| bytes.extend_from_slice(&n.to_le_bytes()));
    record.iter().for_each(|n| bytes.extend_from_slice(&n.to_le_bytes()));
    bytes.extend_from_slice(b"PK\x06\x07");
    bytes.extend_from_slice(&locator.0.to_le_bytes());
    bytes.extend_from_slice(&locator.1.to_le_bytes());
    bytes.extend_from_slice(&locator.2.to_le_bytes());
    bytes
}

pub fn extra(id: u16, data: &[u8]) -> Vec<u8> {
    let mut bytes = id.to_le_bytes().to_vec();
    bytes.extend_from_slice(&(data.len() as u16).to_le_bytes());
    bytes.extend_from_slice(data);
    bytes
}

pub fn wide(values: &[u64]) -> Vec<u8> {
    extra(1, &values.iter().flat_map(|n| n.to_le_bytes()).collect::<Vec<_>>())
}
