//! Vectors of elements that are made one by one, records above all, in memory that is taken at once.
//!
//! The visitor of a `Vec<T>` starts with room for a megabyte and doubles it as it goes. The kernel then hands out its
//! memory in small pages, one fault each, which takes longer than everything else. So where so many elements are known
//! to be there, that visitor is asked for one element, which tells what `T` is, and the vector is filled here.

use std::any::type_name;
use std::marker::PhantomData;
use std::mem::ManuallyDrop;

use serde::de::{DeserializeSeed, SeqAccess, Visitor};

use super::fill::{no_memory, visitor_of, with_room};
use crate::error::{Error, Result};

/// Fewer elements are left to the visitor: what is gained begins with the first huge page.
const MANY: usize = 1 << 16;

/// Elements that are made one by one.
pub(crate) trait ElementSource<'de>: SeqAccess<'de, Error = Error> {
    /// How many are to come.
    fn left(&self) -> u64;
    /// The next one; the caller has seen that one is left.
    fn next<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<S::Value>;
}

/// What `visitor` makes of these elements, `known` of which are certain to come and borrow nothing from the input.
pub(crate) fn visit_elements<'de, V, A>(visitor: V, elements: A, known: usize) -> Result<V::Value>
where
    V: Visitor<'de>,
    A: ElementSource<'de>,
{
    if known < MANY || !makes_vec::<V>() {
        return visitor.visit_seq(elements);
    }
    let mut gathered = None;
    let value = visitor.visit_seq(Gather {
        elements,
        known,
        gathered: &mut gathered,
    })?;
    Ok(gathered.unwrap_or(value))
}

/// Whether `V` is the visitor with which serde makes a `Vec<T>`, whatever `T` is: it is called as that of a `Vec<u8>`, but
/// for the type of the elements.
fn makes_vec<V>() -> bool {
    let of_bytes = visitor_of::<u8>().and_then(|(_, name)| name.strip_suffix("<u8>"));
    of_bytes.is_some_and(|name| {
        type_name::<V>()
            .strip_prefix(name)
            .is_some_and(|rest| rest.starts_with('<'))
    })
}

/// Hands out no element: with the first that is asked for it fills a vector of all of them.
struct Gather<'g, A, W> {
    elements: A,
    known: usize,
    gathered: &'g mut Option<W>,
}

impl<'de, A: ElementSource<'de>, W> SeqAccess<'de> for Gather<'_, A, W> {
    type Error = Error;

    fn next_element_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>> {
        if !is_same::<W, Vec<S::Value>>() || !is_same::<S, PhantomData<S::Value>>() {
            return self.elements.next_element_seed(seed);
        }
        let mut vec: Vec<S::Value> = with_room(self.known)?;
        // SAFETY: `S` is a `PhantomData`, as just compared, which is of no size and `Copy`.
        let next = |elements: &mut A| elements.next(unsafe { std::mem::transmute_copy::<S, S>(&seed) });
        // Two at a time: a value that is moved directly after its parts were stored makes the processor wait for the stores.
        while self.elements.left() >= 2 {
            let (first, second) = (next(&mut self.elements), next(&mut self.elements));
            if vec.capacity() - vec.len() < 2 {
                vec.try_reserve(2).map_err(|_| no_memory(vec.len() as u64))?;
            }
            vec.push(first?);
            vec.push(second?);
        }
        if self.elements.left() > 0 {
            vec.push(next(&mut self.elements)?);
        }
        let vec = ManuallyDrop::new(vec);
        // SAFETY: `W` is this type but for lifetimes, as compared above. They are equal in serde's own visitor, which this is
        // by its name. Were it another one of that name, the elements still borrow nothing from the input: they were made
        // by an `impl Deserialize` that cannot see for which lifetime it is used.
        *self.gathered = Some(unsafe { std::mem::transmute_copy::<ManuallyDrop<Vec<S::Value>>, W>(&vec) });
        Ok(None)
    }

    fn size_hint(&self) -> Option<usize> {
        self.elements.size_hint()
    }
}

/// Whether two types are one, lifetimes aside.
fn is_same<A, B>() -> bool {
    typeid::of::<A>() == typeid::of::<B>()
}
