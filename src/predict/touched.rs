//! What Patroni does to the files and processes of a host, in the order in which it does it.

use serde::Serialize;

use crate::facts::gap::{Fact, Gap, GapReason};
use crate::facts::{Facts, Member};

/// Something that Patroni does.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Touch {
    /// When.
    pub moment: Moment,
    /// What it does.
    pub act: Act,
    /// To what: a path on the host, `postmaster`, a key of the store.
    pub what: String,
    /// What the path becomes, or where it is copied to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub to: Option<String>,
    /// Why, or what is in it afterwards, in words for people.
    pub because: String,
}

/// When Patroni does something.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Moment {
    /// When Patroni has found the running server.
    Attach,
    /// In its first rounds.
    FirstRounds,
    /// At the first restart of the server.
    Restart,
}

/// What Patroni does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Act {
    /// A file gets another name.
    Renamed,
    /// A file is copied.
    Copied,
    /// A file is made.
    Created,
    /// What was in a file is lost, but for the copies above.
    Replaced,
    /// Lines are taken out of a file.
    Edited,
    /// A file is removed.
    Removed,
    /// The server reads its files again.
    Reloaded,
    /// The WAL receiver starts anew.
    Reconnected,
    /// The server is restarted.
    Restarted,
    /// A key of the store is written.
    Stored,
}

/// On the host of a member.
///
/// # Errors
/// When Patroni's file does not tell where its files lie.
pub fn of_member(_facts: &Facts, member: &Member) -> Fact<Vec<Touch>> {
    Err(Gap::new("what Patroni touches", GapReason::NotGiven).on(&member.name))
}
