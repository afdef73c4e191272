//! Vectors that are made at once, known by the visitor that asks for them.

use std::any::TypeId;
use std::borrow::Cow;
use std::marker::PhantomData;
use std::mem::{ManuallyDrop, MaybeUninit};

use serde::de::Visitor;

use super::Number;
use super::fill::{Fill, Make, collect, collector, make_vec, no_memory, with_room, zeroed};
use super::numbers::{ISIZE, USIZE};
use super::rows;
use super::texts::make_texts;
use crate::error::Result;
use crate::format::dtype::for_each_number;

/// What the elements of an array are.
#[derive(Clone, Copy)]
pub(crate) enum Plain {
    Number(Number),
    /// So many code points in the byte order of this machine, at least one.
    Text(usize),
}

/// Makes what `V` makes of such elements, or of rows of `row` of them, if that is a vector of just these.
pub(crate) fn vec_maker<'de, V: Visitor<'de>>(elements: Plain, row: Option<usize>) -> Option<VecMaker<V>> {
    Some(VecMaker {
        make: maker(elements, row, typeid::of::<V>())?,
        inner: match elements {
            Plain::Text(width) => width,
            Plain::Number(_) => row.unwrap_or(1),
        },
        visitor: PhantomData,
    })
}

/// Whether this visitor makes a vector of such elements, or of rows of `row` of them.
pub(crate) fn makes(elements: Plain, row: Option<usize>, visitor: TypeId) -> bool {
    maker(elements, row, visitor).is_some()
}

// The optimiser has to inline it: then the comparisons are folded away, which matters for short rows. An unoptimised build
// compiles it once, not for every visitor.
#[cfg_attr(not(debug_assertions), inline(always))]
fn maker(elements: Plain, row: Option<usize>, visitor: TypeId) -> Option<Make> {
    match (elements, row) {
        (Plain::Number(number), None) => numbers(number, visitor),
        (Plain::Number(number), Some(row)) => match rows::read(number, row).and_then(|row| row.collect) {
            Some((id, make)) if id == visitor => Some(make),
            _ if row > 0 => nested(number, visitor),
            _ => None,
        },
        (Plain::Text(_), None) => texts(visitor),
        (Plain::Text(_), Some(_)) => None,
    }
}

/// Whether this visitor makes a vector of plain numbers or texts, none of which is a sequence itself.
pub(crate) fn collects_scalars(visitor: TypeId) -> bool {
    let visitor = Some(visitor);
    macro_rules! any {
        (() $($t:ty => $number:ident),*) => { $(collector::<$t>() == visitor ||)* false };
    }
    for_each_number!(any!())
        || collector::<usize>() == visitor
        || collector::<isize>() == visitor
        || collector::<char>() == visitor
        || collector::<String>() == visitor
}

/// Makes the value of the visitor `V` in its place.
pub(crate) struct VecMaker<V> {
    make: Make,
    inner: usize,
    visitor: PhantomData<V>,
}

impl<'de, V: Visitor<'de>> VecMaker<V> {
    pub(crate) fn collect(&self, len: u64, fill: &mut dyn Fill) -> Result<V::Value> {
        let len = usize::try_from(len).map_err(|_| no_memory(len))?;
        let mut value = MaybeUninit::<V::Value>::uninit();
        // SAFETY: `vec_maker` found this function by the identity of `V`, whose value is the vector it makes.
        unsafe { (self.make)(value.as_mut_ptr().cast(), len, self.inner, fill)? };
        // SAFETY: just written.
        Ok(unsafe { value.assume_init() })
    }
}

/// The maker of a vector of these numbers, if that is what the visitor makes.
fn numbers(number: Number, visitor: TypeId) -> Option<Make> {
    // Two types are of the same number.
    if number == USIZE && collector::<usize>() == Some(visitor) {
        return Some(make_vec::<usize>);
    }
    if number == ISIZE && collector::<isize>() == Some(visitor) {
        return Some(make_vec::<isize>);
    }
    macro_rules! pick {
        (() bool => Bool, $($t:ty => $number:ident),*) => {
            match number {
                Number::Bool => (collector::<bool>()?, make_bools as Make),
                $(Number::$number => (collector::<$t>()?, make_vec::<$t> as Make),)*
            }
        };
    }
    let (id, make) = for_each_number!(pick!());
    (id == visitor).then_some(make)
}

/// The maker of a vector of vectors of these numbers.
fn nested(number: Number, visitor: TypeId) -> Option<Make> {
    if number == USIZE && collector::<Vec<usize>>() == Some(visitor) {
        return Some(make_nested::<usize>);
    }
    if number == ISIZE && collector::<Vec<isize>>() == Some(visitor) {
        return Some(make_nested::<isize>);
    }
    macro_rules! pick {
        (() bool => Bool, $($t:ty => $number:ident),*) => {
            match number {
                // Every byte has to be looked at before it is a bool.
                Number::Bool => return None,
                $(Number::$number => (collector::<Vec<$t>>()?, make_nested::<$t> as Make),)*
            }
        };
    }
    let (id, make) = for_each_number!(pick!());
    (id == visitor).then_some(make)
}

/// The maker of a vector of texts.
fn texts(visitor: TypeId) -> Option<Make> {
    [
        (collector::<String>(), make_texts::<String> as Make),
        (collector::<Box<str>>(), make_texts::<Box<str>>),
        (collector::<Cow<'static, str>>(), make_texts::<Cow<'static, str>>),
    ]
    .into_iter()
    .find_map(|(id, make)| (id == Some(visitor)).then_some(make))
}

/// So many bytes of rows are read before they are taken apart.
const BLOCK: usize = 16 * 1024;

/// Makes a `Vec<Vec<T>>` of rows of `row` elements, at least one.
///
/// # Safety
///
/// `into` is memory for a `Vec<Vec<T>>`.
unsafe fn make_nested<T: bytemuck::Pod>(into: *mut (), len: usize, row: usize, fill: &mut dyn Fill) -> Result<()> {
    let size = row.saturating_mul(size_of::<T>());
    let known = fill.known_len() / size as u64;
    let mut rows: Vec<Vec<T>> = with_room(if known >= len as u64 { len } else { 0 })?;
    if size > BLOCK {
        for at in 0..len {
            rows.push(collect(row, fill).map_err(|err| err.at_index(at as u64))?);
        }
    } else {
        let mut block: Vec<T> = zeroed((BLOCK / size).min(len) * row)?;
        while rows.len() < len {
            let now = (block.len() / row).min(len - rows.len());
            let block = &mut block[..now * row];
            fill.fill(bytemuck::cast_slice_mut(block))
                .map_err(|err| err.at_index(rows.len() as u64))?;
            rows.try_reserve(now).map_err(|_| no_memory(len as u64))?;
            rows.extend(block.chunks_exact(row).map(<[T]>::to_vec));
        }
    }
    // SAFETY: as the caller promises.
    unsafe { into.cast::<Vec<Vec<T>>>().write(rows) };
    Ok(())
}

/// # Safety
///
/// `into` is memory for a `Vec<bool>`.
unsafe fn make_bools(into: *mut (), len: usize, _: usize, fill: &mut dyn Fill) -> Result<()> {
    let mut bytes = ManuallyDrop::new(collect::<u8>(len, &mut Bools(fill))?);
    // SAFETY: a bool is of the size and alignment of a byte, and `Bools` has filled in nothing but 0 and 1.
    let bools = unsafe { Vec::from_raw_parts(bytes.as_mut_ptr().cast::<bool>(), bytes.len(), bytes.capacity()) };
    // SAFETY: as the caller promises.
    unsafe { into.cast::<Vec<bool>>().write(bools) };
    Ok(())
}

/// Fills memory with the bytes of bools: 0 and 1. As in NumPy, any other byte of a file is True.
struct Bools<'f>(&'f mut dyn Fill);

/// So many bytes are looked at while they are in the processor's cache.
const BOOLS: usize = 256 * 1024;

impl Fill for Bools<'_> {
    fn known_len(&self) -> u64 {
        self.0.known_len()
    }

    fn fill(&mut self, into: &mut [u8]) -> Result<()> {
        for block in into.chunks_mut(BOOLS) {
            self.0.fill(block)?;
            // Seldom is there anything to change, and looking is faster than writing.
            if block.iter().fold(0, |all, byte| all | byte) > 1 {
                block.iter_mut().for_each(|byte| *byte = u8::from(*byte != 0));
            }
        }
        Ok(())
    }

    fn chunk(&mut self, itemsize: usize, most: usize) -> Result<&[u8]> {
        self.0.chunk(itemsize, most)
    }
}
