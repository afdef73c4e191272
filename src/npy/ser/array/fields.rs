//! The fields of a record, and of the structs known by name: times and ndarrays.

use std::borrow::Cow;
use std::slice;

use serde::{Serialize, ser};

use super::{ArraySerializer, Walk};
use crate::error::{Error, Result};
use crate::npy::layout::capture;
use crate::npy::layout::known::{Finished, KnownStruct};
use crate::npy::layout::scalar::{ScalarLayout, changed};
use crate::npy::layout::tree::Layout;
use crate::npy::ser::slots::{Slot, What};
use crate::npy::sink::Put;
use crate::npy::whole;

impl<'a, 'w, 's, P: Put> ArraySerializer<'a, 'w, 's, P> {
    #[inline(always)]
    pub(super) fn fields(mut self, name: &'static str) -> Result<Fields<'a, 'w, 's, P>> {
        let known = KnownStruct::of(name);
        match &self.slot.what {
            // These may be more than they show here.
            What::Struct(fields) if !(known.is_some() && self.walk.strict) => {
                self.enter()?;
                self.walk.in_option = false;
                self.walk.direct = false;
                Ok(Fields {
                    walk: self.walk,
                    rest: fields.iter(),
                    known: None,
                })
            }
            What::Scalar(ScalarLayout::Timedelta(_) | ScalarLayout::Datetime(_)) | What::Ndarray(..)
                if let Some(known) = known =>
            {
                Ok(Fields {
                    walk: self.walk,
                    rest: [].iter(),
                    known: Some(Box::new(Known {
                        slot: self.slot,
                        count: 0,
                        known,
                    })),
                })
            }
            _ => Err(self.refuse("a struct")),
        }
    }
}

/// The fields of a record, or of a struct known by name.
pub(crate) struct Fields<'a, 'w, 's, P> {
    walk: &'a mut Walk<'w, P>,
    rest: slice::Iter<'s, Slot>,
    /// Apart, so that the rest stays in registers where there is none.
    known: Option<Box<Known<'s>>>,
}

/// A struct known by name and fields: a time, or an ndarray.
struct Known<'s> {
    slot: &'s Slot,
    count: usize,
    known: KnownStruct,
}

impl<P: Put> Fields<'_, '_, '_, P> {
    #[inline(always)]
    fn push<T: Serialize + ?Sized>(
        &mut self,
        is_key: impl FnOnce(&str) -> bool,
        key: impl Fn() -> Cow<'static, str>,
        value: &T,
    ) -> Result<()> {
        if let Some(slot) = self.rest.next()
            && is_key(&slot.name)
        {
            return match self.walk.value(slot, value) {
                Ok(()) => Ok(()),
                Err(error) => {
                    self.walk.broken = true;
                    Err(in_field(error, slot))
                }
            };
        }
        self.walk.broken = true;
        Err(other_field(&key()))
    }

    #[inline(always)]
    fn finish(self) -> Result<()> {
        let missing = self.rest.len();
        if missing == 0 {
            self.walk.level -= 1;
            return Ok(());
        }
        self.walk.broken = true;
        Err(missing_fields(missing))
    }
}

#[cold]
fn in_field(error: Error, slot: &Slot) -> Error {
    error.at_field(&slot.name)
}

#[cold]
fn other_field(found: &str) -> Error {
    changed(format_args!("the field `{found}`"), "another one")
}

#[cold]
fn missing_fields(missing: usize) -> Error {
    changed(format_args!("a struct without {missing} of its fields"), "all of them")
}

impl Known<'_> {
    fn push<T: Serialize + ?Sized, P: Put>(
        &mut self,
        walk: &mut Walk<'_, P>,
        key: &'static str,
        value: &T,
    ) -> Result<()> {
        self.count += 1;
        let (shape, elements) = match &self.slot.what {
            What::Ndarray(shape, elements) if !P::IS_ROOM => (shape, elements),
            _ => return self.known.take(key, value, |_| Ok(Layout::Group)),
        };
        let result = match key {
            "data" if self.count == 3 => walk.value(elements, value),
            "dim" if capture::dims(value).as_ref() != Some(shape) => {
                Err(changed("an ndarray of another shape", format_args!("{shape:?}")))
            }
            _ => Ok(()),
        };
        walk.broken |= result.is_err();
        result
    }

    fn finish<P: Put>(self, walk: &mut Walk<'_, P>) -> Result<()> {
        match self.slot.what {
            What::Scalar(leaf) => match self.known.finish(self.count)? {
                Some(Finished::Scalar(scalar)) if scalar.layout(None)? == leaf => {
                    walk.out.go_to(self.slot.offset);
                    scalar.put(leaf, walk.out)
                }
                Some(Finished::Scalar(scalar)) => Err(changed(scalar.describe(), leaf.dtype())),
                _ => Err(changed("a struct", leaf.dtype())),
            },
            _ if self.count != 3 => Err(changed("a struct", "an ndarray")),
            _ => Ok(()),
        }
    }
}

impl<P: Put> ser::SerializeStruct for Fields<'_, '_, '_, P> {
    type Ok = ();
    type Error = Error;

    #[inline(always)]
    fn serialize_field<T: Serialize + ?Sized>(&mut self, key: &'static str, value: &T) -> Result<()> {
        match &mut self.known {
            None => self.push(|name| capture::same_name(name, key), || key.into(), value),
            Some(known) => known.push(self.walk, key, value),
        }
    }

    #[inline(always)]
    fn end(mut self) -> Result<()> {
        match self.known.take() {
            None => self.finish(),
            Some(known) => {
                let result = known.finish(self.walk);
                self.walk.broken |= result.is_err();
                result
            }
        }
    }
}

impl<P: Put> ser::SerializeMap for Fields<'_, '_, '_, P> {
    type Ok = ();
    type Error = Error;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, _: &T) -> Result<()> {
        self.walk.broken = true;
        Err(changed("a map", "a record"))
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, _: &T) -> Result<()> {
        self.walk.broken = true;
        Err(changed("a map", "a record"))
    }

    fn serialize_entry<K: Serialize + ?Sized, V: Serialize + ?Sized>(&mut self, key: &K, value: &V) -> Result<()> {
        let found = || capture::key(key).map_or("a key that is no text".into(), Cow::Owned);
        self.push(|name| whole::is_str::<K>() && capture::is_key(key, name), found, value)
    }

    fn end(self) -> Result<()> {
        ser::SerializeStruct::end(self)
    }
}
