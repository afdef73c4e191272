//! What went wrong, where, with which value: one boxed [`Error`].

mod cause;
mod nearest;

use std::borrow::Cow;
use std::cell::Cell;
use std::convert::Infallible;
use std::fmt::{self, Write};
use std::io;

use serde::{Serialize, Serializer};

pub(crate) use self::cause::{Cause, Found};
pub(crate) use self::nearest::nearest;

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
/// `{err}` is the fact. What helps against it, an option or a module of this crate, is advice for a programmer: it stands
/// apart from the fact in [`hint`](Error::hint), and `{err:#}` shows both.
///
/// ```
/// let err = serde_npz::from_npy_slice::<Vec<f64>>(b"just a text").unwrap_err();
/// assert_eq!(err.kind(), serde_npz::ErrorKind::BadMagic);
/// ```
#[derive(thiserror::Error)]
#[error(transparent)]
pub struct Error(Box<Inner>);

#[derive(thiserror::Error)]
struct Inner {
    kind: ErrorKind,
    path: String,
    /// Whether the path begins with the name of a member or field, not with an index or a field of an element: a name may
    /// begin with any character, a dot among them.
    named: bool,
    message: String,
    hint: Option<Cow<'static, str>>,
    cause: Option<Cause>,
    source: Option<Box<dyn std::error::Error + Send + Sync>>,
}

impl fmt::Display for Inner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", Place(&self.path), self.message)?;
        match &self.hint {
            Some(hint) if f.alternate() => write!(f, "{HINT}{hint}"),
            _ => Ok(()),
        }
    }
}

/// What stands between fact and hint.
const HINT: &str = "; ";

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

/// Defines [`ErrorKind`] and the name of each of its variants.
macro_rules! kinds {
    ($(#[$about:meta])* { $($(#[$meaning:meta])* $kind:ident,)* }) => {
        $(#[$about])*
        pub enum ErrorKind {
            $($(#[$meaning])* $kind,)*
        }

        impl ErrorKind {
            /// The name of the kind, as the variant is spelled: `"MissingMember"`.
            ///
            /// ```
            /// assert_eq!(serde_npz::ErrorKind::MissingMember.as_str(), "MissingMember");
            /// ```
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(ErrorKind::$kind => stringify!($kind),)*
                }
            }
        }
    };
}

kinds! {
    /// The class of an [`Error`], to match on.
    ///
    /// The names are stable: `as_str`, `Display` and `Serialize` all give the variant's name as it is spelled here, so that
    /// logs and other programs can rely on it. No name is changed or removed without a new major version; new kinds may
    /// be added.
    ///
    /// ```
    /// use serde_npz::ErrorKind;
    ///
    /// let err = serde_npz::to_npz_vec(&vec![1.0, 2.0]).unwrap_err();
    /// assert_eq!(err.kind(), ErrorKind::UnsupportedType);
    /// assert_eq!(err.kind().to_string(), "UnsupportedType");
    /// assert_eq!(serde_json::to_string(&err.kind()).unwrap(), r#""UnsupportedType""#);
    /// ```
    #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
    #[non_exhaustive]
    {
        /// The operating system or the given reader or writer failed.
        Io,
        /// The bytes start neither as an array nor as an archive, or as the other of the two.
        BadMagic,
        /// An array of a format version other than 1.0, 2.0 and 3.0.
        UnsupportedVersion,
        /// The header of an array is no literal that NumPy accepts.
        BadHeader,
        /// An element type that has no counterpart here, such as `longdouble`.
        UnsupportedDtype,
        /// Object data, which only Python's pickle could read: always refused.
        Pickle,
        /// The data ends before what its header announces.
        Truncated,
        /// The archive contradicts itself: checksums, sizes, names, overlap, leftovers.
        CorruptArchive,
        /// A compression method or an encryption that is not supported.
        UnsupportedArchive,
        /// The callback for progress ended the call.
        Cancelled,
        /// More bytes, members, elements or levels than the options allow.
        LimitExceeded,
        /// A member asked for as an array does not start as one.
        NotAnArray,
        /// No member or group has this name.
        MissingMember,
        /// Two members with one name.
        DuplicateName,
        /// A name that is empty, or holds NUL or the separator.
        InvalidName,
        /// A value that the format or the asked type cannot hold.
        InvalidValue,
        /// The asked type does not fit the dtype or the shape found.
        TypeMismatch,
        /// Rows of unequal lengths.
        Ragged,
        /// Elements of unequal kinds in one array.
        MixedTypes,
        /// A Rust type with no counterpart in NumPy, or not at this place.
        UnsupportedType,
        /// A field that the asked type does not have, and does not let pass.
        UnknownField,
        /// The name of a variant that the asked enum does not have.
        UnknownVariant,
        /// An error that a `Serialize` or `Deserialize` implementation raised.
        Message,
    }
}

impl fmt::Display for ErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl std::error::Error for ErrorKind {}

impl Serialize for ErrorKind {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
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

    /// What helps against the error: the option, module or method to use. `None` where there is nothing to advise.
    ///
    /// It speaks to the programmer who calls this crate; the error itself, `{err}`, is for everybody.
    ///
    /// ```
    /// use std::collections::BTreeMap;
    ///
    /// let ragged = BTreeMap::from([("x", vec![vec![1.0, 2.0, 3.0], vec![4.0, 5.0]])]);
    /// let err = serde_npz::to_npz_vec(&ragged).unwrap_err();
    /// assert_eq!(err.to_string(), "x[1]: found 2 elements, expected 3 as in the rows before");
    /// assert!(err.hint().unwrap().contains("with::ragged"));
    /// assert_eq!(format!("{err:#}"), format!("{err}; {}", err.hint().unwrap()));
    /// ```
    pub fn hint(&self) -> Option<&str> {
        self.0.hint.as_deref()
    }

    /// An error of fact: what was found, what was expected. Advice is added with [`with_hint`](Error::with_hint).
    #[cold]
    pub(crate) fn new(kind: ErrorKind, message: impl fmt::Display) -> Self {
        Error(Box::new(Inner {
            kind,
            path: String::new(),
            named: false,
            message: Sober(message).to_string(),
            hint: None,
            cause: None,
            source: None,
        }))
    }

    /// Adds what helps: a clause that begins with a small letter or the name of an option, and ends without a full stop.
    #[cold]
    pub(crate) fn with_hint(mut self, hint: impl Into<Cow<'static, str>>) -> Self {
        self.0.hint = Some(hint.into());
        self
    }

    #[cold]
    pub(crate) fn with_source(mut self, source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        self.0.source = Some(source.into());
        self
    }

    /// Goes on with the sentence of the fact.
    #[cold]
    pub(crate) fn with_fact(mut self, more: impl fmt::Display) -> Self {
        // Only the part that is new: what is there is escaped already.
        let _ = write!(self.0.message, "{}", Sober(more));
        self
    }

    /// Leaves something open that a place further out can tell.
    #[cold]
    pub(crate) fn with_cause(mut self, cause: impl Into<Option<Cause>>) -> Self {
        self.0.cause = cause.into();
        self
    }

    pub(crate) fn take_cause(&mut self) -> Option<Cause> {
        self.0.cause.take()
    }

    /// The kind of name that is missing, and the names nearest to it among those there are.
    #[cold]
    pub(crate) fn missing<'n>(fact: impl fmt::Display, name: &str, names: impl Iterator<Item = &'n str>) -> Self {
        Error::new(ErrorKind::MissingMember, fact).with_fact(nearest(name, names))
    }

    /// Takes over the hint of the error that caused this one.
    #[cold]
    pub(crate) fn with_hint_of(mut self, cause: &Error) -> Self {
        self.0.hint.clone_from(&cause.0.hint);
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
    pub(crate) fn at_member(self, name: &str) -> Self {
        self.in_group(name, '/')
    }

    /// As [`Error::at_member`], where another character stands between the names.
    #[cold]
    pub(crate) fn in_group(mut self, name: &str, separator: char) -> Self {
        if name.is_empty() {
            return self;
        }
        if self.0.named {
            self.0.path.insert(0, separator);
        }
        self.0.path.insert_str(0, name);
        self.0.named = true;
        self
    }

    /// Takes over the path of another error.
    pub(crate) fn at_path_of(mut self, place: &Error) -> Self {
        self.0.path.clone_from(&place.0.path);
        self.0.named = place.0.named;
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
            hint: self.0.hint.clone(),
            cause: None,
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
            .field("hint", &self.hint)
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

impl From<Infallible> for Error {
    fn from(never: Infallible) -> Self {
        match never {}
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

thread_local! {
    /// An error on its way through serde's `custom`, which takes nothing but a text.
    static RAISED: Cell<Option<Error>> = const { Cell::new(None) };
}

/// The text of the error in [`RAISED`], for other formats. Errors of this crate know it by its type and take the error
/// itself.
struct Raised(String);

impl fmt::Display for Raised {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Raises an error of this crate from a deserializer of any format. Those of this crate keep it whole: kind, path, hint
/// and source.
#[cold]
pub(crate) fn into_custom<E: serde::de::Error>(err: Error) -> E {
    hand_over(err, |raised| E::custom(raised))
}

/// As [`into_custom`], from a serializer.
#[cold]
pub(crate) fn into_ser_custom<E: serde::ser::Error>(err: Error) -> E {
    hand_over(err, |raised| E::custom(raised))
}

fn hand_over<E>(err: Error, custom: impl FnOnce(Raised) -> E) -> E {
    let raised = Raised(err.to_string());
    RAISED.set(Some(err));
    let custom = custom(raised);
    RAISED.set(None);
    custom
}

/// Whether a serializer or deserializer with the error `E` is one of this crate's, also through serde's buffer.
///
/// Only there may a value take NumPy's form (NaT for `None`); every other format is given the plain value.
pub(crate) fn is_our_error<E>() -> bool {
    typeid::of::<E>() == typeid::of::<Error>()
}

/// The error for what a `Serialize` or `Deserialize` raised.
fn raised<T: fmt::Display>(message: T) -> Error {
    let id = typeid::of::<T>();
    if id == typeid::of::<Raised>()
        && let Some(err) = RAISED.take()
    {
        return err;
    }
    let fact = message.to_string();
    let error = Error::new(ErrorKind::Message, &fact);
    if id != typeid::of::<Error>() {
        return error;
    }
    // One of ours, raised by the caller's own code: its hint is still good.
    match format!("{message:#}")
        .strip_prefix(&fact)
        .and_then(|rest| rest.strip_prefix(HINT))
    {
        Some(hint) => error.with_hint(hint.to_owned()),
        None => error,
    }
}

impl serde::ser::Error for Error {
    fn custom<T: fmt::Display>(message: T) -> Self {
        raised(message)
    }
}

/// The names nearest to an unknown one, where there are too many to see it in all of them.
fn nearest_of_many(name: &str, expected: &'static [&'static str]) -> String {
    match expected.len() {
        0..=5 => String::new(),
        _ => nearest(name, expected.iter().copied()),
    }
}

/// The names that a target knows, in the words of serde's own errors.
struct OneOf(&'static [&'static str], &'static str);

impl fmt::Display for OneOf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            [] => write!(f, "no {}", self.1),
            [one] => write!(f, "`{one}`"),
            [one, other] => write!(f, "`{one}` or `{other}`"),
            names => write!(f, "one of `{}`", names.join("`, `")),
        }
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
        raised(message)
    }

    fn invalid_type(unexpected: serde::de::Unexpected<'_>, expected: &dyn serde::de::Expected) -> Self {
        Error::new(
            ErrorKind::TypeMismatch,
            format_args!("found {unexpected}, expected {expected}"),
        )
        .with_cause(Found::of(&unexpected).map(Cause::Found))
    }

    fn invalid_value(unexpected: serde::de::Unexpected<'_>, expected: &dyn serde::de::Expected) -> Self {
        Error::new(
            ErrorKind::InvalidValue,
            format_args!("found {unexpected}, expected {expected}"),
        )
        .with_cause(Found::of(&unexpected).map(Cause::Found))
    }

    fn invalid_length(len: usize, expected: &dyn serde::de::Expected) -> Self {
        Error::new(
            ErrorKind::TypeMismatch,
            format_args!("found {len} elements, expected {expected}"),
        )
        .with_cause(Cause::Found(Found::Len(len)))
    }

    fn unknown_variant(variant: &str, expected: &'static [&'static str]) -> Self {
        Error::new(
            ErrorKind::UnknownVariant,
            format_args!("unknown variant `{variant}`, expected {}", OneOf(expected, "variants")),
        )
        .with_fact(nearest_of_many(variant, expected))
        .with_cause(Cause::Found(Found::Text(variant.to_owned())))
    }

    fn unknown_field(field: &str, expected: &'static [&'static str]) -> Self {
        Error::new(
            ErrorKind::UnknownField,
            format_args!("unknown field `{field}`, expected {}", OneOf(expected, "fields")),
        )
        .with_fact(nearest_of_many(field, expected))
    }

    fn missing_field(field: &'static str) -> Self {
        Error::new(
            ErrorKind::MissingMember,
            format_args!("no member `{field}`, expected one for the field of that name"),
        )
        .with_hint("an `Option` or `#[serde(default)]` makes a field optional")
        .with_cause(Cause::MissingField(field))
        .at_member(field)
    }

    fn duplicate_field(field: &'static str) -> Self {
        Error::new(
            ErrorKind::DuplicateName,
            format_args!("the field `{field}` comes twice, expected once"),
        )
    }
}
