//! Upper bounds for what is read.

/// Upper bounds for what a reader takes from a file that cannot be trusted.
///
/// The defaults are safe: no memory is allocated because a header says so, and the bounds only stop data that is really
/// there but enormous.
///
/// ```
/// use serde_npz::{ErrorKind, Limits, ReadOptions};
///
/// let bytes = serde_npz::to_npy_vec(&vec![0.0_f64; 1000]).unwrap();
/// let options = ReadOptions::new().limits(Limits::new().member_bytes(100));
/// let err = options.from_npy_slice::<Vec<f64>>(&bytes).unwrap_err();
/// assert_eq!(err.kind(), ErrorKind::LimitExceeded);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use = "setters return the changed limits"]
pub struct Limits {
    pub(crate) total_bytes: u64,
    pub(crate) member_bytes: u64,
    pub(crate) members: u64,
    pub(crate) elements: u64,
    pub(crate) depth: u64,
    pub(crate) any_elements: u64,
    /// Elements that hold no byte, and the sequences around them.
    pub(crate) byteless: u64,
}

/// Nothing in a file proves elements without a byte: a header of 128 bytes may announce 2^63 of them.
const MOST_BYTELESS: u64 = 1 << 20;

/// More groups in groups than this are refused, reading and writing.
pub(crate) const MAX_GROUPS: u64 = 64;

impl Limits {
    /// Safe defaults: 1 TiB in total and per member, 2^20 members, 2^40 elements, 64 groups, 2^26 elements one by one, 2^20 of
    /// those that hold no byte.
    ///
    /// ```
    /// let limits = serde_npz::Limits::new().members(10);
    /// # let _ = limits;
    /// ```
    pub fn new() -> Self {
        Limits {
            total_bytes: 1 << 40,
            member_bytes: 1 << 40,
            members: 1 << 20,
            elements: 1 << 40,
            depth: MAX_GROUPS,
            any_elements: 1 << 26,
            byteless: MOST_BYTELESS,
        }
    }

    /// No bounds but those that keep the program alive: no memory is allocated because a header says so, at most 64 groups
    /// nest, and one call loops over no more than 2^20 elements that hold no byte, unless [`Limits::any_elements`] says so.
    ///
    /// ```
    /// let limits = serde_npz::Limits::unlimited();
    /// # let _ = limits;
    /// ```
    pub fn unlimited() -> Self {
        Limits {
            total_bytes: u64::MAX,
            member_bytes: u64::MAX,
            members: u64::MAX,
            elements: u64::MAX,
            depth: MAX_GROUPS,
            any_elements: u64::MAX,
            byteless: MOST_BYTELESS,
        }
    }

    /// Bytes of data, after decompression, over all members read through one reader.
    ///
    /// ```
    /// let limits = serde_npz::Limits::new().total_bytes(64 << 20);
    /// # let _ = limits;
    /// ```
    pub fn total_bytes(mut self, n: u64) -> Self {
        self.total_bytes = n;
        self
    }

    /// Bytes of one member, after decompression.
    ///
    /// ```
    /// let limits = serde_npz::Limits::new().member_bytes(64 << 20);
    /// # let _ = limits;
    /// ```
    pub fn member_bytes(mut self, n: u64) -> Self {
        self.member_bytes = n;
        self
    }

    /// Members of an archive.
    ///
    /// ```
    /// let limits = serde_npz::Limits::new().members(100);
    /// # let _ = limits;
    /// ```
    pub fn members(mut self, n: u64) -> Self {
        self.members = n;
        self
    }

    /// Elements of one array.
    ///
    /// ```
    /// let limits = serde_npz::Limits::new().elements(1_000_000);
    /// # let _ = limits;
    /// ```
    pub fn elements(mut self, n: u64) -> Self {
        self.elements = n;
        self
    }

    /// Groups within groups; more than 64 are refused whatever is set here.
    ///
    /// ```
    /// let limits = serde_npz::Limits::new().depth(4);
    /// # let _ = limits;
    /// ```
    pub fn depth(mut self, n: u64) -> Self {
        self.depth = n.min(MAX_GROUPS);
        self
    }

    /// Elements handed out one by one to a target that takes anything, and elements that hold no byte.
    ///
    /// Such a target asks for `deserialize_any`. What the header announces is counted before any element is read, and
    /// over all arrays of one call: a `load`, a `get`, one reading of rows. The sequences around those elements may be as many again,
    /// and count together with elements that hold no byte.
    ///
    /// ```
    /// let limits = serde_npz::Limits::new().any_elements(1 << 30);
    /// # let _ = limits;
    /// ```
    pub fn any_elements(mut self, n: u64) -> Self {
        self.any_elements = n;
        self.byteless = n;
        self
    }
}

impl Default for Limits {
    fn default() -> Self {
        Limits::new()
    }
}
