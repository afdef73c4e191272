//! [`AnyArray`]: a header and its data, in memory.

use std::fmt;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::error::{Error, ErrorKind, Result};
use crate::format::dtype::{Dtype, Tuple};
use crate::format::header::Header;
use crate::io::source::Slice;
use crate::npy::de::budget::Budget;
use crate::npy::de::{read_array, with_array};
use crate::options::{Casting, WriteOptions};
use crate::value::everything;

/// An owned array of any dtype and shape, its bytes as they lie in a file.
///
/// Two are equal with the same dtype, shape, order and bytes.
///
/// ```
/// use serde_npz::value::AnyArray;
///
/// let array = AnyArray::new(&[[1.5, 2.0], [3.0, 4.0]])?;
/// assert_eq!((array.dtype().to_string().as_str(), array.shape()), ("<f8", &[2, 2][..]));
/// assert_eq!(array.to_string(), "[[1.5 2. ]\n [3.  4. ]]");
/// assert_eq!(array.item::<f64>(&[1, 0])?, 3.0);
/// # Ok::<(), serde_npz::Error>(())
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct AnyArray {
    header: Header,
    data: Vec<u8>,
}

impl AnyArray {
    /// The array that a value would be written as.
    ///
    /// ```
    /// let array = serde_npz::value::AnyArray::new(&["up", "down"])?;
    /// assert_eq!(array.dtype().to_string(), "<U4");
    /// # Ok::<(), serde_npz::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// Those of [`to_npy_writer`](crate::to_npy_writer): a value that is no single array.
    pub fn new<T: Serialize + ?Sized>(value: &T) -> Result<AnyArray> {
        let mut data = WriteOptions::new().to_npy_vec(value)?;
        let mut rest = &data[..];
        let header = Header::read_with(&mut rest, &everything())?;
        let start = data.len() - rest.len();
        data.drain(..start);
        Ok(AnyArray { header, data })
    }

    /// An array from its parts; `fortran_order` says that the first axis runs fastest.
    ///
    /// ```
    /// use serde_npz::value::AnyArray;
    ///
    /// let array = AnyArray::from_parts(">u2".parse()?, &[2], false, vec![0, 1, 1, 0])?;
    /// assert_eq!(array.to_vec::<u32>()?, [1, 256]);
    /// # Ok::<(), serde_npz::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// `InvalidValue` where the bytes are not as many as dtype and shape need, `LimitExceeded` where NumPy could not
    /// have such an array, `BadHeader` for a subarray as the type of a whole array.
    pub fn from_parts(dtype: Dtype, shape: &[u64], fortran_order: bool, bytes: Vec<u8>) -> Result<AnyArray> {
        let header = Header::new(dtype, shape.to_vec(), fortran_order)?;
        if header.data_len() != bytes.len() as u64 {
            return Err(Error::new(
                ErrorKind::InvalidValue,
                format_args!(
                    "found {} bytes, expected the {} of the shape {} of {}",
                    bytes.len(),
                    header.data_len(),
                    Tuple(shape),
                    header.dtype()
                ),
            ));
        }
        Ok(AnyArray { header, data: bytes })
    }

    /// The caller has seen to it that the data is as long as the header says.
    pub(crate) fn of(header: Header, data: Vec<u8>) -> AnyArray {
        AnyArray { header, data }
    }

    /// The layout of one element.
    ///
    /// ```
    /// let array = serde_npz::value::AnyArray::new(&[true])?;
    /// assert_eq!((array.dtype().kind(), array.dtype().itemsize()), ('b', 1));
    /// # Ok::<(), serde_npz::Error>(())
    /// ```
    pub fn dtype(&self) -> &Dtype {
        self.header.dtype()
    }

    /// The lengths of the axes; none for a single value.
    ///
    /// ```
    /// assert_eq!(serde_npz::value::AnyArray::new(&[[1, 2, 3]])?.shape(), [1, 3]);
    /// # Ok::<(), serde_npz::Error>(())
    /// ```
    pub fn shape(&self) -> &[u64] {
        self.header.shape()
    }

    /// How many elements there are: NumPy's `size`.
    ///
    /// ```
    /// assert_eq!(serde_npz::value::AnyArray::new(&[[1, 2, 3]])?.len(), 3);
    /// # Ok::<(), serde_npz::Error>(())
    /// ```
    pub fn len(&self) -> u64 {
        self.header.count()
    }

    /// Whether there is no element.
    ///
    /// ```
    /// assert!(serde_npz::value::AnyArray::new(&[0.0; 0])?.is_empty());
    /// # Ok::<(), serde_npz::Error>(())
    /// ```
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether the first axis is the one that runs fastest.
    ///
    /// ```
    /// assert!(!serde_npz::value::AnyArray::new(&[1.5])?.fortran_order());
    /// # Ok::<(), serde_npz::Error>(())
    /// ```
    pub fn fortran_order(&self) -> bool {
        self.header.fortran_order()
    }

    /// What stands in front of the data in a file.
    ///
    /// ```
    /// let array = serde_npz::value::AnyArray::new(&[1.5])?;
    /// assert_eq!(array.header().to_bytes().len() % 64, 0);
    /// # Ok::<(), serde_npz::Error>(())
    /// ```
    pub fn header(&self) -> &Header {
        &self.header
    }

    /// The bytes of all elements, in the order and byte order of the header.
    ///
    /// ```
    /// assert_eq!(serde_npz::value::AnyArray::new(&[1_u16, 2])?.bytes(), [1, 0, 2, 0]);
    /// # Ok::<(), serde_npz::Error>(())
    /// ```
    pub fn bytes(&self) -> &[u8] {
        &self.data
    }

    /// The bytes, to be changed in place; what they say is checked when it is read.
    ///
    /// ```
    /// let mut array = serde_npz::value::AnyArray::new(&[1_u16, 2])?;
    /// array.bytes_mut()[2] = 7;
    /// assert_eq!(array.to_vec::<u16>()?, [1, 7]);
    /// # Ok::<(), serde_npz::Error>(())
    /// ```
    pub fn bytes_mut(&mut self) -> &mut [u8] {
        &mut self.data
    }

    /// The bytes alone.
    ///
    /// ```
    /// assert_eq!(serde_npz::value::AnyArray::new(&[1_u16])?.into_bytes(), [1, 0]);
    /// # Ok::<(), serde_npz::Error>(())
    /// ```
    pub fn into_bytes(self) -> Vec<u8> {
        self.data
    }

    /// The same bytes in another shape; in Fortran order they are counted in that order.
    ///
    /// ```
    /// let array = serde_npz::value::AnyArray::new(&[1, 2, 3, 4])?.reshape(&[2, 2])?;
    /// assert_eq!(array.to_string(), "[[1 2]\n [3 4]]");
    /// # Ok::<(), serde_npz::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// `InvalidValue` where the shape has another number of elements.
    pub fn reshape(self, shape: &[u64]) -> Result<AnyArray> {
        let header = Header::new(self.dtype().clone(), shape.to_vec(), self.fortran_order())?;
        if header.count() != self.len() {
            return Err(Error::new(
                ErrorKind::InvalidValue,
                format_args!(
                    "found an array of {} elements, expected the {} of the shape {}",
                    self.len(),
                    header.count(),
                    Tuple(shape)
                ),
            ));
        }
        Ok(AnyArray {
            header,
            data: self.data,
        })
    }

    /// Reads the array as any type, as if from a file.
    ///
    /// ```
    /// let array = serde_npz::value::AnyArray::new(&[[1_u8, 2], [3, 4]])?;
    /// assert_eq!(array.read::<Vec<[i64; 2]>>()?, [[1, 2], [3, 4]]);
    /// # Ok::<(), serde_npz::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// `TypeMismatch` where dtype or shape do not fit the type, `InvalidValue` where an element does not.
    pub fn read<'de, T: Deserialize<'de>>(&'de self) -> Result<T> {
        self.read_casting(Casting::Safe)
    }

    /// Reads the array by other casting rules.
    ///
    /// ```
    /// let array = serde_npz::value::AnyArray::new(&[0.1])?;
    /// assert!(array.read::<Vec<f32>>().is_err());
    /// assert_eq!(array.read_casting::<Vec<f32>>(serde_npz::Casting::SameKind)?, [0.1_f32]);
    /// # Ok::<(), serde_npz::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// Those of [`read`](AnyArray::read).
    pub fn read_casting<'de, T: Deserialize<'de>>(&'de self, casting: Casting) -> Result<T> {
        read(self.header.clone(), &self.data, casting)
    }

    /// All elements in one row, in C order, whatever the shape.
    ///
    /// ```
    /// let array = serde_npz::value::AnyArray::new(&[[1, 2], [3, 4]])?;
    /// assert_eq!(array.to_vec::<f64>()?, [1.0, 2.0, 3.0, 4.0]);
    /// # Ok::<(), serde_npz::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// Those of [`read`](AnyArray::read).
    pub fn to_vec<T: DeserializeOwned>(&self) -> Result<Vec<T>> {
        let row = Header::new(self.dtype().clone(), vec![self.len()], false)?;
        if self.fortran_order() && self.shape().len() > 1 {
            let options = everything();
            let budget = Budget::new(&options.limits);
            let turned = with_array(
                self.header.clone(),
                &mut Slice(&self.data),
                &options,
                &budget,
                |array| array.c_order_bytes(),
            )?;
            return read(row, &turned, Casting::Safe);
        }
        read(row, &self.data, Casting::Safe)
    }

    /// One element.
    ///
    /// ```
    /// let array = serde_npz::value::AnyArray::new(&[[1, 2], [3, 4]])?;
    /// assert_eq!(array.item::<u8>(&[1, 0])?, 3);
    /// # Ok::<(), serde_npz::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// `InvalidValue` where the index is not one number below the length of each axis; those of [`read`](AnyArray::read).
    pub fn item<'de, T: Deserialize<'de>>(&'de self, index: &[u64]) -> Result<T> {
        let Some(bytes) = self.element(index) else {
            return Err(Error::new(
                ErrorKind::InvalidValue,
                format_args!(
                    "found the index {}, expected one number below the length of each axis of {}",
                    Tuple(index),
                    Tuple(self.shape())
                ),
            ));
        };
        read(
            Header::new(self.dtype().clone(), Vec::new(), false)?,
            bytes,
            Casting::Safe,
        )
    }

    /// The bytes of one element.
    pub(crate) fn element(&self, index: &[u64]) -> Option<&[u8]> {
        let shape = self.shape();
        if index.len() != shape.len() || index.iter().zip(shape).any(|(at, len)| at >= len) {
            return None;
        }
        // Below the product of the axes, which the header keeps below 2^63.
        let along = |at: u64, (i, len): (&u64, &u64)| at * len + i;
        let at = if self.fortran_order() {
            index.iter().zip(shape).rev().fold(0, along)
        } else {
            index.iter().zip(shape).fold(0, along)
        };
        let size = self.dtype().itemsize();
        let start = usize::try_from(at.checked_mul(size)?).ok()?;
        self.data.get(start..)?.get(..usize::try_from(size).ok()?)
    }
}

fn read<'de, T: Deserialize<'de>>(header: Header, data: &'de [u8], casting: Casting) -> Result<T> {
    read_array(header, &mut Slice(data), &everything().casting(casting))
}

impl fmt::Debug for AnyArray {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AnyArray")
            .field("dtype", &format_args!("{}", self.dtype()))
            .field("shape", &self.shape())
            .field("fortran_order", &self.fortran_order())
            .field("bytes", &self.data.len())
            .finish()
    }
}
