//! Rows of fixed length such as `[f64; 3]`: too many types to compare one after another, so they are in a table.

use std::any::TypeId;
use std::collections::HashMap;
use std::sync::OnceLock;

use super::Number;
use super::fill::{Make, collector, make_rows};
use super::numbers::bytes_of;
use crate::format::dtype::for_each_number;

/// One of the types `[T; N]`.
pub(super) struct Row {
    pub(super) number: Number,
    pub(super) len: usize,
    /// The length and the bytes of what `collect_seq` was given.
    pub(super) see: See,
    /// The visitor that makes a `Vec<[T; N]>`, and how to make one.
    pub(super) collect: Option<(TypeId, Make)>,
}

/// # Safety
///
/// The pointer is to a `&Vec<[T; N]>` or a `&[[T; N]]`, as the holder says; what is returned lives as long as that.
type See = unsafe fn(*const (), Holder) -> (usize, *const [u8]);

/// What holds the rows.
#[derive(Clone, Copy)]
pub(super) enum Holder {
    Vec,
    Slice,
}

struct Table {
    rows: Vec<Row>,
    /// By `&Vec<[T; N]>` and `&[[T; N]]`.
    written: HashMap<TypeId, (Holder, usize)>,
    /// By T and N.
    read: HashMap<(Number, usize), usize>,
}

/// The row type behind what `collect_seq` was given.
pub(super) fn written(id: TypeId) -> Option<(Holder, &'static Row)> {
    let table = table();
    let &(holder, at) = table.written.get(&id)?;
    Some((holder, &table.rows[at]))
}

/// The type of rows of `len` such numbers.
pub(super) fn read(number: Number, len: usize) -> Option<&'static Row> {
    let table = table();
    table.read.get(&(number, len)).map(|&at| &table.rows[at])
}

fn table() -> &'static Table {
    static TABLE: OnceLock<Table> = OnceLock::new();
    TABLE.get_or_init(|| {
        let mut table = Table {
            rows: Vec::new(),
            written: HashMap::new(),
            read: HashMap::new(),
        };
        macro_rules! each {
            (() $($t:ty => $number:ident),*) => { $(each!($t, $number: 1 2 3 4 5 6 7 8 9 10 12 16 32);)* };
            // Bytes have to be checked before they can be bools.
            ($t:ty, Bool: $($n:literal)*) => {};
            ($t:ty, $number:ident: $($n:literal)*) => { $(
                let at = table.rows.len();
                table.written.insert(typeid::of::<&Vec<[$t; $n]>>(), (Holder::Vec, at));
                table.written.insert(typeid::of::<&[[$t; $n]]>(), (Holder::Slice, at));
                table.read.insert((Number::$number, $n), at);
                table.rows.push(Row {
                    number: Number::$number,
                    len: $n,
                    see: see::<[$t; $n]>,
                    collect: collector::<[$t; $n]>().map(|id| (id, make_rows::<$t, $n> as Make)),
                });
            )* };
        }
        for_each_number!(each!());
        table
    })
}

/// # Safety
///
/// As [`See`] says.
unsafe fn see<T: bytemuck::NoUninit>(iter: *const (), holder: Holder) -> (usize, *const [u8]) {
    let slice: &[T] = match holder {
        // SAFETY: as the caller promises.
        Holder::Vec => unsafe { *iter.cast::<&Vec<T>>() },
        // SAFETY: as the caller promises.
        Holder::Slice => unsafe { *iter.cast::<&[T]>() },
    };
    (slice.len(), bytes_of(slice))
}
