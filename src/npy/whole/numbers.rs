//! Plain numbers in memory.

use crate::format::dtype::Number;

/// What `usize` and `isize` are here.
pub(super) const USIZE: Number = if size_of::<usize>() == 4 {
    Number::U32
} else {
    Number::U64
};
pub(super) const ISIZE: Number = if size_of::<usize>() == 4 {
    Number::I32
} else {
    Number::I64
};

/// The bytes of a slice of numbers, bools, or arrays of these: none has padding.
pub(super) fn bytes_of<T>(slice: &[T]) -> &[u8] {
    // SAFETY: any initialised memory without padding may be seen as bytes; the length is that of the slice.
    unsafe { std::slice::from_raw_parts(slice.as_ptr().cast::<u8>(), std::mem::size_of_val(slice)) }
}
