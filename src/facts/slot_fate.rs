//! Which replication slots Patroni wants on the server of a member, and which ones it leaves alone
//! (`dcs/__init__.py:Cluster.get_replication_slots`, `slots.py:SlotsHandler`).

mod declared;
mod peers;

use std::collections::BTreeMap;

pub use declared::{NAMES, is_logical, is_physical, is_slot_name, permanent};
pub use peers::Peer;

use super::gap::Fact;
use super::kept::{Kept, kept};
use super::nodes::{Node, Row};
use super::patroni_file::PatroniFile;
use super::{Member, Whole, running};
use crate::knowledge::patroni::{Lifetime, Version, slot_name};
use crate::parse::patroni::{Item, parse_int};

/// Physical permanent slots on standbys too (3.2.0).
const ON_STANDBYS: Version = Version::new(3, 2, 0);
/// Every member's slot on every member (`member_slots_ttl`, 4.0.0).
const FOR_ALL: Version = Version::new(4, 0, 0);
/// `use_slots: false` and `nofailover` hold for permanent slots of every kind and role (3.1.0, 3.1.1).
const SWITCHED_OFF: Version = Version::new(3, 1, 0);
const NO_CANDIDATE: Version = Version::new(3, 1, 1);
/// What has a database and a plugin and no type is no physical slot any more (3.3.1).
const UNTYPED: Version = Version::new(3, 3, 1);
/// The tag `nostream` (3.3.0).
const NOSTREAM: Version = Version::new(3, 3, 0);
/// `cluster_type` of a permanent slot, and slots that PostgreSQL 17 keeps in step by itself (4.1.0).
const CLUSTER_TYPE: Version = Version::new(4, 1, 0);
const FAILOVER: Version = Version::new(4, 1, 0);

/// A slot that has lost its WAL is made anew.
pub static LOST_IS_REMADE: Lifetime = since(&[Version::new(4, 0, 10), Version::new(4, 1, 4)]);
/// A physical slot without a position, whose consumer is not expected here, is made anew.
pub static EMPTY_IS_REMADE: Lifetime = since(&[Version::new(4, 0, 7)]);
/// So is one that holds an `xmin`.
pub static XMIN_IS_REMADE: Lifetime = since(&[Version::new(3, 3, 3), Version::new(4, 0, 2)]);

const fn since(since: &'static [Version]) -> Lifetime {
    Lifetime { since, removed: None }
}

/// Why Patroni wants a slot.
#[derive(Debug, Clone)]
pub enum Why<'a> {
    /// It is that of another member.
    Member(Peer),
    /// The store remembers it as that of a member that is away.
    Retained,
    /// The dynamic configuration declares it.
    Declared(&'a Item),
}

/// A slot that Patroni wants.
#[derive(Debug, Clone)]
pub struct WantedSlot<'a> {
    /// Why.
    pub why: Why<'a>,
    /// Whether its consumer is expected on this server (`expected_active`); `None` where Patroni does not say.
    pub is_expected: Option<bool>,
}

/// What Patroni wants on the server of a member.
#[derive(Debug)]
pub struct Wanted<'a> {
    file: &'a PatroniFile,
    is_leader: bool,
    slots: BTreeMap<String, WantedSlot<'a>>,
    /// What is declared and counts here, whether a member's slot has the name too or not.
    permanent: Vec<(&'a str, &'a Item)>,
}

impl<'a> Wanted<'a> {
    /// For the server of a member that was asked.
    ///
    /// # Errors
    /// When it is not known what the store keeps: other members, and the configuration that counts.
    pub fn of(facts: &'a Whole, member: &'a Member, node: &Node) -> Fact<Self> {
        let kept = kept(facts, member, node)?;
        let leader = running::primary_of(facts, member).map(|(leader, _)| leader.name.as_str());
        Ok(Self::with(facts, member, may_lead(facts, member, node), leader, Some(&kept)))
    }

    /// For the server of a member that leads, or does not; `leader` is the name of the one that does, where that is known, and `kept` is what the
    /// store keeps, if it was asked.
    #[must_use]
    pub fn with(
        facts: &'a Whole,
        member: &'a Member,
        is_leader: bool,
        leader: Option<&str>,
        kept: Option<&Kept<'_>>,
    ) -> Self {
        let file = &facts.patroni[member.file];
        let peers = peers::of(facts, member, leader, kept);
        let own = slot_name(&member.name);
        let mut wanted = Self { file, is_leader, slots: BTreeMap::new(), permanent: Vec::new() };
        if file.uses_slots() {
            wanted.slots = of_members(file, member, is_leader, &peers);
            let is_candidate = !peers::is_nofailover(file);
            let status = kept.and_then(|kept| kept.json("status")).unwrap_or_default();
            let retained = status["retain_slots"].as_array().map_or(&[][..], Vec::as_slice);
            let retained = retained.iter().filter_map(|name| name.as_str());
            for name in retained.filter(|name| file.version >= FOR_ALL && is_candidate && *name != own) {
                let slot = WantedSlot { why: Why::Retained, is_expected: None };
                wanted.slots.entry(name.to_owned()).or_insert(slot);
            }
        }
        wanted.permanent = of_configuration(file, is_leader, &peers, member);
        for (name, item) in wanted.permanent.clone() {
            // A member's slot goes before a permanent one of its name.
            if is_logical(item) || name != own {
                let follows = peers.iter().any(|peer| slot_name(&peer.name) == name && peer.follows.is_some());
                let is_expected = (!is_logical(item)).then_some(is_leader && !follows);
                let slot = WantedSlot { why: Why::Declared(item), is_expected };
                wanted.slots.entry(name.to_owned()).or_insert(slot);
            }
        }
        wanted.permanent.retain(|(name, item)| is_logical(item) || *name != own);
        wanted
    }

    /// Every slot, by name.
    pub fn slots(&self) -> impl Iterator<Item = (&str, &WantedSlot<'a>)> {
        self.slots.iter().map(|(name, slot)| (name.as_str(), slot))
    }

    /// The slot of that name, if Patroni wants one.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&WantedSlot<'a>> {
        self.slots.get(name)
    }

    /// Whether a slot is that of another member.
    #[must_use]
    pub fn is_of_member(&self, name: &str) -> bool {
        self.slots.get(name).is_some_and(|slot| !matches!(slot.why, Why::Declared(_)))
    }

    /// What is declared under a name, if that counts here.
    #[must_use]
    pub fn declared(&self, name: &str) -> Option<&'a Item> {
        self.permanent.iter().find(|(declared, _)| *declared == name).map(|(_, item)| *item)
    }

    /// Whether a slot stays: wanted under its name, or none of Patroni's business.
    #[must_use]
    pub fn stays(&self, row: &Row) -> bool {
        let name = row.get("slot_name").unwrap_or_default();
        self.slots.contains_key(name) || self.declared(name).is_some() || self.is_left_alone(row)
    }

    /// Why Patroni does not look after a slot, in words that follow its name; `None` where it does.
    #[must_use]
    pub fn left_alone(&self, row: &Row) -> Option<&'static str> {
        left_alone(self.file, self.is_leader, row)
    }

    fn is_left_alone(&self, row: &Row) -> bool {
        self.left_alone(row).is_some()
    }
}

/// Whether a server takes writes; of a standby cluster, any member may be its leader.
#[must_use]
pub fn may_lead(facts: &Whole, member: &Member, node: &Node) -> bool {
    node.is_standby() != Ok(true) || facts.patroni[member.file].is_standby_cluster()
}

/// The slots of other members, by name (`Cluster._get_members_slots`).
fn of_members<'a>(
    file: &PatroniFile,
    member: &Member,
    is_leader: bool,
    peers: &[Peer],
) -> BTreeMap<String, WantedSlot<'a>> {
    let is_member = |name: &str| name == member.name || peers.iter().any(|peer| peer.name == name);
    let streams_from_here = |peer: &Peer| match &peer.follows {
        Some(name) if *name == member.name => is_leader || !peer.is_leader,
        Some(name) => is_leader && !is_member(name),
        None => is_leader,
    };
    let is_for_all = file.version >= FOR_ALL && retains(file);
    let is_candidate = !peers::is_nofailover(file);
    let here = |peer: &&Peer| {
        let streams = !peer.is_without_stream || file.version < NOSTREAM;
        let counts = if is_for_all {
            is_candidate || peer.follows.as_deref() == Some(&*member.name)
        } else {
            streams_from_here(peer)
        };
        streams && counts
    };
    let slot = |peer: &Peer| {
        let is_expected = Some(streams_from_here(peer));
        (slot_name(&peer.name), WantedSlot { why: Why::Member(peer.clone()), is_expected })
    };
    peers.iter().filter(here).map(slot).collect()
}

/// Whether slots of members are kept while those are away (`GlobalConfig.member_slots_ttl`): unless it is switched off.
fn retains(file: &PatroniFile) -> bool {
    let ttl = file.dynamic("member_slots_ttl").and_then(Item::as_setting);
    ttl.and_then(|text| parse_int(&text, Some("s"))).is_none_or(|ttl| ttl > 0)
}

/// What is declared and counts for this member (`Cluster._get_permanent_slots`).
fn of_configuration<'a>(
    file: &'a PatroniFile,
    is_leader: bool,
    peers: &[Peer],
    member: &Member,
) -> Vec<(&'a str, &'a Item)> {
    let version = file.version;
    let is_candidate = !peers::is_nofailover(file);
    let is_standby_cluster = file.is_standby_cluster();
    let is_fed = version < NOSTREAM || peers::is_fed(file, member, peers);
    let is_here = |(_, item): &(&str, &Item)| {
        let is_logical = is_logical(item);
        // Where only physical ones are asked for.
        let is_physical = !is_logical || version < UNTYPED && item.get("type").is_none();
        if !file.uses_slots() {
            return version < SWITCHED_OFF && is_leader && is_physical;
        }
        if !is_candidate && (version >= NO_CANDIDATE || !is_leader) {
            return false;
        }
        if is_logical {
            return if version < NO_CANDIDATE {
                is_physical || !(is_leader && is_standby_cluster)
            } else {
                !is_standby_cluster && is_fed || is_physical && (is_leader || version >= ON_STANDBYS)
            };
        }
        let kind = item.get("cluster_type").and_then(Item::as_str).filter(|_| version >= CLUSTER_TYPE);
        // In a cluster of its own the filter is not asked: all that is declared counts.
        let fits =
            !is_standby_cluster && is_fed || kind != Some(if is_standby_cluster { "primary" } else { "standby" });
        fits && (is_leader || version >= ON_STANDBYS)
    };
    declared::declared(file).filter(is_here).collect()
}

/// Why Patroni does not look after a slot, in words that follow its name: it does not see it, or is to ignore it.
#[must_use]
pub fn left_alone(file: &PatroniFile, is_leader: bool, row: &Row) -> Option<&'static str> {
    unseen(file, row).or_else(|| ignored(file, is_leader, row))
}

/// Why Patroni does not see a slot at all (`SlotsHandler.pg_replication_slots_query`).
#[must_use]
pub fn unseen(file: &PatroniFile, row: &Row) -> Option<&'static str> {
    if row.is("temporary") {
        return Some("is a temporary slot of a session");
    }
    let is_kept_in_step = row.is("failover") && file.version >= FAILOVER;
    is_kept_in_step.then_some("is a failover slot, which PostgreSQL keeps on its standbys by itself")
}

/// Why a slot that Patroni does not want is left there: it is to be ignored (`SlotsHandler.ignore_replication_slot`), or the server does not
/// let anybody drop it.
fn ignored(file: &PatroniFile, is_leader: bool, row: &Row) -> Option<&'static str> {
    const COLUMNS: [(&str, &str); 3] = [("database", "database"), ("plugin", "plugin"), ("type", "slot_type")];
    let matches = |matcher: &Item| {
        let name = matcher.get("name").is_none_or(|name| name.as_str() == row.get("slot_name"));
        let fits = |(key, column): &(&str, &str)| {
            matcher.get(key).is_none_or(|value| !value.is_true() || value.as_str() == row.get(column))
        };
        name && COLUMNS.iter().all(fits)
    };
    if file.dynamic("ignore_slots").map_or(&[][..], Item::items).iter().any(matches) {
        return Some("is one of `ignore_slots`");
    }
    let name = row.get("slot_name").unwrap_or_default();
    if !file.is_absent("citus") && (name.starts_with("citus_shard_move") || name.starts_with("citus_shard_split")) {
        return Some("is one of Citus");
    }
    // `ReplicationSlotDropPtr` and `ReplicationSlotAcquire` in `src/backend/replication/slot.c`.
    let is_of_server = row.is("synced") && !is_leader;
    is_of_server.then_some("is kept in step with that of the primary, and PostgreSQL does not let it be dropped here")
}
