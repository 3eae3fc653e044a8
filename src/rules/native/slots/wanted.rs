//! The slots that Patroni wants on the server of a member (`dcs/__init__.py:Cluster.get_replication_slots`), and those that it leaves
//! alone.

use std::collections::BTreeSet;

use super::{is_logical, permanent};
use crate::facts::gap::Fact;
use crate::facts::kept::kept;
use crate::facts::nodes::{Node, Row};
use crate::facts::{Facts, Member, PatroniFile};
use crate::knowledge::patroni::slot_name;
use crate::parse::patroni::Item;

/// What Patroni wants.
pub(super) struct Wanted<'a> {
    file: &'a PatroniFile,
    /// The slots of other members, and those that it keeps for members that are away.
    members: BTreeSet<String>,
    /// Those that the dynamic configuration declares, where this member gets them.
    permanent: Vec<(&'a str, &'a Item)>,
}

impl<'a> Wanted<'a> {
    /// For the server of a member.
    ///
    /// # Errors
    /// When it is not known what the store keeps: other members, and the configuration that counts.
    pub(super) fn of(facts: &'a Facts, member: &'a Member, node: &Node) -> Fact<Self> {
        let file = &facts.patroni[member.file];
        let kept = kept(facts, member, node)?;
        let mut names: BTreeSet<String> = kept.members().into_keys().collect();
        let is_streaming =
            |m: &&Member| facts.patroni[m.file].config.get("tags.nostream").and_then(Item::as_bool) != Some(true);
        let others = facts.cluster_of(member.file).map_or(&[][..], |cluster| &cluster.members);
        names.extend(others.iter().filter(is_streaming).map(|m| m.name.clone()));
        names.remove(&member.name);
        let own = slot_name(&member.name);
        let mut slots: BTreeSet<String> = names.iter().map(|name| slot_name(name)).collect();
        let status = kept.json("status").unwrap_or_default();
        let retained = status["retain_slots"].as_array().map_or(&[][..], Vec::as_slice);
        slots.extend(retained.iter().filter_map(|name| Some(name.as_str()?.to_owned())));
        slots.remove(&own);
        // A member that may not become leader gets no permanent slots, and those of members only that follow it.
        let is_candidate = file.config.get("tags.nofailover").is_none_or(|tag| !tag.is_true());
        let is_standby_cluster = file.is_standby_cluster();
        let declared = permanent(file).filter(|(name, slot)| {
            is_candidate && (is_logical(slot) || *name != own) && (!is_standby_cluster || !is_logical(slot))
        });
        let permanent = declared.collect();
        if !file.uses_slots() {
            slots.clear();
        }
        Ok(Self { file, members: slots, permanent })
    }

    /// Whether a slot is that of another member.
    pub(super) fn is_of_member(&self, name: &str) -> bool {
        self.members.contains(name)
    }

    /// What is declared under a name, if that counts here.
    pub(super) fn declared(&self, name: &str) -> Option<&'a Item> {
        self.permanent.iter().find(|(declared, _)| *declared == name).map(|(_, item)| *item)
    }

    /// Whether a slot stays: wanted under its name, or none of Patroni's business.
    pub(super) fn stays(&self, row: &Row) -> bool {
        let name = row.get("slot_name").unwrap_or_default();
        self.is_of_member(name) || self.declared(name).is_some() || is_left_alone(self.file, row)
    }
}

/// Whether Patroni does not look after a slot: a temporary one, one that PostgreSQL keeps in step by itself, or one that is to be ignored
/// (`slots.py:SlotsHandler.pg_replication_slots_query`, `ignore_replication_slot`).
pub(super) fn is_left_alone(file: &PatroniFile, row: &Row) -> bool {
    const COLUMNS: [(&str, &str); 3] = [("database", "database"), ("plugin", "plugin"), ("type", "slot_type")];
    let matches = |matcher: &Item| {
        let name = matcher.get("name").is_none_or(|name| name.as_str() == row.get("slot_name"));
        let fits = |(key, column): &(&str, &str)| {
            matcher.get(key).is_none_or(|value| !value.is_true() || value.as_str() == row.get(column))
        };
        name && COLUMNS.iter().all(fits)
    };
    let is_of_citus = || {
        let name = row.get("slot_name").unwrap_or_default();
        !file.is_absent("citus") && (name.starts_with("citus_shard_move") || name.starts_with("citus_shard_split"))
    };
    row.is("temporary")
        || row.is("failover")
        || file.dynamic("ignore_slots").map_or(&[][..], Item::items).iter().any(matches)
        || is_of_citus()
}
