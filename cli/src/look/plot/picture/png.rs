//! PNG, as far as a picture needs it: eight bits of red, green and blue, deflated.

use std::io::{self, Write};

use flate2::write::ZlibEncoder;
use flate2::{Compression, Crc};

use super::raster::Raster;

pub fn write(raster: &Raster, out: &mut dyn Write) -> io::Result<()> {
    let size = |n: usize| u32::try_from(n).map_err(|_| io::Error::other("the picture is too large"));
    let mut header = Vec::new();
    header.extend(size(raster.width)?.to_be_bytes());
    header.extend(size(raster.height)?.to_be_bytes());
    // Bits, colour type RGB, and the only methods there are.
    header.extend([8, 2, 0, 0, 0]);
    let mut deflated = ZlibEncoder::new(Vec::new(), Compression::new(9));
    let mut above = vec![0; 3 * raster.width];
    for row in raster.pixels.chunks(raster.width.max(1)) {
        let row = row.as_flattened();
        let (filter, bytes) = filtered(row, &above);
        deflated.write_all(&[filter])?;
        deflated.write_all(&bytes)?;
        above.copy_from_slice(row);
    }
    out.write_all(b"\x89PNG\r\n\x1a\n")?;
    chunk(out, b"IHDR", &header)?;
    chunk(out, b"IDAT", &deflated.finish()?)?;
    chunk(out, b"IEND", &[])
}

/// The row itself, or what differs from the pixel at the left or above: what is smaller.
fn filtered(row: &[u8], above: &[u8]) -> (u8, Vec<u8>) {
    let left = [0; 3].iter().chain(row);
    let sub: Vec<u8> = row
        .iter()
        .zip(left)
        .map(|(byte, left)| byte.wrapping_sub(*left))
        .collect();
    let up: Vec<u8> = row
        .iter()
        .zip(above)
        .map(|(byte, above)| byte.wrapping_sub(*above))
        .collect();
    let weight = |bytes: &[u8]| {
        bytes
            .iter()
            .map(|&byte| u64::from((byte as i8).unsigned_abs()))
            .sum::<u64>()
    };
    let all = [(0, row.to_vec()), (1, sub), (2, up)];
    all.into_iter()
        .min_by_key(|(_, bytes)| weight(bytes))
        .unwrap_or_default()
}

fn chunk(out: &mut dyn Write, kind: &[u8; 4], bytes: &[u8]) -> io::Result<()> {
    let len = u32::try_from(bytes.len()).map_err(|_| io::Error::other("the picture is too large"))?;
    let mut crc = Crc::new();
    crc.update(kind);
    crc.update(bytes);
    out.write_all(&len.to_be_bytes())?;
    out.write_all(kind)?;
    out.write_all(bytes)?;
    out.write_all(&crc.sum().to_be_bytes())
}
