//! Other members of a cluster as far as they decide about slots: their tags (`tags.py:Tags`).

use crate::facts::kept::Kept;
use crate::facts::{Member, PatroniFile, Whole};
use crate::knowledge::patroni::Version;
use crate::parse::patroni::{Item, parse_bool, parse_int};

/// `failover_priority` stands for `nofailover` (3.2.0).
const PRIORITY: Version = Version::new(3, 2, 0);

/// Another member.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Peer {
    /// Its name.
    pub name: String,
    /// The member that it streams from (`replicatefrom`); `None` for the leader.
    pub follows: Option<String>,
    /// It does not stream (`nostream`).
    pub is_without_stream: bool,
    /// Its server takes writes, as it says.
    pub is_leader: bool,
    /// Its Patroni has been there: the store has it.
    pub is_known_to_store: bool,
}

/// All others: those of the store, and those whose files are there.
pub(super) fn of(facts: &Whole, member: &Member, leader: Option<&str>, kept: Option<&Kept<'_>>) -> Vec<Peer> {
    let stored = kept.map(Kept::members).unwrap_or_default();
    let others = facts.cluster_of(member.file).map_or(&[][..], |cluster| &cluster.members);
    let of_file = |other: &Member| {
        let config = &facts.patroni[other.file].config;
        Peer {
            name: other.name.clone(),
            follows: config.get("tags.replicatefrom").and_then(Item::as_str).map(str::to_owned),
            is_without_stream: config.get("tags.nostream").and_then(Item::as_bool) == Some(true),
            is_leader: leader == Some(&*other.name),
            is_known_to_store: stored.contains_key(&other.name),
        }
    };
    let mut peers: Vec<Peer> = others.iter().map(of_file).collect();
    for name in stored.keys() {
        if peers.iter().any(|peer| peer.name == *name) {
            continue;
        }
        let data = kept.and_then(|kept| kept.json(&format!("members/{name}"))).unwrap_or_default();
        let tags = &data["tags"];
        let is_on =
            |tag: &serde_json::Value| tag.as_bool() == Some(true) || tag.as_str().and_then(parse_bool) == Some(true);
        peers.push(Peer {
            name: name.clone(),
            follows: tags["replicatefrom"].as_str().map(str::to_owned),
            is_without_stream: is_on(&tags["nostream"]),
            is_leader: leader == Some(&**name),
            is_known_to_store: true,
        });
    }
    peers.retain(|peer| peer.name != member.name);
    peers.sort_by(|a, b| a.name.cmp(&b.name));
    peers.dedup_by(|a, b| a.name == b.name);
    peers
}

/// Whether a member may not become leader (`Tags.nofailover`).
pub(super) fn is_nofailover(file: &PatroniFile) -> bool {
    if let Some(tag) = file.config.get("tags.nofailover") {
        return tag.is_true();
    }
    let priority = file.config.get("tags.failover_priority").filter(|_| file.version >= PRIORITY);
    priority.and_then(Item::as_setting).and_then(|text| parse_int(&text, None)).is_some_and(|priority| priority <= 0)
}

/// Whether a member streams, by itself or by those it follows, from the leader (`Cluster.get_slot_name_on_primary`).
pub(super) fn is_fed(file: &PatroniFile, member: &Member, peers: &[Peer]) -> bool {
    let is_without_stream = file.config.get("tags.nostream").and_then(Item::as_bool) == Some(true);
    let mut seen = vec![member.name.as_str()];
    let mut next = file.config.get("tags.replicatefrom").and_then(Item::as_str);
    if is_without_stream {
        return false;
    }
    while let Some(peer) = next.and_then(|name| peers.iter().find(|peer| peer.name == name)) {
        if peer.is_without_stream || seen.contains(&peer.name.as_str()) {
            return false;
        }
        seen.push(&peer.name);
        next = peer.follows.as_deref();
    }
    true
}
