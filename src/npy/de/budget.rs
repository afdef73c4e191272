//! What one call may take that no byte of the input proves, counted over all arrays it reads.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::error::{Error, ErrorKind, Result};
use crate::options::Limits;

/// How much of its limits a call has left.
pub(crate) struct Budget {
    zero_sized: Account,
    one_by_one: Account,
    sequences: Account,
}

struct Account {
    left: AtomicU64,
    most: u64,
}

impl Budget {
    pub(crate) fn new(limits: &Limits) -> Arc<Self> {
        let account = |most| Account {
            left: AtomicU64::new(most),
            most,
        };
        Arc::new(Budget {
            zero_sized: account(limits.byteless),
            one_by_one: account(limits.any_elements),
            sequences: account(limits.any_elements),
        })
    }

    /// Elements that hold no byte, and the sequences around them.
    pub(crate) fn take_zero_sized(&self, count: u64) -> Result<()> {
        self.zero_sized.take(count, "elements without a byte")
    }

    /// Elements for a target that asks for anything.
    pub(crate) fn take_one_by_one(&self, count: u64) -> Result<()> {
        self.one_by_one.take(count, "elements to be handed out one by one")
    }

    /// The sequences that such elements lie in.
    pub(crate) fn take_sequences(&self, count: u64) -> Result<()> {
        self.sequences.take(count, "sequences to be handed out one by one")
    }
}

impl Account {
    fn take(&self, count: u64, what: &str) -> Result<()> {
        let left = self.left.load(Ordering::Relaxed);
        let Some(rest) = left.checked_sub(count) else {
            return Err(match self.most - left {
                0 => limit(what, count, self.most, "any_elements"),
                before => limit(
                    &format!("{what} behind {before} others of this call"),
                    count,
                    left,
                    "any_elements",
                ),
            });
        };
        self.left.store(rest, Ordering::Relaxed);
        Ok(())
    }
}

#[cold]
pub(crate) fn limit(what: &str, found: u64, expected: u64, option: &str) -> Error {
    Error::new(
        ErrorKind::LimitExceeded,
        format_args!("found {found} {what}, expected at most {expected}"),
    )
    .with_hint(format!("`Limits::{option}` raises the bound"))
}
