//! Errors told more fully by the node they come from: its names, and where in it a value lies that serde's buffer had taken.
//!
//! ```text
//! #[serde(tag = "kind")] enum Shape { Ball { radius: f64 } }
//!
//! shape/kind, shape/radius ─► serde's buffer ─► "found string "wide", expected f64"    of which member?
//!                                               the group is searched for such a string: shape/radius
//! ```

use std::cell::Cell;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::{NodeDeserializer, Reading};
use crate::error::{Cause, Error, ErrorKind, Found, Result, nearest};
use crate::npy::de::element::hand;
use crate::npy::de::module_of;
use crate::npz::de::WHOLE_KEYS;
use crate::npz::tree::ROOT;

/// How many values are looked at in search of one.
const MOST_VISITS: u32 = 1 << 17;

/// How many members of a group are searched.
const MOST_MEMBERS: usize = 256;

impl<'de, 'a> NodeDeserializer<'_, 'a, 'de> {
    /// Reads this node; an error is told as fully as this node can.
    pub(in crate::npz::de) fn read<T: DeserializeSeed<'de>>(self, seed: T) -> Result<T::Value> {
        let NodeDeserializer {
            reading,
            at,
            depth,
            marker,
            form,
            array_first,
        } = self;
        let node = NodeDeserializer {
            reading: &mut *reading,
            at,
            depth,
            marker,
            form,
            array_first,
        };
        hand(seed, node).map_err(|err| reading.explain(at, err, std::any::type_name::<T::Value>()))
    }
}

impl<'de> Reading<'_, 'de> {
    #[cold]
    fn explain(&mut self, at: usize, mut err: Error, target: &'static str) -> Error {
        let cause = err.take_cause();
        let is_here = err.path().is_empty();
        let is_group = self.tree.node(at).array.is_none();
        let was_read = self.read_to_end == Some(at);
        match cause {
            Some(Cause::MissingField(field)) if is_group => {
                let names = self.tree.children(at).map(|(name, _)| name);
                err = err.with_fact(nearest(field, names));
            }
            Some(Cause::FoundAgain) => return err.with_cause(Cause::FoundAgain),
            Some(Cause::Found(found)) if is_here && is_group && was_read => {
                err = self.locate(at, err, &found);
                if matches!(found, Found::Sequence | Found::Map) && err.hint().is_none() {
                    err = err.with_hint(IN_BUFFER);
                }
            }
            _ if is_here && is_group && !was_read && self.may_be_split(at, &err) => err = err.with_hint(WHOLE_KEYS),
            _ => {}
        }
        module_of(target, err)
    }

    /// Whether the group may be there only because its name was split.
    fn may_be_split(&mut self, at: usize, err: &Error) -> bool {
        let is_split = at != ROOT && self.store.options().separator.is_some();
        is_split && err.kind() == ErrorKind::TypeMismatch && err.hint().is_none()
    }

    /// Finds the member of a group in which a value lies that serde's buffer has taken out of it.
    fn locate(&mut self, at: usize, err: Error, found: &Found) -> Error {
        let children: Vec<_> = self.tree.children(at).take(MOST_MEMBERS + 1).collect();
        if children.len() > MOST_MEMBERS {
            return err;
        }
        let visits = Cell::new(MOST_VISITS);
        let mut places = Vec::new();
        for (name, child) in children {
            let mut reading = Reading::new(&mut *self.store, self.tree);
            let search = Search {
                found,
                visits: &visits,
                is_outermost: true,
            };
            match NodeDeserializer::new(&mut reading, child).deserialize_any(search) {
                Ok(()) => {}
                Err(mut place) => match place.take_cause() {
                    Some(Cause::FoundAgain) => places.push((name, place)),
                    // Damage, or too many values: it may be in what was not searched.
                    _ => return err,
                },
            }
        }
        let separator = self.separator();
        match &places[..] {
            [] => err,
            [(name, place)] => err.at_path_of(place).in_group(name, separator),
            [(one, _), (other, _), ..] => err.with_fact(format_args!(
                ", in `{}` or `{}`",
                one.escape_debug(),
                other.escape_debug()
            )),
        }
    }
}

/// What helps where a type does not know itself in what serde's buffer has of it.
const IN_BUFFER: &str = "`flatten` and tagged enums read through a buffer of serde's, where an ndarray needs \
     `with::ndarray_0_17` and a matrix `with::nalgebra_0_34`";

/// Raises an error at the first value that is like `found`: the path of that error is the place.
struct Search<'s> {
    found: &'s Found,
    visits: &'s Cell<u32>,
    /// Sequences and maps are looked for only as a whole member: within one, they are what it consists of.
    is_outermost: bool,
}

impl Search<'_> {
    fn inner(&self) -> Search<'_> {
        Search {
            is_outermost: false,
            ..*self
        }
    }

    fn check<E: serde::de::Error>(&self, is_it: bool) -> Result<(), E> {
        let left = self.visits.get();
        if left == 0 {
            return Err(E::custom("found too many values to search"));
        }
        self.visits.set(left - 1);
        if is_it {
            let again = Error::new(ErrorKind::Message, "found again").with_cause(Cause::FoundAgain);
            return Err(crate::error::into_custom(again));
        }
        Ok(())
    }
}

impl<'de> DeserializeSeed<'de> for Search<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

macro_rules! visits {
    ($($visit:ident($v:ident: $t:ty) => $found:expr;)*) => {
        $(
            fn $visit<E: serde::de::Error>(self, $v: $t) -> Result<(), E> {
                self.check(*self.found == $found)
            }
        )*
    };
}

impl<'de> Visitor<'de> for Search<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any value")
    }

    visits! {
        visit_bool(v: bool) => Found::Bool(v);
        visit_i64(v: i64) => Found::Integer(v.into());
        visit_u64(v: u64) => Found::Integer(v.into());
        visit_f64(v: f64) => Found::Float(v);
        visit_str(v: &str) => Found::Text(v.to_owned());
        visit_bytes(v: &[u8]) => Found::Bytes(v.len());
    }

    fn visit_unit<E: serde::de::Error>(self) -> Result<(), E> {
        self.check(*self.found == Found::Nothing)
    }

    fn visit_none<E: serde::de::Error>(self) -> Result<(), E> {
        self.visit_unit()
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }

    fn visit_newtype_struct<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<(), A::Error> {
        let is_it = match *self.found {
            Found::Sequence => self.is_outermost,
            Found::Len(len) => seq.size_hint() == Some(len),
            _ => false,
        };
        self.check(is_it)?;
        while seq.next_element_seed(self.inner())?.is_some() {}
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        self.check(self.is_outermost && *self.found == Found::Map)?;
        while map.next_key::<IgnoredAny>()?.is_some() {
            map.next_value_seed(self.inner())?;
        }
        Ok(())
    }
}
