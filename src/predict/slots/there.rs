//! Slots that the server has.

use super::{Asked, Fate, Slot, logical_of};
use crate::facts::connections::address_of;
use crate::facts::nodes::Row;
use crate::facts::slot_fate::{EMPTY_IS_REMADE, LOST_IS_REMADE, WantedSlot, Why, XMIN_IS_REMADE, is_logical, unseen};
use crate::knowledge::patroni::slot_name;
use crate::parse::patroni::Item;

/// What becomes of it; `None` for a row without a name.
pub(super) fn fate(asked: &Asked<'_>, row: &Row) -> Option<Slot> {
    let name = row.get("slot_name")?;
    let (fate, when, because) = if let Some(why) = unseen(asked.file, row) {
        (Fate::LeftAlone, "", format!("it {why}"))
    } else if let Some(wanted) = asked.wanted.get(name) {
        of_wanted(asked, row, wanted)
    } else if let Some(why) = asked.wanted.left_alone(row) {
        (Fate::LeftAlone, "", format!("it {why}"))
    } else {
        of_unknown(asked, name, row)
    };
    Some(Slot {
        name: name.to_owned(),
        logical: logical_of(row),
        active: Some(row.is("active")),
        fate,
        when,
        because,
        at: Some(row.at),
    })
}

type Said = (Fate, &'static str, String);

/// `SlotsHandler._drop_incorrect_slots`, `_ensure_physical_slots`
fn of_wanted(asked: &Asked<'_>, row: &Row, wanted: &WantedSlot<'_>) -> Said {
    let is_active = row.is("active");
    let at_once = || if is_active { "once its consumer disconnects" } else { asked.first_round() };
    let wanted_for = match &wanted.why {
        Why::Member(peer) => format!("it is the slot of {}", peer.name),
        Why::Retained => "the store remembers it as the slot of a member that is away".to_owned(),
        Why::Declared(_) => "it is declared".to_owned(),
    };
    if let Some(difference) = difference(row, wanted) {
        // A pause does not keep Patroni from that.
        return (Fate::Remade, at_once(), format!("{wanted_for}, but {difference}"));
    }
    let version = asked.file.version;
    let is_physical = row.get("slot_type") == Some("physical");
    if row.get("wal_status") == Some("lost") && LOST_IS_REMADE.covers(version) {
        let when = if asked.is_paused() { "once the pause ends" } else { at_once() };
        return (Fate::Remade, when, format!("{wanted_for}, but the server has removed WAL that it needs"));
    }
    if is_physical && wanted.is_expected == Some(false) && row.get("xmin").is_some() && XMIN_IS_REMADE.covers(version) {
        let what = "it holds an `xmin` although nobody is expected to use it on this server";
        return (Fate::Remade, at_once(), format!("{wanted_for}, but {what}"));
    }
    let is_empty = row.get("restart_lsn").is_none() && row.get("xmin").is_none();
    if is_physical && wanted.is_expected != Some(true) && is_empty && EMPTY_IS_REMADE.covers(version) {
        return (Fate::Remade, at_once(), format!("{wanted_for}, but it holds no WAL back yet"));
    }
    // Until that member has joined, nobody has told Patroni of it.
    if let Why::Member(peer) = &wanted.why
        && !peer.is_known_to_store
        && asked.wanted.declared(row.get("slot_name").unwrap_or_default()).is_none()
        && !asked.is_paused()
    {
        if is_active {
            let because =
                format!("{wanted_for}, as long as somebody uses it until Patroni of {} is started", peer.name);
            return (Fate::Kept, "", because);
        }
        // The leader is there before any standby is.
        if !peer.is_leader {
            let unless = if asked.is_standby { ", unless that one is started before this one" } else { "" };
            let because = format!(
                "{wanted_for}, which Patroni does not know before {} joins: it drops it first{unless}",
                peer.name
            );
            return (Fate::Remade, asked.first_round(), because);
        }
    }
    (Fate::Kept, "", wanted_for)
}

/// In what a slot is not what Patroni wants under its name (`slots.py:compare_slots`).
fn difference(row: &Row, wanted: &WantedSlot<'_>) -> Option<String> {
    let kind = |is_logical: bool| if is_logical { "logical" } else { "physical" };
    let item = match wanted.why {
        Why::Declared(item) if is_logical(item) => Some(item),
        _ => None,
    };
    let is_logical = row.get("slot_type") == Some("logical");
    if is_logical != item.is_some() {
        return Some(format!("it is {} and is to be {}", kind(is_logical), kind(item.is_some())));
    }
    let differs = |column: &str| {
        let declared = item?.get(column).and_then(Item::as_str)?;
        let made = row.get(column).unwrap_or_default();
        (declared != made).then(|| format!("its {column} is `{made}` and is to be `{declared}`"))
    };
    differs("database").or_else(|| differs("plugin"))
}

/// A slot that nobody wants.
fn of_unknown(asked: &Asked<'_>, name: &str, row: &Row) -> Said {
    let when = match (asked.is_paused(), row.is("active")) {
        (true, _) => "once the pause ends",
        (_, true) => "once its consumer disconnects",
        _ => asked.first_round(),
    };
    let config = &asked.file.config;
    let is_declared = config.slots().and_then(|slots| slots.get(name)).is_some();
    let mut because = if name == slot_name(&asked.member.name) {
        format!(
            "it has the name of the slot of {} itself, which Patroni makes on other members and not here",
            asked.member.name
        )
    } else if !asked.file.uses_slots() {
        "`use_slots` is off, so that Patroni wants no slot at all".to_owned()
    } else if is_declared && config.get("tags.nofailover").or_else(|| config.get("tags.failover_priority")).is_some() {
        "a member that may not become leader gets no permanent slots".to_owned()
    } else if is_declared {
        "it is declared, but not for a server like this one".to_owned()
    } else {
        "it is not declared, and no member's".to_owned()
    };
    if let Some(consumer) = consumer(asked, name) {
        because.extend(["; ", &consumer]);
    }
    (Fate::Dropped, when, because)
}

/// Who uses it now, in words.
fn consumer(asked: &Asked<'_>, name: &str) -> Option<String> {
    let rows = asked.node?.rows("standbys").ok()?;
    let row = rows.iter().find(|row| row.get("slot_name") == Some(name))?;
    let address = row.get("client_addr").map(|a| a.split('/').next().unwrap_or(a).to_owned());
    let members = asked.facts.cluster_of(asked.member.file).map_or(&[][..], |cluster| &cluster.members);
    let is_there = |m: &&crate::facts::Member| {
        address_of(asked.facts, m).is_ok_and(|known| address.as_deref() == Some(&*known.to_string()))
    };
    if let Some(member) = members.iter().find(is_there) {
        let own = slot_name(&member.name);
        return Some(format!("{} uses it until its Patroni has it use slot {own}", member.name));
    }
    let who = row.get("application_name").filter(|name| !name.is_empty()).unwrap_or("somebody");
    Some(address.map_or_else(|| format!("{who} uses it"), |address| format!("{who} at {address} uses it")))
}
