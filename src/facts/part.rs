//! Facts in parts.

use std::ops::Range;

use super::Whole;

/// So many configurations of Patroni make a part; with their trees they take about a megabyte.
const SIZE: usize = 32;

/// Ranges of the lists of facts that are looked at together.
#[derive(Debug, Clone, Default)]
pub(super) struct Part {
    pub(super) patroni: Range<usize>,
    pub(super) clusters: Range<usize>,
    pub(super) confs: Range<usize>,
    pub(super) hbas: Range<usize>,
    /// Whether what belongs to no member is looked at with this one.
    pub(super) is_first: bool,
}

impl Part {
    /// The only one.
    pub(super) fn only(whole: &Whole) -> Self {
        Self::of(whole, 0, 1)
    }

    /// All parts of some facts. The lists are in one order of paths, so what belongs together lies mostly in one.
    pub(super) fn all(whole: &Whole) -> Vec<Self> {
        let longest = whole.patroni.len().max(whole.confs.len()).max(whole.hbas.len());
        let count = longest.div_ceil(SIZE).max(1);
        (0..count).map(|i| Self::of(whole, i, count)).collect()
    }

    fn of(whole: &Whole, i: usize, count: usize) -> Self {
        let share = |len: usize| len * i / count..len * (i + 1) / count;
        Self {
            patroni: share(whole.patroni.len()),
            clusters: share(whole.clusters.len()),
            confs: share(whole.confs.len()),
            hbas: share(whole.hbas.len()),
            is_first: i == 0,
        }
    }
}
