//! Fortran order to C order.
//!
//! ```text
//! shape (2, 3), file  a d b e c f   the first axis runs fastest
//!               memory a b c d e f   the last axis runs fastest
//! ```

use crate::bulk;
use crate::error::Result;

/// So many elements along both axes are moved together, so that a line of the cache serves all it holds.
const BLOCK: usize = 32;

/// `bytes` of an array of this shape, its first axis running fastest, as they lie with the last one running fastest.
pub(crate) fn transpose(bytes: &[u8], shape: &[u64], itemsize: usize) -> Result<Vec<u8>> {
    let mut out = bulk::zeroed(bytes.len())?;
    if bytes.is_empty() || itemsize == 0 {
        return Ok(out);
    }
    // Axes of one element are in both orders at once.
    let shape: Vec<usize> = shape.iter().map(|&len| len as usize).filter(|&len| len > 1).collect();
    let [first, middle @ .., last] = &shape[..] else {
        out.copy_from_slice(bytes);
        return Ok(out);
    };
    let planes: usize = middle.iter().product();
    for plane in 0..planes {
        // The plane's place among those of the file, where the first of the middle axes runs fastest.
        let (mut rest, mut offset) = (plane, 0);
        let mut stride = planes;
        for &len in middle.iter().rev() {
            stride /= len;
            offset += rest % len * stride;
            rest /= len;
        }
        let source = Plane {
            start: offset * first * itemsize,
            row: itemsize,
            column: first * planes * itemsize,
        };
        let target = Plane {
            start: plane * last * itemsize,
            row: planes * last * itemsize,
            column: itemsize,
        };
        let extent = (*first, *last);
        match itemsize {
            1 => turn::<1>(bytes, &mut out, source, target, extent),
            2 => turn::<2>(bytes, &mut out, source, target, extent),
            4 => turn::<4>(bytes, &mut out, source, target, extent),
            8 => turn::<8>(bytes, &mut out, source, target, extent),
            16 => turn::<16>(bytes, &mut out, source, target, extent),
            _ => turn_any(bytes, &mut out, source, target, extent, itemsize),
        }
    }
    Ok(out)
}

/// Where the elements of the first and the last axis lie, in bytes.
#[derive(Clone, Copy)]
struct Plane {
    start: usize,
    row: usize,
    column: usize,
}

impl Plane {
    fn at(self, row: usize, column: usize) -> usize {
        self.start + row * self.row + column * self.column
    }
}

fn blocks((rows, columns): (usize, usize), mut body: impl FnMut(usize, usize)) {
    for top in (0..rows).step_by(BLOCK) {
        for left in (0..columns).step_by(BLOCK) {
            for row in top..rows.min(top + BLOCK) {
                for column in left..columns.min(left + BLOCK) {
                    body(row, column);
                }
            }
        }
    }
}

fn turn<const N: usize>(from: &[u8], into: &mut [u8], source: Plane, target: Plane, extent: (usize, usize)) {
    blocks(extent, |row, column| {
        let (s, t) = (source.at(row, column), target.at(row, column));
        // A fixed length lets this be one load and one store.
        if let (Some(from), Some(into)) = (
            from.get(s..).and_then(<[u8]>::first_chunk::<N>),
            into.get_mut(t..).and_then(<[u8]>::first_chunk_mut::<N>),
        ) {
            *into = *from;
        }
    });
}

fn turn_any(from: &[u8], into: &mut [u8], source: Plane, target: Plane, extent: (usize, usize), itemsize: usize) {
    blocks(extent, |row, column| {
        let (s, t) = (source.at(row, column), target.at(row, column));
        into[t..t + itemsize].copy_from_slice(&from[s..s + itemsize]);
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    /// One element after another, by its index.
    fn slow(bytes: &[u8], shape: &[u64], itemsize: usize) -> Vec<u8> {
        let count: u64 = shape.iter().product();
        let mut out = Vec::new();
        for number in 0..count {
            let (mut rest, mut index) = (number, vec![0; shape.len()]);
            for axis in (0..shape.len()).rev() {
                index[axis] = rest % shape[axis];
                rest /= shape[axis];
            }
            let mut offset = 0;
            for axis in (0..shape.len()).rev() {
                offset = offset * shape[axis] + index[axis];
            }
            let offset = offset as usize * itemsize;
            out.extend_from_slice(&bytes[offset..offset + itemsize]);
        }
        out
    }

    #[test]
    fn every_shape_is_turned_as_one_by_one() {
        let shapes: [&[u64]; 9] = [
            &[2, 3],
            &[70, 33],
            &[1, 5],
            &[5, 1, 1],
            &[2, 3, 4],
            &[3, 1, 35, 2],
            &[2, 3, 4, 5, 6],
            &[0, 3],
            &[4, 4],
        ];
        for shape in shapes {
            for itemsize in [1, 2, 3, 4, 8, 12, 16] {
                let len = shape.iter().product::<u64>() as usize * itemsize;
                let bytes: Vec<u8> = (0..len).map(|i| (i * 7 + i / 251) as u8).collect();
                assert_eq!(
                    transpose(&bytes, shape, itemsize).unwrap(),
                    slow(&bytes, shape, itemsize),
                    "{shape:?} {itemsize}"
                );
            }
        }
    }
}
