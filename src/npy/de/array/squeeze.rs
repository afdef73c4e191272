//! What an array that is open is asked for: see [`axes`](crate::npy::de::data::axes).

use super::ArrayDeserializer;
use crate::error::Result;
use crate::format::dtype::Kind;

impl ArrayDeserializer<'_, '_, '_> {
    /// Settles that this is asked for with so many axes.
    pub(crate) fn settle(&mut self, axes: usize) -> Result<()> {
        self.data.settle(self.axis + axes)
    }

    /// Whether a sequence that the target asks for next is an element: a complex number, a record as a tuple, bytes.
    pub(super) fn is_element_sequence(&self, expected: Option<usize>) -> bool {
        let Some(expected) = expected else { return false };
        let expected = expected as u64;
        let fits = match self.kind() {
            Kind::Record(record) => record.fields.len() as u64 == expected,
            Kind::Void { len } => *len == expected,
            Kind::Complex { .. } => expected == 2,
            _ => self.is_complex(),
        };
        // An axis of this length is a sequence of its own.
        fits && self.shape().first() != Some(&expected)
    }

    /// Whether a sequence that is asked for next goes along an axis, and none can be asked for further in.
    pub(super) fn is_last_axis(&self) -> bool {
        let is_last = self.axis + 1 >= self.data.header.shape().len();
        is_last
            && self
                .data
                .open_axes()
                .is_some_and(|axes| axes.iter().any(|&axis| axis != 1))
    }
}
