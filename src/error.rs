//! What went wrong, where, with which value: one boxed [`Error`].

use std::fmt::{self, Write};
use std::io;

/// The result of every fallible call of this crate.
///
/// ```
/// fn count(bytes: &[u8]) -> serde_npz::Result<usize> {
///     Ok(serde_npz::from_npy_slice::<Vec<f64>>(bytes)?.len())
/// }
/// # let bytes = serde_npz::to_npy_vec(&vec![1.0, 2.0]).unwrap();
/// # assert_eq!(count(&bytes).unwrap(), 2);
/// ```
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What went wrong, in which member, with what was found and what was expected.
///
/// ```
/// let err = serde_npz::from_npy_slice::<Vec<f64>>(b"just a text").unwrap_err();
/// assert_eq!(err.kind(), serde_npz::ErrorKind::BadMagic);
/// ```
#[derive(thiserror::Error)]
#[error(transparent)]
pub struct Error(Box<Inner>);

#[derive(thiserror::Error)]
#[error("{}{message}", Place(path))]
struct Inner {
    kind: ErrorKind,
    path: String,
    /// Whether the path begins with the name of a member or field, not with an index or a field of an element: a name may
    /// begin with any character, a dot among them.
    named: bool,
    message: String,
    source: Option<Box<dyn std::error::Error + Send + Sync>>,
}

/// The path in front of a message. Names come from files: control characters must not reach a terminal.
struct Place<'a>(&'a str);

impl fmt::Display for Place<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() {
            return Ok(());
        }
        write!(f, "{}: ", self.0.escape_debug())
    }
}

/// The class of an [`Error`], to match on.
///
/// ```
/// use serde_npz::ErrorKind;
///
/// let err = serde_npz::to_npz_vec(&vec![1.0, 2.0]).unwrap_err();
/// assert_eq!(err.kind(), ErrorKind::UnsupportedType);
/// assert_eq!(err.kind().to_string(), "unsupported type");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The operating system or the given reader or writer failed.
    #[error("input or output failed")]
    Io,
    /// The bytes start neither as an array nor as an archive, or as the other of the two.
    #[error("not an array or not an archive")]
    BadMagic,
    /// An array of a format version other than 1.0, 2.0 and 3.0.
    #[error("unsupported format version")]
    UnsupportedVersion,
    /// The header of an array is no literal that NumPy accepts.
    #[error("bad header")]
    BadHeader,
    /// An element type that has no counterpart here, such as `longdouble`.
    #[error("unsupported dtype")]
    UnsupportedDtype,
    /// Object data, which only Python's pickle could read: always refused.
    #[error("pickled objects")]
    Pickle,
    /// The data ends before what its header announces.
    #[error("truncated data")]
    Truncated,
    /// The archive contradicts itself: checksums, sizes, names, overlap, leftovers.
    #[error("corrupt archive")]
    CorruptArchive,
    /// A compression method or an encryption that is not supported.
    #[error("unsupported archive")]
    UnsupportedArchive,
    /// More bytes, members, elements or levels than the options allow.
    #[error("limit exceeded")]
    LimitExceeded,
    /// A member asked for as an array does not start as one.
    #[error("not an array")]
    NotAnArray,
    /// No member or group has this name.
    #[error("missing member")]
    MissingMember,
    /// Two members with one name.
    #[error("duplicate name")]
    DuplicateName,
    /// A name that is empty, or holds NUL or the separator.
    #[error("invalid name")]
    InvalidName,
    /// A value that the format or the asked type cannot hold.
    #[error("invalid value")]
    InvalidValue,
    /// The asked type does not fit the dtype or the shape found.
    #[error("type mismatch")]
    TypeMismatch,
    /// Rows of unequal lengths.
    #[error("ragged rows")]
    Ragged,
    /// Elements of unequal kinds in one array.
    #[error("mixed types")]
    MixedTypes,
    /// A Rust type with no counterpart in NumPy, or not at this place.
    #[error("unsupported type")]
    UnsupportedType,
    /// An error that a `Serialize` or `Deserialize` implementation raised.
    #[error("error of a `Serialize` or `Deserialize`")]
    Message,
}

impl Error {
    /// The class of the error.
    ///
    /// ```
    /// let err = serde_npz::from_npz_slice::<Vec<f64>>(b"PK").unwrap_err();
    /// println!("{:?}", err.kind());
    /// ```
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// Where it happened, spelled like NumPy's keys: `layers/0/w[3].t`; empty where no member is concerned.
    ///
    /// ```
    /// use std::collections::BTreeMap;
    ///
    /// let ragged = BTreeMap::from([("x", vec![vec![1.0, 2.0], vec![3.0]])]);
    /// let err = serde_npz::to_npz_vec(&ragged).unwrap_err();
    /// assert_eq!(err.path(), "x[1]");
    /// ```
    pub fn path(&self) -> &str {
        &self.0.path
    }

    #[cold]
    pub(crate) fn new(kind: ErrorKind, message: impl fmt::Display) -> Self {
        Error(Box::new(Inner {
            kind,
            path: String::new(),
            named: false,
            message: Sober(message).to_string(),
            source: None,
        }))
    }

    #[cold]
    pub(crate) fn with_source(mut self, source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        self.0.source = Some(source.into());
        self
    }

    /// Puts the index of an element in front of the path: `[3]`.
    #[cold]
    pub(crate) fn at_index(mut self, index: u64) -> Self {
        self.before_field();
        self.0.path.insert_str(0, &format!("[{index}]"));
        self
    }

    /// Puts the field of a record in front of the path: `.t`.
    #[cold]
    pub(crate) fn at_field(mut self, name: &str) -> Self {
        self.before_field();
        self.0.path.insert_str(0, name);
        self.0.path.insert(0, '.');
        self
    }

    /// A missing field stands at the front as a bare name; within an element it is a field of a record.
    fn before_field(&mut self) {
        if std::mem::take(&mut self.0.named) {
            self.0.path.insert(0, '.');
        }
    }

    /// Drops the path, for a caller that knows a better one.
    pub(crate) fn without_path(mut self) -> Self {
        self.0.path.clear();
        self.0.named = false;
        self
    }

    /// Puts the name of a member or group in front of the path.
    #[cold]
    pub(crate) fn at_member(mut self, name: &str) -> Self {
        if name.is_empty() {
            return self;
        }
        if self.0.named {
            self.0.path.insert(0, '/');
        }
        self.0.path.insert_str(0, name);
        self.0.named = true;
        self
    }

    /// Removes the name of the member or group that the path begins with.
    pub(crate) fn strip_prefix(mut self, name: &str) -> Self {
        if let Some(rest) = self.0.path.strip_prefix(name) {
            self.0.named = rest.starts_with('/');
            self.0.path = rest.trim_start_matches('/').to_owned();
        }
        self
    }

    /// A copy of this error, for a writer that has to return it from every later call.
    pub(crate) fn duplicate(&self) -> Self {
        Error(Box::new(Inner {
            kind: self.0.kind,
            path: self.0.path.clone(),
            named: self.0.named,
            message: self.0.message.clone(),
            source: None,
        }))
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

impl fmt::Debug for Inner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Error")
            .field("kind", &self.kind)
            .field("path", &self.path)
            .field("message", &self.message)
            .finish_non_exhaustive()
    }
}

impl From<io::Error> for Error {
    fn from(err: io::Error) -> Self {
        // An `Error` that travelled through an io interface comes back as itself.
        match err.downcast::<Error>() {
            Ok(ours) => ours,
            Err(err) if err.kind() == io::ErrorKind::UnexpectedEof => {
                Error::new(ErrorKind::Truncated, "the data ends too early").with_source(err)
            }
            Err(err) => Error::new(ErrorKind::Io, format_args!("reading or writing failed: {err}")).with_source(err),
        }
    }
}

impl From<Error> for io::Error {
    fn from(err: Error) -> Self {
        let kind = match err.kind() {
            ErrorKind::Truncated => io::ErrorKind::UnexpectedEof,
            ErrorKind::Io => match err.0.source.as_ref().and_then(|s| s.downcast_ref::<io::Error>()) {
                Some(source) => source.kind(),
                None => io::ErrorKind::Other,
            },
            _ => io::ErrorKind::InvalidData,
        };
        io::Error::new(kind, err)
    }
}

/// A message about a value that is out of range, from code that has nothing but serde's `custom` to raise it.
pub(crate) struct Invalid(pub(crate) String);

impl fmt::Display for Invalid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A message about a dtype or shape that does not fit, likewise.
struct Mismatch(String);

impl fmt::Display for Mismatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Raises an error of this crate from a deserializer of any format. One of our own deserializers keeps the kind.
#[cold]
pub(crate) fn into_custom<E: serde::de::Error>(err: Error) -> E {
    match err.kind() {
        ErrorKind::InvalidValue => E::custom(Invalid(err.to_string())),
        ErrorKind::TypeMismatch => E::custom(Mismatch(err.to_string())),
        _ => E::custom(err),
    }
}

/// Whether a serializer or deserializer with the error `E` is one of this crate's, also through serde's buffer.
///
/// Only there may a value take NumPy's form (NaT for `None`); every other format is given the plain value.
pub(crate) fn is_our_error<E>() -> bool {
    typeid::of::<E>() == typeid::of::<Error>()
}

fn custom_kind<T>() -> ErrorKind {
    let id = typeid::of::<T>();
    if id == typeid::of::<Invalid>() {
        ErrorKind::InvalidValue
    } else if id == typeid::of::<Mismatch>() {
        ErrorKind::TypeMismatch
    } else {
        ErrorKind::Message
    }
}

impl serde::ser::Error for Error {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Error::new(custom_kind::<T>(), message)
    }
}

/// A message that may repeat a name or a text of the file: control characters are escaped, and a long one is cut.
struct Sober<T>(T);

impl<T: fmt::Display> fmt::Display for Sober<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        struct Escaping<'a, 'f> {
            f: &'a mut fmt::Formatter<'f>,
            left: usize,
        }

        impl fmt::Write for Escaping<'_, '_> {
            fn write_str(&mut self, text: &str) -> fmt::Result {
                for c in text.chars() {
                    match self.left {
                        0 => break,
                        1 => self.f.write_str("..")?,
                        _ if c.is_control() => write!(self.f, "{}", c.escape_debug())?,
                        _ => self.f.write_char(c)?,
                    }
                    self.left -= 1;
                }
                Ok(())
            }
        }

        write!(Escaping { f, left: 2000 }, "{}", self.0)
    }
}

impl serde::de::Error for Error {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Error::new(custom_kind::<T>(), message)
    }

    fn invalid_type(unexpected: serde::de::Unexpected<'_>, expected: &dyn serde::de::Expected) -> Self {
        Error::new(
            ErrorKind::TypeMismatch,
            format_args!("found {unexpected}, expected {expected}"),
        )
    }

    fn invalid_value(unexpected: serde::de::Unexpected<'_>, expected: &dyn serde::de::Expected) -> Self {
        Error::new(
            ErrorKind::InvalidValue,
            format_args!("found {unexpected}, expected {expected}"),
        )
    }

    fn invalid_length(len: usize, expected: &dyn serde::de::Expected) -> Self {
        Error::new(
            ErrorKind::TypeMismatch,
            format_args!("found {len} elements, expected {expected}"),
        )
    }

    fn missing_field(field: &'static str) -> Self {
        Error::new(
            ErrorKind::MissingMember,
            format_args!("no member `{field}`, expected one for the field of that name (an `Option` or `#[serde(default)]` makes it optional)"),
        )
        .at_member(field)
    }

    fn duplicate_field(field: &'static str) -> Self {
        Error::new(
            ErrorKind::DuplicateName,
            format_args!("the field `{field}` comes twice, expected once"),
        )
    }
}
