//! The public `Deserializer`, for adapters that ask for one: seeds, `erased_serde`, `serde_transcode`, `serde_path_to_error`.
//!
//! ```text
//! adapter ─► Deserializer::deserialize_map(visitor) ─► Input::read(seed that calls deserialize_map) ─► the archive or array
//! ```

use std::fmt;
use std::io::{Cursor as IoCursor, Read, Seek};

use serde::de::{self, DeserializeSeed, Visitor};

use super::read_all;
use super::store::{Lender, Reader};
use crate::error::{Error, Result};
use crate::format::header::Header;
use crate::io::source::{Metered, Slice};
use crate::npy::de::read_array_seed;
use crate::npz::reader::NpzReader;
use crate::options::ReadOptions;
use crate::options::progress::Meter;

/// A serde `Deserializer` over a whole archive, or over one lone array.
///
/// The functions of the crate root and [`NpzReader::deserialize`] do the same for a type; this is for seeds and for adapters
/// that wrap a deserializer.
///
/// ```
/// use std::collections::BTreeMap;
/// use serde_npz::Deserializer;
///
/// let bytes = serde_npz::to_npz_vec(&BTreeMap::from([("x", 1.5), ("y", 2.5)]))?;
/// let mut json = Vec::new();
/// serde_transcode::transcode(Deserializer::from_npz_slice(&bytes)?, &mut serde_json::Serializer::new(&mut json)).unwrap();
/// assert_eq!(json, br#"{"x":1.5,"y":2.5}"#);
/// # Ok::<(), serde_npz::Error>(())
/// ```
#[must_use = "a deserializer reads nothing until a value is deserialized from it"]
pub struct Deserializer<I> {
    input: I,
}

/// Where the value of a [`Deserializer`] comes from.
pub trait Input<'de>: Sized {
    fn read<S: DeserializeSeed<'de>>(self, seed: S) -> Result<S::Value>;
}

/// The archive of an [`NpzReader`].
pub struct NpzInput<'r, R>(&'r mut NpzReader<R>);

impl<'de, R: Read + Seek> Input<'de> for NpzInput<'_, R> {
    fn read<S: DeserializeSeed<'de>>(self, seed: S) -> Result<S::Value> {
        read_all(&mut Reader(self.0), seed)
    }
}

/// An archive in memory.
pub struct NpzSlice<'de>(NpzReader<IoCursor<&'de [u8]>>);

impl<'de> Input<'de> for NpzSlice<'de> {
    fn read<S: DeserializeSeed<'de>>(self, seed: S) -> Result<S::Value> {
        read_all(&mut Lender::new(self.0), seed)
    }
}

/// An array in memory, behind its header.
pub struct NpySlice<'de> {
    header: Header,
    data: &'de [u8],
    options: ReadOptions,
}

impl<'de> Input<'de> for NpySlice<'de> {
    fn read<S: DeserializeSeed<'de>>(self, seed: S) -> Result<S::Value> {
        let mut meter = Meter::new(&self.options.progress, Some(self.header.data_len()));
        let mut slice = Slice(self.data);
        let mut source = Metered::new(&mut slice, &mut meter);
        let value = read_array_seed(self.header, &mut source, &self.options, seed)?;
        meter.end()?;
        Ok(value)
    }
}

impl<I> Deserializer<I> {
    pub(crate) fn new(input: I) -> Self {
        Deserializer { input }
    }
}

impl<I> fmt::Debug for Deserializer<I> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Deserializer").finish_non_exhaustive()
    }
}

impl<R: Read + Seek> NpzReader<R> {
    /// A serde `Deserializer` over the whole archive.
    ///
    /// ```
    /// use serde::de::DeserializeSeed;
    /// use std::collections::BTreeMap;
    /// use std::io::Cursor;
    /// use std::marker::PhantomData;
    ///
    /// let bytes = serde_npz::to_npz_vec(&BTreeMap::from([("x", vec![1.0, 2.0])]))?;
    /// let mut npz = serde_npz::NpzReader::new(Cursor::new(bytes))?;
    /// let seed = PhantomData::<BTreeMap<String, Vec<f64>>>; // or any other seed
    /// assert_eq!(seed.deserialize(npz.deserializer())?["x"], [1.0, 2.0]);
    /// # Ok::<(), serde_npz::Error>(())
    /// ```
    pub fn deserializer(&mut self) -> Deserializer<NpzInput<'_, R>> {
        Deserializer { input: NpzInput(self) }
    }
}

impl<'de> Deserializer<NpzSlice<'de>> {
    /// Over an archive in memory; texts and bytes are borrowed where [`from_npz_slice`](crate::from_npz_slice) borrows
    /// them.
    ///
    /// ```
    /// use serde::Deserialize;
    ///
    /// let bytes = serde_npz::to_npz_vec(&(1, 2))?;
    /// let pair = <(i32, i32)>::deserialize(serde_npz::Deserializer::from_npz_slice(&bytes)?)?;
    /// assert_eq!(pair, (1, 2));
    /// # Ok::<(), serde_npz::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// Those of [`NpzReader::new`].
    pub fn from_npz_slice(bytes: &'de [u8]) -> Result<Self> {
        Self::from_npz_slice_with(bytes, &ReadOptions::new())
    }

    /// As [`Deserializer::from_npz_slice`], with the separator, the limits and the casting of `options`.
    ///
    /// ```
    /// use serde::Deserialize;
    /// use serde_npz::{Casting, ReadOptions};
    ///
    /// let bytes = serde_npz::to_npz_vec(&(0.1_f64, 0.2_f64))?;
    /// let options = ReadOptions::new().casting(Casting::SameKind);
    /// let pair = <(f32, f32)>::deserialize(serde_npz::Deserializer::from_npz_slice_with(&bytes, &options)?)?;
    /// assert_eq!(pair, (0.1, 0.2));
    /// # Ok::<(), serde_npz::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// Those of [`NpzReader::with_options`].
    pub fn from_npz_slice_with(bytes: &'de [u8], options: &ReadOptions) -> Result<Self> {
        let reader = NpzReader::with_options(IoCursor::new(bytes), options)?;
        Ok(Deserializer {
            input: NpzSlice(reader),
        })
    }
}

impl<'de> Deserializer<NpySlice<'de>> {
    /// Over one array in memory.
    ///
    /// ```
    /// use serde::de::DeserializeSeed;
    /// use std::marker::PhantomData;
    ///
    /// let bytes = serde_npz::to_npy_vec(&vec![1.0, 2.0])?;
    /// let seed = PhantomData::<Vec<f64>>;
    /// assert_eq!(seed.deserialize(serde_npz::Deserializer::from_npy_slice(&bytes)?)?, [1.0, 2.0]);
    /// # Ok::<(), serde_npz::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// Those of [`Header::read`].
    pub fn from_npy_slice(bytes: &'de [u8]) -> Result<Self> {
        Self::from_npy_slice_with(bytes, &ReadOptions::new())
    }

    /// As [`Deserializer::from_npy_slice`], with the limits and the casting of `options`.
    ///
    /// ```
    /// use serde::Deserialize;
    /// use serde_npz::{Casting, ReadOptions};
    ///
    /// let bytes = serde_npz::to_npy_vec(&0.1_f64)?;
    /// let options = ReadOptions::new().casting(Casting::SameKind);
    /// let value = f32::deserialize(serde_npz::Deserializer::from_npy_slice_with(&bytes, &options)?)?;
    /// assert_eq!(value, 0.1);
    /// # Ok::<(), serde_npz::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// Those of [`Header::read_with`].
    pub fn from_npy_slice_with(mut bytes: &'de [u8], options: &ReadOptions) -> Result<Self> {
        let header = Header::read_with(&mut bytes, options)?;
        Ok(Deserializer {
            input: NpySlice {
                header,
                data: bytes,
                options: options.clone(),
            },
        })
    }
}

/// Each method makes a seed that calls the same method of the deserializer it is given.
macro_rules! forward {
    ($($method:ident($($arg:ident: $t:ty),*)),* $(,)?) => {
        $(
            fn $method<V: Visitor<'de>>(self $(, $arg: $t)*, visitor: V) -> Result<V::Value> {
                struct Call<V> {
                    $($arg: $t,)*
                    visitor: V,
                }

                impl<'de, V: Visitor<'de>> DeserializeSeed<'de> for Call<V> {
                    type Value = V::Value;

                    fn deserialize<D: de::Deserializer<'de>>(
                        self,
                        deserializer: D,
                    ) -> std::result::Result<V::Value, D::Error> {
                        deserializer.$method($(self.$arg,)* self.visitor)
                    }
                }

                self.input.read(Call { $($arg,)* visitor })
            }
        )*
    };
}

impl<'de, I: Input<'de>> de::Deserializer<'de> for Deserializer<I> {
    type Error = Error;

    forward! {
        deserialize_any(), deserialize_bool(), deserialize_i8(), deserialize_i16(), deserialize_i32(), deserialize_i64(),
        deserialize_i128(), deserialize_u8(), deserialize_u16(), deserialize_u32(), deserialize_u64(),
        deserialize_u128(), deserialize_f32(), deserialize_f64(), deserialize_char(), deserialize_str(),
        deserialize_string(), deserialize_bytes(), deserialize_byte_buf(), deserialize_option(), deserialize_unit(),
        deserialize_unit_struct(name: &'static str), deserialize_newtype_struct(name: &'static str), deserialize_seq(),
        deserialize_tuple(len: usize), deserialize_tuple_struct(name: &'static str, len: usize), deserialize_map(),
        deserialize_struct(name: &'static str, fields: &'static [&'static str]),
        deserialize_enum(name: &'static str, variants: &'static [&'static str]), deserialize_identifier(),
        deserialize_ignored_any(),
    }

    fn is_human_readable(&self) -> bool {
        true
    }
}
