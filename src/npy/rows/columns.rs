//! Rows of an array in Fortran order, gathered from its columns: a block of them at a time.
//!
//! ```text
//! file    a d g  b e h  c f i     three rows, column by column
//! block   a d    b e    c f       the first two of them
//! rows    a b c  d e f
//! ```

use crate::error::Result;
use crate::format::header::Header;
use crate::io::source::in_memory;
use crate::npy::de::transpose::transpose_bytes;
use crate::npy::whole::zeroed;

/// How much of an array is in memory at a time, unless one row is longer.
const BLOCK: u64 = 8 << 20;

/// Appends `len` bytes at an offset in the data of an array.
pub(crate) type ReadAt<'r> = &'r mut dyn FnMut(u64, u64, &mut Vec<u8>) -> Result<()>;

/// Where the rows of an array lie in its columns.
pub(crate) struct Columns {
    shape: Vec<u64>,
    itemsize: u64,
    /// The rows of a block.
    in_block: u64,
}

impl Columns {
    /// `None` where rows are adjacent, and where the array is so small that it is read whole.
    pub(crate) fn of(header: &Header) -> Option<Self> {
        let scattered = header.fortran_order() && header.shape().len() > 1;
        if !scattered || header.data_len() <= BLOCK {
            return None;
        }
        // As the data is not empty, no axis is.
        let row = header.data_len() / header.shape()[0];
        Some(Columns {
            shape: header.shape().to_vec(),
            itemsize: header.dtype().itemsize(),
            in_block: (BLOCK / row).max(1),
        })
    }

    /// The rows from `first` on as they lie in C order, as many as are in a block. Memory grows with what has been read.
    pub(crate) fn gather(&self, first: u64, read_at: ReadAt<'_>) -> Result<Vec<u8>> {
        let rows = self.in_block.min(self.shape[0] - first);
        let mut block = Vec::new();
        for column in 0..self.shape[1..].iter().product() {
            let at = column * self.shape[0] + first;
            read_at(at * self.itemsize, rows * self.itemsize, &mut block)?;
        }
        let mut shape: Vec<usize> = self.shape.iter().map(|&axis| in_memory(axis)).collect();
        shape[0] = in_memory(rows);
        let mut in_order = zeroed(block.len())?;
        transpose_bytes(&block, &mut in_order, &shape, in_memory(self.itemsize));
        Ok(in_order)
    }
}
