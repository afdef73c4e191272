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
#[inline(always)]
pub(super) fn bytes_of<T: bytemuck::NoUninit>(slice: &[T]) -> &[u8] {
    bytemuck::cast_slice(slice)
}
