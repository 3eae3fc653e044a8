//! What becomes of each replication slot.

use serde::Serialize;

use crate::facts::gap::{Fact, Gap, GapReason};
use crate::facts::{Facts, Member};
use crate::source::Span;

/// A slot and what becomes of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Slot {
    /// Its name.
    pub name: String,
    /// The database and the plugin of a logical one.
    pub logical: Option<(String, String)>,
    /// Whether somebody uses it now; `None` for one that is not there yet.
    pub active: Option<bool>,
    /// What becomes of it.
    pub fate: Fate,
    /// When: `in the first round of the leader`.
    pub when: &'static str,
    /// Why, in words for people.
    pub because: String,
    /// The row of the server, or the line that declares it.
    pub at: Option<Span>,
}

/// What becomes of a slot.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Fate {
    /// Patroni drops it.
    Dropped,
    /// Patroni makes it.
    Created,
    /// Patroni makes it with the files of the leader's, and restarts the standby for that.
    Copied,
    /// Patroni wants it and leaves it as it is.
    Kept,
    /// Patroni does not look at it.
    LeftAlone,
}

/// Of the server of a member.
///
/// # Errors
/// When it is not known which slots there are, or which ones Patroni wants.
pub fn of_member(_facts: &Facts, member: &Member) -> Fact<Vec<Slot>> {
    Err(Gap::new("the slots", GapReason::NotGiven).on(&member.name))
}
