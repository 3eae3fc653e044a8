//! Whether Patroni switches `hot_standby_feedback` on (`Cluster.should_enforce_hot_standby_feedback`).

use crate::facts::kept::kept;
use crate::facts::slot_fate::{Wanted, is_logical, permanent};
use crate::facts::{Facts, Member};
use crate::parse::patroni::Item;

/// On whoever has, or may come to have, logical slots that are declared, the leader among them, and on a standby that such a member streams
/// from.
pub(super) fn is_enforced(facts: &Facts, member: &Member) -> bool {
    let file = &facts.patroni[member.file];
    if file.is_standby_cluster() || permanent(file).all(|(_, slot)| !is_logical(slot)) {
        return false;
    }
    let kept = facts.node_of(member).and_then(|node| kept(facts, member, node).ok());
    let gets = |member: &Member| {
        let wanted = Wanted::with(facts, member, false, None, kept.as_ref());
        permanent(&facts.patroni[member.file]).any(|(name, slot)| is_logical(slot) && wanted.declared(name).is_some())
    };
    let members = facts.cluster_of(member.file).map_or(&[][..], |cluster| &cluster.members);
    let follows = |other: &&Member| {
        let tag = facts.patroni[other.file].config.get("tags.replicatefrom").and_then(Item::as_str);
        tag == Some(&*member.name)
    };
    gets(member) || members.iter().filter(follows).any(gets)
}
