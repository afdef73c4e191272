//! [`Header`] to bytes and back, with checked sizes.
//!
//! ```text
//! 0        6     8            10                                       64 k
//! ├ \x93NUMPY ┼ 01 00 ┼ 76 00 ┼ {'descr': '<f8', .. }      .. \n ┼ data ..
//!   magic       version  len    len bytes of Latin-1 text, padded
//!
//! version 2: four bytes of length; version 3: also UTF-8
//! ```

#[cfg(test)]
mod tests;

use std::fmt;
use std::io::Read;

use crate::error::{Error, ErrorKind, Result};
use crate::format::dtype::{Dtype, Kind, MAX_AXES, Repr, Tuple};
use crate::format::literal;
use crate::format::literal::Literal;
use crate::io::source::{read_full, read_grow};
use crate::options::{MAX_HEADER_SIZE, ReadOptions};

/// The first bytes of every `.npy`.
pub(crate) const MAGIC: &[u8; 6] = b"\x93NUMPY";

/// The data starts at a multiple of this.
const ALIGNMENT: usize = 64;

/// NumPy leaves room for the first axis to grow to this many digits.
const GROWTH_DIGITS: usize = 21;

/// What stands in front of the data of an array: element type, shape and order.
///
/// ```
/// use serde_npz::Header;
///
/// let bytes = serde_npz::to_npy_vec(&vec![[1.0, 2.0, 3.0]; 2]).unwrap();
/// let header = Header::read(&mut &bytes[..]).unwrap();
/// assert_eq!((header.dtype().to_string().as_str(), header.shape()), ("<f8", &[2, 3][..]));
/// ```
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Header {
    dtype: Dtype,
    shape: Vec<u64>,
    fortran: bool,
}

impl fmt::Debug for Header {
    /// As the header's own text: `{'descr': '<f8', 'fortran_order': False, 'shape': (3,)}`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let order = if self.fortran { "True" } else { "False" };
        write!(
            f,
            "{{'descr': {}, 'fortran_order': {order}, 'shape': {}}}",
            Repr(&self.dtype),
            Tuple(&self.shape)
        )
    }
}

impl Header {
    /// Reads a header and stops where the data begins.
    ///
    /// ```
    /// use serde_npz::Header;
    ///
    /// let bytes = serde_npz::to_npy_vec(&vec![1_u8, 2]).unwrap();
    /// let mut rest = &bytes[..];
    /// Header::read(&mut rest).unwrap();
    /// assert_eq!(rest, [1, 2]);
    /// ```
    ///
    /// # Errors
    ///
    /// `BadMagic`, `UnsupportedVersion`, `BadHeader`, `UnsupportedDtype`, `Pickle`, `Truncated`, `LimitExceeded`, or
    /// `Io` of the reader.
    pub fn read<R: Read>(reader: &mut R) -> Result<Header> {
        Header::read_with(reader, &ReadOptions::new())
    }

    /// As [`read`](Header::read), for headers of any length that [`ReadOptions::max_header_size`] allows.
    ///
    /// ```
    /// use serde_npz::{ErrorKind, Header, ReadOptions};
    ///
    /// let bytes = serde_npz::to_npy_vec(&vec![1.0]).unwrap();
    /// let err = Header::read_with(&mut &bytes[..], &ReadOptions::new().max_header_size(50)).unwrap_err();
    /// assert_eq!(err.kind(), ErrorKind::LimitExceeded);
    /// ```
    ///
    /// # Errors
    ///
    /// Those of [`read`](Header::read).
    pub fn read_with<R: Read>(reader: &mut R, options: &ReadOptions) -> Result<Header> {
        let mut magic = [0; MAGIC.len()];
        let found = read_full(reader, &mut magic)?;
        check_magic(&magic[..found])?;
        Header::read_behind_magic(reader, options)
    }

    /// As [`read_with`](Header::read_with), or `None` where there is not a single byte more.
    pub(crate) fn read_next<R: Read>(reader: &mut R, options: &ReadOptions) -> Result<Option<Header>> {
        let mut magic = [0; MAGIC.len()];
        let found = read_full(reader, &mut magic)?;
        if found == 0 {
            return Ok(None);
        }
        check_magic(&magic[..found])?;
        Header::read_behind_magic(reader, options).map(Some)
    }

    /// The header of a member of an archive: one that does not start as an array is `NotAnArray`.
    pub(crate) fn read_member<R: Read>(reader: &mut R, options: &ReadOptions) -> Result<Header> {
        let mut magic = [0; MAGIC.len()];
        let found = read_full(reader, &mut magic)?;
        if magic[..found] != *MAGIC {
            return Err(not_an_array(&magic[..found]));
        }
        Header::read_behind_magic(reader, options)
    }

    fn read_behind_magic<R: Read>(reader: &mut R, options: &ReadOptions) -> Result<Header> {
        let version = Version::from_bytes(exactly(reader)?)?;
        let text = version.text(reader, options.max_header_size)?;
        if text.ends_with('\r') {
            // The newline's second half is taken for data: every value would be off by a byte.
            return Err(bad(
                "found a header that ends in a carriage return, expected a newline: the file was copied as text",
            ));
        }
        Header::from_literal(&literal::parse(&text, version != Version::Three)?)
    }

    /// Makes the header of an array of this dtype and shape; `fortran_order` where its first axis runs fastest.
    ///
    /// ```
    /// use serde_npz::{Dtype, Header};
    ///
    /// let header = Header::new(Dtype::parse("<f8")?, vec![2, 3], false)?;
    /// assert_eq!(header.to_bytes().len(), 128);
    /// # Ok::<(), serde_npz::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// `BadHeader` for a dtype that is itself an array, `LimitExceeded` for more than 64 axes and for 2^63 bytes and more.
    pub fn new(dtype: Dtype, shape: Vec<u64>, fortran_order: bool) -> Result<Header> {
        if matches!(dtype.kind, Kind::Array { .. }) {
            return Err(bad(
                "found a subarray as the type of a whole array, expected its axes in 'shape': NumPy refuses it as well",
            ));
        }
        if shape.len() > MAX_AXES {
            return Err(limit(format_args!(
                "found {} axes, expected at most the {MAX_AXES} that NumPy allows",
                shape.len()
            )));
        }
        dtype.check_size("an array's type")?;
        // Axes beside an empty one count as well, as for NumPy; and elements without a byte are still to be counted.
        let unit = dtype.itemsize().max(1);
        let reach = shape
            .iter()
            .filter(|&&axis| axis > 0)
            .try_fold(unit, |n, &axis| n.checked_mul(axis));
        match reach {
            Some(reach) if reach <= i64::MAX as u64 => Ok(Header {
                dtype,
                shape,
                fortran: fortran_order,
            }),
            _ => Err(limit(format_args!(
                "found the shape {} of elements of {unit} bytes, expected less than 2^63 bytes, empty axes left out",
                Tuple(&shape)
            ))),
        }
    }

    /// No axes.
    pub(crate) fn single(dtype: Dtype) -> Header {
        Header {
            dtype,
            shape: Vec::new(),
            fortran: false,
        }
    }

    /// One axis of elements that are in memory already, which proves the size.
    pub(crate) fn vector(dtype: Dtype, len: usize) -> Header {
        Header {
            dtype,
            shape: vec![len as u64],
            fortran: false,
        }
    }

    /// The layout of one element.
    ///
    /// ```
    /// let bytes = serde_npz::to_npy_vec(&vec![true]).unwrap();
    /// let header = serde_npz::Header::read(&mut &bytes[..]).unwrap();
    /// assert_eq!(header.dtype().to_string(), "|b1");
    /// ```
    pub fn dtype(&self) -> &Dtype {
        &self.dtype
    }

    /// The lengths of the axes; none for a single value.
    ///
    /// ```
    /// let bytes = serde_npz::to_npy_vec(&[[1_i32, 2], [3, 4], [5, 6]]).unwrap();
    /// let header = serde_npz::Header::read(&mut &bytes[..]).unwrap();
    /// assert_eq!(header.shape(), [3, 2]);
    /// ```
    pub fn shape(&self) -> &[u64] {
        &self.shape
    }

    /// Whether the first axis is the one that runs fastest in the file, as stored.
    ///
    /// ```
    /// let bytes = serde_npz::to_npy_vec(&vec![1.0]).unwrap();
    /// let header = serde_npz::Header::read(&mut &bytes[..]).unwrap();
    /// assert!(!header.fortran_order());
    /// ```
    pub fn fortran_order(&self) -> bool {
        self.fortran
    }

    /// The bytes of the header, from the magic to the newline, exactly as NumPy writes them.
    ///
    /// ```
    /// let bytes = serde_npz::to_npy_vec(&vec![1.0]).unwrap();
    /// let header = serde_npz::Header::read(&mut &bytes[..]).unwrap();
    /// assert_eq!(header.to_bytes(), bytes[..128]);
    /// ```
    pub fn to_bytes(&self) -> Vec<u8> {
        let order = if self.fortran { "True" } else { "False" };
        let text = format!(
            "{{'descr': {}, 'fortran_order': {order}, 'shape': {}, }}",
            Repr(&self.dtype),
            Tuple(&self.shape)
        );
        // An array that is appended to later grows along this axis, and its header must not move the data.
        let grows = if self.fortran {
            self.shape.last()
        } else {
            self.shape.first()
        };
        let room = grows.map_or(0, |axis| {
            let digits = axis.checked_ilog10().unwrap_or(0) as usize + 1;
            GROWTH_DIGITS.saturating_sub(digits)
        });
        let latin1 = if text.is_ascii() {
            Ok(text.into_bytes())
        } else {
            let bytes: Option<Vec<u8>> = text.chars().map(|c| u8::try_from(c).ok()).collect();
            bytes.ok_or(text)
        };
        let is_latin1 = latin1.is_ok();
        let mut text = latin1.unwrap_or_else(String::into_bytes);
        text.resize(text.len() + room, b' ');
        let version = match is_latin1 {
            true if padded(Version::One, text.len()) <= usize::from(u16::MAX) => Version::One,
            true => Version::Two,
            false => Version::Three,
        };
        let len = padded(version, text.len());
        let mut bytes = Vec::with_capacity(version.start() + len);
        bytes.extend_from_slice(MAGIC);
        bytes.extend_from_slice(&[version as u8, 0]);
        // A text of 4 GiB cannot be announced: whoever reads it finds it cut off.
        let announced = u32::try_from(len).unwrap_or(u32::MAX);
        bytes.extend_from_slice(&announced.to_le_bytes()[..version.len_bytes()]);
        bytes.extend_from_slice(&text);
        bytes.resize(version.start() + len - 1, b' ');
        bytes.push(b'\n');
        bytes
    }

    /// Checks that a reader takes this header that allows `max` characters.
    pub(crate) fn check_len(&self, max: usize) -> Result<()> {
        // Only the names and types of a record can fill so many.
        if max >= MAX_HEADER_SIZE && self.dtype.fields().is_empty() {
            return Ok(());
        }
        self.to_bytes_within(max).map(drop)
    }

    /// As [`Header::to_bytes`], for a file that is read with a header of at most `max` characters.
    pub(crate) fn to_bytes_within(&self, max: usize) -> Result<Vec<u8>> {
        let bytes = self.to_bytes();
        // Never fewer bytes than characters: nearly all headers are short enough either way.
        if bytes.len() > max {
            let text = String::from_utf8_lossy(&bytes[if bytes[MAGIC.len()] == 1 { 10 } else { 12 }..]);
            let found = text.chars().count();
            if found > max {
                return Err(limit(format_args!(
                    "found a header of {found} characters, expected at most {max}: a longer one is not read unless asked to"
                ))
                .with_hint(
                    "`WriteOptions::max_header_size` allows more, and `ReadOptions::max_header_size` reads it; a `Vec` of \
                     structs of so many fields is shorter through `with::columns`",
                ));
            }
        }
        Ok(bytes)
    }

    /// How many elements the data has.
    pub(crate) fn count(&self) -> u64 {
        // `new` has checked that the product fits.
        if self.shape.contains(&0) {
            0
        } else {
            self.shape.iter().product()
        }
    }

    /// How many bytes the data has.
    pub(crate) fn data_len(&self) -> u64 {
        self.count() * self.dtype.itemsize()
    }

    fn from_literal(literal: &Literal) -> Result<Header> {
        let Literal::Dict(entries) = literal else {
            return Err(bad(format_args!("found {}, expected a dict", literal.describe())));
        };
        let (mut descr, mut order, mut shape) = (None, None, None);
        for (key, value) in entries {
            let slot = match key {
                Literal::Str(key) if key == "descr" => &mut descr,
                Literal::Str(key) if key == "fortran_order" => &mut order,
                Literal::Str(key) if key == "shape" => &mut shape,
                other => {
                    return Err(bad(format_args!(
                        "found {} as a key, expected only 'descr', 'fortran_order' and 'shape'",
                        other.describe()
                    )));
                }
            };
            // Of equal keys the last one counts, as in Python.
            *slot = Some(value);
        }
        let missing = |key| {
            bad(format_args!(
                "found no '{key}', expected 'descr', 'fortran_order' and 'shape'"
            ))
        };
        let descr = descr.ok_or_else(|| missing("descr"))?;
        let order = order.ok_or_else(|| missing("fortran_order"))?;
        let shape = shape.ok_or_else(|| missing("shape"))?;

        let Literal::Tuple(axes) = shape else {
            return Err(bad(format_args!(
                "found {} as 'shape', expected a tuple of integers",
                shape.describe()
            )));
        };
        let shape = axes.iter().map(axis).collect::<Result<Vec<_>>>()?;
        let Literal::Bool(fortran) = *order else {
            return Err(bad(format_args!(
                "found {} as 'fortran_order', expected True or False",
                order.describe()
            )));
        };
        Header::new(of_elements(Dtype::from_literal(descr)?, &shape), shape, fortran)
    }
}

fn axis(axis: &Literal) -> Result<u64> {
    match axis {
        Literal::Int(n) if *n < 0 => Err(bad(format_args!("found an axis of {n}, expected none below 0"))),
        Literal::Int(n) => {
            u64::try_from(*n).map_err(|_| limit(format_args!("found an axis of {n}, expected less than 2^63")))
        }
        other => Err(bad(format_args!(
            "found {} as an axis, expected an integer",
            other.describe()
        ))),
    }
}

/// NumPy reads a subarray as the type of a whole array only where that changes no count: `('<f8', (1,))`, or no elements.
fn of_elements(dtype: Dtype, shape: &[u64]) -> Dtype {
    let (item, axes) = dtype.base();
    if !axes.is_empty() && (shape.contains(&0) || axes.iter().all(|&axis| axis == 1)) {
        return item.clone();
    }
    dtype
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Version {
    One = 1,
    Two = 2,
    Three = 3,
}

impl Version {
    fn from_bytes(version: [u8; 2]) -> Result<Version> {
        match version {
            [1, 0] => Ok(Version::One),
            [2, 0] => Ok(Version::Two),
            [3, 0] => Ok(Version::Three),
            [major, minor] => Err(Error::new(
                ErrorKind::UnsupportedVersion,
                format_args!("found version {major}.{minor} of the .npy format, expected 1.0, 2.0 or 3.0"),
            )),
        }
    }

    /// Reads the length and the text behind it, as many bytes as `max` characters can have.
    fn text<R: Read>(self, reader: &mut R, max: usize) -> Result<String> {
        let len = match self {
            Version::One => u32::from(u16::from_le_bytes(exactly(reader)?)),
            Version::Two | Version::Three => u32::from_le_bytes(exactly(reader)?),
        };
        let max = max as u64;
        let too_long = |found: &dyn fmt::Display| {
            limit(format_args!(
                "found a header of {found}, expected at most {max} characters"
            ))
            .with_hint("`ReadOptions::max_header_size` allows more")
        };
        // A character of UTF-8 has up to four bytes.
        let bytes_per_char = if self == Version::Three { 4 } else { 1 };
        if u64::from(len) > max.saturating_mul(bytes_per_char) {
            return Err(too_long(&format_args!("{len} bytes")));
        }
        let mut bytes = Vec::new();
        read_grow(reader, &mut bytes, len.into()).map_err(|err| match err.kind() {
            ErrorKind::Truncated => cut_off(),
            _ => err,
        })?;
        if self != Version::Three {
            return Ok(bytes.into_iter().map(char::from).collect());
        }
        let text = String::from_utf8(bytes).map_err(|err| {
            bad(format_args!(
                "found text that is not UTF-8 at byte {}, expected UTF-8 in version 3.0",
                err.utf8_error().valid_up_to()
            ))
        })?;
        let chars = text.chars().count();
        if chars as u64 > max {
            Err(too_long(&format_args!("{chars} characters")))
        } else {
            Ok(text)
        }
    }

    /// How many bytes the length has.
    fn len_bytes(self) -> usize {
        if self == Version::One { 2 } else { 4 }
    }

    /// Where the text begins.
    fn start(self) -> usize {
        MAGIC.len() + 2 + self.len_bytes()
    }
}

/// The length of the text with its newline and padding. There is always some padding, as in NumPy.
fn padded(version: Version, text: usize) -> usize {
    let len = text + 1;
    len + ALIGNMENT - (version.start() + len) % ALIGNMENT
}

fn check_magic(found: &[u8]) -> Result<()> {
    if found == MAGIC {
        return Ok(());
    }
    if MAGIC.starts_with(found) {
        return Err(cut_off());
    }
    if found.starts_with(b"\x80") {
        return Err(Error::new(
            ErrorKind::Pickle,
            "found a bare pickle, which only Python could read, expected a .npy file",
        )
        .with_hint("`np.save` a plain array instead"));
    }
    if found.starts_with(b"PK\x03\x04") || found.starts_with(b"PK\x05\x06") {
        return Err(
            Error::new(ErrorKind::BadMagic, "found an archive (.npz), expected a .npy file")
                .with_hint("`load_npz` and `from_npz_*` read an archive"),
        );
    }
    Err(Error::new(
        ErrorKind::BadMagic,
        format_args!(
            "found '{}' at the start, expected the magic of a .npy file, '{}'",
            found.escape_ascii(),
            MAGIC.escape_ascii()
        ),
    ))
}

#[cold]
fn not_an_array(start: &[u8]) -> Error {
    Error::new(
        ErrorKind::NotAnArray,
        format_args!(
            "found a member that starts with `{}`, expected an array's `\\x93NUMPY`",
            start.escape_ascii()
        ),
    )
    .with_hint("`NpzReader::raw` returns its bytes")
}

fn exactly<const N: usize, R: Read>(reader: &mut R) -> Result<[u8; N]> {
    let mut bytes = [0; N];
    if read_full(reader, &mut bytes)? < N {
        Err(cut_off())
    } else {
        Ok(bytes)
    }
}

#[cold]
fn cut_off() -> Error {
    Error::new(
        ErrorKind::Truncated,
        "found the end inside the header, expected a whole .npy file: it is cut off",
    )
}

#[cold]
fn bad(message: impl fmt::Display) -> Error {
    Error::new(
        ErrorKind::BadHeader,
        format_args!("the header of the array is not what NumPy writes: {message}"),
    )
}

#[cold]
fn limit(message: impl fmt::Display) -> Error {
    Error::new(ErrorKind::LimitExceeded, message)
}
