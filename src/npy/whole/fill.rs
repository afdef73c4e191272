//! How vectors are filled from the bytes of an array, and by which visitor serde asks for them.
//!
//! `Vec::<f64>::deserialize` hands a visitor to `deserialize_seq`. Asked once by a deserializer that only notes its
//! type, it tells the identity; a visitor of that type makes a `Vec<f64>` and nothing else. A `with` module, a
//! `deserialize_with` or a newtype that checks brings a visitor of its own and is never taken for it.

use std::any::{TypeId, type_name};
use std::fmt;

use serde::de::{self, Deserialize, Deserializer, Visitor};
use serde::forward_to_deserialize_any;

use crate::error::{Error, ErrorKind, Result};
use crate::io::source::in_memory;

/// The data of an array, in order.
pub(crate) trait Fill {
    /// How many bytes are known to be there, so that memory for them may be allocated at once.
    fn known_len(&self) -> u64;
    /// Fills `into` with the next bytes, numbers in the byte order of this machine.
    fn fill(&mut self, into: &mut [u8]) -> Result<()>;
    /// The next elements of `itemsize` bytes, unchanged: at least one, at most `most`. `itemsize` is not 0.
    fn chunk(&mut self, itemsize: usize, most: usize) -> Result<&[u8]>;
}

/// If it is not known how many bytes there are, this much is allocated first, and then each time as much as has been read.
const FIRST_STEP: usize = 1 << 20;

/// Larger buffers ask for huge pages, as NumPy does.
#[cfg(target_os = "linux")]
const HUGE: usize = 4 << 20;

/// Makes a vector of the given length. The second number depends on the vector: the length of its rows, or the width of its
/// texts.
///
/// # Safety
///
/// The pointer is to memory for the vector that this function makes. It is written only on success.
pub(super) type Make = unsafe fn(*mut (), usize, usize, &mut dyn Fill) -> Result<()>;

/// Makes a `Vec<T>`.
///
/// # Safety
///
/// `into` is memory for a `Vec<T>`.
pub(super) unsafe fn make_vec<T: bytemuck::Pod>(
    into: *mut (),
    len: usize,
    _: usize,
    fill: &mut dyn Fill,
) -> Result<()> {
    let vec: Vec<T> = collect(len, fill)?;
    // SAFETY: as the caller promises.
    unsafe { into.cast::<Vec<T>>().write(vec) };
    Ok(())
}

/// Makes a `Vec<[T; N]>`.
///
/// # Safety
///
/// `into` is memory for a `Vec<[T; N]>`.
pub(super) unsafe fn make_rows<T: bytemuck::Pod, const N: usize>(
    into: *mut (),
    len: usize,
    _: usize,
    fill: &mut dyn Fill,
) -> Result<()> {
    // The numbers first, so that `collect` is compiled for each of them and not for each length of a row as well.
    let numbers = collect_boxed::<T>(len, N, fill)?;
    let Ok(rows) = bytemuck::allocation::try_cast_slice_box::<T, [T; N]>(numbers) else {
        return Err(no_memory(len as u64));
    };
    // SAFETY: as the caller promises.
    unsafe { into.cast::<Vec<[T; N]>>().write(rows.into_vec()) };
    Ok(())
}

/// The next `len` bytes.
pub(crate) fn collect_bytes(len: u64, fill: &mut dyn Fill) -> Result<Vec<u8>> {
    collect(usize::try_from(len).map_err(|_| no_memory(len))?, fill)
}

/// The next `len` elements. Memory is allocated at once for what is known to be there, else only as the bytes come.
pub(super) fn collect<T: bytemuck::Pod>(len: usize, fill: &mut dyn Fill) -> Result<Vec<T>> {
    let size = size_of::<T>();
    let bytes = len.checked_mul(size).ok_or_else(|| no_memory(len as u64))?;
    let known_len = fill.known_len();
    if bytes as u64 <= known_len || bytes <= FIRST_STEP {
        let mut vec = zeroed::<T>(len)?;
        fill.fill(bytemuck::cast_slice_mut(&mut vec))?;
        return Ok(vec);
    }
    let mut vec: Vec<T> = Vec::new();
    let mut step = (in_memory(known_len).max(FIRST_STEP) / size).max(1);
    while vec.len() < len {
        let start = vec.len();
        let now = step.min(len - start);
        vec.try_reserve_exact(now).map_err(|_| no_memory(bytes as u64))?;
        vec.resize(start + now, T::zeroed());
        fill.fill(bytemuck::cast_slice_mut(&mut vec[start..]))?;
        step = vec.len();
    }
    Ok(vec)
}

/// The elements of this many rows of this length, without spare capacity.
fn collect_boxed<T: bytemuck::Pod>(rows: usize, row: usize, fill: &mut dyn Fill) -> Result<Box<[T]>> {
    let len = rows.checked_mul(row).ok_or_else(|| no_memory(rows as u64))?;
    collect(len, fill).map(Vec::into_boxed_slice)
}

/// An empty vector with room for `len` elements, which are known to come; large ones ask for huge pages.
pub(super) fn with_room<T>(len: usize) -> Result<Vec<T>> {
    let mut vec = Vec::new();
    vec.try_reserve_exact(len).map_err(|_| no_memory(len as u64))?;
    advise_huge(vec.spare_capacity_mut());
    Ok(vec)
}

/// Zeroed memory that has not been touched yet; large buffers ask for huge pages.
pub(crate) fn zeroed<T: bytemuck::Zeroable>(len: usize) -> Result<Vec<T>> {
    let mut vec = bytemuck::allocation::try_zeroed_vec(len).map_err(|()| no_memory(len as u64))?;
    advise_huge(&mut vec);
    Ok(vec)
}

#[cfg(target_os = "linux")]
fn advise_huge<T>(slice: &mut [T]) {
    // The advice has to start at a page boundary; no Linux has smaller pages.
    const PAGE: usize = 4096;
    let len = std::mem::size_of_val(slice);
    let start = slice.as_mut_ptr().cast::<u8>();
    let skip = start.align_offset(PAGE);
    if len < HUGE || skip >= len {
        return;
    }
    // SAFETY: the range lies within the slice, and the advice does not change what its memory holds. Where it is
    // refused, all goes on with small pages.
    let _ = unsafe { rustix::mm::madvise(start.add(skip).cast(), len - skip, rustix::mm::Advice::LinuxHugepage) };
}

#[cfg(not(target_os = "linux"))]
fn advise_huge<T>(_: &mut [T]) {}

/// Reverses every group of `size` bytes.
pub(crate) fn swap(bytes: &mut [u8], size: usize) {
    fn each<const N: usize>(bytes: &mut [u8]) {
        for element in bytes.as_chunks_mut::<N>().0 {
            element.reverse();
        }
    }
    match size {
        2 => each::<2>(bytes),
        4 => each::<4>(bytes),
        8 => each::<8>(bytes),
        _ => {}
    }
}

#[cold]
pub(super) fn no_memory(found: u64) -> Error {
    Error::new(
        ErrorKind::LimitExceeded,
        format_args!("found {found} elements of data, expected no more than fit into memory"),
    )
}

/// The identity of the visitor that makes a `Vec<T>`.
pub(super) fn collector<T>() -> Option<TypeId>
where
    Vec<T>: for<'de> Deserialize<'de>,
{
    visitor_of::<T>().map(|(id, _)| id)
}

/// The identity of the visitor that makes a `Vec<T>`, and what its type is called.
pub(super) fn visitor_of<T>() -> Option<(TypeId, &'static str)>
where
    Vec<T>: for<'de> Deserialize<'de>,
{
    Vec::<T>::deserialize(Probe).err().and_then(|Seen(visitor)| visitor)
}

/// Notes the visitor of a sequence, and reads nothing.
struct Probe;

/// A visitor's identity and name, carried out of `deserialize_seq` as an error.
#[derive(Debug)]
struct Seen(Option<(TypeId, &'static str)>);

impl fmt::Display for Seen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("nothing was to be read")
    }
}

impl std::error::Error for Seen {}

impl de::Error for Seen {
    fn custom<M: fmt::Display>(_: M) -> Self {
        Seen(None)
    }
}

impl<'de> Deserializer<'de> for Probe {
    type Error = Seen;

    fn deserialize_any<V: Visitor<'de>>(self, _: V) -> std::result::Result<V::Value, Seen> {
        Err(Seen(None))
    }

    fn deserialize_seq<V: Visitor<'de>>(self, _: V) -> std::result::Result<V::Value, Seen> {
        Err(Seen(Some((typeid::of::<V>(), type_name::<V>()))))
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option unit unit_struct
        newtype_struct tuple tuple_struct map struct enum identifier ignored_any
    }
}
