//! Fortran order to C order.
//!
//! ```text
//! shape (2, 3), file  a d b e c f   the first axis runs fastest
//!               memory a b c d e f   the last axis runs fastest
//! ```

/// Blocks of this many elements along both axes are moved at a time, so that a cache line is used as a whole.
const BLOCK: usize = 32;

/// Reorders the elements of an array from Fortran order to C order.
pub(crate) fn transposed<T: Copy>(elements: &[T], shape: &[usize]) -> Vec<T> {
    let mut out = elements.to_vec();
    for plane in planes(shape, elements.len()) {
        plane.transpose(elements, &mut out);
    }
    out
}

/// As [`transposed`], for elements of `itemsize` bytes, into a buffer of the same length.
pub(crate) fn transpose_bytes(bytes: &[u8], into: &mut [u8], shape: &[usize], itemsize: usize) {
    let mut planes = planes(shape, bytes.len().checked_div(itemsize).unwrap_or_default()).peekable();
    if planes.peek().is_none() {
        into.copy_from_slice(bytes);
    }
    for plane in planes {
        match itemsize {
            1 => plane.transpose(bytes, into),
            2 => plane.transpose(bytes.as_chunks::<2>().0, into.as_chunks_mut::<2>().0),
            4 => plane.transpose(bytes.as_chunks::<4>().0, into.as_chunks_mut::<4>().0),
            8 => plane.transpose(bytes.as_chunks::<8>().0, into.as_chunks_mut::<8>().0),
            16 => plane.transpose(bytes.as_chunks::<16>().0, into.as_chunks_mut::<16>().0),
            _ => plane.transpose_any(bytes, into, itemsize),
        }
    }
}

/// The planes that the first and the last axis span: one for each index along the axes between them. None if both orders are
/// the same.
fn planes(shape: &[usize], count: usize) -> impl Iterator<Item = Plane> {
    // Axes of length 1 do not affect the order.
    let shape: Vec<usize> = shape.iter().copied().filter(|&len| len > 1).collect();
    let planes = match &shape[..] {
        [_, middle @ .., _] if count > 0 => middle.iter().product(),
        _ => 0,
    };
    (0..planes).map(move |plane| {
        let (rows, columns) = (shape[0], shape[shape.len() - 1]);
        // Where the plane lies in the file: there the first of the middle axes runs fastest.
        let (mut rest, mut place) = (plane, 0);
        let mut stride = planes;
        for &len in shape[1..shape.len() - 1].iter().rev() {
            stride /= len;
            place += rest % len * stride;
            rest /= len;
        }
        Plane {
            rows,
            columns,
            from: place * rows,
            from_column: rows * planes,
            into: plane * columns,
            into_row: columns * planes,
        }
    })
}

/// A plane of the first and the last axis; all numbers count elements.
struct Plane {
    rows: usize,
    columns: usize,
    /// Where it starts in the source, and how far apart its columns are; its rows are adjacent.
    from: usize,
    from_column: usize,
    /// Where it starts in the target, and how far apart its rows are; its columns are adjacent.
    into: usize,
    into_row: usize,
}

impl Plane {
    /// Calls `row` for each row of each block: the position of its first element in source and target, and its length.
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

    fn transpose<T: Copy>(&self, from: &[T], into: &mut [T]) {
        self.blocks(|mut source, target, width| {
            for element in &mut into[target..target + width] {
                *element = from[source];
                source += self.from_column;
            }
        });
    }

    fn transpose_any(&self, from: &[u8], into: &mut [u8], itemsize: usize) {
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
    fn slow(bytes: &[u8], shape: &[usize], itemsize: usize) -> Vec<u8> {
        let count: usize = shape.iter().product();
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
            let offset = offset * itemsize;
            out.extend_from_slice(&bytes[offset..offset + itemsize]);
        }
        out
    }

    #[test]
    fn every_shape_as_if_one_by_one() {
        let shapes: [&[usize]; 9] = [
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
                let len = shape.iter().product::<usize>() * itemsize;
                let bytes: Vec<u8> = (0..len).map(|i| (i * 7 + i / 251) as u8).collect();
                let mut found = vec![0; len];
                transpose_bytes(&bytes, &mut found, shape, itemsize);
                assert_eq!(found, slow(&bytes, shape, itemsize), "{shape:?} {itemsize}");
                if itemsize == 1 {
                    assert_eq!(transposed(&bytes, shape), found, "{shape:?}");
                }
            }
        }
    }
}
