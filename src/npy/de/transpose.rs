//! Fortran order to C order.
//!
//! ```text
//! shape (2, 3), file  a d b e c f   the first axis runs fastest
//!               memory a b c d e f   the last axis runs fastest
//! ```

/// So many elements along both axes are moved together, so that a line of the cache serves all it holds.
const BLOCK: usize = 32;

/// Puts `bytes` of an array of this shape, its first axis running fastest, so that the last one does; both are of the
/// same length.
pub(crate) fn transpose(bytes: &[u8], into: &mut [u8], shape: &[u64], itemsize: usize) {
    if bytes.is_empty() || itemsize == 0 {
        return;
    }
    // Axes of one element are in both orders at once.
    let shape: Vec<usize> = shape.iter().map(|&len| len as usize).filter(|&len| len > 1).collect();
    let [rows, middle @ .., columns] = &shape[..] else {
        into.copy_from_slice(bytes);
        return;
    };
    let planes: usize = middle.iter().product();
    for plane in 0..planes {
        // The plane's place among those of the file, where the first of the middle axes runs fastest.
        let (mut rest, mut place) = (plane, 0);
        let mut stride = planes;
        for &len in middle.iter().rev() {
            stride /= len;
            place += rest % len * stride;
            rest /= len;
        }
        let plane = Plane {
            rows: *rows,
            columns: *columns,
            from: place * rows,
            from_column: rows * planes,
            into: plane * columns,
            into_row: columns * planes,
        };
        match itemsize {
            1 => plane.turn::<1>(bytes, into),
            2 => plane.turn::<2>(bytes, into),
            4 => plane.turn::<4>(bytes, into),
            8 => plane.turn::<8>(bytes, into),
            16 => plane.turn::<16>(bytes, into),
            _ => plane.turn_any(bytes, into, itemsize),
        }
    }
}

/// What the first and the last axis span, counted in elements.
struct Plane {
    rows: usize,
    columns: usize,
    /// Where it starts, and how far apart its columns are; its rows follow one another.
    from: usize,
    from_column: usize,
    /// Where it starts, and how far apart its rows are; its columns follow one another.
    into: usize,
    into_row: usize,
}

impl Plane {
    /// Calls `row` with the first element of each short row: its place in the file, in memory, and its length.
    fn blocks(&self, mut row: impl FnMut(usize, usize, usize)) {
        for top in (0..self.rows).step_by(BLOCK) {
            for left in (0..self.columns).step_by(BLOCK) {
                let width = BLOCK.min(self.columns - left);
                for at in top..self.rows.min(top + BLOCK) {
                    row(
                        self.from + at + left * self.from_column,
                        self.into + at * self.into_row + left,
                        width,
                    );
                }
            }
        }
    }

    fn turn<const N: usize>(&self, from: &[u8], into: &mut [u8]) {
        let (from, into) = (from.as_chunks::<N>().0, into.as_chunks_mut::<N>().0);
        self.blocks(|source, target, width| {
            let mut source = source;
            for element in &mut into[target..target + width] {
                *element = from[source];
                source += self.from_column;
            }
        });
    }

    fn turn_any(&self, from: &[u8], into: &mut [u8], itemsize: usize) {
        self.blocks(|source, target, width| {
            let mut source = source * itemsize;
            for element in into[target * itemsize..][..width * itemsize].chunks_exact_mut(itemsize) {
                element.copy_from_slice(&from[source..source + itemsize]);
                source += self.from_column * itemsize;
            }
        });
    }
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
                let mut turned = vec![0; len];
                transpose(&bytes, &mut turned, shape, itemsize);
                assert_eq!(turned, slow(&bytes, shape, itemsize), "{shape:?} {itemsize}");
            }
        }
    }
}
