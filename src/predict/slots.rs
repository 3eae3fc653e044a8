//! What becomes of each replication slot.

mod there;
mod wanted;

use serde::Serialize;

use super::role_of;
use crate::facts::gap::{Fact, Gap, GapReason};
use crate::facts::kept::{is_paused, kept};
use crate::facts::nodes::{Node, Row};
use crate::facts::running::primary_of;
use crate::facts::slot_fate::Wanted;
use crate::facts::{Facts, Member, PatroniFile};
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
    /// Patroni drops it and makes one of the same name, which holds WAL back from then on.
    Remade,
    /// Patroni makes it.
    Created,
    /// Patroni makes it with the files of the leader's, and restarts the standby for that.
    Copied,
    /// Patroni wants it and cannot make it.
    NotMade,
    /// Patroni wants it: it makes it, where the server does not have it. The server was not asked.
    Wanted,
    /// Patroni wants it and leaves it as it is.
    Kept,
    /// Patroni does not look at it.
    LeftAlone,
}

/// What is looked at for one member.
struct Asked<'a> {
    facts: &'a Facts,
    member: &'a Member,
    file: &'a PatroniFile,
    node: Option<&'a Node>,
    /// Its server does not take writes.
    is_standby: bool,
    wanted: Wanted<'a>,
}

/// Of the server of a member, by name; of a server that was not asked, only those that Patroni wants.
///
/// # Errors
/// When it is not known which slots Patroni wants: the store was not asked.
pub fn of_member(facts: &Facts, member: &Member) -> Fact<Vec<Slot>> {
    let file = &facts.patroni[member.file];
    let node = facts.node_of(member);
    let kept = node.map(|node| kept(facts, member, node)).transpose()?;
    let is_standby = role_of(facts, member).is_standby();
    let leader = primary_of(facts, member).map(|(leader, _)| leader.name.as_str());
    let may_lead = !is_standby || file.is_standby_cluster();
    let wanted = Wanted::with(facts, member, may_lead, leader, kept.as_ref());
    let asked = Asked { facts, member, file, node, is_standby, wanted };
    let rows = node.and_then(|node| node.rows("slots").ok());
    let mut all: Vec<Slot> = rows.unwrap_or_default().iter().filter_map(|row| there::fate(&asked, row)).collect();
    let is_there = |name: &str| all.iter().any(|slot| slot.name == name);
    let further: Vec<Slot> = asked
        .wanted
        .slots()
        .filter(|(name, _)| !is_there(name))
        .map(|(name, slot)| wanted::fate(&asked, name, slot, rows.is_some()))
        .collect();
    all.extend(further);
    all.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(all)
}

/// Whether those are all slots of the server.
///
/// # Errors
/// When the server was not asked for its slots: it may have others.
pub fn are_all(facts: &Facts, member: &Member) -> Fact<()> {
    match facts.node_of(member) {
        Some(node) => node.rows("slots").map(drop),
        None => Err(Gap::new("the slots that the server has now", GapReason::NotGiven).on(&member.name)),
    }
}

impl Asked<'_> {
    fn is_paused(&self) -> bool {
        is_paused(self.facts, self.member)
    }

    /// The first round that looks after slots.
    const fn first_round(&self) -> &'static str {
        if self.is_standby { "in the first rounds of this standby" } else { "in the first round of the leader" }
    }
}

/// The database and the plugin of a logical slot.
fn logical_of(row: &Row) -> Option<(String, String)> {
    let text = |column: &str| row.get(column).unwrap_or_default().to_owned();
    (row.get("slot_type") == Some("logical")).then(|| (text("database"), text("plugin")))
}
