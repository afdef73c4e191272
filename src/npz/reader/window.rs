//! A buffer over the archive that knows its position: many small members are served by few reads.
//!
//! ```text
//! file    ......|PK\3\4 a.npy ..|PK\3\4 b.npy ..|PK\3\4 c.npy ..|
//!               |<- one member ->|
//!                                |<- further and further while members are read in order ->|
//! ```

use std::io::{self, Read, Seek, SeekFrom};

use crate::io::checked::Checked;

/// How much is fetched at once at most; larger reads bypass the buffer.
const MOST: u64 = 64 << 10;
/// How far is read ahead at the second member in order; then twice as far each time.
const FIRST_AHEAD: u64 = 4 << 10;

/// A reader that seeks only where it has to.
pub(crate) struct Window<R> {
    inner: R,
    /// Where `inner` stands, once that is known.
    inner_at: Option<u64>,
    buffer: Vec<u8>,
    /// Where in the file the buffer starts.
    start: u64,
    /// The position of the next read from here.
    at: u64,
    /// What may be fetched into the buffer ends here.
    end: u64,
    /// Where the announced part of the last member ended.
    next: u64,
    /// How far to read ahead.
    ahead: u64,
}

impl<R> Window<R> {
    pub(crate) fn new(inner: R) -> Self {
        Window {
            inner,
            inner_at: None,
            buffer: Vec::new(),
            start: 0,
            at: 0,
            end: 0,
            next: 0,
            ahead: 0,
        }
    }

    pub(super) fn inner(&self) -> &R {
        &self.inner
    }

    /// Announces that a member, or the first part of one, will be read: nothing behind `limit` is fetched, unless members
    /// have been read one after another, each up to where the next one starts.
    pub(crate) fn focus(&mut self, offset: u64, limit: u64) {
        let in_order = self.next == offset && offset > 0;
        self.ahead = match in_order {
            true => (2 * self.ahead).clamp(FIRST_AHEAD, MOST),
            false => 0,
        };
        self.end = limit.max(offset.saturating_add(self.ahead));
        self.next = limit;
        self.at = offset;
    }

    fn buffered(&self) -> &[u8] {
        let skip = self
            .at
            .checked_sub(self.start)
            .and_then(|skip| usize::try_from(skip).ok());
        skip.and_then(|skip| self.buffer.get(skip..)).unwrap_or_default()
    }
}

impl<R: Read + Seek> Window<R> {
    fn stand(&mut self) -> io::Result<()> {
        if self.inner_at != Some(self.at) {
            self.inner_at = None;
            self.inner.seek(SeekFrom::Start(self.at))?;
            self.inner_at = Some(self.at);
        }
        Ok(())
    }

    fn read_inner(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        self.stand()?;
        let got = Checked(&mut self.inner).read(buf)?;
        self.inner_at = self.inner_at.map(|at| at.saturating_add(got as u64));
        Ok(got)
    }
}

impl<R: Read + Seek> Read for Window<R> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let mut ready = self.buffered();
        if ready.is_empty() {
            let window = usize::try_from(MOST.min(self.end.saturating_sub(self.at))).unwrap_or_default();
            if window <= buf.len() {
                let got = self.read_inner(buf)?;
                self.at = self.at.saturating_add(got as u64);
                return Ok(got);
            }
            let mut buffer = std::mem::take(&mut self.buffer);
            buffer.resize(window, 0);
            let got = self.read_inner(&mut buffer);
            buffer.truncate(*got.as_ref().unwrap_or(&0));
            self.buffer = buffer;
            self.start = self.at;
            got?;
            ready = self.buffered();
        }
        let now = ready.len().min(buf.len());
        buf[..now].copy_from_slice(&ready[..now]);
        self.at = self.at.saturating_add(now as u64);
        Ok(now)
    }
}

impl<R: Read + Seek> Seek for Window<R> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        match to {
            SeekFrom::Start(at) => self.at = at,
            // No call of the system: the next read stands where it has to.
            SeekFrom::Current(by) => {
                self.at =
                    (self.at.checked_add_signed(by)).ok_or_else(|| io::Error::from(io::ErrorKind::InvalidInput))?;
            }
            other => {
                self.stand()?;
                self.inner_at = None;
                self.at = self.inner.seek(other)?;
                self.inner_at = Some(self.at);
            }
        }
        Ok(self.at)
    }
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;
    use std::io::Cursor;
    use std::rc::Rc;

    use super::*;

    /// A file that notes what is read from it.
    struct Noting(Cursor<Vec<u8>>, Notes);

    /// Where each read started, and how much it got.
    type Notes = Rc<RefCell<Vec<(u64, usize)>>>;

    impl Read for Noting {
        fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
            let at = self.0.position();
            let got = self.0.read(buf)?;
            self.1.borrow_mut().push((at, got));
            Ok(got)
        }
    }

    impl Seek for Noting {
        fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
            self.0.seek(to)
        }
    }

    fn window(len: usize) -> (Window<Noting>, Notes) {
        let bytes = (0..len).map(|i| (i % 251) as u8).collect();
        let notes = Rc::new(RefCell::new(Vec::new()));
        (Window::new(Noting(Cursor::new(bytes), Rc::clone(&notes))), notes)
    }

    fn check(window: &mut Window<Noting>, at: u64, len: usize) {
        let mut buf = vec![0; len];
        window.seek(SeekFrom::Start(at)).unwrap();
        window.read_exact(&mut buf).unwrap();
        assert!(
            buf.iter()
                .enumerate()
                .all(|(i, &byte)| byte == ((at as usize + i) % 251) as u8)
        );
    }

    #[test]
    fn one_member_is_all_that_is_fetched() {
        let (mut window, notes) = window(10_000);
        window.focus(1000, 1500);
        check(&mut window, 1000, 30);
        check(&mut window, 1100, 300);
        check(&mut window, 1030, 5);
        assert_eq!(*notes.borrow(), [(1000, 500)]);
    }

    #[test]
    fn members_in_order_share_reads() {
        let (mut window, notes) = window(200_000);
        for member in 0..100 {
            window.focus(member * 1000, member * 1000 + 1000);
            check(&mut window, member * 1000, 900);
        }
        assert!(notes.borrow().len() < 6, "{:?}", notes.borrow());
    }

    #[test]
    fn the_first_parts_of_large_members_are_all_that_is_fetched() {
        let (mut window, notes) = window(500_000);
        for member in 0..10 {
            window.focus(member * 50_000, member * 50_000 + 4096);
            check(&mut window, member * 50_000, 300);
        }
        assert!(
            notes.borrow().iter().all(|&(_, got)| got == 4096),
            "{:?}",
            notes.borrow()
        );
        // Small ones between large ones do not change that much.
        notes.borrow_mut().clear();
        for member in 0..5 {
            let small = member * 100_000;
            window.focus(small, small + 500);
            check(&mut window, small, 300);
            window.focus(small + 500, small + 500 + 4096);
            check(&mut window, small + 500, 300);
        }
        let fetched: usize = notes.borrow().iter().map(|(_, got)| got).sum();
        assert!(fetched <= 5 * (500 + 4096), "{:?}", notes.borrow());
    }

    #[test]
    fn large_reads_go_past_the_window_and_any_order_is_right() {
        let (mut window, notes) = window(500_000);
        window.focus(0, 400_000);
        check(&mut window, 0, 10);
        check(&mut window, 10, 300_000);
        assert!(notes.borrow().iter().any(|&(_, got)| got > 200_000));
        for at in [499_000, 3, 70_000, 2, 65_530] {
            check(&mut window, at, 700);
        }
        window.seek(SeekFrom::Start(70)).unwrap();
        assert_eq!(window.seek(SeekFrom::Current(-60)).unwrap(), 10);
        assert!(window.seek(SeekFrom::Current(-11)).is_err());
        assert_eq!(window.seek(SeekFrom::End(-1)).unwrap(), 499_999);
        assert_eq!(window.read(&mut [0; 10]).unwrap(), 1);
        assert_eq!(window.read(&mut [0; 10]).unwrap(), 0);
    }
}
