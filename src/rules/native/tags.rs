//! Tags of members, alone and against each other.

pub(super) mod tag_all_nofailover;
pub(super) mod tag_contradiction;
pub(super) mod tag_nofailover_on_primary;
pub(super) mod tag_nostream_without_restore;
pub(super) mod tag_replicatefrom_unknown;

use crate::facts::PatroniFile;
use crate::parse::patroni::{Item, parse_int};

/// A number as Patroni reads it in `tags` (`utils.py:parse_int`).
fn priority(item: &Item) -> Option<i64> {
    parse_int(&item.as_setting()?, None)
}

/// Whether a member never becomes leader (`tags.py:Tags.nofailover`): the tag counts before the priority. `None` when the
/// file does not tell.
fn nofailover(file: &PatroniFile) -> Option<bool> {
    match file.known("tags.nofailover").ok()? {
        Some(item) => Some(item.is_true()),
        None => Some(file.known("tags.failover_priority").ok()?.and_then(priority).is_some_and(|p| p <= 0)),
    }
}
