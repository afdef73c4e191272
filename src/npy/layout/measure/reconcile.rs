//! The walk more over numbers of several kinds, which looks at their values: whether one kind holds all of them.

use serde::Serialize;

use super::{Around, Found, Measure, Place};
use crate::error::Result;
use crate::npy::layout::scalar::changed;
use crate::npy::layout::tally::Tally;
use crate::npy::layout::tree::{Layout, Misfit, unequal};

/// Looks at the values of numbers that are of several kinds, on the walk `along` the layout: whether one kind holds all.
#[cold]
pub(super) fn reconcile(
    mut layout: Layout,
    tally: Tally,
    along: &mut dyn FnMut(&mut Layout, &mut Tally) -> Result<bool>,
) -> Result<Layout> {
    if let Layout::Ndarray { .. } = layout {
        let misfit = unequal("numbers of one kind", "numbers of several kinds in an ndarray");
        return Ok(Layout::Misfit(misfit.in_ndarray()));
    }
    let mut again = Tally::default();
    let same = along(&mut layout, &mut again)?;
    if !again.agrees(tally) {
        return Err(changed("other values", "those"));
    }
    if same && !layout.has_irreconcilable() {
        return Ok(layout);
    }
    Ok(Layout::Misfit(irreconcilable()))
}

/// Numbers of several kinds, of which none holds all values.
pub(crate) fn irreconcilable() -> Misfit {
    unequal("numbers that one dtype holds exactly", "others among them")
}

/// Notes the values of a value that was measured as `layout`; returns whether it is laid out so.
pub(crate) fn measure_along<T: Serialize + ?Sized>(value: &T, layout: &mut Layout, around: Around) -> Result<bool> {
    along(value, layout, &mut Tally::default(), Place::of(around))
}

pub(super) fn along<T: Serialize + ?Sized>(
    value: &T,
    layout: &mut Layout,
    tally: &mut Tally,
    at: Place,
) -> Result<bool> {
    let seen = Some(layout);
    Ok(matches!(Measure { seen, tally, at }.value(value)?, Found::Same))
}
