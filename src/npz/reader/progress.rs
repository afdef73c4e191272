//! Of which calls the callback for progress is told, and how much they will read.

use super::NpzReader;
use crate::error::Result;
use crate::options::progress::Meter;

impl<R> NpzReader<R> {
    /// Runs one call that reads these members, and of which the callback for progress is told.
    pub(crate) fn metered<T>(&mut self, members: Vec<usize>, call: impl FnOnce(&mut Self) -> Result<T>) -> Result<T> {
        self.start_progress(Some(members));
        let result = call(self);
        let ended = self.end_progress();
        let value = result?;
        ended.map(|()| value)
    }

    /// Starts to count a call.
    pub(crate) fn start_progress(&mut self, members: Option<Vec<usize>>) {
        if self.options.progress.is_set() {
            self.meter = Meter::new(&self.options.progress, None);
            if let Some(members) = members {
                self.announce(members.into_iter());
            }
        }
    }

    /// Says which members a call will read, once that is known.
    pub(crate) fn announce(&mut self, members: impl Iterator<Item = usize>) {
        if self.meter.is_set() && !self.meter.has_total() {
            let sizes = members.filter_map(|index| Some(self.directory.entries.get(index)?.size));
            self.meter.announce(sizes.fold(0, u64::saturating_add));
        }
    }

    /// Ends the count, and tells of the end.
    pub(crate) fn end_progress(&mut self) -> Result<()> {
        std::mem::take(&mut self.meter).end()
    }
}
