//! Whole vectors from bytes: known by the visitor that serde's `Vec` brings.
//!
//! `Vec::<f64>::deserialize` hands a visitor to `deserialize_seq`. Asked once by a deserializer that only notes its
//! type, it tells the identity; a visitor of that type makes a `Vec<f64>` and nothing else. A `with` module, a
//! `deserialize_with` or a newtype that checks brings a visitor of its own and is never taken for it.

use std::any::TypeId;
use std::fmt;
use std::mem::{ManuallyDrop, MaybeUninit};

use serde::de::{self, Deserialize, Deserializer, Visitor};
use serde::forward_to_deserialize_any;

use super::{ISIZE, Number, USIZE, rows};
use crate::error::{Error, ErrorKind, Result};
use crate::format::dtype::for_each_number;

/// Bytes in the order they are asked for.
pub(crate) trait Fill {
    /// How many bytes are known to be there, so that memory may be taken for them at once.
    fn proven(&self) -> u64;
    /// Fills `into` with the next bytes.
    fn fill(&mut self, into: &mut [u8]) -> Result<()>;
}

/// What is taken at first where nothing is proven; then as much again as there is.
const FIRST_STEP: usize = 1 << 20;

/// Larger buffers ask for huge pages, as NumPy does.
const HUGE: usize = 4 << 20;

/// # Safety
///
/// The pointer is to memory for the vector that the maker makes, and is written on success alone.
pub(super) type Make = unsafe fn(*mut (), usize, &mut dyn Fill) -> Result<()>;

/// The maker of the vector that `V` makes, if that is one of these numbers, or of rows of `row` of them.
///
/// It stands for that vector's identity: [`Collector::collect`] gives the very type `V::Value`.
pub(crate) fn collector_of<'de, V: Visitor<'de>>(number: Number, row: Option<usize>) -> Option<Collector<V>> {
    let make = maker(number, row, typeid::of::<V>())?;
    Some(Collector {
        make,
        visitor: std::marker::PhantomData,
    })
}

/// Whether `V` makes a vector of plain numbers or texts, none of which is a sequence itself.
pub(crate) fn collects_scalars<'de, V: Visitor<'de>>() -> bool {
    let visitor = Some(typeid::of::<V>());
    macro_rules! any {
        (() $($t:ty => $number:ident),*) => { $(collector::<$t>() == visitor ||)* false };
    }
    for_each_number!(any!())
        || collector::<usize>() == visitor
        || collector::<isize>() == visitor
        || collector::<char>() == visitor
        || collector::<String>() == visitor
}

/// Makes what a visitor makes without asking it.
pub(crate) struct Collector<V> {
    make: Make,
    visitor: std::marker::PhantomData<V>,
}

impl<'de, V: Visitor<'de>> Collector<V> {
    pub(crate) fn collect(&self, len: u64, fill: &mut dyn Fill) -> Result<V::Value> {
        let len = usize::try_from(len).map_err(|_| no_memory(len))?;
        let mut value = MaybeUninit::<V::Value>::uninit();
        // SAFETY: `maker` gave this function for the identity of `V` alone, whose value is the vector it makes.
        unsafe { (self.make)(value.as_mut_ptr().cast(), len, fill)? };
        // SAFETY: just written.
        Ok(unsafe { value.assume_init() })
    }
}

fn maker(number: Number, row: Option<usize>, visitor: TypeId) -> Option<Make> {
    let (id, make) = match row {
        Some(row) => rows::read(number, row)?.collect?,
        None => plain(number, visitor)?,
    };
    (id == visitor).then_some(make)
}

fn plain(number: Number, visitor: TypeId) -> Option<(TypeId, Make)> {
    // Two types are of the same number.
    if number == USIZE && collector::<usize>() == Some(visitor) {
        return Some((visitor, make_vec::<usize>));
    }
    if number == ISIZE && collector::<isize>() == Some(visitor) {
        return Some((visitor, make_vec::<isize>));
    }
    macro_rules! pick {
        (() bool => Bool, $($t:ty => $number:ident),*) => {
            match number {
                Number::Bool => (collector::<bool>()?, make_bools as Make),
                $(Number::$number => (collector::<$t>()?, make_vec::<$t> as Make),)*
            }
        };
    }
    Some(for_each_number!(pick!()))
}

/// # Safety
///
/// `into` is memory for a `Vec<T>`.
unsafe fn make_vec<T: bytemuck::Pod>(into: *mut (), len: usize, fill: &mut dyn Fill) -> Result<()> {
    let vec: Vec<T> = collect(len, fill)?;
    // SAFETY: as the caller promises.
    unsafe { into.cast::<Vec<T>>().write(vec) };
    Ok(())
}

/// # Safety
///
/// `into` is memory for a `Vec<[T; N]>`.
pub(super) unsafe fn make_rows<T: bytemuck::Pod, const N: usize>(
    into: *mut (),
    len: usize,
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

/// # Safety
///
/// `into` is memory for a `Vec<bool>`.
unsafe fn make_bools(into: *mut (), len: usize, fill: &mut dyn Fill) -> Result<()> {
    let mut bytes = ManuallyDrop::new(collect::<u8>(len, fill)?);
    if let Some(at) = not_bool(&bytes) {
        return Err(bad_bool(ManuallyDrop::into_inner(bytes)[at]).at_index(at as u64));
    }
    // SAFETY: a bool is of the size and alignment of a byte, and each of these is 0 or 1, as just seen.
    let bools = unsafe { Vec::from_raw_parts(bytes.as_mut_ptr().cast::<bool>(), bytes.len(), bytes.capacity()) };
    // SAFETY: as the caller promises.
    unsafe { into.cast::<Vec<bool>>().write(bools) };
    Ok(())
}

/// Where the first byte is that is no bool.
fn not_bool(bytes: &[u8]) -> Option<usize> {
    // All at once first: that is done many bytes at a time.
    if bytes.iter().fold(0, |all, byte| all | byte) <= 1 {
        return None;
    }
    bytes.iter().position(|&byte| byte > 1)
}

#[cold]
pub(crate) fn bad_bool(byte: u8) -> Error {
    Error::new(
        ErrorKind::InvalidValue,
        format_args!("found the bool byte {byte}, expected 0 or 1"),
    )
}

/// So many bytes.
pub(crate) fn collect_bytes(len: u64, fill: &mut dyn Fill) -> Result<Vec<u8>> {
    collect(usize::try_from(len).map_err(|_| no_memory(len))?, fill)
}

/// So many elements; memory is taken for what is proven to be there, and for the rest only as it comes.
fn collect<T: bytemuck::Pod>(len: usize, fill: &mut dyn Fill) -> Result<Vec<T>> {
    let size = size_of::<T>();
    let bytes = len.checked_mul(size).ok_or_else(|| no_memory(len as u64))?;
    let proven = fill.proven();
    if bytes as u64 <= proven || bytes <= FIRST_STEP {
        let mut vec = zeroed::<T>(len)?;
        fill.fill(bytemuck::cast_slice_mut(&mut vec))?;
        return Ok(vec);
    }
    let mut vec: Vec<T> = Vec::new();
    let mut step = (usize::try_from(proven).unwrap_or(usize::MAX).max(FIRST_STEP) / size).max(1);
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

/// So many rows of so many elements, and no memory behind them.
fn collect_boxed<T: bytemuck::Pod>(rows: usize, row: usize, fill: &mut dyn Fill) -> Result<Box<[T]>> {
    let len = rows.checked_mul(row).ok_or_else(|| no_memory(rows as u64))?;
    collect(len, fill).map(Vec::into_boxed_slice)
}

/// Memory that nobody has touched yet, in huge pages where it is large and the platform has them.
pub(crate) fn zeroed<T: bytemuck::Zeroable>(len: usize) -> Result<Vec<T>> {
    let mut vec = bytemuck::allocation::try_zeroed_vec(len).map_err(|()| no_memory(len as u64))?;
    advise_huge(&mut vec);
    Ok(vec)
}

#[cfg(target_os = "linux")]
fn advise_huge<T>(slice: &mut [T]) {
    // Advice starts at a page, the smallest of which any Linux has.
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

/// Reverses the bytes of each `size` of them.
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
fn no_memory(found: u64) -> Error {
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
    Vec::<T>::deserialize(Probe).err().and_then(|Seen(id)| id)
}

/// Notes the visitor of a sequence, and reads nothing.
struct Probe;

/// The identity of a visitor, on the way of an error.
#[derive(Debug)]
struct Seen(Option<TypeId>);

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
        Err(Seen(Some(typeid::of::<V>())))
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option unit unit_struct
        newtype_struct tuple tuple_struct map struct enum identifier ignored_any
    }
}
